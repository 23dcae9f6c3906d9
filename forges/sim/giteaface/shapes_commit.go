package giteaface

import (
	"maps"
	"strings"

	"primum/forges/sim"
)

func (s shaper) status(r *sim.Repo, st *sim.Status) j {
	index := int64(0) // statuses are counted per commit
	for i, o := range r.Statuses[st.SHA] {
		if o.ID == st.ID {
			index = int64(i) + 1
		}
	}
	return j{
		"id": index, "status": st.State, "target_url": st.TargetURL, "description": st.Description, "url": s.repoURL(r) + "/statuses/" + st.SHA,
		"context": st.Context, "creator": s.account(st.Creator), "created_at": stamp(st.At), "updated_at": stamp(st.At),
	}
}

// verification is what these products say of a commit's signature.
func (s shaper) verification(c *sim.Commit) j {
	if !c.Signature.Present {
		return j{"verified": false, "reason": "gpg.error.not_signed_commit", "signature": "", "signer": nil, "payload": ""}
	}
	reason := c.Signature.Reason
	if c.Signature.Valid {
		reason = c.Author.Name + " / 0123456789ABCDEF"
	}
	return j{
		"verified": c.Signature.Valid, "reason": reason, "signature": "-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n",
		"signer": j{"name": c.Author.Name, "email": c.Author.Email, "username": ""}, "payload": "tree " + c.Tree + "\n",
	}
}

func message(c *sim.Commit) string { return strings.TrimRight(c.Message, "\n") + "\n" }

func (s shaper) ofEmail(email string) any {
	if a := s.v.AccountOfEmail(email); a != nil {
		return s.user(a)
	}
	return nil
}

func (s shaper) commit(r *sim.Repo, c *sim.Commit) j {
	u := s.repoURL(r) + "/git/commits/" + c.SHA
	parents := []any{}
	for _, p := range c.Parents {
		parents = append(parents, j{"url": s.repoURL(r) + "/git/commits/" + p, "sha": p, "created": never})
	}
	parent := ""
	if len(c.Parents) > 0 {
		parent = c.Parents[0]
	}
	files := []any{}
	added, removed := 0, 0
	for _, d := range s.v.CompareCommits(parent, c.SHA, true) {
		added, removed = added+d.Additions, removed+d.Deletions
		switch d.Status {
		case sim.FileAdded:
			files = append(files, j{"filename": d.Path, "status": "added"})
		case sim.FileRemoved:
			files = append(files, j{"filename": d.Path, "status": "removed"})
		case sim.FileModified:
			files = append(files, j{"filename": d.Path, "status": "modified"})
		case sim.FileRenamed:
			files = append(files, j{"filename": d.Path, "status": "added"}, j{"filename": d.Previous, "status": "removed"})
		}
	}
	ident := func(i sim.Ident) j { return j{"name": i.Name, "email": i.Email, "date": stamp(i.At)} }
	return j{
		"url": u, "sha": c.SHA, "created": stamp(c.Committer.At), "html_url": s.repoWeb(r) + "/commit/" + c.SHA,
		"commit": j{
			"url": u, "author": ident(c.Author), "committer": ident(c.Committer), "message": message(c),
			// Not the tree: these products put the commit here.
			"tree":         j{"url": s.repoURL(r) + "/git/trees/" + c.SHA, "sha": c.SHA, "created": stamp(c.Committer.At)},
			"verification": s.verification(c),
		},
		"author": s.ofEmail(c.Author.Email), "committer": s.ofEmail(c.Committer.Email), "parents": parents, "files": files,
		"stats": j{"total": added + removed, "additions": added, "deletions": removed},
	}
}

