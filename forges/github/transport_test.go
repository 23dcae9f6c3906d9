package github_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/forges"
	"primum/forges/github"
)

const pulls = "GET /repos/acme/pump/pulls"

func TestAnswersAreToldApart(t *testing.T) {
	t.Parallel()
	c := newClock()
	reset := c.Now().Add(20 * time.Minute)
	tests := []struct {
		name    string
		status  int
		header  map[string]string
		body    string
		want    error
		until   time.Time
		special bool // a secondary limit
		calls   int
	}{
		{name: "429 with Retry-After", status: 429, header: map[string]string{"Retry-After": "30"}, until: c.Now().Add(30 * time.Second), special: true, calls: 1},
		{name: "429 with nothing", status: 429, until: c.Now().Add(time.Minute), special: true, calls: 1},
		{
			name: "403, budget spent", status: 403, calls: 1, until: reset.Add(time.Second),
			header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(reset.Unix())},
		},
		{
			name: "403, secondary limit by its sentence", status: 403, until: c.Now().Add(time.Minute), special: true, calls: 1,
			body: `{"message":"You have exceeded a secondary rate limit. Please wait."}`,
		},
		{name: "403 with Retry-After", status: 403, header: map[string]string{"Retry-After": "5"}, until: c.Now().Add(5 * time.Second), special: true, calls: 1},
		{name: "Retry-After of a year is bounded", status: 429, header: map[string]string{"Retry-After": "31536000"}, until: c.Now().Add(90 * time.Minute), special: true, calls: 1},
		{name: "503 with Retry-After", status: 503, header: map[string]string{"Retry-After": "9"}, until: c.Now().Add(9 * time.Second), special: true, calls: 1},
		{
			name: "403 is a missing permission while there is budget", status: 403, want: forges.ErrForbidden, calls: 1,
			header: map[string]string{"X-RateLimit-Remaining": "12"}, body: `{"message":"Resource not accessible by integration"}`,
		},
		{name: "404", status: 404, want: forges.ErrNotFound, calls: 1},
		{name: "410", status: 410, want: forges.ErrNotFound, calls: 1},
		{name: "suspended", status: 403, want: forges.ErrSuspended, body: `{"message":"This installation has been suspended"}`, calls: 1},
		{name: "502 three times", status: 502, calls: 3},
		{name: "401 once more with a new token", status: 401, want: forges.ErrForbidden, calls: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.on(pulls, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			f := s.forge(c)
			_, _, err := f.ListOpen(t.Context(), pump(), "")
			if err == nil {
				t.Fatal("no error")
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			var limited *forges.RateLimited
			if got := errors.As(err, &limited); got != !tt.until.IsZero() {
				t.Fatalf("limited: got %v, want %v: %v", got, !got, err)
			}
			if limited != nil {
				if !limited.Until.Equal(tt.until) || limited.Secondary != tt.special || limited.Scope != "7" {
					t.Errorf("got %+v, want until %v, secondary %v", limited, tt.until, tt.special)
				}
				// Further calls are refused without asking, until the time has come.
				if _, _, err := f.ListOpen(t.Context(), pump(), ""); !errors.As(err, &limited) {
					t.Errorf("second call: got %v, want a limit", err)
				}
			}
			if got := len(s.asked()); got != tt.calls {
				t.Errorf("got %d calls, want %d", got, tt.calls)
			}
		})
	}
}

