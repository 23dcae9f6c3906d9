package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestReviewMeaning(t *testing.T) {
	t.Parallel()
	body := func(text string) func(*fact.Change) {
		return func(c *fact.Change) { c.Reviews[1].Body, c.Reviews[1].First = text, text }
	}
	run(t, "review-meaning", []spoilt{
		{name: "signed in the review", want: rules.Pass},
		{name: "a bare approval at C", spoil: body(""), want: rules.Fail, says: "The approval of priya does not say what it means", who: "priya"},
		{name: "a bare approval at B means what the role stands for", level: "B", spoil: body(""), want: rules.Pass},
		{name: "a word of the list", spoil: body("Verified on the bench; verified."), want: rules.Pass},
		{name: "a meaning of another role", spoil: body("/primum sign risk-reviewed"), want: rules.Fail, says: "priya signed risk-reviewed, which verification cannot"},
		{
			name: "signed afterwards in a comment", want: rules.Pass,
			spoil: func(c *fact.Change) { body("Fine.")(c); ft.Say(c, ft.Priya(), ft.At(27.5), "/primum sign verified") },
		},
		{
			name: "signed in a comment on an older head", want: rules.Fail, says: "priya",
			spoil: func(c *fact.Change) {
				body("Fine.")(c)
				ft.Say(c, ft.Priya(), ft.At(27.5), "/primum sign verified").HeadThen = ft.Older
			},
		},
		{
			name: "signed by somebody else", want: rules.Fail, says: "priya",
			spoil: func(c *fact.Change) { body("Fine.")(c); ft.Say(c, ft.Sam(), ft.At(27.5), "/primum sign verified") },
		},
		{
			name: "a text edited in later", want: rules.Fail, says: "priya",
			spoil: func(c *fact.Change) { body("")(c); c.Reviews[1].Body = "/primum sign verified" },
		},
		{
			name: "a checklist with an open point", want: rules.Fail, says: "1 point of the checklist in the review of priya",
			spoil: body("/primum sign verified\n\n- [x] limits\n- [ ] alarm\n"),
		},
		{name: "a checklist that is complete", spoil: body("/primum sign verified\n\n- [x] limits\n- [x] alarm\n"), want: rules.Pass},
		{name: "nobody approved", spoil: func(c *fact.Change) { c.Reviews = nil }, want: rules.Pending, also: []string{"review-quorum"}},
	})
}
