package gitlab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"primum/forges"
	"primum/rules/fact"
)

// An approval counts for the version that stood when it was given, and never for
// one that came in that instant.
func TestWhichVersionAnApprovalWasGivenOn(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }
	three := []version{{Head: "c", At: at(20_500)}, {Head: "b", At: at(10_500)}, {Head: "a", At: at(0)}}
	for name, tt := range map[string]struct {
		versions []version
		given    time.Time
		want     string
	}{
		"only one version":            {three[2:], at(0), "a"},
		"only one, and clocks differ": {three[2:], at(-5000), "a"},
		"before the second":           {three, at(10_499), "a"},
		"as the second came":          {three, at(10_500), "a"},
		"right after the second":      {three, at(10_501), "b"},
		"after the last":              {three, at(60_000), "c"},
		"before the first":            {three, at(-1000), "a"},
		"nobody knows when":           {three, time.Time{}, "a"},
	} {
		if got := standing(tt.versions, tt.given); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// GitLab makes the note and the delivery of an approval later, by workers: one of
// a push in between does not become the approval's.
func TestAnApprovalAndAPushInAMoment(t *testing.T) {
	t.Parallel()
	const (
		approvals = "GET projects/7/merge_requests/3/approvals"
		versions  = "GET projects/7/merge_requests/3/versions"
		// The push came at noon.
		two = `200 [{"id":2,"head_commit_sha":"pushed","created_at":"2026-01-05T12:00:00.000Z"},{"id":1,"head_commit_sha":"seen","created_at":"2026-01-05T08:00:00Z"}]`
	)
	priya := fact.Person{ID: "54"}
	for name, tt := range map[string]struct {
		answer string
		noted  time.Time
		want   string
		at     time.Time
		again  int // calls of a second reading
	}{
		"the note came after the push":     {`200 {"approved_by":[{"user":{"id":54},"approved_at":"2026-01-05T11:59:59.900Z"}]}`, noon.Add(2 * time.Second), "seen", noon.Add(-100 * time.Millisecond), 0},
		"the approval came after the push": {`200 {"approved_by":[{"user":{"id":53},"approved_at":"2026-01-05T08:00:01.000Z"},{"user":{"id":54},"approved_at":"2026-01-05T12:00:00.900Z"}]}`, noon, "pushed", noon.Add(900 * time.Millisecond), 0},
		"its note is not there yet":        {`200 {"approved_by":[{"user":{"id":54},"approved_at":"2026-01-05T12:00:00.900Z"}]}`, time.Time{}, "pushed", noon.Add(900 * time.Millisecond), 2},
		"the note is of one before":        {`200 {"approved_by":[{"user":{"id":54},"approved_at":"2026-01-05T12:00:00.900Z"}]}`, noon.Add(-time.Hour), "pushed", noon.Add(900 * time.Millisecond), 2},
		"an old GitLab, in doubt":          {`200 {"approved_by":[{"user":{"id":54}}]}`, noon.Add(time.Minute), "seen", noon.Add(time.Minute), 0},
		"an old GitLab, no doubt":          {`200 {"approved_by":[{"user":{"id":54}}]}`, noon.Add(61 * time.Second), "pushed", noon.Add(61 * time.Second), 0},
		"nothing is told":                  {`403 {"message":"403 Forbidden"}`, time.Time{}, "seen", time.Time{}, 2},
	} {
		f, s := scripted(t, map[string][]string{approvals: {tt.answer}, versions: {two}})
		calls := 0
		for range 2 {
			r := &reading{Forge: f, pid: "7", ref: forges.ChangeRef{Repo: pump, Number: 3}}
			calls = len(s.seen)
			got, err := r.grantOf(t.Context(), priya, tt.noted)
			if err != nil || got.sha != tt.want || !got.at.Equal(tt.at) {
				t.Errorf("%s: got %+v, %v; want %q at %s", name, got, err, tt.want, tt.at)
			}
		}
		if n := len(s.seen) - calls; n != tt.again {
			t.Errorf("%s: %d calls the second time, want %d", name, n, tt.again)
		}
	}
}

func readingOf(f *Forge, needs ...fact.Need) *reading {
	r := &reading{
		Forge: f, pid: "7", path: "acme/pump", ref: forges.ChangeRef{Repo: pump, Number: 3}, needs: map[fact.Need]bool{},
		plan: forges.Plan{DiffPaths: []string{"test/**"}}, c: &fact.Change{State: fact.Open}, mr: &changeNode{HeadSHA: sha1},
	}
	r.mr.DiffRefs = &struct {
		BaseSHA  string `json:"baseSha"`
		HeadSHA  string `json:"headSha"`
		StartSHA string `json:"startSha"`
	}{sha2, sha1, sha2}
	for _, n := range needs {
		r.needs[n] = true
	}
	return r
}

func diff(path, text string) string {
	return fmt.Sprintf(`{"old_path":%q,"new_path":%q,"a_mode":"100644","b_mode":"100644","diff":%q,"collapsed":false,"too_large":false}`, path, path, text)
}

func TestFilesOfAChange(t *testing.T) {
	t.Parallel()
	const hunk = "@@ -1 +1,2 @@\n-a\n+b\n+c\n"
	versionOf := func(head, size string) string {
		return `200 [{"id":2,"head_commit_sha":"` + head + `","base_commit_sha":"` + sha2 + `","start_commit_sha":"` + sha2 + `","created_at":"2026-01-05T08:00:00Z","state":"collected","real_size":"` + size + `"}]`
	}
	plain := diff("fw/a.c", hunk)
	tests := map[string]struct {
		diffs, versions, compare string
		want                     []string
		unknown                  string
		err                      string
	}{
		"all of them": {diffs: "[" + plain + "]", versions: versionOf(sha1, "1"), want: []string{"modified fw/a.c +2 -1"}},
		"new, gone, moved": {
			diffs: `[{"old_path":"n","new_path":"n","a_mode":"0","b_mode":"100644","diff":"@@ -0,0 +1 @@\n+x\n","new_file":true},` +
				`{"old_path":"g","new_path":"g","a_mode":"100644","b_mode":"0","diff":"@@ -1 +0,0 @@\n-x\n","deleted_file":true},` +
				`{"old_path":"old/m","new_path":"new/m","a_mode":"100644","b_mode":"100644","diff":"","renamed_file":true}]`,
			versions: versionOf(sha1, "3"), want: []string{"added n +1 -0", "deleted g +0 -1", "renamed new/m +0 -0 from old/m"},
		},
		"GitLab stopped listing": {
			diffs: "[" + plain + "]", versions: versionOf(sha1, "3"), compare: `200 {"diffs":[` + plain + "," + diff("b", hunk) + "," + diff("c", hunk) + `]}`,
			want: []string{"modified fw/a.c +2 -1", "modified b +2 -1", "modified c +2 -1"},
		},
		"GitLab stopped counting": {
			diffs: "[" + plain + "]", versions: versionOf(sha1, "1+"), compare: `200 {"diffs":[` + plain + "," + diff("b", hunk) + `]}`,
			want: []string{"modified fw/a.c +2 -1", "modified b +2 -1"},
		},
		"GitLab stopped counting, and comparing": {
			diffs: "[" + plain + "]", versions: versionOf(sha1, "1+"), compare: `200 {"diffs":[` + plain + `],"compare_timeout":true}`,
			want: []string{"modified fw/a.c +2 -1"}, unknown: "1 of 1+ files",
		},
		"comparing gives fewer": {
			diffs: "[" + plain + "]", versions: versionOf(sha1, "9"), compare: `200 {"diffs":[` + plain + `]}`,
			want: []string{"modified fw/a.c +2 -1"}, unknown: "1 of 9 files",
		},
		"a wanted diff is left out": {
			diffs:    `[{"old_path":"test/t.c","new_path":"test/t.c","a_mode":"100644","b_mode":"100644","diff":"","collapsed":true,"too_large":false}]`,
			versions: versionOf(sha1, "1"), compare: `200 {"diffs":[` + diff("test/t.c", hunk) + `]}`, want: []string{"modified test/t.c +2 -1 shown"},
		},
		"a wanted diff is too large anywhere": {
			diffs:    `[{"old_path":"test/t.c","new_path":"test/t.c","a_mode":"100644","b_mode":"100644","diff":"","collapsed":false,"too_large":true}]`,
			versions: versionOf(sha1, "1"), compare: `200 {"diffs":[{"old_path":"test/t.c","new_path":"test/t.c","a_mode":"100644","b_mode":"100644","diff":"","too_large":true}]}`,
			want: []string{"modified test/t.c +0 -0"},
		},
		"an old GitLab leaves a diff out without a word": {
			diffs:    `[{"old_path":"test/t.c","new_path":"test/t.c","a_mode":"100644","b_mode":"100644","diff":""}]`,
			versions: versionOf(sha1, "1"), compare: `200 {"diffs":[{"old_path":"test/t.c","new_path":"test/t.c","a_mode":"100644","b_mode":"100644","diff":""}]}`,
			want: []string{"modified test/t.c +0 -0"},
		},
		"a push came between": {diffs: "[" + plain + "]", versions: versionOf(sha2, "1"), err: "the head moved"},
		"no version yet":      {diffs: "[]", versions: `200 []`, err: "still preparing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := map[string][]string{
				"GET projects/7/merge_requests/3/diffs": {"200 " + tt.diffs}, "GET projects/7/merge_requests/3/versions": {tt.versions},
			}
			if tt.compare != "" {
				lines["GET projects/7/repository/compare"] = []string{tt.compare}
			}
			f, s := scripted(t, lines)
			r := readingOf(f, fact.NeedFiles, fact.NeedDiffs)
			err := r.readFiles(t.Context())
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !forges.Temporary(err) {
					t.Errorf("got %v, want one that may go away and says %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.c.Files {
				line := fmt.Sprintf("%s %s +%d -%d", f.Status, f.Path, f.Added, f.Removed)
				if f.Previous != "" {
					line += " from " + f.Previous
				}
				if f.DiffKnown {
					line += " shown"
				}
				got = append(got, line)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("files %q, want %q", got, tt.want)
			}
			why, known := r.c.Why(fact.NeedFiles)
			if known != (tt.unknown == "") || !strings.Contains(why, tt.unknown) {
				t.Errorf("unknown %q, want %q", why, tt.unknown)
			}
			calls := len(s.seen)
			again := readingOf(f, fact.NeedFiles, fact.NeedDiffs)
			if err := again.readFiles(t.Context()); err != nil || len(s.seen) != calls {
				t.Errorf("a second reading made %d calls, %v", len(s.seen)-calls, err)
			}
		})
	}
}

