package intake_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/bot/clock"
	"primum/bot/intake"
	"primum/bot/store"
	"primum/forges"
	"primum/rules/fact"
)

const secret = "a secret for the tests of intake"

// signed is a forge whose deliveries are JSON texts of the event itself, with
// GitHub's headers. The rest of a forge intake never calls.
type signed struct{ forges.Forge }

func (signed) Key() string { return "github" }

func (signed) Verify(h http.Header, body []byte) (forges.Delivery, error) {
	if h.Get("X-Github-Delivery") == "" {
		return forges.Delivery{}, forges.ErrMalformed
	}
	if !hmac.Equal([]byte(h.Get("X-Hub-Signature-256")), []byte(sign(body))) {
		return forges.Delivery{}, forges.ErrSignature
	}
	return forges.Delivery{Forge: "github", ID: h.Get("X-Github-Delivery"), Event: h.Get("X-Github-Event"), Header: h, Body: body}, nil
}

func (signed) Decode(d forges.Delivery) (forges.Event, error) {
	var e forges.Event
	if err := json.Unmarshal(d.Body, &e); err != nil {
		return forges.Event{}, fmt.Errorf("%w: %w", forges.ErrMalformed, err)
	}
	return e, nil
}

func sign(body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

type rig struct {
	t      *testing.T
	store  *store.DB
	meter  *meter
	server *httptest.Server
}

type meter struct {
	mu sync.Mutex
	n  map[string]int
}

func (m *meter) Delivery(forge, outcome string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n[strings.TrimSpace(forge+" "+outcome)]++
}

func (m *meter) count(what string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n[what]
}

func newRig(t *testing.T, edit func(*intake.Options)) *rig {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	db, err := store.Open(context.WithoutCancel(t.Context()), filepath.Join(t.TempDir(), "primum.db"), clock.System{}, log)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: db, meter: &meter{n: map[string]int{}}}
	o := intake.Options{Store: db, Forges: map[string]forges.Forge{"github": signed{}}, Clock: clock.System{}, Log: log, Meter: r.meter}
	if edit != nil {
		edit(&o)
	}
	mux := http.NewServeMux()
	mux.Handle("/hooks/{forge}", intake.New(o))
	r.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		r.server.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// post sends a delivery, changed by edit, and gives status and body.
func (r *rig) post(id string, body []byte, edit func(*http.Request)) (status int, said string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.server.URL+"/hooks/github", bytes.NewReader(body))
	if err != nil {
		r.t.Error(err)
		return 0, ""
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Delivery", id)
	req.Header.Set("X-GitHub-Event", "pull_request")
	req.Header.Set("X-Hub-Signature-256", sign(body))
	if edit != nil {
		edit(req)
	}
	resp, err := r.server.Client().Do(req)
	if err != nil {
		r.t.Error(err)
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Error(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}

func (r *rig) counts() store.Counts {
	r.t.Helper()
	n, err := r.store.Counts(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

func pushed(change int) []byte {
	return event(forges.Event{Kind: forges.ChangeEvent, Trigger: fact.OnPushed, Repo: repo, Changes: []int{change}, SHA: "aaa"})
}

func event(e forges.Event) []byte {
	raw, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return raw
}

func TestDeliveryIsStoredBeforeItIsAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	status, said := r.post("d1", pushed(7), nil)
	if want := `{"delivery":"d1","outcome":"accepted","marked":1}`; status != http.StatusAccepted || said != want {
		t.Errorf("answered %d %s; want 202 %s", status, said, want)
	}
	s, err := r.store.Subject(t.Context(), key(store.KindChange, "7"))
	if err != nil || s.Wanted != 1 || s.Hint.Head != "aaa" {
		t.Errorf("subject is %+v, error %v", s, err)
	}
	status, said = r.post("d1", pushed(7), nil)
	if want := `{"delivery":"d1","outcome":"replayed","marked":0}`; status != http.StatusAccepted || said != want {
		t.Errorf("a replay is answered %d %s; want 202 %s", status, said, want)
	}
	if n := r.counts(); n.Deliveries != 1 || n.Waiting != 1 {
		t.Errorf("counts are %+v", n)
	}
	if r.meter.count("github accepted") != 1 || r.meter.count("github replayed") != 1 {
		t.Errorf("counted %v", r.meter.n)
	}
}

func TestWhatIsNoDeliveryIsRefusedAndNotStored(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *intake.Options) { o.MaxBody = 1000 })
	body := pushed(7)
	tests := []struct {
		name    string
		body    []byte
		edit    func(*http.Request)
		status  int
		outcome string
	}{
		{"no signature", body, func(q *http.Request) { q.Header.Del("X-Hub-Signature-256") }, 401, "github unsigned"},
		{"a wrong signature", body, func(q *http.Request) { q.Header.Set("X-Hub-Signature-256", sign([]byte("x"))) }, 401, "github unsigned"},
		{"a truncated body", body[:len(body)-2], func(q *http.Request) { q.Header.Set("X-Hub-Signature-256", sign(body)) }, 401, "github unsigned"},
		{"a GET", nil, func(q *http.Request) { q.Method = http.MethodGet }, 405, "github refused"},
		{"a form", body, func(q *http.Request) { q.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415, "github refused"},
		{"no content type", body, func(q *http.Request) { q.Header.Del("Content-Type") }, 415, "github refused"},
		{"no delivery id", body, func(q *http.Request) { q.Header.Del("X-GitHub-Delivery") }, 400, "github refused"},
		{"another forge", body, func(q *http.Request) { q.URL.Path = "/hooks/none" }, 404, "refused"},
		{"an announced large body", bytes.Repeat([]byte("x"), 1001), nil, 413, "github refused"},
		{"a large body not announced", bytes.Repeat([]byte("x"), 100_000), func(q *http.Request) { q.ContentLength = -1 }, 413, "github refused"},
	}
	for _, tt := range tests {
		before := r.meter.count(tt.outcome)
		status, said := r.post("d1", tt.body, tt.edit)
		if status != tt.status || r.meter.count(tt.outcome) != before+1 {
			t.Errorf("%s is answered %d %s and counted %v; want %d, %s", tt.name, status, said, r.meter.n, tt.status, tt.outcome)
		}
	}
	if n := r.counts(); n.Deliveries != 0 {
		t.Errorf("%d deliveries are stored, want none", n.Deliveries)
	}
	if status, _ := r.post("d1", body, nil); status != http.StatusAccepted {
		t.Errorf("the same id, signed, is answered %d", status)
	}
}

func TestSignedDeliveriesThatMarkNothingAreCountedAndAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *intake.Options) {
		o.Relevant = func(r forges.RepoRef) bool { return r.Owner == "org" }
	})
	stranger := repo
	stranger.Owner = "stranger"
	for _, tt := range []struct {
		name, outcome string
		body          []byte
	}{
		{"malformed", intake.Malformed, []byte(`{"Kind":`)},
		{"ignored", intake.Ignored, event(forges.Event{Kind: forges.Ignored, Reason: "x"})},
		{"ours", intake.Ours, event(forges.Event{Kind: forges.CheckEvent, Repo: repo, Ours: true})},
		{"not served", intake.Irrelevant, event(forges.Event{Kind: forges.ChangeEvent, Trigger: fact.OnPushed, Repo: stranger, Changes: []int{1}})},
		{"people not served", intake.Irrelevant, event(forges.Event{Kind: forges.PeopleEvent, Owner: "stranger"})},
		{"installation not served", intake.Irrelevant, event(forges.Event{Kind: forges.InstallationEvent, Repos: []forges.RepoRef{stranger}})},
	} {
		before := r.meter.count("github " + tt.outcome)
		status, said := r.post(tt.name, tt.body, nil)
		if want := fmt.Sprintf(`{"delivery":%q,"outcome":%q,"marked":0}`, tt.name, tt.outcome); status != http.StatusAccepted || said != want {
			t.Errorf("%s is answered %d %s; want 202 %s", tt.name, status, said, want)
		}
		if r.meter.count("github "+tt.outcome) != before+1 {
			t.Errorf("%s is counted %v", tt.name, r.meter.n)
		}
	}
	if n := r.counts(); n.Deliveries != 6 || n.Waiting != 0 {
		t.Errorf("counts are %+v; want 6 deliveries, none waiting", n)
	}
}

