package evidence

import (
	"strconv"
	"strings"
)

// ParseAnswer reads a yes or no with its reason, as a risk section holds it:
// "No, because …", "yes: HZ-3 …". ok is false if it says neither.
func ParseAnswer(text string) (a Answer, ok bool) {
	text = strings.TrimSpace(text)
	switch {
	case word3(text, "yes"):
		a.Yes, text = true, text[3:]
	case word3(text, "no"):
		text = text[2:]
	default:
		return Answer{}, false
	}
	text = strings.TrimLeft(text, " \t\n,.:;–—-")
	if rest, is := cutPrefixFold(text, "because"); is && (rest == "" || !isWordByte(rest[0])) {
		text = strings.TrimLeft(rest, " \t\n,:")
	}
	a.Reason = strings.TrimSpace(text)
	a.Refs = reasonRefs(a.Reason)
	return a, true
}

// word3 reports whether s begins with the word.
func word3(s, w string) bool {
	return hasFold(s, w) && (len(s) == len(w) || !isWordByte(s[len(w)]) && s[len(w)] != '/')
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if hasFold(s, prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

// reasonRefs finds risk ids (HZ-3, RISK-12) and issues (#12, owner/name#12), in
// order and each once.
func reasonRefs(s string) []string {
	var out []string
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(" \t\n,;:()[]{}\"'`", r) }) {
		w = strings.TrimRight(w, ".!?")
		if !isRiskID(w) && !isIssueRef(w) {
			continue
		}
		dup := false
		for _, o := range out {
			dup = dup || o == w
		}
		if !dup {
			out = append(out, w)
		}
	}
	return out
}

// isRiskID accepts two or more capitals, a hyphen and a number.
func isRiskID(w string) bool {
	prefix, num, ok := strings.Cut(w, "-")
	if !ok || len(prefix) < 2 || num == "" || len(w) > 32 {
		return false
	}
	for i := range len(prefix) {
		if prefix[i] < 'A' || prefix[i] > 'Z' {
			return false
		}
	}
	for i := range len(num) {
		if num[i] < '0' || num[i] > '9' {
			return false
		}
	}
	return true
}

func isIssueRef(w string) bool {
	repo, num, ok := strings.Cut(w, "#")
	if !ok || repo != "" && !isRepo(repo) {
		return false
	}
	_, end, ok := digits(num, 0)
	return ok && end == len(num)
}

// risk reads "confirm", or answers on the line and those after it.
func (c *Command) risk(rest, following string) {
	if strings.EqualFold(strings.TrimSpace(rest), "confirm") {
		c.Args = []string{"confirm"}
		return
	}
	answers, why := parseAnswers(rest + "\n" + following)
	if why != "" {
		c.refuse(why)
		return
	}
	if len(answers) == 0 {
		c.refuse("give an answer to at least one question")
		return
	}
	c.Answers = answers
}

// parseAnswers reads numbered answers. A line without a number goes on with the
// answer before it.
func parseAnswers(s string) (map[int]Answer, string) {
	texts := map[int]string{}
	current := 0
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "<!--") {
			continue
		}
		for _, part := range splitAnswers(line) {
			n, text, ok := numbered(part)
			switch {
			case !ok && current == 0:
				return nil, "every answer begins with the number of its question"
			case !ok:
				texts[current] += "\n" + part
			case n < 1 || n > 4:
				return nil, "the questions are 1 to 4"
			default:
				if _, dup := texts[n]; dup {
					return nil, "question " + strconv.Itoa(n) + " is answered twice"
				}
				texts[n], current = text, n
			}
		}
	}
	answers := map[int]Answer{}
	for n := 1; n <= 4; n++ {
		text, ok := texts[n]
		if !ok {
			continue
		}
		a, ok := ParseAnswer(text)
		if !ok {
			return nil, "the answer to question " + strconv.Itoa(n) + " must begin with yes or no"
		}
		answers[n] = a
	}
	return answers, ""
}

// splitAnswers cuts one line before every "2: yes" or "3: no" in it.
func splitAnswers(line string) []string {
	var parts []string
	from := 0
	for i := 1; i+2 < len(line); i++ {
		if line[i] < '1' || line[i] > '9' || line[i+1] != ':' || strings.IndexByte(" \t;,", line[i-1]) < 0 {
			continue
		}
		rest := strings.TrimLeft(line[i+2:], " \t")
		if word3(rest, "yes") || word3(rest, "no") {
			parts = append(parts, strings.TrimRight(line[from:i], " \t;,"))
			from = i
		}
	}
	parts = append(parts, line[from:])
	out := parts[:0]
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// numbered splits "1: text", "1. text", "1) text", with a list's bullet before.
func numbered(s string) (n int, text string, ok bool) {
	s = strings.TrimLeft(s, "-* \t")
	end := 0
	for end < len(s) && end < 3 && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if end == 0 || end == len(s) || strings.IndexByte(":.)", s[end]) < 0 {
		return 0, "", false
	}
	n, err := strconv.Atoi(s[:end])
	return n, strings.TrimSpace(s[end+1:]), err == nil
}
