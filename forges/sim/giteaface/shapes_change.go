package giteaface

import (
	"fmt"
	"slices"

	"primum/forges/sim"
)

// reviewers are those who were asked for a review, or gave one.
func (s shaper) reviewers(c *sim.Change) []any {
	var ids []int64
	for _, rv := range c.Reviews {
		if !slices.Contains(ids, rv.Author) {
			ids = append(ids, rv.Author)
		}
	}
	for _, id := range c.Requested {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	out := []any{}
	for _, id := range ids {
		if s.v.Account(id) != nil {
			out = append(out, s.account(id))
		}
	}
	return out
}

func (s shaper) pull(r *sim.Repo, is *sim.Issue) j {
	c := is.Change
	web := s.issueWeb(r, is)
	baseTip := r.Branches[c.Base]
	if c.Merged && baseTip == "" {
		baseTip = c.BaseSHA
	}
	headRepo := s.v.RepoByID(c.HeadRepo)
	var head any
	if headRepo != nil {
		head = s.repo(headRepo)
	}
	ref := c.HeadBranch
	if headRepo == nil || headRepo.Branches[c.HeadBranch] == "" {
		ref = fmt.Sprintf("refs/pull/%d/head", is.Number)
	}
	files := s.v.ChangeFiles(r, c, true)
	added, removed := 0, 0
	for _, d := range files {
		added, removed = added+d.Additions, removed+d.Deletions
	}
	mergeable := c.Merged || (!c.Draft && !s.v.Conflicts(r, c))
	var mergeSHA, mergedBy any
	if c.Merged {
		mergeSHA, mergedBy = c.MergeSHA, s.account(c.MergedBy)
	}
	out := j{
		"id": is.ID, "url": web, "number": is.Number, "user": s.account(is.Author), "title": is.Title, "body": is.Body,
		"labels": s.labels(r, is.Labels), "milestone": s.milestone(r, is.Milestone), "assignee": nil, "assignees": []any{},
		"requested_reviewers": s.reviewers(c), "state": string(is.State), "is_locked": false, "comments": len(is.Comments),
		"html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch", "mergeable": mergeable, "merged": c.Merged,
		"merged_at": maybe(c.MergedAt), "merge_commit_sha": mergeSHA, "merged_by": mergedBy, "allow_maintainer_edit": true,
		"base":       j{"label": c.Base, "ref": c.Base, "sha": baseTip, "repo_id": r.ID, "repo": s.repo(r)},
		"head":       j{"label": c.HeadBranch, "ref": ref, "sha": c.Head, "repo_id": c.HeadRepo, "repo": head},
		"merge_base": s.v.ChangeBase(r, c), "due_date": nil, "created_at": stamp(is.CreatedAt), "updated_at": stamp(is.UpdatedAt),
		"closed_at": maybe(is.ClosedAt), "pin_order": 0,
	}
	out["additions"], out["deletions"], out["changed_files"], out["requested_reviewers_teams"] = added, removed, len(files), []any{}
	if !s.face.old() {
		out["draft"] = c.Draft
	}
	if s.forgejo {
		out["review_comments"], out["assignees"], out["requested_reviewers_teams"] = len(c.Reviews), nil, nil
		return out
	}
	out["content_version"] = max(len(is.Edits)-1, 0)
	if len(c.Reviews) > 0 {
		out["review_comments"] = len(c.Reviews)
	}
	return out
}

// listed is a change as lists show it: without what a diff would tell.
func (s shaper) listed(r *sim.Repo, is *sim.Issue) j {
	out := s.pull(r, is)
	if s.forgejo {
		return out
	}
	for _, key := range []string{"additions", "deletions", "changed_files"} {
		delete(out, key)
	}
	out["assignees"], out["requested_reviewers_teams"] = nil, nil
	return out
}

// reviewState is a review's state in Gitea's words, dismissed or not.
func reviewState(rv *sim.Review) string {
	st := rv.State
	if st == sim.Dismissed {
		st = rv.WasState
	}
	switch st {
	case sim.Approved:
		return "APPROVED"
	case sim.ChangesRequested:
		return "REQUEST_CHANGES"
	case sim.Commented, sim.Dismissed:
	}
	return "COMMENT"
}

// official reports whether a review counts: an opinion of somebody with write
// that he did not replace since.
func (s shaper) official(r *sim.Repo, is *sim.Issue, rv *sim.Review) bool {
	if reviewState(rv) == "COMMENT" || !s.v.Permission(r, s.v.Account(rv.Author)).AtLeast(sim.Write) {
		return false
	}
	for _, later := range slices.Backward(is.Change.Reviews) {
		if later == rv {
			break
		}
		if later.Author == rv.Author && reviewState(later) != "COMMENT" {
			return false
		}
	}
	return true
}

// review is a review as first posted: what is edited afterwards is its text in
// the conversation, which the list of reviews never shows.
func (s shaper) review(r *sim.Repo, is *sim.Issue, rv *sim.Review) j {
	web := s.issueWeb(r, is)
	changed := rv.SubmittedAt
	if rv.DismissedAt.After(changed) {
		changed = rv.DismissedAt
	}
	return j{
		"id": rv.ID, "user": s.account(rv.Author), "team": nil, "state": reviewState(rv), "body": rv.Edits[0].Text, "commit_id": rv.Commit,
		"stale": rv.Stale, "official": s.official(r, is, rv), "dismissed": rv.State == sim.Dismissed, "comments_count": len(rv.Notes),
		"submitted_at": stamp(rv.SubmittedAt), "updated_at": stamp(changed), "html_url": fmt.Sprintf("%s#issuecomment-%d", web, rv.Text),
		"pull_request_url": web,
	}
}

// requestedReview is the entry an unanswered request has in the list of reviews.
func (s shaper) requestedReview(r *sim.Repo, is *sim.Issue, who int64) j {
	web := s.issueWeb(r, is)
	return j{
		"id": who, "user": s.account(who), "team": nil, "state": "REQUEST_REVIEW", "body": "", "commit_id": "", "stale": false,
		"official": s.v.Permission(r, s.v.Account(who)).AtLeast(sim.Write), "dismissed": false, "comments_count": 0,
		"submitted_at": stamp(is.CreatedAt), "updated_at": stamp(is.CreatedAt), "html_url": "", "pull_request_url": web,
	}
}

func (s shaper) reviewComment(r *sim.Repo, is *sim.Issue, n sim.ReviewComment, resolver int64) j {
	web := s.issueWeb(r, is)
	var by any
	if resolver != 0 {
		by = s.account(resolver)
	}
	return j{
		"id": n.ID, "body": n.Body, "user": s.account(n.Author), "resolver": by, "pull_request_review_id": n.Review,
		"created_at": stamp(n.CreatedAt), "updated_at": stamp(n.UpdatedAt), "path": n.Path, "commit_id": n.Commit, "original_commit_id": "",
		"diff_hunk": "", "position": n.Line, "original_position": 0, "html_url": fmt.Sprintf("%s#issuecomment-%d", web, n.ID), "pull_request_url": web,
	}
}
