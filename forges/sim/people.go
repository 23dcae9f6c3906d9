package sim

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"
)

// AccountKind says what an account is.
type AccountKind string

// Account kinds, in GitHub's words.
const (
	User         AccountKind = "User"
	Bot          AccountKind = "Bot"
	Organization AccountKind = "Organization"
)

// Permission is what somebody may do in a repository, weakest first.
type Permission string

// Permissions.
const (
	None     Permission = "none"
	Read     Permission = "read"
	Triage   Permission = "triage"
	Write    Permission = "write"
	Maintain Permission = "maintain"
	Admin    Permission = "admin"
)

func (p Permission) rank() int {
	return slices.Index([]Permission{None, Read, Triage, Write, Maintain, Admin}, p)
}

// AtLeast reports whether p allows what q allows.
func (p Permission) AtLeast(q Permission) bool { return p.rank() >= q.rank() }

// Account is a person, a bot or an organisation.
type Account struct {
	ID        int64
	Login     string
	Name      string
	Kind      AccountKind
	Emails    []string // the first is the one commits are made with
	App       int64    // of an app's bot
	Suspended bool     // may not sign in
	SiteAdmin bool     // administers the whole forge
	CreatedAt time.Time

	// Members and Base are an organisation's: members by account id, true for
	// owners, and what every member may do in every repository. Rights are what
	// some members may do beyond that.
	Members map[int64]bool
	Base    Permission
	Rights  map[int64]Permission
}

// Team is a team of an organisation. Members of a child are members of the parent.
type Team struct {
	ID     int64
	Org    int64
	Slug   string
	Name   string
	Parent int64 // 0 if none
	// All is what the team may do in every repository of its organisation, those
	// to come too; Units is what a forge that divides repositories keeps of it.
	All     Permission
	Units   map[string]string
	Members map[int64]bool
}

// AddUser makes a person with an address "login@example.com".
func (f *Forge) AddUser(login, name string) Account { return f.addAccount(login, name, User) }

// AddBot makes an account for a machine that is no app ("ci-bot").
func (f *Forge) AddBot(login, name string) Account { return f.addAccount(login, name, Bot) }

// AddOrg makes an organisation. Its members may read every repository.
func (f *Forge) AddOrg(login, name string, owners ...string) Account {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.newAccount(login, name, Organization)
	a.Members, a.Base = map[int64]bool{}, Read
	for _, o := range owners {
		a.Members[f.mustAccount(o).ID] = true
	}
	return *a
}

func (f *Forge) addAccount(login, name string, kind AccountKind) Account {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *f.newAccount(login, name, kind)
}

func (f *Forge) newAccount(login, name string, kind AccountKind) *Account {
	key := strings.ToLower(login)
	if _, taken := f.byLogin[key]; taken {
		panic("sim: login taken: " + login)
	}
	a := &Account{ID: f.id(), Login: login, Name: name, Kind: kind, CreatedAt: f.Now()}
	a.Emails = []string{login + "@example.com", fmt.Sprintf("%d+%s@users.noreply.example.com", a.ID, login)}
	f.accounts[a.ID], f.byLogin[key] = a, a.ID
	for _, e := range a.Emails {
		f.byEmail[strings.ToLower(e)] = a.ID
	}
	return a
}

// AddEmail gives an account one more address; commits with it are its own.
func (f *Forge) AddEmail(login, email string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.mustAccount(login)
	a.Emails = append(a.Emails, email)
	f.byEmail[strings.ToLower(email)] = a.ID
}

// mustAccount is for set-up code, where an unknown login is a mistake in the program.
func (f *Forge) mustAccount(login string) *Account {
	a := f.account(login)
	if a == nil {
		panic("sim: no account " + login)
	}
	return a
}

func (f *Forge) account(login string) *Account { return f.accounts[f.byLogin[strings.ToLower(login)]] }

// accountOfEmail is who an address belongs to, or nil.
func (f *Forge) accountOfEmail(email string) *Account {
	return f.accounts[f.byEmail[strings.ToLower(email)]]
}

// Join makes people members of an organisation, as its owners do; as owners if owner.
func (f *Forge) Join(org string, owner bool, logins ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.mustAccount(org)
	for _, l := range logins {
		a := f.mustAccount(l)
		o.Members[a.ID] = owner
		f.announce(Happening{Kind: OrgMemberHappened, Action: "member_added", Actor: a, Owner: o, Member: a})
	}
}

