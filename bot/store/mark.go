package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// hintBodyMax bounds the description kept as a hint, in bytes.
const hintBodyMax = 64 << 10

// Mark implements Store.
func (d *DB) Mark(ctx context.Context, marks []Mark, fans []Fan) (int, error) {
	marked := 0
	err := d.tx(ctx, func(s session) error {
		w := newMarking(d.clock.Now())
		if err := w.add(ctx, s, 0, marks, fans); err != nil {
			return err
		}
		counts, err := w.apply(ctx, s, 1)
		if err != nil {
			return err
		}
		marked = counts[0]
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("mark: %w", err)
	}
	if marked > 0 {
		d.woke()
	}
	return marked, nil
}

// marking gathers the marks of one transaction, one per subject, and applies
// them in the order of their keys: two transactions then never wait for each
// other's rows.
type marking struct {
	now  time.Time
	by   map[Key]*gathered
	news map[string]bool
}

// gathered is what several marks of one subject come to.
type gathered struct {
	Mark
	from map[int]bool // which deliveries of the batch asked
}

func newMarking(now time.Time) *marking {
	return &marking{now: now, by: map[Key]*gathered{}, news: map[string]bool{}}
}

// add gathers marks, and fans as the marks of the subjects they find.
func (w *marking) add(ctx context.Context, s session, from int, marks []Mark, fans []Fan) error {
	for _, m := range marks {
		w.gather(from, m)
	}
	for _, f := range fans {
		keys, err := s.found(ctx, f)
		if err != nil {
			return fmt.Errorf("find subjects: %w", err)
		}
		for _, k := range keys {
			w.gather(from, Mark{Key: k, Reason: f.Reason, IfKnown: true, Settle: f.Settle})
		}
		for _, topic := range f.topics() {
			w.news[topic] = true
		}
	}
	return nil
}

func (w *marking) gather(from int, m Mark) {
	if m.Due.Before(w.now) {
		m.Due = w.now
	}
	m.Hint.Body = bound(m.Hint.Body, hintBodyMax)
	g, ok := w.by[m.Key]
	if !ok {
		w.by[m.Key] = &gathered{Mark: m, from: map[int]bool{from: true}}
		return
	}
	g.from[from] = true
	g.Reason = m.Reason
	g.Closed = m.Closed || g.Closed
	g.IfKnown = g.IfKnown && m.IfKnown
	g.Settle = min(g.Settle, m.Settle)
	if m.Due.Before(g.Due) {
		g.Due = m.Due
	}
	g.Hint = merge(g.Hint, m.Hint)
}

// merge is the newer of two hints, completed from the other; of two with one
// time, the second. A newer hint without a head leaves none: which head stood
// at that time is not known. The statement in mark says the same in SQL.
func merge(old, arrived Hint) Hint {
	if arrived.UpdatedAt.Before(old.UpdatedAt) {
		return old
	}
	if arrived.Head == "" && arrived.UpdatedAt.Equal(old.UpdatedAt) {
		arrived.Head = old.Head
	}
	arrived.Base = cmp.Or(arrived.Base, old.Base)
	arrived.Body = cmp.Or(arrived.Body, old.Body)
	if len(arrived.Detail) == 0 {
		arrived.Detail = old.Detail
	}
	return arrived
}

// apply writes the marks and counts, for each of n deliveries, the subjects it
// marked.
func (w *marking) apply(ctx context.Context, s session, n int) ([]int, error) {
	counts := make([]int, n)
	for _, topic := range sorted(w.news) {
		if _, err := s.exec(ctx, `INSERT INTO news (topic, at) VALUES (?, ?)
			ON CONFLICT (topic) DO UPDATE SET at = excluded.at`, topic, w.now); err != nil {
			return nil, fmt.Errorf("keep news: %w", err)
		}
	}
	order := make([]*gathered, 0, len(w.by))
	for _, g := range w.by {
		order = append(order, g)
	}
	slices.SortFunc(order, func(a, b *gathered) int { return a.Key.compare(b.Key) })
	for _, g := range order {
		touched, err := s.mark(ctx, g.Mark, w.now)
		if err != nil {
			return nil, fmt.Errorf("mark %s %s: %w", g.Kind, g.Ref, err)
		}
		if !touched {
			continue
		}
		for from := range g.from {
			counts[from]++
		}
	}
	return counts, nil
}

func (k Key) compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Forge, o.Forge), cmp.Compare(k.RepoID, o.RepoID), cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.Ref, o.Ref))
}

