package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/bot/store"
	"primum/rules/fact"
)

func verdict(state string, at time.Time) store.VerdictRow {
	raw := fmt.Sprintf(`{"state":%q,"judged_at":%q,"read_at":%q}`, state, at.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano))
	return store.VerdictRow{
		Head: "aaa", State: state, Mode: "enforce", Class: "C", Product: "pump", Title: "Rate limit", Reason: "because",
		PolicyOID: "p1", FactsDigest: "f1", Engine: "v1", JudgedAt: at, Trigger: "pushed",
		JSON: json.RawMessage(raw), Facts: json.RawMessage(`{"title":"` + strings.Repeat("long ", 4000) + `"}`),
	}
}

func verdictOnce(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.mark(store.Mark{Key: change("7")})
	c := b.claim()
	first := verdict("fail", b.clock.Now())
	id, err := b.SaveVerdict(b.ctx, c, first)
	b.must(err)
	b.clock.Add(time.Hour / 200)
	later := verdict("fail", b.clock.Now())
	later.Trigger = "sweep"
	same, err := b.SaveVerdict(b.ctx, c, later)
	if err != nil || same != id {
		t.Errorf("an equal verdict got id %d, error %v; want %d", same, err, id)
	}
	changed := later
	changed.FactsDigest = "f2"
	other, err := b.SaveVerdict(b.ctx, c, changed)
	if err != nil || other == id {
		t.Errorf("another verdict got id %d, error %v; want a new one", other, err)
	}
	back, err := b.SaveVerdict(b.ctx, c, later)
	if err != nil || back == id || back == other {
		t.Errorf("a verdict equal to one before the newest got id %d, error %v; want a new one", back, err)
	}
	got, err := b.Verdict(b.ctx, id)
	b.must(err)
	want := first
	want.ID, want.Key = id, change("7")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kept verdict (-want +got):\n%s", diff)
	}
	if _, err := b.Verdict(b.ctx, 999); !errors.Is(err, store.ErrNone) {
		t.Errorf("unknown verdict: error %v, want ErrNone", err)
	}
	if got := b.subject(change("7")).Verdict; got != back {
		t.Errorf("the subject's newest verdict is %d, want %d", got, back)
	}
	history, err := b.Verdicts(b.ctx, change("7"), 2)
	b.must(err)
	if len(history) != 2 || history[0].ID != back || history[1].ID != other || history[0].JSON != nil {
		t.Errorf("history is %+v", history)
	}
}

// verdictOrder: a reading that was taken first and finishes last.
func verdictOrder(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.mark(store.Mark{Key: change("7")})
	slow := b.claim()
	b.clock.Add(lease + time.Second)
	quick := b.claim()
	id, err := b.SaveVerdict(b.ctx, quick, verdict("pass", b.clock.Now()))
	b.must(err)
	b.must(b.Done(b.ctx, quick, store.Finish{Open: true, Head: "new"}))
	if _, err := b.SaveVerdict(b.ctx, slow, verdict("fail", b.clock.Now())); !errors.Is(err, store.ErrLost) {
		t.Errorf("the older reading is answered %v, want ErrLost", err)
	}
	if err := b.Done(b.ctx, slow, store.Finish{Open: true, Head: "old"}); !errors.Is(err, store.ErrLost) {
		t.Errorf("its end is answered %v, want ErrLost", err)
	}
	if got := b.subject(change("7")); got.Verdict != id || got.Head != "new" {
		t.Errorf("the subject has verdict %d on %s, want %d on new", got.Verdict, got.Head, id)
	}
}

func actOnce(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.mark(store.Mark{Key: change("7")})
	c := b.claim()
	begin := func(detail string) (store.Act, bool) {
		t.Helper()
		a, done, err := b.BeginAct(b.ctx, c, store.Act{Key: "check:7:aaa", Kind: "check", Detail: detail, Verdict: 3})
		b.must(err)
		return a, done
	}
	first, done := begin("first")
	if done || first.ID == 0 || first.Subject != change("7") {
		t.Errorf("begun %+v, done %v", first, done)
	}
	second, done := begin("after a crash")
	if done || second.ID != first.ID {
		t.Errorf("an act that was not ended: begun %+v, done %v", second, done)
	}
	b.must(b.EndAct(b.ctx, first.ID, "", errors.New("502")))
	third, done := begin("after an error")
	if done || third.ID != first.ID {
		t.Errorf("an act that failed: begun %+v, done %v", third, done)
	}
	b.must(b.EndAct(b.ctx, first.ID, "run-1", nil))
	last, done := begin("too late")
	if !done || last.Result != "run-1" || last.Detail != "after an error" || last.DoneAt.IsZero() {
		t.Errorf("an act that was done: begun %+v, done %v", last, done)
	}
	acts, err := b.Acts(b.ctx, change("7"), 10)
	b.must(err)
	if diff := cmp.Diff([]store.Act{last}, acts); diff != "" {
		t.Errorf("acts (-want +got):\n%s", diff)
	}
	if err := b.EndAct(b.ctx, 999, "", nil); !errors.Is(err, store.ErrNone) {
		t.Errorf("ending an unknown act: error %v, want ErrNone", err)
	}
}

