package catalog

import (
	"encoding/json"
	"maps"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/fact"
	"primum/rules/policy"
)

// Schema names the JSON form of the catalogue.
const Schema = "primum.rules/v1"

// ruleJSON is one rule as data.
type ruleJSON struct {
	ID        string                         `json:"id"`
	Title     string                         `json:"title"`
	Group     string                         `json:"group"`
	Clauses   []string                       `json:"clauses"`
	Other     []string                       `json:"other,omitempty"`
	Since     string                         `json:"since"`
	Why       string                         `json:"why"`
	Fix       string                         `json:"fix"`
	Good      string                         `json:"good,omitempty"`
	Bad       string                         `json:"bad,omitempty"`
	Shipped   map[class.Level]map[string]any `json:"shipped"` // enforcement and parameters by class
	Waivable  []class.Level                  `json:"waivable"`
	Params    []paramJSON                    `json:"params,omitempty"`
	Needs     []fact.Need                    `json:"needs"`
	Triggers  []fact.Trigger                 `json:"triggers"`
	Evergreen bool                           `json:"evergreen,omitempty"`
}

type paramJSON struct {
	Name string           `json:"name"`
	Kind policy.ParamKind `json:"kind"`
	Doc  string           `json:"doc"`
	Unit string           `json:"unit,omitempty"`
	Enum []string         `json:"enum,omitempty"`
	Min  int              `json:"min,omitempty"`
	Max  int              `json:"max,omitempty"`
}

// JSON is the rules and the coverage of clauses as indented JSON. A single rule
// is the list of it.
func JSON(all []rules.Rule) ([]byte, error) {
	out := struct {
		Schema   string     `json:"schema"`
		Scheme   string     `json:"scheme"` // the ladder of classes
		Rules    []ruleJSON `json:"rules"`
		Coverage []Coverage `json:"coverage"`
	}{Schema: Schema, Scheme: class.Current().Scheme, Rules: make([]ruleJSON, 0, len(all)), Coverage: CoverageOf(all)}
	for _, r := range all {
		out.Rules = append(out.Rules, asJSON(r))
	}
	raw, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(raw, '\n'), nil
}

// RuleJSON is one rule as indented JSON.
func RuleJSON(r rules.Rule) ([]byte, error) {
	raw, err := json.MarshalIndent(asJSON(r), "", "  ")
	if err != nil {
		return nil, err
	}
	return append(raw, '\n'), nil
}

func asJSON(r rules.Rule) ruleJSON {
	j := ruleJSON{
		ID: r.ID, Title: r.Title, Group: r.Group, Clauses: append([]string{}, r.Clauses...), Other: r.Other, Since: r.Since,
		Why: r.Why, Fix: r.Fix, Good: r.Good.Text, Bad: r.Bad.Text, Waivable: []class.Level{},
		Needs: append([]fact.Need{}, r.Needs...), Triggers: append([]fact.Trigger{}, r.Triggers...), Evergreen: r.Evergreen,
		Shipped: map[class.Level]map[string]any{},
	}
	for _, v := range levels() {
		set := shipped(r, v)
		at := map[string]any{"enforcement": set.Enforcement}
		maps.Copy(at, set.Params)
		j.Shipped[v] = at
		if waivable(r, v) {
			j.Waivable = append(j.Waivable, v)
		}
	}
	for _, p := range r.Params {
		j.Params = append(j.Params, paramJSON{Name: p.Name, Kind: p.Kind, Doc: p.Doc, Unit: p.Unit, Enum: p.Enum, Min: p.Min, Max: p.Max})
	}
	return j
}
