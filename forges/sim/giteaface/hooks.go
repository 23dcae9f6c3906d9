package giteaface

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"primum/forges/sim"
)

// hook is a webhook of a repository, of an organisation, or (with neither) of
// the whole forge.
type hook struct {
	id      int64
	repo    int64
	org     int64
	kind    string // "gitea", "forgejo"
	url     string
	content string // content type: "json"
	secret  string
	events  []string // as kept: precise ones
	active  bool
	filter  string
	auth    string
	name    string
	made    time.Time
	changed time.Time
}

// hears reports whether the hook asked for a precise event.
func (h *hook) hears(event string) bool {
	if !h.active {
		return false
	}
	if h.repo == 0 && h.org == 0 {
		return true
	}
	if strings.HasPrefix(event, "pull_request_review_") && event != "pull_request_review_request" {
		event = "pull_request_review"
	}
	return slices.Contains(h.events, event)
}

// kept is what a hook keeps of the events it is made with: "issues" and
// "pull_request" stand for all of their kind, unknown ones are left out in silence.
func (t *Face) kept(asked []string) []string {
	if len(asked) == 0 {
		asked = []string{"push"}
	}
	var out []string
	have := func(event string, also ...string) {
		for _, a := range append(also, event) {
			if slices.ContainsFunc(asked, func(s string) bool { return strings.EqualFold(s, a) }) {
				out = append(out, event)
				return
			}
		}
	}
	for _, e := range []string{"create", "delete", "fork", "push", "wiki", "repository", "release", "package"} {
		have(e)
	}
	if !t.forgejo() {
		for _, e := range []string{"status", "workflow_run", "workflow_job"} {
			have(e)
		}
	}
	for _, e := range []string{"issue_assign", "issue_label", "issue_milestone", "issue_comment"} {
		have(e, "issues")
	}
	have("issues", "issues_only")
	for _, e := range []string{
		"pull_request_assign", "pull_request_label", "pull_request_milestone", "pull_request_comment", "pull_request_review",
		"pull_request_review_request", "pull_request_sync",
	} {
		have(e, "pull_request")
	}
	have("pull_request", "pull_request_only")
	return out
}

// hookJSON is a hook as it is answered: never with its secret.
func hookJSON(h *hook) j {
	return j{
		"id": h.id, "type": h.kind, "active": h.active, "config": j{"url": h.url, "content_type": h.content}, "events": slices.Clone(h.events),
		"authorization_header": h.auth, "branch_filter": h.filter, "created_at": stamp(h.made), "updated_at": stamp(h.changed), "name": h.name,
	}
}

func (c *call) hookJSON(h *hook) j {
	out := hookJSON(h)
	if c.t.forgejo() {
		delete(out, "name")
		out["url"], out["content_type"], out["metadata"] = h.url, h.content, nil
	}
	return out
}

// hookEdit is the body of a hook's making or editing.
type hookEdit struct {
	Type   string            `json:"type"`
	Config map[string]string `json:"config"`
	Events []string          `json:"events"`
	Active *bool             `json:"active"`
	Filter string            `json:"branch_filter"`
	Auth   string            `json:"authorization_header"`
	Name   *string           `json:"name"`
}

// of says whose hooks a path speaks of, if the caller may; false means that it
// has answered.
func (c *call) of(org bool) (repo, owner int64, may bool) {
	if org {
		var res result
		c.t.forge.Read(func(v *sim.View) {
			o := v.AccountByLogin(c.values["org"])
			if o == nil || o.Kind != sim.Organization {
				return
			}
			if _, owns := c.member(o); !owns {
				res = failure(http.StatusForbidden, "Must be an organization owner")
				return
			}
			owner, res = o.ID, ok(nil)
		})
		if res.status != http.StatusOK {
			c.give(res)
			return 0, 0, false
		}
		return 0, owner, true
	}
	res, there := c.repo(sim.Admin, func(_ shaper, r *sim.Repo) result { repo = r.ID; return ok(nil) })
	if !there {
		return 0, 0, false
	}
	if res.status != http.StatusOK {
		c.give(res)
		return 0, 0, false
	}
	return repo, 0, true
}

func (c *call) listHooks(org bool) {
	repo, owner, may := c.of(org)
	if !may {
		return
	}
	c.t.mu.Lock()
	out := []any{}
	for _, h := range c.t.hooks {
		if h.repo == repo && h.org == owner {
			out = append(out, c.hookJSON(h))
		}
	}
	c.t.mu.Unlock()
	c.answer(http.StatusOK, page(c, out))
}

