package forgetest

import (
	"fmt"
	"slices"
	"strings"

	"primum/forges"
	"primum/forges/sim"
	"primum/rules/fact"
)

// happened is one thing a person does and the event it must become.
type happened struct {
	name string
	// before makes the world ready; its deliveries are not looked at.
	before func(*try) int
	do     func(t *try, n int)
	want   forges.Event
	also   func(t *try, n int, e forges.Event)
	// trait is what a forge must have to tell of it. Without it the happening
	// becomes or, and where that is nil no delivery tells of it.
	trait forges.Trait
	or    *forges.Event
	// has is as trait, of what is no Trait.
	has func(forges.Capabilities) bool
}

// Marks in wanted events that stand for what is known only when it happens.
const (
	headSHA = "(head)"
	tipSHA  = "(tip of main)"
)

func happenings() []contract {
	var out []contract
	for _, h := range slices.Concat(changeHappenings(), issueHappenings(), wordHappenings(), checkHappenings(), otherHappenings()) {
		out = append(out, contract{h.name, h.run})
	}
	return out
}

func (h happened) run(t *try) {
	t.Adapter.Capabilities()
	_ = t.repo() // an adapter learns who it is from its first call
	n := 0
	if h.before != nil {
		n = h.before(t)
	}
	t.Hooks(t)
	t.Advance(60_000_000_000)
	h.do(t, n)
	want, told := h.want, true
	if lacks := h.trait != "" && !t.has(h.trait) || h.has != nil && !h.has(t.Adapter.Capabilities()); lacks {
		told = h.or != nil
		if told {
			want = *h.or
		}
	}
	var seen []string
	for _, hook := range t.Hooks(t) {
		d, err := t.Adapter.Verify(hook.Header, hook.Body)
		t.ok(err)
		e, err := t.Adapter.Decode(d)
		t.ok(err)
		if matches(t, want, n, e) {
			if !told {
				t.Errorf("a delivery tells of it (%s, %s), which the forge is said not to do: %s", hook.Event, e.Action, h.trait)
			} else if h.also != nil {
				h.also(t, n, e)
			}
			return
		}
		seen = append(seen, fmt.Sprintf("%s %s (%s) on change %v issue %d sha %.7s branch %s by %s, closed %t, removed %t, ours %t",
			e.Kind, e.Trigger, e.Action, e.Changes, e.Issue, e.SHA, e.Branch, e.Actor.Login, e.Closed, e.Removed, e.Ours))
	}
	if told {
		t.Errorf("no event is %s %s of %d; seen:\n%s", want.Kind, want.Trigger, n, strings.Join(seen, "\n"))
	}
}

// matches compares what the case names; a zero field is not compared, but for
// Closed, Pushed, Removed and Ours.
func matches(t *try, w forges.Event, n int, e forges.Event) bool {
	sha := w.SHA
	switch sha {
	case headSHA:
		if is, ok := t.World.Issue(Repo, n); ok && is.Change != nil {
			sha = is.Change.Head
		}
	case tipSHA:
		sha = t.World.Tip(Repo, "main")
	}
	ok := e.Kind == w.Kind && (w.Trigger == "" || e.Trigger == w.Trigger) && e.Closed == w.Closed && e.Pushed == w.Pushed && e.Removed == w.Removed && e.Ours == w.Ours
	ok = ok && (sha == "" || e.SHA == sha) && (w.Branch == "" || e.Branch == w.Branch) && (w.Owner == "" || e.Owner == w.Owner)
	ok = ok && (w.Actor.Login == "" || e.Actor.Login == w.Actor.Login) && (w.OldName == "" || e.OldName == w.OldName) && (w.OldOwner == "" || e.OldOwner == w.OldOwner)
	if w.Changes != nil {
		ok = ok && slices.Equal(e.Changes, []int{n})
	}
	if w.Issue != 0 {
		ok = ok && e.Issue == n
	}
	if w.Kind == forges.ChangeEvent || w.Kind == forges.IssueEvent || w.Kind == forges.CheckEvent || w.Kind == forges.PushEvent {
		ok = ok && e.Repo.FullName() == Repo && e.Repo.ID != "" && e.Repo.Forge == t.Adapter.Key()
	}
	if w.Comment != nil {
		c := e.Comment
		ok = ok && c != nil && c.Action == w.Comment.Action && c.Review == w.Comment.Review && (w.Comment.Body == "" || c.Body == w.Comment.Body) && c.ID != ""
		if was := w.Comment.Previous; ok && was != "" && t.has(forges.TellsPreviousText) {
			ok = c.Previous == was
		} else if ok && was != "" {
			ok = c.Previous == "" // a former text that is not known is not made up
		}
	}
	if w.Check != nil {
		ok = ok && e.Check != nil && (w.Check.Name == "" || e.Check.Name == w.Check.Name) && e.Check.Done == w.Check.Done && e.Check.Ours == w.Check.Ours
	}
	if w.Request != nil {
		ok = ok && e.Request != nil && *e.Request == *w.Request
	}
	return ok
}

