package policy

import (
	"maps"
	"slices"
	"strings"

	"primum/rules/class"
)

// rules fills in the setting of every rule at every class.
func (b *builder) rules() {
	b.p.Rules = make(map[string]map[class.Level]Setting, len(b.specs))
	for _, spec := range b.specs {
		byLevel := make(map[class.Level]Setting, len(b.p.Ladder.Levels))
		for _, step := range b.p.Ladder.Levels {
			w := b.w.dig("rules", spec.ID, string(step.Level))
			byLevel[step.Level] = b.setting(spec, step, w)
		}
		b.p.Rules[spec.ID] = byLevel
	}
}

// Shipped is the setting a rule has at a class when no file says anything.
func (s Spec) Shipped(l class.Ladder, v class.Level) Setting {
	column := l.Column(v)
	set := Setting{Enforcement: s.Defaults[column], Origin: ShippedDefault}
	if set.Enforcement == "" {
		set.Enforcement = Off
	}
	if len(s.Params) > 0 {
		set.Params = make(map[string]any, len(s.Params))
	}
	for _, p := range s.Params {
		set.Params[p.Name] = p.shipped(column)
	}
	return set
}

// shipped is the default of a parameter in the Go type of its kind.
func (p Param) shipped(column class.Level) any {
	v := p.Default[column]
	switch p.Kind {
	case KindInt:
		n, _ := v.(int)
		return n
	case KindBool:
		t, _ := v.(bool)
		return t
	case KindText:
		s, _ := v.(string)
		return s
	case KindList:
		l, _ := v.([]string)
		return l
	case KindRoles:
		if names, ok := v.([]string); ok {
			return roles(names)
		}
		r, _ := v.([]Role)
		return r
	}
	return v
}

func roles(names []string) []Role {
	out := make([]Role, len(names))
	for i, n := range names {
		out[i] = Role(n)
	}
	return out
}

func (b *builder) setting(spec Spec, step class.Step, w *written) Setting {
	shipped := spec.Shipped(b.p.Ladder, step.Level)
	set := shipped
	if w == nil || len(w.entries) == 0 {
		return set
	}
	set.Params = make(map[string]any, len(shipped.Params))
	maps.Copy(set.Params, shipped.Params)
	key := "rules." + spec.ID + "." + string(step.Level) + "."
	if e := b.note(w.get(keyEnforcement), key+keyEnforcement); e != nil {
		set.Enforcement, set.Origin = Enforcement(e.text), e.origin()
	}
	for _, p := range spec.Params {
		v := b.note(w.get(p.Name), key+p.Name)
		if v == nil {
			continue
		}
		set.Params[p.Name] = p.value(v)
		if set.Origin == ShippedDefault {
			set.Origin = v.origin()
		}
	}
	if len(set.Params) == 0 {
		set.Params = nil
	}
	set.Weakened = weaker(spec, shipped, set)
	return set
}

// value is a written parameter in the Go type of its kind.
func (p Param) value(w *written) any {
	switch p.Kind {
	case KindInt:
		return w.number
	case KindBool:
		return w.truth
	case KindList:
		return w.texts()
	case KindRoles:
		return roles(w.texts())
	case KindText:
	}
	return w.text
}

// roles checks that somebody can hold every role that is asked for. The built-in
// ones may be undefined: then a rule can only fail, and that is a warning.
func (b *builder) roles() {
	known := roleNames(BuiltInRoles())
	for r := range b.p.People {
		known = append(known, string(r))
	}
	slices.Sort(known)
	known = slices.Compact(known)
	warned := map[Role]bool{}
	var wanted []string
	ask := func(at *written, r Role, by string) {
		switch {
		case len(b.p.People[r]) > 0 || warned[r]:
		case b.p.People[r] == nil && !slices.Contains(BuiltInRoles(), r):
			warned[r] = true
			b.fail(at, idUnknownRole, "there is no role "+quote(string(r)), didYouMean(string(r), known, `declare it under "people"`))
		case len(b.p.People) == 0:
			warned[r] = true
			wanted = append(wanted, string(r))
		default:
			warned[r] = true
			b.warn(at, idNobody, "nobody holds the role "+string(r), by+` can only fail; name people for it under "people"`)
		}
	}
	for _, spec := range b.specs {
		for _, step := range b.p.Ladder.Levels {
			set := b.p.Rules[spec.ID][step.Level]
			if set.Enforcement == Off {
				continue
			}
			for _, p := range spec.Params {
				if p.Kind != KindRoles {
					continue
				}
				w := b.w.dig("rules", spec.ID, string(step.Level), p.Name)
				for i, r := range set.Roles(p.Name) {
					at := w
					if w != nil {
						at = w.list[i]
					}
					ask(at, r, "the rule "+spec.ID)
				}
			}
		}
	}
	if w := b.w.get("protected"); w != nil {
		for _, e := range w.list {
			ask(e.get("role"), Role(e.get("role").str()), "a change of these files")
		}
	}
	if len(wanted) > 0 {
		b.warn(nil, idNobody, "the policy names no people", `rules that ask for a role can only fail; name people for `+strings.Join(wanted, ", ")+` under "people"`)
	}
}
