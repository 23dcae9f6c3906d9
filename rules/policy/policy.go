// Package policy reads a project's policy file, .primum.yml.
//
// What was written and what is valid are two types: written mirrors the YAML
// with positions, Policy is what the rules work with, every default filled in.
// One table of keys (keys.go) is read by the parser, the JSON schema and explain.
// Parse reports all errors at once, each with file, line, column, what is wrong
// and what would be right. The package knows rules only as the Specs it is given,
// so that the registry, the parser and the JSON schema read one declaration.
package policy

import (
	"time"

	"primum/rules/class"
)

// Path is where the policy file lives in a repository.
const Path = ".primum.yml"

// Mode says what a verdict does to the change.
type Mode string

// Modes, from the softest.
const (
	Observe Mode = "observe" // judge and record; write nothing to the forge
	Advise  Mode = "advise"  // a check that never blocks
	Enforce Mode = "enforce" // the default
)

// Enforcement says what a failing rule does, per class.
type Enforcement string

// Enforcements.
const (
	Off   Enforcement = "off"
	Warn  Enforcement = "warn"
	Block Enforcement = "block"
)

// Role names the people of the policy: developer, verification, risk, quality,
// regulatory, and any further role the policy declares.
type Role string

// Roles every policy may use without declaring them first.
const (
	Developer    Role = "developer"
	Verification Role = "verification"
	Risk         Role = "risk"
	Quality      Role = "quality"
	Regulatory   Role = "regulatory"
)

// Policy is a valid policy with every default filled in. It is immutable after
// Parse.
type Policy struct {
	Source  Source       `json:"source"`
	Version int          `json:"version"`
	Mode    Mode         `json:"mode"`
	Ladder  class.Ladder `json:"-"`

	Product  string         `json:"product"`
	Systems  []class.System `json:"systems"` // at least one; first is Product
	Items    []class.Item   `json:"items,omitempty"`
	Outside  []string       `json:"outside,omitempty"`  // not-device-software: globs
	Standing []string       `json:"standing,omitempty"` // no-runtime-effect: globs with a standing risk answer
	// TargetBranches are globs of branches the policy governs; default: all.
	TargetBranches []string `json:"target_branches,omitempty"`

	// People maps a role to principals as written: "team:firmware" (a team of
	// the repository's owner), "team:acme/firmware", "user:mara", "id:583231".
	People map[Role][]string `json:"people,omitempty"`

	Anomaly       IssueKind `json:"anomaly"`
	ChangeRequest IssueKind `json:"change_request"`

	// Rules holds, for each rule of the Specs and each level of the ladder, the
	// setting in force.
	Rules map[string]map[class.Level]Setting `json:"rules"`
	// Checks are the checks required per level.
	Checks map[class.Level][]CheckRef `json:"checks,omitempty"`
	// Protected are files that need the approval of a role, first match wins.
	// The shipped defaults come last.
	Protected []Protected `json:"protected"`
	// Verification says which files are tests, workflows and settings.
	Verification VerificationPaths `json:"verification"`

	// Sections that rules to come will read; parsed and validated now so that
	// files can hold them.
	Requirements *Requirements `json:"requirements,omitempty"`
	RiskFile     *RiskFile     `json:"risk,omitempty"`
	SOUP         *SOUP         `json:"soup,omitempty"`
	Levels       *Levels       `json:"levels,omitempty"`

	Extends *Extends `json:"extends,omitempty"`

	// Warnings do not keep the policy from being used: a planned rule, a role
	// that nobody holds.
	Warnings Errors `json:"warnings,omitempty"`
	// Origins says where each key was written, by its dotted path; what is not
	// listed is the shipped default. Explain reads it.
	Origins map[string]string `json:"-"`
	// Specs are the rules the policy was parsed with.
	Specs []Spec `json:"-"`
	// Derived is what Once keeps; nil keeps nothing.
	Derived *Derived `json:"-"`
}

// Source says where a policy came from.
type Source struct {
	Path   string `json:"path"`
	Commit string `json:"commit,omitempty"`
	OID    string `json:"oid,omitempty"`
	Digest string `json:"digest"` // SHA-256 of the bytes (of base and file, if it extends one)
}

// Setting is what one rule does at one class. Params holds a value for every
// parameter of the rule's Spec, of the Go type its Kind says.
type Setting struct {
	Enforcement Enforcement    `json:"enforcement"`
	Params      map[string]any `json:"params,omitempty"`
	Origin      string         `json:"origin"` // "shipped default", ".primum.yml:14:5", "acme/primum-policy@v3:.primum.yml:9:3"
	// Weakened is true when the setting asks less than the shipped default.
	Weakened bool `json:"weakened,omitempty"`
}

