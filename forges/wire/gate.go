package wire

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"primum/forges"
)

// LongestWait bounds what a forge may ask for: a budget is never longer than an
// hour, and a garbled header must not stop us for a year.
const LongestWait = 90 * time.Minute

// ShortestWait is how long we wait where the forge names no time.
const ShortestWait = time.Minute

// Gate remembers until when the forge asked us to wait, per budget. The budget
// "" is everybody's: it stops all calls. It is safe for concurrent use.
type Gate struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]forges.RateLimited
}

// NewGate makes an open gate.
func NewGate(now func() time.Time) *Gate {
	return &Gate{now: now, by: map[string]forges.RateLimited{}}
}

// Shut gives the limit that stands against a call now, or nil.
func (g *Gate) Shut(resource, scope string) *forges.RateLimited {
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

// Close remembers a limit; one that ends sooner than what is known changes nothing.
func (g *Gate) Close(resource string, l *forges.RateLimited) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if old, ok := g.by[resource]; !ok || l.Until.After(old.Until) {
		g.by[resource] = *l
	}
}

// Limited reads a limit off an answer as most forges tell it: 429, and 503 that
// names a time. Retry-After names the time, or RateLimit-Reset in seconds since
// 1970, or else it is ShortestWait.
func Limited(answer *http.Response, now time.Time) *forges.RateLimited {
	after, named := RetryAfter(answer.Header, now)
	switch {
	case answer.StatusCode == http.StatusServiceUnavailable && named:
		return &forges.RateLimited{Until: after, Secondary: true}
	case answer.StatusCode != http.StatusTooManyRequests:
		return nil
	case named:
		return &forges.RateLimited{Until: after, Secondary: true}
	}
	if at, told := Reset(answer.Header, "Ratelimit-Reset", now); told {
		return &forges.RateLimited{Until: at, Secondary: true}
	}
	return &forges.RateLimited{Until: now.Add(ShortestWait), Secondary: true}
}

// RetryAfter reads Retry-After, seconds or a date, at most LongestWait from now;
// ShortestWait if it is neither.
func RetryAfter(h http.Header, now time.Time) (at time.Time, named bool) {
	v := h.Get("Retry-After")
	if v == "" {
		return time.Time{}, false
	}
	if s, err := strconv.Atoi(v); err == nil && s >= 0 {
		return now.Add(min(time.Duration(min(s, 1<<20))*time.Second, LongestWait)), true
	}
	if at, err := http.ParseTime(v); err == nil {
		return within(at, now), true
	}
	return now.Add(ShortestWait), true
}

// Reset reads a header that tells in seconds since 1970 when the next budget
// begins, at most LongestWait from now. A second is added, since the forge
// rounds.
func Reset(h http.Header, name string, now time.Time) (at time.Time, told bool) {
	s, err := strconv.ParseInt(h.Get(name), 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	return within(time.Unix(s, 0).Add(time.Second), now), true
}

func within(at, now time.Time) time.Time {
	if latest := now.Add(LongestWait); at.After(latest) {
		return latest
	}
	if at.Before(now) {
		return now
	}
	return at
}
