package store_test

import (
	"testing"
	"time"

	"primum/bot/store"
	"primum/rules/fact"
)

func TestAnApprovalIsReadBack(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	chen := fact.Person{ID: "7", Login: "chen"}
	for _, taken := range []bool{false, true} {
		seen, ok := store.Approved("gitlab", "1", 4, chen, "aaa", taken, at)
		if !ok {
			t.Fatal("the approval of a person is not kept")
		}
		want := store.SeenApproval{By: chen, SHA: "aaa", Withdrawn: taken, At: at}
		if a, ok := seen.Approval(); !ok || a != want {
			t.Errorf("read back as %+v (%v), want %+v", a, ok, want)
		}
	}
	if _, ok := store.Approved("gitlab", "1", 4, fact.Person{}, "aaa", false, at); ok {
		t.Error("the approval of nobody is kept")
	}
	if _, ok := store.Approved("gitlab", "1", 4, chen, "", false, at); ok {
		t.Error("an approval of no commit is kept")
	}
	if a, ok := (store.SeenComment{CommentID: "c1", First: `{"id":"7"}`, Known: true, Head: "aaa", Subject: "given"}).Approval(); ok {
		t.Errorf("a comment is read as %+v", a)
	}
}
