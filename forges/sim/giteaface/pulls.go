package giteaface

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// onPull runs fn with the change of the path as a read shall show it.
func (c *call) onPull(part sim.Part, fn func(s shaper, r *sim.Repo, is *sim.Issue) result) {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		n, err := strconv.Atoi(c.values["index"])
		if err != nil {
			return result{}
		}
		is := s.v.Standing(r, n, part)
		if is == nil || is.Change == nil {
			return result{}
		}
		return fn(s, r, is)
	})
}

func (c *call) listPulls() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		state := c.query("state")
		if state == "" {
			state = string(sim.Open)
		}
		var all []*sim.Issue
		for _, is := range s.v.Changes(r) {
			if (state == "all" || string(is.State) == state) && (c.query("base_branch") == "" || is.Change.Base == c.query("base_branch")) &&
				(c.query("poster") == "" || is.Author == idOf(s, c.query("poster"))) {
				all = append(all, is)
			}
		}
		slices.SortStableFunc(all, func(a, b *sim.Issue) int {
			switch c.query("sort") {
			case "oldest":
				return a.Number - b.Number
			case "recentupdate":
				return int(b.UpdatedAt.Unix() - a.UpdatedAt.Unix())
			case "leastupdate":
				return int(a.UpdatedAt.Unix() - b.UpdatedAt.Unix())
			}
			return b.Number - a.Number
		})
		out := []any{}
		for _, is := range linked(c, all) {
			out = append(out, s.listed(r, is))
		}
		return ok(out)
	})
}

func idOf(s shaper, login string) int64 {
	if a := s.v.AccountByLogin(login); a != nil {
		return a.ID
	}
	return -1
}

// getPull answers a change, or its diff where the number ends so.
func (c *call) getPull() {
	for _, kind := range []string{".diff", ".patch"} {
		if n, is := strings.CutSuffix(c.values["index"], kind); is {
			c.values["index"] = n
			c.onPull(sim.PartFiles, func(s shaper, r *sim.Repo, is *sim.Issue) result {
				return ok(text(s.diff(r, is, kind == ".patch")))
			})
			return
		}
	}
	c.onPull(sim.PartAll, func(s shaper, r *sim.Repo, is *sim.Issue) result { return ok(s.pull(r, is)) })
}

