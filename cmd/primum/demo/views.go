package demo

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"primum/forges/sim"
)

// checkView is a check as the forge shows it.
type checkView struct {
	ID      int64
	Name    string
	State   string // pass, fail, pending, na, none
	Title   string
	URL     string
	By      string
	Buttons []sim.CheckAction
}

// changeRow is one change of the list.
type changeRow struct {
	Number  int
	Title   string
	Author  string
	State   string // open, draft, merged, closed
	Primum  checkView
	Updated time.Time
	Try     try
}

func word(state string) string {
	switch state {
	case "pass":
		return "ready"
	case "fail":
		return "action needed"
	case "pending":
		return "waiting"
	case "na":
		return "advice"
	default:
		return "not judged yet"
	}
}

func mark(state string) string {
	switch state {
	case "pass":
		return "✓"
	case "fail":
		return "✕"
	case "pending", "none":
		return "…"
	default:
		return "–"
	}
}

// checkOf turns a run into what is shown.
func checkOf(v *sim.View, run *sim.CheckRun) checkView {
	c := checkView{ID: run.ID, Name: run.Name, Title: run.Title, URL: run.DetailsURL, Buttons: run.Actions, State: "pending"}
	if a := v.App(run.App); a != nil {
		c.By = a.Name
	}
	if run.Status == "completed" {
		switch run.Conclusion {
		case "success":
			c.State = "pass"
		case "neutral", "skipped":
			c.State = "na"
		default:
			c.State = "fail"
		}
	}
	return c
}

// statusOf is the same of a commit status.
func statusOf(v *sim.View, st *sim.Status) checkView {
	c := checkView{Name: st.Context, Title: st.Description, URL: st.TargetURL, By: login(v, st.Creator), State: "fail"}
	switch st.State {
	case "success", "skipped":
		c.State = "pass"
	case "pending", "running":
		c.State = "pending"
	}
	return c
}

// checksOf are the newest checks of a head, Primum's apart.
func checksOf(v *sim.View, r *sim.Repo, head string) (ours checkView, others []checkView) {
	ours = checkView{Name: "primum", State: "none", Title: "Primum has not judged this head yet"}
	for _, run := range v.NewestChecks(r, head) {
		c := checkOf(v, run)
		if a := v.App(run.App); a != nil && a.Slug == app {
			ours = c
			continue
		}
		if !v.Style().ChecksAreStatuses { // otherwise its status says the same
			others = append(others, c)
		}
	}
	for _, st := range v.NewestStatuses(r, head) {
		if c := statusOf(v, st); st.Context == ours.Name {
			ours = c
		} else {
			others = append(others, c)
		}
	}
	slices.SortFunc(others, func(a, b checkView) int { return strings.Compare(a.Name, b.Name) })
	return ours, others
}

func login(v *sim.View, id int64) string {
	if a := v.Account(id); a != nil {
		return a.Login
	}
	return "ghost"
}

func stateOf(is *sim.Issue) string {
	switch {
	case is.Change != nil && is.Change.Merged:
		return "merged"
	case is.State != sim.Open:
		return "closed"
	case is.Change != nil && is.Change.Draft:
		return "draft"
	default:
		return "open"
	}
}

// homeView is the list of changes.
type homeView struct {
	Open, Done []changeRow
	Counts     map[string]int
}

func (s *site) home(w http.ResponseWriter, r *http.Request) {
	view := homeView{Counts: map[string]int{}}
	s.w.forge.Read(func(v *sim.View) {
		rp := v.Repo(repo)
		for _, is := range v.Changes(rp) {
			row := changeRow{Number: is.Number, Title: is.Title, Author: login(v, is.Author), State: stateOf(is), Updated: is.UpdatedAt, Try: s.w.tries[is.Number]}
			row.Primum, _ = checksOf(v, rp, is.Change.Head)
			if row.State == "open" || row.State == "draft" {
				view.Open = append(view.Open, row)
				view.Counts[row.Primum.State]++
			} else {
				view.Done = append(view.Done, row)
			}
		}
	})
	byNumber := func(a, b changeRow) int { return a.Number - b.Number }
	slices.SortFunc(view.Open, byNumber)
	slices.SortFunc(view.Done, byNumber)
	s.render(w, r, http.StatusOK, "home", "Changes", view)
}

