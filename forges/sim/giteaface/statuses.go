package giteaface

import (
	"net/http"
	"slices"
	"strings"

	"primum/forges/sim"
)

func (c *call) createStatus() {
	var in struct {
		State       string `json:"state"`
		Context     string `json:"context"`
		Description string `json:"description"`
		TargetURL   string `json:"target_url"`
	}
	if !c.decode(&in) || !c.allowed(sim.Write) {
		return
	}
	sha, known := c.values["sha"], false
	c.t.forge.Read(func(v *sim.View) { known = v.Commit(sha) != nil })
	if !known { // measured: no word of explanation
		c.fail(http.StatusInternalServerError, "")
		return
	}
	id, err := c.act().SetStatus(c.repoName(), sha, sim.Status{State: in.State, Context: in.Context, Description: in.Description, TargetURL: in.TargetURL})
	c.done(err, func(s shaper, r *sim.Repo) result {
		for _, st := range r.Statuses[sha] {
			if st.ID == id {
				return result{status: http.StatusCreated, body: s.status(r, st)}
			}
		}
		return result{}
	})
}

// commitOf is the commit a path value names: a sha, or a branch or tag.
func (c *call) commitOf(s shaper, r *sim.Repo) *sim.Commit {
	at := c.values["sha"]
	if at == "" {
		at = c.values["ref"]
	}
	return s.v.Resolve(r, at)
}

// listStatuses gives every status of a commit, newest second first. Those of one
// second stand in the order they came in: the first of the list need not be the
// newest one.
func (c *call) listStatuses() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		k := c.commitOf(s, r)
		if k == nil && (c.values["ref"] == "" || s.forgejo) { // asked by statuses/{sha}
			return ok(page(c, []any{}))
		}
		if k == nil {
			return missing("object does not exist [id: %s, rel_path: ]", c.values["ref"])
		}
		all := slices.Clone(r.Statuses[k.SHA])
		if want := c.query("state"); want != "" {
			all = slices.DeleteFunc(all, func(st *sim.Status) bool { return st.State != want })
		}
		slices.SortStableFunc(all, func(a, b *sim.Status) int {
			x, y := a.At.Unix(), b.At.Unix()
			if c.query("sort") == "oldest" || c.query("sort") == "leastupdate" {
				return int(x - y)
			}
			return int(y - x)
		})
		switch c.query("sort") {
		case "leastindex", "highestindex":
			slices.SortFunc(all, func(a, b *sim.Status) int {
				if c.query("sort") == "highestindex" { // against its name; both are so
					return int(a.ID - b.ID)
				}
				return int(b.ID - a.ID)
			})
		}
		out := []any{}
		for _, st := range linked(c, all) {
			out = append(out, s.status(r, st))
		}
		return ok(out)
	})
}

// combined gives the newest status per context and what they amount to. Its
// total_count is the length of the page.
func (c *call) combined() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		k := c.commitOf(s, r)
		if s.forgejo && (k == nil || len(s.v.NewestStatuses(r, k.SHA)) == 0) {
			return ok(j{"state": "", "sha": "", "total_count": 0, "statuses": nil, "repository": nil, "commit_url": "", "url": ""})
		}
		if k == nil {
			return missing("object does not exist [id: %s, rel_path: ]", c.values["ref"])
		}
		newest := s.v.NewestStatuses(r, k.SHA)
		slices.SortFunc(newest, func(a, b *sim.Status) int { return strings.Compare(a.Context, b.Context) })
		var states []string
		for _, st := range newest {
			states = append(states, st.State)
		}
		var out []any // null if there are none
		turn := linked[*sim.Status]
		if s.forgejo {
			turn = page[*sim.Status]
		}
		for _, st := range turn(c, newest) {
			out = append(out, s.status(r, st))
		}
		state := "pending"
		if len(newest) > 0 {
			state = s.v.Style().Combine(states)
		}
		return ok(j{
			"state": state, "sha": k.SHA, "total_count": len(out), "statuses": out, "repository": s.repo(r),
			"commit_url": s.repoURL(r) + "/commits/" + k.SHA, "url": s.repoURL(r) + "/commits/" + k.SHA + "/status",
		})
	})
}
