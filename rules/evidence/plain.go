package evidence

import "strings"

// plainText reads a text that needs no Markdown parser: headings, paragraphs,
// flat lists, fenced code, quotations and comments, each on lines of their own
// and with little markup in them, as issue forms mostly hold. It reports false
// when any line could mean more than it says; the parser reads the text then.
// Tests hold what is read here to the parser's answer.
func (r *reader) plainText(md string) bool {
	p := plainReader{reader: r, rest: md}
	for p.rest != "" {
		p.next()
		if !p.block() {
			return false
		}
	}
	p.end()
	return true
}

// plainReader goes over a text line by line.
type plainReader struct {
	*reader
	rest string // lines to come
	text string // the line at hand
	no   int    // its number
	was  plainState
	at   int // where the paragraph's text begins
	from int // where its prose begins
}

// plainState is what the line before belongs to.
type plainState int

const (
	inNothing plainState = iota
	inParagraph
	inList
	afterList // an empty line after a list
	inQuote
)

func (p *plainReader) next() {
	p.text, p.rest, _ = strings.Cut(p.rest, "\n")
	p.no++
}

// block reads the line at hand, and with it the block it opens if that holds
// its lines together.
func (p *plainReader) block() bool {
	if p.text == "" {
		p.end()
		if p.was == inList || p.was == afterList {
			p.was = afterList
		} else {
			p.was = inNothing
		}
		return true
	}
	if p.was == inQuote && p.text[0] != '>' {
		return false
	}
	if item, ok := listItem(p.text); ok {
		return p.was != inParagraph && p.was != afterList && p.item(item)
	}
	switch {
	case p.text[0] == '#' && (len(p.text) == 1 || p.text[1] < '0' || p.text[1] > '9'):
		return p.title()
	case p.was == inList:
		return false
	case p.text[0] == '>':
		p.end()
		p.hasLast = false
		p.was = inQuote
		return true
	case strings.HasPrefix(p.text, "```"):
		return p.fence()
	case strings.HasPrefix(p.text, "<!--"):
		return p.comment()
	case p.text == "_No response_":
		return p.was != inParagraph && (p.rest == "" || p.rest[0] == '\n') && p.paragraph("No response")
	}
	return startsPlain(p.text) && p.paragraph(p.text)
}

// end closes a paragraph.
func (p *plainReader) end() {
	if p.was != inParagraph {
		return
	}
	if isPlaceholder(string(p.plain[p.at:])) {
		p.plain = p.plain[:p.at]
	}
	p.plain = append(p.plain, '\n', '\n')
	p.endProse()
	p.hasLast, p.last = true, span{from: p.from, to: len(p.prose)}
	p.was = inNothing
}

func (p *plainReader) paragraph(words string) bool {
	if p.was == inParagraph {
		p.addWords("\n")
	} else {
		p.at, p.from = len(p.plain), len(p.prose)
	}
	p.was = inParagraph
	return p.words(words)
}

func (p *plainReader) title() bool {
	s := p.text
	level := 1
	for level < len(s) && s[level] == '#' {
		level++
	}
	if level > 6 || len(s) < level+2 || s[level] != ' ' || s[level+1] <= ' ' || s[len(s)-1] == '#' {
		return false
	}
	p.end()
	at := len(p.plain)
	if !p.words(s[level+1:]) {
		return false
	}
	name := strings.TrimSpace(string(p.plain[at:]))
	p.plain = p.plain[:at]
	p.endProse()
	p.hasLast = false
	p.section(name, level, p.no)
	p.was = inNothing
	return true
}

// listItem is what follows "- " or "1. " on a line.
func listItem(s string) (item string, ok bool) {
	if rest, ok := strings.CutPrefix(s, "- "); ok {
		return rest, true
	}
	i := 0
	for i < len(s) && i < 9 && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i > 0 && strings.HasPrefix(s[i:], ". ") {
		return s[i+2:], true
	}
	return "", false
}

func (p *plainReader) item(s string) bool {
	p.tick = nil
	if len(s) > 4 && s[0] == '[' && s[2] == ']' && s[3] == ' ' && s[4] > ' ' {
		done := s[1] == 'x' || s[1] == 'X'
		if !done && s[1] != ' ' {
			return false
		}
		p.tick = &done
		s = s[4:]
	}
	if _, nested := listItem(s); nested || !startsPlain(s) {
		return false
	}
	at := len(p.plain)
	if !p.words(s) {
		return false
	}
	p.said(at)
	p.plain = append(p.plain, '\n')
	p.endProse()
	p.hasLast = false
	p.was = inList
	return true
}

