package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// choice is a flag that takes one of a few words.
type choice struct {
	to      *string
	allowed []string
}

// String implements pflag.Value.
func (c choice) String() string {
	if c.to == nil {
		return ""
	}
	return *c.to
}

// Set implements pflag.Value.
func (c choice) Set(v string) error {
	if !slices.Contains(c.allowed, v) {
		return fmt.Errorf("%q is none of %s", v, strings.Join(c.allowed, ", "))
	}
	*c.to = v
	return nil
}

// Type implements pflag.Value.
func (choice) Type() string { return "word" }

// oneOf declares such a flag with its completion; the first word is the default.
func oneOf(cmd *cobra.Command, to *string, name, doc string, allowed ...string) {
	*to = allowed[0]
	words := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
	cmd.Flags().Var(choice{to: to, allowed: allowed}, name, doc+": "+strings.Join(words, ", "))
	// It fails only for a flag that was not declared.
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}
