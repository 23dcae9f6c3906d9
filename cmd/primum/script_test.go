package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"primum/rules"
	"primum/rules/evidence"
	"primum/rules/policy"
)

var update = flag.Bool("update", false, "rewrite manual.md and the scripts' golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"primum": main})
}

// Each testdata/scripts/*.txtar is a user at a terminal.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/scripts",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			e.Setenv("GIT_AUTHOR_NAME", "mara")
			e.Setenv("GIT_AUTHOR_EMAIL", "mara@pump.example")
			e.Setenv("GIT_COMMITTER_NAME", "mara")
			e.Setenv("GIT_COMMITTER_EMAIL", "mara@pump.example")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"status": exitStatus,
			"schema": fitsSchema,
		},
	})
}

// exitStatus runs "status N command …" and demands that exit status.
func exitStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command …")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%s ended with %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// fitsSchema holds a policy file to the JSON schema that primum prints.
func fitsSchema(ts *testscript.TestScript, neg bool, args []string) {
	raw, err := policy.Schema(rules.Specs())
	ts.Check(err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	ts.Check(err)
	c := jsonschema.NewCompiler()
	ts.Check(c.AddResource("policy.json", doc))
	schema, err := c.Compile("policy.json")
	ts.Check(err)
	var file any
	ts.Check(yaml.Load([]byte(ts.ReadFile(args[0])), &file))
	asJSON, err := json.Marshal(file)
	ts.Check(err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	ts.Check(err)
	if err := schema.Validate(value); (err != nil) != neg {
		ts.Fatalf("%s against the schema: %v", args[0], err)
	}
}

// buffers are streams that remember; tty makes them a terminal without colours.
func buffers(in string, tty bool) (s *streams, out, errs *bytes.Buffer) {
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	return &streams{in: strings.NewReader(in), out: out, err: errs, outTTY: tty, errTTY: tty}, out, errs
}

func TestManualIsFresh(t *testing.T) {
	t.Parallel()
	s, out, _ := buffers("", false)
	if code := run(t.Context(), s, []string{"docs"}); code != exitCompliant {
		t.Fatalf("docs ended with %d", code)
	}
	if *update {
		if err := os.WriteFile("manual.md", out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("manual.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("manual.md is not fresh; run go test ./cmd/primum -run TestManualIsFresh -update (-want +got):\n%s", diff)
	}
}

func TestLintShowsTheLineAndACaretOnATerminal(t *testing.T) {
	t.Parallel()
	s, out, errs := buffers("version: 1\nproduct: pump\nrulez:\n\t\x1b[2J: 1\n", true)
	if code := run(t.Context(), s, []string{"policy", "lint", "-"}); code != exitUsage {
		t.Errorf("ended with %d: %s", code, errs)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("the file moves the cursor: %q", out)
	}
	s, out, _ = buffers("version: 1\nproduct: pump\nmodus: C\n", true)
	run(t.Context(), s, []string{"policy", "lint", "-"})
	if want := "\n    modus: C\n    ^\n"; !strings.Contains(out.String(), want) {
		t.Errorf("no line and caret in:\n%s", out)
	}
}

func TestVersionNamesRevisionAndDirt(t *testing.T) {
	t.Parallel()
	set := func(dirty string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: "3f9c0b7aa11b22c33d44"}, {Key: "vcs.modified", Value: dirty}}
	}
	for _, test := range []struct {
		version  string
		settings []debug.BuildSetting
		want     string
	}{
		{"(devel)", set("true"), "devel 3f9c0b7aa11b+dirty (go1.26)"},
		{"v0.1.0", set("false"), "v0.1.0 3f9c0b7aa11b (go1.26)"},
		{"v0.0.0-20261122160000-3f9c0b7aa11b+dirty", set("true"), "v0.0.0-20261122160000-3f9c0b7aa11b+dirty (go1.26)"},
		{"", nil, "devel (go1.26)"},
	} {
		got := version(&debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: test.version}, Settings: test.settings}, true)
		if got != test.want {
			t.Errorf("version %q is shown as %q, want %q", test.version, got, test.want)
		}
	}
}

