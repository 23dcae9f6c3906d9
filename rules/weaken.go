package rules

import (
	"strconv"
	"strings"

	"primum/rules/fact"
)

// weakening is one sign that a change asks less of its verification than before.
type weakening struct {
	path string
	line int
	what string
}

// shrinks says when a test file lost much more than it gained.
const (
	shrinkLines = 20
	shrinkRatio = 3
)

// weakenedTests compares what was taken out of the test files with what was put
// in: a test that moved from one file to another is not weaker.
func weakenedTests(files []*fact.File, isTest *globs) []weakening {
	var out []weakening
	declared, skipped := map[string]int{}, map[string]int{}
	type sight struct {
		text string
		path string
		line int
	}
	var gone, off []sight
	for _, f := range files {
		switch {
		case f.Status == fact.Deleted:
			out = append(out, weakening{f.Path, 0, "test file deleted"})
			continue
		case f.Status == fact.Renamed && !isTest.match(f.Path):
			out = append(out, weakening{f.Path, 0, "test file moved to where it is no test"})
		}
		if f.Removed-f.Added >= shrinkLines && f.Removed >= shrinkRatio*f.Added {
			out = append(out, weakening{f.Path, 0, plural(f.Removed-f.Added, "line", "lines") + " fewer in a test file"})
		}
		for d := range diffLines(f.Diff) {
			text := strings.TrimSpace(d.text)
			if text == "" {
				continue
			}
			if isDeclaration(text) {
				if d.added {
					declared[text]++
				} else {
					gone = append(gone, sight{text, f.Path, d.line})
				}
			}
			if hasSkip(text) && f.Status != fact.Added {
				if d.added {
					off = append(off, sight{text, f.Path, d.line})
				} else {
					skipped[text]++
				}
			}
		}
	}
	for _, s := range gone {
		if declared[s.text] > 0 {
			declared[s.text]--
			continue
		}
		out = append(out, weakening{s.path, s.line, "test removed: " + excerpt(s.text, 60)})
	}
	for _, s := range off {
		if skipped[s.text] > 0 {
			skipped[s.text]--
			continue
		}
		out = append(out, weakening{s.path, s.line, "test switched off: " + excerpt(s.text, 60)})
	}
	return out
}

