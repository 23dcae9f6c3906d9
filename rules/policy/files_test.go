package policy_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules/class"
	"primum/rules/policy"
)

var update = flag.Bool("update", false, "write golden files anew")

const corpus = "../../testdata/policies"

type byClass = map[class.Level]any

func every(v any) byClass { return byClass{"A": v, "B": v, "C": v} }

func always(e policy.Enforcement) map[class.Level]policy.Enforcement {
	return map[class.Level]policy.Enforcement{"A": e, "B": e, "C": e}
}

// specs stands in for the registry: one rule per kind of parameter.
func specs() []policy.Spec {
	return []policy.Spec{
		{ID: "link-change-request", Title: "Every change answers a change request", Defaults: always(policy.Block)},
		{
			ID: "review-quorum", Title: "Enough people of the right roles approve", Defaults: always(policy.Block),
			Params: []policy.Param{
				{Name: "approvals", Kind: policy.KindInt, Unit: "approvals", Doc: "How many people approve.", Min: 1, Max: 9, Stricter: 1, Default: byClass{"A": 1, "B": 1, "C": 2}},
				{Name: "roles", Kind: policy.KindRoles, Doc: "The roles that approve, each once.", Stricter: 1, Default: byClass{
					"A": []policy.Role{"developer"}, "B": []policy.Role{"developer"}, "C": []policy.Role{"developer", "verification"},
				}},
			},
		},
		{
			ID: "review-independent", Title: "Somebody without a stake approves",
			Defaults: map[class.Level]policy.Enforcement{"A": policy.Off, "B": policy.Warn, "C": policy.Block},
		},
		{
			ID: "review-not-stale", Title: "Approvals hold for what they were given", Defaults: always(policy.Block),
			Params: []policy.Param{{Name: "keep-on-rebase", Kind: policy.KindBool, Doc: "An equal patch keeps approvals.", Stricter: -1, Default: byClass{"A": true, "B": true, "C": false}}},
		},
		{ID: "verify-checks-green", Title: "The checks are green", Defaults: always(policy.Block)},
		{
			ID: "waiver-valid", Title: "Waivers are approved and expire", Defaults: always(policy.Block),
			Params: []policy.Param{
				{Name: "max-days", Kind: policy.KindInt, Unit: "days", Doc: "The max-days a waiver lasts.", Min: 1, Max: 366, Stricter: -1, Default: byClass{"A": 180, "B": 90, "C": 30}},
				{Name: "words", Kind: policy.KindList, Doc: "Words a reason may not consist of.", Stricter: 1, Default: every([]string{"tbd"})},
				{Name: "depth", Kind: policy.KindText, Enum: []string{"short", "full"}, Doc: "How much is shown.", Stricter: 1, Default: every("full")},
			},
		},
	}
}

// parse is Parse for texts that hold no error.
func parse(tb testing.TB, src string, opts ...policy.Option) *policy.Policy {
	tb.Helper()
	p, errs := policy.Parse(policy.Path, []byte(src), specs(), opts...)
	if len(errs) > 0 {
		tb.Fatalf("unexpected errors:\n%v\nin:\n%s", errs, src)
	}
	return p
}

func files(tb testing.TB, dir string) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(corpus, dir, "*.yml"))
	if err != nil || len(names) == 0 {
		tb.Fatalf("no files in %s: %v", dir, err)
	}
	out := map[string][]byte{}
	for _, n := range names {
		raw, err := os.ReadFile(n)
		if err != nil {
			tb.Fatal(err)
		}
		out[n] = raw
	}
	return out
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestGoodFilesParse(t *testing.T) {
	t.Parallel()
	for name, src := range files(t, "ok") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			p, errs := policy.Parse(policy.Path, src, specs())
			if len(errs) > 0 {
				t.Fatalf("errors:\n%v", errs)
			}
			rows, err := policy.Explain(p, "")
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, w := range p.Warnings {
				b.WriteString("warning " + w.Error() + " [" + w.ID + "]\n")
			}
			for _, r := range rows {
				b.WriteString(r.Key + ": " + r.Value + "  # " + r.Origin + "\n")
			}
			golden(t, strings.TrimSuffix(name, ".yml")+".explain", b.String())
		})
	}
}

func TestBadFilesSayAllThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, src := range files(t, "bad") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			p, errs := policy.Parse(policy.Path, src, specs())
			if p != nil || len(errs) == 0 {
				t.Fatal("the file parses")
			}
			var b strings.Builder
			for _, e := range errs {
				b.WriteString(e.Error() + " [" + e.ID + "]\n")
			}
			golden(t, strings.TrimSuffix(name, ".yml")+".err", b.String())
		})
	}
}
