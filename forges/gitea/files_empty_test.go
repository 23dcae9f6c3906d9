package gitea

import (
	"errors"
	"net/http"
	"testing"

	"primum/forges"
	"primum/rules/fact"
)

// TestChangeThatIsBeingMerged: a real Gitea lists no file of a change in the
// moment in which it is merged and is not closed yet. That is no empty change.
func TestChangeThatIsBeingMerged(t *testing.T) {
	t.Parallel()
	const path = "/repos/meddev/pump"
	for _, c := range []struct {
		name, state, mergeBase, ahead string
		compared                      int
		want                          error
	}{
		{"its commits are in the target branch", "open", firstSHA, "0", 1, forges.ErrConflict},
		{"its commits change nothing", "open", firstSHA, "2", 1, nil},
		{"it has no commit of its own", "open", headSHA, "0", 0, nil},
		{"it is closed", "closed", firstSHA, "0", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, s := instance(t, nil, "042")
			s.answers["GET "+path+"/contents/.primum.yml"] = answer{status: http.StatusNotFound}
			s.answers["GET "+path+"/pulls/3/files?limit=50&page=1"] = answer{status: http.StatusOK, body: "[]"}
			s.answers["GET "+path+"/compare/main..."+headSHA] = answer{status: http.StatusOK, body: `{"total_commits":` + c.ahead + `}`}
			s.answers["GET "+path+"/pulls/3"] = answer{status: http.StatusOK, body: `{"number":3,"state":"` + c.state + `","merge_base":"` + c.mergeBase +
				`","head":{"ref":"rate","sha":"` + headSHA + `"},"base":{"ref":"main","sha":"` + firstSHA + `","repo":{"id":1,"name":"pump","full_name":"meddev/pump","default_branch":"main","owner":{"id":9,"login":"meddev"}}}}`}
			_, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: pump, Number: 3}, forges.Plan{Needs: []fact.Need{fact.NeedFiles}})
			if !errors.Is(err, c.want) || c.want == nil && err != nil || c.want != nil && !forges.Temporary(err) {
				t.Errorf("answered %v, want %v", err, c.want)
			}
			if n := s.count("GET " + path + "/compare/main..." + headSHA); n != c.compared {
				t.Errorf("%d comparisons, want %d", n, c.compared)
			}
		})
	}
}
