package giteaface

import (
	"errors"
	"net/http"

	"primum/forges/sim"
)

func refusal(err error) (*sim.Refusal, bool) {
	var r *sim.Refusal
	is := errors.As(err, &r)
	return r, is
}

// tryAgain is what these products say while they look for conflicts, and for
// ever where there are some.
const tryAgain = "Please try again later"

// merge merges a change, or says why not in the order these products look.
func (c *call) merge() {
	var in struct {
		Do    string `json:"do"` // "Do" too: names are compared in any case
		Force bool   `json:"force_merge"`
		Head  string `json:"head_commit_id"`
		When  bool   `json:"merge_when_checks_succeed"`
	}
	n, good := c.number("index")
	if !good || !c.decode(&in) {
		return
	}
	how, known := map[string]sim.MergeMethod{
		"merge": sim.MergeCommit, "squash": sim.Squash, "rebase": sim.RebaseMerge, "rebase-merge": sim.MergeCommit, "fast-forward-only": sim.RebaseMerge,
	}[in.Do]
	if !known {
		c.fail(http.StatusUnprocessableEntity, "[Do]: Required")
		return
	}
	res, there := c.repo(sim.Read, func(s shaper, r *sim.Repo) result { return c.hinders(s, r, n, in.Force, in.Head, in.When) })
	if !there {
		return
	}
	if res.status != http.StatusOK {
		c.give(res)
		return
	}
	_, err := c.act().Merge(c.repoName(), n, sim.MergeOptions{Method: how, Head: in.Head, Bypass: in.Force})
	switch r, is := refusal(err); {
	case is && r.Kind == sim.Moved:
		c.fail(http.StatusConflict, "head out of date")
	case is && r.Kind == sim.Blocked:
		c.fail(http.StatusMethodNotAllowed, c.unready(r.Reasons[0]))
	case err != nil:
		c.refused(err)
	default:
		c.answer(http.StatusOK, none)
	}
}

// unready words an unsatisfied protection.
func (c *call) unready(reason string) string {
	if c.t.forgejo() {
		return "not allowed to merge [reason: " + reason + "]"
	}
	return reason
}

func (c *call) hinders(s shaper, r *sim.Repo, n int, force bool, head string, when bool) result {
	is := r.Issues[n]
	if is == nil || is.Change == nil {
		return result{}
	}
	change := is.Change
	may := c.perm(s.v, r)
	p := r.Protection[change.Base]
	switch {
	case change.Merged:
		return failure(http.StatusMethodNotAllowed, "")
	case is.State != sim.Open:
		return result{}
	case !may.AtLeast(sim.Write):
		return failure(http.StatusMethodNotAllowed, "User not allowed to merge PR")
	case change.Draft:
		return failure(http.StatusMethodNotAllowed, "Work in progress PRs cannot be merged")
	case s.v.Conflicts(r, change):
		return failure(http.StatusMethodNotAllowed, tryAgain)
	}
	if reasons := s.v.Hinders(r, is); len(reasons) > 0 {
		if when {
			return result{status: http.StatusCreated, body: none}
		}
		if !force || !may.AtLeast(sim.Admin) || (p != nil && p.EnforceAdmins) {
			return failure(http.StatusMethodNotAllowed, "%s", c.unready(reasons[0]))
		}
	}
	if head != "" && head != change.Head {
		return failure(http.StatusConflict, "head out of date")
	}
	return ok(nil)
}

func (c *call) cancelMerge() {
	if c.allowed(sim.Read) {
		c.answer(http.StatusNoContent, none)
	}
}
