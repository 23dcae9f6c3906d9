package githubface

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"primum/forges/sim"
)

// shaper writes GitHub's JSON of the forge's things. It lives as long as its View.
type shaper struct {
	v   *sim.View
	api string // without a slash at the end
	web string
}

func (t *Face) shaper(v *sim.View) shaper {
	api, web := t.urls()
	return shaper{v: v, api: api, web: web}
}

// nodeID is a global id as GitHub's look: a kind, and what only the forge reads.
func nodeID(kind string, id int64) string {
	return kind + "_" + base64.RawURLEncoding.EncodeToString([]byte(kind+":"+strconv.FormatInt(id, 10)))
}

// parseNodeID reads a global id.
func parseNodeID(s string) (kind string, id int64, ok bool) {
	kind, raw, ok := strings.Cut(s, "_")
	if !ok {
		return "", 0, false
	}
	text, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil {
		return "", 0, false
	}
	k, number, _ := strings.Cut(string(text), ":")
	id, err = strconv.ParseInt(number, 10, 64)
	return kind, id, err == nil && k == kind
}

// stamp writes a time as GitHub does: UTC, whole seconds.
func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// maybe writes a time, or null if there is none.
func maybe(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// account is a simple user, or null if the account is gone.
func (s shaper) account(id int64) any {
	a := s.v.Account(id)
	if a == nil {
		return nil
	}
	return s.user(a)
}

func (s shaper) user(a *sim.Account) j {
	u := s.api + "/users/" + a.Login
	web := s.web + "/" + a.Login
	if a.App != 0 {
		web = s.web + "/apps/" + strings.TrimSuffix(a.Login, "[bot]")
	}
	return j{
		"login": a.Login, "id": a.ID, "node_id": userNode(a), "avatar_url": s.web + "/avatars/" + strconv.FormatInt(a.ID, 10),
		"gravatar_id": "", "url": u, "html_url": web, "followers_url": u + "/followers",
		"following_url": u + "/following{/other_user}", "gists_url": u + "/gists{/gist_id}",
		"starred_url": u + "/starred{/owner}{/repo}", "subscriptions_url": u + "/subscriptions",
		"organizations_url": u + "/orgs", "repos_url": u + "/repos", "events_url": u + "/events{/privacy}",
		"received_events_url": u + "/received_events", "type": string(a.Kind), "site_admin": false,
	}
}

func userNode(a *sim.Account) string {
	switch a.Kind {
	case sim.Bot:
		return nodeID("BOT", a.ID)
	case sim.Organization:
		return nodeID("O", a.ID)
	case sim.User:
	}
	return nodeID("U", a.ID)
}

func (s shaper) organization(a *sim.Account) j {
	u := s.api + "/orgs/" + a.Login
	return j{
		"login": a.Login, "id": a.ID, "node_id": userNode(a), "url": u, "repos_url": u + "/repos", "events_url": u + "/events",
		"hooks_url": u + "/hooks", "issues_url": u + "/issues", "members_url": u + "/members{/member}",
		"public_members_url": u + "/public_members{/member}", "avatar_url": s.web + "/avatars/" + strconv.FormatInt(a.ID, 10),
		"description": "",
	}
}

func (s shaper) repoURL(r *sim.Repo) string { return s.api + "/repos/" + s.v.FullName(r) }
func (s shaper) repoWeb(r *sim.Repo) string { return s.web + "/" + s.v.FullName(r) }

// repo is a repository with everything any of GitHub's shapes of one asks for.
func (s shaper) repo(r *sim.Repo) j {
	u, web, full := s.repoURL(r), s.repoWeb(r), s.v.FullName(r)
	open := 0
	for _, is := range r.Issues {
		if is.State == sim.Open {
			open++
		}
	}
	visibility := "public"
	if r.Private {
		visibility = "private"
	}
	out := j{
		"id": r.ID, "node_id": nodeID("R", r.ID), "name": r.Name, "full_name": full, "private": r.Private,
		"owner": s.account(r.Owner), "html_url": web, "description": orNil(r.Description), "fork": r.Parent != 0, "url": u,
		"git_url": "git:" + strings.TrimPrefix(strings.TrimPrefix(web, "https:"), "http:") + ".git",
		"ssh_url": "git@" + hostOf(s.web) + ":" + full + ".git", "clone_url": web + ".git", "svn_url": web,
		"homepage": nil, "language": nil, "license": nil, "mirror_url": nil, "archived": false, "disabled": false,
		"default_branch": r.Default, "forks": 0, "forks_count": 0, "open_issues": open, "open_issues_count": open,
		"size": 1, "stargazers_count": 0, "watchers": 0, "watchers_count": 0, "network_count": 0, "subscribers_count": 0,
		"has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false, "has_downloads": true,
		"has_discussions": false, "is_template": false, "topics": []string{}, "visibility": visibility,
		"allow_forking": true, "web_commit_signoff_required": false,
		"created_at": stamp(r.CreatedAt), "updated_at": stamp(r.UpdatedAt), "pushed_at": stamp(r.PushedAt),
	}
	for name, tail := range repoLinks() {
		out[name+"_url"] = u + tail
	}
	return out
}

// repoLinks are the addresses below a repository's own.
func repoLinks() map[string]string {
	return map[string]string{
		"archive": "/{archive_format}{/ref}", "assignees": "/assignees{/user}", "blobs": "/git/blobs{/sha}",
		"branches": "/branches{/branch}", "collaborators": "/collaborators{/collaborator}", "comments": "/comments{/number}",
		"commits": "/commits{/sha}", "compare": "/compare/{base}...{head}", "contents": "/contents/{+path}",
		"contributors": "/contributors", "deployments": "/deployments", "downloads": "/downloads", "events": "/events",
		"forks": "/forks", "git_commits": "/git/commits{/sha}", "git_refs": "/git/refs{/sha}", "git_tags": "/git/tags{/sha}",
		"hooks": "/hooks", "issue_comment": "/issues/comments{/number}", "issue_events": "/issues/events{/number}",
		"issues": "/issues{/number}", "keys": "/keys{/key_id}", "labels": "/labels{/name}", "languages": "/languages",
		"merges": "/merges", "milestones": "/milestones{/number}", "notifications": "/notifications{?since,all,participating}",
		"pulls": "/pulls{/number}", "releases": "/releases{/id}", "stargazers": "/stargazers", "statuses": "/statuses/{sha}",
		"subscribers": "/subscribers", "subscription": "/subscription", "tags": "/tags", "teams": "/teams", "trees": "/git/trees{/sha}",
	}
}

func hostOf(u string) string {
	_, rest, _ := strings.Cut(u, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

func (s shaper) label(r *sim.Repo, name string) j {
	l := s.v.Label(r, name)
	return j{
		"id": l.ID, "node_id": nodeID("LA", l.ID), "url": s.repoURL(r) + "/labels/" + strings.ReplaceAll(name, " ", "%20"),
		"name": name, "color": l.Color, "default": false, "description": "",
	}
}

func (s shaper) labels(r *sim.Repo, names []string) []any {
	out := []any{}
	for _, n := range names {
		out = append(out, s.label(r, n))
	}
	return out
}

func (s shaper) milestone(r *sim.Repo, title string) any {
	for _, m := range r.Milestones {
		if m.Title != title {
			continue
		}
		u := s.repoURL(r) + "/milestones/" + strconv.Itoa(m.Number)
		return j{
			"url": u, "html_url": s.repoWeb(r) + "/milestone/" + strconv.Itoa(m.Number), "labels_url": u + "/labels", "id": m.ID,
			"node_id": nodeID("MI", m.ID), "number": m.Number, "title": title, "description": "", "creator": s.account(r.Owner),
			"open_issues": 0, "closed_issues": 0, "state": "open", "created_at": stamp(r.CreatedAt), "updated_at": stamp(r.CreatedAt),
			"due_on": nil, "closed_at": nil,
		}
	}
	return nil
}

// association is how an author stands to a repository.
func (s shaper) association(r *sim.Repo, id int64) string {
	owner := s.v.Account(r.Owner)
	switch {
	case r.Owner == id:
		return "OWNER"
	case owner != nil && owner.Kind == sim.Organization:
		if _, in := owner.Members[id]; in {
			return "MEMBER"
		}
	}
	if _, in := r.Collaborators[id]; in {
		return "COLLABORATOR"
	}
	for _, is := range r.Issues {
		if is.Change != nil && is.Change.Merged && is.Author == id {
			return "CONTRIBUTOR"
		}
	}
	return "NONE"
}

func (s shaper) reactions(of string, all []sim.Reaction) j {
	out := j{"url": of + "/reactions", "total_count": len(all)}
	for _, kind := range []string{"+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"} {
		n := 0
		for _, re := range all {
			if re.Content == kind {
				n++
			}
		}
		out[kind] = n
	}
	return out
}

// issue is an issue, or a change seen as one.
func (s shaper) issue(r *sim.Repo, is *sim.Issue) j {
	u := s.repoURL(r) + "/issues/" + strconv.Itoa(is.Number)
	web := s.issueWeb(r, is)
	out := j{
		"url": u, "repository_url": s.repoURL(r), "labels_url": u + "/labels{/name}", "comments_url": u + "/comments",
		"events_url": u + "/events", "timeline_url": u + "/timeline", "html_url": web, "id": is.ID, "node_id": nodeID("I", is.ID),
		"number": is.Number, "title": is.Title, "user": s.account(is.Author), "labels": s.labels(r, is.Labels),
		"state": string(is.State), "locked": false, "assignee": nil, "assignees": []any{}, "milestone": s.milestone(r, is.Milestone),
		"comments": len(is.Comments), "created_at": stamp(is.CreatedAt), "updated_at": stamp(is.UpdatedAt),
		"closed_at": maybe(is.ClosedAt), "author_association": s.association(r, is.Author), "active_lock_reason": nil,
		"body": orNil(is.Body), "reactions": s.reactions(u, is.Reactions), "performed_via_github_app": nil,
		"state_reason": orNil(is.Reason),
	}
	if is.Type != "" {
		out["type"] = s.issueType(is.Type)
	}
	if c := is.Change; c != nil {
		out["node_id"] = nodeID("PR", is.ID)
		out["draft"] = c.Draft
		out["state_reason"] = nil
		out["pull_request"] = j{
			"url": s.pullURL(r, is), "html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch", "merged_at": maybe(c.MergedAt),
		}
	}
	return out
}

func (s shaper) issueType(name string) j {
	return j{
		"id": 1, "node_id": nodeID("IT", 1), "name": name, "description": nil, "color": "red", "is_enabled": true,
		"created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z",
	}
}

func (s shaper) issueWeb(r *sim.Repo, is *sim.Issue) string {
	if is.Change != nil {
		return fmt.Sprintf("%s/pull/%d", s.repoWeb(r), is.Number)
	}
	return fmt.Sprintf("%s/issues/%d", s.repoWeb(r), is.Number)
}

func (s shaper) pullURL(r *sim.Repo, is *sim.Issue) string {
	return fmt.Sprintf("%s/pulls/%d", s.repoURL(r), is.Number)
}

func (s shaper) commentWeb(r *sim.Repo, is *sim.Issue, id int64) string {
	return fmt.Sprintf("%s#issuecomment-%d", s.issueWeb(r, is), id)
}

func (s shaper) comment(r *sim.Repo, is *sim.Issue, c *sim.Comment) j {
	u := fmt.Sprintf("%s/issues/comments/%d", s.repoURL(r), c.ID)
	return j{
		"url": u, "html_url": s.commentWeb(r, is, c.ID), "issue_url": fmt.Sprintf("%s/issues/%d", s.repoURL(r), is.Number),
		"id": c.ID, "node_id": nodeID("IC", c.ID), "user": s.account(c.Author), "created_at": stamp(c.CreatedAt),
		"updated_at": stamp(c.UpdatedAt), "author_association": s.association(r, c.Author), "body": c.Body,
		"reactions": s.reactions(u, c.Reactions), "performed_via_github_app": s.viaApp(c.Author),
	}
}

// viaApp is the app that acts as an account, or null.
func (s shaper) viaApp(id int64) any {
	if a := s.v.Account(id); a != nil && a.App != 0 {
		return s.app(s.v.App(a.App))
	}
	return nil
}

func (s shaper) app(a *sim.App) any {
	if a == nil {
		return nil
	}
	return j{
		"id": a.ID, "slug": a.Slug, "node_id": nodeID("A", a.ID), "client_id": fmt.Sprintf("Iv1.%08x", a.ID), "owner": s.account(a.Owner),
		"name": a.Name, "description": "", "external_url": s.web + "/apps/" + a.Slug, "html_url": s.web + "/apps/" + a.Slug,
		"created_at": stamp(a.CreatedAt), "updated_at": stamp(a.CreatedAt),
		"permissions": j{"metadata": "read", "checks": "write", "contents": "read", "issues": "write"},
		"events":      []string{"pull_request", "issues"},
	}
}

// side is the head or base of a change.
func (s shaper) side(repo int64, name, sha string) j {
	out := j{"label": name, "ref": name, "sha": sha, "user": nil, "repo": nil}
	if r := s.v.RepoByID(repo); r != nil {
		out["user"], out["repo"] = s.account(r.Owner), s.repo(r)
		if a := s.v.Account(r.Owner); a != nil {
			out["label"] = a.Login + ":" + name
		}
	}
	return out
}

// pull is a change. full adds what lists leave out.
func (s shaper) pull(r *sim.Repo, is *sim.Issue, full bool) j {
	c := is.Change
	u, web := s.pullURL(r, is), s.issueWeb(r, is)
	issue := fmt.Sprintf("%s/issues/%d", s.repoURL(r), is.Number)
	out := j{
		"url": u, "id": is.ID, "node_id": nodeID("PR", is.ID), "html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch",
		"issue_url": issue, "number": is.Number, "state": string(is.State), "locked": false, "title": is.Title,
		"user": s.account(is.Author), "body": orNil(is.Body), "created_at": stamp(is.CreatedAt), "updated_at": stamp(is.UpdatedAt),
		"closed_at": maybe(is.ClosedAt), "merged_at": maybe(c.MergedAt), "merge_commit_sha": orNil(c.MergeSHA),
		"assignee": nil, "assignees": []any{}, "requested_reviewers": []any{}, "requested_teams": []any{},
		"labels": s.labels(r, is.Labels), "milestone": s.milestone(r, is.Milestone), "draft": c.Draft,
		"commits_url": u + "/commits", "review_comments_url": u + "/comments", "review_comment_url": s.repoURL(r) + "/pulls/comments{/number}",
		"comments_url": issue + "/comments", "statuses_url": s.repoURL(r) + "/statuses/" + c.Head,
		"head": s.side(c.HeadRepo, c.HeadBranch, c.Head), "base": s.side(r.ID, c.Base, c.BaseSHA),
		"_links": j{
			"self": j{"href": u}, "html": j{"href": web}, "issue": j{"href": issue}, "comments": j{"href": issue + "/comments"},
			"review_comments": j{"href": u + "/comments"}, "review_comment": j{"href": s.repoURL(r) + "/pulls/comments{/number}"},
			"commits": j{"href": u + "/commits"}, "statuses": j{"href": s.repoURL(r) + "/statuses/" + c.Head},
		},
		"author_association": s.association(r, is.Author), "auto_merge": nil, "active_lock_reason": nil,
	}
	if !full {
		return out
	}
	files := s.v.ChangeFiles(r, c, true)
	added, deleted := 0, 0
	for _, d := range files {
		added, deleted = added+d.Additions, deleted+d.Deletions
	}
	notes := 0
	for _, t := range c.Threads {
		notes += len(t.Notes)
	}
	out["merged"], out["merged_by"] = c.Merged, s.account(c.MergedBy)
	out["mergeable"], out["rebaseable"], out["mergeable_state"] = nil, nil, "unknown"
	out["comments"], out["review_comments"], out["maintainer_can_modify"] = len(is.Comments), notes, false
	out["commits"], out["additions"], out["deletions"], out["changed_files"] = len(s.v.ChangeCommits(r, c)), added, deleted, len(files)
	return out
}

// review is a review. hook writes the state as webhooks do, in lower case.
func (s shaper) review(r *sim.Repo, is *sim.Issue, rv *sim.Review, hook bool) j {
	web := fmt.Sprintf("%s#pullrequestreview-%d", s.issueWeb(r, is), rv.ID)
	state := string(rv.State)
	if hook {
		state = strings.ToLower(state)
	}
	out := j{
		"id": rv.ID, "node_id": nodeID("PRR", rv.ID), "user": s.account(rv.Author), "body": rv.Body, "commit_id": rv.Commit,
		"submitted_at": stamp(rv.SubmittedAt), "state": state, "html_url": web, "pull_request_url": s.pullURL(r, is),
		"author_association": s.association(r, rv.Author),
		"_links":             j{"html": j{"href": web}, "pull_request": j{"href": s.pullURL(r, is)}},
	}
	if hook {
		out["body"] = orNil(rv.Body)
		out["updated_at"] = stamp(rv.UpdatedAt)
	}
	return out
}

func (s shaper) reviewComment(r *sim.Repo, is *sim.Issue, n *sim.ReviewComment) j {
	u := fmt.Sprintf("%s/pulls/comments/%d", s.repoURL(r), n.ID)
	web := fmt.Sprintf("%s#discussion_r%d", s.issueWeb(r, is), n.ID)
	return j{
		"url": u, "pull_request_review_id": n.Review, "id": n.ID, "node_id": nodeID("PRRC", n.ID),
		"diff_hunk": "@@ -1 +1 @@", "path": n.Path, "position": n.Line, "original_position": n.Line, "commit_id": n.Commit,
		"original_commit_id": n.Commit, "user": s.account(n.Author), "body": n.Body, "created_at": stamp(n.CreatedAt),
		"updated_at": stamp(n.UpdatedAt), "html_url": web, "pull_request_url": s.pullURL(r, is),
		"author_association": s.association(r, n.Author), "start_line": nil, "original_start_line": nil, "start_side": nil,
		"line": n.Line, "original_line": n.Line, "side": "RIGHT", "subject_type": "line", "reactions": s.reactions(u, nil),
		"_links": j{"self": j{"href": u}, "html": j{"href": web}, "pull_request": j{"href": s.pullURL(r, is)}},
	}
}

// pullsOf are the open changes of this repository with this head, as checks name them.
func (s shaper) pullsOf(r *sim.Repo, sha string) []any {
	out := []any{}
	for _, is := range s.v.Changes(r) {
		c := is.Change
		if is.State != sim.Open || c.Head != sha || c.HeadRepo != r.ID { // forks' pushes are not seen
			continue
		}
		repo := j{"id": r.ID, "url": s.repoURL(r), "name": r.Name}
		out = append(out, j{
			"url": s.pullURL(r, is), "id": is.ID, "number": is.Number,
			"head": j{"ref": c.HeadBranch, "sha": c.Head, "repo": repo}, "base": j{"ref": c.Base, "sha": c.BaseSHA, "repo": repo},
		})
	}
	return out
}

func (s shaper) checkRun(r *sim.Repo, run *sim.CheckRun) j {
	u := fmt.Sprintf("%s/check-runs/%d", s.repoURL(r), run.ID)
	web := fmt.Sprintf("%s/runs/%d", s.repoWeb(r), run.ID)
	details := run.DetailsURL
	if details == "" {
		details = web
	}
	return j{
		"id": run.ID, "node_id": nodeID("CR", run.ID), "name": run.Name, "head_sha": run.SHA, "external_id": run.ExternalID,
		"url": u, "html_url": web, "details_url": details, "status": run.Status, "conclusion": orNil(run.Conclusion),
		"started_at": stamp(run.StartedAt), "completed_at": maybe(run.CompletedAt),
		"output": j{
			"title": orNil(run.Title), "summary": orNil(run.Summary), "text": orNil(run.Text),
			"annotations_count": len(run.Annotations), "annotations_url": u + "/annotations",
		},
		"check_suite": j{"id": run.Suite}, "app": s.app(s.v.App(run.App)), "pull_requests": s.pullsOf(r, run.SHA),
	}
}

func (s shaper) suite(r *sim.Repo, su *sim.CheckSuite) j {
	status, conclusion, runs := "queued", any(nil), 0
	for _, run := range s.v.NewestChecks(r, su.SHA) {
		if run.App != su.App {
			continue
		}
		runs++
		status = "completed"
		if run.Status != "completed" {
			status, conclusion = "in_progress", nil
			break
		}
		if conclusion == nil || conclusion == "success" {
			conclusion = run.Conclusion
		}
	}
	u := fmt.Sprintf("%s/check-suites/%d", s.repoURL(r), su.ID)
	return j{
		"id": su.ID, "node_id": nodeID("CS", su.ID), "head_branch": orNil(su.Branch), "head_sha": su.SHA, "status": status,
		"conclusion": conclusion, "url": u, "before": nil, "after": su.SHA, "pull_requests": s.pullsOf(r, su.SHA),
		"app": s.app(s.v.App(su.App)), "created_at": stamp(su.CreatedAt), "updated_at": stamp(su.UpdatedAt),
	}
}

func (s shaper) status(r *sim.Repo, st *sim.Status) j {
	return j{
		"url": s.repoURL(r) + "/statuses/" + st.SHA, "avatar_url": s.web + "/avatars/" + strconv.FormatInt(st.Creator, 10), "id": st.ID,
		"node_id": nodeID("SC", st.ID), "state": st.State, "description": orNil(st.Description), "target_url": orNil(st.TargetURL),
		"context": st.Context, "created_at": stamp(st.At), "updated_at": stamp(st.At), "creator": s.account(st.Creator),
	}
}

// commit is a commit as REST has it.
func (s shaper) commit(r *sim.Repo, c *sim.Commit) j {
	u, web := s.repoURL(r)+"/commits/"+c.SHA, s.repoWeb(r)+"/commit/"+c.SHA
	parents := []any{}
	for _, p := range c.Parents {
		parents = append(parents, j{"sha": p, "url": s.repoURL(r) + "/commits/" + p, "html_url": s.repoWeb(r) + "/commit/" + p})
	}
	reason := c.Signature.Reason
	if reason == "" {
		reason = map[bool]string{true: "valid", false: "unsigned"}[c.Signature.Valid]
	}
	return j{
		"sha": c.SHA, "node_id": gitNode("C", r, c.SHA), "url": u, "html_url": web, "comments_url": u + "/comments",
		"commit": j{
			"author": gitUser(c.Author), "committer": gitUser(c.Committer), "message": c.Message, "comment_count": 0, "url": s.repoURL(r) + "/git/commits/" + c.SHA,
			"tree":         j{"sha": c.Tree, "url": s.repoURL(r) + "/git/trees/" + c.Tree},
			"verification": j{"verified": c.Signature.Valid, "reason": reason, "signature": nil, "payload": nil, "verified_at": nil},
		},
		"author": s.byEmail(c.Author.Email), "committer": s.byEmail(c.Committer.Email), "parents": parents,
	}
}

func (s shaper) byEmail(email string) any {
	if a := s.v.AccountOfEmail(email); a != nil {
		return s.user(a)
	}
	return nil
}

func gitUser(i sim.Ident) j { return j{"name": i.Name, "email": i.Email, "date": stamp(i.At)} }

// gitNode is the global id of an object, which belongs to a repository.
func gitNode(kind string, r *sim.Repo, oid string) string {
	return kind + "_" + base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(r.ID, 10)+":"+oid))
}

// diffEntry is one file of a comparison.
func (s shaper) diffEntry(r *sim.Repo, d sim.FileDiff, sha string) j {
	const mostPatch = 512 << 10 // beyond this GitHub leaves the patch out
	out := j{
		"sha": d.OID, "filename": d.Path, "status": string(d.Status), "additions": d.Additions, "deletions": d.Deletions,
		"changes": d.Additions + d.Deletions, "blob_url": s.repoWeb(r) + "/blob/" + sha + "/" + escapePath(d.Path),
		"raw_url": s.repoWeb(r) + "/raw/" + sha + "/" + escapePath(d.Path), "contents_url": s.repoURL(r) + "/contents/" + escapePath(d.Path) + "?ref=" + sha,
	}
	if d.Previous != "" {
		out["previous_filename"] = d.Previous
	}
	if d.Patch != "" && len(d.Patch) <= mostPatch {
		out["patch"] = d.Patch
	}
	return out
}

func (s shaper) installation(in *sim.Installation) j {
	owner := s.v.Account(in.Account)
	app := s.v.App(in.App)
	out := j{
		"id": in.ID, "account": s.account(in.Account), "app_id": in.App, "app_slug": "", "target_id": in.Account, "target_type": "User",
		"repository_selection": "selected", "permissions": permissionsOf(in), "events": append([]string{}, in.Events...),
		"access_tokens_url": fmt.Sprintf("%s/app/installations/%d/access_tokens", s.api, in.ID),
		"repositories_url":  s.api + "/installation/repositories", "html_url": fmt.Sprintf("%s/settings/installations/%d", s.web, in.ID),
		"created_at": stamp(in.CreatedAt), "updated_at": stamp(in.UpdatedAt), "single_file_name": nil,
		"has_multiple_single_files": false, "single_file_paths": []string{}, "suspended_by": nil, "suspended_at": nil,
	}
	if app != nil {
		out["app_slug"] = app.Slug
	}
	if owner != nil {
		out["target_type"] = string(owner.Kind)
	}
	if in.All {
		out["repository_selection"] = "all"
	}
	if in.Suspended {
		out["suspended_by"], out["suspended_at"] = s.account(in.Account), stamp(in.SuspendedAt)
	}
	return out
}

func permissionsOf(in *sim.Installation) j {
	out := j{}
	for k, v := range in.Permissions {
		out[k] = v
	}
	return out
}

func (s shaper) team(t *sim.Team) j {
	org := s.v.Account(t.Org)
	login := "gone"
	if org != nil {
		login = org.Login
	}
	u := fmt.Sprintf("%s/organizations/%d/team/%d", s.api, t.Org, t.ID)
	out := j{
		"id": t.ID, "node_id": nodeID("T", t.ID), "name": t.Name, "slug": t.Slug, "description": "", "privacy": "closed",
		"notification_setting": "notifications_enabled", "permission": "pull", "url": u, "html_url": s.web + "/orgs/" + login + "/teams/" + t.Slug,
		"members_url": u + "/members{/member}", "repositories_url": u + "/repos", "parent": nil,
		"type": "organization", "organization_id": t.Org,
	}
	if p := s.v.TeamByID(t.Parent); p != nil {
		parent := s.team(p)
		delete(parent, "parent")
		out["parent"] = parent
	}
	return out
}
