package github

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v62/github"

	"primum/forges"
)

// secretShape matches what must not be shown: GitHub's tokens (installation
// tokens may be whole JWTs behind "ghs_"), JWTs, and passwords in addresses.
var secretShape = regexp.MustCompile(`gh[a-z]_[A-Za-z0-9._-]{10,}|github_pat_[A-Za-z0-9_]{10,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9._-]+|://[^/\s@"]+@`)

func redact(s string) string {
	return secretShape.ReplaceAllStringFunc(s, func(m string) string {
		if strings.HasPrefix(m, "://") {
			return "://…@"
		}
		return "…"
	})
}

// peek reads the body of an answer held in memory and leaves it to be read again.
func peek(answer *http.Response) string {
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return ""
	}
	rest, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	answer.Body = io.NopCloser(bytes.NewReader(append(body, rest...)))
	return string(body)
}

// answerError describes an answer that is no success. The message is GitHub's
// own sentence where the body has one.
func answerError(answer *http.Response) *forges.HTTPError {
	h := &forges.HTTPError{Status: answer.StatusCode, RequestID: short(answer.Header.Get("X-Github-Request-Id"), 80)}
	if answer.Request != nil {
		h.Method, h.Path = answer.Request.Method, answer.Request.URL.Path
	}
	body := peek(answer)
	var said struct {
		Message string `json:"message"`
		Errors  any    `json:"errors"`
	}
	if json.Unmarshal([]byte(body), &said) == nil && said.Message != "" {
		body = said.Message
		if more, err := json.Marshal(said.Errors); err == nil && said.Errors != nil {
			body += " " + string(more)
		}
	}
	h.Message = short(redact(strings.Join(strings.Fields(body), " ")), 300)
	h.Err = meaning(h.Status, h.Message)
	return h
}

// meaning is the sentinel an answer amounts to, or nil.
func meaning(status int, message string) error {
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return forges.ErrNotFound
	case http.StatusForbidden, http.StatusUnauthorized, http.StatusUnavailableForLegalReasons:
		if strings.Contains(message, "suspended") {
			return forges.ErrSuspended
		}
		return forges.ErrForbidden
	case http.StatusConflict, http.StatusPreconditionFailed,
		http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		// A redirect is left over only of a writing call: the repository has
		// another name now.
		return forges.ErrConflict
	case http.StatusUnprocessableEntity:
		if strings.Contains(message, "No commit found") {
			return forges.ErrNotFound
		}
	}
	return nil
}

// failure turns an error of go-github into one of ours.
func (c *client) failure(err error) error {
	if err == nil {
		return nil
	}
	if limited, ok := errors.AsType[*forges.RateLimited](err); ok {
		return limited
	}
	if ours, ok := errors.AsType[*forges.HTTPError](err); ok {
		return ours
	}
	var refused *github.ErrorResponse
	if errors.As(err, &refused) && refused.Response != nil {
		return answerError(refused.Response)
	}
	return cleaned{err}
}

// short cuts s to at most n bytes between two runes.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
