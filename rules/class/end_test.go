package class

import (
	"testing"

	"github.com/bmatcuk/doublestar/v4"
)

// The quick look at the end of a path refuses nothing that the matcher takes.
func TestLiteralEndNeverRefusesAMatch(t *testing.T) {
	t.Parallel()
	patterns := []string{
		"*.md", "**/*.md", "**/name", "a/**", "a/*/b", "{a,b}.c", "*.{c,h}", "a[bc]", "a?", "a/b", "docs/", "**", `a\*b`, "x/**/y.c", "*", "**/",
	}
	paths := []string{
		"a.md", "x/a.md", "name", "x/name", "a", "a/b", "a/x/b", "a.c", "b.c", "x.h", "ab", "docs", "docs/", "a*b", "x/y.c", "x/z/y.c", "y.c", "",
	}
	for _, pattern := range patterns {
		var m matcher
		m.globs = map[string][]glob{}
		m.add(0, pattern)
		for _, filed := range m.globs {
			for _, path := range paths {
				if doublestar.MatchUnvalidated(pattern, path) && !filed[0].matches(path) {
					t.Errorf("%q matches %q and was refused by its end %q", pattern, path, filed[0].suffix)
				}
			}
		}
	}
}
