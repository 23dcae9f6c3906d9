package rules

import (
	"slices"

	"primum/rules/fact"
	"primum/rules/policy"
)

const reviewIndependentID = "review-independent"

var reviewIndependent = Rule{
	ID:       reviewIndependentID,
	Title:    "Somebody without part in the design approved",
	Short:    "independent reviewer",
	Group:    "review",
	Clauses:  nil,
	Other:    []string{"ISO 13485:2016 7.3.5"},
	Defaults: perClass(policy.Off, policy.Warn, policy.Block),
	Waivable: everywhere(),
	Since:    "0.1",
	Params: []policy.Param{{
		Name: "design-roles", Kind: policy.KindRoles, Stricter: 0,
		Doc:     "Roles whose holders share responsibility for the design; who holds one of them is not independent.",
		Default: defaults([]policy.Role{policy.Developer}, []policy.Role{policy.Developer}, []policy.Role{policy.Developer}),
	}},
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedReviews, fact.NeedPatches, fact.NeedCommits, fact.NeedPeople, fact.NeedComments},
	Partial:  []fact.Need{fact.NeedPatches},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnPushed, fact.OnReviewed, fact.OnPeople},
	Why: "The standard for the life cycle does not ask for it, practice and authorities do: at least one reviewer who did not shape the design sees what " +
		"those who did take for granted.",
	Fix:  "Ask somebody for a review who holds a role such as verification and is not a developer of the product.",
	Good: Example{Text: "priya holds verification and is not a developer; she approved."},
	Bad: Example{
		Text: "Both approvers are developers.",
		Edit: func(c *fact.Change) {
			for _, r := range c.Reviews {
				for name, p := range c.People {
					if name == "team:firmware" {
						p.Members = append(p.Members, r.Author)
						c.People[name] = p
					}
				}
			}
		},
	},
	Check: checkReviewIndependent,
}

func checkReviewIndependent(c *Case) Result {
	design := c.Setting.Roles("design-roles")
	counted, present := c.People.voters()
	for _, a := range counted {
		if !a.byRoles(design...) {
			return passed(login(a.review.Author)+" has no part in the design", a.evidenceOf())
		}
	}
	if len(present) == 0 {
		return waitsFor("the first approval")
	}
	for _, a := range present {
		if !a.byRoles(design...) {
			return waitsFor("an approval of " + login(a.review.Author) + " that holds")
		}
	}
	var who []fact.Person
	for _, p := range c.independents(design) {
		if _, author := c.People.AuthorWhy(p); !author {
			who = append(who, p)
		}
	}
	f := Finding{
		Outcome: Fail, Message: "Everybody who approved (" + list(names(present)) + ") has a part in the design (" + either(roleWords(design)) + ")",
		Who: logins(who),
	}
	switch {
	case len(who) == 0:
		f.Fix = "Name somebody under people in " + c.People.policyAt + " who holds a role and is not " + either(roleWords(design))
		f.Who = []string{"whoever looks after " + c.People.policyAt}
	case len(who) > 5:
		f.Fix = "Ask somebody who is not " + either(roleWords(design)) + " for a review, such as " + either(f.Who[:3])
	default:
		f.Fix = "Ask " + either(f.Who) + " for a review"
	}
	if c.quorumFails(present) {
		return waitsFor("the missing approvals, one of them by somebody who is not " + either(roleWords(design)))
	}
	return judged("", []Finding{f})
}

// quorumFails reports whether review-quorum asks for further approvals anyway.
func (c *Case) quorumFails(present []approval) bool {
	return c.enforces[reviewQuorumID] == policy.Block && !quorumOf(c.Policy.Setting(reviewQuorumID, c.Class.Class)).met(present)
}

// independents are the holders of any role who hold none of these, in the order
// of the shipped roles and then by name of the role.
func (c *Case) independents(design []policy.Role) []fact.Person {
	var out []fact.Person
	seen := map[string]bool{}
	for _, role := range rolesInOrder(c.Policy) {
		for _, p := range c.People.byRole[role] {
			if !seen[p.ID] && !c.People.Holds(p, design...) {
				seen[p.ID] = true
				out = append(out, p)
			}
		}
	}
	return out
}

// rolesInOrder lists the roles that the policy gives to somebody: verification
// first, since its holders are the natural reviewers.
func rolesInOrder(p *policy.Policy) []policy.Role {
	shipped := []policy.Role{policy.Verification, policy.Developer, policy.Risk, policy.Quality, policy.Regulatory}
	var out []policy.Role
	for _, r := range shipped {
		if _, ok := p.People[r]; ok {
			out = append(out, r)
		}
	}
	var further []policy.Role
	for r := range p.People {
		if !slices.Contains(shipped, r) {
			further = append(further, r)
		}
	}
	slices.Sort(further)
	return append(out, further...)
}