func (c *call) createHook(org bool) {
	var in hookEdit
	if !c.decode(&in) {
		return
	}
	repo, owner, may := c.of(org)
	if !may {
		return
	}
	if !slices.Contains([]string{"gitea", "forgejo", "gogs", "slack", "discord", "dingtalk", "telegram", "msteams", "feishu", "matrix", "wechatwork", "packagist"}, in.Type) || (in.Type == Forgejo && !c.t.forgejo()) {
		c.fail(http.StatusUnprocessableEntity, "Invalid hook type: "+in.Type)
		return
	}
	for _, key := range []string{"url", "content_type"} {
		if in.Config[key] == "" {
			c.fail(http.StatusUnprocessableEntity, "Missing config option: "+key)
			return
		}
	}
	if in.Config["content_type"] != "json" && in.Config["content_type"] != "form" {
		c.fail(http.StatusUnprocessableEntity, "Invalid content type")
		return
	}
	if u, err := url.Parse(in.Config["url"]); err != nil || u.Host == "" {
		c.fail(http.StatusUnprocessableEntity, "Invalid url")
		return
	}
	now := c.t.forge.Now()
	c.t.mu.Lock()
	h := &hook{
		id: int64(len(c.t.hooks) + 1), repo: repo, org: owner, kind: in.Type, url: in.Config["url"], content: in.Config["content_type"],
		secret: in.Config["secret"], events: c.t.kept(in.Events), active: in.Active != nil && *in.Active, filter: in.Filter, auth: in.Auth, made: now, changed: now,
	}
	if in.Name != nil {
		h.name = *in.Name
	}
	c.t.hooks = append(c.t.hooks, h)
	out := c.hookJSON(h)
	c.t.mu.Unlock()
	c.answer(http.StatusCreated, out)
}

// onHook runs fn with the hook of the path while the hooks stand still.
func (c *call) onHook(org bool, fn func(h *hook) result) {
	repo, owner, may := c.of(org)
	if !may {
		return
	}
	id, err := strconv.ParseInt(c.values["id"], 10, 64)
	c.t.mu.Lock()
	res := result{}
	for _, h := range c.t.hooks {
		if err == nil && h.id == id && h.repo == repo && h.org == owner {
			res = fn(h)
			break
		}
	}
	c.t.mu.Unlock()
	c.give(res)
}

func (c *call) getHook(org bool) {
	c.onHook(org, func(h *hook) result { return ok(c.hookJSON(h)) })
}

// editHook sets what is named, and of what is not named the events, the filter
// and the header nonetheless, to nothing. Gitea leaves the secret as it was.
func (c *call) editHook(org bool) {
	var in hookEdit
	if !c.decode(&in) {
		return
	}
	now := c.t.forge.Now()
	c.onHook(org, func(h *hook) result {
		if u := in.Config["url"]; u != "" {
			h.url = u
		}
		if ct := in.Config["content_type"]; ct != "" {
			if ct != "json" && ct != "form" {
				return failure(http.StatusUnprocessableEntity, "Invalid content type")
			}
			h.content = ct
		}
		if secret, named := in.Config["secret"]; named && c.t.forgejo() {
			h.secret = secret
		}
		h.events, h.filter, h.auth, h.changed = c.t.kept(in.Events), in.Filter, in.Auth, now
		if in.Active != nil {
			h.active = *in.Active
		}
		if in.Name != nil {
			h.name = *in.Name
		}
		return ok(c.hookJSON(h))
	})
}

func (c *call) deleteHook(org bool) {
	c.onHook(org, func(h *hook) result {
		h.repo, h.org, h.active = -1, -1, false // its number is not given again
		return result{status: http.StatusNoContent, body: none}
	})
}

func (c *call) listRepoHooks()  { c.listHooks(false) }
func (c *call) createRepoHook() { c.createHook(false) }
func (c *call) getRepoHook()    { c.getHook(false) }
func (c *call) editRepoHook()   { c.editHook(false) }
func (c *call) deleteRepoHook() { c.deleteHook(false) }
func (c *call) listOrgHooks()   { c.listHooks(true) }
func (c *call) createOrgHook()  { c.createHook(true) }
func (c *call) getOrgHook()     { c.getHook(true) }
func (c *call) editOrgHook()    { c.editHook(true) }
func (c *call) deleteOrgHook()  { c.deleteHook(true) }

// testRepoHook sends a push that never happened to one hook.
func (c *call) testRepoHook() {
	var to hook
	c.onHookQuietly(func(h *hook) { to = *h })
	if to.id == 0 {
		return
	}
	c.t.forge.Read(func(v *sim.View) {
		s := shaper{v: v, web: c.t.options().URL, forgejo: c.t.forgejo(), face: c.t}
		r := v.Repo(c.repoName())
		k := v.Commit(r.Branches[r.Default])
		commit := s.payloadCommit(r, k, true)
		ref := "refs/heads/" + r.Default
		if asked := c.query("ref"); asked != "" {
			ref = asked
		}
		who := s.user(c.me)
		c.t.post.put(&to, "push", "push", j{
			"ref": ref, "before": k.SHA, "after": k.SHA, "compare_url": s.repoWeb(r) + "/compare/" + k.SHA + "..." + k.SHA, "commits": []any{commit},
			"total_commits": 1, "head_commit": commit, "repository": s.repoFor(r, nil), "pusher": who, "sender": who,
		}, v.Now())
	})
	c.answer(http.StatusNoContent, none)
}

// onHookQuietly is onHook for a call that answers later; it answers only if there
// is no such hook.
func (c *call) onHookQuietly(fn func(h *hook)) {
	repo, owner, may := c.of(false)
	if !may {
		return
	}
	found := false
	c.t.mu.Lock()
	for _, h := range c.t.hooks {
		if strconv.FormatInt(h.id, 10) == c.values["id"] && h.repo == repo && h.org == owner {
			fn(h)
			found = true
		}
	}
	c.t.mu.Unlock()
	if !found {
		c.notFound()
	}
}
