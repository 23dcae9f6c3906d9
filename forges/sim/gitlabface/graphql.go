package gitlabface

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"primum/forges/sim"
)

// node is an object of GitLab's GraphQL schema: its type, and what its fields
// are: nil, a scalar, a node, []node or a connection.
type node struct {
	typ string
	get func(name string, a args) (any, error)
}

// args are the arguments of a field, variables put in.
type args map[string]any

func (a args) text(name string) string {
	s, _ := a[name].(string)
	return s
}

func (a args) number(name string) (int, bool) {
	switch n := a[name].(type) {
	case int64:
		return int(n), true
	case float64:
		return int(n), true
	}
	return 0, false
}

func (a args) list(name string) []string {
	all, _ := a[name].([]any)
	var out []string
	for _, v := range all {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// connection is a list asked for by pages.
type connection struct {
	typ   string // "NoteConnection"
	nodes []node
}

// errNoField is what a node answers for a field it does not have.
var errNoField = errors.New("no such field")

// query is one request being resolved.
type query struct {
	c      *call
	s      shaper
	me     *sim.Account
	doc    *ast.QueryDocument
	vars   map[string]any
	errors []any
	fatal  bool // the query itself is wrong: no data
}

// maxComplexity is what GitLab allows a signed-in account.
const maxComplexity = 250

// graphql answers POST /api/graphql.
func (c *call) graphql() error {
	var in struct {
		Query         string         `json:"query"`
		Variables     map[string]any `json:"variables"`
		OperationName string         `json:"operationName"`
	}
	if readable := json.Unmarshal(c.body, &in) == nil; !readable || in.Query == "" {
		c.t.count(c.r.Pattern, false)
		answer(c.w, http.StatusUnprocessableEntity, j{"errors": []any{j{"message": "Unexpected end of document", "locations": []any{}}}})
		return nil
	}
	doc, wrong := parser.ParseQuery(&ast.Source{Input: in.Query})
	var op *ast.OperationDefinition
	if wrong == nil {
		op = doc.Operations.ForName(in.OperationName)
	}
	c.t.count(c.r.Pattern, op != nil && op.Operation == ast.Mutation)
	fail := func(message string) error {
		answer(c.w, http.StatusOK, j{"errors": []any{j{"message": message}}})
		return nil
	}
	switch {
	case wrong != nil:
		return fail(wrong.Error())
	case op == nil:
		return fail("No operation named \"" + in.OperationName + "\"")
	}
	q := &query{c: c, doc: doc, vars: in.Variables}
	if !q.variables(op) {
		answer(c.w, http.StatusOK, j{"errors": q.errors})
		return nil
	}
	if n := q.complexity(op.SelectionSet); n > maxComplexity {
		return fail(fmt.Sprintf("Query has complexity of %d, which exceeds max complexity of %d", n, maxComplexity))
	}
	var data *ordered
	c.t.forge.Read(func(v *sim.View) {
		q.s, q.me = c.t.shaper(v), v.Account(c.who.id)
		data = q.object(q.root(), []ast.SelectionSet{op.SelectionSet}, nil)
	})
	out := j{"data": data}
	if q.fatal {
		out = j{}
	}
	if len(q.errors) > 0 {
		out["errors"] = q.errors
	}
	answer(c.w, http.StatusOK, out)
	return nil
}

// variables checks that required ones are there and fills in defaults.
func (q *query) variables(op *ast.OperationDefinition) bool {
	if q.vars == nil {
		q.vars = map[string]any{}
	}
	for _, d := range op.VariableDefinitions {
		value, given := q.vars[d.Variable]
		if !given && d.DefaultValue != nil {
			if v, err := d.DefaultValue.Value(nil); err == nil {
				q.vars[d.Variable] = v
				continue
			}
		}
		if d.Type.NonNull && value == nil {
			q.errors = append(q.errors, j{
				"message":    fmt.Sprintf("Variable $%s of type %s was provided invalid value", d.Variable, d.Type.String()),
				"extensions": j{"value": nil, "problems": []any{j{"path": []any{}, "explanation": "Expected value to not be null"}}},
			})
		}
	}
	return len(q.errors) == 0
}

// complexity weighs a selection as GitLab does: one for each field and what is
// below it, and of a list one per cent more for each item asked for.
func (q *query) complexity(set ast.SelectionSet) int {
	n := 0
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if !q.included(sel.Directives) {
				continue
			}
			one := 1 + q.complexity(sel.SelectionSet)
			if isList(sel) {
				items := largestPage
				a := q.arguments(sel)
				for _, name := range []string{"first", "last"} {
					if k, ok := a.number(name); ok {
						items = min(items, k)
					}
				}
				one += one * items / 100
			}
			n += one
		case *ast.InlineFragment:
			if q.included(sel.Directives) {
				n += q.complexity(sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			if f := q.doc.Fragments.ForName(sel.Name); f != nil && q.included(sel.Directives) {
				n += q.complexity(f.SelectionSet)
			}
		}
	}
	return n
}

// isList reports whether a field is a connection, by what is asked of it.
func isList(f *ast.Field) bool {
	return slices.ContainsFunc(f.SelectionSet, func(sel ast.Selection) bool {
		child, ok := sel.(*ast.Field)
		return ok && (child.Name == "nodes" || child.Name == "edges")
	})
}

func (q *query) arguments(f *ast.Field) args {
	a := args{}
	for _, arg := range f.Arguments {
		if v, err := arg.Value.Value(q.vars); err == nil {
			a[arg.Name] = v
		}
	}
	return a
}

func (q *query) fail(message string, path []any, pos *ast.Position, ext j) {
	out := j{"message": message}
	if path != nil {
		out["path"] = slices.Clone(path)
	}
	if pos != nil {
		out["locations"] = []any{j{"line": pos.Line, "column": pos.Column}}
	}
	if ext != nil {
		out["extensions"] = ext
		q.fatal = true
	}
	q.errors = append(q.errors, out)
}

// ordered is a JSON object whose keys keep the order of the query.
type ordered struct {
	keys   []string
	values map[string]any
}

// MarshalJSON implements json.Marshaler.
func (o *ordered) MarshalJSON() ([]byte, error) {
	if o == nil {
		return []byte("null"), nil
	}
	var b strings.Builder
	b.WriteByte('{')
	for i, k := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(o.values[k])
		if err != nil {
			return nil, err
		}
		b.WriteString(strconv.Quote(k) + ":")
		b.Write(value)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

// wanted is one field of an answer, with the selections of all its mentions.
type wanted struct {
	first *ast.Field
	sets  []ast.SelectionSet
}

// collect gathers the fields of selections that apply to a type, in order.
func (q *query) collect(typ string, sets []ast.SelectionSet) (keys []string, fields map[string]*wanted) {
	fields = map[string]*wanted{}
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if !q.included(sel.Directives) {
					continue
				}
				key := sel.Alias
				if key == "" {
					key = sel.Name
				}
				w := fields[key]
				if w == nil {
					w = &wanted{first: sel}
					fields[key] = w
					keys = append(keys, key)
				}
				w.sets = append(w.sets, sel.SelectionSet)
			case *ast.InlineFragment:
				if q.included(sel.Directives) && implements(typ, sel.TypeCondition) {
					walk(sel.SelectionSet)
				}
			case *ast.FragmentSpread:
				f := q.doc.Fragments.ForName(sel.Name)
				if f == nil {
					q.fail(fmt.Sprintf("Fragment %s was used, but not defined", sel.Name), nil, sel.Position, j{"code": "useAndDefineFragment"})
					continue
				}
				if q.included(sel.Directives) && implements(typ, f.TypeCondition) {
					walk(f.SelectionSet)
				}
			}
		}
	}
	for _, set := range sets {
		walk(set)
	}
	return keys, fields
}

