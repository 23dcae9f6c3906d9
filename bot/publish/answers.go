package publish

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"primum/bot/report"
	"primum/forges"
	"primum/rules"
	"primum/rules/evidence"
)

// maxAnswers bounds the sections of one comment that commands asked for.
const maxAnswers = 3

// answers are the sections that commands asked for, newest last, each question once.
func answers(v *rules.Verdict, ev *evidence.Evidence) []report.Answer {
	var out []report.Answer
	asked := map[string]bool{}
	for _, c := range slices.Backward(ev.Commands) {
		if len(out) == maxAnswers {
			break
		}
		if fault(v, ev, &c) != "" || c.By.Bot {
			continue
		}
		a, ok := answer(v, c)
		if !ok || asked[a.Command] {
			continue
		}
		asked[a.Command] = true
		out = append([]report.Answer{a}, out...)
	}
	return out
}

func answer(v *rules.Verdict, c evidence.Command) (report.Answer, bool) {
	switch c.Name {
	case "help":
		return report.Answer{Command: "help", Text: help()}, true
	case "class":
		return report.Answer{Command: "class", Text: classText(v)}, true
	case "explain":
		id := c.Rule
		if id == "" && len(c.Args) > 0 {
			id = c.Args[0]
		}
		rule, ok := rules.Find(id)
		if !ok {
			return report.Answer{}, false
		}
		return report.Answer{Command: "explain " + id, Text: explain(v, rule)}, true
	default:
		return report.Answer{}, false
	}
}

// explain is a rule's reference page in short, with what it said here.
func explain(v *rules.Verdict, r rules.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** (%s)\n\n%s\n\n%s\n", r.Title, report.Code(r.ID), r.Why, r.Fix)
	for _, res := range v.Results {
		if res.Rule != r.ID {
			continue
		}
		fmt.Fprintf(&b, "\nOn this change: %s. %s\n", report.Word(res.Outcome), report.Sentence(v, strings.TrimSuffix(res.Summary, ".")))
		fmt.Fprintf(&b, "\nEnforcement: %s, from %s.\n", res.Enforcement, report.Code(res.Origin))
	}
	if len(r.Clauses) > 0 {
		fmt.Fprintf(&b, "\n<sub>IEC 62304:2006+A1:2015 %s</sub>\n", strings.Join(r.Clauses, ", "))
	}
	return b.String()
}

// classText says where the class of the change comes from.
func classText(v *rules.Verdict) string {
	var b strings.Builder
	b.WriteString(report.Sentence(v, v.Class.Reason) + "\n")
	for _, g := range v.Class.Groups {
		item := "no item"
		if g.Item != "" {
			item = report.Code(g.Item)
		}
		paths := "1 path"
		if g.Paths != 1 {
			paths = strconv.Itoa(g.Paths) + " paths"
		}
		fmt.Fprintf(&b, "\n- %s: class %s, %s, %s", item, report.Plain(string(g.Class)), paths, report.Sentence(v, g.Why))
	}
	return b.String() + "\n"
}

// help lists the commands.
func help() string {
	var b strings.Builder
	b.WriteString("On the first line of a comment, read as first posted:\n\n")
	for _, name := range evidence.Verbs() {
		fmt.Fprintf(&b, "- %s: %s\n", report.Code(name), report.Plain(evidence.FormOf(name)))
	}
	return b.String()
}

// wrong are the commands that could not be obeyed, unless the same person has
// given a right one since.
func wrong(v *rules.Verdict, ev *evidence.Evidence) []report.Wrong {
	var out []report.Wrong
	mended := map[string]bool{}
	for _, c := range slices.Backward(ev.Commands) {
		if c.By.Bot || c.Comment == nil {
			continue
		}
		why := fault(v, ev, &c)
		if why == "" {
			mended[c.By.ID] = true
			continue
		}
		if mended[c.By.ID] || len(out) == maxAnswers {
			continue
		}
		first, _, _ := strings.Cut(c.Comment.First, "\n")
		out = append([]report.Wrong{{By: c.By.Login, Command: strings.TrimSpace(first), Why: why, URL: c.Comment.URL}}, out...)
	}
	return out
}

