package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"primum/forges/github"
	"primum/forges/sim/simtest"
)

// The manifest in deploy is the one that setup makes apps from.
func TestManifestsAgree(t *testing.T) {
	t.Parallel()
	type manifest struct {
		Permissions map[string]string `json:"default_permissions"`
		Events      []string          `json:"default_events"`
		Hook        struct {
			URL string `json:"url"`
		} `json:"hook_attributes"`
		Public bool `json:"public"`
	}
	raw, err := github.Manifest("Primum", "https://primum.example.com", "https://primum.example.com/hooks/github", "https://primum.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	var made, kept manifest
	if err := json.Unmarshal(raw, &made); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(read(t, "deploy/github/app-manifest.json")), &kept); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept, made); diff != "" {
		t.Errorf("deploy/github/app-manifest.json and setup differ (-file +setup):\n%s", diff)
	}
}

// Every YAML file of deployment can be read, and the job of GitLab calls a
// command that is there, under the name the service knows it by.
func TestDeploymentYAMLCanBeRead(t *testing.T) {
	t.Parallel()
	var found int
	err := filepath.WalkDir(filepath.Join(root(t), "deploy"), func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yml" {
			return err
		}
		found++
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var doc map[string]any
		if err := yaml.Load(raw, &doc, yaml.WithUniqueKeys(true)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil || found < 2 {
		t.Fatalf("%d files, %v", found, err)
	}
	var gate struct {
		Job struct {
			Script []string            `yaml:"script"`
			Rules  []map[string]string `yaml:"rules"`
			Allow  bool                `yaml:"allow_failure"`
		} `yaml:"primum"`
	}
	if err := yaml.Load([]byte(read(t, "deploy/gitlab/primum-gate.yml")), &gate); err != nil {
		t.Fatal(err)
	}
	if len(gate.Job.Script) != 1 || gate.Job.Allow || len(gate.Job.Rules) != 1 || !strings.Contains(gate.Job.Rules[0]["if"], "merge_request_event") {
		t.Errorf("the job is %+v", gate.Job)
	}
	s, _, errs := buffers("", false)
	args := strings.Fields(strings.NewReplacer(`"`, "", "$PRIMUM_SERVICE", "https://primum.example", "$PRIMUM_WAIT", "5m").Replace(gate.Job.Script[0]))
	if code := run(t.Context(), s, append(args[1:], "--help")); code != exitCompliant {
		t.Errorf("%q is no call: %s", gate.Job.Script[0], errs)
	}
}

// What is written is readable by its owner only, keeps what is there, and
// replaces nothing unasked.
func TestSettingsFileKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "primum.env")
	if err := os.WriteFile(path, []byte("# ours\nexport A=\"1\"\n\nB=2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := readSettings(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, value string
		force, ok   bool
	}{{"A", "1", false, true}, {"C", "3", false, true}, {"B", "4", false, false}, {"B", "5", true, true}} {
		if err := f.set(tt.name, tt.value, tt.force); (err == nil) != tt.ok {
			t.Errorf("set %s=%s: %v", tt.name, tt.value, err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("# ours\nexport A=\"1\"\n\nB=5\nC=3\n", string(got)); diff != "" {
		t.Errorf("the file (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has the mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".primum-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// githubOf is as much of GitHub as making an app takes.
type githubOf struct {
	mu        sync.Mutex
	pem       string
	codes     map[string]int
	installed bool
	rulesets  []string
}

func (g *githubOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	say := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	type j map[string]any
	app := j{"id": 77, "slug": "primum-acme", "name": "Primum acme", "html_url": "https://github.example/apps/primum-acme"}
	path := strings.TrimPrefix(r.URL.Path, "/api/v3")
	switch {
	case strings.HasPrefix(path, "/app-manifests/"):
		code := strings.Split(path, "/")[2]
		if g.codes[code]++; code != "code-0123456789" || g.codes[code] > 1 {
			say(404, j{"message": "Not Found"})
			return
		}
		app["client_id"], app["client_secret"], app["webhook_secret"], app["pem"] = "Iv1.0", "client-secret-of-the-app", "webhook-secret-of-the-app", g.pem
		say(201, app)
	case path == "/app":
		say(200, app)
	case path == "/app/hook/config":
		say(200, j{"url": "https://primum.example/hooks/github", "content_type": "json", "insecure_ssl": "0"})
	case strings.HasSuffix(path, "/installation"):
		if !g.installed {
			g.installed = true // between two looks
			say(404, j{"message": "Not Found"})
			return
		}
		say(200, j{"id": 5, "account": j{"login": "acme"}, "permissions": j{}})
	case strings.HasSuffix(path, "/access_tokens"):
		say(201, j{"token": "ghs_forTheInstallationOnly", "expires_at": time.Now().Add(time.Hour)})
	case path == "/repos/acme/pump":
		say(200, j{"full_name": "acme/pump", "default_branch": "main"})
	case path == "/repos/acme/pump/branches/main":
		say(200, j{"name": "main", "protection": j{"enabled": false}})
	case path == "/repos/acme/pump/rules/branches/main":
		rules := []j{}
		if len(g.rulesets) > 0 {
			rules = append(rules, j{"type": "required_status_checks", "parameters": j{"required_status_checks": []j{{"context": "primum", "integration_id": 77}}}})
		}
		say(200, rules)
	case path == "/repos/acme/pump/rulesets" && r.Method == http.MethodGet:
		say(200, []j{})
	case path == "/repos/acme/pump/rulesets":
		raw, _ := io.ReadAll(r.Body)
		g.rulesets = append(g.rulesets, string(raw))
		say(201, j{"id": 1})
	case strings.HasPrefix(path, "/repos/acme/pump/contents/"):
		say(200, j{"content": ""})
	default:
		say(404, j{"message": "Not Found: " + path})
	}
}

// From nothing to a required check: the page is opened, GitHub sends the browser
// back, and a second run makes no other app.
func TestAppIsMadeThroughThePage(t *testing.T) {
	t.Parallel()
	rig := simtest.New(t, simtest.Options{Unchecked: true})
	hub := &githubOf{pem: string(simtest.PEM(rig.Key)), codes: map[string]int{}}
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	env, token := filepath.Join(dir, "primum.env"), filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("ghp_administratorOfAcme\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"setup", "github", "--url", server.URL, "--public-url", "https://primum.example", "--org", "acme", "--repo", "acme/pump",
		"--env-file", env, "--token-file", token, "--yes",
	}
	out := &synced{}
	s := &streams{in: strings.NewReader(""), out: out, err: out}
	ended := make(chan int, 1)
	go func() { ended <- run(t.Context(), s, args) }()
	page := out.await(t, regexp.MustCompile(`Open (http://127\.0\.0\.1:\d+/[a-z0-9]+)`))
	base := page[:strings.LastIndex(page, "/")]
	form := get(t, page, 200)
	action := regexp.MustCompile(`action="([^"]+)"`).FindStringSubmatch(form)
	if action == nil || !strings.Contains(form, base+"/callback") || !strings.Contains(action[1], "/organizations/acme/settings/apps/new?state=") {
		t.Fatalf("the page is %s", form)
	}
	u, err := url.Parse(action[1])
	if err != nil {
		t.Fatal(err)
	}
	state := u.Query().Get("state")
	get(t, base+"/", 404)
	get(t, base+"/callback?code=code-0123456789&state=another", 400)
	get(t, base+"/callback?state="+state, 400)
	get(t, base+"/callback?code=code-0123456789&state="+state, 200)
	if code := <-ended; code != exitCompliant {
		t.Fatalf("ended with %d:\n%s", code, out)
	}
	file, err := readSettings(env)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"PRIMUM_GITHUB_APP_ID": "77", "PRIMUM_GITHUB_WEBHOOK_SECRET": "webhook-secret-of-the-app", "PRIMUM_PUBLIC_URL": "https://primum.example",
		"PRIMUM_GITHUB_PRIVATE_KEY_FILE": filepath.Join(dir, "primum-github.pem"), "PRIMUM_GITHUB_API_URL": server.URL + "/api/v3",
	} {
		if got := file.get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if key, err := os.ReadFile(filepath.Join(dir, "primum-github.pem")); err != nil || string(key) != hub.pem {
		t.Errorf("the key is %q, %v", key, err)
	}
	if strings.Contains(out.String(), "webhook-secret-of-the-app") || strings.Contains(out.String(), "PRIVATE KEY") {
		t.Error("the terminal shows a secret")
	}
	if len(hub.rulesets) != 1 || !strings.Contains(hub.rulesets[0], `"integration_id":77`) {
		t.Errorf("rulesets: %q", hub.rulesets)
	}
	again, said, _ := buffers("", false)
	if code := run(t.Context(), again, args); code != exitCompliant || !strings.Contains(said.String(), "Nothing to do") {
		t.Errorf("the second run ended with %d:\n%s", code, said)
	}
}

// Nobody comes, or somebody stops it: it ends, and nothing is written.
func TestPageEndsInTimeAndOnCtrlC(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		wait string
		stop bool
		want string
	}{"in time": {"50ms", false, "nobody made the app in time"}, "by Ctrl-C": {"1m", true, "stopped"}} {
		env := filepath.Join(t.TempDir(), "primum.env")
		ctx, cancel := context.WithCancel(t.Context())
		out := &synced{}
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, &streams{in: strings.NewReader(""), out: out, err: out},
				[]string{"setup", "github", "--public-url", "https://primum.example", "--env-file", env, "--wait", tt.wait})
		}()
		out.await(t, regexp.MustCompile(`Open (http://\S+)`))
		if tt.stop {
			cancel()
		}
		if code := <-ended; code != exitFailure || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: ended with %d:\n%s", name, code, out)
		}
		cancel()
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(env), "*")); len(left) > 0 {
			t.Errorf("%s: wrote %v", name, left)
		}
	}
}

