package rules

import (
	"slices"
	"strings"

	"primum/rules/fact"
	"primum/rules/policy"
)

const verifyNotWeakenedID = "verify-not-weakened"

var verifyNotWeakened = Rule{
	ID:       verifyNotWeakenedID,
	Title:    "Verification is not made weaker unseen",
	Short:    "weaker tests",
	Group:    "verification",
	Clauses:  []string{"8.2.3", "5.1.10", "5.5.2", "5.6.5"},
	Defaults: perClass(policy.Warn, policy.Block, policy.Block),
	Waivable: everywhere(),
	Since:    "0.1",
	Params: []policy.Param{{
		Name: "approver-roles", Kind: policy.KindRoles, Stricter: 0,
		Doc: "Whose approval, with a reason, allows it; empty for any role.",
		Default: defaults([]policy.Role{policy.Verification}, []policy.Role{policy.Verification},
			[]policy.Role{policy.Verification}),
	}},
	Needs: []fact.Need{
		fact.NeedFiles, fact.NeedDiffs, fact.NeedReviews, fact.NeedPatches, fact.NeedPeople, fact.NeedCommits, fact.NeedComments,
	},
	Partial:  []fact.Need{fact.NeedPatches},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnPushed, fact.OnReviewed, fact.OnCommand, fact.OnPeople},
	Why: "A deleted test, a lower threshold or a step that may fail makes the next check green for the wrong reason. It can be right to do; then the " +
		"role that answers for verification says so and why.",
	Fix:  "Keep the test or the threshold, or have a holder of verification approve with a review that says why it may go.",
	Good: Example{Text: "priya (verification) approved and wrote why the old test is no longer needed."},
	Bad: Example{
		Text: "A test file was deleted, and the approval of the verification role gives no reason.",
		Edit: func(c *fact.Change) {
			c.Files = append(c.Files, fact.File{Path: "tests/dosing/occlusion_test.c", Status: fact.Deleted, Removed: 12, DiffKnown: true})
			for i := range c.Reviews {
				c.Reviews[i].First, _, _ = strings.Cut(c.Reviews[i].First, "\n")
				c.Reviews[i].Body = c.Reviews[i].First
			}
		},
	},
	Check: checkVerifyNotWeakened,
}

func checkVerifyNotWeakened(c *Case) Result {
	found, unseen := c.weakenings()
	if len(found) == 0 && len(unseen) == 0 {
		return passed("Nothing that verifies the software got weaker")
	}
	roles := c.approvers(c.Setting)
	for i := range c.People.verdicts {
		a := &c.People.verdicts[i]
		if a.sound() && a.byRoles(roles...) && c.givesReason(a) {
			return passed(login(a.review.Author)+" allowed it with a reason", a.evidenceOf())
		}
	}
	var findings []Finding
	if len(found) > 0 {
		findings = append(findings, c.weaker(found, roles))
	}
	for _, f := range unseen {
		findings = append(findings, Finding{
			Outcome: Unknown, Message: "The difference of " + code(f.Path) + " could not be read, so whether it got weaker is not known",
			Fix:  "Have a holder of " + either(roleWords(roles)) + " look at it and approve with a reason, or split the change",
			Path: f.Path, Who: logins(c.People.eligible(roles...)),
		})
	}
	return judged("", findings)
}

// weakenings looks through the tests, workflows and settings that the change
// touches; unseen are those whose difference is not known.
func (c *Case) weakenings() (found []weakening, unseen []*fact.File) {
	seen := func(f *fact.File) bool {
		if f.DiffKnown || f.Status == fact.Deleted || f.Status == fact.Added || f.Added+f.Removed == 0 && f.Status == fact.Renamed {
			return true
		}
		if !slices.Contains(unseen, f) {
			unseen = append(unseen, f)
		}
		return false
	}
	for _, f := range c.files.tests {
		seen(f)
	}
	if len(c.files.tests) > 0 {
		found = weakenedTests(c.files.tests, c.files.isTest)
	}
	for _, f := range c.files.workflows {
		if seen(f) {
			found = append(found, weakenedWorkflow(f)...)
		}
	}
	for _, f := range c.files.settings {
		if seen(f) {
			found = append(found, weakenedSettings(f)...)
		}
	}
	return found, unseen
}

// weaker is the one finding for all weakenings: one approval settles them.
func (c *Case) weaker(found []weakening, roles []policy.Role) Finding {
	var what []string
	for _, w := range found {
		what = append(what, code(w.path)+" ("+w.what+")")
	}
	f := Finding{
		Outcome: Fail, Message: "Verification gets weaker: " + few(what),
		Path: found[0].path, Line: found[0].line,
	}
	who := logins(c.People.eligible(roles...))
	if len(who) == 0 {
		if none, ok := c.People.nobody(roles...); ok && !c.unstaffed() {
			f.Fix, f.Who = "Take it back, or name somebody who can allow it: "+none.Fix, append(c.opener(), none.Who...)
			return f
		}
		f.Fix, f.Who = "Take it back, or have a holder of "+either(roleWords(roles))+" approve with a reason", c.opener()
		return f
	}
	f.Fix = "Take it back, or have " + askOneLower(who, roles) + " approve with a review that says why"
	f.Who = who
	return f
}

func askOneLower(people []string, roles []policy.Role) string {
	s := askOne(people, roles)
	if strings.HasPrefix(s, "A holder") {
		return "a" + s[1:]
	}
	return s
}

// reasonWords is how many words that say something make a reason.
const reasonWords = 3

// givesReason reports whether an approval says why: in its own text, or in a
// sign command of the same person on the same commit.
func (c *Case) givesReason(a *approval) bool {
	if says(afterCommand(firstText(a.review))) >= reasonWords {
		return true
	}
	for i := range c.Evidence.Commands {
		k := &c.Evidence.Commands[i]
		if k.Name == "sign" && k.Wrong == "" && k.Comment != nil && k.By.Is(a.review.Author) && sameHead(k, a.review) &&
			says(afterCommand(k.Comment.First)) >= reasonWords {
			return true
		}
	}
	return false
}

// afterCommand drops the first line if it is a command.
func afterCommand(text string) string {
	first, rest, _ := strings.Cut(strings.TrimLeft(text, " \r\n"), "\n")
	if strings.HasPrefix(strings.ToLower(first), "/primum") {
		return rest
	}
	return text
}
