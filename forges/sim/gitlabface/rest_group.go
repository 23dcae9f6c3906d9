package gitlabface

import (
	"net/http"
	"strings"

	"primum/forges/sim"
)

// onGroup is reading with the group of the address.
func (c *call) onGroup(fn func(s shaper, g group) (any, error)) error {
	return c.reading(func(s shaper, me *sim.Account) (any, error) {
		g, ok := s.group(c.r.PathValue("id"))
		if !ok || !s.visible(g, me) {
			return nil, notFound("Group")
		}
		return fn(s, g)
	})
}

func (c *call) listGroups() error {
	return c.reading(func(s shaper, me *sim.Account) (any, error) {
		least := int(c.number("min_access_level"))
		var found []group
		for _, g := range s.groups() {
			if !s.visible(g, me) || (c.truth("top_level_only") && g.team != nil) {
				continue
			}
			if q := c.text("search"); q != "" && !strings.Contains(strings.ToLower(g.full), strings.ToLower(q)) {
				continue
			}
			if least > 0 || c.truth("owned") {
				have := noAccess
				for _, m := range s.members(g) {
					if m.who.ID == me.ID {
						have = m.level
					}
				}
				if have < least || (c.truth("owned") && have < owner) {
					continue
				}
			}
			found = append(found, g)
		}
		return shapes(page(c, found), func(g group) j { return s.groupShape(g, false) }), nil
	})
}

func (c *call) getGroup() error {
	return c.onGroup(func(s shaper, g group) (any, error) { return s.groupShape(g, true), nil })
}

func (c *call) listSubgroups() error { return c.below(false) }

func (c *call) listDescendants() error { return c.below(true) }

func (c *call) below(deep bool) error {
	return c.onGroup(func(s shaper, g group) (any, error) {
		var found []group
		for _, o := range s.groups() {
			if o.parent == g.id || (deep && strings.HasPrefix(strings.ToLower(o.full), strings.ToLower(g.full)+"/")) {
				found = append(found, o)
			}
		}
		return shapes(page(c, found), func(g group) j { return s.groupShape(g, false) }), nil
	})
}

func (c *call) listGroupProjects() error {
	return c.onGroup(func(s shaper, g group) (any, error) {
		var found []*sim.Repo
		for _, r := range s.v.Repos() {
			here := g.team == nil && r.Owner == g.org.ID
			if home, below := s.home(r); below && !c.truth("include_subgroups") {
				here = home.id == g.id
			} else if below {
				here = here || home.id == g.id
			}
			if here && c.who.sees(s.v, r) {
				found = append(found, r)
			}
		}
		return s.projects(c, found, nil), nil
	})
}

// groupMembers lists who was put into a group itself.
func (c *call) groupMembers() error {
	return c.onGroup(func(s shaper, g group) (any, error) { return c.memberList(s, s.direct(g)) })
}

// allGroupMembers lists also those of the groups above it and of invited groups.
func (c *call) allGroupMembers() error {
	return c.onGroup(func(s shaper, g group) (any, error) { return c.memberList(s, s.members(g)) })
}

func (c *call) addGroupMember() error {
	var org, team, login, by string
	as := c.number("access_level")
	err := c.looking(func(s shaper, me *sim.Account) error {
		g, ok := s.group(c.r.PathValue("id"))
		if !ok || !s.visible(g, me) {
			return notFound("Group")
		}
		if !s.administers(g, me) {
			return forbidden()
		}
		a := s.v.Account(c.number("user_id"))
		if a == nil {
			return notFound("User")
		}
		for _, m := range s.direct(g) {
			if m.who.ID == a.ID {
				return refuse(http.StatusConflict, "Member already exists")
			}
		}
		org, login, by = g.org.Login, a.Login, me.Login
		if g.team != nil {
			team = g.team.Slug
			return nil
		}
		s.t.state.mu.Lock()
		s.t.state.above[[2]int64{g.id, a.ID}] = true
		s.t.state.mu.Unlock()
		return nil
	})
	if err != nil {
		return err
	}
	switch {
	case team != "":
		if err := c.t.forge.As(by).AddTeamMember(org, team, login); err != nil {
			return err
		}
	case as >= owner:
		c.t.forge.Join(org, true, login)
	default:
		c.t.forge.GrantOrg(org, login, permissionOf(as))
	}
	var out j
	c.t.forge.Read(func(v *sim.View) { out = c.t.shaper(v).member(member{v.AccountByLogin(login), int(as)}) })
	answer(c.w, http.StatusCreated, out)
	return nil
}

// editGroupMember gives somebody who was put into a group another level; those of
// a group that is a team all have one.
func (c *call) editGroupMember() error {
	var org, login string
	err := c.looking(func(s shaper, me *sim.Account) error {
		g, ok := s.group(c.r.PathValue("id"))
		switch {
		case !ok || !s.visible(g, me):
			return notFound("Group")
		case !s.administers(g, me):
			return forbidden()
		}
		for _, m := range s.direct(g) {
			if m.who.ID == c.path("user") && g.team == nil {
				org, login = g.org.Login, m.who.Login
				return nil
			}
		}
		return notFound("")
	})
	if err != nil {
		return err
	}
	c.t.forge.GrantOrg(org, login, permissionOf(c.number("access_level")))
	return c.memberNow(login)
}
