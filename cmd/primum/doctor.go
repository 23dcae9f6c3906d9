package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"primum/bot/clock"
	"primum/bot/config"
	"primum/forges"
	"primum/forges/admin"
	"primum/forges/gitea"
	"primum/forges/github"
	"primum/forges/gitlab"
)

// doctor is one run of "primum doctor".
type doctor struct {
	io                      *streams
	json, quiet, deliver    bool
	envFile, adminTokenFile string

	config *config.Config
	found  []finding
}

// finding is one line of the result: a finding and where it was made.
type finding struct {
	Of    string       `json:"of"` // "service", or the key of a forge
	Topic string       `json:"topic"`
	Level forges.Level `json:"level"`
	Says  string       `json:"says"`
	Cure  string       `json:"cure,omitempty"`
}

// newDoctor is "primum doctor".
func newDoctor(io *streams) *cobra.Command {
	d := &doctor{io: io}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether everything is set up so that verdicts come and block",
		Long: "Reads the same settings as primum serve and looks at the whole: database, the address people and\n" +
			"forges reach the service at, and of each forge its address, authorities, proxy and clock, the token\n" +
			"and its rights, webhooks, test of the signature, branch protection that really blocks, roles that\n" +
			"can be read. Every finding comes with its cure. It changes nothing on a forge.\n\n" +
			"Run it where the service runs, with its settings, while it runs.\n\n" +
			"Exit status, for monitoring too: 0 nothing bad, 1 something bad, 2 called wrongly or the settings\n" +
			"are broken.",
		Example: "  primum doctor --env-file primum.env\n  primum doctor --quiet",
		Args:    arguments(0, 0, "arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context(), os.Environ()) },
	}
	f := cmd.Flags()
	f.BoolVar(&d.json, "json", false, "print the findings as JSON")
	f.BoolVarP(&d.quiet, "quiet", "q", false, "print only what is bad")
	f.BoolVar(&d.deliver, "deliver", false, "ask the forge for a test delivery where it has one, and see it arrive")
	f.StringVar(&d.envFile, "env-file", "", "file of settings, as primum setup writes it; the environment goes before it")
	f.StringVar(&d.adminTokenFile, "admin-token-file", "", "file with a token of an administrator, to look at what Primum's account is not shown; with several forges KEY=FILE,KEY=FILE")
	return cmd
}

func (d *doctor) run(ctx context.Context, environ []string) error {
	if d.json && d.quiet {
		return usage("--json and --quiet do not go together: JSON holds the levels")
	}
	if d.envFile != "" {
		if _, err := os.Stat(d.envFile); err != nil {
			return usage("--env-file: %w", err)
		}
		file, err := readSettings(d.envFile)
		if err != nil {
			return err
		}
		environ = file.environ(environ)
	}
	c, err := config.Load(environ)
	if err != nil {
		d.io.complain("%v\n", err)
		return status(exitUsage)
	}
	d.config = c
	tokens, err := d.adminTokens()
	if err != nil {
		return err
	}
	for _, w := range c.Warnings {
		d.add("service", forges.Finding{Topic: "settings", Level: forges.Odd, Says: w, Cure: "correct or remove it"})
	}
	d.service(ctx)
	for _, in := range c.Forges {
		d.forge(ctx, in, tokens[in.Key])
	}
	return d.print()
}

// adminTokens reads --admin-token-file: one file, or one for each forge named.
func (d *doctor) adminTokens() (map[string]string, error) {
	tokens := map[string]string{}
	if d.adminTokenFile == "" {
		return tokens, nil
	}
	for entry := range strings.SplitSeq(d.adminTokenFile, ",") {
		key, path, keyed := strings.Cut(entry, "=")
		if !keyed {
			if path = entry; len(d.config.Forges) != 1 {
				return nil, usage("--admin-token-file: there are several forges; write KEY=FILE, with one of %s", strings.Join(d.keys(), ", "))
			}
			key = d.config.Forges[0].Key
		}
		if !slices.Contains(d.keys(), key) {
			return nil, usage("--admin-token-file: %q is no forge of the settings; %s are", key, strings.Join(d.keys(), ", "))
		}
		token, err := secretFrom(path)
		if err != nil {
			return nil, err
		}
		tokens[key] = token
	}
	return tokens, nil
}

func (d *doctor) keys() []string {
	var keys []string
	for _, in := range d.config.Forges {
		keys = append(keys, in.Key)
	}
	return keys
}

func (d *doctor) add(of string, all ...forges.Finding) {
	for _, f := range all {
		d.found = append(d.found, finding{Of: of, Topic: f.Topic, Level: f.Level, Says: f.Says, Cure: f.Cure})
	}
}

