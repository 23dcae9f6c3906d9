package judge_test

import (
	"strings"
	"testing"
	"time"

	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
)

func TestAChangeIsReadJudgedAndAnsweredOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	if got := b.state(1); got != rules.Fail {
		t.Fatalf("state = %s, want fail: nobody approved", got)
	}
	b.wantCheck(head, forges.ReportFailure)
	if n := len(b.forge.said(1)); n != 1 {
		t.Fatalf("%d comments, want the one", n)
	}
	b.forge.approve(1)
	b.mark(1, "reviewed")
	b.run()
	if got := b.state(1); got != rules.Pass {
		t.Fatalf("state = %s, want pass: %s", got, b.verdict(key(1)).Reason)
	}
	b.wantCheck(head, forges.ReportSuccess)
	if said := b.forge.said(1); len(said) != 1 || said[0].edits != 2 {
		t.Fatalf("comments = %+v, want one, edited in place", said)
	}
}

// Law 1: the old approval must not pass for the commit that the forge does not
// show yet.
func TestNoVerdictOnAHeadTheForgeDoesNotShow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.forge.open(1)
	b.forge.approve(1)
	b.mark(1, "opened")
	b.run()
	b.wantCheck(old, forges.ReportSuccess)

	b.forge.lag(1)
	head := b.forge.push(1, 1)
	b.mark(1, "pushed")
	b.run()
	b.wantCheck(head, forges.ReportPending)
	writes := b.forge.count("set_verdict")
	for range 5 { // retries wait, and say so once
		b.clock.turn(time.Second)
		b.run()
	}
	if n := b.forge.count("set_verdict"); n != writes {
		t.Errorf("%d further writes while waiting, want none", n-writes)
	}
	if got := b.verdict(key(1)).Head; got != old {
		t.Errorf("a verdict was given on %s while the forge was behind", got)
	}
	b.forge.fresh(1)
	b.clock.turn(time.Minute)
	b.run()
	b.wantCheck(head, forges.ReportFailure)
	if v := b.verdict(key(1)); v.Head != head || v.State != "fail" {
		t.Errorf("verdict %s on %s, want fail on the new head: the approval was for the old one", v.State, v.Head)
	}
}

// Law 1: a time of last change that is newer than the delivery proves nothing
// while the head is still the old one: a comment moves the time as well.
func TestANewerTimeWithTheOldHeadIsNotBelieved(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.forge.open(1)
	b.forge.approve(1)
	b.mark(1, "opened")
	b.run()
	b.wantCheck(old, forges.ReportSuccess)

	b.forge.lag(1)
	head := b.forge.push(1, 1)
	b.forge.shown[1].UpdatedAt = b.subjectHint(1).UpdatedAt.Add(time.Minute)
	b.mark(1, "pushed")
	b.run()
	b.wantCheck(head, forges.ReportPending)
	b.forge.fresh(1)
	b.clock.turn(time.Minute)
	b.run()
	b.wantCheck(head, forges.ReportFailure)
}

// Law 1: a forge that goes on disagreeing is believed in the end, or nothing
// would ever be judged again; never before.
func TestTheForgesWordIsTakenAfterTenMinutes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	m := b.subject(1).Hint
	m.Head = sha("nowhere", 7)
	b.put(store1(1, m))
	for range 9 {
		b.run()
		b.clock.turn(time.Minute)
	}
	if b.forge.count("set_verdict") != 2 { // the verdict, and the waiting check
		t.Fatalf("%d writes within nine minutes", b.forge.count("set_verdict"))
	}
	before := len(b.told)
	b.clock.turn(2 * time.Minute)
	b.run()
	if len(b.told) == before || b.told[len(b.told)-1].Err != nil || b.subject(1).Problem != "" {
		t.Fatalf("still waiting after eleven minutes: %q", b.subject(1).Problem)
	}
	b.wantCheck(head, forges.ReportFailure)
}

