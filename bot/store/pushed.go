package store

import (
	"encoding/json"
	"time"

	"primum/rules/fact"
)

// Pushed is the sighting of somebody bringing a commit to a change, kept as a
// comment nobody can edit: under PushID, with the person as its text. ok is
// false for a person who is not known, and for bots, which are no authors.
func Pushed(forge, repoID, sha string, by fact.Person, at time.Time) (seen SeenComment, ok bool) {
	if sha == "" || !by.Known() || by.Bot {
		return SeenComment{}, false
	}
	raw, err := json.Marshal(by)
	if err != nil { // strings only
		return SeenComment{}, false
	}
	return SeenComment{
		Forge: forge, RepoID: repoID, CommentID: PushID(sha), First: string(raw), Known: true, Head: sha, At: at,
	}, true
}

// PushID is the id under which the push of a commit is remembered. No forge
// gives a comment such an id.
func PushID(sha string) string { return "push:" + sha }

// Push reads back what Pushed keeps; ok is false for any other sighting.
func (s SeenComment) Push() (p fact.Push, ok bool) {
	if s.CommentID != PushID(s.Head) || !s.Known || json.Unmarshal([]byte(s.First), &p.Person) != nil {
		return fact.Push{}, false
	}
	p.SHA, p.At = s.Head, s.At
	return p, p.Person.Known()
}
