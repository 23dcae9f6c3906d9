package bot

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"primum/bot/clock"
	"primum/forges"
	"primum/forges/gitea"
	"primum/forges/github"
	"primum/forges/gitlab"
	"primum/forges/sim"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/gitlabface"
	"primum/forges/sim/simtest"
)

// The faces of the simulated forge a stage can stand on.
const (
	onGitHub  = "github"
	onGitLab  = "gitlab"
	onGitea   = "gitea"
	onForgejo = "forgejo"
)

func faces() []string { return []string{onGitHub, onGitLab, onGitea, onForgejo} }

// everywhere runs a test on every face.
func everywhere(t *testing.T, test func(t *testing.T, on string)) {
	t.Helper()
	for _, on := range faces() {
		t.Run(on, func(t *testing.T) {
			t.Parallel()
			test(t, on)
		})
	}
}

// ground is a simulated forge behind one of its faces, with the real adapter for it.
type ground struct {
	on      string
	forge   *sim.Forge
	adapter forges.Forge
	bot     string // login Primum writes as
	setHook func(url string)
	drain   func(context.Context) error
	calls   func() calls
	reset   func() // begins counting calls anew
	sent    func() []int
	gitlab  *gitlabface.Face // nil on other faces
	child   child            // what a process needs to talk to it
}

// calls are the calls a face answered.
type calls struct {
	Reads, Writes int
	Routes        map[string]int
}

// groundOptions of a ground; the zero value is GitHub's.
type groundOptions struct {
	On        string
	Seed      uint64
	Wrap      func(http.Handler) http.Handler
	Sent      func(event string, header http.Header, body []byte)
	Unchecked bool
	Timeout   time.Duration // of a try of a call; 2 s if zero
}

func newGround(t testing.TB, o groundOptions) *ground {
	t.Helper()
	if o.On == "" {
		o.On = onGitHub
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	now := clock.System{}.Now
	switch o.On {
	case onGitLab:
		r := simtest.NewGitLab(t, simtest.GitLabOptions{
			Seed: o.Seed, Wrap: o.Wrap, Sent: o.Sent, Unchecked: o.Unchecked, Now: now,
			Config: func(c *gitlab.Config) { c.Timeout = o.Timeout },
		})
		return &ground{
			on: o.On, forge: r.Forge, adapter: r.GitLab, bot: r.Bot, setHook: r.Face.SetHook, drain: r.Face.Drain, reset: r.Face.ResetCalls,
			calls: func() calls { c := r.Face.Calls(); return calls{c.Reads, c.Writes, c.Routes} },
			sent: func() (out []int) {
				return statuses(r.Face.Deliveries(), func(d gitlabface.Delivered) int { return d.Status })
			},
			gitlab: r.Face, child: child{On: o.On, API: r.Server.URL, Token: r.Token},
		}
	case onGitea, onForgejo:
		product := giteaface.Gitea
		if o.On == onForgejo {
			product = giteaface.Forgejo
		}
		r := simtest.NewGitea(t, simtest.GiteaOptions{
			Product: product, Seed: o.Seed, Wrap: o.Wrap, Sent: o.Sent, Unchecked: o.Unchecked, Now: now,
			Config: func(c *gitea.Config) { c.Timeout = o.Timeout },
		})
		return &ground{
			on: o.On, forge: r.Forge, adapter: r.Gitea, bot: r.Bot, setHook: r.Face.SetHook, drain: r.Face.Drain, reset: r.Face.ResetCalls,
			calls: func() calls { c := r.Face.Calls(); return calls{c.Reads, c.Writes, c.Routes} },
			sent: func() []int {
				return statuses(r.Face.Deliveries(), func(d giteaface.Delivered) int { return d.Status })
			},
			child: child{On: o.On, API: r.Server.URL, Token: r.Token},
		}
	case onGitHub:
		r := simtest.New(t, simtest.Options{
			Seed: o.Seed, Wrap: o.Wrap, Sent: o.Sent, Unchecked: o.Unchecked, Now: now,
			Config: func(c *github.Config) { c.Timeout = o.Timeout },
		})
		key := filepath.Join(t.TempDir(), "key.pem")
		writeFile(t, key, simtest.PEM(r.Key))
		return &ground{
			on: o.On, forge: r.Forge, adapter: r.GitHub, bot: simtest.App + "[bot]",
			setHook: r.Face.SetHook, drain: r.Face.Drain, reset: r.Face.ResetCalls,
			calls: func() calls { c := r.Face.Calls(); return calls{c.Reads, c.Writes, c.Routes} },
			sent: func() []int {
				var mine []int
				for _, d := range r.Face.Deliveries() {
					if d.Event == "pull_request" {
						mine = append(mine, d.Status)
					}
				}
				return mine
			},
			child: child{On: o.On, API: r.Server.URL, App: r.App.ID, KeyFile: key},
		}
	}
	t.Fatalf("there is no face %q", o.On)
	return nil
}

// statuses are the answers that deliveries got.
func statuses[D any](all []D, of func(D) int) []int {
	out := make([]int, 0, len(all))
	for _, d := range all {
		out = append(out, of(d))
	}
	return out
}

// protect has main refuse what Primum's verdict does not let through.
func (g *ground) protect(t testing.TB) {
	t.Helper()
	if g.on != onGitLab {
		if err := g.forge.As("alex").Protect(simtest.Repo, "main", &sim.Protection{Checks: []sim.RequiredCheck{{Name: "primum"}}}); err != nil {
			t.Fatal(err)
		}
		return
	}
	// A project of GitLab merges what has a green pipeline, and the status is a job of it.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, g.child.API+"/api/v4/projects/acme%2Fpump",
		bytes.NewBufferString(`{"only_allow_merge_if_pipeline_succeeds":true}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Private-Token", g.child.Token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the project is not protected: %d, %v", resp.StatusCode, err)
	}
}

// verdicts are the states in which Primum's verdicts on a commit stand, each as
// a word of GitHub's: one where only the newest counts, and none if there is none.
func (g *ground) verdicts(sha string) (out []string) {
	if g.on == onGitHub {
		for _, c := range g.forge.Checks(simtest.Repo, sha) {
			switch {
			case c.Name != "primum":
			case c.Conclusion == "":
				out = append(out, c.Status)
			default:
				out = append(out, c.Conclusion)
			}
		}
		return out
	}
	for _, s := range g.forge.Statuses(simtest.Repo, sha) {
		if s.Context == "primum" {
			out = append(out, s.State)
		}
	}
	return out
}

// deaf answers 502 to some of what it is sent, after the forge has done it: the
// forge knows, and the caller does not.
type deaf struct {
	mu    sync.Mutex
	rand  *rand.Rand
	share float64                    // of all that is not reading
	next  func(r *http.Request) bool // the requests asked for by themselves; nil for none
	lost  int
}

func newDeaf(seed uint64, share float64) *deaf {
	return &deaf{rand: rand.New(rand.NewPCG(seed, seed)), share: share}
}

func (d *deaf) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.loses(r) {
			h.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		w.WriteHeader(http.StatusBadGateway)
	})
}

func (d *deaf) loses(r *http.Request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	if d.rand.Float64() < d.share || d.next != nil && d.next(r) {
		d.lost++
		return true
	}
	return false
}

// only loses the next answer to a request like this one.
func (d *deaf) only(like func(r *http.Request) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = func(r *http.Request) bool {
		if !like(r) {
			return false
		}
		d.next = nil
		return true
	}
}

func (d *deaf) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lost
}

// stop has every answer reach its caller from now on.
func (d *deaf) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.share, d.next = 0, nil
}
