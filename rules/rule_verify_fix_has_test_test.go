package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestVerifyFixHasTest(t *testing.T) {
	t.Parallel()
	noTest := func(c *fact.Change) { c.Files = c.Files[:2] }
	unnamed := func(c *fact.Change) {
		c.Commits[0].Message = "Hold the rate limit\n\nCR: #12\n"
		c.Files[2].Diff = "@@ -1 +1,2 @@\n+\tassert(limit()); /* see #91 */\n"
	}
	run(t, "verify-fix-has-test", []spoilt{
		{name: "a test that names the anomaly", want: rules.Pass, says: "#9"},
		{name: "no test", spoil: noTest, want: rules.Fail, says: "no test was added or changed", who: "mara"},
		{name: "warned at A", level: "A", spoil: noTest, want: rules.Fail, says: "no test"},
		{name: "a test deleted is no test", want: rules.Fail, says: "no test", spoil: func(c *fact.Change) { c.Files[2].Status = fact.Deleted }},
		{name: "a test that names nothing", spoil: unnamed, want: rules.Fail, says: "No test says that it verifies #9"},
		{name: "a test that names nothing is enough at A", level: "A", spoil: unnamed, want: rules.Pass},
		{
			name: "the test itself names it", want: rules.Pass,
			spoil: func(c *fact.Change) { c.Commits[0].Message = "Hold the rate limit\n\nCR: #12\n" },
		},
		{
			name: "named in the description", want: rules.Pass,
			spoil: func(c *fact.Change) { unnamed(c); c.Body += "\nVerifies: #9\n" },
		},
		{
			name: "verified by hand", want: rules.Pass, says: "sam verified it on build-412",
			spoil: func(c *fact.Change) { noTest(c); ft.Say(c, ft.Sam(), ft.At(27), "/primum verify build-412") },
		},
		{
			name: "verified by hand by an author", want: rules.Fail, says: "no test",
			spoil: func(c *fact.Change) { noTest(c); ft.Say(c, ft.Mara(), ft.At(27), "/primum verify build-412") },
		},
		{
			name: "verified by hand on an older head", want: rules.Fail, says: "no test",
			spoil: func(c *fact.Change) {
				noTest(c)
				ft.Say(c, ft.Sam(), ft.At(27), "/primum verify build-412").HeadThen = ft.Older
			},
		},
		{
			name: "no correction", want: rules.NA,
			spoil: func(c *fact.Change) { noTest(c); ft.Section(c, 12, "Kind of change", "new function"); ft.Unlink(c, 9) },
		},
	})
}
