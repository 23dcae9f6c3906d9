package giteaface

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

func (c *call) version() { c.answer(http.StatusOK, j{"version": c.t.options().Version}) }

func (c *call) settings() {
	out := j{"max_response_items": mostOfPage, "default_paging_num": defaultPage, "default_git_trees_per_page": treesPerPage, "default_max_blob_size": mostBlob}
	if !c.t.forgejo() {
		out["default_max_response_size"] = mostBlobs
	}
	c.answer(http.StatusOK, out)
}

func (c *call) getMe() {
	c.reading(func(s shaper) result { return ok(s.user(s.v.Account(c.me.ID))) })
}

func (c *call) getUser() {
	c.reading(func(s shaper) result {
		a := s.v.AccountByLogin(c.values["user"])
		if a == nil {
			return failure(http.StatusNotFound, "user redirect does not exist [name: %s]", c.values["user"])
		}
		return ok(s.user(a))
	})
}

// visible lists the repositories the caller may read, by id.
func (c *call) visible(v *sim.View) []*sim.Repo {
	return slices.DeleteFunc(v.Repos(), func(r *sim.Repo) bool { return !c.perm(v, r).AtLeast(sim.Read) })
}

// mine reports whether the caller owns a repository or was let into it: public
// ones of strangers are not in a list of one's own.
func (c *call) mine(v *sim.View, r *sim.Repo) bool {
	if r.Owner == c.me.ID || r.Collaborators[c.me.ID] != "" {
		return true
	}
	owner := v.Account(r.Owner)
	if owner == nil {
		return false
	}
	if owner.Members[c.me.ID] {
		return true
	}
	for _, t := range v.Teams(r.Owner) {
		if _, in := r.Teams[t.ID]; (in || t.All != "") && slices.ContainsFunc(v.TeamMembers(t, false), func(a *sim.Account) bool { return a.ID == c.me.ID }) {
			return true
		}
	}
	return false
}

func (s shaper) repos(all []*sim.Repo) []any {
	out := []any{}
	for _, r := range all {
		out = append(out, s.repo(r))
	}
	return out
}

func (c *call) listMyRepos() {
	c.reading(func(s shaper) result {
		all := slices.DeleteFunc(s.v.Repos(), func(r *sim.Repo) bool { return !c.mine(s.v, r) })
		return ok(s.repos(linked(c, all)))
	})
}

func (c *call) searchRepos() {
	c.reading(func(s shaper) result {
		word := strings.ToLower(c.query("q"))
		all := slices.DeleteFunc(c.visible(s.v), func(r *sim.Repo) bool { return !strings.Contains(strings.ToLower(r.Name), word) })
		if owner, err := strconv.ParseInt(c.query("uid"), 10, 64); err == nil && owner != 0 {
			all = slices.DeleteFunc(all, func(r *sim.Repo) bool { return r.Owner != owner })
		}
		return ok(j{"ok": true, "data": s.repos(linked(c, all))})
	})
}

func (c *call) listOrgRepos() {
	c.onOrg(func(s shaper, o *sim.Account) result {
		all := slices.DeleteFunc(c.visible(s.v), func(r *sim.Repo) bool { return r.Owner != o.ID })
		return ok(s.repos(linked(c, all)))
	})
}

func (c *call) getRepoByID() {
	id, good := c.number("id")
	if !good {
		return
	}
	c.reading(func(s shaper) result {
		r := s.v.RepoByID(int64(id))
		if r == nil || !c.perm(s.v, r).AtLeast(sim.Read) {
			return result{}
		}
		return ok(s.repo(r))
	})
}

func (c *call) getRepo() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result { return ok(s.repo(r)) })
}

func (c *call) listBranches() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		var names []string
		for n := range r.Branches {
			names = append(names, n)
		}
		slices.Sort(names)
		out := []any{}
		for _, n := range linked(c, names) {
			out = append(out, s.branch(r, n))
		}
		return ok(out)
	})
}

func (c *call) getBranch() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		name := c.values["branch"]
		if r.Branches[name] == "" {
			return result{}
		}
		return ok(s.branch(r, name))
	})
}

