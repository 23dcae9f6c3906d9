package gitlabface

import (
	"net/http"
	"net/url"
	"slices"

	"primum/forges/sim"
)

// licensed refuses what the tier lacks: a project without external status
// checks has none on Free, and may not use them below Ultimate.
func (s shaper) checksLicensed() error {
	switch {
	case s.o.has(Ultimate):
		return nil
	case s.o.has(Premium):
		return forbidden()
	}
	return notFound("")
}

func (s shaper) checkShape(r *sim.Repo, c statusCheck) j {
	branches := []any{}
	for _, b := range s.protectedBranches(r) {
		if slices.Contains(c.branches, b.id) {
			branches = append(branches, j{"id": b.id, "project_id": r.ID, "name": b.name, "created_at": stamp(r.CreatedAt), "updated_at": stamp(r.CreatedAt), "code_owner_approval_required": false})
		}
	}
	return j{"id": c.id, "name": c.name, "project_id": c.project, "external_url": c.url, "hmac": c.secret != "", "protected_branches": branches}
}

func (c *call) listChecks() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		if err := s.checksLicensed(); err != nil {
			return nil, err
		}
		if err := c.need(s, r, sim.Write); err != nil {
			return nil, err
		}
		s.t.state.mu.Lock()
		var all []statusCheck
		for _, k := range s.t.state.checks {
			if k.project == r.ID {
				all = append(all, *k)
			}
		}
		s.t.state.mu.Unlock()
		return shapes(page(c, all), func(k statusCheck) j { return s.checkShape(r, k) }), nil
	})
}

func (c *call) createCheck() error { return c.saveCheck(http.StatusCreated) }

func (c *call) editCheck() error { return c.saveCheck(http.StatusOK) }

// saveCheck makes a check, or changes the one of the address.
func (c *call) saveCheck(status int) error {
	var out j
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		if err := s.checksLicensed(); err != nil {
			return err
		}
		if err := c.need(s, r, sim.Maintain); err != nil {
			return err
		}
		made, err := c.putCheck(r)
		if err == nil {
			out = s.checkShape(r, made)
		}
		return err
	})
	if err != nil {
		return err
	}
	answer(c.w, status, out)
	return nil
}

func (c *call) putCheck(r *sim.Repo) (statusCheck, error) {
	st := c.t.state
	st.mu.Lock()
	defer st.mu.Unlock()
	id := c.path("check")
	k := &statusCheck{project: r.ID}
	if id != 0 {
		i := slices.IndexFunc(st.checks, func(o *statusCheck) bool { return o.id == id && o.project == r.ID })
		if i < 0 {
			return statusCheck{}, notFound("")
		}
		k = st.checks[i]
	}
	next := *k
	if c.given("name") {
		next.name = c.text("name")
	}
	if c.given("external_url") {
		next.url = c.text("external_url")
	}
	if c.given("shared_secret") {
		next.secret = c.text("shared_secret")
	}
	if c.given("protected_branch_ids") {
		next.branches = c.numbers("protected_branch_ids")
	}
	if u, err := url.Parse(next.url); err != nil || u.Host == "" {
		return statusCheck{}, refuse(http.StatusUnprocessableEntity, j{"external_url": []any{"is blocked: Only allowed schemes are http, https"}})
	}
	if next.name == "" {
		return statusCheck{}, badParam("name is missing")
	}
	for _, o := range st.checks {
		if o != k && o.project == r.ID && (o.name == next.name || o.url == next.url) {
			return statusCheck{}, refuse(http.StatusUnprocessableEntity, j{"name": []any{"has already been taken"}})
		}
	}
	if id == 0 {
		next.id = st.id()
		st.checks = append(st.checks, k)
	}
	*k = next
	return next, nil
}

func (c *call) deleteCheck() error {
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		if err := s.checksLicensed(); err != nil {
			return err
		}
		if err := c.need(s, r, sim.Maintain); err != nil {
			return err
		}
		s.t.state.mu.Lock()
		defer s.t.state.mu.Unlock()
		s.t.state.checks = slices.DeleteFunc(s.t.state.checks, func(o *statusCheck) bool { return o.id == c.path("check") && o.project == r.ID })
		return nil
	})
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *call) mergeRequestChecks() error {
	return c.onMergeRequest(sim.PartAll, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		if err := s.checksLicensed(); err != nil {
			return nil, err
		}
		return shapes(page(c, s.checksOf(r, is.Change.Base)), func(k statusCheck) j {
			return j{"id": k.id, "name": k.name, "external_url": k.url, "status": s.checkStatus(is, k)}
		}), nil
	})
}

// respond takes what an external service says of a merge request's head.
func (c *call) respond() error {
	var out j
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		if err := s.checksLicensed(); err != nil {
			return err
		}
		is := s.findMergeRequest(r, int(c.path("iid")), sim.PartAll)
		if is == nil {
			return notFound("")
		}
		if err := c.need(s, r, sim.Write); err != nil {
			return err
		}
		for _, name := range []string{"sha", "external_status_check_id"} {
			if !c.given(name) {
				return badParam(name + " is missing")
			}
		}
		status := c.text("status")
		switch {
		case status == "":
			status = "passed"
		case !slices.Contains([]string{"pending", "passed", "failed"}, status):
			return badParam("status does not have a valid value")
		}
		checks := s.checksOf(r, is.Change.Base)
		i := slices.IndexFunc(checks, func(k statusCheck) bool { return k.id == c.number("external_status_check_id") })
		if i < 0 {
			return notFound("")
		}
		if err := c.sameHead(r.Issues[is.Number].Change.Head); err != nil {
			return err
		}
		s.t.state.mu.Lock()
		s.t.state.responses[responseKey{is.ID, checks[i].id}] = response{c.text("sha"), status, s.v.Now()}
		id := s.t.state.id()
		s.t.state.mu.Unlock()
		out = j{
			"id": id, "merge_request": s.mergeRequest(r, is, false, nil), "external_status_check": s.checkShape(r, checks[i]), "status": status,
		}
		return nil
	})
	if err != nil {
		return err
	}
	answer(c.w, http.StatusCreated, out)
	return nil
}

// retryCheck asks the external service once more about a failed check.
func (c *call) retryCheck() error {
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		if err := s.checksLicensed(); err != nil {
			return err
		}
		is := s.findMergeRequest(r, int(c.path("iid")), sim.PartAll)
		if is == nil {
			return notFound("")
		}
		for _, k := range s.checksOf(r, is.Change.Base) {
			if k.id != c.path("check") {
				continue
			}
			if s.checkStatus(is, k) != "failed" {
				return refuse(http.StatusUnprocessableEntity, "External status check must be failed")
			}
			s.t.state.mu.Lock()
			s.t.state.responses[responseKey{is.ID, k.id}] = response{is.Change.Head, "pending", s.v.Now()}
			s.t.state.mu.Unlock()
			e := s.mergeRequestEvent(sim.Happening{Repo: r, Issue: is, Actor: s.v.Account(c.who.id), At: s.v.Now()}, "", j{})
			e.body["external_approval_rule"] = j{"id": k.id, "name": k.name, "external_url": k.url}
			s.t.post.put(&delivery{event: e.header, body: encode(e.body), at: s.v.Now(), eventID: s.t.post.uuid(), to: hook{url: k.url}, toCheck: true, checkSecret: k.secret})
			return nil
		}
		return notFound("")
	})
	if err != nil {
		return err
	}
	said(c.w, http.StatusAccepted, "202 Accepted")
	return nil
}
