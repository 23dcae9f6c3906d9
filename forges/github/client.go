package github

import (
	"net/http"

	"github.com/google/go-github/v62/github"

	"primum/forges/wire"
)

// client makes the calls of one installation (or of the app itself, or of a
// plain token). go-github refuses calls by itself after a limited answer, and
// per client, so each installation has one of its own; and since it takes a 429
// for an ordinary error, the limits are found below it, in wire.
type client struct {
	*settled
	scope string // installation id, "app", or "" with a plain token
	rest  *github.Client
	http  *http.Client
	gate  *wire.Gate
}

func newClient(s *settled, scope string, sign func(http.RoundTripper) http.RoundTripper) (*client, error) {
	c := &client{settled: s, scope: scope, gate: wire.NewGate(s.Now)}
	var err error
	c.http, err = wire.New(wire.Options{
		Base: s.rest, Under: s.under, Timeout: s.Timeout, Wait: s.Wait, Now: s.Now, Meter: s.Meter, MaxInFlight: maxInFlight,
		Scope: scope, Resource: s.resource(scope), Limit: limitOf, Spent: spentWith, Gate: c.gate,
		Hide:   []string{headerLimit, headerRemaining, headerReset}, // go-github would refuse by these on its own account
		Wrap:   func(under http.RoundTripper) http.RoundTripper { return sign(tokens{s, under}) },
		Renew:  scope != "" && scope != "app",
		Failed: s.tokenRefused,
	})
	if err != nil {
		return nil, err
	}
	c.rest = github.NewClient(c.http)
	c.rest.BaseURL = s.rest
	c.rest.UserAgent = "primum"
	return c, nil
}