// quoted is a path as git writes it in a diff.
func quoted(path string) string {
	if !strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == '"' || c == '\\' || c > '~' }) {
		return path
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(path) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// side of a diff's header: "a/x" or "b/x".
func sided(side, path string) string {
	if q := quoted(path); q != path {
		return `"` + side + "/" + q[1:]
	}
	return side + "/" + path
}

// diff is a change as `git diff` writes it, or as `git format-patch` does.
func (s shaper) diff(r *sim.Repo, is *sim.Issue, mail bool) string {
	if !mail {
		return s.gitDiff(s.v.ChangeBase(r, is.Change), is.Change.Head)
	}
	var b strings.Builder
	all := s.v.ChangeCommits(r, is.Change)
	for i, k := range all {
		mark := "[PATCH]"
		if len(all) > 1 {
			mark = fmt.Sprintf("[PATCH %d/%d]", i+1, len(all))
		}
		parent := ""
		if len(k.Parents) > 0 {
			parent = k.Parents[0]
		}
		subject, body, _ := strings.Cut(strings.TrimRight(k.Message, "\n"), "\n")
		fmt.Fprintf(&b, "From %s Mon Sep 17 00:00:00 2001\nFrom: %s <%s>\nDate: %s\nSubject: %s %s\n%s\n---\n%s\n%s-- \n2.47.0\n\n", k.SHA, k.Author.Name, k.Author.Email,
			k.Author.At.Format("Mon, 2 Jan 2006 15:04:05 -0700"), mark, subject, body, s.diffStat(parent, k.SHA), s.gitDiff(parent, k.SHA))
	}
	return b.String()
}

// diffStat counts lines as git does before a diff.
func (s shaper) diffStat(from, to string) string {
	var b strings.Builder
	files := s.v.CompareCommits(from, to, true)
	added, removed := 0, 0
	for _, d := range files {
		added, removed = added+d.Additions, removed+d.Deletions
		fmt.Fprintf(&b, " %s | %d %s%s\n", d.Path, d.Additions+d.Deletions, strings.Repeat("+", min(d.Additions, 40)), strings.Repeat("-", min(d.Deletions, 40)))
	}
	fmt.Fprintf(&b, " %d files changed, %d insertions(+), %d deletions(-)\n", len(files), added, removed)
	return b.String()
}

func (s shaper) gitDiff(from, to string) string {
	var b strings.Builder
	treeOf := func(sha string) string {
		if k := s.v.Commit(sha); k != nil {
			return k.Tree
		}
		return ""
	}
	for _, d := range s.v.CompareCommits(from, to, true) {
		old := d.Path
		if d.Previous != "" {
			old = d.Previous
		}
		fmt.Fprintf(&b, "diff --git %s %s\n", sided("a", old), sided("b", d.Path))
		was, _ := s.v.Lookup(treeOf(from), old)
		is, _ := s.v.Lookup(treeOf(to), d.Path)
		before, after := sided("a", old), sided("b", d.Path)
		switch {
		case d.Status == sim.FileAdded:
			fmt.Fprintf(&b, "new file mode %s\nindex %.7s..%.7s\n", d.Mode, sim.NoCommit, is.OID)
			before = "/dev/null"
		case d.Status == sim.FileRemoved:
			fmt.Fprintf(&b, "deleted file mode %s\nindex %.7s..%.7s\n", d.Mode, was.OID, sim.NoCommit)
			after = "/dev/null"
		case d.Status == sim.FileRenamed:
			share := 100
			if was.OID != is.OID {
				share = 90
			}
			fmt.Fprintf(&b, "similarity index %d%%\nrename from %s\nrename to %s\n", share, quoted(old), quoted(d.Path))
			if was.OID != is.OID {
				fmt.Fprintf(&b, "index %.7s..%.7s %s\n", was.OID, is.OID, is.Mode)
			}
		case was.Mode != is.Mode:
			fmt.Fprintf(&b, "old mode %s\nnew mode %s\n", was.Mode, is.Mode)
			if was.OID != is.OID {
				fmt.Fprintf(&b, "index %.7s..%.7s\n", was.OID, is.OID)
			}
		default:
			fmt.Fprintf(&b, "index %.7s..%.7s %s\n", was.OID, is.OID, is.Mode)
		}
		switch {
		case d.Binary:
			fmt.Fprintf(&b, "Binary files %s and %s differ\n", before, after)
		case d.Patch != "":
			fmt.Fprintf(&b, "--- %s\n+++ %s\n%s\n", before, after, d.Patch)
		}
	}
	return b.String()
}

// updatePull would bring the target's commits into a change's branch.
func (c *call) updatePull() {
	c.onPull(sim.PartAll, func(s shaper, r *sim.Repo, is *sim.Issue) result {
		if !c.perm(s.v, r).AtLeast(sim.Write) {
			return failure(http.StatusForbidden, "user should have a permission to write to a repo")
		}
		if is.Change.Merged {
			return failure(http.StatusUnprocessableEntity, "pull request is already merged")
		}
		return failure(http.StatusConflict, "HeadBranch of PR %d is up to date", is.Number)
	})
}

func (c *call) listFiles() {
	c.onPull(sim.PartFiles, func(s shaper, r *sim.Repo, is *sim.Issue) result {
		all := s.v.ChangeFiles(r, is.Change, true)
		out := []any{}
		for _, d := range linked(c, all) {
			head := is.Change.Head
			word := map[sim.FileStatus]string{sim.FileAdded: "added", sim.FileModified: "changed", sim.FileRemoved: "deleted", sim.FileRenamed: "renamed"}[d.Status]
			if d.Status == sim.FileModified && d.Additions == 0 && d.Deletions == 0 && !d.Binary {
				word = "unchanged"
			}
			f := j{
				"filename": d.Path, "status": word, "additions": d.Additions, "deletions": d.Deletions, "changes": d.Additions + d.Deletions,
				"html_url":     s.repoWeb(r) + "/src/commit/" + head + "/" + escapePath(d.Path),
				"contents_url": s.repoURL(r) + "/contents/" + escapePath(d.Path) + "?ref=" + head,
				"raw_url":      s.repoWeb(r) + "/raw/commit/" + head + "/" + escapePath(d.Path),
			}
			if d.Previous != "" {
				f["previous_filename"] = d.Previous
			}
			out = append(out, f)
		}
		c.pages(len(all))
		return ok(out)
	})
}

func (c *call) listPullCommits() {
	c.onPull(sim.PartFiles, func(s shaper, r *sim.Repo, is *sim.Issue) result {
		return ok(s.commits(r, newestFirst(c, s.v.ChangeCommits(r, is.Change))))
	})
}

func (c *call) isMerged() {
	c.onPull(sim.PartAll, func(_ shaper, _ *sim.Repo, is *sim.Issue) result {
		if !is.Change.Merged {
			return result{}
		}
		return result{status: http.StatusNoContent, body: none}
	})
}

func (c *call) getPullByBranches() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		owner, branch, fork := strings.Cut(c.values["head"], ":")
		if !fork {
			owner, branch = s.ownerLogin(r), c.values["head"]
		}
		for _, is := range s.v.Changes(r) {
			head := s.v.RepoByID(is.Change.HeadRepo)
			if is.State == sim.Open && is.Change.Base == c.values["base"] && is.Change.HeadBranch == branch && head != nil && strings.EqualFold(s.ownerLogin(head), owner) {
				return ok(s.pull(r, is))
			}
		}
		return result{}
	})
}

