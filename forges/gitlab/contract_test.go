package gitlab_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"primum/forges/forgetest"
	"primum/forges/gitlab"
	"primum/forges/sim/gitlabface"
	"primum/forges/sim/simtest"
)

// TestGitLabKeepsTheContract runs the adapter against the face of GitLab.
func TestGitLabKeepsTheContract(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, contractRig(""))
}

// TestSignedGitLabKeepsTheContract does so where webhooks have a signing token.
func TestSignedGitLabKeepsTheContract(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, contractRig("whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q="))
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
	m.got = append(m.got, forgetest.Hook{Event: r.Header.Get("X-Gitlab-Event"), Header: r.Header.Clone(), Body: body})
	w.WriteHeader(http.StatusAccepted)
}

func (m *mailbox) take() []forgetest.Hook {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.got
	m.got = nil
	return out
}

// contractRig makes rigs whose deliveries are signed, if there is a token for it.
func contractRig(signing string) func(testing.TB) *forgetest.Rig {
	return func(tb testing.TB) *forgetest.Rig {
		tb.Helper()
		return rigOf(tb, signing)
	}
}

func rigOf(tb testing.TB, signing string) *forgetest.Rig {
	tb.Helper()
	box := &mailbox{}
	receiver := httptest.NewServer(box)
	tb.Cleanup(receiver.Close)
	rig := simtest.NewGitLab(tb, simtest.GitLabOptions{
		HookURL: receiver.URL,
		Face:    func(o *gitlabface.Options) { o.SigningToken = signing },
		Config: func(c *gitlab.Config) {
			c.Wait = func(int) time.Duration { return time.Millisecond }
			if signing != "" {
				c.SigningTokens = []string{signing}
			}
		},
	})
	proof := []string{"X-Gitlab-Token"}
	if signing != "" {
		proof = nil // the signature
	}
	return &forgetest.Rig{
		Adapter: rig.GitLab,
		World:   rig.Forge,
		Hooks: func(tb testing.TB) []forgetest.Hook {
			tb.Helper()
			if err := rig.Face.Drain(tb.Context()); err != nil {
				tb.Fatal(err)
			}
			return box.take()
		},
		Advance: rig.Clock.Advance,
		Forbid:  func(permission string) { rig.Forbid(tb, permission) },
		Suspend: rig.Suspend,
		Login:   rig.Bot,
		Source:  "ci[bot]",
		Proof:   proof,
		Writes:  func() int { return rig.Face.Calls().Writes },
	}
}
