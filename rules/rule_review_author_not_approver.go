package rules

import (
	"strings"

	"primum/rules/fact"
	"primum/rules/policy"
)

const reviewAuthorNotApproverID = "review-author-not-approver"

var reviewAuthorNotApprover = Rule{
	ID:       reviewAuthorNotApproverID,
	Title:    "Nobody approves their own work",
	Short:    "another reviewer",
	Group:    "review",
	Clauses:  []string{"8.2.3"},
	Other:    []string{"ISO 13485:2016 7.3.5", "ISO 13485:2016 7.3.6"},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Waivable: perColumn("A"),
	Since:    "0.1",
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedReviews, fact.NeedPatches, fact.NeedCommits, fact.NeedPeople, fact.NeedComments},
	Partial:  []fact.Need{fact.NeedPatches},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnPushed, fact.OnReviewed, fact.OnPeople},
	Why: "Whoever wrote a thing overlooks what they overlooked while writing it. Author is who opened the change and everybody who wrote, committed, " +
		"pushed or is named as co-author of any commit in it.",
	Fix:  "Another person with the role approves. A team of one can have the rule waived at class A.",
	Good: Example{Text: "mara wrote the change; jonas and priya approved it."},
	Bad: Example{
		Text: "jonas approved, and is named as co-author of a commit.",
		Edit: func(c *fact.Change) {
			if len(c.Commits) > 0 && len(c.Reviews) > 0 {
				who := c.Reviews[0].Author
				c.Commits[0].CoAuthors = append(c.Commits[0].CoAuthors,
					fact.Identity{Name: who.Name, Email: who.Login + "@pump.example", Account: who})
			}
		},
	},
	Check: checkReviewAuthorNotApprover,
}

func checkReviewAuthorNotApprover(c *Case) Result {
	counted, present := c.People.voters()
	var selves []approval
	for _, a := range present {
		if a.author {
			selves = append(selves, a)
		}
	}
	if len(present) == 0 {
		return notApplicable("There is no approval by a holder of a role yet")
	}
	if len(selves) == 0 {
		return passed("No approval comes from an author")
	}
	q := quorumOf(c.Policy.Setting(reviewQuorumID, c.Class.Class))
	if others := without(counted, func(a approval) bool { return a.author }); q.met(others) {
		return passed("The approvals needed come from others; that of " + list(names(selves)) + " is not counted")
	}
	findings := make([]Finding, 0, len(selves))
	for _, a := range selves {
		roles := a.roles
		who := logins(c.othersFor(roles, present))
		f := Finding{
			Outcome: Fail, Message: login(a.review.Author) + " approved and " + c.authorship(a.review.Author),
			Fix: askOne(who, roles) + " approves instead", Who: who, URL: a.review.URL,
		}
		if len(who) == 0 {
			f.Fix = "Name a further person for " + either(roleWords(roles)) + " under people in " + c.People.policyAt
			f.Who = []string{"whoever looks after " + c.People.policyAt}
		}
		findings = append(findings, f)
	}
	return judged("", findings)
}

// authorship says why a person is an author of the change, once: "is the author
// of 4e2ca2b7".
func (c *Case) authorship(p fact.Person) string {
	why, _ := c.People.AuthorWhy(p)
	for _, role := range []string{"author of ", "committer of ", "co-author of "} {
		if strings.HasPrefix(why, role) {
			return "is the " + why
		}
	}
	return "is an author of the change (" + why + ")"
}

// othersFor are the holders of the roles who are no authors and did not approve.
func (c *Case) othersFor(roles []policy.Role, present []approval) []fact.Person {
	var out []fact.Person
next:
	for _, p := range c.People.eligible(roles...) {
		for i := range present {
			if present[i].review.Author.Is(p) {
				continue next
			}
		}
		out = append(out, p)
	}
	return out
}

func without(as []approval, drop func(approval) bool) []approval {
	var out []approval
	for _, a := range as {
		if !drop(a) {
			out = append(out, a)
		}
	}
	return out
}
