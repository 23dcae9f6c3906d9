package gitlabface

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

const graphPath = "/api/graphql"

// call is one request on its way through the face.
type call struct {
	t      *Face
	w      http.ResponseWriter
	r      *http.Request
	who    caller
	body   []byte
	params map[string]any // of the body, and of the query where the body has none
}

// handle signs the caller in, looks at scopes and reads the parameters.
func (t *Face) handle(part string, fn func(*call) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		graph := r.URL.Path == graphPath
		who, err := t.authenticate(r)
		if err == nil {
			err = who.token.scope(r.Method, r.URL.Path)
		}
		t.mu.Lock()
		if err == nil && part != "" && t.forbid[part] {
			err = forbidden()
		}
		t.mu.Unlock()
		if err != nil {
			if graph {
				t.count(r.Pattern, false)
			}
			if graph && isRefusal(err, http.StatusUnauthorized) {
				answer(w, http.StatusUnauthorized, j{"errors": []any{j{"message": "Invalid token"}}})
				return
			}
			refused(w, err)
			return
		}
		t.spend(w, who.login)
		const mostBody = 8 << 20
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
		if err != nil {
			said(w, http.StatusRequestEntityTooLarge, "413 Request Entity Too Large")
			return
		}
		c := &call{t: t, w: w, r: r, who: who, body: body, params: map[string]any{}}
		if !graph {
			if err := c.readParams(); err != nil {
				refused(w, err)
				return
			}
		}
		if err := fn(c); err != nil {
			refused(w, err)
		}
	}
}

func (c *call) readParams() error {
	for k, v := range c.r.URL.Query() {
		if rest, ok := strings.CutSuffix(k, "[]"); ok {
			var list []any
			for _, e := range v {
				list = append(list, e)
			}
			c.params[rest] = list
			continue
		}
		c.params[k] = v[len(v)-1]
	}
	if len(c.body) == 0 {
		return nil
	}
	if strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(c.body))
		if err != nil {
			return badParam("Invalid form")
		}
		for k, v := range form {
			c.params[k] = v[len(v)-1]
		}
		return nil
	}
	var in map[string]any
	dec := json.NewDecoder(strings.NewReader(string(c.body)))
	dec.UseNumber()
	if err := dec.Decode(&in); err != nil {
		return badParam("Problems parsing JSON")
	}
	maps.Copy(c.params, in)
	return nil
}

// given reports whether a parameter was named.
func (c *call) given(name string) bool { _, ok := c.params[name]; return ok }

func (c *call) text(name string) string {
	switch v := c.params[name].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

func (c *call) number(name string) int64 {
	n, _ := strconv.ParseInt(c.text(name), 10, 64)
	return n
}

func (c *call) truth(name string) bool { v, _ := strconv.ParseBool(c.text(name)); return v }

func (c *call) list(name string) []string {
	switch v := c.params[name].(type) {
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, fmt.Sprint(e))
		}
		return out
	case string:
		return strings.Split(v, ",")
	}
	return nil
}

func (c *call) numbers(name string) []int64 {
	var out []int64
	for _, e := range c.list(name) {
		if n, err := strconv.ParseInt(e, 10, 64); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// path is a value of the address as a number; 0 if it is none.
func (c *call) path(name string) int64 {
	n, _ := strconv.ParseInt(c.r.PathValue(name), 10, 64)
	return n
}

func (c *call) actor() sim.Actor { return c.t.forge.As(c.who.login) }

// reading runs fn while the forge stands still and answers after that with what
// it gives.
func (c *call) reading(fn func(s shaper, me *sim.Account) (any, error)) error {
	var out any
	var err error
	c.t.forge.Read(func(v *sim.View) { out, err = fn(c.t.shaper(v), v.Account(c.who.id)) })
	if err != nil {
		return err
	}
	answer(c.w, http.StatusOK, out)
	return nil
}

// looking runs fn while the forge stands still and answers nothing.
func (c *call) looking(fn func(s shaper, me *sim.Account) error) error {
	var err error
	c.t.forge.Read(func(v *sim.View) { err = fn(c.t.shaper(v), v.Account(c.who.id)) })
	return err
}

// moved says where a project is that was asked for by a former name.
type moved struct{ to string }

// Error implements error.
func (m *moved) Error() string { return "moved to " + m.to }

// findProject is the project of the address, which must be visible.
func (c *call) findProject(s shaper) (*sim.Repo, error) {
	ref := c.r.PathValue("id")
	if id, err := strconv.ParseInt(ref, 10, 64); err == nil {
		if r := s.v.RepoByID(id); c.who.sees(s.v, r) {
			return r, nil
		}
		return nil, notFound("Project")
	}
	r := s.repo(ref)
	if !c.who.sees(s.v, r) {
		return nil, notFound("Project")
	}
	if !strings.EqualFold(s.path(r), ref) {
		if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
			return nil, refuse(http.StatusMethodNotAllowed, "405 Non GET methods are not allowed for moved projects")
		}
		tail := strings.TrimPrefix(c.r.URL.EscapedPath(), "/api/v4/projects/"+url.PathEscape(ref))
		to := fmt.Sprintf("%s/api/v4/projects/%d%s", s.api, r.ID, tail)
		if q := c.r.URL.RawQuery; q != "" {
			to += "?" + q
		}
		return nil, &moved{to}
	}
	return r, nil
}

// need refuses unless the caller has at least a permission in a project.
func (c *call) need(s shaper, r *sim.Repo, p sim.Permission) error {
	if !s.v.Permission(r, s.v.Account(c.who.id)).AtLeast(p) {
		return forbidden()
	}
	return nil
}

// onProject is reading with the project of the address.
func (c *call) onProject(fn func(s shaper, r *sim.Repo) (any, error)) error {
	err := c.reading(func(s shaper, _ *sim.Account) (any, error) {
		r, err := c.findProject(s)
		if err != nil {
			return nil, err
		}
		return fn(s, r)
	})
	return c.redirect(err)
}

// inProject is looking with the project of the address.
func (c *call) inProject(fn func(s shaper, r *sim.Repo) error) error {
	return c.looking(func(s shaper, _ *sim.Account) error {
		r, err := c.findProject(s)
		if err != nil {
			return err
		}
		return fn(s, r)
	})
}

// redirect answers 301 for a project that moved.
func (c *call) redirect(err error) error {
	if m, ok := err.(*moved); ok { //nolint:errorlint // made a few lines above, never wrapped
		c.w.Header().Set("Location", m.to)
		c.w.WriteHeader(http.StatusMovedPermanently)
		return nil
	}
	return err
}

// onMergeRequest is reading with the merge request of the address. It counts as
// a reading of its diff.
func (c *call) onMergeRequest(part sim.Part, fn func(s shaper, r *sim.Repo, is *sim.Issue) (any, error)) error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		is := s.findMergeRequest(r, int(c.path("iid")), part)
		if is == nil {
			return nil, notFound("")
		}
		return fn(s, r, is)
	})
}

