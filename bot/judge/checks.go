package judge

import (
	"primum/rules"
	"primum/rules/fact"
	"primum/rules/policy"
)

// checks are the names of other people's checks that can change a verdict: those
// the policy requires at the class of the change, and those that the change's own
// version of the policy would ask for, since its preview shows the outcome.
// Deliveries about any other check mark nothing (law 10). nil means that it is not
// known, so that any may matter.
func (r *reading) checks(v *rules.Verdict) []string {
	if _, known := r.facts.Why(fact.NeedPolicy); !known {
		return nil
	}
	names := []string{}
	add := func(refs []policy.CheckRef) {
		for _, c := range refs {
			names = append(names, c.Name)
		}
	}
	if p := r.policy.policy; p != nil && r.governed {
		add(p.Checks[v.Class.Class])
	}
	if p := r.head.policy; p != nil {
		for _, refs := range p.Checks {
			add(refs)
		}
	}
	return append([]string{}, sorted(names)...) // never nil
}