// forge looks at one forge.
func (d *doctor) forge(ctx context.Context, in config.Instance, token string) {
	d.hook(ctx, in)
	d.refused(ctx, in.Key)
	reach := in.Reach()
	proxy, err := proxyOf(reach)
	if err != nil {
		d.add(in.Key, forges.Finding{Topic: "proxy", Level: forges.Bad, Says: err.Error(), Cure: "correct the proxy in the settings"})
		return
	}
	w := forges.Wanted{HookURL: d.hookURL(in), Check: "primum"}
	w.Owners, w.Repos = d.only(in)
	look := admin.Look{Admin: token, Principals: rolesIn, Silent: silentIn, Came: d.came(ctx, in.Key)}
	if d.deliver {
		look.Deliver = func(ctx context.Context, send func() error) (bool, error) { return d.arrives(ctx, in.Key, send) }
	}
	switch {
	case in.GitHub != nil:
		d.add(in.Key, github.Examine(ctx, github.Config{
			Key: in.Key, AppID: in.GitHub.AppID, PrivateKey: []byte(in.GitHub.PrivateKey), Secrets: in.GitHub.WebhookSecrets,
			BaseURL: in.GitHub.APIURL, CAFile: reach.CAFile, Proxy: proxy, Timeout: reach.Timeout, Now: clock.System{}.Now,
		}, w, look)...)
	case in.Gitea != nil:
		d.add(in.Key, gitea.Examine(ctx, gitea.Config{
			Key: in.Key, URL: in.Gitea.URL, Token: in.Gitea.Token, Secrets: in.Gitea.WebhookSecrets,
			CAFile: reach.CAFile, Proxy: proxy, Timeout: reach.Timeout, Now: clock.System{}.Now,
		}, w, look)...)
	case in.GitLab != nil:
		d.add(in.Key, gitlab.Examine(ctx, gitlab.Config{
			Key: in.Key, URL: in.GitLab.URL, Token: in.GitLab.Token, Secrets: in.GitLab.WebhookSecrets, SigningTokens: in.GitLab.SigningTokens,
			Way: in.GitLab.Way, CAFile: reach.CAFile, Proxy: proxy, Timeout: reach.Timeout, Now: clock.System{}.Now,
		}, w, look)...)
	}
}

func (d *doctor) hookURL(in config.Instance) string { return d.config.PublicURL + "/hooks/" + in.Key }

// only are the owners and repositories of PRIMUM_ONLY that are on this forge.
func (d *doctor) only(in config.Instance) (owners, repos []string) {
	for _, entry := range d.config.Only {
		key, path, keyed := strings.Cut(entry, ":")
		switch {
		case !keyed:
			path = entry
		case key != in.Key:
			continue
		}
		if strings.Contains(path, "/") {
			repos = append(repos, path)
		} else {
			owners = append(owners, path)
		}
	}
	return owners, repos
}

// print shows the findings and gives the exit status.
func (d *doctor) print() error {
	levels := map[forges.Level]int{}
	for _, f := range d.found {
		levels[f.Level]++
	}
	switch {
	case d.json:
		out := struct {
			Findings []finding `json:"findings"`
			Good     int       `json:"ok"`
			Odd      int       `json:"warn"`
			Bad      int       `json:"bad"`
		}{d.found, levels[forges.Good], levels[forges.Odd], levels[forges.Bad]}
		text, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			return err
		}
		d.io.printf("%s\n", text)
	default:
		d.table()
		if !d.quiet {
			d.io.printf("\n%d as they should be, %d to look at, %d bad\n", levels[forges.Good], levels[forges.Odd], levels[forges.Bad])
		}
	}
	if levels[forges.Bad] > 0 {
		return status(exitFindings)
	}
	return nil
}

// table prints a block for the service and for each forge.
func (d *doctor) table() {
	colours := map[forges.Level]colour{forges.Good: green, forges.Odd: yellow, forges.Bad: red}
	of := ""
	for _, f := range d.found {
		if d.quiet && f.Level != forges.Bad {
			continue
		}
		if f.Of != of {
			if of != "" {
				d.io.printf("\n")
			}
			of = f.Of
			d.io.printf("%s\n", d.io.paint(bold, of))
		}
		d.io.printf("  %s %s: %s\n", d.io.paint(colours[f.Level], fmt.Sprintf("%-4s", f.Level)), f.Topic, f.Says)
		if f.Cure != "" {
			d.io.printf("       %s\n", f.Cure)
		}
	}
}
