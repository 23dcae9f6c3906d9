package gitlabface_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/forges/forgetest"
	"primum/forges/sim"
	"primum/forges/sim/gitlabface"
	"primum/forges/sim/spec"
)

// Tokens of the rig, by login.
const (
	botToken  = "glpat-bot"
	maraToken = "glpat-mara"
	alexToken = "glpat-alex"
	samToken  = "glpat-sam"
	project   = "projects/acme%2Fpump"
)

// rig is a face over the standard world, held against GitLab's descriptions.
type rig struct {
	*testing.T
	world *sim.Forge
	face  *gitlabface.Face
	url   string

	mu   sync.Mutex
	at   time.Time
	sent []hooked
}

// hooked is a delivery as it was sent.
type hooked struct {
	event  string
	header http.Header
	body   map[string]any
}

func newRig(t *testing.T, options ...func(*gitlabface.Options)) *rig {
	t.Helper()
	r := &rig{T: t, at: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	r.world = sim.New(sim.Options{Now: r.now})
	check := spec.SentGitLab(t)
	o := gitlabface.Options{
		Secret: "an-open-secret-for-tests", Tokens: map[string]string{botToken: "primum", maraToken: "mara", alexToken: "alex", samToken: "sam"},
		Sent: func(event string, header http.Header, body []byte) {
			check(event, header, body)
			r.mu.Lock()
			defer r.mu.Unlock()
			var in map[string]any
			if err := json.Unmarshal(body, &in); err != nil {
				t.Errorf("%s is not JSON: %v", event, err)
			}
			r.sent = append(r.sent, hooked{event, header, in})
		},
	}
	for _, fn := range options {
		fn(&o)
	}
	r.face = gitlabface.New(r.world, o)
	server := httptest.NewServer(spec.WrapGitLab(t, r.face))
	t.Cleanup(func() {
		r.face.Close()
		server.Close()
	})
	r.url = server.URL
	r.face.SetURLs(server.URL, server.URL)
	forgetest.Populate(r.world)
	r.world.AddBot("primum", "Primum")
	r.world.GrantOrg("acme", "primum", sim.Maintain)
	return r
}

func tier(name string) func(*gitlabface.Options) {
	return func(o *gitlabface.Options) { o.Tier = name }
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = r.at.Add(d)
}

// ok ends the test if something that had to work did not.
func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// open opens a merge request of mara's from a branch and gives number and head.
func (r *rig) open(branch string) (number int, head string) {
	r.Helper()
	mara := r.world.As("mara")
	head, err := mara.Push("acme/pump", branch, sim.NewCommit{Message: "Round the rate", Files: map[string]string{"fw/dosing/rate.c": "int rate; // " + branch + "\n"}})
	r.ok(err)
	number, err = mara.OpenChange("acme/pump", sim.NewChange{Title: "Round the rate", Body: "Why.", Head: branch})
	r.ok(err)
	return number, head
}

// answered is an answer of the face.
type answered struct {
	status int
	header http.Header
	raw    []byte
	body   any
}

// at finds a value in an answer: "[0].author.username".
func (a answered) at(path string) any {
	v := a.body
	for _, part := range strings.FieldsFunc(path, func(c rune) bool { return c == '.' || c == '[' || c == ']' }) {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			i := 0
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// call makes a call as the owner of a token.
func (r *rig) call(token, method, path string, body any) answered {
	r.Helper()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		r.ok(err)
		in = bytes.NewReader(raw)
	}
	at := r.url + "/api/v4/" + path
	if strings.HasPrefix(path, "/") || strings.HasPrefix(path, "http") {
		at = path
		if strings.HasPrefix(path, "/") {
			at = r.url + path
		}
	}
	req, err := http.NewRequestWithContext(r.Context(), method, at, in)
	r.ok(err)
	req.Header.Set("Private-Token", token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	r.ok(err)
	defer func() { _ = resp.Body.Close() }()
	out := answered{status: resp.StatusCode, header: resp.Header}
	out.raw, err = io.ReadAll(resp.Body)
	r.ok(err)
	_ = json.Unmarshal(out.raw, &out.body)
	return out
}

func (r *rig) get(path string) answered {
	r.Helper()
	return r.call(botToken, http.MethodGet, path, nil)
}

func (r *rig) post(token, path string, body any) answered {
	r.Helper()
	return r.call(token, http.MethodPost, path, body)
}

func (r *rig) put(token, path string, body any) answered {
	r.Helper()
	return r.call(token, http.MethodPut, path, body)
}

// want fails the test if an answer has another status, or not these words in it.
func (r *rig) want(a answered, status int, words ...string) {
	r.Helper()
	if a.status != status {
		r.Fatalf("status %d, want %d: %s", a.status, status, a.raw)
	}
	for _, w := range words {
		if !strings.Contains(string(a.raw), w) {
			r.Errorf("answer lacks %q: %s", w, a.raw)
		}
	}
}

// hooks are the deliveries since it was asked last.
func (r *rig) hooks() []hooked {
	r.Helper()
	r.ok(r.face.Drain(r.Context()))
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.sent
	r.sent = nil
	return out
}

// told names deliveries in short: "Merge Request Hook update".
func told(all []hooked) []string {
	var out []string
	for _, h := range all {
		attrs, _ := h.body["object_attributes"].(map[string]any)
		word := ""
		for _, v := range []any{attrs["action"], attrs["status"], h.body["build_status"], h.body["event_name"]} {
			if s, ok := v.(string); ok && word == "" {
				word = " " + s
			}
		}
		out = append(out, h.event+word)
	}
	return out
}

type body = map[string]any

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
