package intake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"primum/bot/report"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// Known is what Plan may use beside the event.
type Known struct {
	Now time.Time
	// Settle is how long after a judgement began the next one of the same
	// subject waits, so that a burst is judged together.
	Settle time.Duration
	// Files are paths and globs the policy names, if known.
	Files []string
}

// Plan says what a delivery leads to: which subjects it marks, or why none. It
// is pure and asks nobody. Forge, ID, Header, Body and ReceivedAt of the result
// are the caller's to fill in.
func Plan(e forges.Event, known Known) store.Inbound {
	in := store.Inbound{Forge: e.Repo.Forge, Action: e.Action}
	switch {
	case e.Kind == forges.Ignored:
		in.Dropped = "ignored: " + e.Reason
	case e.Ours:
		in.Dropped = "ours: made by Primum itself"
	default:
		p := planner{event: e, known: known, in: &in}
		p.plan()
	}
	return in
}

// planner fills one Inbound.
type planner struct {
	event forges.Event
	known Known
	in    *store.Inbound
}

func (p planner) plan() {
	e := p.event
	if p.needsRepo() && e.Repo.ID == "" {
		p.in.Dropped = "malformed: no repository id"
		return
	}
	if e.Repo.ID != "" {
		p.in.Repos = append(p.in.Repos, row(e.Repo, e.Removed && e.Kind == forges.RepoEvent))
	}
	switch e.Kind {
	case forges.ChangeEvent:
		p.change()
	case forges.IssueEvent:
		p.issue()
	case forges.CheckEvent:
		p.check()
	case forges.QueueEvent:
		p.queue()
	case forges.PushEvent:
		p.push()
	case forges.PeopleEvent:
		p.fan(store.Fan{Owner: e.Owner, All: true})
	case forges.RepoEvent:
		if !e.Removed {
			p.fan(store.Fan{RepoID: e.Repo.ID, All: true})
		}
	case forges.InstallationEvent:
		p.installation()
	case forges.Ignored:
	}
}

// needsRepo reports whether the event is about one repository.
func (p planner) needsRepo() bool {
	return p.event.Kind != forges.PeopleEvent && p.event.Kind != forges.InstallationEvent
}

// change marks the changes an event is about. A comment counts if it holds or
// held a command, or is our own: what people say otherwise is not judged.
func (p planner) change() {
	e := p.event
	trigger, why := p.spoken()
	if why != "" {
		p.in.Dropped = why
		return
	}
	reason := string(trigger)
	if asksAnew(e.Comment) {
		reason = store.RequestBy(e.Actor.Login)
	}
	for _, n := range e.Changes {
		p.mark(store.Mark{
			Key: p.key(store.KindChange, strconv.Itoa(n)), Reason: reason, Settle: p.known.Settle,
			Closed: e.Closed, IfKnown: e.Closed,
			Hint: store.Hint{Head: e.SHA, Base: e.Branch, UpdatedAt: e.UpdatedAt, Body: e.Body},
		})
	}
	p.remember(e.SHA)
	if e.Pushed {
		p.pushed()
	}
	if e.Approval != nil {
		p.approved()
	}
}

// asksAnew reports whether a comment is the command that asks for everything to
// be read anew, which is the button of forges that have none.
func asksAnew(c *forges.CommentSeen) bool {
	if c == nil || c.Ours || c.Action != forges.CommentCreated {
		return false
	}
	k, ok := evidence.ParseCommand(c.Body)
	return ok && k.Name == "recheck" && k.Wrong == ""
}

// approved keeps on which commit an approval was given, or that it was taken
// back: some forges tell it in this delivery and never again (law 3).
func (p planner) approved() {
	e := p.event
	at := e.At
	if at.IsZero() {
		at = p.known.Now
	}
	for _, n := range e.Changes {
		if seen, ok := store.Approved(e.Repo.Forge, e.Repo.ID, n, e.Approval.By, e.Approval.SHA, e.Approval.Withdrawn, at); ok {
			p.in.Seen = append(p.in.Seen, seen)
		}
	}
}

// pushed keeps who brought the head: whatever names its commits carry, that
// person is an author of the change (law 4).
func (p planner) pushed() {
	e := p.event
	at := e.At
	if at.IsZero() {
		at = p.known.Now
	}
	if seen, ok := store.Pushed(e.Repo.Forge, e.Repo.ID, e.SHA, e.Actor, at); ok {
		p.in.Seen = append(p.in.Seen, seen)
	}
}

func (p planner) issue() {
	trigger, why := p.spoken()
	if why != "" {
		p.in.Dropped = why
		return
	}
	e := p.event
	p.fan(store.Fan{RepoID: e.Repo.ID, Issue: fmt.Sprintf("%s#%d", e.Repo.FullName(), e.Issue), Reason: string(trigger)})
	p.remember("")
}

// check looks for what has the commit as its head. A button is obeyed at once,
// also on a change not seen before.
func (p planner) check() {
	e := p.event
	f := store.Fan{RepoID: e.Repo.ID, Head: e.SHA}
	if e.Request == nil {
		// A check of our own name that is not ours concerns whoever judged the
		// commit, whatever its rules look at.
		if e.Check != nil && e.Check.Name != report.Name {
			f.Check = e.Check.Name
		}
		p.fan(f)
		return
	}
	f.Reason = store.RequestBy(e.Actor.Login)
	p.atOnce(f)
	for _, n := range e.Changes {
		p.mark(store.Mark{Key: p.key(store.KindChange, strconv.Itoa(n)), Reason: f.Reason})
	}
}

