package gitlabface

import (
	"maps"
	"slices"

	"primum/forges/sim"
)

// hook is a webhook of a project or a group.
type hook struct {
	id       int64
	project  int64 // 0 of a group's
	group    int64 // 0 of a project's
	url      string
	name     string
	token    string
	signing  string
	ssl      bool
	events   map[string]bool
	filter   string // of push events
	implicit bool   // Options.HookURL
	made     string
}

// flags are what a webhook may ask for, by the header of what it then gets.
func flags() map[string]string {
	return map[string]string{
		"Push Hook": "push_events", "Tag Push Hook": "tag_push_events", "Merge Request Hook": "merge_requests_events", "Note Hook": "note_events",
		"Issue Hook": "issues_events", "Pipeline Hook": "pipeline_events", "Job Hook": "job_events", "Emoji Hook": "emoji_events",
		"Member Hook": "member_events", "Subgroup Hook": "subgroup_events", "Project Hook": "project_events",
	}
}

// event is something to be told by webhook.
type event struct {
	header string // X-Gitlab-Event
	repo   *sim.Repo
	group  *group // of what happened to a group
	ref    string // of a push
	body   j
}

// send gives an event to every webhook that asks for it.
func (t *Face) send(s shaper, e event) {
	flag := flags()[e.header]
	uuid := t.post.uuid()
	for _, h := range t.hooksFor(s, e) {
		if !h.implicit && !h.events[flag] {
			continue
		}
		t.post.put(&delivery{event: e.header, body: encode(e.body), at: s.v.Now(), eventID: uuid, to: h})
	}
}

// hooksFor are the webhooks an event may go to: those of the project, those of
// the groups above it (Premium), and the one of the options unless one with its
// address is among them.
func (t *Face) hooksFor(s shaper, e event) []hook {
	over := map[int64]bool{}
	if e.group != nil {
		over[e.group.id], over[e.group.org.ID] = true, true
	}
	if e.repo != nil {
		over[e.repo.Owner] = true
		if g, ok := s.home(e.repo); ok {
			over[g.id] = true
		}
	}
	t.state.mu.Lock()
	defer t.state.mu.Unlock()
	var out []hook
	for _, h := range t.state.hooks {
		switch {
		case h.project != 0 && e.repo != nil && e.group == nil && h.project == e.repo.ID:
			out = append(out, *h)
		case h.group != 0 && over[h.group] && s.o.has(Premium):
			out = append(out, *h)
		}
	}
	known := slices.ContainsFunc(out, func(h hook) bool { return h.url == s.o.HookURL })
	if !known && (e.group == nil || s.o.has(Premium)) {
		out = append(out, hook{url: s.o.HookURL, token: s.o.Secret, signing: s.o.SigningToken, implicit: true})
	}
	return out
}

// happened turns what happened in the forge into the webhooks GitLab would
// send. It runs while the forge stands still, so that a payload shows the state
// of its moment. What is not named here GitLab tells nobody by webhook: deleted
// notes and issues, reopened threads, requested changes, protected branches,
// members of projects, labels of projects, renamed and moved projects.
func (t *Face) happened(v *sim.View, h sim.Happening) {
	s := t.shaper(v)
	switch h.Kind {
	case sim.ChangeHappened:
		t.changeHappened(s, h)
	case sim.RequestHappened:
		t.send(s, s.mergeRequestEvent(h, "update", j{"reviewers": j{"previous": []any{}, "current": s.reviewerUsers(h.Issue)}}))
	case sim.ReviewHappened:
		t.reviewHappened(s, h)
	case sim.ReviewCommentHappened:
		if n, ok := s.findNote(h.Repo, h.Issue, h.ReviewNote.ID); ok {
			t.send(s, s.noteEvent(h, n, "create"))
		}
	case sim.ThreadHappened:
		if h.Action == "resolved" && !openThreads(h.Issue.Change) {
			t.send(s, s.mergeRequestEvent(h, "update", j{}))
		}
	case sim.IssueHappened:
		t.issueHappened(s, h)
	case sim.CommentHappened:
		action := map[string]string{"created": "create", "edited": "update"}[h.Action]
		if action != "" {
			t.send(s, s.noteEvent(h, s.commentNote(h.Comment), action))
		}
	case sim.ReactionHappened:
		t.send(s, s.emojiEvent(h))
	case sim.PushHappened:
		t.send(s, s.pushEvent(h))
	case sim.StatusHappened:
		t.placeStatus(s, h.Repo, h.Status)
	case sim.CheckRunHappened:
		if h.Action != "rerequested" && h.Action != "requested_action" {
			t.placeRun(s, h.Repo, h.CheckRun)
		}
	case sim.RepoHappened:
		if o := v.Account(h.Repo.Owner); o != nil && o.Kind == sim.Organization && (h.Action == "created" || h.Action == "deleted") {
			t.send(s, s.projectEvent(h, o))
		}
	case sim.MembershipHappened, sim.OrgMemberHappened:
		t.memberHappened(s, h)
	case sim.TeamHappened:
		if h.Action == "deleted" {
			t.send(s, s.subgroupEvent(h, "subgroup_destroy"))
		}
	case sim.CheckSuiteHappened, sim.CandidateHappened, sim.LabelHappened, sim.ProtectionHappened, sim.MemberHappened,
		sim.InstallationHappened, sim.InstalledReposHappened:
	}
}

