package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules/class"
	"primum/rules/policy"
)

const three = "version: 1\nproduct: pump\nclass: C\n"

// held defines the built-in roles, so that no warning is about them.
const held = "people: {developer: [team:a], verification: [team:b], risk: [team:c], quality: [team:d], regulatory: [team:e]}\n"

func TestThreeLinesAreEnough(t *testing.T) {
	t.Parallel()
	p := parse(t, three)
	if p.Mode != policy.Enforce {
		t.Errorf("mode %s, want enforce", p.Mode)
	}
	if diff := cmp.Diff([]class.System{{ID: "pump", Own: "C"}}, p.Systems); diff != "" {
		t.Errorf("systems (-want +got):\n%s", diff)
	}
	if !p.Governs("main") || !p.Governs("release/1.2") {
		t.Error("a policy without branches governs all")
	}
	s := p.Setting("review-quorum", "C")
	if s.Enforcement != policy.Block || s.Int("approvals") != 2 || s.Origin != policy.ShippedDefault || s.Weakened {
		t.Errorf("setting %+v, want the shipped default", s)
	}
	if diff := cmp.Diff([]policy.Role{"developer", "verification"}, s.Roles("roles")); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	for path, want := range map[string]policy.Role{
		".primum.yml": "quality", ".github/workflows/ci.yml": "verification", ".gitlab-ci.yml": "verification",
		".gitea/workflows/a/b.yaml": "verification", "docs/CODEOWNERS": "quality", "src/a.c": "",
	} {
		if e, _ := p.ProtectedBy(path); e.Role != want {
			t.Errorf("%s needs %q, want %q", path, e.Role, want)
		}
	}
	if p.Anomaly.Form != "anomaly" || p.ChangeRequest.Form != "change-request" || len(p.Verification.Tests) == 0 {
		t.Errorf("defaults are missing: %+v", p)
	}
	if got := p.Source; got.Path != policy.Path || len(got.Digest) != 64 {
		t.Errorf("source %+v", got)
	}
}

func TestEverythingWrittenArrives(t *testing.T) {
	t.Parallel()
	p := parse(t, string(files(t, "ok")[corpus+"/ok/pump.yml"]))
	want := []class.Item{
		{ID: "dosing", Own: "C", Paths: []string{"fw/dosing/**"}, Hazards: []string{"HZ-3"}},
		{ID: "ui", Own: "A", Paths: []string{"ui/**"}, Rationale: class.Rationale{Path: "docs/risk/ui-segregation.md"}},
		{ID: "comms", Paths: []string{"fw/comms/**"}},
	}
	if diff := cmp.Diff(want, p.Items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"team:firmware", "team:qa", "team:test", "user:chen", "user:mara"}, p.Principals()); diff != "" {
		t.Errorf("principals (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"docs/risk/ui-segregation.md"}, p.Files()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for path, want := range map[string]policy.Role{"docs/risk/ui-segregation.md": "risk", "docs/risk/risks.yml": "risk", "docs/soup.yml": "quality"} {
		if e, _ := p.ProtectedBy(path); e.Role != want {
			t.Errorf("%s needs %q, want %q", path, e.Role, want)
		}
	}
	if diff := cmp.Diff(map[class.Level][]policy.CheckRef{"B": {{Name: "build"}, {Name: "test"}}, "C": {{Name: "build"}, {Name: "test"}, {Name: "misra"}}}, p.Checks); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if p.Requirements.Pattern != `SRS-\d+` || p.RiskFile.Matrix != "5x5" || p.SOUP.Register != "docs/soup.yml" || len(p.SOUP.Manifests) != 0 || p.Levels.LevelOfConcern != "major" {
		t.Errorf("sections: %+v %+v %+v %+v", p.Requirements, p.RiskFile, p.SOUP, p.Levels)
	}
	if !p.Warnings.Has("planned-rule") {
		t.Errorf("no warning of the planned rule: %v", p.Warnings)
	}
}

func TestItemsNestByIndentAndByParent(t *testing.T) {
	t.Parallel()
	p := parse(t, string(files(t, "ok")[corpus+"/ok/several-products.yml"]))
	got := map[string]string{}
	for _, it := range p.Items {
		got[it.ID] = it.Parent + " " + strings.Join(it.Systems, ",")
	}
	want := map[string]string{
		"firmware": " ", "watchdog": "firmware ", "logging": "firmware ", "motor": "firmware ",
		"lite-skin": " pump-lite", "shared-ui": " pump-pro,pump-lite",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parents and products (-want +got):\n%s", diff)
	}
	if p.Product != "pump-pro" {
		t.Errorf("product %s, want the first of products", p.Product)
	}
	for branch, want := range map[string]bool{"main": true, "release/1/2": true, "topic": false} {
		if p.Governs(branch) != want {
			t.Errorf("governs %s: %v", branch, !want)
		}
	}
}

