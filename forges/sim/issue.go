package sim

import (
	"slices"
	"strings"
	"time"
)

// State of an issue or change.
type State string

// States. A merged change is Closed with Change.Merged set.
const (
	Open   State = "open"
	Closed State = "closed"
)

// Issue is an issue, or the part of a change that is like one.
type Issue struct {
	ID        int64
	Repo      int64
	Number    int
	Title     string
	Body      string
	Author    int64
	State     State
	Reason    string // of a closed issue: completed, not_planned, duplicate; of a reopened one: reopened
	Type      string
	Labels    []string
	Milestone string
	Edits     []Edit // of the body, oldest first; the first is how it was posted
	Events    []IssueEvent
	Comments  []*Comment
	Reactions []Reaction
	CreatedAt time.Time
	UpdatedAt time.Time
	ClosedAt  time.Time
	ClosedBy  int64
	Depends   []Dependency
	Change    *Change // nil of an issue

	past []*Issue // former states, newest last, for stale answers
}

// Edit is one version of a text.
type Edit struct {
	At     time.Time
	Editor int64
	Text   string
}

// IssueEvent is one entry of an issue's history.
type IssueEvent struct {
	ID    int64
	Kind  string // labeled, unlabeled, closed, reopened, renamed, merged, head_ref_force_pushed, base_ref_changed …
	Actor int64
	At    time.Time
	Label string
	From  string // of renamed
	To    string
	// Review is the review dismissed.
	Review int64
	// Other is the issue depended on, or the account asked for a review.
	Other int64
}

// Comment is a comment on an issue or change.
type Comment struct {
	ID        int64
	Number    int
	Author    int64
	Body      string
	CreatedAt time.Time
	UpdatedAt time.Time
	Edits     []Edit
	Minimized string // why it is hidden: spam, outdated …; "" if shown
	Reactions []Reaction
}

// Reaction is a reaction of somebody.
type Reaction struct {
	ID      int64
	Author  int64
	Content string // "+1", "eyes", "confused" …
	At      time.Time
}

// OpenIssue opens an issue with labels (made where missing).
func (a Actor) OpenIssue(repo, title, body string, labels ...string) (number int, err error) {
	err = a.onRepo(repo, Read, func(f *Forge, me *Account, r *Repo) error {
		if title == "" {
			return refuse(Invalid, "title can't be blank")
		}
		is := f.newIssue(me, r, title, body)
		for _, l := range labels {
			f.label(r, l)
			is.Labels = append(is.Labels, l)
			f.event(is, IssueEvent{Kind: "labeled", Actor: me.ID, Label: l})
		}
		number = is.Number
		f.announce(Happening{Kind: IssueHappened, Action: "opened", Actor: me, Repo: r, Issue: is})
		for _, l := range labels {
			f.announce(Happening{Kind: IssueHappened, Action: "labeled", Actor: me, Repo: r, Issue: is, Label: r.Labels[l]})
		}
		return nil
	})
	return number, err
}

func (f *Forge) newIssue(me *Account, r *Repo, title, body string) *Issue {
	r.lastNumber++
	now := f.Now()
	is := &Issue{
		ID: f.id(), Repo: r.ID, Number: r.lastNumber, Title: title, Body: body, Author: me.ID, State: Open,
		CreatedAt: now, UpdatedAt: now, Edits: []Edit{{At: now, Editor: me.ID, Text: body}},
	}
	r.Issues[is.Number] = is
	return is
}

func (f *Forge) event(is *Issue, e IssueEvent) {
	e.ID, e.At = f.id(), f.Now()
	is.Events = append(is.Events, e)
}

// touch remembers how an issue stood and marks it as updated. Call it before
// the change is made.
func (f *Forge) touch(is *Issue) {
	const keep = 8
	is.past = append(is.past, is.copy())
	if len(is.past) > keep {
		is.past = is.past[1:]
	}
	is.UpdatedAt = f.Now()
}

