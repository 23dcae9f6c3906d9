package gitlabface_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"primum/forges/sim"
)

// post posts a status on a commit.
func (r *rig) status(token, sha, state string, more body) answered {
	r.Helper()
	in := body{"state": state, "name": "primum"}
	maps.Copy(in, more)
	return r.post(token, project+"/statuses/"+sha, in)
}

// jobs lists the jobs of a commit by the list of its statuses: "primum success".
func (r *rig) jobs(sha, query string) []string {
	r.Helper()
	a := r.get(project + "/repository/commits/" + sha + "/statuses?per_page=100" + query)
	r.want(a, http.StatusOK)
	var out []string
	list, _ := a.body.([]any)
	for i := range list {
		at := func(k string) any { return a.at(fmt.Sprintf("[%d].%s", i, k)) }
		out = append(out, fmt.Sprintf("%v %v by %v", at("name"), at("status"), at("author.username")))
	}
	return out
}

// TestStatusBecomesAJob: what becomes of statuses posted one after the other.
func TestStatusBecomesAJob(t *testing.T) {
	t.Parallel()
	type posted struct {
		by     string
		state  string
		status int
		says   string // in the answer
	}
	for _, c := range []struct {
		name   string
		posts  []posted
		latest []string
		all    []string
	}{
		{
			name: "the first makes a pipeline", posts: []posted{{botToken, "success", 201, `"pipeline_id"`}},
			latest: []string{"primum success by primum"}, all: []string{"primum success by primum"},
		},
		{
			name: "a running one of one's own is updated", posts: []posted{{botToken, "running", 201, ""}, {botToken, "failed", 201, ""}},
			latest: []string{"primum failed by primum"}, all: []string{"primum failed by primum"},
		},
		{
			name: "a pending one may run", posts: []posted{{botToken, "pending", 201, ""}, {botToken, "running", 201, ""}},
			latest: []string{"primum running by primum"}, all: []string{"primum running by primum"},
		},
		{
			name:   "a done one is hidden by a new job",
			posts:  []posted{{botToken, "failed", 201, ""}, {botToken, "success", 201, ""}},
			latest: []string{"primum success by primum"}, all: []string{"primum failed by primum", "primum success by primum"},
		},
		{
			name:   "a done one may be said again",
			posts:  []posted{{botToken, "success", 201, ""}, {botToken, "success", 201, ""}},
			latest: []string{"primum success by primum"}, all: []string{"primum success by primum", "primum success by primum"},
		},
		{
			name:   "somebody else's is a retry",
			posts:  []posted{{botToken, "failed", 201, ""}, {maraToken, "success", 201, ""}},
			latest: []string{"primum success by mara"}, all: []string{"primum failed by primum", "primum success by mara"},
		},
		{
			name:   "somebody else's hides a running one too",
			posts:  []posted{{botToken, "running", 201, ""}, {maraToken, "running", 201, ""}},
			latest: []string{"primum running by mara"}, all: []string{"primum running by primum", "primum running by mara"},
		},
		{
			name: "running again", posts: []posted{{botToken, "running", 201, ""}, {botToken, "running", 400, "Cannot transition status via :run from :running"}},
			latest: []string{"primum running by primum"},
		},
		{
			name: "pending again", posts: []posted{{botToken, "pending", 201, ""}, {botToken, "pending", 400, "Cannot transition status via :enqueue from :pending"}},
			latest: []string{"primum pending by primum"},
		},
		{
			name: "back to pending", posts: []posted{{botToken, "running", 201, ""}, {botToken, "pending", 400, "Cannot transition status via :enqueue from :running"}},
			latest: []string{"primum running by primum"},
		},
		{
			name: "skipped while it runs", posts: []posted{{botToken, "running", 201, ""}, {botToken, "skipped", 400, "via :skip from :running"}},
			latest: []string{"primum running by primum"},
		},
		{name: "without the right to", posts: []posted{{samToken, "success", 403, "403 Forbidden"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			_, head := r.open("rate")
			for _, p := range c.posts {
				r.want(r.status(p.by, head, p.state, nil), p.status, p.says)
				r.advance(time.Second)
			}
			if got := r.jobs(head, ""); !slices.Equal(got, c.latest) {
				t.Errorf("latest %q, want %q", got, c.latest)
			}
			if got := r.jobs(head, "&all=true"); c.all != nil && !slices.Equal(got, c.all) {
				t.Errorf("all %q, want %q", got, c.all)
			}
			got := len(r.get(project + "/pipelines?sha=" + head).body.([]any)) //nolint:forcetypeassert // a list, or the test is broken
			equal(t, "pipelines", got, min(len(c.latest), 1))
		})
	}
}

// TestStatusFindsItsPipeline: the newest of commit and ref, or the one named. That
// of a merge request has a ref of its own, so a branch never finds it.
func TestStatusFindsItsPipeline(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n, head := r.open("rate")
	first := r.status(botToken, head, "failed", body{"ref": "rate"})
	r.want(first, http.StatusCreated)
	ci := r.face.RunPipeline("acme/pump", n, "build")

	again := r.status(botToken, head, "failed", body{"ref": "rate"})
	equal(t, "the branch finds its own pipeline", again.at("pipeline_id"), first.at("pipeline_id"))
	again = r.status(botToken, head, "failed", body{"ref": "refs/merge-requests/1/head"})
	equal(t, "the merge request's ref finds its", again.at("pipeline_id"), any(float64(ci)))
	again = r.status(botToken, head, "failed", nil)
	equal(t, "without a ref the newest is found", again.at("pipeline_id"), any(float64(ci)))
	again = r.status(botToken, head, "failed", body{"pipeline_id": ci})
	equal(t, "and the one that is named", again.at("pipeline_id"), any(float64(ci)))
	r.want(r.status(botToken, head, "failed", body{"pipeline_id": ci, "ref": "rate"}), http.StatusNotFound, "404 Pipeline for pipeline_id, sha and ref Not Found")
	old := r.status(botToken, head, "failed", body{"ref": "rate", "pipeline_id": first.at("pipeline_id")})
	equal(t, "unless one is named", old.at("pipeline_id"), first.at("pipeline_id"))
	other := r.status(botToken, head, "failed", body{"ref": "other"})
	r.want(other, http.StatusCreated)
	if id := other.at("pipeline_id"); id == first.at("pipeline_id") || id == any(float64(ci)) {
		t.Errorf("a status for another branch joined pipeline %v", id)
	}
	equal(t, "source", r.get(fmt.Sprintf("%s/pipelines/%v", project, other.at("pipeline_id"))).at("source"), any("external"))

	r.want(r.status(botToken, head, "failed", body{"pipeline_id": 4711}), http.StatusNotFound, "404 Pipeline for pipeline_id, sha and ref Not Found")
	r.want(r.status(botToken, strings.Repeat("0", 40), "failed", nil), http.StatusNotFound, "404 Commit Not Found")
	r.want(r.status(botToken, head, "failed", body{"target_url": "https://primum.example/" + strings.Repeat("x", 240)}), http.StatusBadRequest, "is too long (maximum is 255 characters)")
	r.want(r.status(botToken, head, "failed", body{"target_url": "javascript:1"}), http.StatusBadRequest, "is blocked")
	r.face.Conflict(1)
	r.want(r.status(botToken, head, "failed", nil), http.StatusConflict, "Another update to this commit status is in progress")
	r.want(r.status(botToken, head, "failed", nil), http.StatusCreated)
}

// TestStatusHasAState: what no description lets pass is refused too.
func TestStatusHasAState(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, head := r.open("rate")
	for query, says := range map[string]string{"": "state is missing", "?state=neutral": "state does not have a valid value"} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v4/"+project+"/statuses/"+head+query, nil)
		req.Header.Set("Authorization", "Bearer "+botToken)
		rec := httptest.NewRecorder()
		r.face.ServeHTTP(rec, req)
		r.want(answered{status: rec.Code, raw: rec.Body.Bytes()}, http.StatusBadRequest, says)
	}
}

