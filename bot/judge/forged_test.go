package judge_test

import (
	"strings"
	"testing"
	"time"

	"primum/rules"
	"primum/rules/fact"
)

// newStatusBench is a bench over a forge of commit statuses.
func newStatusBench(t *testing.T) *bench {
	t.Helper()
	f := newFake()
	f.statuses = true
	return newBenchOn(t, f, ":memory:")
}

// Law 4: a green status of our name by somebody else proves nothing. Primum's own
// goes back on top though its verdict is the same, and everybody is told.
func TestAForgedVerdictIsPutBackAndSaid(t *testing.T) {
	t.Parallel()
	b := newStatusBench(t)
	head := b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	if got := b.forge.top(head); got != fact.CheckFailure {
		t.Fatalf("the verdict is %s, want failure", got)
	}
	b.forge.forge(head, "mara", fact.CheckSuccess)
	if got := b.forge.top(head); got != fact.CheckSuccess {
		t.Fatalf("the forged status is not on top: %s", got)
	}
	b.mark(1, "check")
	b.run()
	if got := b.forge.top(head); got != fact.CheckFailure {
		t.Errorf("on top stands %s, want our failure", got)
	}
	v := b.decoded(1)
	if len(v.Notes) != 1 || v.Notes[0].Kind != rules.ForgedVerdict || v.Notes[0].By != "mara" {
		t.Errorf("notes %+v", v.Notes)
	}
	said := b.forge.said(1)
	if len(said) != 1 || !strings.Contains(said[0].body, "`mara` set `primum` on this commit to success on 2026-11-22 at ") {
		t.Errorf("comment: %+v", said)
	}

	// It stands on the head still and is said still, and nothing more is written.
	b.forge.reset()
	b.mark(1, "check")
	b.run()
	if n := b.forge.count("set_verdict") + b.forge.count("put_comment"); n != 0 {
		t.Errorf("%d writes though nothing differs", n)
	}

	// A new head has no forged status, and nothing is said of it.
	b.forge.push(1, 1)
	b.mark(1, "pushed")
	b.run()
	if said := b.forge.said(1); strings.Contains(said[0].body, "set `primum`") {
		t.Error("the forged status of another head is said")
	}
}

// A rule that waits for a check of our own name is not satisfied by a forged one.
func TestAForgedVerdictIsNoCheckOfARule(t *testing.T) {
	t.Parallel()
	b := newStatusBench(t)
	head := b.forge.open(1)
	b.forge.approve(1)
	b.forge.edit(1, func(c *fact.Change) {
		c.Policy.Text = strings.Replace(oneRule, "  verify-checks-green: off\n", "", 1) + "checks: {B: [primum]}\n"
	})
	b.forge.forge(head, "mara", fact.CheckSuccess)
	b.mark(1, "opened")
	b.run()
	if got := b.state(1); got == rules.Pass {
		t.Errorf("the change passes on a forged check: %s", b.verdict(key(1)).Reason)
	}
}

// A check whose source the forge pins cannot be hidden; it is only said.
func TestWhereTheCheckIsPinnedNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	b.forge.forge(head, "mara", fact.CheckSuccess)
	b.forge.reset()
	for range 3 {
		b.mark(1, "check")
		b.run()
	}
	if n := b.forge.count("set_verdict"); n != 1 { // its summary says it
		t.Errorf("%d writes of the check, want the one that says so", n)
	}
}

// A status that is gone from the head is set again: a later pipeline hides it on
// some forges.
func TestAMissingVerdictIsSetAgain(t *testing.T) {
	t.Parallel()
	b := newStatusBench(t)
	head := b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	b.forge.mu.Lock()
	for id := range b.forge.checks {
		delete(b.forge.checks, id)
	}
	b.forge.mu.Unlock()
	b.mark(1, "check")
	b.run()
	if got := b.forge.top(head); got != fact.CheckFailure {
		t.Errorf("on the head stands %q, want our failure again", got)
	}
}

