package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"os"

	"github.com/spf13/cobra"

	"primum/bot/clock"
	"primum/forges"
	"primum/forges/gitlab"
)

// newSetupGitLab is "primum setup gitlab".
func newSetupGitLab(io *streams) *cobra.Command {
	i := &installing{io: io, kind: "gitlab", change: "merge request", env: os.Getenv}
	var c gitlab.SetupConfig
	var botTokenFile, way string
	cmd := &cobra.Command{
		Use:   "gitlab --public-url ADDRESS [--group PATH]… [--repo GROUP/PROJECT]…",
		Short: "Set up GitLab",
		Long: "Sets up GitLab, gitlab.com or self-managed: Primum's account (a group or project access token, or\n" +
			"one given by --bot), the webhooks of the group or, where the tier has none, of its projects, and for\n" +
			"each --repo the way by which a verdict blocks, the best that the project can have:\n\n" +
			"  external status check   Ultimate; merging waits for status checks\n" +
			"  pipeline job            any tier, with a pipeline; a job that asks Primum, see deploy/gitlab\n" +
			"  approval rule           Premium; Primum's account alone approves by the rule Primum\n" +
			"  commit status           any tier; merging waits for the pipeline the status is part of\n\n" +
			"It takes the token of an owner of the group or a maintainer of the projects, with the scope api.",
		Example: "  primum setup gitlab --url https://gitlab.acme.example --token-file owner.token \\\n" +
			"    --public-url https://primum.acme.example --group acme --repo acme/devices/pump --env-file primum.env",
		Args: arguments(0, 0, "arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return i.gitlab(cmd.Context(), c, botTokenFile, way) },
	}
	i.flags(cmd)
	i.ownToken(cmd, "group", "of an owner of the group or a maintainer of the projects, with the scope api")
	f := cmd.Flags()
	f.StringVar(&c.URL, "url", "", "address people open GitLab at (default $PRIMUM_GITLAB_URL, or https://gitlab.com)")
	f.StringVar(&c.Bot, "bot", "", "username of an account made for Primum; without it an access token is made that brings one")
	f.StringVar(&botTokenFile, "bot-token-file", "", "file with a token of Primum's account, if one was made already")
	f.BoolVar(&c.NewToken, "new-token", false, "make another access token although there is one")
	oneOf(cmd, &c.Role, "role", "what Primum's account becomes", "developer", "maintainer")
	oneOf(cmd, &way, "way", "how a verdict blocks (default: the best there is)", "", gitlab.WayCheck, gitlab.WayJob, gitlab.WayApproval, gitlab.WayStatus)
	return cmd
}

func (i *installing) gitlab(ctx context.Context, c gitlab.SetupConfig, botTokenFile, way string) error {
	if c.URL == "" {
		c.URL = i.env("PRIMUM_GITLAB_URL")
	}
	if c.URL == "" {
		c.URL = "https://gitlab.com"
	}
	if len(i.owners)+len(i.repos) == 0 {
		return usage("missing --group or --repo: nothing is named that is to be set up")
	}
	err := i.prepare()
	if err != nil {
		return err
	}
	if c.Token, err = i.token(); err != nil {
		return err
	}
	w := forges.Wanted{HookURL: i.publicURL + "/hooks/" + i.key, Check: "primum", Repos: i.repos, Owners: i.owners, Branches: i.branches, Way: way}
	w.Secret, c.Fresh, c.NewSecret = i.secret()
	if c.Fresh {
		if c.SigningToken, err = signingToken(); err != nil {
			return err
		}
	}
	values := [][2]string{{i.variable("URL"), c.URL}}
	c.BotToken = i.known("TOKEN")
	if c.NewToken {
		c.BotToken = ""
	}
	c.NewToken = c.NewToken || i.file != nil && c.BotToken == ""
	if botTokenFile != "" {
		if c.BotToken, err = secretFrom(botTokenFile); err != nil {
			return err
		}
		values = append(values, [2]string{i.variable("TOKEN"), c.BotToken})
	}
	if i.caFile != "" {
		values = append(values, [2]string{i.variable("CA_FILE"), i.caFile})
	}
	if way != "" {
		values = append(values, [2]string{i.variable("WAY"), way})
	}
	c.Keep, c.CAFile, c.Now = i.keep, i.caFile, clock.System{}.Now
	steps, err := gitlab.Setup(ctx, c, w)
	if err != nil {
		return err
	}
	return i.carry(ctx, append(i.settings(values...), steps...))
}

// signingToken makes a key by which deliveries are signed, in the form of
// Standard Webhooks.
func signingToken() (string, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return "", err
	}
	return "whsec_" + base64.StdEncoding.EncodeToString(key), nil
}
