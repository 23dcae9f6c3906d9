package clause

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "rewrite table.go")

//go:generate go test -run TestTableIsFresh -update .

// row is one clause as clauses.yaml has it.
type row struct {
	ID          string     `yaml:"id"`
	Title       string     `yaml:"title"`
	Area        string     `yaml:"area"`
	Status      string     `yaml:"status"`
	Classes     []string   `yaml:"classes"`
	Classes2006 []string   `yaml:"classes_2006"`
	A1Change    string     `yaml:"a1_change"`
	Automation  Automation `yaml:"automation"`
	Rules       []string   `yaml:"rules"`
	Note        string     `yaml:"note"`
}

func rows(t *testing.T) []row {
	t.Helper()
	src, err := os.ReadFile("clauses.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Schema   string `yaml:"schema"`
		Standard string `yaml:"standard"`
		Edition  string `yaml:"edition"`
		Clauses  []row  `yaml:"clauses"`
	}
	if err := yaml.Load(src, &file, yaml.WithKnownFields(true), yaml.WithUniqueKeys(true)); err != nil {
		t.Fatal(err)
	}
	if file.Schema != "primum.clauses/v1" || file.Standard+":"+strings.Replace(file.Edition, "AMD", "A", 1) != Edition {
		t.Fatalf("clauses.yaml is of %q, %s %s", file.Schema, file.Standard, file.Edition)
	}
	return file.Clauses
}

func TestTableIsFresh(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString("// Code generated from clauses.yaml by go generate; DO NOT EDIT.\n\npackage clause\n\n")
	b.WriteString("func table() []Clause {\nreturn []Clause{\n")
	for _, r := range rows(t) {
		fmt.Fprintf(&b, "{ID: %q, Title: %q, Area: %q, ", r.ID, r.Title, r.Area)
		if r.Status == "deleted" {
			b.WriteString("Deleted: true, ")
		}
		list := func(name string, values []string) {
			if len(values) > 0 {
				fmt.Fprintf(&b, "%s: %#v, ", name, values)
			}
		}
		list("Classes", r.Classes)
		list("Classes2006", r.Classes2006)
		if r.A1Change != "" {
			fmt.Fprintf(&b, "Amended: %q, ", r.A1Change)
		}
		fmt.Fprintf(&b, "Automation: %q, ", r.Automation)
		list("Rules", r.Rules)
		if r.Note != "" {
			fmt.Fprintf(&b, "Note: %q, ", r.Note)
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n}\n")
	want, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("table.go", want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("table.go")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("table.go is not what clauses.yaml gives; run go generate ./rules/clause (-want +got):\n%s", diff)
	}
}

func TestRowsAreWellFormed(t *testing.T) {
	t.Parallel()
	last := ""
	for _, r := range rows(t) {
		if last != "" && Compare(last, r.ID) >= 0 {
			t.Errorf("%s comes after %s", r.ID, last)
		}
		last = r.ID
		if r.Title == "" || r.Area == "" || !slices.Contains([]Automation{Check, Record, Assist, None}, r.Automation) {
			t.Errorf("%s is incomplete: %+v", r.ID, r)
		}
		for _, classes := range [][]string{r.Classes, r.Classes2006} {
			if len(classes) > 0 && !slices.Contains([]string{"A,B,C", "B,C", "C"}, strings.Join(classes, ",")) {
				t.Errorf("%s applies to %v; a clause for a class applies to stricter ones", r.ID, classes)
			}
		}
		if deleted := r.Status == "deleted"; deleted != (len(r.Classes) == 0) || !deleted && r.Status != "active" {
			t.Errorf("%s is %s and applies to %v", r.ID, r.Status, r.Classes)
		}
	}
}

// Class A gained these clauses with Amendment 1 and lost none.
func TestWhatAmendment1BroughtToClassA(t *testing.T) {
	t.Parallel()
	var gained, gone, added []string
	for _, c := range All() {
		was := slices.Contains(c.Classes2006, "A")
		switch {
		case c.Deleted:
			gone = append(gone, c.ID)
		case len(c.Classes2006) == 0:
			added = append(added, c.ID)
		case c.Applies("A") && !was:
			gained = append(gained, c.ID)
		case was && !c.Applies("A"):
			t.Errorf("class A lost %s", c.ID)
		}
	}
	for _, d := range []struct {
		what      string
		got, want []string
	}{
		{"gained", gained, []string{"5.7.1", "5.7.2", "5.7.3", "5.7.4", "5.7.5", "5.8.1", "5.8.2", "5.8.7", "5.8.8", "6.2.3"}},
		{"new", added, []string{"4.4.1", "4.4.2", "4.4.3", "4.4.4", "4.4.5", "5.1.12"}},
		{"deleted", gone, []string{"4.3.b", "7.1.5", "7.3.2"}},
	} {
		if diff := cmp.Diff(d.want, d.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", d.what, diff)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"8.2.1": "8.2.1", "4.3 d": "4.3.d", "4.3.d": "4.3.d", "4.3": "4.3", "7.2.2 b": "7.2.2", "6.2.1.1": "6.2.1.1",
		"4.3 z": "", "9.9": "", "": "", "7.2.2 bb": "", "x b": "",
	} {
		c, ok := Find(id)
		if c.ID != want || ok != (want != "") {
			t.Errorf("Find(%q) is %q, %v; want %q", id, c.ID, ok, want)
		}
	}
	if n := len(All()); n != 109 {
		t.Errorf("%d clauses", n)
	}
	if c, _ := Find("5.4.2"); c.Applies("B") || !c.Applies("C") || c.Applies("") {
		t.Errorf("5.4.2 applies to %v", c.Classes)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	ids := []string{"8.2.1", "5.10", "5.2", "4.3.b", "4.3", "4.3 a", "5.1.12", "5.1.2"}
	slices.SortFunc(ids, Compare)
	if diff := cmp.Diff([]string{"4.3", "4.3 a", "4.3.b", "5.1.2", "5.1.12", "5.2", "5.10", "8.2.1"}, ids); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
