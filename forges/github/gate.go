package github

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"primum/forges"
)

// GitHub's words for its limits, per
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
const (
	headerLimit     = "X-Ratelimit-Limit"
	headerRemaining = "X-Ratelimit-Remaining"
	headerReset     = "X-Ratelimit-Reset"
	headerRetry     = "Retry-After"
)

// longestWait bounds what the forge may ask for: a budget is never longer than
// an hour, and a garbled header must not stop us for a year.
const longestWait = 90 * time.Minute

// shortestWait is what GitHub asks for where it names no time.
const shortestWait = time.Minute

// gate remembers until when the forge asked us to wait, per budget. The budget
// "" is everybody's: a secondary limit stops all calls.
type gate struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]forges.RateLimited
}

func newGate(now func() time.Time) *gate {
	return &gate{now: now, by: map[string]forges.RateLimited{}}
}

// shut gives the limit that stands against a call now, or nil.
func (g *gate) shut(resource, scope string) *forges.RateLimited {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	var worst *forges.RateLimited
	for _, whose := range []string{"", resource} {
		l, ok := g.by[whose]
		if !ok {
			continue
		}
		if !l.Until.After(now) {
			delete(g.by, whose)
			continue
		}
		if worst == nil || l.Until.After(worst.Until) {
			l.Scope = scope
			worst = &l
		}
	}
	return worst
}

func (g *gate) close(resource string, l *forges.RateLimited) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if old, ok := g.by[resource]; !ok || l.Until.After(old.Until) {
		g.by[resource] = *l
	}
}

// limitOf reads a limit off an answer: 429, or 403 with one of the marks that
// tell a limit from a missing permission, or 503 that names a time.
func limitOf(answer *http.Response, now time.Time) *forges.RateLimited {
	after, named := retryAfter(answer.Header, now)
	reset, spent := spentWith(answer.Header, now)
	switch answer.StatusCode {
	case http.StatusServiceUnavailable:
		if !named {
			return nil
		}
		return &forges.RateLimited{Until: after, Secondary: true}
	case http.StatusTooManyRequests:
	case http.StatusForbidden:
		if !named && !spent && !saysLimited(peek(answer)) {
			return nil
		}
	default:
		return nil
	}
	switch {
	case named:
		return &forges.RateLimited{Until: after, Secondary: !spent}
	case spent:
		return &forges.RateLimited{Until: reset}
	}
	return &forges.RateLimited{Until: now.Add(shortestWait), Secondary: true}
}

// saysLimited recognises the sentences of limits that come without a header.
func saysLimited(body string) bool {
	body = strings.ToLower(body)
	return strings.Contains(body, "secondary rate limit") || strings.Contains(body, "abuse detection") ||
		strings.Contains(body, "api rate limit exceeded")
}

// retryAfter reads seconds or a date.
func retryAfter(h http.Header, now time.Time) (time.Time, bool) {
	v := h.Get(headerRetry)
	if v == "" {
		return time.Time{}, false
	}
	if s, err := strconv.Atoi(v); err == nil && s >= 0 {
		return now.Add(min(time.Duration(min(s, 1<<20))*time.Second, longestWait)), true
	}
	if at, err := http.ParseTime(v); err == nil {
		return bounded(at, now), true
	}
	return now.Add(shortestWait), true
}

// spentWith reports that the hour's budget is spent and when the next begins.
func spentWith(h http.Header, now time.Time) (time.Time, bool) {
	if h.Get(headerRemaining) != "0" {
		return time.Time{}, false
	}
	s, err := strconv.ParseInt(h.Get(headerReset), 10, 64)
	if err != nil {
		return now.Add(shortestWait), true
	}
	// A second is added: the reset is told in whole seconds.
	return bounded(time.Unix(s, 0).Add(time.Second), now), true
}

func bounded(at, now time.Time) time.Time {
	if latest := now.Add(longestWait); at.After(latest) {
		return latest
	}
	if at.Before(now) {
		return now
	}
	return at
}
