package githubface_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/forges/sim"
	"primum/forges/sim/simtest"
)

// desk asks the face as somebody.
type desk struct {
	*testing.T
	*simtest.Rig
	token string
}

// sit makes a rig with an open change, asked as the installation.
func sit(t *testing.T, o simtest.Options) *desk {
	t.Helper()
	d := &desk{T: t, Rig: simtest.New(t, o)}
	d.token = d.jwt(d.App.ID, time.Now(), 5*time.Minute)
	var minted struct {
		Token string `json:"token"`
	}
	d.ask(http.MethodPost, fmt.Sprintf("/app/installations/%d/access_tokens", d.Installation.ID), "").into(http.StatusCreated, &minted)
	d.token = minted.Token
	d.ok(push(d.Forge, "mara", "rate"))
	_, err := d.Forge.As("mara").OpenChange(simtest.Repo, sim.NewChange{Title: "Rate", Head: "rate"})
	d.ok(err)
	return d
}

func push(f *sim.Forge, who, branch string) error {
	_, err := f.As(who).Push(simtest.Repo, branch, sim.NewCommit{Files: map[string]string{"fw/dosing/rate.c": "int rate;\n"}})
	return err
}

func (d *desk) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// jwt signs in as an app.
func (d *desk) jwt(app int64, issued time.Time, life time.Duration) string {
	d.Helper()
	part := func(v any) string {
		raw, err := json.Marshal(v)
		d.ok(err)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	text := part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." +
		part(map[string]any{"iss": strconv.FormatInt(app, 10), "iat": issued.Unix(), "exp": issued.Add(life).Unix()})
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, d.Key, crypto.SHA256, sum[:])
	d.ok(err)
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// reply is what the face answered.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

func (d *desk) ask(method, path, body string) reply {
	d.Helper()
	req, err := http.NewRequestWithContext(d.Context(), method, d.Server.URL+path, strings.NewReader(body))
	d.ok(err)
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	d.ok(err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	d.ok(err)
	return reply{d.T, resp.StatusCode, resp.Header, raw}
}

func (r reply) into(status int, v any) {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("answered %d, want %d: %.300s", r.status, status, r.body)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(r.body, v); err != nil {
		r.t.Fatal(err)
	}
}

// says compares the status and a word of the message.
func (r reply) says(status int, word string) {
	r.t.Helper()
	if r.status != status || !bytes.Contains(r.body, []byte(word)) {
		r.t.Errorf("answered %d %.300s, want %d with %q", r.status, r.body, status, word)
	}
}

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.Options{})
	now := time.Now()
	installation := d.token
	as := func(token, path string) reply {
		d.token = token
		return d.ask(http.MethodGet, path, "")
	}
	as("", "/app").says(401, "Requires authentication")
	as("ghs_made_up", "/repos/acme/pump").says(401, "Bad credentials")
	as(d.jwt(d.App.ID, now, 5*time.Minute), "/app").into(200, nil)
	as(d.jwt(d.App.ID+1, now, 5*time.Minute), "/app").says(401, "Issuer")
	as(d.jwt(d.App.ID, now.Add(-time.Hour), 5*time.Minute), "/app").says(401, "exp")
	as(d.jwt(d.App.ID, now, time.Hour), "/app").says(401, "too far")
	as(d.jwt(d.App.ID, now.Add(time.Hour), 5*time.Minute), "/app").says(401, "")
	forged := d.jwt(d.App.ID, now, 5*time.Minute)
	as(forged[:len(forged)-8]+"AAAAAAAA", "/app").says(401, "could not be decoded")
	as(d.jwt(d.App.ID, now, 5*time.Minute), "/repos/acme/pump").says(403, "installation")
	as(installation, "/app").says(401, "JSON web token")
	as(installation, "/repos/acme/pump").into(200, nil)
	d.Face.ExpireTokens()
	as(installation, "/repos/acme/pump").says(401, "Bad credentials")
	as(simtest.Token, "/repos/acme/pump").into(200, nil)
	as(simtest.Token, "/installation/repositories").says(403, "installation access token")
}

