package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"primum/forges"
	"primum/rules"
	"primum/rules/policy"
)

// newSetup is "primum setup", which only holds the forges.
func newSetup(io *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Set up a forge for Primum: account, webhooks, required check",
		Long: "Brings a forge from nothing to a first verdict. Every step is said before it is done; what is\n" +
			"there already is left as it is, so a second run does nothing, and a run that failed half-way is\n" +
			"completed by the next. --dry-run only says the steps.\n\n" +
			"Exit status: 0 all is set up, 1 something is left to a person, 2 called wrongly, 3 a step failed.",
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(newSetupGitHub(io), newSetupGitLab(io), newSetupGitea(io))
	return cmd
}

// installing are the flags that the forges share.
type installing struct {
	io   *streams
	kind string // "gitea"
	// change is what the forge calls one: "pull request".
	change string
	env    func(string) string

	tokenFile, publicURL, envFile, key, caFile string
	owners, repos, branches                    []string
	dryRun, yes, newSecret, force              bool

	file *settingsFile // of --env-file, nil without
	show []string      // settings to be shown, "NAME=value", without --env-file
}

// flags declares them.
func (i *installing) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&i.publicURL, "public-url", "", "address people and the forge reach Primum at, https://primum.example (default $PRIMUM_PUBLIC_URL)")
	f.StringVar(&i.envFile, "env-file", "", "file the settings of the service are written to (0600); without it they are shown once at the end")
	f.StringVar(&i.key, "key", i.kind, "name of this forge in Primum's settings, PRIMUM_<KEY>_…, and in the webhooks' address")
	f.StringVar(&i.caFile, "ca-file", "", "PEM file of authorities to trust besides the system's")
	f.StringSliceVar(&i.repos, "repo", nil, "repository whose branch is to require the check, owner/name; may be repeated")
	f.StringSliceVar(&i.branches, "branch", nil, "branch to protect (default: the default branch); may be repeated")
	f.BoolVar(&i.dryRun, "dry-run", false, "say the steps and do none")
	f.BoolVarP(&i.yes, "yes", "y", false, "do the steps without asking")
	f.BoolVar(&i.force, "force", false, "change settings in --env-file that are there with another value")
}

// ownToken are the flags of the forges that are set up by a token.
func (i *installing) ownToken(cmd *cobra.Command, owner, whose string) {
	f := cmd.Flags()
	f.StringVar(&i.tokenFile, "token-file", "", "file with the token that does the setup, "+whose+"; - for the standard input; it is kept nowhere (default $PRIMUM_SETUP_TOKEN or $PRIMUM_"+strings.ToUpper(i.kind)+"_TOKEN)")
	f.StringSliceVar(&i.owners, owner, nil, owner+" whose repositories are all meant; may be repeated")
	f.BoolVar(&i.newSecret, "new-secret", false, "give all webhooks a new secret")
}

// prepare checks what was given and reads the settings that are known already.
func (i *installing) prepare() error {
	if i.publicURL == "" {
		i.publicURL = i.env("PRIMUM_PUBLIC_URL")
	}
	if i.publicURL == "" {
		return usage("missing --public-url, the address the forge reaches Primum at, such as https://primum.example")
	}
	u, err := url.Parse(i.publicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return usage("--public-url %q is no address; something like https://primum.example is", i.publicURL)
	}
	i.publicURL = strings.TrimRight(i.publicURL, "/")
	if !keyShape(i.key) {
		return usage("--key %q is no name; lower-case letters, digits and dashes make one", i.key)
	}
	for _, r := range i.repos {
		if owner, name, ok := cutLast(r); !ok || owner == "" || name == "" {
			return usage("--repo %q is not owner/name", r)
		}
	}
	if i.caFile != "" { // the service may start in another folder
		if i.caFile, err = filepath.Abs(i.caFile); err != nil {
			return err
		}
	}
	if i.envFile != "" {
		i.file, err = readSettings(i.envFile)
		return err
	}
	return nil
}

// keyShape reports whether s can be the key of a forge.
func keyShape(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && !strings.HasPrefix(s, "-")
}

// cutLast cuts owner/name at the last slash: groups of GitLab have slashes.
func cutLast(s string) (owner, name string, ok bool) {
	at := strings.LastIndex(s, "/")
	if at < 0 {
		return "", s, false
	}
	return s[:at], s[at+1:], true
}

