package gitlab

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"primum/forges"
)

// costs adds up a query as GitLab does (app/graphql/types/base_field.rb): one for
// a field, more for those it names, and for a list by a resolver one per cent
// more for each item asked for, unless it is asked for by number.
type costs struct {
	doc   *ast.QueryDocument
	files int // asked for by the list at the target, each of which costs one
}

// dear are fields that cost more than one, beside what is below them: those that
// have a price of their own, and those that ask the git server.
var dear = map[string]int{
	"diffHeadSha": 2, "rootRef": 2, "mergedAt": 5, "labels": 5, "reviewers": 5, "lastCommit": 11, "tree": 2, "base": 2, "head": 2, "blobs": 2, "commits": 2, "signature": 2,
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
			switch cmp.Or(s.Alias, s.Name) {
			case "base", "blobs":
				cost += c.files
			case "head":
				cost++
			}
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

// GitLab allows a signed-in account 250 points and an administrator 300, with
// every variable set and as many files as are ever asked for at once.
func TestQueriesStayBelowGitLabsLimit(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text        string
		files, most int
	}{
		"change":  {changeText, filesAtFirst, 246},
		"commits": {commitsText, 0, 100},
		"issues":  {issuesText, 0, 150},
		"files":   {filesText, filesAtOnce, 249},
	} {
		doc, err := parser.ParseQuery(&ast.Source{Name: name, Input: tt.text})
		if err != nil {
			t.Fatal(err)
		}
		got := costs{doc, tt.files}.of(doc.Operations[0].SelectionSet)
		t.Logf("%s: %d points", name, got)
		if got > tt.most {
			t.Errorf("%s has %d points, want at most %d", name, got, tt.most)
		}
	}
}

// What GitLab refuses a query for is passed on with its cure: lasting where only
// another version helps, and never taken for an answer, part of one or not.
func TestQueriesThatGitLabRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer string
		want   error // nil: it may go away
		cure   string
	}{
		"an old instance": {
			`200 {"errors":[{"message":"Field 'lastEditedBy' doesn't exist on type 'Note'","path":["fragment note","lastEditedBy"],"extensions":{"code":"undefinedField","typeName":"Note","fieldName":"lastEditedBy"}}]}`,
			forges.ErrUnsupported, "needs GitLab 17.0",
		},
		"an instance without codes": {`200 {"errors":[{"message":"Field 'bot' doesn't exist on type 'UserCore'"}]}`, forges.ErrUnsupported, "needs GitLab 17.0"},
		"too dear":                  {`200 {"errors":[{"message":"Query has complexity of 251, which exceeds max complexity of 250"}]}`, forges.ErrUnsupported, "update Primum"},
		"too slow": {
			`200 {"data":{"project":{"id":"gid://gitlab/Project/7","mergeRequest":null}},"errors":[{"message":"Timeout on MergeRequest.notes","path":["project","mergeRequest","notes"]}]}`,
			nil, "asked again",
		},
		"it broke":          {`200 {"errors":[{"message":"Internal server error"}]}`, nil, "Internal server error"},
		"without data":      {`200 {"data":null}`, nil, "without data"},
		"a token too small": {`403 {"errors":[{"message":"Forbidden: insufficient_scope"}]}`, forges.ErrForbidden, "insufficient_scope"},
	} {
		f, _ := scripted(t, map[string][]string{"POST /api/graphql": {tt.answer}})
		var out changeAnswer
		err := f.query(t.Context(), changeText, map[string]any{}, &out)
		if err == nil || !errors.Is(err, tt.want) && tt.want != nil || forges.Temporary(err) != (tt.want == nil) || !strings.Contains(err.Error(), tt.cure) {
			t.Errorf("%s: got %v, want %v with %q", name, err, tt.want, tt.cure)
		}
		if out.Project != nil {
			t.Errorf("%s: part of an answer was taken", name)
		}
	}
}
