package rules

import (
	"strconv"
	"strings"

	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

const linkProblemReportID = "link-problem-report"

var linkProblemReport = Rule{
	ID:       linkProblemReportID,
	Title:    "A correction names the problem it corrects",
	Short:    "problem report",
	Group:    "linkage",
	Clauses:  []string{"8.2.4", "9.2"},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Waivable: everywhere(),
	Since:    "0.1",
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedIssues, fact.NeedCommits, fact.NeedComments},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnEdited, fact.OnPushed, fact.OnCommand, fact.OnIssue, fact.OnIssueWords},
	Why: "A fix without its problem report cannot be traced to what went wrong, to the versions that have the fault, or to those who must be told. " +
		"A fault found and mended before its code left a feature branch needs no report.",
	Fix: "Link the problem report (anomaly) from the change, or name it in the change request under \"Anomalies it resolves\". If nothing was broken, " +
		"set the kind of the change request to improvement.",
	Good: Example{Text: "Change request #12 is of kind corrective and resolves anomaly #9."},
	Bad: Example{
		Text: "Change request #12 is of kind corrective and names no anomaly.",
		Edit: func(c *fact.Change) { dropAnomaly(c) },
	},
	Check: checkLinkProblemReport,
}

// dropAnomaly takes every trace of the compliant change's anomaly away.
func dropAnomaly(c *fact.Change) {
	strip := strings.NewReplacer("Refs #9", "", "Verifies: #9", "", "#9", "none, seen in review")
	c.Body = strip.Replace(c.Body)
	for i := range c.Commits {
		c.Commits[i].Message = strip.Replace(c.Commits[i].Message)
	}
	kept := c.Issues[:0]
	for _, n := range c.Issues {
		if n.Number != 9 {
			n.Body = strip.Replace(n.Body)
			kept = append(kept, n)
		}
	}
	c.Issues = kept
}

func checkLinkProblemReport(c *Case) Result {
	why, yes := c.corrective()
	if !yes {
		return notApplicable("The change is not described as a correction")
	}
	var ev []Evidence
	for _, a := range c.issues.anomalies {
		ev = append(ev, a.evidenceOf("problem report"))
	}
	if len(ev) > 0 {
		return passed("Corrects "+ev[0].Ref, ev...)
	}
	for _, r := range c.issues.requests {
		if f, ok := c.namedAnomalies(r, &ev); !ok {
			return judged("", []Finding{f}, ev...)
		}
	}
	if len(ev) > 0 {
		return passed("The change request names "+ev[0].Ref, ev...)
	}
	return judged("", []Finding{{
		Outcome: Fail,
		Message: why + ", and no problem report (anomaly) is linked",
		Fix:     "Link the anomaly with `/primum link #NUMBER`, or set the kind of the change request to improvement if nothing was broken",
		Who:     c.opener(), Command: "/primum link #NUMBER",
	}})
}

// namedAnomalies reads the issues a change request says it resolves. One that
// was read and is no anomaly is a finding.
func (c *Case) namedAnomalies(r *linked, ev *[]Evidence) (Finding, bool) {
	for _, l := range evidence.References(field(&r.texts.Form, "anomalies"), c.Change.Repo) {
		ref := reference(c.Change.Repo.FullName(), l.Repo, l.Number)
		if known := findIssue(c.Change, l); known != nil && known.Problem == "" {
			texts := c.Evidence.Issues[key(l)]
			if texts == nil || !isKind(known, &texts.Form, c.Policy.Anomaly) {
				return Finding{
					Outcome: Fail,
					Message: r.ref + " names " + ref + " as the anomaly it resolves, and " + ref + " is not marked as one",
					Fix:     "Name a problem report" + orLabel(c.Policy.Anomaly),
					Who:     c.opener(), URL: r.facts.URL,
				}, false
			}
		}
		*ev = append(*ev, Evidence{Kind: "issue", Ref: ref, Text: "named in " + r.ref, URL: c.addressOf(r, l)})
	}
	return Finding{}, true
}

// addressOf is the address of an issue that a request names: its own if it was
// read, else made like that of the request where both are of one repository.
func (c *Case) addressOf(r *linked, l fact.Link) string {
	if known := findIssue(c.Change, l); known != nil && known.URL != "" {
		return known.URL
	}
	base, ok := strings.CutSuffix(r.facts.URL, "/"+strconv.Itoa(r.facts.Number))
	if !ok || !strings.EqualFold(l.Repo, r.facts.Repo) {
		return ""
	}
	return base + "/" + strconv.Itoa(l.Number)
}

// corrective reports whether the change corrects a problem, and how that is
// known: by the kind of its change request, by an anomaly that acts as its own
// request, or by a title or branch of type fix.
func (c *Case) corrective() (why string, yes bool) {
	kinded := false
	for _, r := range c.issues.requests {
		if r.own {
			return "Problem report " + r.ref + " is to be fixed", true
		}
		kind := strings.ToLower(field(&r.texts.Form, "kind"))
		if strings.Contains(kind, "corrective") {
			return "Change request " + r.ref + " is corrective", true
		}
		kinded = kinded || says(kind) > 0
	}
	if kinded {
		return "", false // the request says what kind it is, and it is another one
	}
	if len(c.issues.anomalies) > 0 {
		return "Problem report " + c.issues.anomalies[0].ref + " is linked", true
	}
	if isFix(c.Change.Title, ":(! ") {
		return "The title calls this a fix", true
	}
	if isFix(c.Change.Head.Name, "/-_") {
		return "The branch name calls this a fix", true
	}
	return "", false
}

// isFix recognises a type word at the beginning: fix:, bugfix/, hotfix(pump).
func isFix(s, after string) bool {
	s = strings.ToLower(s)
	for _, w := range []string{"fix", "bugfix", "hotfix", "fixes"} {
		if rest, ok := strings.CutPrefix(s, w); ok && rest != "" && strings.IndexByte(after, rest[0]) >= 0 {
			return true
		}
	}
	return false
}
