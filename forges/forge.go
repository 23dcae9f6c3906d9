// Package forges is the seam between Primum and the places changes live.
//
// A Forge reports facts and carries out acts; it judges nothing. The interface
// is small because Primum's needs are: verify and decode a delivery, read one
// change as facts, list the open ones, read files at a commit, set the verdict,
// put the comment, react. What only some forges can do is an optional interface
// found by assertion, and what one lacks is declared in its Capabilities with a
// sentence on what follows. Every adapter passes the contract in forgetest.
//
// One Forge value is one instance of a forge (github.com, a GitLab or a Gitea of
// one's own) with all that it may see there; it is safe for concurrent use.
//
// The adapters are the packages github, gitlab, and gitea, which serves Forgejo
// too. They call through wire, remember in kept, tell with patch whether an
// approval outlives a rebase, and are set up and examined through admin. The simulated forge sim has a face for each of them.
package forges

import (
	"context"
	"net/http"
	"time"

	"primum/rules/fact"
)

// Forge is one instance of a forge.
type Forge interface {
	// Key is the stable name of this instance in our own records: "github".
	Key() string

	// Verify checks the signature of a delivery over the raw body, in constant
	// time, before anything is parsed. It answers ErrSignature for a missing or
	// wrong signature and ErrMalformed for a request that is no delivery at all
	// (no event header, no delivery id, wrong content type).
	Verify(h http.Header, body []byte) (Delivery, error)
	// Decode turns a verified delivery into an event. A delivery that is not
	// ours to understand is an Event of kind Ignored and no error; ErrMalformed
	// means a payload that contradicts its own event.
	Decode(d Delivery) (Event, error)

	// ReadChange reads one change as facts, at least the parts the plan asks
	// for. What could not be read for a reason that will not go away (forbidden,
	// too large) is in Change.Unknown; what may go away is an error, see Error.
	// ErrNotFound: there is no such change, or we may not see it.
	ReadChange(ctx context.Context, c ChangeRef, plan Plan) (*fact.Change, error)
	// ListOpen lists open changes, oldest update first, one page from cursor
	// ("" for the first); next is "" after the last page.
	ListOpen(ctx context.Context, r RepoRef, cursor string) (heads []Head, next string, err error)
	// ListRepos lists the repositories this instance may see, one page.
	ListRepos(ctx context.Context, cursor string) (repos []RepoRef, next string, err error)
	// ReadFiles reads files at a commit, branch or tag. A file that does not
	// exist is a Blob with Missing set. The result holds one Blob per path.
	ReadFiles(ctx context.Context, r RepoRef, at string, paths []string) (map[string]fact.Blob, error)
	// ReadQueue reads which changes a merge queue candidate carries. The members
	// are in queue order. ErrUnsupported where there are no merge queues.
	ReadQueue(ctx context.Context, r RepoRef, q QueueRef) ([]int, error)

	// SetVerdict puts the check on a commit. posted is what is known to stand
	// there from an earlier call ("" ID if nothing); the result is what stands
	// now. It creates or updates, never both.
	SetVerdict(ctx context.Context, r RepoRef, sha string, report Report, posted Posted) (Posted, error)
	// PutComment creates (id "") or edits the one comment. Editing a comment
	// that a person deleted answers ErrNotFound.
	PutComment(ctx context.Context, c ChangeRef, id, body string) (newID string, err error)
	// React puts a reaction on a comment. Reacting twice is no error.
	React(ctx context.Context, c CommentRef, r Reaction) error

	// Permission says what a person may do in the repository.
	Permission(ctx context.Context, r RepoRef, login string) (Permission, error)
	// Capabilities describes what this forge can and cannot do.
	Capabilities() Capabilities
}

// DeliveryLog is a forge that keeps what it tried to deliver, so that what was
// missed while Primum was down can be asked for again.
type DeliveryLog interface {
	// Redeliver asks again for every delivery since then that did not get a
	// 2xx answer, and reports how many.
	Redeliver(ctx context.Context, since time.Time) (int, error)
}

