package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// The exit statuses of every command.
const (
	exitCompliant = 0 // done, nothing found
	exitFindings  = 1 // done, something found
	exitUsage     = 2 // called wrongly, or the policy is broken
	exitFailure   = 3 // could not be done
)

// status is the error of a command that has said everything itself: only the
// exit status is left to give.
type status int

// Error implements error.
func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// commands lists the constructors of all subcommands, in the order of the help.
func commands() []func(*streams) *cobra.Command {
	return []func(*streams) *cobra.Command{
		newServe,
		newSetup,
		newDoctor,
		newDemo,
		newCheck,
		newPolicy,
		newRules,
		newForges,
		newDocs,
	}
}

// run is the whole program: it runs the command line args and gives the exit
// status.
func run(ctx context.Context, io *streams, args []string) int {
	root := newRoot(io)
	root.SetArgs(args)
	called, err := root.ExecuteContextC(ctx)
	if err == nil && io.broken != nil {
		err = fmt.Errorf("write the result: %w", io.broken)
	}
	return exitCode(io, called, err)
}

// newRoot builds the tree of commands.
func newRoot(io *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "primum",
		Short: "IEC 62304 as part of the pull request",
		Long: "Primum judges changes of medical device software by the rules of IEC 62304, chosen by\n" +
			"software safety class. It works as a service beside a Git forge and from the command line.\n\n" +
			"Exit status: 0 compliant or done, 1 findings, 2 called wrongly or the policy is broken,\n" +
			"3 it could not be done.",
		Version:       version(debug.ReadBuildInfo()),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          group,
	}
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetVersionTemplate("primum {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%w", err) })
	root.CompletionOptions.HiddenDefaultCmd = false
	for _, construct := range commands() {
		root.AddCommand(construct(io))
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Short = "Print a completion script for a shell"
			c.Args, c.RunE = cobra.ArbitraryArgs, group
		}
	}
	return root
}

// usage is an error in how a command was called.
func usage(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUsage, fmt.Errorf(format, args...))
}

// group runs a command that only holds others: its help, or what is wrong with
// the word that names none of them.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	msg := fmt.Sprintf("unknown command %q", args[0])
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if near := nearest(args[0], names); near != "" {
		return usage("%s; did you mean %q?", msg, near)
	}
	return usage("%s", msg)
}

// exitCode says what went wrong and gives the exit status: the one place that
// maps kinds of errors to statuses.
func exitCode(io *streams, cmd *cobra.Command, err error) int {
	var said status
	switch {
	case err == nil:
		return exitCompliant
	case errors.As(err, &said):
		return int(said)
	case errors.Is(err, errUsage):
		io.complain("%s: %s\n", cmd.CommandPath(), strings.TrimPrefix(err.Error(), errUsage.Error()+": "))
		io.complain("usage: %s\n", useLine(cmd))
		return exitUsage
	case isCobraUsage(err):
		return exitCode(io, cmd, usage("%w", err))
	case errors.Is(err, context.Canceled):
		io.complain("%s: stopped\n", cmd.CommandPath())
		return exitFailure
	default:
		io.complain("%s: %v\n", cmd.CommandPath(), err)
		return exitFailure
	}
}

// isCobraUsage reports whether cobra itself refused the flags: it has no type
// for these errors.
func isCobraUsage(err error) bool {
	for _, prefix := range []string{"required flag(s)", "if any flags in the group", "at least one of the flags in the group"} {
		if strings.HasPrefix(err.Error(), prefix) {
			return true
		}
	}
	return false
}

// useLine is how a command is called, in one line.
func useLine(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() {
		return cmd.CommandPath() + " COMMAND (see " + cmd.CommandPath() + " --help)"
	}
	return cmd.UseLine()
}

// arguments accepts between least and most arguments and says what is missing.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usage("missing %s", what)
		case len(args) > most && most == 0:
			return usage("unexpected argument %q", args[0])
		case len(args) > most:
			return usage("unexpected argument %q after %s", args[most], what)
		}
		return nil
	}
}

// version is the build's version with its revision, "+dirty" if the checkout
// had changes when it was built.
func version(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if rev := settings["vcs.revision"]; rev != "" && !strings.Contains(v, rev[:min(12, len(rev))]) {
		v += " " + rev[:min(12, len(rev))]
	}
	if settings["vcs.modified"] == "true" && !strings.HasSuffix(v, "+dirty") {
		v += "+dirty"
	}
	return v + " (" + info.GoVersion + ")"
}
