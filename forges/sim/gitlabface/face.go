// Package gitlabface speaks GitLab's API over a simulated forge: the REST and
// GraphQL calls the GitLab adapter, its setup and its doctor make, with GitLab's
// ids, errors, paging, scopes, tiers and rate limits, its pipelines and the rules
// by which a commit status becomes a job of one, and its webhooks.
//
// An organisation of the forge is a top-level group, its teams are subgroups
// right below it; a team with children is a subgroup its children are invited
// to, since GitLab hands membership down and the forge hands it up. The rules
// follow GitLab's documentation and the source of its community edition, 18.2.
package gitlabface

import (
	"context"
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

// Tiers, from what everybody has to what has everything.
const (
	Free     = "free"
	Premium  = "premium"
	Ultimate = "ultimate"
)

// Options say what kind of GitLab the face is, and where it sends.
type Options struct {
	// Tier is Free, Premium or Ultimate; Free if empty. What a tier lacks is 404,
	// or 403 for external status checks below Ultimate with a licence.
	Tier string
	// Version is what the instance says it is; "18.2.1-ee" if empty.
	Version string
	// Tokens are access tokens with the scope api: token to login. More, with
	// other scopes, are made with AddToken.
	Tokens map[string]string

	// HookURL gets every delivery, as a webhook of every top-level group would
	// (of every project on Free); none while it is "". Webhooks made through the
	// API get theirs besides.
	HookURL string
	// Secret is sent with them in X-Gitlab-Token; SigningToken ("whsec_…") signs
	// them in the manner of Standard Webhooks. Each is left out if empty.
	Secret       string
	SigningToken string
	// Client sends them; http.DefaultClient if nil.
	Client *http.Client

	// OwnNumbers counts merge requests apart from issues, as GitLab does; without
	// it both have the forge's number.
	OwnNumbers bool
	// NestTeams puts the group of a child team below that of its parent instead
	// of inviting it there.
	NestTeams bool

	// Below puts projects into subgroups: the forge's name of a repository to the
	// slug of a team of its organisation.
	Below map[string]string
	// OwnersAbove makes the owners and bots of an organisation members of its
	// top-level group, from where GitLab hands them down to every subgroup. Without
	// it they are members of each project, and the owners administer the instance.
	OwnersAbove bool

	// APIURL and WebURL stand in answers: where /api/v4 is found, and the pages.
	APIURL string
	WebURL string
	// Log may be nil.
	Log *slog.Logger
	// Sent is told of every payload before it is sent. It may be nil.
	Sent func(event string, header http.Header, body []byte)
}

// Face is the API and the webhooks. Close it after use.
type Face struct {
	forge *sim.Forge
	mux   *http.ServeMux

	mu      sync.Mutex
	o       Options
	tokens  map[string]*token
	lastTok int64
	forbid  map[string]bool
	counts  map[string]int
	reads   int
	writes  int
	spent   map[string]budget
	nextID  int64

	state *state
	post  *post
}

// New makes a face over a forge and listens to what happens in it.
func New(f *sim.Forge, o Options) *Face {
	if o.Tier == "" {
		o.Tier = Free
	}
	if o.Version == "" {
		o.Version = "18.2.1-ee"
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.APIURL == "" {
		o.APIURL = "https://gitlab.example"
	}
	if o.WebURL == "" {
		o.WebURL = "https://gitlab.example"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &Face{
		forge: f, mux: http.NewServeMux(), o: o, tokens: map[string]*token{}, forbid: map[string]bool{},
		counts: map[string]int{}, spent: map[string]budget{}, state: newState(),
	}
	for value, login := range o.Tokens {
		t.AddToken(value, login, "api")
	}
	t.post = newPost(t)
	t.routes()
	f.SetStyle(sim.Style{DraftPrefixes: []string{"Draft:", "[Draft]", "(Draft)"}, ClosesWaiting: true})
	f.AlsoHinders(t.hinders)
	f.Subscribe(t.happened)
	return t
}

// Close stops sending webhooks.
func (t *Face) Close() { t.post.box.Close() }

// Forge is the forge behind the face.
func (t *Face) Forge() *sim.Forge { return t.forge }

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
		t.o.APIURL = strings.TrimSuffix(strings.TrimRight(api, "/"), "/api/v4")
	}
	if web != "" {
		t.o.WebURL = strings.TrimRight(web, "/")
	}
}

func (t *Face) options() Options {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.o
}

// has reports whether the instance's tier is at least the one named.
func (o Options) has(tier string) bool {
	rank := map[string]int{Free: 0, Premium: 1, Ultimate: 2}
	return rank[o.Tier] >= rank[tier]
}

// Forbid takes a part away from every token, answering 403 for it: "members"
// (of groups), "statuses", "pipelines", "issues", "merge_requests", "notes",
// "award_emoji", "hooks", "approvals".
func (t *Face) Forbid(part string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forbid[part] = true
}

// Calls are the calls answered so far. A GraphQL query is a read, a mutation a write.
type Calls struct {
	Reads  int
	Writes int
	// Routes counts by method and route: "GET /api/v4/projects/{id}".
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
	} else {
		t.reads++
	}
}

