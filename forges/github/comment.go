package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/go-github/v62/github"

	"primum/forges"
	"primum/forges/wire"
)

// commentMax is the bytes of a comment; GitHub counts characters, which are
// never more.
const commentMax = 65536

// reviewCommentPrefix marks the id of a review comment, whose numbers are not
// those of reviews. GitHub's page addresses mark them with the same letter.
const reviewCommentPrefix = "r"

// PutComment implements forges.Forge.
func (f *Forge) PutComment(ctx context.Context, c forges.ChangeRef, id, body string) (string, error) {
	wrap := func(err error) error {
		return fmt.Errorf("put comment on %d of %s: %w", c.Number, c.Repo.FullName(), err)
	}
	cl, err := f.client(ctx, c.Repo)
	if err != nil {
		return "", wrap(err)
	}
	ctx = wire.Operation(ctx, "put_comment")
	text := &github.IssueComment{Body: new(wire.Ellipsis(body, commentMax))}
	var put *github.IssueComment
	if id == "" {
		put, _, err = cl.rest.Issues.CreateComment(ctx, c.Repo.Owner, c.Repo.Name, c.Number, text)
	} else {
		number, bad := strconv.ParseInt(id, 10, 64)
		if bad != nil || number <= 0 {
			return "", wrap(fmt.Errorf("comment %q: %w", id, forges.ErrNotFound))
		}
		put, _, err = cl.rest.Issues.EditComment(ctx, c.Repo.Owner, c.Repo.Name, number, text)
	}
	if err != nil {
		return "", wrap(cl.failure(err))
	}
	return decimal(put.GetID()), nil
}

// React implements forges.Forge. A review's own text can be reacted to by
// GraphQL only, which wants its node id: two calls.
func (f *Forge) React(ctx context.Context, c forges.CommentRef, r forges.Reaction) error {
	cl, err := f.client(ctx, c.Repo)
	if err == nil {
		err = cl.react(wire.Operation(ctx, "react"), c, r)
	}
	if err != nil {
		return fmt.Errorf("react to comment %s of %s: %w", wire.Short(c.ID, 40), c.Repo.FullName(), err)
	}
	return nil
}

func (c *client) react(ctx context.Context, ref forges.CommentRef, r forges.Reaction) error {
	digits, onDiff := strings.CutPrefix(ref.ID, reviewCommentPrefix)
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || id <= 0 {
		return forges.ErrNotFound
	}
	switch {
	case onDiff:
		_, _, err = c.rest.Reactions.CreatePullRequestCommentReaction(ctx, ref.Repo.Owner, ref.Repo.Name, id, string(r))
	case ref.Review:
		return c.reactToReview(ctx, ref, id, r)
	default:
		_, _, err = c.rest.Reactions.CreateIssueCommentReaction(ctx, ref.Repo.Owner, ref.Repo.Name, id, string(r))
	}
	return c.failure(err)
}

func (c *client) reactToReview(ctx context.Context, ref forges.CommentRef, id int64, r forges.Reaction) error {
	review, _, err := c.rest.PullRequests.GetReview(ctx, ref.Repo.Owner, ref.Repo.Name, ref.Number, id)
	if err != nil {
		return c.failure(err)
	}
	content := map[forges.Reaction]string{forges.Seen: "EYES", forges.Done: "THUMBS_UP", forges.Refused: "CONFUSED"}[r]
	if content == "" {
		return fmt.Errorf("reaction %q: %w", r, forges.ErrUnsupported)
	}
	var answer struct{}
	partial, err := c.graph(ctx, fill(reactionText, nil), map[string]any{"subject": review.GetNodeID(), "content": content}, &answer)
	if err != nil {
		return err
	}
	if len(partial) > 0 {
		return fmt.Errorf("%s: %w", partial[0].words(), graphMeaning(partial[0].Type))
	}
	return nil
}

// Permission implements forges.Forge. Somebody GitHub does not know may nothing.
func (f *Forge) Permission(ctx context.Context, r forges.RepoRef, login string) (forges.Permission, error) {
	cl, err := f.client(ctx, r)
	if err != nil {
		return forges.PermNone, err
	}
	if !validLogin(login) {
		return forges.PermNone, nil
	}
	got, _, err := cl.rest.Repositories.GetPermissionLevel(wire.Operation(ctx, "permission"), r.Owner, r.Name, url.PathEscape(login))
	if err = cl.failure(err); errors.Is(err, forges.ErrNotFound) {
		return forges.PermNone, nil
	} else if err != nil {
		return forges.PermNone, fmt.Errorf("permission of %s in %s: %w", login, r.FullName(), err)
	}
	switch got.GetPermission() {
	case "admin":
		return forges.PermAdmin, nil
	case "write", "maintain":
		return forges.PermWrite, nil
	case "read", "triage":
		return forges.PermRead, nil
	}
	return forges.PermNone, nil
}
