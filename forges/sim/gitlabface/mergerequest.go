package gitlabface

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"primum/forges/sim"
)

// mergeRequest is a merge request. full adds what lists leave out.
func (s shaper) mergeRequest(r *sim.Repo, is *sim.Issue, full bool, me *sim.Account) j {
	c := is.Change
	ready := s.t.state.prepared(is.ID, c.Head)
	detailed := s.detailedStatus(r, is)
	status := "can_be_merged"
	switch {
	case !ready:
		status = "checking" // while it is being prepared too
	case s.v.Conflicts(r, c):
		status = "cannot_be_merged"
	}
	var mergedBy, closedBy, closedAt any
	if c.Merged {
		mergedBy = s.account(c.MergedBy)
	} else if is.State == sim.Closed {
		closedBy, closedAt = s.account(is.ClosedBy), maybe(is.ClosedAt)
	}
	out := j{
		"id": is.ID, "iid": s.iid(r, is), "project_id": r.ID, "title": is.Title, "description": is.Body, "state": issueState(is),
		"created_at": stamp(is.CreatedAt), "updated_at": stamp(is.UpdatedAt), "merged_by": mergedBy, "merge_user": mergedBy,
		"merged_at": maybe(c.MergedAt), "closed_by": closedBy, "closed_at": closedAt, "target_branch": c.Base, "source_branch": c.HeadBranch,
		"user_notes_count": len(is.Comments), "upvotes": s.upvotes(is, "+1"), "downvotes": s.upvotes(is, "-1"), "author": s.author(is.Author),
		"assignees": []any{}, "assignee": nil, "reviewers": s.reviewerUsers(is), "source_project_id": s.sourceProject(c), "target_project_id": r.ID,
		"labels": labelNames(is.Labels), "draft": c.Draft, "imported": false, "imported_from": "none", "work_in_progress": c.Draft,
		"milestone": s.milestone(r, is.Milestone), "merge_when_pipeline_succeeds": false, "merge_status": status, "detailed_merge_status": detailed,
		"merge_after": nil, "sha": c.Head, "merge_commit_sha": orNil(c.MergeSHA), "squash_commit_sha": nil, "discussion_locked": nil,
		"should_remove_source_branch": nil, "force_remove_source_branch": true, "prepared_at": s.preparedAt(is, ready),
		"reference": s.references(r, is)["short"], "references": s.references(r, is), "web_url": s.issueWeb(r, is), "time_stats": timeStats(),
		"squash": false, "squash_on_merge": false, "task_completion_status": j{"count": 0, "completed_count": 0},
		"has_conflicts": s.v.Conflicts(r, c), "blocking_discussions_resolved": !openThreads(c),
	}
	if s.o.has(Premium) {
		out["approvals_before_merge"] = nil
	}
	if !full {
		return out
	}
	out["subscribed"], out["changes_count"], out["latest_build_started_at"], out["latest_build_finished_at"] = false, nil, nil, nil
	out["first_deployed_to_production_at"], out["merge_error"], out["rebase_in_progress"] = nil, nil, false
	out["diff_refs"] = nil
	if ready {
		out["changes_count"] = changesCount(len(s.v.ChangeFiles(r, c, false)))
		out["diff_refs"] = s.diffRefs(r, c)
	}
	out["pipeline"], out["head_pipeline"] = nil, nil
	if p := s.headPipeline(r, is); p != nil {
		out["pipeline"], out["head_pipeline"] = s.pipelineBasic(p), s.pipeline(p)
		out["latest_build_started_at"], out["latest_build_finished_at"] = maybe(p.started()), maybe(p.finished())
	}
	can := me != nil && s.v.Permission(r, me).AtLeast(sim.Write)
	out["first_contribution"], out["user"] = false, j{"can_merge": can}
	return out
}

// mostFiles is how many files of a change GitLab counts and shows.
const mostFiles = 1000

// changesCount is a number of files as the API says it: a text.
func changesCount(n int) string {
	if n > mostFiles {
		return strconv.Itoa(mostFiles) + "+"
	}
	return strconv.Itoa(n)
}

