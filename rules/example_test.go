package rules_test

import (
	"fmt"

	"primum/rules"
	"primum/rules/fact"
	"primum/rules/facttest"
)

// A change of class C that lacks the review of the verification role and waits
// for a check.
func ExampleEvaluate() {
	change, policy := facttest.Compliant("C")
	facttest.Drop(change, facttest.Priya())
	facttest.Check(change, "misra").State = fact.CheckPending

	verdict := rules.Evaluate(rules.Input{Change: change, Policy: policy, Now: facttest.Now()})

	fmt.Println(verdict.State, "-", verdict.Reason)
	fmt.Println(verdict.Class.Reason)
	for _, result := range verdict.Results {
		for _, finding := range result.Findings {
			fmt.Printf("%s: %s\n  %s\n", result.Rule, finding.Message, finding.Fix)
		}
	}
	// Output:
	// fail - Class C: 1 action needed: review
	// Class C: `fw/dosing/rate.c` belongs to dosing (C)
	// review-quorum: 2 approvals are needed and 1 is given; none yet from verification
	//   Ask priya or sam (verification) for a review
	// verify-checks-green: `misra` is running
	//   Wait for it
}
