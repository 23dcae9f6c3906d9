package giteaface_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"primum/forges/sim"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/simtest"
)

// desk asks the face as somebody.
type desk struct {
	*testing.T
	*simtest.GiteaRig
	repo string
}

// sit makes a rig with change 1 of mara's, everybody with a token "tok-login".
func sit(t *testing.T, o simtest.GiteaOptions) *desk {
	t.Helper()
	d := &desk{T: t, GiteaRig: simtest.NewGitea(t, o), repo: "/repos/" + simtest.Repo}
	for _, who := range []string{"alex", "mara", "chen", "jonas", "priya", "sam"} {
		d.Face.AddToken("tok-"+who, who)
	}
	d.open("rate", "Rate")
	return d
}

// open opens a change of mara's from a branch of its own.
func (d *desk) open(branch, title string) int {
	d.Helper()
	_, err := d.Forge.As("mara").Push(simtest.Repo, branch, sim.NewCommit{Files: map[string]string{"fw/" + branch + ".c": "int x;\n"}})
	d.ok(err)
	n, err := d.Forge.As("mara").OpenChange(simtest.Repo, sim.NewChange{Title: title, Head: branch})
	d.ok(err)
	return n
}

func (d *desk) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// reply is what the face answered.
type reply struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

// ask asks as somebody: a login, "primum" for the bot, "" for nobody.
func (d *desk) ask(who, method, path, body string) reply {
	d.Helper()
	req, err := http.NewRequestWithContext(d.Context(), method, d.Server.URL+"/api/v1"+path, strings.NewReader(body))
	d.ok(err)
	switch who {
	case "":
	case simtest.Bot:
		req.Header.Set("Authorization", "token "+d.Token)
	default:
		req.Header.Set("Authorization", "Bearer tok-"+who)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	d.ok(err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	d.ok(err)
	return reply{d.T, fmt.Sprintf("%s %s %s %s", who, method, path, body), resp.StatusCode, resp.Header, string(raw)}
}

// says compares the status and a word of the body.
func (r reply) says(status int, word string) {
	r.t.Helper()
	if r.status != status || !strings.Contains(r.body, word) {
		r.t.Errorf("%s answered %d %.300s, want %d with %q", r.what, r.status, r.body, status, word)
	}
}

func (r reply) into(v any) {
	r.t.Helper()
	if r.status/100 != 2 {
		r.t.Fatalf("%s answered %d %.300s", r.what, r.status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		r.t.Fatalf("%s: %v", r.what, err)
	}
}

// TestTheMergeGate is the measured table: which word on the required context lets
// a change through, and what the words amount to.
func TestTheMergeGate(t *testing.T) {
	t.Parallel()
	const refused = "Not all required status checks successful"
	for _, c := range []struct {
		name          string
		states        []string // on the required context, in order
		gitea         string   // combined, "" if it was not looked at
		forgejo       string
		giteaMerges   bool
		forgejoMerges bool
	}{
		{name: "none"},
		{name: "pending", states: []string{"pending"}, gitea: "pending", forgejo: "pending"},
		{name: "failure", states: []string{"failure"}, gitea: "failure", forgejo: "failure"},
		{name: "error", states: []string{"error"}, gitea: "failure", forgejo: "error"},
		{name: "warning", states: []string{"warning"}, gitea: "failure", forgejo: "warning"},
		{name: "skipped", states: []string{"skipped"}, gitea: "success", forgejo: "skipped", giteaMerges: true, forgejoMerges: true},
		{name: "a word nobody knows", states: []string{"neutral"}, forgejoMerges: true},
		{name: "success", states: []string{"success"}, gitea: "success", forgejo: "success", giteaMerges: true, forgejoMerges: true},
		{name: "success then failure", states: []string{"success", "failure"}, gitea: "failure", forgejo: "failure"},
		{name: "failure then success", states: []string{"failure", "success"}, gitea: "success", forgejo: "success", giteaMerges: true, forgejoMerges: true},
	} {
		for _, product := range []string{giteaface.Gitea, giteaface.Forgejo} {
			t.Run(c.name+" on "+product, func(t *testing.T) {
				t.Parallel()
				// An unknown word is not in the description.
				d := sit(t, simtest.GiteaOptions{Product: product, Unchecked: true})
				d.ok(d.Forge.As("alex").Protect(simtest.Repo, "main", &sim.Protection{Checks: []sim.RequiredCheck{{Name: "primum*"}}, Approvals: 1}))
				_, err := d.Forge.As("chen").Approve(simtest.Repo, 1, "")
				d.ok(err)
				head := d.Forge.Tip(simtest.Repo, "rate")
				for i, state := range c.states {
					var st struct {
						ID     int    `json:"id"`
						Status string `json:"status"`
					}
					d.ask(simtest.Bot, "POST", d.repo+"/statuses/"+head, fmt.Sprintf(`{"context":"primum","state":%q}`, state)).into(&st)
					if st.ID != i+1 || st.Status != state {
						t.Errorf("status %+v, want %d %s", st, i+1, state)
					}
				}
				want, merges := c.gitea, c.giteaMerges
				if product == giteaface.Forgejo {
					want, merges = c.forgejo, c.forgejoMerges
				}
				var combined struct {
					State string `json:"state"`
				}
				d.ask(simtest.Bot, "GET", d.repo+"/commits/"+head+"/status", "").into(&combined)
				if want != "" && combined.State != want {
					t.Errorf("combined %q, want %q", combined.State, want)
				}
				r := d.ask("mara", "POST", d.repo+"/pulls/1/merge", `{"do":"merge"}`)
				switch {
				case merges:
					r.says(200, "")
				case product == giteaface.Forgejo:
					r.says(405, "not allowed to merge [reason: "+refused+"]")
				default:
					r.says(405, `"message":"`+refused+`"`)
				}
			})
		}
	}
}

func TestAnyWriterPassesTheGate(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.GiteaOptions{})
	d.ok(d.Forge.As("alex").Protect(simtest.Repo, "main", &sim.Protection{Checks: []sim.RequiredCheck{{Name: "primum"}}}))
	head := d.Forge.Tip(simtest.Repo, "rate")
	status := d.repo + "/statuses/" + head
	d.ask(simtest.Bot, "POST", status, `{"context":"primum","state":"failure"}`).says(201, "")
	d.ask("sam", "POST", status, `{"context":"primum","state":"success"}`).says(403, "permission to write")
	d.ask("mara", "POST", status, `{"context":"other","state":"failure"}`).says(201, "")
	d.ask("mara", "POST", d.repo+"/pulls/1/merge", `{"do":"merge"}`).says(405, "Not all required")
	d.ask("mara", "POST", status, `{"context":"primum","state":"success"}`).says(201, "")
	// Of one second the first of the list is not the newest.
	var list []struct {
		ID      int    `json:"id"`
		Context string `json:"context"`
		Creator struct {
			Login string `json:"login"`
		} `json:"creator"`
	}
	d.ask(simtest.Bot, "GET", d.repo+"/commits/"+head+"/statuses", "").into(&list)
	if len(list) != 3 || list[0].ID != 1 || list[2].Creator.Login != "mara" {
		t.Errorf("statuses %+v", list)
	}
	d.Clock.Advance(2 * time.Second)
	d.ask(simtest.Bot, "POST", status, `{"context":"primum","state":"failure"}`).says(201, "")
	d.ask(simtest.Bot, "GET", d.repo+"/commits/"+head+"/statuses?limit=1", "").into(&list)
	if len(list) != 1 || list[0].ID != 4 {
		t.Errorf("newest first: %+v", list)
	}
	d.ask("mara", "POST", status, `{"context":"primum","state":"success"}`).says(201, "")
	d.ask("mara", "POST", d.repo+"/pulls/1/merge", `{"do":"merge"}`).says(200, "")
}

// TestRefusals asks for what is not done, in the words it is refused with.
func TestRefusals(t *testing.T) {
	t.Parallel()
	// What is asked here is wrong on purpose, so it is not compared.
	d := sit(t, simtest.GiteaOptions{Unchecked: true, Writer: true})
	d.ok(d.Forge.As("alex").Protect(simtest.Repo, "main", &sim.Protection{Checks: []sim.RequiredCheck{{Name: "primum"}}, EnforceAdmins: true}))
	const none = "0000000000000000000000000000000000000001"
	merge := d.repo + "/pulls/1/merge"
	d.ask(simtest.Bot, "POST", d.repo+"/statuses/"+none, `{"state":"success"}`).says(500, `"message":""`)
	d.ask("mara", "POST", d.repo+"/pulls/1/reviews", `{"event":"APPROVED"}`).says(422, "approve your own pull is not allowed")
	d.ask("mara", "POST", merge, `{"do":"merge","force_merge":true}`).says(405, "Not all required")
	d.ask("alex", "POST", merge, `{"do":"merge","force_merge":true}`).says(405, "Not all required")
	d.ask("alex", "PATCH", d.repo+"/branch_protections/main", `{"block_admin_merge_override":false,"required_approvals":1,"block_on_rejected_reviews":true}`).says(200, `"block_admin_merge_override":false`)
	d.ask("alex", "POST", merge, `{"do":"merge"}`).says(405, "Not all required")
	head := d.Forge.Tip(simtest.Repo, "rate")
	d.ask(simtest.Bot, "POST", d.repo+"/statuses/"+head, `{"context":"primum","state":"success"}`).says(201, "")
	d.ask("mara", "POST", merge, `{"do":"merge"}`).says(405, "Does not have enough approvals")
	d.ask("jonas", "POST", d.repo+"/pulls/1/reviews", `{"event":"APPROVED"}`).says(200, "")
	d.ask("chen", "POST", d.repo+"/pulls/1/reviews", `{"event":"REQUEST_CHANGES","body":"no"}`).says(200, `"official":true`)
	d.ask("mara", "POST", merge, `{"do":"merge"}`).says(405, "There are requested changes")
	d.ask("chen", "POST", d.repo+"/pulls/1/reviews", `{"event":"APPROVED"}`).says(200, "")
	d.ask("mara", "PATCH", d.repo+"/pulls/1", `{"title":"wip: Rate"}`).says(201, `"draft":true`)
	d.ask("mara", "POST", merge, `{"do":"merge"}`).says(405, "Work in progress")
	d.ask("mara", "PATCH", d.repo+"/pulls/1", `{"title":"Rate"}`).says(201, `"draft":false`)
	d.ask("mara", "POST", merge, `{"do":"merge","head_commit_id":"`+none+`"}`).says(409, "head out of date")
	d.ask("sam", "POST", merge, `{"do":"merge"}`).says(405, "User not allowed to merge PR")
	d.ask("alex", "POST", merge, `{"do":"merge","force_merge":true}`).says(200, "")
	d.ask("mara", "POST", merge, `{"do":"merge"}`).says(405, "")

	for path, want := range map[string]string{
		"/orgs/acme/hooks":                        "Must be an organization owner",
		d.repo + "/hooks":                         "user should be an owner or a collaborator with admin write of a repository",
		d.repo + "/branch_protections/main":       "user should be an owner or a collaborator with admin write of a repository",
		d.repo + "/collaborators/chen/permission": "Only admins can query all permissions",
	} {
		d.ask(simtest.Bot, "GET", path, "").says(403, want)
	}
	d.ask(simtest.Bot, "GET", d.repo+"/branches/main", "").says(200, `"status_check_contexts":["primum"]`)
	var teams []struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	}
	d.ask(simtest.Bot, "GET", "/orgs/acme/teams", "").into(&teams)
	i := slices.IndexFunc(teams, func(x struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	},
	) bool {
		return x.Name == "qa"
	})
	d.ask(simtest.Bot, "GET", fmt.Sprintf("/teams/%d/members", teams[i].ID), "").says(403, "Must be a team member")
	d.ask("alex", "GET", fmt.Sprintf("/teams/%d/members", teams[i].ID), "").says(200, `"login":"chen"`)
	d.ask(simtest.Bot, "GET", "/orgs/acme/teams/search?q=qa", "").says(200, `"data":[]`)

	issue, err := d.Forge.As("jonas").OpenIssue(simtest.Repo, "waits", "")
	d.ok(err)
	on, err := d.Forge.As("jonas").OpenIssue(simtest.Repo, "first", "")
	d.ok(err)
	d.ask("jonas", "POST", fmt.Sprintf("%s/issues/%d/dependencies", d.repo, issue), fmt.Sprintf(`{"owner":"acme","repo":"pump","index":%d}`, on)).says(201, "")
	d.ask("jonas", "PATCH", fmt.Sprintf("%s/issues/%d", d.repo, issue), `{"state":"closed"}`).says(412, "still has open dependencies")
	d.ask("jonas", "GET", fmt.Sprintf("%s/issues/%d/blocks", d.repo, on), "").says(200, `"title":"waits"`)
	d.ask("mara", "POST", fmt.Sprintf("%s/issues/%d/comments", d.repo, 99), `{"body":"x"}`).says(500, `"message":""`)

	// A conflict is told as if it went away.
	_, err = d.Forge.As("mara").Push(simtest.Repo, "one", sim.NewCommit{Files: map[string]string{"README.md": "# One\n"}})
	d.ok(err)
	_, err = d.Forge.As("mara").Push(simtest.Repo, "two", sim.NewCommit{Files: map[string]string{"README.md": "# Two\n"}})
	d.ok(err)
	d.ok(d.Forge.As("alex").Protect(simtest.Repo, "main", nil))
	one, err := d.Forge.As("mara").OpenChange(simtest.Repo, sim.NewChange{Title: "one", Head: "one"})
	d.ok(err)
	two, err := d.Forge.As("mara").OpenChange(simtest.Repo, sim.NewChange{Title: "two", Body: fmt.Sprintf("closes #%d", issue), Head: "two"})
	d.ok(err)
	d.ask("mara", "POST", fmt.Sprintf("%s/pulls/%d/merge", d.repo, one), `{"Do":"squash"}`).says(200, "")
	d.ask("mara", "GET", fmt.Sprintf("%s/pulls/%d", d.repo, two), "").says(200, `"mergeable":false`)
	d.ask("mara", "POST", fmt.Sprintf("%s/pulls/%d/merge", d.repo, two), `{"Do":"merge"}`).says(405, "Please try again later")
}

