package spec_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"primum/forges/sim/spec"
)

// hearGitea runs one request through WrapGitea around a face that answers as
// told, and gives the complaints.
func hearGitea(t *testing.T, method, path, body string, status int, kind, answer string) string {
	t.Helper()
	e := &ear{TB: t}
	h := spec.WrapGitea(e, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	h.ServeHTTP(httptest.NewRecorder(), req)
	return strings.Join(e.heard, "\n")
}

// TestWhatAGiteaAnsweredIsAsDescribed checks the checker: what was recorded from a
// running Gitea 1.26.3 must pass it.
func TestWhatAGiteaAnsweredIsAsDescribed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../testdata/gitea-1.26.3/api/*.json")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d recorded answers, %v", len(files), err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var in struct {
			Request struct {
				Method string          `json:"method"`
				Path   string          `json:"path"`
				Body   json.RawMessage `json:"body"`
			} `json:"request"`
			Response struct {
				Status  int               `json:"status"`
				Headers map[string]string `json:"headers"`
				Body    json.RawMessage   `json:"body"`
			} `json:"response"`
		}
		if err := json.Unmarshal(raw, &in); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		answer := string(in.Response.Body)
		if answer == `""` { // how the recording says that there was none
			answer = ""
		}
		heard := hearGitea(t, in.Request.Method, in.Request.Path, string(in.Request.Body), in.Response.Status, in.Response.Headers["Content-Type"], answer)
		if strings.Contains(f, "status-unknown-state") { // asked on purpose with a word that is not described
			if !strings.Contains(heard, "must be one of") {
				t.Errorf("%s: complaint %q", filepath.Base(f), heard)
			}
			continue
		}
		if heard != "" {
			t.Errorf("%s: %s", filepath.Base(f), heard)
		}
	}
}

func TestWhatDiffersFromGiteaIsReported(t *testing.T) {
	t.Parallel()
	const (
		api      = "/api/v1/repos/a/b"
		notFound = `{"errors":null,"message":"not found","url":"http://x/api/swagger"}`
	)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
		want                     string // part of the complaint; "" if there is none
	}{
		{"a described error", "GET", api + "/pulls/1", "", 404, notFound, ""},
		{"below a sub-path", "GET", "/gitea" + api + "/pulls/1", "", 404, notFound, ""},
		{"a route Gitea has not", "GET", api + "/judgements", "", 200, `[]`, "no GET /repos/a/b/judgements"},
		{"a parameter Gitea has not", "GET", api + "/pulls?colour=red", "", 200, `[]`, `no query parameter "colour"`},
		{"a word Gitea does not take", "GET", api + "/pulls?state=ajar", "", 200, `[]`, `"ajar" is none of`},
		{"more to a page than Gitea gives", "GET", api + "/pulls?limit=100", "", 200, `[]`, "between 1 and 50"},
		{"no number", "GET", api + "/pulls?page=x", "", 200, `[]`, "no integer"},
		{"a field Gitea has not", "GET", api + "/pulls", "", 200, `[{"number":1,"colour":"red"}]`, "additional properties 'colour' not allowed"},
		{"a field of another type", "GET", api + "/pulls", "", 200, `[{"number":"1"}]`, "want integer"},
		{"null where there is a number", "GET", api + "/pulls", "", 200, `[{"number":null}]`, "want integer"},
		{"null where there is nobody", "GET", api + "/pulls", "", 200, `[{"merged_by":null}]`, ""},
		{"an answer Gitea does not give", "GET", api + "/pulls", "", 207, `[]`, "does not answer 207"},
		{"a body with an unknown field", "POST", api + "/statuses/abc", `{"state":"success","colour":"red"}`, 404, notFound, "'colour' not allowed"},
		{"a body with the wrong type", "POST", api + "/issues/1/comments", `{"body":7}`, 404, notFound, "want string"},
		{"a body where none is taken", "GET", api, `{"x":1}`, 404, notFound, "takes no body"},
		{"an answer where none is given", "POST", api + "/hooks/1/tests", "", 204, `{}`, "without a body"},
		{"an error in another form", "POST", api + "/statuses/abc", `{}`, 403, `{"error":"x"}`, "without a message"},
		{"a redirect that leads nowhere", "GET", api, "", 301, "", "leads nowhere"},
		{"what was measured besides", "DELETE", api + "/issues/1/dependencies", `{"owner":"a","repo":"b","index":2}`, 201, `{"number":1}`, ""},
		{"a branch with a slash", "GET", api + "/branches/x/y", "", 200, `{"name":"x/y"}`, ""},
		{"a diff", "GET", api + "/pulls/1.diff", "", 404, notFound, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := hearGitea(t, c.method, c.path, c.body, c.status, "application/json", c.answer)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("complaint %q, want %q", got, c.want)
			}
		})
	}
}

func TestForgejoHasFieldsOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wrap func(testing.TB, http.Handler) http.Handler
		want string
	}{{spec.WrapForgejo, ""}, {spec.WrapGitea, "apply_to_admins"}} {
		e := &ear{TB: t}
		h := c.wrap(e, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`[{"rule_name":"main","apply_to_admins":true}]`))
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/repos/a/b/branch_protections", http.NoBody))
		got := strings.Join(e.heard, "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("complaint %q, want %q", got, c.want)
		}
	}
}
