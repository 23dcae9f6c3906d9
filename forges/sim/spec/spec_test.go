package spec_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"primum/forges/sim/spec"
)

// ear is a test that only listens.
type ear struct {
	testing.TB
	heard []string
}

func (e *ear) Helper()                   {}
func (e *ear) Cleanup(func())            {}
func (e *ear) Logf(string, ...any)       {}
func (e *ear) Errorf(f string, a ...any) { e.heard = append(e.heard, fmt.Sprintf(f, a...)) }

// available skips a test whose descriptions cannot be had.
func available(t *testing.T) {
	t.Helper()
	spec.Examples(t)
}

// hear runs one request through Wrap around a face that answers as told, and
// gives the complaints.
func hear(t *testing.T, method, path, body string, status int, answer string) string {
	t.Helper()
	available(t)
	e := &ear{TB: t}
	h := spec.Wrap(e, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	h.ServeHTTP(httptest.NewRecorder(), req)
	return strings.Join(e.heard, "\n")
}

func TestWhatDiffersFromGitHubIsReported(t *testing.T) {
	t.Parallel()
	const notFound = `{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`
	graph := func(query string) string { return fmt.Sprintf(`{"query":%q}`, query) }
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
		want                     string // part of the complaint; "" if there is none
	}{
		{"a described error", "GET", "/repos/a/b/pulls/1", "", 404, notFound, ""},
		{"a route GitHub has not", "GET", "/repos/a/b/judgements", "", 200, `[]`, "GitHub has no GET /repos/a/b/judgements"},
		{"a parameter GitHub has not", "GET", "/repos/a/b/pulls?colour=red", "", 200, `[]`, `no query parameter "colour"`},
		{"a word GitHub does not take", "GET", "/repos/a/b/pulls?state=ajar", "", 200, `[]`, `"ajar" is none of`},
		{"more to a page than GitHub gives", "GET", "/repos/a/b/pulls?per_page=500", "", 200, `[]`, "between 1 and 100"},
		{"a list with holes", "GET", "/repos/a/b/pulls", "", 200, `[{"number":1}]`, "missing properties"},
		{"an answer GitHub does not give", "GET", "/repos/a/b/pulls", "", 207, `[]`, "does not answer 207"},
		{"a body without what is required", "POST", "/repos/a/b/check-runs", `{"head_sha":"x"}`, 404, notFound, "missing property 'name'"},
		{"a body with the wrong type", "POST", "/repos/a/b/issues/1/comments", `{"body":7}`, 404, notFound, "want string"},
		{"an error without a message", "POST", "/repos/a/b/check-runs", `{"head_sha":"x","name":"n"}`, 403, `{}`, "without a message"},
		{"an Enterprise Server's address", "GET", "/api/v3/repos/a/b/pulls/1", "", 404, notFound, ""},
		{"a branch with a slash in a comparison", "GET", "/repos/a/b/compare/x/y...z", "", 404, notFound, ""},
		{"a good query", "POST", "/graphql", graph(`{ viewer { login } }`), 200, `{"data":{"viewer":{"login":"mara"}}}`, ""},
		{"a field GitHub has not", "POST", "/graphql", graph(`{ viewer { shoeSize } }`), 200, `{"data":{"viewer":{"shoeSize":"44"}}}`, `Cannot query field "shoeSize"`},
		{"a variable nobody declared", "POST", "/graphql", `{"query":"{ viewer { login } }","variables":{"x":1}}`, 200, `{"data":{"viewer":{"login":"mara"}}}`, "$x is not declared"},
		{"a field that was not answered", "POST", "/graphql", graph(`{ viewer { login url } }`), 200, `{"data":{"viewer":{"login":"mara"}}}`, "data.viewer.url is missing"},
		{"a field nobody asked for", "POST", "/graphql", graph(`{ viewer { login } }`), 200, `{"data":{"viewer":{"login":"mara","url":"x"}}}`, "data.viewer.url was not asked for"},
		{"null where GitHub has none", "POST", "/graphql", graph(`{ viewer { login } }`), 200, `{"data":{"viewer":{"login":null}}}`, "data.viewer.login is null"},
		{"a number where GitHub has text", "POST", "/graphql", graph(`{ viewer { login } }`), 200, `{"data":{"viewer":{"login":7}}}`, "is no String"},
		{"a word that is in no enumeration", "POST", "/graphql", graph(`{ repository(owner:"a",name:"b") { pullRequest(number:1) { state } } }`), 200, `{"data":{"repository":{"pullRequest":{"state":"AJAR"}}}}`, "is no PullRequestState"},
		{"a type that cannot stand there", "POST", "/graphql", graph(`{ repository(owner:"a",name:"b") { owner { __typename login } } }`), 200, `{"data":{"repository":{"owner":{"__typename":"Team","login":"a"}}}}`, "Team is no RepositoryOwner"},
		{"neither data nor errors", "POST", "/graphql", graph(`{ viewer { login } }`), 200, `{}`, "neither data nor errors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := hear(t, c.method, c.path, c.body, c.status, c.answer)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("complaint %q, want %q", got, c.want)
			}
		})
	}
}

func TestAWebhookThatDiffersIsReported(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	for _, k := range []string{"User-Agent", "X-Github-Hook-Id", "X-Github-Event", "X-Github-Hook-Installation-Target-Id", "X-Github-Hook-Installation-Target-Type", "X-GitHub-Delivery", "X-Hub-Signature-256"} {
		header.Set(k, "x")
	}
	bare := header.Clone()
	bare.Del("X-GitHub-Delivery")
	for _, c := range []struct {
		name, event string
		header      http.Header
		body        string
		want        string
	}{
		{"an action GitHub has not", "issues", header, `{"action":"sung"}`, "GitHub sends no issues-sung"},
		{"a payload with holes", "issues", header, `{"action":"opened"}`, "missing properties"},
		{"a header is missing", "issues", bare, `{"action":"opened"}`, "header X-GitHub-Delivery is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			available(t)
			e := &ear{TB: t}
			spec.Sent(e)(c.event, c.header, []byte(c.body))
			if got := strings.Join(e.heard, "\n"); !strings.Contains(got, c.want) {
				t.Errorf("complaint %q, want %q", got, c.want)
			}
		})
	}
}
