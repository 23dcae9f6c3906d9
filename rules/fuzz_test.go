package rules_test

import (
	"encoding/json"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/fact"
	ft "primum/rules/facttest"
	"primum/rules/policy"
)

// FuzzEvaluate holds Evaluate to its promise on any facts: it never panics,
// answers the same twice, and every finding that fails says who can act.
func FuzzEvaluate(f *testing.F) {
	for _, level := range []class.Level{"A", "B", "C"} {
		c, _ := ft.Compliant(level)
		f.Add(asJSON(f, c), false)
		for _, r := range rules.All() {
			c, _ := ft.Compliant(level)
			r.Bad.Edit(c)
			f.Add(asJSON(f, c), level == "C")
		}
	}
	f.Add([]byte(`{}`), false)
	f.Add([]byte(`{"files":[{"path":"tests/a_test.go","status":"modified","diff":"@@ -1 +x\n-\n+","diff_known":true}],"reviews":[{"state":"approved"}]}`), true)
	p, bare := ft.Policy(ft.PolicyText), ft.Policy("version: 1\nproduct: p\nclass: B\n")
	f.Fuzz(func(t *testing.T, raw []byte, threeLines bool) {
		var c fact.Change
		if json.Unmarshal(raw, &c) != nil {
			return
		}
		in := rules.Input{Change: &c, Policy: p, Now: ft.Now()}
		if threeLines {
			in.Policy, in.HeadPolicy = bare, p
		}
		v := rules.Evaluate(in)
		if again := rules.Evaluate(in); v.State != again.State || v.Reason != again.Reason {
			t.Errorf("judged twice: %q and %q", v.Reason, again.Reason)
		}
		honest(t, &v)
	})
}

// honest holds a verdict to what follows from its results.
func honest(t interface{ Errorf(string, ...any) }, v *rules.Verdict) {
	for _, r := range v.Results {
		for _, f := range r.Findings {
			if f.Message == "" || f.Outcome == rules.Fail && (len(f.Who) == 0 || f.Fix == "") {
				t.Errorf("%s: a finding without message, who or fix: %+v", r.Rule, f)
			}
		}
		if v.State == rules.Pass && r.Blocks(true) {
			t.Errorf("the verdict passes and %s answers %s", r.Rule, r.Outcome)
		}
	}
}

func asJSON(tb testing.TB, c *fact.Change) []byte {
	tb.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// Taking evidence away never turns a verdict green, in whatever order and
// combination: from the compliant change any set of spoilings stays blocked.
func TestSpoilingNeverHelps(t *testing.T) {
	t.Parallel()
	all := rules.All()
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.SampledFrom([]class.Level{"B", "C"}).Draw(t, "class")
		c, p := ft.Compliant(level)
		blocking := 0
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 1, 5, rapid.ID).Draw(t, "rules") {
			r := &all[i]
			// A rule that is not judged, or the absence of what another judges, hides it.
			if p.Setting(r.ID, level).Enforcement != policy.Block || r.ID == "review-quorum" || r.ID == "link-change-request" {
				continue
			}
			if r.ID == "review-not-stale" && level == "B" || r.ID == "link-problem-report" || r.ID == "waiver-valid" {
				continue
			}
			r.Bad.Edit(c)
			blocking++
		}
		v := judge(c, p)
		honest(t, &v)
		if blocking > 0 && v.State == rules.Pass {
			t.Fatalf("%d things are wrong and the verdict passes: %s", blocking, v.Reason)
		}
		for _, n := range rules.Needs(p) {
			if n != fact.NeedPatches && rapid.IntRange(0, 9).Draw(t, "lost") == 0 {
				c.MarkUnknown(n, "lost")
				if v := judge(c, p); v.State == rules.Pass {
					t.Fatalf("%s is lost and the verdict passes", n)
				}
			}
		}
	})
}

// FuzzGlob compares the quick matcher with the library it stands in for.
func FuzzGlob(f *testing.F) {
	for _, p := range []string{
		"docs/**", "**/*_test.go", "**/testdata/**", "*.md", "**/*.{spec,test}.{js,ts}", "CODEOWNERS", ".eslintrc*", "a/**/b/*.c", "**", "**/x",
		"**/a/b/**", "fw/*/x/**", "a\\*b", "[ab]/**", "test/**",
	} {
		for _, path := range []string{"docs/a/b.md", "x/y_test.go", "testdata", "a/testdata/b", "a/testdata", "mytestdata/x", "x", "docs", "a/b/c.c", "a*b", "test"} {
			f.Add(p, path)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		if !doublestar.ValidatePattern(pattern) || path == "" {
			return
		}
		if got, want := rules.MatchGlob(pattern, path), doublestar.MatchUnvalidated(pattern, path); got != want {
			t.Errorf("%q on %q is %v, doublestar says %v", pattern, path, got, want)
		}
	})
}

func TestFactsAreNotAltered(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	before := string(asJSON(t, c))
	judge(c, p)
	if diff := cmp.Diff(before, string(asJSON(t, c))); diff != "" {
		t.Error(diff)
	}
}
