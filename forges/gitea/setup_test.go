package gitea_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"primum/forges"
	"primum/forges/admin"
	"primum/forges/gitea"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/simtest"
)

const (
	hookURL = "https://primum.example/hooks/gitea"
	ownerOf = "aaaabbbbccccddddeeeeffff0000111122223333" // alex, who owns acme
	siteOf  = "bbbbccccddddeeeeffff00001111222233334444" // root, who administers the site
)

// world is a forge without webhooks and protection, and the settings that were kept.
type world struct {
	*simtest.GiteaRig
	kept  map[string]string
	wrote int // calls that were no reading
}

func newWorld(t *testing.T, product string) *world {
	t.Helper()
	w := &world{kept: map[string]string{}}
	w.GiteaRig = simtest.NewGitea(t, simtest.GiteaOptions{Product: product, Writer: true, Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				w.wrote++
			}
			h.ServeHTTP(rw, r)
		})
	}})
	w.Forge.AddUser("root", "Root")
	w.Forge.MakeSiteAdmin("root")
	all := []string{"write:repository", "write:issue", "write:organization", "write:user", "write:admin", "write:misc"}
	w.Face.AddToken(ownerOf, "alex", all...)
	w.Face.AddToken(siteOf, "root", all...)
	return w
}

func (w *world) config(token string) gitea.SetupConfig {
	return gitea.SetupConfig{
		URL: w.Server.URL, Token: token, Bot: "primum", Fresh: w.kept["WEBHOOK_SECRET"] == "", NewToken: w.kept["TOKEN"] == "" && token == siteOf,
		BotToken: w.kept["TOKEN"], Keep: func(k, v string) error { w.kept[k] = v; return nil }, Now: w.Clock.Now,
	}
}

func wanted() forges.Wanted {
	return forges.Wanted{HookURL: hookURL, Secret: "a-secret-for-the-tests", Check: "primum", Owners: []string{"acme"}, Repos: []string{"acme/pump"}}
}

// todo are the words of the steps that are not done; byHand of those left to people.
func todo(steps []forges.Step) (todo, byHand []string) {
	for _, s := range steps {
		switch {
		case s.Done:
		case s.Do == nil:
			byHand = append(byHand, s.Says)
		default:
			todo = append(todo, s.Says)
		}
	}
	return todo, byHand
}

func carryOut(t *testing.T, steps []forges.Step) {
	t.Helper()
	for _, s := range steps {
		if s.Do == nil || s.Done {
			continue
		}
		if err := s.Do(t.Context()); err != nil {
			t.Errorf("%s: %v", s.Says, err)
		}
	}
}

func setup(t *testing.T, c gitea.SetupConfig, w forges.Wanted) []forges.Step {
	t.Helper()
	steps, err := gitea.Setup(t.Context(), c, w)
	if err != nil {
		t.Fatalf("set up: %v", err)
	}
	return steps
}

// From nothing to a forge that blocks, on both products; reading changes
// nothing, and the second run finds all of it done.
func TestSecondSetupDoesNothing(t *testing.T) {
	t.Parallel()
	for _, product := range []string{giteaface.Gitea, giteaface.Forgejo} {
		t.Run(product, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, product)
			c := w.config(siteOf)
			c.Bot, c.Strict = "reviewer-of-changes", true
			steps := setup(t, c, wanted())
			if w.wrote != 0 {
				t.Errorf("finding out what to do wrote %d times", w.wrote)
			}
			doing, _ := todo(steps)
			for _, want := range []string{"make the account", "make a token", "make the team", "to the team primum", "add a webhook to acme", "keep its secret", "protect main"} {
				if !slices.ContainsFunc(doing, func(s string) bool { return strings.Contains(s, want) }) {
					t.Errorf("no step says %q: %q", want, doing)
				}
			}
			carryOut(t, steps)
			if w.kept["TOKEN"] == "" || w.kept["WEBHOOK_SECRET"] != wanted().Secret {
				t.Errorf("kept %v", w.kept)
			}
			c = w.config(siteOf)
			c.Bot, c.Strict = "reviewer-of-changes", true
			before := w.wrote
			if again, _ := todo(setup(t, c, wanted())); len(again) > 0 || w.wrote != before {
				t.Errorf("the second run would do %q and wrote %d times", again, w.wrote-before)
			}
		})
	}
}

