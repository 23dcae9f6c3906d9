package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"primum/forges"
	"primum/forges/wire"
)

// commentMax is the bytes of a note; GitLab counts characters, which are never
// more.
const commentMax = 1_000_000

// PutComment implements forges.Forge.
func (f *Forge) PutComment(ctx context.Context, c forges.ChangeRef, id, body string) (string, error) {
	put, err := f.putComment(wire.Operation(ctx, "put_comment"), c, id, body)
	if err != nil {
		return "", fmt.Errorf("put comment on %d of %s: %w", c.Number, c.Repo.FullName(), err)
	}
	return put, nil
}

func (f *Forge) putComment(ctx context.Context, c forges.ChangeRef, id, body string) (string, error) {
	if !validPath(c.Repo.FullName()) || c.Number <= 0 {
		return "", forges.ErrNotFound
	}
	path := fmt.Sprintf("%s/merge_requests/%d/notes", restPath(c.Repo), c.Number)
	text := map[string]string{"body": wire.Ellipsis(inert(body), commentMax)}
	var made struct {
		ID int64 `json:"id"`
	}
	if id == "" {
		if err := f.send(ctx, http.MethodPost, path, text, &made); err != nil {
			return "", err
		}
		return noteID(onChange, c.Number, decimal(made.ID)), nil
	}
	on, iid, note, ok := readNoteID(id)
	if !ok || on != onChange || iid != c.Number {
		return "", fmt.Errorf("comment %q: %w", wire.Short(id, 40), forges.ErrNotFound)
	}
	if err := f.send(ctx, http.MethodPut, path+"/"+decimal(note), text, &made); err != nil {
		return "", err
	}
	return id, nil
}

// inert takes GitLab's quick actions out of a text: a line that begins with a
// slash, outside of code, is carried out in our name ("/merge"), and some of what
// we write comes from others. What it shows stays the same.
func inert(body string) string {
	if !strings.Contains(body, "/") {
		return body
	}
	var b strings.Builder
	fence := ""
	for line := range strings.Lines(body) {
		text := strings.TrimLeft(line, " \t>")
		switch {
		case fence != "":
			if strings.HasPrefix(text, fence) {
				fence = ""
			}
		case strings.HasPrefix(text, "```"), strings.HasPrefix(text, "~~~"):
			fence = text[:3]
		case strings.HasPrefix(text, "/"):
			line = line[:len(line)-len(text)] + `\` + text
		}
		b.WriteString(line)
	}
	return b.String()
}

// emoji is GitLab's name of a reaction.
func emoji(r forges.Reaction) string {
	switch r {
	case forges.Seen:
		return "eyes"
	case forges.Done:
		return "thumbsup"
	case forges.Refused:
		return "confused"
	}
	return ""
}

// React implements forges.Forge. An approval has no words to react to.
func (f *Forge) React(ctx context.Context, c forges.CommentRef, r forges.Reaction) error {
	if err := f.react(wire.Operation(ctx, "react"), c, r); err != nil {
		return fmt.Errorf("react to comment %s of %s: %w", wire.Short(c.ID, 40), c.Repo.FullName(), err)
	}
	return nil
}

func (f *Forge) react(ctx context.Context, c forges.CommentRef, r forges.Reaction) error {
	name := emoji(r)
	if name == "" {
		return fmt.Errorf("reaction %q: %w", r, forges.ErrUnsupported)
	}
	if strings.HasPrefix(c.ID, approvalPrefix) || strings.HasPrefix(c.ID, refusalPrefix) {
		return fmt.Errorf("an approval has no words: %w", forges.ErrUnsupported)
	}
	on, iid, note, ok := readNoteID(c.ID)
	if !ok || !validPath(c.Repo.FullName()) {
		return forges.ErrNotFound
	}
	kind := "merge_requests"
	if on == onIssue {
		kind = "issues"
	}
	path := fmt.Sprintf("%s/%s/%d/notes/%d/award_emoji", restPath(c.Repo), kind, iid, note)
	err := f.send(ctx, http.MethodPost, path, map[string]string{"name": name}, nil)
	if !errors.Is(err, forges.ErrNotFound) {
		return err
	}
	// GitLab answers 404 also where the reaction stands already.
	type award struct {
		Name string   `json:"name"`
		User *account `json:"user"`
	}
	list, look := all[award](ctx, f, path, nil)
	if look != nil {
		return look
	}
	me, look := f.me(ctx)
	if look != nil {
		return look
	}
	for _, a := range list {
		if a.Name == name && a.User.person().Is(me) {
			return nil
		}
	}
	return err
}
