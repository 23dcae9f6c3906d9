package wire

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"primum/forges"
)

// Bounds of every client.
const (
	// MaxAnswer is how many bytes of an answer are read at most.
	MaxAnswer      = 32 << 20
	maxTries       = 3 // of a reading call
	maxRedirects   = 3
	defaultTimeout = 10 * time.Second
	defaultFlight  = 32
)

// Options say where a client calls, as whom, and how patiently.
type Options struct {
	// Base is where the forge answers, as Base gives it. Calls to another host
	// are refused before they are made, so that no credential reaches one.
	Base *url.URL
	// CAFile names a PEM file of authorities to trust besides the system's;
	// CAPEM is the same as bytes.
	CAFile string
	CAPEM  []byte
	// Proxy finds the proxy of a request; the environment's if nil.
	Proxy func(*http.Request) (*url.URL, error)
	// Under carries the calls instead of a transport made of CAFile, CAPEM and
	// Proxy, so that several clients share connections. See Transport.
	Under http.RoundTripper

	// Timeout bounds each try of a call, answer included; 10 s if zero.
	Timeout time.Duration
	// Wait holds between two tries of a call; Backoff if nil.
	Wait func(try int) time.Duration
	// Now is the clock. It must be given.
	Now func() time.Time
	// Meter is told of every try of a call; nil if nobody counts.
	Meter func(Call)
	// MaxInFlight bounds the calls at a time, 32 if zero.
	MaxInFlight int

	// Scope is whose budget the calls use, as told in forges.RateLimited.
	Scope string
	// Resource names the budget a call uses where there are several of one
	// scope; "core" for every call if nil.
	Resource func(*http.Request) string
	// Limit reads off an answer that the forge asks us to wait, and nil if it
	// does not; Limited if nil. It may read the answer's body with Peek.
	Limit func(*http.Response, time.Time) *forges.RateLimited
	// Spent reads off the header of an answer that went through that it was the
	// last of its budget, and when the next budget begins. Never if nil.
	Spent func(http.Header, time.Time) (until time.Time, spent bool)
	// Gate remembers the limits; one of its own if nil.
	Gate *Gate
	// Hide names headers that are taken off an answer once they were read here,
	// since some client libraries refuse or delay calls by them.
	Hide []string

	// Sign puts the credentials on a try.
	Sign func(*http.Request)
	// Wrap puts credentials on by a transport of its own, for those that need
	// calls to get. It is made once, and again after a 401 if Renew is set: the
	// call is then tried once more, since nothing was carried out.
	Wrap  func(under http.RoundTripper) http.RoundTripper
	Renew bool
	// Failed reads an error of Wrap's transport; it gives a better one or the same.
	Failed func(error) error
}

// Call is one try of one call, for counting. It names no repository.
type Call struct {
	Operation string        // "read_change", "set_verdict", …, as named by Operation
	Resource  string        // whose budget it used: "core", "graphql", …
	Status    int           // HTTP status; 0 if there was no answer
	Try       int           // from 1
	Took      time.Duration // answer included
	Limited   bool          // the forge asked us to wait
	Remaining int           // of the budget; -1 if the forge did not say
}

// New makes a client. Its answers are whole and in memory: at most MaxAnswer
// bytes, and nothing leaks if nobody closes them. GET, HEAD and what Harmless
// marks is tried up to three times on a 5xx answer or a broken connection; a
// writing call is made once. While the forge asks us to wait, calls answer
// *forges.RateLimited without being made. A redirect of a reading call is
// followed on the same host and scheme; a writing call that is redirected ends
// with the redirect as its answer. Pass errors of the client through Failure.
func New(o Options) (*http.Client, error) {
	var problems []error
	if o.Base == nil {
		problems = append(problems, errors.New("no base address; give Base"))
	}
	if o.Now == nil {
		problems = append(problems, errors.New("no clock; give Now"))
	}
	if o.Under == nil {
		under, err := Transport(o)
		if err != nil {
			problems = append(problems, err)
		}
		o.Under = under
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Wait == nil {
		o.Wait = Backoff
	}
	if o.Meter == nil {
		o.Meter = func(Call) {}
	}
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = defaultFlight
	}
	if o.Resource == nil {
		o.Resource = func(*http.Request) string { return "core" }
	}
	if o.Limit == nil {
		o.Limit = Limited
	}
	if o.Spent == nil {
		o.Spent = func(http.Header, time.Time) (time.Time, bool) { return time.Time{}, false }
	}
	if o.Gate == nil {
		o.Gate = NewGate(o.Now)
	}
	if o.Failed == nil {
		o.Failed = func(err error) error { return err }
	}
	l := &line{Options: o, slots: make(chan struct{}, o.MaxInFlight)}
	l.renew()
	return &http.Client{Transport: l, CheckRedirect: redirect}, nil
}

// Backoff is 100 ms doubling with each try, give or take half.
func Backoff(try int) time.Duration {
	d := 100 * time.Millisecond << min(max(try-1, 0), 4)
	return d/2 + rand.N(d) //nolint:gosec // jitter needs no secrecy
}

// redirect follows a reading call (a renamed repository) on the same host and
// scheme only: a signature must not leave it. A writing call that is redirected
// ends with the redirect as its answer.
func redirect(r *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case first.Method != http.MethodGet && first.Method != http.MethodHead:
		return http.ErrUseLastResponse
	case host(r.URL) != host(first.URL):
		return fmt.Errorf("redirected to another host, %s; not followed", Redact(r.URL.Host))
	case r.URL.Scheme != first.URL.Scheme:
		return fmt.Errorf("redirected from %s to %s; not followed, the address to give is that with %s", first.URL.Scheme, r.URL.Scheme, r.URL.Scheme)
	case len(via) > maxRedirects:
		return errors.New("redirected more than three times")
	}
	return nil
}
