package gitea

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"primum/forges/admin"
)

// rule is a branch protection, as far as the check is concerned. Which of the
// last two a product has tells the products apart here.
type rule struct {
	Name         string   `json:"rule_name"`
	Status       bool     `json:"enable_status_check"`
	Contexts     []string `json:"status_check_contexts"`
	PushTo       bool     `json:"enable_push"`
	PushList     bool     `json:"enable_push_whitelist"`
	BlockAdmin   *bool    `json:"block_admin_merge_override"`
	ApplyToAdmin *bool    `json:"apply_to_admins"`
}

// holdsAdmins reports whether administrators are held as well; known is false
// where the product's version has no such setting.
func (r rule) holdsAdmins() (holds, known bool) {
	switch {
	case r.BlockAdmin != nil:
		return *r.BlockAdmin, true
	case r.ApplyToAdmin != nil:
		return *r.ApplyToAdmin, true
	}
	return false, false
}

// repoSeen is a repository as the API shows it.
type repoSeen struct {
	Name        string `json:"full_name"`
	Default     string `json:"default_branch"`
	Empty       bool   `json:"empty"`
	Archived    bool   `json:"archived"`
	Private     bool   `json:"private"`
	Permissions struct {
		Admin bool `json:"admin"`
		Push  bool `json:"push"`
	} `json:"permissions"`
}

// branchSeen is a branch as the API shows it to anybody who may write.
type branchSeen struct {
	Protected bool     `json:"protected"`
	Rule      string   `json:"effective_branch_protection_name"`
	Status    bool     `json:"enable_status_check"`
	Contexts  []string `json:"status_check_contexts"`
	MayPush   bool     `json:"user_can_push"`
}

