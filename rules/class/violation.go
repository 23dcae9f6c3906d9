package class

import "strings"

// findViolations lists what is wrong with the declarations: systems first, then
// items in declared order.
func (d *deriver) findViolations() {
	for i, s := range d.systems {
		if d.ladder.Rank(s.Own) > 0 {
			continue
		}
		v := Violation{Kind: NoClass, Item: s.ID, Needed: d.classes[i].Effective}
		if d.unclassed[i] {
			v.Detail = "nothing in " + s.ID + " has a class, so " + string(v.Needed) + " counts"
		} else {
			v.Detail = s.ID + " has no class of its own; the strictest of its items counts"
		}
		d.violations = append(d.violations, v)
	}
	for i := range d.nodes {
		d.judge(i)
	}
}

// judge compares one item's own class with its risks, its ancestors and what it
// would inherit.
func (d *deriver) judge(i int) {
	n := &d.nodes[i]
	own := d.ladder.Rank(n.item.Own)
	low := d.lowAncestors(i, n.demand)
	switch {
	case own > 0 && own < d.ladder.Rank(n.riskClass):
		d.violations = append(d.violations, Violation{
			Kind: BelowRisk, Item: n.item.ID, Declared: n.item.Own, Needed: n.riskClass, Raise: low,
			Detail: "controls " + strings.Join(d.risksOf(n), ", ") + ", whose class is " + string(n.riskClass),
		})
	case len(low) > 0:
		d.violations = append(d.violations, Violation{
			Kind: ParentTooLow, Item: n.item.ID, Declared: n.item.Own, Needed: n.demand, Raise: low,
			Detail: n.item.ID + " is " + string(n.demand) + ", so what it is a part of is too",
		})
	}
	// A rationale helps only where the item itself stays below what is above.
	if own > 0 && !n.item.Rationale.Valid && d.ladder.Rank(n.raised) < d.ladder.Rank(n.above) {
		d.violations = append(d.violations, Violation{
			Kind: NeedsRationale, Item: n.item.ID, Declared: n.item.Own, Needed: n.above,
			Detail: rationaleProblem(n.item.Rationale),
		})
	}
}

// risksOf lists the risks of the strictest class an item controls.
func (d *deriver) risksOf(n *node) []string {
	var ids []string
	for _, c := range n.item.Controls {
		if c.Class == n.riskClass {
			ids = append(ids, c.Risk)
		}
	}
	return ids
}

// lowAncestors lists the ancestors, nearest first, whose declared class is below
// level. One without a class of its own follows by itself and is not listed.
func (d *deriver) lowAncestors(i int, level Level) []string {
	var low []string
	below := func(own Level) bool {
		return d.ladder.Rank(own) > 0 && d.ladder.Rank(own) < d.ladder.Rank(level)
	}
	for p := d.nodes[i].parent; p >= 0; p = d.nodes[p].parent {
		if below(d.nodes[p].item.Own) {
			low = append(low, d.nodes[p].item.ID)
		}
	}
	for _, s := range d.nodes[i].systems {
		if below(d.systems[s].Own) {
			low = append(low, d.systems[s].ID)
		}
	}
	return low
}

func rationaleProblem(r Rationale) string {
	switch {
	case r.Path == "":
		return "no rationale is named"
	case r.Problem != "":
		return r.Path + ": " + r.Problem
	default:
		return r.Path + " is not valid"
	}
}
