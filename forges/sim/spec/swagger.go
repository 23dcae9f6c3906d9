package spec

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// swagger is a description in Swagger 2.0 whose schemas were turned into JSON
// Schema: an object has no fields but those described, and what is no number and
// no boolean may be null.
type swagger struct {
	*document
	base string
	ops  []swaggerOp
}

type swaggerOp struct {
	method   string
	template string
	pattern  *regexp.Regexp
}

// loadGitea reads Gitea's description once per process.
var loadGitea = sync.OnceValues(func() (*swagger, error) { return readSwagger("gitea.swagger.json", giteaMeasured()) }) //nolint:gochecknoglobals // constant once read

// loadForgejo reads the same with what Forgejo has besides.
var loadForgejo = sync.OnceValues(func() (*swagger, error) { return readSwagger("gitea.swagger.json", forgejoMeasured()) }) //nolint:gochecknoglobals // constant once read

// measured is in what a running forge differs from its description.
type measured struct {
	// fields are in answers, and not described: definition to field to its type.
	fields map[string]map[string]string
	// answers are given, and not described: "DELETE /path" to status to the status
	// whose description holds for it.
	answers map[string]map[int]int
	// words are no enumeration after all: "definition.field".
	words []string
}

func readSwagger(name string, m measured) (*swagger, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(root, "testdata", "specs", name)) //nolint:gosec // a path of our own making
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	definitions, _ := tree["definitions"].(map[string]any)
	for def, fields := range m.fields {
		properties := propertiesOf(definitions[def])
		for field, typ := range fields {
			properties[field] = map[string]any{"type": typ}
		}
	}
	for _, w := range m.words {
		def, field, _ := strings.Cut(w, ".")
		if p, ok := propertiesOf(definitions[def])[field].(map[string]any); ok {
			delete(p, "enum")
		}
	}
	closeObjects(tree)
	if raw, err = json.Marshal(tree); err != nil {
		return nil, err
	}
	d, err := parse(raw, false)
	if err != nil {
		return nil, err
	}
	s := &swagger{document: d}
	s.base, _ = d.root["basePath"].(string)
	paths, _ := d.root["paths"].(map[string]any)
	for template, v := range paths {
		methods, _ := v.(map[string]any)
		for method := range methods {
			s.ops = append(s.ops, swaggerOp{strings.ToUpper(method), template, templatePattern(template)})
		}
	}
	slices.SortFunc(s.ops, func(a, b swaggerOp) int {
		return cmp.Or(a.rank()-b.rank(), strings.Compare(a.template, b.template))
	})
	return s, nil
}

// rank orders templates that match the same path: two parameters in one word
// before one, words before parameters, and those that take the rest at the end.
func (o swaggerOp) rank() int {
	const late = 100
	switch rest := o.pattern.String(); {
	case strings.Contains(o.template, "}.{"):
		return 0
	case strings.HasSuffix(rest, `.+\z`):
		return late + strings.Count(o.template, "{")
	}
	return 1 + strings.Count(o.template, "{")
}

func propertiesOf(definition any) map[string]any {
	d, _ := definition.(map[string]any)
	p, ok := d["properties"].(map[string]any)
	if !ok {
		p = map[string]any{}
	}
	return p
}

// templatePattern matches the escaped paths of a template. The last parameter of
// some takes the rest of the path: names of branches and files have slashes.
func templatePattern(template string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	rest := template
	for {
		head, tail, found := strings.Cut(rest, "{")
		b.WriteString(regexp.QuoteMeta(head))
		if !found {
			break
		}
		name, after, _ := strings.Cut(tail, "}")
		switch {
		case name == "diffType":
			b.WriteString(`(?:diff|patch)`)
		case after == "" && slices.Contains([]string{"filepath", "branch", "basehead", "head"}, name):
			b.WriteString(`.+`)
		default:
			b.WriteString(`[^/]+`)
		}
		rest = after
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

// closeObjects makes JSON Schema of Swagger's schemas below v.
func closeObjects(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			closeObjects(e)
		}
	case map[string]any:
		for _, e := range v {
			closeObjects(e)
		}
		delete(v, "collectionFormat")
		if v["format"] == "email" { // nobody's is ""
			delete(v, "format")
		}
		if properties, ok := v["properties"].(map[string]any); ok {
			if _, open := v["additionalProperties"]; !open {
				v["additionalProperties"] = false
			}
			for name, p := range properties {
				properties[name] = orNull(p)
			}
		}
		if items, ok := v["items"].(map[string]any); ok && v["in"] == nil {
			v["items"] = orNull(items)
		}
	}
}

// orNull lets null stand for anything but a number or a boolean.
func orNull(schema any) any {
	m, ok := schema.(map[string]any)
	if !ok || m["type"] == "integer" || m["type"] == "number" || m["type"] == "boolean" {
		return schema
	}
	return map[string]any{"anyOf": []any{m, map[string]any{"type": "null"}}}
}

func (s *swagger) find(method, path string) (swaggerOp, bool) {
	i := slices.IndexFunc(s.ops, func(o swaggerOp) bool { return o.method == method && o.pattern.MatchString(path) })
	if i < 0 {
		return swaggerOp{}, false
	}
	return s.ops[i], true
}

