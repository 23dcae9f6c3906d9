package evidence

import (
	"strconv"
	"strings"

	"primum/rules/fact"
)

// home is the repository a text stands in: what "#12" means there, and which
// addresses are issues of the same forge.
type home struct {
	base string // host and path of the forge, without scheme and trailing slash; "" if unknown
	repo string // "owner/name"
}

func homeOf(r fact.Repo, changeURL string) home {
	h := home{repo: r.FullName()}
	for _, u := range []string{r.URL, changeURL} {
		_, rest, ok := strings.Cut(u, "://")
		if !ok {
			continue
		}
		i := strings.Index(strings.ToLower(rest), "/"+strings.ToLower(h.repo))
		if i > 0 {
			h.base = rest[:i]
			return h
		}
	}
	return h
}

// word is how strongly prose names an issue.
type word int

const (
	bare   word = iota // "see #12"
	alone              // an address that has its line to itself
	refers             // "Refs #12"
	closes             // "Fixes #12"
)

// ref is an issue named in prose.
type ref struct {
	repo   string
	number int
	word   word
}

// refs finds the issues that flattened prose names.
func (h home) refs(s string, found func(ref)) {
	from := 0 // end of the reference before
	last := bare
	for i := 0; i < len(s); {
		switch s[i] {
		case '#', urlMark, 'h', 'H', 'G', 'g':
		default:
			i++
			continue
		}
		r, start, end, ok := h.at(s, i)
		if !ok {
			i = max(end, i+1)
			continue
		}
		between := s[from:start]
		if i := strings.LastIndex(between, "\n\n"); i >= 0 { // another paragraph
			between, last = between[i:], bare
		}
		switch w := keyword(between); {
		case w != bare:
			last = w
		case last != bare && from > 0 && joins(between):
			last = refers // forges close the first of a list only
		default:
			last = bare
		}
		r.word = last
		if last == bare && isAlone(s, start, end) && strings.Contains(s[start:end], "://") {
			r.word = alone
		}
		if r.word != bare || !isColour(between, r.number) {
			found(r)
		}
		from, i = end, end
	}
}

// at reads the reference that begins (or, for owner/name#12, has its "#") at i.
// When there is none, end is where to look on, if it is beyond i.
func (h home) at(s string, i int) (r ref, start, end int, ok bool) {
	switch s[i] {
	case '#':
		return h.hash(s, i)
	case urlMark:
		n := strings.IndexByte(s[i+1:], urlMark)
		if n < 0 {
			return ref{}, i, len(s), false
		}
		end = i + n + 2
		r, ok = h.url(s[i+1 : end-1])
		return r, i, end, ok
	case 'h', 'H':
		if !hasFold(s[i:], "http://") && !hasFold(s[i:], "https://") || !freeBefore(s, i) {
			return ref{}, i, i, false
		}
		end = i
		for end < len(s) && s[end] > ' ' && !strings.ContainsRune("<>\"`|", rune(s[end])) {
			end++
		}
		u := strings.TrimRight(s[i:end], ".,;:!?)]}'*_")
		r, ok = h.url(u)
		return r, i, end, ok
	case 'G', 'g':
		if !hasFold(s[i:], "GH-") || !freeBefore(s, i) {
			return ref{}, i, i, false
		}
		n, end, ok := digits(s, i+3)
		return ref{repo: h.repo, number: n}, i, end, ok
	}
	return ref{}, i, i, false
}

// hash reads "#12" or "owner/name#12" around the "#" at i.
func (h home) hash(s string, i int) (ref, int, int, bool) {
	n, end, ok := digits(s, i+1)
	if !ok {
		return ref{}, i, i, false
	}
	start := i
	for start > 0 && isRepoByte(s[start-1]) {
		start--
	}
	if start == i {
		return ref{repo: h.repo, number: n}, i, end, freeBefore(s, i)
	}
	name := s[start:i]
	if !freeBefore(s, start) || !isRepo(name) {
		return ref{}, i, end, false
	}
	return ref{repo: h.own(name), number: n}, start, end, true
}

// url reads an issue's address on this forge.
func (h home) url(u string) (ref, bool) {
	_, rest, ok := strings.Cut(u, "://")
	if !ok || h.base == "" || !hasFold(rest, h.base+"/") {
		return ref{}, false
	}
	path := rest[len(h.base)+1:]
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	parts := strings.Split(path, "/")
	for i := 2; i+1 < len(parts); i++ {
		switch parts[i] {
		case "issues", "pull", "pulls", "merge_requests", "work_items":
		default:
			continue
		}
		repo := parts[:i]
		if repo[len(repo)-1] == "-" {
			repo = repo[:len(repo)-1]
		}
		n, end, ok := digits(parts[i+1], 0)
		name := strings.Join(repo, "/")
		if !ok || end != len(parts[i+1]) || !isRepo(name) {
			return ref{}, false
		}
		return ref{repo: h.own(name), number: n}, true
	}
	return ref{}, false
}

