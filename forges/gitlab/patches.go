package gitlab

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"primum/forges"
	"primum/forges/patch"
	"primum/forges/wire"
	"primum/rules/fact"
)

// compared is what a change was at one of its commits; "" if it cannot be told.
type compared struct{ patch string }

// readPatches identifies the content of the change, at its head and at each
// approved commit that is not the head, so that an approval can be kept across
// a rebase. What it finds is kept by commit and asked once.
func (r *reading) readPatches(ctx context.Context) error {
	if !r.needs[fact.NeedPatches] || r.c.Base.SHA == "" {
		return nil
	}
	ofHead, err := patch.OfReviews(r.c.Reviews, r.c.Head.SHA, func(sha string) (string, error) {
		found, err := r.compareAt(ctx, sha)
		return found.patch, err
	})
	r.c.Patch = ofHead
	return err
}

// compareAt compares the target branch with a commit, from where they parted. A
// commit that is gone has no patch, so that what was said on it does not count.
func (r *reading) compareAt(ctx context.Context, sha string) (compared, error) {
	key := r.pid + "\x00" + r.c.Base.SHA + "\x00" + sha
	if found, ok := r.diffs.Get(key); ok {
		return found, nil
	}
	nodes, problem, err := r.compare(wire.Operation(ctx, "read_patch"), r.c.Base.SHA, sha, false)
	if errors.Is(err, forges.ErrNotFound) {
		return compared{}, nil
	} else if err != nil {
		return compared{}, err
	}
	found := compared{}
	if problem == "" {
		found.patch = patchDigest(nodes)
	}
	r.diffs.Put(key, found, 200)
	return found, nil
}

// patchDigest identifies a diff independent of where in the files it stands: the
// SHA-256 of the files in order of path, each with its status, its former path
// and its hunks without their line numbers. "" if a diff was left out: GitLab
// then gives nothing that identifies the file, and neither for a binary one.
func patchDigest(nodes []diffNode) string {
	nodes = slices.Clone(nodes)
	slices.SortFunc(nodes, func(a, b diffNode) int { return cmp.Compare(a.NewPath, b.NewPath) })
	h := sha256.New()
	for i := range nodes {
		n := &nodes[i]
		moved := n.Renamed && n.Diff == ""
		if !n.whole() || n.Diff == "" && !moved && n.AMode == n.BMode || binary(n.Diff) {
			return ""
		}
		// Quoted, so that no path can end where another begins. A hash never refuses.
		_, _ = fmt.Fprintf(h, "%q %q %q %q %t %t\n", n.NewPath, n.OldPath, n.AMode, n.BMode, n.New, n.Deleted)
		patch.WriteHunks(h, n.Diff)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// binary recognises what stands for the diff of a binary file.
func binary(diff string) bool {
	return strings.HasPrefix(diff, "Binary files ") || strings.HasPrefix(diff, "GIT binary patch")
}