func (s shaper) preparedAt(is *sim.Issue, ready bool) any {
	if !ready {
		return nil
	}
	return stamp(is.CreatedAt)
}

func (s shaper) sourceProject(c *sim.Change) any {
	if s.v.RepoByID(c.HeadRepo) == nil {
		return nil
	}
	return c.HeadRepo
}

func (s shaper) diffRefs(r *sim.Repo, c *sim.Change) j {
	base := s.v.ChangeBase(r, c)
	return j{"base_sha": base, "head_sha": c.Head, "start_sha": base}
}

func openThreads(c *sim.Change) bool {
	return slices.ContainsFunc(c.Threads, func(t *sim.Thread) bool { return !t.Resolved })
}

// approvals are who approves a merge request now, in the order given: the
// newest word of each that is no mere comment, unless it was for a former head
// and the project resets approvals with each push.
func (s shaper) approvals(r *sim.Repo, c *sim.Change) []*sim.Review {
	keep := s.t.state.settings(r.ID).keep
	var out []*sim.Review
	for _, rv := range opinions(c) {
		if rv.State == sim.Approved && (keep || rv.Commit == c.Head) {
			out = append(out, rv)
		}
	}
	return out
}

// opinions are the newest words of each reviewer that are no mere comments.
func opinions(c *sim.Change) []*sim.Review {
	var out []*sim.Review
	for i, rv := range c.Reviews {
		if rv.State == sim.Commented {
			continue
		}
		newer := slices.ContainsFunc(c.Reviews[i+1:], func(o *sim.Review) bool { return o.Author == rv.Author && o.State != sim.Commented })
		if !newer {
			out = append(out, rv)
		}
	}
	return out
}

// reviewer is somebody asked to review, and how far that is.
type reviewer struct {
	who   int64
	state string
	since time.Time
}

// reviewers are who was asked, and who asked for changes: GitLab makes them
// reviewers when they submit that.
func reviewers(is *sim.Issue) []reviewer {
	c := is.Change
	var out []reviewer
	add := func(id int64, state string, since time.Time) {
		if !slices.ContainsFunc(out, func(o reviewer) bool { return o.who == id }) {
			out = append(out, reviewer{id, state, since})
		}
	}
	for _, rv := range opinions(c) {
		switch {
		case rv.State == sim.ChangesRequested:
			add(rv.Author, "requested_changes", rv.SubmittedAt)
		case rv.State == sim.Approved && wasAsked(is, rv.Author):
			add(rv.Author, "approved", rv.SubmittedAt)
		case rv.State == sim.Dismissed && rv.WasState == sim.ChangesRequested:
			add(rv.Author, "unreviewed", rv.SubmittedAt)
		case rv.State == sim.Dismissed && wasAsked(is, rv.Author):
			add(rv.Author, "unapproved", rv.SubmittedAt)
		}
	}
	for _, id := range c.Requested {
		state := "unreviewed"
		if slices.ContainsFunc(c.Reviews, func(rv *sim.Review) bool { return rv.Author == id }) {
			state = "reviewed"
		}
		add(id, state, is.CreatedAt)
	}
	return out
}

func wasAsked(is *sim.Issue, who int64) bool {
	return slices.ContainsFunc(is.Events, func(e sim.IssueEvent) bool { return e.Kind == "review_requested" && e.Other == who })
}

func (s shaper) reviewerUsers(is *sim.Issue) []any {
	out := []any{}
	for _, rv := range reviewers(is) {
		out = append(out, s.author(rv.who))
	}
	return out
}

// diff is one file of a comparison.
func diff(d sim.FileDiff) j {
	old := d.Path
	if d.Previous != "" {
		old = d.Previous
	}
	a, b := d.Mode, d.Mode
	switch d.Status {
	case sim.FileAdded:
		a = "0"
	case sim.FileRemoved:
		b = "0"
	case sim.FileModified, sim.FileRenamed:
	}
	patch := d.Patch
	if patch != "" {
		patch += "\n"
	}
	return j{
		"diff": patch, "new_path": d.Path, "old_path": old, "a_mode": a, "b_mode": b, "new_file": d.Status == sim.FileAdded,
		"renamed_file": d.Status == sim.FileRenamed, "deleted_file": d.Status == sim.FileRemoved, "generated_file": false,
		"collapsed": false, "too_large": false,
	}
}