// variable is the full name of a setting of this forge.
func (i *installing) variable(setting string) string {
	return "PRIMUM_" + strings.ToUpper(strings.ReplaceAll(i.key, "-", "_")) + "_" + setting
}

// token reads the token that does the setup.
func (i *installing) token() (string, error) {
	switch {
	case i.tokenFile == "-":
		raw, err := io.ReadAll(io.LimitReader(i.io.in, 1<<16))
		return strings.TrimSpace(string(raw)), err
	case i.tokenFile != "":
		return secretFrom(i.tokenFile)
	}
	for _, name := range []string{"PRIMUM_SETUP_TOKEN", "PRIMUM_" + strings.ToUpper(i.kind) + "_TOKEN"} {
		if v := strings.TrimSpace(i.env(name)); v != "" {
			return v, nil
		}
	}
	return "", usage("missing --token-file, a file with the token that does the setup")
}

// secretFrom reads a file with one secret.
func secretFrom(path string) (string, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // the file the operator named
	if err != nil {
		return "", usage("the file cannot be read: %w", err)
	}
	if s := strings.TrimSpace(string(raw)); s != "" {
		return s, nil
	}
	return "", usage("the file %s is empty", path)
}

// known is a setting of the service as --env-file or the environment has it.
// The environment's TOKEN may be that of the setup itself, so only the file's
// counts.
func (i *installing) known(setting string) string {
	if i.file != nil {
		if v := i.file.get(i.variable(setting)); v != "" {
			return v
		}
	}
	if setting == "TOKEN" {
		return ""
	}
	return i.env(i.variable(setting))
}

// secret is the webhooks' secret: the one in force, or one made now.
func (i *installing) secret() (secret string, fresh, renew bool) {
	now, _, _ := strings.Cut(i.known("WEBHOOK_SECRET"), ",")
	if now = strings.TrimSpace(now); now != "" && !i.newSecret {
		return now, false, false
	}
	return rand.Text() + rand.Text()[:6], true, i.newSecret || i.file != nil
}

// keep is handed the settings as they come about.
func (i *installing) keep(setting, value string) error {
	name := i.variable(setting)
	if old := i.known(setting); setting == "WEBHOOK_SECRET" && old != "" && i.newSecret {
		value += "," + old // both are good until every webhook has the new one
	}
	if i.file == nil {
		i.show = append(i.show, name+"="+value)
		return nil
	}
	return i.file.set(name, value, i.newSecret || i.force)
}

// settings is the step that writes what is known from the start.
func (i *installing) settings(values ...[2]string) []forges.Step {
	if i.key != i.kind {
		values = append(values, [2]string{"PRIMUM_FORGES", i.key + "=" + i.kind})
	}
	values = append([][2]string{{"PRIMUM_PUBLIC_URL", i.publicURL}}, values...)
	if i.file == nil {
		for _, v := range values {
			i.show = append(i.show, v[0]+"="+v[1])
		}
		return nil
	}
	var names []string
	for _, v := range values {
		if i.file.get(v[0]) != v[1] {
			names = append(names, v[0])
		}
	}
	if len(names) == 0 {
		return []forges.Step{{Says: i.envFile + " has the settings", Done: true}}
	}
	return []forges.Step{{Says: "write " + strings.Join(names, ", ") + " to " + i.envFile, Do: func(context.Context) error {
		for _, v := range values {
			if err := i.file.set(v[0], v[1], i.force); err != nil {
				return err
			}
		}
		return nil
	}}}
}

// errLeft is the status of a setup that left something to a person.
const errLeft = status(exitFindings)

// carry says the steps, asks, does them, and says how each went.
func (i *installing) carry(ctx context.Context, steps []forges.Step) error {
	todo, left := 0, 0
	for _, s := range steps {
		switch {
		case !s.Done && s.Do != nil:
			todo++
		case !s.Done:
			left++
		}
		i.say(s)
	}
	i.io.printf("\n")
	switch {
	case todo == 0 && left == 0:
		i.io.printf("Nothing to do: everything is set up.\n")
		return nil
	case i.dryRun:
		i.io.printf("Nothing was changed: this was a dry run. %s to do, %s left to you.\n", stepsOf(todo), stepsOf(left))
		return nil
	case todo == 0:
		i.io.printf("Nothing to do but what is left to you: %s.\n", stepsOf(left))
		return errLeft
	}
	if err := i.ask(todo); err != nil {
		return err
	}
	err := i.do(ctx, steps)
	i.reveal()
	if err != nil {
		return err
	}
	i.farewell(left)
	if left > 0 {
		return errLeft
	}
	return nil
}

