package rules_test

import (
	"strings"
	"testing"
	"time"

	"primum/rules"
	"primum/rules/fact"
	"primum/rules/facttest"
)

// A status of our name by somebody else is said in one sentence: who, what, when.
// It changes no outcome.
func TestAForgedVerdictIsSaidAndDecidesNothing(t *testing.T) {
	t.Parallel()
	c, p := facttest.Compliant("C")
	before := judge(c, p)
	at := time.Date(2026, 1, 5, 9, 1, 0, 0, time.UTC)
	c.Forged = []fact.Check{{Name: "primum", Source: "mara", State: fact.CheckSuccess, StartedAt: at}, {Name: "primum", State: fact.CheckFailure}}
	v := judge(c, p)
	if v.State != before.State || len(v.Notes) != 2 {
		t.Fatalf("state %s (was %s), notes %+v", v.State, before.State, v.Notes)
	}
	want := "`mara` set `primum` on this commit to success on 2026-01-05 at 09:01:00 UTC; that is not Primum's verdict and counts for nothing"
	if n := v.Notes[0]; n.Text != want || n.By != "mara" || !n.At.Equal(at) || n.Kind != rules.ForgedVerdict {
		t.Errorf("note %+v", n)
	}
	if n := v.Notes[1]; !strings.HasPrefix(n.Text, "somebody the forge does not name set `primum` on this commit to failure;") {
		t.Errorf("note %q", n.Text)
	}
}

// A closing word is no promise where an issue waits for another one.
func TestAnIssueThatMergingWillNotClose(t *testing.T) {
	t.Parallel()
	notes := func(edit func(*fact.Change)) []rules.Note {
		c, p := facttest.Compliant("C")
		edit(c)
		return judge(c, p).Notes
	}
	closes := func(c *fact.Change) *fact.Issue {
		is := &c.Issues[0]
		c.Links = append(c.Links, fact.Link{Repo: is.Repo, Number: is.Number, Kind: fact.LinkForge, Closes: true})
		return is
	}
	if got := notes(func(c *fact.Change) { closes(c) }); len(got) != 0 {
		t.Errorf("nothing keeps it open: %+v", got)
	}
	got := notes(func(c *fact.Change) {
		is := closes(c)
		is.BlockedBy = []string{is.Repo + "#40", "acme/other#7"}
	})
	if len(got) != 1 || !strings.Contains(got[0].Text, "it depends on #40 and acme/other#7, which are open") || got[0].Fix == "" {
		t.Errorf("notes %+v", got)
	}
	if got := notes(func(c *fact.Change) {
		is := closes(c)
		is.BlockedBy, c.State, c.MergedAt = []string{is.Repo + "#40"}, fact.Merged, time.Now()
	}); len(got) != 0 {
		t.Errorf("it is merged: %+v", got)
	}
}

// A deleted account is no bot.
func TestAnApprovalOfADeletedAccountIsNotCalledABots(t *testing.T) {
	t.Parallel()
	c, p := facttest.Compliant("C")
	for i := range c.Issues {
		for j := range c.Issues[i].Comments {
			c.Issues[i].Comments[j].Author = fact.Person{}
		}
	}
	r := resultOf(t, judge(c, p), "cr-approved")
	if len(r.Findings) == 0 || !strings.Contains(r.Findings[0].Message, "has no account any more") {
		t.Errorf("finding %+v", r.Findings)
	}
}

// What was merged past its verdict is on the record as that.
func TestAChangeMergedPastItsVerdict(t *testing.T) {
	t.Parallel()
	past := func(edit func(*fact.Change)) bool {
		c, p := facttest.Compliant("C")
		c.State, c.MergedAt, c.MergedSHA = fact.Merged, facttest.Now(), "abc"
		edit(c)
		for _, n := range judge(c, p).Notes {
			if n.Kind == rules.MergedPast {
				return n.Fix != "" && n.At.Equal(c.MergedAt)
			}
		}
		return false
	}
	if past(func(*fact.Change) {}) {
		t.Error("it is said of a change that had everything")
	}
	if !past(func(c *fact.Change) { c.Reviews = nil }) {
		t.Error("it is not said of a change that nobody approved")
	}
	if !past(func(c *fact.Change) { c.MarkUnknown(fact.NeedReviews, "forbidden") }) {
		t.Error("it is not said of a change that could not be read")
	}
	if past(func(c *fact.Change) { c.Reviews, c.State = nil, fact.Open }) {
		t.Error("it is said of a change that is open")
	}
}
