package rules

import (
	"strconv"
	"strings"

	"primum/rules/fact"
	"primum/rules/policy"
)

// code shows a name, path or command in a sentence. What would end the
// quotation is replaced; renderers see to the rest.
func code(s string) string {
	if strings.IndexByte(s, '`') >= 0 {
		s = strings.ReplaceAll(s, "`", "'")
	}
	return "`" + s + "`"
}

// sha is a commit as people read it: its first eight digits.
func sha(s string) string {
	if len(s) > 8 {
		return s[:8]
	}
	if s == "" {
		return "an unknown commit"
	}
	return s
}

// plural is a count with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// list joins words with commas and a last "and".
func list(words []string) string { return joined(words, " and ") }

// either joins words with commas and a last "or".
func either(words []string) string { return joined(words, " or ") }

func joined(words []string, last string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + last + words[len(words)-1]
}

// few shows at most three words and says how many there are besides.
func few(words []string) string {
	if len(words) <= 3 {
		return list(words)
	}
	return strings.Join(words[:3], ", ") + " and " + strconv.Itoa(len(words)-3) + " more"
}

// fewPaths is few for paths.
func fewPaths(paths []string) string {
	shown := make([]string, 0, 3)
	for _, p := range paths[:min(3, len(paths))] {
		shown = append(shown, code(p))
	}
	if len(paths) > 3 {
		return strings.Join(shown, ", ") + " and " + strconv.Itoa(len(paths)-3) + " more"
	}
	return list(shown)
}

// logins are the display names of people, in their order.
func logins(people []fact.Person) []string {
	out := make([]string, 0, len(people))
	for _, p := range people {
		out = append(out, login(p))
	}
	return out
}

// login is the display name of one person.
func login(p fact.Person) string {
	switch {
	case p.Login != "":
		return p.Login
	case p.Name != "":
		return p.Name
	default:
		return "a deleted account"
	}
}

func roleWords(roles []policy.Role) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = string(r)
	}
	return out
}

// quoteFew bounds text of others in a sentence, in runes.
func excerpt(s string, runes int) string {
	s = strings.Join(strings.Fields(s), " ")
	n := 0
	for i := range s {
		if n == runes {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
