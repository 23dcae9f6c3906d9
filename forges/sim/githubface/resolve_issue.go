package githubface

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

type issueNode struct {
	r  *sim.Repo
	is *sim.Issue
}

func (issueNode) typename() string { return "Issue" }

func (n issueNode) field(q *query, name string, a args) (any, error) {
	switch name {
	case "id":
		return nodeID("I", n.is.ID), nil
	case "state":
		return strings.ToUpper(string(n.is.State)), nil
	case "stateReason":
		return orNil(strings.ToUpper(n.is.Reason)), nil
	case "issueType":
		if n.is.Type == "" {
			return nil, nil // none
		}
		return plain{"IssueType", map[string]any{"id": nodeID("IT", 1), "name": n.is.Type}}, nil
	}
	return q.asIssue(n.r, n.is, name, a, "Issue")
}

// asIssue resolves what issues and changes have in common.
func (q *query) asIssue(r *sim.Repo, is *sim.Issue, name string, a args, typ string) (any, error) {
	switch name {
	case "databaseId":
		return is.ID, nil
	case "fullDatabaseId":
		return strconv.FormatInt(is.ID, 10), nil
	case "number":
		return is.Number, nil
	case "url":
		return q.s.issueWeb(r, is), nil
	case "title":
		return is.Title, nil
	case "body":
		return is.Body, nil
	case "repository":
		return repoNode{r}, nil
	case "author":
		return q.actor(is.Author), nil
	case "authorAssociation":
		return q.s.association(r, is.Author), nil
	case "createdAt":
		return when(is.CreatedAt), nil
	case "updatedAt":
		return when(is.UpdatedAt), nil
	case "closedAt":
		return when(is.ClosedAt), nil
	case "closed":
		return is.State == sim.Closed, nil
	case "lastEditedAt", "editor", "userContentEdits", "includesCreatedEdit":
		return q.edits(is.Edits, name)
	case "milestone":
		if is.Milestone == "" {
			return nil, nil // none
		}
		return plain{"Milestone", map[string]any{"title": is.Milestone}}, nil
	case "labels":
		var out []node
		for _, l := range is.Labels {
			out = append(out, labelNode(q, r, l))
		}
		return connection{name: "LabelConnection", nodes: out}, nil
	case "comments":
		var out []node
		for _, k := range is.Comments {
			out = append(out, commentNode{r, is, k})
		}
		return connection{name: "IssueCommentConnection", nodes: out}, nil
	case "timelineItems":
		return q.timeline(r, is, a.list("itemTypes"), typ), nil
	}
	return nil, errNoField
}

func labelNode(q *query, r *sim.Repo, name string) node {
	l := q.s.v.Label(r, name)
	return plain{"Label", map[string]any{"id": nodeID("LA", l.ID), "name": name, "color": l.Color}}
}

// edits resolves what is known of a text's edits. The first entry is how it was
// posted and no edit.
func (q *query) edits(all []sim.Edit, name string) (any, error) {
	if name == "includesCreatedEdit" {
		return len(all) > 1, nil
	}
	if name == "userContentEdits" {
		var out []node
		if len(all) > 1 { // an unedited text has no history
			for _, e := range slices.Backward(all) {
				out = append(out, plain{"UserContentEdit", map[string]any{"createdAt": when(e.At), "editedAt": when(e.At), "editor": q.actor(e.Editor), "diff": e.Text}})
			}
		}
		return connection{name: "UserContentEditConnection", nodes: out}, nil
	}
	if len(all) < 2 {
		return nil, nil // never edited
	}
	last := all[len(all)-1]
	if name == "editor" {
		return q.actor(last.Editor), nil
	}
	return when(last.At), nil
}

