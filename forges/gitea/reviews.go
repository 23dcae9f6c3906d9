package gitea

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"primum/forges"
	"primum/rules/fact"
)

// dismissal is who dismissed a review, nobody if that is not told.
type dismissal struct {
	by fact.Person
	at time.Time
}

// readReviews reads reviews, who dismissed those that were, the threads they
// opened, and what the change was where they approved it.
func (r *reading) readReviews(ctx context.Context) error {
	got, err := everyPage[review](ctx, r.Forge, r.path("pulls", r.number(), "reviews"), nil)
	if err != nil {
		return fmt.Errorf("reviews: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	if r.needs[fact.NeedThreads] {
		group.Go(func() error { return r.readThreads(ctx, got) })
	}
	if r.needs[fact.NeedReviews] || r.needs[fact.NeedPatches] {
		group.Go(func() error {
			reviews := []fact.Review{}
			for i := range got {
				if v, ok := r.reviewFact(&got[i]); ok {
					reviews = append(reviews, v)
				}
			}
			slices.SortStableFunc(reviews, func(a, b fact.Review) int { return a.SubmittedAt.Compare(b.SubmittedAt) })
			if err := r.dismissals(ctx, reviews); err != nil {
				return err
			}
			if err := r.readPatches(ctx, reviews); err != nil {
				return err
			}
			r.c.Reviews = reviews
			return nil
		})
	}
	return group.Wait()
}

// reviewFact: the words of a review are those it was submitted with; what is
// edited on its page later is a comment beside it.
func (r *reading) reviewFact(v *review) (fact.Review, bool) {
	state, ok := reviewState(v.State, v.Dismissed)
	if !ok {
		return fact.Review{}, false
	}
	return fact.Review{
		ID: decimal(v.ID), URL: v.URL, Author: r.person(v.User), State: state, Commit: v.CommitID, Body: v.Body,
		SubmittedAt: v.SubmittedAt.Time, First: v.Body, FirstKnown: true,
	}, true
}

// dismissals finds who dismissed reviews, by the timeline of the change; once
// for each review, since it is told once.
func (r *reading) dismissals(ctx context.Context, reviews []fact.Review) error {
	key := func(id string) string { return r.c.Repo.ID + "\x00" + r.number() + "\x00" + id }
	open := false
	for i := range reviews {
		if reviews[i].State == fact.Dismissed {
			if _, known := r.undone.Get(key(reviews[i].ID)); !known {
				open = true
			}
		}
	}
	if open {
		entries, err := r.wholeTimeline(ctx, r.ref.Repo.Owner, r.ref.Repo.Name, r.ref.Number)
		if err != nil {
			return fmt.Errorf("dismissals: %w", err)
		}
		told := map[string]dismissal{}
		for i := range entries {
			if e := &entries[i]; e.Type == "dismiss_review" {
				told[decimal(e.ReviewID)] = dismissal{by: r.person(e.User), at: e.CreatedAt.Time}
			}
		}
		for i := range reviews {
			if reviews[i].State == fact.Dismissed {
				r.undone.Put(key(reviews[i].ID), told[reviews[i].ID], 100)
			}
		}
	}
	for i := range reviews {
		if reviews[i].State == fact.Dismissed {
			d, _ := r.undone.Get(key(reviews[i].ID))
			reviews[i].DismissedBy, reviews[i].DismissedAt = d.by, d.at
		}
	}
	return nil
}

// readThreads reads the comments on lines. Those of one review on one line are
// one thread, since an answer joins the review it answers; it is resolved if its
// first comment is.
func (r *reading) readThreads(ctx context.Context, reviews []review) error {
	var with []review
	for _, v := range reviews {
		if v.Comments > 0 && v.State != "PENDING" {
			with = append(with, v)
		}
	}
	lines := make([][]lineComment, len(with))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range with {
		group.Go(func() error {
			_, err := r.get(ctx, r.path("pulls", r.number(), "reviews", decimal(with[i].ID), "comments"), nil, &lines[i])
			if err != nil {
				return fmt.Errorf("comments of review %d: %w", with[i].ID, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	all := slices.Concat(lines...)
	slices.SortFunc(all, func(a, b lineComment) int { return cmp.Compare(a.ID, b.ID) })
	threads := []fact.Thread{}
	seen := map[string]bool{}
	for i := range all {
		c := &all[i]
		key := fmt.Sprintf("%d %d %d %s", c.ReviewID, c.Position, c.OriginalPosition, c.Path)
		if seen[key] {
			continue
		}
		seen[key] = true
		threads = append(threads, fact.Thread{
			URL: c.URL, Path: c.Path, Line: max(c.Position, c.OriginalPosition), Author: r.person(c.User),
			Excerpt: excerpt(c.Body), Resolved: c.Resolver != nil && c.Resolver.ID != 0,
		})
	}
	r.c.Threads = threads
	return nil
}

// excerpt is the first line, at most 120 runes.
func excerpt(body string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	line = strings.TrimSpace(line)
	if runes := []rune(line); len(runes) > 120 {
		return string(runes[:119]) + "…"
	}
	return line
}

// wholeTimeline reads a timeline to its end. The forge leaves entries out of a
// page after it was counted, so that only an empty page is the end.
func (f *Forge) wholeTimeline(ctx context.Context, owner, name string, number int) ([]entry, error) {
	var all []entry
	for page := 1; page <= maxPages; page++ {
		got, err := f.timelinePage(ctx, owner, name, number, page)
		if err != nil {
			return nil, err
		}
		if len(got) == 0 {
			return all, nil
		}
		all = append(all, got...)
	}
	return nil, fmt.Errorf("timeline of %d: more than %d pages: %w", number, maxPages, forges.ErrForbidden)
}

func (f *Forge) timelinePage(ctx context.Context, owner, name string, number, page int) ([]entry, error) {
	var got []entry
	_, err := f.get(ctx, repoPath(owner, name, "issues", fmt.Sprint(number), "timeline"), paged(page, nil), &got)
	if err != nil {
		return nil, fmt.Errorf("timeline of %d: %w", number, err)
	}
	return got, nil
}
