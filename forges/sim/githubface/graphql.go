package githubface

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"primum/forges/sim"
)

// node is an object of GitHub's GraphQL schema.
type node interface {
	// typename is its concrete type.
	typename() string
	// field resolves one field: nil, a scalar, a node, []node or a connection.
	field(q *query, name string, a args) (any, error)
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
	case json.Number:
		i, err := n.Int64()
		return int(i), err == nil
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
	name  string // of its type, "IssueCommentConnection"
	nodes []node
	extra map[string]any // further fields
}

// gqlError is an error in GitHub's form.
type gqlError struct {
	kind    string // NOT_FOUND, FORBIDDEN; "" if it belongs to the query itself
	code    string // of an error in the query
	message string
	extra   j
}

// Error implements error.
func (e *gqlError) Error() string { return e.message }

func notFound(format string, a ...any) error {
	return &gqlError{kind: "NOT_FOUND", message: fmt.Sprintf(format, a...)}
}

func forbidden() error {
	return &gqlError{kind: "FORBIDDEN", message: "Resource not accessible by integration"}
}

// errNoField is answered by node.field for a field it does not have.
var errNoField = errors.New("no such field")

// query is one request being resolved.
type query struct {
	c         *call
	s         shaper
	doc       *ast.QueryDocument
	vars      map[string]any
	errors    []any
	fatal     bool // the query itself is wrong: no data
	left      int
	reset     string
	mutations []func() error // run after the forge is let go
}

// graphql answers POST /graphql.
func (c *call) graphql() {
	var in struct {
		Query         string         `json:"query"`
		Variables     map[string]any `json:"variables"`
		OperationName string         `json:"operationName"`
	}
	if err := json.Unmarshal(c.body, &in); err != nil || in.Query == "" {
		c.t.count(c.r.Pattern, false, false)
		fail(c.w, http.StatusBadRequest, "Problems parsing JSON")
		return
	}
	left, reset := c.t.spend(c.w, c.who.key(), "graphql")
	doc, err := parser.ParseQuery(&ast.Source{Input: in.Query})
	if err != nil {
		c.t.count(c.r.Pattern, false, false)
		answer(c.w, http.StatusOK, j{"errors": []any{j{"message": "Parse error: " + err.Error(), "extensions": j{"code": "parseError"}}}})
		return
	}
	op := doc.Operations.ForName(in.OperationName)
	if op == nil {
		c.t.count(c.r.Pattern, false, false)
		answer(c.w, http.StatusOK, j{"errors": []any{j{"message": "No operation named \"" + in.OperationName + "\""}}})
		return
	}
	c.t.count(c.r.Pattern, op.Operation == ast.Mutation, false)
	q := &query{c: c, doc: doc, vars: in.Variables, left: left, reset: stamp(reset)}
	if !q.variables(op) {
		answer(c.w, http.StatusOK, j{"errors": q.errors})
		return
	}
	var data *ordered
	c.t.forge.Read(func(v *sim.View) {
		q.s = c.t.shaper(v)
		var root node = rootNode{}
		if op.Operation == ast.Mutation {
			root = mutationNode{}
		}
		data = q.object(root, []ast.SelectionSet{op.SelectionSet}, nil)
	})
	for _, do := range q.mutations {
		if err := do(); err != nil {
			q.fail(err, nil, nil)
			data = nil
		}
	}
	out := j{"data": data}
	if q.fatal {
		out = j{}
	}
	if len(q.errors) > 0 {
		out["errors"] = q.errors
	}
	answer(c.w, http.StatusOK, out)
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

func (q *query) fail(err error, path []any, pos *ast.Position) {
	var e *gqlError
	if !errors.As(err, &e) {
		e = &gqlError{kind: "UNPROCESSABLE", message: err.Error()}
	}
	out := j{"message": e.message}
	if path != nil {
		out["path"] = slices.Clone(path)
	}
	if pos != nil {
		out["locations"] = []any{j{"line": pos.Line, "column": pos.Column}}
	}
	if e.kind != "" {
		out["type"] = e.kind
	}
	if e.code != "" {
		ext := j{"code": e.code}
		maps.Copy(ext, e.extra)
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
		key, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[k])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
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
					q.fail(&gqlError{code: "useAndDefineFragment", message: fmt.Sprintf("Fragment %s was used, but not defined", sel.Name)}, nil, sel.Position)
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
		"User": {"Actor", "Node", "ProfileOwner", "RequestedReviewer", "RepositoryOwner", "Assignee"}, "Bot": {"Actor", "Node", "Assignee"},
		"Mannequin": {"Actor", "Node"}, "Organization": {"Actor", "Node", "RepositoryOwner", "ProfileOwner"},
		"Issue": {"Node", "IssueOrPullRequest", "Comment", "Closable", "Assignable", "Labelable", "UniformResourceLocatable"}, "PullRequest": {"Node", "IssueOrPullRequest", "Comment", "Closable", "Assignable", "Labelable", "UniformResourceLocatable"},
		"Commit": {"Node", "GitObject"}, "Tree": {"Node", "GitObject"}, "Blob": {"Node", "GitObject"}, "Tag": {"Node", "GitObject"},
		"CheckRun": {"Node", "StatusCheckRollupContext", "RequirableByPullRequest"}, "StatusContext": {"Node", "StatusCheckRollupContext", "RequirableByPullRequest"},
		"LabeledEvent": {"Node", "IssueTimelineItems", "PullRequestTimelineItems"}, "UnlabeledEvent": {"Node", "IssueTimelineItems", "PullRequestTimelineItems"},
		"RenamedTitleEvent": {"Node", "IssueTimelineItems", "PullRequestTimelineItems"}, "ClosedEvent": {"Node", "IssueTimelineItems", "PullRequestTimelineItems"},
		"ReopenedEvent": {"Node", "IssueTimelineItems", "PullRequestTimelineItems"}, "MergedEvent": {"Node", "PullRequestTimelineItems"},
		"ReviewDismissedEvent": {"Node", "PullRequestTimelineItems"}, "HeadRefForcePushedEvent": {"Node", "PullRequestTimelineItems"},
		"BaseRefChangedEvent": {"Node", "PullRequestTimelineItems"},
		"IssueComment":        {"Node", "Comment", "Reactable"}, "PullRequestReview": {"Node", "Comment", "Reactable"}, "PullRequestReviewComment": {"Node", "Comment", "Reactable"},
		"GpgSignature": {"GitSignature"}, "Repository": {"Node"}, "Team": {"Node"},
	}[typ], condition)
}

