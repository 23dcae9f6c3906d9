package gitea

import (
	"encoding/json"
	"fmt"
	"strings"

	"primum/forges"
	"primum/forges/wire"
)

// Decode implements forges.Forge. It calls nobody. It goes by the event's type,
// which is precise: the event "pull_request_comment" is a review, the type
// "pull_request_comment" a plain comment. Neither a review's payload nor a
// label's says all: what they concern is read anew.
func (f *Forge) Decode(d forges.Delivery) (forges.Event, error) {
	read, known := map[string]func(*payload) (forges.Event, error){
		"pull_request":                 f.pullEvent,
		"pull_request_sync":            f.pullEvent,
		"pull_request_label":           f.pullEvent,
		"pull_request_milestone":       f.pullEvent,
		"pull_request_assign":          f.pullEvent,
		"pull_request_review_request":  f.pullEvent,
		"pull_request_review_approved": f.reviewEvent,
		"pull_request_review_rejected": f.reviewEvent,
		"pull_request_review_comment":  f.reviewEvent,
		"pull_request_comment":         f.commentEvent,
		"issue_comment":                f.commentEvent,
		"issues":                       f.issueEvent,
		"issue_label":                  f.issueEvent,
		"issue_milestone":              f.issueEvent,
		"issue_assign":                 f.issueEvent,
		"status":                       f.statusEvent,
		"workflow_run":                 f.workflowEvent,
		"workflow_job":                 f.workflowEvent,
		"action_run_success":           f.runEvent,
		"action_run_failure":           f.runEvent,
		"action_run_recover":           f.runEvent,
		"push":                         f.pushEvent,
		"delete":                       f.deleteEvent,
		"repository":                   f.repositoryEvent,
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
	e.Actor = f.person(p.Sender)
	return e, nil
}

// unused says why an event is none of ours.
func unused(event string) string {
	switch event {
	case "create":
		return "a push tells of new branches"
	case "fork", "release", "wiki", "package":
		return "this changes nothing that is judged"
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