func memoryKept(t *testing.T, backend Backend) {
	b := start(t, backend)
	m := store.Memory{
		Issues: []string{"o/r#1"}, Principals: []string{"team:firmware"}, Files: []string{"a"}, DiffPaths: []string{"**/*_test.go"},
		Posted: json.RawMessage(`{"id":"1"}`), Comment: store.CommentMemory{ID: "5", Digest: "d", Deleted: true},
		Answered: map[string]string{"9": "eyes"}, Classes: map[string]string{"r1": "B"}, Notes: map[string]string{"long": strings.Repeat("text ", 3000)},
	}
	b.judged(change("7"), store.Finish{Open: true, Memory: m})
	if diff := cmp.Diff(m, b.subject(change("7")).Memory); diff != "" {
		t.Errorf("memory (-want +got):\n%s", diff)
	}
	b.judged(change("7"), store.Finish{Open: true})
	if diff := cmp.Diff(store.Memory{}, b.subject(change("7")).Memory); diff != "" {
		t.Errorf("memory emptied (-want +got):\n%s", diff)
	}
}

func sightings(t *testing.T, backend Backend) {
	b := start(t, backend)
	see := func(id, first string, known bool) store.SeenComment {
		return store.SeenComment{Forge: "github", RepoID: "1", CommentID: id, First: first, Known: known, Head: "h-" + first, At: b.clock.Now()}
	}
	b.must(b.Remember(b.ctx, []store.SeenComment{see("1", "as posted", true), see("2", "", false)}))
	b.must(b.Remember(b.ctx, []store.SeenComment{see("1", "edited", true), see("1", "", false), see("2", "late but as posted", true), see("2", "edited", true)}))
	ids := []string{"1", "2", "3"}
	for i := range 1200 {
		ids = append(ids, fmt.Sprint("x", i))
	}
	got, err := b.Recall(b.ctx, "github", "1", ids)
	b.must(err)
	want := map[string]store.SeenComment{"1": see("1", "as posted", true), "2": see("2", "late but as posted", true)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recalled (-want +got):\n%s", diff)
	}
	bare := store.SeenComment{Forge: "github", RepoID: "1", CommentID: "4", First: "as posted", Known: true, At: b.clock.Now()}
	with := func(first, head, subject string) store.SeenComment {
		s := bare
		s.First, s.Head, s.Subject = first, head, subject
		return s
	}
	for _, s := range []store.SeenComment{
		bare, with("edited", "h0", "s0"), with("as posted", "", "s1"), with("as posted", "h1", "s2"), with("as posted", "h2", "s3"),
	} {
		b.must(b.Remember(b.ctx, []store.SeenComment{s}))
	}
	got, err = b.Recall(b.ctx, "github", "1", []string{"4"})
	b.must(err)
	if diff := cmp.Diff(map[string]store.SeenComment{"4": with("as posted", "h1", "s1")}, got); diff != "" {
		t.Errorf("completed once each (-want +got):\n%s", diff)
	}
	if got, err := b.Recall(b.ctx, "github", "2", ids); err != nil || len(got) != 0 {
		t.Errorf("of another repository: %v, error %v; want none", got, err)
	}
}