// A push is compared with the files that the policy was last seen to name.
func TestPushIsComparedWithTheFilesOfThePolicy(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	row := repoRow
	row.Policy = json.RawMessage(`{"oid":"p1","files":["docs/risk/ui.md"]}`)
	if err := r.store.PutRepo(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	r.post("opened", event(forges.Event{Kind: forges.ChangeEvent, Trigger: fact.OnOpened, Repo: repo, Changes: []int{7}, Branch: "main", UpdatedAt: noon}), nil)
	push := func(id, path string) string {
		_, said := r.post(id, event(forges.Event{Kind: forges.PushEvent, Trigger: fact.OnPolicy, Repo: repo, Branch: "main", Paths: []string{path}}), nil)
		return said
	}
	if got, want := push("p1", "docs/risk/ui.md"), `{"delivery":"p1","outcome":"accepted","marked":1}`; got != want {
		t.Errorf("a named file: %s, want %s", got, want)
	}
	if got, want := push("p2", "docs/other.md"), `{"delivery":"p2","outcome":"irrelevant","marked":0}`; got != want {
		t.Errorf("another file: %s, want %s", got, want)
	}
}

type broken struct{ store.Store }

func (broken) Accept(context.Context, store.Inbound) (bool, int, error) {
	return false, 0, errors.New("disk full")
}

func TestWhatCouldNotBeStoredIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *intake.Options) { o.Store = broken{o.Store} })
	status, said := r.post("d1", pushed(7), nil)
	if status != http.StatusServiceUnavailable || strings.Contains(said, "disk") {
		t.Errorf("answered %d %s; want 503 without the cause", status, said)
	}
	if r.meter.count("github failed") != 1 {
		t.Errorf("counted %v", r.meter.n)
	}
}