// TestEveryRouteAnswersAsGitHubDescribes asks the routes the adapter asks
// seldom; the rig compares requests and answers with the description.
func TestEveryRouteAnswersAsGitHubDescribes(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.Options{})
	head := d.Forge.Tip(simtest.Repo, "rate")
	review, err := d.Forge.As("priya").Approve(simtest.Repo, 1, "yes")
	d.ok(err)
	_, err = d.Forge.As("priya").OpenThread(simtest.Repo, 1, "fw/dosing/rate.c", 1, "why")
	d.ok(err)
	change, _ := d.Forge.Issue(simtest.Repo, 1)
	note := change.Change.Threads[0].Notes[0].ID
	_, err = d.Forge.As("jonas").SetStatus(simtest.Repo, head, sim.Status{Context: "bench", State: "success"})
	d.ok(err)
	d.ok(d.Forge.As("alex").SetMilestone(simtest.Repo, 1, "2.0"))
	var run struct {
		ID int64 `json:"id"`
	}
	d.ask("POST", "/repos/acme/pump/check-runs", `{"name":"primum","head_sha":"`+head+`","status":"in_progress","output":{"title":"t","summary":"s"}}`).into(201, &run)
	for _, path := range []string{
		"/repos/acme/pump", "/repos/acme/pump/pulls?state=all&sort=updated&direction=desc", "/repos/acme/pump/pulls/1", "/repos/acme/pump/pulls/1/files",
		fmt.Sprintf("/repos/acme/pump/pulls/1/reviews/%d", review), "/repos/acme/pump/compare/main...rate", "/repos/acme/pump/compare/main...acme:rate?per_page=1",
		"/repos/acme/pump/git/trees/main?recursive=1", "/repos/acme/pump/git/trees/" + head, "/repos/acme/pump/git/blobs/" + sim.ObjectID("blob", []byte("int rate;\n")),
		fmt.Sprintf("/repos/acme/pump/check-runs/%d", run.ID), "/repos/acme/pump/commits/" + head + "/check-runs?check_name=primum",
		"/repos/acme/pump/issues/1/comments", "/repos/acme/pump/collaborators/chen/permission", "/installation/repositories?per_page=1",
	} {
		d.ask("GET", path, "").into(200, nil)
	}
	d.ask("PATCH", fmt.Sprintf("/repos/acme/pump/check-runs/%d", run.ID), `{"conclusion":"failure","output":{"title":"t","summary":"s","annotations":[{"path":"a","start_line":1,"end_line":1,"annotation_level":"failure","message":"m"}]},"actions":[{"label":"l","description":"d","identifier":"i"}]}`).into(200, nil)
	reaction := fmt.Sprintf("/repos/acme/pump/pulls/comments/%d/reactions", note)
	d.ask("POST", reaction, `{"content":"eyes"}`).into(201, nil)
	d.ask("POST", reaction, `{"content":"eyes"}`).into(200, nil)
	for _, path := range []string{
		"/repos/acme/pump/pulls/99", "/repos/acme/pump/pulls/1/reviews/9", "/repos/acme/pump/compare/main...none", "/repos/acme/pump/git/trees/none",
		"/repos/acme/pump/git/blobs/none", "/repos/acme/pump/check-runs/9", "/repos/acme/pump/commits/none/check-runs", "/repos/acme/none/pulls", "/repos/acme/pump/issues/9/comments",
	} {
		d.ask("GET", path, "").says(404, "Not Found")
	}
	app := d.jwt(d.App.ID, time.Now(), 5*time.Minute)
	d.token = app
	for _, path := range []string{"/app", "/app/installations", fmt.Sprintf("/app/installations/%d", d.Installation.ID), "/repos/acme/pump/installation", "/app/hook/deliveries?per_page=5"} {
		d.ask("GET", path, "").into(200, nil)
	}
	d.ask("GET", "/app/installations/9", "").says(404, "Not Found")
	d.token = simtest.Token
	d.ask("POST", "/repos/acme/pump/statuses/"+head, `{"state":"success","context":"hand","description":"d"}`).into(201, nil)
}

