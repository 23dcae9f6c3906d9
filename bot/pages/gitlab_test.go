package pages

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"primum/bot/report/reporttest"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
)

// groups is a store with one change of a project in a group within a group.
func groups(t *testing.T, private bool) (*memory, store.Key) {
	t.Helper()
	m := &memory{acts: map[store.Key][]store.Act{}}
	m.repos = append(m.repos, store.RepoRow{Forge: "gitlab", ID: "5", Owner: "acme/devices", Name: "pump", Private: private})
	v := reporttest.Actions()
	v.Subject.Sign = "!"
	v.Notes = []rules.Note{{Kind: rules.ForgedVerdict, By: "sam", Text: "`sam` set `primum` on this commit to success; that is not Primum's verdict and counts for nothing"}}
	k := m.judged(t, m.repos[0], 4, 0, v)
	posted, err := json.Marshal(forges.Posted{ID: "1", Way: "external status check"})
	if err != nil {
		t.Fatal(err)
	}
	m.open[0].Memory = store.Memory{Posted: posted, Notes: map[string]string{"fight_until": "2026-03-02T11:00:00Z"}}
	return m, k
}

// A project of a group within a group has its pages, and they speak its forge's words.
func TestPagesOfAGroupWithinAGroup(t *testing.T) {
	t.Parallel()
	m, k := groups(t, false)
	p, server := serve(t, Options{Store: m, Forges: map[string]forges.Forge{"gitlab": &gate{sign: "!"}}})
	address, err := p.ChangeURL(t.Context(), k, "acme/devices", "pump", false)
	if err != nil || !strings.HasSuffix(address, "/c/gitlab/acme/devices/pump/4") {
		t.Fatalf("address %q, error %v", address, err)
	}
	v := visit(t, server)
	for path, want := range map[string][]string{
		"/c/gitlab/acme/devices/pump/4": {
			"acme/devices/pump !4", "On GitLab this verdict holds the merge request by: external status check", "<code>sam</code> set <code>primum</code>",
			"once a minute now, next at 2026-03-02 11:00:00 UTC",
		},
		"/c/gitlab/acme/devices/pump/4/v/1":              {"acme/devices/pump !4"},
		"/c/gitlab/acme/devices/pump/4.json":             {`"schema":"primum.verdict/v1"`, `"notes":[`},
		"/c/gitlab/acme/devices/pump/4/v/1.json":         {`"schema":"primum.verdict/v1"`},
		"/v/1":                                           {"acme/devices/pump !4"},
		"/?repo=" + url.QueryEscape("acme/devices/pump"): {"acme/devices/pump !4", `href="/c/gitlab/acme/devices/pump/4"`},
		"/?q=pump+!4":                                    {"acme/devices/pump !4"},
	} {
		res, body := v.get(path)
		for _, text := range want {
			if res.StatusCode != http.StatusOK || !strings.Contains(body, text) {
				t.Errorf("%s: %d, lacks %q", path, res.StatusCode, text)
			}
		}
	}
	for _, path := range []string{"/c/gitlab/pump/4", "/c/gitlab/acme//pump/4", "/c/gitlab/acme/devices/4", "/c/gitlab/acme/devices/pump/x", "/c/gitlab/acme/devices/pump/4/v"} {
		if res, _ := v.get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, res.StatusCode)
		}
	}
}

// The key in the details link of a private project opens its pages and no other's.
func TestTheKeyOfAPrivateProjectInAGroup(t *testing.T) {
	t.Parallel()
	m, k := groups(t, true)
	p, server := serve(t, Options{Store: m, Forges: map[string]forges.Forge{"gitlab": &gate{sign: "!"}}, Access: Access{Secret: secret}})
	address, err := p.ChangeURL(t.Context(), k, "acme/devices", "pump", true)
	if err != nil {
		t.Fatal(err)
	}
	stranger := visit(t, server)
	if res, _ := stranger.get("/c/gitlab/acme/devices/pump/4"); res.StatusCode != http.StatusNotFound {
		t.Errorf("without the key: %d", res.StatusCode)
	}
	guest := visit(t, server)
	if res, body := guest.get(strings.TrimPrefix(address, server.URL)); res.StatusCode != http.StatusOK || !strings.Contains(body, "acme/devices/pump !4") {
		t.Errorf("with the key: %d", res.StatusCode)
	}
	if res, _ := guest.get("/c/gitlab/acme/devices/pump/4.json"); res.StatusCode != http.StatusOK {
		t.Errorf("with the key's cookie: %d", res.StatusCode)
	}
}
