package gitlab

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"primum/forges"
	"primum/forges/admin"
)

// Days before a token runs out at which doctor says so.
const (
	tokenOdd = 30
	tokenBad = 3
)

// exam is one look at an instance. It embeds a setup for what both read.
type exam struct {
	Config
	admin.Look
	s      *setup
	words  admin.Words
	api    *admin.Client // as Primum's account
	above  *admin.Client // as an administrator, or as Primum's account without a token of one
	me     member
	found  admin.Findings
	unseen bool            // something only an owner is shown was left out
	groups map[string]bool // groups looked at, and whether their webhook covers
	told   map[string]bool // roles looked at
}

// Examine looks at an instance as the service with these settings would use it,
// and says of everything that would keep a verdict from coming, or from
// blocking, how to mend it. It changes nothing.
func Examine(ctx context.Context, c Config, w forges.Wanted, l admin.Look) []forges.Finding {
	c.URL, w.Check = cmp.Or(c.URL, publicURL), cmp.Or(w.Check, checkName)
	variable := "PRIMUM_" + strings.ToUpper(strings.ReplaceAll(cmp.Or(c.Key, "gitlab"), "-", "_"))
	e := &exam{
		Config: c, Look: l, groups: map[string]bool{}, told: map[string]bool{},
		words: admin.Words{Product: "GitLab", CA: variable + "_CA_FILE", URL: variable + "_URL"},
	}
	conf := SetupConfig{URL: c.URL, CAFile: c.CAFile, CAPEM: c.CAPEM, Proxy: c.Proxy, Timeout: c.Timeout, Wait: c.Wait, Now: c.Now}
	e.s = &setup{SetupConfig: conf, Wanted: w, words: e.words}
	var err error
	if e.api, err = conf.client(c.Token); err == nil {
		e.above, err = conf.client(cmp.Or(l.Admin, c.Token))
	}
	if err != nil {
		e.found.Bad("address", "correct "+e.words.URL+" or "+e.words.CA, "%v", err)
		return e.found
	}
	e.s.api = e.api
	if !e.reach(ctx) {
		return e.found
	}
	for _, p := range e.projects(ctx) {
		e.project(ctx, &p)
	}
	e.last(ctx)
	return e.found
}

// reach asks for version, account and token.
func (e *exam) reach(ctx context.Context) bool {
	before := e.Now()
	var v struct {
		Version string `json:"version"`
	}
	a, err := e.api.Get(ctx, "version", &v)
	if err != nil {
		topic := "address"
		if statusIn(err) == http.StatusUnauthorized || statusIn(err) == http.StatusForbidden {
			topic = "token"
		}
		e.found.Wrong(topic, forges.Bad, e.words.Explain(err, "", "correct "+e.words.URL+", or make the token anew with the scope api"))
		return false
	}
	e.found.Good("address", "GitLab %s answers at %s", v.Version, e.URL)
	e.found.Clock(a.Header, before, e.Now())
	if _, err := e.api.Get(ctx, "user", &e.me); err != nil {
		e.found.Wrong("token", forges.Bad, e.words.Explain(err, "", "make the token anew with the scope api"))
		return false
	}
	e.s.botID = e.me.ID
	if e.me.Admin {
		e.found.Odd("account", "give Primum an account of its own: primum setup gitlab", "the token is that of %s, who administers the instance: far more than Primum needs", e.me.Username)
	} else {
		e.found.Good("account", "the token is that of %s", e.me.Username)
	}
	e.token(ctx)
	return true
}

