package evidence

import (
	"strings"
)

// trailers reads the last paragraph of a text by git's rules (git
// interpret-trailers): every line "Key: value", or a quarter of the lines if
// one of the keys is known; a line that begins with space continues the value.
// In a commit message the first paragraph is the subject and has none.
func trailers(msg, source string, subject bool) []Trailer {
	paragraph, ok := lastParagraph(msg, subject)
	if !ok {
		return nil
	}
	var out []Trailer
	known, others := false, 0
	for line := range strings.Lines(paragraph) {
		line = strings.TrimRight(line, "\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if (line[0] == ' ' || line[0] == '\t') && len(out) > 0 {
			out[len(out)-1].Value += " " + strings.TrimSpace(line)
			continue
		}
		if strings.HasPrefix(line, "(cherry picked from commit ") {
			known = true
			continue
		}
		k, v, ok := trailer(line)
		if !ok {
			others++
			continue
		}
		canonical, is := trailerKey(k)
		known = known || is
		out = append(out, Trailer{Key: canonical, Value: v, Source: source})
	}
	if others > 0 && (!known || len(out)*3 < others) {
		return nil
	}
	return out
}

func lastParagraph(msg string, subject bool) (string, bool) {
	msg = strings.TrimSpace(msg)
	if strings.Contains(msg, "\r") {
		msg = strings.ReplaceAll(msg, "\r\n", "\n")
	}
	from := len(msg)
	for from > 0 {
		i := strings.LastIndexByte(msg[:from], '\n') + 1
		if strings.TrimSpace(msg[i:from]) == "" {
			return msg[from+1:], true
		}
		from = max(i-1, 0)
	}
	return msg, msg != "" && !subject
}

// trailer splits "Key: value". A key is letters, digits and hyphens.
func trailer(line string) (k, v string, ok bool) {
	i := 0
	for i < len(line) && (isAlnum(line[i]) || line[i] == '-') {
		i++
	}
	k = line[:i]
	rest := strings.TrimLeft(line[i:], " \t")
	if k == "" || !strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "://") {
		return "", "", false
	}
	return k, strings.TrimSpace(rest[1:]), true
}

// trailerKey is a key in its canonical case; known is true for keys that mean
// something to Primum or git.
func trailerKey(k string) (canonical string, known bool) {
	low := strings.ToLower(k)
	switch low {
	case "cr", "change-request":
		return "CR", true
	case "anomaly", "problem-report":
		return "Anomaly", true
	case "refs", "ref", "references":
		return "Refs", true
	case "req", "requirement":
		return "Req", true
	case "verifies", "fixes", "closes", "resolves", "co-authored-by", "signed-off-by":
		return strings.ToUpper(low[:1]) + low[1:], true
	}
	return strings.ToUpper(low[:1]) + low[1:], false
}

// refs finds the issues a trailer names. CR and Anomaly also take a plain number.
func (t Trailer) refs(h home, found func(ref)) {
	w := refers
	switch t.Key {
	case "CR", "Anomaly", "Refs":
	case "Fixes", "Closes", "Resolves":
		w = closes
	default:
		return
	}
	give := func(r ref) {
		r.word = w
		found(r)
		if w == closes {
			w = refers // forges close the first of a list only
		}
	}
	if t.Key != "CR" && t.Key != "Anomaly" {
		h.refs(t.Value, give)
		return
	}
	for part := range strings.FieldsFuncSeq(t.Value, func(r rune) bool { return r == ',' || r == ' ' }) {
		if n, end, ok := digits(part, 0); ok && end == len(part) {
			give(ref{repo: h.repo, number: n})
			continue
		}
		h.refs(part, give)
	}
}
