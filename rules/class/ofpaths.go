package class

import (
	"cmp"
	"slices"
)

// maxDeciding bounds Derivation.Deciding.
const maxDeciding = 20

// OfPaths works out the class of a change that touches these paths (4.3 f): the
// strictest class among the items they belong to. Paths and globs are relative
// to the repository; outside are the globs of files that are not device
// software. The order of the paths does not matter and repeated ones count once.
//
// A path belongs to the deepest item whose globs match it. Where unrelated items
// match, or an item and outside, the stricter reading counts: the item of the
// highest class, and the item before outside. A path that nothing matches counts
// as the highest class of the ladder (4.3 g), except where no item has any path:
// then the whole repository is the system.
//
// A change that touches nothing but outside paths has the highest class among
// the systems, because what supports the software is controlled with it
// (5.1.10); Derivation.OnlyOutside tells.
func (t Tree) OfPaths(paths []string, outside []string) Derivation {
	s := newSorter(t, outside)
	paths = slices.Clone(paths)
	slices.Sort(paths)
	for _, p := range slices.Compact(paths) {
		s.take(p)
	}
	return s.derivation()
}

// sorter sorts touched paths into items.
type sorter struct {
	tree    Tree
	ids     []string // of items, sorted
	matcher *matcher
	whole   SystemClass // the highest system
	mapped  bool        // some item has paths
	scratch []int

	out    Derivation
	counts map[string]int // paths per item, "" for unmapped
	paths  []PathClass    // of the highest class so far, mapped ones
	loose  []PathClass    // of the highest class so far, unmapped ones
}

func newSorter(t Tree, outsideGlobs []string) *sorter {
	s := &sorter{tree: t, matcher: newMatcher(), counts: map[string]int{}}
	s.out.Scheme = t.Ladder.Scheme
	for id := range t.Items {
		s.ids = append(s.ids, id)
	}
	slices.Sort(s.ids)
	for i, id := range s.ids {
		for _, p := range t.Items[id].Item.Paths {
			s.matcher.add(i, p)
			s.mapped = true
		}
	}
	for _, p := range outsideGlobs {
		s.matcher.add(outside, p)
	}
	for _, sys := range t.Systems {
		if t.Ladder.Rank(sys.Effective) > t.Ladder.Rank(s.whole.Effective) {
			s.whole = sys
		}
	}
	if s.whole.Effective == "" { // a tree without systems is classified by nobody
		s.whole.Effective = t.Ladder.Highest()
		s.mapped = true
	}
	return s
}

// where says what a path turned out to be.
type where int

const (
	inItem where = iota
	inDouble
	inWhole // no item has paths: the repository is the system
	unmapped
	isOutside
)

// place finds the item and class of one path.
func (s *sorter) place(path string) (PathClass, where) {
	owners, out := s.matcher.owners(path, s.scratch)
	s.scratch = owners
	owners = s.deepest(owners)
	pc := PathClass{Path: path}
	switch {
	case len(owners) == 0 && out:
		return pc, isOutside
	case len(owners) == 0 && !s.mapped:
		pc.Item, pc.Class = s.whole.ID, s.whole.Effective
		return pc, inWhole
	case len(owners) == 0:
		pc.Class = s.tree.Ladder.Highest()
		return pc, unmapped
	}
	for _, o := range owners {
		id := s.ids[o]
		if eff := s.tree.Items[id].Effective; pc.Item == "" || s.rank(eff) > s.rank(pc.Class) {
			pc.Item, pc.Class = id, eff
		}
	}
	if len(owners) == 1 {
		return pc, inItem
	}
	for _, o := range owners {
		if s.ids[o] != pc.Item {
			pc.Also = append(pc.Also, s.ids[o])
		}
	}
	return pc, inDouble
}

// take sorts one path in.
func (s *sorter) take(path string) {
	pc, at := s.place(path)
	switch at {
	case isOutside:
		s.out.Outside++
		return
	case unmapped:
		s.out.Unmapped = append(s.out.Unmapped, path)
	case inDouble:
		s.out.Double = append(s.out.Double, pc)
	case inItem, inWhole:
	}
	s.count(pc)
}

// deepest drops the items that are ancestors of another one in the list.
func (s *sorter) deepest(owners []int) []int {
	if len(owners) < 2 {
		return owners
	}
	var keep []int
	for _, o := range owners {
		if !slices.ContainsFunc(owners, func(other int) bool { return s.isAbove(s.ids[o], s.ids[other]) }) {
			keep = append(keep, o)
		}
	}
	if len(keep) == 0 { // items in a circle
		return owners
	}
	return keep
}

// isAbove reports whether item a is an ancestor of item b.
func (s *sorter) isAbove(a, b string) bool {
	at := s.tree.Items[b].Item.Parent
	for range s.tree.Items { // bounds the walk where items form a circle
		if at == "" {
			return false
		}
		if at == a {
			return a != b
		}
		at = s.tree.Items[at].Item.Parent
	}
	return false
}

// count adds a path to its group and to the deciding ones if it is of the
// highest class seen.
func (s *sorter) count(pc PathClass) {
	s.counts[pc.Item]++
	switch r, top := s.rank(pc.Class), s.rank(s.out.Class); {
	case r < top:
		return
	case r > top:
		s.out.Class, s.paths, s.loose = pc.Class, nil, nil
	}
	if pc.Item == "" {
		if len(s.loose) < maxDeciding {
			s.loose = append(s.loose, pc)
		}
	} else if len(s.paths) < maxDeciding {
		s.paths = append(s.paths, pc)
	}
}

func (s *sorter) rank(v Level) int { return s.tree.Ladder.Rank(v) }

// derivation closes the books.
func (s *sorter) derivation() Derivation {
	d := s.out
	// Paths with an item come first: they say more than unmapped ones.
	d.Deciding = append(s.paths, s.loose[:min(len(s.loose), maxDeciding-len(s.paths))]...)
	d.OnlyOutside = len(s.counts) == 0 && d.Outside > 0
	for id, n := range s.counts {
		d.Groups = append(d.Groups, Group{Item: id, Class: s.classOf(id), Paths: n, Why: s.why(id)})
	}
	slices.SortFunc(d.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(s.rank(b.Class), s.rank(a.Class)), cmp.Compare(a.Item, b.Item))
	})
	first := Level("")
	for _, g := range d.Groups {
		if g.Item == "" {
			continue
		}
		if first == "" {
			first = g.Class
		}
		d.Mixed = d.Mixed || g.Class != first
	}
	if len(s.counts) == 0 {
		d.Class = s.whole.Effective
	}
	d.Reason = s.reason(d)
	return d
}

func (s *sorter) classOf(id string) Level {
	if id == "" {
		return s.tree.Ladder.Highest()
	}
	if r, ok := s.tree.Items[id]; ok {
		return r.Effective
	}
	return s.whole.Effective
}
