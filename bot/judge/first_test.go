package judge_test

import (
	"strings"
	"testing"
	"time"

	"primum/forges"
	"primum/rules/fact"
)

// A change whose first reading fails for good still shows why there is no
// verdict, in a repository that is known to enforce a policy.
func TestAChangeThatWasNeverReadSaysSo(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"a repository with a policy": true, "a repository not known to have one": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if known {
				b.forge.open(1)
				b.mark(1, "opened")
				b.run()
			}
			head := b.forge.open(2)
			b.forge.fault = failOn("read", &forges.HTTPError{Method: "GET", Path: "/x", Status: 403, Err: forges.ErrForbidden})
			b.mark(2, "opened")
			b.run()
			r, checks := b.forge.on(head)
			if !known {
				if checks != 0 {
					t.Errorf("%d checks on a change that nothing is known of", checks)
				}
				return
			}
			if checks != 1 || r.State != forges.ReportPending || r.Title != "Waiting: the change could not be read" {
				t.Fatalf("%d checks, %s %q", checks, r.State, r.Title)
			}
			b.forge.fault = nil
			b.mark(2, "request")
			b.clock.turn(time.Minute)
			b.run()
			b.wantCheck(head, forges.ReportFailure)
		})
	}
}

// A change aimed at a branch without a policy and back shows no green check in
// between: it would be green for the former branch too, until it is judged.
func TestNoGreenCheckByWayOfAnUngovernedBranch(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	b.wantCheck(head, forges.ReportFailure)
	away := func(c *fact.Change) { c.Base.Name, c.Policy = "sandbox", fact.Blob{Path: c.Policy.Path, Missing: true} }
	b.forge.edit(1, away)
	for range 2 { // and judged once more, it stays
		b.mark(1, "edited")
		b.run()
		if r := b.wantCheck(head, forges.ReportFailure); r.Title != "Not governed on sandbox; the verdict for main stands" {
			t.Errorf("title %q", r.Title)
		}
	}
	b.forge.edit(1, func(c *fact.Change) {
		c.Base.Name, c.Policy = "main", fact.Blob{Path: ".primum.yml", OID: "p1", Text: oneRule}
	})
	b.mark(1, "edited")
	b.run()
	if r := b.wantCheck(head, forges.ReportFailure); strings.Contains(r.Title, "Not governed") {
		t.Errorf("title %q", r.Title)
	}

	// A policy taken away from the branch itself lets go of the change.
	b.forge.edit(1, func(c *fact.Change) { c.Policy = fact.Blob{Path: c.Policy.Path, Missing: true} })
	b.mark(1, "policy")
	b.run()
	b.wantCheck(head, forges.ReportSuccess)
}

// Where the forge has no panel the comment says what it would show, and what to
// type in place of the button.
func TestWithoutAPanelTheCommentHasItAll(t *testing.T) {
	t.Parallel()
	warned := strings.Replace(oneRule, "  review-independent: off", "  review-independent: {B: warn}", 1)
	for name, statuses := range map[string]bool{"statuses": true, "checks": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.statuses = statuses
			b := newBenchOn(t, f, ":memory:")
			head := f.open(1)
			f.edit(1, func(c *fact.Change) {
				c.Policy.Text = strings.Replace(warned, "link-change-request: off", "link-change-request: warn", 1)
			})
			f.approve(1)
			b.mark(1, "opened")
			b.run()
			r, _ := f.on(head)
			if r.State != forges.ReportSuccess || r.Short == "" {
				t.Fatalf("the check is %s %q: %s", r.State, r.Short, b.verdict(key(1)).Reason)
			}
			said := f.said(1)
			if !statuses {
				if len(said) != 0 || !strings.Contains(r.Summary, "Worth a look") {
					t.Errorf("%d comments, panel:\n%s", len(said), r.Summary)
				}
				return
			}
			if len(said) != 1 || !strings.Contains(said[0].body, "Worth a look") || !strings.Contains(said[0].body, "`/primum recheck`: judge again") {
				t.Fatalf("the advice is nowhere to be read: %+v", said)
			}
		})
	}
}
