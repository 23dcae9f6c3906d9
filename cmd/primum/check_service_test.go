package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"primum/bot"
	"primum/bot/clock"
	"primum/bot/intake"
	"primum/bot/pages"
	"primum/bot/store"
	"primum/cmd/primum/demo"
	"primum/forges"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
	"primum/forges/wire"
	"primum/rules"
	"primum/rules/policy"
)

const (
	pagesKey = "an-access-key-for-tests"
	closed   = "acme/closed" // a private repository
)

// running starts Primum beside a simulated forge with a private repository and
// gives its address and the number and head of a change that lacks approvals.
func running(t *testing.T) (address string, rig *simtest.Rig, n int, head string) {
	t.Helper()
	rig = simtest.New(t, simtest.Options{Now: clock.System{}.Now, Config: plainToken})
	text, ok := rig.Forge.File(simtest.Repo, "main", ".primum.yml")
	if !ok {
		t.Fatal("the rig's repository has no policy")
	}
	rig.Forge.AddRepo(closed, sim.RepoOptions{By: "alex", Private: true, Files: map[string]string{".primum.yml": text}})
	alex := rig.Forge.As("alex")
	head, err := alex.Push(closed, "topic", sim.NewCommit{Message: "Change", Files: map[string]string{"fw/dosing/rate.c": "changed\n"}})
	if err != nil {
		t.Fatal(err)
	}
	if n, err = alex.OpenChange(closed, sim.NewChange{Title: "Change", Head: "topic"}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := store.Open(t.Context(), ":memory:", clock.System{}, log)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	address = "http://" + server.Listener.Addr().String()
	service, err := bot.New(bot.Options{
		Store: db, Forges: []forges.Forge{rig.GitHub}, Clock: clock.System{}, Log: log, Engine: "test",
		PublicURL: address, Access: pages.Access{Key: pagesKey}, Intake: intake.Options{Settle: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = service.Handler()
	server.Start()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- service.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		server.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	rig.Face.SetHook(address + "/hooks/github")
	if err := service.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	return address, rig, n, head
}

// asked runs "primum check --service" in a job with these variables.
func asked(t *testing.T, o checkOptions, vars ...string) (code int, out string, err error) {
	t.Helper()
	env := map[string]string{}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	if o.format == "" {
		o.format = "text"
	}
	var b bytes.Buffer
	code, err = o.run(t.Context(), &b, func(k string) string { return env[k] })
	return code, b.String(), err
}

func TestCheckAsksARunningPrimum(t *testing.T) {
	t.Parallel()
	address, rig, n, head := running(t)
	o := checkOptions{service: address, wait: 30 * time.Second, commit: head, remote: remote{repo: closed, number: n}}
	code, out, err := asked(t, o, "PRIMUM_PAGES_KEY="+pagesKey)
	if err != nil || code != exitFindings || !strings.Contains(out, "review-quorum") || !strings.Contains(out, address+"/c/github/acme/closed/") {
		t.Fatalf("exit %d, %v:\n%s", code, err, out)
	}
	// Somebody pushed again: the verdict on that commit is waited for.
	tip, err := rig.Forge.As("alex").Push(closed, "topic", sim.NewCommit{Message: "Again", Files: map[string]string{"fw/dosing/rate.c": "again\n"}})
	if err != nil {
		t.Fatal(err)
	}
	o.commit = tip
	if code, out, err := asked(t, o, "PRIMUM_PAGES_KEY="+pagesKey); err != nil || code != exitFindings || !strings.Contains(out, shortSHA(tip)) {
		t.Fatalf("exit %d, %v:\n%s", code, err, out)
	}
	o.wait = 0
	for name, tt := range map[string]struct {
		change func(*checkOptions)
		key    string
		want   string
	}{
		"without the key": {func(*checkOptions) {}, "", "put the service's PRIMUM_PAGES_KEY"},
		"a wrong key":     {func(*checkOptions) {}, "another-key-for-tests", "PRIMUM_PAGES_KEY here and there differ"},
		"an older commit": {func(o *checkOptions) { o.commit = head }, pagesKey, "and not " + shortSHA(head)},
		"no such change":  {func(o *checkOptions) { o.remote.number = 4711 }, pagesKey, "look at its log"},
		"another forge":   {func(o *checkOptions) { o.remote.forge = "plant" }, pagesKey, "look at its log"},
	} {
		o := o
		tt.change(&o)
		code, out, err := asked(t, o, "PRIMUM_PAGES_KEY="+tt.key)
		if code != exitFailure || err == nil || !strings.Contains(err.Error(), tt.want) || out != "" {
			t.Errorf("%s: exit %d, %v, want %q\n%s", name, code, err, tt.want, out)
		}
		if err != nil && strings.Contains(err.Error(), "key-for-tests") {
			t.Errorf("%s: the key is shown: %v", name, err)
		}
	}
}

// verdictOf is a verdict as the service serves it.
func verdictOf(state rules.Outcome, mode policy.Mode, head string) string {
	return fmt.Sprintf(`{"schema":%q,"state":%q,"mode":%q,"subject":{"repo":"acme/devices/pump","change":7,"head":%q}}`, rules.VerdictSchema, state, mode, head)
}

func TestWhatTheServiceSaysDecides(t *testing.T) {
	t.Parallel()
	const head = "1111111111111111111111111111111111111111"
	const other = "2222222222222222222222222222222222222222"
	type answer struct {
		status int
		body   string
	}
	tests := []struct {
		name    string
		answers []answer // one after the other, the last for ever
		wait    time.Duration
		code    int
		want    string // in the error
		calls   int32  // 0 for any number
	}{
		{"a pass", []answer{{200, verdictOf(rules.Pass, policy.Enforce, head)}}, 0, exitCompliant, "", 1},
		{"a fail", []answer{{200, verdictOf(rules.Fail, policy.Enforce, head)}}, time.Minute, exitFindings, "", 1},
		{"not governed", []answer{{200, verdictOf(rules.NA, "", head)}}, 0, exitCompliant, "", 1},
		{"advice only", []answer{{200, verdictOf(rules.Fail, policy.Advise, head)}}, 0, exitCompliant, "", 1},
		{"observed only", []answer{{200, verdictOf(rules.Fail, policy.Observe, head)}}, 0, exitCompliant, "", 1},
		{"what could not be read", []answer{{200, verdictOf(rules.Unknown, policy.Enforce, head)}}, 0, exitFindings, "", 1},
		{"waiting, time is up", []answer{{200, verdictOf(rules.Pending, policy.Enforce, head)}}, 0, exitFindings, "", 1},
		{"waiting, then a pass", []answer{
			{404, ""}, {503, ""}, {200, verdictOf(rules.Pass, policy.Enforce, other)}, {200, verdictOf(rules.Pending, policy.Enforce, head)}, {200, verdictOf(rules.Pass, policy.Enforce, head)},
		}, time.Minute, exitCompliant, "", 5},
		{"another commit", []answer{{200, verdictOf(rules.Pass, policy.Enforce, other)}}, 0, exitFailure, "is about the commit 22222222 and not 11111111", 1},
		{"no head", []answer{{200, verdictOf(rules.Pass, policy.Enforce, "")}}, 0, exitFailure, "is about the commit", 1},
		{"down", []answer{{502, ""}}, 0, exitFailure, "it answers 502", 1},
		{"a page", []answer{{200, "<html>"}}, time.Minute, exitFailure, "not with a verdict", 1},
		{"another JSON", []answer{{200, `{"state":"pass"}`}}, time.Minute, exitFailure, "not with a verdict", 1},
		{"another change", []answer{{200, strings.Replace(verdictOf(rules.Pass, policy.Enforce, head), `"change":7`, `"change":8`, 1)}}, time.Minute, exitFailure, "instead of change 7", 1},
		{"elsewhere", []answer{{302, ""}}, time.Minute, exitFailure, "redirects to https://login.example/", 1},
		{"forbidden", []answer{{403, ""}}, time.Minute, exitFailure, "answers 403", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a := tt.answers[min(int(n.Add(1)), len(tt.answers))-1]
				if r.URL.Path != "/primum/c/gitlab/acme/devices/pump/7.json" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				if a.status == http.StatusFound {
					w.Header().Set("Location", "https://login.example/?next=x")
				}
				w.WriteHeader(a.status)
				_, _ = w.Write([]byte(a.body))
			}))
			t.Cleanup(s.Close)
			base, err := wire.Base(s.URL + "/primum")
			if err != nil {
				t.Fatal(err)
			}
			a := &asking{base: base, forge: "gitlab", repo: "acme/devices/pump", number: 7, commit: head, wait: tt.wait, every: time.Millisecond, client: s.Client()}
			a.client.CheckRedirect = stay
			v, err := a.verdict(t.Context())
			code := exitFailure
			if err == nil {
				code = exitCompliant
				if blocks(v) {
					code = exitFindings
				}
			}
			if code != tt.code || tt.want != "" && !strings.Contains(fmt.Sprint(err), tt.want) {
				t.Errorf("exit %d, %v; want %d, %q", code, err, tt.code, tt.want)
			}
			if got := n.Load(); got != tt.calls {
				t.Errorf("asked %d times, want %d", got, tt.calls)
			}
		})
	}
}

