// Package fact holds what a forge reports about one change, frozen at one
// moment, in the words of the field rather than of any forge.
//
// Adapters fill these types, rules judge them, and nothing else passes between
// the two. A fact that could not be read is itself a fact: it is listed in
// Change.Unknown with the reason, and a rule that needs it answers "unknown",
// which never passes. The package imports the standard library only.
package fact

import (
	"strconv"
	"time"
)

// Change is one pull or merge request with everything the enabled rules asked
// for, read at ReadAt. Slices are in the forge's own order (oldest first)
// unless said otherwise.
type Change struct {
	Forge  string `json:"forge"` // stable key of the forge instance, e.g. "github"
	Repo   Repo   `json:"repo"`
	Number int    `json:"number"`
	URL    string `json:"url"`
	// Sign stands before the number of a change in text; "" for "#". Where it is
	// another, changes and issues are counted apart: change !3 is not issue #3.
	Sign string `json:"sign,omitempty"`

	Title     string    `json:"title"`
	Body      string    `json:"body"`
	State     State     `json:"state"`
	Draft     bool      `json:"draft"`
	Opener    Person    `json:"opener"`
	Labels    []string  `json:"labels,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"` // the forge's own time of last change, whole seconds on most forges
	MergedAt  time.Time `json:"merged_at,omitzero"`
	MergedSHA string    `json:"merged_sha,omitempty"`

	Head Ref `json:"head"`
	Base Ref `json:"base"`
	// MergeBase is the commit the change is compared with; empty if not read.
	MergeBase string `json:"merge_base,omitempty"`
	// Patch identifies the content of the change independent of the commits
	// that carry it (see Review.Patch); empty if not read.
	Patch string `json:"patch,omitempty"`

	Files   []File   `json:"files"`
	Commits []Commit `json:"commits"`
	Pushers []Push   `json:"pushers,omitempty"` // who brought the commits, of those seen arriving
	Reviews []Review `json:"reviews"`
	Threads []Thread `json:"threads"`
	Checks  []Check  `json:"checks"` // on Head.SHA only, newest per name and source
	// Forged are the checks on Head.SHA that bear the name of Primum's own and are
	// somebody else's, oldest first. They are no checks of a rule.
	Forged   []Check   `json:"forged,omitempty"`
	Comments []Comment `json:"comments"` // of people and bots, our own included
	// Edits are what others did to Primum's own comment, the newest of each person,
	// oldest first.
	Edits  []Edit  `json:"edits,omitempty"`
	Links  []Link  `json:"links"`  // every way the change names an issue
	Issues []Issue `json:"issues"` // the linked issues, read whole

	// Policy is the policy file at the tip of the target branch; HeadPolicy is
	// the same file at the head of the change, read only if the change touches it.
	Policy     Blob  `json:"policy"`
	HeadPolicy *Blob `json:"head_policy,omitempty"`
	// BaseFiles are further files at the tip of the target branch that the
	// policy names (rationales, the policy's base); keyed by path.
	BaseFiles map[string]Blob `json:"base_files,omitempty"`

	// People resolves each principal the policy names ("team:firmware",
	// "user:mara") to accounts, at ReadAt.
	People map[string]Principal `json:"people,omitempty"`

	// Unknown says why a part could not be read whole. A part that is absent
	// here was read completely.
	Unknown map[Need]string `json:"unknown,omitempty"`

	ReadAt time.Time `json:"read_at"`
}

// CountsApart reports whether changes and issues have numbers of their own each.
func (c *Change) CountsApart() bool { return c.Sign != "" && c.Sign != "#" }

// Name is the change as people write it in its own repository: "#4", "!4".
func (c *Change) Name() string { return NameOf(c.Sign, c.Number) }

// NameOf is a change as people write it: its number after the sign, "" for "#".
func NameOf(sign string, number int) string {
	if sign == "" {
		sign = "#"
	}
	return sign + strconv.Itoa(number)
}

// Why reports why a part could not be read; known is true if it was read whole.
func (c *Change) Why(n Need) (reason string, known bool) {
	reason, missing := c.Unknown[n]
	return reason, !missing
}

// MarkUnknown records that a part could not be read. The first reason stands.
func (c *Change) MarkUnknown(n Need, reason string) {
	if c.Unknown == nil {
		c.Unknown = map[Need]string{}
	}
	if _, ok := c.Unknown[n]; !ok {
		c.Unknown[n] = reason
	}
}

// Issue returns the linked issue with this number in the change's own
// repository, or nil.
func (c *Change) Issue(number int) *Issue {
	for i := range c.Issues {
		if c.Issues[i].Number == number && c.Issues[i].Repo == c.Repo.FullName() {
			return &c.Issues[i]
		}
	}
	return nil
}