// Whatever fails half-way, the next run completes.
func TestNextRunCompletesWhatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, giteaface.Gitea)
	steps := setup(t, w.config(siteOf), wanted())
	for range 20 {
		for _, s := range steps {
			if s.Do != nil && !s.Done { // one step, then the run breaks off
				if err := s.Do(t.Context()); err != nil {
					t.Fatalf("%s: %v", s.Says, err)
				}
				break
			}
		}
		steps = setup(t, w.config(siteOf), wanted())
	}
	if left, _ := todo(steps); len(left) > 0 {
		t.Errorf("left undone: %q", left)
	}
	if w.kept["WEBHOOK_SECRET"] == "" {
		t.Error("the secret was not kept")
	}
}

// A webhook whose secret nobody knows any more is made anew, since editing one
// changes no secret.
func TestUnknownSecretIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, giteaface.Gitea)
	carryOut(t, setup(t, w.config(siteOf), wanted()))
	delete(w.kept, "WEBHOOK_SECRET")
	c := w.config(siteOf)
	if again, _ := todo(setup(t, c, wanted())); len(again) > 0 {
		t.Errorf("without being asked to: %q", again)
	}
	c.NewSecret = true
	want := wanted()
	want.Secret = "another-secret-for-tests"
	carryOut(t, setup(t, c, want))
	if w.kept["WEBHOOK_SECRET"] != want.Secret {
		t.Errorf("kept %q", w.kept["WEBHOOK_SECRET"])
	}
	c.NewSecret = false
	if again, _ := todo(setup(t, c, want)); len(again) > 0 {
		t.Errorf("afterwards still to do: %q", again)
	}
}