// repos protects the branches of the repositories named, and looks for their
// policies.
func (s *setup) repos(ctx context.Context) error {
	for _, name := range s.Repos {
		if err := s.repo(ctx, name); err != nil {
			return err
		}
	}
	if private, ip := admin.Private(ctx, s.HookURL); private {
		s.note("the webhooks go to a private address ("+ip+"), which "+s.product.name+" does not call unless it is told that it may",
			"in its app.ini, under [webhook]: ALLOWED_HOST_LIST = external,"+hostOf(s.HookURL)+"; it may be so already, doctor finds out")
	}
	return nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

const protectNeed = "the token needs the scope write:repository and to be that of an administrator of the repository"

// mayAdminister reads a repository and reports by an error that the token cannot
// set it up.
func (s *setup) mayAdminister(ctx context.Context, name string) error {
	var r repoSeen
	if _, err := s.api.Get(ctx, setupRepo(name), &r); err != nil {
		return s.words.Explain(err, "read "+name, "correct --repo, or give a token that may see it")
	}
	if !r.Permissions.Admin {
		return &admin.Trouble{Says: s.me.Login + " does not administer " + name + " and can set up neither its webhook nor its protection", Cure: protectNeed}
	}
	s.seen[name] = r
	return nil
}

func (s *setup) repo(ctx context.Context, name string) error {
	r := s.seen[name]
	if r.Empty {
		s.byHand(name+" has no commit yet, so there is no branch to protect", "push one, with a policy (primum policy init), and run this again")
		return nil
	}
	branches := s.Branches
	if len(branches) == 0 {
		branches = []string{r.Default}
	}
	for _, b := range branches {
		if err := s.protect(ctx, name, b); err != nil {
			return err
		}
	}
	return s.policy(ctx, name, branches)
}

func (s *setup) protect(ctx context.Context, name, branch string) error {
	var b branchSeen
	if _, err := s.api.Get(ctx, setupRepo(name)+"/branches/"+escaped(branch), &b); err != nil {
		return s.words.Explain(err, "read the branch "+branch+" of "+name, "correct --branch, or push it")
	}
	var rules []rule
	if _, err := s.api.Get(ctx, setupRepo(name)+"/branch_protections", &rules); err != nil {
		return s.words.Explain(err, "read the branch protection of "+name, protectNeed)
	}
	i := slices.IndexFunc(rules, func(r rule) bool { return r.Name == b.Rule })
	if b.Rule == "" || i < 0 {
		s.newRule(name, branch)
		return nil
	}
	s.oldRule(name, branch, rules[i])
	return nil
}

// newRule protects a branch that is not: nobody pushes to it any more.
func (s *setup) newRule(name, branch string) {
	says := "protect " + branch + " of " + name + ": changes only by pull request, and only with the check " + s.Check + " green"
	if s.Strict {
		says += ", for administrators too"
	}
	s.do(says, protectNeed, true, func(ctx context.Context) error {
		_, err := s.api.Call(ctx, http.MethodPost, setupRepo(name)+"/branch_protections", s.withStrict(map[string]any{
			"rule_name": branch, "branch_name": branch, "enable_push": false,
			"enable_status_check": true, "status_check_contexts": []string{s.Check},
		}), nil)
		return err
	})
}

// oldRule adds to a protection what it lacks and takes nothing from it.
func (s *setup) oldRule(name, branch string, r rule) {
	contexts, changed := withContext(r, s.Check)
	holds, known := r.holdsAdmins()
	strict := s.Strict && known && !holds
	if !changed && !strict {
		s.is(branch + " of " + name + " requires the check " + s.Check)
		return
	}
	body, says := map[string]any{}, "let the protection "+r.Name+" of "+name
	if changed {
		says += " require the check " + s.Check
		if others := slices.DeleteFunc(slices.Clone(contexts), func(c string) bool { return c == s.Check }); len(others) > 0 {
			says += ", beside " + strings.Join(others, ", ")
		}
		body["enable_status_check"], body["status_check_contexts"] = true, contexts
	}
	if strict {
		if changed {
			says += ","
		}
		says += " hold administrators too"
		s.withStrict(body)
	}
	s.do(says, protectNeed, true, func(ctx context.Context) error {
		_, err := s.api.Call(ctx, http.MethodPatch, setupRepo(name)+"/branch_protections/"+escaped(r.Name), body, nil)
		return err
	})
}

// withStrict adds the setting by which administrators are held, by whichever
// name the product has for it.
func (s *setup) withStrict(body map[string]any) map[string]any {
	if s.Strict {
		if s.product.name == Forgejo {
			body["apply_to_admins"] = true
		} else {
			body["block_admin_merge_override"] = true
		}
	}
	return body
}

// withContext are the contexts to require. A list that is switched off binds
// nobody and is not switched on; an empty one that is on means every status
// there is, which stays so.
func withContext(r rule, check string) (contexts []string, changed bool) {
	switch {
	case !r.Status:
		return []string{check}, true
	case slices.Contains(r.Contexts, check):
		return r.Contexts, false
	case len(r.Contexts) == 0:
		return []string{"*", check}, true
	}
	return append(slices.Clone(r.Contexts), check), true
}

// policy looks for the policy on the branches.
func (s *setup) policy(ctx context.Context, name string, branches []string) error {
	for _, b := range branches {
		text, err := s.policyOn(ctx, name, b)
		switch {
		case err == nil && s.Silent != nil && s.Silent(text):
			s.byHand("let the policy on "+b+" of "+name+" post its verdicts: it observes only, so the required check never comes and no change can be merged",
				"write mode: advise in "+policyPath+"; an administrator merges that one past the required check")
		case err == nil:
			s.is(b + " of " + name + " has a policy, " + policyPath)
		case statusIn(err) == http.StatusNotFound:
			s.byHand("put a policy, "+policyPath+", on "+b+" of "+name+": without one nothing is judged there, and the required check never comes",
				"in a clone: primum policy init --forge gitea --mode advise; look it over and open a pull request with it, which gets a preview that does not block")
		default:
			return s.words.Explain(err, "look for "+policyPath+" on "+b+" of "+name, protectNeed)
		}
	}
	return nil
}

// policyOf reads the policy on a repository's first branch; nil if there is none.
func (s *setup) policyOf(ctx context.Context, name string) []byte {
	branch := ""
	if len(s.Branches) > 0 {
		branch = s.Branches[0]
	}
	text, err := s.policyOn(ctx, name, branch)
	if err != nil {
		return nil // the step about the policy says why
	}
	return text
}

// policyOn reads the policy on a branch, the default one for "".
func (s *setup) policyOn(ctx context.Context, name, branch string) ([]byte, error) {
	query := ""
	if branch != "" {
		query = "?ref=" + url.QueryEscape(branch)
	}
	var file struct {
		Content string `json:"content"`
	}
	if _, err := s.api.Get(ctx, setupRepo(name)+"/contents/"+policyPath+query, &file); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(file.Content), ""))
}