func TestTheGateOpensAgain(t *testing.T) {
	t.Parallel()
	c, s := newClock(), serve(t)
	s.on(pulls, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	f := s.forge(c)
	if _, _, err := f.ListOpen(t.Context(), pump(), ""); err == nil {
		t.Fatal("no error")
	}
	s.says(pulls, 200, `[]`)
	c.Add(29 * time.Second)
	if _, _, err := f.ListOpen(t.Context(), pump(), ""); err == nil {
		t.Error("asked before the time came")
	}
	c.Add(2 * time.Second)
	if _, _, err := f.ListOpen(t.Context(), pump(), ""); err != nil {
		t.Error(err)
	}
}

func TestTheLastCallOfTheHourSucceedsAndShutsTheGate(t *testing.T) {
	t.Parallel()
	c, s := newClock(), serve(t)
	s.on(pulls, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(c.Now().Add(time.Minute).Unix()))
		_, _ = io.WriteString(w, `[]`)
	})
	f := s.forge(c)
	if _, _, err := f.ListOpen(t.Context(), pump(), ""); err != nil {
		t.Fatal(err)
	}
	var limited *forges.RateLimited
	if _, _, err := f.ListOpen(t.Context(), pump(), ""); !errors.As(err, &limited) {
		t.Errorf("got %v, want a limit", err)
	}
	// GraphQL has a budget of its own.
	s.says("POST /graphql", 200, `{"data":{"repository":null},"errors":[{"type":"NOT_FOUND","path":["repository"],"message":"no"}]}`)
	if _, err := f.ReadChange(t.Context(), change(), forges.Plan{}); !errors.Is(err, forges.ErrNotFound) {
		t.Errorf("got %v, want an answer from GraphQL", err)
	}
	// Another installation is another budget.
	s.on("POST /app/installations/8/access_tokens", s.by["POST /app/installations/7/access_tokens"])
	other := pump()
	other.Installation = "8"
	if _, _, err := f.ListOpen(t.Context(), other, ""); err != nil {
		t.Error(err)
	}
}

