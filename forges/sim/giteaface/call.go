package giteaface

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// call is one request on its way through the face.
type call struct {
	t      *Face
	w      http.ResponseWriter
	r      *http.Request
	values map[string]string
	me     *sim.Account // copied; nil if nobody signed in
	body   []byte
}

// serve signs the caller in, reads the body and runs the route.
func (t *Face) serve(w http.ResponseWriter, r *http.Request, rt *route, values map[string]string) {
	c := &call{t: t, w: w, r: r, values: values}
	if rt == nil {
		http.NotFound(w, r)
		return
	}
	if !c.signIn(rt) {
		return
	}
	if c.me != nil && rt.unit != "" && t.withheld(c.me.Login, rt.unit) {
		c.fail(http.StatusForbidden, "user should have specific permission or be a repo admin or a site admin")
		return
	}
	const mostBody = 16 << 20
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if err != nil {
		c.fail(http.StatusBadRequest, "cannot read the body")
		return
	}
	c.body = body
	rt.do(c)
}

// decode reads the body as JSON; false means that it has answered.
func (c *call) decode(into any) bool {
	if len(c.body) == 0 {
		return true
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		c.fail(http.StatusUnprocessableEntity, "[]: json: "+err.Error())
		return false
	}
	return true
}

func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

// number reads a path value; false means that it has answered.
func (c *call) number(name string) (int, bool) {
	n, err := strconv.Atoi(c.values[name])
	if err != nil {
		c.notFound()
	}
	return n, err == nil
}

func (c *call) repoName() string { return c.values["owner"] + "/" + c.values["repo"] }

// act does something as the caller.
func (c *call) act() sim.Actor { return c.t.forge.As(c.me.Login) }

// perm is what the caller may do in a repository.
func (c *call) perm(v *sim.View, r *sim.Repo) sim.Permission {
	if c.me == nil {
		if r.Private {
			return sim.None
		}
		return sim.Read
	}
	return v.Permission(r, v.Account(c.me.ID))
}

// result is a status and what to answer; the zero result is 404.
type result struct {
	status  int
	body    any
	message string // of a failure
	missing string // what was not found
}

func missing(format string, args ...any) result { return result{missing: fmt.Sprintf(format, args...)} }

func ok(body any) result { return result{status: http.StatusOK, body: body} }
func failure(status int, format string, args ...any) result {
	return result{status: status, message: fmt.Sprintf(format, args...)}
}

func (c *call) give(res result) {
	switch {
	case res.missing != "":
		c.notFound(res.missing)
	case res.status == 0 || (res.status == http.StatusNotFound && res.message == ""):
		c.notFound()
	case res.status >= http.StatusBadRequest:
		c.fail(res.status, res.message)
	default:
		c.answer(res.status, res.body)
	}
}

// reading runs fn while the forge stands still and answers after that, so that
// a slow reader holds nobody up.
func (c *call) reading(fn func(s shaper) result) {
	var res result
	c.t.forge.Read(func(v *sim.View) { res = fn(c.shaper(v)) })
	c.give(res)
}

func (c *call) shaper(v *sim.View) shaper {
	o := c.t.options()
	return shaper{v: v, web: o.URL, forgejo: c.t.forgejo(), me: c.me, face: c.t}
}

// notAdmin is what a repository tells those who do not administer it.
const notAdmin = "user should be an owner or a collaborator with admin write of a repository"

// onRepo runs fn with the repository of the path, if the caller has the
// permission; a former name leads to the present one.
func (c *call) onRepo(need sim.Permission, fn func(s shaper, r *sim.Repo) result) {
	if res, there := c.repo(need, fn); there {
		c.give(res)
	}
}

// repo is onRepo without answering what fn gives; false means that it has answered.
func (c *call) repo(need sim.Permission, fn func(s shaper, r *sim.Repo) result) (res result, there bool) {
	moved := ""
	c.t.forge.Read(func(v *sim.View) {
		r := v.Repo(c.repoName())
		if r == nil || !c.perm(v, r).AtLeast(sim.Read) {
			return
		}
		if full := v.FullName(r); !strings.EqualFold(full, c.repoName()) {
			moved = strings.Replace(c.r.URL.RequestURI(), "/repos/"+c.repoName(), "/repos/"+full, 1)
			return
		}
		switch have := c.perm(v, r); {
		case have.AtLeast(need):
			res = fn(c.shaper(v), r)
		case need == sim.Admin:
			res = failure(http.StatusForbidden, "%s", notAdmin)
		default:
			res = failure(http.StatusForbidden, "user should have a permission to write to a repo")
		}
	})
	if moved != "" {
		status := http.StatusMovedPermanently
		if c.t.forgejo() {
			status = http.StatusTemporaryRedirect
		}
		c.w.Header().Set("Location", moved)
		c.w.WriteHeader(status)
		return res, false
	}
	return res, true
}

// allowed is repo for calls that write: it reports whether the caller may.
func (c *call) allowed(need sim.Permission) bool {
	res, there := c.repo(need, func(shaper, *sim.Repo) result { return ok(nil) })
	if there && res.status != http.StatusOK {
		c.give(res)
		return false
	}
	return there
}

// done answers a write: what went wrong, or what fn reads after it.
func (c *call) done(err error, fn func(s shaper, r *sim.Repo) result) {
	if err != nil {
		c.refused(err)
		return
	}
	c.onRepo(sim.Read, fn)
}
