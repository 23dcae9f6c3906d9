package kept_test

import (
	"strings"
	"testing"
	"time"

	"primum/forges/kept"
	"primum/rules/fact"
)

func TestRecentLetsGoOfWhatWasUsedLongestAgo(t *testing.T) {
	t.Parallel()
	r := kept.NewRecent[int](2, 1000)
	r.Put("a", 1, 0)
	r.Put("b", 2, 0)
	if v, ok := r.Get("a"); !ok || v != 1 {
		t.Fatalf("a is %d, %t", v, ok)
	}
	r.Put("c", 3, 0)
	if r.Has("b") || !r.Has("a") || !r.Has("c") {
		t.Errorf("a %t, b %t, c %t", r.Has("a"), r.Has("b"), r.Has("c"))
	}
}

func TestRecentIsBoundedByWeight(t *testing.T) {
	t.Parallel()
	r := kept.NewRecent[string](100, 20)
	r.Put("a", "first", 9) // with its key: 10 of 20
	r.Put("b", "second", 9)
	r.Put("c", "third", 0)
	if r.Has("a") || !r.Has("b") || !r.Has("c") {
		t.Errorf("a %t, b %t, c %t", r.Has("a"), r.Has("b"), r.Has("c"))
	}
	r.Put("b", "lighter", 1) // takes the place of the heavy one
	r.Put("d", "fourth", 9)
	if v, _ := r.Get("b"); v != "lighter" || !r.Has("c") || !r.Has("d") {
		t.Errorf("b %q, c %t, d %t", v, r.Has("c"), r.Has("d"))
	}
	r.Put("d", strings.Repeat("x", 30), 30)
	if r.Has("d") {
		t.Error("what is heavier than all may be is kept, or what it replaced is")
	}
}

func TestPeopleGrowStaleAndAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := kept.NewPeople(time.Hour, time.Minute, func() time.Time { return now })
	whole, gone := fact.Principal{Members: []fact.Person{{Login: "alex"}}}, fact.Principal{Problem: "there is no such team"}
	fill := func() {
		for _, owner := range []string{"acme", "acme/devices", "acme/devices/pump", "acmeworks"} {
			p.Put(owner, "team:firmware", whole)
			p.Put(owner, "team:qa", gone)
		}
	}
	knows := func(owner, principal string) bool {
		_, ok := p.Get(owner, principal)
		return ok
	}
	fill()
	if r, ok := p.Get("acme", "team:qa"); !ok || r.Problem != gone.Problem {
		t.Errorf("a problem is not kept: %+v", r)
	}
	now = now.Add(time.Minute)
	if !knows("acme", "team:firmware") || knows("acme", "team:qa") {
		t.Error("a problem is kept as long as an answer")
	}
	now = now.Add(time.Hour)
	if knows("acme", "team:firmware") {
		t.Error("an answer never grows stale")
	}
	fill()
	p.Forget("Acme/Devices")
	if knows("acme", "team:firmware") || knows("acme/devices", "team:firmware") || knows("acme/devices/pump", "team:firmware") ||
		!knows("acmeworks", "team:firmware") {
		t.Error("forgets other owners than the one, those below and those above")
	}
	p.Forget("")
	if knows("acmeworks", "team:firmware") {
		t.Error("something is left")
	}
}

func TestPeopleKeepNoProblemWhereAskingAgainIsFree(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := kept.NewPeople(time.Hour, 0, func() time.Time { return now })
	p.Put("acme", "team:qa", fact.Principal{Problem: "there is no such team"})
	if _, ok := p.Get("acme", "team:qa"); ok {
		t.Error("a problem is kept")
	}
}