// TestPipelinesMustSucceed: what lets a merge request through, and the pipeline
// that counts for it.
func TestPipelinesMustSucceed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(r *rig, n int, head string)
		want string // detailed_merge_status
	}{
		{"no pipeline", func(*rig, int, string) {}, "ci_must_pass"},
		{"green", func(r *rig, _ int, head string) { r.status(botToken, head, "success", nil) }, "mergeable"},
		{"red", func(r *rig, _ int, head string) { r.status(botToken, head, "failed", nil) }, "ci_must_pass"},
		{"running", func(r *rig, _ int, head string) { r.status(botToken, head, "running", nil) }, "ci_still_running"},
		{"green by somebody else after red", func(r *rig, _ int, head string) {
			r.status(botToken, head, "failed", nil)
			r.status(maraToken, head, "success", nil)
		}, "mergeable"},
		{"green beside red of another name", func(r *rig, _ int, head string) {
			r.status(botToken, head, "success", nil)
			r.status(botToken, head, "failed", body{"name": "build"})
		}, "ci_must_pass"},
		{"only skipped", func(r *rig, _ int, head string) { r.status(botToken, head, "skipped", nil) }, "ci_must_pass"},
		{"a green pipeline of the merge request beats a newer red one of the branch", func(r *rig, n int, head string) {
			ci := r.face.RunPipeline("acme/pump", n, "build")
			r.face.EndBuild(ci, "build", "success")
			made := r.post(botToken, project+"/pipeline", body{"ref": "rate"})
			r.want(made, http.StatusCreated)
			r.status(botToken, head, "failed", body{"ref": "rate", "pipeline_id": made.at("id")})
		}, "mergeable"},
		{"a red status in the pipeline of the merge request", func(r *rig, n int, head string) {
			ci := r.face.RunPipeline("acme/pump", n, "build")
			r.face.EndBuild(ci, "build", "success")
			r.status(botToken, head, "failed", body{"pipeline_id": ci})
		}, "ci_must_pass"},
		{"a green pipeline of a former head", func(r *rig, _ int, head string) {
			r.status(botToken, head, "success", nil)
			_, err := r.world.As("mara").Push("acme/pump", "rate")
			r.ok(err)
			r.push("rate")
		}, "ci_must_pass"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.want(r.put(alexToken, project, body{"only_allow_merge_if_pipeline_succeeds": true}), http.StatusOK, `"only_allow_merge_if_pipeline_succeeds":true`)
			n, head := r.open("rate")
			c.do(r, n, head)
			at := fmt.Sprintf("%s/merge_requests/%d", project, n)
			equal(t, "detailed_merge_status", r.get(at).at("detailed_merge_status"), any(c.want))
			merged := r.put(alexToken, at+"/merge", nil)
			if c.want == "mergeable" {
				r.want(merged, http.StatusOK, `"state":"merged"`)
			} else {
				r.want(merged, http.StatusMethodNotAllowed, "405 Method Not Allowed")
			}
		})
	}
}

