package fact

// Trigger is a kind of happening that can change the answer of a rule. Rules
// declare their triggers; intake drops deliveries whose trigger no enabled rule
// names, and adapters translate each forge's events into these words.
type Trigger string

// Triggers.
const (
	OnOpened     Trigger = "opened"      // opened, reopened, ready for review, converted to draft, closed, merged
	OnPushed     Trigger = "pushed"      // new head, or new base
	OnEdited     Trigger = "edited"      // title, description or target branch
	OnLabeled    Trigger = "labeled"     // labels of the change
	OnReviewed   Trigger = "reviewed"    // review submitted, edited, dismissed
	OnThread     Trigger = "thread"      // review thread opened, resolved, reopened
	OnCommand    Trigger = "command"     // a comment that holds or held a command
	OnIssue      Trigger = "issue"       // a linked issue, its text, state, labels
	OnIssueWords Trigger = "issue-words" // a comment on a linked issue that holds or held a command
	OnCheck      Trigger = "check"       // somebody else's check on the head
	OnPeople     Trigger = "people"      // team or membership
	OnPolicy     Trigger = "policy"      // policy or files it names, on a target branch
	OnClock      Trigger = "clock"       // time alone: a waiver runs out
	OnRequest    Trigger = "request"     // somebody asked: button, re-run, /primum recheck
)
