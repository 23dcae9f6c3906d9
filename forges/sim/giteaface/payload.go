package giteaface

import (
	"maps"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// old reports whether the face is a Forgejo before 8, which tells less.
func (t *Face) old() bool {
	major, _, _ := strings.Cut(t.o.Version, ".")
	n, err := strconv.Atoi(major)
	return t.forgejo() && err == nil && n < 8
}

// told is one delivery to make: the two names of its event, and its payload.
type told struct {
	event string // "pull_request_approved"
	kind  string // the precise one: "pull_request_review_approved"
	body  j
}

// happened turns what happened in the forge into the webhooks these products
// would send. It runs while the forge stands still, so that a payload shows the
// state of its moment.
func (t *Face) happened(v *sim.View, h sim.Happening) {
	if h.Repo == nil {
		return
	}
	t.mu.Lock()
	o := t.o
	var hooks []hook
	for _, k := range t.hooks {
		if k.repo == h.Repo.ID || k.org == h.Repo.Owner {
			hooks = append(hooks, *k)
		}
	}
	t.mu.Unlock()
	if o.HookURL != "" || o.Sent != nil {
		hooks = append(hooks, hook{kind: o.Product, url: o.HookURL, content: "json", secret: o.Secret, active: true})
	}
	s := shaper{v: v, web: o.URL, forgejo: t.forgejo(), face: t}
	for _, d := range s.tell(h, t.old()) {
		for i := range hooks {
			if hooks[i].hears(d.kind) {
				t.post.put(&hooks[i], d.event, d.kind, d.body, h.At)
			}
		}
	}
}

// tell lists the deliveries of a happening; none for much that people do.
func (s shaper) tell(h sim.Happening, old bool) []told {
	switch h.Kind { //nolint:exhaustive // of all else nothing is told
	case sim.ChangeHappened:
		return s.tellChange(h, old)
	case sim.RequestHappened:
		return s.pullEvent(h, "pull_request", "pull_request_review_request", h.Action, j{"requested_reviewer": s.user(h.Member)})
	case sim.ReviewHappened:
		return s.tellReview(h)
	case sim.IssueHappened:
		return s.tellIssue(h, old)
	case sim.CommentHappened:
		return s.tellComment(h, old)
	case sim.PushHappened:
		return s.tellPush(h)
	case sim.StatusHappened:
		if s.forgejo {
			return nil
		}
		st := s.status(h.Repo, h.Status)
		return []told{{"status", "status", j{
			"commit": s.payloadCommit(h.Repo, s.v.Commit(h.Status.SHA), true), "context": st["context"], "created_at": st["created_at"],
			"description": st["description"], "id": st["id"], "repository": s.repoFor(h.Repo, h.Actor), "sender": s.user(h.Actor), "sha": h.Status.SHA,
			"state": h.Status.State, "target_url": st["target_url"], "updated_at": st["updated_at"],
		}}}
	case sim.RepoHappened:
		if h.Action != "created" && h.Action != "deleted" {
			return nil
		}
		return []told{{"repository", "repository", j{
			"action": h.Action, "repository": s.repoFor(h.Repo, s.v.Account(h.Repo.Owner)), "organization": s.user(h.Owner), "sender": s.user(h.Actor),
		}}}
	}
	return nil
}

// from is a former value.
func from(was string) j { return j{"from": was} }

// changes of a text, as Gitea words them; Forgejo names no labels in them.
func (s shaper) changes(key, was string) j {
	out := j{key: from(was)}
	if !s.forgejo {
		out["added_labels"], out["removed_labels"] = nil, nil
	}
	return out
}

func (s shaper) pullEvent(h sim.Happening, event, kind, action string, more j) []told {
	body := j{
		"action": action, "number": h.Issue.Number, "pull_request": s.pull(h.Repo, h.Issue), "requested_reviewer": nil,
		"repository": s.repoFor(h.Repo, h.Actor), "sender": s.user(h.Actor), "commit_id": "", "review": nil,
	}
	maps.Copy(body, more)
	return []told{{event, kind, body}}
}

func (s shaper) tellChange(h sim.Happening, old bool) []told {
	const pull = "pull_request"
	switch h.Action {
	case "opened", "closed", "reopened":
		return s.pullEvent(h, pull, pull, h.Action, nil)
	case "synchronize":
		return s.pullEvent(h, pull, "pull_request_sync", "synchronized", nil)
	case "labeled", "unlabeled":
		return s.pullEvent(h, pull, "pull_request_label", "label_updated", nil)
	case "labels_cleared":
		return s.cleared(h, s.pullEvent(h, pull, "pull_request_label", "label_cleared", nil), pull)
	case "milestoned", "demilestoned":
		return s.pullEvent(h, pull, "pull_request_milestone", h.Action, nil)
	case "edited":
		var out []told
		for _, key := range []string{"title", "body"} {
			if was, changed := h.Was[key]; changed && (key != "body" || !old) {
				out = append(out, s.pullEvent(h, pull, pull, "edited", j{"changes": s.changes(key, was)})...)
			}
		}
		if _, changed := h.Was["base"]; changed { // "from" names the new target, not the former one
			out = append(out, s.pullEvent(h, pull, pull, "edited", j{"changes": s.changes("ref", h.Issue.Change.Base)})...)
		}
		return out
	}
	return nil
}

// cleared puts the former labels back into a payload: it shows them still.
func (s shaper) cleared(h sim.Happening, out []told, key string) []told {
	if shown, is := out[0].body[key].(j); is {
		shown["labels"] = s.labels(h.Repo, strings.Split(h.Was["labels"], "\n"))
	}
	return out
}

func (s shaper) tellReview(h sim.Happening) []told {
	event, kind := "pull_request_comment", "pull_request_review_comment"
	switch h.Review.State {
	case sim.Approved:
		event, kind = "pull_request_approved", "pull_request_review_approved"
	case sim.ChangesRequested:
		event, kind = "pull_request_rejected", "pull_request_review_rejected"
	case sim.Commented, sim.Dismissed:
	}
	switch h.Action {
	case "submitted":
		return s.pullEvent(h, event, kind, "reviewed", j{"requested_reviewer": s.user(h.Actor), "review": j{"type": kind, "content": h.Review.Body}})
	case "edited": // the words of a review are a comment of the change
		h.Comment = asComment(h.Review)
		return s.tellComment(h, s.face.old())
	}
	return nil // of a dismissal nothing is told
}

func (s shaper) tellIssue(h sim.Happening, old bool) []told {
	event := func(kind, action string, more j) []told {
		body := j{
			"action": action, "number": h.Issue.Number, "issue": s.issue(h.Repo, h.Issue), "repository": s.repoFor(h.Repo, h.Actor),
			"sender": s.user(h.Actor), "commit_id": "",
		}
		maps.Copy(body, more)
		return []told{{"issues", kind, body}}
	}
	switch h.Action {
	case "opened", "closed", "reopened":
		return event("issues", h.Action, nil)
	case "deleted":
		if s.forgejo {
			return nil
		}
		return event("issues", h.Action, nil)
	case "labeled", "unlabeled":
		return event("issue_label", "label_updated", nil)
	case "labels_cleared":
		return s.cleared(h, event("issue_label", "label_cleared", nil), "issue")
	case "milestoned", "demilestoned":
		return event("issue_milestone", h.Action, nil)
	case "edited":
		var out []told
		for _, key := range []string{"title", "body"} {
			if was, changed := h.Was[key]; changed && (key != "body" || !old) {
				out = append(out, event("issues", "edited", j{"changes": s.changes(key, was)})...)
			}
		}
		return out
	}
	return nil
}

func (s shaper) tellComment(h sim.Happening, old bool) []told {
	body := j{
		"action": h.Action, "issue": s.issue(h.Repo, h.Issue), "comment": s.comment(h.Repo, h.Issue, h.Comment),
		"repository": s.repoFor(h.Repo, h.Actor), "sender": s.user(h.Actor), "is_pull": h.Issue.Change != nil,
	}
	if was, changed := h.Was["body"]; changed {
		body["changes"] = s.changes("body", was)
	}
	kind := "issue_comment"
	if h.Issue.Change != nil {
		kind = "pull_request_comment"
		if !old {
			body["pull_request"] = s.pull(h.Repo, h.Issue)
		}
	}
	return []told{{"issue_comment", kind, body}}
}

// mostCommits is how many commits a push lists.
func (s shaper) mostCommits() int {
	if s.forgejo {
		return 15
	}
	return 30
}

func (s shaper) tellPush(h sim.Happening) []told {
	p := h.Push
	kind, name := "branch", strings.TrimPrefix(p.Ref, "refs/heads/")
	if tag, is := strings.CutPrefix(p.Ref, "refs/tags/"); is {
		kind, name = "tag", tag
	}
	who := s.user(h.Actor)
	repo := s.repoFor(h.Repo, h.Actor)
	if p.After == sim.NoCommit {
		return []told{{"delete", "delete", j{"ref": name, "ref_type": kind, "pusher_type": "user", "repository": repo, "sender": who}}}
	}
	var out []told
	commits := []any{}
	for i := len(p.Commits) - 1; i >= 0 && len(commits) < s.mostCommits(); i-- {
		commits = append(commits, s.payloadCommit(h.Repo, p.Commits[i], true))
	}
	var head any
	if k := s.v.Commit(p.After); k != nil {
		head = s.payloadCommit(h.Repo, k, true)
	}
	since := p.Before
	if since == sim.NoCommit {
		since = h.Repo.Branches[h.Repo.Default]
	}
	push := told{"push", "push", j{
		"ref": p.Ref, "before": p.Before, "after": p.After, "compare_url": s.repoWeb(h.Repo) + "/compare/" + since + "..." + p.After, "commits": commits,
		"total_commits": len(p.Commits), "head_commit": head, "repository": repo, "pusher": who, "sender": who,
	}}
	create := told{"create", "create", j{"sha": p.After, "ref": name, "ref_type": kind, "repository": repo, "sender": who}}
	switch {
	case p.Before != sim.NoCommit:
		out = append(out, push)
	case kind == "tag":
		out = append(out, push, create)
	default:
		out = append(out, create, push)
	}
	return out
}