func (q *query) included(ds ast.DirectiveList) bool {
	for _, d := range ds {
		arg := d.Arguments.ForName("if")
		if arg == nil {
			continue
		}
		v, err := arg.Value.Value(q.vars)
		on, _ := v.(bool)
		if err != nil || (d.Name == "include" && !on) || (d.Name == "skip" && on) {
			return false
		}
	}
	return true
}

// implements reports whether a concrete type satisfies a type condition.
func implements(typ, condition string) bool {
	if condition == "" || condition == typ {
		return true
	}
	return slices.Contains(map[string][]string{
		"UserCore": {"User"}, "MergeRequestReviewer": {"User"}, "MergeRequestAuthor": {"User"}, "GpgSignature": {"CommitSignature"},
		"GroupMember": {"MemberInterface"}, "ProjectMember": {"MemberInterface"},
	}[typ], condition)
}

// object resolves the fields of a node.
func (q *query) object(n node, sets []ast.SelectionSet, path []any) *ordered {
	keys, fields := q.collect(n.typ, sets)
	out := &ordered{keys: keys, values: map[string]any{}}
	for _, key := range keys {
		w := fields[key]
		at := append(slices.Clone(path), key)
		if w.first.Name == "__typename" {
			out.values[key] = n.typ
			continue
		}
		a := q.arguments(w.first)
		value, err := n.get(w.first.Name, a)
		switch {
		case errors.Is(err, errNoField):
			q.fail(fmt.Sprintf("Field '%s' doesn't exist on type '%s'", w.first.Name, n.typ), at, w.first.Position,
				j{"code": "undefinedField", "typeName": n.typ, "fieldName": w.first.Name})
			value = nil
		case err != nil:
			q.fail(err.Error(), at, w.first.Position, nil)
			value = nil
		}
		out.values[key] = q.value(value, w, a, at)
	}
	return out
}

