package github_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"primum/forges"
	"primum/forges/admin"
	"primum/forges/github"
	"primum/forges/sim/simtest"
)

// appAnswers are what a GitHub answers of an app that was set up well.
func appAnswers() map[string]string {
	raw, _ := github.Manifest("Primum", "https://primum.example", "https://primum.example/hooks/github", "https://primum.example/") // of constants
	var m struct {
		Permissions json.RawMessage `json:"default_permissions"`
		Events      json.RawMessage `json:"default_events"`
	}
	_ = json.Unmarshal(raw, &m)
	rights := `"permissions":` + string(m.Permissions)
	return map[string]string{
		"GET /app":                                  `{"id":1,"slug":"primum","name":"Primum","html_url":"https://github.example/apps/primum","events":` + string(m.Events) + `,` + rights + `}`,
		"GET /app/hook/config":                      `{"url":"https://primum.example/hooks/github","content_type":"json","insecure_ssl":"0"}`,
		"GET /app/hook/deliveries":                  `[{"id":9,"event":"push","delivered_at":"2026-01-05T09:00:00Z","status":"OK","status_code":202}]`,
		"GET /app/installations":                    `[{"id":5,"account":{"login":"acme"},"html_url":"https://github.example/i/5",` + rights + `}]`,
		"POST /app/installations/5/access_tokens":   `{"token":"ghs_forTheInstallationOnly","expires_at":"2099-01-01T00:00:00Z"}`,
		"GET /installation/repositories":            `{"repositories":[{"full_name":"acme/pump","default_branch":"main"}]}`,
		"GET /repos/acme/pump/contents/.primum.yml": `{"content":"` + base64.StdEncoding.EncodeToString([]byte("version: 1\n")) + `"}`,
		"GET /repos/acme/pump/branches/main":        `{"protection":{"enabled":true,"required_status_checks":{"enforcement_level":"everyone","checks":[{"context":"primum","app_id":1}]}}}`,
		"GET /repos/acme/pump/rules/branches/main":  `[]`,
		"GET /orgs/acme/teams/firmware/members":     `[]`,
	}
}

// doctor finds each fault that is planted, and none in what is well.
func TestDoctorFindsEachFault(t *testing.T) {
	t.Parallel()
	rig := simtest.New(t, simtest.Options{Unchecked: true}) // for its key
	for _, tt := range []struct {
		name, path, answer string // an empty answer is a 404
		level              forges.Level
		want               string
	}{
		{name: "nothing", level: forges.Good},
		{"app that is gone", "GET /app", "", forges.Bad, "correct the number of the app"},
		{"events", "GET /app", `{"id":1,"name":"Primum","events":["push"],"permissions":{}}`, forges.Bad, "it is not told of check_run"},
		{"permissions", "GET /app", `{"id":1,"name":"Primum","events":[],"permissions":{"metadata":"read"}}`, forges.Bad, "missing: checks (write), contents (read)"},
		{"address of the webhook", "GET /app/hook/config", `{"url":"https://old.example/hooks/github","content_type":"json"}`, forges.Bad, "sends to https://old.example/hooks/github"},
		{"deliveries that fail", "GET /app/hook/deliveries", `[{"id":9,"event":"push","status":"Invalid HTTP Response: 401","status_code":401}]`, forges.Bad, "was answered 401"},
		{"no installation", "GET /app/installations", `[]`, forges.Bad, "the app is installed nowhere"},
		{"suspended", "GET /app/installations", `[{"id":5,"account":{"login":"acme"},"suspended_at":"2026-01-01T00:00:00Z"}]`, forges.Bad, "it is suspended"},
		{"rights not accepted", "GET /app/installations", `[{"id":5,"account":{"login":"acme"},"permissions":{"metadata":"read"}}]`, forges.Bad, "accept the new permissions"},
		{"not required", "GET /repos/acme/pump/branches/main", `{"protection":{"enabled":false}}`, forges.Bad, "primum is not required"},
		{
			"not pinned", "GET /repos/acme/pump/branches/main",
			`{"protection":{"enabled":true,"required_status_checks":{"enforcement_level":"everyone","checks":[{"context":"primum","app_id":null}]}}}`, forges.Bad, "from anybody",
		},
		{
			"administrators", "GET /repos/acme/pump/branches/main",
			`{"protection":{"enabled":true,"required_status_checks":{"enforcement_level":"non_admins","checks":[{"context":"primum","app_id":1}]}}}`, forges.Odd, "administrators may merge past it",
		},
		{"a team that is not there", "GET /orgs/acme/teams/firmware/members", "", forges.Bad, "make the team or correct people"},
		{"no policy", "GET /repos/acme/pump/contents/.primum.yml", "", forges.Odd, "nothing is judged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answers := maps.Clone(appAnswers())
			if tt.path != "" {
				answers[tt.path] = tt.answer
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Date", simtest.NewClock().Now().Format(http.TimeFormat))
				answer := answers[r.Method+" "+r.URL.Path]
				switch {
				case answer == "":
					w.WriteHeader(http.StatusNotFound)
					answer = `{"message":"Not Found"}`
				case r.Method == http.MethodPost:
					w.WriteHeader(http.StatusCreated)
				}
				_, _ = w.Write([]byte(answer))
			}))
			t.Cleanup(server.Close)
			found := github.Examine(t.Context(), github.Config{
				AppID: 1, PrivateKey: simtest.PEM(rig.Key), Secrets: []string{simtest.Secret}, BaseURL: server.URL,
				Now: simtest.NewClock().Now, Wait: func(int) time.Duration { return 0 },
			}, forges.Wanted{HookURL: "https://primum.example/hooks/github", Repos: []string{"acme/pump"}},
				admin.Look{Principals: func([]byte) []string { return []string{"team:firmware", "user:mara"} }})
			if tt.want == "" {
				for _, f := range found {
					if f.Level != forges.Good {
						t.Errorf("%s %s: %s", f.Level, f.Topic, f.Says)
					}
				}
				return
			}
			if !slices.ContainsFunc(found, func(f forges.Finding) bool {
				return f.Level == tt.level && strings.Contains(f.Says+"; "+f.Cure, tt.want) && f.Cure != ""
			}) {
				t.Errorf("no %s finding with a cure says %q in %+v", tt.level, tt.want, found)
			}
		})
	}
}

// What doctor sends is accepted by the adapter, and leads to nothing.
func TestPingIsProvenAndLeadsNowhere(t *testing.T) {
	t.Parallel()
	rig := simtest.New(t, simtest.Options{Unchecked: true})
	h, body := github.Ping(simtest.Secret, "doctor-1")
	d, err := rig.GitHub.Verify(h, body)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	if e, err := rig.GitHub.Decode(d); err != nil || e.Kind != forges.Ignored {
		t.Errorf("decoded to %+v, %v", e, err)
	}
	h, body = github.Ping("another secret of length", "doctor-1")
	if _, err := rig.GitHub.Verify(h, body); err == nil {
		t.Error("a wrong secret was accepted")
	}
}