func (c *call) listTags() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		var names []string
		for n := range r.Tags {
			names = append(names, n)
		}
		slices.Sort(names)
		slices.Reverse(names)
		out := []any{}
		for _, n := range linked(c, names) {
			k := s.v.Commit(r.Tags[n])
			out = append(out, j{
				"name": n, "message": message(k), "id": k.SHA, "zipball_url": s.repoWeb(r) + "/archive/" + n + ".zip", "tarball_url": s.repoWeb(r) + "/archive/" + n + ".tar.gz",
				"commit": j{"url": s.repoURL(r) + "/git/commits/" + k.SHA, "sha": k.SHA, "created": stamp(k.Committer.At)},
			})
		}
		return ok(out)
	})
}

func (c *call) listProtections() {
	c.onRepo(sim.Admin, func(s shaper, r *sim.Repo) result {
		var names []string
		for n := range r.Protection {
			names = append(names, n)
		}
		slices.Sort(names)
		out := []any{}
		for _, n := range names {
			out = append(out, s.protection(r, n, r.Protection[n]))
		}
		return ok(out)
	})
}

func (c *call) getProtection() {
	c.onRepo(sim.Admin, func(s shaper, r *sim.Repo) result {
		name := c.values["name"]
		if r.Protection[name] == nil {
			return result{}
		}
		return ok(s.protection(r, name, r.Protection[name]))
	})
}

// protectionEdit is what a protection is set to; what is not named stays.
type protectionEdit struct {
	RuleName      string    `json:"rule_name"`
	BranchName    string    `json:"branch_name"`
	StatusCheck   *bool     `json:"enable_status_check"`
	Contexts      *[]string `json:"status_check_contexts"`
	Approvals     *int      `json:"required_approvals"`
	OnRejected    *bool     `json:"block_on_rejected_reviews"`
	OnOutdated    *bool     `json:"block_on_outdated_branch"`
	DismissStale  *bool     `json:"dismiss_stale_approvals"`
	IgnoreStale   *bool     `json:"ignore_stale_approvals"`
	BlockOverride *bool     `json:"block_admin_merge_override"` // Gitea
	ApplyToAdmins *bool     `json:"apply_to_admins"`            // Forgejo
}

func (e protectionEdit) apply(p *sim.Protection, forgejo bool) {
	set := func(to *bool, from *bool) {
		if from != nil {
			*to = *from
		}
	}
	enabled := len(p.Checks) > 0 || p.AllStatuses
	set(&enabled, e.StatusCheck)
	names := contexts(p)
	if e.Contexts != nil {
		names = *e.Contexts
	}
	p.Checks, p.AllStatuses = nil, enabled && len(names) == 0
	for _, n := range names {
		if enabled {
			p.Checks = append(p.Checks, sim.RequiredCheck{Name: n})
		}
	}
	if e.Approvals != nil {
		p.Approvals = *e.Approvals
	}
	rejected := !p.LetRejections
	set(&rejected, e.OnRejected)
	p.LetRejections = !rejected
	set(&p.UpToDate, e.OnOutdated)
	set(&p.DismissStale, e.DismissStale)
	set(&p.IgnoreStale, e.IgnoreStale)
	if forgejo {
		set(&p.EnforceAdmins, e.ApplyToAdmins)
	} else {
		set(&p.EnforceAdmins, e.BlockOverride)
	}
}

func (c *call) createProtection() {
	var e protectionEdit
	if !c.decode(&e) || !c.allowed(sim.Admin) {
		return
	}
	name := e.RuleName
	if name == "" {
		name = e.BranchName
	}
	r, _ := c.t.forge.Repo(c.repoName())
	switch {
	case name == "":
		c.fail(http.StatusBadRequest, "both rule_name and branch_name are empty")
		return
	case r.Protection[name] != nil:
		c.fail(http.StatusForbidden, "Branch protection already exist")
		return
	}
	p := &sim.Protection{LetRejections: true}
	e.apply(p, c.t.forgejo())
	c.done(c.act().Protect(c.repoName(), name, p), func(s shaper, r *sim.Repo) result {
		return result{status: http.StatusCreated, body: s.protection(r, name, r.Protection[name])}
	})
}

