package gitea

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"primum/forges"
	"primum/forges/patch"
	"primum/rules/fact"
)

// patchCommits is how many commits are looked at to identify a content; a
// change with more keeps no approval across a rebase.
const patchCommits = 30

// readPatches identifies the content of the change, at its head and at each
// approved commit that is not the head, so that an approval can be kept across
// a rebase. The forge does not show what a change was at an earlier commit, so
// it is identified by its commits' own diffs in order: the same commits on
// another base have them, squashed ones do not. What it finds is kept by commit.
func (r *reading) readPatches(ctx context.Context, reviews []fact.Review) error {
	if !r.needs[fact.NeedPatches] {
		return nil
	}
	ofHead, err := patch.OfReviews(reviews, r.pull.Head.SHA, func(sha string) (string, error) { return r.patchAt(ctx, sha) })
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.c.Patch = ofHead
	return nil
}

// patchAt identifies what a commit adds to the target branch; "" if that cannot
// be told: the commit is gone, or brings a merge, or too many commits.
func (r *reading) patchAt(ctx context.Context, sha string) (string, error) {
	base := r.pull.Base.SHA
	if !forges.IsCommit(base) || !forges.IsCommit(sha) {
		return "", nil
	}
	key := strings.Join([]string{"at", r.c.Repo.ID, base, sha}, "\x00")
	if patch, ok := r.patches.Get(key); ok {
		return patch, nil
	}
	var got struct {
		Commits []commit `json:"commits"`
		Total   int      `json:"total_commits"`
	}
	_, err := r.get(ctx, r.path("compare", base+"..."+sha), nil, &got)
	if errors.Is(err, forges.ErrNotFound) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("compare: %w", err)
	}
	patch := ""
	merges := slices.ContainsFunc(got.Commits, func(c commit) bool { return len(c.Parents) > 1 })
	if n := len(got.Commits); n > 0 && n <= patchCommits && n == got.Total && !merges {
		if patch, err = r.patchOf(ctx, got.Commits); err != nil {
			return "", err
		}
	}
	r.patches.Put(key, patch, 100)
	return patch, nil
}

func (r *reading) patchOf(ctx context.Context, commits []commit) (string, error) {
	each := make([]string, len(commits))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range commits {
		group.Go(func() (err error) {
			each[i], err = r.commitPatch(ctx, commits[i].SHA)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(strings.Join(each, "\n")))
	return hex.EncodeToString(sum[:]), nil
}

// commitPatch identifies a commit's diff independent of where in the files it
// stands.
func (r *reading) commitPatch(ctx context.Context, sha string) (string, error) {
	key := strings.Join([]string{"of", r.c.Repo.ID, sha}, "\x00")
	if patch, ok := r.patches.Get(key); ok {
		return patch, nil
	}
	raw, _, err := r.raw(ctx, r.path("git", "commits", sha+".diff"), nil)
	if err != nil {
		return "", fmt.Errorf("diff of %s: %w", sha[:8], err)
	}
	patch := patchDigest(string(raw))
	r.patches.Put(key, patch, 100)
	return patch, nil
}

// patchDigest is the SHA-256 of the files in order of path, each with its header
// and its hunks without their line numbers. A binary file, of which nothing is
// shown, counts by the names of its contents.
func patchDigest(raw string) string {
	files := parseDiff(raw)
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		d := files[path]
		// Quoted, so that no path can end where another begins. A hash never refuses.
		_, _ = fmt.Fprintf(h, "%q %q\n", path, d.header)
		patch.WriteHunks(h, d.text)
	}
	return hex.EncodeToString(h.Sum(nil))
}