// A delivery that comes late with an older head is no reason to wait.
func TestReorderedDeliveriesDoNotStall(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.forge.open(1)
	b.forge.push(1, 1)
	b.forge.edit(1, func(c *fact.Change) { c.UpdatedAt = start }) // one second for all
	m := b.subjectHint(1)
	m.Head, m.UpdatedAt = old, start.Add(time.Second)
	b.put(store1(1, m))
	b.run()
	if got := b.verdict(key(1)).Head; got == old {
		t.Fatalf("judged %s, want the newer head", got)
	}
	if b.subject(1).Problem != "" {
		t.Fatalf("waiting: %s", b.subject(1).Problem)
	}
}

// Law 2: the change's own policy decides nothing about it.
func TestAChangeIsNotJudgedByThePolicyItBrings(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(2)
	b.mark(2, "opened")
	head := b.forge.open(1)
	loose := fact.Blob{Path: ".primum.yml", OID: "p2", Text: strings.Replace(oneRule, "review-quorum: {B: {approvals: 1, roles: [developer]}}", "review-quorum: off", 1)}
	b.forge.edit(1, func(c *fact.Change) {
		c.Files = append(c.Files, fact.File{Path: ".primum.yml", Status: fact.Modified})
		c.HeadPolicy = &loose
	})
	b.run()
	b.mark(1, "opened")
	b.run()
	b.wantCheck(head, forges.ReportFailure)
	v := b.decoded(1)
	if v.Preview == nil || len(v.Preview.Flips) != 1 || v.Preview.Flips[0].Change != 2 {
		t.Fatalf("preview = %+v, want change 2 to flip", v.Preview)
	}
}

func TestABrokenPolicyIsAFailingCheckWithTheLine(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.forge.edit(1, func(c *fact.Change) { c.Policy.Text = "version: 1\nproduct: pump\nclasss: B\n" })
	b.mark(1, "opened")
	b.run()
	r := b.wantCheck(head, forges.ReportFailure)
	if len(r.Annotations) == 0 || r.Annotations[0].Line != 3 {
		t.Errorf("annotations = %+v, want line 3", r.Annotations)
	}
}

func TestNothingIsWrittenWhereNoPolicyGoverns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	b.forge.edit(1, func(c *fact.Change) { c.Policy = fact.Blob{Path: ".primum.yml", Missing: true} })
	b.mark(1, "opened")
	b.run()
	if n := b.forge.count("set_verdict") + b.forge.count("put_comment"); n != 0 {
		t.Errorf("%d writes, want none", n)
	}
}

func TestAChangeThatAddsAPolicyGetsANeutralPreview(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.forge.edit(1, func(c *fact.Change) {
		c.Policy = fact.Blob{Path: ".primum.yml", Missing: true}
		c.Files = append(c.Files, fact.File{Path: ".primum.yml", Status: fact.Added})
		c.HeadPolicy = &fact.Blob{Path: ".primum.yml", OID: "p1", Text: oneRule}
	})
	b.mark(1, "opened")
	b.run()
	b.wantCheck(head, forges.ReportNeutral)
}

func TestModesObserveAndAdvise(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	b.forge.edit(1, func(c *fact.Change) { c.Policy.Text += "mode: observe\n" })
	b.mark(1, "opened")
	b.run()
	if b.state(1) != rules.Fail || b.forge.count("set_verdict")+b.forge.count("put_comment") != 0 {
		t.Errorf("observe: state %s, %d writes; want fail and none", b.state(1), b.forge.count("set_verdict"))
	}
	head := b.forge.open(2)
	b.forge.edit(2, func(c *fact.Change) { c.Policy.Text += "mode: advise\n" })
	b.mark(2, "opened")
	b.run()
	b.wantCheck(head, forges.ReportNeutral)
}

