package evidence

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

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
	for _, piece := range []string{">", "- ", "[", "![](", "*a_", "`", "<!--", "#1 ", "fixes #", "**a:**\n", "|-|\n", "\\", "&", "<a", "1: no ", "http://", "\x01", "a/", "((((", "\n\n#"} {
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
