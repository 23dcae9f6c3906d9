package rules

import (
	"slices"
	"strconv"
	"strings"

	"primum/rules/fact"
	"primum/rules/policy"
)

const reviewQuorumID = "review-quorum"

var reviewQuorum = Rule{
	ID:       reviewQuorumID,
	Title:    "Enough people with the right roles approved",
	Short:    "review",
	Group:    "review",
	Clauses:  []string{"8.2.3", "5.5.3", "5.5.5", "5.2.6", "5.3.6", "5.4.4", "5.6.5"},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Waivable: perColumn("A", "B"),
	Since:    "0.1",
	Params: []policy.Param{
		{
			Name: "approvals", Kind: policy.KindInt, Unit: "approvals", Min: 1, Max: 20, Stricter: 1,
			Doc:     "How many different people must approve; at least one for each role.",
			Default: defaults(1, 1, 2),
		},
		{
			Name: "roles", Kind: policy.KindRoles, Stricter: 0,
			Doc: "Roles that must each approve, by a person of its own. Only approvals by holders of these roles are counted.",
			Default: defaults([]policy.Role{policy.Developer}, []policy.Role{policy.Developer},
				[]policy.Role{policy.Developer, policy.Verification}),
		},
		{
			Name: "resolved-threads", Kind: policy.KindBool, Stricter: 1,
			Doc:     "Whether every review thread must be resolved; threads that begin with \"nit:\" or say \"(non-blocking)\" need not be.",
			Default: defaults(true, true, true),
		},
	},
	Needs: []fact.Need{
		fact.NeedFiles, fact.NeedReviews, fact.NeedPatches, fact.NeedThreads, fact.NeedPeople, fact.NeedCommits, fact.NeedComments,
	},
	Partial: []fact.Need{fact.NeedPatches},
	Triggers: []fact.Trigger{
		fact.OnOpened, fact.OnPushed, fact.OnReviewed, fact.OnThread, fact.OnPeople, fact.OnCommand,
	},
	Why: "A change is verified by people who may and can judge it, and each role looks with its own eyes. A comment is not an approval, a request for " +
		"changes stands until who made it withdraws it, and bots never count.",
	Fix: "Ask a holder of the missing role for a review. Resolve open threads. Whoever asked for changes approves, or withdraws the request, when " +
		"they are made; `/primum hold off` lifts a hold.",
	Good: Example{Text: "jonas (developer) and priya (verification) approved the head."},
	Bad: Example{
		Text: "Only a comment was left; nobody approved.",
		Edit: func(c *fact.Change) {
			for i := range c.Reviews {
				c.Reviews[i].State = fact.Commented
			}
		},
	},
	Check: checkReviewQuorum,
}

func checkReviewQuorum(c *Case) Result {
	q := quorumOf(c.Setting)
	findings := c.objections()
	if c.Setting.Bool("resolved-threads") {
		findings = append(findings, c.openThreads()...)
	}
	counted, present := c.People.voters()
	var ev []Evidence
	for i := range counted {
		ev = append(ev, counted[i].evidenceOf())
	}
	switch {
	case q.met(counted):
	case c.unstaffed():
		findings = append(findings, c.noPeople())
	case q.met(present):
		if len(findings) == 0 {
			r := waitsFor("an approval that holds: " + c.People.whyNot())
			r.Evidence = ev
			return r
		}
	default:
		findings = append(findings, c.tooFew(q, present)...)
	}
	return judged("Approved by "+list(names(counted)), findings, ev...)
}

// voters are the approvals that count, and those that would if the rules that
// own the reasons against them (stale, author) were satisfied.
func (pp *People) voters() (counted, present []approval) {
	for _, a := range pp.verdicts {
		if a.review.State != fact.Approved || len(a.roles) == 0 {
			continue
		}
		present = append(present, a)
		if a.counts {
			counted = append(counted, a)
		}
	}
	return counted, present
}

// whyNot says in a few words which approvals do not hold.
func (pp *People) whyNot() string {
	var out []string
	for i, a := range pp.verdicts {
		if !a.counts && len(a.roles) > 0 && a.review.State == fact.Approved {
			out = append(out, login(a.review.Author)+" ("+pp.Approvals[i].Why+")")
		}
	}
	return few(out)
}

func names(as []approval) []string {
	out := make([]string, len(as))
	for i := range as {
		out[i] = login(as[i].review.Author)
	}
	return out
}

