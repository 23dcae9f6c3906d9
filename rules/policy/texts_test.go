package policy

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestNamesAgreeWithTheSchemasPatterns holds what the parser accepts to what the
// schema says.
func TestNamesAgreeWithTheSchemasPatterns(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{"a", "Z", "0", "-", "_", ".", "/", ":", "@", " ", "é", "team:", "user:", "id:", "", strings.Repeat("x", 31)})
	for pattern, accepts := range map[string]func(string) bool{
		idPattern: isID, rolePattern: isRole, principalPattern: isPrincipal, keyPattern: isKey,
	} {
		re := regexp.MustCompile(pattern)
		rapid.Check(t, func(t *rapid.T) {
			v := strings.Join(rapid.SliceOfN(part, 0, 6).Draw(t, "parts"), "")
			if accepts(v) != re.MatchString(v) {
				t.Fatalf("%q: %v, the pattern %s says otherwise", v, accepts(v), pattern)
			}
		})
	}
}

func TestTheNearestWordIsNear(t *testing.T) {
	t.Parallel()
	known := []string{"approvals", "roles", "off", "A", "warn", "review-quorum"}
	for word, want := range map[string]string{
		"aprovals": "approvals", "APPROVALS": "approvals", "rolse": "roles", "of": "off", "a": "A", "B": "",
		"revue-qorum": "review-quorum", "review": "", "xyz": "", "": "", strings.Repeat("x", 100): "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
}

func TestSamplesMatchTheirGlobs(t *testing.T) {
	t.Parallel()
	for _, g := range defaultVerification().Tests {
		if s := sample(g); !matchAny([]string{g}, s) {
			t.Errorf("%q does not match its sample %q", g, s)
		}
	}
	for _, g := range []string{"a/[!b]c", "{a,b/{c,d}}/x", "{b/{c,d},a}/x", "a?b", "**", "x/[a-z]*.go", "**/x/**"} {
		if s := sample(g); !matchAny([]string{g}, s) {
			t.Errorf("%q does not match its sample %q", g, s)
		}
	}
	for _, g := range []string{"[", "[^", "[]", "{", "{a", "{a,{b", "}", ""} { // no parser lets these through
		_ = sample(g)
	}
}
