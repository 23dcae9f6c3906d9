package class

import "slices"

// Derive works out the class of every system and item (IEC 62304, 4.3 d to g
// and 7.2.2 b) in two passes over the tree, in time linear in its size.
//
// Pass 1, bottom up: an item is raised to the strictest of its own class, the
// classes of the risks it controls and its parts; a system to the strictest of
// its own class and its items. Pass 2, top down: an item with a class of its own
// and a valid rationale keeps what pass 1 gave it; every other item takes the
// class of what it is a part of. A system in whose tree nothing has a class
// counts as the highest of the ladder.
//
// Rationale.Valid is taken as the caller set it. Derive never fails: what is
// wrong with the declarations is listed in Tree.Violations, and meanwhile the
// stricter class counts. An item whose ancestors form a circle or do not exist
// counts as the highest class; the policy parser refuses such items.
func Derive(l Ladder, systems []System, items []Item) Tree {
	d := newDeriver(l, systems, items)
	d.raise()
	d.settle()
	d.findViolations()
	return Tree{Ladder: l, Systems: d.systemClasses(), Items: d.results(), Violations: d.violations}
}

// node is one item on its way through the passes.
type node struct {
	item     Item
	parent   int   // index of the parent item, -1 for none
	children []int // indices, in declared order
	systems  []int // systems the item ships in
	lost     bool  // no way up to a system: unknown parent or a circle

	demand    Level  // the strictest of its own class and the risks it controls
	risk      string // the first risk of the strictest class controlled
	riskClass Level
	raised    Level
	raisedBy  int // the item whose demand gave raised, -1 for none

	effective Level
	above     Level // what it would inherit
	aboveID   string
	origin    Origin
	from      string
}

type deriver struct {
	ladder     Ladder
	systems    []System
	classes    []SystemClass
	unclassed  []bool // systems in whose tree nothing has a class
	nodes      []node
	order      []int // parents before their parts; lost items last
	violations []Violation
}

func newDeriver(l Ladder, systems []System, items []Item) *deriver {
	d := &deriver{ladder: l, systems: systems}
	byID := make(map[string]int, len(items))
	for _, it := range items {
		if at, twice := byID[it.ID]; twice {
			// Refused by the parser; here the stricter declaration counts.
			d.nodes[at].item.Own = l.Max(d.nodes[at].item.Own, it.Own)
			d.nodes[at].item.Paths = append(append([]string(nil), d.nodes[at].item.Paths...), it.Paths...)
			continue
		}
		byID[it.ID] = len(d.nodes)
		d.nodes = append(d.nodes, node{item: it, parent: -1, raisedBy: -1})
	}
	d.link(byID)
	return d
}

// link ties items to parents and systems and fills the order of the passes.
func (d *deriver) link(byID map[string]int) {
	systemAt := make(map[string]int, len(d.systems))
	for i, s := range d.systems {
		systemAt[s.ID] = i
	}
	for i := range d.nodes {
		n := &d.nodes[i]
		parent, known := byID[n.item.Parent]
		switch {
		case n.item.Parent == "":
			d.order = append(d.order, i)
		case known:
			n.parent = parent
			d.nodes[parent].children = append(d.nodes[parent].children, i)
		default:
			if _, isSystem := systemAt[n.item.Parent]; !isSystem {
				n.lost = true
			}
			d.order = append(d.order, i)
		}
	}
	seen := make([]bool, len(d.nodes))
	for at := 0; at < len(d.order); at++ { // grows while it is walked
		i := d.order[at]
		seen[i] = true
		for _, c := range d.nodes[i].children {
			d.nodes[c].lost = d.nodes[i].lost
			d.order = append(d.order, c)
		}
	}
	for i := range d.nodes { // what no root reaches lies in a circle
		if !seen[i] {
			d.nodes[i].lost = true
			d.nodes[i].parent = -1
			d.nodes[i].children = nil
			d.order = append(d.order, i)
		}
	}
	for _, i := range d.order {
		d.nodes[i].systems = d.shipsIn(i, systemAt)
	}
}

// shipsIn says which systems an item is a part of: those it names, else its
// parent's, else all.
func (d *deriver) shipsIn(i int, systemAt map[string]int) []int {
	n := &d.nodes[i]
	names := n.item.Systems
	if at, isSystem := systemAt[n.item.Parent]; isSystem && n.parent < 0 && len(names) == 0 {
		return []int{at}
	}
	var in []int
	for _, name := range names {
		if at, ok := systemAt[name]; ok {
			in = append(in, at)
		}
	}
	if len(in) > 0 {
		return in
	}
	if n.parent >= 0 {
		return d.nodes[n.parent].systems
	}
	for at := range d.systems {
		in = append(in, at)
	}
	return in
}

