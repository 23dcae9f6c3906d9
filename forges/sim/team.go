package sim

import "maps"

// MakeTeam makes a team as an owner of its organisation does, and gives it. What
// it may do is in t.All and t.Units.
func (a Actor) MakeTeam(org string, t Team) (made Team, err error) {
	err = a.do(func(f *Forge, me *Account) error {
		o := f.account(org)
		if o == nil || o.Kind != Organization {
			return refuse(NotFound, "no organisation %s", org)
		}
		if !o.Members[me.ID] && !me.SiteAdmin {
			return refuse(Forbidden, "%s is no owner of %s", me.Login, org)
		}
		if t.Slug == "" || f.team(o.ID, t.Slug) != nil {
			return refuse(Invalid, "team %q exists, or has no name", t.Slug)
		}
		n := &Team{ID: f.id(), Org: o.ID, Slug: t.Slug, Name: t.Name, All: t.All, Units: maps.Clone(t.Units), Members: map[int64]bool{}}
		f.teams[n.ID] = n
		made = f.copyTeam(n)
		f.announce(Happening{Kind: TeamHappened, Action: "created", Actor: me, Owner: o, Team: n})
		return nil
	})
	return made, err
}

// ChangeTeam changes what a team may do everywhere, and what a forge keeps of it.
func (a Actor) ChangeTeam(org, team string, fn func(*Team)) error {
	return a.do(func(f *Forge, me *Account) error {
		o := f.account(org)
		if o == nil || f.team(o.ID, team) == nil {
			return refuse(NotFound, "no team %s/%s", org, team)
		}
		if !o.Members[me.ID] && !me.SiteAdmin {
			return refuse(Forbidden, "%s is no owner of %s", me.Login, org)
		}
		t := f.team(o.ID, team)
		next := f.copyTeam(t)
		fn(&next)
		t.All, t.Units = next.All, maps.Clone(next.Units)
		f.announce(Happening{Kind: TeamHappened, Action: "edited", Actor: me, Owner: o, Team: t, Was: map[string]string{"name": t.Name}})
		return nil
	})
}
