package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"primum/forges"
)

// line is where every call passes: it refuses while the forge asked us to
// wait, bounds the calls in flight, gives each try its time, repeats what may
// be repeated, and turns a limit into forges.RateLimited.
type line struct {
	Options
	slots chan struct{}

	mu     sync.Mutex
	signed http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if host(r.URL) != host(l.Base) || r.URL.Scheme != l.Base.Scheme {
		return nil, fmt.Errorf("call to %s://%s, which is not the forge's own host; not made", r.URL.Scheme, Redact(r.URL.Host))
	}
	ctx := r.Context()
	resource := l.Resource(r)
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	whole := r.Body == nil || r.Body == http.NoBody || r.GetBody != nil // can be sent again
	again := whole && (r.Method == http.MethodGet || r.Method == http.MethodHead || ctx.Value(harmlessKey) != nil)
	renewed := !l.Renew || !whole
	for try := 1; ; try++ {
		// Asked anew before every try: a call that waited for a slot, or for its
		// next try, meets a limit that another one ran into meanwhile.
		if limited := l.Gate.Shut(resource, l.Scope); limited != nil {
			return nil, limited
		}
		answer, err := l.try(r, resource, try)
		switch {
		case err == nil && answer.StatusCode == http.StatusUnauthorized && !renewed:
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
	if l.Sign != nil {
		l.Sign(once)
	}
	l.mu.Lock()
	signed := l.signed
	l.mu.Unlock()

	start := l.Now()
	answer, err := signed.RoundTrip(once)
	seen := Call{Operation: Named(ctx), Resource: resource, Try: try, Took: l.Now().Sub(start), Remaining: -1}
	defer func() { l.Meter(seen) }()
	if err != nil {
		err = l.Failed(err)
		if limited, ok := errors.AsType[*forges.RateLimited](err); ok {
			limited.Scope = l.Scope
			l.Gate.Close("", limited)
			seen.Limited = true
		}
		return nil, err
	}
	seen.Status = answer.StatusCode
	seen.Remaining = remaining(answer.Header)
	if limited := l.Limit(answer, l.Now()); limited != nil {
		limited.Scope = l.Scope
		seen.Limited = true
		whose := resource
		if limited.Secondary {
			whose = ""
		}
		l.Gate.Close(whose, limited)
		return nil, limited
	}
	if until, spent := l.Spent(answer.Header, l.Now()); spent {
		// This was the last call of the budget. It went through; the next would not.
		l.Gate.Close(resource, &forges.RateLimited{Until: until, Scope: l.Scope})
	}
	for _, h := range l.Hide {
		answer.Header.Del(h)
	}
	return answer, nil
}

// renew makes the transport that signs anew, and so forgets its token.
func (l *line) renew() {
	var signed http.RoundTripper = bounded{l.Under}
	if l.Wrap != nil {
		signed = l.Wrap(signed)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.signed = signed
}

// fleeting reports whether a try without an answer may be repeated: the wire
// failed or the try ran out of time, and the caller still waits.
func fleeting(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var limited *forges.RateLimited
	if errors.As(err, &limited) || errors.Is(err, ErrTooLarge) {
		return false
	}
	if h, ok := errors.AsType[*forges.HTTPError](err); ok {
		return h.Status >= http.StatusInternalServerError
	}
	return true
}

// remaining is what is left of the budget, in whichever of the usual words the
// forge says it; -1 if it does not.
func remaining(h http.Header) int {
	for _, name := range []string{"X-Ratelimit-Remaining", "Ratelimit-Remaining"} {
		if n, err := strconv.Atoi(h.Get(name)); err == nil {
			return n
		}
	}
	return -1
}

// bounded sends one request and reads its answer to the end, bounded, so that a
// connection is always free again and the time of a try covers its body.
type bounded struct{ under http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.under.RoundTrip(r)
	if err != nil {
		return nil, cleaned{err}
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, MaxAnswer+1))
	if err != nil {
		return nil, cleaned{fmt.Errorf("read answer: %w", err)}
	}
	if len(body) > MaxAnswer {
		return nil, ErrTooLarge
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	answer.ContentLength = int64(len(body))
	return answer, nil
}
