package evidence

import (
	"bytes"
	"strings"
	"sync"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown is the one parser: CommonMark with GitHub's tables, strikethrough
// and task lists. Bare URLs are found by prose, which is cheaper than goldmark's
// linkifier and needs to know the forge's host anyway. It is built on first use
// and safe for concurrent use.
//
//nolint:gochecknoglobals // a value built once and never changed; building it costs more than a parse
var markdown = sync.OnceValue(func() parser.Parser {
	return parser.NewParser(
		parser.WithBlockParsers(parser.DefaultBlockParsers()...),
		parser.WithInlineParsers(append(parser.DefaultInlineParsers(),
			util.Prioritized(extension.NewTaskCheckBoxParser(), 0),
			util.Prioritized(extension.NewStrikethroughParser(), 500))...),
		parser.WithParagraphTransformers(append(parser.DefaultParagraphTransformers(),
			util.Prioritized(extension.NewTableParagraphTransformer(), 200))...),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
	)
})

// Marks in flattened prose. Control characters of the text itself become
// spaces, so that nobody can write them.
const (
	urlMark    = '\x01' // around the address of a link
	opaqueMark = '\x02' // code, an image, a tag: separates words, is none
)

// reader walks one parsed text and collects what Document, links and trailers
// need in a single pass.
type reader struct {
	src   []byte
	plain []byte // text of sections
	prose []byte // flattened paragraphs for links, each ended by "\n\n"; only if wanted
	want  bool   // prose is wanted

	doc   Document
	open  []int // indices of open sections, outermost first
	spans []span

	line, lineAt int // line number of offset lineAt

	quoted   int // depth of open <blockquote> tags
	last     span
	hasLast  bool // last is the prose of the last block, which is a paragraph
	tick     *bool
	anchored int // depth of open inline <a>, <code> … tags
}

// span is a range of a buffer, and for sections the heading's level.
type span struct{ level, from, to int }

// labelLevel is the level of a section made by a bold label.
const labelLevel = 7

// read reads a text; prose says whether links and trailers are wanted too.
func read(md string, prose bool) *reader {
	md = bounded(md)
	r := newReader(md, prose)
	if strings.TrimSpace(md) == "" {
		return r
	}
	if !r.plainText(strings.TrimRight(md, "\n")) {
		r = newReader(md, prose)
		r.markdown(tame(md))
	}
	r.finish()
	return r
}

func newReader(md string, prose bool) *reader {
	r := &reader{want: prose, line: 1, plain: make([]byte, 0, len(md)+16)}
	if n := min(strings.Count(md, "\n#")+1, 64); n > 1 {
		r.doc.Sections, r.spans = make([]Section, 0, n), make([]span, 0, n)
	}
	if prose {
		r.prose = make([]byte, 0, len(md)+64)
	}
	return r
}

// markdown reads a text with the parser.
func (r *reader) markdown(md string) {
	r.src = []byte(md)
	root := markdown().Parse(text.NewReader(r.src))
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		r.top(n)
	}
}

// finish cuts the text of the sections out of the whole.
func (r *reader) finish() {
	r.closeTo(0)
	if len(r.spans) == 0 {
		r.doc.Sections = nil
		return
	}
	whole := string(r.plain)
	for i := range r.doc.Sections {
		r.doc.Sections[i].Text = answered(whole[r.spans[i].from:r.spans[i].to])
	}
}

// answered is the text without surrounding space, "" for a form's placeholder.
func answered(s string) string {
	s = strings.TrimSpace(s)
	if isPlaceholder(s) {
		return ""
	}
	return s
}

// isPlaceholder reports what GitHub and Gitea write for a field left empty.
func isPlaceholder(s string) bool { return strings.EqualFold(s, "No response") }

// top reads a block that stands directly in the document.
func (r *reader) top(n ast.Node) {
	if h, ok := n.(*ast.HTMLBlock); ok {
		r.html(h)
		return
	}
	if r.quoted > 0 {
		r.hasLast = false
		return
	}
	if h, ok := n.(*ast.Heading); ok {
		r.heading(h)
		return
	}
	from := len(r.prose)
	r.block(n, 0)
	_, r.hasLast = n.(*ast.Paragraph)
	r.last = span{from: from, to: len(r.prose)}
}

func (r *reader) heading(h *ast.Heading) {
	r.hasLast = false
	at := len(r.plain)
	r.inlines(h, false)
	title := strings.TrimSpace(string(r.plain[at:]))
	r.plain = r.plain[:at] // a title is no answer to the section around it
	r.endProse()
	line := r.line
	if h.Lines().Len() > 0 {
		line = r.lineOf(h.Lines().At(0).Start)
	}
	r.section(title, h.Level, line)
}

