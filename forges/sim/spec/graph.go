package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// loadGraph reads the GraphQL schema once per process.
var loadGraph = sync.OnceValues(func() (*ast.Schema, error) { //nolint:gochecknoglobals // constant once read
	raw, err := graph().read()
	if err != nil {
		return nil, err
	}
	doc, err := parser.ParseSchemas(validator.Prelude, &ast.Source{Name: "schema.graphql", Input: string(raw)})
	if err != nil {
		return nil, err
	}
	for _, def := range doc.Definitions {
		def.Fields = unrepeated(def.Fields)
	}
	return validator.ValidateSchemaDocument(doc)
})

// unrepeated drops fields defined twice: GitHub's published schema has some.
func unrepeated(all ast.FieldList) ast.FieldList {
	seen := map[string]bool{}
	var out ast.FieldList
	for _, f := range all {
		if !seen[f.Name] {
			out = append(out, f)
		}
		seen[f.Name] = true
	}
	return out
}

// graphRequest is the body of a GraphQL call.
type graphRequest struct {
	Query         string         `json:"query"`
	Variables     map[string]any `json:"variables"`
	OperationName string         `json:"operationName"`
}

// checkQuery holds a GraphQL document and its variables against the schema.
func checkQuery(schema *ast.Schema, in graphRequest) (*ast.QueryDocument, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: in.Query})
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	if errs := validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()); len(errs) > 0 {
		return nil, fmt.Errorf("query: %w", errs)
	}
	op := doc.Operations.ForName(in.OperationName)
	if op == nil {
		return nil, fmt.Errorf("query: no operation %q", in.OperationName)
	}
	for name := range in.Variables {
		if op.VariableDefinitions.ForName(name) == nil {
			return nil, fmt.Errorf("variable $%s is not declared", name)
		}
	}
	if _, err := validator.VariableValues(schema, op, in.Variables); err != nil {
		return nil, fmt.Errorf("variables: %w", err)
	}
	return doc, nil
}

