package gitlab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/forges"
	"primum/rules/fact"
)

const (
	sha1 = "1111111111111111111111111111111111111111"
	sha2 = "2222222222222222222222222222222222222222"
)

// request is one call a script saw.
type request struct {
	method, path string // below /api/v4/, with the query
	body         map[string]any
}

// script answers calls as told: by method and path, one answer after another, the
// last again and again.
type script struct {
	t     *testing.T
	mu    sync.Mutex
	lines map[string][]string
	seen  []request
}

// ServeHTTP implements http.Handler. An answer is "status body".
func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	q := request{method: r.Method, path: strings.TrimPrefix(r.URL.EscapedPath(), "/api/v4/")}
	_ = json.Unmarshal(raw, &q.body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, q)
	key := q.method + " " + q.path
	answers := s.lines[key]
	if len(answers) == 0 {
		s.t.Errorf("nobody expected %s", key)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if len(answers) > 1 {
		s.lines[key] = answers[1:]
	}
	code, body, _ := strings.Cut(answers[0], " ")
	status := 0
	_, _ = fmt.Sscan(code, &status)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (s *script) posts(path string) []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []request
	for _, q := range s.seen {
		if q.method == http.MethodPost && strings.HasPrefix(q.path, path) {
			out = append(out, q)
		}
	}
	return out
}

// scripted makes an adapter that talks to a script; who we are is known.
func scripted(t *testing.T, lines map[string][]string, change ...func(*Config)) (*Forge, *script) {
	t.Helper()
	s := &script{t: t, lines: lines}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	f := adapter(t, append(change, func(c *Config) {
		c.URL = server.URL
		c.Wait = func(int) time.Duration { return time.Millisecond }
	})...)
	f.self.Store(&fact.Person{ID: "9", Login: "primum", Bot: true})
	return f, s
}

var (
	pump     = forges.RepoRef{Forge: "gitlab", ID: "7", Owner: "acme", Name: "pump"}
	noWays   = map[string][]string{"GET projects/7/external_status_checks": {`404 {"message":"404 Not Found"}`}, "GET projects/7/approval_rules": {`404 {"message":"404 Not Found"}`}}
	statuses = "projects/7/statuses/" + sha1
)

// onPipeline tells the adapter that the commit heads change 3, with pipeline 31.
func onPipeline(f *Forge) {
	f.heads.Put(headKey("7", sha1), head{places: []place{{iid: 3, pipeline: "31", ref: "rate"}}}, 100)
}

