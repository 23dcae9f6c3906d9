package rules

import (
	"primum/rules/fact"
	"primum/rules/policy"
)

const reviewNotStaleID = "review-not-stale"

var reviewNotStale = Rule{
	ID:       reviewNotStaleID,
	Title:    "The approvals were given on what is merged",
	Short:    "fresh approval",
	Group:    "review",
	Clauses:  []string{"8.2.3"},
	Other:    []string{"21 CFR Part 11 11.70"},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Waivable: perColumn("A"),
	Since:    "0.1",
	Params: []policy.Param{{
		Name: "keep-on-rebase", Kind: policy.KindBool, Stricter: -1,
		Doc:     "Whether an approval survives a rebase that leaves the difference to the target branch the same.",
		Default: defaults(true, true, false),
	}},
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedReviews, fact.NeedPatches, fact.NeedCommits, fact.NeedPeople, fact.NeedComments},
	Partial:  []fact.Need{fact.NeedPatches},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnPushed, fact.OnReviewed, fact.OnPeople},
	Why: "An approval speaks of the content its giver saw. What came after it was approved by nobody. Times prove nothing here, since they can be " +
		"forged: commits and differences are compared. What was enough for a lower class was not looked at as closely as the class of now asks.",
	Fix: "The reviewer looks at the difference since their approval and approves again. At classes A and B a rebase that changes nothing keeps approvals. " +
		"Where the class of the change rose, its approvals are given again.",
	Good: Example{Text: "jonas approved the commit that is the head."},
	Bad: Example{
		Text: "A commit was pushed after jonas and priya approved.",
		Edit: func(c *fact.Change) {
			for i := range c.Reviews {
				c.Reviews[i].Commit = "0123456789abcdef0123456789abcdef01234567"
				c.Reviews[i].Patch = "another"
			}
		},
	},
	Check: checkReviewNotStale,
}

func checkReviewNotStale(c *Case) Result {
	counted, present := c.People.voters()
	if len(present) == 0 {
		return notApplicable("There is no approval by a holder of a role yet")
	}
	var stale []int
	for i, a := range c.People.verdicts {
		if a.review.State == fact.Approved && len(a.roles) > 0 && !a.author && !a.bound {
			stale = append(stale, i)
		}
	}
	if len(stale) == 0 {
		return passed("Every approval was given on this content, for this class")
	}
	q := quorumOf(c.Policy.Setting(reviewQuorumID, c.Class.Class))
	if fresh := without(counted, func(a approval) bool { return !a.bound }); q.met(fresh) {
		return passed("The approvals needed were given on this content; " + plural(len(stale), "older one is", "older ones are") + " not counted")
	}
	var findings []Finding
	for _, i := range stale {
		findings = append(findings, c.stale(&c.People.verdicts[i]))
	}
	return judged("", findings)
}

// stale says of one approval why it no longer holds.
func (c *Case) stale(a *approval) Finding {
	who := login(a.review.Author)
	head := sha(c.Change.Head.SHA)
	f := Finding{
		Outcome: Fail,
		Message: who + " approved " + sha(a.review.Commit) + " and the head is now " + head,
		Fix:     who + " looks at the difference since " + sha(a.review.Commit) + " and approves again",
		Who:     []string{who}, URL: a.review.URL,
	}
	if a.risen != "" {
		now := string(c.Class.Class)
		f.Message = who + " approved this for class " + a.risen + " and the change is now class " + now
		f.Fix = who + " looks at it again as a change of class " + now + " and approves again"
	}
	if a.review.Commit == "" {
		f.Message = "The forge does not say which commit " + who + " approved"
		f.Fix = who + " approves again"
	}
	if why, known := c.Change.Why(fact.NeedPatches); a.unclear && !known {
		f.Outcome = Unknown
		f.Message += "; whether the content is the same could not be read: " + why
	}
	return f
}
