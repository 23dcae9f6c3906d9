package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules"
	"primum/rules/catalog"
)

//go:generate go test -run TestManualIsFresh|TestReadmeShowsTheRules -update .

// The README's table of rules is the registry's.
func TestReadmeShowsTheRules(t *testing.T) {
	t.Parallel()
	path := filepath.Join(root(t), "README.md")
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(src), "<!-- rules:begin")
	mark, rest, closed := strings.Cut(rest, "-->\n")
	_, after, ends := strings.Cut(rest, "<!-- rules:end -->")
	if !begins || !closed || !ends {
		t.Fatal("README.md has no place for the rules between <!-- rules:begin --> and <!-- rules:end -->")
	}
	want := before + "<!-- rules:begin" + mark + "-->\n" + catalog.Table(rules.All(), "rules/README.md") + "<!-- rules:end -->" + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(src)); diff != "" {
		t.Errorf("the rules in README.md are not fresh; run go generate ./cmd/primum (-want +got):\n%s", diff)
	}
}
