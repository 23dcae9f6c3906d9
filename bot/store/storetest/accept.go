package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/bot/store"
)

func delivery(id string, marks ...store.Mark) store.Inbound {
	return store.Inbound{
		Forge: "github", ID: id, Event: "pull_request", Action: "opened",
		Header: map[string]string{"X-GitHub-Event": "pull_request"}, Body: []byte(`{"number":7}`), Marks: marks,
	}
}

func acceptOnce(t *testing.T, backend Backend) {
	b := start(t, backend)
	in := delivery("d1", store.Mark{Key: change("7"), Reason: "opened"})
	fresh, marked, err := b.Accept(b.ctx, in)
	if err != nil || !fresh || marked != 1 {
		t.Fatalf("first time: fresh %v, marked %d, error %v; want true, 1, nil", fresh, marked, err)
	}
	fresh, marked, err = b.Accept(b.ctx, in)
	if err != nil || fresh || marked != 0 {
		t.Fatalf("second time: fresh %v, marked %d, error %v; want false, 0, nil", fresh, marked, err)
	}
	if got := b.subject(change("7")).Wanted; got != 1 {
		t.Errorf("wanted is %d after a redelivery, want 1", got)
	}
	other := in
	other.Forge = "elsewhere"
	if fresh, _, err = b.Accept(b.ctx, other); err != nil || !fresh {
		t.Errorf("same id of another forge: fresh %v, error %v; want true, nil", fresh, err)
	}
	select {
	case <-b.Wake():
	default:
		t.Error("no wake after a mark")
	}
}

func acceptConcurrently(t *testing.T, backend Backend) {
	b := start(t, backend)
	second := b.open(t, b.clock)
	const n = 60
	var fresh, marked atomic.Int64
	var wg sync.WaitGroup
	for i := range 3 * n { // every delivery three times, through two replicas
		wg.Go(func() {
			s := []store.Store{b.Store, second}[i%2]
			k, other := change(fmt.Sprint(i%n%7)), change(fmt.Sprint(100-i%n%5))
			ok, m, err := s.Accept(b.ctx, delivery(fmt.Sprint("d", i%n), store.Mark{Key: k}, store.Mark{Key: other}))
			if err != nil {
				t.Error(err)
			}
			if ok {
				fresh.Add(1)
			}
			marked.Add(int64(m))
		})
	}
	wg.Wait()
	if fresh.Load() != n || marked.Load() != 2*n {
		t.Errorf("%d deliveries were fresh and %d subjects marked, want %d and %d", fresh.Load(), marked.Load(), n, 2*n)
	}
	if got := len(b.claims(100)); got != 12 {
		t.Errorf("%d subjects are due, want 12", got)
	}
}

func acceptEverything(t *testing.T, backend Backend) {
	b := start(t, backend)
	b.judged(change("7"), store.Finish{Open: true, Head: "aaa", Base: "main", Links: []string{"o/r#12"}})
	in := delivery("d2")
	in.Repos = []store.RepoRow{{Forge: "github", ID: "1", Owner: "o", Name: "r"}}
	in.Seen = []store.SeenComment{{Forge: "github", RepoID: "1", CommentID: "c1", First: "/primum approve", Known: true, Subject: "digest", At: b.clock.Now()}}
	in.Fans = []store.Fan{{Forge: "github", RepoID: "1", Issue: "O/R#12", Reason: "issue-words"}}
	fresh, marked, err := b.Accept(b.ctx, in)
	if err != nil || !fresh || marked != 1 {
		t.Fatalf("fresh %v, marked %d, error %v; want true, 1, nil", fresh, marked, err)
	}
	if got := b.claim(); got.Reason != "issue-words" {
		t.Errorf("claimed for %q, want issue-words", got.Reason)
	}
	if _, err := b.Repo(b.ctx, "github", "1"); err != nil {
		t.Error(err)
	}
	seen, err := b.Recall(b.ctx, "github", "1", []string{"c1", "c2"})
	b.must(err)
	if diff := cmp.Diff(map[string]store.SeenComment{"c1": in.Seen[0]}, seen); diff != "" {
		t.Errorf("recalled comments (-want +got):\n%s", diff)
	}
}

func acceptHostileText(t *testing.T, backend Backend) {
	b := start(t, backend)
	in := delivery("d\x00\xff", store.Mark{Key: change("7"), Reason: "a\x00b", Hint: store.Hint{Head: "\xff", Body: "x\x00'; DROP TABLE subjects; --"}})
	in.Seen = []store.SeenComment{{Forge: "github", RepoID: "1", CommentID: "c1", First: "\xc3\x28\x00", Known: true}}
	if _, marked, err := b.Accept(b.ctx, in); err != nil || marked != 1 {
		t.Fatalf("marked %d, error %v; want 1, nil", marked, err)
	}
	if got, want := b.claim().Hint.Body, "x\uFFFD'; DROP TABLE subjects; --"; got != want {
		t.Errorf("hint is %q, want %q", got, want)
	}
}
