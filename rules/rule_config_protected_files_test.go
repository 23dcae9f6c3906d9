package rules_test

import (
	"strings"
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestConfigProtectedFiles(t *testing.T) {
	t.Parallel()
	touch := func(paths ...string) func(*fact.Change) { return func(c *fact.Change) { ft.Touch(c, paths...) } }
	run(t, "config-protected-files", []spoilt{
		{name: "none touched", want: rules.NA},
		{name: "a workflow with the approval of verification", spoil: touch(".github/workflows/ci.yml"), want: rules.Pass, says: "verification"},
		{
			name: "a workflow without it", want: rules.Fail, says: "`.github/workflows/ci.yml` (a workflow) needs the approval of the role verification", who: "priya,sam",
			spoil: func(c *fact.Change) { touch(".github/workflows/ci.yml")(c); ft.Drop(c, ft.Priya()) }, also: []string{"review-quorum"},
		},
		{name: "a rationale", spoil: touch("docs/risk/ui-segregation.md"), want: rules.Fail, says: "the approval of the role risk", who: "noor"},
		{
			name: "a rationale approved", want: rules.Pass,
			spoil: func(c *fact.Change) {
				touch("docs/risk/ui-segregation.md")(c)
				ft.Approve(c, ft.Noor(), ft.At(27.5), "/primum sign risk-reviewed")
			},
		},
		{
			name: "approved on an older commit", want: rules.Fail, says: "risk", who: "noor",
			spoil: func(c *fact.Change) {
				touch("docs/risk/ui-segregation.md")(c)
				ft.Approve(c, ft.Noor(), ft.At(25), "/primum sign risk-reviewed").Commit = ft.Older
			},
		},
		{
			name: "the policy alone", want: rules.Fail, says: "`.primum.yml` (the policy) needs the approval of the role quality", who: "chen,ruth",
			spoil: func(c *fact.Change) { c.Files = nil; ft.Touch(c, ".primum.yml") }, also: []string{"verify-fix-has-test"},
		},
		{
			name: "the policy alone, approved by quality", want: rules.Pass,
			spoil: func(c *fact.Change) {
				c.Files = nil
				ft.Touch(c, ".primum.yml")
				ft.Approve(c, ft.Chen(), ft.At(27.5), "/primum sign approved-change")
			},
			also: []string{"verify-fix-has-test"},
		},
		{
			name: "the policy with product code", want: rules.Fail, says: "edits the policy together with product code",
			spoil: func(c *fact.Change) {
				ft.Touch(c, ".primum.yml")
				ft.Approve(c, ft.Chen(), ft.At(27.5), "/primum sign approved-change")
			},
		},
		{
			name: "renaming a protected file away", want: rules.Fail, says: "`CODEOWNERS`",
			spoil: func(c *fact.Change) {
				c.Files = append(c.Files, fact.File{Path: "docs/old.txt", Previous: "CODEOWNERS", Status: fact.Renamed})
			},
		},
		{
			name: "approved by an author", want: rules.Fail, says: "risk",
			spoil: func(c *fact.Change) {
				touch("docs/risk/ui-segregation.md")(c)
				c.Commits[0].CoAuthors = []fact.Identity{{Account: ft.Noor()}}
				ft.Approve(c, ft.Noor(), ft.At(27.5), "/primum sign risk-reviewed")
			},
			also: []string{"review-author-not-approver"},
		},
	})
}

func TestProtectedFilesAreJudgedOutsideDeviceSoftware(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	c.Files = nil
	ft.Touch(c, "docs/risk/ui-segregation.md")
	c.Reviews = nil
	v := judge(c, p)
	if r := resultOf(t, v, "config-protected-files"); r.Outcome != rules.Fail || v.State != rules.Fail {
		t.Errorf("answers %s, the verdict is %s", r.Outcome, v.State)
	}
	if r := resultOf(t, v, "review-quorum"); r.Outcome != rules.NA || !strings.Contains(r.Summary, "outside device software") {
		t.Errorf("review-quorum answers %s: %s", r.Outcome, r.Summary)
	}
}

// A change that rewrites the policy to free itself is judged by the policy that
// stands on the target branch.
func TestAChangeCannotFreeItself(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	ft.Touch(c, ".primum.yml")
	c.Reviews = nil
	free := "version: 1\nproduct: infusion-pump\nclass: A\nrules:\n"
	for _, r := range rules.All() {
		free += "  " + r.ID + ": off\n"
	}
	v := rules.Evaluate(rules.Input{Change: c, Policy: p, HeadPolicy: ft.Policy(free), Now: ft.Now()})
	if v.State != rules.Fail {
		t.Fatalf("the verdict is %s: %s", v.State, v.Reason)
	}
	if v.Preview == nil || v.Preview.State != rules.Pass || len(v.Preview.Changes) == 0 || len(v.Preview.Falls) == 0 {
		t.Fatalf("the preview does not show what the change would do: %+v", v.Preview)
	}
	if !v.Preview.Changes[0].Weaker {
		t.Errorf("the first difference shown is not a weaker one: %s", v.Preview.Changes[0].Words)
	}
}
