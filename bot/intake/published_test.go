package intake_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"primum/bot/clock"
	"primum/bot/intake"
	"primum/bot/store"
	"primum/forges"
	"primum/forges/github"
	"primum/forges/sim/spec"
)

// TestEveryPublishedPayloadIsTaken sends every payload GitHub publishes, signed,
// through the real adapter into a real store: each is answered 202, either
// accepted or counted as none of ours, and none is called malformed. The same
// payloads with another signature are refused and leave nothing.
func TestEveryPublishedPayloadIsTaken(t *testing.T) {
	t.Parallel()
	now := clock.System{}
	forge, err := github.New(github.Config{Token: "t", Secrets: []string{secret}, Now: now.Now})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "primum.db"), now, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	m := &meter{n: map[string]int{}}
	hooks := intake.New(intake.Options{Store: db, Forges: map[string]forges.Forge{"github": forge}, Clock: now, Log: log, Meter: m})
	send := func(event, id, signature string, body []byte) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/github", bytes.NewReader(body))
		r.SetPathValue("forge", "github")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-GitHub-Event", event)
		r.Header.Set("X-GitHub-Delivery", id)
		r.Header.Set("X-Hub-Signature-256", signature)
		w := httptest.NewRecorder()
		hooks.ServeHTTP(w, r)
		return w.Code
	}
	all := spec.Examples(t)
	for i, e := range all {
		if got := send(e.Event, fmt.Sprintf("forged-%d", i), sign(append([]byte(" "), e.Body...)), e.Body); got != http.StatusUnauthorized {
			t.Errorf("%s, payload %d, signed wrongly: answered %d", e.Event, i, got)
		}
	}
	if n, err := db.Counts(t.Context()); err != nil || n.Deliveries != 0 {
		t.Fatalf("%d deliveries kept of those signed wrongly, %v", n.Deliveries, err)
	}
	for i, e := range all {
		if got := send(e.Event, fmt.Sprintf("example-%d", i), sign(e.Body), e.Body); got != http.StatusAccepted {
			t.Errorf("%s, payload %d: answered %d", e.Event, i, got)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	total := 0
	for what, n := range m.n {
		if strings.Contains(what, "malformed") && n > 0 {
			t.Errorf("%d payloads were called malformed", n)
		}
		total += n
	}
	if total != 2*len(all) {
		t.Errorf("%d outcomes counted of %d deliveries", total, 2*len(all))
	}
	t.Logf("%d payloads: %v", len(all), m.n)
}
