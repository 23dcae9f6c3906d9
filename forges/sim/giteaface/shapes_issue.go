package giteaface

import (
	"fmt"
	"slices"
	"strings"

	"primum/forges/sim"
)

func (s shaper) label(r *sim.Repo, name string) j {
	l := s.v.Label(r, name)
	return j{
		"id": l.ID, "name": l.Name, "exclusive": strings.Contains(l.Name, "/"), "is_archived": false, "color": strings.TrimPrefix(l.Color, "#"),
		"description": "", "url": fmt.Sprintf("%s/labels/%d", s.repoURL(r), l.ID),
	}
}

func (s shaper) labels(r *sim.Repo, names []string) []any {
	names = slices.Sorted(slices.Values(names))
	out := []any{}
	for _, n := range names {
		out = append(out, s.label(r, n))
	}
	return out
}

func (s shaper) milestone(r *sim.Repo, title string) any {
	i := slices.IndexFunc(r.Milestones, func(m *sim.Milestone) bool { return m.Title == title })
	if title == "" || i < 0 {
		return nil
	}
	open, closed := 0, 0
	for _, is := range r.Issues {
		if is.Milestone == title {
			if is.State == sim.Open {
				open++
			} else {
				closed++
			}
		}
	}
	m := r.Milestones[i]
	return j{
		"id": m.ID, "title": m.Title, "description": "", "state": "open", "open_issues": open, "closed_issues": closed,
		"created_at": stamp(r.CreatedAt), "updated_at": stamp(r.CreatedAt), "closed_at": nil, "due_on": nil,
	}
}

// issueWeb is the page of an issue or change that people open.
func (s shaper) issueWeb(r *sim.Repo, is *sim.Issue) string {
	kind := "issues"
	if is.Change != nil {
		kind = "pulls"
	}
	return fmt.Sprintf("%s/%s/%d", s.repoWeb(r), kind, is.Number)
}

func (s shaper) issue(r *sim.Repo, is *sim.Issue) j {
	out := j{
		"id": is.ID, "url": fmt.Sprintf("%s/issues/%d", s.repoURL(r), is.Number), "html_url": s.issueWeb(r, is), "number": is.Number,
		"user": s.account(is.Author), "original_author": "", "original_author_id": 0, "title": is.Title, "body": is.Body, "ref": "",
		"assets": []any{}, "labels": s.labels(r, is.Labels), "milestone": s.milestone(r, is.Milestone), "assignee": nil, "assignees": nil,
		"state": string(is.State), "is_locked": false, "comments": len(is.Comments), "created_at": stamp(is.CreatedAt),
		"updated_at": stamp(is.UpdatedAt), "closed_at": maybe(is.ClosedAt), "due_date": nil, "pull_request": nil,
		"repository": j{"id": r.ID, "name": r.Name, "owner": s.ownerLogin(r), "full_name": s.v.FullName(r)}, "pin_order": 0,
	}
	if is.Change != nil {
		pull := j{"merged": is.Change.Merged, "merged_at": maybe(is.Change.MergedAt), "draft": is.Change.Draft, "html_url": s.issueWeb(r, is)}
		if s.face.old() {
			delete(pull, "html_url")
		}
		out["pull_request"] = pull
	}
	if !s.forgejo {
		out["time_estimate"], out["content_version"] = 0, max(len(is.Edits)-1, 0)
	}
	return out
}

func (s shaper) comment(r *sim.Repo, is *sim.Issue, c *sim.Comment) j {
	web := s.issueWeb(r, is)
	out := j{
		"id": c.ID, "html_url": fmt.Sprintf("%s#issuecomment-%d", web, c.ID), "pull_request_url": "", "issue_url": web,
		"user": s.account(c.Author), "original_author": "", "original_author_id": 0, "body": c.Body, "assets": []any{},
		"created_at": stamp(c.CreatedAt), "updated_at": stamp(c.UpdatedAt),
	}
	if is.Change != nil {
		out["pull_request_url"], out["issue_url"] = web, ""
	}
	return out
}

func (s shaper) reaction(re sim.Reaction) j {
	return j{"user": s.account(re.Author), "content": re.Content, "created_at": stamp(re.At)}
}
