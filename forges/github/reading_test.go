package github_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/forges"
	"primum/forges/github"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
	"primum/rules/fact"
)

func allNeeds() []fact.Need {
	return []fact.Need{
		fact.NeedPolicy, fact.NeedFiles, fact.NeedDiffs, fact.NeedCommits, fact.NeedReviews, fact.NeedPatches, fact.NeedThreads,
		fact.NeedChecks, fact.NeedComments, fact.NeedIssues, fact.NeedPeople, fact.NeedBaseFiles, fact.NeedPermission,
	}
}

// story is the standard forge with one change on it.
type story struct {
	*simtest.Rig
	t      *testing.T
	ref    forges.ChangeRef
	branch string
}

func tell(t *testing.T, o simtest.Options) *story {
	t.Helper()
	s := &story{Rig: simtest.New(t, o), t: t, branch: "rate"}
	jonas := s.Forge.As("jonas")
	s.number(jonas.OpenIssue(simtest.Repo, "Rate drifts", "It drifts.", "bug"))
	s.number(jonas.OpenIssue(simtest.Repo, "Round the rate", "### Reason\n\nDrift.", "change-request"))
	s.push(sim.NewCommit{Message: "fw/dosing: round the rate\n\nCR: #2", Files: map[string]string{
		"fw/dosing/rate.c": "int rate(int ml, int minutes)\n{\n\treturn (ml * 60 + minutes / 2) / minutes;\n}\n", "docs/manual.md": "# The manual\n",
	}})
	n := s.number(s.Forge.As("mara").OpenChange(simtest.Repo, sim.NewChange{Title: "Round the rate", Body: "Fixes #1, see #2", Head: s.branch}))
	repo, _ := s.Forge.Repo(simtest.Repo)
	s.ref = forges.ChangeRef{Number: n, Repo: forges.RepoRef{
		Forge: "github", ID: fmt.Sprint(repo.ID), Owner: "acme", Name: "pump", Installation: fmt.Sprint(s.Installation.ID),
	}}
	return s
}

func (s *story) number(n int, err error) int {
	s.t.Helper()
	s.must(err)
	return n
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) push(commits ...sim.NewCommit) string {
	s.t.Helper()
	tip, err := s.Forge.As("mara").Push(simtest.Repo, s.branch, commits...)
	s.must(err)
	return tip
}

func plan() forges.Plan {
	return forges.Plan{
		Needs: allNeeds(), Issues: []string{"#2", "#1"}, Principals: []string{"team:firmware", "team:qa"},
		Files: []string{"docs/manual.md", "docs/none.md"}, DiffPaths: []string{"tests/**"},
	}
}

func (s *story) read(p forges.Plan) *fact.Change {
	s.t.Helper()
	c, err := s.GitHub.ReadChange(s.t.Context(), s.ref, p)
	s.must(err)
	return c
}

// calls reads once more and counts what that took.
func (s *story) calls(p forges.Plan) (*fact.Change, map[string]int) {
	s.t.Helper()
	s.Face.ResetCalls()
	c := s.read(p)
	return c, s.Face.Calls().Routes
}

func TestAWarmReadingIsOneCall(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	cold, routes := s.calls(plan())
	want := map[string]int{"POST /graphql": 1, "POST /app/installations/{id}/access_tokens": 1}
	if diff := cmp.Diff(want, routes); diff != "" {
		t.Errorf("cold calls (-want +got):\n%s", diff)
	}
	warm, routes := s.calls(plan())
	if diff := cmp.Diff(map[string]int{"POST /graphql": 1}, routes); diff != "" {
		t.Errorf("warm calls (-want +got):\n%s", diff)
	}
	if cold.Digest() != warm.Digest() {
		t.Errorf("two readings differ:\n%s", cmp.Diff(cold, warm))
	}
	if len(warm.Issues) != 2 || len(warm.Files) != 2 || len(warm.People["team:firmware"].Members) != 2 || len(warm.Unknown) != 0 {
		t.Errorf("not whole: %d issues, %d files, people %v, unknown %v", len(warm.Issues), len(warm.Files), warm.People, warm.Unknown)
	}
	if !warm.BaseFiles["docs/none.md"].Missing || warm.BaseFiles["docs/manual.md"].Text != "# Manual\n" {
		t.Errorf("base files: %+v", warm.BaseFiles)
	}
	if warm.HeadPolicy != nil {
		t.Error("the head's policy was read of a change that does not touch it")
	}
}

