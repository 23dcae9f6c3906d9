// Package giteaface speaks the API of Gitea and of Forgejo over a simulated
// forge: the REST calls the Gitea adapter makes, with these products' own ids,
// words, paging, permissions, scopes and refusals, and their signed webhooks.
//
// What it does was measured on a running Gitea 1.26.3 and Forgejo 7.0.2. It
// answers below /api/v1, or below a sub-path where its address has one. Package
// spec holds its answers against Gitea's own description.
package giteaface

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"primum/forges/sim"
)

// Products.
const (
	Gitea   = "gitea"
	Forgejo = "forgejo"
)

// Versions a face reports unless told otherwise.
const (
	GiteaVersion   = "1.26.3"
	ForgejoVersion = "7.0.2+gitea-1.22.0"
)

// Options say which product the face is, who may sign in, and where it sends.
type Options struct {
	// Product is Gitea (the default) or Forgejo.
	Product string
	// Version as /api/v1/version reports it; GiteaVersion or ForgejoVersion if empty.
	Version string
	// Tokens sign people in with every scope: token to login.
	Tokens map[string]string

	// HookURL gets the deliveries of a webhook for the whole forge, as its
	// administrator sets it up; there is none while it is "". Webhooks made
	// through the API work beside it.
	HookURL string
	// Secret signs them.
	Secret string
	// Client sends deliveries; http.DefaultClient if nil.
	Client *http.Client
	// Timeout is how long a delivery waits for its answer; 5 s if 0.
	Timeout time.Duration

	// URL is the address people and programs open, with a sub-path if it has one:
	// "https://gitea.example" if empty.
	URL string

	// Log may be nil.
	Log *slog.Logger
	// Sent is told of every payload before it is sent; event is the precise type
	// ("pull_request_review_approved"). It may be nil.
	Sent func(event string, header http.Header, body []byte)
}

// Face is the API and the webhooks. Close it after use.
type Face struct {
	forge  *sim.Forge
	router router

	mu     sync.Mutex
	o      Options
	tokens map[string]grant
	counts map[string]int
	reads  int
	writes int
	hooks  []*hook
	held   map[string][]string // login to units of repositories withheld

	post *post
}

// New makes a face over a forge, makes the forge decide as the product does,
// and listens to what happens in it.
func New(f *sim.Forge, o Options) *Face {
	if o.Product == "" {
		o.Product = Gitea
	}
	if o.Version == "" {
		o.Version = GiteaVersion
		if o.Product == Forgejo {
			o.Version = ForgejoVersion
		}
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.URL == "" {
		o.URL = "https://gitea.example"
	}
	o.URL = strings.TrimRight(o.URL, "/")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	style := sim.Style{
		Gate: sim.GateGitea, ChecksAreStatuses: true, AnyState: true, StaleByContent: true, ClearsAtOnce: true, ReviewsAreComments: true, KeepsPushes: true,
		DraftPrefixes: []string{"WIP:", "[WIP]"},
	}
	if o.Product == Forgejo {
		style.Gate = sim.GateForgejo
	}
	f.SetStyle(style)
	t := &Face{forge: f, o: o, tokens: map[string]grant{}, counts: map[string]int{}, held: map[string][]string{}}
	for token, login := range o.Tokens {
		t.tokens[token] = grant{login: login, scopes: []string{"all"}}
	}
	t.post = newPost(t)
	t.routes()
	f.Subscribe(t.happened)
	return t
}

// Close stops sending webhooks.
func (t *Face) Close() { t.post.box.Close() }

// Forge is the forge behind the face.
func (t *Face) Forge() *sim.Forge { return t.forge }

// SetHook changes where the webhook of the whole forge goes; "" takes it away.
func (t *Face) SetHook(url string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.o.HookURL = url
}

// SetURLs changes the address in answers: web is the one people open, api the
// same seen by programs ("/api/v1" at its end is ignored). Gitea knows one
// address only, so web wins; "" leaves it as it is.
func (t *Face) SetURLs(api, web string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if web == "" {
		web = api
	}
	if web != "" {
		t.o.URL = strings.TrimSuffix(strings.TrimRight(web, "/"), "/api/v1")
	}
}

// AddToken lets somebody sign in with a token of these scopes ("read:repository",
// "write:issue", "all"); none means all.
func (t *Face) AddToken(token, login string, scopes ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(scopes) == 0 {
		scopes = []string{"all"}
	}
	t.tokens[token] = grant{login: login, scopes: scopes}
}

// RevokeToken makes a token worthless.
func (t *Face) RevokeToken(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tokens, token)
}

