package gitea

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"primum/forges"
	"primum/rules/fact"
)

// longDiff is git's diff of the five files that longList lists.
const longDiff = `diff --git a/a b/a
new file mode 100644
index 0000000..1111111
--- /dev/null
+++ b/a
@@ -0,0 +1 @@
+x
diff --git a/b b/b
old mode 100644
new mode 100755
diff --git a/d b/c
similarity index 100%
rename from d
rename to c
diff --git a/e b/e
deleted file mode 100644
index 1111111..0000000
--- a/e
+++ /dev/null
@@ -1,2 +0,0 @@
-x
-rename from z
diff --git "a/\303\274" "b/\303\274"
index 1111111..2222222 100644
Binary files "a/\303\274" and "b/\303\274" differ
`

var longList = []string{
	`{"filename":"a","status":"added","additions":1}`,
	`{"filename":"b","status":"changed"}`,
	`{"filename":"c","status":"renamed","previous_filename":"d"}`,
	`{"filename":"e","status":"deleted","deletions":2}`,
	`{"filename":"ü","status":"changed"}`,
}

// TestLongListOfFiles: a list of many pages is read from the diff, where that
// tells the same.
func TestLongListOfFiles(t *testing.T) {
	t.Parallel()
	const pages, change = "GET /repos/meddev/pump/pulls/3/files", "GET /repos/meddev/pump/pulls/3"
	for _, c := range []struct {
		name string
		diff answer
		read int // pages
		head string
	}{
		{"the diff agrees", answer{status: http.StatusOK, body: longDiff}, 1, headSHA},
		{"no diff is given", answer{status: http.StatusInternalServerError}, 5, headSHA},
		{"the diff shows fewer files", answer{status: http.StatusOK, body: longDiff[:strings.LastIndex(longDiff, "diff --git")]}, 5, headSHA},
		{"the diff counts other lines", answer{status: http.StatusOK, body: strings.Replace(longDiff, "@@ -0,0 +1 @@\n+x\n", "@@ -0,0 +1,2 @@\n+x\n+x\n", 1)}, 5, headSHA},
		{"the diff knows another name", answer{status: http.StatusOK, body: strings.Replace(longDiff, "+++ b/a", "+++ b/f", 1)}, 5, headSHA},
		{"the head moved", answer{status: http.StatusOK, body: longDiff}, 1, firstSHA},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, s := instance(t, nil, "042")
			s.answers["GET /repos/meddev/pump/contents/.primum.yml"] = answer{status: http.StatusNotFound}
			for i, body := range longList {
				s.answers[fmt.Sprintf("%s?limit=50&page=%d", pages, i+1)] = answer{
					status: http.StatusOK, header: map[string]string{"X-Total-Count": "5"}, body: "[" + body + "]",
				}
			}
			s.answers[change+".diff"] = c.diff
			if c.head != headSHA {
				s.moves = map[string]answer{change: {status: http.StatusOK, body: `{"number":3,"state":"open","head":{"sha":"` + c.head + `"}}`}}
			}
			got, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: pump, Number: 3}, forges.Plan{
				Needs: []fact.Need{fact.NeedFiles, fact.NeedDiffs}, DiffPaths: []string{"a"},
			})
			if n := s.count(pages); n != c.read {
				t.Errorf("%d pages read, want %d", n, c.read)
			}
			if c.head != headSHA {
				if !errors.Is(err, forges.ErrConflict) || !forges.Temporary(err) {
					t.Errorf("answered %v, want %v", err, forges.ErrConflict)
				}
				return
			}
			if err != nil && c.diff.status == http.StatusOK {
				t.Fatal(err)
			} else if err != nil { // the diff itself was asked for as well
				return
			}
			var words []string
			for _, n := range got.Files {
				words = append(words, fmt.Sprintf("%s %s<%s +%d-%d", n.Status, n.Path, n.Previous, n.Added, n.Removed))
			}
			if want := "added a< +1-0; modified b< +0-0; renamed c<d +0-0; deleted e< +0-2; modified ü< +0-0"; strings.Join(words, "; ") != want {
				t.Errorf("files %s, want %s", strings.Join(words, "; "), want)
			}
			if c.read == 1 && (s.count(change+".diff") != 1 || !got.Files[0].DiffKnown || got.Files[0].Diff == "") {
				t.Errorf("%d calls for the diff, of a known: %v", s.count(change+".diff"), got.Files[0].DiffKnown)
			}
		})
	}
}
