package judge

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// Hints are what the policy of a repository made us read, so that the next
// change of that repository starts with one reading. They are kept as
// store.RepoRow.Policy.
type Hints struct {
	// None says that the target branch last read has no policy: then a reading
	// asks for no more than shows whether there is one now.
	None       bool        `json:"none,omitempty"`
	OID        string      `json:"oid,omitempty"` // of the policy file they come from
	Mode       policy.Mode `json:"mode,omitempty"`
	Needs      []fact.Need `json:"needs,omitempty"`
	Principals []string    `json:"principals,omitempty"`
	Files      []string    `json:"files,omitempty"`
	DiffPaths  []string    `json:"diff_paths,omitempty"`
}

// hintsOf reads the hints of a repository; none if there are none.
func hintsOf(row store.RepoRow) Hints {
	var h Hints
	if len(row.Policy) > 0 {
		// Hints only: what does not parse costs one more call.
		_ = json.Unmarshal(row.Policy, &h)
	}
	return h
}

// hintsFor is what a policy makes us read. No policy reads nothing beyond what
// every reading holds.
func hintsFor(p *policy.Policy, oid string) Hints {
	if p == nil {
		return Hints{OID: oid}
	}
	return Hints{
		OID: oid, Mode: p.Mode, Needs: sorted(rules.Needs(p)), Principals: sorted(p.Principals()),
		Files: sorted(p.Files()), DiffPaths: sorted(p.DiffPaths()),
	}
}

// firstPlan is what to ask for before anything is read: the needs of the
// repository's last policy, the issues linked last time, and the issues that
// the description in the delivery names.
func firstPlan(w want, h Hints) forges.Plan {
	p := forges.Plan{
		Needs:      h.Needs,
		Principals: union(h.Principals, w.memory.Principals),
		Files:      union(h.Files, w.memory.Files),
		DiffPaths:  union(h.DiffPaths, w.memory.DiffPaths),
		Issues:     w.memory.Issues,
	}
	switch {
	case h.None:
		p.Needs = []fact.Need{fact.NeedFiles, fact.NeedPolicy}
	case len(p.Needs) == 0:
		p.Needs = sorted(rules.Needs(nil))
	}
	if w.hint.Body != "" {
		said := &fact.Change{
			Forge: w.ref.Repo.Forge, Number: w.ref.Number, Body: w.hint.Body,
			Repo: fact.Repo{ID: w.ref.Repo.ID, Owner: w.ref.Repo.Owner, Name: w.ref.Repo.Name},
		}
		p.Issues = union(p.Issues, linked(evidence.Links(said)))
	}
	return p
}

// linked are the issues that links name firmly enough to be read whole,
// "owner/name#12". A branch name or a bare mention only suggests.
func linked(links []fact.Link) []string {
	var out []string
	for _, l := range links {
		switch l.Kind {
		case fact.LinkForge, fact.LinkCommand, fact.LinkTrailer, fact.LinkKeyword:
			out = append(out, issueKey(l.Repo, l.Number))
		case fact.LinkBranch, fact.LinkMention:
		}
	}
	return union(out)
}

func issueKey(repo string, number int) string { return repo + "#" + strconv.Itoa(number) }

// wider adds to a plan what a reading shows to be missing from it; more is
// false if nothing is.
func wider(p forges.Plan, r *reading) (next forges.Plan, more bool) {
	next = p
	if r.policy.policy != nil && r.governed {
		h := hintsFor(r.policy.policy, "")
		next.Needs = union(p.Needs, h.Needs)
		next.Principals = union(p.Principals, h.Principals)
		next.Files = union(p.Files, h.Files)
		next.DiffPaths = union(p.DiffPaths, h.DiffPaths)
		more = len(next.Needs) > len(p.Needs) || len(next.Principals) > len(p.Principals) ||
			len(next.Files) > len(p.Files) || len(next.DiffPaths) > len(p.DiffPaths)
		if missing := unread(r.facts); len(missing) > 0 {
			next.Issues = union(p.Issues, missing)
			more = more || len(next.Issues) > len(p.Issues)
		}
	}
	if touchesPolicy(r.facts) && r.facts.HeadPolicy == nil && !p.HeadPolicy {
		next.HeadPolicy, more = true, true
	}
	return next, more
}

// unread are linked issues that were not read.
func unread(c *fact.Change) []string {
	have := map[string]bool{}
	for i := range c.Issues {
		have[strings.ToLower(issueKey(c.Issues[i].Repo, c.Issues[i].Number))] = true
	}
	var out []string
	for _, k := range linked(c.Links) {
		if !have[strings.ToLower(k)] {
			out = append(out, k)
		}
	}
	return out
}

// touchesPolicy reports whether the change adds, edits, moves or deletes the
// policy file.
func touchesPolicy(c *fact.Change) bool {
	for i := range c.Files {
		if slices.Contains(c.Files[i].Touches(), policy.Path) {
			return true
		}
	}
	return false
}

// union merges lists, keeping first places and dropping repeats.
func union[T ~string](lists ...[]T) []T {
	var out []T
	seen := map[T]bool{}
	for _, l := range lists {
		for _, v := range l {
			if !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out
}

func sorted[T ~string](list []T) []T {
	out := union(list)
	slices.Sort(out)
	return out
}
