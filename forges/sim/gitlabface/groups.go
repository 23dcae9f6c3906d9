package gitlabface

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// group is a group: of an organisation, or of one of its teams.
type group struct {
	id     int64
	name   string
	path   string
	full   string
	parent int64
	org    *sim.Account
	team   *sim.Team // nil of the top-level group
}

// member is somebody in a group or project.
type member struct {
	who   *sim.Account
	level int
}

func (s shaper) topGroup(o *sim.Account) group {
	return group{id: o.ID, name: s.name(o), path: o.Login, full: o.Login, org: o}
}

func (s shaper) teamGroup(o *sim.Account, t *sim.Team) group {
	g := group{id: t.ID, name: t.Name, path: t.Slug, full: o.Login + "/" + t.Slug, parent: o.ID, org: o, team: t}
	if p := s.v.TeamByID(t.Parent); p != nil && s.o.NestTeams {
		above := s.teamGroup(o, p)
		g.full, g.parent = above.full+"/"+t.Slug, above.id
	}
	return g
}

// groups lists every group by full path.
func (s shaper) groups() []group {
	var out []group
	for _, a := range s.v.Accounts() {
		if a.Kind != sim.Organization {
			continue
		}
		out = append(out, s.topGroup(a))
		for _, t := range s.v.Teams(a.ID) {
			out = append(out, s.teamGroup(a, t))
		}
	}
	slices.SortFunc(out, func(a, b group) int { return cmp.Compare(strings.ToLower(a.full), strings.ToLower(b.full)) })
	return out
}

// group finds a group by id or full path.
func (s shaper) group(ref string) (group, bool) {
	id, _ := strconv.ParseInt(ref, 10, 64)
	for _, g := range s.groups() {
		if g.id == id || strings.EqualFold(g.full, ref) {
			return g, true
		}
	}
	return group{}, false
}

// visible reports whether somebody may see a group: those of organisations with
// a public project are public, others are for those in it.
func (s shaper) visible(g group, me *sim.Account) bool {
	if s.public(g) {
		return true
	}
	return slices.ContainsFunc(s.members(g), func(m member) bool { return m.who.ID == me.ID }) || me.SiteAdmin || s.inOrg(g.org, me)
}

func (s shaper) inOrg(o, me *sim.Account) bool {
	_, in := o.Members[me.ID]
	return in
}

// public reports whether a group is for everybody's eyes: it is unless all
// projects of its organisation are private.
func (s shaper) public(g group) bool {
	any := false
	for _, r := range s.v.Repos() {
		if r.Owner == g.org.ID {
			any = true
			if !r.Private {
				return true
			}
		}
	}
	return !any
}

// direct are the people put into a group itself.
func (s shaper) direct(g group) []member {
	var out []member
	if g.team != nil {
		for _, a := range s.v.TeamMembers(g.team, true) {
			out = append(out, member{a, developer})
		}
		slices.SortFunc(out, func(a, b member) int { return cmp.Compare(a.who.ID, b.who.ID) })
		return out
	}
	for _, a := range s.v.Accounts() {
		switch {
		case !s.o.OwnersAbove && !s.t.state.isAbove(g.id, a.ID):
		case g.org.Members[a.ID]:
			out = append(out, member{a, owner})
		case g.org.Rights[a.ID] != "":
			out = append(out, member{a, level(g.org.Rights[a.ID])})
		}
	}
	return out
}

// invited are the groups a group was shared with.
func (s shaper) invited(g group) []group {
	if g.team == nil || s.o.NestTeams {
		return nil
	}
	var out []group
	for _, t := range s.v.Teams(g.org.ID) {
		if t.Parent == g.team.ID {
			out = append(out, s.teamGroup(g.org, t))
		}
	}
	return out
}

