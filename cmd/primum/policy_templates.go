package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"primum/rules/evidence"
)

// templates are the issue forms and the change template as a forge wants them.
func templates(forge string) []newFile {
	request, _ := evidence.FormByID(evidence.FormChangeRequest)
	anomaly, _ := evidence.FormByID(evidence.FormAnomaly)
	change, _ := evidence.FormByID(evidence.FormChange)
	switch forge {
	case "gitlab":
		return []newFile{
			{".gitlab/issue_templates/Change request.md", issueMarkdown(request)},
			{".gitlab/issue_templates/Problem report.md", issueMarkdown(anomaly)},
			{".gitlab/merge_request_templates/Default.md", changeMarkdown(change)},
		}
	case "gitea":
		return []newFile{
			{".gitea/ISSUE_TEMPLATE/change-request.yml", issueForm(request)},
			{".gitea/ISSUE_TEMPLATE/anomaly.yml", issueForm(anomaly)},
			{".gitea/PULL_REQUEST_TEMPLATE.md", changeMarkdown(change)},
		}
	default:
		return []newFile{
			{".github/ISSUE_TEMPLATE/change-request.yml", issueForm(request)},
			{".github/ISSUE_TEMPLATE/anomaly.yml", issueForm(anomaly)},
			{".github/PULL_REQUEST_TEMPLATE.md", changeMarkdown(change)},
		}
	}
}

// issueForm is a form in the YAML that GitHub and Gitea share.
func issueForm(f evidence.Form) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Written by primum policy init. Primum reads the sections by their titles.\nname: %s\ndescription: %s\n", quoted(f.Title), quoted(f.About))
	if f.Prefix != "" {
		fmt.Fprintf(&b, "title: %s\n", quoted(f.Prefix))
	}
	fmt.Fprintf(&b, "labels: [%s]\nbody:\n", strings.Join(each(f.Labels, quoted), ", "))
	for _, d := range f.Fields {
		fmt.Fprintf(&b, "  - type: %s\n    id: %s\n    attributes:\n      label: %s\n      description: %s\n", formType(d.Kind), d.ID, quoted(d.Title), quoted(d.Help))
		switch d.Kind {
		case evidence.Choice:
			fmt.Fprintf(&b, "      options: [%s]\n", strings.Join(each(d.Options, quoted), ", "))
		case evidence.Ticks:
			b.WriteString("      options:\n")
			for _, o := range d.Options {
				fmt.Fprintf(&b, "        - label: %s\n", quoted(o))
			}
		case evidence.Line, evidence.Area:
		}
		if d.Required {
			b.WriteString("    validations:\n      required: true\n")
		}
	}
	return b.String()
}

func formType(k evidence.FieldKind) string {
	switch k {
	case evidence.Line:
		return "input"
	case evidence.Choice:
		return "dropdown"
	case evidence.Ticks:
		return "checkboxes"
	case evidence.Area:
	}
	return "textarea"
}

// issueMarkdown is a form as a Markdown template, with the hidden marker by
// which the policy recognises it and, for GitLab, a quick action that sets the
// label.
func issueMarkdown(f evidence.Form) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- primum:form:%s -->\n", f.ID)
	sections(&b, f)
	for _, l := range f.Labels {
		fmt.Fprintf(&b, "/label ~%q\n", l)
	}
	return b.String()
}

// changeMarkdown is the template of a change's description.
func changeMarkdown(f evidence.Form) string {
	var b strings.Builder
	sections(&b, f)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func sections(b *strings.Builder, f evidence.Form) {
	for _, d := range f.Fields {
		fmt.Fprintf(b, "### %s\n\n<!-- %s", d.Title, d.Help)
		if len(d.Options) > 0 {
			fmt.Fprintf(b, " One of: %s.", strings.Join(d.Options, ", "))
		}
		b.WriteString(" -->\n\n")
	}
}

// quoted is a text in double quotes, as JSON and YAML both read it.
func quoted(s string) string {
	raw, err := json.Marshal(s)
	if err != nil { // a string is always JSON
		return `""`
	}
	return string(raw)
}
