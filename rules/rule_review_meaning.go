package rules

import (
	"slices"
	"strings"

	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

const reviewMeaningID = "review-meaning"

var reviewMeaning = Rule{
	ID:       reviewMeaningID,
	Title:    "Approvals say what they mean",
	Short:    "meaning of approval",
	Group:    "review",
	Clauses:  []string{"5.5.4", "5.3.6", "5.4.4"},
	Other:    []string{"21 CFR Part 11 11.50"},
	Defaults: perClass(policy.Off, policy.Warn, policy.Block),
	Waivable: everywhere(),
	Since:    "0.1",
	Params: []policy.Param{{
		Name: "default-meaning", Kind: policy.KindBool, Stricter: -1,
		Doc: "Whether a plain approval means what the reviewer's role stands for: developer reviewed-code, verification verified, " +
			"risk risk-reviewed, quality and regulatory approved-change.",
		Default: defaults(true, true, false),
	}},
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedReviews, fact.NeedPatches, fact.NeedCommits, fact.NeedPeople, fact.NeedComments},
	Partial:  []fact.Need{fact.NeedPatches},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnPushed, fact.OnReviewed, fact.OnCommand, fact.OnPeople},
	Why: "A record of verification shows what the signer stands for: that the code was read, that it was tried, that the risk was considered. " +
		"A bare button does not.",
	Fix: "Write `/primum sign reviewed-code` as the first line of the review, or comment it afterwards. The meanings are reviewed-code, " +
		"approved-change, verified, risk-reviewed and released.",
	Good: Example{Text: "priya's review begins with `/primum sign verified`."},
	Bad: Example{
		Text: "The reviews are approvals with the text \"LGTM\".",
		Edit: func(c *fact.Change) {
			for i := range c.Reviews {
				c.Reviews[i].Body, c.Reviews[i].First = "LGTM, the limits and the alarm look right", "LGTM, the limits and the alarm look right"
			}
		},
	},
	Check: checkReviewMeaning,
}

func checkReviewMeaning(c *Case) Result {
	counted, present := c.People.voters()
	if len(counted) == 0 {
		if len(present) == 0 {
			return waitsFor("the first approval")
		}
		return waitsFor("an approval that holds")
	}
	var findings []Finding
	var ev []Evidence
	for i := range counted {
		a := &counted[i]
		e := a.evidenceOf()
		switch {
		case a.meaning == "" && c.Setting.Bool("default-meaning"):
			e.Text = roleMeanings(a.roles)[0] + " (by role)"
		case a.meaning == "":
			findings = append(findings, a.noMeaning())
		case !slices.Contains(roleMeanings(a.roles), a.meaning):
			findings = append(findings, a.wrongMeaning())
		default:
			e.Text = a.meaning
		}
		if n := openTicks(firstText(a.review)); n > 0 {
			findings = append(findings, a.openChecklist(n))
		}
		ev = append(ev, e)
	}
	return judged("Every approval says what it means", findings, ev...)
}

func (a *approval) noMeaning() Finding {
	who := login(a.review.Author)
	cmd := "/primum sign " + roleMeanings(a.roles)[0]
	return Finding{
		Outcome: Fail, Message: "The approval of " + who + " does not say what it means",
		Fix: who + " comments " + code(cmd), Who: []string{who}, Command: cmd, URL: a.review.URL,
	}
}

func (a *approval) wrongMeaning() Finding {
	who := login(a.review.Author)
	fit := roleMeanings(a.roles)
	return Finding{
		Outcome: Fail,
		Message: who + " signed " + a.meaning + ", which " + either(roleWords(a.roles)) + " cannot",
		Fix:     who + " comments " + code("/primum sign "+fit[0]) + ", or a person with the role signs",
		Who:     []string{who}, Command: "/primum sign " + fit[0], URL: a.review.URL,
	}
}

func (a *approval) openChecklist(n int) Finding {
	who := login(a.review.Author)
	return Finding{
		Outcome: Fail, Message: plural(n, "point", "points") + " of the checklist in the review of " + who + " not ticked",
		Fix: who + " reviews again with the list complete, or says at the point why it does not apply and ticks it",
		Who: []string{who}, URL: a.review.URL,
	}
}

// openTicks counts the task list items of a text that are not ticked.
func openTicks(text string) int {
	if !strings.Contains(text, "[ ]") {
		return 0
	}
	n := 0
	for _, s := range evidence.ParseDocument("### Checklist\n\n" + text).Sections {
		for _, t := range s.Ticks {
			if !t.Done {
				n++
			}
		}
	}
	return n
}

// roleMeanings are the meanings the holders of some roles can sign, the usual
// one of the first role first. A role the policy invented can sign the review.
func roleMeanings(roles []policy.Role) []string {
	var out []string
	add := func(ms ...string) {
		for _, m := range ms {
			if !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	for _, r := range roles {
		switch r {
		case policy.Developer:
			add("reviewed-code")
		case policy.Verification:
			add("verified", "reviewed-code")
		case policy.Risk:
			add("risk-reviewed", "reviewed-code")
		case policy.Quality, policy.Regulatory:
			add("approved-change", "reviewed-code", "released")
		default:
			add("reviewed-code", "approved-change")
		}
	}
	return out
}
