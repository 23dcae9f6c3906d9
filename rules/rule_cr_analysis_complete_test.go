package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestCRAnalysisComplete(t *testing.T) {
	t.Parallel()
	section := func(title, text string) func(*fact.Change) {
		return func(c *fact.Change) { ft.Section(c, 12, title, text) }
	}
	run(t, "cr-analysis-complete", []spoilt{
		{name: "every field answered", want: rules.Pass},
		{name: "an empty field", spoil: section("Reason", ""), want: rules.Fail, says: `"Reason" is empty`, who: "mara"},
		{name: "the form's own placeholder", spoil: section("Reason", "_No response_"), want: rules.Fail, says: `"Reason" is empty`},
		{name: "tbd", spoil: section("Effect on released versions", "TBD"), want: rules.Fail, says: "placeholder"},
		{name: "tbd with words around it", spoil: section("Effect on released versions", "tbd after the next meeting of the board"), want: rules.Fail, says: "placeholder"},
		{name: "n/a alone", spoil: section("Effect on interfacing systems", "n/a"), want: rules.Fail, says: "without a reason"},
		{name: "none alone", spoil: section("Effect on interfacing systems", "None."), want: rules.Fail, says: "without a reason"},
		{
			name: "none with too short a reason", spoil: section("Effect on interfacing systems", "None, because lower."), want: rules.Fail,
			says: "with too short a reason (2 of 3 words that say something)",
		},
		{name: "none at all", spoil: section("Effect on interfacing systems", "None at all"), want: rules.Fail, says: "without a reason"},
		{name: "none with a reason", spoil: section("Effect on interfacing systems", "None: the telemetry format keeps its version."), want: rules.Pass},
		{name: "a dash", spoil: section("Effect on interfacing systems", "-"), want: rules.Fail, says: "Effect on interfacing systems"},
		{
			name: "an item the request does not name", want: rules.Fail, says: "touches `ui`", who: "mara",
			spoil: func(c *fact.Change) { ft.Touch(c, "ui/screen.c") },
		},
		{
			name: "the system names all its items", want: rules.Pass,
			spoil: func(c *fact.Change) {
				ft.Touch(c, "ui/screen.c")
				ft.Section(c, 12, "Affected items", "infusion-pump as a whole")
			},
		},
		{
			name: "an anomaly as its own request lacks the analysis", want: rules.Fail, says: "Problem report #9 is not analysed", who: "sam",
			spoil: func(c *fact.Change) { ft.Unlink(c, 12) }, also: []string{"cr-approved", "risk-assessment-present"},
		},
		{
			name: "an anomaly as its own request with the fields filled in", want: rules.Pass, also: []string{"cr-approved"},
			spoil: func(c *fact.Change) {
				body := c.Issue(12).Body
				ft.Unlink(c, 12)
				c.Issue(9).Body += body
				ft.SayOn(c, 9, ft.Noor(), ft.At(4), "/primum risk confirm")
			},
		},
		{name: "no request, said elsewhere", want: rules.NA, spoil: func(c *fact.Change) { ft.Unlink(c, 12); ft.Unlink(c, 9) }, also: append([]string{"link-change-request"}, withoutRequest...)},
	})
}
