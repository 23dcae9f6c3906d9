package wire_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
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
	"primum/forges/wire"
)

func TestWhatIsTriedAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method   string
		harmless bool
		status   int
		tries    int
	}{
		{http.MethodGet, false, 502, 3},
		{http.MethodHead, false, 503, 3},
		{http.MethodPost, true, 500, 3},
		{http.MethodPost, false, 502, 1},
		{http.MethodPut, false, 500, 1},
		{http.MethodPatch, false, 504, 1},
		{http.MethodDelete, false, 502, 1},
		{http.MethodGet, false, 404, 1},
		{http.MethodGet, false, 401, 1},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %d harmless=%v", tt.method, tt.status, tt.harmless), func(t *testing.T) {
			t.Parallel()
			var bodies atomic.Int32
			r := serve(t, func(w http.ResponseWriter, req *http.Request) {
				if b, err := io.ReadAll(req.Body); err == nil && string(b) == "hello" {
					bodies.Add(1)
				}
				w.WriteHeader(tt.status)
			})
			body := "hello"
			if tt.method == http.MethodGet || tt.method == http.MethodHead {
				body = ""
			}
			status, _, err := call(t, r.client(t), tt.method, r.URL+"/x", body, tt.harmless)
			if err != nil || status != tt.status {
				t.Errorf("got %d, %v, want the last answer", status, err)
			}
			if got := len(r.calls()); got != tt.tries {
				t.Errorf("tried %d times, want %d", got, tt.tries)
			}
			if body != "" && int(bodies.Load()) != tt.tries {
				t.Errorf("the body came %d times, want %d", bodies.Load(), tt.tries)
			}
		})
	}
}

// hangUp breaks the connection without an answer.
func hangUp(t *testing.T, w http.ResponseWriter) {
	t.Helper()
	h, ok := w.(http.Hijacker)
	if !ok {
		t.Error("cannot hang up")
		return
	}
	c, _, err := h.Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_ = c.Close()
}

func TestABrokenConnectionIsTriedAgainForReadingOnly(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{http.MethodGet: 3, http.MethodPost: 1, http.MethodPut: 1} {
		r := serve(t, func(w http.ResponseWriter, _ *http.Request) { hangUp(t, w) })
		c := r.client(t)
		_, _, err := call(t, c, method, r.URL+"/x", "", false)
		if err == nil {
			t.Errorf("%s: no error", method)
		}
		if !forges.Temporary(wire.Failure(err)) {
			t.Errorf("%s: %v is taken for lasting", method, err)
		}
		// The standard transport may itself repeat a GET on a connection that was
		// idle; ours counts what it tried.
		if got := len(r.meter()); got != want {
			t.Errorf("%s: tried %d times, want %d", method, got, want)
		}
	}
}