// token looks at scopes and end of the token.
func (e *exam) token(ctx context.Context) {
	var t tokenSeen
	if _, err := e.api.Get(ctx, "personal_access_tokens/self", &t); err != nil {
		return // a kind of token that cannot tell of itself
	}
	if !slices.Contains(t.Scopes, "api") {
		e.found.Bad("token", "make it anew with the scope api", "it has the scope %s only: no verdict can be posted", strings.Join(t.Scopes, ", "))
		return
	}
	end, err := time.Parse(time.DateOnly, t.Expires)
	days := int(end.Sub(e.Now()) / (24 * time.Hour))
	cure := "make another in time: primum setup gitlab --new-token, or the page of the account's access tokens"
	switch {
	case err != nil:
		e.found.Good("token", "has the scope api")
	case days < tokenBad:
		e.found.Bad("token", cure, "it runs out on %s: from then on nothing is judged", t.Expires)
	case days < tokenOdd:
		e.found.Odd("token", cure, "it runs out on %s, in %d days", t.Expires, days)
	default:
		e.found.Good("token", "has the scope api, until %s", t.Expires)
	}
}

// projects are those to look at.
func (e *exam) projects(ctx context.Context) []projectSeen {
	var all []projectSeen
	add := func(path, of string) {
		list, err := admin.List[projectSeen](ctx, e.api, path, "per_page")
		if err != nil {
			e.found.Wrong("projects of "+of, forges.Bad, e.words.Explain(err, "", "correct PRIMUM_ONLY, or make the account a member: primum setup gitlab --group "+of))
		}
		all = append(all, list...)
	}
	if len(e.s.Repos)+len(e.s.Owners) == 0 {
		add("projects?membership=true&archived=false", e.me.Username)
	}
	for _, g := range e.s.Owners {
		add(setupGroup(g)+"/projects?include_subgroups=true&archived=false", g)
	}
	for _, name := range e.s.Repos {
		var p projectSeen
		_, err := e.api.Get(ctx, setupProject(name), &p)
		switch {
		case err == nil:
			all = append(all, p)
		case statusIn(err) == http.StatusNotFound && e.isGroup(ctx, name):
			add(setupGroup(name)+"/projects?include_subgroups=true&archived=false", name)
		default:
			e.found.Wrong(name, forges.Bad, e.words.Explain(err, "", "correct PRIMUM_ONLY, or make the account a member: primum setup gitlab --repo "+name))
		}
	}
	all = slices.DeleteFunc(all, func(p projectSeen) bool { return p.Archived || p.Empty || p.Default == "" })
	switch {
	case len(all) == 0:
		e.found.Bad("projects", "make the account a member: primum setup gitlab", "%s sees none", e.me.Username)
	case len(all) > e.Bound():
		e.found.Odd("projects", "name some in PRIMUM_ONLY to have those looked at", "%d are seen; the first %d are looked at", len(all), e.Bound())
		all = all[:e.Bound()]
	default:
		e.found.Good("projects", "%d seen", len(all))
	}
	return all
}

func (e *exam) isGroup(ctx context.Context, name string) bool {
	_, err := e.api.Get(ctx, setupGroup(name), nil)
	return err == nil
}

// project looks at one project, if it has a policy.
func (e *exam) project(ctx context.Context, p *projectSeen) {
	text, err := e.s.file(ctx, p, p.Default, policyPath)
	switch {
	case err != nil:
		e.found.Wrong("policy of "+p.Path, forges.Bad, err)
		return
	case text == "" && slices.ContainsFunc(e.s.Repos, func(r string) bool { return strings.EqualFold(r, p.Path) }):
		e.found.Odd("policy of "+p.Path, "in a clone: primum policy init", "%s has no %s, so nothing is judged", p.Default, policyPath)
		return
	case text == "":
		return
	}
	if e.s.levelIn(ctx, p, e.me.ID) < roleDeveloper {
		e.found.Bad(p.Path, "make it a developer: primum setup gitlab --repo "+p.Path, "%s is no developer of it, so no verdict can be posted", e.me.Username)
	}
	e.blocks(ctx, p)
	e.branch(ctx, p)
	e.webhook(ctx, p)
	e.roles(ctx, p, []byte(text))
}

