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
	mara := rig.Forge.As("mara")
	if _, err := mara.Push(simtest.Repo, "topic", sim.NewCommit{Message: "Change", Files: map[string]string{file: "changed\n"}}); err != nil {
		t.Fatal(err)
	}
	n, err := mara.OpenChange(simtest.Repo, sim.NewChange{Title: "Change", Head: "topic"})
	if err != nil {
		t.Fatal(err)
	}
	return n
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
