package publish

import (
	"strings"
	"testing"

	"primum/bot/report"
	"primum/forges"
	"primum/rules"
	"primum/rules/class"
	"primum/rules/evidence"
	"primum/rules/fact"
)

// A command that reads well and asks for what is not there is as wrong as a
// misspelt one: it is refused, and the comment says what would be right.
func TestACommandForWhatIsNotThereIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		typed, want string
	}{
		"rule near":      {"/primum explain review-quorm", "did you mean `/primum explain review-quorum`?"},
		"part of a rule": {"/primum explain weakened", "did you mean `/primum explain verify-not-weakened`?"},
		"no such rule":   {"/primum explain zzzzzz", "there is no rule of that name; the right form is `/primum explain "},
		"rule":           {"/primum explain review-quorum", ""},
		"no such waiver": {"/primum approve W7", "there is no waiver W7 on this change; the right form is `/primum approve W1`"},
		"waiver":         {"/primum approve W1", ""},
		"no such issue":  {"/primum link #9999", "#9999 does not exist or Primum may not read it"},
		"issue":          {"/primum link #12", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := failing()
			s.Facts.Repo = fact.Repo{Owner: "acme", Name: "pump"}
			mara, jonas := fact.Person{ID: "1", Login: "mara"}, fact.Person{ID: "2", Login: "jonas"}
			s.Facts.Opener = mara
			say := func(id string, by fact.Person, text string) {
				s.Facts.Comments = append(s.Facts.Comments, fact.Comment{ID: id, Author: by, Body: text, First: text, FirstKnown: true})
			}
			say("1", jonas, "/primum waive review-quorum until 2026-12-01 because the reviewer is on leave")
			say("2", mara, tt.typed)
			s.Facts.Issues = []fact.Issue{
				{Repo: "acme/pump", Number: 12, State: fact.Open},
				{Repo: "acme/pump", Number: 9999, Problem: "there is no such issue"},
			}
			s.Evidence = evidence.Read(s.Facts)
			said, reaction := "", forges.Reaction("")
			for _, w := range wrong(s.Verdict, s.Evidence) {
				said += w.Why
			}
			for _, a := range s.reactions() {
				if a.On.ID == "2" {
					reaction = a.Reaction
				}
			}
			if tt.want == "" {
				if said != "" || reaction == forges.Refused {
					t.Errorf("%q was refused: %q, %q", tt.typed, said, reaction)
				}
				return
			}
			if !strings.Contains(said, tt.want) || reaction != forges.Refused {
				t.Errorf("%q: said %q and reacted %q, want %q and a refusal", tt.typed, said, reaction, tt.want)
			}
		})
	}
}

// A command that counts for nothing because of who gave it is refused like a wrong
// one, and the comment says who could.
func TestACommandByWhoeverMayNotIsRefused(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]string{"refused": "2", "another comment is": "7"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := failing()
			sam := fact.Person{ID: "5", Login: "sam"}
			s.Facts.Comments = []fact.Comment{{ID: "2", Author: sam, Body: "/primum hold", First: "/primum hold", FirstKnown: true}}
			s.Evidence = evidence.Read(s.Facts)
			s.Verdict.Refusals = []rules.Refusal{{Comment: who, By: "sam", Why: "a hold counts from holders of a role in the policy only; ask chen"}}
			acts, said := s.reactions(), wrong(s.Verdict, s.Evidence)
			if len(acts) != 1 {
				t.Fatalf("%d reactions", len(acts))
			}
			if who != "2" {
				if acts[0].Reaction != forges.Done || len(said) != 0 {
					t.Errorf("reaction %s, said %+v", acts[0].Reaction, said)
				}
				return
			}
			if acts[0].Reaction != forges.Refused || len(said) != 1 || said[0].Why != s.Verdict.Refusals[0].Why || said[0].By != "sam" {
				t.Errorf("reaction %s, said %+v", acts[0].Reaction, said)
			}
		})
	}
}

func TestTheClassIsAnsweredInMarkdown(t *testing.T) {
	t.Parallel()
	v := &rules.Verdict{}
	v.Class.Reason = "`src/a.c` belongs to `pump`"
	v.Class.Groups = []class.Group{{Item: "pump", Class: "C", Paths: 1, Why: "declared for `pump`"}}
	got := classText(v)
	for _, want := range []string{report.Code("src/a.c"), "class C, 1 path, declared for " + report.Code("pump")} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}
