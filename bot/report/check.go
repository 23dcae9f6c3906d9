package report

import (
	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
	"primum/rules/policy"
)

// maxAnnotations is how many annotations a check carries; GitHub takes 50 a call.
const maxAnnotations = 50

// Check is the check to put on the change's head. Its times are zero: the text
// of a verdict does not depend on when it was given.
func Check(v *rules.Verdict, o Options) forges.Report {
	r := forges.Report{
		Name:     Name,
		State:    checkState(v.State, v.Mode),
		Title:    Title(v),
		URL:      o.URL,
		External: o.External,
	}
	budget := o.Capabilities.SummaryMax
	if o.worse(v) {
		s := o.Sibling
		r.State = checkState(s.State, policy.Mode(s.Mode))
		r.Title = Clip("As change "+fact.NameOf(v.Subject.Sign, s.Number)+": "+Clean(s.Says), MaxTitle)
	}
	if v.State == rules.NA && v.Preview != nil && r.State == forges.ReportSuccess {
		r.State = forges.ReportNeutral // the change brings the first policy: shown, not yet in force
	}
	r.Short = r.Title
	if m := o.Capabilities.ShortMax; m > 0 {
		r.Short = ClipBytes(r.Short, m)
	}
	if budget > 0 {
		t := newText(v, o)
		r.Summary = compose(t.summary(), min(budget, MaxComment))
		r.Text = compose(t.details(), min(budget, MaxComment))
	}
	if o.Capabilities.Annotations {
		r.Annotations = annotations(v)
	}
	if o.Capabilities.Buttons {
		for _, b := range o.Buttons[:min(3, len(o.Buttons))] {
			r.Buttons = append(r.Buttons, forges.Button{
				ID: Clip(Clean(b.ID), 20), Label: Clip(Clean(b.Label), 20), Description: Clip(Clean(b.Description), 40),
			})
		}
	}
	return r
}

// checkState is a verdict in the words of a forge. Only advice is neutral.
func checkState(s rules.Outcome, m policy.Mode) forges.ReportState {
	switch {
	case m == policy.Advise && s != rules.Pass && s != rules.Waived:
		return forges.ReportNeutral
	case s == rules.Pass, s == rules.Waived, s == rules.NA:
		return forges.ReportSuccess
	case s == rules.Pending:
		return forges.ReportPending
	default: // Fail, Unknown, and whatever else there may be: fail closed
		return forges.ReportFailure
	}
}

// worse reports whether the sibling's verdict holds the commit up more than
// this one: one commit, several changes, the worst verdict stands.
func (o Options) worse(v *rules.Verdict) bool {
	if o.Sibling == nil {
		return false
	}
	theirs := checkState(o.Sibling.State, policy.Mode(o.Sibling.Mode))
	return weight(theirs) > weight(checkState(v.State, v.Mode))
}

func weight(s forges.ReportState) int {
	switch s {
	case forges.ReportSuccess:
		return 0
	case forges.ReportNeutral:
		return 1
	case forges.ReportPending:
		return 2
	default:
		return 3
	}
}

// annotations point at errors of the policy first, then at findings with a
// line, then at one path for each item that decides the class.
func annotations(v *rules.Verdict) []forges.Annotation {
	var out []forges.Annotation
	add := func(a forges.Annotation) {
		if a.Path != "" && len(out) < maxAnnotations {
			a.Line = max(1, a.Line)
			a.Title, a.Message = Clip(Clean(a.Title), 120), Clip(Clean(a.Message), 1000)
			out = append(out, a)
		}
	}
	for _, e := range v.PolicyErrors {
		add(policyAnnotation(e))
	}
	if v.Preview != nil {
		for _, e := range v.Preview.Errors {
			add(policyAnnotation(e))
		}
	}
	for _, r := range v.Results {
		for _, f := range r.Findings {
			if f.Line > 0 {
				level := "warning"
				if r.Enforcement == policy.Block && f.Outcome != rules.Pending {
					level = "failure"
				}
				add(forges.Annotation{Path: f.Path, Line: f.Line, Level: level, Title: r.Title, Message: join(f.Message, f.Fix)})
			}
		}
	}
	told := map[string]bool{}
	for _, p := range v.Class.Deciding {
		if told[p.Item] {
			continue
		}
		told[p.Item] = true
		message := p.Path + " belongs to item " + p.Item + ", class " + string(p.Class) + "."
		if p.Item == "" {
			message = p.Path + " belongs to no item and counts as class " + string(p.Class) + ". Give it to an item in the policy."
		}
		add(forges.Annotation{Path: p.Path, Level: "notice", Title: "Why class " + string(v.Class.Class), Message: message})
	}
	return out
}

func policyAnnotation(e policy.Error) forges.Annotation {
	return forges.Annotation{Path: e.File, Line: e.Line, Level: "failure", Title: "Policy error", Message: join(e.What, e.Fix)}
}

// join puts state and cure into one line.
func join(what, fix string) string {
	if fix == "" {
		return what
	}
	return what + "; " + fix
}
