package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/fact"
	ft "primum/rules/facttest"
	"primum/rules/policy"
)

func TestUngovernedChanges(t *testing.T) {
	t.Parallel()
	p := ft.Policy(ft.PolicyText)
	_, broken := policy.Parse(policy.Path, []byte("version: 1\nproduct: x\nclass: C\nqorum: 2\n"), rules.Specs())
	tests := []struct {
		name  string
		in    rules.Input
		edit  func(*fact.Change)
		state rules.Outcome
		says  string
	}{
		{"no policy", rules.Input{}, func(c *fact.Change) { c.Policy.Missing, c.Policy.Text = true, "" }, rules.NA, "Not governed: main has no .primum.yml"},
		{"a broken policy", rules.Input{PolicyErrors: broken}, nil, rules.Fail, "The policy on main is broken: .primum.yml:4:1: "},
		{
			"a policy that could not be read",
			rules.Input{},
			func(c *fact.Change) { c.MarkUnknown(fact.NeedPolicy, "the forge answered 502") },
			rules.Unknown, "The policy on main could not be read: the forge answered 502",
		},
		{
			"a policy that could not be read, with an old one at hand",
			rules.Input{Policy: p},
			func(c *fact.Change) { c.MarkUnknown(fact.NeedPolicy, "502") },
			rules.Unknown, "could not be read",
		},
		{"a policy too large", rules.Input{}, func(c *fact.Change) { c.Policy = fact.Blob{Problem: "larger than 1 MiB"} }, rules.Unknown, "larger than 1 MiB"},
		{"a policy nobody parsed", rules.Input{}, nil, rules.Unknown, "was not parsed"},
		{
			"a branch that the policy does not cover",
			rules.Input{Policy: ft.Policy(ft.PolicyText + "branches: [main]\n")},
			func(c *fact.Change) { c.Base.Name = "playground" }, rules.NA, "Not governed: the policy does not cover the branch playground",
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, _ := ft.Compliant("C")
			if tc.edit != nil {
				tc.edit(c)
			}
			in := tc.in
			in.Change, in.Now = c, ft.Now()
			v := rules.Evaluate(in)
			if v.State != tc.state || !strings.Contains(v.Reason, tc.says) {
				t.Errorf("%s: %s; want %s with %q", v.State, v.Reason, tc.state, tc.says)
			}
			if len(v.Results) > 0 {
				t.Errorf("%d rules were judged without a policy", len(v.Results))
			}
		})
	}
}

func TestAChangeThatBringsTheFirstPolicyIsPreviewed(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	c.Policy = fact.Blob{Path: policy.Path, Missing: true}
	v := rules.Evaluate(rules.Input{Change: c, HeadPolicy: p, Now: ft.Now()})
	if v.State != rules.NA || v.Preview == nil || v.Preview.State != rules.Pass {
		t.Errorf("%s with preview %+v", v.State, v.Preview)
	}
	_, errs := policy.Parse(policy.Path, []byte("version: 1\n"), rules.Specs())
	v = rules.Evaluate(rules.Input{Change: c, HeadPolicyErrors: errs, Now: ft.Now()})
	if v.Preview == nil || len(v.Preview.Errors) == 0 || v.Preview.State != "" {
		t.Errorf("a broken first policy is previewed as %+v", v.Preview)
	}
}

// Whatever a rule needs and could not be had: B and C never pass on it, and A
// passes, because what could not be read does not block the lowest class.
func TestWhatCouldNotBeReadNeverPasses(t *testing.T) {
	t.Parallel()
	for _, level := range []class.Level{"A", "B", "C"} {
		for _, n := range rules.Needs(nil) {
			if n == fact.NeedPatches {
				continue // matters only where an approval is older than the head: see review-not-stale
			}
			c, p := ft.Compliant(level)
			c.MarkUnknown(n, "the forge timed out")
			v := judge(c, p)
			wellFormed(t, v)
			blocks := level != "A" || n == fact.NeedFiles || n == fact.NeedPolicy
			if want := (map[bool]rules.Outcome{true: rules.Unknown, false: rules.Pass})[blocks]; v.State != want {
				t.Errorf("class %s without %s is %s: %s", level, n, v.State, v.Reason)
			}
			if blocks && !strings.Contains(v.Reason, "the forge timed out") {
				t.Errorf("class %s without %s does not say why: %s", level, n, v.Reason)
			}
			said := 0
			for _, r := range v.Results {
				for _, f := range r.Findings {
					if strings.Contains(f.Message, "the forge timed out") {
						said++
					}
				}
			}
			if n != fact.NeedPolicy && said != 1 {
				t.Errorf("class %s without %s: said %d times", level, n, said)
			}
		}
	}
}

