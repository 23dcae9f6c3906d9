package judge

import (
	"context"
	"fmt"
	"time"

	"primum/bot/store"
	"primum/rules/fact"
)

// sameApproval is how far the forge's time of an approval and that of the
// delivery that told of it may differ for the two to be one.
const sameApproval = 2 * time.Minute

// approvals completes approvals from what deliveries showed of them (law 3): on
// which commit they were given, where the forge does not tell, and that they
// were taken back, where its answer is older than that. What was seen never
// makes an approval count that would not without it, but for filling in a commit
// that nobody else knows.
func (j *Judge) approvals(ctx context.Context, c *fact.Change) error {
	var ids []string
	for i := range c.Reviews {
		if r := &c.Reviews[i]; r.State == fact.Approved && r.Author.Known() {
			ids = append(ids, store.ApprovalID(c.Number, r.Author.ID))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	seen, err := j.store.Recall(ctx, c.Forge, c.Repo.ID, union(ids))
	if err != nil {
		return fmt.Errorf("recall approvals of change %d: %w", c.Number, err)
	}
	for i := range c.Reviews {
		r := &c.Reviews[i]
		if r.State != fact.Approved || !r.Author.Known() {
			continue
		}
		if a, ok := seen[store.ApprovalID(c.Number, r.Author.ID)].Approval(); ok {
			complete(r, a, c.Head.SHA)
		}
	}
	return nil
}

// complete writes into an approval what was seen of it.
func complete(r *fact.Review, a store.SeenApproval, head string) {
	near := r.SubmittedAt.IsZero() || a.At.Sub(r.SubmittedAt).Abs() <= sameApproval
	switch {
	case a.Withdrawn:
		// An approval given after it was taken back is another one.
		if r.SubmittedAt.IsZero() || !a.At.Before(r.SubmittedAt) {
			r.State, r.DismissedBy, r.DismissedAt = fact.Dismissed, a.By, a.At
		}
	case !near:
	case r.Commit == "":
		r.Commit, r.Patch = a.SHA, ""
	case r.Commit == head && a.SHA != head: // the stricter of the two
		r.Commit, r.Patch = a.SHA, ""
	}
}
