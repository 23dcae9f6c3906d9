package giteaface

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"primum/forges/sim"
)

// onIssue runs fn with the issue or change of the path as a read shall show it.
func (c *call) onIssue(fn func(s shaper, r *sim.Repo, is *sim.Issue) result) {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		n, err := strconv.Atoi(c.values["index"])
		if err != nil {
			return result{}
		}
		is := s.v.Standing(r, n, sim.PartAll)
		if is == nil {
			return result{}
		}
		return fn(s, r, is)
	})
}

func (c *call) listIssues() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		state := c.query("state")
		if state == "" {
			state = string(sim.Open)
		}
		var labels []string
		if l := c.query("labels"); l != "" {
			labels = strings.Split(l, ",")
		}
		var all []*sim.Issue
		for _, is := range s.v.Issues(r) {
			kind := "issues"
			if is.Change != nil {
				kind = "pulls"
			}
			if (state != "all" && string(is.State) != state) || (c.query("type") != "" && c.query("type") != kind) ||
				(c.query("q") != "" && !strings.Contains(strings.ToLower(is.Title+"\n"+is.Body), strings.ToLower(c.query("q")))) ||
				(c.query("created_by") != "" && is.Author != idOf(s, c.query("created_by"))) ||
				slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(is.Labels, l) }) {
				continue
			}
			all = append(all, is)
		}
		slices.Reverse(all)
		out := []any{}
		for _, is := range linked(c, all) {
			out = append(out, s.issue(r, is))
		}
		return ok(out)
	})
}

func (c *call) getIssue() {
	c.onIssue(func(s shaper, r *sim.Repo, is *sim.Issue) result { return ok(s.issue(r, is)) })
}

func (c *call) createIssue() {
	var in struct {
		Title  string  `json:"title"`
		Body   string  `json:"body"`
		Labels []int64 `json:"labels"`
	}
	if !c.decode(&in) || !c.allowed(sim.Read) {
		return
	}
	if in.Title == "" {
		c.fail(http.StatusUnprocessableEntity, "[Title]: Required")
		return
	}
	r, _ := c.t.forge.Repo(c.repoName())
	var names []string
	for _, l := range r.Labels {
		if slices.Contains(in.Labels, l.ID) {
			names = append(names, l.Name)
		}
	}
	n, err := c.act().OpenIssue(c.repoName(), in.Title, in.Body, names...)
	c.done(err, func(s shaper, r *sim.Repo) result {
		return result{status: http.StatusCreated, body: s.issue(r, r.Issues[n])}
	})
}

func (c *call) editIssue() {
	var in struct {
		Title *string `json:"title"`
		Body  *string `json:"body"`
		State string  `json:"state"`
	}
	n, good := c.number("index")
	if !good || !c.decode(&in) || !c.allowed(sim.Read) {
		return
	}
	c.done(c.edit(n, in.Title, in.Body, in.State), func(s shaper, r *sim.Repo) result {
		return result{status: http.StatusCreated, body: s.issue(r, r.Issues[n])}
	})
}

func (c *call) deleteIssue() {
	n, good := c.number("index")
	if !good || !c.allowed(sim.Admin) {
		return
	}
	c.done(c.act().DeleteIssue(c.repoName(), n), func(shaper, *sim.Repo) result {
		return result{status: http.StatusNoContent, body: none}
	})
}

// listComments gives all of them: this list has no pages.
func (c *call) listComments() {
	c.onIssue(func(s shaper, r *sim.Repo, is *sim.Issue) result {
		out := []any{}
		for _, m := range is.Comments {
			out = append(out, s.comment(r, is, m))
		}
		c.total(len(out))
		return ok(out)
	})
}

