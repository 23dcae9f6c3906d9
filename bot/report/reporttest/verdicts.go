// Package reporttest holds verdicts to render in tests: one for each state that
// a reader can meet, and one in which everything others wrote is hostile.
package reporttest

import (
	"time"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/fact"
	"primum/rules/policy"
)

// Case is a verdict with the name of the state it shows.
type Case struct {
	Name    string
	Verdict *rules.Verdict
}

// before is a time this long before every verdict here was given.
func before(d time.Duration) time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC).Add(-d) }

// Cases lists every state, each a value of its own that may be changed.
func Cases() []Case {
	return []Case{
		{"ready", Ready()},
		{"actions", Actions()},
		{"waiting", Waiting()},
		{"unknown", Unknown()},
		{"policy-error", PolicyError()},
		{"not-governed", NotGoverned()},
		{"only-docs", OnlyDocs()},
		{"stale", Stale()},
		{"waiver-requested", WaiverRequested()},
		{"waived", WaivedOne()},
		{"policy-preview", PolicyPreview()},
		{"advise", Advised()},
		{"mixed", Mixed()},
		{"first-policy", FirstPolicy()},
	}
}

// person is an account of the examples.
func person(id, login, name string) fact.Person { return fact.Person{ID: id, Login: login, Name: name} }

func chen() fact.Person  { return person("2", "chen", "Chen Wei") }
func jonas() fact.Person { return person("3", "jonas", "Jonas Berg") }
func priya() fact.Person { return person("4", "priya", "Priya Nair") }

const (
	repo = "https://forge.example/acme/infusion-pump"
	head = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
	old  = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c"
)

// Ready is a class B change with nothing left to do.
func Ready() *rules.Verdict {
	return &rules.Verdict{
		Schema: rules.VerdictSchema,
		Subject: rules.Subject{
			Forge: "github", Repo: "acme/infusion-pump", RepoID: "77", Change: 12, URL: repo + "/pull/12",
			Title: "Retry the pump link after a dropped frame", Author: jonas(), Head: head, Base: "main", BaseAt: old, Product: "infusion-pump",
		},
		State: rules.Pass, Mode: policy.Enforce, Reason: "Every rule that applies is satisfied.",
		Class: class.Derivation{
			Scheme: "iec62304-1.1", Class: "B",
			Deciding: []class.PathClass{{Path: "fw/comms/link.c", Item: "comms", Class: "B"}},
			Groups:   []class.Group{{Item: "comms", Class: "B", Paths: 2, Why: "inherits B from infusion-pump"}},
			Outside:  1,
			Reason:   "Class B: `fw/comms/link.c` belongs to comms (B)",
		},
		Tree: tree(),
		Results: []rules.Result{
			{
				Rule: "link-change-request", Title: "The change names its change request", Clauses: []string{"8.2.1", "8.2.4"},
				Outcome: rules.Pass, Enforcement: policy.Block, Origin: "shipped default", Summary: "It names change request #7.",
				Evidence: []rules.Evidence{{Kind: "issue", Ref: "#7", Text: "Link drops frames", URL: repo + "/issues/7", By: "mara", At: before(72 * time.Hour)}},
			},
			{
				Rule: "review-quorum", Title: "Enough people with the right roles approved", Clauses: []string{"8.2.3", "5.5.3"},
				Outcome: rules.Pass, Enforcement: policy.Block, Origin: ".primum.yml:31:5", Summary: "1 of 1 approvals, from the developer role.",
				Params:   map[string]any{"approvals": 1, "roles": []policy.Role{policy.Developer}},
				Evidence: []rules.Evidence{{Kind: "review", Ref: "1a2b3c4", URL: repo + "/pull/12#r1", By: "priya", At: before(time.Hour)}},
			},
			{
				Rule: "verify-checks-green", Title: "Required checks are green", Clauses: []string{"5.6.3", "5.7.3"},
				Outcome: rules.Pass, Enforcement: policy.Block, Origin: ".primum.yml:36:1", Summary: "`build` and `test` are green on the head.",
				Evidence: []rules.Evidence{
					{Kind: "check", Ref: "build", Text: "success", URL: repo + "/checks/1"},
					{Kind: "check", Ref: "test", Text: "success", URL: repo + "/checks/2"},
				},
			},
			{
				Rule: "risk-assessment-present", Title: "The four risk questions are answered", Clauses: []string{"7.4.1", "7.4.2"},
				Outcome: rules.Pass, Enforcement: policy.Block, Origin: "shipped default", Summary: "All four are answered on #7.",
				Evidence: []rules.Evidence{{Kind: "issue", Ref: "#7", Text: "Risk 1 to 4", URL: repo + "/issues/7", By: "mara", At: before(48 * time.Hour)}},
			},
			{
				Rule: "verify-fix-has-test", Title: "A fix brings its test", Clauses: []string{"9.7"},
				Outcome: rules.NA, Enforcement: policy.Block, Origin: "shipped default", Summary: "The change request is not corrective.",
			},
		},
		Authors: []rules.Author{{Person: jonas(), Why: []string{"opened the change", "author of 1a2b3c4"}}},
		Approvals: []rules.Approval{{
			Reviewer: priya(), Roles: []policy.Role{policy.Developer}, Commit: head, At: before(time.Hour),
			URL: repo + "/pull/12#r1", Counts: true, Why: "on the head",
		}},
		Policy:      policy.Source{Path: policy.Path, Commit: old, OID: "5d3c", Digest: "0123456789abcdef"},
		FactsDigest: "89abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567",
		ReadAt:      before(0), JudgedAt: before(0), Engine: "test",
	}
}

