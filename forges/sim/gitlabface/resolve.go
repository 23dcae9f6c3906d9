package gitlabface

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"primum/forges/sim"
)

// clock writes a time as GraphQL does, or null for none.
func clock(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format(time.RFC3339)
}

// root is where queries begin.
func (q *query) root() node {
	return node{"Query", func(name string, a args) (any, error) {
		switch name {
		case "project":
			return q.project(a.text("fullPath")), nil
		case "group":
			g, ok := q.s.group(a.text("fullPath"))
			if !ok || strings.EqualFold(a.text("fullPath"), strconv.FormatInt(g.id, 10)) || !q.s.visible(g, q.me) {
				return nil, nil
			}
			return q.group(g), nil
		case "user":
			u := q.s.v.AccountByLogin(a.text("username"))
			if u == nil || u.Kind == sim.Organization {
				return nil, nil
			}
			return q.user(u), nil
		case "currentUser":
			return q.user(q.me), nil
		case "metadata":
			return plain("Metadata", j{"version": q.s.o.Version, "revision": "5im0000abcd", "enterprise": strings.HasSuffix(q.s.o.Version, "-ee")}), nil
		}
		return nil, errNoField
	}}
}

// project is null for what is not there or not to be seen; a former name leads
// to the project.
func (q *query) project(full string) any {
	r := q.s.repo(full)
	if !q.c.who.sees(q.s.v, r) {
		return nil
	}
	return node{"Project", func(name string, a args) (any, error) {
		switch name {
		case "id":
			return gid("Project", r.ID), nil
		case "fullPath":
			return q.s.path(r), nil
		case "name", "path":
			return r.Name, nil
		case "webUrl":
			return q.s.repoWeb(r), nil
		case "visibility":
			return visibility(r), nil
		case "archived":
			return false, nil
		case "onlyAllowMergeIfPipelineSucceeds":
			return q.s.t.state.settings(r.ID).pipeline, nil
		case "onlyAllowMergeIfAllStatusChecksPassed":
			return q.s.t.state.settings(r.ID).statusChecks, nil
		case "repository":
			return q.repository(r), nil
		case "mergeRequest":
			iid, err := strconv.Atoi(a.text("iid"))
			if err != nil {
				return nil, nil //nolint:nilerr // no such merge request
			}
			is := q.s.findMergeRequest(r, iid, sim.PartAll)
			if is == nil || q.c.t.forbidden("merge_requests") {
				return nil, nil
			}
			return q.mergeRequest(r, is), nil
		case "issues":
			return q.issues(r, a), nil
		}
		return nil, errNoField
	}}
}

// forbidden reports whether a part was taken away.
func (t *Face) forbidden(part string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.forbid[part]
}

func (q *query) issues(r *sim.Repo, a args) connection {
	var out []node
	iids := a.list("iids")
	if q.c.t.forbidden("issues") {
		return connection{"IssueConnection", nil}
	}
	for _, is := range slices.Backward(q.s.v.Issues(r)) {
		if is.Change != nil || (a["iids"] != nil && !slices.Contains(iids, strconv.Itoa(q.s.iid(r, is)))) {
			continue
		}
		out = append(out, q.issue(r, q.s.v.Standing(r, is.Number, sim.PartAll)))
	}
	return connection{"IssueConnection", out}
}

func (q *query) repository(r *sim.Repo) node {
	return node{"Repository", func(name string, a args) (any, error) {
		switch name {
		case "rootRef":
			return orNil(r.Default), nil
		case "exists":
			return true, nil
		case "tree":
			k := q.s.v.Resolve(r, a.text("ref"))
			if k == nil {
				return nil, nil
			}
			return plain("Tree", j{"lastCommit": q.commit(r, k)}), nil
		case "blobs":
			return q.blobs(r, a)
		}
		return nil, errNoField
	}}
}

// mostText is how much of a file GraphQL shows as text.
const mostText = 10 << 20

