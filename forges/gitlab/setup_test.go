package gitlab_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"primum/forges"
	look "primum/forges/admin"
	"primum/forges/gitlab"
	"primum/forges/sim/gitlabface"
	"primum/forges/sim/simtest"
)

const (
	setupHook  = "https://primum.example/hooks/gitlab"
	ownerToken = "glpat-alexOwnsTheGroup0" // opens the simulated forge only
)

// setupWorld is a GitLab without webhooks, and the settings that were kept.
type setupWorld struct {
	*simtest.GitLabRig
	kept  map[string]string
	wrote int // calls that were no reading
}

func newSetupWorld(t *testing.T, tier string, change ...func(*simtest.GitLabOptions)) *setupWorld {
	t.Helper()
	w := &setupWorld{kept: map[string]string{}}
	o := simtest.GitLabOptions{Tier: tier, Face: func(o *gitlabface.Options) { o.OwnersAbove = true }, Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				w.wrote++
			}
			h.ServeHTTP(rw, r)
		})
	}}
	for _, fn := range change {
		fn(&o)
	}
	w.GitLabRig = simtest.NewGitLab(t, o)
	w.Face.AddToken(ownerToken, "alex", "api")
	return w
}

func (w *setupWorld) config() gitlab.SetupConfig {
	return gitlab.SetupConfig{
		URL: w.Server.URL, Token: ownerToken, BotToken: simtest.GitLabToken, Fresh: w.kept["WEBHOOK_SECRET"] == "",
		Keep: func(k, v string) error { w.kept[k] = v; return nil }, Now: w.Clock.Now, Wait: func(int) time.Duration { return 0 },
	}
}

func setupWanted() forges.Wanted {
	return forges.Wanted{HookURL: setupHook, Secret: "a-secret-for-the-tests", Check: "primum", Owners: []string{"acme"}, Repos: []string{"acme/pump"}}
}

func undone(steps []forges.Step) (todo, byHand []string) {
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

func mustSetup(t *testing.T, c gitlab.SetupConfig, w forges.Wanted) []forges.Step {
	t.Helper()
	steps, err := gitlab.Setup(t.Context(), c, w)
	if err != nil {
		t.Fatalf("set up: %v", err)
	}
	return steps
}

func doAll(t *testing.T, steps []forges.Step) {
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

// Every way on every tier that has it: reading changes nothing, the steps bring
// it about, and the second run finds all of it done.
func TestSetupOfEveryWay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tier, way string
		want      []string
	}{
		{gitlabface.Ultimate, "", []string{"a webhook to the group acme", "the status check primum", "before its status checks passed"}},
		{gitlabface.Ultimate, gitlab.WayStatus, []string{"a webhook to the group acme", "before its pipeline succeeded"}},
		{gitlabface.Premium, gitlab.WayApproval, []string{"a webhook to the group acme", "the approval rule Primum"}},
		{gitlabface.Free, gitlab.WayJob, []string{"a webhook to acme/pump", "before its pipeline succeeded"}},
		{gitlabface.Free, gitlab.WayStatus, []string{"a webhook to acme/pump", "before its pipeline succeeded"}},
	} {
		t.Run(tt.tier+" "+tt.way, func(t *testing.T) {
			t.Parallel()
			w := newSetupWorld(t, tt.tier)
			want := setupWanted()
			want.Way = tt.way
			steps := mustSetup(t, w.config(), want)
			if w.wrote != 0 {
				t.Errorf("finding out what to do wrote %d times", w.wrote)
			}
			todo, byHand := undone(steps)
			for _, says := range tt.want {
				if !slices.ContainsFunc(todo, func(s string) bool { return strings.Contains(s, says) }) {
					t.Errorf("no step says %q: %q", says, todo)
				}
			}
			if job := slices.ContainsFunc(byHand, func(s string) bool { return strings.Contains(s, "the job of Primum") }); job != (tt.way == gitlab.WayJob) {
				t.Errorf("left to a person: %q", byHand)
			}
			doAll(t, steps)
			if w.kept["WEBHOOK_SECRET"] != want.Secret {
				t.Errorf("kept %v", w.kept)
			}
			before := w.wrote
			if again, _ := undone(mustSetup(t, w.config(), want)); len(again) > 0 || w.wrote != before {
				t.Errorf("the second run would do %q and wrote %d times", again, w.wrote-before)
			}
		})
	}
}

