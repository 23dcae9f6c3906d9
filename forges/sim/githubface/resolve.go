package githubface

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"primum/forges/sim"
)

// when writes a time as a GraphQL DateTime, or null.
func when(t time.Time) any { return maybe(t) }

// rootNode is the query root.
type rootNode struct{}

func (rootNode) typename() string { return "Query" }

func (rootNode) field(q *query, name string, a args) (any, error) {
	switch name {
	case "rateLimit":
		return plain{"RateLimit", map[string]any{
			"cost": 1, "limit": hourly, "remaining": q.left, "used": hourly - q.left, "resetAt": q.reset, "nodeCount": 1,
		}}, nil
	case "viewer":
		acc := q.s.v.AccountByLogin(q.c.who.login)
		if acc == nil {
			return nil, notFound("There is no viewer.")
		}
		return accountNode{acc, "User"}, nil
	case "repository":
		full := a.text("owner") + "/" + a.text("name")
		r := q.s.v.Repo(full)
		if !q.c.who.sees(q.s.v, r) {
			return nil, notFound("Could not resolve to a Repository with the name '%s'.", full)
		}
		return repoNode{r}, nil
	case "organization":
		o := q.s.v.AccountByLogin(a.text("login"))
		if o == nil || o.Kind != sim.Organization {
			return nil, notFound("Could not resolve to an Organization with the login of '%s'.", a.text("login"))
		}
		return accountNode{o, "Organization"}, nil
	case "user":
		u := q.s.v.AccountByLogin(a.text("login"))
		if u == nil || u.Kind != sim.User {
			return nil, notFound("Could not resolve to a User with the login of '%s'.", a.text("login"))
		}
		return accountNode{u, "User"}, nil
	case "node":
		return q.byID(a.text("id"))
	}
	return nil, errNoField
}

// byID finds what a global id names: issues, changes, reviews, accounts.
func (q *query) byID(id string) (any, error) {
	kind, n, ok := parseNodeID(id)
	missing := notFound("Could not resolve to a node with the global id of '%s'", id)
	if !ok {
		return nil, missing
	}
	if a := q.s.v.Account(n); a != nil && slices.Contains([]string{"U", "BOT", "O"}, kind) {
		return actorNode(a), nil
	}
	for _, r := range q.s.v.Repos() {
		if !q.c.who.sees(q.s.v, r) {
			continue
		}
		if kind == "R" && r.ID == n {
			return repoNode{r}, nil
		}
		for _, is := range q.s.v.Issues(r) {
			switch {
			case (kind == "I" || kind == "PR") && is.ID == n:
				return q.issueOrPull(r, is), nil
			case kind == "PRR" && is.Change != nil:
				for _, rv := range is.Change.Reviews {
					if rv.ID == n {
						return reviewNode{r, is, rv}, nil
					}
				}
			case kind == "IC":
				for _, k := range is.Comments {
					if k.ID == n {
						return commentNode{r, is, k}, nil
					}
				}
			}
		}
	}
	return nil, missing
}

// mutationNode is the mutation root.
type mutationNode struct{}

func (mutationNode) typename() string { return "Mutation" }

func (mutationNode) field(q *query, name string, a args) (any, error) {
	if name != "addReaction" {
		return nil, errNoField
	}
	input, _ := a["input"].(map[string]any)
	subject, _ := input["subjectId"].(string)
	content := map[string]string{
		"THUMBS_UP": "+1", "THUMBS_DOWN": "-1", "LAUGH": "laugh", "CONFUSED": "confused", "HEART": "heart", "HOORAY": "hooray", "ROCKET": "rocket", "EYES": "eyes",
	}[fmt.Sprint(input["content"])]
	if content == "" {
		return nil, &gqlError{code: "argumentLiteralsIncompatible", message: fmt.Sprintf("Argument 'content' on InputObject 'AddReactionInput' has an invalid value (%v).", input["content"])}
	}
	if !q.c.who.may("issues", "write") && !q.c.who.may("pull_requests", "write") {
		return nil, forbidden()
	}
	found, err := q.byID(subject)
	if err != nil {
		return nil, err
	}
	actor := q.c.actor()
	switch n := found.(type) {
	case reviewNode:
		full, id := q.s.v.FullName(n.r), n.rv.ID
		q.mutations = append(q.mutations, func() error { _, _, err := actor.ReactReview(full, id, content); return err })
	case commentNode:
		full, id := q.s.v.FullName(n.r), n.k.ID
		q.mutations = append(q.mutations, func() error { _, _, err := actor.React(full, id, content); return err })
	default:
		return nil, notFound("Could not resolve to a node with the global id of '%s'", subject)
	}
	return plain{"AddReactionPayload", map[string]any{"clientMutationId": input["clientMutationId"]}}, nil
}

