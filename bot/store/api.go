// Package store keeps what Primum must not lose: deliveries, the subjects that
// need judging, what was seen of comments, every verdict and every act. One
// code path serves SQLite (embedded) and PostgreSQL; SQL texts differ only
// where the two do.
//
// Work is state. A delivery does not become a job: it marks subjects, moving a
// subject's Wanted ahead of its Judged in the transaction that stores the
// delivery. Workers claim rows whose Wanted is ahead and whose time has come,
// judge the newest state, and set Judged to what they claimed. Times are kept
// as milliseconds since the epoch.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"primum/rules/fact"
)

// ErrLost says that the caller no longer holds the subject: its lease ran out
// and another worker may have it. Nothing was written.
var ErrLost = errors.New("lease lost")

// ErrNone says that there is no such row.
var ErrNone = errors.New("no such record")

// Kind is what a subject is.
type Kind string

// Subject kinds.
const (
	KindChange Kind = "change" // Ref is the number
	KindQueue  Kind = "queue"  // merge queue candidate; Ref is its head commit
	KindRepo   Kind = "repo"   // a reading of the whole repository: its open changes; Ref is ""
	KindForge  Kind = "forge"  // a reading of the forge: its repositories; RepoID and Ref are ""
)

// Key names a subject.
type Key struct {
	Forge  string `json:"forge"`
	RepoID string `json:"repo_id"`
	Kind   Kind   `json:"kind"`
	Ref    string `json:"ref"`
}

// Subject is one row that may need judging.
type Subject struct {
	Key
	ID       int64
	Wanted   int64     // moves with every mark
	Judged   int64     // the Wanted that was last judged
	Reason   string    // why it was last marked: a trigger, "sweep", "retry"
	Due      time.Time // not before
	Tries    int       // failed tries since the last success
	Problem  string    // last error; "" after a success
	GaveUp   bool      // tries are exhausted; only a new mark wakes it
	Hint     Hint
	Open     bool   // closed and merged changes stay for their history
	Head     string // head commit as last judged (changes), or the candidate (queues)
	Base     string // target branch as last judged
	Memory   Memory
	Verdict  int64     // id of the newest verdict; 0 if none
	MarkedAt time.Time // of the oldest mark not yet judged
}

// Hint is the newest state a delivery showed. A reading that is older is stale.
type Hint struct {
	Head      string          `json:"head,omitempty"`
	Base      string          `json:"base,omitempty"`
	UpdatedAt time.Time       `json:"updated_at,omitzero"` // the change's own time of last change
	Body      string          `json:"body,omitempty"`      // description, for link hints; at most 64 KiB
	Detail    json.RawMessage `json:"detail,omitempty"`    // of queues: forges.QueueRef
}

// Memory is what judging one subject leaves for the next time: hints that save
// calls, and what stands on the forge. Losing these costs calls, not truth;
// Classes is what was known at the time and cannot be read again.
type Memory struct {
	Issues     []string          `json:"issues,omitempty"` // linked issues, "owner/name#12"
	Principals []string          `json:"principals,omitempty"`
	Files      []string          `json:"files,omitempty"`
	DiffPaths  []string          `json:"diff_paths,omitempty"`
	Posted     json.RawMessage   `json:"posted,omitempty"` // forges.Posted of the check on Head
	Comment    CommentMemory     `json:"comment,omitzero"`
	Answered   map[string]string `json:"answered,omitempty"` // command comment id to reaction given
	Notes      map[string]string `json:"notes,omitempty"`
	// Classes is the class of the change when a review, by its id, was first
	// judged; of the reviews that the change has.
	Classes map[string]string `json:"classes,omitempty"`
	// Forged are the checks of our own name by others that were seen on the commit
	// ForgedOn: some forges show them no more once they are followed by another.
	Forged   []fact.Check `json:"forged,omitempty"`
	ForgedOn string       `json:"forged_on,omitempty"`
}

// CommentMemory is our comment on the change.
type CommentMemory struct {
	ID      string `json:"id,omitempty"`
	Digest  string `json:"digest,omitempty"`  // of the body as put
	Deleted bool   `json:"deleted,omitempty"` // a person deleted it: never posted again

	// Text is the digest of what was put without what forges change in a text, and
	// Form that of how the forge shows it where it makes something else of it. Seen
	// says that it was read back as one of the two.
	Text string `json:"text,omitempty"`
	Form string `json:"form,omitempty"`
	Seen bool   `json:"seen,omitempty"`
	// Refused says that the forge did not take the text of Digest.
	Refused bool `json:"refused,omitempty"`
	// Over is the digest of the text last written over of which it is not known
	// whether the forge or a person made it, and OverEdit who did it if a person.
	Over     string     `json:"over,omitempty"`
	OverEdit *fact.Edit `json:"over_edit,omitempty"`
	// Mended is when it was put back within the last hour, Edits who edited it.
	Mended []time.Time `json:"mended,omitempty"`
	Edits  []fact.Edit `json:"edits,omitempty"`
}

