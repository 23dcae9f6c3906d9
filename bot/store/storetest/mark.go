package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/bot/store"
)

func markDue(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.idle()
	b.mark(store.Mark{Key: change("7"), Reason: "opened"})
	b.mark(store.Mark{Key: change("8"), Reason: "sweep", Due: b.clock.Now().Add(time.Minute)})
	c := b.claim()
	if c.Ref != "7" || c.Reason != "opened" || c.Wanted != 1 || c.Judged != 0 || !c.Open {
		t.Errorf("claimed %+v", c.Subject)
	}
	b.idle()
	b.clock.Add(time.Second)
	b.must(b.Done(b.ctx, c, store.Finish{Open: true, Head: "aaa", Base: "main"}))
	b.idle()
	got := b.subject(change("7"))
	if got.Judged != 1 || got.Head != "aaa" || got.Base != "main" {
		t.Errorf("finished as %+v", got)
	}
	b.clock.Add(time.Minute)
	if c := b.claim(); c.Ref != "8" {
		t.Errorf("claimed %s, want 8", c.Ref)
	}
}

// burst: the first of ten events is judged at once, the other nine together.
func burst(t *testing.T, backend Backend) {
	b := start(t, backend)
	judgements := 0
	for i := range 10 {
		b.mark(store.Mark{Key: change("7"), Reason: "pushed", Settle: settle, Hint: store.Hint{Head: fmt.Sprint("head", i)}})
		for _, c := range b.claims(10) {
			judgements++
			b.must(b.Done(b.ctx, &c, store.Finish{Open: true}))
		}
		b.clock.Add(100 * time.Millisecond)
	}
	if judgements != 1 {
		t.Errorf("%d judgements during the burst, want 1", judgements)
	}
	b.idle()
	next, ok, err := b.NextDue(b.ctx)
	if want := NewClock().Now().Add(settle); err != nil || !ok || !next.Equal(want) {
		t.Errorf("next due %v, %v, %v; want %v", next, ok, err, want)
	}
	b.clock.Add(settle - time.Second)
	c := b.claim()
	if c.Hint.Head != "head9" || c.Wanted != 10 {
		t.Errorf("judged head %s at mark %d, want head9 at 10", c.Hint.Head, c.Wanted)
	}
	b.must(b.Done(b.ctx, c, store.Finish{Open: true}))
	b.idle()
}

func requestIsAtOnce(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.judged(change("7"), store.Finish{Open: true})
	b.mark(store.Mark{Key: change("7"), Reason: "pushed", Settle: settle})
	b.idle()
	b.mark(store.Mark{Key: change("7"), Reason: "request"})
	b.must(b.Done(b.ctx, b.claim(), store.Finish{Open: true}))
	// A burst during a judgement settles too, counted from the claim.
	b.mark(store.Mark{Key: change("7"), Reason: "request"})
	c := b.claim()
	b.mark(store.Mark{Key: change("7"), Reason: "pushed", Settle: settle})
	b.must(b.Done(b.ctx, c, store.Finish{Open: true}))
	b.idle()
	b.clock.Add(settle)
	b.claim()
}

func eventDuringJudgement(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.mark(store.Mark{Key: change("7"), Reason: "opened"})
	c := b.claim()
	b.clock.Add(time.Second)
	b.mark(store.Mark{Key: change("7"), Reason: "pushed"})
	b.idle() // it is held
	marked := b.clock.Now()
	b.clock.Add(time.Second)
	b.must(b.Done(b.ctx, c, store.Finish{Open: true}))
	again := b.claim()
	if again.Wanted != 2 || again.Judged != 1 || again.Reason != "pushed" || !again.MarkedAt.Equal(marked) {
		t.Errorf("claimed %+v", again.Subject)
	}
	b.must(b.Done(b.ctx, again, store.Finish{Open: true}))
	b.idle()
}

