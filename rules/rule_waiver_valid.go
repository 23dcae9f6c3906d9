package rules

import (
	"strings"
	"time"

	"primum/rules/fact"
	"primum/rules/policy"
)

const waiverValidID = "waiver-valid"

var waiverValid = Rule{
	ID:       waiverValidID,
	Title:    "Exceptions are allowed by the right person and end",
	Short:    "waiver",
	Group:    "exceptions",
	Clauses:  []string{"4.1"},
	Other:    []string{"ISO 13485:2016 8.3"},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Since:    "0.1",
	Params: []policy.Param{
		{
			Name: "max-days", Kind: policy.KindInt, Unit: "days", Min: 1, Max: 3650, Stricter: -1,
			Doc:     "How long a waiver may run from its request.",
			Default: defaults(180, 90, 30),
		},
		{
			Name: "approver-roles", Kind: policy.KindRoles, Stricter: 0,
			Doc:     "Who can approve a waiver: a holder of any of these roles who did not ask for it; empty for any role.",
			Default: defaults([]policy.Role{policy.Quality}, []policy.Role{policy.Quality}, []policy.Role{policy.Quality}),
		},
	},
	Needs:     []fact.Need{fact.NeedFiles, fact.NeedComments, fact.NeedPeople, fact.NeedCommits},
	Triggers:  []fact.Trigger{fact.OnOpened, fact.OnPushed, fact.OnCommand, fact.OnPeople, fact.OnClock},
	Evergreen: true,
	Why: "An exception with a reason, an approver and an end is sound practice; one that nobody wrote down is what an auditor finds. Some rules can " +
		"never be waived.",
	Fix: "Ask with `/primum waive RULE until YYYY-MM-DD because REASON`; a holder of quality comments `/primum approve W1`. Ask again, naming the issue " +
		"that follows it up, when it runs out.",
	Good: Example{Text: "jonas asked to waive verify-fix-has-test until the end of the month, chen (quality) approved W1."},
	Bad: Example{
		Text: "The approvals do not say what they mean, and mara asked to waive review-meaning for a whole year.",
		Edit: func(c *fact.Change) {
			for i := range c.Reviews {
				_, c.Reviews[i].First, _ = strings.Cut(c.Reviews[i].First, "\n")
				c.Reviews[i].Body = c.Reviews[i].First
			}
			body := "/primum waive review-meaning until " + c.ReadAt.AddDate(1, 0, 0).UTC().Format(time.DateOnly) + " because the signing page is not ready"
			c.Comments = append(c.Comments, fact.Comment{
				ID: "900", Author: c.Opener, Body: body, First: body, FirstKnown: true, CreatedAt: c.ReadAt.Add(-time.Hour),
			})
		},
	},
	Check: checkWaiverValid,
}

func checkWaiverValid(c *Case) Result {
	if len(c.Waivers) == 0 {
		return notApplicable("No waiver is asked for")
	}
	var findings []Finding
	var ev []Evidence
	for i := range c.Waivers {
		w := &c.Waivers[i]
		if w.State == WaiverActive {
			ev = append(ev, Evidence{Kind: "comment", Ref: w.ID, Text: w.Rule + ": " + excerpt(w.Because, 200), URL: w.URL, By: login(w.Approver), At: w.Approved})
		}
		if c.settled(i) {
			continue
		}
		if f, wrong := c.waiverFinding(i); wrong {
			findings = append(findings, f)
		}
	}
	good := "No waiver is needed any more"
	if len(ev) > 0 {
		good = plural(len(ev), "waiver", "waivers") + " in force"
	}
	return judged(good, findings, ev...)
}

// settled reports whether a waiver does not matter: a stranger asked for it, a
// later one for the same rule replaced it, or the rule is satisfied without it.
func (c *Case) settled(i int) bool {
	w := &c.Waivers[i]
	if !c.People.hasPart(w.Requester) {
		return true
	}
	for j := i + 1; j < len(c.Waivers); j++ {
		if c.Waivers[j].Rule == w.Rule && c.People.hasPart(c.Waivers[j].Requester) {
			return true
		}
	}
	if w.State == WaiverActive {
		return false
	}
	for _, r := range c.earlier {
		if r.Rule == w.Rule {
			return r.Outcome == Pass || r.Outcome == NA
		}
	}
	return true // the rule is off, or there is none of that name
}

func (c *Case) waiverFinding(i int) (Finding, bool) {
	w := &c.Waivers[i]
	f := Finding{Outcome: Fail, Who: []string{login(w.Requester)}, URL: w.URL}
	again := "/primum waive " + w.Rule + " until YYYY-MM-DD because REASON"
	roles := c.approvers(c.Setting)
	switch w.State {
	case WaiverActive:
		n := c.renewals(i)
		if n < 2 || strings.Contains(w.Because, "#") {
			return f, false
		}
		f.Message = "The waiver of " + code(w.Rule) + " (" + w.ID + ") was renewed " + plural(n, "time", "times") + " without a follow-up"
		f.Fix, f.Command = "Ask again and name the issue that follows it up (#NUMBER) in the reason", again
	case WaiverInvalid:
		f.Message = "The waiver " + w.ID + " of " + code(w.Rule) + " is not possible: " + w.Problem
		f.Fix, f.Command = "Satisfy the rule, or ask again with "+code(again), again
	case WaiverExpired:
		f.Message = "The waiver " + w.ID + " of " + code(w.Rule) + " " + w.Problem
		f.Fix, f.Command = "Satisfy the rule, or ask again with "+code(again), again
	case WaiverRequested:
		return c.requested(w, roles), true
	default:
		return f, false
	}
	return f, true
}

// requested says who can approve a waiver.
func (c *Case) requested(w *Waiver, roles []policy.Role) Finding {
	var who []string
	for _, p := range c.People.eligible(roles...) {
		if !p.Is(w.Requester) {
			who = append(who, login(p))
		}
	}
	f := Finding{
		Outcome: Pending, Message: "The waiver " + w.ID + " of " + code(w.Rule) + " is not approved yet",
		Fix: askOne(who, roles) + " comments " + code("/primum approve "+w.ID),
		Who: who, Command: "/primum approve " + w.ID, URL: w.URL,
	}
	if w.Problem != "" {
		f.Message = "The waiver " + w.ID + " of " + code(w.Rule) + " is not approved: " + w.Problem
	}
	if len(who) > 0 {
		return f
	}
	f.Outcome, f.Command = Fail, ""
	f.Who = []string{"whoever looks after " + c.People.policyAt}
	f.Message += ", and nobody who could is named"
	f.Fix = "Name a further person for " + either(roleWords(roles)) + " under people in " + c.People.policyAt
	if none, ok := c.People.nobody(roles...); ok {
		f.Fix = none.Fix
	}
	return f
}

// renewals counts earlier waivers of the same rule that ran out.
func (c *Case) renewals(i int) int {
	n := 0
	for j := range i {
		if c.Waivers[j].Rule == c.Waivers[i].Rule && c.Waivers[j].State == WaiverExpired && c.Waivers[j].Approver.Known() {
			n++
		}
	}
	return n
}
