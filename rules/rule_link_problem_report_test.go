package rules_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

// What a request names has its own address, read or not.
func TestNamedProblemReportsHaveTheirOwnAddress(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	ft.Unlink(c, 9)
	ft.Section(c, 12, "Anomalies it resolves", "#9, #77 and acme/other#5")
	got := map[string]string{}
	for _, e := range resultOf(t, judge(c, p), "link-problem-report").Evidence {
		got[e.Ref] = e.URL
	}
	at := "https://forge.example/acme/infusion-pump/issues/"
	want := map[string]string{"#9": at + "9", "#77": at + "77", "acme/other#5": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}

func TestLinkProblemReport(t *testing.T) {
	t.Parallel()
	noAnomaly := func(c *fact.Change) {
		ft.Unlink(c, 9)
		ft.Section(c, 12, "Anomalies it resolves", "_No response_")
	}
	run(t, "link-problem-report", []spoilt{
		{name: "the report is linked", want: rules.Pass, says: "#9"},
		{name: "the request names it", spoil: func(c *fact.Change) { ft.Unlink(c, 9) }, want: rules.Pass, says: "names #9", also: []string{"verify-fix-has-test"}},
		{name: "a corrective request without report", spoil: noAnomaly, want: rules.Fail, says: "Change request #12 is corrective", who: "mara"},
		{
			name: "an improvement needs none", want: rules.NA,
			spoil: func(c *fact.Change) {
				noAnomaly(c)
				ft.Section(c, 12, "Kind of change", "improvement")
				c.Title = "fix: rate"
			},
		},
		{
			name: "the title says fix", want: rules.Fail, says: "The title calls this a fix",
			spoil: func(c *fact.Change) {
				noAnomaly(c)
				ft.Section(c, 12, "Kind of change", "")
				c.Title = "fix(dosing): rate"
			},
			also: []string{"cr-analysis-complete"},
		},
		{
			name: "the branch says fix", want: rules.Fail, says: "The branch name calls this a fix",
			spoil: func(c *fact.Change) {
				noAnomaly(c)
				ft.Section(c, 12, "Kind of change", "")
				c.Head.Name = "bugfix/rate"
			},
			also: []string{"cr-analysis-complete"},
		},
		{
			name: "a fixture is no fix", want: rules.NA,
			spoil: func(c *fact.Change) {
				noAnomaly(c)
				ft.Section(c, 12, "Kind of change", "")
				c.Title = "Fixture for the bench"
			},
			also: []string{"cr-analysis-complete"},
		},
		{
			name: "what the request names is no problem report", want: rules.Fail, says: "not marked as one",
			spoil: func(c *fact.Change) {
				n := c.Issue(9)
				n.Labels, n.Body = nil, "Something else"
			},
		},
	})
}
