package work

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"primum/bot/store"
	"primum/forges"
)

// one judges a claimed subject and writes back how it ended.
func (p *Pool) one(c *store.Claim) {
	log := p.o.Log.With(slog.String("kind", string(c.Kind)), slog.String("repo_id", c.RepoID), slog.String("ref", c.Ref), slog.String("reason", c.Reason))
	if c.Tries >= p.retries.max { // it ended a process, more than once
		problem := cmp.Or(c.Problem, fmt.Sprintf("judging it was cut off %d times", c.Tries))
		p.end(log, c, store.Finish{Problem: problem})
		log.Error("gave up", slog.Int("tries", c.Tries), slog.String("error", problem))
		return
	}
	ctx, cancel := context.WithCancelCause(p.judging)
	defer cancel(nil)
	beating := p.keepLease(ctx, cancel, log, *c)
	f, err := p.judge(ctx, c)
	cause := context.Cause(ctx)
	cancel(nil)
	<-beating
	switch {
	case errors.Is(cause, store.ErrLost), errors.Is(err, store.ErrLost):
		log.Warn("the lease was lost; another has the subject")
	case err != nil && errors.Is(cause, errStopped):
		p.release(log, c)
	case err != nil:
		p.failed(log, c, f, err)
	default:
		p.end(log, c, f)
	}
}

// judge calls the Judge; a panic is an error like any other.
func (p *Pool) judge(ctx context.Context, c *store.Claim) (f store.Finish, err error) {
	defer func() {
		if r := recover(); r != nil {
			p.o.Log.ErrorContext(ctx, "judging panicked", slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
			f, err = store.Finish{}, fmt.Errorf("judge %s %s: panic: %v", c.Kind, c.Ref, r)
		}
	}()
	return p.o.Judge(ctx, c)
}

// keepLease renews a lease until ctx ends, and ends it with ErrLost if that
// fails for as long as the lease holds. The channel is closed when it is done.
func (p *Pool) keepLease(ctx context.Context, cancel context.CancelCauseFunc, log *slog.Logger, c store.Claim) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			t := p.o.Clock.NewTimer(p.o.Lease / 3)
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
			callCtx, end := context.WithTimeout(ctx, p.o.Lease/3)
			err := p.o.Store.Extend(callCtx, &c, p.o.Lease)
			end()
			switch {
			case err == nil || ctx.Err() != nil:
			case errors.Is(err, store.ErrLost), !p.o.Clock.Now().Before(c.Lease):
				cancel(store.ErrLost)
				return
			default:
				log.WarnContext(ctx, "the lease could not be renewed yet", slog.String("error", err.Error()))
			}
		}
	}()
	return done
}

// failed writes back a failed try: when to try again, or that it is given up.
func (p *Pool) failed(log *slog.Logger, c *store.Claim, f store.Finish, err error) {
	now := p.o.Clock.Now()
	f.Problem = err.Error()
	f.Retry = p.retries.after(now, c.Tries+1, err)
	_, f.Waited = forges.RetryAt(err)
	attrs := []any{slog.Int("tries", c.Tries+1), slog.String("error", f.Problem)}
	if f.Retry.IsZero() {
		log.Error("gave up", attrs...)
	} else {
		log.Warn("will try again", append(attrs, slog.Duration("after", f.Retry.Sub(now).Round(time.Millisecond)))...)
	}
	p.end(log, c, f)
}

// end writes back a Finish, also while the pool is stopping. If the store
// cannot take it the lease runs out, and the subject is judged once more.
func (p *Pool) end(log *slog.Logger, c *store.Claim, f store.Finish) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.judging), finishTimeout)
	defer cancel()
	switch err := p.o.Store.Done(ctx, c, f); {
	case errors.Is(err, store.ErrLost):
		log.Warn("the lease was lost; another has the subject")
	case err != nil:
		log.Error("the end of a judgement was not kept; it will be judged again", slog.String("error", err.Error()))
	}
}

func (p *Pool) release(log *slog.Logger, c *store.Claim) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.judging), finishTimeout)
	defer cancel()
	if err := p.o.Store.Release(ctx, c); err != nil && !errors.Is(err, store.ErrLost) {
		log.Error("a subject was not handed back; its lease runs out", slog.String("error", err.Error()))
	}
}
