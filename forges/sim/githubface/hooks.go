package githubface

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"primum/forges/sim"
)

// happened turns what happened in the forge into the webhook GitHub would send
// to the app. It runs while the forge stands still, so that a payload shows the
// state of its moment.
func (t *Face) happened(v *sim.View, h sim.Happening) {
	t.mu.Lock()
	o := t.o
	t.mu.Unlock()
	app := v.AppBySlug(o.App)
	if app == nil {
		return
	}
	s := t.shaper(v)
	in := h.Installation
	switch {
	case in != nil:
		if in.App != app.ID {
			return
		}
	case h.Repo != nil:
		in = v.InstallationFor(app.ID, h.Repo)
		if in == nil && h.Was["owner"] != "" { // transferred out of our reach
			if old := v.AccountByLogin(h.Was["owner"]); old != nil {
				in = accountInstallation(v, app.ID, old.ID)
			}
		}
	case h.Owner != nil:
		in = accountInstallation(v, app.ID, h.Owner.ID)
	}
	if in == nil || (in.Suspended && h.Kind != sim.InstallationHappened) {
		return
	}
	event, payload := s.payload(h, app)
	always := h.Kind == sim.InstallationHappened || h.Kind == sim.InstalledReposHappened
	if event == "" || (!always && !slices.Contains(in.Events, event)) {
		return
	}
	sender := j{}
	if h.Actor != nil {
		sender = s.user(h.Actor)
	}
	payload["sender"] = sender
	if always {
		payload["installation"] = s.installation(in)
	} else {
		payload["installation"] = j{"id": in.ID, "node_id": nodeID("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u", in.ID)}
	}
	if h.Repo != nil && payload["repository"] == nil {
		payload["repository"] = s.repo(h.Repo)
	}
	if h.Owner != nil && h.Owner.Kind == sim.Organization && !always {
		payload["organization"] = s.organization(h.Owner)
	}
	raw, err := json.Marshal(payload)
	if err != nil { // every value is made here
		panic("githubface: payload is not JSON: " + err.Error())
	}
	const most = 25 << 20 // GitHub does not send larger ones
	if len(raw) > most {
		return
	}
	var repo int64
	if h.Repo != nil {
		repo = h.Repo.ID
	}
	action, _ := payload["action"].(string)
	t.post.put(&delivery{event: event, action: action, installation: in.ID, repo: repo, app: app.ID, body: raw, at: h.At})
}

func accountInstallation(v *sim.View, app, account int64) *sim.Installation {
	for _, in := range v.Installations(app) {
		if in.Account == account {
			return in
		}
	}
	return nil
}

