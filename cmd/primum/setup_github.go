package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"primum/bot/clock"
	"primum/forges"
	"primum/forges/github"
)

// githubSetup is one run of "primum setup github".
type githubSetup struct {
	*installing
	org, web, api, name, listen string
	within                      time.Duration
	strict                      bool
}

// newSetupGitHub is "primum setup github".
func newSetupGitHub(io *streams) *cobra.Command {
	g := &githubSetup{installing: &installing{io: io, kind: "github", change: "pull request", env: os.Getenv}}
	cmd := &cobra.Command{
		Use:   "github --public-url ADDRESS --env-file FILE [--org NAME] [--repo OWNER/NAME]…",
		Short: "Set up GitHub or an Enterprise Server",
		Long: "Sets up GitHub: makes the GitHub App with the least permissions through a page on this machine\n" +
			"that your browser opens, writes its number, key and webhook secret to --env-file, waits until you\n" +
			"have installed it, and requires its check, from this app only, on the branch of each --repo.\n\n" +
			"Without a browser on this machine, forward the port that is printed: ssh -L PORT:127.0.0.1:PORT.\n" +
			"A second run finds the app by --env-file and makes no other.",
		Example: "  primum setup github --public-url https://primum.acme.example --org acme --repo acme/pump \\\n" +
			"    --env-file primum.env --token-file admin.token",
		Args: arguments(0, 0, "arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return g.run(cmd.Context()) },
	}
	g.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&g.org, "org", "", "organisation that is to own the app (default: the account that is signed in)")
	f.StringVar(&g.web, "url", "https://github.com", "address people open GitHub at; an Enterprise Server's own")
	f.StringVar(&g.name, "name", "", "name of the app, which nobody on GitHub has yet (default: Primum and the organisation)")
	f.StringVar(&g.listen, "listen", "127.0.0.1:0", "address of the page on this machine")
	f.StringVar(&g.tokenFile, "token-file", "", "file with a token of an administrator, to require the check; without it the command to do so is said (default $PRIMUM_SETUP_TOKEN)")
	f.DurationVar(&g.within, "wait", 15*time.Minute, "time for you to make and install the app")
	f.BoolVar(&g.strict, "strict", false, "hold administrators to the check as well")
	return cmd
}

func (g *githubSetup) run(ctx context.Context) error {
	if g.envFile == "" {
		return usage("missing --env-file, the file that the app's number, key and secret are written to")
	}
	if err := g.prepare(); err != nil {
		return err
	}
	if err := g.addresses(); err != nil {
		return err
	}
	if g.within <= 0 {
		return usage("--wait %s is no time to wait; 15m is", g.within)
	}
	token := strings.TrimSpace(g.env("PRIMUM_SETUP_TOKEN"))
	if g.tokenFile != "" {
		var err error
		if token, err = g.token(); err != nil {
			return err
		}
	}
	app, err := g.app()
	if err != nil {
		return err
	}
	w := forges.Wanted{HookURL: g.publicURL + "/hooks/" + g.key, Check: "primum", Repos: g.repos, Branches: g.branches}
	if g.org != "" {
		w.Owners = []string{g.org}
	}
	if app.AppID == 0 {
		if done, err := g.make(ctx, w.HookURL, &app); done || err != nil {
			return err
		}
		if err := g.awaitInstallation(ctx, app, w); err != nil {
			return err
		}
	}
	app.Token = token
	steps, err := github.Setup(ctx, app, w)
	if err != nil {
		return err
	}
	return g.carry(ctx, append(g.settings(g.values()...), steps...))
}

// addresses works out the API's address from the one people open.
func (g *githubSetup) addresses() error {
	u, err := url.Parse(g.web)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return usage("--url %q is no address; something like https://github.acme.example is", g.web)
	}
	g.web = strings.TrimRight(g.web, "/")
	switch {
	case u.Host == "github.com":
		g.api = ""
	case strings.HasSuffix(u.Host, ".ghe.com"):
		g.api = u.Scheme + "://api." + u.Host
	default:
		g.api = g.web + "/api/v3"
	}
	return nil
}

// values are the settings that are known from the start.
func (g *githubSetup) values() [][2]string {
	var values [][2]string
	if g.api != "" {
		values = append(values, [2]string{g.variable("API_URL"), g.api})
	}
	if g.caFile != "" {
		values = append(values, [2]string{g.variable("CA_FILE"), g.caFile})
	}
	return values
}

// app is the app that --env-file knows; without number if it knows none.
func (g *githubSetup) app() (github.SetupConfig, error) {
	c := github.SetupConfig{APIURL: g.api, Strict: g.strict, CAFile: g.caFile, Now: clock.System{}.Now}
	number := g.file.get(g.variable("APP_ID"))
	if number == "" || g.force {
		return c, nil
	}
	var err error
	if c.AppID, err = strconv.ParseInt(number, 10, 64); err != nil {
		return c, usage("%s: %s %q is no number", g.envFile, g.variable("APP_ID"), number)
	}
	key := strings.ReplaceAll(g.file.get(g.variable("PRIVATE_KEY")), `\n`, "\n")
	if path := g.file.get(g.variable("PRIVATE_KEY_FILE")); key == "" && path != "" {
		if key, err = secretFrom(path); err != nil {
			return c, err
		}
	}
	if key == "" {
		return c, usage("%s has the number of an app and no key: add %s, or take --force to make another app", g.envFile, g.variable("PRIVATE_KEY_FILE"))
	}
	c.PrivateKey = []byte(key)
	return c, nil
}

