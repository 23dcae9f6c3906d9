package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/bot/store"
)

func claimOrder(t *testing.T, backend Backend) {
	b := start(t, backend)
	for i := range 5 {
		b.mark(store.Mark{Key: change(fmt.Sprint(i)), Due: b.clock.Now().Add(time.Duration(5-i) * time.Second)})
	}
	b.clock.Add(10 * time.Second)
	var got []string
	for _, n := range []int{2, 2, 2} {
		for _, c := range b.claims(n) {
			got = append(got, c.Ref)
		}
	}
	if diff := cmp.Diff([]string{"4", "3", "2", "1", "0"}, got); diff != "" {
		t.Errorf("claimed (-want +got):\n%s", diff)
	}
}

// twoReplicas: many workers of two replicas claim, mark again and finish; at no
// time do two hold one subject, and every subject ends judged.
func twoReplicas(t *testing.T, backend Backend) {
	b := start(t, backend)
	replicas := []store.Store{b.Store, b.open(t, b.clock)}
	const subjects, rounds = 20, 3
	for i := range subjects {
		b.mark(store.Mark{Key: change(fmt.Sprint(i))})
	}
	var mu sync.Mutex
	held, judged := map[int64]bool{}, map[int64]int{}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			s := replicas[w%2]
			for {
				claims, err := s.Claim(b.ctx, fmt.Sprint("w", w), lease, 3)
				if err != nil {
					t.Error(err)
					return
				}
				if len(claims) == 0 {
					return
				}
				for _, c := range claims {
					mu.Lock()
					if held[c.ID] {
						t.Errorf("subject %s is held twice", c.Ref)
					}
					held[c.ID] = true
					judged[c.ID]++
					again := judged[c.ID] < rounds
					mu.Unlock()
					if again {
						if _, err := s.Mark(b.ctx, []store.Mark{{Key: c.Key, Reason: "again"}}, nil); err != nil {
							t.Error(err)
						}
					}
					mu.Lock()
					held[c.ID] = false
					mu.Unlock()
					if err := s.Done(b.ctx, &c, store.Finish{Open: true}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, c := range b.claims(100) { // what a worker marked after the others had gone
		judged[c.ID]++
	}
	if len(judged) != subjects {
		t.Errorf("%d subjects were judged, want %d", len(judged), subjects)
	}
}

func lostLease(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.mark(store.Mark{Key: change("7")})
	old := b.claim()
	b.clock.Add(lease + time.Millisecond)
	lost := func(when string) {
		t.Helper()
		_, saveErr := b.SaveVerdict(b.ctx, old, store.VerdictRow{State: "pass"})
		_, _, actErr := b.BeginAct(b.ctx, old, store.Act{Key: "check:7"})
		for name, err := range map[string]error{
			"Holds": b.Holds(b.ctx, old), "Extend": b.Extend(b.ctx, old, lease), "SaveVerdict": saveErr, "BeginAct": actErr,
			"Done": b.Done(b.ctx, old, store.Finish{Head: "old"}), "Done with a problem": b.Done(b.ctx, old, store.Finish{Problem: "x"}),
		} {
			if !errors.Is(err, store.ErrLost) {
				t.Errorf("%s: %s answers %v, want ErrLost", when, name, err)
			}
		}
	}
	lost("after the lease ran out")
	taken := b.claim()
	if taken.Tries != 1 {
		t.Errorf("a claim that ran out counts %d tries, want 1", taken.Tries)
	}
	lost("after another took it")
	if err := b.Release(b.ctx, old); !errors.Is(err, store.ErrLost) {
		t.Errorf("Release answers %v, want ErrLost", err)
	}
	b.must(b.Holds(b.ctx, taken))
	b.must(b.Done(b.ctx, taken, store.Finish{Open: true, Head: "new"}))
	if got := b.subject(change("7")); got.Head != "new" || got.Verdict != 0 {
		t.Errorf("the subject is %+v", got)
	}
}

func extended(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.mark(store.Mark{Key: change("7")})
	c := b.claim()
	for range 5 {
		b.clock.Add(lease - time.Second)
		b.must(b.Extend(b.ctx, c, lease))
		b.idle()
	}
	b.must(b.Done(b.ctx, c, store.Finish{}))
}

func reclaim(t *testing.T, backend Backend) {
	b := start(t, backend)
	for i := range 3 {
		b.mark(store.Mark{Key: change(fmt.Sprint(i))})
	}
	b.claims(2)
	if _, err := b.Claim(b.ctx, "other", lease, 1); err != nil {
		t.Fatal(err)
	}
	n, err := b.Reclaim(b.ctx, "worker")
	if err != nil || n != 2 {
		t.Errorf("reclaimed %d, error %v; want 2, nil", n, err)
	}
	if got := len(b.claims(10)); got != 2 {
		t.Errorf("claimed %d subjects, want the 2 reclaimed", got)
	}
}

func release(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.mark(store.Mark{Key: change("7"), Reason: "opened"})
	b.must(b.Release(b.ctx, b.claim()))
	if c := b.claim(); c.Tries != 0 || c.Reason != "opened" {
		t.Errorf("claimed again with %d tries for %q", c.Tries, c.Reason)
	}
}

func failing(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.judged(change("7"), store.Finish{Open: true, Head: "aaa", Base: "main", Links: []string{"o/r#1"}, Memory: store.Memory{Issues: []string{"o/r#1"}}})
	b.mark(store.Mark{Key: change("7"), Reason: "pushed"})
	marked := b.clock.Now()
	c := b.claim()
	b.must(b.Done(b.ctx, c, store.Finish{Problem: "502", Retry: b.clock.Now().Add(time.Minute)}))
	b.idle()
	got := b.subject(change("7"))
	if got.Problem != "502" || got.Tries != 1 || got.GaveUp || !got.Open || got.Head != "aaa" || len(got.Memory.Issues) != 1 || !got.MarkedAt.Equal(marked) {
		t.Errorf("after a failed try: %+v", got)
	}
	b.clock.Add(time.Minute)
	b.must(b.Done(b.ctx, b.claim(), store.Finish{Problem: "rate limited", Retry: b.clock.Now(), Waited: true}))
	if got := b.subject(change("7")); got.Tries != 1 || got.Problem != "rate limited" {
		t.Errorf("after being asked to wait: %+v", got)
	}
	c = b.claim()
	b.must(b.Done(b.ctx, c, store.Finish{Problem: "forbidden", Memory: store.Memory{Files: []string{"f"}}}))
	b.clock.Add(time.Hour)
	b.idle()
	if got := b.subject(change("7")); !got.GaveUp || got.Tries != 2 || len(got.Memory.Files) != 1 {
		t.Errorf("after giving up: %+v", got)
	}
	if n, err := b.Counts(b.ctx); err != nil || n.GaveUp != 1 || n.Waiting != 0 {
		t.Errorf("counts are %+v, error %v; want one given up, none waiting", n, err)
	}
	b.mark(store.Mark{Key: change("7"), Reason: "request"})
	c = b.claim()
	if c.Tries != 0 || c.GaveUp {
		t.Errorf("a new mark wakes it with %d tries, gave up %v", c.Tries, c.GaveUp)
	}
	// A mark that comes during a failing try is not held back by its retry.
	b.mark(store.Mark{Key: change("7"), Reason: "pushed"})
	b.must(b.Done(b.ctx, c, store.Finish{Problem: "502", Retry: b.clock.Now().Add(time.Hour)}))
	b.must(b.Done(b.ctx, b.claim(), store.Finish{Open: true}))
	if got := b.subject(change("7")); got.Tries != 0 || got.Problem != "" {
		t.Errorf("after a success: %+v", got)
	}
}

func again(t *testing.T, backend Backend) {
	b := start(t, backend)
	at := b.clock.Now().Add(24 * time.Hour)
	b.judged(change("7"), store.Finish{Open: true, Again: at})
	b.idle()
	if n, err := b.Counts(b.ctx); err != nil || n.Waiting != 0 {
		t.Errorf("%d wait, error %v; a time to come is no waiting mark", n.Waiting, err)
	}
	next, ok, err := b.NextDue(b.ctx)
	if err != nil || !ok || !next.Equal(at) {
		t.Errorf("next due %v, %v, %v; want %v", next, ok, err, at)
	}
	// A mark before that time is judged and leaves the time as the judge says.
	b.mark(store.Mark{Key: change("7"), Reason: "pushed"})
	b.must(b.Done(b.ctx, b.claim(), store.Finish{Open: true, Again: at}))
	b.clock.Add(24 * time.Hour)
	c := b.claim()
	if c.Reason != "clock" || c.Wanted <= c.Judged {
		t.Errorf("claimed for %q with wanted %d, judged %d", c.Reason, c.Wanted, c.Judged)
	}
	// A failed try of it comes back like any other.
	b.must(b.Done(b.ctx, c, store.Finish{Problem: "502", Retry: b.clock.Now().Add(time.Minute)}))
	b.idle()
	b.clock.Add(time.Minute)
	b.must(b.Done(b.ctx, b.claim(), store.Finish{Open: true}))
	b.clock.Add(1000 * time.Hour)
	b.idle()
}

func nextDue(t *testing.T, backend Backend) {
	b := start(t, backend)
	want := func(when string, want time.Time) {
		t.Helper()
		got, ok, err := b.NextDue(b.ctx)
		if err != nil || ok == want.IsZero() || !got.Equal(want) {
			t.Errorf("%s: next due %v, %v, %v; want %v", when, got, ok, err, want)
		}
	}
	want("empty", time.Time{})
	now := b.clock.Now()
	b.mark(store.Mark{Key: change("7"), Due: now.Add(time.Hour)})
	b.mark(store.Mark{Key: change("8"), Due: now.Add(time.Minute)})
	want("two waiting", now.Add(time.Minute))
	b.clock.Add(time.Minute)
	c := b.claim()
	want("one claimed until its lease ends", now.Add(time.Minute+lease))
	b.must(b.Done(b.ctx, c, store.Finish{}))
	want("one finished", now.Add(time.Hour))
}
