package giteaface

import (
	"crypto/md5" //nolint:gosec // an avatar's name, as these products make it
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
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

func (s shaper) ownerLogin(r *sim.Repo) string {
	if o := s.v.Account(r.Owner); o != nil {
		return o.Login
	}
	return "ghost"
}
