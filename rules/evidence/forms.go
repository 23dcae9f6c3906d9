package evidence

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Ids of the forms: what the hidden marker <!-- primum:form:NAME --> and the
// policy's issues section name.
const (
	FormChangeRequest = "change-request"
	FormAnomaly       = "anomaly"
	FormChange        = "change" // the template of a change's description
)

// Form is a form people fill in: two for issues, one for the description of a
// change. Find, the messages of the rules and the templates that "primum policy
// init" writes all read these values.
type Form struct {
	ID     string
	Title  string
	About  string   // one sentence for the forge's list of forms
	Labels []string // labels the form sets; the policy recognises the issue by them
	Prefix string   // begins the title, "" for none
	Fields []Field
}

// FieldKind says how a field is filled in, where the forge lets one choose.
type FieldKind string

// Field kinds.
const (
	Line   FieldKind = "line"   // one line of text
	Area   FieldKind = "area"   // several lines of text
	Choice FieldKind = "choice" // one of Options
	Ticks  FieldKind = "ticks"  // any of Options
)

// Field is one section of a form.
type Field struct {
	ID      string // what Document.Find takes
	Title   string // heading of the section
	Aliases []string
	Help    string // one or two plain sentences under the title
	Kind    FieldKind
	Options []string
	// Required marks what a complete form must answer; "none, because …" is an
	// answer.
	Required bool
	// Clauses of IEC 62304:2006+A1:2015 the field serves.
	Clauses []string
}

// Forms lists the two issue forms and the template of a change. The result is
// shared; it must not be changed.
func Forms() []Form { return forms() }

// FormByID finds a form by its id.
func FormByID(id string) (Form, bool) {
	for _, f := range forms() {
		if f.ID == id {
			return f, true
		}
	}
	return Form{}, false
}

// Field finds a field of the form by its id.
func (f Form) Field(id string) (Field, bool) {
	for _, d := range f.Fields {
		if d.ID == id {
			return d, true
		}
	}
	return Field{}, false
}

// KindOptions are the kinds of change a change request can be of, as written in
// its form; compare without regard to case.
func KindOptions() []string {
	return []string{"corrective", "adaptive", "new function", "SOUP update", "classification", "improvement", "standing"}
}

// matcher recognises the sections that answer one field.
type matcher struct {
	keys   []string
	prefix string
}

func (m matcher) matches(k string) bool {
	return slices.Contains(m.keys, k) || m.prefix != "" && strings.HasPrefix(k, m.prefix)
}

// matchers maps "form/field" to what recognises it.
//
//nolint:gochecknoglobals // an index of forms, built once and never changed
var matchers = sync.OnceValue(func() map[string]matcher {
	index := map[string]matcher{}
	for _, f := range forms() {
		for _, d := range f.Fields {
			m := matcher{keys: []string{key(d.Title), d.ID}}
			for _, a := range d.Aliases {
				m.keys = append(m.keys, key(a))
			}
			if strings.HasPrefix(d.ID, "risk-") {
				m.prefix = d.ID + "-"
			}
			index[f.ID+"/"+d.ID] = m
		}
	}
	return index
})

// forms declares everything once.
//
//nolint:gochecknoglobals // a constant table, built once and never changed
var forms = sync.OnceValue(func() []Form {
	return []Form{changeRequestForm(), anomalyForm(), changeForm()}
})

