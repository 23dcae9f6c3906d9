package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/policy"
)

type initOptions struct {
	io      *streams
	dir     string
	forge   string
	product string
	class   string
	mode    string
	server  string
	force   bool
	dryRun  bool
}

func newPolicyInit(io *streams) *cobra.Command {
	o := initOptions{io: io}
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a first policy file with issue forms and a change template",
		Long: "Looks at a repository (folders, languages, code owners, package manifests, workflows, the git\n" +
			"remote) and writes " + policy.Path + " with proposed items in the mode observe, the forms for change requests\n" +
			"and problem reports, and the template of a change, as the forge wants them. It never overwrites a\n" +
			"file without --force, and nothing it proposes is enforced until the mode says so.\n\n" +
			"Where the branch requires Primum's check already, as primum setup leaves it, say --mode advise:\n" +
			"in observe nothing is posted, and a required check that never comes lets no change in.",
		Example: "  primum policy init --dry-run\n  primum policy init --product infusion-pump --class C --forge gitea --mode advise",
		Args:    arguments(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", ".", "the repository")
	f.StringVar(&o.product, "product", "", "the product's id; the repository's name if left out")
	f.StringVar(&o.server, "server", "", "where Primum serves, https://primum.example.com; editors then complete the file by its schema")
	f.BoolVar(&o.force, "force", false, "overwrite files that exist")
	f.BoolVar(&o.dryRun, "dry-run", false, "print the files and write nothing")
	oneOf(cmd, &o.forge, "forge", "the forge; found from the git remote if left out", "", "github", "gitlab", "gitea", "forgejo")
	oneOf(cmd, &o.mode, "mode", "what verdicts do to begin with", string(policy.Observe), string(policy.Advise), string(policy.Enforce))
	oneOf(cmd, &o.class, "class", "the safety class of the software system; the highest if left out", append([]string{""}, classes()...)...)
	return cmd
}

// classes are the classes of the current ladder.
func classes() []string {
	var out []string
	for _, s := range class.Current().Levels {
		out = append(out, string(s.Level))
	}
	return out
}

// schemaURL is the line by which editors find the schema that a server serves.
func schemaURL(server string) (line string, err error) {
	if server == "" {
		return "", nil
	}
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(server, " \n\t") {
		return "", usage("--server %q is no address; write it as https://primum.example.com", server)
	}
	return "# yaml-language-server: $schema=" + strings.TrimRight(server, "/") + "/schema/policy-v1.json\n", nil
}

// newFile is a file to be written, by its path from the root of the repository.
type newFile struct {
	path string
	text string
}

func (o *initOptions) run(ctx context.Context) error {
	if info, err := os.Stat(o.dir); err != nil || !info.IsDir() {
		return usage("no folder %s", o.dir)
	}
	found, err := surveyOf(ctx, o.dir)
	if err != nil {
		return err
	}
	if o.forge != "" {
		found.forge, found.forgeSure = o.forge, true
		if o.forge == "forgejo" {
			found.forge = "gitea" // it reads the same folders
		}
	}
	if o.product != "" {
		found.product = o.product
	}
	schema, err := schemaURL(o.server)
	if err != nil {
		return err
	}
	text := schema + draft(found, o.class, o.mode)
	if _, errs := policy.Parse(policy.Path, []byte(text), rules.Specs()); len(errs) > 0 {
		if errs.Has("wrong-value") && o.product != "" {
			return usage("%s", errs[0].What+"; "+errs[0].Fix)
		}
		return fmt.Errorf("the drafted policy is broken, which is a fault of primum: %w", errs)
	}
	files := append([]newFile{{policy.Path, text}}, templates(found.forge)...)
	if o.dryRun {
		for _, f := range files {
			o.io.printf("--- %s\n%s\n", f.path, f.text)
		}
		return nil
	}
	return o.write(found, files)
}

func (o *initOptions) write(found survey, files []newFile) error {
	wrote := 0
	for _, f := range files {
		verb, err := o.put(f)
		if err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
		if verb == "wrote" {
			wrote++
		}
		o.io.printf("%s %s\n", verb, f.path)
	}
	if wrote == 0 {
		o.io.printf("\nNothing to write; --force overwrites\n")
		return nil
	}
	if !found.forgeSure {
		o.io.printf("\nNeither remote nor folders show the forge; these are for github, and Gitea and Forgejo read them too.\n" +
			"For GitLab remove them and say --forge gitlab\n")
	}
	o.io.printf("\n%s", nextSteps(found, o.mode))
	return nil
}

// put writes one file and says what it did with it. A file with the same name
// in another case counts as the same: forges do not mind the case.
func (o *initOptions) put(f newFile) (verb string, err error) {
	path := filepath.Join(o.dir, filepath.FromSlash(f.path))
	there := path
	if entries, err := os.ReadDir(filepath.Dir(path)); err == nil {
		for _, e := range entries {
			if strings.EqualFold(e.Name(), filepath.Base(path)) {
				there = filepath.Join(filepath.Dir(path), e.Name())
			}
		}
	}
	was, err := os.ReadFile(there) //nolint:gosec // below the folder the user named
	switch {
	case err == nil && bytes.Equal(was, []byte(f.text)):
		return "same", nil
	case err == nil && !o.force:
		return "kept", nil
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(there), 0o755); err != nil { //nolint:gosec // a repository's folders are for everybody
		return "", err
	}
	return "wrote", os.WriteFile(there, []byte(f.text), 0o644) //nolint:gosec // so are its files
}

// nextSteps says what to do with what was written.
func nextSteps(found survey, mode string) string {
	var b strings.Builder
	b.WriteString("Next:\n")
	step := 0
	say := func(format string, args ...any) {
		step++
		fmt.Fprintf(&b, "%d. %s\n", step, fmt.Sprintf(format, args...))
	}
	say("Decide the class of the software system and of each item in %s; what has none counts as the strictest.", policy.Path)
	say("Fill in people: rules that ask for a role nobody holds cannot be satisfied.")
	labels := "Labels cannot be seen from here. Create change-request and anomaly, or name your own under issues in the policy"
	if found.forge == "github" && found.forgeSure && found.repo != "" {
		labels += ":\n   gh label create change-request --repo " + found.repo + "\n   gh label create anomaly --repo " + found.repo
	} else {
		labels += "."
	}
	say("%s", labels)
	say("Check the file with \"primum policy lint\" and see what is in force with \"primum policy explain\".")
	in := "Bring them to the default branch. "
	switch policy.Mode(mode) {
	case policy.Observe:
		say("%s", in+"In the mode observe every change is judged and recorded, and nothing is posted;\n   where the check is required already that keeps every change out: write advise there.\n   Change the mode to advise, then to enforce, when the verdicts look right.")
	case policy.Advise:
		say("%s", in+"In the mode advise every change gets a check that never blocks;\n   change the mode to enforce when the verdicts look right.")
	default:
		say("%s", in+"From then on verdicts block.")
	}
	return b.String()
}
