package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"primum/bot/publish"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
	"primum/rules/policy"
)

// lookAgain is when a change is read once more after a reading that had to
// decide which of two states is the newer.
const lookAgain = 5 * time.Second

// unknownAgain is when something that could not be read is tried again without
// a delivery.
const unknownAgain = 15 * time.Minute

// change judges one change.
func (j *Judge) change(ctx context.Context, forge forges.Forge, c *store.Claim, told *Judged) (store.Finish, error) {
	f := keep(c)
	row, err := j.row(ctx, c.Key)
	if err != nil {
		return f, err
	}
	number, err := strconv.Atoi(c.Ref)
	if err != nil {
		return f, fmt.Errorf("subject %q names no change: %w", c.Ref, forges.ErrMalformed)
	}
	j.forgetPeople(ctx, forge, ref(row), c)
	w := wanted(c, forges.ChangeRef{Repo: ref(row), Number: number})
	r, err := j.read(ctx, forge, row, w)
	told.Reads = r.reads
	if err != nil {
		return j.unreadable(ctx, forge, c, w, r, row, f, err)
	}
	return j.decide(ctx, forge, c, w, r, row, told)
}

// decide evaluates a good reading, keeps the verdict and publishes it.
func (j *Judge) decide(ctx context.Context, forge forges.Forge, c *store.Claim, w want, r *reading, row store.RepoRow, told *Judged) (store.Finish, error) {
	v := j.evaluate(r)
	f := j.finish(c, w, r)
	f.Checks = r.checks(&v)
	told.State = v.State
	if v.Preview != nil {
		j.flips(ctx, c.Key, r, &v)
	}
	before := j.before(ctx, c)
	id, err := j.save(ctx, c, r, &v)
	if err != nil {
		return f, err
	}
	if err := j.learn(ctx, row, r); err != nil {
		return f, err
	}
	f.Again = j.again(c, w, r, &v)
	if at := j.poll(forge, r, &v); !at.IsZero() && (f.Again.IsZero() || at.Before(f.Again)) {
		f.Again = at
	}
	err = j.publish.Change(ctx, &publish.Subject{
		Claim: c, Forge: forge, Change: w.ref, Facts: r.facts, Standing: r.standing, Evidence: r.evidence,
		Verdict: &v, VerdictID: id, Before: before, Governed: r.governed, Memory: &f.Memory,
	})
	if err != nil {
		return f, fmt.Errorf("publish verdict of change %d: %w", w.ref.Number, err)
	}
	if until := publish.Fight(f.Memory.Notes); !until.IsZero() && (f.Again.IsZero() || until.Before(f.Again)) {
		f.Again = until
	}
	if at := j.clock.Now().Add(lookAgain); publish.PutBack(c.Memory.Comment, f.Memory.Comment) && (f.Again.IsZero() || at.Before(f.Again)) {
		f.Again = at // to see whether it stays
	}
	if err := j.siblings(ctx, c, r, id); err != nil {
		return f, err
	}
	return f, nil
}

// finish is how a change ends that was read: its newest state, and what the
// next reading should know.
func (j *Judge) finish(c *store.Claim, w want, r *reading) store.Finish {
	m := r.remember(c.Memory)
	m.Notes = with(m.Notes, noteStale, "")
	m.Notes = with(m.Notes, noteStaleAt, "")
	if h := w.hint.Head; h != "" && h != r.facts.Head.SHA {
		m.Notes = with(m.Notes, noteLook, h)
	}
	if r.noted != "" { // the forge's word was taken: keep since when, so that it is taken again
		m.Notes = with(m.Notes, noteStale, c.Memory.Notes[noteStale])
		m.Notes = with(m.Notes, noteStaleAt, c.Memory.Notes[noteStaleAt])
		j.log.Warn("the forge's word was taken over a delivery's", slog.String("forge", c.Forge),
			slog.String("repo", w.ref.Repo.FullName()), slog.Int("change", w.ref.Number), slog.String("note", r.noted))
	}
	return store.Finish{
		Memory: m, Open: r.facts.State == fact.Open, Head: r.facts.Head.SHA, Base: r.facts.Base.Name,
		Links: m.Issues,
	}
}

// evaluate is the pure part. Reviews judged for the first time get the class
// they were judged at.
func (j *Judge) evaluate(r *reading) rules.Verdict {
	v := rules.Evaluate(j.input(r.facts, r.policy, r.head))
	if r.classify(&v) {
		v.FactsDigest = r.facts.Digest()
	}
	return v
}

