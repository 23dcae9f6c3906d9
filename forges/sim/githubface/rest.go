package githubface

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"primum/forges/sim"
)

// routes names every call the face answers.
func (t *Face) routes() {
	app := map[string]func(*call){
		"GET /app":                                   (*call).getApp,
		"GET /app/installations":                     (*call).listInstallations,
		"GET /app/installations/{id}":                (*call).getInstallation,
		"POST /app/installations/{id}/access_tokens": (*call).createToken,
		"GET /repos/{owner}/{repo}/installation":     (*call).repoInstallation,
		"GET /app/hook/deliveries":                   (*call).listDeliveries,
		"GET /app/hook/deliveries/{id}":              (*call).getDelivery,
		"POST /app/hook/deliveries/{id}/attempts":    (*call).redeliver,
	}
	for route, fn := range app {
		t.mux.HandleFunc(route, t.handle(fn, true))
	}
	user := map[string]func(*call){
		"GET /installation/repositories":                             (*call).listRepos,
		"GET /repos/{owner}/{repo}":                                  (*call).getRepo,
		"GET /repos/{owner}/{repo}/pulls":                            (*call).listPulls,
		"GET /repos/{owner}/{repo}/pulls/{n}":                        (*call).getPull,
		"GET /repos/{owner}/{repo}/pulls/{n}/files":                  (*call).listFiles,
		"GET /repos/{owner}/{repo}/pulls/{n}/reviews/{id}":           (*call).getReview,
		"GET /repos/{owner}/{repo}/compare/{basehead...}":            (*call).compare,
		"GET /repos/{owner}/{repo}/git/trees/{sha}":                  (*call).getTree,
		"GET /repos/{owner}/{repo}/git/blobs/{sha}":                  (*call).getBlob,
		"POST /repos/{owner}/{repo}/check-runs":                      (*call).createCheck,
		"PATCH /repos/{owner}/{repo}/check-runs/{id}":                (*call).updateCheck,
		"GET /repos/{owner}/{repo}/check-runs/{id}":                  (*call).getCheck,
		"GET /repos/{owner}/{repo}/commits/{ref}/check-runs":         (*call).listChecks,
		"POST /repos/{owner}/{repo}/statuses/{sha}":                  (*call).createStatus,
		"POST /repos/{owner}/{repo}/issues/{n}/comments":             (*call).createComment,
		"GET /repos/{owner}/{repo}/issues/{n}/comments":              (*call).listComments,
		"PATCH /repos/{owner}/{repo}/issues/comments/{id}":           (*call).editComment,
		"POST /repos/{owner}/{repo}/issues/comments/{id}/reactions":  (*call).react,
		"POST /repos/{owner}/{repo}/pulls/comments/{id}/reactions":   (*call).reactReviewComment,
		"GET /repos/{owner}/{repo}/collaborators/{login}/permission": (*call).permission,
		"POST /graphql": (*call).graphql,
	}
	for route, fn := range user {
		t.mux.HandleFunc(route, t.handle(fn, false))
	}
}

// handle signs the caller in, counts the call against its budget and reads the body.
func (t *Face) handle(fn func(*call), asApp bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := t.authenticate(r)
		graph := r.URL.Path == "/graphql"
		if graph && err != nil {
			t.count(r.Pattern, false, false)
		}
		if err != nil {
			fail(w, http.StatusUnauthorized, err.Error())
			return
		}
		if who.asApp != asApp {
			if asApp {
				fail(w, http.StatusUnauthorized, "A JSON web token could not be decoded")
				return
			}
			fail(w, http.StatusForbidden, "This endpoint requires you to be authenticated as an installation.")
			return
		}
		if in := who.installation; in != nil && in.Suspended {
			fail(w, http.StatusForbidden, "This installation has been suspended")
			return
		}
		const mostBody = 8 << 20
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
		if err != nil {
			fail(w, http.StatusBadRequest, "Problems reading the body")
			return
		}
		if !graph && !asApp {
			t.spend(w, who.key(), "core")
		}
		fn(&call{t: t, w: w, r: r, who: who, body: body})
	}
}

// decode reads the body as JSON; false means that it has answered.
func (c *call) decode(into any) bool {
	if len(c.body) == 0 {
		return true
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		fail(c.w, http.StatusBadRequest, "Problems parsing JSON")
		return false
	}
	return true
}

