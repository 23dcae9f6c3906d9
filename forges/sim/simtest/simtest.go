// Package simtest gives tests a simulated forge with one of its faces on a
// server, and the adapter that talks to it, in one call: New for GitHub,
// NewGitLab, and NewGitea for Gitea and Forgejo.
package simtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"primum/forges/forgetest"
	"primum/forges/github"
	"primum/forges/sim"
	"primum/forges/sim/githubface"
	"primum/forges/sim/spec"
)

// What every rig is made with.
const (
	App    = "primum"
	Secret = "an-open-secret-for-tests"
	Token  = "ghp_plainTokenOfMaraForTests" //nolint:gosec // opens the simulated forge only
	Org    = forgetest.Org
	Repo   = forgetest.Repo
)

// Rig is a forge, its face and an adapter. Everything is closed with the test.
type Rig struct {
	Forge        *sim.Forge
	Face         *githubface.Face
	Server       *httptest.Server
	GitHub       *github.Forge
	App          sim.App
	Installation sim.Installation
	Key          *rsa.PrivateKey
	Clock        *Clock
}

// Options of a Rig; the zero value is the standard one.
type Options struct {
	// Wrap goes around the face: spec.Wrap, a recorder.
	Wrap func(http.Handler) http.Handler
	// Sent sees every webhook payload before it is sent.
	Sent func(event string, header http.Header, body []byte)
	// HookURL gets the webhooks; none are sent while it is "".
	HookURL string
	// Config changes the adapter's configuration before it is made.
	Config func(*github.Config)
	Seed   uint64
	// Now is the forge's clock; the rig's own Clock if nil.
	Now func() time.Time
	// Empty leaves out the standard people and repository.
	Empty bool
	// Unchecked spares the comparison with GitHub's descriptions; for benchmarks.
	Unchecked bool
}

// Clock is a clock that tests move. It starts at 2026-01-05 09:00 UTC.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock makes a Clock.
func NewClock() *Clock { return &Clock{at: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)} }

// Now is the time it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves it on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// key is made once: RSA keys are slow to find.
var key = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }) //nolint:gochecknoglobals // constant once made

// New makes a rig. Every request, answer and webhook is held against GitHub's
// descriptions, see package spec. The standard one has the organisation acme with the people
// of forgetest.Populate and the repository acme/pump, the app primum installed in it.
func New(tb testing.TB, o Options) *Rig {
	tb.Helper()
	private, err := key()
	if err != nil {
		tb.Fatalf("make a key: %v", err)
	}
	rig := &Rig{Key: private, Clock: NewClock()}
	now := o.Now
	if now == nil {
		now = rig.Clock.Now
	}
	if !o.Unchecked {
		sent, wrap := o.Sent, o.Wrap
		check := spec.Sent(tb)
		o.Sent = func(event string, header http.Header, body []byte) {
			check(event, header, body)
			if sent != nil {
				sent(event, header, body)
			}
		}
		o.Wrap = func(h http.Handler) http.Handler {
			h = spec.Wrap(tb, h)
			if wrap != nil {
				h = wrap(h)
			}
			return h
		}
	}
	rig.Forge = sim.New(sim.Options{Now: now, Seed: o.Seed})
	rig.Face = githubface.New(rig.Forge, githubface.Options{
		App: App, PublicKey: &private.PublicKey, Secret: Secret, HookURL: o.HookURL, Tokens: map[string]string{Token: "mara"},
		AuthNow: time.Now, //nolint:forbidigo // ghinstallation signs with the machine's clock
		Sent:    o.Sent,
	})
	var h http.Handler = rig.Face
	if o.Wrap != nil {
		h = o.Wrap(h)
	}
	rig.Server = httptest.NewServer(h)
	tb.Cleanup(func() {
		rig.Face.Close()
		rig.Server.Close()
	})
	rig.Face.SetURLs(rig.Server.URL, "https://github.example")
	if !o.Empty {
		forgetest.Populate(rig.Forge)
		rig.App = rig.Forge.AddApp(App, "Primum", Org)
		rig.Installation = rig.Forge.Install(App, Org, sim.InstallOptions{})
	}
	config := github.Config{
		AppID: rig.App.ID, PrivateKey: PEM(private), Secrets: []string{Secret}, BaseURL: rig.Server.URL, Now: now,
	}
	if o.Empty {
		config.AppID = 1
	}
	if o.Config != nil {
		o.Config(&config)
	}
	rig.GitHub, err = github.New(config)
	if err != nil {
		tb.Fatalf("make the adapter: %v", err)
	}
	return rig
}

// PEM writes a key as GitHub hands it out.
func PEM(k *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
}
