package gitea

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// blobMax is how many bytes of a file are read: more is no policy and no
// document a person wrote. filesAtOnce is how many one call asks for; an instance
// answers 30 unless it was set otherwise.
const (
	blobMax     = 4 << 20
	filesAtOnce = 30
)

// readBlobs reads the policy and the files it names at the tip of the target
// branch, and the policy at the head where that matters.
func (r *reading) readBlobs(ctx context.Context) error {
	tip := r.pull.Base.SHA
	if !forges.IsCommit(tip) {
		r.c.Policy.Problem = "the target branch is gone"
		r.unknown(fact.NeedPolicy, "the target branch is gone")
		if r.needs[fact.NeedBaseFiles] && len(r.plan.Files) > 0 {
			r.unknown(fact.NeedBaseFiles, "the target branch is gone")
		}
		return nil
	}
	paths := []string{policyPath}
	if r.needs[fact.NeedBaseFiles] {
		paths = append(paths, r.plan.Files...)
	}
	got, err := r.filesAt(ctx, r.ref.Repo.Owner, r.ref.Repo.Name, r.c.Repo.ID, tip, paths)
	if err != nil {
		return fmt.Errorf("files of the target branch: %w", err)
	}
	r.c.Policy = got[policyPath]
	if r.c.Policy.Problem != "" {
		r.unknown(fact.NeedPolicy, "the policy file is no text: "+r.c.Policy.Problem)
	}
	if r.needs[fact.NeedBaseFiles] {
		r.c.BaseFiles = map[string]fact.Blob{}
		for _, path := range r.plan.Files {
			r.c.BaseFiles[path] = got[path]
		}
	}
	if !r.plan.HeadPolicy && !r.touchesPolicy() {
		return nil
	}
	if !forges.IsCommit(r.pull.Head.SHA) {
		r.unknown(fact.NeedPolicy, "the policy at the head could not be read")
		return nil
	}
	got, err = r.filesAt(ctx, r.ref.Repo.Owner, r.ref.Repo.Name, r.c.Repo.ID, r.pull.Head.SHA, []string{policyPath})
	if err != nil {
		return fmt.Errorf("policy at the head: %w", err)
	}
	b := got[policyPath]
	r.c.HeadPolicy = &b
	return nil
}

// ReadFiles implements forges.Forge: one call to find the commit unless at is
// one, and one for up to thirty files, or one for each on an instance that can
// give one at a time only. A file seen before at its commit costs none.
func (f *Forge) ReadFiles(ctx context.Context, r forges.RepoRef, at string, paths []string) (map[string]fact.Blob, error) {
	wrap := func(err error) error {
		return fmt.Errorf("read files of %s at %s: %w", r.FullName(), wire.Short(at, 80), err)
	}
	if !validName(r.Owner) || !validName(r.Name) || at == "" {
		return nil, wrap(forges.ErrNotFound)
	}
	ctx = wire.Operation(ctx, "read_files")
	if err := f.identify(ctx); err != nil {
		return nil, wrap(err)
	}
	var tip commit
	if _, err := f.get(ctx, repoPath(r.Owner, r.Name, "git", "commits", at), url.Values{
		"stat": {"false"}, "verification": {"false"}, "files": {"false"},
	}, &tip); err != nil {
		return nil, wrap(err)
	}
	if !forges.IsCommit(tip.SHA) {
		return nil, wrap(forges.ErrNotFound)
	}
	got, err := f.filesAt(ctx, r.Owner, r.Name, r.ID, tip.SHA, paths)
	if err != nil {
		return nil, wrap(err)
	}
	return got, nil
}