// section opens a section and closes those it ends.
func (r *reader) section(title string, level, line int) {
	r.closeTo(level)
	r.open = append(r.open, len(r.doc.Sections))
	r.doc.Sections = append(r.doc.Sections, Section{Title: title, Key: key(title), Line: line})
	r.spans = append(r.spans, span{level: level, from: len(r.plain), to: len(r.plain)})
}

// closeTo closes open sections of this level and below.
func (r *reader) closeTo(level int) {
	for len(r.open) > 0 {
		i := r.open[len(r.open)-1]
		if r.spans[i].level < level {
			return
		}
		r.spans[i].to = len(r.plain)
		r.open = r.open[:len(r.open)-1]
	}
}

// lineOf is the line of an offset; offsets must not fall.
func (r *reader) lineOf(offset int) int {
	if offset > r.lineAt {
		r.line += bytes.Count(r.src[r.lineAt:offset], []byte{'\n'})
		r.lineAt = offset
	}
	return r.line
}

// block reads any block but headings and raw HTML of the document itself.
func (r *reader) block(n ast.Node, depth int) {
	if depth > maxNest {
		return
	}
	switch n := n.(type) {
	case *ast.Paragraph:
		r.paragraph(n, depth == 0)
		r.plain = append(r.plain, '\n')
	case *ast.TextBlock, *ast.Heading:
		r.paragraph(n, false)
	case *extast.TableCell:
		r.paragraph(n, false)
		if n := len(r.plain); n > 0 && r.plain[n-1] == '\n' {
			r.plain[n-1] = ' '
		}
	case *extast.TableHeader, *extast.TableRow:
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			r.block(c, depth+1)
		}
		r.plain = append(r.plain, '\n')
	case *ast.Blockquote, *ast.ThematicBreak, *ast.HTMLBlock:
		// A quotation is somebody else's words.
	case *ast.CodeBlock:
		r.code(n.Lines())
	case *ast.FencedCodeBlock:
		r.code(n.Lines())
	default:
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			r.block(c, depth+1)
		}
	}
}

// code adds a code block to the text of sections, and to nothing else.
func (r *reader) code(lines *text.Segments) {
	for i := range lines.Len() {
		seg := lines.At(i)
		r.plain = append(r.plain, seg.Value(r.src)...)
	}
	r.plain = append(r.plain, '\n')
}

func (r *reader) paragraph(n ast.Node, labels bool) {
	at := len(r.plain)
	r.anchored = 0
	r.tick = nil
	r.inlines(n, labels)
	r.said(at)
	r.plain = append(r.plain, '\n')
	r.endProse()
}

// said looks at what a paragraph or list item said, which begins at an offset
// of plain: an option not chosen and a form's placeholder say nothing.
func (r *reader) said(at int) {
	if r.tick != nil {
		option := strings.TrimSpace(string(r.plain[at:]))
		for _, i := range r.open {
			s := &r.doc.Sections[i]
			s.Ticks = append(s.Ticks, Tick{Text: option, Done: *r.tick})
		}
		if !*r.tick {
			r.plain = r.plain[:at]
		}
		r.tick = nil
	}
	if isPlaceholder(string(bytes.TrimSpace(r.plain[at:]))) {
		r.plain = r.plain[:at]
	}
}

func (r *reader) endProse() {
	if r.want {
		r.prose = append(r.prose, '\n', '\n')
	}
}

// inlines reads the inline children of a block. With labels, a bold label at
// the start of a line opens a section.
func (r *reader) inlines(parent ast.Node, labels bool) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if labels {
			if last, ok := r.label(n); ok {
				n = last
				continue
			}
		}
		r.inline(n, 0)
	}
}

// label opens a section if n is "**Title:**" or "**Title**:" at the start of a
// line, and returns the last node it used up.
func (r *reader) label(n ast.Node) (last ast.Node, ok bool) {
	strong, is := n.(*ast.Emphasis)
	if !is || strong.Level != 2 || !startsLine(n) {
		return nil, false
	}
	at, prose := len(r.plain), len(r.prose)
	r.inline(n, 0)
	title := strings.TrimSpace(string(r.plain[at:]))
	trimmed := strings.TrimSuffix(title, ":")
	last = n
	if trimmed == title { // the colon must follow then
		next, isText := n.NextSibling().(*ast.Text)
		if !isText || !bytes.HasPrefix(next.Segment.Value(r.src), []byte(":")) {
			r.plain, r.prose = r.plain[:at], r.prose[:prose]
			return nil, false
		}
	}
	r.plain = r.plain[:at]
	line := r.line
	if t, isText := strong.FirstChild().(*ast.Text); isText {
		line = r.lineOf(t.Segment.Start)
	}
	r.section(strings.TrimSpace(trimmed), labelLevel, line)
	if trimmed == title {
		next, _ := n.NextSibling().(*ast.Text)
		at = len(r.plain)
		r.inline(next, 0)
		r.plain = append(r.plain[:at], bytes.TrimPrefix(r.plain[at:], []byte(":"))...)
		last = next
	}
	return last, true
}

