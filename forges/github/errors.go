package github

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/go-github/v62/github"

	"primum/forges"
	"primum/forges/wire"
)

// answerError describes an answer that is no success. The message is GitHub's
// own sentence where the body has one.
func answerError(answer *http.Response) *forges.HTTPError {
	h := wire.Answer(answer, "", nil)
	h.Err = meaning(h.Status, h.Message)
	return h
}

// meaning is the sentinel an answer amounts to, or nil.
func meaning(status int, message string) error {
	switch {
	case status == http.StatusForbidden && strings.Contains(message, "suspended"):
		return forges.ErrSuspended
	case status == http.StatusUnprocessableEntity && strings.Contains(message, "No commit found"):
		return forges.ErrNotFound
	}
	return wire.Meaning(status)
}

// failure turns an error of go-github into one of ours.
func (c *client) failure(err error) error {
	var refused *github.ErrorResponse
	if errors.As(err, &refused) && refused.Response != nil {
		return answerError(refused.Response)
	}
	return wire.Failure(err)
}
