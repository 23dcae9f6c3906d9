package gitea

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"primum/forges"
	"primum/rules/fact"
)

// manyPages is from how many pages on a list of files is taken from the diff.
// The forge works out the whole change anew for every page, so that a change of
// thousands of files takes longer than a judgement may; its diff is one answer.
const manyPages = 4

// filesOfDiff takes the list of files from the diff of the whole change: those
// of first, the list's own first page, and the others, whole in all. It keeps
// the diff for addDiffs. No files and no error mean that the diff does not agree
// with the list, or is too large, and the pages are to be read.
func (r *reading) filesOfDiff(ctx context.Context, key string, first []fact.File, whole int) ([]fact.File, error) {
	raw, _, err := r.raw(ctx, r.path("pulls", r.number()+".diff"), nil)
	if err != nil {
		if _, limited := errors.AsType[*forges.RateLimited](err); limited || ctx.Err() != nil {
			return nil, fmt.Errorf("diff: %w", err)
		}
		return nil, nil // the pages tell as much
	}
	diffs := parseDiff(string(raw))
	if len(diffs) != whole {
		return nil, nil
	}
	for _, f := range first {
		if d, ok := diffs[f.Path]; !ok || d.file(f.Path) != f {
			return nil, nil
		}
	}
	if err := r.stillAt(ctx); err != nil { // the diff does not say which head it is of
		return nil, fmt.Errorf("diff: %w", err)
	}
	files := make([]fact.File, 0, whole)
	for path, d := range diffs {
		files = append(files, d.file(path))
	}
	slices.SortFunc(files, func(a, b fact.File) int { return strings.Compare(a.Path, b.Path) }) // as the list has them
	r.diffs.Put(key, diffs, len(raw))
	return files, nil
}

// file is what the diff tells of the file at path, as the list would.
func (d *fileDiff) file(path string) fact.File {
	f := fact.File{Path: path, Status: fact.Modified, Added: d.added, Removed: d.removed}
	for line := range strings.Lines(d.header) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "new file mode "):
			f.Status = fact.Added
		case strings.HasPrefix(line, "deleted file mode "):
			f.Status = fact.Deleted
		case strings.HasPrefix(line, "rename from "):
			f.Status, f.Previous = fact.Renamed, unquote(line[len("rename from "):])
		case strings.HasPrefix(line, "copy from "):
			f.Status, f.Previous = fact.Copied, unquote(line[len("copy from "):])
		}
	}
	return f
}