// concerns is an event on the case's change.
func concerns(trigger fact.Trigger, by string) forges.Event {
	return forges.Event{Kind: forges.ChangeEvent, Trigger: trigger, Changes: []int{1}, Actor: fact.Person{Login: by}}
}

func opened(t *try) int { return t.change("Fixes nothing.") }

func approved(t *try) int {
	n := opened(t)
	t.id(t.as("priya").Approve(Repo, n, "verified"))
	return n
}

func changeHappenings() []happened {
	with := func(e forges.Event, fn func(*forges.Event)) forges.Event {
		fn(&e)
		return e
	}
	merged := func(e *forges.Event) { e.Closed = true }
	head := func(e *forges.Event) { e.SHA, e.Branch, e.Pushed = headSHA, "main", true }
	// A draft by its title alone is one more edit of the title, or whatever the
	// adapter makes of it.
	retitled, spoken := new(forges.Event), new(forges.Event)
	*retitled = concerns("", "mara")
	// The words of a review that is no approval may come as a review or as a comment.
	*spoken = concerns("", "priya")
	return []happened{
		{name: "a change is opened", do: func(t *try, _ int) { opened(t) }, want: forges.Event{Kind: forges.ChangeEvent, Trigger: fact.OnOpened, Branch: "main", Pushed: true, Actor: fact.Person{Login: "mara"}}, also: func(t *try, _ int, e forges.Event) {
			if len(e.Changes) != 1 || e.SHA != t.World.Tip(Repo, "rate") || e.Body != "Fixes nothing." || e.UpdatedAt.IsZero() {
				t.Errorf("event %+v", e)
			}
		}},
		{name: "a change is opened from a fork", do: func(t *try, _ int) {
			t.sha(t.as("sam").Fork(Repo))
			t.sha(t.as("sam").Push("sam/pump", "topic", sim.NewCommit{Files: map[string]string{"a": "a\n"}}))
			t.num(t.as("sam").OpenChange(Repo, sim.NewChange{Title: "Topic", Head: "sam:topic"}))
		}, want: forges.Event{Kind: forges.ChangeEvent, Trigger: fact.OnOpened, Pushed: true, Actor: fact.Person{Login: "sam"}}},
		{name: "a change gets commits", before: opened, do: func(t *try, _ int) {
			t.sha(t.as("mara").Push(Repo, "rate", sim.NewCommit{Files: map[string]string{"a": "a\n"}}))
		}, want: with(concerns(fact.OnPushed, "mara"), head)},
		{name: "a change is rebased", before: opened, do: func(t *try, _ int) {
			t.sha(t.as("alex").Push(Repo, "main", sim.NewCommit{Files: map[string]string{"b": "b\n"}}))
			t.Advance(60_000_000_000)
			t.sha(t.as("mara").Rebase(Repo, "rate", "main"))
		}, want: with(concerns(fact.OnPushed, "mara"), head)},
		{name: "the title of a change is edited", before: opened, do: func(t *try, n int) { t.ok(t.as("mara").SetTitle(Repo, n, "Other")) }, want: concerns(fact.OnEdited, "mara")},
		{name: "the description of a change is edited", before: opened, do: func(t *try, n int) { t.ok(t.as("chen").SetBody(Repo, n, "Other")) }, trait: forges.TellsTextEdits, want: concerns(fact.OnEdited, "chen"), also: func(t *try, _ int, e forges.Event) {
			equal(t, "body", e.Body, "Other")
		}},
		{name: "a change gets another target", before: func(t *try) int {
			n := opened(t)
			t.sha(t.as("alex").Push(Repo, "release"))
			return n
		}, do: func(t *try, n int) { t.ok(t.as("mara").Retarget(Repo, n, "release")) }, want: with(concerns(fact.OnEdited, "mara"), func(e *forges.Event) { e.Branch = "release" })},
		{name: "a change is labelled", before: opened, do: func(t *try, n int) { t.ok(t.as("chen").Label(Repo, n, "urgent")) }, want: concerns(fact.OnLabeled, "chen")},
		{name: "a label is taken off a change", before: func(t *try) int {
			n := opened(t)
			t.ok(t.as("chen").Label(Repo, n, "urgent"))
			return n
		}, do: func(t *try, n int) { t.ok(t.as("chen").Unlabel(Repo, n, "urgent")) }, want: concerns(fact.OnLabeled, "chen")},
		{name: "a change becomes a draft", before: opened, do: func(t *try, n int) { t.ok(t.as("mara").ConvertToDraft(Repo, n)) }, want: concerns(fact.OnOpened, "mara"), trait: forges.ReadsDrafts, or: retitled},
		{name: "a draft becomes ready", before: func(t *try) int {
			n := opened(t)
			t.ok(t.as("mara").ConvertToDraft(Repo, n))
			return n
		}, do: func(t *try, n int) { t.ok(t.as("mara").MarkReady(Repo, n)) }, want: concerns(fact.OnOpened, "mara"), trait: forges.ReadsDrafts, or: retitled},
		{name: "a change is closed", before: opened, do: func(t *try, n int) { t.ok(t.as("mara").Close(Repo, n, "")) }, want: with(concerns(fact.OnOpened, "mara"), merged)},
		{name: "a change is reopened", before: func(t *try) int {
			n := opened(t)
			t.ok(t.as("mara").Close(Repo, n, ""))
			return n
		}, do: func(t *try, n int) { t.ok(t.as("mara").Reopen(Repo, n)) }, want: concerns(fact.OnOpened, "mara")},
		{name: "a change is merged", before: opened, do: func(t *try, n int) { t.sha(t.as("jonas").Merge(Repo, n, sim.MergeOptions{})) }, want: with(concerns(fact.OnOpened, "jonas"), merged)},
		{name: "the branch of a change is deleted", before: opened, do: func(t *try, _ int) { t.ok(t.as("mara").DeleteBranch(Repo, "rate")) }, want: with(concerns(fact.OnOpened, "mara"), merged), trait: forges.TellsBranchGone},
		{name: "a change is approved", before: opened, do: func(t *try, n int) { t.id(t.as("priya").Approve(Repo, n, "")) }, want: concerns(fact.OnReviewed, "priya"), also: func(t *try, n int, e forges.Event) {
			if t.has(forges.ReadsReviewCommit) {
				return // it can be read at any time
			}
			is, _ := t.World.Issue(Repo, n)
			if a := e.Approval; a == nil || a.SHA != is.Change.Head || a.By.Login != "priya" || !a.By.Known() || a.Withdrawn {
				t.Errorf("the approval is %+v; a reading will not tell that it was given on %s", e.Approval, is.Change.Head)
			}
		}},
		{name: "an approval is taken back by who gave it", before: approved, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			t.ok(t.as("priya").DismissReview(Repo, n, is.Change.Reviews[0].ID, "on second thoughts"))
		}, want: concerns(fact.OnReviewed, "priya"), trait: forges.TellsDismissal, also: func(t *try, _ int, e forges.Event) {
			if !t.has(forges.ReadsReviewCommit) && (e.Approval == nil || !e.Approval.Withdrawn || e.Approval.By.Login != "priya") {
				t.Errorf("the approval is %+v, and was withdrawn", e.Approval)
			}
		}},
		{name: "changes are requested", before: opened, do: func(t *try, n int) { t.id(t.as("priya").RequestChanges(Repo, n, "no")) }, want: concerns(fact.OnReviewed, "priya"), trait: forges.TellsRefusals},
		{name: "a review has words", before: opened, do: func(t *try, n int) {
			t.id(t.as("priya").Review(Repo, n, sim.Commented, "", "/primum hold"))
		}, want: with(concerns(fact.OnReviewed, "priya"), func(e *forges.Event) {
			e.Comment = &forges.CommentSeen{Body: "/primum hold", Action: forges.CommentCreated, Review: true}
		}), trait: forges.TellsReviewText, or: spoken},
		{name: "a review is edited", before: approved, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			t.ok(t.as("priya").EditReview(Repo, n, is.Change.Reviews[0].ID, "other words"))
		}, want: with(concerns(fact.OnReviewed, "priya"), func(e *forges.Event) {
			e.Comment = &forges.CommentSeen{Body: "other words", Previous: "verified", Action: forges.CommentEdited, Review: true}
		}), trait: forges.TellsReviewEdit},
		{name: "a review is dismissed", before: approved, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			t.ok(t.as("chen").DismissReview(Repo, n, is.Change.Reviews[0].ID, "stale"))
		}, want: concerns(fact.OnReviewed, ""), trait: forges.TellsDismissal, also: func(t *try, _ int, e forges.Event) {
			if t.has(forges.ReadsDismissals) {
				equal(t, "by", e.Actor.Login, "chen")
			}
		}},
		{name: "a push dismisses an approval", before: func(t *try) int {
			t.ok(t.as("alex").Protect(Repo, "main", &sim.Protection{Approvals: 1, DismissStale: true}))
			return approved(t)
		}, do: func(t *try, _ int) {
			t.sha(t.as("mara").Push(Repo, "rate", sim.NewCommit{Files: map[string]string{"a": "a\n"}}))
		}, want: concerns(fact.OnReviewed, ""), trait: forges.TellsResets},
		{name: "a thread is opened", before: opened, do: func(t *try, n int) { t.id(t.as("priya").OpenThread(Repo, n, "fw/dosing/rate.c", 3, "why")) }, want: concerns(fact.OnThread, "priya"), trait: forges.TellsThreads},
		{name: "a thread is answered", before: func(t *try) int {
			n := opened(t)
			t.id(t.as("priya").OpenThread(Repo, n, "fw/dosing/rate.c", 3, "why"))
			return n
		}, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			t.ok(t.as("mara").ReplyThread(Repo, n, is.Change.Threads[0].ID, "so"))
		}, want: concerns(fact.OnThread, "mara"), trait: forges.TellsThreads},
		{name: "a thread is resolved", before: func(t *try) int {
			n := opened(t)
			t.id(t.as("priya").OpenThread(Repo, n, "fw/dosing/rate.c", 3, "why"))
			return n
		}, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			t.ok(t.as("mara").ResolveThread(Repo, n, is.Change.Threads[0].ID))
		}, want: concerns(fact.OnThread, "mara"), trait: forges.TellsResolving},
		{name: "a thread is opened again", before: func(t *try) int {
			n := opened(t)
			id := t.id(t.as("priya").OpenThread(Repo, n, "fw/dosing/rate.c", 3, "why"))
			t.ok(t.as("mara").ResolveThread(Repo, n, id))
			return n
		}, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			t.ok(t.as("priya").UnresolveThread(Repo, n, is.Change.Threads[0].ID))
		}, want: concerns(fact.OnThread, "priya"), trait: forges.TellsReopening},
	}
}

