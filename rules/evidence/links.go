package evidence

import (
	"sort"
	"strings"

	"primum/rules/fact"
)

// Links finds every way a change names an issue: the forge's own links, link
// commands, trailers, keywords, the branch name and plain mentions. There is one
// link per issue, of the strongest kind found, and strong kinds come first. An
// issue's address alone on its line counts as a keyword; within a sentence it is
// a mention, as a number is.
//
// Closes is true where the forge will close the issue on merge, which forges do
// for changes into the default branch only.
func Links(c *fact.Change) []fact.Link {
	h := homeOf(c.Repo, c.URL)
	return links(c, h, read(c.Body, true), commandsOf(c, h))
}

func links(c *fact.Change, h home, body *reader, commands []Command) []fact.Link {
	l := linker{change: c, home: h, index: map[string]int{}}
	l.closes = c.Repo.DefaultBranch == "" || c.Base.Name == c.Repo.DefaultBranch
	for _, link := range c.Links {
		l.add(link)
	}
	for i := range commands {
		l.command(&commands[i])
	}
	for _, t := range body.trailers() {
		l.trailer(t)
	}
	for i := range c.Commits {
		l.commit(&c.Commits[i])
	}
	l.prose(string(body.prose), "description", true)
	l.prose(clean(c.Title), "title", false)
	if n, ok := branchNumber(c.Head.Name); ok {
		l.add(fact.Link{Repo: h.repo, Number: n, Kind: fact.LinkBranch, Source: "branch " + c.Head.Name})
	}
	sort.SliceStable(l.links, func(i, j int) bool { return rank(l.links[i].Kind) < rank(l.links[j].Kind) })
	return l.links
}

// linker collects links, one per issue.
type linker struct {
	change *fact.Change
	home   home
	closes bool
	links  []fact.Link
	index  map[string]int
}

func (l *linker) add(link fact.Link) {
	if link.Repo == "" {
		link.Repo = l.home.repo
	}
	own := link.Repo == l.home.repo && link.Number == l.change.Number && !l.change.CountsApart()
	if own || link.Number <= 0 {
		return // a change is not its own request
	}
	k := issueKey(link.Repo, link.Number)
	i, ok := l.index[k]
	if !ok {
		l.index[k] = len(l.links)
		l.links = append(l.links, link)
		return
	}
	was := &l.links[i]
	link.Closes = link.Closes || was.Closes
	if rank(link.Kind) < rank(was.Kind) {
		*was = link
	} else {
		was.Closes = link.Closes
	}
}

func (l *linker) command(c *Command) {
	if c.Name != "link" || c.Wrong != "" {
		return
	}
	if repo, n, ok := splitIssue(c.Issue); ok {
		l.add(fact.Link{Repo: repo, Number: n, Kind: fact.LinkCommand, Source: "command of " + c.By.Login})
	}
}

func (l *linker) trailer(t Trailer) {
	t.refs(l.home, func(r ref) {
		l.add(fact.Link{Repo: r.repo, Number: r.number, Kind: fact.LinkTrailer, Closes: r.word == closes && l.closes, Source: t.Source})
	})
}

// commit reads trailers and closing or referring words of a commit message.
// Bare numbers in it are mostly those of merged changes and say nothing.
func (l *linker) commit(c *fact.Commit) {
	for _, t := range trailers(c.Message, commitSource(c), true) {
		l.trailer(t)
	}
	if !strings.ContainsAny(c.Message, "#/-") {
		return
	}
	l.home.refs(unquoted(c.Message), func(r ref) {
		if r.word == bare || r.word == alone {
			return
		}
		l.add(fact.Link{Repo: r.repo, Number: r.number, Kind: fact.LinkKeyword, Closes: r.word == closes && l.closes, Source: commitSource(c)})
	})
}

func (l *linker) prose(s, source string, closing bool) {
	l.home.refs(s, func(r ref) {
		kind := fact.LinkKeyword
		if r.word == bare {
			kind = fact.LinkMention
		}
		l.add(fact.Link{Repo: r.repo, Number: r.number, Kind: kind, Closes: closing && r.word == closes && l.closes, Source: source})
	})
}

// trailers of the description: those of its last paragraph.
func (r *reader) trailers() []Trailer {
	if !r.hasLast {
		return nil
	}
	p := strings.Map(func(c rune) rune {
		if c == urlMark || c == opaqueMark {
			return -1
		}
		return c
	}, string(r.prose[r.last.from:r.last.to]))
	return trailers(p, "description", false)
}

func commitSource(c *fact.Commit) string { return "commit " + c.SHA[:min(7, len(c.SHA))] }

// unquoted drops the quoted and indented lines of a commit message.
func unquoted(msg string) string {
	if !strings.Contains(msg, "\n>") && !strings.Contains(msg, "\n    ") && !strings.Contains(msg, "\n\t") {
		return clean(msg)
	}
	var b strings.Builder
	for line := range strings.Lines(msg) {
		if strings.HasPrefix(line, ">") || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t") {
			b.WriteByte('\n')
			continue
		}
		b.WriteString(line)
	}
	return clean(b.String())
}

// clean takes control characters and code spans out of a text that is no Markdown document.
func clean(s string) string {
	code := false
	return strings.Map(func(r rune) rune {
		switch {
		case r == '`':
			code = !code
			return opaqueMark
		case r == '\n':
			code = false
			return r
		case code:
			return -1
		case r < ' ':
			return ' '
		}
		return r
	}, s)
}

// branchNumber is the issue a branch name suggests: "12-topic", "fix/12-topic",
// "issue-12".
func branchNumber(branch string) (int, bool) {
	s := branch[strings.LastIndexByte(branch, '/')+1:]
	for _, p := range []string{"issue-", "cr-", "gh-"} {
		if hasFold(s, p) {
			s = s[len(p):]
			break
		}
	}
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	rest := s[end:]
	if rest != "" && rest[0] != '-' && rest[0] != '_' {
		return 0, false
	}
	if len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9' { // 2026-11-release
		return 0, false
	}
	n, _, ok := digits(s[:end], 0)
	return n, ok
}

func rank(k fact.LinkKind) int {
	switch k {
	case fact.LinkForge:
		return 0
	case fact.LinkCommand:
		return 1
	case fact.LinkTrailer:
		return 2
	case fact.LinkKeyword:
		return 3
	case fact.LinkBranch:
		return 4
	default:
		return 5
	}
}
