// Package catalog prints the registry of rules: as reference pages and a table
// in Markdown, as text for terminals, as JSON, and as the coverage of IEC 62304's
// clauses by class. Everything is read from the rules' own declarations and
// from the table of clauses, so documentation cannot differ from what is judged.
// Equal registries print equal bytes. The package is pure.
package catalog

import (
	"fmt"
	"slices"
	"strings"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/clause"
	"primum/rules/policy"
)

// levels are the classes that tables have a column for: those of the current
// ladder, least strict first.
func levels() []class.Level {
	var out []class.Level
	for _, s := range class.Current().Levels {
		out = append(out, s.Level)
	}
	return out
}

// shipped is what a rule does at a class when no policy says otherwise.
func shipped(r rules.Rule, v class.Level) policy.Setting { return spec(r).Shipped(class.Current(), v) }

func spec(r rules.Rule) policy.Spec {
	return policy.Spec{ID: r.ID, Title: r.Title, Defaults: r.Defaults, Params: r.Params}
}

// waivable reports whether a waiver can cover the rule at a class.
func waivable(r rules.Rule, v class.Level) bool {
	return slices.Contains(r.Waivable, class.Current().Column(v))
}

// waivers says in words where a waiver can cover the rule.
func waivers(r rules.Rule) string {
	var at []string
	for _, v := range levels() {
		if waivable(r, v) {
			at = append(at, string(v))
		}
	}
	switch len(at) {
	case 0:
		return "never"
	case len(levels()):
		return "at every class"
	}
	return "at class " + strings.Join(at, " and ")
}

// value is a parameter's value as a policy file would hold it.
func value(v any) string {
	switch v := v.(type) {
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	case []policy.Role:
		words := make([]string, len(v))
		for i, r := range v {
			words[i] = string(r)
		}
		return "[" + strings.Join(words, ", ") + "]"
	case string:
		if v == "" {
			return `""`
		}
		return v
	default:
		return fmt.Sprint(v)
	}
}

// kind is a parameter's type in words.
func kind(p policy.Param) string {
	var s string
	switch p.Kind {
	case policy.KindInt:
		s = "number"
		if p.Unit != "" {
			s += " of " + p.Unit
		}
		switch {
		case p.Max > 0:
			s += fmt.Sprintf(", %d to %d", p.Min, p.Max)
		case p.Min > 0:
			s += fmt.Sprintf(", at least %d", p.Min)
		}
		return s
	case policy.KindBool:
		return "true or false"
	case policy.KindList:
		s = "list"
	case policy.KindRoles:
		s = "list of roles"
	case policy.KindText:
		s = "text"
	}
	if len(p.Enum) > 0 {
		s += ": " + strings.Join(p.Enum, ", ")
	}
	return s
}

// cited is a clause with its title, as a rule cites it.
func cited(id string) string {
	if c, ok := clause.Find(id); ok {
		return id + " " + c.Title
	}
	return id
}

// groups are the groups of the rules in the order of their first rule.
func groups(all []rules.Rule) []string {
	var out []string
	for _, r := range all {
		if !slices.Contains(out, r.Group) {
			out = append(out, r.Group)
		}
	}
	return out
}

func ofGroup(all []rules.Rule, group string) []rules.Rule {
	var out []rules.Rule
	for _, r := range all {
		if r.Group == group {
			out = append(out, r)
		}
	}
	return out
}

func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
