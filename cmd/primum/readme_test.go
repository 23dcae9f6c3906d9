package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/bot/config"
	"primum/rules"
	"primum/rules/catalog"
)

//go:generate go test -run TestManualIsFresh|TestReadmeShowsTheTables|TestForgesReadmeIsFresh -update .

// The README's tables of rules, forges and settings are those of the program.
func TestReadmeShowsTheTables(t *testing.T) {
	t.Parallel()
	path := filepath.Join(root(t), "README.md")
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := between(t, string(src), "rules", catalog.Table(rules.All(), "rules/README.md"))
	want = between(t, want, "forges", forgesTable(forgeColumns()))
	want = between(t, want, "settings", config.Markdown())
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(src)); diff != "" {
		t.Errorf("the tables in README.md are not fresh; run go generate ./cmd/primum (-want +got):\n%s", diff)
	}
}

// The page forges/README.md, which the README links to, is what "primum forges --format markdown" prints.
func TestForgesReadmeIsFresh(t *testing.T) {
	t.Parallel()
	path := filepath.Join(root(t), "forges", "README.md")
	want := printForges(t, "markdown")
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("forges/README.md is not fresh; run go generate ./cmd/primum (-want +got):\n%s", diff)
	}
}

// between puts a table where the comments "name:begin" and "name:end" stand.
func between(t *testing.T, src, name, table string) string {
	t.Helper()
	before, rest, begins := strings.Cut(src, "<!-- "+name+":begin")
	mark, rest, closed := strings.Cut(rest, "-->\n")
	_, after, ends := strings.Cut(rest, "<!-- "+name+":end -->")
	if !begins || !closed || !ends {
		t.Fatalf("README.md has no place for the %s between <!-- %s:begin --> and <!-- %s:end -->", name, name, name)
	}
	return before + "<!-- " + name + ":begin" + mark + "-->\n" + table + "<!-- " + name + ":end -->" + after
}
