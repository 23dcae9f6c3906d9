package watch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"primum/bot/clock"
	"primum/bot/store"
	"primum/bot/watch"
	"primum/forges"
	"primum/rules/fact"
)

// quiet is a forge of commit statuses that tells nobody when one is set; nothing
// else of it is asked.
type quiet struct {
	forges.Forge
	mu    sync.Mutex
	caps  forges.Capabilities
	by    map[string]string // commit to who set the status that counts; ours if not there
	ids   map[string]int    // commit to the number of that status
	err   map[string]error  // of reading a commit; "" for all
	asked []string
	at    []time.Time
}

func newQuiet() *quiet {
	return &quiet{
		caps: forges.Capabilities{Lacks: map[forges.Trait]string{forges.TellsStatus: "No delivery tells of it."}},
		by:   map[string]string{}, ids: map[string]int{}, err: map[string]error{},
	}
}

func (*quiet) Key() string { return "fake" }

func (q *quiet) Capabilities() forges.Capabilities { q.mu.Lock(); defer q.mu.Unlock(); return q.caps }

func (q *quiet) Standing(_ context.Context, _ forges.RepoRef, sha, name string) (fact.Check, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if name != "primum" {
		return fact.Check{}, fmt.Errorf("asked for %q", name)
	}
	q.asked, q.at = append(q.asked, sha), append(q.at, time.Now())
	if err := errors.Join(q.err[""], q.err[sha]); err != nil {
		return fact.Check{}, err
	}
	who, forged := q.by[sha]
	return fact.Check{Name: name, ID: strconv.Itoa(q.ids[sha]), Ours: !forged, Source: who, State: fact.CheckSuccess}, nil
}

// forge has somebody set the status of a commit.
func (q *quiet) forge(sha, who string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.by[sha] = who
	q.ids[sha]++
}

func (q *quiet) fail(sha string, err error) { q.mu.Lock(); defer q.mu.Unlock(); q.err[sha] = err }

// calls gives what was asked since the last time.
func (q *quiet) calls() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := q.asked
	q.asked, q.at = nil, nil
	return was
}

// open is a store of open changes that keeps notes and marks; a database would
// keep a bubble of synctest from standing still.
type open struct {
	store.Store
	mu    sync.Mutex
	rows  []store.OpenRow
	notes map[string]string
	marks []store.Mark
}

func (o *open) Open(context.Context, string, string, int) ([]store.OpenRow, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rows, nil
}

func (o *open) Note(_ context.Context, k, v string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.notes[k] = v
	return nil
}

func (o *open) Noted(_ context.Context, k string) (string, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, ok := o.notes[k]
	return v, ok, nil
}

func (o *open) Mark(_ context.Context, marks []store.Mark, _ []store.Fan) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.marks = append(o.marks, marks...)
	return len(marks), nil
}

// marked gives the changes marked since the last time.
func (o *open) marked() (refs []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.marks {
		refs = append(refs, m.Ref)
	}
	o.marks = nil
	return refs
}

// change is an open change with a verdict posted on its head.
func change(n int, sha string, state forges.ReportState, edit ...func(*store.OpenRow, *forges.Posted)) store.OpenRow {
	posted := forges.Posted{ID: "1", SHA: sha, State: state}
	r := store.OpenRow{
		Subject: store.Subject{Key: store.Key{Forge: "fake", RepoID: "1", Kind: store.KindChange, Ref: strconv.Itoa(n)}, Head: sha, Open: true},
		Owner:   "acme", Name: "pump", Number: n, Mode: "enforce",
	}
	for _, e := range edit {
		e(&r, &posted)
	}
	raw, err := json.Marshal(posted)
	if err != nil {
		panic(err) // every field is a plain value
	}
	r.Memory.Posted = raw
	return r
}

func reds(n int) []store.OpenRow {
	var rows []store.OpenRow
	for i := range n {
		rows = append(rows, change(i+1, fmt.Sprintf("sha%d", i+1), forges.ReportFailure))
	}
	return rows
}

// bench runs watchers in a bubble until the test's function is done.
type bench struct {
	forge  *quiet
	store  *open
	mu     sync.Mutex
	rounds []watch.Round
}

func run(t *testing.T, interval time.Duration, replicas int, rows []store.OpenRow, fn func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{forge: newQuiet(), store: &open{rows: rows, notes: map[string]string{}}}
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		for i := range replicas {
			w := watch.New(watch.Options{
				Store: b.store, Forges: []forges.Forge{b.forge}, Clock: clock.System{}, Interval: interval, Owner: strconv.Itoa(i),
				Log:      slog.New(slog.NewTextHandler(t.Output(), nil)),
				Relevant: func(r forges.RepoRef) bool { return r.Name != "elsewhere" },
				Observe:  func(r watch.Round) { b.mu.Lock(); defer b.mu.Unlock(); b.rounds = append(b.rounds, r) },
			})
			wait.Go(func() { w.Run(ctx) })
		}
		synctest.Wait()
		fn(b)
		cancel()
		wait.Wait()
	})
}

