package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// subjectColumns are the columns Subject.columns scans, in its order.
const subjectColumns = `id, forge, repo_id, kind, ref, wanted, judged, reason, due, tries, problem, gave_up,
	hint_head, hint_base, hint_at, hint_body, hint_detail, is_open, head, base, memory, verdict, marked_at`

// columns are the places to scan subjectColumns into.
func (s *Subject) columns() []any {
	return []any{
		&s.ID, &s.Forge, &s.RepoID, &s.Kind, &s.Ref, &s.Wanted, &s.Judged, &s.Reason,
		stamp{&s.Due},
		&s.Tries, &s.Problem,
		flag{&s.GaveUp},
		&s.Hint.Head, &s.Hint.Base,
		stamp{&s.Hint.UpdatedAt},
		&s.Hint.Body,
		packed[json.RawMessage]{&s.Hint.Detail},
		flag{&s.Open},
		&s.Head, &s.Base,
		memory{&s.Memory},
		&s.Verdict,
		stamp{&s.MarkedAt},
	}
}

// memory scans a packed Memory.
type memory struct{ to *Memory }

// Scan implements sql.Scanner.
func (m memory) Scan(v any) error {
	var raw []byte
	if err := (packed[[]byte]{&raw}).Scan(v); err != nil {
		return err
	}
	*m.to = Memory{}
	if len(raw) == 0 {
		return nil
	}
	return json.Unmarshal(raw, m.to)
}

// byKey is the condition for one subject.
const byKey = ` forge = ? AND repo_id = ? AND kind = ? AND ref = ?`

func (k Key) args() []any { return []any{k.Forge, k.RepoID, k.Kind, k.Ref} }

// Subject implements Store.
func (d *DB) Subject(ctx context.Context, k Key) (Subject, error) {
	var s Subject
	err := d.read().row(ctx, `SELECT `+subjectColumns+` FROM subjects WHERE`+byKey, k.args()...).Scan(s.columns()...)
	if err != nil {
		return Subject{}, fmt.Errorf("read %s %s: %w", k.Kind, k.Ref, none(err))
	}
	return s, nil
}

// Siblings implements Store.
func (d *DB) Siblings(ctx context.Context, k Key, head string) ([]Subject, error) {
	var out []Subject
	err := d.read().each(ctx, `SELECT `+subjectColumns+` FROM subjects
		WHERE is_open = 1 AND forge = ? AND repo_id = ? AND kind = 'change' AND ref <> ? AND (head = ? OR hint_head = ?) ORDER BY id`,
		[]any{k.Forge, k.RepoID, k.Ref, head, head}, func(rows *sql.Rows) error {
			var s Subject
			if err := rows.Scan(s.columns()...); err != nil {
				return err
			}
			out = append(out, s)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read siblings of change %s: %w", k.Ref, err)
	}
	return out, nil
}

// openQuery reads a subject with its repository and its newest verdict.
const openQuery = `SELECT s.id, s.forge, s.repo_id, s.kind, s.ref, s.wanted, s.judged, s.reason, s.due, s.tries, s.problem, s.gave_up,
	s.hint_head, s.hint_base, s.hint_at, s.hint_body, s.hint_detail, s.is_open, s.head, s.base, s.memory, s.verdict, s.marked_at,
	COALESCE(r.owner, ''), COALESCE(r.name, ''), COALESCE(r.private, 1), COALESCE(NULLIF(v.product, ''), r.product, ''),
	COALESCE(v.title, ''), COALESCE(v.state, ''), COALESCE(v.class, ''), COALESCE(v.mode, ''), COALESCE(v.reason, ''), COALESCE(v.judged_at, 0), s.created_at
FROM subjects s
LEFT JOIN repos r ON r.forge = s.forge AND r.id = s.repo_id
LEFT JOIN verdicts v ON v.id = s.verdict
WHERE s.is_open = 1 AND s.kind = 'change'`

// Open implements Store; the newest change first. A repository that is not
// known is taken to be private.
func (d *DB) Open(ctx context.Context, forge, repoID string, limit int) ([]OpenRow, error) {
	query, args := openQuery, []any{}
	if forge != "" {
		query += ` AND s.forge = ?`
		args = append(args, forge)
	}
	if repoID != "" {
		query += ` AND s.repo_id = ?`
		args = append(args, repoID)
	}
	var out []OpenRow
	err := d.read().each(ctx, query+` ORDER BY s.created_at DESC, s.id DESC LIMIT ?`, append(args, limit), func(rows *sql.Rows) error {
		var o OpenRow
		to := append(o.Subject.columns(), &o.Owner, &o.Name, flag{&o.Private}, &o.Product,
			&o.Title, &o.State, &o.Class, &o.Mode, &o.Why, stamp{&o.JudgedAt}, stamp{&o.OpenedAt})
		if err := rows.Scan(to...); err != nil {
			return err
		}
		o.Number, _ = strconv.Atoi(o.Ref) // a change's ref is its number
		out = append(out, o)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list open changes: %w", err)
	}
	return out, nil
}

// Counts implements Store.
func (d *DB) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	var oldest time.Time
	now := d.clock.Now()
	err := d.read().row(ctx, `SELECT
		(SELECT COUNT(*) FROM subjects WHERE next_at IS NOT NULL AND wanted > judged),
		(SELECT COUNT(*) FROM subjects WHERE next_at <= ?),
		(SELECT COUNT(*) FROM subjects WHERE lease_until > ?),
		(SELECT COUNT(*) FROM subjects WHERE gave_up = 1),
		(SELECT MIN(marked_at) FROM subjects WHERE next_at IS NOT NULL AND wanted > judged),
		(SELECT COUNT(*) FROM deliveries),
		(SELECT COUNT(*) FROM verdicts)`, now, now).
		Scan(&c.Waiting, &c.Due, &c.Leased, &c.GaveUp, stamp{&oldest}, &c.Deliveries, &c.Verdicts)
	if err != nil {
		return Counts{}, fmt.Errorf("count subjects: %w", err)
	}
	if !oldest.IsZero() {
		c.Oldest = now.Sub(oldest)
	}
	return c, nil
}