// eventTypes are the forge's events in the words of timelines.
func eventTypes() map[string][2]string {
	return map[string][2]string{
		"labeled":               {"LABELED_EVENT", "LabeledEvent"},
		"unlabeled":             {"UNLABELED_EVENT", "UnlabeledEvent"},
		"renamed":               {"RENAMED_TITLE_EVENT", "RenamedTitleEvent"},
		"closed":                {"CLOSED_EVENT", "ClosedEvent"},
		"reopened":              {"REOPENED_EVENT", "ReopenedEvent"},
		"merged":                {"MERGED_EVENT", "MergedEvent"},
		"review_dismissed":      {"REVIEW_DISMISSED_EVENT", "ReviewDismissedEvent"},
		"head_ref_force_pushed": {"HEAD_REF_FORCE_PUSHED_EVENT", "HeadRefForcePushedEvent"},
		"base_ref_changed":      {"BASE_REF_CHANGED_EVENT", "BaseRefChangedEvent"},
	}
}

func (q *query) timeline(r *sim.Repo, is *sim.Issue, want []string, typ string) connection {
	var out []node
	known := eventTypes()
	for _, e := range is.Events {
		names, ok := known[e.Kind]
		if !ok || (len(want) > 0 && !slices.Contains(want, names[0])) {
			continue
		}
		fields := map[string]any{"id": nodeID("EV", e.ID), "createdAt": when(e.At), "actor": q.actor(e.Actor)}
		switch e.Kind {
		case "labeled", "unlabeled":
			fields["label"] = labelNode(q, r, e.Label)
		case "renamed":
			fields["previousTitle"], fields["currentTitle"] = e.From, e.To
		case "base_ref_changed":
			fields["previousRefName"], fields["currentRefName"] = e.From, e.To
		case "head_ref_force_pushed":
			fields["beforeCommit"], fields["afterCommit"] = q.commitOf(r, e.From), q.commitOf(r, e.To)
		case "merged":
			fields["commit"] = q.commitOf(r, e.To)
		case "review_dismissed":
			fields["review"] = nil
			for _, rv := range is.Change.Reviews {
				if rv.ID == e.Review {
					fields["review"] = reviewNode{r, is, rv}
					fields["previousReviewState"], fields["dismissalMessage"] = string(rv.WasState), orNil(rv.Dismissal)
				}
			}
		}
		out = append(out, plain{names[1], fields})
	}
	return connection{name: typ + "TimelineItemsConnection", nodes: out, extra: map[string]any{"filteredCount": len(out), "updatedAt": when(is.UpdatedAt)}}
}

type commentNode struct {
	r  *sim.Repo
	is *sim.Issue
	k  *sim.Comment
}

func (commentNode) typename() string { return "IssueComment" }

func (n commentNode) field(q *query, name string, _ args) (any, error) {
	switch name {
	case "id":
		return nodeID("IC", n.k.ID), nil
	case "databaseId":
		return n.k.ID, nil
	case "fullDatabaseId":
		return strconv.FormatInt(n.k.ID, 10), nil
	case "url":
		return q.s.commentWeb(n.r, n.is, n.k.ID), nil
	case "author":
		return q.actor(n.k.Author), nil
	case "viewerDidAuthor":
		me := q.s.v.AccountByLogin(q.c.who.login)
		return me != nil && me.ID == n.k.Author, nil
	case "body":
		return n.k.Body, nil
	case "createdAt":
		return when(n.k.CreatedAt), nil
	case "updatedAt":
		return when(n.k.UpdatedAt), nil
	case "isMinimized":
		return n.k.Minimized != "", nil
	case "minimizedReason":
		return orNil(n.k.Minimized), nil
	case "lastEditedAt", "editor", "userContentEdits", "includesCreatedEdit":
		return q.edits(n.k.Edits, name)
	}
	return nil, errNoField
}

type pullNode struct {
	r  *sim.Repo
	is *sim.Issue
}

func (pullNode) typename() string { return "PullRequest" }

func pullState(is *sim.Issue) string {
	if is.Change.Merged {
		return "MERGED"
	}
	return strings.ToUpper(string(is.State))
}