// copy is a deep copy without history.
func (is *Issue) copy() *Issue {
	c := *is
	c.past = nil
	c.Labels, c.Edits, c.Events = slices.Clone(is.Labels), slices.Clone(is.Edits), slices.Clone(is.Events)
	c.Depends = slices.Clone(is.Depends)
	c.Comments = make([]*Comment, len(is.Comments))
	for i, m := range is.Comments {
		n := *m
		n.Edits, n.Reactions = slices.Clone(m.Edits), slices.Clone(m.Reactions)
		c.Comments[i] = &n
	}
	if is.Change != nil {
		c.Change = is.Change.copy()
	}
	return &c
}

// Issue gives an issue or change as it stands.
func (f *Forge) Issue(repo string, number int) (Issue, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	r := f.repo(repo)
	if r == nil || r.Issues[number] == nil {
		return Issue{}, false
	}
	return *r.Issues[number].copy(), true
}

// Issues lists the issues and changes of a repository by number.
func (f *Forge) Issues(repo string) []Issue {
	f.mu.RLock()
	defer f.mu.RUnlock()
	r := f.repo(repo)
	if r == nil {
		return nil
	}
	var out []Issue
	for n := 1; n <= r.lastNumber; n++ {
		if is := r.Issues[n]; is != nil {
			out = append(out, *is.copy())
		}
	}
	return out
}

// issueKind is what a happening on an issue is called.
func issueKind(is *Issue) HappeningKind {
	if is.Change != nil {
		return ChangeHappened
	}
	return IssueHappened
}

// EditIssue sets title and body of an issue or change; nil leaves one as it is.
func (a Actor) EditIssue(repo string, number int, title, body *string) error {
	return a.onIssue(repo, number, Triage, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		was := map[string]string{}
		f.touch(is)
		if title != nil && *title != is.Title {
			was["title"] = is.Title
			f.setTitle(me, is, *title)
		}
		if body != nil && *body != is.Body {
			was["body"] = is.Body
			is.Body = *body
			is.Edits = append(is.Edits, Edit{At: f.Now(), Editor: me.ID, Text: *body})
		}
		if len(was) > 0 {
			f.announce(Happening{Kind: issueKind(is), Action: "edited", Actor: me, Repo: r, Issue: is, Was: was})
		}
		return nil
	})
}

// setTitle gives an issue another title, and what follows from it.
func (f *Forge) setTitle(me *Account, is *Issue, title string) {
	f.event(is, IssueEvent{Kind: "renamed", Actor: me.ID, From: is.Title, To: title})
	is.Title = title
	if is.Change != nil && len(f.style.DraftPrefixes) > 0 {
		is.Change.Draft = f.style.IsDraft(title)
	}
}

// retitle is setTitle as a happening of its own.
func (f *Forge) retitle(me *Account, r *Repo, is *Issue, title string) {
	was := map[string]string{"title": is.Title}
	f.touch(is)
	f.setTitle(me, is, title)
	f.announce(Happening{Kind: issueKind(is), Action: "edited", Actor: me, Repo: r, Issue: is, Was: was})
}

// SetTitle is EditIssue for the title alone.
func (a Actor) SetTitle(repo string, number int, title string) error {
	return a.EditIssue(repo, number, &title, nil)
}

// SetBody is EditIssue for the body alone.
func (a Actor) SetBody(repo string, number int, body string) error {
	return a.EditIssue(repo, number, nil, &body)
}

// Label puts labels on an issue or change.
func (a Actor) Label(repo string, number int, labels ...string) error {
	return a.onIssue(repo, number, Triage, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		for _, l := range labels {
			if slices.Contains(is.Labels, l) {
				continue
			}
			f.touch(is)
			label := f.label(r, l)
			is.Labels = append(is.Labels, l)
			f.event(is, IssueEvent{Kind: "labeled", Actor: me.ID, Label: l})
			f.announce(Happening{Kind: issueKind(is), Action: "labeled", Actor: me, Repo: r, Issue: is, Label: label})
		}
		return nil
	})
}

