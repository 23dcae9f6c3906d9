package judge

import (
	"context"
	"fmt"
	"time"

	"primum/bot/store"
	"primum/rules"
	"primum/rules/evidence"
	"primum/rules/fact"
)

// words is one text somebody posted: a comment, or the body of a review.
type words struct {
	repoID, id, body string
	edited           bool
	at               time.Time
	first            *string
	known            *bool
	head             *string // where the facts keep them; nil for reviews, which have a commit
	subject          *string
	onChange         bool // not on an issue
	// headThen and subjectThen are what this reading itself proves.
	headThen, subjectThen string
}

// recall completes what comments first said from what was seen of them (law 4).
// A comment nobody edited says what it first said, and is remembered if it is a
// command, so that a later edit cannot change it. An edited one that was not
// seen before is not known.
func (j *Judge) recall(ctx context.Context, w want, c *fact.Change) error {
	texts := j.texts(ctx, w, c)
	byRepo := map[string][]string{}
	for _, t := range texts {
		byRepo[t.repoID] = append(byRepo[t.repoID], t.id)
	}
	seen := map[string]map[string]store.SeenComment{}
	for repoID, ids := range byRepo {
		var err error
		if seen[repoID], err = j.store.Recall(ctx, c.Forge, repoID, ids); err != nil {
			return fmt.Errorf("recall comments of change %d: %w", c.Number, err)
		}
	}
	for _, t := range texts {
		s, ok := seen[t.repoID][t.id]
		t.fill(s, ok)
	}
	bindWaivers(c, texts)
	var fresh []store.SeenComment
	for _, t := range texts {
		s, ok := seen[t.repoID][t.id]
		if t.news(s, ok) {
			fresh = append(fresh, store.SeenComment{
				Forge: c.Forge, RepoID: t.repoID, CommentID: t.id, First: *t.first, Known: true,
				Head: t.headThen, Subject: t.subjectThen, At: j.clock.Now(),
			})
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := j.store.Remember(ctx, fresh); err != nil {
		return fmt.Errorf("remember commands of change %d: %w", c.Number, err)
	}
	return nil
}

// news reports whether this reading knows more of a command than was remembered:
// that there is one, or what a delivery did not tell of it.
func (t *words) news(s store.SeenComment, seen bool) bool {
	switch {
	case !seen:
		return !t.edited && evidence.IsCommand(t.body)
	case !s.Known:
		return false
	}
	return evidence.IsCommand(s.First) && (s.Head == "" && t.headThen != "" || s.Subject == "" && t.subjectThen != "")
}

// bindWaivers ties each approval of a waiver to the request that bore its number
// when the approval was first read: a request deleted later moves the numbers
// of those after it, and no approval moves with them.
func bindWaivers(c *fact.Change, texts []*words) {
	var ev *evidence.Evidence
	for _, t := range texts {
		if !t.onChange || *t.subject != "" || !*t.known || !evidence.IsCommand(*t.first) {
			continue
		}
		k, ok := evidence.ParseCommand(*t.first)
		if !ok || k.Name != "approve" || k.Waiver == "" {
			continue
		}
		if ev == nil {
			ev = evidence.Read(c)
		}
		t.subjectThen = rules.WaiverSubject(ev, k.Waiver)
		*t.subject = t.subjectThen
	}
}

// pushers fills in who brought the commits of the change, as far as their
// deliveries were seen.
func (j *Judge) pushers(ctx context.Context, c *fact.Change) error {
	c.Pushers = nil
	var ids []string
	for i := range c.Commits {
		ids = append(ids, store.PushID(c.Commits[i].SHA))
	}
	ids = union(ids, []string{store.PushID(c.Head.SHA)})
	seen, err := j.store.Recall(ctx, c.Forge, c.Repo.ID, ids)
	if err != nil {
		return fmt.Errorf("recall who pushed to change %d: %w", c.Number, err)
	}
	for _, id := range ids {
		if p, ok := seen[id].Push(); ok {
			c.Pushers = append(c.Pushers, p)
		}
	}
	return nil
}

// fill writes what is known into the facts.
func (t *words) fill(s store.SeenComment, seen bool) {
	switch {
	case seen && s.Known:
		*t.first, *t.known = s.First, true
	case !t.edited:
		*t.first, *t.known = t.body, true
	default:
		*t.first, *t.known = "", false
	}
	if t.head != nil {
		*t.head = either(s.Head, t.headThen)
	}
	*t.subject = either(s.Subject, t.subjectThen)
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// texts lists everything posted on the change and on its issues.
func (j *Judge) texts(ctx context.Context, w want, c *fact.Change) []*words {
	var out []*words
	for i := range c.Comments {
		m := &c.Comments[i]
		t := &words{
			repoID: c.Repo.ID, id: m.ID, body: m.Body, edited: !m.EditedAt.IsZero(), at: m.CreatedAt,
			first: &m.First, known: &m.FirstKnown, head: &m.HeadThen, subject: &m.SubjectThen, onChange: true,
		}
		// The head before and after the comment was the same one. Both times are
		// the forge's, in whole seconds.
		if w.judgedHead == c.Head.SHA && !w.updatedAt.IsZero() && m.CreatedAt.After(w.updatedAt) {
			t.headThen = c.Head.SHA
		}
		out = append(out, t)
	}
	for i := range c.Reviews {
		r := &c.Reviews[i]
		if r.Body == "" {
			r.First, r.FirstKnown = "", r.EditedAt.IsZero()
			if r.FirstKnown {
				continue
			}
		}
		out = append(out, &words{
			repoID: c.Repo.ID, id: r.ID, body: r.Body, edited: !r.EditedAt.IsZero(), at: r.SubmittedAt,
			first: &r.First, known: &r.FirstKnown, subject: &r.SubjectThen, onChange: true,
		})
	}
	for i := range c.Issues {
		is := &c.Issues[i]
		repoID := j.repoIDOf(ctx, c, is.Repo)
		for k := range is.Comments {
			m := &is.Comments[k]
			t := &words{
				repoID: repoID, id: m.ID, body: m.Body, edited: !m.EditedAt.IsZero(), at: m.CreatedAt,
				first: &m.First, known: &m.FirstKnown, head: &m.HeadThen, subject: &m.SubjectThen,
			}
			// The text was not edited since the comment: it is what was commented on.
			if is.TextEditedAt.IsZero() || is.TextEditedAt.Before(m.CreatedAt) {
				t.subjectThen = is.TextDigest()
			}
			out = append(out, t)
		}
	}
	return out
}

// repoIDOf is the repository id of an issue's repository; the change's own if
// the other is not known to us, whose comment ids nobody else uses.
func (j *Judge) repoIDOf(ctx context.Context, c *fact.Change, full string) string {
	if full == c.Repo.FullName() {
		return c.Repo.ID
	}
	if owner, name, ok := cutName(full); ok {
		if row, err := j.store.FindRepo(ctx, c.Forge, owner, name); err == nil {
			return row.ID
		}
	}
	return full
}
