package gitlabface_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"primum/forges/sim"
	"primum/forges/sim/gitlabface"
)

func commit(message string) sim.NewCommit {
	return sim.NewCommit{Message: message, Files: map[string]string{"fw/dosing/rate.c": "int rate; // " + message + "\n"}}
}

func check(name, sha, conclusion string) sim.CheckRun {
	return sim.CheckRun{Name: name, SHA: sha, Conclusion: conclusion}
}

// TestWhatWebhooksTell: what each deed makes GitLab send, and what nothing.
func TestWhatWebhooksTell(t *testing.T) {
	t.Parallel()
	num := func(r *rig) func(int64, error) int64 {
		return func(id int64, err error) int64 { r.ok(err); return id }
	}
	for _, c := range []struct {
		name   string
		before func(r *rig, n int) int64
		do     func(r *rig, n int, id int64)
		tier   string
		want   []string
	}{
		{name: "a push to the branch", do: func(r *rig, _ int, _ int64) { r.push("rate") }, want: []string{"Push Hook push", "Merge Request Hook update"}},
		{name: "a title", do: func(r *rig, n int, _ int64) { r.ok(r.world.As("mara").SetTitle("acme/pump", n, "Other")) }, want: []string{"Merge Request Hook update"}},
		{name: "a draft", do: func(r *rig, n int, _ int64) { r.ok(r.world.As("mara").ConvertToDraft("acme/pump", n)) }, want: []string{"Merge Request Hook update"}},
		{name: "a label", do: func(r *rig, n int, _ int64) { r.ok(r.world.As("mara").Label("acme/pump", n, "urgent")) }, want: []string{"Merge Request Hook update"}},
		{name: "a reviewer", do: func(r *rig, n int, _ int64) { r.ok(r.world.As("mara").RequestReview("acme/pump", n, "chen")) }, want: []string{"Merge Request Hook update"}},
		{name: "closed", do: func(r *rig, n int, _ int64) { r.ok(r.world.As("mara").Close("acme/pump", n, "")) }, want: []string{"Merge Request Hook close"}},
		{name: "reopened", before: func(r *rig, n int) int64 { r.ok(r.world.As("mara").Close("acme/pump", n, "")); return 0 }, do: func(r *rig, n int, _ int64) { r.ok(r.world.As("mara").Reopen("acme/pump", n)) }, want: []string{"Merge Request Hook reopen"}},
		{name: "merged", do: func(r *rig, n int, _ int64) {
			_, err := r.world.As("alex").Merge("acme/pump", n, sim.MergeOptions{})
			r.ok(err)
		}, want: []string{"Merge Request Hook merge", "Push Hook push"}},
		{name: "approved", do: func(r *rig, n int, _ int64) { num(r)(r.world.As("chen").Approve("acme/pump", n, "")) }, want: []string{"Merge Request Hook approved"}},
		{name: "approved with words", do: func(r *rig, n int, _ int64) { num(r)(r.world.As("chen").Approve("acme/pump", n, "Fine.")) }, want: []string{"Note Hook create", "Merge Request Hook approved"}},
		{name: "an approval of several", tier: gitlabface.Premium, before: func(r *rig, _ int) int64 {
			r.want(r.post(alexToken, project+"/approval_rules", body{"name": "Two", "approvals_required": 2}), http.StatusCreated)
			return 0
		}, do: func(r *rig, n int, _ int64) { num(r)(r.world.As("chen").Approve("acme/pump", n, "")) }, want: []string{"Merge Request Hook approval"}},
		{name: "an approval taken back", before: func(r *rig, n int) int64 { return num(r)(r.world.As("chen").Approve("acme/pump", n, "")) }, do: func(r *rig, n int, id int64) {
			r.ok(r.world.As("chen").DismissReview("acme/pump", n, id, ""))
		}, want: []string{"Merge Request Hook unapproved"}},
		{name: "changes requested", do: func(r *rig, n int, _ int64) { num(r)(r.world.As("chen").RequestChanges("acme/pump", n, "No.")) }, want: []string{"Note Hook create"}},
		{name: "changes requested after an approval", before: func(r *rig, n int) int64 { return num(r)(r.world.As("chen").Approve("acme/pump", n, "")) }, do: func(r *rig, n int, _ int64) {
			num(r)(r.world.As("chen").RequestChanges("acme/pump", n, "No."))
		}, want: []string{"Note Hook create", "Merge Request Hook unapproved"}},
		{name: "a request for changes dismissed", before: func(r *rig, n int) int64 { return num(r)(r.world.As("chen").RequestChanges("acme/pump", n, "No.")) }, do: func(r *rig, n int, id int64) {
			r.ok(r.world.As("chen").DismissReview("acme/pump", n, id, ""))
		}},
		{name: "a note", do: func(r *rig, n int, _ int64) { num(r)(r.world.As("chen").Comment("acme/pump", n, "Why?")) }, want: []string{"Note Hook create"}},
		{name: "a note edited", before: func(r *rig, n int) int64 { return num(r)(r.world.As("chen").Comment("acme/pump", n, "Why?")) }, do: func(r *rig, _ int, id int64) {
			r.ok(r.world.As("chen").EditComment("acme/pump", id, "When?"))
		}, want: []string{"Note Hook update"}},
		{name: "a note deleted", before: func(r *rig, n int) int64 { return num(r)(r.world.As("chen").Comment("acme/pump", n, "Why?")) }, do: func(r *rig, _ int, id int64) {
			r.ok(r.world.As("chen").DeleteComment("acme/pump", id))
		}},
		{name: "a reaction", before: func(r *rig, n int) int64 { return num(r)(r.world.As("chen").Comment("acme/pump", n, "Why?")) }, do: func(r *rig, _ int, id int64) {
			_, _, err := r.world.As("mara").React("acme/pump", id, "+1")
			r.ok(err)
		}, want: []string{"Emoji Hook award"}},
		{name: "a thread", do: func(r *rig, n int, _ int64) {
			num(r)(r.world.As("chen").OpenThread("acme/pump", n, "fw/dosing/rate.c", 1, "Why?"))
		}, want: []string{"Note Hook create"}},
		{name: "the last thread resolved", before: func(r *rig, n int) int64 {
			return num(r)(r.world.As("chen").OpenThread("acme/pump", n, "fw/dosing/rate.c", 1, "Why?"))
		}, do: func(r *rig, n int, id int64) {
			r.ok(r.world.As("mara").ResolveThread("acme/pump", n, id))
		}, want: []string{"Merge Request Hook update"}},
		{name: "a thread opened again", before: func(r *rig, n int) int64 {
			id := num(r)(r.world.As("chen").OpenThread("acme/pump", n, "fw/dosing/rate.c", 1, "Why?"))
			r.ok(r.world.As("mara").ResolveThread("acme/pump", n, id))
			return id
		}, do: func(r *rig, n int, id int64) { r.ok(r.world.As("mara").UnresolveThread("acme/pump", n, id)) }},
		{name: "an issue deleted", before: func(r *rig, _ int) int64 {
			n, err := r.world.As("mara").OpenIssue("acme/pump", "x", "")
			r.ok(err)
			return int64(n)
		}, do: func(r *rig, _ int, id int64) {
			r.ok(r.world.As("alex").DeleteIssue("acme/pump", int(id)))
		}},
		{name: "a status", do: func(r *rig, n int, _ int64) {
			is, _ := r.world.Issue("acme/pump", n)
			num(r)(r.world.As("mara").SetStatus("acme/pump", is.Change.Head, sim.Status{Context: "x", State: "failure"}))
		}, want: []string{"Pipeline Hook failed"}},
		{name: "a status that changes nothing for the pipeline", before: func(r *rig, n int) int64 {
			is, _ := r.world.Issue("acme/pump", n)
			return num(r)(r.world.As("mara").SetStatus("acme/pump", is.Change.Head, sim.Status{Context: "x", State: "failure"}))
		}, do: func(r *rig, n int, _ int64) {
			is, _ := r.world.Issue("acme/pump", n)
			num(r)(r.world.As("mara").SetStatus("acme/pump", is.Change.Head, sim.Status{Context: "primum", State: "success"}))
		}},
		{name: "a build", do: func(r *rig, n int, _ int64) {
			r.face.EndBuild(r.face.RunPipeline("acme/pump", n, "build"), "build", "success")
		}, want: []string{"Pipeline Hook running", "Job Hook success", "Pipeline Hook success"}},
		{name: "protection", do: func(r *rig, _ int, _ int64) {
			r.ok(r.world.As("alex").Protect("acme/pump", "main", &sim.Protection{Approvals: 1}))
		}},
		{name: "a member of a subgroup, on Free", do: func(r *rig, _ int, _ int64) { r.ok(r.world.As("alex").AddTeamMember("acme", "qa", "sam")) }},
		{name: "a member of a subgroup", tier: gitlabface.Premium, do: func(r *rig, _ int, _ int64) { r.ok(r.world.As("alex").AddTeamMember("acme", "qa", "sam")) }, want: []string{"Member Hook user_add_to_group"}},
		{name: "a subgroup removed", tier: gitlabface.Premium, do: func(r *rig, _ int, _ int64) { r.ok(r.world.As("alex").DeleteTeam("acme", "qa")) }, want: []string{"Subgroup Hook subgroup_destroy"}},
		{name: "a project renamed", tier: gitlabface.Premium, do: func(r *rig, _ int, _ int64) { r.ok(r.world.As("alex").RenameRepo("acme/pump", "drip")) }},
		{name: "a tag", do: func(r *rig, _ int, _ int64) { r.ok(r.world.As("mara").Tag("acme/pump", "v1", "main")) }, want: []string{"Tag Push Hook tag_push"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, tier(c.tier))
			n, _ := r.open("rate")
			var id int64
			if c.before != nil {
				id = c.before(r, n)
			}
			r.hooks()
			r.advance(time.Minute)
			c.do(r, n, id)
			if got := told(r.hooks()); !slices.Equal(got, c.want) {
				t.Errorf("told %q, want %q", got, c.want)
			}
		})
	}
}

