package evidence

import "strings"

const (
	// maxText bounds what is read of one text, in bytes. Descriptions end at
	// 64 Ki characters on GitHub; nobody fills in a longer form by hand.
	maxText = 256 << 10
	// maxNest bounds how deep lists and tables are followed.
	maxNest = 64
	// maxMarks bounds emphasis and link marks in one block; beyond it they are
	// taken for spaces. The parser's work grows with the square of their number.
	maxMarks = 300
	// maxQuotes bounds the quotations and lists one line can open.
	maxQuotes = 8
)

// bounded cuts a text to what is read of it, with plain line ends.
func bounded(md string) string {
	if len(md) > maxText {
		md = strings.ToValidUTF8(md[:maxText], "")
	}
	if strings.Contains(md, "\r") {
		md = strings.ReplaceAll(strings.ReplaceAll(md, "\r\n", "\n"), "\r", "\n")
	}
	return md
}

// tame takes out of a text what only hostile text has and what would keep the
// parser busy: marks by the hundred in one block, lists in lists on one line.
func tame(md string) string {
	md = flatten(md)
	if len(md) <= maxMarks || countMarks(md) <= maxMarks {
		return md
	}
	blocks := strings.SplitAfter(md, "\n\n")
	for i, b := range blocks {
		if countMarks(b) > maxMarks {
			blocks[i] = marks().Replace(b)
		}
	}
	return strings.Join(blocks, "")
}

func marks() *strings.Replacer {
	return strings.NewReplacer("*", " ", "_", " ", "[", " ", "!", " ")
}

func countMarks(s string) int {
	n := 0
	for i := range len(s) {
		if c := s[i]; c == '*' || c == '_' || c == '[' || c == '!' {
			n++
		}
	}
	return n
}

// flatten shortens what a line begins with to a few marks of quotations and
// lists.
func flatten(md string) string {
	var b strings.Builder
	done := 0
	for from := 0; from < len(md); {
		to := strings.IndexByte(md[from:], '\n') + 1
		if to == 0 {
			to = len(md) - from
		}
		line := md[from : from+to]
		if few, all := nesting(line); all > few {
			b.WriteString(md[done : from+few])
			done = from + all
		}
		from += to
	}
	if done == 0 {
		return md
	}
	b.WriteString(md[done:])
	return b.String()
}

// nesting is where the first few marks at the start of a line end, and where
// all of them do.
func nesting(line string) (few, all int) {
	marks := 0
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case c == ' ' || c == '\t':
			i++
			continue
		case c == '>':
			i++
		case c == '-' || c == '+' || c == '*':
			i++
			if i < len(line) && line[i] != ' ' && line[i] != '\t' {
				return few, all
			}
		case c >= '0' && c <= '9':
			for i < len(line) && line[i] >= '0' && line[i] <= '9' {
				i++
			}
			if i+1 >= len(line) || line[i] != '.' && line[i] != ')' || line[i+1] != ' ' && line[i+1] != '\t' {
				return few, all
			}
			i++
		default:
			return few, all
		}
		marks++
		all = i
		if marks <= maxQuotes {
			few = i
		}
	}
	return few, all
}
