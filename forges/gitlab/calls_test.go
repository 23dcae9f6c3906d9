package gitlab_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/forges"
	"primum/forges/forgetest"
	"primum/forges/gitlab"
	"primum/forges/sim"
	"primum/forges/sim/gitlabface"
	"primum/forges/sim/simtest"
	"primum/forges/wire"
	"primum/rules/fact"
)

// tally counts calls by what they were for.
type tally struct {
	mu   sync.Mutex
	seen []string
}

func (c *tally) add(k wire.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, k.Operation)
}

func (c *tally) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.seen
	c.seen = nil
	slices.Sort(out)
	return out
}

// everything is what the core asks for with all rules on.
func everything(issues ...string) forges.Plan {
	return forges.Plan{
		Needs: []fact.Need{
			fact.NeedPolicy, fact.NeedFiles, fact.NeedDiffs, fact.NeedCommits, fact.NeedReviews, fact.NeedPatches, fact.NeedThreads,
			fact.NeedChecks, fact.NeedComments, fact.NeedIssues, fact.NeedPeople, fact.NeedBaseFiles, fact.NeedPermission,
		},
		Issues: issues, Principals: []string{"team:firmware", "team:qa", "user:alex"}, Files: []string{"docs/manual.md"}, DiffPaths: []string{"**/*_test.c"},
	}
}

// What one judged event costs where everything else was seen before: at most
// five calls, writes included, and none of them a write if the verdict stands.
func TestOneJudgedEventTakesFiveCalls(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name, tier string
		setup      func(*testing.T, *simtest.GitLabRig)
	}{
		{"commit status", gitlabface.Free, func(*testing.T, *simtest.GitLabRig) {}},
		{"external status check", gitlabface.Ultimate, addCheck},
		{"approval rule", gitlabface.Premium, addRule},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			calls := &tally{}
			box := &mailbox{}
			receiver := httptest.NewServer(box)
			t.Cleanup(receiver.Close)
			rig := simtest.NewGitLab(t, simtest.GitLabOptions{Tier: way.tier, Unchecked: way.tier != gitlabface.Free, HookURL: receiver.URL, Config: func(c *gitlab.Config) { c.Meter = calls.add }})
			way.setup(t, rig)
			s := begin(t, rig)
			mara, priya, chen := rig.Forge.As("mara"), rig.Forge.As("priya"), rig.Forge.As("chen")
			cr := must(mara.OpenIssue(forgetest.Repo, "Round the rate", "Reason: it drifts.", "change-request"))(t)
			must(chen.Comment(forgetest.Repo, cr, "/primum approve"))(t)
			must(mara.Push(forgetest.Repo, "rate", sim.NewCommit{Files: map[string]string{"fw/dosing/rate.c": "int rate;\n"}}))(t)
			n := must(mara.OpenChange(forgetest.Repo, sim.NewChange{Title: "Round", Body: fmt.Sprintf("Fixes #%d", cr), Head: "rate"}))(t)
			must(rig.Forge.AsApp("ci").CreateCheck(forgetest.Repo, sim.CheckRun{SHA: rig.Forge.Tip(forgetest.Repo, "rate"), Name: "build", Conclusion: "success"}))(t)
			plan := everything(fmt.Sprintf("%s#%d", forgetest.Repo, cr))

			s.judge(t, n, plan, forges.ReportFailure, "waits for priya")
			t.Logf("first judgement: %v", calls.take())
			rig.Clock.Advance(time.Minute)
			s.judge(t, n, plan, forges.ReportFailure, "still waits")
			calls.take()

			deliveries := func() {
				t.Helper()
				if err := rig.Face.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, h := range box.take() {
					d, err := rig.GitLab.Verify(h.Header, h.Body)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := rig.GitLab.Decode(d); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, event := range []struct {
				name string
				most int
				do   func()
			}{
				{"an approval", 7, func() { must(priya.Approve(forgetest.Repo, n, ""))(t) }},
				{"a comment", 5, func() { must(chen.Comment(forgetest.Repo, n, "/primum recheck"))(t) }},
				{"a comment on the change request", 5, func() { must(chen.Comment(forgetest.Repo, cr, "and so on"))(t) }},
			} {
				rig.Clock.Advance(time.Minute)
				event.do()
				deliveries()
				calls.take()
				state := forges.ReportSuccess
				if s.posted.State == forges.ReportSuccess {
					state = forges.ReportFailure
				}
				s.judge(t, n, plan, state, event.name)
				got := calls.take()
				t.Logf("%s: %d calls %v", event.name, len(got), got)
				if len(got) > event.most {
					t.Errorf("%s took %d calls: %v", event.name, len(got), got)
				}
				// The sweep: nothing is new, nothing is written.
				before := rig.Face.Calls().Writes
				s.read(t, n, plan)
				if got := calls.take(); len(got) > 3 || rig.Face.Calls().Writes != before {
					t.Errorf("looking again took %d calls: %v", len(got), got)
				}
			}
			rig.Clock.Advance(time.Minute)
			must(mara.Push(forgetest.Repo, "rate", sim.NewCommit{Files: map[string]string{"fw/dosing/rate.c": "float rate;\n"}}))(t)
			s.judge(t, n, plan, forges.ReportFailure, "a push")
			got := calls.take()
			t.Logf("a push: %d calls %v", len(got), got)
			if len(got) > 11 {
				t.Errorf("a push took %d calls: %v", len(got), got)
			}
		})
	}
}

