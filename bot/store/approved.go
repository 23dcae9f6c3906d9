package store

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"primum/rules/fact"
)

// approvals begin the ids under which approvals are kept as sightings. No forge
// gives a comment such an id.
const approvals = "approval:"

// What a sighting of an approval says in Subject.
const (
	given     = "given"
	withdrawn = "withdrawn"
)

// Approved is the sighting of somebody approving a change at a commit, or taking
// the approval back, for forges that do not tell the commit later. Of one person
// on one change the newest stands; of two at the same time, the withdrawal.
func Approved(forge, repoID string, change int, by fact.Person, sha string, taken bool, at time.Time) (seen SeenComment, ok bool) {
	if !by.Known() || sha == "" && !taken {
		return SeenComment{}, false
	}
	raw, err := json.Marshal(by)
	if err != nil { // strings only
		return SeenComment{}, false
	}
	seen = SeenComment{
		Forge: forge, RepoID: repoID, CommentID: ApprovalID(change, by.ID), First: string(raw), Known: true, Head: sha, Subject: given, At: at,
	}
	if taken {
		seen.Subject = withdrawn
	}
	return seen, true
}

// ApprovalID is the id under which a person's approval of a change is kept.
func ApprovalID(change int, account string) string {
	return approvals + strconv.Itoa(change) + ":" + account
}

// SeenApproval is what Approved keeps.
type SeenApproval struct {
	By        fact.Person
	SHA       string
	Withdrawn bool
	At        time.Time
}

// Approval reads back what Approved keeps; ok is false for any other sighting.
func (s SeenComment) Approval() (a SeenApproval, ok bool) {
	if !strings.HasPrefix(s.CommentID, approvals) || !s.Known || json.Unmarshal([]byte(s.First), &a.By) != nil {
		return SeenApproval{}, false
	}
	a.SHA, a.Withdrawn, a.At = s.Head, s.Subject != given, s.At
	return a, a.By.Known()
}
