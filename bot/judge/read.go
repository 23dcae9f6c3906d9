package judge

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"primum/bot/publish"
	"primum/bot/store"
	"primum/forges"
	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// want is one change to be read, with everything already known of it.
type want struct {
	ref    forges.ChangeRef
	key    store.Key
	memory store.Memory
	hint   store.Hint
	// judgedHead is the head as last judged and updatedAt the forge's time of
	// last change then; they prove what the head was when a comment came later.
	judgedHead string
	updatedAt  time.Time
}

// wanted is what a claim on a change asks to be read.
func wanted(c *store.Claim, ref forges.ChangeRef) want {
	w := want{ref: ref, key: c.Key, memory: c.Memory, hint: c.Hint, judgedHead: c.Head}
	w.updatedAt, _ = time.Parse(time.RFC3339Nano, c.Memory.Notes[noteUpdatedAt])
	return w
}

// reading is one change as read, with what was worked out from it before the
// rules see it.
type reading struct {
	facts    *fact.Change
	standing publish.Standing // our own check and comment, taken out of the facts
	policy   parsed
	head     parsed // of the change's own policy file, if it touches it
	// governed is false when the target branch has no policy, or a policy that
	// leaves the branch out.
	governed bool
	reads    int
	noted    string // a sentence about the reading that people should see, "" if none
	evidence *evidence.Evidence
	comment  store.CommentMemory // what is known of our comment after this reading
}

// maxReads bounds the readings of one judgement: the first, and one more when
// the first shows that something was missing from its plan.
const maxReads = 2

// read reads one change whole. A *staleError says that the forge answered with
// a state older than one already seen; the reading then stands beside it.
func (j *Judge) read(ctx context.Context, forge forges.Forge, row store.RepoRow, w want) (*reading, error) {
	plan := firstPlan(w, hintsOf(row))
	if !forge.Capabilities().PinnedCheck { // anybody may have set ours
		plan.Needs = union(plan.Needs, []fact.Need{fact.NeedChecks})
	}
	r := &reading{}
	for {
		facts, err := j.readOnce(ctx, forge, w.ref, plan)
		r.reads++
		if err != nil {
			return r, err
		}
		r.facts = facts
		r.standing = publish.TakeOwn(facts)
		recallForged(facts, w.memory)
		if err := j.readPolicies(ctx, forge, w.ref.Repo, r); err != nil {
			return r, err
		}
		if r.noted, err = guard(w, facts, j.clock.Now()); err != nil {
			return r, err
		}
		if err := j.recall(ctx, w, facts); err != nil {
			return r, err
		}
		if err := j.approvals(ctx, facts); err != nil {
			return r, err
		}
		recallClasses(facts, w.memory.Classes)
		if err := j.pushers(ctx, facts); err != nil {
			return r, err
		}
		facts.Links = evidence.Links(facts)
		next, more := wider(plan, r)
		if !more || r.reads == maxReads {
			break
		}
		plan = next
	}
	tried := func() ([]string, error) { return publish.Tried(ctx, j.store, w.key, w.memory.Comment.Text) }
	var err error
	if r.comment, err = r.standing.Compare(w.memory.Comment, forge.Capabilities().Has(forges.ReadsEditors), j.clock.Now(), tried); err != nil {
		return r, err
	}
	r.facts.Edits = r.comment.Edits
	for _, k := range unread(r.facts) {
		if r.governed {
			r.facts.MarkUnknown(fact.NeedIssues, "the forge did not answer for issue "+k)
		}
	}
	trim(r)
	if err := j.pin(ctx, w.ref.Repo, r.facts); err != nil {
		return r, err
	}
	r.evidence = evidence.Read(r.facts)
	return r, nil
}

func (j *Judge) readOnce(ctx context.Context, forge forges.Forge, ref forges.ChangeRef, plan forges.Plan) (*fact.Change, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	facts, err := forge.ReadChange(ctx, ref, plan)
	if err != nil {
		return nil, fmt.Errorf("read change %d: %w", ref.Number, err)
	}
	if sign := forge.Capabilities().ChangeSign; sign != "#" {
		facts.Sign = sign
	}
	return facts, nil
}

