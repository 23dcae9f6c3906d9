package gitlabface_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"primum/forges/sim"
	"primum/forges/sim/gitlabface"
)

// TestTiers: what a tier lacks is missing or forbidden.
func TestTiers(t *testing.T) {
	t.Parallel()
	const paths = 4
	for tierName, want := range map[string][paths]int{
		gitlabface.Free:     {404, 404, 404, 200},
		gitlabface.Premium:  {403, 200, 200, 200},
		gitlabface.Ultimate: {200, 200, 200, 200},
	} {
		t.Run(tierName, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, tier(tierName))
			for i, path := range [paths]string{project + "/external_status_checks", project + "/approval_rules", "groups/acme/hooks", project + "/hooks"} {
				if got := r.call(alexToken, http.MethodGet, path, nil).status; got != want[i] {
					t.Errorf("%s answers %d, want %d", path, got, want[i])
				}
			}
			r.put(alexToken, project, body{"only_allow_merge_if_all_status_checks_passed": true})
			set := r.get(project).at("only_allow_merge_if_all_status_checks_passed")
			if (set == any(true)) != (tierName == gitlabface.Ultimate) || (set == nil) != (tierName != gitlabface.Ultimate) {
				t.Errorf("the setting is %v", set)
			}
		})
	}
}

// TestTokens: who gets in, and how far.
func TestTokens(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n, head := r.open("rate")
	r.face.AddToken("reads", "primum", "read_api")
	r.face.AddToken("itself", "primum", "read_user")
	r.face.AddToken("files", "primum", "read_repository")
	r.face.AddToken("revoked", "primum", "api")
	r.face.Revoke("revoked")
	r.face.AddToken("old", "primum", "api")
	r.face.Expire("old", r.now())
	r.face.AddToken("blocked", "jonas", "api")
	r.world.SuspendUser("jonas", true)
	note := fmt.Sprintf("%s/merge_requests/%d/notes", project, n)
	for _, c := range []struct {
		token, method, path string
		body                any
		status              int
		says                string
	}{
		{"", http.MethodGet, "user", nil, 401, "401 Unauthorized"},
		{"nobody's", http.MethodGet, "user", nil, 401, "401 Unauthorized"},
		{"revoked", http.MethodGet, "user", nil, 401, "Token was revoked"},
		{"old", http.MethodGet, "user", nil, 401, "Token is expired"},
		{"blocked", http.MethodGet, "user", nil, 403, "Your account has been blocked"},
		{"reads", http.MethodGet, project, nil, 200, ""},
		{"reads", http.MethodPost, note, body{"body": "x"}, 403, `"scope":"api"`},
		{"reads", http.MethodPost, project + "/statuses/" + head, body{"state": "success"}, 403, "insufficient_scope"},
		{"itself", http.MethodGet, "user", nil, 200, `"username":"primum"`},
		{"itself", http.MethodGet, project, nil, 403, "insufficient_scope"},
		{"itself", http.MethodGet, "personal_access_tokens/self", nil, 200, `"scopes":["read_user"]`},
		{"files", http.MethodGet, project + "/repository/files/README.md?ref=main", nil, 200, `"encoding":"base64"`},
		{"files", http.MethodGet, project + "/merge_requests", nil, 403, "insufficient_scope"},
		{botToken, http.MethodGet, "projects/acme%2Fnone", nil, 404, "404 Project Not Found"},
		{botToken, http.MethodGet, "groups/none", nil, 404, "404 Group Not Found"},
	} {
		r.want(r.call(c.token, c.method, c.path, c.body), c.status, c.says)
	}
}

// TestRateLimits: headers of a limit that is not spent, and of each kind that is.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.get("user").header
	equal(t, "limit", first.Get("RateLimit-Limit"), "2000")
	equal(t, "remaining", first.Get("RateLimit-Remaining"), "1999")
	for kind, want := range map[sim.Limit]string{sim.LimitPrimary: "90", gitlabface.LimitApplication: ""} {
		r.world.SetFaults(func(f *sim.Faults) { f.LimitedUntil, f.Limit = r.now().Add(90*time.Second), kind })
		a := r.get("user")
		equal(t, "status", a.status, http.StatusTooManyRequests)
		equal(t, "retry after", a.header.Get("Retry-After"), want)
	}
	r.advance(2 * time.Minute)
	equal(t, "status after it", r.get("user").status, http.StatusOK)
}

// TestPaging: pages of a size, the headers of each, and keyset paging.
func TestPaging(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mara := r.world.As("mara")
	for i := range 45 {
		_, err := mara.OpenIssue("acme/pump", fmt.Sprint("Issue ", i), "")
		r.ok(err)
	}
	for _, c := range []struct {
		query, page, next, prev, pages, link string
		items                                int
	}{
		{"", "1", "2", "", "3", `rel="next"`, 20},
		{"?page=3", "3", "", "2", "3", `rel="prev"`, 5},
		{"?per_page=45", "1", "", "", "1", `rel="last"`, 45},
		{"?per_page=500", "1", "", "", "1", `per_page=100`, 45},
		{"?page=9", "9", "", "8", "3", `rel="first"`, 0},
	} {
		a := r.get(project + "/issues" + c.query)
		list, _ := a.body.([]any)
		h := a.header
		equal(t, c.query+" items", len(list), c.items)
		equal(t, c.query+" X-Page", h.Get("X-Page"), c.page)
		equal(t, c.query+" X-Next-Page", h.Get("X-Next-Page"), c.next)
		equal(t, c.query+" X-Prev-Page", h.Get("X-Prev-Page"), c.prev)
		equal(t, c.query+" X-Total", h.Get("X-Total"), "45")
		equal(t, c.query+" X-Total-Pages", h.Get("X-Total-Pages"), c.pages)
		equal(t, c.query+" Link has "+c.link, strings.Contains(h.Get("Link"), c.link), true)
	}
	for i := range 4 {
		r.world.AddRepo(fmt.Sprint("acme/extra-", i), sim.RepoOptions{By: "alex"})
	}
	seen := 0
	for path := "projects?pagination=keyset&order_by=id&per_page=2"; path != ""; {
		a := r.get(path)
		list, _ := a.body.([]any)
		seen += len(list)
		equal(t, "X-Page of keyset paging", a.header.Get("X-Page"), "")
		link := a.header.Get("Link")
		path = strings.TrimPrefix(strings.TrimSuffix(link, `>; rel="next"`), "<")
	}
	equal(t, "projects by keyset", seen, 5)
}

