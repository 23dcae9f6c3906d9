package github

import (
	"encoding/json"
	"fmt"
	"strings"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// Decode implements forges.Forge. It calls nobody. What a payload says is a
// hint: it names what is concerned, and what its own text was at that moment.
func (f *Forge) Decode(d forges.Delivery) (forges.Event, error) {
	read, known := map[string]func(*payload) (forges.Event, error){
		"pull_request":                f.pullRequestEvent,
		"pull_request_review":         f.reviewEvent,
		"pull_request_review_comment": f.reviewCommentEvent,
		"pull_request_review_thread":  f.threadEvent,
		"issue_comment":               f.commentEvent,
		"issues":                      f.issueEvent,
		"label":                       f.labelEvent,
		"check_run":                   f.checkRunEvent,
		"check_suite":                 f.checkSuiteEvent,
		"status":                      f.statusEvent,
		"merge_group":                 f.mergeGroupEvent,
		"push":                        f.pushEvent,
		"installation":                f.installationEvent,
		"installation_repositories":   f.repositoriesEvent,
		"repository":                  f.repositoryEvent,
		"public":                      f.repositoryEvent,
		"member":                      f.peopleEvent,
		"membership":                  f.peopleEvent,
		"team":                        f.peopleEvent,
		"team_add":                    f.peopleEvent,
		"organization":                f.peopleEvent,
	}[d.Event]
	if !known {
		return forges.Event{Kind: forges.Ignored, Reason: unused(d.Event)}, nil
	}
	var p payload
	if err := json.Unmarshal(d.Body, &p); err != nil {
		return forges.Event{}, fmt.Errorf("decode %s: %w: %w", d.Event, forges.ErrMalformed, err)
	}
	e, err := read(&p)
	if err != nil {
		return forges.Event{}, fmt.Errorf("decode %s %s: %w", d.Event, wire.Short(p.Action, 40), err)
	}
	e.Action = strings.TrimSpace(d.Event + " " + wire.Short(p.Action, 40))
	e.Actor = p.Sender.person()
	return e, nil
}

// unused says why an event is none of ours.
func unused(event string) string {
	switch event {
	case "ping":
		return "the webhook works"
	case "branch_protection_rule", "repository_ruleset":
		return "protection of branches is not judged"
	case "sub_issues", "issue_dependencies":
		return "parts and dependencies of issues are not judged"
	case "workflow_run", "workflow_job":
		return "their check runs say the same"
	}
	return "Primum does not use this event"
}

// missing: a payload without the part its event is about.
func missing(part string) error {
	return fmt.Errorf("%w: no %s", forges.ErrMalformed, part)
}

func ignored(reason string) (forges.Event, error) {
	return forges.Event{Kind: forges.Ignored, Reason: reason}, nil
}

// ourApp reports whether an app is ours, and learns our name from it.
func (f *Forge) ourApp(a *application) bool {
	if a == nil || !f.app() || a.ID != f.AppID {
		return false
	}
	if a.Slug != "" && f.slug.Load() == nil {
		f.slug.Store(&a.Slug)
	}
	return true
}

// ourAccount reports whether an account is our app's, as far as we know its name.
func (f *Forge) ourAccount(p fact.Person) bool {
	slug := f.slug.Load()
	return slug != nil && p.Login == *slug+botSuffix
}

// seen is a comment of a payload.
func (f *Forge) seen(p *payload, r *remark, action forges.CommentAction) *forges.CommentSeen {
	c := &forges.CommentSeen{
		ID: decimal(r.ID), Author: r.User.person(), Body: r.Body, CreatedAt: r.CreatedAt.Time, Action: action,
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = r.SubmittedAt.Time
	}
	if action == forges.CommentEdited && p.Changes.Body != nil {
		c.Previous = p.Changes.Body.From
	}
	c.Ours = f.ourApp(r.App) || f.ourAccount(c.Author)
	return c
}

// byUs reports whether the sender is the author of a comment of ours: we wrote
// it or edited it. Anybody else who edits it is not us.
func byUs(c *forges.CommentSeen, sender fact.Person) bool {
	return c.Ours && sender.Bot && sender.Is(c.Author)
}

// commentAction gives our word for what happened to a comment; "" for all that
// leaves its text as it was (pinned, hidden).
func commentAction(action string) forges.CommentAction {
	switch action {
	case "created", "submitted":
		return forges.CommentCreated
	case "edited":
		return forges.CommentEdited
	case "deleted":
		return forges.CommentDeleted
	}
	return ""
}
