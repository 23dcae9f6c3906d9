package main

import (
	"cmp"
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"primum/bot/config"
)

// surroundings is the forge whose job this is; github where nothing says so.
// The Actions of Gitea and Forgejo set GitHub's variables besides their own.
func surroundings(env func(string) string) string {
	switch {
	case inGitea(env):
		return "gitea"
	case env("GITLAB_CI") != "":
		return "gitlab"
	default:
		return "github"
	}
}

func inGitea(env func(string) string) bool {
	return env("GITEA_ACTIONS") != "" || env("FORGEJO_ACTIONS") != ""
}

// complete fills in what the job's environment says of the change, where the
// command line does not. What another kind of job says is not taken.
func (r *remote) complete(env func(string) string) {
	around := surroundings(env)
	if r.forge == "" {
		r.forge = around
	}
	kind := r.kind()
	switch {
	case kind == config.KindGitLab && around == "gitlab":
		r.fromGitLab(env)
	case kind == config.KindGitea && around == "gitea":
		r.url = cmp.Or(r.url, env("FORGEJO_SERVER_URL"), env("GITEA_SERVER_URL"), env("GITHUB_SERVER_URL"))
		r.fromActions(env)
	case kind == config.KindGitHub && around == "github":
		if api := env("GITHUB_API_URL"); r.api == "" && api != "https://api.github.com" {
			r.api = api
		}
		r.fromActions(env)
	}
}

// fromGitLab reads the variables of a merge request pipeline, per
// https://docs.gitlab.com/ci/variables/predefined_variables/. In the pipeline of a
// fork the project is the fork, and the merge request's is the one meant.
func (r *remote) fromGitLab(env func(string) string) {
	r.repo = cmp.Or(r.repo, env("CI_MERGE_REQUEST_PROJECT_PATH"), env("CI_PROJECT_PATH"))
	r.url = cmp.Or(r.url, env("CI_SERVER_URL"))
	r.ca = cmp.Or(r.ca, env("CI_SERVER_TLS_CA_FILE"))
	if r.number == 0 {
		r.number, _ = strconv.Atoi(env("CI_MERGE_REQUEST_IID"))
	}
}

// fromActions reads the variables of Actions, which Gitea and Forgejo copy.
func (r *remote) fromActions(env func(string) string) {
	r.repo = cmp.Or(r.repo, env("GITHUB_REPOSITORY"))
	if r.number == 0 {
		r.number = eventOf(env("GITHUB_EVENT_PATH")).number()
	}
	if r.number == 0 { // refs/pull/12/merge
		parts := strings.Split(env("GITHUB_REF"), "/")
		if len(parts) == 4 && parts[1] == "pull" {
			r.number, _ = strconv.Atoi(parts[2])
		}
	}
}

// commitOf is the head of the change in a job's own words; "" if they do not
// tell. The commit a job has checked out is often a merge of the head.
func commitOf(env func(string) string) string {
	if surroundings(env) == "gitlab" {
		return cmp.Or(env("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"), env("CI_COMMIT_SHA"))
	}
	return eventOf(env("GITHUB_EVENT_PATH")).Pull.Head.SHA
}

// tokenVariables are where a token may be, first come first served.
func tokenVariables(env func(string) string, kind config.Kind, named string) []string {
	if named != "" {
		return []string{named}
	}
	switch kind {
	case config.KindGitLab:
		return []string{"PRIMUM_TOKEN", "GITLAB_TOKEN"}
	case config.KindGitea:
		all := []string{"PRIMUM_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN"}
		if inGitea(env) {
			all = append(all, "GITHUB_TOKEN") // theirs, under GitHub's name
		}
		return all
	case config.KindGitHub:
	}
	return []string{"PRIMUM_TOKEN", "GITHUB_TOKEN"}
}

// tokenOf is the token, "" if there is none.
func tokenOf(env func(string) string, kind config.Kind, named string) string {
	for _, v := range tokenVariables(env, kind, named) {
		if token := strings.TrimSpace(env(v)); token != "" {
			return token
		}
	}
	return ""
}

// actionsEvent is what the file of an Actions event says of the change.
type actionsEvent struct {
	Pull struct {
		Number int `json:"number"`
		Head   struct {
			SHA string `json:"sha"`
		} `json:"head"`
	} `json:"pull_request"`
	Issue struct {
		Number int             `json:"number"`
		Pull   json.RawMessage `json:"pull_request"`
	} `json:"issue"`
}

// number is that of the change; 0 if the event is about none.
func (e actionsEvent) number() int {
	if e.Pull.Number == 0 && len(e.Issue.Pull) > 0 && string(e.Issue.Pull) != "null" {
		return e.Issue.Number
	}
	return e.Pull.Number
}

// eventOf reads an event's file; nothing if there is none.
func eventOf(path string) (e actionsEvent) {
	if path == "" {
		return e
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the path comes from the runner
	if err != nil || json.Unmarshal(raw, &e) != nil {
		return actionsEvent{}
	}
	return e
}
