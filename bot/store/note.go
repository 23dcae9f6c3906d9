package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Note implements Store.
func (d *DB) Note(ctx context.Context, key, value string) error {
	_, err := d.write().exec(ctx, `INSERT INTO notes (name, value) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, key, value)
	if err != nil {
		return fmt.Errorf("note %s: %w", key, err)
	}
	return nil
}

// Noted implements Store.
func (d *DB) Noted(ctx context.Context, key string) (string, bool, error) {
	var value string
	err := d.read().row(ctx, `SELECT value FROM notes WHERE name = ?`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read note %s: %w", key, err)
	}
	return value, true, nil
}

// What Trim removes at once, so that no transaction holds the database long,
// and how long news is of use: longer than any judgement takes.
const (
	trimAtOnce = 500
	newsKept   = 24 * time.Hour
)

// Trim implements Store; it reports the bodies removed.
func (d *DB) Trim(ctx context.Context, olderThan time.Duration) (int64, error) {
	now := d.clock.Now()
	if _, err := d.write().exec(ctx, `DELETE FROM news WHERE at < ?`, now.Add(-newsKept)); err != nil {
		return 0, fmt.Errorf("trim news: %w", err)
	}
	var total int64
	for {
		n, err := d.write().exec(ctx, `UPDATE deliveries SET body = NULL WHERE id IN (
			SELECT id FROM deliveries WHERE body IS NOT NULL AND received_at < ? ORDER BY received_at LIMIT ?)`,
			now.Add(-olderThan), trimAtOnce)
		if err != nil {
			return total, fmt.Errorf("trim deliveries: %w", err)
		}
		total += n
		if n < trimAtOnce {
			return total, nil
		}
	}
}