// object resolves the fields of a node.
func (q *query) object(n node, sets []ast.SelectionSet, path []any) *ordered {
	keys, fields := q.collect(n.typename(), sets)
	out := &ordered{keys: keys, values: map[string]any{}}
	for _, key := range keys {
		w := fields[key]
		at := append(slices.Clone(path), key)
		if w.first.Name == "__typename" {
			out.values[key] = n.typename()
			continue
		}
		a := args{}
		for _, arg := range w.first.Arguments {
			v, err := arg.Value.Value(q.vars)
			if err != nil {
				q.fail(&gqlError{code: "argumentLiteralsIncompatible", message: err.Error()}, at, w.first.Position)
			}
			a[arg.Name] = v
		}
		value, err := n.field(q, w.first.Name, a)
		if errors.Is(err, errNoField) {
			err = &gqlError{
				code: "undefinedField", message: fmt.Sprintf("Field '%s' doesn't exist on type '%s'", w.first.Name, n.typename()),
				extra: j{"typeName": n.typename(), "fieldName": w.first.Name},
			}
		}
		if err != nil {
			q.fail(err, at, w.first.Position)
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
		cut, err := v.cut(w.first.Name, a)
		if err != nil {
			q.fail(err, path, w.first.Position)
			return nil
		}
		return q.object(cut, w.sets, path)
	}
	return v
}

// cutConnection is one page of a connection.
type cutConnection struct {
	connection
	from, to int
}

const mostNodes = 100

// cut finds the page asked for, as GitHub insists: first or last, at most 100.
func (c connection) cut(name string, a args) (cutConnection, error) {
	first, hasFirst := a.number("first")
	last, hasLast := a.number("last")
	if !hasFirst && !hasLast {
		return cutConnection{}, &gqlError{
			kind: "MISSING_PAGINATION_BOUNDARIES", message: fmt.Sprintf("You must provide a `first` or `last` value to properly paginate the `%s` connection.", name),
		}
	}
	if max(first, last) > mostNodes {
		return cutConnection{}, &gqlError{
			kind: "EXCESSIVE_PAGINATION", message: fmt.Sprintf("Requesting %d records on the `%s` connection exceeds the `first` limit of %d records.", max(first, last), name, mostNodes),
		}
	}
	from, to := 0, len(c.nodes)
	if after := a.text("after"); after != "" {
		n, err := readCursor(after)
		if err != nil {
			return cutConnection{}, &gqlError{kind: "INVALID_CURSOR_ARGUMENTS", message: fmt.Sprintf("`%s` does not appear to be a valid cursor.", after)}
		}
		from = min(n, to)
	}
	if before := a.text("before"); before != "" {
		n, err := readCursor(before)
		if err != nil {
			return cutConnection{}, &gqlError{kind: "INVALID_CURSOR_ARGUMENTS", message: fmt.Sprintf("`%s` does not appear to be a valid cursor.", before)}
		}
		to = max(min(n-1, to), from)
	}
	if hasFirst {
		to = min(to, from+first)
	} else {
		from = max(from, to-last)
	}
	return cutConnection{connection: c, from: from, to: to}, nil
}

// cursor names the item at a 1-based place.
func cursor(n int) string {
	return base64.StdEncoding.EncodeToString([]byte("cursor:v2:" + strconv.Itoa(n)))
}

func readCursor(s string) (int, error) {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimPrefix(string(raw), "cursor:v2:"))
}

func (c cutConnection) typename() string { return c.name }

func (c cutConnection) field(_ *query, name string, _ args) (any, error) {
	switch name {
	case "totalCount":
		return len(c.nodes), nil
	case "nodes":
		return c.nodes[c.from:c.to], nil
	case "edges":
		out := []node{}
		for i, n := range c.nodes[c.from:c.to] {
			out = append(out, plain{typ: strings.TrimSuffix(c.name, "Connection") + "Edge", fields: map[string]any{"node": n, "cursor": cursor(c.from + i + 1)}})
		}
		return out, nil
	case "pageInfo":
		info := map[string]any{"hasNextPage": c.to < len(c.nodes), "hasPreviousPage": c.from > 0, "startCursor": nil, "endCursor": nil}
		if c.to > c.from {
			info["startCursor"], info["endCursor"] = cursor(c.from+1), cursor(c.to)
		}
		return plain{typ: "PageInfo", fields: info}, nil
	}
	if v, ok := c.extra[name]; ok {
		return v, nil
	}
	return nil, errNoField
}

// plain is a node whose fields are known and cheap.
type plain struct {
	typ    string
	fields map[string]any
}

func (p plain) typename() string { return p.typ }

func (p plain) field(_ *query, name string, _ args) (any, error) {
	v, ok := p.fields[name]
	if !ok {
		return nil, errNoField
	}
	return v, nil
}