// own spells the text's own repository as the forge does.
func (h home) own(name string) string {
	if strings.EqualFold(name, h.repo) {
		return h.repo
	}
	return name
}

// digits reads an issue number at i that no word goes on from.
func digits(s string, i int) (n, end int, ok bool) {
	end = i
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if end == i || end-i > 9 || s[i] == '0' {
		return 0, end, false
	}
	if end < len(s) {
		c := s[end]
		next := end+1 < len(s) && isWordByte(s[end+1])
		if isWordByte(c) || c == '/' || (c == '-' || c == '.') && next {
			return 0, end, false
		}
	}
	n, err := strconv.Atoi(s[i:end])
	return n, end, err == nil
}

// freeBefore reports whether a reference may begin at i.
func freeBefore(s string, i int) bool {
	if i == 0 {
		return true
	}
	c := s[i-1]
	return c <= ' ' || strings.IndexByte("([{,;:\"'!|*", c) >= 0
}

// isWordByte counts every byte beyond ASCII as part of a word.
func isWordByte(c byte) bool { return isAlnum(c) || c == '_' || c >= 0x80 }

func isRepoByte(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' || c == '/' }

// isRepo reports whether name is owner/name, or a longer path as GitLab has them.
func isRepo(name string) bool {
	slash := false
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
		for i := range len(part) {
			if !isRepoByte(part[i]) {
				return false
			}
		}
	}
	slash = strings.Contains(name, "/")
	return slash && len(name) <= 255
}

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// keyword reads the word before a reference: closing, referring or none.
func keyword(before string) word {
	s := strings.TrimRight(before, " \n")
	s = strings.TrimRight(strings.TrimSuffix(s, ":"), " \n")
	noun := false
	for range 3 {
		w, rest := lastWord(s)
		if len(w) > 10 || w == "" {
			return bare
		}
		switch strings.ToLower(w) {
		case "close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved":
			if noun { // "fixes issue #12" closes nothing, but names it
				return refers
			}
			return closes
		case "ref", "refs", "references":
			return refers
		case "to":
			if w, _ = lastWord(rest); strings.EqualFold(w, "relates") {
				return refers
			}
			return bare
		case "of":
			if w, _ = lastWord(rest); strings.EqualFold(w, "part") {
				return refers
			}
			return bare
		case "issue", "issues", "cr", "crs", "anomaly", "anomalies", "request", "change":
			noun, s = true, rest
		default:
			return bare
		}
	}
	return bare
}

// lastWord splits off the last word; w is "" if s does not end in one.
func lastWord(s string) (w, rest string) {
	i := len(s)
	for i > 0 && (isWordByte(s[i-1]) || s[i-1] == '-') {
		i--
	}
	return s[i:], strings.TrimRight(s[:i], " \n")
}

// joins reports whether nothing but a list's commas stands between two references.
func joins(between string) bool {
	if len(between) > 12 {
		return false
	}
	for _, w := range strings.FieldsFunc(between, func(r rune) bool { return r == ' ' || r == '\n' || r == ',' || r == '&' || r == ';' }) {
		if !strings.EqualFold(w, "and") {
			return false
		}
	}
	return true
}

// isAlone reports whether s[start:end] has its line to itself.
func isAlone(s string, start, end int) bool {
	for start > 0 && s[start-1] == ' ' {
		start--
	}
	for end < len(s) && s[end] == ' ' {
		end++
	}
	return (start == 0 || s[start-1] == '\n') && (end == len(s) || s[end] == '\n')
}

// isColour reports whether a bare number of six digits follows a word for a colour.
func isColour(before string, number int) bool {
	if number < 100000 || number > 999999 {
		return false
	}
	s := strings.TrimRight(before, " \n:=(\"'")
	w, _ := lastWord(s)
	switch strings.ToLower(w) {
	case "color", "colour", "background", "background-color", "fill", "stroke", "hex":
		return true
	}
	return false
}

// References finds the issues a plain text names ("#12", "owner/name#9", an
// issue's address on the repository's forge), as the text of a section such as
// "Anomalies it resolves" does, in order and each once. The links are mentions:
// what naming an issue means there is for the caller to say.
func References(text string, in fact.Repo) []fact.Link {
	h := homeOf(in, "")
	var links []fact.Link
	h.refs(text, func(r ref) {
		for _, l := range links {
			if l.Repo == r.repo && l.Number == r.number {
				return
			}
		}
		links = append(links, fact.Link{Repo: r.repo, Number: r.number, Kind: fact.LinkMention})
	})
	return links
}
