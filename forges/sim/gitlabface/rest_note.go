package gitlabface

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"primum/forges/sim"
)

// longestNote is how many characters a note may have.
const longestNote = 1_000_000

// onMergeRequests reports whether the address is below a merge request rather
// than an issue.
func (c *call) onMergeRequests() bool { return strings.Contains(c.r.Pattern, "/merge_requests/") }

// onSubject is reading with the issue or merge request of the address.
func (c *call) onSubject(fn func(s shaper, r *sim.Repo, is *sim.Issue) (any, error)) error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		is, err := c.subject(s, r)
		if err != nil {
			return nil, err
		}
		return fn(s, r, is)
	})
}

func (c *call) listNotes() error {
	return c.onSubject(func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		all := s.notes(r, is)
		switch c.text("activity_filter") {
		case "only_comments":
			all = slices.DeleteFunc(all, func(n note) bool { return n.system != "" })
		case "only_activity":
			all = slices.DeleteFunc(all, func(n note) bool { return n.system == "" })
		}
		if c.text("order_by") == "updated_at" {
			slices.SortStableFunc(all, func(a, b note) int { return cmp.Or(a.updated.Compare(b.updated), cmp.Compare(a.id, b.id)) })
		}
		if c.text("sort") != "asc" {
			slices.Reverse(all)
		}
		return shapes(page(c, all), func(n note) j { return s.noteShape(r, is, n) }), nil
	})
}

// theNote is the note of the address.
func (c *call) theNote(s shaper, r *sim.Repo, is *sim.Issue) (note, error) {
	n, ok := s.findNote(r, is, c.path("note"))
	if !ok {
		return note{}, notFound("Note")
	}
	return n, nil
}

func (c *call) getNote() error {
	return c.onSubject(func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		n, err := c.theNote(s, r, is)
		if err != nil {
			return nil, err
		}
		return s.noteShape(r, is, n), nil
	})
}

// noteTarget looks up what a writing call on notes is about.
func (c *call) noteTarget(withNote bool) (at target, n note, err error) {
	err = c.inProject(func(s shaper, r *sim.Repo) error {
		is, err := c.subject(s, r)
		if err != nil {
			return err
		}
		at = target{repo: s.v.FullName(r), number: is.Number, id: is.ID}
		if withNote {
			n, err = c.theNote(s, r, is)
		}
		return err
	})
	return at, n, err
}

func (c *call) bodyOfNote() (string, error) {
	body := c.text("body")
	switch {
	case !c.given("body"):
		return "", badParam("body is missing")
	case strings.TrimSpace(body) == "":
		return "", refuse(http.StatusBadRequest, "400 Bad request - Note {:note=>[\"can't be blank\"]}")
	case utf8.RuneCountInString(body) > longestNote:
		return "", refuse(http.StatusBadRequest, fmt.Sprintf("400 Bad request - Note {:note=>[\"is too long (maximum is %d characters)\"]}", longestNote))
	}
	return body, nil
}

// noteAnswer answers with a note of the address's subject.
func (c *call) noteAnswer(status int, id int64) error {
	var out any
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		is, err := c.subject(s, r)
		if err != nil {
			return err
		}
		if n, ok := s.findNote(r, r.Issues[is.Number], id); ok {
			out = s.noteShape(r, is, n)
		}
		return nil
	})
	if err != nil {
		return err
	}
	answer(c.w, status, out)
	return nil
}

func (c *call) createNote() error {
	at, _, err := c.noteTarget(false)
	if err != nil {
		return err
	}
	body, err := c.bodyOfNote()
	if err != nil {
		return err
	}
	id, err := c.actor().Comment(at.repo, at.number, body)
	if err != nil {
		return err
	}
	return c.noteAnswer(http.StatusCreated, id)
}

func (c *call) editNote() error {
	at, n, err := c.noteTarget(true)
	if err != nil {
		return err
	}
	body, err := c.bodyOfNote()
	if err != nil {
		return err
	}
	switch {
	case n.author != c.who.id: // others may delete it, not put words into somebody's mouth
		return forbidden()
	case n.comment != nil:
		err = c.actor().EditComment(at.repo, n.id, body)
	case n.review != nil:
		err = c.actor().EditReview(at.repo, at.number, n.id, body)
	default:
		return forbidden()
	}
	if err != nil {
		return err
	}
	return c.noteAnswer(http.StatusOK, n.id)
}

func (c *call) deleteNote() error {
	at, n, err := c.noteTarget(true)
	if err != nil {
		return err
	}
	if n.comment == nil {
		return forbidden()
	}
	if err := c.actor().DeleteComment(at.repo, n.id); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *call) listDiscussions() error {
	return c.onSubject(func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		return shapes(page(c, s.discussions(r, is)), func(d j) j { return d }), nil
	})
}

func (c *call) getDiscussion() error {
	return c.onSubject(func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		for _, d := range s.discussions(r, is) {
			if d["id"] == c.r.PathValue("discussion") {
				return d, nil
			}
		}
		return nil, notFound("Discussion")
	})
}

func (c *call) listAwards() error {
	return c.onSubject(func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		n, err := c.theNote(s, r, is)
		if err != nil {
			return nil, err
		}
		return shapes(page(c, n.reaction), func(re sim.Reaction) j { return s.award("Note", n.id, re) }), nil
	})
}

func (c *call) createAward() error {
	at, n, err := c.noteTarget(true)
	if err != nil {
		return err
	}
	content := reactionOf(c.text("name"))
	if content == "" {
		return notFound("Award Emoji Name is not a valid emoji name")
	}
	var re sim.Reaction
	var created bool
	switch {
	case n.system != "":
		return notFound("Award Emoji")
	case n.comment != nil:
		re, created, err = c.actor().React(at.repo, n.id, content)
	case n.review != nil:
		re, created, err = c.actor().ReactReview(at.repo, n.id, content)
	default:
		re, created, err = c.actor().ReactReviewComment(at.repo, n.id, content)
	}
	if err != nil {
		return err
	}
	if !created {
		return notFound("Award Emoji Name has already been taken")
	}
	var out j
	c.t.forge.Read(func(v *sim.View) { out = c.t.shaper(v).award("Note", n.id, re) })
	answer(c.w, http.StatusCreated, out)
	return nil
}
