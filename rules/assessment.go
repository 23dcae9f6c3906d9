package rules

import (
	"strconv"
	"strings"
	"time"

	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// assessment is what was answered to the risk questions for one request, newest
// answer to each.
type assessment struct {
	given map[int]reply
	bots  bool // some answer was a bot's and does not count
}

// reply is one answer with who gave it and where.
type reply struct {
	evidence.Answer
	by        fact.Person
	at        time.Time
	kind      string // "issue", "comment"
	url       string
	unclear   bool // the section says neither yes nor no
	confirmed bool // by the risk role, after it was given
}

// shortfall is one question whose answer does not do.
type shortfall struct {
	question int
	why      string
}

// assess collects the answers for a request, in the form of the issue, in
// commands on it and in commands on the change; with a nil request those on
// the change alone. The newest answer stands, and what bots wrote does not count.
func (c *Case) assess(r *linked) assessment {
	a := assessment{given: map[int]reply{}}
	var commands []evidence.Command
	if r != nil {
		c.readForm(&a, r)
		commands = append(commands, r.texts.Commands...)
	}
	commands = append(commands, c.Evidence.Commands...)
	for i := range commands {
		k := &commands[i]
		if k.Name != "risk" || k.Wrong != "" || !k.By.Known() || k.By.Bot {
			continue
		}
		url := ""
		if k.Comment != nil {
			url = k.Comment.URL
		}
		for q, answer := range k.Answers {
			if old, ok := a.given[q]; ok && old.at.After(k.At) {
				continue
			}
			a.given[q] = reply{Answer: answer, by: k.By, at: k.At, kind: "comment", url: url}
		}
	}
	for i := range commands {
		if k := &commands[i]; k.Name == "risk" && k.Wrong == "" && len(k.Args) == 1 && k.Args[0] == "confirm" {
			c.confirm(&a, r, k)
		}
	}
	return a
}

// readForm reads the risk sections of a request. Their author is whoever edited
// the text last; the forge says no more.
func (c *Case) readForm(a *assessment, r *linked) {
	by, at := r.facts.Author, r.facts.CreatedAt
	if e := r.facts.TextEditedAt; !e.IsZero() {
		at = e
		if r.facts.TextEditor.Known() {
			by = r.facts.TextEditor
		}
	}
	for q := 1; q <= 4; q++ {
		text := field(&r.texts.Form, "risk-"+strconv.Itoa(q))
		if strings.TrimSpace(text) == "" {
			continue
		}
		if by.Bot {
			a.bots = true
			continue
		}
		answer, ok := evidence.ParseAnswer(text)
		if !ok {
			answer.Reason = text
		}
		a.given[q] = reply{Answer: answer, by: by, at: at, kind: "issue", url: r.facts.URL, unclear: !ok}
	}
}

// confirm marks the answers a holder of the risk role had before them.
func (c *Case) confirm(a *assessment, r *linked, k *evidence.Command) {
	if !c.People.Holds(k.By, policy.Risk) {
		return
	}
	sameText := r != nil && k.Comment != nil && k.Comment.SubjectThen != "" && k.Comment.SubjectThen == r.facts.TextDigest()
	for q, g := range a.given {
		if g.at.Before(k.At) || g.kind == "issue" && sameText {
			g.confirmed = true
			a.given[q] = g
		}
	}
}

// wrong lists the questions without an answer that does.
func (a *assessment) wrong(questions []int, reasonWords int) []shortfall {
	var out []shortfall
	for _, q := range questions {
		if why := a.lacks(q, reasonWords); why != "" {
			out = append(out, shortfall{q, why})
		}
	}
	return out
}

func (a *assessment) lacks(q, reasonWords int) string {
	g, ok := a.given[q]
	switch {
	case !ok && a.bots:
		return "was answered by a bot only"
	case !ok:
		return "is not answered"
	case g.unclear && says(g.Reason) == 0:
		return "is answered with a placeholder"
	case g.unclear:
		return "begins with neither yes nor no"
	case g.Yes && !hasReference(g.Reason, g.Refs):
		return "is answered yes without a risk reference such as HZ-3"
	case !g.Yes && says(g.Reason) == 0 && reasonWords > 0:
		return "is answered no without a reason"
	case !g.Yes && says(g.Reason) < reasonWords:
		return "is answered no with " + tooShort(says(g.Reason), reasonWords)
	default:
		return ""
	}
}
