package gitlab

import (
	"slices"
	"strconv"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// costs adds up a query as GitLab does (app/graphql/types/base_field.rb): one for
// a field, more for those it names, and for a list by a resolver one per cent
// more for each item asked for, unless it is asked for by number.
type costs struct {
	doc *ast.QueryDocument
}

// dear are fields that cost more than one, beside what is below them: those that
// have a price of their own, and those that ask the git server.
var dear = map[string]int{
	"mergedAt": 5, "labels": 5, "reviewers": 5, "lastCommit": 11, "tree": 2, "base": 2, "head": 2, "blobs": 2, "commits": 2, "signature": 2,
}

// byResolver are lists by a resolver.
var byResolver = []string{"notes", "jobs", "labels", "base", "head", "blobs"}

func (c costs) of(set ast.SelectionSet) int {
	sum := 0
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			cost := dear[s.Name]
			if cost == 0 {
				cost = dear[s.Alias]
			}
			cost = max(cost, 1) + c.of(s.SelectionSet)
			if first := s.Arguments.ForName("first"); first != nil && slices.Contains(byResolver, s.Name) {
				n, _ := strconv.Atoi(first.Value.Raw)
				cost += cost * n / 100
			}
			sum += cost
		case *ast.FragmentSpread:
			sum += c.of(c.doc.Fragments.ForName(s.Name).SelectionSet)
		case *ast.InlineFragment:
			sum += c.of(s.SelectionSet)
		}
	}
	return sum
}

// GitLab allows a signed-in account 250 points; some are kept for files, of which
// each costs one, and for what a later version finds dearer.
func TestQueriesStayBelowGitLabsLimit(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		most int
	}{
		"change":  {changeText, 250 - filesAtFirst},
		"commits": {commitsText, 100},
		"issues":  {issuesText, 150},
		"files":   {filesText, 250 - filesAtOnce},
	} {
		doc, err := parser.ParseQuery(&ast.Source{Name: name, Input: tt.text})
		if err != nil {
			t.Fatal(err)
		}
		got := costs{doc}.of(doc.Operations[0].SelectionSet)
		t.Logf("%s: %d points", name, got)
		if got > tt.most {
			t.Errorf("%s has %d points, want at most %d", name, got, tt.most)
		}
	}
}
