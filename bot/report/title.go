package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"primum/rules"
	"primum/rules/policy"
)

// Title is the verdict in at most MaxTitle runes, most blocking first and
// understandable alone: "Class C · 2 actions needed: risk assessment, second
// reviewer". It is plain text.
func Title(v *rules.Verdict) string {
	if len(v.PolicyErrors) > 0 {
		return Clip(policyTitle(v.PolicyErrors), MaxTitle)
	}
	if v.Class.OnlyOutside && (v.State == rules.Pass || v.State == rules.NA) {
		return "Not governed: no device software changed"
	}
	switch v.State {
	case rules.NA:
		return notGoverned(v)
	case rules.Pass, rules.Waived:
		return Clip(classPrefix(v)+ready(v), MaxTitle)
	case rules.Fail:
		what := actions(v)
		if what.count == 0 { // nothing in the results says why: the reason must
			break
		}
		verb := " needed"
		if v.Mode == policy.Advise {
			verb = " advised"
		}
		return fit(classPrefix(v)+plural(what.count, "action", "actions")+verb, what.labels)
	case rules.Unknown:
		for _, r := range v.Results {
			if r.Outcome == rules.Unknown && r.Enforcement == policy.Block {
				return unread(Clean(firstMessage(r, rules.Unknown)))
			}
		}
	case rules.Pending:
		what := waits(v)
		if what.count == 0 {
			break
		}
		return fit(classPrefix(v)+"waiting for "+what.lead, what.labels)
	}
	return Clip(Clean(classPrefix(v)+sentenceInside(v.Reason)), MaxTitle)
}

// unread is what could not be read, with its cause where both fit: half a cause
// says nothing.
func unread(message string) string {
	if what, _, ok := strings.Cut(message, ": "); ok && utf8.RuneCountInString(message) > MaxTitle {
		message = what
	}
	return Clip(message, MaxTitle)
}

func policyTitle(errs []policy.Error) string {
	first := errs[0]
	at := "Policy error in " + Clean(first.File)
	if first.Line > 0 {
		at += ":" + strconv.Itoa(first.Line)
	}
	if n := len(errs) - 1; n > 0 {
		more := " and " + strconv.Itoa(n) + " more"
		return Clip(at, MaxTitle-utf8.RuneCountInString(more)) + more
	}
	return at
}

func notGoverned(v *rules.Verdict) string {
	reason := Clean(v.Reason)
	if rest, ok := cutFold(reason, "not governed"); ok {
		reason = strings.TrimLeft(rest, ":,. ")
	}
	if reason == "" {
		reason = "no policy on " + Clean(v.Subject.Base)
	}
	return Clip("Not governed: "+sentenceInside(reason), MaxTitle)
}

func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// sentenceInside makes a sentence fit after a colon: no full stop at its end, no
// backticks, for a title is plain text.
func sentenceInside(s string) string {
	return strings.TrimSuffix(Clean(strings.ReplaceAll(s, "`", "")), ".")
}

func classPrefix(v *rules.Verdict) string {
	if v.Class.Class == "" || v.Class.OnlyOutside {
		return ""
	}
	return "Class " + Clean(string(v.Class.Class)) + " · "
}

func ready(v *rules.Verdict) string {
	warned, waived := 0, 0
	for _, r := range v.Results {
		switch {
		case r.Outcome == rules.Waived:
			waived++
		case r.Enforcement == policy.Warn && (r.Outcome == rules.Fail || r.Outcome == rules.Unknown):
			warned++
		}
	}
	s := "ready to merge"
	if v.Subject.Draft {
		s = "ready, still a draft"
	}
	if waived > 0 {
		s += ", " + plural(waived, "rule", "rules") + " waived"
	}
	if warned > 0 {
		s += ", " + plural(warned, "warning", "warnings")
	}
	return s
}

// needs is a number of things to do or to wait for, with a few words for each.
type needs struct {
	count  int
	lead   string
	labels []string
}

func (n *needs) add(count int, label string) {
	n.count += count
	if !slices.Contains(n.labels, label) {
		n.labels = append(n.labels, label)
	}
}

func actions(v *rules.Verdict) needs {
	var n needs
	for _, r := range v.Results {
		if r.Outcome == rules.Fail && r.Enforcement == policy.Block {
			n.add(max(1, count(r, rules.Fail)), label(r))
		}
	}
	return n
}

func count(r rules.Result, o rules.Outcome) int {
	n := 0
	for _, f := range r.Findings {
		if f.Outcome == o {
			n++
		}
	}
	return n
}

// waits says what a pending verdict waits for: the checks by name if it waits
// for nothing else.
func waits(v *rules.Verdict) needs {
	checks, others := needs{lead: "CI"}, needs{lead: "people"}
	for _, r := range v.Results {
		if r.Outcome != rules.Pending || r.Enforcement != policy.Block {
			continue
		}
		if r.Rule != "verify-checks-green" {
			others.add(1, label(r))
			continue
		}
		names := pendingChecks(r)
		if len(names) == 0 {
			checks.count++
		}
		for _, name := range names {
			checks.add(1, name)
		}
	}
	if others.count == 0 {
		return checks
	}
	if checks.count > 0 {
		others.lead = "people and CI"
		others.count += checks.count
	}
	return others
}

// pendingChecks are the names of checks that pending findings speak of: the
// finding's first code span.
func pendingChecks(r rules.Result) []string {
	var names []string
	for _, f := range r.Findings {
		if f.Outcome != rules.Pending {
			continue
		}
		if _, rest, ok := strings.Cut(f.Message, "`"); ok {
			if name, _, ok := strings.Cut(rest, "`"); ok && Clean(name) != "" {
				names = append(names, Clean(name))
			}
		}
	}
	return names
}

// fit adds as many labels as the title holds, then says how many are left.
func fit(lead string, labels []string) string {
	if len(labels) == 0 {
		return Clip(lead, MaxTitle)
	}
	for n := len(labels); n > 0; n-- {
		s := lead + ": " + strings.Join(labels[:n], ", ")
		if n < len(labels) {
			s += fmt.Sprintf(" +%d", len(labels)-n)
		}
		if utf8.RuneCountInString(s) <= MaxTitle {
			return s
		}
	}
	return Clip(lead+": "+labels[0], MaxTitle)
}

func firstMessage(r rules.Result, o rules.Outcome) string {
	for _, f := range r.Findings {
		if f.Outcome == o && f.Message != "" {
			return sentenceInside(f.Message)
		}
	}
	return sentenceInside(r.Summary)
}

// label names what a rule is about in two or three words.
func label(r rules.Result) string {
	switch r.Rule {
	case "review-quorum":
		return reviewer(r)
	case "verify-checks-green":
		return "CI"
	}
	if rule, ok := rules.Find(r.Rule); ok && rule.Short != "" {
		return rule.Short
	}
	return Clean(r.Rule)
}

// reviewer names the reviewer still missing where only one is.
func reviewer(r rules.Result) string {
	wanted, ok := number(r.Params["approvals"])
	if !ok {
		return "review"
	}
	have := 0
	for _, e := range r.Evidence {
		if e.Kind == "review" {
			have++
		}
	}
	switch {
	case wanted == 2 && have == 1:
		return "second reviewer"
	case wanted > 2 && wanted-have == 1:
		return "one more reviewer"
	default:
		return "review"
	}
}

// number reads a parameter, which JSON turns into a float.
func number(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case float64:
		return int(n), true
	default:
		return 0, false
	}
}
