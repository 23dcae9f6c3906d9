package main

import (
	"io"

	"github.com/spf13/cobra"

	"primum/rules"
	"primum/rules/catalog"
)

type rulesListOptions struct {
	io     *streams
	format string
}

func newRulesList(io *streams) *cobra.Command {
	o := rulesListOptions{io: io}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the rules with what they do at each class",
		Long: "Lists the rules of this version with what each does at each class as shipped.\n\n" +
			"Formats: text; markdown, the table of the README; reference, every rule on one Markdown page;\n" +
			"coverage, which clauses of IEC 62304 the rules serve at which class; json, all of it as data.",
		Example: "  primum rules list\n  primum rules list --format coverage",
		Args:    arguments(0, 0, ""),
		RunE:    func(*cobra.Command, []string) error { return o.run() },
	}
	oneOf(cmd, &o.format, "format", "how to print", "text", "markdown", "reference", "coverage", "json")
	return cmd
}

func (o *rulesListOptions) run() error {
	all := rules.All()
	var text string
	switch o.format {
	case "json":
		raw, err := catalog.JSON(all)
		if err != nil {
			return err
		}
		text = string(raw)
	case "markdown":
		text = catalog.Table(all, "rules/README.md")
	case "reference":
		text = catalog.Reference(all)
	case "coverage":
		text = catalog.CoverageText(all, o.io.style())
	default:
		text = catalog.List(all, o.io.style())
	}
	_, err := io.WriteString(o.io.out, text)
	return err
}
