package gitea_test

import (
	"errors"
	"fmt"
	"testing"

	"primum/forges"
	"primum/forges/forgetest"
	"primum/forges/sim"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/simtest"
	"primum/rules/fact"
)

// TestStanding: the status that counts is found whoever set it, in one call
// unless many others were set since.
func TestStanding(t *testing.T) {
	t.Parallel()
	for _, product := range []string{giteaface.Gitea, giteaface.Forgejo} {
		t.Run(product, func(t *testing.T) {
			t.Parallel()
			rig := simtest.NewGitea(t, simtest.GiteaOptions{Product: product})
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			sha, err := rig.Forge.As("mara").Push(forgetest.Repo, "rate", sim.NewCommit{Files: map[string]string{"a": "a\n"}})
			must(err)
			repos, _, err := rig.Gitea.ListRepos(t.Context(), "")
			must(err)
			standing := func(calls int) (fact.Check, error) {
				t.Helper()
				rig.Face.ResetCalls()
				got, err := rig.Gitea.Standing(t.Context(), repos[0], sha, "primum")
				if n := sum(rig.Face.Calls().Routes); n != calls {
					t.Errorf("%d calls, want %d: %v", n, calls, rig.Face.Calls().Routes)
				}
				return got, err
			}
			set := func(who, name, state string) {
				t.Helper()
				_, err := rig.Forge.As(who).SetStatus(forgetest.Repo, sha, sim.Status{Context: name, State: state})
				must(err)
			}

			if _, err := standing(1); !errors.Is(err, forges.ErrNotFound) {
				t.Errorf("of a commit without statuses: %v, want %v", err, forges.ErrNotFound)
			}
			set("mara", "bench", "success")
			if _, err := standing(1); !errors.Is(err, forges.ErrNotFound) {
				t.Errorf("of another context: %v, want %v", err, forges.ErrNotFound)
			}
			posted, err := rig.Gitea.SetVerdict(t.Context(), repos[0], sha, forges.Report{Name: "primum", State: forges.ReportFailure, Short: "no"}, forges.Posted{})
			must(err)
			got, err := standing(1)
			if err != nil || !got.Ours || got.ID != posted.ID || got.State != fact.CheckFailure {
				t.Errorf("ours: %+v, %v; posted was %s", got, err, posted.ID)
			}
			set("mara", "primum", "success") // within the same second
			forged, err := standing(1)
			if err != nil || forged.Ours || forged.Source != "mara" || forged.State != fact.CheckSuccess {
				t.Errorf("forged: %+v, %v", forged, err)
			}
			for i := range 15 {
				set("mara", fmt.Sprintf("job %d", i), "pending")
			}
			if got, err := standing(1); err != nil || got.ID != forged.ID {
				t.Errorf("after 15 others: %+v, %v", got, err)
			}
			for i := range 60 {
				set("mara", fmt.Sprintf("job %d", i), "success")
			}
			if got, err := standing(3); err != nil || got.ID != forged.ID {
				t.Errorf("after 75 others: %+v, %v", got, err)
			}
		})
	}
}
