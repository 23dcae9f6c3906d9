package gitlabface

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"primum/forges/sim"
)

// hookOwner is the project or group of the address, which the caller must
// administer: a Maintainer of the project, an Owner of the group.
func (c *call) hookOwner(s shaper, me *sim.Account) (project, group int64, err error) {
	if strings.Contains(c.r.Pattern, "/projects/") {
		r, err := c.findProject(s)
		if err != nil {
			return 0, 0, err
		}
		return r.ID, 0, c.need(s, r, sim.Maintain)
	}
	g, ok := s.group(c.r.PathValue("id"))
	if !ok || !s.visible(g, me) {
		return 0, 0, notFound("Group")
	}
	if err := s.paid(); err != nil {
		return 0, 0, err
	}
	if s.administers(g, me) {
		return 0, g.id, nil
	}
	return 0, 0, forbidden()
}

func (h *hook) shape(group bool) j {
	out := j{
		"id": h.id, "url": h.url, "name": h.name, "description": "", "created_at": h.made, "enable_ssl_verification": h.ssl, "alert_status": "executable",
		"disabled_until": nil, "url_variables": []any{}, "custom_headers": []any{}, "custom_webhook_template": "", "branch_filter_strategy": "wildcard",
		"push_events_branch_filter": h.filter, "repository_update_events": false, "confidential_issues_events": h.events["confidential_issues_events"], "confidential_note_events": h.events["confidential_note_events"],
		"wiki_page_events": false, "deployment_events": false, "feature_flag_events": false, "releases_events": false, "resource_access_token_events": false,
	}
	for header, flag := range flags() {
		if onlyGroups(header) && !group {
			continue
		}
		out[flag] = h.events[flag]
	}
	if group {
		out["group_id"] = h.group
	} else {
		out["project_id"] = h.project
	}
	return out
}

// onlyGroups reports whether only webhooks of groups get an event.
func onlyGroups(header string) bool {
	return slices.Contains([]string{"Member Hook", "Subgroup Hook", "Project Hook"}, header)
}

// onHooks runs fn with the webhooks of the address's project or group.
func (c *call) onHooks(fn func(s shaper, project, group int64) (any, error)) error {
	return c.redirect(c.reading(func(s shaper, me *sim.Account) (any, error) {
		project, group, err := c.hookOwner(s, me)
		if err != nil {
			return nil, err
		}
		return fn(s, project, group)
	}))
}

func (st *state) hooksOf(project, group int64) []hook {
	st.mu.Lock()
	defer st.mu.Unlock()
	var out []hook
	for _, h := range st.hooks {
		if h.project == project && h.group == group {
			out = append(out, *h)
		}
	}
	return out
}

func (st *state) hook(id, project, group int64) (hook, error) {
	for _, h := range st.hooksOf(project, group) {
		if h.id == id {
			return h, nil
		}
	}
	return hook{}, notFound("")
}

func (c *call) listHooks() error {
	return c.onHooks(func(s shaper, project, group int64) (any, error) {
		return shapes(page(c, s.t.state.hooksOf(project, group)), func(h hook) j { return h.shape(group != 0) }), nil
	})
}

func (c *call) getHook() error {
	return c.onHooks(func(s shaper, project, group int64) (any, error) {
		h, err := s.t.state.hook(c.path("hook"), project, group)
		if err != nil {
			return nil, err
		}
		return h.shape(group != 0), nil
	})
}

func (c *call) createHook() error { return c.saveHook(http.StatusCreated) }

func (c *call) editHook() error { return c.saveHook(http.StatusOK) }

func (c *call) saveHook(status int) error {
	var out j
	err := c.looking(func(s shaper, me *sim.Account) error {
		project, group, err := c.hookOwner(s, me)
		if err != nil {
			return err
		}
		h, err := c.putHook(project, group, stamp(s.v.Now()))
		if err == nil {
			out = h.shape(group != 0)
		}
		return err
	})
	if err != nil {
		return err
	}
	answer(c.w, status, out)
	return nil
}

