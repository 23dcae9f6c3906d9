package gitlabface

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// wantedState reports whether a thing is in the state a list asks for.
func wantedState(is *sim.Issue, want string) bool {
	return want == "" || want == "all" || issueState(is) == want
}

func (c *call) listMergeRequests() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		var found []*sim.Issue
		iids := c.numbers("iids")
		for _, is := range s.v.Changes(r) {
			is = s.v.Standing(r, is.Number, sim.PartAll)
			k := is.Change
			switch {
			case !wantedState(is, c.text("state")),
				c.given("target_branch") && k.Base != c.text("target_branch"),
				c.given("source_branch") && k.HeadBranch != c.text("source_branch"),
				len(iids) > 0 && !slices.Contains(iids, int64(s.iid(r, is))):
				continue
			}
			found = append(found, is)
		}
		c.order(found)
		me := s.v.Account(c.who.id)
		return shapes(page(c, found), func(is *sim.Issue) j { return s.mergeRequest(r, is, false, me) }), nil
	})
}

// order sorts as a list asks for: newest first unless it says otherwise.
func (c *call) order(all []*sim.Issue) {
	slices.SortStableFunc(all, func(a, b *sim.Issue) int {
		n := a.CreatedAt.Compare(b.CreatedAt)
		if c.text("order_by") == "updated_at" {
			n = a.UpdatedAt.Compare(b.UpdatedAt)
		}
		n = cmp.Or(n, cmp.Compare(a.ID, b.ID))
		if c.text("sort") != "asc" {
			n = -n
		}
		return n
	})
}

func (c *call) getMergeRequest() error {
	return c.onMergeRequest(sim.PartHead, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		out := s.mergeRequest(r, is, true, s.v.Account(c.who.id))
		s.t.state.wasRead(is.ID)
		return out, nil
	})
}

func (c *call) editMergeRequest() error {
	at, err := c.mergeRequest(sim.Read)
	if err != nil {
		return err
	}
	if err := c.editCommon(at); err != nil {
		return err
	}
	if b := c.text("target_branch"); b != "" {
		if err := c.actor().Retarget(at.repo, at.number, b); err != nil {
			return err
		}
	}
	return c.getMergeRequest()
}

// editCommon changes what issues and merge requests have in common.
func (c *call) editCommon(at target) error {
	var title, body *string
	if c.given("title") {
		t := c.text("title")
		title = &t
	}
	if c.given("description") {
		d := c.text("description")
		body = &d
	}
	if title != nil || body != nil {
		if err := c.actor().EditIssue(at.repo, at.number, title, body); err != nil {
			return err
		}
	}
	if add := c.list("add_labels"); len(add) > 0 {
		if err := c.actor().Label(at.repo, at.number, add...); err != nil {
			return err
		}
	}
	if gone := c.list("remove_labels"); len(gone) > 0 {
		if err := c.actor().Unlabel(at.repo, at.number, gone...); err != nil {
			return err
		}
	}
	switch c.text("state_event") {
	case "close":
		return c.actor().Close(at.repo, at.number, "")
	case "reopen":
		return c.actor().Reopen(at.repo, at.number)
	}
	return nil
}

// merge merges, or says why not: 401 without the right to, 405 for whatever the
// project asks for (a draft and a closed merge request too), 422 for a conflict,
// 409 if the head is another one.
func (c *call) merge() error {
	var at target
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		is := s.findMergeRequest(r, int(c.path("iid")), sim.PartAll)
		if is == nil {
			return notFound("")
		}
		at = target{repo: s.v.FullName(r), number: is.Number, head: is.Change.Head}
		if !s.v.Permission(r, s.v.Account(c.who.id)).AtLeast(sim.Write) {
			return unauthorized()
		}
		switch s.detailedStatus(r, is) {
		case "mergeable":
		case "conflict":
			return refuse(http.StatusUnprocessableEntity, "Branch cannot be merged")
		default:
			return refuse(http.StatusMethodNotAllowed, "405 Method Not Allowed")
		}
		return c.sameHead(at.head)
	})
	if err != nil {
		return err
	}
	how := sim.MergeCommit
	if c.truth("squash") {
		how = sim.Squash
	}
	if _, err := c.actor().Merge(at.repo, at.number, sim.MergeOptions{Method: how, Head: at.head}); err != nil {
		return err
	}
	return c.getMergeRequest()
}

// sameHead refuses if the caller means another head than there is.
func (c *call) sameHead(head string) error {
	if sha := c.text("sha"); sha != "" && sha != head {
		return refuse(http.StatusConflict, "SHA does not match HEAD of source branch: "+head)
	}
	return nil
}

func (c *call) listDiffs() error {
	return c.onMergeRequest(sim.PartFiles, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		defer s.t.state.wasRead(is.ID)
		if !s.t.state.prepared(is.ID, is.Change.Head) {
			return shapes(page(c, []sim.FileDiff{}), diff), nil
		}
		return shapes(page(c, shown(s.v.ChangeFiles(r, is.Change, true))), diff), nil
	})
}