func (c *call) createComment() {
	var in struct {
		Body string `json:"body"`
	}
	n, good := c.number("index")
	if !good || !c.decode(&in) || !c.allowed(sim.Read) {
		return
	}
	if in.Body == "" {
		c.fail(http.StatusUnprocessableEntity, "[Body]: Required")
		return
	}
	if _, found := c.t.forge.Issue(c.repoName(), n); !found { // measured: no word of explanation
		c.fail(http.StatusInternalServerError, "")
		return
	}
	id, err := c.act().Comment(c.repoName(), n, in.Body)
	c.done(err, func(s shaper, r *sim.Repo) result {
		return result{status: http.StatusCreated, body: s.comment(r, r.Issues[n], s.v.Comment(r, id))}
	})
}

// onComment runs fn with the comment of the path.
func (c *call) onComment(fn func(s shaper, r *sim.Repo, is *sim.Issue, m *sim.Comment) result) {
	id, good := c.number("id")
	if !good {
		return
	}
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		m := s.v.Comment(r, int64(id))
		if m == nil || r.Issues[m.Number] == nil {
			return missing("comment does not exist [id: %d, issue_id: 0]", id)
		}
		return fn(s, r, r.Issues[m.Number], m)
	})
}

func (c *call) getComment() {
	c.onComment(func(s shaper, r *sim.Repo, is *sim.Issue, m *sim.Comment) result { return ok(s.comment(r, is, m)) })
}

// asComment is the text of a review as the comment it is.
func asComment(rv *sim.Review) *sim.Comment {
	return &sim.Comment{ID: rv.Text, Author: rv.Author, Body: rv.Body, CreatedAt: rv.SubmittedAt, UpdatedAt: rv.UpdatedAt}
}

// reviewOfText finds the review whose body a comment is; 0 if it is none.
func (c *call) reviewOfText(id int64) (number int, review int64) {
	c.t.forge.Read(func(v *sim.View) {
		r := v.Repo(c.repoName())
		if r == nil {
			return
		}
		for _, is := range v.Changes(r) {
			for _, rv := range is.Change.Reviews {
				if rv.Text == id {
					number, review = is.Number, rv.ID
				}
			}
		}
	})
	return number, review
}

func (c *call) editComment() {
	var in struct {
		Body string `json:"body"`
	}
	id, good := c.number("id")
	if !good || !c.decode(&in) || !c.allowed(sim.Read) {
		return
	}
	if number, review := c.reviewOfText(int64(id)); review != 0 {
		if err := c.act().EditReview(c.repoName(), number, review, in.Body); err != nil {
			c.refused(err)
			return
		}
		c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
			for _, rv := range r.Issues[number].Change.Reviews {
				if rv.ID == review {
					return ok(s.comment(r, r.Issues[number], asComment(rv)))
				}
			}
			return result{}
		})
		return
	}
	if err := c.act().EditComment(c.repoName(), int64(id), in.Body); err != nil {
		c.refused(err)
		return
	}
	c.getComment()
}

func (c *call) deleteComment() {
	id, good := c.number("id")
	if !good || !c.allowed(sim.Read) {
		return
	}
	c.done(c.act().DeleteComment(c.repoName(), int64(id)), func(shaper, *sim.Repo) result {
		return result{status: http.StatusNoContent, body: none}
	})
}

func (s shaper) reactions(all []sim.Reaction) []any {
	out := []any{}
	for _, re := range all {
		out = append(out, s.reaction(re))
	}
	return out
}

func (c *call) listCommentReactions() {
	c.onComment(func(s shaper, _ *sim.Repo, _ *sim.Issue, m *sim.Comment) result { return ok(s.reactions(m.Reactions)) })
}

// listIssueReactions gives null where there are none, unlike most lists.
func (c *call) listIssueReactions() {
	c.onIssue(func(s shaper, _ *sim.Repo, is *sim.Issue) result {
		if len(is.Reactions) == 0 {
			if s.forgejo {
				c.total(0)
			}
			return ok(nil)
		}
		return ok(page(c, s.reactions(is.Reactions)))
	})
}

// content reads the reaction asked for; false means that it has answered.
func (c *call) content() (string, bool) {
	var in struct {
		Content string `json:"content"`
	}
	if !c.decode(&in) {
		return "", false
	}
	if !slices.Contains([]string{"+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"}, in.Content) {
		c.fail(http.StatusForbidden, "'"+in.Content+"' is not an allowed reaction")
		return "", false
	}
	return in.Content, true
}

