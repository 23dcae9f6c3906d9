package rules

import (
	"slices"

	"primum/rules/class"
	"primum/rules/policy"
)

// preview holds the change's own version of the policy against the one that
// governs: what it loosens, whose class falls, and how the change would fare.
// It returns nil if the change does not touch the policy.
func preview(in Input, v *Verdict) *Preview {
	if len(in.HeadPolicyErrors) > 0 {
		return &Preview{Errors: in.HeadPolicyErrors}
	}
	if in.HeadPolicy == nil {
		return nil
	}
	out := &Preview{}
	if in.Policy != nil {
		for _, d := range policy.Diff(in.Policy, in.HeadPolicy, Specs()) {
			out.Changes = append(out.Changes, PolicyChange{Words: d.Words, Weaker: d.Weaker})
		}
		out.Falls = falls(v.Tree, treeOf(in.HeadPolicy, in.Change))
	}
	then := in
	then.FactsDigest = v.FactsDigest
	then.Policy, then.PolicyErrors, then.HeadPolicy = in.HeadPolicy, nil, nil
	out.State = judge(then).State
	return out
}

// falls lists systems and items whose effective class is lower in the second
// tree, systems first, items by id. An item that is gone has no class and is not
// listed: its paths then count as the highest class.
func falls(old, now class.Tree) []ClassFall {
	var out []ClassFall
	for _, s := range old.Systems {
		for _, t := range now.Systems {
			if s.ID == t.ID && now.Ladder.Rank(t.Effective) < now.Ladder.Rank(s.Effective) {
				out = append(out, ClassFall{Item: s.ID, From: s.Effective, To: t.Effective})
			}
		}
	}
	ids := make([]string, 0, len(old.Items))
	for id := range old.Items {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		t, ok := now.Items[id]
		if from := old.Items[id].Effective; ok && now.Ladder.Rank(t.Effective) < now.Ladder.Rank(from) {
			out = append(out, ClassFall{Item: id, From: from, To: t.Effective})
		}
	}
	return out
}
