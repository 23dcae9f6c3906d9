// Package storetest is the contract of store.Store as tests that every backend
// passes. It takes time from a clock that only moves when a test moves it.
package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"primum/bot/clock"
	"primum/bot/store"
)

// Backend is a kind of database.
type Backend struct {
	// New makes one empty database for t and returns a function that opens it;
	// opening it twice gives two replicas of one database.
	New func(t *testing.T) func(t *testing.T, c clock.Clock) store.Store
}

// Run runs the whole contract.
func Run(t *testing.T, b Backend) {
	tests := []struct {
		name string
		run  func(*testing.T, Backend)
	}{
		{"a delivery is stored once", acceptOnce},
		{"concurrent deliveries are each stored once", acceptConcurrently},
		{"what a delivery brings is stored with it", acceptEverything},
		{"text that is not UTF-8 is accepted", acceptHostileText},
		{"a mark makes a subject due", markDue},
		{"a burst is one judgement after the first", burst},
		{"a request does not wait for the burst to settle", requestIsAtOnce},
		{"an event during a judgement is not lost", eventDuringJudgement},
		{"the newer hint stands", hints},
		{"a mark of a known subject makes none", ifKnown},
		{"a fan finds the changes concerned", fans},
		{"news during the judgement that finds the link is not lost", newsDuringJudgement},
		{"claims take the longest due first and no more than asked", claimOrder},
		{"two replicas never hold one subject", twoReplicas},
		{"a lost lease writes nothing", lostLease},
		{"an extended lease holds", extended},
		{"a dead owner's subjects are reclaimed", reclaim},
		{"a released subject is due again without a try", release},
		{"a failed try comes back and gives up visibly", failing},
		{"a subject comes back at the time it asked for", again},
		{"the next due time is known", nextDue},
		{"an equal verdict is kept once", verdictOnce},
		{"an older verdict never overwrites", verdictOrder},
		{"an act happens once", actOnce},
		{"what is remembered of a subject comes back", memoryKept},
		{"first sightings stand", sightings},
		{"the newest approval of a person stands", approvals},
		{"a login stays pinned to its account", pins},
		{"repositories keep what an event does not tell", repos},
		{"a name leads to the repository that holds it", renamed},
		{"siblings share a head", siblings},
		{"open changes are listed with their verdict", openList},
		{"notes are kept", notes},
		{"old bodies are trimmed", trim},
		{"counts tell what waits", counts},
		{"the store is ready and survives reopening", reopened},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, b)
		})
	}
}

// Clock is a clock that moves only by Add.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock is a Clock at a fixed time.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} }

// Now implements clock.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// NewTimer implements clock.Clock; the store waits for nothing.
func (*Clock) NewTimer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// bench is one test's store and clock.
type bench struct {
	store.Store
	t     *testing.T
	ctx   context.Context // the test's own, for short calls
	clock *Clock
	open  func(t *testing.T, c clock.Clock) store.Store
}

func start(t *testing.T, b Backend) *bench {
	t.Helper()
	c := NewClock()
	open := b.New(t)
	return &bench{Store: open(t, c), t: t, ctx: t.Context(), clock: c, open: open}
}

const (
	lease  = 30 * time.Second
	settle = 1200 * time.Millisecond
)

func change(ref string) store.Key {
	return store.Key{Forge: "github", RepoID: "1", Kind: store.KindChange, Ref: ref}
}

// must fails the test on an error.
func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// mark marks one subject and checks that it counts.
func (b *bench) mark(m store.Mark) {
	b.t.Helper()
	n, err := b.Mark(b.ctx, []store.Mark{m}, nil)
	b.must(err)
	if n != 1 {
		b.t.Fatalf("marked %d subjects, want 1", n)
	}
}

// claims are the subjects due, now claimed.
func (b *bench) claims(n int) []store.Claim {
	b.t.Helper()
	got, err := b.Claim(b.ctx, "worker", lease, n)
	b.must(err)
	return got
}

// claim claims what must be the one due subject.
func (b *bench) claim() *store.Claim {
	b.t.Helper()
	got := b.claims(10)
	if len(got) != 1 {
		b.t.Fatalf("claimed %d subjects, want 1", len(got))
	}
	return &got[0]
}

// idle checks that nothing is due.
func (b *bench) idle() {
	b.t.Helper()
	if got := b.claims(10); len(got) != 0 {
		b.t.Fatalf("claimed %s %s, want nothing due", got[0].Kind, got[0].Ref)
	}
}

// judged marks, claims and finishes one subject.
func (b *bench) judged(k store.Key, f store.Finish) {
	b.t.Helper()
	b.mark(store.Mark{Key: k, Reason: "opened"})
	c := b.claim()
	if c.Key != k {
		b.t.Fatalf("claimed %v, want %v", c.Key, k)
	}
	b.must(b.Done(b.ctx, c, f))
}

func (b *bench) subject(k store.Key) store.Subject {
	b.t.Helper()
	s, err := b.Subject(b.ctx, k)
	b.must(err)
	return s
}
