package rules_test

import (
	"testing"

	"primum/rules/fact"
	"primum/rules/facttest"
)

// Law 4: who wrote is no approver, also where the forge does not tell whose
// address a commit carries.
func TestAnAuthorWithoutAnAccountIsKnownByName(t *testing.T) {
	t.Parallel()
	jonas := facttest.Jonas()
	for name, tt := range map[string]struct {
		id     fact.Identity
		author bool
	}{
		"the full name":                {fact.Identity{Name: "jonas brandt", Email: "j@home.example"}, true},
		"the login before the @":       {fact.Identity{Name: "J", Email: "Jonas@home.example"}, true},
		"an address the forge gives":   {fact.Identity{Name: "J", Email: "102-jonas@users.noreply.forge.example"}, true},
		"the login for a name":         {fact.Identity{Name: "jonas", Email: "j@home.example"}, true},
		"somebody else":                {fact.Identity{Name: "Joan Brandt", Email: "joan@home.example"}, false},
		"a part of the name":           {fact.Identity{Name: "Brandt", Email: "brandt@home.example"}, false},
		"the forge itself":             {fact.Identity{Name: "jonas", Email: "noreply@github.com"}, false},
		"a known account of that name": {fact.Identity{Name: "jonas", Email: "j@x", Account: facttest.Alex()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, p := facttest.Compliant("C")
			c.Commits[0].CoAuthors = append(c.Commits[0].CoAuthors, tt.id)
			found := false
			for _, a := range judge(c, p).Approvals {
				if a.Reviewer.Is(jonas) {
					found = true
					if a.Counts == tt.author {
						t.Errorf("the approval counts: %v (%s), want %v", a.Counts, a.Why, !tt.author)
					}
				}
			}
			if !found {
				t.Fatal("jonas approved nothing")
			}
		})
	}
}
