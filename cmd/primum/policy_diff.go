package main

import (
	"github.com/spf13/cobra"

	"primum/bot/report"
	"primum/rules"
	"primum/rules/policy"
)

type diffOptions struct {
	io       *streams
	old, now string
	base     string
	format   string
}

func newPolicyDiff(io *streams) *cobra.Command {
	o := diffOptions{io: io}
	cmd := &cobra.Command{
		Use:   "diff OLD [NEW]",
		Short: "Say in words what a new policy changes",
		Long: "Says in words what changes from one policy to another: what becomes weaker first, then the rest,\n" +
			"and which products and items fall to a lower class. Each is a file, \"-\", or a git revision and\n" +
			"path; NEW is " + policy.Path + " here if it is left out.\n\n" +
			"Exit status: 0 nothing becomes weaker, 1 something does, 2 a policy is broken.",
		Example: "  primum policy diff main:" + policy.Path + "\nprimum policy diff old.yml new.yml",
		Args:    arguments(1, 2, "OLD and NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.old, o.now = args[0], policy.Path
			if len(args) > 1 {
				o.now = args[1]
			}
			return o.run(cmd)
		},
	}
	cmd.Flags().StringVar(&o.base, "base", "", "the organisation's policy that both extend")
	oneOf(cmd, &o.format, "format", "how to print", "text", "json")
	return cmd
}

func (o *diffOptions) run(cmd *cobra.Command) error {
	var both [2]*policy.Policy
	for i, name := range []string{o.old, o.now} {
		p, err := readPolicy(cmd.Context(), o.io, name, o.base)
		if err != nil {
			return err
		}
		if both[i], err = p.must(o.io); err != nil {
			return err
		}
	}
	differences := policy.Diff(both[0], both[1], rules.Specs())
	falls := policy.Falls(both[0], both[1])
	if err := o.print(differences, falls); err != nil {
		return err
	}
	for _, d := range differences {
		if d.Weaker {
			return status(exitFindings)
		}
	}
	if len(falls) > 0 {
		return status(exitFindings)
	}
	return nil
}

func (o *diffOptions) print(differences []policy.Difference, falls []policy.Fall) error {
	if o.format == "json" {
		type difference struct {
			Key    string `json:"key"`
			Words  string `json:"words"`
			Weaker bool   `json:"weaker"`
		}
		type fall struct {
			ID   string `json:"id"`
			From string `json:"from"`
			To   string `json:"to"`
		}
		out := struct {
			Changes []difference `json:"changes"`
			Falls   []fall       `json:"falls"`
		}{[]difference{}, []fall{}}
		for _, d := range differences {
			out.Changes = append(out.Changes, difference(d))
		}
		for _, f := range falls {
			out.Falls = append(out.Falls, fall{f.ID, string(f.From), string(f.To)})
		}
		return writeJSON(o.io.out, out)
	}
	for _, f := range falls {
		o.io.printf("%s  %s falls from class %s to %s\n", o.io.paint(red, "weaker"), report.Clean(f.ID), f.From, f.To)
	}
	for _, d := range differences {
		kind := "      "
		if d.Weaker {
			kind = o.io.paint(red, "weaker")
		}
		o.io.printf("%s  %s\n", kind, report.Clean(d.Words))
	}
	if len(differences)+len(falls) == 0 && o.io.outTTY {
		o.io.printf("No difference in what is in force\n")
	}
	return nil
}
