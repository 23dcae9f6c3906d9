package publish

import (
	"fmt"
	"testing"
	"time"

	"primum/bot/report"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// failing is a governed change whose verdict asks somebody to act.
func failing() *Subject {
	v := &rules.Verdict{
		State: rules.Fail, Mode: policy.Enforce, Reason: "Nobody approved",
		Policy:  policy.Source{Path: policy.Path, Digest: "d"},
		Subject: rules.Subject{Change: 7, Head: "aaaa1111", URL: "https://forge.example/7"},
		Results: []rules.Result{{Rule: "review-quorum", Outcome: rules.Fail, Enforcement: policy.Block, Summary: "0 of 1"}},
	}
	return &Subject{
		Claim:   &store.Claim{Token: "t", Subject: store.Subject{Key: store.Key{Forge: "f", RepoID: "r", Kind: store.KindChange, Ref: "7"}}},
		Change:  forges.ChangeRef{Number: 7},
		Facts:   &fact.Change{Number: 7, State: fact.Open, Head: fact.Ref{SHA: "aaaa1111"}},
		Verdict: v, Governed: true, Memory: &store.Memory{}, Evidence: &evidence.Evidence{},
		Standing: Standing{CommentsRead: true},
	}
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

var roomy = report.Options{Capabilities: forges.Capabilities{CommentMax: 65536, SummaryMax: 65535, Annotations: true, PinnedCheck: true}}

// standsAlready makes what the subject would write stand on the forge.
func standsAlready(s *Subject) {
	for _, a := range s.plan(roomy, nil, noon) {
		switch a.Kind {
		case CheckAct:
			s.Standing.Check = &forges.Posted{ID: "c1", SHA: a.SHA, Digest: digestOf(a.Report.External), State: a.Report.State}
		case CommentAct:
			s.Memory.Comment = store.CommentMemory{ID: "m1", Digest: a.Digest}
		case ReactionAct:
		}
	}
}

func TestPlanWritesWhatDiffersAndNothingElse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		how  func(*Subject)
		sib  *sibling
		want []Kind
	}{
		"a first verdict":    {func(*Subject) {}, nil, []Kind{CheckAct, CommentAct}},
		"all of it stands":   {standsAlready, nil, nil},
		"a closed change":    {func(s *Subject) { s.Facts.State = fact.Closed }, nil, nil},
		"observe mode":       {func(s *Subject) { s.Verdict.Mode = policy.Observe }, nil, nil},
		"not governed":       {func(s *Subject) { s.Governed, s.Verdict.State = false, rules.NA }, nil, nil},
		"a draft":            {func(s *Subject) { s.Verdict.Subject.Draft = true }, nil, []Kind{CheckAct}},
		"a deleted comment":  {func(s *Subject) { s.Memory.Comment.Deleted = true }, nil, []Kind{CheckAct}},
		"comments not read":  {func(s *Subject) { s.Standing.CommentsRead = false }, nil, []Kind{CheckAct}},
		"nothing to do":      {func(s *Subject) { s.Verdict.State, s.Verdict.Results = rules.Pass, nil }, nil, []Kind{CheckAct}},
		"someone overwrote":  {func(s *Subject) { standsAlready(s); s.Standing.Check.Digest = "other" }, nil, []Kind{CheckAct}},
		"another head's one": {func(s *Subject) { standsAlready(s); s.Standing.Check = nil }, nil, []Kind{CheckAct}},
		"a worse sibling": {
			func(s *Subject) {
				s.Verdict.State, s.Verdict.Results = rules.Pass, nil
				standsAlready(s)
			},
			&sibling{Sibling: report.Sibling{Number: 8, State: rules.Fail, Mode: "enforce", Says: "no"}, state: forges.ReportFailure},
			[]Kind{CheckAct},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := failing()
			tt.how(s)
			acts := s.plan(roomy, tt.sib, noon)
			var got []Kind
			for _, a := range acts {
				got = append(got, a.Kind)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("acts = %v, want %v", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("acts = %v, want %v", got, tt.want)
				}
			}
		})
	}
}

// A blocking sibling stands also over advice, whose own word never blocks.
func TestAnAdvisedChangeDoesNotFreeItsSibling(t *testing.T) {
	t.Parallel()
	s := failing()
	s.Verdict.Mode = policy.Advise
	if r := s.report(roomy, nil); r.State != forges.ReportNeutral {
		t.Fatalf("alone: %s, want neutral", r.State)
	}
	sib := &sibling{Sibling: report.Sibling{Number: 8, State: rules.Pending, Mode: "enforce", Says: "waiting for CI"}, state: forges.ReportPending}
	if r := s.report(roomy, sib); r.State != forges.ReportPending {
		t.Errorf("with a waiting sibling: %s, want pending", r.State)
	}
}

// One person's flood of commands does not spend the budget of all changes, and
// takes nobody else's answer.
func TestAFloodOfCommandsIsNotAnsweredForEver(t *testing.T) {
	t.Parallel()
	s := failing()
	say := func(id string, by string) {
		s.Evidence.Commands = append(s.Evidence.Commands, evidence.Command{
			Name: "frob", Wrong: "unknown command", By: fact.Person{ID: by, Login: by}, Comment: &fact.Comment{ID: id},
		})
	}
	for i := range 200 {
		say(fmt.Sprintf("m%d", i), "mallory")
	}
	say("j", "jonas")
	n, jonas := 0, false
	s.Memory.Answered = map[string]string{}
	for _, a := range s.reactions() {
		n, jonas = n+1, jonas || a.On.ID == "j"
		s.Memory.Answered[a.On.ID] = "confused"
	}
	if n != 21 || !jonas {
		t.Errorf("%d reactions, jonas answered %v; want 21 and true", n, jonas)
	}
	if again := len(s.reactions()); again != 0 {
		t.Errorf("%d further reactions with the next judgement, want none", again)
	}
}

func TestOursIsTakenOutOfTheFacts(t *testing.T) {
	t.Parallel()
	c := &fact.Change{
		Head: fact.Ref{SHA: "aaaa1111"},
		Checks: []fact.Check{
			{Name: "build"},
			{Name: "primum"},
			{Name: "primum", Ours: true, ID: "9", ExternalID: external(store.Key{Forge: "f", RepoID: "r", Ref: "7"}, "abc")},
		},
		Comments: []fact.Comment{
			{ID: "1", Body: report.Marker + " copied by a person"},
			{ID: "2", Body: "an older one of ours", Ours: true},
			{ID: "3", Body: report.Marker + "\n…", Ours: true},
		},
	}
	s := TakeOwn(c)
	if s.Check == nil || s.Check.ID != "9" || s.Check.Digest != "abc" || s.Comment == nil || s.Comment.ID != "3" {
		t.Errorf("standing = %+v", s)
	}
	if len(c.Checks) != 1 || len(c.Forged) != 1 || len(c.Comments) != 1 {
		t.Errorf("left in the facts: %d checks, %d of our name, %d comments; want one of each", len(c.Checks), len(c.Forged), len(c.Comments))
	}
}
