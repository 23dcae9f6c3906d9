package github

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/go-github/v62/github"

	"primum/forges"
	"primum/forges/wire"
)

// ListOpen implements forges.Forge. One call a page of a hundred. A change that
// moves while the pages are read may be listed twice, or not at all this time.
func (f *Forge) ListOpen(ctx context.Context, r forges.RepoRef, cursor string) ([]forges.Head, string, error) {
	cl, err := f.client(ctx, r)
	if err != nil {
		return nil, "", err
	}
	number, err := pageNumber(cursor)
	if err != nil {
		return nil, "", err
	}
	pulls, answer, err := cl.rest.PullRequests.List(wire.Operation(ctx, "list_open"), r.Owner, r.Name, &github.PullRequestListOptions{
		State: "open", Sort: "updated", Direction: "asc", ListOptions: github.ListOptions{Page: number, PerPage: 100},
	})
	if err != nil {
		return nil, "", fmt.Errorf("list open changes of %s: %w", r.FullName(), cl.failure(err))
	}
	heads := make([]forges.Head, 0, len(pulls))
	for _, p := range pulls {
		heads = append(heads, forges.Head{
			Number: p.GetNumber(), SHA: p.GetHead().GetSHA(), Base: p.GetBase().GetRef(), Draft: p.GetDraft(),
			Title: p.GetTitle(), UpdatedAt: p.GetUpdatedAt().UTC(),
		})
	}
	return heads, nextPage(answer), nil
}

func pageNumber(cursor string) (int, error) {
	if cursor == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(cursor)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("cursor %q: %w", wire.Short(cursor, 40), forges.ErrNotFound)
	}
	return n, nil
}

func nextPage(answer *github.Response) string {
	if answer == nil || answer.NextPage == 0 {
		return ""
	}
	return strconv.Itoa(answer.NextPage)
}

// ListRepos implements forges.Forge: the repositories of one installation after
// the other. The cursor holds the installations still to come, the page of the
// one at hand, and the next page of installations.
func (f *Forge) ListRepos(ctx context.Context, cursor string) ([]forges.RepoRef, string, error) {
	if !f.app() {
		return f.listWithToken(ctx)
	}
	ctx = wire.Operation(ctx, "list_repos")
	if f.slug.Load() == nil {
		if err := f.Identify(ctx); err != nil {
			return nil, "", err
		}
	}
	at, err := parseRepoCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	for len(at.ids) == 0 {
		if at.page == 0 {
			return nil, "", nil
		}
		if err := f.installations(ctx, &at); err != nil {
			return nil, "", err
		}
	}
	id := at.ids[0]
	cl, err := f.installation(id)
	if err != nil {
		return nil, "", err
	}
	list, answer, err := cl.rest.Apps.ListRepos(ctx, &github.ListOptions{Page: at.repos, PerPage: 100})
	if err = cl.failure(err); err != nil && !errors.Is(err, forges.ErrSuspended) {
		return nil, "", fmt.Errorf("list repositories of installation %s: %w", id, err)
	}
	var refs []forges.RepoRef
	if list != nil {
		for _, r := range list.Repositories {
			refs = append(refs, f.refOf(r, id))
		}
	}
	at.repos = 1
	if answer != nil && answer.NextPage > 0 {
		at.repos = answer.NextPage
	} else {
		at.ids = at.ids[1:]
	}
	return refs, at.String(), nil
}

func (f *Forge) listWithToken(ctx context.Context) ([]forges.RepoRef, string, error) {
	owner, name, ok := cut(f.Repo)
	if !ok {
		return nil, "", fmt.Errorf("list repositories of a token: name one in Repo: %w", forges.ErrUnsupported)
	}
	cl, err := f.installation("")
	if err != nil {
		return nil, "", err
	}
	r, _, err := cl.rest.Repositories.Get(wire.Operation(ctx, "list_repos"), owner, name)
	if err != nil {
		return nil, "", fmt.Errorf("read repository %s: %w", f.Repo, cl.failure(err))
	}
	return []forges.RepoRef{f.refOf(r, "")}, "", nil
}

func (f *Forge) refOf(r *github.Repository, installation string) forges.RepoRef {
	return forges.RepoRef{
		Forge: f.Key(), ID: decimal(r.GetID()), Owner: r.GetOwner().GetLogin(), Name: r.GetName(),
		Installation: installation, Private: r.GetPrivate(), Default: r.GetDefaultBranch(),
	}
}

// Identify asks GitHub who our app is, so that its own comments are known by
// name. It is called once; everything works without it.
func (f *Forge) Identify(ctx context.Context) error {
	if !f.app() {
		return nil
	}
	app, _, err := f.asApp.rest.Apps.Get(wire.Operation(ctx, "identify"), "")
	if err != nil {
		return fmt.Errorf("ask GitHub for app %d: %w", f.AppID, f.asApp.failure(err))
	}
	if id := app.GetID(); id != f.AppID {
		return fmt.Errorf("the private key belongs to app %d and not to %d: %w", id, f.AppID, forges.ErrForbidden)
	}
	if slug := app.GetSlug(); slug != "" {
		f.slug.Store(&slug)
	}
	return nil
}

// installations reads the next page of installations; suspended ones are passed over.
func (f *Forge) installations(ctx context.Context, at *repoCursor) error {
	list, answer, err := f.asApp.rest.Apps.ListInstallations(ctx, &github.ListOptions{Page: at.page, PerPage: 100})
	if err != nil {
		return fmt.Errorf("list installations: %w", f.asApp.failure(err))
	}
	for _, in := range list {
		if in.SuspendedAt == nil {
			at.ids = append(at.ids, decimal(in.GetID()))
		}
	}
	at.page = answer.NextPage
	return nil
}

// repoCursor is a place in the list of repositories: "page/ids/repos".
type repoCursor struct {
	page  int      // next page of installations; 0 after the last
	ids   []string // installations of the page at hand, still to come
	repos int      // page of the first of them
}

// String implements fmt.Stringer; "" is the end.
func (c repoCursor) String() string {
	if len(c.ids) == 0 && c.page == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%s/%d", c.page, strings.Join(c.ids, ","), c.repos)
}

func parseRepoCursor(s string) (repoCursor, error) {
	if s == "" {
		return repoCursor{page: 1, repos: 1}, nil
	}
	wrong := fmt.Errorf("cursor %q: %w", wire.Short(s, 40), forges.ErrNotFound)
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return repoCursor{}, wrong
	}
	page, err1 := strconv.Atoi(parts[0])
	repos, err2 := strconv.Atoi(parts[2])
	if err1 != nil || err2 != nil || page < 0 || repos < 1 {
		return repoCursor{}, wrong
	}
	c := repoCursor{page: page, repos: repos}
	if parts[1] != "" {
		c.ids = strings.Split(parts[1], ",")
	}
	for _, id := range c.ids {
		if _, err := strconv.ParseUint(id, 10, 63); err != nil {
			return repoCursor{}, wrong
		}
	}
	return c, nil
}
