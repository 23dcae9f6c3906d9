package github

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-github/v62/github"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// Bounds on commits: GitHub lists 250 with a change, whatever its number, and
// past maxCommits we read no further.
const (
	listedCommits = 250
	maxCommits    = 5000
	commitsAtOnce = 50
)

// manyCommits reads the commits of a change that has more than GitHub lists: by
// name from the comparison of its branches, and each whole by GraphQL.
func (r *reading) manyCommits(ctx context.Context) error {
	if !r.needs[fact.NeedCommits] || r.pull.Commits == nil || len(r.commits) < listedCommits {
		return nil
	}
	have := map[string]fact.Commit{}
	for _, c := range r.commits {
		have[c.SHA] = c
	}
	var order []string
	total := 0
	for page := 1; ; page++ {
		got, _, err := r.cl.rest.Repositories.CompareCommits(ctx, r.ref.Repo.Owner, r.ref.Repo.Name,
			r.pull.BaseRefOid, r.pull.HeadRefOid, &github.ListOptions{Page: page, PerPage: 100})
		if err != nil {
			return fmt.Errorf("commits: %w", r.cl.failure(err))
		}
		if total = got.GetTotalCommits(); total > maxCommits {
			r.c.MarkUnknown(fact.NeedCommits, fmt.Sprintf("the change has %d commits", total))
			return nil
		}
		for _, c := range got.Commits {
			order = append(order, c.GetSHA())
		}
		if len(got.Commits) == 0 || len(order) >= total {
			break
		}
	}
	if len(order) < total {
		r.c.MarkUnknown(fact.NeedCommits, fmt.Sprintf("GitHub compares %d commits and names %d", total, len(order)))
	}
	var missing []string
	for _, sha := range order {
		if _, ok := have[sha]; !ok && forges.IsCommit(sha) {
			missing = append(missing, sha)
		}
	}
	for part := range slices.Chunk(missing, commitsAtOnce) {
		if err := r.commitsByName(ctx, part, have); err != nil {
			return err
		}
	}
	if len(order) < len(r.commits) { // the comparison knows fewer: the base moved; the list stands, with what it left out
		listed := make([]string, 0, len(r.commits)+len(missing))
		for i := range r.commits {
			listed = append(listed, r.commits[i].SHA)
		}
		order = append(listed, missing...)
	}
	if !slices.Contains(order, r.pull.HeadRefOid) {
		r.c.MarkUnknown(fact.NeedCommits, fmt.Sprintf("the %d commits GitHub names do not reach the head", len(order)))
	}
	whole := make([]fact.Commit, 0, len(order))
	for _, sha := range order {
		c, ok := have[sha]
		if !ok {
			r.c.MarkUnknown(fact.NeedCommits, "GitHub does not tell commit "+wire.Short(sha, 8))
			continue
		}
		whole = append(whole, c)
	}
	r.commits = whole
	return nil
}

func (r *reading) commitsByName(ctx context.Context, shas []string, have map[string]fact.Commit) error {
	lines := make([]string, 0, len(shas))
	for i, sha := range shas {
		lines = append(lines, fmt.Sprintf("c%d: object(oid: %s) { ... on Commit { ...commit } }", i, quoted(sha)))
	}
	text := fill(commitsText, map[string][]string{"#+repo": lines}) + fragment(changeText, "commit") + fragment(changeText, "git")
	var answer struct {
		Repository *open[struct{}] `json:"repository"`
	}
	vars := map[string]any{"owner": r.ref.Repo.Owner, "name": r.ref.Repo.Name}
	if _, err := r.cl.query(ctx, text, vars, &answer); err != nil {
		return fmt.Errorf("commits: %w", err)
	}
	if answer.Repository == nil {
		return nil
	}
	for i := range shas {
		var n commitNode
		if ok, err := answer.Repository.alias(fmt.Sprintf("c%d", i), &n); err != nil {
			return err
		} else if ok && strings.EqualFold(n.Oid, shas[i]) {
			have[n.Oid] = n.fact()
			if n.Authors != nil && n.Authors.PageInfo.HasNextPage {
				r.c.MarkUnknown(fact.NeedCommits, fmt.Sprintf("commit %s names more than ten authors", wire.Short(n.Oid, 8)))
			}
		}
	}
	return nil
}
