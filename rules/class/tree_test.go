package class_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules/class"
)

func TestViolationsNameWhatMustRise(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		systems []class.System
		items   []class.Item
		want    []class.Violation
	}{
		{
			name:    "every declared ancestor below its part is listed, nearest first",
			systems: pump("A"),
			items: []class.Item{
				{ID: "fw", Own: "B"},
				{ID: "drivers", Parent: "fw"},
				{ID: "motor", Parent: "drivers", Own: "C"},
			},
			want: []class.Violation{
				{Kind: class.ParentTooLow, Item: "fw", Declared: "B", Needed: "B", Raise: []string{"pump"}, Detail: "fw is B, so what it is a part of is too"},
				{Kind: class.ParentTooLow, Item: "motor", Declared: "C", Needed: "C", Raise: []string{"fw", "pump"}, Detail: "motor is C, so what it is a part of is too"},
			},
		},
		{
			name:    "a part below its parent without a rationale",
			systems: pump("C"),
			items:   []class.Item{{ID: "ui", Own: "A"}},
			want:    []class.Violation{{Kind: class.NeedsRationale, Item: "ui", Declared: "A", Needed: "C", Detail: "no rationale is named"}},
		},
		{
			name:    "a rationale does not excuse a part above its system",
			systems: pump("A"),
			items:   []class.Item{{ID: "dose", Own: "C", Rationale: held("docs/dose.md")}},
			want:    []class.Violation{{Kind: class.ParentTooLow, Item: "dose", Declared: "C", Needed: "C", Raise: []string{"pump"}, Detail: "dose is C, so what it is a part of is too"}},
		},
		{
			name:    "an undeclared part that controls a risk raises what it is a part of",
			systems: pump("B"),
			items:   []class.Item{{ID: "watchdog", Controls: []class.Control{{Risk: "HZ-1", Class: "A"}, {Risk: "HZ-3", Class: "C"}}}},
			want:    []class.Violation{{Kind: class.ParentTooLow, Item: "watchdog", Needed: "C", Raise: []string{"pump"}, Detail: "watchdog is C, so what it is a part of is too"}},
		},
		{
			name:    "a risk that is controlled too low names itself and the ancestors",
			systems: pump("B"),
			items:   []class.Item{{ID: "watchdog", Own: "B", Controls: []class.Control{{Risk: "HZ-3", Class: "C"}, {Risk: "HZ-4", Class: "C"}}}},
			want:    []class.Violation{{Kind: class.BelowRisk, Item: "watchdog", Declared: "B", Needed: "C", Raise: []string{"pump"}, Detail: "controls HZ-3, HZ-4, whose class is C"}},
		},
		{
			name:    "nothing in the system has a class",
			systems: pump(""),
			items:   []class.Item{{ID: "ui"}},
			want:    []class.Violation{{Kind: class.NoClass, Item: "pump", Needed: "C", Detail: "nothing in pump has a class, so C counts"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := class.Derive(class.Current(), tt.systems, tt.items).Violations
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryItemSaysWhereItsClassCameFrom(t *testing.T) {
	t.Parallel()
	tree := class.Derive(class.Current(), pump("C"), []class.Item{
		{ID: "own", Own: "C"},
		{ID: "parent"},
		{ID: "held", Own: "A", Rationale: held("docs/held.md")},
		{ID: "inner", Parent: "held"},
		{ID: "shell", Own: "A", Rationale: held("docs/shell.md")},
		{ID: "core", Parent: "shell", Own: "B"},
		{ID: "box"},
		{ID: "part", Parent: "box", Own: "C"},
		{ID: "guard", Controls: []class.Control{{Risk: "HZ-3", Class: "C"}}},
	})
	want := map[string]class.Result{
		"own":    {Raised: "C", Effective: "C", Origin: class.FromOwn},
		"parent": {Raised: "C", Effective: "C", Origin: class.FromParent, From: "pump"},
		"held":   {Raised: "A", Effective: "A", Origin: class.FromRationale, From: "docs/held.md"},
		"inner":  {Raised: "A", Effective: "A", Origin: class.FromParent, From: "held"},
		"shell":  {Raised: "B", Effective: "B", Origin: class.FromRationale, From: "docs/shell.md"},
		"core":   {Raised: "B", Effective: "B", Origin: class.FromOwn},
		"box":    {Raised: "C", Effective: "C", Origin: class.FromChild, From: "part"},
		"part":   {Raised: "C", Effective: "C", Origin: class.FromOwn},
		"guard":  {Raised: "C", Effective: "C", Origin: class.FromRisk, From: "HZ-3"},
	}
	for id, w := range want {
		got := tree.Items[id]
		got.Item = class.Item{}
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

func TestASystemSaysWhichItemRaisedIt(t *testing.T) {
	t.Parallel()
	tree := class.Derive(class.Current(), pump("A"), []class.Item{
		{ID: "fw"}, {ID: "motor", Parent: "fw", Own: "C"}, {ID: "ui", Own: "B"},
	})
	want := []class.SystemClass{{ID: "pump", Own: "A", Effective: "C", RaisedBy: "motor"}}
	if diff := cmp.Diff(want, tree.Systems); diff != "" {
		t.Errorf("systems (-want +got):\n%s", diff)
	}
}

func TestBrokenTreesCountAsTheHighestClass(t *testing.T) {
	t.Parallel()
	tests := map[string][]class.Item{
		"unknown parent":         {{ID: "a", Own: "A", Parent: "gone", Paths: []string{"a/**"}, Rationale: held("a.md")}},
		"part of an unknown one": {{ID: "b", Parent: "gone"}, {ID: "a", Own: "A", Parent: "b", Paths: []string{"a/**"}}},
		"its own parent":         {{ID: "a", Own: "A", Parent: "a", Paths: []string{"a/**"}, Rationale: held("a.md")}},
		"a circle of two":        {{ID: "a", Parent: "b", Paths: []string{"a/**"}}, {ID: "b", Parent: "a", Paths: []string{"a/**"}}},
		"below a circle":         {{ID: "c", Parent: "c"}, {ID: "a", Parent: "c", Paths: []string{"a/**"}}},
	}
	for name, items := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := class.Derive(class.Current(), pump("A"), items).OfPaths([]string{"a/x.c"}, nil)
			if d.Class != "C" {
				t.Errorf("class %s, want C", d.Class)
			}
		})
	}
	t.Run("declared twice: the stricter counts", func(t *testing.T) {
		t.Parallel()
		tree := class.Derive(class.Current(), pump("A"), []class.Item{{ID: "a", Own: "A"}, {ID: "a", Own: "B", Paths: []string{"a/**"}}})
		if d := tree.OfPaths([]string{"a/x.c"}, nil); d.Class != "B" {
			t.Errorf("class %s, want B", d.Class)
		}
	})
	t.Run("no systems at all", func(t *testing.T) {
		t.Parallel()
		tree := class.Derive(class.Current(), nil, []class.Item{{ID: "a", Own: "A", Paths: []string{"a/**"}}})
		for _, p := range []string{"a/x.c", "b/x.c"} {
			if d := tree.OfPaths([]string{p}, nil); d.Class != "C" {
				t.Errorf("%s: class %s, want C", p, d.Class)
			}
		}
	})
}

// TestATwoLevelLadderWorksAsDataAlone stands in for the next edition: other
// names, another number of levels, the same code.
func TestATwoLevelLadderWorksAsDataAlone(t *testing.T) {
	t.Parallel()
	two := class.Ladder{
		Scheme: "two-levels", Edition: "a later edition",
		Levels: []class.Step{{Level: "I", Defaults: "A"}, {Level: "II", Defaults: "C"}},
	}
	tree := class.Derive(two, []class.System{{ID: "pump", Own: "I"}}, []class.Item{
		{ID: "dose", Own: "II", Paths: []string{"dose/**"}},
		{ID: "ui", Paths: []string{"ui/**"}},
		{ID: "log", Own: "I", Paths: []string{"log/**"}, Rationale: held("log.md")},
	})
	for path, want := range map[string]class.Level{"dose/a": "II", "ui/a": "II", "log/a": "I", "new/a": "II"} {
		if d := tree.OfPaths([]string{path}, nil); d.Class != want || d.Scheme != "two-levels" {
			t.Errorf("%s: class %s of %s, want %s", path, d.Class, d.Scheme, want)
		}
	}
	if got := two.Column("II"); got != "C" {
		t.Errorf("column %s, want C", got)
	}
}
