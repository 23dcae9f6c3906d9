package gitlab

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// listing are the files of one version of a change.
type listing struct {
	files   []fact.File
	problem string // why they are not all
}

// diffNode is one file of a list of diffs.
type diffNode struct {
	OldPath   string `json:"old_path"`
	NewPath   string `json:"new_path"`
	AMode     string `json:"a_mode"`
	BMode     string `json:"b_mode"`
	Diff      string `json:"diff"`
	New       bool   `json:"new_file"`
	Renamed   bool   `json:"renamed_file"`
	Deleted   bool   `json:"deleted_file"`
	Collapsed *bool  `json:"collapsed"`
	TooLarge  *bool  `json:"too_large"`
}

// version is one version of a change: what a push made of it.
type version struct {
	ID       int64     `json:"id"`
	Head     string    `json:"head_commit_sha"`
	Base     string    `json:"base_commit_sha"`
	Start    string    `json:"start_commit_sha"`
	At       time.Time `json:"created_at"`
	State    string    `json:"state"`
	RealSize string    `json:"real_size"`
}

func (r *reading) changePath() string {
	return fmt.Sprintf("projects/%s/merge_requests/%d", r.pid, r.ref.Number)
}

// readVersions lists the versions of the change, newest first, once a reading.
func (r *reading) readVersions(ctx context.Context) ([]version, error) {
	r.mu.Lock()
	known := r.versions
	r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	list, err := all[version](wire.Operation(ctx, "read_versions"), r.Forge, r.changePath()+"/versions", nil)
	if err != nil {
		return nil, fmt.Errorf("versions: %w", err)
	}
	if len(list) == 0 {
		return nil, errPreparing
	}
	slices.SortStableFunc(list, func(a, b version) int { return b.At.Compare(a.At) })
	r.mu.Lock()
	r.versions = list
	r.mu.Unlock()
	return list, nil
}

// readFiles reads the files, once per version and set of wanted diffs.
func (r *reading) readFiles(ctx context.Context) error {
	if !r.needs[fact.NeedFiles] && !r.needs[fact.NeedDiffs] {
		return nil
	}
	if r.mr.DiffRefs == nil { // closed before its diff was made, or the branch is gone
		r.unknown(fact.NeedFiles, "GitLab has no diff of the change")
		return nil
	}
	refs := r.mr.DiffRefs
	key := strings.Join(append([]string{r.key(), refs.BaseSHA, refs.StartSHA, r.mr.HeadSHA, string(r.c.State)}, r.diffPaths()...), "\x00")
	found, ok := r.files.Get(key)
	if !ok {
		var err error
		if found, err = r.listFiles(wire.Operation(ctx, "read_files")); err != nil {
			return err
		}
		r.files.Put(key, found, weigh(found.files))
	}
	r.c.Files = slices.Clone(found.files)
	if found.problem != "" {
		r.unknown(fact.NeedFiles, found.problem)
	}
	return nil
}

// listFiles lists the files of the newest version. Where GitLab lists fewer than
// it counts, or cuts off a diff that is wanted, the two commits are compared,
// which knows no limit of files.
func (r *reading) listFiles(ctx context.Context) (listing, error) {
	nodes, err := all[diffNode](ctx, r.Forge, r.changePath()+"/diffs", nil)
	if err != nil {
		return listing{}, fmt.Errorf("files: %w", err)
	}
	versions, err := r.readVersions(ctx)
	if err != nil {
		return listing{}, err
	}
	newest := versions[0]
	if newest.Head != r.mr.HeadSHA && r.c.State == fact.Open {
		return listing{}, fmt.Errorf("files: the head moved to %s: %w", wire.Short(newest.Head, 8), forges.ErrConflict)
	}
	count, more := sizeOf(newest.RealSize)
	short := more || len(nodes) < count
	if short || r.cutOff(nodes) {
		compared, problem, err := r.compare(ctx, newest.Base, newest.Head, true)
		switch {
		case err != nil:
			return listing{}, err
		case problem == "" && len(compared) >= len(nodes) && (!more || len(compared) > count):
			nodes, short = compared, len(compared) < count
		case short:
			return listing{r.filesOf(nodes), fmt.Sprintf("GitLab lists %d of %s files", len(nodes), newest.RealSize)}, nil
		}
	}
	found := listing{files: r.filesOf(nodes)}
	if short {
		found.problem = fmt.Sprintf("GitLab lists %d of %s files", len(nodes), newest.RealSize)
	}
	return found, nil
}

