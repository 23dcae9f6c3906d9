package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"primum/forges"
	"primum/forges/gitea"
	"primum/forges/github"
	"primum/forges/gitlab"
)

type forgesOptions struct {
	io     *streams
	format string
}

// newForges is "primum forges".
func newForges(io *streams) *cobra.Command {
	o := forgesOptions{io: io}
	cmd := &cobra.Command{
		Use:   "forges",
		Short: "Show what each forge can and cannot do",
		Long: "Shows in what the forges differ that Primum works with, in their newest versions: limits,\n" +
			"and what is not told by a delivery, cannot be read or cannot be written. The same policy and\n" +
			"the same rules hold everywhere; what a forge lacks has a sentence on what follows from it.\n" +
			"What no forge lacks is not listed.",
		Example: "  primum forges\n  primum forges --format json",
		Args:    arguments(0, 0, ""),
		RunE:    func(*cobra.Command, []string) error { return o.run() },
	}
	oneOf(cmd, &o.format, "format", "how to print", "text", "markdown", "json")
	return cmd
}

func (o *forgesOptions) run() error {
	all := forgeColumns()
	if o.format == "json" {
		return writeJSON(o.io.out, forgesJSON(all))
	}
	text := forgesText(all)
	if o.format == "markdown" {
		text = forgesMarkdown(all)
	}
	_, err := io.WriteString(o.io.out, text)
	return err
}

// forgeColumns are the forges compared, each in its newest version.
func forgeColumns() []forges.Capabilities {
	return []forges.Capabilities{
		github.CapabilitiesOf(false, true),
		gitlab.CapabilitiesOf(""),
		gitea.CapabilitiesOf(gitea.Gitea, ""),
		gitea.CapabilitiesOf(gitea.Forgejo, ""),
	}
}

// forgeRow is one line of the comparison: a cell for each forge.
type forgeRow struct {
	says  string
	cells []string
}

// forgeGroup is the rows of one heading.
type forgeGroup struct {
	title string
	rows  []forgeRow
}

// has and lacks are what cells say.
const (
	has   = "yes"
	lacks = "–"
)

func yes(is bool) string {
	if is {
		return has
	}
	return lacks
}