func get(t *testing.T, address string, want int) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		t.Errorf("%s answers %d, want %d: %s %v", address, answer.StatusCode, want, body, err)
	}
	return strings.NewReplacer("&amp;", "&", "&#34;", `"`).Replace(string(body))
}

// synced is a terminal that is read while it is written.
type synced struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *synced) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *synced) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// await waits until the terminal shows something, and gives its first group.
func (s *synced) await(t *testing.T, what *regexp.Regexp) string {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		if m := what.FindStringSubmatch(s.String()); m != nil {
			return m[1]
		}
		select {
		case <-deadline.C:
			t.Fatalf("the terminal never shows %s:\n%s", what, s)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Each of the flags that name things has its sentence when mistyped.
func TestSetupRefusesWrongTyping(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"gitea"}, "missing --url"},
		{[]string{"gitea", "--url", "https://git.example"}, "missing --org or --repo"},
		{[]string{"gitea", "--url", "git.example:3000", "--org", "acme"}, "--url \"git.example:3000\" is no address; something like https://"},
		{[]string{"gitea", "--url", "https://git.example", "--org", "acme", "--public-url", "primum.example"}, "is no address"},
		{[]string{"gitea", "--url", "https://git.example", "--org", "acme", "--public-url", "https://p.example", "--key", "My Forge"}, "lower-case letters"},
		{[]string{"gitea", "--url", "https://git.example", "--repo", "pump", "--public-url", "https://p.example"}, "is not owner/name"},
		{[]string{"gitea", "--url", "https://git.example", "--org", "acme", "--public-url", "https://p.example", "--token-file", "/nowhere"}, "cannot be read"},
		{[]string{"gitlab", "--repo", "a/b", "--way", "magic", "--public-url", "https://p.example"}, `"magic" is none of`},
		{[]string{"gitlab", "--repo", "a/b", "--role", "king"}, `"king" is none of developer, maintainer`},
		{[]string{"gitlab"}, "missing --group or --repo"},
		{[]string{"github", "--public-url", "https://p.example"}, "missing --env-file"},
		{[]string{"bitbucket"}, `unknown command "bitbucket"`},
		{[]string{"gitlib"}, `did you mean "gitlab"?`},
	} {
		s, _, errs := buffers("", false)
		if code := run(t.Context(), s, append([]string{"setup"}, tt.args...)); code != exitUsage || !strings.Contains(errs.String(), tt.want) {
			t.Errorf("%q ended with %d: %s, want %q", tt.args, code, errs, tt.want)
		}
	}
	if !slices.Contains(strings.Fields(read(t, "cmd/primum/manual.md")), "setup") {
		t.Error("the manual does not know setup")
	}
}