// accountNode is an account under one of the types it can have.
type accountNode struct {
	a   *sim.Account
	typ string
}

// actorNode is an account as an Actor, or nil.
func actorNode(a *sim.Account) any {
	if a == nil {
		return nil
	}
	return accountNode{a, string(a.Kind)}
}

func (q *query) actor(id int64) any { return actorNode(q.s.v.Account(id)) }

func (n accountNode) typename() string { return n.typ }

func (n accountNode) field(q *query, name string, a args) (any, error) {
	switch name {
	case "id":
		return userNode(n.a), nil
	case "databaseId":
		return n.a.ID, nil
	case "login":
		// GraphQL names an app's bot without the "[bot]" that REST has.
		if n.typ == "Bot" {
			return strings.TrimSuffix(n.a.Login, "[bot]"), nil
		}
		return n.a.Login, nil
	case "url":
		return q.s.web + "/" + n.a.Login, nil
	case "avatarUrl":
		return q.s.web + "/avatars/" + strconv.FormatInt(n.a.ID, 10), nil
	case "createdAt":
		return when(n.a.CreatedAt), nil
	case "name":
		if n.typ != "Bot" {
			return orNil(n.a.Name), nil
		}
	case "email":
		if n.typ == "User" {
			return "", nil
		}
	case "team":
		if n.typ == "Organization" {
			return q.team(n.a, a.text("slug"))
		}
	}
	return nil, errNoField
}

func (q *query) team(org *sim.Account, slug string) (any, error) {
	if !q.c.who.may("members", "read") {
		return nil, forbidden()
	}
	if in := q.c.who.installation; in != nil && in.Account != org.ID {
		return nil, nil // not to be seen from here
	}
	t := q.s.v.Team(org.ID, slug)
	if t == nil {
		return nil, nil // GitHub answers null
	}
	return teamNode{t}, nil
}

type teamNode struct{ t *sim.Team }

func (teamNode) typename() string { return "Team" }

func (n teamNode) field(q *query, name string, a args) (any, error) {
	switch name {
	case "id":
		return nodeID("T", n.t.ID), nil
	case "databaseId":
		return n.t.ID, nil
	case "slug":
		return n.t.Slug, nil
	case "name":
		return n.t.Name, nil
	case "members":
		// ALL, the default, has the members of child teams too.
		var out []node
		for _, m := range q.s.v.TeamMembers(n.t, a.text("membership") == "IMMEDIATE") {
			out = append(out, accountNode{m, "User"})
		}
		return connection{name: "TeamMemberConnection", nodes: out}, nil
	}
	return nil, errNoField
}

type repoNode struct{ r *sim.Repo }

func (repoNode) typename() string { return "Repository" }

func (n repoNode) field(q *query, name string, a args) (any, error) {
	r := n.r
	number, _ := a.number("number")
	switch name {
	case "id":
		return nodeID("R", r.ID), nil
	case "databaseId":
		return r.ID, nil
	case "name":
		return r.Name, nil
	case "nameWithOwner":
		return q.s.v.FullName(r), nil
	case "url":
		return q.s.repoWeb(r), nil
	case "isPrivate":
		return r.Private, nil
	case "isArchived", "isDisabled":
		return false, nil
	case "isFork":
		return r.Parent != 0, nil
	case "owner":
		return q.actor(r.Owner), nil
	case "defaultBranchRef":
		return refOf(r, r.Default), nil
	case "ref":
		return refOf(r, strings.TrimPrefix(a.text("qualifiedName"), "refs/heads/")), nil
	case "object":
		at := a.text("expression")
		if at == "" {
			at = a.text("oid")
		}
		return q.gitObject(r, at)
	case "issueOrPullRequest":
		is := q.s.v.Standing(r, number, sim.PartAll)
		if is == nil {
			return nil, notFound("Could not resolve to an issue or pull request with the number of %d.", number)
		}
		return q.issueOrPull(r, is), nil
	case "issue":
		is := q.s.v.Standing(r, number, sim.PartAll)
		if is == nil || is.Change != nil {
			return nil, notFound("Could not resolve to an Issue with the number of %d.", number)
		}
		if !q.c.who.may("issues", "read") {
			return nil, forbidden()
		}
		return issueNode{r, is}, nil
	case "pullRequest":
		is := q.s.v.Standing(r, number, sim.PartAll)
		if is == nil || is.Change == nil {
			return nil, notFound("Could not resolve to a PullRequest with the number of %d.", number)
		}
		if !q.c.who.may("pull_requests", "read") {
			return nil, forbidden()
		}
		return pullNode{r, is}, nil
	case "pullRequests":
		states := a.list("states")
		var out []node
		for _, is := range q.s.v.Changes(r) {
			if len(states) == 0 || slices.Contains(states, pullState(is)) {
				out = append(out, pullNode{r, is})
			}
		}
		return connection{name: "PullRequestConnection", nodes: out}, nil
	case "mergeQueue":
		return q.mergeQueue(r, a.text("branch")), nil
	}
	return nil, errNoField
}

