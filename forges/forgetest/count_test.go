package forgetest

import "testing"

// TestNumberOfCases keeps the number that people are told.
func TestNumberOfCases(t *testing.T) {
	t.Parallel()
	n := 0
	names := map[string]bool{}
	for _, g := range groups() {
		for _, c := range g.cases {
			n++
			if names[g.name+"/"+c.name] {
				t.Errorf("two cases are called %q", c.name)
			}
			names[g.name+"/"+c.name] = true
		}
	}
	if n != Cases {
		t.Errorf("the contract has %d cases, Cases says %d", n, Cases)
	}
	t.Logf("%d cases", n)
}
