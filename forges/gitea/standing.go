package gitea

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// standingPage is how many statuses are asked for. The one that counts is mostly
// among the newest few, and the forge looks up the writer of each.
const standingPage = 20

var _ forges.StandingReader = (*Forge)(nil)

// Standing implements forges.StandingReader: one call, unless more than twenty
// statuses of other contexts were set since, when all are read. Of a context the
// status with the highest number counts when the forge decides on a merge.
func (f *Forge) Standing(ctx context.Context, r forges.RepoRef, sha, name string) (fact.Check, error) {
	wrap := func(err error) error {
		return fmt.Errorf("read the check %s on %s of %s: %w", name, wire.Short(sha, 8), r.FullName(), err)
	}
	if !validName(r.Owner) || !validName(r.Name) || !forges.IsCommit(sha) {
		return fact.Check{}, wrap(forges.ErrNotFound)
	}
	ctx = wire.Operation(ctx, "standing")
	if err := f.identify(ctx); err != nil {
		return fact.Check{}, wrap(err)
	}
	path := repoPath(r.Owner, r.Name, "commits", sha, "statuses")
	var got []status
	// "leastindex" is, against its name, the highest number first.
	h, err := f.get(ctx, path, url.Values{"sort": {"leastindex"}, "page": {"1"}, "limit": {strconv.Itoa(standingPage)}}, &got)
	if err != nil {
		return fact.Check{}, wrap(err)
	}
	top := newest(got, name)
	if whole := total(h); len(got) > 0 && len(got) != whole && (top == nil || !falling(got)) {
		if got, err = everyPage[status](ctx, f, path, url.Values{"sort": {"leastindex"}}); err != nil {
			return fact.Check{}, wrap(err)
		}
		top = newest(got, name)
	}
	if top == nil {
		return fact.Check{}, wrap(forges.ErrNotFound)
	}
	return f.checkFact(top), nil
}

// falling reports whether each number is lower than the one before.
func falling(s []status) bool {
	for i := 1; i < len(s); i++ {
		if s[i].ID >= s[i-1].ID {
			return false
		}
	}
	return true
}

// newest is the status of a context with the highest number; nil if there is none.
func newest(s []status, name string) *status {
	var top *status
	for i := range s {
		if s[i].Context == name && (top == nil || s[i].ID > top.ID) {
			top = &s[i]
		}
	}
	return top
}
