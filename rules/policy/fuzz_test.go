package policy_test

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"primum/rules/class"
	"primum/rules/policy"
)

func FuzzParse(f *testing.F) {
	for _, dir := range []string{"ok", "bad"} {
		for _, src := range files(f, dir) {
			f.Add(src, []byte(base))
		}
	}
	f.Add([]byte(extending), []byte(base))
	f.Fuzz(func(t *testing.T, src, baseSrc []byte) {
		for _, opts := range [][]policy.Option{nil, {policy.WithBase(baseName, baseSrc)}} {
			p, errs := policy.Parse(policy.Path, src, specs(), opts...)
			if (p == nil) != (len(errs) > 0) {
				t.Fatalf("policy %v with errors %v", p, errs)
			}
			for _, e := range errs {
				if e.ID == "" || e.What == "" || e.File == "" || e.Line < 0 || e.Line > 0 && e.Column < 1 || !utf8.ValidString(e.Error()) {
					t.Fatalf("error %+v", e)
				}
			}
			policy.ExtendsOf(src)
			if p == nil {
				continue
			}
			again, errs := policy.Parse(policy.Path, src, specs(), opts...)
			if diff := cmp.Diff(p, again); diff != "" || len(errs) > 0 {
				t.Fatalf("read twice it differs: %v\n%s", errs, diff)
			}
			if d := policy.Diff(p, again, specs()); len(d) > 0 {
				t.Fatalf("a policy differs from itself: %v", d)
			}
			if _, err := policy.Explain(p, ""); err != nil {
				t.Fatal(err)
			}
			items := p.WithRationales(func(string) (bool, string) { return true, "" })
			if d := class.Derive(p.Ladder, p.Systems, items).OfPaths([]string{"a/b.c"}, p.Outside); d.Class == "" {
				t.Fatal("no class")
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	src := files(b, "ok")[corpus+"/ok/pump.yml"]
	for b.Loop() {
		if _, errs := policy.Parse(policy.Path, src, specs()); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}
