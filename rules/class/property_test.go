package class_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"pgregory.net/rapid"

	"primum/rules/class"
)

// forest draws any list of items, circles and unknown parents included.
func forest(t *rapid.T) ([]class.System, []class.Item) {
	level := rapid.SampledFrom([]class.Level{"", "A", "B", "C"})
	systems := []class.System{{ID: "x", Own: level.Draw(t, "x")}}
	if rapid.Bool().Draw(t, "two systems") {
		systems = append(systems, class.System{ID: "y", Own: level.Draw(t, "y")})
	}
	n := rapid.IntRange(0, 8).Draw(t, "items")
	items := make([]class.Item, n)
	for i := range items {
		items[i] = class.Item{ID: fmt.Sprint("i", i), Own: level.Draw(t, "own"), Paths: []string{fmt.Sprintf("d%d/**", i)}}
		if p := rapid.IntRange(-2, n).Draw(t, "parent"); p >= 0 {
			items[i].Parent = fmt.Sprint("i", p)
		}
		if rapid.Bool().Draw(t, "held") {
			items[i].Rationale = class.Rationale{Path: "r.md", Valid: rapid.Bool().Draw(t, "valid")}
		}
		if rapid.Bool().Draw(t, "controls") {
			items[i].Controls = []class.Control{{Risk: "R", Class: level.Draw(t, "risk")}}
		}
		if rapid.Bool().Draw(t, "ships") {
			items[i].Systems = []string{rapid.SampledFrom([]string{"x", "y"}).Draw(t, "ships in")}
		}
	}
	return systems, items
}

func TestNoItemFallsBelowWhatItWasRaisedTo(t *testing.T) {
	t.Parallel()
	l := class.Current()
	rapid.Check(t, func(t *rapid.T) {
		systems, items := forest(t)
		tree := class.Derive(l, systems, items)
		for id, r := range tree.Items {
			if l.Rank(r.Effective) < l.Rank(r.Raised) || l.Rank(r.Effective) < l.Rank(r.Item.Own) {
				t.Fatalf("%s is %s below raised %s, own %s", id, r.Effective, r.Raised, r.Item.Own)
			}
			for _, c := range r.Item.Controls {
				if l.Rank(r.Effective) < l.Rank(c.Class) {
					t.Fatalf("%s is %s and controls a risk of %s", id, r.Effective, c.Class)
				}
			}
			if r.Effective == "" || r.Origin == "" {
				t.Fatalf("%s has no class or origin: %+v", id, r)
			}
		}
		for _, s := range tree.Systems {
			if l.Rank(s.Effective) < max(1, l.Rank(s.Own)) {
				t.Fatalf("system %s is %q below %q", s.ID, s.Effective, s.Own)
			}
		}
	})
}

func TestRaisingADeclaredClassLowersNothing(t *testing.T) {
	t.Parallel()
	l := class.Current()
	up := map[class.Level]class.Level{"A": "B", "B": "C", "C": "C"}
	rapid.Check(t, func(t *rapid.T) {
		systems, items := forest(t)
		before := class.Derive(l, systems, items)
		at := rapid.IntRange(0, len(systems)+len(items)-1).Draw(t, "raise")
		systems, items = slices.Clone(systems), slices.Clone(items)
		if at < len(systems) {
			systems[at].Own = up[systems[at].Own]
		} else {
			it := &items[at-len(systems)]
			it.Own = up[it.Own]
		}
		after := class.Derive(l, systems, items)
		for id, r := range before.Items {
			if l.Rank(after.Items[id].Effective) < l.Rank(r.Effective) {
				t.Fatalf("%s fell from %s to %s", id, r.Effective, after.Items[id].Effective)
			}
		}
		for i, s := range before.Systems {
			if l.Rank(after.Systems[i].Effective) < l.Rank(s.Effective) {
				t.Fatalf("system %s fell from %s to %s", s.ID, s.Effective, after.Systems[i].Effective)
			}
		}
	})
}

func TestMorePathsNeverLowerAChange(t *testing.T) {
	t.Parallel()
	l := class.Current()
	path := rapid.SampledFrom([]string{"d0/a", "d1/a", "d2/b/c", "d7/x", "elsewhere/x", "docs/y"})
	rapid.Check(t, func(t *rapid.T) {
		systems, items := forest(t)
		tree := class.Derive(l, systems, items)
		some := append(rapid.SliceOf(path).Draw(t, "some"), "d0/a")
		more := append(slices.Clone(some), rapid.SliceOf(path).Draw(t, "more")...)
		a, b := tree.OfPaths(some, []string{"docs/**"}), tree.OfPaths(more, []string{"docs/**"})
		if l.Rank(b.Class) < l.Rank(a.Class) {
			t.Fatalf("%v is %s, with more paths %s", some, a.Class, b.Class)
		}
	})
}

// TestTheIndexAgreesWithTheMatcher holds the filing of globs by directory to the
// plain question asked of every glob.
func TestTheIndexAgreesWithTheMatcher(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{"a", "b", "*", "**", "a*", "{a,b}", "[ab]", `\a`, "?"})
	name := rapid.SampledFrom([]string{"a", "b", "ab", "c"})
	join := func(parts []string) string {
		s := parts[0]
		for _, p := range parts[1:] {
			s += "/" + p
		}
		return s
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := join(rapid.SliceOfN(part, 1, 4).Draw(t, "pattern"))
		path := join(rapid.SliceOfN(name, 1, 4).Draw(t, "path"))
		tree := class.Derive(class.Current(), pump("A"), []class.Item{{ID: "i", Own: "A", Paths: []string{pattern}}})
		got := len(tree.OfPaths([]string{path}, nil).Unmapped) == 0
		if want := doublestar.MatchUnvalidated(pattern, path); got != want {
			t.Fatalf("%q on %q: %v, want %v", pattern, path, got, want)
		}
	})
}

func FuzzOfPathsNeverPanics(f *testing.F) {
	f.Add("fw/**", "fw/a.c")
	f.Add("!**", "//")
	f.Add("{a,[b", "\x00")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		tree := class.Derive(class.Current(), pump("B"), []class.Item{{ID: "i", Paths: []string{pattern}}})
		if d := tree.OfPaths([]string{path}, []string{pattern}); d.Class == "" || d.Reason == "" {
			t.Errorf("no class or reason: %+v", d)
		}
	})
}
