package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"primum/rules/fact"
)

// claimDue takes the rows that have been due longest. The time a subject asked
// for itself (again) becomes a mark as it is claimed, so that from here on
// there is one kind of work. A lease that ran out counts as a failed try.
const claimDue = `
WITH chosen AS (
	SELECT id FROM subjects WHERE next_at <= ? AND lease_until <= ?
	ORDER BY next_at LIMIT ? FOR UPDATE SKIP LOCKED)
UPDATE subjects SET
	owner = ?, token = ?, lease_until = ?, claimed_at = ?,
	reason = CASE WHEN wanted > judged THEN reason ELSE ? END,
	marked_at = CASE WHEN wanted > judged THEN marked_at ELSE again END,
	due = CASE WHEN wanted > judged AND gave_up = 0 THEN due ELSE again END,
	again = CASE WHEN again <= ? THEN 0 ELSE again END,
	claimed = CASE WHEN wanted > judged THEN wanted ELSE wanted + 1 END,
	wanted = CASE WHEN wanted > judged THEN wanted ELSE wanted + 1 END,
	tries = CASE WHEN token <> '' THEN tries + 1 ELSE tries END,
	gave_up = 0
WHERE id IN (SELECT id FROM chosen)
RETURNING ` + subjectColumns

// Claim implements Store.
func (d *DB) Claim(ctx context.Context, owner string, lease time.Duration, n int) ([]Claim, error) {
	now := d.clock.Now()
	until := at(ms(now.Add(lease)))
	var claims []Claim
	err := d.tx(ctx, func(s session) error {
		claims = nil
		token := rand.Text()
		return s.each(ctx, claimDue, []any{now, now, n, owner, token, until, now, string(fact.OnClock), now},
			func(rows *sql.Rows) error {
				c := Claim{Token: token, Lease: until}
				if err := rows.Scan(c.columns()...); err != nil {
					return err
				}
				claims = append(claims, c)
				return nil
			})
	})
	if err != nil {
		return nil, fmt.Errorf("claim subjects: %w", err)
	}
	slices.SortFunc(claims, func(a, b Claim) int { return a.Due.Compare(b.Due) })
	return claims, nil
}

// NextDue implements Store. A subject that is claimed counts from when its
// lease runs out.
func (d *DB) NextDue(ctx context.Context) (time.Time, bool, error) {
	var free, leased sql.NullInt64
	err := d.read().row(ctx, `SELECT
		(SELECT next_at FROM subjects WHERE next_at IS NOT NULL AND lease_until <= ? ORDER BY next_at LIMIT 1),
		(SELECT MIN(CASE WHEN lease_until > next_at THEN lease_until ELSE next_at END) FROM subjects WHERE lease_until > 0 AND next_at IS NOT NULL)`,
		d.clock.Now()).Scan(&free, &leased)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("next due subject: %w", err)
	}
	switch {
	case free.Valid && leased.Valid:
		return at(min(free.Int64, leased.Int64)), true, nil
	case free.Valid:
		return at(free.Int64), true, nil
	case leased.Valid:
		return at(leased.Int64), true, nil
	default:
		return time.Time{}, false, nil
	}
}

// stands is the condition that a claim has not been lost.
const stands = ` id = ? AND token = ? AND lease_until > ?`

// Extend implements Store.
func (d *DB) Extend(ctx context.Context, c *Claim, lease time.Duration) error {
	now := d.clock.Now()
	until := at(ms(now.Add(lease)))
	n, err := d.write().exec(ctx, `UPDATE subjects SET lease_until = ? WHERE`+stands, until, c.ID, c.Token, now)
	if err != nil {
		return fmt.Errorf("extend lease: %w", err)
	}
	if n == 0 {
		return ErrLost
	}
	c.Lease = until
	return nil
}

// Holds implements Store.
func (d *DB) Holds(ctx context.Context, c *Claim) error {
	if err := d.read().holds(ctx, c, ""); err != nil {
		return fmt.Errorf("check lease: %w", err)
	}
	return nil
}

// holds is ErrLost unless the claim stands; lock is " FOR UPDATE" or "".
func (s session) holds(ctx context.Context, c *Claim, lock string) error {
	var one int
	err := s.row(ctx, `SELECT 1 FROM subjects WHERE`+stands+lock, c.ID, c.Token, s.db.clock.Now()).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrLost
	}
	return err
}

// Done implements Store.
func (d *DB) Done(ctx context.Context, c *Claim, f Finish) error {
	due := false
	err := d.tx(ctx, func(s session) error {
		var err error
		if f.Problem != "" {
			return s.fail(ctx, c, f)
		}
		due, err = s.succeed(ctx, c, f)
		return err
	})
	if err != nil {
		return fmt.Errorf("finish subject: %w", err)
	}
	if due {
		d.woke()
	}
	return nil
}

// free are the assignments that end a claim.
const free = `owner = '', token = '', lease_until = 0`

// succeed ends a claim that was judged; due reports whether the subject waits
// for another judgement.
func (s session) succeed(ctx context.Context, c *Claim, f Finish) (due bool, err error) {
	memory, err := json.Marshal(f.Memory)
	if err != nil {
		return false, err
	}
	checks, err := json.Marshal(f.Checks)
	if err != nil {
		return false, err
	}
	var wanted int64
	err = s.row(ctx, `UPDATE subjects SET `+free+`, judged = ?, again = ?, tries = 0, problem = '',
		memory = ?, is_open = ?, head = ?, base = ?, checks = ? WHERE`+stands+` RETURNING wanted`,
		c.Wanted, f.Again, s.db.pack(memory), f.Open, f.Head, f.Base, string(checks), c.ID, c.Token, s.db.clock.Now()).Scan(&wanted)
	if errors.Is(err, sql.ErrNoRows) {
		return false, ErrLost
	}
	if err != nil {
		return false, err
	}
	if err := s.relink(ctx, c, f); err != nil {
		return false, fmt.Errorf("keep links: %w", err)
	}
	if wanted > c.Wanted {
		return true, nil
	}
	return s.missed(ctx, c, f)
}

