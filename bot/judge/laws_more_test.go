package judge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
)

// Law 9: one commit heads two changes; the worst answer stands, whoever was
// judged last, and the text says whose it is.
func TestTheWorstOfTwoChangesStandsOnTheirCommit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.forge.open(2)
	b.forge.edit(2, func(c *fact.Change) { c.Head.SHA, c.Commits = head, []fact.Commit{commitOf(head)} })
	b.forge.approve(1)
	b.mark(1, "opened")
	b.run()
	b.mark(2, "opened")
	b.run()
	if b.state(1) != rules.Pass || b.state(2) != rules.Fail {
		t.Fatalf("states %s and %s, want pass and fail", b.state(1), b.state(2))
	}
	b.wantCheck(head, forges.ReportFailure)
	b.mark(1, "sweep") // the good one, judged last, must not turn it green
	b.run()
	r := b.wantCheck(head, forges.ReportFailure)
	if !strings.Contains(r.Title+r.Summary, "2") {
		t.Errorf("%q does not say that the answer comes from change 2", r.Title)
	}
	b.forge.approve(2)
	b.mark(2, "reviewed")
	b.run()
	b.wantCheck(head, forges.ReportSuccess)
}

// Law 9: when the bad change goes away, the other gets its answer back without
// a delivery of its own.
func TestASiblingsCheckIsMendedWhenTheWorseOneCloses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.forge.open(2)
	b.forge.edit(2, func(c *fact.Change) { c.Head.SHA, c.Commits = head, []fact.Commit{commitOf(head)} })
	b.forge.approve(1)
	b.mark(1, "opened")
	b.mark(2, "opened")
	b.run()
	b.wantCheck(head, forges.ReportFailure)
	b.forge.edit(2, func(c *fact.Change) { c.State = fact.Closed })
	b.mark(2, "opened")
	b.run()
	b.wantCheck(head, forges.ReportSuccess)
}

// Law 7: a reading that finishes after a newer one writes nothing.
func TestAnOlderReadingNeverOverwritesANewerOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.mark(1, "opened")
	old := b.claim()
	b.clock.turn(2 * time.Minute) // its worker hangs and loses the lease
	b.forge.approve(1)
	b.mark(1, "reviewed")
	b.run()
	b.wantCheck(head, forges.ReportSuccess)
	writes := b.forge.count("set_verdict") + b.forge.count("put_comment")
	b.forge.edit(1, func(c *fact.Change) { c.Reviews = nil })
	if err := b.one(&old[0]); !errors.Is(err, store.ErrLost) {
		t.Fatalf("error = %v, want the lease lost", err)
	}
	if n := b.forge.count("set_verdict") + b.forge.count("put_comment"); n != writes {
		t.Errorf("%d writes after the lease was lost", n-writes)
	}
	if b.state(1) != rules.Pass {
		t.Errorf("state = %s, want the newer verdict", b.state(1))
	}
}

// Law 7: killed between the call and its record, Primum finds what it did.
func TestACrashAfterACallWritesNothingTwice(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"set_verdict", "put_comment"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			head := b.forge.open(1)
			b.mark(1, "opened")
			claims := b.claim()
			ctx, kill := context.WithCancel(t.Context())
			b.forge.after = func(call string) error {
				if call == at {
					kill() // the forge did it; we never hear, and end nothing
					return context.Canceled
				}
				return nil
			}
			_, err := b.judge.Subject(ctx, &claims[0])
			if err == nil {
				t.Fatal("the crash was not noticed")
			}
			b.forge.after = nil
			b.clock.turn(2 * time.Minute) // the lease runs out, another takes over
			b.judge = b.newJudge(slogOf(t))
			b.run()
			b.wantCheck(head, forges.ReportFailure)
			if n := len(b.forge.said(1)); n != 1 {
				t.Errorf("%d comments", n)
			}
		})
	}
}

// Law 7: the forge fails, then recovers; nobody has to do anything.
func TestAFaultyForgeIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"read", "set_verdict", "put_comment"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			head := b.forge.open(1)
			b.mark(1, "opened")
			b.forge.fault = failOn(call, errBroken)
			b.run()
			if p := b.subject(1).Problem; p == "" {
				t.Fatal("no problem is shown while the forge fails")
			}
			b.forge.fault = nil
			b.clock.turn(time.Minute)
			b.run()
			b.wantCheck(head, forges.ReportFailure)
			if n := len(b.forge.said(1)); n != 1 || b.subject(1).Problem != "" {
				t.Errorf("%d comments, problem %q", n, b.subject(1).Problem)
			}
		})
	}
}