// payload is the event's name and what is particular to it; "" if GitHub sends
// this app nothing.
func (s shaper) payload(h sim.Happening, app *sim.App) (event string, body j) {
	body = j{"action": h.Action}
	switch h.Kind {
	case sim.ChangeHappened:
		return s.changePayload(h, body)
	case sim.ReviewHappened:
		body["review"] = s.review(h.Repo, h.Issue, h.Review, true)
		body["pull_request"] = s.pull(h.Repo, h.Issue, false)
		if h.Action == "edited" {
			body["changes"] = was(h, "body")
		}
		return "pull_request_review", body
	case sim.ReviewCommentHappened:
		body["comment"] = s.reviewComment(h.Repo, h.Issue, h.ReviewNote)
		body["pull_request"] = s.pull(h.Repo, h.Issue, false)
		return "pull_request_review_comment", body
	case sim.ThreadHappened:
		notes := []any{}
		for i := range h.Thread.Notes {
			notes = append(notes, s.reviewComment(h.Repo, h.Issue, &h.Thread.Notes[i]))
		}
		body["thread"] = j{"node_id": nodeID("PRRT", h.Thread.ID), "comments": notes}
		body["pull_request"] = s.pull(h.Repo, h.Issue, false)
		body["updated_at"] = stamp(h.At)
		return "pull_request_review_thread", body
	case sim.IssueHappened:
		return s.issuePayload(h, body)
	case sim.CommentHappened:
		body["issue"] = s.issue(h.Repo, h.Issue)
		body["comment"] = s.comment(h.Repo, h.Issue, h.Comment)
		if h.Action == "edited" {
			body["changes"] = was(h, "body")
		}
		return "issue_comment", body
	case sim.PushHappened:
		return "push", s.pushPayload(h)
	case sim.CheckRunHappened:
		// Asking again and buttons go to the app that owns the run alone.
		if (h.Action == "rerequested" || h.Action == "requested_action") && h.CheckRun.App != app.ID {
			return "", nil
		}
		run := s.checkRun(h.Repo, h.CheckRun)
		run["check_suite"] = s.suite(h.Repo, h.Suite)
		body["check_run"] = run
		if h.Button != "" {
			body["requested_action"] = j{"identifier": h.Button}
		}
		return "check_run", body
	case sim.CheckSuiteHappened:
		if h.Action == "rerequested" && h.Suite.App != app.ID {
			return "", nil
		}
		suite := s.suite(h.Repo, h.Suite)
		suite["latest_check_runs_count"], suite["check_runs_url"] = 1, fmt.Sprint(suite["url"])+"/check-runs"
		suite["head_commit"] = nil
		if c := s.v.Commit(h.Suite.SHA); c != nil {
			suite["head_commit"] = s.simpleCommit(c)
		}
		body["check_suite"] = suite
		return "check_suite", body
	case sim.StatusHappened:
		return "status", s.statusPayload(h)
	case sim.CandidateHappened:
		c := h.Candidate
		body["merge_group"] = j{
			"head_sha": c.Head, "head_ref": c.Ref, "base_sha": c.Base, "base_ref": "refs/heads/" + c.Branch,
			"head_commit": s.simpleCommit(s.v.Commit(c.Head)),
		}
		if h.Action == "destroyed" {
			body["reason"] = h.Reason
		}
		return "merge_group", body
	case sim.ReactionHappened, sim.RequestHappened:
		return "", nil // GitHub tells of no reaction; that a review is asked for decides nothing here and is left out
	case sim.LabelHappened:
		body["label"] = s.label(h.Repo, h.Label.Name)
		body["label"].(j)["id"] = h.Label.ID //nolint:forcetypeassert // just made
		return "label", body
	case sim.RepoHappened:
		switch h.Action {
		case "renamed":
			body["changes"] = j{"repository": j{"name": j{"from": h.Was["name"]}}}
		case "transferred":
			from := j{}
			if old := s.v.AccountByLogin(h.Was["owner"]); old != nil {
				if old.Kind == sim.Organization {
					from["organization"] = s.organization(old)
				} else {
					from["user"] = s.user(old)
				}
			}
			body["changes"] = j{"owner": j{"from": from}}
		}
		return "repository", body
	case sim.ProtectionHappened:
		body["rule"] = s.rule(h)
		if h.Action == "edited" {
			body["changes"] = j{}
		}
		return "branch_protection_rule", body
	case sim.MemberHappened:
		body["member"] = s.user(h.Member)
		if h.Action == "edited" {
			body["changes"] = j{"old_permission": j{"from": h.Was["permission"]}}
		}
		return "member", body
	case sim.MembershipHappened:
		body["scope"], body["member"], body["team"] = "team", s.user(h.Member), s.team(h.Team)
		return "membership", body
	case sim.OrgMemberHappened:
		u := s.api + "/orgs/" + h.Owner.Login
		body["membership"] = j{
			"url": u + "/memberships/" + h.Member.Login, "state": "active", "role": "member", "organization_url": u, "user": s.user(h.Member),
		}
		return "organization", body
	case sim.TeamHappened:
		body["team"] = s.team(h.Team)
		if h.Action == "edited" {
			body["changes"] = was(h, "name")
		}
		return "team", body
	case sim.InstallationHappened:
		body["repositories"] = s.shortRepos(h.Repos)
		if h.Action == "created" {
			body["requester"] = nil
		}
		return "installation", body
	case sim.InstalledReposHappened:
		body["repository_selection"], body["requester"] = "selected", nil
		body["repositories_added"], body["repositories_removed"] = []any{}, []any{}
		body["repositories_"+h.Action] = s.shortRepos(h.Repos)
		return "installation_repositories", body
	}
	return "", nil
}

