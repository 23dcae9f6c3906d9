package sim

import (
	"slices"
	"time"
)

// ReviewState is what a review says.
type ReviewState string

// Review states, in GitHub's words.
const (
	Approved         ReviewState = "APPROVED"
	ChangesRequested ReviewState = "CHANGES_REQUESTED"
	Commented        ReviewState = "COMMENTED"
	Dismissed        ReviewState = "DISMISSED"
)

// Review is one submitted review.
type Review struct {
	ID          int64
	Author      int64
	State       ReviewState
	Commit      string
	Body        string
	SubmittedAt time.Time
	UpdatedAt   time.Time
	Edits       []Edit // of the body, oldest first; the first is how it was posted
	DismissedBy int64
	DismissedAt time.Time
	Dismissal   string
	WasState    ReviewState // before it was dismissed
	Notes       []ReviewComment
	Text        int64 // id of its body as a comment, on forges where it is one; 0 elsewhere
	Stale       bool  // the change does something else since, or did when it was given
}

// Thread is a conversation on a line.
type Thread struct {
	ID         int64
	Path       string
	Line       int
	Commit     string // it was begun on
	Resolved   bool
	ResolvedBy int64
	Notes      []ReviewComment // never empty
}

// ReviewComment is one comment of a thread.
type ReviewComment struct {
	ID        int64
	Thread    int64
	Review    int64
	Author    int64
	Body      string
	Path      string
	Line      int
	Commit    string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Approve submits an approving review of the present head and gives its id.
func (a Actor) Approve(repo string, number int, body string) (int64, error) {
	return a.Review(repo, number, Approved, "", body)
}

// RequestChanges submits a refusing review of the present head.
func (a Actor) RequestChanges(repo string, number int, body string) (int64, error) {
	return a.Review(repo, number, ChangesRequested, "", body)
}

// Review submits a review of a commit ("" for the present head).
func (a Actor) Review(repo string, number int, state ReviewState, commit, body string) (id int64, err error) {
	err = a.onChange(repo, number, Read, func(f *Forge, me *Account, r *Repo, is *Issue, _ *Change) error {
		if me.ID == is.Author && state != Commented {
			return refuse(Invalid, "Can not approve or refuse your own pull request")
		}
		if state == Dismissed || (state != Approved && body == "") {
			return refuse(Invalid, "a review needs a body")
		}
		id = f.review(me, r, is, state, commit, body).ID
		return nil
	})
	return id, err
}

func (f *Forge) review(me *Account, r *Repo, is *Issue, state ReviewState, commit, body string) *Review {
	f.touch(is)
	c := is.Change
	if commit == "" {
		commit = c.Head
	}
	now := f.Now()
	rv := &Review{
		ID: f.id(), Author: me.ID, State: state, Commit: commit, Body: body, SubmittedAt: now, UpdatedAt: now,
		Edits: []Edit{{At: now, Editor: me.ID, Text: body}},
		Stale: commit != c.Head && (!f.style.StaleByContent || !f.sameWork(r, c, commit, c.Head)),
	}
	if f.style.ReviewsAreComments {
		rv.Text = f.id()
	}
	c.Requested = slices.DeleteFunc(slices.Clone(c.Requested), func(id int64) bool { return id == me.ID })
	c.Reviews = append(c.Reviews, rv)
	f.announce(Happening{Kind: ReviewHappened, Action: "submitted", Actor: me, Repo: r, Issue: is, Review: rv})
	return rv
}

func (a Actor) onReview(repo string, number int, id int64, fn func(f *Forge, me *Account, r *Repo, is *Issue, rv *Review) error) error {
	return a.onChange(repo, number, Read, func(f *Forge, me *Account, r *Repo, is *Issue, c *Change) error {
		i := slices.IndexFunc(c.Reviews, func(rv *Review) bool { return rv.ID == id })
		if i < 0 {
			return refuse(NotFound, "no review %d", id)
		}
		if c.Reviews[i].Author != me.ID && !f.permission(r, me).AtLeast(Write) {
			return refuse(Forbidden, "%s may not change review %d", me.Login, id)
		}
		return fn(f, me, r, is, c.Reviews[i])
	})
}

// EditReview changes the words of a review.
func (a Actor) EditReview(repo string, number int, id int64, body string) error {
	return a.onReview(repo, number, id, func(f *Forge, me *Account, r *Repo, is *Issue, rv *Review) error {
		f.touch(is)
		was := rv.Body
		rv.Body, rv.UpdatedAt = body, f.Now()
		rv.Edits = append(rv.Edits, Edit{At: f.Now(), Editor: me.ID, Text: body})
		f.announce(Happening{Kind: ReviewHappened, Action: "edited", Actor: me, Repo: r, Issue: is, Review: rv, Was: map[string]string{"body": was}})
		return nil
	})
}

// DismissReview makes an approving or refusing review count no more.
func (a Actor) DismissReview(repo string, number int, id int64, message string) error {
	return a.onReview(repo, number, id, func(f *Forge, me *Account, r *Repo, is *Issue, rv *Review) error {
		if !f.permission(r, me).AtLeast(Write) {
			return refuse(Forbidden, "%s may not dismiss reviews", me.Login)
		}
		if rv.State != Approved && rv.State != ChangesRequested {
			return refuse(Invalid, "Can not dismiss a %s review", rv.State)
		}
		f.dismiss(me, r, is, rv, message)
		return nil
	})
}

func (f *Forge) dismiss(me *Account, r *Repo, is *Issue, rv *Review, message string) {
	f.touch(is)
	rv.WasState, rv.State = rv.State, Dismissed
	rv.DismissedBy, rv.DismissedAt, rv.Dismissal, rv.UpdatedAt = me.ID, f.Now(), message, f.Now()
	f.event(is, IssueEvent{Kind: "review_dismissed", Actor: me.ID, Review: rv.ID})
	f.announce(Happening{Kind: ReviewHappened, Action: "dismissed", Actor: me, Repo: r, Issue: is, Review: rv})
}

// OpenThread begins a conversation on a line of the head and gives its id. It
// comes with a commenting review, as on the forge's pages.
func (a Actor) OpenThread(repo string, number int, path string, line int, body string) (id int64, err error) {
	err = a.onChange(repo, number, Read, func(f *Forge, me *Account, r *Repo, is *Issue, c *Change) error {
		rv := f.review(me, r, is, Commented, "", "")
		f.touch(is)
		now := f.Now()
		t := &Thread{ID: f.id(), Path: path, Line: line, Commit: c.Head}
		note := ReviewComment{
			ID: f.id(), Thread: t.ID, Review: rv.ID, Author: me.ID, Body: body, Path: path, Line: line,
			Commit: c.Head, CreatedAt: now, UpdatedAt: now,
		}
		t.Notes = []ReviewComment{note}
		rv.Notes = append(rv.Notes, note)
		c.Threads = append(c.Threads, t)
		id = t.ID
		f.announce(Happening{Kind: ReviewCommentHappened, Action: "created", Actor: me, Repo: r, Issue: is, Review: rv, Thread: t, ReviewNote: &note})
		return nil
	})
	return id, err
}

func (a Actor) onThread(repo string, number int, id int64, need Permission, fn func(f *Forge, me *Account, r *Repo, is *Issue, t *Thread) error) error {
	return a.onChange(repo, number, need, func(f *Forge, me *Account, r *Repo, is *Issue, c *Change) error {
		i := slices.IndexFunc(c.Threads, func(t *Thread) bool { return t.ID == id })
		if i < 0 {
			return refuse(NotFound, "no thread %d", id)
		}
		return fn(f, me, r, is, c.Threads[i])
	})
}

// ReplyThread adds to a conversation.
func (a Actor) ReplyThread(repo string, number int, id int64, body string) error {
	return a.onThread(repo, number, id, Read, func(f *Forge, me *Account, r *Repo, is *Issue, t *Thread) error {
		rv := f.review(me, r, is, Commented, "", "")
		now := f.Now()
		note := ReviewComment{
			ID: f.id(), Thread: t.ID, Review: rv.ID, Author: me.ID, Body: body, Path: t.Path, Line: t.Line,
			Commit: is.Change.Head, CreatedAt: now, UpdatedAt: now,
		}
		t.Notes = append(t.Notes, note)
		rv.Notes = append(rv.Notes, note)
		f.announce(Happening{Kind: ReviewCommentHappened, Action: "created", Actor: me, Repo: r, Issue: is, Review: rv, Thread: t, ReviewNote: &note})
		return nil
	})
}

// ResolveThread marks a conversation as resolved.
func (a Actor) ResolveThread(repo string, number int, id int64) error {
	return a.resolve(repo, number, id, true)
}

// UnresolveThread opens a conversation again.
func (a Actor) UnresolveThread(repo string, number int, id int64) error {
	return a.resolve(repo, number, id, false)
}

func (a Actor) resolve(repo string, number int, id int64, resolved bool) error {
	return a.onThread(repo, number, id, Write, func(f *Forge, me *Account, r *Repo, is *Issue, t *Thread) error {
		if t.Resolved == resolved {
			return nil
		}
		f.touch(is)
		t.Resolved, t.ResolvedBy = resolved, 0
		action := "unresolved"
		if resolved {
			t.ResolvedBy, action = me.ID, "resolved"
		}
		f.announce(Happening{Kind: ThreadHappened, Action: action, Actor: me, Repo: r, Issue: is, Thread: t})
		return nil
	})
}
