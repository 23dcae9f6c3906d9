package github

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-github/v62/github"

	"primum/forges"
	"primum/forges/wire"
)

// Where a number stands in what a merge queue writes: the candidate's own ref
// ("gh-readonly-queue/main/pr-12-3f9c…") names the last change it carries, and
// the message of each merge or squash commit names its change.
var (
	queueRefShape = regexp.MustCompile(`gh-readonly-queue/.*/pr-([0-9]{1,9})-[0-9a-f]{40,64}$`)
	mergeShape    = regexp.MustCompile(`^Merge pull request #([0-9]{1,9}) from `)
	squashShape   = regexp.MustCompile(`\(#([0-9]{1,9})\)$`)
)

// queueNode is one place in the queue.
type queueNode struct {
	Position   int `json:"position"`
	HeadCommit *struct {
		Oid string `json:"oid"`
	} `json:"headCommit"`
	PullRequest *struct {
		Number int `json:"number"`
	} `json:"pullRequest"`
}

// ReadQueue implements forges.Forge. A candidate carries every change that
// stands in the queue up to the one whose place it is: they are merged in that
// order onto the branch. What the queue says and what the commits between base
// and head say are put together, so that a queue that moved on, or that may not
// be read, leaves no member out. ErrNotFound: the candidate is gone.
func (f *Forge) ReadQueue(ctx context.Context, r forges.RepoRef, q forges.QueueRef) ([]int, error) {
	cl, err := f.client(ctx, r)
	if err != nil {
		return nil, err
	}
	ctx = wire.Operation(ctx, "read_queue")
	members, err := cl.queueMembers(ctx, r, q)
	if err != nil && !errors.Is(err, forges.ErrForbidden) && !errors.Is(err, forges.ErrNotFound) {
		return nil, fmt.Errorf("read queue of %s: %w", r.FullName(), err)
	}
	told := err == nil && len(members) > 0
	carried, whole, err := cl.carried(ctx, r, q)
	if err != nil {
		return nil, fmt.Errorf("read queue of %s: %w", r.FullName(), err)
	}
	// The commits are in order of merging; those of the queue that stand before
	// its base were merged or judged as a candidate of their own, and are judged
	// again rather than trusted.
	for _, n := range carried {
		if !slices.Contains(members, n) {
			members = append(members, n)
		}
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("read queue of %s: candidate %s: %w", r.FullName(), wire.Short(q.Head, 8), forges.ErrNotFound)
	}
	if !told && !whole {
		return nil, fmt.Errorf("read queue of %s: a commit of the candidate names no change and the queue does not list it: %w",
			r.FullName(), forges.ErrConflict)
	}
	return members, nil
}

// queueMembers are the changes in the queue up to the candidate's place.
func (c *client) queueMembers(ctx context.Context, r forges.RepoRef, q forges.QueueRef) ([]int, error) {
	var nodes []queueNode
	vars := map[string]any{"owner": r.Owner, "name": r.Name, "branch": q.Branch}
	for range maxPages {
		var answer struct {
			Repository *struct {
				MergeQueue *struct {
					Entries *page[queueNode] `json:"entries"`
				} `json:"mergeQueue"`
			} `json:"repository"`
		}
		if _, err := c.query(ctx, fill(queueText, nil), vars, &answer); err != nil {
			return nil, err
		}
		if answer.Repository == nil || answer.Repository.MergeQueue == nil || answer.Repository.MergeQueue.Entries == nil {
			return nil, forges.ErrForbidden
		}
		entries := answer.Repository.MergeQueue.Entries
		nodes = append(nodes, entries.Nodes...)
		if !entries.PageInfo.HasNextPage {
			break
		}
		vars["after"] = entries.PageInfo.EndCursor
	}
	slices.SortStableFunc(nodes, func(a, b queueNode) int { return a.Position - b.Position })
	last := -1
	byRef := numberIn(queueRefShape, q.Ref)
	for i, n := range nodes {
		if n.HeadCommit != nil && n.HeadCommit.Oid == q.Head {
			last = i
		}
	}
	for i, n := range nodes {
		if last < 0 && byRef > 0 && n.PullRequest != nil && n.PullRequest.Number == byRef {
			last = i
		}
	}
	var members []int
	for _, n := range nodes[:last+1] {
		if n.PullRequest == nil {
			return nil, forges.ErrForbidden // one we may not see stands there
		}
		members = append(members, n.PullRequest.Number)
	}
	return members, nil
}

// carried are the changes that the commits between base and head name, in order.
// whole is false if the first-parent story has a commit that names none.
func (c *client) carried(ctx context.Context, r forges.RepoRef, q forges.QueueRef) (numbers []int, whole bool, err error) {
	add := func(n int) {
		if n > 0 && !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	whole = true
	if !forges.IsCommit(q.Base) || !forges.IsCommit(q.Head) {
		add(numberIn(queueRefShape, q.Ref))
		return numbers, false, nil
	}
	commits, err := c.between(ctx, r, q.Base, q.Head)
	if err != nil {
		return nil, false, err
	}
	// From the head back along first parents: what a merge brings in is told by
	// the merge itself.
	byName := map[string]*github.RepositoryCommit{}
	for _, commit := range commits {
		byName[commit.GetSHA()] = commit
	}
	var line []*github.RepositoryCommit
	for commit := byName[q.Head]; commit != nil && len(line) <= len(commits); {
		line = append(line, commit)
		if len(commit.Parents) == 0 {
			break
		}
		commit = byName[commit.Parents[0].GetSHA()]
	}
	if len(line) == 0 {
		whole = false
	}
	slices.Reverse(line)
	for _, commit := range line {
		subject, _, _ := strings.Cut(commit.GetCommit().GetMessage(), "\n")
		n := numberIn(mergeShape, subject)
		if n == 0 {
			n = numberIn(squashShape, strings.TrimSpace(subject))
		}
		if n == 0 {
			whole = false
		}
		add(n)
	}
	add(numberIn(queueRefShape, q.Ref))
	return numbers, whole, nil
}

// between lists the commits that head has and base has not.
func (c *client) between(ctx context.Context, r forges.RepoRef, base, head string) ([]*github.RepositoryCommit, error) {
	var commits []*github.RepositoryCommit
	for page := 1; page <= maxPages; page++ {
		got, _, err := c.rest.Repositories.CompareCommits(ctx, r.Owner, r.Name, base, head, &github.ListOptions{Page: page, PerPage: 100})
		if err != nil {
			return nil, fmt.Errorf("compare: %w", c.failure(err))
		}
		commits = append(commits, got.Commits...)
		if len(got.Commits) == 0 || len(commits) >= got.GetTotalCommits() {
			break
		}
	}
	return commits, nil
}

func numberIn(shape *regexp.Regexp, s string) int {
	m := shape.FindStringSubmatch(s)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}
