package evidence

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/rules/fact"
)

func TestParseCommand(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 12, 1, 23, 59, 59, 0, time.UTC)
	for _, test := range []struct {
		name, body string
		want       Command
	}{
		{"recheck", "/primum recheck", Command{Name: "recheck"}},
		{"after blank lines, any case, text below", "\r\n  \n /Primum RECHECK \nplease", Command{Name: "recheck"}},
		{"nothing after /primum asks for help", "/primum", Command{Name: "help"}},
		{"link", "/primum link #12", Command{Name: "link", Issue: "#12"}},
		{"link another repository", "/primum link acme/other#3", Command{Name: "link", Issue: "acme/other#3"}},
		{"approve a request", "/primum approve", Command{Name: "approve"}},
		{"approve a waiver", "/primum approve w1", Command{Name: "approve", Waiver: "W1"}},
		{"verify", "/primum verify v1.4.2", Command{Name: "verify", Build: "v1.4.2"}},
		{"verify build", "/primum verify build v1.4.2", Command{Name: "verify", Build: "v1.4.2"}},
		{"waive", "/primum waive review-quorum until 2026-12-01 because chen is away", Command{
			Name: "waive", Rule: "review-quorum", Until: until, Because: "chen is away",
		}},
		{"sign", "/primum sign Reviewed-Code", Command{Name: "sign", Meaning: "reviewed-code"}},
		{"hold", "/primum hold", Command{Name: "hold"}},
		{"hold off", "/primum hold off", Command{Name: "hold"}},
		{"explain", "/primum explain class-declared", Command{Name: "explain", Rule: "class-declared"}},
		{"class", "/primum class", Command{Name: "class"}},
		{"risk on one line", "/primum risk 1: no, because only a label moves; 2: no - same 4: Yes: HZ-3 and #12.", Command{Name: "risk", Answers: map[int]Answer{
			1: {Reason: "only a label moves"}, 2: {Reason: "same"}, 4: {Yes: true, Reason: "HZ-3 and #12.", Refs: []string{"HZ-3", "#12"}},
		}}},
		{"risk on lines", "/primum risk\n\n1: no, because the limit\nis checked before\n2. yes, see HZ-3\n- 3) No", Command{Name: "risk", Answers: map[int]Answer{
			1: {Reason: "the limit\nis checked before"}, 2: {Yes: true, Reason: "see HZ-3", Refs: []string{"HZ-3"}}, 3: {},
		}}},
		{"risk confirm", "/primum risk confirm", Command{Name: "risk"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := ParseCommand(test.body)
			if !ok {
				t.Fatalf("%q is no command", test.body)
			}
			got.Args = nil
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("command %q (-want +got):\n%s", test.body, diff)
			}
		})
	}
}

func TestWrongCommandsSayTheRightForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ body, want string }{
		{"/primum aprove", "unknown command \"aprove\"; did you mean `/primum approve` (on a change request) or `/primum approve W1` (a waiver, on the change)?"},
		{"/primum dance", "unknown command \"dance\"; `/primum help` lists the commands"},
		{"/primum <b>@x", "unknown command; `/primum help` lists the commands"},
		{"/primum link", "say which issue; the right form is `/primum link #12`"},
		{"/primum link #1 #2", "link takes one issue; write one command for each; the right form is `/primum link #12`"},
		{"/primum link https://elsewhere.example/a/b/issues/1", "that is no issue of this forge; the right form is `/primum link #12`"},
		{"/primum approve X1", "only a waiver's number can follow approve; the right form is `/primum approve` (on a change request) or `/primum approve W1` (a waiver, on the change)"},
		{"/primum approve W0", "only a waiver's number can follow approve; the right form is `/primum approve` (on a change request) or `/primum approve W1` (a waiver, on the change)"},
		{"/primum verify", "say on which build it was verified, in one word; the right form is `/primum verify v1.4.2`"},
		{"/primum waive", "say which rule, until when and why; the right form is `/primum waive review-quorum until 2026-12-01 because …`"},
		{"/primum waive review-quorum for 30 days", "`until` and a date must follow the rule; the right form is `/primum waive review-quorum until 2026-12-01 because …`"},
		{"/primum waive review-quorum until 2026-02-30 because x", "the date must be a real day written as year-month-day, such as 2026-12-01; the right form is `/primum waive review-quorum until 2026-12-01 because …`"},
		{"/primum waive review-quorum until 2026-12-01", "`because` and the reason must follow the date; the right form is `/primum waive review-quorum until 2026-12-01 because …`"},
		{"/primum waive review-quorum until 2026-12-01 because", "`because` and the reason must follow the date; the right form is `/primum waive review-quorum until 2026-12-01 because …`"},
		{"/primum sign", "say what the signature means: reviewed-code, approved-change, verified, risk-reviewed, released; the right form is `/primum sign reviewed-code`"},
		{"/primum sign verifed", "unknown meaning \"verifed\"; did you mean `/primum sign verified`?"},
		{"/primum sign love", "unknown meaning \"love\"; a signature means one of reviewed-code, approved-change, verified, risk-reviewed, released"},
		{"/primum hold on", "hold takes nothing, or off; the right form is `/primum hold` or `/primum hold off`"},
		{"/primum explain", "say which rule; the right form is `/primum explain review-quorum`"},
		{"/primum risk", "give an answer to at least one question; the right form is `/primum risk 1: no, because …` (questions 1 to 4, one a line) or `/primum risk confirm`"},
		{"/primum risk no", "every answer begins with the number of its question; the right form is `/primum risk 1: no, because …` (questions 1 to 4, one a line) or `/primum risk confirm`"},
		{"/primum risk 5: no", "the questions are 1 to 4; the right form is `/primum risk 1: no, because …` (questions 1 to 4, one a line) or `/primum risk confirm`"},
		{"/primum risk 1: maybe", "the answer to question 1 must begin with yes or no; the right form is `/primum risk 1: no, because …` (questions 1 to 4, one a line) or `/primum risk confirm`"},
		{"/primum risk 1: no 1: yes", "question 1 is answered twice; the right form is `/primum risk 1: no, because …` (questions 1 to 4, one a line) or `/primum risk confirm`"},
	} {
		got, ok := ParseCommand(test.body)
		if !ok || got.Wrong != test.want {
			t.Errorf("%q: %v\n got %s\nwant %s", test.body, ok, got.Wrong, test.want)
		}
	}
}

