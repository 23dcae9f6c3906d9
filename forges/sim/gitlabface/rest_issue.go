package gitlabface

import (
	"slices"

	"primum/forges/sim"
)

// onIssue is reading with the issue of the address.
func (c *call) onIssue(fn func(s shaper, r *sim.Repo, is *sim.Issue) (any, error)) error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		is := s.findIssue(r, int(c.path("iid")))
		if is == nil {
			return nil, notFound("")
		}
		return fn(s, r, is)
	})
}

func (c *call) listIssues() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		var found []*sim.Issue
		iids, labels := c.numbers("iids"), c.list("labels")
		for _, is := range s.v.Issues(r) {
			if is.Change != nil || !wantedState(is, c.text("state")) || (len(iids) > 0 && !slices.Contains(iids, int64(s.iid(r, is)))) {
				continue
			}
			if slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(is.Labels, l) }) {
				continue
			}
			found = append(found, is)
		}
		c.order(found)
		return shapes(page(c, found), func(is *sim.Issue) j { return s.issue(r, is) }), nil
	})
}

func (c *call) getIssue() error {
	return c.onIssue(func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) { return s.issue(r, is), nil })
}

func (c *call) editIssue() error {
	var at target
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		is := s.findIssue(r, int(c.path("iid")))
		if is == nil {
			return notFound("")
		}
		at = target{repo: s.v.FullName(r), number: is.Number}
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.editCommon(at); err != nil {
		return err
	}
	return c.getIssue()
}

// subject is the issue or merge request of the address.
func (c *call) subject(s shaper, r *sim.Repo) (*sim.Issue, error) {
	iid := int(c.path("iid"))
	is := s.findIssue(r, iid)
	if c.onMergeRequests() {
		is = s.findMergeRequest(r, iid, sim.PartReviews)
	}
	if is == nil {
		return nil, notFound("")
	}
	return is, nil
}

func (c *call) labelEvents() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		is, err := c.subject(s, r)
		if err != nil {
			return nil, err
		}
		kind := "Issue"
		if is.Change != nil {
			kind = "MergeRequest"
		}
		var all []sim.IssueEvent
		for _, e := range is.Events {
			if e.Kind == "labeled" || e.Kind == "unlabeled" {
				all = append(all, e)
			}
		}
		return shapes(page(c, all), func(e sim.IssueEvent) j {
			l := s.v.Label(r, e.Label)
			var label any
			if r.Labels[e.Label] != nil { // of a label that is gone nothing is left
				label = j{"id": l.ID, "name": l.Name, "color": color(l), "description": nil, "description_html": "", "text_color": "#FFFFFF"}
			}
			return j{
				"id": e.ID, "user": s.author(e.Actor), "created_at": stamp(e.At), "resource_type": kind, "resource_id": is.ID, "label": label,
				"action": map[string]string{"labeled": "add", "unlabeled": "remove"}[e.Kind],
			}
		}), nil
	})
}

func (c *call) stateEvents() error {
	return c.onIssue(func(s shaper, _ *sim.Repo, is *sim.Issue) (any, error) {
		var all []sim.IssueEvent
		for _, e := range is.Events {
			if e.Kind == "closed" || e.Kind == "reopened" {
				all = append(all, e)
			}
		}
		return shapes(page(c, all), func(e sim.IssueEvent) j {
			return j{"id": e.ID, "user": s.author(e.Actor), "created_at": stamp(e.At), "resource_type": "Issue", "resource_id": is.ID, "state": e.Kind}
		}), nil
	})
}

// issueLinks lists the issues an issue is linked with. What blocks it is told
// apart from other links in Premium and above only.
func (c *call) issueLinks() error {
	return c.onIssue(func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		out := []any{}
		add := func(r *sim.Repo, other *sim.Issue, kind string, id int64) {
			if !s.o.has(Premium) {
				kind = "relates_to"
			}
			x := s.issue(r, other)
			x["issue_link_id"], x["link_type"], x["link_created_at"], x["link_updated_at"] = id, kind, stamp(is.UpdatedAt), stamp(is.UpdatedAt)
			out = append(out, x)
		}
		for i, d := range is.Depends {
			if where := s.v.RepoByID(d.Repo); c.who.sees(s.v, where) && where.Issues[d.Number] != nil {
				add(where, where.Issues[d.Number], "is_blocked_by", is.ID*100+int64(i))
			}
		}
		for _, other := range s.v.Issues(r) {
			for i, d := range other.Depends {
				if d.Repo == r.ID && d.Number == is.Number {
					add(r, other, "blocks", other.ID*100+int64(i))
				}
			}
		}
		return out, nil
	})
}

// closedBy lists the merge requests that close an issue when merged.
func (c *call) closedBy() error {
	return c.onIssue(func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		var found []*sim.Issue
		for _, mr := range s.v.Changes(r) {
			if slices.ContainsFunc(s.closes(r, mr), func(o *sim.Issue) bool { return o.ID == is.ID }) {
				found = append(found, mr)
			}
		}
		me := s.v.Account(c.who.id)
		return shapes(page(c, found), func(mr *sim.Issue) j { return s.mergeRequest(r, mr, false, me) }), nil
	})
}

func (c *call) listLabels() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		var names []string
		for n := range r.Labels {
			names = append(names, n)
		}
		return shapes(page(c, labelNames(names)), func(n string) j {
			l := s.v.Label(r, n)
			return j{
				"id": l.ID, "name": l.Name, "description": nil, "description_html": "", "text_color": "#FFFFFF", "color": color(l), "archived": false,
				"subscribed": false, "priority": nil, "is_project_label": true,
			}
		}), nil
	})
}
