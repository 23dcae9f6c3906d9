package github

import (
	"strconv"
	"strings"

	"primum/forges"
	"primum/rules/fact"
)

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

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
		Kind: forges.ChangeEvent, Trigger: trigger, Repo: f.ref(p, p.Repository),
		Changes: []int{number}, SHA: pr.Head.SHA, Branch: pr.Base.Ref, At: pr.UpdatedAt.Time,
		UpdatedAt: pr.UpdatedAt.Time, Body: pr.Body, Closed: pr.State == "closed",
	}, nil
}

func (f *Forge) pullRequestEvent(p *payload) (forges.Event, error) {
	var trigger fact.Trigger
	switch p.Action {
	case "opened", "reopened", "ready_for_review", "converted_to_draft", "closed":
		trigger = fact.OnOpened
	case "synchronize":
		trigger = fact.OnPushed
	case "edited":
		trigger = fact.OnEdited
	case "labeled", "unlabeled":
		trigger = fact.OnLabeled
	default:
		return ignored("this changes nothing that is judged")
	}
	e, err := f.onChange(p, trigger)
	e.Pushed = p.Action == "opened" || p.Action == "synchronize"
	if p.Action == "synchronize" {
		e.Before = p.Before
	}
	return e, err
}

func (f *Forge) reviewEvent(p *payload) (forges.Event, error) {
	e, err := f.onChange(p, fact.OnReviewed)
	if err != nil {
		return e, err
	}
	if p.Review == nil {
		return e, missing("review")
	}
	if at := p.Review.SubmittedAt.Time; p.Action == "submitted" && !at.IsZero() {
		e.At = at
	}
	if action := commentAction(p.Action); action != "" && (p.Review.Body != "" || action == forges.CommentEdited) {
		f.attach(p, &e, p.Review, action)
		e.Comment.Review = true
	}
	return e, nil
}

func (f *Forge) reviewCommentEvent(p *payload) (forges.Event, error) {
	e, err := f.onChange(p, fact.OnThread)
	if err != nil {
		return e, err
	}
	if p.Comment == nil {
		return e, missing("comment")
	}
	action := commentAction(p.Action)
	if action == "" {
		return ignored("the text stays as it was")
	}
	f.attach(p, &e, p.Comment, action)
	e.Comment.Review = true
	e.Comment.ID = reviewCommentPrefix + e.Comment.ID
	return e, nil
}

// attach puts the payload's comment on an event about a pull request.
func (f *Forge) attach(p *payload, e *forges.Event, r *remark, action forges.CommentAction) {
	e.Comment = f.seen(p, r, action)
	e.Comment.IssueTitle, e.Comment.IssueBody = p.PullRequest.Title, p.PullRequest.Body
	e.Ours = byUs(e.Comment, p.Sender.person())
}

func (f *Forge) threadEvent(p *payload) (forges.Event, error) {
	if p.Action != "resolved" && p.Action != "unresolved" {
		return ignored("this changes nothing that is judged")
	}
	return f.onChange(p, fact.OnThread)
}

// onIssue is an event about the payload's issue.
func (f *Forge) onIssue(p *payload, trigger fact.Trigger) (forges.Event, error) {
	if p.Issue == nil || p.Issue.Number <= 0 || p.Repository == nil {
		return forges.Event{}, missing("issue")
	}
	return forges.Event{
		Kind: forges.IssueEvent, Trigger: trigger, Repo: f.ref(p, p.Repository),
		Issue: p.Issue.Number, At: p.Issue.UpdatedAt.Time,
	}, nil
}

func (f *Forge) commentEvent(p *payload) (forges.Event, error) {
	e, err := f.onIssue(p, fact.OnIssueWords)
	if err != nil {
		return e, err
	}
	if p.Comment == nil {
		return e, missing("comment")
	}
	action := commentAction(p.Action)
	if action == "" {
		return ignored("the text stays as it was")
	}
	e.Comment = f.seen(p, p.Comment, action)
	e.Comment.IssueTitle, e.Comment.IssueBody = p.Issue.Title, p.Issue.Body
	e.Ours = byUs(e.Comment, p.Sender.person())
	switch at := p.Comment.UpdatedAt.Time; {
	case action == forges.CommentCreated:
		e.At = e.Comment.CreatedAt
	case !at.IsZero():
		e.At = at
	}
	if p.Issue.isChange() {
		e.Kind, e.Trigger, e.Issue = forges.ChangeEvent, fact.OnCommand, 0
		e.Changes, e.Body = []int{p.Issue.Number}, p.Issue.Body
	}
	return e, nil
}

func (f *Forge) issueEvent(p *payload) (forges.Event, error) {
	switch p.Action {
	case "opened", "edited", "closed", "reopened", "deleted", "transferred", "labeled", "unlabeled",
		"milestoned", "demilestoned", "typed", "untyped":
		e, err := f.onIssue(p, fact.OnIssue)
		e.Closed = p.Action == "closed"
		return e, err
	}
	return ignored("this changes nothing that is judged")
}

// labelEvent: a label renamed or deleted is renamed or deleted on every change
// and issue of the repository, without an event for any of them.
func (f *Forge) labelEvent(p *payload) (forges.Event, error) {
	if p.Action != "deleted" && (p.Action != "edited" || p.Changes.Label == nil) {
		return ignored("no change or issue has another label by this")
	}
	if p.Repository == nil {
		return forges.Event{}, missing("repository")
	}
	return forges.Event{Kind: forges.RepoEvent, Trigger: fact.OnLabeled, Repo: f.ref(p, p.Repository)}, nil
}

// short names of refs.
const (
	branchPrefix = "refs/heads/"
	queuePrefix  = "gh-readonly-queue/"
)

func branchOf(ref string) string { return strings.TrimPrefix(ref, branchPrefix) }
