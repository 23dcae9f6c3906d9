package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the PostgreSQL advisory lock that starters queue on: the
// bytes of "primum" as a number.
const migrationLock = 0x7072696d756d

// migration is one numbered file, and applied only once.
type migration struct {
	version int
	name    string
	text    string
	sum     string
}

// migrate applies what has not been applied, each file in one transaction, one
// starter at a time. A file that was changed after it was applied is refused,
// and so is a database that knows more than this program.
func (d *DB) migrate(ctx context.Context) error {
	files, err := migrations(migrationFiles)
	if err != nil {
		return err
	}
	return d.migrateTo(ctx, files)
}

func (d *DB) migrateTo(ctx context.Context, files []migration) (err error) {
	conn, err := d.writers.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if d.postgres { // SQLite's transactions are immediate: they queue by themselves
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
			return err
		}
		defer func() {
			_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
			err = errors.Join(err, unlockErr)
		}()
	}
	if err := d.oneMigration(ctx, conn, nil, nil); err != nil {
		return err
	}
	for i := range files {
		if err := d.oneMigration(ctx, conn, &files[i], files); err != nil {
			return err
		}
	}
	return nil
}

// oneMigration applies a file unless it stands already; with none it makes the
// table that the applied files are listed in.
func (d *DB) oneMigration(ctx context.Context, conn *sql.Conn, m *migration, all []migration) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing to do after a commit
	s := session{d, tx}
	if m == nil {
		if _, err := s.exec(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
			version BIGINT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)`); err != nil {
			return err
		}
		return tx.Commit()
	}
	stands, err := s.applied(ctx, *m, len(all))
	if err != nil || stands {
		return err
	}
	if _, err := tx.ExecContext(ctx, d.schema(m.text)); err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	if _, err := s.exec(ctx, `INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)`,
		m.version, m.name, m.sum, d.clock.Now()); err != nil {
		return err
	}
	return tx.Commit()
}

// applied reports whether m stands in the database as it stands here.
func (s session) applied(ctx context.Context, m migration, newest int) (bool, error) {
	var last int
	if err := s.row(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_migrations`).Scan(&last); err != nil {
		return false, err
	}
	if last > newest {
		return false, fmt.Errorf("the database is at schema %d, this program knows %d; start the newer program, or restore the backup taken before it", last, newest)
	}
	var sum string
	err := s.row(ctx, `SELECT sha256 FROM schema_migrations WHERE version = ?`, m.version).Scan(&sum)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if sum != m.sum {
		return false, fmt.Errorf("%s was changed after it was applied (SHA-256 %.12s then, %.12s now); put it back and add a new file instead", m.name, sum, m.sum)
	}
	return true, nil
}

// migrations reads the numbered files in order; the numbers run from 1 without gaps.
func migrations(from fs.FS) ([]migration, error) {
	names, err := fs.Glob(from, "migrations/*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	out := make([]migration, 0, len(names))
	for i, file := range names {
		name := path.Base(file)
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("%s: migrations are numbered from 0001 without gaps; this one is number %d", name, i+1)
		}
		raw, err := fs.ReadFile(from, file)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(raw)
		out = append(out, migration{version: version, name: name, text: string(raw), sum: hex.EncodeToString(sum[:])})
	}
	return out, nil
}

// schema fills in what the two databases call the same thing.
func (d *DB) schema(text string) string {
	words := strings.NewReplacer("{id}", "INTEGER PRIMARY KEY", "{int}", "INTEGER", "{blob}", "BLOB", "{strict}", "STRICT")
	if d.postgres {
		words = strings.NewReplacer("{id}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "{int}", "BIGINT", "{blob}", "BYTEA", "{strict}", "")
	}
	return words.Replace(text)
}
