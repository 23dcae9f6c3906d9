package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestCRApproved(t *testing.T) {
	t.Parallel()
	unapproved := func(c *fact.Change) { c.Issue(12).Comments = c.Issue(12).Comments[1:] }
	by := func(who fact.Person) func(*fact.Change) {
		return func(c *fact.Change) { c.Issue(12).Comments[0].Author = who }
	}
	label := func(actor fact.Person, events ...bool) func(*fact.Change) {
		return func(c *fact.Change) {
			unapproved(c)
			for i, added := range events {
				c.Issue(12).LabelEvents = append(c.Issue(12).LabelEvents,
					fact.LabelEvent{Label: "approved", Added: added, Actor: actor, At: ft.At(5 + float64(i))})
			}
		}
	}
	risk := []string{"risk-assessment-present"} // its confirmation is of the text too
	run(t, "cr-approved", []spoilt{
		{name: "approved by the quality role", want: rules.Pass, says: "chen approved #12"},
		{name: "not approved", spoil: unapproved, want: rules.Fail, says: "Change request #12 is not approved", who: "chen,ruth"},
		{name: "approved without the role", spoil: by(ft.Jonas()), want: rules.Fail, says: "jonas does not hold the role quality"},
		{name: "approved by a stranger", spoil: by(ft.Guest()), want: rules.Fail, says: "guest does not hold the role"},
		{name: "approved by a bot", spoil: by(ft.Bot()), want: rules.Fail, says: "not approved"},
		{
			name: "approved by an author of the change", want: rules.Fail, says: "chen is an author of the change",
			spoil: func(c *fact.Change) {
				c.Commits[0].CoAuthors = []fact.Identity{{Name: "chen", Email: "chen@pump.example", Account: ft.Chen()}}
			},
		},
		{
			name: "edited after the approval", want: rules.Fail, says: "it was edited by mara after chen approved it", also: risk,
			spoil: func(c *fact.Change) { c.Issue(12).TextEditedAt, c.Issue(12).TextEditor = ft.At(6), ft.Mara() },
		},
		{
			name: "perhaps edited after the approval", want: rules.Fail, also: risk,
			says:  "whether its text was edited after chen approved it cannot be told on this forge",
			spoil: func(c *fact.Change) { c.Issue(12).TextEditedAt, c.Issue(12).TextEditUnsure = ft.At(6), true },
		},
		{
			name: "edited before the approval", want: rules.Pass,
			spoil: func(c *fact.Change) { c.Issue(12).TextEditedAt, c.Issue(12).TextEditor = ft.At(2), ft.Mara() },
		},
		{
			name: "the text seen at the approval was another", want: rules.Fail, says: "its text changed after chen approved it",
			spoil: func(c *fact.Change) {
				c.Issue(12).Comments[0].SubjectThen = fact.TextDigest("Hold the rate limit", "less")
			},
		},
		{
			name: "the text seen at the approval is the text", want: rules.Pass, also: risk,
			spoil: func(c *fact.Change) {
				n := c.Issue(12)
				n.Comments[0].SubjectThen = n.TextDigest()
				n.TextEditedAt = ft.At(6) // edited and edited back
			},
		},
		{
			name: "approved again after the edit", want: rules.Pass, also: risk,
			spoil: func(c *fact.Change) {
				c.Issue(12).TextEditedAt = ft.At(6)
				ft.SayOn(c, 12, ft.Ruth(), ft.At(7), "/primum approve")
			},
		},
		{
			name: "a comment edited into an approval", want: rules.Fail, says: "not approved",
			spoil: func(c *fact.Change) {
				k := &c.Issue(12).Comments[0]
				k.First, k.EditedAt, k.Editor = "Looks fine.", ft.At(5), ft.Chen()
			},
		},
		{
			name: "an edited comment of unknown first text", want: rules.Fail, says: "not approved",
			spoil: func(c *fact.Change) {
				k := &c.Issue(12).Comments[0]
				k.First, k.FirstKnown = "", false
			},
		},
		{name: "label set by the role", spoil: label(ft.Chen(), true), want: rules.Pass, says: "chen"},
		{name: "label set by somebody else", spoil: label(ft.Mara(), true), want: rules.Fail, says: "mara does not hold the role"},
		{name: "label set and removed again", spoil: label(ft.Chen(), true, false), want: rules.Fail, says: "not approved"},
		{
			name: "a label without its event", want: rules.Fail, says: "not approved",
			spoil: func(c *fact.Change) { unapproved(c); c.Issue(12).Labels = append(c.Issue(12).Labels, "approved") },
		},
		{
			name: "approved after the merge", want: rules.Fail, says: "after the merge",
			spoil: func(c *fact.Change) {
				c.State, c.MergedAt = fact.Merged, ft.At(27.5)
				c.Issue(12).Comments[0].CreatedAt = ft.At(27.9)
			},
		},
		{
			name: "nobody holds the role", want: rules.Fail, says: "The policy names nobody for the role quality", who: "whoever looks after .primum.yml",
			policy: without("  quality: [team:qa]\n"),
		},
	})
}
