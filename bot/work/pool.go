// Package work judges what is due. A Pool claims subjects whose time has come,
// judges each in a goroutine of its own, and writes back how it ended.
//
// The store is the queue: a subject is held by a lease that the Pool renews
// while the judgement runs, and that runs out if the process dies. A judgement
// whose lease is lost is cancelled. What failed comes back later and later,
// when the forge names a time then, and what fails for good is given up, which
// anybody can see and any new event undoes.
//
// Judging waits on the network and hardly computes, so many run at once.
package work

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"primum/bot/clock"
	"primum/bot/store"
)

// Judge judges one claimed subject. The Finish says how it ended, or, beside an
// error, what is worth keeping all the same.
type Judge func(ctx context.Context, c *store.Claim) (store.Finish, error)

// Options are what a Pool needs. Store, Judge, Clock and Log are required.
type Options struct {
	Store store.Store
	Judge Judge
	Clock clock.Clock
	Log   *slog.Logger
	// Owner is the stable name of this process among the replicas. What a
	// former process of this name left behind is taken back at Start; with ""
	// a name is made up and leases run out instead.
	Owner string
	// Concurrency is how many subjects are judged at once; default 64.
	Concurrency int
	// Lease is how long a dead process keeps its subjects; default 30 s.
	Lease time.Duration
	// Poll is how often to look for what other replicas marked; default 5 s.
	Poll time.Duration
	// MaxTries is after how many failed tries a subject is given up, and
	// LastingTries the same for errors that trying again does not mend.
	// Defaults 20 and 3.
	MaxTries     int
	LastingTries int
}

// Pool claims and judges. Make one with New, Start it once, Stop it once.
type Pool struct {
	o       Options
	retries retries

	judging context.Context // the life of all judgements, ended by Stop
	cancel  context.CancelCauseFunc

	stopping chan struct{}  // closed by Stop: claim no more
	loop     sync.WaitGroup // the one that claims
	running  sync.WaitGroup // judgements
	freed    chan struct{}  // signalled when a judgement ended

	mu   sync.Mutex
	held map[int64]*store.Claim
}

// errStopped is why a judgement was cancelled by Stop.
var errStopped = errors.New("the service stops")

// New makes a Pool.
func New(o Options) *Pool {
	o.Concurrency = cmp.Or(max(o.Concurrency, 0), 64)
	o.Lease = cmp.Or(max(o.Lease, 0), 30*time.Second)
	o.Poll = cmp.Or(max(o.Poll, 0), 5*time.Second)
	return &Pool{
		o:        o,
		retries:  retries{max: cmp.Or(max(o.MaxTries, 0), 20), lasting: cmp.Or(max(o.LastingTries, 0), 3)},
		stopping: make(chan struct{}),
		freed:    make(chan struct{}, 1),
		held:     map[int64]*store.Claim{},
	}
}

// Start takes back what a former process of this name held and begins to claim.
// ctx ends no judgement; Stop does.
func (p *Pool) Start(ctx context.Context) error {
	if p.o.Owner == "" {
		p.o.Owner = madeUpName()
	} else {
		n, err := p.o.Store.Reclaim(ctx, p.o.Owner)
		if err != nil {
			return fmt.Errorf("start work: %w", err)
		}
		if n > 0 {
			p.o.Log.InfoContext(ctx, "took back what was being judged", slog.Int("subjects", n))
		}
	}
	p.judging, p.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	p.loop.Go(p.claimAll)
	return nil
}

// Stop claims no more, waits for the judgements under way until ctx ends, then
// cancels those left and hands their subjects back. It returns when nothing is
// held any more.
func (p *Pool) Stop(ctx context.Context) error {
	if p.cancel == nil { // never started
		return nil
	}
	close(p.stopping)
	p.loop.Wait()
	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		p.cancel(errStopped)
		return nil
	case <-ctx.Done():
	}
	p.cancel(errStopped)
	grace := p.o.Clock.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-done:
		return nil
	case <-grace.C: // a judgement that does not heed its context
	}
	return p.releaseHeld(context.WithoutCancel(ctx))
}

// Bounds of stopping and finishing.
const (
	stopGrace     = 3 * time.Second
	finishTimeout = 10 * time.Second
)

// Running is how many subjects are being judged.
func (p *Pool) Running() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.held)
}

// claimAll claims and starts judgements until the pool stops.
func (p *Pool) claimAll() {
	for {
		wait := p.o.Poll
		full, err := p.claimSome()
		switch {
		case err != nil:
			p.o.Log.Error("subjects could not be claimed", slog.String("error", err.Error()))
		case full: // there may be more: go on as soon as there is room
			if p.Running() < p.o.Concurrency {
				continue
			}
		default:
			wait = p.untilNext()
		}
		if !p.wait(wait) {
			return
		}
	}
}

// claimSome fills the free places; full says that there may be more to claim.
func (p *Pool) claimSome() (full bool, err error) {
	select {
	case <-p.stopping:
		return false, nil
	default:
	}
	free := p.o.Concurrency - p.Running()
	if free <= 0 {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(p.judging, finishTimeout)
	defer cancel()
	claims, err := p.o.Store.Claim(ctx, p.o.Owner, p.o.Lease, free)
	if err != nil {
		return false, err
	}
	for i := range claims {
		p.begin(&claims[i])
	}
	return len(claims) == free, nil
}

// soonest is the shortest wait for a subject that is due and was not claimed:
// another replica is just taking it.
const soonest = 20 * time.Millisecond

// untilNext is how long to wait for the next subject to fall due.
func (p *Pool) untilNext() time.Duration {
	ctx, cancel := context.WithTimeout(p.judging, finishTimeout)
	defer cancel()
	next, ok, err := p.o.Store.NextDue(ctx)
	switch {
	case err != nil:
		p.o.Log.Error("the next due time could not be read", slog.String("error", err.Error()))
		return p.o.Poll
	case !ok:
		return p.o.Poll
	}
	return min(max(next.Sub(p.o.Clock.Now()), soonest), p.o.Poll)
}

// wait waits for a mark, a free place or the time; false if the pool stops.
func (p *Pool) wait(d time.Duration) bool {
	t := p.o.Clock.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.stopping:
		return false
	case <-p.o.Store.Wake():
	case <-p.freed:
	case <-t.C:
	}
	return true
}

// begin starts judging a claimed subject.
func (p *Pool) begin(c *store.Claim) {
	p.mu.Lock()
	p.held[c.ID] = c
	p.mu.Unlock()
	p.running.Go(func() {
		p.one(c)
		p.mu.Lock()
		if p.held[c.ID] == c {
			delete(p.held, c.ID)
		}
		p.mu.Unlock()
		select {
		case p.freed <- struct{}{}:
		default:
		}
	})
}

// releaseHeld hands back whatever is still held.
func (p *Pool) releaseHeld(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	var all error
	for id, c := range p.held {
		if err := p.o.Store.Release(ctx, c); err != nil && !errors.Is(err, store.ErrLost) {
			all = errors.Join(all, fmt.Errorf("hand back %s %s: %w", c.Kind, c.Ref, err))
		}
		delete(p.held, id)
	}
	return all
}
