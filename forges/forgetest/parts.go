package forgetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"primum/forges"
	"primum/forges/sim"
	"primum/rules/fact"
)

func parts() []contract {
	return slices.Concat(fileParts(), commitParts(), reviewParts(), checkParts(), wordParts(), issueParts(), peopleParts())
}

// push opens a change with these commits.
func (t *try) push(commits ...sim.NewCommit) int {
	t.Helper()
	t.sha(t.as("mara").Push(Repo, "topic", commits...))
	return t.num(t.as("mara").OpenChange(Repo, sim.NewChange{Title: "Topic", Head: "topic"}))
}

func many(n int, at string) map[string]string {
	out := map[string]string{}
	for i := range n {
		out[fmt.Sprintf("%s/%05d.txt", at, i)] = fmt.Sprintf("%d\n", i)
	}
	return out
}

func fileParts() []contract {
	return []contract{
		{"files added, changed, removed and renamed", func(t *try) {
			n := t.push(sim.NewCommit{
				Files:  map[string]string{"ui/screen.c": "int brightness = 4;\nint contrast;\n", "ui/new.c": "int n;\n"},
				Remove: []string{"docs/manual.md"}, Move: map[string]string{"fw/comms/link.c": "fw/comms/radio.c"},
			})
			var got, touched []string
			for _, f := range t.whole(n).Files {
				got = append(got, fmt.Sprintf("%s %s<%s +%d -%d", f.Status, f.Path, f.Previous, f.Added, f.Removed))
				touched = append(touched, f.Touches()...)
			}
			slices.Sort(got)
			slices.Sort(touched)
			equal(t, "paths touched", strings.Join(touched, " "), "docs/manual.md fw/comms/link.c fw/comms/radio.c ui/new.c ui/screen.c")
			if !t.has(forges.ReadsRename) {
				return // it is then one file gone and another new
			}
			want := "added ui/new.c< +1 -0;deleted docs/manual.md< +0 -1;modified ui/screen.c< +2 -1;renamed fw/comms/radio.c<fw/comms/link.c +0 -0"
			equal(t, "files", strings.Join(got, ";"), want)
		}},
		{"diffs of the files asked for, and no others", func(t *try) {
			n := t.push(sim.NewCommit{Files: map[string]string{"ui/screen.c": "int brightness = 4;\n", "docs/manual.md": "# Manual 2\n"}})
			p := all()
			p.DiffPaths = []string{"ui/**"}
			for _, f := range t.readPlan(n, p).Files {
				if f.Path == "ui/screen.c" {
					equal(t, "diff", strings.TrimSuffix(f.Diff, "\n"), "@@ -1 +1 @@\n-int brightness = 3;\n+int brightness = 4;")
					equal(t, "known", f.DiffKnown, true)
				}
			}
		}},
		{"a binary file has no diff", func(t *try) {
			n := t.push(sim.NewCommit{Files: map[string]string{"logo.bin": "\x00\x01\x02"}})
			c := t.read(n)
			equal(t, "files", len(c.Files), 1)
			equal(t, "diff", c.Files[0].Diff, "")
		}},
		{"two pages of files", func(t *try) {
			n := t.push(sim.NewCommit{Files: many(250, "gen")})
			equal(t, "files", len(t.whole(n).Files), 250)
		}},
		{"seventeen hundred renames", func(t *try) {
			const lots = 1700
			t.sha(t.as("alex").Push(Repo, "main", sim.NewCommit{Files: many(lots, "old")}))
			move := map[string]string{}
			for path := range many(lots, "old") {
				move[path] = "new/" + strings.TrimPrefix(path, "old/")
			}
			n := t.push(sim.NewCommit{Move: move})
			c := t.readPlan(n, forges.Plan{Needs: []fact.Need{fact.NeedFiles}})
			if _, known := c.Why(fact.NeedFiles); !known {
				return // then the highest class counts
			}
			paths := map[string]bool{}
			for _, f := range c.Files {
				for _, p := range f.Touches() {
					paths[p] = true
				}
			}
			equal(t, "paths touched", len(paths), 2*lots)
		}},
		{"more files than the forge lists", func(t *try) {
			const lots = 3100
			n := t.push(sim.NewCommit{Files: many(lots, "gen")})
			p := forges.Plan{Needs: []fact.Need{fact.NeedFiles}}
			c := t.readPlan(n, p)
			if _, known := c.Why(fact.NeedFiles); known && len(c.Files) != lots {
				t.Errorf("%d files of %d, and none is said to be missing", len(c.Files), lots)
			}
		}},
		{"the policy of the target and of the head", func(t *try) {
			n := t.push(sim.NewCommit{Files: map[string]string{".primum.yml": Policy + "mode: observe\n"}})
			p := all()
			p.HeadPolicy = true
			c := t.readPlan(n, p)
			equal(t, "policy", c.Policy.Text, Policy)
			equal(t, "policy at", c.Policy.Commit, t.World.Tip(Repo, "main"))
			if c.HeadPolicy == nil || c.HeadPolicy.Text != Policy+"mode: observe\n" {
				t.Errorf("policy of the head is %+v", c.HeadPolicy)
			}
		}},
		{"no policy at all", func(t *try) {
			t.sha(t.as("alex").Push(Repo, "main", sim.NewCommit{Remove: []string{".primum.yml"}}))
			n := t.push(sim.NewCommit{Files: map[string]string{"a": "a\n"}})
			equal(t, "missing", t.read(n).Policy.Missing, true)
		}},
		{"files the policy names", func(t *try) {
			n := t.push(sim.NewCommit{Files: map[string]string{"docs/manual.md": "# Other\n"}})
			p := all()
			p.Files = []string{"docs/manual.md", "docs/none.md"}
			c := t.readPlan(n, p)
			equal(t, "text", c.BaseFiles["docs/manual.md"].Text, "# Manual\n")
			equal(t, "missing", c.BaseFiles["docs/none.md"].Missing, true)
		}},
	}
}