func tree() class.Tree {
	item := func(id string, own, effective class.Level, origin class.Origin, from string, paths ...string) class.Result {
		return class.Result{Item: class.Item{ID: id, Own: own, Paths: paths}, Raised: effective, Effective: effective, Origin: origin, From: from}
	}
	return class.Tree{
		Systems: []class.SystemClass{{ID: "infusion-pump", Own: "B", Effective: "C", RaisedBy: "dosing"}},
		Items: map[string]class.Result{
			"dosing": item("dosing", "C", "C", class.FromOwn, "", "fw/dosing/**"),
			"comms":  item("comms", "", "B", class.FromParent, "infusion-pump", "fw/comms/**"),
			"ui":     item("ui", "A", "A", class.FromRationale, "docs/risk/ui-segregation.md", "ui/**"),
		},
	}
}

func result(v *rules.Verdict, id string) *rules.Result {
	for i := range v.Results {
		if v.Results[i].Rule == id {
			return &v.Results[i]
		}
	}
	panic("reporttest: no result " + id)
}

func classC(v *rules.Verdict) {
	v.Class = class.Derivation{
		Scheme: "iec62304-1.1", Class: "C",
		Deciding: []class.PathClass{{Path: "fw/dosing/rate.c", Item: "dosing", Class: "C"}},
		Groups:   []class.Group{{Item: "dosing", Class: "C", Paths: 1, Why: "declared C"}},
		Reason:   "Class C: `fw/dosing/rate.c` belongs to dosing (C)",
	}
	v.Subject.Title = "Clamp the bolus rate at the drug's limit"
	v.Subject.Change = 14
	v.Subject.URL = repo + "/pull/14"
}

// Actions is a class C change that lacks a risk assessment and a second reviewer.
func Actions() *rules.Verdict {
	v := Ready()
	classC(v)
	v.State = rules.Fail
	v.Reason = "2 actions needed: the risk questions are not answered and a second reviewer is missing."
	r := result(v, "risk-assessment-present")
	r.Outcome, r.Evidence = rules.Fail, nil
	r.Summary = "Questions 1 and 3 are not answered on #7."
	r.Findings = []rules.Finding{{
		Outcome: rules.Fail, Message: "Risk questions 1 and 3 are not answered on #7",
		Fix: "Answer them there, or in a comment here", Who: []string{"mara", "risk"},
		Command: "/primum risk\n1: no, because …\n3: no, because …", URL: repo + "/issues/7",
	}}
	q := result(v, "review-quorum")
	q.Outcome = rules.Fail
	q.Params = map[string]any{"approvals": 2, "roles": []policy.Role{policy.Developer, policy.Verification}}
	q.Summary = "1 of 2 approvals; the verification role is missing."
	q.Findings = []rules.Finding{{
		Outcome: rules.Fail, Message: "1 of 2 approvals: nobody with the verification role has approved",
		Fix: "Ask one of them to approve this head", Who: []string{"chen", "jonas"},
	}}
	return v
}

