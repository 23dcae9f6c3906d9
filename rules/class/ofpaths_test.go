package class_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules/class"
)

func TestPathsFindTheirItems(t *testing.T) {
	t.Parallel()
	tree := class.Derive(class.Current(), pump("C"), []class.Item{
		{ID: "fw", Paths: []string{"fw/**", "!fw/**/*.md"}},
		{ID: "log", Parent: "fw", Own: "A", Paths: []string{"fw/log/**"}, Rationale: held("docs/log.md")},
		{ID: "ui", Own: "B", Paths: []string{"ui/**", "**/*.{qml,ui}"}, Rationale: held("docs/ui.md")},
		{ID: "tool", Own: "A", Paths: []string{"tool.go", "cmd/*/main.go"}, Rationale: held("docs/tool.md")},
	})
	outside := []string{"docs/**", "**/*.md", "fw/boot/**"}
	tests := []struct {
		name  string
		paths []string
		want  class.Derivation
	}{
		{
			name:  "the deepest item wins and is no double mapping",
			paths: []string{"fw/log/a.c"},
			want: class.Derivation{
				Class: "A", Deciding: []class.PathClass{{Path: "fw/log/a.c", Item: "log", Class: "A"}},
				Groups: []class.Group{{Item: "log", Class: "A", Paths: 1, Why: "held at A by docs/log.md"}},
				Reason: "Class A: `fw/log/a.c` belongs to log, which is held at A by docs/log.md",
			},
		},
		{
			name:  "of two unrelated items the higher counts",
			paths: []string{"fw/panel.qml"},
			want: class.Derivation{
				Class: "C", Deciding: []class.PathClass{{Path: "fw/panel.qml", Item: "fw", Also: []string{"ui"}, Class: "C"}},
				Double: []class.PathClass{{Path: "fw/panel.qml", Item: "fw", Also: []string{"ui"}, Class: "C"}},
				Groups: []class.Group{{Item: "fw", Class: "C", Paths: 1, Why: "inherits C from pump"}},
				Reason: "Class C: `fw/panel.qml` belongs to fw, which inherits C from pump",
			},
		},
		{
			name:  "an item counts before outside",
			paths: []string{"fw/boot/start.s"},
			want: class.Derivation{
				Class: "C", Deciding: []class.PathClass{{Path: "fw/boot/start.s", Item: "fw", Class: "C"}},
				Groups: []class.Group{{Item: "fw", Class: "C", Paths: 1, Why: "inherits C from pump"}},
				Reason: "Class C: `fw/boot/start.s` belongs to fw, which inherits C from pump",
			},
		},
		{
			name:  "what an item excludes can be outside",
			paths: []string{"fw/readme.md", "docs/a/b.txt"},
			want:  class.Derivation{Class: "C", Outside: 2, OnlyOutside: true, Reason: "No device software is touched"},
		},
		{
			name:  "globs match whole paths: one star stays within a directory, a literal matches itself",
			paths: []string{"cmd/x/main.go", "tool.go", "cmd/x/y/main.go", "a/tool.go", "tool.go.bak"},
			want: class.Derivation{
				Class: "C",
				Deciding: []class.PathClass{
					{Path: "a/tool.go", Class: "C"},
					{Path: "cmd/x/y/main.go", Class: "C"},
					{Path: "tool.go.bak", Class: "C"},
				},
				Unmapped: []string{"a/tool.go", "cmd/x/y/main.go", "tool.go.bak"},
				Groups: []class.Group{
					{Class: "C", Paths: 3, Why: "not mapped to an item, counts as C"},
					{Item: "tool", Class: "A", Paths: 2, Why: "held at A by docs/tool.md"},
				},
				Reason: "Class C: `a/tool.go` is not mapped to an item, and what is not mapped counts as C",
			},
		},
		{
			name:  "repeated paths count once, a mapped path speaks before an unmapped one",
			paths: []string{"new.c", "fw/z.c", "fw/z.c", "ui/a.c"},
			want: class.Derivation{
				Class:    "C",
				Deciding: []class.PathClass{{Path: "fw/z.c", Item: "fw", Class: "C"}, {Path: "new.c", Class: "C"}},
				Unmapped: []string{"new.c"},
				Groups: []class.Group{
					{Class: "C", Paths: 1, Why: "not mapped to an item, counts as C"},
					{Item: "fw", Class: "C", Paths: 1, Why: "inherits C from pump"},
					{Item: "ui", Class: "B", Paths: 1, Why: "held at B by docs/ui.md"},
				},
				Mixed:  true,
				Reason: "Class C: `fw/z.c` belongs to fw, which inherits C from pump",
			},
		},
		{
			name: "no path at all",
			want: class.Derivation{Class: "C", Reason: "No file is touched"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.want.Scheme = "iec62304-1.1"
			if diff := cmp.Diff(tt.want, tree.OfPaths(tt.paths, outside)); diff != "" {
				t.Errorf("derivation (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithoutAMapTheRepositoryIsTheSystem(t *testing.T) {
	t.Parallel()
	d := class.Derive(class.Current(), pump("B"), nil).OfPaths([]string{"src/a.c"}, nil)
	want := class.Derivation{
		Scheme: "iec62304-1.1", Class: "B",
		Deciding: []class.PathClass{{Path: "src/a.c", Item: "pump", Class: "B"}},
		Groups:   []class.Group{{Item: "pump", Class: "B", Paths: 1, Why: "declared B"}},
		Reason:   "Class B: `src/a.c` belongs to pump, declared B",
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("derivation (-want +got):\n%s", diff)
	}
	d = class.Derive(class.Current(), pump(""), nil).OfPaths([]string{"src/a.c"}, nil)
	if want := "Class C: `src/a.c` belongs to pump, to which nothing gives a class, so C counts"; d.Reason != want {
		t.Errorf("reason %q, want %q", d.Reason, want)
	}
}

func TestHostilePathsStayInsideTheSentence(t *testing.T) {
	t.Parallel()
	tree := class.Derive(class.Current(), pump("A"), nil)
	for path, want := range map[string]string{
		"a`b\n@team/x":           "`a'b\uFFFD@team/x`",
		"\xff\x1b[31m":           "`\uFFFD\uFFFD[31m`",
		strings.Repeat("x", 300): "`…" + strings.Repeat("x", 119) + "`",
		"a\u202eb":               "`a\uFFFDb`",
	} {
		if d := tree.OfPaths([]string{path}, nil); !strings.Contains(d.Reason, want) {
			t.Errorf("reason %q does not show %q", d.Reason, want)
		}
	}
}

func TestDecidingPathsAreBounded(t *testing.T) {
	t.Parallel()
	d := wide().OfPaths(many(1000), nil)
	if len(d.Deciding) != 20 {
		t.Errorf("%d deciding paths, want 20", len(d.Deciding))
	}
	sum := d.Outside
	for _, g := range d.Groups {
		sum += g.Paths
	}
	if sum != 1000 {
		t.Errorf("groups count %d paths, want 1000", sum)
	}
}

// wide is a tree of 200 items with two globs each.
func wide() class.Tree {
	var items []class.Item
	for i := range 200 {
		items = append(items, class.Item{
			ID: fmt.Sprintf("item-%03d", i), Own: "C",
			Paths: []string{fmt.Sprintf("src/mod%03d/**", i), fmt.Sprintf("include/**/mod%03d_*.h", i)},
		})
	}
	return class.Derive(class.Current(), pump("C"), items)
}

func many(n int) []string {
	paths := make([]string, n)
	for i := range paths {
		if i%10 == 0 {
			paths[i] = fmt.Sprintf("include/api/mod%03d_%d.h", i%210, i)
			continue
		}
		paths[i] = fmt.Sprintf("src/mod%03d/d%d/file%d.c", i%210, i%17, i)
	}
	return paths
}

func BenchmarkOfPaths(b *testing.B) {
	tree := wide()
	for _, n := range []int{100, 10_000} {
		paths := many(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				tree.OfPaths(paths, []string{"docs/**", "**/*.md"})
			}
		})
	}
}

func BenchmarkDerive(b *testing.B) {
	var items []class.Item
	for i := range 5000 {
		it := class.Item{ID: fmt.Sprint("i", i)}
		if i > 0 {
			it.Parent = fmt.Sprint("i", i/2)
		}
		items = append(items, it)
	}
	for b.Loop() {
		class.Derive(class.Current(), pump("C"), items)
	}
}
