package giteaface

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// onOrg runs fn with the organisation of the path.
func (c *call) onOrg(fn func(s shaper, o *sim.Account) result) {
	c.reading(func(s shaper) result {
		o := s.v.AccountByLogin(c.values["org"])
		if o == nil || o.Kind != sim.Organization {
			return result{}
		}
		return fn(s, o)
	})
}

// member reports whether the caller is in an organisation, or administers the forge.
func (c *call) member(o *sim.Account) (is, owns bool) {
	owns, is = o.Members[c.me.ID]
	return is || c.me.SiteAdmin, owns || c.me.SiteAdmin
}

func (c *call) getOrg() {
	c.onOrg(func(s shaper, o *sim.Account) result { return ok(s.organization(o)) })
}

func (c *call) listMyOrgs() {
	c.reading(func(s shaper) result {
		seen := map[int64]bool{}
		var all []*sim.Account
		for _, r := range s.v.Repos() {
			o := s.v.Account(r.Owner)
			if o == nil || o.Kind != sim.Organization || seen[o.ID] {
				continue
			}
			seen[o.ID] = true
			if _, in := o.Members[c.me.ID]; in {
				all = append(all, o)
			}
		}
		out := []any{}
		for _, o := range linked(c, all) {
			out = append(out, s.organization(o))
		}
		return ok(out)
	})
}

func (c *call) listMembers() {
	c.onOrg(func(s shaper, o *sim.Account) result {
		var all []*sim.Account
		for id := range o.Members {
			if a := s.v.Account(id); a != nil {
				all = append(all, a)
			}
		}
		if is, _ := c.member(o); !is {
			all = nil // only those who show it, and nobody does
		}
		slices.SortFunc(all, func(a, b *sim.Account) int { return strings.Compare(a.Login, b.Login) })
		return ok(s.users(linked(c, all)))
	})
}

func (s shaper) users(all []*sim.Account) []any {
	out := []any{}
	for _, a := range all {
		out = append(out, s.user(a))
	}
	return out
}

func (c *call) isMember() {
	c.onOrg(func(s shaper, o *sim.Account) result {
		a := s.v.AccountByLogin(c.values["user"])
		if is, _ := c.member(o); !is || a == nil {
			return result{}
		}
		if _, in := o.Members[a.ID]; !in {
			return result{}
		}
		return result{status: http.StatusNoContent, body: none}
	})
}

func (c *call) listTeams() {
	c.onOrg(func(s shaper, o *sim.Account) result {
		if is, _ := c.member(o); !is {
			return failure(http.StatusForbidden, "Must be an organization member")
		}
		out := []any{}
		for _, t := range linked(c, s.teams(o)) {
			out = append(out, s.team(t))
		}
		return ok(out)
	})
}

// searchTeams finds only the teams the caller is in, even if he owns the
// organisation.
func (c *call) searchTeams() {
	c.onOrg(func(s shaper, o *sim.Account) result {
		if is, _ := c.member(o); !is {
			return failure(http.StatusForbidden, "Must be an organization member")
		}
		all := slices.DeleteFunc(s.teams(o), func(t *sim.Team) bool {
			return !strings.Contains(strings.ToLower(t.Slug), strings.ToLower(c.query("q"))) || (!c.me.SiteAdmin && !c.inTeam(s, t))
		})
		out := []any{}
		for _, t := range linked(c, all) {
			out = append(out, s.team(t))
		}
		return ok(j{"ok": true, "data": out})
	})
}

func (c *call) inTeam(s shaper, t *sim.Team) bool {
	return slices.ContainsFunc(s.teamMembers(t), func(a *sim.Account) bool { return a.ID == c.me.ID })
}

// onTeam runs fn with the team of the path, for those who may know it: its
// members and the organisation's owners.
func (c *call) onTeam(fn func(s shaper, t *sim.Team) result) {
	id, good := c.number("id")
	if !good {
		return
	}
	c.reading(func(s shaper) result {
		t := s.v.TeamByID(int64(id))
		if t == nil {
			if o := s.v.Account(int64(id)); o != nil && o.Kind == sim.Organization {
				t = s.owners(o)
			}
		}
		if t == nil {
			return result{}
		}
		o := s.v.Account(t.Org)
		is, owns := c.member(o)
		if !is {
			return result{}
		}
		if !owns && !c.inTeam(s, t) {
			return failure(http.StatusForbidden, "Must be a team member")
		}
		return fn(s, t)
	})
}

func (c *call) getTeam() {
	c.onTeam(func(s shaper, t *sim.Team) result {
		out := s.team(t)
		out["organization"] = s.organization(s.v.Account(t.Org))
		return ok(out)
	})
}

func (c *call) listTeamMembers() {
	c.onTeam(func(s shaper, t *sim.Team) result { return ok(s.users(linked(c, s.teamMembers(t)))) })
}

