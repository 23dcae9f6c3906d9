package simtest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"primum/forges/forgetest"
	"primum/forges/gitea"
	"primum/forges/sim"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/spec"
)

// What every Gitea rig is made with.
const (
	Bot       = "primum"
	BotToken  = "0123456789abcdef0123456789abcdef01234567" // opens the simulated forge only
	MaraToken = "89abcdef0123456789abcdef0123456789abcdef" // likewise
)

// BotScopes are the scopes of the bot's token: what the README asks for.
func BotScopes() []string {
	return []string{"write:repository", "write:issue", "read:organization", "read:user", "read:misc"}
}

// GiteaRig is a forge, its face and an adapter. Everything is closed with the test.
type GiteaRig struct {
	Forge  *sim.Forge
	Face   *giteaface.Face
	Server *httptest.Server
	Gitea  *gitea.Forge
	Clock  *Clock
	Bot    string // login the adapter acts as
	Token  string // of the bot
}

// GiteaOptions of a GiteaRig; the zero value is the standard one.
type GiteaOptions struct {
	// Product is giteaface.Gitea (the default) or giteaface.Forgejo.
	Product string
	// Version as the product reports it; the face's default if empty.
	Version string
	// Path is a sub-path the product is installed below: "/gitea".
	Path string
	// Writer leaves the bot with write in the repository and outside the teams;
	// otherwise it owns the organisation, and may read teams and permissions.
	Writer bool
	// Scopes of the bot's token; BotScopes if nil.
	Scopes []string
	// Wrap goes around the face: a recorder.
	Wrap func(http.Handler) http.Handler
	// Sent sees every webhook payload before it is sent.
	Sent func(event string, header http.Header, body []byte)
	// HookURL gets the webhooks; none are sent while it is "".
	HookURL string
	// Config changes the adapter's configuration before it is made.
	Config func(*gitea.Config)
	Seed   uint64
	// Now is the forge's clock; the rig's own Clock if nil.
	Now func() time.Time
	// Empty leaves out the standard people and repository.
	Empty bool
	// Unchecked spares the comparison with Gitea's description; for benchmarks.
	Unchecked bool
}

// Forbid takes something away from the bot: "members" its place among the owners
// of the organisation, "checks" and "statuses" the code of its repositories,
// "issues" and "pull_requests" the scope to comment.
func (r *GiteaRig) Forbid(tb testing.TB, what string) {
	tb.Helper()
	switch what {
	case "members":
		r.Forge.Join(Org, false, Bot)
		if err := r.Forge.As("alex").Grant(Repo, Bot, sim.Write); err != nil {
			tb.Fatalf("let the bot in as a writer: %v", err)
		}
	case "checks", "statuses":
		r.Face.Withhold(Bot, "code")
	case "issues", "pull_requests":
		r.Face.AddToken(BotToken, Bot, "write:repository", "read:issue", "read:organization", "read:user", "read:misc")
	default:
		tb.Fatalf("the bot has no %q to lose", what)
	}
}

// Suspend keeps the bot from signing in.
func (r *GiteaRig) Suspend() { r.Forge.SuspendUser(Bot, true) }

// NewGitea makes a rig of Gitea or Forgejo. Every request and answer is held
// against Gitea's description, see package spec. The standard one has the people
// of forgetest.Populate and the repository acme/pump, and the bot "primum".
func NewGitea(tb testing.TB, o GiteaOptions) *GiteaRig {
	tb.Helper()
	rig := &GiteaRig{Clock: NewClock(), Bot: Bot, Token: BotToken}
	now := o.Now
	if now == nil {
		now = rig.Clock.Now
	}
	rig.Forge = sim.New(sim.Options{Now: now, Seed: o.Seed})
	rig.Face = giteaface.New(rig.Forge, giteaface.Options{Product: o.Product, Version: o.Version, Secret: Secret, HookURL: o.HookURL, Sent: o.Sent})
	var h http.Handler = rig.Face
	switch {
	case o.Unchecked:
	case o.Product == giteaface.Forgejo:
		h = spec.WrapForgejo(tb, h)
	default:
		h = spec.WrapGitea(tb, h)
	}
	if o.Wrap != nil {
		h = o.Wrap(h)
	}
	rig.Server = httptest.NewServer(h)
	tb.Cleanup(func() {
		rig.Face.Close()
		rig.Server.Close()
	})
	rig.Face.SetURLs("", rig.Server.URL+o.Path)
	scopes := o.Scopes
	if scopes == nil {
		scopes = BotScopes()
	}
	rig.Face.AddToken(BotToken, Bot, scopes...)
	rig.Face.AddToken(MaraToken, "mara")
	if !o.Empty {
		forgetest.Populate(rig.Forge)
		rig.Forge.AddBot(Bot, "Primum")
		if o.Writer {
			rig.Forge.Join(Org, false, Bot)
			if err := rig.Forge.As("alex").Grant(Repo, Bot, sim.Write); err != nil {
				tb.Fatalf("let the bot in: %v", err)
			}
		} else {
			rig.Forge.Join(Org, true, Bot)
		}
	}
	config := gitea.Config{URL: rig.Server.URL + o.Path, Token: BotToken, Secrets: []string{Secret}, Now: now}
	if o.Config != nil {
		o.Config(&config)
	}
	var err error
	rig.Gitea, err = gitea.New(config)
	if err != nil {
		tb.Fatalf("make the adapter: %v", err)
	}
	return rig
}