// must ends the test unless something came without an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// judging plays the core: it reads, sets the verdict and edits the one comment.
type judging struct {
	rig     *simtest.GitLabRig
	repo    forges.RepoRef
	posted  forges.Posted
	comment string
}

func begin(t *testing.T, rig *simtest.GitLabRig) *judging {
	t.Helper()
	repos, _, err := rig.GitLab.ListRepos(t.Context(), "")
	if err != nil || len(repos) == 0 {
		t.Fatalf("%d repositories, %v", len(repos), err)
	}
	return &judging{rig: rig, repo: repos[0]}
}

func (s *judging) read(t *testing.T, n int, plan forges.Plan) *fact.Change {
	t.Helper()
	c, err := s.rig.GitLab.ReadChange(t.Context(), forges.ChangeRef{Repo: s.repo, Number: n}, plan)
	if err != nil {
		t.Fatal(err)
	}
	for need, why := range c.Unknown {
		t.Errorf("%s is unknown: %s", need, why)
	}
	return c
}

func (s *judging) judge(t *testing.T, n int, plan forges.Plan, state forges.ReportState, words string) *fact.Change {
	t.Helper()
	c := s.read(t, n, plan)
	var err error
	s.posted, err = s.rig.GitLab.SetVerdict(t.Context(), s.repo, c.Head.SHA, forges.Report{
		Name: "primum", State: state, Short: words, Title: words, URL: "https://primum.example/changes/1",
	}, s.posted)
	if err != nil {
		t.Fatal(err)
	}
	if s.comment, err = s.rig.GitLab.PutComment(t.Context(), forges.ChangeRef{Repo: s.repo, Number: n}, s.comment, words); err != nil {
		t.Fatal(err)
	}
	return c
}

// adminCall calls the API as the bot, as setup would.
func adminCall(t *testing.T, rig *simtest.GitLabRig, method, path, body string) {
	t.Helper()
	r := httptest.NewRequest(method, "/api/v4/"+path, strings.NewReader(body))
	r.Header.Set("Private-Token", rig.Token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	rig.Face.ServeHTTP(w, r)
	if w.Code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
}

func addCheck(t *testing.T, rig *simtest.GitLabRig) {
	t.Helper()
	adminCall(t, rig, "POST", "projects/acme%2Fpump/external_status_checks", `{"name":"primum","external_url":"https://primum.example/hooks/gitlab"}`)
}

func addRule(t *testing.T, rig *simtest.GitLabRig) {
	t.Helper()
	if err := rig.GitLab.Identify(t.Context()); err != nil {
		t.Fatal(err)
	}
	var id int64
	rig.Forge.Read(func(v *sim.View) { id = v.AccountByLogin(rig.Bot).ID })
	adminCall(t, rig, "POST", "projects/acme%2Fpump/approval_rules", fmt.Sprintf(`{"name":"Primum","approvals_required":1,"user_ids":[%d]}`, id))
}
