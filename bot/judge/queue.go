package judge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"primum/bot/publish"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
)

// queue judges a merge queue candidate: every change it carries is judged
// afresh against its target, and the worst answer stands on the candidate.
// A candidate whose changes cannot be told is refused, never waved through.
//
// A member that is merged is no longer the candidate's to bring: its own
// verdict stands, whatever became of it since. Without any other member the
// candidate is finished, as is one that left the queue.
func (j *Judge) queue(ctx context.Context, forge forges.Forge, c *store.Claim, told *Judged) (store.Finish, error) {
	f := keep(c)
	if !c.Open {
		return f, nil // left the queue
	}
	row, err := j.row(ctx, c.Key)
	if err != nil {
		return f, err
	}
	q := forges.QueueRef{Head: c.Ref}
	if len(c.Hint.Detail) > 0 {
		if err := json.Unmarshal(c.Hint.Detail, &q); err != nil {
			return f, fmt.Errorf("read queue candidate %s: %w: %w", short(c.Ref), forges.ErrMalformed, err)
		}
	}
	f.Head, f.Base = q.Head, q.Branch
	f.Checks = []string{} // its members are judged by the checks on their own heads
	members, err := j.members(ctx, forge, ref(row), q)
	if err != nil {
		return f, err
	}
	cand := &publish.Candidate{Claim: c, Forge: forge, Repo: ref(row), SHA: q.Head, Memory: &f.Memory}
	var worst *reading
	merged := 0
	for _, n := range members {
		r, v, err := j.member(ctx, forge, row, n, told)
		if err != nil {
			return f, err
		}
		if r.facts.State == fact.Merged {
			merged++
			continue
		}
		if !r.governed || r.mode() == "observe" {
			continue
		}
		if cand.Add(n, v) {
			worst = r
		}
	}
	if len(members) > 0 && merged == len(members) {
		f.Open = false
		return f, nil
	}
	if worst != nil {
		told.State = cand.Verdict.State
		if cand.VerdictID, err = j.save(ctx, c, worst, cand.Verdict); err != nil {
			return f, err
		}
		f.Again = cand.Verdict.Next
	}
	cand.Members = members
	if err := j.publish.Candidate(ctx, cand); err != nil {
		return f, fmt.Errorf("publish verdict of queue candidate %s: %w", short(q.Head), err)
	}
	return f, nil
}

// members reads which changes a candidate carries. What will not be known by
// asking again is no error but an empty list, which is refused.
func (j *Judge) members(ctx context.Context, forge forges.Forge, repo forges.RepoRef, q forges.QueueRef) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	members, err := forge.ReadQueue(ctx, repo, q)
	switch {
	case err == nil:
		return members, nil
	case errors.Is(err, forges.ErrSuspended), forges.Temporary(err):
		return nil, fmt.Errorf("read queue candidate %s: %w", short(q.Head), err)
	default:
		return nil, nil
	}
}

// member judges one change of a candidate on its newest state.
func (j *Judge) member(ctx context.Context, forge forges.Forge, row store.RepoRow, number int, told *Judged) (*reading, *rules.Verdict, error) {
	w := want{ref: forges.ChangeRef{Repo: ref(row), Number: number}}
	k := store.Key{Forge: row.Forge, RepoID: row.ID, Kind: store.KindChange, Ref: strconv.Itoa(number)}
	if sub, err := j.store.Subject(ctx, k); err == nil {
		w = wanted(&store.Claim{Subject: sub}, w.ref)
	}
	r, err := j.read(ctx, forge, row, w)
	told.Reads += r.reads
	if err != nil {
		return r, nil, fmt.Errorf("judge change %d of the candidate: %w", number, err)
	}
	v := j.evaluate(r)
	if r.facts.State != fact.Open && v.State != rules.Fail {
		v.State, v.Reason = rules.Fail, "Change "+strconv.Itoa(number)+" is no longer open."
	}
	return r, &v, nil
}