func (q *query) blobs(r *sim.Repo, a args) (any, error) {
	paths := a.list("paths")
	if len(paths) > 100 {
		return nil, fmt.Errorf("Requested %d blobs, which is more than the maximum of 100", len(paths)) //nolint:staticcheck // GitLab's words
	}
	out := connection{typ: "RepositoryBlobConnection"}
	k := q.s.v.Resolve(r, a.text("ref"))
	if k == nil {
		return out, nil
	}
	for _, path := range paths {
		e, ok := q.s.v.Lookup(k.Tree, path)
		if !ok || e.Mode == sim.ModeTree {
			continue
		}
		text, _ := q.s.v.Blob(e.OID)
		var shown any
		if utf8.Valid(text) && len(text) <= mostText {
			shown = string(text)
		}
		out.nodes = append(out.nodes, plain("RepositoryBlob", j{
			"id": gid("Gitlab::Git::Blob", int64(len(out.nodes))), "path": path, "name": path[strings.LastIndex(path, "/")+1:], "oid": e.OID,
			"mode": mode(e.Mode), "size": strconv.Itoa(len(text)), "rawSize": strconv.Itoa(len(text)), "rawTextBlob": shown, "rawBlob": shown,
			"webPath": "/" + q.s.path(r) + "/-/blob/" + path, "lfsOid": nil,
		}))
	}
	return out, nil
}

func (q *query) user(a *sim.Account) any { return q.account(a, "UserCore") }

// account is an account under one of the types that are a User.
func (q *query) account(a *sim.Account, typ string) any {
	if a == nil {
		return nil
	}
	s := q.s
	return node{typ, func(name string, _ args) (any, error) {
		switch name {
		case "id":
			return gid("User", a.ID), nil
		case "username":
			return a.Login, nil
		case "name":
			return s.name(a), nil
		case "bot":
			return a.Kind == sim.Bot, nil
		case "state":
			if a.Suspended {
				return "blocked", nil
			}
			return "active", nil
		case "webUrl":
			return s.web + "/" + a.Login, nil
		case "webPath":
			return "/" + a.Login, nil
		case "publicEmail":
			return "", nil
		case "avatarUrl":
			return s.avatar(a), nil
		case "createdAt":
			return clock(a.CreatedAt), nil
		}
		return nil, errNoField
	}}
}

func (q *query) person(id int64) any {
	if a := q.s.v.Account(id); a != nil {
		return q.user(a)
	}
	return plain("UserCore", j{
		"id": gid("User", 1), "username": "ghost", "name": "Ghost User", "bot": false, "state": "active", "webUrl": q.s.web + "/ghost", "webPath": "/ghost",
		"publicEmail": "", "avatarUrl": nil, "createdAt": nil,
	})
}

func (q *query) labels(r *sim.Repo, names []string) connection {
	out := connection{typ: "LabelConnection"}
	for _, n := range labelNames(names) {
		l := q.s.v.Label(r, n)
		out.nodes = append(out.nodes, plain("Label", j{"id": gid("ProjectLabel", l.ID), "title": l.Name, "color": color(l), "description": nil}))
	}
	return out
}

func (q *query) mergeRequest(r *sim.Repo, is *sim.Issue) node {
	c, s := is.Change, q.s
	ready := s.t.state.prepared(is.ID, c.Head)
	s.t.state.wasRead(is.ID)
	return node{"MergeRequest", func(name string, a args) (any, error) {
		switch name {
		case "id":
			return gid("MergeRequest", is.ID), nil
		case "iid":
			return strconv.Itoa(s.iid(r, is)), nil
		case "title":
			return is.Title, nil
		case "description":
			return is.Body, nil
		case "state":
			return issueState(is), nil
		case "draft":
			return c.Draft, nil
		case "webUrl":
			return s.issueWeb(r, is), nil
		case "createdAt":
			return clock(is.CreatedAt), nil
		case "updatedAt":
			return clock(is.UpdatedAt), nil
		case "mergedAt":
			return clock(c.MergedAt), nil
		case "preparedAt":
			if !ready {
				return nil, nil
			}
			return clock(is.CreatedAt), nil
		case "mergeCommitSha":
			return orNil(c.MergeSHA), nil
		case "sourceBranch":
			return c.HeadBranch, nil
		case "targetBranch":
			return c.Base, nil
		case "diffHeadSha":
			return c.Head, nil
		case "diffRefs":
			if !ready {
				return nil, nil
			}
			base := s.v.ChangeBase(r, c)
			return plain("DiffRefs", j{"baseSha": base, "headSha": c.Head, "startSha": base}), nil
		case "diffStatsSummary":
			return q.diffStats(r, c, ready), nil
		case "mergeStatusEnum":
			switch {
			case !ready:
				return "CHECKING", nil
			case s.v.Conflicts(r, c):
				return "CANNOT_BE_MERGED", nil
			}
			return "CAN_BE_MERGED", nil
		case "detailedMergeStatus":
			return detailedEnum(s.detailedStatus(r, is)), nil
		case "conflicts":
			return s.v.Conflicts(r, c), nil
		case "commitCount":
			if !ready {
				return nil, nil
			}
			return len(s.v.ChangeCommits(r, c)), nil
		case "sourceProjectId":
			return c.HeadRepo, nil
		case "sourceProject":
			if from := s.v.RepoByID(c.HeadRepo); q.c.who.sees(s.v, from) {
				return q.project(s.path(from)), nil
			}
			return nil, nil
		case "targetProject":
			return q.project(s.path(r)), nil
		case "author":
			return q.account(s.v.Account(is.Author), "MergeRequestAuthor"), nil
		case "mergeUser":
			return q.user(s.v.Account(c.MergedBy)), nil
		case "labels":
			return q.labels(r, is.Labels), nil
		case "milestone":
			return q.milestone(r, is), nil
		case "notes":
			return q.notes(r, s.findMergeRequest(r, s.iid(r, is), sim.PartReviews), a), nil
		case "approved":
			return s.approvalsLeft(r, is) == 0, nil
		case "approvedBy":
			return q.approvers(r, s.findMergeRequest(r, s.iid(r, is), sim.PartReviews)), nil
		case "reviewers":
			return q.reviewers(r, s.findMergeRequest(r, s.iid(r, is), sim.PartReviews)), nil
		case "headPipeline":
			if p := s.headPipeline(r, is); p != nil && !q.c.t.forbidden("pipelines") {
				return q.pipeline(p), nil
			}
			return nil, nil
		case "pipelines":
			out := connection{typ: "PipelineConnection"}
			for _, p := range s.mergeRequestPipelines(r, is, a.text("sha")) {
				out.nodes = append(out.nodes, q.pipeline(p))
			}
			return out, nil
		case "commits", "commitsWithoutMergeCommits":
			return q.commits(r, c, name == "commits"), nil
		}
		return nil, errNoField
	}}
}

