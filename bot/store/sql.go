package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// txTries bounds how often a transaction that lost a race is tried.
const txTries = 8

// querier is what *sql.DB and *sql.Tx share.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// session speaks the database's dialect over a pool or a transaction.
type session struct {
	db *DB
	q  querier
}

// exec runs a statement and reports the rows it touched.
func (s session) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := s.q.ExecContext(ctx, s.db.dialect(query), plain(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row runs a query for one row.
func (s session) row(ctx context.Context, query string, args ...any) *sql.Row {
	return s.q.QueryRowContext(ctx, s.db.dialect(query), plain(args)...)
}

// each runs a query and calls scan for every row.
func (s session) each(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) (err error) {
	rows, err := s.q.QueryContext(ctx, s.db.dialect(query), plain(args)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// read is a session on the readers' pool.
func (d *DB) read() session { return session{d, d.readers} }

// write is a session on the writers' pool, one transaction per statement.
func (d *DB) write() session { return session{d, d.writers} }

// tx runs fn in one transaction, again if it lost a race for locks. fn must be
// able to run twice.
func (d *DB) tx(ctx context.Context, fn func(session) error) error {
	for try := 1; ; try++ {
		err := d.once(ctx, fn)
		if err == nil || try == txTries || !raced(err) || ctx.Err() != nil {
			return err
		}
	}
}

func (d *DB) once(ctx context.Context, fn func(session) error) error {
	tx, err := d.writers.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	var q querier = tx
	if !d.postgres {
		q = compiledTx{tx, &d.compiled}
	}
	if err := fn(session{d, q}); err != nil {
		_ = tx.Rollback() // the first error tells more
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if !d.postgres {
		d.compiled.compile(context.WithoutCancel(ctx), d.writers)
	}
	return nil
}

// raced reports whether the same transaction may succeed if run again.
func raced(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	return false
}

// dialect turns the one text of a statement into what the database reads:
// numbered parameters and row locks on PostgreSQL, neither on SQLite.
func (d *DB) dialect(query string) string {
	if s, ok := d.texts.Load(query); ok {
		if text, ok := s.(string); ok {
			return text
		}
	}
	text := query
	if d.postgres {
		text = rebind(strings.ReplaceAll(text, "{blob}", "BYTEA"))
	} else {
		text = strings.ReplaceAll(text, "{blob}", "BLOB")
		text = strings.ReplaceAll(text, " FOR UPDATE SKIP LOCKED", "")
		text = strings.ReplaceAll(text, " FOR UPDATE", "")
	}
	d.texts.Store(query, text)
	return text
}

// rebind numbers the question marks outside string literals.
func rebind(query string) string {
	var b strings.Builder
	n, quoted := 0, false
	for _, r := range query {
		switch {
		case r == '\'':
			quoted = !quoted
			b.WriteRune(r)
		case r == '?' && !quoted:
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plain turns arguments into what both databases take: times to milliseconds,
// booleans to 0 and 1, text to valid UTF-8 without NUL (which PostgreSQL
// refuses, and a forge's JSON may hold).
func plain(args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case time.Time:
			args[i] = ms(v)
		case time.Duration:
			args[i] = v.Milliseconds()
		case bool:
			args[i] = int64(0)
			if v {
				args[i] = int64(1)
			}
		case string:
			args[i] = clean(v)
		case Kind:
			args[i] = clean(string(v))
		case int:
			args[i] = int64(v)
		}
	}
	return args
}

func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// ms is a time as kept: milliseconds since the epoch, 0 for the zero time.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// at is a time as read.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// stamp scans milliseconds into a time.
type stamp struct{ t *time.Time }

// Scan implements sql.Scanner.
func (s stamp) Scan(v any) error {
	switch n := v.(type) {
	case nil:
		*s.t = time.Time{}
	case int64:
		*s.t = at(n)
	default:
		return fmt.Errorf("time column holds %T", v)
	}
	return nil
}

// flag scans 0 or 1 into a bool.
type flag struct{ b *bool }

// Scan implements sql.Scanner.
func (f flag) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("boolean column holds %T", v)
	}
	*f.b = n != 0
	return nil
}

// none turns the database's "no rows" into ErrNone.
func none(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNone
	}
	return err
}

// placeholders is "?, ?, ?" for n parameters.
func placeholders(n int) string {
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}
