package judge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
	"primum/rules/policy"
)

// parsed is a policy file with what came of it. Both nil: there is no file.
type parsed struct {
	policy *policy.Policy
	errs   policy.Errors
}

// baseTTL is how long an organisation's base policy is taken as read. A tag may
// move; a minute is short enough to notice and long enough to save the calls of
// a burst.
const baseTTL = time.Minute

// keepParsed bounds the cache of parsed policies; beyond it the cache starts anew.
const keepParsed = 256

// policies parses policy files once. A file is known by the digest of its
// bytes and of the base it extends, so the same text is the same policy on
// every branch and in every repository.
type policies struct {
	specs []policy.Spec

	mu     sync.Mutex
	parsed map[string]parsed
	bases  map[string]base
}

// base is the policy file of an organisation, as read.
type base struct {
	name string // "acme/primum-policy@v3:.primum.yml"
	blob fact.Blob
	err  string // why there is none, in plain words
	at   time.Time
}

func newPolicies() *policies {
	return &policies{specs: rules.Specs(), parsed: map[string]parsed{}, bases: map[string]base{}}
}

// policyOf parses one policy blob, with the base it extends if it does. Errors
// of the file are in the answer; the error is what may go away by itself.
func (j *Judge) policyOf(ctx context.Context, forge forges.Forge, repo forges.RepoRef, b fact.Blob) (parsed, error) {
	if b.Missing {
		return parsed{}, nil
	}
	if b.Problem != "" {
		return parsed{errs: policy.Errors{{
			File: policy.Path, What: "the policy file cannot be read: " + b.Problem,
			Fix: "keep it a text file below the size limit", ID: "unreadable",
		}}}, nil
	}
	src := []byte(b.Text)
	var opts []policy.Option
	key := digest(src)
	if ext, ok := policy.ExtendsOf(src); ok && ext != nil {
		under, err := j.baseOf(ctx, forge, repo, *ext)
		if err != nil {
			return parsed{}, err
		}
		if under.err != "" {
			return parsed{errs: policy.Errors{{
				File: policy.Path, Line: 0, What: under.err,
				Fix: "name a repository and tag that Primum may read, as \"owner/name@tag\"", ID: "extends-unreadable",
			}}}, nil
		}
		opts = append(opts, policy.WithBase(under.name, []byte(under.blob.Text)))
		key += ":" + under.name + ":" + digest([]byte(under.blob.Text))
	}
	return j.policies.parse(key, b, src, opts), nil
}

func (p *policies) parse(key string, b fact.Blob, src []byte, opts []policy.Option) parsed {
	p.mu.Lock()
	got, ok := p.parsed[key]
	p.mu.Unlock()
	if !ok {
		got.policy, got.errs = policy.Parse(policy.Path, src, p.specs, opts...)
		if len(got.errs) > 0 {
			got.policy = nil
		}
		p.mu.Lock()
		if len(p.parsed) >= keepParsed {
			clear(p.parsed)
		}
		p.parsed[key] = got
		p.mu.Unlock()
	}
	if got.policy != nil { // the same text elsewhere: only where it was read differs
		here := *got.policy
		here.Source.Commit, here.Source.OID = b.Commit, b.OID
		got.policy = &here
	}
	return got
}

// baseOf reads the base policy that a file extends, in the same forge and with
// the same installation.
func (j *Judge) baseOf(ctx context.Context, forge forges.Forge, repo forges.RepoRef, ext policy.Extends) (base, error) {
	key := repo.Forge + " " + repo.Installation + " " + ext.Repo + "@" + ext.Ref
	now := j.clock.Now()
	j.policies.mu.Lock()
	got, ok := j.policies.bases[key]
	j.policies.mu.Unlock()
	if ok && now.Sub(got.at) < baseTTL {
		return got, nil
	}
	got, err := j.readBase(ctx, forge, repo, ext)
	if err != nil {
		return base{}, err
	}
	got.at = now
	j.policies.mu.Lock()
	if len(j.policies.bases) >= keepParsed {
		clear(j.policies.bases)
	}
	j.policies.bases[key] = got
	j.policies.mu.Unlock()
	return got, nil
}

func (j *Judge) readBase(ctx context.Context, forge forges.Forge, repo forges.RepoRef, ext policy.Extends) (base, error) {
	at := base{name: ext.Repo + "@" + ext.Ref + ":" + policy.Path}
	owner, name, ok := cutName(ext.Repo)
	if !ok {
		at.err = fmt.Sprintf("extends names %q, which is no repository", ext.Repo)
		return at, nil
	}
	there := forges.RepoRef{Forge: repo.Forge, Owner: owner, Name: name, Installation: repo.Installation}
	if row, err := j.store.FindRepo(ctx, repo.Forge, owner, name); err == nil {
		there = ref(row)
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	files, err := forge.ReadFiles(ctx, there, ext.Ref, []string{policy.Path})
	switch {
	case err != nil && (errors.Is(err, forges.ErrNotFound) || errors.Is(err, forges.ErrForbidden)):
		at.err = fmt.Sprintf("extends %s@%s, which Primum cannot see", ext.Repo, ext.Ref)
		return at, nil
	case err != nil:
		return at, fmt.Errorf("read base policy %s: %w", at.name, err)
	}
	at.blob = files[policy.Path]
	switch {
	case at.blob.Missing || at.blob.Path == "" && at.blob.Text == "":
		at.err = fmt.Sprintf("extends %s@%s, which has no %s", ext.Repo, ext.Ref, policy.Path)
	case at.blob.Problem != "":
		at.err = fmt.Sprintf("extends %s, which cannot be read: %s", at.name, at.blob.Problem)
	}
	return at, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
