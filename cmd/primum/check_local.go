package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"primum/rules"
	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// forgeOnly is why a part of a change cannot be known from a checkout.
const forgeOnly = "not known without a forge"

// errUsage marks errors of how the command was called.
var errUsage = errors.New("usage")

// checkout is a git working copy.
type checkout struct{ dir string }

// git runs one git command in the checkout and gives its output. Settings of
// the user that change what git prints are left out.
func (g checkout) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.quotePath=false", "-c", "diff.renameLimit=0", "-C", g.dir}, args...)...) //nolint:gosec // no shell, and revisions cannot be options
	cmd.Env = append(cmd.Environ(), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_EXTERNAL_DIFF=", "GIT_PAGER=cat")
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(problem.String()), "\n")
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimPrefix(first, "fatal: "))
	}
	return out.String(), nil
}

func (g checkout) line(ctx context.Context, args ...string) (string, error) {
	s, err := g.git(ctx, args...)
	return strings.TrimSpace(s), err
}

// localInput builds from git what can be known of a change without a forge:
// files, commits, trailers and the policy of the base. Everything else is
// marked unknown with the reason.
func localInput(ctx context.Context, dir, base, head string) (rules.Input, error) {
	g := checkout{dir: dir}
	c, err := g.change(ctx, base, head)
	if err != nil {
		return rules.Input{}, err
	}
	in := rules.Input{Change: c}
	in.Policy, in.PolicyErrors = parseBlob(&c.Policy)
	if c.HeadPolicy != nil {
		in.HeadPolicy, in.HeadPolicyErrors = parseBlob(c.HeadPolicy)
	}
	if in.Policy != nil {
		if err := g.complete(ctx, c, in.Policy); err != nil {
			return rules.Input{}, err
		}
	}
	c.Links = evidence.Links(c)
	return in, nil
}

// parseBlob parses a policy file read from git. A base that lives elsewhere
// cannot be read from a checkout, which is an error of its own.
func parseBlob(b *fact.Blob) (*policy.Policy, policy.Errors) {
	if b.Missing {
		return nil, nil
	}
	if ext, ok := policy.ExtendsOf([]byte(b.Text)); ok && ext != nil {
		return nil, policy.Errors{{
			File: policy.Path, What: "extends " + ext.Repo + "@" + ext.Ref + ", which a checkout alone does not hold",
			Fix: "judge the change with --forge, or lint the policy with its base", ID: "extends-unreadable",
		}}
	}
	p, errs := policy.Parse(policy.Path, []byte(b.Text), rules.Specs())
	if len(errs) > 0 {
		return nil, errs
	}
	here := *p
	here.Source.Commit, here.Source.OID = b.Commit, b.OID
	return &here, nil
}

// change reads the change between two commits.
func (g checkout) change(ctx context.Context, base, head string) (*fact.Change, error) {
	baseName, baseSHA, err := g.resolve(ctx, base)
	if err != nil {
		return nil, err
	}
	_, headSHA, err := g.resolve(ctx, head)
	if err != nil {
		return nil, err
	}
	fork, err := g.line(ctx, "merge-base", baseSHA, headSHA)
	if err != nil {
		return nil, fmt.Errorf("%w: %s and %s have no commit in common (a shallow clone? fetch more history): %w", errUsage, base, head, err)
	}
	c := &fact.Change{Forge: "local", State: fact.Open, MergeBase: fork, People: map[string]fact.Principal{}}
	c.Base = fact.Ref{Name: baseName, SHA: baseSHA}
	c.Head = fact.Ref{Name: g.branch(ctx, head), SHA: headSHA}
	c.Repo = g.repo(ctx)
	c.Repo.DefaultBranch = baseName
	c.Head.Repo = c.Repo.FullName()
	if c.Commits, err = g.commits(ctx, fork, headSHA); err != nil {
		return nil, err
	}
	if c.Files, err = g.files(ctx, fork, headSHA); err != nil {
		return nil, err
	}
	if n := len(c.Commits); n > 0 {
		c.Title, _, _ = strings.Cut(c.Commits[n-1].Message, "\n")
		c.CreatedAt, c.UpdatedAt = c.Commits[0].CommittedAt, c.Commits[n-1].CommittedAt
	}
	if c.Policy, err = g.blob(ctx, baseSHA, policy.Path); err != nil {
		return nil, err
	}
	if touches(c, policy.Path) {
		b, err := g.blob(ctx, headSHA, policy.Path)
		if err != nil {
			return nil, err
		}
		c.HeadPolicy = &b
	}
	for _, n := range []fact.Need{
		fact.NeedReviews, fact.NeedPatches, fact.NeedThreads, fact.NeedChecks, fact.NeedComments,
		fact.NeedIssues, fact.NeedPeople, fact.NeedPermission,
	} {
		c.MarkUnknown(n, forgeOnly)
	}
	c.MarkUnknown(fact.NeedCommits, "whose accounts the commits name is "+forgeOnly)
	return c, nil
}

