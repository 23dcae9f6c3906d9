package policy

import (
	"encoding/json"

	"primum/rules/class"
)

// SchemaID is the $id of the JSON Schema of policy files.
const SchemaID = "urn:primum:schema:policy-v1"

// Schema is the JSON Schema (draft 2020-12) of the policy file for the current
// ladder of classes and these rules, from the same table of keys that Parse
// uses. It is indented, ends with a line break, and is the same for the same
// rules. What a schema cannot say (that a role exists, that items form a tree)
// is left to Parse.
func Schema(specs []Spec) ([]byte, error) {
	g := schemaWriter{defs: map[string]any{}}
	root := g.of(fileShape(class.Current(), specs))
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = SchemaID
	root["title"] = "Primum policy"
	root["$defs"] = g.defs
	root["anyOf"] = []any{map[string]any{"required": []any{"product"}}, map[string]any{"required": []any{"products"}}, map[string]any{"required": []any{"extends"}}, map[string]any{"required": []any{"locked"}}}
	raw, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(raw, '\n'), nil
}

type schemaWriter struct{ defs map[string]any }

// of is one shape as a schema; shapes with a name go to $defs, which lets them
// hold themselves.
func (g schemaWriter) of(s *shape) map[string]any {
	if s.def == "" {
		return g.inline(s)
	}
	if _, done := g.defs[s.def]; !done {
		g.defs[s.def] = nil // holds the place while the shape is within itself
		g.defs[s.def] = g.inline(s)
	}
	ref := map[string]any{"$ref": "#/$defs/" + s.def}
	if s.doc != "" {
		ref["description"] = s.doc // editors show the nearest one
	}
	return ref
}

func (g schemaWriter) inline(s *shape) map[string]any {
	out := map[string]any{}
	if s.doc != "" {
		out["description"] = s.doc
	}
	switch s.kind {
	case kindText:
		g.text(s, out)
	case kindInt:
		out["type"], out["minimum"] = "integer", s.min
		if s.max > 0 {
			out["maximum"] = s.max
		}
	case kindBool:
		out["type"] = "boolean"
	case kindList:
		out["type"], out["items"] = "array", g.of(s.elem)
		if s.max > 0 {
			out["maxItems"] = s.max
		}
	case kindMap, kindDict:
		g.object(s, out)
	case kindEither:
		var alts []any
		for _, alt := range []*shape{s.scalar, s.sequence, s.mapping} {
			if alt != nil {
				alts = append(alts, g.of(alt))
			}
		}
		out["oneOf"] = alts
	case kindAny:
	}
	return out
}

func (g schemaWriter) text(s *shape, out map[string]any) {
	out["type"] = "string"
	if len(s.enum) > 0 {
		out["enum"] = s.enum
		return
	}
	out["minLength"], out["maxLength"] = 1, maxText
	if s.pattern != "" {
		out["pattern"] = s.pattern
	}
}

func (g schemaWriter) object(s *shape, out map[string]any) {
	out["type"] = "object"
	properties := map[string]any{}
	var required []string
	for _, f := range s.fields {
		properties[f.key] = g.of(f.shape)
		if f.required {
			required = append(required, f.key)
		}
	}
	out["properties"] = properties
	if required != nil {
		out["required"] = required
	}
	out["additionalProperties"] = false
	if s.kind == kindDict {
		out["additionalProperties"] = g.of(s.elem)
		out["propertyNames"] = map[string]any{"pattern": s.keyRE}
	}
}
