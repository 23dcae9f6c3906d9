package main

import (
	"github.com/spf13/cobra"

	"primum/rules"
	"primum/rules/policy"
)

func newPolicySchema(io *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the policy file",
		Long: "Prints the JSON Schema (draft 2020-12) of the policy file, for editors that complete and check\n" +
			"YAML by schema. The service serves the same at /schema/policy-v1.json.",
		Example: "  primum policy schema > policy-v1.json",
		Args:    arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			raw, err := policy.Schema(rules.Specs())
			if err != nil {
				return err
			}
			_, err = io.out.Write(raw)
			return err
		},
	}
}