// was writes former values as webhooks do.
func was(h sim.Happening, names ...string) j {
	out := j{}
	for _, n := range names {
		if v, ok := h.Was[n]; ok {
			out[n] = j{"from": v}
		}
	}
	return out
}

func (s shaper) shortRepos(all []*sim.Repo) []any {
	out := []any{}
	for _, r := range all {
		out = append(out, j{"id": r.ID, "node_id": nodeID("R", r.ID), "name": r.Name, "full_name": s.v.FullName(r), "private": r.Private})
	}
	return out
}

func (s shaper) changePayload(h sim.Happening, body j) (string, j) {
	body["number"] = h.Issue.Number
	body["pull_request"] = s.pull(h.Repo, h.Issue, true)
	switch h.Action {
	case "synchronize":
		body["before"], body["after"] = h.Was["before"], h.Issue.Change.Head
	case "edited":
		changes := was(h, "title", "body")
		if base, ok := h.Was["base"]; ok {
			changes["base"] = j{"ref": j{"from": base}, "sha": j{"from": h.Was["base_sha"]}}
		}
		body["changes"] = changes
	case "labeled", "unlabeled":
		body["label"] = s.label(h.Repo, h.Label.Name)
	case "milestoned":
		body["milestone"] = s.milestone(h.Repo, h.Issue.Milestone)
	case "demilestoned":
		body["milestone"] = s.noMilestone(h)
	case "dequeued":
		body["reason"] = queueReason(h.Reason)
	}
	return "pull_request", body
}

// queueReason is why a change left the queue, in GitHub's words.
func queueReason(ours string) string {
	if ours == "INVALIDATED" {
		return "CI_FAILURE"
	}
	return "MANUAL"
}

func (s shaper) issuePayload(h sim.Happening, body j) (string, j) {
	body["issue"] = s.issue(h.Repo, h.Issue)
	switch h.Action {
	case "edited":
		body["changes"] = was(h, "title", "body")
	case "labeled", "unlabeled":
		body["label"] = s.label(h.Repo, h.Label.Name)
	case "milestoned":
		body["milestone"] = s.milestone(h.Repo, h.Issue.Milestone)
	case "demilestoned":
		body["milestone"] = s.noMilestone(h)
	case "typed":
		body["type"] = s.issueType(h.Issue.Type)
	}
	return "issues", body
}

// noMilestone stands for the one an issue was taken out of.
func (s shaper) noMilestone(h sim.Happening) any {
	if len(h.Repo.Milestones) == 0 {
		return nil
	}
	return s.milestone(h.Repo, h.Repo.Milestones[0].Title)
}

func (s shaper) simpleCommit(c *sim.Commit) any {
	if c == nil {
		return nil
	}
	return j{
		"id": c.SHA, "tree_id": c.Tree, "message": c.Message, "timestamp": stamp(c.Author.At),
		"author":    j{"name": c.Author.Name, "email": c.Author.Email},
		"committer": j{"name": c.Committer.Name, "email": c.Committer.Email},
	}
}

func (s shaper) pushPayload(h sim.Happening) j {
	p := h.Push
	const most = 2048 // commits GitHub lists in a push
	commits := []any{}
	listed := p.Commits[max(len(p.Commits)-most, 0):]
	for _, c := range listed {
		commits = append(commits, s.pushCommit(h.Repo, c))
	}
	var head any
	if c := s.v.Commit(p.After); c != nil {
		head = s.pushCommit(h.Repo, c)
	}
	repo := s.repo(h.Repo)
	// In pushes, and only there, these are numbers.
	repo["created_at"], repo["pushed_at"] = h.Repo.CreatedAt.Unix(), h.Repo.PushedAt.Unix()
	repo["stargazers"], repo["master_branch"] = 0, h.Repo.Default
	pusher := j{"name": "none"}
	if h.Actor != nil {
		pusher = j{"name": h.Actor.Login, "email": nil}
		if len(h.Actor.Emails) > 0 {
			pusher["email"] = h.Actor.Emails[0]
		}
	}
	if o := s.v.Account(h.Repo.Owner); o != nil {
		owner := s.user(o)
		owner["name"], owner["email"] = o.Login, nil
		repo["owner"] = owner
		if o.Kind == sim.Organization {
			repo["organization"] = o.Login
		}
	}
	return j{
		"ref": p.Ref, "before": p.Before, "after": p.After, "repository": repo, "pusher": pusher,
		"created": p.Before == sim.NoCommit, "deleted": p.After == sim.NoCommit, "forced": p.Forced, "base_ref": nil,
		"compare": fmt.Sprintf("%s/compare/%.12s...%.12s", s.repoWeb(h.Repo), p.Before, p.After), "commits": commits, "head_commit": head,
	}
}