// Unlabel takes labels off an issue or change.
func (a Actor) Unlabel(repo string, number int, labels ...string) error {
	return a.onIssue(repo, number, Triage, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		for _, l := range labels {
			i := slices.Index(is.Labels, l)
			if i < 0 {
				continue
			}
			f.touch(is)
			is.Labels = slices.Delete(slices.Clone(is.Labels), i, i+1)
			f.event(is, IssueEvent{Kind: "unlabeled", Actor: me.ID, Label: l})
			f.announce(Happening{Kind: issueKind(is), Action: "unlabeled", Actor: me, Repo: r, Issue: is, Label: f.label(r, l)})
		}
		return nil
	})
}

// ClearLabels takes all labels off an issue or change.
func (a Actor) ClearLabels(repo string, number int) error {
	var all []string
	err := a.onIssue(repo, number, Triage, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		if len(is.Labels) == 0 || !f.style.ClearsAtOnce {
			all = slices.Clone(is.Labels)
			return nil
		}
		f.touch(is)
		was := map[string]string{"labels": strings.Join(is.Labels, "\n")}
		for _, l := range is.Labels {
			f.event(is, IssueEvent{Kind: "unlabeled", Actor: me.ID, Label: l})
		}
		is.Labels = nil
		f.announce(Happening{Kind: issueKind(is), Action: "labels_cleared", Actor: me, Repo: r, Issue: is, Was: was})
		return nil
	})
	if err != nil || len(all) == 0 {
		return err
	}
	return a.Unlabel(repo, number, all...)
}

// Close closes an issue (reason completed, not_planned or duplicate) or a
// change without merging it (no reason).
func (a Actor) Close(repo string, number int, reason string) error {
	return a.onIssue(repo, number, Triage, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		if is.State == Closed {
			return refuse(Invalid, "already closed")
		}
		if f.waits(is) && !f.style.ClosesWaiting {
			return refuse(Blocked, "%s", OpenDependencies)
		}
		f.closeIssue(me, r, is, reason)
		return nil
	})
}

func (f *Forge) closeIssue(me *Account, r *Repo, is *Issue, reason string) {
	f.touch(is)
	is.State, is.ClosedAt, is.ClosedBy = Closed, f.Now(), me.ID
	if is.Change == nil {
		is.Reason = reason
		if reason == "" {
			is.Reason = "completed"
		}
	}
	f.event(is, IssueEvent{Kind: "closed", Actor: me.ID})
	f.announce(Happening{Kind: issueKind(is), Action: "closed", Actor: me, Repo: r, Issue: is})
}

// Reopen opens a closed issue or an unmerged change again.
func (a Actor) Reopen(repo string, number int) error {
	return a.onIssue(repo, number, Triage, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		if is.State == Open {
			return refuse(Invalid, "already open")
		}
		if is.Change != nil {
			if is.Change.Merged {
				return refuse(Invalid, "merged changes stay merged")
			}
			src := f.repos[is.Change.HeadRepo]
			if src == nil || src.Branches[is.Change.HeadBranch] == "" {
				return refuse(Invalid, "the branch is gone")
			}
		}
		f.touch(is)
		is.State, is.ClosedAt, is.ClosedBy = Open, time.Time{}, 0
		if is.Change == nil {
			is.Reason = "reopened"
		}
		f.event(is, IssueEvent{Kind: "reopened", Actor: me.ID})
		f.announce(Happening{Kind: issueKind(is), Action: "reopened", Actor: me, Repo: r, Issue: is})
		if is.Change != nil {
			if tip := f.repos[is.Change.HeadRepo].Branches[is.Change.HeadBranch]; tip != is.Change.Head {
				f.newHead(me, r, is, tip)
			}
		}
		return nil
	})
}

