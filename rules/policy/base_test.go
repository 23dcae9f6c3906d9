package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules/policy"
)

const baseName = "acme/primum-policy@v3"

const base = `version: 1
mode: advise
class: C
people:
  risk: [team:acme/risk]
  quality: [team:acme/qa]
rules:
  review-quorum: {C: {approvals: 3}}
  review-independent: {B: block}
  waiver-valid: {max-days: 60}
checks: [build]
locked: [mode, class, rules.review-quorum, rules.waiver-valid, people.risk, checks, not-device-software]
`

const extending = "version: 1\nextends: acme/primum-policy@v3\nproduct: pump\n"

func TestAFileCountsBeforeItsBase(t *testing.T) {
	t.Parallel()
	p := parse(t, extending+`
people: {quality: [user:jonas], developer: [team:fw]}
rules: {review-quorum: {C: {approvals: 4}}, review-independent: warn}
checks: {A: [build], B: [build, test], C: [build, test]}
`, policy.WithBase(baseName, []byte(base)))
	if p.Mode != policy.Advise || p.Systems[0].Own != "C" || p.Extends == nil || p.Extends.Repo != "acme/primum-policy" || p.Extends.Ref != "v3" {
		t.Errorf("the base's keys are missing: %s %v %v", p.Mode, p.Systems, p.Extends)
	}
	want := map[policy.Role][]string{"risk": {"team:acme/risk"}, "quality": {"user:jonas"}, "developer": {"team:fw"}}
	if diff := cmp.Diff(want, p.People); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	if got := p.Setting("review-quorum", "C").Int("approvals"); got != 4 {
		t.Errorf("approvals %d, want the file's 4", got)
	}
	if got := p.Setting("review-independent", "B").Enforcement; got != policy.Warn {
		t.Errorf("enforcement %s: what the file says for all classes counts before what the base says for one", got)
	}
	s := p.Setting("waiver-valid", "C")
	if s.Int("max-days") != 60 || s.Origin != "acme/primum-policy@v3:.primum.yml:10:28" || !s.Weakened {
		t.Errorf("setting %+v", s)
	}
	if len(p.Checks["B"]) != 2 {
		t.Errorf("checks %v", p.Checks)
	}
	alone := parse(t, three)
	if p.Source.Digest == alone.Source.Digest {
		t.Error("the digest does not see the base")
	}
	other := parse(t, extending, policy.WithBase(baseName, []byte(base+"# more\n")))
	if first := parse(t, extending, policy.WithBase(baseName, []byte(base))); first.Source.Digest == other.Source.Digest {
		t.Error("the digest does not see a change of the base")
	}
}

func TestWhatABaseLocksCannotBeLoosened(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, file, want string }{
		{"a mode", "mode: observe\n", ".primum.yml:4:7: mode is observe instead of advise; acme/primum-policy@v3:.primum.yml locks mode; ask for no less"},
		{"a stricter mode is welcome", "mode: enforce\n", ""},
		{"a class", "class: B\n", ".primum.yml:4:8: pump is class B instead of C; acme/primum-policy@v3:.primum.yml locks class; ask for no less"},
		{"a parameter", "rules: {review-quorum: {C: {approvals: 2}}}\n", ".primum.yml:4:40: review-quorum at class C asks for 2 approvals instead of 3; acme/primum-policy@v3:.primum.yml locks rules.review-quorum; ask for no less"},
		{"a parameter within its bounds", "rules: {review-quorum: {C: {approvals: 3, roles: [developer, verification, risk]}}}\n", ""},
		{"an enforcement", "rules: {review-quorum: {B: off}}\n", ".primum.yml:4:28: review-quorum at class B is off instead of block; acme/primum-policy@v3:.primum.yml locks rules.review-quorum; ask for no less"},
		{"below the base though above the default", "rules: {waiver-valid: {max-days: 61}}\n", ".primum.yml:4:34: waiver-valid at every class sets max-days to 61 days instead of 60 days; acme/primum-policy@v3:.primum.yml locks rules.waiver-valid; ask for no less"},
		{"another rule is free", "rules: {review-independent: off}\n", ""},
		{"who holds a role", "people: {risk: [team:acme/risk, user:alex]}\n", ".primum.yml:4:16: user:alex holds the role risk; acme/primum-policy@v3:.primum.yml locks people.risk; ask for no less"},
		{"a check", "checks: {B: [test]}\n", `.primum.yml:4:13: the check "build" at class B is no longer asked for; acme/primum-policy@v3:.primum.yml locks checks; ask for no less`},
		{"files taken out of control", "not-device-software: [docs/**]\n", `.primum.yml:4:22: files like "docs/**" count as no device software instead of pump (C); acme/primum-policy@v3:.primum.yml locks not-device-software; ask for no less`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, errs := policy.Parse(policy.Path, []byte(extending+tt.file), specs(), policy.WithBase(baseName, []byte(base)))
			if diff := cmp.Diff(tt.want, errs.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsOfABaseCarryItsName(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ base, want string }{
		"its own errors":     {"version: 1\nmod: advise\n", `acme/primum-policy@v3:.primum.yml:2:1: unknown key "mod"; did you mean "mode"?`},
		"not YAML":           {"a: [", "acme/primum-policy@v3:.primum.yml:2:1: the file ends within a list or map in brackets; close it with ] or }"},
		"a base of a base":   {"version: 1\nextends: acme/other@v1\n", `acme/primum-policy@v3:.primum.yml:2:10: a base policy cannot extend another one; write the keys out here`},
		"another role of it": {"version: 1\nprotected: [{paths: [x/**], role: legal}]\n", `acme/primum-policy@v3:.primum.yml:2:35: there is no role "legal"; declare it under "people"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, errs := policy.Parse(policy.Path, []byte(extending), specs(), policy.WithBase(baseName, []byte(tt.base)))
			if p != nil || len(errs) != 1 || errs[0].Error() != tt.want {
				t.Errorf("errors:\n%v\nwant:\n%s", errs, tt.want)
			}
		})
	}
}

func TestExtendsOfReadsNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]*policy.Extends{
		"extends: acme/primum-policy@v3\nunknown: [1]\n": {Repo: "acme/primum-policy", Ref: "v3"},
		"extends: acme/group/policy@release/3\n":         {Repo: "acme/group/policy", Ref: "release/3"},
		"extends: acme/primum-policy\n":                  nil,
		"extends: ../../etc@v1\n":                        nil,
		"extends: [a]\n":                                 nil,
		"version: 1\n":                                   nil,
		"extends: [":                                     nil,
		"- extends: a/b@c\n":                             nil,
	} {
		got, ok := policy.ExtendsOf([]byte(src))
		if ok != (want != nil) || cmp.Diff(want, got) != "" {
			t.Errorf("%q: %v %v, want %v", src, got, ok, want)
		}
	}
}
