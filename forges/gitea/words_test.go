package gitea

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/forges"
	"primum/rules/fact"
)

func TestProduct(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version, name string
		major, minor  int
		atLeast       bool
	}{
		{"1.26.3", Gitea, 1, 24, true},
		{"1.24.0", Gitea, 1, 24, true},
		{"1.23.8", Gitea, 1, 24, false},
		{"v1.25.0-rc0", Gitea, 1, 25, true},
		{"1.25.0+dev-12-gabcdef", Gitea, 1, 26, false},
		{"development", Gitea, 9, 9, true},
		{"7.0.2+gitea-1.22.0", Forgejo, 1, 24, true},
		{"16.0.0-dev-12-abc+gitea-1.22.0", Forgejo, 16, 0, true},
		{"forgejo-development", Forgejo, 1, 0, true},
	} {
		p := productOf(c.version)
		if p.name != c.name || p.version != c.version {
			t.Errorf("%s: %+v", c.version, p)
		}
		if got := p.atLeast(c.major, c.minor); got != c.atLeast {
			t.Errorf("%s is at least %d.%d: %t", c.version, c.major, c.minor, got)
		}
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, version  string
		status, edited bool
	}{
		{Gitea, "1.26.3", true, true},
		{Gitea, "", true, true},
		{Gitea, "1.22.6", false, true},
		{Forgejo, "10.0.0+gitea-1.22.0", false, true},
		{Forgejo, "7.0.2+gitea-1.22.0", false, false},
	} {
		got := CapabilitiesOf(c.name, c.version)
		if got.Product != c.name || got.Version != c.version || got.Has(forges.TellsStatus) != c.status || got.Has(forges.TellsTextEdits) != c.edited {
			t.Errorf("%s %s: %+v", c.name, c.version, got)
		}
		if !got.Silent() || got.DeliveryLog || got.PinnedCheck || got.MergeQueue || got.Annotations || got.Buttons {
			t.Errorf("%s %s claims what it has not: %+v", c.name, c.version, got)
		}
		for trait, why := range got.Lacks {
			if !strings.HasSuffix(why, ".") || strings.ToUpper(why[:1]) != why[:1] {
				t.Errorf("%s: %q is no sentence", trait, why)
			}
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := func() Config {
		return Config{URL: "https://git.example/gitea", Token: "0123456789", Secrets: []string{"0123456789abcdef"}, Now: time.Now}
	}
	for _, c := range []struct {
		name, want string
		change     func(*Config)
	}{
		{"good", "", func(*Config) {}},
		{"no webhooks", "", func(c *Config) { c.Secrets, c.NoWebhooks = nil, true }},
		{"no secret", "no webhook secret", func(c *Config) { c.Secrets = nil }},
		{"a short secret", "webhook secret 2 has 5 bytes", func(c *Config) { c.Secrets = append(c.Secrets, "short") }},
		{"no token", "no token", func(c *Config) { c.Token = " " }},
		{"a token with its line end", "holds a blank", func(c *Config) { c.Token += "\n" }},
		{"no clock", "no clock", func(c *Config) { c.Now = nil }},
		{"no address", "neither https nor http", func(c *Config) { c.URL = "" }},
		{"a password in the address", "a user or password", func(c *Config) { c.URL = "https://u:secret@git.example" }},
		{"an odd repository", `repository "pump"`, func(c *Config) { c.Repo = "pump" }},
		{"authorities that are not there", "authorities", func(c *Config) { c.CAFile = "testdata/none.pem" }},
	} {
		config := good()
		c.change(&config)
		f, err := New(config)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want == "" && (f.Key() != "gitea" || f.api.String() != "https://git.example/gitea/api/v1/"):
			t.Errorf("%s: %s at %s", c.name, f.Key(), f.api)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		case err != nil && strings.Contains(err.Error(), "secret@"):
			t.Errorf("%s: shows the password: %v", c.name, err)
		}
	}
}

func TestDraftTitle(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]bool{
		"WIP: x": true, "wip:x": true, "[WIP] x": true, " [wip]x": true, "WIPER: x": false, "Draft: x": false, "x WIP:": false, "": false,
	} {
		if got := draftTitle(title); got != want {
			t.Errorf("%q is a draft: %t", title, got)
		}
	}
}

