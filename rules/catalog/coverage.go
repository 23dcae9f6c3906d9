package catalog

import (
	"fmt"
	"slices"
	"strings"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/clause"
	"primum/rules/policy"
)

// Coverage says what this build does about one clause.
type Coverage struct {
	Clause clause.Clause `json:"clause"`
	// Rules of this build that serve the clause at each class it applies to and
	// are on there as shipped.
	Rules map[class.Level][]string `json:"rules,omitempty"`
	// Planned are rules of the catalogue that serve it and are still to come.
	Planned []string `json:"planned,omitempty"`
}

// Served says how a clause stands at a class.
type Served string

// How a clause stands at a class.
const (
	ByRule  Served = "rule"    // a rule of this build serves it
	Planned Served = "planned" // only rules still to come would
	Outside Served = "outside" // nothing that Primum does or plans; the people's own process
	NotAt   Served = "none"    // the clause does not apply at this class
)

// At says how the clause stands at a class.
func (c Coverage) At(v class.Level) Served {
	switch {
	case !c.Clause.Applies(string(v)):
		return NotAt
	case len(c.Rules[v]) > 0:
		return ByRule
	case len(c.Planned) > 0:
		return Planned
	}
	return Outside
}

// CoverageOf says for every clause, in the order of the standard, which rules
// serve it. That a rule serves a clause means that it enforces or records part
// of what the clause asks; it never means that the clause is fulfilled.
func CoverageOf(all []rules.Rule) []Coverage {
	var out []Coverage
	for _, c := range clause.All() {
		if c.Deleted {
			continue
		}
		cov := Coverage{Clause: c}
		var have []rules.Rule
		for _, r := range all {
			if serves(r, c) {
				have = append(have, r)
			}
		}
		for _, v := range levels() {
			if !c.Applies(string(v)) {
				continue
			}
			for _, r := range have {
				if shipped(r, v).Enforcement != policy.Off {
					if cov.Rules == nil {
						cov.Rules = map[class.Level][]string{}
					}
					cov.Rules[v] = append(cov.Rules[v], r.ID)
				}
			}
		}
		for _, id := range c.Rules {
			if !slices.ContainsFunc(all, func(r rules.Rule) bool { return r.ID == id }) {
				cov.Planned = append(cov.Planned, id)
			}
		}
		out = append(out, cov)
	}
	return out
}

// serves reports whether a rule cites a clause, or the table gives it to it.
func serves(r rules.Rule, c clause.Clause) bool {
	if slices.Contains(c.Rules, r.ID) {
		return true
	}
	return slices.ContainsFunc(r.Clauses, func(id string) bool {
		at, ok := clause.Find(id)
		return ok && at.ID == c.ID
	})
}

// CoverageMarkdown is the coverage as Markdown: a count per class, then a table.
func CoverageMarkdown(all []rules.Rule) string {
	cov := CoverageOf(all)
	var b strings.Builder
	b.WriteString("A rule *serves* a clause when it enforces or records part of what the clause asks. That no clause is fulfilled by a program\n" +
		"alone goes without saying. The classes are those of " + clause.Edition + "; `rules/clause/clauses.yaml` says how they were established.\n\n")
	b.WriteString("| | clauses that apply | served by a rule | by rules to come | outside |\n|---|---|---|---|---|\n")
	for _, v := range levels() {
		n := map[Served]int{}
		for _, c := range cov {
			n[c.At(v)]++
		}
		fmt.Fprintf(&b, "| class %s | %d | %d | %d | %d |\n", v, n[ByRule]+n[Planned]+n[Outside], n[ByRule], n[Planned], n[Outside])
	}
	b.WriteString("\n| clause | |")
	for _, v := range levels() {
		fmt.Fprintf(&b, " %s |", v)
	}
	b.WriteString(" rules |\n|---|---|" + strings.Repeat("---|", len(levels())+1) + "\n")
	for _, c := range cov {
		fmt.Fprintf(&b, "| %s | %s |", c.Clause.ID, cell(c.Clause.Title))
		for _, v := range levels() {
			fmt.Fprintf(&b, " %s |", mark(c.At(v)))
		}
		fmt.Fprintf(&b, " %s |\n", strings.Join(append(links(c), toCome(c)...), ", "))
	}
	b.WriteString("\n● served by a rule of this version · ○ by rules to come · – outside · blank: does not apply at this class\n")
	return b.String()
}

func mark(s Served) string {
	switch s {
	case ByRule:
		return "●"
	case Planned:
		return "○"
	case Outside:
		return "–"
	case NotAt:
	}
	return " "
}

// links are the rules that serve a clause at any class, as links.
func links(c Coverage) []string {
	var out []string
	for _, v := range levels() {
		for _, id := range c.Rules[v] {
			if link := "[" + id + "](#" + id + ")"; !slices.Contains(out, link) {
				out = append(out, link)
			}
		}
	}
	return out
}

func toCome(c Coverage) []string {
	out := make([]string, len(c.Planned))
	for i, id := range c.Planned {
		out[i] = "*" + id + "*"
	}
	return out
}

// CoverageText is the coverage for terminals.
func CoverageText(all []rules.Rule, s Style) string {
	var b strings.Builder
	head := []string{fmt.Sprintf("%-8s", "Clause")}
	for _, v := range levels() {
		head = append(head, string(v))
	}
	b.WriteString(s.bold(strings.Join(append(head, " Rules"), " ")) + "\n")
	for _, c := range CoverageOf(all) {
		fmt.Fprintf(&b, "%-8s", c.Clause.ID)
		var ids []string
		for _, v := range levels() {
			b.WriteString(" " + mark(c.At(v)))
			for _, id := range c.Rules[v] {
				if !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
		}
		line := strings.Join(ids, " ")
		if line == "" {
			line = s.dim(c.Clause.Title)
		}
		b.WriteString("  " + line + "\n")
	}
	b.WriteString(s.dim("● served by a rule  ○ by rules to come  – outside  blank: does not apply at this class") + "\n")
	return b.String()
}
