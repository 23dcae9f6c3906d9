package sim_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"primum/forges/forgetest"
	"primum/forges/sim"
)

const repo = forgetest.Repo

// world is the standard world and a change of mara's in it.
func world(t *testing.T) (f *sim.Forge, number int) {
	t.Helper()
	f = sim.New(sim.Options{Seed: 1})
	forgetest.Populate(f)
	push(t, f, "mara", "rate", map[string]string{"fw/dosing/rate.c": "int rate;\n"})
	n, err := f.As("mara").OpenChange(repo, sim.NewChange{Title: "Rate", Head: "rate"})
	if err != nil {
		t.Fatal(err)
	}
	return f, n
}

func push(t *testing.T, f *sim.Forge, who, branch string, files map[string]string) string {
	t.Helper()
	sha, err := f.As(who).Push(repo, branch, sim.NewCommit{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused compares the kind of a refusal and a word of its reason.
func refused(t *testing.T, err error, kind sim.RefusalKind, word string) {
	t.Helper()
	var r *sim.Refusal
	if !errors.As(err, &r) || r.Kind != kind || !strings.Contains(r.Error(), word) {
		t.Errorf("got %v, want %s with %q", err, kind, word)
	}
}

func TestProtectionHoldsAMergeUntilItIsSatisfied(t *testing.T) {
	t.Parallel()
	f, n := world(t)
	head := f.Tip(repo, "rate")
	ours := f.AddApp("primum", "Primum", forgetest.Org)
	f.Install("primum", forgetest.Org, sim.InstallOptions{})
	ok(t, f.As("alex").Protect(repo, "main", &sim.Protection{
		Checks: []sim.RequiredCheck{{Name: "primum", App: ours.ID}}, Approvals: 1, ResolveThreads: true,
	}))
	merge := func(by string, o sim.MergeOptions) error {
		_, err := f.As(by).Merge(repo, n, o)
		return err
	}
	refused(t, merge("mara", sim.MergeOptions{}), sim.Blocked, `"primum" is expected`)

	_, err := f.AsApp("ci").CreateCheck(repo, sim.CheckRun{SHA: head, Name: "primum", Conclusion: "success"})
	ok(t, err)
	refused(t, merge("mara", sim.MergeOptions{}), sim.Blocked, "was not set by the expected GitHub App")

	id, err := f.AsApp("primum").CreateCheck(repo, sim.CheckRun{SHA: head, Name: "primum", Conclusion: "failure"})
	ok(t, err)
	refused(t, merge("mara", sim.MergeOptions{}), sim.Blocked, "is failing")
	ok(t, f.AsApp("primum").UpdateCheck(repo, id, func(r *sim.CheckRun) { r.Conclusion = "success" }))

	refused(t, merge("mara", sim.MergeOptions{}), sim.Blocked, "At least 1 approving review")
	_, err = f.As("sam").Approve(repo, n, "")
	ok(t, err)
	refused(t, merge("mara", sim.MergeOptions{}), sim.Blocked, "At least 1 approving review") // sam may not write
	_, err = f.As("mara").Approve(repo, n, "")
	refused(t, err, sim.Invalid, "your own")
	_, err = f.As("jonas").RequestChanges(repo, n, "no")
	ok(t, err)
	_, err = f.As("priya").Approve(repo, n, "")
	ok(t, err)
	refused(t, merge("mara", sim.MergeOptions{}), sim.Blocked, "Changes requested by jonas")
	_, err = f.As("jonas").Approve(repo, n, "yes")
	ok(t, err)

	thread, err := f.As("priya").OpenThread(repo, n, "fw/dosing/rate.c", 1, "why")
	ok(t, err)
	refused(t, merge("mara", sim.MergeOptions{}), sim.Blocked, "conversation must be resolved")
	ok(t, f.As("mara").ResolveThread(repo, n, thread))

	refused(t, merge("sam", sim.MergeOptions{}), sim.Forbidden, "sam")
	refused(t, merge("mara", sim.MergeOptions{Head: strings.Repeat("1", 40)}), sim.Moved, "head is")
	if left := f.Hinders(repo, n); len(left) != 0 {
		t.Errorf("still hindered: %v", left)
	}
	ok(t, merge("mara", sim.MergeOptions{}))
	if text, _ := f.File(repo, "main", "fw/dosing/rate.c"); text != "int rate;\n" {
		t.Errorf("main has %q", text)
	}
	refused(t, merge("mara", sim.MergeOptions{}), sim.Blocked, "already merged")
}

func TestOnlyAnAdministratorMayBypassAndNotEverywhere(t *testing.T) {
	t.Parallel()
	f, n := world(t)
	ok(t, f.As("alex").Protect(repo, "main", &sim.Protection{Approvals: 1, EnforceAdmins: true}))
	_, err := f.As("alex").Merge(repo, n, sim.MergeOptions{Bypass: true})
	refused(t, err, sim.Blocked, "approving review")
	_, err = f.As("alex").Push(repo, "main", sim.NewCommit{Files: map[string]string{"x": "x"}})
	refused(t, err, sim.Blocked, "protected")
	ok(t, f.As("alex").Protect(repo, "main", &sim.Protection{Approvals: 1}))
	_, err = f.As("mara").Merge(repo, n, sim.MergeOptions{Bypass: true})
	refused(t, err, sim.Blocked, "approving review")
	_, err = f.As("alex").Merge(repo, n, sim.MergeOptions{Bypass: true})
	ok(t, err)
}

func TestWaysToMerge(t *testing.T) {
	t.Parallel()
	for how, parents := range map[sim.MergeMethod]int{sim.MergeCommit: 2, sim.Squash: 1, sim.RebaseMerge: 1} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			f, n := world(t)
			push(t, f, "alex", "main", map[string]string{"docs/manual.md": "# Manual 2\n"})
			sha, err := f.As("jonas").Merge(repo, n, sim.MergeOptions{Method: how})
			ok(t, err)
			f.Read(func(v *sim.View) {
				if c := v.Commit(sha); len(c.Parents) != parents {
					t.Errorf("%d parents, want %d", len(c.Parents), parents)
				}
			})
			for path, want := range map[string]string{"fw/dosing/rate.c": "int rate;\n", "docs/manual.md": "# Manual 2\n"} {
				if got, _ := f.File(repo, "main", path); got != want {
					t.Errorf("%s is %q, want %q", path, got, want)
				}
			}
		})
	}
}

