package sim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Style is in what a forge differs from the others where it decides or keeps
// something, rather than in how it tells of it. The zero value is GitHub's.
type Style struct {
	// Gate says how required checks and reviews are judged before a merge.
	Gate Gate
	// ChecksAreStatuses: there are no check runs; what an app's bot makes stands
	// as its commit statuses, one more for every change.
	ChecksAreStatuses bool
	// AnyState: a commit status keeps whatever word it was given.
	AnyState bool
	// DraftPrefixes make a draft of a change whose title begins with one of them,
	// in any case. Marking as draft or ready then edits the title.
	DraftPrefixes []string
	// StaleByContent: a push that leaves what a change does as it was (a rebase)
	// dismisses no approval.
	StaleByContent bool
	// ReviewsAreComments: the body of a review is a comment with an id of its own.
	ReviewsAreComments bool
	// KeepsPushes: the history of a change tells of every push, not only of forced ones.
	KeepsPushes bool
	// ClearsAtOnce: all labels taken off together are one happening, "labels_cleared".
	ClearsAtOnce bool
	// ClosesWaiting: an issue is closed also while it waits for another one.
	ClosesWaiting bool
}

// Gate is a way to judge what a branch asks for.
type Gate string

// Gates. On Gitea and Forgejo the name of a RequiredCheck is a pattern, and
// commit statuses alone count.
const (
	GateGitHub  Gate = ""
	GateGitea   Gate = "gitea"
	GateForgejo Gate = "forgejo"
)

// SetStyle makes the forge decide as one of a kind does. Faces call it.
func (f *Forge) SetStyle(s Style) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.style = s
}

// IsDraft reports whether a title marks a draft.
func (s Style) IsDraft(title string) bool { return s.draftPrefix(title) != "" }

func (s Style) draftPrefix(title string) string {
	for _, p := range s.DraftPrefixes {
		if len(title) >= len(p) && strings.EqualFold(title[:len(p)], p) {
			return title[:len(p)]
		}
	}
	return ""
}

// draftTitle is a title with the mark of a draft, or without it.
func (s Style) draftTitle(title string, draft bool) string {
	p := s.draftPrefix(title)
	switch {
	case draft && p == "":
		return s.DraftPrefixes[0] + " " + title
	case !draft && p != "":
		return strings.TrimSpace(title[len(p):])
	}
	return title
}

// mirror puts a commit status where a check run stands, on forges that know no runs.
func (f *Forge) mirror(me *Account, r *Repo, run *CheckRun) {
	if !f.style.ChecksAreStatuses {
		return
	}
	state := "pending"
	if run.Status == "completed" {
		switch run.Conclusion {
		case "success":
			state = "success"
		case "skipped", "neutral": // neither blocks nor is green
			state = "skipped"
		default:
			state = "failure"
		}
	}
	said := run.Title
	if said == "" {
		said = run.Conclusion
	}
	f.addStatus(me, r, run.SHA, Status{Context: run.Name, State: state, Description: said, TargetURL: run.DetailsURL})
}

// addStatus keeps a status and announces it.
func (f *Forge) addStatus(me *Account, r *Repo, sha string, s Status) *Status {
	s.ID, s.SHA, s.Creator, s.At = f.id(), sha, me.ID, f.Now()
	r.Statuses[sha] = append(r.Statuses[sha], &s)
	f.announce(Happening{Kind: StatusHappened, Action: s.State, Actor: me, Repo: r, Status: &s})
	return &s
}

// Combine is the one state many commit statuses amount to in this style.
func (s Style) Combine(states []string) string {
	if s.Gate == GateForgejo {
		return worst(states)
	}
	out := "success"
	for _, st := range states {
		switch st {
		case "error", "failure", "warning":
			return "failure"
		case "success", "skipped":
		default:
			out = "pending"
		}
	}
	return out
}

// worst is the state of Forgejo's order that comes first; a word it does not
// know changes nothing.
func worst(states []string) string {
	order := []string{"error", "failure", "warning", "pending", "success", "skipped"}
	best := len(order)
	for _, st := range states {
		if i := slices.Index(order, st); i >= 0 && i < best {
			best = i
		}
	}
	if best == len(order) {
		return "success"
	}
	return order[best]
}

// contextsPass reports whether the statuses of a commit satisfy a branch in the
// style of Gitea and Forgejo.
func (f *Forge) contextsPass(r *Repo, p *Protection, sha string) bool {
	if len(p.Checks) == 0 && !p.AllStatuses {
		return true
	}
	var newest []*Status
	for i, s := range r.Statuses[sha] {
		if newestStatus(r.Statuses[sha][i:], s.Context) == s {
			newest = append(newest, s)
		}
	}
	var states []string
	if len(p.Checks) == 0 {
		for _, s := range newest {
			states = append(states, s.State)
		}
	}
	for _, want := range p.Checks {
		pattern := Glob(want.Name)
		matched := false
		for _, s := range newest {
			if pattern.MatchString(s.Context) {
				states, matched = append(states, s.State), true
			}
		}
		if !matched {
			states = append(states, "pending")
		}
	}
	got := f.style.Combine(states)
	return got == "success" || got == "skipped"
}

// Glob is the pattern of a status context as Gitea reads it: a star goes over
// slashes too, and what is no pattern is meant word for word.
func Glob(pattern string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	braces := 0
	for _, c := range pattern {
		switch {
		case c == '*':
			b.WriteString(`.*`)
		case c == '?':
			b.WriteString(`.`)
		case c == '{':
			braces++
			b.WriteString(`(?:`)
		case c == '}' && braces > 0:
			braces--
			b.WriteString(`)`)
		case c == ',' && braces > 0:
			b.WriteString(`|`)
		case c == '[' || c == ']' || c == '-':
			b.WriteRune(c)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return regexp.MustCompile(`\A` + regexp.QuoteMeta(pattern) + `\z`)
	}
	return re
}

// protectionHinders says what of a branch's protection is not satisfied, in the
// words of Gitea and Forgejo.
func (f *Forge) protectionHinders(r *Repo, c *Change, p *Protection) []string {
	var out []string
	if !f.contextsPass(r, p, c.Head) {
		out = append(out, "Not all required status checks successful")
	}
	approvals, rejected := 0, false
	for _, rv := range f.latestOpinions(r, c) {
		switch rv.State {
		case Approved:
			if !p.IgnoreStale || !rv.Stale {
				approvals++
			}
		case ChangesRequested:
			rejected = true
		case Commented, Dismissed:
		}
	}
	if approvals < p.Approvals {
		out = append(out, "Does not have enough approvals")
	}
	if rejected && !p.LetRejections {
		out = append(out, "There are requested changes")
	}
	if p.UpToDate && !f.objects.ancestors(c.Head)[r.Branches[c.Base]] {
		out = append(out, "The head branch is behind the base branch")
	}
	return out
}

// sameWork reports whether two heads of a change do the same to its target.
func (f *Forge) sameWork(r *Repo, c *Change, a, b string) bool {
	if a == b {
		return true
	}
	work := func(head string) string {
		var from, to string
		if k := f.objects.commits[f.objects.mergeBase(r.Branches[c.Base], head)]; k != nil {
			from = k.Tree
		}
		if k := f.objects.commits[head]; k != nil {
			to = k.Tree
		}
		var out strings.Builder
		for _, d := range f.objects.compareTrees(from, to, true) {
			fmt.Fprintf(&out, "%s %s %s %s\n%s\n", d.Status, d.Previous, d.Path, d.Mode, d.Patch)
			if d.Binary {
				out.WriteString(d.OID)
			}
		}
		return out.String()
	}
	return work(a) == work(b)
}
