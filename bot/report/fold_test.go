package report

import (
	"strings"
	"testing"

	"primum/rules"
	"primum/rules/policy"
)

func TestChecksOfOneRuleWaitInOneLine(t *testing.T) {
	t.Parallel()
	pending := func(name, said string) rules.Finding {
		return rules.Finding{Outcome: rules.Pending, Message: "`" + name + "` " + said, Fix: "Wait for it", Who: []string{"CI"}}
	}
	v := &rules.Verdict{State: rules.Pending, Mode: policy.Enforce, Results: []rules.Result{{
		Rule: "verify-checks-green", Outcome: rules.Pending, Enforcement: policy.Block, Clauses: []string{"1.1", "1.2", "1.3", "1.4"},
		Findings: []rules.Finding{
			pending("build", "has not reported on 1dc0cbfc yet"), pending("lint", "is running"), pending("test", "has not reported on 1dc0cbfc yet"),
		},
	}}}
	got := Comment(v, Options{})
	for want, times := range map[string]int{
		"- `build` and `test` have not reported on 1dc0cbfc yet.": 1, "- `lint` is running.": 1, "1.1, 1.2, 1.3 …": 2, "1.4": 0,
	} {
		if n := strings.Count(got, want); n != times {
			t.Errorf("%q stands there %d times, want %d, in:\n%s", want, n, times, got)
		}
	}
}

func TestAFallIsSaidOnce(t *testing.T) {
	t.Parallel()
	falls := []rules.ClassFall{{Item: "pump", From: "C", To: "A"}}
	for words, want := range map[string]bool{
		"the item pump counts as A instead of C":                              true,
		"the item pump is declared A instead of C":                            true,
		"files like `src/**` count as core (A) instead of pump (C)":           true,
		"files like `src/**` count as no device software instead of pump (C)": false,
		"the item valve counts as A instead of C":                             false,
		"review-quorum at class C asks for 1 approval instead of 2":           false,
	} {
		if got := saidAsFall(falls, rules.PolicyChange{Words: words, Weaker: true}); got != want {
			t.Errorf("%q: %v, want %v", words, got, want)
		}
	}
}

func TestATitleDropsACauseThatDoesNotFit(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"The reviews could not be read: not known without a forge":                                    "The reviews could not be read: not known without a forge",
		"The commits could not be read: whose accounts the commits name is not known without a forge": "The commits could not be read",
	} {
		v := &rules.Verdict{State: rules.Unknown, Results: []rules.Result{{
			Rule: "review-quorum", Outcome: rules.Unknown, Enforcement: policy.Block, Summary: message,
		}}}
		if got := Title(v); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