func approvals(t *testing.T, backend Backend) {
	b := start(t, backend)
	chen := fact.Person{ID: "7", Login: "chen"}
	at := b.clock.Now()
	see := func(sha string, taken bool, after time.Duration) store.SeenComment {
		s, ok := store.Approved("gitlab", "1", 4, chen, sha, taken, at.Add(after))
		if !ok {
			t.Fatal("not kept")
		}
		return s
	}
	id := store.ApprovalID(4, "7")
	for _, step := range []struct {
		what string
		seen store.SeenComment
		want store.SeenComment
	}{
		{"the first", see("a", false, time.Second), see("a", false, time.Second)},
		{"a newer one", see("b", false, time.Minute), see("b", false, time.Minute)},
		{"an older one that comes late", see("c", false, 2*time.Second), see("b", false, time.Minute)},
		{"another of the same time", see("d", false, time.Minute), see("b", false, time.Minute)},
		{"withdrawn at the same time", see("b", true, time.Minute), see("b", true, time.Minute)},
		{"given at that time", see("b", false, time.Minute), see("b", true, time.Minute)},
		{"given anew", see("e", false, time.Hour), see("e", false, time.Hour)},
	} {
		b.must(b.Remember(b.ctx, []store.SeenComment{step.seen}))
		got, err := b.Recall(b.ctx, "gitlab", "1", []string{id})
		b.must(err)
		if diff := cmp.Diff(map[string]store.SeenComment{id: step.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, diff)
		}
	}
}

func pins(t *testing.T, backend Backend) {
	b := start(t, backend)
	pin := func(repo, login, id, want string) {
		t.Helper()
		if got, err := b.Pin(b.ctx, "github", repo, login, fact.Person{ID: id, Login: login}); err != nil || got != want {
			t.Errorf("pin %s to %s in %s: %q, error %v; want %q", login, id, repo, got, err, want)
		}
	}
	pin("1", "mara", "", "")
	pin("1", "mara", "100", "100")
	pin("1", "Mara", "666", "100")
	pin("1", "mara", "", "100")
	pin("2", "mara", "666", "666")
}

func repos(t *testing.T, backend Backend) {
	b := start(t, backend)
	full := store.RepoRow{
		Forge: "github", ID: "1", Owner: "org", Name: "pump", Installation: "i1", Private: true, Default: "main",
		Product: "pump", Policy: json.RawMessage(`{"files":["a"]}`),
	}
	b.must(b.PutRepo(b.ctx, full))
	b.must(b.PutRepo(b.ctx, store.RepoRow{Forge: "github", ID: "1", Private: true, Gone: true}))
	want := full
	want.Gone = true
	got, err := b.Repo(b.ctx, "github", "1")
	b.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after an event that tells little (-want +got):\n%s", diff)
	}
	b.must(b.PutRepo(b.ctx, store.RepoRow{Forge: "github", ID: "2", Owner: "org", Name: "app"}))
	list, err := b.Repos(b.ctx, "github")
	if err != nil || len(list) != 1 || list[0].ID != "2" {
		t.Errorf("repositories not gone: %+v, error %v", list, err)
	}
	if _, err := b.Repo(b.ctx, "github", "3"); !errors.Is(err, store.ErrNone) {
		t.Errorf("unknown repository: error %v, want ErrNone", err)
	}
}

func renamed(t *testing.T, backend Backend) {
	b := start(t, backend)
	find := func(owner, name, want string) {
		t.Helper()
		got, err := b.FindRepo(b.ctx, "github", owner, name)
		if err != nil || got.ID != want {
			t.Errorf("%s/%s is repository %q, error %v; want %s", owner, name, got.ID, err, want)
		}
	}
	put := func(id, owner, name string) {
		t.Helper()
		b.must(b.PutRepo(b.ctx, store.RepoRow{Forge: "github", ID: id, Owner: owner, Name: name}))
	}
	put("1", "org", "pump")
	find("ORG", "Pump", "1")
	put("1", "org", "infusion-pump")
	find("org", "pump", "1")
	find("org", "infusion-pump", "1")
	put("2", "org", "pump")
	find("org", "pump", "2")
	if _, err := b.FindRepo(b.ctx, "github", "org", "none"); !errors.Is(err, store.ErrNone) {
		t.Errorf("unknown name: error %v, want ErrNone", err)
	}
}

func siblings(t *testing.T, backend Backend) {
	b := start(t, backend)
	for ref, f := range map[string]store.Finish{
		"1": {Open: true, Head: "aaa"}, "2": {Open: true, Head: "aaa"}, "3": {Open: false, Head: "aaa"}, "4": {Open: true, Head: "bbb"},
	} {
		b.judged(change(ref), f)
	}
	b.mark(store.Mark{Key: change("5"), Hint: store.Hint{Head: "aaa"}})
	got, err := b.Siblings(b.ctx, change("1"), "aaa")
	b.must(err)
	refs := map[string]bool{}
	for _, s := range got {
		refs[s.Ref] = true
	}
	if diff := cmp.Diff(map[string]bool{"2": true, "5": true}, refs); diff != "" {
		t.Errorf("siblings (-want +got):\n%s", diff)
	}
}