// Where there is no account yet an access token of the group brings one, and the
// token works at once; a second run finds it, and a new value is made on demand.
func TestSetupMakesTheAccount(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		owners []string
		says   string
	}{
		"of the group":   {[]string{"acme"}, "the access token primum of the group acme"},
		"of the project": {nil, "the access token primum of the project acme/pump"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSetupWorld(t, gitlabface.Premium)
			c, want := w.config(), setupWanted()
			c.BotToken, want.Owners, want.Way = "", tt.owners, gitlab.WayApproval
			steps := mustSetup(t, c, want)
			todo, _ := undone(steps)
			if !slices.ContainsFunc(todo, func(s string) bool { return strings.Contains(s, tt.says) && strings.Contains(s, "until 20") }) {
				t.Fatalf("no step says %q: %q", tt.says, todo)
			}
			doAll(t, steps)
			first := w.kept["TOKEN"]
			f, err := gitlab.New(gitlab.Config{URL: w.Server.URL, Token: first, Secrets: []string{simtest.Secret}, Now: w.Clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			if list, _, err := f.ListRepos(t.Context(), ""); err != nil || len(list) == 0 {
				t.Errorf("with the token made: %+v, %v", list, err)
			}
			c.Fresh = false
			if again, _ := undone(mustSetup(t, c, want)); len(again) > 0 {
				t.Errorf("the second run would do %q", again)
			}
			c.NewToken = true
			doAll(t, mustSetup(t, c, want))
			if w.kept["TOKEN"] == first {
				t.Error("no new token was made")
			}
		})
	}
}

// An account with too little gets its role, in the group and in a project alone,
// and a branch that is open is closed to pushes.
func TestSetupGivesTheRoleAndProtects(t *testing.T) {
	t.Parallel()
	for _, owners := range [][]string{{"acme"}, nil} {
		w := newSetupWorld(t, gitlabface.Free)
		w.Forge.AddBot("helper", "A machine")
		w.Face.AddToken("glpat-helper000000000000", "helper", "api")
		adminCall(t, w.GitLabRig, http.MethodDelete, "projects/acme%2Fpump/protected_branches/main", "")
		c, want := w.config(), setupWanted()
		c.BotToken, want.Owners, want.Way = "glpat-helper000000000000", owners, gitlab.WayStatus
		for _, role := range []string{"developer", "maintainer"} {
			c.Role = role
			steps := mustSetup(t, c, want)
			todo, _ := undone(steps)
			if !slices.ContainsFunc(todo, func(s string) bool { return strings.Contains(s, role) }) {
				t.Fatalf("no step makes it a %s: %q", role, todo)
			}
			protects := slices.ContainsFunc(todo, func(s string) bool { return strings.Contains(s, "protect main of acme/pump") })
			if protects != (role == "developer") {
				t.Errorf("as %s: steps %q", role, todo)
			}
			doAll(t, steps)
			c.Fresh = false
			if again, _ := undone(mustSetup(t, c, want)); len(again) > 0 {
				t.Errorf("the second run as %s would do %q", role, again)
			}
		}
		found := gitlab.Examine(t.Context(), gitlab.Config{Key: "gitlab", URL: w.Server.URL, Token: "glpat-helper000000000000", Now: w.Clock.Now},
			forges.Wanted{HookURL: setupHook, Check: "primum", Repos: []string{"acme/pump"}}, look.Look{Admin: ownerToken})
		if !slices.ContainsFunc(found, func(f forges.Finding) bool {
			return f.Topic == "main of acme/pump" && f.Level == forges.Good
		}) {
			t.Errorf("doctor does not find the branch protected: %+v", found)
		}
	}
}

