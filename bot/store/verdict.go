package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// SaveVerdict implements Store. Of equal verdicts, the trigger that asked may
// differ too: being asked again is no new answer.
func (d *DB) SaveVerdict(ctx context.Context, c *Claim, v VerdictRow) (int64, error) {
	digest, err := v.content()
	if err != nil {
		return 0, fmt.Errorf("save verdict: %w", err)
	}
	text, facts := d.pack(v.JSON), d.pack(v.Facts)
	var id int64
	err = d.tx(ctx, func(s session) error {
		if err := s.holds(ctx, c, " FOR UPDATE"); err != nil {
			return err
		}
		err := s.row(ctx, `SELECT v.id FROM subjects s JOIN verdicts v ON v.id = s.verdict WHERE s.id = ? AND v.digest = ?`, c.ID, digest).Scan(&id)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		err = s.row(ctx, `INSERT INTO verdicts (subject, head, state, mode, class, product, title, reason,
			policy_oid, facts_digest, engine, judged_at, cause, digest, verdict, facts)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			c.ID, v.Head, v.State, v.Mode, v.Class, v.Product, v.Title, v.Reason,
			v.PolicyOID, v.FactsDigest, v.Engine, v.JudgedAt, v.Trigger, digest, text, facts).Scan(&id)
		if err != nil {
			return err
		}
		_, err = s.exec(ctx, `UPDATE subjects SET verdict = ? WHERE id = ?`, id, c.ID)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("save verdict: %w", err)
	}
	return id, nil
}

// content identifies a verdict apart from its times and its trigger.
func (v VerdictRow) content() (string, error) {
	fields := map[string]json.RawMessage{}
	if len(v.JSON) > 0 {
		if err := json.Unmarshal(v.JSON, &fields); err != nil {
			return "", fmt.Errorf("verdict is not JSON: %w", err)
		}
	}
	delete(fields, "read_at")
	delete(fields, "judged_at")
	raw, err := json.Marshal([]any{
		v.Head, v.State, v.Mode, v.Class, v.Product, v.Title, v.Reason,
		v.PolicyOID, v.FactsDigest, v.Engine, fields,
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// What reads a verdict without its JSON and facts.
const (
	verdictColumns = `v.id, s.forge, s.repo_id, s.kind, s.ref, v.head, v.state, v.mode, v.class, v.product,
	v.title, v.reason, v.policy_oid, v.facts_digest, v.engine, v.judged_at, v.cause`
	verdictTables = ` FROM verdicts v JOIN subjects s ON s.id = v.subject`
)

func (v *VerdictRow) columns() []any {
	return []any{
		&v.ID, &v.Key.Forge, &v.Key.RepoID, &v.Key.Kind, &v.Key.Ref, &v.Head, &v.State, &v.Mode, &v.Class, &v.Product,
		&v.Title, &v.Reason, &v.PolicyOID, &v.FactsDigest, &v.Engine,
		stamp{&v.JudgedAt},
		&v.Trigger,
	}
}

// Verdict implements Store; ErrNone if there is none of this id.
func (d *DB) Verdict(ctx context.Context, id int64) (VerdictRow, error) {
	var v VerdictRow
	to := append(v.columns(), packed[json.RawMessage]{&v.JSON}, packed[json.RawMessage]{&v.Facts})
	err := d.read().row(ctx, `SELECT `+verdictColumns+`, v.verdict, v.facts`+verdictTables+` WHERE v.id = ?`, id).Scan(to...)
	if err != nil {
		return VerdictRow{}, fmt.Errorf("read verdict %d: %w", id, none(err))
	}
	return v, nil
}

// Verdicts implements Store.
func (d *DB) Verdicts(ctx context.Context, k Key, limit int) ([]VerdictRow, error) {
	var out []VerdictRow
	err := d.read().each(ctx, `SELECT `+verdictColumns+verdictTables+` WHERE`+byKey+` ORDER BY v.id DESC LIMIT ?`,
		append(k.args(), limit), func(rows *sql.Rows) error {
			var v VerdictRow
			if err := rows.Scan(v.columns()...); err != nil {
				return err
			}
			out = append(out, v)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read verdicts of %s %s: %w", k.Kind, k.Ref, err)
	}
	return out, nil
}
