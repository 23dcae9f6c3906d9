package gitlabface

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"primum/forges/sim"
)

// note is a note on an issue or merge request: a comment, the words of a review,
// an entry of a thread, or what GitLab itself wrote into the history.
type note struct {
	id       int64
	author   int64
	body     string
	created  time.Time
	updated  time.Time
	edited   time.Time // when its words were last edited; zero if never
	editor   int64
	system   string // of a system note: what it tells of ("title", "approved")
	thread   *sim.Thread
	first    bool // of its thread
	line     *sim.ReviewComment
	comment  *sim.Comment
	review   *sim.Review
	reaction []sim.Reaction
}

// Ids of notes the forge has no id for: of approvals, and of edits of a description.
const (
	systemNotes      = int64(1) << 40
	descriptionNotes = int64(1) << 41
)

// notes lists the notes of an issue or merge request, oldest first.
func (s shaper) notes(r *sim.Repo, is *sim.Issue) []note {
	var out []note
	for _, c := range is.Comments {
		out = append(out, s.commentNote(c))
	}
	for _, e := range is.Events {
		if body, action := systemNote(e); action != "" {
			out = append(out, note{id: e.ID, author: e.Actor, body: body, created: e.At, updated: e.At, system: action})
		}
	}
	for i, e := range is.Edits[min(1, len(is.Edits)):] {
		out = append(out, note{id: descriptionNotes + is.ID*1000 + int64(i), author: e.Editor, body: "changed the description", created: e.At, updated: e.At, system: "description"})
	}
	if c := is.Change; c != nil {
		for _, rv := range c.Reviews {
			if rv.Body != "" {
				out = append(out, s.reviewNote(r, rv))
			}
			if rv.State == sim.Approved || rv.WasState == sim.Approved {
				out = append(out, note{
					id: systemNotes + rv.ID, author: rv.Author, body: "approved this merge request", created: rv.SubmittedAt, updated: rv.SubmittedAt, system: "approved",
				})
			}
		}
		for _, t := range c.Threads {
			for i := range t.Notes {
				out = append(out, s.threadNote(r, t, i))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b note) int { return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.id, b.id)) })
	return out
}

func lastEdit(edits []sim.Edit) (at time.Time, editor int64) {
	if len(edits) < 2 {
		return time.Time{}, 0
	}
	last := edits[len(edits)-1]
	return last.At, last.Editor
}

func (s shaper) commentNote(c *sim.Comment) note {
	n := note{id: c.ID, author: c.Author, body: c.Body, created: c.CreatedAt, updated: c.UpdatedAt, comment: c, reaction: c.Reactions}
	n.edited, n.editor = lastEdit(c.Edits)
	return n
}

func (s shaper) reviewNote(r *sim.Repo, rv *sim.Review) note {
	n := note{id: rv.ID, author: rv.Author, body: rv.Body, created: rv.SubmittedAt, updated: rv.SubmittedAt, review: rv, reaction: r.Reactions[rv.ID]}
	if n.edited, n.editor = lastEdit(rv.Edits); !n.edited.IsZero() {
		n.updated = n.edited
	}
	return n
}

func (s shaper) threadNote(r *sim.Repo, t *sim.Thread, i int) note {
	l := &t.Notes[i]
	return note{
		id: l.ID, author: l.Author, body: l.Body, created: l.CreatedAt, updated: l.UpdatedAt, thread: t, first: i == 0, line: l, reaction: r.Reactions[l.ID],
	}
}

// systemNote is how GitLab's history words an event, and its kind; "" for what
// it keeps elsewhere (labels, states) or not at all.
func systemNote(e sim.IssueEvent) (body, action string) {
	switch e.Kind {
	case "renamed":
		return fmt.Sprintf("changed title from **%s** to **%s**", e.From, e.To), "title"
	case "base_ref_changed":
		return fmt.Sprintf("changed target branch from `%s` to `%s`", e.From, e.To), "branch"
	case "review_dismissed":
		return "unapproved this merge request", "unapproved"
	case "head_ref_force_pushed":
		return "added 1 commit", "commit"
	}
	return "", ""
}

