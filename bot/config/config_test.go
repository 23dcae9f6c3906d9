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

// gitea is an instance of that kind by its key in capitals.
func gitea(key string, more ...string) []string {
	p := "PRIMUM_" + key + "_"
	return append([]string{p + "URL=https://" + strings.ToLower(key) + ".example", p + "TOKEN=0123456789abcdef", p + "WEBHOOK_SECRET=" + secret}, more...)
}

func TestThreeVariablesAreEnough(t *testing.T) {
	t.Parallel()
	got, err := config.Load(enough("PRIMUM_LISTEN=127.0.0.1:9000", "PRIMUM_CONCURRENCY="))
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Listen: "127.0.0.1:9000", PublicURL: "http://localhost:9000", DatabaseURL: "sqlite:primum.db", Instance: "embedded",
		Forges: []config.Instance{{Key: "github", Kind: config.KindGitHub, GitHub: &config.GitHub{
			AppID: 42, PrivateKey: key, WebhookSecrets: []string{secret}, WebURL: "https://github.com", Reach: config.Reach{Timeout: 10 * time.Second},
		}}},
		Concurrency: 64, Settle: 1200 * time.Millisecond, SweepInterval: 10 * time.Minute, WatchInterval: 5 * time.Second, KeepBodies: 90, StopTimeout: 20 * time.Second,
		LogLevel: slog.LevelInfo, LogFormat: "text",
		Warnings: []string{"PRIMUM_PUBLIC_URL is not set; links lead to http://localhost:9000, which only this machine can open"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.KeepFor() != 2160*time.Hour || got.Login() != nil {
		t.Errorf("bodies are kept for %v, login is %v", got.KeepFor(), got.Login())
	}
}

func TestEverythingCanBeSet(t *testing.T) {
	t.Parallel()
	got, err := config.Load(enough(
		"PRIMUM_PUBLIC_URL=https://x.example/primum/", "PRIMUM_DATABASE_URL=postgres://u:p@h/d", "PRIMUM_INSTANCE=one",
		"PRIMUM_GITHUB_WEBHOOK_SECRET="+secret+", another-secret-for-tests", "PRIMUM_GITHUB_API_URL=https://ghes.example/api/v3/",
		"PRIMUM_GITHUB_CA_FILE=/ca.pem", "PRIMUM_GITHUB_PROXY=http://u:p@proxy.example:3128", "PRIMUM_GITHUB_TIMEOUT=3s", "PRIMUM_GITHUB_CLIENT_ID=id", "PRIMUM_GITHUB_CLIENT_SECRET=cs",
		"PRIMUM_PAGES_KEY=0123456789abcdef", "PRIMUM_ONLY=acme, Labs/Pump", "PRIMUM_CONCURRENCY=8", "PRIMUM_SETTLE=0s",
		"PRIMUM_SWEEP_INTERVAL=1h", "PRIMUM_WATCH_INTERVAL=0", "PRIMUM_KEEP_BODIES_DAYS=0", "PRIMUM_STOP_TIMEOUT=1m", "PRIMUM_LOG_LEVEL=debug", "PRIMUM_LOG_FORMAT=json",
	))
	if err != nil {
		t.Fatal(err)
	}
	if got.Login() != &got.Forges[0] {
		t.Errorf("people log in with %v", got.Login())
	}
	want := &config.Config{
		Listen: ":8080", PublicURL: "https://x.example/primum", DatabaseURL: "postgres://u:p@h/d", Instance: "one",
		Forges: []config.Instance{{Key: "github", Kind: config.KindGitHub, GitHub: &config.GitHub{
			AppID: 42, PrivateKey: key, WebhookSecrets: []string{secret, "another-secret-for-tests"}, APIURL: "https://ghes.example/api/v3",
			WebURL: "https://ghes.example", ClientID: "id", ClientSecret: "cs",
			Reach: config.Reach{CAFile: "/ca.pem", Proxy: "http://u:p@proxy.example:3128", Timeout: 3 * time.Second},
		}}},
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
			`no forge to serve; set the variables of one, or let "primum setup" with github, gitlab or gitea make them:`,
			"  GitHub: PRIMUM_GITHUB_APP_ID, PRIMUM_GITHUB_PRIVATE_KEY, PRIMUM_GITHUB_WEBHOOK_SECRET",
			"  GitLab: PRIMUM_GITLAB_TOKEN, PRIMUM_GITLAB_WEBHOOK_SECRET",
			"  Gitea or Forgejo: PRIMUM_GITEA_URL, PRIMUM_GITEA_TOKEN, PRIMUM_GITEA_WEBHOOK_SECRET",
		}},
		{"one variable of each", []string{"PRIMUM_GITHUB_APP_ID=1", "PRIMUM_GITLAB_URL=https://gitlab.example", "PRIMUM_GITEA_TOKEN=x"}, []string{
			"PRIMUM_GITEA_URL: is missing; set it to https://git.acme.example",
			"PRIMUM_GITEA_WEBHOOK_SECRET: is missing; set it to a long random text, the same as in the webhook's settings, or PRIMUM_GITEA_WEBHOOK_SECRET_FILE to the path of a file that holds it",
			"PRIMUM_GITHUB_PRIVATE_KEY: is missing; set it to the text of the .pem file, or PRIMUM_GITHUB_PRIVATE_KEY_FILE to the path of a file that holds it",
			"PRIMUM_GITHUB_WEBHOOK_SECRET: is missing; set it to a long random text, the same as in the app's settings, or PRIMUM_GITHUB_WEBHOOK_SECRET_FILE to the path of a file that holds it",
			"PRIMUM_GITLAB_TOKEN: is missing; set it to a token with the scope api, or PRIMUM_GITLAB_TOKEN_FILE to the path of a file that holds it",
			"PRIMUM_GITLAB_WEBHOOK_SECRET: is missing, and so is PRIMUM_GITLAB_SIGNING_TOKEN; set one of them to what the webhook's settings hold; without it anybody could send deliveries",
		}},
		{"forges named wrongly", enough("PRIMUM_FORGES=github,github,svn,x1=svn,gitea=gitlab,Plant=gitlab,public=gitlab,plant=gitea,plant=gitea"), []string{
			`PRIMUM_FORGES: "gitea=gitlab" names gitea a second time; give each forge a key of its own, as in forgejo=gitea`,
			`PRIMUM_FORGES: "github" names github a second time; give each forge a key of its own, as in forgejo=gitea`,
			`PRIMUM_FORGES: "plant=gitea" names plant a second time; give each forge a key of its own, as in forgejo=gitea`,
			`PRIMUM_FORGES: "svn" is no kind of forge; github, gitlab and gitea are; another key takes its kind behind it, as in forgejo=gitea`,
			`PRIMUM_FORGES: "x1=svn" has no kind of forge behind it; github, gitlab and gitea are, as in forgejo=gitea`,
			`PRIMUM_FORGES: the key "Plant" cannot stand in an address; take 2 to 32 small letters, digits and dashes, as in forgejo=gitea`,
			`PRIMUM_FORGES: the key "public" would make PRIMUM_PUBLIC_URL mean two things; take another key`,
			`PRIMUM_PLANT_TOKEN: is missing; set it to a token of the account Primum writes as, or PRIMUM_PLANT_TOKEN_FILE to the path of a file that holds it`,
			`PRIMUM_PLANT_URL: is missing; set it to https://git.acme.example`,
			`PRIMUM_PLANT_WEBHOOK_SECRET: is missing; set it to a long random text, the same as in the webhook's settings, or PRIMUM_PLANT_WEBHOOK_SECRET_FILE to the path of a file that holds it`,
		}},
		{"an unknown way", []string{"PRIMUM_GITLAB_TOKEN=x", "PRIMUM_GITLAB_WEBHOOK_SECRET=" + secret, "PRIMUM_GITLAB_WAY=force"}, []string{
			`PRIMUM_GITLAB_WAY: "force" is no way to block; take external status check, pipeline job, approval rule, commit status`,
		}},
		{"a forge reached wrongly", gitea("GITEA", "PRIMUM_GITEA_URL=https://mara:hunter2@git.example", "PRIMUM_GITEA_PROXY=hunter2", "PRIMUM_GITEA_TIMEOUT=-1s", "PRIMUM_ONLY=gitea:acme/x/y,plant:acme"), []string{
			`PRIMUM_GITEA_PROXY: is no address of a proxy; something like http://proxy.example:3128 is, or none`,
			`PRIMUM_GITEA_TIMEOUT: is negative; take something like 10s`,
			`PRIMUM_GITEA_URL: is no address; something like https://git.acme.example is`,
			`PRIMUM_ONLY: "gitea:acme/x/y" is neither an owner nor owner/name; something like acme,acme-labs/pump is right`,
			`PRIMUM_ONLY: "plant:acme" names a forge "plant" that is not served; put the key of one in front, or nothing`,
		}},
		{"much set wrongly", []string{
			"PRIMUM_GITHUB_APP_ID=my app", "PRIMUM_GITHUB_PRIVATE_KEY=hunter2", "PRIMUM_GITHUB_WEBHOOK_SECRET=hunter2", "PRIMUM_PAGES_KEY=hunter2",
			"PRIMUM_LISTEN=8080", "PRIMUM_PUBLIC_URL=primum.example", "PRIMUM_CONCURRENCY=0", "PRIMUM_SETTLE=1", "PRIMUM_SWEEP_INTERVAL=-1m", "PRIMUM_WATCH_INTERVAL=-1s",
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
			`PRIMUM_WATCH_INTERVAL: is negative; take 0 or more`,
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
	if got.Forges[0].GitHub.PrivateKey != key || len(got.Forges[0].GitHub.WebhookSecrets) != 1 || got.Forges[0].GitHub.WebhookSecrets[0] != secret {
		t.Errorf("read %+v", got.Forges[0].GitHub)
	}
	if want := "sqlite:/var/lib/primum/primum.db"; got.DatabaseURL != want {
		t.Errorf("the database is %s, want %s", got.DatabaseURL, want)
	}
}

func TestAWrongFileIsNamedByItsOwnVariable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key.txt")
	if err := os.WriteFile(file, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load([]string{
		"PRIMUM_GITHUB_APP_ID=42", "PRIMUM_GITHUB_PRIVATE_KEY_FILE=" + file, "PRIMUM_GITHUB_WEBHOOK_SECRET_FILE=" + file, "PRIMUM_PAGES_KEY_FILE=" + file,
	})
	want := []string{
		"PRIMUM_GITHUB_PRIVATE_KEY_FILE: the file holds no private key in PEM form; name the .pem file downloaded from the app's settings",
		"PRIMUM_GITHUB_WEBHOOK_SECRET_FILE: a secret of 7 characters is too short; take at least 16 random ones",
		"PRIMUM_PAGES_KEY_FILE: a key of 7 characters is too short; take at least 16 random ones",
	}
	if err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("got %v", err)
	}
}

func TestSeveralForgesAtATime(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("glpat-from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := enough(gitea("FORGEJO",
		"PRIMUM_FORGES=github, forgejo=gitea,plant-2=gitlab", "PRIMUM_PUBLIC_URL=https://p.example",
		"PRIMUM_GITLAB_TOKEN_FILE="+file, "PRIMUM_GITLAB_SIGNING_TOKEN=whsec_0123456789abcdef",
		"PRIMUM_PLANT_2_URL=https://host/gitlab/", "PRIMUM_PLANT_2_TOKEN= glpat-2 ", "PRIMUM_PLANT_2_WEBHOOK_SECRET="+secret+","+secret+"2",
		"PRIMUM_PLANT_2_WAY=pipeline-job", "PRIMUM_PLANT_2_PROXY=none", "PRIMUM_GITEA_PORT=tcp://10.0.0.1:80", "PRIMUM_ONLY=acme/devices/pump,gitlab:labs")...)
	got, err := config.Load(env)
	if err != nil {
		t.Fatal(err)
	}
	reach := config.Reach{Timeout: 10 * time.Second}
	want := []config.Instance{
		{Key: "github", Kind: config.KindGitHub, GitHub: &config.GitHub{
			AppID: 42, PrivateKey: key, WebhookSecrets: []string{secret}, WebURL: "https://github.com", Reach: reach,
		}},
		{Key: "gitlab", Kind: config.KindGitLab, GitLab: &config.GitLab{
			URL: "https://gitlab.com", Token: "glpat-from-a-file", SigningTokens: []string{"whsec_0123456789abcdef"}, Reach: reach,
		}},
		{Key: "forgejo", Kind: config.KindGitea, Gitea: &config.Gitea{
			URL: "https://forgejo.example", Token: "0123456789abcdef", WebhookSecrets: []string{secret}, Reach: reach,
		}},
		{Key: "plant-2", Kind: config.KindGitLab, GitLab: &config.GitLab{
			URL: "https://host/gitlab", Token: "glpat-2", WebhookSecrets: []string{secret, secret + "2"}, Way: "pipeline job",
			Reach: config.Reach{Proxy: config.NoProxy, Timeout: 10 * time.Second},
		}},
	}
	if diff := cmp.Diff(want, got.Forges); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got.Warnings) > 0 {
		t.Errorf("warnings: %v", got.Warnings)
	}
	if got.Forges[3].Reach().Proxy != config.NoProxy {
		t.Errorf("reached by %+v", got.Forges[3].Reach())
	}
}

