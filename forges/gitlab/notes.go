package gitlab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"primum/rules/fact"
)

// approvalPrefix stands before the account's number in the id of an approval,
// which has none of its own on GitLab: an account has at most one.
const (
	approvalPrefix = "approval-"
	refusalPrefix  = "refusal-"
)

// readWords makes comments, threads and reviews of the notes. Notes GitLab wrote
// itself are no comments; they tell when somebody approved.
func (r *reading) readWords(ctx context.Context) error {
	if r.mr.Notes == nil && r.wantsNotes() {
		for _, n := range []fact.Need{fact.NeedComments, fact.NeedThreads, fact.NeedReviews} {
			if r.needs[n] {
				r.unknown(n, "GitLab does not show the notes of the change")
			}
		}
	}
	inOrder(r.notes)
	if r.needs[fact.NeedComments] {
		r.c.Comments = r.comments(r.notes, onChange, r.ref.Number, r.mr.WebURL)
	}
	if r.needs[fact.NeedThreads] {
		r.c.Threads = r.threads()
	}
	if r.needs[fact.NeedReviews] || r.needs[fact.NeedPatches] {
		return r.readReviews(ctx)
	}
	return nil
}

// inOrder sorts notes oldest first; numbers decide between two of one second.
func inOrder(notes []noteNode) {
	slices.SortStableFunc(notes, func(a, b noteNode) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		x, y := number(a.ID), number(b.ID)
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	})
}

// comments are the notes of people and bots that stand on no line of the diff.
// One in a thread is a comment too: answering a comment makes a thread of it.
func (r *reading) comments(notes []noteNode, on rune, iid int, link string) []fact.Comment {
	list := []fact.Comment{}
	for i := range notes {
		n := &notes[i]
		if n.System || n.Position != nil {
			continue
		}
		list = append(list, r.comment(n, on, iid, link))
	}
	return list
}

func (r *reading) comment(n *noteNode, on rune, iid int, link string) fact.Comment {
	id := number(n.ID)
	c := fact.Comment{
		ID: noteID(on, iid, id), URL: link + "#note_" + id, Author: r.known(n.Author), Body: n.Body, CreatedAt: n.CreatedAt.UTC(),
		EditedAt: at(n.LastEditedAt),
	}
	c.Ours = c.Author.Is(r.self)
	if c.EditedAt.IsZero() {
		c.First, c.FirstKnown = n.Body, true
	} else {
		c.Editor = r.known(n.LastEditedBy)
	}
	return c
}

// threads are the conversations that can be resolved, in the order they began.
func (r *reading) threads() []fact.Thread {
	list := []fact.Thread{}
	seen := map[string]bool{}
	for i := range r.notes {
		n := &r.notes[i]
		if n.System || n.Discussion == nil || !n.Discussion.Resolvable || seen[n.Discussion.ID] {
			continue
		}
		seen[n.Discussion.ID] = true
		t := fact.Thread{
			URL: r.mr.WebURL + "#note_" + number(n.ID), Author: r.known(n.Author), Excerpt: excerpt(n.Body), Resolved: n.Discussion.Resolved,
		}
		if p := n.Position; p != nil {
			t.Path = p.FilePath
			switch {
			case p.NewLine != nil:
				t.Line = *p.NewLine
			case p.OldLine != nil:
				t.Line = *p.OldLine
			}
			// GitLab moves a thread along with its lines, and leaves it where it was
			// once they are gone.
			t.Outdated = p.DiffRefs != nil && p.DiffRefs.HeadSHA != "" && p.DiffRefs.HeadSHA != r.mr.HeadSHA
		}
		list = append(list, t)
	}
	return list
}

// hundred is how many approvers and reviewers one query lists; a change with
// more has other troubles.
const hundred = 100

