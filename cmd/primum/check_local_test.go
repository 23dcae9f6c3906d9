package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"primum/rules"
	"primum/rules/fact"
)

// repository is a git checkout with a policy on main.
type repository struct {
	t   *testing.T
	dir string
}

const localPolicy = `version: 1
product: infusion-pump
class: B
items:
  - {id: dosing, class: C, paths: [fw/**]}
not-device-software: ["docs/**"]
`

func newRepository(t *testing.T, policy string) *repository {
	t.Helper()
	r := &repository{t: t, dir: t.TempDir()}
	r.git("init", "-q", "-b", "main")
	r.git("config", "remote.origin.url", "git@github.example:acme/pump.git")
	r.write("fw/rate.c", "int rate;\n")
	r.write("docs/a.md", "words\n")
	if policy != "" {
		r.write(".primum.yml", policy)
	}
	r.commit("Start")
	r.git("switch", "-q", "-c", "topic")
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", append([]string{"-C", r.dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=Mara", "GIT_AUTHOR_EMAIL=mara@example.org",
		"GIT_COMMITTER_NAME=Mara", "GIT_COMMITTER_EMAIL=mara@example.org", "GIT_CONFIG_GLOBAL=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (r *repository) write(path, text string) {
	r.t.Helper()
	full := filepath.Join(r.dir, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repository) commit(message string) {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "-m", message)
}

// check runs "primum check --local" on the repository.
func (r *repository) check(format string, strict bool) (code int, out string) {
	r.t.Helper()
	o := &checkOptions{local: true, base: "main", head: "HEAD", dir: r.dir, format: format, strict: strict}
	var b bytes.Buffer
	code, err := o.run(r.t.Context(), &b, os.Getenv)
	if err != nil {
		r.t.Logf("error: %v", err)
	}
	return code, b.String()
}

func TestCheckLocalSaysWhatACheckoutCannotKnow(t *testing.T) {
	t.Parallel()
	r := newRepository(t, localPolicy)
	r.write("fw/rate.c", "int rate = 1;\n")
	r.commit("Set the rate\n\nCR: #12")
	code, out := r.check("text", false)
	if code != exitCompliant || !strings.Contains(out, "need a forge") || !strings.Contains(out, "fw/rate.c") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	if code, _ := r.check("text", true); code != exitFindings {
		t.Errorf("strict: exit %d, want %d", code, exitFindings)
	}
}

