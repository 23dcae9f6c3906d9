package github

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/go-playground/webhooks/v6/github"

	"primum/forges"
	"primum/forges/kept"
	"primum/forges/wire"
	"primum/rules/fact"
)

// Forge is one GitHub with all installations of one app, or as seen by one
// token. It is safe for concurrent use.
type Forge struct {
	*settled

	hooks []*github.Webhook // one per secret
	asApp *client           // nil with a plain token

	mu      sync.Mutex
	clients map[string]*client // by installation; "" with a plain token
	found   map[string]lookup  // by "owner/name", lower case

	slug   atomic.Pointer[string] // of our app, once known
	people *kept.People
	files  *kept.Recent[[]fact.File]
	diffs  *kept.Recent[comparison]
	plain  *kept.Recent[bool] // repositories where the token may not write checks
}

// lookup is the installation of a repository that names none; it is asked for
// again after a while, since an app can be removed and installed anew.
type lookup struct {
	installation string
	until        time.Time
}

const lookupFor = 10 * time.Minute

// The contract this package keeps.
var (
	_ forges.Forge       = (*Forge)(nil)
	_ forges.DeliveryLog = (*Forge)(nil)
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
		clients: map[string]*client{},
		found:   map[string]lookup{},
		people:  kept.NewPeople(s.PeopleFor, 0, s.Now),
		files:   kept.NewRecent[[]fact.File](4000, 24<<20),
		diffs:   kept.NewRecent[comparison](4000, 4<<20),
		plain:   kept.NewRecent[bool](1000, 1<<20),
	}
	for _, secret := range s.Secrets {
		hook, err := github.New(github.Options.Secret(secret))
		if err != nil {
			return nil, fmt.Errorf("github: webhook verifier: %w", err)
		}
		f.hooks = append(f.hooks, hook)
	}
	if s.app() {
		f.asApp, err = newClient(s, "app", func(under http.RoundTripper) http.RoundTripper { return s.appTransport(under) })
		if err != nil {
			return nil, fmt.Errorf("github: %w", err)
		}
	}
	return f, nil
}

// Key implements forges.Forge.
func (f *Forge) Key() string { return f.settled.Key }

// Forget implements forges.PeopleCache.
func (f *Forge) Forget(owner string) { f.people.Forget(owner) }

// client gives the calls of the repository's installation. Repositories that
// name none are looked up once.
func (f *Forge) client(ctx context.Context, r forges.RepoRef) (*client, error) {
	if !validName(r.Owner) || !validName(r.Name) {
		return nil, fmt.Errorf("repository %q: %w", r.FullName(), forges.ErrNotFound)
	}
	if !f.app() {
		return f.installation("")
	}
	if r.Installation != "" {
		if _, err := strconv.ParseInt(r.Installation, 10, 64); err != nil {
			return nil, fmt.Errorf("installation %q: %w", r.Installation, forges.ErrNotFound)
		}
		return f.installation(r.Installation)
	}
	key := strings.ToLower(r.FullName())
	f.mu.Lock()
	seen, known := f.found[key]
	f.mu.Unlock()
	id := seen.installation
	if !known || !seen.until.After(f.Now()) {
		in, _, err := f.asApp.rest.Apps.FindRepositoryInstallation(wire.Operation(ctx, "find_installation"), r.Owner, r.Name)
		if err != nil {
			return nil, fmt.Errorf("find installation of %s: %w", r.FullName(), f.asApp.failure(err))
		}
		id = strconv.FormatInt(in.GetID(), 10)
		f.mu.Lock()
		f.found[key] = lookup{id, f.Now().Add(lookupFor)}
		f.mu.Unlock()
	}
	return f.installation(id)
}

// installation gives the calls of one installation: one transport, one gate,
// one bound on calls in flight for each.
func (f *Forge) installation(id string) (*client, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c, ok := f.clients[id]; ok {
		return c, nil
	}
	var sign func(http.RoundTripper) http.RoundTripper
	if f.app() {
		number, _ := strconv.ParseInt(id, 10, 64) // checked by the caller
		sign = func(under http.RoundTripper) http.RoundTripper {
			return ghinstallation.NewFromAppsTransport(f.appTransport(under), number)
		}
	} else {
		sign = func(under http.RoundTripper) http.RoundTripper {
			return bearer{token: f.Token, under: under}
		}
	}
	c, err := newClient(f.settled, id, sign)
	if err != nil {
		return nil, err
	}
	f.clients[id] = c
	return c, nil
}

// bearer signs calls with a plain token.
type bearer struct {
	token string
	under http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.under.RoundTrip(r)
}

// validName reports whether s can be an owner or a repository: GitHub allows
// letters, digits, dot, dash and underscore, so nothing needs escaping in a path.
func validName(s string) bool {
	if s == "" || len(s) > 100 || s == "." || s == ".." {
		return false
	}
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