// resolve finds a commit by branch, tag or hash; a branch that exists only at
// origin is found there. The name is that of the branch.
func (g checkout) resolve(ctx context.Context, rev string) (name, sha string, err error) {
	if strings.HasPrefix(rev, "-") {
		return "", "", fmt.Errorf("%w: %q is no commit", errUsage, rev)
	}
	for _, try := range []string{rev, "origin/" + rev} {
		if sha, err = g.line(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", try+"^{commit}"); err == nil {
			return strings.TrimPrefix(strings.TrimPrefix(rev, "refs/heads/"), "origin/"), sha, nil
		}
	}
	if _, gitErr := g.git(ctx, "rev-parse", "--git-dir"); gitErr != nil {
		return "", "", fmt.Errorf("%w: %s is no git checkout: %w", errUsage, g.dir, gitErr)
	}
	return "", "", fmt.Errorf("%w: no commit, branch or tag %q here", errUsage, rev)
}

func (g checkout) branch(ctx context.Context, head string) string {
	if s, err := g.line(ctx, "rev-parse", "--abbrev-ref", "--end-of-options", head); err == nil && s != "HEAD" && s != "" {
		return s
	}
	return head
}

// repo names the repository by its origin, for display only.
func (g checkout) repo(ctx context.Context) fact.Repo {
	r := fact.Repo{ID: "local", Owner: "local", Name: "checkout"}
	origin, err := g.line(ctx, "config", "--get", "remote.origin.url")
	if err != nil {
		return r
	}
	path := origin
	if u, err := url.Parse(origin); err == nil && u.Host != "" {
		path = u.Path
	} else if _, after, ok := strings.Cut(origin, ":"); ok {
		path = after
	}
	parts := strings.Split(strings.Trim(strings.TrimSuffix(path, ".git"), "/"), "/")
	if n := len(parts); n >= 2 && parts[n-2] != "" && parts[n-1] != "" {
		r.Owner, r.Name = parts[n-2], parts[n-1]
	}
	return r
}

// commits reads the commits of the change, oldest first.
func (g checkout) commits(ctx context.Context, from, to string) ([]fact.Commit, error) {
	const format = "--format=%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B%x00%x1e"
	out, err := g.git(ctx, "log", "--reverse", "--topo-order", "--no-show-signature", format, from+".."+to, "--")
	if err != nil {
		return nil, err
	}
	var commits []fact.Commit
	for rec := range strings.SplitSeq(out, "\x00\x1e") {
		f := strings.SplitN(strings.TrimLeft(rec, "\n"), "\x00", 9)
		if len(f) < 9 {
			continue
		}
		commits = append(commits, fact.Commit{
			SHA: f[0], Parents: len(strings.Fields(f[1])), Message: strings.TrimRight(f[8], "\n"),
			Author: fact.Identity{Name: f[2], Email: f[3]}, AuthoredAt: unix(f[4]),
			Committer: fact.Identity{Name: f[5], Email: f[6]}, CommittedAt: unix(f[7]),
		})
	}
	return commits, nil
}

