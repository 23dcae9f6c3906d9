package rules

import (
	"strings"

	"primum/rules/fact"
	"primum/rules/policy"
)

const verifyChecksGreenID = "verify-checks-green"

var verifyChecksGreen = Rule{
	ID:    verifyChecksGreenID,
	Title: "The required checks succeeded on the head",
	Short: "CI",
	Group: "verification",
	Clauses: []string{
		"8.2.3", "5.5.5", "5.6.3", "5.6.6", "5.7.3", "5.1.6", "5.1.12",
	},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Waivable: perColumn("A", "B"),
	Since:    "0.1",
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedChecks, fact.NeedCommits},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnPushed, fact.OnCheck},
	Why: "What was built and tested must be what is merged, by the machine that is meant to do it. Skipped is not green, and a status that the author of " +
		"the change sets by hand proves nothing.",
	Fix: "Make the check succeed on the newest commit, and run it again if it was cancelled. List the checks of each class in the policy under `checks`, " +
		"with a source (`{name: build, source: github-actions}`) where anybody could report them.",
	Good: Example{Text: "build, test and misra succeeded on the head, reported by the CI app."},
	Bad: Example{
		Text: "test was skipped.",
		Edit: func(c *fact.Change) {
			for i := range c.Checks {
				if c.Checks[i].Name == "test" {
					c.Checks[i].State = fact.CheckSkipped
				}
			}
		},
	},
	Check: checkVerifyChecksGreen,
}

func checkVerifyChecksGreen(c *Case) Result {
	required := c.Policy.Checks[c.Class.Class]
	if len(required) == 0 {
		return notApplicable("The policy requires no check at class " + string(c.Class.Class) + "; name them under `checks` in " + c.People.policyAt)
	}
	var findings []Finding
	var ev []Evidence
	for _, want := range required {
		found, f := c.requireCheck(want)
		if f != nil {
			findings = append(findings, *f)
		}
		if found != nil {
			ev = append(ev, Evidence{
				Kind: "check", Ref: found.Name, Text: string(found.State), URL: found.URL, By: found.Source, At: found.FinishedAt, Digest: c.Change.Head.SHA,
			})
		}
	}
	return judged(plural(len(required), "required check", "required checks")+" succeeded on "+sha(c.Change.Head.SHA), findings, ev...)
}

// requireCheck finds the report of one required check on the head and what is
// wrong with it. Of several reports that count, the worst does.
func (c *Case) requireCheck(want policy.CheckRef) (*fact.Check, *Finding) {
	var best, foreign *fact.Check
	for i := range c.Change.Checks {
		k := &c.Change.Checks[i]
		if k.Ours || k.Name != want.Name {
			continue
		}
		if !c.trusts(k, want) {
			foreign = k
			continue
		}
		if best == nil || checkRank(k.State) > checkRank(best.State) {
			best = k
		}
	}
	name := code(want.Name)
	switch {
	case best == nil && foreign != nil && want.Source != "":
		return foreign, &Finding{
			Outcome: Fail, Message: name + " was reported by " + sourceName(foreign) + " and not by " + want.Source,
			Fix: "Let " + want.Source + " run it, or correct its source under `checks` in " + c.People.policyAt, Who: c.opener(), URL: foreign.URL,
		}
	case best == nil && foreign != nil:
		return foreign, &Finding{
			Outcome: Fail, Message: name + " was reported by " + sourceName(foreign) + ", an author of the change",
			Fix: "Let the CI system report it", Who: c.opener(), URL: foreign.URL,
		}
	case best == nil:
		return nil, &Finding{
			Outcome: Pending, Message: name + " has not reported on " + sha(c.Change.Head.SHA) + " yet",
			Fix: "Wait for it; start it if it does not start by itself", Who: []string{"CI"},
		}
	}
	f := Finding{Outcome: Fail, Who: c.opener(), URL: best.URL}
	switch best.State {
	case fact.CheckSuccess:
		return best, nil
	case fact.CheckPending:
		f.Outcome, f.Message, f.Fix, f.Who = Pending, name+" is running", "Wait for it", []string{"CI"}
	case fact.CheckFailure:
		f.Message, f.Fix = name+" failed", "Look at its log, mend the cause and push, or run it again if the machine was at fault"
	case fact.CheckCancelled:
		f.Message, f.Fix = name+" was cancelled", "Run it again"
	case fact.CheckSkipped, fact.CheckNeutral:
		f.Message = name + " was " + skippedWord(best.State) + ", which is not a success"
		f.Fix = "Let it run for this change, or take it off the checks of class " + string(c.Class.Class) + " in " + c.People.policyAt
	default:
		f.Message, f.Fix = name+" ended as "+code(string(best.State)), "Run it again"
	}
	return best, &f
}

func skippedWord(s fact.CheckState) string {
	if s == fact.CheckNeutral {
		return "neutral"
	}
	return "skipped"
}

// trusts reports whether a report counts: from the source the policy pins, or
// else from anybody who is not an author of the change.
func (c *Case) trusts(k *fact.Check, want policy.CheckRef) bool {
	if want.Source != "" {
		return strings.EqualFold(k.Source, want.Source) || k.SourceID != "" && k.SourceID == want.Source
	}
	for _, a := range c.People.Authors {
		if a.Person.Bot {
			continue
		}
		if k.SourceID != "" && k.SourceID == a.Person.ID || a.Person.Login != "" && strings.EqualFold(k.Source, a.Person.Login) {
			return false
		}
	}
	return true
}

func sourceName(k *fact.Check) string {
	if k.Source == "" {
		return "somebody the forge does not name"
	}
	return k.Source
}

func checkRank(s fact.CheckState) int {
	switch s {
	case fact.CheckSuccess:
		return 0
	case fact.CheckPending:
		return 1
	case fact.CheckNeutral, fact.CheckSkipped, fact.CheckCancelled:
		return 2
	case fact.CheckFailure:
		return 3
	default:
		return 3
	}
}