func TestLinesChangedOnBothSidesAreMergedOrConflict(t *testing.T) {
	t.Parallel()
	const base = "1\n2\n3\n4\n5\n6\n7\n8\n"
	for _, c := range []struct{ name, ours, theirs, want string }{
		{"apart", "ONE\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\n5\n6\n7\nEIGHT\n", "ONE\n2\n3\n4\n5\n6\n7\nEIGHT\n"},
		{"the same", "1\nTWO\n3\n4\n5\n6\n7\n8\n", "1\nTWO\n3\n4\n5\n6\n7\n8\n", "1\nTWO\n3\n4\n5\n6\n7\n8\n"},
		{"added and removed apart", "0\n1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\n5\n6\n", "0\n1\n2\n3\n4\n5\n6\n"},
		{"the same line differently", "1\nTWO\n3\n4\n5\n6\n7\n8\n", "1\nZWEI\n3\n4\n5\n6\n7\n8\n", ""},
		{"lines that touch", "1\nTWO\n3\n4\n5\n6\n7\n8\n", "1\n2\nTHREE\n4\n5\n6\n7\n8\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, _ := world(t)
			push(t, f, "alex", "main", map[string]string{"text": base})
			push(t, f, "mara", "topic", map[string]string{"text": c.theirs, "other": "x\n"})
			n, err := f.As("mara").OpenChange(repo, sim.NewChange{Title: "Text", Head: "topic"})
			ok(t, err)
			push(t, f, "alex", "main", map[string]string{"text": c.ours})
			_, err = f.As("jonas").Merge(repo, n, sim.MergeOptions{})
			if c.want == "" {
				refused(t, err, sim.Blocked, "conflict")
				return
			}
			ok(t, err)
			if got, _ := f.File(repo, "main", "text"); got != c.want {
				t.Errorf("merged %q, want %q", got, c.want)
			}
		})
	}
}

func TestACandidateMovesTheBranchWhenItsChecksAreGreen(t *testing.T) {
	t.Parallel()
	for conclusion, merged := range map[string]bool{"success": true, "failure": false} {
		t.Run(conclusion, func(t *testing.T) {
			t.Parallel()
			f, one := world(t)
			push(t, f, "jonas", "ui", map[string]string{"ui/screen.c": "int brightness = 9;\n"})
			two, err := f.As("jonas").OpenChange(repo, sim.NewChange{Title: "UI", Head: "ui"})
			ok(t, err)
			ok(t, f.As("alex").Protect(repo, "main", &sim.Protection{Checks: []sim.RequiredCheck{{Name: "build"}}, MergeQueue: true}))
			_, err = f.As("mara").Enqueue(repo, one, two)
			refused(t, err, sim.Blocked, `"build" is expected`)
			for _, branch := range []string{"rate", "ui"} {
				_, err = f.AsApp("ci").CreateCheck(repo, sim.CheckRun{SHA: f.Tip(repo, branch), Name: "build", Conclusion: "success"})
				ok(t, err)
			}
			_, err = f.As("mara").Merge(repo, one, sim.MergeOptions{})
			refused(t, err, sim.Blocked, "merge queue")
			before := f.Tip(repo, "main")
			c, err := f.As("mara").Enqueue(repo, one, two)
			ok(t, err)
			_, err = f.AsApp("ci").CreateCheck(repo, sim.CheckRun{SHA: c.Head, Name: "build", Conclusion: conclusion})
			ok(t, err)
			want := before
			if merged {
				want = c.Head
			}
			if got := f.Tip(repo, "main"); got != want {
				t.Errorf("main is at %.7s, want %.7s", got, want)
			}
			for _, n := range []int{one, two} {
				if is, _ := f.Issue(repo, n); is.Change.Merged != merged {
					t.Errorf("change %d merged: %t, want %t", n, is.Change.Merged, merged)
				}
			}
			refused(t, f.As("mara").Dequeue(repo, c.Head), sim.NotFound, "no candidate")
		})
	}
}

