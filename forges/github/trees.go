package github

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/google/go-github/v62/github"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// treeCalls bounds the calls that comparing two trees may take.
const treeCalls = 400

// trees compares two trees by the names of their objects: what has the same
// name on both sides has the same content.
type trees struct {
	r     *reading
	calls int
	files []fact.File
}

// errTreeCalls: the trees differ in too many folders, each too large to list.
var errTreeCalls = fmt.Errorf("comparing takes more than %d calls", treeCalls)

// filesOfTrees finds the files of a change too large for every list: those that
// differ between the merge base and the head. A rename is seen as a deletion and
// an addition, which touches the same two paths. nil and no error: unknown.
func (r *reading) filesOfTrees(ctx context.Context) ([]fact.File, error) {
	ctx = wire.Operation(ctx, "read_trees")
	compared, _, err := r.cl.rest.Repositories.CompareCommits(ctx, r.ref.Repo.Owner, r.ref.Repo.Name,
		r.pull.BaseRefOid, r.pull.HeadRefOid, &github.ListOptions{PerPage: 1})
	if err != nil {
		return nil, fmt.Errorf("merge base: %w", r.cl.failure(err))
	}
	base := compared.GetMergeBaseCommit().GetSHA()
	if !forges.IsCommit(base) {
		r.c.MarkUnknown(fact.NeedFiles, "GitHub names no merge base")
		return nil, nil
	}
	t := &trees{r: r, files: []fact.File{}}
	err = t.compare(ctx, "", base, r.pull.HeadRefOid)
	switch {
	case err == errTreeCalls: //nolint:errorlint // returned as it is
		r.c.MarkUnknown(fact.NeedFiles, err.Error())
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("trees: %w", err)
	}
	slices.SortFunc(t.files, func(a, b fact.File) int { return cmp.Compare(a.Path, b.Path) })
	return t.files, nil
}

// compare adds what differs under a folder. Where GitHub cuts a listing off, the
// folder is listed flat and each differing folder in it compared by itself.
func (t *trees) compare(ctx context.Context, folder, old, now string) error {
	was, cut1, err := t.list(ctx, old, true)
	if err != nil {
		return err
	}
	is, cut2, err := t.list(ctx, now, true)
	if err != nil {
		return err
	}
	if !cut1 && !cut2 {
		t.differ(folder, was, is)
		return nil
	}
	if was, cut1, err = t.list(ctx, old, false); err != nil {
		return err
	}
	if is, cut2, err = t.list(ctx, now, false); err != nil {
		return err
	}
	if cut1 || cut2 {
		return errTreeCalls
	}
	t.differ(folder, was, is)
	names := map[string]bool{}
	for name := range was {
		names[name] = true
	}
	for name := range is {
		names[name] = true
	}
	for name := range names {
		a, b := was[name], is[name]
		if a.sha == b.sha {
			continue
		}
		if err := t.folders(ctx, folder+name+"/", a, b); err != nil {
			return err
		}
	}
	return nil
}

// folders compares what stands under one name on both sides, as far as it is folders.
func (t *trees) folders(ctx context.Context, folder string, a, b entry) error {
	switch {
	case a.tree && b.tree:
		return t.compare(ctx, folder, a.sha, b.sha)
	case a.tree:
		return t.compare(ctx, folder, a.sha, "")
	case b.tree:
		return t.compare(ctx, folder, "", b.sha)
	}
	return nil
}

type entry struct {
	sha  string
	mode string
	tree bool
}

// list gives a tree by path; the empty name is an empty tree.
func (t *trees) list(ctx context.Context, sha string, deep bool) (map[string]entry, bool, error) {
	if sha == "" {
		return nil, false, nil
	}
	if t.calls++; t.calls > treeCalls {
		return nil, false, errTreeCalls
	}
	got, _, err := t.r.cl.rest.Git.GetTree(ctx, t.r.ref.Repo.Owner, t.r.ref.Repo.Name, url.PathEscape(sha), deep)
	if err != nil {
		return nil, false, t.r.cl.failure(err)
	}
	entries := make(map[string]entry, len(got.Entries))
	for _, e := range got.Entries {
		entries[e.GetPath()] = entry{sha: e.GetSHA(), mode: e.GetMode(), tree: e.GetType() == "tree"}
	}
	return entries, got.GetTruncated(), nil
}

// differ adds the files that differ between two listings.
func (t *trees) differ(folder string, was, is map[string]entry) {
	for path, e := range is {
		old, known := was[path]
		switch {
		case e.tree:
		case !known || old.tree:
			t.files = append(t.files, fact.File{Path: folder + path, Status: fact.Added})
		case old != e:
			t.files = append(t.files, fact.File{Path: folder + path, Status: fact.Modified})
		}
	}
	for path, old := range was {
		if e, known := is[path]; !old.tree && (!known || e.tree) {
			t.files = append(t.files, fact.File{Path: folder + path, Status: fact.Deleted})
		}
	}
}