func reported(t *try) int {
	return t.num(t.as("jonas").OpenIssue(Repo, "Rate drifts", "It drifts.", "bug"))
}

func issueHappenings() []happened {
	issue := func(by string) forges.Event {
		return forges.Event{Kind: forges.IssueEvent, Trigger: fact.OnIssue, Issue: 1, Actor: fact.Person{Login: by}}
	}
	return []happened{
		{name: "an issue is opened", do: func(t *try, _ int) { reported(t) }, want: forges.Event{Kind: forges.IssueEvent, Trigger: fact.OnIssue, Actor: fact.Person{Login: "jonas"}}},
		{name: "the title of an issue is edited", before: reported, do: func(t *try, n int) { t.ok(t.as("chen").SetTitle(Repo, n, "Other")) }, want: issue("chen")},
		{name: "the text of an issue is edited", before: reported, do: func(t *try, n int) { t.ok(t.as("jonas").SetBody(Repo, n, "Other")) }, want: issue("jonas"), trait: forges.TellsTextEdits},
		{name: "an issue is labelled", before: reported, do: func(t *try, n int) { t.ok(t.as("chen").Label(Repo, n, "safety")) }, want: issue("chen")},
		{name: "a label is taken off an issue", before: reported, do: func(t *try, n int) { t.ok(t.as("chen").Unlabel(Repo, n, "bug")) }, want: issue("chen")},
		{name: "an issue is closed", before: reported, do: func(t *try, n int) { t.ok(t.as("chen").Close(Repo, n, "not_planned")) }, want: func() forges.Event {
			e := issue("chen")
			e.Closed = true
			return e
		}()},
		{name: "an issue is reopened", before: func(t *try) int {
			n := reported(t)
			t.ok(t.as("chen").Close(Repo, n, "completed"))
			return n
		}, do: func(t *try, n int) { t.ok(t.as("chen").Reopen(Repo, n)) }, want: issue("chen")},
		{name: "an issue gets a milestone", before: reported, do: func(t *try, n int) { t.ok(t.as("chen").SetMilestone(Repo, n, "2.0")) }, want: issue("chen"), trait: forges.TellsMilestones},
		{name: "an issue is deleted", before: reported, do: func(t *try, n int) { t.ok(t.as("alex").DeleteIssue(Repo, n)) }, want: issue("alex"), trait: forges.TellsIssueDeleted},
		{name: "a merge closes an issue", before: func(t *try) int {
			n := reported(t)
			change := t.change(fmt.Sprintf("Fixes #%d", n))
			equal(t, "change", change, n+1)
			return n
		}, do: func(t *try, n int) { t.sha(t.as("jonas").Merge(Repo, n+1, sim.MergeOptions{})) }, want: func() forges.Event {
			e := issue("jonas")
			e.Closed = true
			return e
		}()},
	}
}

