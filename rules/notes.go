package rules

import (
	"strings"
	"time"

	"primum/rules/fact"
	"primum/rules/policy"
)

// notesOf lists what people should know beside what the rules say: verdicts that
// are not Primum's, and issues that merging will not close.
func notesOf(c *fact.Change, is *issues) []Note {
	var out []Note
	for i := range c.Forged {
		out = append(out, forged(&c.Forged[i]))
	}
	for i := range c.Edits {
		out = append(out, edited(&c.Edits[i]))
	}
	if c.State != fact.Open {
		return out
	}
	for i := range is.all {
		if n, ok := staysOpen(&is.all[i]); ok {
			out = append(out, n)
		}
	}
	return out
}

// forged says who set a check of our name, when, and to what. On some forges
// anybody who may push can, and nothing ties a name to an account.
func forged(k *fact.Check) Note {
	by := "somebody the forge does not name"
	if k.Source != "" {
		by = code(k.Source)
	}
	text := by + " set " + code(k.Name) + " on this commit to " + string(k.State)
	if at := k.At(); !at.IsZero() {
		text += " on " + at.UTC().Format("2006-01-02 at 15:04:05 UTC")
	}
	return Note{
		Kind: ForgedVerdict, Text: text + "; that is not Primum's verdict and counts for nothing",
		By: k.Source, At: k.At().UTC().Truncate(time.Second), URL: k.URL,
	}
}

// edited says who changed what stands in Primum's name, and when.
func edited(e *fact.Edit) Note {
	by := "Somebody the forge does not name"
	if e.By.Known() {
		by = code(login(e.By))
	}
	text := by + " edited Primum's comment"
	if !e.At.IsZero() {
		text += " on " + e.At.UTC().Format("2006-01-02 at 15:04:05 UTC")
	}
	return Note{
		Kind: EditedComment, Text: text + "; that was not Primum's and counts for nothing",
		By: e.By.Login, At: e.At.UTC().Truncate(time.Second),
	}
}

// staysOpen says that the forge will leave an issue open that the change closes
// when merged. It does so silently, and the record then shows work as unfinished.
func staysOpen(l *linked) (Note, bool) {
	if !l.link.Closes || l.facts.State != fact.Open || len(l.facts.BlockedBy) == 0 {
		return Note{}, false
	}
	var on []string
	for _, ref := range l.facts.BlockedBy {
		ref = strings.TrimPrefix(ref, l.facts.Repo+"#")
		if !strings.Contains(ref, "#") {
			ref = "#" + ref
		}
		on = append(on, ref)
	}
	verb := ", which is open"
	if len(on) > 1 {
		verb = ", which are open"
	}
	return Note{
		Kind: StaysOpen, Text: "Merging will not close " + l.ref + ": it depends on " + few(on) + verb,
		Fix: "Settle what it depends on first, or close " + l.ref + " by hand after the merge", URL: l.facts.URL,
	}, true
}

// mergedPast says that a change was merged that should not have been: by somebody
// who may pass the check, or because nothing asked for it.
func mergedPast(c *fact.Change, v *Verdict) (Note, bool) {
	if c.State != fact.Merged || v.Mode != policy.Enforce {
		return Note{}, false
	}
	missing := ""
	switch v.State {
	case Fail:
		missing = "something was missing"
	case Pending:
		missing = "something was waited for"
	case Unknown:
		missing = "a part of it could not be read"
	case Pass, Waived, NA:
		return Note{}, false
	}
	return Note{
		Kind: MergedPast, Text: "This change was merged past its verdict, while " + missing, At: c.MergedAt,
		Fix: "Supply what is missing or revert it, and open a problem report; require the check " + code("primum") + " on " + code(c.Base.Name) + ", for administrators too",
		URL: c.URL,
	}, true
}