func TestRenamesAndWantedDiffsCostOneListOnce(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	s.push(sim.NewCommit{
		Message: "ui: move", Move: map[string]string{"ui/screen.c": "ui/display.c"},
		Files: map[string]string{"tests/rate_test.c": "int main(void) { return 0; }\n", ".primum.yml": "version: 1\nproduct: pump\nclass: A\n"},
	})
	c, routes := s.calls(plan())
	if routes["GET /repos/{owner}/{repo}/pulls/{n}/files"] != 1 {
		t.Errorf("calls: %v", routes)
	}
	got := map[string]fact.File{}
	for _, f := range c.Files {
		got[f.Path] = f
	}
	if f := got["ui/display.c"]; f.Status != fact.Renamed || f.Previous != "ui/screen.c" || f.DiffKnown {
		t.Errorf("the rename: %+v", f)
	}
	if f := got["tests/rate_test.c"]; !f.DiffKnown || !strings.Contains(f.Diff, "+int main") {
		t.Errorf("the wanted diff: %+v", f)
	}
	if c.HeadPolicy == nil || !strings.Contains(c.HeadPolicy.Text, "class: A") || strings.Contains(c.Policy.Text, "class: A") {
		t.Errorf("policies: %+v, %+v", c.HeadPolicy, c.Policy)
	}
	if _, routes = s.calls(plan()); routes["GET /repos/{owner}/{repo}/pulls/{n}/files"] != 0 {
		t.Errorf("asked again: %v", routes)
	}
	s.push(sim.NewCommit{Message: "more", Files: map[string]string{"tests/rate_test.c": "int main(void) { return 1; }\n"}})
	if _, routes = s.calls(plan()); routes["GET /repos/{owner}/{repo}/pulls/{n}/files"] != 1 {
		t.Errorf("a new head was not listed: %v", routes)
	}
}

func TestEveryListIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	f := s.Forge
	for i := range 230 {
		_, err := f.As("jonas").Comment(simtest.Repo, s.ref.Number, fmt.Sprintf("comment %d", i))
		s.must(err)
		_, err = f.As("jonas").Comment(simtest.Repo, 1, fmt.Sprintf("on the issue %d", i))
		s.must(err)
	}
	for i := range 105 {
		_, err := f.As("priya").Review(simtest.Repo, s.ref.Number, sim.Commented, "", fmt.Sprintf("review %d", i))
		s.must(err)
		_, err = f.AsApp("ci").CreateCheck(simtest.Repo, sim.CheckRun{SHA: f.Tip(simtest.Repo, s.branch), Name: fmt.Sprintf("check %d", i), Conclusion: "success"})
		s.must(err)
		s.must(f.As("mara").Label(simtest.Repo, 1, "blocker"))
		s.must(f.As("mara").Unlabel(simtest.Repo, 1, "blocker"))
	}
	for i := range 60 {
		_, err := f.As("priya").OpenThread(simtest.Repo, s.ref.Number, "fw/dosing/rate.c", 3, fmt.Sprintf("thread %d", i))
		s.must(err)
	}
	for i := range 12 {
		n := s.number(f.As("jonas").OpenIssue(simtest.Repo, fmt.Sprintf("issue %d", i), "x"))
		s.must(f.As("mara").LinkIssue(simtest.Repo, s.ref.Number, n))
	}
	c := s.read(plan())
	issue := c.Issue(1)
	if issue == nil {
		t.Fatal("issue 1 was not read")
	}
	got := map[string]int{
		"comments": len(c.Comments), "reviews": len(c.Reviews), "checks": len(c.Checks), "threads": len(c.Threads),
		"issue comments": len(issue.Comments), "label events": len(issue.LabelEvents), "issues": len(c.Issues),
	}
	want := map[string]int{
		"comments": 230, "reviews": 105 + 60, "checks": 105, "threads": 60, "issue comments": 230, "label events": 211, "issues": 14,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	if last := c.Comments[len(c.Comments)-1].Body; last != "comment 229" {
		t.Errorf("order: the last comment is %q", last)
	}
	if len(c.Unknown) != 0 {
		t.Errorf("unknown: %v", c.Unknown)
	}
}

