package main

import (
	"github.com/spf13/cobra"

	"primum/rules/policy"
)

type lintOptions struct {
	io     *streams
	file   string
	base   string
	format string
}

func newPolicyLint(io *streams) *cobra.Command {
	o := lintOptions{io: io}
	cmd := &cobra.Command{
		Use:   "lint [FILE]",
		Short: "Check a policy file",
		Long: "Checks a policy file (" + policy.Path + " here, if none is named) and prints every error as\n" +
			"\"file:line:column: what is wrong; what would be right\". FILE may be \"-\" for standard input\n" +
			"or a git revision and path, such as main:" + policy.Path + ".\n\n" +
			"Exit status: 0 valid, 2 broken.",
		Example: "  primum policy lint\n  primum policy lint --format json deploy/policy.yml",
		Args:    arguments(0, 1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = policy.Path
			if len(args) > 0 {
				o.file = args[0]
			}
			return o.run(cmd)
		},
	}
	cmd.Flags().StringVar(&o.base, "base", "", "the organisation's policy that the file extends, as a file or git revision and path")
	oneOf(cmd, &o.format, "format", "how to print", "text", "json")
	return cmd
}

// lintSchema names the JSON form of lint's answer.
const lintSchema = "primum.lint/v1"

func (o *lintOptions) run(cmd *cobra.Command) error {
	p, err := readPolicy(cmd.Context(), o.io, o.file, o.base)
	if err != nil {
		return err
	}
	valid, errs := p.parse()
	var warnings policy.Errors
	if valid != nil {
		warnings = valid.Warnings
	}
	if o.format == "json" {
		err = writeJSON(o.io.out, struct {
			Schema   string        `json:"schema"`
			File     string        `json:"file"`
			Valid    bool          `json:"valid"`
			Errors   policy.Errors `json:"errors"`
			Warnings policy.Errors `json:"warnings"`
		}{lintSchema, p.name, valid != nil, append(policy.Errors{}, errs...), append(policy.Errors{}, warnings...)})
		if err != nil {
			return err
		}
	} else {
		p.print(o.io, o.io.printf, o.io.outTTY, errs, "")
		p.print(o.io, o.io.printf, o.io.outTTY, warnings, "warning: ")
	}
	if valid == nil {
		if o.io.outTTY && o.format == "text" && len(errs) > 1 {
			o.io.complain("%d errors\n", len(errs))
		}
		return status(exitUsage)
	}
	if o.io.outTTY && o.format == "text" {
		o.io.printf("%s: valid; product %s, mode %s, %d items, %d rules\n", p.name, valid.Product, valid.Mode, len(valid.Items), len(valid.Rules))
	}
	return nil
}
