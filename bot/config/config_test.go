package config_test

import (
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/bot/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	key    = "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----"
	secret = "a-webhook-secret-for-tests"
)

// enough is the least that starts the service.
func enough(more ...string) []string {
	return append([]string{
		"PRIMUM_GITHUB_APP_ID=42", "PRIMUM_GITHUB_PRIVATE_KEY=" + key, "PRIMUM_GITHUB_WEBHOOK_SECRET=" + secret, "PATH=/bin",
	}, more...)
}

func TestThreeVariablesAreEnough(t *testing.T) {
	t.Parallel()
	got, err := config.Load(enough("PRIMUM_LISTEN=127.0.0.1:9000", "PRIMUM_CONCURRENCY="))
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Listen: "127.0.0.1:9000", PublicURL: "http://localhost:9000", DatabaseURL: "sqlite:primum.db", Instance: "embedded",
		GitHub:      config.GitHub{AppID: 42, PrivateKey: key, WebhookSecrets: []string{secret}, WebURL: "https://github.com"},
		Concurrency: 64, Settle: 1200 * time.Millisecond, SweepInterval: 10 * time.Minute, KeepBodies: 90, StopTimeout: 20 * time.Second,
		LogLevel: slog.LevelInfo, LogFormat: "text",
		Warnings: []string{"PRIMUM_PUBLIC_URL is not set; links lead to http://localhost:9000, which only this machine can open"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.KeepFor() != 2160*time.Hour || got.Login() {
		t.Errorf("bodies are kept for %v, login is %v", got.KeepFor(), got.Login())
	}
}

func TestEverythingCanBeSet(t *testing.T) {
	t.Parallel()
	got, err := config.Load(enough(
		"PRIMUM_PUBLIC_URL=https://x.example/primum/", "PRIMUM_DATABASE_URL=postgres://u:p@h/d", "PRIMUM_INSTANCE=one",
		"PRIMUM_GITHUB_WEBHOOK_SECRET="+secret+", another-secret-for-tests", "PRIMUM_GITHUB_API_URL=https://ghes.example/api/v3/",
		"PRIMUM_GITHUB_CA_FILE=/ca.pem", "PRIMUM_GITHUB_CLIENT_ID=id", "PRIMUM_GITHUB_CLIENT_SECRET=cs",
		"PRIMUM_PAGES_KEY=0123456789abcdef", "PRIMUM_ONLY=acme, Labs/Pump", "PRIMUM_CONCURRENCY=8", "PRIMUM_SETTLE=0s",
		"PRIMUM_SWEEP_INTERVAL=1h", "PRIMUM_KEEP_BODIES_DAYS=0", "PRIMUM_STOP_TIMEOUT=1m", "PRIMUM_LOG_LEVEL=debug", "PRIMUM_LOG_FORMAT=json",
	))
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Listen: ":8080", PublicURL: "https://x.example/primum", DatabaseURL: "postgres://u:p@h/d", Instance: "one",
		GitHub: config.GitHub{
			AppID: 42, PrivateKey: key, WebhookSecrets: []string{secret, "another-secret-for-tests"}, APIURL: "https://ghes.example/api/v3",
			WebURL: "https://ghes.example", CAFile: "/ca.pem", ClientID: "id", ClientSecret: "cs",
		},
		PagesKey: "0123456789abcdef", Only: []string{"acme", "Labs/Pump"},
		Concurrency: 8, SweepInterval: time.Hour, StopTimeout: time.Minute, LogLevel: slog.LevelDebug, LogFormat: "json",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryErrorIsToldAtOnceAndShowsNoSecret(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		env  []string
		want []string
	}{
		{"nothing set", nil, []string{
			"PRIMUM_GITHUB_APP_ID: is missing; set it to 123456",
			"PRIMUM_GITHUB_PRIVATE_KEY: is missing; set it to the text of the .pem file, or PRIMUM_GITHUB_PRIVATE_KEY_FILE to the path of a file that holds it",
			"PRIMUM_GITHUB_WEBHOOK_SECRET: is missing; set it to a long random text, the same as in the app's settings, or PRIMUM_GITHUB_WEBHOOK_SECRET_FILE to the path of a file that holds it",
		}},
		{"much set wrongly", []string{
			"PRIMUM_GITHUB_APP_ID=my app", "PRIMUM_GITHUB_PRIVATE_KEY=hunter2", "PRIMUM_GITHUB_WEBHOOK_SECRET=hunter2", "PRIMUM_PAGES_KEY=hunter2",
			"PRIMUM_LISTEN=8080", "PRIMUM_PUBLIC_URL=primum.example", "PRIMUM_CONCURRENCY=0", "PRIMUM_SETTLE=1", "PRIMUM_SWEEP_INTERVAL=-1m",
			"PRIMUM_LOG_LEVEL=loud", "PRIMUM_LOG_FORMAT=xml", "PRIMUM_ONLY=a/b/c", "PRIMUM_GITHUB_CLIENT_ID=x",
		}, []string{
			`PRIMUM_CONCURRENCY: 0 is out of range; take 1 to 1000`,
			`PRIMUM_GITHUB_APP_ID: "my app" is no whole number; something like 123456 is`,
			`PRIMUM_GITHUB_CLIENT_ID: is needed together with PRIMUM_GITHUB_CLIENT_SECRET; set both to let people log in, or neither`,
			`PRIMUM_GITHUB_PRIVATE_KEY: holds no private key in PEM form; set it to the text of the .pem file, or PRIMUM_GITHUB_PRIVATE_KEY_FILE to its path`,
			`PRIMUM_GITHUB_WEBHOOK_SECRET: a secret of 7 characters is too short; take at least 16 random ones`,
			`PRIMUM_LISTEN: "8080" is no address with a port; something like :8080 or 127.0.0.1:8080 is`,
			`PRIMUM_LOG_FORMAT: "xml" is no format; text and json are`,
			`PRIMUM_LOG_LEVEL: "loud" is no level; something like info is`,
			`PRIMUM_ONLY: "a/b/c" is neither an owner nor owner/name; something like acme,acme-labs/pump is right`,
			`PRIMUM_PAGES_KEY: a key of 7 characters is too short; take at least 16 random ones`,
			`PRIMUM_PUBLIC_URL: is no address; something like https://primum.example is`,
			`PRIMUM_SETTLE: "1" is no duration; something like 1.2s is`,
			`PRIMUM_SWEEP_INTERVAL: is negative; take 0 or more`,
		}},
		{"a file that is not there", enough("PRIMUM_PAGES_KEY_FILE=/none/key"), []string{
			"PRIMUM_PAGES_KEY_FILE: the file cannot be read (open /none/key: no such file or directory); name a file this account can read",
		}},
		{"a value beside a file", enough("PRIMUM_GITHUB_WEBHOOK_SECRET_FILE=/none/key"), []string{
			"PRIMUM_GITHUB_WEBHOOK_SECRET_FILE: is set beside PRIMUM_GITHUB_WEBHOOK_SECRET; set one of the two",
		}},
	}
	for _, tt := range tests {
		_, err := config.Load(tt.env)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(strings.Join(tt.want, "\n"), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if strings.Contains(got, "hunter2") {
			t.Errorf("%s: the error shows a secret", tt.name)
		}
	}
}

func TestSecretsCanBeFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	got, err := config.Load([]string{
		"PRIMUM_GITHUB_APP_ID=42", "STATE_DIRECTORY=/var/lib/primum:/other",
		"PRIMUM_GITHUB_PRIVATE_KEY_FILE=" + write("key.pem", key+"\n"), "PRIMUM_GITHUB_WEBHOOK_SECRET_FILE=" + write("secret", secret+"\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.GitHub.PrivateKey != key || len(got.GitHub.WebhookSecrets) != 1 || got.GitHub.WebhookSecrets[0] != secret {
		t.Errorf("read %+v", got.GitHub)
	}
	if want := "sqlite:/var/lib/primum/primum.db"; got.DatabaseURL != want {
		t.Errorf("the database is %s, want %s", got.DatabaseURL, want)
	}
}

func TestKeyOnOneLineIsUnderstood(t *testing.T) {
	t.Parallel()
	got, err := config.Load([]string{
		"PRIMUM_GITHUB_APP_ID=42", "PRIMUM_GITHUB_PRIVATE_KEY=" + strings.ReplaceAll(key, "\n", `\n`), "PRIMUM_GITHUB_WEBHOOK_SECRET=" + secret,
	})
	if err != nil || got.GitHub.PrivateKey != key {
		t.Errorf("read %+v, error %v", got, err)
	}
}

func TestSecretsLeaveTheEnvironment(t *testing.T) {
	for _, v := range enough("PRIMUM_PAGES_KEY=0123456789abcdef", "PRIMUM_LOG_LEVEL=warn") {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	if _, err := config.Load(os.Environ()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"PRIMUM_GITHUB_PRIVATE_KEY", "PRIMUM_GITHUB_WEBHOOK_SECRET", "PRIMUM_PAGES_KEY"} {
		if _, there := os.LookupEnv(name); there {
			t.Errorf("%s is still in the environment", name)
		}
	}
	if os.Getenv("PRIMUM_LOG_LEVEL") != "warn" {
		t.Error("PRIMUM_LOG_LEVEL is gone and is no secret")
	}
}

func TestUnknownVariablesAreWarnedOf(t *testing.T) {
	t.Parallel()
	got, err := config.Load(enough("PRIMUM_PUBLIC_URL=https://p.example", "PRIMUM_GITHUB_APPID=1", "PRIMUM_COLOUR=red",
		"PRIMUM_SERVICE_HOST=10.0.0.1", "PRIMUM_PORT=tcp://10.0.0.1:80", "PRIMUM_TEST_POSTGRES_URL=x"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PRIMUM_COLOUR is no setting and is not used",
		"PRIMUM_GITHUB_APPID is no setting and is not used; did you mean PRIMUM_GITHUB_APP_ID?",
	}
	if diff := cmp.Diff(want, got.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestOnlyWhatIsListedIsServed(t *testing.T) {
	t.Parallel()
	some := config.Config{Only: []string{"acme", "labs/pump"}}
	all := config.Config{}
	for _, tt := range []struct {
		owner, name string
		want        bool
	}{
		{"acme", "x", true}, {"ACME", "x", true}, {"labs", "Pump", true}, {"labs", "x", false}, {"labs", "", true}, {"other", "pump", false}, {"other", "", false},
	} {
		if got := some.Serves(tt.owner, tt.name); got != tt.want {
			t.Errorf("%s/%s served is %v, want %v", tt.owner, tt.name, got, tt.want)
		}
		if !all.Serves(tt.owner, tt.name) {
			t.Errorf("%s/%s is not served without a list", tt.owner, tt.name)
		}
	}
}

func TestReferenceIsCompleteAndFresh(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range config.Settings() {
		if s.Doc == "" || !strings.HasSuffix(s.Doc, ".") || s.Example == "" || seen[s.Variable] {
			t.Errorf("%s has doc %q, example %q; every setting has both, once", s.Variable, s.Doc, s.Example)
		}
		seen[s.Variable] = true
	}
	for name, got := range map[string]string{"reference.txt": config.Reference(), "reference.md": config.Markdown()} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