// filesAt reads files at a commit that is there.
func (f *Forge) filesAt(ctx context.Context, owner, name, id, sha string, paths []string) (map[string]fact.Blob, error) {
	if id == "" {
		id = strings.ToLower(owner + "/" + name)
	}
	key := func(path string) string { return id + "\x00" + sha + "\x00" + path }
	got := make(map[string]fact.Blob, len(paths))
	var ask []string
	for _, path := range paths {
		if _, twice := got[path]; twice {
			continue
		}
		b, ok := f.blobs.Get(key(path))
		if !ok {
			b = fact.Blob{Path: path, Commit: sha}
			if proper(path) {
				ask = append(ask, path)
			} else {
				b.Missing = true
			}
		}
		got[path] = b
	}
	take := func(path string, b fact.Blob) {
		f.blobs.Put(key(path), b, 100+len(b.Text))
		got[path] = b
	}
	if len(ask) > 1 && f.known().manyFiles() {
		many, err := f.manyFiles(ctx, owner, name, sha, ask)
		if err != nil {
			return nil, err
		}
		rest := ask[:0:0]
		for _, path := range ask {
			if c, ok := many[path]; ok {
				take(path, blobFact(path, sha, c))
			} else {
				rest = append(rest, path)
			}
		}
		ask = rest
	}
	blobs := make([]fact.Blob, len(ask))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, path := range ask {
		group.Go(func() (err error) {
			blobs[i], err = f.oneFile(ctx, owner, name, sha, path)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, path := range ask {
		take(path, blobs[i])
	}
	return got, nil
}

// proper reports whether a path can be one of a file in git.
func proper(path string) bool {
	if path == "" || strings.ContainsRune(path, 0) {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." || part == ".git" {
			return false
		}
	}
	return true
}

// manyFiles: Gitea gives several files in one answer since 1.24.
func (p product) manyFiles() bool { return p.name == Gitea && p.atLeast(1, 24) }

// manyFiles asks for files by one call for each thirty. What is null in the
// answer is missing, or could not be read for a reason it does not tell, and
// is then asked for by itself.
func (f *Forge) manyFiles(ctx context.Context, owner, name, sha string, paths []string) (map[string]*content, error) {
	got := map[string]*content{}
	for len(paths) > 0 {
		part := paths[:min(filesAtOnce, len(paths))]
		body, err := json.Marshal(map[string][]string{"files": part})
		if err != nil {
			return nil, fmt.Errorf("files: %w", err)
		}
		var answer []*content
		_, err = f.get(ctx, repoPath(owner, name, "file-contents"), url.Values{"ref": {sha}, "body": {string(body)}}, &answer)
		if errors.Is(err, forges.ErrNotFound) { // an instance that can not, whatever its version says
			return got, nil
		} else if err != nil {
			return nil, fmt.Errorf("files: %w", err)
		}
		for _, c := range answer {
			if c != nil {
				got[c.Path] = c
			}
		}
		paths = paths[len(part):]
	}
	return got, nil
}

func (f *Forge) oneFile(ctx context.Context, owner, name, sha, path string) (fact.Blob, error) {
	var raw json.RawMessage
	_, err := f.get(ctx, repoPath(owner, name, "contents")+"/"+filePath(path), url.Values{"ref": {sha}}, &raw)
	if errors.Is(err, forges.ErrNotFound) {
		return fact.Blob{Path: path, Commit: sha, Missing: true}, nil
	} else if err != nil {
		return fact.Blob{}, fmt.Errorf("%s: %w", path, err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) { // the files of a folder
		return fact.Blob{Path: path, Commit: sha, Problem: "not a file"}, nil
	}
	var c content
	if err := json.Unmarshal(raw, &c); err != nil {
		return fact.Blob{}, fmt.Errorf("%s: %w", path, err)
	}
	return blobFact(path, sha, &c), nil
}

// blobFact is a file as an answer has it.
func blobFact(path, sha string, c *content) fact.Blob {
	b := fact.Blob{Path: path, Commit: sha, OID: c.SHA}
	switch {
	case c.Type != "file":
		b.Problem = "not a file"
		return b
	case c.Size > blobMax:
		b.Problem = fmt.Sprintf("larger than %d MiB", blobMax>>20)
		return b
	case c.Content == nil && c.Size > 0:
		b.Problem = "larger than the forge shows"
		return b
	case c.Content == nil:
		return b
	}
	text := []byte(*c.Content)
	if c.Encoding != nil && *c.Encoding == "base64" {
		var err error
		if text, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(*c.Content, "\n", "")); err != nil {
			b.Problem = "the forge's answer cannot be read"
			return b
		}
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		b.Problem = "binary"
		return b
	}
	b.Text = string(text)
	return b
}