// shown are the files GitLab shows of a comparison.
func shown(all []sim.FileDiff) []sim.FileDiff { return all[:min(len(all), mostFiles)] }

func (c *call) getChanges() error {
	return c.onMergeRequest(sim.PartFiles, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		defer s.t.state.wasRead(is.ID)
		out := s.mergeRequest(r, is, true, s.v.Account(c.who.id))
		var files []sim.FileDiff
		if s.t.state.prepared(is.ID, is.Change.Head) {
			files = s.v.ChangeFiles(r, is.Change, true)
		}
		out["changes"], out["overflow"] = shapes(shown(files), diff), len(files) > mostFiles
		return out, nil
	})
}

func (c *call) listVersions() error {
	return c.onMergeRequest(sim.PartHead, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		return shapes(page(c, s.versions(r, is)), func(v j) j { return v }), nil
	})
}

func (c *call) getVersion() error {
	return c.onMergeRequest(sim.PartHead, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		for _, v := range s.versions(r, is) {
			if v["id"] != c.path("version") {
				continue
			}
			base, _ := v["base_commit_sha"].(string)
			head, _ := v["head_commit_sha"].(string)
			v["commits"] = shapes(s.v.Between(base, head), func(k *sim.Commit) j { return s.commitShape(r, k) })
			v["diffs"] = shapes(shown(s.v.CompareCommits(base, head, true)), diff)
			return v, nil
		}
		return nil, notFound("")
	})
}

func (c *call) listMergeRequestCommits() error {
	return c.onMergeRequest(sim.PartHead, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		all := slices.Clone(s.v.ChangeCommits(r, is.Change))
		slices.Reverse(all)
		return shapes(page(c, all), func(k *sim.Commit) j { return s.commitShape(r, k) }), nil
	})
}

var (
	closing   = regexp.MustCompile(`(?i)\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?):?\s+((?:(?:issues? +)?[\w./-]*#\d+(?:(?: *,? +and +)|(?: *, *)?)?)+)`)
	reference = regexp.MustCompile(`([\w.-]+/[\w./-]+)?#(\d+)`)
)

// closes are the numbers of the issues of its own project a merge request closes
// by its description when merged; GitLab knows no other way to link one.
func (s shaper) closes(r *sim.Repo, is *sim.Issue) []*sim.Issue {
	if is.Change.Base != r.Default {
		return nil
	}
	var text strings.Builder
	for _, m := range closing.FindAllString(is.Body, -1) {
		text.WriteString(m + "\n")
	}
	return s.mentioned(r, text.String())
}

// mentioned are the issues of a project a text names.
func (s shaper) mentioned(r *sim.Repo, text string) []*sim.Issue {
	var out []*sim.Issue
	for _, m := range reference.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil || (m[1] != "" && !strings.EqualFold(m[1], s.path(r))) {
			continue
		}
		if other := s.findIssue(r, n); other != nil && !slices.ContainsFunc(out, func(o *sim.Issue) bool { return o.ID == other.ID }) {
			out = append(out, other)
		}
	}
	return out
}

func (c *call) closesIssues() error {
	return c.onMergeRequest(sim.PartAll, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		return shapes(page(c, s.closes(r, is)), func(is *sim.Issue) j { return s.issue(r, is) }), nil
	})
}

func (c *call) relatedIssues() error {
	return c.onMergeRequest(sim.PartAll, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		text := []string{is.Title, is.Body}
		for _, n := range is.Comments {
			text = append(text, n.Body)
		}
		return shapes(page(c, s.mentioned(r, strings.Join(text, "\n"))), func(is *sim.Issue) j { return s.issue(r, is) }), nil
	})
}

func (c *call) listReviewers() error {
	return c.onMergeRequest(sim.PartReviews, func(s shaper, _ *sim.Repo, is *sim.Issue) (any, error) {
		return shapes(page(c, reviewers(is)), func(rv reviewer) j {
			return j{"user": s.author(rv.who), "state": rv.state, "created_at": stamp(rv.since)}
		}), nil
	})
}

func (c *call) commitMergeRequests() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		k := s.v.Resolve(r, c.r.PathValue("sha"))
		if k == nil {
			return nil, notFound("Commit")
		}
		var found []*sim.Issue
		for _, is := range s.v.Changes(r) {
			in := slices.ContainsFunc(s.v.ChangeCommits(r, is.Change), func(o *sim.Commit) bool { return o.SHA == k.SHA })
			if (in || is.Change.MergeSHA == k.SHA) && wantedState(is, c.text("state")) {
				found = append(found, is)
			}
		}
		me := s.v.Account(c.who.id)
		return shapes(page(c, found), func(is *sim.Issue) j { return s.mergeRequest(r, is, false, me) }), nil
	})
}