func TestNoCommand(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", " \n\t\n", "please /primum recheck", "> /primum recheck", "```\n/primum recheck\n```", "    /primum recheck", "\t/primum recheck",
		" \t/primum recheck", "`/primum recheck`", "/primumrecheck", "/primum-recheck", "<!-- x -->\n/primum recheck", "<!--\n/primum approve\n-->", "words\n/primum recheck",
	} {
		if IsCommand(body) {
			t.Errorf("%q is taken for a command", body)
		}
		if c, ok := ParseCommand(body); ok {
			t.Errorf("%q parses as %+v", body, c)
		}
	}
}

// Every form shown to people must itself be right.
func TestFormsOfCommandsAreRight(t *testing.T) {
	t.Parallel()
	for _, name := range Verbs() {
		for form := range strings.SplitSeq(FormOf(name), " or ") {
			form, _, _ = strings.Cut(form, " (")
			c, ok := ParseCommand(form)
			if !ok || c.Wrong != "" || c.Name != name {
				t.Errorf("%s: form %q parses as %q, wrong: %s", name, form, c.Name, c.Wrong)
			}
		}
	}
}

func TestCommandsOfAnIssueAndOfAChange(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	say := func(text string, minute int) fact.Comment {
		return fact.Comment{ID: "5", Author: mara, First: text, FirstKnown: true, CreatedAt: at.Add(time.Duration(minute) * time.Minute)}
	}
	c := change("Refs #12")
	c.Comments = []fact.Comment{say("/primum approve", 3), say("/primum approve W2", 1)}
	c.Reviews = []fact.Review{{ID: "8", Author: mara, First: "/primum sign reviewed-code", FirstKnown: true, Commit: "abc", SubmittedAt: at.Add(2 * time.Minute)}}
	c.Issues = []fact.Issue{{Repo: "acme/pump", Number: 12, Body: "### Reason\nx", Comments: []fact.Comment{say("/primum approve", 0), say("/primum approve W1", 1)}}}
	e := Read(c)

	var names []string
	for _, k := range e.Commands {
		names = append(names, k.Name+" "+k.Waiver+k.Meaning+" "+k.Wrong)
	}
	want := []string{
		"approve W2 ", "sign reviewed-code ",
		"approve  a change is approved by a review, its change request on the request's own issue, a waiver by its number; " +
			"the right form is `/primum approve` (on a change request) or `/primum approve W1` (a waiver, on the change)",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("commands of the change (-want +got):\n%s", diff)
	}
	if r := e.Commands[1]; !r.Review || r.Comment.ID != "8" || r.Comment.HeadThen != "abc" {
		t.Errorf("the review's command is %+v with comment %+v", r, r.Comment)
	}
	issue := e.Issues["acme/pump#12"]
	if issue == nil || len(issue.Commands) != 2 {
		t.Fatalf("issue is %+v", issue)
	}
	if got := issue.Commands[0]; got.Issue != "acme/pump#12" || got.Wrong != "" || !got.By.Is(mara) || !got.At.Equal(at) {
		t.Errorf("approval of the issue is %+v", got)
	}
	if got := issue.Commands[1].Wrong; !strings.HasPrefix(got, "a waiver is approved on the change") {
		t.Errorf("a waiver approved on an issue says %q", got)
	}
	if s, ok := issue.Form.Find("reason"); !ok || s.Text != "x" {
		t.Errorf("reason is %+v, %v", s, ok)
	}
}

func TestLinkCommandOfAPasserBySaysWhoMay(t *testing.T) {
	t.Parallel()
	c := change("")
	c.Comments = []fact.Comment{{Author: fact.Person{ID: "9", Login: "sam"}, First: "/primum link #12", FirstKnown: true}}
	got := Read(c).Commands[0].Wrong
	if want := "only the person who opened the change or somebody with a role in the policy can link an issue; ask them to, or to write `Refs #12` in the description"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestParseAnswer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want Answer
		ok   bool
	}{
		{"No, because only the label moves.", Answer{Reason: "only the label moves."}, true},
		{"yes – RISK-12, (HZ-3), acme/pump#4", Answer{Yes: true, Reason: "RISK-12, (HZ-3), acme/pump#4", Refs: []string{"RISK-12", "HZ-3", "acme/pump#4"}}, true},
		{"no", Answer{}, true},
		{"NO.\nThe timer is not touched", Answer{Reason: "The timer is not touched"}, true},
		{"none", Answer{}, false},
		{"yes/no", Answer{}, false},
		{"n/a", Answer{}, false},
		{"", Answer{}, false},
	} {
		got, ok := ParseAnswer(test.text)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("%q: ok %v (-want +got):\n%s", test.text, ok, diff)
		}
	}
}
