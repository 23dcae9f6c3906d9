package simtest_test

import (
	"encoding/json"
	"testing"

	"primum/forges"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
	"primum/rules/fact"
)

func TestSmoke(t *testing.T) {
	rig := simtest.New(t, simtest.Options{})
	f := rig.Forge
	mara, jonas, priya := f.As("mara"), f.As("jonas"), f.As("priya")
	issue, err := jonas.OpenIssue(simtest.Repo, "Rate drifts", "### Reason\n\nDrift.\n", "bug")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mara.Push(simtest.Repo, "12-rate", sim.NewCommit{Message: "fw/dosing: round the rate\n\nCR: #1", Files: map[string]string{"fw/dosing/rate.c": "int rate(int ml, int minutes)\n{\n\treturn (ml * 60 + minutes / 2) / minutes;\n}\n"}, CoAuthors: []string{"jonas"}}); err != nil {
		t.Fatal(err)
	}
	n, err := mara.OpenChange(simtest.Repo, sim.NewChange{Title: "Round the rate", Body: "Fixes #1", Head: "12-rate"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := priya.Approve(simtest.Repo, n, "sign verified"); err != nil {
		t.Fatal(err)
	}
	if _, err := jonas.Comment(simtest.Repo, n, "/primum recheck"); err != nil {
		t.Fatal(err)
	}
	if _, err := priya.OpenThread(simtest.Repo, n, "fw/dosing/rate.c", 3, "why"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.AsApp("ci").CreateCheck(simtest.Repo, sim.CheckRun{SHA: f.Tip(simtest.Repo, "12-rate"), Name: "build", Conclusion: "success"}); err != nil {
		t.Fatal(err)
	}
	repos, _, err := rig.GitHub.ListRepos(t.Context(), "")
	if err != nil || len(repos) != 1 {
		t.Fatalf("repos %v %v", repos, err)
	}
	c, err := rig.GitHub.ReadChange(t.Context(), forges.ChangeRef{Repo: repos[0], Number: n}, forges.Plan{
		Needs:      []fact.Need{fact.NeedPolicy, fact.NeedFiles, fact.NeedDiffs, fact.NeedCommits, fact.NeedReviews, fact.NeedPatches, fact.NeedThreads, fact.NeedChecks, fact.NeedComments, fact.NeedIssues, fact.NeedPeople, fact.NeedBaseFiles, fact.NeedPermission},
		Principals: []string{"team:firmware", "team:engineering", "user:mara", "user:nobody", "team:none"}, Files: []string{"docs/manual.md", "nope"}, DiffPaths: []string{"**"},
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.MarshalIndent(c, "", " ")
	t.Logf("%s", raw)
	t.Logf("%+v", rig.Face.Calls())
	_ = issue
}
