package judge

import (
	"maps"

	"primum/rules"
	"primum/rules/fact"
)

// An approval is given for what its giver knew, the class of the change among
// it; a rise in class drops it (law 3). No forge tells what the class was, so it
// is remembered when a review is first judged.

// recallClasses fills in the class each review was first judged at.
func recallClasses(c *fact.Change, classes map[string]string) {
	for i := range c.Reviews {
		c.Reviews[i].ClassThen = classes[c.Reviews[i].ID]
	}
}

// classify gives the class of a verdict to the approvals that have none yet; it
// reports whether there were any. A class that merely stands in for one that
// is not known (no valid policy, files not read) is given to nobody.
func (r *reading) classify(v *rules.Verdict) bool {
	_, known := r.facts.Why(fact.NeedFiles)
	if !known || !r.governed || r.policy.policy == nil || v.Class.Class == "" {
		return false
	}
	given := false
	for i := range r.facts.Reviews {
		if rev := &r.facts.Reviews[i]; rev.State == fact.Approved && rev.ClassThen == "" {
			rev.ClassThen, given = string(v.Class.Class), true
		}
	}
	return given
}

// classes are what to remember: of the reviews present, or of those known before
// too where the reviews were not read whole.
func (r *reading) classes(before map[string]string) map[string]string {
	out := map[string]string{}
	if _, known := r.facts.Why(fact.NeedReviews); !known {
		maps.Copy(out, before)
	}
	for i := range r.facts.Reviews {
		if rev := &r.facts.Reviews[i]; rev.ClassThen != "" {
			out[rev.ID] = rev.ClassThen
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
