package github

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"

	"primum/forges"
)

// line is where every call of one installation passes: it refuses while the
// forge asked us to wait, bounds the calls in flight, gives each try its time,
// repeats what may be repeated, and turns a limit into forges.RateLimited.
type line struct {
	*settled
	scope string
	gate  *gate
	slots chan struct{}
	sign  func() http.RoundTripper

	mu     sync.Mutex
	signed http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	resource := l.resource(r)
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	again := r.Method == http.MethodGet || r.Method == http.MethodHead || ctx.Value(harmlessKey) != nil
	renewed := false
	for try := 1; ; try++ {
		// Asked anew before every try: a call that waited for a slot, or for its
		// next try, meets a limit that another one ran into meanwhile.
		if limited := l.gate.shut(resource, l.scope); limited != nil {
			return nil, limited
		}
		answer, err := l.try(r, resource, try)
		switch {
		case err == nil && answer.StatusCode == http.StatusUnauthorized && !renewed && l.scope != "" && l.scope != "app":
			// The token was revoked before its time; nothing was carried out.
			renewed = true
			l.renew()
			continue
		case err == nil && answer.StatusCode < http.StatusInternalServerError:
			return answer, nil
		case err != nil && !fleeting(ctx, err):
			return nil, err
		case !again || try >= maxTries:
			return answer, err
		}
		timer := time.NewTimer(l.Wait(try))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// try makes one try and classifies its answer. The answer is whole and in
// memory, so nothing of it needs closing.
func (l *line) try(r *http.Request, resource string, try int) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), l.Timeout)
	defer cancel()
	once := r.Clone(ctx)
	if r.Body != nil && r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		once.Body = body
	}
	l.mu.Lock()
	signed := l.signed
	l.mu.Unlock()

	start := l.Now()
	answer, err := signed.RoundTrip(once)
	seen := Call{
		Operation: named(r.Context()), Resource: resource, Try: try, Took: l.Now().Sub(start), Remaining: -1,
	}
	defer func() { l.Meter(seen) }()
	if err != nil {
		err = l.tokenRefused(err)
		if limited, ok := errors.AsType[*forges.RateLimited](err); ok {
			limited.Scope = l.scope
			l.gate.close("", limited)
			seen.Limited = true
		}
		return nil, err
	}
	seen.Status = answer.StatusCode
	if n, err := strconv.Atoi(answer.Header.Get(headerRemaining)); err == nil {
		seen.Remaining = n
	}
	if limited := limitOf(answer, l.Now()); limited != nil {
		limited.Scope = l.scope
		seen.Limited = true
		whose := resource
		if limited.Secondary {
			whose = ""
		}
		l.gate.close(whose, limited)
		return nil, limited
	}
	if until, spent := spentWith(answer.Header, l.Now()); spent {
		// This was the last call of the hour. It went through; the next would not.
		l.gate.close(resource, &forges.RateLimited{Until: until, Scope: l.scope})
	}
	// go-github would refuse by these headers on its own account.
	for _, h := range []string{headerLimit, headerRemaining, headerReset} {
		answer.Header.Del(h)
	}
	return answer, nil
}

// renew forgets the token.
func (l *line) renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.signed = l.sign()
}

// resource is whose budget a call uses.
func (l *line) resource(r *http.Request) string {
	switch {
	case l.scope == "app":
		return "app"
	case r.URL.Path == pathOf(l.graphql):
		return "graphql"
	}
	return "core"
}

// tokenRefused turns a refused token into what it means for the installation.
func (l *line) tokenRefused(err error) error {
	var refused *ghinstallation.HTTPError
	if !errors.As(err, &refused) || refused.Response == nil {
		return err
	}
	defer func() { _ = refused.Response.Body.Close() }() // ghinstallation leaves it open
	if limited := limitOf(refused.Response, l.Now()); limited != nil {
		return limited
	}
	h := answerError(refused.Response)
	switch refused.Response.StatusCode {
	case http.StatusNotFound, http.StatusForbidden:
		h.Err = forges.ErrSuspended
	}
	return h
}

// fleeting reports whether a try without an answer may be repeated: the wire
// failed or the try ran out of time, and the caller still waits.
func fleeting(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var limited *forges.RateLimited
	if errors.As(err, &limited) || errors.Is(err, errTooLarge) {
		return false
	}
	if h, ok := errors.AsType[*forges.HTTPError](err); ok {
		return h.Status >= http.StatusInternalServerError
	}
	return true
}

func named(ctx context.Context) string {
	if name, ok := ctx.Value(operationKey).(string); ok {
		return name
	}
	return "other"
}
