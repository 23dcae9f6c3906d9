package store_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"primum/bot/clock"
	"primum/bot/store"
	"primum/bot/store/pgtest"
	"primum/bot/store/storetest"
)

// open opens a store that ends with the test.
func open(t testing.TB, address string, c clock.Clock) *store.DB {
	t.Helper()
	db, err := store.Open(context.WithoutCancel(t.Context()), address, c, slog.New(slog.NewTextHandler(t.Output(), nil)))
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

// opener opens one database as often as asked.
func opener(address string) func(*testing.T, clock.Clock) store.Store {
	return func(t *testing.T, c clock.Clock) store.Store {
		t.Helper()
		return open(t, address, c)
	}
}

func TestSQLiteKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Backend{New: func(t *testing.T) func(*testing.T, clock.Clock) store.Store {
		t.Helper()
		return opener("sqlite:" + filepath.Join(t.TempDir(), "a folder?", "primum #1.db"))
	}})
}

func TestPostgresKeepsTheContract(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	t.Run("contract", func(t *testing.T) { // ends before the server does
		storetest.Run(t, storetest.Backend{New: func(t *testing.T) func(*testing.T, clock.Clock) store.Store {
			t.Helper()
			return opener(server.Database(t))
		}})
	})
}