// At the lowest class what could not be read blocks nothing on a forge; a checkout
// that knows next to nothing must not call the change ready all the same. What it
// does not know is counted once, the same everywhere.
func TestCheckLocalCallsNothingReadyItDidNotJudge(t *testing.T) {
	t.Parallel()
	r := newRepository(t, strings.ReplaceAll(strings.Replace(localPolicy, "class: B", "class: A", 1), "class: C", "class: A"))
	r.write("fw/rate.c", "int rate = 1;\n")
	r.commit("Set the rate\n\nCR: #12")
	for _, format := range []string{"text", "markdown", "json", "sarif"} {
		code, out := r.check(format, false)
		if code != exitCompliant || strings.Contains(strings.ToLower(out), "ready to merge") {
			t.Errorf("%s: exit %d:\n%s", format, code, out)
		}
	}
	if _, out := r.check("json", false); !strings.Contains(out, `"state": "unknown"`) {
		t.Errorf("the state is not unknown:\n%s", out)
	}
	_, out := r.check("text", false)
	_, list, _ := strings.Cut(out, "judged on the forge:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	n := len(strings.Split(strings.TrimSpace(list), "\n"))
	for _, want := range []string{fmt.Sprintf("%d rules need a forge", n), fmt.Sprintf(", %d judged on the forge\n", n), " 0 could not be read,"} {
		if n < 5 || !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestCheckLocalReadsTheChangeFromGit(t *testing.T) {
	t.Parallel()
	r := newRepository(t, localPolicy)
	r.git("mv", "fw/rate.c", "fw/näme with space.c")
	r.write("docs/new.md", "one\ntwo\n")
	r.git("rm", "-q", "docs/a.md")
	r.commit("Move things\n\nCR: #12\nCo-authored-by: Chen <chen@example.org>")
	in, err := localInput(t.Context(), r.dir, "main", "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	c := in.Change
	got := map[string]fact.FileStatus{}
	for _, f := range c.Files {
		got[f.Path] = f.Status
		if f.Status == fact.Renamed && f.Previous != "fw/rate.c" {
			t.Errorf("%s was moved from %q", f.Path, f.Previous)
		}
		if f.Path == "docs/new.md" && f.Added != 2 {
			t.Errorf("%d lines added to %s", f.Added, f.Path)
		}
	}
	if got["fw/näme with space.c"] != fact.Renamed || got["docs/new.md"] != fact.Added || got["docs/a.md"] != fact.Deleted {
		t.Errorf("files = %v", got)
	}
	if len(c.Commits) != 1 || c.Commits[0].Author.Email != "mara@example.org" || c.Repo.FullName() != "acme/pump" {
		t.Errorf("commits %+v of %s", c.Commits, c.Repo.FullName())
	}
	if len(c.Links) == 0 || c.Links[0].Number != 12 {
		t.Errorf("links = %+v, want the trailer's", c.Links)
	}
}

func TestCheckLocalJudgesByThePolicyOfTheBase(t *testing.T) {
	t.Parallel()
	r := newRepository(t, localPolicy)
	r.write(".primum.yml", strings.Replace(localPolicy, "class: C", "class: A", 1))
	r.write("fw/rate.c", "int rate = 2;\n")
	r.commit("Lower the class")
	_, out := r.check("json", false)
	var v rules.Verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatal(err)
	}
	if v.Class.Class != "C" || v.Preview == nil {
		t.Errorf("class %s, preview %v; want C and a preview", v.Class.Class, v.Preview)
	}
}

func TestCheckLocalExitsWithTwoForABrokenPolicy(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "version: 1\nproduct: pump\nclasss: B\n")
	r.write("fw/rate.c", "int rate = 2;\n")
	r.commit("Change")
	code, out := r.check("text", false)
	if code != exitUsage || !strings.Contains(out, ".primum.yml:3:1") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	o := &checkOptions{local: true, base: "nowhere", head: "HEAD", dir: r.dir, format: "text"}
	if code, err := o.run(t.Context(), &bytes.Buffer{}, os.Getenv); code != exitUsage || err == nil {
		t.Errorf("exit %d, %v for a base that does not exist", code, err)
	}
}

func TestCheckWantsToKnowWhatToJudge(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		o   checkOptions
		env map[string]string
		say string
	}{
		"no repository":  {say: "--repo"},
		"no change":      {o: checkOptions{remote: remote{repo: "acme/pump"}}, say: "--change"},
		"no token":       {env: map[string]string{"GITHUB_REPOSITORY": "acme/pump", "GITHUB_REF": "refs/pull/12/merge"}, say: "GITHUB_TOKEN"},
		"unknown forge":  {o: checkOptions{remote: remote{repo: "a/b", number: 1, forge: "svn"}}, env: map[string]string{"GITHUB_TOKEN": "x"}, say: "svn"},
		"unknown format": {o: checkOptions{format: "xml"}, say: "sarif"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := tt.o
			o.tokenEnv = "GITHUB_TOKEN"
			if o.format == "" {
				o.format = "text"
			}
			if o.remote.forge == "" {
				o.remote.forge = "github"
			}
			o.remote.trace = t.Output()
			code, err := o.run(t.Context(), &bytes.Buffer{}, func(k string) string { return tt.env[k] })
			if code != exitUsage || err == nil || !strings.Contains(err.Error(), tt.say) {
				t.Errorf("exit %d, %v; want 2 and a word of %s", code, err, tt.say)
			}
		})
	}
}

// What only a forge knows is listed once, without a cure that a checkout does
// not have.
func TestATextNamesOnceWhatOnlyAForgeKnows(t *testing.T) {
	t.Parallel()
	said := "The reviews could not be read: " + forgeOnly
	text := textOf(&rules.Verdict{State: rules.Unknown, Results: []rules.Result{
		{Rule: "review-quorum", Outcome: rules.Unknown, Summary: said, Findings: []rules.Finding{{Outcome: rules.Unknown, Message: said, Fix: "Primum reads again by itself"}}},
		{Rule: "verify-not-weakened", Outcome: rules.Unknown, Summary: "The patches could not be read: git is gone"},
	}})
	if strings.Contains(text, "reads again by itself") || !strings.Contains(text, "judged on the forge:\n  review-quorum\n") {
		t.Errorf("the text is\n%s", text)
	}
	if !strings.Contains(text, "git is gone") {
		t.Errorf("another cause is not told:\n%s", text)
	}
}