// number reads a path value; false means that it has answered.
func (c *call) number(name string) (int64, bool) {
	n, err := strconv.ParseInt(c.r.PathValue(name), 10, 64)
	if err != nil {
		fail(c.w, http.StatusNotFound, "Not Found")
	}
	return n, err == nil
}

func (c *call) repoName() string { return c.r.PathValue("owner") + "/" + c.r.PathValue("repo") }

// require answers 403 unless the installation holds the permission.
func (c *call) require(permission, level string) bool {
	if c.who.may(permission, level) {
		return true
	}
	fail(c.w, http.StatusForbidden, "Resource not accessible by integration")
	return false
}

// onRepo runs fn with the repository of the path, if the caller may see it.
// Its answer is written after the forge is let go.
func (c *call) onRepo(fn func(s shaper, r *sim.Repo) (status int, body any)) {
	var status int
	var body any
	var moved string
	c.t.forge.Read(func(v *sim.View) {
		r := v.Repo(c.repoName())
		if !c.who.sees(v, r) {
			return
		}
		s := c.t.shaper(v)
		if !strings.EqualFold(v.FullName(r), c.repoName()) {
			tail := strings.TrimPrefix(c.r.URL.Path, "/repos/"+c.repoName())
			moved = fmt.Sprintf("%s/repositories/%d%s", s.api, r.ID, tail)
			if q := c.r.URL.RawQuery; q != "" {
				moved += "?" + q
			}
			return
		}
		status, body = fn(s, r)
	})
	switch {
	case moved != "":
		code := http.StatusMovedPermanently
		if c.r.Method != http.MethodGet {
			code = http.StatusTemporaryRedirect
		}
		c.w.Header().Set("Location", moved)
		answer(c.w, code, j{"message": "Moved Permanently", "url": moved, "documentation_url": "https://docs.github.com/rest"})
	case status == 0:
		fail(c.w, http.StatusNotFound, "Not Found")
	case body == nil:
		fail(c.w, status, http.StatusText(status))
	default:
		answer(c.w, status, body)
	}
}