// RequestBy is the Reason of a mark that a person asked for by a button. Who it
// was is kept because what a button asks for depends on who pressed it.
func RequestBy(login string) string {
	if login == "" {
		return string(fact.OnRequest)
	}
	return requestOf + login
}

// Requester is the login in a Reason made by RequestBy; "" if it has none.
func Requester(reason string) string {
	login, ok := strings.CutPrefix(reason, requestOf)
	if !ok {
		return ""
	}
	return login
}

const requestOf = string(fact.OnRequest) + " of "

// Mark asks for a subject to be judged.
type Mark struct {
	Key
	Reason string
	Due    time.Time // zero: at once
	Hint   Hint      // merged into the row unless older than what it holds
	Closed bool      // the change was closed or merged
	// IfKnown marks only a subject that exists already.
	IfKnown bool
	// Settle puts the mark off until this long after the subject was last
	// claimed, so that what comes in a burst is judged together; 0 for a request
	// that should not wait.
	Settle time.Duration
}

// Fan marks subjects found by what is stored, in the same transaction and
// without asking the forge.
type Fan struct {
	Forge  string
	RepoID string // "" with Owner: every repository of that owner
	Owner  string
	Reason string
	// Exactly one of these is set.
	Head   string // open changes and queues whose head is this commit (judged or hinted)
	Issue  string // open changes linked to this issue, "owner/name#12"
	Branch string // open changes that target this branch
	All    bool   // every open change
	// Check narrows Head: only subjects whose last judgement looked at a check of
	// this name, or did not say which it looked at (Finish.Checks); "" for all.
	Check  string
	Settle time.Duration // as in Mark
}

// Inbound is one accepted delivery with everything it leads to.
type Inbound struct {
	Forge      string
	ID         string // delivery id; seen before means nothing further happens
	Event      string
	Action     string
	Header     map[string]string // the headers relied on, no secrets
	Body       []byte
	ReceivedAt time.Time
	Dropped    string // why it marks nothing; "" if it does
	Repos      []RepoRow
	Seen       []SeenComment
	Marks      []Mark
	Fans       []Fan
}

// RepoRow is a repository as last seen.
type RepoRow struct {
	Forge        string
	ID           string
	Owner        string
	Name         string
	Installation string
	Private      bool
	Default      string
	Gone         bool // out of reach
	Product      string
	Policy       json.RawMessage // what the pages and hints need of the last policy: principals, files, diff paths
}

// SeenComment is a comment or review body as first seen: what a command said
// before anybody could edit it. The first sighting stands.
type SeenComment struct {
	Forge     string
	RepoID    string
	CommentID string
	First     string // as first posted; "" with Known false if only an edited form was seen
	Known     bool
	Head      string // head of the change then, if it stands on a change
	Subject   string // text digest of the issue or change then
	At        time.Time
}

// Claim is a subject held by one worker until Lease.
type Claim struct {
	Subject
	Token string // proves the claim
	Lease time.Time
}

// Finish says how judging a claimed subject ended. With a Problem the row keeps
// its Memory, Head and Base unless new ones are given, and its Open and Links
// as they are.
type Finish struct {
	// Again asks for another judgement at this time even without a mark: a
	// waiver running out, a check awaited; zero if none.
	Again time.Time
	// Problem is the error of a failed try; the subject is due again at Retry,
	// or given up if Retry is zero.
	// Waited with a Problem counts no try: the forge asked to wait.
	Problem string
	Retry   time.Time
	Waited  bool
	Memory  Memory
	Open    bool
	Head    string
	Base    string
	Links   []string // issues the change links, "owner/name#12", for Fan.Issue
	// Checks are the names of the checks that can change the verdict, for
	// Fan.Check; nil if any can, empty if none.
	Checks []string
}

// VerdictRow is one kept verdict.
type VerdictRow struct {
	ID          int64
	Key         Key
	Head        string
	State       string
	Mode        string
	Class       string
	Product     string
	Title       string
	Reason      string
	PolicyOID   string
	FactsDigest string
	Engine      string
	JudgedAt    time.Time
	Trigger     string          // why it was judged
	JSON        json.RawMessage // rules.Verdict
	Facts       json.RawMessage // fact.Change it was judged on
}

// Act is something written to a forge, or about to be. Key makes it happen once.
type Act struct {
	ID      int64
	Key     string // e.g. "check:<subject>:<sha>:<digest>"
	Subject Key
	Kind    string // "check", "comment", "reaction", "reply"
	Detail  string // what and why, for people
	Verdict int64
	At      time.Time
	DoneAt  time.Time // zero while intended
	Result  string    // id on the forge
	Error   string
}

