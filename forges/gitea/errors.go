package gitea

import (
	"net/http"
	"strings"

	"primum/forges"
	"primum/forges/wire"
)

// refusing turns every answer that is no success into an error, so that it is
// the same whoever made the call. A redirect of a reading call is left to the
// client, which follows it on the forge's own host.
type refusing struct{ under http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.under.RoundTrip(r)
	if err != nil || answer.StatusCode < http.StatusMultipleChoices {
		return answer, err
	}
	if answer.StatusCode < http.StatusBadRequest && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return answer, nil
	}
	said := wire.Said(answer)
	if strings.Contains(answer.Header.Get("Content-Type"), "html") {
		said = "a page for people instead of an answer"
	}
	_ = answer.Body.Close() // held in memory
	return nil, wire.Answer(answer, said, meaning(answer.StatusCode, said))
}

// meaning is the sentinel an answer amounts to, or nil. A token that is wrong,
// was revoked, or whose account may not sign in lets nothing through any more.
func meaning(status int, said string) error {
	switch status {
	case http.StatusUnauthorized:
		return forges.ErrSuspended
	case http.StatusForbidden:
		if strings.Contains(said, "prohibited") || strings.Contains(said, "not activated") || strings.Contains(said, "inactive") {
			return forges.ErrSuspended
		}
	case http.StatusMethodNotAllowed:
		return forges.ErrConflict
	case http.StatusLocked: // an archived repository can only be read
		return forges.ErrForbidden
	}
	return wire.Meaning(status)
}