// Two services that both insist do not write at every turn for ever, and the one
// that forges does not win by going on.
func TestAFightOverTheVerdictIsSlowedAndNotGivenUp(t *testing.T) {
	t.Parallel()
	b := newStatusBench(t)
	head := b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	b.forge.reset()
	forge := func() {
		b.forge.forge(head, "other-bot", fact.CheckSuccess)
		b.mark(1, "check")
		b.run()
	}
	for range 25 {
		forge()
		b.clock.turn(time.Second)
	}
	if n := b.forge.count("set_verdict"); n != 10 {
		t.Errorf("%d writes in 25 seconds, want 10", n)
	}
	said := b.forge.said(1)[0].body
	if !strings.Contains(said, "it was put back 10 times within an hour") {
		t.Errorf("the comment does not say so:\n%s", said)
	}
	if got := b.forge.top(head); got != fact.CheckSuccess {
		t.Fatalf("on top stands %s", got)
	}
	comments := b.forge.count("put_comment")
	for range 5 {
		b.clock.turn(time.Minute) // by itself, without a delivery
		b.run()
		if got := b.forge.top(head); got != fact.CheckFailure {
			t.Errorf("a minute later %s stands on top", got)
		}
		forge()
	}
	if n := b.forge.count("put_comment") - comments; n > 5 { // it names the newest time
		t.Errorf("%d writes of the comment for 5 forgeries", n)
	}
	b.clock.turn(time.Minute)
	b.run()
	b.clock.turn(time.Hour)
	b.mark(1, "sweep")
	b.run()
	if got := b.forge.top(head); got != fact.CheckFailure {
		t.Errorf("after the hour %s stands on top", got)
	}
	if said := b.forge.said(1); strings.Contains(said[0].body, "within an hour") {
		t.Error("the comment still says that it is put back once a minute")
	}
}

// Law 6: where no delivery tells of a dismissed review, the sweep finds it, also
// where the listing shows nothing new.
func TestTheSweepFindsWhatASilentForgeDoesNotTell(t *testing.T) {
	t.Parallel()
	for name, silent := range map[string]bool{"silent": true, "telling": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.statuses, f.silent = true, silent
			b := newBenchOn(t, f, ":memory:")
			head := f.open(1)
			f.approve(1)
			b.mark(1, "opened")
			b.run()
			if got := f.top(head); got != fact.CheckSuccess {
				t.Fatalf("the verdict is %s", got)
			}
			f.mu.Lock() // the listing does not show it: the time of last change stays
			f.changes[1].Reviews[0].State = fact.Dismissed
			f.mu.Unlock()
			b.sweep()
			want := fact.CheckFailure
			if !silent { // whoever tells is believed until freshFor is over
				want = fact.CheckSuccess
			}
			if got := f.top(head); got != want {
				t.Errorf("after the sweep %s stands there, want %s", got, want)
			}
		})
	}
}

// A forged status is found by the sweep, and a sweep without news writes nothing.
func TestTheSweepFindsAForgedVerdict(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.statuses, f.silent = true, true
	b := newBenchOn(t, f, ":memory:")
	head := f.open(1)
	b.mark(1, "opened")
	b.run()
	f.forge(head, "mara", fact.CheckSuccess)
	b.sweep()
	if got := f.top(head); got != fact.CheckFailure {
		t.Errorf("after the sweep %s stands on top", got)
	}
	f.reset()
	b.sweep()
	if n := f.count("set_verdict") + f.count("put_comment") + f.count("react"); n != 0 {
		t.Errorf("%d writes of a sweep that found nothing", n)
	}
}

// A sweep of many changes is spread over time instead of asked for at once.
func TestTheSweepOfManyChangesIsSpread(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.statuses, f.silent = true, true
	b := newBenchOn(t, f, ":memory:")
	for n := 1; n <= 60; n++ {
		f.open(n)
		b.mark(n, "opened")
	}
	b.run()
	f.reset()
	b.sweep()
	if n := f.count("read"); n == 0 || n > 30 {
		t.Errorf("%d changes were read at once", n)
	}
	for range 60 {
		b.clock.turn(15 * time.Second)
		b.run()
	}
	if n := f.count("read"); n != 60 {
		t.Errorf("%d changes were read within the interval, want 60", n)
	}
}