// payloadCommit is a commit as pushes and branches show it.
func (s shaper) payloadCommit(r *sim.Repo, c *sim.Commit, files bool) j {
	ident := func(i sim.Ident) j {
		out := j{"name": i.Name, "email": i.Email, "username": ""}
		if a := s.v.AccountOfEmail(i.Email); a != nil {
			out["username"] = a.Login
		}
		return out
	}
	out := j{
		"id": c.SHA, "message": message(c), "url": s.repoWeb(r) + "/commit/" + c.SHA, "author": ident(c.Author), "committer": ident(c.Committer),
		"verification": nil, "timestamp": stamp(c.Committer.At), "added": nil, "removed": nil, "modified": nil,
	}
	if !files {
		out["verification"] = s.verification(c)
		return out
	}
	added, removed, modified := []string{}, []string{}, []string{}
	parent := ""
	if len(c.Parents) > 0 {
		parent = c.Parents[0]
	}
	for _, d := range s.v.CompareCommits(parent, c.SHA, false) {
		switch d.Status {
		case sim.FileAdded:
			added = append(added, d.Path)
		case sim.FileRemoved:
			removed = append(removed, d.Path)
		case sim.FileRenamed:
			added, removed = append(added, d.Path), append(removed, d.Previous)
		case sim.FileModified:
			modified = append(modified, d.Path)
		}
	}
	out["added"], out["removed"], out["modified"] = added, removed, modified
	return out
}

func (s shaper) branch(r *sim.Repo, name string) j {
	c := s.v.Commit(r.Branches[name])
	p := r.Protection[name]
	may := sim.None
	if s.me != nil {
		may = s.v.Permission(r, s.v.Account(s.me.ID))
	}
	out := j{
		"name": name, "commit": s.payloadCommit(r, c, false), "protected": p != nil, "required_approvals": 0, "enable_status_check": false,
		"status_check_contexts": []string{}, "user_can_push": may.AtLeast(sim.Write) && p == nil, "user_can_merge": may.AtLeast(sim.Write),
		"effective_branch_protection_name": "",
	}
	if p == nil {
		return out
	}
	out["required_approvals"], out["enable_status_check"] = p.Approvals, len(p.Checks) > 0 || p.AllStatuses
	out["status_check_contexts"] = contexts(p)
	if may.AtLeast(sim.Admin) {
		out["effective_branch_protection_name"] = name
	}
	return out
}

func contexts(p *sim.Protection) []string {
	out := []string{}
	for _, c := range p.Checks {
		out = append(out, c.Name)
	}
	return out
}

func (s shaper) protection(r *sim.Repo, branch string, p *sim.Protection) j {
	out := j{
		"branch_name": branch, "rule_name": branch, "enable_push": false, "enable_push_whitelist": false, "push_whitelist_usernames": []string{},
		"push_whitelist_teams": []string{}, "push_whitelist_deploy_keys": false, "enable_merge_whitelist": false, "merge_whitelist_usernames": []string{},
		"merge_whitelist_teams": []string{}, "enable_status_check": len(p.Checks) > 0 || p.AllStatuses, "status_check_contexts": contexts(p),
		"required_approvals": p.Approvals, "enable_approvals_whitelist": false, "approvals_whitelist_username": []string{}, "approvals_whitelist_teams": []string{},
		"block_on_rejected_reviews": !p.LetRejections, "block_on_official_review_requests": false, "block_on_outdated_branch": p.UpToDate,
		"dismiss_stale_approvals": p.DismissStale, "ignore_stale_approvals": p.IgnoreStale, "require_signed_commits": false, "protected_file_patterns": "",
		"unprotected_file_patterns": "", "created_at": stamp(r.CreatedAt), "updated_at": stamp(r.UpdatedAt),
	}
	if s.forgejo {
		out["apply_to_admins"] = p.EnforceAdmins
		return out
	}
	maps.Copy(out, j{
		"priority": 1, "enable_force_push": false, "enable_force_push_allowlist": false, "force_push_allowlist_usernames": []string{},
		"force_push_allowlist_teams": []string{}, "force_push_allowlist_deploy_keys": false, "block_admin_merge_override": p.EnforceAdmins,
	})
	return out
}