func (s shaper) pushCommit(r *sim.Repo, c *sim.Commit) j {
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
	return j{
		"id": c.SHA, "tree_id": c.Tree, "distinct": true, "message": c.Message, "timestamp": stamp(c.Committer.At),
		"url": s.repoWeb(r) + "/commit/" + c.SHA, "author": s.pushUser(c.Author), "committer": s.pushUser(c.Committer),
		"added": added, "removed": removed, "modified": modified,
	}
}

func (s shaper) pushUser(i sim.Ident) j {
	out := j{"name": i.Name, "email": i.Email, "date": stamp(i.At)}
	if a := s.v.AccountOfEmail(i.Email); a != nil {
		out["username"] = a.Login
	}
	return out
}

func (s shaper) statusPayload(h sim.Happening) j {
	st := h.Status
	branches := []any{}
	for _, name := range slices.Sorted(maps.Keys(h.Repo.Branches)) {
		if sha := h.Repo.Branches[name]; sha == st.SHA {
			branches = append(branches, j{"name": name, "commit": j{"sha": sha, "url": s.repoURL(h.Repo) + "/commits/" + sha}, "protected": h.Repo.Protection[name] != nil})
		}
	}
	return j{
		"id": st.ID, "sha": st.SHA, "name": s.v.FullName(h.Repo), "avatar_url": nil, "target_url": orNil(st.TargetURL), "context": st.Context,
		"description": orNil(st.Description), "state": st.State, "commit": s.commit(h.Repo, s.v.Commit(st.SHA)), "branches": branches,
		"created_at": stamp(st.At), "updated_at": stamp(st.At),
	}
}

func (s shaper) rule(h sim.Happening) j {
	p := h.Protection
	level := func(on bool) string {
		switch {
		case !on:
			return "off"
		case p.EnforceAdmins:
			return "everyone"
		}
		return "non_admins"
	}
	checks := []string{}
	for _, c := range p.Checks {
		checks = append(checks, c.Name)
	}
	now := stamp(h.At)
	return j{
		"id": h.Repo.ID, "repository_id": h.Repo.ID, "name": h.Branch, "created_at": now, "updated_at": now,
		"pull_request_reviews_enforcement_level": level(p.Approvals > 0), "required_approving_review_count": p.Approvals,
		"dismiss_stale_reviews_on_push": p.DismissStale, "require_code_owner_review": false, "authorized_dismissal_actors_only": false,
		"ignore_approvals_from_contributors": false, "required_status_checks": checks,
		"required_status_checks_enforcement_level": level(len(checks) > 0), "strict_required_status_checks_policy": p.UpToDate,
		"signature_requirement_enforcement_level": "off", "linear_history_requirement_enforcement_level": "off",
		"lock_branch_enforcement_level": "off", "admin_enforced": p.EnforceAdmins, "allow_force_pushes_enforcement_level": "off",
		"allow_deletions_enforcement_level": "off", "merge_queue_enforcement_level": level(p.MergeQueue),
		"required_deployments_enforcement_level": "off", "required_conversation_resolution_level": level(p.ResolveThreads),
		"authorized_actors_only": false, "authorized_actor_names": []string{}, "create_protected": false,
	}
}

// delivery is one webhook on its way.
type delivery struct {
	id           int64
	guid         string
	event        string
	action       string
	installation int64
	repo         int64
	app          int64
	body         []byte
	at           time.Time
	again        bool // asked for again
	status       int  // HTTP status; 0 if there was no answer
	took         time.Duration
}

func (d *delivery) statusText() string {
	switch {
	case d.status == 0:
		return "failed to connect to host"
	case d.status/100 == 2:
		return "OK"
	}
	return strings.TrimSpace(fmt.Sprintf("Invalid HTTP Response: %d", d.status))
}
