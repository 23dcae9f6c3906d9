package work_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"primum/bot/clock"
	"primum/bot/store"
	"primum/bot/work"
	"primum/forges"
)

// rig is a pool on a store of its own, inside a bubble whose time jumps ahead
// whenever everybody waits.
type rig struct {
	t     *testing.T
	store *store.DB
	log   *slog.Logger
}

// bubble runs a test in a bubble.
func bubble(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.NewTextHandler(t.Output(), nil))
		db, err := store.Open(t.Context(), ":memory:", clock.System{}, log)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(t, &rig{t: t, store: db, log: log})
	})
}

// start starts a pool that is stopped by the function returned.
func (r *rig) start(judge work.Judge, edit func(*work.Options)) (stop func(patience time.Duration)) {
	r.t.Helper()
	o := work.Options{Store: r.store, Judge: judge, Clock: clock.System{}, Log: r.log, Owner: "test"}
	if edit != nil {
		edit(&o)
	}
	p := work.New(o)
	if err := p.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	return func(patience time.Duration) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), patience)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			r.t.Error(err)
		}
	}
}

func change(ref string) store.Key {
	return store.Key{Forge: "github", RepoID: "1", Kind: store.KindChange, Ref: ref}
}

func (r *rig) mark(k store.Key) {
	r.t.Helper()
	if _, err := r.store.Mark(r.t.Context(), []store.Mark{{Key: k, Reason: "pushed", Settle: 1200 * time.Millisecond}}, nil); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) subject(k store.Key) store.Subject {
	r.t.Helper()
	s, err := r.store.Subject(r.t.Context(), k)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// after lets time pass and everything that happens in it.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestMarkIsJudgedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		judged := make(chan string, 10)
		stop := r.start(func(_ context.Context, c *store.Claim) (store.Finish, error) {
			judged <- c.Ref
			return store.Finish{Open: true, Head: "aaa"}, nil
		}, nil)
		defer stop(time.Minute)
		synctest.Wait()
		began := time.Now()
		r.mark(change("7"))
		if got := <-judged; got != "7" || time.Since(began) != 0 {
			t.Errorf("judged %s after %v, want 7 at once", got, time.Since(began))
		}
		synctest.Wait()
		if s := r.subject(change("7")); s.Judged != 1 || s.Head != "aaa" {
			t.Errorf("the subject is %+v", s)
		}
	})
}

func TestTenEventsInASecondAreTwoJudgements(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var judgements atomic.Int64
		var last atomic.Int64
		stop := r.start(func(_ context.Context, c *store.Claim) (store.Finish, error) {
			judgements.Add(1)
			last.Store(c.Wanted)
			time.Sleep(120 * time.Millisecond) // two calls
			return store.Finish{Open: true}, nil
		}, nil)
		defer stop(time.Minute)
		for range 10 {
			r.mark(change("7"))
			after(100 * time.Millisecond)
		}
		after(time.Minute)
		if judgements.Load() != 2 || last.Load() != 10 {
			t.Errorf("%d judgements, the last of mark %d; want 2, the last of 10", judgements.Load(), last.Load())
		}
	})
}

// What many changes wait for they wait for together.
func TestManyAreJudgedAtOnceButNotMoreThanAsked(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var now, most, done atomic.Int64
		for i := range 200 {
			r.mark(change(fmt.Sprint(i)))
		}
		began := time.Now()
		finished := make(chan time.Duration, 1)
		stop := r.start(func(context.Context, *store.Claim) (store.Finish, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			if done.Add(1) == 200 {
				finished <- time.Since(began)
			}
			return store.Finish{Open: true}, nil
		}, func(o *work.Options) { o.Concurrency = 50 })
		defer stop(time.Minute)
		took := <-finished
		if most.Load() != 50 || took > 5*time.Second {
			t.Errorf("%d at once, all after %v; want 50 at once and about 4 s", most.Load(), took)
		}
	})
}

func TestLeaseIsRenewedWhileJudging(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var runs atomic.Int64
		r.mark(change("7"))
		stop := r.start(func(ctx context.Context, _ *store.Claim) (store.Finish, error) {
			runs.Add(1)
			time.Sleep(10 * time.Minute)
			return store.Finish{Open: true}, ctx.Err()
		}, nil)
		defer stop(time.Minute)
		after(9 * time.Minute)
		others, err := r.store.Claim(t.Context(), "other", time.Minute, 1)
		if err != nil || len(others) != 0 {
			t.Errorf("another claimed %d, error %v; want none", len(others), err)
		}
		after(2 * time.Minute)
		if s := r.subject(change("7")); runs.Load() != 1 || s.Judged != 1 {
			t.Errorf("%d runs, the subject is %+v; want one run, judged", runs.Load(), s)
		}
	})
}

