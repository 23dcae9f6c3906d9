package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

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

	service string
	wait    time.Duration
	commit  string

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
			"environment (PRIMUM_TOKEN, or GITHUB_TOKEN, GITLAB_TOKEN, GITEA_TOKEN); --post also puts\n" +
			"the check and the comment on it. In a job of GitHub Actions, GitLab CI, or the Actions of\n" +
			"Gitea and Forgejo, the forge, its address, the repository and the change are known.\n" +
			"Commands that were edited before this call saw them are not obeyed.\n\n" +
			"With --service nothing is judged here: a running Primum is asked for its verdict on the\n" +
			"commit, and waited for. That is for a job that blocks a merge by failing. If the repository\n" +
			"is private, PRIMUM_PAGES_KEY holds the service's key. In advise and observe mode it passes.\n\n" +
			"With --local the change is what a git checkout has over its base: files, commits, trailers\n" +
			"and the policy. What only a forge knows (reviews, issues, checks, people) is said to be\n" +
			"unknown and fails nobody unless --strict is given.\n\n" +
			"Exit status: 0 compliant or not governed; 1 findings, in whatever mode unless --service is\n" +
			"given; 2 called wrongly or the policy is broken; 3 the change could not be read or posted,\n" +
			"or the service has no verdict on the commit.",
		Example: "  primum check --local --base main\n" +
			"  primum check --repo acme/pump --change 12 --format markdown\n" +
			"  primum check --forge gitlab --url https://gitlab.example --repo acme/devices/pump --change 7\n" +
			"  primum check --post        # in a GitHub Actions job on pull_request\n" +
			"  primum check --service https://primum.example        # in a GitLab CI job on merge requests",
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
	f.StringVar(&o.remote.forge, "forge", "", "the forge: github, gitlab, gitea or forgejo; with --service its key there. Default: the one whose job this is, or github")
	f.StringVar(&o.remote.repo, "repo", "", "the repository, owner/name or group/subgroup/name")
	f.IntVar(&o.remote.number, "change", 0, "the number of the pull or merge request")
	f.StringVar(&o.remote.url, "url", "", "where people open GitLab, Gitea or Forgejo, https://host")
	f.StringVar(&o.remote.api, "api-url", "", "the API of a GitHub Enterprise Server, https://host/api/v3")
	f.StringVar(&o.remote.ca, "ca-file", "", "a PEM file of authorities to trust besides the system's")
	f.StringVar(&o.tokenEnv, "token-env", "", "the environment variable that holds the token")
	f.StringVar(&o.service, "service", "", "the address of a running Primum to ask")
	f.DurationVar(&o.wait, "wait", 2*time.Minute, "with --service: how long to wait for a verdict that no longer waits itself")
	f.StringVar(&o.commit, "commit", "", "with --service: the commit the verdict must be about; in a job its own")
	f.BoolVar(&o.remote.post, "post", false, "put the check and the comment on the change")
	f.StringVar(&o.format, "format", "text", "how to print the verdict: "+strings.Join(formats(), ", "))
	f.BoolVar(&o.local, "local", false, "judge a git checkout, without a forge")
	f.StringVar(&o.base, "base", "main", "with --local: the target branch")
	f.StringVar(&o.head, "head", "HEAD", "with --local: the commit to judge")
	f.StringVar(&o.dir, "dir", ".", "with --local: the checkout")
	f.BoolVar(&o.strict, "strict", false, "with --local: what could not be known is a finding")
	cmd.MarkFlagsMutuallyExclusive("local", "repo")
	cmd.MarkFlagsMutuallyExclusive("local", "change")
	cmd.MarkFlagsMutuallyExclusive("local", "post", "service")
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
	if o.service != "" {
		return o.runService(ctx, out, env)
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
	withoutForge(&v)
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

// withoutForge takes back that a change is ready where rules that block were not
// judged. At the lowest class what could not be read keeps nobody from merging, for
// a forge may be out of reach; a checkout never had one.
func withoutForge(v *rules.Verdict) {
	if v.State != rules.Pass && v.State != rules.Waived {
		return
	}
	n := 0
	for _, r := range v.Results {
		if forgeKnows(r) && r.Enforcement == policy.Block {
			n++
		}
	}
	if n > 0 {
		v.State = rules.Unknown
		v.Reason = fmt.Sprintf("%d rules that block are %s", n, forgeOnly)
		if n == 1 {
			v.Reason = "1 rule that blocks is " + forgeOnly
		}
	}
}

// judgeLocal decides by what a checkout can know: an answer that is unknown
// only for want of a forge fails nobody, unless that was asked for.
func (o *checkOptions) judgeLocal(v *rules.Verdict) (code int, says string) {
	if len(v.PolicyErrors) > 0 || v.Preview != nil && len(v.Preview.Errors) > 0 {
		return exitUsage, ""
	}
	fails, unknown, elsewhere := 0, 0, 0
	for _, r := range v.Results {
		if forgeKnows(r) {
			elsewhere++
		}
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
	case elsewhere > 0:
		need := fmt.Sprintf("%d rules need a forge and were", elsewhere)
		if elsewhere == 1 {
			need = "1 rule needs a forge and was"
		}
		return exitCompliant, "\nNothing found by what a checkout knows; " + need + " not judged (--strict makes that a finding)."
	default:
		return exitCompliant, ""
	}
}

func (o *checkOptions) runRemote(ctx context.Context, out io.Writer, env func(string) string) (int, error) {
	r := o.remote
	r.complete(env)
	if err := r.named(); err != nil {
		return exitUsage, err
	}
	if r.token = tokenOf(env, r.kind(), o.tokenEnv); r.token == "" {
		return exitUsage, usage("no token in the environment variable %s; put one there, or name another with --token-env",
			strings.Join(tokenVariables(env, r.kind(), o.tokenEnv), " or "))
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