func TestATryIsBoundedAndTheCallerDecidesInTheEnd(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	var n atomic.Int32
	r := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if n.Add(1) == 1 {
			w.WriteHeader(http.StatusOK)
			_, _ = io.WriteString(w, "half an ans")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-hang:
			case <-req.Context().Done():
			}
			return
		}
		_, _ = io.WriteString(w, "whole")
	})
	t.Cleanup(func() { close(hang) })
	c := r.client(t, func(o *wire.Options) { o.Timeout = 200 * time.Millisecond })
	if status, body, err := call(t, c, http.MethodGet, r.URL+"/x", "", false); err != nil || status != 200 || body != "whole" {
		t.Errorf("got %d %q %v, want the second answer whole", status, body, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	before := len(r.calls())
	if a, err := c.Do(req); err == nil || !errors.Is(err, context.Canceled) {
		_ = a.Body.Close()
		t.Errorf("got %v, want the caller's end", err)
	}
	if got := len(r.calls()); got != before {
		t.Error("called although nobody waits")
	}
}

func TestLimitsAreReadAndRemembered(t *testing.T) {
	t.Parallel()
	now := newClock().Now()
	tests := []struct {
		name   string
		status int
		header map[string]string
		until  time.Time
	}{
		{"429 with seconds", 429, map[string]string{"Retry-After": "30"}, now.Add(30 * time.Second)},
		{"429 with a date", 429, map[string]string{"Retry-After": now.Add(5 * time.Minute).Format(http.TimeFormat)}, now.Add(5 * time.Minute)},
		{"429 with a date gone by", 429, map[string]string{"Retry-After": now.Add(-time.Hour).Format(http.TimeFormat)}, now},
		{"429 with nonsense", 429, map[string]string{"Retry-After": "soon"}, now.Add(time.Minute)},
		{"429 with a year", 429, map[string]string{"Retry-After": "31536000"}, now.Add(90 * time.Minute)},
		{"429 with a reset", 429, map[string]string{"RateLimit-Reset": fmt.Sprint(now.Add(40 * time.Second).Unix())}, now.Add(41 * time.Second)},
		{"429 with a reset in a year", 429, map[string]string{"RateLimit-Reset": fmt.Sprint(now.AddDate(1, 0, 0).Unix())}, now.Add(90 * time.Minute)},
		{"429 with nothing", 429, nil, now.Add(time.Minute)},
		{"503 with seconds", 503, map[string]string{"Retry-After": "9"}, now.Add(9 * time.Second)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var open atomic.Bool
			r := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if open.Load() {
					_, _ = io.WriteString(w, "ok")
					return
				}
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tt.status)
			})
			c := r.client(t)
			_, _, err := call(t, c, http.MethodGet, r.URL+"/x", "", false)
			l := limited(err)
			if l == nil {
				t.Fatalf("got %v, want a limit", err)
			}
			if !l.Until.Equal(tt.until) || l.Scope != "bot" || !l.Secondary {
				t.Errorf("got %+v, want until %v", l, tt.until)
			}
			if m := r.meter(); len(m) != 1 || !m[0].Limited {
				t.Errorf("metered %+v", m)
			}
			open.Store(true)
			if tt.until.After(now) {
				r.clock.Add(tt.until.Sub(now) - time.Millisecond)
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					if _, _, err := call(t, c, method, r.URL+"/other", "", false); limited(err) == nil {
						t.Errorf("%s before the time: got %v, want a limit", method, err)
					}
				}
				if got := len(r.calls()); got != 1 {
					t.Errorf("asked %d times before the time came", got)
				}
			}
			r.clock.Add(2 * time.Millisecond)
			if _, body, err := call(t, c, http.MethodGet, r.URL+"/x", "", false); err != nil || body != "ok" {
				t.Errorf("after the time: %q, %v", body, err)
			}
		})
	}
}

