package github

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-github/v62/github"

	"primum/forges"
	"primum/forges/patch"
	"primum/forges/wire"
	"primum/rules/fact"
)

// comparedFiles is how many files GitHub lists of a comparison. A comparison
// with that many may be cut off and identifies nothing.
const comparedFiles = 300

// comparison is what a change was at one of its commits.
type comparison struct {
	patch     string // "" if it cannot be told
	mergeBase string
}

// readPatches identifies the content of the change, at its head and at each
// approved commit that is not the head, so that an approval can be kept across
// a rebase. What it finds is kept by commit and asked once.
func (r *reading) readPatches(ctx context.Context) error {
	if !r.needs[fact.NeedPatches] {
		return nil
	}
	head := r.pull.HeadRefOid
	ofHead, err := patch.OfReviews(r.c.Reviews, head, func(sha string) (string, error) {
		found, err := r.compareAt(ctx, sha)
		if sha == head && found.mergeBase != "" {
			r.c.MergeBase = found.mergeBase
		}
		return found.patch, err
	})
	r.c.Patch = ofHead
	return err
}

// compareAt compares the target branch with a commit. A commit that is gone has
// no patch, so that what was said on it does not count.
func (r *reading) compareAt(ctx context.Context, sha string) (comparison, error) {
	base := r.pull.BaseRefOid
	key := r.c.Repo.ID + "\x00" + base + "\x00" + sha
	if found, ok := r.diffs.Get(key); ok {
		return found, nil
	}
	got, _, err := r.cl.rest.Repositories.CompareCommits(wire.Operation(ctx, "read_patch"), r.ref.Repo.Owner, r.ref.Repo.Name,
		base, sha, &github.ListOptions{PerPage: 1})
	if err = r.cl.failure(err); errors.Is(err, forges.ErrNotFound) {
		return comparison{}, nil
	} else if err != nil {
		return comparison{}, fmt.Errorf("compare %s: %w", wire.Short(sha, 8), err)
	}
	found := comparison{mergeBase: got.GetMergeBaseCommit().GetSHA()}
	if len(got.Files) < comparedFiles {
		found.patch = patchDigest(got.Files)
	}
	r.diffs.Put(key, found, 200)
	return found, nil
}

// patchDigest identifies a diff independent of where in the files it stands: the
// SHA-256 of the files in order of path, each with its status, its former path
// and its hunks without their line numbers. A file without a patch counts by the
// name of its content, so a binary is the same only if every byte is.
func patchDigest(files []*github.CommitFile) string {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b *github.CommitFile) int { return cmp.Compare(a.GetFilename(), b.GetFilename()) })
	h := sha256.New()
	for _, f := range files {
		// Quoted, so that no path can end where another begins. A hash never refuses.
		_, _ = fmt.Fprintf(h, "%q %q %q\n", f.GetFilename(), f.GetPreviousFilename(), f.GetStatus())
		if f.GetPatch() == "" || !wholePatch(f) {
			_, _ = fmt.Fprintf(h, "content %s\n", f.GetSHA())
			continue
		}
		patch.WriteHunks(h, f.GetPatch())
	}
	return hex.EncodeToString(h.Sum(nil))
}
