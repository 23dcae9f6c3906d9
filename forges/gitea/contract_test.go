package gitea_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"primum/forges/forgetest"
	"primum/forges/gitea"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/simtest"
)

// TestGiteaKeepsTheContract runs the adapter against the face of Gitea.
func TestGiteaKeepsTheContract(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, contractRig(giteaface.Gitea))
}

// TestForgejoKeepsTheContract runs the adapter against the face of Forgejo.
func TestForgejoKeepsTheContract(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, contractRig(giteaface.Forgejo))
}

// mailbox keeps deliveries until they are asked for.
type mailbox struct {
	mu  sync.Mutex
	got []forgetest.Hook
}

func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, forgetest.Hook{Event: r.Header.Get("X-Gitea-Event-Type"), Header: r.Header.Clone(), Body: body})
	w.WriteHeader(http.StatusAccepted)
}

func (m *mailbox) take() []forgetest.Hook {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.got
	m.got = nil
	return out
}

// contractRig gives the contract a face. Nothing forbids statuses alone, so a
// gate before the face does.
func contractRig(product string) func(testing.TB) *forgetest.Rig {
	return func(tb testing.TB) *forgetest.Rig {
		tb.Helper()
		return rigOf(tb, product)
	}
}

func rigOf(tb testing.TB, product string) *forgetest.Rig {
	tb.Helper()
	box := &mailbox{}
	receiver := httptest.NewServer(box)
	tb.Cleanup(receiver.Close)
	var noStatuses atomic.Bool
	scopes := simtest.BotScopes()
	rig := simtest.NewGitea(tb, simtest.GiteaOptions{
		Product: product, HookURL: receiver.URL,
		Config: func(c *gitea.Config) { c.Wait = func(int) time.Duration { return time.Millisecond } },
		Wrap: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if noStatuses.Load() && strings.Contains(r.URL.Path, "/statuses") {
					http.Error(w, `{"message":"user should have a permission to read statuses"}`, http.StatusForbidden)
					return
				}
				h.ServeHTTP(w, r)
			})
		},
	})
	if err := rig.Gitea.Identify(tb.Context()); err != nil { // as the service does when it starts
		tb.Fatal(err)
	}
	without := func(scope string) {
		scopes = slices.DeleteFunc(scopes, func(s string) bool { return strings.HasSuffix(s, ":"+scope) })
		rig.Face.AddToken(rig.Token, rig.Bot, scopes...)
	}
	return &forgetest.Rig{
		Adapter: rig.Gitea,
		World:   rig.Forge,
		Hooks: func(tb testing.TB) []forgetest.Hook {
			tb.Helper()
			if err := rig.Face.Drain(tb.Context()); err != nil {
				tb.Fatal(err)
			}
			return box.take()
		},
		Advance: rig.Clock.Advance,
		Forbid: func(permission string) {
			switch permission {
			case "members":
				without("organization")
			case "checks", "statuses":
				noStatuses.Store(true)
			case "issues", "pull_requests":
				without("issue")
			}
		},
		Suspend: func() { rig.Face.RevokeToken(rig.Token) },
		Login:   rig.Bot,
		Source:  "ci[bot]",
		Writes:  func() int { return rig.Face.Calls().Writes },
	}
}