// value writes what a field resolved to.
func (q *query) value(v any, w *wanted, a args, path []any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case node:
		return q.object(v, w.sets, path)
	case []node:
		out := []any{}
		for i, n := range v {
			out = append(out, q.object(n, w.sets, append(slices.Clone(path), i)))
		}
		return out
	case connection:
		cut, err := v.cut(a)
		if err != nil {
			q.fail(err.Error(), path, w.first.Position, nil)
			return nil
		}
		return q.object(cut, w.sets, path)
	}
	return v
}

// cut is the page of a connection that was asked for; at most 100 items, and
// 100 where the query does not say.
func (c connection) cut(a args) (node, error) {
	first, hasFirst := a.number("first")
	last, hasLast := a.number("last")
	from, to := 0, len(c.nodes)
	if after := a.text("after"); after != "" {
		n, err := readCursor(after)
		if err != nil {
			return node{}, errors.New("Please provide a valid cursor") //nolint:staticcheck // GitLab's words
		}
		from = min(n, to)
	}
	if before := a.text("before"); before != "" {
		n, err := readCursor(before)
		if err != nil {
			return node{}, errors.New("Please provide a valid cursor") //nolint:staticcheck // GitLab's words
		}
		to = max(min(n-1, to), from)
	}
	switch {
	case hasLast && !hasFirst:
		from = max(from, to-min(last, largestPage))
	case hasFirst:
		to = min(to, from+min(first, largestPage))
	default:
		to = min(to, from+largestPage)
	}
	return node{c.typ, func(name string, _ args) (any, error) {
		switch name {
		case "count":
			return len(c.nodes), nil
		case "nodes":
			return c.nodes[from:to], nil
		case "edges":
			out := []node{}
			for i, n := range c.nodes[from:to] {
				out = append(out, plain(strings.TrimSuffix(c.typ, "Connection")+"Edge", j{"node": n, "cursor": cursor(from + i + 1)}))
			}
			return out, nil
		case "pageInfo":
			info := j{"hasNextPage": to < len(c.nodes), "hasPreviousPage": from > 0, "startCursor": nil, "endCursor": nil}
			if to > from {
				info["startCursor"], info["endCursor"] = cursor(from+1), cursor(to)
			}
			return plain("PageInfo", info), nil
		}
		return nil, errNoField
	}}, nil
}

// cursor names the item at a 1-based place.
func cursor(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"id":"` + strconv.Itoa(n) + `"}`))
}

func readCursor(s string) (int, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(string(raw), `{"id":"`), `"}`))
}

// plain is a node whose fields are known and cheap.
func plain(typ string, fields j) node {
	return node{typ, func(name string, _ args) (any, error) {
		v, ok := fields[name]
		if !ok {
			return nil, errNoField
		}
		return v, nil
	}}
}
