package intake_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/bot/intake"
	"primum/bot/store"
	"primum/forges"
	"primum/rules/fact"
)

var (
	noon    = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	repo    = forges.RepoRef{Forge: "github", ID: "1", Owner: "org", Name: "pump", Installation: "9", Private: true, Default: "main"}
	repoRow = store.RepoRow{Forge: "github", ID: "1", Owner: "org", Name: "pump", Installation: "9", Private: true, Default: "main"}
)

const settle = 1200 * time.Millisecond

func key(kind store.Kind, ref string) store.Key {
	return store.Key{Forge: "github", RepoID: "1", Kind: kind, Ref: ref}
}

func TestPlanOfEvents(t *testing.T) {
	t.Parallel()
	repos := []store.RepoRow{repoRow}
	gone := repoRow
	gone.Gone = true
	other := forges.RepoRef{Forge: "github", ID: "2", Owner: "org", Name: "app"}
	otherRow := store.RepoRow{Forge: "github", ID: "2", Owner: "org", Name: "app"}
	otherGone := otherRow
	otherGone.Gone = true
	queue := forges.QueueRef{Head: "qqq", Base: "bbb", Branch: "main"}
	detail, err := json.Marshal(queue)
	if err != nil {
		t.Fatal(err)
	}
	fans := func(f store.Fan) []store.Fan {
		f.Forge = "github"
		return []store.Fan{f}
	}
	tests := []struct {
		name  string
		event forges.Event
		want  store.Inbound
	}{
		{
			"a push to a change marks it with what the payload shows",
			forges.Event{
				Kind: forges.ChangeEvent, Trigger: fact.OnPushed, Repo: repo, Changes: []int{7}, SHA: "aaa", Branch: "main",
				UpdatedAt: noon, Body: "Closes #12",
			},
			store.Inbound{Repos: repos, Marks: []store.Mark{{
				Key: key(store.KindChange, "7"), Reason: "pushed", Settle: settle,
				Hint: store.Hint{Head: "aaa", Base: "main", UpdatedAt: noon, Body: "Closes #12"},
			}}},
		},
		{
			"a closed change is looked at once more if it is known",
			forges.Event{Kind: forges.ChangeEvent, Trigger: fact.OnOpened, Repo: repo, Changes: []int{7}, Closed: true},
			store.Inbound{Repos: repos, Marks: []store.Mark{{Key: key(store.KindChange, "7"), Reason: "opened", Settle: settle, Closed: true, IfKnown: true}}},
		},
		{
			"an issue concerns the changes that link it",
			forges.Event{Kind: forges.IssueEvent, Trigger: fact.OnIssue, Repo: repo, Issue: 12},
			store.Inbound{Repos: repos, Fans: fans(store.Fan{RepoID: "1", Issue: "org/pump#12", Reason: "issue", Settle: settle})},
		},
		{
			"somebody's check concerns what has the commit as head and looks at it",
			forges.Event{Kind: forges.CheckEvent, Trigger: fact.OnCheck, Repo: repo, SHA: "aaa", Check: &forges.CheckSeen{Name: "build", Done: true}},
			store.Inbound{Repos: repos, Fans: fans(store.Fan{RepoID: "1", Head: "aaa", Check: "build", Reason: "check", Settle: settle})},
		},
		{
			"a check of our name by somebody else concerns all that have the commit as head",
			forges.Event{Kind: forges.CheckEvent, Trigger: fact.OnCheck, Repo: repo, SHA: "aaa", Check: &forges.CheckSeen{Name: "primum", Source: "mara", Done: true}},
			store.Inbound{Repos: repos, Fans: fans(store.Fan{RepoID: "1", Head: "aaa", Reason: "check", Settle: settle})},
		},
		{
			"an approval is kept with the commit it was given on",
			forges.Event{
				Kind: forges.ChangeEvent, Trigger: fact.OnReviewed, Repo: repo, Changes: []int{7}, SHA: "aaa", At: noon,
				Approval: &forges.ApprovalSeen{By: fact.Person{ID: "5", Login: "chen"}, SHA: "aaa"},
			},
			store.Inbound{
				Repos: repos, Marks: []store.Mark{{Key: key(store.KindChange, "7"), Reason: "reviewed", Settle: settle, Hint: store.Hint{Head: "aaa"}}},
				Seen: []store.SeenComment{{
					Forge: "github", RepoID: "1", CommentID: "approval:7:5", First: `{"id":"5","login":"chen"}`, Known: true, Head: "aaa", Subject: "given", At: noon,
				}},
			},
		},
		{
			"a check that runs again counts too: green turned pending",
			forges.Event{Kind: forges.CheckEvent, Trigger: fact.OnCheck, Repo: repo, SHA: "aaa", Check: &forges.CheckSeen{Name: "build"}},
			store.Inbound{Repos: repos, Fans: fans(store.Fan{RepoID: "1", Head: "aaa", Check: "build", Reason: "check", Settle: settle})},
		},
		{
			"our own check is no news",
			forges.Event{Kind: forges.CheckEvent, Trigger: fact.OnCheck, Repo: repo, SHA: "aaa", Ours: true, Check: &forges.CheckSeen{Name: "primum", Ours: true}},
			store.Inbound{Dropped: "ours: made by Primum itself"},
		},
		{
			"a button is obeyed at once, whichever check is meant",
			forges.Event{
				Kind: forges.CheckEvent, Trigger: fact.OnRequest, Repo: repo, SHA: "aaa", Changes: []int{7},
				Check: &forges.CheckSeen{Name: "primum", Ours: true}, Request: &forges.Request{Button: "rerun"},
			},
			store.Inbound{
				Repos: repos, Marks: []store.Mark{{Key: key(store.KindChange, "7"), Reason: "request"}},
				Fans: fans(store.Fan{RepoID: "1", Head: "aaa", Reason: "request"}),
			},
		},
		{
			"a merge queue candidate does not wait",
			forges.Event{Kind: forges.QueueEvent, Trigger: fact.OnPushed, Repo: repo, SHA: "qqq", Queue: &queue},
			store.Inbound{Repos: repos, Marks: []store.Mark{{
				Key: key(store.KindQueue, "qqq"), Reason: "pushed", Hint: store.Hint{Head: "qqq", Base: "main", Detail: detail},
			}}},
		},
		{
			"a candidate that is gone is not made known by that",
			forges.Event{Kind: forges.QueueEvent, Trigger: fact.OnPushed, Repo: repo, SHA: "qqq", Queue: &queue, Closed: true},
			store.Inbound{Repos: repos, Marks: []store.Mark{{
				Key: key(store.KindQueue, "qqq"), Reason: "pushed", Closed: true, IfKnown: true, Hint: store.Hint{Head: "qqq", Base: "main", Detail: detail},
			}}},
		},
		{
			"a push that touches the policy concerns every change on the branch",
			forges.Event{Kind: forges.PushEvent, Trigger: fact.OnPolicy, Repo: repo, Branch: "main", Paths: []string{"a.c", ".primum.yml"}},
			store.Inbound{Repos: repos, Fans: fans(store.Fan{RepoID: "1", Branch: "main", Reason: "policy", Settle: settle})},
		},
		{
			"so does one that touches a file the policy names",
			forges.Event{Kind: forges.PushEvent, Trigger: fact.OnPolicy, Repo: repo, Branch: "main", Paths: []string{"docs/risk/ui.md"}},
			store.Inbound{Repos: repos, Fans: fans(store.Fan{RepoID: "1", Branch: "main", Reason: "policy", Settle: settle})},
		},
		{
			"and one that does not tell what it touches",
			forges.Event{Kind: forges.PushEvent, Trigger: fact.OnPolicy, Repo: repo, Branch: "main"},
			store.Inbound{Repos: repos, Fans: fans(store.Fan{RepoID: "1", Branch: "main", Reason: "policy", Settle: settle})},
		},
		{
			"any other push concerns nobody",
			forges.Event{Kind: forges.PushEvent, Trigger: fact.OnPolicy, Repo: repo, Branch: "main", Paths: []string{"a.c", "sub/.primum.yml"}},
			store.Inbound{Repos: repos, Dropped: "irrelevant: the push touches neither the policy nor a file it names"},
		},
		{
			"people concern every repository of their owner",
			forges.Event{Kind: forges.PeopleEvent, Trigger: fact.OnPeople, Repo: forges.RepoRef{Forge: "github"}, Owner: "org"},
			store.Inbound{Fans: fans(store.Fan{Owner: "org", All: true, Reason: "people", Settle: settle})},
		},
		{
			"a renamed repository is kept under its new name and read again",
			forges.Event{Kind: forges.RepoEvent, Trigger: fact.OnOpened, Repo: repo, OldName: "old"},
			store.Inbound{Repos: repos, Fans: fans(store.Fan{RepoID: "1", All: true, Reason: "opened", Settle: settle})},
		},
		{
			"a deleted repository is out of reach",
			forges.Event{Kind: forges.RepoEvent, Trigger: fact.OnOpened, Repo: repo, Removed: true},
			store.Inbound{Repos: []store.RepoRow{gone}},
		},
		{
			"repositories that came are read",
			forges.Event{Kind: forges.InstallationEvent, Trigger: fact.OnOpened, Repo: forges.RepoRef{Forge: "github"}, Repos: []forges.RepoRef{other}},
			store.Inbound{Repos: []store.RepoRow{otherRow}, Marks: []store.Mark{{Key: store.Key{Forge: "github", RepoID: "2", Kind: store.KindRepo}, Reason: "opened"}}},
		},
		{
			"repositories that went are out of reach",
			forges.Event{Kind: forges.InstallationEvent, Trigger: fact.OnOpened, Repo: forges.RepoRef{Forge: "github"}, Repos: []forges.RepoRef{other}, Removed: true},
			store.Inbound{Repos: []store.RepoRow{otherGone}},
		},
		{
			"an installation that names no repositories has the forge asked",
			forges.Event{Kind: forges.InstallationEvent, Trigger: fact.OnOpened, Repo: forges.RepoRef{Forge: "github"}, Owner: "org"},
			store.Inbound{Marks: []store.Mark{{Key: store.Key{Forge: "github", Kind: store.KindForge}, Reason: "opened"}}},
		},
		{
			"what is nothing of ours marks nothing",
			forges.Event{Kind: forges.Ignored, Repo: forges.RepoRef{Forge: "github"}, Reason: "the webhook works"},
			store.Inbound{Dropped: "ignored: the webhook works"},
		},
		{
			"a change of no repository is malformed",
			forges.Event{Kind: forges.ChangeEvent, Trigger: fact.OnPushed, Repo: forges.RepoRef{Forge: "github"}, Changes: []int{7}},
			store.Inbound{Dropped: "malformed: no repository id"},
		},
		{
			"a trigger no rule has heard of marks nothing",
			forges.Event{Kind: forges.ChangeEvent, Trigger: "starred", Repo: repo, Changes: []int{7}},
			store.Inbound{Repos: repos, Dropped: "irrelevant: no rule looks at starred"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.want.Forge = "github"
			got := intake.Plan(tt.event, intake.Known{Now: noon, Settle: settle, Files: []string{"docs/risk/*.md"}})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Law 4: who pushes is an author, whatever names the commits carry.
func TestPlanOfPushes(t *testing.T) {
	t.Parallel()
	jonas := fact.Person{ID: "7", Login: "jonas", Name: "Jonas"}
	push := forges.Event{
		Kind: forges.ChangeEvent, Trigger: fact.OnPushed, Repo: repo, Changes: []int{7}, SHA: "aaa", Actor: jonas, Pushed: true, At: noon.Add(-time.Minute),
	}
	with := func(fn func(*forges.Event)) forges.Event {
		e := push
		fn(&e)
		return e
	}
	want := store.SeenComment{
		Forge: "github", RepoID: "1", CommentID: "push:aaa", First: `{"id":"7","login":"jonas","name":"Jonas"}`, Known: true, Head: "aaa", At: push.At,
	}
	untimed := want
	untimed.At = noon
	tests := []struct {
		name  string
		event forges.Event
		want  []store.SeenComment
	}{
		{"a person pushes", push, []store.SeenComment{want}},
		{"a person opens the change", with(func(e *forges.Event) { e.Trigger = fact.OnOpened }), []store.SeenComment{want}},
		{"the forge does not say when", with(func(e *forges.Event) { e.At = time.Time{} }), []store.SeenComment{untimed}},
		{"a bot pushes", with(func(e *forges.Event) { e.Actor.Bot = true }), nil},
		{"nobody knows who", with(func(e *forges.Event) { e.Actor = fact.Person{Login: "jonas"} }), nil},
		{"no commit is told", with(func(e *forges.Event) { e.SHA = "" }), nil},
		{"a reviewer makes it a draft", with(func(e *forges.Event) { e.Trigger, e.Pushed = fact.OnOpened, false }), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := intake.Plan(tt.event, intake.Known{Now: noon})
			if diff := cmp.Diff(tt.want, got.Seen); diff != "" {
				t.Errorf("seen (-want +got):\n%s", diff)
			}
			if len(got.Marks) != 1 {
				t.Errorf("%d marks, want one", len(got.Marks))
			}
		})
	}
}

func TestPlanOfComments(t *testing.T) {
	t.Parallel()
	posted := noon.Add(-time.Minute)
	said := func(action forges.CommentAction, body, previous string) *forges.CommentSeen {
		return &forges.CommentSeen{ID: "c1", Action: action, Body: body, Previous: previous, CreatedAt: posted, IssueTitle: "T", IssueBody: "B"}
	}
	ours := func(action forges.CommentAction) *forges.CommentSeen {
		c := said(action, "<!-- primum -->", "")
		c.Ours = true
		return c
	}
	first := store.SeenComment{Forge: "github", RepoID: "1", CommentID: "c1", First: "/primum approve", Known: true, At: posted}
	edited := store.SeenComment{Forge: "github", RepoID: "1", CommentID: "c1", At: noon}
	after := func(previous string) *store.SeenComment {
		s := edited
		s.First = previous
		return &s
	}
	recheck := func(words string) *store.SeenComment {
		s := first
		s.First = words
		return &s
	}
	onIssue := first
	onIssue.Subject = fact.TextDigest("T", "B") // what an approval there approves
	onHead := first
	onHead.Head = "aaa"
	tests := []struct {
		name    string
		comment *forges.CommentSeen
		trigger fact.Trigger
		issue   bool
		sha     string
		marks   bool
		reason  string
		seen    *store.SeenComment
	}{
		{"a plain comment on a change", said(forges.CommentCreated, "hello", ""), fact.OnCommand, false, "", false, "", nil},
		{"a command on a change", said(forges.CommentCreated, "/primum approve", ""), fact.OnCommand, false, "", true, "command", &first},
		{"a recheck on a change", said(forges.CommentCreated, "/primum recheck", ""), fact.OnCommand, false, "", true, "request of mara", recheck("/primum recheck")},
		{"a recheck in a review", said(forges.CommentCreated, "/primum recheck", ""), fact.OnReviewed, false, "", true, "request of mara", recheck("/primum recheck")},
		{"a recheck gone wrong", said(forges.CommentCreated, "/primum rechek", ""), fact.OnCommand, false, "", true, "command", recheck("/primum rechek")},
		{"a comment edited into a recheck", said(forges.CommentEdited, "/primum recheck", "hello"), fact.OnCommand, false, "", true, "command", after("hello")},
		{"a recheck deleted", said(forges.CommentDeleted, "/primum recheck", ""), fact.OnCommand, false, "", true, "command", nil},
		{"a command on an issue", said(forges.CommentCreated, "/primum approve", ""), fact.OnIssueWords, true, "", true, "issue-words", &onIssue},
		{"a plain comment on an issue", said(forges.CommentCreated, "hello", ""), fact.OnIssueWords, true, "", false, "", nil},
		{"a comment edited into a command", said(forges.CommentEdited, "/primum approve", "hello"), fact.OnCommand, false, "", true, "command", after("hello")},
		{"a command edited away", said(forges.CommentEdited, "never mind", "/primum approve"), fact.OnCommand, false, "", true, "command", after("/primum approve")},
		{"a command deleted", said(forges.CommentDeleted, "/primum hold", ""), fact.OnCommand, false, "", true, "command", nil},
		{"a plain comment deleted", said(forges.CommentDeleted, "hello", ""), fact.OnCommand, false, "", false, "", nil},
		{"our comment deleted by a person", ours(forges.CommentDeleted), fact.OnCommand, false, "", true, "command", nil},
		{"our comment edited by a person", ours(forges.CommentEdited), fact.OnCommand, false, "", true, "command", nil},
		{"a command in a review is bound to the head", said(forges.CommentCreated, "/primum approve", ""), fact.OnReviewed, false, "aaa", true, "command", &onHead},
		{"a review without a command", said(forges.CommentCreated, "looks right", ""), fact.OnReviewed, false, "aaa", true, "reviewed", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := forges.Event{Kind: forges.ChangeEvent, Trigger: tt.trigger, Repo: repo, Changes: []int{7}, SHA: tt.sha, Comment: tt.comment, Actor: fact.Person{ID: "5", Login: "mara"}}
			if tt.issue {
				e.Kind, e.Changes, e.Issue = forges.IssueEvent, nil, 12
			}
			got := intake.Plan(e, intake.Known{Now: noon})
			reason := ""
			for _, m := range got.Marks {
				reason = m.Reason
			}
			for _, f := range got.Fans {
				reason = f.Reason
			}
			if marks := len(got.Marks)+len(got.Fans) > 0; marks != tt.marks || reason != tt.reason || marks == (got.Dropped != "") {
				t.Errorf("marks %v for %q, dropped %q; want %v for %q", marks, reason, got.Dropped, tt.marks, tt.reason)
			}
			var want []store.SeenComment
			if tt.seen != nil {
				want = append(want, *tt.seen)
			}
			if diff := cmp.Diff(want, got.Seen); diff != "" {
				t.Errorf("seen (-want +got):\n%s", diff)
			}
		})
	}
}
