package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
)

func TestVerifyNotWeakened(t *testing.T) {
	t.Parallel()
	// The reviews of the story give reasons; without them an approval allows nothing.
	silent := func(c *fact.Change) {
		c.Reviews[0].First, c.Reviews[1].First = "/primum sign reviewed-code", "/primum sign verified"
	}
	file := func(f fact.File) func(*fact.Change) {
		return func(c *fact.Change) {
			silent(c)
			f.DiffKnown = true
			if f.Status == "" {
				f.Status = fact.Modified
			}
			c.Files = append(c.Files, f)
		}
	}
	diff := func(path, lines string) func(*fact.Change) {
		return file(fact.File{Path: path, Added: 1, Removed: 1, Diff: "@@ -10,3 +10,3 @@\n" + lines})
	}
	test := func(lines string) func(*fact.Change) { return diff("tests/dosing/alarm_test.go", lines) }
	workflow := func(lines string) func(*fact.Change) { return diff(".github/workflows/ci.yml", lines) }
	settings := func(lines string) func(*fact.Change) { return diff("pyproject.toml", lines) }
	protected := []string{"config-protected-files"} // not the subject here
	run(t, "verify-not-weakened", []spoilt{
		{name: "a test grows", spoil: silent, want: rules.Pass},
		{
			name: "a test file deleted", want: rules.Fail, says: "`tests/dosing/old_test.c` (test file deleted)", who: "priya,sam",
			spoil: file(fact.File{Path: "tests/dosing/old_test.c", Status: fact.Deleted, Removed: 30}),
		},
		{
			name: "a test file moved away", want: rules.Fail, says: "moved to where it is no test",
			spoil: file(fact.File{Path: "fw/dosing/old.c", Previous: "tests/dosing/old_test.c", Status: fact.Renamed}),
		},
		{
			name: "a test file moved among tests", want: rules.Pass,
			spoil: file(fact.File{Path: "tests/dosing/new_test.c", Previous: "tests/dosing/old_test.c", Status: fact.Renamed}),
		},
		{name: "a test file emptied", want: rules.Fail, says: "28 lines fewer", spoil: file(fact.File{Path: "tests/dosing/old_test.c", Added: 2, Removed: 30})},
		{name: "Go test skipped", spoil: test("+\tt.Skip(\"flaky\")\n"), want: rules.Fail, says: "test switched off"},
		{name: "JUnit test disabled", spoil: test("+  @Disabled\n"), want: rules.Fail, says: "test switched off"},
		{name: "Jest test skipped", spoil: test("+  it.skip('alarms', () => {\n"), want: rules.Fail, says: "test switched off"},
		{name: "xit", spoil: test("+  xit('alarms', () => {\n"), want: rules.Fail, says: "test switched off"},
		{name: "exit is not xit", spoil: test("+  exit(1);\n"), want: rules.Pass},
		{name: "pytest skipped", spoil: test("+@pytest.mark.skip(reason=\"later\")\n"), want: rules.Fail, says: "test switched off"},
		{name: "GoogleTest skipped", spoil: test("+  GTEST_SKIP();\n"), want: rules.Fail, says: "test switched off"},
		{name: "Rust test ignored", spoil: test("+#[ignore]\n"), want: rules.Fail, says: "test switched off"},
		{name: "only one test runs", spoil: test("+  it.only('alarms', () => {\n"), want: rules.Fail, says: "test switched off"},
		{name: "a skip that was there before", spoil: test("-\tt.Skip(\"flaky\")\n+\tt.Skip(\"flaky\")\n"), want: rules.Pass},
		{name: "a test removed", spoil: test("-func TestAlarm(t *testing.T) {\n"), want: rules.Fail, says: "test removed: func TestAlarm"},
		{
			name: "a test moved to another file", want: rules.Pass,
			spoil: func(c *fact.Change) {
				test("-func TestAlarm(t *testing.T) {\n")(c)
				diff("tests/dosing/other_test.go", "+func TestAlarm(t *testing.T) {\n")(c)
			},
		},
		{name: "a step may fail", spoil: workflow("+        continue-on-error: true\n"), want: rules.Fail, says: "failure is ignored", also: protected},
		{name: "a step must not fail any more", spoil: workflow("-        continue-on-error: true\n+        continue-on-error: false\n"), want: rules.Pass, also: protected},
		{name: "a command's failure is swallowed", spoil: workflow("-      - run: make test\n+      - run: make test || true\n"), want: rules.Fail, says: "failure is ignored", also: protected},
		{name: "a job removed", spoil: workflow("-  misra:\n-    steps:\n"), want: rules.Fail, says: "job removed: misra", also: protected},
		{name: "a step removed", spoil: workflow("-      - run: make test\n"), want: rules.Fail, says: "step removed", also: protected},
		{name: "an action updated", spoil: workflow("-      - uses: actions/checkout@v4\n+      - uses: actions/checkout@v5\n"), want: rules.Pass, also: protected},
		{name: "another machine", spoil: workflow("-    runs-on: bench-2\n+    runs-on: ubuntu-latest\n"), want: rules.Fail, says: "machine or image changed", also: protected},
		{name: "a workflow deleted", spoil: file(fact.File{Path: ".github/workflows/ci.yml", Status: fact.Deleted}), want: rules.Fail, says: "workflow deleted", also: protected},
		{name: "a threshold lowered", spoil: settings("-fail_under = 85\n+fail_under = 80\n"), want: rules.Fail, says: "threshold loosened: fail_under = 80 (was 85)"},
		{name: "a threshold raised", spoil: settings("-fail_under = 85\n+fail_under = 90\n"), want: rules.Pass},
		{name: "a limit raised", spoil: settings("-max-complexity = 10\n+max-complexity = 20\n"), want: rules.Fail, says: "threshold loosened"},
		{name: "a threshold removed", spoil: settings("-fail_under = 85\n"), want: rules.Fail, says: "threshold removed"},
		{
			name: "allowed by verification with a reason", want: rules.Pass, says: "priya allowed it with a reason",
			spoil: func(c *fact.Change) {
				test("+\tt.Skip(\"flaky\")\n")(c)
				c.Reviews[1].First = "/primum sign verified\n\nThe bench lost its sensor; repeated by hand until it is back."
			},
		},
		{
			name: "a reason of somebody without the role", want: rules.Fail, says: "test switched off",
			spoil: func(c *fact.Change) {
				test("+\tt.Skip(\"flaky\")\n")(c)
				c.Reviews[0].First = "/primum sign reviewed-code\n\nThe bench lost its sensor; repeated by hand until it is back."
			},
		},
		{
			name: "a difference that is not known", want: rules.Unknown, says: "The difference of `tests/dosing/big_test.c` could not be read",
			spoil: func(c *fact.Change) {
				silent(c)
				c.Files = append(c.Files, fact.File{Path: "tests/dosing/big_test.c", Status: fact.Modified, Added: 9000})
			},
		},
	})
}