// Leave takes people out of an organisation and all its teams.
func (f *Forge) Leave(org string, logins ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.mustAccount(org)
	for _, l := range logins {
		a := f.mustAccount(l)
		delete(o.Members, a.ID)
		delete(o.Rights, a.ID)
		for _, t := range f.teams {
			if t.Org == o.ID {
				delete(t.Members, a.ID)
			}
		}
		f.announce(Happening{Kind: OrgMemberHappened, Action: "member_removed", Actor: a, Owner: o, Member: a})
	}
}

// AddTeam makes a team; parent is the slug of its parent or "".
func (f *Forge) AddTeam(org, slug, name, parent string, members ...string) Team {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.mustAccount(org)
	t := &Team{ID: f.id(), Org: o.ID, Slug: slug, Name: name, Members: map[int64]bool{}}
	if parent != "" {
		p := f.team(o.ID, parent)
		if p == nil {
			panic("sim: no team " + parent)
		}
		t.Parent = p.ID
	}
	f.teams[t.ID] = t
	for _, m := range members {
		a := f.mustAccount(m)
		t.Members[a.ID] = true
		if _, in := o.Members[a.ID]; !in {
			o.Members[a.ID] = false
		}
	}
	return f.copyTeam(t)
}

func (f *Forge) copyTeam(t *Team) Team {
	c := *t
	c.Members = map[int64]bool{}
	for id := range t.Members {
		c.Members[id] = true
	}
	return c
}

func (f *Forge) team(org int64, slug string) *Team {
	for _, t := range f.teams {
		if t.Org == org && strings.EqualFold(t.Slug, slug) {
			return t
		}
	}
	return nil
}

// teamMembers are the people of a team and of the teams below it, by login.
func (f *Forge) teamMembers(t *Team, immediate bool) []*Account {
	ids := map[int64]bool{}
	var walk func(*Team)
	walk = func(t *Team) {
		for id := range t.Members {
			ids[id] = true
		}
		if immediate {
			return
		}
		for _, child := range f.teams {
			if child.Parent == t.ID {
				walk(child)
			}
		}
	}
	walk(t)
	var out []*Account
	for id := range ids {
		if a := f.accounts[id]; a != nil {
			out = append(out, a)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Login < out[j].Login })
	return out
}

// permission is what an account may do in a repository.
func (f *Forge) permission(r *Repo, a *Account) Permission {
	if a == nil {
		return None
	}
	best := None
	raise := func(p Permission) {
		if p.rank() > best.rank() {
			best = p
		}
	}
	if !r.Private {
		raise(Read)
	}
	if a.App != 0 {
		if in := f.installOf(a.App, r); in != nil && !in.Suspended {
			raise(Write)
		}
		return best
	}
	if r.Owner == a.ID || a.SiteAdmin {
		return Admin
	}
	raise(r.Collaborators[a.ID])
	owner := f.accounts[r.Owner]
	if owner == nil || owner.Kind != Organization {
		return best
	}
	if isOwner, member := owner.Members[a.ID]; member {
		if isOwner {
			return Admin
		}
		raise(owner.Base)
		raise(owner.Rights[a.ID])
	}
	teams := maps.Clone(r.Teams)
	for id, t := range f.teams {
		if t.Org == r.Owner && t.All != "" && t.All.rank() > teams[id].rank() {
			teams[id] = t.All
		}
	}
	for id, p := range teams {
		t := f.teams[id]
		if t == nil {
			continue
		}
		for _, m := range f.teamMembers(t, false) {
			if m.ID == a.ID {
				raise(p)
			}
		}
	}
	return best
}

// AddTeamMember puts somebody into a team (and so into the organisation).
func (a Actor) AddTeamMember(org, team, login string) error {
	return a.inTeam(org, team, login, func(t *Team, o, m *Account) string {
		t.Members[m.ID] = true
		if _, in := o.Members[m.ID]; !in {
			o.Members[m.ID] = false
		}
		return "added"
	})
}

// RemoveTeamMember takes somebody out of a team.
func (a Actor) RemoveTeamMember(org, team, login string) error {
	return a.inTeam(org, team, login, func(t *Team, _, m *Account) string {
		delete(t.Members, m.ID)
		return "removed"
	})
}

