package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"primum/bot/report"
	"primum/rules"
	"primum/rules/policy"
)

// formats are what --format takes.
func formats() []string { return []string{"text", "json", "sarif", "markdown"} }

// writeVerdict renders one verdict.
func writeVerdict(w io.Writer, format string, v *rules.Verdict) error {
	switch format {
	case "json":
		return writeJSON(w, v)
	case "sarif":
		return writeJSON(w, sarifOf(v))
	case "markdown":
		_, err := io.WriteString(w, report.Comment(v, report.Options{})+"\n")
		return err
	default:
		_, err := io.WriteString(w, textOf(v))
		return err
	}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// textOf is a verdict for a terminal or a log: what blocks first.
func textOf(v *rules.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", report.Title(v))
	where := v.Subject.Repo
	if v.Subject.Change > 0 {
		where += fmt.Sprintf("#%d", v.Subject.Change)
	}
	fmt.Fprintf(&b, "%s, head %s, policy of %s\n", report.Clean(where), shortSHA(v.Subject.Head), report.Clean(v.Subject.Base))
	if v.Class.Reason != "" {
		fmt.Fprintf(&b, "%s\n", report.Clean(v.Class.Reason))
	}
	for _, e := range v.PolicyErrors {
		fmt.Fprintf(&b, "\n%s\n", policyLine(e))
	}
	for _, want := range []rules.Outcome{rules.Fail, rules.Unknown, rules.Pending, rules.Waived} {
		for _, r := range v.Results {
			if r.Outcome == want && !forgeKnows(r) {
				writeResult(&b, r)
			}
		}
	}
	var elsewhere []string
	for _, r := range v.Results {
		if forgeKnows(r) {
			elsewhere = append(elsewhere, r.Rule)
		}
	}
	if len(elsewhere) > 0 {
		fmt.Fprintf(&b, "\nNot known from a checkout, judged on the forge:\n  %s\n", strings.Join(elsewhere, "\n  "))
	}
	tally(&b, v)
	return b.String()
}

// forgeKnows reports whether a rule is unknown only because a checkout does not
// hold what the forge does: nobody can mend that, and nothing reads it again.
func forgeKnows(r rules.Result) bool {
	return r.Outcome == rules.Unknown && strings.HasSuffix(r.Summary, forgeOnly)
}

func writeResult(b *strings.Builder, r rules.Result) {
	note := ""
	if r.Enforcement == policy.Warn {
		note = " (warning)"
	}
	fmt.Fprintf(b, "\n%-8s %s%s: %s\n", r.Outcome, r.Rule, note, report.Clean(r.Summary))
	for _, f := range r.Findings {
		at := ""
		if f.Path != "" {
			at = report.Clean(f.Path)
			if f.Line > 0 {
				at += fmt.Sprintf(":%d", f.Line)
			}
			at += ": "
		}
		fmt.Fprintf(b, "  - %s%s\n", at, report.Clean(f.Message))
		if f.Fix != "" {
			fmt.Fprintf(b, "    %s\n", report.Clean(f.Fix))
		}
		if len(f.Who) > 0 {
			fmt.Fprintf(b, "    who: %s\n", report.Clean(strings.Join(f.Who, ", ")))
		}
		if f.Command != "" {
			fmt.Fprintf(b, "    type: %s\n", report.Clean(f.Command))
		}
	}
}

// tally closes with the rest in numbers.
func tally(b *strings.Builder, v *rules.Verdict) {
	n := map[rules.Outcome]int{}
	elsewhere := 0
	for _, r := range v.Results {
		if forgeKnows(r) {
			elsewhere++
			continue
		}
		n[r.Outcome]++
	}
	if len(v.Results) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%d rules: %d passed, %d failed, %d waiting, %d waived, %d could not be read, %d not applicable",
		len(v.Results), n[rules.Pass], n[rules.Fail], n[rules.Pending], n[rules.Waived], n[rules.Unknown], n[rules.NA])
	if elsewhere > 0 {
		fmt.Fprintf(b, ", %d judged on the forge", elsewhere)
	}
	b.WriteString("\n")
}

func policyLine(e policy.Error) string {
	at := e.File
	if e.Line > 0 {
		at += fmt.Sprintf(":%d", e.Line)
		if e.Column > 0 {
			at += fmt.Sprintf(":%d", e.Column)
		}
	}
	s := report.Clean(at) + ": " + report.Clean(e.What)
	if e.Fix != "" {
		s += "; " + report.Clean(e.Fix)
	}
	if e.ID != "" {
		s += " [" + e.ID + "]"
	}
	return s
}

func shortSHA(sha string) string {
	if len(sha) > 8 {
		return sha[:8]
	}
	return sha
}
