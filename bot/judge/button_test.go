package judge_test

import (
	"testing"

	"primum/bot/store"
	"primum/rules"
)

// The button reads everything anew, who is in which team too. Anybody who sees
// the check may press it, so who pressed is looked up: from somebody who may
// not write it is a judgement like any other.
func TestWhoPressesTheButtonIsChecked(t *testing.T) {
	t.Parallel()
	for who, forgets := range map[string]int{"mara": 1, "sam": 0, "": 0} {
		t.Run("pressed by "+who, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.forge.open(1)
			b.mark(1, "opened")
			b.run()
			b.forge.reset()
			b.forge.approve(1)
			b.mark(1, store.RequestBy(who))
			b.run()
			if got := b.forge.count("forget"); got != forgets {
				t.Errorf("the people were forgotten %d times, want %d", got, forgets)
			}
			if b.state(1) != rules.Pass {
				t.Errorf("state %s, want pass: a button is judged whoever pressed it", b.state(1))
			}
		})
	}
}