func (t *Face) changeHappened(s shaper, h sim.Happening) {
	is := h.Issue
	switch h.Action {
	case "opened":
		t.newDiff(s, h)
		t.sendChange(s, s.mergeRequestEvent(h, "open", j{}))
	case "synchronize":
		t.newDiff(s, h)
		e := s.mergeRequestEvent(h, "update", j{})
		attrs, _ := e.body["object_attributes"].(j)
		attrs["oldrev"] = h.Was["before"]
		t.sendChange(s, e)
	case "closed":
		if is.Change.Merged {
			t.sendChange(s, s.mergeRequestEvent(h, "merge", j{"state_id": j{"previous": 4, "current": 3}}))
			return
		}
		t.sendChange(s, s.mergeRequestEvent(h, "close", j{"state_id": j{"previous": 1, "current": 2}}))
	case "reopened":
		t.sendChange(s, s.mergeRequestEvent(h, "reopen", j{"state_id": j{"previous": 2, "current": 1}}))
	case "edited", "labeled", "unlabeled", "milestoned", "demilestoned", "ready_for_review", "converted_to_draft":
		if h.Was["base"] != "" {
			t.newDiff(s, h)
		}
		t.sendChange(s, s.mergeRequestEvent(h, "update", s.changes(h)))
	}
}

// newDiff keeps that a merge request has another diff.
func (t *Face) newDiff(s shaper, h sim.Happening) {
	t.state.pushed(h.Issue.ID, h.Issue.Change.Head, s.v.ChangeBase(h.Repo, h.Issue.Change), h.At, t.forge.Faults().DiffsAfter)
}

// sendChange sends an event of a merge request, to external status checks too.
func (t *Face) sendChange(s shaper, e event) {
	t.send(s, e)
	if !s.o.has(Ultimate) {
		return
	}
	attrs, _ := e.body["object_attributes"].(j)
	target, _ := attrs["target_branch"].(string)
	for _, c := range s.checksOf(e.repo, target) {
		body := maps.Clone(e.body)
		body["external_approval_rule"] = j{"id": c.id, "name": c.name, "external_url": c.url}
		t.post.put(&delivery{
			event: "Merge Request Hook", body: encode(body), at: s.v.Now(), eventID: t.post.uuid(), to: hook{url: c.url}, checkSecret: c.secret, toCheck: true,
		})
	}
}

func (t *Face) reviewHappened(s shaper, h sim.Happening) {
	rv := h.Review
	switch h.Action {
	case "submitted":
		if rv.Body != "" {
			t.send(s, s.noteEvent(h, s.reviewNote(h.Repo, rv), "create"))
		}
		switch rv.State {
		case sim.Approved:
			action := "approved"
			if s.approvalsLeft(h.Repo, h.Issue) > 0 {
				action = "approval"
			}
			t.sendChange(s, s.mergeRequestEvent(h, action, j{}))
		case sim.ChangesRequested: // takes an approval of one's own back
			if approvedBefore(h.Issue.Change, rv) {
				t.sendChange(s, s.mergeRequestEvent(h, s.unapproved(h), j{}))
			}
		case sim.Commented, sim.Dismissed:
		}
	case "edited":
		if rv.Body != "" {
			t.send(s, s.noteEvent(h, s.reviewNote(h.Repo, rv), "update"))
		}
	case "dismissed":
		if rv.WasState != sim.Approved || rv.Dismissal == pushDismissal {
			return // a push resets approvals without saying so
		}
		// The approver is the one who unapproves.
		h.Actor = s.v.Account(rv.Author)
		t.sendChange(s, s.mergeRequestEvent(h, s.unapproved(h), j{}))
	}
}

// pushDismissal is the forge's word for an approval a push dismissed.
const pushDismissal = "a newer commit was pushed"

// unapproved is the action of an approval taken back: "unapproved" if the merge
// request had all it needed.
func (s shaper) unapproved(h sim.Happening) string {
	if s.approvalsLeft(h.Repo, h.Issue) > 1 {
		return "unapproval"
	}
	return "unapproved"
}

func approvedBefore(c *sim.Change, rv *sim.Review) bool {
	was := false
	for _, o := range c.Reviews {
		if o == rv {
			break
		}
		if o.Author == rv.Author && o.State != sim.Commented {
			was = o.State == sim.Approved
		}
	}
	return was
}

func (t *Face) issueHappened(s shaper, h sim.Happening) {
	switch h.Action {
	case "opened":
		t.send(s, s.issueEvent(h, "open", j{}))
	case "closed":
		t.send(s, s.issueEvent(h, "close", j{"state_id": j{"previous": 1, "current": 2}}))
	case "reopened":
		t.send(s, s.issueEvent(h, "reopen", j{"state_id": j{"previous": 2, "current": 1}}))
	case "edited", "labeled", "unlabeled", "milestoned", "demilestoned":
		t.send(s, s.issueEvent(h, "update", s.changes(h)))
	}
}

func (t *Face) memberHappened(s shaper, h sim.Happening) {
	g, as := s.topGroup(h.Owner), level(h.Owner.Rights[h.Member.ID])
	if h.Owner.Members[h.Member.ID] {
		as = owner
	}
	name := map[string]string{"added": "user_add_to_group", "removed": "user_remove_from_group", "member_added": "user_add_to_group", "member_removed": "user_remove_from_group"}[h.Action]
	switch {
	case h.Team != nil:
		g, as = s.teamGroup(h.Owner, h.Team), developer
	case as == noAccess && h.Action == "member_added":
		return // in the organisation, and in no group of it
	}
	if as == noAccess {
		as = guest
	}
	t.send(s, event{header: "Member Hook", group: &g, body: j{
		"created_at": hookISO(h.Member.CreatedAt), "updated_at": hookISO(h.At), "group_name": g.name, "group_path": g.path, "group_id": g.id,
		"user_username": h.Member.Login, "user_name": s.name(h.Member), "user_email": "[REDACTED]", "user_id": h.Member.ID,
		"group_access": levelName(as), "group_plan": nil, "expires_at": nil, "event_name": name,
	}})
}
