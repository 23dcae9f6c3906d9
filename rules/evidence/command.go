package evidence

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// verb is one command with its right form.
type verb struct{ name, form string }

// verbs are the commands, in the order help shows them.
func verbs() []verb {
	return []verb{
		{"recheck", "/primum recheck"},
		{"link", "/primum link #12"},
		{"approve", "/primum approve (on a change request) or /primum approve W1 (a waiver, on the change)"},
		{"risk", "/primum risk 1: no, because … (questions 1 to 4, one a line) or /primum risk confirm"},
		{"verify", "/primum verify v1.4.2"},
		{"waive", "/primum waive review-quorum until 2026-12-01 because …"},
		{"sign", "/primum sign reviewed-code"},
		{"hold", "/primum hold or /primum hold off"},
		{"explain", "/primum explain review-quorum"},
		{"class", "/primum class"},
		{"help", "/primum help"},
	}
}

// Verbs lists the names of the commands, in the order help shows them.
func Verbs() []string {
	var names []string
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return names
}

// FormOf is the right form of a command, for help and for answers; "" if there
// is no such command.
func FormOf(name string) string {
	for _, v := range verbs() {
		if v.name == name {
			return v.form
		}
	}
	return ""
}

// Meanings are what a signature can mean: what /primum sign takes.
func Meanings() []string {
	return []string{"reviewed-code", "approved-change", "verified", "risk-reviewed", "released"}
}

// place is where a command stands: on a change, on an issue, or unknown.
type place struct{ change, issue int }

// IsCommand reports whether a comment's text holds a command: whether the first
// word of its first line that is not blank is /primum. It is cheap, for intake.
func IsCommand(body string) bool {
	_, _, ok := commandLine(body)
	return ok
}

// commandLine splits a command's text into what follows /primum on its line and
// the lines after it. An indented line is code and no command.
func commandLine(body string) (rest, following string, ok bool) {
	for {
		line, after, more := strings.Cut(body, "\n")
		if strings.TrimSpace(line) == "" {
			if !more {
				return "", "", false
			}
			body = after
			continue
		}
		if strings.HasPrefix(line, "    ") || strings.HasPrefix(strings.TrimLeft(line, " "), "\t") {
			return "", "", false
		}
		line = strings.TrimSpace(line)
		if !hasFold(line, "/primum") {
			return "", "", false
		}
		rest = line[len("/primum"):]
		if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
			return "", "", false
		}
		return strings.TrimSpace(rest), after, true
	}
}

// ParseCommand reads the command in a comment's text; ok is false if it holds
// none. Issues of the comment's own repository are named "#12". A command that
// cannot be obeyed has Wrong set to the reason and the right form.
func ParseCommand(body string) (c Command, ok bool) {
	if !IsCommand(body) {
		return Command{}, false
	}
	return parseCommand(body, home{}, place{}), true
}

func parseCommand(body string, h home, at place) Command {
	line, following, _ := commandLine(body)
	words := strings.Fields(line)
	if len(words) == 0 {
		return Command{Name: "help"}
	}
	c := Command{Name: strings.ToLower(words[0]), Args: words[1:]}
	rest := strings.TrimSpace(line[len(words[0]):])
	switch c.Name {
	case "recheck", "class", "help":
	case "link":
		c.link(h)
	case "approve":
		c.approve(h, at)
	case "risk":
		c.risk(rest, following)
	case "verify":
		c.verify()
	case "waive":
		c.waive(rest)
	case "sign":
		c.sign()
	case "hold":
		if len(c.Args) > 1 || len(c.Args) == 1 && !strings.EqualFold(c.Args[0], "off") {
			c.refuse("hold takes nothing, or off")
		}
	case "explain":
		if len(c.Args) != 1 {
			c.refuse("say which rule")
		} else {
			c.Rule = strings.ToLower(c.Args[0])
		}
	default:
		c.unknown()
	}
	return c
}

// refuse records why the command cannot be obeyed, with the right form.
func (c *Command) refuse(why string) {
	c.Wrong = why + "; the right form is " + quoteForm(FormOf(c.Name))
}

// quoteForm sets the commands of a form in code quotes.
func quoteForm(form string) string {
	parts := strings.Split(form, " or ")
	for i, p := range parts {
		cmd, note, has := strings.Cut(p, " (")
		parts[i] = "`" + cmd + "`"
		if has {
			parts[i] += " (" + note
		}
	}
	return strings.Join(parts, " or ")
}