// markSet is what a mark changes in a row that exists (s), given the mark as a
// row (excluded) and the settle time in milliseconds, three times.
//
// wanted > claimed means that a mark waits unclaimed: the earlier of the two
// times then holds, and the age of the older. Otherwise the row is idle or
// being judged, and the new mark starts its own time.
const markSet = `
	wanted = s.wanted + 1,
	reason = excluded.reason,
	due = CASE
		WHEN s.wanted > s.claimed AND s.gave_up = 0 AND s.due <= excluded.due THEN s.due
		WHEN s.wanted > s.claimed AND s.gave_up = 0 AND s.due <= s.claimed_at + CAST(? AS BIGINT) THEN s.due
		WHEN excluded.due >= s.claimed_at + CAST(? AS BIGINT) THEN excluded.due
		ELSE s.claimed_at + CAST(? AS BIGINT) END,
	marked_at = CASE WHEN s.wanted > s.claimed AND s.gave_up = 0 THEN s.marked_at ELSE excluded.marked_at END,
	tries = CASE WHEN s.gave_up = 1 THEN 0 ELSE s.tries END,
	gave_up = 0,
	hint_head = CASE
		WHEN excluded.hint_at < s.hint_at THEN s.hint_head
		WHEN excluded.hint_at = s.hint_at AND excluded.hint_head = '' THEN s.hint_head
		ELSE excluded.hint_head END,
	hint_base = CASE WHEN excluded.hint_at >= s.hint_at AND excluded.hint_base <> '' THEN excluded.hint_base ELSE s.hint_base END,
	hint_body = CASE WHEN excluded.hint_at >= s.hint_at AND excluded.hint_body <> '' THEN excluded.hint_body ELSE s.hint_body END,
	hint_detail = CASE WHEN excluded.hint_at >= s.hint_at AND excluded.hint_detail IS NOT NULL THEN excluded.hint_detail ELSE s.hint_detail END,
	hint_at = CASE WHEN excluded.hint_at >= s.hint_at THEN excluded.hint_at ELSE s.hint_at END`

// markNew marks a subject, known or not; markKnown only one that exists.
const (
	markColumns = `forge, repo_id, kind, ref, wanted, reason, due, marked_at, created_at, is_open,
	hint_head, hint_base, hint_at, hint_body, hint_detail`
	markNew = `INSERT INTO subjects AS s (` + markColumns + `)
VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (forge, repo_id, kind, ref) DO UPDATE SET` + markSet
	markKnown = `UPDATE subjects AS s SET` + markSet + `
FROM (SELECT CAST(? AS TEXT) AS reason, CAST(? AS BIGINT) AS due, CAST(? AS BIGINT) AS marked_at,
	CAST(? AS TEXT) AS hint_head, CAST(? AS TEXT) AS hint_base, CAST(? AS BIGINT) AS hint_at,
	CAST(? AS TEXT) AS hint_body, CAST(? AS {blob}) AS hint_detail) AS excluded
WHERE s.forge = ? AND s.repo_id = ? AND s.kind = ? AND s.ref = ?`
)

// mark writes one mark; touched is false if the subject had to be known and is not.
func (s session) mark(ctx context.Context, m Mark, now time.Time) (touched bool, err error) {
	key := m.Key.args()
	hint := []any{m.Hint.Head, m.Hint.Base, m.Hint.UpdatedAt, m.Hint.Body, detail(m.Hint.Detail)}
	settle := []any{m.Settle, m.Settle, m.Settle}
	query := markNew
	args := slices.Concat(key, []any{m.Reason, m.Due, now, now, !m.Closed}, hint, settle)
	if m.IfKnown {
		query = markKnown
		args = slices.Concat(settle, []any{m.Reason, m.Due, now}, hint, key)
	}
	n, err := s.exec(ctx, query, args...)
	return n > 0, err
}

