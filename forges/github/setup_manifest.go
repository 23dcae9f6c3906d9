package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"primum/forges/admin"
	"primum/forges/wire"
)

// manifest is what a GitHub App is made from. Its fields are in the order of
// deploy/github/app-manifest.json, which is printed from here.
type manifest struct {
	Name        string            `json:"name"`
	URL         string            `json:"url"`
	Description string            `json:"description"`
	Public      bool              `json:"public"`
	Hook        manifestHook      `json:"hook_attributes"`
	Redirect    string            `json:"redirect_url"`
	Callbacks   []string          `json:"callback_urls,omitempty"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`
}

type manifestHook struct {
	URL    string `json:"url"`
	Active bool   `json:"active"`
}

// appPermissions are the least that Primum works with.
func appPermissions() map[string]string {
	return map[string]string{
		"metadata": "read", "contents": "read", "checks": "write", "pull_requests": "write", "issues": "write",
		"statuses": "read", "members": "read", "merge_queues": "read",
	}
}

// appEvents are what Primum asks to be told.
func appEvents() []string {
	return []string{
		"check_run", "check_suite", "issue_comment", "issues", "label", "member", "membership", "merge_group",
		"organization", "public", "pull_request", "pull_request_review", "pull_request_review_comment", "pull_request_review_thread",
		"push", "repository", "status", "team", "team_add",
	}
}

// Manifest is the GitHub App to make for a service at a public address, whose
// deliveries go to hook. GitHub sends the browser back to redirect.
func Manifest(name, public, hook, redirect string) ([]byte, error) {
	return json.MarshalIndent(manifest{
		Name: name, URL: public, Description: "Judges every change by the IEC 62304 rules of its software safety class.",
		Hook: manifestHook{URL: hook, Active: true}, Redirect: redirect, Callbacks: []string{public + "/login/github/done"},
		Permissions: appPermissions(), Events: appEvents(),
	}, "", "  ")
}

// ManifestAddress is where a browser posts a manifest: for an organisation, or
// with org "" for the account that is signed in.
func ManifestAddress(web, org, state string) string {
	path := "/settings/apps/new"
	if org != "" {
		path = "/organizations/" + url.PathEscape(org) + path
	}
	return strings.TrimRight(web, "/") + path + "?state=" + url.QueryEscape(state)
}

// App is a GitHub App with its secrets, which GitHub tells once.
type App struct {
	ID            int64  `json:"id"`
	Slug          string `json:"slug"`
	Name          string `json:"name"`
	Page          string `json:"html_url"`
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret"`
	WebhookSecret string `json:"webhook_secret"`
	PEM           string `json:"pem"`
}

var codeShape = regexp.MustCompile(`^[A-Za-z0-9_-]{8,200}$`)

// Convert turns the code that GitHub sent the browser back with into the app.
// A code is good once, for an hour.
func Convert(ctx context.Context, c SetupConfig, code string) (App, error) {
	if !codeShape.MatchString(code) {
		return App{}, errors.New("the code that came back is none of GitHub's")
	}
	base, err := wire.Base(c.api())
	if err != nil {
		return App{}, err
	}
	api, err := admin.New(wire.Options{Base: base, CAFile: c.CAFile, CAPEM: c.CAPEM, Proxy: c.Proxy, Timeout: c.Timeout, Wait: c.Wait, Now: c.Now})
	if err != nil {
		return App{}, err
	}
	var a App
	if _, err := api.Call(ctx, http.MethodPost, "app-manifests/"+code+"/conversions", nil, &a); err != nil {
		return App{}, setupWords().Explain(err, "turn the code into the app", "begin anew: a code is good once, for an hour")
	}
	if a.ID == 0 || a.PEM == "" || a.WebhookSecret == "" {
		return App{}, fmt.Errorf("GitHub made the app %q and did not tell its secrets; delete it on its page and begin anew", a.Name)
	}
	return a, nil
}
