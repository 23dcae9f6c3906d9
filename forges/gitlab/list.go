package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"primum/forges"
	"primum/forges/wire"
)

// pageNumber reads a cursor of ours.
func pageNumber(cursor string) (int, error) {
	if cursor == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(cursor)
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, fmt.Errorf("cursor %q is none of ours", wire.Short(cursor, 40))
	}
	return n, nil
}

func cursorOf(next int) string {
	if next == 0 {
		return ""
	}
	return decimal(next)
}

// ListOpen implements forges.Forge. One call a page of a hundred. A change that
// moves while the pages are read may be listed twice, or not at all this time.
func (f *Forge) ListOpen(ctx context.Context, r forges.RepoRef, cursor string) ([]forges.Head, string, error) {
	wrap := func(err error) error { return fmt.Errorf("list open changes of %s: %w", r.FullName(), err) }
	n, err := pageNumber(cursor)
	if err != nil {
		return nil, "", wrap(err)
	}
	if !validPath(r.FullName()) {
		return nil, "", wrap(forges.ErrNotFound)
	}
	var list []struct {
		IID       int       `json:"iid"`
		SHA       string    `json:"sha"`
		Target    string    `json:"target_branch"`
		Draft     bool      `json:"draft"`
		Title     string    `json:"title"`
		UpdatedAt time.Time `json:"updated_at"`
	}
	next, err := f.get(wire.Operation(ctx, "list_open"), restPath(r)+"/merge_requests", url.Values{
		"state": {"opened"}, "order_by": {"updated_at"}, "sort": {"asc"}, "per_page": {"100"}, "page": {decimal(n)},
	}, &list)
	if err != nil {
		return nil, "", wrap(err)
	}
	heads := make([]forges.Head, 0, len(list))
	for _, m := range list {
		heads = append(heads, forges.Head{
			Number: m.IID, SHA: m.SHA, Base: m.Target, Draft: m.Draft, Title: m.Title,
			// GraphQL and deliveries tell whole seconds.
			UpdatedAt: m.UpdatedAt.UTC().Truncate(time.Second),
		})
	}
	return heads, cursorOf(next), nil
}

// listed is a project as REST lists it.
type listed struct {
	ID         int64  `json:"id"`
	Path       string `json:"path_with_namespace"`
	Visibility string `json:"visibility"`
	Default    string `json:"default_branch"`
	Archived   bool   `json:"archived"`
}

func (f *Forge) repo(p *listed) forges.RepoRef {
	owner, name := cut(p.Path)
	return forges.RepoRef{
		Forge: f.Key(), ID: decimal(p.ID), Owner: owner, Name: name, Private: p.Visibility != "public", Default: p.Default,
	}
}

// ListRepos implements forges.Forge: the projects our account is a member of,
// by itself or by a group; archived ones are left out.
func (f *Forge) ListRepos(ctx context.Context, cursor string) ([]forges.RepoRef, string, error) {
	ctx = wire.Operation(ctx, "list_repos")
	n, err := pageNumber(cursor)
	if err != nil {
		return nil, "", fmt.Errorf("list repositories: %w", err)
	}
	if err := f.Identify(ctx); err != nil {
		return nil, "", fmt.Errorf("list repositories: %w", err)
	}
	if f.Repo != "" {
		var p listed
		_, err := f.get(ctx, "projects/"+url.PathEscape(f.Repo), nil, &p)
		if errors.Is(err, forges.ErrNotFound) {
			return nil, "", fmt.Errorf("repository %s, or our access to it: %w", f.Repo, err)
		} else if err != nil {
			return nil, "", fmt.Errorf("list repositories: %w", err)
		}
		return []forges.RepoRef{f.repo(&p)}, "", nil
	}
	var list []listed
	next, err := f.get(ctx, "projects", url.Values{
		"membership": {"true"}, "archived": {"false"}, "order_by": {"id"}, "sort": {"asc"}, "per_page": {"100"}, "page": {decimal(n)},
	}, &list)
	if err != nil {
		return nil, "", fmt.Errorf("list repositories: %w", err)
	}
	repos := make([]forges.RepoRef, 0, len(list))
	for i := range list {
		if !list[i].Archived {
			repos = append(repos, f.repo(&list[i]))
		}
	}
	return repos, cursorOf(next), nil
}

// ReadQueue implements forges.Forge. A merge train tells nobody which changes a
// candidate carries before it runs.
func (f *Forge) ReadQueue(context.Context, forges.RepoRef, forges.QueueRef) ([]int, error) {
	return nil, fmt.Errorf("merge trains: %w", forges.ErrUnsupported)
}