func commitParts() []contract {
	return []contract{
		{"who made a commit", func(t *try) {
			n := t.push(
				sim.NewCommit{Message: "one", Files: map[string]string{"a": "1\n"}, Author: "jonas", CoAuthors: []string{"priya"}},
				sim.NewCommit{Message: "two", Files: map[string]string{"a": "2\n"}, AuthorIdent: &sim.Ident{Name: "Some Body", Email: "some@nowhere.example"}},
			)
			c := t.whole(n)
			if len(c.Commits) != 2 {
				t.Fatalf("%d commits, want 2", len(c.Commits))
			}
			one, two := c.Commits[0], c.Commits[1]
			if len(one.CoAuthors) != 1 {
				t.Fatalf("co-authors %+v", one.CoAuthors)
			}
			for what, of := range map[string]struct {
				is         fact.Identity
				mail, name string
			}{
				"author": {one.Author, "jonas@example.com", "jonas"}, "committer": {one.Committer, "mara@example.com", "mara"},
				"co-author": {one.CoAuthors[0], "priya@example.com", "priya"}, "unknown address": {two.Author, "some@nowhere.example", ""},
			} {
				equal(t, "address of the "+what, of.is.Email, of.mail)
				// Where the forge does not say whose an address is, nobody is better than somebody else.
				if t.has(forges.ReadsEmails) || of.is.Account.Known() {
					equal(t, what, of.is.Account.Login, of.name)
				}
			}
			equal(t, "head", two.SHA, c.Head.SHA)
		}},
		{"signatures", func(t *try) {
			n := t.push(
				sim.NewCommit{Message: "one", Files: map[string]string{"a": "1\n"}, Signature: sim.Signature{Present: true, Valid: true, Reason: "valid"}},
				sim.NewCommit{Message: "two", Files: map[string]string{"a": "2\n"}, Signature: sim.Signature{Present: true, Reason: "unknown_key"}},
				sim.NewCommit{Message: "three", Files: map[string]string{"a": "3\n"}},
			)
			c := t.whole(n)
			if !t.has(forges.ReadsSignatures) {
				for _, k := range c.Commits {
					equal(t, "signature of "+k.Message, k.Signature.Present || k.Signature.Valid, false)
				}
				return
			}
			equal(t, "one", c.Commits[0].Signature.Valid, true)
			equal(t, "two", c.Commits[1].Signature.Present && !c.Commits[1].Signature.Valid && c.Commits[1].Signature.Reason != "", true)
			equal(t, "three", c.Commits[2].Signature.Present, false)
		}},
		{"two pages of commits", func(t *try) {
			n := t.push(steps(130)...)
			equal(t, "commits", len(t.whole(n).Commits), 130)
		}},
		{"more commits than the forge lists", func(t *try) {
			n := t.push(steps(270)...)
			c := t.readPlan(n, forges.Plan{Needs: []fact.Need{fact.NeedCommits}})
			if _, known := c.Why(fact.NeedCommits); known {
				equal(t, "commits", len(c.Commits), 270)
				equal(t, "last", c.Commits[269].SHA, c.Head.SHA)
			}
		}},
	}
}

func steps(n int) []sim.NewCommit {
	var out []sim.NewCommit
	for i := range n {
		out = append(out, sim.NewCommit{Message: fmt.Sprint("step ", i), Files: map[string]string{"a": fmt.Sprintln(i)}})
	}
	return out
}

