package bot_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"primum/forges"
)

var update = flag.Bool("update", false, "rewrite what the scenarios expect")

const scenarioDir = "../testdata/scenarios"

// TestScenarios plays every story of testdata/scenarios on every face of the
// simulated forge, through the real adapters and the whole service. A story
// expects the same verdicts and the same text on all of them.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(scenarioDir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in %s: %v", scenarioDir, err)
	}
	for _, file := range files {
		for _, on := range facesOf(t, file) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+on, func(t *testing.T) {
				t.Parallel()
				scenario(t, file, on)
			})
		}
	}
}

// facesOf are the faces a story is for: all, unless it begins with "only FACE".
func facesOf(t *testing.T, file string) []string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(raw).Files {
		if rest, only := strings.CutPrefix(string(f.Data), "only "); only && f.Name == "story" {
			line, _, _ := strings.Cut(rest, "\n")
			return strings.Split(strings.TrimSpace(line), ",")
		}
	}
	return faces()
}

func scenario(t *testing.T, file, on string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	arc := txtar.Parse(raw)
	s := newStory(t, arc, on)
	s.play()
	got, want := string(txtar.Format(arc)), string(raw)
	if on != onGitHub {
		got, want = plain(got), plain(want)
	}
	if got == want {
		return
	}
	if *update && on == facesOf(t, file)[0] {
		if err := os.WriteFile(file, txtar.Format(arc), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("the story went another way (-want +got):\n%s", cmp.Diff(want, got))
}

// forgeIDs are the ids of what people wrote. The forge counts everything with
// them, also what Primum wrote in between, which is no part of a story.
var forgeIDs = regexp.MustCompile(`(issuecomment|pullrequestreview)-[0-9]+`)

// story is one scenario at play: its material and the rig it runs on.
type story struct {
	t   *testing.T
	arc *txtar.Archive
	rig *rig
	// shown counts "show" lines, for the names of the kept comments.
	shown int
}

func newStory(t *testing.T, arc *txtar.Archive, on string) *story {
	t.Helper()
	s := &story{t: t, arc: arc}
	main := map[string]string{
		"fw/dosing/rate.c":               "int rate(int set) { return set; }\n",
		"fw/dosing/limits.c":             "int limit = 120;\n",
		"fw/comms/frame.c":               "int frame;\n",
		"fw/log/log.c":                   "void log_line(void) {}\n",
		"fw/alarm/alarm.c":               "void alarm(void) {}\n",
		"tests/rate_test.c":              "void test_rate(void) { check(rate(1) == 1); }\n",
		"docs/manual.md":                 "# Manual\n",
		"docs/risk/comms-segregation.md": "# Why comms is class B\nA separate processor, one-way queue.\n",
		"docs/risk/log-segregation.md":   "# Why log is class A\nIts own process, write-only queue, bounded memory.\n",
		".primum.yml":                    s.file("policy.yml"),
	}
	for _, f := range arc.Files {
		if path, ok := strings.CutPrefix(f.Name, "main/"); ok {
			main[path] = string(f.Data)
		}
	}
	if main[".primum.yml"] == "none\n" {
		delete(main, ".primum.yml")
	}
	s.rig = newRig(t, on, main)
	if !slices.Contains(strings.Split(s.file("story"), "\n"), "empty") {
		s.do(`priya opens issue "Clamp the bolus rate" from cr.md labelled change-request`)
		s.do(`sam opens issue "Bolus rate overshoots after restart" from anomaly.md labelled bug`)
		s.do(`chen comments on #1 "/primum approve"`)
	}
	return s
}

// file is the text of a file of the story, or of the standard one of that name.
func (s *story) file(name string) string {
	for _, f := range s.arc.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	raw, err := os.ReadFile(filepath.Join(scenarioDir, "standard", filepath.Base(name)))
	if err != nil {
		s.t.Fatalf("the story has no file %s and there is no standard one", name)
	}
	return string(raw)
}

// dir is what a push from a directory of the story brings. A file whose text is
// "deleted" is removed, one whose text is "moved from PATH" is a rename.
func (s *story) dir(name string) (files map[string]string, move map[string]string, remove []string) {
	files, move = map[string]string{}, map[string]string{}
	for _, f := range s.arc.Files {
		path, ok := strings.CutPrefix(f.Name, name+"/")
		if !ok {
			continue
		}
		text := string(f.Data)
		switch from, moved := strings.CutPrefix(strings.TrimSpace(text), "moved from "); {
		case moved:
			move[from] = path
		case strings.TrimSpace(text) == "deleted":
			remove = append(remove, path)
		default:
			files[path] = text
		}
	}
	if len(files)+len(move)+len(remove) == 0 {
		s.t.Fatalf("the story has no files below %s/", name)
	}
	return files, move, remove
}

func (s *story) play() {
	s.t.Helper()
	lines := strings.Split(s.file("story"), "\n")
	for i, line := range lines {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "//") || text == "empty" || strings.HasPrefix(text, "only ") {
			continue
		}
		prefix, text, ours := s.rig.face.spoken(text)
		if ours {
			lines[i] = prefix + s.line(i+1, text)
		}
	}
	for i := range s.arc.Files {
		if s.arc.Files[i].Name == "story" {
			s.arc.Files[i].Data = []byte(strings.Join(lines, "\n"))
		}
	}
}

// line plays one line and gives it back as it should read.
func (s *story) line(n int, text string) string {
	s.t.Helper()
	words := split(text)
	switch words[0] {
	case "expect":
		s.rig.settle()
		return s.expect(n, words, text)
	case "show":
		s.rig.settle()
		s.shown++
		s.keep(fmt.Sprintf("comment.%d", s.shown), forgeIDs.ReplaceAllString(s.rig.comment(number(s.t, words[1])), "$1-N"))
	default:
		s.do(text)
	}
	return text
}

func (s *story) expect(n int, words []string, text string) string {
	s.t.Helper()
	switch {
	case words[1] == "queue":
		state, title := s.rig.queueCheck()
		return strings.TrimSuffix(fmt.Sprintf("expect queue %s: %s", state, title), ": ")
	case len(words) == 5 && words[1] == "merge":
		return fmt.Sprintf("expect merge of %s %s", words[3], s.rig.merge(number(s.t, words[3])))
	case len(words) >= 3 && words[2] == "record":
		return fmt.Sprintf("expect %s record %s", words[1], s.rig.record(number(s.t, words[1])))
	case len(words) == 4 && words[2] == "comments":
		return fmt.Sprintf("expect %s comments %d", words[1], s.rig.commentCount(number(s.t, words[1])))
	case len(words) >= 3 && strings.HasPrefix(words[1], "#"):
		state, title := s.rig.check(number(s.t, words[1]))
		can := s.rig.face.adapter.Capabilities()
		switch {
		case words[2] == "neutral:" && state == "success" && !can.Has(forges.DoesNeutral):
			state = "neutral" // green, with the same words
		case words[2] == "pending:" && state == "failure" && !can.Has(forges.DoesPending):
			state = "pending" // red, with the same words
		}
		return strings.TrimSuffix(fmt.Sprintf("expect %s %s: %s", words[1], state, title), ": ")
	default:
		s.t.Fatalf("line %d: cannot expect %q", n, text)
		return ""
	}
}

// keep puts a text into the archive, replacing one of that name.
func (s *story) keep(name, text string) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	for i := range s.arc.Files {
		if s.arc.Files[i].Name == name {
			s.arc.Files[i].Data = []byte(text)
			return
		}
	}
	s.arc.Files = append(s.arc.Files, txtar.File{Name: name, Data: []byte(text)})
}

// split cuts a line into words; "quoted text" is one, with \n for a new line.
func split(line string) []string {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] == '"' {
			end := strings.LastIndexByte(line, '"')
			if next := strings.Index(line[1:], `" `); next >= 0 {
				end = next + 1
			}
			words = append(words, strings.ReplaceAll(line[1:end], `\n`, "\n"))
			line = line[end+1:]
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		words = append(words, word)
		line = rest
	}
	return words
}

func number(t *testing.T, word string) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(word, "#%d", &n); err != nil {
		t.Fatalf("%q is no number of an issue or change", word)
	}
	return n
}
