package rules

import (
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

// glob is a pattern with what can be told cheaply: most paths are refused by
// their beginning or end before the matcher proper is asked.
type glob struct {
	pattern        string
	prefix, suffix string
	// middle is set for **/name/** with a literal name: the path has a folder
	// of that name.
	middle string
	// name is set for **/start*end: the last part of the path begins and ends so.
	name       bool
	start, end string
	exact      bool // nothing special in it
	below      bool // prefix/** : all that begins with prefix
}

// globs are patterns sorted by the last byte of what they match, which most
// patterns fix: of dozens, a path is held against the few that end as it does.
type globs struct {
	open []glob      // may end in anything
	ends [256][]glob // by the last byte
}

func compile(patterns []string) *globs {
	out := &globs{}
	for _, p := range patterns {
		if !doublestar.ValidatePattern(p) {
			continue // the parser refuses it; here it matches nothing
		}
		if strings.IndexByte(p, '{') < 0 {
			out.add(newGlob(p))
			continue
		}
		for _, one := range expand(p) {
			out.add(newGlob(one))
		}
	}
	return out
}

func (gs *globs) add(g glob) {
	end := g.suffix
	if g.exact {
		end = g.pattern
	}
	if end == "" {
		gs.open = append(gs.open, g)
		return
	}
	at := end[len(end)-1]
	gs.ends[at] = append(gs.ends[at], g)
}

// expand writes out the alternatives of a pattern, {c,cc} as two patterns, so
// that each has a plain end. Where they are nested or escaped it stays whole.
func expand(p string) []string {
	open, end := strings.IndexByte(p, '{'), strings.IndexByte(p, '}')
	if open < 0 || end < open || strings.ContainsAny(p, `\[`) || strings.Count(p, "{") > 2 ||
		strings.IndexByte(p[open+1:end], '{') >= 0 {
		return []string{p}
	}
	var out []string
	for alt := range strings.SplitSeq(p[open+1:end], ",") {
		out = append(out, expand(p[:open]+alt+p[end+1:])...)
	}
	return out
}

const special = `*?[]{}\!`

func newGlob(p string) glob {
	g := glob{pattern: p}
	if !utf8.ValidString(p) || strings.ContainsRune(p, utf8.RuneError) {
		return g // the library takes all bytes that are no text for equal
	}
	first := strings.IndexAny(p, special)
	if first < 0 {
		g.exact = true
		return g
	}
	last := strings.LastIndexAny(p, special)
	g.prefix, g.suffix = p[:first], p[last+1:]
	if strings.HasSuffix(p, "/") { // the library is lenient here; no quick answer
		g.prefix, g.suffix = strings.TrimRight(g.prefix, "/"), ""
		return g
	}
	if g.prefix != "" && p == g.prefix+"**" && strings.HasSuffix(g.prefix, "/") {
		g.below = true
	}
	if rest, ok := strings.CutPrefix(p, "**/"); ok {
		if name, ok := strings.CutSuffix(rest, "/**"); ok && name != "" && !strings.ContainsAny(name, special) {
			g.middle = name + "/"
		}
		if !strings.ContainsAny(rest, special) {
			g.suffix = rest // **/name matches name as well as a/name
		}
		start, end, star := strings.Cut(rest, "*")
		if star && !strings.Contains(rest, "/") && !strings.ContainsAny(start+end, special) {
			g.name, g.start, g.end = true, start, end
		}
	}
	return g
}

func (g *glob) match(path string) bool {
	switch {
	case g.exact:
		return path == g.pattern
	case len(path) < len(g.suffix) || !strings.HasSuffix(path, g.suffix):
		return false
	case g.below:
		return g.prefixed(path)
	case g.middle != "":
		return inFolder(path, g.middle)
	case g.name && !strings.HasSuffix(path, "/"):
		base := path[strings.LastIndexByte(path, '/')+1:]
		return len(base) >= len(g.start)+len(g.end) && strings.HasPrefix(base, g.start) && strings.HasSuffix(base, g.end)
	case !g.prefixed(path):
		return false
	}
	return doublestar.MatchUnvalidated(g.pattern, path)
}

// inFolder reports whether name/ (or a last name) is a part of the path.
func inFolder(path, name string) bool {
	bare := name[:len(name)-1]
	if strings.HasSuffix(path, bare) && (len(path) == len(bare) || path[len(path)-len(bare)-1] == '/') {
		return true
	}
	for at := 0; ; {
		i := strings.Index(path[at:], name)
		if i < 0 {
			return false
		}
		at += i
		if at == 0 || path[at-1] == '/' {
			return true
		}
		at++
	}
}

// prefixed compares the beginning. A pattern such as docs/** also matches docs
// itself, so a prefix may lack its last slash.
func (g *glob) prefixed(path string) bool {
	return strings.HasPrefix(path, g.prefix) || strings.HasSuffix(g.prefix, "/") && path == g.prefix[:len(g.prefix)-1]
}

func (gs *globs) match(path string) bool {
	for i := range gs.open {
		if gs.open[i].match(path) {
			return true
		}
	}
	if path == "" {
		return false
	}
	ends := gs.ends[path[len(path)-1]]
	for i := range ends {
		if ends[i].match(path) {
			return true
		}
	}
	return false
}