func TestAThousandAtOnceAreAllAccepted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			if status, said := r.post(fmt.Sprint("d", i), pushed(i), nil); status != http.StatusAccepted {
				t.Errorf("delivery %d is answered %d %s", i, status, said)
			}
		})
	}
	wg.Wait()
	if n := r.counts(); n.Deliveries != 1000 || n.Waiting != 1000 {
		t.Errorf("counts are %+v; want 1000 deliveries and 1000 waiting", n)
	}
}

// Whoever announces a body and does not send it is sent away.
func TestSlowSenderIsSentAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *intake.Options) { o.Wait = 50 * time.Millisecond })
	hang, w := io.Pipe()
	defer func() { _ = w.Close() }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.server.URL+"/hooks/github", hang)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("answered %d, want 400", resp.StatusCode)
	}
}

func TestSecretsOfTheHeaderAreNotKept(t *testing.T) {
	t.Parallel()
	var got store.Inbound
	r := newRig(t, func(o *intake.Options) { o.Store = spy{o.Store, &got} })
	r.post("d1", pushed(7), func(q *http.Request) {
		q.Header.Set("Authorization", "Bearer x")
		q.Header.Set("X-Gitlab-Token", "x")
		q.Header.Set("X-GitHub-Hook-ID", "42")
	})
	if len(got.Header) != 3 || got.Header["X-Github-Hook-Id"] != "42" {
		t.Errorf("kept headers %v; want event, delivery and hook id", got.Header)
	}
	if got.Event != "pull_request" || got.ReceivedAt.IsZero() || len(got.Body) == 0 {
		t.Errorf("stored %+v", got)
	}
	r.post("d2", event(forges.Event{Kind: forges.Ignored}), nil)
	if got.ID != "d2" || got.Body != nil {
		t.Errorf("a delivery that marks nothing is stored with %d bytes", len(got.Body))
	}
}

type spy struct {
	store.Store
	last *store.Inbound
}

func (s spy) Accept(_ context.Context, in store.Inbound) (bool, int, error) {
	*s.last = in
	return true, 1, nil
}