// Law 1: while a green change cannot be read for long, its green is taken back.
func TestAGreenCheckIsTakenBackWhileTheChangeCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.forge.approve(1)
	b.mark(1, "opened")
	b.run()
	b.wantCheck(head, forges.ReportSuccess)
	b.forge.edit(1, func(c *fact.Change) { c.Reviews = nil })
	b.forge.fault = failOn("read", errBroken)
	b.mark(1, "reviewed")
	for range 6 {
		b.run()
		b.clock.turn(2 * time.Second)
	}
	b.wantCheck(head, forges.ReportPending)
	b.forge.fault = nil
	b.clock.turn(time.Minute)
	b.run()
	b.wantCheck(head, forges.ReportFailure)
}

// Law 4: a comment is obeyed as first posted; an edit changes nothing.
func TestAnEditedCommandIsObeyedAsFirstPosted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	words := fact.Comment{ID: "c1", URL: "https://forge.example/c1", Author: mara, Body: "/primum explain review-quorum", CreatedAt: start.Add(2 * time.Hour)}
	b.forge.edit(1, func(c *fact.Change) { c.Comments = []fact.Comment{words} })
	b.mark(1, "command")
	b.run()
	b.forge.edit(1, func(c *fact.Change) {
		c.Comments[0].Body, c.Comments[0].EditedAt, c.Comments[0].Editor = "/primum link #99", start.Add(3*time.Hour), priya
	})
	b.mark(1, "command")
	b.run()
	var facts fact.Change
	b.must(json.Unmarshal(b.verdict(key(1)).Facts, &facts))
	if c := facts.Comments[0]; !c.FirstKnown || c.First != words.Body {
		t.Errorf("first = %q (known %v), want what was first posted", c.First, c.FirstKnown)
	}
	if len(facts.Links) != 0 {
		t.Errorf("links = %+v: the edit was obeyed", facts.Links)
	}
}

// Law 1: nor does a green check outlive a change that is given up because a part
// of it may not be read.
func TestAGreenCheckDoesNotOutliveAChangeThatIsGivenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.forge.approve(1)
	b.mark(1, "opened")
	b.run()
	b.wantCheck(head, forges.ReportSuccess)
	b.forge.fault = failOn("read", fmt.Errorf("files: %w", forges.ErrForbidden))
	b.mark(1, "reviewed")
	for range 4 {
		b.run()
		b.clock.turn(2 * time.Second)
	}
	b.wantCheck(head, forges.ReportPending)
}

// Law 4: an edited comment that was never seen before counts for nothing.
func TestAnUnseenEditedCommandIsNotObeyed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	b.forge.edit(1, func(c *fact.Change) {
		c.Comments = []fact.Comment{{ID: "c1", Author: mara, Body: "/primum link #9", CreatedAt: start, EditedAt: start.Add(time.Hour)}}
	})
	b.mark(1, "command")
	b.run()
	var facts fact.Change
	b.must(json.Unmarshal(b.verdict(key(1)).Facts, &facts))
	if facts.Comments[0].FirstKnown || len(facts.Links) != 0 {
		t.Errorf("comment %+v, links %+v: obeyed", facts.Comments[0], facts.Links)
	}
}

// Law 4: who pushed a commit is an author of the change, whatever names the
// commit carries, and that is known still when nobody remembers the delivery.
func TestWhoPushedCannotApprove(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.forge.open(1)
	head := b.forge.push(1, 1) // a commit that names mara and nobody else
	for _, p := range []struct {
		sha string
		by  fact.Person
	}{{old, mara}, {head, chen}, {head, priya}} { // the first sighting stands
		seen, ok := store.Pushed("fake", "R1", p.sha, p.by, start)
		if !ok {
			t.Fatal("the push is not kept")
		}
		b.must(b.db.Remember(t.Context(), []store.SeenComment{seen}))
	}
	b.forge.approve(1)
	b.mark(1, "pushed")
	b.run()
	if got := b.state(1); got != rules.Fail {
		t.Errorf("state = %s, want fail: chen pushed the head and approved it", got)
	}
	v := b.decoded(1)
	var why []string
	for _, a := range v.Authors {
		why = append(why, a.Person.Login+": "+strings.Join(a.Why, ", "))
	}
	if got := strings.Join(why, "; "); !strings.Contains(got, "chen: pushed "+head[:8]) || strings.Contains(got, "priya") {
		t.Errorf("authors = %s", got)
	}
}

