package rules

import (
	"slices"
	"strings"

	"primum/rules/class"
	"primum/rules/fact"
	"primum/rules/policy"
)

const classTreeValidID = "class-tree-valid"

var classTreeValid = Rule{
	ID:       classTreeValidID,
	Title:    "The declared classes hold together",
	Short:    "class tree",
	Group:    "risk",
	Clauses:  []string{"4.3.a", "4.3.c", "4.3.d", "4.3.e", "5.3.5", "7.2.2", "8.2.2"},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Since:    "0.1",
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedBaseFiles, fact.NeedIssues, fact.NeedCommits, fact.NeedComments},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnPushed, fact.OnPolicy, fact.OnIssue},
	Why: "A part inherits the class of the whole; it stays below only with a written rationale of how it is kept apart. A part above its whole raises " +
		"the whole. An item that controls a risk has at least that risk's class. Until the declarations agree, the stricter class counts.",
	Fix: "Raise the class of the items or systems named, or add the rationale file that says how the part is segregated. Lowering a class needs a change " +
		"request of kind classification.",
	Good: Example{Text: "ui is class A in a class C system and names docs/risk/ui-segregation.md, which exists."},
	Bad: Example{
		Text: "The rationale of ui, docs/risk/ui-segregation.md, does not exist on the target branch.",
		Edit: func(c *fact.Change) {
			for path, b := range c.BaseFiles {
				if strings.Contains(path, "ui") {
					b.Missing, b.Text = true, ""
					c.BaseFiles[path] = b
				}
			}
		},
	},
	Check: checkClassTreeValid,
}

func checkClassTreeValid(c *Case) Result {
	violations := c.Tree.Violations
	mended := 0
	var lowered []ClassFall
	if c.HeadRules != nil {
		next := treeOf(c.HeadRules, c.Change)
		before := len(violations)
		violations = slices.DeleteFunc(slices.Clone(violations), func(v class.Violation) bool {
			return !slices.ContainsFunc(next.Violations, func(w class.Violation) bool { return w.Kind == v.Kind && w.Item == v.Item })
		})
		mended = before - len(violations)
		lowered = falls(c.Tree, next)
	}
	var findings []Finding
	for i := range violations {
		findings = append(findings, c.violation(&violations[i]))
	}
	if f, ok := c.lowering(lowered); !ok {
		findings = append(findings, f)
	}
	good := "The declared classes hold together"
	if mended > 0 {
		good = "The change mends what was wrong with the declared classes"
	}
	return judged(good, findings)
}

// violation says what is wrong with one declaration and which would be right.
func (c *Case) violation(v *class.Violation) Finding {
	f := Finding{Outcome: Fail, Who: []string{"whoever looks after " + c.People.policyAt}, Path: c.People.policyAt}
	switch v.Kind {
	case class.NeedsRationale:
		f.Message = "Item " + v.Item + " is declared " + string(v.Declared) + " inside class " + string(v.Needed) + ": " + v.Detail
		f.Fix = "Write a rationale of how " + v.Item + " is kept apart and name it under rationale, or raise " + v.Item + " to " + string(v.Needed)
	case class.ParentTooLow:
		f.Message = v.Detail
		f.Fix = "Raise " + list(v.Raise) + " to " + string(v.Needed) + " in " + f.Path
	case class.BelowRisk:
		f.Message = "Item " + v.Item + " is declared " + string(v.Declared) + " and " + v.Detail
		f.Fix = "Raise " + list(append([]string{v.Item}, v.Raise...)) + " to " + string(v.Needed) + " in " + f.Path
	case class.NoClass:
		f.Message = "System " + v.Item + " has no declared class: " + v.Detail
		f.Fix = "Write class: " + string(v.Needed) + " (or the class found for it) in " + f.Path
	default:
		f.Message, f.Fix = string(v.Kind)+": "+v.Detail, "Correct the classes in "+f.Path
	}
	return f
}

// lowering asks a change that lowers a class for a change request of kind
// classification.
func (c *Case) lowering(falls []ClassFall) (Finding, bool) {
	if len(falls) == 0 {
		return Finding{}, true
	}
	for _, r := range c.issues.requests {
		if strings.Contains(strings.ToLower(field(&r.texts.Form, "kind")), "classification") {
			return Finding{}, true
		}
	}
	var what []string
	for _, f := range falls {
		what = append(what, f.Item+" from "+string(f.From)+" to "+string(f.To))
	}
	return Finding{
		Outcome: Fail, Message: "The change lowers the class of " + few(what) + " without a change request of kind classification",
		Fix: "Open a change request of kind classification with the reasons and link it", Who: c.opener(), Path: c.People.policyAt,
	}, false
}
