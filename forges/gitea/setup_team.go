package gitea

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"primum/forges"
	"primum/forges/admin"
)

// orgTeam is a team of an organisation.
type orgTeam struct {
	ID       int64             `json:"id,omitempty"`
	Name     string            `json:"name"`
	All      bool              `json:"includes_all_repositories"`
	Level    string            `json:"permission,omitempty"`
	Units    []string          `json:"units,omitempty"`
	UnitsMap map[string]string `json:"units_map,omitempty"`
	Words    string            `json:"description,omitempty"`
}

// setupOwner is an organisation, or a person who has repositories.
type setupOwner struct {
	name  string
	whole bool // all its repositories are meant
	org   bool
	teams []orgTeam
	repos []string // those of them that were named
	hook  bool     // a webhook of the organisation covers them
}

// owners sets up who is named, and the owners of the repositories named.
func (s *setup) owners(ctx context.Context) error {
	for _, name := range s.ownerNames() {
		o := setupOwner{name: name, whole: containsFold(s.Owners, name)}
		for _, r := range s.Repos {
			if of, _, _ := strings.Cut(r, "/"); strings.EqualFold(of, name) {
				o.repos = append(o.repos, r)
			}
		}
		if err := s.owner(ctx, &o); err != nil {
			return err
		}
	}
	s.settleHooks()
	return nil
}

func (s *setup) ownerNames() []string {
	names := slices.Clone(s.Owners)
	for _, r := range s.Repos {
		if of, _, _ := strings.Cut(r, "/"); !containsFold(names, of) {
			names = append(names, of)
		}
	}
	return names
}

func containsFold(in []string, s string) bool {
	return slices.ContainsFunc(in, func(e string) bool { return strings.EqualFold(e, s) })
}

func (s *setup) owner(ctx context.Context, o *setupOwner) error {
	_, err := s.api.Get(ctx, "orgs/"+escaped(o.name), nil)
	switch {
	case err == nil:
		o.org = true
	case statusIn(err) != http.StatusNotFound:
		return s.words.Explain(err, "look for "+o.name, ownerScopes)
	case o.whole:
		return s.words.Explain(err, "look for the organisation "+o.name, "correct --org; for the repositories of a person, name them with --repo")
	}
	if o.org {
		if err := s.mayOwn(ctx, o); err != nil {
			return err
		}
	}
	for _, r := range o.repos {
		if err := s.mayAdminister(ctx, r); err != nil {
			return err
		}
	}
	if err := s.access(ctx, o); err != nil {
		return err
	}
	return s.hooks(ctx, o)
}

// mayOwn reports by an error that the token cannot set up an organisation. With
// single repositories their administrator is enough.
func (s *setup) mayOwn(ctx context.Context, o *setupOwner) error {
	var p struct {
		Owner bool `json:"is_owner"`
	}
	if _, err := s.api.Get(ctx, "users/"+escaped(s.me.Login)+"/orgs/"+escaped(o.name)+"/permissions", &p); err != nil {
		return s.words.Explain(err, "ask what "+s.me.Login+" may do in "+o.name, ownerScopes)
	}
	if p.Owner || s.me.Admin {
		teams, err := admin.List[orgTeam](ctx, s.api, "orgs/"+escaped(o.name)+"/teams", "limit")
		if err != nil {
			return s.words.Explain(err, "read the teams of "+o.name, ownerScopes)
		}
		o.teams = teams
		return nil
	}
	if o.whole {
		return &admin.Trouble{
			Says: s.me.Login + " is no owner of " + o.name + " and can set up neither team nor webhook there",
			Cure: "give the token of an owner, or name with --repo the repositories that " + s.me.Login + " administers, without --org",
		}
	}
	return nil
}

// access gives the account its rights: by a team where the token may make one,
// else as a collaborator of each repository.
func (s *setup) access(ctx context.Context, o *setupOwner) error {
	if !o.org || o.teams == nil {
		for _, r := range o.repos {
			if err := s.collaborator(ctx, r); err != nil {
				return err
			}
		}
		return nil
	}
	i := slices.IndexFunc(o.teams, func(t orgTeam) bool { return strings.EqualFold(t.Name, s.Team) })
	if i < 0 {
		in, err := s.anyTeam(ctx, o)
		if err != nil {
			return err
		}
		if in == "" {
			s.newTeam(o)
		} else {
			s.is(fmt.Sprintf("%s is in the team %s of %s, which writes to all its repositories", s.Bot, in, o.name))
		}
	} else if err := s.oldTeam(ctx, o, o.teams[i]); err != nil {
		return err
	}
	return s.rolesOf(ctx, o)
}