// Law 3: a rise in class drops approvals given for less.
func TestARiseInClassDropsApprovals(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.forge.approve(1)
	b.mark(1, "opened")
	b.run()
	b.wantCheck(head, forges.ReportSuccess)
	first := b.verdict(key(1))
	b.mark(1, "sweep")
	b.run()
	if again := b.verdict(key(1)); again.ID != first.ID {
		t.Errorf("the same state read twice is two verdicts, of facts %s and %s", first.FactsDigest, again.FactsDigest)
	}
	raised := strings.Replace(oneRule, "class: B", "class: C", 1)
	raised = strings.Replace(raised, "review-quorum: {B:", "review-quorum: {C:", 1)
	b.forge.edit(1, func(c *fact.Change) { c.Policy.Text, c.Policy.OID = raised, "p2" })
	b.put(store.Mark{Key: store.Key{Forge: "fake", RepoID: "R1", Kind: store.KindRepo}, Reason: "policy"})
	b.run()
	v := b.decoded(1)
	if v.State != rules.Fail || v.Class.Class != "C" || len(v.Approvals) != 1 || v.Approvals[0].Counts ||
		!strings.Contains(v.Approvals[0].Why, "given for class B, the change is now class C") {
		t.Fatalf("%s at class %s: %+v", v.State, v.Class.Class, v.Approvals)
	}
	b.judge = b.newJudge(slogOf(t)) // known after a restart too
	b.mark(1, "sweep")
	b.run()
	b.wantCheck(head, forges.ReportFailure)
	b.forge.edit(1, func(c *fact.Change) { // chen looks at it again
		again := c.Reviews[0]
		again.ID, again.SubmittedAt = "again", again.SubmittedAt.Add(time.Hour)
		c.Reviews = append(c.Reviews, again)
	})
	b.mark(1, "reviewed")
	b.run()
	b.wantCheck(head, forges.ReportSuccess)
	if got := b.subject(1).Memory.Classes; got["again"] != "C" || len(got) != 2 {
		t.Errorf("classes kept: %v", got)
	}
	b.forge.edit(1, func(c *fact.Change) { c.Reviews = nil })
	b.mark(1, "reviewed")
	b.run()
	if got := b.subject(1).Memory.Classes; got != nil {
		t.Errorf("classes of reviews that are gone: %v", got)
	}
}

// A class that stands in for one that is not known is nobody's: else the true
// one would look like a rise, or hide it.
func TestNoReviewGetsAClassThatWasNotKnown(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	b.forge.approve(1)
	b.forge.edit(1, func(c *fact.Change) { c.MarkUnknown(fact.NeedFiles, "the forge timed out") })
	b.mark(1, "opened")
	b.run()
	if got := b.subject(1).Memory.Classes; got != nil {
		t.Errorf("classes kept while the files are not known: %v", got)
	}
	b.forge.edit(1, func(c *fact.Change) { c.Unknown = nil; c.Policy.Text = "version: 1\nclass: Z\n" })
	b.mark(1, "pushed")
	b.run()
	if got := b.subject(1).Memory.Classes; got != nil {
		t.Errorf("classes kept under a broken policy: %v", got)
	}
	b.forge.edit(1, func(c *fact.Change) { c.Policy.Text = oneRule })
	b.mark(1, "policy")
	b.run()
	if got := b.subject(1).Memory.Classes; len(got) != 1 {
		t.Errorf("classes kept: %v, want that of the one review", got)
	}
}

