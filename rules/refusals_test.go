package rules_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"primum/rules/fact"
	ft "primum/rules/facttest"
)

// A command by somebody whose it is not says so, and to whom to turn; the same by
// a holder of the role says nothing.
func TestCommandsOfPeopleWhoMayNotGiveThem(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before []string // "login: text"
		by     fact.Person
		text   string
		want   string // "" for no refusal
	}{
		"a stranger holds":                 {nil, ft.Guest(), "/primum hold", "a hold counts from holders of a role in the policy only; ask "},
		"a holder of a role holds":         {nil, ft.Sam(), "/primum hold", ""},
		"another lifts a hold":             {[]string{"sam: /primum hold"}, ft.Jonas(), "/primum hold off", "a hold is lifted by who set it, or by a holder of quality"},
		"a stranger lifts a hold":          {[]string{"sam: /primum hold"}, ft.Guest(), "/primum hold off", "a hold is lifted by who set it"},
		"who held lifts it":                {[]string{"sam: /primum hold"}, ft.Sam(), "/primum hold off", ""},
		"nothing was held":                 {nil, ft.Guest(), "/primum hold off", ""},
		"a stranger signs":                 {nil, ft.Guest(), "/primum sign reviewed-code", "a signature counts from holders of a role in the policy only"},
		"a developer confirms the answers": {nil, ft.Jonas(), "/primum risk confirm", "a confirmation of the answers counts from holders of risk only; ask "},
		"anybody answers":                  {nil, ft.Guest(), "/primum risk 1: no, because nothing new reaches the motor", ""},
		"a developer verifies":             {nil, ft.Jonas(), "/primum verify v1.4.2", "a verification counts from holders of verification only; ask "},
		"verification verifies":            {nil, ft.Priya(), "/primum verify v1.4.2", ""},
		"a stranger approves a waiver":     {[]string{"mara: " + ask}, ft.Guest(), "/primum approve W1", "the approval of a waiver counts from holders of "},
		"a stranger approves one in force": {[]string{"mara: " + ask, "ruth: /primum approve W1"}, ft.Guest(), "/primum approve W1", ""},
		"a stranger asks to look again":    {nil, ft.Guest(), "/primum recheck", ""},
		"a wrong command is wrong already": {nil, ft.Guest(), "/primum hold on tight", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, p := ft.Compliant("C")
			at := 25.0
			for _, line := range tt.before {
				who, text, _ := strings.Cut(line, ": ")
				by := map[string]fact.Person{"sam": ft.Sam(), "mara": ft.Mara(), "ruth": ft.Ruth()}[who]
				ft.Say(c, by, ft.At(at), text)
				at += 0.1
			}
			ft.Say(c, tt.by, ft.At(at), tt.text)
			id := c.Comments[len(c.Comments)-1].ID
			said := ""
			for _, r := range judge(c, p).Refusals {
				if r.Comment == id {
					said += r.Why
				}
			}
			if tt.want == "" && said != "" || !strings.Contains(said, tt.want) {
				t.Errorf("%s typed %q: %q, want %q", tt.by.Login, tt.text, said, tt.want)
			}
		})
	}
}

// Who may is not known while a team could not be read, so nobody is refused.
func TestNobodyIsRefusedWhileThePeopleAreNotKnown(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*fact.Change){
		"none was read": func(c *fact.Change) { c.MarkUnknown(fact.NeedPeople, "the forge did not answer") },
		"one team was not": func(c *fact.Change) {
			k := slices.Sorted(maps.Keys(c.People))[0]
			c.People[k] = fact.Principal{Problem: "the forge did not answer"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, p := ft.Compliant("C")
			ft.Say(c, ft.Guest(), ft.At(25), "/primum hold")
			spoil(c)
			if got := judge(c, p).Refusals; len(got) != 0 {
				t.Errorf("refused: %+v", got)
			}
		})
	}
}
