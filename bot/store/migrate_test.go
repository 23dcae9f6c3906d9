package store

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"primum/bot/clock"
	"primum/bot/store/pgtest"
)

// eachBackend runs a test on an empty database of either kind.
func eachBackend(t *testing.T, run func(t *testing.T, address string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, filepath.Join(t.TempDir(), "primum.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		run(t, pgtest.New(t).Database(t))
	})
}

func openDB(t *testing.T, address string) *DB {
	t.Helper()
	db, err := Open(context.WithoutCancel(t.Context()), address, clock.System{}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// files are the shipped migrations and more, as if read from disk.
func files(t *testing.T, more map[string]string) []migration {
	t.Helper()
	shipped, err := migrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	disk := fstest.MapFS{}
	for _, m := range shipped {
		disk["migrations/"+m.name] = &fstest.MapFile{Data: []byte(m.text)}
	}
	for name, text := range more {
		disk["migrations/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	all, err := migrations(disk)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestMigrationsAreAppliedOnceByManyStarters(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, address string) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { openDB(t, address) })
		}
		wg.Wait()
		var n int
		if err := openDB(t, address).read().row(t.Context(), `SELECT COUNT(*) FROM schema_migrations`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if want := len(files(t, nil)); n != want {
			t.Errorf("%d migrations are listed, want %d", n, want)
		}
	})
}

func TestMigrationThatFailsHalfwayLeavesNothing(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, address string) {
		db := openDB(t, address)
		bad := files(t, map[string]string{"0002_more.sql": "CREATE TABLE more (a {int}); INSERT INTO none VALUES (1);"})
		if err := db.migrateTo(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "0002_more.sql") {
			t.Fatalf("error %v, want one that names the file", err)
		}
		good := files(t, map[string]string{"0002_more.sql": "CREATE TABLE more (a {int});"})
		if err := db.migrateTo(t.Context(), good); err != nil {
			t.Errorf("after mending the file: %v", err)
		}
	})
}

func TestMigrationsThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, address string) {
		db := openDB(t, address)
		edited := files(t, map[string]string{"0001_first.sql": "CREATE TABLE other (a {int});"})
		if err := db.migrateTo(t.Context(), edited); err == nil || !strings.Contains(err.Error(), "0001_first.sql was changed after it was applied") {
			t.Errorf("an edited file: error %v", err)
		}
		newer := files(t, map[string]string{"0002_more.sql": "CREATE TABLE more (a {int});"})
		if err := db.migrateTo(t.Context(), newer); err != nil {
			t.Fatal(err)
		}
		if err := db.migrateTo(t.Context(), files(t, nil)); err == nil || !strings.Contains(err.Error(), "start the newer program") {
			t.Errorf("a database that is ahead: error %v", err)
		}
	})
}

func TestMigrationNumbersHaveNoGaps(t *testing.T) {
	t.Parallel()
	for name, disk := range map[string]fstest.MapFS{
		"a gap":          {"migrations/0002_b.sql": {}},
		"no number":      {"migrations/first.sql": {}},
		"a number twice": {"migrations/0001_a.sql": {}, "migrations/0001_b.sql": {}},
	} {
		if _, err := migrations(disk); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRebindNumbersParametersOutsideText(t *testing.T) {
	t.Parallel()
	got := rebind(`SELECT '?', 'it''s ?' WHERE a = ? AND b IN (?, ?)`)
	if want := `SELECT '?', 'it''s ?' WHERE a = $1 AND b IN ($2, $3)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPackedValuesComeBack(t *testing.T) {
	t.Parallel()
	var db DB
	for name, value := range map[string]string{
		"empty": "", "short": `{"a":1}`, "long": strings.Repeat("abc", 5000), "short but like gzip": "\x1f\x8b", "like gzip": "\x1f\x8b not really",
	} {
		kept := db.pack([]byte(value))
		got, err := unpack(kept)
		if err != nil || string(got) != value {
			t.Errorf("%s: %d bytes came back as %d, error %v", name, len(value), len(got), err)
		}
	}
	if kept := db.pack([]byte(strings.Repeat("abc", 5000))); len(kept) > 1000 {
		t.Errorf("15,000 repetitive bytes take %d", len(kept))
	}
	if _, err := unpack([]byte("\x1f\x8bbroken")); err == nil {
		t.Error("a broken value is no error")
	}
}

func TestAddressErrorsHoldNoPassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"postgres://user:hunter2@host:port/db", "postgres://user:hunter2@127.0.0.1:1/db?connect_timeout=1", "sqlite:"} {
		_, err := Open(t.Context(), address, clock.System{}, slog.New(slog.DiscardHandler))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v", address, err)
		}
	}
}

// What one delivery cannot store must not stop the others of its batch.
func TestOneRefusedDeliveryDoesNotTakeTheBatchWithIt(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, address string) {
		db := openDB(t, address)
		var group []*acceptance
		for _, id := range []string{"a", "b", "c"} {
			group = append(group, &acceptance{in: Inbound{Forge: "f", ID: id, Marks: []Mark{{Key: Key{Forge: "f", Kind: KindChange, Ref: id}}}}})
		}
		text := `CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN NEW.delivery = 'b' BEGIN SELECT RAISE(ABORT, 'refused'); END`
		if db.postgres {
			text = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
				CREATE TRIGGER refuse BEFORE INSERT ON deliveries FOR EACH ROW WHEN (NEW.delivery = 'b') EXECUTE FUNCTION refuse()`
		}
		if _, err := db.writers.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		db.commit(t.Context(), group)
		if group[0].err != nil || group[1].err == nil || group[2].err != nil {
			t.Errorf("errors are %v, %v, %v; want only the second", group[0].err, group[1].err, group[2].err)
		}
		if group[0].marked != 1 || group[2].marked != 1 || !group[2].fresh {
			t.Errorf("the others are stored as %+v and %+v", group[0], group[2])
		}
	})
}

func TestAcceptAfterCloseIsAnError(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), ":memory:", clock.System{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Accept(t.Context(), Inbound{Forge: "f", ID: "a"}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Accept(t.Context(), Inbound{Forge: "f", ID: "b"}); err == nil {
		t.Error("a delivery was accepted by a closed store")
	}
}
