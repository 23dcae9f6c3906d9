package main

import (
	"context"
	"log/slog"
	"os/exec"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"primum/cmd/primum/demo"
)

// newDemo is "primum demo".
func newDemo(io *streams) *cobra.Command {
	var o demo.Options
	var open, verbose bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show Primum at work on a simulated forge, in the browser",
		Long: "Starts a Git forge in memory with the repository of an infusion pump, Primum's service\n" +
			"beside it, and a browser page on which you act as any of the people there: push a commit,\n" +
			"approve, answer the risk questions, edit the policy, type a command. The verdict follows\n" +
			"within a second. Nothing is configured, nothing leaves the machine, nothing is kept.\n" +
			"Ctrl-C stops it.",
		Example: "  primum demo\n  primum demo --forge gitlab\n  primum demo --port 8080 --open",
		Args:    arguments(0, 0, "arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			level := slog.LevelError
			if verbose {
				level = slog.LevelInfo
			}
			o.Out, o.Engine = io.out, version(debug.ReadBuildInfo())
			o.Log = slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: level}))
			if open {
				o.Open = func(url string) error { return browse(cmd.Context(), url) }
			}
			return demo.Run(cmd.Context(), o)
		},
	}
	oneOf(cmd, &o.Forge, "forge", "the kind of forge to simulate", demo.Forges()...)
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1", "address the page listens on; anybody who reaches it can act")
	f.IntVar(&o.Port, "port", 0, "port of the page; 0 takes a free one")
	f.BoolVar(&open, "open", false, "open the page in a browser")
	f.BoolVarP(&verbose, "verbose", "v", false, "log what the service does")
	return cmd
}

// browse opens an address in the system's browser.
func browse(ctx context.Context, url string) error {
	switch runtime.GOOS {
	case "darwin":
		return exec.CommandContext(ctx, "open", url).Start() //nolint:gosec // our own address
	case "windows":
		return exec.CommandContext(ctx, "rundll32", "url.dll,FileProtocolHandler", url).Start() //nolint:gosec // our own address
	default:
		return exec.CommandContext(ctx, "xdg-open", url).Start() //nolint:gosec // our own address
	}
}