func TestBudgetsOfOneScope(t *testing.T) {
	t.Parallel()
	r := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/graphql" {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", fmt.Sprint(newClock().Now().Add(time.Hour/2).Unix()))
		}
		_, _ = io.WriteString(w, req.Header.Get("Accept"))
	})
	c := r.client(t, func(o *wire.Options) {
		o.Resource = func(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/") }
		o.Spent = func(h http.Header, now time.Time) (time.Time, bool) {
			if h.Get("X-RateLimit-Remaining") != "0" {
				return time.Time{}, false
			}
			return wire.Reset(h, "X-RateLimit-Reset", now)
		}
		o.Hide = []string{"X-RateLimit-Remaining"}
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(req)
	if err != nil {
		t.Fatalf("the last call of a budget failed: %v", err)
	}
	_ = answer.Body.Close()
	if answer.Header.Get("X-RateLimit-Remaining") != "" || answer.Header.Get("X-RateLimit-Reset") == "" {
		t.Errorf("hidden: got %v", answer.Header)
	}
	if _, _, err := call(t, c, http.MethodGet, r.URL+"/graphql", "", false); limited(err) == nil {
		t.Errorf("got %v, want a limit", err)
	}
	if _, _, err := call(t, c, http.MethodGet, r.URL+"/core", "", false); err != nil {
		t.Errorf("another budget: %v", err)
	}
	want := []wire.Call{
		{Operation: "other", Resource: "graphql", Status: 200, Try: 1, Remaining: 0},
		{Operation: "read_change", Resource: "core", Status: 200, Try: 1, Remaining: -1},
	}
	if diff := cmp.Diff(want, r.meter()); diff != "" {
		t.Errorf("metered (-want +got):\n%s", diff)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	var leaked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) { leaked.Add(1) }))
	t.Cleanup(elsewhere.Close)
	var home atomic.Pointer[string]
	r := serve(t, func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/new":
			_, _ = io.WriteString(w, "moved here")
		case "/old":
			http.Redirect(w, req, "/new", http.StatusMovedPermanently)
		case "/away":
			http.Redirect(w, req, elsewhere.URL+"/x", http.StatusFound)
		case "/away-307":
			http.Redirect(w, req, elsewhere.URL+"/x", http.StatusTemporaryRedirect)
		case "/scheme":
			http.Redirect(w, req, strings.Replace(*home.Load(), "http://", "https://", 1)+"/new", http.StatusFound)
		case "/ring":
			http.Redirect(w, req, "/ring", http.StatusFound)
		}
	})
	home.Store(&r.URL)
	c := r.client(t)
	tests := []struct {
		method, path string
		status       int
		body, err    string
	}{
		{http.MethodGet, "/old", 200, "moved here", ""},
		{http.MethodGet, "/away", 0, "", "another host"},
		{http.MethodHead, "/away-307", 0, "", "another host"},
		{http.MethodGet, "/scheme", 0, "", "the address to give is that with https"},
		{http.MethodGet, "/ring", 0, "", "more than three times"},
		{http.MethodPost, "/old", 301, "", ""},
		{http.MethodPost, "/away", 302, "", ""},
		{http.MethodPut, "/away-307", 307, "", ""},
		{http.MethodDelete, "/ring", 302, "", ""},
	}
	for _, tt := range tests {
		status, body, err := call(t, c, tt.method, r.URL+tt.path, "", false)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s %s: got %v, want %q", tt.method, tt.path, err, tt.err)
			}
			continue
		}
		if err != nil || status != tt.status || tt.body != "" && body != tt.body {
			t.Errorf("%s %s: got %d %q %v, want %d", tt.method, tt.path, status, body, err, tt.status)
		}
		if tt.status >= 300 && !errors.Is(wire.Meaning(status), forges.ErrConflict) {
			t.Errorf("%s %s: a redirected write means %v", tt.method, tt.path, wire.Meaning(status))
		}
	}
	if leaked.Load() != 0 {
		t.Errorf("%d calls reached another host", leaked.Load())
	}
}

func TestCredentialsNeverLeaveTheHost(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) { reached.Add(1) }))
	t.Cleanup(elsewhere.Close)
	r := serve(t, func(_ http.ResponseWriter, _ *http.Request) {})
	c := r.client(t)
	// A forge names the next page itself; a library calls what it names.
	for _, address := range []string{elsewhere.URL + "/next", strings.Replace(r.URL, "http://", "https://", 1) + "/next"} {
		if _, _, err := call(t, c, http.MethodGet, address, "", false); err == nil || !strings.Contains(err.Error(), "not the forge's own host") {
			t.Errorf("%s: got %v", address, err)
		}
	}
	if reached.Load() != 0 {
		t.Error("called another host")
	}
	if _, _, err := call(t, c, http.MethodGet, r.URL+"/x", "", false); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"GET /x token " + secret}, r.calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	r := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte(" "), 1<<20)
		for range 33 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	if _, _, err := call(t, r.client(t), http.MethodGet, r.URL+"/x", "", false); !errors.Is(err, wire.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if got := len(r.calls()); got != 1 {
		t.Errorf("asked %d times", got)
	}
}

func TestCallsInFlightAreBounded(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	r := serve(t, func(_ http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(2 * time.Millisecond) // so that calls overlap; nothing depends on how long
	})
	c := r.client(t, func(o *wire.Options) { o.MaxInFlight = 3 })
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, _, err := call(t, c, http.MethodGet, r.URL+"/x", "", false); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := most.Load(); got > 3 {
		t.Errorf("%d calls at a time", got)
	}
}

