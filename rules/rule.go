// Package rules judges one change against IEC 62304: facts and a policy in, a
// verdict out.
//
// It is pure. It reads no clock, file or network and keeps no state; the time,
// the policy and the facts arrive in the Input, and what could not be read is
// itself a fact. Every rule is one value in one file, rule_<id>.go, and the
// registry is a plain list in the order of the catalogue; the reference pages,
// "primum rules explain", the JSON schema of the policy file and the clause
// coverage are printed from it.
package rules

import (
	"time"

	"primum/rules/class"
	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// Rule is one rule of the catalogue.
type Rule struct {
	ID    string // permanent kebab-case word, also the file name
	Title string // what it asks, in a few words
	Short string // what is missing when it fails, in two or three words: "risk assessment"
	Group string // "linkage", "review", "risk", "verification", "configuration", "exceptions"
	// Clauses are clause numbers of IEC 62304:2006+A1:2015; Other cites further
	// sources, e.g. "ISO 13485:2016 7.3.5".
	Clauses []string
	Other   []string
	// Defaults is the shipped enforcement per column A, B, C.
	Defaults map[class.Level]policy.Enforcement
	// Waivable lists the columns in which a waiver can cover the rule.
	Waivable []class.Level
	Since    string // version of Primum that brought it
	Params   []policy.Param
	Needs    []fact.Need
	// Partial are those of Needs whose absence Check judges itself, because it
	// often does not matter; for the others Evaluate answers Unknown unasked.
	Partial  []fact.Need
	Triggers []fact.Trigger
	// Evergreen marks a rule that is judged on changes that touch nothing
	// under control too (all paths outside device software).
	Evergreen bool
	// Why says what the rule protects; Fix how to satisfy it. Plain words,
	// the rule's reference page.
	Why string
	Fix string
	// Good and Bad are examples; tests hold them to what they claim.
	Good Example
	Bad  Example
	// Check judges. It never panics on any Change and returns at least an
	// Outcome and a Summary; Evaluate fills in the rest.
	Check func(*Case) Result
}

// Example shows a change as people see it, and the same as an edit of the
// compliant change that the tests start from.
type Example struct {
	Text string // Markdown
	Edit func(*fact.Change)
}

// Input is all that Evaluate needs.
type Input struct {
	Change *fact.Change
	// Policy is nil when the target branch has none or PolicyErrors is set.
	Policy       *policy.Policy
	PolicyErrors policy.Errors
	// HeadPolicy is the change's own version, when the change touches the file.
	HeadPolicy       *policy.Policy
	HeadPolicyErrors policy.Errors
	Now              time.Time
	Engine           string
	// FactsDigest is Change.Digest() where the caller has it already; "" has it
	// worked out.
	FactsDigest string
}

// Case is what a rule sees: the facts, the policy, and what was worked out
// from both once for all rules.
type Case struct {
	Change   *fact.Change
	Policy   *policy.Policy
	Evidence *evidence.Evidence
	Tree     class.Tree
	Class    class.Derivation
	Setting  policy.Setting // of this rule at this class
	Now      time.Time

	People    *People // roles, authors, approvals
	Waivers   []Waiver
	HeadRules *policy.Policy // the change's own version of the policy, or nil

	issues   issues   // the linked issues, sorted by kind
	paths    []string // every path the change touches
	files    touched  // the touched files under verification control or protection
	enforces map[string]policy.Enforcement
	earlier  []Result // of the rules before this one in the catalogue
}
