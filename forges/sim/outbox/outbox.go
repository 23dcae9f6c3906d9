// Package outbox sends the webhooks of a face, one after the other, and repeats,
// delays and reorders them as the faults of the simulated forge have it. What a
// webhook looks like, and what is kept of it, is the face's.
package outbox

import (
	"context"
	"sync"
	"time"

	"primum/forges/sim"
)

// Outbox holds deliveries of a face until they are sent. It is safe for
// concurrent use.
type Outbox[D any] struct {
	forge  *sim.Forge
	send   func(context.Context, *D)
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	wake   *sync.Cond
	queue  []*D
	held   *D // waits for the one that follows
	busy   bool
	closed bool
}

// New starts an Outbox; send is called for one delivery at a time.
func New[D any](forge *sim.Forge, send func(context.Context, *D)) *Outbox[D] {
	ctx, cancel := context.WithCancel(context.Background()) //nolint:gosec // Close calls it
	b := &Outbox[D]{forge: forge, send: send, cancel: cancel, done: make(chan struct{})}
	b.wake = sync.NewCond(&b.mu)
	go b.run(ctx)
	return b
}

// Close stops sending, and what is being sent; what waits is dropped.
func (b *Outbox[D]) Close() {
	b.mu.Lock()
	b.closed = true
	b.wake.Broadcast()
	b.mu.Unlock()
	b.cancel()
	<-b.done
}

// Put takes a delivery whose fate was drawn and is not to be lost; it never waits.
func (b *Outbox[D]) Put(d *D, fate sim.DeliveryFate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	send := []*D{d}
	if fate.Repeat {
		twin := *d
		send = append(send, &twin)
	}
	switch {
	case fate.Reorder && b.held == nil:
		b.held = d
		b.queue = append(b.queue, send[1:]...)
	default:
		b.queue = append(b.queue, send...)
		b.release()
	}
	b.wake.Broadcast()
}

// release queues what was held back to change the order.
func (b *Outbox[D]) release() {
	if b.held != nil {
		b.queue = append(b.queue, b.held)
		b.held = nil
	}
}

func (b *Outbox[D]) run(ctx context.Context) {
	defer close(b.done)
	for {
		d := b.next()
		if d == nil {
			return
		}
		if delay := b.forge.Faults().Delay; delay <= 0 || wait(ctx, delay) {
			b.send(ctx, d)
		}
	}
}

// next waits for a delivery; nil once closed.
func (b *Outbox[D]) next() *D {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy = false
	b.wake.Broadcast()
	for len(b.queue) == 0 && !b.closed {
		b.wake.Wait()
	}
	if b.closed {
		return nil
	}
	d := b.queue[0]
	b.queue = b.queue[1:]
	b.busy = true
	return d
}

// wait reports whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Drain waits until everything put in so far was sent, or ctx ends. A delivery
// held back to change the order is sent now.
func (b *Outbox[D]) Drain(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.wake.Broadcast()
	})
	defer stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release()
	b.wake.Broadcast()
	for (len(b.queue) > 0 || b.busy) && !b.closed && ctx.Err() == nil {
		b.wake.Wait()
	}
	return ctx.Err()
}
