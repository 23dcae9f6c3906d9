package rules

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// words cuts a text into its words: runs of letters and digits, with the signs
// that hold references together (HZ-3, #12, n/a).
func words(s string) []string { return slices.Collect(strings.FieldsFuncSeq(s, notInWord)) }

func notInWord(r rune) bool {
	switch r {
	case '-', '_', '/', '#', '.', '\'':
		return false
	default:
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}
}

func firstWord(s string) string {
	for w := range strings.FieldsFuncSeq(s, notInWord) {
		return strings.ToLower(strings.Trim(w, "-_/.'"))
	}
	return ""
}

// isPlaceholder reports whether a word stands for an answer not given.
func isPlaceholder(w string) bool {
	switch w {
	case "", "tbd", "tba", "todo", "fixme", "na", "n/a", "n.a", "none", "no", "nil", "nothing", "not", "applicable", "same", "ditto",
		"dito", "above", "see", "below", "idem", "x", "xx", "xxx", "later", "unknown", "unclear", "yes", "ok", "okay", "response", "_no",
		"response_", "to", "be", "done", "defined", "determined", "decided", "as", "of", "any", "impact", "effect", "change", "changes", "is",
		"there", "at", "all", "the", "a", "an", "it", "keine", "nein", "-", "–", "—":
		return true
	default:
		return false
	}
}

// says counts the words of a text that say something: neither placeholders nor
// repetitions of one word.
func says(s string) int {
	var seen []string
	for w := range strings.FieldsFuncSeq(s, notInWord) {
		w = strings.Trim(strings.ToLower(w), "-_/.'")
		if !isPlaceholder(w) && !slices.Contains(seen, w) {
			seen = append(seen, w)
		}
		if len(seen) == maxSaid {
			break
		}
	}
	return len(seen)
}

// maxSaid is as far as words are counted: more than any policy can ask for.
const maxSaid = 64

// answered judges the text of one field: an answer, or "none" with a reason of
// at least reason words that say something. The second value says what is
// wrong, "" if nothing is.
func answered(text string, reason int) (ok bool, wrong string) {
	if strings.TrimSpace(text) == "" {
		return false, "is empty"
	}
	n := says(text)
	switch first := firstWord(text); {
	case first == "tbd" || first == "todo" || first == "tba" || first == "fixme":
		return false, "is a placeholder (" + code(excerpt(text, 20)) + ")"
	case n == 0 && isNone(first):
		return false, "says " + code(excerpt(text, 20)) + " without a reason"
	case n == 0:
		return false, "is a placeholder (" + code(excerpt(text, 20)) + ")"
	case isNone(first) && n < reason:
		return false, "says " + code(excerpt(text, 20)) + " with " + tooShort(n, reason)
	default:
		return true, ""
	}
}

// tooShort is a reason of which n words say something, where want are asked for.
func tooShort(n, want int) string {
	return "too short a reason (" + strconv.Itoa(n) + " of " + plural(want, "word", "words") + " that say something)"
}

func isNone(w string) bool {
	switch w {
	case "none", "no", "na", "n/a", "n.a", "nothing", "not", "nil":
		return true
	default:
		return false
	}
}
