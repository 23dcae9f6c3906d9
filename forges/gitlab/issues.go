package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// issuesAtOnce is how many issues one query asks for.
const issuesAtOnce = 50

// closingIssue is an issue GitLab will close with the change.
type closingIssue struct {
	IID        int `json:"iid"`
	References struct {
		Full string `json:"full"`
	} `json:"references"`
	Title string `json:"title"`
}

// readClosing asks which issues GitLab will close: GraphQL does not tell.
func (r *reading) readClosing(ctx context.Context) error {
	if !r.needs[fact.NeedIssues] {
		return nil
	}
	list, err := all[closingIssue](wire.Operation(ctx, "read_links"), r.Forge, r.changePath()+"/closes_issues", nil)
	if errors.Is(err, forges.ErrForbidden) {
		r.unknown(fact.NeedIssues, "GitLab refuses to tell which issues the change closes: "+err.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("issues it closes: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closing = list
	return nil
}

// issueName is an issue as we write it.
type issueName struct {
	repo string
	iid  int
}

func (n issueName) key() string { return issueKey(n.repo, decimal(n.iid)) }

// planned are the issues the plan names, each once.
func (r *reading) planned() []issueName {
	var out []issueName
	seen := map[string]bool{}
	for _, s := range r.plan.Issues {
		repo, iid, ok := issueRef(s, r.ref.Repo.FullName())
		n := issueName{repo, iid}
		if strings.EqualFold(repo, r.ref.Repo.FullName()) {
			n.repo = r.path
		}
		if !ok || seen[n.key()] {
			continue
		}
		seen[n.key()] = true
		out = append(out, n)
	}
	return out
}

// readLabels asks who set the labels of the planned issues: GraphQL tells of
// labels only which stand there.
func (r *reading) readLabels(ctx context.Context) error {
	if !r.needs[fact.NeedIssues] {
		return nil
	}
	var there []issueName
	for _, n := range r.planned() {
		if r.issues[n.key()] != nil {
			there = append(there, n)
		}
	}
	return r.labelEvents(ctx, there)
}

func (r *reading) labelEvents(ctx context.Context, list []issueName) error {
	group, ctx := errgroup.WithContext(wire.Operation(ctx, "read_labels"))
	group.SetLimit(4)
	for _, n := range list {
		group.Go(func() error {
			events, err := r.labelsOf(ctx, n)
			if err != nil {
				return fmt.Errorf("labels of %s#%d: %w", n.repo, n.iid, err)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.labels[n.key()] = events
			return nil
		})
	}
	return group.Wait()
}

func (r *reading) labelsOf(ctx context.Context, n issueName) ([]fact.LabelEvent, error) {
	type event struct {
		ID    int64     `json:"id"`
		User  *account  `json:"user"`
		At    time.Time `json:"created_at"`
		Label *struct {
			Name string `json:"name"`
		} `json:"label"`
		Action string `json:"action"`
	}
	owner, name := cut(n.repo)
	repo := forges.RepoRef{Owner: owner, Name: name}
	if strings.EqualFold(n.repo, r.path) {
		repo.ID = r.pid
	}
	list, err := all[event](ctx, r.Forge, fmt.Sprintf("%s/issues/%d/resource_label_events", restPath(repo), n.iid), nil)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(a, b event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	var out []fact.LabelEvent
	for _, e := range list {
		if e.Label == nil { // deleted everywhere since
			continue
		}
		by := e.User.person()
		by.Bot = by.Bot || by.Is(r.self)
		out = append(out, fact.LabelEvent{Label: e.Label.Name, Added: e.Action == "add", Actor: by, At: e.At.UTC()})
	}
	return out, nil
}

// readIssues gathers the issues GitLab links and those the plan names, and asks
// for those the first query did not bring.
func (r *reading) readIssues(ctx context.Context) error {
	if !r.needs[fact.NeedIssues] {
		return nil
	}
	var names []issueName
	seen := map[string]bool{}
	for _, c := range r.closing {
		repo, iid, ok := issueRef(c.References.Full, r.path)
		if !ok { // of a tracker elsewhere
			continue
		}
		n := issueName{repo, iid}
		if seen[n.key()] {
			continue
		}
		seen[n.key()] = true
		names = append(names, n)
		r.c.Links = append(r.c.Links, fact.Link{Repo: repo, Number: iid, Kind: fact.LinkForge, Closes: true, Source: "issues GitLab will close"})
	}
	slices.SortStableFunc(names, func(a, b issueName) int { return cmp.Compare(a.iid, b.iid) })
	slices.SortStableFunc(r.c.Links, func(a, b fact.Link) int { return cmp.Compare(a.Number, b.Number) })
	for _, n := range r.planned() {
		if !seen[n.key()] {
			seen[n.key()] = true
			names = append(names, n)
		}
	}
	problems, err := r.fetchIssues(ctx, names)
	if err != nil {
		return err
	}
	r.c.Issues = []fact.Issue{}
	for _, n := range names {
		node := r.issues[n.key()]
		if node == nil {
			why := problems[n.key()]
			if why == "" {
				why = "there is no such issue, or Primum may not see it"
			}
			r.c.Issues = append(r.c.Issues, fact.Issue{Repo: n.repo, Number: n.iid, Comments: []fact.Comment{}, Problem: why})
			continue
		}
		i, err := r.issue(ctx, n, node)
		if err != nil {
			return err
		}
		r.c.Issues = append(r.c.Issues, i)
	}
	return nil
}

// fetchIssues asks for the issues that are not there yet, project by project.
func (r *reading) fetchIssues(ctx context.Context, names []issueName) (problems map[string]string, err error) {
	problems = map[string]string{}
	asked := map[string]bool{}
	for _, iid := range r.ownIssues() {
		asked[issueKey(r.path, iid)] = true
	}
	by := map[string][]issueName{}
	var order []string
	for _, n := range names {
		if r.issues[n.key()] != nil || asked[n.key()] {
			continue
		}
		repo := strings.ToLower(n.repo)
		if by[repo] == nil {
			order = append(order, repo)
		}
		by[repo] = append(by[repo], n)
	}
	var fresh []issueName
	for _, repo := range order {
		for part := range slices.Chunk(by[repo], issuesAtOnce) {
			var iids []string
			for _, n := range part {
				iids = append(iids, decimal(n.iid))
			}
			var answer issuesAnswer
			vars := map[string]any{"path": part[0].repo, "iids": iids, "after": nil}
			if err := r.query(wire.Operation(ctx, "read_issues"), issuesText, vars, &answer); err != nil {
				return nil, fmt.Errorf("issues of %s: %w", part[0].repo, err)
			}
			if answer.Project == nil || answer.Project.Issues == nil {
				for _, n := range part {
					problems[n.key()] = "there is no project " + n.repo + ", or Primum may not see it"
				}
				continue
			}
			for i := range answer.Project.Issues.Nodes {
				node := &answer.Project.Issues.Nodes[i]
				r.issues[issueKey(part[0].repo, node.IID)] = node
			}
			for _, n := range part {
				if r.issues[n.key()] != nil {
					fresh = append(fresh, n)
				}
			}
		}
	}
	return problems, r.labelEvents(ctx, fresh)
}

// issue is an issue with all its comments. Who edited its text stands in the
// notes GitLab writes about that.
func (r *reading) issue(ctx context.Context, name issueName, n *issueNode) (fact.Issue, error) {
	notes, err := r.notesOf(ctx, name, n)
	if err != nil {
		return fact.Issue{}, err
	}
	inOrder(notes)
	i := fact.Issue{
		Repo: name.repo, Number: name.iid, URL: n.WebURL, Title: n.Title, Body: word(n.Description), State: issueState(n.State),
		Author: r.known(n.Author), Type: kindOfIssue(word(n.Type)), CreatedAt: n.CreatedAt.UTC(), UpdatedAt: n.UpdatedAt.UTC(),
		ClosedAt: at(n.ClosedAt), Labels: titles(n.Labels), LabelEvents: r.labels[name.key()],
		Comments: r.comments(notes, onIssue, name.iid, n.WebURL),
	}
	if n.Milestone != nil {
		i.Milestone = n.Milestone.Title
	}
	for j := range notes {
		switch note := &notes[j]; note.deed() {
		case "title", "description", "task": // an edit that also ticks a task is told as a task
			i.TextEditedAt, i.TextEditor = note.CreatedAt.UTC(), r.known(note.Author)
		}
	}
	return i, nil
}

// notesOf follows the notes of an issue to their end.
func (r *reading) notesOf(ctx context.Context, name issueName, n *issueNode) ([]noteNode, error) {
	if n.Notes == nil {
		r.unknown(fact.NeedIssues, fmt.Sprintf("the comments of %s#%d may not be read", name.repo, name.iid))
		return nil, nil
	}
	notes := slices.Clone(n.Notes.Nodes)
	cursor := n.Notes.next()
	for range maxPages {
		if cursor == "" {
			return notes, nil
		}
		var answer issuesAnswer
		vars := map[string]any{"path": name.repo, "iids": []string{n.IID}, "after": cursor}
		if err := r.query(wire.Operation(ctx, "read_notes"), issuesText, vars, &answer); err != nil {
			return nil, fmt.Errorf("comments of %s#%d: %w", name.repo, name.iid, err)
		}
		if answer.Project == nil || answer.Project.Issues == nil || len(answer.Project.Issues.Nodes) != 1 || answer.Project.Issues.Nodes[0].Notes == nil {
			return nil, fmt.Errorf("comments of %s#%d: %w", name.repo, name.iid, forges.ErrConflict)
		}
		more := answer.Project.Issues.Nodes[0].Notes
		notes = append(notes, more.Nodes...)
		cursor = more.next()
	}
	return nil, fmt.Errorf("comments of %s#%d: more than %d pages", name.repo, name.iid, maxPages)
}