// SetMilestone puts an issue or change into a milestone, made if missing; "" takes it out.
func (a Actor) SetMilestone(repo string, number int, title string) error {
	return a.onIssue(repo, number, Triage, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		f.touch(is)
		action := "demilestoned"
		if title != "" {
			action = "milestoned"
			if !slices.ContainsFunc(r.Milestones, func(m *Milestone) bool { return m.Title == title }) {
				r.Milestones = append(r.Milestones, &Milestone{ID: f.id(), Number: len(r.Milestones) + 1, Title: title})
			}
		}
		is.Milestone = title
		f.announce(Happening{Kind: issueKind(is), Action: action, Actor: me, Repo: r, Issue: is})
		return nil
	})
}

// SetType sets the type of an issue ("Bug").
func (a Actor) SetType(repo string, number int, name string) error {
	return a.onIssue(repo, number, Triage, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		f.touch(is)
		is.Type = name
		f.announce(Happening{Kind: IssueHappened, Action: "typed", Actor: me, Repo: r, Issue: is})
		return nil
	})
}

// DeleteIssue removes an issue for good.
func (a Actor) DeleteIssue(repo string, number int) error {
	return a.onRepo(repo, Admin, func(f *Forge, me *Account, r *Repo) error {
		is := r.Issues[number]
		if is == nil || is.Change != nil {
			return refuse(NotFound, "no issue %d", number)
		}
		delete(r.Issues, number)
		for _, c := range is.Comments {
			delete(r.comments, c.ID)
		}
		f.announce(Happening{Kind: IssueHappened, Action: "deleted", Actor: me, Repo: r, Issue: is})
		return nil
	})
}

// Comment writes a comment on an issue or change and gives its id.
func (a Actor) Comment(repo string, number int, body string) (id int64, err error) {
	err = a.onIssue(repo, number, Read, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		if body == "" {
			return refuse(Invalid, "body can't be blank")
		}
		const most = 65536
		if len([]rune(body)) > most {
			return refuse(Invalid, "body is too long (maximum is %d characters)", most)
		}
		f.touch(is)
		now := f.Now()
		c := &Comment{ID: f.id(), Number: number, Author: me.ID, Body: body, CreatedAt: now, UpdatedAt: now, Edits: []Edit{{At: now, Editor: me.ID, Text: body}}}
		is.Comments = append(is.Comments, c)
		r.comments[c.ID] = c
		id = c.ID
		f.announce(Happening{Kind: CommentHappened, Action: "created", Actor: me, Repo: r, Issue: is, Comment: c})
		return nil
	})
	return id, err
}

// onComment runs fn with a comment the actor wrote or may change as a writer.
func (a Actor) onComment(repo string, id int64, fn func(f *Forge, me *Account, r *Repo, is *Issue, c *Comment) error) error {
	return a.onRepo(repo, Read, func(f *Forge, me *Account, r *Repo) error {
		c := r.comments[id]
		if c == nil {
			return refuse(NotFound, "no comment %d", id)
		}
		if c.Author != me.ID && !f.permission(r, me).AtLeast(Write) {
			return refuse(Forbidden, "%s wrote not comment %d", me.Login, id)
		}
		return fn(f, me, r, r.Issues[c.Number], c)
	})
}

// EditComment changes a comment: the actor's own, or anybody's with write.
func (a Actor) EditComment(repo string, id int64, body string) error {
	return a.onComment(repo, id, func(f *Forge, me *Account, r *Repo, is *Issue, c *Comment) error {
		f.touch(is)
		was := c.Body
		c.Body, c.UpdatedAt = body, f.Now()
		c.Edits = append(c.Edits, Edit{At: f.Now(), Editor: me.ID, Text: body})
		f.announce(Happening{Kind: CommentHappened, Action: "edited", Actor: me, Repo: r, Issue: is, Comment: c, Was: map[string]string{"body": was}})
		return nil
	})
}