// tooFew says how many approvals are missing, for which roles, and who can give
// them.
func (c *Case) tooFew(q quorum, present []approval) []Finding {
	have, open := q.filled(present)
	message := plural(q.total(), "approval is", "approvals are") + " needed and " + given(have)
	ask := q.roles
	if len(open) > 0 {
		ask = open
		message += "; none yet from " + list(roleWords(open))
	}
	for _, r := range open {
		if f, none := c.People.nobody(r); none {
			return []Finding{f}
		}
	}
	var who []string
	for _, p := range c.People.eligible(ask...) {
		if !slices.ContainsFunc(present, func(a approval) bool { return a.review.Author.Is(p) }) {
			who = append(who, login(p))
		}
	}
	if len(who) == 0 {
		return []Finding{{
			Outcome: Fail, Message: message + ", and nobody else holds " + either(roleWords(ask)),
			Fix:  "Name a further person for " + either(roleWords(ask)) + " under people in " + c.People.policyAt,
			Who:  []string{"whoever looks after " + c.People.policyAt},
			Path: c.People.policyAt,
		}}
	}
	fix := "Ask " + either(who) + " (" + either(roleWords(ask)) + ") for a review"
	if len(who) > 5 {
		fix = "Ask a holder of " + either(roleWords(ask)) + " for a review, such as " + either(who[:3])
	}
	return []Finding{{Outcome: Fail, Message: message, Fix: fix, Who: who}}
}

func given(n int) string {
	switch n {
	case 0:
		return "none is given"
	case 1:
		return "1 is given"
	default:
		return strconv.Itoa(n) + " are given"
	}
}

// noPeople is the one finding for a policy that names no people at all, however
// many rules ask for a role.
func (c *Case) noPeople() Finding {
	var roles []string
	add := func(rs []policy.Role) {
		for _, r := range rs {
			if !slices.Contains(roles, string(r)) {
				roles = append(roles, string(r))
			}
		}
	}
	add(c.Setting.Roles("roles"))
	add(c.Policy.Setting(crApprovedID, c.Class.Class).Roles("approver-roles"))
	if c.Policy.Setting(riskAssessmentPresentID, c.Class.Class).Bool("risk-role") {
		add([]policy.Role{policy.Risk})
	}
	entries := make([]string, len(roles))
	for i, r := range roles {
		entries[i] = r + ": [\"user:LOGIN\"]"
	}
	fix := "Add " + code("people: {"+strings.Join(entries, ", ")+"}") + " to " + c.People.policyAt +
		", with accounts or teams (\"team:NAME\")"
	if c.Policy.Mode == policy.Enforce {
		fix += ", in a change of its own; nobody can approve that one either, so " + pastCheck
	}
	return Finding{
		Outcome: Fail,
		Message: "The policy names no people, so no approval can count",
		Fix:     fix,
		Who:     []string{"whoever looks after " + c.People.policyAt},
		Path:    c.People.policyAt,
	}
}

// objections are standing requests for changes and holds by holders of a role.
func (c *Case) objections() []Finding {
	var out []Finding
	for i := range c.People.objected {
		r := &c.People.objected[i]
		who := login(r.Author)
		out = append(out, Finding{
			Outcome: Fail, Message: who + " asked for changes",
			Fix: "Make the changes or answer; then " + who + " approves or withdraws the request",
			Who: append(c.opener(), who), URL: r.URL,
		})
	}
	return append(out, c.People.holds(c)...)
}

// holds are the hold commands still in force. A hold is lifted by who set it or
// by the quality role.
func (pp *People) holds(c *Case) []Finding {
	type hold struct {
		by  fact.Person
		url string
	}
	var open []hold
	for i := range c.Evidence.Commands {
		k := &c.Evidence.Commands[i]
		if k.Name != "hold" || k.Wrong != "" || len(pp.roles[k.By.ID]) == 0 || k.By.Bot {
			continue
		}
		if len(k.Args) == 1 {
			open = slices.DeleteFunc(open, func(h hold) bool { return h.by.Is(k.By) || pp.Holds(k.By, policy.Quality) })
			continue
		}
		h := hold{by: k.By}
		if k.Comment != nil {
			h.url = k.Comment.URL
		}
		if !slices.ContainsFunc(open, func(h hold) bool { return h.by.Is(k.By) }) {
			open = append(open, h)
		}
	}
	out := make([]Finding, len(open))
	for i, h := range open {
		out[i] = Finding{
			Outcome: Pending, Message: login(h.by) + " put this change on hold",
			Fix: login(h.by) + " comments `/primum hold off`, or a holder of quality does",
			Who: []string{login(h.by)}, Command: "/primum hold off", URL: h.url,
		}
	}
	return out
}

// openThreads is one finding for all threads that are not resolved.
func (c *Case) openThreads() []Finding {
	var open []*fact.Thread
	var where []string
	for i := range c.Change.Threads {
		t := &c.Change.Threads[i]
		if t.Resolved || nonBlocking(t.Excerpt) {
			continue
		}
		open = append(open, t)
		at := "by " + login(t.Author)
		if t.Path != "" {
			at = code(t.Path) + " " + at
		}
		where = append(where, at)
	}
	if len(open) == 0 {
		return nil
	}
	return []Finding{{
		Outcome: Fail, Message: plural(len(open), "review thread is", "review threads are") + " open: " + few(where),
		Fix: "Answer and resolve the threads, or mark a remark that need not wait with \"(non-blocking)\"",
		Who: c.opener(), URL: open[0].URL, Path: open[0].Path,
	}}
}

func nonBlocking(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.HasPrefix(s, "nit:") || strings.HasPrefix(s, "nit ") || strings.HasPrefix(s, "optional:") || strings.Contains(s, "non-blocking")
}