// members are the people of a group with those of invited groups and of the
// groups above it.
func (s shaper) members(g group) []member {
	best := map[int64]member{}
	add := func(all []member) {
		for _, m := range all {
			if have, ok := best[m.who.ID]; !ok || have.level < m.level {
				best[m.who.ID] = m
			}
		}
	}
	seen := map[int64]bool{}
	var walk func(group, bool)
	walk = func(g group, up bool) {
		if seen[g.id] {
			return
		}
		seen[g.id] = true
		add(s.direct(g))
		for _, i := range s.invited(g) {
			walk(i, false)
		}
		if !up {
			return
		}
		if p, ok := s.group(strconv.FormatInt(g.parent, 10)); ok && g.parent != 0 {
			walk(p, true)
		}
	}
	walk(g, true)
	return sorted(best)
}

func sorted(all map[int64]member) []member {
	var out []member
	for _, m := range all {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b member) int { return cmp.Compare(a.who.ID, b.who.ID) })
	return out
}

// administers reports whether somebody may change a group: its Owners, and who
// administers the instance.
func (s shaper) administers(g group, me *sim.Account) bool {
	if me.SiteAdmin || (!s.o.OwnersAbove && g.org.Members[me.ID]) {
		return true
	}
	return slices.ContainsFunc(s.members(g), func(m member) bool { return m.who.ID == me.ID && m.level >= owner })
}

// projectMembers are the people of a project: those put into it, and with all
// also those who reach it by a group.
func (s shaper) projectMembers(r *sim.Repo, all bool) []member {
	best := map[int64]member{}
	for _, a := range s.v.Accounts() {
		l := level(r.Collaborators[a.ID])
		if all && a.Kind != sim.Organization && a.App == 0 && s.in(r, a) {
			l = max(l, level(s.v.Permission(r, a)))
		}
		if r.Owner == a.ID && a.Kind != sim.Organization {
			l = owner
		}
		if l > noAccess {
			best[a.ID] = member{a, l}
		}
	}
	return sorted(best)
}

// in reports whether somebody has more to do with a project than everybody has.
func (s shaper) in(r *sim.Repo, a *sim.Account) bool {
	if r.Collaborators[a.ID] != "" || r.Owner == a.ID {
		return true
	}
	if o := s.v.Account(r.Owner); o != nil && s.inOrg(o, a) {
		return true
	}
	for id := range r.Teams {
		if t := s.v.TeamByID(id); t != nil && slices.ContainsFunc(s.v.TeamMembers(t, false), func(m *sim.Account) bool { return m.ID == a.ID }) {
			return true
		}
	}
	return false
}

func (s shaper) member(m member) j {
	out := s.basic(m.who)
	out["access_level"], out["created_at"], out["expires_at"], out["membership_state"] = m.level, stamp(m.who.CreatedAt), nil, "active"
	return out
}

// groupShape is a group; detail adds what only one group shows.
func (s shaper) groupShape(g group, detail bool) j {
	vis := "private"
	if s.public(g) {
		vis = "public"
	}
	fullName := g.name
	if g.team != nil {
		fullName = s.name(g.org) + " / " + g.name
	}
	var parent any
	if g.parent != 0 {
		parent = g.parent
	}
	out := j{
		"id": g.id, "web_url": s.web + "/groups/" + g.full, "name": g.name, "path": g.path, "description": "", "visibility": vis,
		"share_with_group_lock": false, "require_two_factor_authentication": false, "two_factor_grace_period": 48, "project_creation_level": "developer",
		"auto_devops_enabled": nil, "subgroup_creation_level": "maintainer", "emails_enabled": true, "mentions_disabled": nil, "lfs_enabled": true,
		"default_branch": nil, "avatar_url": nil, "request_access_enabled": true, "full_name": fullName, "full_path": g.full,
		"created_at": stamp(g.org.CreatedAt), "parent_id": parent,
	}
	if detail {
		shared := []any{}
		for _, i := range s.invited(g) {
			shared = append(shared, j{
				"group_id": i.id, "group_name": i.name, "group_full_path": i.full, "group_access_level": developer, "expires_at": nil, "member_role_id": nil,
			})
		}
		out["shared_with_groups"], out["prevent_sharing_groups_outside_hierarchy"] = shared, false
	}
	return out
}
