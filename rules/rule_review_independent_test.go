package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestReviewIndependent(t *testing.T) {
	t.Parallel()
	priyaDevelops := func(c *fact.Change) {
		p := c.People["team:firmware"]
		p.Members = append(p.Members, ft.Priya())
		c.People["team:firmware"] = p
	}
	run(t, "review-independent", []spoilt{
		{name: "verification is not development", want: rules.Pass, says: "priya"},
		{name: "every approver develops", spoil: priyaDevelops, want: rules.Fail, says: "Everybody who approved (jonas and priya)", who: "sam,noor,chen,ruth"},
		{
			name: "a third, independent approval", want: rules.Pass, says: "noor",
			spoil: func(c *fact.Change) {
				priyaDevelops(c)
				ft.Approve(c, ft.Noor(), ft.At(27.5), "/primum sign risk-reviewed")
			},
		},
		{name: "the missing approval can bring it", spoil: func(c *fact.Change) { ft.Drop(c, ft.Priya()) }, want: rules.Pending, also: []string{"review-quorum"}},
		{name: "warned at B", level: "B", spoil: func(c *fact.Change) { ft.Drop(c, ft.Priya()) }, want: rules.Fail, says: "jonas"},
		{
			name: "developers may be independent by policy", policy: with("rules:\n  review-independent: {C: {design-roles: [regulatory]}}\n"),
			spoil: priyaDevelops, want: rules.Pass,
		},
	})
}

func TestReviewIndependentIsOffAtA(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("A")
	for _, r := range judge(c, p).Results {
		if r.Rule == "review-independent" || r.Rule == "review-meaning" {
			t.Errorf("%s is judged at A", r.Rule)
		}
	}
}
