package gitlabface

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"primum/forges/sim"
)

// longestToken is how long an access token of a group or project may hold.
const longestToken = 365 * 24 * time.Hour

// resource is what an access token belongs to: a group or a project.
type resource struct {
	kind string // group, project
	id   int64
	name string // path of the group, or full path of the project
}

// tokenOwner finds the group or project of the call, for who may see its access
// tokens: owners of the group, maintainers of the project.
func (c *call) tokenOwner(kind string) (of resource, err error) {
	if kind == "project" {
		err = c.inProject(func(s shaper, r *sim.Repo) error {
			of = resource{kind, r.ID, s.v.FullName(r)}
			return c.need(s, r, sim.Maintain)
		})
		return of, err
	}
	err = c.looking(func(s shaper, me *sim.Account) error {
		g, ok := s.group(c.r.PathValue("id"))
		switch {
		case !ok || !s.visible(g, me):
			return notFound("Group")
		case !s.administers(g, me) || g.team != nil:
			return unauthorized()
		}
		of = resource{kind, g.id, g.org.Login}
		return nil
	})
	return of, err
}

func (c *call) groupTokens() error   { return c.listTokens("group") }
func (c *call) projectTokens() error { return c.listTokens("project") }

func (c *call) listTokens(kind string) error {
	of, err := c.tokenOwner(kind)
	if err != nil {
		return err
	}
	var found []token
	c.t.mu.Lock()
	for _, k := range c.t.tokens {
		if k.of == of {
			found = append(found, *k)
		}
	}
	c.t.mu.Unlock()
	slices.SortFunc(found, func(a, b token) int { return int(a.id - b.id) })
	return c.reading(func(s shaper, _ *sim.Account) (any, error) { return shapes(page(c, found), s.accessToken), nil })
}

// accessToken is an access token of a group or project as it is listed.
func (s shaper) accessToken(k token) j {
	var user int64
	if a := s.v.AccountByLogin(k.login); a != nil {
		user = a.ID
	}
	return j{
		"id": k.id, "name": k.name, "revoked": k.revoked, "created_at": stamp(k.made), "description": "", "scopes": k.scopes, "user_id": user,
		"last_used_at": nil, "active": !k.revoked && (k.expires.IsZero() || s.v.Now().Before(k.expires)), "expires_at": k.expires.UTC().Format(time.DateOnly),
		"access_level": k.level, "resource_type": k.of.kind, "resource_id": k.of.id,
	}
}

func (c *call) createGroupToken() error   { return c.createToken("group") }
func (c *call) createProjectToken() error { return c.createToken("project") }

// createToken makes an access token and the bot whose it is, a member with the
// level asked for, Maintainer if none is. The value is told this once.
func (c *call) createToken(kind string) error {
	of, err := c.tokenOwner(kind)
	if err != nil {
		return err
	}
	now := c.t.forge.Now()
	until, err := time.Parse(time.DateOnly, c.text("expires_at"))
	switch {
	case !c.given("name"), len(c.list("scopes")) == 0:
		return badParam("name is missing, scopes is missing")
	case err != nil, !until.After(now):
		return badParam("expires_at is invalid")
	case until.Sub(now) > longestToken:
		return refuse(http.StatusBadRequest, "Failed to create token: Expiration date must be before "+now.Add(longestToken).Format(time.DateOnly))
	}
	as := c.number("access_level")
	if as == 0 {
		as = maintainer
	}
	c.t.mu.Lock()
	c.t.lastTok++
	id := c.t.lastTok
	c.t.mu.Unlock()
	sum := sha256.Sum256([]byte(of.kind + strconv.FormatInt(id, 10)))
	login := fmt.Sprintf("%s_%d_bot_%s", of.kind, of.id, hex.EncodeToString(sum[:16]))
	bot := c.t.forge.AddBot(login, c.text("name"))
	if kind == "group" {
		c.t.state.mu.Lock()
		c.t.state.above[[2]int64{of.id, bot.ID}] = true
		c.t.state.mu.Unlock()
		c.t.forge.GrantOrg(of.name, login, permissionOf(as))
	} else if err := c.adminOf(of.name).Grant(of.name, login, permissionOf(as)); err != nil {
		return err
	}
	k := &token{
		id: id, login: login, scopes: c.list("scopes"), made: now, expires: until, name: c.text("name"), level: int(as), of: of,
	}
	value := "glpat-" + hex.EncodeToString(sum[16:])
	c.t.mu.Lock()
	c.t.tokens[value] = k
	c.t.mu.Unlock()
	return c.looking(func(s shaper, _ *sim.Account) error {
		out := s.accessToken(*k)
		out["token"] = value
		answer(c.w, http.StatusCreated, out)
		return nil
	})
}
