package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// What reads a repository.
const repoColumns = `r.forge, r.id, r.owner, r.name, r.installation, r.private, r.default_branch, r.gone, r.product, r.policy`

func (r *RepoRow) columns() []any {
	return []any{
		&r.Forge, &r.ID, &r.Owner, &r.Name, &r.Installation,
		flag{&r.Private},
		&r.Default,
		flag{&r.Gone},
		&r.Product,
		packed[json.RawMessage]{&r.Policy},
	}
}

// PutRepo implements Store. What is empty in r (name, installation, default
// branch, product, policy) leaves what is known; Private and Gone always count.
func (d *DB) PutRepo(ctx context.Context, r RepoRow) error {
	if err := d.tx(ctx, func(s session) error { return s.putRepos(ctx, []RepoRow{r}) }); err != nil {
		return fmt.Errorf("keep repository %s/%s: %w", r.Owner, r.Name, err)
	}
	return nil
}

// putRepos keeps repositories in the order of their ids. A row that would not
// change is not written.
func (s session) putRepos(ctx context.Context, repos []RepoRow) error {
	repos = slices.Clone(repos)
	slices.SortStableFunc(repos, func(a, b RepoRow) int {
		return cmp.Or(cmp.Compare(a.Forge, b.Forge), cmp.Compare(a.ID, b.ID))
	})
	for _, r := range repos {
		if r.ID == "" {
			continue
		}
		var policy any
		if len(r.Policy) > 0 {
			policy = s.db.pack(r.Policy)
		}
		_, err := s.exec(ctx, `INSERT INTO repos AS o (forge, id, owner, name, installation, private, default_branch, gone, product, policy)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (forge, id) DO UPDATE SET
				owner = COALESCE(NULLIF(excluded.owner, ''), o.owner),
				name = COALESCE(NULLIF(excluded.name, ''), o.name),
				installation = COALESCE(NULLIF(excluded.installation, ''), o.installation),
				private = excluded.private,
				default_branch = COALESCE(NULLIF(excluded.default_branch, ''), o.default_branch),
				gone = excluded.gone,
				product = COALESCE(NULLIF(excluded.product, ''), o.product),
				policy = COALESCE(excluded.policy, o.policy)
			WHERE (excluded.owner <> '' AND excluded.owner <> o.owner) OR (excluded.name <> '' AND excluded.name <> o.name)
				OR (excluded.installation <> '' AND excluded.installation <> o.installation) OR excluded.private <> o.private
				OR (excluded.default_branch <> '' AND excluded.default_branch <> o.default_branch) OR excluded.gone <> o.gone
				OR (excluded.product <> '' AND excluded.product <> o.product)
				OR (excluded.policy IS NOT NULL AND (o.policy IS NULL OR excluded.policy <> o.policy))`,
			r.Forge, r.ID, r.Owner, r.Name, r.Installation, r.Private, r.Default, r.Gone, r.Product, policy)
		if err != nil {
			return fmt.Errorf("keep repository %s: %w", r.ID, err)
		}
		if r.Owner == "" || r.Name == "" || r.Gone {
			continue
		}
		if _, err := s.exec(ctx, `INSERT INTO repo_names AS o (forge, owner, name, repo) VALUES (?, ?, ?, ?)
			ON CONFLICT (forge, owner, name) DO UPDATE SET repo = excluded.repo WHERE o.repo <> excluded.repo`,
			r.Forge, strings.ToLower(r.Owner), strings.ToLower(r.Name), r.ID); err != nil {
			return fmt.Errorf("keep name of repository %s: %w", r.ID, err)
		}
	}
	return nil
}

// Repo implements Store; ErrNone.
func (d *DB) Repo(ctx context.Context, forge, id string) (RepoRow, error) {
	var r RepoRow
	err := d.read().row(ctx, `SELECT `+repoColumns+` FROM repos r WHERE r.forge = ? AND r.id = ?`, forge, id).Scan(r.columns()...)
	if err != nil {
		return RepoRow{}, fmt.Errorf("read repository %s: %w", id, none(err))
	}
	return r, nil
}

// FindRepo implements Store; ErrNone. A former name finds the repository that
// held it last. Names are compared without regard to case.
func (d *DB) FindRepo(ctx context.Context, forge, owner, name string) (RepoRow, error) {
	var r RepoRow
	err := d.read().row(ctx, `SELECT `+repoColumns+` FROM repo_names n JOIN repos r ON r.forge = n.forge AND r.id = n.repo
		WHERE n.forge = ? AND n.owner = ? AND n.name = ?`, forge, strings.ToLower(owner), strings.ToLower(name)).Scan(r.columns()...)
	if err != nil {
		return RepoRow{}, fmt.Errorf("find repository %s/%s: %w", owner, name, none(err))
	}
	return r, nil
}

// Repos implements Store; by name. forge may be "" for all.
func (d *DB) Repos(ctx context.Context, forge string) ([]RepoRow, error) {
	var out []RepoRow
	err := d.read().each(ctx, `SELECT `+repoColumns+` FROM repos r
		WHERE r.gone = 0 AND (CAST(? AS TEXT) = '' OR r.forge = ?) ORDER BY lower(r.owner), lower(r.name)`, []any{forge, forge},
		func(rows *sql.Rows) error {
			var r RepoRow
			if err := rows.Scan(r.columns()...); err != nil {
				return err
			}
			out = append(out, r)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("list repositories: %w", err)
	}
	return out, nil
}
