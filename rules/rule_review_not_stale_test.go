package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestReviewNotStale(t *testing.T) {
	t.Parallel()
	pushed := func(same bool) func(*fact.Change) { return func(c *fact.Change) { ft.Pushed(c, same) } }
	one := func(c *fact.Change) { // only jonas's approval is old
		c.Reviews[0].Commit, c.Reviews[0].Patch = ft.Older, "patch-0"
	}
	run(t, "review-not-stale", []spoilt{
		{name: "given on the head", want: rules.Pass},
		{name: "pushed after one approval", spoil: one, want: rules.Fail, says: "jonas approved 1a2b3c4d and the head is now 3f9c0b7d", who: "jonas"},
		{name: "a rebase at C", spoil: func(c *fact.Change) { c.Reviews[0].Commit = ft.Older }, want: rules.Fail, says: "jonas approved 1a2b3c4d"},
		{name: "a rebase at B keeps approvals", level: "B", spoil: pushed(true), want: rules.Pass},
		{name: "a rebase at A keeps approvals", level: "A", spoil: pushed(true), want: rules.Pass},
		{name: "new content at A", level: "A", spoil: pushed(false), want: rules.Fail, says: "jonas"},
		{
			name: "differences that are not known are not equal", level: "A", want: rules.Fail, says: "jonas",
			spoil: func(c *fact.Change) { ft.Pushed(c, true); c.Patch, c.Reviews[0].Patch = "", "" },
		},
		{
			name: "differences that could not be read", level: "A", want: rules.Unknown, says: "could not be read: the forge timed out",
			spoil: func(c *fact.Change) {
				ft.Pushed(c, true)
				c.Reviews[0].Patch = ""
				c.MarkUnknown(fact.NeedPatches, "the forge timed out")
			},
		},
		{
			name: "a commit the forge does not tell", want: rules.Fail, says: "The forge does not say which commit jonas approved",
			spoil: func(c *fact.Change) { c.Reviews[0].Commit = "" },
		},
		{
			name: "approved again", want: rules.Pass,
			spoil: func(c *fact.Change) { one(c); ft.Approve(c, ft.Jonas(), ft.At(27.5), "/primum sign reviewed-code") },
		},
		{
			name: "enough others approved the head", want: rules.Pass, says: "older",
			spoil: func(c *fact.Change) { one(c); ft.Approve(c, ft.Alex(), ft.At(27.5), "/primum sign reviewed-code") },
		},
		{
			name: "given for a lower class", want: rules.Fail, who: "jonas",
			says:  "jonas approved this for class B and the change is now class C",
			spoil: func(c *fact.Change) { c.Reviews[0].ClassThen = "B" },
		},
		{name: "given for this class", want: rules.Pass, spoil: func(c *fact.Change) { c.Reviews[0].ClassThen = "C" }},
		{name: "given for a higher class", level: "A", want: rules.Pass, spoil: func(c *fact.Change) { c.Reviews[0].ClassThen = "C" }},
		{name: "given for a class that the ladder lacks", want: rules.Pass, spoil: func(c *fact.Change) { c.Reviews[0].ClassThen = "ASIL D" }},
		{
			name: "given for a lower class on an older commit", want: rules.Fail, says: "jonas approved 1a2b3c4d and the head is now 3f9c0b7d",
			spoil: func(c *fact.Change) { one(c); c.Reviews[0].ClassThen = "B" },
		},
		{
			name: "given for a lower class and a rebase that would keep it", level: "B", want: rules.Fail, says: "jonas approved this for class A",
			spoil: func(c *fact.Change) { ft.Pushed(c, true); c.Reviews[0].ClassThen = "A" },
		},
		{
			name: "given again for the class of now", want: rules.Pass,
			spoil: func(c *fact.Change) {
				c.Reviews[0].ClassThen = "B"
				ft.Approve(c, ft.Jonas(), ft.At(27.5), "/primum sign reviewed-code").ClassThen = "C"
			},
		},
		{name: "nobody approved", spoil: func(c *fact.Change) { c.Reviews = nil }, want: rules.NA, also: []string{"review-quorum"}},
	})
}

func TestApprovalsForALowerClassAreListedAsDropped(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	c.Reviews[0].ClassThen, c.Reviews[1].ClassThen = "B", "A"
	v := judge(c, p)
	for i, then := range []string{"B", "A"} {
		if a := v.Approvals[i]; a.Counts || a.Why != "dropped: given for class "+then+", the change is now class C" {
			t.Errorf("%s counts %v: %s", a.Reviewer.Login, a.Counts, a.Why)
		}
	}
	f := resultOf(t, v, "review-not-stale").Findings
	if len(f) != 2 || f[0].Fix != "jonas looks at it again as a change of class C and approves again" {
		t.Errorf("findings: %+v", f)
	}
	off := ft.Policy(with("rules: {review-not-stale: off}\n"))
	if a := judge(c, off).Approvals[0]; !a.Counts || a.Why != "given for class B, allowed here" {
		t.Errorf("with the rule off it counts %v: %s", a.Counts, a.Why)
	}
	c.MarkUnknown(fact.NeedFiles, "the forge timed out") // the highest class counts meanwhile
	if a := judge(c, p).Approvals[0]; !a.Counts {
		t.Errorf("dropped for a class that is not known: %s", a.Why)
	}
}

func TestStaleApprovalsAreListedAsDropped(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	ft.Pushed(c, false)
	v := judge(c, p)
	if v.State != rules.Fail || len(v.Approvals) != 2 {
		t.Fatalf("%s with %d approvals", v.State, len(v.Approvals))
	}
	for _, a := range v.Approvals {
		if a.Counts || a.Why != "dropped: given on 1a2b3c4d, the head is now 3f9c0b7d" {
			t.Errorf("%s counts %v: %s", a.Reviewer.Login, a.Counts, a.Why)
		}
	}
	if q := resultOf(t, v, "review-quorum"); q.Outcome != rules.Pending || len(q.Findings) > 0 {
		t.Errorf("review-quorum answers %s with %v; the old approvals are said once, by review-not-stale", q.Outcome, q.Findings)
	}
}
