package rules

import (
	"slices"
	"strconv"
	"strings"

	"primum/rules/fact"
	"primum/rules/policy"
)

const riskAssessmentPresentID = "risk-assessment-present"

var riskAssessmentPresent = Rule{
	ID:       riskAssessmentPresentID,
	Title:    "The change was assessed for risk",
	Short:    "risk assessment",
	Group:    "risk",
	Clauses:  []string{"7.4.1", "7.4.2", "5.2.4", "5.7.3"},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Since:    "0.1",
	Params: []policy.Param{
		{
			Name: "questions", Kind: policy.KindList, Enum: []string{"1", "2", "3", "4"}, Stricter: 0,
			Doc: "Which questions must be answered: 1 new cause of a hazardous situation, 2 more or other risk controls needed, " +
				"3 interference with a risk control, 4 effect on security.",
			Default: defaults([]string{"1", "3", "4"}, []string{"1", "2", "3", "4"}, []string{"1", "2", "3", "4"}),
		},
		{
			Name: "reason-words", Kind: policy.KindInt, Unit: "words", Min: 1, Max: 50, Stricter: 1,
			Doc:     "How many words that say something the reason of an answer must have.",
			Default: defaults(2, 3, 3),
		},
		{
			Name: "risk-role", Kind: policy.KindBool, Stricter: 1,
			Doc:     "Whether a yes to question 1, 2 or 3 must be answered or confirmed by the risk role.",
			Default: defaults(false, true, true),
		},
	},
	Needs: []fact.Need{
		fact.NeedFiles, fact.NeedIssues, fact.NeedPeople, fact.NeedCommits, fact.NeedComments,
	},
	Triggers: []fact.Trigger{
		fact.OnOpened, fact.OnPushed, fact.OnEdited, fact.OnCommand, fact.OnIssue, fact.OnIssueWords, fact.OnPeople,
	},
	Why: "Every change of the software can bring a new cause of harm or disturb what keeps harm away, an update of a library and a small correction " +
		"included. Four questions, answered once on the request, show that somebody thought about it.",
	Fix: "Answer the questions on the change request, or with `/primum risk` there or on the change: `1: no, because …`. A no needs a reason, a yes a " +
		"risk reference such as HZ-3. At B and C the risk role confirms a yes with `/primum risk confirm`.",
	Good: Example{Text: "Risk 1: \"No, because the limit of the rate is checked before it is stored and nothing else reads it.\""},
	Bad: Example{
		Text: "Risk 3: \"n/a\".",
		Edit: func(c *fact.Change) {
			rewriteSection(c, 12, "Risk 3: interference with an existing risk control", "n/a")
		},
	},
	Check: checkRiskAssessmentPresent,
}

func checkRiskAssessmentPresent(c *Case) Result {
	if why, ok := c.standingAnswer(); ok {
		return passed(why, Evidence{Kind: "policy", Ref: c.People.policyAt, Text: "no-runtime-effect"})
	}
	questions := askedQuestions(c.Setting)
	if len(c.issues.requests) == 0 {
		a := c.assess(nil)
		if wrong := a.wrong(questions, c.Setting.Int("reason-words")); len(wrong) == 0 {
			return c.confirmed(a, questions, "the change")
		}
		if c.enforces[linkChangeRequestID] == policy.Block {
			return waitsFor("the change request, where the risk questions are answered")
		}
		return judged("", []Finding{c.unanswered(nil, a, questions)})
	}
	var findings []Finding
	var ev []Evidence
	for _, r := range c.issues.requests {
		a := c.assess(r)
		if len(a.wrong(questions, c.Setting.Int("reason-words"))) > 0 {
			findings = append(findings, c.unanswered(r, a, questions))
			continue
		}
		out := c.confirmed(a, questions, r.ref)
		if out.Outcome == Pending && len(out.Findings) == 0 {
			return out
		}
		findings = append(findings, out.Findings...)
		ev = append(ev, out.Evidence...)
	}
	return judged("Every question is answered with a reason", findings, ev...)
}

