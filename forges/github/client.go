package github

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/go-github/v62/github"
)

// client makes the calls of one installation (or of the app itself, or of a
// plain token). go-github refuses calls by itself after a limited answer, and
// per client, so each installation has one of its own; and since it takes a 429
// for an ordinary error, the limits are found below it, in line.
type client struct {
	*settled
	scope string // installation id, "app", or "" with a plain token
	rest  *github.Client
	http  *http.Client
	line  *line
}

func newClient(s *settled, scope string, sign func(http.RoundTripper) http.RoundTripper) *client {
	w := &wire{settled: s, under: s.wire}
	l := &line{settled: s, scope: scope, gate: newGate(s.Now), slots: make(chan struct{}, maxInFlight)}
	l.sign = func() http.RoundTripper { return sign(w) }
	l.signed = l.sign()
	c := &client{settled: s, scope: scope, line: l}
	c.http = &http.Client{Transport: l, CheckRedirect: sameHost}
	c.rest = github.NewClient(c.http)
	c.rest.BaseURL = s.rest
	c.rest.UserAgent = "primum"
	return c
}

// sameHost follows a redirect of a reading call (a renamed repository) on the
// same host only: a signature must not leave it. A writing call that is
// redirected ends with the redirect as its answer.
func sameHost(r *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet && first.Method != http.MethodHead {
		return http.ErrUseLastResponse
	}
	if r.URL.Host != first.URL.Host || r.URL.Scheme != first.URL.Scheme {
		return fmt.Errorf("redirected to another host, %s; not followed", r.URL.Host)
	}
	if len(via) > 3 {
		return errors.New("redirected more than three times")
	}
	return nil
}

type contextKey int

const (
	operationKey contextKey = iota
	harmlessKey
)

// operation names what a call is for, for the meter.
func operation(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, operationKey, name)
}

// harmless marks a call that may be repeated although it is a POST.
func harmless(ctx context.Context) context.Context {
	return context.WithValue(ctx, harmlessKey, true)
}

// backoff is 100 ms doubling with each try, give or take half.
func backoff(try int) time.Duration {
	d := 100 * time.Millisecond << min(try-1, 4)
	return d/2 + rand.N(d) //nolint:gosec // jitter needs no secrecy
}
