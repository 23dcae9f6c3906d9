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
// each insist would go on for ever, so it does that so often in an hour.

// maxOverwrites is how often in fightFor a verdict is put back on one change.
const (
	maxOverwrites = 10
	fightFor      = time.Hour
)

// Names of store.Memory.Notes.
const (
	// noteOverwrites holds when verdicts were put back, within the last hour.
	noteOverwrites = "overwrites"
	// noteFight is until when none is put back, RFC 3339; "" for none.
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

// Fight is until when a verdict of this subject is not put back on top of
// somebody else's; zero if there is no such time.
func Fight(notes map[string]string) time.Time {
	t, _ := time.Parse(time.RFC3339, notes[noteFight])
	return t
}

// covered reports whether somebody else's check hides ours and should be
// overwritten. It keeps when, and gives up for a while where it happens too often.
func (s *Subject) covered(c forges.Capabilities, standing forges.Posted, now time.Time) bool {
	s.note(noteFight, "")
	if c.PinnedCheck || s.Standing.Over == nil || standing.ID == "" {
		return false
	}
	var recent []string
	for at := range strings.FieldsSeq(s.Memory.Notes[noteOverwrites]) {
		if t, err := time.Parse(time.RFC3339, at); err == nil && now.Sub(t) < fightFor {
			recent = append(recent, at)
		}
	}
	if len(recent) >= maxOverwrites {
		first, _ := time.Parse(time.RFC3339, recent[0]) // it was parsed above
		s.note(noteFight, first.Add(fightFor).UTC().Format(time.RFC3339))
		return false
	}
	s.note(noteOverwrites, strings.Join(append(recent, now.UTC().Format(time.RFC3339)), " "))
	return true
}

// truce is the sentence that says that no verdict is put back for now.
func (s *Subject) truce() string {
	until := Fight(s.Memory.Notes)
	if until.IsZero() {
		return ""
	}
	return fmt.Sprintf("Somebody goes on setting Primum's check: it was put back %d times within an hour and is left as it is until %s. "+
		"Until then the forge may go by a verdict that is not Primum's", maxOverwrites, until.UTC().Format("15:04 UTC on 2006-01-02"))
}