// readReviews makes a review of every approval, and of every reviewer who asks
// for changes. Our own approval is our verdict and no review.
func (r *reading) readReviews(ctx context.Context) error {
	m := r.mr
	if m.ApprovedBy == nil {
		r.unknown(fact.NeedReviews, "GitLab does not show who approved")
		return nil
	}
	if len(m.ApprovedBy.Nodes) >= hundred {
		r.unknown(fact.NeedReviews, "more than a hundred people approved")
	}
	list := []fact.Review{}
	for i := range m.ApprovedBy.Nodes {
		by := r.known(&m.ApprovedBy.Nodes[i])
		if by.Is(r.self) || !by.Known() {
			continue
		}
		given := r.lastDeed(by, "approved")
		review := fact.Review{
			ID: approvalPrefix + by.ID, URL: m.WebURL, Author: by, State: fact.Approved, SubmittedAt: given, FirstKnown: true,
		}
		var err error
		if review.Commit, err = r.commitOf(ctx, by, given); err != nil {
			return err
		}
		list = append(list, review)
	}
	if m.Reviewers != nil {
		for i := range m.Reviewers.Nodes {
			n := &m.Reviewers.Nodes[i]
			by := r.known(&n.userNode)
			if n.Interaction == nil || !strings.EqualFold(n.Interaction.ReviewState, "REQUESTED_CHANGES") || !by.Known() {
				continue
			}
			list = append(list, fact.Review{
				ID: refusalPrefix + by.ID, URL: m.WebURL, Author: by, State: fact.ChangesRequested,
				SubmittedAt: r.lastDeed(by, "requested_changes"), FirstKnown: true,
			})
		}
	}
	slices.SortStableFunc(list, func(a, b fact.Review) int { return a.SubmittedAt.Compare(b.SubmittedAt) })
	r.c.Reviews = list
	return nil
}

// lastDeed is when somebody last did what GitLab wrote a note of; zero if it
// wrote none.
func (r *reading) lastDeed(by fact.Person, deed string) time.Time {
	var last time.Time
	for i := range r.notes {
		n := &r.notes[i]
		if n.deed() == deed && n.Author.person().Is(by) {
			last = n.CreatedAt.UTC()
		}
	}
	return last
}

// told is an approval as a delivery showed it, with when it came.
type told struct {
	sha string
	at  time.Time
}

// How far a delivery may be from the deed it tells of.
const (
	toldAfter  = 2 * time.Minute
	toldBefore = 5 * time.Second
)

// commitOf is the commit an approval was given on: as a delivery told, or else
// the version of the change that stood then. GitLab tells the second of an
// approval only; where a version came in that very second nothing is proven, and
// the commit stays unknown.
func (r *reading) commitOf(ctx context.Context, by fact.Person, given time.Time) (string, error) {
	if given.IsZero() {
		return "", nil
	}
	key := r.key() + "\x00" + by.ID
	r.Forge.mu.Lock()
	t, ok := r.toldOf[key]
	r.Forge.mu.Unlock()
	if late := t.at.Sub(given); ok && late > -toldBefore && late < toldAfter {
		return t.sha, nil
	}
	kept := key + "\x00" + given.Format(time.RFC3339)
	if sha, ok := r.given.Get(kept); ok {
		return sha, nil
	}
	versions, err := r.readVersions(ctx)
	if err != nil {
		return "", fmt.Errorf("the commit of an approval: %w", err)
	}
	sha := standing(versions, given)
	if sha != "" {
		r.given.Put(kept, sha, 60)
	}
	return sha, nil
}

// standing is the head of the version that stood at a second, or "" if that
// second saw two. versions are newest first.
func standing(versions []version, second time.Time) string {
	if len(versions) == 1 {
		return versions[0].Head
	}
	for i, v := range versions {
		switch came := v.At.UTC().Truncate(time.Second); {
		case came.After(second):
		case came.Equal(second) && i < len(versions)-1: // the one before may still have stood
			return ""
		default:
			return v.Head
		}
	}
	return ""
}
