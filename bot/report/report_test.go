package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"primum/bot/report"
	"primum/bot/report/reporttest"
	"primum/forges"
	"primum/rules"
	"primum/rules/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

func options() report.Options {
	return report.Options{
		URL:          "https://primum.example/c/github/acme/infusion-pump/14",
		External:     "v7",
		Capabilities: forges.Capabilities{Annotations: true, Buttons: true, CommentMax: 65_536, SummaryMax: 65_535, ShortMax: 140},
		Buttons:      report.Buttons(),
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, string(want)); diff != "" {
		t.Errorf("%s differs (-got +want); -update if it is meant:\n%s", name, diff)
	}
}

func TestCommentsReadAsAgreed(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			golden(t, c.Name+".md", report.Comment(c.Verdict, options()))
		})
	}
}

func TestCommentAnswersCommandsAndTellsWhatChanged(t *testing.T) {
	t.Parallel()
	o := options()
	o.Since = report.Since(reporttest.Waiting(), reporttest.Actions())
	o.Answers = []report.Answer{{Command: "explain review-quorum", Text: "Two people look at what can hurt somebody.\n\nHow: approve the head."}}
	o.Wrong = []report.Wrong{{By: "jonas", Command: "waive everything", Why: "a waiver names a rule and a day; the right form is `/primum waive <rule> until <YYYY-MM-DD> because <reason>`", URL: "https://forge.example/acme/infusion-pump/pull/14#c9"}}
	o.Sibling = &report.Sibling{Number: 15, Title: "The same, for release 2", URL: "https://forge.example/acme/infusion-pump/pull/15", State: rules.Fail, Mode: "enforce", Says: "Class C · 3 actions needed"}
	golden(t, "commands.md", report.Comment(reporttest.Actions(), o))
}

func TestTitlesAreUnderstoodAlone(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"ready":            "Class B · ready to merge",
		"actions":          "Class C · 2 actions needed: second reviewer, risk assessment",
		"waiting":          "Class C · waiting for CI: verify-hil",
		"unknown":          "Could not read reviews: GitHub refused",
		"policy-error":     "Policy error in .primum.yml:42 and 1 more",
		"not-governed":     "Not governed: no policy on experiments",
		"only-docs":        "Not governed: no device software changed",
		"stale":            "Class C · 1 action needed: review",
		"waiver-requested": "Class C · 1 action needed: test for the fix",
		"waived":           "Class C · ready to merge, 1 rule waived",
		"policy-preview":   "Class B · 1 action needed: protected file",
		"advise":           "Class C · 2 actions advised: second reviewer +1",
		"mixed":            "Class C · 2 actions needed: second reviewer, risk assessment",
		"first-policy":     "Not governed: no policy on main yet",
	}
	for _, c := range reporttest.Cases() {
		got := report.Title(c.Verdict)
		if got != want[c.Name] {
			t.Errorf("%s: title %q, want %q", c.Name, got, want[c.Name])
		}
		if n := utf8.RuneCountInString(got); n > report.MaxTitle {
			t.Errorf("%s: title has %d runes", c.Name, n)
		}
	}
}

func TestCheckStatesFailClosedAndOnlyAdviceIsNeutral(t *testing.T) {
	t.Parallel()
	want := map[string]forges.ReportState{
		"ready": forges.ReportSuccess, "actions": forges.ReportFailure, "waiting": forges.ReportPending,
		"unknown": forges.ReportFailure, "policy-error": forges.ReportFailure, "not-governed": forges.ReportSuccess,
		"only-docs": forges.ReportSuccess, "stale": forges.ReportFailure, "waiver-requested": forges.ReportFailure,
		"waived": forges.ReportSuccess, "policy-preview": forges.ReportFailure, "advise": forges.ReportNeutral,
		"mixed": forges.ReportFailure, "first-policy": forges.ReportNeutral,
	}
	for _, c := range reporttest.Cases() {
		if got := report.Check(c.Verdict, options()).State; got != want[c.Name] {
			t.Errorf("%s: state %s, want %s", c.Name, got, want[c.Name])
		}
	}
	odd := reporttest.Ready()
	odd.State = "surprise"
	if got := report.Check(odd, options()).State; got != forges.ReportFailure {
		t.Errorf("a state this build does not know became %s", got)
	}
}