func unix(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// files reads which files the change touches, with renames found as git finds
// them and lines counted.
func (g checkout) files(ctx context.Context, from, to string) ([]fact.File, error) {
	raw, err := g.git(ctx, "diff", "--raw", "-z", "-M", "--no-ext-diff", from, to, "--")
	if err != nil {
		return nil, err
	}
	counts, err := g.git(ctx, "diff", "--numstat", "-z", "-M", "--no-ext-diff", from, to, "--")
	if err != nil {
		return nil, err
	}
	files, err := parseRaw(raw)
	if err != nil {
		return nil, err
	}
	lines := parseNumstat(counts)
	for i := range files {
		n := lines[files[i].Path]
		files[i].Added, files[i].Removed = n[0], n[1]
	}
	return files, nil
}

// parseRaw reads "git diff --raw -z": a header field, then one path, or two for
// renames and copies.
func parseRaw(out string) ([]fact.File, error) {
	fields := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	var files []fact.File
	for i := 0; i < len(fields) && fields[i] != ""; {
		head := strings.Fields(fields[i])
		if len(head) != 5 || i+1 >= len(fields) {
			return nil, fmt.Errorf("git diff --raw: cannot read %q", fields[i])
		}
		f := fact.File{Path: fields[i+1]}
		i += 2
		switch head[4][0] {
		case 'A':
			f.Status = fact.Added
		case 'D':
			f.Status = fact.Deleted
		case 'R', 'C':
			if i >= len(fields) {
				return nil, fmt.Errorf("git diff --raw: %q lacks its second path", f.Path)
			}
			f.Status = fact.Renamed
			if head[4][0] == 'C' {
				f.Status = fact.Copied
			}
			f.Previous, f.Path = f.Path, fields[i]
			i++
		default:
			f.Status = fact.Modified
		}
		files = append(files, f)
	}
	return files, nil
}

// parseNumstat reads "git diff --numstat -z" as lines added and removed by new path.
func parseNumstat(out string) map[string][2]int {
	counts := map[string][2]int{}
	fields := strings.Split(out, "\x00")
	for i := 0; i < len(fields); i++ {
		parts := strings.SplitN(fields[i], "\t", 3)
		if len(parts) != 3 {
			continue
		}
		path := parts[2]
		if path == "" && i+2 < len(fields) { // renamed: both paths follow
			path = fields[i+2]
			i += 2
		}
		added, _ := strconv.Atoi(parts[0]) // "-" for binary files counts as none
		removed, _ := strconv.Atoi(parts[1])
		counts[path] = [2]int{added, removed}
	}
	return counts
}

// blob reads one file at a commit.
func (g checkout) blob(ctx context.Context, commit, path string) (fact.Blob, error) {
	b := fact.Blob{Path: path, Commit: commit}
	entry, err := g.git(ctx, "ls-tree", "-z", "--full-tree", commit, "--", path)
	if err != nil {
		return b, err
	}
	head, _, ok := strings.Cut(strings.TrimSuffix(entry, "\x00"), "\t")
	f := strings.Fields(head)
	if !ok || len(f) != 3 || f[1] != "blob" {
		b.Missing = true
		return b, nil
	}
	b.OID = f[2]
	if b.Text, err = g.git(ctx, "cat-file", "blob", b.OID); err != nil {
		return b, err
	}
	if strings.ContainsRune(b.Text, 0) {
		b.Text, b.Problem = "", "it is binary"
	}
	return b, nil
}

// complete reads what the policy names: files at the base, and the diffs of
// files under verification control.
func (g checkout) complete(ctx context.Context, c *fact.Change, p *policy.Policy) error {
	c.BaseFiles = map[string]fact.Blob{}
	for _, path := range p.Files() {
		b, err := g.blob(ctx, c.Base.SHA, path)
		if err != nil {
			return err
		}
		c.BaseFiles[path] = b
	}
	globs := p.DiffPaths()
	for i := range c.Files {
		f := &c.Files[i]
		if !matches(globs, f.Touches()) {
			continue
		}
		args := append([]string{"diff", "-M", "--no-ext-diff", "--no-color", c.MergeBase, c.Head.SHA, "--"}, f.Touches()...)
		diff, err := g.git(ctx, args...)
		if err != nil {
			return err
		}
		if at := strings.Index(diff, "\n@@ "); at >= 0 {
			diff = diff[at+1:]
		} else {
			diff = ""
		}
		f.Diff, f.DiffKnown = diff, true
	}
	return nil
}

func matches(globs, paths []string) bool {
	for _, p := range paths {
		for _, g := range globs {
			if ok, err := doublestar.Match(g, p); err == nil && ok {
				return true
			}
		}
	}
	return false
}

func touches(c *fact.Change, path string) bool {
	for i := range c.Files {
		if slices.Contains(c.Files[i].Touches(), path) {
			return true
		}
	}
	return false
}
