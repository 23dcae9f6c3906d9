package catalog

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"primum/rules"
)

// Style sets a text off on a terminal; the zero Style leaves it plain.
type Style struct {
	Width int                 // columns to wrap at; 0 for 80
	Bold  func(string) string // headings; nil for plain
	Dim   func(string) string // small print; nil for plain
}

func (s Style) bold(t string) string {
	if s.Bold == nil {
		return t
	}
	return s.Bold(t)
}

func (s Style) dim(t string) string {
	if s.Dim == nil {
		return t
	}
	return s.Dim(t)
}

func (s Style) width() int {
	if s.Width <= 0 {
		return 80
	}
	return max(40, min(s.Width, 100))
}

// List is the rules as a table for terminals, by group.
func List(all []rules.Rule, s Style) string {
	var b strings.Builder
	wide := 0
	for _, r := range all {
		wide = max(wide, len(r.ID))
	}
	for i, g := range groups(all) {
		if i > 0 {
			b.WriteByte('\n')
		}
		head := []string{fmt.Sprintf("%-*s", wide, capital(g))}
		for _, v := range levels() {
			head = append(head, fmt.Sprintf("%-5s", v))
		}
		b.WriteString(s.bold(strings.TrimRight(strings.Join(head, "  "), " ")) + "\n")
		for _, r := range ofGroup(all, g) {
			fmt.Fprintf(&b, "%-*s", wide, r.ID)
			for _, v := range levels() {
				fmt.Fprintf(&b, "  %-5s", shipped(r, v).Enforcement)
			}
			b.WriteString("  " + r.Title + "\n")
		}
	}
	return b.String()
}

// Explain is one rule for terminals: the same as its page.
func Explain(r rules.Rule, s Style) string {
	var b strings.Builder
	b.WriteString(s.bold(r.ID) + "\n" + wrap(r.Title, s.width(), ""))
	part := func(title, text string) {
		if text = strings.TrimSpace(text); text != "" {
			b.WriteString("\n" + s.bold(title) + "\n" + wrap(text, s.width(), "  "))
		}
	}
	part("Why", r.Why)
	part("How to satisfy it", r.Fix)
	b.WriteString("\n" + s.bold("As shipped") + "\n" + settings(r))
	for _, p := range r.Params {
		b.WriteString(wrap(p.Name+" ("+kind(p)+"): "+p.Doc, s.width(), "  "))
	}
	b.WriteString("  A waiver can cover it " + waivers(r) + ".\n")
	part("Satisfies it", r.Good.Text)
	part("Does not", r.Bad.Text)
	b.WriteString("\n")
	for _, src := range sources(r) {
		b.WriteString(s.dim(strings.TrimRight(wrap(src, s.width(), ""), "\n")) + "\n")
	}
	return b.String()
}

// settings is the table of what the rule does at each class.
func settings(r rules.Rule) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(name string, cells func(i int) string) {
		_, _ = fmt.Fprint(w, "  "+name) // a strings.Builder takes everything
		for i := range levels() {
			_, _ = fmt.Fprint(w, "\t"+cells(i))
		}
		_, _ = fmt.Fprintln(w)
	}
	line("class", func(i int) string { return string(levels()[i]) })
	line("enforcement", func(i int) string { return string(shipped(r, levels()[i]).Enforcement) })
	for _, p := range r.Params {
		line(p.Name, func(i int) string { return value(shipped(r, levels()[i]).Params[p.Name]) })
	}
	_ = w.Flush()
	return b.String()
}

// wrap breaks a text into lines of at most width columns, each after indent. A
// line that begins with "- ", a digit or a space keeps its own line; fenced code
// is kept whole. It ends with a line break.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	var paragraph []string
	flush := func() {
		if len(paragraph) == 0 {
			return
		}
		at := 0
		for _, word := range paragraph {
			n := utf8.RuneCountInString(word)
			switch {
			case at == 0:
				b.WriteString(indent)
				at = len(indent)
			case at+1+n > width:
				b.WriteString("\n" + indent)
				at = len(indent)
			default:
				b.WriteByte(' ')
				at++
			}
			b.WriteString(word)
			at += n
		}
		b.WriteByte('\n')
		paragraph = nil
	}
	code := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n ")
		fence := strings.HasPrefix(line, "```")
		switch {
		case fence:
			flush()
			code = !code
		case code:
			b.WriteString(strings.TrimRight(indent+"  "+line, " ") + "\n")
		case line == "":
			flush()
			b.WriteByte('\n')
		default:
			if strings.HasPrefix(line, "- ") || strings.HasPrefix(line, " ") || line[0] == '|' {
				flush()
			}
			paragraph = append(paragraph, strings.Fields(line)...)
		}
	}
	flush()
	return b.String()
}
