package forges_test

import (
	"strings"
	"testing"

	"primum/forges"
)

func TestOnlyFullObjectNamesAreCommits(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		strings.Repeat("0a", 20):         true,
		strings.Repeat("0f", 32):         true,
		strings.Repeat("0", 40):          false,
		strings.Repeat("0", 64):          false,
		strings.Repeat("0A", 20):         false,
		strings.Repeat("0g", 20):         false,
		strings.Repeat("a", 39):          false,
		strings.Repeat("a", 39) + "/":    false,
		"../" + strings.Repeat("a", 37):  false,
		"main":                           false,
		"":                               false,
		strings.Repeat("a", 7):           false,
		strings.Repeat("a", 40) + "\x00": false,
	} {
		if got := forges.IsCommit(s); got != want {
			t.Errorf("IsCommit(%q) is %t", s, got)
		}
	}
}
