package gitea

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-playground/webhooks/v6/gitea"

	"primum/forges"
	"primum/forges/kept"
	"primum/forges/wire"
	"primum/rules/fact"
)

// Forge is one Gitea or Forgejo as one account sees it. It is safe for
// concurrent use.
type Forge struct {
	*settled

	hooks []*gitea.Webhook // one per secret
	http  *http.Client

	mu      sync.Mutex
	product product // as asked last
	asked   time.Time
	self    fact.Person   // our account, once known
	asking  chan struct{} // held by who asks for them

	people  *people
	commits *kept.Recent[keptCommits]
	files   *kept.Recent[[]fact.File]
	diffs   *kept.Recent[map[string]fileDiff]
	patches *kept.Recent[string]
	blobs   *kept.Recent[fact.Blob]
	undone  *kept.Recent[dismissal]
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
		asking:  make(chan struct{}, 1),
		people:  newPeople(s.PeopleFor, s.Now),
		commits: kept.NewRecent[keptCommits](1000, 24<<20),
		files:   kept.NewRecent[[]fact.File](2000, 24<<20),
		diffs:   kept.NewRecent[map[string]fileDiff](200, 32<<20),
		patches: kept.NewRecent[string](4000, 2<<20),
		blobs:   kept.NewRecent[fact.Blob](2000, 24<<20),
		undone:  kept.NewRecent[dismissal](4000, 2<<20),
	}
	for _, secret := range s.Secrets {
		hook, err := gitea.New(gitea.Options.Secret(secret))
		if err != nil {
			return nil, fmt.Errorf("gitea: webhook verifier: %w", err)
		}
		f.hooks = append(f.hooks, hook)
	}
	client, err := wire.New(wire.Options{
		Base: s.web, CAFile: s.CAFile, CAPEM: s.CAPEM, Proxy: s.Proxy, Timeout: s.Timeout, Wait: s.Wait, Now: s.Now,
		Meter: s.Meter, MaxInFlight: maxInFlight, Scope: s.Key,
		Sign: func(r *http.Request) {
			r.Header.Set("Authorization", "token "+s.Token)
			r.Header.Set("User-Agent", "primum")
			if r.Header.Get("Accept") == "" {
				r.Header.Set("Accept", "application/json")
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("gitea: %w", err)
	}
	client.Transport = refusing{client.Transport}
	f.http = client
	return f, nil
}

// Key implements forges.Forge.
func (f *Forge) Key() string { return f.settled.Key }

// Forget implements forges.PeopleCache.
func (f *Forge) Forget(owner string) { f.people.Forget(owner) }
