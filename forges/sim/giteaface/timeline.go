package giteaface

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"primum/forges/sim"
)

// naming is an issue named in a text, with the word of closing before it if
// there is one.
var naming = regexp.MustCompile(`(?i)(?:\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?|reopen(?:s|ed)?):?\s+)?(?:([\w.-]+/[\w.-]+))?#(\d+)\b`)

// refers reports whether a text names an issue, and what it does to it:
// "closes", "reopens" or "none".
func (s shaper) refers(from *sim.Repo, text string, to *sim.Repo, number int) (action string, does bool) {
	for _, m := range naming.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[3])
		if err != nil || n != number || (m[2] == "" && from != to) || (m[2] != "" && s.v.Repo(m[2]) != to) {
			continue
		}
		does = true
		switch word := strings.ToLower(m[1]); {
		case strings.HasPrefix(word, "reopen"):
			return "reopens", true
		case word != "":
			return "closes", true
		}
	}
	return "none", does
}

// timeline tells what happened to an issue or change, one page at a time. Its
// X-Total-Count is the length of the page.
func (c *call) timeline() {
	c.onIssue(func(s shaper, r *sim.Repo, is *sim.Issue) result {
		all := s.entries(r, is)
		at, size := c.window()
		from := min((at-1)*size, len(all))
		part := all[from:min(from+size, len(all))]
		c.total(len(part))
		out := []any{}
		for _, e := range part {
			out = append(out, e.body)
		}
		return ok(out)
	})
}

// entry of a timeline.
type entry struct {
	at   time.Time
	id   int64
	body j
}

// entries is everything a timeline shows, oldest first.
func (s shaper) entries(r *sim.Repo, is *sim.Issue) []entry {
	web := s.issueWeb(r, is)
	var out []entry
	add := func(at time.Time, id, who int64, kind, body string, more j) {
		e := j{
			"id": id, "type": kind, "html_url": fmt.Sprintf("%s#issuecomment-%d", web, id), "issue_url": web, "pull_request_url": "", "user": s.account(who),
			"body": body, "created_at": stamp(at), "updated_at": stamp(at), "old_project_id": 0, "project_id": 0, "old_milestone": nil, "milestone": nil,
			"tracked_time": nil, "old_title": "", "new_title": "", "old_ref": "", "new_ref": "", "ref_issue": nil, "ref_comment": nil, "ref_action": "none",
			"ref_commit_sha": "", "review_id": 0, "label": nil, "assignee": nil, "assignee_team": nil, "removed_assignee": false, "resolve_doer": nil,
			"dependent_issue": nil,
		}
		if is.Change != nil {
			e["issue_url"], e["pull_request_url"] = "", web
		}
		maps.Copy(e, more)
		out = append(out, entry{at, id, e})
	}
	for _, m := range is.Comments {
		add(m.CreatedAt, m.ID, m.Author, "comment", m.Body, j{"updated_at": stamp(m.UpdatedAt)})
	}
	for _, e := range is.Events {
		if kind, body, more := s.entryOf(r, is, e); kind != "" {
			add(e.At, e.ID, e.Actor, kind, body, more)
		}
	}
	if is.Change != nil {
		for _, rv := range is.Change.Reviews {
			add(rv.SubmittedAt, rv.Text, rv.Author, "review", rv.Body, j{"review_id": rv.ID, "updated_at": stamp(rv.UpdatedAt)})
		}
		first := s.v.ChangeCommits(r, is.Change)
		for _, e := range is.Events {
			if e.Kind == "pushed" || e.Kind == "head_ref_force_pushed" {
				first = s.v.Between(r.Branches[is.Change.Base], e.From)
				break
			}
		}
		add(is.CreatedAt, is.ID, is.Author, "pull_push", pushed(false, first), nil)
	}
	for _, other := range s.v.Repos() {
		for _, from := range s.v.Issues(other) {
			if from == is || from.Number == is.Number && other == r {
				continue
			}
			s.named(r, is, other, from, add)
		}
	}
	slices.SortStableFunc(out, func(a, b entry) int {
		if n := a.at.Compare(b.at); n != 0 {
			return n
		}
		return int(a.id - b.id)
	})
	return out
}

