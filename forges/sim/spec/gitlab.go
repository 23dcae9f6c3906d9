package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"go.yaml.in/yaml/v4"
)

// gitLab is GitLab's description of its REST API (Swagger 2.0).
//
// The description is made by a tool that calls everything untyped a string and
// shows lists of objects as one object. So a type binds only where it cannot be
// such a default, null may stand anywhere, and what binds everywhere are names:
// nothing may be asked or answered that the description does not know.
type gitLab struct {
	paths       map[string]map[string]gitLabCall
	definitions map[string]*gitLabSchema
	byMethod    map[string][]route
}

type gitLabCall struct {
	Parameters []gitLabParam           `json:"parameters"`
	Responses  map[string]gitLabAnswer `json:"responses"`
}

type gitLabAnswer struct {
	Schema *gitLabSchema `json:"schema"`
}

type gitLabParam struct {
	Name     string        `json:"name"`
	In       string        `json:"in"`
	Required bool          `json:"required"`
	Type     string        `json:"type"`
	Enum     []any         `json:"enum"`
	Schema   *gitLabSchema `json:"schema"`
}

type gitLabSchema struct {
	Ref        string                   `json:"$ref"`
	Type       string                   `json:"type"`
	Format     string                   `json:"format"`
	Enum       []any                    `json:"enum"`
	Items      *gitLabSchema            `json:"items"`
	Properties map[string]*gitLabSchema `json:"properties"`
	Required   []string                 `json:"required"`
}

// described reads a file of testdata/specs.
func described(name string) ([]byte, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(root, "testdata", "specs", name)) //nolint:gosec // names of this file
}