// anyTeam finds a team of another name that gives the account all it needs; ""
// if there is none.
func (s *setup) anyTeam(ctx context.Context, o *setupOwner) (string, error) {
	if !s.botKnown {
		return "", nil
	}
	for _, t := range o.teams {
		if !t.All || len(missingUnits(t)) > 0 || t.Level == "owner" {
			continue
		}
		_, err := s.api.Get(ctx, fmt.Sprintf("teams/%d/members/%s", t.ID, escaped(s.Bot)), nil)
		switch {
		case err == nil:
			return t.Name, nil
		case statusIn(err) != http.StatusNotFound:
			return "", s.words.Explain(err, "ask who is in the team "+t.Name, teamNeed)
		}
	}
	return "", nil
}

const teamNeed = "the token needs the scope write:organization and to be that of an owner of the organisation"

func (s *setup) newTeam(o *setupOwner) {
	reach := "all repositories"
	if !o.whole {
		reach = strings.Join(o.repos, ", ")
	}
	s.do(fmt.Sprintf("make the team %s in %s: it writes code, issues and pull requests of %s", s.Team, o.name, reach), teamNeed, false,
		func(ctx context.Context) error {
			_, err := s.api.Call(ctx, http.MethodPost, "orgs/"+escaped(o.name)+"/teams", orgTeam{
				Name: s.Team, All: o.whole, Level: "write", UnitsMap: botUnits(), Units: slices.Sorted(maps.Keys(botUnits())), Words: "Primum's own account",
			}, nil)
			return err
		})
	s.joinTeam(o.name, s.Team, fmt.Sprintf("add %s to the team %s of %s", s.Bot, s.Team, o.name))
	if !o.whole {
		for _, r := range o.repos {
			s.teamRepo(o.name, r)
		}
	}
}

func (s *setup) oldTeam(ctx context.Context, o *setupOwner, t orgTeam) error {
	if short := missingUnits(t); len(short) > 0 {
		s.do(fmt.Sprintf("let the team %s of %s write %s", t.Name, o.name, strings.Join(short, ", ")), teamNeed, true, func(ctx context.Context) error {
			units := maps.Clone(t.UnitsMap)
			if units == nil {
				units = map[string]string{}
			}
			for _, u := range short {
				units[u] = "write"
			}
			_, err := s.api.Call(ctx, http.MethodPatch, fmt.Sprintf("teams/%d", t.ID), orgTeam{Name: t.Name, All: t.All, Level: "write", UnitsMap: units, Units: slices.Sorted(maps.Keys(units))}, nil)
			return err
		})
	}
	if o.whole && !t.All {
		s.do(fmt.Sprintf("let the team %s of %s reach all its repositories", t.Name, o.name), teamNeed, true, func(ctx context.Context) error {
			_, err := s.api.Call(ctx, http.MethodPatch, fmt.Sprintf("teams/%d", t.ID), map[string]any{"name": t.Name, "includes_all_repositories": true}, nil)
			return err
		})
	}
	if err := s.member(ctx, o.name, t, fmt.Sprintf("add %s to the team %s of %s", s.Bot, t.Name, o.name)); err != nil {
		return err
	}
	if t.All || o.whole {
		return nil
	}
	for _, r := range o.repos {
		of, name, _ := strings.Cut(r, "/")
		_, err := s.api.Get(ctx, fmt.Sprintf("teams/%d/repos/%s/%s", t.ID, escaped(of), escaped(name)), nil)
		switch {
		case err == nil:
			s.is("the team " + t.Name + " reaches " + r)
		case statusIn(err) == http.StatusNotFound:
			s.teamRepo(o.name, r)
		default:
			return s.words.Explain(err, "ask whether the team "+t.Name+" reaches "+r, teamNeed)
		}
	}
	return nil
}

// missingUnits are the rights a team lacks.
func missingUnits(t orgTeam) []string {
	if t.Level == "admin" || t.Level == "owner" {
		return nil
	}
	var short []string
	for _, u := range slices.Sorted(maps.Keys(botUnits())) {
		if level := t.UnitsMap[u]; level != "write" && level != "admin" && level != "owner" {
			short = append(short, u)
		}
	}
	return short
}

