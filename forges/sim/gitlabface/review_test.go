package gitlabface_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"primum/forges/sim"
	"primum/forges/sim/gitlabface"
)

// TestApprovals: given on a head, once, taken back, and what a rule makes of them.
func TestApprovals(t *testing.T) {
	t.Parallel()
	r := newRig(t, tier(gitlabface.Premium))
	n, head := r.open("rate")
	at := fmt.Sprintf("%s/merge_requests/%d", project, n)
	bot := r.get("user").at("id")
	rule := r.post(alexToken, project+"/approval_rules", body{"name": "Primum", "approvals_required": 1, "user_ids": []any{bot}})
	r.want(rule, http.StatusCreated, `"rule_type":"regular"`)
	r.want(r.post(alexToken, project+"/approval_rules", body{"name": "Primum", "approvals_required": 1}), http.StatusBadRequest, "has already been taken")

	equal(t, "without it", r.get(at).at("detailed_merge_status"), any("not_approved"))
	r.want(r.put(alexToken, at+"/merge", nil), http.StatusMethodNotAllowed)
	r.want(r.post(botToken, at+"/approve", body{"sha": strings.Repeat("0", 40)}), http.StatusConflict, "SHA does not match HEAD of source branch")
	r.want(r.post(maraToken, at+"/approve", nil), http.StatusUnauthorized)
	r.want(r.post(botToken, at+"/approve", body{"sha": head}), http.StatusCreated, `"approvals_left":0`, `"user_has_approved":true`)
	r.want(r.post(botToken, at+"/approve", body{"sha": head}), http.StatusUnauthorized, "401 Unauthorized")
	state := r.get(at + "/approval_state")
	equal(t, "rule", state.at("rules[0].approved"), any(true))
	equal(t, "with it", r.get(at).at("detailed_merge_status"), any("mergeable"))
	r.want(r.post(botToken, at+"/unapprove", nil), http.StatusCreated)
	r.want(r.post(botToken, at+"/unapprove", nil), http.StatusNotFound)
	equal(t, "taken back", r.get(at).at("detailed_merge_status"), any("not_approved"))

	r.want(r.post(botToken, at+"/approve", nil), http.StatusCreated, `"approved":true`)
	r.push("rate")
	r.want(r.get(at+"/approvals"), http.StatusOK, `"approved":true`)
	r.want(r.post(alexToken, project+"/approvals", body{"reset_approvals_on_push": true}), http.StatusCreated)
	r.want(r.get(at+"/approvals"), http.StatusOK, `"approved":false`, `"approved_by":[]`)

	_, err := r.world.As("chen").RequestChanges("acme/pump", n, "No.")
	r.ok(err)
	equal(t, "reviewer", r.get(at+"/reviewers").at("[0].state"), any("requested_changes"))
	r.want(r.get(at+"/notes?sort=asc&activity_filter=only_comments"), http.StatusOK, `"body":"No."`)
}

// TestExternalStatusChecks: what is sent, what may be answered, and what blocks.
func TestExternalStatusChecks(t *testing.T) {
	t.Parallel()
	var signed string
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { signed = q.Header.Get("X-Gitlab-Signature") }))
	t.Cleanup(service.Close)
	r := newRig(t, tier(gitlabface.Ultimate))
	made := r.post(alexToken, project+"/external_status_checks", body{"name": "primum", "external_url": service.URL, "shared_secret": "secret"})
	r.want(made, http.StatusCreated, `"hmac":true`)
	r.want(r.post(alexToken, project+"/external_status_checks", body{"name": "primum", "external_url": service.URL + "/2"}), http.StatusUnprocessableEntity, "has already been taken")
	n, head := r.open("rate")
	r.hooks()
	equal(t, "signature", len(signed), 64)
	at := fmt.Sprintf("%s/merge_requests/%d", project, n)
	say := func(sha, status string) answered {
		return r.post(botToken, at+"/status_check_responses", body{"sha": sha, "external_status_check_id": made.at("id"), "status": status})
	}
	stands := func() any { return r.get(at + "/status_checks").at("[0].status") }

	equal(t, "at first", stands(), any("pending"))
	r.want(say(strings.Repeat("0", 40), "passed"), http.StatusConflict, "SHA does not match HEAD of source branch")
	r.want(say(head, "pending"), http.StatusCreated)
	r.advance(2 * time.Minute)
	equal(t, "pending for two minutes", stands(), any("pending"))
	r.advance(time.Second)
	equal(t, "pending for longer", stands(), any("failed"))
	equal(t, "the setting is off", r.get(at).at("detailed_merge_status"), any("mergeable"))
	r.put(alexToken, project, body{"only_allow_merge_if_all_status_checks_passed": true})
	equal(t, "the setting is on", r.get(at).at("detailed_merge_status"), any("status_checks_must_pass"))
	if _, err := r.world.As("alex").Merge("acme/pump", n, sim.MergeOptions{}); err == nil {
		t.Error("merged past the check")
	}
	r.want(say(head, "passed"), http.StatusCreated)
	r.want(r.post(botToken, fmt.Sprintf("%s/status_checks/%v/retry", at, made.at("id")), nil), http.StatusUnprocessableEntity, "must be failed")
	equal(t, "passed", r.get(at).at("detailed_merge_status"), any("mergeable"))
	r.push("rate")
	equal(t, "after a push", r.get(at).at("detailed_merge_status"), any("status_checks_must_pass"))
}

