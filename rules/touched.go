package rules

import (
	"primum/rules/fact"
	"primum/rules/policy"
)

// touched sorts the files of a change by what guards them.
type touched struct {
	tests     []*fact.File
	workflows []*fact.File
	settings  []*fact.File
	guarded   []guarded // in the order of the change
	isTest    *globs
}

// guarded is one path that needs the approval of a role.
type guarded struct {
	path string
	by   *policy.Protected
}

// compiled are the globs of a policy, ready to match.
type compiled struct {
	tests, workflows, settings, outside, standing *globs
	guards                                        []*globs // one per entry of Protected
}

// globsOf compiles the globs of a policy once.
func globsOf(p *policy.Policy) *compiled {
	made := p.Once("rules.globs", func() any {
		g := &compiled{
			tests: compile(p.Verification.Tests), workflows: compile(p.Verification.Workflows), settings: compile(p.Verification.Settings),
			outside: compile(p.Outside), standing: compile(p.Standing), guards: make([]*globs, len(p.Protected)),
		}
		for i := range p.Protected {
			g.guards[i] = compile(p.Protected[i].Paths)
		}
		return g
	})
	g, _ := made.(*compiled)
	return g
}

func sortFiles(c *fact.Change, p *policy.Policy) touched {
	g := globsOf(p)
	tests, workflows, settings, guards := g.tests, g.workflows, g.settings, g.guards
	out := touched{isTest: tests}
	for i := range c.Files {
		f := &c.Files[i]
		if matches(tests, f) {
			out.tests = append(out.tests, f)
		}
		if matches(workflows, f) {
			out.workflows = append(out.workflows, f)
		}
		if matches(settings, f) {
			out.settings = append(out.settings, f)
		}
		out.guard(f.Path, guards, p)
		if f.Status == fact.Renamed && f.Previous != "" && f.Previous != f.Path {
			out.guard(f.Previous, guards, p)
		}
	}
	return out
}

// guard finds the first entry that protects a path.
func (t *touched) guard(path string, guards []*globs, p *policy.Policy) {
	for i := range guards {
		if guards[i].match(path) {
			t.guarded = append(t.guarded, guarded{path, &p.Protected[i]})
			return
		}
	}
}

// matches holds both paths of a rename against the globs.
func matches(gs *globs, f *fact.File) bool {
	return gs.match(f.Path) || f.Status == fact.Renamed && f.Previous != "" && gs.match(f.Previous)
}

// touchedPaths lists every path whose class counts.
func touchedPaths(c *fact.Change) []string {
	out := make([]string, 0, len(c.Files)+8)
	for i := range c.Files {
		f := &c.Files[i]
		out = append(out, f.Path)
		if f.Status == fact.Renamed && f.Previous != "" && f.Previous != f.Path {
			out = append(out, f.Previous)
		}
	}
	return out
}
