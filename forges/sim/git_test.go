package sim_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"primum/forges/sim"
)

// TestObjectsHaveTheIDsGitGivesThem compares with the git on this machine.
func TestObjectsHaveTheIDsGitGivesThem(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git to compare with")
	}
	f := sim.New(sim.Options{})
	f.AddUser("mara", "Mara Lind")
	files := map[string]string{"README.md": "# pump\n", "fw/dosing/rate.c": "int rate(void) { return 3; }\n", "fw/dosing-aux.c": "x\n", "a/b/c/d": ""}
	f.AddRepo("mara/pump", sim.RepoOptions{Files: files})

	dir := t.TempDir()
	for path, text := range files {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := f.Now().Format(time.RFC3339)
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(),
			"GIT_AUTHOR_NAME=Mara Lind", "GIT_AUTHOR_EMAIL=mara@example.com", "GIT_AUTHOR_DATE="+at,
			"GIT_COMMITTER_NAME=Mara Lind", "GIT_COMMITTER_EMAIL=mara@example.com", "GIT_COMMITTER_DATE="+at,
			"GIT_CONFIG_GLOBAL=/dev/null", "TZ=UTC")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main", ".")
	git("add", ".")
	git("commit", "-q", "--cleanup=verbatim", "-F", commitMessage(t, dir, "Initial commit"))
	if got, want := f.Tip("mara/pump", "main"), git("rev-parse", "HEAD"); got != want {
		t.Errorf("tip is %s, git says %s", got, want)
	}
}

func commitMessage(t *testing.T, dir, text string) string {
	t.Helper()
	name := filepath.Join(dir, ".git", "message")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestComparisonsCarryPatchesGitWouldPrint(t *testing.T) {
	t.Parallel()
	f := sim.New(sim.Options{})
	f.AddUser("mara", "Mara")
	f.AddRepo("mara/pump", sim.RepoOptions{Files: map[string]string{"a": "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n", "gone": "x\n", "old": "some\nlines\nthat\nmove\n", "bin": "\x00\x01"}})
	mara := f.As("mara")
	if _, err := mara.Push("mara/pump", "topic", sim.NewCommit{
		Files:  map[string]string{"a": "1\nTWO\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15", "new": "n\n", "bin": "\x00\x02", "moved": "some\nlines\nthat\nMOVE\n"},
		Remove: []string{"gone", "old"}, Message: "several",
	}); err != nil {
		t.Fatal(err)
	}
	files, commits, base, err := f.Compare("mara/pump", "main", "topic")
	if err != nil {
		t.Fatal(err)
	}
	if len(commits) != 1 || base != f.Tip("mara/pump", "main") {
		t.Errorf("commits %d from %s, want 1 from the tip of main", len(commits), base)
	}
	var got []string
	for _, d := range files {
		got = append(got, string(d.Status)+" "+d.Previous+">"+d.Path)
	}
	if want := "modified >a,modified >bin,removed >gone,renamed old>moved,added >new"; strings.Join(got, ",") != want {
		t.Errorf("files %s, want %s", strings.Join(got, ","), want)
	}
	if want := "@@ -1,5 +1,5 @@\n 1\n-2\n+TWO\n 3\n 4\n 5\n@@ -12,4 +12,4 @@\n 12\n 13\n 14\n-15\n+15\n\\ No newline at end of file"; files[0].Patch != want {
		t.Errorf("patch of a:\n%s\nwant:\n%s", files[0].Patch, want)
	}
}