func TestAnOpenDependencyKeepsAnIssueOpen(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.GiteaOptions{})
	as := d.Forge.As("jonas")
	issue, err := as.OpenIssue(simtest.Repo, "waits", "")
	d.ok(err)
	on, err := as.OpenIssue(simtest.Repo, "first", "")
	d.ok(err)
	d.ok(as.AddDependency(simtest.Repo, issue, simtest.Repo, on))
	d.ok(d.Forge.As("mara").SetBody(simtest.Repo, 1, fmt.Sprintf("Closes #%d", issue)))
	d.ask("mara", "POST", d.repo+"/pulls/1/merge", `{"do":"merge"}`).says(200, "")
	d.ask("mara", "GET", fmt.Sprintf("%s/issues/%d", d.repo, issue), "").says(200, `"state":"open"`)
	d.ask("mara", "GET", fmt.Sprintf("%s/issues/%d/timeline", d.repo, issue), "").says(200, `"ref_action":"closes"`)
}

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.GiteaOptions{Unchecked: true})
	d.ask("", "GET", "/user", "").says(401, "token is required")
	d.ask("", "GET", d.repo, "").says(200, simtest.Repo)
	d.ask("stranger", "GET", d.repo, "").says(401, "invalid username, password or token")
	d.Face.AddToken("tok-jonas", "jonas", "read:repository")
	d.ask("jonas", "POST", d.repo+"/statuses/"+d.Forge.Tip(simtest.Repo, "rate"), `{"state":"success"}`).
		says(403, "token does not have at least one of required scope(s), required=[write:repository], token scope=read:repository")
	d.ask("jonas", "GET", d.repo+"/issues", "").says(403, "required=[read:issue], token scope=read:repository")
	d.Forge.SuspendUser("chen", true)
	d.ask("chen", "GET", "/user", "").says(403, "prohibited from signing in")
	d.Face.RevokeToken("tok-alex")
	d.ask("alex", "GET", "/user", "").says(401, "invalid")
	d.Face.Withhold("mara", "code")
	d.ask("mara", "GET", d.repo+"/contents/README.md", "").says(403, "specific permission")
	d.ask("mara", "GET", d.repo+"/pulls/1", "").says(200, "")
}

