package gitea

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-playground/webhooks/v6/gitea"

	"primum/forges"
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
	commits *recent[keptCommits]
	files   *recent[[]fact.File]
	diffs   *recent[map[string]fileDiff]
	patches *recent[string]
	blobs   *recent[fact.Blob]
	undone  *recent[dismissal]
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
		commits: newRecent[keptCommits](1000, 24<<20),
		files:   newRecent[[]fact.File](2000, 24<<20),
		diffs:   newRecent[map[string]fileDiff](200, 32<<20),
		patches: newRecent[string](4000, 2<<20),
		blobs:   newRecent[fact.Blob](2000, 24<<20),
		undone:  newRecent[dismissal](4000, 2<<20),
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
func (f *Forge) Forget(owner string) { f.people.forget(owner) }
