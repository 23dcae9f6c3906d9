package github

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// filesAtOnce is how many files one query asks for, and blobMax how many bytes
// of a file are read: more is no policy and no document a person wrote.
const (
	filesAtOnce = 50
	blobMax     = 4 << 20
)

// readBlobs takes the policy, the policy at the head and the files the policy
// names out of the answer.
func (r *reading) readBlobs(ctx context.Context) error {
	base := r.pull.BaseRef
	if base == nil || base.Target == nil || base.Target.is.Oid == "" {
		r.c.Policy.Problem = "the target branch is gone"
		r.c.MarkUnknown(fact.NeedPolicy, "the target branch is gone")
		if r.needs[fact.NeedBaseFiles] && len(r.plan.Files) > 0 {
			r.c.MarkUnknown(fact.NeedBaseFiles, "the target branch is gone")
		}
		return nil
	}
	tip := base.Target.is.Oid
	var err error
	if r.c.Policy, err = r.cl.blob(ctx, r.ref.Repo, policyPath, tip, base.Target.is.File); err != nil {
		return err
	}
	if r.c.Policy.Problem != "" {
		r.c.MarkUnknown(fact.NeedPolicy, "the policy file is no text: "+r.c.Policy.Problem)
	}
	if r.needs[fact.NeedBaseFiles] {
		r.c.BaseFiles = map[string]fact.Blob{}
		for i, path := range r.plan.Files {
			var e *entryNode
			if _, err := base.Target.alias(fmt.Sprintf("f%d", i), &e); err != nil {
				return err
			}
			if r.c.BaseFiles[path], err = r.cl.blob(ctx, r.ref.Repo, path, tip, e); err != nil {
				return err
			}
		}
	}
	if !r.plan.HeadPolicy && !r.touchesPolicy() {
		return nil
	}
	head := r.headNode()
	if head == nil {
		r.c.MarkUnknown(fact.NeedPolicy, "the policy at the head could not be read")
		return nil
	}
	b, err := r.cl.blob(ctx, r.ref.Repo, policyPath, head.Oid, head.File)
	if err != nil {
		return err
	}
	r.c.HeadPolicy = &b
	return nil
}

// blob is a file as an answer has it, fetched by itself where GraphQL cut it off.
func (c *client) blob(ctx context.Context, repo forges.RepoRef, path, commit string, e *entryNode) (fact.Blob, error) {
	b, whole := blobFact(path, commit, e)
	if whole {
		return b, nil
	}
	if e.Object.ByteSize > blobMax {
		b.Problem = fmt.Sprintf("larger than %d MiB", blobMax>>20)
		return b, nil
	}
	got, _, err := c.rest.Git.GetBlob(wire.Operation(ctx, "read_blob"), repo.Owner, repo.Name, b.OID)
	if err != nil {
		return b, fmt.Errorf("%s: %w", path, c.failure(err))
	}
	text := []byte(got.GetContent())
	if got.GetEncoding() == "base64" {
		if text, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(got.GetContent(), "\n", "")); err != nil {
			return b, fmt.Errorf("%s: %w", path, err)
		}
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		b.Problem = "binary"
		return b, nil
	}
	b.Text = string(text)
	return b, nil
}

// ReadFiles implements forges.Forge: one call for up to fifty files, and one
// more for each that is cut off.
func (f *Forge) ReadFiles(ctx context.Context, r forges.RepoRef, at string, paths []string) (map[string]fact.Blob, error) {
	cl, err := f.client(ctx, r)
	if err != nil {
		return nil, err
	}
	blobs := make(map[string]fact.Blob, len(paths))
	for len(paths) > 0 {
		n := min(filesAtOnce, len(paths))
		if err := cl.filesAt(wire.Operation(ctx, "read_blobs"), r, at, paths[:n], blobs); err != nil {
			return nil, fmt.Errorf("read files of %s at %s: %w", r.FullName(), wire.Short(at, 80), err)
		}
		paths = paths[n:]
	}
	return blobs, nil
}

// commitTree is a commit, or a tag's, with the files asked for.
type commitTree struct {
	Typename string               `json:"__typename"`
	Oid      string               `json:"oid"`
	Target   *open[commitTreeTip] `json:"target"`
}

type commitTreeTip struct {
	Typename string `json:"__typename"`
	Oid      string `json:"oid"`
}

func (c *client) filesAt(ctx context.Context, r forges.RepoRef, at string, paths []string, blobs map[string]fact.Blob) error {
	lines := make([]string, 0, len(paths))
	for i, path := range paths {
		lines = append(lines, fmt.Sprintf("f%d: file(path: %s) { ...entry }", i, quoted(path)))
	}
	text := fill(filesText, map[string][]string{"#+base": lines}) + fragment(changeText, "entry")
	var answer struct {
		Repository *struct {
			Object *open[commitTree] `json:"object"`
		} `json:"repository"`
	}
	vars := map[string]any{"owner": r.Owner, "name": r.Name, "at": at}
	partial, err := c.query(ctx, text, vars, &answer)
	if err != nil {
		return err
	}
	if answer.Repository == nil || answer.Repository.Object == nil {
		return gone(partial)
	}
	for _, e := range partial {
		if e.Type != "NOT_FOUND" {
			return fmt.Errorf("%s: %w", e.words(), forges.ErrForbidden)
		}
	}
	object := answer.Repository.Object
	commit, more := object.is.Oid, object.more
	if object.is.Target != nil {
		commit, more = object.is.Target.is.Oid, object.is.Target.more
	}
	tree := open[struct{}]{more: more}
	for i, path := range paths {
		var e *entryNode
		if _, err := tree.alias(fmt.Sprintf("f%d", i), &e); err != nil {
			return err
		}
		if blobs[path], err = c.blob(ctx, r, path, commit, e); err != nil {
			return err
		}
	}
	return nil
}
