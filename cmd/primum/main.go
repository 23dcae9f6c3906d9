// Command primum makes IEC 62304 part of the pull request: it judges changes by
// a policy file, as a service or from the command line. "primum help" lists the
// commands; manual.md is the same text, printed.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, osStreams(), os.Args[1:])
	stop()
	os.Exit(code)
}
