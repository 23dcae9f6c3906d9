package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"primum/rules"
	"primum/rules/policy"
)

// newPolicy holds the commands about the policy file.
func newPolicy(io *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Write, check and understand the policy file",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(newPolicyInit(io), newPolicyLint(io), newPolicyExplain(io), newPolicyDiff(io), newPolicySchema(io))
	return cmd
}

// policySource is a policy file as read, with the base it extends if one was given.
type policySource struct {
	name string
	src  []byte
	base []byte // nil if none was given
	from string // name of the base
}

// readPolicy reads a policy from a file, "-" (standard input) or a git revision
// ("main:.primum.yml"), and the base from a file or revision likewise.
func readPolicy(ctx context.Context, s *streams, name, base string) (policySource, error) {
	src, err := readNamed(ctx, s, name)
	if err != nil {
		return policySource{}, err
	}
	p := policySource{name: name, src: src}
	if name == "-" {
		p.name = "standard input"
	}
	if base == "" {
		return p, nil
	}
	if p.base, err = readNamed(ctx, s, base); err != nil {
		return policySource{}, err
	}
	p.from = base
	if ext, ok := policy.ExtendsOf(src); ok {
		p.from = ext.Repo + "@" + ext.Ref
	}
	return p, nil
}

// maxPolicy bounds what is read of a policy file, in bytes.
const maxPolicy = 4 << 20

func readNamed(ctx context.Context, s *streams, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(s.in, maxPolicy))
	}
	src, err := os.ReadFile(name) //nolint:gosec // the file the user named
	if err == nil {
		return src, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	rev, path, ok := strings.Cut(name, ":")
	if !ok || rev == "" || path == "" {
		if name == policy.Path {
			return nil, usage("no %s here; name a file, or write one with \"primum policy init\"", policy.Path)
		}
		return nil, usage("no file %s", name)
	}
	out, err := checkout{dir: "."}.git(ctx, "show", "--end-of-options", name)
	if err != nil {
		return nil, usage("no file %s, and git knows no such revision and path: %w", name, err)
	}
	return []byte(out), nil
}

// parse reads the policy, or gives every error of it.
func (p policySource) parse() (*policy.Policy, policy.Errors) {
	var opts []policy.Option
	if p.base != nil {
		opts = append(opts, policy.WithBase(p.from, p.base))
	}
	return policy.Parse(p.name, p.src, rules.Specs(), opts...)
}

// must parses the policy; a broken one is printed and ends the command.
func (p policySource) must(s *streams) (*policy.Policy, error) {
	valid, errs := p.parse()
	if len(errs) > 0 {
		p.print(s, s.complain, s.errTTY, errs, "")
		return nil, status(exitUsage)
	}
	return valid, nil
}

// print writes errors one a line, with the source line and a caret below on a
// terminal.
func (p policySource) print(s *streams, say func(string, ...any), tty bool, errs policy.Errors, kind string) {
	for _, e := range errs {
		say("%s%s\n", kind, policyLine(e))
		if line, caret, ok := p.excerpt(e); ok && tty {
			say("    %s\n    %s\n", line, s.paint(red, caret))
		}
	}
}

// excerpt is the line an error is on and a caret under its column. Columns count
// characters; tabs keep their width in both lines.
func (p policySource) excerpt(e policy.Error) (line, caret string, ok bool) {
	src := p.src
	switch {
	case e.Line <= 0 || e.Column <= 0:
		return "", "", false
	case e.File != p.name:
		src = p.base
	}
	lines := strings.Split(string(src), "\n")
	if e.Line > len(lines) || src == nil {
		return "", "", false
	}
	line = strings.TrimRight(lines[e.Line-1], "\r")
	if utf8.RuneCountInString(line) > 160 {
		return "", "", false
	}
	var b strings.Builder
	n := 1
	for _, r := range line {
		if n >= e.Column {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
		n++
	}
	shown := strings.Map(func(r rune) rune { // a file is not to move the cursor
		if r != '\t' && !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, line)
	return shown, b.String() + "^", true
}
