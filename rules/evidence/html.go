package evidence

import (
	"strings"

	"github.com/yuin/goldmark/ast"
)

// html reads a raw HTML block of the document: the hidden marker, and what a
// person typed behind a template's comment on the same line
// ("<!-- why? --> because …"), which a browser shows.
func (r *reader) html(n *ast.HTMLBlock) {
	var b strings.Builder
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		b.Write(seg.Value(r.src))
	}
	if n.HasClosure() {
		b.Write(n.ClosureLine.Value(r.src))
	}
	shown := r.withoutComments(b.String())
	if strings.TrimSpace(shown) == "" {
		return // nothing shown: the block before it stays the last
	}
	r.hasLast = false
	was := r.quoted
	words, tags := r.withoutTags(shown)
	if was > 0 || r.quoted > 0 || strings.TrimSpace(words) == "" {
		return
	}
	at := len(r.plain)
	r.plain = append(append(r.plain, words...), '\n')
	if isPlaceholder(strings.Trim(words, " \n_")) {
		r.plain = r.plain[:at]
		return
	}
	if tags { // a bot's release notes; links in it are somebody else's
		return
	}
	from := len(r.prose)
	r.addProse([]byte(words))
	r.endProse()
	r.hasLast, r.last = true, span{from: from, to: len(r.prose)}
}

// withoutComments drops HTML comments, reading the marker in them; an unclosed
// one reaches to the end.
func (r *reader) withoutComments(s string) string {
	if !strings.Contains(s, "<!--") {
		return s
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "<!--")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		comment, after, closed := strings.Cut(rest, "-->")
		r.marker("<!--" + comment + "-->")
		if !closed {
			return b.String()
		}
		s = after
	}
}

// withoutTags drops tags, counts quotations opened and closed, and drops the
// content of tags whose content is not prose.
func (r *reader) withoutTags(s string) (words string, tags bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "<")
		b.WriteString(before)
		if !found {
			return b.String(), tags
		}
		inner, after, closed := strings.Cut(rest, ">")
		name, end := tagName([]byte("<" + inner))
		if !closed || name == "" { // "a < b"
			b.WriteByte('<')
			s = rest
			continue
		}
		tags = true
		switch name {
		case "blockquote":
			if !end {
				r.quoted++
			} else if r.quoted > 0 {
				r.quoted--
			}
		case "script", "style":
			if i := strings.Index(strings.ToLower(after), "</"+name); i >= 0 && !end {
				after = after[i:]
			} else if !end {
				after = ""
			}
		}
		b.WriteByte(' ')
		s = after
	}
}

// marker remembers the form's name from a comment "<!-- primum:form:NAME -->".
// The first stands.
func (r *reader) marker(comment string) {
	s := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(comment, "<!--"), "-->"))
	name, ok := strings.CutPrefix(s, "primum:form:")
	if !ok || r.doc.Form != "" || name == "" || len(name) > 64 {
		return
	}
	for i := range len(name) {
		if c := name[i]; !isAlnum(c) && c != '-' {
			return
		}
	}
	r.doc.Form = name
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
