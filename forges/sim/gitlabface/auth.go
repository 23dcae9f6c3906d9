package gitlabface

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"primum/forges/sim"
)

// token is an access token.
type token struct {
	id      int64
	login   string
	scopes  []string
	made    time.Time
	expires time.Time // zero: never
	revoked bool

	// Of one of a group or project.
	name  string
	level int
	of    resource
}

// AddToken makes an access token of an account with these scopes ("api",
// "read_api", "read_user", "read_repository", "self_rotate").
func (t *Face) AddToken(value, login string, scopes ...string) {
	now := t.forge.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastTok++
	t.tokens[value] = &token{id: t.lastTok, login: login, scopes: slices.Clone(scopes), made: now}
}

// SetScopes changes what a token may do.
func (t *Face) SetScopes(value string, scopes ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.tokens[value]; k != nil {
		k.scopes = slices.Clone(scopes)
	}
}

// Expire lets a token run out at a time.
func (t *Face) Expire(value string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.tokens[value]; k != nil {
		k.expires = at
	}
}

// Revoke makes a token worthless.
func (t *Face) Revoke(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.tokens[value]; k != nil {
		k.revoked = true
	}
}

// caller is who asks.
type caller struct {
	login string
	id    int64
	token token
}

func invalidToken(why string) error {
	return &refusal{http.StatusUnauthorized, j{"error": "invalid_token", "error_description": why}}
}

// authenticate finds who asks, by PRIVATE-TOKEN or as a bearer.
func (t *Face) authenticate(r *http.Request) (caller, error) {
	value := r.Header.Get("Private-Token")
	if value == "" {
		kind, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if strings.EqualFold(kind, "bearer") {
			value = rest
		}
	}
	if value == "" {
		return caller{}, unauthorized()
	}
	now := t.forge.Now()
	t.mu.Lock()
	var k token
	known := t.tokens[value]
	if known != nil {
		k = *known
	}
	t.mu.Unlock()
	switch {
	case known == nil:
		return caller{}, unauthorized()
	case k.revoked:
		return caller{}, invalidToken("Token was revoked. You have to re-authorize from the user.")
	case !k.expires.IsZero() && !now.Before(k.expires):
		return caller{}, invalidToken("Token is expired. You can either do re-authorization or token refresh.")
	}
	who := caller{login: k.login, token: k}
	var err error
	t.forge.Read(func(v *sim.View) {
		a := v.AccountByLogin(k.login)
		switch {
		case a == nil:
			err = unauthorized()
		case a.Suspended:
			err = refuse(http.StatusForbidden, "403 Forbidden - Your account has been blocked.")
		default:
			who.id = a.ID
		}
	})
	return who, err
}

// scope refuses what a token's scopes do not reach; no scope does anything else.
func (k token) scope(method, path string) error {
	has := func(s string) bool { return slices.Contains(k.scopes, s) }
	reading := method == http.MethodGet || method == http.MethodHead
	switch {
	case has("api"):
		return nil
	case strings.HasPrefix(path, "/api/v4/personal_access_tokens/self"): // any token may look at itself
		return nil
	case reading && has("read_api"), path == graphPath && has("read_api"):
		return nil
	case reading && has("read_user") && (path == "/api/v4/user" || strings.HasPrefix(path, "/api/v4/users")):
		return nil
	case reading && has("read_repository") && strings.Contains(path, "/repository/"):
		return nil
	}
	need := "api"
	if reading {
		need = "api read_api"
	}
	return &refusal{http.StatusForbidden, j{
		"error": "insufficient_scope", "error_description": "The request requires higher privileges than provided by the access token.", "scope": need,
	}}
}

// sees reports whether a repository exists for the caller.
func (c caller) sees(v *sim.View, r *sim.Repo) bool {
	return r != nil && v.Permission(r, v.Account(c.id)).AtLeast(sim.Read)
}

// isRefusal reports whether err is one of the face's own refusals with a status.
func isRefusal(err error, status int) bool {
	var own *refusal
	return errors.As(err, &own) && own.status == status
}
