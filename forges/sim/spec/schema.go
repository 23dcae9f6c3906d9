package spec

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is an OpenAPI description whose schemas are compiled when asked for.
type document struct {
	root     map[string]any
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

const documentURL = "https://spec.example/description.json"

// parse reads a description; nullable asks to turn OpenAPI 3.0's own word into
// JSON Schema's.
func parse(raw []byte, nullable bool) (*document, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	root, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("description is %T, not an object", v)
	}
	if nullable {
		denull(root)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	// The library's own takes "{/name}" for an open brace.
	c.RegisterFormat(&jsonschema.Format{Name: "uri-template", Validate: uriTemplate})
	if err := c.AddResource(documentURL, root); err != nil {
		return nil, err
	}
	return &document{root: root, compiler: c, schemas: map[string]*jsonschema.Schema{}}, nil
}

var template = regexp.MustCompile(`^([^{}\s]|\{[+#./;?&]?[\w,*:%-]+\})*$`)

func uriTemplate(v any) error {
	if s, ok := v.(string); ok && !template.MatchString(s) {
		return errors.New("not a URI template (RFC 6570)")
	}
	return nil
}

// denull rewrites "nullable: true" below v.
func denull(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			denull(e)
		}
	case map[string]any:
		for k, e := range v {
			if k != "example" && k != "examples" && k != "default" {
				denull(e)
			}
		}
		mend(v)
		if on, _ := v["nullable"].(bool); !on {
			return
		}
		delete(v, "nullable")
		if enum, ok := v["enum"].([]any); ok {
			v["enum"] = append(enum, nil)
		}
		if typ, ok := v["type"].(string); ok {
			v["type"] = []any{typ, "null"}
		}
		for _, word := range []string{"allOf", "anyOf", "oneOf", "$ref"} {
			if inner, ok := v[word]; ok {
				delete(v, word)
				v["anyOf"] = []any{map[string]any{word: inner}, map[string]any{"type": "null"}}
				delete(v, "type")
				break
			}
		}
	}
}

// mend corrects what GitHub's description says and GitHub cannot answer: the
// account of an installation is a user or an enterprise, not both at once.
func mend(v map[string]any) {
	both, ok := v["allOf"].([]any)
	if !ok || len(both) != 2 {
		return
	}
	title := func(i int) any {
		m, _ := both[i].(map[string]any)
		return m["title"]
	}
	if title(0) == "Simple User" && title(1) == "Enterprise" {
		delete(v, "allOf")
		v["anyOf"] = both
	}
}

// at finds what a path of keys names, and its pointer, following references on
// the way; nil if there is nothing.
func (d *document) at(path ...string) (v any, pointer string) {
	v, pointer = d.root, "#"
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, ""
		}
		if ref, ok := m["$ref"].(string); ok {
			v, pointer = d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			if m, ok = v.(map[string]any); !ok {
				return nil, ""
			}
		}
		v, pointer = m[key], pointer+"/"+pointerEscape(key)
	}
	return v, pointer
}

func pointerEscape(s string) string {
	s = strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
	return strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D").Replace(s)
}

// check holds a JSON value against the schema at a pointer.
func (d *document) check(pointer string, value []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	s, err := d.schema(pointer)
	if err != nil {
		return err
	}
	return s.Validate(v)
}

func (d *document) schema(pointer string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := d.schemas[pointer]; ok {
		return s, nil
	}
	s, err := d.compiler.Compile(documentURL + pointer)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", pointer, err)
	}
	d.schemas[pointer] = s
	return s, nil
}