// detail is NULL for none, so that a mark without it leaves what stands.
func detail(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return []byte(raw)
}

// found is the keys of the open subjects a fan names.
func (s session) found(ctx context.Context, f Fan) ([]Key, error) {
	where := []string{"s.is_open = 1", "s.forge = ?"}
	args := []any{f.Forge}
	kinds := "s.kind = 'change'"
	switch {
	case f.Issue != "": // a change may link an issue of another repository
		where = append(where, "s.id IN (SELECT subject FROM links WHERE issue = ?)")
		args = append(args, strings.ToLower(f.Issue))
	case f.Head != "":
		kinds = "s.kind IN ('change', 'queue')"
		where = append(where, "(s.head = ? OR s.hint_head = ? OR (s.kind = 'queue' AND s.ref = ?))")
		args = append(args, f.Head, f.Head, f.Head)
	case f.Branch != "":
		where = append(where, "(s.base = ? OR s.hint_base = ?)")
		args = append(args, f.Branch, f.Branch)
	case !f.All:
		return nil, nil
	}
	where = append(where, kinds)
	if f.Issue == "" && f.RepoID != "" {
		where = append(where, "s.repo_id = ?")
		args = append(args, f.RepoID)
	}
	if f.Issue == "" && f.RepoID == "" && f.Owner != "" {
		// The owner, and what lies below it where owners nest: "acme" is above "acme/devices".
		below := strings.ToLower(f.Owner) + "/"
		where = append(where, "s.repo_id IN (SELECT id FROM repos WHERE forge = ? AND substr(lower(owner) || '/', 1, ?) = ?)")
		args = append(args, f.Forge, utf8.RuneCountInString(below), below)
	}
	var keys []Key
	err := s.each(ctx, `SELECT s.forge, s.repo_id, s.kind, s.ref, s.checks FROM subjects s WHERE `+strings.Join(where, " AND "), args,
		func(rows *sql.Rows) error {
			var k Key
			var checks string
			if err := rows.Scan(&k.Forge, &k.RepoID, &k.Kind, &k.Ref, &checks); err != nil {
				return err
			}
			if f.Check == "" || looksAt(checks, f.Check) {
				keys = append(keys, k)
			}
			return nil
		})
	return keys, err
}

// looksAt reports whether a kept list of checks holds a name; one that is null
// or cannot be read holds all.
func looksAt(checks, name string) bool {
	var names []string
	if err := json.Unmarshal([]byte(checks), &names); err != nil || names == nil {
		return true
	}
	return slices.Contains(names, name)
}

// topics name what a fan is about, for the table of news; none for what a
// judgement cannot come to depend on unnoticed.
func (f Fan) topics() []string {
	switch {
	case f.Issue != "":
		return []string{issueTopic(f.Forge, f.Issue)}
	case f.Head != "":
		return []string{headTopic(f.Forge, f.Head), checkTopic(f.Forge, f.Head, f.Check)}
	case f.Branch != "":
		return []string{branchTopic(f.Forge, f.RepoID, f.Branch)}
	default:
		return nil
	}
}

func issueTopic(forge, issue string) string { return "issue " + forge + " " + strings.ToLower(issue) }
func headTopic(forge, sha string) string    { return "head " + forge + " " + sha }

// checkTopic is news of one check on a commit; of one that has no name for "".
func checkTopic(forge, sha, name string) string { return "check " + forge + " " + sha + " " + name }

func branchTopic(forge, repo, branch string) string {
	return "branch " + forge + " " + repo + " " + branch
}

// bound cuts s to at most n bytes at a rune's edge.
func bound(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}
