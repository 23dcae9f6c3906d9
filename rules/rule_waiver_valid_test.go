package rules_test

import (
	"testing"
	"time"

	"primum/rules"
	"primum/rules/evidence"
	"primum/rules/fact"
	ft "primum/rules/facttest"
	"primum/rules/policy"
)

// The correction has no test: a rule that can be waived at every class.
func noTest(c *fact.Change) { c.Files = c.Files[:2] }

const ask = "/primum waive verify-fix-has-test until 2026-03-20 because the bench is away for calibration until then"

func TestWaiverValid(t *testing.T) {
	t.Parallel()
	subject := []string{"verify-fix-has-test"}
	says := func(who fact.Person, text string, more ...func(*fact.Change)) func(*fact.Change) {
		return func(c *fact.Change) {
			noTest(c)
			ft.Say(c, who, ft.At(24.5), text)
			for _, f := range more {
				f(c)
			}
		}
	}
	approve := func(who fact.Person, id string) func(*fact.Change) {
		return func(c *fact.Change) { ft.Say(c, who, ft.At(25), "/primum approve "+id) }
	}
	run(t, "waiver-valid", []spoilt{
		{name: "none asked for", want: rules.NA},
		{name: "asked and approved", spoil: says(ft.Mara(), ask, approve(ft.Chen(), "W1")), want: rules.Pass, says: "1 waiver in force"},
		{
			name: "asked only", spoil: says(ft.Mara(), ask), want: rules.Pending, says: "The waiver W1 of `verify-fix-has-test` is not approved yet", who: "chen,ruth",
			also: subject,
		},
		{name: "approved without the role", spoil: says(ft.Mara(), ask, approve(ft.Jonas(), "W1")), want: rules.Pending, says: "jonas does not hold the role quality", also: subject},
		{name: "approved by a stranger", spoil: says(ft.Mara(), ask, approve(ft.Guest(), "W1")), want: rules.Pending, says: "guest does not hold", also: subject},
		{name: "approved by who asked", spoil: says(ft.Chen(), ask, approve(ft.Chen(), "W1")), want: rules.Pending, says: "chen asked for it", who: "ruth", also: subject},
		{
			name: "approved by an author", want: rules.Pending, says: "chen is an author of the change", also: append([]string{"cr-approved"}, subject...),
			spoil: says(ft.Mara(), ask, approve(ft.Chen(), "W1"), func(c *fact.Change) {
				c.Commits[0].CoAuthors = []fact.Identity{{Account: ft.Chen()}}
			}),
		},
		{
			name: "approved for another head at C", want: rules.Pending, says: "it was approved for 1a2b3c4d", also: subject,
			spoil: says(ft.Mara(), ask, approve(ft.Chen(), "W1"), func(c *fact.Change) { c.Comments[1].HeadThen = ft.Older }),
		},
		{
			name: "approved for another head at B", level: "B", want: rules.Pass,
			spoil: says(ft.Mara(), ask, approve(ft.Chen(), "W1"), func(c *fact.Change) { c.Comments[1].HeadThen = ft.Older }),
		},
		{
			name: "an approval from before the request", want: rules.Pending, says: "not approved", also: subject,
			spoil: says(ft.Mara(), ask, func(c *fact.Change) { ft.Say(c, ft.Chen(), ft.At(24.1), "/primum approve W1") }),
		},
		{
			name: "run out", want: rules.Fail, says: "The waiver W1 of `verify-fix-has-test` ran out on 2026-03-02", also: subject,
			spoil: says(ft.Mara(), "/primum waive verify-fix-has-test until 2026-03-02 because the bench is away for calibration", approve(ft.Chen(), "W1")),
		},
		{
			name: "run out and not needed any more", want: rules.Pass, says: "No waiver is needed",
			spoil: func(c *fact.Change) {
				ft.Say(c, ft.Mara(), ft.At(24.5), "/primum waive verify-fix-has-test until 2026-03-02 because the bench is away for calibration")
			},
		},
		{
			name: "run out and asked again", want: rules.Pass, says: "1 waiver in force",
			spoil: says(ft.Mara(), "/primum waive verify-fix-has-test until 2026-03-02 because the bench is away for calibration", approve(ft.Chen(), "W1"),
				func(c *fact.Change) {
					ft.Say(c, ft.Mara(), ft.At(26), ask)
					ft.Say(c, ft.Ruth(), ft.At(27), "/primum approve W2")
				}),
		},
		{
			name: "too long", want: rules.Fail, says: "longer than the 30 days allowed at class C", also: subject,
			spoil: says(ft.Mara(), "/primum waive verify-fix-has-test until 2026-05-20 because the bench is away for calibration", approve(ft.Chen(), "W1")),
		},
		{
			name: "longer is allowed at B", level: "B", want: rules.Pass,
			spoil: says(ft.Mara(), "/primum waive verify-fix-has-test until 2026-05-20 because the bench is away for calibration", approve(ft.Chen(), "W1")),
		},
		{
			name: "a rule that is never waived", want: rules.Fail, says: "`cr-approved` cannot be waived at class C", also: []string{"cr-approved"},
			spoil: func(c *fact.Change) {
				c.Issue(12).Comments = c.Issue(12).Comments[1:]
				ft.Say(c, ft.Mara(), ft.At(24.5), "/primum waive cr-approved until 2026-03-20 because chen is on a journey until then")
				ft.Say(c, ft.Chen(), ft.At(25), "/primum approve W1")
			},
		},
		{
			name: "a reason that says nothing", want: rules.Fail, says: "its reason says too little", also: subject,
			spoil: says(ft.Mara(), "/primum waive verify-fix-has-test until 2026-03-20 because n/a", approve(ft.Chen(), "W1")),
		},
		{name: "a stranger's request is shown and changes nothing", spoil: says(ft.Guest(), ask), want: rules.Pass, also: subject},
		{
			name: "nobody could approve it", policy: without("  quality: [team:qa]\n"), want: rules.Fail, says: "nobody who could is named",
			spoil: says(ft.Mara(), ask), also: append([]string{"cr-approved"}, subject...),
		},
	})
}

