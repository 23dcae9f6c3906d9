package patch_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"primum/forges/patch"
	"primum/rules/fact"
)

func TestOnlyWhatWasApprovedElsewhereIsAskedFor(t *testing.T) {
	t.Parallel()
	head, old, gone := strings.Repeat("a", 40), strings.Repeat("b", 40), strings.Repeat("c", 40)
	tests := []struct {
		name    string
		reviews []fact.Review
		asked   []string
		patch   string
	}{
		{"nobody approved", []fact.Review{{State: fact.ChangesRequested, Commit: old}}, nil, ""},
		{"approved at the head", []fact.Review{{State: fact.Approved, Commit: head}}, nil, ""},
		{"approved at no known commit", []fact.Review{{State: fact.Approved}, {State: fact.Approved, Commit: strings.Repeat("0", 40)}}, nil, ""},
		{"approved before", []fact.Review{{State: fact.Approved, Commit: old}, {State: fact.Approved, Commit: head}}, []string{old, head}, "of a"},
		{"one commit is gone", []fact.Review{{State: fact.Approved, Commit: gone}, {State: fact.Approved, Commit: old}}, []string{gone, old, head}, "of a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			at := func(sha string) (string, error) {
				asked = append(asked, sha)
				if sha == gone {
					return "", nil
				}
				return "of " + sha[:1], nil
			}
			got, err := patch.OfReviews(tt.reviews, head, at)
			if err != nil || got != tt.patch || !slices.Equal(asked, tt.asked) {
				t.Errorf("patch %q, asked for %v, %v; want %q, %v", got, asked, err, tt.patch, tt.asked)
			}
			for _, v := range tt.reviews {
				want := ""
				if v.Commit == old && v.State == fact.Approved {
					want = "of b"
				}
				if v.Patch != want {
					t.Errorf("the review of %.8s has patch %q, want %q", v.Commit, v.Patch, want)
				}
			}
		})
	}
	broken := errors.New("broken")
	if _, err := patch.OfReviews([]fact.Review{{State: fact.Approved, Commit: old}}, head, func(string) (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestHunksAreTheSameWhereverTheyStand(t *testing.T) {
	t.Parallel()
	hunks := func(text string) string {
		var b strings.Builder
		patch.WriteHunks(&b, text)
		return b.String()
	}
	here := hunks("@@ -1,2 +1,2 @@ int rate(void)\n-a\n+b\n")
	if there := hunks("@@ -91,2 +101,2 @@\n-a\n+b"); there != here {
		t.Errorf("%q here, %q there", here, there)
	}
	if other := hunks("@@ -1,2 +1,2 @@\n-a\n+c\n"); other == here {
		t.Error("another content is the same")
	}
}
