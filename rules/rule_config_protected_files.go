package rules

import (
	"slices"
	"strings"

	"primum/rules/fact"
	"primum/rules/policy"
)

const configProtectedFilesID = "config-protected-files"

var configProtectedFiles = Rule{
	ID:       configProtectedFilesID,
	Title:    "Protected files have the approval of their role",
	Short:    "protected file",
	Group:    "configuration",
	Clauses:  []string{"5.1.8", "5.1.9", "5.1.10", "8.1.1", "4.1"},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Since:    "0.1",
	Params: []policy.Param{{
		Name: "separate-policy", Kind: policy.KindBool, Stricter: 1,
		Doc:     "Whether a change of the policy must come without product code.",
		Default: defaults(false, true, true),
	}},
	Needs: []fact.Need{
		fact.NeedFiles, fact.NeedReviews, fact.NeedPatches, fact.NeedPeople, fact.NeedCommits, fact.NeedComments,
	},
	Partial:   []fact.Need{fact.NeedPatches},
	Triggers:  []fact.Trigger{fact.OnOpened, fact.OnPushed, fact.OnReviewed, fact.OnPeople, fact.OnPolicy},
	Evergreen: true,
	Why: "The policy, the risk file, the workflows and the like decide how everything else is judged. Who could change them alone could free any change. " +
		"A change of the policy is judged by the policy before it.",
	Fix:  "Have a holder of the role that the policy names for the file approve the newest commit, and put a change of the policy into a change of its own.",
	Good: Example{Text: "The change edits a workflow, and priya (verification) approved the head."},
	Bad: Example{
		Text: "The change edits CODEOWNERS, and nobody with the quality role approved.",
		Edit: func(c *fact.Change) {
			c.Files = append(c.Files, fact.File{Path: "CODEOWNERS", Status: fact.Modified, Added: 1, DiffKnown: true})
		},
	},
	Check: checkConfigProtectedFiles,
}

func checkConfigProtectedFiles(c *Case) Result {
	if len(c.files.guarded) == 0 {
		return notApplicable("No protected file is touched")
	}
	var roles []policy.Role
	byRole := map[policy.Role][]guarded{}
	for _, g := range c.files.guarded {
		if _, ok := byRole[g.by.Role]; !ok {
			roles = append(roles, g.by.Role)
		}
		byRole[g.by.Role] = append(byRole[g.by.Role], g)
	}
	var findings []Finding
	var ev []Evidence
	waits := ""
	for _, role := range roles {
		a, renew := c.roleApproval(role)
		switch {
		case a != nil:
			e := a.evidenceOf()
			e.Text = string(role)
			ev = append(ev, e)
		case renew != "":
			waits = "the renewed approval of " + renew + " (" + string(role) + ")"
		default:
			if f, ok := c.unguarded(role, byRole[role]); ok {
				findings = append(findings, f)
			} else {
				waits = "people in the policy"
			}
		}
	}
	note := ""
	if f, mixed := c.mixedPolicy(); mixed {
		if c.Setting.Bool("separate-policy") {
			findings = append(findings, f)
		} else {
			note = "; " + f.Message
		}
	}
	if len(findings) == 0 && waits != "" {
		return waitsFor(waits)
	}
	return judged(plural(len(c.files.guarded), "protected file", "protected files")+" approved by "+list(roleWords(roles))+note, findings, ev...)
}

// roleApproval finds an approval of the head by a holder of the role who is
// neither author nor bot. renew names a holder whose approval is merely stale,
// where review-not-stale says so already.
func (c *Case) roleApproval(role policy.Role) (a *approval, renew string) {
	for i := range c.People.verdicts {
		v := &c.People.verdicts[i]
		if v.review.State != fact.Approved || !v.byRoles(role) || v.author {
			continue
		}
		if v.bound {
			return v, ""
		}
		if c.holds(reviewNotStaleID) {
			renew = login(v.review.Author)
		}
	}
	return nil, c.renewable(renew)
}

// renewable keeps a name only if review-not-stale asks that person to approve
// again; it does so where the quorum needs it.
func (c *Case) renewable(who string) string {
	for _, r := range c.earlier {
		if r.Rule != reviewNotStaleID {
			continue
		}
		for _, f := range r.Findings {
			if slices.Contains(f.Who, who) {
				return who
			}
		}
	}
	return ""
}

// unguarded says which files miss whose approval; ok is false where review-quorum
// says that the policy names nobody.
func (c *Case) unguarded(role policy.Role, files []guarded) (f Finding, ok bool) {
	var paths []string
	for _, g := range files {
		if !slices.Contains(paths, g.path) {
			paths = append(paths, g.path)
		}
	}
	what := fewPaths(paths)
	if w := files[0].by.What; len(paths) == 1 && w != "" {
		what += " (" + w + ")"
	}
	verb := " needs"
	if len(paths) > 1 {
		verb = " need"
	}
	f = Finding{
		Outcome: Fail, Message: what + verb + " the approval of the role " + string(role),
		Path: paths[0],
	}
	if none, nobody := c.People.nobody(role); nobody {
		if c.unstaffed() && !c.Class.OnlyOutside {
			return Finding{}, false
		}
		f.Message += ", and " + strings.ToLower(none.Message[:1]) + none.Message[1:]
		f.Fix, f.Who = none.Fix, none.Who
		return f, true
	}
	who := logins(c.People.eligible(role))
	f.Fix = "Ask " + askOneLower(who, []policy.Role{role}) + " to approve " + sha(c.Change.Head.SHA)
	f.Who = who
	return f, true
}

// mixedPolicy reports whether the change edits the policy together with
// product code.
func (c *Case) mixedPolicy() (Finding, bool) {
	if !slices.Contains(c.paths, c.People.policyAt) {
		return Finding{}, false
	}
	outside := globsOf(c.Policy).outside
	for _, p := range c.paths {
		if outside.match(p) || slices.ContainsFunc(c.files.guarded, func(g guarded) bool { return g.path == p }) {
			continue
		}
		return Finding{
			Outcome: Fail, Message: "The change edits the policy together with product code (" + code(p) + ")",
			Fix: "Put the change of " + c.People.policyAt + " into a change of its own", Who: c.opener(), Path: c.People.policyAt,
		}, true
	}
	return Finding{}, false
}
