package evidence

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"primum/rules/fact"
)

func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	for _, s := range []string{"", "### ", "**a:** b", "<!--", "<blockquote>", "- [ ] x\n- [x] y", "`#1` #2", "\x01#1\x01", "Fixes https://forge.example/acme/pump/issues/1", "[a](<b>)#3", "|a|\n|-|\n|Refs #1|"} {
		f.Add(s)
	}
}

func FuzzParseDocument(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, md string) {
		c := change(md)
		e := Read(c)
		lines := 1 + strings.Count(strings.ReplaceAll(strings.ReplaceAll(md, "\r\n", "\n"), "\r", "\n"), "\n")
		for _, s := range e.Description.Sections {
			if s.Line < 1 || s.Line > lines {
				t.Fatalf("section %q at line %d of %d", s.Title, s.Line, lines)
			}
			if s.Text != strings.TrimSpace(s.Text) || strings.EqualFold(s.Text, "no response") {
				t.Fatalf("section text %q", s.Text)
			}
			if utf8.ValidString(md) && !utf8.ValidString(s.Text) {
				t.Fatalf("section text %q is no UTF-8", s.Text)
			}
		}
		for _, l := range e.Links {
			if l.Number <= 0 || !strings.Contains(l.Repo, "/") || strings.ContainsAny(l.Repo, " \n<>@#\x01\x02") {
				t.Fatalf("link %+v", l)
			}
			if !strings.ContainsAny(md, "0123456789") {
				t.Fatalf("link %+v out of nothing", l)
			}
		}
	})
}

// What is read without the parser is read as the parser would.
func FuzzPlainText(f *testing.F) {
	seeds(f)
	for _, s := range []string{
		"### Reason\n\nIt stalls.\nOften, at 5 <  6 & more, `rate_tick()` too.\n\n### Kind\n\n_No response_\n\n### Items\n- dosing\n- comms\n\nand that.",
		"#12 and #13\n\nCR: #12\nReq: SRS_7", "a\n- b", "- a\nb", "- a\n\n- b", "1. a", "12 a\n12)", "# a #", "#", "a\n# b\n## c\n- d\n# e", "`a``b`", "a  \nb", "a ", "No response", "- No response\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, md string) { comparePlain(t, md) })
}

// The same over texts made of what forms are made of, which chance rarely finds.
func TestPlainTextIsReadAsTheParserWould(t *testing.T) {
	t.Parallel()
	pieces := []string{
		"a", "It stalls", "rate_tick", " ", "\n", "\n\n", "# ", "### Kind", "\n- ", "- x", "`code`", "`", "_No response_", "No response", "#12", "1", "1.", "1)", "4.2", ")",
		":", "_", "< ", "&", "& ", ">", "-", "--", "=", "\"", "(", "/", "é", "]", "!", "{#a}", "\n### ", "https://forge.example/a/b/issues/1", "www.x.example", "\u00a0", "+", "$",
		"\n- [x] ", "\n- [ ] b", "\n1. ", "\n2. c", "\n```\n", "\n```go\nx\n```\n", " *b c* ", "*", "\n> q", "\n<!-- x -->\n", "<!-- primum:form:a -->", "\n<!--\ny\n-->", "-->",
	}
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		if comparePlain(t, strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 14).Draw(t, "pieces"), "")) {
			plain++
		}
	})
	if plain == 0 {
		t.Error("no text was read without the parser")
	}
}

// comparePlain reports whether the text can be read without the parser.
func comparePlain(t interface{ Fatalf(string, ...any) }, md string) bool {
	md = bounded(md)
	for _, prose := range []bool{true, false} {
		fast := newReader(md, prose)
		if strings.TrimSpace(md) == "" || !fast.plainText(strings.TrimRight(md, "\n")) {
			return false
		}
		fast.finish()
		slow := newReader(md, prose)
		slow.markdown(md)
		slow.finish()
		if diff := cmp.Diff(slow.doc, fast.doc); diff != "" {
			t.Fatalf("document of %q (-parser +plain):\n%s", md, diff)
		}
		if diff := cmp.Diff(string(slow.prose), string(fast.prose)); diff != "" {
			t.Fatalf("prose of %q (-parser +plain):\n%s", md, diff)
		}
		if slow.hasLast != fast.hasLast || slow.hasLast && slow.last != fast.last {
			t.Fatalf("last paragraph of %q is %v, %v, by the parser %v, %v", md, fast.hasLast, fast.last, slow.hasLast, slow.last)
		}
	}
	return true
}

func FuzzParseCommand(f *testing.F) {
	for _, v := range verbs() {
		for form := range strings.SplitSeq(v.form, " or ") {
			f.Add(form)
		}
	}
	f.Add("/primum risk\n1: no\n2: yes HZ-3")
	f.Add("/primum waive x until 2026-13-01 because y")
	f.Fuzz(func(t *testing.T, body string) {
		c, ok := ParseCommand(body)
		if ok != IsCommand(body) {
			t.Fatalf("IsCommand and ParseCommand differ on %q", body)
		}
		if !ok {
			return
		}
		if strings.ContainsAny(c.Wrong, "<>@\n[]") {
			t.Fatalf("%q is answered with %q", body, c.Wrong)
		}
		if c.Wrong == "" && FormOf(c.Name) == "" {
			t.Fatalf("%q gives the unknown command %q and no reason", body, c.Name)
		}
		for n := range c.Answers {
			if n < 1 || n > 4 {
				t.Fatalf("%q answers question %d", body, n)
			}
		}
	})
}

// Nobody can make Primum think for long: each of these has the size of the
// largest description GitHub takes.
func TestHostileTextIsReadInBoundedSteps(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{">", "- ", "[", "![](", "*a_", "`", "<!--", "#1 ", "fixes #", "**a:**\n", "|-|\n", "\\", "&", "<a", "1: no ", "http://", "\x01", "a/", "((((", "\n\n#", "1) ", "+ - ", "- > ", "&#", "](", "**a", "a**b_", "`` ` ", "~~a", "|a", "[a]: b\n", "\t", "- a\n  ", "> a\n", "<b>", "\n- ", "**\n"} {
		md := strings.Repeat(piece, 65536/len(piece))
		e := Read(&fact.Change{Number: 1, Body: md, Repo: fact.Repo{Owner: "a", Name: "b"}})
		if len(e.Links) > 65536 {
			t.Errorf("%q gives %d links", piece, len(e.Links))
		}
		if c, ok := ParseCommand("/primum risk " + md); !ok || c.Name != "risk" {
			t.Errorf("%q is no command", piece)
		}
	}
}

// A typical judgement: a description of 2 KB and two filled-in forms.
func BenchmarkRead(b *testing.B) {
	read := func(name string) string {
		src, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			b.Fatal(err)
		}
		return string(src)
	}
	c := change(read("description.md"))
	c.Commits = []fact.Commit{{SHA: "3f9c0b7aa", Message: "dosing: stop at the limit\n\nWhy.\n\nCR: #12"}, {SHA: "4f9c0b7aa", Message: "dosing: test it"}}
	c.Issues = []fact.Issue{
		{Repo: "acme/pump", Number: 12, Body: read("change-request.md")},
		{Repo: "acme/pump", Number: 9, Body: read("anomaly.md")},
	}
	b.ReportMetric(float64(len(c.Body)), "description-bytes")
	b.ReportAllocs()
	for b.Loop() {
		if e := Read(c); len(e.Links) != 2 || len(e.Issues) != 2 {
			b.Fatal(e.Links)
		}
	}
}
