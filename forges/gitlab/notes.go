package gitlab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"primum/forges/wire"
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
		g, err := r.grantOf(ctx, by, r.lastDeed(by, "approved"))
		if err != nil {
			return err
		}
		list = append(list, fact.Review{
			ID: approvalPrefix + by.ID, URL: m.WebURL, Author: by, State: fact.Approved, SubmittedAt: g.at, Commit: g.sha, FirstKnown: true,
		})
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

// granted is when an approval was given, and the commit it counts for.
type granted struct {
	at  time.Time
	sha string
}

// noteLag is how much later than an approval GitLab may write its note: it is
// work of low urgency, which it means to begin within a minute.
const noteLag = time.Minute

// grantOf finds out when an approval was given, and on which commit: GitLab keeps
// the time alone, and only later versions of it tell that. Its note and its
// delivery are both made after the approval, by workers, so that a push in
// between stands before the note and in the delivery: neither is proof. noted is
// the time of the note, by which the answer is kept; zero if there is none yet.
func (r *reading) grantOf(ctx context.Context, by fact.Person, noted time.Time) (granted, error) {
	kept := r.key() + "\x00" + by.ID + "\x00" + noted.Format(time.RFC3339)
	if g, ok := r.given.Get(kept); ok && !noted.IsZero() {
		return g, nil
	}
	exact, err := r.approvedAt(ctx, by)
	if err != nil {
		return granted{}, fmt.Errorf("the time of an approval: %w", err)
	}
	versions, err := r.readVersions(ctx)
	if err != nil {
		return granted{}, fmt.Errorf("the commit of an approval: %w", err)
	}
	g := granted{exact, standing(versions, exact)}
	if exact.IsZero() {
		g = granted{noted, standing(versions, noted.Add(-noteLag))}
	}
	if !noted.Before(exact.Truncate(time.Second)) { // else the note is of an approval before
		r.given.Put(kept, g, 90)
	}
	return g, nil
}

// approvedAt is when somebody approved, zero where GitLab does not tell. It is
// asked for once a reading.
func (r *reading) approvedAt(ctx context.Context, by fact.Person) (time.Time, error) {
	if r.approved == nil {
		var a struct {
			By []struct {
				User *account   `json:"user"`
				At   *time.Time `json:"approved_at"`
			} `json:"approved_by"`
		}
		_, err := r.get(wire.Operation(ctx, "read_approvals"), r.changePath()+"/approvals", nil, &a)
		if err != nil && !absent(err) {
			return time.Time{}, err
		}
		r.approved = map[string]time.Time{}
		for _, one := range a.By {
			r.approved[one.User.person().ID] = at(one.At)
		}
	}
	return r.approved[by.ID], nil
}

// standing is the head of the version that stood at a time, the first where none
// did yet. Who approves in the very instant a version comes has not seen it.
// versions are newest first, one at least.
func standing(versions []version, given time.Time) string {
	for _, v := range versions {
		if v.At.Before(given) {
			return v.Head
		}
	}
	return versions[len(versions)-1].Head
}
