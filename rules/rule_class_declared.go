package rules

import (
	"primum/rules/fact"
	"primum/rules/policy"
)

const classDeclaredID = "class-declared"

var classDeclared = Rule{
	ID:       classDeclaredID,
	Title:    "Every touched path belongs to one item",
	Short:    "unmapped path",
	Group:    "risk",
	Clauses:  []string{"4.3.f", "4.3.g"},
	Defaults: perClass(policy.Warn, policy.Warn, policy.Warn),
	Since:    "0.1",
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedBaseFiles},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnPushed, fact.OnPolicy},
	Why: "What belongs to no item has no class, and what has no class counts as the highest one. That is safe and rarely right: the map should say " +
		"where new folders belong.",
	Fix:  "Add the path to an item in the policy, or to not-device-software, in a small change of its own.",
	Good: Example{Text: "`fw/dosing/rate.c` lies in the paths of the item dosing."},
	Bad: Example{
		Text: "`fw/newpart/new.c` lies in the paths of no item.",
		Edit: func(c *fact.Change) {
			c.Files = append(c.Files, fact.File{Path: "fw/newpart/new.c", Status: fact.Added, Added: 1})
		},
	},
	Check: checkClassDeclared,
}

func checkClassDeclared(c *Case) Result {
	var findings []Finding
	if paths := c.unmapped(); len(paths) > 0 {
		verb := " belong to no item and count as class "
		if len(paths) == 1 {
			verb = " belongs to no item and counts as class "
		}
		findings = append(findings, Finding{
			Outcome: Fail, Message: fewPaths(paths) + verb + string(c.Policy.Ladder.Highest()),
			Fix: "Add the path to an item in " + c.People.policyAt + ", or to not-device-software, in a change of its own",
			Who: []string{"whoever looks after " + c.People.policyAt}, Path: paths[0],
		})
	}
	if len(c.Class.Double) > 0 {
		d := c.Class.Double[0]
		findings = append(findings, Finding{
			Outcome: Fail,
			Message: code(d.Path) + " belongs to " + list(append([]string{d.Item}, d.Also...)) + " at once and counts as class " + string(d.Class) +
				andMore(len(c.Class.Double)-1),
			Fix: "Narrow the paths in " + c.People.policyAt + " so that one item has it",
			Who: []string{"whoever looks after " + c.People.policyAt}, Path: d.Path,
		})
	}
	var ev []Evidence
	for _, g := range c.Class.Groups {
		ev = append(ev, Evidence{Kind: "policy", Ref: g.Item, Text: plural(g.Paths, "path", "paths") + ", " + g.Why})
	}
	return judged("Every touched path belongs to one item", findings, ev...)
}

// unmapped are the paths without an item that should have one. The policy, the
// workflows and other files with a guard of their own support the software and
// are no part of it (5.1.10); they count as the highest class all the same.
func (c *Case) unmapped() []string {
	if len(c.Class.Unmapped) == 0 {
		return nil
	}
	support := map[string]bool{}
	for _, g := range c.files.guarded {
		support[g.path] = true
	}
	for _, fs := range [][]*fact.File{c.files.workflows, c.files.settings} {
		for _, f := range fs {
			for _, p := range f.Touches() {
				support[p] = true
			}
		}
	}
	var out []string
	for _, p := range c.Class.Unmapped {
		if !support[p] {
			out = append(out, p)
		}
	}
	return out
}

func andMore(n int) string {
	if n <= 0 {
		return ""
	}
	return " (and " + plural(n, "further path", "further paths") + ")"
}
