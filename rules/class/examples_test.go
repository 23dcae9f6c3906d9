package class_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules/class"
)

func held(path string) class.Rationale { return class.Rationale{Path: path, Valid: true} }

func pump(own class.Level) []class.System { return []class.System{{ID: "pump", Own: own}} }

// TestTheStandardsExamplesComeOutAsWorkedByHand goes through the classification
// and inheritance cases of IEC 62304, 4.3 and 7.2.2 b, one by one.
func TestTheStandardsExamplesComeOutAsWorkedByHand(t *testing.T) {
	t.Parallel()
	paths := func(dir string) []string { return []string{dir + "/**"} }
	ui := class.Item{ID: "ui", Paths: paths("ui")}
	rate := class.Item{ID: "rate", Paths: paths("rate")}
	logs := class.Item{ID: "log", Paths: paths("log")}
	logA := class.Item{ID: "log", Own: "A", Paths: paths("log"), Rationale: held("docs/risk/log.md")}

	tests := []struct {
		name       string
		systems    []class.System
		items      []class.Item
		touched    []string
		outside    []string
		effective  map[string]class.Level
		system     map[string]class.Level
		want       class.Level
		reason     string
		violations []class.ViolationKind
	}{
		{
			name:    "1 parts without a class inherit the system's",
			systems: pump("C"), items: []class.Item{ui, rate, logs},
			touched:   []string{"ui/main.c"},
			effective: map[string]class.Level{"ui": "C", "rate": "C", "log": "C"},
			want:      "C", reason: "Class C: `ui/main.c` belongs to ui, which inherits C from pump",
		},
		{
			name:    "2 an approved rationale holds one part down",
			systems: pump("C"), items: []class.Item{ui, rate, logA},
			touched:   []string{"log/queue.c"},
			effective: map[string]class.Level{"ui": "C", "rate": "C", "log": "A"},
			want:      "A", reason: "Class A: `log/queue.c` belongs to log, which is held at A by docs/risk/log.md",
		},
		{
			name:    "3 broken segregation: without its rationale the part is back to C",
			systems: pump("C"), items: []class.Item{ui, rate, {
				ID: "log", Own: "A", Paths: paths("log"),
				Rationale: class.Rationale{Path: "docs/risk/log.md", Problem: "there is no such file at main"},
			}},
			touched:    []string{"log/queue.c"},
			effective:  map[string]class.Level{"ui": "C", "rate": "C", "log": "C"},
			want:       "C",
			reason:     "Class C: `log/queue.c` belongs to log, which inherits C from pump (declared A, without a valid rationale)",
			violations: []class.ViolationKind{class.NeedsRationale},
		},
		{
			name:    "4 a part found to be C raises the system and its siblings at once",
			systems: pump("B"), items: []class.Item{{ID: "dose", Own: "C", Paths: paths("dose")}, ui, logA},
			touched:   []string{"ui/main.c"},
			effective: map[string]class.Level{"dose": "C", "ui": "C", "log": "A"},
			system:    map[string]class.Level{"pump": "C"},
			want:      "C", reason: "Class C: `ui/main.c` belongs to ui, which inherits C from pump",
			violations: []class.ViolationKind{class.ParentTooLow},
		},
		{
			name:    "5 a mixed change is judged by the worst item it touches",
			systems: pump("C"), items: []class.Item{{ID: "rate", Own: "C", Paths: paths("rate")}, logA},
			touched:   []string{"log/queue.c", "rate/rate.c"},
			effective: map[string]class.Level{"rate": "C", "log": "A"},
			want:      "C", reason: "Class C: `rate/rate.c` belongs to rate (C)",
		},
		{
			name:    "6 the control of a C risk counts as C with its ancestors, whatever its tag",
			systems: pump("B"), items: []class.Item{{
				ID: "watchdog", Own: "B", Paths: paths("watchdog"), Controls: []class.Control{{Risk: "HZ-3", Class: "C"}},
			}},
			touched:   []string{"watchdog/kick.c"},
			effective: map[string]class.Level{"watchdog": "C"},
			system:    map[string]class.Level{"pump": "C"},
			want:      "C", reason: "Class C: `watchdog/kick.c` belongs to watchdog, which controls HZ-3, a risk of class C",
			violations: []class.ViolationKind{class.BelowRisk},
		},
		{
			name:    "7 a directory nobody mapped counts as C",
			systems: pump("A"), items: []class.Item{ui},
			touched:   []string{"new/thing.c", "ui/main.c"},
			effective: map[string]class.Level{"ui": "A"},
			want:      "C", reason: "Class C: `new/thing.c` is not mapped to an item, and what is not mapped counts as C",
		},
		{
			name:      "8 a part shipped in two products takes the higher one's class",
			systems:   []class.System{{ID: "x", Own: "C"}, {ID: "y", Own: "A"}},
			items:     []class.Item{{ID: "shared", Paths: paths("shared")}, {ID: "skin", Paths: paths("skin"), Systems: []string{"y"}}},
			touched:   []string{"shared/a.c", "skin/b.c"},
			effective: map[string]class.Level{"shared": "C", "skin": "A"},
			system:    map[string]class.Level{"x": "C", "y": "A"},
			want:      "C", reason: "Class C: `shared/a.c` belongs to shared, which inherits C from x",
		},
		{
			name:    "9 a system classified anew as A is A throughout",
			systems: pump("A"), items: []class.Item{ui, rate},
			touched:   []string{"rate/rate.c"},
			effective: map[string]class.Level{"ui": "A", "rate": "A"},
			want:      "A", reason: "Class A: `rate/rate.c` belongs to rate, which inherits A from pump",
		},
		{
			name:    "10 SOUP is an item like any other and inherits",
			systems: pump("C"), items: []class.Item{{ID: "sqlite", Paths: paths("third_party/sqlite")}},
			touched:   []string{"third_party/sqlite/btree.c"},
			effective: map[string]class.Level{"sqlite": "C"},
			want:      "C", reason: "Class C: `third_party/sqlite/btree.c` belongs to sqlite, which inherits C from pump",
		},
		{
			name:    "11 supporting files are not device software and are controlled at the system's class",
			systems: pump("B"), items: []class.Item{ui},
			touched: []string{"test/ui_test.c", "scripts/build.sh"}, outside: []string{"test/**", "scripts/**"},
			effective: map[string]class.Level{"ui": "B"},
			want:      "B", reason: "No device software is touched",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tree := class.Derive(class.Current(), tt.systems, tt.items)
			got := map[string]class.Level{}
			for id, r := range tree.Items {
				got[id] = r.Effective
			}
			if diff := cmp.Diff(tt.effective, got); diff != "" {
				t.Errorf("effective classes (-want +got):\n%s", diff)
			}
			for _, s := range tree.Systems {
				if want, ok := tt.system[s.ID]; ok && s.Effective != want {
					t.Errorf("system %s is %s, want %s", s.ID, s.Effective, want)
				}
			}
			var kinds []class.ViolationKind
			for _, v := range tree.Violations {
				kinds = append(kinds, v.Kind)
			}
			if diff := cmp.Diff(tt.violations, kinds); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			d := tree.OfPaths(tt.touched, tt.outside)
			if d.Class != tt.want {
				t.Errorf("class %s, want %s", d.Class, tt.want)
			}
			if d.Reason != tt.reason {
				t.Errorf("reason %q, want %q", d.Reason, tt.reason)
			}
		})
	}
}