// title is the first line of a message.
func title(message string) string {
	for i, c := range message {
		if c == '\n' {
			return message[:i]
		}
	}
	return message
}

func (s shaper) commit(r *sim.Repo, c *sim.Commit) any {
	if c == nil {
		return nil
	}
	parents := slices.Clone(c.Parents)
	if parents == nil {
		parents = []string{}
	}
	return j{
		"id": c.SHA, "short_id": c.SHA[:8], "created_at": stamp(c.Committer.At), "parent_ids": parents, "title": title(c.Message), "message": c.Message,
		"author_name": c.Author.Name, "author_email": c.Author.Email, "authored_date": stamp(c.Author.At), "committer_name": c.Committer.Name,
		"committer_email": c.Committer.Email, "committed_date": stamp(c.Committer.At), "trailers": j{}, "extended_trailers": j{},
		"web_url": s.repoWeb(r) + "/-/commit/" + c.SHA,
	}
}

// hookCommit is a commit in a webhook.
func (s shaper) hookCommit(r *sim.Repo, c *sim.Commit) any {
	if c == nil {
		return nil
	}
	return j{
		"id": c.SHA, "message": c.Message, "title": title(c.Message), "timestamp": c.Committer.At.UTC().Format(time.RFC3339),
		"url": s.repoWeb(r) + "/-/commit/" + c.SHA, "author": j{"name": c.Author.Name, "email": c.Author.Email},
	}
}

// versions are the diffs of a merge request, newest first: one for the head it
// was opened with and one for each push since.
func (s shaper) versions(r *sim.Repo, is *sim.Issue) []j {
	var out []j
	for i, v := range s.t.state.versionsOf(is.ID) {
		out = append(out, j{
			"id": is.ID*100 + int64(i), "head_commit_sha": v.head, "base_commit_sha": v.base, "start_commit_sha": v.base, "created_at": stamp(v.at),
			"merge_request_id": is.ID, "state": "collected", "real_size": changesCount(len(s.v.CompareCommits(v.base, v.head, false))), "patch_id_sha": nil,
		})
	}
	slices.Reverse(out)
	if out == nil { // opened before the face was made
		base := s.v.ChangeBase(r, is.Change)
		out = []j{{
			"id": is.ID * 100, "head_commit_sha": is.Change.Head, "base_commit_sha": base, "start_commit_sha": base, "created_at": stamp(is.CreatedAt),
			"merge_request_id": is.ID, "state": "collected", "real_size": "1", "patch_id_sha": nil,
		}}
	}
	return out
}

// findMergeRequest is a merge request as a read shall show it, or nil.
func (s shaper) findMergeRequest(r *sim.Repo, iid int, part sim.Part) *sim.Issue {
	n := s.number(r, iid, true)
	if n == 0 {
		return nil
	}
	is := s.v.Standing(r, n, part)
	if is == nil || is.Change == nil {
		return nil
	}
	return is
}

func (s shaper) findIssue(r *sim.Repo, iid int) *sim.Issue {
	n := s.number(r, iid, false)
	if n == 0 {
		return nil
	}
	is := s.v.Standing(r, n, sim.PartAll)
	if is == nil || is.Change != nil {
		return nil
	}
	return is
}

// iid is the number a thing has within its project.
func (s shaper) iid(r *sim.Repo, is *sim.Issue) int {
	if !s.o.OwnNumbers {
		return is.Number
	}
	s.t.state.countAll(r.ID, s.v.Issues(r))
	return s.t.state.iidOf(is.ID)
}

// number is the forge's number of what GitLab calls iid; 0 if there is none.
func (s shaper) number(r *sim.Repo, iid int, change bool) int {
	for _, is := range s.v.Issues(r) {
		if (is.Change != nil) == change && s.iid(r, is) == iid {
			return is.Number
		}
	}
	return 0
}

func gid(kind string, id int64) string { return fmt.Sprintf("gid://gitlab/%s/%d", kind, id) }
