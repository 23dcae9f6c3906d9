package giteaface

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// searchUsers finds people by a word in login, name or address, or by their id.
func (c *call) searchUsers() {
	c.reading(func(s shaper) result {
		word := strings.ToLower(c.query("q"))
		uid, err := strconv.ParseInt(c.query("uid"), 10, 64)
		all := slices.DeleteFunc(s.v.Accounts(), func(a *sim.Account) bool {
			if a.Kind == sim.Organization {
				return true
			}
			if err == nil && uid != 0 {
				return a.ID != uid
			}
			return !strings.Contains(strings.ToLower(a.Login+"\n"+a.Name+"\n"+strings.Join(a.Emails, "\n")), word)
		})
		return ok(j{"ok": true, "data": s.users(linked(c, all))})
	})
}

func (c *call) listUserRepos() {
	c.reading(func(s shaper) result {
		a := s.v.AccountByLogin(c.values["user"])
		if a == nil {
			return result{}
		}
		all := slices.DeleteFunc(c.visible(s.v), func(r *sim.Repo) bool { return r.Owner != a.ID })
		return ok(s.repos(linked(c, all)))
	})
}

// listMyTeams gives the teams the caller is in, each with its organisation.
func (c *call) listMyTeams() {
	c.reading(func(s shaper) result {
		out := []any{}
		for _, o := range s.v.Accounts() {
			if o.Kind != sim.Organization {
				continue
			}
			for _, t := range s.teams(o) {
				if c.inTeam(s, t) {
					shape := s.team(t)
					shape["organization"] = s.organization(o)
					out = append(out, shape)
				}
			}
		}
		return ok(linked(c, out))
	})
}

func (c *call) orgPermissions() {
	c.onOrg(func(s shaper, o *sim.Account) result {
		a := s.v.AccountByLogin(c.values["user"])
		if a == nil {
			return result{}
		}
		owns, in := o.Members[a.ID]
		owns = owns || a.SiteAdmin
		return ok(j{"is_owner": owns, "is_admin": owns, "can_write": in || owns, "can_read": true, "can_create_repository": owns})
	})
}

// createUser makes an account, as the forge's administrator.
func (c *call) createUser() {
	if !c.me.SiteAdmin {
		c.fail(http.StatusForbidden, "user should be the site admin")
		return
	}
	var in struct {
		Login string `json:"username"`
		Name  string `json:"full_name"`
		Email string `json:"email"`
	}
	if !c.decode(&in) {
		return
	}
	taken := false
	c.t.forge.Read(func(v *sim.View) { taken = v.AccountByLogin(in.Login) != nil })
	switch {
	case in.Login == "" || in.Email == "":
		c.fail(http.StatusUnprocessableEntity, "[Username]: Required")
		return
	case taken:
		c.fail(http.StatusUnprocessableEntity, fmt.Sprintf("user already exists [name: %s]", in.Login))
		return
	}
	made := c.t.forge.AddUser(in.Login, in.Name)
	c.reading(func(s shaper) result {
		return result{status: http.StatusCreated, body: s.user(s.v.Account(made.ID))}
	})
}

// tokens of an account are for who shows a password for it, or a token in its
// place, and is that account or administers the forge.
func (c *call) mayTokens() (login string, may bool) {
	c.t.forge.Read(func(v *sim.View) {
		if a := v.AccountByLogin(c.values["user"]); a != nil {
			login = a.Login
		}
	})
	switch {
	case login == "":
		c.notFound()
	case !strings.HasPrefix(strings.ToLower(c.r.Header.Get("Authorization")), "basic "):
		c.fail(http.StatusUnauthorized, "auth required")
	case c.me.Login != login && !c.me.SiteAdmin:
		c.fail(http.StatusForbidden, "doer should be the site admin or be same as the contextUser")
	default:
		return login, true
	}
	return "", false
}

func tokenJSON(id int, name, value string, scopes []string) j {
	last := value
	if len(value) > 8 {
		last = value[len(value)-8:]
	}
	return j{"id": id, "name": name, "sha1": "", "token_last_eight": last, "scopes": scopes}
}

func (c *call) listTokens() {
	login, may := c.mayTokens()
	if !may {
		return
	}
	c.t.mu.Lock()
	out := []any{}
	for value, g := range c.t.tokens {
		if g.login == login && g.name != "" {
			out = append(out, tokenJSON(g.id, g.name, value, g.scopes))
		}
	}
	c.t.mu.Unlock()
	slices.SortFunc(out, func(a, b any) int { return idIn(b) - idIn(a) })
	c.answer(http.StatusOK, page(c, out))
}

func idIn(v any) int {
	m, _ := v.(j)
	n, _ := m["id"].(int)
	return n
}

func (c *call) createToken() {
	login, may := c.mayTokens()
	var in struct {
		Name   string   `json:"name"`
		Scopes []string `json:"scopes"`
	}
	if !may || !c.decode(&in) {
		return
	}
	if len(in.Scopes) == 0 {
		c.fail(http.StatusBadRequest, "access token must have a scope")
		return
	}
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	for _, g := range c.t.tokens {
		if g.login == login && g.name == in.Name {
			c.answer(http.StatusBadRequest, j{"message": "access token name has been used already", "url": c.t.o.URL + "/api/swagger"})
			return
		}
	}
	id := len(c.t.tokens) + 1
	value := fmt.Sprintf("%040x", id*982451653)
	c.t.tokens[value] = grant{login: login, scopes: in.Scopes, name: in.Name, id: id}
	out := tokenJSON(id, in.Name, value, in.Scopes)
	out["sha1"] = value
	c.answer(http.StatusCreated, out)
}
