package publish

import (
	"primum/forges"
)

// Kind is what an act writes.
type Kind string

// Kinds of acts.
const (
	CheckAct    Kind = "check"
	CommentAct  Kind = "comment"
	ReactionAct Kind = "reaction"
)

// Act is one thing to write, as data.
type Act struct {
	Kind Kind
	Key  string // makes it happen once
	Why  string // for people, in the ledger

	// Of a check.
	SHA    string
	Report forges.Report
	Posted forges.Posted // what stands there now
	Digest string        // of the report, or of the comment

	// Of a comment: ID is "" to create it.
	ID   string
	Body string

	// Of a reaction.
	On       forges.CommentRef
	Reaction forges.Reaction
}
