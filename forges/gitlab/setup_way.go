package gitlab

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"primum/forges/admin"
)

// GateFile is the template of the job that blocks by a pipeline, as it is
// copied into a project.
const GateFile = ".gitlab/primum-gate.yml"

// statusCheckSeen is an external status check of a project.
type statusCheckSeen struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	URL  string `json:"external_url"`
	HMAC *bool  `json:"hmac"`
}

// ruleSeen is an approval rule of a project.
type ruleSeen struct {
	ID       int64    `json:"id"`
	Name     string   `json:"name"`
	Required int      `json:"approvals_required"`
	Users    []member `json:"users"`
	Eligible []member `json:"eligible_approvers"`
	Type     string   `json:"rule_type"`
}

// repos sees to it that verdicts block in the projects named, and looks for
// their policies.
func (s *setup) repos(ctx context.Context) error {
	for _, name := range s.Repos {
		if err := s.repo(ctx, name); err != nil {
			return err
		}
	}
	return s.local(ctx)
}

func (s *setup) repo(ctx context.Context, name string) error {
	var p projectSeen
	if _, err := s.api.Get(ctx, setupProject(name), &p); err != nil {
		return s.words.Explain(err, "read "+name, "correct --repo, or give a token that may see it")
	}
	if s.levelIn(ctx, &p, s.me.ID) < roleMaintainer && !s.me.Admin {
		return &admin.Trouble{Says: s.me.Username + " is no maintainer of " + name + " and cannot change its settings", Cure: needProject}
	}
	if p.Empty || p.Default == "" {
		s.byHand(name+" has no commit yet, so there is no branch to protect", "push one, with a policy (primum policy init), and run this again")
		return nil
	}
	way, err := s.wayOf(ctx, &p)
	if err != nil {
		return err
	}
	if err := s.block(ctx, &p, way); err != nil {
		return err
	}
	branches := s.Branches
	if len(branches) == 0 {
		branches = []string{p.Default}
	}
	for _, b := range branches {
		if err := s.protect(ctx, &p, b); err != nil {
			return err
		}
		if err := s.policy(ctx, &p, b); err != nil {
			return err
		}
	}
	return nil
}

// levelIn is the role of an account in a project, given to it there, above, or
// by a group it was shared with: the project's own answer tells only some of these.
func (s *setup) levelIn(ctx context.Context, p *projectSeen, id int64) int {
	var m member
	if _, err := s.api.Get(ctx, fmt.Sprintf("%s/members/all/%d", setupProject(p.Path), id), &m); err != nil {
		return p.level()
	}
	return max(m.Level, p.level())
}

// wayOf is the way asked for, or the best that the project can have: what it
// can have is found by trying to read it.
func (s *setup) wayOf(ctx context.Context, p *projectSeen) (string, error) {
	checks, err := s.has(ctx, p, "external_status_checks")
	if err != nil {
		return "", err
	}
	rules, err := s.has(ctx, p, "approval_rules")
	if err != nil {
		return "", err
	}
	tier := "Free"
	switch {
	case checks:
		tier = "Ultimate"
	case rules:
		tier = "Premium"
	}
	lacking := map[string]bool{WayCheck: !checks, WayApproval: !rules}
	if lacking[s.Way] {
		return "", &admin.Trouble{
			Says: fmt.Sprintf("%s has no %s: its tier is %s, or the token may not see them", p.Path, s.Way, tier),
			Cure: "take another --way, or leave it out for the best there is",
		}
	}
	way := s.Way
	if way == "" {
		ci, err := s.hasCI(ctx, p)
		if err != nil {
			return "", err
		}
		switch {
		case checks:
			way = WayCheck
		case ci:
			way = WayJob
		case rules:
			way = WayApproval
		default:
			way = WayStatus
		}
	}
	s.is(p.Path + " is of the tier " + tier + " as far as can be seen; a verdict blocks there by " + article(way))
	return way, nil
}

func article(way string) string {
	if strings.ContainsRune("aeiou", rune(way[0])) {
		return "an " + way
	}
	return "a " + way
}

func (s *setup) has(ctx context.Context, p *projectSeen, what string) (bool, error) {
	_, err := s.api.Get(ctx, setupProject(p.Path)+"/"+what, nil)
	if err != nil && !refused(err) && statusIn(err) != http.StatusUnauthorized {
		return false, s.words.Explain(err, "ask what "+p.Path+" has", needProject)
	}
	return err == nil, nil
}