func TestTheWorstVerdictStandsOnACommit(t *testing.T) {
	t.Parallel()
	sibling := &report.Sibling{Number: 15, Title: "other", State: rules.Fail, Mode: "enforce", Says: "Class C · 3 actions needed"}
	for _, c := range []struct {
		name    string
		verdict *rules.Verdict
		mode    string
		state   forges.ReportState
		title   string
	}{
		{"worse sibling", reporttest.Ready(), "enforce", forges.ReportFailure, "As change #15: Class C · 3 actions needed"},
		{"sibling that only advises", reporttest.Waiting(), "advise", forges.ReportPending, "Class C · waiting for CI: verify-hil"},
		{"equal", reporttest.Actions(), "enforce", forges.ReportFailure, "Class C · 2 actions needed: second reviewer, risk assessment"},
	} {
		o := options()
		s := *sibling
		s.Mode = c.mode
		o.Sibling = &s
		got := report.Check(c.verdict, o)
		if got.State != c.state || got.Title != c.title {
			t.Errorf("%s: %s %q, want %s %q", c.name, got.State, got.Title, c.state, c.title)
		}
	}
}

func TestCheckPointsAtLines(t *testing.T) {
	t.Parallel()
	got := report.Check(reporttest.PolicyError(), options()).Annotations
	if len(got) != 2 || got[0].Line != 42 || got[0].Level != "failure" || !strings.Contains(got[0].Message, `did you mean "approvals"?`) {
		t.Errorf("policy errors: %+v", got)
	}
	got = report.Check(reporttest.Actions(), options()).Annotations
	if len(got) != 1 || got[0].Path != "fw/dosing/rate.c" || got[0].Level != "notice" || !strings.Contains(got[0].Message, "item dosing, class C") {
		t.Errorf("deciding path: %+v", got)
	}
	many := reporttest.PolicyError()
	for range 200 {
		many.PolicyErrors = append(many.PolicyErrors, many.PolicyErrors[0])
	}
	if n := len(report.Check(many, options()).Annotations); n != 50 {
		t.Errorf("%d annotations, a forge takes 50", n)
	}
}

func TestCheckKeepsToWhatTheForgeTakes(t *testing.T) {
	t.Parallel()
	o := options()
	o.Capabilities = forges.Capabilities{ShortMax: 20}
	got := report.Check(reporttest.Actions(), o)
	if got.Summary != "" || got.Text != "" || got.Annotations != nil || got.Buttons != nil {
		t.Errorf("a forge without checks got %+v", got)
	}
	if len(got.Short) > 20 || !utf8.ValidString(got.Short) {
		t.Errorf("short %q", got.Short)
	}
	o = options()
	o.Buttons = []forges.Button{{Label: strings.Repeat("ä", 40)}, {}, {}, {}}
	got = report.Check(reporttest.Actions(), o)
	if len(got.Buttons) != 3 || utf8.RuneCountInString(got.Buttons[0].Label) != 20 {
		t.Errorf("buttons %+v", got.Buttons)
	}
}

// A text is only written when the answer differs.
func TestTextsDoNotTellTheTime(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		before, check := report.Comment(c.Verdict, options()), report.Check(c.Verdict, options())
		c.Verdict.JudgedAt = c.Verdict.JudgedAt.AddDate(0, 0, 3)
		c.Verdict.ReadAt = c.Verdict.ReadAt.AddDate(0, 0, 3)
		c.Verdict.FactsDigest = "another"
		if after := report.Comment(c.Verdict, options()); after != before {
			t.Errorf("%s: the comment differs by time alone:\n%s", c.Name, cmp.Diff(before, after))
		}
		if diff := cmp.Diff(check, report.Check(c.Verdict, options())); diff != "" {
			t.Errorf("%s: the check differs by time alone:\n%s", c.Name, diff)
		}
	}
}

// big is a verdict with n findings in each of several states, of multi-byte text.
func big(n int) *rules.Verdict {
	v := reporttest.Mixed()
	text := strings.Repeat("Überprüfung 薬剤 ", 8)
	for i := range v.Results {
		for range n {
			v.Results[i].Findings = append(v.Results[i].Findings, rules.Finding{Outcome: v.Results[i].Outcome, Message: text, Fix: text, Who: []string{"mara"}})
		}
	}
	for range n {
		v.Approvals = append(v.Approvals, rules.Approval{Reviewer: v.Subject.Author, Commit: v.Subject.Head, Why: text})
		v.Results = append(v.Results, rules.Result{Rule: "x", Title: text, Outcome: rules.NA, Summary: text})
	}
	return v
}

