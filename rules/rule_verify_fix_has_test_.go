package rules

import (
	"strings"

	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// The file has an underscore at its end because Go takes a name that ends in
// _test.go for a test.

const verifyFixHasTestID = "verify-fix-has-test"

var verifyFixHasTest = Rule{
	ID:       verifyFixHasTestID,
	Title:    "A correction brings a test",
	Short:    "test for the fix",
	Group:    "verification",
	Clauses:  []string{"9.7", "8.2.3"},
	Defaults: perClass(policy.Warn, policy.Block, policy.Block),
	Waivable: everywhere(),
	Since:    "0.1",
	Params: []policy.Param{{
		Name: "names-anomaly", Kind: policy.KindBool, Stricter: 1,
		Doc:     "Whether the test, a commit or the description must name the anomaly (`Verifies: #321`).",
		Default: defaults(false, true, true),
	}},
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedDiffs, fact.NeedIssues, fact.NeedCommits, fact.NeedPeople, fact.NeedComments},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnEdited, fact.OnPushed, fact.OnCommand, fact.OnIssue, fact.OnIssueWords, fact.OnPeople},
	Why: "A problem counts as solved when it was shown to be. A test that names it shows so today and keeps watch; where no test is possible a person " +
		"verifies on a named build.",
	Fix: "Add or change a test and write `Verifies: #321` in it, in a commit message or in the description. Or a holder of verification comments " +
		"`/primum verify BUILD`.",
	Good: Example{Text: "tests/dosing/rate_test.c gained a case, and the commit says `Verifies: #9`."},
	Bad: Example{
		Text: "The correction touches no test.",
		Edit: func(c *fact.Change) {
			kept := c.Files[:0]
			for _, f := range c.Files {
				if !strings.Contains(f.Path, "test") {
					kept = append(kept, f)
				}
			}
			c.Files = kept
		},
	},
	Check: checkVerifyFixHasTest,
}

func checkVerifyFixHasTest(c *Case) Result {
	why, yes := c.corrective()
	if !yes {
		return notApplicable("The change is not described as a correction")
	}
	if e, ok := c.manualRecord(); ok {
		return passed(e.By+" verified it on "+e.Text, e)
	}
	var ev []Evidence
	for _, f := range c.files.tests {
		if f.Status != fact.Deleted && f.Added > 0 {
			ev = append(ev, Evidence{Kind: "path", Ref: f.Path, Text: plural(f.Added, "line", "lines") + " added"})
		}
	}
	refs := c.anomalyRefs()
	if len(ev) == 0 {
		hint := "`Verifies: #NUMBER`"
		if len(refs) > 0 {
			hint = code("Verifies: " + refs[0])
		}
		return judged("", []Finding{{
			Outcome: Fail, Message: why + ", and no test was added or changed",
			Fix: "Add a test with " + hint + ", or have a holder of verification comment `/primum verify BUILD`",
			Who: c.opener(),
		}})
	}
	if len(refs) == 0 || !c.Setting.Bool("names-anomaly") {
		return passed("The correction changes "+code(ev[0].Ref), ev...)
	}
	for _, ref := range refs {
		if c.namedByTest(ref) {
			return passed("The test names "+ref, ev...)
		}
	}
	return judged("", []Finding{{
		Outcome: Fail, Message: "No test says that it verifies " + either(refs),
		Fix:  "Write " + code("Verifies: "+refs[0]) + " in the test, in a commit message or in the description",
		Who:  c.opener(),
		Path: ev[0].Ref,
	}}, ev...)
}

// manualRecord is a verification by hand: a verify command by a holder of
// verification who is no author, on the change or on its issues.
func (c *Case) manualRecord() (Evidence, bool) {
	try := func(k *evidence.Command) (Evidence, bool) {
		if k.Name != "verify" || k.Wrong != "" || !c.People.Holds(k.By, policy.Verification) {
			return Evidence{}, false
		}
		if _, author := c.People.AuthorWhy(k.By); author {
			return Evidence{}, false
		}
		if h := k.Comment; h != nil && h.HeadThen != "" && h.HeadThen != c.Change.Head.SHA {
			return Evidence{}, false
		}
		e := Evidence{Kind: "comment", Ref: k.Build, Text: k.Build, By: login(k.By), At: k.At}
		if k.Comment != nil {
			e.URL = k.Comment.URL
		}
		return e, true
	}
	for i := range c.Evidence.Commands {
		if e, ok := try(&c.Evidence.Commands[i]); ok {
			return e, true
		}
	}
	return Evidence{}, false
}

// anomalyRefs are the anomalies that the change corrects, as people write them.
func (c *Case) anomalyRefs() []string {
	var out []string
	home := c.Change.Repo.FullName()
	for _, a := range c.issues.anomalies {
		out = append(out, a.ref)
	}
	if len(out) > 0 {
		return out
	}
	for _, r := range c.issues.requests {
		for _, l := range evidence.References(field(&r.texts.Form, "anomalies"), c.Change.Repo) {
			out = append(out, reference(home, l.Repo, l.Number))
		}
	}
	return out
}

// namedByTest looks for an anomaly in Verifies trailers and in the lines added to
// tests.
func (c *Case) namedByTest(ref string) bool {
	for _, t := range c.Evidence.Trailers {
		if t.Key == "Verifies" && mentions(t.Value, ref) {
			return true
		}
	}
	for _, f := range c.files.tests {
		if !strings.Contains(f.Diff, ref) {
			continue
		}
		for d := range diffLines(f.Diff) {
			if d.added && mentions(d.text, ref) {
				return true
			}
		}
	}
	return false
}

// mentions finds a reference that is not the beginning of a longer number.
func mentions(text, ref string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], ref)
		if i < 0 {
			return false
		}
		at += i + len(ref)
		if at == len(text) || text[at] < '0' || text[at] > '9' {
			return true
		}
	}
}