// page cuts a list to the page asked for and writes the Link header.
func page[T any](c *call, all []T, most int) []T {
	q := c.r.URL.Query()
	size, err := strconv.Atoi(q.Get("per_page"))
	if err != nil || size <= 0 {
		size = 30
	}
	size = min(size, most)
	at, err := strconv.Atoi(q.Get("page"))
	if err != nil || at <= 0 {
		at = 1
	}
	last := max((len(all)+size-1)/size, 1)
	var links []string
	link := func(rel string, n int) {
		q.Set("page", strconv.Itoa(n))
		api, _ := c.t.urls()
		links = append(links, fmt.Sprintf("<%s%s?%s>; rel=%q", api, c.r.URL.Path, q.Encode(), rel))
	}
	if at > 1 {
		link("prev", at-1)
	}
	if at < last {
		link("next", at+1)
		link("last", last)
	}
	if at > 1 {
		link("first", 1)
	}
	if len(links) > 0 {
		c.w.Header().Set("Link", strings.Join(links, ", "))
	}
	from := min((at-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// reading runs fn while the forge stands still and answers after that, so that
// a slow reader holds nobody up. No body is 404.
func (c *call) reading(fn func(s shaper) any) {
	var body any
	c.t.forge.Read(func(v *sim.View) { body = fn(c.t.shaper(v)) })
	if body == nil {
		fail(c.w, http.StatusNotFound, "Not Found")
		return
	}
	answer(c.w, http.StatusOK, body)
}

func (c *call) getApp() {
	c.reading(func(s shaper) any {
		body, _ := s.app(s.v.App(c.who.app.ID)).(j)
		body["installations_count"] = len(s.v.Installations(c.who.app.ID))
		return body
	})
}

func (c *call) listInstallations() {
	c.reading(func(s shaper) any {
		out := []any{}
		for _, in := range page(c, s.v.Installations(c.who.app.ID), 100) {
			out = append(out, s.installation(in))
		}
		return out
	})
}

func (c *call) getInstallation() {
	id, ok := c.number("id")
	if !ok {
		return
	}
	c.reading(func(s shaper) any {
		in := s.v.Installation(id)
		if in == nil || in.App != c.who.app.ID {
			return nil
		}
		return s.installation(in)
	})
}

func (c *call) repoInstallation() {
	c.reading(func(s shaper) any {
		r := s.v.Repo(c.repoName())
		if r == nil || s.v.InstallationFor(c.who.app.ID, r) == nil {
			return nil
		}
		return s.installation(s.v.InstallationFor(c.who.app.ID, r))
	})
}

func (c *call) createToken() {
	id, ok := c.number("id")
	if !ok {
		return
	}
	var found, suspended bool
	var permissions j
	selection := "selected"
	c.t.forge.Read(func(v *sim.View) {
		in := v.Installation(id)
		if found = in != nil && in.App == c.who.app.ID; !found {
			return
		}
		suspended, permissions = in.Suspended, permissionsOf(in)
		if in.All {
			selection = "all"
		}
	})
	switch {
	case !found:
		fail(c.w, http.StatusNotFound, "Not Found")
	case suspended:
		fail(c.w, http.StatusForbidden, "This installation has been suspended")
	default:
		token, expires := c.t.mint(id)
		answer(c.w, http.StatusCreated, j{"token": token, "expires_at": stamp(expires), "permissions": permissions, "repository_selection": selection})
	}
}

func (c *call) listRepos() {
	if c.who.installation == nil {
		fail(c.w, http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
		return
	}
	c.reading(func(s shaper) any {
		all := s.v.InstalledRepos(c.who.installation)
		out := []any{}
		for _, r := range page(c, all, 100) {
			out = append(out, s.repo(r))
		}
		return j{"total_count": len(all), "repository_selection": "selected", "repositories": out}
	})
}

func (c *call) getRepo() {
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) { return http.StatusOK, s.repo(r) })
}

func (c *call) listPulls() {
	if !c.require("pull_requests", "read") {
		return
	}
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		q := c.r.URL.Query()
		state := q.Get("state")
		if state == "" {
			state = "open"
		}
		var all []*sim.Issue
		for _, is := range s.v.Changes(r) {
			if (state == "all" || string(is.State) == state) &&
				(q.Get("base") == "" || is.Change.Base == q.Get("base")) {
				all = append(all, is)
			}
		}
		slices.SortStableFunc(all, func(a, b *sim.Issue) int {
			x, y := a.CreatedAt, b.CreatedAt
			if q.Get("sort") == "updated" {
				x, y = a.UpdatedAt, b.UpdatedAt
			}
			order := x.Compare(y)
			if order == 0 {
				order = a.Number - b.Number
			}
			if d := q.Get("direction"); d == "desc" || (d == "" && q.Get("sort") == "") {
				return -order
			}
			return order
		})
		out := []any{}
		for _, is := range page(c, all, 100) {
			out = append(out, s.pull(r, is, false))
		}
		return http.StatusOK, out
	})
}

// change finds the change of the path as a read shall show it.
func (c *call) change(s shaper, r *sim.Repo, part sim.Part) *sim.Issue {
	n, err := strconv.Atoi(c.r.PathValue("n"))
	if err != nil {
		return nil
	}
	is := s.v.Standing(r, n, part)
	if is == nil || is.Change == nil {
		return nil
	}
	return is
}

func (c *call) getPull() {
	if !c.require("pull_requests", "read") {
		return
	}
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		is := c.change(s, r, sim.PartAll)
		if is == nil {
			return 0, nil
		}
		return http.StatusOK, s.pull(r, is, true)
	})
}

func (c *call) listFiles() {
	if !c.require("pull_requests", "read") {
		return
	}
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		is := c.change(s, r, sim.PartFiles)
		if is == nil {
			return 0, nil
		}
		const most = 3000 // GitHub lists no more
		files := s.v.ChangeFiles(r, is.Change, true)
		out := []any{}
		for _, d := range page(c, files[:min(len(files), most)], 100) {
			out = append(out, s.diffEntry(r, d, is.Change.Head))
		}
		return http.StatusOK, out
	})
}

func (c *call) getReview() {
	id, ok := c.number("id")
	if !ok || !c.require("pull_requests", "read") {
		return
	}
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		is := c.change(s, r, sim.PartReviews)
		if is == nil {
			return 0, nil
		}
		for _, rv := range is.Change.Reviews {
			if rv.ID == id {
				return http.StatusOK, s.review(r, is, rv, false)
			}
		}
		return 0, nil
	})
}

