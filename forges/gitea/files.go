package gitea

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// readFiles reads the files, once for a head and a target commit, and the diffs
// of those the plan asks for.
func (r *reading) readFiles(ctx context.Context) error {
	key := strings.Join([]string{r.c.Repo.ID, r.pull.Base.SHA, r.pull.Head.SHA, r.number()}, "\x00")
	files, ok := r.files.Get(key)
	if !ok {
		var err error
		if files, err = r.listFiles(ctx, key); err != nil {
			return fmt.Errorf("files: %w", err)
		}
		r.files.Put(key, files, weigh(files))
	}
	r.c.Files = slices.Clone(files)
	if !r.needs[fact.NeedDiffs] || !slices.ContainsFunc(files, r.wantsDiff) {
		return nil
	}
	return r.addDiffs(ctx, key)
}

// listFiles reads the whole list, however long: the forge knows no bound, and
// each page tells how many files there are. Of a long list the first page is
// read and the rest taken from the diff.
func (r *reading) listFiles(ctx context.Context, key string) ([]fact.File, error) {
	path := r.path("pulls", r.number(), "files")
	var first []changedFile
	h, err := r.get(ctx, path, paged(1, nil), &first)
	if err != nil {
		return nil, err
	}
	whole := max(total(h), len(first))
	if whole == 0 {
		if err := r.reallyEmpty(ctx); err != nil {
			return nil, err
		}
	}
	if len(first) > 0 && whole > manyPages*len(first) {
		beginning, err := r.listed(first)
		if err != nil {
			return nil, err
		}
		if files, err := r.filesOfDiff(ctx, key, beginning, whole); err != nil || files != nil {
			return files, err
		}
	}
	pages := [][]changedFile{first}
	if whole > len(first) && len(first) > 0 {
		pages = make([][]changedFile, (whole+len(first)-1)/len(first))
		pages[0] = first
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for i := 1; i < len(pages); i++ {
			group.Go(func() error {
				_, err := r.get(ctx, path, paged(i+1, nil), &pages[i])
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
	}
	files, err := r.listed(slices.Concat(pages...))
	if err != nil {
		return nil, err
	}
	if len(files) != whole {
		return nil, fmt.Errorf("%d of %d came: %w", len(files), whole, forges.ErrConflict)
	}
	return files, nil
}

// reallyEmpty makes sure that an open change without files has none: while it
// is merged its commits are in the target branch already and it still counts as
// open, and then the list of its files is empty too. Taken as it comes, the
// record of such a change would end with an empty change, ready to merge.
func (r *reading) reallyEmpty(ctx context.Context) error {
	if r.c.State != fact.Open || r.pull.MergeBase == r.pull.Head.SHA || r.c.Base.Name == "" || r.pull.Head.SHA == "" {
		return nil
	}
	var ahead struct {
		Total int `json:"total_commits"`
	}
	if _, err := r.get(ctx, r.path("compare", r.c.Base.Name+"..."+r.pull.Head.SHA), nil, &ahead); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	if ahead.Total == 0 {
		return fmt.Errorf("no file is listed, and the commits are in %s already, as while a change is merged: %w", r.c.Base.Name, forges.ErrConflict)
	}
	return nil
}

// listed are the files of the list, all of the head that is read.
func (r *reading) listed(list []changedFile) ([]fact.File, error) {
	files := []fact.File{}
	for _, n := range list {
		if at := listedAt(n); at != "" && at != r.pull.Head.SHA && r.c.State == fact.Open {
			return nil, fmt.Errorf("the head moved to %s: %w", wire.Short(at, 8), forges.ErrConflict)
		}
		f := fact.File{Path: n.Path, Status: fileStatus(n.Status), Added: n.Added, Removed: n.Removed}
		if f.Status == fact.Renamed || f.Status == fact.Copied {
			f.Previous = n.Previous
		}
		files = append(files, f)
	}
	return files, nil
}

// listedAt is the head that a listed file belongs to, read off its address: the
// list itself does not say.
func listedAt(n changedFile) string {
	u, err := url.Parse(n.ContentsURL)
	if err != nil {
		return ""
	}
	if sha := u.Query().Get("ref"); forges.IsCommit(sha) {
		return sha
	}
	return ""
}

// wantsDiff reports whether the plan asks for the diff of this file.
func (r *reading) wantsDiff(f fact.File) bool {
	for _, glob := range r.plan.DiffPaths {
		for _, path := range f.Touches() {
			if ok, err := doublestar.Match(glob, path); ok || err != nil {
				return true
			}
		}
	}
	return false
}

// addDiffs takes the diffs out of the diff of the whole change. One that does
// not show as many lines as the list counts is no diff to judge by.
func (r *reading) addDiffs(ctx context.Context, key string) error {
	diffs, ok := r.diffs.Get(key)
	if !ok {
		raw, _, err := r.raw(ctx, r.path("pulls", r.number()+".diff"), nil)
		if err != nil {
			return fmt.Errorf("diff: %w", err)
		}
		diffs = parseDiff(string(raw))
		if !r.agree(diffs) {
			if err := r.stillAt(ctx); err != nil {
				return fmt.Errorf("diff: %w", err)
			}
		}
		r.diffs.Put(key, diffs, len(raw))
	}
	for i := range r.c.Files {
		f := &r.c.Files[i]
		if !r.wantsDiff(*f) {
			continue
		}
		d, shown := diffs[f.Path]
		f.DiffKnown = d.added == f.Added && d.removed == f.Removed && (shown || f.Added+f.Removed == 0) && !d.binary
		if f.DiffKnown {
			f.Diff = d.text
		}
	}
	return nil
}

// agree reports whether the diff is that of the files listed, by count.
func (r *reading) agree(diffs map[string]fileDiff) bool {
	for _, f := range r.c.Files {
		if d := diffs[f.Path]; d.added != f.Added || d.removed != f.Removed {
			return false
		}
	}
	return true
}

// stillAt asks whether the change has the head it had.
func (r *reading) stillAt(ctx context.Context) error {
	var now pull
	if _, err := r.get(ctx, r.path("pulls", r.number()), nil, &now); err != nil {
		return err
	}
	if now.Head.SHA != r.pull.Head.SHA {
		return fmt.Errorf("the head moved to %s: %w", wire.Short(now.Head.SHA, 8), forges.ErrConflict)
	}
	return nil
}

// weigh is about how many bytes a list keeps.
func weigh(files []fact.File) int {
	n := 0
	for _, f := range files {
		n += 120 + len(f.Path) + len(f.Previous)
	}
	return n
}