func askedQuestions(s policy.Setting) []int {
	var out []int
	for _, q := range s.List("questions") {
		if n, err := strconv.Atoi(q); err == nil && n >= 1 && n <= 4 {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// standingAnswer reports whether every touched path has the policy's standing
// answer: no effect at run time.
func (c *Case) standingAnswer() (string, bool) {
	if len(c.Policy.Standing) == 0 || len(c.paths) == 0 {
		return "", false
	}
	standing, outside := globsOf(c.Policy).standing, globsOf(c.Policy).outside
	for _, p := range c.paths {
		if !standing.match(p) && !outside.match(p) {
			return "", false
		}
	}
	return "The policy answers for all touched paths: they have no effect at run time", true
}

// unanswered says which questions are open and how to answer them.
func (c *Case) unanswered(r *linked, a assessment, questions []int) Finding {
	wrong := a.wrong(questions, c.Setting.Int("reason-words"))
	var what []string
	first := questions[0]
	for i, w := range wrong {
		if i == 0 {
			first = w.question
		}
		what = append(what, "question "+strconv.Itoa(w.question)+" ("+questionWords(w.question)+") "+w.why)
	}
	f := Finding{
		Outcome: Fail, Who: c.opener(), Command: "/primum risk " + strconv.Itoa(first) + ": no, because …",
		Message: "The risk assessment is incomplete: " + few(what),
		Fix:     "Comment " + code("/primum risk "+strconv.Itoa(first)+": no, because …"),
	}
	if r != nil {
		f.Message = "The risk assessment of " + r.ref + " is incomplete: " + few(what)
		f.Fix = "Answer in the risk section of " + r.ref + ", or comment " + code(f.Command)
		f.URL = r.facts.URL
	}
	return f
}

func questionWords(n int) string {
	switch n {
	case 1:
		return "new cause of a hazardous situation"
	case 2:
		return "more or other risk controls"
	case 3:
		return "interference with a risk control"
	default:
		return "security"
	}
}

// confirmed asks the risk role for what it must answer or confirm.
func (c *Case) confirmed(a assessment, questions []int, where string) Result {
	var ev []Evidence
	var open []string
	for _, q := range questions {
		g := a.given[q]
		said := "no"
		if g.Yes {
			said = "yes"
			if q <= 3 && !c.People.Holds(g.by, policy.Risk) && !g.confirmed {
				open = append(open, strconv.Itoa(q))
			}
		}
		ev = append(ev, Evidence{
			Kind: g.kind, Ref: "question " + strconv.Itoa(q), Text: said + ": " + excerpt(g.Reason, 200), URL: g.url, By: login(g.by), At: g.at,
		})
	}
	if len(open) == 0 || !c.Setting.Bool("risk-role") {
		return passed("Every question is answered with a reason", ev...)
	}
	if len(c.People.Holders(policy.Risk)) == 0 {
		if c.unstaffed() {
			return waitsFor("people in the policy")
		}
		f, _ := c.People.nobody(policy.Risk)
		return judged("", []Finding{f}, ev...)
	}
	who := logins(c.People.Holders(policy.Risk))
	yes := "question " + open[0]
	if len(open) > 1 {
		yes = "questions " + list(open)
	}
	return judged("", []Finding{{
		Outcome: Fail, Message: "A yes to " + yes + " on " + where + " is not confirmed by the risk role",
		Fix: askOne(who, []policy.Role{policy.Risk}) + " comments `/primum risk confirm` on " + where,
		Who: who, Command: "/primum risk confirm",
	}}, ev...)
}

// hasReference reports whether an answer names a risk: an id, an issue or an
// address.
func hasReference(reason string, refs []string) bool {
	return len(refs) > 0 || strings.Contains(reason, "https://")
}
