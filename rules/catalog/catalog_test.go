package catalog_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"primum/rules"
	"primum/rules/catalog"
	"primum/rules/clause"
)

var update = flag.Bool("update", false, "rewrite the golden files and rules/README.md")

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not fresh; run go test ./rules/catalog -update (-want +got):\n%s", name, diff)
	}
}

//go:generate go test -update .

// The reference in the repository is what the rules say of themselves.
func TestReferenceIsFresh(t *testing.T) {
	t.Parallel()
	golden(t, filepath.FromSlash("../README.md"), catalog.Reference(rules.All()))
}

func TestTextIsFresh(t *testing.T) {
	t.Parallel()
	all := rules.All()
	golden(t, "testdata/list.golden", catalog.List(all, catalog.Style{}))
	golden(t, "testdata/coverage.golden", catalog.CoverageText(all, catalog.Style{}))
	quorum, ok := rules.Find("review-quorum")
	if !ok {
		t.Fatal("no rule review-quorum")
	}
	mark := catalog.Style{Width: 60, Bold: func(s string) string { return "<" + s + ">" }, Dim: func(s string) string { return "(" + s + ")" }}
	golden(t, "testdata/explain.golden", catalog.Explain(quorum, mark))
}

func TestEqualRegistriesPrintEqualBytes(t *testing.T) {
	t.Parallel()
	all := func() string {
		raw, err := catalog.JSON(rules.All())
		if err != nil {
			t.Fatal(err)
		}
		return string(raw) + catalog.Reference(rules.All()) + catalog.List(rules.All(), catalog.Style{})
	}
	first := all()
	for range 5 {
		if all() != first {
			t.Fatal("the same registry printed differently")
		}
	}
}

func TestPagesSayWhatTheRuleSays(t *testing.T) {
	t.Parallel()
	for _, r := range rules.All() {
		page, text := catalog.Page(r, 2), catalog.Explain(r, catalog.Style{Width: 100})
		unwrapped := strings.Join(strings.Fields(text), " ")
		for what, s := range map[string]string{"why": r.Why, "fix": r.Fix, "title": strings.TrimSuffix(r.Title, "."), "group": r.Group, "since": r.Since} {
			if !strings.Contains(page, s) {
				t.Errorf("the page of %s lacks its %s", r.ID, what)
			}
		}
		if !strings.Contains(unwrapped, strings.Join(strings.Fields(r.Why), " ")) {
			t.Errorf("explain %s lacks why", r.ID)
		}
		for _, p := range r.Params {
			if !strings.Contains(page, "`"+p.Name+"`") || !strings.Contains(text, p.Name) {
				t.Errorf("parameter %s of %s is not shown", p.Name, r.ID)
			}
		}
		for _, id := range r.Clauses {
			c, ok := clause.Find(id)
			if !ok {
				t.Errorf("%s cites clause %s, which is not in the table", r.ID, id)
			}
			if !strings.Contains(page, c.Title) {
				t.Errorf("the page of %s does not name clause %s", r.ID, id)
			}
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 100 && strings.Count(line, "  ") < 3 {
				t.Errorf("explain %s has a line of %d columns: %s", r.ID, n, line)
			}
		}
	}
}

func TestLinksOfTheReferenceLead(t *testing.T) {
	t.Parallel()
	ref := catalog.Reference(rules.All())
	for _, m := range regexp.MustCompile(`\]\(#([a-z-]+)\)`).FindAllStringSubmatch(ref, -1) {
		if !strings.Contains(ref, "\n### "+m[1]+"\n") {
			t.Errorf("a link leads to %s, which has no heading", m[1])
		}
	}
}

func TestCoverageCountsEachClauseOnce(t *testing.T) {
	t.Parallel()
	all := rules.All()
	cov := catalog.CoverageOf(all)
	if len(cov) != 106 {
		t.Errorf("%d clauses, want the 106 in force", len(cov))
	}
	for _, c := range cov {
		for level, ids := range c.Rules {
			if !c.Clause.Applies(string(level)) {
				t.Errorf("%s is served at %s, where it does not apply", c.Clause.ID, level)
			}
			for _, id := range ids {
				r, ok := rules.Find(id)
				if !ok || r.Defaults[level] == "off" {
					t.Errorf("%s at %s is served by %s, which is not on there", c.Clause.ID, level, id)
				}
			}
		}
		for _, id := range c.Planned {
			if _, ok := rules.Find(id); ok {
				t.Errorf("%s is planned and there", id)
			}
		}
	}
	if got := catalog.CoverageOf(nil)[0]; got.At("C") != catalog.Planned || len(got.Rules) != 0 {
		t.Errorf("without rules 4.1 stands at %s", got.At("C"))
	}
	find := func(id string) catalog.Coverage {
		i := slices.IndexFunc(cov, func(c catalog.Coverage) bool { return c.Clause.ID == id })
		return cov[i]
	}
	for _, test := range []struct {
		clause string
		want   string
	}{{"8.2.1", "rule/rule/rule"}, {"5.4.2", "none/none/planned"}, {"5.8.2", "planned/planned/planned"}} {
		c := find(test.clause)
		if got := fmt.Sprintf("%s/%s/%s", c.At("A"), c.At("B"), c.At("C")); got != test.want {
			t.Errorf("%s stands at %s, want %s", test.clause, got, test.want)
		}
	}
}

func TestJSONHoldsEveryRule(t *testing.T) {
	t.Parallel()
	raw, err := catalog.JSON(rules.All())
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema string
		Rules  []struct {
			ID      string
			Shipped map[string]map[string]any
		}
		Coverage []struct{ Clause struct{ ID string } }
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != catalog.Schema || len(got.Rules) != len(rules.All()) || len(got.Coverage) == 0 {
		t.Errorf("schema %q, %d rules, %d clauses", got.Schema, len(got.Rules), len(got.Coverage))
	}
	for i, r := range rules.All() {
		for level, e := range r.Defaults {
			if got.Rules[i].ID != r.ID || got.Rules[i].Shipped[string(level)]["enforcement"] != string(e) {
				t.Errorf("rule %s at %s is %v", r.ID, level, got.Rules[i])
			}
		}
	}
}
