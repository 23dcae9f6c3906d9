package policy

import (
	"cmp"
	"slices"
)

// rank orders enforcements.
func (e Enforcement) rank() int { return slices.Index([]Enforcement{Off, Warn, Block}, e) }

// rank orders modes.
func (m Mode) rank() int { return slices.Index([]Mode{Observe, Advise, Enforce}, m) }

// weaker reports whether a setting asks less than another one.
func weaker(spec Spec, old, now Setting) bool {
	if now.Enforcement.rank() < old.Enforcement.rank() {
		return true
	}
	return slices.ContainsFunc(spec.Params, func(p Param) bool {
		return p.weaker(old.Params[p.Name], now.Params[p.Name])
	})
}

// weaker reports whether a parameter's value asks less than another one. A
// change that cannot be compared counts as weaker.
func (p Param) weaker(old, now any) bool {
	if p.same(old, now) {
		return false
	}
	if p.Stricter == 0 {
		return true
	}
	switch p.Kind {
	case KindInt:
		a, _ := old.(int)
		b, _ := now.(int)
		return cmp.Compare(b, a) != p.Stricter
	case KindBool:
		b, _ := now.(bool)
		return b != (p.Stricter > 0)
	case KindText:
		a, b := slices.Index(p.Enum, textOf(old)), slices.Index(p.Enum, textOf(now))
		return a < 0 || b < 0 || cmp.Compare(b, a) != p.Stricter
	case KindList, KindRoles:
		a, b := listOf(old), listOf(now)
		if p.Stricter < 0 { // a shorter list is stricter
			a, b = b, a
		}
		return slices.ContainsFunc(a, func(v string) bool { return !slices.Contains(b, v) })
	}
	return true
}

// same compares values; the order of a list does not matter.
func (p Param) same(a, b any) bool {
	switch p.Kind {
	case KindList, KindRoles:
		x, y := slices.Sorted(slices.Values(listOf(a))), slices.Sorted(slices.Values(listOf(b)))
		return slices.Equal(x, y)
	case KindInt, KindBool, KindText:
	}
	return a == b
}

func textOf(v any) string { s, _ := v.(string); return s }

func listOf(v any) []string {
	switch l := v.(type) {
	case []string:
		return l
	case []Role:
		return roleNames(l)
	}
	return nil
}
