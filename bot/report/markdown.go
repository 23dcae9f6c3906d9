package report

import (
	"encoding/hex"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nothing is a zero width space: it keeps a forge from reading what follows as
// a mention, a reference or an address, and is invisible to people.
const nothing = "&#8203;"

// Clean makes one line of what others wrote: line ends and runs of spaces
// become one space; control, bidirectional and invisible characters are gone;
// what is not UTF-8 becomes U+FFFD.
func Clean(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = true
			continue
		case unicode.IsControl(r), hidden(r):
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}

// hidden reports whether a character is invisible or turns the direction of
// text: the ways to make a text read other than it is.
func hidden(r rune) bool {
	switch {
	case r < unicode.MaxASCII: // none of them is, and most text is ASCII
		return false
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Cs, r):
		return true
	case r == '\u115F', r == '\u1160', r == '\u3164', r == '\uFFA0', r == '\u034F': // fillers that show nothing
		return true
	case r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0100 && r <= 0xE01EF: // variation selectors
		return true
	default:
		return false
	}
}

// Clip shortens to at most n runes, the last of which is then "…". For n below
// one it is empty.
func Clip(s string, n int) string {
	if n < 1 {
		return ""
	}
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := 0
	for i := range s {
		if runes == n-1 {
			return strings.TrimRight(s[:i], " ") + "…"
		}
		runes++
	}
	return s
}

// ClipBytes shortens to at most n bytes without cutting a character; what was
// cut ends in "…" where that fits.
func ClipBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const dots = "…"
	if n < len(dots) {
		return ""
	}
	cut := n - len(dots)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.TrimRight(s[:cut], " ") + dots
}

// Plain writes what others wrote as text and nothing but text: no markup, no
// mention, no link, no reference, no HTML.
func Plain(s string) string {
	s = Clean(s)
	var b strings.Builder
	b.Grow(len(s) + len(s)/4)
	for i := 0; i < len(s); i++ {
		writePlain(&b, s, i)
	}
	return b.String()
}

// writePlain writes the byte at i. A character that Markdown gives a meaning to
// is escaped; one that a forge gives a meaning to in running text is followed
// by a zero width space.
func writePlain(b *strings.Builder, s string, i int) {
	c := s[i]
	next := byte(' ')
	if i+1 < len(s) {
		next = s[i+1]
	}
	switch c {
	case '&':
		b.WriteString("&amp;")
	case '<':
		b.WriteString("&lt;")
	case '>':
		b.WriteString("&gt;")
	case '\\', '`', '*', '_', '[', ']', '|', '$', '~':
		b.WriteByte('\\')
		b.WriteByte(c)
	case '@', '#', '!', '%':
		if i == 0 && c == '#' {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
		if next != ' ' {
			b.WriteString(nothing)
		}
	case ':':
		b.WriteByte(c)
		if next != ' ' && (next < '0' || next > '9') {
			b.WriteString(nothing)
		}
	case '.':
		if i > 0 && allDigits(s[:i]) { // would begin a list
			b.WriteByte('\\')
		}
		b.WriteByte(c)
		if i >= 3 && strings.EqualFold(s[i-3:i], "www") {
			b.WriteString(nothing)
		}
	case ')':
		if i > 0 && allDigits(s[:i]) {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	case '-':
		if i == 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
		if i >= 2 && strings.EqualFold(s[i-2:i], "GH") {
			b.WriteString(nothing)
		}
	case '+', '=':
		if i == 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	default:
		b.WriteByte(c)
	}
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Code writes what others wrote as a code span, in which forges read nothing.
// The result may stand in a table cell: a bar, which would end the cell, is
// written as the broken bar "¦".
func Code(s string) string {
	s = strings.ReplaceAll(Clean(s), "|", "¦")
	if s == "" {
		return ""
	}
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	fence := strings.Repeat("`", longest+1)
	if s[0] == '`' || s[len(s)-1] == '`' {
		s = " " + s + " "
	}
	return fence + s + fence
}

// Link writes a link with a text of ours or of others; where the address is not
// an absolute http or https one, only the text.
func Link(text, address string) string {
	target, ok := Address(address)
	if !ok {
		return Plain(text)
	}
	return "[" + Plain(text) + "](" + target + ")"
}

// Address makes an address safe to stand in a Markdown link; ok is false for
// anything but an absolute http or https address without credentials.
func Address(s string) (target string, ok bool) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return "", false
	}
	out := u.String()
	var b strings.Builder
	for i := range len(out) {
		switch c := out[i]; {
		case c <= ' ' || c > '~':
			return "", false
		case strings.IndexByte("()<>|\\`\"'*", c) >= 0:
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		case c == '&':
			b.WriteString("&amp;")
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}
