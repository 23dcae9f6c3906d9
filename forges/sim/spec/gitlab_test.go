package spec

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestGitLabRequests: what GitLab's description lets pass of a request.
func TestGitLabRequests(t *testing.T) {
	t.Parallel()
	g, err := loadGitLab()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, path, body, want string
	}{
		{"a described call", http.MethodGet, "/api/v4/projects/acme%2Fpump/merge_requests?state=opened&per_page=100", "", ""},
		{"below a path", http.MethodGet, "/gitlab/api/v4/projects/7", "", ""},
		{"a file with slashes", http.MethodGet, "/api/v4/projects/7/repository/files/fw%2Frate.c?ref=main", "", ""},
		{"one known from documentation", http.MethodPost, "/api/v4/projects/7/issues/3/notes", `{"body":"x"}`, ""},
		{"a body as described", http.MethodPost, "/api/v4/projects/7/statuses/abc", `{"state":"success","pipeline_id":3}`, ""},
		{"an unknown path", http.MethodGet, "/api/v4/projects/7/verdicts", "", "GitLab has no GET"},
		{"an unknown method", http.MethodDelete, "/api/v4/projects/7/statuses/abc", "", "GitLab has no DELETE"},
		{"an unknown parameter", http.MethodGet, "/api/v4/projects/7/merge_requests?status=open", "", `no query parameter "status"`},
		{"a word that is none of the enumeration", http.MethodGet, "/api/v4/projects/7/merge_requests?state=open", "", "is none of"},
		{"a missing parameter", http.MethodGet, "/api/v4/projects/7/repository/files/a.c", "", `"ref" is missing`},
		{"too large a page", http.MethodGet, "/api/v4/projects/7/merge_requests?per_page=101", "", "is not between 1 and 100"},
		{"an unknown name in the body", http.MethodPost, "/api/v4/projects/7/statuses/abc", `{"state":"success","colour":"red"}`, `no parameter "colour"`},
		{"a missing name in the body", http.MethodPost, "/api/v4/projects/7/statuses/abc", `{"name":"x"}`, `"state" is missing`},
		{"a state there is not", http.MethodPost, "/api/v4/projects/7/statuses/abc", `{"state":"neutral"}`, "is none of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil)
			err := g.checkRequest(r, []byte(c.body))
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestGitLabAnswers: what GitLab's description lets pass of an answer.
func TestGitLabAnswers(t *testing.T) {
	t.Parallel()
	g, err := loadGitLab()
	if err != nil {
		t.Fatal(err)
	}
	const statuses = "/api/v4/projects/7/repository/commits/abc/statuses"
	for _, c := range []struct {
		name, path string
		status     int
		body, want string
	}{
		{"a list of the described", statuses, 200, `[{"id": 3, "status": "success", "author": null}]`, ""},
		{"a field there is not", statuses, 200, `[{"id": 3, "colour": "red"}]`, "colour is not in"},
		{"a field there is not, deeper", statuses, 200, `[{"author": {"login": "mara"}}]`, "login is not in"},
		{"a text for a number", statuses, 200, `[{"id": "3"}]`, "GitLab has a number"},
		{"a number for a boolean", statuses, 200, `[{"allow_failure": 1}]`, "GitLab has a boolean"},
		{"an error", statuses, 404, `{"message": "404 Commit Not Found"}`, ""},
		{"an error without words", statuses, 404, `{}`, "an error without a message"},
		{"nothing there", "/api/v4/verdicts", 404, `{"error": "404 Not Found"}`, ""},
		{"something where nothing is", "/api/v4/verdicts", 200, `{}`, "GitLab has no GET"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil)
			err := g.checkAnswer(r, c.status, "application/json", []byte(c.body))
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestGitLabQueries: what the written-down part of the schema lets pass.
func TestGitLabQueries(t *testing.T) {
	t.Parallel()
	schema, err := loadGitLabGraph()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ query, answer, want string }{
		{`{"query":"{ project(fullPath: \"a/b\") { id } }"}`, `{"data":{"project":{"id":"gid://gitlab/Project/1"}}}`, ""},
		{`{"query":"{ project(fullPath: \"a/b\") { stars } }"}`, `{}`, `"stars"`},
		{`{"query":"{ project { id } }"}`, `{}`, "fullPath"},
		{`{"query":"{ project(fullPath: \"a/b\") { id } }"}`, `{"data":{"project":{"id":null}}}`, "is null"},
		{`{"query":"{ currentUser { state } }"}`, `{"data":{"currentUser":{"state":"asleep"}}}`, "is no UserState"},
	} {
		err := checkGraph(schema, []byte(c.query), http.StatusOK, []byte(c.answer))
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s answered %s: got %v, want %q", c.query, c.answer, err, c.want)
		}
	}
}

// TestGitLabHooks: what is held against a webhook.
func TestGitLabHooks(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	for _, name := range []string{"X-Gitlab-Event", "X-Gitlab-Event-Uuid", "X-Gitlab-Webhook-Uuid", "X-Gitlab-Instance", "Idempotency-Key"} {
		header.Set(name, "x")
	}
	member := `{"event_name":"user_add_to_group","group_name":"a","group_path":"a","group_id":1,"user_username":"m","user_name":"M","user_id":2,` +
		`"group_access":"Developer","created_at":"x","updated_at":"x"}`
	for _, c := range []struct {
		event  string
		header http.Header
		body   string
		want   string
	}{
		{"Member Hook", header, member, ""},
		{"Member Hook", http.Header{}, member, "header X-Gitlab-Event is missing"},
		{"Member Hook", header, `{"event_name":"x"}`, "group_name is missing"},
		{"Note Hook", header, `{"object_kind":"issue"}`, `object_kind is "issue"`},
		{"Note Hook", header, `{"object_kind":"note","project":{}}`, "project.id is missing"},
		{"Thread Hook", header, `{}`, "GitLab sends no Thread Hook"},
	} {
		err := checkGitLabHook(c.event, c.header, []byte(c.body))
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %s: got %v, want %q", c.event, c.body, err, c.want)
		}
	}
}