// A patch is the same wherever it stands in a file, and none where GitLab does not
// show all of it.
func TestPatches(t *testing.T) {
	t.Parallel()
	file := func(diff string) []diffNode {
		no := false
		return []diffNode{{OldPath: "a", NewPath: "a", AMode: "100644", BMode: "100644", Diff: diff, Collapsed: &no, TooLarge: &no}}
	}
	a := patchDigest(file("@@ -1 +1 @@\n-a\n+b\n"))
	if b := patchDigest(file("@@ -9 +9 @@ int f()\n-a\n+b\n")); a == "" || a != b {
		t.Errorf("moved lines: %q and %q", a, b)
	}
	if b := patchDigest(file("@@ -1 +1 @@\n-a\n+c\n")); a == b {
		t.Error("another line has the same patch")
	}
	two := append(file("@@ -1 +1 @@\n-a\n+b\n"), diffNode{OldPath: "z", NewPath: "z", AMode: "0", BMode: "100644", New: true, Diff: "@@ -0,0 +1 @@\n+z\n"})
	turned := []diffNode{two[1], two[0]}
	if patchDigest(two) == "" || patchDigest(two) != patchDigest(turned) {
		t.Error("the order of files matters")
	}
	yes := true
	for name, n := range map[string]diffNode{
		"left out": {OldPath: "a", NewPath: "a", Collapsed: &yes}, "too large": {OldPath: "a", NewPath: "a", TooLarge: &yes},
		"binary": {OldPath: "a", NewPath: "a", AMode: "1", BMode: "1", Diff: "Binary files a/a and b/a differ\n"}, "empty": {OldPath: "a", NewPath: "a", AMode: "1", BMode: "1"},
	} {
		if got := patchDigest([]diffNode{n}); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestNotesDoNotAct(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/merge\nfine":             "\\/merge\nfine",
		"fine\n  /approve me\n":    "fine\n  \\/approve me\n",
		"> /close":                 "> \\/close",
		"a /merge b":               "a /merge b",
		"- `/primum recheck`":      "- `/primum recheck`",
		"```\n/merge\n```\n/merge": "```\n/merge\n```\n\\/merge",
		"~~~sh\n/x\n~~~":           "~~~sh\n/x\n~~~",
		"nothing":                  "nothing",
	} {
		if got := inert(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// On gitlab.com a group of any free name is anybody's.
func TestWhichGroupATeamMeans(t *testing.T) {
	t.Parallel()
	f := adapter(t)
	hosted := adapter(t, func(c *Config) { c.URL = "" })
	for _, tt := range []struct {
		forge             *Forge
		owner, word, want string
	}{
		{f, "acme/devices", "firmware", "acme/devices/firmware acme/firmware firmware"},
		{f, "acme", "firmware", "acme/firmware firmware"},
		{f, "acme", "other/firmware", "other/firmware"},
		{hosted, "acme/devices", "firmware", "acme/devices/firmware acme/firmware"},
	} {
		if got := strings.Join(tt.forge.candidates(tt.owner, tt.word), " "); got != tt.want {
			t.Errorf("%s below %s: %s, want %s", tt.word, tt.owner, got, tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"m12:345": "m 12 345", "i7:9": "i 7 9", "m12": "", "x1:2": "", "m0:2": "", "m-1:2": "", "m1:2/..": "", "": "", "345": ""} {
		on, iid, note, ok := readNoteID(id)
		got := ""
		if ok {
			got = fmt.Sprintf("%c %d %d", on, iid, note)
		}
		if got != want {
			t.Errorf("%q reads as %q, want %q", id, got, want)
		}
	}
	for path, want := range map[string]bool{"acme/pump": true, "acme/devices/pump": true, "pump": false, "acme//pump": false, "../pump": false, "acme/pu mp": false, "": false} {
		if validPath(path) != want {
			t.Errorf("%q is a path: %t", path, !want)
		}
	}
	for login, want := range map[string]bool{"project_12_bot": true, "group_3_bot_0a1b": true, "project_bot": false, "mara": false, "group_x_bot": false, "project_1_bottle": false} {
		if botLogin(login) != want {
			t.Errorf("%q is a bot: %t", login, !want)
		}
	}
	if p := person("5", "ghost", "Ghost User", false); p.Known() {
		t.Errorf("the ghost is %+v", p)
	}
}

// A check of our name is ours only if we set it, or if it is the job that asks
// for our verdict where that was fixed as the way to block: whoever writes the
// change can add a job of any name.
func TestWhichCheckIsOurs(t *testing.T) {
	t.Parallel()
	const build, status = "gid://gitlab/Ci::Build/80", "gid://gitlab/GenericCommitStatus/80"
	us, mara := fact.Person{ID: "9", Login: "primum"}, fact.Person{ID: "51", Login: "mara"}
	for name, tt := range map[string]struct {
		way, id, job string
		by           fact.Person
		ours         bool
		want         string
	}{
		"a status we set":                       {"", status, "primum", us, true, "80"},
		"a status somebody set":                 {"", status, "primum", mara, false, "80"},
		"a status nobody is known to have set":  {"", status, "primum", fact.Person{}, false, "80"},
		"a job somebody added":                  {"", build, "primum", mara, false, "80"},
		"a job in a pipeline we caused":         {"", build, "primum", us, false, "80"},
		"the job that was fixed":                {WayJob, build, "primum", mara, true, "job:80"},
		"a status where the job was fixed":      {WayJob, status, "primum", mara, false, "80"},
		"another job where the job was fixed":   {WayJob, build, "build", mara, false, "80"},
		"a status of ours with another name":    {"", status, "primum-old", us, false, "80"},
		"a status of another letter case":       {"", status, "Primum", us, false, "80"},
		"a status we set where a job was fixed": {WayJob, status, "primum", us, true, "80"},
	} {
		f := adapter(t, func(c *Config) { c.Way = tt.way })
		r := readingOf(f)
		r.self = us
		r.posters.Put(r.posterKey("80"), poster{tt.by}, 1)
		got := r.check(&jobNode{ID: tt.id, Name: tt.job, Status: "SUCCESS"})
		if got.Ours != tt.ours || got.ID != tt.want || got.State != fact.CheckSuccess || got.Source != tt.by.Login {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for status, want := range map[string]fact.CheckState{
		"SUCCESS": fact.CheckSuccess, "FAILED": fact.CheckFailure, "CANCELED": fact.CheckCancelled, "SKIPPED": fact.CheckSkipped,
		"RUNNING": fact.CheckPending, "PENDING": fact.CheckPending, "CREATED": fact.CheckPending, "WAITING_FOR_RESOURCE": fact.CheckPending,
		"MANUAL": fact.CheckPending, "what comes next": fact.CheckPending,
	} {
		if got := jobState(status, false); got != want {
			t.Errorf("%s is %s, want %s", status, got, want)
		}
	}
	if got := jobState("MANUAL", true); got != fact.CheckSkipped {
		t.Errorf("a job nobody need start is %s", got)
	}
}