// below is the escaped path of the API: without what it is installed below.
func (s *swagger) below(u *url.URL) string {
	_, path, _ := strings.Cut(u.EscapedPath(), s.base+"/")
	return "/" + path
}

// checkRequest holds a request against the description.
func (s *swagger) checkRequest(req *http.Request, body []byte) error {
	path := s.below(req.URL)
	op, ok := s.find(req.Method, path)
	if !ok {
		return fmt.Errorf("the description has no %s %s", req.Method, path)
	}
	v, at := s.at("paths", op.template, strings.ToLower(req.Method), "parameters")
	list, _ := v.([]any)
	known := map[string]map[string]any{}
	bodyAt := ""
	for i, p := range list {
		param, _ := p.(map[string]any)
		name, _ := param["name"].(string)
		switch param["in"] {
		case "query":
			known[name] = param
		case "body":
			bodyAt = fmt.Sprintf("%s/%d/schema", at, i)
		}
	}
	problems := checkQueryOf(op, req.URL.Query(), known)
	switch text := strings.TrimSpace(string(body)); {
	case text == "" || text == "null":
	case bodyAt == "":
		problems = append(problems, fmt.Errorf("%s takes no body", op.template))
	default:
		if err := s.check(bodyAt, body); err != nil {
			problems = append(problems, fmt.Errorf("body: %w", err))
		}
	}
	return errors.Join(problems...)
}

func checkQueryOf(op swaggerOp, given url.Values, known map[string]map[string]any) []error {
	var problems []error
	for name, values := range given {
		param, ok := known[name]
		if !ok {
			problems = append(problems, fmt.Errorf("%s has no query parameter %q", op.template, name))
			continue
		}
		if len(values) > 1 && param["type"] != "array" {
			problems = append(problems, fmt.Errorf("query parameter %q: given %d times", name, len(values)))
		}
		for _, value := range values {
			if err := checkValue(param, value); err != nil {
				problems = append(problems, fmt.Errorf("query parameter %q: %w", name, err))
			}
		}
	}
	for name, param := range known {
		if must, _ := param["required"].(bool); must && !given.Has(name) {
			problems = append(problems, fmt.Errorf("query parameter %q is missing", name))
		}
	}
	return problems
}

// mostOfPage is how many items these forges give at most, whatever is asked.
const mostOfPage = 50

func checkValue(param map[string]any, value string) error {
	if items, ok := param["items"].(map[string]any); ok && param["type"] == "array" {
		param = items
	}
	switch param["type"] {
	case "integer":
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is no integer", value)
		}
		if param["name"] == "limit" && (n < 1 || n > mostOfPage) {
			return fmt.Errorf("%d is not between 1 and %d", n, mostOfPage)
		}
	case "boolean":
		if _, err := strconv.ParseBool(value); err != nil {
			return fmt.Errorf("%q is no boolean", value)
		}
	}
	if enum, ok := param["enum"].([]any); ok && !slices.Contains(enum, any(value)) {
		return fmt.Errorf("%q is none of %v", value, enum)
	}
	return nil
}

// checkAnswer holds an answer against the description.
func (s *swagger) checkAnswer(req *http.Request, status int, header http.Header, body []byte, m measured) error {
	path := s.below(req.URL)
	op, ok := s.find(req.Method, path)
	if !ok {
		if status == http.StatusNotFound {
			return nil
		}
		return fmt.Errorf("the description has no %s %s", req.Method, path)
	}
	switch {
	case status >= http.StatusInternalServerError || status == http.StatusTooManyRequests: // a proxy speaking
		return nil
	case status >= http.StatusBadRequest:
		if len(body) == 0 && status == http.StatusForbidden { // some refusals say nothing
			return nil
		}
		if status == http.StatusNotFound && strings.HasPrefix(header.Get("Content-Type"), "text/plain") { // no API there
			return nil
		}
		return checkGiteaError(body)
	case status >= http.StatusMultipleChoices:
		if header.Get("Location") == "" {
			return fmt.Errorf("%d leads nowhere", status)
		}
		return nil
	}
	if as := m.answers[op.method+" "+op.template][status]; as != 0 {
		status = as
	}
	method := strings.ToLower(req.Method)
	if described, _ := s.at("paths", op.template, method, "responses", strconv.Itoa(status)); described == nil {
		return fmt.Errorf("%s %s does not answer %d", req.Method, op.template, status)
	}
	schema, pointer := s.at("paths", op.template, method, "responses", strconv.Itoa(status), "schema")
	kind, _ := schema.(map[string]any)
	switch {
	case schema == nil:
		if len(strings.TrimSpace(string(body))) > 0 {
			return fmt.Errorf("%s %s answers %d without a body: %.100s", req.Method, op.template, status, body)
		}
		return nil
	case kind["type"] == "file", kind["type"] == "string" && !strings.Contains(header.Get("Content-Type"), "json"):
		return nil
	}
	return s.check(pointer, body)
}

// checkGiteaError holds a refusal against the form all of them share.
func checkGiteaError(body []byte) error {
	var e map[string]any
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("an error that is no object: %.200s", body)
	}
	if _, ok := e["message"].(string); !ok {
		return fmt.Errorf("an error without a message: %.200s", body)
	}
	for key := range e {
		if !slices.Contains([]string{"message", "url", "errors"}, key) {
			return fmt.Errorf("an error with %q: %.200s", key, body)
		}
	}
	return nil
}