func TestASignedTransportIsRenewedOnce(t *testing.T) {
	t.Parallel()
	r := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "token 2" || req.URL.Path == "/never" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	var made atomic.Int32
	renewing := func(o *wire.Options) {
		o.Sign, o.Renew = nil, true
		o.Wrap = func(under http.RoundTripper) http.RoundTripper {
			n := made.Add(1)
			return signs{fmt.Sprintf("token %d", n), under}
		}
	}
	c := r.client(t, renewing)
	if status, _, err := call(t, c, http.MethodPost, r.URL+"/x", "body", false); err != nil || status != 200 {
		t.Errorf("got %d, %v", status, err)
	}
	if status, _, err := call(t, c, http.MethodGet, r.URL+"/never", "", false); err != nil || status != 401 {
		t.Errorf("got %d, %v", status, err)
	}
	want := []string{"POST /x token 1", "POST /x token 2", "GET /never token 2", "GET /never token 3"}
	if diff := cmp.Diff(want, r.calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	// An error of that transport may be a limit, which stops everything.
	c = r.client(t, renewing, func(o *wire.Options) {
		o.Wrap = func(http.RoundTripper) http.RoundTripper { return fails{} }
		o.Failed = func(error) error {
			return &forges.RateLimited{Until: r.clock.Now().Add(time.Minute)}
		}
	})
	for range 2 {
		if _, _, err := call(t, c, http.MethodGet, r.URL+"/x", "", false); limited(err) == nil {
			t.Errorf("got %v, want a limit", err)
		}
	}
	if n := len(r.meter()); n != 5 {
		t.Errorf("%d tries metered, want 5", n)
	}
}

type signs struct {
	as    string
	under http.RoundTripper
}

func (s signs) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", s.as)
	return s.under.RoundTrip(r)
}

type fails struct{}

func (fails) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no token") }

func TestAnAuthorityOfOnesOwn(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	s.Config.ErrorLog = log.New(t.Output(), "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	dir := t.TempDir()
	file, empty := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "empty.pem")
	if err := errors.Join(os.WriteFile(file, authority, 0o600), os.WriteFile(empty, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		file   string
		pem    []byte
		refuse string // by New
		fail   bool   // the call
	}{
		{name: "file", file: file},
		{name: "bytes", pem: authority},
		{name: "unknown", fail: true},
		{name: "no such file", file: filepath.Join(dir, "none.pem"), refuse: "authorities: open"},
		{name: "an empty file", file: empty, refuse: "is empty"},
		{name: "no certificate", pem: []byte("x"), refuse: "no certificate"},
	} {
		c, err := wire.New(wire.Options{
			Base: base(t, s.URL+"/forge"), CAFile: tt.file, CAPEM: tt.pem, Now: newClock().Now,
			Wait: func(int) time.Duration { return 0 },
		})
		if tt.refuse != "" {
			if err == nil || !strings.Contains(err.Error(), tt.refuse) {
				t.Errorf("%s: got %v, want %q", tt.name, err, tt.refuse)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		_, body, err := call(t, c, http.MethodGet, base(t, s.URL+"/forge").JoinPath("api/v1/version").String(), "", false)
		if (err != nil) != tt.fail || !tt.fail && body != "/forge/api/v1/version" {
			t.Errorf("%s: got %q, %v", tt.name, body, err)
		}
	}
}

func TestAProxyIsUsed(t *testing.T) {
	t.Parallel()
	var through atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through.Add(1)
		_, _ = io.WriteString(w, r.URL.Host)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, wire.Options{Base: base(t, "http://forge.invalid"), Proxy: http.ProxyURL(at), Now: newClock().Now})
	_, body, err := call(t, c, http.MethodGet, "http://forge.invalid/x", "", false)
	if err != nil || body != "forge.invalid" || through.Load() != 1 {
		t.Errorf("got %q, %v, %d calls through the proxy", body, err, through.Load())
	}
	// A proxy that is down is said without its password.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := l.Addr().String()
	_ = l.Close()
	at, err = url.Parse("http://mara:hunter2hunter2@" + down)
	if err != nil {
		t.Fatal(err)
	}
	c = client(t, wire.Options{
		Base: base(t, "http://forge.invalid"), Proxy: http.ProxyURL(at), Now: newClock().Now, Wait: func(int) time.Duration { return 0 },
	})
	if _, _, err = call(t, c, http.MethodGet, "http://forge.invalid/x", "", false); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestWhatANewClientNeeds(t *testing.T) {
	t.Parallel()
	_, err := wire.New(wire.Options{CAPEM: []byte("x")})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"no base address", "no clock", "no certificate"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