// relink makes the links of a subject those of its newest judgement.
func (s session) relink(ctx context.Context, c *Claim, f Finish) error {
	if !f.Open {
		_, err := s.exec(ctx, `DELETE FROM links WHERE subject = ?`, c.ID)
		return err
	}
	want := map[string]bool{}
	for _, l := range f.Links {
		want[strings.ToLower(l)] = true
	}
	var gone []string
	err := s.each(ctx, `SELECT issue FROM links WHERE subject = ?`, []any{c.ID}, func(rows *sql.Rows) error {
		var issue string
		if err := rows.Scan(&issue); err != nil {
			return err
		}
		if !want[issue] {
			gone = append(gone, issue)
		}
		delete(want, issue)
		return nil
	})
	if err != nil {
		return err
	}
	for _, issue := range gone {
		if _, err := s.exec(ctx, `DELETE FROM links WHERE subject = ? AND issue = ?`, c.ID, issue); err != nil {
			return err
		}
	}
	for _, issue := range sorted(want) {
		if _, err := s.exec(ctx, `INSERT INTO links (subject, issue) VALUES (?, ?) ON CONFLICT DO NOTHING`, c.ID, issue); err != nil {
			return err
		}
	}
	return nil
}

// missed marks the subject again if something it turned out to depend on had
// news after the claim: the fan of that news could not find it yet.
func (s session) missed(ctx context.Context, c *Claim, f Finish) (bool, error) {
	if !f.Open {
		return false, nil
	}
	topics := []any{branchTopic(c.Forge, c.RepoID, f.Base)}
	if f.Checks == nil {
		topics = append(topics, headTopic(c.Forge, f.Head))
	} else {
		topics = append(topics, checkTopic(c.Forge, f.Head, ""))
	}
	for _, name := range f.Checks {
		topics = append(topics, checkTopic(c.Forge, f.Head, name))
	}
	for _, l := range f.Links {
		topics = append(topics, issueTopic(c.Forge, l))
	}
	n, err := s.exec(ctx, `UPDATE subjects SET wanted = wanted + 1, due = ?, marked_at = ?, reason = ?
		WHERE id = ? AND EXISTS (SELECT 1 FROM news WHERE at >= claimed_at AND topic IN (`+placeholders(len(topics))+`))`,
		slices.Concat([]any{s.db.clock.Now(), s.db.clock.Now(), c.Reason, c.ID}, topics)...)
	return n > 0, err
}

// problemMax bounds the error kept of a failed try, in bytes.
const problemMax = 2 << 10

// fail ends a claim whose judgement failed: due again at f.Retry, or at what a
// mark that came meanwhile asks for; given up if there is neither.
func (s session) fail(ctx context.Context, c *Claim, f Finish) error {
	var memory any
	if raw, err := json.Marshal(f.Memory); err != nil {
		return err
	} else if string(raw) != "{}" {
		memory = s.db.pack(raw)
	}
	n, err := s.exec(ctx, `UPDATE subjects SET `+free+`, claimed = judged, problem = ?, tries = tries + CAST(? AS BIGINT),
		gave_up = CASE WHEN wanted > CAST(? AS BIGINT) THEN 0 ELSE CAST(? AS BIGINT) END,
		due = CASE WHEN wanted > CAST(? AS BIGINT) THEN due ELSE CAST(? AS BIGINT) END,
		marked_at = ?,
		memory = COALESCE(CAST(? AS {blob}), memory),
		head = CASE WHEN CAST(? AS TEXT) <> '' THEN CAST(? AS TEXT) ELSE head END,
		base = CASE WHEN CAST(? AS TEXT) <> '' THEN CAST(? AS TEXT) ELSE base END
		WHERE`+stands,
		bound(f.Problem, problemMax), !f.Waited, c.Wanted, f.Retry.IsZero(), c.Wanted, f.Retry, c.MarkedAt,
		memory, f.Head, f.Head, f.Base, f.Base, c.ID, c.Token, s.db.clock.Now())
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrLost
	}
	s.db.woke() // the pool asks anew when the next subject is due
	return nil
}

// Release implements Store.
func (d *DB) Release(ctx context.Context, c *Claim) error {
	n, err := d.write().exec(ctx, `UPDATE subjects SET `+free+`, claimed = judged, marked_at = ? WHERE id = ? AND token = ?`,
		c.MarkedAt, c.ID, c.Token)
	if err != nil {
		return fmt.Errorf("release subject: %w", err)
	}
	if n == 0 {
		return ErrLost
	}
	d.woke()
	return nil
}

// Reclaim implements Store.
func (d *DB) Reclaim(ctx context.Context, owner string) (int, error) {
	n, err := d.write().exec(ctx, `UPDATE subjects SET `+free+`, claimed = judged, tries = tries + 1
		WHERE lease_until > 0 AND owner = ?`, owner)
	if err != nil {
		return 0, fmt.Errorf("reclaim subjects of %s: %w", owner, err)
	}
	if n > 0 {
		d.woke()
	}
	return int(n), nil
}
