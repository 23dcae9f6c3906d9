package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

// What waits for, or cannot be told without, a change request.
var withoutRequest = []string{"link-problem-report", "cr-analysis-complete", "cr-approved", "risk-assessment-present", "verify-fix-has-test"}

func TestLinkChangeRequest(t *testing.T) {
	t.Parallel()
	bare := func(c *fact.Change) { ft.Unlink(c, 12); ft.Unlink(c, 9) }
	edit := func(f func(n *fact.Issue)) func(c *fact.Change) {
		return func(c *fact.Change) { ft.Unlink(c, 9); f(c.Issue(12)) }
	}
	run(t, "link-change-request", []spoilt{
		{name: "a request named in the description", want: rules.Pass, says: "#12"},
		{name: "nothing linked", spoil: bare, want: rules.Fail, says: "No change request is linked", who: "mara", also: withoutRequest},
		{
			name: "a number in the branch name is only a suggestion", spoil: func(c *fact.Change) { bare(c); c.Head.Name = "12-rate" },
			want: rules.Fail, says: "branch name", also: withoutRequest,
		},
		{
			name: "a number in a sentence is only a suggestion", spoil: func(c *fact.Change) { bare(c); c.Body = "As said in #12 before." },
			want: rules.Fail, says: "number in a sentence", also: withoutRequest,
		},
		{
			name: "linked by command", want: rules.Pass, says: "#12",
			spoil: func(c *fact.Change) {
				request := *c.Issue(12)
				ft.Unlink(c, 12)
				c.Issues = append(c.Issues, request)
				ft.Say(c, ft.Mara(), ft.At(25), "/primum link #12")
			},
		},
		{
			name: "rejected request", spoil: edit(func(n *fact.Issue) { n.State, n.Reason = fact.Closed, "not_planned" }),
			want: rules.Fail, says: "#12 was closed as not planned", also: withoutRequest,
		},
		{
			name: "finished request", spoil: edit(func(n *fact.Issue) { n.State, n.Reason = fact.Closed, "completed" }),
			want: rules.Fail, says: "#12 is closed already", also: withoutRequest,
		},
		{
			name: "the merge closed the request", want: rules.Pass,
			spoil: func(c *fact.Change) {
				c.State, c.MergedAt = fact.Merged, ft.At(27.5)
				n := c.Issue(12)
				n.State, n.Reason = fact.Closed, "completed"
			},
		},
		{
			name: "an issue of another kind", spoil: edit(func(n *fact.Issue) { n.Labels, n.Body = nil, "" }),
			want: rules.Fail, says: "#12 is not marked as a change request", also: withoutRequest,
		},
		{
			name: "the number of a change", spoil: edit(func(n *fact.Issue) { n.IsChange = true }),
			want: rules.Fail, says: "#12 is a change and not an issue", also: withoutRequest,
		},
		{
			name: "an issue that is not there", spoil: edit(func(n *fact.Issue) { n.Problem = "not found" }),
			want: rules.Fail, says: "could not be read (not found)", also: withoutRequest,
		},
		{
			name: "a request of another repository", want: rules.Fail, says: "acme/other#12 belongs to another repository", also: withoutRequest,
			spoil: func(c *fact.Change) {
				ft.Unlink(c, 9)
				ft.Unlink(c, 12)
				c.Body = "Refs acme/other#12"
				c.Issues = []fact.Issue{{Repo: "acme/other", Number: 12, Title: "x", State: fact.Open, Labels: []string{"change-request"}}}
			},
		},
		{
			name: "a problem report decided to be fixed acts as its own request", want: rules.Pass, says: "#9", also: withoutRequest,
			spoil: func(c *fact.Change) { ft.Unlink(c, 12) },
		},
		{
			name: "a problem report without a decision does not", want: rules.Fail, says: "#9 is a problem report", also: withoutRequest,
			spoil: func(c *fact.Change) {
				ft.Unlink(c, 12)
				ft.Section(c, 9, "Decision", "No action, the effect is below the limit.")
			},
		},
	})
}
