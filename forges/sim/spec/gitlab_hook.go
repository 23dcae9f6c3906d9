package spec

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// gitLabHook is what GitLab documents of one kind of webhook: the kind its body
// names, and names that stand in every one of its bodies, "a.b" within "a".
type gitLabHook struct {
	kind  string
	names []string
}

// gitLabHooks are the webhooks GitLab documents, by X-Gitlab-Event.
func gitLabHooks() map[string]gitLabHook {
	project := []string{
		"project.id", "project.name", "project.web_url", "project.git_ssh_url", "project.git_http_url", "project.namespace",
		"project.visibility_level", "project.path_with_namespace", "project.default_branch",
	}
	with := func(more ...string) []string { return append(slices.Clone(project), more...) }
	user := []string{"user.id", "user.name", "user.username", "user.avatar_url", "user.email"}
	return map[string]gitLabHook{
		"Push Hook":     {"push", with("before", "after", "ref", "ref_protected", "checkout_sha", "user_id", "user_name", "user_username", "project_id", "repository", "commits", "total_commits_count")},
		"Tag Push Hook": {"tag_push", with("before", "after", "ref", "checkout_sha", "user_id", "user_name", "project_id", "repository", "commits", "total_commits_count")},
		"Issue Hook": {"issue", with(append(user, "event_type", "repository", "labels", "changes", "object_attributes.id", "object_attributes.iid",
			"object_attributes.title", "object_attributes.description", "object_attributes.author_id", "object_attributes.project_id",
			"object_attributes.created_at", "object_attributes.updated_at", "object_attributes.state", "object_attributes.state_id",
			"object_attributes.type", "object_attributes.url", "object_attributes.labels", "object_attributes.action")...)},
		"Note Hook": {"note", with(append(user, "event_type", "project_id", "repository", "object_attributes.id", "object_attributes.note",
			"object_attributes.noteable_type", "object_attributes.noteable_id", "object_attributes.author_id", "object_attributes.created_at",
			"object_attributes.updated_at", "object_attributes.system", "object_attributes.url", "object_attributes.action")...)},
		"Merge Request Hook": {"merge_request", with(append(user, "event_type", "repository", "labels", "changes", "object_attributes.id",
			"object_attributes.iid", "object_attributes.target_branch", "object_attributes.source_branch", "object_attributes.source_project_id",
			"object_attributes.target_project_id", "object_attributes.author_id", "object_attributes.title", "object_attributes.description",
			"object_attributes.created_at", "object_attributes.updated_at", "object_attributes.state", "object_attributes.draft",
			"object_attributes.url", "object_attributes.source", "object_attributes.target", "object_attributes.last_commit",
			"object_attributes.labels", "object_attributes.detailed_merge_status", "object_attributes.blocking_discussions_resolved",
			"object_attributes.reviewer_ids", "object_attributes.action")...)},
		"Pipeline Hook": {"pipeline", with(append(user, "commit", "builds", "object_attributes.id", "object_attributes.iid", "object_attributes.ref",
			"object_attributes.tag", "object_attributes.sha", "object_attributes.source", "object_attributes.status", "object_attributes.stages",
			"object_attributes.created_at", "object_attributes.url")...)},
		"Job Hook": {"build", with("user", "ref", "sha", "build_id", "build_name", "build_stage", "build_status", "build_created_at", "build_allow_failure",
			"pipeline_id", "project_id", "project_name", "commit", "repository")},
		"Emoji Hook": {"emoji", with(append(user, "event_type", "project_id", "object_attributes.id", "object_attributes.name",
			"object_attributes.user_id", "object_attributes.awardable_type", "object_attributes.awardable_id", "object_attributes.action",
			"object_attributes.awarded_on_url", "note")...)},
		"Member Hook":   {"", []string{"event_name", "group_name", "group_path", "group_id", "user_username", "user_name", "user_id", "group_access", "created_at", "updated_at"}},
		"Subgroup Hook": {"", []string{"event_name", "name", "path", "full_path", "group_id", "parent_group_id", "parent_full_path", "created_at", "updated_at"}},
		"Project Hook":  {"", []string{"event_name", "name", "path", "path_with_namespace", "project_id", "project_visibility", "owners", "created_at", "updated_at"}},
	}
}

// checkGitLabHook holds a delivery against what GitLab documents of its kind.
func checkGitLabHook(event string, header http.Header, body []byte) error {
	want, ok := gitLabHooks()[event]
	if !ok {
		return fmt.Errorf("GitLab sends no %s", event)
	}
	for _, name := range []string{"X-Gitlab-Event", "X-Gitlab-Event-Uuid", "X-Gitlab-Webhook-Uuid", "X-Gitlab-Instance", "Idempotency-Key"} {
		if header.Get(name) == "" {
			return fmt.Errorf("%s: header %s is missing", event, name)
		}
	}
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		return fmt.Errorf("%s: %w", event, err)
	}
	if kind, _ := in["object_kind"].(string); kind != want.kind {
		return fmt.Errorf("%s: object_kind is %q, want %q", event, kind, want.kind)
	}
	for _, name := range want.names {
		outer, inner, within := strings.Cut(name, ".")
		v, ok := in[outer]
		if ok && within {
			m, _ := v.(map[string]any)
			_, ok = m[inner]
		}
		if !ok {
			return fmt.Errorf("%s: %s is missing", event, name)
		}
	}
	return nil
}

// SentGitLab holds every webhook payload against GitLab's documentation: give it
// to the face as the one who is told of what is sent.
func SentGitLab(tb testing.TB) func(event string, header http.Header, body []byte) {
	tb.Helper()
	w := &watch{t: tb}
	tb.Cleanup(w.stop)
	return func(event string, header http.Header, body []byte) {
		if err := checkGitLabHook(event, header, body); err != nil {
			w.fail("webhook %v", err)
		}
	}
}