func wordHappenings() []happened {
	comment := func(e forges.Event, c forges.CommentSeen) forges.Event {
		e.Comment = &c
		return e
	}
	onChange := func(by string, c forges.CommentSeen) forges.Event { return comment(concerns(fact.OnCommand, by), c) }
	onIssue := func(by string, c forges.CommentSeen) forges.Event {
		return comment(forges.Event{Kind: forges.IssueEvent, Trigger: fact.OnIssueWords, Issue: 1, Actor: fact.Person{Login: by}}, c)
	}
	commented := func(make func(*try) int) func(*try) int {
		return func(t *try) int {
			n := make(t)
			t.id(t.as("jonas").Comment(Repo, n, "/primum recheck"))
			return n
		}
	}
	last := func(t *try, n int) int64 {
		all := t.World.Comments(Repo, n)
		return all[len(all)-1].ID
	}
	return []happened{
		{
			name: "a comment on a change", before: opened, do: func(t *try, n int) { t.id(t.as("jonas").Comment(Repo, n, "/primum recheck")) },
			want: onChange("jonas", forges.CommentSeen{Body: "/primum recheck", Action: forges.CommentCreated}), also: func(t *try, n int, e forges.Event) {
				equal(t, "id as read", e.Comment.ID, t.read(n).Comments[0].ID)
			},
		},
		{
			name: "a comment on a change is edited by somebody else", before: commented(opened), do: func(t *try, n int) { t.ok(t.as("chen").EditComment(Repo, last(t, n), "/primum hold")) },
			want: onChange("chen", forges.CommentSeen{Body: "/primum hold", Previous: "/primum recheck", Action: forges.CommentEdited}), also: func(t *try, n int, e forges.Event) {
				wrote := t.read(n).Comments[0].Author
				equal(t, "author", e.Comment.Author.Is(wrote) && wrote.Login == "jonas", true)
			},
		},
		{
			name: "a comment on a change is deleted", before: commented(opened), do: func(t *try, n int) { t.ok(t.as("jonas").DeleteComment(Repo, last(t, n))) },
			want: onChange("jonas", forges.CommentSeen{Action: forges.CommentDeleted}), trait: forges.TellsCommentGone,
		},
		{
			name: "a comment on an issue", before: reported, do: func(t *try, n int) { t.id(t.as("chen").Comment(Repo, n, "/primum approve")) },
			want: onIssue("chen", forges.CommentSeen{Body: "/primum approve", Action: forges.CommentCreated}), also: func(t *try, _ int, e forges.Event) {
				equal(t, "title of the issue", e.Comment.IssueTitle, "Rate drifts")
				equal(t, "text of the issue", e.Comment.IssueBody, "It drifts.")
			},
		},
		{
			name: "a comment on an issue is edited", before: commented(reported), do: func(t *try, n int) { t.ok(t.as("jonas").EditComment(Repo, last(t, n), "x")) },
			want: onIssue("jonas", forges.CommentSeen{Body: "x", Previous: "/primum recheck", Action: forges.CommentEdited}),
		},
		{
			name: "a comment on an issue is deleted", before: commented(reported), do: func(t *try, n int) { t.ok(t.as("chen").DeleteComment(Repo, last(t, n))) },
			want: onIssue("chen", forges.CommentSeen{Action: forges.CommentDeleted}), trait: forges.TellsCommentGone,
		},
		{name: "our own comment is ours", before: opened, do: func(t *try, n int) {
			_, err := t.Adapter.PutComment(t.Context(), forges.ChangeRef{Repo: t.repo(), Number: n}, "", "hello")
			t.ok(err)
		}, want: func() forges.Event {
			e := onChange("", forges.CommentSeen{Body: "hello", Action: forges.CommentCreated})
			e.Ours = true
			return e
		}()},
		{
			name: "our own comment edited by a person is not ours alone", before: func(t *try) int {
				n := opened(t)
				_, err := t.Adapter.PutComment(t.Context(), forges.ChangeRef{Repo: t.repo(), Number: n}, "", "hello")
				t.ok(err)
				return n
			}, do: func(t *try, n int) { t.ok(t.as("chen").EditComment(Repo, last(t, n), "changed")) },
			want: onChange("chen", forges.CommentSeen{Body: "changed", Action: forges.CommentEdited}), also: func(t *try, _ int, e forges.Event) {
				equal(t, "comment is ours", e.Comment.Ours, true)
			},
		},
	}
}

