package publish

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"primum/forges"
	"primum/rules/fact"
)

// On forges where nothing ties a check to an account anybody who may push can
// set Primum's own to green. Reading shows it; Primum then puts its verdict back
// on top, whether or not it differs, and says who did what. Two services that
// each insist would go on for ever, so after so many times in an hour it takes a
// rest between two. It never leaves off: a verdict that is given up after ten
// forgeries asks for eleven.

// A verdict on one change is put back at once up to maxOverwrites times in
// fightFor, and after that no sooner than lull after the last time.
const (
	maxOverwrites = 10
	fightFor      = time.Hour
	lull          = time.Minute
)

// Names of store.Memory.Notes.
const (
	// noteOverwrites holds when verdicts were put back, within the last hour.
	noteOverwrites = "overwrites"
	// noteFight is until when it rests, RFC 3339; "" if it does not.
	noteFight = "fight_until"
)

// over is the newest check of our name by somebody else, if it stands on top of
// ours or ours is not there. Forges tell times in whole seconds: of two of one
// second the later id is on top, and where ids tell nothing, theirs.
func over(own *fact.Check, forged []fact.Check) *fact.Check {
	if len(forged) == 0 {
		return nil
	}
	top := &forged[len(forged)-1]
	if own == nil || top.At().After(own.At()) {
		return top
	}
	if top.At().Before(own.At()) {
		return nil
	}
	mine, errMine := strconv.ParseInt(own.ID, 10, 64)
	theirs, errTheirs := strconv.ParseInt(top.ID, 10, 64)
	if errMine == nil && errTheirs == nil && mine > theirs {
		return nil
	}
	return top
}

// Fight is until when a verdict of this subject is left below somebody else's;
// zero if there is no such time.
func Fight(notes map[string]string) time.Time {
	t, _ := time.Parse(time.RFC3339, notes[noteFight])
	return t
}

// covered reports whether somebody else's check hides ours and should be
// overwritten. It keeps when, and rests in between where it happens too often.
func (s *Subject) covered(c forges.Capabilities, standing forges.Posted, now time.Time) bool {
	s.note(noteFight, "")
	if c.PinnedCheck || s.Standing.Over == nil || standing.ID == "" {
		return false
	}
	recent := overwrites(s.Memory.Notes, now)
	if len(recent) >= maxOverwrites {
		if until := recent[len(recent)-1].Add(lull); now.Before(until) {
			s.note(noteFight, until.UTC().Format(time.RFC3339))
			return false
		}
		recent = recent[len(recent)-maxOverwrites+1:]
	}
	var kept []string
	for _, at := range append(recent, now) {
		kept = append(kept, at.UTC().Format(time.RFC3339))
	}
	s.note(noteOverwrites, strings.Join(kept, " "))
	return true
}

// overwrites are the times within the last hour at which a verdict was put back,
// oldest first; of many the newest.
func overwrites(notes map[string]string, now time.Time) []time.Time {
	var recent []time.Time
	for at := range strings.FieldsSeq(notes[noteOverwrites]) {
		if t, err := time.Parse(time.RFC3339, at); err == nil && now.Sub(t) < fightFor {
			recent = append(recent, t)
		}
	}
	return recent
}

// truce is the sentence that says that the verdict is not put back at once any
// more. It stays the same while the fight lasts.
func (s *Subject) truce(now time.Time) string {
	if len(overwrites(s.Memory.Notes, now)) < maxOverwrites {
		return ""
	}
	return fmt.Sprintf("Somebody goes on setting Primum's check: it was put back %d times within an hour and is now put back once a minute. "+
		"In between the forge may go by a verdict that is not Primum's", maxOverwrites)
}