func (c *call) editProtection() {
	var e protectionEdit
	if !c.decode(&e) || !c.allowed(sim.Admin) {
		return
	}
	name := c.values["name"]
	r, _ := c.t.forge.Repo(c.repoName())
	have := r.Protection[name]
	if have == nil {
		c.notFound()
		return
	}
	p := *have
	e.apply(&p, c.t.forgejo())
	c.done(c.act().Protect(c.repoName(), name, &p), func(s shaper, r *sim.Repo) result {
		return ok(s.protection(r, name, r.Protection[name]))
	})
}

func (c *call) deleteProtection() {
	if !c.allowed(sim.Admin) {
		return
	}
	r, _ := c.t.forge.Repo(c.repoName())
	if r.Protection[c.values["name"]] == nil {
		c.notFound()
		return
	}
	c.done(c.act().Protect(c.repoName(), c.values["name"], nil), func(shaper, *sim.Repo) result {
		return result{status: http.StatusNoContent, body: none}
	})
}

func (c *call) isCollaborator() {
	c.onRepo(sim.Write, func(s shaper, r *sim.Repo) result {
		a := s.v.AccountByLogin(c.values["user"])
		if a == nil || r.Collaborators[a.ID] == "" {
			return result{}
		}
		return result{status: http.StatusNoContent, body: none}
	})
}

func (c *call) addCollaborator() {
	in := struct {
		Permission string `json:"permission"`
	}{"write"}
	if !c.decode(&in) || !c.allowed(sim.Admin) {
		return
	}
	p, known := map[string]sim.Permission{"read": sim.Read, "write": sim.Write, "admin": sim.Admin}[in.Permission]
	if !known {
		c.fail(http.StatusUnprocessableEntity, "invalid permission")
		return
	}
	c.done(c.act().Grant(c.repoName(), c.values["user"], p), func(shaper, *sim.Repo) result {
		return result{status: http.StatusNoContent, body: none}
	})
}

// permission tells about others only to administrators of the repository.
func (c *call) permission() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		own := strings.EqualFold(c.values["user"], c.me.Login) && (!s.forgejo || r.Collaborators[c.me.ID] != "")
		if !own && !c.perm(s.v, r).AtLeast(sim.Admin) {
			return failure(http.StatusForbidden, "Only admins can query all permissions, repo admins can query all repo permissions, collaborators can query only their own")
		}
		a := s.v.AccountByLogin(c.values["user"])
		if a == nil {
			return failure(http.StatusNotFound, "user does not exist [uid: 0, name: %s]", c.values["user"])
		}
		word := map[sim.Permission]string{sim.None: "none", sim.Read: "read", sim.Triage: "read", sim.Write: "write", sim.Maintain: "write", sim.Admin: "admin"}[s.v.Permission(r, a)]
		if word == "write" && !r.Collaborators[a.ID].AtLeast(sim.Write) {
			word = "read" // what a team's units allow is not counted here
		}
		if owner := s.v.Account(r.Owner); a.ID == r.Owner || (owner != nil && owner.Members[a.ID]) {
			word = "owner"
		}
		role := word
		return ok(j{"permission": word, "role_name": role, "user": s.user(a)})
	})
}

// writers are those who may be assigned or asked for a review.
func (c *call) writers() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		var all []*sim.Account
		for _, a := range s.v.Accounts() {
			if a.Kind != sim.Organization && a.App == 0 && s.v.Permission(r, a).AtLeast(sim.Write) {
				all = append(all, a)
			}
		}
		return ok(s.users(all))
	})
}

func (c *call) listRepoTeams() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		owner := s.v.Account(r.Owner)
		if owner == nil || owner.Kind != sim.Organization {
			return failure(http.StatusMethodNotAllowed, "repo is not owned by an organization")
		}
		out := []any{}
		for _, t := range s.teams(owner) {
			if _, in := r.Teams[t.ID]; in || t.All != "" || t.ID == t.Org {
				out = append(out, s.team(t))
			}
		}
		return ok(out)
	})
}
