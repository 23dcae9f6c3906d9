package gitlab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"primum/forges"
	"primum/rules/fact"
)

// Decode implements forges.Forge. It calls nobody.
func (f *Forge) Decode(d forges.Delivery) (forges.Event, error) {
	read, known := f.reader(d.Event)
	if !known {
		return forges.Event{Kind: forges.Ignored, Reason: unused(d.Event)}, nil
	}
	if !bytes.HasPrefix(bytes.TrimSpace(d.Body), []byte("{")) {
		return forges.Event{}, fmt.Errorf("%s: no object: %w", d.Event, forges.ErrMalformed)
	}
	var p payload
	if err := json.Unmarshal(d.Body, &p); err != nil {
		return forges.Event{}, fmt.Errorf("%s: %w: %w", d.Event, forges.ErrMalformed, err)
	}
	e, err := read(&p)
	if err != nil {
		return forges.Event{}, fmt.Errorf("%s: %w", d.Event, err)
	}
	if e.Action == "" && p.Object != nil {
		e.Action = p.Object.Action
	}
	if e.Action == "" {
		e.Action = p.Event
	}
	if !e.Actor.Known() && p.User != nil {
		e.Actor = p.User.person()
		e.Actor.Bot = e.Actor.Bot || f.isUs(e.Actor)
	}
	if e.Kind == forges.Ignored {
		return forges.Event{Kind: forges.Ignored, Action: e.Action, Actor: e.Actor, Reason: e.Reason}, nil
	}
	return e, nil
}

type reader func(*payload) (forges.Event, error)

// reader finds what reads an event by its name in the header.
func (f *Forge) reader(event string) (reader, bool) {
	switch event {
	case changeHook:
		return f.changeEvent, true
	case "Note Hook", "Confidential Note Hook":
		return f.noteEvent, true
	case "Issue Hook", "Confidential Issue Hook", "Work Item Hook":
		return f.issueEvent, true
	case "Push Hook":
		return f.pushEvent, true
	case "Pipeline Hook":
		return f.pipelineEvent, true
	case "Job Hook", "Build Hook":
		return f.jobEvent, true
	case "Member Hook":
		return f.memberEvent, true
	case "Subgroup Hook":
		return f.groupEvent, true
	case "Project Hook":
		return f.projectEvent, true
	case "System Hook":
		return f.systemEvent, true
	}
	return nil, false
}

// systemEvent is what an instance tells its administrator's hook: the events of
// projects under one header, and some of its own.
func (f *Forge) systemEvent(p *payload) (forges.Event, error) {
	switch p.Kind {
	case "merge_request":
		return f.changeEvent(p)
	case "push":
		return f.pushEvent(p)
	}
	switch word := p.Event; {
	case word == "push":
		return f.pushEvent(p)
	case word == "":
		return forges.Event{}, missing("event_name")
	case strings.HasPrefix(word, "project_"):
		return f.projectEvent(p)
	case strings.HasPrefix(word, "user_") && (strings.HasSuffix(word, "_team") || strings.HasSuffix(word, "_group")):
		return f.memberEvent(p)
	case strings.HasPrefix(word, "group_"):
		return f.groupEvent(p)
	}
	return ignored(unused(p.Event))
}

func missing(what string) error { return fmt.Errorf("no %s: %w", what, forges.ErrMalformed) }

func ignored(why string) (forges.Event, error) {
	return forges.Event{Kind: forges.Ignored, Reason: why}, nil
}

// unused says why an event is none of ours.
func unused(event string) string {
	switch event {
	case "Tag Push Hook", "tag_push":
		return "tags are not judged"
	case "Emoji Hook":
		return "a reaction changes nothing that is judged"
	case "Resource Access Token Hook":
		return "an access token will expire; replace it in time"
	}
	return "Primum does not listen to " + event
}

// isUs reports whether an account is ours, once that is known.
func (f *Forge) isUs(p fact.Person) bool {
	me := f.self.Load()
	return me != nil && me.Is(p)
}