func hints(t *testing.T, backend Backend) {
	at := func(s int) time.Time { return time.Date(2026, 3, 1, 0, 0, s, 0, time.UTC) }
	detail := json.RawMessage(`{"Head":"q"}`)
	tests := []struct {
		name  string
		hints []store.Hint
		want  store.Hint
	}{
		{"a newer one replaces", []store.Hint{{Head: "a", UpdatedAt: at(1)}, {Head: "b", UpdatedAt: at(2)}}, store.Hint{Head: "b", UpdatedAt: at(2)}},
		{"an older one is ignored", []store.Hint{{Head: "b", UpdatedAt: at(2)}, {Head: "a", Base: "old", UpdatedAt: at(1)}}, store.Hint{Head: "b", UpdatedAt: at(2)}},
		{"of one second the later arrival stands", []store.Hint{{Head: "a", UpdatedAt: at(1)}, {Head: "b", UpdatedAt: at(1)}}, store.Hint{Head: "b", UpdatedAt: at(1)}},
		{"a mark without a hint changes none", []store.Hint{{Head: "a", UpdatedAt: at(1)}, {}}, store.Hint{Head: "a", UpdatedAt: at(1)}},
		{"a newer one without a head leaves none", []store.Hint{{Head: "a", Base: "main", UpdatedAt: at(1)}, {UpdatedAt: at(2)}}, store.Hint{Base: "main", UpdatedAt: at(2)}},
		{"of one second a missing head is filled", []store.Hint{{Head: "a", UpdatedAt: at(1)}, {Body: "Closes #1", UpdatedAt: at(1)}}, store.Hint{Head: "a", Body: "Closes #1", UpdatedAt: at(1)}},
		{"details stay", []store.Hint{{Detail: detail}, {Body: "x"}}, store.Hint{Body: "x", Detail: detail}},
	}
	b := start(t, backend)
	for i, tt := range tests {
		one, together := change(fmt.Sprint(i)), change(fmt.Sprint(100+i))
		var marks []store.Mark
		for _, h := range tt.hints {
			b.mark(store.Mark{Key: one, Hint: h})
			marks = append(marks, store.Mark{Key: together, Hint: h})
		}
		if diff := cmp.Diff(tt.want, b.subject(one).Hint); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		_, err := b.Mark(b.ctx, marks, nil)
		b.must(err)
		if diff := cmp.Diff(tt.want, b.subject(together).Hint); diff != "" {
			t.Errorf("%s, in one transaction (-want +got):\n%s", tt.name, diff)
		}
	}
}

func ifKnown(t *testing.T, backend Backend) {
	b := start(t, backend)
	n, err := b.Mark(b.ctx, []store.Mark{{Key: change("7"), IfKnown: true}}, nil)
	if err != nil || n != 0 {
		t.Errorf("marked %d, error %v; want 0, nil", n, err)
	}
	if _, err := b.Subject(b.ctx, change("7")); !errors.Is(err, store.ErrNone) {
		t.Errorf("subject: error %v, want ErrNone", err)
	}
	b.mark(store.Mark{Key: change("7"), Reason: "opened"})
	b.mark(store.Mark{Key: change("7"), Reason: "closed", IfKnown: true, Closed: true, Hint: store.Hint{Head: "b"}})
	c := b.claim()
	if c.Wanted != 2 || c.Hint.Head != "b" || c.Reason != "closed" || !c.Open {
		t.Errorf("claimed %+v; a closed mark leaves it open until judged", c.Subject)
	}
	b.must(b.Done(b.ctx, c, store.Finish{Open: false}))
	if b.subject(change("7")).Open {
		t.Error("still open after the judgement found it closed")
	}
}