func (n pullNode) field(q *query, name string, a args) (any, error) {
	r, is, c := n.r, n.is, n.is.Change
	switch name {
	case "id":
		return nodeID("PR", is.ID), nil
	case "state":
		return pullState(is), nil
	case "isDraft":
		return c.Draft, nil
	case "merged":
		return c.Merged, nil
	case "mergedAt":
		return when(c.MergedAt), nil
	case "mergedBy":
		return q.actor(c.MergedBy), nil
	case "mergeCommit":
		return q.commitOf(r, c.MergeSHA), nil
	case "headRefOid":
		return c.Head, nil
	case "headRefName":
		return c.HeadBranch, nil
	case "headRepository":
		if head := q.s.v.RepoByID(c.HeadRepo); head != nil {
			return repoNode{head}, nil
		}
		return nil, nil // the fork is gone
	case "headRef":
		if head := q.s.v.RepoByID(c.HeadRepo); head != nil {
			return refOf(head, c.HeadBranch), nil
		}
		return nil, nil // the fork is gone
	case "baseRefOid":
		return c.BaseSHA, nil
	case "baseRefName":
		return c.Base, nil
	case "baseRepository":
		return repoNode{r}, nil
	case "baseRef":
		return refOf(r, c.Base), nil
	case "isCrossRepository":
		return c.HeadRepo != r.ID, nil
	case "mergeable":
		if q.s.v.Conflicts(r, c) {
			return "CONFLICTING", nil
		}
		return "MERGEABLE", nil
	case "reviewDecision":
		return q.decision(r, c), nil
	case "changedFiles":
		return len(q.s.v.ChangeFiles(r, c, false)), nil
	case "additions", "deletions":
		added, deleted := 0, 0
		for _, d := range q.s.v.ChangeFiles(r, c, true) {
			added, deleted = added+d.Additions, deleted+d.Deletions
		}
		return map[string]int{"additions": added, "deletions": deleted}[name], nil
	case "files":
		return q.files(r, c), nil
	case "commits":
		const most = 250 // GitHub lists no more
		all := q.s.v.ChangeCommits(r, c)
		var out []node
		for _, k := range all[:min(len(all), most)] {
			out = append(out, plain{"PullRequestCommit", map[string]any{"commit": commitNode{r, k}, "url": q.s.issueWeb(r, is) + "/commits/" + k.SHA, "id": gitNode("PRC", r, k.SHA)}})
		}
		return connection{name: "PullRequestCommitConnection", nodes: out}, nil
	case "reviews":
		var out []node
		for _, rv := range c.Reviews {
			if states := a.list("states"); len(states) == 0 || slices.Contains(states, string(rv.State)) {
				out = append(out, reviewNode{r, is, rv})
			}
		}
		return connection{name: "PullRequestReviewConnection", nodes: out}, nil
	case "reviewThreads":
		var out []node
		for _, t := range c.Threads {
			out = append(out, threadNode{r, is, t})
		}
		return connection{name: "PullRequestReviewThreadConnection", nodes: out}, nil
	case "closingIssuesReferences":
		var out []node
		for _, number := range q.s.v.Closes(r, is) {
			out = append(out, issueNode{r, r.Issues[number]})
		}
		return connection{name: "IssueConnection", nodes: out}, nil
	}
	return q.asIssue(r, is, name, a, "PullRequest")
}

func (q *query) decision(r *sim.Repo, c *sim.Change) any {
	p := r.Protection[c.Base]
	if p == nil || p.Approvals == 0 {
		return nil
	}
	approvals := 0
	for _, rv := range q.s.v.Opinions(r, c) {
		switch rv.State {
		case sim.ChangesRequested:
			return "CHANGES_REQUESTED"
		case sim.Approved:
			approvals++
		case sim.Commented, sim.Dismissed:
		}
	}
	if approvals >= p.Approvals {
		return "APPROVED"
	}
	return "REVIEW_REQUIRED"
}

func (q *query) files(r *sim.Repo, c *sim.Change) connection {
	const most = 3000 // GitHub lists no more
	words := map[sim.FileStatus]string{sim.FileAdded: "ADDED", sim.FileModified: "MODIFIED", sim.FileRemoved: "DELETED", sim.FileRenamed: "RENAMED"}
	all := q.s.v.ChangeFiles(r, c, true)
	var out []node
	for _, d := range all[:min(len(all), most)] {
		out = append(out, plain{"PullRequestChangedFile", map[string]any{
			"path": d.Path, "changeType": words[d.Status], "additions": d.Additions, "deletions": d.Deletions,
		}})
	}
	return connection{name: "PullRequestChangedFileConnection", nodes: out}
}