// Need names a part of a change that a rule may ask for. The union of the needs
// of the enabled rules tells an adapter what to fetch.
type Need string

// The parts of a change. Title, body, state, head, base and the policy blob are
// always read and have no name here, except that NeedPolicy can be unknown.
const (
	NeedPolicy     Need = "policy"     // Policy, HeadPolicy
	NeedFiles      Need = "files"      // Files, all of them, with previous paths
	NeedDiffs      Need = "diffs"      // File.Diff of files under verification control (tests, workflows, lint and coverage settings)
	NeedCommits    Need = "commits"    // Commits with identities and signatures
	NeedReviews    Need = "reviews"    // Reviews with the commit they were given on
	NeedPatches    Need = "patches"    // Review.Patch and Change.Patch where a review's commit is not the head
	NeedThreads    Need = "threads"    // Threads
	NeedChecks     Need = "checks"     // Checks on the head
	NeedComments   Need = "comments"   // Comments with their editors
	NeedIssues     Need = "issues"     // Links and Issues with comments, labels and their events
	NeedPeople     Need = "people"     // People
	NeedBaseFiles  Need = "base-files" // BaseFiles
	NeedPermission Need = "permission" // Comment.Permission of people who gave commands
)

// State of a change or an issue.
type State string

// States. An issue is never Merged.
const (
	Open   State = "open"
	Closed State = "closed"
	Merged State = "merged"
)

// Repo is a repository. ID is the forge's own identifier and survives renames
// and transfers; Owner and Name do not.
type Repo struct {
	ID            string `json:"id"`
	Owner         string `json:"owner"`
	Name          string `json:"name"`
	Private       bool   `json:"private"`
	DefaultBranch string `json:"default_branch"`
	URL           string `json:"url"`
}

// FullName is "owner/name".
func (r Repo) FullName() string { return r.Owner + "/" + r.Name }

// Ref is one side of a change. Repo is "owner/name" and differs from the
// change's repository when the head lives in a fork; it is empty when the fork
// is gone.
type Ref struct {
	Name string `json:"name"` // branch name without refs/heads/
	SHA  string `json:"sha"`
	Repo string `json:"repo,omitempty"`
}

// Person is an account on a forge. ID is the forge's account id: the only thing
// that says who somebody is. Login and Name are for display. The zero Person is
// nobody (a deleted account, an unmapped address) and equals no one.
type Person struct {
	ID    string `json:"id"`
	Login string `json:"login"`
	Name  string `json:"name,omitempty"`
	Bot   bool   `json:"bot,omitempty"` // bots and service accounts count towards no quorum
}

// Known reports whether p is an account at all.
func (p Person) Known() bool { return p.ID != "" }

// Is reports whether both are the same known account.
func (p Person) Is(q Person) bool { return p.ID != "" && p.ID == q.ID }

// Principal is one entry of the policy's people, resolved.
type Principal struct {
	Members []Person `json:"members"`
	// Problem says why the entry could not be resolved, or that it is empty;
	// "" if all is well. An unresolved entry gives its role to nobody.
	Problem string `json:"problem,omitempty"`
}

// FileStatus says what a change does to a file.
type FileStatus string

// File statuses.
const (
	Added    FileStatus = "added"
	Modified FileStatus = "modified"
	Deleted  FileStatus = "deleted"
	Renamed  FileStatus = "renamed"
	Copied   FileStatus = "copied"
)

// File is one file a change touches. A rename touches two paths.
type File struct {
	Path     string     `json:"path"`
	Previous string     `json:"previous,omitempty"` // of Renamed and Copied
	Status   FileStatus `json:"status"`
	Added    int        `json:"added"`   // lines
	Removed  int        `json:"removed"` // lines
	// Diff is the unified diff of the file without its header; "" if not read
	// or if the forge gives none (DiffKnown tells which).
	Diff      string `json:"diff,omitempty"`
	DiffKnown bool   `json:"diff_known,omitempty"`
}

// Touches are the paths whose class counts: the path, and for a rename the
// previous one.
func (f File) Touches() []string {
	if f.Status == Renamed && f.Previous != "" && f.Previous != f.Path {
		return []string{f.Path, f.Previous}
	}
	return []string{f.Path}
}