// What others require stays required, and a list that binds nobody is not
// switched on.
func TestProtectionIsAddedTo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, there, want string }{
		{"another check", `{"rule_name":"main","enable_status_check":true,"status_check_contexts":["ci"]}`, `"status_check_contexts":["ci","primum"]`},
		{"every check", `{"rule_name":"main","enable_status_check":true,"status_check_contexts":[]}`, `"status_check_contexts":["*","primum"]`},
		{"a list that is off", `{"rule_name":"main","enable_status_check":false,"status_check_contexts":["old"]}`, `"status_check_contexts":["primum"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, giteaface.Gitea)
			w.call(t, http.MethodPost, "repos/acme/pump/branch_protections", tt.there)
			carryOut(t, setup(t, w.config(ownerOf), wanted()))
			if got := w.call(t, http.MethodGet, "repos/acme/pump/branch_protections", ""); !strings.Contains(strings.ReplaceAll(got, " ", ""), tt.want) {
				t.Errorf("the protection is %s, want %s", got, tt.want)
			}
		})
	}
}

// call makes a call as alex.
func (w *world) call(t *testing.T, method, path, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.Server.URL+"/api/v1/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "token "+ownerOf)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var b strings.Builder
	buf := make([]byte, 1<<20)
	for {
		n, err := answer.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	if answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, &b)
	}
	return b.String()
}

// What is missing is said with the way to get it.
func TestSetupSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, giteaface.Gitea)
	w.Face.AddToken("ccccddddeeeeffff000011112222333344445555", "alex", "read:repository")
	w.Face.AddToken("ddddeeeeffff0000111122223333444455556666", "mara", "write:repository", "write:organization", "read:user")
	gone := httptest.NewServer(nil)
	gone.Close()
	tls := httptest.NewTLSServer(w.Face)
	t.Cleanup(tls.Close)
	for _, tt := range []struct {
		name   string
		change func(*gitea.SetupConfig, *forges.Wanted)
		want   string
	}{
		{"a token that is none", func(c *gitea.SetupConfig, _ *forges.Wanted) { c.Token = "0000" }, "does not accept the token (401"},
		{"a scope", func(c *gitea.SetupConfig, _ *forges.Wanted) { c.Token = "ccccddddeeeeffff000011112222333344445555" }, "required=[read:user]"},
		{"no owner", func(c *gitea.SetupConfig, _ *forges.Wanted) { c.Token = "ddddeeeeffff0000111122223333444455556666" }, "mara is no owner of acme"},
		{"no administrator", func(c *gitea.SetupConfig, w *forges.Wanted) {
			c.Token, w.Owners = "ddddeeeeffff0000111122223333444455556666", nil
		}, "mara does not administer acme/pump"},
		{"the account's own token", func(c *gitea.SetupConfig, _ *forges.Wanted) { c.Token = simtest.BotToken }, "the account primum itself"},
		{"another organisation", func(_ *gitea.SetupConfig, w *forges.Wanted) { w.Owners, w.Repos = []string{"nobody"}, nil }, "correct --org"},
		{"another branch", func(_ *gitea.SetupConfig, w *forges.Wanted) { w.Branches = []string{"nowhere"} }, "correct --branch"},
		{"nothing listens", func(c *gitea.SetupConfig, _ *forges.Wanted) { c.URL = gone.URL }, "nothing listens at"},
		{"an authority", func(c *gitea.SetupConfig, _ *forges.Wanted) { c.URL = tls.URL }, "PEM file with --ca-file"},
		{"no TLS", func(c *gitea.SetupConfig, _ *forges.Wanted) {
			c.URL = strings.Replace(c.URL, "http:", "https:", 1)
		}, "does not speak TLS"},
	} {
		c, want := w.config(ownerOf), wanted()
		c.Wait = func(int) time.Duration { return 0 }
		tt.change(&c, &want)
		_, err := gitea.Setup(t.Context(), c, want)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// doctor finds each fault that is planted, and none in what setup made.
func TestDoctorFindsEachFault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		plant func(*testing.T, *world, *gitea.Config, *forges.Wanted)
		level forges.Level
		want  string
	}{
		{"nothing", nil, forges.Good, ""},
		{"token", func(_ *testing.T, _ *world, c *gitea.Config, _ *forges.Wanted) { c.Token = "0000" }, forges.Bad, "does not accept the token"},
		{"scope", func(_ *testing.T, w *world, c *gitea.Config, _ *forges.Wanted) {
			c.Token = "eeeeffff00001111222233334444555566667777"
			w.Face.AddToken(c.Token, "primum", "write:repository", "read:issue", "read:organization", "read:user")
		}, forges.Bad, "lacks the scope write:issue"},
		{"no protection", func(t *testing.T, w *world, _ *gitea.Config, _ *forges.Wanted) {
			w.call(t, http.MethodDelete, "repos/acme/pump/branch_protections/main", "")
		}, forges.Bad, "the branch is not protected"},
		{"another context", func(t *testing.T, w *world, _ *gitea.Config, _ *forges.Wanted) {
			w.call(t, http.MethodPatch, "repos/acme/pump/branch_protections/main", `{"status_check_contexts":["ci"]}`)
		}, forges.Bad, "asks for ci and not for primum"},
		{"checks switched off", func(t *testing.T, w *world, _ *gitea.Config, _ *forges.Wanted) {
			w.call(t, http.MethodPatch, "repos/acme/pump/branch_protections/main", `{"enable_status_check":false}`)
		}, forges.Bad, "does not ask for checks"},
		{"administrators let through", func(t *testing.T, w *world, _ *gitea.Config, _ *forges.Wanted) {
			w.call(t, http.MethodPatch, "repos/acme/pump/branch_protections/main", `{"block_admin_merge_override":false}`)
		}, forges.Odd, "administrators may merge past the check"},
		{"observed only", func(*testing.T, *world, *gitea.Config, *forges.Wanted) {}, forges.Bad, "which never comes: the policy observes only"},
		{"no webhook", func(_ *testing.T, _ *world, _ *gitea.Config, w *forges.Wanted) {
			w.HookURL = "https://elsewhere.example/hooks/gitea"
		}, forges.Bad, "sends to https://elsewhere.example/hooks/gitea"},
		{"webhook off", func(t *testing.T, w *world, _ *gitea.Config, _ *forges.Wanted) {
			w.editHook(t, `{"active":false,"events":["push"]}`)
		}, forges.Bad, "it is switched off; it is not told of"},
		{"private address", func(_ *testing.T, _ *world, _ *gitea.Config, want *forges.Wanted) {
			want.HookURL = "http://127.0.0.1:9/hooks/gitea"
		}, forges.Odd, "calls private addresses only"},
		{"repository that is not seen", func(_ *testing.T, _ *world, _ *gitea.Config, w *forges.Wanted) {
			w.Repos = []string{"acme/nowhere"}
		}, forges.Bad, "correct PRIMUM_ONLY"},
		{"a role without a team", func(_ *testing.T, _ *world, _ *gitea.Config, w *forges.Wanted) { w.Check = "primum" }, forges.Bad, "nobody holds that role"},
		{"wrong address", func(_ *testing.T, _ *world, c *gitea.Config, _ *forges.Wanted) { c.URL += "/elsewhere" }, forges.Bad, "PRIMUM_GITEA_URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, giteaface.Gitea)
			strict := w.config(siteOf)
			strict.Strict = true
			carryOut(t, setup(t, strict, wanted()))
			c := gitea.Config{Key: "gitea", URL: w.Server.URL, Token: simtest.BotToken, Secrets: []string{simtest.Secret}, Now: w.Clock.Now}
			want := forges.Wanted{HookURL: hookURL, Check: "primum", Repos: []string{"acme/pump"}}
			look := admin.Look{Admin: ownerOf, Principals: func([]byte) []string {
				if tt.name == "a role without a team" {
					return []string{"team:nobody"}
				}
				return []string{"user:mara"}
			}, Silent: func([]byte) bool { return tt.name == "observed only" }}
			if tt.plant != nil {
				tt.plant(t, w, &c, &want)
			}
			before := w.wrote
			found := gitea.Examine(t.Context(), c, want, look)
			if tt.want == "" {
				for _, f := range found {
					if f.Level != forges.Good && f.Topic != "clock" {
						t.Errorf("%s %s: %s", f.Level, f.Topic, f.Says)
					}
				}
				if wrote := w.wrote - before; wrote > 2 { // the two probes of the scopes
					t.Errorf("looking wrote %d times", wrote)
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

// editHook changes the webhook of acme.
func (w *world) editHook(t *testing.T, body string) {
	t.Helper()
	list := w.call(t, http.MethodGet, "orgs/acme/hooks", "")
	_, rest, _ := strings.Cut(list, `"id":`)
	id, _, _ := strings.Cut(strings.TrimSpace(rest), ",")
	w.call(t, http.MethodPatch, "orgs/acme/hooks/"+url.PathEscape(strings.TrimSpace(id)), body)
}

// What doctor sends is accepted by the adapter, and leads to nothing.
func TestPingIsProvenAndLeadsNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, giteaface.Gitea)
	h, body := gitea.Ping(simtest.Secret, "doctor-1")
	d, err := w.Gitea.Verify(h, body)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	if e, err := w.Gitea.Decode(d); err != nil || e.Kind != forges.Ignored {
		t.Errorf("decoded to %+v, %v", e, err)
	}
	h, body = gitea.Ping("another secret of length", "doctor-1")
	if _, err := w.Gitea.Verify(h, body); err == nil {
		t.Error("a wrong secret was accepted")
	}
}
