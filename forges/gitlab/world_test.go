package gitlab_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"primum/forges"
	"primum/forges/forgetest"
	"primum/forges/gitlab"
	"primum/forges/sim"
	"primum/forges/sim/gitlabface"
	"primum/forges/sim/simtest"
	"primum/rules/fact"
)

// open opens the standard change of a rig and gives its number in the forge.
func open(t *testing.T, rig *simtest.GitLabRig, body string) int {
	t.Helper()
	must(rig.Forge.As("mara").Push(forgetest.Repo, "rate", sim.NewCommit{Files: map[string]string{"fw/dosing/rate.c": "int rate;\n"}}))(t)
	return must(rig.Forge.As("mara").OpenChange(forgetest.Repo, sim.NewChange{Title: "Round the rate", Body: body, Head: "rate"}))(t)
}

// A diff GitLab has not made yet is waited for and never guessed.
func TestDiffsThatAreNotReady(t *testing.T) {
	t.Parallel()
	rig := simtest.NewGitLab(t, simtest.GitLabOptions{})
	s := begin(t, rig)
	rig.Forge.SetFaults(func(f *sim.Faults) { f.DiffsAfter = 2 })
	n := open(t, rig, "")
	ref := forges.ChangeRef{Repo: s.repo, Number: n}
	waited := 0
	for range 10 {
		c, err := rig.GitLab.ReadChange(t.Context(), ref, everything())
		if err == nil {
			if waited == 0 {
				t.Error("nothing was waited for")
			}
			if len(c.Files) != 1 {
				t.Errorf("files %+v", c.Files)
			}
			return
		}
		waited++
		if !forges.Temporary(err) || !strings.Contains(err.Error(), "preparing") {
			t.Fatalf("got %v, want that the diff is being prepared", err)
		}
	}
	t.Error("the diff was never ready")
}

// GitLab counts issues and changes apart: #1 and !1 are two things.
func TestIssuesAndChangesCountedApart(t *testing.T) {
	t.Parallel()
	rig := simtest.NewGitLab(t, simtest.GitLabOptions{Face: func(o *gitlabface.Options) { o.OwnNumbers = true }})
	s := begin(t, rig)
	jonas := rig.Forge.As("jonas")
	issue := must(jonas.OpenIssue(forgetest.Repo, "Rate drifts", "It drifts."))(t)
	must(jonas.Comment(forgetest.Repo, issue, "on the issue"))(t)
	change := open(t, rig, "Fixes #1")
	must(jonas.Comment(forgetest.Repo, change, "on the change"))(t)
	c := s.read(t, 1, everything("#1"))
	if c.Title != "Round the rate" || len(c.Issues) != 1 || c.Issues[0].Number != 1 || c.Issues[0].Title != "Rate drifts" {
		t.Fatalf("change %q, issues %+v", c.Title, c.Issues)
	}
	if len(c.Links) != 1 || !c.Links[0].Closes || c.Links[0].Number != 1 {
		t.Errorf("links %+v", c.Links)
	}
	on := map[string]string{c.Comments[0].ID: "m1:", c.Issues[0].Comments[0].ID: "i1:"}
	for id, want := range on {
		if !strings.HasPrefix(id, want) {
			t.Errorf("comment %q, want one that begins with %s", id, want)
		}
		if err := rig.GitLab.React(t.Context(), forges.CommentRef{Repo: s.repo, Number: 1, ID: id}, forges.Seen); err != nil {
			t.Error(err)
		}
	}
	for _, number := range []int{issue, change} {
		if got := rig.Forge.Comments(forgetest.Repo, number)[0].Reactions; len(got) != 1 || got[0].Content != "eyes" {
			t.Errorf("reactions on %d: %+v", number, got)
		}
	}
}