// blocks looks at what really keeps a red change out.
func (e *exam) blocks(ctx context.Context, p *projectSeen) {
	topic := "blocking in " + p.Path
	cure := "primum setup gitlab --repo " + p.Path
	checks, err := admin.List[statusCheckSeen](ctx, e.above, setupProject(p.Path)+"/external_status_checks", "per_page")
	check := err == nil && slices.ContainsFunc(checks, func(c statusCheckSeen) bool { return strings.EqualFold(c.Name, checkName) })
	rules, err := admin.List[ruleSeen](ctx, e.above, setupProject(p.Path)+"/approval_rules", "per_page")
	rule := err == nil && slices.ContainsFunc(rules, func(r ruleSeen) bool {
		return r.Name == ruleName && r.Required > 0 && len(r.Eligible) == 1 && r.Eligible[0].ID == e.me.ID
	})
	switch {
	case check && (p.Checks == nil || !*p.Checks):
		e.found.Bad(topic, cure, "there is the status check %s, and merging does not wait for status checks", checkName)
	case check:
		e.found.Good(topic, "by %s: merging waits for it", article(WayCheck))
	case e.Way == WayCheck:
		e.found.Bad(topic, cure, "the settings say %s and the project has none of the name %s", article(WayCheck), checkName)
	case rule:
		e.found.Good(topic, "by %s: Primum alone approves by it", article(WayApproval))
		e.reauthentication(ctx, p)
	case e.Way == WayApproval:
		e.found.Bad(topic, cure, "the settings say %s and the project has none of the name %s that Primum alone approves by", article(WayApproval), ruleName)
	case !p.Pipelines:
		e.found.Bad(topic, cure, "nothing does: merging waits neither for pipelines nor for a status check or approval of Primum")
	case p.Skipped:
		e.found.Bad(topic, cure, "merging waits for the pipeline, and one that was skipped counts as succeeded")
	default:
		way := cmp.Or(e.Way, WayStatus)
		e.found.Good(topic, "by %s: merging waits for the pipeline", article(way))
		if p.forked() {
			e.found.Odd("forks of "+p.Path, forkCure, forkSays, article(way))
		}
		if way == WayStatus && (p.Trains || p.Results) {
			e.found.Odd("pipelines of "+p.Path, "primum setup gitlab --way \"pipeline job\" --repo "+p.Path, "merged results or merge trains run pipelines that a commit status is not part of")
		}
	}
}

// reauthentication: an account that signs in by token has no password to approve with.
func (e *exam) reauthentication(ctx context.Context, p *projectSeen) {
	var a struct {
		Password bool `json:"require_password_to_approve"`
		Again    bool `json:"require_reauthentication_to_approve"`
	}
	if _, err := e.above.Get(ctx, setupProject(p.Path)+"/approvals", &a); err == nil && (a.Password || a.Again) {
		e.found.Bad("approvals of "+p.Path, "Settings, Merge requests: switch off \"Require user re-authentication to approve\", or take another way",
			"approving asks for a password, which Primum has none of")
	}
}

// branch looks whether the default branch can be pushed to.
func (e *exam) branch(ctx context.Context, p *projectSeen) {
	topic := p.Default + " of " + p.Path
	var b struct {
		Push []struct {
			Level int    `json:"access_level"`
			Words string `json:"access_level_description"`
		} `json:"push_access_levels"`
		Force bool `json:"allow_force_push"`
	}
	_, err := e.above.Get(ctx, setupProject(p.Path)+"/protected_branches/"+url.PathEscape(p.Default), &b)
	switch {
	case statusIn(err) == http.StatusNotFound:
		e.found.Bad(topic, "primum setup gitlab --repo "+p.Path, "it is not protected: every developer pushes to it without a verdict")
		return
	case err != nil:
		e.unseen = true
		return
	}
	var who []string
	for _, l := range b.Push {
		if l.Level > 0 {
			who = append(who, cmp.Or(l.Words, strconv.Itoa(l.Level)))
		}
	}
	if len(who) > 0 {
		e.found.Odd(topic, "Settings, Repository, Protected branches: allow nobody to push", "%s may push to it past every verdict", strings.Join(who, ", "))
		return
	}
	e.found.Good(topic, "is protected, and nobody pushes to it")
}