func TestRulesAreSetForAllClassesOrForOne(t *testing.T) {
	t.Parallel()
	type at struct {
		A, B, C string
	}
	tests := []struct {
		rules string
		want  at
	}{
		{"review-quorum: warn", at{"warn 1", "warn 1", "warn 2"}},
		{"review-quorum: {approvals: 3}", at{"block 3", "block 3", "block 3"}},
		{"review-quorum: {A: off, B: {approvals: 2}}", at{"off 1", "block 2", "block 2"}},
		{"review-quorum: {approvals: 3, enforcement: warn, C: {approvals: 4}, B: block}", at{"warn 3", "block 3", "warn 4"}},
	}
	for _, tt := range tests {
		t.Run(tt.rules, func(t *testing.T) {
			t.Parallel()
			p := parse(t, three+"rules: {"+tt.rules+"}\n")
			show := func(l class.Level) string {
				s := p.Setting("review-quorum", l)
				return string(s.Enforcement) + " " + fmt.Sprint(s.Int("approvals"))
			}
			if got := (at{show("A"), show("B"), show("C")}); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestASettingThatAsksLessThanTheDefaultIsMarked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule string
		want bool
	}{
		{"review-quorum: warn", true},
		{"review-quorum: block", false},
		{"review-independent: block", false},
		{"review-quorum: {approvals: 1}", true},
		{"review-quorum: {approvals: 2}", false},
		{"review-quorum: {approvals: 3, enforcement: warn}", true},
		{"review-quorum: {roles: [developer]}", true},
		{"review-quorum: {roles: [verification, developer]}", false},
		{"review-quorum: {roles: [verification, developer, risk]}", false},
		{"review-not-stale: {keep-on-rebase: true}", true},
		{"review-not-stale: {keep-on-rebase: false}", false},
		{"waiver-valid: {max-days: 31}", true},
		{"waiver-valid: {max-days: 29}", false},
		{"waiver-valid: {words: []}", true},
		{"waiver-valid: {words: [tbd, later]}", false},
		{"waiver-valid: {depth: short}", true},
		{"waiver-valid: {depth: full}", false},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			id, _, _ := strings.Cut(tt.rule, ":")
			s := parse(t, three+"rules:\n  "+tt.rule+"\n").Setting(id, "C")
			if s.Weakened != tt.want {
				t.Errorf("weakened %v, want %v", s.Weakened, tt.want)
			}
			if !strings.HasPrefix(s.Origin, ".primum.yml:5:") {
				t.Errorf("origin %s", s.Origin)
			}
		})
	}
}

func TestWarningsSayWhatCannotWork(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, src, want string }{
		{"a role a rule asks for and nobody has", strings.Replace(held, "verification: [team:b], ", "", 1), ".primum.yml: nobody holds the role verification; the rule review-quorum can only fail; name people for it under \"people\""},
		{"a role with an empty list", strings.Replace(held, "team:b", "", 1), ".primum.yml: nobody holds the role verification; the rule review-quorum can only fail; name people for it under \"people\""},
		{"at the place where the role is asked for", strings.Replace(held, "risk: [team:c], ", "", 1) + "rules: {review-quorum: {B: {roles: [risk]}}}\n", ".primum.yml:5:37: nobody holds the role risk; the rule review-quorum can only fail; name people for it under \"people\""},
		{"a misspelt role", strings.Replace(held, "verification", "verifcation", 1), ".primum.yml:4:31: the role \"verifcation\" is none that Primum knows; did you mean \"verification\"?"},
		{"somebody twice in a role", strings.Replace(held, "team:a", "team:a, team:a", 1), ".primum.yml:4:30: \"team:a\" holds the role developer twice; once is enough"},
		{"a rationale that holds nothing", held + "items: [{id: ui, rationale: docs/ui.md}]\n", ".primum.yml:5:29: the rationale of \"ui\" holds nothing down; give the item the class it argues for"},
		{"a planned rule", held + "rules: {soup-registered: {B: {anything: 1}}}\n", ".primum.yml:5:9: rule \"soup-registered\" is planned and not in this version; its settings are kept and not used"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := parse(t, three+tt.src)
			if !strings.Contains(p.Warnings.Error(), tt.want) {
				t.Errorf("warnings:\n%v\nwant:\n%s", p.Warnings, tt.want)
			}
		})
	}
	if got, want := parse(t, three).Warnings.Error(), `.primum.yml: the policy names no people; rules that ask for a role can only fail; name people for developer, verification under "people"`; got != want {
		t.Errorf("warnings of a policy without people:\n%s\nwant:\n%s", got, want)
	}
	if w := parse(t, three+held).Warnings; len(w) > 0 {
		t.Errorf("warnings of a policy that has all: %v", w)
	}
	if w := parse(t, "version: 1\nproduct: pump\n"+held).Warnings; !w.Has("no-class") {
		t.Errorf("no warning of the missing class: %v", w)
	}
}

