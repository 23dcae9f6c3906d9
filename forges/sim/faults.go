package sim

import (
	"slices"
	"strings"
	"time"
)

// Faults are what goes wrong on request. Shares run from 0 to 1 and are drawn
// from the forge's seed.
type Faults struct {
	Latency   time.Duration // added to every call
	FailShare float64       // of calls answered 502
	HangShare float64       // of calls that get no answer until the caller gives up

	LimitedUntil time.Time // the rate limit is spent until then
	Limit        Limit     // how it is told

	Stale []Stale // reads that show former states

	// DiffsAfter is how many readings of a change after each push show no files
	// yet, on a forge that works them out later.
	DiffsAfter int

	LoseShare    float64 // of deliveries never sent
	RepeatShare  float64 // of deliveries sent twice
	ReorderShare float64 // of deliveries sent after the one that follows
	Delay        time.Duration
}

// Limit says how a spent rate limit is told.
type Limit string

// Limits.
const (
	LimitPrimary   Limit = "primary"   // 403 with x-ratelimit headers
	LimitSecondary Limit = "secondary" // 403 with retry-after
	LimitTooMany   Limit = "too-many"  // 429 with retry-after
)

// Stale makes reads of one change answer with an earlier state.
type Stale struct {
	Repo   string
	Number int
	Part   Part
	// Age: the state as it was that long ago. Calls: the next so many reads show
	// the state before the newest happening. One of them is set.
	Age   time.Duration
	Calls int
}

// Part of a change that may be stale.
type Part string

// Parts. The empty part is the whole change.
const (
	PartAll     Part = ""
	PartHead    Part = "head"
	PartReviews Part = "reviews"
	PartFiles   Part = "files"
)

// SetFaults changes the faults.
func (f *Forge) SetFaults(fn func(*Faults)) {
	f.faultsMu.Lock()
	defer f.faultsMu.Unlock()
	fn(&f.faults)
}

// Faults gives the faults as set.
func (f *Forge) Faults() Faults {
	f.faultsMu.Lock()
	defer f.faultsMu.Unlock()
	out := f.faults
	out.Stale = slices.Clone(f.faults.Stale)
	return out
}

// CallFate is what befalls one API call.
type CallFate struct {
	Latency time.Duration
	Fail    bool
	Hang    bool
	Limited bool
	Until   time.Time
	Limit   Limit
}

// DrawCall draws the fate of one API call.
func (f *Forge) DrawCall() CallFate {
	now := f.Now()
	f.faultsMu.Lock()
	defer f.faultsMu.Unlock()
	fate := CallFate{Latency: f.faults.Latency}
	if now.Before(f.faults.LimitedUntil) {
		fate.Limited, fate.Until, fate.Limit = true, f.faults.LimitedUntil, f.faults.Limit
		return fate
	}
	fate.Fail = f.draw(f.faults.FailShare)
	fate.Hang = f.draw(f.faults.HangShare)
	return fate
}

// DeliveryFate is what befalls one webhook delivery.
type DeliveryFate struct {
	Lose    bool
	Repeat  bool
	Reorder bool
	Delay   time.Duration
}

// DrawDelivery draws the fate of one webhook delivery.
func (f *Forge) DrawDelivery() DeliveryFate {
	f.faultsMu.Lock()
	defer f.faultsMu.Unlock()
	return DeliveryFate{
		Lose: f.draw(f.faults.LoseShare), Repeat: f.draw(f.faults.RepeatShare),
		Reorder: f.draw(f.faults.ReorderShare), Delay: f.faults.Delay,
	}
}

// draw is true with this probability; a share of 0 draws nothing.
func (f *Forge) draw(share float64) bool { return share > 0 && f.rand.Float64() < share }

// standing is a change or issue as a read shall show it: as it stands, or
// earlier where a fault asks for that.
func (f *Forge) standing(r *Repo, number int, part Part) *Issue {
	is := r.Issues[number]
	if is == nil || len(is.past) == 0 {
		return is
	}
	f.faultsMu.Lock()
	defer f.faultsMu.Unlock()
	for i := range f.faults.Stale {
		s := &f.faults.Stale[i]
		if s.Number != number || !strings.EqualFold(s.Repo, f.fullName(r)) {
			continue
		}
		if part != PartAll && s.Part != PartAll && s.Part != part {
			continue
		}
		old := is.past[len(is.past)-1]
		if s.Age > 0 {
			old = is
			at := f.Now().Add(-s.Age)
			for _, p := range slices.Backward(is.past) {
				if !old.UpdatedAt.After(at) {
					break
				}
				old = p
			}
		} else {
			if s.Calls <= 0 {
				continue
			}
			s.Calls--
		}
		return blend(is, old, s.Part)
	}
	return is
}

// blend is the issue with one part as it was.
func blend(now, old *Issue, part Part) *Issue {
	if part == PartAll || now.Change == nil || old.Change == nil {
		return old
	}
	out := now.copy()
	switch part {
	case PartReviews:
		out.Change.Reviews, out.Change.Threads = old.Change.Reviews, old.Change.Threads
	default:
		out.Change.Head, out.Change.BaseSHA = old.Change.Head, old.Change.BaseSHA
		out.UpdatedAt = old.UpdatedAt
	}
	return out
}