func TestWhatGitHubRefuses(t *testing.T) {
	t.Parallel()
	// What is asked here is wrong on purpose, so it is not compared.
	d := sit(t, simtest.Options{Unchecked: true})
	head := d.Forge.Tip(simtest.Repo, "rate")
	_, err := d.Forge.AsApp("ci").CreateCheck(simtest.Repo, sim.CheckRun{SHA: head, Name: "build"})
	d.ok(err)
	foreign := d.Forge.Checks(simtest.Repo, head)[0].ID
	check := func(rest string) string { return `{"name":"primum","head_sha":"` + head + `"` + rest + `}` }
	actions := `{"label":"l","description":"d","identifier":"i"}`
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		word                     string
	}{
		{"a check on no commit", "POST", "/check-runs", `{"name":"primum","head_sha":"` + strings.Repeat("1", 40) + `"}`, 422, "No commit found"},
		{"completed without a conclusion", "POST", "/check-runs", check(`,"status":"completed"`), 422, "conclusion"},
		{"a summary too long", "POST", "/check-runs", check(`,"output":{"title":"t","summary":"` + strings.Repeat("ä", 65536) + `"}`), 422, "too long"},
		{"four buttons", "POST", "/check-runs", check(`,"actions":[` + strings.Repeat(actions+",", 3) + actions + `]`), 422, "actions"},
		{"somebody else's check", "PATCH", fmt.Sprint("/check-runs/", foreign), `{"conclusion":"success"}`, 403, "can only be modified"},
		{"an empty comment", "POST", "/issues/1/comments", `{"body":""}`, 422, "blank"},
		{"a comment too long", "POST", "/issues/1/comments", `{"body":"` + strings.Repeat("x", 65537) + `"}`, 422, "too long"},
		{"a comment on nothing", "POST", "/issues/99/comments", `{"body":"x"}`, 404, "Not Found"},
		{"a status without permission", "POST", "/statuses/" + head, `{"state":"success"}`, 403, "not accessible"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := *d
			at.T = t
			at.ask(c.method, "/repos/acme/pump"+c.path, c.body).says(c.status, c.word)
		})
	}
	d.token = simtest.Token
	d.ask("POST", "/repos/acme/pump/check-runs", check("")).says(403, "authenticate via a GitHub App")
	d.ask("POST", "/repos/acme/pump/statuses/"+head, `{"state":"success","description":"`+strings.Repeat("x", 141)+`"}`).says(422, "too long")
}

func TestPagesAreLinked(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.Options{})
	for i := range 6 {
		_, err := d.Forge.As("mara").Comment(simtest.Repo, 1, fmt.Sprint("comment ", i))
		d.ok(err)
	}
	r := d.ask("GET", "/repos/acme/pump/issues/1/comments?per_page=2&page=2", "")
	var got []map[string]any
	r.into(200, &got)
	if len(got) != 2 || got[0]["body"] != "comment 2" {
		t.Errorf("page two is %v", got)
	}
	for _, want := range []string{`page=1&per_page=2>; rel="prev"`, `page=3&per_page=2>; rel="next"`, `page=3&per_page=2>; rel="last"`, `page=1&per_page=2>; rel="first"`} {
		if link := r.header.Get("Link"); !strings.Contains(link, want) {
			t.Errorf("link %q lacks %q", link, want)
		}
	}
	if r.header.Get("X-RateLimit-Remaining") == "" || r.header.Get("X-GitHub-Request-Id") == "" {
		t.Errorf("headers %v", r.header)
	}
}

func TestAFormerNameLeadsToTheRepository(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.Options{})
	d.ok(d.Forge.As("alex").RenameRepo(simtest.Repo, "pump2"))
	r := d.ask("GET", "/repos/acme/pump/pulls?state=open", "")
	r.into(301, nil)
	where := strings.TrimPrefix(r.header.Get("Location"), d.Server.URL)
	if !strings.HasSuffix(where, "/pulls?state=open") {
		t.Errorf("location %q", where)
	}
	d.ask("GET", where, "").into(200, nil)
	d.ask("POST", "/repos/acme/pump/issues/1/comments", `{"body":"x"}`).says(307, "Moved")
}

func TestGraphQLErrorsAreGitHubs(t *testing.T) {
	t.Parallel()
	// A field GitHub has not is the case in point, so the queries are not compared.
	d := sit(t, simtest.Options{Unchecked: true})
	for _, c := range []struct{ name, query, want string }{
		{"a repository that is not there", `{ repository(owner:"acme",name:"none") { id } }`, `"type":"NOT_FOUND"`},
		{"and null in its place", `{ repository(owner:"acme",name:"none") { id } }`, `"data":{"repository":null}`},
		{"the path of the error", `{ repository(owner:"acme",name:"pump") { x: pullRequest(number:99) { id } } }`, `"path":["repository","x"]`},
		{"a field GitHub has not", `{ viewer { shoeSize } }`, `Field 'shoeSize' doesn't exist on type 'User'`},
		{"no data after that", `{ viewer { shoeSize } }`, `{"errors":`},
		{"a connection without a bound", `{ repository(owner:"acme",name:"pump") { pullRequest(number:1) { comments { totalCount } } } }`, "MISSING_PAGINATION_BOUNDARIES"},
		{"a page too long", `{ repository(owner:"acme",name:"pump") { pullRequest(number:1) { comments(first:101) { totalCount } } } }`, "EXCESSIVE_PAGINATION"},
		{"a cursor nobody gave", `{ repository(owner:"acme",name:"pump") { pullRequest(number:1) { comments(first:1, after:"x") { totalCount } } } }`, "INVALID_CURSOR"},
		{"no GraphQL", `{ viewer {`, "Parse error"},
		{"a fragment nobody defined", `{ viewer { ...none } }`, "but not defined"},
		{"a variable that is missing", `query($n: Int!) { repository(owner:"acme",name:"pump") { pullRequest(number:$n) { id } } }`, "was provided invalid value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := *d
			at.T = t
			at.ask("POST", "/graphql", fmt.Sprintf(`{"query":%q}`, c.query)).says(200, c.want)
		})
	}
}

