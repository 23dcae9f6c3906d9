package sim

import (
	"fmt"
	"strings"
)

// Candidate is a commit a merge queue has built from several changes, to be
// checked before the target branch moves to it.
type Candidate struct {
	Ref     string // "refs/heads/gh-readonly-queue/main/pr-12-<base>"
	Branch  string // target
	Base    string
	Head    string
	Numbers []int          // in queue order
	Heads   map[int]string // head of each change when it was queued
	Steps   map[int]string // commit of the candidate that brings each change
	By      int64
	Done    bool
}

// Enqueue puts changes into the merge queue, which builds one candidate from
// them on top of the target branch (or of the last candidate waiting).
func (a Actor) Enqueue(repo string, numbers ...int) (c Candidate, err error) {
	err = a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		if len(numbers) == 0 {
			return refuse(Invalid, "no changes")
		}
		made := &Candidate{By: me.ID, Heads: map[int]string{}, Steps: map[int]string{}}
		for _, n := range numbers {
			is := r.Issues[n]
			if is == nil || is.Change == nil {
				return refuse(NotFound, "no change %d", n)
			}
			if made.Branch == "" {
				made.Branch = is.Change.Base
				made.Base = r.Branches[made.Branch]
				for _, waiting := range r.Candidates {
					if !waiting.Done && waiting.Branch == made.Branch {
						made.Base = waiting.Head
					}
				}
				made.Head = made.Base
			}
			if is.Change.Base != made.Branch {
				return refuse(Invalid, "change %d is not for %s", n, made.Branch)
			}
			if reasons := f.hinders(r, is); len(reasons) > 0 {
				return &Refusal{Kind: Blocked, Reasons: reasons}
			}
			tip, err := f.mergeOnto(me, is, made.Head, MergeCommit)
			if err != nil {
				return err
			}
			made.Head = tip
			made.Numbers = append(made.Numbers, n)
			made.Heads[n], made.Steps[n] = is.Change.Head, tip
		}
		last := made.Numbers[len(made.Numbers)-1]
		made.Ref = fmt.Sprintf("refs/heads/gh-readonly-queue/%s/pr-%d-%s", made.Branch, last, made.Base)
		r.Branches[strings.TrimPrefix(made.Ref, "refs/heads/")] = made.Head
		r.Candidates = append(r.Candidates, made)
		for _, n := range made.Numbers {
			f.touch(r.Issues[n])
			f.announce(Happening{Kind: ChangeHappened, Action: "enqueued", Actor: me, Repo: r, Issue: r.Issues[n]})
		}
		f.announce(Happening{Kind: PushHappened, Actor: me, Repo: r, Push: &Push{
			Ref: made.Ref, Before: NoCommit, After: made.Head, Commits: f.objects.between(made.Base, made.Head),
		}})
		f.announce(Happening{Kind: CandidateHappened, Action: "checks_requested", Actor: me, Repo: r, Candidate: made})
		c = *made
		return nil
	})
	return c, err
}

// Dequeue takes the candidate with this head out of the queue.
func (a Actor) Dequeue(repo, head string) error {
	return a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		for _, c := range r.Candidates {
			if c.Head == head && !c.Done {
				f.endCandidate(me, r, c, "dequeued")
				return nil
			}
		}
		return refuse(NotFound, "no candidate %s", head)
	})
}

func (f *Forge) endCandidate(me *Account, r *Repo, c *Candidate, reason string) {
	c.Done = true
	delete(r.Branches, strings.TrimPrefix(c.Ref, "refs/heads/"))
	f.announce(Happening{Kind: CandidateHappened, Action: "destroyed", Actor: me, Repo: r, Candidate: c, Reason: reason})
	if reason == "merged" {
		return
	}
	for _, n := range c.Numbers {
		if is := r.Issues[n]; is != nil {
			f.touch(is)
			f.announce(Happening{Kind: ChangeHappened, Action: "dequeued", Actor: me, Repo: r, Issue: is, Reason: strings.ToUpper(reason)})
		}
	}
}

// settleCandidates merges the first candidate of a branch when its required
// checks are green, and drops one whose check failed.
func (f *Forge) settleCandidates(me *Account, r *Repo, sha string) {
	for _, c := range r.Candidates {
		if c.Done || c.Head != sha {
			continue
		}
		p := r.Protection[c.Branch]
		if p == nil {
			p = &Protection{}
		}
		missing := f.checksMissing(r, p, sha)
		failing := false
		for _, m := range missing {
			failing = failing || strings.HasSuffix(m, "is failing")
		}
		switch {
		case failing:
			f.endCandidate(me, r, c, "invalidated")
		case len(missing) == 0 && r.Branches[c.Branch] == c.Base:
			by := f.accounts[c.By]
			for _, n := range c.Numbers {
				is := r.Issues[n]
				is.Change.MergedBase = f.objects.mergeBase(c.Base, is.Change.Head)
				f.markMerged(by, r, is, c.Head)
			}
			f.moveBranch(by, r, c.Branch, c.Head)
			f.endCandidate(by, r, c, "merged")
		}
	}
}
