package bot_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	factRow  = regexp.MustCompile("(?m)^\\| ([0-9]+) \\| [^|]*\\| (scenario |contract )?`([^`]+)`([^|]*)\\| ([a-z, ]+) \\|$")
	caseName = regexp.MustCompile(`(?:name: |\{|comment\(|verdict\()"([^"]+)"`)
)

// TestTheFactsHaveTheirTests holds the table of facts in the README to the tests
// there are: each named test exists, and plays on the forges it is said to.
func TestTheFactsHaveTheirTests(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(scenarioDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	cases := contractCases(t)
	facts := map[int]bool{}
	rows := factRow.FindAllStringSubmatch(string(raw), -1)
	for _, row := range rows {
		n, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		facts[n] = true
		kind, name, folder, forges := strings.TrimSpace(row[2]), row[3], strings.TrimSpace(row[4]), strings.Split(row[5], ", ")
		switch kind {
		case "scenario":
			file := filepath.Join(scenarioDir, name+".txtar")
			if _, err := os.Stat(file); err != nil {
				t.Errorf("fact %d: there is no story %s", n, name)
				continue
			}
			if on := facesOf(t, file); row[5] == "all" && len(on) != len(faces()) || row[5] != "all" && !slices.Equal(on, forges) {
				t.Errorf("fact %d: the story %s is played on %v, said is %s", n, name, on, row[5])
			}
		case "contract":
			if !cases[name] {
				t.Errorf("fact %d: the contract has no case %q", n, name)
			}
		default:
			if !hasTest(t, folder, name) {
				t.Errorf("fact %d: there is no %s in %s", n, name, folder)
			}
		}
	}
	for n := range 16 {
		if !facts[n+1] {
			t.Errorf("fact %d has no test", n+1)
		}
	}
	if lines := strings.Count(string(raw), "\n| ") - 1; lines != len(rows) {
		t.Errorf("%d rows of the table, %d understood", lines, len(rows))
	}
}

// TestTheNumberOfStories keeps the numbers that people are told.
func TestTheNumberOfStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(scenarioDir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	plays := 0
	for _, file := range files {
		plays += len(facesOf(t, file))
	}
	raw, err := os.ReadFile(filepath.Join(scenarioDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d stories, %d plays", len(files), plays); !strings.Contains(string(raw), want) {
		t.Errorf("the README does not say %q", want)
	}
}

// contractCases are the names of the cases that every adapter passes.
func contractCases(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../forges/forgetest/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no contract: %v", err)
	}
	cases := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range caseName.FindAllStringSubmatch(string(raw), -1) {
			cases[m[1]] = true
		}
	}
	return cases
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), "func "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}