// compare makes the table.
func compare(all []forges.Capabilities) []forgeGroup {
	row := func(says string, cell func(forges.Capabilities) string) forgeRow {
		r := forgeRow{says: says}
		for _, c := range all {
			r.cells = append(r.cells, cell(c))
		}
		return r
	}
	bytes := func(n int) string {
		if n <= 0 {
			return lacks
		}
		return thousands(n)
	}
	groups := []forgeGroup{{"The verdict", []forgeRow{
		row("room for a report, in bytes", func(c forges.Capabilities) string { return bytes(c.SummaryMax) }),
		row("one line beside the check, in bytes", func(c forges.Capabilities) string { return bytes(c.ShortMax) }),
		row("room for a comment, in bytes", func(c forges.Capabilities) string { return bytes(c.CommentMax) }),
		row("points at lines of the change", func(c forges.Capabilities) string { return yes(c.Annotations) }),
		row("buttons", func(c forges.Capabilities) string { return yes(c.Buttons) }),
		row("nobody else can set the required check", func(c forges.Capabilities) string { return yes(c.PinnedCheck) }),
		row("merge queue", func(c forges.Capabilities) string { return yes(c.MergeQueue) }),
	}}, {"The connection", []forgeRow{
		row("lost deliveries can be asked for again", func(c forges.Capabilities) string { return yes(c.DeliveryLog) }),
		row("calls an hour", func(c forges.Capabilities) string {
			if c.CallsPerHour <= 0 {
				return "no limit"
			}
			return thousands(c.CallsPerHour)
		}),
	}}}
	for _, kind := range []struct{ prefix, title string }{
		{"delivery: ", "Told by a delivery"},
		{"reading: ", "Can be read"},
		{"writing: ", "Can be written"},
		{"access: ", "Access"},
	} {
		g := forgeGroup{title: kind.title}
		for _, t := range lackedBySome(all) {
			if says, ok := strings.CutPrefix(string(t), kind.prefix); ok && t != forges.DoesLimits { // calls an hour say it
				g.rows = append(g.rows, row(says, func(c forges.Capabilities) string { return yes(c.Has(t)) }))
			}
		}
		if len(g.rows) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// lackedBySome are the traits at least one forge lacks.
func lackedBySome(all []forges.Capabilities) []forges.Trait {
	some := map[forges.Trait]bool{}
	for _, c := range all {
		for t := range c.Lacks {
			some[t] = true
		}
	}
	return slices.Sorted(maps.Keys(some))
}

// thousands writes a number as 65,535.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// forgesText is the comparison for a terminal.
func forgesText(all []forges.Capabilities) string {
	var b strings.Builder
	groups := compare(all)
	first := 0
	for _, g := range groups {
		for _, r := range g.rows {
			first = max(first, len([]rune(r.says)))
		}
	}
	line := func(says string, cells []string) {
		padded := []string{fmt.Sprintf("  %-*s", first, says)}
		for i, cell := range cells {
			padded = append(padded, fmt.Sprintf("%-*s", max(len(all[i].Product), 9), cell))
		}
		b.WriteString(strings.TrimRight(strings.Join(padded, "  "), " ") + "\n")
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Product)
	}
	line("", names)
	for _, g := range groups {
		b.WriteString("\n" + g.title + "\n")
		for _, r := range g.rows {
			line(r.says, r.cells)
		}
	}
	for _, c := range all {
		fmt.Fprintf(&b, "\n%s\n", c.Product)
		if len(c.Lacks) == 0 && len(c.Notes) == 0 {
			b.WriteString("  lacks nothing of this\n")
		}
		for _, t := range slices.Sorted(maps.Keys(c.Lacks)) {
			fmt.Fprintf(&b, "  - %s\n    %s\n", t, c.Lacks[t])
		}
		for _, n := range c.Notes {
			fmt.Fprintf(&b, "  * %s\n", n)
		}
	}
	return b.String()
}

// forgesTable is the table of the comparison alone, for the README; the sentences are in forges/README.md.
func forgesTable(all []forges.Capabilities) string {
	var b strings.Builder
	b.WriteString("| |")
	for _, c := range all {
		b.WriteString(" " + c.Product + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(all)) + "\n")
	for _, g := range compare(all) {
		fmt.Fprintf(&b, "| **%s** |%s\n", g.title, strings.Repeat(" |", len(all)))
		for _, r := range g.rows {
			fmt.Fprintf(&b, "| %s | %s |\n", r.says, strings.Join(r.cells, " | "))
		}
	}
	return b.String()
}

// forgesMarkdown is the comparison as a page of its own: the table, and under the name of each forge what follows from
// what it lacks.
func forgesMarkdown(all []forges.Capabilities) string {
	var b strings.Builder
	b.WriteString("# What differs between forges\n\n")
	b.WriteString("Generated by `primum forges --format markdown`; a test keeps it fresh. Of each forge the newest version is shown.\n\n")
	b.WriteString(forgesTable(all))
	for _, c := range all {
		fmt.Fprintf(&b, "\n## %s\n\n", c.Product)
		if len(c.Lacks) == 0 && len(c.Notes) == 0 {
			b.WriteString("It lacks nothing of this.\n")
		}
		for _, t := range slices.Sorted(maps.Keys(c.Lacks)) {
			_, says, _ := strings.Cut(string(t), ": ")
			fmt.Fprintf(&b, "- *%s:* %s\n", says, c.Lacks[t])
		}
		for _, n := range c.Notes {
			fmt.Fprintf(&b, "- %s\n", n)
		}
	}
	return b.String()
}

// forgeJSON is one forge as data.
type forgeJSON struct {
	Product      string                  `json:"product"`
	Annotations  bool                    `json:"annotations"`
	Buttons      bool                    `json:"buttons"`
	MergeQueue   bool                    `json:"merge_queue"`
	DeliveryLog  bool                    `json:"delivery_log"`
	PinnedCheck  bool                    `json:"pinned_check"`
	CommentMax   int                     `json:"comment_max"`
	SummaryMax   int                     `json:"summary_max"`
	ShortMax     int                     `json:"short_max"`
	ChangeSign   string                  `json:"change_sign"`
	CallsPerHour int                     `json:"calls_per_hour"`
	Lacks        map[forges.Trait]string `json:"lacks"`
	Notes        []string                `json:"notes"`
}

func forgesJSON(all []forges.Capabilities) []forgeJSON {
	var out []forgeJSON
	for _, c := range all {
		j := forgeJSON{
			Product: c.Product, Annotations: c.Annotations, Buttons: c.Buttons, MergeQueue: c.MergeQueue, DeliveryLog: c.DeliveryLog,
			PinnedCheck: c.PinnedCheck, CommentMax: c.CommentMax, SummaryMax: c.SummaryMax, ShortMax: c.ShortMax,
			ChangeSign: c.ChangeSign, CallsPerHour: c.CallsPerHour, Lacks: c.Lacks, Notes: c.Notes,
		}
		if j.Lacks == nil {
			j.Lacks = map[forges.Trait]string{}
		}
		if j.Notes == nil {
			j.Notes = []string{}
		}
		out = append(out, j)
	}
	return out
}