func TestMoreCommitsThanTheForgeListsAreReadByName(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	commits := make([]sim.NewCommit, 299)
	for i := range commits {
		commits[i] = sim.NewCommit{Message: fmt.Sprintf("step %d", i), Files: map[string]string{"docs/manual.md": fmt.Sprintf("# %d\n", i)}}
	}
	head := s.push(commits...)
	_, err := s.Forge.AsApp("ci").CreateCheck(simtest.Repo, sim.CheckRun{SHA: head, Name: "build", Conclusion: "success"})
	s.must(err)
	p := plan()
	p.HeadPolicy = true
	c := s.read(p)
	if len(c.Commits) != 300 || c.Commits[299].SHA != head || len(c.Unknown) != 0 {
		t.Errorf("%d commits, the last %s; unknown %v", len(c.Commits), c.Commits[len(c.Commits)-1].SHA, c.Unknown)
	}
	if len(c.Checks) != 1 || c.HeadPolicy == nil || c.HeadPolicy.Commit != head {
		t.Errorf("of the head: checks %v, policy %+v", c.Checks, c.HeadPolicy)
	}
}

// A list of commits that ends before the head hides authors: it is not known.
func TestCommitsThatDoNotReachTheHeadAreUnknown(t *testing.T) {
	t.Parallel()
	nodes := make([]string, 250)
	for i := range nodes {
		nodes[i] = fmt.Sprintf(`{"commit":{"oid":"%040x"}}`, i+1)
	}
	answer := fmt.Sprintf(`{"data":{"repository":{"databaseId":500,"name":"pump","owner":{"__typename":"User","login":"acme"},
		"pullRequest":{"number":12,"headRefOid":%q,"baseRefOid":%q,"commits":{"nodes":[%s],"pageInfo":{}}}}}}`, headSHA, baseSHA, strings.Join(nodes, ","))
	for name, compared := range map[string]string{
		"the comparison names none of them": `{"total_commits":300,"commits":[]}`,
		"the comparison knows no more":      `{"total_commits":1,"commits":[{"sha":"0000000000000000000000000000000000000001"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.says("POST /graphql", 200, answer)
			s.says("GET /repos/acme/pump/compare/"+baseSHA+"..."+headSHA, 200, compared)
			c, err := s.forge(newClock()).ReadChange(t.Context(), change(), forges.Plan{Needs: []fact.Need{fact.NeedCommits}})
			if err != nil {
				t.Fatal(err)
			}
			if why, known := c.Why(fact.NeedCommits); known || len(c.Commits) != 250 {
				t.Errorf("%d commits, known %v (%s); want 250 and unknown", len(c.Commits), known, why)
			}
		})
	}
}

// A part that is not found does not make the change one that is gone.
func TestAPartNotFoundIsNotAChangeGone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.says("POST /graphql", 200, fmt.Sprintf(`{"data":{"repository":{"databaseId":500,"name":"pump","owner":{"__typename":"User","login":"acme"},
		"pullRequest":{"number":12,"changedFiles":1,"headRefOid":%q,"baseRefOid":%q}}}}`, headSHA, baseSHA))
	_, err := s.forge(newClock()).ReadChange(t.Context(), change(), forges.Plan{Needs: []fact.Need{fact.NeedFiles}})
	if err == nil || errors.Is(err, forges.ErrNotFound) || !forges.Temporary(err) {
		t.Errorf("got %v, want an error that may pass and is not that of a change gone", err)
	}
}

func TestManyFilesAreAllFound(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	files := map[string]string{}
	for i := range 3001 {
		files[fmt.Sprintf("gen/%02d/%04d.c", i%50, i)] = fmt.Sprintf("int a%d;\n", i)
	}
	files["tests/a_test.c"] = "x\n"
	for _, tt := range []struct {
		n     int
		trees bool
	}{{250, false}, {3002, true}} {
		some := map[string]string{}
		for path, text := range files {
			if len(some) < tt.n {
				some[path] = text
			}
		}
		s.branch = fmt.Sprintf("many-%d", tt.n)
		s.push(sim.NewCommit{Message: "generate", Files: some, Remove: []string{"ui/screen.c"}})
		s.ref.Number = s.number(s.Forge.As("mara").OpenChange(simtest.Repo, sim.NewChange{Title: "many", Head: s.branch}))
		c, routes := s.calls(plan())
		if len(c.Files) != tt.n+1 {
			t.Errorf("%d files: got %d", tt.n+1, len(c.Files))
		}
		if _, known := c.Why(fact.NeedFiles); !known {
			t.Errorf("%d files: unknown %v", tt.n+1, c.Unknown)
		}
		if (routes["GET /repos/{owner}/{repo}/git/trees/{sha}"] > 0) != tt.trees {
			t.Errorf("%d files: calls %v", tt.n+1, routes)
		}
		if _, known := c.Why(fact.NeedDiffs); known == tt.trees {
			t.Errorf("%d files: diffs known %v", tt.n+1, known)
		}
		again, routes := s.calls(plan())
		if len(routes) != 1 || again.Digest() != c.Digest() {
			t.Errorf("%d files: warm calls %v, the same facts %v", tt.n+1, routes, again.Digest() == c.Digest())
		}
	}
}

func TestAnApprovalIsKnownAcrossARebaseByItsPatch(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	_, err := s.Forge.As("priya").Approve(simtest.Repo, s.ref.Number, "")
	s.must(err)
	if c := s.read(plan()); c.Patch != "" || c.Reviews[0].Patch != "" {
		t.Error("patches were read where no review is older than the head")
	}
	_, err = s.Forge.As("alex").Push(simtest.Repo, "main", sim.NewCommit{Message: "elsewhere", Files: map[string]string{"ui/other.c": "int x;\n"}})
	s.must(err)
	_, err = s.Forge.As("mara").Rebase(simtest.Repo, s.branch, "main")
	s.must(err)
	c := s.read(plan())
	if c.Patch == "" || c.Reviews[0].Patch != c.Patch || c.Reviews[0].Commit == c.Head.SHA {
		t.Errorf("after a rebase: %q and %q", c.Patch, c.Reviews[0].Patch)
	}
	if _, routes := s.calls(plan()); len(routes) != 1 {
		t.Errorf("warm calls: %v", routes)
	}
	s.push(sim.NewCommit{Message: "more", Files: map[string]string{"fw/dosing/rate.c": "int rate;\n"}})
	if c := s.read(plan()); c.Patch == "" || c.Reviews[0].Patch == "" || c.Reviews[0].Patch == c.Patch {
		t.Errorf("after new content: %q and %q", c.Patch, c.Reviews[0].Patch)
	}
}

func TestWhatPeopleDidIsKnownByAccount(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	f, n := s.Forge, s.ref.Number
	review, err := f.As("priya").Approve(simtest.Repo, n, "fine")
	s.must(err)
	s.must(f.As("alex").DismissReview(simtest.Repo, n, review, "too early"))
	comment, err := f.As("sam").Comment(simtest.Repo, n, "/primum recheck")
	s.must(err)
	s.Clock.Advance(time.Minute)
	s.must(f.As("alex").EditComment(simtest.Repo, comment, "/primum approve"))
	s.must(f.As("alex").SetTitle(simtest.Repo, 1, "Rate drifts by 1 ml"))
	_, err = f.AsApp("ci").Comment(simtest.Repo, n, "built")
	s.must(err)
	_, err = s.GitHub.PutComment(t.Context(), s.ref, "", "<!-- primum -->")
	s.must(err)
	f.DeleteUser("jonas")
	c := s.read(plan())
	if r := c.Reviews[0]; r.State != fact.Dismissed || r.DismissedBy.Login != "alex" || r.DismissedAt.IsZero() {
		t.Errorf("dismissal: %+v", r)
	}
	edited, byApp, ours := c.Comments[0], c.Comments[1], c.Comments[2]
	if edited.FirstKnown || edited.Editor.Login != "alex" || edited.Author.Login != "sam" || edited.Ours || edited.EditedAt.IsZero() {
		t.Errorf("edited: %+v", edited)
	}
	if !byApp.Author.Bot || byApp.Author.Login != "ci[bot]" || byApp.Ours {
		t.Errorf("another bot: %+v", byApp)
	}
	if !ours.Ours || !ours.FirstKnown {
		t.Errorf("ours: %+v", ours)
	}
	issue := c.Issue(1)
	if issue == nil || issue.TextEditor.Login != "alex" || issue.TextEditedAt.IsZero() {
		t.Fatalf("a new title is an edit of the text: %+v", issue)
	}
	if issue.Author.Known() {
		t.Errorf("a deleted account is somebody: %+v", issue.Author)
	}
}

func TestPeopleAreBelievedForAWhile(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{Config: func(c *github.Config) { c.PeopleFor = 5 * time.Minute }})
	members := func() int { return len(s.read(plan()).People["team:qa"].Members) }
	if members() != 1 {
		t.Fatal("the team was not read")
	}
	s.must(s.Forge.As("alex").AddTeamMember("acme", "qa", "priya"))
	if members() != 1 {
		t.Error("asked again within the time")
	}
	s.GitHub.Forget("ACME")
	if members() != 2 {
		t.Error("not asked again after Forget")
	}
	s.must(s.Forge.As("alex").RemoveTeamMember("acme", "qa", "priya"))
	s.Clock.Advance(6 * time.Minute)
	if members() != 1 {
		t.Error("not asked again after the time")
	}
}

func TestATeamOfManyAndTeamsThatAreNone(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	for i := range 130 {
		login := fmt.Sprintf("dev%d", i)
		s.Forge.AddUser(login, "")
		s.Forge.Join("acme", false, login)
		s.must(s.Forge.As("alex").AddTeamMember("acme", "qa", login))
	}
	s.Forge.AddTeam("acme", "empty", "Empty", "")
	p := plan()
	p.Principals = []string{"team:qa", "team:acme/qa", "team:other/qa", "team:none", "team:empty", "user:mara", "user:nobody", "role:x", "team:a/../b"}
	c := s.read(p)
	if got := len(c.People["team:qa"].Members); got != 131 {
		t.Errorf("a team of 131: got %d", got)
	}
	for name, fine := range map[string]bool{
		"team:qa": true, "team:acme/qa": true, "user:mara": true,
		"team:other/qa": false, "team:none": false, "team:empty": false, "user:nobody": false, "role:x": false, "team:a/../b": false,
	} {
		if got := c.People[name]; (got.Problem == "") != fine {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestARepositoryOfAPersonHasNoTeams(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	s.Forge.AddRepo("mara/toy", sim.RepoOptions{By: "mara", Files: map[string]string{".primum.yml": "version: 1\n"}})
	in := s.Forge.Install(simtest.App, "mara", sim.InstallOptions{})
	_, err := s.Forge.As("mara").Push("mara/toy", "b", sim.NewCommit{Files: map[string]string{"a": "b"}})
	s.must(err)
	n := s.number(s.Forge.As("mara").OpenChange("mara/toy", sim.NewChange{Title: "t", Head: "b"}))
	c, err := s.GitHub.ReadChange(t.Context(), forges.ChangeRef{Number: n, Repo: forges.RepoRef{Owner: "mara", Name: "toy", Installation: fmt.Sprint(in.ID)}}, plan())
	s.must(err)
	if p := c.People["team:firmware"]; !strings.Contains(p.Problem, "person's account") {
		t.Errorf("got %+v", p)
	}
}

func TestMissingThingsAreToldApart(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	p := plan()
	p.Issues = []string{"#99", "acme/none#1", "mara/none#1", "rubbish", "#-1", fmt.Sprintf("#%d", s.ref.Number)}
	c := s.read(p)
	var problems []string
	for _, i := range c.Issues {
		if i.Problem != "" {
			problems = append(problems, fmt.Sprintf("%s#%d", i.Repo, i.Number))
		}
	}
	if diff := cmp.Diff([]string{"acme/pump#99", "acme/none#1", "mara/none#1"}, problems); diff != "" {
		t.Errorf("issues with a problem (-want +got):\n%s", diff)
	}
	missing := s.ref
	missing.Number = 77
	if _, err := s.GitHub.ReadChange(t.Context(), missing, plan()); !errors.Is(err, forges.ErrNotFound) {
		t.Errorf("no such change: %v", err)
	}
	other := s.ref
	other.Repo.ID = "1"
	if _, err := s.GitHub.ReadChange(t.Context(), other, plan()); !errors.Is(err, forges.ErrNotFound) {
		t.Errorf("another repository under the name: %v", err)
	}
	evil := s.ref
	evil.Repo.Name = "../../app"
	if _, err := s.GitHub.ReadChange(t.Context(), evil, plan()); !errors.Is(err, forges.ErrNotFound) {
		t.Errorf("a name that is a path: %v", err)
	}
}

func TestARenamedRepositoryIsReadByItsFormerName(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	s.must(s.Forge.As("alex").RenameRepo(simtest.Repo, "infusion"))
	c := s.read(plan())
	if c.Repo.FullName() != "acme/infusion" || c.Number != s.ref.Number {
		t.Errorf("got %s", c.Repo.FullName())
	}
	heads, _, err := s.GitHub.ListOpen(t.Context(), s.ref.Repo, "")
	if err != nil || len(heads) != 1 {
		t.Errorf("list: %v, %v", heads, err)
	}
}

func TestAForkAndADeletedTargetBranch(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	full, err := s.Forge.As("sam").Fork(simtest.Repo)
	s.must(err)
	_, err = s.Forge.As("sam").Push(full, "fix", sim.NewCommit{Files: map[string]string{"a.c": "x\n"}})
	s.must(err)
	_, err = s.Forge.As("alex").Push(simtest.Repo, "next", sim.NewCommit{Files: map[string]string{"b.c": "x\n"}})
	s.must(err)
	s.ref.Number = s.number(s.Forge.As("sam").OpenChange(simtest.Repo, sim.NewChange{Title: "t", Head: "sam:fix", Base: "next"}))
	c := s.read(plan())
	if c.Head.Repo != full || c.Base.Name != "next" || c.Policy.Missing {
		t.Errorf("fork: %+v, %+v, policy %+v", c.Head, c.Base, c.Policy)
	}
	s.must(s.Forge.As("alex").DeleteBranch(simtest.Repo, "next"))
	if c, err := s.GitHub.ReadChange(t.Context(), s.ref, plan()); err == nil {
		if why, known := c.Why(fact.NeedPolicy); known || why == "" {
			t.Error("the policy of a deleted branch is known")
		}
	} else {
		t.Error(err)
	}
}

func TestOnlyWhatIsNeededIsRead(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	_, err := s.Forge.As("priya").Approve(simtest.Repo, s.ref.Number, "x")
	s.must(err)
	c := s.read(forges.Plan{})
	if c.Files != nil || c.Commits != nil || c.Reviews != nil || c.Issues != nil || c.People != nil || c.Policy.Text == "" || c.Title == "" {
		t.Errorf("got more or less than the core: %+v", c)
	}
}

func TestRefusedPartsAreUnknown(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	p := sim.DefaultPermissions()
	delete(p, "checks")
	delete(p, "statuses")
	delete(p, "members")
	s.Forge.SetPermissions(s.Installation.ID, p)
	c := s.read(plan())
	if _, known := c.Why(fact.NeedChecks); known {
		t.Error("checks are known without the permission")
	}
	if p := c.People["team:qa"]; p.Problem == "" {
		t.Errorf("people are known without the permission: %+v", p)
	}
}