// Delivery is a verified webhook delivery, as received.
type Delivery struct {
	Forge  string // Forge.Key
	ID     string // the forge's delivery id; repeated on redelivery
	Event  string // the forge's event name
	Header http.Header
	Body   []byte
}

// RepoRef names a repository. ID is the forge's own and survives renames;
// Installation is whatever the forge needs to get a token, "" if nothing.
type RepoRef struct {
	Forge        string `json:"forge"`
	ID           string `json:"id"`
	Owner        string `json:"owner"`
	Name         string `json:"name"`
	Installation string `json:"installation,omitempty"`
	Private      bool   `json:"private,omitempty"`
	Default      string `json:"default,omitempty"` // default branch, if known
}

// FullName is "owner/name".
func (r RepoRef) FullName() string { return r.Owner + "/" + r.Name }

// ChangeRef names a change.
type ChangeRef struct {
	Repo   RepoRef `json:"repo"`
	Number int     `json:"number"`
}

// CommentRef names a comment: on the change or issue Number of the repository.
type CommentRef struct {
	Repo   RepoRef
	Number int
	ID     string
	Review bool // a review's body or a review comment rather than a plain comment
}

// QueueRef names a merge queue candidate.
type QueueRef struct {
	Head   string // its commit
	Base   string // the commit it is built on
	Branch string // target branch
	Ref    string // the candidate's own ref, if the forge says
}

// Head is one open change as listed: enough to see whether it moved.
type Head struct {
	Number    int
	SHA       string
	Base      string // target branch
	Draft     bool
	Title     string
	UpdatedAt time.Time
}

// Plan says what to read. Everything in it is a hint that saves calls: an
// adapter reads at least the Needs, and what the hints name in the same call.
type Plan struct {
	Needs []fact.Need
	// Issues known to be linked from an earlier reading or from the delivery,
	// "owner/name#12" or "#12".
	Issues []string
	// Principals of the policy as last seen ("team:firmware", "user:mara").
	Principals []string
	// Files the policy names, to be read at the tip of the target branch.
	Files []string
	// DiffPaths are globs of the files whose Diff is needed (NeedDiffs).
	DiffPaths []string
	// HeadPolicy asks for the policy at the head even if the files are not read.
	HeadPolicy bool
}

// EventKind says what an event is about.
type EventKind string

// Event kinds.
const (
	ChangeEvent       EventKind = "change"       // Changes has the number
	IssueEvent        EventKind = "issue"        // Issue has the number; concerns every change that links it
	CheckEvent        EventKind = "check"        // concerns every change whose head is SHA
	QueueEvent        EventKind = "queue"        // Queue is set
	PushEvent         EventKind = "push"         // Branch moved to SHA
	PeopleEvent       EventKind = "people"       // membership of teams; concerns every repository of Owner
	RepoEvent         EventKind = "repo"         // renamed, transferred, deleted; Repo is the new name
	InstallationEvent EventKind = "installation" // Repos were added or Removed
	Ignored           EventKind = "ignored"      // nothing of ours
)

// Event is a delivery in our words: which subjects it concerns and why.
type Event struct {
	Kind    EventKind
	Trigger fact.Trigger
	Action  string // the forge's own word, for logs
	Repo    RepoRef
	Owner   string // of PeopleEvent
	Actor   fact.Person
	At      time.Time // the forge's time of the happening; zero if it does not say

	Changes []int  // numbers of the changes concerned
	Issue   int    // of IssueEvent
	SHA     string // head of the change, commit of the check, tip of the push
	Before  string // of a push
	Branch  string // target branch of a change; branch of a push
	Closed  bool   // the change was closed or merged
	// Pushed says that Actor made SHA the head of the change: pushed it, or opened
	// the change with it.
	Pushed bool
	// UpdatedAt is the change's time of last change as the payload has it: a
	// reading older than this, or with another head, is stale.
	UpdatedAt time.Time

	// Body is the change's description as the payload has it, for link hints.
	Body string

	Comment  *CommentSeen
	Check    *CheckSeen
	Approval *ApprovalSeen
	Queue    *QueueRef
	Request  *Request
	// Paths are the files a push changed, if the forge lists them all; nil if not.
	Paths []string

	Repos    []RepoRef // of InstallationEvent
	Removed  bool      // Repos (or Repo) are out of reach from now on
	OldOwner string    // of RepoEvent, if transferred or renamed
	OldName  string

	Ours   bool   // made by Primum itself: nothing to do
	Reason string // why Ignored
}

