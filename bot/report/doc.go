// Package report puts a verdict into words for a forge: the check with its
// one-line title, and the one comment.
//
// It is pure: the same verdict and options give the same bytes, and no time of
// judging is printed, so that a text differs only when the answer does. Words
// come before icons, tables have at most four columns, and everything somebody
// else wrote (titles, paths, logins, branch names, reasons) is escaped: it can
// mention nobody, link nowhere and break no table. A comment is built to a byte
// budget by dropping rows, never the verdict, the headings or the footer.
package report

import (
	"primum/forges"
	"primum/rules"
)

// Marker is the hidden first line by which Primum's comment is found again.
const Marker = "<!-- primum:change:v1 -->"

// Name is the one stable name of the check.
const Name = "primum"

// MaxComment is the size a comment is built to, in bytes, unless the forge
// takes less. Forges cut or refuse at 65,536 characters.
const MaxComment = 60_000

// MinComment is the smallest budget, in bytes, that a comment is built to: what
// the parts that are never dropped can need.
const MinComment = 16_000

// MaxTitle is the length of a title, in runes, that a merge box shows whole.
const MaxTitle = 60

// Options are what a text needs beyond the verdict.
type Options struct {
	// URL is the verdict's page, which the details link opens; "" if there is none.
	URL string
	// External is the caller's own key for the verdict, kept with the check.
	External string
	// Capabilities of the forge set the budgets and say whether there are buttons.
	Capabilities forges.Capabilities
	// Buttons are shown where the forge has any; see Buttons for the usual ones.
	Buttons []forges.Button
	// Sibling is another open change headed by the same commit whose verdict is
	// worse; the check of the commit then shows that one.
	Sibling *Sibling
	// Since says what changed since the verdict before, one sentence of plain
	// words; see Since. "" leaves the line out.
	Since string
	// Truce says that Primum rests before it puts its check on top of somebody
	// else's again, and why; "" where it does not.
	Truce string
	// Answers are what commands asked to be explained.
	Answers []Answer
	// Wrong are commands that could not be obeyed, oldest first.
	Wrong []Wrong
}

// Sibling is another change with the same head.
type Sibling struct {
	Number int
	Title  string // as people wrote it
	URL    string
	// State is its verdict and Mode the mode that verdict was given in; Says is
	// its title (see Title).
	State rules.Outcome
	Mode  string
	Says  string
}

// Answer is a section that a command asked for: "explain", "class" or "help".
type Answer struct {
	Command string // as typed: "explain review-quorum"
	Text    string // Markdown of our own making; see Plain and Code for what others wrote
}

// Wrong is a command that could not be obeyed.
type Wrong struct {
	By      string // login
	Command string // as typed
	Why     string // what is wrong and the right form, plain words
	URL     string // of the comment
}

// Buttons are the buttons of every check.
func Buttons() []forges.Button {
	return []forges.Button{{ID: "recheck", Label: "Judge again", Description: "Read everything anew and judge it"}}
}

// Word is what people read for an outcome, the same on every surface.
func Word(o rules.Outcome) string {
	switch o {
	case rules.Pass:
		return "passed"
	case rules.Fail:
		return "action needed"
	case rules.Pending:
		return "waiting"
	case rules.Waived:
		return "waived"
	case rules.NA:
		return "not applicable"
	case rules.Unknown:
		return "could not be read"
	default:
		return string(o)
	}
}

// Wanted reports whether a change deserves a comment now: there is something to
// say, the change is no draft, and the policy lets Primum write.
func Wanted(v *rules.Verdict) bool {
	if v.Subject.Draft || v.Mode == "observe" {
		return false
	}
	return v.Preview != nil || v.State != rules.NA && (v.State != rules.Pass || !v.Class.OnlyOutside)
}
