package work

import (
	"crypto/rand"
	"math/big"
	"time"

	"primum/forges"
)

// The schedule of tries: one second doubled each time, at most five minutes;
// after a time that the forge named, up to spread more, so that not all who
// waited for it come at once.
const (
	firstWait   = time.Second
	longestWait = 5 * time.Minute
	spread      = 2 * time.Second
)

// retries says when to try again.
type retries struct {
	max     int // tries before an error that may pass is given up
	lasting int // the same for one that does not pass by itself
}

// after is when to try again after a failed try, the tries-th; the zero time to
// give up. Being asked to wait is no failure: it never ends in giving up.
func (r retries) after(now time.Time, tries int, err error) time.Time {
	if at, ok := forges.RetryAt(err); ok {
		if at.Before(now) {
			at = now
		}
		return at.Add(upTo(spread))
	}
	limit := r.max
	if !forges.Temporary(err) {
		limit = r.lasting
	}
	if tries >= limit {
		return time.Time{}
	}
	wait := longestWait
	if doublings := tries - 1; doublings < 9 { // 2^9 s is longer than the longest
		wait = min(firstWait<<max(doublings, 0), longestWait)
	}
	return now.Add(wait/2 + upTo(wait/2))
}

// upTo is a random duration in [0, d].
func upTo(d time.Duration) time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(d)+1))
	if err != nil { // the system has no randomness; then all wait alike
		return d
	}
	return time.Duration(n.Int64())
}

func madeUpName() string { return "unnamed-" + rand.Text() }