// resolveSide finds a side of a comparison: a branch, tag or commit, or
// "owner:branch" of a fork.
func resolveSide(v *sim.View, r *sim.Repo, name string) *sim.Commit {
	if owner, branch, fork := strings.Cut(name, ":"); fork {
		other := v.Repo(owner + "/" + r.Name)
		if other == nil {
			return nil
		}
		return v.Resolve(other, branch)
	}
	return v.Resolve(r, name)
}

func (c *call) compare() {
	if !c.require("contents", "read") {
		return
	}
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		basehead := c.r.PathValue("basehead")
		b, h, ok := strings.Cut(basehead, "...")
		base, head := resolveSide(s.v, r, b), resolveSide(s.v, r, h)
		if !ok || base == nil || head == nil {
			return 0, nil
		}
		merge := s.v.Commit(s.v.MergeBase(base.SHA, head.SHA))
		if merge == nil {
			return 0, nil
		}
		ahead, behind := s.v.Between(base.SHA, head.SHA), s.v.Between(head.SHA, base.SHA)
		status := "identical"
		switch {
		case len(ahead) > 0 && len(behind) > 0:
			status = "diverged"
		case len(ahead) > 0:
			status = "ahead"
		case len(behind) > 0:
			status = "behind"
		}
		commits := []any{}
		if c.r.URL.Query().Get("per_page") == "" && c.r.URL.Query().Get("page") == "" {
			for _, k := range ahead[max(len(ahead)-250, 0):] {
				commits = append(commits, s.commit(r, k))
			}
		} else {
			for _, k := range page(c, ahead, 100) {
				commits = append(commits, s.commit(r, k))
			}
		}
		u, web := s.repoURL(r)+"/compare/"+escapePath(basehead), s.repoWeb(r)+"/compare/"+escapePath(basehead)
		out := j{
			"url": u, "html_url": web, "permalink_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch",
			"base_commit": s.commit(r, base), "merge_base_commit": s.commit(r, merge), "status": status,
			"ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead), "commits": commits,
		}
		if p := c.r.URL.Query().Get("page"); p == "" || p == "1" {
			const most = 300 // GitHub lists no more, and only on the first page
			files := []any{}
			all := s.v.CompareCommits(merge.SHA, head.SHA, true)
			for _, d := range all[:min(len(all), most)] {
				files = append(files, s.diffEntry(r, d, head.SHA))
			}
			out["files"] = files
		}
		return http.StatusOK, out
	})
}

func (c *call) getTree() {
	if !c.require("contents", "read") {
		return
	}
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		oid := c.r.PathValue("sha")
		if k := s.v.Resolve(r, oid); k != nil {
			oid = k.Tree
		}
		if _, ok := s.v.Tree(oid); !ok {
			return 0, nil
		}
		const most = 100_000
		entries := []any{}
		_, recursive := c.r.URL.Query()["recursive"]
		truncated := false
		var walk func(oid, prefix string)
		walk = func(oid, prefix string) {
			list, _ := s.v.Tree(oid)
			for _, e := range list {
				if len(entries) >= most {
					truncated = true
					return
				}
				entry := j{"path": prefix + e.Name, "mode": e.Mode, "sha": e.OID}
				if e.Mode == sim.ModeTree {
					entry["mode"], entry["type"], entry["url"] = "040000", "tree", s.repoURL(r)+"/git/trees/"+e.OID
					entries = append(entries, entry)
					if recursive {
						walk(e.OID, prefix+e.Name+"/")
					}
					continue
				}
				blob, _ := s.v.Blob(e.OID)
				entry["type"], entry["size"], entry["url"] = "blob", len(blob), s.repoURL(r)+"/git/blobs/"+e.OID
				entries = append(entries, entry)
			}
		}
		walk(oid, "")
		return http.StatusOK, j{"sha": oid, "url": s.repoURL(r) + "/git/trees/" + oid, "tree": entries, "truncated": truncated}
	})
}

func (c *call) getBlob() {
	if !c.require("contents", "read") {
		return
	}
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		oid := c.r.PathValue("sha")
		blob, ok := s.v.Blob(oid)
		if !ok {
			return 0, nil
		}
		return http.StatusOK, j{
			"sha": oid, "node_id": gitNode("B", r, oid), "size": len(blob), "url": s.repoURL(r) + "/git/blobs/" + oid,
			"content": wrapped(blob), "encoding": "base64",
		}
	})
}