func fans(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.must(b.PutRepo(b.ctx, store.RepoRow{Forge: "github", ID: "1", Owner: "Org", Name: "pump"}))
	b.must(b.PutRepo(b.ctx, store.RepoRow{Forge: "github", ID: "2", Owner: "org", Name: "ui"}))
	b.must(b.PutRepo(b.ctx, store.RepoRow{Forge: "gitlab", ID: "1", Owner: "Org/devices", Name: "pump"}))
	b.must(b.PutRepo(b.ctx, store.RepoRow{Forge: "gitlab", ID: "2", Owner: "organic", Name: "pump"}))
	inTwo := store.Key{Forge: "github", RepoID: "2", Kind: store.KindChange, Ref: "1"}
	queue := store.Key{Forge: "github", RepoID: "1", Kind: store.KindQueue, Ref: "qqq"}
	b.judged(change("1"), store.Finish{Open: true, Head: "aaa", Base: "main", Links: []string{"Org/pump#12", "org/pump#13"}})
	b.judged(change("2"), store.Finish{Open: true, Head: "bbb", Base: "release", Links: []string{"org/pump#13"}, Checks: []string{"build", "test"}})
	b.judged(change("3"), store.Finish{Open: false, Head: "aaa", Base: "main", Links: []string{"org/pump#12"}})
	b.judged(inTwo, store.Finish{Open: true, Head: "aaa", Base: "main", Links: []string{"org/pump#12"}})
	b.judged(queue, store.Finish{Open: true, Head: "qqq", Base: "main", Checks: []string{}})
	for _, repo := range []string{"1", "2"} {
		b.judged(store.Key{Forge: "gitlab", RepoID: repo, Kind: store.KindChange, Ref: "7"}, store.Finish{Open: true, Head: "ddd", Base: "main"})
	}
	b.mark(store.Mark{Key: change("4"), Hint: store.Hint{Head: "ccc", Base: "main"}})
	b.claim()
	b.clock.Add(2 * lease)

	tests := []struct {
		name string
		fan  store.Fan
		want []string
	}{
		{"a judged head", store.Fan{RepoID: "1", Head: "aaa"}, []string{"1/1"}},
		{"a check that is not said to matter or not", store.Fan{RepoID: "1", Head: "aaa", Check: "lint"}, []string{"1/1"}},
		{"a check that matters", store.Fan{RepoID: "1", Head: "bbb", Check: "build"}, []string{"1/2"}},
		{"a check that does not matter", store.Fan{RepoID: "1", Head: "bbb", Check: "lint"}, nil},
		{"a check without a name", store.Fan{RepoID: "1", Head: "bbb"}, []string{"1/2"}},
		{"a check where none matters", store.Fan{RepoID: "1", Head: "qqq", Check: "build"}, nil},
		{"a hinted head", store.Fan{RepoID: "1", Head: "ccc"}, []string{"1/4"}},
		{"a queue candidate", store.Fan{RepoID: "1", Head: "qqq"}, []string{"1/qqq"}},
		{"an issue, across repositories", store.Fan{RepoID: "1", Issue: "org/PUMP#12"}, []string{"1/1", "2/1"}},
		{"a branch", store.Fan{RepoID: "1", Branch: "main"}, []string{"1/1", "1/4"}},
		{"all of a repository", store.Fan{RepoID: "1", All: true}, []string{"1/1", "1/2", "1/4"}},
		{"all of an owner", store.Fan{Owner: "ORG", All: true}, []string{"1/1", "1/2", "1/4", "2/1"}},
		{"all below an owner", store.Fan{Forge: "gitlab", Owner: "org", All: true}, []string{"1/7"}},
		{"nothing named", store.Fan{RepoID: "1"}, nil},
		{"another forge", store.Fan{Forge: "elsewhere", All: true}, nil},
	}
	for _, tt := range tests {
		fan := tt.fan
		if fan.Forge == "" {
			fan.Forge = "github"
		}
		fan.Reason = tt.name
		n, err := b.Mark(b.ctx, nil, []store.Fan{fan})
		b.must(err)
		var got []string
		for _, c := range b.claims(100) {
			if c.Reason == tt.name {
				got = append(got, c.RepoID+"/"+c.Ref)
			}
			b.must(b.Release(b.ctx, &c))
		}
		slices.Sort(got)
		if diff := cmp.Diff(tt.want, got); diff != "" || n != len(tt.want) {
			t.Errorf("%s: marked %d (-want +got):\n%s", tt.name, n, diff)
		}
	}
}

// newsDuringJudgement: the issue changes while the judgement that will find the
// link is under way, so the fan of that event cannot know of it.
func newsDuringJudgement(t *testing.T, backend Backend) {
	tests := []struct {
		name   string
		fan    store.Fan
		finish store.Finish
		due    bool
	}{
		{"an issue it turns out to link", store.Fan{Issue: "o/r#12"}, store.Finish{Open: true, Links: []string{"O/r#12"}}, true},
		{"a check on its new head", store.Fan{RepoID: "1", Head: "bbb"}, store.Finish{Open: true, Head: "bbb"}, true},
		{"a check that matters", store.Fan{RepoID: "1", Head: "bbb", Check: "build"}, store.Finish{Open: true, Head: "bbb", Checks: []string{"build"}}, true},
		{"a check without a name", store.Fan{RepoID: "1", Head: "bbb"}, store.Finish{Open: true, Head: "bbb", Checks: []string{"build"}}, true},
		{"a check that does not matter", store.Fan{RepoID: "1", Head: "bbb", Check: "lint"}, store.Finish{Open: true, Head: "bbb", Checks: []string{"build"}}, false},
		{"the branch it now targets", store.Fan{RepoID: "1", Branch: "next"}, store.Finish{Open: true, Base: "next"}, true},
		{"an issue it does not link", store.Fan{Issue: "o/r#13"}, store.Finish{Open: true, Links: []string{"o/r#12"}}, false},
		{"a change that is closed now", store.Fan{Issue: "o/r#12"}, store.Finish{Links: []string{"o/r#12"}}, false},
	}
	for _, tt := range tests {
		b := start(t, backend)
		b.mark(store.Mark{Key: change("7")})
		b.clock.Add(time.Second)
		c := b.claim()
		b.clock.Add(time.Second)
		tt.fan.Forge = "github"
		_, err := b.Mark(b.ctx, nil, []store.Fan{tt.fan})
		b.must(err)
		b.must(b.Done(b.ctx, c, tt.finish))
		b.clock.Add(time.Second)
		due := b.claims(10)
		if got := len(due) > 0; got != tt.due {
			t.Errorf("%s: due again is %v, want %v", tt.name, got, tt.due)
		}
		for _, c := range due { // and once is enough
			b.must(b.Done(b.ctx, &c, tt.finish))
			b.idle()
		}
	}
}
