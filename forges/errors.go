package forges

import (
	"errors"
	"fmt"
	"time"
)

// Sentinels tell callers how to react.
var (
	// ErrSignature: the delivery is not proven to come from the forge. Answer
	// 401 and keep nothing.
	ErrSignature = errors.New("signature missing or wrong")
	// ErrMalformed: signed, but not a delivery we can read. Keep it, count it.
	ErrMalformed = errors.New("malformed delivery")
	// ErrNotFound: it is not there, or we may not know that it is.
	ErrNotFound = errors.New("not found")
	// ErrForbidden: our permissions do not reach. Trying again does not help
	// until somebody grants them.
	ErrForbidden = errors.New("forbidden")
	// ErrUnsupported: this forge has no such thing.
	ErrUnsupported = errors.New("not supported by this forge")
	// ErrConflict: the thing moved meanwhile; read again and decide anew.
	ErrConflict = errors.New("moved meanwhile")
	// ErrStale: the forge answered with a state older than one already seen.
	ErrStale = errors.New("forge answers with an older state")
	// ErrSuspended: the installation is suspended or gone.
	ErrSuspended = errors.New("installation suspended or removed")
)

// RateLimited says that the forge asks us to wait. Every call that needs the
// same budget waits until Until.
type RateLimited struct {
	Until     time.Time
	Secondary bool   // an abuse limit rather than the hourly budget
	Scope     string // whose budget: the installation
}

// Error implements error.
func (e *RateLimited) Error() string {
	return fmt.Sprintf("rate limited until %s", e.Until.UTC().Format(time.RFC3339))
}

// HTTPError is an answer that is no success, with what is needed to find it
// again: never a token, never a whole body.
type HTTPError struct {
	Method    string
	Path      string // without query
	Status    int
	Message   string // at most 300 bytes of the body
	RequestID string
	Err       error // the sentinel it amounts to, or nil
}

// Error implements error.
func (e *HTTPError) Error() string {
	s := fmt.Sprintf("%s %s: %d", e.Method, e.Path, e.Status)
	if e.Message != "" {
		s += " " + e.Message
	}
	if e.RequestID != "" {
		s += " (request " + e.RequestID + ")"
	}
	return s
}

// Unwrap gives the sentinel.
func (e *HTTPError) Unwrap() error { return e.Err }

// Temporary reports whether trying again later may help: transport errors,
// 5xx, rate limits and stale answers; not the sentinels that name a lasting state.
func Temporary(err error) bool {
	if err == nil {
		return false
	}
	for _, lasting := range []error{ErrSignature, ErrMalformed, ErrNotFound, ErrForbidden, ErrUnsupported, ErrSuspended} {
		if errors.Is(err, lasting) {
			return false
		}
	}
	return true
}

// RetryAt is when the forge wants to be asked again; ok is false if it did not say.
func RetryAt(err error) (at time.Time, ok bool) {
	if limited, ok := errors.AsType[*RateLimited](err); ok {
		return limited.Until, true
	}
	return time.Time{}, false
}