// Law 8: a draft has a check and no comment.
func TestNoCommentOnADraft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.forge.edit(1, func(c *fact.Change) { c.Draft = true })
	b.mark(1, "opened")
	b.run()
	b.wantCheck(head, forges.ReportFailure)
	if n := b.forge.count("put_comment"); n != 0 {
		t.Errorf("%d comments on a draft", n)
	}
}

// Law 8: what a person deleted stays deleted; the check goes on.
func TestADeletedCommentIsNotPostedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	b.forge.comments[b.forge.said(1)[0].id].deleted = true
	head := b.forge.push(1, 1)
	b.mark(1, "pushed")
	b.run()
	b.forge.approve(1)
	b.mark(1, "reviewed")
	b.run()
	b.wantCheck(head, forges.ReportSuccess)
	if said := b.forge.said(1); len(said) != 0 {
		t.Errorf("posted again: %+v", said)
	}
}

// Law 8: a Primum that forgot everything finds its check and comment again.
func TestOursAreFoundByMarkerAfterEverythingIsForgotten(t *testing.T) {
	t.Parallel()
	first := newBench(t)
	head := first.forge.open(1)
	first.mark(1, "opened")
	first.run()
	again := newBenchOn(t, first.forge, ":memory:")
	again.mark(1, "sweep")
	again.forge.reset()
	again.run()
	again.wantCheck(head, forges.ReportFailure)
	if n := len(again.forge.said(1)); n != 1 {
		t.Errorf("%d comments, want the old one adopted", n)
	}
	if n := again.forge.count(""); n != 2 { // read cold, read wider: both stand already
		t.Errorf("%d calls %v, want two reads and no write", n, again.forge.calls)
	}
}

// Law 8 and 10: what stands is not written again; a judgement with no news is one read.
func TestNothingIsWrittenThatIsThere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	b.forge.reset()
	for range 3 {
		b.clock.turn(time.Hour)
		b.mark(1, "sweep")
		b.run()
	}
	if n := b.forge.count("read"); n != 3 || b.forge.count("") != 3 {
		t.Errorf("calls = %v, want three reads", b.forge.calls)
	}
}

// Law 10: warm, one event costs one read and one write; a new change of a known
// repository is warm too.
func TestOneReadAndOneWriteForAnEvent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	issue := fact.Issue{Repo: "acme/pump", Number: 9, Title: "Rate too high", State: fact.Open}
	for n := 1; n <= 2; n++ {
		b.forge.open(n)
		b.forge.edit(n, func(c *fact.Change) {
			c.Body, c.Issues = "Fixes #9", []fact.Issue{issue}
			c.Head.SHA = sha("own", n)
			c.Commits = []fact.Commit{commitOf(c.Head.SHA)}
		})
	}
	b.mark(1, "opened")
	b.run()
	b.forge.reset()
	b.mark(2, "opened") // cold change, known repository: issues from the description
	b.run()
	if n := b.forge.count("read"); n != 1 {
		t.Errorf("a cold change took %d reads, want 1", n)
	}
	b.forge.push(2, 1)
	b.mark(2, "pushed")
	b.run()
	b.forge.reset()
	b.forge.approve(2)
	b.mark(2, "reviewed")
	b.run()
	if r, w := b.forge.count("read"), b.forge.count("set_verdict"); r != 1 || w != 1 {
		t.Errorf("calls = %v, want one read and one check", b.forge.calls)
	}
	if n := b.forge.count("put_comment"); n > 1 {
		t.Errorf("%d comment writes", n)
	}
}

// Law 10: ten events within a moment are one or two judgements.
func TestABurstIsJudgedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	for n := 1; n <= 10; n++ {
		b.forge.push(1, n)
		b.mark(1, "pushed")
	}
	if n := b.run(); n > 2 {
		t.Errorf("%d judgements of a burst", n)
	}
	if got, want := b.verdict(key(1)).Head, b.forge.changes[1].Head.SHA; got != want {
		t.Errorf("judged %s, want the last head %s", got, want)
	}
}
