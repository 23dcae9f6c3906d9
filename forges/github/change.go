package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// policyPath is where a repository keeps its policy.
const policyPath = ".primum.yml"

// maxPages bounds how far any list is followed: 100 pages of at least 50.
const maxPages = 100

// reading is one reading of one change, in the making.
type reading struct {
	*Forge
	cl      *client
	ref     forges.ChangeRef
	plan    forges.Plan
	needs   map[fact.Need]bool
	crew    *crew
	planned []plannedIssue
	vars    map[string]any

	pull    *pullNode
	partial []graphError
	c       *fact.Change

	// What pages add to, until all are in.
	commits    []fact.Commit
	reviews    []reviewNode
	dismissals []dismissalNode
	threads    []fact.Thread
	comments   []fact.Comment
	closing    []*issueNode
	contexts   []contextNode
}

// plannedIssue is an issue the plan names, and the alias it is asked under.
type plannedIssue struct {
	repo   string
	number int
	root   string // alias of its repository; "" for the change's own
	alias  string
}

// ReadChange implements forges.Forge. A reading of which everything was seen
// before but the change itself is one call.
func (f *Forge) ReadChange(ctx context.Context, ref forges.ChangeRef, plan forges.Plan) (*fact.Change, error) {
	cl, err := f.client(ctx, ref.Repo)
	if err == nil {
		r := &reading{Forge: f, cl: cl, ref: ref, plan: plan, needs: map[fact.Need]bool{}}
		for _, n := range plan.Needs {
			r.needs[n] = true
		}
		err = r.read(wire.Operation(ctx, "read_change"))
		if err == nil {
			return r.c, nil
		}
	}
	return nil, fmt.Errorf("read change %d of %s: %w", ref.Number, ref.Repo.FullName(), err)
}

func (r *reading) read(ctx context.Context) error {
	r.crew = r.who(r.ref.Repo.Owner, r.principals())
	root, err := r.first(ctx)
	if err != nil {
		return err
	}
	err = r.following(ctx, root)
	if errors.Is(err, forges.ErrNotFound) { // the change is there: a part of it went between two calls
		return fmt.Errorf("%w: %s", forges.ErrConflict, err.Error())
	}
	return err
}

// following reads what the first answer did not hold.
func (r *reading) following(ctx context.Context, root *open[changeAnswer]) error {
	if err := r.rest(ctx); err != nil {
		return err
	}
	if err := r.checksOfHead(ctx); err != nil {
		return err
	}
	if err := r.manyCommits(ctx); err != nil {
		return err
	}
	r.settle()
	if err := r.readIssues(ctx, root); err != nil {
		return err
	}
	if err := r.readFiles(ctx); err != nil {
		return err
	}
	if err := r.readBlobs(ctx); err != nil {
		return err
	}
	if err := r.readPatches(ctx); err != nil {
		return err
	}
	r.c.ReadAt = r.Now()
	return nil
}

func (r *reading) principals() []string {
	if !r.needs[fact.NeedPeople] {
		return nil
	}
	return r.plan.Principals
}

// first asks for the whole change and takes everything that fits one answer.
func (r *reading) first(ctx context.Context) (*open[changeAnswer], error) {
	text := r.compose()
	r.vars = map[string]any{
		"owner": r.ref.Repo.Owner, "name": r.ref.Repo.Name, "number": r.ref.Number, "policy": policyPath, "core": true,
		"files":      r.needs[fact.NeedFiles] || r.needs[fact.NeedDiffs],
		"commits":    r.needs[fact.NeedCommits],
		"reviews":    r.needs[fact.NeedReviews] || r.needs[fact.NeedPatches],
		"dismissals": r.needs[fact.NeedReviews],
		"threads":    r.needs[fact.NeedThreads],
		"checks":     r.needs[fact.NeedChecks],
		"comments":   r.needs[fact.NeedComments],
		"issues":     r.needs[fact.NeedIssues],
	}
	var root open[changeAnswer]
	partial, err := r.cl.query(ctx, text, r.vars, &root)
	if err != nil {
		return nil, err
	}
	repo := root.is.Repository
	if repo == nil || repo.is.PullRequest == nil {
		return nil, gone(partial)
	}
	if id, err := strconv.ParseInt(r.ref.Repo.ID, 10, 64); err == nil && id != repo.is.DatabaseID {
		return nil, fmt.Errorf("the name is another repository's now: %w", forges.ErrNotFound)
	}
	r.pull, r.partial = repo.is.PullRequest, partial
	r.c = r.core(&repo.is)
	r.markPartial(partial)
	r.take(r.pull)

	users := map[string]*open[actorNode]{}
	for i := range r.crew.asking {
		alias := fmt.Sprintf("u%d", i)
		var u open[actorNode]
		if ok, err := root.alias(alias, &u); err != nil {
			return nil, err
		} else if ok {
			users[alias] = &u
		}
	}
	if r.needs[fact.NeedPeople] {
		if err := r.resolve(ctx, r.cl, r.crew, users, &repo.is.Owner, partial); err != nil {
			return nil, err
		}
		r.c.People = r.crew.known
	}
	return &root, nil
}

