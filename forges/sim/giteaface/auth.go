package giteaface

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"primum/forges/sim"
)

// grant is what a token allows.
type grant struct {
	login  string
	scopes []string // as given: "read:repository", "all"
	name   string   // of a token made through the API
	id     int
}

// may reports whether the token holds a scope of a category.
func (g grant) may(category string, write bool) bool {
	if slices.Contains(g.scopes, "all") || slices.Contains(g.scopes, "write:"+category) {
		return true
	}
	return !write && slices.Contains(g.scopes, "read:"+category)
}

// token is what the request signs in with.
func token(r *http.Request) string {
	kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(kind) {
	case "token", "bearer":
		return strings.TrimSpace(value)
	case "basic": // a token instead of a password
		raw, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return value
		}
		_, password, _ := strings.Cut(string(raw), ":")
		return password
	}
	return ""
}

// signIn finds who asks; false means that it has answered.
func (c *call) signIn(rt *route) bool {
	secret := token(c.r)
	if secret == "" {
		if rt.open {
			return true
		}
		c.fail(http.StatusUnauthorized, "token is required")
		return false
	}
	c.t.mu.Lock()
	g, known := c.t.tokens[secret]
	c.t.mu.Unlock()
	if known {
		c.t.forge.Read(func(v *sim.View) {
			if a := v.AccountByLogin(g.login); a != nil {
				me := *a
				c.me = &me
			}
		})
	}
	if c.me == nil {
		said := "invalid username, password or token"
		if c.t.forgejo() {
			said = "user does not exist [uid: 0, name: ]"
		}
		c.fail(http.StatusUnauthorized, said)
		return false
	}
	if c.me.Suspended {
		c.answer(http.StatusForbidden, j{"message": "This account is prohibited from signing in, please contact your site administrator."})
		return false
	}
	write := c.r.Method != http.MethodGet && c.r.Method != http.MethodHead
	for category := range strings.FieldsSeq(rt.scope) {
		if g.may(category, write) {
			continue
		}
		level := "read"
		if write {
			level = "write"
		}
		need := level + ":" + category
		if c.t.forgejo() {
			c.fail(http.StatusForbidden, fmt.Sprintf("token does not have at least one of required scope(s): [%s]", need))
			return false
		}
		c.fail(http.StatusForbidden, fmt.Sprintf("token does not have at least one of required scope(s), required=[%s], token scope=%s", need, strings.Join(g.scopes, ",")))
		return false
	}
	return true
}
