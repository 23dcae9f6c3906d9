package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// arrows says what each part of the tree may import of ours: the first entry
// whose prefix fits a package counts.
var arrows = []struct {
	from string
	may  []string
	why  string
}{
	{"primum/rules/fact", nil, "facts are plain values"},
	{"primum/rules", []string{"primum/rules"}, "rules know facts only"},
	{"primum/forges", []string{"primum/rules/fact", "primum/forges"}, "a forge reports facts and judges nothing"},
	{"primum/bot", []string{"primum/rules", "primum/forges", "primum/bot"}, "the bot holds a forges.Forge and never a named one"},
	{"primum/cmd", []string{"primum/"}, ""},
}

// pure lists what no package below rules may import: it judges, it does not look.
var pure = regexp.MustCompile(`^(net|net/http|os|os/exec|database/sql|log|log/slog|io/fs|syscall)$`)

type pkg struct {
	ImportPath, Dir, Doc, Name string
	Imports                    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Doc,Name,Imports", "primum/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 15 {
		t.Fatalf("go list found %d packages; the guard would guard nothing", len(all))
	}
	return all
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			if strings.HasPrefix(p.ImportPath, "primum/rules") && pure.MatchString(imp) {
				t.Errorf("%s imports %s: rules do no I/O", p.ImportPath, imp)
			}
			if !strings.HasPrefix(imp, "primum/") {
				continue
			}
			for _, a := range arrows {
				if p.ImportPath != a.from && !strings.HasPrefix(p.ImportPath, a.from+"/") {
					continue
				}
				if !allowed(a.may, imp) || (a.from == "primum/bot" && strings.HasPrefix(imp, "primum/forges/")) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imp, a.why)
				}
				break
			}
		}
	}
}

func allowed(may []string, imp string) bool {
	for _, m := range may {
		if strings.HasPrefix(imp, m) {
			return true
		}
	}
	return false
}

// Only the adapters may name a forge's library, so that a swap stays in one folder.
func TestForgeLibrariesStayBehindTheSeam(t *testing.T) {
	const hub, lab, tea = "primum/forges/github", "primum/forges/gitlab", "primum/forges/gitea"
	home := map[string][]string{
		"github.com/google/go-github":        {hub},
		"github.com/bradleyfalzon/":          {hub},
		"github.com/xanzy/go-gitlab":         {lab},
		"code.gitea.io/sdk/":                 {tea},
		"github.com/go-playground/webhooks/": {hub, lab, tea},
		"primum/forges/kept":                 {hub, lab, tea},
		"primum/forges/patch":                {hub, lab, tea},
		// The calls of a forge are its adapter's; the command builds what the
		// adapters call with.
		"primum/forges/wire": {hub, lab, tea, "primum/forges/admin", "primum/cmd/primum"},
	}
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			for lib, only := range home {
				if strings.HasPrefix(imp, lib) && !slices.Contains(only, p.ImportPath) {
					t.Errorf("%s imports %s: only %s may", p.ImportPath, imp, strings.Join(only, ", "))
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestTopLevelHoldsOnlyTheAgreedFolders(t *testing.T) {
	agreed := map[string]bool{"cmd": true, "bot": true, "rules": true, "forges": true, "deploy": true, "testdata": true}
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !agreed[e.Name()] {
			t.Errorf("folder %s is not part of the agreed tree", e.Name())
		}
	}
}

// The README promises two commands; .ci/run must run exactly the second.
func TestReadmeAndCIAgreeOnTheCommands(t *testing.T) {
	readme := read(t, "README.md")
	for _, want := range []string{"go run ./cmd/primum demo", ".ci/test"} {
		if !strings.Contains(readme, "\n"+want+"\n") {
			t.Errorf("README.md does not show the command %q on a line of its own", want)
		}
	}
	if !regexp.MustCompile(`(?m)^\.ci/test$`).MatchString(read(t, ".ci/run")) {
		t.Error(".ci/run does not run .ci/test")
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