// loadGitLab reads the description once per process.
var loadGitLab = sync.OnceValues(func() (*gitLab, error) { //nolint:gochecknoglobals // constant once read
	raw, err := described("gitlab.openapi_v2.yaml")
	if err != nil {
		return nil, err
	}
	var loose map[string]any
	if err := yaml.Unmarshal(raw, &loose); err != nil {
		return nil, fmt.Errorf("read GitLab's description: %w", err)
	}
	if raw, err = json.Marshal(loose); err != nil { // the names of the fields are JSON's
		return nil, err
	}
	var in struct {
		Paths       map[string]map[string]gitLabCall `json:"paths"`
		Definitions map[string]*gitLabSchema         `json:"definitions"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("read GitLab's description: %w", err)
	}
	g := &gitLab{paths: in.Paths, definitions: in.Definitions, byMethod: map[string][]route{}}
	for template, methods := range in.Paths {
		for m := range methods {
			g.byMethod[strings.ToUpper(m)] = append(g.byMethod[strings.ToUpper(m)], route{template, strings.Split(template, "/")})
		}
	}
	for _, all := range g.byMethod {
		slices.SortFunc(all, func(a, b route) int { return strings.Count(a.template, "{") - strings.Count(b.template, "{") })
	}
	return g, nil
})

// loadGitLabGraph reads the part of the GraphQL schema that is used.
var loadGitLabGraph = sync.OnceValues(func() (*ast.Schema, error) { //nolint:gochecknoglobals // constant once read
	raw, err := described("gitlab.graphql")
	if err != nil {
		return nil, err
	}
	doc, err := parser.ParseSchemas(validator.Prelude, &ast.Source{Name: "gitlab.graphql", Input: string(raw)})
	if err != nil {
		return nil, err
	}
	return validator.ValidateSchemaDocument(doc)
})

// find is the described operation of a request; known is false if there is none
// and the path is not known from documentation either.
func (g *gitLab) find(method string, u *url.URL) (op *gitLabCall, template string, known bool) {
	parts := strings.Split(apiPath(u), "/")
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, rt := range g.byMethod[method] {
		if matches(rt.parts, parts) {
			o := g.paths[rt.template][strings.ToLower(method)]
			return &o, rt.template, true
		}
	}
	for _, template := range undescribedByGitLab() {
		if matches(strings.Split(template, "/"), parts) {
			return nil, template, true
		}
	}
	return nil, "", false
}

// apiPath is the escaped path from /api/v4 on: GitLab may be installed below a path.
func apiPath(u *url.URL) string {
	p := u.EscapedPath()
	if i := strings.Index(p, "/api/v4"); i > 0 {
		return p[i:]
	}
	return p
}

func (g *gitLab) checkRequest(r *http.Request, body []byte) error {
	op, template, known := g.find(r.Method, r.URL)
	if !known {
		return fmt.Errorf("GitLab has no %s %s", r.Method, apiPath(r.URL))
	}
	if op == nil {
		return nil
	}
	var problems []error
	query := map[string]gitLabParam{}
	var form *gitLabSchema
	for _, p := range op.Parameters {
		switch p.In {
		case "query":
			query[p.Name] = p
		case "body":
			form = g.follow(p.Schema)
		}
	}
	for name, values := range r.URL.Query() {
		p, ok := query[strings.TrimSuffix(name, "[]")]
		switch {
		case !ok && slices.Contains(pagingWords(), name), slices.Contains(newerThanDescribed()[template], name):
		case !ok:
			problems = append(problems, fmt.Errorf("%s has no query parameter %q", template, name))
		default:
			if err := p.check(values); err != nil {
				problems = append(problems, fmt.Errorf("query parameter %q: %w", name, err))
			}
		}
	}
	for name, p := range query {
		if p.Required && !r.URL.Query().Has(name) && !r.URL.Query().Has(name+"[]") {
			problems = append(problems, fmt.Errorf("query parameter %q is missing", name))
		}
	}
	return errors.Join(append(problems, g.checkForm(template, form, body))...)
}

// pagingWords are parameters every list takes, named in the documentation of
// paging rather than with each list.
func pagingWords() []string {
	return []string{"page", "per_page", "pagination", "order_by", "sort", "cursor", "id_after", "id_before"}
}

// checkForm holds the JSON body of a request against its parameters.
func (g *gitLab) checkForm(template string, form *gitLabSchema, body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		if form != nil && len(form.Required) > 0 {
			return fmt.Errorf("body: %v are missing", form.Required)
		}
		return nil
	}
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if form == nil {
		if len(in) > 0 {
			return fmt.Errorf("%s takes no body", template)
		}
		return nil
	}
	var problems []error
	for name, v := range in {
		s, ok := form.Properties[name]
		switch {
		case slices.Contains(newerThanDescribed()[template], name):
		case !ok:
			problems = append(problems, fmt.Errorf("body: %s has no parameter %q", template, name))
		case len(s.Enum) > 0 && !slices.Contains(s.Enum, v) && !slices.Contains(s.Enum, any(fmt.Sprint(v))):
			problems = append(problems, fmt.Errorf("body: %s: %v is none of %v", name, v, s.Enum))
		}
	}
	for _, name := range form.Required {
		if _, ok := in[name]; !ok {
			problems = append(problems, fmt.Errorf("body: %q is missing", name))
		}
	}
	return errors.Join(problems...)
}

func (p gitLabParam) check(values []string) error {
	for _, v := range values {
		if p.Type == "integer" {
			if _, err := strconv.Atoi(v); err != nil {
				return fmt.Errorf("%q is no integer", v)
			}
		}
		if p.Name == "per_page" {
			if n, err := strconv.Atoi(v); err != nil || n < 1 || n > 100 {
				return fmt.Errorf("%s is not between 1 and 100", v)
			}
		}
		if len(p.Enum) > 0 && !slices.ContainsFunc(p.Enum, func(e any) bool { return fmt.Sprint(e) == v }) {
			return fmt.Errorf("%q is none of %v", v, p.Enum)
		}
	}
	return nil
}

func (g *gitLab) follow(s *gitLabSchema) *gitLabSchema {
	for s != nil && s.Ref != "" {
		s = g.definitions[strings.TrimPrefix(s.Ref, "#/definitions/")]
	}
	return s
}

// checkAnswer holds an answer against the description.
func (g *gitLab) checkAnswer(r *http.Request, status int, contentType string, body []byte) error {
	op, template, known := g.find(r.Method, r.URL)
	switch {
	case !known && status == http.StatusNotFound, status >= http.StatusInternalServerError, status == http.StatusTooManyRequests, status/100 == 3, status == http.StatusNoContent:
		return nil
	case !known:
		return fmt.Errorf("GitLab has no %s %s", r.Method, apiPath(r.URL))
	case status >= http.StatusBadRequest:
		return checkGitLabError(body)
	case op == nil, !strings.HasPrefix(contentType, "application/json"):
		return nil
	}
	// The description names 200 where GitLab answers 201 in places.
	var schema *gitLabSchema
	for code, a := range op.Responses {
		if strings.HasPrefix(code, "2") && a.Schema != nil {
			schema = a.Schema
		}
	}
	if name, wrong := misdescribed()[r.Method+" "+template]; wrong {
		schema = g.definitions[name]
	}
	if schema == nil {
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("answer is not JSON: %w", err)
	}
	c := &gitLabCheck{g: g}
	if list, ok := v.([]any); ok && g.follow(schema) != nil && g.follow(schema).Type == "object" { // described as one of them
		for i, e := range list {
			c.value(schema, e, fmt.Sprintf("%s[%d]", template, i), "")
		}
	} else {
		c.value(schema, v, template, "")
	}
	return errors.Join(c.problems...)
}

// checkGitLabError holds an error against the forms GitLab's errors have.
func checkGitLabError(body []byte) error {
	var e map[string]any
	if err := json.Unmarshal(body, &e); err != nil || (e["message"] == nil && e["error"] == nil) {
		return fmt.Errorf("an error without a message: %.200s", body)
	}
	return nil
}

// gitLabCheck compares a value with its definition.
type gitLabCheck struct {
	g        *gitLab
	problems []error
}

func (c *gitLabCheck) note(format string, args ...any) {
	const most = 20
	if len(c.problems) < most {
		c.problems = append(c.problems, fmt.Errorf(format, args...))
	}
}

func (c *gitLabCheck) value(s *gitLabSchema, v any, path, name string) {
	if s == nil || v == nil {
		return
	}
	if s.Ref != "" {
		name = strings.TrimPrefix(s.Ref, "#/definitions/")
		s = c.g.follow(s)
		if s == nil {
			return
		}
		if list, ok := v.([]any); ok { // a list of them, described as one
			for i, e := range list {
				c.value(s, e, fmt.Sprintf("%s[%d]", path, i), name)
			}
			return
		}
	}
	switch s.Type {
	case "object":
		c.object(s, v, path, name)
	case "array":
		list, ok := v.([]any)
		if !ok {
			c.note("%s is %T; GitLab has a list", path, v)
			return
		}
		for i, e := range list {
			c.value(s.Items, e, fmt.Sprintf("%s[%d]", path, i), name)
		}
	case "integer", "number":
		if _, ok := v.(float64); !ok {
			c.note("%s is %T; GitLab has a number", path, v)
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			c.note("%s is %T; GitLab has a boolean", path, v)
		}
	case "string": // may be anything, unless it is a time
		if text, ok := v.(string); s.Format == "date-time" {
			if _, err := time.Parse(time.RFC3339, text); !ok || err != nil {
				c.note("%s is %v; GitLab has a time", path, v)
			}
		}
	}
}

func (c *gitLabCheck) object(s *gitLabSchema, v any, path, name string) {
	m, ok := v.(map[string]any)
	if !ok {
		c.note("%s is %T; GitLab has an object", path, v)
		return
	}
	if len(s.Properties) == 0 { // described no further
		return
	}
	for key, e := range m {
		p, ok := s.Properties[key]
		if !ok {
			if !slices.Contains(newerThanDescribed()[name], key) {
				c.note("%s.%s is not in %s", path, key, name)
			}
			continue
		}
		c.value(p, e, path+"."+key, "")
	}
}

// WrapGitLab goes around a GitLab face: every request made of it and every
// answer it gives is held against GitLab's descriptions where they have it, and
// what differs fails the test.
func WrapGitLab(tb testing.TB, h http.Handler) http.Handler {
	tb.Helper()
	rest, err := loadGitLab()
	if err != nil {
		tb.Fatal(err)
	}
	schema, err := loadGitLabGraph()
	if err != nil {
		tb.Fatal(err)
	}
	w := &watch{t: tb}
	tb.Cleanup(w.stop)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := &recorder{ResponseWriter: rw, status: http.StatusOK}
		h.ServeHTTP(rec, r)
		switch {
		case r.Context().Err() != nil: // given up; the answer may be cut
		case strings.HasSuffix(r.URL.Path, "/api/graphql"):
			if strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") {
				w.report(r, rec, checkGraph(schema, body, rec.status, rec.body.Bytes()))
			}
		default:
			w.report(r, rec, rest.checkRequest(r, body))
			w.report(r, rec, rest.checkAnswer(r, rec.status, rec.Header().Get("Content-Type"), rec.body.Bytes()))
		}
	})
}
