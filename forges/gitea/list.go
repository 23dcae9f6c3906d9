package gitea

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"primum/forges"
	"primum/forges/wire"
)

// ListOpen implements forges.Forge. One call a page of fifty. A change that
// moves while the pages are read may be listed twice, or not at all this time.
func (f *Forge) ListOpen(ctx context.Context, r forges.RepoRef, cursor string) ([]forges.Head, string, error) {
	wrap := func(err error) error { return fmt.Errorf("list open changes of %s: %w", r.FullName(), err) }
	if !validName(r.Owner) || !validName(r.Name) {
		return nil, "", wrap(forges.ErrNotFound)
	}
	page, err := pageNumber(cursor)
	if err != nil {
		return nil, "", wrap(err)
	}
	var pulls []pull
	h, err := f.get(wire.Operation(ctx, "list_open"), repoPath(r.Owner, r.Name, "pulls"),
		paged(page, url.Values{"state": {"open"}, "sort": {"leastupdate"}}), &pulls)
	if err != nil {
		return nil, "", wrap(err)
	}
	heads := make([]forges.Head, 0, len(pulls))
	for i := range pulls {
		p := &pulls[i]
		heads = append(heads, forges.Head{
			Number: p.Number, SHA: p.Head.SHA, Base: branchOf(p.Base), Draft: p.Draft || draftTitle(p.Title),
			Title: p.Title, UpdatedAt: p.UpdatedAt.Time,
		})
	}
	return heads, nextPage(page, len(pulls), total(h)), nil
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

// nextPage is the page after this one; "" after the last. An instance may give
// fewer items a page than were asked for, so an empty page is the end unless the
// number of all of them says so before.
func nextPage(page, got, whole int) string {
	if got == 0 || whole >= 0 && got < pageSize && (page-1)*got+got >= whole || whole >= 0 && page*pageSize >= whole && got == pageSize {
		return ""
	}
	return strconv.Itoa(page + 1)
}

// ListRepos implements forges.Forge: the repositories our account owns or was
// given, by itself or by a team, one page.
func (f *Forge) ListRepos(ctx context.Context, cursor string) ([]forges.RepoRef, string, error) {
	ctx = wire.Operation(ctx, "list_repos")
	if err := f.identify(ctx); err != nil {
		return nil, "", fmt.Errorf("list repositories: %w", err)
	}
	if owner, name, ok := cut(f.Repo); ok {
		var one repository
		if _, err := f.get(ctx, repoPath(owner, name), nil, &one); err != nil {
			return nil, "", fmt.Errorf("read repository %s: %w", f.Repo, err)
		}
		return []forges.RepoRef{f.ref(&one)}, "", nil
	}
	page, err := pageNumber(cursor)
	if err != nil {
		return nil, "", fmt.Errorf("list repositories: %w", err)
	}
	var got []repository
	h, err := f.get(ctx, "user/repos", paged(page, nil), &got)
	if err != nil {
		return nil, "", fmt.Errorf("list repositories: %w", err)
	}
	refs := make([]forges.RepoRef, 0, len(got))
	for i := range got {
		if !got[i].Archived { // it can only be read
			refs = append(refs, f.ref(&got[i]))
		}
	}
	return refs, nextPage(page, len(got), total(h)), nil
}

// ReadQueue implements forges.Forge: there are no merge queues.
func (f *Forge) ReadQueue(context.Context, forges.RepoRef, forges.QueueRef) ([]int, error) {
	return nil, fmt.Errorf("read merge queue: %w", forges.ErrUnsupported)
}
