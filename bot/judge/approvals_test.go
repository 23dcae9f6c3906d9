package judge_test

import (
	"testing"
	"time"

	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
)

// saw is what intake keeps of a delivery that tells of an approval.
func (b *bench) saw(by fact.Person, sha string, withdrawn bool, at time.Time) {
	b.t.Helper()
	seen, ok := store.Approved("fake", "R1", 1, by, sha, withdrawn, at)
	if !ok {
		b.t.Fatal("the approval is not kept")
	}
	b.must(b.db.Remember(b.t.Context(), []store.SeenComment{seen}))
}

// nameless adds chen's approval as a forge shows it that does not tell the commit;
// commit is what its adapter could work out.
func (f *fake) nameless(at time.Time, commit string) {
	f.edit(1, func(c *fact.Change) {
		c.Reviews = []fact.Review{{ID: "approval-2", Author: chen, State: fact.Approved, Commit: commit, SubmittedAt: at}}
	})
}

// Law 3 where the forge tells on which commit an approval was given in the
// delivery and never again.
func TestAnApprovalCountsForTheCommitItWasSeenOn(t *testing.T) {
	t.Parallel()
	when := start.Add(time.Minute)
	tests := map[string]struct {
		play func(b *bench, head string)
		want rules.Outcome
	}{
		"seen on the head": {func(b *bench, head string) {
			b.saw(chen, head, false, when.Add(time.Second))
			b.forge.nameless(when, "")
		}, rules.Pass},
		"seen on the head, and the forge tells no time": {func(b *bench, head string) {
			b.saw(chen, head, false, when)
			b.forge.nameless(time.Time{}, "")
		}, rules.Pass},
		"never seen": {func(b *bench, _ string) { b.forge.nameless(when, "") }, rules.Fail},
		"seen of somebody else": {func(b *bench, head string) {
			b.saw(priya, head, false, when)
			b.forge.nameless(when, "")
		}, rules.Fail},
		"seen, then a push": {func(b *bench, head string) {
			b.saw(chen, head, false, when)
			b.forge.nameless(when, "")
			b.forge.push(1, 1)
		}, rules.Fail},
		"seen, a push, and given anew unseen": {func(b *bench, head string) {
			b.saw(chen, head, false, when)
			b.forge.push(1, 1)
			b.forge.nameless(when.Add(time.Hour), "")
		}, rules.Fail},
		"seen, a push, and seen anew": {func(b *bench, head string) {
			b.saw(chen, head, false, when)
			b.saw(chen, b.forge.push(1, 1), false, when.Add(time.Hour))
			b.forge.nameless(when.Add(time.Hour), "")
		}, rules.Pass},
		"the older delivery comes later": {func(b *bench, head string) {
			b.saw(chen, b.forge.push(1, 1), false, when.Add(time.Hour))
			b.saw(chen, head, false, when)
			b.forge.nameless(when.Add(time.Hour), "")
		}, rules.Pass},
		"taken back, and the forge still shows it": {func(b *bench, head string) {
			b.saw(chen, head, false, when)
			b.saw(chen, head, true, when.Add(time.Minute))
			b.forge.nameless(when, "")
		}, rules.Fail},
		"taken back, and given anew unseen on a commit the adapter proves": {func(b *bench, head string) {
			b.saw(chen, head, true, when)
			b.forge.nameless(when.Add(time.Hour), head)
		}, rules.Pass},
		"the adapter says the head, the delivery an older one": {func(b *bench, head string) {
			b.saw(chen, head, false, when)
			b.forge.nameless(when, b.forge.push(1, 1))
		}, rules.Fail},
		"the adapter says an older one, the delivery the head": {func(b *bench, head string) {
			b.saw(chen, b.forge.push(1, 1), false, when)
			b.forge.nameless(when, head)
		}, rules.Fail},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newStatusBench(t)
			head := b.forge.open(1)
			tt.play(b, head)
			b.mark(1, "reviewed")
			b.run()
			if got := b.state(1); got != tt.want {
				t.Errorf("the change is %s, want %s: %s", got, tt.want, b.verdict(key(1)).Reason)
			}
		})
	}
}

// Laws 1 and 3: an old approval, a new push, and an API that is behind with both.
func TestAnOldApprovalAndANewPushAndADelayedForge(t *testing.T) {
	t.Parallel()
	b := newStatusBench(t)
	old := b.forge.open(1)
	when := start.Add(time.Minute)
	b.saw(chen, old, false, when)
	b.forge.nameless(when, "")
	b.mark(1, "reviewed")
	b.run()
	if got := b.forge.top(old); got != fact.CheckSuccess {
		t.Fatalf("the verdict is %s", got)
	}
	b.forge.lag(1)
	head := b.forge.push(1, 1)
	b.mark(1, "pushed")
	b.run()
	if got := b.forge.top(head); got != fact.CheckPending {
		t.Errorf("on the new head stands %q while the forge is behind", got)
	}
	b.forge.fresh(1)
	b.clock.turn(time.Minute)
	b.run()
	if got := b.forge.top(head); got != fact.CheckState(forges.ReportFailure) {
		t.Errorf("on the new head stands %q: the approval was for the old one", got)
	}
}