func (j *Judge) input(c *fact.Change, p, head parsed) rules.Input {
	return rules.Input{
		Change: c, Policy: p.policy, PolicyErrors: p.errs,
		HeadPolicy: head.policy, HeadPolicyErrors: head.errs,
		Now: j.clock.Now(), Engine: j.engine,
	}
}

// save keeps the verdict with the facts it rests on.
func (j *Judge) save(ctx context.Context, c *store.Claim, r *reading, v *rules.Verdict) (int64, error) {
	verdict, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("write verdict of change %d as JSON: %w", v.Subject.Change, err)
	}
	facts, err := json.Marshal(r.facts)
	if err != nil {
		return 0, fmt.Errorf("write facts of change %d as JSON: %w", v.Subject.Change, err)
	}
	id, err := j.store.SaveVerdict(ctx, c, store.VerdictRow{
		Key: c.Key, Head: r.facts.Head.SHA, State: string(v.State), Mode: string(v.Mode),
		Class: string(v.Class.Class), Product: v.Subject.Product, Title: v.Subject.Title, Reason: v.Reason,
		PolicyOID: v.Policy.OID, FactsDigest: v.FactsDigest, Engine: v.Engine, JudgedAt: v.JudgedAt,
		Trigger: c.Reason, JSON: verdict, Facts: facts,
	})
	if err != nil {
		return 0, fmt.Errorf("keep verdict of change %d: %w", v.Subject.Change, err)
	}
	return id, nil
}

// before is the verdict that stood until now; nil if there is none.
func (j *Judge) before(ctx context.Context, c *store.Claim) *publish.Before {
	if c.Verdict == 0 {
		return nil
	}
	row, err := j.store.Verdict(ctx, c.Verdict)
	if err != nil {
		return nil // only a sentence in the comment rests on it
	}
	b := &publish.Before{ID: row.ID}
	if json.Unmarshal(row.JSON, &b.Verdict) != nil {
		return nil
	}
	return b
}

// learn keeps what the policy made us read as hints for other changes of the
// repository, if they differ from what is kept.
func (j *Judge) learn(ctx context.Context, row store.RepoRow, r *reading) error {
	h, product, ok := r.policyHints()
	if !ok || r.facts.Base.Name != r.facts.Repo.DefaultBranch && len(row.Policy) > 0 {
		return nil
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("write policy hints as JSON: %w", err)
	}
	if row.Product == product && bytes.Equal(raw, row.Policy) {
		return nil
	}
	row.Product, row.Policy = product, raw
	if r.facts.Repo.DefaultBranch != "" {
		row.Default = r.facts.Repo.DefaultBranch
	}
	if err := j.store.PutRepo(ctx, row); err != nil {
		return fmt.Errorf("keep policy hints of %s/%s: %w", row.Owner, row.Name, err)
	}
	return nil
}

// again is when the change must be judged without a delivery.
func (j *Judge) again(c *store.Claim, w want, r *reading, v *rules.Verdict) time.Time {
	at := v.Next
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if v.State == rules.Unknown {
		sooner(j.clock.Now().Add(unknownAgain))
	}
	// Two states were in doubt: look once more when the forge has settled.
	if h := w.hint.Head; h != "" && h != r.facts.Head.SHA && c.Memory.Notes[noteLook] != h && r.facts.State == fact.Open {
		sooner(j.clock.Now().Add(lookAgain))
	}
	return at
}

// How often a change that waits for checks is looked at where no delivery tells
// of them: soon after something moved, and ever more seldom.
const (
	pollSoonest = time.Minute
	pollSlowest = 15 * time.Minute
	pollShare   = 4 // a quarter of the time it waits already
)

// poll is when a change that waits for checks of others is read again on a forge
// that does not tell of them; zero for never.
func (j *Judge) poll(forge forges.Forge, r *reading, v *rules.Verdict) time.Time {
	if c := forge.Capabilities(); c.Has(forges.TellsStatus) || c.Has(forges.TellsJobs) || r.facts.State != fact.Open || len(r.checks(v)) == 0 {
		return time.Time{}
	}
	for i := range v.Results {
		if v.Results[i].Rule != "verify-checks-green" {
			continue
		}
		for _, f := range v.Results[i].Findings {
			if f.Outcome == rules.Pending {
				now := j.clock.Now()
				return now.Add(min(pollSlowest, max(pollSoonest, now.Sub(r.facts.UpdatedAt)/pollShare)))
			}
		}
	}
	return time.Time{}
}