func TestPages(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.GiteaOptions{Unchecked: true})
	for i := range 60 {
		_, err := d.Forge.As("jonas").OpenIssue(simtest.Repo, fmt.Sprint("issue ", i), "")
		d.ok(err)
		_, err = d.Forge.As("jonas").Comment(simtest.Repo, 1, fmt.Sprint("comment ", i))
		d.ok(err)
	}
	size := func(path, total string, link bool, want int) {
		t.Helper()
		r := d.ask("mara", "GET", d.repo+path, "")
		var list []any
		r.into(&list)
		if got := r.header.Get("X-Total-Count"); len(list) != want || got != total || (r.header.Get("Link") != "") != link {
			t.Errorf("%s: %d items, total %s, link %q; want %d, %s, %t", path, len(list), got, r.header.Get("Link"), want, total, link)
		}
	}
	size("/issues?type=issues", "60", true, 30)
	size("/issues?type=issues&limit=100", "60", true, 50)
	size("/issues?type=issues&limit=50&page=2", "60", true, 10)
	size("/issues?type=issues&limit=50&page=3", "60", true, 0)
	size("/issues/1/comments?limit=2", "60", false, 60)  // no pages
	size("/issues/1/timeline?limit=20", "20", false, 20) // counts the page
	size("/pulls/1/files?limit=1", "1", false, 1)
	r := d.ask("mara", "GET", d.repo+"/issues?type=issues&limit=50", "")
	if link := r.header.Get("Link"); !strings.Contains(link, `page=2&type=issues>; rel="next",<`) || !strings.Contains(link, `rel="last"`) {
		t.Errorf("link %s", link)
	}
}

