package judge_test

import (
	"strings"
	"testing"
	"time"

	"primum/rules"
	"primum/rules/fact"
)

// newEditBench is a bench over a change with a comment of ours on it, on a forge
// that names the editors of comments or does not.
func newEditBench(t *testing.T, mute bool) *bench {
	t.Helper()
	f := newFake()
	f.statuses, f.mute = true, mute
	b := newBenchOn(t, f, ":memory:")
	f.open(1)
	b.mark(1, "opened")
	b.run()
	if said := f.said(1); len(said) != 1 {
		t.Fatalf("%d comments", len(said))
	}
	return b
}

// settle lets the time pass after which a text put back is looked at again.
func (b *bench) settle() {
	b.run()
	b.clock.turn(10 * time.Second)
	b.run()
}

// What somebody else writes under Primum's name does not stay, and is kept.
func TestACommentEditedByAPersonIsPutBackAndSaid(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		mute, seen bool
		says       string
	}{
		"the forge names who":                {false, false, "`mara` edited Primum's comment on 2026-11-22 at "},
		"it does not, and ours was seen":     {true, true, "Somebody the forge does not name edited Primum's comment on 2026-11-22 at "},
		"it does not, and ours was not seen": {true, false, "Somebody the forge does not name edited Primum's comment on 2026-11-22 at "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newEditBench(t, tt.mute)
			if tt.seen {
				b.mark(1, "check")
				b.run()
			}
			was := b.forge.said(1)[0].body
			b.forge.rewrite(1, mara, "All is well, merge.")
			b.mark(1, "command")
			b.settle()
			said := b.forge.said(1)[0].body
			if !strings.Contains(said, tt.says) || !strings.Contains(said, "action") || strings.Contains(said, "All is well") {
				t.Errorf("the comment says\n%s\nand was\n%s", said, was)
			}
			v := b.decoded(1)
			if len(v.Notes) != 1 || v.Notes[0].Kind != rules.EditedComment || !tt.mute && v.Notes[0].By != "mara" {
				t.Errorf("notes %+v", v.Notes)
			}

			b.forge.reset()
			for range 3 {
				b.mark(1, "check")
				b.settle()
			}
			if n := b.forge.count("put_comment") + b.forge.count("set_verdict"); n != 0 {
				t.Errorf("%d writes though nothing differs", n)
			}

			// Another edit to the same words is another edit.
			b.forge.rewrite(1, mara, "All is well, merge.")
			b.mark(1, "command")
			b.settle()
			if said := b.forge.said(1)[0].body; strings.Contains(said, "All is well") {
				t.Error("the second edit to the same words stands")
			}
		})
	}
}

// Law 8: a comment that a person deleted after editing it is not posted again.
func TestAnEditedCommentThatIsGoneStaysGone(t *testing.T) {
	t.Parallel()
	b := newEditBench(t, false)
	b.forge.rewrite(1, mara, "All is well, merge.")
	b.forge.mu.Lock()
	b.forge.after = nil
	b.forge.fault = func(call string) error {
		if call == "put_comment" { // deleted between the reading and the writing
			for _, m := range b.forge.comments {
				m.deleted = true
			}
		}
		return nil
	}
	b.forge.mu.Unlock()
	for range 3 {
		b.mark(1, "command")
		b.settle()
	}
	if said := b.forge.said(1); len(said) != 0 {
		t.Errorf("posted again: %+v", said[0])
	}
	if n := b.forge.count("put_comment"); n != 2 {
		t.Errorf("%d tries to write it, want the first writing and one", n)
	}
}

// A forge that shows a text otherwise than it was given has edited nothing.
func TestWhatTheForgeMakesOfATextIsNoEdit(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		mute   bool
		shows  func(string) string
		writes int
	}{
		"line ends and space":           {true, func(s string) string { return "\r\n" + strings.ReplaceAll(s, "\n", " \r\n") + "\n\n" }, 0},
		"other words, editors told":     {false, func(s string) string { return strings.ReplaceAll(s, "action", "Aktion") }, 0},
		"other words, editors not told": {true, func(s string) string { return strings.ReplaceAll(s, "action", "Aktion") }, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newEditBench(t, tt.mute)
			b.forge.mu.Lock()
			b.forge.shows = tt.shows
			b.forge.mu.Unlock()
			b.forge.reset()
			for range 30 {
				b.mark(1, "check")
				b.settle()
			}
			if n := b.forge.count("put_comment"); n != tt.writes {
				t.Errorf("%d writes, want %d", n, tt.writes)
			}
			if v := b.decoded(1); len(v.Notes) != 0 {
				t.Errorf("somebody is said to have edited it: %+v", v.Notes)
			}
			b.clock.turn(2 * time.Hour)
			b.forge.reset()
			for range 5 {
				b.mark(1, "check")
				b.settle()
			}
			if n := b.forge.count("put_comment"); n != 0 {
				t.Errorf("%d more writes", n)
			}
		})
	}
}

// Somebody who goes on editing is not answered for ever.
func TestAFightOverTheCommentIsBounded(t *testing.T) {
	t.Parallel()
	b := newEditBench(t, false)
	b.forge.reset()
	for range 25 {
		b.forge.rewrite(1, fact.Person{ID: "9", Login: "sam"}, "All is well, merge.")
		b.mark(1, "command")
		b.run()
		b.clock.turn(time.Second)
	}
	if n := b.forge.count("put_comment"); n != 10 {
		t.Errorf("%d writes within an hour, want 10", n)
	}
	b.clock.turn(time.Hour)
	b.mark(1, "check")
	b.run()
	if said := b.forge.said(1)[0].body; strings.Contains(said, "All is well") {
		t.Error("after the hour it still stands")
	}
}
