package wire_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"primum/forges"
	"primum/forges/wire"
)

func TestBase(t *testing.T) {
	t.Parallel()
	tests := []struct{ raw, want, err string }{
		{"https://gitlab.com", "https://gitlab.com/", ""},
		{"https://GitLab.example/", "https://gitlab.example/", ""},
		{"https://host/gitlab", "https://host/gitlab/", ""},
		{"https://host:8443/a/b//", "https://host:8443/a/b/", ""},
		{" http://[::1]:3000/gitea ", "http://[::1]:3000/gitea/", ""},
		{"", "", "neither https nor http"},
		{"gitlab.com", "", "neither https nor http"},
		{"ssh://git@host/x", "", "neither https nor http"},
		{"https://", "", "no host"},
		{"https:///path", "", "no host"},
		{"https://:443/", "", "no host"},
		{"https://mara:geheim123@host/", "", "a user or password"},
		{"https://host/?private_token=x", "", "a query"},
		{"https://host/#top", "", "a fragment"},
		{"https://host/a/../b", "", "an odd path"},
		{"https://host/a//b", "", "an odd path"},
		{"https://ho st/", "", "not an address"},
	}
	for _, tt := range tests {
		u, err := wire.Base(tt.raw)
		switch {
		case tt.err == "" && (err != nil || u.String() != tt.want):
			t.Errorf("%q: got %v, %v, want %q", tt.raw, u, err, tt.want)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "geheim")):
			t.Errorf("%q: got %v, want %q", tt.raw, err, tt.err)
		}
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		"ghs_abcdefghijklmnopqrstuvwxyz0123456789", "github_pat_11AAAAAA_bbbbbbbbbbb",
		"glpat-abcdefghij_klmnop-qrst", "glptt-0123456789abcdef0123456789abcdef01234567", "gldt-aaaaaaaaaaaaaaaaaaaa", "glcbt-64_aaaaaaaaaaaaaaaaaaaa",
		"glpat-aaaaaaaaaaaaaaaaaaaaaaaaaaa.0w1234567", "GR1348941aaaaaaaaaaaaaaaaaaaa", "eyJhbGciOiJIUzI1.eyJpc3MiOiI0.c2ln",
	} {
		if got := wire.Redact("bad token " + secret + ", sorry"); strings.Contains(got, secret) || !strings.HasSuffix(got, "…, sorry") {
			t.Errorf("got %q", got)
		}
	}
	for _, shown := range []string{
		"token 0123456789abcdef0123456789abcdef01234567", `{"token":"0123456789abcdef0123"}`, "?private_token=0123456789abcdef0123&x=1",
		"?access_token=0123456789abcdef0123", "Authorization: Bearer 0123456789abcdef0123", "Authorization: Basic bWFyYTpnZWhlaW0xMjM0",
		"https://mara:0123456789abcdef0123@host/x", "X-Gitlab-Token: 0123456789abcdef0123", "password=0123456789abcdef0123",
	} {
		if got := wire.Redact(shown); strings.Contains(got, "0123456789abcdef") || strings.Contains(got, "bWFyYTpnZWhlaW0") {
			t.Errorf("%q: got %q", shown, got)
		}
	}
	for _, harmless := range []string{
		"commit 0123456789abcdef0123456789abcdef01234567 not found", "the token was revoked", "401 Unauthorized", "glance-at-this-long-word", "",
	} {
		if got := wire.Redact(harmless); got != harmless {
			t.Errorf("%q became %q", harmless, got)
		}
	}
}

