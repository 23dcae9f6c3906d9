package gitlabface

import (
	"maps"
	"net/http"
	"slices"

	"primum/forges/sim"
)

// approvalsShape is how far the approvals of a merge request are, for who asks.
func (s shaper) approvalsShape(r *sim.Repo, is *sim.Issue, me *sim.Account) j {
	by := []any{}
	mine := false
	for _, rv := range s.approvals(r, is.Change) {
		by = append(by, j{"user": s.author(rv.Author), "approved_at": stamp(rv.SubmittedAt)})
		mine = mine || (me != nil && rv.Author == me.ID)
	}
	may := me != nil && !mine && me.ID != is.Author && s.v.Permission(r, me).AtLeast(sim.Write)
	left := s.approvalsLeft(r, is)
	out := j{"user_has_approved": mine, "user_can_approve": may, "approved": left == 0, "approved_by": by}
	if !s.o.has(Premium) {
		out["approved"] = len(by) > 0
		return out
	}
	required := s.t.state.settings(r.ID).approvals
	rules := []any{}
	for _, rule := range s.rulesOf(r) {
		required += rule.required
		if n := len(s.given(r, is, rule)); n < rule.required {
			rules = append(rules, j{"id": rule.id, "name": rule.name, "rule_type": "regular"})
		}
	}
	status := "can_be_merged"
	if s.v.Conflicts(r, is.Change) {
		status = "cannot_be_merged"
	}
	maps.Copy(out, j{
		"id": is.ID, "iid": s.iid(r, is), "project_id": r.ID, "title": is.Title, "description": is.Body, "state": issueState(is),
		"created_at": stamp(is.CreatedAt), "updated_at": stamp(is.UpdatedAt), "merge_status": status, "approvals_required": required, "approvals_left": left,
		"require_password_to_approve": false, "require_reauthentication_to_approve": false, "suggested_approvers": []any{}, "approvers": []any{},
		"approver_groups": []any{}, "approval_rules_left": rules, "has_approval_rules": len(s.rulesOf(r)) > 0,
		"merge_request_approvers_available": true, "multiple_approval_rules_available": true, "invalid_approvers_rules": []any{},
	})
	return out
}

func (c *call) getApprovals() error {
	return c.onMergeRequest(sim.PartReviews, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		return s.approvalsShape(r, is, s.v.Account(c.who.id)), nil
	})
}

// approvalsNow answers with how the approvals stand after a change.
func (c *call) approvalsNow(at target) error {
	return c.looking(func(s shaper, me *sim.Account) error {
		r := s.v.Repo(at.repo)
		answer(c.w, http.StatusCreated, s.approvalsShape(r, r.Issues[at.number], me))
		return nil
	})
}

// approve approves the head: 401 for who may not or has done so, 409 if the head
// is another one than the caller names.
func (c *call) approve() error {
	at, err := c.mergeRequest(sim.Read)
	if err != nil {
		return err
	}
	err = c.looking(func(s shaper, me *sim.Account) error {
		r := s.v.Repo(at.repo)
		if can, _ := s.approvalsShape(r, r.Issues[at.number], me)["user_can_approve"].(bool); !can {
			return unauthorized()
		}
		return c.sameHead(at.head)
	})
	if err != nil {
		return err
	}
	if _, err := c.actor().Approve(at.repo, at.number, ""); err != nil {
		return err
	}
	return c.approvalsNow(at)
}

func (c *call) unapprove() error {
	at, err := c.mergeRequest(sim.Read)
	if err != nil {
		return err
	}
	var review int64
	c.t.forge.Read(func(v *sim.View) {
		r := v.Repo(at.repo)
		for _, rv := range c.t.shaper(v).approvals(r, r.Issues[at.number].Change) {
			if rv.Author == c.who.id {
				review = rv.ID
			}
		}
	})
	if review == 0 {
		return notFound("")
	}
	if err := c.actor().DismissReview(at.repo, at.number, review, "unapproved"); err != nil {
		return err
	}
	return c.approvalsNow(at)
}

// paid refuses what Free does not have.
func (s shaper) paid() error {
	if s.o.has(Premium) {
		return nil
	}
	return notFound("")
}

func (s shaper) ruleShape(r *sim.Repo, rule approvalRule) j {
	var users []any
	groups := []any{}
	for _, id := range rule.users {
		users = append(users, s.author(id))
	}
	if users == nil {
		users = []any{}
	}
	for _, g := range s.groups() {
		if slices.Contains(rule.groups, g.id) {
			groups = append(groups, s.groupShape(g, false))
		}
	}
	kind := "regular"
	if len(rule.users)+len(rule.groups) == 0 {
		kind = "any_approver"
	}
	who := []any{}
	if kind == "regular" {
		for _, a := range s.eligible(r, rule) {
			who = append(who, s.basic(a))
		}
	}
	return j{
		"id": rule.id, "name": rule.name, "rule_type": kind, "report_type": nil, "eligible_approvers": who, "approvals_required": rule.required,
		"users": users, "groups": groups, "contains_hidden_groups": false, "protected_branches": []any{}, "applies_to_all_protected_branches": false,
	}
}

