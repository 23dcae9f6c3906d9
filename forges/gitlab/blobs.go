package gitlab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
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

func parseNumber(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }

// readBlobs takes the policy, the policy at the head and the files the policy
// names out of the answer, and asks for what the answer did not hold or held of
// another commit.
func (r *reading) readBlobs(ctx context.Context) error {
	repo := r.project.Project.Repository
	if repo == nil {
		r.noBase("the repository may not be read, or is empty")
		return r.readHeadPolicy(ctx)
	}
	found := map[string]fact.Blob{}
	sha := repo.Tree.tip()
	fits := r.c.Base.Name == r.branch && sha != "" && (r.at == sha || r.at == r.branch)
	if fits {
		if err := r.gather(ctx, found, sha, r.wanted[:min(len(r.wanted), filesAtFirst)], repo.Base); err != nil {
			return err
		}
	}
	var missing []string
	for _, path := range r.wanted {
		if _, ok := found[path]; !ok {
			missing = append(missing, path)
		}
	}
	if len(missing) > 0 {
		from := r.c.Base.Name
		if fits {
			from = sha
		}
		at, err := r.filesAt(ctx, r.path, from, missing, found)
		if errors.Is(err, forges.ErrNotFound) {
			r.noBase("the target branch is gone")
			return r.readHeadPolicy(ctx)
		} else if err != nil {
			return err
		}
		sha = at
	}
	r.c.Base.SHA = sha
	r.c.Policy = found[policyPath]
	if r.c.Policy.Problem != "" {
		r.unknown(fact.NeedPolicy, "the policy file is no text: "+r.c.Policy.Problem)
	}
	if r.needs[fact.NeedBaseFiles] {
		r.c.BaseFiles = map[string]fact.Blob{}
		for _, path := range r.plan.Files {
			r.c.BaseFiles[path] = found[path]
		}
	}
	return r.readHeadPolicy(ctx)
}

func (r *reading) noBase(why string) {
	r.c.Policy.Problem = why
	r.unknown(fact.NeedPolicy, why)
	if r.needs[fact.NeedBaseFiles] && len(r.plan.Files) > 0 {
		r.unknown(fact.NeedBaseFiles, why)
	}
}

// readHeadPolicy reads the policy as the change would have it.
func (r *reading) readHeadPolicy(ctx context.Context) error {
	if !r.plan.HeadPolicy && !r.touchesPolicy() {
		return nil
	}
	found := map[string]fact.Blob{}
	head := r.c.Head.SHA
	if repo := r.project.Project.Repository; repo != nil && repo.Head != nil && r.headAt == head {
		if err := r.gather(ctx, found, head, []string{policyPath}, repo.Head); err != nil {
			return err
		}
	} else if _, err := r.filesAt(ctx, r.path, head, []string{policyPath}, found); errors.Is(err, forges.ErrNotFound) {
		r.unknown(fact.NeedPolicy, "the policy at the head could not be read")
		return nil
	} else if err != nil {
		return err
	}
	b := found[policyPath]
	r.c.HeadPolicy = &b
	return nil
}

func (r *reading) touchesPolicy() bool {
	return slices.ContainsFunc(r.c.Files, func(f fact.File) bool { return slices.Contains(f.Touches(), policyPath) })
}

// filesAt reads files at a commit, branch or tag, fifty in a call, and says which
// commit that is.
func (f *Forge) filesAt(ctx context.Context, path, ref string, paths []string, found map[string]fact.Blob) (string, error) {
	sha := ""
	for part := range slices.Chunk(paths, filesAtOnce) {
		var answer filesAnswer
		if err := f.query(ctx, filesText, map[string]any{"path": path, "at": ref, "paths": part}, &answer); err != nil {
			return "", err
		}
		if answer.Project == nil || answer.Project.Repository == nil {
			return "", forges.ErrNotFound
		}
		tip := answer.Project.Repository.Tree.tip()
		switch {
		case tip == "":
			return "", fmt.Errorf("no commit %s: %w", wire.Short(ref, 80), forges.ErrNotFound)
		case sha != "" && sha != tip:
			return "", fmt.Errorf("%s moved between two calls: %w", wire.Short(ref, 80), forges.ErrConflict)
		}
		sha = tip
		if err := f.gatherIn(ctx, number(answer.Project.ID), found, sha, part, answer.Project.Repository.Blobs); err != nil {
			return "", err
		}
	}
	return sha, nil
}

func (r *reading) gather(ctx context.Context, found map[string]fact.Blob, sha string, paths []string, list *page[blobNode]) error {
	return r.gatherIn(ctx, r.pid, found, sha, paths, list)
}

// gatherIn takes files out of an answer. One that is not listed is not there.
func (f *Forge) gatherIn(ctx context.Context, pid string, found map[string]fact.Blob, sha string, paths []string, list *page[blobNode]) error {
	if list == nil {
		return fmt.Errorf("files at %s: %w", wire.Short(sha, 8), forges.ErrForbidden)
	}
	for _, path := range paths {
		found[path] = fact.Blob{Path: path, Commit: sha, Missing: true}
	}
	for i := range list.Nodes {
		n := &list.Nodes[i]
		if _, asked := found[n.Path]; !asked {
			continue
		}
		b, err := f.blob(ctx, pid, sha, n)
		if err != nil {
			return err
		}
		found[n.Path] = b
	}
	return nil
}

// blob is one file of an answer. A text whose length is not that of the file was
// cut off or converted, and is fetched as it is.
func (f *Forge) blob(ctx context.Context, pid, sha string, n *blobNode) (fact.Blob, error) {
	b := fact.Blob{Path: n.Path, Commit: sha, OID: n.OID}
	switch {
	case n.Text == nil && n.Size != 0:
		b.Problem = "binary"
	case n.Text == nil:
	case n.Size < 0 || int(n.Size) == len(*n.Text):
		b.Text = *n.Text
	case n.Size > blobMax:
		b.Problem = fmt.Sprintf("larger than %d MiB", blobMax>>20)
	default:
		var raw bytes.Buffer
		path := "projects/" + pid + "/repository/files/" + url.PathEscape(n.Path) + "/raw"
		if _, err := f.get(ctx, path, url.Values{"ref": {sha}}, &raw); err != nil {
			return b, fmt.Errorf("%s: %w", n.Path, err)
		}
		b.Text = raw.String()
	}
	if !utf8.ValidString(b.Text) || bytes.IndexByte([]byte(b.Text), 0) >= 0 {
		b.Text, b.Problem = "", "binary"
	}
	return b, nil
}

// ReadFiles implements forges.Forge: one call for up to fifty files.
func (f *Forge) ReadFiles(ctx context.Context, r forges.RepoRef, ref string, paths []string) (map[string]fact.Blob, error) {
	found := make(map[string]fact.Blob, len(paths))
	if len(paths) == 0 {
		return found, nil
	}
	if !validPath(r.FullName()) {
		return nil, fmt.Errorf("repository %q: %w", wire.Short(r.FullName(), 200), forges.ErrNotFound)
	}
	if _, err := f.filesAt(wire.Operation(ctx, "read_blobs"), r.FullName(), ref, paths, found); err != nil {
		return nil, fmt.Errorf("read files of %s at %s: %w", r.FullName(), wire.Short(ref, 80), err)
	}
	return found, nil
}