func (q *query) issueOrPull(r *sim.Repo, is *sim.Issue) node {
	if is.Change != nil {
		return pullNode{r, is}
	}
	return issueNode{r, is}
}

func (q *query) mergeQueue(r *sim.Repo, branch string) any {
	if branch == "" {
		branch = r.Default
	}
	p := r.Protection[branch]
	var entries []node
	for _, c := range r.Candidates {
		if c.Done || c.Branch != branch {
			continue
		}
		base := c.Base
		for _, number := range c.Numbers {
			entries = append(entries, queueEntry{r, c, number, len(entries) + 1, base})
			base = c.Steps[number]
		}
	}
	if p == nil && len(entries) == 0 {
		return nil
	}
	return plain{"MergeQueue", map[string]any{
		"id": nodeID("MQ", r.ID), "url": q.s.repoWeb(r) + "/queue/" + branch,
		"entries": connection{name: "MergeQueueEntryConnection", nodes: entries},
	}}
}

type queueEntry struct {
	r        *sim.Repo
	c        *sim.Candidate
	number   int
	position int
	base     string
}

func (queueEntry) typename() string { return "MergeQueueEntry" }

func (n queueEntry) field(q *query, name string, _ args) (any, error) {
	switch name {
	case "id":
		return nodeID("MQE", int64(n.number)), nil
	case "position":
		return n.position, nil
	case "state":
		return "AWAITING_CHECKS", nil
	case "headCommit":
		return q.commitOf(n.r, n.c.Steps[n.number]), nil
	case "baseCommit":
		return q.commitOf(n.r, n.base), nil
	case "pullRequest":
		return pullNode{n.r, n.r.Issues[n.number]}, nil
	case "enqueuer":
		return q.actor(n.c.By), nil
	}
	return nil, errNoField
}

// refNode is a branch.
type refNode struct {
	r    *sim.Repo
	name string
}

func refOf(r *sim.Repo, name string) any {
	if r.Branches[name] == "" {
		return nil
	}
	return refNode{r, name}
}

func (refNode) typename() string { return "Ref" }

func (n refNode) field(q *query, name string, _ args) (any, error) {
	switch name {
	case "name":
		return n.name, nil
	case "prefix":
		return "refs/heads/", nil
	case "target":
		return q.commitOf(n.r, n.r.Branches[n.name]), nil
	}
	return nil, errNoField
}

func (q *query) commitOf(r *sim.Repo, sha string) any {
	if c := q.s.v.Commit(sha); c != nil {
		return commitNode{r, c}
	}
	return nil
}

// gitObject finds what an expression names: a commit, "commit:path", a tree or a blob.
func (q *query) gitObject(r *sim.Repo, at string) (any, error) {
	if !q.c.who.may("contents", "read") {
		return nil, forbidden()
	}
	rev, path, deep := strings.Cut(at, ":")
	if c := q.s.v.Resolve(r, rev); c != nil {
		if !deep {
			return commitNode{r, c}, nil
		}
		if e, ok := q.s.v.Lookup(c.Tree, path); ok {
			return q.entryObject(r, e), nil
		}
		return nil, nil // GitHub answers null
	}
	if _, ok := q.s.v.Tree(at); ok {
		return treeNode{r, at}, nil
	}
	if b, ok := q.s.v.Blob(at); ok {
		return blobNode{r, at, b}, nil
	}
	return nil, nil // GitHub answers null
}

func (q *query) entryObject(r *sim.Repo, e sim.TreeEntry) any {
	if e.Mode == sim.ModeTree {
		return treeNode{r, e.OID}
	}
	b, ok := q.s.v.Blob(e.OID)
	if !ok {
		return nil
	}
	return blobNode{r, e.OID, b}
}

type commitNode struct {
	r *sim.Repo
	c *sim.Commit
}