func with(all ...map[string][]string) map[string][]string {
	out := map[string][]string{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

func say(state forges.ReportState) forges.Report {
	return forges.Report{Name: "primum", State: state, Title: "Two approvals are missing", Short: "2 approvals missing", URL: "https://primum.example/c/1"}
}

func TestCommitStatusesThatGitLabRefuses(t *testing.T) {
	t.Parallel()
	const list = "GET projects/7/repository/commits/" + sha1 + "/statuses"
	tests := map[string]struct {
		post   []string
		stands []string
		want   error
		id     string
		posts  int
	}{
		"taken at once":              {post: []string{`201 {"id":50}`}, id: "50", posts: 1},
		"set by us at the same time": {post: []string{`409 {"message":"409 Conflict"}`}, stands: []string{`200 [{"id":49,"status":"failed","author":{"id":9}}]`}, id: "49", posts: 1},
		"an old one of ours stands": {
			post: []string{`409 {}`, `201 {"id":52}`}, stands: []string{`200 [{"id":49,"status":"success","author":{"id":9}}]`}, id: "52", posts: 2,
		},
		"one of somebody else stands": {
			post:   []string{`400 {"message":"Cannot transition status via :drop from :failed (Reason(s): Status cannot transition via \"drop\")"}`, `201 {"id":52}`},
			stands: []string{`200 [{"id":48,"status":"failed","author":{"id":9}},{"id":49,"status":"failed","author":{"id":4}}]`}, id: "52", posts: 2,
		},
		"it cannot become what it is": {
			post: []string{`400 {"message":"Cannot transition status via :drop from :failed"}`}, stands: []string{`200 [{"id":49,"status":"failed","author":{"id":9}}]`}, id: "49", posts: 1,
		},
		"it goes on": {post: []string{`409 {}`}, stands: []string{`200 []`}, want: forges.ErrConflict, posts: 3},
		"the pipeline is gone": {
			post: []string{`404 {"message":"404 Pipeline for pipeline_id, sha and ref Not Found"}`, `201 {"id":53}`}, id: "53", posts: 2,
		},
		"the commit is gone": {post: []string{`404 {"message":"404 Commit Not Found"}`}, want: forges.ErrNotFound, posts: 2},
		"we may not":         {post: []string{`403 {"message":"403 Forbidden"}`}, want: forges.ErrForbidden, posts: 1},
		"our account is blocked": {
			post: []string{`403 {"message":"403 Forbidden - Your account has been blocked."}`}, want: forges.ErrSuspended, posts: 1,
		},
		"our token was taken back": {
			post: []string{`401 {"error":"invalid_token","error_description":"Token was revoked. You have to re-authorize from the user."}`}, want: forges.ErrForbidden, posts: 1,
		},
		"our token is too small": {post: []string{`403 {"error":"insufficient_scope","scope":"api"}`}, want: forges.ErrForbidden, posts: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := with(noWays, map[string][]string{"POST " + statuses: tt.post})
			if tt.stands != nil {
				lines[list] = tt.stands
			}
			f, s := scripted(t, lines)
			onPipeline(f)
			got, err := f.SetVerdict(t.Context(), pump, sha1, say(forges.ReportFailure), forges.Posted{})
			if !errors.Is(err, tt.want) || err != nil && tt.want == nil {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err == nil && (got.ID != tt.id || got.Way != WayStatus || got.SHA != sha1) {
				t.Errorf("posted %+v, want id %s", got, tt.id)
			}
			posts := s.posts("projects/7/statuses")
			if len(posts) != tt.posts {
				t.Errorf("%d calls to set it, want %d", len(posts), tt.posts)
			}
			if b := posts[0].body; b["pipeline_id"] != float64(31) || b["ref"] != nil || b["name"] != "primum" {
				t.Errorf("first call says %v", posts[0].body)
			}
		})
	}
}

// A status that waits leaves a pipeline running for ever: only the two last
// states are ever set.
func TestCommitStatusesSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for state, want := range map[forges.ReportState]string{
		forges.ReportPending: "failed", forges.ReportFailure: "failed", forges.ReportSuccess: "success", forges.ReportNeutral: "success", "odd": "failed",
	} {
		f, s := scripted(t, with(noWays, map[string][]string{"POST " + statuses: {`201 {"id":50}`}}))
		onPipeline(f)
		r := say(state)
		r.Short, r.URL = strings.Repeat("ß", 300), "https://primum.example/"+strings.Repeat("x", 300)
		got, err := f.SetVerdict(t.Context(), pump, sha1, r, forges.Posted{})
		if err != nil {
			t.Fatal(err)
		}
		body := s.posts(statuses)[0].body
		line, _ := body["description"].(string)
		if body["state"] != want || got.State != state || len(line) > 255 || !strings.HasPrefix(line, "ß") || strings.Contains(line, "\uFFFD") {
			t.Errorf("%s: posted %v, answered %+v", state, body, got)
		}
		if _, ok := body["target_url"]; ok {
			t.Errorf("an address longer than GitLab takes was sent: %v", body["target_url"])
		}
	}
}

// Two changes with one head may have a pipeline each; the verdict stands on both.
func TestOneHeadOnTwoPipelines(t *testing.T) {
	t.Parallel()
	f, s := scripted(t, with(noWays, map[string][]string{"POST " + statuses: {`201 {"id":50}`, `201 {"id":51}`}}))
	f.heads.Put(headKey("7", sha1), head{places: []place{{iid: 3, pipeline: "31", ref: "rate"}, {iid: 4, pipeline: "32", ref: "rate"}, {iid: 5, pipeline: "31", ref: "rate"}}}, 100)
	got, err := f.SetVerdict(t.Context(), pump, sha1, say(forges.ReportSuccess), forges.Posted{})
	if err != nil || got.ID != "50" || len(s.posts(statuses)) != 2 {
		t.Errorf("posted %+v by %d calls, %v", got, len(s.posts(statuses)), err)
	}
	r := &reading{Forge: f, pid: "7", mr: &changeNode{HeadSHA: sha1}}
	for status, want := range map[string]string{"50": "50", "51": "50", "52": "52"} {
		if got := r.postedAs(status); got != want {
			t.Errorf("status %s is read as %s, want %s", status, got, want)
		}
	}
}

// A pipeline of merged results runs on a commit that is nobody's head: the status
// goes there, since GitLab finds no such pipeline for the head and would begin
// one that holds nothing back. Where it is gone, the branch is the best there is.
func TestTheStatusOfMergedResults(t *testing.T) {
	t.Parallel()
	merged := "projects/7/statuses/" + sha2
	f, s := scripted(t, with(noWays, map[string][]string{"POST " + merged: {`201 {"id":50}`}}))
	f.heads.Put(headKey("7", sha1), head{places: []place{{iid: 3, pipeline: "31", sha: sha2, ref: "rate"}}}, 100)
	got, err := f.SetVerdict(t.Context(), pump, sha1, say(forges.ReportFailure), forges.Posted{})
	if err != nil || got.ID != "50" || got.SHA != sha1 || len(s.posts("projects/7/statuses")) != 1 {
		t.Errorf("posted %+v, %v", got, err)
	}
	f, s = scripted(t, with(noWays, map[string][]string{
		"POST " + merged: {`404 {"message":"404 Commit Not Found"}`}, "POST " + statuses: {`201 {"id":51}`},
	}))
	f.heads.Put(headKey("7", sha1), head{places: []place{{iid: 3, pipeline: "31", sha: sha2, ref: "rate"}}}, 100)
	if got, err = f.SetVerdict(t.Context(), pump, sha1, say(forges.ReportFailure), forges.Posted{}); err != nil || got.ID != "51" {
		t.Errorf("posted %+v, %v", got, err)
	}
	if b := s.posts(statuses)[0].body; b["ref"] != "rate" || b["pipeline_id"] != nil {
		t.Errorf("posted %v", b)
	}
}

// What was set by another way is turned, so that it neither blocks for ever nor
// lets through.
func TestTheWayChanged(t *testing.T) {
	t.Parallel()
	check := map[string][]string{"GET projects/7/external_status_checks": {`200 [{"id":5,"name":"primum","external_url":"https://primum.example/hooks/gitlab"}]`}}
	const on = "projects/7/merge_requests/3/"
	tests := map[string]struct {
		way      string
		left     fact.CheckState
		approved bool
		state    forges.ReportState
		lines    map[string][]string
		statuses int
		want     string
	}{
		"a red status is left": {
			left: fact.CheckFailure, state: forges.ReportSuccess, statuses: 1, want: "check:5",
			lines: with(check, map[string][]string{"POST " + on + "status_check_responses": {`201 {}`}, "POST " + statuses: {`201 {"id":50}`}}),
		},
		"a green status is left": {
			left: fact.CheckSuccess, state: forges.ReportFailure, statuses: 1, want: "check:5",
			lines: with(check, map[string][]string{"POST " + on + "status_check_responses": {`201 {}`}, "POST " + statuses: {`201 {"id":50}`}}),
		},
		"one that agrees is left": {
			left: fact.CheckSuccess, state: forges.ReportSuccess, want: "check:5",
			lines: with(check, map[string][]string{"POST " + on + "status_check_responses": {`201 {}`}}),
		},
		"an approval is left": {
			way: WayStatus, approved: true, state: forges.ReportFailure, statuses: 1, want: "50",
			lines: map[string][]string{"POST " + on + "unapprove": {`201 {}`}, "POST " + statuses: {`201 {"id":50}`}},
		},
		"a status of the job's name would hide the job": {
			way: WayJob, left: fact.CheckFailure, state: forges.ReportSuccess, want: "job:", lines: map[string][]string{},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, s := scripted(t, tt.lines, func(c *Config) { c.Way = tt.way })
			f.heads.Put(headKey("7", sha1), head{places: []place{{iid: 3, pipeline: "31", sha: sha1, ref: "rate", left: tt.left, approved: tt.approved}}}, 100)
			for range 2 { // the second time nothing is left
				got, err := f.SetVerdict(t.Context(), pump, sha1, say(tt.state), forges.Posted{})
				if err != nil || got.ID != tt.want {
					t.Fatalf("posted %+v, %v", got, err)
				}
			}
			want := tt.statuses
			if tt.way == WayStatus {
				want *= 2 // which is the way itself
			}
			if n := len(s.posts("projects/7/statuses")); n != want {
				t.Errorf("%d statuses, want %d", n, want)
			}
			if n := len(s.posts(on + "unapprove")); (n == 1) != tt.approved {
				t.Errorf("the approval was taken back %d times", n)
			}
		})
	}
}

