package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"

	"primum/bot/report"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
)

// maxRounds bounds how often the check of a shared commit is put anew because a
// sibling was judged meanwhile.
const maxRounds = 4

// Change plans and applies what one judged change asks for. After the check is
// written the siblings are looked at once more: whoever writes last has seen
// every verdict, because each keeps its own before it looks.
func (p *Publisher) Change(ctx context.Context, s *Subject) error {
	if p.silent {
		return nil
	}
	o := p.options(ctx, s)
	for round := 1; ; round++ {
		sib, seen, err := p.worst(ctx, s)
		if err != nil {
			return err
		}
		if f := s.Standing.Over; f != nil && round == 1 {
			p.log.WarnContext(ctx, "somebody else set our check", slog.String("repo", s.Change.Repo.FullName()), slog.Int("change", s.Change.Number),
				slog.String("head_sha", s.Facts.Head.SHA), slog.String("login", f.Source), slog.String("state", string(f.State)))
		}
		if m := s.Standing.mend; m != nil && round == 1 {
			p.log.WarnContext(ctx, "our comment was edited", slog.String("repo", s.Change.Repo.FullName()), slog.Int("change", s.Change.Number),
				slog.String("login", m.edit.By.Login), slog.Bool("sure", m.sure))
		}
		acts := s.plan(o, sib, p.clock.Now())
		wrote, err := p.apply(ctx, s, acts)
		if err != nil || !wrote {
			return err
		}
		_, now, err := p.worst(ctx, s)
		if err != nil {
			return err
		}
		if now == seen || round == maxRounds {
			return nil
		}
	}
}

// options are what the texts of this verdict need beside it.
func (p *Publisher) options(ctx context.Context, s *Subject) report.Options {
	o := report.Options{
		URL: p.page(ctx, s.Change), Capabilities: s.Forge.Capabilities(), Buttons: report.Buttons(),
		Answers: answers(s.Verdict, s.Evidence), Wrong: wrong(s.Verdict, s.Evidence),
	}
	// What changed is said until something else changes, or the sentence itself
	// would be a reason to write.
	if s.Before != nil && s.Before.ID != s.VerdictID {
		if since := report.Since(&s.Before.Verdict, s.Verdict); since != "" {
			s.note(noteSince, since)
		}
	}
	o.Since = s.Memory.Notes[noteSince]
	return o
}

const noteSince = "since"

func (s *Subject) note(key, value string) {
	notes := map[string]string{}
	maps.Copy(notes, s.Memory.Notes)
	notes[key] = value
	if value == "" {
		delete(notes, key)
	}
	s.Memory.Notes = notes
}

// apply carries out the acts in order. wrote says that a check was written.
func (p *Publisher) apply(ctx context.Context, s *Subject, acts []Act) (wrote bool, err error) {
	var late error
	for _, a := range acts {
		switch a.Kind {
		case CheckAct:
			err = p.putCheck(ctx, s.Claim, s.Forge, s.Change.Repo, s.VerdictID, a, func(now forges.Posted) {
				s.keepPosted(now)
				s.Standing.Check, s.Standing.Over = &now, nil
			})
			wrote = err == nil
		case CommentAct:
			err = p.putComment(ctx, s, a)
		case ReactionAct:
			err = p.react(ctx, s, a)
			if err != nil && !errors.Is(err, store.ErrLost) { // the verdict stands; try the rest
				late, err = errors.Join(late, err), nil
			}
		}
		if err != nil {
			return wrote, err
		}
	}
	return wrote, late
}

// fenced carries out one act: the claim must hold, the intent is kept first,
// the result afterwards. done is the earlier act if the key was carried out before.
func (p *Publisher) fenced(ctx context.Context, c *store.Claim, verdict int64, a Act, do func(context.Context) (string, error)) (done *store.Act, result string, err error) {
	if err := p.store.Holds(ctx, c); err != nil {
		return nil, "", fmt.Errorf("%s: %w", a.Kind, err)
	}
	act, was, err := p.store.BeginAct(ctx, c, store.Act{
		Key: a.Key, Subject: c.Key, Kind: string(a.Kind), Detail: a.Why, Verdict: verdict, At: p.clock.Now(),
	})
	if err != nil {
		return nil, "", fmt.Errorf("keep the intent of a %s: %w", a.Kind, err)
	}
	if was {
		return &act, act.Result, nil
	}
	callCtx, cancel := context.WithTimeout(ctx, callTimeout)
	result, err = do(callCtx)
	cancel()
	p.observe(a.Kind, err)
	// The result is kept even when the caller is being stopped.
	if endErr := p.store.EndAct(context.WithoutCancel(ctx), act.ID, result, err); endErr != nil && err == nil {
		err = fmt.Errorf("keep the result of a %s: %w", a.Kind, endErr)
	}
	return nil, result, err
}

// putCheck sets the check on a commit. keep records what stands there now.
func (p *Publisher) putCheck(ctx context.Context, c *store.Claim, forge forges.Forge, repo forges.RepoRef, verdict int64, a Act, keep func(forges.Posted)) error {
	if a.Posted.ID == "" {
		a.Posted = p.postedBefore(ctx, c, a.SHA)
	}
	a.Report.StartedAt = c.MarkedAt
	if a.Report.State != forges.ReportPending {
		a.Report.FinishedAt = p.clock.Now()
	}
	var now forges.Posted
	done, result, err := p.fenced(ctx, c, verdict, a, func(ctx context.Context) (string, error) {
		var err error
		now, err = forge.SetVerdict(ctx, repo, a.SHA, a.Report, a.Posted)
		if err != nil {
			return "", fmt.Errorf("set the check on %s: %w", short(a.SHA), err)
		}
		return now.ID, nil
	})
	if err != nil {
		return err
	}
	if done != nil {
		now = forges.Posted{ID: result}
	}
	now.SHA, now.Digest, now.State = a.SHA, a.Digest, a.Report.State
	keep(now)
	return nil
}

