package forges

import (
	"context"

	"primum/rules/fact"
)

// StandingReader is a forge that says with one cheap call which check of a name
// it goes by on a commit. It is asked often, where anybody can set Primum's
// check and no delivery tells of it.
type StandingReader interface {
	// Standing is the check of this name that counts on the commit, whoever set
	// it: the newest, however many others there are. ErrNotFound if there is none.
	Standing(ctx context.Context, r RepoRef, sha, name string) (fact.Check, error)
}