// detailedEnum is the name GraphQL has for a detailed merge status.
func detailedEnum(status string) string {
	switch status {
	case "status_checks_must_pass":
		return "EXTERNAL_STATUS_CHECKS"
	case "mergeable", "draft_status", "conflict", "not_open", "preparing", "discussions_not_resolved", "not_approved", "requested_changes", "ci_must_pass", "ci_still_running":
		return strings.ToUpper(status)
	}
	return "CHECKING"
}

func (q *query) diffStats(r *sim.Repo, c *sim.Change, ready bool) any {
	if !ready {
		return nil
	}
	added, deleted := 0, 0
	files := q.s.v.ChangeFiles(r, c, true)
	for _, d := range files {
		added, deleted = added+d.Additions, deleted+d.Deletions
	}
	return plain("DiffStatsSummary", j{"additions": added, "deletions": deleted, "changes": added + deleted, "fileCount": len(files)})
}

func (q *query) milestone(r *sim.Repo, is *sim.Issue) any {
	for _, m := range r.Milestones {
		if m.Title == is.Milestone {
			return plain("Milestone", j{"id": gid("Milestone", m.ID), "iid": strconv.Itoa(m.Number), "title": m.Title, "state": "active"})
		}
	}
	return nil
}

func (q *query) approvers(r *sim.Repo, is *sim.Issue) connection {
	out := connection{typ: "UserCoreConnection"}
	for _, rv := range q.s.approvals(r, is.Change) {
		if n, ok := q.person(rv.Author).(node); ok {
			out.nodes = append(out.nodes, n)
		}
	}
	return out
}

func (q *query) reviewers(r *sim.Repo, is *sim.Issue) connection {
	out := connection{typ: "MergeRequestReviewerConnection"}
	for _, rv := range reviewers(is) {
		u, ok := q.account(q.s.v.Account(rv.who), "MergeRequestReviewer").(node)
		if !ok {
			continue
		}
		approved := slices.ContainsFunc(q.s.approvals(r, is.Change), func(a *sim.Review) bool { return a.Author == rv.who })
		out.nodes = append(out.nodes, node{u.typ, func(name string, a args) (any, error) {
			if name == "mergeRequestInteraction" {
				return plain("UserMergeRequestInteraction", j{
					"reviewState": strings.ToUpper(rv.state), "approved": approved, "reviewed": rv.state != "unreviewed", "canMerge": true, "canUpdate": true,
				}), nil
			}
			return u.get(name, a)
		}})
	}
	return out
}