func changeRequestForm() Form {
	f := Form{
		ID: FormChangeRequest, Title: "Change request", Labels: []string{"change-request"}, Prefix: "CR: ",
		About: "Ask for a change of the software and say what it will affect, before it is made.",
		Fields: []Field{
			{
				ID: "reason", Title: "Reason", Aliases: []string{"Why", "Motivation", "Reason for the change"}, Kind: Area, Required: true,
				Help: "Why the change is needed.", Clauses: []string{"6.2.3", "8.2.1"},
			},
			{
				ID: "kind", Title: "Kind of change", Aliases: []string{"Kind", "Type of change", "Change type"}, Kind: Choice, Required: true,
				Options: KindOptions(), Clauses: []string{"6.2.3"},
				Help: "Corrective mends an anomaly and names it below. Standing is approved once for a bounded kind of routine change.",
			},
			{
				ID: "description", Title: "Description of the change", Aliases: []string{"Description", "What changes", "Proposed change"}, Kind: Area, Required: true,
				Help: "What will be different afterwards, for users and in the software.", Clauses: []string{"8.2.1", "8.2.2"},
			},
			{
				ID: "items", Title: "Affected items", Aliases: []string{"Items", "Affected software items", "Software items"}, Kind: Area, Required: true,
				Help: "The software items that change, by their id in the policy file, one a line.", Clauses: []string{"8.2.2", "6.2.3"},
			},
			{
				ID: "requirements", Title: "Affected requirements and documents",
				Aliases: []string{"Affected requirements", "Affected requirements/documents", "Requirements", "Requirements and documents", "Affected documents"},
				Kind:    Area, Required: true, Clauses: []string{"5.2.5", "8.2.2"},
				Help: "Ids of the requirements and names of the documents that change, or none with the reason.",
			},
			{
				ID: "organisation", Title: "Effect on the organisation", Aliases: []string{"Effect on the organization", "Organisation", "Organization", "Impact on the organisation", "Impact on the organization"},
				Kind: Area, Required: true, Clauses: []string{"6.2.3"},
				Help: "Training, service, production, documents for users; or none with the reason.",
			},
			{
				ID: "released", Title: "Effect on released versions", Aliases: []string{"Effect on released software", "Released versions", "Released software", "Impact on released software"},
				Kind: Area, Required: true, Clauses: []string{"6.2.3"},
				Help: "Which versions in use are affected and what becomes of them; or none with the reason.",
			},
			{
				ID: "interfaces", Title: "Effect on interfacing systems", Aliases: []string{"Interfacing systems", "Interfaces", "Effect on systems it interfaces with", "Effect on systems it works with", "Impact on interfaces"},
				Kind: Area, Required: true, Clauses: []string{"6.2.3"},
				Help: "Hardware, other software and data formats it exchanges with; or none with the reason.",
			},
			{
				ID: "repeat", Title: "Activities to repeat and regression scope", Aliases: []string{"Activities to repeat", "Regression scope", "Regression", "Regression tests"},
				Kind: Area, Required: true, Clauses: []string{"6.3.1", "8.2.2", "5.6.6"},
				Help: "Which analyses, reviews and tests are done again, and why the rest need not be.",
			},
		},
	}
	f.Fields = append(f.Fields, riskFields()...)
	f.Fields = append(f.Fields, Field{
		ID: "anomalies", Title: "Anomalies it resolves", Aliases: []string{"Anomalies", "Anomaly", "Problem reports", "Resolves anomalies", "Anomalies resolved"}, Kind: Line,
		Help: "Numbers of the problem reports, such as #12; needed for a corrective change.", Clauses: []string{"8.2.4", "9.2"},
	})
	return f
}

// riskFields are the four questions of 7.4.1 and of security.
func riskFields() []Field {
	questions := []struct{ title, help, clause string }{
		{"new cause of a hazardous situation, SOUP included", "Can the change bring a new cause of a hazardous situation, through third-party software too? Begin with yes or no, then the reason.", "7.4.1"},
		{"more or other risk controls needed", "Does the change need further or different risk controls? Begin with yes or no, then the reason.", "7.4.1"},
		{"interference with an existing risk control", "Can the change keep an existing risk control from working? Begin with yes or no, then the reason.", "7.4.2"},
		{"effect on security", "Does the change open or close a way to attack the device or its data? Begin with yes or no, then the reason.", "6.2.3"},
	}
	fields := make([]Field, 0, len(questions))
	for i, q := range questions {
		n := strconv.Itoa(i + 1)
		fields = append(fields, Field{
			ID: "risk-" + n, Title: "Risk " + n + ": " + q.title, Aliases: []string{"Risk " + n, "Risk question " + n},
			Kind: Area, Required: true, Help: q.help, Clauses: []string{q.clause},
		})
	}
	return fields
}

