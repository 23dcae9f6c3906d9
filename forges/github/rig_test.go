package github_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/forges"
	"primum/forges/github"
)

const (
	secret  = "a-secret-of-many-bytes"
	secret2 = "another-secret-of-bytes"
	headSHA = "1111111111111111111111111111111111111111"
	baseSHA = "2222222222222222222222222222222222222222"
	oldSHA  = "3333333333333333333333333333333333333333"
)

// appKey is made once: making one takes a while.
var appKey = sync.OnceValue(func() []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
})

// clock is a clock a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// server answers by "METHOD /path", and keeps what it was asked.
type server struct {
	*httptest.Server
	t     *testing.T
	mu    sync.Mutex
	calls []string
	by    map[string]http.HandlerFunc
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, by: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	s.on("POST /app/installations/7/access_tokens", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"token":"ghs_secretsecretsecret","expires_at":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339))
	})
	return s
}

func (s *server) on(what string, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[what] = h
}

// says answers JSON.
func (s *server) says(what string, status int, body string) {
	s.on(what, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := r.Method + " " + r.URL.Path
	s.mu.Lock()
	if !strings.HasSuffix(what, "access_tokens") {
		s.calls = append(s.calls, what)
	}
	h := s.by[what]
	s.mu.Unlock()
	if h == nil {
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
		return
	}
	h(w, r)
}

// asked are the calls so far, those for tokens left out.
func (s *server) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

func (s *server) config(c *clock) github.Config {
	return github.Config{
		AppID: 42, PrivateKey: appKey(), Secrets: []string{secret, secret2}, BaseURL: s.URL,
		Now: c.Now, Wait: func(int) time.Duration { return time.Millisecond },
	}
}

func (s *server) forge(c *clock, change ...func(*github.Config)) *github.Forge {
	s.t.Helper()
	config := s.config(c)
	for _, f := range change {
		f(&config)
	}
	f, err := github.New(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

func pump() forges.RepoRef {
	return forges.RepoRef{Forge: "github", ID: "500", Owner: "acme", Name: "pump", Installation: "7"}
}

func change() forges.ChangeRef { return forges.ChangeRef{Repo: pump(), Number: 12} }

func signed(key string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func headers(event, key string, body []byte) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("X-GitHub-Event", event)
	h.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	h.Set("X-Hub-Signature-256", signed(key, body))
	return h
}

// decoded reads a request's JSON body.
func decoded(t *testing.T, r *http.Request) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		t.Error(err)
	}
	return v
}