func TestCommitsPushedToTheTargetMergeTheirChange(t *testing.T) {
	t.Parallel()
	f, n := world(t)
	if _, err := f.As("alex").ForcePush(repo, "main", "rate"); err != nil {
		t.Fatal(err)
	}
	if is, _ := f.Issue(repo, n); !is.Change.Merged || is.State != sim.Closed {
		t.Errorf("change is %s, merged %t", is.State, is.Change.Merged)
	}
}

func TestAReadMayShowAFormerState(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	f := sim.New(sim.Options{Now: func() time.Time { return at }})
	forgetest.Populate(f)
	old := push(t, f, "mara", "rate", map[string]string{"a": "1\n"})
	n, err := f.As("mara").OpenChange(repo, sim.NewChange{Title: "Rate", Head: "rate"})
	ok(t, err)
	at = at.Add(time.Minute)
	fresh := push(t, f, "mara", "rate", map[string]string{"a": "2\n"})
	at = at.Add(time.Minute)
	_, err = f.As("priya").Approve(repo, n, "")
	ok(t, err)
	shows := func(s sim.Stale) (head string, reviews int) {
		f.SetFaults(func(faults *sim.Faults) { faults.Stale = []sim.Stale{s} })
		f.Read(func(v *sim.View) {
			is := v.Standing(v.Repo(repo), n, sim.PartAll)
			head, reviews = is.Change.Head, len(is.Change.Reviews)
		})
		return head, reviews
	}
	for _, c := range []struct {
		name    string
		stale   sim.Stale
		head    string
		reviews int
	}{
		{"now", sim.Stale{Repo: repo, Number: 99, Calls: 1}, fresh, 1},
		{"before the newest", sim.Stale{Repo: repo, Number: n, Calls: 1}, fresh, 0},
		{"ninety seconds ago", sim.Stale{Repo: repo, Number: n, Age: 90 * time.Second}, old, 0},
		{"its head alone", sim.Stale{Repo: repo, Number: n, Part: sim.PartHead, Age: 90 * time.Second}, old, 1},
		{"its reviews alone", sim.Stale{Repo: repo, Number: n, Part: sim.PartReviews, Age: 90 * time.Second}, fresh, 0},
	} {
		if head, reviews := shows(c.stale); head != c.head || reviews != c.reviews {
			t.Errorf("%s: head %.7s with %d reviews, want %.7s with %d", c.name, head, reviews, c.head, c.reviews)
		}
	}
	if head, _ := shows(sim.Stale{Repo: repo, Number: n, Part: sim.PartHead, Calls: 0}); head != fresh {
		t.Errorf("after its last call the head is %.7s, want %.7s", head, fresh)
	}
}

func TestFaultsAreDrawnFromTheSeed(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) (out []bool) {
		f := sim.New(sim.Options{Seed: seed})
		f.SetFaults(func(faults *sim.Faults) { faults.FailShare = 0.5 })
		for range 64 {
			out = append(out, f.DrawCall().Fail)
		}
		return out
	}
	if !slices.Equal(draw(7), draw(7)) {
		t.Error("one seed gives two runs")
	}
	if slices.Equal(draw(7), draw(8)) {
		t.Error("two seeds give one run")
	}
	if failed := len(slices.DeleteFunc(draw(7), func(b bool) bool { return !b })); failed < 16 || failed > 48 {
		t.Errorf("%d of 64 failed at a share of one half", failed)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	f, n := world(t)
	_, err := f.As("sam").Push(repo, "x", sim.NewCommit{})
	refused(t, err, sim.Forbidden, "needs write")
	refused(t, f.As("sam").Label(repo, n, "x"), sim.Forbidden, "needs triage")
	refused(t, f.As("mara").Grant(repo, "sam", sim.Admin), sim.Forbidden, "needs admin")
	refused(t, f.As("mara").AddTeamMember(forgetest.Org, "qa", "sam"), sim.Forbidden, "no owner")
	_, err = f.As("nobody").Comment(repo, n, "x")
	refused(t, err, sim.NotFound, "no account")
	_, err = f.As("mara").CreateCheck(repo, sim.CheckRun{SHA: f.Tip(repo, "rate"), Name: "x"})
	refused(t, err, sim.Forbidden, "GitHub App")
	_, err = f.As("mara").OpenChange(repo, sim.NewChange{Title: "again", Head: "rate"})
	refused(t, err, sim.Invalid, "already exists")
	f.AddRepo("alex/secret", sim.RepoOptions{Private: true})
	_, err = f.As("mara").OpenIssue("alex/secret", "x", "")
	refused(t, err, sim.NotFound, "no repository")
}
