package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"primum/bot/clock"
	"primum/forges/github"
	"primum/forges/sim"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/simtest"
)

// checkRemote runs "primum check" against the simulated GitHub with mara's token.
func checkRemote(t *testing.T, rig *simtest.Rig, n int, o checkOptions) (code int, out string, err error) {
	t.Helper()
	o.remote.forge, o.remote.api, o.tokenEnv = "github", rig.Server.URL, "TOKEN"
	o.remote.trace = t.Output()
	env := map[string]string{"TOKEN": simtest.Token, "GITHUB_REPOSITORY": simtest.Repo, "GITHUB_REF": "refs/pull/" + strconv.Itoa(n) + "/merge"}
	var b bytes.Buffer
	code, err = o.run(t.Context(), &b, func(k string) string { return env[k] })
	return code, b.String(), err
}

func openChange(t *testing.T, rig *simtest.Rig, file string) int {
	t.Helper()
	return openChangeOn(t, rig.Forge, file)
}

func openChangeOn(t *testing.T, f *sim.Forge, file string) int {
	t.Helper()
	mara := f.As("mara")
	if _, err := mara.Push(simtest.Repo, "topic", sim.NewCommit{Message: "Change", Files: map[string]string{file: "changed\n"}}); err != nil {
		t.Fatal(err)
	}
	n, err := mara.OpenChange(simtest.Repo, sim.NewChange{Title: "Change", Head: "topic"})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A policy judges alike on every forge, and --post leaves status and comment.
func TestCheckJudgesAlikeOnEveryForge(t *testing.T) {
	t.Parallel()
	type stage struct {
		forge *sim.Forge
		kind  string
		url   string
		token string
		env   []string
		words func() int // writes so far
	}
	stages := map[string]func(t *testing.T) stage{
		"gitlab in a job": func(t *testing.T) stage {
			t.Helper()
			r := simtest.NewGitLab(t, simtest.GitLabOptions{Now: clock.System{}.Now, Path: "/gitlab"})
			return stage{r.Forge, "", r.Server.URL + "/gitlab", r.Token, []string{
				"GITLAB_CI=true", "CI_SERVER_URL=" + r.Server.URL + "/gitlab", "CI_MERGE_REQUEST_PROJECT_PATH=" + simtest.Repo, "CI_PROJECT_PATH=sam/fork",
				"GITLAB_TOKEN=" + r.Token, "CI_MERGE_REQUEST_IID=",
			}, func() int { return r.Face.Calls().Writes }}
		},
		"gitea": func(t *testing.T) stage {
			t.Helper()
			r := simtest.NewGitea(t, simtest.GiteaOptions{Now: clock.System{}.Now, Path: "/gitea"})
			return stage{r.Forge, "gitea", r.Server.URL + "/gitea", r.Token, []string{"PRIMUM_TOKEN=" + r.Token}, func() int { return r.Face.Calls().Writes }}
		},
		"forgejo in a job": func(t *testing.T) stage {
			t.Helper()
			r := simtest.NewGitea(t, simtest.GiteaOptions{Now: clock.System{}.Now, Product: giteaface.Forgejo})
			return stage{r.Forge, "", r.Server.URL, r.Token, []string{
				"FORGEJO_ACTIONS=true", "GITHUB_SERVER_URL=" + r.Server.URL, "GITHUB_API_URL=" + r.Server.URL + "/api/v1", "GITHUB_TOKEN=" + r.Token,
				"GITHUB_REPOSITORY=" + simtest.Repo,
			}, func() int { return r.Face.Calls().Writes }}
		},
	}
	for name, set := range stages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := set(t)
			n := openChangeOn(t, s.forge, "fw/dosing/rate.c")
			o := checkOptions{format: "text", remote: remote{forge: s.kind, number: n, trace: t.Output()}}
			if s.kind != "" {
				o.remote.repo, o.remote.url = simtest.Repo, s.url
			}
			code, out, err := asked(t, o, s.env...)
			if err != nil || code != exitFindings || !strings.Contains(out, "review-quorum") {
				t.Fatalf("exit %d, %v:\n%s", code, err, out)
			}
			if s.words() != 0 {
				t.Errorf("%d writes without --post", s.words())
			}
			o.remote.post = true
			if code, _, err := asked(t, o, s.env...); err != nil || code != exitFindings {
				t.Fatalf("--post: exit %d, %v", code, err)
			}
			is, _ := s.forge.Issue(simtest.Repo, n)
			if st := s.forge.Statuses(simtest.Repo, is.Change.Head); len(st) != 1 || st[0].Context != "primum" || st[0].State != "failure" && st[0].State != "failed" {
				t.Errorf("--post left %+v on the head", st)
			}
			if len(is.Comments) != 1 || !strings.Contains(is.Comments[0].Body, "before this can merge") {
				t.Errorf("--post left the comments %+v", is.Comments)
			}
			o.remote.number = 4711
			if code, _, err := asked(t, o, s.env...); code != exitFailure || err == nil {
				t.Errorf("no such change: exit %d, %v", code, err)
			}
		})
	}
}

