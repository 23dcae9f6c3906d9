package gitlab

import "primum/forges"

// Tiers of GitLab.
const (
	Free     = "free"
	Premium  = "premium"
	Ultimate = "ultimate"
)

// callsPerHour is what gitlab.com allows an account: 2,000 a minute.
const callsPerHour = 2000 * 60

// Capabilities implements forges.Forge. The tier is not known: it is said what
// holds on each.
func (f *Forge) Capabilities() forges.Capabilities {
	c := CapabilitiesOf("")
	if !f.public() { // what an administrator allows is told by answers alone
		c.CallsPerHour = 0
	}
	if len(f.signing) > 0 {
		delete(c.Lacks, forges.DoesSignBodies)
	}
	return c
}

// CapabilitiesOf says what GitLab can on a tier, without a call; what holds on
// every tier if it is "". The budget is that of gitlab.com.
func CapabilitiesOf(tier string) forges.Capabilities {
	c := forges.Capabilities{
		Product: "GitLab", CommentMax: commentMax, ShortMax: shortMax, ChangeSign: "!", CallsPerHour: callsPerHour,
		Lacks: map[forges.Trait]string{
			forges.TellsResets:       "An approval that a push takes away is told with the push.",
			forges.TellsReviewEdit:   "An approval has no words that could be edited.",
			forges.TellsReviewText:   "An approval has no words: sign with a comment.",
			forges.TellsRefusals:     "A reviewer who asks for changes is noticed with the next look at the change.",
			forges.TellsReopening:    "A thread that is opened again is noticed with the next look at the change.",
			forges.TellsStatus:       "A commit status comes without a delivery unless it changes the state of its pipeline; the sweep finds it.",
			forges.TellsIssueDeleted: "An issue that is deleted is noticed with the next look at the change.",
			forges.TellsCommentGone:  "A comment that is deleted is noticed with the next look at the change.",
			forges.TellsPreviousText: "What a comment said before an edit is not told: a command counts only as it was first seen.",
			forges.TellsTeamNames:    "A renamed or deleted group is noticed when members are asked for again, within ten minutes.",
			forges.TellsGrants:       "Who may do what in a project is asked for when it matters.",
			forges.TellsRepoMoves:    "A renamed or moved project is noticed with the next call to it; its number stays.",
			forges.TellsPolicyOfBase: "Who may merge what is seen by \"primum doctor\" and by the sweep only.",
			forges.TellsDependencies: "A link between issues is noticed with the next look at the change.",
			forges.TellsLabels:       "A label that is deleted or renamed everywhere is noticed with the next look at each change.",
			forges.TellsApp:          "There are no apps: which projects the account may see is found by listing them.",

			forges.ReadsCloseReason:  "An issue is closed without a reason.",
			forges.ReadsReviewCommit: "GitLab does not keep the commit of an approval: Primum takes that of the version which stood when it was given. Older instances do not tell that moment; there it is the version that stood a minute before GitLab's note, so that one in doubt counts for the older.",
			forges.ReadsReviewText:   "An approval has no words: sign with a comment.",
			forges.ReadsDismissals:   "An approval that was taken away is gone without a trace.",
			forges.ReadsMinimized:    "Comments cannot be hidden.",
			forges.ReadsCheckKey:     "A status keeps no key of ours; what stands is told by our own records.",
			forges.ReadsIssueType:    "An issue has one of GitLab's own types; labels tell kinds apart.",
			forges.ReadsHandLinks:    "Issues are linked by words in the description, or by \"/primum link\".",
			forges.ReadsDrafts:       "A draft is a change whose title begins with \"Draft:\".",
			forges.ReadsEmails:       "Whose address a commit carries is told of authors; of committers and co-authors only where the account shows it.",

			forges.DoesNeutral:    "A verdict is green or red: advice is a green status whose line says that it is advice.",
			forges.DoesPending:    "There is no verdict that waits, since GitLab lets none wait for long: it is red, and its line says what it waits for.",
			forges.DoesReviewTalk: "An approval has no reactions: the comment answers instead.",
			forges.DoesRerun:      "A status has no button: comment \"/primum recheck\".",
			forges.DoesSignBodies: "A delivery carries a secret and is not signed, unless the webhook has a signing token.",
		},
		Notes: []string{
			"A verdict blocks by one of four ways, which the verdict page names: an external status check (Ultimate), a job in the pipeline, an approval rule (Premium), a commit status. Each wants its setting in the project; \"primum doctor\" looks at it.",
			"A group stands for its members, those of the groups above it, and those of the groups it was shared with; not for the members of groups below it.",
			"Anybody who may push can set any commit status. One that was set by somebody else in Primum's name is found, replaced and reported.",
			"As a commit status the verdict is a job of the head's pipeline and is set again when a new one appears; the pipeline of a change from a fork is the fork's, where neither it nor the job blocks, but only an external status check or an approval rule.",
			"As an approval rule the verdict of the commit before stands until Primum has judged the new one, unless the project removes approvals on a push.",
			"Of threads that are resolved the last one is told at once, others are noticed with the next look at the change.",
			"On merge trains only a job in the pipeline blocks.",
			"A push to more than three branches at once comes without a delivery; the sweep finds it.",
			"gitlab.com allows an account 2,000 calls and 60 notes a minute; elsewhere an administrator sets it. What answers say of it is kept to.",
			"It asks in words GitLab knows since version 17.",
		},
	}
	if tier == Free || tier == "" {
		c.Lacks[forges.TellsTeams] = "Only group webhooks tell of members, from Premium on: members of groups are asked for again after ten minutes, or with \"/primum recheck\"."
		c.Lacks[forges.TellsMembers] = "Only group webhooks tell of members, from Premium on: they are asked for again after ten minutes."
		c.Lacks[forges.TellsRepoGone] = "Only group webhooks tell of a project that is deleted, from Premium on: it is noticed with the next call to it."
	}
	return c
}
