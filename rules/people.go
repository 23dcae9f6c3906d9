package rules

import (
	"primum/rules/fact"
	"primum/rules/policy"
)

// People is who may do what on this change: roles as resolved by the forge,
// the set of authors, and every approval with what became of it.
type People struct {
	Authors   []Author
	Approvals []Approval
	roles     map[string][]policy.Role // account id to roles
	byRole    map[policy.Role][]fact.Person
	problems  map[policy.Role][]string
}