// deaf is a store whose lease cannot be renewed.
type deaf struct{ store.Store }

func (deaf) Extend(context.Context, *store.Claim, time.Duration) error { return errors.New("no route") }

func TestJudgementThatLostItsLeaseIsCancelled(t *testing.T) {
	for name, wrap := range map[string]func(store.Store) store.Store{
		"taken away":        func(s store.Store) store.Store { return s },
		"not to be renewed": func(s store.Store) store.Store { return deaf{s} },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				causes := make(chan error, 10)
				first := true
				r.mark(change("7"))
				stop := r.start(func(ctx context.Context, _ *store.Claim) (store.Finish, error) {
					if !first {
						return store.Finish{Open: true, Head: "new"}, nil
					}
					first = false
					<-ctx.Done()
					causes <- context.Cause(ctx)
					return store.Finish{Open: true, Head: "old"}, nil
				}, func(o *work.Options) { o.Store = wrap(o.Store) })
				defer stop(time.Minute)
				synctest.Wait()
				if name == "taken away" {
					if _, err := r.store.Reclaim(t.Context(), "test"); err != nil {
						t.Fatal(err)
					}
				}
				if cause := <-causes; !errors.Is(cause, store.ErrLost) {
					t.Errorf("cancelled because %v, want ErrLost", cause)
				}
				after(time.Minute)
				if s := r.subject(change("7")); s.Head != "new" {
					t.Errorf("the subject is judged on %q, want new", s.Head)
				}
			})
		})
	}
}

func TestFailuresComeBackLaterAndLaterAndThenGiveUp(t *testing.T) {
	tests := []struct {
		name  string
		err   error
		tries int
	}{
		{"what may pass", errors.New("502"), 20},
		{"what does not pass by itself", fmt.Errorf("read: %w", forges.ErrForbidden), 3},
		{"a panic", nil, 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				var times []time.Time
				r.mark(change("7"))
				stop := r.start(func(context.Context, *store.Claim) (store.Finish, error) {
					times = append(times, time.Now())
					if tt.err == nil {
						panic("no such map")
					}
					return store.Finish{}, tt.err
				}, func(o *work.Options) { o.Poll = time.Hour })
				defer stop(time.Minute)
				after(24 * time.Hour)
				if len(times) != tt.tries {
					t.Fatalf("tried %d times, want %d", len(times), tt.tries)
				}
				for i := 1; i < len(times); i++ {
					full := min(time.Second<<min(i-1, 20), 5*time.Minute)
					if got := times[i].Sub(times[i-1]); got < full/2 || got > full+time.Second {
						t.Errorf("wait %d is %v, want between %v and %v", i, got, full/2, full)
					}
				}
				s := r.subject(change("7"))
				if !s.GaveUp || s.Problem == "" || tt.err == nil && !strings.Contains(s.Problem, "no such map") {
					t.Errorf("the subject is %+v", s)
				}
				r.mark(change("7"))
				after(100 * time.Millisecond)
				if len(times) != tt.tries+1 {
					t.Error("a new event did not wake it")
				}
			})
		})
	}
}

// A forge that asks everybody to wait is asked again when it said, however
// often, and nothing is given up for it; others are judged meanwhile.
func TestForgeThatAsksToWaitIsWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var mu sync.Mutex
		var limited []time.Time
		other := make(chan time.Time, 1)
		r.mark(change("7"))
		began := time.Now()
		stop := r.start(func(_ context.Context, c *store.Claim) (store.Finish, error) {
			mu.Lock()
			defer mu.Unlock()
			if c.Ref == "8" {
				other <- time.Now()
				return store.Finish{Open: true}, nil
			}
			limited = append(limited, time.Now())
			if len(limited) <= 30 {
				return store.Finish{}, fmt.Errorf("read: %w", &forges.RateLimited{Until: time.Now().Add(time.Hour)})
			}
			return store.Finish{Open: true}, nil
		}, func(o *work.Options) { o.Poll = time.Hour })
		defer stop(time.Minute)
		after(10 * time.Minute)
		r.mark(change("8"))
		if at := <-other; at.Sub(began) != 10*time.Minute {
			t.Errorf("the other was judged after %v", at.Sub(began))
		}
		after(40 * time.Hour)
		mu.Lock()
		defer mu.Unlock()
		if len(limited) != 31 {
			t.Fatalf("tried %d times, want 31", len(limited))
		}
		for i := 1; i < len(limited); i++ {
			if got := limited[i].Sub(limited[i-1]); got < time.Hour || got > time.Hour+3*time.Second {
				t.Errorf("wait %d is %v, want an hour and a little", i, got)
			}
		}
		if s := r.subject(change("7")); s.GaveUp || s.Tries != 0 || s.Judged != s.Wanted {
			t.Errorf("the subject is %+v", s)
		}
	})
}