func (c *call) putHook(project, group int64, now string) (hook, error) {
	st := c.t.state
	st.mu.Lock()
	defer st.mu.Unlock()
	id := c.path("hook")
	h := &hook{project: project, group: group, ssl: true, events: map[string]bool{"push_events": true}, made: now}
	if id != 0 {
		i := slices.IndexFunc(st.hooks, func(o *hook) bool { return o.id == id && o.project == project && o.group == group })
		if i < 0 {
			return hook{}, notFound("")
		}
		h = st.hooks[i]
	}
	next := *h
	next.events = maps.Clone(h.events)
	for name, at := range map[string]*string{"url": &next.url, "token": &next.token, "name": &next.name, "push_events_branch_filter": &next.filter, "signing_token": &next.signing} {
		if c.given(name) {
			*at = c.text(name)
		}
	}
	if c.given("enable_ssl_verification") {
		next.ssl = c.truth("enable_ssl_verification")
	}
	for _, flag := range append(slices.Collect(maps.Values(flags())), "confidential_issues_events", "confidential_note_events") {
		if c.given(flag) {
			next.events[flag] = c.truth(flag)
		}
	}
	if next.url == "" {
		return hook{}, badParam("url is missing")
	}
	if u, err := url.Parse(next.url); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return hook{}, refuse(http.StatusUnprocessableEntity, "Invalid url given")
	}
	if id == 0 {
		next.id = st.id()
		st.hooks = append(st.hooks, h)
	}
	*h = next
	return next, nil
}

func (c *call) deleteHook() error {
	err := c.looking(func(s shaper, me *sim.Account) error {
		project, group, err := c.hookOwner(s, me)
		if err != nil {
			return err
		}
		if _, err := s.t.state.hook(c.path("hook"), project, group); err != nil {
			return err
		}
		s.t.state.mu.Lock()
		defer s.t.state.mu.Unlock()
		s.t.state.hooks = slices.DeleteFunc(s.t.state.hooks, func(h *hook) bool { return h.id == c.path("hook") })
		return nil
	})
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// testHook sends a payload at once and answers with what came of it: 201, or
// 422 with what went wrong.
func (c *call) testHook() error {
	var d *delivery
	err := c.looking(func(s shaper, me *sim.Account) error {
		project, group, err := c.hookOwner(s, me)
		if err != nil {
			return err
		}
		h, err := s.t.state.hook(c.path("hook"), project, group)
		if err != nil {
			return err
		}
		r := s.v.RepoByID(project)
		for _, o := range s.v.Repos() {
			if r == nil && o.Owner == group {
				r = o
			}
		}
		if r == nil {
			return refuse(http.StatusUnprocessableEntity, "Ensure the group has a project with commits.")
		}
		e, err := s.testEvent(c.r.PathValue("trigger"), r, me)
		if err != nil {
			return err
		}
		d = &delivery{event: e.header, to: h, body: encode(e.body), at: s.v.Now(), key: s.t.post.uuid(), eventID: s.t.post.uuid()}
		return nil
	})
	if err != nil {
		return err
	}
	o := c.t.options()
	header := c.t.post.header(d, o)
	if o.Sent != nil {
		o.Sent(d.event, header, d.body)
	}
	status, text := c.t.post.try(c.r.Context(), o, d.to.url, header, d.body)
	d.status = status
	c.t.post.keep(d)
	if status/100 != 2 && status/100 != 3 {
		if text == "" {
			text = "Internal server error"
		}
		return refuse(http.StatusUnprocessableEntity, text)
	}
	said(c.w, http.StatusCreated, "201 Created")
	return nil
}

// testEvent is what a test of a webhook sends: of the newest thing there is.
func (s shaper) testEvent(trigger string, r *sim.Repo, me *sim.Account) (event, error) {
	h := sim.Happening{Repo: r, Actor: me, At: s.v.Now()}
	lacks := func(what string) (event, error) {
		return event{}, refuse(http.StatusUnprocessableEntity, "Ensure the project has "+what+".")
	}
	switch trigger {
	case "push_events", "tag_push_events":
		tip := r.Branches[r.Default]
		if tip == "" {
			return lacks("at least one commit")
		}
		h.Push = &sim.Push{Ref: "refs/heads/" + r.Default, Before: sim.NoCommit, After: tip, Commits: []*sim.Commit{s.v.Commit(tip)}}
		if trigger == "tag_push_events" {
			h.Push.Ref = "refs/tags/v1.0.0"
		}
		return s.pushEvent(h), nil
	case "merge_requests_events":
		for _, is := range s.v.Changes(r) {
			h.Issue = is
		}
		if h.Issue == nil {
			return lacks("merge requests")
		}
		return s.mergeRequestEvent(h, "", j{}), nil
	case "issues_events":
		for _, is := range s.v.Issues(r) {
			if is.Change == nil {
				h.Issue = is
			}
		}
		if h.Issue == nil {
			return lacks("issues")
		}
		return s.issueEvent(h, "", j{}), nil
	case "note_events":
		for _, is := range s.v.Issues(r) {
			for _, k := range is.Comments {
				h.Issue, h.Comment = is, k
			}
		}
		if h.Comment == nil {
			return lacks("notes")
		}
		return s.noteEvent(h, s.commentNote(h.Comment), "create"), nil
	}
	return event{}, badParam("trigger does not have a valid value")
}

// keep puts a delivery into the log.
func (p *post) keep(d *delivery) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	d.id = p.next
	p.log = append(p.log, d)
}