func (commitNode) typename() string { return "Commit" }

var coAuthor = regexp.MustCompile(`(?im)^co-authored-by:\s*(.*?)\s*<([^>]+)>\s*$`)

func (n commitNode) field(q *query, name string, a args) (any, error) {
	c := n.c
	switch name {
	case "id":
		return gitNode("C", n.r, c.SHA), nil
	case "oid":
		return c.SHA, nil
	case "abbreviatedOid":
		return c.SHA[:7], nil
	case "url", "commitUrl":
		return q.s.repoWeb(n.r) + "/commit/" + c.SHA, nil
	case "message":
		return c.Message, nil
	case "messageHeadline":
		head, _, _ := strings.Cut(c.Message, "\n")
		return head, nil
	case "authoredDate":
		return when(c.Author.At), nil
	case "committedDate":
		return when(c.Committer.At), nil
	case "author":
		return identNode{c.Author}, nil
	case "committer":
		return identNode{c.Committer}, nil
	case "authors":
		out := []node{identNode{c.Author}}
		for _, m := range coAuthor.FindAllStringSubmatch(c.Message, -1) {
			out = append(out, identNode{sim.Ident{Name: m[1], Email: m[2], At: c.Author.At}})
		}
		return connection{name: "GitActorConnection", nodes: out}, nil
	case "parents":
		var out []node
		for _, p := range c.Parents {
			if k := q.s.v.Commit(p); k != nil {
				out = append(out, commitNode{n.r, k})
			}
		}
		return connection{name: "CommitConnection", nodes: out}, nil
	case "signature":
		if !c.Signature.Present {
			return nil, nil // unsigned
		}
		state := strings.ToUpper(c.Signature.Reason)
		if state == "" {
			state = map[bool]string{true: "VALID", false: "INVALID"}[c.Signature.Valid]
		}
		return plain{"GpgSignature", map[string]any{
			"isValid": c.Signature.Valid, "state": state, "wasSignedByGitHub": c.Signature.ByForge, "email": c.Committer.Email, "signer": nil,
		}}, nil
	case "tree":
		return treeNode{n.r, c.Tree}, nil
	case "file":
		if !q.c.who.may("contents", "read") {
			return nil, forbidden()
		}
		e, ok := q.s.v.Lookup(c.Tree, a.text("path"))
		if !ok {
			return nil, nil // GitHub answers null
		}
		return entryNode{n.r, e, a.text("path")}, nil
	case "statusCheckRollup":
		return q.rollup(n.r, c.SHA)
	}
	return nil, errNoField
}

// identNode is who a commit names.
type identNode struct{ i sim.Ident }

func (identNode) typename() string { return "GitActor" }

func (n identNode) field(q *query, name string, _ args) (any, error) {
	switch name {
	case "name":
		return n.i.Name, nil
	case "email":
		return n.i.Email, nil
	case "date":
		return when(n.i.At), nil
	case "user":
		if a := q.s.v.AccountOfEmail(n.i.Email); a != nil {
			return accountNode{a, "User"}, nil
		}
		return nil, nil // nobody's address
	}
	return nil, errNoField
}

type treeNode struct {
	r   *sim.Repo
	oid string
}

func (treeNode) typename() string { return "Tree" }

func (n treeNode) field(q *query, name string, _ args) (any, error) {
	switch name {
	case "id":
		return gitNode("T", n.r, n.oid), nil
	case "oid":
		return n.oid, nil
	case "entries":
		list, _ := q.s.v.Tree(n.oid)
		out := []node{}
		for _, e := range list {
			out = append(out, entryNode{n.r, e, e.Name})
		}
		return out, nil
	}
	return nil, errNoField
}

type entryNode struct {
	r    *sim.Repo
	e    sim.TreeEntry
	path string
}

func (entryNode) typename() string { return "TreeEntry" }

func (n entryNode) field(q *query, name string, _ args) (any, error) {
	switch name {
	case "name":
		return n.path[strings.LastIndexByte(n.path, '/')+1:], nil
	case "path":
		return n.path, nil
	case "oid":
		return n.e.OID, nil
	case "type":
		if n.e.Mode == sim.ModeTree {
			return "tree", nil
		}
		return "blob", nil
	case "mode":
		mode, err := strconv.ParseInt(n.e.Mode, 8, 32)
		return mode, err
	case "object":
		return q.entryObject(n.r, n.e), nil
	}
	return nil, errNoField
}

// mostText is how much of a blob GraphQL shows before it cuts it off.
const mostText = 512_000

type blobNode struct {
	r   *sim.Repo
	oid string
	b   []byte
}