// fault is why a command cannot be obeyed: what its own words show, and what
// only shows against the rules there are, the waivers asked for on this change,
// the issues that were read and the roles of who gave it. "" if it can.
func fault(v *rules.Verdict, ev *evidence.Evidence, c *evidence.Command) string {
	switch {
	case c.Wrong != "":
		return c.Wrong
	case c.Name == "explain":
		return noRule(c.Rule)
	case c.Name == "approve" && c.Waiver != "" && rules.WaiverSubject(ev, c.Waiver) == "":
		return noWaiver(ev, c.Waiver)
	case c.Name == "link":
		if is := ev.Issues[c.Issue]; is != nil && is.Facts != nil && is.Facts.Problem != "" {
			return "#" + strconv.Itoa(is.Facts.Number) + " does not exist or Primum may not read it; the right form is " +
				"`/primum link #NUMBER` with the number of an issue"
		}
	}
	if c.Comment != nil {
		for _, r := range v.Refusals {
			if r.Comment == c.Comment.ID {
				return r.Why
			}
		}
	}
	return ""
}

// noRule says which rule was most likely meant; "" if there is one of that name.
func noRule(id string) string {
	if _, ok := rules.Find(id); ok || id == "" {
		return ""
	}
	var ids, holding []string
	for _, r := range rules.All() {
		ids = append(ids, r.ID)
		if len(id) > 2 && strings.Contains(r.ID, id) {
			holding = append(holding, r.ID)
		}
	}
	near := evidence.Nearest(id, ids)
	if near == "" && len(holding) > 0 {
		near = holding[0]
	}
	if near == "" {
		return "there is no rule of that name; the right form is `/primum explain " + ids[0] + "`, with the name of a rule"
	}
	return "there is no rule of that name; did you mean `/primum explain " + near + "`?"
}

// noWaiver says which waivers could be approved instead.
func noWaiver(ev *evidence.Evidence, id string) string {
	why := "there is no waiver " + id + " on this change; "
	if rules.WaiverSubject(ev, "W1") == "" {
		return why + "none is asked for, and one is asked for with `/primum waive <rule> until <YYYY-MM-DD> because <reason>`"
	}
	return why + "the right form is `/primum approve W1`, with a number listed under Waivers"
}

// maxReactions is how many commands of one person in one conversation get a
// reaction: the first ones.
const maxReactions = 20

// reactions answer each command once: thumbs up when the verdict rests on it
// or it asked for nothing more than was done, confused when it cannot be
// obeyed, eyes when it was read and the comment says what came of it. Whoever
// floods a conversation with commands gets maxReactions and then silence: every
// reaction is taken from the budget that all changes share (law 10).
func (s *Subject) reactions() []Act {
	var acts []Act
	given := map[string]int{} // by conversation and person
	add := func(c *evidence.Command, number int) {
		if c.Comment == nil || c.By.Bot || !c.By.Known() {
			return
		}
		who := strconv.Itoa(number) + " " + c.By.ID
		given[who]++
		if given[who] > maxReactions || s.Memory.Answered[c.Comment.ID] != "" {
			return
		}
		if c.Review && fault(s.Verdict, s.Evidence, c) == "" {
			return // what became of the review stands in the comment; two calls would say it again
		}
		on := forges.CommentRef{Repo: s.Change.Repo, Number: number, ID: c.Comment.ID, Review: c.Review}
		acts = append(acts, Act{
			Kind: ReactionAct, On: on, Reaction: s.reaction(c),
			Key: fmt.Sprintf("reaction:%s/%s/%s", s.Change.Repo.Forge, s.Change.Repo.ID, c.Comment.ID),
			Why: "answer to /primum " + c.Name,
		})
	}
	for i := range s.Evidence.Commands {
		add(&s.Evidence.Commands[i], s.Change.Number)
	}
	for _, is := range s.Facts.Issues {
		ev := s.Evidence.Issues[fmt.Sprintf("%s#%d", is.Repo, is.Number)]
		if ev == nil || is.Repo != s.Facts.Repo.FullName() {
			continue
		}
		for i := range ev.Commands {
			add(&ev.Commands[i], is.Number)
		}
	}
	return acts
}

func (s *Subject) reaction(c *evidence.Command) forges.Reaction {
	if fault(s.Verdict, s.Evidence, c) != "" {
		return forges.Refused
	}
	switch c.Name {
	case "recheck", "link", "hold", "explain", "class", "help":
		return forges.Done
	}
	if url := c.Comment.URL; url != "" {
		for _, w := range s.Verdict.Waivers {
			if w.URL == url && w.State == rules.WaiverInvalid {
				return forges.Refused
			}
			if w.URL == url {
				return forges.Done
			}
		}
		for _, r := range s.Verdict.Results {
			for _, e := range r.Evidence {
				if e.URL == url {
					return forges.Done
				}
			}
		}
	}
	return forges.Seen
}
