package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"primum/bot/report"
	"primum/rules/policy"
)

type explainOptions struct {
	io     *streams
	file   string
	base   string
	format string
	key    string
}

// widest is how many characters of a value the table of many values shows.
const widest = 60

func newPolicyExplain(io *streams) *cobra.Command {
	o := explainOptions{io: io}
	cmd := &cobra.Command{
		Use:   "explain [KEY]",
		Short: "Show the values in force and where each comes from",
		Long: "Shows every value of the policy that is in force, or those under one key, and where each comes\n" +
			"from: a line of the file, the base it extends, or the shipped defaults.",
		Example: "  primum policy explain\n  primum policy explain rules.review-quorum\n  primum policy explain people",
		Args:    arguments(0, 1, "KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.key = args[0]
			}
			return o.run(cmd)
		},
	}
	cmd.Flags().StringVar(&o.file, "file", policy.Path, "the policy: a file, - or a git revision and path")
	cmd.Flags().StringVar(&o.base, "base", "", "the organisation's policy that the file extends")
	oneOf(cmd, &o.format, "format", "how to print", "text", "json")
	return cmd
}

func (o *explainOptions) run(cmd *cobra.Command) error {
	p, err := readPolicy(cmd.Context(), o.io, o.file, o.base)
	if err != nil {
		return err
	}
	valid, err := p.must(o.io)
	if err != nil {
		return err
	}
	rows, err := policy.Explain(valid, o.key)
	if err != nil {
		return usage("%w", err)
	}
	if o.format == "json" {
		return writeJSON(o.io.out, rows)
	}
	w := tabwriter.NewWriter(o.io.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		value := report.Clean(r.Value)
		if len(rows) > 1 {
			value = report.Clip(value, widest) // asked for alone, it is shown whole
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", report.Clean(r.Key), value, report.Clean(r.Origin)); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(rows) == 1 && rows[0].Doc != "" {
		o.io.printf("\n%s\n", rows[0].Doc)
	}
	return nil
}