// Waiting has nothing to do but wait for a check.
func Waiting() *rules.Verdict {
	v := Ready()
	classC(v)
	v.State = rules.Pending
	v.Reason = "Waiting for the check `verify-hil`."
	r := result(v, "verify-checks-green")
	r.Outcome = rules.Pending
	r.Summary = "`verify-hil` has not finished on the head."
	r.Findings = []rules.Finding{{Outcome: rules.Pending, Message: "`verify-hil` has not finished on this head", URL: repo + "/checks/3"}}
	return v
}

// Unknown could not read the reviews.
func Unknown() *rules.Verdict {
	v := Ready()
	v.State = rules.Unknown
	v.Reason = "Could not read reviews: GitHub refused."
	r := result(v, "review-quorum")
	r.Outcome, r.Evidence = rules.Unknown, nil
	r.Summary = "Could not read reviews: GitHub refused."
	r.Findings = []rules.Finding{{
		Outcome: rules.Unknown, Message: "Could not read reviews: GitHub refused",
		Fix: "Grant the app read access to pull requests", Who: []string{"an owner of acme"},
	}}
	v.Approvals = nil
	return v
}

// PolicyError has a policy that cannot be read.
func PolicyError() *rules.Verdict {
	v := Ready()
	v.State = rules.Fail
	v.Reason = "The policy has 2 errors."
	v.Results, v.Approvals, v.Authors = nil, nil, nil
	v.Class, v.Tree, v.Mode = class.Derivation{}, class.Tree{}, ""
	v.PolicyErrors = policy.Errors{
		{File: policy.Path, Line: 42, Column: 9, What: "unknown key \"approvls\"", Fix: "did you mean \"approvals\"?", ID: "unknown-key"},
		{File: policy.Path, Line: 44, Column: 3, What: "class \"D\" is not in the ladder iec62304-1.1", Fix: "one of A, B, C", ID: "unknown-class"},
	}
	return v
}

// NotGoverned targets a branch without a policy.
func NotGoverned() *rules.Verdict {
	v := Ready()
	v.State, v.Reason = rules.NA, "Not governed: no policy on `experiments`."
	v.Subject.Base, v.Subject.Product = "experiments", ""
	v.Results, v.Approvals, v.Authors = nil, nil, nil
	v.Class, v.Tree, v.Policy, v.Mode = class.Derivation{}, class.Tree{}, policy.Source{}, ""
	return v
}

// OnlyDocs touches nothing that is device software.
func OnlyDocs() *rules.Verdict {
	v := Ready()
	v.State, v.Reason = rules.NA, "Every touched path is outside device software."
	v.Class = class.Derivation{Scheme: "iec62304-1.1", Outside: 2, OnlyOutside: true, Reason: "No touched path is device software"}
	v.Results = []rules.Result{{
		Rule: "config-protected-files", Title: "Protected files need their role", Clauses: []string{"5.1.9"},
		Outcome: rules.Pass, Enforcement: policy.Block, Origin: "shipped default", Summary: "No protected file is touched.",
	}}
	v.Approvals = nil
	return v
}

// Stale has an approval that the last push took away.
func Stale() *rules.Verdict {
	v := Actions()
	*result(v, "risk-assessment-present") = *result(Ready(), "risk-assessment-present")
	v.Reason = "An approval was given on an earlier commit."
	q := result(v, "review-quorum")
	q.Evidence = nil
	q.Summary = "0 of 2 approvals count."
	q.Findings[0].Message = "0 of 2 approvals count on this head"
	v.Approvals = []rules.Approval{
		{Reviewer: priya(), Roles: []policy.Role{policy.Developer}, Commit: old, At: before(26 * time.Hour), URL: repo + "/pull/14#r1", Why: "dropped: the head moved"},
		{Reviewer: jonas(), Roles: []policy.Role{policy.Developer}, Commit: head, At: before(time.Hour), Why: "author of 1a2b3c4"},
	}
	return v
}