func (c *call) approvalState() error {
	return c.onMergeRequest(sim.PartReviews, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		if err := s.paid(); err != nil {
			return nil, err
		}
		rules := shapes(s.rulesOf(r), func(rule approvalRule) j { return s.mergeRequestRule(r, is, rule) })
		return j{"approval_rules_overwritten": false, "rules": rules}, nil
	})
}

func (s shaper) mergeRequestRule(r *sim.Repo, is *sim.Issue, rule approvalRule) j {
	out := s.ruleShape(r, rule)
	by := []any{}
	for _, a := range s.given(r, is, rule) {
		by = append(by, s.basic(a))
	}
	out["source_rule"], out["overridden"], out["code_owner"], out["approved_by"] = nil, false, false, by
	out["approved"] = len(by) >= rule.required
	delete(out, "protected_branches")
	delete(out, "applies_to_all_protected_branches")
	return out
}

func (c *call) mergeRequestRules() error {
	return c.onMergeRequest(sim.PartReviews, func(s shaper, r *sim.Repo, _ *sim.Issue) (any, error) {
		if err := s.paid(); err != nil {
			return nil, err
		}
		return shapes(page(c, s.rulesOf(r)), func(rule approvalRule) j {
			out := s.ruleShape(r, rule)
			out["source_rule"], out["overridden"] = nil, false
			delete(out, "protected_branches")
			delete(out, "applies_to_all_protected_branches")
			return out
		}), nil
	})
}

func (s shaper) approvalSettings(r *sim.Repo) j {
	set := s.t.state.settings(r.ID)
	return j{
		"approvers": []any{}, "approver_groups": []any{}, "approvals_before_merge": set.approvals, "reset_approvals_on_push": !set.keep,
		"selective_code_owner_removals": false, "disable_overriding_approvers_per_merge_request": false, "merge_requests_author_approval": false,
		"merge_requests_disable_committers_approval": false, "require_password_to_approve": false, "require_reauthentication_to_approve": false,
	}
}

func (c *call) approvalSettings() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		if err := s.paid(); err != nil {
			return nil, err
		}
		return s.approvalSettings(r), nil
	})
}

func (c *call) setApprovalSettings() error {
	var out j
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		if err := s.paid(); err != nil {
			return err
		}
		if err := c.need(s, r, sim.Maintain); err != nil {
			return err
		}
		s.t.state.change(r.ID, func(set *settings) {
			if c.given("reset_approvals_on_push") {
				set.keep = !c.truth("reset_approvals_on_push")
			}
			if c.given("approvals_before_merge") {
				set.approvals = int(c.number("approvals_before_merge"))
			}
		})
		out = s.approvalSettings(r)
		return nil
	})
	if err != nil {
		return err
	}
	answer(c.w, http.StatusCreated, out)
	return nil
}

func (c *call) listRules() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		if err := s.paid(); err != nil {
			return nil, err
		}
		return shapes(page(c, s.rulesOf(r)), func(rule approvalRule) j { return s.ruleShape(r, rule) }), nil
	})
}

func (c *call) createRule() error { return c.saveRule(http.StatusCreated) }

func (c *call) editRule() error { return c.saveRule(http.StatusOK) }

func (c *call) saveRule(status int) error {
	var out j
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		if err := s.paid(); err != nil {
			return err
		}
		if err := c.need(s, r, sim.Maintain); err != nil {
			return err
		}
		rule, err := c.putRule(r)
		if err == nil {
			out = s.ruleShape(r, rule)
		}
		return err
	})
	if err != nil {
		return err
	}
	answer(c.w, status, out)
	return nil
}

func (c *call) putRule(r *sim.Repo) (approvalRule, error) {
	st := c.t.state
	st.mu.Lock()
	defer st.mu.Unlock()
	id := c.path("rule")
	rule := &approvalRule{project: r.ID}
	if id != 0 {
		i := slices.IndexFunc(st.rules, func(o *approvalRule) bool { return o.id == id && o.project == r.ID })
		if i < 0 {
			return approvalRule{}, notFound("")
		}
		rule = st.rules[i]
	}
	next := *rule
	if c.given("name") {
		next.name = c.text("name")
	}
	if c.given("approvals_required") {
		next.required = int(c.number("approvals_required"))
	}
	if c.given("user_ids") {
		next.users = c.numbers("user_ids")
	}
	if c.given("group_ids") {
		next.groups = c.numbers("group_ids")
	}
	if next.name == "" {
		return approvalRule{}, badParam("name is missing")
	}
	for _, o := range st.rules {
		if o != rule && o.project == r.ID && o.name == next.name {
			return approvalRule{}, refuse(http.StatusBadRequest, j{"name": []any{"has already been taken"}})
		}
	}
	if id == 0 {
		next.id = st.id()
		st.rules = append(st.rules, rule)
	}
	*rule = next
	return next, nil
}

func (c *call) deleteRule() error {
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		if err := s.paid(); err != nil {
			return err
		}
		if err := c.need(s, r, sim.Maintain); err != nil {
			return err
		}
		s.t.state.mu.Lock()
		defer s.t.state.mu.Unlock()
		s.t.state.rules = slices.DeleteFunc(s.t.state.rules, func(o *approvalRule) bool { return o.id == c.path("rule") && o.project == r.ID })
		return nil
	})
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
