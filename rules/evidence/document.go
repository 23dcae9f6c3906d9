package evidence

import (
	"strings"
	"unicode"
)

// ParseDocument cuts a Markdown text at its headings. Bold labels at the start
// of a line ("**Reason:** text") make sections too, for people who do not use
// the form. It never fails: what is no section is no section.
func ParseDocument(md string) Document { return read(md, false).doc }

// Find returns the section that answers a field of one of the forms, by the
// field's id ("reason", "risk-1"). Titles are matched by the field's title and
// its aliases, without regard to case and punctuation. Where both forms have a
// field of that id, the document's own form goes first, then change-request; a
// form can be named ("anomaly/items"). Of several sections the first with text
// is taken. ok is false if there is none; a
// section left empty is found and has no Text.
func (d Document) Find(fieldID string) (Section, bool) {
	form, field, named := strings.Cut(fieldID, "/")
	if named {
		return d.find(form, field)
	}
	ids := [...]string{d.Form, FormChangeRequest, FormAnomaly, FormChange}
	var empty Section
	found := false
	for i, id := range ids {
		if id == "" || i > 0 && id == d.Form {
			continue
		}
		s, ok := d.find(id, fieldID)
		if ok && (s.Text != "" || len(s.Ticks) > 0) {
			return s, true
		}
		if ok && !found {
			empty, found = s, true
		}
	}
	return empty, found
}

func (d Document) find(form, field string) (Section, bool) {
	match, ok := matchers()[form+"/"+field]
	if !ok {
		return Section{}, false
	}
	best := -1
	for i := range d.Sections {
		s := &d.Sections[i]
		if !match.matches(s.Key) {
			continue
		}
		if s.Text != "" || len(s.Ticks) > 0 {
			return *s, true
		}
		if best < 0 {
			best = i
		}
	}
	if best < 0 {
		return Section{}, false
	}
	return d.Sections[best], true
}

// key is a title as Find matches it.
func key(title string) string {
	var b strings.Builder
	b.Grow(len(title))
	gap := false
	for _, r := range title {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		case unicode.IsSpace(r) || r == '-' || r == '_' || r == '/':
			gap = true
		}
	}
	return b.String()
}