func stepsOf(n int) string {
	if n == 1 {
		return "1 step"
	}
	return fmt.Sprintf("%d steps", n)
}

func (i *installing) say(s forges.Step) {
	word, c := "do", bold
	switch {
	case s.Done && s.Cure == "":
		word, c = "ok", dim
	case s.Done:
		word, c = "look", yellow
	case s.Do == nil:
		word, c = "you", yellow
	}
	i.io.printf("  %s %s\n", i.io.paint(c, fmt.Sprintf("%-6s", word)), s.Says)
	if s.Cure != "" {
		i.io.printf("         %s\n", s.Cure)
	}
}

// ask has a person agree at a terminal; elsewhere --yes must have been given.
func (i *installing) ask(todo int) error {
	if i.yes {
		return nil
	}
	if !i.io.inTTY {
		return usage("nothing was done: add --yes to do %s, or --dry-run to have them said only", stepsOf(todo))
	}
	i.io.complain("Do %s? [y/N] ", stepsOf(todo))
	answer, err := bufio.NewReader(i.io.in).ReadString('\n')
	if word := strings.ToLower(strings.TrimSpace(answer)); err == nil && (word == "y" || word == "yes") {
		return nil
	}
	i.io.complain("Nothing was done.\n")
	return errLeft
}

// do carries the steps out. One that fails ends the run, unless no later one
// needs it.
func (i *installing) do(ctx context.Context, steps []forges.Step) error {
	failed, undone := 0, 0
	for n, s := range steps {
		if s.Done || s.Do == nil {
			continue
		}
		if err := s.Do(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			failed++
			i.io.printf("  %s %s\n         %v\n", i.io.paint(red, "failed"), s.Says, err)
			if !s.Alone {
				undone = rest(steps[n+1:])
				break
			}
			continue
		}
		i.io.printf("  %s %s\n", i.io.paint(green, "done  "), s.Says)
	}
	if failed == 0 {
		return nil
	}
	if undone > 0 {
		i.io.printf("%s after it not tried.\n", stepsOf(undone))
	}
	return errors.New("not all is set up; mend what failed and run the same again, which does only what is missing")
}

func rest(steps []forges.Step) (n int) {
	for _, s := range steps {
		if !s.Done && s.Do != nil {
			n++
		}
	}
	return n
}

// reveal shows the settings once, or says where they are.
func (i *installing) reveal() {
	if i.file != nil {
		return
	}
	i.io.printf("\nSettings of the service, shown this once:\n\n")
	for _, line := range i.show {
		i.io.printf("  %s\n", line)
	}
	i.io.printf("\n")
}

// farewell says how the first verdict comes, and what is to be done before.
func (i *installing) farewell(left int) {
	given, first := "", "Start the service"
	switch {
	case i.file != nil:
		given = " --env-file " + shellWord(i.envFile)
	default:
		i.io.printf("\nPut the settings above into a file, or export them.")
	}
	if left > 0 {
		first = "Do what is left to you (" + stepsOf(left) + ", see above). Then start the service"
	}
	i.io.printf("\n%s where %s leads to:\n  primum serve%s\nand look at the whole while it runs:\n  primum doctor%s\nThe first verdict comes with the first %s that is opened, or moved, against a branch with a policy.\n",
		first, i.publicURL, given, given, i.change)
}

// shellWord writes a path so that a shell reads it as one word.
func shellWord(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./~+:@%,") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// rolesIn reads the roles that a policy names; none if it cannot be read.
func rolesIn(src []byte) []string {
	p, _ := policy.Parse(policy.Path, src, rules.Specs())
	if p == nil {
		return nil
	}
	return p.Principals()
}

// silentIn reports whether a policy can be read and has verdicts posted nowhere.
func silentIn(src []byte) bool {
	p, errs := policy.Parse(policy.Path, src, rules.Specs())
	return p != nil && len(errs) == 0 && p.Mode == policy.Observe
}
