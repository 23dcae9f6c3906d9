package gitlab

import (
	"errors"
	"net/http"
	"strings"

	gitlab "github.com/xanzy/go-gitlab"

	"primum/forges"
	"primum/forges/wire"
)

// failure turns an error of a call into one to pass on.
func failure(r *gitlab.Response, err error) error {
	if err == nil {
		return nil
	}
	var answer *gitlab.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		// The library has read the body; what it says stands in the message.
		said := answer.Message
		if said == "" {
			said = string(answer.Body)
		}
		return wire.Answer(answer.Response, said, meaning(answer.Response.StatusCode, string(answer.Body)))
	}
	if errors.Is(err, gitlab.ErrNotFound) && r != nil { // the library keeps nothing else of a 404
		return wire.Answer(r.Response, "not found", forges.ErrNotFound)
	}
	return wire.Failure(err)
}

// meaning is the sentinel an answer amounts to. GitLab tells a blocked account
// from a missing permission by words only. A token that ran out or was taken back
// is a missing permission: the account goes on with another.
func meaning(status int, said string) error {
	if status == http.StatusForbidden || status == http.StatusUnauthorized {
		said = strings.ToLower(said)
		for _, word := range []string{"blocked", "deactivated"} {
			if strings.Contains(said, word) {
				return forges.ErrSuspended
			}
		}
	}
	return wire.Meaning(status)
}

// status is the status of the answer that err is about, or 0.
func status(err error) int {
	if h, ok := errors.AsType[*forges.HTTPError](err); ok {
		return h.Status
	}
	return 0
}
