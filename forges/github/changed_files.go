package github

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/go-github/v62/github"
	"golang.org/x/sync/errgroup"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// restFiles is how many files of a change GitHub lists by REST, and listed how
// many of them per page.
const (
	restFiles = 3000
	listed    = 100
)

// readFiles reads the files. The answer to the one query is enough where it
// lists them all, none was renamed or copied (GraphQL does not tell from where),
// and no diff is wanted. Else they are listed by REST, once per head, base and
// set of wanted diffs; and past what REST lists, found by comparing trees.
func (r *reading) readFiles(ctx context.Context) error {
	if r.vars["files"] != true {
		return nil
	}
	if _, known := r.c.Why(fact.NeedFiles); !known {
		return nil
	}
	if whole := r.filesOfAnswer(); whole {
		return nil
	}
	key := strings.Join(append([]string{
		r.c.Repo.ID, r.pull.BaseRefOid, r.pull.HeadRefOid, fmt.Sprint(r.ref.Number),
	}, r.diffPaths()...), "\x00")
	files, ok := r.files.Get(key)
	if !ok {
		var err error
		if r.pull.ChangedFiles > restFiles {
			files, err = r.filesOfTrees(ctx)
		} else {
			files, err = r.filesOfREST(ctx)
		}
		if err != nil || files == nil {
			return err
		}
		r.files.Put(key, files, weigh(files))
	}
	r.c.Files = slices.Clone(files)
	if r.pull.ChangedFiles > restFiles && slices.ContainsFunc(files, r.wantsDiff) {
		r.c.MarkUnknown(fact.NeedDiffs, fmt.Sprintf("the change has %d files; GitHub gives diffs of at most %d", r.pull.ChangedFiles, restFiles))
	}
	return nil
}

// filesOfAnswer takes the files out of the one answer; whole is false if that
// does not say all that is needed.
func (r *reading) filesOfAnswer() (whole bool) {
	p := r.pull.Files
	if p == nil || p.PageInfo.HasNextPage || len(p.Nodes) < r.pull.ChangedFiles {
		return false
	}
	files := make([]fact.File, 0, len(p.Nodes))
	for _, n := range p.Nodes {
		f := fact.File{Path: n.Path, Status: fileStatus(n.ChangeType), Added: n.Additions, Removed: n.Deletions}
		if f.Status == fact.Renamed || f.Status == fact.Copied || r.wantsDiff(f) {
			return false
		}
		files = append(files, f)
	}
	r.c.Files = files
	return true
}

func (r *reading) diffPaths() []string {
	if !r.needs[fact.NeedDiffs] {
		return nil
	}
	return r.plan.DiffPaths
}

// wantsDiff reports whether the plan asks for the diff of this file.
func (r *reading) wantsDiff(f fact.File) bool {
	for _, glob := range r.diffPaths() {
		for _, path := range f.Touches() {
			if ok, err := doublestar.Match(glob, path); ok || err != nil {
				return true
			}
		}
	}
	return false
}

// filesOfREST lists the files by REST. nil and no error: it was marked unknown.
func (r *reading) filesOfREST(ctx context.Context) ([]fact.File, error) {
	pages := make([][]*github.CommitFile, max(1, (r.pull.ChangedFiles+listed-1)/listed))
	group, ctx := errgroup.WithContext(wire.Operation(ctx, "read_files"))
	group.SetLimit(4)
	for i := range pages {
		group.Go(func() error {
			got, _, err := r.cl.rest.PullRequests.ListFiles(ctx, r.ref.Repo.Owner, r.ref.Repo.Name, r.ref.Number,
				&github.ListOptions{Page: i + 1, PerPage: listed})
			if err != nil {
				return fmt.Errorf("files: %w", r.cl.failure(err))
			}
			pages[i] = got
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var files []fact.File
	for _, n := range slices.Concat(pages...) {
		if at := listedAt(n); at != "" && at != r.pull.HeadRefOid {
			return nil, fmt.Errorf("files: the head moved to %s: %w", wire.Short(at, 8), forges.ErrConflict)
		}
		f := restFile(n)
		if !r.wantsDiff(f) {
			f.Diff, f.DiffKnown = "", false
		}
		files = append(files, f)
	}
	if len(files) < r.pull.ChangedFiles {
		r.c.MarkUnknown(fact.NeedFiles, fmt.Sprintf("GitHub lists %d of %d files", len(files), r.pull.ChangedFiles))
		r.c.Files = files
		return nil, nil
	}
	if files == nil {
		files = []fact.File{}
	}
	return files, nil
}

// listedAt is the head that a listed file belongs to, read off its address: the
// list itself does not say. "" for a deleted file and where it does not tell.
func listedAt(n *github.CommitFile) string {
	if n.GetStatus() == "removed" {
		return ""
	}
	u, err := url.Parse(n.GetContentsURL())
	if err != nil {
		return ""
	}
	if sha := u.Query().Get("ref"); forges.IsCommit(sha) {
		return sha
	}
	return ""
}

func restFile(n *github.CommitFile) fact.File {
	f := fact.File{
		Path: n.GetFilename(), Status: fileStatus(n.GetStatus()), Added: n.GetAdditions(), Removed: n.GetDeletions(),
	}
	if f.Status == fact.Renamed || f.Status == fact.Copied {
		f.Previous = n.GetPreviousFilename()
	}
	f.Diff, f.DiffKnown = n.GetPatch(), wholePatch(n)
	return f
}

// wholePatch reports whether the patch shows every line the forge counted. It
// leaves the patch out where it is too long, and a binary file has none.
func wholePatch(n *github.CommitFile) bool {
	added, removed := 0, 0
	for line := range strings.Lines(n.GetPatch()) {
		switch line[0] {
		case '+':
			added++
		case '-':
			removed++
		}
	}
	return added == n.GetAdditions() && removed == n.GetDeletions()
}

// weigh is about how many bytes a list keeps.
func weigh(files []fact.File) int {
	n := 0
	for _, f := range files {
		n += 120 + len(f.Path) + len(f.Previous) + len(f.Diff)
	}
	return n
}
