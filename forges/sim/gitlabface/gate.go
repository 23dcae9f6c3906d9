package gitlabface

import (
	"slices"
	"time"

	"primum/forges/sim"
)

// statusCheck is an external status check of a project (Ultimate).
type statusCheck struct {
	id       int64
	project  int64
	name     string
	url      string
	secret   string
	branches []int64 // protected branches it is for; none means all
}

type responseKey struct {
	mr    int64
	check int64
}

// response is what an external service last said of a merge request.
type response struct {
	sha    string
	status string // pending, passed, failed
	at     time.Time
}

// checkPatience is how long an external status check may be pending before it
// counts as failed.
const checkPatience = 2 * time.Minute

// approvalRule is an approval rule of a project (Premium).
type approvalRule struct {
	id       int64
	project  int64
	name     string
	required int
	users    []int64
	groups   []int64
}

// checksOf are the external status checks that apply to a target branch.
func (s shaper) checksOf(r *sim.Repo, branch string) []statusCheck {
	var id int64
	for _, b := range s.protectedBranches(r) {
		if b.name == branch {
			id = b.id
		}
	}
	s.t.state.mu.Lock()
	defer s.t.state.mu.Unlock()
	var out []statusCheck
	for _, c := range s.t.state.checks {
		if c.project == r.ID && (len(c.branches) == 0 || slices.Contains(c.branches, id)) {
			out = append(out, *c)
		}
	}
	return out
}

// checkStatus is what a check says of a merge request's head: nothing said is
// pending, and pending for too long is failed.
func (s shaper) checkStatus(is *sim.Issue, c statusCheck) string {
	s.t.state.mu.Lock()
	got, ok := s.t.state.responses[responseKey{is.ID, c.id}]
	s.t.state.mu.Unlock()
	switch {
	case !ok || got.sha != is.Change.Head:
		return "pending"
	case got.status == "pending" && s.v.Now().Sub(got.at) > checkPatience:
		return "failed"
	}
	return got.status
}

// rulesOf are the approval rules of a project with how far each is satisfied.
func (s shaper) rulesOf(r *sim.Repo) []approvalRule {
	if !s.o.has(Premium) {
		return nil
	}
	s.t.state.mu.Lock()
	defer s.t.state.mu.Unlock()
	var out []approvalRule
	for _, rule := range s.t.state.rules {
		if rule.project == r.ID {
			out = append(out, *rule)
		}
	}
	return out
}

// eligible are the people whose approval counts for a rule: those it names, or
// everybody who may write where it names nobody.
func (s shaper) eligible(r *sim.Repo, rule approvalRule) []*sim.Account {
	ids := map[int64]bool{}
	for _, id := range rule.users {
		ids[id] = true
	}
	for _, g := range s.groups() {
		if slices.Contains(rule.groups, g.id) {
			for _, m := range s.direct(g) {
				ids[m.who.ID] = true
			}
		}
	}
	if len(rule.users)+len(rule.groups) == 0 {
		for _, m := range s.projectMembers(r, true) {
			if m.level >= developer {
				ids[m.who.ID] = true
			}
		}
	}
	var out []*sim.Account
	for _, a := range s.v.Accounts() {
		if ids[a.ID] {
			out = append(out, a)
		}
	}
	return out
}

// given are the approvals that count for a rule.
func (s shaper) given(r *sim.Repo, is *sim.Issue, rule approvalRule) []*sim.Account {
	who := s.eligible(r, rule)
	var out []*sim.Account
	for _, rv := range s.approvals(r, is.Change) {
		for _, a := range who {
			if a.ID == rv.Author {
				out = append(out, a)
			}
		}
	}
	return out
}

// approvalsLeft is how many approvals are still asked for.
func (s shaper) approvalsLeft(r *sim.Repo, is *sim.Issue) int {
	if !s.o.has(Premium) {
		return 0
	}
	left := max(s.t.state.settings(r.ID).approvals-len(s.approvals(r, is.Change)), 0)
	for _, rule := range s.rulesOf(r) {
		left += max(rule.required-len(s.given(r, is, rule)), 0)
	}
	return left
}