// startsLine reports whether an inline node is the first of its line.
func startsLine(n ast.Node) bool {
	prev := n.PreviousSibling()
	if prev == nil {
		return true
	}
	t, ok := prev.(*ast.Text)
	return ok && (t.SoftLineBreak() || t.HardLineBreak())
}

func (r *reader) inline(n ast.Node, depth int) {
	if depth > maxNest {
		return
	}
	switch n := n.(type) {
	case *ast.Text:
		r.text(n)
	case *ast.String:
		r.plain = append(r.plain, n.Value...)
		r.addProse(n.Value)
	case *ast.CodeSpan:
		r.plainOf(n, depth)
		r.opaque()
	case *ast.Image:
		r.plainOf(n, depth)
		r.opaque()
	case *ast.Link:
		r.plainOf(n, depth)
		r.address(n.Destination)
	case *ast.AutoLink:
		label := n.Label(r.src)
		r.plain = append(r.plain, label...)
		if n.AutoLinkType == ast.AutoLinkURL {
			r.address(n.URL(r.src))
		} else {
			r.addProse(label)
		}
	case *ast.RawHTML:
		r.tag(n)
	case *extast.TaskCheckBox:
		done := n.IsChecked
		r.tick = &done
	case *extast.Strikethrough:
		r.opaque() // words taken back
	default:
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			r.inline(c, depth+1)
		}
	}
}

func (r *reader) text(n *ast.Text) {
	raw := n.Segment.Value(r.src)
	if bytes.IndexByte(raw, '\\') >= 0 || bytes.IndexByte(raw, '&') >= 0 {
		plain := util.UnescapePunctuations(raw)
		plain = util.ResolveNumericReferences(plain)
		plain = util.ResolveEntityNames(plain)
		r.plain = append(r.plain, plain...)
	} else {
		r.plain = append(r.plain, raw...)
	}
	r.addProse(raw)
	if n.SoftLineBreak() || n.HardLineBreak() {
		r.plain = append(r.plain, '\n')
		if r.want {
			r.prose = append(r.prose, '\n')
		}
	}
}

// plainOf adds the text below a node to plain only.
func (r *reader) plainOf(n ast.Node, depth int) {
	want := r.want
	r.want = false
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		r.inline(c, depth+1)
	}
	r.want = want
}

func (r *reader) addProse(b []byte) {
	if !r.want || r.anchored > 0 {
		return
	}
	at := len(r.prose)
	r.prose = append(r.prose, b...)
	for i := at; i < len(r.prose); i++ {
		if r.prose[i] < ' ' && r.prose[i] != '\n' {
			r.prose[i] = ' '
		}
	}
}

func (r *reader) opaque() {
	if r.want {
		r.prose = append(r.prose, opaqueMark)
	}
}

func (r *reader) address(url []byte) {
	if !r.want || r.anchored > 0 {
		return
	}
	r.prose = append(r.prose, urlMark)
	r.addProse(url)
	r.prose = append(r.prose, urlMark)
}

// tag reads an inline tag or comment. What stands between <a> or <code> and its
// end is no prose.
func (r *reader) tag(n *ast.RawHTML) {
	var raw []byte
	for i := range n.Segments.Len() {
		seg := n.Segments.At(i)
		raw = append(raw, seg.Value(r.src)...)
	}
	if bytes.HasPrefix(raw, []byte("<!--")) {
		r.marker(string(raw))
		return
	}
	r.opaque()
	name, end := tagName(raw)
	switch name {
	case "a", "code", "pre", "del", "s", "strike", "blockquote", "q", "kbd", "samp":
		if !end {
			r.anchored++
		} else if r.anchored > 0 {
			r.anchored--
		}
	}
}

// tagName is the lower-case name of a tag and whether it is an end tag.
func tagName(raw []byte) (name string, end bool) {
	raw = bytes.TrimPrefix(raw, []byte("<"))
	if bytes.HasPrefix(raw, []byte("/")) {
		end, raw = true, raw[1:]
	}
	i := 0
	for i < len(raw) && isAlnum(raw[i]) {
		i++
	}
	return strings.ToLower(string(raw[:i])), end
}