// hookEvents lists what was sent to a webhook in the last seven days, newest first.
func (c *call) hookEvents() error {
	return c.onHooks(func(s shaper, project, group int64) (any, error) {
		if _, err := s.t.state.hook(c.path("hook"), project, group); err != nil {
			return nil, err
		}
		o := s.t.options()
		p := s.t.post
		p.mu.Lock()
		all := slices.Clone(p.log)
		p.mu.Unlock()
		slices.Reverse(all)
		var out []j
		for _, d := range all {
			if d.to.id != c.path("hook") || !wantedResult(c.text("status"), d.status) {
				continue
			}
			head := p.header(d, o)
			head.Del("X-Gitlab-Token")
			answered := any(d.status)
			if d.status == 0 {
				answered = "internal error"
			}
			out = append(out, j{
				"id": d.id, "url": d.to.url, "trigger": strings.ReplaceAll(strings.ToLower(d.event), " ", "_") + "s", "request_headers": flat(head),
				"request_data": rawJSON(d.body), "response_headers": j{}, "response_body": "", "response_status": answered, "execution_duration": 0.1,
				"created_at": d.at.UTC().Format(time.RFC3339),
			})
		}
		return shapes(page(c, out), func(x j) j { return x }), nil
	})
}

func wantedResult(want string, status int) bool {
	switch want {
	case "successful":
		return status/100 == 2
	case "client_failure":
		return status/100 == 4
	case "server_failure":
		return status/100 == 5 || status == 0
	}
	return true
}

func flat(h http.Header) j {
	out := j{}
	for k := range h {
		out[k] = h.Get(k)
	}
	return out
}

// rawJSON is JSON as it is.
type rawJSON []byte

// MarshalJSON implements json.Marshaler.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// resend sends a delivery again, with the same Idempotency-Key.
func (c *call) resend() error {
	var d delivery
	err := c.looking(func(s shaper, me *sim.Account) error {
		project, group, err := c.hookOwner(s, me)
		if err != nil {
			return err
		}
		h, err := s.t.state.hook(c.path("hook"), project, group)
		if err != nil {
			return err
		}
		s.t.post.mu.Lock()
		defer s.t.post.mu.Unlock()
		for _, o := range s.t.post.log {
			if o.id == c.path("log") && o.to.id == h.id {
				d = *o
				d.to = h
				return nil
			}
		}
		return notFound("")
	})
	if err != nil {
		return err
	}
	d.at = c.t.forge.Now()
	o := c.t.options()
	d.status, _ = c.t.post.try(c.r.Context(), o, d.to.url, c.t.post.header(&d, o), d.body)
	c.t.post.keep(&d)
	answer(c.w, http.StatusCreated, j{"response_status": d.status})
	return nil
}
