package rules

import (
	"primum/rules/fact"
	"primum/rules/policy"
)

const configCommitIdentityID = "config-commit-identity"

var configCommitIdentity = Rule{
	ID:       configCommitIdentityID,
	Title:    "Every commit is by a known account",
	Short:    "commit identity",
	Group:    "configuration",
	Clauses:  []string{"8.3"},
	Other:    []string{"21 CFR Part 11 11.10 d", "21 CFR Part 11 11.100"},
	Defaults: perClass(policy.Warn, policy.Warn, policy.Block),
	Waivable: everywhere(),
	Since:    "0.1",
	Params: []policy.Param{{
		Name: "signed", Kind: policy.KindBool, Stricter: 1,
		Doc:     "Whether every commit must carry a signature that the forge found valid.",
		Default: defaults(false, false, true),
	}},
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedCommits},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnPushed},
	Why: "The history says who made what only if every name in it belongs to an account, and anybody can write any name into a commit. A signature " +
		"ties the commit to its maker.",
	Fix: "Add the address to the account on the forge, or commit again with the right one while the branch is under review. Sign commits where that is asked. " +
		"Never rewrite a controlled branch for it.",
	Good: Example{Text: "Author and committer of every commit are accounts, and the signatures are valid."},
	Bad: Example{
		Text: "A commit is by build@localhost, an address that belongs to no account.",
		Edit: func(c *fact.Change) {
			if len(c.Commits) > 0 {
				c.Commits[0].Author = fact.Identity{Name: "build", Email: "build@localhost"}
			}
		},
	},
	Check: checkConfigCommitIdentity,
}

func checkConfigCommitIdentity(c *Case) Result {
	if len(c.Change.Commits) == 0 {
		return notApplicable("The change lists no commit")
	}
	var findings []Finding
	for _, u := range c.People.unmapped {
		if u.part == "co-author" {
			continue // a trailer is a claim of the commit's author, not an identity of the commit
		}
		f := Finding{
			Outcome: Fail,
			Message: "The " + u.part + " of " + sha(u.commit) + ", " + code(excerpt(u.who.Email, 80)) + ", belongs to no account",
			Fix:     "Add the address to the account on the forge, or commit again with the right one",
			Who:     c.opener(),
		}
		if claimsForge(u.who) {
			f.Message = "The " + u.part + " of " + sha(u.commit) + " is given as the forge, " + code(excerpt(u.who.Email, 80)) + ", which did not make that commit"
			f.Fix = "Commit again under an account"
		}
		findings = append(findings, f)
	}
	if c.Setting.Bool("signed") {
		findings = append(findings, c.unsigned()...)
	}
	return judged(plural(len(c.Change.Commits), "commit", "commits")+" by known accounts", findings)
}

// unsigned is one finding for all commits without a valid signature.
func (c *Case) unsigned() []Finding {
	var bad []string
	for i := range c.Change.Commits {
		k := &c.Change.Commits[i]
		switch s := k.Signature; {
		case s.Valid && s.Present:
		case s.Present && s.Reason != "":
			bad = append(bad, sha(k.SHA)+" ("+excerpt(s.Reason, 40)+")")
		case s.Present:
			bad = append(bad, sha(k.SHA)+" (not valid)")
		default:
			bad = append(bad, sha(k.SHA)+" (not signed)")
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return []Finding{{
		Outcome: Fail, Message: plural(len(bad), "commit has", "commits have") + " no valid signature: " + few(bad),
		Fix: "Sign the commits (`git commit --amend -S`, or `git rebase --exec` for several) and push the branch again", Who: c.opener(),
	}}
}
