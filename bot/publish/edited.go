package publish

import (
	"slices"
	"strings"
	"time"

	"primum/bot/store"
	"primum/rules/fact"
)

// Whoever may write to a repository can edit Primum's comment on most forges, and
// what they write stands in Primum's name. Reading shows it; Primum then writes
// again what it has to say, and the verdict keeps who did it.
//
// A forge may show a text otherwise than it was given, which is no edit. Where it
// tells who edited a comment there is no doubt. Where it does not, a text that
// was read back once as it was written can have been changed by a person only;
// before that it is written again without a word, and whoever edited is named
// once what we wrote is seen to stay. Whatever it is, nothing is put back more
// often than maxOverwrites times in fightFor.

// maxEdits bounds how many people who edited our comment are remembered.
const maxEdits = 5

// mend is a text of somebody else's under our name, to be written over.
type mend struct {
	over string // its digest
	edit fact.Edit
	sure bool // a person wrote it, not the forge
}

// why is for the ledger.
func (m *mend) why() string {
	if !m.sure {
		return "the comment says something else than was written"
	}
	return "the comment was edited by " + either(m.edit.By.Login, "somebody the forge does not name")
}

// Compare looks at our comment as it was read and gives what is known of it now.
// tells says that the forge names the editors of comments. Nothing is concluded
// from a comment that was not read: only a refused write shows that it is gone.
// tried is asked for the texts of ours that may stand there without our knowing.
func (s *Standing) Compare(m store.CommentMemory, tells bool, now time.Time, tried func() ([]string, error)) (store.CommentMemory, error) {
	at := slices.IndexFunc(s.Ours, func(k fact.Comment) bool { return k.ID == m.ID })
	if at < 0 || m.ID == "" || m.Deleted || m.Refused {
		return m, nil
	}
	k := &s.Ours[at]
	seen := looseDigest(k.Body)
	switch {
	case seen == m.Text, seen == m.Form, m.Text == "" && textDigest(k.Body) == m.Digest:
		if m.OverEdit != nil { // what we put back stays: the forge had not made it
			m.Edits = noted(m.Edits, *m.OverEdit)
		}
		m.Seen, m.Over, m.OverEdit = true, "", nil
		return m, nil
	case k.Editor.Known() && k.Editor.Is(k.Author), tells && k.EditedAt.IsZero():
		m.Form, m.Seen, m.Over, m.OverEdit = seen, true, "", nil
		return m, nil
	case !k.Editor.Known():
		ours, err := tried()
		if err != nil {
			return m, err
		}
		if slices.Contains(ours, seen) {
			m.Digest, m.Text = textDigest(k.Body), seen
			m.Form, m.Seen, m.Over, m.OverEdit = "", true, "", nil
			return m, nil
		}
	}
	edit := fact.Edit{At: k.EditedAt}
	if k.Editor.Known() {
		edit.By = k.Editor
	}
	sure := k.Editor.Known() || m.Seen
	if len(lately(m.Mended, now)) >= maxOverwrites {
		if !sure && seen == m.Over { // the forge goes on making this of it
			m.Form, m.Over, m.OverEdit = seen, "", nil
		}
		return m, nil
	}
	if sure {
		m.Edits = noted(m.Edits, edit)
	}
	s.mend = &mend{over: seen, edit: edit, sure: sure}
	return m, nil
}

// wrote keeps what our comment says now.
func (s *Subject) wrote(a Act, now time.Time) {
	m := &s.Memory.Comment
	m.Digest, m.Refused = a.Digest, false
	if text := looseDigest(a.Body); text != m.Text {
		m.Text, m.Form, m.Seen = text, "", false
	}
	if d := s.Standing.mend; d != nil {
		m.Mended = append(lately(m.Mended, now), now)
		m.Over, m.OverEdit = "", nil
		if !d.sure {
			m.Over, m.OverEdit = d.over, &d.edit
		}
		s.Standing.mend = nil
	}
}

// PutBack reports whether a text of which it is not known who made it was written
// over between two states: it should be looked at soon whether ours stays.
func PutBack(before, now store.CommentMemory) bool {
	return now.Over != "" && len(now.Mended) > 0 && !slices.ContainsFunc(before.Mended, now.Mended[len(now.Mended)-1].Equal)
}

// lately are the times within fightFor before now.
func lately(times []time.Time, now time.Time) []time.Time {
	var out []time.Time
	for _, t := range times {
		if now.Sub(t) < fightFor {
			out = append(out, t)
		}
	}
	return out
}

// noted adds an edit, as the newest of its maker.
func noted(edits []fact.Edit, e fact.Edit) []fact.Edit {
	out := slices.DeleteFunc(slices.Clone(edits), func(old fact.Edit) bool { return old.By.ID == e.By.ID })
	out = append(out, e)
	if n := len(out); n > maxEdits {
		out = out[n-maxEdits:]
	}
	return out
}

// looseDigest identifies a text without what forges and adapters change in one:
// line ends, space at the ends of lines, blank lines, and the backslash that takes
// the meaning of an order from a line that begins with "/".
func looseDigest(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	var b strings.Builder
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimSpace(line)
		if text := strings.TrimLeft(line, " \t>"); strings.HasPrefix(text, `\/`) {
			line = line[:len(line)-len(text)] + text[1:]
		}
		if line != "" {
			b.WriteString(line + "\n")
		}
	}
	return textDigest(b.String())
}