// gone says why there is no change in the answer.
func gone(partial []graphError) error {
	for _, e := range partial {
		if e.at(0) == "repository" && (e.at(1) == "" || e.at(1) == "pullRequest") {
			if err := graphMeaning(e.Type); err != nil {
				return fmt.Errorf("%s: %w", e.words(), err)
			}
		}
	}
	return forges.ErrNotFound
}

// compose fills in what the plan names; change.graphql says where.
func (r *reading) compose() string {
	root, owner := r.crew.lines()
	var repo, base []string
	fragments := fragmentsText
	if len(owner) > 0 {
		fragments += membersText
	}
	if r.needs[fact.NeedIssues] {
		more, here := r.planIssues()
		root, repo = append(root, more...), here
		if len(r.planned) > 0 {
			fragments += anyIssueText
		}
	}
	if r.needs[fact.NeedBaseFiles] {
		for i, path := range r.plan.Files {
			base = append(base, fmt.Sprintf("f%d: file(path: %s) { ...entry }", i, quoted(path)))
		}
	}
	return fill(changeText, map[string][]string{"#+root": root, "#+repo": repo, "#+owner": owner, "#+base": base}) + fragments
}

// fill puts lines in the place of a text's marker lines.
func fill(text string, lines map[string][]string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		mark := strings.TrimSpace(line)
		if more, ok := lines[mark]; ok {
			for _, l := range more {
				b.WriteString(l)
				b.WriteByte('\n')
			}
			continue
		}
		if !strings.HasPrefix(mark, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// planIssues asks for each issue the plan names, once.
func (r *reading) planIssues() (root, here []string) {
	home := r.ref.Repo.FullName()
	seen := map[string]bool{}
	foreign := map[string]int{}
	inside := [][]string{}
	for _, s := range r.plan.Issues {
		repo, number, ok := issueRef(s, home)
		key := fmt.Sprintf("%s#%d", strings.ToLower(repo), number)
		if !ok || seen[key] || strings.EqualFold(repo, home) && number == r.ref.Number {
			continue
		}
		seen[key] = true
		p := plannedIssue{repo: repo, number: number, alias: fmt.Sprintf("i%d", len(r.planned))}
		line := fmt.Sprintf("%s: issueOrPullRequest(number: %d) { ...anyIssue }", p.alias, number)
		if strings.EqualFold(repo, home) {
			here = append(here, line)
		} else {
			n, known := foreign[strings.ToLower(repo)]
			if !known {
				n = len(inside)
				foreign[strings.ToLower(repo)] = n
				owner, name, _ := cut(repo)
				inside = append(inside, []string{fmt.Sprintf("r%d: repository(owner: %s, name: %s) {", n, quoted(owner), quoted(name))})
			}
			p.root = fmt.Sprintf("r%d", n)
			inside[n] = append(inside[n], line)
		}
		r.planned = append(r.planned, p)
	}
	for _, lines := range inside {
		root = append(append(root, lines...), "}")
	}
	return root, here
}

// core is what is read of every change.
func (r *reading) core(repo *repoNode) *fact.Change {
	p := repo.PullRequest
	c := &fact.Change{
		Forge: r.Key(),
		Repo: fact.Repo{
			ID: decimal(repo.DatabaseID), Owner: repo.Owner.is.Login, Name: repo.Name, Private: repo.IsPrivate, URL: repo.URL,
		},
		Number: p.Number, URL: p.URL, Title: p.Title, Body: p.Body, State: stateOf(p.State), Draft: p.IsDraft,
		Opener: p.Author.person(), Labels: labelNames(p.Labels), CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(),
		MergedAt: at(p.MergedAt),
		Head:     fact.Ref{Name: p.HeadRefName, SHA: p.HeadRefOid},
		Base:     fact.Ref{Name: p.BaseRefName, SHA: p.BaseRefOid},
	}
	c.Base.Repo = c.Repo.FullName()
	if p.HeadRepository != nil {
		c.Head.Repo = p.HeadRepository.NameWithOwner
	}
	if repo.Default != nil {
		c.Repo.DefaultBranch = repo.Default.Name
	}
	if p.MergeCommit != nil {
		c.MergedSHA = p.MergeCommit.Oid
	}
	c.Policy = fact.Blob{Path: policyPath}
	return c
}

// parts says which need an error in a part of the answer spoils.
func parts(field string) []fact.Need {
	switch field {
	case "files":
		return []fact.Need{fact.NeedFiles, fact.NeedDiffs}
	case "commits":
		return []fact.Need{fact.NeedCommits}
	case "reviews":
		return []fact.Need{fact.NeedReviews, fact.NeedPatches}
	case "timelineItems":
		return []fact.Need{fact.NeedReviews}
	case "reviewThreads":
		return []fact.Need{fact.NeedThreads}
	case "last":
		return []fact.Need{fact.NeedChecks}
	case "comments":
		return []fact.Need{fact.NeedComments}
	case "baseRef":
		return []fact.Need{fact.NeedPolicy, fact.NeedBaseFiles}
	case "headPolicy":
		return []fact.Need{fact.NeedPolicy}
	}
	return nil
}

// markPartial turns what was refused into what is unknown. Linked issues and
// people keep their own reasons; a file that is "not found" is simply missing.
func (r *reading) markPartial(partial []graphError) {
	for _, e := range partial {
		if e.at(0) != "repository" || e.at(1) != "pullRequest" {
			continue
		}
		last := e.at(len(e.Path) - 1)
		if e.Type == "NOT_FOUND" && (last == "file" || strings.HasPrefix(last, "f")) && (e.at(2) == "baseRef" || e.at(2) == "headPolicy") {
			continue
		}
		for _, need := range parts(e.at(2)) {
			r.c.MarkUnknown(need, "GitHub refuses it: "+e.words())
		}
	}
}

// take adds one answer's lists to what was read.
func (r *reading) take(p *pullNode) {
	if p.Commits != nil {
		for i := range p.Commits.Nodes {
			n := &p.Commits.Nodes[i].Commit
			if n.Authors != nil && n.Authors.PageInfo.HasNextPage {
				r.c.MarkUnknown(fact.NeedCommits, fmt.Sprintf("commit %s names more than ten authors", wire.Short(n.Oid, 8)))
			}
			r.commits = append(r.commits, n.fact())
		}
	}
	if p.Reviews != nil {
		r.reviews = append(r.reviews, p.Reviews.Nodes...)
	}
	if p.Dismissals != nil {
		r.dismissals = append(r.dismissals, p.Dismissals.Nodes...)
	}
	if p.Threads != nil {
		for i := range p.Threads.Nodes {
			r.threads = append(r.threads, threadFact(&p.Threads.Nodes[i]))
		}
	}
	if p.Comments != nil {
		r.comments = append(r.comments, r.commentFacts(p.Comments.Nodes)...)
	}
	if p.Closing != nil {
		r.closing = append(r.closing, p.Closing.Nodes...)
	}
	if p.Last != nil && len(p.Last.Nodes) > 0 && p.Last.Nodes[0].Commit.Oid == r.pull.HeadRefOid {
		if rollup := p.Last.Nodes[0].Commit.Rollup; rollup != nil && rollup.Contexts != nil {
			r.contexts = append(r.contexts, rollup.Contexts.Nodes...)
		}
	}
}

// rest follows the lists with more pages, all of them in one call per round.
func (r *reading) rest(ctx context.Context) error {
	p := r.pull
	for range maxPages {
		more := map[string]string{}
		note := func(name string, info pageInfo) {
			if info.HasNextPage {
				more[name] = info.EndCursor
			}
		}
		if p.Commits != nil {
			note("commits", p.Commits.PageInfo)
		}
		if p.Reviews != nil {
			note("reviews", p.Reviews.PageInfo)
		}
		if p.Dismissals != nil {
			note("dismissals", p.Dismissals.PageInfo)
		}
		if p.Threads != nil {
			note("threads", p.Threads.PageInfo)
		}
		if p.Comments != nil {
			note("comments", p.Comments.PageInfo)
		}
		if p.Closing != nil {
			note("issues", p.Closing.PageInfo)
		}
		if p.Last != nil && len(p.Last.Nodes) > 0 && p.Last.Nodes[0].Commit.Oid == r.pull.HeadRefOid {
			if rollup := p.Last.Nodes[0].Commit.Rollup; rollup != nil && rollup.Contexts != nil {
				note("checks", rollup.Contexts.PageInfo)
			}
		}
		if len(more) == 0 {
			return nil
		}
		next, err := r.nextPage(ctx, more)
		if err != nil {
			return err
		}
		p = next
	}
	return fmt.Errorf("more than %d pages of one list", maxPages)
}

func (r *reading) nextPage(ctx context.Context, more map[string]string) (*pullNode, error) {
	vars := map[string]any{
		"owner": r.ref.Repo.Owner, "name": r.ref.Repo.Name, "number": r.ref.Number, "policy": policyPath, "core": false, "files": false,
	}
	for _, name := range []string{"commits", "reviews", "dismissals", "threads", "checks", "comments", "issues"} {
		cursor, wanted := more[name]
		vars[name] = wanted
		if wanted {
			vars[name+"After"] = cursor
		}
	}
	var answer changeAnswer
	partial, err := r.cl.query(ctx, fill(changeText, nil)+fragmentsText, vars, &answer)
	if err != nil {
		return nil, err
	}
	if answer.Repository == nil || answer.Repository.is.PullRequest == nil {
		return nil, gone(partial)
	}
	p := answer.Repository.is.PullRequest
	if p.HeadRefOid != r.pull.HeadRefOid {
		return nil, fmt.Errorf("the head moved between two pages: %w", forges.ErrConflict)
	}
	r.markPartial(partial)
	r.partial = append(r.partial, partial...)
	r.take(p)
	return p, nil
}

// settle puts the whole lists into the change.
func (r *reading) settle() {
	c := r.c
	if r.needs[fact.NeedCommits] {
		c.Commits = r.commits
	}
	if r.vars["reviews"] == true {
		var by map[string]int
		c.Reviews, by = reviewFacts(r.reviews)
		for _, d := range r.dismissals {
			if d.Review == nil {
				continue
			}
			if i, ok := by[d.Review.ID]; ok {
				c.Reviews[i].DismissedBy, c.Reviews[i].DismissedAt = d.Actor.person(), d.CreatedAt.UTC()
			}
		}
	}
	c.Threads, c.Comments = r.threads, r.comments
	if r.needs[fact.NeedChecks] {
		c.Checks = r.checkFacts(r.contexts)
	}
}

// readIssues gathers the issues the forge links and those the plan names.
func (r *reading) readIssues(ctx context.Context, root *open[changeAnswer]) error {
	if !r.needs[fact.NeedIssues] {
		return nil
	}
	seen := map[string]bool{}
	add := func(n *issueNode) error {
		key := fmt.Sprintf("%s#%d", strings.ToLower(n.Repository.NameWithOwner), n.Number)
		if seen[key] {
			return nil
		}
		seen[key] = true
		i, err := r.wholeIssue(ctx, n)
		if err != nil {
			return err
		}
		r.c.Issues = append(r.c.Issues, i)
		return nil
	}
	for _, n := range r.closing {
		if n == nil { // in a repository we may not see; the forge does not even tell its number
			r.c.Issues = append(r.c.Issues, fact.Issue{
				Comments: []fact.Comment{}, Problem: "the forge links an issue that Primum may not read",
			})
			continue
		}
		r.c.Links = append(r.c.Links, fact.Link{
			Repo: n.Repository.NameWithOwner, Number: n.Number, Kind: fact.LinkForge, Closes: true, Source: "development panel",
		})
		if err := add(n); err != nil {
			return err
		}
	}
	for _, p := range r.planned {
		n, problem, err := r.plannedNode(root, p)
		if err != nil {
			return err
		}
		if problem != "" {
			r.c.Issues = append(r.c.Issues, fact.Issue{Repo: p.repo, Number: p.number, Comments: []fact.Comment{}, Problem: problem})
			continue
		}
		if err := add(n); err != nil {
			return err
		}
	}
	return nil
}

// plannedNode finds the answer to one alias, or why there is none.
func (r *reading) plannedNode(root *open[changeAnswer], p plannedIssue) (*issueNode, string, error) {
	holder := root.is.Repository.more
	where := "repository"
	if p.root != "" {
		where = p.root
		var repo map[string]json.RawMessage
		if _, err := root.alias(p.root, &repo); err != nil {
			return nil, "", err
		}
		holder = repo
	}
	if raw, ok := holder[p.alias]; ok && string(raw) != "null" {
		n := &issueNode{}
		return n, "", json.Unmarshal(raw, n)
	}
	for _, e := range r.partial {
		if e.at(0) == where && (e.at(1) == p.alias || e.at(1) == "") && e.Type != "NOT_FOUND" {
			return nil, "Primum may not read it (" + e.words() + ")", nil
		}
	}
	if p.root != "" && holder == nil {
		return nil, fmt.Sprintf("there is no repository %s, or Primum is not installed on it", p.repo), nil
	}
	return nil, "there is no such issue", nil
}

// wholeIssue follows the comments and events of an issue with more than one page.
func (r *reading) wholeIssue(ctx context.Context, n *issueNode) (fact.Issue, error) {
	i := r.issueFact(n)
	owner, name, _ := cut(n.Repository.NameWithOwner)
	vars := map[string]any{"owner": owner, "name": name, "number": n.Number}
	comments, events := n.Comments, n.Events
	for range maxPages {
		moreComments := comments != nil && comments.PageInfo.HasNextPage
		moreEvents := events != nil && events.PageInfo.HasNextPage
		if !moreComments && !moreEvents {
			return i, nil
		}
		if comments != nil && comments.PageInfo.EndCursor != "" {
			vars["issueCommentsAfter"] = comments.PageInfo.EndCursor
		}
		if events != nil && events.PageInfo.EndCursor != "" {
			vars["issueEventsAfter"] = events.PageInfo.EndCursor
		}
		var answer struct {
			Repository *struct {
				Issue *issueNode `json:"issue"`
			} `json:"repository"`
		}
		if _, err := r.cl.query(ctx, fill(issueText, nil)+fragmentsText, vars, &answer); err != nil {
			return i, fmt.Errorf("issue %d: %w", n.Number, err)
		}
		if answer.Repository == nil || answer.Repository.Issue == nil {
			return i, fmt.Errorf("issue %d: %w", n.Number, forges.ErrConflict)
		}
		next := answer.Repository.Issue
		if moreComments && next.Comments != nil {
			i.Comments = append(i.Comments, r.commentFacts(next.Comments.Nodes)...)
			comments = next.Comments
		}
		if moreEvents && next.Events != nil {
			r.addIssueEvents(&i, next.Events)
			events = next.Events
		}
	}
	return i, fmt.Errorf("issue %d: more than %d pages", n.Number, maxPages)
}

// checksOfHead reads checks and head policy by commit where the last commit
// listed is not the head: GitHub lists at most 250 commits of a change.
func (r *reading) checksOfHead(ctx context.Context) error {
	head := r.pull.HeadRefOid
	policyAt := r.headNode()
	listed := r.pull.Last != nil && len(r.pull.Last.Nodes) > 0 && r.pull.Last.Nodes[0].Commit.Oid == head
	if (!r.needs[fact.NeedChecks] || listed) && policyAt != nil {
		return nil
	}
	if !forges.IsCommit(head) {
		r.c.MarkUnknown(fact.NeedChecks, "the forge names no head commit")
		return nil
	}
	text := fill(checksText, nil) + fragment(changeText, "entry") + fragment(changeText, "contexts") + fragment(fragmentsText, "actor")
	vars := map[string]any{"owner": r.ref.Repo.Owner, "name": r.ref.Repo.Name, "oid": head, "policy": policyPath}
	r.contexts = nil
	for range maxPages {
		var answer struct {
			Repository *struct {
				Object *headNode `json:"object"`
			} `json:"repository"`
		}
		partial, err := r.cl.query(ctx, text, vars, &answer)
		if err != nil {
			return err
		}
		if len(partial) > 0 {
			r.c.MarkUnknown(fact.NeedChecks, "GitHub refuses it: "+partial[0].words())
		}
		if answer.Repository == nil || answer.Repository.Object == nil {
			r.c.MarkUnknown(fact.NeedChecks, "GitHub does not find the head commit")
			return nil
		}
		n := answer.Repository.Object
		r.pull.HeadPolicy = nodeOf(*n)
		if n.Rollup == nil || n.Rollup.Contexts == nil {
			return nil
		}
		r.contexts = append(r.contexts, n.Rollup.Contexts.Nodes...)
		if !n.Rollup.Contexts.PageInfo.HasNextPage {
			return nil
		}
		vars["checksAfter"] = n.Rollup.Contexts.PageInfo.EndCursor
	}
	return fmt.Errorf("checks: more than %d pages", maxPages)
}

// headNode is the head commit with the policy file on it, if the answer has it.
func (r *reading) headNode() *headNode {
	if p := r.pull.HeadPolicy; p != nil && len(p.Nodes) > 0 && p.Nodes[0].Commit.Oid == r.pull.HeadRefOid {
		return &p.Nodes[0].Commit
	}
	return nil
}

// touchesPolicy reports whether the change edits, adds or removes its policy.
func (r *reading) touchesPolicy() bool {
	return slices.ContainsFunc(r.c.Files, func(f fact.File) bool { return f.Path == policyPath || f.Previous == policyPath })
}