// reacted answers a reaction: 201 if it is new, 200 if it stood there.
func (c *call) reacted(re sim.Reaction, created bool, err error) {
	c.done(err, func(s shaper, _ *sim.Repo) result {
		if created {
			return result{status: http.StatusCreated, body: s.reaction(re)}
		}
		return ok(s.reaction(re))
	})
}

func (c *call) reactComment() {
	id, good := c.number("id")
	if !good {
		return
	}
	content, good := c.content()
	if !good || !c.allowed(sim.Read) {
		return
	}
	if _, review := c.reviewOfText(int64(id)); review != 0 {
		c.reacted(c.act().ReactReview(c.repoName(), review, content))
		return
	}
	re, created, err := c.act().React(c.repoName(), int64(id), content)
	if r, is := refusal(err); is && r.Kind == sim.NotFound {
		re, created, err = c.act().ReactReviewComment(c.repoName(), int64(id), content)
	}
	c.reacted(re, created, err)
}

func (c *call) reactIssue() {
	n, good := c.number("index")
	if !good {
		return
	}
	content, good := c.content()
	if good && c.allowed(sim.Read) {
		c.reacted(c.act().ReactIssue(c.repoName(), n, content))
	}
}

func (c *call) listLabels() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		var names []string
		for n := range r.Labels {
			names = append(names, n)
		}
		return ok(linked(c, s.labels(r, names)))
	})
}

func (c *call) createLabel() {
	var in struct {
		Name  string `json:"name"`
		Color string `json:"color"`
	}
	if !c.decode(&in) || !c.allowed(sim.Write) {
		return
	}
	c.done(c.act().AddLabel(c.repoName(), in.Name, strings.TrimPrefix(in.Color, "#")), func(s shaper, r *sim.Repo) result {
		return result{status: http.StatusCreated, body: s.label(r, in.Name)}
	})
}

func (c *call) listMilestones() {
	c.onRepo(sim.Read, func(s shaper, r *sim.Repo) result {
		out := []any{}
		for _, m := range r.Milestones {
			out = append(out, s.milestone(r, m.Title))
		}
		return ok(linked(c, out))
	})
}

func (c *call) listIssueLabels() {
	c.onIssue(func(s shaper, r *sim.Repo, is *sim.Issue) result { return ok(s.labels(r, is.Labels)) })
}

// named finds the labels of a body: by id, and but for old versions by name as well. false
// means that it has answered.
func (c *call) namedLabels() (names []string, good bool) {
	var in struct {
		Labels []json.RawMessage `json:"labels"`
	}
	if !c.decode(&in) {
		return nil, false
	}
	r, _ := c.t.forge.Repo(c.repoName())
	for _, raw := range in.Labels {
		var id int64
		var name string
		switch {
		case json.Unmarshal(raw, &id) == nil:
			for _, l := range r.Labels {
				if l.ID == id {
					names = append(names, l.Name)
				}
			}
		case json.Unmarshal(raw, &name) == nil && !c.t.old():
			if r.Labels[name] != nil {
				names = append(names, name)
			}
		default:
			c.fail(http.StatusUnprocessableEntity, "[]: json: cannot unmarshal string into Go struct field IssueLabelsOption.labels of type int64")
			return nil, false
		}
	}
	return names, true
}

func (c *call) labelled(n int, err error) {
	c.done(err, func(s shaper, r *sim.Repo) result { return ok(s.labels(r, r.Issues[n].Labels)) })
}

func (c *call) addLabels() {
	n, good := c.number("index")
	if !good || !c.allowed(sim.Write) {
		return
	}
	if names, good := c.namedLabels(); good {
		c.labelled(n, c.act().Label(c.repoName(), n, names...))
	}
}

