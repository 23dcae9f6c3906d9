package rules

import (
	"strconv"
	"strings"

	"primum/rules/fact"
	"primum/rules/policy"
)

// pastCheck ends the cure of what only an administrator can open: the policy that
// governs lets no change through, the one that mends it included.
const pastCheck = "an administrator merges it past this check"

// MendPolicy is how a broken policy on the target branch is mended, in one
// sentence. valid says that the change at hand brings one that parses.
func MendPolicy(valid bool) string {
	if valid {
		return "The policy of this change is valid: " + pastCheck
	}
	return "Fix the line in a change of its own, whose preview shows that it parses, and " + pastCheck
}

// brokenPolicy says that the policy of the target branch cannot be used.
func brokenPolicy(errs policy.Errors, branch string) string {
	e := errs[0]
	at := e.File
	if e.Line > 0 {
		at += ":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column)
	}
	s := "The policy on " + branch + " is broken: " + at + ": " + e.What
	if e.Fix != "" {
		s += "; " + e.Fix
	}
	if n := len(errs) - 1; n > 0 {
		s += " (and " + strconv.Itoa(n) + " more)"
	}
	return s
}

// reason is the state in one sentence, what blocks most first.
func reason(v *Verdict, c *fact.Change, lowest bool) string {
	head := "Class " + string(v.Class.Class) + ": "
	if v.Class.OnlyOutside {
		head = ""
	}
	switch v.State {
	case Fail:
		n, what := v.short(lowest, Fail)
		return head + plural(n, "action", "actions") + " needed: " + what
	case Unknown:
		for _, r := range v.Results {
			if r.Blocks(lowest) && r.Outcome == Unknown {
				return head + strings.ToLower(r.Summary[:1]) + r.Summary[1:]
			}
		}
		return head + "a part of the change could not be read"
	case Pending:
		_, what := v.short(lowest, Pending)
		return head + "waiting for " + what
	case Pass, Waived, NA:
	}
	switch {
	case v.Class.OnlyOutside:
		return "Only paths outside device software are touched"
	case len(c.Files) == 0 && len(c.Commits) == 0:
		return "The change is empty"
	case c.State == fact.Merged:
		return head + "nothing is missing"
	default:
		return head + "ready to merge"
	}
}

// short counts the findings of the blocking results of one outcome and names the
// rules by what is missing, four at most.
func (v *Verdict) short(lowest bool, o Outcome) (n int, what string) {
	all := All()
	var names []string
	for _, r := range v.Results {
		if !r.Blocks(lowest) || r.Outcome != o {
			continue
		}
		count := 0
		for _, f := range r.Findings {
			if f.Outcome == o {
				count++
			}
		}
		if o == Pending && count == 0 && len(r.Findings) == 0 && waitsOnly(v, lowest) {
			continue
		}
		n += max(1, count)
		for i := range all {
			if all[i].ID == r.Rule {
				names = append(names, all[i].Short)
			}
		}
	}
	if extra := len(names) - 4; extra > 0 {
		names = append(names[:4], strconv.Itoa(extra)+" more")
	}
	return n, strings.Join(names, ", ")
}

// waitsOnly reports whether some pending result has a finding of its own, so
// that those that merely wait for another rule need no mention.
func waitsOnly(v *Verdict, lowest bool) bool {
	for _, r := range v.Results {
		if r.Blocks(lowest) && r.Outcome == Pending && len(r.Findings) > 0 {
			return true
		}
	}
	return false
}
