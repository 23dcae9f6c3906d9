package policy_test

import (
	"testing"

	"primum/rules"
	"primum/rules/policy"
)

// Groups within groups, as GitLab has them, are owners like any other.
func TestGroupsWithinGroups(t *testing.T) {
	t.Parallel()
	src := "version: 1\nproduct: pump\nclass: B\npeople:\n  developer: [\"team:acme/devices/firmware\"]\n"
	p, errs := policy.Parse(policy.Path, []byte(src), rules.Specs())
	if len(errs) > 0 {
		t.Fatalf("errors: %v", errs)
	}
	if got := p.Principals(); len(got) != 1 || got[0] != "team:acme/devices/firmware" {
		t.Errorf("principals %q", got)
	}
	ext, ok := policy.ExtendsOf([]byte("version: 1\nextends: acme/devices/policy@v1\n"))
	if !ok || ext == nil || ext.Repo != "acme/devices/policy" || ext.Ref != "v1" {
		t.Errorf("extends %+v, %v", ext, ok)
	}
}
