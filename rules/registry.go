package rules

import (
	"primum/rules/class"
	"primum/rules/fact"
	"primum/rules/policy"
)

// All lists every rule of this build in the order of the catalogue. The rules
// share their maps and slices with the registry: they are for reading.
func All() []Rule {
	return []Rule{
		linkChangeRequest,
		linkProblemReport,
		crAnalysisComplete,
		crApproved,
		reviewQuorum,
		reviewAuthorNotApprover,
		reviewIndependent,
		reviewNotStale,
		reviewMeaning,
		classDeclared,
		classTreeValid,
		riskAssessmentPresent,
		verifyChecksGreen,
		verifyNotWeakened,
		verifyFixHasTest,
		configProtectedFiles,
		configCommitIdentity,
		waiverValid,
	}
}

// Find returns the rule with this id.
func Find(id string) (Rule, bool) {
	for _, r := range All() {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// Specs is what the policy's parser, its schema and the reference pages need to
// know of the rules, in the order of the catalogue.
func Specs() []policy.Spec {
	all := All()
	specs := make([]policy.Spec, len(all))
	for i, r := range all {
		specs[i] = policy.Spec{ID: r.ID, Title: r.Title, Defaults: r.Defaults, Params: r.Params}
	}
	return specs
}

// Needs is the union of what the rules enabled by a policy need, at whatever
// class, in the order of their first mention; for a nil policy that of all rules
// as shipped. The class of a change follows from its files, so these are
// needed whatever is enabled.
func Needs(p *policy.Policy) []fact.Need {
	seen := map[fact.Need]bool{}
	var out []fact.Need
	add := func(n fact.Need) {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	add(fact.NeedPolicy)
	add(fact.NeedFiles)
	add(fact.NeedBaseFiles)
	for _, r := range All() {
		if !enabledSomewhere(p, &r) {
			continue
		}
		for _, n := range r.Needs {
			add(n)
		}
	}
	return out
}

// Triggers is the set of happenings that can change a verdict under a policy;
// for a nil policy under the rules as shipped. A change of head, base, draft
// state or policy, and a request, always can.
func Triggers(p *policy.Policy) map[fact.Trigger]bool {
	set := map[fact.Trigger]bool{
		fact.OnOpened: true, fact.OnPushed: true, fact.OnPolicy: true, fact.OnRequest: true, fact.OnEdited: true,
	}
	for _, r := range All() {
		if enabledSomewhere(p, &r) {
			for _, t := range r.Triggers {
				set[t] = true
			}
		}
	}
	return set
}

// enabledSomewhere reports whether a rule is judged at any class of the ladder.
func enabledSomewhere(p *policy.Policy, r *Rule) bool {
	if p != nil {
		return p.Enabled(r.ID)
	}
	for _, e := range r.Defaults {
		if e != policy.Off {
			return true
		}
	}
	return false
}

// perClass gives one value to each column.
func perClass[T any](a, b, c T) map[class.Level]T {
	return map[class.Level]T{"A": a, "B": b, "C": c}
}

// defaults is perClass for the values of a parameter.
func defaults(a, b, c any) map[class.Level]any { return perClass(a, b, c) }

// perColumn lists some columns.
func perColumn(columns ...class.Level) []class.Level { return columns }

// everywhere lists all columns: a rule that can be waived at each of them.
func everywhere() []class.Level { return []class.Level{"A", "B", "C"} }