// pullOfCommit finds the change of a merge commit; of an open head on an old Forgejo.
func (c *call) pullOfCommit() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		for _, is := range s.v.Changes(r) {
			found := is.Change.Merged && is.Change.MergeSHA == c.values["sha"]
			if c.t.old() {
				found = is.State == sim.Open && is.Change.Head == c.values["sha"]
			}
			if found {
				return ok(s.pull(r, is))
			}
		}
		return failure(http.StatusNotFound, "pull request does not exist [id: 0, issue_id: 0, head_repo_id: 0, base_repo_id: %d, head_branch: , base_branch: ]", r.ID)
	})
}

func (c *call) createPull() {
	var in struct {
		Title string `json:"title"`
		Body  string `json:"body"`
		Head  string `json:"head"`
		Base  string `json:"base"`
	}
	if !c.decode(&in) || !c.allowed(sim.Read) {
		return
	}
	n, err := c.act().OpenChange(c.repoName(), sim.NewChange{Title: in.Title, Body: in.Body, Head: in.Head, Base: in.Base})
	if r, is := refusal(err); is && r.Kind == sim.Invalid && strings.HasPrefix(strings.Join(r.Reasons, ""), "A pull request already exists") {
		c.fail(http.StatusConflict, fmt.Sprintf("pull request already exists for these targets [head_branch: %s, base_branch: %s]", in.Head, in.Base))
		return
	} else if is && r.Kind == sim.Invalid && strings.HasSuffix(strings.Join(r.Reasons, ""), "does not exist") {
		c.notFound()
		return
	}
	c.done(err, func(s shaper, r *sim.Repo) result {
		return result{status: http.StatusCreated, body: s.pull(r, r.Issues[n])}
	})
}

func (c *call) editPull() {
	var in struct {
		Title *string `json:"title"`
		Body  *string `json:"body"`
		Base  string  `json:"base"`
		State string  `json:"state"`
	}
	n, good := c.number("index")
	if !good || !c.decode(&in) || !c.allowed(sim.Read) {
		return
	}
	err := c.edit(n, in.Title, in.Body, in.State)
	if err == nil && in.Base != "" {
		err = c.act().Retarget(c.repoName(), n, in.Base)
	}
	c.done(err, func(s shaper, r *sim.Repo) result {
		return result{status: http.StatusCreated, body: s.pull(r, r.Issues[n])}
	})
}

// edit changes what issues and changes share.
func (c *call) edit(n int, title, body *string, state string) error {
	if title != nil || body != nil {
		if err := c.act().EditIssue(c.repoName(), n, title, body); err != nil {
			return err
		}
	}
	is, found := c.t.forge.Issue(c.repoName(), n)
	switch {
	case !found || state == "" || state == string(is.State):
		return nil
	case state == string(sim.Closed):
		return c.act().Close(c.repoName(), n, "")
	}
	return c.act().Reopen(c.repoName(), n)
}

func (c *call) listReviews() {
	c.onPull(sim.PartReviews, func(s shaper, r *sim.Repo, is *sim.Issue) result {
		all := []any{}
		for _, rv := range is.Change.Reviews {
			all = append(all, s.review(r, is, rv))
		}
		for _, who := range is.Change.Requested {
			all = append(all, s.requestedReview(r, is, who))
		}
		return ok(page(c, all))
	})
}

