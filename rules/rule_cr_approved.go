package rules

import (
	"strings"
	"time"

	"primum/rules/fact"
	"primum/rules/policy"
)

const crApprovedID = "cr-approved"

var crApproved = Rule{
	ID:       crApprovedID,
	Title:    "The change request is approved",
	Short:    "approval of the request",
	Group:    "linkage",
	Clauses:  []string{"6.2.4", "8.2.1", "8.2.4", "9.4"},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Since:    "0.1",
	Params: []policy.Param{
		{
			Name: "approver-roles", Kind: policy.KindRoles, Stricter: 0,
			Doc:     "Who can approve a change request: a holder of any of these roles; empty for any role.",
			Default: defaults([]policy.Role{policy.Quality}, []policy.Role{policy.Quality}, []policy.Role{policy.Quality}),
		},
		{
			Name: "approved-label", Kind: policy.KindText, Stricter: 0,
			Doc:     "A label that approves a change request when such a person sets it; empty for none.",
			Default: defaults("approved", "approved", "approved"),
		},
	},
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedIssues, fact.NeedPeople, fact.NeedCommits, fact.NeedComments},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnEdited, fact.OnPushed, fact.OnCommand, fact.OnIssue, fact.OnIssueWords, fact.OnPeople},
	Why: "Somebody entitled decides that the change shall be made before it is merged, on a text that nobody alters afterwards. A label alone proves " +
		"nothing, since many can set it: what counts is who set it and when.",
	Fix: "A person with the role comments `/primum approve` on the change request. If its text is edited afterwards the approval no longer holds and " +
		"is given again. An author of the change cannot approve its request.",
	Good: Example{Text: "chen (quality) comments `/primum approve` on #12, and #12 is not edited afterwards."},
	Bad: Example{
		Text: "jonas, a developer, comments `/primum approve` on #12.",
		Edit: func(c *fact.Change) {
			for i := range c.Issues {
				for j := range c.Issues[i].Comments {
					if k := &c.Issues[i].Comments[j]; k.First == "/primum approve" && len(c.Reviews) > 0 {
						k.Author = c.Reviews[0].Author
					}
				}
			}
		},
	},
	Check: checkCRApproved,
}

func checkCRApproved(c *Case) Result {
	if len(c.issues.requests) == 0 {
		return notApplicable("No change request is linked")
	}
	roles := c.approvers(c.Setting)
	if f, none := c.People.nobody(roles...); none {
		if c.unstaffed() {
			return waitsFor("people in the policy")
		}
		return judged("", []Finding{f})
	}
	var findings []Finding
	var ev []Evidence
	for _, r := range c.issues.requests {
		e, f := c.approvalOf(r, roles)
		if f != nil {
			findings = append(findings, *f)
			continue
		}
		ev = append(ev, e)
	}
	good := ""
	if len(ev) > 0 {
		good = ev[0].By + " approved " + ev[0].Ref
	}
	return judged(good, findings, ev...)
}

// consent is one act that could approve a request.
type consent struct {
	by     fact.Person
	at     time.Time
	how    string
	url    string
	digest string // of the text approved, if known
}

// approvalOf finds the approval that holds for a request, or says why none does.
func (c *Case) approvalOf(r *linked, roles []policy.Role) (Evidence, *Finding) {
	var miss string
	for _, a := range c.consents(r) {
		if why := c.noConsent(r, a, roles); why != "" {
			miss = why
			continue
		}
		digest := a.digest
		if digest == "" {
			digest = r.facts.TextDigest()
		}
		return Evidence{Kind: "comment", Ref: r.ref, Text: a.how, URL: a.url, By: login(a.by), At: a.at, Digest: digest}, nil
	}
	message := r.noun() + " is not approved"
	if miss != "" {
		message += ": " + miss
	}
	who := c.People.eligible(roles...)
	return Evidence{}, &Finding{
		Outcome: Fail, Message: message,
		Fix:     askOne(logins(who), roles) + " comments `/primum approve` on " + r.ref,
		Who:     logins(who),
		Command: "/primum approve", URL: r.facts.URL,
	}
}

// consents lists the acts on a request, oldest first: commands, and label events
// for a label that is still set.
func (c *Case) consents(r *linked) []consent {
	var out []consent
	for i := range r.texts.Commands {
		k := &r.texts.Commands[i]
		if k.Name != "approve" || k.Wrong != "" || k.Waiver != "" {
			continue
		}
		a := consent{by: k.By, at: k.At, how: "/primum approve"}
		if k.Comment != nil {
			a.url, a.digest = k.Comment.URL, k.Comment.SubjectThen
		}
		out = append(out, a)
	}
	label := c.Setting.Text("approved-label")
	if label == "" {
		return out
	}
	var last *fact.LabelEvent
	for i := range r.facts.LabelEvents {
		if e := &r.facts.LabelEvents[i]; strings.EqualFold(e.Label, label) && (last == nil || !e.At.Before(last.At)) {
			last = e
		}
	}
	if last != nil && last.Added {
		out = append(out, consent{by: last.Actor, at: last.At, how: "label " + label, url: r.facts.URL})
	}
	return out
}

// noConsent says why an act does not approve the request; "" if it does.
func (c *Case) noConsent(r *linked, a consent, roles []policy.Role) string {
	switch {
	case !a.by.Known():
		return "whoever approved it has no account any more"
	case a.by.Bot:
		return "a bot cannot approve it"
	case !c.People.Holds(a.by, roles...):
		return login(a.by) + " does not hold the role " + either(roleWords(roles))
	}
	if _, author := c.People.AuthorWhy(a.by); author {
		return login(a.by) + " is an author of the change"
	}
	if m := c.Change.MergedAt; !m.IsZero() && a.at.After(m) {
		return login(a.by) + " approved it after the merge"
	}
	if a.digest != "" {
		if a.digest != r.facts.TextDigest() {
			return "its text changed after " + login(a.by) + " approved it"
		}
		return ""
	}
	if e := r.facts.TextEditedAt; !e.IsZero() && !e.Before(a.at) {
		if r.facts.TextEditUnsure {
			return "whether its text was edited after " + login(a.by) + " approved it cannot be told on this forge"
		}
		by := ""
		if r.facts.TextEditor.Known() {
			by = " by " + login(r.facts.TextEditor)
		}
		return "it was edited" + by + " after " + login(a.by) + " approved it"
	}
	return ""
}

// askOne begins a cure with those who can act.
func askOne(people []string, roles []policy.Role) string {
	if len(people) == 0 || len(people) > 5 {
		return "A holder of " + either(roleWords(roles))
	}
	return either(people) + " (" + either(roleWords(roles)) + ")"
}
