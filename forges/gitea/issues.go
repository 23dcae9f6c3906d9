package gitea

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"primum/forges"
	"primum/rules/fact"
)

// wanted is an issue the plan names.
type wanted struct {
	repo   string
	number int
}

// closingWords finds an issue behind a word that closes it, as the forge reads
// descriptions: "Closes #12", "fixes: owner/name#12".
var closingWords = regexp.MustCompile(`(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+((?:[\w.-]+/[\w.-]+)?#\d+)\b`)

// closingMost bounds how many issues are read that no plan names.
const closingMost = 50

// readIssues reads the issues the plan names, and those the description closes
// by its words. Which issues a change closes the forge tells on the issues'
// side only: their timelines name the change.
func (r *reading) readIssues(ctx context.Context) error {
	home := r.c.Repo.FullName()
	var want []wanted
	seen := map[string]bool{}
	names := slices.Clone(r.plan.Issues)
	for _, m := range closingWords.FindAllStringSubmatch(r.c.Body, closingMost) {
		names = append(names, m[1])
	}
	planned := 0
	for k, s := range names {
		repo, number, ok := issueRef(s, home)
		key := fmt.Sprintf("%s#%d", strings.ToLower(repo), number)
		if !ok || seen[key] || strings.EqualFold(repo, home) && number == r.ref.Number {
			continue
		}
		seen[key] = true
		want = append(want, wanted{repo, number})
		if k < len(r.plan.Issues) {
			planned++
		}
	}
	issues := make([]fact.Issue, len(want))
	links := make([][]fact.Link, len(want))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, w := range want {
		group.Go(func() (err error) {
			issues[i], links[i], err = r.readIssue(ctx, w)
			if err != nil {
				return fmt.Errorf("issue %s#%d: %w", w.repo, w.number, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range issues {
		if i >= planned && issues[i].Problem != "" {
			continue // words of the description that name nothing
		}
		r.c.Issues = append(r.c.Issues, issues[i])
		r.c.Links = append(r.c.Links, links[i]...)
	}
	return nil
}

func (r *reading) readIssue(ctx context.Context, w wanted) (fact.Issue, []fact.Link, error) {
	problem := func(why string) (fact.Issue, []fact.Link, error) {
		return fact.Issue{Repo: w.repo, Number: w.number, Comments: []fact.Comment{}, Problem: why}, nil, nil
	}
	owner, name, _ := cut(w.repo)
	var n issue
	_, err := r.get(ctx, repoPath(owner, name, "issues", fmt.Sprint(w.number)), nil, &n)
	switch {
	case errors.Is(err, forges.ErrNotFound) && strings.EqualFold(w.repo, r.c.Repo.FullName()):
		return problem("there is no such issue")
	case errors.Is(err, forges.ErrNotFound):
		return problem("there is no such issue, or Primum's account may not see " + w.repo)
	case errors.Is(err, forges.ErrForbidden):
		return problem("Primum may not read it (" + reason(err) + ")")
	case err != nil:
		return fact.Issue{}, nil, err
	}
	i := r.issueFact(&n, w.repo)
	if i.IsChange {
		return i, nil, nil
	}
	entries, err := r.issueTimeline(ctx, owner, name, &n)
	if errors.Is(err, forges.ErrForbidden) {
		return problem("Primum may not read it (" + reason(err) + ")")
	} else if err != nil {
		return i, nil, err
	}
	links := r.takeTimeline(&i, &n, entries)
	if i.State == fact.Open && dependsOnOpen(entries) {
		if i.BlockedBy, err = r.blockedBy(ctx, owner, name, n.Number); err != nil {
			return i, nil, err
		}
	}
	return i, links, nil
}

func (r *reading) issueFact(n *issue, asked string) fact.Issue {
	i := fact.Issue{Repo: n.repo(), Number: n.Number, URL: n.URL, Title: n.Title, Comments: []fact.Comment{}}
	if i.Repo == "" {
		i.Repo = asked
	}
	if n.PullRequest != nil {
		i.IsChange, i.State = true, stateOf(n.State, n.PullRequest.Merged)
		return i
	}
	i.Body, i.State, i.Author = n.Body, stateOf(n.State, false), r.person(n.User)
	if n.OriginalAuthor != "" {
		i.Author = fact.Person{}
	}
	i.CreatedAt, i.UpdatedAt, i.ClosedAt, i.Labels = n.CreatedAt.Time, n.UpdatedAt.Time, n.ClosedAt.Time, names(n.Labels)
	if n.Milestone != nil {
		i.Milestone = n.Milestone.Title
	}
	return i
}

// issueTimeline reads an issue's timeline. The forge leaves entries out of a
// page (references from repositories we may not see) after it was counted, so a
// short page is not always the last: it is taken for it if what was read so far
// accounts for every comment and every label the issue has, and else the next
// page is asked for.
func (r *reading) issueTimeline(ctx context.Context, owner, name string, n *issue) ([]entry, error) {
	var all []entry
	for page := 1; page <= maxPages; page++ {
		got, err := r.timelinePage(ctx, owner, name, n.Number, page)
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
		if len(got) == 0 || len(got) < pageSize && accounts(all, n) {
			return all, nil
		}
	}
	return nil, fmt.Errorf("timeline: more than %d pages", maxPages)
}

// accounts reports whether the entries account for what the issue has.
func accounts(entries []entry, n *issue) bool {
	comments := 0
	labels := map[int64]bool{}
	for i := range entries {
		switch e := &entries[i]; {
		case e.Type == typeComment:
			comments++
		case e.Type == typeLabel && e.Label != nil && e.added():
			labels[e.Label.ID] = true
		case e.Type == typeLabel && e.Label != nil:
			delete(labels, e.Label.ID)
		}
	}
	for _, l := range n.Labels {
		if !labels[l.ID] {
			return false
		}
	}
	return comments >= n.Comments && len(labels) == len(n.Labels)
}

// Types of entries.
const (
	typeComment    = "comment"
	typeLabel      = "label"
	typeTitle      = "change_title"
	typeDependsOn  = "add_dependency"
	typeNoLonger   = "remove_dependency"
	typePullRef    = "pull_ref"
	typeCommentRef = "comment_ref"
)

// added: the body of a label's entry is "1" if it was set.
func (e *entry) added() bool { return e.Body == "1" }

// takeTimeline adds comments, label events and edits to an issue, and gives the
// forge's own link if the change closes it.
func (r *reading) takeTimeline(i *fact.Issue, n *issue, entries []entry) []fact.Link {
	var links []fact.Link
	var last lastEntry
	for k := range entries {
		e := &entries[k]
		if !e.CreatedAt.Before(last.at) {
			last = lastEntry{at: e.CreatedAt.Time, words: e.Type == typeComment}
		}
		switch e.Type {
		case typeComment:
			i.Comments = append(i.Comments, r.commentFact(&e.comment))
		case typeLabel:
			if e.Label != nil { // the label is there still
				i.LabelEvents = append(i.LabelEvents, fact.LabelEvent{
					Label: e.Label.Name, Added: e.added(), Actor: r.person(e.User), At: e.CreatedAt.Time,
				})
			}
		case typeTitle:
			i.TextEditedAt, i.TextEditor = e.CreatedAt.Time, r.person(e.User)
		case typePullRef, typeCommentRef:
			if e.RefAction == "closes" && e.RefIssue != nil && e.RefIssue.Number == r.ref.Number && len(links) == 0 &&
				strings.EqualFold(e.RefIssue.repo(), r.c.Repo.FullName()) {
				links = append(links, fact.Link{Repo: i.Repo, Number: i.Number, Kind: fact.LinkForge, Closes: true, Source: "closing word"})
			}
		}
	}
	if at := textEdited(n, last); at.After(i.TextEditedAt) {
		i.TextEditedAt, i.TextEditor = at, fact.Person{}
		i.TextEditUnsure = !last.before(n)
	}
	return links
}

// lastEntry is when something last happened to an issue that left an entry, and
// whether somebody said something.
type lastEntry struct {
	at    time.Time
	words bool
}

// before reports whether an issue moved on after its last entry: then its text was
// edited, and else it may have been.
func (l lastEntry) before(n *issue) bool { return n.UpdatedAt.After(l.at) }

// textEdited is the latest moment at which the body may have been edited; zero
// if it never was. The forge counts edits but does not say when they were: an
// edit moves the issue's time of change and leaves no entry, so there was none
// after the last entry if that is as late. Of those before it nothing is known
// but that they were earlier. What was said last was said on the text as it is,
// but for an edit within the same second, which a delivery tells.
func textEdited(n *issue, last lastEntry) time.Time {
	switch {
	case n.ContentVersion != nil && *n.ContentVersion == 0:
		return time.Time{}
	case !n.UpdatedAt.After(n.CreatedAt.Time):
		return time.Time{}
	case last.before(n):
		return n.UpdatedAt.Time
	case last.words:
		return last.at.Add(-time.Second)
	}
	return last.at
}

// dependsOnOpen reports whether the issue was bound to another that is open now.
// In which direction its entries do not say, so they are only a reason to ask.
func dependsOnOpen(entries []entry) bool {
	bound := map[int64]bool{}
	for i := range entries {
		if d := entries[i].Dependent; d != nil {
			switch entries[i].Type {
			case typeDependsOn:
				bound[d.ID] = d.State == "open"
			case typeNoLonger:
				delete(bound, d.ID)
			}
		}
	}
	for _, open := range bound {
		if open {
			return true
		}
	}
	return false
}

// blockedBy lists the open issues this one waits for: while there are any, a
// merge does not close it.
func (r *reading) blockedBy(ctx context.Context, owner, name string, number int) ([]string, error) {
	got, err := everyPage[issue](ctx, r.Forge, repoPath(owner, name, "issues", fmt.Sprint(number), "dependencies"), nil)
	if errors.Is(err, forges.ErrNotFound) || errors.Is(err, forges.ErrForbidden) { // switched off, or not for us to see
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("dependencies: %w", err)
	}
	var open []string
	for i := range got {
		if got[i].State == "open" {
			open = append(open, fmt.Sprintf("%s#%d", got[i].repo(), got[i].Number))
		}
	}
	return open, nil
}
