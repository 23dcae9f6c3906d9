package evidence

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules/fact"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each testdata/*.md is one text; beside it stands what was found in it, read
// as the description of a change.
func TestTexts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.md")
	if err != nil || len(files) < 5 {
		t.Fatalf("texts: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			e := Read(change(string(src)))
			type answer struct {
				Field string
				Text  string
				Ticks []Tick `json:",omitempty"`
			}
			var found []answer
			for _, form := range Forms() {
				for _, field := range form.Fields {
					if s, ok := e.Description.Find(form.ID + "/" + field.ID); ok {
						found = append(found, answer{form.ID + "/" + field.ID, s.Text, s.Ticks})
					}
				}
			}
			var out bytes.Buffer
			enc := json.NewEncoder(&out)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(struct {
				Document Document
				Fields   []answer
				Links    []fact.Link
				Trailers []Trailer
			}{e.Description, found, e.Links, e.Trailers}); err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".md") + ".golden"
			if *update {
				if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, md string
		want     []Section
	}{
		{"a field of an issue form", "### Reason\n\nThe pump stalls.\n\nOften.\n", []Section{{Title: "Reason", Key: "reason", Text: "The pump stalls.\n\nOften.", Line: 1}}},
		{"left empty by the form", "### Reason\n\n_No response_\n\n### Kind of change\n\n*No response*", []Section{
			{Title: "Reason", Key: "reason", Line: 1}, {Title: "Kind of change", Key: "kind-of-change", Line: 5},
		}},
		{"only the template's comment", "### Reason\n<!-- why? -->\n", []Section{{Title: "Reason", Key: "reason", Line: 1}}},
		{"an answer behind the comment", "### Reason\n<!-- why? --> it stalls\n", []Section{{Title: "Reason", Key: "reason", Text: "it stalls", Line: 1}}},
		{"an answer with a comment in it", "### Reason\nit <!-- sometimes --> stalls\n", []Section{{Title: "Reason", Key: "reason", Text: "it  stalls", Line: 1}}},
		{"quotations are not text", "### Reason\n> because\n\nyes\n", []Section{{Title: "Reason", Key: "reason", Text: "yes", Line: 1}}},
		{"markup is not text, code is", "# Reason\n**It** [stalls](x) `rate` \\* &amp; ~~never~~\n\n```\nlog\n```\n- a\n- b\n", []Section{
			{Title: "Reason", Key: "reason", Text: "It stalls rate * & \n\nlog\n\na\nb", Line: 1},
		}},
		{"a section reaches over lower headings", "## A\nx\n#### B\ny\n## C\nz", []Section{
			{Title: "A", Key: "a", Text: "x\n\ny", Line: 1}, {Title: "B", Key: "b", Text: "y", Line: 3}, {Title: "C", Key: "c", Text: "z", Line: 5},
		}},
		{"setext headings", "Reason\n------\nx", []Section{{Title: "Reason", Key: "reason", Text: "x", Line: 1}}},
		{"headings in code are none", "```\n# Reason\n```\n", nil},
		{"CRLF", "### Reason\r\n\r\nx\r\ny\r\n### Kind\r\nz", []Section{{Title: "Reason", Key: "reason", Text: "x\ny", Line: 1}, {Title: "Kind", Key: "kind", Text: "z", Line: 5}}},
		{"bold labels", "Words.\n\n**Reason:** it stalls\n**Kind of change**: corrective\n\nand more\n\n**bold** words: no label\n## Next\nx", []Section{
			{Title: "Reason", Key: "reason", Text: "it stalls", Line: 3},
			{Title: "Kind of change", Key: "kind-of-change", Text: "corrective\n\nand more\n\nbold words: no label", Line: 4},
			{Title: "Next", Key: "next", Text: "x", Line: 9},
		}},
		{"a bold label left empty", "**Reason:** _No response_", []Section{{Title: "Reason", Key: "reason", Line: 1}}},
		{"ticks, of which only the chosen are text", "### Kind\n- [x] corrective\n- [ ] adaptive\n", []Section{
			{Title: "Kind", Key: "kind", Text: "corrective", Line: 1, Ticks: []Tick{{"corrective", true}, {"adaptive", false}}},
		}},
		{"titles as people write them", "### 1. Effect on the organisation, “if any”?\nx", []Section{
			{Title: "1. Effect on the organisation, “if any”?", Key: "1-effect-on-the-organisation-if-any", Text: "x", Line: 1},
		}},
		{"an empty heading", "###\nx", []Section{{Text: "x", Line: 1}}},
		{"no text", "  \n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := ParseDocument(test.md).Sections
			for i := range got { // blank lines between blocks are a matter of taste
				for strings.Contains(got[i].Text, "\n\n\n") {
					got[i].Text = strings.ReplaceAll(got[i].Text, "\n\n\n", "\n\n")
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("sections (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMarkerOfTheForm(t *testing.T) {
	t.Parallel()
	for md, want := range map[string]string{
		"<!-- primum:form:anomaly -->\n### Cause":              "anomaly",
		"text <!-- primum:form:change-request --> text":        "change-request",
		"<!--primum:form:anomaly-->":                           "anomaly",
		"<!-- primum:form:a -->\n<!-- primum:form:b -->":       "a",
		"`<!-- primum:form:anomaly -->`":                       "",
		"```\n<!-- primum:form:anomaly -->\n```":               "",
		"> <!-- primum:form:anomaly -->":                       "",
		"<!-- primum:form:<script> -->":                        "",
		"<!-- primum:form: -->":                                "",
		"primum:form:anomaly":                                  "",
		"<!--\nprimum:form:anomaly\n-->":                       "anomaly",
		"<!-- primum:form:" + strings.Repeat("a", 65) + " -->": "",
	} {
		if got := ParseDocument(md).Form; got != want {
			t.Errorf("form of %q is %q, want %q", md, got, want)
		}
	}
}

func TestFindTakesTheAnswerThatIsThere(t *testing.T) {
	t.Parallel()
	const both = "### Affected items\n\n_No response_\n\n### Items involved\n\ndosing\n\n### Released\n\nyes\n"
	for _, test := range []struct{ name, md, field, want string }{
		{"the form with an answer", both, "items", "dosing"},
		{"a form by name", both, "change-request/items", ""},
		{"the document's own form first", "<!-- primum:form:anomaly -->\n### Items involved\na\n### Affected items\nb", "items", "a"},
		{"change-request first otherwise", "### Items involved\na\n### Effect on released versions\nb\n### Released\nc", "released", "b"},
		{"the second section if the first is empty", "### Reason\n\n### Reason\nx", "reason", "x"},
		{"a bold label before an empty heading", "**Reason:** label\n\n### Reason\n", "reason", "label"},
		{"an alias", "## Why\nx", "reason", "x"},
		{"a risk question however it goes on", "### Risk 3 - anything here\nno", "risk-3", "no"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, ok := ParseDocument(test.md).Find(test.field)
			if !ok || s.Text != test.want {
				t.Errorf("%s is %q, %v; want %q", test.field, s.Text, ok, test.want)
			}
		})
	}
	if s, ok := ParseDocument(both).Find("cause"); ok {
		t.Errorf("a missing field is found: %+v", s)
	}
	if s, ok := ParseDocument(both).Find("no-such-field"); ok {
		t.Errorf("a field no form has is found: %+v", s)
	}
}

func TestFormsAreUnambiguous(t *testing.T) {
	t.Parallel()
	for _, f := range Forms() {
		seen := map[string]string{}
		for _, d := range f.Fields {
			for _, title := range append([]string{d.Title, d.ID}, d.Aliases...) {
				if was, dup := seen[key(title)]; dup && was != d.ID {
					t.Errorf("form %s: %q means both %s and %s", f.ID, title, was, d.ID)
				}
				seen[key(title)] = d.ID
			}
			md := "### " + d.Title + "\n\nx"
			if s, ok := ParseDocument(md).Find(f.ID + "/" + d.ID); !ok || s.Text != "x" {
				t.Errorf("form %s: %q is not found by %s", f.ID, d.Title, d.ID)
			}
			if !strings.HasSuffix(d.Help, ".") || len(d.Clauses) == 0 {
				t.Errorf("form %s: field %s needs help text and clauses", f.ID, d.ID)
			}
			if (d.Kind == Choice || d.Kind == Ticks) != (len(d.Options) > 0) {
				t.Errorf("form %s: field %s is a %s with %d options", f.ID, d.ID, d.Kind, len(d.Options))
			}
		}
	}
}
