package giteaface

import (
	"crypto/md5" //nolint:gosec // an avatar's name, as these products make it
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"primum/forges/sim"
)

// shaper writes Gitea's JSON of the forge's things. It lives as long as its View.
type shaper struct {
	v       *sim.View
	web     string // without a slash at the end
	forgejo bool
	me      *sim.Account // who reads; nil in payloads
	face    *Face
}

func (s shaper) api() string { return s.web + "/api/v1" }

// stamp writes a time as Gitea does: whole seconds.
func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// maybe writes a time, or null if there is none.
func maybe(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

const never = "0001-01-01T00:00:00Z"

func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// account is a user, or the ghost if the account is gone.
func (s shaper) account(id int64) any {
	a := s.v.Account(id)
	if a == nil {
		a = &sim.Account{ID: -1, Login: "Ghost", Emails: []string{"ghost@example.invalid"}}
	}
	return s.user(a)
}

func (s shaper) user(a *sim.Account) j {
	email, host := "", "localhost"
	if u, err := url.Parse(s.web); err == nil {
		host = u.Hostname()
	}
	if a.Kind != sim.Organization {
		email = fmt.Sprintf("%d+%s@noreply.%s", a.ID, strings.ToLower(a.Login), host)
		if s.me != nil && len(a.Emails) > 0 {
			email = a.Emails[0]
		}
	}
	sum := md5.Sum([]byte(a.Login)) //nolint:gosec // as above
	self := s.me != nil && (s.me.ID == a.ID || s.me.SiteAdmin)
	out := j{
		"id": a.ID, "login": a.Login, "login_name": "", "source_id": 0, "full_name": a.Name, "email": email,
		"avatar_url": s.web + "/avatars/" + hex.EncodeToString(sum[:]), "html_url": s.web + "/" + a.Login, "language": "",
		"is_admin": self && a.SiteAdmin, "last_login": never, "created": stamp(a.CreatedAt), "restricted": false,
		"active": self && !a.Suspended, "prohibit_login": self && a.Suspended, "location": "", "website": "", "description": "",
		"visibility": "public", "followers_count": 0, "following_count": 0, "starred_repos_count": 0, "username": a.Login,
	}
	if s.forgejo && !s.face.old() {
		out["pronouns"] = ""
	}
	return out
}

func (s shaper) organization(a *sim.Account) j {
	sum := md5.Sum([]byte(a.Login)) //nolint:gosec // as above
	return j{
		"id": a.ID, "name": a.Login, "full_name": a.Name, "email": "", "avatar_url": s.web + "/avatars/" + hex.EncodeToString(sum[:]),
		"description": "", "website": "", "location": "", "visibility": "public", "repo_admin_change_team_access": true, "username": a.Login,
	}
}

func (s shaper) repoURL(r *sim.Repo) string { return s.api() + "/repos/" + s.v.FullName(r) }
func (s shaper) repoWeb(r *sim.Repo) string { return s.web + "/" + s.v.FullName(r) }

func (s shaper) repo(r *sim.Repo) j { return s.repoFor(r, s.me) }

// repoFor is a repository with the permissions of somebody.
func (s shaper) repoFor(r *sim.Repo, who *sim.Account) j {
	u, web, full := s.repoURL(r), s.repoWeb(r), s.v.FullName(r)
	issues, pulls := 0, 0
	for _, is := range r.Issues {
		switch {
		case is.State != sim.Open:
		case is.Change != nil:
			pulls++
		default:
			issues++
		}
	}
	forks := 0
	for _, other := range s.v.Repos() {
		if other.Parent == r.ID {
			forks++
		}
	}
	may := sim.Read
	if who != nil {
		may = s.v.Permission(r, s.v.Account(who.ID))
	}
	host := "localhost"
	if p, err := url.Parse(s.web); err == nil {
		host = p.Hostname()
	}
	out := j{
		"id": r.ID, "owner": s.account(r.Owner), "name": r.Name, "full_name": full, "description": r.Description, "empty": false,
		"private": r.Private, "fork": r.Parent != 0, "template": false, "mirror": false, "size": 24, "language": "",
		"languages_url": u + "/languages", "html_url": web, "url": u, "link": "", "ssh_url": "git@" + host + ":" + full + ".git",
		"clone_url": web + ".git", "original_url": "", "website": "", "stars_count": 0, "forks_count": forks, "watchers_count": 1,
		"open_issues_count": issues, "open_pr_counter": pulls, "release_counter": 0, "default_branch": r.Default, "archived": false,
		"created_at": stamp(r.CreatedAt), "updated_at": stamp(r.UpdatedAt), "archived_at": "1970-01-01T00:00:00Z",
		"permissions": j{"admin": may.AtLeast(sim.Admin), "push": may.AtLeast(sim.Write), "pull": may.AtLeast(sim.Read)},
		"has_issues":  true, "internal_tracker": j{"enable_time_tracker": true, "allow_only_contributors_to_track_time": true, "enable_issue_dependencies": true},
		"has_wiki": true, "has_pull_requests": true, "has_projects": true, "has_releases": true, "has_packages": false, "has_actions": false,
		"ignore_whitespace_conflicts": false, "allow_merge_commits": true, "allow_rebase": true, "allow_rebase_explicit": true,
		"allow_squash_merge": true, "allow_fast_forward_only_merge": true, "allow_rebase_update": true, "default_delete_branch_after_merge": false,
		"default_merge_style": "merge", "default_allow_maintainer_edit": true, "avatar_url": "", "internal": false, "mirror_interval": "",
		"object_format_name": "sha1", "mirror_updated": never,
	}
	if s.forgejo {
		out["wiki_branch"] = "main"
		out["globally_editable_wiki"] = false
		out["parent"], out["repo_transfer"], out["topics"] = nil, nil, nil
	} else {
		maps.Copy(out, j{
			"branch_count": len(r.Branches), "has_code": true, "projects_mode": "all", "allow_manual_merge": false,
			"autodetect_manual_merge": false, "topics": []string{}, "licenses": []string{},
		})
	}
	if parent := s.v.RepoByID(r.Parent); parent != nil { // forks have no issues of their own
		delete(out, "internal_tracker")
		out["has_issues"] = false
		out["parent"] = s.repoFor(parent, who)
	}
	return out
}

func (s shaper) label(r *sim.Repo, name string) j {
	l := s.v.Label(r, name)
	return j{
		"id": l.ID, "name": l.Name, "exclusive": strings.Contains(l.Name, "/"), "is_archived": false, "color": strings.TrimPrefix(l.Color, "#"),
		"description": "", "url": fmt.Sprintf("%s/labels/%d", s.repoURL(r), l.ID),
	}
}

func (s shaper) labels(r *sim.Repo, names []string) []any {
	names = slices.Sorted(slices.Values(names))
	out := []any{}
	for _, n := range names {
		out = append(out, s.label(r, n))
	}
	return out
}

func (s shaper) milestone(r *sim.Repo, title string) any {
	i := slices.IndexFunc(r.Milestones, func(m *sim.Milestone) bool { return m.Title == title })
	if title == "" || i < 0 {
		return nil
	}
	open, closed := 0, 0
	for _, is := range r.Issues {
		if is.Milestone == title {
			if is.State == sim.Open {
				open++
			} else {
				closed++
			}
		}
	}
	m := r.Milestones[i]
	return j{
		"id": m.ID, "title": m.Title, "description": "", "state": "open", "open_issues": open, "closed_issues": closed,
		"created_at": stamp(r.CreatedAt), "updated_at": stamp(r.CreatedAt), "closed_at": nil, "due_on": nil,
	}
}

// page of an issue or change that people open.
func (s shaper) issueWeb(r *sim.Repo, is *sim.Issue) string {
	kind := "issues"
	if is.Change != nil {
		kind = "pulls"
	}
	return fmt.Sprintf("%s/%s/%d", s.repoWeb(r), kind, is.Number)
}

func (s shaper) issue(r *sim.Repo, is *sim.Issue) j {
	out := j{
		"id": is.ID, "url": fmt.Sprintf("%s/issues/%d", s.repoURL(r), is.Number), "html_url": s.issueWeb(r, is), "number": is.Number,
		"user": s.account(is.Author), "original_author": "", "original_author_id": 0, "title": is.Title, "body": is.Body, "ref": "",
		"assets": []any{}, "labels": s.labels(r, is.Labels), "milestone": s.milestone(r, is.Milestone), "assignee": nil, "assignees": nil,
		"state": string(is.State), "is_locked": false, "comments": len(is.Comments), "created_at": stamp(is.CreatedAt),
		"updated_at": stamp(is.UpdatedAt), "closed_at": maybe(is.ClosedAt), "due_date": nil, "pull_request": nil,
		"repository": j{"id": r.ID, "name": r.Name, "owner": s.ownerLogin(r), "full_name": s.v.FullName(r)}, "pin_order": 0,
	}
	if is.Change != nil {
		pull := j{"merged": is.Change.Merged, "merged_at": maybe(is.Change.MergedAt), "draft": is.Change.Draft, "html_url": s.issueWeb(r, is)}
		if s.face.old() {
			delete(pull, "html_url")
		}
		out["pull_request"] = pull
	}
	if !s.forgejo {
		out["time_estimate"], out["content_version"] = 0, max(len(is.Edits)-1, 0)
	}
	return out
}

func (s shaper) ownerLogin(r *sim.Repo) string {
	if o := s.v.Account(r.Owner); o != nil {
		return o.Login
	}
	return "ghost"
}

func (s shaper) comment(r *sim.Repo, is *sim.Issue, c *sim.Comment) j {
	web := s.issueWeb(r, is)
	out := j{
		"id": c.ID, "html_url": fmt.Sprintf("%s#issuecomment-%d", web, c.ID), "pull_request_url": "", "issue_url": web,
		"user": s.account(c.Author), "original_author": "", "original_author_id": 0, "body": c.Body, "assets": []any{},
		"created_at": stamp(c.CreatedAt), "updated_at": stamp(c.UpdatedAt),
	}
	if is.Change != nil {
		out["pull_request_url"], out["issue_url"] = web, ""
	}
	return out
}

func (s shaper) reaction(re sim.Reaction) j {
	return j{"user": s.account(re.Author), "content": re.Content, "created_at": stamp(re.At)}
}

// reviewers are those who were asked for a review, or gave one.
func (s shaper) reviewers(c *sim.Change) []any {
	var ids []int64
	for _, rv := range c.Reviews {
		if !slices.Contains(ids, rv.Author) {
			ids = append(ids, rv.Author)
		}
	}
	for _, id := range c.Requested {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	out := []any{}
	for _, id := range ids {
		if s.v.Account(id) != nil {
			out = append(out, s.account(id))
		}
	}
	return out
}

func (s shaper) pull(r *sim.Repo, is *sim.Issue) j {
	c := is.Change
	web := s.issueWeb(r, is)
	baseTip := r.Branches[c.Base]
	if c.Merged && baseTip == "" {
		baseTip = c.BaseSHA
	}
	headRepo := s.v.RepoByID(c.HeadRepo)
	var head any
	if headRepo != nil {
		head = s.repo(headRepo)
	}
	ref := c.HeadBranch
	if headRepo == nil || headRepo.Branches[c.HeadBranch] == "" {
		ref = fmt.Sprintf("refs/pull/%d/head", is.Number)
	}
	files := s.v.ChangeFiles(r, c, true)
	added, removed := 0, 0
	for _, d := range files {
		added, removed = added+d.Additions, removed+d.Deletions
	}
	mergeable := c.Merged || (!c.Draft && !s.v.Conflicts(r, c))
	var mergeSHA, mergedBy any
	if c.Merged {
		mergeSHA, mergedBy = c.MergeSHA, s.account(c.MergedBy)
	}
	out := j{
		"id": is.ID, "url": web, "number": is.Number, "user": s.account(is.Author), "title": is.Title, "body": is.Body,
		"labels": s.labels(r, is.Labels), "milestone": s.milestone(r, is.Milestone), "assignee": nil, "assignees": []any{},
		"requested_reviewers": s.reviewers(c), "state": string(is.State), "is_locked": false, "comments": len(is.Comments),
		"html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch", "mergeable": mergeable, "merged": c.Merged,
		"merged_at": maybe(c.MergedAt), "merge_commit_sha": mergeSHA, "merged_by": mergedBy, "allow_maintainer_edit": true,
		"base":       j{"label": c.Base, "ref": c.Base, "sha": baseTip, "repo_id": r.ID, "repo": s.repo(r)},
		"head":       j{"label": c.HeadBranch, "ref": ref, "sha": c.Head, "repo_id": c.HeadRepo, "repo": head},
		"merge_base": s.v.ChangeBase(r, c), "due_date": nil, "created_at": stamp(is.CreatedAt), "updated_at": stamp(is.UpdatedAt),
		"closed_at": maybe(is.ClosedAt), "pin_order": 0,
	}
	out["additions"], out["deletions"], out["changed_files"], out["requested_reviewers_teams"] = added, removed, len(files), []any{}
	if !s.face.old() {
		out["draft"] = c.Draft
	}
	if s.forgejo {
		out["review_comments"], out["assignees"], out["requested_reviewers_teams"] = len(c.Reviews), nil, nil
		return out
	}
	out["content_version"] = max(len(is.Edits)-1, 0)
	if len(c.Reviews) > 0 {
		out["review_comments"] = len(c.Reviews)
	}
	return out
}

// listed is a change as lists show it: without what a diff would tell.
func (s shaper) listed(r *sim.Repo, is *sim.Issue) j {
	out := s.pull(r, is)
	if s.forgejo {
		return out
	}
	for _, key := range []string{"additions", "deletions", "changed_files"} {
		delete(out, key)
	}
	out["assignees"], out["requested_reviewers_teams"] = nil, nil
	return out
}

// reviewState is a review's state in Gitea's words, dismissed or not.
func reviewState(rv *sim.Review) string {
	st := rv.State
	if st == sim.Dismissed {
		st = rv.WasState
	}
	switch st {
	case sim.Approved:
		return "APPROVED"
	case sim.ChangesRequested:
		return "REQUEST_CHANGES"
	case sim.Commented, sim.Dismissed:
	}
	return "COMMENT"
}

// official reports whether a review counts: an opinion of somebody with write
// that he did not replace since.
func (s shaper) official(r *sim.Repo, is *sim.Issue, rv *sim.Review) bool {
	if reviewState(rv) == "COMMENT" || !s.v.Permission(r, s.v.Account(rv.Author)).AtLeast(sim.Write) {
		return false
	}
	for _, later := range slices.Backward(is.Change.Reviews) {
		if later == rv {
			break
		}
		if later.Author == rv.Author && reviewState(later) != "COMMENT" {
			return false
		}
	}
	return true
}

// review is a review as first posted: what is edited afterwards is its text in
// the conversation, which the list of reviews never shows.
func (s shaper) review(r *sim.Repo, is *sim.Issue, rv *sim.Review) j {
	web := s.issueWeb(r, is)
	changed := rv.SubmittedAt
	if rv.DismissedAt.After(changed) {
		changed = rv.DismissedAt
	}
	return j{
		"id": rv.ID, "user": s.account(rv.Author), "team": nil, "state": reviewState(rv), "body": rv.Edits[0].Text, "commit_id": rv.Commit,
		"stale": rv.Stale, "official": s.official(r, is, rv), "dismissed": rv.State == sim.Dismissed, "comments_count": len(rv.Notes),
		"submitted_at": stamp(rv.SubmittedAt), "updated_at": stamp(changed), "html_url": fmt.Sprintf("%s#issuecomment-%d", web, rv.Text),
		"pull_request_url": web,
	}
}

// requestedReview is the entry an unanswered request has in the list of reviews.
func (s shaper) requestedReview(r *sim.Repo, is *sim.Issue, who int64) j {
	web := s.issueWeb(r, is)
	return j{
		"id": who, "user": s.account(who), "team": nil, "state": "REQUEST_REVIEW", "body": "", "commit_id": "", "stale": false,
		"official": s.v.Permission(r, s.v.Account(who)).AtLeast(sim.Write), "dismissed": false, "comments_count": 0,
		"submitted_at": stamp(is.CreatedAt), "updated_at": stamp(is.CreatedAt), "html_url": "", "pull_request_url": web,
	}
}

func (s shaper) reviewComment(r *sim.Repo, is *sim.Issue, n sim.ReviewComment, resolver int64) j {
	web := s.issueWeb(r, is)
	var by any
	if resolver != 0 {
		by = s.account(resolver)
	}
	return j{
		"id": n.ID, "body": n.Body, "user": s.account(n.Author), "resolver": by, "pull_request_review_id": n.Review,
		"created_at": stamp(n.CreatedAt), "updated_at": stamp(n.UpdatedAt), "path": n.Path, "commit_id": n.Commit, "original_commit_id": "",
		"diff_hunk": "", "position": n.Line, "original_position": 0, "html_url": fmt.Sprintf("%s#issuecomment-%d", web, n.ID), "pull_request_url": web,
	}
}

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