// fence reads a block of code between two lines of "```".
func (p *plainReader) fence() bool {
	for i := 3; i < len(p.text); i++ {
		if !isAlnum(p.text[i]) {
			return false
		}
	}
	p.end()
	for {
		if p.rest == "" {
			return false
		}
		p.next()
		if strings.HasPrefix(strings.TrimLeft(p.text, " "), "```") {
			break
		}
		p.plain = append(append(p.plain, p.text...), '\n')
	}
	p.plain = append(p.plain, '\n')
	p.hasLast = false
	p.was = inNothing
	return p.text == "```"
}

// comment reads an HTML comment that has its lines to itself.
func (p *plainReader) comment() bool {
	p.end()
	whole := p.text
	for {
		if i := strings.Index(whole, "-->"); i >= 0 {
			if i < 4 || i+3 != len(whole) || strings.Count(whole, "<!--") > 1 {
				return false
			}
			p.marker(whole)
			p.was = inNothing
			return true
		}
		if p.rest == "" {
			return false
		}
		p.next()
		whole += "\n" + p.text
	}
}

// startsPlain reports whether a line begins a paragraph and nothing else.
func startsPlain(s string) bool {
	if s == "" {
		return false
	}
	c := s[0]
	if c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '(' || c == '"' || c == '\'' || c == '`' || c == '/' {
		return true
	}
	if c == '#' { // "#12", which is no heading
		return len(s) > 1 && s[1] >= '0' && s[1] <= '9'
	}
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 || i == len(s) || s[i] != '.' && s[i] != ')' {
		return i > 0
	}
	return i+1 < len(s) && s[i+1] > ' ' // "1.4.2", which is no list
}

// words adds a line of plain words, simple `code` and simple *emphasis* to the
// text and the prose. It reports false if the line holds anything else with a
// meaning in Markdown.
func (r *reader) words(s string) bool {
	from := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == ' ' || c >= 0x80:
		case c < ' ' || c == 0x7f:
			return false
		case c == '[' || c == '~' || c == '|' || c == '\\':
			return false
		case c == '&' || c == '<':
			if i+1 < len(s) && s[i+1] != ' ' {
				return false
			}
		case c == '_':
			if i == 0 || i+1 == len(s) || !isAlnum(s[i-1]) || !isAlnum(s[i+1]) {
				return false
			}
		case c == '*':
			n, ok := emphasis(s, i)
			if !ok {
				return false
			}
			r.addWords(s[from:i])
			r.addWords(s[i+1 : i+1+n])
			i += n + 1
			from = i + 1
		case c == '`':
			n := strings.IndexByte(s[i+1:], '`')
			if n < 1 || s[i+1] == ' ' || s[i+n] == ' ' || strings.IndexByte(s[i+1:i+1+n], '\t') >= 0 || i+n+2 < len(s) && s[i+n+2] == '`' {
				return false
			}
			r.addWords(s[from:i])
			r.plain = append(r.plain, s[i+1:i+1+n]...)
			r.opaque()
			i += n + 1
			from = i + 1
		}
	}
	if s[len(s)-1] == ' ' {
		return false
	}
	r.addWords(s[from:])
	return true
}

// emphasis is the length of the words between the "*" at i and the next, if
// they are plain words set off by spaces.
func emphasis(s string, i int) (n int, ok bool) {
	if i == 0 || s[i-1] != ' ' {
		return 0, false
	}
	for n = 0; i+1+n < len(s) && s[i+1+n] != '*'; n++ {
		if c := s[i+1+n]; !isAlnum(c) && (c != ' ' || n == 0) {
			return 0, false
		}
	}
	end := i + 1 + n
	if n == 0 || end >= len(s) || s[end-1] == ' ' {
		return 0, false
	}
	return n, end+1 == len(s) || strings.IndexByte(" .,;:)", s[end+1]) >= 0
}

func (r *reader) addWords(s string) {
	r.plain = append(r.plain, s...)
	if r.want {
		r.prose = append(r.prose, s...)
	}
}