// webhook looks for the webhook that tells of a project.
func (e *exam) webhook(ctx context.Context, p *projectSeen) {
	if e.s.HookURL == "" {
		return
	}
	covered := e.covered(ctx, p.Path)
	topic, path := "webhook of "+p.Path, setupProject(p.Path)+"/hooks"
	there, err := admin.List[hookSeen](ctx, e.above, path, "per_page")
	if err != nil {
		e.unseen = e.unseen || !covered
		return
	}
	all := len(there)
	there = slices.DeleteFunc(there, func(h hookSeen) bool { return !sameAddress(h.URL, e.s.HookURL) })
	switch {
	case covered && len(there) > 0:
		e.found.Odd(topic, "remove that of the project", "everything is delivered twice, since a group above has one too")
	case covered:
	case len(there) == 0:
		e.found.Bad(topic, "primum setup gitlab --repo "+p.Path, "none of its %d sends to %s: Primum hears of nothing", all, e.s.HookURL)
	default:
		e.hook(ctx, topic, "primum setup gitlab --repo "+p.Path, path, there)
		e.deliver(ctx, topic, fmt.Sprintf("%s/%d/test/push_events", path, there[0].ID))
	}
}

// covered reports whether the webhook of a group above covers a project.
func (e *exam) covered(ctx context.Context, project string) bool {
	for at := strings.LastIndex(project, "/"); at > 0; at = strings.LastIndex(project[:at], "/") {
		group := project[:at]
		covers, known := e.groups[group]
		if !known {
			path := setupGroup(group) + "/hooks"
			there, err := admin.List[hookSeen](ctx, e.above, path, "per_page")
			there = slices.DeleteFunc(there, func(h hookSeen) bool { return !sameAddress(h.URL, e.s.HookURL) })
			covers = err == nil && len(there) > 0
			if e.groups[group] = covers; covers {
				e.hook(ctx, "webhook of the group "+group, "primum setup gitlab --group "+group, path, there)
			}
		}
		if covers {
			return true
		}
	}
	return false
}

// hook says how webhooks to our address are.
func (e *exam) hook(ctx context.Context, topic, cure, path string, there []hookSeen) {
	if len(there) > 1 {
		e.found.Odd(topic, cure+" removes the others", "%d send to the same address: everything is delivered %d times", len(there), len(there))
	}
	h := there[0]
	switch faults, sleeps := hookFaults(h), hookSleeps(h); {
	case sleeps != "":
		e.found.Bad(topic, "see to it that the service answers; then the webhook's page, Test, Push events, wakes it", "%s", sleeps)
		return
	case len(faults) > 0:
		e.found.Bad(topic, cure+" mends it", "%s", strings.Join(faults, "; "))
		return
	case len(e.SigningTokens) > 0 && (h.Signed == nil || !*h.Signed):
		e.found.Bad(topic, cure+" --new-secret, or take the signing token out of the settings", "it does not sign its deliveries, and the settings have a signing token: all are refused")
		return
	}
	e.found.Good(topic, "sends to %s, all that Primum needs", e.s.HookURL)
	var log []struct {
		Status string `json:"response_status"`
		At     string `json:"created_at"`
	}
	if _, err := e.above.Get(ctx, fmt.Sprintf("%s/%d/events?per_page=1", path, h.ID), &log); err != nil || len(log) == 0 {
		return // not before 17.3, or nothing was delivered yet
	}
	if strings.HasPrefix(log[0].Status, "2") {
		e.found.Good("last delivery: "+topic, "answered %s at %s", log[0].Status, log[0].At)
		return
	}
	e.found.Bad("last delivery: "+topic, "look at the webhook's page, Recent events, for the answer; 401 means another secret: "+cure+" --new-secret", "answered %s at %s", log[0].Status, log[0].At)
}