func TestGraphQLAnswersInTheOrderAsked(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.Options{})
	query := `query($deep: Boolean!) { b: repository(owner:"acme",name:"pump") { name ...more ... on Repository { isPrivate } url @skip(if: $deep) } a: viewer { __typename } }
fragment more on Repository { pullRequests(first: 1, states: [OPEN]) { totalCount edges { cursor node { title mergeable reviewDecision reactions: number } } } }`
	body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"deep": true}})
	d.ok(err)
	d.ask("POST", "/graphql", string(body)).says(200, `{"data":{"b":{"name":"pump","pullRequests":{"totalCount":1,"edges":[{"cursor":"Y3Vyc29yOnYyOjE=","node":{"title":"Rate","mergeable":"MERGEABLE","reviewDecision":null,"reactions":1}}]},"isPrivate":false},"a":{"__typename":"User"}}}`)
}

// letters receives deliveries.
type letters struct {
	mu     sync.Mutex
	status int
	guids  []string
	events []string
}

func (l *letters) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.guids = append(l.guids, r.Header.Get("X-GitHub-Delivery"))
	l.events = append(l.events, r.Header.Get("X-GitHub-Event"))
	if l.status != 0 {
		w.WriteHeader(l.status)
	}
}

// deliver runs some issues through the post with faults and gives the guids in
// order of arrival.
func deliver(t *testing.T, l *letters, faults sim.Faults) (*simtest.Rig, []string) {
	t.Helper()
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	rig := simtest.New(t, simtest.Options{HookURL: server.URL, Seed: 3})
	if err := rig.Face.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.guids = nil
	l.mu.Unlock()
	rig.Forge.SetFaults(func(f *sim.Faults) { *f = faults })
	for range 20 {
		if _, err := rig.Forge.As("jonas").OpenIssue(simtest.Repo, "x", ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := rig.Face.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return rig, append([]string{}, l.guids...)
}

func TestDeliveriesGetLostRepeatedAndOutOfOrder(t *testing.T) {
	t.Parallel()
	shape := func(guids []string) (distinct int, sorted bool) {
		seen := map[string]bool{}
		sorted = true
		for i, g := range guids {
			seen[g] = true
			sorted = sorted && (i == 0 || guids[i-1] <= g)
		}
		return len(seen), sorted
	}
	for _, c := range []struct {
		name     string
		faults   sim.Faults
		arrive   int
		distinct int
		sorted   bool
	}{
		{"none of it", sim.Faults{}, 20, 20, true},
		{"all lost", sim.Faults{LoseShare: 1}, 0, 0, true},
		{"all repeated", sim.Faults{RepeatShare: 1}, 40, 20, true},
		{"out of order", sim.Faults{ReorderShare: 1}, 20, 20, false},
		{"late", sim.Faults{Delay: time.Millisecond}, 20, 20, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, guids := deliver(t, &letters{}, c.faults)
			distinct, sorted := shape(guids)
			if len(guids) != c.arrive || distinct != c.distinct || sorted != c.sorted {
				t.Errorf("%d arrived, %d of them distinct, in order: %t", len(guids), distinct, sorted)
			}
		})
	}
}

func TestTheDeliveryLogKnowsWhatWasRefused(t *testing.T) {
	t.Parallel()
	l := &letters{status: http.StatusServiceUnavailable}
	rig, guids := deliver(t, l, sim.Faults{})
	d := &desk{T: t, Rig: rig}
	d.token = d.jwt(d.App.ID, time.Now(), 5*time.Minute)
	seen := map[string]int64{}
	for path := "/app/hook/deliveries?per_page=7"; path != ""; {
		var items []struct {
			ID     int64  `json:"id"`
			GUID   string `json:"guid"`
			Status int    `json:"status_code"`
		}
		r := d.ask("GET", path, "")
		r.into(200, &items)
		for _, i := range items {
			seen[i.GUID] = i.ID
			if i.Status != http.StatusServiceUnavailable {
				t.Errorf("delivery %d has status %d", i.ID, i.Status)
			}
		}
		path = ""
		if link := r.header.Get("Link"); link != "" {
			path = strings.TrimPrefix(strings.TrimPrefix(link[:strings.IndexByte(link, '>')], "<"), rig.Server.URL)
		}
	}
	for _, g := range guids {
		if seen[g] == 0 {
			t.Errorf("delivery %s is not in the log", g)
		}
	}
	l.mu.Lock()
	l.status, l.guids = http.StatusAccepted, nil
	l.mu.Unlock()
	id := seen[guids[4]]
	d.ask("POST", fmt.Sprintf("/app/hook/deliveries/%d/attempts", id), "").into(202, nil)
	d.ok(rig.Face.Drain(t.Context()))
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.guids) != 1 || l.guids[0] != guids[4] {
		t.Errorf("came again: %v, want %s", l.guids, guids[4])
	}
	log := rig.Face.Deliveries()
	if last := log[len(log)-1]; !last.Again || last.Status != http.StatusAccepted {
		t.Errorf("last of the log: again %t, status %d", last.Again, last.Status)
	}
	d.ask("POST", "/app/hook/deliveries/9/attempts", "").says(404, "Not Found")
}