func reviewParts() []contract {
	return []contract{
		{"an approval and the commit it was given on", func(t *try) {
			n := opened(t)
			first, _ := t.World.Issue(Repo, n)
			t.id(t.as("priya").Approve(Repo, n, "/primum sign verified"))
			t.sha(t.as("mara").Push(Repo, "rate", sim.NewCommit{Files: map[string]string{"a": "a\n"}}))
			c := t.whole(n)
			if len(c.Reviews) != 1 {
				t.Fatalf("%d reviews, want 1", len(c.Reviews))
			}
			r := c.Reviews[0]
			equal(t, "state", r.State, fact.Approved)
			equal(t, "author", r.Author.Login, "priya")
			if t.has(forges.ReadsReviewText) {
				equal(t, "first", r.First, "/primum sign verified")
				equal(t, "first known", r.FirstKnown, true)
			} else {
				equal(t, "body", r.Body+r.First, "")
			}
			if !t.has(forges.ReadsReviewCommit) && r.Commit == "" {
				equal(t, "patch of an unknown commit", r.Patch, "")
				return
			}
			equal(t, "commit", r.Commit, first.Change.Head)
			if r.Patch == "" || r.Patch == c.Patch {
				t.Errorf("patch of the review %q, of the change %q: they differ in content", r.Patch, c.Patch)
			}
		}},
		{"an approval is never given on a commit that came later", func(t *try) {
			n := opened(t)
			t.id(t.as("priya").Approve(Repo, n, ""))
			for i := range 3 {
				if i == 1 { // the first push comes in the same second as the approval
					t.Advance(time.Minute)
				}
				t.sha(t.as("mara").Push(Repo, "rate", sim.NewCommit{Files: map[string]string{"a": fmt.Sprintln(i)}}))
				c := t.whole(n)
				for _, r := range c.Reviews {
					if r.Commit == c.Head.SHA {
						t.Errorf("after push %d the approval is said to be for it", i)
					}
				}
			}
		}},
		{"an approval given anew is for the new commit", func(t *try) {
			n := opened(t)
			t.id(t.as("priya").Approve(Repo, n, ""))
			t.Advance(time.Minute)
			t.sha(t.as("mara").Push(Repo, "rate", sim.NewCommit{Files: map[string]string{"a": "a\n"}}))
			t.Advance(time.Minute)
			is, _ := t.World.Issue(Repo, n)
			_ = t.as("priya").DismissReview(Repo, n, is.Change.Reviews[0].ID, "new commits") // gone already where a push resets it
			t.id(t.as("priya").Approve(Repo, n, ""))
			c := t.whole(n)
			last := c.Reviews[len(c.Reviews)-1]
			equal(t, "state", last.State, fact.Approved)
			if t.has(forges.ReadsReviewCommit) || last.Commit != "" {
				equal(t, "commit", last.Commit, c.Head.SHA)
			}
		}},
		{"an approval before a rebase has the same patch", func(t *try) {
			n := opened(t)
			t.id(t.as("priya").Approve(Repo, n, ""))
			t.sha(t.as("alex").Push(Repo, "main", sim.NewCommit{Files: map[string]string{"b": "b\n"}}))
			t.Advance(time.Minute)
			t.sha(t.as("mara").Rebase(Repo, "rate", "main"))
			c := t.whole(n)
			if c.Reviews[0].Commit == c.Head.SHA {
				t.Fatal("nothing was rebased")
			}
			if !t.has(forges.ReadsReviewCommit) && c.Reviews[0].Commit == "" {
				equal(t, "patch of an unknown commit", c.Reviews[0].Patch, "")
				return
			}
			equal(t, "patch of the change is known", c.Patch != "", true)
			equal(t, "patch", c.Reviews[0].Patch, c.Patch)
		}},
		{"a refusal, a remark", func(t *try) {
			n := opened(t)
			t.id(t.as("priya").RequestChanges(Repo, n, "no"))
			t.id(t.as("chen").Review(Repo, n, sim.Commented, "", "hm"))
			c := t.whole(n)
			states := map[string]fact.ReviewState{}
			for _, r := range c.Reviews {
				states[r.Author.Login] = r.State
			}
			if t.has(forges.ReadsRefusals) {
				equal(t, "first", states["priya"], fact.ChangesRequested)
			} else {
				equal(t, "an approval", states["priya"] == fact.Approved, false)
			}
			// A remark is a review, or a comment where reviews are approvals only.
			if t.has(forges.ReadsReviewText) {
				equal(t, "second", states["chen"], fact.Commented)
				return
			}
			equal(t, "the remark is read", slices.ContainsFunc(c.Comments, func(k fact.Comment) bool { return k.Body == "hm" && k.Author.Login == "chen" }), true)
		}},
		{"a dismissed review and who dismissed it", func(t *try) {
			n := opened(t)
			id := t.id(t.as("priya").Approve(Repo, n, ""))
			t.Advance(time.Minute)
			t.ok(t.as("chen").DismissReview(Repo, n, id, "stale"))
			c := t.whole(n)
			for _, r := range c.Reviews { // where nothing is left of it, none
				equal(t, "state", r.State, fact.Dismissed)
			}
			if !t.has(forges.ReadsDismissals) {
				for _, r := range c.Reviews {
					equal(t, "by", r.DismissedBy.Known(), false)
				}
				return
			}
			r := c.Reviews[0]
			equal(t, "by", r.DismissedBy.Login, "chen")
			if r.DismissedAt.IsZero() {
				t.Error("no time")
			}
		}},
		{"an edited review is not as first posted", func(t *try) {
			n := opened(t)
			id := t.id(t.as("priya").Approve(Repo, n, "one"))
			t.Advance(time.Minute)
			t.ok(t.as("chen").EditReview(Repo, n, id, "two"))
			r := t.whole(n).Reviews[0]
			if !t.has(forges.ReadsReviewText) {
				equal(t, "body", r.Body+r.First, "")
				return
			}
			if r.FirstKnown && r.Body == "one" { // a forge may keep a review's words as they were submitted
				equal(t, "first", r.First, "one")
				return
			}
			equal(t, "body", r.Body, "two")
			editor := ""
			if t.has(forges.ReadsEditors) {
				editor = "chen"
			}
			equal(t, "editor", r.Editor.Login, editor)
			if r.FirstKnown && r.First != "one" {
				t.Errorf("first is known as %q", r.First)
			}
		}},
		{"threads", func(t *try) {
			n := opened(t)
			one := t.id(t.as("priya").OpenThread(Repo, n, "fw/dosing/rate.c", 3, "why\nreally"))
			t.id(t.as("chen").OpenThread(Repo, n, "fw/dosing/rate.c", 1, "name"))
			t.ok(t.as("mara").ResolveThread(Repo, n, one))
			c := t.read(n)
			if !t.has(forges.ReadsThreads) {
				_, known := c.Why(fact.NeedThreads)
				equal(t, "threads are known", known, false)
				return
			}
			equal(t, "threads", len(c.Threads), 2)
			equal(t, "resolved", c.Threads[0].Resolved, true)
			equal(t, "open", c.Threads[1].Resolved, false)
			equal(t, "excerpt", c.Threads[0].Excerpt, "why")
			equal(t, "path", c.Threads[0].Path, "fw/dosing/rate.c")
			equal(t, "line", c.Threads[0].Line, 3)
			equal(t, "author", c.Threads[0].Author.Login, "priya")
		}},
		{"a thread on lines that changed", func(t *try) {
			n := opened(t)
			t.id(t.as("priya").OpenThread(Repo, n, "fw/dosing/rate.c", 3, "why"))
			t.sha(t.as("mara").Push(Repo, "rate", sim.NewCommit{Files: map[string]string{"fw/dosing/rate.c": "int rate;\n"}}))
			c := t.read(n)
			if !t.has(forges.ReadsThreads) {
				equal(t, "threads", len(c.Threads), 0)
				return
			}
			equal(t, "outdated", c.Threads[0].Outdated, t.has(forges.ReadsOutdated))
		}},
		{"two pages of reviews and threads", func(t *try) {
			n := opened(t)
			for range 110 {
				t.id(t.as("priya").OpenThread(Repo, n, "fw/dosing/rate.c", 3, "why"))
			}
			c := t.read(n)
			if t.has(forges.ReadsThreads) {
				equal(t, "threads", len(c.Threads), 110)
			}
			if t.has(forges.ReadsReviewText) {
				equal(t, "reviews", len(c.Reviews), 110)
			} else { // words on a line are no approval
				equal(t, "reviews", len(c.Reviews), 0)
			}
		}},
	}
}