func (c *Command) unknown() {
	near := nearest(c.Name, Verbs())
	switch {
	case near != "":
		c.Wrong = "unknown command" + said(c.Name) + "; did you mean " + quoteForm(FormOf(near)) + "?"
	default:
		c.Wrong = "unknown command" + said(c.Name) + "; `/primum help` lists the commands"
	}
}

// said repeats a word somebody typed, in quotes with a space before, if it is
// plain enough to stand in any text, and nothing otherwise.
func said(w string) string {
	if w == "" || len(w) > 40 {
		return ""
	}
	for i := range len(w) {
		if c := w[i]; !isAlnum(c) && c != '-' && c != '.' {
			return ""
		}
	}
	return ` "` + w + `"`
}

func (c *Command) link(h home) {
	switch {
	case len(c.Args) == 0:
		c.refuse("say which issue")
		return
	case len(c.Args) > 1:
		c.refuse("link takes one issue; write one command for each")
		return
	}
	repo, n, ok := oneIssue(c.Args[0], h)
	if !ok {
		c.refuse("that is no issue of this forge")
		return
	}
	c.Issue = issueKey(repo, n)
}

// oneIssue reads an issue as an argument: #12, 12, owner/name#12, an address.
func oneIssue(arg string, h home) (repo string, number int, ok bool) {
	if n, end, is := digits(arg, 0); is && end == len(arg) {
		return h.repo, n, true
	}
	h.refs(strings.Trim(arg, "<>"), func(r ref) {
		if !ok {
			repo, number, ok = r.repo, r.number, true
		}
	})
	return repo, number, ok
}

func (c *Command) approve(h home, at place) {
	switch len(c.Args) {
	case 0:
		if at.change > 0 {
			c.refuse("a change is approved by a review, its change request on the request's own issue, a waiver by its number")
			return
		}
		if at.issue > 0 {
			c.Issue = issueKey(h.repo, at.issue)
		}
	case 1:
		w := strings.ToUpper(c.Args[0])
		if n, err := strconv.Atoi(strings.TrimPrefix(w, "W")); err != nil || !strings.HasPrefix(w, "W") || n < 1 || w[1] == '0' || w[1] == '+' {
			c.refuse("only a waiver's number can follow approve")
			return
		}
		if at.issue > 0 {
			c.refuse("a waiver is approved on the change it was asked for")
			return
		}
		c.Waiver = w
	default:
		c.refuse("approve takes nothing on a change request, and a waiver's number on a change")
	}
}

func (c *Command) verify() {
	args := c.Args
	if len(args) == 2 && strings.EqualFold(args[0], "build") {
		args = args[1:]
	}
	if len(args) != 1 {
		c.refuse("say on which build it was verified, in one word")
		return
	}
	c.Build = args[0]
}

func (c *Command) sign() {
	if len(c.Args) != 1 {
		c.refuse("say what the signature means: " + strings.Join(Meanings(), ", "))
		return
	}
	m := strings.ToLower(c.Args[0])
	if slices.Contains(Meanings(), m) {
		c.Meaning = m
		return
	}
	why := "unknown meaning" + said(m)
	if near := nearest(m, Meanings()); near != "" {
		c.Wrong = why + "; did you mean `/primum sign " + near + "`?"
		return
	}
	c.Wrong = why + "; a signature means one of " + strings.Join(Meanings(), ", ")
}

// waive reads "RULE until YYYY-MM-DD because REASON".
func (c *Command) waive(rest string) {
	rule, rest := cutWord(rest)
	until, rest := cutWord(rest)
	date, rest := cutWord(rest)
	because, reason := cutWord(rest)
	if rule == "" {
		c.refuse("say which rule, until when and why")
		return
	}
	c.Rule = strings.ToLower(rule)
	if !strings.EqualFold(until, "until") {
		c.refuse("`until` and a date must follow the rule")
		return
	}
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		c.refuse("the date must be a real day written as year-month-day, such as 2026-12-01")
		return
	}
	if !strings.EqualFold(strings.TrimSuffix(because, ":"), "because") || reason == "" {
		c.refuse("`because` and the reason must follow the date")
		return
	}
	c.Until = day.AddDate(0, 0, 1).Add(-time.Second)
	c.Because = reason
}

func cutWord(s string) (w, rest string) {
	s = strings.TrimLeft(s, " \t")
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}
