package gitlabface

import (
	"net/http"
	"slices"
	"strings"

	"primum/forges/sim"
)

func (c *call) version() error {
	answer(c.w, http.StatusOK, j{"version": c.t.options().Version, "revision": "5im0000abcd"})
	return nil
}

func (c *call) metadata() error {
	o := c.t.options()
	answer(c.w, http.StatusOK, j{
		"version": o.Version, "revision": "5im0000abcd", "enterprise": strings.HasSuffix(o.Version, "-ee"),
		"kas": j{"enabled": false, "externalUrl": nil, "externalK8sProxyUrl": nil, "version": nil},
	})
	return nil
}

func (c *call) self() error {
	return c.reading(func(s shaper, me *sim.Account) (any, error) { return s.wholeUser(me, true), nil })
}

func (c *call) listUsers() error {
	return c.reading(func(s shaper, _ *sim.Account) (any, error) {
		var found []*sim.Account
		for _, a := range s.v.Accounts() {
			if a.Kind == sim.Organization || a.App != 0 {
				continue
			}
			name := c.text("username")
			if (name == "" || strings.EqualFold(a.Login, name)) && (c.text("search") == "" || strings.Contains(a.Login, c.text("search"))) {
				found = append(found, a)
			}
		}
		return shapes(page(c, found), s.basic), nil
	})
}

func (c *call) getUser() error {
	return c.reading(func(s shaper, _ *sim.Account) (any, error) {
		a := s.v.Account(c.path("user"))
		if a == nil || a.Kind == sim.Organization {
			return nil, notFound("User")
		}
		return s.wholeUser(a, false), nil
	})
}

func (c *call) ownToken() error {
	k := c.who.token
	var expires any
	if !k.expires.IsZero() {
		expires = k.expires.UTC().Format("2006-01-02")
	}
	answer(c.w, http.StatusOK, j{
		"id": k.id, "name": "primum", "revoked": false, "created_at": stamp(k.made), "description": "", "scopes": k.scopes, "user_id": c.who.id,
		"last_used_at": stamp(c.t.forge.Now()), "active": true, "expires_at": expires,
	})
	return nil
}

func (c *call) listProjects() error {
	return c.reading(func(s shaper, me *sim.Account) (any, error) {
		least := int(c.number("min_access_level"))
		var found []*sim.Repo
		for _, r := range s.v.Repos() {
			if !c.who.sees(s.v, r) {
				continue
			}
			mine := level(s.v.Permission(r, me))
			if !s.in(r, me) && !me.SiteAdmin {
				mine = noAccess
			}
			if (c.truth("membership") && mine == noAccess) || mine < least {
				continue
			}
			if q := c.text("search"); q != "" && !strings.Contains(strings.ToLower(r.Name), strings.ToLower(q)) {
				continue
			}
			found = append(found, r)
		}
		return s.projects(c, found, me), nil
	})
}

// projects is one page of projects, newest first unless sort says asc.
func (s shaper) projects(c *call, found []*sim.Repo, me *sim.Account) []any {
	shape := func(r *sim.Repo) j { return s.project(r, me) }
	if c.truth("simple") {
		shape = s.shortProject
	}
	if c.text("pagination") == "keyset" {
		return shapes(keyset(c, found, func(r *sim.Repo) int64 { return r.ID }), shape)
	}
	if c.text("sort") != "asc" {
		slices.Reverse(found)
	}
	return shapes(page(c, found), shape)
}

func (c *call) getProject() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) { return s.project(r, s.v.Account(c.who.id)), nil })
}

func (c *call) editProject() error {
	var id int64
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		id = r.ID
		if err := c.need(s, r, sim.Maintain); err != nil {
			return err
		}
		if c.given("only_allow_merge_if_all_status_checks_passed") && !s.o.has(Ultimate) {
			delete(c.params, "only_allow_merge_if_all_status_checks_passed") // not licensed: ignored without a word
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.t.state.change(id, func(set *settings) {
		for name, at := range map[string]*bool{
			"only_allow_merge_if_pipeline_succeeds": &set.pipeline, "allow_merge_on_skipped_pipeline": &set.skipped,
			"only_allow_merge_if_all_discussions_are_resolved": &set.discussions, "only_allow_merge_if_all_status_checks_passed": &set.statusChecks,
		} {
			if c.given(name) {
				*at = c.truth(name)
			}
		}
		if m := c.text("merge_method"); m != "" {
			set.method = m
		}
	})
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) { return s.project(r, nil), nil })
}

