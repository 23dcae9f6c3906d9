package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	hooks "github.com/go-playground/webhooks/v6/gitlab"
	gitlab "github.com/xanzy/go-gitlab"

	"primum/forges"
	"primum/forges/kept"
	"primum/forges/wire"
	"primum/rules/fact"
)

// Forge is one GitLab as one account sees it. It is safe for concurrent use.
type Forge struct {
	*settled
	hooks []*hooks.Webhook // one per secret
	http  *http.Client
	rest  *gitlab.Client //nolint:staticcheck // the library named for this; its successor moved, see doc.go

	self   atomic.Pointer[fact.Person] // our account, once known
	people *kept.People

	mu     sync.Mutex
	groups map[int64]string // full paths by number, of groups read

	tips    *kept.Recent[tip]       // per change: the tip of its target branch as last seen
	heads   *kept.Recent[head]      // per commit: where its verdict goes
	files   *kept.Recent[listing]   // per change and versions: its files
	given   *kept.Recent[granted]   // per approval: when it was given, and on which commit
	posters *kept.Recent[poster]    // per job: who set it
	diffs   *kept.Recent[compared]  // per two commits
	emails  *kept.Recent[timed]     // accounts by address
	ways    *kept.Recent[found]     // per project: by what verdicts block
	checks  *kept.Recent[lookedAt]  // per change: what external status checks said
	commits *kept.Recent[committed] // per head: its commits
}

// The contract this package keeps.
var (
	_ forges.Forge       = (*Forge)(nil)
	_ forges.PeopleCache = (*Forge)(nil)
)

// New checks the configuration, all of it, and calls nobody.
func New(c Config) (*Forge, error) {
	s, err := settle(c)
	if err != nil {
		return nil, err
	}
	f := &Forge{
		settled: s,
		people:  kept.NewPeople(s.PeopleFor, 0, s.Now),
		groups:  map[int64]string{},
		tips:    kept.NewRecent[tip](4000, 1<<20),
		heads:   kept.NewRecent[head](4000, 2<<20),
		files:   kept.NewRecent[listing](2000, 24<<20),
		given:   kept.NewRecent[granted](20_000, 4<<20),
		posters: kept.NewRecent[poster](50_000, 8<<20),
		diffs:   kept.NewRecent[compared](4000, 4<<20),
		emails:  kept.NewRecent[timed](10_000, 2<<20),
		ways:    kept.NewRecent[found](2000, 1<<20),
		checks:  kept.NewRecent[lookedAt](4000, 1<<20),
		commits: kept.NewRecent[committed](2000, 16<<20),
	}
	for _, secret := range s.Secrets {
		hook, err := hooks.New(hooks.Options.Secret(secret))
		if err != nil {
			return nil, fmt.Errorf("gitlab: webhook verifier: %w", err)
		}
		f.hooks = append(f.hooks, hook)
	}
	if err := f.connect(); err != nil {
		return nil, fmt.Errorf("gitlab: %w", err)
	}
	return f, nil
}

// Key implements forges.Forge.
func (f *Forge) Key() string { return f.settled.Key }

// Forget implements forges.PeopleCache.
func (f *Forge) Forget(owner string) { f.people.Forget(owner) }

// me is our own account. It is asked for once.
func (f *Forge) me(ctx context.Context) (fact.Person, error) {
	if known := f.self.Load(); known != nil {
		return *known, nil
	}
	var a struct {
		ID       int64  `json:"id"`
		Username string `json:"username"`
		Name     string `json:"name"`
	}
	if _, err := f.get(wire.Operation(ctx, "who_am_i"), "user", nil, &a); err != nil {
		return fact.Person{}, fmt.Errorf("who are we: %w", err)
	}
	// Ours is a machine's account, whatever kind of account GitLab takes it for.
	p := fact.Person{ID: decimal(a.ID), Login: a.Username, Name: a.Name, Bot: true}
	f.self.Store(&p)
	return p, nil
}

// Identify asks who the token belongs to, so that our own comments and approvals
// are known as ours from the first delivery on.
func (f *Forge) Identify(ctx context.Context) error {
	_, err := f.me(ctx)
	return err
}

// learn remembers the full path of a group, which deliveries leave out.
func (f *Forge) learn(id int64, path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.groups[id] = path
}

func (f *Forge) groupPath(id int64, short string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if path, ok := f.groups[id]; ok {
		return path
	}
	return short
}

// public reports whether this is the GitLab that anybody can make groups on.
func (f *Forge) public() bool { return strings.EqualFold(f.web.Hostname(), publicHost) }
