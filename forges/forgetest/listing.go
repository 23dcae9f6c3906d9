package forgetest

import (
	"fmt"
	"slices"
	"time"

	"primum/forges"
	"primum/forges/sim"
)

func listing() []contract {
	return []contract{
		{"every repository once", func(t *try) {
			for i := range 130 {
				t.World.AddRepo(fmt.Sprintf("%s/r%03d", Org, i), sim.RepoOptions{By: "alex", Private: i%2 == 0})
			}
			seen := map[string]int{}
			for cursor := ""; ; {
				repos, next, err := t.Adapter.ListRepos(t.Context(), cursor)
				t.ok(err)
				for _, r := range repos {
					seen[r.FullName()]++
					if r.ID == "" || r.Default == "" {
						t.Errorf("repository %+v", r)
					}
				}
				if next == "" {
					break
				}
				cursor = next
			}
			equal(t, "repositories", len(seen), 131)
			for name, n := range seen {
				equal(t, name, n, 1)
			}
		}},
		{"open changes, oldest update first", func(t *try) {
			var numbers []int
			for i := range 3 {
				t.Advance(time.Minute)
				branch := fmt.Sprint("b", i)
				t.sha(t.as("mara").Push(Repo, branch, sim.NewCommit{Files: map[string]string{branch: "x\n"}}))
				numbers = append(numbers, t.num(t.as("mara").OpenChange(Repo, sim.NewChange{Title: branch, Head: branch, Draft: i == 1})))
			}
			t.Advance(time.Minute)
			t.ok(t.as("mara").SetTitle(Repo, numbers[0], "touched"))
			t.Advance(time.Minute)
			t.sha(t.as("mara").Push(Repo, "gone", sim.NewCommit{Files: map[string]string{"g": "x\n"}}))
			t.ok(t.as("mara").Close(Repo, t.num(t.as("mara").OpenChange(Repo, sim.NewChange{Title: "gone", Head: "gone"})), ""))
			heads, next, err := t.Adapter.ListOpen(t.Context(), t.repo(), "")
			t.ok(err)
			equal(t, "next", next, "")
			var got []int
			for _, h := range heads {
				got = append(got, h.Number)
			}
			if !slices.Equal(got, []int{numbers[1], numbers[2], numbers[0]}) {
				t.Fatalf("order %v of %v", got, numbers)
			}
			equal(t, "draft", heads[0].Draft, true)
			equal(t, "title", heads[2].Title, "touched")
			equal(t, "head", heads[2].SHA, t.World.Tip(Repo, "b0"))
			equal(t, "target", heads[2].Base, "main")
			equal(t, "updated", heads[2].UpdatedAt.IsZero(), false)
		}},
		{"two pages of open changes", func(t *try) {
			for i := range 105 {
				branch := fmt.Sprint("b", i)
				t.sha(t.as("mara").Push(Repo, branch, sim.NewCommit{Files: map[string]string{branch: "x\n"}}))
				t.num(t.as("mara").OpenChange(Repo, sim.NewChange{Title: branch, Head: branch}))
			}
			seen := map[int]bool{}
			r := t.repo()
			for cursor := ""; ; {
				heads, next, err := t.Adapter.ListOpen(t.Context(), r, cursor)
				t.ok(err)
				for _, h := range heads {
					seen[h.Number] = true
				}
				if next == "" {
					break
				}
				cursor = next
			}
			equal(t, "changes", len(seen), 105)
		}},
		{"changes of a repository that is not there", func(t *try) {
			r := t.repo()
			r.Name, r.ID = "nothing", "987654321"
			_, _, err := t.Adapter.ListOpen(t.Context(), r, "")
			is(t, err, forges.ErrNotFound)
		}},
		{"a cursor nobody gave", func(t *try) {
			if _, _, err := t.Adapter.ListOpen(t.Context(), t.repo(), "../../etc"); err == nil {
				t.Error("it was taken")
			}
		}},
		{"what people may do", func(t *try) {
			t.ok(t.as("alex").GrantTeam(Repo, "qa", sim.Triage))
			r := t.repo()
			for login, want := range map[string]forges.Permission{
				"alex": forges.PermAdmin, "mara": forges.PermWrite, "chen": forges.PermRead,
			} {
				got, err := t.Adapter.Permission(t.Context(), r, login)
				t.ok(err)
				equal(t, login, got, want)
			}
			// sam may read what everybody may, which not every forge counts.
			got, err := t.Adapter.Permission(t.Context(), r, "sam")
			t.ok(err)
			equal(t, "sam may read at most", got == forges.PermRead || got == forges.PermNone, true)
		}},
		{"somebody who is not there may do nothing", func(t *try) {
			p, err := t.Adapter.Permission(t.Context(), t.repo(), "nobody")
			if err == nil {
				equal(t, "permission", p, forges.PermNone)
				return
			}
			is(t, err, forges.ErrNotFound)
		}},
	}
}