func TestARenamedRepositoryLeadsOn(t *testing.T) {
	t.Parallel()
	for product, status := range map[string]int{giteaface.Gitea: 301, giteaface.Forgejo: 307} {
		d := sit(t, simtest.GiteaOptions{Product: product})
		d.ok(d.Forge.As("alex").RenameRepo(simtest.Repo, "pump-two"))
		r := d.ask("mara", "GET", d.repo+"/pulls?state=all", "")
		if r.status != status || r.header.Get("Location") != "/api/v1/repos/acme/pump-two/pulls?state=all" {
			t.Errorf("%s answered %d %s", product, r.status, r.header.Get("Location"))
		}
	}
}

// TestWebhooksOfTheAPI makes hooks as setup does and reads what comes.
func TestWebhooksOfTheAPI(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.GiteaOptions{})
	var h struct {
		ID     int      `json:"id"`
		Events []string `json:"events"`
		Active bool     `json:"active"`
	}
	// An address nobody answers at: what was sent is in the face's log.
	d.ask("alex", "POST", "/orgs/acme/hooks", `{"type":"gitea","active":true,"events":["issues","sung"],"config":{"url":"http://127.0.0.1:1/org","content_type":"json","secret":"a-secret-of-the-org"}}`).into(&h)
	if want := []string{"issue_assign", "issue_label", "issue_milestone", "issue_comment", "issues"}; !slices.Equal(h.Events, want) {
		t.Errorf("events %v, want %v", h.Events, want)
	}
	d.ask("alex", "POST", d.repo+"/hooks", `{"type":"gitea","events":["pull_request_only"],"config":{"url":"http://127.0.0.1:1/repo","content_type":"json"}}`).into(&h)
	if h.Active || !slices.Equal(h.Events, []string{"pull_request"}) {
		t.Errorf("hook %+v is active unless told otherwise, or hears more", h)
	}
	hook := fmt.Sprintf("%s/hooks/%d", d.repo, h.ID)
	d.ask("alex", "PATCH", hook, `{"active":true}`).says(200, `"events":["push"]`) // not named, so lost
	d.ask("alex", "PATCH", hook, `{"active":true,"events":["pull_request_only"]}`).says(200, `"events":["pull_request"]`)
	_, err := d.Forge.As("jonas").OpenIssue(simtest.Repo, "one", "")
	d.ok(err)
	d.ok(d.Forge.As("mara").SetTitle(simtest.Repo, 1, "Rate, again"))
	d.ok(d.Forge.As("alex").Label(simtest.Repo, 1, "x"))
	d.ask("alex", "POST", hook+"/tests", "").says(204, "")
	d.ok(d.Face.Drain(t.Context()))
	var got []string
	for _, s := range d.Face.Deliveries() {
		got = append(got, fmt.Sprintf("%s/%s %s signed %t to %s", s.Event, s.Kind, s.Action, s.Header.Get("X-Hub-Signature-256") != "", s.URL[len("http://127.0.0.1:1"):]))
	}
	want := []string{
		"issues/issues opened signed true to /org", "pull_request/pull_request edited signed false to /repo", "push/push  signed false to /repo",
	}
	if !slices.Equal(got, want) {
		t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	d.ask("alex", "DELETE", hook, "").says(204, "")
	d.ask("alex", "GET", hook, "").says(404, "")
}

