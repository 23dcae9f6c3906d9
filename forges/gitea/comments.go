package gitea

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"primum/forges"
	"primum/rules/fact"
)

// readComments reads the comments of the change. The forge gives them all at
// once, whatever a page is asked to hold.
func (r *reading) readComments(ctx context.Context) error {
	var got []comment
	h, err := r.get(ctx, r.path("issues", r.number(), "comments"), nil, &got)
	if err != nil {
		return fmt.Errorf("comments: %w", err)
	}
	if n := total(h); n > len(got) {
		return fmt.Errorf("comments: %d of %d came", len(got), n)
	}
	facts := make([]fact.Comment, 0, len(got))
	for i := range got {
		facts = append(facts, r.commentFact(&got[i]))
	}
	r.c.Comments = facts
	return nil
}

// commentFact: a comment was edited if it changed later than it was written. By
// whom the forge does not say, nor what it said before; an edit within the
// second of writing shows in its delivery only. A comment that came with a
// repository from another forge is by nobody of this one.
func (f *Forge) commentFact(c *comment) fact.Comment {
	k := fact.Comment{ID: decimal(c.ID), URL: c.URL, Author: f.person(c.User), Body: c.Body, CreatedAt: c.CreatedAt.Time}
	if c.OriginalAuthor != "" {
		k.Author = fact.Person{}
	}
	if c.UpdatedAt.After(c.CreatedAt.Time) {
		k.EditedAt = c.UpdatedAt.Time
	} else {
		k.First, k.FirstKnown = c.Body, true
	}
	k.Ours = f.ours(k.Author)
	return k
}

// readChecks reads the statuses of the head: the newest per context and writer.
// Anybody who may push can set any context, so ours is what our account set.
func (r *reading) readChecks(ctx context.Context) error {
	if !forges.IsCommit(r.pull.Head.SHA) {
		r.unknown(fact.NeedChecks, "the forge names no head commit")
		return nil
	}
	got, err := everyPage[status](ctx, r.Forge, r.path("commits", r.pull.Head.SHA, "statuses"), url.Values{"sort": {"leastindex"}})
	if err != nil {
		return fmt.Errorf("statuses: %w", err)
	}
	slices.SortStableFunc(got, func(a, b status) int { return int(b.ID - a.ID) }) // numbers grow with each status of a commit
	checks := []fact.Check{}
	seen := map[string]bool{}
	for i := range got {
		c := r.checkFact(&got[i])
		key := c.Name + "\x00" + c.SourceID
		if !seen[key] {
			seen[key] = true
			checks = append(checks, c)
		}
	}
	slices.Reverse(checks)
	r.c.Checks = checks
	return nil
}

func (f *Forge) checkFact(s *status) fact.Check {
	by := f.person(s.Creator)
	return fact.Check{
		Name: s.Context, State: statusState(s.State), Source: by.Login, SourceID: by.ID, URL: s.TargetURL,
		StartedAt: s.CreatedAt.Time, FinishedAt: s.CreatedAt.Time, ID: decimal(s.ID), Ours: f.oursCheck(by, s.Context),
	}
}