// TestDiffsComeLater: a push shows no files before so many readings.
func TestDiffsComeLater(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.world.SetFaults(func(f *sim.Faults) { f.DiffsAfter = 2 })
	n, head := r.open("rate")
	at := fmt.Sprintf("%s/merge_requests/%d", project, n)
	first := r.get(at)
	equal(t, "sha at once", first.at("sha"), any(head))
	equal(t, "changes at first", first.at("changes_count"), nil)
	equal(t, "status at first", first.at("detailed_merge_status"), any("preparing"))
	if list, _ := r.get(at + "/diffs").body.([]any); len(list) != 0 {
		t.Errorf("%d files at once", len(list))
	}
	then := r.get(at)
	equal(t, "changes then", then.at("changes_count"), any("1"))
	equal(t, "base then", then.at("diff_refs.head_sha"), any(head))
}

// TestNotes: who may change them, how long they may be, and reactions.
func TestNotes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n, _ := r.open("rate")
	at := fmt.Sprintf("%s/merge_requests/%d/notes", project, n)
	made := r.post(botToken, at, body{"body": "Verdict"})
	r.want(made, http.StatusCreated, `"system":false`)
	one := fmt.Sprintf("%s/%v", at, made.at("id"))
	r.want(r.put(botToken, one, body{"body": "Other"}), http.StatusOK, `"body":"Other"`)
	r.want(r.put(alexToken, one, body{"body": "Mine"}), http.StatusForbidden)
	r.want(r.post(botToken, at, body{"body": " "}), http.StatusBadRequest, "can't be blank")
	r.want(r.post(botToken, at, body{"body": strings.Repeat("é", 1_000_001)}), http.StatusBadRequest, "is too long (maximum is 1000000 characters)")
	r.want(r.post(botToken, one+"/award_emoji", body{"name": "eyes"}), http.StatusCreated, `"name":"eyes"`)
	r.want(r.post(botToken, one+"/award_emoji", body{"name": "eyes"}), http.StatusNotFound, "Name has already been taken")
	r.want(r.call(alexToken, http.MethodDelete, one, nil), http.StatusNoContent)
	r.want(r.put(botToken, one, body{"body": "Again"}), http.StatusNotFound)
}

// TestNumbersOfTheirOwn: merge requests and issues counted apart, as GitLab does.
func TestNumbersOfTheirOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *gitlabface.Options) { o.OwnNumbers = true })
	_, err := r.world.As("mara").OpenIssue("acme/pump", "Rates drift", "")
	r.ok(err)
	r.open("rate")
	r.want(r.get(project+"/merge_requests/1"), http.StatusOK, `"short":"!1"`)
	r.want(r.get(project+"/issues/1"), http.StatusOK, `"short":"#1"`)
	r.want(r.get(project+"/merge_requests/2"), http.StatusNotFound)
	n := 2 // the forge's number of the merge request
	r.ok(r.world.As("mara").SetBody("acme/pump", n, "Closes #1"))
	r.want(r.get(project+"/merge_requests/1/closes_issues"), http.StatusOK, `"Rates drift"`)
}