func (c *call) replaceLabels() {
	n, good := c.number("index")
	if !good || !c.allowed(sim.Write) {
		return
	}
	names, good := c.namedLabels()
	if !good {
		return
	}
	is, _ := c.t.forge.Issue(c.repoName(), n)
	gone := slices.DeleteFunc(slices.Clone(is.Labels), func(l string) bool { return slices.Contains(names, l) })
	err := c.act().Unlabel(c.repoName(), n, gone...)
	if err == nil {
		err = c.act().Label(c.repoName(), n, names...)
	}
	c.labelled(n, err)
}

func (c *call) clearLabels() {
	n, good := c.number("index")
	if !good || !c.allowed(sim.Write) {
		return
	}
	c.done(c.act().ClearLabels(c.repoName(), n), func(shaper, *sim.Repo) result {
		return result{status: http.StatusNoContent, body: none}
	})
}

func (c *call) removeLabel() {
	n, good := c.number("index")
	id, good2 := c.number("id")
	if !good || !good2 || !c.allowed(sim.Write) {
		return
	}
	r, _ := c.t.forge.Repo(c.repoName())
	name := ""
	for _, l := range r.Labels {
		if l.ID == int64(id) {
			name = l.Name
		}
	}
	if name == "" {
		c.fail(http.StatusUnprocessableEntity, "label does not exist [label_id: "+strconv.Itoa(id)+"]")
		return
	}
	c.done(c.act().Unlabel(c.repoName(), n, name), func(shaper, *sim.Repo) result {
		return result{status: http.StatusNoContent, body: none}
	})
}

// listDependencies gives the issues this one waits for.
func (c *call) listDependencies() {
	c.onIssue(func(s shaper, _ *sim.Repo, is *sim.Issue) result {
		out := []any{}
		for _, d := range is.Depends {
			if r := s.v.RepoByID(d.Repo); r != nil && r.Issues[d.Number] != nil && c.perm(s.v, r).AtLeast(sim.Read) {
				out = append(out, s.issue(r, r.Issues[d.Number]))
			}
		}
		out = page(c, out)
		if s.forgejo {
			c.w.Header().Del("X-Total-Count")
		}
		return ok(out)
	})
}

// listBlocks gives the issues that wait for this one.
func (c *call) listBlocks() {
	c.onIssue(func(s shaper, r *sim.Repo, is *sim.Issue) result {
		out := []any{}
		for _, other := range s.v.Repos() {
			for _, waiting := range s.v.Issues(other) {
				if slices.Contains(waiting.Depends, sim.Dependency{Repo: r.ID, Number: is.Number}) && c.perm(s.v, other).AtLeast(sim.Read) {
					out = append(out, s.issue(other, waiting))
				}
			}
		}
		return ok(out)
	})
}

// meta names an issue in a body.
type meta struct {
	Owner string `json:"owner"`
	Repo  string `json:"repo"`
	Index int    `json:"index"`
}

func (c *call) addDependency()    { c.depend(sim.Actor.AddDependency, false) }
func (c *call) removeDependency() { c.depend(sim.Actor.RemoveDependency, false) }
func (c *call) addBlock()         { c.depend(sim.Actor.AddDependency, true) }
func (c *call) removeBlock()      { c.depend(sim.Actor.RemoveDependency, true) }

func (c *call) depend(do func(a sim.Actor, repo string, number int, onRepo string, on int) error, turned bool) {
	var in meta
	n, good := c.number("index")
	if !good || !c.decode(&in) || !c.allowed(sim.Write) {
		return
	}
	var err error
	if turned {
		err = do(c.act(), in.Owner+"/"+in.Repo, in.Index, c.repoName(), n)
	} else {
		err = do(c.act(), c.repoName(), n, in.Owner+"/"+in.Repo, in.Index)
	}
	if r, is := refusal(err); is && (r.Kind == sim.Invalid || strings.HasPrefix(strings.Join(r.Reasons, ""), "no such dependency")) {
		c.fail(http.StatusInternalServerError, "") // measured: no word of explanation
		return
	}
	c.done(err, func(s shaper, r *sim.Repo) result {
		return result{status: http.StatusCreated, body: s.issue(r, r.Issues[n])}
	})
}
