package github

import (
	"net/http"
	"strings"
	"time"

	"primum/forges"
	"primum/forges/wire"
)

// GitHub's words for its limits, per
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
const (
	headerLimit     = "X-Ratelimit-Limit"
	headerRemaining = "X-Ratelimit-Remaining"
	headerReset     = "X-Ratelimit-Reset"
)

// limitOf reads a limit off an answer: 429, or 403 with one of the marks that
// tell a limit from a missing permission, or 503 that names a time.
func limitOf(answer *http.Response, now time.Time) *forges.RateLimited {
	after, named := wire.RetryAfter(answer.Header, now)
	reset, spent := spentWith(answer.Header, now)
	switch answer.StatusCode {
	case http.StatusServiceUnavailable:
		if !named {
			return nil
		}
		return &forges.RateLimited{Until: after, Secondary: true}
	case http.StatusTooManyRequests:
	case http.StatusForbidden:
		if !named && !spent && !saysLimited(wire.Peek(answer)) {
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
	// A minute is what GitHub asks for where it names no time.
	return &forges.RateLimited{Until: now.Add(wire.ShortestWait), Secondary: true}
}

// saysLimited recognises the sentences of limits that come without a header.
func saysLimited(body string) bool {
	body = strings.ToLower(body)
	return strings.Contains(body, "secondary rate limit") || strings.Contains(body, "abuse detection") ||
		strings.Contains(body, "api rate limit exceeded")
}

// spentWith reports that the hour's budget is spent and when the next begins.
func spentWith(h http.Header, now time.Time) (time.Time, bool) {
	if h.Get(headerRemaining) != "0" {
		return time.Time{}, false
	}
	if at, told := wire.Reset(h, headerReset, now); told {
		return at, true
	}
	return now.Add(wire.ShortestWait), true
}
