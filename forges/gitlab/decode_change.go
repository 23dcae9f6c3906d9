package gitlab

import (
	"strings"

	"primum/forges"
	"primum/rules/fact"
)

// changeEvent reads a Merge Request Hook.
func (f *Forge) changeEvent(p *payload) (forges.Event, error) {
	o := p.Object
	if o == nil || p.Project == nil || p.Project.Path == "" {
		return forges.Event{}, missing("merge request")
	}
	if o.IID <= 0 {
		return forges.Event{}, missing("number")
	}
	e := forges.Event{
		Kind: forges.ChangeEvent, Repo: f.ref(p.Project), Changes: []int{o.IID}, SHA: last(o.LastCommit),
		Branch: o.TargetBranch, At: o.UpdatedAt.Time, UpdatedAt: o.UpdatedAt.Time, Body: o.Description,
		Closed: gone(o.State),
	}
	switch o.Action {
	case "open":
		e.Trigger, e.Pushed = fact.OnOpened, true
	case "close", "reopen", "merge":
		e.Trigger = fact.OnOpened
	case "approved", "approval", "unapproved", "unapproval":
		e.Trigger = fact.OnReviewed
		by := p.User.person()
		if !o.System && by.Known() { // GitLab withdraws approvals itself after a push: by nobody
			e.Approval = &forges.ApprovalSeen{By: by, SHA: e.SHA, Withdrawn: strings.HasPrefix(o.Action, "un")}
		}
		e.Ours = f.isUs(by) // our own approval is our verdict
	case "update":
		e.Trigger = f.updated(p)
		e.Pushed = e.Trigger == fact.OnPushed
		if e.Pushed {
			e.Before = o.OldRev
		}
		e.Ours = e.Trigger == "" && f.isUs(p.User.person())
		if e.Trigger == "" {
			e.Trigger = fact.OnThread // GitLab names no change where all threads were resolved
		}
	case "": // what an external status check sends names no deed
		e.Trigger = fact.OnPushed
	default:
		return ignored("this changes nothing that is judged")
	}
	return e, nil
}

// updated says what an update changed; "" if the delivery does not tell.
func (f *Forge) updated(p *payload) fact.Trigger {
	c := p.Changes
	switch {
	case p.Object.OldRev != "":
		return fact.OnPushed
	case c.any("target_branch"):
		return fact.OnEdited
	case c.any("draft"):
		return fact.OnOpened
	case c.any("title", "description"):
		return fact.OnEdited
	case c.any("labels"):
		return fact.OnLabeled
	case c.any("reviewers"):
		return fact.OnReviewed
	}
	return ""
}

// gone reports whether a change in this state can no longer be merged.
func gone(state string) bool { return state == "closed" || state == "merged" || state == "locked" }

func last(c *struct {
	ID string `json:"id"`
},
) string {
	if c == nil || nullSHA(c.ID) {
		return ""
	}
	return c.ID
}

// noteEvent reads a Note Hook: a comment on a change or an issue.
func (f *Forge) noteEvent(p *payload) (forges.Event, error) {
	o := p.Object
	if o == nil || p.Project == nil || p.Project.Path == "" {
		return forges.Event{}, missing("note")
	}
	if o.System {
		return ignored("GitLab itself wrote it")
	}
	switch o.On {
	case "MergeRequest":
		return f.changeNote(p)
	case "Issue", "WorkItem":
		return f.issueNote(p)
	case "":
		return forges.Event{}, missing("word of what the note is on")
	}
	return ignored("it is on neither a change nor an issue")
}

func (f *Forge) changeNote(p *payload) (forges.Event, error) {
	on := p.Change
	if on == nil || on.IID <= 0 {
		return forges.Event{}, missing("merge request")
	}
	e := forges.Event{
		Kind: forges.ChangeEvent, Trigger: fact.OnCommand, Repo: f.ref(p.Project), Changes: []int{on.IID}, SHA: last(on.LastCommit),
		Branch: on.TargetBranch, UpdatedAt: on.UpdatedAt.Time, Body: on.Description, Closed: gone(on.State),
	}
	f.attach(p, &e, onChange, on)
	switch p.Object.ItemType {
	case "DiffNote":
		e.Trigger, e.Comment.Review = fact.OnThread, true
	case "DiscussionNote":
		if !strings.Contains(e.Comment.Body, "/primum") { // a thread that holds no command
			e.Trigger = fact.OnThread
		}
	}
	return e, nil
}

func (f *Forge) issueNote(p *payload) (forges.Event, error) {
	on := p.Issue
	if on == nil || on.IID <= 0 {
		return forges.Event{}, missing("issue")
	}
	e := forges.Event{Kind: forges.IssueEvent, Trigger: fact.OnIssueWords, Repo: f.ref(p.Project), Issue: on.IID}
	f.attach(p, &e, onIssue, on)
	return e, nil
}

// attach puts the payload's note on an event.
func (f *Forge) attach(p *payload, e *forges.Event, kind rune, on *subject) {
	o := p.Object
	sender := p.User.person()
	author := sender
	if o.AuthorID != 0 && decimal(o.AuthorID) != sender.ID {
		author = fact.Person{ID: decimal(o.AuthorID)}
	}
	e.Actor = sender
	action := forges.CommentCreated
	e.At = o.CreatedAt.Time
	if o.Action == "update" {
		action, e.At = forges.CommentEdited, o.UpdatedAt.Time
		if o.UpdatedBy != 0 && decimal(o.UpdatedBy) != sender.ID { // the payload's user may be the author
			e.Actor = fact.Person{ID: decimal(o.UpdatedBy)}
		}
	}
	author.Bot = author.Bot || f.isUs(author)
	e.Actor.Bot = e.Actor.Bot || f.isUs(e.Actor)
	e.Comment = &forges.CommentSeen{
		ID: noteID(kind, on.IID, decimal(o.ID)), Author: author, Body: o.Text, CreatedAt: o.CreatedAt.Time,
		Previous: p.Changes.previous("note"), Action: action, Ours: f.isUs(author),
		IssueTitle: on.Title, IssueBody: on.Description,
	}
	e.Ours = e.Comment.Ours && f.isUs(e.Actor)
}

// issueEvent reads an Issue Hook, of a work item too.
func (f *Forge) issueEvent(p *payload) (forges.Event, error) {
	o := p.Object
	if o == nil || o.IID <= 0 {
		return forges.Event{}, missing("issue")
	}
	if p.Project == nil || p.Project.Path == "" {
		return ignored("it belongs to a group and to no project")
	}
	switch o.Action {
	case "open", "update", "close", "reopen", "":
	default:
		return ignored("this changes nothing that is judged")
	}
	return forges.Event{
		Kind: forges.IssueEvent, Trigger: fact.OnIssue, Repo: f.ref(p.Project), Issue: o.IID,
		At: o.UpdatedAt.Time, Closed: o.Action == "close",
	}, nil
}