func anomalyForm() Form {
	return Form{
		ID: FormAnomaly, Title: "Problem report", Labels: []string{"anomaly"},
		About: "Report something the software does that it should not do, or the other way round.",
		Fields: []Field{
			{
				ID: "happens", Title: "What happens", Aliases: []string{"Observed behaviour", "Observed behavior", "Actual behaviour", "Actual behavior", "Observed", "Actual"}, Kind: Area, Required: true,
				Help: "What was seen, with times and messages. No patient data.", Clauses: []string{"9.1"},
			},
			{
				ID: "expected", Title: "What is expected", Aliases: []string{"Expected behaviour", "Expected behavior", "Expected"}, Kind: Area, Required: true,
				Help: "What should have happened, and which requirement or document says so.", Clauses: []string{"9.1"},
			},
			{
				ID: "steps", Title: "Steps to reproduce", Aliases: []string{"Steps", "How to reproduce", "Reproduction"}, Kind: Area, Required: true,
				Help: "One step a line, or that it could not be reproduced.", Clauses: []string{"9.1", "9.2"},
			},
			{
				ID: "versions", Title: "Versions affected", Aliases: []string{"Versions", "Version", "Affected versions", "Found in version"}, Kind: Line, Required: true,
				Help: "Version or build in which it was seen, and others known to have it.", Clauses: []string{"9.1"},
			},
			{
				ID: "found", Title: "How it was found", Aliases: []string{"Found by", "How found", "Source"}, Kind: Choice, Required: true,
				Options: []string{"test", "review", "use in the field", "complaint", "supplier's notice", "other"},
				Help:    "Where the report comes from.", Clauses: []string{"6.2.1", "9.1"},
			},
			{
				ID: "performance", Title: "Effect on performance", Aliases: []string{"Performance"}, Kind: Area, Required: true,
				Help: "What the device no longer does as intended, or none with the reason.", Clauses: []string{"9.1"},
			},
			{
				ID: "safety", Title: "Effect on safety", Aliases: []string{"Safety", "Safety impact"}, Kind: Area, Required: true,
				Help: "Whether a patient, user or bystander could come to harm: yes or no, then the reason.", Clauses: []string{"9.1", "9.2"},
			},
			{
				ID: "security", Title: "Effect on security", Aliases: []string{"Security", "Security impact"}, Kind: Area, Required: true,
				Help: "Whether it weakens the protection of the device or its data: yes or no, then the reason.", Clauses: []string{"9.1", "9.2"},
			},
			{
				ID: "released", Title: "Released", Aliases: []string{"In released software", "In a released version"}, Kind: Choice, Required: true,
				Options: []string{"yes", "no", "not known"}, Help: "Whether a version in use has it.", Clauses: []string{"6.2.1", "6.2.2"},
			},
			{
				ID: "cause", Title: "Cause", Aliases: []string{"Root cause", "Investigation"}, Kind: Area,
				Help: "What causes it, or what was tried to find out. Filled in by the investigation.", Clauses: []string{"9.2"},
			},
			{
				ID: "items", Title: "Items involved", Aliases: []string{"Items", "Software items", "Affected items"}, Kind: Area,
				Help: "The software items that have the fault. Filled in by the investigation.", Clauses: []string{"9.2"},
			},
			{
				ID: "decision", Title: "Decision", Aliases: []string{"Decision and rationale"}, Kind: Area,
				Help: "fix, or no action with the rationale. Filled in after the investigation.", Clauses: []string{"9.2", "9.4"},
			},
		},
	}
}

func changeForm() Form {
	return Form{
		ID: FormChange, Title: "Change", About: "Description of a change.",
		Fields: []Field{
			{
				ID: "what", Title: "What changes", Aliases: []string{"Summary", "Description"}, Kind: Area, Required: true,
				Help: "What is different afterwards, and why this way.", Clauses: []string{"8.2.2"},
			},
			{
				ID: "request", Title: "Change request", Aliases: []string{"Change requests", "Issue", "Issues", "CR"}, Kind: Line, Required: true,
				Help: "The approved change request or anomaly, as in: Refs #12.", Clauses: []string{"8.2.1", "8.2.4"},
			},
			{
				ID: "verified", Title: "How it was verified", Aliases: []string{"Verification", "Testing", "Tests"}, Kind: Area, Required: true,
				Help: "Which tests were added or run, and what a reviewer should look at.", Clauses: []string{"8.2.3", "5.5.5"},
			},
		},
	}
}
