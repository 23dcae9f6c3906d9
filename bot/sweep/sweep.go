// Package sweep finds what a lost webhook hid.
//
// A webhook is a hint, and hints get lost (law 6). At start, forges that keep
// a log of deliveries are asked for what failed while Primum was away; then,
// and again at every interval, each forge is marked to be read. The marks lead
// down the same path as a delivery, so a sweep has no code of its own that
// judges or writes. How often is the interval, and no more: with several
// replicas the first to note a sweep has it.
package sweep

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"primum/bot/clock"
	"primum/bot/store"
	"primum/forges"
)

// Options are what a Sweeper needs.
type Options struct {
	Store  store.Store
	Forges []forges.Forge
	Clock  clock.Clock
	Log    *slog.Logger
	// Interval between sweeps; zero for none but the one at start.
	Interval time.Duration
}

// Bounds on what is asked of a delivery log.
const (
	alive      = 30 * time.Second // how often we note that we are there
	slack      = 2 * time.Minute  // asked for beyond the time we were away
	longest    = 72 * time.Hour   // forges keep no more
	askTimeout = 2 * time.Minute
)

// Sweeper marks forges to be read.
type Sweeper struct{ o Options }

// New makes a Sweeper.
func New(o Options) *Sweeper { return &Sweeper{o: o} }

// Run asks for what was missed, sweeps, and goes on sweeping until ctx ends.
func (s *Sweeper) Run(ctx context.Context) {
	for _, f := range s.o.Forges {
		s.missed(ctx, f)
	}
	s.note(ctx)
	s.sweep(ctx, true)
	next := s.o.Clock.Now().Add(s.o.Interval)
	for {
		t := s.o.Clock.NewTimer(alive)
		select {
		case <-ctx.Done():
			t.Stop()
			s.note(context.WithoutCancel(ctx))
			return
		case <-t.C:
		}
		s.note(ctx)
		if now := s.o.Clock.Now(); s.o.Interval > 0 && !now.Before(next) {
			s.sweep(ctx, false)
			next = now.Add(s.o.Interval)
		}
	}
}

// missed asks a forge's log of deliveries for what failed since we were last
// alive. That it cannot be asked is no reason not to start: the sweep follows.
func (s *Sweeper) missed(ctx context.Context, f forges.Forge) {
	dl, ok := f.(forges.DeliveryLog)
	if !ok {
		return
	}
	since, ok := s.noted(ctx, "alive")
	if !ok {
		return // never ran before: nothing was missed
	}
	now := s.o.Clock.Now()
	since = since.Add(-slack)
	if now.Sub(since) > longest {
		since = now.Add(-longest)
	}
	askCtx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	n, err := dl.Redeliver(askCtx, since)
	if err != nil {
		s.o.Log.WarnContext(ctx, "the delivery log could not be read; the sweep will find what moved",
			slog.String("forge", f.Key()), slog.String("error", err.Error()))
		return
	}
	s.o.Log.InfoContext(ctx, "asked for missed deliveries", slog.String("forge", f.Key()), slog.Int("deliveries", n), slog.Time("since", since))
}

// sweep marks every forge, unless another replica just did.
func (s *Sweeper) sweep(ctx context.Context, starting bool) {
	for _, f := range s.o.Forges {
		key := "sweep:" + f.Key()
		if last, ok := s.noted(ctx, key); ok && !starting && s.o.Clock.Now().Sub(last) < s.o.Interval/2 {
			continue
		}
		if err := s.Mark(ctx, f.Key(), "sweep"); err != nil {
			s.o.Log.ErrorContext(ctx, "the sweep was not marked", slog.String("forge", f.Key()), slog.String("error", err.Error()))
			continue
		}
		s.put(ctx, key)
	}
}

// Mark marks one forge to be read, now.
func (s *Sweeper) Mark(ctx context.Context, forge, reason string) error {
	_, err := s.o.Store.Mark(ctx, []store.Mark{{Key: store.Key{Forge: forge, Kind: store.KindForge}, Reason: reason}}, nil)
	if err != nil {
		return fmt.Errorf("mark forge %s: %w", forge, err)
	}
	return nil
}

func (s *Sweeper) note(ctx context.Context) { s.put(ctx, "alive") }

func (s *Sweeper) put(ctx context.Context, key string) {
	if err := s.o.Store.Note(ctx, key, s.o.Clock.Now().UTC().Format(time.RFC3339Nano)); err != nil && ctx.Err() == nil {
		s.o.Log.WarnContext(ctx, "a note was not kept", slog.String("note", key), slog.String("error", err.Error()))
	}
}

func (s *Sweeper) noted(ctx context.Context, key string) (time.Time, bool) {
	v, ok, err := s.o.Store.Noted(ctx, key)
	if err != nil || !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	return t, err == nil
}
