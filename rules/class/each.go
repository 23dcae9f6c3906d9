package class

// Each says for every path which item it belongs to and its class, in the order
// given. A path outside device software has neither; see OfPaths for the rest.
func (t Tree) Each(paths []string, outside []string) []PathClass {
	s := newSorter(t, outside)
	out := make([]PathClass, len(paths))
	for i, p := range paths {
		out[i], _ = s.place(p)
	}
	return out
}
