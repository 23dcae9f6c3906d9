package policy

import "sync"

// Derived keeps what its readers work out from a policy once, such as compiled
// globs. It is safe for concurrent use and no part of what the policy says: all
// are equal.
type Derived struct{ kept sync.Map }

// Equal reports that a policy is the same whatever was worked out from it.
func (d *Derived) Equal(*Derived) bool { return true }

// Once is what make works out from the policy, made again only where Parse did
// not make the policy. make must depend on nothing else; it may run more than once.
func (p *Policy) Once(key string, make func() any) any {
	if p.Derived == nil {
		return make()
	}
	if v, ok := p.Derived.kept.Load(key); ok {
		return v
	}
	v, _ := p.Derived.kept.LoadOrStore(key, make())
	return v
}
