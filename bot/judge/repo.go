package judge

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
)

// Bounds of a sweep.
const (
	maxPages = 500 // pages of a listing, so that a forge that repeats itself ends
	maxOpen  = 100_000
	// freshFor is how long a verdict stands without a delivery before a sweep
	// has it judged anew: what moved without showing in the listing (an issue,
	// a check, a team) is found within it.
	freshFor = 6 * time.Hour
)

// repo reads the open changes of a repository and marks those that moved,
// those that wait, and those not looked at for long. It judges nothing itself:
// the marks lead down the same path as a delivery does (law 6).
func (j *Judge) repo(ctx context.Context, forge forges.Forge, c *store.Claim) (store.Finish, error) {
	f := keep(c)
	f.Open = true
	row, err := j.row(ctx, c.Key)
	if err != nil {
		return f, err
	}
	heads, err := j.listOpen(ctx, forge, ref(row))
	if err != nil {
		return f, err
	}
	known, err := j.known(ctx, c.Key)
	if err != nil {
		return f, err
	}
	now := j.clock.Now()
	all := c.Reason == string(fact.OnPolicy)
	silent := forge.Capabilities().Silent()
	pause := j.pause(len(heads))
	var marks []store.Mark
	for i, h := range heads {
		k := store.Key{Forge: c.Forge, RepoID: c.RepoID, Kind: store.KindChange, Ref: strconv.Itoa(h.Number)}
		old, seen := known[k]
		delete(known, k)
		m := store.Mark{Key: k, Reason: c.Reason, Hint: store.Hint{Head: h.SHA, Base: h.Base, UpdatedAt: h.UpdatedAt}}
		switch {
		case all || !seen || moved(old, h) || due(old, now):
			marks = append(marks, m)
		case silent: // what the listing does not show came without a delivery, too
			m.Due = now.Add(time.Duration(i) * pause)
			marks = append(marks, m)
		}
	}
	for k := range known { // thought open and not listed: closed meanwhile
		marks = append(marks, store.Mark{Key: k, Reason: c.Reason, IfKnown: true})
	}
	if len(marks) == 0 {
		return f, nil
	}
	if _, err := j.store.Mark(ctx, marks, nil); err != nil {
		return f, fmt.Errorf("mark %d changes of %s: %w", len(marks), ref(row).FullName(), err)
	}
	return f, nil
}

// atOnce is how many changes of a repository a sweep may have judged without a
// pause between them.
const atOnce = 20

// pause is how long after one change the sweep of a silent forge has the next
// one judged, so that all are judged well before the sweep that follows.
func (j *Judge) pause(changes int) time.Duration {
	if changes <= atOnce {
		return 0
	}
	return j.sweep / 2 / time.Duration(changes)
}

func (j *Judge) listOpen(ctx context.Context, forge forges.Forge, r forges.RepoRef) ([]forges.Head, error) {
	var all []forges.Head
	cursor := ""
	for range maxPages {
		page, next, err := call(ctx, func(ctx context.Context) ([]forges.Head, string, error) {
			return forge.ListOpen(ctx, r, cursor)
		})
		if err != nil {
			return nil, fmt.Errorf("list open changes of %s: %w", r.FullName(), err)
		}
		all = append(all, page...)
		if next == "" {
			break
		}
		cursor = next
	}
	return all, nil
}

// known are the changes of the repository that we think open.
func (j *Judge) known(ctx context.Context, k store.Key) (map[store.Key]store.OpenRow, error) {
	rows, err := j.store.Open(ctx, k.Forge, k.RepoID, maxOpen)
	if err != nil {
		return nil, fmt.Errorf("list changes thought open: %w", err)
	}
	known := make(map[store.Key]store.OpenRow, len(rows))
	for i := range rows {
		if rows[i].Kind == store.KindChange {
			known[rows[i].Key] = rows[i]
		}
	}
	return known, nil
}

// moved reports whether a listing shows another state than was judged.
func moved(old store.OpenRow, h forges.Head) bool {
	if old.Verdict == 0 || old.Head != h.SHA || h.Base != "" && old.Base != h.Base {
		return true
	}
	judged, err := time.Parse(time.RFC3339Nano, old.Memory.Notes[noteUpdatedAt])
	return err != nil || h.UpdatedAt.After(judged)
}

// due reports whether a change that did not move should be judged all the
// same: it was given up, it waits for something, or nobody looked for long.
func due(old store.OpenRow, now time.Time) bool {
	if old.GaveUp {
		return true
	}
	switch rules.Outcome(old.State) {
	case rules.Pending, rules.Unknown:
		return true
	case rules.Pass, rules.Fail, rules.Waived, rules.NA:
	}
	read, err := time.Parse(time.RFC3339Nano, old.Memory.Notes[noteReadAt])
	return err != nil || now.Sub(read) > freshFor
}

// forge reads which repositories the forge lets us see, and marks each.
func (j *Judge) forge(ctx context.Context, forge forges.Forge, c *store.Claim) (store.Finish, error) {
	f := keep(c)
	f.Open = true
	if cache, ok := forge.(forges.PeopleCache); ok && !forge.Capabilities().Has(forges.TellsTeams) {
		cache.Forget("")
	}
	cursor := ""
	for range maxPages {
		page, next, err := call(ctx, func(ctx context.Context) ([]forges.RepoRef, string, error) {
			return forge.ListRepos(ctx, cursor)
		})
		if err != nil {
			return f, fmt.Errorf("list repositories of %s: %w", c.Forge, err)
		}
		if err := j.found(ctx, c, page); err != nil {
			return f, err
		}
		if next == "" {
			break
		}
		cursor = next
	}
	return f, nil
}

// found keeps the repositories that are served, and marks them.
func (j *Judge) found(ctx context.Context, c *store.Claim, page []forges.RepoRef) error {
	var marks []store.Mark
	for _, r := range page {
		if !j.relevant(r) {
			continue
		}
		row := store.RepoRow{Forge: c.Forge, ID: r.ID}
		if old, err := j.store.Repo(ctx, c.Forge, r.ID); err == nil {
			row = old
		}
		row.Owner, row.Name, row.Installation, row.Private, row.Gone = r.Owner, r.Name, r.Installation, r.Private, false
		if r.Default != "" {
			row.Default = r.Default
		}
		if err := j.store.PutRepo(ctx, row); err != nil {
			return fmt.Errorf("keep repository %s: %w", r.FullName(), err)
		}
		marks = append(marks, store.Mark{
			Key:    store.Key{Forge: c.Forge, RepoID: r.ID, Kind: store.KindRepo},
			Reason: c.Reason,
		})
	}
	if len(marks) == 0 {
		return nil
	}
	if _, err := j.store.Mark(ctx, marks, nil); err != nil {
		return fmt.Errorf("mark %d repositories: %w", len(marks), err)
	}
	return nil
}

// call bounds one listing call in time.
func call[T any](ctx context.Context, list func(context.Context) ([]T, string, error)) ([]T, string, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	return list(ctx)
}