// What the templates ask for, the rules must find: each form is filled in as
// the forge would render it and read back.
func TestTemplatesAreFoundByTheRules(t *testing.T) {
	t.Parallel()
	for _, forge := range []string{"github", "gitea", "gitlab"} {
		for _, f := range templates(forge) {
			if filepath.Ext(f.path) == ".md" {
				checkMarkdownTemplate(t, f)
				continue
			}
			var form struct {
				Name, Description, Title string
				Labels                   []string
				Body                     []struct {
					Type, ID   string
					Attributes struct {
						Label, Description string
						Options            []any
					}
					Validations struct{ Required bool }
				}
			}
			if err := yaml.Load([]byte(f.text), &form, yaml.WithUniqueKeys(true)); err != nil {
				t.Fatalf("%s: %v", f.path, err)
			}
			want, _ := evidence.FormByID(strings.TrimSuffix(filepath.Base(f.path), ".yml"))
			if form.Name != want.Title || len(form.Body) != len(want.Fields) || len(form.Labels) == 0 {
				t.Fatalf("%s is not form %q", f.path, want.ID)
			}
			var filled strings.Builder
			for _, field := range form.Body {
				filled.WriteString("### " + field.Attributes.Label + "\n\nanswer of " + field.ID + "\n\n")
				for _, o := range field.Attributes.Options {
					if _, isText := o.(string); !isText && field.Type == "dropdown" {
						t.Errorf("%s: option %v of %s is no text", f.path, o, field.ID)
					}
				}
			}
			doc := evidence.ParseDocument(filled.String())
			for _, field := range want.Fields {
				if s, ok := doc.Find(want.ID + "/" + field.ID); !ok || s.Text != "answer of "+field.ID {
					t.Errorf("%s: field %s is read as %q", f.path, field.ID, s.Text)
				}
			}
		}
	}
}

func checkMarkdownTemplate(t *testing.T, f newFile) {
	t.Helper()
	doc := evidence.ParseDocument(f.text)
	id := doc.Form
	if strings.Contains(f.path, "issue_templates") == (id == "") {
		t.Errorf("%s has the marker %q", f.path, id)
	}
	if id == "" {
		id = evidence.FormChange
	}
	form, _ := evidence.FormByID(id)
	for _, field := range form.Fields {
		s, ok := doc.Find(id + "/" + field.ID)
		text := strings.TrimSpace(strings.TrimPrefix(s.Text, "/label ~\""+id+"\""))
		if !ok || text != "" {
			t.Errorf("%s: field %s, not filled in, is read as %q, %v", f.path, field.ID, s.Text, ok)
		}
	}
}

func TestProposedNamesStandInAnyPolicy(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"yes", "a: b", "#x", "*.c", "it's", `q"uote`, "-x", "1.5", "null", "päth", "a,b", "{a}", "tab\tin"} {
		var got []string
		if err := yaml.Load([]byte("["+plain(name)+"]"), &got); err != nil || len(got) != 1 || got[0] != name {
			t.Errorf("%q is written %s and read as %q (%v)", name, plain(name), got, err)
		}
	}
	s := survey{product: "pump", forge: "github", people: map[policy.Role][]string{}}
	s.folders([]string{"fw/a.c", "bad[1]/x.c", "w*.c", "src/tests/a.py", "src/a/b.py", "src/b/c.py", "src/main.py", "build/x", "Build/y", "pump/z.c", "no/x", "a b/c.go"})
	for _, level := range append(classes(), "") {
		if p, errs := policy.Parse(policy.Path, []byte(draft(s, level, "observe")), rules.Specs()); len(errs) > 0 {
			t.Errorf("class %q: %v\n%s", level, errs, draft(s, level, "observe"))
		} else if p.Mode != policy.Observe {
			t.Errorf("the draft has mode %s", p.Mode)
		}
	}
}

// A pipe that closes early is a failure, not a silent success.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s, _, _ := buffers("", false)
	s.out = brokenPipe{}
	if code := run(t.Context(), s, []string{"rules", "list"}); code != exitFailure {
		t.Errorf("ended with %d", code)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
