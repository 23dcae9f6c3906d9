package gitlabface

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"primum/forges/sim"
)

// shaper writes the forge's things as GitLab shows them. It is valid as long as
// its view is.
type shaper struct {
	t   *Face
	v   *sim.View
	o   Options
	api string
	web string
}

func (t *Face) shaper(v *sim.View) shaper {
	o := t.options()
	return shaper{t: t, v: v, o: o, api: o.APIURL, web: o.WebURL}
}

// stamp writes a time as REST answers do, to the millisecond.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// hookTime writes a time as webhooks do.
func hookTime(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

// maybe is the time, or null for none.
func maybe(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return stamp(at)
}

func hookMaybe(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return hookTime(at)
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// user is an account in short, as most answers show it.
func (s shaper) user(a *sim.Account) any {
	if a == nil {
		return nil
	}
	return s.basic(a)
}

func (s shaper) basic(a *sim.Account) j {
	state := "active"
	if a.Suspended {
		state = "blocked"
	}
	return j{
		"id": a.ID, "username": a.Login, "name": s.name(a), "state": state, "locked": false,
		"avatar_url": s.avatar(a), "web_url": s.web + "/" + a.Login,
	}
}

func (s shaper) name(a *sim.Account) string {
	if a.Name == "" {
		return a.Login
	}
	return a.Name
}

func (s shaper) avatar(a *sim.Account) string {
	return fmt.Sprintf("%s/uploads/-/system/user/avatar/%d/avatar.png", s.web, a.ID)
}

func (s shaper) account(id int64) any { return s.user(s.v.Account(id)) }

// ghost stands for an account that is gone.
func (s shaper) ghost() j {
	return j{
		"id": int64(1), "username": "ghost", "name": "Ghost User", "state": "active", "locked": false,
		"avatar_url": s.web + "/uploads/-/system/user/avatar/1/avatar.png", "web_url": s.web + "/ghost",
	}
}

// author is an account that wrote something: it cannot be missing.
func (s shaper) author(id int64) j {
	if a := s.v.Account(id); a != nil {
		return s.basic(a)
	}
	return s.ghost()
}

// wholeUser is an account as /users shows it.
func (s shaper) wholeUser(a *sim.Account, self bool) j {
	out := s.basic(a)
	for _, k := range []string{"bio", "location", "skype", "linkedin", "twitter", "discord", "website_url", "organization", "job_title", "pronouns", "work_information", "local_time", "public_email"} {
		out[k] = ""
	}
	out["work_information"], out["local_time"], out["public_email"] = nil, nil, nil
	out["created_at"], out["bot"] = stamp(a.CreatedAt), a.Kind == sim.Bot
	out["followers"], out["following"], out["is_followed"] = 0, 0, false
	if self {
		email := ""
		if len(a.Emails) > 0 {
			email = a.Emails[0]
		}
		out["email"], out["commit_email"], out["confirmed_at"] = email, email, stamp(a.CreatedAt)
		out["last_sign_in_at"], out["last_activity_on"], out["current_sign_in_at"] = nil, nil, nil
		out["can_create_group"], out["can_create_project"], out["two_factor_enabled"], out["external"], out["private_profile"] = true, true, true, false, false
		out["identities"], out["theme_id"], out["color_scheme_id"], out["projects_limit"] = []any{}, 1, 1, 100000
		if a.SiteAdmin {
			out["is_admin"] = true
		}
	}
	return out
}

// hookUser is an account in a webhook; addresses nobody made public are hidden.
func (s shaper) hookUser(a *sim.Account) j {
	if a == nil {
		return j{"id": 1, "name": "Ghost User", "username": "ghost", "avatar_url": s.web + "/uploads/-/system/user/avatar/1/avatar.png", "email": "[REDACTED]"}
	}
	return j{"id": a.ID, "name": s.name(a), "username": a.Login, "avatar_url": s.avatar(a), "email": "[REDACTED]"}
}

func visibility(r *sim.Repo) string {
	if r.Private {
		return "private"
	}
	return "public"
}

func visibilityLevel(r *sim.Repo) int {
	if r.Private {
		return 0
	}
	return 20
}

func (s shaper) repoWeb(r *sim.Repo) string { return s.web + "/" + s.path(r) }

func (s shaper) issueWeb(r *sim.Repo, is *sim.Issue) string {
	kind := "issues"
	if is.Change != nil {
		kind = "merge_requests"
	}
	return fmt.Sprintf("%s/-/%s/%d", s.repoWeb(r), kind, s.iid(r, is))
}

// home is the subgroup a project is in, if it is in one.
func (s shaper) home(r *sim.Repo) (group, bool) {
	o := s.v.Account(r.Owner)
	slug := s.o.Below[s.v.FullName(r)]
	if o == nil || slug == "" {
		return group{}, false
	}
	t := s.v.Team(o.ID, slug)
	if t == nil {
		return group{}, false
	}
	return s.teamGroup(o, t), true
}

// path is the full path of a project.
func (s shaper) path(r *sim.Repo) string {
	if g, ok := s.home(r); ok {
		return g.full + "/" + r.Name
	}
	return s.v.FullName(r)
}

// repo finds a project by its full path, or by a former one.
func (s shaper) repo(full string) *sim.Repo {
	for name := range s.o.Below {
		if r := s.v.Repo(name); r != nil && strings.EqualFold(s.path(r), full) {
			return r
		}
	}
	return s.v.Repo(full)
}

func (s shaper) namespace(r *sim.Repo) j {
	if g, ok := s.home(r); ok {
		return j{"id": g.id, "name": g.name, "path": g.path, "kind": "group", "full_path": g.full, "parent_id": g.parent, "avatar_url": nil, "web_url": s.web + "/groups/" + g.full}
	}
	o := s.v.Account(r.Owner)
	if o == nil {
		return j{"id": r.Owner, "name": "ghost", "path": "ghost", "kind": "user", "full_path": "ghost", "parent_id": nil, "avatar_url": nil, "web_url": s.web + "/ghost"}
	}
	kind, web := "user", s.web+"/"+o.Login
	if o.Kind == sim.Organization {
		kind, web = "group", s.web+"/groups/"+o.Login
	}
	return j{"id": o.ID, "name": s.name(o), "path": o.Login, "kind": kind, "full_path": o.Login, "parent_id": nil, "avatar_url": nil, "web_url": web}
}

// project is a project as a Developer or more sees it; me is who looks.
func (s shaper) project(r *sim.Repo, me *sim.Account) j {
	full, web := s.path(r), s.repoWeb(r)
	set := s.t.state.settings(r.ID)
	ns := s.namespace(r)
	open := 0
	for _, is := range s.v.Issues(r) {
		if is.Change == nil && is.State == sim.Open {
			open++
		}
	}
	out := j{
		"id": r.ID, "description": orNil(r.Description), "name": r.Name, "name_with_namespace": fmt.Sprintf("%s / %s", ns["name"], r.Name),
		"path": r.Name, "path_with_namespace": full, "created_at": stamp(r.CreatedAt), "updated_at": stamp(r.UpdatedAt), "default_branch": r.Default,
		"tag_list": []any{}, "topics": []any{}, "ssh_url_to_repo": "git@gitlab.example:" + full + ".git", "http_url_to_repo": web + ".git",
		"web_url": web, "readme_url": web + "/-/blob/" + r.Default + "/README.md", "forks_count": 0, "avatar_url": nil, "star_count": 0,
		"last_activity_at": stamp(r.UpdatedAt), "namespace": ns, "empty_repo": len(r.Branches) == 0, "archived": false,
		"visibility": visibility(r), "issues_enabled": true, "merge_requests_enabled": true, "wiki_enabled": true, "jobs_enabled": true,
		"snippets_enabled": true, "can_create_merge_request_in": true, "issues_access_level": "enabled", "repository_access_level": "enabled",
		"merge_requests_access_level": "enabled", "builds_access_level": "enabled", "creator_id": r.Owner, "open_issues_count": open,
		"public_jobs": true, "shared_with_groups": []any{}, "ci_config_path": "", "autoclose_referenced_issues": true,
		"only_allow_merge_if_pipeline_succeeds":            set.pipeline,
		"allow_merge_on_skipped_pipeline":                  set.skipped,
		"only_allow_merge_if_all_discussions_are_resolved": set.discussions,
		"remove_source_branch_after_merge":                 true, "merge_method": set.method, "squash_option": "default_off", "request_access_enabled": true,
		"_links": j{"self": fmt.Sprintf("%s/api/v4/projects/%d", s.api, r.ID)},
	}
	if s.o.has(Premium) {
		out["approvals_before_merge"] = set.approvals
		out["mirror"], out["merge_pipelines_enabled"], out["merge_trains_enabled"] = false, false, false
	}
	if s.o.has(Ultimate) {
		out["only_allow_merge_if_all_status_checks_passed"] = set.statusChecks
	}
	if p := s.v.RepoByID(r.Parent); p != nil {
		out["forked_from_project"] = s.shortProject(p)
	}
	if me != nil {
		out["permissions"] = s.permissions(r, me)
	}
	return out
}

func (s shaper) permissions(r *sim.Repo, me *sim.Account) j {
	out := j{"project_access": nil, "group_access": nil}
	for _, m := range s.projectMembers(r, false) {
		if m.who.ID == me.ID {
			out["project_access"] = j{"access_level": m.level, "notification_level": 3}
		}
	}
	if o := s.v.Account(r.Owner); o != nil && o.Kind == sim.Organization {
		for _, m := range s.direct(s.topGroup(o)) {
			if m.who.ID == me.ID {
				out["group_access"] = j{"access_level": m.level, "notification_level": 3}
			}
		}
	}
	return out
}

// shortProject is a project as lists with "simple" and forks show it.
func (s shaper) shortProject(r *sim.Repo) j {
	full, web := s.path(r), s.repoWeb(r)
	ns := s.namespace(r)
	return j{
		"id": r.ID, "description": orNil(r.Description), "name": r.Name, "name_with_namespace": fmt.Sprintf("%s / %s", ns["name"], r.Name),
		"path": r.Name, "path_with_namespace": full, "created_at": stamp(r.CreatedAt), "default_branch": r.Default, "tag_list": []any{},
		"topics": []any{}, "ssh_url_to_repo": "git@gitlab.example:" + full + ".git", "http_url_to_repo": web + ".git", "web_url": web,
		"readme_url": nil, "forks_count": 0, "avatar_url": nil, "star_count": 0, "last_activity_at": stamp(r.UpdatedAt), "namespace": ns,
		"visibility": visibility(r),
	}
}

// hookProject is a project in a webhook.
func (s shaper) hookProject(r *sim.Repo) j {
	full, web := s.path(r), s.repoWeb(r)
	ssh := "git@gitlab.example:" + full + ".git"
	return j{
		"id": r.ID, "name": r.Name, "description": orNil(r.Description), "web_url": web, "avatar_url": nil, "git_ssh_url": ssh,
		"git_http_url": web + ".git", "namespace": s.namespace(r)["name"], "visibility_level": visibilityLevel(r), "path_with_namespace": full,
		"default_branch": r.Default, "ci_config_path": "", "homepage": web, "url": ssh, "ssh_url": ssh, "http_url": web + ".git",
	}
}

func (s shaper) hookRepository(r *sim.Repo) j {
	web := s.repoWeb(r)
	return j{"name": r.Name, "url": "git@gitlab.example:" + s.path(r) + ".git", "description": orNil(r.Description), "homepage": web}
}

// labelNames are the labels of an issue in GitLab's order.
func labelNames(all []string) []string {
	out := slices.Clone(all)
	if out == nil {
		out = []string{}
	}
	slices.Sort(out)
	return out
}

func color(l *sim.Label) string { return "#" + strings.TrimPrefix(l.Color, "#") }

// hookLabels are labels in a webhook.
func (s shaper) hookLabels(r *sim.Repo, names []string) []any {
	out := []any{}
	for _, n := range labelNames(names) {
		l := s.v.Label(r, n)
		out = append(out, j{
			"id": l.ID, "title": l.Name, "color": color(l), "project_id": r.ID, "created_at": hookTime(r.CreatedAt), "updated_at": hookTime(r.CreatedAt),
			"template": false, "description": nil, "type": "ProjectLabel", "group_id": nil,
		})
	}
	return out
}

func (s shaper) milestone(r *sim.Repo, title string) any {
	for _, m := range r.Milestones {
		if m.Title == title {
			return j{
				"id": m.ID, "iid": m.Number, "project_id": r.ID, "title": m.Title, "description": "", "state": "active", "created_at": stamp(r.CreatedAt),
				"updated_at": stamp(r.CreatedAt), "due_date": nil, "start_date": nil, "expired": false,
				"web_url": fmt.Sprintf("%s/-/milestones/%d", s.repoWeb(r), m.Number),
			}
		}
	}
	return nil
}

func (s shaper) milestoneID(r *sim.Repo, title string) any {
	for _, m := range r.Milestones {
		if m.Title == title {
			return m.ID
		}
	}
	return nil
}

// issueState is GitLab's word for the state of an issue or merge request.
func issueState(is *sim.Issue) string {
	switch {
	case is.Change != nil && is.Change.Merged:
		return "merged"
	case is.State == sim.Open:
		return "opened"
	}
	return "closed"
}

// references are the ways to name an issue ("#") or merge request ("!").
func (s shaper) references(r *sim.Repo, is *sim.Issue) j {
	sign := "#"
	if is.Change != nil {
		sign = "!"
	}
	short := sign + strconv.Itoa(s.iid(r, is))
	return j{"short": short, "relative": short, "full": s.path(r) + short}
}

func (s shaper) upvotes(is *sim.Issue, name string) int {
	n := 0
	for _, re := range is.Reactions {
		if re.Content == name {
			n++
		}
	}
	return n
}

func timeStats() j {
	return j{"time_estimate": 0, "total_time_spent": 0, "human_time_estimate": nil, "human_total_time_spent": nil}
}

// issue is an issue.
func (s shaper) issue(r *sim.Repo, is *sim.Issue) j {
	web := s.issueWeb(r, is)
	self := fmt.Sprintf("%s/api/v4/projects/%d/issues/%d", s.api, r.ID, s.iid(r, is))
	var closedBy any
	if is.State == sim.Closed {
		closedBy = s.account(is.ClosedBy)
	}
	return j{
		"id": is.ID, "iid": s.iid(r, is), "project_id": r.ID, "title": is.Title, "description": orNil(is.Body), "state": issueState(is),
		"created_at": stamp(is.CreatedAt), "updated_at": stamp(is.UpdatedAt), "closed_at": maybe(is.ClosedAt), "closed_by": closedBy,
		"labels": labelNames(is.Labels), "milestone": s.milestone(r, is.Milestone), "assignees": []any{}, "author": s.author(is.Author),
		"type": "ISSUE", "assignee": nil, "user_notes_count": len(is.Comments), "merge_requests_count": 0, "upvotes": s.upvotes(is, "+1"),
		"downvotes": s.upvotes(is, "-1"), "due_date": nil, "confidential": false, "discussion_locked": nil, "issue_type": "issue",
		"web_url": web, "time_stats": timeStats(), "task_completion_status": j{"count": 0, "completed_count": 0}, "has_tasks": false,
		"_links": j{
			"self": self, "notes": self + "/notes", "award_emoji": self + "/award_emoji",
			"project": fmt.Sprintf("%s/api/v4/projects/%d", s.api, r.ID), "closed_as_duplicate_of": nil,
		},
		"references": s.references(r, is), "severity": "UNKNOWN", "moved_to_id": nil, "imported": false, "imported_from": "none",
		"service_desk_reply_to": nil,
	}
}
