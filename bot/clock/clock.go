// Package clock is the only place that asks the time.
package clock

import "time"

// Clock tells the time and waits. Tests pass a Clock of their own or run in a
// testing/synctest bubble with System.
type Clock interface {
	Now() time.Time
	// NewTimer is time.NewTimer.
	NewTimer(d time.Duration) *time.Timer
}

// System is the machine's clock.
type System struct{}

// Now implements Clock; always UTC, to the millisecond, as the store keeps it.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// NewTimer implements Clock.
func (System) NewTimer(d time.Duration) *time.Timer { return time.NewTimer(d) }
