package gitea

import (
	"primum/forges"
	"primum/rules/fact"
)

// onChange is an event about the payload's pull request.
func (f *Forge) onChange(p *payload, trigger fact.Trigger) (forges.Event, error) {
	pr := p.PullRequest
	if pr == nil || p.Repository == nil {
		return forges.Event{}, missing("pull request")
	}
	number := pr.Number
	if number == 0 {
		number = p.Number
	}
	if number <= 0 {
		return forges.Event{}, missing("number")
	}
	return forges.Event{
		Kind: forges.ChangeEvent, Trigger: trigger, Repo: f.ref(p.Repository),
		Changes: []int{number}, SHA: pr.Head.SHA, Branch: pr.Base.Ref, At: pr.UpdatedAt.Time,
		UpdatedAt: pr.UpdatedAt.Time, Body: pr.Body, Closed: pr.State == "closed",
	}, nil
}

func (f *Forge) pullEvent(p *payload) (forges.Event, error) {
	var trigger fact.Trigger
	switch p.Action {
	case "opened", "reopened", "closed":
		trigger = fact.OnOpened
	case "synchronized":
		trigger = fact.OnPushed
	case "edited": // a title that becomes or ceases to be a draft's, and a new target too
		trigger = fact.OnEdited
	case "label_updated", "label_cleared":
		trigger = fact.OnLabeled
	default:
		return ignored("this changes nothing that is judged")
	}
	e, err := f.onChange(p, trigger)
	e.Pushed = p.Action == "opened" || p.Action == "synchronized"
	return e, err
}

// reviewEvent has neither the review's id nor the commit it was given on; both
// are read. Its words therefore cannot be told from those of another review
// here, and a command in them is found by reading.
func (f *Forge) reviewEvent(p *payload) (forges.Event, error) {
	if p.Action != "reviewed" && p.Action != "" {
		return ignored("this changes nothing that is judged")
	}
	e, err := f.onChange(p, fact.OnReviewed)
	if err != nil {
		return e, err
	}
	if p.Review == nil {
		return e, missing("review")
	}
	return e, nil
}

// commentEvent is a comment on an issue or on a change. Forgejo's lacks the
// pull request, whose head is then read.
func (f *Forge) commentEvent(p *payload) (forges.Event, error) {
	if p.Issue == nil || p.Issue.Number <= 0 || p.Repository == nil {
		return forges.Event{}, missing("issue")
	}
	if p.Comment == nil || p.Comment.ID <= 0 {
		return forges.Event{}, missing("comment")
	}
	c := &forges.CommentSeen{
		ID: decimal(p.Comment.ID), Author: f.person(p.Comment.User), Body: p.Comment.Body, CreatedAt: p.Comment.CreatedAt.Time,
		IssueTitle: p.Issue.Title, IssueBody: p.Issue.Body,
	}
	switch p.Action {
	case "created":
		c.Action = forges.CommentCreated
	case "edited":
		c.Action = forges.CommentEdited
		if p.Changes.Body != nil {
			c.Previous = *p.Changes.Body
		}
	case "deleted":
		c.Action = forges.CommentDeleted
	default:
		return ignored("the text stays as it was")
	}
	c.Ours = f.ours(c.Author)
	e := forges.Event{
		Kind: forges.IssueEvent, Trigger: fact.OnIssueWords, Repo: f.ref(p.Repository), Issue: p.Issue.Number,
		At: p.Comment.UpdatedAt.Time, Comment: c,
		// We wrote it or edited it. Anybody else who edits it is not us.
		Ours: c.Ours && f.ours(p.Sender.person()),
	}
	if c.Action == forges.CommentCreated || e.At.IsZero() {
		e.At = c.CreatedAt
	}
	if p.IsPull || p.Issue.isChange() || p.PullRequest != nil || p.Comment.PullURL != "" {
		e.Kind, e.Trigger, e.Issue = forges.ChangeEvent, fact.OnCommand, 0
		e.Changes, e.Body = []int{p.Issue.Number}, p.Issue.Body
		if pr := p.PullRequest; pr != nil {
			e.SHA, e.Branch = pr.Head.SHA, pr.Base.Ref
		}
	}
	return e, nil
}

func (f *Forge) issueEvent(p *payload) (forges.Event, error) {
	switch p.Action {
	case "opened", "edited", "closed", "reopened", "deleted", "label_updated", "label_cleared", "milestoned", "demilestoned":
	default:
		return ignored("this changes nothing that is judged")
	}
	if p.Issue == nil || p.Issue.Number <= 0 || p.Repository == nil {
		return forges.Event{}, missing("issue")
	}
	return forges.Event{
		Kind: forges.IssueEvent, Trigger: fact.OnIssue, Repo: f.ref(p.Repository),
		Issue: p.Issue.Number, At: p.Issue.UpdatedAt.Time, Closed: p.Action == "closed",
	}, nil
}
