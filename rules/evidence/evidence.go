// Package evidence finds what people wrote where they already write: issue-form
// sections, descriptions, commit trailers, links and commands. It has the one
// Markdown parser of Primum (goldmark) and is pure.
//
// It reads text and says what is there; whether that suffices is for the rules.
package evidence

import (
	"time"

	"primum/rules/fact"
)

// Evidence is everything found in the texts of one change and its issues.
type Evidence struct {
	Description Document
	// Links are the change's links from every source, strongest kind first for
	// each issue, one per issue and repository.
	Links []fact.Link
	// Trailers of the description and of every commit, in order.
	Trailers []Trailer
	// Commands on the change, in the order posted, wrong ones included.
	Commands []Command
	// Issues holds the texts of every linked issue, keyed "owner/name#12".
	Issues map[string]*Issue
}

// Issue is what the texts of one issue hold.
type Issue struct {
	Facts    *fact.Issue
	Form     Document
	Commands []Command
}

// Document is a Markdown text cut at its headings.
type Document struct {
	// Form is the name in a hidden marker line <!-- primum:form:NAME -->, or "".
	Form     string
	Sections []Section
}

// Section is a heading and the text below it, up to the next heading of the
// same or a higher level. Issue forms write one "### Field" each.
type Section struct {
	Title string // as written, trimmed
	Key   string // lower case, words joined by "-", punctuation dropped: what Find matches
	Text  string // plain text: no comments, no markup, no quoted lines; "" if only placeholders ("_No response_")
	Line  int    // 1-based line of the heading
	Ticks []Tick // task list items
}

// Tick is one task list item.
type Tick struct {
	Text string
	Done bool
}

// Trailer is one "Key: value" of a commit message's or description's last paragraph.
type Trailer struct {
	Key    string // canonical case: "CR", "Req", "Verifies", "Co-authored-by"
	Value  string
	Source string // "description" or "commit 3f9c0b7"
}

// Command is one "/primum …" first line of a comment, as first posted.
type Command struct {
	Name    string // recheck, link, approve, risk, verify, waive, sign, hold, explain, class, help
	Args    []string
	Comment *fact.Comment
	By      fact.Person
	At      time.Time
	// Issue is set for link and for approve of an issue: "owner/name#12".
	Issue string
	// Rule, Until and Because are set for waive. Until is the end of the day, UTC.
	Rule    string
	Until   time.Time
	Because string
	// Meaning is set for sign; Waiver ("W1") for approve of a waiver; Build for verify.
	Meaning string
	Waiver  string
	Build   string
	// Answers is set for risk: question number to its answer.
	Answers map[int]Answer
	// Wrong is why the command cannot be obeyed, with the right form; "" if it can.
	Wrong string
	// Review is true when it stands in a review's body.
	Review bool
}

// Answer is a yes or no with its reason.
type Answer struct {
	Yes    bool
	Reason string
	// Refs are risk ids and issue references named in the reason ("HZ-3", "#12").
	Refs []string
}