// TestRepository: files, trees and comparisons at a commit.
func TestRepository(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n, head := r.open("rate")
	repo := project + "/repository"
	r.want(r.get(repo+"/files/fw%2Fdosing%2Frate.c?ref="+head), http.StatusOK, `"file_name":"rate.c"`, `"execute_filemode":false`)
	raw := r.get(repo + "/files/fw%2Fdosing%2Frate.c/raw?ref=" + head)
	equal(t, "raw", string(raw.raw), "int rate; // rate\n")
	r.want(r.get(repo+"/files/none.c?ref=main"), http.StatusNotFound, "404 File Not Found")
	r.want(r.get(repo+"/files/README.md?ref=none"), http.StatusNotFound, "404 Commit Not Found")
	blob := r.get(repo + "/files/README.md?ref=main").at("blob_id")
	equal(t, "blob", string(r.get(fmt.Sprintf("%s/blobs/%v/raw", repo, blob)).raw), "# Infusion pump\n")
	r.want(r.get(repo+"/tree?recursive=true&per_page=100"), http.StatusOK, `"path":"fw/dosing/rate.c"`, `"type":"tree"`, `"mode":"040000"`)
	r.want(r.get(repo+"/compare?from=main&to=rate"), http.StatusOK, `"new_path":"fw/dosing/rate.c"`)
	r.want(r.get(fmt.Sprintf("%s/merge_requests/%d/diffs", project, n)), http.StatusOK, `"new_file":false`)
	r.want(r.get(fmt.Sprintf("%s/commits/%s/merge_requests", repo, head)), http.StatusOK, fmt.Sprintf(`"iid":%d`, n))
	r.want(r.get(fmt.Sprintf("%s/commits/%s/signature", repo, head)), http.StatusNotFound, "404 Signature Not Found")
	r.want(r.get(project+"/protected_branches"), http.StatusOK, `"name":"main"`)
	equal(t, "versions", r.get(fmt.Sprintf("%s/merge_requests/%d/versions", project, n)).at("[0].head_commit_sha"), any(head))
}

// TestGraphQL: what is asked, paging, what is wrong with a query, and how much
// may be asked.
func TestGraphQL(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n, head := r.open("rate")
	for i := range 3 {
		_, err := r.world.As("chen").Comment("acme/pump", n, fmt.Sprint("Note ", i))
		r.ok(err)
	}
	ask := func(query string, vars body) answered {
		return r.post(botToken, "/api/graphql", body{"query": query, "variables": vars})
	}
	const notes = `query q($iid: String!, $after: String) { project(fullPath: "acme/pump") { mergeRequest(iid: $iid) {
		diffHeadSha notes(first: 2, after: $after) { pageInfo { hasNextPage endCursor } nodes { id body author { username } } } } } }`
	iid := fmt.Sprint(n)
	first := ask(notes, body{"iid": iid})
	equal(t, "head", first.at("data.project.mergeRequest.diffHeadSha"), any(head))
	equal(t, "more", first.at("data.project.mergeRequest.notes.pageInfo.hasNextPage"), any(true))
	second := ask(notes, body{"iid": iid, "after": first.at("data.project.mergeRequest.notes.pageInfo.endCursor")})
	equal(t, "the third", second.at("data.project.mergeRequest.notes.nodes[0].body"), any("Note 2"))
	equal(t, "no more", second.at("data.project.mergeRequest.notes.pageInfo.hasNextPage"), any(false))
	equal(t, "nothing there", ask(`{ project(fullPath: "acme/none") { id } }`, nil).at("data.project"), nil)

	// No description lets these pass, so they go to the face itself.
	direct := func(query string) string {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/graphql", strings.NewReader(fmt.Sprintf("{%q: %q}", "query", query)))
		req.Header.Set("Private-Token", botToken)
		rec := httptest.NewRecorder()
		r.face.ServeHTTP(rec, req)
		return rec.Body.String()
	}
	for query, says := range map[string]string{
		`{ project(fullPath: "acme/pump") { stars } }`: "Field 'stars' doesn't exist on type 'Project'",
		`{ project(`: "Expected",
		`{ project(fullPath: "acme/pump") { issues { nodes { ` + manyFields(70) + ` } } } }`: "which exceeds max complexity of 250",
	} {
		if got := direct(query); !strings.Contains(got, says) {
			t.Errorf("%.60s answers %.300s, want %q", query, got, says)
		}
	}
}

// manyFields asks for one field many times.
func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d: title b%d: iid ", i, i)
	}
	return b.String()
}
