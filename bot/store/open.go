package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"primum/bot/clock"
)

// DB is the Store on SQLite or PostgreSQL.
type DB struct {
	writers  *sql.DB // SQLite: one connection, so that writers queue here and not in the file's lock
	readers  *sql.DB
	postgres bool
	clock    clock.Clock
	log      *slog.Logger

	texts    sync.Map  // statement to the dialect's text
	compiled prepared  // of the writing connection, SQLite only
	zippers  sync.Pool // *gzip.Writer

	wake    chan struct{}
	accepts chan *acceptance
	closed  chan struct{}
	closing sync.Once
	stop    context.CancelFunc
	batches sync.WaitGroup
}

var _ Store = (*DB)(nil)

// Open opens the database and brings its schema up to date. The address is
// "postgres://…" (or "postgresql://…"), "sqlite:PATH", a bare path, or
// ":memory:" for a database that lives as long as the DB. An error never holds
// a password.
func Open(ctx context.Context, address string, c clock.Clock, log *slog.Logger) (*DB, error) {
	d := &DB{clock: c, log: log, wake: make(chan struct{}, 1), accepts: make(chan *acceptance), closed: make(chan struct{})}
	batchers := 1
	var err error
	path := strings.TrimPrefix(strings.TrimPrefix(address, "sqlite:"), "//")
	if IsPostgres(address) {
		d.postgres = true
		batchers = 2
		err = d.openPostgres(address)
	} else {
		err = d.openSQLite(path)
	}
	if err != nil {
		return nil, err
	}
	if err := d.start(ctx, batchers); err != nil {
		_ = d.closePools() // the first error tells more
		if !d.postgres {   // a path holds no password, and the driver does not name it
			return nil, fmt.Errorf("%w; %s must be a database of SQLite, or not be there yet, in a folder this account can write to", err, path)
		}
		return nil, err
	}
	return d, nil
}

// IsPostgres reports whether an address names a PostgreSQL database.
func IsPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

func (d *DB) start(ctx context.Context, batchers int) error {
	if err := d.writers.PingContext(ctx); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if err := d.migrate(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	if err := d.compareClocks(ctx); err != nil {
		return fmt.Errorf("ask the database for the time: %w", err)
	}
	batchCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	for range batchers {
		d.batches.Go(func() { d.batch(batchCtx) })
	}
	return nil
}

func (d *DB) openPostgres(address string) error {
	conf, err := pgx.ParseConfig(address)
	if err != nil {
		return errors.New("open database: the postgres:// address cannot be read; it looks like postgres://user:password@host:5432/name")
	}
	db := stdlib.OpenDB(*conf)
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(8)
	db.SetConnMaxIdleTime(5 * time.Minute)
	d.writers, d.readers = db, db
	return nil
}

func (d *DB) openSQLite(path string) error {
	if path == "" {
		return errors.New("open database: the path of the SQLite file is empty")
	}
	if path == ":memory:" {
		return d.openMemory()
	}
	if scheme, _, ok := strings.Cut(path, "://"); ok { // the rest may hold a password
		return fmt.Errorf("open database: %s:// is neither postgres:// nor sqlite:PATH", scheme)
	}
	if dir := filepath.Dir(path); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("open database: %w", err)
		}
	}
	name := "file:" + (&url.URL{Path: path}).EscapedPath()
	pragmas := "&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	var err error
	if d.writers, err = sql.Open("sqlite", name+"?_txlock=immediate"+pragmas); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	d.writers.SetMaxOpenConns(1)
	d.writers.SetMaxIdleConns(1)
	if d.readers, err = sql.Open("sqlite", name+"?_txlock=deferred"+pragmas+"&_pragma=query_only(1)"); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	d.readers.SetMaxOpenConns(4)
	d.readers.SetMaxIdleConns(4)
	return nil
}

// openMemory gives readers and writers the one connection that holds the
// database; code therefore never reads outside a transaction it holds open.
func (d *DB) openMemory() error {
	db, err := sql.Open("sqlite", "file::memory:?_txlock=immediate&_pragma=foreign_keys(1)")
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	db.SetConnMaxLifetime(0)
	d.writers, d.readers = db, db
	return nil
}

// clockSlack is how far the clocks of two replicas may be apart before leases
// are no longer to be trusted; a third of the usual lease.
const clockSlack = 10 * time.Second

// compareClocks warns when the database's clock is far from ours: leases of
// replicas are compared by the replicas' own clocks.
func (d *DB) compareClocks(ctx context.Context) error {
	if _, real := d.clock.(clock.System); !d.postgres || !real {
		return nil
	}
	var theirs int64
	query := `SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)`
	if err := d.read().row(ctx, query).Scan(&theirs); err != nil {
		return err
	}
	if off := d.clock.Now().Sub(at(theirs)); off.Abs() > clockSlack {
		d.log.WarnContext(ctx, "clock differs from the database's; replicas need clocks that agree", slog.Duration("off", off))
	}
	return nil
}

// Wake implements Store.
func (d *DB) Wake() <-chan struct{} { return d.wake }

// woke signals Wake without blocking.
func (d *DB) woke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Ready implements Store: it writes, because a full disk reads well.
func (d *DB) Ready(ctx context.Context) error {
	return d.Note(ctx, "ready", d.clock.Now().Format(time.RFC3339))
}

// Close stops accepting, ends what waits with an error, and closes the pools. A
// second Close does nothing.
func (d *DB) Close() (err error) {
	d.closing.Do(func() {
		close(d.closed)
		d.stop()
		d.batches.Wait()
		err = d.closePools()
	})
	return err
}

func (d *DB) closePools() error {
	err := d.writers.Close()
	if d.readers != d.writers {
		err = errors.Join(err, d.readers.Close())
	}
	return err
}
