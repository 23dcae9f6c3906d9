package github

import (
	"strings"

	"primum/rules/fact"
)

func (f *Forge) commentFact(n *commentNode) fact.Comment {
	c := fact.Comment{
		ID: idOf(string(n.FullDatabaseID), n.URL), URL: n.URL, Author: n.Author.person(), Body: n.Body,
		CreatedAt: n.CreatedAt.UTC(), EditedAt: at(n.LastEditedAt), Minimized: n.IsMinimized,
	}
	if c.EditedAt.IsZero() {
		c.First, c.FirstKnown = c.Body, true
	} else {
		c.Editor = n.Editor.person()
	}
	// The token of a person also wrote what that person wrote: such comments
	// are the person's.
	c.Ours = f.ourAccount(c.Author) || n.ViewerDidAuthor && (f.app() || c.Author.Bot)
	return c
}

func (f *Forge) commentFacts(nodes []commentNode) []fact.Comment {
	list := make([]fact.Comment, 0, len(nodes))
	for i := range nodes {
		list = append(list, f.commentFact(&nodes[i]))
	}
	return list
}

// reviewFacts leaves out reviews that are not submitted yet. by finds a review
// in the list by its node id.
func reviewFacts(nodes []reviewNode) (list []fact.Review, by map[string]int) {
	by = map[string]int{}
	for i := range nodes {
		n := &nodes[i]
		state, ok := reviewState(n.State)
		if !ok {
			continue
		}
		r := fact.Review{
			ID: idOf(string(n.FullDatabaseID), n.URL), URL: n.URL, Author: n.Author.person(), State: state, Body: n.Body,
			SubmittedAt: at(n.SubmittedAt), EditedAt: at(n.LastEditedAt),
		}
		if n.Commit != nil {
			r.Commit = n.Commit.Oid
		}
		if r.EditedAt.IsZero() {
			r.First, r.FirstKnown = r.Body, true
		} else {
			r.Editor = n.Editor.person()
		}
		by[n.ID] = len(list)
		list = append(list, r)
	}
	return list, by
}

func threadFact(n *threadNode) fact.Thread {
	t := fact.Thread{Path: n.Path, Line: n.Line, Resolved: n.IsResolved, Outdated: n.IsOutdated}
	if len(n.Comments.Nodes) > 0 {
		first := &n.Comments.Nodes[0]
		t.URL, t.Author = first.URL, first.Author.person()
		line, _, _ := strings.Cut(strings.TrimSpace(first.Body), "\n")
		if runes := []rune(strings.TrimSpace(line)); len(runes) > 120 {
			t.Excerpt = string(runes[:119]) + "…"
		} else {
			t.Excerpt = string(runes)
		}
	}
	return t
}

// checkFacts keeps the newest check per name and source, in the order in which
// they are listed first.
func (f *Forge) checkFacts(nodes []contextNode) []fact.Check {
	list := []fact.Check{}
	place := map[string]int{}
	for i := range nodes {
		c, ok := f.checkFact(&nodes[i])
		if !ok {
			continue
		}
		key := c.Name + "\x00" + c.Source + "\x00" + c.SourceID + "\x00" + nodes[i].Typename
		old, seen := place[key]
		switch {
		case !seen:
			place[key] = len(list)
			list = append(list, c)
		case newer(c, list[old]):
			list[old] = c
		}
	}
	return list
}