type reviewNode struct {
	r  *sim.Repo
	is *sim.Issue
	rv *sim.Review
}

func (reviewNode) typename() string { return "PullRequestReview" }

func (n reviewNode) field(q *query, name string, _ args) (any, error) {
	rv := n.rv
	switch name {
	case "id":
		return nodeID("PRR", rv.ID), nil
	case "databaseId":
		return rv.ID, nil
	case "fullDatabaseId":
		return strconv.FormatInt(rv.ID, 10), nil
	case "url":
		return fmt.Sprintf("%s#pullrequestreview-%d", q.s.issueWeb(n.r, n.is), rv.ID), nil
	case "author":
		return q.actor(rv.Author), nil
	case "state":
		return string(rv.State), nil
	case "body":
		return rv.Body, nil
	case "submittedAt", "createdAt":
		return when(rv.SubmittedAt), nil
	case "updatedAt":
		return when(rv.UpdatedAt), nil
	case "commit":
		return q.commitOf(n.r, rv.Commit), nil
	case "pullRequest":
		return pullNode{n.r, n.is}, nil
	case "lastEditedAt", "editor", "userContentEdits", "includesCreatedEdit":
		return q.edits(rv.Edits, name)
	}
	return nil, errNoField
}

type threadNode struct {
	r  *sim.Repo
	is *sim.Issue
	t  *sim.Thread
}

func (threadNode) typename() string { return "PullRequestReviewThread" }

// outdated reports whether the file changed since the thread was begun.
func (n threadNode) outdated(q *query) bool {
	then, now := q.s.v.Commit(n.t.Commit), q.s.v.Commit(n.is.Change.Head)
	if then == nil || now == nil {
		return true
	}
	a, _ := q.s.v.Lookup(then.Tree, n.t.Path)
	b, _ := q.s.v.Lookup(now.Tree, n.t.Path)
	return a.OID != b.OID
}

func (n threadNode) field(q *query, name string, _ args) (any, error) {
	switch name {
	case "id":
		return nodeID("PRRT", n.t.ID), nil
	case "isResolved":
		return n.t.Resolved, nil
	case "isOutdated":
		return n.outdated(q), nil
	case "resolvedBy":
		if a := q.s.v.Account(n.t.ResolvedBy); a != nil {
			return accountNode{a, "User"}, nil
		}
		return nil, nil // nobody
	case "path":
		return n.t.Path, nil
	case "line":
		if n.outdated(q) {
			return nil, nil // GitHub answers null
		}
		return n.t.Line, nil
	case "originalLine":
		return n.t.Line, nil
	case "comments":
		var out []node
		for i := range n.t.Notes {
			out = append(out, noteNode{n.r, n.is, &n.t.Notes[i]})
		}
		return connection{name: "PullRequestReviewCommentConnection", nodes: out}, nil
	}
	return nil, errNoField
}

type noteNode struct {
	r  *sim.Repo
	is *sim.Issue
	k  *sim.ReviewComment
}

func (noteNode) typename() string { return "PullRequestReviewComment" }

func (n noteNode) field(q *query, name string, _ args) (any, error) {
	switch name {
	case "id":
		return nodeID("PRRC", n.k.ID), nil
	case "databaseId":
		return n.k.ID, nil
	case "fullDatabaseId":
		return strconv.FormatInt(n.k.ID, 10), nil
	case "url":
		return fmt.Sprintf("%s#discussion_r%d", q.s.issueWeb(n.r, n.is), n.k.ID), nil
	case "author":
		return q.actor(n.k.Author), nil
	case "body":
		return n.k.Body, nil
	case "path":
		return n.k.Path, nil
	case "createdAt":
		return when(n.k.CreatedAt), nil
	case "updatedAt":
		return when(n.k.UpdatedAt), nil
	}
	return nil, errNoField
}
