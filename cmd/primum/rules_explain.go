package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"primum/rules"
	"primum/rules/catalog"
)

type rulesExplainOptions struct {
	io     *streams
	id     string
	format string
}

func newRulesExplain(io *streams) *cobra.Command {
	o := rulesExplainOptions{io: io}
	cmd := &cobra.Command{
		Use:     "explain ID",
		Short:   "Explain one rule",
		Long:    "Says why a rule exists, how to satisfy it, what it does at each class, which parameters it has,\nand which clauses it rests on, with an example that satisfies it and one that does not.",
		Example: "  primum rules explain review-quorum",
		Args:    arguments(1, 1, "the id of a rule; \"primum rules list\" shows them"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return ruleIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			o.id = args[0]
			return o.run()
		},
	}
	oneOf(cmd, &o.format, "format", "how to print", "text", "markdown", "json")
	return cmd
}

func ruleIDs() []string {
	var ids []string
	for _, r := range rules.All() {
		ids = append(ids, r.ID)
	}
	return ids
}

func (o *rulesExplainOptions) run() error {
	r, ok := rules.Find(strings.ToLower(o.id))
	if !ok {
		if near := nearest(strings.ToLower(o.id), ruleIDs()); near != "" {
			return usage("no rule %q; did you mean %q?", o.id, near)
		}
		return usage("no rule %q; \"primum rules list\" shows them", o.id)
	}
	var text string
	switch o.format {
	case "json":
		raw, err := catalog.RuleJSON(r)
		if err != nil {
			return err
		}
		text = string(raw)
	case "markdown":
		text = catalog.Page(r, 1)
	default:
		text = catalog.Explain(r, o.io.style())
	}
	_, err := io.WriteString(o.io.out, text)
	return err
}

// nearest is the id that a mistyped one most likely means, by the letters they
// share in order; "" if none is near.
func nearest(word string, ids []string) string {
	best, most := "", 0.6
	for _, id := range ids {
		if likeness := 2 * float64(common(word, id)) / float64(len(word)+len(id)); likeness > most {
			best, most = id, likeness
		}
	}
	return best
}

// common is the length of the longest common subsequence.
func common(a, b string) int {
	row := make([]int, len(b)+1)
	for i := range len(a) {
		diagonal := 0
		for j := range len(b) {
			above := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}