func (f *Forge) checkFact(n *contextNode) (fact.Check, bool) {
	switch n.Typename {
	case "CheckRun":
		c := fact.Check{
			Name: n.Name, State: runState(n.Status, n.Conclusion), URL: n.DetailsURL, StartedAt: at(n.StartedAt),
			FinishedAt: at(n.CompletedAt), ExternalID: n.ExternalID,
		}
		if n.DatabaseID > 0 {
			c.ID = decimal(n.DatabaseID)
		} else {
			c.ID = idOf("", n.URL)
		}
		if c.URL == "" {
			c.URL = n.URL
		}
		if n.CheckSuite != nil && n.CheckSuite.App != nil {
			app := n.CheckSuite.App
			c.Source, c.SourceID = app.Slug, decimal(app.DatabaseID)
			// With a plain token the app is GitHub Actions, which reports other
			// people's checks too; ours is the one of our name with our key in it.
			c.Ours = f.ourApp(&application{ID: app.DatabaseID, Slug: app.Slug}) ||
				!f.app() && n.Name == checkName && n.ExternalID != ""
		}
		return c, true
	case "StatusContext":
		who := n.Creator.person()
		c := fact.Check{
			Name: n.Context, State: statusState(n.State), Source: who.Login, SourceID: who.ID, URL: n.TargetURL,
			StartedAt: n.CreatedAt.UTC(), FinishedAt: n.CreatedAt.UTC(), Ours: !f.app() && n.Context == checkName,
		}
		if c.Ours {
			c.ID = statusPostedPrefix + checkName // SetVerdict then posts a status again, and no check beside it
		}
		return c, true
	}
	return fact.Check{}, false
}

// newer compares two checks of one name and source: the one begun later counts;
// numbers grow, so they decide between two of one second.
func newer(a, b fact.Check) bool {
	if !a.StartedAt.Equal(b.StartedAt) {
		return a.StartedAt.After(b.StartedAt)
	}
	if len(a.ID) != len(b.ID) {
		return len(a.ID) > len(b.ID)
	}
	return a.ID > b.ID
}

func (f *Forge) issueFact(n *issueNode) fact.Issue {
	i := fact.Issue{
		Repo: n.Repository.NameWithOwner, Number: n.Number, URL: n.URL, Title: n.Title, Comments: []fact.Comment{},
	}
	if n.Typename == "PullRequest" {
		i.IsChange, i.State = true, stateOf(n.ChangeState)
		return i
	}
	i.Body, i.State, i.Author = n.Body, stateOf(n.IssueState), n.Author.person()
	i.CreatedAt, i.UpdatedAt, i.ClosedAt = n.CreatedAt.UTC(), n.UpdatedAt.UTC(), at(n.ClosedAt)
	i.TextEditedAt, i.TextEditor = at(n.LastEditedAt), n.Editor.person()
	if n.StateReason != nil {
		i.Reason = strings.ToLower(*n.StateReason)
	}
	if n.Milestone != nil {
		i.Milestone = n.Milestone.Title
	}
	i.Labels = labelNames(n.Labels)
	f.addIssueEvents(&i, n.Events)
	if n.Comments != nil {
		i.Comments = f.commentFacts(n.Comments.Nodes)
	}
	return i
}

// addIssueEvents adds who set labels, and counts a new title as an edit of the text.
func (f *Forge) addIssueEvents(i *fact.Issue, events *page[issueEventNode]) {
	if events == nil {
		return
	}
	for _, e := range events.Nodes {
		when := e.CreatedAt.UTC()
		switch e.Typename {
		case "LabeledEvent", "UnlabeledEvent":
			if e.Label != nil {
				i.LabelEvents = append(i.LabelEvents, fact.LabelEvent{
					Label: e.Label.Name, Added: e.Typename == "LabeledEvent", Actor: e.Actor.person(), At: when,
				})
			}
		case "RenamedTitleEvent":
			if when.After(i.TextEditedAt) {
				i.TextEditedAt, i.TextEditor = when, e.Actor.person()
			}
		}
	}
}

func labelNames(labels *page[labelNode]) []string {
	if labels == nil {
		return nil
	}
	var names []string
	for _, l := range labels.Nodes {
		names = append(names, l.Name)
	}
	return names
}

// blobFact is a file as an answer has it. whole is false if GitHub cut the text
// off and the rest must be fetched.
func blobFact(path, commit string, e *entryNode) (b fact.Blob, whole bool) {
	b = fact.Blob{Path: path, Commit: commit}
	switch {
	case e == nil:
		b.Missing = true
	case e.Type != "blob" || e.Object == nil:
		b.Problem = "not a file"
	case e.Object.IsBinary != nil && *e.Object.IsBinary:
		b.OID, b.Problem = e.Object.Oid, "binary"
	case e.Object.IsTruncated || e.Object.Text == nil:
		b.OID = e.Object.Oid
		return b, false
	default:
		b.OID, b.Text = e.Object.Oid, *e.Object.Text
	}
	return b, true
}
