package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// user is an account as REST lists it.
type user struct {
	ID          int64  `json:"id"`
	Username    string `json:"username"`
	Name        string `json:"name"`
	State       string `json:"state"`
	Bot         bool   `json:"bot"`
	PublicEmail string `json:"public_email"`
	Email       string `json:"email"`
	Level       int    `json:"access_level"` // of a member
}

func (u *user) person() fact.Person { return person(decimal(u.ID), u.Username, u.Name, u.Bot) }

// readPeople resolves the principals the policy names.
func (r *reading) readPeople(ctx context.Context) error {
	if !r.needs[fact.NeedPeople] {
		return nil
	}
	owner := strings.ToLower(r.c.Repo.Owner)
	known := map[string]fact.Principal{}
	for _, name := range r.plan.Principals {
		if _, twice := known[name]; twice {
			continue
		}
		if p, ok := r.people.Get(owner, name); ok {
			known[name] = p
			continue
		}
		kind, word, _ := strings.Cut(name, ":")
		var p fact.Principal
		var err error
		switch {
		case kind == "user" && validWord(word):
			p, err = r.userPrincipal(ctx, word)
		case kind == "team" && validGroup(word):
			p, err = r.teamPrincipal(ctx, r.c.Repo.Owner, word)
		default:
			p = fact.Principal{Problem: fmt.Sprintf("%q names nobody; write team:group or user:login", name)}
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		known[name] = p
		r.people.Put(owner, name, p)
	}
	r.c.People = known
	return nil
}

// account finds an account by its login; nil if there is none.
func (f *Forge) account(ctx context.Context, login string) (*user, error) {
	var list []user
	if _, err := f.get(ctx, "users", url.Values{"username": {login}}, &list); err != nil {
		return nil, err
	}
	for i := range list {
		if strings.EqualFold(list[i].Username, login) {
			return &list[i], nil
		}
	}
	return nil, nil //nolint:nilnil // nobody is an answer
}

func (f *Forge) userPrincipal(ctx context.Context, login string) (fact.Principal, error) {
	u, err := f.account(wire.Operation(ctx, "read_user"), login)
	if err != nil {
		return fact.Principal{}, err
	}
	if u == nil || !u.person().Known() {
		return fact.Principal{Problem: fmt.Sprintf("there is no account %q", login)}, nil
	}
	if u.State != "" && u.State != "active" {
		return fact.Principal{Problem: fmt.Sprintf("the account %q is %s", login, u.State)}, nil
	}
	return fact.Principal{Members: []fact.Person{u.person()}}, nil
}

// candidates are the groups a team's name may mean, nearest first: a bare name is
// looked for below the project's group and each group above it, and last by
// itself; a path is meant as it is. On gitlab.com anybody can make a group of any
// free name, so there a bare name never means one outside.
func (f *Forge) candidates(owner, word string) []string {
	if strings.Contains(word, "/") {
		return []string{word}
	}
	var out []string
	for above := owner; above != ""; above, _ = cut(above) {
		out = append(out, above+"/"+word)
	}
	if !f.public() {
		out = append(out, word)
	}
	return out
}

// group is a group as REST shows it.
type group struct {
	ID     int64  `json:"id"`
	Path   string `json:"full_path"`
	Shared []struct {
		ID      int64  `json:"group_id"`
		Path    string `json:"group_full_path"`
		Expires string `json:"expires_at"`
	} `json:"shared_with_groups"`
}

// leastMember is the lowest level that makes a member: Guest. Below it is one who
// sees that the group exists.
const leastMember = 10

// teamPrincipal resolves a group: its members, those it inherits from the groups
// above it, and those of the groups it was shared with.
func (f *Forge) teamPrincipal(ctx context.Context, owner, word string) (fact.Principal, error) {
	ctx = wire.Operation(ctx, "read_team")
	for _, path := range f.candidates(owner, word) {
		var g group
		_, err := f.get(ctx, "groups/"+url.PathEscape(path), url.Values{"with_projects": {"false"}}, &g)
		switch {
		case errors.Is(err, forges.ErrNotFound):
			continue
		case errors.Is(err, forges.ErrForbidden):
			return fact.Principal{Problem: fmt.Sprintf("the group %s may not be read; invite %s to it", path, f.login())}, nil
		case err != nil:
			return fact.Principal{}, err
		}
		f.learn(g.ID, g.Path)
		return f.membersOf(ctx, &g)
	}
	return fact.Principal{Problem: fmt.Sprintf("there is no group %q at or above %s, or Primum may not see it", word, owner)}, nil
}

func (f *Forge) login() string {
	if me := f.self.Load(); me != nil {
		return me.Login
	}
	return "Primum's account"
}

func (f *Forge) membersOf(ctx context.Context, g *group) (fact.Principal, error) {
	var p fact.Principal
	seen := map[int64]bool{}
	ids := []int64{g.ID}
	for _, s := range g.Shared {
		if s.Expires == "" || s.Expires > f.Now().UTC().Format(time.DateOnly) {
			ids = append(ids, s.ID)
			f.learn(s.ID, s.Path)
		}
	}
	for _, id := range ids {
		list, err := all[user](ctx, f, fmt.Sprintf("groups/%d/members/all", id), nil)
		switch {
		case errors.Is(err, forges.ErrForbidden), errors.Is(err, forges.ErrNotFound):
			return fact.Principal{Problem: fmt.Sprintf("the members of %s may not be read; invite %s to it", g.Path, f.login())}, nil
		case err != nil:
			return fact.Principal{}, err
		}
		for i := range list {
			u := &list[i]
			if seen[u.ID] || u.Level < leastMember || u.State != "" && u.State != "active" || !u.person().Known() {
				continue
			}
			seen[u.ID] = true
			p.Members = append(p.Members, u.person())
		}
	}
	if len(p.Members) == 0 {
		p.Problem = "the group is empty"
	}
	return p, nil
}

// Levels of access, per GitLab.
const (
	levelGuest     = 10
	levelDeveloper = 30
	levelMaintain  = 40
)

// Permission implements forges.Forge. Somebody GitLab does not know may nothing;
// everybody may read a public project.
func (f *Forge) Permission(ctx context.Context, r forges.RepoRef, login string) (forges.Permission, error) {
	if !validWord(login) {
		return forges.PermNone, nil
	}
	perm, err := f.permission(wire.Operation(ctx, "permission"), r, login)
	if err != nil {
		return forges.PermNone, fmt.Errorf("permission of %s in %s: %w", login, r.FullName(), err)
	}
	return perm, nil
}

func (f *Forge) permission(ctx context.Context, r forges.RepoRef, login string) (forges.Permission, error) {
	u, err := f.account(ctx, login)
	if err != nil || u == nil || u.State != "" && u.State != "active" {
		return forges.PermNone, err
	}
	var m user
	_, err = f.get(ctx, fmt.Sprintf("%s/members/all/%d", restPath(r), u.ID), nil, &m)
	switch {
	case errors.Is(err, forges.ErrNotFound):
		m.Level = 0
	case err != nil:
		return forges.PermNone, err
	}
	switch {
	case m.Level >= levelMaintain:
		return forges.PermAdmin, nil
	case m.Level >= levelDeveloper:
		return forges.PermWrite, nil
	case m.Level >= levelGuest, !r.Private:
		return forges.PermRead, nil
	}
	return forges.PermNone, nil
}
