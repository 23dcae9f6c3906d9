package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"primum/bot/clock"
	"primum/rules"
	"primum/rules/policy"
)

// checkOptions are the flags of "primum check".
type checkOptions struct {
	remote   remote
	tokenEnv string
	format   string

	local  bool
	base   string
	head   string
	dir    string
	strict bool
}

// newCheck is "primum check".
func newCheck(s *streams) *cobra.Command {
	o := &checkOptions{}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Judge one change without a server",
		Long: "Judge one change by the policy of its target branch, without a server.\n\n" +
			"With a forge, the change is read and judged as the service would, with a token from the\n" +
			"environment; --post also puts the check and the comment on it. In a GitHub Actions job the\n" +
			"repository, the change and the API's address are known. Commands that were edited before\n" +
			"this call saw them are not obeyed.\n\n" +
			"With --local the change is what a git checkout has over its base: files, commits, trailers\n" +
			"and the policy. What only a forge knows (reviews, issues, checks, people) is said to be\n" +
			"unknown and fails nobody unless --strict is given.\n\n" +
			"Exit status: 0 compliant or not governed; 1 findings, in whatever mode; 2 called wrongly or\n" +
			"the policy is broken; 3 the change could not be read or posted.",
		Example: "  primum check --local --base main\n" +
			"  primum check --repo acme/pump --change 12 --format markdown\n" +
			"  primum check --post        # in a GitHub Actions job on pull_request",
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.remote.engine, o.remote.trace = cmd.Root().Version, s.err
			code, err := o.run(cmd.Context(), s.out, os.Getenv)
			if err == nil && code != exitCompliant {
				return status(code)
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.remote.forge, "forge", "github", "the kind of forge")
	f.StringVar(&o.remote.repo, "repo", "", "the repository, owner/name")
	f.IntVar(&o.remote.number, "change", 0, "the number of the pull request")
	f.StringVar(&o.remote.api, "api-url", "", "the API of an Enterprise Server, https://host/api/v3")
	f.StringVar(&o.tokenEnv, "token-env", "GITHUB_TOKEN", "the environment variable that holds the token")
	f.BoolVar(&o.remote.post, "post", false, "put the check and the comment on the change")
	f.StringVar(&o.format, "format", "text", "how to print the verdict: "+strings.Join(formats(), ", "))
	f.BoolVar(&o.local, "local", false, "judge a git checkout, without a forge")
	f.StringVar(&o.base, "base", "main", "with --local: the target branch")
	f.StringVar(&o.head, "head", "HEAD", "with --local: the commit to judge")
	f.StringVar(&o.dir, "dir", ".", "with --local: the checkout")
	f.BoolVar(&o.strict, "strict", false, "with --local: what could not be known is a finding")
	cmd.MarkFlagsMutuallyExclusive("local", "repo")
	cmd.MarkFlagsMutuallyExclusive("local", "change")
	cmd.MarkFlagsMutuallyExclusive("local", "post")
	return cmd
}

// run judges and prints; the code is what the command exits with.
func (o *checkOptions) run(ctx context.Context, out io.Writer, env func(string) string) (code int, err error) {
	if !slices.Contains(formats(), o.format) {
		return exitUsage, usage("--format %q is not known; it would be %s", o.format, strings.Join(formats(), ", "))
	}
	if o.local {
		return o.runLocal(ctx, out)
	}
	return o.runRemote(ctx, out, env)
}

func (o *checkOptions) runLocal(ctx context.Context, out io.Writer) (int, error) {
	in, err := localInput(ctx, o.dir, o.base, o.head)
	if err != nil {
		return codeOf(err), err
	}
	in.Now, in.Engine = clock.System{}.Now(), o.remote.engine
	in.Change.ReadAt = in.Now
	v := rules.Evaluate(in)
	if err := writeVerdict(out, o.format, &v); err != nil {
		return exitFailure, err
	}
	code, says := o.judgeLocal(&v)
	if says != "" && o.format == "text" {
		if _, err := io.WriteString(out, says+"\n"); err != nil {
			return exitFailure, err
		}
	}
	return code, nil
}

// judgeLocal decides by what a checkout can know: an answer that is unknown
// only for want of a forge fails nobody, unless that was asked for.
func (o *checkOptions) judgeLocal(v *rules.Verdict) (code int, says string) {
	if len(v.PolicyErrors) > 0 || v.Preview != nil && len(v.Preview.Errors) > 0 {
		return exitUsage, ""
	}
	fails, unknown := 0, 0
	for _, r := range v.Results {
		if r.Enforcement != policy.Block {
			continue
		}
		switch r.Outcome {
		case rules.Fail, rules.Pending:
			fails++
		case rules.Unknown:
			unknown++
		case rules.Pass, rules.Waived, rules.NA:
		}
	}
	switch {
	case fails > 0:
		return exitFindings, ""
	case unknown > 0 && o.strict:
		return exitFindings, ""
	case unknown > 0:
		return exitCompliant, fmt.Sprintf("\nNothing found by what a checkout knows; %d rules need a forge and were not judged (--strict makes that a finding).", unknown)
	default:
		return exitCompliant, ""
	}
}

func (o *checkOptions) runRemote(ctx context.Context, out io.Writer, env func(string) string) (int, error) {
	r := o.remote
	r.fromActions(env)
	r.token = strings.TrimSpace(env(o.tokenEnv))
	switch owner, name, ok := strings.Cut(r.repo, "/"); {
	case r.repo == "":
		return exitUsage, usage("which repository? give --repo owner/name")
	case !ok || owner == "" || name == "" || strings.Contains(name, "/"):
		return exitUsage, usage("--repo %q is no repository; it would be owner/name", r.repo)
	case r.number <= 0:
		return exitUsage, usage("which change? give --change with its number")
	case r.token == "":
		return exitUsage, usage("no token in the environment variable %s; put one there, or name another with --token-env", o.tokenEnv)
	}
	v, err := r.judge(ctx)
	if v == nil {
		return codeOf(err), err
	}
	if writeErr := writeVerdict(out, o.format, v); writeErr != nil {
		return exitFailure, writeErr
	}
	if err != nil { // judged, and not posted
		return exitFailure, err
	}
	return verdictCode(v), nil
}

// verdictCode is what a verdict exits with.
func verdictCode(v *rules.Verdict) int {
	if len(v.PolicyErrors) > 0 {
		return exitUsage
	}
	switch v.State {
	case rules.Pass, rules.Waived, rules.NA:
		return exitCompliant
	default:
		return exitFindings
	}
}

// codeOf is what an error exits with.
func codeOf(err error) int {
	if errors.Is(err, errUsage) {
		return exitUsage
	}
	return exitFailure
}