func TestBoundsHold(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, src, id string }{
		{"a file too large", three + strings.Repeat("# "+strings.Repeat("x", 100)+"\n", 3000), "too-large"},
		{"too many globs", three + "not-device-software: [" + strings.Repeat("a/**, ", 2001) + "]\n", "too-large"},
		{"a text too long", three + "mode: " + strings.Repeat("x", 400) + "\n", "wrong-value"},
		{"lists too deep for the reader", three + "items: " + strings.Repeat("[", 20000), "too-deep"},
		{"items too deep", three + "items:\n" + chain(40), "too-deep"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, errs := policy.Parse(policy.Path, []byte(tt.src), specs())
			if !errs.Has(tt.id) {
				t.Errorf("errors %v, want %s", errs, tt.id)
			}
			if len(errs.Error()) > 4000 {
				t.Errorf("the errors are %d bytes long", len(errs.Error()))
			}
		})
	}
	if p := parse(t, three+"items:\n"+chain(32)); len(p.Items) != 32 {
		t.Errorf("%d items, want 32", len(p.Items))
	}
}

// chain declares n items, each a part of the one before.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		if i == 0 {
			b.WriteString("  - {id: i0}\n")
			continue
		}
		fmt.Fprintf(&b, "  - {id: i%d, parent: i%d}\n", i, i-1)
	}
	return b.String()
}

func TestAnUnknownRuleOrClassFailsClosed(t *testing.T) {
	t.Parallel()
	p := parse(t, three)
	if s := p.Setting("not-parsed-with", "A"); s.Enforcement != policy.Block {
		t.Errorf("enforcement %s, want block", s.Enforcement)
	}
	if s := p.Setting("review-quorum", "X"); s.Int("approvals") != 2 {
		t.Errorf("approvals %d, want those of class C", s.Int("approvals"))
	}
	if !p.Enabled("review-independent") || parse(t, three+"rules: {review-independent: off}\n").Enabled("review-independent") {
		t.Error("a rule is enabled while some class has it")
	}
}

func TestRationalesAreAskedForOnce(t *testing.T) {
	t.Parallel()
	p := parse(t, three+"items:\n  - {id: a, class: A, rationale: docs/r.md}\n  - {id: b, class: A, rationale: docs/r.md}\n  - {id: c, class: A, rationale: docs/gone.md}\n  - {id: d}\n")
	asked := map[string]int{}
	items := p.WithRationales(func(path string) (bool, string) {
		asked[path]++
		return path == "docs/r.md", "there is no such file"
	})
	if diff := cmp.Diff(map[string]int{"docs/r.md": 1, "docs/gone.md": 1}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	want := []class.Rationale{
		{Path: "docs/r.md", Valid: true},
		{Path: "docs/r.md", Valid: true},
		{Path: "docs/gone.md", Problem: "there is no such file"},
		{},
	}
	for i, it := range items {
		if diff := cmp.Diff(want[i], it.Rationale); diff != "" {
			t.Errorf("%s (-want +got):\n%s", it.ID, diff)
		}
	}
	if p.Items[0].Rationale.Valid {
		t.Error("the policy itself was changed")
	}
}

// TestHostileFilesStayCheap counts what comes back for files made to cost much.
func TestHostileFilesStayCheap(t *testing.T) {
	t.Parallel()
	keys, roles, products := &strings.Builder{}, &strings.Builder{}, &strings.Builder{}
	for i := range 20_000 {
		fmt.Fprintf(keys, "k%d: 1\n", i)
		fmt.Fprintf(roles, "id:%d, ", i)
	}
	for i := range 60 {
		fmt.Fprintf(products, "{id: p%d}, ", i)
	}
	for name, src := range map[string]string{
		"many unknown keys": three + keys.String(),
		"many products":     three + "products: [" + products.String() + "]\n",
		"many wrong names":  three + "people: {risk: [" + strings.ReplaceAll(roles.String(), "id:", "?:") + "]}\n",
	} {
		_, errs := policy.Parse(policy.Path, []byte(src), specs())
		if len(errs) == 0 || len(errs) > 201 {
			t.Errorf("%s: %d errors", name, len(errs))
		}
	}
	p := parse(t, three+"people: {risk: ["+roles.String()+"]}\n")
	if n := len(p.Principals()); n != 20_000 {
		t.Errorf("%d principals", n)
	}
}
