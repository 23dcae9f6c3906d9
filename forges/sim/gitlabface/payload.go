package gitlabface

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"primum/forges/sim"
)

func encode(body j) []byte {
	raw, err := json.Marshal(body)
	if err != nil { // every value is made here
		panic("gitlabface: payload is not JSON: " + err.Error())
	}
	return raw
}

// hookISO is a time in the few payloads that have it in ISO 8601.
func hookISO(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// changes says what an edit changed, as webhooks do.
func (s shaper) changes(h sim.Happening) j {
	out := j{"updated_at": j{"previous": hookTime(h.Issue.CreatedAt), "current": hookTime(h.At)}}
	if was, ok := h.Was["title"]; ok {
		out["title"] = j{"previous": was, "current": h.Issue.Title}
		if c := h.Issue.Change; c != nil {
			if before := s.v.Style().IsDraft(was); before != c.Draft {
				out["draft"] = j{"previous": before, "current": c.Draft}
			}
		}
	}
	if was, ok := h.Was["body"]; ok {
		out["description"] = j{"previous": was, "current": h.Issue.Body}
		out["last_edited_at"] = j{"previous": nil, "current": hookTime(h.At)}
	}
	if was, ok := h.Was["base"]; ok {
		out["target_branch"] = j{"previous": was, "current": h.Issue.Change.Base}
	}
	if h.Label != nil {
		now := h.Issue.Labels
		var before []string
		if h.Action == "labeled" {
			before = slices.DeleteFunc(slices.Clone(now), func(n string) bool { return n == h.Label.Name })
		} else {
			before = append(slices.Clone(now), h.Label.Name)
		}
		out["labels"] = j{"previous": s.hookLabels(h.Repo, before), "current": s.hookLabels(h.Repo, now)}
	}
	if h.Action == "milestoned" || h.Action == "demilestoned" {
		out["milestone_id"] = j{"previous": nil, "current": s.milestoneID(h.Repo, h.Issue.Milestone)}
	}
	return out
}

// stateID is GitLab's number of a state.
func stateID(is *sim.Issue) int {
	return map[string]int{"opened": 1, "closed": 2, "merged": 3}[issueState(is)]
}

// mergeRequestAttrs are the attributes of a merge request in a webhook.
func (s shaper) mergeRequestAttrs(r *sim.Repo, is *sim.Issue) j {
	c := is.Change
	var source any
	if from := s.v.RepoByID(c.HeadRepo); from != nil {
		source = s.hookProject(from)
	}
	edited, editor := lastEdit(is.Edits)
	var editorID any
	if editor != 0 {
		editorID = editor
	}
	asked := []any{}
	for _, rv := range reviewers(is) {
		asked = append(asked, rv.who)
	}
	var head any
	if p := s.headPipeline(r, is); p != nil {
		head = p.id
	}
	status := "can_be_merged"
	if s.v.Conflicts(r, c) {
		status = "cannot_be_merged"
	}
	return j{
		"id": is.ID, "iid": s.iid(r, is), "target_branch": c.Base, "source_branch": c.HeadBranch, "source_project_id": s.sourceProject(c),
		"target_project_id": r.ID, "author_id": is.Author, "assignee_ids": []any{}, "assignee_id": nil, "reviewer_ids": asked, "title": is.Title,
		"created_at": hookTime(is.CreatedAt), "updated_at": hookTime(is.UpdatedAt), "last_edited_at": hookMaybe(edited), "last_edited_by_id": editorID,
		"milestone_id": s.milestoneID(r, is.Milestone), "state_id": stateID(is), "state": issueState(is), "blocking_discussions_resolved": !openThreads(c),
		"work_in_progress": c.Draft, "draft": c.Draft, "first_contribution": false, "merge_status": status, "description": is.Body,
		"prepared_at": hookTime(is.CreatedAt), "total_time_spent": 0, "time_change": 0, "time_estimate": 0, "human_total_time_spent": nil,
		"human_time_change": nil, "human_time_estimate": nil, "url": s.issueWeb(r, is), "source": source, "target": s.hookProject(r),
		"last_commit": s.hookCommit(r, s.v.Commit(c.Head)), "labels": s.hookLabels(r, is.Labels), "detailed_merge_status": s.detailedStatus(r, is),
		"head_pipeline_id": head, "merge_commit_sha": orNil(c.MergeSHA), "merge_error": nil, "merge_user_id": nil, "merge_when_pipeline_succeeds": false,
		"merge_params": j{"force_remove_source_branch": "1"}, "updated_by_id": nil,
	}
}

func (s shaper) mergeRequestEvent(h sim.Happening, action string, changes j) event {
	attrs := s.mergeRequestAttrs(h.Repo, h.Issue)
	attrs["action"] = action
	asked := []any{}
	for _, rv := range reviewers(h.Issue) {
		u := s.hookUser(s.v.Account(rv.who))
		u["state"], u["re_requested"] = rv.state, false
		asked = append(asked, u)
	}
	body := j{
		"object_kind": "merge_request", "event_type": "merge_request", "user": s.hookUser(h.Actor), "project": s.hookProject(h.Repo),
		"repository": s.hookRepository(h.Repo), "object_attributes": attrs, "labels": s.hookLabels(h.Repo, h.Issue.Labels), "changes": changes,
	}
	if len(asked) > 0 {
		body["reviewers"] = asked
	}
	return event{header: "Merge Request Hook", repo: h.Repo, body: body}
}

func (s shaper) issueAttrs(r *sim.Repo, is *sim.Issue) j {
	edited, editor := lastEdit(is.Edits)
	var editorID any
	if editor != 0 {
		editorID = editor
	}
	return j{
		"id": is.ID, "iid": s.iid(r, is), "title": is.Title, "assignee_ids": []any{}, "assignee_id": nil, "author_id": is.Author, "project_id": r.ID,
		"created_at": hookTime(is.CreatedAt), "updated_at": hookTime(is.UpdatedAt), "closed_at": hookMaybe(is.ClosedAt), "updated_by_id": nil,
		"last_edited_at": hookMaybe(edited), "last_edited_by_id": editorID, "relative_position": 0, "description": is.Body,
		"milestone_id": s.milestoneID(r, is.Milestone), "state_id": stateID(is), "confidential": false, "discussion_locked": nil, "due_date": nil,
		"moved_to_id": nil, "duplicated_to_id": nil, "time_estimate": 0, "total_time_spent": 0, "time_change": 0, "human_total_time_spent": nil,
		"human_time_estimate": nil, "human_time_change": nil, "weight": nil, "health_status": nil, "type": "Issue", "url": s.issueWeb(r, is),
		"state": issueState(is), "severity": "unknown", "labels": s.hookLabels(r, is.Labels), "customer_relations_contacts": []any{},
	}
}

func (s shaper) issueEvent(h sim.Happening, action string, changes j) event {
	attrs := s.issueAttrs(h.Repo, h.Issue)
	attrs["action"] = action
	return event{header: "Issue Hook", repo: h.Repo, body: j{
		"object_kind": "issue", "event_type": "issue", "user": s.hookUser(h.Actor), "project": s.hookProject(h.Repo), "object_attributes": attrs,
		"repository": s.hookRepository(h.Repo), "labels": s.hookLabels(h.Repo, h.Issue.Labels), "changes": changes,
	}}
}

// noteAttrs are the attributes of a note in a webhook.
func (s shaper) noteAttrs(r *sim.Repo, is *sim.Issue, n note) j {
	kind := "Issue"
	if is.Change != nil {
		kind = "MergeRequest"
	}
	var updatedBy any
	if n.editor != 0 {
		updatedBy = n.editor
	}
	return j{
		"noteable_type": kind, "noteable_id": is.ID, //nolint:misspell // GitLab's word
		"id": n.id, "note": n.body, "description": n.body, "author_id": n.author, "created_at": hookTime(n.created),
		"updated_at": hookTime(n.updated), "updated_by_id": updatedBy, "project_id": r.ID, "attachment": nil, "line_code": nil, "commit_id": "",
		"system": n.system != "", "st_diff": nil, "type": n.kind(), "discussion_id": n.discussion(), "position": s.position(r, is, n),
		"original_position": s.position(r, is, n), "change_position": nil, "resolved_at": nil, "resolved_by_id": nil, "resolved_by_push": nil, "internal": false,
		"url": fmt.Sprintf("%s#note_%d", s.issueWeb(r, is), n.id),
	}
}

func (s shaper) noteEvent(h sim.Happening, n note, action string) event {
	attrs := s.noteAttrs(h.Repo, h.Issue, n)
	attrs["action"] = action
	body := j{
		"object_kind": "note", "event_type": "note", "user": s.hookUser(h.Actor), "project_id": h.Repo.ID, "project": s.hookProject(h.Repo),
		"repository": s.hookRepository(h.Repo), "object_attributes": attrs,
	}
	if h.Issue.Change != nil {
		body["merge_request"] = s.mergeRequestAttrs(h.Repo, h.Issue)
	} else {
		body["issue"] = s.issueAttrs(h.Repo, h.Issue)
	}
	return event{header: "Note Hook", repo: h.Repo, body: body}
}

func (s shaper) emojiEvent(h sim.Happening) event {
	var n note
	switch {
	case h.Comment != nil:
		n = s.commentNote(h.Comment)
	case h.Review != nil:
		n = s.reviewNote(h.Repo, h.Review)
	case h.ReviewNote != nil:
		n, _ = s.findNote(h.Repo, h.Issue, h.ReviewNote.ID)
	}
	attrs := s.noteAttrs(h.Repo, h.Issue, n)
	body := j{
		"object_kind": "emoji", "event_type": "award", "user": s.hookUser(h.Actor), "project_id": h.Repo.ID, "project": s.hookProject(h.Repo),
		"object_attributes": j{
			"user_id": h.Reaction.Author, "created_at": hookTime(h.Reaction.At), "id": h.Reaction.ID, "name": emoji(h.Reaction.Content),
			"awardable_type": "Note", "awardable_id": n.id, "updated_at": hookTime(h.Reaction.At), "action": "award", "awarded_on_url": attrs["url"],
		},
		"note": attrs,
	}
	if h.Issue.Change != nil {
		body["merge_request"] = s.mergeRequestAttrs(h.Repo, h.Issue)
	} else {
		body["issue"] = s.issueAttrs(h.Repo, h.Issue)
	}
	return event{header: "Emoji Hook", repo: h.Repo, body: body}
}

// listedCommits is how many commits of a push are told.
const listedCommits = 20

func (s shaper) pushEvent(h sim.Happening) event {
	p := h.Push
	header, kind := "Push Hook", "push"
	if strings.HasPrefix(p.Ref, "refs/tags/") {
		header, kind = "Tag Push Hook", "tag_push"
	}
	commits := []any{}
	for _, c := range p.Commits[max(len(p.Commits)-listedCommits, 0):] {
		commits = append(commits, s.pushCommit(h.Repo, c))
	}
	var checkout any = p.After
	if p.After == sim.NoCommit {
		checkout = nil
	}
	branch := strings.TrimPrefix(p.Ref, "refs/heads/")
	guarded := slices.ContainsFunc(s.protectedBranches(h.Repo), func(b protectedBranch) bool { return b.name == branch })
	u := s.hookUser(h.Actor)
	repository := s.hookRepository(h.Repo)
	project := s.hookProject(h.Repo)
	repository["git_http_url"], repository["git_ssh_url"], repository["visibility_level"] = project["git_http_url"], project["git_ssh_url"], project["visibility_level"]
	return event{header: header, repo: h.Repo, ref: branch, body: j{
		"object_kind": kind, "event_name": kind, "before": p.Before, "after": p.After, "ref": p.Ref, "ref_protected": guarded, "checkout_sha": checkout,
		"message": nil, "user_id": u["id"], "user_name": u["name"], "user_username": u["username"], "user_email": nil, "user_avatar": u["avatar_url"],
		"project_id": h.Repo.ID, "project": project, "commits": commits, "total_commits_count": len(p.Commits), "push_options": j{}, "repository": repository,
	}}
}

func (s shaper) pushCommit(r *sim.Repo, c *sim.Commit) j {
	added, removed, modified := []string{}, []string{}, []string{}
	parent := ""
	if len(c.Parents) > 0 {
		parent = c.Parents[0]
	}
	for _, d := range s.v.CompareCommits(parent, c.SHA, false) {
		switch d.Status {
		case sim.FileAdded:
			added = append(added, d.Path)
		case sim.FileRemoved:
			removed = append(removed, d.Path)
		case sim.FileRenamed:
			added, removed = append(added, d.Path), append(removed, d.Previous)
		case sim.FileModified:
			modified = append(modified, d.Path)
		}
	}
	out, _ := s.hookCommit(r, c).(j)
	out["added"], out["removed"], out["modified"] = added, removed, modified
	return out
}

func (s shaper) projectEvent(h sim.Happening, o *sim.Account) event {
	name := "project_create"
	if h.Action == "deleted" {
		name = "project_destroy"
	}
	g := s.topGroup(o)
	return event{header: "Project Hook", repo: h.Repo, group: &g, body: j{
		"event_name": name, "created_at": hookISO(h.Repo.CreatedAt), "updated_at": hookISO(h.At), "name": h.Repo.Name, "path": h.Repo.Name,
		"path_with_namespace": s.path(h.Repo), "project_id": h.Repo.ID, "project_namespace_id": o.ID,
		"owners": []any{j{"name": s.name(o), "email": "[REDACTED]"}}, "project_visibility": visibility(h.Repo),
	}}
}

func (s shaper) subgroupEvent(h sim.Happening, name string) event {
	g := s.teamGroup(h.Owner, h.Team)
	return event{header: "Subgroup Hook", group: &g, body: j{
		"created_at": hookISO(h.Owner.CreatedAt), "updated_at": hookISO(h.At), "event_name": name, "name": g.name, "path": g.path, "full_path": g.full,
		"group_id": g.id, "parent_group_id": h.Owner.ID, "parent_name": s.name(h.Owner), "parent_path": h.Owner.Login, "parent_full_path": h.Owner.Login,
	}}
}

// pipelineHook tells that a pipeline has another status. Only builds are among
// its jobs; statuses somebody posted are not shown.
func (t *Face) pipelineHook(s shaper, r *sim.Repo, p *pipeline, status string) {
	builds, stages := []any{}, []string{}
	for _, b := range p.latest() {
		if !slices.Contains(stages, b.stage) {
			stages = append(stages, b.stage)
		}
		if b.external {
			continue
		}
		builds = append(builds, j{
			"id": b.id, "stage": b.stage, "name": b.name, "status": b.status, "created_at": hookTime(b.created), "started_at": hookMaybe(b.started),
			"finished_at": hookMaybe(b.finished), "duration": nil, "queued_duration": nil, "failure_reason": nil, "when": "on_success", "manual": false,
			"allow_failure": b.allowFailure, "user": s.hookUser(s.v.Account(b.user)), "runner": nil,
			"artifacts_file": j{"filename": nil, "size": nil}, "environment": nil,
		})
	}
	var mr any
	for _, is := range s.v.Changes(r) {
		if is.ID == p.mr {
			mr = j{
				"id": is.ID, "iid": s.iid(r, is), "title": is.Title, "source_branch": is.Change.HeadBranch, "source_project_id": s.sourceProject(is.Change),
				"target_branch": is.Change.Base, "target_project_id": r.ID, "state": issueState(is), "merge_status": "can_be_merged",
				"detailed_merge_status": s.detailedStatus(r, is), "url": s.issueWeb(r, is),
			}
		}
	}
	project := s.hookProject(r)
	delete(project, "url")
	t.send(s, event{header: "Pipeline Hook", repo: r, body: j{
		"object_kind": "pipeline", "object_attributes": j{
			"id": p.id, "iid": p.iid, "name": nil, "ref": p.ref, "tag": false, "sha": p.sha, "before_sha": sim.NoCommit, "source": p.source, "status": status,
			"detailed_status": status, "stages": stages, "created_at": hookTime(p.created), "finished_at": hookMaybe(p.finished()), "duration": nil,
			"queued_duration": nil, "variables": []any{}, "url": s.pipelineWeb(p),
		},
		"merge_request": mr, "user": s.hookUser(s.v.Account(p.user)), "project": project, "commit": s.hookCommit(r, s.v.Commit(p.sha)), "builds": builds,
	}})
}

// jobHook tells that a build has another status. Statuses somebody posted are
// no builds, and nobody is told of them.
func (t *Face) jobHook(s shaper, r *sim.Repo, p *pipeline, b *job) {
	c := s.v.Commit(p.sha)
	commit := j{"id": p.id, "name": nil, "sha": p.sha, "status": p.status(), "duration": nil, "started_at": hookMaybe(p.started()), "finished_at": hookMaybe(p.finished())}
	if c != nil {
		commit["message"], commit["author_name"], commit["author_email"] = c.Message, c.Author.Name, c.Author.Email
	}
	t.send(s, event{header: "Job Hook", repo: r, body: j{
		"object_kind": "build", "ref": p.ref, "tag": false, "before_sha": sim.NoCommit, "sha": p.sha, "build_id": b.id, "build_name": b.name,
		"build_stage": b.stage, "build_status": b.status, "build_created_at": hookTime(b.created), "build_started_at": hookMaybe(b.started),
		"build_finished_at": hookMaybe(b.finished), "build_duration": nil, "build_queued_duration": nil, "build_allow_failure": b.allowFailure,
		"build_failure_reason": "unknown_failure", "retries_count": 0, "pipeline_id": p.id, "project_id": r.ID, "project_name": s.path(r),
		"user": s.hookUser(s.v.Account(b.user)), "commit": commit, "repository": s.hookRepository(r), "project": s.hookProject(r), "runner": nil,
		"environment": nil,
	}})
}
