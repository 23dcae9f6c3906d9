package policy_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules/policy"
)

func TestADifferenceIsSaidInWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, old, now string
		want           []string // weaker ones marked with -
	}{
		{"nothing", "", "# a remark\n", nil},
		{"a parameter", "", "rules: {review-quorum: {C: {approvals: 1}}}", []string{"- review-quorum at class C asks for 1 approval instead of 2"}},
		{"the same at several classes", "", "rules: {review-quorum: {A: {approvals: 2}, B: {approvals: 2}}}", []string{"+ review-quorum at classes A and B asks for 2 approvals instead of 1"}},
		{"the same everywhere", "", "rules: {review-quorum: warn}", []string{"- review-quorum at every class is warn instead of block"}},
		{"weaker things come first", "", "rules: {review-independent: {B: block}, review-quorum: {C: off}}\nmode: observe", []string{
			"- mode is observe instead of enforce",
			"- review-quorum at class C is off instead of block",
			"+ review-independent at class B is block instead of warn",
		}},
		{"parameters of other kinds", "", "rules: {waiver-valid: {C: {max-days: 60, words: [], depth: short}}, review-not-stale: {C: {keep-on-rebase: true}}, review-quorum: {B: {roles: [developer, risk]}}}", []string{
			"- review-not-stale at class C sets keep-on-rebase to true instead of false",
			"- waiver-valid at class C sets max-days to 60 days instead of 30 days",
			"- waiver-valid at class C sets words to none instead of tbd",
			"- waiver-valid at class C sets depth to short instead of full",
			"+ review-quorum at class B sets roles to developer, risk instead of developer",
		}},
		{"a rule that is off before and after", "rules: {waiver-valid: off}", "rules: {waiver-valid: {enforcement: off, max-days: 366}}", nil},
		{"checks", "checks: [build, {name: test, source: ci}]", "checks: {A: [build, test], B: [build, test, misra], C: [build]}", []string{
			`- the check "test" at classes A and B may come from anyone instead of ci`,
			`- the check "test" at class C is no longer asked for`,
			`+ the check "misra" at class B is asked for`,
		}},
		{"people", "people: {risk: [user:mara]}", "people: {risk: [user:chen], clinical: [user:sam]}", []string{
			"- user:chen holds the role risk",
			"+ user:sam holds the role clinical",
			"+ user:mara no longer holds the role risk",
		}},
		{"who protects what", "", "protected: [{paths: [.primum.yml], role: developer}, {paths: [deploy/**], role: quality}]", []string{
			`- files like ".primum.yml" need the approval of developer instead of quality`,
			`+ files like "deploy/**" need the approval of quality instead of nobody`,
		}},
		{"a file moved to a lower item", "items: [{id: a, paths: [a/**]}, {id: b, class: A, rationale: r.md, paths: [b/**]}]", "items: [{id: a, paths: [x/**]}, {id: b, class: A, rationale: r.md, paths: [b/**, a/**]}]", []string{
			`- files like "a/**" count as b (A) instead of a (C)`,
			`+ files like "x/**" count as a (C) instead of unmapped (C)`,
		}},
		{"files taken out", "", "not-device-software: ['**/*.md']", []string{`- files like "**/*.md" count as no device software instead of pump (C)`}},
		{"an item's class and reasons", "items: [{id: a, controls: [{risk: HZ-1, class: C}], hazards: [HZ-1]}]", "items: [{id: a, class: A, rationale: docs/a.md}]", []string{
			"- the item a is argued for by docs/a.md instead of nothing",
			"- the item a no longer controls HZ-1 (C)",
			"- the item a no longer names the hazard HZ-1",
			"- the item a counts as A instead of C",
			"+ the item a is declared A (none before)",
			`+ files like "docs/a.md" need the approval of risk instead of nobody`,
		}},
		{"an item's class goes", "items: [{id: ui, class: A, rationale: docs/a.md}]", "items: [{id: ui, rationale: docs/a.md}]", []string{
			"+ the item ui no longer declares a class (was A)",
		}},
		{"items come and go", "items: [{id: a}]", "items: [{id: b}]", []string{"+ the item b is new", "+ the item a is gone"}},
		{"branches", "", "branches: [main]", []string{"- the policy governs the branch main and no other"}},
		{"branches widen", "branches: [main]", "branches: [main, 'release/*']", []string{"+ the policy governs the branch release/* too"}},
		{"issues", "", "issues: {change-request: {labels: [change-request, task]}}", []string{`- the label "task" marks change requests`}},
		{"verification", "verification: {tests: [a/**]}", "verification: {tests: [b/**]}", []string{`- files like "a/**" are no longer tests`, `+ files like "b/**" are tests`}},
		{"sections", "risk: {file: a.yml}", "risk: {file: b.yml}", []string{
			"- where the risk file is changes",
			`- files like "a.yml" need the approval of nobody instead of risk`,
			`+ files like "b.yml" need the approval of risk instead of nobody`,
		}},
		{"standing answers", "", "no-runtime-effect: [tests/**]", []string{`- files like "tests/**" have a standing risk answer`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			weakerDone := false
			for _, d := range policy.Diff(parse(t, three+tt.old+"\n"), parse(t, three+tt.now+"\n"), specs()) {
				mark := "+ "
				if d.Weaker {
					mark = "- "
				}
				if d.Weaker && weakerDone {
					t.Errorf("%q comes after something stricter", d.Words)
				}
				weakerDone = weakerDone || !d.Weaker
				if d.Key == "" {
					t.Errorf("%q has no key", d.Words)
				}
				got = append(got, mark+d.Words)
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(tt.want)), slices.Sorted(slices.Values(got))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestProductsThatChangeClass(t *testing.T) {
	t.Parallel()
	old := parse(t, "version: 1\nproduct: pump\nclass: C\nproducts: [{id: lite, class: B}]\nitems: [{id: ui}, {id: skin, products: [lite]}]\n")
	now := parse(t, "version: 1\nproduct: pump\nclass: B\nproducts: [{id: lite, class: A}]\nitems: [{id: ui}, {id: skin, products: [lite]}]\n")
	want := []policy.Fall{
		{ID: "pump", From: "C", To: "B"},
		{ID: "lite", From: "B", To: "A"},
		{ID: "skin", From: "B", To: "A"},
		{ID: "ui", From: "C", To: "B"},
	}
	if diff := cmp.Diff(want, policy.Falls(old, now)); diff != "" {
		t.Errorf("falls (-want +got):\n%s", diff)
	}
	if got := policy.Falls(now, old); got != nil {
		t.Errorf("what rises does not fall: %v", got)
	}
	var words []string
	for _, d := range policy.Diff(old, now, specs()) {
		if d.Weaker {
			words = append(words, d.Words)
		}
	}
	if diff := cmp.Diff([]string{
		"pump is class B instead of C", "lite is class A instead of B",
		"the item skin counts as A instead of B", "the item ui counts as B instead of C",
	}, words); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
}

func TestADroppedProductAndSchemeAreWeaker(t *testing.T) {
	t.Parallel()
	old := parse(t, "version: 1\nproducts: [{id: pump, class: C}, {id: lite, class: B}]\n")
	now := parse(t, "version: 1\nproducts: [{id: pump, class: C}, {id: mini, class: A}]\n")
	var got []string
	for _, d := range policy.Diff(old, now, specs()) {
		got = append(got, fmt.Sprint(d.Weaker, " ", d.Words))
	}
	if diff := cmp.Diff([]string{"true the product lite is gone", "false the product mini of class A is new"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