// entry is one thing on the timeline.
type entry struct {
	Kind   string // description, comment, primum, review, commit, event
	By     string
	At     time.Time
	Word   string // "approved", "asks for changes"
	State  string
	HTML   template.HTML
	Text   string
	Commit string
	Edited bool
	Reacts []string
	order  int
}

// changeView is the page of one change.
type changeView struct {
	Row      changeRow
	Branch   string
	Base     string
	Head     string
	Body     string
	Timeline []entry
	Files    []sim.FileDiff
	Checks   []checkView
	Wanted   []string // checks a newcomer can report
	Hinders  []string
	Issues   []issueRow
	First    string // a touched file, to push to
	Commits  int
	Unblock  bool
}

func (s *site) change(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.PathValue("number"))
	view := changeView{}
	found := false
	s.w.forge.Read(func(v *sim.View) {
		rp := v.Repo(repo)
		is := rp.Issues[n]
		if is == nil || is.Change == nil {
			return
		}
		found = true
		c := is.Change
		view.Row = changeRow{Number: n, Title: is.Title, Author: login(v, is.Author), State: stateOf(is), Updated: is.UpdatedAt, Try: s.w.tries[n]}
		view.Row.Primum, view.Checks = checksOf(v, rp, c.Head)
		view.Branch, view.Base, view.Head, view.Body = c.HeadBranch, c.Base, c.Head, is.Body
		view.Files = v.ChangeFiles(rp, c, true)
		for _, why := range v.Hinders(rp, is) {
			view.Hinders = append(view.Hinders, hinder(why))
		}
		view.Timeline = s.timeline(v, rp, is)
		view.Commits = len(v.ChangeCommits(rp, c))
		for _, f := range view.Files {
			if view.First == "" && f.Status != "removed" {
				view.First = f.Path
			}
		}
		view.Issues = issueRows(v, rp)
	})
	if !found {
		s.render(w, r, http.StatusNotFound, "nothing", "Nothing here", nil)
		return
	}
	view.Wanted = []string{"build", "test", "verify-hil"}
	s.render(w, r, http.StatusOK, "change", view.Row.Title, view)
}

// hinder is why a merge is refused; GitLab's API has words that people do not see.
func hinder(why string) string {
	switch why {
	case "ci_must_pass":
		return "The pipeline must succeed"
	case "ci_still_running":
		return "The pipeline is still running"
	default:
		return why
	}
}

// timeline puts what happened on a change or issue in order.
func (s *site) timeline(v *sim.View, rp *sim.Repo, is *sim.Issue) []entry {
	out := []entry{{Kind: "description", By: login(v, is.Author), At: is.CreatedAt, HTML: markdown(is.Body, false), Text: is.Body}}
	for _, c := range is.Comments {
		e := entry{Kind: "comment", By: login(v, c.Author), At: c.CreatedAt, Edited: len(c.Edits) > 1}
		if c.Minimized != "" {
			e.Word = "hidden as " + c.Minimized
		}
		ours := e.By == s.w.scene.bot
		if ours {
			e.Kind = "primum"
		}
		e.HTML = markdown(c.Body, ours)
		for _, re := range c.Reactions {
			e.Reacts = append(e.Reacts, reaction(re.Content)+" by "+login(v, re.Author))
		}
		out = append(out, e)
	}
	if is.Change != nil {
		for _, c := range v.ChangeCommits(rp, is.Change) {
			title, _, _ := strings.Cut(c.Message, "\n")
			out = append(out, entry{Kind: "commit", By: c.Author.Name, At: c.Committer.At, Text: title, Commit: c.SHA, order: -1})
		}
		for _, rv := range is.Change.Reviews {
			e := entry{Kind: "review", By: login(v, rv.Author), At: rv.SubmittedAt, Commit: rv.Commit, HTML: markdown(rv.Body, false)}
			switch rv.State {
			case sim.Approved:
				e.Word, e.State = "approved", "pass"
			case sim.ChangesRequested:
				e.Word, e.State = "asks for changes", "fail"
			case sim.Dismissed:
				e.Word, e.State = "review dismissed", "na"
			default:
				e.Word = "reviewed"
			}
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b entry) int {
		if a.Kind == "description" || b.Kind == "description" {
			return boolInt(b.Kind == "description") - boolInt(a.Kind == "description")
		}
		return a.At.Compare(b.At)
	})
	return out
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func reaction(content string) string {
	switch content {
	case "eyes":
		return "seen"
	case "+1":
		return "done"
	case "confused":
		return "refused"
	default:
		return content
	}
}

// markdown renders as forges do: the raw HTML of people is not let through, of
// Primum's own comment the tags it uses are.
func markdown(source string, ours bool) template.HTML {
	options := []goldmark.Option{goldmark.WithExtensions(extension.GFM)}
	if ours {
		options = append(options, goldmark.WithRendererOptions(html.WithUnsafe()))
	}
	var out bytes.Buffer
	if err := goldmark.New(options...).Convert([]byte(source), &out); err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(source) + "</p>") //nolint:gosec // escaped
	}
	return template.HTML(out.String()) //nolint:gosec // rendered without people's HTML
}