// Commit is one commit of the change, as git and the forge know it together.
type Commit struct {
	SHA         string     `json:"sha"`
	Message     string     `json:"message"`
	Author      Identity   `json:"author"`
	Committer   Identity   `json:"committer"`
	CoAuthors   []Identity `json:"co_authors,omitempty"` // Co-authored-by trailers
	Parents     int        `json:"parents"`
	AuthoredAt  time.Time  `json:"authored_at"`
	CommittedAt time.Time  `json:"committed_at"` // as claimed in the commit; forgeable
	Signature   Signature  `json:"signature"`
}

// Push says who brought a commit to the change, as the forge's delivery told when
// it came. Nobody can forge it as names in commits can be forged, and reading
// the change later does not tell it.
type Push struct {
	Person Person    `json:"person"`
	SHA    string    `json:"sha"` // the head that came with it
	At     time.Time `json:"at"`
}

// Identity is who a commit names. Account is the zero Person when the address
// belongs to no account the forge knows.
type Identity struct {
	Name    string `json:"name"`
	Email   string `json:"email"`
	Account Person `json:"account"`
}

// Signature is the forge's verdict on a commit signature.
type Signature struct {
	Present bool   `json:"present"`
	Valid   bool   `json:"valid"`
	Reason  string `json:"reason,omitempty"` // the forge's word when not valid
	// ByForge is true where the forge itself signed (edits on its web pages,
	// its merge button), which proves the session and not the person's key.
	ByForge bool `json:"by_forge,omitempty"`
}

// ReviewState is what a review says now.
type ReviewState string

// Review states. A dismissed review keeps its words but no longer counts.
const (
	Approved         ReviewState = "approved"
	ChangesRequested ReviewState = "changes-requested"
	Commented        ReviewState = "commented"
	Dismissed        ReviewState = "dismissed"
)

// Review is one submitted review.
type Review struct {
	ID          string      `json:"id"`
	URL         string      `json:"url,omitempty"`
	Author      Person      `json:"author"`
	State       ReviewState `json:"state"`
	Commit      string      `json:"commit"` // the commit it was given on; "" if the forge does not say
	Body        string      `json:"body"`
	SubmittedAt time.Time   `json:"submitted_at"`
	EditedAt    time.Time   `json:"edited_at,omitzero"` // last edit of the body
	Editor      Person      `json:"editor,omitzero"`    // who edited it last
	First       string      `json:"first,omitempty"`    // the body as first seen; equals Body if never edited
	FirstKnown  bool        `json:"first_known"`        // First is what was first posted
	DismissedBy Person      `json:"dismissed_by,omitzero"`
	DismissedAt time.Time   `json:"dismissed_at,omitzero"`
	// Patch identifies the content of the change as it stood at Commit. Equal to
	// Change.Patch means: same diff, other commits (a rebase). "" if not read.
	Patch string `json:"patch,omitempty"`
	// SubjectThen is as in Comment, of a command in the body.
	SubjectThen string `json:"subject_then,omitempty"`
	// ClassThen is the class of the change when this review was first judged; ""
	// if that is not known, which is taken for the class of now.
	ClassThen string `json:"class_then,omitempty"`
}

// Thread is a review conversation on the change.
type Thread struct {
	URL      string `json:"url,omitempty"`
	Path     string `json:"path,omitempty"`
	Line     int    `json:"line,omitempty"`
	Author   Person `json:"author"`
	Excerpt  string `json:"excerpt,omitempty"` // first line of the first comment, at most 120 runes
	Resolved bool   `json:"resolved"`
	Outdated bool   `json:"outdated"`
}

// CheckState is the outcome of somebody else's check.
type CheckState string

// Check states. Skipped and neutral are not green.
const (
	CheckPending   CheckState = "pending"
	CheckSuccess   CheckState = "success"
	CheckFailure   CheckState = "failure"
	CheckCancelled CheckState = "cancelled"
	CheckSkipped   CheckState = "skipped"
	CheckNeutral   CheckState = "neutral"
)

// Check is a check run, commit status or pipeline job on the head.
type Check struct {
	Name  string     `json:"name"`
	State CheckState `json:"state"`
	// Source is who reported it: the app's slug ("github-actions") for check
	// runs, the creator's login for statuses.
	Source     string    `json:"source"`
	SourceID   string    `json:"source_id,omitempty"`
	URL        string    `json:"url,omitempty"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	// Ours marks Primum's own check; ExternalID is what we stored with it.
	Ours       bool   `json:"ours,omitempty"`
	ID         string `json:"id,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
}

// At is when the check was last set, as far as the forge tells.
func (k Check) At() time.Time {
	if k.FinishedAt.After(k.StartedAt) {
		return k.FinishedAt
	}
	return k.StartedAt
}