// sizeOf reads how many files a version has: "12", or "1000+" where GitLab
// stopped counting.
func sizeOf(s string) (n int, more bool) {
	digits, more := strings.CutSuffix(s, "+")
	n, err := strconv.Atoi(digits)
	return n, more || err != nil && s != ""
}

// compare gives the diffs between two commits; straight compares them as they
// are, else from where they parted. problem says why it is not the whole.
func (r *reading) compare(ctx context.Context, from, to string, straight bool) (nodes []diffNode, problem string, err error) {
	var answer struct {
		Diffs   []diffNode `json:"diffs"`
		Timeout bool       `json:"compare_timeout"`
	}
	query := url.Values{"from": {from}, "to": {to}, "straight": {strconv.FormatBool(straight)}}
	if _, err := r.get(ctx, "projects/"+r.pid+"/repository/compare", query, &answer); err != nil {
		return nil, "", fmt.Errorf("compare %s: %w", wire.Short(to, 8), err)
	}
	if answer.Timeout {
		problem = "GitLab ran out of time comparing"
	}
	return answer.Diffs, problem, nil
}

func (r *reading) filesOf(nodes []diffNode) []fact.File {
	files := make([]fact.File, 0, len(nodes))
	for i := range nodes {
		f := nodes[i].file()
		if !r.wantsDiff(f) {
			f.Diff, f.DiffKnown = "", false
		}
		files = append(files, f)
	}
	return files
}

// file is the file as a fact.
func (n *diffNode) file() fact.File {
	f := fact.File{Path: n.NewPath, Status: fact.Modified, Diff: n.Diff, DiffKnown: n.whole()}
	switch {
	case n.New:
		f.Status = fact.Added
	case n.Deleted:
		f.Path, f.Status = n.OldPath, fact.Deleted
	case n.Renamed || n.OldPath != n.NewPath:
		f.Status, f.Previous = fact.Renamed, n.OldPath
	}
	f.Added, f.Removed = lines(n.Diff)
	return f
}

// whole reports whether the diff is all of it. GitLab leaves out what is large
// and says so since 17; before, an empty diff of a file that was neither moved
// nor given another mode is one left out.
func (n *diffNode) whole() bool {
	if n.Collapsed != nil && *n.Collapsed || n.TooLarge != nil && *n.TooLarge {
		return false
	}
	if n.Diff != "" || n.Collapsed != nil {
		return true
	}
	return n.Renamed || !n.New && !n.Deleted && n.AMode != n.BMode
}

// cutOff reports whether a diff that is wanted was left out.
func (r *reading) cutOff(nodes []diffNode) bool {
	for i := range nodes {
		if !nodes[i].whole() && r.wantsDiff(nodes[i].file()) {
			return true
		}
	}
	return false
}

// lines counts the lines a diff adds and removes.
func lines(diff string) (added, removed int) {
	body := false
	for line := range strings.Lines(diff) {
		switch {
		case strings.HasPrefix(line, "@@"):
			body = true
		case !body:
		case line[0] == '+':
			added++
		case line[0] == '-':
			removed++
		}
	}
	return added, removed
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

// weigh is about how many bytes a list keeps.
func weigh(files []fact.File) int {
	n := 0
	for _, f := range files {
		n += 120 + len(f.Path) + len(f.Previous) + len(f.Diff)
	}
	return n
}