// deliver asks for a test delivery; GitLab tells what came of it by itself.
func (e *exam) deliver(ctx context.Context, topic, path string) {
	if e.Deliver == nil {
		return
	}
	topic = "test delivery: " + topic
	came, err := e.Deliver(ctx, func() error {
		_, err := e.above.Call(ctx, http.MethodPost, path, nil, nil)
		return err
	})
	switch {
	case err != nil && statusIn(err) == http.StatusUnprocessableEntity:
		e.found.Wrong(topic, forges.Bad, e.words.Explain(err, "it failed", "a private address needs Admin, Settings, Network, Outbound requests; 401 means another secret"))
	case err != nil:
		e.found.Wrong(topic, forges.Odd, e.words.Explain(err, "", needProject))
	case came:
		e.found.Good(topic, "came to the service with the right secret")
	default:
		e.found.Bad(topic, "look at the webhook's page, Recent events, for the answer", "it did not come to the service")
	}
}

// roles looks whether the members of the groups that a policy names can be
// read. A name is looked for beside the project and above, as the adapter does.
func (e *exam) roles(ctx context.Context, p *projectSeen, policy []byte) {
	for _, principal := range e.Roles(policy) {
		name, isTeam := strings.CutPrefix(principal, "team:")
		if !isTeam || e.told[p.Path+"\x00"+name] {
			continue
		}
		e.told[p.Path+"\x00"+name] = true
		topic := "group " + name + " for " + p.Path
		err := e.anyGroup(ctx, p.Path, name)
		if err != nil {
			e.found.Wrong(topic, forges.Bad, e.words.Explain(err, "read its members, as the policy asks",
				"make the group, or make the account a member of it, or correct people in "+policyPath))
			continue
		}
		e.found.Good(topic, "its members can be read")
	}
}

func (e *exam) anyGroup(ctx context.Context, project, name string) error {
	tried := []string{name}
	if !strings.Contains(name, "/") {
		tried = nil
		for at := strings.LastIndex(project, "/"); at > 0; at = strings.LastIndex(project[:at], "/") {
			tried = append(tried, project[:at]+"/"+name)
		}
		tried = append(tried, name)
	}
	var err error
	for _, group := range tried {
		if _, err = e.api.Get(ctx, setupGroup(group)+"/members/all?per_page=1", nil); statusIn(err) != http.StatusNotFound {
			return err
		}
	}
	return err
}

// last says what could not be looked at, and the trap of private addresses.
func (e *exam) last(ctx context.Context) {
	if e.unseen {
		e.found.Odd("webhooks and protection", "give the token of a maintainer for this look, with --admin-token-file",
			"%s is not shown all of them, so they were not all looked at", e.me.Username)
	}
	private, ip := admin.Private(ctx, e.s.HookURL)
	if !private {
		return
	}
	cure := "Admin, Settings, Network, Outbound requests: allow requests to the local network from webhooks, or list the address there"
	switch open, err := outbound(ctx, e.above, e.s.HookURL); {
	case e.Came:
		e.found.Good("private address", "GitLab may call %s, for its deliveries came", ip)
	case err != nil:
		e.found.Odd("private address", cure+"; --deliver finds out whether it is so", "webhooks go to %s, and GitLab calls private addresses only if it is told that it may", ip)
	case open:
		e.found.Good("private address", "GitLab may call %s", ip)
	default:
		e.found.Bad("private address", cure, "webhooks go to %s, which GitLab may not call", ip)
	}
}

// Ping is a delivery that leads to nothing, proven by a secret or, with a
// signing token, signed: what doctor sends to see whether the service accepts
// proven deliveries, and only those.
func Ping(secret, signingToken, id string, now time.Time) (http.Header, []byte) {
	body := []byte(`{"object_kind":"ping","message":"a delivery of primum doctor, about nothing"}`)
	h := http.Header{"Content-Type": {"application/json"}, headerEvent: {"Ping Hook"}, headerOnce: {id}}
	key, err := signingKey(signingToken)
	if err != nil {
		h[headerToken] = []string{secret}
		return h, body
	}
	at := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "." + string(body)))
	h[headerID], h[headerTime] = []string{id}, []string{at}
	h[headerSigned] = []string{signatureWord + base64.StdEncoding.EncodeToString(mac.Sum(nil))}
	return h, body
}
