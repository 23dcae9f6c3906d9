package rules

import (
	"cmp"
	"slices"
	"strings"

	"primum/rules/class"
	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// approval is what the rules ask about one approving review. Each flag is owned
// by one rule, which reports it; Approval.Counts is their sum, with what the
// policy or a waiver switched off left out.
type approval struct {
	review *fact.Review
	roles  []policy.Role
	// bound: given on the head, or on an equal difference where that suffices, and
	// for no lower class than the change has now.
	bound  bool
	risen  string // the class it was given for, if that is the only reason why it is not bound
	author bool
	counts bool
	// unclear: the difference at the review's commit would decide and is not known.
	unclear bool
	meaning string
	// signed says where the meaning came from; "" if none was found.
	signed string
}

// standing says which safeguards of approvals hold on this change: both do
// unless the policy or a waiver switched the rule off.
type standing struct {
	stale, author bool
	keepOnRebase  bool // an equal difference keeps an approval
	ladder        class.Ladder
	level         class.Level // of the change; "" if its files are not known
}

// below reports whether a class known by name ranks below that of the change.
func (st standing) below(then string) bool {
	rank := st.ladder.Rank(class.Level(then))
	return rank > 0 && rank < st.ladder.Rank(st.level)
}

// readReviews works out every approval and open objection. The latest review of
// a person that is more than a comment is what they say now (8.2.3).
func (pp *People) readReviews(c *fact.Change, ev *evidence.Evidence, st standing) {
	for _, r := range latest(c.Reviews) {
		switch r.State {
		case fact.Approved:
			a, shown := pp.approve(c, r, st)
			a.meaning, a.signed = meaningOf(r, ev)
			shown.Meaning = a.meaning
			pp.verdicts = append(pp.verdicts, a)
			pp.Approvals = append(pp.Approvals, shown)
		case fact.ChangesRequested:
			if !r.Author.Bot && len(pp.roles[r.Author.ID]) > 0 {
				pp.objected = append(pp.objected, *r)
			}
		case fact.Dismissed:
			if shown, ok := pp.dismissed(r); ok {
				pp.verdicts = append(pp.verdicts, approval{review: r})
				pp.Approvals = append(pp.Approvals, shown)
			}
		case fact.Commented:
		}
	}
}

// latest keeps one review per account: the last that is not a mere comment. The
// reviews of accounts that no longer exist are left out; they count for nothing.
func latest(reviews []fact.Review) []*fact.Review {
	at := map[string]int{}
	var out []*fact.Review
	for i := range reviews {
		r := &reviews[i]
		if r.State == fact.Commented || !r.Author.Known() {
			continue
		}
		j, ok := at[r.Author.ID]
		switch {
		case !ok:
			at[r.Author.ID] = len(out)
			out = append(out, r)
		case !r.SubmittedAt.Before(out[j].SubmittedAt):
			out[j] = r
		}
	}
	slices.SortStableFunc(out, func(a, b *fact.Review) int { return a.SubmittedAt.Compare(b.SubmittedAt) })
	return out
}

func (pp *People) approve(c *fact.Change, r *fact.Review, st standing) (approval, Approval) {
	a := approval{review: r, roles: pp.roles[r.Author.ID]}
	shown := Approval{Reviewer: r.Author, Roles: a.roles, Commit: r.Commit, At: r.SubmittedAt, URL: r.URL}
	var binding string
	a.bound, binding = bind(c, r, st.keepOnRebase)
	a.unclear = !a.bound && st.keepOnRebase && r.Commit != "" && (r.Patch == "" || c.Patch == "")
	was := "given on " + sha(r.Commit)
	if a.bound && st.below(r.ClassThen) {
		was = "given for class " + r.ClassThen
		binding = "dropped: " + was + ", the change is now class " + string(st.level)
		a.bound, a.risen = false, r.ClassThen
	}
	why, author := pp.AuthorWhy(r.Author)
	a.author = author
	switch {
	case r.Author.Bot:
		a.roles, shown.Roles = nil, nil
		shown.Why = "a bot"
	case author && st.author:
		shown.Why = "an author: " + why
	case len(a.roles) == 0:
		shown.Why = "holds no role"
	case !a.bound && st.stale:
		shown.Why = binding
	default:
		a.counts = true
		shown.Why = binding
		switch {
		case author:
			shown.Why = "an author (" + why + "), allowed here; " + binding
		case !a.bound:
			shown.Why = was + ", allowed here"
		}
	}
	shown.Counts = a.counts
	return a, shown
}

// bind reports whether an approval belongs to the content of the head.
func bind(c *fact.Change, r *fact.Review, keepOnRebase bool) (bool, string) {
	switch {
	case r.Commit == "" || c.Head.SHA == "":
		return false, "dropped: the forge does not say on which commit it was given"
	case r.Commit == c.Head.SHA:
		return true, "on the head"
	case !keepOnRebase:
		return false, "dropped: given on " + sha(r.Commit) + ", the head is now " + sha(c.Head.SHA)
	case r.Patch == "" || c.Patch == "":
		return false, "dropped: given on " + sha(r.Commit) + ", whose difference could not be compared"
	case r.Patch == c.Patch:
		return true, "kept: same difference as " + sha(r.Commit)
	default:
		return false, "dropped: the content changed since " + sha(r.Commit)
	}
}

// dismissed shows a review that was taken out of force by somebody else, since
// that removes evidence silently.
func (pp *People) dismissed(r *fact.Review) (Approval, bool) {
	if r.DismissedBy.Is(r.Author) {
		return Approval{}, false
	}
	by := "somebody the forge does not name"
	if r.DismissedBy.Known() {
		by = login(r.DismissedBy)
	}
	return Approval{
		Reviewer: r.Author, Roles: pp.roles[r.Author.ID], Commit: r.Commit, At: r.SubmittedAt, URL: r.URL,
		Why: "dismissed by " + by,
	}, true
}

// sound are the approvals by holders of a role who are neither bots nor authors
// and that are bound to the head, whatever a waiver allows elsewhere.
func (a *approval) sound() bool { return a.bound && !a.author && len(a.roles) > 0 }

// byRoles reports whether the reviewer holds any of these roles.
func (a *approval) byRoles(roles ...policy.Role) bool {
	for _, r := range a.roles {
		if slices.Contains(roles, r) {
			return true
		}
	}
	return false
}

// evidenceOf is an approval as evidence.
func (a *approval) evidenceOf() Evidence {
	return Evidence{
		Kind: "review", Ref: sha(a.review.Commit), Text: strings.Join(roleWords(a.roles), ", "), URL: a.review.URL,
		By: a.review.Author.Login, At: a.review.SubmittedAt, Digest: a.review.Commit,
	}
}

// meaningOf reads the declared meaning of an approval: from a sign command of
// the same person on the same commit, or from a word of the list in its text.
func meaningOf(r *fact.Review, ev *evidence.Evidence) (meaning, where string) {
	for i := range ev.Commands {
		k := &ev.Commands[i]
		if k.Name == "sign" && k.Wrong == "" && k.Meaning != "" && k.By.Is(r.Author) && sameHead(k, r) {
			meaning, where = k.Meaning, "command"
		}
	}
	if meaning != "" {
		return meaning, where
	}
	if text := firstText(r); text != "" {
		text = strings.ToLower(text)
		for _, m := range evidence.Meanings() {
			if strings.Contains(text, m) {
				return m, "words"
			}
		}
	}
	return "", ""
}

// sameHead reports whether a command speaks of what the review approved: it was
// seen on the same commit or, where that is not known, posted with it or later.
func sameHead(k *evidence.Command, r *fact.Review) bool {
	if k.Comment != nil && k.Comment.HeadThen != "" && r.Commit != "" {
		return k.Comment.HeadThen == r.Commit
	}
	return !k.At.Before(r.SubmittedAt)
}

// firstText is a review's text as first posted, "" if that is not known.
func firstText(r *fact.Review) string {
	if !r.FirstKnown {
		return ""
	}
	return r.First
}

// quorum says how a set of people fills what is asked: an approval of a person
// counts once, and each role needs a person of its own.
type quorum struct {
	need  int
	roles []policy.Role
}

// filled returns how many of the needed approvals the people give and which roles
// nobody stands for. have never exceeds need.
func (q quorum) filled(people []approval) (have int, open []policy.Role) {
	var able []approval
	for _, p := range people {
		if len(q.roles) == 0 && len(p.roles) > 0 || p.byRoles(q.roles...) {
			able = append(able, p)
		}
	}
	given := match(q.roles, able)
	for i, role := range q.roles {
		if given[i] < 0 {
			open = append(open, role)
		}
	}
	missing := max(q.total()-len(able), len(open))
	return q.total() - min(missing, q.total()), open
}

// total is the number of people needed: at least one for each role.
func (q quorum) total() int { return max(q.need, len(q.roles)) }

func (q quorum) met(people []approval) bool {
	have, open := q.filled(people)
	return have >= q.total() && len(open) == 0
}

// match gives each role a person of its own if that is possible (augmenting
// paths; a handful of roles and people). The value is the person's index or -1.
func match(roles []policy.Role, people []approval) []int {
	given := make([]int, len(roles))
	for i := range given {
		given[i] = -1
	}
	taken := make([]int, len(people)) // index of role + 1
	var try func(role int, seen []bool) bool
	try = func(role int, seen []bool) bool {
		for p := range people {
			if seen[p] || !people[p].byRoles(roles[role]) {
				continue
			}
			seen[p] = true
			if taken[p] == 0 || try(taken[p]-1, seen) {
				taken[p], given[role] = role+1, p
				return true
			}
		}
		return false
	}
	for r := range roles {
		try(r, make([]bool, len(people)))
	}
	return given
}

// quorumOf reads what review-quorum asks at this class.
func quorumOf(s policy.Setting) quorum {
	roles := slices.Clone(s.Roles("roles"))
	slices.SortFunc(roles, func(a, b policy.Role) int { return cmp.Compare(a, b) })
	return quorum{need: s.Int("approvals"), roles: slices.Compact(roles)}
}