// What comes from a fork runs in the fork: setup and doctor say so where the
// verdict blocks by a pipeline, and only there.
func TestForksAreNotHeldByPipelines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tier, way string
		says      bool
	}{{gitlabface.Free, gitlab.WayStatus, true}, {gitlabface.Free, gitlab.WayJob, true}, {gitlabface.Premium, gitlab.WayApproval, false}, {gitlabface.Ultimate, gitlab.WayCheck, false}} {
		w := newSetupWorld(t, tt.tier)
		want := setupWanted()
		want.Way = tt.way
		steps := mustSetup(t, w.config(), want)
		const words = "from a fork is not held back"
		if got := slices.ContainsFunc(steps, func(s forges.Step) bool { return strings.Contains(s.Says, words) && s.Cure != "" }); got != tt.says {
			t.Errorf("%s: setup says so: %t", tt.way, got)
		}
		doAll(t, steps)
		found := gitlab.Examine(t.Context(), gitlab.Config{Key: "gitlab", URL: w.Server.URL, Token: simtest.GitLabToken, Way: tt.way, Now: w.Clock.Now},
			forges.Wanted{HookURL: setupHook, Check: "primum", Repos: []string{"acme/pump"}}, look.Look{Admin: ownerToken})
		if got := slices.ContainsFunc(found, func(f forges.Finding) bool { return strings.Contains(f.Says, words) && f.Cure != "" }); got != tt.says {
			t.Errorf("%s: doctor says so: %t in %+v", tt.way, got, found)
		}
	}
}