func TestWaiverCoversItsRuleUntilTheEndOfItsDay(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	noTest(c)
	ft.Say(c, ft.Mara(), ft.At(24.5), ask)
	ft.Say(c, ft.Chen(), ft.At(25), "/primum approve W1")
	end := time.Date(2026, 3, 20, 23, 59, 59, 0, time.UTC)
	at := func(now time.Time) rules.Verdict {
		return rules.Evaluate(rules.Input{Change: c, Policy: p, Now: now})
	}
	v := at(ft.Now())
	r := resultOf(t, v, "verify-fix-has-test")
	if r.Outcome != rules.Waived || r.Waiver == nil || v.Waivers[*r.Waiver].ID != "W1" || len(r.Findings) != 1 {
		t.Errorf("answers %s with %d findings, waiver %v", r.Outcome, len(r.Findings), r.Waiver)
	}
	if v.State != rules.Pass || !v.Next.Equal(end.Add(time.Second)) {
		t.Errorf("the verdict is %s until %s", v.State, v.Next)
	}
	if v := at(end); v.State != rules.Pass {
		t.Errorf("at the end of the day it is %s", v.State)
	}
	if v := at(v.Next); v.State != rules.Fail || v.Waivers[0].State != rules.WaiverExpired || !v.Next.IsZero() {
		t.Errorf("a second later it is %s, the waiver %s", v.State, v.Waivers[0].State)
	}
}

// W1 is approved, then its request is deleted and the next one becomes W1.
func TestAnApprovalDoesNotMoveToAnotherWaiver(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	noTest(c)
	ft.Say(c, ft.Mara(), ft.At(24.5), "/primum waive review-meaning until 2026-03-10 because the signing page is being repaired")
	ft.Say(c, ft.Mara(), ft.At(24.6), ask)
	k := ft.Say(c, ft.Chen(), ft.At(25), "/primum approve W1")
	k.SubjectThen = rules.WaiverSubject(evidence.Read(c), "W1")
	if v := judge(c, p); v.Waivers[0].State != rules.WaiverActive || v.Waivers[1].State != rules.WaiverRequested {
		t.Fatalf("before: %+v", v.Waivers)
	}
	c.Comments = c.Comments[1:]
	v := judge(c, p)
	if v.Waivers[0].Rule != "verify-fix-has-test" || v.Waivers[0].State != rules.WaiverRequested || v.State != rules.Fail {
		t.Errorf("after: %+v, %s", v.Waivers, v.State)
	}
}

func TestAWaiverDoesNotCoverWhatCouldNotBeRead(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	ft.Say(c, ft.Mara(), ft.At(24.5), ask)
	ft.Say(c, ft.Chen(), ft.At(25), "/primum approve W1")
	c.MarkUnknown(fact.NeedDiffs, "timeout")
	if r := resultOf(t, judge(c, p), "verify-fix-has-test"); r.Outcome != rules.Unknown || r.Enforcement != policy.Block {
		t.Errorf("answers %s", r.Outcome)
	}
}