// checkData holds the data of an answer against the query and the schema.
func checkData(schema *ast.Schema, doc *ast.QueryDocument, in graphRequest, body []byte) error {
	var answer struct {
		Data   map[string]any   `json:"data"`
		Errors []map[string]any `json:"errors"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("answer is not JSON: %w", err)
	}
	for _, e := range answer.Errors {
		if m, _ := e["message"].(string); m == "" {
			return fmt.Errorf("an error without a message: %v", e)
		}
	}
	if answer.Data == nil {
		if len(answer.Errors) == 0 {
			return errors.New("neither data nor errors")
		}
		return nil
	}
	op := doc.Operations.ForName(in.OperationName)
	root := schema.Query
	if op.Operation == ast.Mutation {
		root = schema.Mutation
	}
	c := &shape{schema: schema, doc: doc, vars: in.Variables}
	c.object(root, []ast.SelectionSet{op.SelectionSet}, answer.Data, "data", len(answer.Errors) > 0)
	return errors.Join(c.problems...)
}

// shape compares values with what the query selected.
type shape struct {
	schema   *ast.Schema
	doc      *ast.QueryDocument
	vars     map[string]any
	problems []error
}

func (c *shape) note(format string, args ...any) {
	const most = 20
	if len(c.problems) < most {
		c.problems = append(c.problems, fmt.Errorf(format, args...))
	}
}

// object compares the keys of an object. gaps says that null may stand where
// an error is reported.
func (c *shape) object(def *ast.Definition, sets []ast.SelectionSet, v map[string]any, path string, gaps bool) {
	concrete := def
	if name, ok := v["__typename"].(string); ok {
		concrete = c.schema.Types[name]
		if concrete == nil {
			c.note("%s.__typename: there is no type %q", path, name)
			return
		}
		if def.IsAbstractType() && !slices.ContainsFunc(c.schema.GetPossibleTypes(def), func(d *ast.Definition) bool { return d.Name == name }) {
			c.note("%s.__typename: %s is no %s", path, name, def.Name)
		}
		if !def.IsAbstractType() && def.Name != name {
			c.note("%s.__typename: %s where the schema has %s", path, name, def.Name)
		}
	}
	fields := map[string]*ast.Field{}
	nested := map[string][]ast.SelectionSet{}
	sure := map[string]bool{} // selected whatever the type
	var walk func(set ast.SelectionSet, certain bool)
	walk = func(set ast.SelectionSet, certain bool) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if !c.included(sel.Directives) {
					continue
				}
				fields[sel.Alias] = sel
				nested[sel.Alias] = append(nested[sel.Alias], sel.SelectionSet)
				sure[sel.Alias] = sure[sel.Alias] || certain
			case *ast.InlineFragment:
				if applies, certainly := c.applies(concrete, sel.TypeCondition); applies && c.included(sel.Directives) {
					walk(sel.SelectionSet, certain && certainly)
				}
			case *ast.FragmentSpread:
				f := c.doc.Fragments.ForName(sel.Name)
				if f == nil {
					continue
				}
				if applies, certainly := c.applies(concrete, f.TypeCondition); applies && c.included(sel.Directives) {
					walk(f.SelectionSet, certain && certainly)
				}
			}
		}
	}
	for _, set := range sets {
		walk(set, true)
	}
	for key := range v {
		if fields[key] == nil {
			c.note("%s.%s was not asked for", path, key)
		}
	}
	for key, f := range fields {
		got, given := v[key]
		if !given {
			if sure[key] {
				c.note("%s.%s is missing", path, key)
			}
			continue
		}
		if f.Definition == nil { // __typename
			continue
		}
		c.value(f.Definition.Type, nested[key], got, path+"."+key, gaps)
	}
}

func (c *shape) included(ds ast.DirectiveList) bool {
	for _, d := range ds {
		arg := d.Arguments.ForName("if")
		if arg == nil {
			continue
		}
		on, _ := arg.Value.Value(c.vars)
		if b, _ := on.(bool); (d.Name == "include" && !b) || (d.Name == "skip" && b) {
			return false
		}
	}
	return true
}

// applies reports whether a type may satisfy a condition, and whether it must.
func (c *shape) applies(def *ast.Definition, condition string) (may, must bool) {
	if condition == "" || condition == def.Name {
		return true, true
	}
	want := c.schema.Types[condition]
	if want == nil {
		return false, false
	}
	if !def.IsAbstractType() {
		ok := slices.ContainsFunc(c.schema.GetPossibleTypes(want), func(d *ast.Definition) bool { return d.Name == def.Name })
		return ok, ok
	}
	return true, false
}

func (c *shape) value(typ *ast.Type, sets []ast.SelectionSet, v any, path string, gaps bool) {
	if v == nil {
		if typ.NonNull && !gaps {
			c.note("%s is null; the schema has %s", path, typ)
		}
		return
	}
	if typ.Elem != nil {
		list, ok := v.([]any)
		if !ok {
			c.note("%s is no list", path)
			return
		}
		for i, e := range list {
			c.value(typ.Elem, sets, e, fmt.Sprintf("%s[%d]", path, i), gaps)
		}
		return
	}
	def := c.schema.Types[typ.NamedType]
	switch def.Kind {
	case ast.Object, ast.Interface, ast.Union:
		m, ok := v.(map[string]any)
		if !ok {
			c.note("%s is %T; the schema has an object %s", path, v, def.Name)
			return
		}
		c.object(def, sets, m, path, gaps)
	case ast.Enum:
		s, _ := v.(string)
		if def.EnumValues.ForName(s) == nil {
			c.note("%s: %v is no %s", path, v, def.Name)
		}
	case ast.Scalar:
		if !scalar(def.Name, v) {
			c.note("%s: %v (%T) is no %s", path, v, v, def.Name)
		}
	case ast.InputObject:
		c.note("%s is an input", path)
	}
}

func scalar(name string, v any) bool {
	switch name {
	case "Int":
		n, ok := v.(float64)
		return ok && n == float64(int32(n))
	case "Float":
		_, ok := v.(float64)
		return ok
	case "Boolean":
		_, ok := v.(bool)
		return ok
	}
	_, ok := v.(string) // ID, String, URI, DateTime, BigInt, GitObjectID …
	return ok
}