// hasSkip looks for the words that switch a test off, or all others, in the
// usual test libraries.
func hasSkip(text string) bool {
	marks := [...]string{
		"t.Skip(", "t.Skipf(", "t.SkipNow(", "b.Skip(", // Go
		"@Disabled", "@Ignore", "assumeTrue(false", // JUnit, Kotlin
		"xit(", "xtest(", "xdescribe(", "it.skip(", "test.skip(", "describe.skip(", "it.todo(", "test.todo(", // JavaScript
		"it.only(", "test.only(", "describe.only(", "fit(", "fdescribe(", // only one test runs, the others do not
		"pytest.mark.skip", "pytest.skip(", "pytest.mark.xfail", "unittest.skip", "unittest.expectedFailure", "self.skipTest(", // Python
		"GTEST_SKIP", "DISABLED_", "TEST_IGNORE", "IGNORE_TEST(", "[!mayfail]", "[.]", // C, C++
		"#[ignore", "#[should_panic", // Rust
		"XCTSkip", "[Ignore", "Skip =", "Skip=", // Swift, .NET
		"skip \"", "skip '", "pending \"", // Ruby
	}
	for _, m := range marks {
		if i := strings.Index(text, m); i >= 0 && (i == 0 || !isLetter(text[i-1]) || !isLetter(m[0])) {
			return true
		}
	}
	return false
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' }

// isDeclaration recognises a line that declares a test by name.
func isDeclaration(text string) bool {
	beginnings := [...]string{
		"func Test", "func Fuzz", "def test", "async def test", "it(", "it('", "test(", "TEST(", "TEST_F(", "TEST_P(", "TEST_CASE(", "SCENARIO(",
		"fn test", "void test", "public void test", "fun test", "@Test", "#[test]", "[Fact]", "[Theory]", "[Test]",
	}
	for _, d := range beginnings {
		if strings.HasPrefix(text, d) {
			// Marks that stand on a line of their own are told apart by nothing.
			return !strings.HasPrefix(text, "@") && !strings.HasPrefix(text, "#[") && !strings.HasPrefix(text, "[")
		}
	}
	return false
}

// weakenedWorkflow looks for steps that may now fail, jobs that are gone and a
// changed machine.
func weakenedWorkflow(f *fact.File) []weakening {
	if f.Status == fact.Deleted {
		return []weakening{{f.Path, 0, "workflow deleted"}}
	}
	if f.Status == fact.Added {
		return nil
	}
	var out []weakening
	kept := map[string]int{}
	for d := range diffLines(f.Diff) {
		if d.added {
			kept[strings.TrimSpace(d.text)]++
		}
	}
	had := map[string]int{}
	for d := range diffLines(f.Diff) {
		text := strings.TrimSpace(d.text)
		if d.added || text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if kept[text] > 0 { // moved or re-indented
			kept[text]--
			had[text]++
			continue
		}
		switch {
		case isMachine(text):
			out = append(out, weakening{f.Path, d.line, "machine or image changed: " + excerpt(text, 60)})
		case isJob(d.text):
			out = append(out, weakening{f.Path, d.line, "job removed: " + excerpt(strings.TrimSuffix(text, ":"), 60)})
		case strings.HasPrefix(text, "- run:") || strings.HasPrefix(text, "run:") || strings.HasPrefix(text, "- uses:") || strings.HasPrefix(text, "- script:"):
			if !replaced(kept, text) {
				out = append(out, weakening{f.Path, d.line, "step removed: " + excerpt(text, 60)})
			}
		}
	}
	for d := range diffLines(f.Diff) {
		text := strings.TrimSpace(d.text)
		if !d.added || had[text] > 0 || strings.HasPrefix(text, "#") {
			continue
		}
		if may := mayFail(text); may != "" {
			out = append(out, weakening{f.Path, d.line, may + ": " + excerpt(text, 60)})
		}
	}
	return out
}

// replaced reports whether a step with the same first word after its key was
// added: an edited command, not a removed one.
func replaced(kept map[string]int, text string) bool {
	key, rest, _ := strings.Cut(text, ":")
	tool, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	tool, _, _ = strings.Cut(tool, "@")
	for t, n := range kept {
		if n > 0 && strings.HasPrefix(t, key+":") && strings.Contains(t, tool) {
			return true
		}
	}
	return false
}

func mayFail(text string) string {
	low := strings.ToLower(text)
	squeezed := strings.ReplaceAll(low, " ", "")
	switch {
	case strings.HasPrefix(strings.TrimPrefix(squeezed, "-"), "continue-on-error:") && !strings.HasSuffix(squeezed, ":false"),
		strings.HasPrefix(squeezed, "allow_failure:true"):
		return "failure is ignored"
	case strings.Contains(squeezed, "||true"), strings.Contains(low, "|| :"), strings.Contains(squeezed, "||exit0"), strings.Contains(low, "set +e"):
		return "failure is ignored"
	case strings.HasPrefix(strings.TrimPrefix(squeezed, "-"), "if:false"), strings.Contains(squeezed, "if:${{false}}"), squeezed == "when:never":
		return "switched off"
	default:
		return ""
	}
}

func isMachine(text string) bool {
	return strings.HasPrefix(text, "runs-on:") || strings.HasPrefix(text, "image:") || strings.HasPrefix(text, "container:")
}

// isJob recognises a job's key: two blanks, a name, a colon and nothing more.
func isJob(line string) bool {
	name, ok := strings.CutSuffix(strings.TrimRight(line, " "), ":")
	if !ok || !strings.HasPrefix(name, "  ") || strings.HasPrefix(name, "   ") {
		return false
	}
	name = name[2:]
	switch name {
	case "", "push", "pull_request", "schedule", "workflow_dispatch", "merge_group", "pull_request_target", "workflow_call", "group":
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && c != '-' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// weakenedSettings pairs removed with added lines that differ in their number
// only, where the line speaks of a threshold.
func weakenedSettings(f *fact.File) []weakening {
	if f.Status == fact.Deleted {
		return []weakening{{f.Path, 0, "settings of a check deleted"}}
	}
	if f.Status == fact.Added {
		return nil
	}
	type value struct {
		n    float64
		text string
	}
	was := map[string]value{}
	gone := map[string]value{}
	for d := range diffLines(f.Diff) {
		if key, n, ok := threshold(d.text); ok && !d.added {
			was[key] = value{n, strings.TrimSpace(d.text)}
			gone[key] = was[key]
		}
	}
	var out []weakening
	for d := range diffLines(f.Diff) {
		key, n, ok := threshold(d.text)
		if !ok || !d.added {
			continue
		}
		before, had := was[key]
		delete(gone, key)
		if !had || n == before.n || (n > before.n) == !isCeiling(key) {
			continue
		}
		out = append(out, weakening{
			f.Path, d.line,
			"threshold loosened: " + excerpt(strings.TrimSpace(d.text), 60) + " (was " + strconv.FormatFloat(before.n, 'f', -1, 64) + ")",
		})
	}
	for d := range diffLines(f.Diff) {
		if key, _, ok := threshold(d.text); ok && !d.added {
			if _, still := gone[key]; still {
				delete(gone, key)
				out = append(out, weakening{f.Path, d.line, "threshold removed: " + excerpt(strings.TrimSpace(d.text), 60)})
			}
		}
	}
	return out
}

// threshold reads a line such as "fail_under = 85" into the line without its
// number and the number. ok is false if the line speaks of no threshold.
func threshold(line string) (key string, n float64, ok bool) {
	low := strings.ToLower(line)
	if !strings.ContainsAny(low, "0123456789") {
		return "", 0, false
	}
	speaks := false
	for _, w := range [...]string{
		"coverage", "threshold", "fail_under", "fail-under", "target", "minimum", "min-", "min_", "min:", "branches", "functions", "statements", "lines:",
		"\"lines\"", "max-", "max_", "max:", "maximum", "complexity", "severity",
	} {
		speaks = speaks || strings.Contains(low, w)
	}
	if !speaks {
		return "", 0, false
	}
	end := len(low)
	for end > 0 && (low[end-1] < '0' || low[end-1] > '9') {
		end--
	}
	start := end
	for start > 0 && (low[start-1] >= '0' && low[start-1] <= '9' || low[start-1] == '.') {
		start--
	}
	n, err := strconv.ParseFloat(strings.Trim(low[start:end], "."), 64)
	if err != nil {
		return "", 0, false
	}
	return strings.Join(strings.Fields(low[:start]), " "), n, true
}

// isCeiling tells limits that get weaker as they grow.
func isCeiling(key string) bool {
	return strings.Contains(key, "max") || strings.Contains(key, "complexity")
}
