package policy

import (
	"maps"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"primum/rules/class"
)

// Principals lists everybody the people of the policy name, sorted, each once:
// what an adapter has to resolve.
func (p *Policy) Principals() []string {
	var all []string
	for _, who := range p.People {
		all = append(all, who...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Files lists the files at the target branch that a judgement needs beside the
// policy: the rationales. Sorted, each once.
func (p *Policy) Files() []string {
	var all []string
	for _, it := range p.Items {
		if it.Rationale.Path != "" {
			all = append(all, it.Rationale.Path)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// DiffPaths lists the globs of files whose diffs a judgement needs: tests,
// workflows and settings. Sorted, each once.
func (p *Policy) DiffPaths() []string {
	all := slices.Concat(p.Verification.Tests, p.Verification.Workflows, p.Verification.Settings)
	slices.Sort(all)
	return slices.Compact(all)
}

// Governs reports whether changes to this branch are judged. branch is the name
// without refs/heads/.
func (p *Policy) Governs(branch string) bool {
	return len(p.TargetBranches) == 0 || slices.ContainsFunc(p.TargetBranches, func(g string) bool {
		return doublestar.MatchUnvalidated(g, branch)
	})
}

// Setting is what a rule does at a class. For a class outside the ladder it is
// that of the highest; a rule the policy was not parsed with blocks.
func (p *Policy) Setting(rule string, level class.Level) Setting {
	byLevel, known := p.Rules[rule]
	if !known {
		return Setting{Enforcement: Block, Origin: ShippedDefault}
	}
	if s, ok := byLevel[level]; ok {
		return s
	}
	return byLevel[p.Ladder.Highest()]
}

// Enabled reports whether a rule is judged at any class.
func (p *Policy) Enabled(rule string) bool {
	byLevel, known := p.Rules[rule]
	if !known {
		return true
	}
	for _, s := range byLevel {
		if s.Enforcement != Off {
			return true
		}
	}
	return false
}

// ProtectedBy finds the entry that governs a path: the first that matches.
func (p *Policy) ProtectedBy(path string) (Protected, bool) {
	for _, e := range p.Protected {
		if matchAny(e.Paths, path) {
			return e, true
		}
	}
	return Protected{}, false
}

// RolesOf lists the roles a principal is named for, sorted.
func (p *Policy) RolesOf(principal string) []Role {
	var out []Role
	for _, r := range slices.Sorted(maps.Keys(p.People)) {
		if slices.Contains(p.People[r], principal) {
			out = append(out, r)
		}
	}
	return out
}

// WithRationales are the items with Rationale.Valid and Problem filled in. exists
// is asked once per file whether it holds at the target branch, and why not.
func (p *Policy) WithRationales(exists func(path string) (ok bool, problem string)) []class.Item {
	items := slices.Clone(p.Items)
	type answer struct {
		ok      bool
		problem string
	}
	known := map[string]answer{}
	for i := range items {
		path := items[i].Rationale.Path
		if path == "" {
			continue
		}
		a, asked := known[path]
		if !asked {
			a.ok, a.problem = exists(path)
			known[path] = a
		}
		items[i].Rationale.Valid = a.ok
		if !a.ok {
			items[i].Rationale.Problem = a.problem
		}
	}
	return items
}

func matchAny(globs []string, path string) bool {
	return slices.ContainsFunc(globs, func(g string) bool { return doublestar.MatchUnvalidated(g, path) })
}

// riskFiles are the rationales and the risk file.
func riskFiles(p *Policy) []string {
	files := p.Files()
	if p.RiskFile != nil && !slices.Contains(files, p.RiskFile.File) {
		files = append(files, p.RiskFile.File)
	}
	return files
}