func TestAServiceThatIsNotThereFails(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	o := checkOptions{service: s.URL, commit: "11111111", remote: remote{repo: "acme/pump", number: 7}}
	if code, _, err := asked(t, o); code != exitFailure || err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("exit %d, %v", code, err)
	}
}

func TestWhatAJobSaysOfTheChange(t *testing.T) {
	t.Parallel()
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"pull_request":{"number":12,"head":{"sha":"abcdef0123"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	comment := filepath.Join(t.TempDir(), "comment.json")
	if err := os.WriteFile(comment, []byte(`{"issue":{"number":13,"pull_request":{"url":"x"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		given  remote
		env    map[string]string
		want   remote
		commit string
	}{
		{
			"GitHub",
			remote{},
			map[string]string{"GITHUB_REPOSITORY": "acme/pump", "GITHUB_EVENT_PATH": event, "GITHUB_API_URL": "https://api.github.com"},
			remote{forge: "github", repo: "acme/pump", number: 12},
			"abcdef0123",
		},
		{
			"an Enterprise Server, a comment",
			remote{},
			map[string]string{"GITHUB_REPOSITORY": "acme/pump", "GITHUB_EVENT_PATH": comment, "GITHUB_API_URL": "https://ghe/api/v3"},
			remote{forge: "github", repo: "acme/pump", number: 13, api: "https://ghe/api/v3"},
			"",
		},
		{
			"Gitea's copies are not GitHub",
			remote{},
			map[string]string{
				"GITEA_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/pump", "GITHUB_REF": "refs/pull/5/head",
				"GITHUB_API_URL": "https://git.example/api/v1", "GITHUB_SERVER_URL": "https://git.example",
			},
			remote{forge: "gitea", repo: "acme/pump", number: 5, url: "https://git.example"},
			"",
		},
		{
			"Forgejo",
			remote{},
			map[string]string{"FORGEJO_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/pump", "GITHUB_EVENT_PATH": event, "GITHUB_SERVER_URL": "https://fj.example"},
			remote{forge: "gitea", repo: "acme/pump", number: 12, url: "https://fj.example"},
			"abcdef0123",
		},
		{
			"GitLab, from a fork, merged results",
			remote{},
			map[string]string{
				"GITLAB_CI": "true", "CI_PROJECT_PATH": "sam/pump", "CI_MERGE_REQUEST_PROJECT_PATH": "acme/devices/pump", "CI_MERGE_REQUEST_IID": "7",
				"CI_SERVER_URL": "https://lab.example", "CI_SERVER_TLS_CA_FILE": "/ca.pem", "CI_COMMIT_SHA": "merged00", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "source00",
			},
			remote{forge: "gitlab", repo: "acme/devices/pump", number: 7, url: "https://lab.example", ca: "/ca.pem"},
			"source00",
		},
		{
			"GitLab, plain",
			remote{},
			map[string]string{"GITLAB_CI": "true", "CI_PROJECT_PATH": "acme/pump", "CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_SHA": "head0000"},
			remote{forge: "gitlab", repo: "acme/pump", number: 7},
			"head0000",
		},
		{
			"another forge than the job's",
			remote{forge: "github", repo: "acme/pump", number: 1},
			map[string]string{"GITLAB_CI": "true", "CI_PROJECT_PATH": "x/y", "CI_SERVER_URL": "https://lab.example"},
			remote{forge: "github", repo: "acme/pump", number: 1},
			"",
		},
		{
			"what is given counts",
			remote{forge: "gitlab", repo: "a/b/c", number: 2, url: "https://z"},
			map[string]string{"GITLAB_CI": "true", "CI_PROJECT_PATH": "x/y", "CI_MERGE_REQUEST_IID": "7", "CI_SERVER_URL": "https://lab.example"},
			remote{forge: "gitlab", repo: "a/b/c", number: 2, url: "https://z"},
			"",
		},
		{"no job", remote{forge: "forgejo", repo: "a/b", number: 2}, nil, remote{forge: "forgejo", repo: "a/b", number: 2}, ""},
	}
	for _, tt := range tests {
		env := func(k string) string { return tt.env[k] }
		got := tt.given
		got.complete(env)
		if got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
		if c := commitOf(env); c != tt.commit {
			t.Errorf("%s: commit %q, want %q", tt.name, c, tt.commit)
		}
	}
}

func TestACheckThatCannotBeginSaysWhy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		o    checkOptions
		env  []string
		want string
	}{
		{"no repository", checkOptions{}, nil, "which repository"},
		{"no change", checkOptions{remote: remote{repo: "acme/pump"}}, nil, "which change"},
		{"no name", checkOptions{remote: remote{repo: "acme/"}}, nil, "is no repository"},
		{"no owner", checkOptions{remote: remote{repo: "pump"}}, nil, "is no repository"},
		{"groups on GitHub", checkOptions{remote: remote{repo: "a/b/c", number: 1}}, nil, "is no repository"},
		{"an unknown forge", checkOptions{remote: remote{repo: "a/b", number: 1, forge: "svn"}}, nil, `"svn" is not known`},
		{"no token", checkOptions{remote: remote{repo: "a/b", number: 1}}, nil, "PRIMUM_TOKEN or GITHUB_TOKEN"},
		{"no token of GitLab", checkOptions{remote: remote{repo: "a/b/c", number: 1, forge: "gitlab"}}, []string{"GITHUB_TOKEN=x"}, "PRIMUM_TOKEN or GITLAB_TOKEN"},
		{"no token of Gitea", checkOptions{remote: remote{repo: "a/b", number: 1, forge: "gitea"}}, []string{"GITHUB_TOKEN=x"}, "PRIMUM_TOKEN or GITEA_TOKEN or FORGEJO_TOKEN"},
		{"a named variable", checkOptions{tokenEnv: "MINE", remote: remote{repo: "a/b", number: 1}}, []string{"GITHUB_TOKEN=x"}, "variable MINE;"},
		{"a service at no address", checkOptions{service: "primum.example", remote: remote{repo: "a/b", number: 1}}, nil, "--service: address"},
		{"a service and no commit", checkOptions{service: "https://primum.example", remote: remote{repo: "a/b/c", number: 1}}, nil, "which commit"},
	}
	for _, tt := range tests {
		code, _, err := asked(t, tt.o, tt.env...)
		if code != exitUsage || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: exit %d, %v, want %q", tt.name, code, err, tt.want)
		}
	}
}

// The job of deploy/gitlab, with what GitLab sets in it, against a whole Primum
// on a simulated GitLab.
func TestTheGateJobOfGitLab(t *testing.T) {
	t.Parallel()
	d, err := demo.Start(t.Context(), demo.Options{Forge: "gitlab", Engine: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	const repo, ready, lacking = "acme/infusion-pump", "9", "17"
	for number, want := range map[string]int{ready: exitCompliant, lacking: exitFindings} {
		o := checkOptions{service: d.URL + "primum", wait: 30 * time.Second}
		code, out, err := asked(t, o, "GITLAB_CI=true", "CI_SERVER_URL="+d.URL, "CI_PROJECT_PATH="+repo,
			"CI_MERGE_REQUEST_IID="+number, "CI_COMMIT_SHA="+headOf(t, d.URL+"primum/c/gitlab/"+repo+"/"+number+".json"))
		if err != nil || code != want {
			t.Errorf("merge request %s: exit %d, %v, want %d\n%s", number, code, err, want, out)
		}
	}
}

// headOf waits for the first verdict on a change and gives the commit it is about.
func headOf(t *testing.T, page string) string {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var v rules.Verdict
		err = json.NewDecoder(answer.Body).Decode(&v)
		_ = answer.Body.Close()
		if err == nil && v.Subject.Head != "" {
			return v.Subject.Head
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no verdict at %s", page)
	return ""
}