// TestDeliveriesAreProven: headers, the signature, and what a resent delivery
// keeps.
func TestDeliveriesAreProven(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *gitlabface.Options) { o.SigningToken = "whsec_c2lnbmluZy10b2tlbg==" })
	r.world.SetFaults(func(f *sim.Faults) { f.RepeatShare = 1 })
	n, head := r.open("rate")
	all := r.hooks()
	if len(all) < 4 {
		t.Fatalf("%d deliveries", len(all))
	}
	first, second := all[len(all)-2], all[len(all)-1]
	equal(t, "token", first.header.Get("X-Gitlab-Token"), "an-open-secret-for-tests")
	equal(t, "instance", first.header.Get("X-Gitlab-Instance"), r.url)
	equal(t, "key of a repeated delivery", second.header.Get("Idempotency-Key"), first.header.Get("Idempotency-Key"))
	equal(t, "event of a repeated delivery", second.header.Get("X-Gitlab-Event-UUID"), first.header.Get("X-Gitlab-Event-UUID"))
	equal(t, "each try has an id of its own", second.header.Get("X-Gitlab-Webhook-UUID") != first.header.Get("X-Gitlab-Webhook-UUID"), true)
	equal(t, "id it is signed with", first.header.Get("Webhook-Id"), first.header.Get("Idempotency-Key"))
	raw := r.face.Deliveries()
	last := raw[len(raw)-1]
	equal(t, "signature", last.Header.Get("Webhook-Signature"), "v1,"+gitlabface.Sign("whsec_c2lnbmluZy10b2tlbg==", last.Key, last.Header.Get("Webhook-Timestamp"), last.Body))

	attrs, _ := first.body["object_attributes"].(map[string]any)
	equal(t, "iid", attrs["iid"], any(float64(n)))
	commit, _ := attrs["last_commit"].(map[string]any)
	equal(t, "last commit", commit["id"], any(head))
}