// make has a person make the app, through a page on this machine, and writes
// what GitHub tells once. done is true after a dry run.
func (g *githubSetup) make(ctx context.Context, hook string, app *github.SetupConfig) (done bool, err error) {
	owner := "the account that is signed in"
	if g.org != "" {
		owner = g.org
	}
	for _, says := range []string{
		"open a page on this machine; a press there makes the GitHub App " + g.appName() + " of " + owner + ", with webhooks to " + hook,
		"write its number, webhook secret and login to " + g.envFile + ", and its key to " + g.keyFile(),
		"wait until you have installed it, then require the check primum",
	} {
		g.say(forges.Step{Says: says, Do: func(context.Context) error { return nil }})
	}
	if g.dryRun {
		g.io.printf("\nNothing was changed: this was a dry run.\n")
		return true, nil
	}
	if _, err := os.Stat(g.keyFile()); err == nil && !g.force {
		return false, usage("%s is there already; take --force to replace it, or another --env-file", g.keyFile())
	}
	made, err := g.page(ctx, hook, *app)
	if err != nil {
		return false, err
	}
	if err := g.remember(made); err != nil {
		return false, err
	}
	app.AppID, app.PrivateKey = made.ID, []byte(made.PEM)
	g.io.printf("  %s the app %s (%d); its settings are in %s\n", g.io.paint(green, "done  "), made.Name, made.ID, g.envFile)
	g.io.printf("\nInstall it: %s/installations/new\n", made.Page)
	return false, nil
}

func (g *githubSetup) appName() string {
	if g.name != "" {
		return g.name
	}
	if g.org != "" {
		return "Primum " + g.org
	}
	return "Primum " + strings.ToLower(rand.Text()[:5]) // the names of apps are everybody's
}

// keyFile stands beside the settings: a key has lines, which not every reader of
// such files bears.
func (g *githubSetup) keyFile() string {
	return strings.TrimSuffix(g.envFile, filepath.Ext(g.envFile)) + "-" + g.key + ".pem"
}

// remember writes what GitHub tells once. The key comes first: with the number
// alone a second run would take the app for made.
func (g *githubSetup) remember(a github.App) error {
	if err := writePrivate(g.keyFile(), []byte(a.PEM)); err != nil {
		return fmt.Errorf("write the key of app %d: %w; on the app's page make another key, and delete the app if you begin anew: %s", a.ID, err, a.Page)
	}
	path, err := filepath.Abs(g.keyFile())
	if err != nil {
		return err
	}
	values := [][2]string{
		{"PRIMUM_PUBLIC_URL", g.publicURL},
		{g.variable("PRIVATE_KEY_FILE"), path},
		{g.variable("WEBHOOK_SECRET"), a.WebhookSecret},
		{g.variable("CLIENT_ID"), a.ClientID},
		{g.variable("CLIENT_SECRET"), a.ClientSecret},
		{g.variable("APP_ID"), strconv.FormatInt(a.ID, 10)},
	}
	for _, v := range append(values, g.values()...) {
		if err := g.file.set(v[0], v[1], g.force); err != nil {
			return err
		}
	}
	return nil
}

// pollEvery is how often GitHub is asked whether the app was installed.
const pollEvery = 3 * time.Second

// awaitInstallation waits until the app is installed where it is wanted.
func (g *githubSetup) awaitInstallation(ctx context.Context, app github.SetupConfig, w forges.Wanted) error {
	if len(w.Owners)+len(w.Repos) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, g.within)
	defer cancel()
	g.io.complain("Waiting until it is installed in %s …\n", strings.Join(append(w.Owners, w.Repos...), ", "))
	for tick := time.NewTicker(pollEvery); ; {
		there, err := github.Installed(ctx, app, w)
		if there {
			tick.Stop()
			return nil
		}
		if err != nil && !forges.Temporary(err) {
			tick.Stop()
			return err
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return errors.New("it was not installed in time; install it and run the same again, which finds the app")
			}
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// page serves the page and gives the app that came of it.
func (g *githubSetup) page(ctx context.Context, hook string, c github.SetupConfig) (github.App, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, g.within, errors.New("nobody made the app in time; run it again"))
	defer cancel()
	p, err := newAppPage(ctx, g.listen, func(redirect string) (string, error) {
		m, err := github.Manifest(g.appName(), g.publicURL, hook, redirect)
		return string(m), err
	}, func(state string) string { return github.ManifestAddress(g.web, g.org, state) })
	if err != nil {
		return github.App{}, err
	}
	g.io.printf("\nOpen %s\n", p.address)
	g.io.complain("Waiting for you to make the app; Ctrl-C stops …\n")
	code, err := p.wait(ctx)
	if err != nil {
		return github.App{}, context.Cause(ctx)
	}
	return github.Convert(ctx, c, code)
}