// After a restart nothing is remembered: where the verdict goes is asked for.
func TestWhereTheVerdictGoesIsFound(t *testing.T) {
	t.Parallel()
	f, s := scripted(t, with(noWays, map[string][]string{
		"GET projects/7/repository/commits/" + sha1 + "/merge_requests": {`200 [{"iid":2,"state":"merged","sha":"` + sha1 + `"},{"iid":3,"state":"opened","sha":"` + sha1 + `"},{"iid":4,"state":"opened","sha":"` + sha2 + `"}]`},
		"GET projects/7/merge_requests/3":                               {`200 {"source_branch":"rate","head_pipeline":{"id":31,"sha":"` + sha1 + `"}}`},
		"POST " + statuses:                                              {`201 {"id":50}`},
	}))
	if _, err := f.SetVerdict(t.Context(), pump, sha1, say(forges.ReportSuccess), forges.Posted{}); err != nil {
		t.Fatal(err)
	}
	if body := s.posts(statuses)[0].body; body["pipeline_id"] != float64(31) || body["ref"] != nil {
		t.Errorf("posted %v", body)
	}
}

func TestExternalStatusChecks(t *testing.T) {
	t.Parallel()
	const answer = "projects/7/merge_requests/3/status_check_responses"
	list := map[string][]string{"GET projects/7/external_status_checks": {`200 [{"id":4,"name":"primum","external_url":"https://other.example/x"},{"id":5,"name":"primum","external_url":"https://primum.example/hooks/gitlab"}]`}}
	for state, want := range map[forges.ReportState]string{forges.ReportPending: "failed", forges.ReportFailure: "failed", forges.ReportSuccess: "passed", forges.ReportNeutral: "passed"} {
		f, s := scripted(t, with(list, map[string][]string{"POST " + answer: {`201 {"id":1}`}}))
		onPipeline(f)
		got, err := f.SetVerdict(t.Context(), pump, sha1, say(state), forges.Posted{})
		if err != nil || got.Way != WayCheck || got.ID != "check:5" {
			t.Fatalf("posted %+v, %v", got, err)
		}
		if b := s.posts(answer)[0].body; b["status"] != want || b["sha"] != sha1 || b["external_status_check_id"] != float64(5) {
			t.Errorf("%s: answered %v", state, b)
		}
	}
	f, _ := scripted(t, with(list, map[string][]string{"POST " + answer: {`409 {"message":"409 Sha mismatch"}`}}))
	onPipeline(f)
	if _, err := f.SetVerdict(t.Context(), pump, sha1, say(forges.ReportSuccess), forges.Posted{}); !errors.Is(err, forges.ErrConflict) {
		t.Errorf("another head: got %v, want %v", err, forges.ErrConflict)
	}
	f, _ = scripted(t, with(list, map[string][]string{"GET projects/7/repository/commits/" + sha2 + "/merge_requests": {`200 []`}}))
	if _, err := f.SetVerdict(t.Context(), pump, sha2, say(forges.ReportSuccess), forges.Posted{}); !errors.Is(err, forges.ErrConflict) {
		t.Errorf("nobody's head: got %v, want %v", err, forges.ErrConflict)
	}
}

