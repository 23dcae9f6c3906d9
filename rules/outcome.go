package rules

import (
	"primum/rules/fact"
)

// passed is the result of a rule that found what it asks for.
func passed(summary string, ev ...Evidence) Result {
	return Result{Outcome: Pass, Summary: summary, Evidence: ev}
}

// notApplicable is the result of a rule that has nothing to judge, and why.
func notApplicable(why string) Result { return Result{Outcome: NA, Summary: why} }

// waitsFor is the result of a rule that cannot be judged before another one is
// satisfied. It has no finding of its own: what is missing is said once, there.
func waitsFor(what string) Result { return Result{Outcome: Pending, Summary: "Waits for " + what} }

// judged is the result of a rule that looked for faults: the worst finding is
// the outcome, and without one it passes.
func judged(good string, findings []Finding, ev ...Evidence) Result {
	if len(findings) == 0 {
		return passed(good, ev...)
	}
	r := Result{Outcome: Pending, Findings: findings, Evidence: ev}
	for i := range findings {
		if outrank(findings[i].Outcome) > outrank(r.Outcome) {
			r.Outcome = findings[i].Outcome
		}
	}
	for i := range findings {
		if findings[i].Outcome == r.Outcome {
			r.Summary = findings[i].Message
			break
		}
	}
	return r
}

// outrank orders outcomes by how much they hold a change up.
func outrank(o Outcome) int {
	switch o {
	case Fail:
		return 3
	case Unknown:
		return 2
	case Pending:
		return 1
	case Pass, Waived, NA:
		return 0
	default:
		return 3
	}
}

// unread is the finding for a part of the facts that could not be read.
func unread(n fact.Need, why string) Finding {
	if why == "" {
		why = "no reason is known"
	}
	return Finding{
		Outcome: Unknown,
		Message: needWords(n) + " could not be read: " + why,
		Fix:     "Primum reads again by itself; `/primum recheck` asks for it at once",
		Command: "/primum recheck",
		Who:     []string{"primum"},
	}
}

func needWords(n fact.Need) string {
	switch n {
	case fact.NeedPolicy:
		return "The policy"
	case fact.NeedFiles:
		return "The list of files"
	case fact.NeedDiffs:
		return "The differences in test, workflow and settings files"
	case fact.NeedCommits:
		return "The commits"
	case fact.NeedReviews:
		return "The reviews"
	case fact.NeedPatches:
		return "The differences between commits"
	case fact.NeedThreads:
		return "The review threads"
	case fact.NeedChecks:
		return "The checks"
	case fact.NeedComments:
		return "The comments"
	case fact.NeedIssues:
		return "The linked issues"
	case fact.NeedPeople:
		return "The members of the teams in the policy"
	case fact.NeedBaseFiles:
		return "The files that the policy names"
	case fact.NeedPermission:
		return "The permissions of those who gave commands"
	default:
		return "A part of the change (" + string(n) + ")"
	}
}