func TestCommentsKeepToTheBudget(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 10, 100, 500} {
		o := options()
		v := big(n)
		full := report.Comment(v, func() report.Options { o := o; o.Capabilities.CommentMax = 1 << 30; return o }())
		if len(full) > report.MaxComment {
			t.Errorf("%d rows: %d bytes", n, len(full))
		}
		for _, limit := range []int{report.MinComment, 20_000, 30_001, 59_999, 60_000, 65_536, len(full) - 1, len(full), len(full) + 1} {
			if limit < report.MinComment {
				continue
			}
			o.Capabilities.CommentMax = limit
			got := report.Comment(v, o)
			if len(got) > min(limit, report.MaxComment) {
				t.Errorf("%d rows: %d bytes for a budget of %d", n, len(got), limit)
			}
			if !utf8.ValidString(got) {
				t.Errorf("%d rows, budget %d: a character was cut", n, limit)
			}
			if limit == len(full) && got != full {
				t.Errorf("%d rows: a text that fits exactly was cut", n)
			}
			for _, must := range []string{report.Marker, "actions needed before this can merge", "| What | Who can do it | How |", "/primum waive", "how this was judged"} {
				if !strings.Contains(got, must) {
					t.Errorf("%d rows, budget %d: %q is gone", n, limit, must)
				}
			}
		}
	}
}

// The parts that are never dropped fit the least budget however long others'
// texts are.
func TestTheLeastBudgetHoldsWhatIsNeverDropped(t *testing.T) {
	t.Parallel()
	for _, x := range append(reporttest.Hostile(), strings.Repeat("@", 2*report.MinComment), strings.Repeat("薬`", report.MinComment), strings.Repeat("<", 2*report.MinComment)) {
		o := options()
		o.Capabilities.CommentMax = report.MinComment
		o.Since = x
		o.Sibling = &report.Sibling{Number: 1, Title: x, Says: x, State: rules.Fail}
		v := reporttest.HostileVerdict(x)
		v.Mode = "enforce"
		for _, s := range []rules.Outcome{rules.Fail, rules.Pending, rules.Pass, rules.Unknown, rules.NA} {
			v.State = s
			if n := len(report.Comment(v, o)); n > report.MinComment {
				t.Errorf("%d bytes of %.20q in state %s", n, x, s)
			}
		}
	}
}

func markdown() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
}

var (
	tag      = regexp.MustCompile(`<(/?)([A-Za-z][A-Za-z0-9]*)`)
	href     = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	codeSpan = regexp.MustCompile(`(?s)<code>.*?</code>`)
	anchor   = regexp.MustCompile(`(?s)<a .*?</a>`)
	anyTag   = regexp.MustCompile(`<[^>]*>`)
	// What forges read in running text, as their own filters match it.
	mention   = regexp.MustCompile(`(^|[^\w&])@[A-Za-z0-9]`)
	crossRef  = regexp.MustCompile(`(^|[^\w&])#[0-9]|(?i:GH-[0-9])`)
	ours      = "table thead tbody tr th td p br hr ul li strong sub details summary code a em h1"
	okAddress = regexp.MustCompile(`^https://(forge|primum)\.example/`)
)

// assertTame renders as forges do and fails on whatever others' text achieved.
func assertTame(t *testing.T, source string) {
	t.Helper()
	var out bytes.Buffer
	if err := markdown().Convert([]byte(source), &out); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, m := range tag.FindAllStringSubmatch(page, -1) {
		if !strings.Contains(" "+ours+" ", " "+strings.ToLower(m[2])+" ") || m[2] == "h1" {
			t.Fatalf("tag <%s%s> in:\n%s\n\nfrom:\n%s", m[1], m[2], page, source)
		}
	}
	for _, m := range href.FindAllStringSubmatch(page, -1) {
		if !okAddress.MatchString(m[1]) {
			t.Fatalf("address %q in:\n%s\n\nfrom:\n%s", m[1], page, source)
		}
	}
	text := strings.ReplaceAll(page, report.Marker, "")
	text = codeSpan.ReplaceAllString(text, "`")
	text = anchor.ReplaceAllString(text, "`")
	text = anyTag.ReplaceAllString(text, "\n")
	if m := mention.FindString(text); m != "" {
		t.Fatalf("mention %q in:\n%s\n\nfrom:\n%s", m, page, source)
	}
	if m := crossRef.FindString(text); m != "" {
		t.Fatalf("reference %q in:\n%s\n\nfrom:\n%s", m, page, source)
	}
	if n := strings.Count(page, "<!--"); n > 1 {
		t.Fatalf("%d HTML comments in:\n%s", n, page)
	}
	for _, line := range regexp.MustCompile(`(?s)<tr>.*?</tr>`).FindAllString(page, -1) {
		if n := strings.Count(line, "<td>") + strings.Count(line, "<th>"); n != 3 {
			t.Fatalf("a table row has %d cells: %s\n\nfrom:\n%s", n, line, source)
		}
	}
	for _, r := range source {
		if r < ' ' && r != '\n' || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200B {
			t.Fatalf("character %U in:\n%q", r, source)
		}
	}
}

