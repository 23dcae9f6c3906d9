package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// What reads an act.
const (
	actColumns = `a.id, a.act, s.forge, s.repo_id, s.kind, s.ref, a.kind, a.detail, a.verdict, a.at, a.done_at, a.result, a.error`
	actTables  = ` FROM acts a JOIN subjects s ON s.id = a.subject`
)

func (a *Act) columns() []any {
	return []any{
		&a.ID, &a.Key, &a.Subject.Forge, &a.Subject.RepoID, &a.Subject.Kind, &a.Subject.Ref,
		&a.Kind, &a.Detail, &a.Verdict,
		stamp{&a.At},
		stamp{&a.DoneAt},
		&a.Result, &a.Error,
	}
}

// BeginAct implements Store. An act that was begun and not ended, or that
// ended in an error, is begun again under its old id: whether a crash came
// before or after the forge heard of it only the forge can say.
func (d *DB) BeginAct(ctx context.Context, c *Claim, a Act) (act Act, done bool, err error) {
	err = d.tx(ctx, func(s session) error {
		done = false
		if err := s.holds(ctx, c, " FOR UPDATE"); err != nil {
			return err
		}
		err := s.row(ctx, `SELECT `+actColumns+actTables+` WHERE a.act = ?`, a.Key).Scan(act.columns()...)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			act = a
			act.Subject, act.At = c.Key, at(ms(s.db.clock.Now()))
			return s.row(ctx, `INSERT INTO acts (act, subject, kind, detail, verdict, at) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
				a.Key, c.ID, a.Kind, a.Detail, a.Verdict, act.At).Scan(&act.ID)
		case err != nil:
			return err
		case !act.DoneAt.IsZero() && act.Error == "":
			done = true
			return nil
		default:
			_, err := s.exec(ctx, `UPDATE acts SET detail = ?, verdict = ?, done_at = 0, error = '' WHERE id = ?`, a.Detail, a.Verdict, act.ID)
			return err
		}
	})
	if err != nil {
		return Act{}, false, fmt.Errorf("begin act %s: %w", a.Key, err)
	}
	return act, done, nil
}

// EndAct implements Store.
func (d *DB) EndAct(ctx context.Context, id int64, result string, actErr error) error {
	problem := ""
	if actErr != nil {
		problem = bound(actErr.Error(), problemMax)
	}
	n, err := d.write().exec(ctx, `UPDATE acts SET done_at = ?, result = ?, error = ? WHERE id = ?`, d.clock.Now(), result, problem, id)
	if err == nil && n == 0 {
		err = ErrNone
	}
	if err != nil {
		return fmt.Errorf("end act %d: %w", id, err)
	}
	return nil
}

// Acts implements Store; newest first.
func (d *DB) Acts(ctx context.Context, k Key, limit int) ([]Act, error) {
	var out []Act
	err := d.read().each(ctx, `SELECT `+actColumns+actTables+` WHERE s.forge = ? AND s.repo_id = ? AND s.kind = ? AND s.ref = ?
		ORDER BY a.id DESC LIMIT ?`, append(k.args(), limit), func(rows *sql.Rows) error {
		var a Act
		if err := rows.Scan(a.columns()...); err != nil {
			return err
		}
		out = append(out, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read acts of %s %s: %w", k.Kind, k.Ref, err)
	}
	return out, nil
}