// CommentSeen is a comment as a delivery shows it.
type CommentSeen struct {
	ID        string
	Author    fact.Person
	Body      string // now
	Previous  string // before the edit, if the payload has it
	CreatedAt time.Time
	Action    CommentAction
	Review    bool // the body of a review or a review comment
	Ours      bool
	// IssueTitle and IssueBody are the text of the issue or change the comment
	// stands on, as the payload has them: what an approval approves.
	IssueTitle string
	IssueBody  string
}

// CommentAction says what happened to a comment.
type CommentAction string

// Comment actions.
const (
	CommentCreated CommentAction = "created"
	CommentEdited  CommentAction = "edited"
	CommentDeleted CommentAction = "deleted"
)

// ApprovalSeen is an approval as a delivery shows it, on a forge whose API does
// not tell later which commit it was given on: what arrived is kept, and
// completes the review without a commit that ReadChange gives.
type ApprovalSeen struct {
	By        fact.Person
	SHA       string // head of the change when it was given
	Withdrawn bool
}

// CheckSeen is somebody's check as a delivery shows it.
type CheckSeen struct {
	Name   string
	Source string
	Ours   bool
	Done   bool
}

// Request is somebody asking Primum for something by button.
type Request struct {
	Button string // identifier of Report.Buttons, or "rerun"
	// External is the ExternalID of the check the button stood on.
	External string
}

// Report is the check to put on a commit.
type Report struct {
	Name    string // "primum"
	State   ReportState
	Title   string // at most 60 characters matter; bounded by the adapter
	Summary string // Markdown
	Text    string // Markdown
	// Short is the one-line description where a forge has no more room.
	Short       string
	URL         string // details page
	External    string // our own key for this verdict
	StartedAt   time.Time
	FinishedAt  time.Time
	Annotations []Annotation
	Buttons     []Button
}

// ReportState is the verdict in the words all forges share.
type ReportState string

// Report states. Neutral does not block and is used in advise mode only;
// where a forge has no neutral, it becomes success with the sentence saying so.
const (
	ReportPending ReportState = "pending" // waiting; blocks
	ReportSuccess ReportState = "success"
	ReportFailure ReportState = "failure"
	ReportNeutral ReportState = "neutral"
)

// Annotation points at a line of the change.
type Annotation struct {
	Path    string
	Line    int    // 1-based
	Level   string // "notice", "warning", "failure"
	Title   string
	Message string
}

// Button is an action on the check; at most three are shown.
type Button struct {
	ID          string // at most 20 characters
	Label       string // at most 20 characters
	Description string // at most 40 characters
}

// Posted is what stands on a commit. Digest is the digest of the Report as
// posted, so that nothing is written that is already there.
type Posted struct {
	ID     string      `json:"id"`
	SHA    string      `json:"sha"`
	Digest string      `json:"digest"`
	State  ReportState `json:"state"`
	// Notes is the digest of the annotations that stand there, "" for none:
	// some forges only ever add to them.
	Notes string `json:"notes,omitempty"`
	// Way says by what the verdict blocks, in words for the verdict page:
	// "commit status", "external status check". "" if the forge has one way only.
	Way string `json:"way,omitempty"`
}

// Reaction is an answer to a command.
type Reaction string

// Reactions.
const (
	Seen    Reaction = "eyes"
	Done    Reaction = "+1"
	Refused Reaction = "confused"
)

// Permission is what a person may do in a repository.
type Permission string

// Permissions.
const (
	PermNone  Permission = "none"
	PermRead  Permission = "read"
	PermWrite Permission = "write"
	PermAdmin Permission = "admin"
)