// hasCI reports whether the default branch has a pipeline's file.
func (s *setup) hasCI(ctx context.Context, p *projectSeen) (bool, error) {
	text, err := s.file(ctx, p, p.Default, cmp.Or(p.CIFile, ".gitlab-ci.yml"))
	return text != "", err
}

// file reads a file at a branch; "" if there is none.
func (s *setup) file(ctx context.Context, p *projectSeen, branch, path string) (string, error) {
	var f struct {
		Content string `json:"content"`
	}
	_, err := s.api.Get(ctx, setupProject(p.Path)+"/repository/files/"+url.PathEscape(path)+"?ref="+url.QueryEscape(branch), &f)
	switch {
	case statusIn(err) == http.StatusNotFound:
		return "", nil
	case err != nil:
		return "", s.words.Explain(err, "read "+path+" of "+p.Path, needProject)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(f.Content), ""))
	return string(raw), err
}

// block gives the steps by which a verdict blocks.
func (s *setup) block(ctx context.Context, p *projectSeen, way string) error {
	if (way == WayJob || way == WayStatus) && p.forked() {
		s.note(p.Path+": "+fmt.Sprintf(forkSays, article(way)), forkCure)
	}
	switch way {
	case WayCheck:
		return s.byCheck(ctx, p)
	case WayJob:
		return s.byJob(ctx, p)
	case WayApproval:
		return s.byApproval(ctx, p)
	}
	s.byPipeline(p)
	s.note("with a commit status, a merge request pipeline that is green lets a merge through although a later status of the branch is red",
		"with pipelines of its own, "+p.Path+" is held better by --way \"pipeline job\"")
	return nil
}

func (s *setup) byCheck(ctx context.Context, p *projectSeen) error {
	path := setupProject(p.Path) + "/external_status_checks"
	there, err := admin.List[statusCheckSeen](ctx, s.api, path, "per_page")
	if err != nil {
		return s.words.Explain(err, "read the status checks of "+p.Path, needProject)
	}
	i := slices.IndexFunc(there, func(c statusCheckSeen) bool { return sameAddress(c.URL, s.HookURL) })
	body := map[string]any{"name": s.Check, "external_url": s.HookURL, "shared_secret": s.Secret}
	switch {
	case i < 0:
		s.do("add the status check "+s.Check+" to "+p.Path+", answered by "+s.HookURL, needProject, false, func(ctx context.Context) error {
			_, err := s.api.Call(ctx, http.MethodPost, path, body, nil)
			if err == nil && s.Fresh && !s.NewSecret { // the webhooks have another, and the service takes several
				err = s.keep("WEBHOOK_SECRET", s.Secret)
			}
			return err
		})
	case s.NewSecret:
		s.do("give the status check of "+p.Path+" the new secret", needProject, true, func(ctx context.Context) error {
			_, err := s.api.Call(ctx, http.MethodPut, fmt.Sprintf("%s/%d", path, there[i].ID), body, nil)
			return err
		})
	default:
		s.is(p.Path + " has the status check " + there[i].Name)
	}
	if p.Checks != nil && *p.Checks {
		s.is(p.Path + " lets nothing merge before its status checks passed")
		return nil
	}
	s.settings(p, "let nothing merge in "+p.Path+" before its status checks passed", map[string]any{"only_allow_merge_if_all_status_checks_passed": true})
	return nil
}

// settings is a step that changes settings of a project.
func (s *setup) settings(p *projectSeen, says string, body map[string]any) {
	s.do(says, needProject, true, func(ctx context.Context) error {
		_, err := s.api.Call(ctx, http.MethodPut, setupProject(p.Path), body, nil)
		return err
	})
}

func (s *setup) byJob(ctx context.Context, p *projectSeen) error {
	text, err := s.file(ctx, p, p.Default, cmp.Or(p.CIFile, ".gitlab-ci.yml"))
	if err != nil {
		return err
	}
	if strings.Contains(text, "primum-gate") || strings.Contains(text, "\nprimum:") {
		s.is("the pipeline of " + p.Path + " has the job of Primum")
	} else {
		s.byHand("put the job of Primum into the pipeline of "+p.Path+": its result is the verdict",
			"copy deploy/gitlab/primum-gate.yml to "+GateFile+" and add to "+cmp.Or(p.CIFile, ".gitlab-ci.yml")+": include: [{local: "+GateFile+"}]; it asks "+s.HookURL[:strings.LastIndex(s.HookURL, "/hooks/")])
	}
	s.byPipeline(p)
	return nil
}

