package pages

import (
	"html/template"
	"net/url"
	"regexp"
	"strings"
	"time"

	"primum/bot/report"
	"primum/rules"
	"primum/rules/policy"
)

// piece is a part of one of our sentences: text, code or a link.
type piece struct {
	Text string
	Code bool
	URL  string
}

var issueRef = regexp.MustCompile(`(?:[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9._-]+)+)?#[0-9]{1,9}\b`)

// pieces cuts a sentence at its code spans and at the issues that are known.
func pieces(s string, refs map[string]string) []piece {
	s = report.Clip(report.Clean(s), 2000)
	var out []piece
	for i, part := range strings.Split(s, "`") {
		if part == "" {
			continue
		}
		if i%2 == 1 {
			out = append(out, piece{Text: part, Code: true})
			continue
		}
		last := 0
		for _, at := range issueRef.FindAllStringIndex(part, -1) {
			address := link(refs[part[at[0]:at[1]]])
			if address == "" {
				continue
			}
			out = append(out, piece{Text: part[last:at[0]]}, piece{Text: part[at[0]:at[1]], URL: address})
			last = at[1]
		}
		out = append(out, piece{Text: part[last:]})
	}
	return out
}

// link lets through absolute http and https addresses and nothing else.
func link(s string) string {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

func (p *Pages) funcs() template.FuncMap {
	return template.FuncMap{
		"base":   func() string { return p.base },
		"asset":  func(name string) string { return p.base + "/assets/" + name + "?h=" + p.static[name].tag },
		"clean":  report.Clean,
		"short":  func(s string) string { return short(s, 8) },
		"digest": func(s string) string { return short(s, 16) },
		"word":   func(s any) string { return stateWord(text(s)) },
		"says":   func(s string) string { return report.Word(rules.Outcome(s)) },
		"within": func(part, whole string) bool { return strings.Contains(whole, part) },
		"mark":   func(s any) string { return mark(text(s)) },
		"params": params,
		"age":    age,
		"since":  func(t time.Time) string { return age(p.o.Clock.Now().Sub(t)) },
		"when":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"day":    func(t time.Time) string { return t.UTC().Format("2006-01-02") },
		"link":   link,
		"pieces": pieces,
		"join":   func(list []string, sep string) string { return strings.Join(list, sep) },
		"roles": func(list []policy.Role) string {
			words := make([]string, len(list))
			for i, r := range list {
				words[i] = string(r)
			}
			return strings.Join(words, ", ")
		},
		"refs":  func(c *changeView) map[string]string { return c.refs },
		"lines": func(s string) []string { return strings.Split(s, "\n") },
		"dict": func(kv ...any) map[string]any {
			m := map[string]any{}
			for i := 0; i+1 < len(kv); i += 2 {
				m[text(kv[i])] = kv[i+1]
			}
			return m
		},
	}
}

func text(s any) string {
	switch v := s.(type) {
	case string:
		return v
	case rules.Outcome:
		return string(v)
	default:
		return ""
	}
}

// mark is a sign beside the word, never instead of it.
func mark(state string) string {
	switch state {
	case string(rules.Pass):
		return "✓"
	case string(rules.Fail):
		return "✕"
	case string(rules.Pending), unjudged:
		return "…"
	case string(rules.Waived):
		return "◇"
	case string(rules.Unknown):
		return "?"
	default:
		return "–"
	}
}

func short(s string, n int) string {
	s = report.Clean(s)
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