// raise is pass 1: the worst part raises the whole.
func (d *deriver) raise() {
	for i := range d.nodes {
		n := &d.nodes[i]
		for _, c := range n.item.Controls {
			if d.ladder.Rank(c.Class) > d.ladder.Rank(n.riskClass) {
				n.riskClass, n.risk = c.Class, c.Risk
			}
		}
		if d.ladder.Rank(n.item.Own) > 0 {
			n.demand = n.item.Own
		}
		n.demand = d.ladder.Max(n.demand, n.riskClass)
		if n.demand != "" {
			n.raised, n.raisedBy = n.demand, i
		}
	}
	d.classes = make([]SystemClass, len(d.systems))
	d.unclassed = make([]bool, len(d.systems))
	for i, s := range d.systems {
		d.classes[i] = SystemClass{ID: s.ID, Own: s.Own}
		if d.ladder.Rank(s.Own) > 0 {
			d.classes[i].Effective = s.Own
		}
	}
	for _, i := range slices.Backward(d.order) {
		n := &d.nodes[i]
		if n.parent >= 0 {
			p := &d.nodes[n.parent]
			if d.ladder.Rank(n.raised) > d.ladder.Rank(p.raised) {
				p.raised, p.raisedBy = n.raised, n.raisedBy
			}
		}
		// A part may ship in fewer systems than its parent, so every item, not
		// only the topmost, raises the systems it ships in.
		for _, s := range n.systems {
			sc := &d.classes[s]
			if d.ladder.Rank(n.raised) > d.ladder.Rank(sc.Effective) {
				sc.Effective, sc.RaisedBy = n.raised, d.nodes[n.raisedBy].item.ID
			}
		}
	}
	for i := range d.classes {
		if d.classes[i].Effective == "" {
			d.classes[i].Effective = d.ladder.Highest()
			d.unclassed[i] = true
		}
		if d.classes[i].Own == "" {
			d.classes[i].RaisedBy = "" // nothing was declared that it rose above
		}
	}
}

// settle is pass 2: parts inherit, valid rationales hold single parts down.
func (d *deriver) settle() {
	for _, i := range d.order {
		n := &d.nodes[i]
		nothing := d.inherit(n)
		own := d.ladder.Rank(n.item.Own) > 0
		if own && n.item.Rationale.Valid && !n.lost {
			n.effective = n.raised
		} else {
			n.effective = n.above
		}
		switch {
		case n.effective == n.item.Own && n.effective == n.above:
			n.origin = FromOwn
		case n.effective != n.above:
			n.origin, n.from = FromRationale, n.item.Rationale.Path
		case n.raised == n.effective && n.riskClass == n.effective:
			n.origin, n.from = FromRisk, n.risk
		case n.raised == n.effective && n.raisedBy >= 0 && n.raisedBy != i:
			n.origin, n.from = FromChild, d.nodes[n.raisedBy].item.ID
		case nothing:
			n.origin, n.from = FromNothing, n.aboveID
		default:
			n.origin, n.from = FromParent, n.aboveID
		}
	}
}

// inherit fills in what an item would take from above; nothing is true if that
// is the highest class only because nothing there has one.
func (d *deriver) inherit(n *node) (nothing bool) {
	if n.lost || len(n.systems) == 0 {
		n.above = d.ladder.Highest()
		return true
	}
	if n.parent >= 0 {
		p := &d.nodes[n.parent]
		n.above, n.aboveID = p.effective, p.item.ID
		return p.origin == FromNothing
	}
	for _, s := range n.systems {
		if d.ladder.Rank(d.classes[s].Effective) > d.ladder.Rank(n.above) {
			n.above, n.aboveID = d.classes[s].Effective, d.classes[s].ID
			nothing = d.unclassed[s]
		}
	}
	return nothing
}

func (d *deriver) systemClasses() []SystemClass { return d.classes }

func (d *deriver) results() map[string]Result {
	out := make(map[string]Result, len(d.nodes))
	for i := range d.nodes {
		n := &d.nodes[i]
		raised := n.raised
		if raised == "" {
			raised = n.effective // a part without any demand is what it inherits
		}
		out[n.item.ID] = Result{
			Item: n.item, Raised: raised, Effective: n.effective, Origin: n.origin, From: n.from,
		}
	}
	return out
}