func (q *query) pipeline(p *pipeline) node {
	return node{"Pipeline", func(name string, a args) (any, error) {
		switch name {
		case "id":
			return gid("Ci::Pipeline", p.id), nil
		case "iid":
			return strconv.Itoa(p.iid), nil
		case "sha":
			return p.sha, nil
		case "ref":
			return p.refOf(), nil
		case "status":
			return strings.ToUpper(p.status()), nil
		case "source":
			return p.source, nil
		case "createdAt":
			return clock(p.created), nil
		case "updatedAt":
			return clock(p.updated), nil
		case "user":
			return q.user(q.s.v.Account(p.user)), nil
		case "path":
			return strings.TrimPrefix(q.s.pipelineWeb(p), q.s.web), nil
		case "mergeRequestEventType":
			if p.mr != 0 {
				return "DETACHED", nil
			}
			return nil, nil
		case "jobs":
			return q.jobs(p, a), nil
		}
		return nil, errNoField
	}}
}

func (q *query) jobs(p *pipeline, a args) connection {
	out := connection{typ: "CiJobConnection"}
	only, asked := a["retried"].(bool)
	for _, b := range slices.Backward(p.jobs) {
		if asked && b.retried != only {
			continue
		}
		kind := "Ci::Build"
		if b.external {
			kind = "GenericCommitStatus"
		}
		web := "/-/jobs/" + strconv.FormatInt(b.id, 10)
		if r := q.s.v.RepoByID(p.project); r != nil {
			web = "/" + q.s.path(r) + web
		}
		var path any = web
		if b.external {
			path = nil
		}
		out.nodes = append(out.nodes, plain("CiJob", j{
			"id": gid(kind, b.id), "name": b.name, "status": strings.ToUpper(b.status), "allowFailure": b.allowFailure, "createdAt": clock(b.created),
			"startedAt": clock(b.started), "finishedAt": clock(b.finished), "webPath": path, "refName": b.ref, "retried": b.retried, "kind": "BUILD",
			"stage": plain("CiStage", j{"name": b.stage, "id": gid("Ci::Stage", p.id)}), "shortSha": p.sha[:8],
		}))
	}
	return out
}

func (q *query) notes(r *sim.Repo, is *sim.Issue, a args) connection {
	out := connection{typ: "NoteConnection"}
	if q.c.t.forbidden("notes") {
		return out
	}
	for _, n := range q.s.notes(r, is) {
		switch a.text("filter") {
		case "ONLY_COMMENTS":
			if n.system != "" {
				continue
			}
		case "ONLY_ACTIVITY":
			if n.system == "" {
				continue
			}
		}
		out.nodes = append(out.nodes, q.note(r, is, n))
	}
	return out
}

func (q *query) note(r *sim.Repo, is *sim.Issue, n note) node {
	kind := "Note"
	if n.thread != nil {
		kind = "DiffNote"
	}
	return node{"Note", func(name string, _ args) (any, error) {
		switch name {
		case "id":
			return gid(kind, n.id), nil
		case "body":
			return n.body, nil
		case "system":
			return n.system != "", nil
		case "systemNoteMetadata":
			if n.system == "" {
				return nil, nil
			}
			return plain("SystemNoteMetadata", j{"id": gid("SystemNoteMetadata", n.id), "action": n.system}), nil
		case "createdAt":
			return clock(n.created), nil
		case "updatedAt":
			return clock(n.updated), nil
		case "lastEditedAt":
			return clock(n.edited), nil
		case "lastEditedBy":
			return q.user(q.s.v.Account(n.editor)), nil
		case "author":
			return q.person(n.author), nil
		case "url":
			return fmt.Sprintf("%s#note_%d", q.s.issueWeb(r, is), n.id), nil
		case "internal":
			return false, nil
		case "resolvable":
			return n.thread != nil, nil
		case "resolved":
			return n.thread != nil && n.thread.Resolved, nil
		case "discussion":
			return plain("Discussion", j{
				"id": "gid://gitlab/Discussion/" + n.discussion(), "resolvable": n.thread != nil, "resolved": n.thread != nil && n.thread.Resolved,
				"replyId": "gid://gitlab/Discussion/" + n.discussion(), "createdAt": clock(n.created),
			}), nil
		case "position":
			if n.thread == nil {
				return nil, nil
			}
			base := q.s.v.ChangeBase(r, is.Change)
			return plain("DiffPosition", j{
				"filePath": n.thread.Path, "newPath": n.thread.Path, "oldPath": n.thread.Path, "newLine": n.thread.Line, "oldLine": nil, "positionType": "text",
				"diffRefs": plain("DiffRefs", j{"baseSha": base, "headSha": n.thread.Commit, "startSha": base}),
			}), nil
		}
		return nil, errNoField
	}}
}