// Comment is a comment on a change or an issue.
type Comment struct {
	ID        string    `json:"id"`
	URL       string    `json:"url,omitempty"`
	Author    Person    `json:"author"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
	EditedAt  time.Time `json:"edited_at,omitzero"`
	Editor    Person    `json:"editor,omitzero"`
	// First is the text as first posted and FirstKnown whether we know it: an
	// unedited comment's First is its Body; an edited one's only if it was seen
	// before the edit. Commands are read from First and from nothing else.
	First      string `json:"first,omitempty"`
	FirstKnown bool   `json:"first_known"`
	// HeadThen is the head of the change, and SubjectThen the digest of what a
	// command speaks of, when the comment was first seen: on an issue its text
	// (see Issue.TextDigest), for the approval of a waiver the request (see
	// rules.WaiverSubject). "" if it was not seen in time.
	HeadThen    string `json:"head_then,omitempty"`
	SubjectThen string `json:"subject_then,omitempty"`
	Ours        bool   `json:"ours,omitempty"`
	Minimized   bool   `json:"minimized,omitempty"`
}

// Edit is one edit that somebody else made to a text of ours.
type Edit struct {
	By Person    `json:"by,omitzero"` // not known where the forge does not tell
	At time.Time `json:"at,omitzero"` // zero if the forge does not tell
}

// LinkKind says how a change names an issue.
type LinkKind string

// Link kinds, strongest first. Mention is a bare number in prose and links nothing.
const (
	LinkForge   LinkKind = "forge"   // the forge's own link (development panel, closing keyword it resolved)
	LinkCommand LinkKind = "command" // /primum link #12
	LinkTrailer LinkKind = "trailer" // CR: #12 in a commit message or the description
	LinkKeyword LinkKind = "keyword" // Fixes #12, Refs #12 in the description
	LinkBranch  LinkKind = "branch"  // 12-topic: a suggestion only
	LinkMention LinkKind = "mention" // see #12: a suggestion only
)

// Link is one mention of an issue.
type Link struct {
	Repo   string   `json:"repo"` // "owner/name" of the issue
	Number int      `json:"number"`
	Kind   LinkKind `json:"kind"`
	Closes bool     `json:"closes,omitempty"` // the forge will close the issue on merge
	Source string   `json:"source,omitempty"` // where it was found, for people: "description", "commit 3f9c0b7"
}

// Issue is a linked issue: a change request, an anomaly, or something else. Its
// kind follows from the policy and is not a fact.
type Issue struct {
	Repo      string    `json:"repo"` // "owner/name"
	Number    int       `json:"number"`
	URL       string    `json:"url"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	State     State     `json:"state"`
	Reason    string    `json:"reason,omitempty"` // completed, not_planned, duplicate …
	Author    Person    `json:"author"`
	Type      string    `json:"type,omitempty"` // the forge's issue type, if it has one
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	ClosedAt  time.Time `json:"closed_at,omitzero"`
	// TextEditedAt is the last edit of title or body, whoever made it. With
	// TextEditUnsure it is the latest moment at which there may have been one: the
	// forge does not tell whether there was.
	TextEditedAt   time.Time    `json:"text_edited_at,omitzero"`
	TextEditUnsure bool         `json:"text_edit_unsure,omitempty"`
	TextEditor     Person       `json:"text_editor,omitzero"`
	Labels         []string     `json:"labels,omitempty"`
	LabelEvents    []LabelEvent `json:"label_events,omitempty"`
	Comments       []Comment    `json:"comments"`
	Milestone      string       `json:"milestone,omitempty"`
	// BlockedBy are the open issues this one depends on, "owner/name#12", where the
	// forge keeps an issue open while there are any, also when the change that closes
	// it is merged (Gitea, Forgejo). nil where the forge closes it all the same, or
	// the issue is closed already.
	BlockedBy []string `json:"blocked_by,omitempty"`
	IsChange  bool     `json:"is_change,omitempty"` // the number belongs to a change, not an issue
	Problem   string   `json:"problem,omitempty"`   // why it could not be read: missing, foreign, forbidden; the rest is then zero
}

// LabelEvent is who set or removed a label, and when.
type LabelEvent struct {
	Label string    `json:"label"`
	Added bool      `json:"added"`
	Actor Person    `json:"actor"`
	At    time.Time `json:"at"`
}

// Blob is one file's content at one commit.
type Blob struct {
	Path    string `json:"path"`
	Commit  string `json:"commit"` // the commit it was read at
	OID     string `json:"oid,omitempty"`
	Text    string `json:"text,omitempty"`
	Missing bool   `json:"missing,omitempty"` // there is no such file at Commit
	Problem string `json:"problem,omitempty"` // there is one but it could not be read: binary, too large
}
