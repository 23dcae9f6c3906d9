package gitea

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/forges"
	"primum/rules/fact"
)

// answer is what a scripted instance says to one call.
type answer struct {
	status int
	header map[string]string
	body   string
}

// scripted is an instance that gives recorded answers, and others made up in
// their shape. Calls it was not told of end with 404.
type scripted struct {
	mu      sync.Mutex
	answers map[string]answer // by method and path below /api/v1
	moves   map[string]answer // given from the second call on
	calls   []string
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v1")
	a, ok := s.moves[call]
	ok = ok && slices.Contains(s.calls, call)
	s.calls = append(s.calls, call)
	if !ok {
		a, ok = s.answers[call+"?"+r.URL.RawQuery]
	}
	if !ok {
		a, ok = s.answers[call]
	}
	if !ok {
		a = answer{status: http.StatusNotFound, body: `{"message":"not found"}`}
	}
	w.Header().Set("Content-Type", "application/json")
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

func (s *scripted) count(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

// said gives a recorded answer.
func said(t *testing.T, name string) (string, answer) {
	t.Helper()
	files, err := filepath.Glob(recorded + "/api/" + name + "-*.json")
	if err != nil || len(files) != 1 {
		t.Fatalf("recorded answer %s: %v %v", name, files, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Request struct {
			Method string `json:"method"`
			Path   string `json:"path"`
		} `json:"request"`
		Response struct {
			Status  int               `json:"status"`
			Headers map[string]string `json:"headers"`
			Body    json.RawMessage   `json:"body"`
		} `json:"response"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(r.Request.Path, "/api/v1"), "?")
	return r.Request.Method + " " + path, answer{status: r.Response.Status, header: r.Response.Headers, body: string(r.Response.Body)}
}

const (
	ok200    = `{"version":"1.26.3"}`
	whoAmI   = `{"id":6,"login":"primum-bot"}`
	headSHA  = "a5eed6700d80c70d0ce52d8e545db8ae9a8ec019"
	firstSHA = "fd0176befd0797532379e2c09a788155465597fa"
)

// instance is an adapter before a scripted instance.
func instance(t *testing.T, answers map[string]string, names ...string) (*Forge, *scripted) {
	t.Helper()
	s := &scripted{answers: map[string]answer{
		"GET /user":    {status: http.StatusOK, body: whoAmI},
		"GET /version": {status: http.StatusOK, body: ok200},
	}}
	for _, name := range names {
		call, a := said(t, name)
		s.answers[call] = a
	}
	for call, body := range answers {
		s.answers[call] = answer{status: http.StatusOK, body: body}
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	f, err := New(Config{
		URL: server.URL, Token: "t", NoWebhooks: true, Now: func() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) },
		Wait: func(int) time.Duration { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return f, s
}

var pump = forges.RepoRef{Forge: "gitea", ID: "1", Owner: "meddev", Name: "pump"}

// TestRecordedAnswers reads the change of the story as it stood before its merge.
func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	const repo = "GET /repos/meddev/pump"
	f, s := instance(t, map[string]string{
		repo + "/pulls/3/reviews/3/comments": `[{"id":21,"pull_request_review_id":3,"path":"src/air.c","position":1,"original_position":0,"body":"Add a test.\nPlease.",` +
			`"user":{"id":5,"login":"qa"},"resolver":null,"html_url":"http://127.0.0.1/x#issuecomment-21"}]`,
		repo + "/issues/3/comments": `[{"id":18,"user":{"id":5,"login":"qa"},"body":"/primum status","created_at":"2026-11-22T08:12:00Z","updated_at":"2026-11-22T08:12:00Z"},` +
			`{"id":19,"user":{"id":6,"login":"primum-bot"},"body":"Summary","created_at":"2026-11-22T08:12:01Z","updated_at":"2026-11-22T08:12:09Z"},` +
			`{"id":20,"user":{"id":-1,"login":"Ghost"},"body":"gone","created_at":"2026-11-22T08:12:02Z","updated_at":"2026-11-22T08:12:02Z"}]`,
		repo + "/contents/.primum.yml":              `{"path":".primum.yml","sha":"ab","type":"file","size":11,"encoding":"base64","content":"dmVyc2lvbjogMQo="}`,
		repo + "/issues/3/timeline?limit=50&page=2": `[]`,
		repo + "/commits/" + headSHA + "/statuses": `[` +
			`{"id":9,"status":"success","context":"primum","creator":{"id":2,"login":"author"},"created_at":"2026-11-22T08:13:00Z"},` +
			`{"id":8,"status":"failure","context":"primum","creator":{"id":6,"login":"primum-bot"},"created_at":"2026-11-22T08:12:59Z"},` +
			`{"id":7,"status":"skipped","context":"ci / test","creator":{"id":-2,"login":"gitea-actions"},"created_at":"2026-11-22T08:12:58Z"},` +
			`{"id":6,"status":"warning","context":"lint","creator":{"id":2,"login":"author"},"created_at":"2026-11-22T08:12:57Z"},` +
			`{"id":5,"status":"pending","context":"primum","creator":{"id":6,"login":"primum-bot"},"created_at":"2026-11-22T08:12:56Z"}]`,
		"GET /users/search": `{"data":[{"id":3,"login":"reviewer","email":"reviewer@example.invalid"}],"ok":true}`,
	}, "042", "031", "043", "044", "045", "046", "048", "070")
	s.answers[repo+"/commits/"+headSHA+"/statuses"] = answer{
		status: 200, header: map[string]string{"X-Total-Count": "5"}, body: s.answers[repo+"/commits/"+headSHA+"/statuses"].body,
	}
	c, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: pump, Number: 3}, forges.Plan{Needs: []fact.Need{
		fact.NeedPolicy, fact.NeedFiles, fact.NeedCommits, fact.NeedReviews, fact.NeedThreads, fact.NeedChecks, fact.NeedComments, fact.NeedIssues,
	}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/change.golden", string(raw)+"\n")
}

// TestEveryRefusal gives each recorded refusal its meaning.
func TestEveryRefusal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		recorded string
		want     error
	}{
		{"050", forges.ErrForbidden}, // not an administrator
		{"052", forges.ErrForbidden}, // permissions of others
		{"055", forges.ErrForbidden}, // not in the team
		{"065", forges.ErrNotFound},
		{"066", forges.ErrSuspended}, // the token is wrong
		{"067", forges.ErrForbidden}, // a scope is missing
		{"102", forges.ErrConflict},  // 405: not now
	} {
		call, a := said(t, c.recorded)
		if got := meaning(a.status, a.body); !errors.Is(got, c.want) {
			t.Errorf("%s: %d is %v, want %v", call, a.status, got, c.want)
		}
	}
	_, none := said(t, "025")
	if got := meaning(none.status, none.body); got != nil {
		t.Errorf("500 is %v for ever", got)
	}
}

func TestNoSuchCommit(t *testing.T) {
	t.Parallel()
	const sha = "1234567812345678123456781234567812345678"
	_, refused := said(t, "025")
	f, s := instance(t, nil)
	s.answers["POST /repos/meddev/pump/statuses/"+sha] = refused
	_, err := f.SetVerdict(t.Context(), pump, sha, forges.Report{Name: "primum", State: forges.ReportFailure}, forges.Posted{})
	if !errors.Is(err, forges.ErrNotFound) || forges.Temporary(err) {
		t.Errorf("a commit that is not there: %v", err)
	}
	s.answers["GET /repos/meddev/pump/git/commits/"+sha] = answer{status: 200, body: `{"sha":"` + sha + `"}`}
	_, err = f.SetVerdict(t.Context(), pump, sha, forges.Report{Name: "primum", State: forges.ReportFailure}, forges.Posted{})
	if err == nil || !forges.Temporary(err) {
		t.Errorf("a commit that is there: %v, want an error that may go away", err)
	}
	if n := s.count("POST"); n != 2 {
		t.Errorf("%d writes, want 2: a writing call is not repeated", n)
	}
}

// TestTeamsWeMayNotSee: the bot of the story is in no team but its own.
func TestTeamsWeMayNotSee(t *testing.T) {
	t.Parallel()
	const repo = "GET /repos/meddev/pump"
	f, _ := instance(t, map[string]string{
		repo + "/contents/.primum.yml": `{"path":".primum.yml","sha":"ab","type":"file","size":11,"encoding":"base64","content":"dmVyc2lvbjogMQo="}`,
	}, "042", "054", "055")
	c, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: pump, Number: 3}, forges.Plan{
		Needs: []fact.Need{fact.NeedPeople}, Principals: []string{"team:Quality", "team:none", "team:other/quality", "nonsense"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"team:Quality":       "the members of team quality may not be read; add the account primum-bot to the team, or to the owners of meddev (Must be a team member)",
		"team:none":          `meddev has no team "none", or Primum may not see it`,
		"team:other/quality": `team "other/quality" is of another organisation than the repository`,
		"nonsense":           `"nonsense" names nobody; write team:name or user:login`,
	} {
		if p := c.People[name]; p.Problem != want || len(p.Members) > 0 {
			t.Errorf("%s: %q with %d members, want %q", name, p.Problem, len(p.Members), want)
		}
	}
}

// TestPermission: the forge tells an administrator only, and says "read" of
// those who write by a team.
func TestPermission(t *testing.T) {
	t.Parallel()
	const repo = "GET /repos/meddev/pump"
	base := map[string]string{
		repo:                     `{"id":1,"name":"pump","private":false}`,
		repo + "/assignees":      `[{"id":2,"login":"author"},{"id":5,"login":"QA"}]`,
		"GET /users/riskmanager": `{"id":4,"login":"riskmanager"}`,
		repo + "/collaborators/author/permission":   `{"permission":"read"}`,
		repo + "/collaborators/rigadmin/permission": `{"permission":"owner"}`,
		repo + "/collaborators/reader/permission":   `{"permission":"read"}`,
		repo + "/collaborators/none/permission":     `{"permission":"none"}`,
	}
	f, s := instance(t, base, "052")
	refused := s.answers[repo+"/collaborators/qa/permission"]
	s.answers[repo+"/collaborators/riskmanager/permission"] = refused
	s.answers[repo+"/collaborators/gone/permission"] = refused
	for login, want := range map[string]forges.Permission{
		"qa": forges.PermWrite, "author": forges.PermWrite, "rigadmin": forges.PermAdmin, "reader": forges.PermRead, "none": forges.PermNone,
		"riskmanager": forges.PermRead, "gone": forges.PermNone, "nobody": forges.PermNone, "../x": forges.PermNone,
	} {
		got, err := f.Permission(t.Context(), pump, login)
		if err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", login, got, err, want)
		}
	}
	s.answers[repo] = answer{status: 200, body: `{"id":1,"name":"pump","private":true}`}
	if got, err := f.Permission(t.Context(), pump, "riskmanager"); err != nil || got != forges.PermNone {
		t.Errorf("in a private repository: %s %v", got, err)
	}
}

// TestRenamedRepository: the forge forwards calls to a former name. Reading
// follows on the forge's own host; writing does not.
func TestRenamedRepository(t *testing.T) {
	t.Parallel()
	f, s := instance(t, nil, "042")
	old := forges.RepoRef{ID: "1", Owner: "meddev", Name: "old"}
	move := func(to string) answer {
		return answer{status: http.StatusMovedPermanently, header: map[string]string{"Location": to}}
	}
	s.answers["GET /repos/meddev/old/pulls/3"] = move("/api/v1/repos/meddev/pump/pulls/3")
	s.answers["GET /repos/meddev/old/contents/.primum.yml"] = answer{status: http.StatusNotFound}
	c, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: old, Number: 3}, forges.Plan{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Repo.Name != "pump" {
		t.Errorf("repository %s, want its new name", c.Repo.Name)
	}
	old.ID = "99"
	if _, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: old, Number: 3}, forges.Plan{}); !errors.Is(err, forges.ErrNotFound) {
		t.Errorf("a name that is another repository's: %v", err)
	}
	s.answers["GET /repos/meddev/old/pulls/3"] = move("http://elsewhere.example/api/v1/repos/meddev/pump/pulls/3")
	if _, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: old, Number: 3}, forges.Plan{}); err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("another host: %v", err)
	}
	s.answers["POST /repos/meddev/old/issues/3/comments"] = move("/api/v1/repos/meddev/pump/issues/3/comments")
	if _, err := f.PutComment(t.Context(), forges.ChangeRef{Repo: old, Number: 3}, "", "x"); !errors.Is(err, forges.ErrConflict) {
		t.Errorf("a comment under the former name: %v, want %v", err, forges.ErrConflict)
	}
	if n := s.count("POST /repos/meddev/pump"); n > 0 {
		t.Errorf("%d writes went on to the new name", n)
	}
}

// TestShortPages: a page of a timeline may be short though more follow, since the
// forge leaves entries out after counting.
func TestShortPages(t *testing.T) {
	t.Parallel()
	entry := func(id, kind, more string) string {
		return `{"id":` + id + `,"type":"` + kind + `","user":{"id":4,"login":"chen"},"created_at":"2026-11-22T08:10:0` + id + `Z","updated_at":"2026-11-22T08:10:0` + id + `Z"` + more + `}`
	}
	const label = `,"label":{"id":1,"name":"approved"}`
	for _, c := range []struct {
		name         string
		issue        string
		pages        [3]string
		comments     int
		labels, read int
	}{
		{
			"all there", `"comments":1,"labels":[{"id":1,"name":"approved"}]`,
			[3]string{"[" + entry("1", "comment", "") + "," + entry("2", "label", label+`,"body":"1"`) + "]"},
			1, 1, 1,
		},
		{
			"a comment is missing", `"comments":2,"labels":[]`,
			[3]string{"[" + entry("1", "comment", "") + "]", "[" + entry("2", "comment", "") + "]"},
			2, 0, 2,
		},
		{
			"a label is missing", `"comments":0,"labels":[{"id":1,"name":"approved"}]`,
			[3]string{"[]", "[]"},
			0, 0, 1,
		},
		{
			"a label was taken off on the next page", `"comments":0,"labels":[]`,
			[3]string{"[" + entry("1", "label", label+`,"body":"1"`) + "]", "[" + entry("2", "label", label+`,"body":""`) + "]"},
			0, 2, 2,
		},
		{
			"a comment is counted that went", `"comments":2,"labels":[]`,
			[3]string{"[" + entry("1", "comment", "") + "]", "[]"},
			1, 0, 2,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const path = "GET /repos/meddev/pump/issues/7"
			f, s := instance(t, map[string]string{
				path: `{"id":7,"number":7,"title":"x","state":"open","user":{"id":2,"login":"author"},` + c.issue + `}`,
			}, "042")
			s.answers["GET /repos/meddev/pump/contents/.primum.yml"] = answer{status: http.StatusNotFound}
			for i, page := range c.pages {
				if page == "" {
					page = "[]"
				}
				s.answers[path+"/timeline?limit=50&page="+string(rune('1'+i))] = answer{status: 200, body: page}
			}
			got, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: pump, Number: 3}, forges.Plan{Needs: []fact.Need{fact.NeedIssues}, Issues: []string{"#7"}})
			if err != nil {
				t.Fatal(err)
			}
			is := got.Issue(7)
			if is == nil || len(is.Comments) != c.comments || len(is.LabelEvents) != c.labels {
				t.Fatalf("issue %+v, want %d comments and %d label events", is, c.comments, c.labels)
			}
			if n := s.count(path + "/timeline"); n != c.read {
				t.Errorf("%d pages read, want %d", n, c.read)
			}
		})
	}
}

// TestFilesOfSeveralPages: an instance may give fewer items a page than asked.
func TestFilesOfSeveralPages(t *testing.T) {
	t.Parallel()
	const path = "GET /repos/meddev/pump/pulls/3/files"
	f, s := instance(t, nil, "042")
	s.answers["GET /repos/meddev/pump/contents/.primum.yml"] = answer{status: http.StatusNotFound}
	for i, body := range []string{
		`[{"filename":"a","status":"added","additions":1},{"filename":"b","status":"changed"}]`,
		`[{"filename":"c","status":"renamed","previous_filename":"d"},{"filename":"e","status":"deleted"}]`,
		`[{"filename":"f","status":"unchanged"}]`,
	} {
		s.answers[path+"?limit=50&page="+string(rune('1'+i))] = answer{status: 200, header: map[string]string{"X-Total-Count": "5"}, body: body}
	}
	read := func() (*fact.Change, error) {
		return f.ReadChange(t.Context(), forges.ChangeRef{Repo: pump, Number: 3}, forges.Plan{Needs: []fact.Need{fact.NeedFiles}})
	}
	c, err := read()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range c.Files {
		got = append(got, string(n.Status)+" "+n.Path+"<"+n.Previous)
	}
	if want := "added a<;modified b<;renamed c<d;deleted e<;modified f<"; strings.Join(got, ";") != want {
		t.Errorf("files %v, want %s", got, want)
	}
	if _, err := read(); err != nil || s.count(path) != 3 {
		t.Errorf("read again: %v, %d calls for files, want 3", err, s.count(path))
	}
	g, s := instance(t, nil, "042")
	s.answers["GET /repos/meddev/pump/contents/.primum.yml"] = answer{status: http.StatusNotFound}
	s.answers[path] = answer{status: 200, header: map[string]string{"X-Total-Count": "1"}, body: `[{"filename":"a","status":"added",` +
		`"contents_url":"http://x/api/v1/repos/meddev/pump/contents/a?ref=1111111111111111111111111111111111111111"}]`}
	_, err = g.ReadChange(t.Context(), forges.ChangeRef{Repo: pump, Number: 3}, forges.Plan{Needs: []fact.Need{fact.NeedFiles}})
	if !errors.Is(err, forges.ErrConflict) || !forges.Temporary(err) {
		t.Errorf("files of another head: %v, want %v", err, forges.ErrConflict)
	}
}

// TestInAWorkflow: a job's token is that of every workflow, whose statuses are
// not ours but for the one of our name.
func TestInAWorkflow(t *testing.T) {
	t.Parallel()
	const repo = "GET /repos/meddev/pump"
	f, s := instance(t, map[string]string{
		"GET /user": `{"id":-2,"login":"gitea-actions"}`,
	}, "042")
	s.answers[repo+"/contents/.primum.yml"] = answer{status: http.StatusNotFound}
	s.answers[repo+"/commits/"+headSHA+"/statuses"] = answer{status: 200, header: map[string]string{"X-Total-Count": "2"}, body: `[` +
		`{"id":2,"status":"success","context":"primum","creator":{"id":-2,"login":"gitea-actions"},"created_at":"2026-11-22T08:12:59Z"},` +
		`{"id":1,"status":"success","context":"ci / test","creator":{"id":-2,"login":"gitea-actions"},"created_at":"2026-11-22T08:12:58Z"}]`}
	c, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: pump, Number: 3}, forges.Plan{Needs: []fact.Need{fact.NeedChecks}})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Checks) != 2 || c.Checks[0].Ours || !c.Checks[1].Ours {
		t.Errorf("checks %+v", c.Checks)
	}
}

// TestBranchesGone: of a closed change whose fork or target branch is gone, what
// the forge fails to show is unknown; of an open one it is asked for again.
func TestBranchesGone(t *testing.T) {
	t.Parallel()
	_, a := said(t, "042")
	plan := forges.Plan{Needs: []fact.Need{fact.NeedPolicy, fact.NeedFiles, fact.NeedCommits}}
	for state, wantErr := range map[string]bool{"closed": false, "open": true} {
		f, s := instance(t, nil)
		gone := a
		gone.body = strings.Replace(strings.Replace(a.body, `"state": "open"`, `"state": "`+state+`"`, 1),
			`"sha": "95e0416ea8c6026714a998079cd51b5601864282"`, `"sha": ""`, 1)
		s.answers["GET /repos/meddev/pump/pulls/3"] = gone
		page := answer{status: http.StatusInternalServerError, header: map[string]string{"Content-Type": "text/html; charset=utf-8"}, body: "<!DOCTYPE html><html><title>Internal server error</title></html>"}
		s.answers["GET /repos/meddev/pump/pulls/3/files"] = page
		s.answers["GET /repos/meddev/pump/pulls/3/commits"] = page
		c, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: pump, Number: 3}, plan)
		if wantErr {
			if err == nil || !forges.Temporary(err) {
				t.Errorf("%s: %v, want an error that may go away", state, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", state, err)
			continue
		}
		for _, need := range plan.Needs {
			if why, known := c.Why(need); known || strings.Contains(why, "<") {
				t.Errorf("%s: %s known %t: %s", state, need, known, why)
			}
		}
	}
}
