package gitea

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

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
	at, err := placeAt(cursor)
	if err != nil {
		return nil, "", wrap(err)
	}
	var pulls []pull
	h, err := f.get(wire.Operation(ctx, "list_open"), repoPath(r.Owner, r.Name, "pulls"),
		paged(at.page, url.Values{"state": {"open"}, "sort": {"leastupdate"}}), &pulls)
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
	return heads, at.next(len(pulls), total(h)), nil
}

// place is a place in a list: the next page and how many items came before it.
// An instance may give fewer items a page than were asked for, so the number of
// the page alone does not tell how far the list is.
type place struct{ page, seen int }

func placeAt(cursor string) (place, error) {
	if cursor == "" {
		return place{page: 1}, nil
	}
	page, seen, _ := strings.Cut(cursor, "/")
	p, err1 := strconv.Atoi(page)
	n, err2 := strconv.Atoi(seen)
	if err1 != nil || err2 != nil || p < 1 || n < 0 {
		return place{}, fmt.Errorf("cursor %q: %w", wire.Short(cursor, 40), forges.ErrNotFound)
	}
	return place{p, n}, nil
}

// next is the cursor after a page of so many items; "" after the last, which is
// the empty one where the forge does not say how many there are.
func (p place) next(got, whole int) string {
	if got == 0 || whole >= 0 && p.seen+got >= whole {
		return ""
	}
	return fmt.Sprintf("%d/%d", p.page+1, p.seen+got)
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
	at, err := placeAt(cursor)
	if err != nil {
		return nil, "", fmt.Errorf("list repositories: %w", err)
	}
	var got []repository
	h, err := f.get(ctx, "user/repos", paged(at.page, nil), &got)
	if err != nil {
		return nil, "", fmt.Errorf("list repositories: %w", err)
	}
	refs := make([]forges.RepoRef, 0, len(got))
	for i := range got {
		if !got[i].Archived { // it can only be read
			refs = append(refs, f.ref(&got[i]))
		}
	}
	return refs, at.next(len(got), total(h)), nil
}

// ReadQueue implements forges.Forge: there are no merge queues.
func (f *Forge) ReadQueue(context.Context, forges.RepoRef, forges.QueueRef) ([]int, error) {
	return nil, fmt.Errorf("read merge queue: %w", forges.ErrUnsupported)
}
