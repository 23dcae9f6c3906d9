package report

import (
	"fmt"
	"strconv"
	"strings"

	"primum/rules"
	"primum/rules/fact"
	"primum/rules/policy"
)

// Comment is the one comment on the change, built to the forge's budget.
func Comment(v *rules.Verdict, o Options) string {
	t := newText(v, o)
	limit := MaxComment
	if m := o.Capabilities.CommentMax; m > 0 {
		limit = min(limit, max(m, MinComment))
	}
	blocks := []block{{head: Marker + "\n"}}
	blocks = append(blocks, t.summary()...)
	blocks = append(blocks, t.details()...)
	blocks = append(blocks, t.footer())
	return compose(blocks, limit)
}

// How late rows are dropped, from the first to go.
const (
	dropNA = iota
	dropPassed
	dropAuthors
	dropPreview
	dropAnswers
	dropApprovals
	dropWaivers
	dropAdvice
	dropWaiting
	dropUnknown
	dropActions
)

// text is one verdict being put into words.
type text struct {
	v *rules.Verdict
	o Options
	w *writer
}

func newText(v *rules.Verdict, o Options) *text { return &text{v: v, o: o, w: newWriter(v, o.URL)} }

// summary is what is read first: the answer, the class, what to do.
func (t *text) summary() []block {
	blocks := []block{{head: t.opening()}}
	for _, b := range []block{t.policyErrors(), t.actions(), t.unknown(), t.waiting(), t.advice(), t.notes()} {
		if b.head != "" {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// details is what the answer rests on.
func (t *text) details() []block {
	var blocks []block
	for _, b := range []block{t.preview(), t.approvals(), t.waivers(), t.answers(), t.wrong(), t.passed(), t.na()} {
		if b.head != "" {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// opening is the answer and the class, a line each.
func (t *text) opening() string {
	var b strings.Builder
	b.WriteString("**" + t.answer() + "**\n")
	if r := t.v.Class.Reason; r != "" && t.v.Class.Class != "" && !t.v.Class.OnlyOutside {
		b.WriteString("\n" + full(t.w.Sentence(r, 600)))
		if t.v.Class.Mixed {
			b.WriteString(" It touches items of several classes; split in two, the lower part would need less.")
		}
		b.WriteString("\n")
	}
	if t.v.Mode == policy.Advise {
		b.WriteString("\nAdvice only: the policy's mode is `advise`, so nothing here blocks.\n")
	}
	if s := t.o.Sibling; s != nil && t.o.worse(t.v) {
		b.WriteString("\nThe check of this commit shows change " + t.w.Change(fact.NameOf(t.v.Subject.Sign, s.Number), s.URL) +
			", “" + Plain(Clip(Clean(s.Title), 120)) + "”, which has the same head commit and a worse verdict: " + Plain(Clip(Clean(s.Says), 120)) + "\n")
	}
	if t.o.Since != "" {
		b.WriteString("\nSince last time: " + full(t.w.Sentence(t.o.Since, 600)) + "\n")
	}
	return b.String()
}

// answer is the state in words.
func (t *text) answer() string {
	v := t.v
	if len(v.PolicyErrors) > 0 {
		return "`" + codeless(v.PolicyErrors[0].File) + "` on the target branch cannot be read, so this change cannot be judged. " +
			full(rules.MendPolicy(v.Preview != nil && len(v.Preview.Errors) == 0))
	}
	if v.Class.OnlyOutside && (v.State == rules.Pass || v.State == rules.NA) {
		return "Not governed: no device software changed."
	}
	switch v.State {
	case rules.NA: // its reason says it all
	case rules.Fail:
		if n := actions(v).count; n > 0 {
			if v.Mode == policy.Advise {
				return plural(n, "action", "actions") + " advised."
			}
			return plural(n, "action", "actions") + " needed before this can merge."
		}
	case rules.Pending:
		return "Nothing to do: waiting for " + waits(v).lead + "."
	case rules.Pass, rules.Waived:
		return strings.ToUpper(ready(v)[:1]) + ready(v)[1:] + "."
	case rules.Unknown:
		return "Something could not be read, so this cannot be judged yet."
	}
	return full(t.w.Sentence(v.Reason, 300))
}

func codeless(s string) string { return strings.ReplaceAll(Clip(Clean(s), 120), "`", "'") }

// full ends a sentence.
func full(s string) string {
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") || strings.HasSuffix(s, ":") {
		return s
	}
	if allDigits(s) {
		return s + "\\." // "7." would begin a list
	}
	return s + "."
}

func (t *text) policyErrors() block {
	if len(t.v.PolicyErrors) == 0 {
		return block{}
	}
	b := block{head: "\n**Errors in the policy**\n\n| Where | What | What would be right |\n|---|---|---|\n", last: dropActions, more: tableRest(3)}
	for _, e := range t.v.PolicyErrors {
		b.rows = append(b.rows, row(Code(position(e)), t.w.Sentence(e.What, 300), t.w.Sentence(e.Fix, 300)))
	}
	return b
}

func position(e policy.Error) string {
	s := e.File
	if e.Line > 0 {
		s += ":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column)
	}
	return s
}

// actions is the table of what somebody must do.
func (t *text) actions() block {
	b := block{head: "\n**Needs action**\n\n| What | Who can do it | How |\n|---|---|---|\n", last: dropActions, more: tableRest(3)}
	for _, r := range t.v.Results {
		if r.Outcome != rules.Fail || r.Enforcement != policy.Block {
			continue
		}
		for _, f := range findings(r, rules.Fail) {
			b.rows = append(b.rows, row(t.what(r, f), t.who(f), t.how(f)))
		}
	}
	if len(b.rows) == 0 {
		return block{}
	}
	return b
}

// findings are those with an outcome; where there is none, the summary serves.
func findings(r rules.Result, o rules.Outcome) []rules.Finding {
	var out []rules.Finding
	for _, f := range r.Findings {
		if f.Outcome == o {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		out = append(out, rules.Finding{Outcome: o, Message: r.Summary})
	}
	return out
}

func (t *text) what(r rules.Result, f rules.Finding) string {
	return full(t.w.Sentence(f.Message, 500)) + t.where(f) + "<br>" + small(r)
}

func (t *text) where(f rules.Finding) string {
	switch {
	case f.Path != "" && f.Line > 0:
		return " " + Code(Clip(Clean(f.Path), 200)+":"+strconv.Itoa(f.Line))
	case f.Path != "" && !strings.Contains(f.Message, f.Path):
		return " " + Code(Clip(Clean(f.Path), 200))
	default:
		return ""
	}
}

// maxClauses is how many clauses of a rule one line names.
const maxClauses = 3

// small is the rule and its clauses in small print.
func small(r rules.Result) string {
	s := "<sub>" + Plain(Clip(Clean(r.Rule), 60))
	if len(r.Clauses) > 0 {
		few := strings.Join(r.Clauses[:min(maxClauses, len(r.Clauses))], ", ")
		if len(r.Clauses) > maxClauses {
			few += " …" // the page shows all
		}
		s += " · " + Plain("IEC 62304 "+Clip(Clean(few), 120))
	}
	return s + "</sub>"
}

func (t *text) who(f rules.Finding) string {
	if len(f.Who) == 0 {
		return "author"
	}
	return codes(f.Who, 6)
}

func (t *text) how(f rules.Finding) string {
	how := full(t.w.Sentence(f.Fix, 500))
	if f.Command != "" && !strings.Contains(f.Fix, "`"+f.Command+"`") { // not said twice
		if how != "" {
			how += "<br>"
		}
		how += "Type: " + command(f.Command)
	}
	return strings.TrimPrefix(how+t.w.also("open", f.URL), " ")
}

// row is one row of a table.
func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func tableRest(columns int) func(int) string {
	return func(left int) string {
		cells := make([]string, columns)
		cells[0] = strconv.Itoa(left) + " more on the page"
		return row(cells...)
	}
}

func (t *text) unknown() block {
	return t.list("Could not be read", dropUnknown, func(r rules.Result) []rules.Finding {
		if r.Outcome != rules.Unknown || r.Enforcement == policy.Off {
			return nil
		}
		return findings(r, rules.Unknown)
	})
}

func (t *text) waiting() block {
	return t.list("Waiting for", dropWaiting, func(r rules.Result) []rules.Finding {
		if r.Enforcement != policy.Block {
			return nil
		}
		if count(r, rules.Pending) > 0 || r.Outcome == rules.Pending && t.v.State == rules.Pending {
			return together(findings(r, rules.Pending))
		}
		return nil // it waits for what an action above settles
	})
}

// together folds findings that say the same of several checks into one: "`build`
// and `test` have not reported".
func together(in []rules.Finding) []rules.Finding {
	var out []rules.Finding
	names := map[int][]string{}
	at := map[string]int{}
	for _, f := range in {
		name, said, ok := subjectOf(f.Message)
		if !ok || f.URL != "" || f.Path != "" {
			out = append(out, f)
			continue
		}
		key := strings.Join(append([]string{said, f.Fix, f.Command}, f.Who...), "\x00")
		i, seen := at[key]
		if !seen {
			i = len(out)
			at[key], out = i, append(out, f)
		}
		names[i] = append(names[i], name)
	}
	for i, several := range names {
		if len(several) < 2 {
			continue
		}
		_, said, _ := subjectOf(out[i].Message)
		last := len(several) - 1
		out[i].Message = strings.Join(several[:last], ", ") + " and " + several[last] + said
		for one, many := range map[string]string{" has ": " have ", " is ": " are "} {
			if rest, ok := strings.CutPrefix(said, one); ok {
				out[i].Message = strings.TrimSuffix(out[i].Message, said) + many + rest
			}
		}
		out[i].Fix = strings.Replace(out[i].Fix, "Wait for it; start it if it does not start by itself", "Wait for them; start those that do not start by themselves", 1)
	}
	return out
}

// subjectOf cuts the code span that begins a sentence from what is said of it.
func subjectOf(message string) (name, said string, ok bool) {
	rest, ok := strings.CutPrefix(message, "`")
	if !ok {
		return "", "", false
	}
	i := strings.IndexByte(rest, '`')
	if i < 1 || i+1 < len(rest) && rest[i+1] == '`' {
		return "", "", false
	}
	return message[:i+2], message[i+2:], true
}

func (t *text) advice() block {
	return t.list("Worth a look (does not block)", dropAdvice, func(r rules.Result) []rules.Finding {
		if r.Enforcement == policy.Warn && r.Outcome == rules.Fail {
			return findings(r, rules.Fail)
		}
		return nil
	})
}

// notes are what people should know and no rule judges.
func (t *text) notes() block {
	b := block{head: "\n**Worth knowing**\n\n", last: dropWaiting}
	for _, n := range t.v.Notes {
		line := "- " + full(t.w.Sentence(n.Text, 500))
		if n.Fix != "" {
			line += " " + full(t.w.Sentence(n.Fix, 300))
		}
		b.rows = append(b.rows, line+t.w.also("open", n.URL)+"\n")
	}
	if t.o.Truce != "" {
		b.rows = append(b.rows, "- "+full(t.w.Sentence(t.o.Truce, 500))+"\n")
	}
	if len(b.rows) == 0 {
		return block{}
	}
	return b
}

func (t *text) list(title string, last int, pick func(rules.Result) []rules.Finding) block {
	b := block{head: "\n**" + title + "**\n\n", last: last}
	for _, r := range t.v.Results {
		for _, f := range pick(r) {
			line := "- " + full(t.w.Sentence(f.Message, 500)) + t.where(f)
			if how := t.how(f); how != "" {
				line += " " + how
			}
			if len(f.Who) > 0 {
				line += " (" + codes(f.Who, 6) + ")"
			}
			b.rows = append(b.rows, line+" "+small(r)+"\n")
		}
	}
	if len(b.rows) == 0 {
		return block{}
	}
	return b
}

func (t *text) passed() block {
	return t.folded("Passed", dropPassed, func(r rules.Result) bool { return r.Outcome == rules.Pass })
}

func (t *text) na() block {
	return t.folded("Not applicable", dropNA, func(r rules.Result) bool { return r.Outcome == rules.NA })
}

func (t *text) folded(title string, last int, pick func(rules.Result) bool) block {
	b := block{last: last, tail: "\n</details>\n"}
	for _, r := range t.v.Results {
		if pick(r) {
			line := "- " + Plain(Clip(Clean(r.Title), 120))
			if r.Summary != "" && r.Summary != r.Title {
				line += ": " + full(t.w.Sentence(r.Summary, 400))
			}
			b.rows = append(b.rows, line+" "+small(r)+"\n")
		}
	}
	if len(b.rows) == 0 {
		return block{}
	}
	b.head = fmt.Sprintf("\n<details><summary>%s (%d)</summary>\n\n", title, len(b.rows))
	return b
}

// approvals lists every approval with what became of it.
func (t *text) approvals() block {
	b := block{head: "\n**Approvals**\n\n", last: dropApprovals}
	for _, a := range t.v.Approvals {
		line := "- " + Code(Clip(Clean(a.Reviewer.Login), 60))
		if len(a.Roles) > 0 {
			roles := make([]string, len(a.Roles))
			for i, r := range a.Roles {
				roles[i] = string(r)
			}
			line += " (" + Plain(Clip(Clean(strings.Join(roles, ", ")), 120)) + ")"
		}
		if a.Commit != "" {
			line += " on " + Code(short(a.Commit))
		}
		word := "does not count"
		if a.Counts {
			word = "counts"
		}
		line += ": " + word
		if a.Why != "" {
			line += ", " + t.w.Sentence(a.Why, 200)
		}
		if a.Meaning != "" {
			line += "; signed as " + Code(Clip(Clean(a.Meaning), 60))
		}
		line += t.w.also("review", a.URL)
		b.rows = append(b.rows, line+"\n")
	}
	if len(b.rows) == 0 {
		return block{}
	}
	return b
}

func (t *text) waivers() block {
	b := block{head: "\n**Waivers**\n\n", last: dropWaivers}
	for _, w := range t.v.Waivers {
		line := "- " + Code(w.ID) + " for " + Code(w.Rule) + " until " + w.Until.UTC().Format("2006-01-02") +
			", asked for by " + Code(Clip(Clean(w.Requester.Login), 60)) + ": " + t.waiver(w)
		if w.Because != "" {
			line += " Reason given: “" + Plain(Clip(Clean(w.Because), 300)) + "”."
		}
		line += t.w.also("request", w.URL)
		b.rows = append(b.rows, line+"\n")
	}
	if len(b.rows) == 0 {
		return block{}
	}
	return b
}

// waiver is where a waiver stands, in words.
func (t *text) waiver(w rules.Waiver) string {
	switch w.State {
	case rules.WaiverRequested:
		return "waits for the quality role, who types " + Code("/primum approve "+w.ID) + "."
	case rules.WaiverActive:
		return "in force, approved by " + Code(Clip(Clean(w.Approver.Login), 60)) + "."
	case rules.WaiverExpired:
		return "run out."
	default:
		return "not valid: " + full(t.w.Sentence(w.Problem, 200))
	}
}

// footer ends the comment: what was judged, by which policy, and what to type.
func (t *text) footer() block {
	parts := []string{"Head " + Code(short(t.v.Subject.Head))}
	if p := t.v.Policy; p.Path != "" {
		from := "policy " + Code(Clip(Clean(p.Path), 120))
		if t.v.Subject.Base != "" {
			from += " of " + Code(Clip(Clean(t.v.Subject.Base), 80))
		}
		if p.Commit != "" {
			from += " at " + Code(short(p.Commit))
		}
		parts = append(parts, from)
	}
	if _, ok := Address(t.o.URL); ok {
		parts = append(parts, Link("how this was judged", t.o.URL))
	}
	if !t.o.Capabilities.Buttons {
		for _, b := range t.o.Buttons {
			parts = append(parts, Code("/primum "+b.ID)+": "+Plain(Clip(Clean(strings.ToLower(b.Label)), 20)))
		}
	}
	parts = append(parts, Code("/primum help")+" lists commands")
	line := strings.Join(parts, " · ")
	if t.v.State == rules.Fail || t.v.State == rules.Pending {
		line += "<br>To ask for an exception: " + Code("/primum waive <rule> until <YYYY-MM-DD> because <reason>")
	}
	return block{head: "\n---\n<sub>" + line + "</sub>\n"}
}