// Where no delivery tells of checks, a change that waits for one is looked at by
// itself, soon at first and ever more seldom.
func TestWaitingForChecksThatNoDeliveryTellsOf(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.statuses, f.silent = true, true
	b := newBenchOn(t, f, ":memory:")
	head := f.open(1)
	f.approve(1)
	f.edit(1, func(c *fact.Change) {
		c.Policy.Text = strings.Replace(oneRule, "  verify-checks-green: off\n", "", 1) + "checks: {B: [build]}\n"
		c.UpdatedAt = b.clock.Now()
	})
	b.mark(1, "opened")
	b.run()
	if got := f.top(head); got != fact.CheckPending {
		t.Fatalf("the verdict is %s", got)
	}
	f.reset()
	for range 60 { // an hour
		b.clock.turn(time.Minute)
		b.run()
	}
	if n := f.count("read"); n < 5 || n > 25 {
		t.Errorf("read %d times in an hour of waiting", n)
	}
	if n := f.count("set_verdict"); n != 0 {
		t.Errorf("%d writes while nothing came", n)
	}
	f.mu.Lock()
	f.changes[1].Checks = []fact.Check{{Name: "build", Source: "ci", State: fact.CheckSuccess}}
	f.mu.Unlock()
	b.clock.turn(15 * time.Minute)
	b.run()
	if got := f.top(head); got != fact.CheckSuccess {
		t.Errorf("the verdict is %s after the check came", got)
	}
	f.reset()
	b.clock.turn(time.Hour)
	b.run()
	if n := f.count("read"); n != 0 {
		t.Errorf("read %d times though nothing is waited for", n)
	}
}

// Two changes on one commit do not rewrite each other's status by turns.
func TestSiblingsLeaveAStatusThatSaysTheSame(t *testing.T) {
	t.Parallel()
	b := newStatusBench(t)
	head := b.forge.open(1)
	b.forge.open(2)
	b.forge.edit(2, func(c *fact.Change) {
		c.Head.SHA = head
		c.Commits = []fact.Commit{commitOf(head)}
	})
	for n := 1; n <= 2; n++ {
		b.mark(n, "opened")
		b.run()
	}
	b.forge.reset()
	for range 5 {
		b.mark(1, "check")
		b.run()
		b.mark(2, "check")
		b.run()
	}
	if n := b.forge.count("set_verdict"); n > 1 {
		t.Errorf("%d writes though nothing differs", n)
	}
	b.forge.approve(1)
	b.mark(1, "reviewed")
	b.run()
	if got := b.forge.top(head); got != fact.CheckFailure {
		t.Errorf("on the commit stands %s, and change 2 fails", got)
	}
	b.forge.approve(2)
	b.mark(2, "reviewed")
	b.run()
	b.mark(1, "check")
	b.run()
	if got := b.forge.top(head); got != fact.CheckSuccess {
		t.Errorf("on the commit stands %s, and both pass", got)
	}
}

// Who set our check stays said while that commit is the head, also on a forge
// that shows only the newest check of a name.
func TestAForgedVerdictThatIsHiddenAgainStaysSaid(t *testing.T) {
	t.Parallel()
	b := newStatusBench(t)
	head := b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	for _, by := range []string{"mara", "sam", "mara"} {
		b.forge.forge(head, by, fact.CheckSuccess)
		b.mark(1, "check")
		b.run()
		b.forge.mu.Lock()
		delete(b.forge.others, head)
		b.forge.mu.Unlock()
		b.mark(1, "check")
		b.run()
	}
	var by []string
	for _, n := range b.decoded(1).Notes {
		by = append(by, n.By)
	}
	if got := strings.Join(by, " "); got != "sam mara" { // the newest of each, oldest first
		t.Errorf("said are %q", got)
	}
	b.forge.push(1, 1)
	b.mark(1, "pushed")
	b.run()
	if n := len(b.decoded(1).Notes); n != 0 {
		t.Errorf("%d notes on a new head", n)
	}
}