func TestUnknownFilesCountAsTheHighestClass(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("A")
	c.MarkUnknown(fact.NeedFiles, "3,000 files are shown of more")
	v := judge(c, p)
	if v.Class.Class != "C" || v.State != rules.Unknown || !strings.Contains(v.Class.Reason, "3,000 files") {
		t.Errorf("class %s, %s: %s", v.Class.Class, v.State, v.Class.Reason)
	}
}

func TestEmptyChanges(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	c.Files, c.Commits = nil, nil
	if v := judge(c, p); v.State != rules.Pass || v.Reason != "The change is empty" {
		t.Errorf("%s: %s", v.State, v.Reason)
	}
	c, p = ft.Compliant("A")
	c.Files, c.Reviews = nil, nil
	if v := judge(c, p); v.State != rules.Fail || v.Class.Class != "C" {
		t.Errorf("commits without files: class %s, %s: %s", v.Class.Class, v.State, v.Reason)
	}
}

func TestOnlyOutsideDeviceSoftware(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	c.Files, c.Reviews, c.Issues, c.Body, c.Checks = nil, nil, nil, "", nil
	ft.Touch(c, "docs/guide.txt", "README.md")
	v := judge(c, p)
	if v.State != rules.Pass || !v.Class.OnlyOutside || v.Reason != "Only paths outside device software are touched" {
		t.Errorf("%s: %s", v.State, v.Reason)
	}
	for _, r := range v.Results {
		if r.Outcome != rules.NA {
			t.Errorf("%s answers %s", r.Rule, r.Outcome)
		}
	}
}

func TestReasonsInOneSentence(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(*fact.Change)
		want  string
	}{
		{"ready", nil, "Class C: ready to merge"},
		{
			"two actions, in the order of the catalogue", func(c *fact.Change) { ft.Drop(c, ft.Priya()); ft.Section(c, 12, risk1, "") },
			"Class C: 2 actions needed: review, risk assessment",
		},
		{
			"what fails goes before what waits", func(c *fact.Change) {
				ft.Section(c, 12, risk1, "")
				ft.Check(c, "misra").State = fact.CheckPending
			}, "Class C: 1 action needed: risk assessment",
		},
		{"waiting", func(c *fact.Change) { ft.Check(c, "misra").State = fact.CheckPending }, "Class C: waiting for CI"},
		{
			"not readable", func(c *fact.Change) { c.MarkUnknown(fact.NeedReviews, "the forge answered 502") },
			"Class C: the reviews could not be read: the forge answered 502",
		},
		{"merged", func(c *fact.Change) { c.State, c.MergedAt = fact.Merged, ft.At(27.5) }, "Class C: nothing is missing"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, p := ft.Compliant("C")
			if tc.spoil != nil {
				tc.spoil(c)
			}
			if v := judge(c, p); v.Reason != tc.want {
				t.Errorf("got %q, want %q", v.Reason, tc.want)
			}
		})
	}
}

func TestWarningsDecideNothing(t *testing.T) {
	t.Parallel()
	text := ft.PolicyText + "rules:\n"
	for _, r := range rules.All() {
		text += "  " + r.ID + ": warn\n"
	}
	c, _ := ft.Compliant("C")
	c.Reviews, c.Issues, c.Body = nil, nil, ""
	v := judge(c, ft.Policy(text))
	if v.State != rules.Pass {
		t.Errorf("%s: %s", v.State, v.Reason)
	}
	if r := resultOf(t, v, "review-quorum"); r.Outcome != rules.Fail || r.Enforcement != policy.Warn || r.Origin == "" {
		t.Errorf("review-quorum answers %s at %s from %q", r.Outcome, r.Enforcement, r.Origin)
	}
}

func TestDraftsAreJudgedAlike(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	c.Draft = true
	if v := judge(c, p); v.State != rules.Pass || !v.Subject.Draft {
		t.Errorf("%s, draft %v", v.State, v.Subject.Draft)
	}
}