// members lists the members of a project: those put into it.
func (c *call) members() error { return c.projectMembers(false) }

// allMembers lists those who reach a project by a group too.
func (c *call) allMembers() error { return c.projectMembers(true) }

func (c *call) projectMembers(all bool) error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) { return c.memberList(s, s.projectMembers(r, all)) })
}

// memberList is one member if the address names one, or a page of them.
func (c *call) memberList(s shaper, all []member) (any, error) {
	if c.r.PathValue("user") != "" {
		for _, m := range all {
			if m.who.ID == c.path("user") {
				return s.member(m), nil
			}
		}
		return nil, notFound("")
	}
	if ids := c.numbers("user_ids"); len(ids) > 0 {
		all = slices.DeleteFunc(all, func(m member) bool { return !slices.Contains(ids, m.who.ID) })
	}
	if q := strings.ToLower(c.text("query")); q != "" {
		all = slices.DeleteFunc(all, func(m member) bool { return !strings.Contains(strings.ToLower(m.who.Login+" "+m.who.Name), q) })
	}
	return shapes(page(c, all), s.member), nil
}

// permissionOf is the forge's permission for an access level.
func permissionOf(l int64) sim.Permission {
	switch {
	case l >= owner:
		return sim.Admin
	case l >= maintainer:
		return sim.Maintain
	case l >= developer:
		return sim.Write
	case l >= reporter:
		return sim.Triage
	}
	return sim.Read
}

func (c *call) addMember() error {
	var repo, login string
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		repo = s.v.FullName(r)
		if err := c.need(s, r, sim.Maintain); err != nil {
			return err
		}
		a := s.v.Account(c.number("user_id"))
		if a == nil {
			return notFound("User")
		}
		for _, m := range s.projectMembers(r, false) {
			if m.who.ID == a.ID {
				return refuse(http.StatusConflict, "Member already exists")
			}
		}
		login = a.Login
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.adminOf(repo).Grant(repo, login, permissionOf(c.number("access_level"))); err != nil {
		return err
	}
	var out j
	c.t.forge.Read(func(v *sim.View) {
		s := c.t.shaper(v)
		out = s.member(member{v.AccountByLogin(login), int(c.number("access_level"))})
	})
	answer(c.w, http.StatusCreated, out)
	return nil
}

// editMember gives somebody who was put into a project another level.
func (c *call) editMember() error {
	var repo, login string
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		repo = s.v.FullName(r)
		if err := c.need(s, r, sim.Maintain); err != nil {
			return err
		}
		for _, m := range s.projectMembers(r, false) {
			if m.who.ID == c.path("user") {
				login = m.who.Login
				return nil
			}
		}
		return notFound("")
	})
	if err != nil {
		return err
	}
	if err := c.adminOf(repo).Grant(repo, login, permissionOf(c.number("access_level"))); err != nil {
		return err
	}
	return c.memberNow(login)
}

// memberNow answers with a member as the call made it.
func (c *call) memberNow(login string) error {
	return c.looking(func(s shaper, _ *sim.Account) error {
		answer(c.w, http.StatusOK, s.member(member{s.v.AccountByLogin(login), int(c.number("access_level"))}))
		return nil
	})
}

// adminOf acts as somebody the forge lets administer a repository: GitLab's
// Maintainers may do what the forge keeps to administrators.
func (c *call) adminOf(repo string) sim.Actor {
	login := c.who.login
	c.t.forge.Read(func(v *sim.View) {
		r := v.Repo(repo)
		for _, a := range v.Accounts() {
			if r != nil && a.Kind == sim.User && v.Permission(r, a) == sim.Admin {
				login = a.Login
				return
			}
		}
	})
	return c.t.forge.As(login)
}
