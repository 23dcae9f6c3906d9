package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"primum/rules/class"
	"primum/rules/policy"
)

// draft is the policy file proposed for a repository.
func draft(s survey, level, mode string) string {
	ladder := class.Current()
	var b strings.Builder
	fmt.Fprintf(&b, `# Primum's policy for this repository: which rules of IEC 62304 a change must satisfy.
# "primum policy lint" checks this file, "primum policy explain" shows what is in force,
# and "primum policy schema" prints the schema by which editors complete it.
version: 1

# observe judges and records only: it posts nothing, so it must not be used where the check is required already.
# advise posts a check that never blocks. enforce blocks.
mode: %s

product: %s
`, mode, plain(s.product))
	if level == "" {
		level = string(ladder.Highest())
		fmt.Fprintf(&b, "\n# The safety class of the software system. %s stands here because until somebody decides,\n# the strictest class counts (4.3 g):\n", level)
	} else {
		b.WriteString("\n# The safety class of the software system:\n")
	}
	for _, step := range ladder.Levels {
		fmt.Fprintf(&b, "#   %s: %s\n", step.Level, step.Meaning)
	}
	fmt.Fprintf(&b, "class: %s\n", level)
	draftItems(&b, s, level)
	draftPeople(&b, s)
	b.WriteString(`
# How issues of a kind are recognised. The labels are those that the issue forms set.
issues:
  anomaly: {labels: [anomaly, bug], form: anomaly}
  change-request: {labels: [change-request], form: change-request}

# Rules that differ from the shipped defaults; "primum rules list" shows those.
# rules:
#   review-quorum: {`)
	fmt.Fprintf(&b, "%s: {approvals: 2, roles: [developer, verification]}}\n", ladder.Highest())
	b.WriteString("\n# Checks that must be green on a change, by class.\n")
	jobs := "build, test"
	if len(s.jobs) > 0 {
		b.WriteString("# Jobs found in the workflows here are proposed.\n")
		jobs = strings.Join(each(s.jobs, plain), ", ")
	}
	fmt.Fprintf(&b, "# checks: [%s]\n", jobs)
	if len(s.manifests) > 0 {
		b.WriteString("\n# Software of unknown provenance (SOUP, 8.1.2) comes in through these manifests:\n")
		for _, m := range s.manifests {
			fmt.Fprintf(&b, "#   %s\n", printable(m))
		}
		b.WriteString("# Name the register here when there is one.\n# soup: {register: docs/soup.yml, manifests: auto}\n")
	}
	return b.String()
}

func draftItems(b *strings.Builder, s survey, level string) {
	b.WriteString("\n# Software items and their files, proposed from the folders")
	if len(s.languages) > 0 {
		b.WriteString(" (" + strings.Join(s.languages[:min(4, len(s.languages))], ", ") + ")")
	}
	b.WriteString(".\n# An item without a class inherits. To hold one below the system, give it a class and a rationale:\n" +
		"# {id: ui, class: A, paths: [ui/**], rationale: docs/risk/ui-segregation.md}\nitems:\n")
	for _, it := range s.items {
		note := "inherits " + level + " until you classify it"
		if it.why != "" {
			note += "; " + it.why
		}
		fmt.Fprintf(b, "  - id: %s # %s\n    paths: [%s]\n", plain(it.id), note, strings.Join(each(it.globs, plain), ", "))
	}
	for _, f := range s.unmapped {
		fmt.Fprintf(b, "  # %s holds signs that globs use and belongs to no item: it counts as %s\n", printable(f), class.Current().Highest())
	}
	b.WriteString("\n# Files that are no part of the device software. Look twice: no rule about content looks here.\n")
	if len(s.outside) > 0 {
		fmt.Fprintf(b, "not-device-software: [%s]\n", strings.Join(each(s.outside, plain), ", "))
	} else {
		b.WriteString("# not-device-software: [docs/**]\n")
	}
	if len(s.tests) > 0 {
		fmt.Fprintf(b, "\n# Files that cannot affect the running software: the risk questions have a standing answer.\nno-runtime-effect: [%s]\n", strings.Join(each(s.tests, plain), ", "))
	}
}

func draftPeople(b *strings.Builder, s survey) {
	b.WriteString("\n# Who holds which role: team:slug, team:owner/slug, user:login or id:123.\n")
	if s.owners != "" {
		fmt.Fprintf(b, "# Proposed from %s, by the names of the teams.\n", s.owners)
	}
	hints := []struct {
		role policy.Role
		hint string
	}{
		{policy.Developer, "writes and reviews code"},
		{policy.Verification, "answers for tests"},
		{policy.Risk, "answers for the risk file"},
		{policy.Quality, "answers for this file and approves waivers"},
		{policy.Regulatory, "answers to authorities"},
	}
	if len(s.people) == 0 {
		b.WriteString("# people:\n")
	} else {
		b.WriteString("people:\n")
	}
	for _, h := range hints {
		if who := s.people[h.role]; len(who) > 0 {
			fmt.Fprintf(b, "  %s: [%s] # %s\n", h.role, strings.Join(each(who, plain), ", "), h.hint)
		} else {
			fmt.Fprintf(b, "  # %s: [user:login] # %s\n", h.role, h.hint)
		}
	}
	for _, note := range s.skipped {
		fmt.Fprintf(b, "# Not taken over: %s.\n", printable(note))
	}
}

// plain is a text as YAML writes it within a flow list: bare if nothing in it
// means anything there, quoted otherwise.
func plain(s string) string {
	bare := regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./+:@-]*(\*\*|\*)?$`).MatchString(s) && !strings.Contains(s, ": ") && !strings.HasSuffix(s, ":")
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n", ".", "..", ".inf", ".nan", "~":
		bare = false
	}
	if bare {
		return s
	}
	raw, err := json.Marshal(s)
	if err != nil { // a string is always JSON
		return `""`
	}
	return string(raw)
}

// printable keeps a file's name on its line of a comment.
func printable(s string) string { return strings.Trim(plain(s), `"`) }

func each(all []string, f func(string) string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = f(s)
	}
	return out
}
