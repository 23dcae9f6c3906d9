package rules

import (
	"slices"
	"strconv"
	"strings"

	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// linked is one issue the change is linked to, with its kind worked out.
type linked struct {
	link    fact.Link
	ref     string // "#12", or "owner/name#12" in another repository
	facts   *fact.Issue
	texts   *evidence.Issue
	request bool // a change request by the policy's marks
	anomaly bool
	// own is set for an anomaly whose decision is to fix it: it acts as its own
	// change request.
	own bool
	// bad says why it cannot stand as the change's request; "" if it can.
	bad  string
	cure string
}

// issues are the linked issues of a change.
type issues struct {
	all       []linked
	requests  []*linked // usable change requests, anomalies acting as their own included
	anomalies []*linked
	suggested []fact.Link // from branch names and bare mentions: they link nothing
}

// sortIssues works out what each linked issue is. elsewhere lists further
// repositories whose issues count.
func sortIssues(c *fact.Change, p *policy.Policy, ev *evidence.Evidence, elsewhere []string) issues {
	var out issues
	for _, l := range ev.Links {
		if l.Kind == fact.LinkBranch || l.Kind == fact.LinkMention {
			out.suggested = append(out.suggested, l)
			continue
		}
		out.all = append(out.all, describe(c, p, ev, l, elsewhere))
	}
	for i := range out.all {
		l := &out.all[i]
		if l.anomaly && l.facts.Problem == "" {
			out.anomalies = append(out.anomalies, l)
		}
		if l.bad == "" && l.request {
			out.requests = append(out.requests, l)
		}
	}
	// An anomaly acts as its own request only where there is no other.
	for i := range out.all {
		l := &out.all[i]
		l.own = l.own && l.bad == "" && (len(out.requests) == 0 || out.requests[0].own)
		if l.own {
			out.requests = append(out.requests, l)
		}
	}
	return out
}

func describe(c *fact.Change, p *policy.Policy, ev *evidence.Evidence, l fact.Link, elsewhere []string) linked {
	home := c.Repo.FullName()
	d := linked{link: l, ref: reference(home, l.Repo, l.Number)}
	key := l.Repo + "#" + strconv.Itoa(l.Number)
	d.texts = ev.Issues[key]
	if d.texts != nil {
		d.facts = d.texts.Facts
	}
	if d.facts == nil {
		d.facts = findIssue(c, l)
	}
	if d.facts == nil {
		d.facts = &fact.Issue{Repo: l.Repo, Number: l.Number, Problem: "it was not read"}
	}
	if d.texts == nil {
		d.texts = &evidence.Issue{Facts: d.facts}
	}
	f := d.facts
	d.request = isKind(f, &d.texts.Form, p.ChangeRequest)
	d.anomaly = isKind(f, &d.texts.Form, p.Anomaly)
	d.own = d.anomaly && !d.request && decidedToFix(&d.texts.Form)
	switch {
	case !strings.EqualFold(l.Repo, home) && !slices.Contains(elsewhere, l.Repo):
		d.bad, d.cure = "belongs to another repository", "Link a change request of "+home
	case f.Problem != "":
		d.bad, d.cure = "could not be read ("+f.Problem+")", "Link an issue that exists and that Primum may read"
	case f.IsChange:
		d.bad, d.cure = "is a change and not an issue", "Link the change request it implements"
	case f.State == fact.Closed && rejected(f.Reason):
		d.bad, d.cure = "was closed as "+strings.ReplaceAll(f.Reason, "_", " "), "Reopen it if it is wanted after all, or link another one"
	case f.State == fact.Closed && c.State == fact.Open:
		d.bad, d.cure = "is closed already", "Reopen it while work on it goes on, or link the request this change belongs to"
	case d.request || d.own:
	case d.anomaly:
		d.bad, d.cure = "is a problem report (anomaly) that is not decided to be fixed", "Write `fix` under Decision and fill in the fields of a change request, or link a change request"
	default:
		d.bad, d.cure = "is not marked as a change request", "Open it with the change-request form"+orLabel(p.ChangeRequest)
	}
	return d
}

func orLabel(k policy.IssueKind) string {
	if len(k.Labels) == 0 {
		return ""
	}
	return " or give it the label " + code(k.Labels[0])
}

func findIssue(c *fact.Change, l fact.Link) *fact.Issue {
	for i := range c.Issues {
		if c.Issues[i].Number == l.Number && strings.EqualFold(c.Issues[i].Repo, l.Repo) {
			return &c.Issues[i]
		}
	}
	return nil
}

// reference names an issue as people write it.
func reference(home, repo string, number int) string {
	n := "#" + strconv.Itoa(number)
	if strings.EqualFold(home, repo) {
		return n
	}
	return repo + n
}

func rejected(reason string) bool {
	switch strings.ToLower(strings.ReplaceAll(reason, " ", "_")) {
	case "not_planned", "duplicate", "wontfix", "rejected":
		return true
	default:
		return false
	}
}

// isKind reports whether an issue carries one of a kind's marks. A label or type
// says what an issue is about and proves nothing; what needs proof (an approval)
// is judged by its event.
func isKind(f *fact.Issue, form *evidence.Document, k policy.IssueKind) bool {
	if f.Problem != "" || f.IsChange {
		return false
	}
	for _, want := range k.Labels {
		for _, l := range f.Labels {
			if strings.EqualFold(l, want) {
				return true
			}
		}
	}
	for _, want := range k.Types {
		if f.Type != "" && strings.EqualFold(f.Type, want) {
			return true
		}
	}
	return k.Form != "" && form.Form == k.Form
}

// decidedToFix reads the decision of an anomaly: its first word.
func decidedToFix(form *evidence.Document) bool {
	s, ok := form.Find("decision")
	if !ok {
		return false
	}
	for _, t := range s.Ticks {
		if t.Done {
			return firstWord(t.Text) == "fix"
		}
	}
	switch firstWord(s.Text) {
	case "fix", "fixed", "fixing":
		return true
	default:
		return false
	}
}

// field is the text of a form's section, "" if there is none.
func field(form *evidence.Document, id string) string {
	s, ok := form.Find(id)
	if !ok {
		return ""
	}
	if strings.TrimSpace(s.Text) == "" && len(s.Ticks) > 0 {
		var done []string
		for _, t := range s.Ticks {
			if t.Done {
				done = append(done, t.Text)
			}
		}
		return strings.Join(done, "\n")
	}
	return s.Text
}

// evidenceOf is an issue as evidence.
func (l *linked) evidenceOf(text string) Evidence {
	return Evidence{Kind: "issue", Ref: l.ref, Text: text, URL: l.facts.URL, By: l.facts.Author.Login, At: l.facts.CreatedAt}
}

// noun is what people call the issue.
func (l *linked) noun() string {
	if l.request {
		return "Change request " + l.ref
	}
	return "Problem report " + l.ref
}

// key is how evidence files an issue.
func key(l fact.Link) string { return l.Repo + "#" + strconv.Itoa(l.Number) }
