package giteaface

import (
	"maps"
	"slices"
	"strings"

	"primum/forges/sim"
)

// team is a team; these products know no slugs and no teams within teams.
func (s shaper) team(t *sim.Team) j {
	mode := "none" // whatever the units say
	unitMap := t.Units
	switch {
	case t.ID == t.Org: // the owners
		mode, unitMap = "owner", unitsOf("owner", "wiki", "ext_wiki", "projects", "packages", "ext_issues", "actions")
	case unitMap == nil:
		unitMap = unitsOf("write")
	}
	units := slices.Sorted(maps.Keys(unitMap))
	return j{
		"id": t.ID, "name": t.Slug, "description": t.Name, "organization": nil, "includes_all_repositories": t.ID == t.Org || t.All != "", "permission": mode,
		"units": units, "units_map": unitMap, "can_create_org_repo": t.ID == t.Org,
	}
}

func unitsOf(level string, also ...string) map[string]string {
	out := map[string]string{}
	for _, u := range append(also, "code", "issues", "pulls", "releases") {
		out["repo."+u] = level
	}
	return out
}

// teams lists an organisation's teams by name; the owners are one of them, with
// the organisation's own id.
func (s shaper) teams(org *sim.Account) []*sim.Team {
	out := []*sim.Team{s.owners(org)}
	out = append(out, s.v.Teams(org.ID)...)
	slices.SortStableFunc(out, func(a, b *sim.Team) int { return strings.Compare(strings.ToLower(a.Slug), strings.ToLower(b.Slug)) })
	return out
}

func (s shaper) owners(org *sim.Account) *sim.Team {
	t := &sim.Team{ID: org.ID, Org: org.ID, Slug: "Owners", Members: map[int64]bool{}}
	for id, owner := range org.Members {
		if owner {
			t.Members[id] = true
		}
	}
	return t
}

// teamMembers are the people of a team by login; those of teams below it are its
// own here.
func (s shaper) teamMembers(t *sim.Team) []*sim.Account {
	if t.ID != t.Org {
		return s.v.TeamMembers(t, false)
	}
	var out []*sim.Account
	for id := range t.Members {
		if a := s.v.Account(id); a != nil {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *sim.Account) int { return strings.Compare(a.Login, b.Login) })
	return out
}