// DeleteComment removes a comment: the actor's own, or anybody's with write.
func (a Actor) DeleteComment(repo string, id int64) error {
	return a.onComment(repo, id, func(f *Forge, me *Account, r *Repo, is *Issue, c *Comment) error {
		f.touch(is)
		delete(r.comments, id)
		is.Comments = slices.DeleteFunc(slices.Clone(is.Comments), func(o *Comment) bool { return o == c })
		f.announce(Happening{Kind: CommentHappened, Action: "deleted", Actor: me, Repo: r, Issue: is, Comment: c})
		return nil
	})
}

// Minimize hides a comment for a reason ("outdated"); "" shows it again. No
// webhook tells of it.
func (a Actor) Minimize(repo string, id int64, reason string) error {
	return a.onComment(repo, id, func(_ *Forge, _ *Account, _ *Repo, _ *Issue, c *Comment) error {
		c.Minimized = reason
		return nil
	})
}

// React puts a reaction on a comment; twice is once. created is false if it stood there.
func (a Actor) React(repo string, comment int64, content string) (re Reaction, created bool, err error) {
	err = a.onRepo(repo, Read, func(f *Forge, me *Account, r *Repo) error {
		c := r.comments[comment]
		if c == nil {
			return refuse(NotFound, "no comment %d", comment)
		}
		c.Reactions, re, created = f.react(me, c.Reactions, content)
		if created {
			f.announce(Happening{Kind: ReactionHappened, Action: "created", Actor: me, Repo: r, Issue: r.Issues[c.Number], Comment: c, Reaction: &re})
		}
		return nil
	})
	return re, created, err
}

// ReactIssue puts a reaction on the text of an issue or change; twice is once.
func (a Actor) ReactIssue(repo string, number int, content string) (re Reaction, created bool, err error) {
	err = a.onRepo(repo, Read, func(f *Forge, me *Account, r *Repo) error {
		is := r.Issues[number]
		if is == nil {
			return refuse(NotFound, "no issue or change %d", number)
		}
		is.Reactions, re, created = f.react(me, is.Reactions, content)
		return nil
	})
	return re, created, err
}

// ReactReview puts a reaction on the body of a review; twice is once.
func (a Actor) ReactReview(repo string, review int64, content string) (re Reaction, created bool, err error) {
	return a.reactNear(repo, review, content, func(c *Change) bool {
		return slices.ContainsFunc(c.Reviews, func(rv *Review) bool { return rv.ID == review })
	})
}

// ReactReviewComment puts a reaction on a comment of a thread; twice is once.
func (a Actor) ReactReviewComment(repo string, comment int64, content string) (re Reaction, created bool, err error) {
	return a.reactNear(repo, comment, content, func(c *Change) bool {
		return slices.ContainsFunc(c.Threads, func(t *Thread) bool {
			return slices.ContainsFunc(t.Notes, func(n ReviewComment) bool { return n.ID == comment })
		})
	})
}

func (a Actor) reactNear(repo string, id int64, content string, has func(*Change) bool) (re Reaction, created bool, err error) {
	err = a.onRepo(repo, Read, func(f *Forge, me *Account, r *Repo) error {
		if !slices.ContainsFunc(r.changes(), func(is *Issue) bool { return has(is.Change) }) {
			return refuse(NotFound, "no review or review comment %d", id)
		}
		r.Reactions[id], re, created = f.react(me, r.Reactions[id], content)
		return nil
	})
	return re, created, err
}

func (f *Forge) react(me *Account, all []Reaction, content string) (after []Reaction, re Reaction, created bool) {
	for _, have := range all {
		if have.Author == me.ID && have.Content == content {
			return all, have, false
		}
	}
	re = Reaction{ID: f.id(), Author: me.ID, Content: content, At: f.Now()}
	return append(slices.Clone(all), re), re, true
}

// Comments lists the comments of an issue or change.
func (f *Forge) Comments(repo string, number int) []Comment {
	is, ok := f.Issue(repo, number)
	if !ok {
		return nil
	}
	var out []Comment
	for _, c := range is.Comments {
		out = append(out, *c)
	}
	return out
}
