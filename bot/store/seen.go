package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"primum/rules/fact"
)

// firstMax bounds the text kept of a comment, in bytes; commands are far shorter.
const firstMax = 64 << 10

// Remember implements Store.
func (d *DB) Remember(ctx context.Context, seen []SeenComment) error {
	if err := d.tx(ctx, func(s session) error { return s.remember(ctx, seen) }); err != nil {
		return fmt.Errorf("remember comments: %w", err)
	}
	return nil
}

// remember keeps first sightings. The first stands, with one exception: a
// delivery that shows the comment as it was posted stands over an earlier one
// that showed it edited, for deliveries come in any order. What head the change
// had, and what the comment spoke of, may become known later, once each, if the
// delivery did not tell. Of approvals the newest stands (see Approved).
func (s session) remember(ctx context.Context, seen []SeenComment) error {
	seen = slices.Clone(seen)
	slices.SortStableFunc(seen, func(a, b SeenComment) int {
		return cmp.Or(cmp.Compare(a.Forge, b.Forge), cmp.Compare(a.RepoID, b.RepoID), cmp.Compare(a.CommentID, b.CommentID))
	})
	for _, c := range seen {
		_, err := s.exec(ctx, `INSERT INTO seen AS s (forge, repo_id, comment, first, known, head, subject, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (forge, repo_id, comment) DO UPDATE SET
				first = excluded.first, known = 1,
				head = CASE WHEN s.comment LIKE 'approval:%' THEN excluded.head WHEN excluded.head <> '' AND (s.known = 0 OR s.head = '') THEN excluded.head ELSE s.head END,
				subject = CASE WHEN s.comment LIKE 'approval:%' THEN excluded.subject WHEN excluded.subject <> '' AND (s.known = 0 OR s.subject = '') THEN excluded.subject ELSE s.subject END,
				at = CASE WHEN s.known = 0 OR s.comment LIKE 'approval:%' THEN excluded.at ELSE s.at END
			WHERE s.known = 0 AND excluded.known = 1
				OR s.comment LIKE 'approval:%' AND (excluded.at > s.at OR excluded.at = s.at AND excluded.subject = 'withdrawn')
				OR s.comment NOT LIKE 'approval:%' AND s.known = 1 AND excluded.known = 1 AND s.first = excluded.first
					AND (s.head = '' AND excluded.head <> '' OR s.subject = '' AND excluded.subject <> '')`,
			c.Forge, c.RepoID, c.CommentID, bound(c.First, firstMax), c.Known, c.Head, c.Subject, c.At)
		if err != nil {
			return fmt.Errorf("remember comment %s: %w", c.CommentID, err)
		}
	}
	return nil
}

// recallMax bounds the parameters of one query.
const recallMax = 500

// Recall implements Store. A comment that was never seen is not in the answer.
func (d *DB) Recall(ctx context.Context, forge, repoID string, ids []string) (map[string]SeenComment, error) {
	out := make(map[string]SeenComment, len(ids))
	for part := range slices.Chunk(ids, recallMax) {
		args := []any{forge, repoID}
		for _, id := range part {
			args = append(args, id)
		}
		err := d.read().each(ctx, `SELECT comment, first, known, head, subject, at FROM seen
			WHERE forge = ? AND repo_id = ? AND comment IN (`+placeholders(len(part))+`)`, args, func(rows *sql.Rows) error {
			c := SeenComment{Forge: forge, RepoID: repoID}
			if err := rows.Scan(&c.CommentID, &c.First, flag{&c.Known}, &c.Head, &c.Subject, stamp{&c.At}); err != nil {
				return err
			}
			out[c.CommentID] = c
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("recall comments: %w", err)
		}
	}
	return out, nil
}

// Pin implements Store. Logins are compared without regard to case. An unknown
// person pins nothing: the answer is then what was pinned before, or "".
func (d *DB) Pin(ctx context.Context, forge, repoID, login string, p fact.Person) (string, error) {
	login = strings.ToLower(login)
	var id string
	find := func(s session) error {
		return s.row(ctx, `SELECT account FROM pins WHERE forge = ? AND repo_id = ? AND login = ?`, forge, repoID, login).Scan(&id)
	}
	err := find(d.read()) // nearly always there
	if errors.Is(err, sql.ErrNoRows) && p.Known() {
		err = d.tx(ctx, func(s session) error {
			if _, err := s.exec(ctx, `INSERT INTO pins (forge, repo_id, login, account, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				forge, repoID, login, p.ID, d.clock.Now()); err != nil {
				return err
			}
			return find(s)
		})
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("pin login %s: %w", login, err)
	}
	return id, nil
}