// OpenRow is one open change on the start page.
type OpenRow struct {
	Subject
	Owner, Name string
	Private     bool
	Number      int
	Product     string
	Title       string
	State       string
	Class       string
	Mode        string // the verdict's: enforce, advise, observe
	Why         string // the verdict's reason
	JudgedAt    time.Time
	OpenedAt    time.Time // first seen or created
}

// Counts is the state of the whole, for metrics and readiness.
type Counts struct {
	Waiting    int // subjects whose Wanted is ahead
	Due        int // of these, whose time has come
	Leased     int
	GaveUp     int
	Oldest     time.Duration // age of the oldest mark not yet judged
	Deliveries int64
	Verdicts   int64
}

// Store is the whole of it. Methods are safe for concurrent use.
type Store interface {
	// Accept stores one delivery and everything it leads to, durably, in one
	// transaction (several deliveries may share one commit). fresh is false for
	// a delivery id already held: then nothing is changed. marked counts subjects.
	Accept(ctx context.Context, in Inbound) (fresh bool, marked int, err error)
	// Mark marks subjects outside a delivery: sweeps, requests, siblings.
	Mark(ctx context.Context, marks []Mark, fans []Fan) (marked int, err error)
	// Wake is signalled (never blocking) after a mark committed in this process.
	Wake() <-chan struct{}

	// Claim takes up to n due subjects for lease. A subject is held by at most
	// one claim at any time, over all replicas.
	Claim(ctx context.Context, owner string, lease time.Duration, n int) ([]Claim, error)
	// NextDue is when the next unclaimed subject falls due; ok is false if none waits.
	NextDue(ctx context.Context) (at time.Time, ok bool, err error)
	// Extend renews a lease; ErrLost if it is gone.
	Extend(ctx context.Context, c *Claim, lease time.Duration) error
	// Holds reports ErrLost unless the claim still stands; asked before every act.
	Holds(ctx context.Context, c *Claim) error
	// Done ends a claim. A mark that came meanwhile leaves the subject due.
	Done(ctx context.Context, c *Claim, f Finish) error
	// Release gives a claim back undone, due as it was: a service that stops
	// hands its subjects on. It counts as no try.
	Release(ctx context.Context, c *Claim) error
	// Reclaim frees every lease of an owner that is known to be gone (boot).
	// A claim that ended so, or ran out, counts as a failed try.
	Reclaim(ctx context.Context, owner string) (int, error)

	// SaveVerdict keeps a verdict under a claim and makes it the subject's
	// newest; ErrLost if the claim is gone. A verdict equal to the newest in
	// everything but its times is not stored again; its id is returned.
	SaveVerdict(ctx context.Context, c *Claim, v VerdictRow) (id int64, err error)
	Verdict(ctx context.Context, id int64) (VerdictRow, error)
	// Verdicts is a subject's history, newest first, without JSON and Facts.
	Verdicts(ctx context.Context, k Key, limit int) ([]VerdictRow, error)

	// BeginAct records the intent; done is true (with the earlier act) if the
	// key was carried out before. EndAct records the result.
	BeginAct(ctx context.Context, c *Claim, a Act) (act Act, done bool, err error)
	EndAct(ctx context.Context, id int64, result string, actErr error) error
	Acts(ctx context.Context, k Key, limit int) ([]Act, error)

	// Subject reads one row; ErrNone.
	Subject(ctx context.Context, k Key) (Subject, error)
	// Siblings are the other open changes of a repository with this head.
	Siblings(ctx context.Context, k Key, head string) ([]Subject, error)
	// Open lists open changes, newest verdict joined in; forge and repoID may be "".
	Open(ctx context.Context, forge, repoID string, limit int) ([]OpenRow, error)

	// Remember records first sightings; the first stands. Recall reads them.
	Remember(ctx context.Context, seen []SeenComment) error
	Recall(ctx context.Context, forge, repoID string, ids []string) (map[string]SeenComment, error)
	// Pin ties a login of the policy to the account it first resolved to; the
	// answer is the account id pinned, which may differ from the one given.
	Pin(ctx context.Context, forge, repoID, login string, p fact.Person) (id string, err error)

	// PutRepo and Repo keep repositories; FindRepo looks up by name (the current
	// one first). Rename moves a name. Repos lists those not gone.
	PutRepo(ctx context.Context, r RepoRow) error
	Repo(ctx context.Context, forge, id string) (RepoRow, error)
	FindRepo(ctx context.Context, forge, owner, name string) (RepoRow, error)
	Repos(ctx context.Context, forge string) ([]RepoRow, error)

	// Note and Noted keep small facts of the service (last sweep, last seen alive).
	Note(ctx context.Context, key, value string) error
	Noted(ctx context.Context, key string) (value string, ok bool, err error)

	Counts(ctx context.Context) (Counts, error)
	// Trim removes deliveries' bodies older than the given age; verdicts and acts stay.
	Trim(ctx context.Context, olderThan time.Duration) (int64, error)
	// Ready reports whether the store can be written to.
	Ready(ctx context.Context) error
	Close() error
}
