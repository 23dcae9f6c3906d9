package store_test

import (
	"testing"
	"time"

	"primum/bot/store"
	"primum/rules/fact"
)

func TestAPushIsReadBack(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	jonas := fact.Person{ID: "7", Login: "jonas", Name: "Jonas"}
	seen, ok := store.Pushed("github", "1", "aaa", jonas, at)
	if !ok {
		t.Fatal("the push of a person is not kept")
	}
	if p, ok := seen.Push(); !ok || p != (fact.Push{Person: jonas, SHA: "aaa", At: at}) {
		t.Errorf("read back as %+v (%v)", p, ok)
	}
	for name, s := range map[string]store.SeenComment{
		"nothing":             {},
		"a comment":           {CommentID: "c1", First: `{"id":"7"}`, Known: true, Head: "aaa"},
		"no person":           {CommentID: "push:aaa", First: "{}", Known: true, Head: "aaa"},
		"no JSON":             {CommentID: "push:aaa", First: "/primum approve", Known: true, Head: "aaa"},
		"the push of another": {CommentID: "push:bbb", First: `{"id":"7"}`, Known: true, Head: "aaa"},
	} {
		if p, ok := s.Push(); ok {
			t.Errorf("%s is read as the push %+v", name, p)
		}
	}
}
