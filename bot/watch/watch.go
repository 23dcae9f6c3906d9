// Package watch looks whether Primum's verdict still stands where anybody can
// set its check and no delivery tells of it.
//
// On such a forge a green check set in Primum's name would let a change through
// until the next sweep. So every few seconds the check that counts is asked for,
// on the commit of each open change whose verdict is not green: only there does
// a forged one matter. What it finds is marked to be judged at once, and goes
// the usual way: the judgement puts the verdict back and says who did what. The
// watch itself judges and writes nothing.
//
// It costs one small call for each such commit and round, spread over the round,
// never more than so many a second: with many changes the rounds grow longer. Of
// several replicas one watches a forge.
package watch

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"primum/bot/clock"
	"primum/bot/report"
	"primum/bot/store"
	"primum/forges"
)

// Reason is that of the marks made.
const Reason = "watch"

// Options are what a Watcher needs.
type Options struct {
	Store  store.Store
	Forges []forges.Forge
	Clock  clock.Clock
	Log    *slog.Logger
	// Interval between two looks at one commit, if there are not too many; zero
	// for no watch.
	Interval time.Duration
	// Owner names this process among replicas; a random one if "".
	Owner string
	// Relevant says whether a repository is served; nil for all.
	Relevant func(forges.RepoRef) bool
	// Observe is told of every round; nil if nobody listens.
	Observe func(Round)
}

// Round is one look at every commit watched on a forge.
type Round struct {
	Forge   string
	Commits int // watched
	Found   int // where somebody else's check stood
	// Took is the time to the next round, and so how long a forged check may stand
	// before it is seen.
	Took time.Duration
}

// Bounds.
const (
	perSecond  = 10               // calls to one forge
	atMost     = 5000             // open changes of a forge that are looked through, the newest
	slowest    = time.Minute      // between tries of a forge that does not answer
	again      = time.Minute      // for so long what was seen, or cannot be read, is let be
	askTimeout = 10 * time.Second // of one call
	giveUp     = 3                // calls that fail in a row end a round
)

// Watcher marks changes whose check is no longer Primum's.
type Watcher struct{ o Options }

// New makes a Watcher.
func New(o Options) *Watcher {
	if o.Owner == "" {
		o.Owner = rand.Text()
	}
	if o.Relevant == nil {
		o.Relevant = func(forges.RepoRef) bool { return true }
	}
	if o.Observe == nil {
		o.Observe = func(Round) {}
	}
	return &Watcher{o: o}
}

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	if w.o.Interval <= 0 {
		return
	}
	var wait sync.WaitGroup
	for _, f := range w.o.Forges {
		if reader, ok := f.(forges.StandingReader); ok {
			p := &post{Watcher: w, forge: f, reader: reader, quiet: map[string]time.Time{}}
			wait.Go(func() { p.run(ctx) })
		}
	}
	wait.Wait()
}

// post is the watch of one forge.
type post struct {
	*Watcher
	forge  forges.Forge
	reader forges.StandingReader

	noted time.Time            // when we last noted that we watch; zero if another does
	quiet map[string]time.Time // what is let be, until when
	row   int                  // calls that failed, one after the other
	from  int                  // where the next round begins, so that what fails keeps nothing else from its turn
	long  bool                 // the last round was longer than the interval, and it was said
}

func (p *post) run(ctx context.Context) {
	for wait := p.o.Interval; p.sleep(ctx, wait); {
		wait = p.o.Interval
		if p.blind() {
			wait = p.round(ctx)
		}
	}
}

// blind reports whether a forged check would go unseen. It is asked each round,
// since a forge's version is not known from the start.
func (p *post) blind() bool {
	c := p.forge.Capabilities()
	return !c.PinnedCheck && !c.Has(forges.TellsStatus)
}

// sleep waits; false if ctx ended first.
func (p *post) sleep(ctx context.Context, d time.Duration) bool {
	t := p.o.Clock.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}

