package judge_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"primum/bot/judge"
	"primum/bot/publish"
	"primum/bot/store"
	"primum/forges"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
)

const simPolicy = `version: 1
product: infusion-pump
class: C
items:
  - {id: dosing, class: C, paths: [fw/dosing/**]}
  - {id: comms, paths: [fw/comms/**]}
  - {id: ui, paths: [ui/**]}
not-device-software: [docs/**, "*.md", .primum.yml]
people:
  developer: [team:firmware]
  verification: [team:test]
  quality: [team:qa]
  risk: [user:chen]
  regulatory: [user:chen]
`

// live is Primum's judging half on the simulated GitHub, through the real
// adapter: what tests mark by hand, intake marks in the service.
type live struct {
	*bench
	rig *simtest.Rig
	n   int
	id  string
}

func newLive(t *testing.T) *live {
	t.Helper()
	rig := simtest.New(t, simtest.Options{})
	b := &bench{t: t, clock: &hands{now: rig.Clock.Now()}}
	log := slogOf(t)
	db, err := store.Open(t.Context(), ":memory:", b.clock, log)
	b.must(err)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	b.db = db
	b.judge = judge.New(judge.Options{
		Store: db, Forges: []forges.Forge{rig.GitHub}, Clock: b.clock, Log: log, Engine: "test",
		Publish: publish.New(publish.Options{Store: db, Clock: b.clock, Log: log, URL: page}),
		Observe: func(j judge.Judged) { b.told = append(b.told, j) },
	})
	l := &live{bench: b, rig: rig}
	_, err = rig.Forge.As("alex").Push(simtest.Repo, "main", sim.NewCommit{Message: "Add the policy", Files: map[string]string{".primum.yml": simPolicy}})
	b.must(err)
	repo, _ := rig.Forge.Repo(simtest.Repo)
	l.id = strconv.FormatInt(repo.ID, 10)
	b.must(db.PutRepo(t.Context(), store.RepoRow{
		Forge: "github", ID: l.id, Owner: "acme", Name: "pump", Default: "main",
		Installation: strconv.FormatInt(rig.Installation.ID, 10),
	}))
	return l
}

// pass lets time go by, at the forge and here: forges keep whole seconds.
func (l *live) pass(d time.Duration) { l.rig.Clock.Advance(d); l.clock.turn(d) }

// typical opens a change of 3 files that names 2 issues.
func (l *live) typical() int {
	l.t.Helper()
	l.n++
	mara := l.rig.Forge.As("mara")
	one, err := mara.OpenIssue(simtest.Repo, "Limit the rate", "### Reason\n\nThe rate can exceed what the motor does.\n")
	l.must(err)
	two, err := mara.OpenIssue(simtest.Repo, "The rate overshoots", "### What happens\n\nIt overshoots.\n")
	l.must(err)
	branch := "topic-" + strconv.Itoa(l.n)
	tip := "\n// " + branch + "\n"
	_, err = mara.Push(simtest.Repo, branch, sim.NewCommit{Message: "Limit the rate", Files: map[string]string{
		"fw/dosing/rate.c": "int rate;" + tip, "fw/comms/link.c": "int up = 1;" + tip, "ui/screen.c": "int b;" + tip,
	}})
	l.must(err)
	n, err := mara.OpenChange(simtest.Repo, sim.NewChange{
		Title: "Limit the rate", Head: branch,
		Body: "Refs #" + strconv.Itoa(one) + ", fixes #" + strconv.Itoa(two),
	})
	l.must(err)
	return n
}

// event marks a change as the delivery of its newest state would.
func (l *live) event(n int, reason string) {
	l.t.Helper()
	change, ok := l.rig.Forge.Issue(simtest.Repo, n)
	if !ok {
		l.t.Fatalf("no change %d", n)
	}
	l.put(store.Mark{
		Key:    store.Key{Forge: "github", RepoID: l.id, Kind: store.KindChange, Ref: strconv.Itoa(n)},
		Reason: reason,
		Hint:   store.Hint{Head: change.Change.Head, Base: "main", UpdatedAt: change.UpdatedAt, Body: change.Body},
	})
	l.run()
}

// TestCallsForOneEventOnGitHub measures law 10 through the real adapter.
func TestCallsForOneEventOnGitHub(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	first := l.typical()
	l.event(first, "opened")
	cold := l.rig.Face.Calls()
	t.Logf("first change of an unknown repository: %d reads, %d writes %v", cold.Reads, cold.Writes, cold.Routes)

	l.rig.Face.ResetCalls()
	n := l.typical()
	l.event(n, "opened")
	opened := l.rig.Face.Calls()
	t.Logf("new change of a known repository: %d reads, %d writes %v", opened.Reads, opened.Writes, opened.Routes)
	if opened.Reads != 1 {
		t.Errorf("a new change took %d reads, want 1: %v", opened.Reads, opened.Routes)
	}

	for _, event := range []struct {
		name string
		do   func() error
	}{
		{"push", func() error {
			_, err := l.rig.Forge.As("mara").Push(simtest.Repo, "topic-2", sim.NewCommit{
				Message: "Clamp", Files: map[string]string{"fw/dosing/rate.c": "int rate = 2;\n"},
			})
			return err
		}},
		{"approval", func() error {
			_, err := l.rig.Forge.As("jonas").Approve(simtest.Repo, n, "")
			return err
		}},
		{"command", func() error {
			_, err := l.rig.Forge.As("jonas").Comment(simtest.Repo, n, "/primum sign reviewed-code")
			return err
		}},
	} {
		name := event.name
		l.pass(time.Minute)
		l.must(event.do())
		l.rig.Face.ResetCalls()
		l.event(n, "reviewed")
		c := l.rig.Face.Calls()
		checks := 0
		for route, k := range c.Routes {
			if strings.Contains(route, "check-runs") {
				checks += k
			}
		}
		t.Logf("%s: %d reads, %d writes %v", name, c.Reads, c.Writes, c.Routes)
		if c.Reads != 1 || checks != 1 || c.Writes > 3 {
			t.Errorf("%s: %d reads, %d check writes, %d writes; want 1, 1, and at most a comment and a reaction more: %v", name, c.Reads, checks, c.Writes, c.Routes)
		}
	}

	l.pass(time.Minute)
	l.rig.Face.ResetCalls()
	l.event(n, "sweep")
	if c := l.rig.Face.Calls(); c.Reads != 1 || c.Writes != 0 {
		t.Errorf("nothing new: %d reads, %d writes; want 1 and none: %v", c.Reads, c.Writes, c.Routes)
	}
}
