package rules

import (
	"iter"
	"strconv"
	"strings"
)

// diffLine is one line of a unified diff that was added or removed.
type diffLine struct {
	added bool
	text  string
	line  int // in the new file; of a removed line, where it stood
}

// diffLines walks the added and removed lines of a unified diff without file
// header. What is not a diff yields nothing sensible and never panics.
func diffLines(diff string) iter.Seq[diffLine] {
	return func(yield func(diffLine) bool) {
		at := 0
		for line := range strings.SplitSeq(diff, "\n") {
			if line == "" {
				at++
				continue
			}
			text := strings.TrimSuffix(line[1:], "\r")
			switch line[0] {
			case '@':
				at = hunkStart(line)
			case '+':
				if !yield(diffLine{true, text, at}) {
					return
				}
				at++
			case '-':
				if !yield(diffLine{false, text, at}) {
					return
				}
			case '\\':
			default:
				at++
			}
		}
	}
}

// hunkStart reads the first line number of the new file: "@@ -1,3 +14,9 @@".
func hunkStart(line string) int {
	_, rest, ok := strings.Cut(line, "+")
	if !ok {
		return 0
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(rest[:end])
	if err != nil {
		return 0
	}
	return n
}