// postedBefore finds the check an earlier claim put on this commit and could
// not remember: updating it is better than a second one.
func (p *Publisher) postedBefore(ctx context.Context, c *store.Claim, sha string) forges.Posted {
	acts, err := p.store.Acts(ctx, c.Key, 20)
	if err != nil {
		return forges.Posted{SHA: sha}
	}
	prefix := "check:" + subjectKey(c.Key) + ":" + sha + ":"
	for _, a := range acts {
		if a.Kind == string(CheckAct) && !a.DoneAt.IsZero() && a.Error == "" && a.Result != "" && strings.HasPrefix(a.Key, prefix) {
			return forges.Posted{ID: a.Result, SHA: sha}
		}
	}
	return forges.Posted{SHA: sha}
}

// putComment creates or edits the one comment. A comment that a person deleted
// stays deleted (law 8); one that may not be written costs nobody the verdict.
func (p *Publisher) putComment(ctx context.Context, s *Subject, a Act) error {
	m := &s.Memory.Comment
	put := func(ctx context.Context) (string, error) {
		id, err := s.Forge.PutComment(ctx, s.Change, a.ID, a.Body)
		if err != nil {
			return "", fmt.Errorf("put the comment on change %d: %w", s.Change.Number, err)
		}
		return id, nil
	}
	done, id, err := p.fenced(ctx, s.Claim, s.VerdictID, a, put)
	switch {
	case err == nil && done != nil && a.ID == "": // created by an earlier claim: make it say what is so now
		m.ID, m.Digest = id, ""
		edit := a
		edit.ID, edit.Key = id, editKey(s.Claim, a.Body)
		return p.putComment(ctx, s, edit)
	case err == nil:
		m.ID = either(id, a.ID)
		s.wrote(a, p.clock.Now())
		return nil
	case errors.Is(err, forges.ErrNotFound) && a.ID != "":
		m.ID, m.Digest, m.Deleted = "", "", true
		p.log.InfoContext(ctx, "the comment was deleted by a person", slog.String("repo", s.Change.Repo.FullName()),
			slog.Int("change", s.Change.Number))
		return nil
	case errors.Is(err, forges.ErrForbidden): // a locked conversation; the check says it all
		m.Digest, m.Refused, s.Standing.mend = a.Digest, true, nil
		p.log.WarnContext(ctx, "the comment may not be written", slog.String("repo", s.Change.Repo.FullName()),
			slog.Int("change", s.Change.Number), slog.String("error", err.Error()))
		return nil
	default:
		return err
	}
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// react answers a command, once, whatever change it was read for.
func (p *Publisher) react(ctx context.Context, s *Subject, a Act) error {
	_, _, err := p.fenced(ctx, s.Claim, s.VerdictID, a, func(ctx context.Context) (string, error) {
		if err := s.Forge.React(ctx, a.On, a.Reaction); err != nil {
			return "", fmt.Errorf("answer a command on %d: %w", a.On.Number, err)
		}
		return string(a.Reaction), nil
	})
	if err != nil && (errors.Is(err, store.ErrLost) || forges.Temporary(err)) {
		return err
	}
	answered := map[string]string{}
	maps.Copy(answered, s.Memory.Answered)
	answered[a.On.ID] = string(a.Reaction) // a comment that is gone needs no answer
	s.Memory.Answered = answered
	return nil
}

// Waiting is a check that says that the verdict waits for the forge.
type Waiting struct {
	Claim  *store.Claim
	Forge  forges.Forge
	Change forges.ChangeRef
	SHA    string
	Memory *store.Memory
	Title  string
	Text   string
	// OnlyOver writes only over a check that does not block.
	OnlyOver bool
}

// noteHeld is the commit and title of the waiting check last tried.
const noteHeld = "held"

// Hold puts a waiting check on a commit, once for each commit and reason: one
// try, whatever comes of it.
func (p *Publisher) Hold(ctx context.Context, w Waiting) error {
	standing := posted(w.Memory)
	if w.OnlyOver && (standing.SHA != w.SHA || standing.State == forges.ReportFailure || standing.State == forges.ReportPending) {
		return nil
	}
	s := &Subject{Memory: w.Memory}
	held := w.SHA + " " + w.Title
	if p.silent || w.Memory.Notes[noteHeld] == held && !w.OnlyOver {
		return nil
	}
	s.note(noteHeld, held)
	if standing.SHA != w.SHA {
		standing = forges.Posted{}
	}
	r := forges.Report{
		Name: report.Name, State: forges.ReportPending, Title: report.Clip(w.Title, report.MaxTitle),
		Summary: w.Text, Short: report.Clip(w.Title, report.MaxTitle), URL: p.page(ctx, w.Change),
	}
	digest := reportDigest(r)
	if standing.Digest == digest {
		return nil
	}
	r.External = external(w.Claim.Key, digest)
	return p.putCheck(ctx, w.Claim, w.Forge, w.Change.Repo, w.Claim.Verdict, Act{
		Kind: CheckAct, SHA: w.SHA, Report: r, Posted: standing, Digest: digest, Why: w.Title,
		Key: fmt.Sprintf("check:%s:%s:%s:%s", subjectKey(w.Claim.Key), w.SHA, digest, w.Claim.Token),
	}, s.keepPosted)
}

// outcome is the check state a verdict amounts to.
func outcome(v *rules.Verdict) forges.ReportState {
	return report.Check(v, report.Options{}).State
}
