// Package githubface speaks GitHub's API over a simulated forge: the REST and
// GraphQL calls the GitHub adapter makes, with GitHub's ids, errors, paging,
// permissions and rate limits, and the signed webhooks of a GitHub App.
//
// It answers at the root as api.github.com does, and under /api/v3 and
// /api/graphql as an Enterprise Server does. Package spec holds its answers and
// payloads against GitHub's published descriptions.
package githubface

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"primum/forges/sim"
)

// Options say which app the face serves, and where it sends.
type Options struct {
	// App is the slug of the app whose JWTs are accepted and who gets webhooks.
	App string
	// PublicKey proves the app's JWTs.
	PublicKey *rsa.PublicKey
	// Tokens are plain tokens: token to login.
	Tokens map[string]string

	// HookURL gets the deliveries; none are made while it is "".
	HookURL string
	// Secret signs them.
	Secret string
	// Client sends them; http.DefaultClient if nil.
	Client *http.Client

	// APIURL and WebURL stand in answers: "https://api.github.example".
	APIURL string
	WebURL string

	// AuthNow is the clock of those who sign in, since their JWTs and tokens
	// carry the machine's time; the forge's own if nil.
	AuthNow func() time.Time
	// Log may be nil.
	Log *slog.Logger
	// Sent is told of every payload before it is sent; tests hold it against
	// GitHub's descriptions. It may be nil.
	Sent func(event string, header http.Header, body []byte)
}

// Face is the API and the webhooks. Close it after use.
type Face struct {
	forge *sim.Forge
	mux   *http.ServeMux

	mu     sync.Mutex
	o      Options
	tokens map[string]grant
	counts map[string]int
	reads  int
	writes int
	minted int
	spent  map[string]budget
	nextID int64

	post *post
}

