package sim

// AlsoHinders has fn say what else keeps an open change from being merged: what
// a forge asks for beyond the protection of a branch, such as the settings of a
// project. It runs while the forge stands still and must not call it.
func (f *Forge) AlsoHinders(fn func(*View, *Repo, *Issue) []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hinderers = append(f.hinderers, fn)
}

// furtherHinders asks everybody who has something against merges.
func (f *Forge) furtherHinders(r *Repo, is *Issue) []string {
	var out []string
	for _, fn := range f.hinderers {
		out = append(out, fn(&View{f: f}, r, is)...)
	}
	return out
}