// readPolicies parses the policy of the target branch, and the change's own
// version when the change touches it.
func (j *Judge) readPolicies(ctx context.Context, forge forges.Forge, repo forges.RepoRef, r *reading) error {
	var err error
	r.policy, r.head, r.governed = parsed{}, parsed{}, false
	if _, known := r.facts.Why(fact.NeedPolicy); !known {
		r.governed = true // it may well be: fail closed
		return nil
	}
	if r.policy, err = j.policyOf(ctx, forge, repo, r.facts.Policy); err != nil {
		return err
	}
	r.governed = len(r.policy.errs) > 0 || r.policy.policy != nil && r.policy.policy.Governs(r.facts.Base.Name)
	if r.facts.HeadPolicy != nil {
		if r.head, err = j.policyOf(ctx, forge, repo, *r.facts.HeadPolicy); err != nil {
			return err
		}
	}
	return nil
}

// trim drops from the facts what only a generous plan brought, so that a warm
// and a cold reading of the same state are the same facts.
func trim(r *reading) {
	c := r.facts
	links := map[string]bool{}
	for _, k := range linked(c.Links) {
		links[strings.ToLower(k)] = true
	}
	c.Issues = slices.DeleteFunc(c.Issues, func(i fact.Issue) bool {
		return !links[strings.ToLower(issueKey(i.Repo, i.Number))]
	})
	slices.SortStableFunc(c.Issues, func(a, b fact.Issue) int {
		if d := strings.Compare(a.Repo, b.Repo); d != 0 {
			return d
		}
		return a.Number - b.Number
	})
	var principals, files []string
	if p := r.policy.policy; p != nil {
		principals, files = p.Principals(), p.Files()
	}
	for k := range c.People {
		if !slices.Contains(principals, k) {
			delete(c.People, k)
		}
	}
	for k := range c.BaseFiles {
		if !slices.Contains(files, k) {
			delete(c.BaseFiles, k)
		}
	}
}

// remember is what the next reading of this change should know.
func (r *reading) remember(m store.Memory) store.Memory {
	m.Issues = linked(r.facts.Links)
	h := hintsFor(r.policy.policy, "")
	m.Principals, m.Files, m.DiffPaths = h.Principals, h.Files, h.DiffPaths
	m.Classes = r.classes(m.Classes)
	m.Comment = r.comment
	m.Forged, m.ForgedOn = r.facts.Forged, ""
	if len(m.Forged) > 0 {
		m.ForgedOn = r.facts.Head.SHA
	}
	m.Notes = with(m.Notes, noteReadAt, r.facts.ReadAt.UTC().Format(time.RFC3339Nano))
	m.Notes = with(m.Notes, noteUpdatedAt, r.facts.UpdatedAt.UTC().Format(time.RFC3339Nano))
	return m
}

// Names of store.Memory.Notes.
const (
	noteReadAt    = "read_at"    // when the change was last read
	noteUpdatedAt = "updated_at" // the forge's time of last change then
	noteStale     = "stale"      // the state a delivery showed and the forge does not
	noteStaleAt   = "stale_at"   // since when
	noteLook      = "look_again" // the hinted head for which a second look was asked
)

// with sets or, for "", removes a note without touching the map it was given.
func with(notes map[string]string, key, value string) map[string]string {
	out := make(map[string]string, len(notes)+1)
	maps.Copy(out, notes)
	if value == "" {
		delete(out, key)
	} else {
		out[key] = value
	}
	return out
}

// policyHints are the hints this reading leaves for its repository; ok is false
// if the reading says nothing about them.
func (r *reading) policyHints() (h Hints, product string, ok bool) {
	p := r.policy.policy
	switch {
	case r.facts.Policy.Missing:
		return Hints{None: true}, "", true
	case p == nil || !r.governed:
		return Hints{}, "", false
	}
	return hintsFor(p, r.facts.Policy.OID), p.Product, true
}

// mode is the mode the change is judged in: what cannot be parsed is enforced.
func (r *reading) mode() policy.Mode {
	if r.policy.policy == nil {
		return policy.Enforce
	}
	return r.policy.policy.Mode
}

// cutName takes a full name apart at its last slash: an owner may be a group
// within another, "acme/devices".
func cutName(full string) (owner, name string, ok bool) {
	i := strings.LastIndexByte(full, '/')
	if i < 0 {
		return "", "", false
	}
	owner, name = full[:i], full[i+1:]
	return owner, name, name != "" && !slices.Contains(strings.Split(owner, "/"), "")
}