// New makes a face over a forge and listens to what happens in it.
func New(f *sim.Forge, o Options) *Face {
	if o.AuthNow == nil {
		o.AuthNow = f.Now
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.APIURL == "" {
		o.APIURL = "https://api.github.example"
	}
	if o.WebURL == "" {
		o.WebURL = "https://github.example"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &Face{
		forge: f, mux: http.NewServeMux(), o: o, tokens: map[string]grant{}, counts: map[string]int{},
		spent: map[string]budget{},
	}
	t.post = newPost(t)
	t.routes()
	f.Subscribe(t.happened)
	return t
}

// Close stops sending webhooks.
func (t *Face) Close() { t.post.box.Close() }

// SetHook changes where webhooks go; "" keeps them.
func (t *Face) SetHook(url string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.o.HookURL = url
}

// SetURLs changes the addresses in answers; "" leaves one as it is.
func (t *Face) SetURLs(api, web string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if api != "" {
		t.o.APIURL = strings.TrimRight(api, "/")
	}
	if web != "" {
		t.o.WebURL = strings.TrimRight(web, "/")
	}
}

func (t *Face) urls() (api, web string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.o.APIURL, t.o.WebURL
}

// Calls are the calls answered so far. A GraphQL query is a read, a mutation a
// write; tokens are counted by themselves.
type Calls struct {
	Reads  int
	Writes int
	Tokens int
	// Routes counts by method and route: "GET /repos/{owner}/{repo}/pulls".
	Routes map[string]int
}

// Calls counts the calls since the face was made or the last ResetCalls.
func (t *Face) Calls() Calls {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Calls{Reads: t.reads, Writes: t.writes, Tokens: t.minted, Routes: maps.Clone(t.counts)}
}

// ResetCalls begins counting anew.
func (t *Face) ResetCalls() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads, t.writes, t.minted, t.counts = 0, 0, 0, map[string]int{}
}

func (t *Face) count(route string, write, token bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[route]++
	switch {
	case token:
		t.minted++
	case write:
		t.writes++
	default:
		t.reads++
	}
}

// call is one request on its way through the face.
type call struct {
	t    *Face
	w    http.ResponseWriter
	r    *http.Request
	who  caller
	body []byte
}

// ServeHTTP implements http.Handler.
func (t *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	t.nextID++
	id := t.nextID
	t.mu.Unlock()
	w.Header().Set("X-GitHub-Request-Id", fmt.Sprintf("SIM0:%04X:%08X", id%0xffff, id))
	w.Header().Set("X-GitHub-Media-Type", "github.v3; format=json")
	r = t.enterprise(r)
	fate := t.forge.DrawCall()
	if fate.Latency > 0 && !wait(r.Context(), fate.Latency) { //nolint:contextcheck // a clone has its request's context
		return
	}
	switch {
	case fate.Hang:
		<-r.Context().Done()
		return
	case fate.Fail:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><body>Unicorn! 502</body></html>"))
		return
	}
	_, route := t.mux.Handler(r)
	if route == "" {
		t.count(r.Method+" (no such route)", false, false)
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	graph := strings.HasSuffix(route, "/graphql")
	if !graph {
		t.count(route, r.Method != http.MethodGet, strings.HasSuffix(route, "/access_tokens"))
	}
	if fate.Limited {
		if graph {
			t.count(route, false, false)
		}
		limited(w, fate, t.forge.Now())
		return
	}
	t.mux.ServeHTTP(w, r)
}

// enterprise takes the prefixes of an Enterprise Server off, and finds the
// repository of an address by id.
func (t *Face) enterprise(r *http.Request) *http.Request {
	path := r.URL.Path
	switch {
	case path == "/api/graphql":
		path = "/graphql"
	case strings.HasPrefix(path, "/api/v3/"):
		path = strings.TrimPrefix(path, "/api/v3")
	}
	if rest, ok := strings.CutPrefix(path, "/repositories/"); ok {
		id, tail, _ := strings.Cut(rest, "/")
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			t.forge.Read(func(v *sim.View) {
				if repo := v.RepoByID(n); repo != nil {
					path = strings.TrimRight("/repos/"+v.FullName(repo)+"/"+tail, "/")
				}
			})
		}
	}
	if path == r.URL.Path {
		return r
	}
	c := r.Clone(r.Context())
	c.URL.Path, c.URL.RawPath = path, ""
	return c
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// limited answers as a spent rate limit does.
func limited(w http.ResponseWriter, fate sim.CallFate, now time.Time) {
	seconds := max(int(fate.Until.Sub(now).Seconds()+0.999), 1)
	h := w.Header()
	switch fate.Limit {
	case sim.LimitSecondary:
		h.Set("Retry-After", strconv.Itoa(seconds))
		fail(w, http.StatusForbidden, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
	case sim.LimitTooMany:
		h.Set("Retry-After", strconv.Itoa(seconds))
		fail(w, http.StatusTooManyRequests, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
	default:
		h.Set("X-RateLimit-Limit", "5000")
		h.Set("X-RateLimit-Remaining", "0")
		h.Set("X-RateLimit-Used", "5000")
		h.Set("X-RateLimit-Reset", strconv.FormatInt(fate.Until.Unix(), 10))
		h.Set("X-RateLimit-Resource", "core")
		fail(w, http.StatusForbidden, "API rate limit exceeded for installation.")
	}
}

// budget is what an installation used of its hour.
type budget struct {
	used  int
	since time.Time
}

const hourly = 5000

// spend takes one from the hour's budget and says how it stands in headers.
func (t *Face) spend(w http.ResponseWriter, who, resource string) (left int, reset time.Time) {
	now := t.forge.Now()
	t.mu.Lock()
	key := who + " " + resource
	b := t.spent[key]
	if now.Sub(b.since) >= time.Hour || b.since.IsZero() {
		b = budget{since: now}
	}
	b.used++
	t.spent[key] = b
	t.mu.Unlock()
	left, reset = max(hourly-b.used, 0), b.since.Add(time.Hour)
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(hourly))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
	h.Set("X-RateLimit-Used", strconv.Itoa(b.used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", resource)
	return left, reset
}

// j is a JSON object.
type j = map[string]any

func answer(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil { // every value is made here
		panic("githubface: answer is not JSON: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

// fail answers an error in GitHub's form.
func fail(w http.ResponseWriter, status int, message string) {
	answer(w, status, j{"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)})
}

// invalid answers 422 with the field at fault.
func invalid(w http.ResponseWriter, resource, field, code, message string) {
	answer(w, http.StatusUnprocessableEntity, j{
		"message":           "Validation Failed",
		"errors":            []any{j{"resource": resource, "field": field, "code": code, "message": message}},
		"documentation_url": "https://docs.github.com/rest", "status": "422",
	})
}

// refused answers what the forge refused.
func refused(w http.ResponseWriter, err error) {
	var r *sim.Refusal
	if !errors.As(err, &r) {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	why := strings.Join(r.Reasons, "; ")
	switch r.Kind {
	case sim.NotFound:
		fail(w, http.StatusNotFound, "Not Found")
	case sim.Forbidden:
		fail(w, http.StatusForbidden, why)
	case sim.Moved:
		fail(w, http.StatusConflict, why)
	case sim.Blocked:
		fail(w, http.StatusMethodNotAllowed, why)
	case sim.Invalid:
		answer(w, http.StatusUnprocessableEntity, j{
			"message": "Validation Failed", "errors": []any{j{"resource": "Resource", "field": "data", "code": "unprocessable", "message": why}},
			"documentation_url": "https://docs.github.com/rest", "status": "422",
		})
	}
}