func checkHappenings() []happened {
	check := func(name string, done bool) forges.Event {
		return forges.Event{Kind: forges.CheckEvent, Trigger: fact.OnCheck, SHA: headSHA, Check: &forges.CheckSeen{Name: name, Done: done}}
	}
	by := func(login string) func(*try, int, forges.Event) {
		return func(t *try, _ int, e forges.Event) {
			want := login
			if login == "" || !t.has(forges.ReadsCheckSource) {
				want = t.source()
			}
			equal(t, "source", e.Check.Source, want)
		}
	}
	post := func(t *try, n int, button bool) {
		t.Helper()
		r := forges.Report{Name: "primum", State: forges.ReportFailure, Title: "no", Summary: "no", External: "key-1"}
		if button {
			r.Buttons = []forges.Button{{ID: "recheck", Label: "Recheck", Description: "Judge again"}}
		}
		is, _ := t.World.Issue(Repo, n)
		_, err := t.Adapter.SetVerdict(t.Context(), t.repo(), is.Change.Head, r, forges.Posted{})
		t.ok(err)
	}
	ours := func(t *try, n int) (id int64, buttons bool) {
		is, _ := t.World.Issue(Repo, n)
		for _, run := range t.World.Checks(Repo, is.Change.Head) {
			if run.Name == "primum" {
				return run.ID, len(run.Actions) > 0
			}
		}
		return 0, false
	}
	request := func(button, external string) forges.Event {
		return forges.Event{Kind: forges.CheckEvent, Trigger: fact.OnRequest, SHA: headSHA, Request: &forges.Request{Button: button, External: external}}
	}
	return []happened{
		{name: "a check begins", before: opened, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			t.id(t.World.AsApp("ci").CreateCheck(Repo, sim.CheckRun{SHA: is.Change.Head, Name: "build", Status: "in_progress"}))
		}, want: check("build", false), also: by(""), trait: forges.TellsJobs},
		{name: "a check ends", before: opened, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			t.id(t.World.AsApp("ci").CreateCheck(Repo, sim.CheckRun{SHA: is.Change.Head, Name: "build", Conclusion: "success"}))
		}, want: check("build", true), also: by(""), trait: forges.TellsJobs},
		{name: "a status is set", before: opened, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			t.id(t.as("jonas").SetStatus(Repo, is.Change.Head, sim.Status{Context: "bench", State: "success"}))
		}, want: check("bench", true), also: by("jonas"), trait: forges.TellsStatus},
		{name: "a status named like our check is set by somebody else", before: func(t *try) int {
			n := opened(t)
			post(t, n, false)
			return n
		}, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			t.id(t.as("mara").SetStatus(Repo, is.Change.Head, sim.Status{Context: "primum", State: "success", Description: "all is well"}))
		}, want: check("primum", true), also: by("mara"), trait: forges.TellsStatus},
		{name: "our own check is ours", before: opened, do: func(t *try, n int) { post(t, n, false) }, want: forges.Event{Kind: forges.CheckEvent, SHA: headSHA, Ours: true}, trait: forges.TellsStatus},
		{name: "our check is asked for again", before: func(t *try) int {
			n := opened(t)
			post(t, n, false)
			return n
		}, do: func(t *try, n int) {
			id, _ := ours(t, n)
			equal(t, "a check that can be asked for again", id != 0, t.has(forges.DoesRerun))
			if id != 0 {
				t.ok(t.as("mara").RerequestCheck(Repo, id))
			}
		}, want: request("rerun", "key-1"), trait: forges.DoesRerun},
		{name: "all our checks are asked for again", before: func(t *try) int {
			n := opened(t)
			post(t, n, false)
			return n
		}, do: func(t *try, n int) {
			is, _ := t.World.Issue(Repo, n)
			slug, app := strings.CutSuffix(t.Login, "[bot]")
			equal(t, "an app whose checks can be asked for again", app, t.has(forges.DoesRerun))
			if app {
				t.ok(t.as("mara").RerequestSuite(Repo, slug, is.Change.Head))
			}
		}, want: request("rerun", ""), trait: forges.DoesRerun},
		{name: "our button is pressed", before: func(t *try) int {
			n := opened(t)
			post(t, n, true)
			return n
		}, do: func(t *try, n int) {
			id, buttons := ours(t, n)
			equal(t, "a check with buttons", buttons, t.Adapter.Capabilities().Buttons)
			if buttons {
				t.ok(t.as("mara").PressButton(Repo, id, "recheck"))
			}
		}, want: request("recheck", "key-1"), has: func(c forges.Capabilities) bool { return c.Buttons }, also: func(t *try, _ int, e forges.Event) {
			equal(t, "actor", e.Actor.Login, "mara")
		}},
	}
}

