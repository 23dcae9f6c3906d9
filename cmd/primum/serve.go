package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"primum/bot"
	"primum/bot/clock"
	"primum/bot/config"
	"primum/bot/intake"
	"primum/bot/pages"
	"primum/bot/store"
	"primum/bot/work"
	"primum/forges"
	"primum/forges/gitea"
)

// newServe is "primum serve".
func newServe(io *streams) *cobra.Command {
	var envFile string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service: webhooks in, verdicts out",
		Long: "Takes webhooks, judges changes and puts check and comment on them, until it is stopped.\n" +
			"Every setting is an environment variable, or a line of the file --env-file names:\n\n" + config.Reference(),
		Args: arguments(0, 0, "arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			environ, err := environment(envFile)
			if err != nil {
				return err
			}
			c, err := config.Load(environ)
			if err != nil {
				if _, printErr := fmt.Fprintln(io.err, err); printErr != nil {
					return printErr
				}
				return status(exitUsage)
			}
			return serve(cmd.Context(), io, c, cmd.Root().Version)
		},
	}
	cmd.Flags().StringVar(&envFile, "env-file", "", "file of settings, as primum setup writes it; the environment goes before it")
	return cmd
}

// environment is the environment, completed from a file of settings if one is
// named. A file that is not there is wrong, unlike one that setup is to write.
func environment(envFile string) ([]string, error) {
	if envFile == "" {
		return os.Environ(), nil
	}
	if _, err := os.Stat(envFile); err != nil {
		return nil, usage("--env-file: %w", err)
	}
	file, err := readSettings(envFile)
	if err != nil {
		return nil, err
	}
	return file.environ(os.Environ()), nil
}

// serve opens what the settings name and runs the service until ctx ends.
func serve(ctx context.Context, io *streams, c *config.Config, engine string) error {
	log := logger(io, c)
	for _, w := range c.Warnings {
		log.WarnContext(ctx, "settings", slog.String("warning", w))
	}
	meter := bot.NewMeter()
	served, err := openForges(c, log, meter)
	if err != nil {
		return usage("%w", err)
	}
	a, err := access(c)
	if err != nil {
		return usage("%w", err)
	}
	db, err := store.Open(ctx, c.DatabaseURL, clock.System{}, log)
	if err != nil {
		return err
	}
	closeDB := func() error {
		if err := db.Close(); err != nil {
			return fmt.Errorf("close the database: %w", err)
		}
		return nil
	}
	service, err := bot.New(serviceOptions(c, db, served, a, meter, log, engine))
	if err != nil {
		return errors.Join(err, closeDB())
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen on %s: %w; stop what listens there, or set PRIMUM_LISTEN to another address", c.Listen, err), closeDB())
	}
	log.InfoContext(ctx, "serving", slog.String("address", l.Addr().String()), slog.String("public_url", c.PublicURL),
		slog.String("database", databaseKind(c)), slog.String("version", engine))
	for _, f := range served {
		log.LogAttrs(ctx, slog.LevelInfo, "serving forge", about(f, c.PublicURL)...)
	}
	err = service.Serve(ctx, l)
	log.InfoContext(ctx, "stopped")
	return errors.Join(err, closeDB())
}

// about is what is known of a forge before it is asked for anything. Gitea and
// Forgejo tell with their version which of the two they are.
func about(f forges.Forge, public string) []slog.Attr {
	out := []slog.Attr{slog.String("forge", f.Key()), slog.String("webhooks", public+"/hooks/"+f.Key())}
	if c := f.Capabilities(); c.Product != gitea.Gitea || c.Version != "" {
		out = append(out, slog.String("product", c.Product))
	}
	return out
}

// logger writes to the stream for people, as text or JSON.
func logger(io *streams, c *config.Config) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(io.err, o))
	}
	return slog.New(slog.NewTextHandler(io.err, o))
}

func serviceOptions(c *config.Config, db *store.DB, served []forges.Forge, a pages.Access, meter *bot.Meter, log *slog.Logger, engine string) bot.Options {
	o := bot.Options{
		Store: db, Forges: served, Clock: clock.System{}, Log: log, Engine: engine,
		PublicURL: c.PublicURL, Access: a, Meter: meter, Owner: c.Instance,
		Sweep: c.SweepInterval, Watch: c.WatchInterval, KeepBodies: max(c.KeepFor(), time.Minute), StopTimeout: c.StopTimeout,
		Work: work.Options{Concurrency: c.Concurrency},
		Intake: intake.Options{
			Settle:   c.Settle,
			Relevant: func(r forges.RepoRef) bool { return c.Serves(r.Forge, r.Owner, r.Name) },
		},
	}
	if c.Settle == 0 {
		o.Intake.Settle = -1 // none, where zero would mean the default
	}
	if o.Owner == "" && !store.IsPostgres(c.DatabaseURL) {
		o.Owner = "primum" // the only one there is
	}
	return o
}

func databaseKind(c *config.Config) string {
	if store.IsPostgres(c.DatabaseURL) {
		return "PostgreSQL"
	}
	return "SQLite"
}