func checkParts() []contract {
	head := func(t *try, n int) string {
		is, _ := t.World.Issue(Repo, n)
		return is.Change.Head
	}
	find := func(t *try, c *fact.Change, name string) fact.Check {
		t.Helper()
		for _, k := range c.Checks {
			if k.Name == name {
				return k
			}
		}
		t.Fatalf("no check %s", name)
		return fact.Check{}
	}
	return []contract{
		{"checks of others in every state", func(t *try) {
			n := opened(t)
			ci := t.World.AsApp("ci")
			for name, conclusion := range map[string]string{"a": "success", "b": "failure", "c": "cancelled", "d": "skipped", "e": "neutral", "f": "timed_out", "g": ""} {
				t.id(ci.CreateCheck(Repo, sim.CheckRun{SHA: head(t, n), Name: name, Conclusion: conclusion}))
			}
			c := t.whole(n)
			for name, want := range map[string]fact.CheckState{
				"a": fact.CheckSuccess, "b": fact.CheckFailure, "c": fact.CheckCancelled, "d": fact.CheckSkipped, "e": fact.CheckNeutral, "f": fact.CheckFailure, "g": fact.CheckPending,
			} {
				got := find(t, c, name).State
				if t.has(forges.DoesNeutral) {
					equal(t, "check "+name, got, want)
					continue
				}
				// A forge of few words tells fewer states apart, and takes none for green.
				equal(t, "check "+name+" is green", got == fact.CheckSuccess, want == fact.CheckSuccess)
				if want == fact.CheckFailure || want == fact.CheckPending {
					equal(t, "check "+name, got, want)
				}
			}
			equal(t, "source", find(t, c, "a").Source, t.source())
		}},
		{"statuses and who set them", func(t *try) {
			n := opened(t)
			t.id(t.as("jonas").SetStatus(Repo, head(t, n), sim.Status{Context: "bench", State: "failure"}))
			t.id(t.as("jonas").SetStatus(Repo, head(t, n), sim.Status{Context: "bench", State: "success"}))
			t.id(t.as("jonas").SetStatus(Repo, head(t, n), sim.Status{Context: "soak", State: "pending"}))
			t.id(t.as("jonas").SetStatus(Repo, head(t, n), sim.Status{Context: "hil", State: "error"}))
			c := t.whole(n)
			equal(t, "bench", find(t, c, "bench").State, fact.CheckSuccess)
			equal(t, "soak", find(t, c, "soak").State, fact.CheckPending)
			equal(t, "hil", find(t, c, "hil").State, fact.CheckFailure)
			if t.has(forges.ReadsCheckSource) {
				equal(t, "source", find(t, c, "bench").Source, "jonas")
			} else {
				equal(t, "source", find(t, c, "bench").Source, "")
			}
		}},
		{"the newest run of a name counts", func(t *try) {
			n := opened(t)
			t.id(t.World.AsApp("ci").CreateCheck(Repo, sim.CheckRun{SHA: head(t, n), Name: "build", Conclusion: "failure"}))
			t.id(t.World.AsApp("ci").CreateCheck(Repo, sim.CheckRun{SHA: head(t, n), Name: "build", Conclusion: "success"}))
			equal(t, "build", find(t, t.whole(n), "build").State, fact.CheckSuccess)
		}},
		{"checks of an earlier head do not count", func(t *try) {
			n := opened(t)
			t.id(t.World.AsApp("ci").CreateCheck(Repo, sim.CheckRun{SHA: head(t, n), Name: "build", Conclusion: "success"}))
			t.sha(t.as("mara").Push(Repo, "rate", sim.NewCommit{Files: map[string]string{"a": "a\n"}}))
			equal(t, "checks", len(t.whole(n).Checks), 0)
		}},
		{"our own check is ours", func(t *try) {
			n := opened(t)
			posted, err := t.Adapter.SetVerdict(t.Context(), t.repo(), head(t, n), forges.Report{Name: "primum", State: forges.ReportFailure, Title: "t", Summary: "s", External: "key"}, forges.Posted{})
			t.ok(err)
			k := find(t, t.whole(n), "primum")
			equal(t, "ours", k.Ours, true)
			if t.has(forges.ReadsCheckKey) {
				equal(t, "external id", k.ExternalID, "key")
			} else {
				equal(t, "external id", k.ExternalID, "")
			}
			equal(t, "id", k.ID, posted.ID)
		}},
		{"a status named like our check, by somebody else", func(t *try) {
			n := opened(t)
			posted, err := t.Adapter.SetVerdict(t.Context(), t.repo(), head(t, n), report(forges.ReportFailure), forges.Posted{})
			t.ok(err)
			t.Advance(time.Minute)
			t.id(t.as("mara").SetStatus(Repo, head(t, n), sim.Status{Context: "primum", State: "success", Description: "all is well"}))
			mine, theirs := named(t.whole(n), "primum")
			if len(theirs) != 1 || len(mine) > 1 {
				t.Fatalf("ours %+v, theirs %+v: want theirs once and ours at most once", mine, theirs)
			}
			equal(t, "state", theirs[0].State, fact.CheckSuccess)
			if t.has(forges.ReadsCheckSource) {
				equal(t, "source", theirs[0].Source, "mara")
			}
			if len(mine) == 1 {
				equal(t, "ours as posted", mine[0].ID, posted.ID)
				equal(t, "theirs is newer", when(theirs[0]).After(when(mine[0])), true)
			}
			if when(theirs[0]).IsZero() || theirs[0].ID == "" && !t.Adapter.Capabilities().PinnedCheck {
				t.Errorf("it has no time or no id: %+v", theirs[0])
			}
		}},
		{"our verdict after a status of somebody else stands on top", func(t *try) {
			n := opened(t)
			posted, err := t.Adapter.SetVerdict(t.Context(), t.repo(), head(t, n), report(forges.ReportFailure), forges.Posted{})
			t.ok(err)
			t.Advance(time.Minute)
			t.id(t.as("mara").SetStatus(Repo, head(t, n), sim.Status{Context: "primum", State: "success"}))
			t.Advance(time.Minute)
			posted, err = t.Adapter.SetVerdict(t.Context(), t.repo(), head(t, n), report(forges.ReportFailure), posted)
			t.ok(err)
			state, _ := t.stands(head(t, n))
			equal(t, "what stands", state, "failure")
			mine, theirs := named(t.whole(n), "primum")
			if len(mine) != 1 {
				t.Fatalf("ours %+v", mine)
			}
			equal(t, "state", mine[0].State, fact.CheckFailure)
			equal(t, "id", mine[0].ID, posted.ID)
			if !t.Adapter.Capabilities().PinnedCheck {
				for _, k := range theirs {
					equal(t, "ours is newer", when(mine[0]).After(when(k)), true)
				}
			}
		}},
		{"two posters of one name are two checks", func(t *try) {
			n := opened(t)
			for i, by := range []string{"jonas", "mara"} {
				t.Advance(time.Minute)
				t.id(t.as(by).SetStatus(Repo, head(t, n), sim.Status{Context: "bench", State: []string{"failure", "success"}[i]}))
			}
			_, theirs := named(t.whole(n), "bench")
			var newest fact.Check
			for _, k := range theirs {
				if newest.ID == "" || when(k).After(when(newest)) {
					newest = k
				}
			}
			equal(t, "newest", newest.State, fact.CheckSuccess)
			if t.has(forges.ReadsCheckSource) {
				equal(t, "source of the newest", newest.Source, "mara")
			}
		}},
		{"two pages of checks", func(t *try) {
			n := opened(t)
			for i := range 120 {
				t.id(t.World.AsApp("ci").CreateCheck(Repo, sim.CheckRun{SHA: head(t, n), Name: fmt.Sprint("job ", i), Conclusion: "success"}))
			}
			equal(t, "checks", len(t.whole(n).Checks), 120)
		}},
	}
}