// onReview runs fn with the review of the path.
func (c *call) onReview(fn func(s shaper, r *sim.Repo, is *sim.Issue, rv *sim.Review) result) {
	id, good := c.number("id")
	if !good {
		return
	}
	c.onPull(sim.PartReviews, func(s shaper, r *sim.Repo, is *sim.Issue) result {
		for _, rv := range is.Change.Reviews {
			if rv.ID == int64(id) {
				return fn(s, r, is, rv)
			}
		}
		return missing("review does not exist [id: %d]", id)
	})
}

func (c *call) getReview() {
	c.onReview(func(s shaper, r *sim.Repo, is *sim.Issue, rv *sim.Review) result { return ok(s.review(r, is, rv)) })
}

func (c *call) listReviewComments() {
	c.onReview(func(s shaper, r *sim.Repo, is *sim.Issue, rv *sim.Review) result {
		out := []any{}
		for _, n := range rv.Notes {
			resolver := int64(0)
			for _, t := range is.Change.Threads {
				if t.ID == n.Thread {
					resolver = t.ResolvedBy
				}
			}
			out = append(out, s.reviewComment(r, is, n, resolver))
		}
		return ok(out)
	})
}

func (c *call) createReview() {
	var in struct {
		Event    string `json:"event"`
		Body     string `json:"body"`
		CommitID string `json:"commit_id"`
	}
	n, good := c.number("index")
	if !good || !c.decode(&in) || !c.allowed(sim.Read) {
		return
	}
	is, found := c.t.forge.Issue(c.repoName(), n)
	if !found || is.Change == nil {
		c.notFound()
		return
	}
	state := map[string]sim.ReviewState{"APPROVED": sim.Approved, "REQUEST_CHANGES": sim.ChangesRequested, "COMMENT": sim.Commented}[in.Event]
	wants := " requires a body"
	if state == sim.Commented {
		wants += " or a comment"
	}
	switch {
	case is.Author == c.me.ID && state == sim.Approved:
		c.fail(http.StatusUnprocessableEntity, "approve your own pull is not allowed")
		return
	case is.Author == c.me.ID && state == sim.ChangesRequested:
		c.fail(http.StatusUnprocessableEntity, "reject your own pull is not allowed")
		return
	case state != sim.Approved && strings.TrimSpace(in.Body) == "":
		c.fail(http.StatusUnprocessableEntity, "review event "+in.Event+wants)
		return
	case state == "": // a review nobody sees until it is submitted
		c.fail(http.StatusUnprocessableEntity, "pending reviews are not kept here")
		return
	}
	id, err := c.act().Review(c.repoName(), n, state, in.CommitID, in.Body)
	c.done(err, func(s shaper, r *sim.Repo) result {
		is := r.Issues[n]
		for _, rv := range is.Change.Reviews {
			if rv.ID == id {
				return ok(s.review(r, is, rv))
			}
		}
		return result{}
	})
}

func (c *call) dismissReview() {
	var in struct {
		Message string `json:"message"`
	}
	n, good := c.number("index")
	id, good2 := c.number("id")
	if !good || !good2 || !c.decode(&in) {
		return
	}
	if res, there := c.repo(sim.Admin, func(shaper, *sim.Repo) result { return ok(nil) }); !there || res.status != http.StatusOK {
		if there {
			c.fail(http.StatusForbidden, "Must be repo admin")
		}
		return
	}
	err := c.act().DismissReview(c.repoName(), n, int64(id), in.Message)
	if err != nil {
		c.refused(err)
		return
	}
	c.getReview()
}

type reviewers struct {
	Reviewers []string `json:"reviewers"`
}

func (c *call) requestReview() {
	c.request(sim.Actor.RequestReview, func(s shaper, r *sim.Repo, is *sim.Issue) result {
		out := []any{}
		for _, who := range is.Change.Requested {
			out = append(out, s.requestedReview(r, is, who))
		}
		return result{status: http.StatusCreated, body: out}
	})
}

func (c *call) unrequestReview() {
	c.request(sim.Actor.UnrequestReview, func(shaper, *sim.Repo, *sim.Issue) result {
		return result{status: http.StatusNoContent, body: none}
	})
}

func (c *call) request(do func(sim.Actor, string, int, ...string) error, fn func(s shaper, r *sim.Repo, is *sim.Issue) result) {
	var in reviewers
	n, good := c.number("index")
	if !good || !c.decode(&in) || !c.allowed(sim.Read) {
		return
	}
	c.done(do(c.act(), c.repoName(), n, in.Reviewers...), func(s shaper, r *sim.Repo) result { return fn(s, r, r.Issues[n]) })
}