// An instance may be installed below a path, and deliver signed.
func TestInstalledBelowAPath(t *testing.T) {
	t.Parallel()
	rig := simtest.NewGitLab(t, simtest.GitLabOptions{Path: "/gitlab"})
	s := begin(t, rig)
	n := open(t, rig, "")
	must(rig.Forge.AsApp("ci").CreateCheck(forgetest.Repo, sim.CheckRun{SHA: rig.Forge.Tip(forgetest.Repo, "rate"), Name: "build", Conclusion: "success"}))(t)
	c := s.judge(t, n, everything(), forges.ReportFailure, "no")
	if !strings.HasPrefix(c.URL, rig.Server.URL+"/gitlab/") {
		t.Errorf("address %s", c.URL)
	}
	for _, k := range c.Checks {
		if k.URL != "" && !strings.HasPrefix(k.URL, rig.Server.URL+"/gitlab/") {
			t.Errorf("address of %s: %s", k.Name, k.URL)
		}
	}
	got, err := rig.GitLab.ReadFiles(t.Context(), s.repo, "main", []string{"README.md"})
	if err != nil || got["README.md"].Text != "# Infusion pump\n" {
		t.Errorf("files %+v, %v", got, err)
	}
}

// By every way to block, the verdict lets a merge through or refuses it, and the
// next reading shows it as ours.
func TestVerdictsBlockByEveryWay(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name, tier, setting string
		setup               func(*testing.T, *simtest.GitLabRig)
	}{
		{gitlab.WayStatus, gitlabface.Free, `{"only_allow_merge_if_pipeline_succeeds":true}`, func(*testing.T, *simtest.GitLabRig) {}},
		{gitlab.WayCheck, gitlabface.Ultimate, `{"only_allow_merge_if_all_status_checks_passed":true}`, addCheck},
		{gitlab.WayApproval, gitlabface.Premium, `{}`, addRule},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			rig := simtest.NewGitLab(t, simtest.GitLabOptions{Tier: way.tier, Unchecked: way.tier != gitlabface.Free})
			way.setup(t, rig)
			adminCall(t, rig, http.MethodPut, "projects/acme%2Fpump", way.setting)
			s := begin(t, rig)
			n := open(t, rig, "")
			merge := func() error {
				_, err := rig.Forge.As("jonas").Merge(forgetest.Repo, n, sim.MergeOptions{})
				return err
			}
			for _, state := range []forges.ReportState{forges.ReportPending, forges.ReportFailure, forges.ReportSuccess, forges.ReportFailure} {
				rig.Clock.Advance(time.Minute)
				s.judge(t, n, everything(), state, string(state))
				if s.posted.Way != way.name {
					t.Fatalf("way %q", s.posted.Way)
				}
				c := s.read(t, n, everything())
				var ours []fact.Check
				for _, k := range c.Checks {
					if k.Ours {
						ours = append(ours, k)
					}
				}
				want := fact.CheckFailure
				if state == forges.ReportSuccess {
					want = fact.CheckSuccess
				}
				if len(ours) != 1 || ours[0].State != want || ours[0].ID != s.posted.ID || ours[0].Name != "primum" {
					t.Errorf("after %s ours are %+v, posted %+v", state, ours, s.posted)
				}
				if len(c.Reviews) != 0 {
					t.Errorf("our verdict is a review: %+v", c.Reviews)
				}
				if state != forges.ReportSuccess {
					if err := merge(); err == nil {
						t.Fatalf("after %s it was merged", state)
					}
				}
			}
			rig.Clock.Advance(time.Minute)
			s.judge(t, n, everything(), forges.ReportSuccess, "yes")
			if err := merge(); err != nil {
				t.Errorf("after success it was not merged: %v", err)
			}
		})
	}
}

// A pipeline that begins later has no verdict in it; the reading shows that, and
// the verdict goes to the new one.
func TestANewPipelineGetsTheVerdictAgain(t *testing.T) {
	t.Parallel()
	rig := simtest.NewGitLab(t, simtest.GitLabOptions{})
	adminCall(t, rig, http.MethodPut, "projects/acme%2Fpump", `{"only_allow_merge_if_pipeline_succeeds":true}`)
	s := begin(t, rig)
	n := open(t, rig, "")
	s.judge(t, n, everything(), forges.ReportFailure, "no")
	first := s.posted.ID
	adminCall(t, rig, http.MethodPost, "projects/acme%2Fpump/merge_requests/1/pipelines", `{}`)
	c := s.read(t, n, everything())
	for _, k := range c.Checks {
		if k.Ours {
			t.Fatalf("the new pipeline has our verdict: %+v", k)
		}
	}
	s.posted.Digest = ""
	s.judge(t, n, everything(), forges.ReportFailure, "no")
	if s.posted.ID == first {
		t.Errorf("posted %+v again", s.posted)
	}
	c = s.read(t, n, everything())
	if len(c.Checks) != 1 || !c.Checks[0].Ours || c.Checks[0].ID != s.posted.ID {
		t.Errorf("checks %+v, posted %+v", c.Checks, s.posted)
	}
	if _, err := rig.Forge.As("jonas").Merge(forgetest.Repo, n, sim.MergeOptions{}); err == nil {
		t.Error("it was merged")
	}
}