// What is missing is said with the way to get it.
func TestSetupSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newSetupWorld(t, gitlabface.Free)
	w.Face.AddToken("glpat-readsOnly0000000", "alex", "read_api")
	w.Face.AddToken("glpat-samIsNobody00000", "sam", "api")
	for _, tt := range []struct {
		name   string
		change func(*gitlab.SetupConfig, *forges.Wanted)
		want   string
	}{
		{"a token that is none", func(c *gitlab.SetupConfig, _ *forges.Wanted) { c.Token = "glpat-none000000000000" }, "does not accept the token (401"},
		{"a scope", func(c *gitlab.SetupConfig, _ *forges.Wanted) { c.Token = "glpat-readsOnly0000000" }, "the scope read_api only; make it anew with the scope api"},
		{"no maintainer", func(c *gitlab.SetupConfig, w *forges.Wanted) { c.Token, w.Owners = "glpat-samIsNobody00000", nil }, "maintainer"},
		{"a way the tier has not", func(_ *gitlab.SetupConfig, w *forges.Wanted) { w.Way = gitlab.WayCheck }, "has no external status check: its tier is Free"},
		{"the account's own token", func(c *gitlab.SetupConfig, _ *forges.Wanted) { c.Token, c.Bot = simtest.GitLabToken, "primum" }, "the account primum itself"},
		{"one account for both", func(c *gitlab.SetupConfig, _ *forges.Wanted) { c.BotToken = ownerToken }, "who does the setup"},
		{"another group", func(_ *gitlab.SetupConfig, w *forges.Wanted) { w.Owners, w.Repos = []string{"nobody"}, nil }, "nobody"},
	} {
		c, want := w.config(), setupWanted()
		tt.change(&c, &want)
		_, err := gitlab.Setup(t.Context(), c, want)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// doctor finds each fault that is planted, and nothing bad in what setup made.
func TestDoctorFindsEachFault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		plant func(*setupWorld, *gitlab.Config, *forges.Wanted)
		level forges.Level
		want  string
	}{
		{"nothing", nil, forges.Good, ""},
		{"token", func(_ *setupWorld, c *gitlab.Config, _ *forges.Wanted) { c.Token = "glpat-none000000000000" }, forges.Bad, "does not accept the token"},
		{"scope", func(w *setupWorld, _ *gitlab.Config, _ *forges.Wanted) {
			w.Face.SetScopes(simtest.GitLabToken, "read_api")
		}, forges.Bad, "scope read_api only"},
		{"token that runs out", func(w *setupWorld, _ *gitlab.Config, _ *forges.Wanted) {
			w.Face.Expire(simtest.GitLabToken, w.Clock.Now().Add(48*time.Hour))
		}, forges.Bad, "it runs out on"},
		{"no webhook", func(_ *setupWorld, _ *gitlab.Config, w *forges.Wanted) {
			w.HookURL = "https://elsewhere.example/hooks/gitlab"
		}, forges.Bad, "sends to https://elsewhere.example"},
		{"a way that is not there", func(_ *setupWorld, c *gitlab.Config, _ *forges.Wanted) { c.Way = gitlab.WayApproval }, forges.Bad, "the project has none of the name Primum"},
		{"project that is not seen", func(_ *setupWorld, _ *gitlab.Config, w *forges.Wanted) { w.Repos = []string{"acme/nowhere"} }, forges.Bad, "correct PRIMUM_ONLY"},
		{"signatures that are expected and do not come", func(_ *setupWorld, c *gitlab.Config, _ *forges.Wanted) {
			c.SigningTokens = []string{"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
		}, forges.Bad, "does not sign its deliveries"},
		{"wrong address", func(_ *setupWorld, c *gitlab.Config, _ *forges.Wanted) { c.URL += "/elsewhere" }, forges.Bad, "PRIMUM_GITLAB_URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newSetupWorld(t, gitlabface.Free, func(o *simtest.GitLabOptions) {
				o.Unchecked = tt.name == "token that runs out" // GitLab answers a day, and its description says a time
			})
			made := setupWanted()
			made.Way = gitlab.WayStatus
			doAll(t, mustSetup(t, w.config(), made))
			c := gitlab.Config{Key: "gitlab", URL: w.Server.URL, Token: simtest.GitLabToken, Now: w.Clock.Now, Wait: func(int) time.Duration { return 0 }}
			want := forges.Wanted{HookURL: setupHook, Check: "primum", Repos: []string{"acme/pump"}}
			if tt.plant != nil {
				tt.plant(w, &c, &want)
			}
			before := w.wrote
			found := gitlab.Examine(t.Context(), c, want, look.Look{Admin: ownerToken})
			if w.wrote != before {
				t.Errorf("looking wrote %d times", w.wrote-before)
			}
			if tt.want == "" {
				for _, f := range found {
					if f.Level == forges.Bad && f.Topic != "clock" {
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

// What doctor sends is accepted by the adapter, signed or not, and leads to nothing.
func TestPingIsProvenAndLeadsNowhere(t *testing.T) {
	t.Parallel()
	const signing = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	w := newSetupWorld(t, gitlabface.Free)
	for name, tt := range map[string]struct {
		secrets, signing []string
		with             string
	}{
		"by secret":    {secrets: []string{simtest.Secret}},
		"by signature": {signing: []string{signing}, with: signing},
	} {
		f, err := gitlab.New(gitlab.Config{URL: w.Server.URL, Token: "x", Secrets: tt.secrets, SigningTokens: tt.signing, Now: w.Clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		h, body := gitlab.Ping(simtest.Secret, tt.with, "doctor-1", w.Clock.Now())
		d, err := f.Verify(h, body)
		if err != nil {
			t.Fatalf("%s: verify: %v", name, err)
		}
		if e, err := f.Decode(d); err != nil || e.Kind != forges.Ignored || d.ID != "doctor-1" {
			t.Errorf("%s: decoded to %+v, %v", name, e, err)
		}
		h, body = gitlab.Ping("another secret of length", "whsec_"+strings.Repeat("QUJD", 8), "doctor-2", w.Clock.Now())
		if _, err := f.Verify(h, body); err == nil {
			t.Errorf("%s: a wrong one was accepted", name)
		}
	}
}