func (b *bench) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bench) last() watch.Round {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rounds) == 0 {
		return watch.Round{}
	}
	return b.rounds[len(b.rounds)-1]
}

// aRound is the time in which every commit was looked at, and a little.
const (
	interval = 5 * time.Second
	aRound   = interval + time.Second
)

func TestAForgedCheckIsMarkedWithinARound(t *testing.T) {
	t.Parallel()
	run(t, interval, 1, reds(3), func(b *bench) {
		b.pass(30 * time.Second)
		if m := b.store.marked(); len(m) != 0 {
			t.Errorf("marked %v though every check is ours", m)
		}
		b.forge.calls()
		b.pass(30 * time.Second)
		if n := len(b.forge.calls()); n != 18 {
			t.Errorf("%d calls in six rounds over three changes, want 18", n)
		}
		b.forge.forge("sha2", "mara")
		b.pass(aRound)
		if m := b.store.marked(); len(m) != 1 || m[0] != "2" {
			t.Errorf("marked %v, want change 2", m)
		}
		if r := b.last(); r.Commits != 3 || r.Took < 4*time.Second || r.Took > aRound {
			t.Errorf("round %+v", r)
		}
		// It is judged; that it is seen again before is no reason to mark it again.
		b.pass(30 * time.Second)
		if m := b.store.marked(); len(m) != 0 {
			t.Errorf("marked again: %v", m)
		}
		b.forge.forge("sha2", "mara")
		b.pass(aRound)
		if m := b.store.marked(); len(m) != 1 {
			t.Errorf("marked %v after it was forged anew, want change 2", m)
		}
		b.pass(2 * time.Minute)
		if m := b.store.marked(); len(m) < 1 || len(m) > 2 {
			t.Errorf("marked %v where judging does not help, want about one a minute", m)
		}
	})
}

// Only a verdict that holds a change up is watched, and one commit once.
func TestWhatIsWatched(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		row  store.OpenRow
		want bool
	}{
		"red":             {change(1, "a", forges.ReportFailure), true},
		"waiting":         {change(1, "a", forges.ReportPending), true},
		"green":           {change(1, "a", forges.ReportSuccess), false},
		"advice":          {change(1, "a", forges.ReportNeutral), false},
		"nothing posted":  {change(1, "a", forges.ReportFailure, func(_ *store.OpenRow, p *forges.Posted) { p.ID = "" }), false},
		"another head":    {change(1, "a", forges.ReportFailure, func(_ *store.OpenRow, p *forges.Posted) { p.SHA = "b" }), false},
		"a commit status": {change(1, "a", forges.ReportFailure, func(_ *store.OpenRow, p *forges.Posted) { p.Way = "commit status" }), true},
		"another way":     {change(1, "a", forges.ReportFailure, func(_ *store.OpenRow, p *forges.Posted) { p.Way = "approval rule" }), false},
		"observe":         {change(1, "a", forges.ReportFailure, func(r *store.OpenRow, _ *forges.Posted) { r.Mode = "observe" }), false},
		"advise":          {change(1, "a", forges.ReportFailure, func(r *store.OpenRow, _ *forges.Posted) { r.Mode = "advise" }), false},
		"not served":      {change(1, "a", forges.ReportFailure, func(r *store.OpenRow, _ *forges.Posted) { r.Name = "elsewhere" }), false},
		"left as it is": {change(1, "a", forges.ReportFailure, func(r *store.OpenRow, _ *forges.Posted) {
			r.Memory.Notes = map[string]string{"fight_until": "2000-01-01T00:10:00Z"} // a bubble begins at midnight
		}), false},
		"no longer left as it is": {change(1, "a", forges.ReportFailure, func(r *store.OpenRow, _ *forges.Posted) {
			r.Memory.Notes = map[string]string{"fight_until": "1999-12-31T23:50:00Z"}
		}), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, interval, 1, []store.OpenRow{tt.row}, func(b *bench) {
				b.pass(aRound)
				if got := len(b.forge.calls()) > 0; got != tt.want {
					t.Errorf("watched: %t, want %t", got, tt.want)
				}
			})
		})
	}
	t.Run("two changes of one commit", func(t *testing.T) {
		t.Parallel()
		run(t, interval, 1, []store.OpenRow{change(1, "a", forges.ReportFailure), change(2, "a", forges.ReportFailure)}, func(b *bench) {
			b.forge.forge("a", "mara")
			b.pass(aRound)
			if c, m := b.forge.calls(), b.store.marked(); len(c) != 1 || len(m) != 2 {
				t.Errorf("%d calls, marked %v; want one call and both changes", len(c), m)
			}
		})
	})
}

