// Package patch identifies the content of a change independent of where in its
// files it stands, so that an approval can be kept across a rebase. What a forge
// shows of a content differs; how it is asked for and digested does not.
package patch

import (
	"io"
	"strings"

	"primum/forges"
	"primum/rules/fact"
)

// OfReviews identifies the content at each approved commit that is not the head,
// in Review.Patch, and at the head; "" if nothing else was approved. at answers
// "" for a content that cannot be told, so that what was said on it does not
// count.
func OfReviews(reviews []fact.Review, head string, at func(sha string) (string, error)) (string, error) {
	older := false
	for i := range reviews {
		v := &reviews[i]
		if v.State != fact.Approved || v.Commit == head || !forges.IsCommit(v.Commit) {
			continue
		}
		older = true
		found, err := at(v.Commit)
		if err != nil {
			return "", err
		}
		v.Patch = found
	}
	if !older {
		return "", nil
	}
	return at(head)
}

// WriteHunks writes the hunks of one file to a hash, without their line numbers.
func WriteHunks(hash io.Writer, text string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "@@") {
			line = "@@\n"
		}
		_, _ = io.WriteString(hash, strings.TrimSuffix(line, "\n")+"\n") // a hash never refuses
	}
}