func TestTeamsAccountsAndTokens(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.GiteaOptions{})
	var team struct {
		ID         int    `json:"id"`
		Permission string `json:"permission"`
	}
	d.ask("alex", "POST", "/orgs/acme/teams", `{"name":"judge","includes_all_repositories":true,"permission":"write","units":["repo.code"],"units_map":{"repo.code":"write","repo.pulls":"write"}}`).into(&team)
	if team.Permission != "none" {
		t.Errorf("permission %q: with units it says none", team.Permission)
	}
	d.ask("sam", "GET", d.repo, "").says(200, `"push":false`)
	d.ask("alex", "PUT", fmt.Sprintf("/teams/%d/members/sam", team.ID), "").says(204, "")
	d.ask("sam", "GET", d.repo, "").says(200, `"push":true`)
	d.ask("sam", "GET", d.repo+"/collaborators/sam/permission", "").says(200, `"permission":"read"`) // units do not count
	d.ask("mara", "POST", "/admin/users", `{"username":"judge","email":"judge@example.com"}`).says(403, "site admin")
	d.Forge.MakeSiteAdmin("alex")
	d.ask("alex", "POST", "/admin/users", `{"username":"judge","email":"judge@example.com"}`).says(201, `"login":"judge"`)
	d.ask("alex", "POST", "/users/judge/tokens", `{"name":"primum","scopes":["read:user"]}`).says(401, "auth required")
}