func hostileTexts(x string) []string {
	v := reporttest.HostileVerdict(x)
	o := options()
	o.Since = x
	o.Sibling = &report.Sibling{Number: 1, Title: x, Says: x, URL: x, State: rules.Unknown, Mode: "enforce"}
	o.Answers = []report.Answer{{Command: x, Text: "Ours about " + report.Code(x) + " and " + report.Plain(x)}}
	o.Wrong = []report.Wrong{{By: x, Command: x, Why: x, URL: x}}
	var texts []string
	for _, s := range []rules.Outcome{rules.Fail, rules.Pending, rules.Pass, rules.Unknown, rules.NA} {
		v.State = s
		for i := range v.Results {
			v.Results[i].Outcome = s
			for j := range v.Results[i].Findings {
				v.Results[i].Findings[j].Outcome = s
			}
		}
		check := report.Check(v, o)
		texts = append(texts, report.Comment(v, o), check.Summary, check.Text)
	}
	return texts
}

func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	for i, x := range reporttest.Hostile() {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			for _, text := range hostileTexts(x) {
				assertTame(t, text)
			}
		})
	}
}

func FuzzHostileTextStaysText(f *testing.F) {
	for _, x := range reporttest.Hostile() {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, x string) {
		if len(x) > 400 || okAddress.MatchString(x) {
			return
		}
		for _, text := range hostileTexts(x) {
			assertTame(t, text)
		}
	})
}

func FuzzClip(f *testing.F) {
	f.Add("Überprüfung 薬剤", 5)
	f.Add("…", 0)
	f.Fuzz(func(t *testing.T, s string, n int) {
		s = strings.ToValidUTF8(s, "?")
		if got := report.Clip(s, n); utf8.RuneCountInString(got) > max(n, 0) || !utf8.ValidString(got) {
			t.Errorf("Clip(%q, %d) = %q", s, n, got)
		}
		if got := report.ClipBytes(s, n); len(got) > max(n, 0) || !utf8.ValidString(got) {
			t.Errorf("ClipBytes(%q, %d) = %q", s, n, got)
		}
	})
}

func TestKnownIssuesBecomeLinks(t *testing.T) {
	t.Parallel()
	got := report.Comment(reporttest.Actions(), options())
	if !strings.Contains(got, "not answered on [#7](https://forge.example/acme/infusion-pump/issues/7)") {
		t.Errorf("issue 7 is no link in:\n%s", got)
	}
}

func TestWantedKeepsQuiet(t *testing.T) {
	t.Parallel()
	draft := reporttest.Actions()
	draft.Subject.Draft = true
	observed := reporttest.Actions()
	observed.Mode = "observe"
	for _, c := range []struct {
		name string
		v    *rules.Verdict
		want bool
	}{
		{"actions", reporttest.Actions(), true},
		{"draft", draft, false},
		{"observed", observed, false},
		{"only docs", reporttest.OnlyDocs(), false},
		{"first policy", reporttest.FirstPolicy(), true},
	} {
		if got := report.Wanted(c.v); got != c.want {
			t.Errorf("%s: wanted %v", c.name, got)
		}
	}
}