// named are the checks of a name: ours, and those of others.
func named(c *fact.Change, name string) (mine, theirs []fact.Check) {
	for _, k := range c.Checks {
		switch {
		case k.Name != name:
		case k.Ours:
			mine = append(mine, k)
		default:
			theirs = append(theirs, k)
		}
	}
	return mine, theirs
}

// when is when a check was last set.
func when(k fact.Check) time.Time {
	if k.FinishedAt.After(k.StartedAt) {
		return k.FinishedAt
	}
	return k.StartedAt
}

func wordParts() []contract {
	return []contract{
		{"comments with who wrote and who edited them", func(t *try) {
			n := opened(t)
			one := t.id(t.as("jonas").Comment(Repo, n, "/primum recheck"))
			t.id(t.as("chen").Comment(Repo, n, "hello"))
			t.Advance(time.Minute)
			t.ok(t.as("alex").EditComment(Repo, one, "/primum hold"))
			c := t.whole(n)
			equal(t, "comments", len(c.Comments), 2)
			k := c.Comments[0]
			equal(t, "ids", k.ID != "" && k.ID != c.Comments[1].ID, true)
			equal(t, "author", k.Author.Login, "jonas")
			editor := ""
			if t.has(forges.ReadsEditors) {
				editor = "alex"
			}
			equal(t, "editor", k.Editor.Login, editor)
			equal(t, "the edit is told", !k.EditedAt.IsZero(), t.has(forges.ReadsEdits))
			if k.FirstKnown && k.First != "/primum recheck" {
				t.Errorf("edited at %v, first %q known %t", k.EditedAt, k.First, k.FirstKnown)
			}
			// Where edits are not told nobody knows what a comment first said.
			equal(t, "unedited is known", c.Comments[1].FirstKnown, t.has(forges.ReadsEdits))
			if c.Comments[1].FirstKnown {
				equal(t, "unedited", c.Comments[1].First, "hello")
			}
		}},
		{"a hidden comment", func(t *try) {
			n := opened(t)
			id := t.id(t.as("jonas").Comment(Repo, n, "x"))
			t.ok(t.as("alex").Minimize(Repo, id, "outdated"))
			equal(t, "minimized", t.whole(n).Comments[0].Minimized, t.has(forges.ReadsMinimized))
		}},
		{"our own comment is ours", func(t *try) {
			n := opened(t)
			_, err := t.Adapter.PutComment(t.Context(), forges.ChangeRef{Repo: t.repo(), Number: n}, "", "hello")
			t.ok(err)
			k := t.whole(n).Comments[0]
			equal(t, "ours", k.Ours, true)
			if t.has(forges.ReadsBots) {
				equal(t, "a bot", k.Author.Bot, true)
			}
		}},
		{"two pages of comments", func(t *try) {
			n := opened(t)
			for i := range 230 {
				t.id(t.as("jonas").Comment(Repo, n, fmt.Sprint("comment ", i)))
			}
			c := t.whole(n)
			equal(t, "comments", len(c.Comments), 230)
			equal(t, "last", c.Comments[229].Body, "comment 229")
		}},
	}
}

