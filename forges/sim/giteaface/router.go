package giteaface

import (
	"net/url"
	"strings"
)

// router finds the route of a path. Of several the one named first wins, which
// http.ServeMux would refuse: this API has issues/comments/{id} beside
// issues/{index}/comments.
type router struct{ routes []*route }

// route is one call of the API.
type route struct {
	name   string // "GET /repos/{owner}/{repo}"
	method string
	parts  []string // "{x}" is any word, "{x...}" the rest
	scope  string   // category of token scopes; "" asks for none
	open   bool     // answered without signing in, too
	unit   string   // of the repository: "code", "pulls", "issues"; "" for none
	do     func(*call)
}

func (r *router) add(rt *route) {
	method, pattern, _ := strings.Cut(rt.name, " ")
	rt.method, rt.parts = method, strings.Split(strings.Trim(pattern, "/"), "/")
	rt.unit = unitOf(rt.parts)
	r.routes = append(r.routes, rt)
}

// unitOf is the unit of a repository a route belongs to.
func unitOf(parts []string) string {
	if len(parts) < 4 || parts[0] != "repos" {
		return ""
	}
	switch parts[3] {
	case "pulls", "issues":
		return parts[3]
	case "statuses", "commits", "git", "contents", "file-contents", "raw", "compare", "branches", "tags":
		return "code"
	}
	return ""
}

// find gives the route of an escaped path and the values in it, unescaped.
func (r *router) find(method, path string) (*route, map[string]string) {
	words := strings.Split(strings.Trim(path, "/"), "/")
	for _, rt := range r.routes {
		if rt.method != method {
			continue
		}
		if values, ok := match(rt.parts, words); ok {
			return rt, values
		}
	}
	return nil, nil
}

func match(parts, words []string) (map[string]string, bool) {
	values := map[string]string{}
	for i, p := range parts {
		name, tail := strings.CutSuffix(strings.Trim(p, "{}"), "...")
		if tail {
			rest, err := url.PathUnescape(strings.Join(words[min(i, len(words)):], "/"))
			values[name] = rest
			return values, err == nil && rest != ""
		}
		if i >= len(words) {
			return nil, false
		}
		if !strings.HasPrefix(p, "{") {
			if p != words[i] {
				return nil, false
			}
			continue
		}
		word, err := url.PathUnescape(words[i])
		if err != nil || word == "" {
			return nil, false
		}
		values[name] = word
	}
	return values, len(parts) == len(words)
}
