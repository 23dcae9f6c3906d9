package forgetest

import (
	"strings"
	"time"

	"primum/forges"
	"primum/forges/sim"
)

func report(state forges.ReportState) forges.Report {
	return forges.Report{
		Name: "primum", State: state, Title: "Two approvals are missing", Summary: "Ask **priya**.", Text: "More.", Short: "2 approvals missing",
		URL: "https://primum.example/changes/1", External: "acme/pump/1/abc",
		StartedAt: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), FinishedAt: time.Date(2026, 1, 5, 9, 0, 1, 0, time.UTC),
	}
}

// stands is what the world shows of our verdict on a commit: a check or a status.
func (t *try) stands(sha string) (state, title string) {
	t.Helper()
	if t.Stands != nil {
		return t.Stands(t, sha)
	}
	for _, run := range t.World.Checks(Repo, sha) {
		if run.Name == "primum" {
			if run.Status != "completed" {
				return "pending", run.Title
			}
			return run.Conclusion, run.Title
		}
	}
	for _, st := range t.World.Statuses(Repo, sha) {
		if st.Context == "primum" {
			return st.State, st.Description
		}
	}
	return "", ""
}

func writing() []contract {
	verdict := func(name string, fn func(t *try, r forges.RepoRef, sha string)) contract {
		return contract{name, func(t *try) {
			n := opened(t)
			is, _ := t.World.Issue(Repo, n)
			fn(t, t.repo(), is.Change.Head)
		}}
	}
	comment := func(name string, fn func(t *try, c forges.ChangeRef)) contract {
		return contract{name, func(t *try) { fn(t, forges.ChangeRef{Number: opened(t), Repo: t.repo()}) }}
	}
	return []contract{
		verdict("a verdict in each state", func(t *try, r forges.RepoRef, sha string) {
			var posted forges.Posted
			for _, state := range []forges.ReportState{forges.ReportPending, forges.ReportFailure, forges.ReportSuccess, forges.ReportNeutral, forges.ReportPending} {
				var err error
				posted, err = t.Adapter.SetVerdict(t.Context(), r, sha, report(state), posted)
				t.ok(err)
				got, _ := t.stands(sha)
				want := string(state)
				if state == forges.ReportNeutral && !t.has(forges.DoesNeutral) {
					want = string(forges.ReportSuccess)
				}
				if state == forges.ReportPending && !t.has(forges.DoesPending) {
					want = string(forges.ReportFailure)
				}
				equal(t, "state", got, want)
				equal(t, "posted", posted.State, state)
				equal(t, "commit", posted.SHA, sha)
			}
			if t.Stands == nil {
				equal(t, "checks on the commit", len(t.World.Checks(Repo, sha))+len(t.World.Statuses(Repo, sha)), 1)
			}
		}),
		verdict("the same verdict again stays one check", func(t *try, r forges.RepoRef, sha string) {
			posted, err := t.Adapter.SetVerdict(t.Context(), r, sha, report(forges.ReportFailure), forges.Posted{})
			t.ok(err)
			before := t.Writes()
			again, err := t.Adapter.SetVerdict(t.Context(), r, sha, report(forges.ReportFailure), posted)
			t.ok(err)
			if t.Adapter.Capabilities().PinnedCheck { // a status is never changed, only followed by another
				equal(t, "id", again.ID, posted.ID)
			}
			equal(t, "digest is the caller's to keep", again.SHA, sha)
			if n := t.Writes() - before; n > 1 {
				t.Errorf("%d writes", n)
			}
			if t.Stands == nil {
				equal(t, "checks on the commit", len(t.World.Checks(Repo, sha))+len(t.World.Statuses(Repo, sha)), 1)
			}
		}),
		verdict("a verdict with lines and buttons", func(t *try, r forges.RepoRef, sha string) {
			rep := report(forges.ReportFailure)
			for i := range 60 {
				rep.Annotations = append(rep.Annotations, forges.Annotation{Path: "fw/dosing/rate.c", Line: i + 1, Level: "failure", Title: "t", Message: "m"})
			}
			rep.Buttons = []forges.Button{{ID: "recheck", Label: "Recheck", Description: "Judge again"}}
			_, err := t.Adapter.SetVerdict(t.Context(), r, sha, rep, forges.Posted{})
			t.ok(err)
			if !t.Adapter.Capabilities().Annotations {
				state, title := t.stands(sha)
				equal(t, "state", state, "failure")
				equal(t, "title", title, rep.Short)
				return
			}
			run := t.World.Checks(Repo, sha)[0]
			if len(run.Annotations) < 50 || len(run.Annotations) > 60 {
				t.Errorf("%d annotations of 60", len(run.Annotations))
			}
			equal(t, "buttons", len(run.Actions), 1)
		}),
		verdict("texts too long are cut, between letters", func(t *try, r forges.RepoRef, sha string) {
			rep := report(forges.ReportFailure)
			rep.Title, rep.Summary, rep.Text, rep.Short = strings.Repeat("ä", 500), strings.Repeat("€", 70_000), strings.Repeat("𝄞", 70_000), strings.Repeat("ß", 300)
			_, err := t.Adapter.SetVerdict(t.Context(), r, sha, rep, forges.Posted{})
			t.ok(err)
			_, title := t.stands(sha)
			if !strings.HasPrefix(title, "ä") && !strings.HasPrefix(title, "ß") || strings.Contains(title, "\uFFFD") {
				t.Errorf("title %.40q", title)
			}
			if c := t.Adapter.Capabilities(); c.SummaryMax == 0 && len(title) > c.ShortMax {
				t.Errorf("the title has %d bytes, said were at most %d", len(title), c.ShortMax)
			}
		}),
		verdict("a verdict on a commit that is not there", func(t *try, r forges.RepoRef, _ string) {
			if _, err := t.Adapter.SetVerdict(t.Context(), r, strings.Repeat("1", 40), report(forges.ReportFailure), forges.Posted{}); err == nil {
				t.Error("it was taken")
			}
		}),
		verdict("a verdict in a repository that is not there", func(t *try, r forges.RepoRef, sha string) {
			r.Name, r.ID = "nothing", "987654321"
			_, err := t.Adapter.SetVerdict(t.Context(), r, sha, report(forges.ReportFailure), forges.Posted{})
			is(t, err, forges.ErrNotFound)
		}),
		comment("a comment is written and edited", func(t *try, c forges.ChangeRef) {
			id, err := t.Adapter.PutComment(t.Context(), c, "", "one")
			t.ok(err)
			again, err := t.Adapter.PutComment(t.Context(), c, id, "two ✓")
			t.ok(err)
			equal(t, "id", again, id)
			all := t.World.Comments(Repo, c.Number)
			equal(t, "comments", len(all), 1)
			equal(t, "text", all[0].Body, "two ✓")
		}),
		comment("a comment somebody deleted is not found", func(t *try, c forges.ChangeRef) {
			id, err := t.Adapter.PutComment(t.Context(), c, "", "one")
			t.ok(err)
			t.ok(t.as("alex").DeleteComment(Repo, t.World.Comments(Repo, c.Number)[0].ID))
			_, err = t.Adapter.PutComment(t.Context(), c, id, "two")
			is(t, err, forges.ErrNotFound)
			equal(t, "comments", len(t.World.Comments(Repo, c.Number)), 0)
		}),
		comment("a comment on a change that is not there", func(t *try, c forges.ChangeRef) {
			c.Number = 99
			_, err := t.Adapter.PutComment(t.Context(), c, "", "one")
			is(t, err, forges.ErrNotFound)
		}),
		comment("a comment we may not write", func(t *try, c forges.ChangeRef) {
			t.Forbid("issues")
			t.Forbid("pull_requests")
			_, err := t.Adapter.PutComment(t.Context(), c, "", "one")
			is(t, err, forges.ErrForbidden)
		}),
		comment("a reaction, twice", func(t *try, c forges.ChangeRef) {
			t.id(t.as("jonas").Comment(Repo, c.Number, "/primum recheck"))
			id := t.read(c.Number).Comments[0].ID
			for range 2 {
				err := t.Adapter.React(t.Context(), forges.CommentRef{Repo: c.Repo, Number: c.Number, ID: id}, forges.Seen)
				if !t.has(forges.DoesReactions) {
					is(t, err, forges.ErrUnsupported)
					continue
				}
				t.ok(err)
			}
			if !t.has(forges.DoesReactions) {
				equal(t, "reactions", len(t.World.Comments(Repo, c.Number)[0].Reactions), 0)
				return
			}
			equal(t, "reactions", len(t.World.Comments(Repo, c.Number)[0].Reactions), 1)
			equal(t, "reaction", t.World.Comments(Repo, c.Number)[0].Reactions[0].Content, "eyes")
		}),
		comment("a reaction on the words of a review", func(t *try, c forges.ChangeRef) {
			t.id(t.as("priya").Approve(Repo, c.Number, "/primum sign verified"))
			read := t.read(c.Number)
			err := t.Adapter.React(t.Context(), forges.CommentRef{Repo: c.Repo, Number: c.Number, ID: read.Reviews[0].ID, Review: true}, forges.Done)
			if !t.has(forges.DoesReviewTalk) {
				is(t, err, forges.ErrUnsupported)
				return
			}
			t.ok(err)
			found := 0
			t.World.Read(func(v *sim.View) {
				for _, all := range v.Repo(Repo).Reactions {
					found += len(all)
				}
			})
			equal(t, "reactions", found, 1)
		}),
		comment("a reaction on a comment that is not there", func(t *try, c forges.ChangeRef) {
			id := t.id(t.as("jonas").Comment(Repo, c.Number, "/primum recheck"))
			read := t.read(c.Number).Comments[0].ID
			t.ok(t.as("jonas").DeleteComment(Repo, id))
			err := t.Adapter.React(t.Context(), forges.CommentRef{Repo: c.Repo, Number: c.Number, ID: read}, forges.Seen)
			if !t.has(forges.DoesReactions) {
				is(t, err, forges.ErrUnsupported)
				return
			}
			is(t, err, forges.ErrNotFound)
		}),
	}
}