func (q *query) issue(r *sim.Repo, is *sim.Issue) node {
	s := q.s
	return node{"Issue", func(name string, a args) (any, error) {
		switch name {
		case "id":
			return gid("Issue", is.ID), nil
		case "iid":
			return strconv.Itoa(s.iid(r, is)), nil
		case "title":
			return is.Title, nil
		case "description":
			return is.Body, nil
		case "state":
			return issueState(is), nil
		case "webUrl":
			return s.issueWeb(r, is), nil
		case "createdAt":
			return clock(is.CreatedAt), nil
		case "updatedAt":
			return clock(is.UpdatedAt), nil
		case "closedAt":
			return clock(is.ClosedAt), nil
		case "type":
			return "ISSUE", nil // no other type can be made here
		case "confidential":
			return false, nil
		case "author":
			return q.person(is.Author), nil
		case "updatedBy":
			return nil, nil
		case "labels":
			return q.labels(r, is.Labels), nil
		case "milestone":
			return q.milestone(r, is), nil
		case "notes":
			return q.notes(r, is, a), nil
		case "blocked":
			return s.v.Waits(is), nil
		case "blockedByIssues":
			out := connection{typ: "IssueConnection"}
			for _, d := range is.Depends {
				if where := s.v.RepoByID(d.Repo); q.c.who.sees(s.v, where) && where.Issues[d.Number] != nil {
					out.nodes = append(out.nodes, q.issue(where, where.Issues[d.Number]))
				}
			}
			return out, nil
		}
		return nil, errNoField
	}}
}

// commits lists the commits of a merge request, newest first.
func (q *query) commits(r *sim.Repo, c *sim.Change, merges bool) connection {
	out := connection{typ: "CommitConnection"}
	for _, k := range slices.Backward(q.s.v.ChangeCommits(r, c)) {
		if merges || len(k.Parents) < 2 {
			out.nodes = append(out.nodes, q.commit(r, k))
		}
	}
	return out
}

func (q *query) commit(r *sim.Repo, k *sim.Commit) node {
	return node{"Commit", func(name string, _ args) (any, error) {
		switch name {
		case "id":
			return "gid://gitlab/Commit/" + k.SHA, nil
		case "sha":
			return k.SHA, nil
		case "shortId":
			return k.SHA[:8], nil
		case "title":
			return title(k.Message), nil
		case "message":
			return k.Message, nil
		case "authorName":
			return k.Author.Name, nil
		case "authorEmail":
			return k.Author.Email, nil
		case "authoredDate":
			return clock(k.Author.At), nil
		case "committerName":
			return k.Committer.Name, nil
		case "committerEmail":
			return k.Committer.Email, nil
		case "committedDate":
			return clock(k.Committer.At), nil
		case "author":
			return q.user(q.s.v.AccountOfEmail(k.Author.Email)), nil
		case "webUrl":
			return q.s.repoWeb(r) + "/-/commit/" + k.SHA, nil
		case "signature":
			if !k.Signature.Present {
				return nil, nil
			}
			return plain("GpgSignature", j{
				"verificationStatus": verification(k.Signature), "commitSha": k.SHA, "gpgKeyUserName": k.Committer.Name, "gpgKeyUserEmail": k.Committer.Email,
			}), nil
		}
		return nil, errNoField
	}}
}

// group is a group; its members are those the relations ask for.
func (q *query) group(g group) node {
	return node{"Group", func(name string, a args) (any, error) {
		switch name {
		case "id":
			return gid("Group", g.id), nil
		case "name":
			return g.name, nil
		case "path":
			return g.path, nil
		case "fullPath":
			return g.full, nil
		case "webUrl":
			return q.s.web + "/groups/" + g.full, nil
		case "groupMembers":
			return q.groupMembers(g, a.list("relations")), nil
		}
		return nil, errNoField
	}}
}

func (q *query) groupMembers(g group, relations []string) connection {
	out := connection{typ: "GroupMemberConnection"}
	if q.c.t.forbidden("members") {
		return out
	}
	all := q.s.direct(g)
	if len(relations) == 0 || slices.Contains(relations, "INHERITED") {
		all = q.s.members(g)
	} else if slices.Contains(relations, "SHARED_FROM_GROUPS") {
		for _, i := range q.s.invited(g) {
			all = append(all, q.s.direct(i)...)
		}
	}
	for _, m := range all {
		out.nodes = append(out.nodes, plain("GroupMember", j{
			"id": gid("GroupMember", m.who.ID), "user": q.user(m.who),
			"accessLevel": plain("AccessLevel", j{"integerValue": m.level, "stringValue": strings.ToUpper(levelName(m.level))}),
		}))
	}
	return out
}
