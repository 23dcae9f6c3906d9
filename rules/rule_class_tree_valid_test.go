package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestClassTreeValid(t *testing.T) {
	t.Parallel()
	rationale := func(f func(*fact.Blob)) func(*fact.Change) {
		return func(c *fact.Change) {
			b := c.BaseFiles["docs/risk/ui-segregation.md"]
			f(&b)
			c.BaseFiles["docs/risk/ui-segregation.md"] = b
		}
	}
	run(t, "class-tree-valid", []spoilt{
		{name: "rationales exist", want: rules.Pass},
		{
			name: "a rationale is missing", spoil: rationale(func(b *fact.Blob) { b.Missing, b.Text = true, "" }), want: rules.Fail,
			says: "Item ui is declared A inside class C: docs/risk/ui-segregation.md: does not exist on main",
		},
		{name: "a rationale is empty", spoil: rationale(func(b *fact.Blob) { b.Text = " \n" }), want: rules.Fail, says: "is empty"},
		{name: "a rationale could not be read", spoil: rationale(func(b *fact.Blob) { b.Problem = "too large" }), want: rules.Fail, says: "too large"},
		{
			name: "no rationale is named", policy: replaced(", rationale: docs/risk/ui-segregation.md", ""), want: rules.Fail,
			says: "no rationale is named",
		},
		{
			name: "a part above its system", policy: replaced("class: C\nitems", "class: B\nitems"), want: rules.Fail,
			says: "dosing is C", who: "whoever looks after .primum.yml",
		},
	})
}

func TestAPolicyChangeThatMendsTheTreeIsNotHeldUpByIt(t *testing.T) {
	t.Parallel()
	c, _ := ft.Compliant("C")
	old := ft.Policy(replaced("class: C\nitems", "class: B\nitems"))
	v := rules.Evaluate(rules.Input{Change: c, Policy: old, HeadPolicy: ft.Policy(ft.PolicyText), Now: ft.Now()})
	if r := resultOf(t, v, "class-tree-valid"); r.Outcome != rules.Pass {
		t.Errorf("answers %s: %s", r.Outcome, r.Summary)
	}
}

func TestLoweringAClassAsksForItsOwnRequest(t *testing.T) {
	t.Parallel()
	lower := ft.Policy(replaced("{id: dosing, class: C", "{id: dosing, rationale: docs/risk/ui-segregation.md, class: B"))
	c, p := ft.Compliant("C")
	in := rules.Input{Change: c, Policy: p, HeadPolicy: lower, Now: ft.Now()}
	v := rules.Evaluate(in)
	r := resultOf(t, v, "class-tree-valid")
	if r.Outcome != rules.Fail || len(r.Findings) != 1 {
		t.Fatalf("answers %s: %s", r.Outcome, r.Summary)
	}
	ft.Section(c, 12, "Kind of change", "classification")
	if r := resultOf(t, rules.Evaluate(in), "class-tree-valid"); r.Outcome != rules.Pass {
		t.Errorf("with a request of kind classification it answers %s: %s", r.Outcome, r.Summary)
	}
}
