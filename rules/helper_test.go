package rules_test

import (
	"slices"
	"strings"
	"testing"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/fact"
	"primum/rules/facttest"
	"primum/rules/policy"
)

// judge evaluates a change of the story at its time.
func judge(c *fact.Change, p *policy.Policy) rules.Verdict {
	return rules.Evaluate(rules.Input{Change: c, Policy: p, Now: facttest.Now(), Engine: "test"})
}

func resultOf(t *testing.T, v rules.Verdict, id string) rules.Result {
	t.Helper()
	for _, r := range v.Results {
		if r.Rule == id {
			return r
		}
	}
	t.Fatalf("there is no result of %s in %s", id, v.Reason)
	return rules.Result{}
}

// spoilt is one case of a rule's table: the compliant change of a class with one
// thing different.
type spoilt struct {
	name   string
	level  class.Level // "" is C
	policy string      // "" is the pump's
	spoil  func(*fact.Change)
	want   rules.Outcome
	says   string // part of the first finding, or of the summary if there is none
	who    string // comma-separated, of the first finding
	// also lists rules that cannot be satisfied either when this is spoilt, or
	// that wait for this one.
	also []string
}

// run judges every case and expects the outcome from the rule, one finding where
// it fails, and nothing from any other rule.
func run(t *testing.T, id string, cases []spoilt) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			level := tc.level
			if level == "" {
				level = "C"
			}
			c, p := facttest.Compliant(level)
			if tc.policy != "" {
				p = facttest.Policy(tc.policy)
			}
			if tc.spoil != nil {
				tc.spoil(c)
			}
			v := judge(c, p)
			expect(t, v, id, tc)
		})
	}
}

func expect(t *testing.T, v rules.Verdict, id string, tc spoilt) {
	t.Helper()
	r := resultOf(t, v, id)
	if r.Outcome != tc.want {
		t.Errorf("%s answers %s (%s), want %s", id, r.Outcome, r.Summary, tc.want)
	}
	said := r.Summary
	if len(r.Findings) > 0 && tc.want != rules.Waived {
		said = r.Findings[0].Message
	}
	if !strings.Contains(said, tc.says) {
		t.Errorf("%s says %q, want something with %q", id, said, tc.says)
	}
	if tc.want == rules.Fail && len(r.Findings) != 1 {
		t.Errorf("%s has %d findings, want one: %+v", id, len(r.Findings), r.Findings)
	}
	if tc.who != "" && (len(r.Findings) == 0 || strings.Join(r.Findings[0].Who, ",") != tc.who) {
		t.Errorf("%s asks %v, want %s", id, r.Findings, tc.who)
	}
	wellFormed(t, v)
	for _, other := range v.Results {
		if other.Rule == id || slices.Contains(tc.also, other.Rule) {
			continue
		}
		switch other.Outcome {
		case rules.Fail, rules.Unknown:
			t.Errorf("%s is affected too: %s (%s)", other.Rule, other.Outcome, other.Summary)
		case rules.Pending:
			if len(other.Findings) > 0 {
				t.Errorf("%s is affected too: %+v", other.Rule, other.Findings)
			}
		case rules.Pass, rules.NA, rules.Waived:
		}
	}
}

// wellFormed holds every result to what readers rely on.
func wellFormed(t *testing.T, v rules.Verdict) {
	t.Helper()
	if v.Reason == "" {
		t.Error("the verdict has no reason")
	}
	for _, r := range v.Results {
		if r.Summary == "" {
			t.Errorf("%s has no summary", r.Rule)
		}
		for _, f := range r.Findings {
			if f.Message == "" || f.Outcome == rules.Pass || f.Outcome == rules.NA || f.Outcome == rules.Waived {
				t.Errorf("%s has an empty finding or one of a wrong outcome: %+v", r.Rule, f)
			}
			if f.Outcome == rules.Fail && (len(f.Who) == 0 || f.Fix == "") {
				t.Errorf("%s says neither who nor how: %+v", r.Rule, f)
			}
			if strings.HasSuffix(f.Message, ".") || strings.HasSuffix(f.Fix, ".") || strings.Contains(f.Message+f.Fix, "!") {
				t.Errorf("%s: a full stop or an exclamation mark in %+v", r.Rule, f)
			}
		}
	}
}

// without is the pump's policy with one line taken out.
func without(line string) string {
	s := strings.Replace(facttest.PolicyText, line, "", 1)
	if s == facttest.PolicyText {
		panic("the policy has no line " + line)
	}
	return s
}

// with is the pump's policy with lines added.
func with(lines string) string { return facttest.PolicyText + lines }

// replaced is the pump's policy with one text in place of another.
func replaced(old, now string) string {
	s := strings.Replace(facttest.PolicyText, old, now, 1)
	if s == facttest.PolicyText {
		panic("the policy does not say " + old)
	}
	return s
}