// TestEveryRouteAnswersAsDescribed asks every route that reads; the rig holds
// requests and answers against the description.
func TestEveryRouteAnswersAsDescribed(t *testing.T) {
	t.Parallel()
	for _, product := range []string{giteaface.Gitea, giteaface.Forgejo} {
		d := sit(t, simtest.GiteaOptions{Product: product})
		head := d.Forge.Tip(simtest.Repo, "rate")
		review, err := d.Forge.As("chen").Approve(simtest.Repo, 1, "yes")
		d.ok(err)
		_, err = d.Forge.As("chen").OpenThread(simtest.Repo, 1, "fw/rate.c", 1, "why")
		d.ok(err)
		comment, err := d.Forge.As("chen").Comment(simtest.Repo, 1, "see #1")
		d.ok(err)
		_, err = d.Forge.AsApp("ci").CreateCheck(simtest.Repo, sim.CheckRun{SHA: head, Name: "build", Conclusion: "success"})
		d.ok(err)
		d.ok(d.Forge.As("alex").Tag(simtest.Repo, "v1", "main"))
		blob := sim.ObjectID("blob", []byte("int x;\n"))
		paths := []string{
			"/version", "/settings/api", "/user", "/user/repos", "/user/orgs", "/user/teams", "/users/mara", "/users/search?q=mara", "/users/alex/repos", "/users/alex/orgs/acme/permissions",
			"/repos/search?q=pump", "/orgs/acme", "/orgs/acme/repos", "/orgs/acme/teams", "/orgs/acme/members", "/orgs/acme/hooks", "/orgs/acme/teams/search?q=q",
		}
		for _, p := range []string{
			"", "/branches", "/branches/main", "/branch_protections", "/pulls?state=all&sort=recentupdate&limit=1", "/pulls/1", "/pulls/1.diff", "/pulls/1.patch", "/pulls/1/files", "/pulls/1/commits",
			"/pulls/1/reviews", fmt.Sprintf("/pulls/1/reviews/%d", review), fmt.Sprintf("/pulls/1/reviews/%d/comments", review), "/pulls/main/rate", "/statuses/" + head, "/commits?sha=rate&limit=1",
			"/commits/" + head + "/statuses", "/commits/rate/status", "/git/commits/" + head, "/git/commits/" + head + ".diff", "/git/blobs/" + blob, "/git/trees/rate?recursive=true", "/compare/main...rate",
			"/contents", "/contents/fw/rate.c?ref=rate", "/raw/README.md", "/tags", "/collaborators/mara/permission", "/teams", "/assignees", "/reviewers", "/hooks", "/issues?state=all", "/issues/1",
			"/issues/1/comments", "/issues/1/timeline", "/issues/1/labels", "/issues/1/dependencies", "/issues/1/blocks", fmt.Sprintf("/issues/comments/%d", comment), fmt.Sprintf("/issues/comments/%d/reactions", comment), "/labels", "/milestones",
		} {
			paths = append(paths, d.repo+p)
		}
		for _, p := range paths {
			d.ask("alex", "GET", p, "").says(200, "")
		}
		d.ask("alex", "GET", d.repo+"/commits/"+head+"/statuses", "").says(200, `"login":"ci[bot]"`)
		if product == giteaface.Gitea {
			d.ask("alex", "POST", d.repo+"/file-contents?ref=rate", `{"files":["README.md","none","fw/rate.c"]}`).says(200, `,null,`)
		}
		for _, p := range []string{"/pulls/99", "/pulls/1/reviews/9", "/issues/99", "/issues/comments/9", "/contents/none", "/raw/none", "/branches/none", "/pulls/main/none"} {
			d.ask("alex", "GET", d.repo+p, "").says(404, "")
		}
	}
}