// Withhold takes units of every repository ("code", "pulls", "issues") away from
// an account, as a team without them does.
func (t *Face) Withhold(login string, units ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held[login] = append(t.held[login], units...)
}

func (t *Face) withheld(login, unit string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.held[login], unit)
}

func (t *Face) options() Options {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.o
}

func (t *Face) forgejo() bool { return t.o.Product == Forgejo } // the product never changes

// Calls are the calls answered so far.
type Calls struct {
	Reads  int
	Writes int
	// Routes counts by method and route: "GET /repos/{owner}/{repo}/pulls".
	Routes map[string]int
}

// Calls counts the calls since the face was made or the last ResetCalls.
func (t *Face) Calls() Calls {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Calls{Reads: t.reads, Writes: t.writes, Routes: maps.Clone(t.counts)}
}

// ResetCalls begins counting anew.
func (t *Face) ResetCalls() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads, t.writes, t.counts = 0, 0, map[string]int{}
}

func (t *Face) count(route string, write bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[route]++
	if write {
		t.writes++
		return
	}
	t.reads++
}

// ServeHTTP implements http.Handler.
func (t *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fate := t.forge.DrawCall()
	if fate.Latency > 0 && !wait(r.Context(), fate.Latency) {
		return
	}
	write := r.Method != http.MethodGet && r.Method != http.MethodHead
	path, ok := t.apiPath(r.URL)
	route, values := t.router.find(r.Method, path)
	if !ok {
		route = nil
	}
	name := r.Method + " (no such route)"
	if route != nil {
		name = route.name
	}
	switch {
	case fate.Hang:
		t.count(name, write)
		<-r.Context().Done()
		return
	case fate.Fail:
		t.count(name, write)
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
		return
	}
	t.count(name, write)
	if fate.Limited { // these products limit nothing; a proxy before them may
		seconds := max(int(fate.Until.Sub(t.forge.Now()).Seconds()+0.999), 1)
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
		return
	}
	t.serve(w, r, route, values)
}

// apiPath is the escaped path below /api/v1, if the request is for the API.
func (t *Face) apiPath(u *url.URL) (string, bool) {
	base, err := url.Parse(t.options().URL)
	if err != nil {
		return "", false
	}
	rest, ok := strings.CutPrefix(u.EscapedPath(), strings.TrimRight(base.Path, "/")+"/api/v1/")
	return "/" + rest, ok
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

// j is a JSON object.
type j = map[string]any

func (c *call) answer(status int, v any) {
	h := c.w.Header()
	if raw, ok := v.(text); ok && v != none {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		c.w.WriteHeader(status)
		_, _ = c.w.Write([]byte(raw))
		return
	}
	h.Set("Cache-Control", "max-age=0, private, must-revalidate, no-transform")
	if v == none {
		c.w.WriteHeader(status)
		return
	}
	raw, err := json.Marshal(v)
	if err != nil { // every value is made here
		panic("giteaface: answer is not JSON: " + err.Error())
	}
	h.Set("Content-Type", "application/json;charset=utf-8")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(append(raw, '\n'))
}

// text is an answer that is not JSON.
type text string

// none is an answer without a body.
const none = text("\x00none")

// fail answers an error in Gitea's form.
func (c *call) fail(status int, message string) {
	c.answer(status, j{"message": message, "url": c.t.options().URL + "/api/swagger"})
}

// notFound answers 404, with what was looked for if it is said.
func (c *call) notFound(what ...string) {
	said := "not found"
	if c.t.forgejo() {
		said = "The target couldn't be found."
		if what == nil {
			what = []string{}
		}
	}
	c.answer(http.StatusNotFound, j{"errors": what, "message": said, "url": c.t.options().URL + "/api/swagger"})
}

// refused answers what the forge refused.
func (c *call) refused(err error) {
	var r *sim.Refusal
	if !errors.As(err, &r) {
		c.fail(http.StatusInternalServerError, err.Error())
		return
	}
	why := strings.Join(r.Reasons, "; ")
	switch r.Kind {
	case sim.NotFound:
		c.notFound()
	case sim.Forbidden: // without a word
		c.answer(http.StatusForbidden, none)
	case sim.Moved:
		c.fail(http.StatusConflict, why)
	case sim.Blocked:
		if why == sim.OpenDependencies {
			if c.t.forgejo() {
				why = "cannot close this issue because it still has open dependencies"
			}
			c.fail(http.StatusPreconditionFailed, why)
			return
		}
		c.fail(http.StatusMethodNotAllowed, why)
	case sim.Invalid:
		c.fail(http.StatusUnprocessableEntity, why)
	}
}
