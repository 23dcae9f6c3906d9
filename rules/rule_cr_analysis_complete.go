package rules

import (
	"slices"
	"strings"

	"primum/rules/class"
	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

const crAnalysisCompleteID = "cr-analysis-complete"

var crAnalysisComplete = Rule{
	ID:       crAnalysisCompleteID,
	Title:    "The change request was analysed",
	Short:    "analysis",
	Group:    "linkage",
	Clauses:  []string{"6.2.3", "6.3.1", "8.2.2", "5.2.5", "5.6.6"},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Waivable: everywhere(),
	Since:    "0.1",
	Params: []policy.Param{{
		Name: "reason-words", Kind: policy.KindInt, Unit: "words", Min: 1, Max: 50, Stricter: 1,
		Doc:     "How many words that say something must follow an answer of \"none\" or \"no\".",
		Default: defaults(2, 3, 3),
	}},
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedIssues, fact.NeedCommits, fact.NeedComments, fact.NeedBaseFiles},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnEdited, fact.OnPushed, fact.OnCommand, fact.OnIssue},
	Why: "Before a change is made somebody thinks through what it does to the organisation, to versions in the field, to systems it talks to, and what " +
		"must be repeated. Done afterwards it is a description, not an analysis.",
	Fix: "Fill in every field of the change request. \"None\" is an answer when a reason follows. Name every software item the change touches under " +
		"\"Affected items\".",
	Good: Example{Text: "Effect on the organisation: \"None, the procedure for users stays as it is.\""},
	Bad: Example{
		Text: "Effect on released versions: \"tbd\".",
		Edit: func(c *fact.Change) { rewriteSection(c, 12, "Effect on released versions", "tbd") },
	},
	Check: checkCRAnalysisComplete,
}

// rewriteSection replaces the text below a heading of an issue, for examples.
func rewriteSection(c *fact.Change, issue int, title, text string) {
	for i := range c.Issues {
		if c.Issues[i].Number != issue {
			continue
		}
		before, after, ok := strings.Cut(c.Issues[i].Body, "### "+title+"\n")
		if !ok {
			return
		}
		_, rest, more := strings.Cut(after, "\n### ")
		c.Issues[i].Body = before + "### " + title + "\n\n" + text + "\n"
		if more {
			c.Issues[i].Body += "\n### " + rest
		}
	}
}

// analysisFields are what a change request must answer; for an anomaly that acts
// as its own request the rest follows from its own form.
var (
	analysisFields = [...]string{"reason", "kind", "description", "items", "requirements", "organisation", "released", "interfaces", "repeat"}
	ownFields      = [...]string{"items", "requirements", "organisation", "released", "interfaces", "repeat"}
)

func checkCRAnalysisComplete(c *Case) Result {
	if len(c.issues.requests) == 0 {
		return notApplicable("No change request is linked")
	}
	var findings []Finding
	var ev []Evidence
	for _, r := range c.issues.requests {
		if f, ok := c.analysed(r); !ok {
			findings = append(findings, f)
		}
		ev = append(ev, r.evidenceOf("analysis"))
	}
	if f, ok := c.itemsNamed(); !ok {
		findings = append(findings, f)
	}
	return judged("Every field of the analysis is answered", findings, ev...)
}

// analysed holds one request's fields against what must be answered.
func (c *Case) analysed(r *linked) (Finding, bool) {
	fields := analysisFields[:]
	if r.own {
		fields = ownFields[:]
	}
	var wrong []string
	for _, id := range fields {
		text := field(&r.texts.Form, evidence.FormChangeRequest+"/"+id)
		if r.own {
			text = ownField(&r.texts.Form, id, text)
		}
		if ok, why := answered(text, c.Setting.Int("reason-words")); !ok && (id != "items" || !c.namesWhole(text)) {
			wrong = append(wrong, fieldTitle(id)+" "+why)
		}
	}
	if len(wrong) == 0 {
		return Finding{}, true
	}
	f := Finding{
		Outcome: Fail,
		Message: r.noun() + " is not analysed: " + few(wrong),
		Fix:     "Edit " + r.ref + " and answer; \"none\" needs a reason after it",
		Who:     []string{login(r.facts.Author)}, URL: r.facts.URL,
	}
	if r.facts.Author.Bot || !r.facts.Author.Known() {
		f.Who = c.opener()
	}
	return f, false
}

// ownField reads a field of a change request in an anomaly, whose own form has
// fields of a like name: the section with the very title goes first.
func ownField(form *evidence.Document, id, found string) string {
	title := strings.Trim(fieldTitle(id), `"`)
	for _, s := range form.Sections {
		if strings.EqualFold(s.Title, title) && s.Text != "" {
			return s.Text
		}
	}
	if found == "" && id == "items" {
		return field(form, evidence.FormAnomaly+"/items")
	}
	return found
}

// itemsNamed holds the items the change touches against those the requests
// name. Naming a parent names its parts, and the system names all.
func (c *Case) itemsNamed() (Finding, bool) {
	var texts []string
	for _, r := range c.issues.requests {
		t := field(&r.texts.Form, "items")
		if ok, _ := answered(t, 1); !ok && !c.namesWhole(t) {
			return Finding{}, true // an empty field is reported as such
		}
		texts = append(texts, t)
	}
	named := map[string]bool{}
	for _, w := range words(strings.Join(texts, "\n")) {
		named[strings.ToLower(strings.Trim(w, "./'"))] = true
	}
	if c.namesWhole(strings.Join(texts, "\n")) {
		return Finding{}, true
	}
	var missing []string
	for _, g := range c.Class.Groups {
		if g.Item != "" && !c.covered(g.Item, named) {
			missing = append(missing, g.Item)
		}
	}
	if len(missing) == 0 {
		return Finding{}, true
	}
	r := c.issues.requests[0]
	return Finding{
		Outcome: Fail,
		Message: "The change touches " + fewPaths(missing) + ", which " + r.ref + " does not name",
		Fix:     "Add " + fewPaths(missing) + " under Affected items of " + r.ref + ", or leave those files out",
		Who:     c.opener(), URL: r.facts.URL,
	}, false
}

// covered reports whether an item, an ancestor of it or its system is named.
func (c *Case) covered(item string, named map[string]bool) bool {
	for range len(c.Tree.Items) + 1 {
		if named[strings.ToLower(item)] {
			return true
		}
		r, ok := c.Tree.Items[item]
		if !ok || r.Item.Parent == "" {
			break
		}
		item = r.Item.Parent
	}
	return slices.ContainsFunc(c.Tree.Systems, func(s class.SystemClass) bool { return named[strings.ToLower(s.ID)] })
}

// namesWhole reports whether a text names the whole software: all items, or
// where the policy has no items, any text at all that says something.
func (c *Case) namesWhole(text string) bool {
	if firstWord(text) == "all" {
		return true
	}
	return len(c.Policy.Items) == 0 && says(text) > 0
}

// fieldTitle is how the form names a field.
func fieldTitle(id string) string {
	form, _ := evidence.FormByID(evidence.FormChangeRequest)
	for _, f := range form.Fields {
		if f.ID == id {
			return "\"" + f.Title + "\""
		}
	}
	return "\"" + id + "\""
}