func issueParts() []contract {
	issue := func(t *try, c *fact.Change, n int) *fact.Issue {
		t.Helper()
		is := c.Issue(n)
		if is == nil {
			t.Fatalf("issue %d was not read; read were %d", n, len(c.Issues))
		}
		return is
	}
	// closing reads a change that closes an issue. Where the forge itself does not
	// link, the plan names what the text does, as the bot's second reading does.
	closing := func(t *try, numbers ...int) *fact.Change {
		t.Helper()
		p := all()
		var body strings.Builder
		for _, n := range numbers {
			fmt.Fprintf(&body, "Fixes #%d\n", n)
			if !t.has(forges.ReadsForgeLinks) {
				p.Issues = append(p.Issues, fmt.Sprintf("#%d", n))
			}
		}
		c := t.readPlan(t.change(body.String()), p)
		for need, why := range c.Unknown {
			t.Errorf("%s is unknown: %s", need, why)
		}
		return c
	}
	return []contract{
		{"an issue the change closes", func(t *try) {
			n := reported(t)
			c := closing(t, n)
			is := issue(t, c, n)
			equal(t, "title", is.Title, "Rate drifts")
			equal(t, "body", is.Body, "It drifts.")
			equal(t, "state", is.State, fact.Open)
			equal(t, "author", is.Author.Login, "jonas")
			if !slices.Equal(is.Labels, []string{"bug"}) {
				t.Errorf("labels %v", is.Labels)
			}
			switch {
			case !t.has(forges.ReadsLabelEvents):
				equal(t, "label events", len(is.LabelEvents), 0)
			case len(is.LabelEvents) != 1 || is.LabelEvents[0].Actor.Login != "jonas" || !is.LabelEvents[0].Added:
				t.Errorf("label events %+v", is.LabelEvents)
			}
			closes := slices.ContainsFunc(c.Links, func(l fact.Link) bool { return l.Number == n && l.Kind == fact.LinkForge && l.Closes })
			equal(t, "the forge links it", closes, t.has(forges.ReadsForgeLinks))
		}},
		{"an issue linked by hand", func(t *try) {
			n := reported(t)
			change := opened(t)
			t.ok(t.as("chen").LinkIssue(Repo, change, n))
			equal(t, "it is read", t.whole(change).Issue(n) != nil, t.has(forges.ReadsHandLinks))
		}},
		{"an issue the bot knows to be linked", func(t *try) {
			n := reported(t)
			change := opened(t)
			p := all()
			p.Issues = []string{fmt.Sprintf("#%d", n), fmt.Sprintf("%s#%d", Repo, n)}
			equal(t, "title", issue(t, t.readPlan(change, p), n).Title, "Rate drifts")
		}},
		{"an issue that is not there", func(t *try) {
			change := opened(t)
			p := all()
			p.Issues = []string{"#77"}
			is := issue(t, t.readPlan(change, p), 77)
			if is.Problem == "" {
				t.Error("no problem is told")
			}
		}},
		{"a number that belongs to a change", func(t *try) {
			one := opened(t)
			t.sha(t.as("mara").Push(Repo, "other", sim.NewCommit{Files: map[string]string{"a": "a\n"}}))
			two := t.num(t.as("mara").OpenChange(Repo, sim.NewChange{Title: "Other", Head: "other"}))
			p := all()
			p.Issues = []string{fmt.Sprintf("#%d", one)}
			is := issue(t, t.readPlan(two, p), one)
			if t.Adapter.Capabilities().ChangeSign == "#" {
				equal(t, "is a change", is.IsChange, true)
			} else { // counted apart, no issue has the number
				equal(t, "is a change or is not there", is.IsChange || is.Problem != "", true)
			}
		}},
		{"labels come and go with who and when", func(t *try) {
			n := reported(t)
			t.Advance(time.Minute)
			t.ok(t.as("chen").Unlabel(Repo, n, "bug"))
			t.Advance(time.Minute)
			t.ok(t.as("priya").Label(Repo, n, "change-request"))
			is := issue(t, closing(t, n), n)
			equal(t, "labels", strings.Join(is.Labels, " "), "change-request")
			if !t.has(forges.ReadsLabelEvents) {
				equal(t, "label events", len(is.LabelEvents), 0)
				return
			}
			var got []string
			for _, e := range is.LabelEvents {
				got = append(got, fmt.Sprintf("%s %t %s", e.Label, e.Added, e.Actor.Login))
			}
			equal(t, "events", strings.Join(got, ", "), "bug true jonas, bug false chen, change-request true priya")
		}},
		{"who changed the text of an issue", func(t *try) {
			n := reported(t)
			t.Advance(time.Minute)
			t.ok(t.as("chen").SetBody(Repo, n, "Other."))
			is := issue(t, closing(t, n), n)
			if t.has(forges.ReadsEditors) {
				equal(t, "editor", is.TextEditor.Login, "chen")
			} else {
				equal(t, "editor", is.TextEditor.Known(), false)
			}
			// A forge that does not tell edits apart gives a later time rather than
			// none, or an approval of the former text would pass for one of this.
			equal(t, "edited since", is.TextEditedAt.Before(t.World.Now().Truncate(time.Second)), false)
		}},
		{"who changed the title of an issue", func(t *try) {
			n := reported(t)
			t.Advance(time.Minute)
			t.ok(t.as("priya").SetTitle(Repo, n, "Other"))
			is := issue(t, closing(t, n), n)
			if t.has(forges.ReadsEditors) || is.TextEditor.Known() {
				equal(t, "editor", is.TextEditor.Login, "priya")
			}
			equal(t, "edited since", is.TextEditedAt.Before(t.World.Now().Truncate(time.Second)), false)
		}},
		{"comments of an issue", func(t *try) {
			n := reported(t)
			for i := range 120 {
				t.id(t.as("chen").Comment(Repo, n, fmt.Sprint("comment ", i)))
			}
			is := issue(t, closing(t, n), n)
			equal(t, "comments", len(is.Comments), 120)
			equal(t, "last", is.Comments[119].Body, "comment 119")
		}},
		{"a closed issue and why", func(t *try) {
			n := reported(t)
			t.ok(t.as("chen").Close(Repo, n, "not_planned"))
			is := issue(t, closing(t, n), n)
			equal(t, "state", is.State, fact.Closed)
			reason := ""
			if t.has(forges.ReadsCloseReason) {
				reason = "not_planned"
			}
			equal(t, "reason", is.Reason, reason)
		}},
		{"an issue that a merge leaves open", func(t *try) {
			on := reported(t)
			n := reported(t)
			change := t.change(fmt.Sprintf("Fixes #%d", n))
			p := all()
			p.Issues = []string{fmt.Sprintf("#%d", n)}
			equal(t, "blocked by", len(issue(t, t.readPlan(change, p), n).BlockedBy), 0)
			t.ok(t.as("alex").AddDependency(Repo, n, Repo, on))
			blocked := issue(t, t.readPlan(change, p), n).BlockedBy
			t.sha(t.as("jonas").Merge(Repo, change, sim.MergeOptions{}))
			after, _ := t.World.Issue(Repo, n)
			var want []string
			if after.State == sim.Open { // else the forge closes it all the same
				want = []string{fmt.Sprintf("%s#%d", Repo, on)}
			}
			equal(t, "blocked by", strings.Join(blocked, " "), strings.Join(want, " "))
		}},
		{"the type of an issue", func(t *try) {
			n := reported(t)
			t.ok(t.as("chen").SetType(Repo, n, "Bug"))
			kind := ""
			if t.has(forges.ReadsIssueType) {
				kind = "Bug"
			}
			equal(t, "type", issue(t, closing(t, n), n).Type, kind)
		}},
		{"more issues than one page", func(t *try) {
			var numbers []int
			for range 23 {
				numbers = append(numbers, reported(t))
			}
			equal(t, "issues", len(closing(t, numbers...).Issues), 23)
		}},
	}
}

