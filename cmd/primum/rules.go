package main

import (
	"github.com/spf13/cobra"

	"primum/rules/catalog"
)

// newRules holds the commands about the catalogue of rules.
func newRules(io *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "List and explain the rules",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(newRulesList(io), newRulesExplain(io))
	return cmd
}

// style is how the catalogue looks on these streams.
func (s *streams) style() catalog.Style {
	return catalog.Style{
		Width: s.width,
		Bold:  func(t string) string { return s.paint(bold, t) },
		Dim:   func(t string) string { return s.paint(dim, t) },
	}
}
