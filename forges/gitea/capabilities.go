package gitea

import "primum/forges"

// Capabilities implements forges.Forge. The version is that of the last call; ""
// before the first.
func (f *Forge) Capabilities() forges.Capabilities {
	p := f.known()
	if p.name == "" {
		p.name = Gitea
	}
	return CapabilitiesOf(p.name, p.version)
}

// forgedUnseen is what follows for Primum's own status where no delivery tells.
const forgedUnseen = "One set in Primum's name is looked for every 5 seconds on each change that may not merge (PRIMUM_WATCH_INTERVAL), " +
	"and put back; until then it stands."

// CapabilitiesOf says what a product can at a version, without a call; the
// newest version is meant if it is "".
func CapabilitiesOf(name, version string) forges.Capabilities {
	p := product{name: name, version: version}
	c := forges.Capabilities{
		Product: name, Version: version, CommentMax: commentMax, ShortMax: shortMax, ChangeSign: "#",
		Lacks: map[forges.Trait]string{
			forges.TellsDismissal:  "A review that is dismissed or taken back is noticed with the next look at the change, at the latest by the sweep.",
			forges.TellsResets:     "An approval that a push takes away is told with the push.",
			forges.TellsReviewEdit: "The words of a review count as they were submitted; what is edited on its page later does not.",
			forges.TellsReviewText: "A delivery of a review has neither its id nor its commit; both are read.",
			forges.TellsThreads: "A conversation that is opened comes as a review. One that is answered looks like a plain comment, " +
				"and is noticed with the next look at the change.",
			forges.TellsResolving:    "A conversation that is resolved is noticed with the next look at the change.",
			forges.TellsReopening:    "A conversation that is opened again is noticed with the next look at the change.",
			forges.TellsPolicyOfBase: "Who may merge what is seen by \"primum doctor\" and by the sweep only.",
			forges.TellsTeams:        "Members of teams are asked for again after ten minutes, or with \"/primum recheck\".",
			forges.TellsTeamNames:    "A renamed or deleted team is noticed when members are asked for again.",
			forges.TellsMembers:      "Who joins or leaves the organisation is noticed when members are asked for again.",
			forges.TellsGrants:       "Who may do what in a repository is asked for when it matters.",
			forges.TellsRepoMoves:    "A renamed or moved repository is noticed with the next call to it, which the forge forwards.",
			forges.TellsDependencies: "A dependency that is added or removed is noticed with the next look at the change.",
			forges.TellsLabels:       "A label that is deleted or renamed everywhere is noticed with the next look at each change.",
			forges.TellsPaths:        "Which files a push touched is not believed, since one by force drops others unsaid: after each push to a target branch its changes are looked at.",
			forges.TellsApp:          "There are no apps: which repositories the account may see is found by listing them.",

			forges.ReadsEditors: "Who edited a comment or a text is not told: a command counts only as it was first seen.",
			forges.ReadsTextEdits: "When a text was edited is not told: approvals hold that Primum saw arrive, " +
				"and of others the one after which nothing was said.",
			forges.ReadsCloseReason: "An issue is closed without a reason.",
			forges.ReadsIssueType:   "Issues have no type; labels tell them apart.",
			forges.ReadsHandLinks:   "Issues are linked by words in the description alone, or by \"/primum link\".",
			forges.ReadsOutdated:    "Whether the lines of a conversation changed since is not told.",
			forges.ReadsMinimized:   "Comments cannot be hidden.",
			forges.ReadsBots:        "A machine's account looks like a person's; keep machines out of the teams the policy names.",
			forges.ReadsDrafts:      "A draft is a change whose title begins with \"WIP:\" or \"[WIP]\".",
			forges.ReadsCheckKey:    "A status keeps no key of ours; what stands is told by our own records.",

			forges.DoesNeutral:    "A verdict is green or red: advice is a green status whose line says that it is advice.",
			forges.DoesReviewTalk: "A review has no reactions: the comment answers instead.",
			forges.DoesRerun:      "A status has no button: comment \"/primum recheck\".",
			forges.DoesLimits:     "There is no budget of calls unless an administrator puts one in front.",
		},
		Notes: []string{
			"Anybody who may push can set any status. One that was set by somebody else in Primum's name is found, replaced and reported.",
			"An issue with an open dependency stays open when the change that closes it is merged.",
			"Teams do not hold teams: a team the policy names holds its people itself.",
			"An edit within the second in which a comment was written shows in its delivery only.",
			"Keep the account out of repositories it need not see: it reads all it may.",
		},
	}
	switch {
	case name == Forgejo:
		c.Lacks[forges.TellsStatus] = "A commit status comes without a delivery. Other checks are seen with the end of a workflow, or by the sweep. " + forgedUnseen
		c.Lacks[forges.TellsJobs] = "A job that begins or ends comes without a delivery: it is seen with the end of its workflow, or by the sweep."
		c.Lacks[forges.TellsIssueDeleted] = "An issue that is deleted is noticed with the next look at the change."
		if version != "" && !p.atLeast(10, 0) { // 7.0.2 does not, 10.0.0 does
			c.Lacks[forges.TellsTextEdits] = "The text of an issue or change edited through the API comes without a delivery: it is noticed by the sweep."
		}
	case version != "" && !p.atLeast(1, 23):
		c.Lacks[forges.TellsJobs] = "Before Gitea 1.23 a job comes without a delivery: it is noticed by the sweep."
		c.Lacks[forges.TellsStatus] = "Before Gitea 1.23 a commit status comes without a delivery. " + forgedUnseen
	}
	return c
}
