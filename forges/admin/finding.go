package admin

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"primum/forges"
)

// Findings gathers what doctor sees.
type Findings []forges.Finding

// Good notes that a topic is as it should be.
func (f *Findings) Good(topic, says string, args ...any) {
	*f = append(*f, forges.Finding{Topic: topic, Level: forges.Good, Says: fmt.Sprintf(says, args...)})
}

// Odd notes what works and deserves a look.
func (f *Findings) Odd(topic, cure, says string, args ...any) {
	*f = append(*f, forges.Finding{Topic: topic, Level: forges.Odd, Says: fmt.Sprintf(says, args...), Cure: cure})
}

// Bad notes what keeps verdicts from coming or from blocking.
func (f *Findings) Bad(topic, cure, says string, args ...any) {
	*f = append(*f, forges.Finding{Topic: topic, Level: forges.Bad, Says: fmt.Sprintf(says, args...), Cure: cure})
}

// Wrong notes an error that Explain put into words.
func (f *Findings) Wrong(topic string, level forges.Level, err error) {
	says, cure := err.Error(), ""
	if t, ok := err.(*Trouble); ok { //nolint:errorlint // what Explain gives, not what it wraps
		says, cure = t.Says, t.Cure
	}
	*f = append(*f, forges.Finding{Topic: topic, Level: level, Says: says, Cure: cure})
}

// How far two clocks may be apart: signed tokens are refused beyond a minute,
// and verdicts of waivers and reviews are given by time.
const (
	clockOdd = 10 * time.Second
	clockBad = time.Minute
)

// Clock compares the forge's clock, as its Date header told it between two
// looks at ours, with our own.
func (f *Findings) Clock(h http.Header, before, after time.Time) {
	theirs, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		f.Odd("clock", "", "the forge does not tell the time in its answers, so the clocks could not be compared")
		return
	}
	// The header has whole seconds: its moment lies within the second that follows.
	off := time.Duration(0)
	switch {
	case theirs.Add(time.Second).Before(before):
		off = before.Sub(theirs.Add(time.Second))
	case theirs.After(after):
		off = theirs.Sub(after)
	}
	side := "ahead of"
	if theirs.After(after) {
		side = "behind"
	}
	cure := "set both by NTP"
	switch off = off.Round(time.Second); {
	case off > clockBad:
		f.Bad("clock", cure, "this machine's clock is %s %s the forge's", off, side)
	case off > clockOdd:
		f.Odd("clock", cure, "this machine's clock is %s %s the forge's", off, side)
	default:
		f.Good("clock", "agrees with the forge's")
	}
}

// Private reports whether a host is one that forges do not send webhooks to
// unless told that they may: loopback, private and link-local addresses. An
// unknown name is not private.
func Private(ctx context.Context, address string) (private bool, where string) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return false, ""
	}
	ips := []net.IP{net.ParseIP(u.Hostname())}
	if ips[0] == nil {
		found, err := net.DefaultResolver.LookupIPAddr(ctx, u.Hostname())
		if err != nil {
			return false, ""
		}
		ips = ips[:0]
		for _, ip := range found {
			ips = append(ips, ip.IP)
		}
	}
	for _, ip := range ips {
		if ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() {
			return true, ip.String()
		}
	}
	return false, ""
}
