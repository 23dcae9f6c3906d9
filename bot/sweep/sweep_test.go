package sweep_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"primum/bot/clock"
	"primum/bot/store"
	"primum/bot/sweep"
	"primum/forges"
)

// logged is a forge with a log of deliveries; nothing else of it is asked.
type logged struct {
	forges.Forge
	mu    sync.Mutex
	since []time.Time
	err   error
}

func (*logged) Key() string { return "fake" }

func (l *logged) Redeliver(_ context.Context, since time.Time) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = append(l.since, since)
	return 3, l.err
}

// notes is a store that keeps notes and counts marks; a database would keep a
// bubble of synctest from standing still.
type notes struct {
	store.Store
	mu    sync.Mutex
	kept  map[string]string
	marks int
}

func (n *notes) Note(_ context.Context, k, v string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kept[k] = v
	return nil
}

func (n *notes) Noted(_ context.Context, k string) (string, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	v, ok := n.kept[k]
	return v, ok, nil
}

func (n *notes) Mark(_ context.Context, marks []store.Mark, _ []store.Fan) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.marks += len(marks)
	return len(marks), nil
}

// asked are the looks into the log so far, sweeps the marks made.
func (l *logged) asked() []time.Time { l.mu.Lock(); defer l.mu.Unlock(); return slices.Clone(l.since) }

func (n *notes) sweeps() int { n.mu.Lock(); defer n.mu.Unlock(); return n.marks }

func sweeper(t *testing.T, n *notes, f *logged) *sweep.Sweeper {
	t.Helper()
	return sweep.New(sweep.Options{
		Store: n, Forges: []forges.Forge{f}, Clock: clock.System{}, Interval: 10 * time.Minute,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
}

func TestItSweepsAtStartAndAtEveryInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, f := &notes{kept: map[string]string{}}, &logged{}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); sweeper(t, n, f).Run(ctx) }()
		time.Sleep(time.Second)
		synctest.Wait()
		if n.sweeps() != 1 || len(f.asked()) != 0 {
			t.Errorf("at the first start: %d sweeps, %d looks into the log; want 1 and none", n.sweeps(), len(f.asked()))
		}
		time.Sleep(35 * time.Minute)
		synctest.Wait()
		if n.sweeps() != 4 {
			t.Errorf("%d sweeps in 35 minutes, want 4", n.sweeps())
		}
		cancel()
		<-done
	})
}

func TestItAsksForWhatWasMissedWhileAway(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			away := time.Now().UTC()
			n, f := &notes{kept: map[string]string{"alive": away.Format(time.RFC3339Nano)}}, &logged{}
			if fails {
				f.err = errors.New("the log is out of reach")
			}
			time.Sleep(5 * time.Hour)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); sweeper(t, n, f).Run(ctx) }()
			time.Sleep(time.Second)
			synctest.Wait()
			if len(f.asked()) != 1 || f.asked()[0].After(away) || away.Sub(f.asked()[0]) > 10*time.Minute {
				t.Errorf("asked since %v, want shortly before %v", f.asked(), away)
			}
			if n.sweeps() != 1 {
				t.Errorf("%d sweeps, want one whatever the log said", n.sweeps())
			}
			cancel()
			<-done
		})
	}
}

// Of several replicas one sweeps an interval.
func TestReplicasDoNotSweepTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, f := &notes{kept: map[string]string{}}, &logged{}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{}, 2)
		for range 2 {
			go func() { sweeper(t, n, f).Run(ctx); done <- struct{}{} }()
			time.Sleep(5 * time.Second)
		}
		time.Sleep(31 * time.Minute)
		synctest.Wait()
		if n.sweeps() != 2+3 {
			t.Errorf("%d sweeps by two replicas, want one each at start and three more", n.sweeps())
		}
		cancel()
		<-done
		<-done
	})
}