func openList(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.must(b.PutRepo(b.ctx, store.RepoRow{Forge: "github", ID: "1", Owner: "org", Name: "pump", Product: "old name"}))
	opened := b.clock.Now()
	b.mark(store.Mark{Key: change("7")})
	c := b.claim()
	b.clock.Add(time.Second)
	v := verdict("fail", b.clock.Now())
	id, err := b.SaveVerdict(b.ctx, c, v)
	b.must(err)
	b.must(b.Done(b.ctx, c, store.Finish{Open: true, Head: "aaa"}))
	b.judged(change("8"), store.Finish{Open: false})
	stranger := store.Key{Forge: "github", RepoID: "2", Kind: store.KindChange, Ref: "9"}
	b.mark(store.Mark{Key: stranger})
	got, err := b.Open(b.ctx, "", "", 10)
	b.must(err)
	if len(got) != 2 || got[0].Number != 9 || !got[0].Private || got[0].State != "" {
		t.Fatalf("open changes are %+v", got)
	}
	o := got[1]
	if o.Number != 7 || o.Verdict != id || o.Owner != "org" || o.Name != "pump" || o.Private || o.Product != "pump" || o.Title != v.Title ||
		o.State != "fail" || o.Class != "C" || o.Why != "because" || !o.JudgedAt.Equal(v.JudgedAt) || !o.OpenedAt.Equal(opened) || o.Head != "aaa" {
		t.Errorf("open change is %+v", o)
	}
	if got, err := b.Open(b.ctx, "github", "1", 10); err != nil || len(got) != 1 {
		t.Errorf("open in one repository: %d, error %v; want 1", len(got), err)
	}
}

func notes(t *testing.T, backend Backend) {
	b := start(t, backend)
	if _, ok, err := b.Noted(b.ctx, "sweep"); ok || err != nil {
		t.Errorf("a note never made: %v, error %v", ok, err)
	}
	b.must(b.Note(b.ctx, "sweep", "one"))
	b.must(b.Note(b.ctx, "sweep", "two"))
	if got, ok, err := b.Noted(b.ctx, "sweep"); got != "two" || !ok || err != nil {
		t.Errorf("noted %q, %v, error %v; want two", got, ok, err)
	}
}

func trim(t *testing.T, backend Backend) {
	b := start(t, backend)
	accept := func(id string, received time.Time) bool {
		t.Helper()
		in := delivery(id)
		in.ReceivedAt, in.Body = received, bytes.Repeat([]byte("x"), 9000)
		fresh, _, err := b.Accept(b.ctx, in)
		b.must(err)
		return fresh
	}
	for i := range 3 {
		accept(fmt.Sprint("old", i), b.clock.Now().Add(-100*time.Hour))
	}
	accept("new", b.clock.Now())
	for _, want := range []int64{3, 0} {
		if n, err := b.Trim(b.ctx, 90*time.Hour); err != nil || n != want {
			t.Errorf("trimmed %d, error %v; want %d", n, err, want)
		}
	}
	if accept("old1", b.clock.Now()) {
		t.Error("a trimmed delivery is taken for a new one")
	}
}

func counts(t *testing.T, backend Backend) {
	b := start(t, backend)
	for i := range 4 {
		if _, _, err := b.Accept(b.ctx, delivery(fmt.Sprint(i), store.Mark{Key: change(fmt.Sprint(i))})); err != nil {
			t.Fatal(err)
		}
	}
	b.mark(store.Mark{Key: change("later"), Due: b.clock.Now().Add(time.Hour)})
	b.clock.Add(5 * time.Second)
	c := b.claims(2)
	_, err := b.SaveVerdict(b.ctx, &c[0], verdict("pass", b.clock.Now()))
	b.must(err)
	b.must(b.Done(b.ctx, &c[0], store.Finish{Open: true}))
	got, err := b.Counts(b.ctx)
	want := store.Counts{Waiting: 4, Due: 3, Leased: 1, Oldest: 5 * time.Second, Deliveries: 4, Verdicts: 1}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func reopened(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.must(b.Ready(b.ctx))
	b.mark(store.Mark{Key: change("7"), Reason: "opened"})
	second := b.open(t, b.clock)
	got, err := second.Subject(b.ctx, change("7"))
	if err != nil || got.Reason != "opened" {
		t.Errorf("a second opener reads %+v, error %v", got, err)
	}
}