func TestForgesThatTellAreNotWatched(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		interval time.Duration
		caps     forges.Capabilities
	}{
		"it tells":        {interval, forges.Capabilities{}},
		"it pins":         {interval, forges.Capabilities{PinnedCheck: true, Lacks: newQuiet().caps.Lacks}},
		"it is shut down": {0, newQuiet().caps},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, tt.interval, 1, reds(3), func(b *bench) {
				b.forge.mu.Lock()
				b.forge.caps = tt.caps
				b.forge.mu.Unlock()
				b.pass(time.Minute)
				if c := b.forge.calls(); len(c) != 0 {
					t.Errorf("%d calls, want none", len(c))
				}
			})
		})
	}
}

// With many changes a round grows longer than the interval; calls never come
// closer than ten a second.
func TestRoundsStretch(t *testing.T) {
	t.Parallel()
	run(t, interval, 1, reds(200), func(b *bench) {
		b.pass(65 * time.Second)
		b.forge.mu.Lock()
		at := b.forge.at
		b.forge.mu.Unlock()
		for i := 1; i < len(at); i++ {
			if d := at[i].Sub(at[i-1]); d < 100*time.Millisecond {
				t.Fatalf("call %d came %v after the one before", i, d)
			}
		}
		if n := len(at); n < 590 || n > 601 {
			t.Errorf("%d calls in a minute, want 600", n)
		}
		if r := b.last(); r.Commits != 200 || r.Took.Round(time.Second) != 20*time.Second {
			t.Errorf("round %+v, want 200 commits in 20 s", r)
		}
	})
}

func TestAForgeThatAsksToWaitIsLetBe(t *testing.T) {
	t.Parallel()
	run(t, interval, 1, reds(3), func(b *bench) {
		b.forge.fail("", &forges.RateLimited{Until: time.Now().Add(10 * time.Minute)})
		b.pass(9 * time.Minute)
		if n := len(b.forge.calls()); n != 1 {
			t.Errorf("%d calls while rate limited, want the one that said so", n)
		}
		b.forge.fail("", nil)
		b.pass(2 * time.Minute)
		if n := len(b.forge.calls()); n < 3*10 {
			t.Errorf("%d calls after the limit, want rounds again", n)
		}
	})
}

func TestAForgeThatIsDownIsAskedSeldom(t *testing.T) {
	t.Parallel()
	run(t, interval, 1, reds(50), func(b *bench) {
		b.pass(aRound)
		b.forge.fail("", errors.New("nobody answers"))
		b.forge.calls()
		b.pass(10 * time.Minute)
		if n := len(b.forge.calls()); n > 20 {
			t.Errorf("%d calls in ten minutes, want few", n)
		}
		b.forge.fail("", nil)
		b.forge.forge("sha7", "mara")
		b.pass(time.Minute + 2*interval)
		if m := b.store.marked(); len(m) != 1 || m[0] != "7" {
			t.Errorf("marked %v once it answers, want change 7", m)
		}
	})
}

// Commits that cannot be read keep no other from its turn.
func TestOneCommitThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"for good": forges.ErrForbidden, "for now": errors.New("broken")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, interval, 1, reds(8), func(b *bench) {
				for i := range 4 {
					b.forge.fail(fmt.Sprintf("sha%d", i+1), err)
				}
				b.forge.forge("sha8", "mara")
				b.pass(time.Minute)
				if m := b.store.marked(); len(m) != 1 || m[0] != "8" {
					t.Errorf("marked %v, want change 8", m)
				}
			})
		})
	}
}

// Of several replicas one watches; when it is gone another does.
func TestOneReplicaWatches(t *testing.T) {
	t.Parallel()
	run(t, interval, 3, reds(1), func(b *bench) {
		b.pass(time.Minute) // to agree
		b.forge.calls()
		b.pass(10 * time.Minute)
		if n := len(b.forge.calls()); n < 115 || n > 121 {
			t.Errorf("%d calls by three replicas in 120 rounds", n)
		}
	})
	run(t, interval, 1, reds(1), func(b *bench) {
		b.store.mu.Lock()
		b.store.notes["watch:fake"] = time.Now().UTC().Format(time.RFC3339Nano) + " another"
		b.store.mu.Unlock()
		b.pass(29 * time.Second)
		if n := len(b.forge.calls()); n != 0 {
			t.Errorf("%d calls while another watches", n)
		}
		b.pass(10 * time.Second)
		if n := len(b.forge.calls()); n == 0 {
			t.Error("nobody watches after the other is gone")
		}
	})
}