// pushed is the body of an entry about a push.
func pushed(forced bool, commits []*sim.Commit) string {
	ids := []string{}
	for _, k := range commits {
		ids = append(ids, k.SHA)
	}
	raw, err := json.Marshal(j{"is_force_push": forced, "commit_ids": ids})
	if err != nil { // it is made here
		panic("giteaface: " + err.Error())
	}
	return string(raw)
}

// named adds what another issue or change says of this one.
func (s shaper) named(r *sim.Repo, is *sim.Issue, other *sim.Repo, from *sim.Issue, add func(time.Time, int64, int64, string, string, j)) {
	// Every version of a text that names the issue anew, or otherwise, is an entry;
	// one that is so no more is neutered.
	type reference struct {
		at     time.Time
		who    int64
		action string
	}
	var all []reference
	active := ""
	for _, e := range from.Edits {
		action, does := s.refers(other, from.Title+"\n"+e.Text, r, is.Number)
		if from.Change == nil {
			action = "none"
		}
		if !does {
			action = ""
		}
		if action == active {
			continue
		}
		if active != "" {
			all[len(all)-1].action = "neutered"
		}
		if active = action; action != "" {
			all = append(all, reference{e.At, e.Editor, action})
		}
	}
	kind := "issue_ref"
	if from.Change != nil {
		kind = "pull_ref"
	}
	for i, e := range all {
		add(e.at, from.ID+int64(i)<<32, e.who, kind, "", j{"ref_action": e.action, "ref_issue": s.issue(other, from)})
	}
	for _, m := range from.Comments {
		if _, does := s.refers(other, m.Body, r, is.Number); does {
			add(m.CreatedAt, m.ID, m.Author, "comment_ref", "", j{"ref_issue": s.issue(other, from), "ref_comment": s.comment(other, from, m)})
		}
	}
}

// entryOf is how an event of the forge shows in a timeline; kind is "" if it
// does not.
func (s shaper) entryOf(r *sim.Repo, is *sim.Issue, e sim.IssueEvent) (kind, body string, more j) {
	switch e.Kind {
	case "labeled":
		return "label", "1", j{"label": s.label(r, e.Label)}
	case "unlabeled":
		return "label", "", j{"label": s.label(r, e.Label)}
	case "closed":
		if is.Change != nil && is.Change.Merged {
			return "", "", nil // said by the merge
		}
		return "close", "", nil
	case "reopened":
		return "reopen", "", nil
	case "merged":
		return "merge_pull", "", j{"ref_commit_sha": ""}
	case "renamed":
		return "change_title", "", j{"old_title": e.From, "new_title": e.To}
	case "base_ref_changed":
		return "change_target_branch", "", j{"old_ref": e.From, "new_ref": e.To}
	case "pushed":
		return "pull_push", pushed(false, s.v.Between(e.From, e.To)), nil
	case "head_ref_force_pushed":
		return "pull_push", pushed(true, []*sim.Commit{{SHA: e.From}, {SHA: e.To}}), nil
	case "review_dismissed":
		said := ""
		for _, rv := range is.Change.Reviews {
			if rv.ID == e.Review {
				said = rv.Dismissal
			}
		}
		return "dismiss_review", said, j{"review_id": e.Review}
	case "review_requested":
		return "review_request", "", j{"assignee": s.account(e.Other)}
	case "review_request_removed":
		return "review_request", "", j{"assignee": s.account(e.Other), "removed_assignee": true}
	case "add_dependency", "remove_dependency":
		for _, other := range s.v.Repos() {
			for _, on := range s.v.Issues(other) {
				if on.ID == e.Other {
					return e.Kind, "", j{"dependent_issue": s.issue(other, on)}
				}
			}
		}
	}
	return "", "", nil
}
