package forges

// Capabilities describes a forge; a difference between forges is declared here
// with a sentence rather than discovered. "primum forges" prints it.
type Capabilities struct {
	Product     string // "GitHub", "GitLab", "Gitea", "Forgejo"
	Version     string // as the forge reports it; "" if it was not asked yet
	Annotations bool
	Buttons     bool
	MergeQueue  bool
	DeliveryLog bool
	PinnedCheck bool // only our app can set the required check
	CommentMax  int  // bytes of a comment
	SummaryMax  int  // bytes of a report's summary and text; 0 if it has none
	ShortMax    int  // bytes of a report's Short
	// ChangeSign stands before the number of a change in text: "#", or "!"
	// where changes and issues are counted apart.
	ChangeSign string
	// CallsPerHour is the known budget; 0 if none.
	CallsPerHour int
	// Lacks names what this forge has not, each with a sentence for people on what
	// follows from it. What is not named here it has, and forgetest holds it to that.
	Lacks map[Trait]string
	Notes []string
}

// Has reports whether the forge has a trait.
func (c Capabilities) Has(t Trait) bool {
	_, lacks := c.Lacks[t]
	return !lacks
}

// Silent reports whether some deed that bears on verdicts comes without a
// delivery, so that only looking finds it.
func (c Capabilities) Silent() bool {
	for t := range c.Lacks {
		if t.Delivery() {
			return true
		}
	}
	return false
}

// Trait is something in which forges differ.
type Trait string

// What deliveries tell.
const (
	TellsDismissal    Trait = "delivery: a review is dismissed"
	TellsResets       Trait = "delivery: a push takes approvals away"
	TellsReviewEdit   Trait = "delivery: a review's words are edited"
	TellsThreads      Trait = "delivery: a thread is opened or answered"
	TellsResolving    Trait = "delivery: a thread is resolved"
	TellsReopening    Trait = "delivery: a thread is opened again"
	TellsStatus       Trait = "delivery: a commit status is set"
	TellsTextEdits    Trait = "delivery: the text of an issue or change is edited through the API"
	TellsIssueDeleted Trait = "delivery: an issue is deleted"
	TellsCommentGone  Trait = "delivery: a comment is deleted"
	TellsTeams        Trait = "delivery: the members of a team change"
	TellsRepoMoves    Trait = "delivery: a repository is renamed or moved"
	TellsPolicyOfBase Trait = "delivery: the protection of a branch changes"
	TellsDependencies Trait = "delivery: an issue's dependencies change"
	TellsMilestones   Trait = "delivery: an issue gets a milestone"
	TellsBranchGone   Trait = "delivery: the branch of a change is deleted"
	TellsPreviousText Trait = "delivery: what a comment said before an edit"
	TellsApp          Trait = "delivery: where the app is installed"
	TellsRefusals     Trait = "delivery: a review asks for changes"
	TellsReviewText   Trait = "delivery: the words of a review, with its id"
	TellsTeamNames    Trait = "delivery: a team is renamed or deleted"
	TellsMembers      Trait = "delivery: somebody joins or leaves the organisation"
	TellsGrants       Trait = "delivery: who may do what in a repository changes"
	TellsRepoGone     Trait = "delivery: a repository is deleted"
	TellsPaths        Trait = "delivery: every file a push touched"
	TellsLabels       Trait = "delivery: a label is deleted everywhere"
	TellsJobs         Trait = "delivery: a job of a pipeline begins or ends"
)

// What can be read.
const (
	ReadsEditors      Trait = "reading: who edited a comment or a text"
	ReadsEdits        Trait = "reading: that a comment was edited"
	ReadsLabelEvents  Trait = "reading: who set a label, and when"
	ReadsCloseReason  Trait = "reading: why an issue was closed"
	ReadsIssueType    Trait = "reading: the type of an issue"
	ReadsForgeLinks   Trait = "reading: which issues the forge itself links to a change"
	ReadsHandLinks    Trait = "reading: issues linked by hand"
	ReadsSignatures   Trait = "reading: the signature of a commit"
	ReadsReviewCommit Trait = "reading: the commit of an approval"
	ReadsReviewText   Trait = "reading: the words of an approval"
	ReadsRefusals     Trait = "reading: reviews that ask for changes"
	ReadsDismissals   Trait = "reading: who dismissed a review"
	ReadsThreads      Trait = "reading: threads and whether they are resolved"
	ReadsOutdated     Trait = "reading: that a thread is outdated"
	ReadsMinimized    Trait = "reading: that a comment is hidden"
	ReadsCheckSource  Trait = "reading: who set a check"
	ReadsBots         Trait = "reading: that an account is a bot"
	ReadsDrafts       Trait = "reading: drafts other than by title"
	ReadsEmails       Trait = "reading: whose address a commit carries"
	ReadsRename       Trait = "reading: the former path of a renamed file"
	ReadsCheckKey     Trait = "reading: the key we stored with our check"
	ReadsTextEdits    Trait = "reading: when the text of an issue was edited"
	ReadsTeamsBelow   Trait = "reading: the members of the teams below a team"
)

// What can be done.
const (
	DoesNeutral    Trait = "writing: a verdict that is neither green nor red"
	DoesPending    Trait = "writing: a verdict that waits"
	DoesReactions  Trait = "writing: reactions"
	DoesReviewTalk Trait = "writing: reactions on a review"
	DoesSuspend    Trait = "access: suspended by the owner"
	DoesRerun      Trait = "access: a check asked for again"
	DoesLimits     Trait = "access: a budget of calls"
	DoesSignBodies Trait = "access: deliveries are signed over their body"
)

// Delivery reports whether the trait is about deliveries.
func (t Trait) Delivery() bool { return len(t) > 9 && t[:9] == "delivery:" }