// member sees to it that the account is in a team that is there.
func (s *setup) member(ctx context.Context, org string, t orgTeam, says string) error {
	_, err := s.api.Get(ctx, fmt.Sprintf("teams/%d/members/%s", t.ID, escaped(s.Bot)), nil)
	switch {
	case err == nil:
		s.is(fmt.Sprintf("%s is in the team %s of %s", s.Bot, t.Name, org))
	case statusIn(err) == http.StatusNotFound:
		s.joinTeam(org, t.Name, says)
	default:
		return s.words.Explain(err, "ask who is in the team "+t.Name, teamNeed)
	}
	return nil
}

// joinTeam adds the account to a team, which may be one made by an earlier step.
func (s *setup) joinTeam(org, name, says string) {
	if s.botMissing {
		s.byHand(says, "make the account first; then run this again, which does it")
		return
	}
	s.do(says, teamNeed, true, func(ctx context.Context) error {
		t, err := s.findTeam(ctx, org, name)
		if err != nil {
			return err
		}
		_, err = s.api.Call(ctx, http.MethodPut, fmt.Sprintf("teams/%d/members/%s", t.ID, escaped(s.Bot)), nil, nil)
		return err
	})
}

func (s *setup) teamRepo(org, repo string) {
	s.do("let the team "+s.Team+" reach "+repo, teamNeed, true, func(ctx context.Context) error {
		t, err := s.findTeam(ctx, org, s.Team)
		if err != nil {
			return err
		}
		of, name, _ := strings.Cut(repo, "/")
		_, err = s.api.Call(ctx, http.MethodPut, fmt.Sprintf("teams/%d/repos/%s/%s", t.ID, escaped(of), escaped(name)), nil, nil)
		return err
	})
}

func (s *setup) findTeam(ctx context.Context, org, name string) (orgTeam, error) {
	teams, err := admin.List[orgTeam](ctx, s.api, "orgs/"+escaped(org)+"/teams", "limit")
	if err != nil {
		return orgTeam{}, err
	}
	i := slices.IndexFunc(teams, func(t orgTeam) bool { return strings.EqualFold(t.Name, name) })
	if i < 0 {
		return orgTeam{}, fmt.Errorf("team %s of %s: %w", name, org, forges.ErrNotFound)
	}
	return teams[i], nil
}

// rolesOf puts the account into the teams that the policies name as roles:
// only who is in a team is told its members.
func (s *setup) rolesOf(ctx context.Context, o *setupOwner) error {
	if s.Principals == nil {
		return nil
	}
	seen := map[string]bool{strings.ToLower(s.Team): true}
	for _, r := range o.repos {
		for _, p := range s.Principals(s.policyOf(ctx, r)) {
			name, isTeam := strings.CutPrefix(p, "team:")
			name = name[strings.LastIndex(name, "/")+1:]
			if !isTeam || seen[strings.ToLower(name)] {
				continue
			}
			seen[strings.ToLower(name)] = true
			i := slices.IndexFunc(o.teams, func(t orgTeam) bool { return strings.EqualFold(t.Name, name) })
			if i < 0 {
				s.byHand("the policy of "+r+" names the team "+name+", which "+o.name+" has not",
					"make the team, or correct people in .primum.yml")
				continue
			}
			if err := s.member(ctx, o.name, o.teams[i],
				fmt.Sprintf("add %s to the team %s of %s, whose members the policy of %s asks for", s.Bot, name, o.name, r)); err != nil {
				return err
			}
		}
	}
	return nil
}

// collaborator lets the account write to one repository.
func (s *setup) collaborator(ctx context.Context, repo string) error {
	path := setupRepo(repo) + "/collaborators/" + escaped(s.Bot)
	need := "the token needs the scope write:repository and " + s.me.Login + " to administer " + repo
	if s.botKnown {
		var p struct {
			Level string `json:"permission"`
		}
		_, err := s.api.Get(ctx, path+"/permission", &p)
		switch {
		case err == nil && (p.Level == "write" || p.Level == "admin" || p.Level == "owner"):
			s.is(s.Bot + " may write to " + repo)
			return nil
		case err != nil && statusIn(err) != http.StatusNotFound:
			return s.words.Explain(err, "ask what "+s.Bot+" may do in "+repo, need)
		}
	}
	says := "let " + s.Bot + " write to " + repo + ", as a collaborator"
	if s.botMissing {
		s.byHand(says, "make the account first; then run this again, which does it")
		return nil
	}
	s.do(says, need, true, func(ctx context.Context) error {
		_, err := s.api.Call(ctx, http.MethodPut, path, map[string]string{"permission": "write"}, nil)
		return err
	})
	return nil
}
