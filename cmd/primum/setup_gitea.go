package main

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"primum/bot/clock"
	"primum/forges"
	"primum/forges/gitea"
)

// newSetupGitea is "primum setup gitea".
func newSetupGitea(io *streams) *cobra.Command {
	i := &installing{io: io, kind: "gitea", change: "pull request", env: os.Getenv}
	var c gitea.SetupConfig
	var botTokenFile string
	cmd := &cobra.Command{
		Use:   "gitea --url ADDRESS --public-url ADDRESS [--org NAME]… [--repo OWNER/NAME]…",
		Short: "Set up Gitea or Forgejo",
		Long: "Sets up a Gitea or Forgejo, told apart by their version: Primum's account and its token, its team,\n" +
			"the webhooks of the organisation (--org) or of each repository (--repo), and the check as a\n" +
			"requirement of the branch of each --repo. What others require there stays.\n\n" +
			"It takes the token of an owner of the organisation. Only an administrator of the site can make\n" +
			"the account and its token; without such a token the way to them is said.",
		Example: "  primum setup gitea --url https://git.acme.example --token-file owner.token \\\n" +
			"    --public-url https://primum.acme.example --org acme --repo acme/pump --env-file primum.env",
		Args: arguments(0, 0, "arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return i.gitea(cmd.Context(), c, botTokenFile) },
	}
	i.flags(cmd)
	i.ownToken(cmd, "org", "of an owner or administrator, with the scopes write:organization, write:repository, read:user (and, to make the account and its token, write:admin and write:user)")
	f := cmd.Flags()
	f.StringVar(&c.URL, "url", "", "address people open the forge at (default $PRIMUM_GITEA_URL)")
	f.StringVar(&c.Bot, "bot", "primum", "login of Primum's own account")
	f.StringVar(&botTokenFile, "bot-token-file", "", "file with a token of that account, if one was made already")
	f.StringVar(&c.Team, "team", "primum", "team that gives the account its rights")
	f.BoolVar(&c.Strict, "strict", false, "hold administrators to the check as well")
	return cmd
}

func (i *installing) gitea(ctx context.Context, c gitea.SetupConfig, botTokenFile string) error {
	if c.URL == "" {
		c.URL = i.env("PRIMUM_GITEA_URL")
	}
	if c.URL == "" {
		return usage("missing --url, the address people open Gitea or Forgejo at")
	}
	if !strings.HasPrefix(c.URL, "https://") && !strings.HasPrefix(c.URL, "http://") {
		return usage("--url %q is no address; something like https://git.example.com is", c.URL)
	}
	if len(i.owners)+len(i.repos) == 0 {
		return usage("missing --org or --repo: nothing is named that is to be set up")
	}
	err := i.prepare()
	if err != nil {
		return err
	}
	if c.Token, err = i.token(); err != nil {
		return err
	}
	w := forges.Wanted{HookURL: i.publicURL + "/hooks/" + i.key, Check: "primum", Repos: i.repos, Owners: i.owners, Branches: i.branches}
	w.Secret, c.Fresh, c.NewSecret = i.secret()
	values := [][2]string{{i.variable("URL"), c.URL}}
	c.BotToken = i.known("TOKEN")
	c.NewToken = i.file != nil && c.BotToken == ""
	if botTokenFile != "" {
		if c.BotToken, err = secretFrom(botTokenFile); err != nil {
			return err
		}
		values = append(values, [2]string{i.variable("TOKEN"), c.BotToken})
	}
	c.Silent = silentIn
	c.Keep, c.Principals, c.CAFile, c.Now = i.keep, rolesIn, i.caFile, clock.System{}.Now
	if i.caFile != "" {
		values = append(values, [2]string{i.variable("CA_FILE"), i.caFile})
	}
	steps, err := gitea.Setup(ctx, c, w)
	if err != nil {
		return err
	}
	return i.carry(ctx, append(i.settings(values...), steps...))
}
