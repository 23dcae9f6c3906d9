package report

import (
	"html"
	"slices"
	"strconv"
	"strings"

	"primum/rules"
	"primum/rules/fact"
)

// preview shows what the change's own version of the policy would do.
func (t *text) preview() block {
	p := t.v.Preview
	if p == nil {
		return block{}
	}
	b := block{last: dropPreview}
	if len(p.Errors) > 0 {
		b.head = "\n**This change edits the policy, and the new version has errors**\n\n"
		for _, e := range p.Errors {
			b.rows = append(b.rows, "- "+Code(position(e))+": "+t.w.Sentence(join(e.What, e.Fix), 500)+"\n")
		}
		return b
	}
	if len(t.v.PolicyErrors) > 0 {
		b.head = "\n**This change edits the policy**\n\nThe policy of this change is valid. With it:\n\n"
		if p.State == "" {
			b.head = "\n**This change edits the policy**\n\nThe policy of this change is valid.\n"
		}
		return t.previewRows(b)
	}
	b.head = "\n**This change edits the policy**\n\nIt is judged by the policy of the target branch. With the new one:\n\n"
	b = t.previewRows(b)
	if len(b.rows) == 0 {
		b.rows = append(b.rows, "- Nothing that a rule reads differs.\n")
	}
	return b
}

// previewRows adds what differs under the change's own version of the policy.
func (t *text) previewRows(b block) block {
	p := t.v.Preview
	for _, f := range p.Falls {
		b.rows = append(b.rows, "- The class of "+Code(Clip(Clean(f.Item), 80))+" falls from "+Plain(string(f.From))+" to "+Plain(string(f.To))+".\n")
	}
	for _, c := range p.Changes {
		if saidAsFall(p.Falls, c) {
			continue
		}
		word := "Stricter or equal: "
		if c.Weaker {
			word = "Weaker: "
		}
		b.rows = append(b.rows, "- "+word+full(t.w.Sentence(c.Words, 400))+"\n")
	}
	if left := len(b.rows) - maxPreview; left > 0 {
		b.rows = append(b.rows[:maxPreview:maxPreview], "- and "+strconv.Itoa(left)+" more, see the page.\n")
	}
	if p.State != "" {
		b.rows = append(b.rows, "- This change itself would be: "+Word(p.State)+".\n")
	}
	for _, f := range p.Flips {
		b.rows = append(b.rows, "- Open change "+t.change(f.Change)+", “"+Plain(Clip(Clean(f.Title), 100))+"”, would go from “"+
			Plain(Word(f.From))+"” to “"+Plain(Word(f.To))+"”.\n")
	}
	if p.FlipsNote != "" {
		b.rows = append(b.rows, "- "+full(t.w.Sentence(p.FlipsNote, 300))+"\n")
	}
	return b
}

// maxPreview is how many differences of the policy the comment lists.
const maxPreview = 12

// saidAsFall reports whether a difference only repeats the fall of an item's or
// product's class, for itself or for the files it holds.
func saidAsFall(falls []rules.ClassFall, c rules.PolicyChange) bool {
	for _, f := range falls {
		levels := " " + string(f.To) + " instead of " + string(f.From)
		words := strings.TrimSuffix(c.Words, ".")
		if c.Weaker && strings.HasSuffix(words, levels) && slices.Contains(strings.Fields(words), f.Item) {
			return true
		}
		now, was, ok := strings.Cut(words, " instead of ")
		if ok && c.Weaker && strings.HasPrefix(words, "files like ") && strings.HasSuffix(now, " ("+string(f.To)+")") &&
			slices.Contains(strings.Fields(was), f.Item) {
			return true
		}
	}
	return false
}

// change names another change of the same repository, as a link where the
// address of this one shows how addresses are made.
func (t *text) change(n int) string {
	name := fact.NameOf(t.v.Subject.Sign, n)
	own := "/" + strconv.Itoa(t.v.Subject.Change)
	if base, ok := strings.CutSuffix(t.v.Subject.URL, own); ok {
		return t.w.Change(name, base+"/"+strconv.Itoa(n))
	}
	return Code(name)
}

// answers are the sections that commands asked for.
func (t *text) answers() block {
	b := block{last: dropAnswers}
	for _, a := range t.o.Answers {
		body := wholeLines(balance(a.Text), 6000)
		b.rows = append(b.rows, "\n<details><summary><code>"+html.EscapeString(Clip(Clean(a.Command), 120))+"</code></summary>\n\n"+body+"\n\n</details>\n")
	}
	if len(b.rows) == 0 {
		return block{}
	}
	b.head = "\n**Asked for**\n"
	return b
}

// balance keeps a section of ours from ending the fold it stands in.
func balance(s string) string { return strings.ReplaceAll(s, "</details", "&lt;/details") }

// wholeLines shortens to at most n bytes at the end of a line, or of a character
// where the first line alone is longer.
func wholeLines(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = ClipBytes(s, n)
	if i := strings.LastIndexByte(s, '\n'); i > 0 {
		s = s[:i]
	}
	return s
}

func (t *text) wrong() block {
	if len(t.o.Wrong) == 0 {
		return block{}
	}
	b := block{
		head: "\n<details><summary>Commands that could not be obeyed (" + strconv.Itoa(len(t.o.Wrong)) + ")</summary>\n\n",
		tail: "\n</details>\n", last: dropAnswers,
	}
	for _, w := range t.o.Wrong {
		line := "- " + Code(Clip(Clean(w.By), 60)) + " typed " + Code(Clip(Clean(w.Command), 120)) + ": " + full(t.w.Sentence(w.Why, 300))
		line += t.w.also("comment", w.URL)
		b.rows = append(b.rows, line+"\n")
	}
	return b
}

// Since says in one sentence what changed between two verdicts of one change;
// "" if nothing that people care about did.
func Since(before, now *rules.Verdict) string {
	if before == nil {
		return ""
	}
	var parts []string
	if a, b := before.Class.Class, now.Class.Class; a != b && a != "" && b != "" {
		parts = append(parts, "the class went from "+string(a)+" to "+string(b))
	}
	if before.Subject.Head != now.Subject.Head {
		parts = append(parts, "the head moved to `"+short(now.Subject.Head)+"`")
	}
	old := map[string]rules.Outcome{}
	for _, r := range before.Results {
		old[r.Rule] = r.Outcome
	}
	var done, opened []string
	for _, r := range now.Results {
		was, known := old[r.Rule]
		switch {
		case !known || was == r.Outcome:
		case r.Outcome == rules.Fail || r.Outcome == rules.Unknown:
			opened = append(opened, label(r))
		case was == rules.Fail || was == rules.Unknown || was == rules.Pending && r.Outcome != rules.Pending:
			done = append(done, label(r))
		}
	}
	if len(done) > 0 {
		parts = append(parts, "settled: "+strings.Join(done, ", "))
	}
	if len(opened) > 0 {
		parts = append(parts, "new: "+strings.Join(opened, ", "))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + "."
}
