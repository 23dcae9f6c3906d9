package rules_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/clause"
	"primum/rules/fact"
	"primum/rules/facttest"
	"primum/rules/policy"
)

func TestRegistryIsTheFolderInTheOrderOfTheCatalogue(t *testing.T) {
	t.Parallel()
	want := strings.Fields(`link-change-request link-problem-report cr-analysis-complete cr-approved review-quorum
		review-author-not-approver review-independent review-not-stale review-meaning class-declared class-tree-valid
		risk-assessment-present verify-checks-green verify-not-weakened verify-fix-has-test config-protected-files
		config-commit-identity waiver-valid`)
	var got []string
	for _, r := range rules.All() {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("registry is %v, want %v", got, want)
	}
	files, err := filepath.Glob("rule_*.go")
	if err != nil {
		t.Fatal(err)
	}
	var inFolder []string
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		// A file whose name would end in _test has one more underscore.
		id := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(f, "rule_"), ".go"), "_")
		inFolder = append(inFolder, strings.ReplaceAll(id, "_", "-"))
		if _, err := os.Stat(strings.TrimSuffix(f, ".go") + "_test.go"); err != nil {
			if _, err := os.Stat(strings.TrimSuffix(f, "_.go") + "_test.go"); err != nil {
				t.Errorf("%s has no table test beside it", f)
			}
		}
	}
	sorted := slices.Clone(got)
	slices.Sort(sorted)
	slices.Sort(inFolder)
	if !slices.Equal(sorted, inFolder) {
		t.Errorf("files are of %v, the registry has %v", inFolder, sorted)
	}
}

func TestRulesAreDeclaredWhole(t *testing.T) {
	t.Parallel()
	groups := []string{"linkage", "review", "risk", "verification", "configuration", "exceptions"}
	for _, r := range rules.All() {
		if r.Title == "" || r.Short == "" || r.Why == "" || r.Fix == "" || r.Since == "" || r.Check == nil || !slices.Contains(groups, r.Group) {
			t.Errorf("%s lacks a part", r.ID)
		}
		if len(r.Clauses)+len(r.Other) == 0 {
			t.Errorf("%s cites nothing", r.ID)
		}
		for _, level := range []class.Level{"A", "B", "C"} {
			if r.Defaults[level] == "" {
				t.Errorf("%s has no default at %s", r.ID, level)
			}
			for _, p := range r.Params {
				if p.Default[level] == nil || p.Doc == "" {
					t.Errorf("%s: parameter %s has no default at %s or no text", r.ID, p.Name, level)
				}
			}
		}
		for _, n := range r.Partial {
			if !slices.Contains(r.Needs, n) {
				t.Errorf("%s judges %s itself and does not need it", r.ID, n)
			}
		}
		if !slices.Contains(r.Needs, fact.NeedFiles) {
			t.Errorf("%s does not need the files, from which its class follows", r.ID)
		}
		for _, text := range []string{r.Why, r.Fix, r.Title} {
			if strings.Contains(text, "!") || strings.Contains(text, "please") {
				t.Errorf("%s praises or pleads: %s", r.ID, text)
			}
		}
		found, ok := rules.Find(r.ID)
		if !ok || found.Title != r.Title {
			t.Errorf("Find(%s) finds %q", r.ID, found.Title)
		}
	}
	if _, ok := rules.Find("no-such-rule"); ok {
		t.Error("Find finds a rule that does not exist")
	}
}

func TestClausesExistAtTheClassesWhereTheRuleBlocks(t *testing.T) {
	t.Parallel()
	for _, r := range rules.All() {
		for _, id := range r.Clauses {
			c, ok := clause.Find(id)
			if !ok {
				t.Errorf("%s cites %s, which the clause table does not have", r.ID, id)
				continue
			}
			if len(c.Classes) == 0 {
				t.Errorf("%s cites %s, which is deleted", r.ID, id)
			}
		}
		// At each class where it blocks, some clause must apply.
		for _, level := range []class.Level{"A", "B", "C"} {
			if r.Defaults[level] != policy.Block || len(r.Clauses) == 0 {
				continue
			}
			applies := slices.ContainsFunc(r.Clauses, func(id string) bool {
				c, _ := clause.Find(id)
				return slices.Contains(c.Classes, string(level))
			})
			if !applies {
				t.Errorf("%s blocks at %s, where none of its clauses applies", r.ID, level)
			}
		}
	}
}

func TestNeedsAndTriggersFollowThePolicy(t *testing.T) {
	t.Parallel()
	all := rules.Needs(nil)
	for _, n := range []fact.Need{fact.NeedFiles, fact.NeedDiffs, fact.NeedChecks, fact.NeedThreads, fact.NeedPatches} {
		if !slices.Contains(all, n) {
			t.Errorf("the rules as shipped do not need %s", n)
		}
	}
	p := facttest.Policy("version: 1\nproduct: p\nclass: A\nrules:\n  verify-checks-green: off\n  review-quorum: off\n")
	got := rules.Needs(p)
	if slices.Contains(got, fact.NeedChecks) || slices.Contains(got, fact.NeedThreads) {
		t.Errorf("rules that are off need nothing, got %v", got)
	}
	if rules.Triggers(p)[fact.OnCheck] || rules.Triggers(p)[fact.OnThread] {
		t.Error("rules that are off are triggered by nothing")
	}
	if !rules.Triggers(nil)[fact.OnCheck] || !rules.Triggers(p)[fact.OnPushed] {
		t.Error("a trigger is missing")
	}
}