// ServeHTTP implements http.Handler.
func (t *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	t.nextID++
	id := t.nextID
	t.mu.Unlock()
	w.Header().Set("X-Request-Id", fmt.Sprintf("01SIM%021d", id))
	w.Header().Set("X-Gitlab-Meta", fmt.Sprintf(`{"correlation_id":"01SIM%021d","version":"1"}`, id))
	fate := t.forge.DrawCall()
	if fate.Latency > 0 && !wait(r.Context(), fate.Latency) {
		return
	}
	switch {
	case fate.Hang:
		<-r.Context().Done()
		return
	case fate.Fail:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><body>GitLab is not responding. 502</body></html>"))
		return
	}
	_, route := t.mux.Handler(r)
	if route == "" {
		t.count(r.Method+" (no such route)", r.Method != http.MethodGet)
		answer(w, http.StatusNotFound, j{"error": "404 Not Found"})
		return
	}
	if r.URL.Path != graphPath {
		t.count(route, r.Method != http.MethodGet && r.Method != http.MethodHead)
	}
	if fate.Limited {
		if r.URL.Path == graphPath {
			t.count(route, false)
		}
		limited(w, fate, t.forge.Now())
		return
	}
	t.mux.ServeHTTP(w, r)
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

// LimitApplication is how the limits within the application are told (notes in a
// minute, members of a project): 429 without any header.
const LimitApplication sim.Limit = "application"

// limited answers as a spent rate limit does: 429 in plain text, with headers.
func limited(w http.ResponseWriter, fate sim.CallFate, now time.Time) {
	if fate.Limit == LimitApplication {
		answer(w, http.StatusTooManyRequests, j{"message": j{"error": "This endpoint has been requested too many times. Try again later."}})
		return
	}
	seconds := max(int(fate.Until.Sub(now).Seconds()+0.999), 1)
	h := w.Header()
	h.Set("Retry-After", strconv.Itoa(seconds))
	h.Set("RateLimit-Limit", strconv.Itoa(perMinute))
	h.Set("RateLimit-Name", "throttle_authenticated_api")
	h.Set("RateLimit-Observed", strconv.Itoa(perMinute+1))
	h.Set("RateLimit-Remaining", "0")
	h.Set("RateLimit-Reset", strconv.FormatInt(fate.Until.Unix(), 10))
	h.Set("RateLimit-ResetTime", fate.Until.UTC().Format(http.TimeFormat))
	h.Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write([]byte("Retry later\n"))
}

// budget is what somebody used of the minute.
type budget struct {
	used  int
	since time.Time
}

// perMinute is gitlab.com's limit for signed-in calls.
const perMinute = 2000

// spend takes one from the minute's budget and says how it stands in headers.
// It only counts: what is spent is decided by the faults of the forge.
func (t *Face) spend(w http.ResponseWriter, who string) {
	now := t.forge.Now()
	t.mu.Lock()
	b := t.spent[who]
	if b.since.IsZero() || now.Sub(b.since) >= time.Minute {
		b = budget{since: now.Truncate(time.Minute)}
	}
	b.used++
	t.spent[who] = b
	t.mu.Unlock()
	reset := b.since.Add(time.Minute)
	h := w.Header()
	h.Set("RateLimit-Limit", strconv.Itoa(perMinute))
	h.Set("RateLimit-Name", "throttle_authenticated_api")
	h.Set("RateLimit-Observed", strconv.Itoa(b.used))
	h.Set("RateLimit-Remaining", strconv.Itoa(max(perMinute-b.used, 0)))
	h.Set("RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	h.Set("RateLimit-ResetTime", reset.UTC().Format(http.TimeFormat))
}

var _ http.Handler = (*Face)(nil)
