package sim

import "time"

// HappeningKind says what something happened to.
type HappeningKind string

// Happening kinds. The action is GitHub's word for it.
const (
	ChangeHappened         HappeningKind = "change"
	ReviewHappened         HappeningKind = "review"
	ReviewCommentHappened  HappeningKind = "review-comment"
	ThreadHappened         HappeningKind = "thread"
	IssueHappened          HappeningKind = "issue"
	CommentHappened        HappeningKind = "comment"
	ReactionHappened       HappeningKind = "reaction" // on Comment, Review or ReviewNote
	PushHappened           HappeningKind = "push"
	CheckRunHappened       HappeningKind = "check-run"
	CheckSuiteHappened     HappeningKind = "check-suite"
	StatusHappened         HappeningKind = "status"
	CandidateHappened      HappeningKind = "candidate"
	RequestHappened        HappeningKind = "review-request" // Member was asked for a review
	LabelHappened          HappeningKind = "label"
	RepoHappened           HappeningKind = "repository"
	ProtectionHappened     HappeningKind = "protection"
	MemberHappened         HappeningKind = "member"       // collaborator of a repository
	MembershipHappened     HappeningKind = "membership"   // of a team
	OrgMemberHappened      HappeningKind = "organization" // of an organisation
	TeamHappened           HappeningKind = "team"
	InstallationHappened   HappeningKind = "installation"
	InstalledReposHappened HappeningKind = "installed-repositories"
)

// Happening is something that happened, as it is told to subscribers. The
// pointers are into the forge itself: read them in the call and keep none.
type Happening struct {
	Kind   HappeningKind
	Action string
	At     time.Time
	Actor  *Account

	Owner        *Account // of the repository, or the organisation concerned
	Repo         *Repo
	Issue        *Issue // also of a change: Issue.Change is set
	Comment      *Comment
	Review       *Review
	Thread       *Thread
	ReviewNote   *ReviewComment
	Reaction     *Reaction
	Push         *Push
	CheckRun     *CheckRun
	Suite        *CheckSuite
	Status       *Status
	Candidate    *Candidate
	Label        *Label
	Protection   *Protection
	Branch       string // of Protection
	Team         *Team
	Member       *Account
	Installation *Installation
	Repos        []*Repo
	// Was holds former values: "title", "body", "base", "base_sha", "name", "owner", "before".
	Was map[string]string
	// Button is the identifier of a pressed button, Reason why a candidate ended.
	Button string
	Reason string
}

// Push is a branch that moved.
type Push struct {
	Ref     string // "refs/heads/main"
	Before  string // forty zeros if it is new
	After   string // forty zeros if it is gone
	Forced  bool
	Commits []*Commit // new on the branch, oldest first
}

// NoCommit is git's name for no commit.
const NoCommit = "0000000000000000000000000000000000000000"
