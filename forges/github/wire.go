package github

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// errTooLarge: an answer that nobody in his senses sends.
var errTooLarge = fmt.Errorf("answer larger than %d MiB", maxAnswer>>20)

// wire sends one request and reads its answer to the end, bounded, so that a
// connection is always free again and the time of a try covers its body.
type wire struct {
	*settled
	under http.RoundTripper
}

// RoundTrip implements http.RoundTripper. Calls pass line before they come
// here, but for those for a token, which ghinstallation makes by itself: asking
// for one changes nothing, so it is asked for twice even where the call it is
// for may be made only once.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/access_tokens") {
		return w.once(r)
	}
	for try := 1; ; try++ {
		start := w.Now()
		answer, err := w.once(r)
		call := Call{Operation: "token", Resource: "app", Try: try, Took: w.Now().Sub(start), Remaining: -1}
		if err == nil {
			call.Status = answer.StatusCode
		}
		w.Meter(call)
		broken := err != nil && !errors.Is(err, errTooLarge) || err == nil && answer.StatusCode >= http.StatusInternalServerError
		if !broken || try == 2 || r.Context().Err() != nil {
			return answer, err
		}
	}
}

func (w *wire) once(r *http.Request) (*http.Response, error) {
	answer, err := w.under.RoundTrip(r)
	if err != nil {
		return nil, cleaned{err}
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return nil, cleaned{fmt.Errorf("read answer: %w", err)}
	}
	if len(body) > maxAnswer {
		return nil, errTooLarge
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	answer.ContentLength = int64(len(body))
	return answer, nil
}

// cleaned is an error whose text shows no secret.
type cleaned struct{ error }

// Error implements error.
func (c cleaned) Error() string { return redact(c.error.Error()) }

// Unwrap gives the error as it was.
func (c cleaned) Unwrap() error { return c.error }

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Path
}