// byPipeline holds merges to the pipeline.
func (s *setup) byPipeline(p *projectSeen) {
	if p.Pipelines && !p.Skipped {
		s.is(p.Path + " lets nothing merge before its pipeline succeeded")
		return
	}
	s.settings(p, "let nothing merge in "+p.Path+" before its pipeline succeeded, nor by a skipped one",
		map[string]any{"only_allow_merge_if_pipeline_succeeds": true, "allow_merge_on_skipped_pipeline": false})
}

func (s *setup) byApproval(ctx context.Context, p *projectSeen) error {
	path := setupProject(p.Path) + "/approval_rules"
	there, err := admin.List[ruleSeen](ctx, s.api, path, "per_page")
	if err != nil {
		return s.words.Explain(err, "read the approval rules of "+p.Path, needProject)
	}
	i := slices.IndexFunc(there, func(r ruleSeen) bool { return r.Name == ruleName })
	if i >= 0 && there[i].Required >= 1 && s.botID != 0 && len(there[i].Users) == 1 && there[i].Users[0].ID == s.botID {
		s.is(p.Path + " needs the approval of Primum alone, by the rule " + ruleName)
		return nil
	}
	says, method, at := "add the approval rule "+ruleName+" to "+p.Path+": Primum's account alone approves by it", http.MethodPost, path
	if i >= 0 {
		says, method, at = "let Primum's account alone approve by the rule "+ruleName+" of "+p.Path, http.MethodPut, fmt.Sprintf("%s/%d", path, there[i].ID)
	}
	s.do(says, needProject, true, func(ctx context.Context) error {
		if s.botID == 0 {
			return &admin.Trouble{Says: "Primum's account is not known yet", Cure: "give its token with --bot-token-file and run this again"}
		}
		_, err := s.api.Call(ctx, method, at, map[string]any{"name": ruleName, "approvals_required": 1, "user_ids": []int64{s.botID}, "group_ids": []int64{}}, nil)
		return err
	})
	return nil
}

// protect sees to it that nobody pushes past merge requests to a branch that
// was open to all who develop.
func (s *setup) protect(ctx context.Context, p *projectSeen, branch string) error {
	_, err := s.api.Get(ctx, setupProject(p.Path)+"/protected_branches/"+url.PathEscape(branch), nil)
	switch {
	case err == nil:
		s.is(branch + " of " + p.Path + " is protected")
		return nil
	case statusIn(err) != http.StatusNotFound:
		return s.words.Explain(err, "read the protection of "+branch+" of "+p.Path, needProject)
	}
	s.do("protect "+branch+" of "+p.Path+": developers merge, nobody pushes", needProject, true, func(ctx context.Context) error {
		_, err := s.api.Call(ctx, http.MethodPost, setupProject(p.Path)+"/protected_branches", map[string]any{
			"name": branch, "push_access_level": 0, "merge_access_level": roleDeveloper,
		}, nil)
		return err
	})
	return nil
}

// policy looks for the policy on a branch.
func (s *setup) policy(ctx context.Context, p *projectSeen, branch string) error {
	text, err := s.file(ctx, p, branch, policyPath)
	switch {
	case err != nil:
		return err
	case text != "":
		s.is(branch + " of " + p.Path + " has a policy, " + policyPath)
	default:
		s.byHand("put a policy, "+policyPath+", on "+branch+" of "+p.Path+": without one nothing is judged there",
			"in a clone: primum policy init; look it over and open a merge request with it, which gets a preview that does not block")
	}
	return nil
}

// local looks for the setting without which GitLab calls no private address.
func (s *setup) local(ctx context.Context) error {
	private, ip := admin.Private(ctx, s.HookURL)
	if !private {
		return nil
	}
	says := "the webhooks go to a private address (" + ip + "), which GitLab does not call unless it is told that it may"
	cure := "Admin, Settings, Network, Outbound requests: allow requests to the local network from webhooks, or list the address there"
	if s.me.Admin {
		if open, err := outbound(ctx, s.api, s.HookURL); err == nil && open {
			s.is("GitLab may call the private address of the webhooks")
			return nil
		}
		s.byHand(says, cure)
		return nil
	}
	s.note(says, cure+"; it may be so already, doctor finds out")
	return nil
}

// outbound reports whether webhooks may go to private addresses, or to this one.
func outbound(ctx context.Context, api *admin.Client, address string) (bool, error) {
	var settings struct {
		All  bool     `json:"allow_local_requests_from_web_hooks_and_services"`
		Some []string `json:"outbound_local_requests_whitelist"`
	}
	if _, err := api.Get(ctx, "application/settings", &settings); err != nil {
		return false, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return false, err
	}
	return settings.All || slices.Contains(settings.Some, u.Hostname()) || slices.Contains(settings.Some, u.Host), nil
}
