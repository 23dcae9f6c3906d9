package judge_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"primum/bot/judge"
	"primum/bot/publish"
	"primum/bot/store"
	"primum/bot/store/pgtest"
	"primum/forges"
	"primum/rules"
)

// hands is a clock that tests turn.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }

func (h *hands) NewTimer(d time.Duration) *time.Timer { return time.NewTimer(d) }

func (h *hands) turn(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(d) }

// bench is one Primum over the fake forge and a real store.
type bench struct {
	t     *testing.T
	forge *fake
	db    *store.DB
	clock *hands
	judge *judge.Judge
	told  []judge.Judged
}

// databases are the addresses every test of a law on storage runs on.
func databases(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"sqlite": ":memory:", "postgres": pgtest.New(t).Database(t)}
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return newBenchOn(t, newFake(), ":memory:")
}

func newBenchOn(t *testing.T, f *fake, address string) *bench {
	t.Helper()
	b := &bench{t: t, forge: f, clock: &hands{now: start.Add(time.Hour)}}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	db, err := store.Open(t.Context(), address, b.clock, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	b.db = db
	b.judge = b.newJudge(log)
	b.must(db.PutRepo(t.Context(), store.RepoRow{Forge: "fake", ID: "R1", Owner: "acme", Name: "pump", Default: "main"}))
	return b
}

func (b *bench) newJudge(log *slog.Logger) *judge.Judge {
	return judge.New(judge.Options{
		Store: b.db, Forges: []forges.Forge{b.forge}, Clock: b.clock, Log: log, Engine: "test",
		Publish: publish.New(publish.Options{Store: b.db, Clock: b.clock, Log: log, URL: page}),
		Observe: func(j judge.Judged) { b.told = append(b.told, j) },
	})
}

func page(_ context.Context, k store.Key, r forges.RepoRef) (string, error) {
	return "https://primum.example/c/" + k.Forge + "/" + r.FullName() + "/" + k.Ref, nil
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func key(n int) store.Key {
	return store.Key{Forge: "fake", RepoID: "R1", Kind: store.KindChange, Ref: strconv.Itoa(n)}
}

// mark is what intake makes of a delivery on a change.
func (b *bench) mark(n int, reason string) {
	b.t.Helper()
	b.forge.mu.Lock()
	c := b.forge.changes[n]
	m := store.Mark{Key: key(n), Reason: reason, Hint: store.Hint{Head: c.Head.SHA, Base: c.Base.Name, UpdatedAt: c.UpdatedAt, Body: c.Body}}
	b.forge.mu.Unlock()
	b.put(m)
}

func (b *bench) put(m store.Mark) {
	b.t.Helper()
	_, err := b.db.Mark(b.t.Context(), []store.Mark{m}, nil)
	b.must(err)
}

// claim takes what is due.
func (b *bench) claim() []store.Claim {
	b.t.Helper()
	claims, err := b.db.Claim(b.t.Context(), "bench", time.Minute, 10)
	b.must(err)
	return claims
}

// one judges one claim and ends it as bot/work does.
func (b *bench) one(c *store.Claim) error {
	b.t.Helper()
	f, err := b.judge.Subject(b.t.Context(), c)
	if errors.Is(err, store.ErrLost) {
		return err
	}
	if err != nil && f.Problem == "" {
		f.Problem = err.Error()
		if forges.Temporary(err) {
			f.Retry = b.clock.Now().Add(time.Second)
		}
	}
	if doneErr := b.db.Done(b.t.Context(), c, f); doneErr != nil {
		return doneErr
	}
	return err
}

// run judges everything due and what that leads to; it gives the number of
// judgements.
func (b *bench) run() int {
	b.t.Helper()
	n := 0
	for range 100 {
		claims := b.claim()
		if len(claims) == 0 {
			return n
		}
		for i := range claims {
			n++
			if err := b.one(&claims[i]); err != nil {
				b.t.Logf("judge %s: %v", claims[i].Ref, err)
			}
		}
	}
	b.t.Fatal("work never ends")
	return n
}

// sweep marks the repository as a sweep does and judges what comes of it.
func (b *bench) sweep() {
	b.t.Helper()
	b.put(store.Mark{Key: store.Key{Forge: "fake", RepoID: "R1", Kind: store.KindRepo}, Reason: "sweep"})
	b.run()
}

// state is the newest verdict of a change.
func (b *bench) state(n int) rules.Outcome {
	b.t.Helper()
	return rules.Outcome(b.verdict(key(n)).State)
}

func (b *bench) verdict(k store.Key) store.VerdictRow {
	b.t.Helper()
	sub, err := b.db.Subject(b.t.Context(), k)
	b.must(err)
	if sub.Verdict == 0 {
		b.t.Fatalf("%s %s has no verdict (problem %q)", k.Kind, k.Ref, sub.Problem)
	}
	row, err := b.db.Verdict(b.t.Context(), sub.Verdict)
	b.must(err)
	return row
}

func (b *bench) subject(n int) store.Subject {
	b.t.Helper()
	sub, err := b.db.Subject(b.t.Context(), key(n))
	b.must(err)
	return sub
}

// wantCheck fails unless exactly one check stands on a commit, with this state.
func (b *bench) wantCheck(sha string, want forges.ReportState) forges.Report {
	b.t.Helper()
	r, n := b.forge.on(sha)
	if n != 1 || r.State != want {
		b.t.Fatalf("on %s: %d checks, state %q (%s); want one, %q", sha[:8], n, r.State, r.Title, want)
	}
	return r
}

// subjectHint is the hint a delivery on a change would leave.
func (b *bench) subjectHint(n int) store.Hint {
	c := b.forge.changes[n]
	return store.Hint{Head: c.Head.SHA, Base: c.Base.Name, UpdatedAt: c.UpdatedAt, Body: c.Body}
}

func store1(n int, h store.Hint) store.Mark {
	return store.Mark{Key: key(n), Reason: "pushed", Hint: h}
}

// decoded is the newest verdict of a change, whole.
func (b *bench) decoded(n int) rules.Verdict {
	b.t.Helper()
	var v rules.Verdict
	b.must(json.Unmarshal(b.verdict(key(n)).JSON, &v))
	return v
}
