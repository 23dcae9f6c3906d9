package judge

import (
	"fmt"
	"time"

	"primum/forges"
	"primum/rules/fact"
)

// How long the forge may answer with a state older than the one a delivery
// showed. A head that is missing is waited for long, because judging the old
// one could let old approvals pass for the new; a change whose head is right
// and whose time of last change is behind is waited for briefly.
const (
	staleFirst    = 250 * time.Millisecond
	staleSlowest  = time.Minute
	staleHeadMax  = 10 * time.Minute
	staleTimesMax = 2 * time.Second
)

// staleError says that the forge does not show yet what a delivery showed.
type staleError struct {
	head  string    // the head we wait for; "" if only the time of last change is behind
	key   string    // names the state waited for
	since time.Time // when the disagreement began
	retry time.Time
}

func (e *staleError) Error() string {
	if e.head == "" {
		return "waiting for the forge to show the newest state of the change"
	}
	return "waiting for the forge to show commit " + short(e.head)
}

func (e *staleError) Unwrap() error { return forges.ErrStale }

// guard compares a reading with the newest state a delivery showed (law 1).
// It answers a *staleError while the forge is behind. The forge's word is taken
// when it says it changed later than the delivery says and does not show the
// head judged before it, when its head provably follows the one in the delivery,
// and after staleHeadMax, with a note.
func guard(w want, c *fact.Change, now time.Time) (note string, err error) {
	if c.State != fact.Open {
		return "", nil
	}
	wrongHead := w.hint.Head != "" && w.hint.Head != c.Head.SHA
	wrongBase := w.hint.Base != "" && w.hint.Base != c.Base.Name
	older := !w.hint.UpdatedAt.IsZero() && c.UpdatedAt.Before(w.hint.UpdatedAt)
	newer := !w.hint.UpdatedAt.IsZero() && c.UpdatedAt.After(w.hint.UpdatedAt)
	// A later time with the very head that was judged before the delivery named
	// another: the forge shows a newer comment, and the old commit.
	behind := wrongHead && c.Head.SHA == w.judgedHead
	switch {
	case newer && !behind, !wrongHead && !wrongBase && !older:
		return "", nil
	case wrongHead && !older && follows(w, c):
		return "", nil // deliveries of one second, in the wrong order
	}
	stale := &staleError{key: w.hint.Head + " " + w.hint.Base + " " + w.hint.UpdatedAt.UTC().Format(time.RFC3339), since: now}
	most := staleTimesMax
	if wrongHead || wrongBase {
		most = staleHeadMax
	}
	if wrongHead {
		stale.head = w.hint.Head
	}
	if w.memory.Notes[noteStale] == stale.key {
		if t, err := time.Parse(time.RFC3339Nano, w.memory.Notes[noteStaleAt]); err == nil {
			stale.since = t
		}
	}
	waited := now.Sub(stale.since)
	if waited < most {
		stale.retry = now.Add(min(staleSlowest, max(staleFirst, waited)))
		return "", stale
	}
	if wrongHead {
		note = fmt.Sprintf("A delivery named commit %s as the head; the forge has shown %s for %d minutes, and its word was taken.",
			short(w.hint.Head), short(c.Head.SHA), int(waited.Minutes()))
	}
	return note, nil
}

// follows reports whether the head the forge shows provably came after the
// head in the delivery: we judged that one before, or the change contains it.
func follows(w want, c *fact.Change) bool {
	if w.hint.Base != "" && w.hint.Base != c.Base.Name {
		return false
	}
	if w.hint.Head == w.judgedHead {
		return true
	}
	for i := range c.Commits {
		if c.Commits[i].SHA == w.hint.Head {
			return true
		}
	}
	return false
}

func short(sha string) string {
	if len(sha) > 8 {
		return sha[:8]
	}
	return sha
}