// push puts one more commit on a branch.
func (r *rig) push(branch string) string {
	r.Helper()
	head, err := r.world.As("mara").Push("acme/pump", branch, commit("More"))
	r.ok(err)
	return head
}

// TestMergeRefusals: why a merge is refused, besides what the project asks for.
func TestMergeRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		do     func(r *rig, n int)
		by     string
		body   body
		status int
		says   string
	}{
		{"nothing against it", func(*rig, int) {}, alexToken, nil, 200, `"merge_commit_sha":"`},
		{"another head than meant", func(*rig, int) {}, alexToken, body{"sha": strings.Repeat("a", 40)}, 409, "SHA does not match HEAD of source branch"},
		{"a draft", func(r *rig, n int) { r.ok(r.world.As("mara").ConvertToDraft("acme/pump", n)) }, alexToken, nil, 405, "405 Method Not Allowed"},
		{"closed", func(r *rig, n int) { r.ok(r.world.As("mara").Close("acme/pump", n, "")) }, alexToken, nil, 405, "405 Method Not Allowed"},
		{"a conflict", func(r *rig, _ int) {
			_, err := r.world.As("alex").Push("acme/pump", "main", commit("Otherwise"))
			r.ok(err)
		}, alexToken, nil, 422, "Branch cannot be merged"},
		{"without the right to", func(*rig, int) {}, samToken, nil, 401, "401 Unauthorized"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			n, _ := r.open("rate")
			c.do(r, n)
			r.want(r.put(c.by, fmt.Sprintf("%s/merge_requests/%d/merge", project, n), c.body), c.status, c.says)
		})
	}
}

// TestStatusOfAForksHead: a status posted to the project is in no pipeline that
// counts for the merge request, since those of a branch are looked for in the
// project it is in.
func TestStatusOfAForksHead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sam := r.world.As("sam")
	_, err := sam.Fork("acme/pump")
	r.ok(err)
	head, err := sam.Push("sam/pump", "rate", commit("Round the rate"))
	r.ok(err)
	n, err := sam.OpenChange("acme/pump", sim.NewChange{Title: "Round the rate", Head: "sam:rate"})
	r.ok(err)
	at := fmt.Sprintf("%s/merge_requests/%d", project, n)
	r.want(r.status(botToken, head, "success", body{"ref": "rate"}), http.StatusCreated)
	equal(t, "pipeline", r.get(at).at("head_pipeline"), nil)
	r.want(r.post(samToken, "projects/sam%2Fpump/statuses/"+head, body{"state": "failed", "ref": "rate", "name": "build"}), http.StatusCreated)
	equal(t, "pipeline of the fork", r.get(at).at("head_pipeline.status"), any("failed"))
}

// TestChecksOfAppsAreBuilds: what an app's bot checks is a build of the pipeline.
func TestChecksOfAppsAreBuilds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n, head := r.open("rate")
	_, err := r.world.AsApp("ci").CreateCheck("acme/pump", check("build", head, "success"))
	r.ok(err)
	r.status(botToken, head, "failed", nil)
	mr := r.get(fmt.Sprintf("%s/merge_requests/%d", project, n))
	equal(t, "status of the pipeline", mr.at("head_pipeline.status"), any("failed"))
	a := r.get(fmt.Sprintf("%s/pipelines/%v/jobs", project, mr.at("head_pipeline.id")))
	equal(t, "builds", len(a.body.([]any)), 1) //nolint:forcetypeassert // a list, or the test is broken
	equal(t, "name", a.at("[0].name"), any("build"))
	equal(t, "by", a.at("[0].user.username"), any("ci[bot]"))
	if got := r.jobs(head, ""); !slices.Equal(got, []string{"build success by ci[bot]", "primum failed by primum"}) {
		t.Errorf("statuses %q", got)
	}
}