// Evidence of an issue may point to where it is named; the issue's link never does.
func TestAnIssueLinksToItsOwnAddress(t *testing.T) {
	t.Parallel()
	const repo = "https://forge.example/acme/pump"
	v := rules.Verdict{
		Subject: rules.Subject{Repo: "acme/pump", URL: repo + "/pull/3", Change: 3}, State: rules.Pass,
		Results: []rules.Result{{
			Rule: "link-problem-report", Title: "Named", Outcome: rules.Pass, Summary: "The change request #1 names #2, #21, #4 and acme/other#5",
			Evidence: []rules.Evidence{
				{Kind: "issue", Ref: "#1", URL: repo + "/issues/1"},
				{Kind: "issue", Ref: "#2", URL: repo + "/issues/1"},           // where it is named
				{Kind: "issue", Ref: "#21", URL: repo + "/issues/1"},          // ends in the digit only
				{Kind: "issue", Ref: "#4", URL: repo + "/issues/1#comment/4"}, // a fragment proves nothing
				{Kind: "issue", Ref: "acme/other#5", URL: "https://forge.example/acme/other/issues/5"},
			},
		}},
	}
	want := "The change request [#1](" + repo + "/issues/1) names `#2`, `#21`, `#4` and [acme/other#5](https://forge.example/acme/other/issues/5)"
	if got := report.Comment(&v, report.Options{}); !strings.Contains(got, want) {
		t.Errorf("the comment lacks %q:\n%s", want, got)
	}
}

// A broken policy on the target branch lets nothing through, the change that
// mends it included: the text says who can.
func TestWhoOpensABrokenPolicy(t *testing.T) {
	t.Parallel()
	v := rules.Verdict{
		Subject: rules.Subject{Repo: "acme/pump", URL: "https://forge.example/acme/pump/pull/3", Change: 3}, State: rules.Fail,
		PolicyErrors: []policy.Error{{File: ".primum.yml", Line: 3, Column: 1, What: "unknown key \"classs\"", Fix: "did you mean \"class\"?"}},
	}
	other := report.Comment(&v, report.Options{})
	if want := "Fix the line in a change of its own, whose preview shows that it parses, and an administrator merges it past this check."; !strings.Contains(other, want) {
		t.Errorf("the comment lacks %q:\n%s", want, other)
	}
	v.Preview = &rules.Preview{State: rules.Pass}
	mends := report.Comment(&v, report.Options{})
	for _, want := range []string{
		"The policy of this change is valid: an administrator merges it past this check.",
		"The policy of this change is valid. With it:\n\n- This change itself would be: passed.",
	} {
		if !strings.Contains(mends, want) {
			t.Errorf("the comment lacks %q:\n%s", want, mends)
		}
	}
	v.Preview = &rules.Preview{Errors: v.PolicyErrors}
	if still := report.Comment(&v, report.Options{}); strings.Contains(still, "is valid") {
		t.Errorf("a policy with errors is called valid:\n%s", still)
	}
}

// Why a waiver is not valid names rules as code, like every sentence of ours.
func TestARefusedWaiverNamesItsRuleAsCode(t *testing.T) {
	t.Parallel()
	v := &rules.Verdict{State: rules.Fail, Waivers: []rules.Waiver{{
		ID: "W1", Rule: "cr-approved", State: rules.WaiverInvalid, Problem: "`cr-approved` cannot be waived at class C",
	}}}
	if got, want := report.Comment(v, report.Options{}), "not valid: `cr-approved` cannot be waived at class C."; !strings.Contains(got, want) {
		t.Errorf("the comment lacks %q:\n%s", want, got)
	}
}

// An issue of a project in a group within a group is one reference, and links
// to it where the verdict knows it.
func TestAnIssueOfAGroupWithinAGroup(t *testing.T) {
	t.Parallel()
	v := &rules.Verdict{Subject: rules.Subject{Repo: "acme/devices/pump", URL: "https://forge.example/acme/devices/pump/-/merge_requests/4"}}
	v.Results = []rules.Result{{Evidence: []rules.Evidence{{Kind: "issue", Ref: "acme/devices/pump#12", URL: "https://forge.example/acme/devices/pump/-/issues/12"}}}}
	for _, ref := range []string{"acme/devices/pump#12", "#12"} {
		want := "see [" + ref + "](https://forge.example/acme/devices/pump/-/issues/12)"
		if got := report.Sentence(v, "see "+ref); got != want {
			t.Errorf("%q is %q, want %q", ref, got, want)
		}
	}
	if got := report.Sentence(v, "see acme/devices/other#3"); got != "see `acme/devices/other#3`" {
		t.Errorf("an unknown one is %q", got)
	}
}
