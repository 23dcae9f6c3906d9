package rules

import (
	"time"

	"primum/rules/class"
	"primum/rules/fact"
	"primum/rules/policy"
)

// Outcome is what a rule says of a subject; the same words on every surface.
type Outcome string

// Outcomes.
const (
	Pass    Outcome = "pass"
	Fail    Outcome = "fail"    // somebody must act
	Pending Outcome = "pending" // waiting for a machine, or for a person already asked
	Waived  Outcome = "waived"
	NA      Outcome = "na"      // does not apply; the summary says why
	Unknown Outcome = "unknown" // could not be read; never passes
)

// VerdictSchema names the JSON form of a Verdict.
const VerdictSchema = "primum.verdict/v1"

// Verdict is the whole answer for one change at one moment. Every surface
// (check, comment, page, export, API, command line) renders this value and
// nothing else.
type Verdict struct {
	Schema  string  `json:"schema"`
	Subject Subject `json:"subject"`

	// State is the answer: Fail, Unknown, Pending, Pass, or NA when the change is
	// not governed (no policy, a branch outside it).
	State Outcome     `json:"state"`
	Mode  policy.Mode `json:"mode,omitempty"`
	// Reason is the state in one sentence, most blocking first.
	Reason string `json:"reason"`

	Class   class.Derivation `json:"class"`
	Tree    class.Tree       `json:"tree"`
	Results []Result         `json:"results"` // in catalogue order, every enabled rule
	Waivers []Waiver         `json:"waivers,omitempty"`
	Authors []Author         `json:"authors,omitempty"`
	// Approvals lists every approval with whether it counts and why not.
	Approvals []Approval `json:"approvals,omitempty"`

	// Notes are what people should know and no rule judges, in a fixed order.
	Notes []Note `json:"notes,omitempty"`
	// Refusals are commands that count for nothing because of who gave them.
	Refusals []Refusal `json:"refusals,omitempty"`

	Policy       policy.Source  `json:"policy"`
	PolicyErrors []policy.Error `json:"policy_errors,omitempty"`
	// Preview is how the change's own version of the policy would judge; set
	// only when the change touches the policy. It never decides anything.
	Preview *Preview `json:"preview,omitempty"`

	FactsDigest string    `json:"facts_digest"`
	ReadAt      time.Time `json:"read_at"`
	JudgedAt    time.Time `json:"judged_at"`
	// Next is when time alone may change the answer; zero if never.
	Next   time.Time `json:"next,omitzero"`
	Engine string    `json:"engine"` // version of the rules, stamped by the caller
}

// NoteKind says what a note is about.
type NoteKind string

// Note kinds.
const (
	// ForgedVerdict: a check of Primum's own name that somebody else set.
	ForgedVerdict NoteKind = "forged-verdict"
	// EditedComment: Primum's comment, edited by somebody else.
	EditedComment NoteKind = "edited-comment"
	// StaysOpen: an issue that merging will not close.
	StaysOpen NoteKind = "stays-open"
	// MergedPast: the change was merged though it should not have been.
	MergedPast NoteKind = "merged-past-verdict"
)

// Note is something people should know of the change that decides nothing.
type Note struct {
	Kind NoteKind `json:"kind"`
	// Text is state and cause in one sentence of plain words, Fix the cure; "" if
	// there is nothing to do.
	Text string    `json:"text"`
	Fix  string    `json:"fix,omitempty"`
	By   string    `json:"by,omitempty"` // login; "" if the forge does not say
	At   time.Time `json:"at,omitzero"`
	URL  string    `json:"url,omitempty"`
}

// Subject says what was judged.
type Subject struct {
	Forge  string      `json:"forge"`
	Repo   string      `json:"repo"`
	RepoID string      `json:"repo_id"`
	Change int         `json:"change"`
	URL    string      `json:"url"`
	Title  string      `json:"title"`
	Author fact.Person `json:"author"`
	Head   string      `json:"head"`
	Base   string      `json:"base"`     // target branch
	BaseAt string      `json:"base_sha"` // its tip
	Draft  bool        `json:"draft,omitempty"`
	// Sign stands before the number of a change in text; "" for "#".
	Sign string `json:"sign,omitempty"`
	// Product is the policy's product; "" when not governed.
	Product string `json:"product,omitempty"`
}

// Result is what one rule said.
type Result struct {
	Rule        string             `json:"rule"`
	Title       string             `json:"title"`
	Clauses     []string           `json:"clauses"`
	Outcome     Outcome            `json:"outcome"`
	Enforcement policy.Enforcement `json:"enforcement"`
	Origin      string             `json:"origin"` // where the enforcement was set
	// Summary is one sentence: what was found. For NA it says why.
	Summary  string     `json:"summary"`
	Findings []Finding  `json:"findings,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty"` // what the answer rests on
	// Params are the parameters in force, for the page.
	Params map[string]any `json:"params,omitempty"`
	// Waiver is the index in Verdict.Waivers of the waiver that covers this.
	Waiver *int `json:"waiver,omitempty"`
}