// discussion is the id of the discussion a note is in.
func (n note) discussion() string {
	id := n.id
	if n.thread != nil {
		id = n.thread.ID
	}
	return fmt.Sprintf("%040x", id)
}

func (n note) kind() any {
	if n.thread != nil {
		return "DiffNote"
	}
	return nil
}

// noteShape is a note as REST shows it.
func (s shaper) noteShape(r *sim.Repo, is *sim.Issue, n note) j {
	kind := "Issue"
	if is.Change != nil {
		kind = "MergeRequest"
	}
	out := j{
		"id": n.id, "type": n.kind(), "body": n.body, "author": s.author(n.author), "created_at": stamp(n.created), "updated_at": stamp(n.updated),
		"system": n.system != "", "project_id": r.ID, "resolvable": n.thread != nil,
		"confidential": false, "internal": false, "imported": false, "imported_from": "none", "commands_changes": j{},
	}
	out["noteable_id"], out["noteable_iid"], out["noteable_type"] = is.ID, s.iid(r, is), kind //nolint:misspell // GitLab's word
	if n.thread != nil {
		out["commit_id"], out["position"], out["resolved"] = nil, s.position(r, is, n), n.thread.Resolved
		out["resolved_by"], out["resolved_at"] = nil, nil
		if n.thread.Resolved {
			out["resolved_by"], out["resolved_at"] = s.account(n.thread.ResolvedBy), stamp(is.UpdatedAt)
		}
	}
	return out
}

// position is where a note stands in a diff.
func (s shaper) position(r *sim.Repo, is *sim.Issue, n note) any {
	if n.thread == nil {
		return nil
	}
	base := s.v.ChangeBase(r, is.Change)
	return j{
		"base_sha": base, "start_sha": base, "head_sha": n.thread.Commit, "old_path": n.thread.Path, "new_path": n.thread.Path, "position_type": "text",
		"old_line": nil, "new_line": n.thread.Line, "line_range": nil,
	}
}

// discussions lists the notes of an issue or merge request by conversation.
func (s shaper) discussions(r *sim.Repo, is *sim.Issue) []j {
	var out []j
	at := map[string]int{}
	for _, n := range s.notes(r, is) {
		id := n.discussion()
		if i, ok := at[id]; ok {
			notes, _ := out[i]["notes"].([]any)
			out[i]["notes"] = append(notes, s.noteShape(r, is, n))
			continue
		}
		at[id] = len(out)
		out = append(out, j{"id": id, "individual_note": n.thread == nil, "notes": []any{s.noteShape(r, is, n)}})
	}
	return out
}

// findNote finds a note by id.
func (s shaper) findNote(r *sim.Repo, is *sim.Issue, id int64) (note, bool) {
	for _, n := range s.notes(r, is) {
		if n.id == id {
			return n, true
		}
	}
	return note{}, false
}

// emoji are the forge's reactions with the names GitLab has for them.
func emoji(content string) string {
	name := map[string]string{"+1": "thumbsup", "-1": "thumbsdown", "laugh": "laughing", "hooray": "tada"}[content]
	if name == "" {
		return content
	}
	return name
}

// reactionOf is the forge's reaction for the name of an emoji.
func reactionOf(name string) string {
	content := map[string]string{
		"thumbsup": "+1", "+1": "+1", "thumbsdown": "-1", "-1": "-1", "laughing": "laugh", "tada": "hooray", "eyes": "eyes", "confused": "confused",
		"heart": "heart", "rocket": "rocket",
	}[name]
	return content
}

func (s shaper) award(kind string, on int64, re sim.Reaction) j {
	return j{
		"id": re.ID, "name": emoji(re.Content), "user": s.author(re.Author), "created_at": stamp(re.At), "updated_at": stamp(re.At),
		"awardable_id": on, "awardable_type": kind, "url": nil,
	}
}
