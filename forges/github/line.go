package github

import (
	"errors"
	"net/http"
	"strings"

	"github.com/bradleyfalzon/ghinstallation/v2"

	"primum/forges"
	"primum/forges/wire"
)

// resource is whose budget a call of a scope uses.
func (s *settled) resource(scope string) func(*http.Request) string {
	graphql := pathOf(s.graphql)
	return func(r *http.Request) string {
		switch {
		case scope == "app":
			return "app"
		case r.URL.Path == graphql:
			return "graphql"
		}
		return "core"
	}
}

// tokenRefused turns a refused token into what it means for the installation.
func (s *settled) tokenRefused(err error) error {
	var refused *ghinstallation.HTTPError
	if !errors.As(err, &refused) || refused.Response == nil {
		return err
	}
	defer func() { _ = refused.Response.Body.Close() }() // ghinstallation leaves it open
	if limited := limitOf(refused.Response, s.Now()); limited != nil {
		return limited
	}
	h := answerError(refused.Response)
	switch refused.Response.StatusCode {
	case http.StatusNotFound, http.StatusForbidden:
		h.Err = forges.ErrSuspended
	}
	return h
}

// tokens makes the calls for tokens, which ghinstallation makes by itself below
// everything that repeats and counts: asking for one changes nothing, so it is
// asked for twice even where the call it is for may be made only once.
type tokens struct {
	*settled
	under http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/access_tokens") {
		return t.under.RoundTrip(r)
	}
	for try := 1; ; try++ {
		start := t.Now()
		answer, err := t.under.RoundTrip(r)
		call := Call{Operation: "token", Resource: "app", Try: try, Took: t.Now().Sub(start), Remaining: -1}
		if err == nil {
			call.Status = answer.StatusCode
		}
		t.Meter(call)
		broken := err != nil && !errors.Is(err, wire.ErrTooLarge) || err == nil && answer.StatusCode >= http.StatusInternalServerError
		if !broken || try == 2 || r.Context().Err() != nil {
			return answer, err
		}
	}
}