// Blocks reports whether the result keeps an enforcing verdict from passing.
// What could not be read blocks except at the lowest class, where the standard's
// rules for the class weigh less than the standstill.
func (r Result) Blocks(lowest bool) bool {
	if r.Enforcement != policy.Block {
		return false
	}
	switch r.Outcome {
	case Fail, Pending:
		return true
	case Unknown:
		return !lowest
	default:
		return false
	}
}

// Finding is one thing to mend: state, cause, cure.
type Finding struct {
	// Outcome is Fail, Pending or Unknown.
	Outcome Outcome `json:"outcome"`
	// Message is state and cause in one sentence of plain words.
	Message string `json:"message"`
	// Fix is the cure in one sentence.
	Fix string `json:"fix,omitempty"`
	// Who can do it: logins or roles; never empty for Fail.
	Who []string `json:"who,omitempty"`
	// Command is the exact text to type, if a command mends it.
	Command string `json:"command,omitempty"`
	// Path and Line point into the change or the policy file.
	Path string `json:"path,omitempty"`
	Line int    `json:"line,omitempty"`
	URL  string `json:"url,omitempty"`
}

// Evidence is one thing an answer rests on: a review, an issue, a check, a path.
type Evidence struct {
	Kind string    `json:"kind"` // "review", "issue", "comment", "check", "commit", "path", "policy"
	Ref  string    `json:"ref"`  // "#12", "3f9c0b7", "build", a path
	Text string    `json:"text,omitempty"`
	URL  string    `json:"url,omitempty"`
	By   string    `json:"by,omitempty"` // login
	At   time.Time `json:"at,omitzero"`
	// Digest binds to text: the text digest at approval, a commit, a patch.
	Digest string `json:"digest,omitempty"`
}

// Author is one person who counts as author of the change, and why.
type Author struct {
	Person fact.Person `json:"person"`
	// Why: "opened the change", "author of 3f9c0b7", "co-author of …",
	// "committed …", "pushed …", "asked dependabot[bot] for …".
	Why []string `json:"why"`
}

// Approval is one approving review with what became of it.
type Approval struct {
	Reviewer fact.Person   `json:"reviewer"`
	Roles    []policy.Role `json:"roles,omitempty"`
	Commit   string        `json:"commit"`
	At       time.Time     `json:"at"`
	URL      string        `json:"url,omitempty"`
	Meaning  string        `json:"meaning,omitempty"`
	Counts   bool          `json:"counts"`
	// Why says what holds or fails: "on the head", "kept: same diff as 1a2b3c4d",
	// "dropped: the head moved", "author of 3f9c0b7", "a bot", "holds no role".
	Why string `json:"why"`
}

// WaiverState says where a waiver stands.
type WaiverState string

// Waiver states.
const (
	WaiverRequested WaiverState = "requested" // waits for the quality role
	WaiverActive    WaiverState = "active"
	WaiverExpired   WaiverState = "expired"
	WaiverInvalid   WaiverState = "invalid"
)

// Waiver is an exception asked for on the change.
type Waiver struct {
	ID        string      `json:"id"` // "W1", counted by request on the change
	Rule      string      `json:"rule"`
	Until     time.Time   `json:"until"` // the end of that day, UTC
	Because   string      `json:"because"`
	Requester fact.Person `json:"requester"`
	Requested time.Time   `json:"requested"`
	Approver  fact.Person `json:"approver,omitzero"`
	Approved  time.Time   `json:"approved,omitzero"`
	State     WaiverState `json:"state"`
	Problem   string      `json:"problem,omitempty"` // why invalid
	URL       string      `json:"url,omitempty"`
	// Subject is the digest an approval binds to, see WaiverSubject.
	Subject string `json:"subject,omitempty"`
}

// Preview is the old policy against the new one, for a change that edits it.
type Preview struct {
	// Errors of the new file; the rest is then empty.
	Errors []policy.Error `json:"errors,omitempty"`
	// Changes are the differences in words: "review-quorum at class C asks 1
	// approval instead of 2", weaker ones first.
	Changes []PolicyChange `json:"changes,omitempty"`
	// Falls are items and systems whose class falls.
	Falls []ClassFall `json:"falls,omitempty"`
	// State is what this change would be under the new policy.
	State Outcome `json:"state,omitempty"`
	// Flips are other open changes whose state would change; filled by the bot.
	Flips []Flip `json:"flips,omitempty"`
	// FlipsNote says what could not be looked at, if anything.
	FlipsNote string `json:"flips_note,omitempty"`
}

// PolicyChange is one difference between two policies.
type PolicyChange struct {
	Words  string `json:"words"`
	Weaker bool   `json:"weaker"`
}

// ClassFall is an item whose effective class falls.
type ClassFall struct {
	Item string      `json:"item"`
	From class.Level `json:"from"`
	To   class.Level `json:"to"`
}

// Flip is an open change whose state would change under the new policy.
type Flip struct {
	Change int     `json:"change"`
	Title  string  `json:"title"`
	From   Outcome `json:"from"`
	To     Outcome `json:"to"`
}