func (blobNode) typename() string { return "Blob" }

func (n blobNode) field(_ *query, name string, _ args) (any, error) {
	binary := slices.Contains(n.b[:min(len(n.b), 8000)], 0)
	switch name {
	case "id":
		return gitNode("B", n.r, n.oid), nil
	case "oid":
		return n.oid, nil
	case "byteSize":
		return len(n.b), nil
	case "isBinary":
		return binary, nil
	case "isTruncated":
		return !binary && len(n.b) > mostText, nil
	case "text":
		if binary {
			return nil, nil // GitHub answers null
		}
		text := n.b[:min(len(n.b), mostText)]
		if !utf8.Valid(text) {
			return strings.ToValidUTF8(string(text), "\uFFFD"), nil
		}
		return string(text), nil
	}
	return nil, errNoField
}

// rollup is everything checks and statuses say of a commit, or null.
func (q *query) rollup(r *sim.Repo, sha string) (any, error) {
	if !q.c.who.may("checks", "read") && !q.c.who.may("statuses", "read") {
		return nil, forbidden()
	}
	var out []node
	state := "SUCCESS"
	for _, run := range q.s.v.NewestChecks(r, sha) {
		out = append(out, runNode{r, run})
		switch {
		case run.Status != "completed" && state != "FAILURE":
			state = "PENDING"
		case run.Status == "completed" && !slices.Contains([]string{"success", "neutral", "skipped"}, run.Conclusion):
			state = "FAILURE"
		}
	}
	for _, st := range q.s.v.NewestStatuses(r, sha) {
		out = append(out, statusNode{r, st})
		switch {
		case st.State == "pending" && state != "FAILURE":
			state = "PENDING"
		case st.State == "failure" || st.State == "error":
			state = "FAILURE"
		}
	}
	if len(out) == 0 {
		return nil, nil // GitHub answers null
	}
	return plain{"StatusCheckRollup", map[string]any{
		"id": gitNode("SCR", r, sha), "state": state, "contexts": connection{name: "StatusCheckRollupContextConnection", nodes: out},
	}}, nil
}

type runNode struct {
	r   *sim.Repo
	run *sim.CheckRun
}

func (runNode) typename() string { return "CheckRun" }

func (n runNode) field(q *query, name string, _ args) (any, error) {
	web := fmt.Sprintf("%s/runs/%d", q.s.repoWeb(n.r), n.run.ID)
	switch name {
	case "id":
		return nodeID("CR", n.run.ID), nil
	case "databaseId":
		return n.run.ID, nil
	case "name":
		return n.run.Name, nil
	case "status":
		return strings.ToUpper(n.run.Status), nil
	case "conclusion":
		return orNil(strings.ToUpper(n.run.Conclusion)), nil
	case "externalId":
		return orNil(n.run.ExternalID), nil
	case "url", "permalink":
		return web, nil
	case "detailsUrl":
		if n.run.DetailsURL == "" {
			return web, nil
		}
		return n.run.DetailsURL, nil
	case "title":
		return orNil(n.run.Title), nil
	case "summary":
		return orNil(n.run.Summary), nil
	case "text":
		return orNil(n.run.Text), nil
	case "startedAt":
		return when(n.run.StartedAt), nil
	case "completedAt":
		return when(n.run.CompletedAt), nil
	case "checkSuite":
		return plain{"CheckSuite", map[string]any{
			"id": nodeID("CS", n.run.Suite), "databaseId": n.run.Suite, "app": q.appNode(n.run.App),
		}}, nil
	}
	return nil, errNoField
}

func (q *query) appNode(id int64) any {
	a := q.s.v.App(id)
	if a == nil {
		return nil
	}
	return plain{"App", map[string]any{"id": nodeID("A", a.ID), "databaseId": a.ID, "slug": a.Slug, "name": a.Name}}
}

type statusNode struct {
	r  *sim.Repo
	st *sim.Status
}

func (statusNode) typename() string { return "StatusContext" }

func (n statusNode) field(q *query, name string, _ args) (any, error) {
	switch name {
	case "id":
		return nodeID("SC", n.st.ID), nil
	case "context":
		return n.st.Context, nil
	case "state":
		return strings.ToUpper(n.st.State), nil
	case "description":
		return orNil(n.st.Description), nil
	case "targetUrl":
		return orNil(n.st.TargetURL), nil
	case "createdAt":
		return when(n.st.At), nil
	case "creator":
		return q.actor(n.st.Creator), nil
	}
	return nil, errNoField
}