// issueRow is one issue of the list.
type issueRow struct {
	Number int
	Title  string
	Author string
	State  string
	Labels []string
}

func issueRows(v *sim.View, rp *sim.Repo) []issueRow {
	var out []issueRow
	for _, is := range v.Issues(rp) {
		if is.Change == nil {
			out = append(out, issueRow{Number: is.Number, Title: is.Title, Author: login(v, is.Author), State: string(is.State), Labels: slices.Clone(is.Labels)})
		}
	}
	slices.SortFunc(out, func(a, b issueRow) int { return a.Number - b.Number })
	return out
}

func (s *site) issues(w http.ResponseWriter, r *http.Request) {
	var rows []issueRow
	s.w.forge.Read(func(v *sim.View) { rows = issueRows(v, v.Repo(repo)) })
	s.render(w, r, http.StatusOK, "issues", "Issues", rows)
}

// issueView is the page of one issue.
type issueView struct {
	Row      issueRow
	Body     string
	Timeline []entry
}

func (s *site) issue(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.PathValue("number"))
	view := issueView{}
	found := false
	s.w.forge.Read(func(v *sim.View) {
		rp := v.Repo(repo)
		is := rp.Issues[n]
		if is == nil || is.Change != nil {
			return
		}
		found = true
		view.Row = issueRow{Number: n, Title: is.Title, Author: login(v, is.Author), State: string(is.State), Labels: slices.Clone(is.Labels)}
		view.Body, view.Timeline = is.Body, s.timeline(v, rp, is)
	})
	if !found {
		s.render(w, r, http.StatusNotFound, "nothing", "Nothing here", nil)
		return
	}
	s.render(w, r, http.StatusOK, "issue", view.Row.Title, view)
}

// editView is the page on which a file is edited.
type editView struct {
	Branch string
	Change int // the open change of the branch; 0 for main
	Path   string
	Text   string
	Files  []string
}

func (s *site) edit(w http.ResponseWriter, r *http.Request) {
	view := editView{Branch: r.PathValue("branch"), Path: r.URL.Query().Get("path")}
	s.w.forge.Read(func(v *sim.View) {
		rp := v.Repo(repo)
		if c := v.Resolve(rp, view.Branch); c != nil {
			view.Files = filesOf(v, c.Tree, "")
		}
		for _, is := range v.Changes(rp) {
			if is.State == sim.Open && is.Change.HeadBranch == view.Branch {
				view.Change = is.Number
			}
		}
	})
	if len(view.Files) == 0 {
		s.render(w, r, http.StatusNotFound, "nothing", "Nothing here", nil)
		return
	}
	if view.Path == "" {
		view.Path = view.Files[0]
	}
	view.Text, _ = s.w.forge.File(repo, view.Branch, view.Path)
	s.render(w, r, http.StatusOK, "edit", "Edit "+view.Path, view)
}

// filesOf lists the files of a tree.
func filesOf(v *sim.View, tree, prefix string) []string {
	var out []string
	entries, _ := v.Tree(tree)
	for _, e := range entries {
		if e.Mode == sim.ModeTree {
			out = append(out, filesOf(v, e.OID, prefix+e.Name+"/")...)
		} else {
			out = append(out, prefix+e.Name)
		}
	}
	return out
}