func peopleParts() []contract {
	who := func(t *try, names ...string) map[string]fact.Principal {
		t.Helper()
		p := all()
		p.Principals = names
		return t.readPlan(opened(t), p).People
	}
	forget := func(t *try) {
		if cache, ok := t.Adapter.(forges.PeopleCache); ok {
			cache.Forget(Org)
		}
	}
	logins := func(p fact.Principal) string {
		var out []string
		for _, m := range p.Members {
			out = append(out, m.Login)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	return []contract{
		{"the people of a team", func(t *try) { equal(t, "members", logins(who(t, "team:firmware")["team:firmware"]), "jonas mara") }},
		{"the people of the teams below a team", func(t *try) {
			p := who(t, "team:engineering")["team:engineering"]
			if t.has(forges.ReadsTeamsBelow) {
				equal(t, "members", logins(p), "jonas mara priya")
				return
			}
			equal(t, "members", len(p.Members), 0)
			equal(t, "no problem", p.Problem == "", false)
		}},
		{"one person", func(t *try) { equal(t, "members", logins(who(t, "user:chen")["user:chen"]), "chen") }},
		{"a team that is not there has a problem and nobody", func(t *try) {
			p := who(t, "team:none")["team:none"]
			equal(t, "members", len(p.Members), 0)
			equal(t, "no problem", p.Problem == "", false)
		}},
		{"a person who is not there", func(t *try) {
			p := who(t, "user:nobody")["user:nobody"]
			equal(t, "members", len(p.Members), 0)
			equal(t, "no problem", p.Problem == "", false)
		}},
		{"a team of many", func(t *try) {
			for i := range 130 {
				login := fmt.Sprintf("dev%03d", i)
				t.World.AddUser(login, "")
				t.ok(t.as("alex").AddTeamMember(Org, "qa", login))
			}
			equal(t, "members", len(who(t, "team:qa")["team:qa"].Members), 131)
		}},
		{"teams we may not see", func(t *try) {
			t.Forbid("members")
			p := all()
			p.Principals = []string{"team:firmware"}
			c := t.readPlan(opened(t), p)
			_, known := c.Why(fact.NeedPeople)
			if known && c.People["team:firmware"].Problem == "" {
				t.Errorf("people %+v, and nothing is said", c.People)
			}
			equal(t, "members", len(c.People["team:firmware"].Members), 0)
		}},
		{"a team that was renamed", func(t *try) {
			p := all()
			p.Principals = []string{"team:firmware", "team:embedded"}
			n := opened(t)
			equal(t, "before", logins(t.readPlan(n, p).People["team:firmware"]), "jonas mara")
			t.ok(t.as("alex").RenameTeam(Org, "firmware", "embedded", "Embedded"))
			forget(t)
			after := t.readPlan(n, p).People
			equal(t, "by its new name", logins(after["team:embedded"]), "jonas mara")
			// The old name gives the same people, where the forge forwards it, or nobody and a reason.
			if old := after["team:firmware"]; len(old.Members) > 0 || old.Problem == "" {
				equal(t, "by its old name", logins(old), "jonas mara")
			}
		}},
		{"a team that was deleted gives its role to nobody", func(t *try) {
			p := all()
			p.Principals = []string{"team:qa"}
			n := opened(t)
			equal(t, "before", logins(t.readPlan(n, p).People["team:qa"]), "chen")
			t.ok(t.as("alex").DeleteTeam(Org, "qa"))
			forget(t)
			after := t.readPlan(n, p).People["team:qa"]
			equal(t, "members", len(after.Members), 0)
			equal(t, "no problem", after.Problem == "", false)
		}},
		{"a member whose account is deleted", func(t *try) {
			p := all()
			p.Principals = []string{"team:firmware", "user:jonas"}
			n := opened(t)
			t.readPlan(n, p)
			t.World.DeleteUser("jonas")
			forget(t)
			after := t.readPlan(n, p).People
			equal(t, "team", logins(after["team:firmware"]), "mara")
			equal(t, "person", len(after["user:jonas"].Members), 0)
			equal(t, "no problem", after["user:jonas"].Problem == "", false)
		}},
		{"a member who changed the login is the same person", func(t *try) {
			p := all()
			p.Principals = []string{"team:test"}
			n := opened(t)
			before := t.readPlan(n, p).People["team:test"].Members
			t.World.RenameUser("priya", "priya-nair")
			forget(t)
			after := t.readPlan(n, p).People["team:test"]
			equal(t, "members", logins(after), "priya-nair")
			equal(t, "same person", len(before) == 1 && after.Members[0].Is(before[0]), true)
		}},
		{"an approval of somebody whose account is deleted is nobody's", func(t *try) {
			n := opened(t)
			t.id(t.as("priya").Approve(Repo, n, ""))
			t.World.DeleteUser("priya")
			for _, r := range t.read(n).Reviews {
				equal(t, "author is known", r.Author.Known(), false)
			}
		}},
		{"somebody who left is told after asking again", func(t *try) {
			p := all()
			p.Principals = []string{"team:firmware"}
			n := opened(t)
			equal(t, "before", logins(t.readPlan(n, p).People["team:firmware"]), "jonas mara")
			t.ok(t.as("alex").RemoveTeamMember(Org, "firmware", "jonas"))
			forget(t)
			equal(t, "after", logins(t.readPlan(n, p).People["team:firmware"]), "mara")
		}},
	}
}
