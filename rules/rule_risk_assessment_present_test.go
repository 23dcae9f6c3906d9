package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

const (
	risk1 = "Risk 1: new cause of a hazardous situation, SOUP included"
	risk2 = "Risk 2: more or other risk controls needed"
	risk3 = "Risk 3: interference with an existing risk control"
	risk4 = "Risk 4: effect on security"
)

func TestRiskAssessmentPresent(t *testing.T) {
	t.Parallel()
	section := func(title, text string) func(*fact.Change) {
		return func(c *fact.Change) { ft.Section(c, 12, title, text) }
	}
	unconfirmed := func(c *fact.Change) { c.Issue(12).Comments = c.Issue(12).Comments[:1] }
	bare := func(c *fact.Change) { ft.Unlink(c, 12); ft.Unlink(c, 9) }
	request := []string{"link-change-request"}
	answers := "/primum risk 1: no, because nothing new reaches the motor\n2: no, because the limit covers the ramp\n" +
		"3: no, because the clamp stays in place\n4: no, because nothing outside can reach it"
	run(t, "risk-assessment-present", []spoilt{
		{name: "answered on the request", want: rules.Pass},
		{name: "an empty question", spoil: section(risk1, ""), want: rules.Fail, says: "of #12 is incomplete: question 1 (new cause of a hazardous situation) is not answered", who: "mara"},
		{name: "a placeholder", spoil: section(risk4, "tbd"), want: rules.Fail, says: "question 4 (security) is answered with a placeholder"},
		{name: "a no without a reason", spoil: section(risk1, "No."), want: rules.Fail, says: "answered no without a reason"},
		{
			name: "a no with too short a reason", spoil: section(risk1, "No, because it only lowers."), want: rules.Fail,
			says: "answered no with too short a reason (2 of 3 words that say something)",
		},
		{name: "a no with boilerplate", spoil: section(risk1, "No, no impact, n/a"), want: rules.Fail, says: "answered no without a reason"},
		{name: "neither yes nor no", spoil: section(risk1, "The motor is not concerned by this"), want: rules.Fail, says: "begins with neither yes nor no"},
		{name: "a yes without a risk", spoil: section(risk3, "Yes, the clamp is concerned somehow"), want: rules.Fail, says: "answered yes without a risk reference"},
		{name: "question 2 is not asked at A", level: "A", spoil: section(risk2, ""), want: rules.Pass},
		{name: "question 2 is asked at B", level: "B", spoil: section(risk2, ""), want: rules.Fail, says: "question 2"},
		{name: "a yes that the risk role did not confirm", spoil: unconfirmed, want: rules.Fail, says: "A yes to question 3 on #12 is not confirmed by the risk role", who: "noor"},
		{name: "confirmation is not asked at A", level: "A", spoil: unconfirmed, want: rules.Pass},
		{
			name: "confirmed by somebody else", want: rules.Fail, says: "not confirmed",
			spoil: func(c *fact.Change) { c.Issue(12).Comments[1].Author = ft.Jonas() },
		},
		{
			name: "confirmed on the change", want: rules.Pass,
			spoil: func(c *fact.Change) { unconfirmed(c); ft.Say(c, ft.Noor(), ft.At(25), "/primum risk confirm") },
		},
		{
			name: "edited after the confirmation", want: rules.Fail, says: "not confirmed", also: []string{"cr-approved"},
			spoil: func(c *fact.Change) { c.Issue(12).TextEditedAt = ft.At(6) },
		},
		{
			name: "answered by the risk role itself", want: rules.Pass,
			spoil: func(c *fact.Change) {
				unconfirmed(c)
				ft.SayOn(c, 12, ft.Noor(), ft.At(5), "/primum risk 3: yes, the clamp is the control of HZ-3")
			},
		},
		{
			name: "a security yes needs no confirmation", want: rules.Pass,
			spoil: func(c *fact.Change) {
				unconfirmed(c)
				ft.Section(c, 12, risk3, "No, because the clamp itself is not altered.")
				ft.Section(c, 12, risk4, "Yes, see RISK-8 for the service port.")
			},
		},
		{
			name: "answered by command in place of the form", want: rules.Pass,
			spoil: func(c *fact.Change) {
				ft.Section(c, 12, risk1, "")
				ft.Say(c, ft.Mara(), ft.At(25), "/primum risk 1: no, because nothing new reaches the motor")
			},
		},
		{
			name: "a later answer without a reason replaces a good one", want: rules.Fail, says: "question 1",
			spoil: func(c *fact.Change) { ft.Say(c, ft.Mara(), ft.At(25), "/primum risk 1: no") },
		},
		{
			name: "answers of a bot", want: rules.Fail, says: "was answered by a bot only",
			spoil: func(c *fact.Change) { c.Issue(12).Author = ft.Bot() },
		},
		{
			name: "a bot's command is not obeyed", want: rules.Fail, says: "question 1",
			spoil: func(c *fact.Change) {
				ft.Section(c, 12, risk1, "")
				ft.Say(c, ft.Bot(), ft.At(25), "/primum risk 1: no, because nothing new reaches the motor")
			},
		},
		{name: "no request to answer on", spoil: bare, want: rules.Pending, says: "the change request", also: request},
		{
			name: "no request, answered on the change", want: rules.Pass, also: request,
			spoil: func(c *fact.Change) { bare(c); ft.Say(c, ft.Mara(), ft.At(25), answers) },
		},
		{
			name: "the policy answers for paths without effect at run time", want: rules.Pass, says: "no effect at run time",
			policy: with("no-runtime-effect: [tests/**]\n"),
			spoil: func(c *fact.Change) {
				ft.Section(c, 12, risk1, "")
				c.Files = c.Files[2:]
			},
		},
		{
			name: "not for others", want: rules.Fail, policy: with("no-runtime-effect: [tests/**]\n"),
			spoil: section(risk1, ""), says: "question 1",
		},
		{
			name: "nobody holds the risk role", policy: without("  risk: [user:noor]\n"), want: rules.Fail,
			says: "The policy names nobody for the role risk",
		},
	})
}