// A squashed or fast-forwarded change became a commit GraphQL does not tell.
func TestTheCommitAMergeMade(t *testing.T) {
	t.Parallel()
	for _, method := range []sim.MergeMethod{"merge", "squash", "rebase"} {
		rig := simtest.NewGitLab(t, simtest.GitLabOptions{})
		s := begin(t, rig)
		n := open(t, rig, "")
		sha := must(rig.Forge.As("jonas").Merge(forgetest.Repo, n, sim.MergeOptions{Method: method}))(t)
		if c := s.read(t, n, everything()); c.State != fact.Merged || c.MergedSHA != sha {
			t.Errorf("%s: state %s, commit %s, want %s", method, c.State, c.MergedSHA, sha)
		}
	}
}

// A policy at the head is read where the change touches it, guessed or not.
func TestThePolicyAtTheHead(t *testing.T) {
	t.Parallel()
	rig := simtest.NewGitLab(t, simtest.GitLabOptions{})
	s := begin(t, rig)
	mara := rig.Forge.As("mara")
	must(mara.Push(forgetest.Repo, "policy", sim.NewCommit{Files: map[string]string{".primum.yml": forgetest.Policy + "mode: advise\n"}}))(t)
	n := must(mara.OpenChange(forgetest.Repo, sim.NewChange{Title: "Policy", Head: "policy"}))(t)
	for _, text := range []string{"mode: advise\n", "mode: advise\n", "mode: observe\n"} {
		if text == "mode: observe\n" {
			must(mara.Push(forgetest.Repo, "policy", sim.NewCommit{Files: map[string]string{".primum.yml": forgetest.Policy + text}}))(t)
		}
		c := s.read(t, n, everything())
		if c.Policy.Text != forgetest.Policy || c.HeadPolicy == nil || c.HeadPolicy.Text != forgetest.Policy+text || c.HeadPolicy.Commit != c.Head.SHA {
			t.Errorf("policy %+v, at the head %+v", c.Policy, c.HeadPolicy)
		}
		if c.Policy.Commit != rig.Forge.Tip(forgetest.Repo, "main") || c.Base.SHA != c.Policy.Commit {
			t.Errorf("policy at %s, target at %s", c.Policy.Commit, c.Base.SHA)
		}
		must(rig.Forge.As("alex").Push(forgetest.Repo, "main", sim.NewCommit{Files: map[string]string{"docs/manual.md": text}}))(t)
	}
}

func TestWhatWeMayNotSee(t *testing.T) {
	t.Parallel()
	rig := simtest.NewGitLab(t, simtest.GitLabOptions{})
	s := begin(t, rig)
	n := open(t, rig, "")
	rig.Face.SetScopes(rig.Token, "read_user")
	_, err := rig.GitLab.ReadChange(t.Context(), forges.ChangeRef{Repo: s.repo, Number: n}, everything())
	if !errors.Is(err, forges.ErrForbidden) || !strings.Contains(err.Error(), "insufficient_scope") {
		t.Errorf("without the scope: %v", err)
	}
	rig.Face.Revoke(rig.Token)
	_, err = rig.GitLab.ReadChange(t.Context(), forges.ChangeRef{Repo: s.repo, Number: n}, everything())
	if !errors.Is(err, forges.ErrForbidden) {
		t.Errorf("with a token taken back: %v", err)
	}
	if strings.Contains(err.Error(), rig.Token) {
		t.Error("the error shows the token")
	}
}
