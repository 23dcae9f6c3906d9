package rules_test

import (
	"slices"
	"testing"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/facttest"
	"primum/rules/policy"
)

func TestCompliantChangePassesEveryRuleAtEveryClass(t *testing.T) {
	t.Parallel()
	for _, level := range []class.Level{"A", "B", "C"} {
		c, p := facttest.Compliant(level)
		v := judge(c, p)
		if v.State != rules.Pass || v.Class.Class != level {
			t.Errorf("class %s: %s, class %s: %s", level, v.State, v.Class.Class, v.Reason)
		}
		wellFormed(t, v)
		for _, r := range v.Results {
			if r.Outcome != rules.Pass && r.Outcome != rules.NA {
				t.Errorf("class %s: %s answers %s: %s", level, r.Rule, r.Outcome, r.Summary)
			}
		}
	}
}

func TestExamplesShowWhatTheyClaim(t *testing.T) {
	t.Parallel()
	// A wrong waiver matters only while its rule is not satisfied.
	also := map[string][]string{"waiver-valid": {"review-meaning"}}
	for _, r := range rules.All() {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			c, p := facttest.Compliant("C")
			if r.Good.Text == "" || r.Bad.Text == "" || r.Bad.Edit == nil {
				t.Fatal("an example lacks its text or its edit")
			}
			if r.Good.Edit != nil {
				r.Good.Edit(c)
			}
			v := judge(c, p)
			if v.State != rules.Pass || len(resultOf(t, v, r.ID).Findings) > 0 {
				t.Errorf("the good example is %s: %s", v.State, v.Reason)
			}
			c, p = facttest.Compliant("C")
			r.Bad.Edit(c)
			v = judge(c, p)
			got := resultOf(t, v, r.ID)
			if got.Outcome != rules.Fail || len(got.Findings) == 0 {
				t.Errorf("the bad example answers %s: %s", got.Outcome, got.Summary)
			}
			for _, other := range v.Results {
				if other.Rule != r.ID && other.Outcome == rules.Fail && other.Enforcement == policy.Block && !slices.Contains(also[r.ID], other.Rule) {
					t.Errorf("the bad example fails %s too: %s", other.Rule, other.Summary)
				}
			}
			wellFormed(t, v)
		})
	}
}