func plainToken(c *github.Config) { c.Now = clock.System{}.Now }

func TestCheckJudgesAChangeOnAForge(t *testing.T) {
	t.Parallel()
	rig := simtest.New(t, simtest.Options{Now: clock.System{}.Now, Config: plainToken})
	n := openChange(t, rig, "fw/dosing/rate.c")
	code, out, err := checkRemote(t, rig, n, checkOptions{format: "text"})
	if err != nil || code != exitFindings || !strings.Contains(out, "review-quorum") {
		t.Fatalf("exit %d, %v:\n%s", code, err, out)
	}
	if c := rig.Face.Calls(); c.Writes != 0 {
		t.Errorf("%d writes without --post: %v", c.Writes, c.Routes)
	}
	head, _ := rig.Forge.Issue(simtest.Repo, n)
	if code, _, err := checkRemote(t, rig, n, checkOptions{format: "text", remote: remote{post: true}}); err != nil || code != exitFindings {
		t.Fatalf("--post: exit %d, %v", code, err)
	}
	if len(rig.Forge.Checks(simtest.Repo, head.Change.Head))+len(rig.Forge.Statuses(simtest.Repo, head.Change.Head)) == 0 {
		t.Error("--post put nothing on the head")
	}
}

func TestCheckFailsWhenThereIsNoSuchChange(t *testing.T) {
	t.Parallel()
	rig := simtest.New(t, simtest.Options{Now: clock.System{}.Now, Config: plainToken})
	if code, _, err := checkRemote(t, rig, 4711, checkOptions{format: "text"}); code != exitFailure || err == nil {
		t.Errorf("exit %d, %v; want %d", code, err, exitFailure)
	}
}

func TestSARIFPointsSomewhereForEveryFinding(t *testing.T) {
	t.Parallel()
	rig := simtest.New(t, simtest.Options{Now: clock.System{}.Now, Config: plainToken})
	n := openChange(t, rig, "fw/dosing/with space.c")
	_, out, err := checkRemote(t, rig, n, checkOptions{format: "sarif"})
	if err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(out), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(run.Results) == 0 {
		t.Fatalf("version %s, %d results", log.Version, len(run.Results))
	}
	for _, r := range run.Results {
		rule := run.Tool.Driver.Rules[r.RuleIndex]
		switch {
		case rule.ID != r.RuleID:
			t.Errorf("result of %s points at rule %s", r.RuleID, rule.ID)
		case r.Message.Text == "" || len(r.Locations) != 1 || r.Locations[0].Physical.Region.Line < 1:
			t.Errorf("result of %s has no text or no place: %+v", r.RuleID, r)
		case r.Kind != "fail" && r.Level != "none":
			t.Errorf("result of %s: kind %s with level %s", r.RuleID, r.Kind, r.Level)
		case strings.Contains(r.Locations[0].Physical.Artifact.URI, " "):
			t.Errorf("%q is no URI", r.Locations[0].Physical.Artifact.URI)
		}
	}
}
