package report

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"primum/rules"
)

// reference matches an issue as our own sentences name it; an owner may be a
// group within another.
var reference = regexp.MustCompile(`(?:[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9._-]+)+)?#[0-9]{1,9}\b`)

// writer turns our own sentences, which may quote others, into Markdown.
type writer struct {
	issues map[string]string // "#12" or "owner/name#12" to address, of issues the verdict knows
	hosts  []string          // what may be linked: the forge and our own pages
}

func newWriter(v *rules.Verdict, own string) *writer {
	w := &writer{issues: map[string]string{}}
	for _, address := range []string{v.Subject.URL, own} {
		if h := host(address); h != "" {
			w.hosts = append(w.hosts, h)
		}
	}
	for _, r := range v.Results {
		for _, e := range r.Evidence {
			w.know(e, v.Subject.Repo)
		}
	}
	return w
}

// know takes in the address of an issue. Evidence about an issue may point
// elsewhere, to the comment or the request that names it: only an address that ends
// in the issue's own number is the issue's.
func (w *writer) know(e rules.Evidence, home string) {
	if e.Kind != "issue" || reference.FindString(e.Ref) != e.Ref {
		return
	}
	_, number, _ := strings.Cut(e.Ref, "#")
	if u, err := url.Parse(e.URL); err != nil || u.Fragment != "" || !strings.HasSuffix(u.Path, "/"+number) {
		return
	}
	w.issues[e.Ref] = e.URL
	if local, ok := strings.CutPrefix(e.Ref, home+"#"); ok {
		w.issues["#"+local] = e.URL
	}
}

// Sentence writes one of our sentences, at most n runes of it: its code spans
// stay code spans, an issue the verdict knows becomes a link, any other is a
// code span, and everything else is text.
func (w *writer) Sentence(s string, n int) string {
	s = Clip(Clean(s), n)
	var b strings.Builder
	for s != "" {
		open := strings.IndexByte(s, '`')
		if open < 0 {
			b.WriteString(w.references(s))
			break
		}
		fence := 1
		for open+fence < len(s) && s[open+fence] == '`' {
			fence++
		}
		rest := s[open+fence:]
		end := closing(rest, fence)
		if end < 0 { // nothing closes it: plain text
			b.WriteString(w.references(s[:open+fence]))
			s = rest
			continue
		}
		b.WriteString(w.references(s[:open]))
		b.WriteString(Code(rest[:end]))
		s = rest[end+fence:]
	}
	return b.String()
}

// Sentence writes one sentence of a verdict, which may hold code spans and name
// issues, as Markdown, at most 600 runes of it.
func Sentence(v *rules.Verdict, s string) string { return newWriter(v, "").Sentence(s, 600) }

// closing finds a run of exactly fence backticks, or -1.
func closing(s string, fence int) int {
	for i := 0; i < len(s); {
		if s[i] != '`' {
			i++
			continue
		}
		run := 1
		for i+run < len(s) && s[i+run] == '`' {
			run++
		}
		if run == fence {
			return i
		}
		i += run
	}
	return -1
}

// references writes text in which known issues become links and others code,
// which forges leave alone. A space at either end stays.
func (w *writer) references(s string) string {
	var b strings.Builder
	last := 0
	for _, at := range reference.FindAllStringIndex(s, -1) {
		if at[0] > 0 && !strings.ContainsRune(" (\"", rune(s[at[0]-1])) {
			continue
		}
		ref := s[at[0]:at[1]]
		b.WriteString(keepEnds(s[last:at[0]]))
		if address, ok := w.issues[ref]; ok {
			b.WriteString(w.reference(ref, address))
		} else {
			b.WriteString(Code(ref))
		}
		last = at[1]
	}
	b.WriteString(keepEnds(s[last:]))
	return b.String()
}

// reference writes a known issue: its characters need no escape but the underscore.
func (w *writer) reference(ref, address string) string {
	target, ok := w.address(address)
	if !ok {
		return Plain(ref)
	}
	return "[" + strings.ReplaceAll(ref, "_", "\\_") + "](" + target + ")"
}

// Change writes the name of a change, as a link where the address is one of the forge's.
func (w *writer) Change(name, address string) string {
	if target, ok := w.address(address); ok {
		return "[" + name + "](" + target + ")"
	}
	return Code(name)
}

// Link writes a link if the address is one of the forge's or ours, else only
// the text: whoever reports a check can give it any address.
func (w *writer) Link(text, address string) string {
	if _, ok := w.address(address); !ok {
		return Plain(text)
	}
	return Link(text, address)
}

// also is a link in brackets after a sentence; "" where there is nothing to link.
func (w *writer) also(text, address string) string {
	if _, ok := w.address(address); !ok {
		return ""
	}
	return " (" + Link(text, address) + ")"
}

func (w *writer) address(s string) (string, bool) {
	if h := host(s); h == "" || !slices.Contains(w.hosts, h) {
		return "", false
	}
	return Address(s)
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

func keepEnds(s string) string {
	out := Plain(s)
	if strings.HasPrefix(s, " ") {
		out = " " + out
	}
	if strings.HasSuffix(s, " ") && strings.TrimSpace(s) != "" {
		out += " "
	}
	return out
}

// codes writes each of a list as a code span: "`mara`, `chen`", at most n of them.
func codes(list []string, n int) string {
	var parts []string
	for i, s := range list {
		if i == n && len(list) > n {
			parts = append(parts, strconv.Itoa(len(list)-n)+" more")
			break
		}
		if rest, ok := strings.CutPrefix(s, "whoever looks after "); ok { // words and no name
			parts = append(parts, "whoever looks after "+Plain(Clip(Clean(rest), 60)))
		} else if c := Code(Clip(Clean(s), 60)); c != "" {
			parts = append(parts, c)
		}
	}
	return strings.Join(parts, ", ")
}

// command writes the exact text to type, a code span per line.
func command(s string) string {
	var parts []string
	for line := range strings.SplitSeq(s, "\n") {
		if c := Code(Clip(Clean(line), 300)); c != "" {
			parts = append(parts, c)
		}
	}
	return strings.Join(parts, "<br>")
}

// short is the first eight characters of a commit.
func short(sha string) string {
	sha = Clean(sha)
	if len(sha) > 8 && allASCII(sha) {
		return sha[:8]
	}
	return Clip(sha, 8)
}

func allASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