// wrapped is base64 in lines of sixty, as GitHub writes it.
func wrapped(b []byte) string {
	text := base64.StdEncoding.EncodeToString(b)
	var out strings.Builder
	for len(text) > 60 {
		out.WriteString(text[:60] + "\n")
		text = text[60:]
	}
	out.WriteString(text + "\n")
	return out.String()
}

func (c *call) permission() {
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		a := s.v.AccountByLogin(c.r.PathValue("login"))
		if a == nil {
			return 0, nil
		}
		p := s.v.Permission(r, a)
		coarse := map[sim.Permission]string{sim.Triage: "read", sim.Maintain: "write"}[p]
		if coarse == "" {
			coarse = string(p)
		}
		user := s.user(a)
		user["role_name"] = string(p)
		user["permissions"] = j{
			"admin": p.AtLeast(sim.Admin), "maintain": p.AtLeast(sim.Maintain), "push": p.AtLeast(sim.Write),
			"triage": p.AtLeast(sim.Triage), "pull": p.AtLeast(sim.Read),
		}
		return http.StatusOK, j{"permission": coarse, "role_name": string(p), "user": user}
	})
}

// visible answers 404 unless the caller may see the repository and its present
// name was used; for calls that change something.
func (c *call) visible() bool {
	ok, answered := false, false
	c.t.forge.Read(func(v *sim.View) {
		r := v.Repo(c.repoName())
		ok = c.who.sees(v, r) && strings.EqualFold(v.FullName(r), c.repoName())
		answered = ok
	})
	if !answered {
		c.onRepo(func(shaper, *sim.Repo) (int, any) { return 0, nil }) // 301 or 404
	}
	return ok
}

// actor is the account the call acts as.
func (c *call) actor() sim.Actor { return c.t.forge.As(c.who.login) }