func (c *call) getTeamMember() {
	c.onTeam(func(s shaper, t *sim.Team) result {
		for _, a := range s.teamMembers(t) {
			if strings.EqualFold(a.Login, c.values["user"]) {
				return ok(s.user(a))
			}
		}
		return result{}
	})
}

func (c *call) addTeamMember()    { c.changeTeam(sim.Actor.AddTeamMember) }
func (c *call) removeTeamMember() { c.changeTeam(sim.Actor.RemoveTeamMember) }

func (c *call) changeTeam(do func(a sim.Actor, org, team, login string) error) {
	org, team := c.teamNames()
	if err := do(c.act(), org, team, c.values["user"]); err != nil {
		c.refused(err)
		return
	}
	c.answer(http.StatusNoContent, none)
}

// teamEdit is the body of a team's making or editing.
type teamEdit struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	All         *bool             `json:"includes_all_repositories"`
	Permission  string            `json:"permission"`
	Units       []string          `json:"units"`
	UnitsMap    map[string]string `json:"units_map"`
}

// apply sets what the body names.
func (e teamEdit) apply(t *sim.Team) {
	if e.UnitsMap != nil {
		t.Units = e.UnitsMap
	} else if e.Units != nil {
		t.Units = map[string]string{}
		for _, u := range e.Units {
			t.Units[u] = e.Permission
		}
	}
	level := sim.Read
	for _, u := range t.Units {
		switch {
		case u == "admin" && level != sim.Admin:
			level = sim.Admin
		case u == "write" && level == sim.Read:
			level = sim.Write
		}
	}
	if e.Permission == "admin" {
		level = sim.Admin
	}
	switch {
	case e.All != nil && *e.All, e.All == nil && t.All != "":
		t.All = level
	case e.All != nil:
		t.All = ""
	}
}

func (c *call) createTeam() {
	var in teamEdit
	if !c.decode(&in) {
		return
	}
	var res result
	c.t.forge.Read(func(v *sim.View) {
		if o := v.AccountByLogin(c.values["org"]); o != nil {
			res = ok(nil)
			if _, owns := c.member(o); !owns {
				res = failure(http.StatusForbidden, "Must be an organization owner")
			}
		}
	})
	if res.status != http.StatusOK {
		c.give(res)
		return
	}
	if len(in.UnitsMap) == 0 && len(in.Units) == 0 && in.Permission != "admin" {
		c.fail(http.StatusUnprocessableEntity, "units permission should not be empty")
		return
	}
	t := sim.Team{Slug: in.Name, Name: in.Description}
	in.apply(&t)
	made, err := c.act().MakeTeam(c.values["org"], t)
	if err != nil {
		c.refused(err)
		return
	}
	c.reading(func(s shaper) result {
		return result{status: http.StatusCreated, body: s.team(s.v.TeamByID(made.ID))}
	})
}

// teamNames are the organisation and the team of a path.
func (c *call) teamNames() (org, team string) {
	c.t.forge.Read(func(v *sim.View) {
		id, err := strconv.ParseInt(c.values["id"], 10, 64)
		if t := v.TeamByID(id); err == nil && t != nil {
			team = t.Slug
			if o := v.Account(t.Org); o != nil {
				org = o.Login
			}
		}
	})
	return org, team
}

func (c *call) editTeam() {
	var in teamEdit
	if !c.decode(&in) {
		return
	}
	org, team := c.teamNames()
	if err := c.act().ChangeTeam(org, team, in.apply); err != nil {
		c.refused(err)
		return
	}
	c.getTeam()
}

// reaches reports whether a team has a repository.
func reaches(t *sim.Team, r *sim.Repo) bool {
	_, in := r.Teams[t.ID]
	return r.Owner == t.Org && (in || t.All != "" || t.ID == t.Org)
}

func (c *call) listTeamRepos() {
	c.onTeam(func(s shaper, t *sim.Team) result {
		return ok(s.repos(linked(c, slices.DeleteFunc(s.v.Repos(), func(r *sim.Repo) bool { return !reaches(t, r) }))))
	})
}

func (c *call) getTeamRepo() {
	c.onTeam(func(s shaper, t *sim.Team) result {
		r := s.v.Repo(c.repoName())
		if r == nil || !reaches(t, r) {
			return result{}
		}
		return ok(s.repo(r))
	})
}

func (c *call) addTeamRepo() {
	_, team := c.teamNames()
	level := sim.Read
	c.t.forge.Read(func(v *sim.View) {
		id, err := strconv.ParseInt(c.values["id"], 10, 64)
		if t := v.TeamByID(id); err == nil && t != nil {
			probe := sim.Team{Units: t.Units}
			all := true
			teamEdit{All: &all}.apply(&probe)
			level = probe.All
		}
	})
	if err := c.act().GrantTeam(c.repoName(), team, level); err != nil {
		c.refused(err)
		return
	}
	c.answer(http.StatusNoContent, none)
}