func TestReviewState(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state     string
		dismissed bool
		want      fact.ReviewState
		ok        bool
	}{
		{"APPROVED", false, fact.Approved, true},
		{"APPROVED", true, fact.Dismissed, true},
		{"REQUEST_CHANGES", false, fact.ChangesRequested, true},
		{"COMMENT", false, fact.Commented, true},
		{"PENDING", false, "", false},
		{"REQUEST_REVIEW", false, "", false},
		{"", false, "", false},
	} {
		if got, ok := reviewState(c.state, c.dismissed); got != c.want || ok != c.ok {
			t.Errorf("%s dismissed %t: %s %t", c.state, c.dismissed, got, ok)
		}
	}
}

// TestStatusState: success alone is green, whatever the forge would let through.
func TestStatusState(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]fact.CheckState{
		"success": fact.CheckSuccess, "pending": fact.CheckPending, "": fact.CheckPending, "failure": fact.CheckFailure, "error": fact.CheckFailure,
		"warning": fact.CheckFailure, "skipped": fact.CheckSkipped, "neutral": fact.CheckNeutral, "Success": fact.CheckFailure, "word": fact.CheckFailure,
	} {
		if got := statusState(state); got != want {
			t.Errorf("%q is %s, want %s", state, got, want)
		}
	}
}

func TestTextEdited(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Date(2026, 11, 22, 8, 0, s, 0, time.UTC) }
	no, some := 0, 2
	for _, c := range []struct {
		name    string
		version *int
		updated int
		last    lastEntry
		want    time.Time
		sure    bool
	}{
		{"never edited", &no, 30, lastEntry{}, time.Time{}, true},
		{"never touched", nil, 0, lastEntry{}, time.Time{}, true},
		{"edited, then nothing", &some, 30, lastEntry{at: at(20), words: true}, at(30), true},
		{"edited without a word on it", nil, 30, lastEntry{}, at(30), true},
		{"edited or not, then a label", nil, 30, lastEntry{at: at(30)}, at(30), false},
		{"edited, then approved", &some, 30, lastEntry{at: at(30), words: true}, at(29), false},
	} {
		n := &issue{ContentVersion: c.version, CreatedAt: stamp{at(0)}, UpdatedAt: stamp{at(c.updated)}}
		if got := textEdited(n, c.last); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got := c.last.before(n); got != c.sure {
			t.Errorf("%s: sure %v, want %v", c.name, got, c.sure)
		}
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cursor     string
		got, whole int
		want       string
	}{
		{"", 0, 0, ""},
		{"", 50, 50, ""},
		{"", 50, 51, "2/50"},
		{"2/50", 1, 51, ""},
		{"", 50, -1, "2/50"},
		{"", 20, -1, "2/20"}, // an instance that gives 20 at a time
		{"3/40", 20, 120, "4/60"},
		{"3/40", 20, 60, ""},
		{"4/60", 0, -1, ""},
		{"4/60", 0, 90, ""}, // what was there went
	} {
		p, err := placeAt(c.cursor)
		if err != nil {
			t.Errorf("%q: %v", c.cursor, err)
			continue
		}
		if got := p.next(c.got, c.whole); got != c.want {
			t.Errorf("%q and %d items of %d: %q, want %q", c.cursor, c.got, c.whole, got, c.want)
		}
	}
	for _, odd := range []string{"x", "0/0", "1", "-1/3", "2/-1", "2/x"} {
		if _, err := placeAt(odd); !errors.Is(err, forges.ErrNotFound) {
			t.Errorf("%q: %v, want %v", odd, err, forges.ErrNotFound)
		}
	}
}

func TestClosingWords(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"Closes #1":                   "#1",
		"fixes: acme/pump#12, more":   "acme/pump#12",
		"Resolved #1\nClose #2":       "#1 #2",
		"encloses #1, see #2":         "",
		"Closes #1a":                  "",
		"CLOSED  #3":                  "#3",
		"Refs #1. Fix https://x/y/#1": "",
	} {
		var got []string
		for _, m := range closingWords.FindAllStringSubmatch(body, -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q closes %v, want %s", body, got, want)
		}
	}
}

