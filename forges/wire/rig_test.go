package wire_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/forges"
	"primum/forges/wire"
)

// secret is a token without a shape of its own, as Gitea's are.
const secret = "0123456789abcdef0123456789abcdef01234567"

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

// rig is a server, a client of it, and what the client said.
type rig struct {
	*httptest.Server
	clock *clock

	mu      sync.Mutex
	asked   []string // "METHOD /path token"
	metered []wire.Call
}

func serve(t *testing.T, h http.HandlerFunc) *rig {
	t.Helper()
	r := &rig{clock: newClock()}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.asked = append(r.asked, strings.TrimSpace(req.Method+" "+req.URL.Path+" "+req.Header.Get("Authorization")))
		r.mu.Unlock()
		h(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *rig) calls() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.asked...)
}

func (r *rig) meter() []wire.Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]wire.Call(nil), r.metered...)
}

func (r *rig) options(t *testing.T) wire.Options {
	t.Helper()
	return wire.Options{
		Base: base(t, r.URL), Now: r.clock.Now, Wait: func(int) time.Duration { return time.Millisecond }, Scope: "bot",
		Sign: func(req *http.Request) { req.Header.Set("Authorization", "token "+secret) },
		Meter: func(c wire.Call) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.metered = append(r.metered, c)
		},
	}
}

func (r *rig) client(t *testing.T, change ...func(*wire.Options)) *http.Client {
	t.Helper()
	o := r.options(t)
	for _, f := range change {
		f(&o)
	}
	return client(t, o)
}

func client(t *testing.T, o wire.Options) *http.Client {
	t.Helper()
	c, err := wire.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func base(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := wire.Base(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// call makes one call and gives status and body.
func call(t *testing.T, c *http.Client, method, address, body string, harmless bool) (int, string, error) {
	t.Helper()
	ctx := wire.Operation(t.Context(), "read_change")
	if harmless {
		ctx = wire.Harmless(ctx)
	}
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, in)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	out, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(out), err
}

// limited gives the limit an error is, or nil.
func limited(err error) *forges.RateLimited {
	l, _ := errors.AsType[*forges.RateLimited](err)
	return l
}