// Law 3: an approval of a waiver binds to the request it saw. When an earlier
// request is deleted or edited away, the numbers move and the approval does not.
func TestAnApprovalStaysWithItsWaiver(t *testing.T) {
	t.Parallel()
	harmless := "/primum waive review-meaning until 2026-11-24 because the signing page is being repaired until Monday"
	grave := "/primum waive review-quorum until 2026-11-24 because the only other developer is on sick leave until Monday"
	for name, tt := range map[string]struct {
		approve func(*fact.Change)
		away    func(*fact.Change)
	}{
		"deleted, approved by comment": {approveW1, func(c *fact.Change) { c.Comments = c.Comments[1:] }},
		"edited, approved by comment": {approveW1, func(c *fact.Change) {
			c.Comments[0].Body, c.Comments[0].EditedAt, c.Comments[0].Editor = "Never mind.", start.Add(time.Hour), mara
		}},
		"deleted, approved in a review": {func(c *fact.Change) {
			c.Reviews = append(c.Reviews, fact.Review{
				ID: "r1", Author: priya, State: fact.Commented, Commit: c.Head.SHA, Body: "/primum approve W1", SubmittedAt: start.Add(3 * time.Minute),
			})
		}, func(c *fact.Change) { c.Comments = c.Comments[1:] }},
		"deleted, and the approval edited before it was read": {func(c *fact.Change) {
			approveW1(c)
			c.Comments[2].Body, c.Comments[2].EditedAt = "Fine by me.", start.Add(4*time.Minute)
		}, func(c *fact.Change) { c.Comments = c.Comments[1:] }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.clock.turn(start.Add(2 * time.Hour).Sub(b.clock.Now()))
			head := b.forge.open(1)
			b.forge.edit(1, func(c *fact.Change) {
				c.Comments = []fact.Comment{
					{ID: "c1", Author: mara, Body: harmless, CreatedAt: start.Add(time.Minute)},
					{ID: "c2", Author: mara, Body: grave, CreatedAt: start.Add(2 * time.Minute)},
				}
				tt.approve(c)
			})
			// The delivery of the approval told its words, as intake keeps them.
			b.must(b.db.Remember(t.Context(), []store.SeenComment{{Forge: "fake", RepoID: "R1", CommentID: "c3", First: "/primum approve W1", Known: true}}))
			b.mark(1, "command")
			b.run()
			if w := b.decoded(1).Waivers; len(w) != 2 || w[0].State != rules.WaiverActive || w[1].State != rules.WaiverRequested {
				t.Fatalf("waivers: %+v", w)
			}
			b.wantCheck(head, forges.ReportFailure)
			b.forge.edit(1, tt.away)
			b.judge = b.newJudge(slogOf(t))
			b.mark(1, "command")
			b.run()
			for _, w := range b.decoded(1).Waivers {
				if w.Rule == "review-quorum" && w.State == rules.WaiverActive {
					t.Errorf("the approval moved to %s: %+v", w.ID, w)
				}
			}
			b.wantCheck(head, forges.ReportFailure)
		})
	}
}

func approveW1(c *fact.Change) {
	c.Comments = append(c.Comments, fact.Comment{ID: "c3", Author: priya, Body: "/primum approve W1", CreatedAt: start.Add(3 * time.Minute)})
}

// Each command gets one reaction, and an answer in the one comment.
func TestCommandsAreAnsweredOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	b.forge.edit(1, func(c *fact.Change) {
		c.Comments = []fact.Comment{
			{ID: "c1", Author: mara, Body: "/primum class", CreatedAt: start},
			{ID: "c2", Author: mara, Body: "/primum aprove", CreatedAt: start.Add(time.Minute)},
		}
	})
	b.mark(1, "command")
	b.run()
	b.clock.turn(time.Hour)
	b.mark(1, "command")
	b.run()
	if got := strings.Join(b.forge.reacted, ", "); got != "c1 +1, c2 confused" {
		t.Errorf("reactions = %s", got)
	}
	if body := b.forge.said(1)[0].body; !strings.Contains(body, "aprove") || !strings.Contains(body, "dosing") {
		t.Errorf("the comment answers neither command:\n%s", body)
	}
}

// Law 4: a login that another account took over gives no role.
func TestALoginTakenOverGivesNoRole(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	b.mark(1, "opened")
	b.run()
	thief := fact.Person{ID: "666", Login: "chen"}
	b.forge.edit(1, func(c *fact.Change) {
		c.People["user:chen"] = fact.Principal{Members: []fact.Person{thief}}
		c.Reviews = []fact.Review{{ID: "r", Author: thief, State: fact.Approved, Commit: c.Head.SHA, SubmittedAt: start}}
	})
	b.mark(1, "reviewed")
	b.run()
	if b.state(1) == rules.Pass {
		t.Error("an account that took over a login approved")
	}
}