func (a Actor) inTeam(org, team, login string, do func(t *Team, o, m *Account) string) error {
	return a.do(func(f *Forge, me *Account) error {
		o := f.account(org)
		if o == nil {
			return refuse(NotFound, "no organisation %s", org)
		}
		if !o.Members[me.ID] && !me.SiteAdmin {
			return refuse(Forbidden, "%s is no owner of %s", me.Login, org)
		}
		t, m := f.team(o.ID, team), f.account(login)
		if t == nil || m == nil {
			return refuse(NotFound, "no team %s or no account %s", team, login)
		}
		action := do(t, o, m)
		f.announce(Happening{Kind: MembershipHappened, Action: action, Actor: me, Owner: o, Team: t, Member: m})
		return nil
	})
}

// DeleteTeam removes a team; its children lose their parent.
func (a Actor) DeleteTeam(org, team string) error {
	return a.do(func(f *Forge, me *Account) error {
		o := f.account(org)
		if o == nil || f.team(o.ID, team) == nil {
			return refuse(NotFound, "no team %s/%s", org, team)
		}
		if !o.Members[me.ID] {
			return refuse(Forbidden, "%s is no owner of %s", me.Login, org)
		}
		t := f.team(o.ID, team)
		delete(f.teams, t.ID)
		for _, c := range f.teams {
			if c.Parent == t.ID {
				c.Parent = 0
			}
		}
		f.announce(Happening{Kind: TeamHappened, Action: "deleted", Actor: me, Owner: o, Team: t})
		return nil
	})
}

// RenameTeam gives a team another name and slug.
func (a Actor) RenameTeam(org, team, slug, name string) error {
	return a.do(func(f *Forge, me *Account) error {
		o := f.account(org)
		if o == nil || f.team(o.ID, team) == nil {
			return refuse(NotFound, "no team %s/%s", org, team)
		}
		if !o.Members[me.ID] {
			return refuse(Forbidden, "%s is no owner of %s", me.Login, org)
		}
		t := f.team(o.ID, team)
		was := t.Name
		t.Slug, t.Name = slug, name
		f.announce(Happening{Kind: TeamHappened, Action: "edited", Actor: me, Owner: o, Team: t, Was: map[string]string{"name": was}})
		return nil
	})
}

// GrantTeam gives a team a permission in a repository of its organisation.
func (a Actor) GrantTeam(repo, team string, p Permission) error {
	return a.onRepo(repo, Admin, func(f *Forge, me *Account, r *Repo) error {
		t := f.team(r.Owner, team)
		if t == nil {
			return refuse(NotFound, "no team %s", team)
		}
		r.Teams[t.ID] = p
		f.announce(Happening{Kind: TeamHappened, Action: "added_to_repository", Actor: me, Repo: r, Team: t})
		return nil
	})
}

// Grant gives a person a permission in a repository; None takes it away.
func (a Actor) Grant(repo, login string, p Permission) error {
	return a.onRepo(repo, Admin, func(f *Forge, me *Account, r *Repo) error {
		m := f.account(login)
		if m == nil {
			return refuse(NotFound, "no account %s", login)
		}
		was, had := r.Collaborators[m.ID]
		action := "added"
		r.Collaborators[m.ID] = p
		if p == None {
			delete(r.Collaborators, m.ID)
			action = "removed"
		} else if had {
			action = "edited"
		}
		f.announce(Happening{Kind: MemberHappened, Action: action, Actor: me, Repo: r, Member: m, Was: map[string]string{"permission": string(was)}})
		return nil
	})
}

// SuspendUser keeps an account from signing in, or lets it again.
func (f *Forge) SuspendUser(login string, suspended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mustAccount(login).Suspended = suspended
}

// MakeSiteAdmin gives an account the whole forge to administer.
func (f *Forge) MakeSiteAdmin(login string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mustAccount(login).SiteAdmin = true
}

// RenameUser gives an account another login; the id stays.
func (f *Forge) RenameUser(login, to string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.mustAccount(login)
	delete(f.byLogin, strings.ToLower(login))
	a.Login = to
	f.byLogin[strings.ToLower(to)] = a.ID
	for _, r := range f.repos {
		if r.Owner == a.ID {
			f.byName[strings.ToLower(to+"/"+r.Name)] = r.ID
		}
	}
}

// DeleteUser removes an account; what it wrote stays without an author.
func (f *Forge) DeleteUser(login string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.mustAccount(login)
	delete(f.byLogin, strings.ToLower(a.Login))
	delete(f.accounts, a.ID)
	for _, o := range f.accounts {
		delete(o.Members, a.ID)
	}
	for _, t := range f.teams {
		delete(t.Members, a.ID)
	}
}
