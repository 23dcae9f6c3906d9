package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"primum/forges"
)

// ErrTooLarge is an answer that nobody in his senses sends.
var ErrTooLarge = fmt.Errorf("answer larger than %d MiB", MaxAnswer>>20)

// messageMax bounds what of a body an error shows.
const messageMax = 300

// secretShape matches what must not be shown: the tokens of GitHub
// (installation tokens may be whole JWTs behind "ghs_") and GitLab, JWTs,
// passwords in addresses, and, for tokens that have no shape of their own, what
// follows the name of one.
var secretShape = regexp.MustCompile(
	`gh[a-z]_[A-Za-z0-9._-]{10,}|github_pat_[A-Za-z0-9_]{10,}` +
		`|\bgl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|wt|soat|ffct|oas)-[A-Za-z0-9_.=-]{10,}|\bGR1348941[A-Za-z0-9_-]{10,}|\b_gitlab_session=[^\s;]+` +
		`|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9._-]+` +
		`|://[^/\s@"]+@`)

// secretAfter matches a value of some length behind a word that names a secret.
var secretAfter = regexp.MustCompile(
	`(?i)((?:\b|_)(?:token|secret|password|passwd|authorization|bearer|basic)["']?(?:\s*[:=]\s*|\s+)(?:(?:bearer|basic|token)\s+)?["']?)[A-Za-z0-9+/_.=~-]{16,}`)

// Redact takes out of s what looks like a secret.
func Redact(s string) string {
	s = secretShape.ReplaceAllStringFunc(s, func(m string) string {
		if strings.HasPrefix(m, "://") {
			return "://…@"
		}
		return "…"
	})
	return secretAfter.ReplaceAllString(s, "${1}…")
}

// Short cuts s to at most n bytes between two runes.
func Short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:max(n, 0)]
}

// Ellipsis cuts s like Short and shows that it did.
func Ellipsis(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if n < len("…") {
		return Short(s, n)
	}
	return Short(s, n-len("…")) + "…"
}

// Answer describes an answer that is no success: method, path, status and at
// most 300 redacted bytes of message, which is the body's own sentence if "".
func Answer(r *http.Response, message string, meaning error) *forges.HTTPError {
	h := &forges.HTTPError{Status: r.StatusCode, Err: meaning}
	for _, name := range []string{"X-Github-Request-Id", "X-Request-Id"} {
		if h.RequestID == "" {
			h.RequestID = Short(r.Header.Get(name), 80)
		}
	}
	if r.Request != nil {
		h.Method, h.Path = r.Request.Method, r.Request.URL.Path
	}
	if message == "" {
		message = Said(r)
	}
	h.Message = Short(Redact(strings.Join(strings.Fields(message), " ")), messageMax)
	return h
}

// Said is the sentence of an answer held in memory: what its JSON calls message
// or error, with the errors beside it, or else its text. The answer can still
// be read. It is as the forge sent it: Answer redacts and cuts.
func Said(r *http.Response) string {
	body := Peek(r)
	var said struct {
		Message     any `json:"message"`
		Error       any `json:"error"`
		Description any `json:"error_description"`
		Errors      any `json:"errors"`
	}
	if json.Unmarshal([]byte(body), &said) != nil {
		return body
	}
	var parts []string
	for _, v := range []any{said.Message, said.Error, said.Description, said.Errors} {
		switch v := v.(type) {
		case nil:
		case string:
			parts = append(parts, v)
		default:
			if raw, err := json.Marshal(v); err == nil {
				parts = append(parts, string(raw))
			}
		}
	}
	if len(parts) == 0 {
		return body
	}
	return strings.Join(parts, " ")
}

// Meaning is the sentinel a status amounts to on every forge, or nil. A
// redirect is left over only of a writing call: the repository has another name
// now.
func Meaning(status int) error {
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return forges.ErrNotFound
	case http.StatusForbidden, http.StatusUnauthorized, http.StatusUnavailableForLegalReasons:
		return forges.ErrForbidden
	case http.StatusConflict, http.StatusPreconditionFailed,
		http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return forges.ErrConflict
	}
	return nil
}

// Peek reads the first 64 KiB of an answer held in memory and leaves it to be
// read again.
func Peek(r *http.Response) string {
	if r.Body == nil {
		return ""
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return ""
	}
	rest, err := io.ReadAll(io.LimitReader(r.Body, MaxAnswer))
	if err != nil {
		return ""
	}
	r.Body = io.NopCloser(bytes.NewReader(slices.Concat(body, rest)))
	return string(body)
}

// Failure turns an error of the client, or of a library over it, into one to
// pass on: a limit or an answer as such, anything else without secrets.
func Failure(err error) error {
	if err == nil {
		return nil
	}
	if limited, ok := errors.AsType[*forges.RateLimited](err); ok {
		return limited
	}
	if ours, ok := errors.AsType[*forges.HTTPError](err); ok {
		return ours
	}
	return cleaned{err}
}

// cleaned is an error whose text shows no secret.
type cleaned struct{ error }

// Error implements error.
func (c cleaned) Error() string { return Redact(c.error.Error()) }

// Unwrap gives the error as it was.
func (c cleaned) Unwrap() error { return c.error }