// Law 6: a sweep finds what a lost webhook hid, on the same path.
func TestASweepFindsWhatWasLost(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	known := b.forge.open(2)
	b.mark(2, "opened")
	b.run()
	moved := b.forge.push(2, 1)
	b.forge.open(3)
	b.forge.edit(3, func(c *fact.Change) { c.State = fact.Closed })
	b.put(store.Mark{Key: key(3), Reason: "opened"})
	b.put(store.Mark{Key: store.Key{Forge: "fake", Kind: store.KindForge}, Reason: "sweep"})
	b.run()
	b.wantCheck(sha("head", 1), forges.ReportFailure)
	b.wantCheck(moved, forges.ReportFailure)
	if _, n := b.forge.on(known); n != 1 {
		t.Errorf("%d checks on the old head", n)
	}
	b.forge.reset()
	b.put(store.Mark{Key: store.Key{Forge: "fake", Kind: store.KindForge}, Reason: "sweep"})
	b.run()
	if n := b.forge.count("read"); n != 0 {
		t.Errorf("a second sweep read %d changes that did not move", n)
	}
}

func TestAPolicyPushJudgesEveryOpenChange(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for n := 1; n <= 3; n++ {
		b.forge.open(n)
		b.mark(n, "opened")
	}
	b.run()
	for n := 1; n <= 3; n++ {
		b.forge.changes[n].Policy.Text = strings.Replace(oneRule, "review-quorum: {B: {approvals: 1, roles: [developer]}}", "review-quorum: off", 1)
	}
	b.put(store.Mark{Key: store.Key{Forge: "fake", RepoID: "R1", Kind: store.KindRepo}, Reason: "policy"})
	b.run()
	for n := 1; n <= 3; n++ {
		b.wantCheck(b.forge.changes[n].Head.SHA, forges.ReportSuccess)
	}
}

// A merge queue candidate gets the worst answer of its members, judged anew.
func TestAQueueCandidateIsJudgedByEveryMember(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for n := 1; n <= 3; n++ {
		b.forge.open(n)
		b.forge.approve(n)
		b.mark(n, "opened")
	}
	b.run()
	b.forge.queue = []int{1, 2, 3}
	b.candidate("aaaa1111")
	b.wantCheck("aaaa1111", forges.ReportSuccess)
	b.forge.edit(2, func(c *fact.Change) { c.Reviews[0].State = fact.Dismissed })
	b.candidate("bbbb2222")
	r := b.wantCheck("bbbb2222", forges.ReportFailure)
	if !strings.Contains(r.Title, "#2: ") {
		t.Errorf("title %q does not say which change fails", r.Title)
	}
}

// A candidate does its work by being merged: what was judged before stands,
// and no late failure appears on a commit that is already the branch.
func TestAQueueCandidateEndsWithItsMembers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for n := 1; n <= 2; n++ {
		b.forge.open(n)
		b.forge.approve(n)
	}
	b.forge.queue = []int{1, 2}
	b.candidate("aaaa1111")
	b.wantCheck("aaaa1111", forges.ReportSuccess)

	// The first is merged by another candidate: the second is still judged.
	b.forge.edit(1, func(c *fact.Change) { c.State = fact.Merged })
	b.forge.edit(2, func(c *fact.Change) { c.Reviews[0].State = fact.Dismissed })
	b.candidate("aaaa1111")
	if r := b.wantCheck("aaaa1111", forges.ReportFailure); !strings.Contains(r.Title, "#2: ") {
		t.Errorf("title %q does not name the change that fails", r.Title)
	}

	// A member that was closed and not merged holds the candidate up.
	b.forge.edit(2, func(c *fact.Change) { c.Reviews[0].State, c.State = fact.Approved, fact.Closed })
	b.candidate("aaaa1111")
	if r := b.wantCheck("aaaa1111", forges.ReportFailure); !strings.Contains(r.Title, "no longer open") {
		t.Errorf("title %q does not say that the change was closed", r.Title)
	}

	b.forge.edit(2, func(c *fact.Change) { c.State = fact.Open })
	b.candidate("aaaa1111")
	b.wantCheck("aaaa1111", forges.ReportSuccess)
	b.forge.edit(2, func(c *fact.Change) { c.State = fact.Merged })
	b.candidate("aaaa1111")
	b.wantCheck("aaaa1111", forges.ReportSuccess)
	sub, err := b.db.Subject(t.Context(), store.Key{Forge: "fake", RepoID: "R1", Kind: store.KindQueue, Ref: "aaaa1111"})
	b.must(err)
	if sub.Open {
		t.Errorf("the candidate is open: %v, problem %q; want it finished", sub.Open, sub.Problem)
	}
}

func TestAQueueCandidateThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.queueErr = forges.ErrNotFound
	b.candidate("cccc3333")
	b.wantCheck("cccc3333", forges.ReportFailure)
	b.forge.queueErr = errBroken
	b.candidate("dddd4444")
	if _, n := b.forge.on("dddd4444"); n != 0 {
		t.Error("something was posted for a candidate that may be readable soon")
	}
	b.forge.queueErr, b.forge.queue = nil, []int{1}
	b.forge.open(1)
	b.clock.turn(time.Minute)
	b.run()
	b.wantCheck("dddd4444", forges.ReportFailure)
}

// Time alone changes a verdict: a waiver runs out.
func TestAWaiverRunsOutByTheClock(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.clock.turn(start.Add(2 * time.Hour).Sub(b.clock.Now()))
	b.forge.edit(1, func(c *fact.Change) {
		c.Comments = []fact.Comment{
			{ID: "c1", URL: "u1", Author: mara, Body: "/primum waive review-quorum until 2026-11-24 because the only other developer is on sick leave until then and the pump ships on Monday", CreatedAt: start},
			{ID: "c2", URL: "u2", Author: priya, Body: "/primum approve W1", CreatedAt: start.Add(time.Minute), HeadThen: head},
		}
	})
	b.mark(1, "command")
	b.run()
	b.wantCheck(head, forges.ReportSuccess)
	b.clock.turn(4 * 24 * time.Hour) // no delivery comes
	b.run()
	b.wantCheck(head, forges.ReportFailure)
}

// Two replicas on one database never judge one subject at the same time, and
// what one did the other does not do again.
func TestTwoReplicasShareTheWork(t *testing.T) {
	for name, address := range databases(t) {
		t.Run(name, func(t *testing.T) {
			b := newBenchOn(t, newFake(), address)
			for n := 1; n <= 20; n++ {
				b.forge.open(n)
				b.mark(n, "opened")
			}
			seen := map[string]int{}
			for {
				mine, theirs := b.claim(), b.claim()
				if len(mine)+len(theirs) == 0 {
					break
				}
				for i := range mine {
					seen[mine[i].Ref]++
					b.must(b.one(&mine[i]))
				}
				for i := range theirs {
					seen[theirs[i].Ref]++
					b.must(b.one(&theirs[i]))
				}
			}
			for n := 1; n <= 20; n++ {
				if seen[key(n).Ref] != 1 {
					t.Errorf("change %d judged %d times", n, seen[key(n).Ref])
				}
				b.wantCheck(b.forge.changes[n].Head.SHA, forges.ReportFailure)
			}
		})
	}
}

func TestASuspendedInstallationIsGivenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.forge.open(1)
	b.forge.fault = failOn("read", forges.ErrSuspended)
	b.mark(1, "opened")
	b.run()
	if s := b.subject(1); !s.GaveUp || s.Problem == "" {
		t.Errorf("gave up = %v, problem %q; want given up with the reason", s.GaveUp, s.Problem)
	}
}

func slogOf(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// candidate judges one merge queue candidate.
func (b *bench) candidate(sha string) {
	b.t.Helper()
	b.put(store.Mark{Key: store.Key{Forge: "fake", RepoID: "R1", Kind: store.KindQueue, Ref: sha}, Reason: "opened"})
	b.run()
}

// Law 10: a check that the policy does not require wakes nobody.
func TestOnlyRequiredChecksWakeAChange(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	head := b.forge.open(1)
	b.forge.edit(1, func(c *fact.Change) { c.Policy.Text += "checks: {B: [build]}\n" })
	b.mark(1, "opened")
	b.run()
	for name, want := range map[string]int{"lint": 0, "build": 1} {
		n, err := b.db.Mark(t.Context(), nil, []store.Fan{{Forge: "fake", RepoID: "R1", Reason: "check", Head: head, Check: name}})
		b.must(err)
		if n != want {
			t.Errorf("check %s woke %d changes, want %d", name, n, want)
		}
	}
}