// siblings marks the changes that shared a head with this one while it stood
// there, when it went away from it or lost its voice: the check of that commit
// is now theirs.
func (j *Judge) siblings(ctx context.Context, c *store.Claim, r *reading, verdict int64) error {
	left := c.Head != "" && c.Head != r.facts.Head.SHA
	closed := r.facts.State != fact.Open
	silent := !r.governed || r.mode() == "observe"
	if !left && !closed && (!silent || verdict == c.Verdict) {
		return nil
	}
	heads := []string{c.Head}
	if closed || silent {
		heads = union(heads, []string{r.facts.Head.SHA})
	}
	for _, head := range heads {
		if head == "" {
			continue
		}
		subs, err := j.store.Siblings(ctx, c.Key, head)
		if err != nil {
			return fmt.Errorf("find changes headed by %s: %w", short(head), err)
		}
		var marks []store.Mark
		for i := range subs {
			marks = append(marks, store.Mark{Key: subs[i].Key, Reason: "sibling", IfKnown: true})
		}
		if len(marks) == 0 {
			continue
		}
		if _, err := j.store.Mark(ctx, marks, nil); err != nil {
			return fmt.Errorf("mark changes headed by %s: %w", short(head), err)
		}
	}
	return nil
}

// unreadable ends a judgement whose reading failed. A stale answer and a
// failure that lasts leave no old green that could be read as current.
func (j *Judge) unreadable(ctx context.Context, forge forges.Forge, c *store.Claim, w want, r *reading, row store.RepoRow, f store.Finish, err error) (store.Finish, error) {
	var stale *staleError
	switch {
	case errors.As(err, &stale):
		f.Memory.Notes = with(with(f.Memory.Notes, noteStale, stale.key), noteStaleAt, stale.since.UTC().Format(time.RFC3339Nano))
		f.Problem, f.Retry, f.Waited = stale.Error(), stale.retry, true
		if stale.head != "" && r.governed && r.mode() == "enforce" {
			j.hold(ctx, forge, c, w, &f, stale.head, publish.Waiting{
				Title: "Waiting for the forge to show commit " + short(stale.head),
				Text: "A delivery named this commit as the head of change " + strconv.Itoa(w.ref.Number) + ", and the forge still answers with an older state. " +
					"Judging the older state could let an old approval pass for the new commit, so Primum asks again until the two agree.",
			})
		}
		return f, nil
	case gone(err):
		f.Open = false
		f.Memory.Notes = with(f.Memory.Notes, "gone", err.Error())
		return f, err
	case (c.Tries >= holdAfter || !forges.Temporary(err)) && w.memory.Posted != nil && c.Head != "":
		j.hold(ctx, forge, c, w, &f, c.Head, publish.Waiting{
			Title: "Waiting: the change could not be read",
			Text: "Something happened on change " + strconv.Itoa(w.ref.Number) + " that can alter its verdict, and reading it failed " +
				strconv.Itoa(c.Tries+1) + " times. The verdict given before may no longer hold. Primum keeps trying.",
			OnlyOver: true,
		})
	}
	if h := w.hint.Head; w.memory.Posted == nil && h != "" && c.Open && hintsOf(row).Mode == policy.Enforce &&
		(c.Tries >= holdAfter || !forges.Temporary(err)) {
		// Never read, in a repository whose policy enforces: without a word here
		// nobody would know why the check does not come.
		j.hold(ctx, forge, c, w, &f, h, publish.Waiting{
			Title: "Waiting: the change could not be read",
			Text: "Change " + strconv.Itoa(w.ref.Number) + " is not judged yet: reading it failed " + strconv.Itoa(c.Tries+1) + " times. " +
				"Anything that happens on the change, or `/primum recheck`, has Primum try again.",
		})
	}
	return f, err
}

// holdAfter is after how many failed tries a green check is taken back; at once
// where trying again will not help, for then it is soon given up.
const holdAfter = 3

// hold puts a waiting check on a commit, once. That it fails changes nothing:
// no check blocks as well as a waiting one.
func (j *Judge) hold(ctx context.Context, forge forges.Forge, c *store.Claim, w want, f *store.Finish, sha string, say publish.Waiting) {
	say.Claim, say.Forge, say.Change, say.SHA, say.Memory = c, forge, w.ref, sha, &f.Memory
	if err := j.publish.Hold(ctx, say); err != nil {
		j.log.WarnContext(ctx, "the waiting check was not posted", slog.String("forge", c.Forge), slog.String("repo", w.ref.Repo.FullName()),
			slog.Int("change", w.ref.Number), slog.String("head_sha", sha), slog.String("error", err.Error()))
	}
}