// checkBody is what creates or updates a check run.
type checkBody struct {
	Name        *string    `json:"name"`
	HeadSHA     *string    `json:"head_sha"`
	DetailsURL  *string    `json:"details_url"`
	ExternalID  *string    `json:"external_id"`
	Status      *string    `json:"status"`
	StartedAt   *time.Time `json:"started_at"`
	Conclusion  *string    `json:"conclusion"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct {
		Title       *string `json:"title"`
		Summary     *string `json:"summary"`
		Text        *string `json:"text"`
		Annotations []struct {
			Path      string `json:"path"`
			StartLine int    `json:"start_line"`
			EndLine   int    `json:"end_line"`
			Level     string `json:"annotation_level"`
			Message   string `json:"message"`
			Title     string `json:"title"`
		} `json:"annotations"`
	} `json:"output"`
	Actions *[]struct {
		Label       string `json:"label"`
		Description string `json:"description"`
		Identifier  string `json:"identifier"`
	} `json:"actions"`
}

// problem is what GitHub would not take, or "".
func (b checkBody) problem() (field, message string) {
	const mostText, mostAnnotations, mostActions = 65535, 50, 3
	conclusions := []string{"action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"}
	switch {
	case b.Status != nil && !slices.Contains([]string{"queued", "in_progress", "completed", "waiting", "requested", "pending"}, *b.Status):
		return "status", "is not included in the list"
	case b.Conclusion != nil && !slices.Contains(conclusions, *b.Conclusion):
		return "conclusion", "is not included in the list"
	case b.Status != nil && *b.Status == "completed" && b.Conclusion == nil:
		return "conclusion", "is missing, which a completed check run has"
	}
	if o := b.Output; o != nil {
		if o.Summary == nil {
			return "summary", "wasn't supplied"
		}
		for name, text := range map[string]*string{"summary": o.Summary, "text": o.Text} {
			if text != nil && len([]rune(*text)) > mostText {
				return name, "is too long (maximum is 65535 characters)"
			}
		}
		if len(o.Annotations) > mostAnnotations {
			return "annotations", "exceeds a maximum quantity of 50"
		}
		for _, a := range o.Annotations {
			if a.Path == "" || a.StartLine < 1 || a.EndLine < a.StartLine || a.Message == "" || !slices.Contains([]string{"notice", "warning", "failure"}, a.Level) {
				return "annotations", "has one without path, lines, level or message"
			}
		}
	}
	if b.Actions != nil {
		if len(*b.Actions) > mostActions {
			return "actions", "exceeds a maximum quantity of 3"
		}
		for _, a := range *b.Actions {
			if len([]rune(a.Label)) > 20 || len([]rune(a.Identifier)) > 20 || len([]rune(a.Description)) > 40 || a.Label == "" || a.Identifier == "" || a.Description == "" {
				return "actions", "has one with a label, identifier or description that is missing or too long"
			}
		}
	}
	return "", ""
}

// write puts what the body names into a run. Annotations are added to those there.
func (b checkBody) write(run *sim.CheckRun) {
	set := func(into *string, from *string) {
		if from != nil {
			*into = *from
		}
	}
	set(&run.Name, b.Name)
	set(&run.DetailsURL, b.DetailsURL)
	set(&run.ExternalID, b.ExternalID)
	if b.Status != nil {
		run.Status = *b.Status
		if run.Status != "completed" {
			run.Conclusion = ""
		}
	}
	set(&run.Conclusion, b.Conclusion)
	if b.StartedAt != nil {
		run.StartedAt = *b.StartedAt
	}
	if b.CompletedAt != nil {
		run.CompletedAt = *b.CompletedAt
	}
	if o := b.Output; o != nil {
		set(&run.Title, o.Title)
		set(&run.Summary, o.Summary)
		set(&run.Text, o.Text)
		for _, a := range o.Annotations {
			run.Annotations = append(run.Annotations, sim.Annotation{
				Path: a.Path, StartLine: a.StartLine, EndLine: a.EndLine, Level: a.Level, Title: a.Title, Message: a.Message,
			})
		}
	}
	if b.Actions != nil {
		run.Actions = nil
		for _, a := range *b.Actions {
			run.Actions = append(run.Actions, sim.CheckAction{Label: a.Label, Description: a.Description, Identifier: a.Identifier})
		}
	}
}

func (c *call) createCheck() {
	if !c.visible() || !c.require("checks", "write") {
		return
	}
	var b checkBody
	if !c.decode(&b) {
		return
	}
	switch {
	case b.Name == nil || *b.Name == "":
		invalid(c.w, "CheckRun", "name", "missing_field", "name wasn't supplied")
		return
	case b.HeadSHA == nil:
		invalid(c.w, "CheckRun", "head_sha", "missing_field", "head_sha wasn't supplied")
		return
	}
	if field, message := b.problem(); field != "" {
		invalid(c.w, "CheckRun", field, "invalid", message)
		return
	}
	run := sim.CheckRun{SHA: *b.HeadSHA}
	b.write(&run)
	id, err := c.actor().CreateCheck(c.repoName(), run)
	if err != nil {
		refused(c.w, err)
		return
	}
	c.showCheck(id, http.StatusCreated)
}

func (c *call) updateCheck() {
	id, ok := c.number("id")
	if !ok || !c.visible() || !c.require("checks", "write") {
		return
	}
	var b checkBody
	if !c.decode(&b) {
		return
	}
	if field, message := b.problem(); field != "" {
		invalid(c.w, "CheckRun", field, "invalid", message)
		return
	}
	if err := c.actor().UpdateCheck(c.repoName(), id, b.write); err != nil {
		refused(c.w, err)
		return
	}
	c.showCheck(id, http.StatusOK)
}

func (c *call) getCheck() {
	id, ok := c.number("id")
	if ok && c.require("checks", "read") {
		c.showCheck(id, http.StatusOK)
	}
}

func (c *call) showCheck(id int64, status int) {
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		run := s.v.Check(r, id)
		if run == nil {
			return 0, nil
		}
		return status, s.checkRun(r, run)
	})
}

func (c *call) listChecks() {
	if !c.require("checks", "read") {
		return
	}
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		k := s.v.Resolve(r, c.r.PathValue("ref"))
		if k == nil {
			return 0, nil
		}
		name := c.r.URL.Query().Get("check_name")
		var all []*sim.CheckRun
		for _, run := range s.v.NewestChecks(r, k.SHA) {
			if name == "" || run.Name == name {
				all = append(all, run)
			}
		}
		out := []any{}
		for _, run := range page(c, all, 100) {
			out = append(out, s.checkRun(r, run))
		}
		return http.StatusOK, j{"total_count": len(all), "check_runs": out}
	})
}

func (c *call) createStatus() {
	if !c.visible() || !c.require("statuses", "write") {
		return
	}
	var b struct {
		State       string  `json:"state"`
		TargetURL   *string `json:"target_url"`
		Description *string `json:"description"`
		Context     string  `json:"context"`
	}
	if !c.decode(&b) {
		return
	}
	st := sim.Status{State: b.State, Context: b.Context}
	if b.TargetURL != nil {
		st.TargetURL = *b.TargetURL
	}
	if b.Description != nil {
		const most = 140
		if len([]rune(*b.Description)) > most {
			invalid(c.w, "Status", "description", "custom", "description is too long (maximum is 140 characters)")
			return
		}
		st.Description = *b.Description
	}
	id, err := c.actor().SetStatus(c.repoName(), c.r.PathValue("sha"), st)
	if err != nil {
		refused(c.w, err)
		return
	}
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		for _, have := range s.v.NewestStatuses(r, c.r.PathValue("sha")) {
			if have.ID == id {
				return http.StatusCreated, s.status(r, have)
			}
		}
		return 0, nil
	})
}

// mayWrite answers 403 unless the installation may write to this issue or
// change: issues for one, issues or pull requests for the other.
func (c *call) mayWrite(isChange bool) bool {
	if c.who.may("issues", "write") || (isChange && c.who.may("pull_requests", "write")) {
		return true
	}
	return c.require("issues", "write")
}

func (c *call) createComment() {
	n, ok := c.number("n")
	if !ok || !c.visible() {
		return
	}
	is, found := c.t.forge.Issue(c.repoName(), int(n))
	if !found {
		fail(c.w, http.StatusNotFound, "Not Found")
		return
	}
	var b struct {
		Body string `json:"body"`
	}
	if !c.mayWrite(is.Change != nil) || !c.decode(&b) {
		return
	}
	id, err := c.actor().Comment(c.repoName(), int(n), b.Body)
	if err != nil {
		refused(c.w, err)
		return
	}
	c.showComment(id, http.StatusCreated)
}

func (c *call) editComment() {
	id, ok := c.number("id")
	if !ok || !c.visible() {
		return
	}
	var b struct {
		Body string `json:"body"`
	}
	if !c.mayWrite(true) || !c.decode(&b) {
		return
	}
	if err := c.actor().EditComment(c.repoName(), id, b.Body); err != nil {
		refused(c.w, err)
		return
	}
	c.showComment(id, http.StatusOK)
}

func (c *call) showComment(id int64, status int) {
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		k := s.v.Comment(r, id)
		if k == nil {
			return 0, nil
		}
		return status, s.comment(r, r.Issues[k.Number], k)
	})
}

func (c *call) listComments() {
	n, ok := c.number("n")
	if !ok {
		return
	}
	c.onRepo(func(s shaper, r *sim.Repo) (int, any) {
		is := s.v.Standing(r, int(n), sim.PartAll)
		if is == nil {
			return 0, nil
		}
		out := []any{}
		for _, k := range page(c, is.Comments, 100) {
			out = append(out, s.comment(r, is, k))
		}
		return http.StatusOK, out
	})
}

func reactions() []string {
	return []string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}
}

func (c *call) react() { c.reactTo(c.actor().React) }

func (c *call) reactReviewComment() { c.reactTo(c.actor().ReactReviewComment) }

func (c *call) reactTo(do func(repo string, id int64, content string) (sim.Reaction, bool, error)) {
	id, ok := c.number("id")
	if !ok || !c.visible() {
		return
	}
	var b struct {
		Content string `json:"content"`
	}
	if !c.mayWrite(true) || !c.decode(&b) {
		return
	}
	if !slices.Contains(reactions(), b.Content) {
		invalid(c.w, "Reaction", "content", "invalid", "content is not included in the list")
		return
	}
	re, created, err := do(c.repoName(), id, b.Content)
	if err != nil {
		refused(c.w, err)
		return
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	var author any
	c.t.forge.Read(func(v *sim.View) { author = c.t.shaper(v).account(re.Author) })
	answer(c.w, status, j{"id": re.ID, "node_id": nodeID("REA", re.ID), "user": author, "content": re.Content, "created_at": stamp(re.At)})
}