func TestStopWaitsForJudgementsUnderWay(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.mark(change("7"))
		stop := r.start(func(context.Context, *store.Claim) (store.Finish, error) {
			time.Sleep(5 * time.Second)
			return store.Finish{Open: true, Head: "aaa"}, nil
		}, nil)
		synctest.Wait()
		began := time.Now()
		stop(time.Minute)
		if s := r.subject(change("7")); s.Head != "aaa" || time.Since(began) != 5*time.Second {
			t.Errorf("stopped after %v with %+v", time.Since(began), s)
		}
		r.mark(change("8"))
		after(time.Minute)
		if s := r.subject(change("8")); s.Judged != 0 {
			t.Error("a stopped pool judged")
		}
	})
}

func TestStopHandsBackWhatTakesTooLong(t *testing.T) {
	for name, heed := range map[string]bool{"heeding its context": true, "deaf": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.mark(change("7"))
				stop := r.start(func(ctx context.Context, _ *store.Claim) (store.Finish, error) {
					if heed {
						<-ctx.Done()
					} else {
						time.Sleep(time.Hour)
					}
					return store.Finish{Head: "late"}, fmt.Errorf("cut off: %w", context.Canceled)
				}, nil)
				synctest.Wait()
				stop(10 * time.Second)
				claims, err := r.store.Claim(t.Context(), "other", time.Minute, 1)
				if err != nil || len(claims) != 1 || claims[0].Tries != 0 || claims[0].Head != "" {
					t.Errorf("another replica claims %+v, error %v; want the subject as it was", claims, err)
				}
				after(2 * time.Hour)
			})
		})
	}
}

func TestStartTakesBackWhatAFormerProcessHeld(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.mark(change("7"))
		if _, err := r.store.Claim(t.Context(), "test", time.Hour, 1); err != nil {
			t.Fatal(err)
		}
		judged := make(chan string, 1)
		began := time.Now()
		stop := r.start(func(_ context.Context, c *store.Claim) (store.Finish, error) {
			judged <- c.Ref
			return store.Finish{Open: true}, nil
		}, nil)
		defer stop(time.Minute)
		if got := <-judged; got != "7" || time.Since(began) != 0 {
			t.Errorf("judged %s after %v, want 7 at once", got, time.Since(began))
		}
	})
}

// A subject that ends the process each time it is judged is given up in the end.
func TestSubjectThatEndsProcessesIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.mark(change("7"))
		for range 5 {
			if _, err := r.store.Claim(t.Context(), "test", time.Hour, 1); err != nil {
				t.Fatal(err)
			}
			if _, err := r.store.Reclaim(t.Context(), "test"); err != nil {
				t.Fatal(err)
			}
		}
		stop := r.start(func(context.Context, *store.Claim) (store.Finish, error) {
			t.Error("judged once more")
			return store.Finish{}, nil
		}, func(o *work.Options) { o.MaxTries = 5 })
		defer stop(time.Minute)
		after(time.Second)
		if s := r.subject(change("7")); !s.GaveUp || !strings.Contains(s.Problem, "cut off 5 times") {
			t.Errorf("the subject is %+v", s)
		}
	})
}

// What another replica marks signals nobody here and is found all the same.
func TestMarksOfOtherReplicasAreFound(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		judged := make(chan time.Time, 1)
		began := time.Now()
		stop := r.start(func(context.Context, *store.Claim) (store.Finish, error) {
			judged <- time.Now()
			return store.Finish{Open: true}, nil
		}, func(o *work.Options) { o.Store = silent{o.Store} })
		defer stop(time.Minute)
		after(time.Second)
		r.mark(change("7"))
		if at := <-judged; at.Sub(began) > 5*time.Second {
			t.Errorf("found after %v", at.Sub(began))
		}
	})
}

type silent struct{ store.Store }

func (silent) Wake() <-chan struct{} { return nil }