func otherHappenings() []happened {
	queued := func(t *try) int {
		t.ok(t.as("alex").Protect(Repo, "main", &sim.Protection{Checks: []sim.RequiredCheck{{Name: "primum"}}, MergeQueue: true}))
		n := opened(t)
		is, _ := t.World.Issue(Repo, n)
		_, err := t.World.AsApp("ci").CreateCheck(Repo, sim.CheckRun{SHA: is.Change.Head, Name: "primum", Conclusion: "success"})
		t.ok(err)
		return n
	}
	queues := func(c forges.Capabilities) bool { return c.MergeQueue }
	people := forges.Event{Kind: forges.PeopleEvent, Trigger: fact.OnPeople, Owner: Org}
	return []happened{
		{name: "a branch is pushed", do: func(t *try, _ int) {
			t.sha(t.as("alex").Push(Repo, "main", sim.NewCommit{Files: map[string]string{".primum.yml": Policy + "mode: observe\n"}}))
		}, want: forges.Event{Kind: forges.PushEvent, Trigger: fact.OnPolicy, SHA: tipSHA, Branch: "main", Actor: fact.Person{Login: "alex"}}, also: func(t *try, _ int, e forges.Event) {
			paths := []string{".primum.yml"}
			if !t.has(forges.TellsPaths) {
				paths = nil // not told, rather than some of them
			}
			if !slices.Equal(e.Paths, paths) || paths == nil && e.Paths != nil || e.Before == "" {
				t.Errorf("paths %v, before %s", e.Paths, e.Before)
			}
		}},
		{name: "a branch is forced", do: func(t *try, _ int) {
			t.sha(t.as("alex").ForcePush(Repo, "main", "main", sim.NewCommit{Files: map[string]string{"x": "x\n"}}))
			t.Advance(60_000_000_000)
			t.Hooks(t)
			t.sha(t.as("alex").ForcePush(Repo, "main", "main~", sim.NewCommit{Message: "other"}))
		}, want: forges.Event{Kind: forges.PushEvent, Trigger: fact.OnPolicy, SHA: tipSHA, Branch: "main"}},
		{name: "a branch is deleted", before: func(t *try) int {
			t.sha(t.as("mara").Push(Repo, "topic"))
			return 0
		}, do: func(t *try, _ int) { t.ok(t.as("mara").DeleteBranch(Repo, "topic")) }, want: forges.Event{Kind: forges.PushEvent, Branch: "topic", Closed: true}},
		{name: "a candidate asks for a verdict", before: queued, do: func(t *try, n int) {
			_, err := t.as("mara").Enqueue(Repo, n)
			t.ok(err)
		}, want: forges.Event{Kind: forges.QueueEvent, Branch: "main"}, has: queues, also: func(t *try, _ int, e forges.Event) {
			r, _ := t.World.Repo(Repo)
			if e.Queue == nil || e.Queue.Base != r.Branches["main"] || e.Queue.Head == "" || e.Queue.Head != e.SHA {
				t.Errorf("queue %+v", e.Queue)
			}
		}},
		{name: "a candidate is given up", before: func(t *try) int {
			n := queued(t)
			_, err := t.as("mara").Enqueue(Repo, n)
			t.ok(err)
			return n
		}, do: func(t *try, _ int) {
			r, _ := t.World.Repo(Repo)
			for name, sha := range r.Branches {
				if strings.HasPrefix(name, "gh-readonly-queue/") {
					t.ok(t.as("mara").Dequeue(Repo, sha))
				}
			}
		}, want: forges.Event{Kind: forges.QueueEvent, Branch: "main", Closed: true}, has: queues},
		{name: "somebody joins a team", do: func(t *try, _ int) { t.ok(t.as("alex").AddTeamMember(Org, "qa", "mara")) }, want: people, trait: forges.TellsTeams},
		{name: "somebody leaves a team", do: func(t *try, _ int) { t.ok(t.as("alex").RemoveTeamMember(Org, "qa", "chen")) }, want: people, trait: forges.TellsTeams},
		{name: "a team is renamed", do: func(t *try, _ int) { t.ok(t.as("alex").RenameTeam(Org, "qa", "quality", "Quality")) }, want: people, trait: forges.TellsTeamNames},
		{name: "a team is deleted", do: func(t *try, _ int) { t.ok(t.as("alex").DeleteTeam(Org, "qa")) }, want: people, trait: forges.TellsTeamNames},
		{name: "a team gets a repository", do: func(t *try, _ int) { t.ok(t.as("alex").GrantTeam(Repo, "qa", sim.Maintain)) }, want: people, trait: forges.TellsGrants},
		{name: "somebody joins the organisation", do: func(t *try, _ int) { t.World.Join(Org, false, "sam") }, want: people, trait: forges.TellsMembers},
		{name: "somebody leaves the organisation", do: func(t *try, _ int) { t.World.Leave(Org, "chen") }, want: people, trait: forges.TellsMembers},
		{name: "somebody becomes a collaborator", do: func(t *try, _ int) { t.ok(t.as("alex").Grant(Repo, "sam", sim.Write)) }, want: people, trait: forges.TellsGrants},
		{name: "a collaborator may do more", before: func(t *try) int {
			t.ok(t.as("alex").Grant(Repo, "sam", sim.Write))
			return 0
		}, do: func(t *try, _ int) { t.ok(t.as("alex").Grant(Repo, "sam", sim.Admin)) }, want: people, trait: forges.TellsGrants},
		{name: "a collaborator goes", before: func(t *try) int {
			t.ok(t.as("alex").Grant(Repo, "sam", sim.Write))
			return 0
		}, do: func(t *try, _ int) { t.ok(t.as("alex").Grant(Repo, "sam", sim.None)) }, want: people, trait: forges.TellsGrants},
		{name: "a repository is renamed", do: func(t *try, _ int) { t.ok(t.as("alex").RenameRepo(Repo, "pump2")) }, want: forges.Event{Kind: forges.RepoEvent, OldName: "pump", OldOwner: Org}, trait: forges.TellsRepoMoves, also: func(t *try, _ int, e forges.Event) {
			equal(t, "name", e.Repo.FullName(), Org+"/pump2")
		}},
		{name: "a repository is given away", do: func(t *try, _ int) { t.ok(t.as("alex").TransferRepo(Repo, "alex")) }, want: forges.Event{Kind: forges.RepoEvent, OldName: "pump", OldOwner: Org}, trait: forges.TellsRepoMoves},
		{name: "a repository is deleted", do: func(t *try, _ int) { t.ok(t.as("alex").DeleteRepo(Repo)) }, want: forges.Event{Kind: forges.RepoEvent, Removed: true}, trait: forges.TellsRepoGone},
		{name: "a label is deleted", before: reported, do: func(t *try, _ int) { t.ok(t.as("alex").DeleteLabel(Repo, "bug")) }, want: forges.Event{Kind: forges.RepoEvent, Trigger: fact.OnLabeled}, trait: forges.TellsLabels},
		{name: "a rule on a branch is not ours", do: func(t *try, _ int) { t.ok(t.as("alex").Protect(Repo, "main", &sim.Protection{Approvals: 1})) }, want: forges.Event{Kind: forges.Ignored}, trait: forges.TellsPolicyOfBase},
		{name: "we are suspended", do: func(t *try, _ int) { t.Suspend() }, want: forges.Event{Kind: forges.InstallationEvent, Removed: true}, trait: forges.TellsApp},
	}
}