func TestTheHighestClassOfAMixedChangeCounts(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("A")
	ft.Touch(c, "fw/dosing/rate.c")
	v := judge(c, p)
	if v.Class.Class != "C" || !v.Class.Mixed || v.State != rules.Fail {
		t.Errorf("class %s, mixed %v, %s", v.Class.Class, v.Class.Mixed, v.State)
	}
}

func TestVerdictIsTheSameForTheSameInput(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	ft.Pushed(c, false)
	ft.Say(c, ft.Mara(), ft.At(24.5), ask)
	if diff := cmp.Diff(judge(c, p), judge(c, p), cmp.AllowUnexported()); diff != "" {
		t.Error(diff)
	}
	first := judge(c, p)
	again := *c
	again.ReadAt = c.ReadAt.Add(time.Minute)
	if v := judge(&again, p); v.FactsDigest != first.FactsDigest {
		t.Error("the same facts read later have another digest")
	}
}

func TestPeopleOfAChange(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	c.Opener = ft.Bot()
	k := c.Commits[0]
	k.SHA = ft.Older
	k.Author = fact.Identity{Name: "updates[bot]", Email: "bot@forge.example", Account: ft.Bot()}
	k.Committer = fact.Identity{Name: "GitHub", Email: "noreply@github.com"}
	k.CoAuthors = []fact.Identity{{Name: "Alex", Email: "alex@pump.example", Account: ft.Alex()}}
	c.Commits = append(c.Commits, k)
	ft.Approve(c, ft.Guest(), ft.At(27.1), "")
	ft.Approve(c, ft.Bot(), ft.At(27.2), "")
	ft.Approve(c, ft.Alex(), ft.At(27.3), "")
	v := judge(c, p)
	var authors []string
	for _, a := range v.Authors {
		authors = append(authors, a.Person.Login)
	}
	if want := []string{"updates[bot]", "mara", "alex"}; !slices.Equal(authors, want) {
		t.Errorf("authors %v, want %v", authors, want)
	}
	got := map[string]string{}
	for _, a := range v.Approvals {
		got[a.Reviewer.Login] = map[bool]string{true: "counts: ", false: ""}[a.Counts] + a.Why
	}
	want := map[string]string{
		"jonas": "counts: on the head", "priya": "counts: on the head", "guest": "holds no role", "updates[bot]": "a bot",
		"alex": "an author: co-author of 1a2b3c4d",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDismissalByAnotherIsShown(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	c.Reviews[1].State, c.Reviews[1].DismissedBy = fact.Dismissed, ft.Mara()
	v := judge(c, p)
	if len(v.Approvals) != 2 || v.Approvals[1].Counts || v.Approvals[1].Why != "dismissed by mara" {
		t.Errorf("approvals: %+v", v.Approvals)
	}
}

// A broken policy, and one that names nobody, let no change through, the one that
// mends them included: the cure says who can.
func TestTheCureOfADeadlockNamesTheAdministrator(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("C")
	broken := policy.Errors{{File: ".primum.yml", Line: 3, Column: 1, What: "unknown key"}}
	for name, tt := range map[string]struct {
		in   rules.Input
		want string
	}{
		"broken":       {rules.Input{}, ". Fix the line in a change of its own, whose preview shows that it parses, and an administrator merges it past this check"},
		"mended":       {rules.Input{HeadPolicy: p}, ". The policy of this change is valid: an administrator merges it past this check"},
		"still broken": {rules.Input{HeadPolicyErrors: broken}, ". Fix the line in a change of its own"},
	} {
		in := tt.in
		in.Change, in.PolicyErrors, in.Now = c, broken, ft.Now()
		v := rules.Evaluate(in)
		if v.State != rules.Fail || !strings.Contains(v.Reason, tt.want) {
			t.Errorf("%s: %s, %s", name, v.State, v.Reason)
		}
		if name == "mended" && (v.Preview == nil || v.Preview.State != rules.Pass) {
			t.Errorf("%s: preview %+v", name, v.Preview)
		}
	}
	cut := strings.Index(ft.PolicyText, "people:\n")
	bare := ft.PolicyText[:cut] + ft.PolicyText[strings.Index(ft.PolicyText, "checks:"):]
	for mode, want := range map[string]bool{"enforce": true, "advise": false} {
		f := resultOf(t, judge(c, ft.Policy(bare+"mode: "+mode+"\n")), "review-quorum").Findings
		if len(f) != 1 || strings.Contains(f[0].Fix, "an administrator merges it past this check") != want {
			t.Errorf("%s: %+v", mode, f)
		}
	}
}
