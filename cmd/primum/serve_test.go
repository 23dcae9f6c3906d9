package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"primum/bot"
	"primum/bot/config"
	"primum/forges/sim/simtest"
)

func TestEveryForgeOfTheSettingsIsServed(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a-webhook-secret-for-tests"
	c, err := config.Load([]string{
		"PRIMUM_PUBLIC_URL=https://primum.example", "PRIMUM_FORGES=forgejo=gitea,plant=gitlab",
		"PRIMUM_GITHUB_APP_ID=42", "PRIMUM_GITHUB_PRIVATE_KEY=" + string(simtest.PEM(key)), "PRIMUM_GITHUB_WEBHOOK_SECRET=" + secret,
		"PRIMUM_GITLAB_TOKEN=glpat-for-a-test-only", "PRIMUM_GITLAB_WEBHOOK_SECRET=" + secret, "PRIMUM_GITLAB_PROXY=none",
		"PRIMUM_PLANT_URL=https://host.example/gitlab", "PRIMUM_PLANT_TOKEN=glpat-for-a-test-only", "PRIMUM_PLANT_WEBHOOK_SECRET=" + secret,
		"PRIMUM_GITEA_URL=https://git.example", "PRIMUM_GITEA_TOKEN=0123456789abcdef", "PRIMUM_GITEA_WEBHOOK_SECRET=" + secret,
		"PRIMUM_FORGEJO_URL=https://host.example/forgejo", "PRIMUM_FORGEJO_TOKEN=0123456789abcdef", "PRIMUM_FORGEJO_WEBHOOK_SECRET=" + secret,
	})
	if err != nil {
		t.Fatal(err)
	}
	served, err := openForges(c, slog.New(slog.DiscardHandler), bot.NewMeter())
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, f := range served {
		keys = append(keys, f.Key()+" "+f.Capabilities().Product)
	}
	want := []string{"github GitHub", "gitlab GitLab", "gitea Gitea", "forgejo Gitea", "plant GitLab"} // which of Gitea and Forgejo, it is asked later
	if !slices.Equal(keys, want) {
		t.Errorf("got %v, want %v", keys, want)
	}
	told := map[string]string{}
	for _, f := range served {
		for _, a := range about(f, c.PublicURL) {
			told[f.Key()+" "+a.Key] = a.Value.String()
		}
	}
	for what, want := range map[string]string{
		"github product": "GitHub", "plant product": "GitLab", "gitea product": "", "forgejo product": "",
		"forgejo webhooks": "https://primum.example/hooks/forgejo",
	} {
		if told[what] != want {
			t.Errorf("of %s the log says %q, want %q", what, told[what], want)
		}
	}
	for i := range c.Forges {
		if g := c.Forges[i].GitLab; g != nil {
			for _, way := range config.Ways() {
				g.Way = way
				if _, err := openForge(c.Forges[i], slog.New(slog.DiscardHandler), nil); err != nil {
					t.Errorf("the way %q is not taken: %v", way, err)
				}
			}
		}
		switch in := &c.Forges[i]; in.Kind {
		case config.KindGitHub:
			in.GitHub.CAFile = "/none/ca.pem"
		case config.KindGitLab:
			in.GitLab.CAFile = "/none/ca.pem"
		case config.KindGitea:
			in.Gitea.CAFile = "/none/ca.pem"
		}
	}
	_, err = openForges(c, slog.New(slog.DiscardHandler), bot.NewMeter())
	for _, key := range []string{"github", "gitlab", "gitea", "forgejo", "plant"} {
		if err == nil || !strings.Contains(err.Error(), "forge "+key+": PRIMUM_"+strings.ToUpper(key)+"_CA_FILE: ") {
			t.Errorf("the error does not name %s: %v", key, err)
		}
	}
}

// The login is reached by the same authorities as the API.
func TestTheLoginTrustsTheForgesAuthority(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	s.Config.ErrorLog = log.New(t.Output(), "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, ca := range []string{file, ""} {
		a, err := access(&config.Config{PagesKey: "k", Forges: []config.Instance{
			{Key: "gitea", Kind: config.KindGitea, Gitea: &config.Gitea{}},
			{Key: "corp", Kind: config.KindGitHub, GitHub: &config.GitHub{ClientID: "id", ClientSecret: "s", APIURL: s.URL + "/api/v3", WebURL: s.URL, Reach: config.Reach{CAFile: ca}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if a.Key != "k" || a.GitHub == nil || a.GitHub.Forge != "corp" {
			t.Fatalf("got %+v", a)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := a.GitHub.Client.Do(r)
		if (err == nil) != (ca != "") {
			t.Errorf("authority %q: %v", ca, err)
		}
		if err == nil {
			_ = answer.Body.Close()
		}
	}
	if a, err := access(&config.Config{}); err != nil || a.GitHub != nil {
		t.Errorf("got %+v, %v", a, err)
	}
}