func TestKeyOnOneLineIsUnderstood(t *testing.T) {
	t.Parallel()
	got, err := config.Load([]string{
		"PRIMUM_GITHUB_APP_ID=42", "PRIMUM_GITHUB_PRIVATE_KEY=" + strings.ReplaceAll(key, "\n", `\n`), "PRIMUM_GITHUB_WEBHOOK_SECRET=" + secret,
	})
	if err != nil || got.Forges[0].GitHub.PrivateKey != key {
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
	some := config.Config{Only: []string{"acme", "labs/pump", "group/devices", "Group/tools/rig", "gitea:only/here"}}
	all := config.Config{}
	for _, tt := range []struct {
		forge, owner, name string
		want               bool
	}{
		{"github", "acme", "x", true},
		{"github", "ACME", "x", true},
		{"github", "acme2", "x", false},
		{"gitlab", "acme/devices", "x", true},
		{"github", "labs", "Pump", true},
		{"github", "labs", "x", false},
		{"github", "labs", "", true},
		{"gitlab", "labs/pump", "x", true},
		{"github", "other", "pump", false},
		{"github", "other", "", false},
		{"gitlab", "group/devices", "x", true},
		{"gitlab", "group/devices/firmware", "x", true},
		{"gitlab", "group/devices2", "x", false},
		{"gitlab", "group", "devices", true},
		{"gitlab", "group", "x", false},
		{"gitlab", "group", "", true},
		{"gitlab", "group/tools", "rig", true},
		{"gitlab", "group/tools", "rig2", false},
		{"gitlab", "group/tools", "", true},
		{"gitea", "only", "here", true},
		{"github", "only", "here", false},
		{"gitea", "only", "", true},
		{"gitea", "only", "there", false},
	} {
		if got := some.Serves(tt.forge, tt.owner, tt.name); got != tt.want {
			t.Errorf("%s: %s/%s served is %v, want %v", tt.forge, tt.owner, tt.name, got, tt.want)
		}
		if !all.Serves(tt.forge, tt.owner, tt.name) {
			t.Errorf("%s: %s/%s is not served without a list", tt.forge, tt.owner, tt.name)
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