// TestPushesListTwentyCommits: the newest twenty, and how many there are.
func TestPushesListTwentyCommits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var many []sim.NewCommit
	for i := range 25 {
		many = append(many, commit(fmt.Sprint("Commit ", i)))
	}
	_, err := r.world.As("mara").Push("acme/pump", "many", many...)
	r.ok(err)
	all := r.hooks()
	h := all[len(all)-1].body
	commits, _ := h["commits"].([]any)
	newest, _ := commits[len(commits)-1].(map[string]any)
	equal(t, "listed", len(commits), 20)
	equal(t, "counted", h["total_commits_count"], any(25.0))
	equal(t, "the newest last", newest["title"], any("Commit 24"))
}

// TestWebhooksMadeThroughTheAPI: of a project and of a group, tested, logged and
// sent again.
func TestWebhooksMadeThroughTheAPI(t *testing.T) {
	t.Parallel()
	var got []string
	answers := http.StatusOK
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		got = append(got, q.Header.Get("X-Gitlab-Event")+" "+q.Header.Get("X-Gitlab-Token"))
		w.WriteHeader(answers)
	}))
	t.Cleanup(receiver.Close)
	r := newRig(t, tier(gitlabface.Premium))
	r.want(r.post(botToken, project+"/hooks", body{"url": "ftp://x"}), http.StatusUnprocessableEntity, "Invalid url given")
	made := r.post(botToken, project+"/hooks", body{"url": receiver.URL, "token": "of-the-project", "note_events": true, "push_events": false})
	r.want(made, http.StatusCreated, `"note_events":true`, `"push_events":false`)
	if strings.Contains(string(made.raw), "of-the-project") {
		t.Error("the answer shows the token")
	}
	r.want(r.post(botToken, "groups/acme/hooks", body{"url": receiver.URL}), http.StatusForbidden)
	r.want(r.post(alexToken, "groups/acme/hooks", body{"url": receiver.URL + "/group", "token": "of-the-group", "merge_requests_events": true}), http.StatusCreated, `"group_id"`)

	n, _ := r.open("rate")
	_, err := r.world.As("chen").Comment("acme/pump", n, "Why?")
	r.ok(err)
	r.hooks()
	if want := []string{"Push Hook of-the-group", "Merge Request Hook of-the-group", "Note Hook of-the-project"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	at := fmt.Sprintf("%s/hooks/%v", project, made.at("id"))
	r.want(r.post(botToken, at+"/test/push_events", nil), http.StatusCreated, "201 Created")
	answers = http.StatusInternalServerError
	r.want(r.post(botToken, at+"/test/push_events", nil), http.StatusUnprocessableEntity)
	log := r.get(at + "/events?per_page=10")
	equal(t, "newest in the log", log.at("[0].response_status"), any(500.0))
	answers = http.StatusOK
	r.want(r.post(botToken, fmt.Sprintf("%s/events/%v/resend", at, log.at("[0].id")), nil), http.StatusCreated, `"response_status":200`)
	r.want(r.call(botToken, http.MethodDelete, at, nil), http.StatusNoContent)
	r.want(r.get(at), http.StatusNotFound)
}
