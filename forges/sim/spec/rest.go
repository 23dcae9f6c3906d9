package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// routes is GitHub's REST description, indexed by method.
type routes struct {
	*document
	byMethod map[string][]route
}

type route struct {
	template string
	parts    []string
}

// loadREST reads the description once per process.
var loadREST = sync.OnceValues(func() (*routes, error) { //nolint:gochecknoglobals // constant once read
	raw, err := rest().read()
	if err != nil {
		return nil, err
	}
	d, err := parse(raw, true)
	if err != nil {
		return nil, err
	}
	r := &routes{document: d, byMethod: map[string][]route{}}
	paths, _ := d.root["paths"].(map[string]any)
	for template, v := range paths {
		methods, _ := v.(map[string]any)
		for m := range methods {
			r.byMethod[strings.ToUpper(m)] = append(r.byMethod[strings.ToUpper(m)], route{template, strings.Split(template, "/")})
		}
	}
	// More words that are not parameters win: /a/b before /a/{x}.
	for _, all := range r.byMethod {
		slices.SortFunc(all, func(a, b route) int {
			return strings.Count(a.template, "{") - strings.Count(b.template, "{")
		})
	}
	return r, nil
})

func (r *routes) find(method, path string) (route, bool) {
	parts := strings.Split(path, "/")
	for _, rt := range r.byMethod[method] {
		if matches(rt.parts, parts) {
			return rt, true
		}
	}
	return route{}, false
}

func matches(template, parts []string) bool {
	for i, t := range template {
		if i >= len(parts) {
			return false
		}
		if t == "{basehead}" { // branches have slashes
			return true
		}
		if strings.HasPrefix(t, "{") {
			if parts[i] == "" {
				return false
			}
			continue
		}
		if t != parts[i] {
			return false
		}
	}
	return len(template) == len(parts)
}

// checkRequest holds a request against the description.
func (r *routes) checkRequest(req *http.Request, body []byte) error {
	path := restPath(req.URL.Path)
	rt, ok := r.find(req.Method, path)
	if !ok {
		return fmt.Errorf("GitHub has no %s %s", req.Method, path)
	}
	method := strings.ToLower(req.Method)
	if strings.TrimSpace(string(body)) == "null" {
		body = nil // ghinstallation says so that it has nothing to say; GitHub takes it
	}
	var problems []error
	known := map[string]map[string]any{}
	op, _ := r.at("paths", rt.template, method, "parameters")
	list, _ := op.([]any)
	for i := range list {
		p, _ := r.at("paths", rt.template, method)
		param := r.param(p, i)
		name, _ := param["name"].(string)
		if param["in"] == "query" {
			known[name] = param
		}
	}
	for name, values := range req.URL.Query() {
		param, ok := known[name]
		if !ok {
			problems = append(problems, fmt.Errorf("%s has no query parameter %q", rt.template, name))
			continue
		}
		if err := checkParam(param, values); err != nil {
			problems = append(problems, fmt.Errorf("query parameter %q: %w", name, err))
		}
	}
	for name, param := range known {
		if must, _ := param["required"].(bool); must && !req.URL.Query().Has(name) {
			problems = append(problems, fmt.Errorf("query parameter %q is missing", name))
		}
	}
	if schema, pointer := r.at("paths", rt.template, method, "requestBody", "content", "application/json", "schema"); schema != nil && len(body) > 0 {
		if err := r.check(pointer, body); err != nil {
			problems = append(problems, fmt.Errorf("body: %w", err))
		}
	} else if schema == nil && len(strings.TrimSpace(string(body))) > 0 {
		problems = append(problems, fmt.Errorf("%s takes no body", rt.template))
	}
	return errors.Join(problems...)
}

// param is one parameter of an operation, its reference followed.
func (r *routes) param(op any, i int) map[string]any {
	m, _ := op.(map[string]any)
	list, _ := m["parameters"].([]any)
	p, _ := list[i].(map[string]any)
	if ref, ok := p["$ref"].(string); ok {
		v, _ := r.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		p, _ = v.(map[string]any)
	}
	return p
}

// checkParam looks at type and enumeration: what a query can get wrong.
func checkParam(param map[string]any, values []string) error {
	schema, _ := param["schema"].(map[string]any)
	if len(values) != 1 {
		return fmt.Errorf("given %d times", len(values))
	}
	if schema["type"] == "integer" {
		if _, err := strconv.Atoi(values[0]); err != nil {
			return fmt.Errorf("%q is no integer", values[0])
		}
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, any(values[0])) {
		return fmt.Errorf("%q is none of %v", values[0], enum)
	}
	if name, _ := param["name"].(string); name == "per_page" {
		if n, err := strconv.Atoi(values[0]); err != nil || n < 1 || n > 100 {
			return fmt.Errorf("%s is not between 1 and 100", values[0])
		}
	}
	return nil
}

// checkAnswer holds an answer against the description.
func (r *routes) checkAnswer(req *http.Request, status int, body []byte) error {
	path := restPath(req.URL.Path)
	rt, ok := r.find(req.Method, path)
	if !ok {
		if status == http.StatusNotFound {
			return nil
		}
		return fmt.Errorf("GitHub has no %s %s", req.Method, path)
	}
	if status >= http.StatusInternalServerError {
		return nil // not the API speaking
	}
	method := strings.ToLower(req.Method)
	described, _ := r.at("paths", rt.template, method, "responses", strconv.Itoa(status))
	if described == nil {
		if status < http.StatusBadRequest && status != http.StatusTemporaryRedirect && status != http.StatusMovedPermanently {
			return fmt.Errorf("%s %s does not answer %d", req.Method, rt.template, status)
		}
		return checkError(body)
	}
	schema, pointer := r.at("paths", rt.template, method, "responses", strconv.Itoa(status), "content", "application/json", "schema")
	if schema == nil {
		return nil
	}
	return r.check(pointer, body)
}

// checkError holds an error that is described nowhere against what all share.
func checkError(body []byte) error {
	var e struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Message == "" {
		return fmt.Errorf("an error without a message: %.200s", body)
	}
	return nil
}

// restPath is the path without an Enterprise Server's prefix.
func restPath(path string) string { return strings.TrimPrefix(path, "/api/v3") }