// round looks at every commit once, each in its turn. It answers how long to
// wait for the next round.
func (p *post) round(ctx context.Context) time.Duration {
	commits, err := p.commits(ctx)
	if ctx.Err() != nil {
		return p.o.Interval
	}
	if err != nil {
		p.o.Log.WarnContext(ctx, "what to watch could not be read", p.problem(err)...)
		return p.o.Interval
	}
	if len(commits) == 0 || !p.mine(ctx) {
		p.o.Observe(Round{Forge: p.forge.Key()})
		return p.o.Interval
	}
	pace := max(p.o.Interval/time.Duration(len(commits)), time.Second/perSecond)
	begun, found := p.o.Clock.Now(), 0
	ended := func(wait time.Duration) time.Duration {
		took := p.o.Clock.Now().Sub(begun) + wait
		p.o.Observe(Round{Forge: p.forge.Key(), Commits: len(commits), Found: found, Took: took})
		p.tell(ctx, len(commits), took)
		return wait
	}
	for i := range commits {
		if i > 0 && (!p.sleep(ctx, pace) || !p.mine(ctx)) {
			return p.o.Interval
		}
		at := (p.from + i) % len(commits)
		alarm, wait := p.look(ctx, &commits[at])
		if alarm {
			found++
		}
		if wait > 0 {
			p.from = at + 1
			return ended(wait)
		}
	}
	p.from = 0
	return ended(pace)
}

// look asks for the check that counts on one commit and marks its changes where
// it is somebody else's. A wait above zero ends the round.
func (p *post) look(ctx context.Context, c *commit) (alarm bool, wait time.Duration) {
	now := p.o.Clock.Now()
	if now.Before(p.quiet[c.id()]) {
		return false, 0
	}
	askCtx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	check, err := p.reader.Standing(askCtx, c.repo, c.sha, report.Name)
	switch {
	case ctx.Err() != nil:
		return false, p.o.Interval
	case errors.Is(err, forges.ErrNotFound): // nothing of our name lets nothing through
		p.row = 0
		return false, 0
	case err != nil:
		return false, p.failed(ctx, c, now, err)
	}
	p.row = 0
	seen := c.id() + " " + check.ID
	if check.Ours || now.Before(p.quiet[seen]) {
		return false, 0
	}
	marks := make([]store.Mark, 0, len(c.changes))
	for _, k := range c.changes {
		marks = append(marks, store.Mark{Key: k, Reason: Reason, IfKnown: true})
	}
	if _, err := p.o.Store.Mark(ctx, marks, nil); err != nil {
		p.o.Log.WarnContext(ctx, "a change whose check is not Primum's was not marked", p.problem(err)...)
		return true, 0
	}
	// A judgement puts ours back and is soon over; where it cannot, judging again
	// every few seconds would not help.
	p.quiet[seen] = now.Add(again)
	p.o.Log.WarnContext(ctx, "somebody else set Primum's check; it is judged at once", slog.String("forge", p.forge.Key()),
		slog.String("repo", c.repo.FullName()), slog.String("head_sha", c.sha), slog.String("state", string(check.State)), slog.String("by", check.Source))
	return true, 0
}

// failed decides what a call that failed means: the forge asks to wait, or it
// does not answer, or this one commit cannot be read.
func (p *post) failed(ctx context.Context, c *commit, now time.Time, err error) time.Duration {
	if until, ok := forges.RetryAt(err); ok {
		return max(until.Sub(now), p.o.Interval)
	}
	if !forges.Temporary(err) {
		p.quiet[c.id()] = now.Add(again)
	}
	if p.row++; p.row < giveUp {
		return 0
	}
	if p.row == giveUp {
		p.o.Log.WarnContext(ctx, "the forge does not say which checks stand; the watch slows down until it does", p.problem(err)...)
	}
	return min(max(slowest, p.o.Interval), p.o.Interval<<min(p.row-giveUp+1, 10))
}

// tell says when rounds begin to take longer than the interval, and when they no
// longer do.
func (p *post) tell(ctx context.Context, commits int, took time.Duration) {
	if long := took > p.o.Interval*3/2; long != p.long {
		p.long = long
		p.o.Log.InfoContext(ctx, "the time in which a forged check is seen changed", slog.String("forge", p.forge.Key()),
			slog.Int("commits", commits), slog.Duration("round", took), slog.Duration("interval", p.o.Interval))
	}
	now := p.o.Clock.Now()
	maps.DeleteFunc(p.quiet, func(_ string, until time.Time) bool { return !now.Before(until) })
}

// problem are the attributes of a warning.
func (p *post) problem(err error) []any {
	return []any{slog.String("forge", p.forge.Key()), slog.String("error", err.Error())}
}