func TestParseDiff(t *testing.T) {
	t.Parallel()
	const raw = `diff --git a/fw/rate.c b/fw/rate.c
index 3f9c0b7..a1b2c3d 100644
--- a/fw/rate.c
+++ b/fw/rate.c
@@ -1,3 +1,4 @@ int rate
 int a;
--- minus
+++ plus
+diff --git a/x b/x
 int b;
\ No newline at end of file
diff --git a/old name.c b/new name.c
similarity index 90%
rename from old name.c
rename to new name.c
index 1111111..2222222 100644
--- a/old name.c	
+++ b/new name.c	
@@ -1 +1 @@
-x
+y
diff --git a/logo.bin b/logo.bin
new file mode 100644
index 0000000..5555555
Binary files /dev/null and b/logo.bin differ
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git "a/\303\274.c" "b/\303\274.c"
deleted file mode 100644
index 6666666..0000000
--- "a/\303\274.c"
+++ /dev/null
@@ -1,2 +0,0 @@
-a
-b
`
	type brief struct {
		Text           string
		Added, Removed int
		Binary         bool
	}
	got := map[string]brief{}
	for path, d := range parseDiff(raw) {
		got[path] = brief{d.text, d.added, d.removed, d.binary}
	}
	want := map[string]brief{
		"fw/rate.c":  {"@@ -1,3 +1,4 @@ int rate\n int a;\n--- minus\n+++ plus\n+diff --git a/x b/x\n int b;\n\\ No newline at end of file", 2, 1, false},
		"new name.c": {"@@ -1 +1 @@\n-x\n+y", 1, 1, false},
		"logo.bin":   {Binary: true},
		"run.sh":     {},
		"ü.c":        {"@@ -1,2 +0,0 @@\n-a\n-b", 0, 2, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPatchDigest(t *testing.T) {
	t.Parallel()
	file := func(at, index, line string) string {
		return "diff --git a/x b/x\nindex " + index + " 100644\n--- a/x\n+++ b/x\n@@ -" + at + " +" + at + " @@ " + at + "\n-a\n+" + line + "\n"
	}
	same := patchDigest(file("1", "1..2", "b"))
	if patchDigest(file("7", "3..4", "b")) != same {
		t.Error("the same lines elsewhere in the file are another patch")
	}
	if patchDigest(file("1", "1..2", "c")) == same {
		t.Error("other lines are the same patch")
	}
	binary := func(index string) string {
		return "diff --git a/x b/x\nindex " + index + " 100644\nBinary files a/x and b/x differ\n"
	}
	if patchDigest(binary("1..2")) == patchDigest(binary("1..3")) {
		t.Error("another content of a binary file is the same patch")
	}
	if patchDigest("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n") == patchDigest("") {
		t.Error("another mode is no patch")
	}
}

func FuzzParseDiff(f *testing.F) {
	f.Add("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")
	f.Add("diff --git \"a/\\303\" b/x\n@@ -1,99999999 +1 @@\n\n")
	f.Add("@@ -1,2\n+\n\\")
	f.Fuzz(func(t *testing.T, raw string) {
		lines := 0
		for path, d := range parseDiff(raw) {
			if path == "" || d.added < 0 || d.removed < 0 {
				t.Fatalf("%q: %+v", path, d)
			}
			lines += d.added + d.removed
		}
		if most := strings.Count(raw, "\n") + 1; lines > most {
			t.Fatalf("%d lines changed of %d", lines, most)
		}
	})
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	f := &Forge{settled: &settled{}}
	mara := &user{ID: 3, Login: "mara", FullName: "Mara Lind"}
	of := func(verified bool, reason, signature string, signer *gitPerson) fact.Signature {
		n := &commit{Author: mara, Committer: mara}
		n.Commit.Author.Email = "mara@acme.example"
		n.Commit.Verification = &struct {
			Verified  bool       `json:"verified"`
			Reason    string     `json:"reason"`
			Signature string     `json:"signature"`
			Signer    *gitPerson `json:"signer"`
		}{verified, reason, signature, signer}
		return f.commitFact(n).Signature
	}
	for _, c := range []struct {
		name string
		got  fact.Signature
		want fact.Signature
	}{
		{"none", of(false, notSigned, "", nil), fact.Signature{}},
		{"not looked at", of(false, "", "", nil), fact.Signature{}},
		{"of a key nobody has", of(false, "gpg.error.no_gpg_keys_found", "-----BEGIN", nil), fact.Signature{Present: true, Reason: "gpg.error.no_gpg_keys_found"}},
		{"her own", of(true, "mara / 0123", "-----BEGIN", &gitPerson{Name: "mara", Email: "m@x"}), fact.Signature{Present: true, Valid: true}},
		{"by her address", of(true, "x", "-----BEGIN", &gitPerson{Name: "M", Email: "Mara@acme.example"}), fact.Signature{Present: true, Valid: true}},
		{"the instance's", of(true, "Gitea / 4567", "-----BEGIN", &gitPerson{Name: "Gitea", Email: "gitea@fake.local"}), fact.Signature{Present: true, Valid: true, ByForge: true}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
}