func TestGraphQLRefusesInAnswersWithStatus200(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       error
		limited    bool
	}{
		{"limit", `{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`, nil, true},
		{"secondary limit", `{"errors":[{"message":"You have exceeded a secondary rate limit"}]}`, nil, true},
		{"missing", `{"data":{"repository":null},"errors":[{"type":"NOT_FOUND","path":["repository"],"message":"Could not resolve"}]}`, forges.ErrNotFound, false},
		{"forbidden", `{"data":null,"errors":[{"type":"FORBIDDEN","path":["repository"],"message":"Resource not accessible"}]}`, forges.ErrForbidden, false},
		{"a part timed out", `{"data":{"repository":{"pullRequest":null}},"errors":[{"message":"Something went wrong while executing your query"}]}`, nil, false},
		{"a server too old for a field", `{"errors":[{"message":"Field 'x' doesn't exist","extensions":{"code":"undefinedField"}}]}`, forges.ErrUnsupported, false},
		{"no JSON", `<html>`, nil, false},
		{"no data", `{}`, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.says("POST /graphql", 200, tt.body)
			_, err := s.forge(newClock()).ReadChange(t.Context(), change(), forges.Plan{})
			if err == nil {
				t.Fatal("no error")
			}
			var limited *forges.RateLimited
			if errors.As(err, &limited) != tt.limited {
				t.Errorf("got %v, want limited %v", err, tt.limited)
			}
			if tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && !forges.Temporary(err) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestWritesAreNeverRepeated(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.says("POST /repos/acme/pump/issues/12/comments", 502, ``)
	_, err := s.forge(newClock()).PutComment(t.Context(), change(), "", "hello")
	if err == nil || !forges.Temporary(err) {
		t.Errorf("got %v, want an error that may pass", err)
	}
	if got := len(s.asked()); got != 1 {
		t.Errorf("posted %d times", got)
	}
}

func TestReadsAreRepeatedAndGraphQLIsARead(t *testing.T) {
	t.Parallel()
	s := serve(t)
	var n atomic.Int32
	s.on("POST /graphql", func(w http.ResponseWriter, r *http.Request) {
		if q := decoded(t, r); q["query"] == nil {
			t.Error("the body was not sent again")
		}
		if n.Add(1) < 3 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"repository":null},"errors":[{"type":"NOT_FOUND","path":["repository"],"message":"no"}]}`)
	})
	if _, err := s.forge(newClock()).ReadChange(t.Context(), change(), forges.Plan{}); !errors.Is(err, forges.ErrNotFound) {
		t.Errorf("got %v, want the third answer", err)
	}
}

func TestAHangingForgeCostsOneTryAtATime(t *testing.T) {
	t.Parallel()
	s := serve(t)
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	var n atomic.Int32
	s.on(pulls, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
			return
		}
		_, _ = io.WriteString(w, `[]`)
	})
	f := s.forge(newClock(), func(c *github.Config) { c.Timeout = 200 * time.Millisecond })
	if _, _, err := f.ListOpen(t.Context(), pump(), ""); err != nil {
		t.Error(err)
	}
}

func TestARenamedRepositoryIsFollowedOnItsOwnHostOnly(t *testing.T) {
	t.Parallel()
	s := serve(t)
	var leaked atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) { leaked.Store(true) }))
	t.Cleanup(elsewhere.Close)
	s.on(pulls, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/repositories/500/pulls", http.StatusMovedPermanently)
	})
	s.says("GET /repositories/500/pulls", 200, `[{"number":3,"title":"t","head":{"sha":"a"},"base":{"ref":"main"}}]`)
	f := s.forge(newClock())
	heads, _, err := f.ListOpen(t.Context(), pump(), "")
	if err != nil || len(heads) != 1 || heads[0].Number != 3 {
		t.Errorf("got %v, %v", heads, err)
	}
	s.on(pulls, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	if _, _, err := f.ListOpen(t.Context(), pump(), ""); err == nil {
		t.Error("followed to another host")
	}
	s.on("POST /repos/acme/pump/issues/12/comments", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	if _, err := f.PutComment(t.Context(), change(), "", "x"); !errors.Is(err, forges.ErrConflict) {
		t.Errorf("got %v, want ErrConflict: the name moved", err)
	}
	if leaked.Load() {
		t.Error("a signed call reached another host")
	}
}

func TestASuspendedOrRemovedInstallationIsSaid(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404} {
		s := serve(t)
		s.says("POST /app/installations/7/access_tokens", status, `{"message":"This installation has been suspended"}`)
		if _, _, err := s.forge(newClock()).ListOpen(t.Context(), pump(), ""); !errors.Is(err, forges.ErrSuspended) {
			t.Errorf("%d: got %v, want ErrSuspended", status, err)
		}
	}
}

func TestRefusedTokensLeaveNoConnectionOpen(t *testing.T) {
	t.Parallel()
	s := serve(t)
	var mu sync.Mutex
	seen := map[string]bool{}
	s.on("POST /app/installations/7/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.RemoteAddr] = true
		mu.Unlock()
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
	})
	f := s.forge(newClock())
	for range 20 {
		if _, _, err := f.ListOpen(t.Context(), pump(), ""); err == nil {
			t.Fatal("no error")
		}
	}
	if len(seen) > 2 {
		t.Errorf("%d connections for calls one after the other", len(seen))
	}
}

func TestInstallationsShareNoState(t *testing.T) {
	t.Parallel()
	s := serve(t)
	token := s.by["POST /app/installations/7/access_tokens"]
	s.says(pulls, 200, `[]`)
	f := s.forge(newClock())
	var wait sync.WaitGroup
	for i := range 8 {
		s.on(fmt.Sprintf("POST /app/installations/%d/access_tokens", 100+i), token)
		r := pump()
		r.Installation = fmt.Sprint(100 + i)
		for range 4 {
			wait.Go(func() {
				if _, _, err := f.ListOpen(t.Context(), r, ""); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
}

func TestNoSecretIsShown(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.says(pulls, 400, `{"message":"bad token ghs_abcdefghijklmnopqrstuvwxyz0123456789 and eyJhbGciOiJIUzI1.eyJpc3MiOiI0.c2ln"}`)
	_, _, err := s.forge(newClock()).ListOpen(t.Context(), pump(), "")
	if err == nil || strings.Contains(err.Error(), "ghs_") || strings.Contains(err.Error(), "eyJ") {
		t.Errorf("shown: %v", err)
	}
}

func TestAnAnswerIsBounded(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.on(pulls, func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte(" "), 1<<20)
		for range 40 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	if _, _, err := s.forge(newClock()).ListOpen(t.Context(), pump(), ""); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
	if got := len(s.asked()); got != 1 {
		t.Errorf("asked %d times", got)
	}
}

func TestEnterpriseServerWithItsOwnAuthority(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var paths []string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.URL.Path)
		switch r.URL.Path {
		case "/api/v3/app/installations/7/access_tokens":
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprintf(w, `{"token":"ghs_x","expires_at":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339))
		case "/api/v3/repos/acme/pump/pulls":
			_, _ = io.WriteString(w, `[]`)
		default:
			_, _ = io.WriteString(w, `{"data":{"repository":null},"errors":[{"type":"NOT_FOUND","path":["repository"],"message":"no"}]}`)
		}
	}))
	s.Config.ErrorLog = log.New(t.Output(), "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	config := github.Config{AppID: 42, PrivateKey: appKey(), NoWebhooks: true, Now: newClock().Now, Wait: func(int) time.Duration { return 0 }}
	for _, tt := range []struct {
		name, base, file string
		pem              []byte
		ok               bool
	}{
		{"with slash, file", s.URL + "/api/v3/", file, nil, true},
		{"without slash, bytes", s.URL + "/api/v3", "", authority, true},
		{"unknown authority", s.URL + "/api/v3", "", nil, false},
	} {
		mu.Lock()
		paths = nil
		mu.Unlock()
		c := config
		c.BaseURL, c.CAFile, c.CAPEM = tt.base, tt.file, tt.pem
		f, err := github.New(c)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = f.ListOpen(t.Context(), pump(), "")
		if (err == nil) != tt.ok {
			t.Errorf("%s: got %v, want success %v", tt.name, err, tt.ok)
		}
		if !tt.ok {
			continue
		}
		if _, err := f.ReadChange(t.Context(), change(), forges.Plan{}); !errors.Is(err, forges.ErrNotFound) {
			t.Errorf("%s: got %v", tt.name, err)
		}
		want := []string{"/api/v3/app/installations/7/access_tokens", "/api/v3/repos/acme/pump/pulls", "/api/graphql"}
		if diff := cmp.Diff(want, paths); diff != "" {
			t.Errorf("%s: paths (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestAProxyIsUsed(t *testing.T) {
	t.Parallel()
	var through atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through.Add(1)
		if r.URL.Host != "forge.invalid" {
			t.Errorf("asked for %s", r.URL.Host)
		}
		_, _ = io.WriteString(w, `[]`)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	f, err := github.New(github.Config{
		Token: "github_pat_x", NoWebhooks: true, BaseURL: "http://forge.invalid/api/v3", Proxy: http.ProxyURL(at), Now: newClock().Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.ListOpen(t.Context(), pump(), ""); err != nil || through.Load() != 1 {
		t.Errorf("got %v, %d calls through the proxy", err, through.Load())
	}
}

func TestEveryCallIsMetered(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.on(pulls, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "17")
		_, _ = io.WriteString(w, `[]`)
	})
	var mu sync.Mutex
	var seen []github.Call
	f := s.forge(newClock(), func(c *github.Config) {
		c.Meter = func(call github.Call) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, call)
		}
	})
	if _, _, err := f.ListOpen(t.Context(), pump(), ""); err != nil {
		t.Fatal(err)
	}
	want := []github.Call{
		{Operation: "token", Resource: "app", Status: 201, Try: 1, Remaining: -1},
		{Operation: "list_open", Resource: "core", Status: 200, Try: 1, Remaining: 17},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestConfigurationIsCheckedWhole(t *testing.T) {
	t.Parallel()
	now := newClock().Now
	tests := []struct {
		name   string
		config github.Config
		want   []string
	}{
		{"nothing", github.Config{}, []string{"no clock", "neither an app nor a token", "no webhook secret"}},
		{"both", github.Config{AppID: 1, Token: "x", NoWebhooks: true, Now: now}, []string{"both an app and a token"}},
		{"a short secret", github.Config{Token: "x", Secrets: []string{secret, "short"}, Now: now}, []string{"webhook secret 2 has 5 bytes"}},
		{"an empty secret", github.Config{Token: "x", Secrets: []string{""}, Now: now}, []string{"webhook secret 1 has 0 bytes"}},
		{"no key", github.Config{AppID: 1, NoWebhooks: true, Now: now}, []string{"private key of app 1: not PEM"}},
		{"an address without scheme", github.Config{Token: "x", NoWebhooks: true, Now: now, BaseURL: "ghe.invalid/api/v3"}, []string{"base address"}},
		{"no authority in the PEM", github.Config{Token: "x", NoWebhooks: true, Now: now, CAPEM: []byte("x")}, []string{"no certificate"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := github.New(tt.config)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
		})
	}
}
