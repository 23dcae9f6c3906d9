package forgetest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/forges/forgetest"
	"primum/forges/github"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
)

// TestGitHubKeepsTheContract runs the GitHub adapter against the GitHub face.
func TestGitHubKeepsTheContract(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, gitHubRig)
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
	m.got = append(m.got, forgetest.Hook{Event: r.Header.Get("X-GitHub-Event"), Header: r.Header.Clone(), Body: body})
	w.WriteHeader(http.StatusAccepted)
}

func (m *mailbox) take() []forgetest.Hook {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.got
	m.got = nil
	return out
}

func gitHubRig(tb testing.TB) *forgetest.Rig {
	tb.Helper()
	box := &mailbox{}
	receiver := httptest.NewServer(box)
	tb.Cleanup(receiver.Close)
	rig := simtest.New(tb, simtest.Options{HookURL: receiver.URL, Config: func(c *github.Config) {
		c.Wait = func(int) time.Duration { return time.Millisecond }
	}})
	// A reaction to a later delivery must not be mistaken for one to the setting up.
	return &forgetest.Rig{
		Adapter: rig.GitHub,
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
			permissions := sim.DefaultPermissions()
			rig.Forge.Read(func(v *sim.View) {
				for name := range permissions {
					if _, held := v.Installation(rig.Installation.ID).Permissions[name]; !held {
						delete(permissions, name)
					}
				}
			})
			delete(permissions, permission)
			rig.Forge.SetPermissions(rig.Installation.ID, permissions)
		},
		Suspend: func() { rig.Forge.Suspend(rig.Installation.ID, true) },
		Login:   simtest.App + "[bot]",
		Writes: func() int {
			writes := 0
			for route, n := range rig.Face.Calls().Routes {
				if !strings.HasPrefix(route, http.MethodGet) && !strings.HasSuffix(route, "/access_tokens") && !strings.HasSuffix(route, "/graphql") {
					writes += n
				}
			}
			return writes
		},
	}
}