func TestApprovalRules(t *testing.T) {
	t.Parallel()
	rule := map[string][]string{
		"GET projects/7/external_status_checks": {`403 {"message":"403 Forbidden"}`},
		"GET projects/7/approval_rules":         {`200 [{"name":"Primum","approvals_required":1,"eligible_approvers":[{"id":9}]}]`},
	}
	const on = "projects/7/merge_requests/3/"
	tests := map[string]struct {
		state forges.ReportState
		lines map[string][]string
		want  error
		words string
	}{
		"approved": {state: forges.ReportSuccess, lines: map[string][]string{"POST " + on + "approve": {`201 {}`}}},
		"approved before": {state: forges.ReportSuccess, lines: map[string][]string{
			"POST " + on + "approve": {`401 {"message":"401 Unauthorized"}`}, "GET " + on + "approvals": {`200 {"user_has_approved":true}`},
		}},
		"a password is asked for": {state: forges.ReportSuccess, lines: map[string][]string{
			"POST " + on + "approve": {`401 {"message":"401 Unauthorized"}`}, "GET " + on + "approvals": {`200 {"user_has_approved":false}`},
		}, want: forges.ErrForbidden, words: "password or single sign-on"},
		"the head moved": {state: forges.ReportSuccess, lines: map[string][]string{"POST " + on + "approve": {`409 {"message":"SHA does not match HEAD of source branch"}`}}, want: forges.ErrConflict},
		"taken back":     {state: forges.ReportFailure, lines: map[string][]string{"POST " + on + "unapprove": {`201 {}`}}},
		"nothing to take back": {state: forges.ReportPending, lines: map[string][]string{
			"POST " + on + "unapprove": {`404 {"message":"404 Not Found"}`}, "GET " + on + "approvals": {`200 {"user_has_approved":false}`},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, s := scripted(t, with(rule, tt.lines))
			onPipeline(f)
			got, err := f.SetVerdict(t.Context(), pump, sha1, say(tt.state), forges.Posted{})
			if !errors.Is(err, tt.want) || err != nil && tt.want == nil {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), tt.words) {
				t.Errorf("%q does not say %q", err, tt.words)
			}
			if err == nil && got.Way != WayApproval {
				t.Errorf("posted %+v", got)
			}
			if posts := s.posts(on + "approve"); tt.state == forges.ReportSuccess && posts[0].body["sha"] != sha1 {
				t.Errorf("approved %v", posts[0].body)
			}
		})
	}
}