// Int is the value of an integer parameter; 0 if there is none of that name.
func (s Setting) Int(name string) int { v, _ := s.Params[name].(int); return v }

// Bool is the value of a boolean parameter.
func (s Setting) Bool(name string) bool { v, _ := s.Params[name].(bool); return v }

// Text is the value of a string or enum parameter.
func (s Setting) Text(name string) string { v, _ := s.Params[name].(string); return v }

// List is the value of a list parameter.
func (s Setting) List(name string) []string { v, _ := s.Params[name].([]string); return v }

// Roles is the value of a role list parameter.
func (s Setting) Roles(name string) []Role { v, _ := s.Params[name].([]Role); return v }

// Days is an integer parameter read as days.
func (s Setting) Days(name string) time.Duration {
	return time.Duration(s.Int(name)) * 24 * time.Hour
}

// IssueKind says how an issue of a kind is recognised: any of its labels, its
// issue type, or the hidden marker line of its form
// (<!-- primum:form:anomaly -->).
type IssueKind struct {
	Labels []string `json:"labels,omitempty"`
	Types  []string `json:"types,omitempty"`
	Form   string   `json:"form,omitempty"`
}

// CheckRef is a required check. Source pins who must report it (app slug or
// login); empty means anyone but the change's authors.
type CheckRef struct {
	Name   string `json:"name"`
	Source string `json:"source,omitempty"`
}

// Protected ties files to the role that must approve a change of them.
type Protected struct {
	Paths  []string `json:"paths"`
	Role   Role     `json:"role"`
	What   string   `json:"what,omitempty"` // "the policy", "a workflow": for people
	Origin string   `json:"origin,omitempty"`
}

// VerificationPaths are globs.
type VerificationPaths struct {
	Tests     []string `json:"tests"`
	Workflows []string `json:"workflows"`
	Settings  []string `json:"settings"` // lint and coverage configuration
}

// Requirements, RiskFile, SOUP and Levels are read by rules to come.
type (
	// Requirements says what a requirement id looks like and where they are.
	Requirements struct {
		Pattern string   `json:"pattern"`
		Files   []string `json:"files"`
	}
	// RiskFile is where the risk management file lives.
	RiskFile struct {
		File   string `json:"file"`
		Matrix string `json:"matrix,omitempty"`
	}
	// SOUP is where the register lives.
	SOUP struct {
		Register  string   `json:"register"`
		Manifests []string `json:"manifests,omitempty"` // empty: found automatically
	}
	// Levels are the levels that are not the safety class; never derived from it.
	Levels struct {
		FDADocumentation string `json:"fda_documentation,omitempty"` // basic, enhanced
		LevelOfConcern   string `json:"level_of_concern,omitempty"`  // minor, moderate, major
		Answers          string `json:"answers,omitempty"`
	}
	// Extends names an organisation's base policy: repository and ref.
	Extends struct {
		Repo string `json:"repo"` // "owner/name"
		Ref  string `json:"ref"`  // tag or commit
	}
)

// Spec is what the parser, the schema and the reference pages know of a rule.
type Spec struct {
	ID       string
	Title    string
	Defaults map[class.Level]Enforcement // by column A, B, C
	Params   []Param
}

// ParamKind is the type of a parameter.
type ParamKind string

// Parameter kinds and the Go type of their value.
const (
	KindInt   ParamKind = "int"   // int, not negative
	KindBool  ParamKind = "bool"  // bool
	KindText  ParamKind = "text"  // string; one of Enum if that is set
	KindList  ParamKind = "list"  // []string
	KindRoles ParamKind = "roles" // []Role
)

// Param is one parameter of a rule.
type Param struct {
	Name    string
	Kind    ParamKind
	Doc     string
	Unit    string              // "days", "approvals"
	Enum    []string            // of KindText and KindList
	Min     int                 // of KindInt
	Max     int                 // of KindInt, 0 for no bound
	Default map[class.Level]any // by column A, B, C
	// Stricter says how a value compares with another: +1 if more is stricter,
	// -1 if less is, 0 if the two cannot be compared (any change counts as weaker).
	Stricter int
}

// Error is one thing wrong with a policy file.
type Error struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // 1-based; 0 if the whole file is meant
	Column int    `json:"column"` // 1-based
	What   string `json:"what"`   // `unknown key "aprovals"`
	Fix    string `json:"fix,omitempty"`
	ID     string `json:"id"` // stable kebab-case word, e.g. "unknown-key"
}

// Errors is every error of a file, in the order of the file.
type Errors []Error
