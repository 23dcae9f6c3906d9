package publish

import (
	"testing"
	"time"

	"primum/rules/fact"
)

// Which of two checks of one name is on top, in whole seconds.
func TestWhichCheckIsOnTop(t *testing.T) {
	t.Parallel()
	check := func(id string, second int) fact.Check {
		return fact.Check{ID: id, StartedAt: noon.Add(time.Duration(second) * time.Second)}
	}
	tests := map[string]struct {
		own    *fact.Check
		theirs []fact.Check
		want   bool
	}{
		"nobody else":                         {new(fact.Check), nil, false},
		"theirs is older":                     {new(check("9", 5)), []fact.Check{check("3", 4)}, false},
		"theirs is newer":                     {new(check("9", 5)), []fact.Check{check("3", 4), check("12", 6)}, true},
		"ours is not there":                   {nil, []fact.Check{check("3", 4)}, true},
		"one second, theirs has the later id": {new(check("9", 5)), []fact.Check{check("10", 5)}, true},
		"one second, ours has the later id":   {new(check("10", 5)), []fact.Check{check("9", 5)}, false},
		"one second, ids tell nothing":        {new(check("ours", 5)), []fact.Check{check("9", 5)}, true},
		"no times and no ids":                 {new(fact.Check), []fact.Check{{}}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := over(tt.own, tt.theirs); (got != nil) != tt.want {
				t.Errorf("on top of ours stands %+v, want one: %v", got, tt.want)
			}
		})
	}
}