// The job that asks for the verdict runs again only where it said otherwise.
func TestPipelineJobs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		job     string
		state   fact.CheckState
		verdict forges.ReportState
		retries int
		id      string
	}{
		"it failed and now all is well":    {"80", fact.CheckFailure, forges.ReportSuccess, 1, "job:81"},
		"it passed and now it must not":    {"80", fact.CheckSuccess, forges.ReportFailure, 1, "job:81"},
		"it was cancelled and all is well": {"80", fact.CheckCancelled, forges.ReportSuccess, 1, "job:81"},
		"it agrees":                        {"80", fact.CheckSuccess, forges.ReportSuccess, 0, "job:80"},
		"it agrees that something waits":   {"80", fact.CheckFailure, forges.ReportPending, 0, "job:80"},
		"it runs":                          {"80", fact.CheckPending, forges.ReportSuccess, 0, "job:80"},
		"there is none":                    {"", "", forges.ReportSuccess, 0, "job:"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, s := scripted(t, map[string][]string{"POST projects/7/jobs/80/retry": {`201 {"id":81}`}}, func(c *Config) { c.Way = WayJob })
			f.heads.Put(headKey("7", sha1), head{places: []place{{iid: 3, pipeline: "31", job: tt.job, jobState: tt.state}}}, 100)
			got, err := f.SetVerdict(t.Context(), pump, sha1, say(tt.verdict), forges.Posted{})
			if err != nil || got.ID != tt.id || got.Way != WayJob || len(s.posts("projects/7/jobs")) != tt.retries {
				t.Errorf("posted %+v with %d retries, %v; want %s with %d", got, len(s.posts("projects/7/jobs")), err, tt.id, tt.retries)
			}
		})
	}
}