// queue marks a merge queue candidate: it is there once, so it never waits.
func (p planner) queue() {
	e := p.event
	if e.Queue == nil {
		p.in.Dropped = "malformed: no merge queue candidate"
		return
	}
	detail, err := json.Marshal(e.Queue)
	if err != nil { // strings only
		p.in.Dropped = "malformed: " + err.Error()
		return
	}
	p.mark(store.Mark{
		Key: p.key(store.KindQueue, e.Queue.Head), Reason: string(e.Trigger), Closed: e.Closed, IfKnown: e.Closed,
		Hint: store.Hint{Head: e.Queue.Head, Base: e.Queue.Branch, Detail: detail},
	})
}

// push marks the changes that target the branch, if the push moved the policy
// or a file it names, or does not tell what it moved.
func (p planner) push() {
	e := p.event
	if e.Paths != nil && !slices.ContainsFunc(e.Paths, p.governs) {
		p.in.Dropped = "irrelevant: the push touches neither the policy nor a file it names"
		return
	}
	p.fan(store.Fan{RepoID: e.Repo.ID, Branch: e.Branch, Reason: string(fact.OnPolicy)})
}

func (p planner) governs(path string) bool {
	return path == policy.Path || slices.ContainsFunc(p.known.Files, func(pattern string) bool {
		return doublestar.MatchUnvalidated(pattern, path)
	})
}

// installation reads repositories that came, and forgets those that went. An
// event that names none has the forge asked.
func (p planner) installation() {
	e := p.event
	for _, r := range e.Repos {
		if r.ID == "" {
			continue
		}
		p.in.Repos = append(p.in.Repos, row(r, e.Removed))
		if !e.Removed {
			p.mark(store.Mark{Key: store.Key{Forge: e.Repo.Forge, RepoID: r.ID, Kind: store.KindRepo}, Reason: string(e.Trigger)})
		}
	}
	if len(e.Repos) > 0 {
		return
	}
	p.mark(store.Mark{Key: store.Key{Forge: e.Repo.Forge, Kind: store.KindForge}, Reason: string(e.Trigger)})
	if e.Removed && e.Owner != "" { // each finds out for itself that it is out of reach
		p.fan(store.Fan{Owner: e.Owner, All: true})
	}
}

// spoken gives the trigger of an event that may carry a comment; why is set if
// nothing can come of it.
func (p planner) spoken() (trigger fact.Trigger, why string) {
	e := p.event
	trigger = e.Trigger
	if c := e.Comment; c != nil {
		command := evidence.IsCommand(c.Body) || evidence.IsCommand(c.Previous)
		switch {
		case command && e.Kind == forges.IssueEvent:
			return fact.OnIssueWords, ""
		case command, c.Ours && c.Action != forges.CommentCreated: // somebody touched our comment
			return fact.OnCommand, ""
		case trigger == fact.OnCommand, trigger == fact.OnIssueWords:
			return "", "irrelevant: the comment holds no command"
		}
	}
	if e.Request == nil && !matters(trigger) {
		return "", "irrelevant: no rule looks at " + string(trigger)
	}
	return trigger, ""
}

// matters reports whether any rule can answer differently after a trigger. A
// policy may switch on what ships switched off, so every rule counts.
func matters(t fact.Trigger) bool {
	if rules.Triggers(nil)[t] {
		return true
	}
	return slices.ContainsFunc(rules.All(), func(r rules.Rule) bool { return slices.Contains(r.Triggers, t) })
}

// remember keeps a command as first posted (law 4). Of a comment first met
// edited, what it said first is not known, even if the payload holds the text
// before this edit: that may itself be an edit, by anybody.
func (p planner) remember(head string) {
	c := p.event.Comment
	if c == nil || c.Ours || c.ID == "" || c.Action == forges.CommentDeleted {
		return
	}
	seen := store.SeenComment{Forge: p.event.Repo.Forge, RepoID: p.event.Repo.ID, CommentID: c.ID, At: p.known.Now}
	switch {
	case c.Action == forges.CommentCreated && evidence.IsCommand(c.Body):
		seen.First, seen.Known, seen.Head = c.Body, true, head
		if p.event.Kind == forges.IssueEvent {
			// On a change the text is not what a command speaks of: see
			// rules.WaiverSubject for what an approval there binds to.
			seen.Subject = fact.TextDigest(c.IssueTitle, c.IssueBody)
		}
		if !c.CreatedAt.IsZero() {
			seen.At = c.CreatedAt
		}
	case c.Action == forges.CommentEdited && (evidence.IsCommand(c.Body) || evidence.IsCommand(c.Previous)):
		seen.First = c.Previous
	default:
		return
	}
	p.in.Seen = append(p.in.Seen, seen)
}

func (p planner) key(kind store.Kind, ref string) store.Key {
	return store.Key{Forge: p.event.Repo.Forge, RepoID: p.event.Repo.ID, Kind: kind, Ref: ref}
}

func (p planner) mark(m store.Mark) { p.in.Marks = append(p.in.Marks, m) }

// fan adds a fan that settles with the burst it is part of.
func (p planner) fan(f store.Fan) {
	f.Settle = p.known.Settle
	p.atOnce(f)
}

func (p planner) atOnce(f store.Fan) {
	f.Forge = p.event.Repo.Forge
	if f.Reason == "" {
		f.Reason = string(p.event.Trigger)
	}
	p.in.Fans = append(p.in.Fans, f)
}

func row(r forges.RepoRef, gone bool) store.RepoRow {
	return store.RepoRow{
		Forge: r.Forge, ID: r.ID, Owner: r.Owner, Name: r.Name, Installation: r.Installation,
		Private: r.Private, Default: r.Default, Gone: gone,
	}
}