// TestProjectsMove: a former name leads to the project for reading calls, and
// nothing is written through it.
func TestProjectsMove(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n, head := r.open("rate")
	r.ok(r.world.As("alex").RenameRepo("acme/pump", "drip"))
	a := r.get(fmt.Sprintf("%s/merge_requests/%d?render_html=true", project, n))
	equal(t, "status", a.status, http.StatusMovedPermanently)
	to := a.header.Get("Location")
	if !strings.HasPrefix(to, r.url+"/api/v4/projects/") || !strings.HasSuffix(to, fmt.Sprintf("/merge_requests/%d?render_html=true", n)) {
		t.Errorf("leads to %s", to)
	}
	r.want(r.post(botToken, project+"/statuses/"+head, body{"state": "success"}), http.StatusMethodNotAllowed, "Non GET methods are not allowed for moved projects")
	r.want(r.get("projects/acme%2Fdrip"), http.StatusOK, `"path_with_namespace":"acme/drip"`)
}

// TestProjectsInSubgroups: addresses of more than two parts.
func TestProjectsInSubgroups(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *gitlabface.Options) { o.Below = map[string]string{"acme/pump": "firmware"} })
	r.want(r.get("projects/acme%2Ffirmware%2Fpump"), http.StatusOK, `"path_with_namespace":"acme/firmware/pump"`, `"full_path":"acme/firmware"`)
	equal(t, "by GraphQL", r.post(botToken, "/api/graphql", body{"query": `{ project(fullPath: "acme/firmware/pump") { fullPath } }`}).at("data.project.fullPath"), any("acme/firmware/pump"))
	count := func(path string) int { list, _ := r.get(path).body.([]any); return len(list) }
	equal(t, "projects of the group", count("groups/acme/projects"), 0)
	equal(t, "with those of subgroups", count("groups/acme/projects?include_subgroups=true"), 1)
	equal(t, "projects of the subgroup", count("groups/acme%2Ffirmware/projects"), 1)
	r.open("rate")
	last := r.hooks()
	p, _ := last[len(last)-1].body["project"].(map[string]any)
	equal(t, "in webhooks", p["path_with_namespace"], any("acme/firmware/pump"))
}

// TestMembers: who is in a group by which way, and at what level in a project.
func TestMembers(t *testing.T) {
	t.Parallel()
	names := func(r *rig, path string) string {
		a := r.get(path)
		r.want(a, http.StatusOK)
		list, _ := a.body.([]any)
		var out []string
		for i := range list {
			out = append(out, fmt.Sprintf("%v:%v", a.at(fmt.Sprintf("[%d].username", i)), a.at(fmt.Sprintf("[%d].access_level", i))))
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		name, path, want string
		options          []func(*gitlabface.Options)
	}{
		{"put into the group", "groups/acme%2Ffirmware/members", "mara:30 jonas:30", nil},
		{"by invited groups", "groups/acme%2Fengineering/members/all", "mara:30 jonas:30 priya:30", nil},
		{"not by invited groups", "groups/acme%2Fengineering/members", "", nil},
		{"of the group above it too", "groups/acme%2Ffirmware/members/all", "alex:50 mara:30 jonas:30 primum:40", []func(*gitlabface.Options){func(o *gitlabface.Options) { o.OwnersAbove = true }}},
		{"nested groups", "groups/acme%2Fengineering%2Ffirmware/members/all", "mara:30 jonas:30", []func(*gitlabface.Options){func(o *gitlabface.Options) { o.NestTeams = true }}},
		{"of the project", project + "/members/all", "alex:50 mara:30 chen:30 jonas:30 priya:30 primum:40", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			equal(t, "members", names(newRig(t, c.options...), c.path), c.want)
		})
	}
	r := newRig(t)
	sam := r.get("users?username=sam").at("[0].id")
	r.want(r.get(fmt.Sprintf("%s/members/all/%v", project, sam)), http.StatusNotFound)
	r.want(r.post(botToken, project+"/members", body{"user_id": sam, "access_level": 30}), http.StatusCreated, `"access_level":30`)
	r.want(r.post(botToken, project+"/members", body{"user_id": sam, "access_level": 30}), http.StatusConflict, "Member already exists")
	r.want(r.post(botToken, "groups/acme/members", body{"user_id": sam, "access_level": 30}), http.StatusForbidden)
	r.want(r.post(alexToken, "groups/acme/members", body{"user_id": sam, "access_level": 40}), http.StatusCreated)
	equal(t, "members of the group", names(r, "groups/acme/members"), "sam:40")
	equal(t, "invited to engineering", r.get("groups/acme%2Fengineering").at("shared_with_groups[0].group_full_path"), any("acme/firmware"))
}