func TestByWhatVerdictsBlock(t *testing.T) {
	t.Parallel()
	const checks, rules = "GET projects/7/external_status_checks", "GET projects/7/approval_rules"
	none := `200 []`
	tests := map[string]struct {
		way    string
		checks string
		rules  string
		want   string
		err    error
	}{
		"nothing is set up":            {checks: none, rules: none, want: WayStatus},
		"the tier has neither":         {checks: `404 {}`, rules: `404 {}`, want: WayStatus},
		"our role may see neither":     {checks: `403 {}`, rules: `403 {}`, want: WayStatus},
		"a check of ours":              {checks: `200 [{"id":5,"name":"Primum","external_url":"https://primum.example/x"}]`, want: WayCheck},
		"a check of another Primum":    {checks: `200 [{"id":5,"name":"primum","external_url":"https://primum.other.example/x"}]`, rules: none, want: WayStatus},
		"a check of somebody else":     {checks: `200 [{"id":5,"name":"lint","external_url":"https://primum.example/x"}]`, rules: none, want: WayStatus},
		"a rule of ours":               {checks: none, rules: `200 [{"name":"primum","approvals_required":1,"eligible_approvers":[{"id":9}]}]`, want: WayApproval},
		"a rule others satisfy too":    {checks: none, rules: `200 [{"name":"Primum","approvals_required":1,"eligible_approvers":[{"id":9},{"id":4}]}]`, want: WayStatus},
		"a rule that asks for nothing": {checks: none, rules: `200 [{"name":"Primum","approvals_required":0,"eligible_approvers":[{"id":9}]}]`, want: WayStatus},
		"GitLab is down":               {checks: `502 {}`, err: errors.New("any")},
		"fixed":                        {way: WayApproval, want: WayApproval},
		"fixed and not there":          {way: WayCheck, checks: none, err: forges.ErrForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := map[string][]string{}
			if tt.checks != "" {
				lines[checks] = []string{tt.checks}
			}
			if tt.rules != "" {
				lines[rules] = []string{tt.rules}
			}
			f, s := scripted(t, lines, func(c *Config) { c.Way = tt.way })
			got, err := f.wayOf(t.Context(), pump, say(forges.ReportSuccess))
			if (err != nil) != (tt.err != nil) || got.way != tt.want {
				t.Fatalf("got %+v, %v; want %q, %v", got, err, tt.want, tt.err)
			}
			if errors.Is(tt.err, forges.ErrForbidden) && !strings.Contains(err.Error(), "primum setup gitlab") {
				t.Errorf("%q does not say how to make it", err)
			}
			calls := len(s.seen)
			if err == nil {
				if again, err := f.wayOf(t.Context(), pump, say(forges.ReportSuccess)); err != nil || again != got || len(s.seen) != calls {
					t.Errorf("asked again: %+v, %v, %d calls more", again, err, len(s.seen)-calls)
				}
			}
		})
	}
}
