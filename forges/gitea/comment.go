package gitea

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"code.gitea.io/sdk/gitea"

	"primum/forges"
	"primum/forges/wire"
)

// commentMax is the bytes of a comment. The database of an instance may hold
// 65,535 at most (a TEXT column of MySQL).
const commentMax = 65535

// PutComment implements forges.Forge.
func (f *Forge) PutComment(ctx context.Context, c forges.ChangeRef, id, body string) (string, error) {
	wrap := func(err error) error {
		return fmt.Errorf("put comment on %d of %s: %w", c.Number, c.Repo.FullName(), err)
	}
	if !validName(c.Repo.Owner) || !validName(c.Repo.Name) {
		return "", wrap(forges.ErrNotFound)
	}
	client, err := f.sdk(wire.Operation(ctx, "put_comment"))
	if err != nil {
		return "", wrap(err)
	}
	body = wire.Ellipsis(body, commentMax)
	var put *gitea.Comment
	if id == "" {
		put, _, err = client.CreateIssueComment(c.Repo.Owner, c.Repo.Name, int64(c.Number), gitea.CreateIssueCommentOption{Body: body})
	} else {
		number, ok := positive(id)
		if !ok {
			return "", wrap(fmt.Errorf("comment %q: %w", wire.Short(id, 40), forges.ErrNotFound))
		}
		put, _, err = client.EditIssueComment(c.Repo.Owner, c.Repo.Name, number, gitea.EditIssueCommentOption{Body: body})
	}
	if err != nil {
		return "", wrap(f.gone(ctx, wire.Failure(err), repoPath(c.Repo.Owner, c.Repo.Name, "issues", strconv.Itoa(c.Number))))
	}
	if put == nil || put.ID <= 0 {
		return "", wrap(errors.New("the answer names no comment"))
	}
	return decimal(put.ID), nil
}

// React implements forges.Forge. A review has no reactions.
func (f *Forge) React(ctx context.Context, c forges.CommentRef, r forges.Reaction) error {
	wrap := func(err error) error {
		return fmt.Errorf("react to comment %s of %s: %w", wire.Short(c.ID, 40), c.Repo.FullName(), err)
	}
	if c.Review {
		return wrap(forges.ErrUnsupported)
	}
	id, ok := positive(c.ID)
	if !ok || !validName(c.Repo.Owner) || !validName(c.Repo.Name) {
		return wrap(forges.ErrNotFound)
	}
	client, err := f.sdk(wire.Operation(ctx, "react"))
	if err != nil {
		return wrap(err)
	}
	if _, _, err = client.PostIssueCommentReaction(c.Repo.Owner, c.Repo.Name, id, string(r)); err != nil {
		return wrap(wire.Failure(err))
	}
	return nil
}

// Permission implements forges.Forge. Only an administrator of the repository
// may ask for another's permission, and Gitea answers "read" for those who may
// write by a team. So where it is refused or says little, those who may be
// assigned are those who may write, and anybody else may read what is public.
func (f *Forge) Permission(ctx context.Context, r forges.RepoRef, login string) (forges.Permission, error) {
	if !validName(login) {
		return forges.PermNone, nil
	}
	wrap := func(err error) error { return fmt.Errorf("permission of %s in %s: %w", login, r.FullName(), err) }
	if !validName(r.Owner) || !validName(r.Name) {
		return forges.PermNone, wrap(forges.ErrNotFound)
	}
	ctx = wire.Operation(ctx, "permission")
	var got struct {
		Permission string `json:"permission"`
	}
	_, err := f.get(ctx, repoPath(r.Owner, r.Name, "collaborators", login, "permission"), nil, &got)
	switch {
	case errors.Is(err, forges.ErrNotFound):
		return forges.PermNone, nil
	case err != nil && !errors.Is(err, forges.ErrForbidden):
		return forges.PermNone, wrap(err)
	}
	switch got.Permission {
	case "admin", "owner":
		return forges.PermAdmin, nil
	case "write":
		return forges.PermWrite, nil
	}
	writes, err := f.assignable(ctx, r, login)
	switch {
	case err != nil:
		return forges.PermNone, wrap(err)
	case writes:
		return forges.PermWrite, nil
	case got.Permission == "read":
		return forges.PermRead, nil
	case got.Permission != "":
		return forges.PermNone, nil
	}
	p, err := f.publicly(ctx, r, login)
	if err != nil {
		return forges.PermNone, wrap(err)
	}
	return p, nil
}

// assignable reports whether somebody is in the list of those who may be
// assigned, who are those who may write.
func (f *Forge) assignable(ctx context.Context, r forges.RepoRef, login string) (bool, error) {
	var writers []user
	if _, err := f.get(ctx, repoPath(r.Owner, r.Name, "assignees"), nil, &writers); err != nil {
		return false, err
	}
	return slices.ContainsFunc(writers, func(u user) bool { return strings.EqualFold(u.Login, login) }), nil
}

// publicly is what somebody may do who was given nothing.
func (f *Forge) publicly(ctx context.Context, r forges.RepoRef, login string) (forges.Permission, error) {
	var repo repository
	if _, err := f.get(ctx, repoPath(r.Owner, r.Name), nil, &repo); err != nil {
		return forges.PermNone, err
	}
	if repo.Private || repo.Internal {
		return forges.PermNone, nil
	}
	var u user
	_, err := f.get(ctx, "users/"+url.PathEscape(login), nil, &u)
	switch {
	case errors.Is(err, forges.ErrNotFound):
		return forges.PermNone, nil
	case err != nil:
		return forges.PermNone, err
	}
	return forges.PermRead, nil
}