// blocks are GitLab's reasons not to merge, in the words of
// detailed_merge_status; none means mergeable. The forge's own reasons (a draft,
// a conflict, the protection of the branch) are not among them.
func (s shaper) blocks(r *sim.Repo, is *sim.Issue) []string {
	c := is.Change
	set := s.t.state.settings(r.ID)
	var out []string
	if !s.t.state.prepared(is.ID, c.Head) {
		out = append(out, "preparing")
	}
	if set.discussions && openThreads(c) {
		out = append(out, "discussions_not_resolved")
	}
	if s.approvalsLeft(r, is) > 0 {
		out = append(out, "not_approved")
	}
	if s.o.has(Premium) {
		for _, rv := range opinions(c) {
			if rv.State == sim.ChangesRequested {
				out = append(out, "requested_changes")
				break
			}
		}
	}
	if set.pipeline {
		switch p := s.headPipeline(r, is); {
		case p == nil: // a pipeline must exist
			out = append(out, "ci_must_pass")
		case p.status() == "success", p.status() == "skipped" && set.skipped:
		case slices.Contains([]string{"created", "pending", "running"}, p.status()):
			out = append(out, "ci_still_running")
		default:
			out = append(out, "ci_must_pass")
		}
	}
	if set.statusChecks && s.o.has(Ultimate) {
		for _, check := range s.checksOf(r, c.Base) {
			if s.checkStatus(is, check) != "passed" {
				out = append(out, "status_checks_must_pass")
				break
			}
		}
	}
	return out
}

// hinders tells the forge what GitLab has against a merge.
func (t *Face) hinders(v *sim.View, r *sim.Repo, is *sim.Issue) []string {
	return t.shaper(v).blocks(r, is)
}

// detailedStatus is why a merge request cannot be merged, or "mergeable".
func (s shaper) detailedStatus(r *sim.Repo, is *sim.Issue) string {
	switch c := is.Change; {
	case is.State != sim.Open:
		return "not_open"
	case !s.t.state.prepared(is.ID, c.Head):
		return "preparing"
	case c.Draft:
		return "draft_status"
	case s.v.Conflicts(r, c):
		return "conflict"
	}
	if why := s.blocks(r, is); len(why) > 0 {
		return why[0]
	}
	if why := s.v.Hinders(r, is); len(why) > 0 { // the branch asks for what the forge alone knows
		return "not_approved"
	}
	return "mergeable"
}

// protectedBranch is a branch only some may push to.
type protectedBranch struct {
	id   int64
	name string
	guard
}

// protectedBranches are the default branch, as in every new project, those the
// forge protects, and those protected through the API; the forge itself knows
// nothing of the last.
func (s shaper) protectedBranches(r *sim.Repo) []protectedBranch {
	names := []string{r.Default}
	for name := range r.Protection {
		if name != r.Default {
			names = append(names, name)
		}
	}
	guards := s.t.state.settings(r.ID).guards
	for name := range guards {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names[1:])
	var out []protectedBranch
	for i, n := range names {
		g, told := guards[n]
		switch {
		case !told:
			g = &guard{maintainer, maintainer}
		case g == nil:
			continue
		}
		out = append(out, protectedBranch{r.ID*10 + int64(i) + 1, n, *g})
	}
	return out
}

func (s shaper) protectedBranch(b protectedBranch) j {
	access := func(l int) []any {
		words := map[int]string{noAccess: "No one", developer: "Developers + Maintainers", maintainer: "Maintainers"}[l]
		return []any{j{"id": b.id, "access_level": l, "access_level_description": words, "deploy_key_id": nil}}
	}
	out := j{"id": b.id, "name": b.name, "push_access_levels": access(b.push), "merge_access_levels": access(b.merge), "allow_force_push": false}
	if s.o.has(Premium) {
		out["unprotect_access_levels"], out["code_owner_approval_required"], out["inherited"] = []any{}, false, false
	}
	return out
}
