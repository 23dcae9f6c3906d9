package forgetest

import (
	"errors"
	"slices"
	"time"

	"primum/forges"
	"primum/forges/sim"
	"primum/rules/fact"
)

func reading() []contract {
	return []contract{
		{"what every change has", func(t *try) {
			n := t.change("Why.\n\nCR: #1")
			t.ok(t.as("chen").Label(Repo, n, "urgent"))
			c := t.whole(n)
			is, _ := t.World.Issue(Repo, n)
			equal(t, "forge", c.Forge, t.Adapter.Key())
			equal(t, "repository", c.Repo.FullName(), Repo)
			equal(t, "default branch", c.Repo.DefaultBranch, "main")
			equal(t, "number", c.Number, n)
			equal(t, "title", c.Title, "Round the rate")
			equal(t, "body", c.Body, "Why.\n\nCR: #1")
			equal(t, "state", c.State, fact.Open)
			equal(t, "draft", c.Draft, false)
			equal(t, "opener", c.Opener.Login, "mara")
			equal(t, "head", c.Head, fact.Ref{Name: "rate", SHA: is.Change.Head, Repo: Repo})
			equal(t, "target", c.Base.Name, "main")
			equal(t, "updated", c.UpdatedAt, is.UpdatedAt.Truncate(time.Second))
			if !slices.Equal(c.Labels, []string{"urgent"}) || c.Opener.ID == "" || c.URL == "" || c.ReadAt.IsZero() || c.CreatedAt.IsZero() {
				t.Errorf("labels %v, opener %v, url %q, read at %v", c.Labels, c.Opener, c.URL, c.ReadAt)
			}
		}},
		{"a draft", func(t *try) {
			n := opened(t)
			t.ok(t.as("mara").ConvertToDraft(Repo, n))
			c := t.read(n)
			equal(t, "draft", c.Draft, true)
			equal(t, "draft by its title", c.Title != "Round the rate", !t.has(forges.ReadsDrafts))
		}},
		{"a closed change", func(t *try) {
			n := opened(t)
			t.ok(t.as("mara").Close(Repo, n, ""))
			equal(t, "state", t.read(n).State, fact.Closed)
		}},
		{"a merged change", func(t *try) {
			n := opened(t)
			sha := t.sha(t.as("jonas").Merge(Repo, n, sim.MergeOptions{}))
			c := t.read(n)
			equal(t, "state", c.State, fact.Merged)
			equal(t, "commit", c.MergedSHA, sha)
			equal(t, "files", len(c.Files), 1)
			if c.MergedAt.IsZero() {
				t.Error("no time of merging")
			}
		}},
		{"another target", func(t *try) {
			n := opened(t)
			t.sha(t.as("alex").Push(Repo, "release", sim.NewCommit{Files: map[string]string{".primum.yml": Policy + "mode: advise\n"}}))
			t.ok(t.as("mara").Retarget(Repo, n, "release"))
			c := t.read(n)
			equal(t, "target", c.Base.Name, "release")
			equal(t, "policy", c.Policy.Text, Policy+"mode: advise\n")
		}},
		{"a head in a fork", func(t *try) {
			t.sha(t.as("sam").Fork(Repo))
			t.sha(t.as("sam").Push("sam/pump", "topic", sim.NewCommit{Files: map[string]string{"ui/screen.c": "int brightness = 4;\n"}}))
			n := t.num(t.as("sam").OpenChange(Repo, sim.NewChange{Title: "Topic", Head: "sam:topic"}))
			c := t.whole(n)
			equal(t, "head", c.Head.Repo, "sam/pump")
			equal(t, "files", len(c.Files), 1)
		}},
		{"a fork that is gone", func(t *try) {
			t.sha(t.as("sam").Fork(Repo))
			t.sha(t.as("sam").Push("sam/pump", "topic", sim.NewCommit{Files: map[string]string{"ui/screen.c": "int brightness = 4;\n"}}))
			n := t.num(t.as("sam").OpenChange(Repo, sim.NewChange{Title: "Topic", Head: "sam:topic"}))
			t.ok(t.as("sam").DeleteRepo("sam/pump"))
			c := t.read(n)
			equal(t, "head", c.Head.Repo, "")
		}},
		{"an opener who is gone is nobody", func(t *try) {
			n := opened(t)
			t.World.DeleteUser("mara")
			equal(t, "opener is known", t.read(n).Opener.Known(), false)
		}},
		{"a login that changed is the same person", func(t *try) {
			n := opened(t)
			before := t.read(n).Opener
			t.World.RenameUser("mara", "mara-lind")
			after := t.read(n).Opener
			equal(t, "login", after.Login, "mara-lind")
			equal(t, "same person", after.Is(before), true)
		}},
		{"a repository that was renamed", func(t *try) {
			n := opened(t)
			r := t.repo()
			t.ok(t.as("alex").RenameRepo(Repo, "pump2"))
			c, err := t.Adapter.ReadChange(t.Context(), forges.ChangeRef{Repo: r, Number: n}, all())
			t.ok(err)
			equal(t, "name", c.Repo.FullName(), "acme/pump2")
			equal(t, "id", c.Repo.ID, r.ID)
		}},
		{"two readings of the same state have one digest", func(t *try) {
			n := opened(t)
			a := t.read(n)
			t.Advance(time.Hour)
			equal(t, "digest", t.read(n).Digest(), a.Digest())
		}},
		{"a change that is not there", func(t *try) { t.notFound(t.repo(), 99) }},
		{"an issue is no change", func(t *try) {
			n := reported(t)
			t.notFound(t.repo(), n)
		}},
		{"a repository that is not there", func(t *try) {
			r := t.repo()
			r.Name, r.ID = "nothing", "987654321"
			t.notFound(r, 1)
		}},
		{"a private repository out of reach", func(t *try) {
			t.World.AddRepo("sam/secret", sim.RepoOptions{Private: true})
			t.sha(t.as("sam").Push("sam/secret", "topic", sim.NewCommit{Files: map[string]string{"a": "a\n"}}))
			n := t.num(t.as("sam").OpenChange("sam/secret", sim.NewChange{Title: "Topic", Head: "topic"}))
			r := t.repo()
			r.Owner, r.Name, r.ID = "sam", "secret", ""
			t.notFound(r, n)
		}},
		{"a stale reading is an earlier head or an error", func(t *try) {
			n := opened(t)
			old := t.read(n).Head.SHA
			t.sha(t.as("mara").Push(Repo, "rate", sim.NewCommit{Files: map[string]string{"a": "a\n"}}))
			t.World.SetFaults(func(f *sim.Faults) { f.Stale = []sim.Stale{{Repo: Repo, Number: n, Calls: 100}} })
			c, err := t.Adapter.ReadChange(t.Context(), forges.ChangeRef{Repo: t.repo(), Number: n}, all())
			if errors.Is(err, forges.ErrStale) {
				return
			}
			t.ok(err)
			equal(t, "head", c.Head.SHA, old)
			equal(t, "files", len(c.Files), 1)
		}},
	}
}

func (t *try) notFound(r forges.RepoRef, number int) {
	t.Helper()
	_, err := t.Adapter.ReadChange(t.Context(), forges.ChangeRef{Repo: r, Number: number}, all())
	if !errors.Is(err, forges.ErrNotFound) {
		t.Errorf("got %v, want %v", err, forges.ErrNotFound)
	}
}