// target is what a writing call is about.
type target struct {
	repo   string
	number int
	head   string
	id     int64
}

// mergeRequest looks the merge request of the address up for a call that writes.
func (c *call) mergeRequest(p sim.Permission) (target, error) {
	var out target
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		is := s.findMergeRequest(r, int(c.path("iid")), sim.PartAll)
		if is == nil {
			return notFound("")
		}
		out = target{s.v.FullName(r), is.Number, r.Issues[is.Number].Change.Head, is.ID}
		return c.need(s, r, p)
	})
	return out, err
}

// Paging.
const (
	defaultPage = 20
	largestPage = 100
)

// page cuts a list to the page asked for and writes the headers of offset paging.
func page[T any](c *call, all []T) []T {
	size := int(c.number("per_page"))
	if size <= 0 {
		size = defaultPage
	}
	size = min(size, largestPage)
	at := max(int(c.number("page")), 1)
	last := max((len(all)+size-1)/size, 1)
	h := c.w.Header()
	number := func(name string, n int, shown bool) {
		if shown {
			h.Set(name, strconv.Itoa(n))
		} else {
			h.Set(name, "")
		}
	}
	number("X-Page", at, true)
	number("X-Per-Page", size, true)
	number("X-Total", len(all), true)
	number("X-Total-Pages", last, true)
	number("X-Next-Page", at+1, at < last)
	number("X-Prev-Page", at-1, at > 1)
	var links []string
	link := func(rel string, n int) {
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(n))
		q.Set("per_page", strconv.Itoa(size))
		links = append(links, fmt.Sprintf("<%s%s?%s>; rel=%q", c.t.options().APIURL, c.r.URL.EscapedPath(), q.Encode(), rel))
	}
	if at > 1 {
		link("prev", at-1)
	}
	if at < last {
		link("next", at+1)
	}
	link("first", 1)
	link("last", last)
	h.Set("Link", strings.Join(links, ", "))
	from := min((at-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

// keyset cuts a list as keyset paging does: from behind an id, with no more than
// a link to the next page.
func keyset[T any](c *call, all []T, id func(T) int64) []T {
	size := int(c.number("per_page"))
	if size <= 0 {
		size = defaultPage
	}
	size = min(size, largestPage)
	all = slices.Clone(all)
	descending := c.text("sort") != "asc"
	slices.SortFunc(all, func(a, b T) int {
		if descending {
			return int(id(b) - id(a))
		}
		return int(id(a) - id(b))
	})
	name := "id_after"
	if descending {
		name = "id_before"
	}
	if after := c.number(name); after != 0 {
		all = slices.DeleteFunc(all, func(e T) bool {
			if descending {
				return id(e) >= after
			}
			return id(e) <= after
		})
	}
	if len(all) <= size {
		return all
	}
	q := c.r.URL.Query()
	q.Set(name, strconv.FormatInt(id(all[size-1]), 10))
	c.w.Header().Set("Link", fmt.Sprintf("<%s%s?%s>; rel=\"next\"", c.t.options().APIURL, c.r.URL.EscapedPath(), q.Encode()))
	return all[:size]
}

// shapes writes each of a list.
func shapes[T any](all []T, fn func(T) j) []any {
	out := []any{}
	for _, e := range all {
		out = append(out, fn(e))
	}
	return out
}
