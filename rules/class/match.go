package class

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

// Exclude is the mark before a glob of an item's paths that takes files out
// again: [fw/**, "!fw/**/*.md"].
const Exclude = "!"

// matcher finds the items a path belongs to. Globs are filed under the literal
// directory they begin with, so that a path is held against those of its own
// ancestors only; what an ancestor's globs come to is kept per directory.
type matcher struct {
	globs map[string][]glob // by literal leading directory, "" for the root
	dirs  map[string][]glob // candidates per directory
}

// outside is the owner of globs of files that are not device software.
const outside = -1

type glob struct {
	owner   int // index of the item, or outside
	pattern string
	suffix  string // what every match ends in; "" if anything
	under   bool   // matches all below its literal directory: "fw/**"
	exclude bool
}

func newMatcher() *matcher {
	return &matcher{globs: map[string][]glob{}, dirs: map[string][]glob{}}
}

// add files one glob. A malformed one matches nothing; the parser refuses it.
func (m *matcher) add(owner int, pattern string) {
	g := glob{owner: owner}
	g.pattern, g.exclude = strings.CutPrefix(pattern, Exclude)
	if !doublestar.ValidatePattern(g.pattern) {
		return
	}
	dir := literalDir(g.pattern)
	g.under = g.pattern == "**" || g.pattern == dir+"/**"
	g.suffix = literalEnd(g.pattern)
	m.globs[dir] = append(m.globs[dir], g)
}

// literalEnd is the end of a glob behind its last special sign, without the
// slash that **/name leaves open.
func literalEnd(pattern string) string {
	end := strings.TrimPrefix(pattern[strings.LastIndexAny(pattern, `*?[]{}\`)+1:], "/")
	if !utf8.ValidString(end) || strings.ContainsRune(end, utf8.RuneError) || strings.HasSuffix(end, "/") {
		return "" // where the matcher is lenient there is no quick answer
	}
	return end
}

// literalDir is the longest leading directory of a glob without special signs.
func literalDir(pattern string) string {
	if i := strings.IndexAny(pattern, `*?[{\`); i >= 0 {
		pattern = pattern[:i]
	}
	if i := strings.LastIndexByte(pattern, '/'); i >= 0 {
		return pattern[:i]
	}
	return ""
}

// candidates are the globs that may match a file in dir.
func (m *matcher) candidates(dir string) []glob {
	if found, ok := m.dirs[dir]; ok {
		return found
	}
	var found []glob
	if dir == "" {
		found = m.globs[""]
	} else {
		above := ""
		if i := strings.LastIndexByte(dir, '/'); i >= 0 {
			above = dir[:i]
		}
		found = slices.Concat(m.candidates(above), m.globs[dir])
	}
	m.dirs[dir] = found
	return found
}

// owners appends the items a path belongs to, each once, in order of index, and
// says whether the path is declared to be outside device software.
func (m *matcher) owners(path string, into []int) (items []int, isOutside bool) {
	dir := ""
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir = path[:i]
	}
	globs := m.candidates(dir)
	if at := m.globs[path]; len(at) > 0 {
		// A submodule or symlink is a path where a directory is expected: fw/**
		// matches it too.
		globs = slices.Concat(globs, at)
	}
	items = into[:0]
	excluded := false
	for _, g := range globs {
		if g.exclude {
			excluded = true
			continue
		}
		if g.owner == outside && isOutside || slices.Contains(items, g.owner) {
			continue
		}
		if !g.matches(path) {
			continue
		}
		if g.owner == outside {
			isOutside = true
		} else {
			items = append(items, g.owner)
		}
	}
	if excluded {
		for _, g := range globs {
			if g.exclude && g.matches(path) {
				items = slices.DeleteFunc(items, func(i int) bool { return i == g.owner })
			}
		}
	}
	slices.Sort(items)
	return items, isOutside
}

func (g glob) matches(path string) bool {
	return g.under || strings.HasSuffix(path, g.suffix) && doublestar.MatchUnvalidated(g.pattern, path)
}