func TestShortAndEllipsis(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "a", "abc", "äöü", "ab…", "日本語", "\xff\xfe\xfd"} {
		for n := range 12 {
			got, dots := wire.Short(s, n), wire.Ellipsis(s, n)
			if len(got) > n || !strings.HasPrefix(s, got) || utf8.ValidString(s) && !utf8.ValidString(got) {
				t.Errorf("Short(%q, %d) = %q", s, n, got)
			}
			if len(dots) > n || utf8.ValidString(s) && !utf8.ValidString(dots) || len(s) > n && n >= 3 && !strings.HasSuffix(dots, "…") {
				t.Errorf("Ellipsis(%q, %d) = %q", s, n, dots)
			}
		}
	}
	if got := wire.Short("x", -1); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	answer := func(body string) *http.Response {
		return &http.Response{
			StatusCode: 422, Header: http.Header{"X-Request-Id": {"01H"}}, Body: io.NopCloser(strings.NewReader(body)),
			Request: &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/api/v4/projects/7/statuses/a", RawQuery: "private_token=glpat-aaaaaaaaaaaaaaaaaaaa"}},
		}
	}
	tests := []struct{ body, message, want string }{
		{`{"message":"404 Project Not Found"}`, "", "404 Project Not Found"},
		{`{"message":{"name":["is too long"]}}`, "", `{"name":["is too long"]}`},
		{`{"message":["a","b"]}`, "", `["a","b"]`},
		{`{"error":"insufficient_scope","error_description":"needs more"}`, "", "insufficient_scope needs more"},
		{`{"message":"Validation Failed","errors":[{"code":"x"}]}`, "", `Validation Failed [{"code":"x"}]`},
		{"<html>\n  gone </html>", "", "<html> gone </html>"},
		{`{"other":1}`, "", `{"other":1}`},
		{"", "", ""},
		{"body", "said by a library glpat-aaaaaaaaaaaaaaaaaaaa", "said by a library …"},
		{strings.Repeat("ä", 200), "", strings.Repeat("ä", 150)},
	}
	for _, tt := range tests {
		r := answer(tt.body) //nolint:bodyclose // held in memory
		h := wire.Answer(r, tt.message, forges.ErrConflict)
		if h.Message != tt.want {
			t.Errorf("%s: got %q, want %q", tt.body, h.Message, tt.want)
		}
		if h.Method != "POST" || h.Path != "/api/v4/projects/7/statuses/a" || h.Status != 422 || h.RequestID != "01H" || !errors.Is(h, forges.ErrConflict) {
			t.Errorf("got %+v", h)
		}
		if strings.Contains(h.Error(), "glpat") {
			t.Errorf("shown: %v", h)
		}
		if left, err := io.ReadAll(r.Body); err != nil || string(left) != tt.body {
			t.Errorf("left %q, %v", left, err)
		}
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	limit := &forges.RateLimited{Scope: "x"}
	if got := wire.Failure(&url.Error{Op: "Get", URL: "https://host/x", Err: limit}); got != error(limit) { //nolint:errorlint // the very value
		t.Errorf("got %v", got)
	}
	said := &forges.HTTPError{Status: 404, Err: forges.ErrNotFound}
	if got := wire.Failure(fmt.Errorf("read: %w", said)); got != error(said) { //nolint:errorlint // the very value
		t.Errorf("got %v", got)
	}
	broken := &url.Error{Op: "Get", URL: "https://host/x?private_token=glpat-aaaaaaaaaaaaaaaaaaaa", Err: io.ErrUnexpectedEOF}
	got := wire.Failure(broken)
	if strings.Contains(got.Error(), "glpat") || !errors.Is(got, io.ErrUnexpectedEOF) || !forges.Temporary(got) {
		t.Errorf("got %v", got)
	}
	if wire.Failure(nil) != nil {
		t.Error("nothing became something")
	}
}

func TestMeaning(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{
		200: nil, 301: forges.ErrConflict, 307: forges.ErrConflict, 400: nil, 401: forges.ErrForbidden, 403: forges.ErrForbidden,
		404: forges.ErrNotFound, 409: forges.ErrConflict, 410: forges.ErrNotFound, 412: forges.ErrConflict, 422: nil, 451: forges.ErrForbidden, 500: nil,
	} {
		if got := wire.Meaning(status); !errors.Is(got, want) {
			t.Errorf("%d: got %v, want %v", status, got, want)
		}
	}
}
