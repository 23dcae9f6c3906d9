package policy_test

import (
	"fmt"

	"primum/rules/policy"
)

func ExampleParse() {
	_, errs := policy.Parse(policy.Path, []byte("version: 1\nproduct: pump\nclass: C\nrules:\n  review-quorum: {C: {aprovals: 2}}\n"), specs())
	fmt.Println(errs)
	// Output:
	// .primum.yml:5:23: unknown key "aprovals"; did you mean "approvals"?
}
