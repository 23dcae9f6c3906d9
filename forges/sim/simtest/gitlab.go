package simtest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"primum/forges/forgetest"
	"primum/forges/gitlab"
	"primum/forges/sim"
	"primum/forges/sim/gitlabface"
	"primum/forges/sim/spec"
)

// GitLabToken is the bot's token, with the scope api.
const GitLabToken = "glpat-botOfPrimumTests0" //nolint:gosec // opens the simulated forge only

// GitLabMara is a token of mara's with the scope api.
const GitLabMara = "glpat-maraWritesTests00"

// GitLabRig is a forge, its GitLab face and an adapter. Everything is closed with
// the test.
type GitLabRig struct {
	Forge  *sim.Forge
	Face   *gitlabface.Face
	Server *httptest.Server
	GitLab *gitlab.Forge
	Clock  *Clock
	Bot    string // login the adapter acts as
	Token  string // of the bot
}

// GitLabOptions of a GitLabRig; the zero value is the standard one.
type GitLabOptions struct {
	// Tier is gitlabface.Free (the default), Premium or Ultimate.
	Tier string
	// Path is a sub-path GitLab is installed below: "/gitlab".
	Path string
	// Face changes how the face is made: numbers of its own, nested groups.
	Face func(*gitlabface.Options)
	// Wrap goes around the face: a recorder.
	Wrap func(http.Handler) http.Handler
	// Sent sees every webhook payload before it is sent.
	Sent func(event string, header http.Header, body []byte)
	// HookURL gets the webhooks; none are sent while it is "".
	HookURL string
	// Config changes the adapter's configuration before it is made.
	Config func(*gitlab.Config)
	Seed   uint64
	// Now is the forge's clock; the rig's own Clock if nil.
	Now func() time.Time
	// Empty leaves out the standard people and repository.
	Empty bool
	// Unchecked spares the comparison with GitLab's descriptions; for benchmarks.
	Unchecked bool
}

// Forbid takes something away from the bot: "members" the groups and their
// members, "checks" and "statuses" commit statuses, "issues" and
// "pull_requests" the notes.
func (r *GitLabRig) Forbid(tb testing.TB, what string) {
	tb.Helper()
	switch what {
	case "members":
		r.Face.Forbid("members")
	case "checks", "statuses":
		r.Face.Forbid("statuses")
	case "issues", "pull_requests":
		r.Face.Forbid("notes")
	default:
		tb.Fatalf("the bot has no %q to lose", what)
	}
}

// Suspend blocks the bot's account.
func (r *GitLabRig) Suspend() { r.Forge.SuspendUser(Bot, true) }

// NewGitLab makes a rig of GitLab. Every request, answer and webhook is held against
// GitLab's descriptions where they have it, see package spec. The standard one has
// the people of forgetest.Populate and the repository acme/pump, and the bot
// "primum" as a Maintainer of every project of acme.
func NewGitLab(tb testing.TB, o GitLabOptions) *GitLabRig {
	tb.Helper()
	rig := &GitLabRig{Clock: NewClock(), Bot: Bot, Token: GitLabToken}
	now := o.Now
	if now == nil {
		now = rig.Clock.Now
	}
	rig.Forge = sim.New(sim.Options{Now: now, Seed: o.Seed})
	if !o.Unchecked {
		sent, check := o.Sent, spec.SentGitLab(tb)
		o.Sent = func(event string, header http.Header, body []byte) {
			check(event, header, body)
			if sent != nil {
				sent(event, header, body)
			}
		}
	}
	face := gitlabface.Options{
		Tier: o.Tier, Secret: Secret, HookURL: o.HookURL, Sent: o.Sent, Tokens: map[string]string{GitLabToken: Bot, GitLabMara: "mara"},
	}
	if o.Face != nil {
		o.Face(&face)
	}
	rig.Face = gitlabface.New(rig.Forge, face)
	var h http.Handler = rig.Face
	if !o.Unchecked {
		h = spec.WrapGitLab(tb, h)
	}
	if o.Wrap != nil {
		h = o.Wrap(h)
	}
	if o.Path != "" {
		h = http.StripPrefix(o.Path, h)
	}
	rig.Server = httptest.NewServer(h)
	tb.Cleanup(func() {
		rig.Face.Close()
		rig.Server.Close()
	})
	rig.Face.SetURLs(rig.Server.URL+o.Path, rig.Server.URL+o.Path)
	if !o.Empty {
		forgetest.Populate(rig.Forge)
		rig.Forge.AddBot(Bot, "Primum")
		rig.Forge.GrantOrg(Org, Bot, sim.Maintain)
	}
	config := gitlab.Config{URL: rig.Server.URL + o.Path, Token: GitLabToken, Secrets: []string{Secret}, Now: now}
	if o.Config != nil {
		o.Config(&config)
	}
	var err error
	rig.GitLab, err = gitlab.New(config)
	if err != nil {
		tb.Fatalf("make the adapter: %v", err)
	}
	return rig
}
