// Package judge brings one claimed subject up to date: it reads the newest
// facts, judges them and hands the verdict to publish.
//
// A change goes through named stages: read (one call when warm), guard against
// a forge that answers with an older state, recall what comments first said,
// complete the links, parse the policy of the target branch, evaluate (pure),
// keep the verdict, publish what differs. A merge queue candidate is judged by
// judging every member afresh; a repository or a forge is read to find the
// subjects a lost webhook hid, and marks them for the same path.
//
// What a reading costs is remembered on the subject and on its repository, as
// hints: losing them costs calls and never truth.
package judge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"primum/bot/clock"
	"primum/bot/publish"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
)

// Options are what a Judge needs. Relevant and Observe may be nil.
type Options struct {
	Store   store.Store
	Forges  []forges.Forge
	Publish *publish.Publisher
	Clock   clock.Clock
	Log     *slog.Logger
	// Engine is the version of the rules, stamped on every verdict.
	Engine string
	// Relevant says whether a repository is served; nil for all.
	Relevant func(forges.RepoRef) bool
	// Observe is told of every judgement; nil if nobody listens.
	Observe func(Judged)
	// Sweep is the interval of the sweeps, over which those of many changes are
	// spread; zero for 15 minutes.
	Sweep time.Duration
}

const usualSweep = 15 * time.Minute

// Judged is one finished judgement, for metrics.
type Judged struct {
	Kind  store.Kind
	State rules.Outcome // "" for kinds without a verdict, and after an error
	Took  time.Duration
	Reads int // ReadChange calls
	Err   error
}

// Bounds on time. Everything a worker does between two signs of life is
// shorter than a lease.
const (
	readTimeout = 20 * time.Second
	listTimeout = 20 * time.Second
)

// Judge judges subjects. It is safe for concurrent use.
type Judge struct {
	store    store.Store
	forges   map[string]forges.Forge
	publish  *publish.Publisher
	clock    clock.Clock
	log      *slog.Logger
	engine   string
	relevant func(forges.RepoRef) bool
	observe  func(Judged)
	sweep    time.Duration
	policies *policies
	pins     sync.Map // pin key to account id; a pin never moves

	mu     sync.Mutex
	forgot map[string]time.Time // owner to when its people were last asked anew
}

// New makes a Judge.
func New(o Options) *Judge {
	j := &Judge{
		store: o.Store, forges: map[string]forges.Forge{}, publish: o.Publish, clock: o.Clock,
		log: o.Log, engine: o.Engine, relevant: o.Relevant, observe: o.Observe, policies: newPolicies(), forgot: map[string]time.Time{},
	}
	if j.sweep = o.Sweep; j.sweep <= 0 {
		j.sweep = usualSweep
	}
	for _, f := range o.Forges {
		j.forges[f.Key()] = f
	}
	if j.relevant == nil {
		j.relevant = func(forges.RepoRef) bool { return true }
	}
	if j.observe == nil {
		j.observe = func(Judged) {}
	}
	return j
}

// Subject judges one claimed subject. The Finish is complete also beside an
// error: it then keeps what the claim brought. An error that forges.Temporary
// calls lasting does not mend by trying again.
func (j *Judge) Subject(ctx context.Context, c *store.Claim) (store.Finish, error) {
	started := j.clock.Now()
	told := Judged{Kind: c.Kind}
	f, err := j.dispatch(ctx, c, &told)
	told.Err, told.Took = err, j.clock.Now().Sub(started)
	j.observe(told)
	return f, err
}

func (j *Judge) dispatch(ctx context.Context, c *store.Claim, told *Judged) (store.Finish, error) {
	forge, ok := j.forges[c.Forge]
	if !ok {
		return keep(c), fmt.Errorf("judge %s: no forge %q is configured: %w", c.Kind, c.Forge, forges.ErrUnsupported)
	}
	switch c.Kind {
	case store.KindChange:
		return j.change(ctx, forge, c, told)
	case store.KindQueue:
		return j.queue(ctx, forge, c, told)
	case store.KindRepo:
		return j.repo(ctx, forge, c)
	case store.KindForge:
		return j.forge(ctx, forge, c)
	default:
		return keep(c), fmt.Errorf("judge: subject of unknown kind %q: %w", c.Kind, forges.ErrUnsupported)
	}
}

// keep is the Finish that leaves everything as the claim found it.
func keep(c *store.Claim) store.Finish {
	return store.Finish{Memory: c.Memory, Open: c.Open, Head: c.Head, Base: c.Base, Links: c.Memory.Issues}
}

// row reads what is known of a claim's repository.
func (j *Judge) row(ctx context.Context, k store.Key) (store.RepoRow, error) {
	row, err := j.store.Repo(ctx, k.Forge, k.RepoID)
	if err != nil {
		return row, fmt.Errorf("look up repository %s: %w", k.RepoID, err)
	}
	return row, nil
}

// ref is a repository row as forges want it.
func ref(r store.RepoRow) forges.RepoRef {
	return forges.RepoRef{
		Forge: r.Forge, ID: r.ID, Owner: r.Owner, Name: r.Name,
		Installation: r.Installation, Private: r.Private, Default: r.Default,
	}
}

// gone reports whether an error means that we can see nothing there any more.
func gone(err error) bool {
	return errors.Is(err, forges.ErrNotFound) || errors.Is(err, forges.ErrSuspended)
}

// forgetPeople makes the forge ask anew who is in an owner's teams, once for
// all the subjects that one change of people marked, or because somebody who
// may write to the repository pressed the button that reads everything anew.
// Anybody who sees a check may press it; from others it is a judgement like any
// other, which costs one reading and moves nothing.
func (j *Judge) forgetPeople(ctx context.Context, forge forges.Forge, repo forges.RepoRef, c *store.Claim) {
	cache, ok := forge.(forges.PeopleCache)
	if !ok || c.Reason != string(fact.OnPeople) && !j.mayAsk(ctx, forge, repo, c) {
		return
	}
	key := forge.Key() + " " + repo.Owner
	j.mu.Lock()
	defer j.mu.Unlock()
	if c.MarkedAt.After(j.forgot[key]) {
		j.forgot[key] = j.clock.Now()
		cache.Forget(repo.Owner)
	}
}

// mayAsk reports whether a claim was asked for by somebody who may write to the
// repository. What cannot be found out is no.
func (j *Judge) mayAsk(ctx context.Context, forge forges.Forge, repo forges.RepoRef, c *store.Claim) bool {
	who := store.Requester(c.Reason)
	if who == "" {
		return false
	}
	p, err := forge.Permission(ctx, repo, who)
	may := err == nil && (p == forges.PermWrite || p == forges.PermAdmin)
	if !may {
		j.log.InfoContext(ctx, "a button was pressed by somebody who may not write", slog.String("repo", repo.FullName()),
			slog.String("ref", c.Ref), slog.String("login", who))
	}
	return may
}