// TestTheRarerWebhooksAreGitHubs makes happen what the contract does not; the
// rig compares their payloads with the description.
func TestTheRarerWebhooksAreGitHubs(t *testing.T) {
	t.Parallel()
	l := &letters{}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	rig := simtest.New(t, simtest.Options{HookURL: server.URL})
	f := rig.Forge
	alex := f.As("alex")
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	n, err := alex.OpenIssue(simtest.Repo, "x", "y")
	ok(err)
	ok(alex.SetType(simtest.Repo, n, "Bug"))
	ok(alex.SetMilestone(simtest.Repo, n, "2.0"))
	ok(alex.SetMilestone(simtest.Repo, n, ""))
	ok(alex.AddLabel(simtest.Repo, "urgent", "ff0000"))
	ok(alex.Protect(simtest.Repo, "main", &sim.Protection{Approvals: 1}))
	ok(alex.Protect(simtest.Repo, "main", &sim.Protection{Approvals: 2}))
	ok(alex.Protect(simtest.Repo, "main", nil))
	ok(alex.Tag(simtest.Repo, "v1", "main"))
	f.AddRepo("acme/other", sim.RepoOptions{By: "alex", Private: true})
	f.AddRepo("alex/own", sim.RepoOptions{})
	in := f.Install(simtest.App, "alex", sim.InstallOptions{Repos: []string{"alex/own"}})
	f.SetInstalled(in.ID, nil, []string{"alex/own"})
	f.SetInstalled(in.ID, []string{"alex/own"}, nil)
	f.Suspend(in.ID, true)
	f.Suspend(in.ID, false)
	f.Uninstall(in.ID)
	ok(rig.Face.Drain(t.Context()))
	l.mu.Lock()
	defer l.mu.Unlock()
	count := map[string]int{}
	for _, e := range l.events {
		count[e]++
	}
	for event, want := range map[string]int{"issues": 4, "label": 1, "branch_protection_rule": 3, "push": 1, "repository": 1, "installation": 4, "installation_repositories": 2} {
		if count[event] < want {
			t.Errorf("%d deliveries of %s, want at least %d; all: %v", count[event], event, want, count)
		}
	}
}

func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	d := sit(t, simtest.Options{})
	d.Face.ResetCalls()
	d.ask("GET", "/repos/acme/pump", "").into(200, nil)
	d.ask("POST", "/graphql", `{"query":"{ viewer { login } }"}`).into(200, nil)
	d.ask("POST", "/repos/acme/pump/issues/1/comments", `{"body":"x"}`).into(201, nil)
	got := d.Face.Calls()
	if got.Reads != 2 || got.Writes != 1 || got.Tokens != 0 || got.Routes["POST /graphql"] != 1 {
		t.Errorf("calls %+v", got)
	}
}