// WaiverRequested waits for the quality role to decide on a waiver.
func WaiverRequested() *rules.Verdict {
	v := Actions()
	*result(v, "risk-assessment-present") = *result(Ready(), "risk-assessment-present")
	*result(v, "review-quorum") = *result(Ready(), "review-quorum")
	v.State, v.Reason = rules.Fail, "The fix brings no test."
	f := result(v, "verify-fix-has-test")
	f.Outcome = rules.Fail
	f.Summary = "No test was added or changed."
	f.Findings = []rules.Finding{{Outcome: rules.Fail, Message: "This fix of #9 brings no test", Fix: "Add one that names it (`Verifies: #9`)", Who: []string{"jonas"}}}
	v.Waivers = []rules.Waiver{{
		ID: "W1", Rule: "verify-fix-has-test", Until: time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC),
		Because: "the rig is being repaired until the 20th", Requester: jonas(), Requested: before(2 * time.Hour),
		State: rules.WaiverRequested, URL: repo + "/pull/14#c4",
	}}
	return v
}

// WaivedOne passes because a waiver covers a rule.
func WaivedOne() *rules.Verdict {
	v := WaiverRequested()
	v.State, v.Reason = rules.Pass, "Every rule that applies is satisfied or waived."
	w := &v.Waivers[0]
	w.State, w.Approver, w.Approved = rules.WaiverActive, chen(), before(time.Hour)
	f := result(v, "verify-fix-has-test")
	covers := 0
	f.Outcome, f.Waiver, f.Summary = rules.Waived, &covers, "Waived until 2026-03-31 (W1)."
	return v
}

// PolicyPreview edits the policy so that less is asked.
func PolicyPreview() *rules.Verdict {
	v := Ready()
	v.State, v.Reason = rules.Fail, "The policy is changed and the quality role has not approved."
	v.Subject.Title = "Ask for fewer reviewers"
	v.Results = append(v.Results, rules.Result{
		Rule: "config-protected-files", Title: "Protected files need their role", Clauses: []string{"5.1.9", "8.1.1"},
		Outcome: rules.Fail, Enforcement: policy.Block, Origin: "shipped default", Summary: "`.primum.yml` is protected.",
		Findings: []rules.Finding{{Outcome: rules.Fail, Message: "`.primum.yml` is the policy, and nobody with the quality role has approved", Fix: "Ask one of them to approve", Who: []string{"chen"}, Path: policy.Path, Line: 31}},
	})
	v.Preview = &rules.Preview{
		Changes: []rules.PolicyChange{{Words: "review-quorum at class C asks 1 approval instead of 2", Weaker: true}, {Words: "checks at class B also ask `lint`"}},
		Falls:   []rules.ClassFall{{Item: "comms", From: "B", To: "A"}},
		State:   rules.Fail,
		Flips:   []rules.Flip{{Change: 14, Title: "Clamp the bolus rate at the drug's limit", From: rules.Fail, To: rules.Pass}},
	}
	return v
}

// Advised is Actions under a policy that only advises.
func Advised() *rules.Verdict {
	v := Actions()
	v.Mode = policy.Advise
	return v
}

// Mixed touches items of several classes and warns of one thing.
func Mixed() *rules.Verdict {
	v := Actions()
	v.Class.Mixed = true
	v.Class.Groups = append(v.Class.Groups,
		class.Group{Item: "ui", Class: "A", Paths: 3, Why: "held at A by docs/risk/ui-segregation.md"},
		class.Group{Class: "C", Paths: 1, Why: "unmapped: the highest class counts"})
	v.Class.Unmapped = []string{"tools/flash.py"}
	v.Results = append(v.Results, rules.Result{
		Rule: "class-declared", Title: "Every path belongs to an item", Clauses: []string{"4.3.f", "4.3.g"},
		Outcome: rules.Fail, Enforcement: policy.Warn, Origin: "shipped default", Summary: "1 path belongs to no item.",
		Findings: []rules.Finding{{Outcome: rules.Fail, Message: "`tools/flash.py` belongs to no item and counts as class C", Fix: "Give it to an item in a change of its own", Who: []string{"jonas"}, Path: "tools/flash.py"}},
	})
	return v
}

// FirstPolicy brings the first policy of its branch.
func FirstPolicy() *rules.Verdict {
	v := NotGoverned()
	v.Reason = "Not governed: no policy on `main` yet."
	v.Subject.Base = "main"
	v.Preview = &rules.Preview{State: rules.Fail, Changes: []rules.PolicyChange{{Words: "the branch becomes governed, product infusion-pump, class C"}}}
	return v
}
