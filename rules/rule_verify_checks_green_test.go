package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestVerifyChecksGreen(t *testing.T) {
	t.Parallel()
	state := func(s fact.CheckState) func(*fact.Change) {
		return func(c *fact.Change) { ft.Check(c, "test").State = s }
	}
	drop := func(c *fact.Change) { c.Checks = []fact.Check{c.Checks[0], c.Checks[2]} }
	run(t, "verify-checks-green", []spoilt{
		{name: "all green", want: rules.Pass, says: "3 required checks"},
		{name: "failed", spoil: state(fact.CheckFailure), want: rules.Fail, says: "`test` failed", who: "mara"},
		{name: "running", spoil: state(fact.CheckPending), want: rules.Pending, says: "`test` is running"},
		{name: "skipped is not green", spoil: state(fact.CheckSkipped), want: rules.Fail, says: "`test` was skipped, which is not a success"},
		{name: "neutral is not green", spoil: state(fact.CheckNeutral), want: rules.Fail, says: "`test` was neutral"},
		{name: "cancelled", spoil: state(fact.CheckCancelled), want: rules.Fail, says: "`test` was cancelled"},
		{name: "a state nobody knows", spoil: state("stale"), want: rules.Fail, says: "`test` ended as `stale`"},
		{name: "not reported yet", spoil: drop, want: rules.Pending, says: "`test` has not reported on 3f9c0b7d yet"},
		{name: "misra is not asked at B", level: "B", spoil: func(c *fact.Change) { c.Checks = c.Checks[:2] }, want: rules.Pass, says: "2 required checks"},
		{
			name: "set by an author by hand", want: rules.Fail, says: "`test` was reported by mara, an author",
			spoil: func(c *fact.Change) { k := ft.Check(c, "test"); k.Source, k.SourceID = "mara", ft.Mara().ID },
		},
		{
			name: "the author's status beside a failed one", want: rules.Fail, says: "`test` failed",
			spoil: func(c *fact.Change) {
				state(fact.CheckFailure)(c)
				c.Checks = append(c.Checks, fact.Check{Name: "test", State: fact.CheckSuccess, Source: "mara", SourceID: ft.Mara().ID})
			},
		},
		{
			name: "two machines disagree", want: rules.Fail, says: "`test` failed",
			spoil: func(c *fact.Change) {
				c.Checks = append(c.Checks, fact.Check{Name: "test", State: fact.CheckFailure, Source: "other-ci"})
			},
		},
		{
			name: "from another source than the policy pins", want: rules.Fail, says: "`build` was reported by github-actions and not by jenkins",
			policy: replaced("C: [build, test, misra]", "C: [{name: build, source: jenkins}]"),
		},
		{name: "from the source the policy pins", want: rules.Pass, policy: replaced("C: [build, test, misra]", "C: [{name: build, source: github-actions}]")},
		{
			name: "our own check is no evidence", want: rules.Pending, says: "`test` has not reported",
			spoil: func(c *fact.Change) { ft.Check(c, "test").Ours = true },
		},
		{name: "none required", want: rules.NA, says: "requires no check at class C", policy: without("checks: {A: [build], B: [build, test], C: [build, test, misra]}\n")},
	})
}
