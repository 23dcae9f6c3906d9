package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"primum/bot"
	"primum/bot/clock"
	"primum/bot/config"
	"primum/bot/store"
	"primum/forges"
	"primum/forges/gitea"
	"primum/forges/sim/simtest"
)

const adminToken = "aaaabbbbccccddddeeeeffff0000111122223333" // of alex, opens the simulated forge only

// clinic is a simulated Gitea, a running service, and the settings of both.
type clinic struct {
	*simtest.GiteaRig
	public  string
	environ []string
	dir     string
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	c := &clinic{dir: t.TempDir(), GiteaRig: simtest.NewGitea(t, simtest.GiteaOptions{Writer: true, Unchecked: true, Now: clock.System{}.Now})}
	c.Face.AddToken(adminToken, "alex", "write:repository", "write:issue", "write:organization", "write:user", "write:misc")
	var handler atomic.Pointer[http.Handler]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	c.public = server.URL
	db := "sqlite:" + filepath.Join(c.dir, "primum.db")
	log := slog.New(slog.DiscardHandler)
	c.environ = []string{
		"PRIMUM_PUBLIC_URL=" + server.URL, "PRIMUM_DATABASE_URL=" + db, "PRIMUM_GITEA_URL=" + c.Server.URL,
		"PRIMUM_GITEA_TOKEN=" + simtest.BotToken, "PRIMUM_GITEA_WEBHOOK_SECRET=" + simtest.Secret, "PRIMUM_ONLY=acme/pump",
	}
	settings, err := config.Load(c.environ)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), db, clock.System{}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	meter := bot.NewMeter()
	served, err := openForges(settings, log, meter)
	if err != nil {
		t.Fatal(err)
	}
	a, err := access(settings)
	if err != nil {
		t.Fatal(err)
	}
	service, err := bot.New(serviceOptions(settings, s, served, a, meter, log, "test"))
	if err != nil {
		t.Fatal(err)
	}
	h := service.Handler()
	handler.Store(&h)
	steps, err := gitea.Setup(t.Context(), gitea.SetupConfig{
		URL: c.Server.URL, Token: adminToken, BotToken: simtest.BotToken, Strict: true, Now: clock.System{}.Now, Principals: rolesIn,
	}, forges.Wanted{HookURL: server.URL + "/hooks/gitea", Secret: simtest.Secret, Repos: []string{"acme/pump"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if step.Do != nil && !step.Done {
			if err := step.Do(t.Context()); err != nil {
				t.Fatalf("%s: %v", step.Says, err)
			}
		}
	}
	return c
}

// examine runs doctor with settings put over those of the clinic.
func (c *clinic) examine(t *testing.T, args doctor, over ...string) (code int, out string, found []finding) {
	t.Helper()
	s, text, errs := buffers("", false)
	args.io, args.json = s, !args.quiet
	err := args.run(t.Context(), append(slices.Clone(c.environ), over...))
	code = exitCode(s, newDoctor(s), err)
	if !args.json {
		return code, text.String() + errs.String(), nil
	}
	var result struct {
		Findings []finding `json:"findings"`
	}
	if text.Len() > 0 {
		if err := json.Unmarshal(text.Bytes(), &result); err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
	}
	return code, text.String() + errs.String(), result.Findings
}

// A service that was set up is found well, the test delivery comes, and each
// planted fault is found with a cure and told by the exit status.
func TestDoctorLooksAtTheWhole(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	token := filepath.Join(c.dir, "admin.token")
	if err := os.WriteFile(token, []byte(adminToken), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, found := c.examine(t, doctor{adminTokenFile: token})
	if code != exitCompliant {
		t.Fatalf("ended with %d:\n%s", code, out)
	}
	for _, want := range []string{"database", "public address", "signed delivery", "wrong signature", "required check on main of acme/pump", "webhook of acme/pump"} {
		if !slices.ContainsFunc(found, func(f finding) bool { return f.Topic == want && f.Level == forges.Good }) {
			t.Errorf("%s is not found well in %s", want, out)
		}
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	t.Cleanup(stranger.Close)
	for _, tt := range []struct{ name, over, topic, says string }{
		{"another secret", "PRIMUM_GITEA_WEBHOOK_SECRET=quite-another-secret", "signed delivery", "has another secret"},
		{"nothing listens", "PRIMUM_PUBLIC_URL=" + gone.URL, "public address", "nothing listens at"},
		{"not Primum", "PRIMUM_PUBLIC_URL=" + stranger.URL, "wrong signature", "does not check signatures"},
		{"no folder", "PRIMUM_DATABASE_URL=sqlite:/nowhere/at/all/primum.db", "database", "cannot be written to"},
		{"no database", "PRIMUM_DATABASE_URL=postgres://primum@127.0.0.1:1/primum?connect_timeout=1", "database", "open database"},
		{"token", "PRIMUM_GITEA_TOKEN=0000000000000000000000000000000000000000", "token", "does not accept the token"},
		{"forge that is gone", "PRIMUM_GITEA_URL=" + gone.URL, "address", "nothing listens at"},
	} {
		code, out, found := c.examine(t, doctor{}, tt.over)
		if code != exitFindings || !slices.ContainsFunc(found, func(f finding) bool {
			return f.Topic == tt.topic && f.Level == forges.Bad && strings.Contains(f.Says, tt.says) && f.Cure != ""
		}) {
			t.Errorf("%s: ended with %d, and nothing bad with a cure says %q of %s:\n%s", tt.name, code, tt.says, tt.topic, out)
		}
	}
}

// A webhook with another secret than the service has is seen by what was turned
// away, whatever doctor's own deliveries come to.
func TestDoctorCountsWhatWasRefused(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	refused := func() bool {
		_, _, found := c.examine(t, doctor{})
		return slices.ContainsFunc(found, func(f finding) bool {
			return f.Topic == "refused deliveries" && f.Level == forges.Odd && f.Cure != ""
		})
	}
	for range 3 { // its own wrong deliveries do not add up to a finding
		if refused() {
			t.Fatal("something is said to have been refused")
		}
	}
	header, body := gitea.Ping("a secret of somebody else", "from-the-forge")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.public+"/hooks/gitea", bytes.NewReader(body))
	r.RequestURI, r.Header = "", header
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusUnauthorized {
		t.Fatalf("answered %d, %v", answer.StatusCode, err)
	}
	if !refused() {
		t.Error("what was refused is not said")
	}
}

// For monitoring: quiet when all is well, and only what is bad when not.
func TestDoctorIsQuiet(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	if code, out, _ := c.examine(t, doctor{quiet: true}); code != exitCompliant || out != "" {
		t.Errorf("ended with %d and said %q", code, out)
	}
	code, out, _ := c.examine(t, doctor{quiet: true}, "PRIMUM_GITEA_WEBHOOK_SECRET=quite-another-secret")
	if code != exitFindings || !strings.Contains(out, "bad") || strings.Contains(out, "  ok ") || strings.Contains(out, "warn") {
		t.Errorf("ended with %d and said %q", code, out)
	}
}

func TestDoctorRefusesWrongTyping(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--json", "--quiet"}, "do not go together"},
		{[]string{"--env-file", "/nowhere/primum.env"}, "--env-file: stat /nowhere/primum.env"},
		{[]string{"now"}, `unexpected argument "now"`},
	} {
		s, _, errs := buffers("", false)
		if code := run(t.Context(), s, append([]string{"doctor"}, tt.args...)); code != exitUsage || !strings.Contains(errs.String(), tt.want) {
			t.Errorf("%q ended with %d: %s", tt.args, code, errs)
		}
	}
	c := newClinic(t)
	for _, tt := range []struct{ file, want string }{{"forgejo=x", `"forgejo" is no forge of the settings; gitea are`}, {"/nowhere", "cannot be read"}} {
		if code, out, _ := c.examine(t, doctor{adminTokenFile: tt.file}); code != exitUsage || !strings.Contains(out, tt.want) {
			t.Errorf("--admin-token-file %s ended with %d: %s", tt.file, code, out)
		}
	}
	if code, out, _ := c.examine(t, doctor{}, "PRIMUM_GITEA_URL=git.example"); code != exitUsage || !strings.Contains(out, "PRIMUM_GITEA_URL") {
		t.Errorf("broken settings ended with %d: %s", code, out)
	}
}
