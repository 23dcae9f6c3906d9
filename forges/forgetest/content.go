package forgetest

import (
	"fmt"
	"slices"
	"strings"

	"primum/forges"
	"primum/forges/sim"
)

func files() []contract {
	long := strings.Repeat("0123456789abcdef\n", 40_000) // 680 kB
	return []contract{
		{"files at a branch, a tag and a commit", func(t *try) {
			old := t.World.Tip(Repo, "main")
			t.ok(t.as("alex").Tag(Repo, "v1", "main"))
			t.sha(t.as("alex").Push(Repo, "main", sim.NewCommit{Files: map[string]string{"README.md": "# Two\n"}}))
			for at, want := range map[string]string{"main": "# Two\n", "v1": "# Infusion pump\n", old: "# Infusion pump\n"} {
				got, err := t.Adapter.ReadFiles(t.Context(), t.repo(), at, []string{"README.md"})
				t.ok(err)
				equal(t, "text at "+at, got["README.md"].Text, want)
			}
		}},
		{"a file that is not there is missing", func(t *try) {
			got, err := t.Adapter.ReadFiles(t.Context(), t.repo(), "main", []string{"none", "fw/none/none.c", "README.md"})
			t.ok(err)
			equal(t, "files", len(got), 3)
			equal(t, "missing", got["none"].Missing && got["fw/none/none.c"].Missing, true)
			equal(t, "there", got["README.md"].Missing, false)
			equal(t, "commit", got["README.md"].Commit, t.World.Tip(Repo, "main"))
		}},
		{"names with every kind of letter", func(t *try) {
			names := map[string]string{"docs/a..b.md": "1\n", "docs/Überblick größer.md": "2\n", "docs/a#b%20?.md": "3\n", `docs/"quoted" \ back.md`: "4\n"}
			t.sha(t.as("alex").Push(Repo, "main", sim.NewCommit{Files: names}))
			var paths []string
			for p := range names {
				paths = append(paths, p)
			}
			got, err := t.Adapter.ReadFiles(t.Context(), t.repo(), "main", paths)
			t.ok(err)
			for p, want := range names {
				equal(t, p, got[p].Text, want)
			}
		}},
		{"a long file is whole or has a problem", func(t *try) {
			t.sha(t.as("alex").Push(Repo, "main", sim.NewCommit{Files: map[string]string{"long": long}}))
			got, err := t.Adapter.ReadFiles(t.Context(), t.repo(), "main", []string{"long"})
			t.ok(err)
			if b := got["long"]; b.Problem == "" && b.Text != long {
				t.Errorf("%d bytes of %d and no problem", len(b.Text), len(long))
			}
		}},
		{"a binary file has a problem", func(t *try) {
			t.sha(t.as("alex").Push(Repo, "main", sim.NewCommit{Files: map[string]string{"logo": "\x00\x01"}}))
			got, err := t.Adapter.ReadFiles(t.Context(), t.repo(), "main", []string{"logo"})
			t.ok(err)
			equal(t, "no problem", got["logo"].Problem == "", false)
		}},
		{"a commit that is not there", func(t *try) {
			_, err := t.Adapter.ReadFiles(t.Context(), t.repo(), "nothing-like-this", []string{"README.md"})
			is(t, err, forges.ErrNotFound)
		}},
		{"no file at all", func(t *try) {
			got, err := t.Adapter.ReadFiles(t.Context(), t.repo(), "main", nil)
			t.ok(err)
			equal(t, "files", len(got), 0)
		}},
		{"the changes of a candidate, in order", func(t *try) {
			if !t.Adapter.Capabilities().MergeQueue {
				_, err := t.Adapter.ReadQueue(t.Context(), t.repo(), forges.QueueRef{})
				is(t, err, forges.ErrUnsupported)
				return
			}
			var numbers []int
			for i := range 3 {
				branch := fmt.Sprint("q", i)
				t.sha(t.as("mara").Push(Repo, branch, sim.NewCommit{Files: map[string]string{branch: "x\n"}}))
				numbers = append(numbers, t.num(t.as("mara").OpenChange(Repo, sim.NewChange{Title: branch, Head: branch})))
			}
			order := []int{numbers[2], numbers[0]}
			first, err := t.as("mara").Enqueue(Repo, order...)
			t.ok(err)
			second, err := t.as("mara").Enqueue(Repo, numbers[1])
			t.ok(err)
			for _, q := range []struct {
				c    sim.Candidate
				want []int
			}{{first, order}, {second, []int{numbers[1]}}} {
				got, err := t.Adapter.ReadQueue(t.Context(), t.repo(), forges.QueueRef{Head: q.c.Head, Base: q.c.Base, Branch: q.c.Branch, Ref: q.c.Ref})
				t.ok(err)
				// An adapter may name those queued before, too; none that come after.
				at := max(len(got)-len(q.want), 0)
				if !slices.Equal(got[at:], q.want) {
					t.Errorf("members %v, want %v at the end", got, q.want)
				}
			}
		}},
	}
}
