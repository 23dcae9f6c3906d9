package gitea_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/forges"
	"primum/forges/forgetest"
	"primum/forges/sim"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/simtest"
	"primum/rules/fact"
)

// everything a typical policy of class C asks for.
func everything(issue string) forges.Plan {
	return forges.Plan{
		Needs: []fact.Need{
			fact.NeedPolicy, fact.NeedFiles, fact.NeedDiffs, fact.NeedCommits, fact.NeedReviews, fact.NeedThreads, fact.NeedChecks,
			fact.NeedComments, fact.NeedIssues, fact.NeedPeople, fact.NeedBaseFiles, fact.NeedPermission,
		},
		Issues: []string{issue}, Principals: []string{"team:firmware", "team:qa", "user:chen"},
		Files: []string{"docs/manual.md"}, DiffPaths: []string{"fw/**"},
	}
}

// TestCalls counts the calls of one judged event: at most eight, writes
// included, where commits and policy were seen before.
func TestCalls(t *testing.T) {
	t.Parallel()
	for _, product := range []string{giteaface.Gitea, giteaface.Forgejo} {
		t.Run(product, func(t *testing.T) {
			t.Parallel()
			rig := simtest.NewGitea(t, simtest.GiteaOptions{Product: product})
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			issue, err := rig.Forge.As("jonas").OpenIssue(forgetest.Repo, "Rate drifts", "It drifts.")
			must(err)
			for _, words := range []string{"seen", "/primum risk", "/primum approve"} {
				_, err = rig.Forge.As("chen").Comment(forgetest.Repo, issue, words)
				must(err)
			}
			_, err = rig.Forge.As("mara").Push(forgetest.Repo, "rate", sim.NewCommit{Files: map[string]string{"fw/dosing/rate.c": "int rate;\n"}})
			must(err)
			n, err := rig.Forge.As("mara").OpenChange(forgetest.Repo, sim.NewChange{Title: "Round", Body: "Closes #1", Head: "rate"})
			must(err)
			_, err = rig.Forge.As("priya").Approve(forgetest.Repo, n, "/primum sign reviewed-code")
			must(err)
			repos, _, err := rig.Gitea.ListRepos(t.Context(), "")
			must(err)
			c := forges.ChangeRef{Repo: repos[0], Number: n}

			read := func() (*fact.Change, map[string]int) {
				t.Helper()
				rig.Face.ResetCalls()
				got, err := rig.Gitea.ReadChange(t.Context(), c, everything("#1"))
				must(err)
				if len(got.Unknown) > 0 {
					t.Errorf("unknown: %v", got.Unknown)
				}
				return got, rig.Face.Calls().Routes
			}
			cold, routes := read()
			t.Logf("cold: %d calls", sum(routes))
			warm, routes := read()
			want := map[string]int{
				"GET /repos/{owner}/{repo}/pulls/{index}":           1,
				"GET /repos/{owner}/{repo}/pulls/{index}/reviews":   1,
				"GET /repos/{owner}/{repo}/issues/{index}/comments": 1,
				"GET /repos/{owner}/{repo}/commits/{ref}/statuses":  1,
				"GET /repos/{owner}/{repo}/issues/{index}":          1,
				"GET /repos/{owner}/{repo}/issues/{index}/timeline": 1,
			}
			if diff := cmp.Diff(want, routes); diff != "" {
				t.Errorf("calls of a warm reading (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(cold.Digest(), warm.Digest()); diff != "" {
				t.Errorf("the warm reading says something else (-cold +warm):\n%s", diff)
			}
			_, err = rig.Gitea.SetVerdict(t.Context(), c.Repo, warm.Head.SHA, forges.Report{Name: "primum", State: forges.ReportFailure, Short: "no"}, forges.Posted{})
			must(err)
			_, err = rig.Gitea.PutComment(t.Context(), c, "", "why")
			must(err)
			if all := sum(rig.Face.Calls().Routes); all > 8 {
				t.Errorf("%d calls with the writes, want at most 8", all)
			}

			_, err = rig.Forge.As("mara").Push(forgetest.Repo, "rate", sim.NewCommit{Files: map[string]string{"fw/dosing/rate.c": "int rate2;\n"}})
			must(err)
			_, routes = read()
			if got := sum(routes); got != 9 { // commits, files, diff
				t.Errorf("%d calls after a push, want 9: %v", got, slices.Sorted(maps.Keys(routes)))
			}
		})
	}
}

func sum(routes map[string]int) int {
	n := 0
	for _, k := range routes {
		n += k
	}
	return n
}

// TestSubPath: an instance may live below a path.
func TestSubPath(t *testing.T) {
	t.Parallel()
	rig := simtest.NewGitea(t, simtest.GiteaOptions{Path: "/git/ea"})
	repos, _, err := rig.Gitea.ListRepos(t.Context(), "")
	if err != nil || len(repos) != 1 {
		t.Fatalf("%d repositories, %v", len(repos), err)
	}
	got, err := rig.Gitea.ReadFiles(t.Context(), repos[0], "main", []string{".primum.yml", "docs/none.md"})
	if err != nil || got[".primum.yml"].Text != forgetest.Policy || !got["docs/none.md"].Missing {
		t.Errorf("files %+v, %v", got, err)
	}
}

// TestForgedStatus: a status somebody else set in our name is told from ours,
// and ours is put on top again.
func TestForgedStatus(t *testing.T) {
	t.Parallel()
	rig := simtest.NewGitea(t, simtest.GiteaOptions{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sha, err := rig.Forge.As("mara").Push(forgetest.Repo, "rate", sim.NewCommit{Files: map[string]string{"a": "a\n"}})
	must(err)
	n, err := rig.Forge.As("mara").OpenChange(forgetest.Repo, sim.NewChange{Title: "Round", Head: "rate"})
	must(err)
	repos, _, err := rig.Gitea.ListRepos(t.Context(), "")
	must(err)
	report := forges.Report{Name: "primum", State: forges.ReportFailure, Short: "2 things are missing"}
	first, err := rig.Gitea.SetVerdict(t.Context(), repos[0], sha, report, forges.Posted{})
	must(err)
	_, err = rig.Forge.As("mara").SetStatus(forgetest.Repo, sha, sim.Status{Context: "primum", State: "success", Description: "all good"})
	must(err)
	standing := func() string {
		t.Helper()
		c, err := rig.Gitea.ReadChange(t.Context(), forges.ChangeRef{Repo: repos[0], Number: n}, forges.Plan{Needs: []fact.Need{fact.NeedChecks}})
		must(err)
		var out []string
		for _, k := range c.Checks {
			if k.Ours && k.ID != first.ID {
				t.Errorf("ours has the number %s, posted was %s", k.ID, first.ID)
			}
			out = append(out, k.Source+" "+string(k.State))
		}
		return strings.Join(out, ", ") // the last stands
	}
	if got, want := standing(), "primum failure, mara success"; got != want {
		t.Errorf("statuses %s, want %s", got, want)
	}
	again, err := rig.Gitea.SetVerdict(t.Context(), repos[0], sha, report, first)
	must(err)
	if again.ID == first.ID {
		t.Error("nothing was written over the forged one")
	}
	first = again
	if got, want := standing(), "mara success, primum failure"; got != want {
		t.Errorf("statuses %s, want %s", got, want)
	}
}
