package store_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"primum/bot/clock"
	"primum/bot/store"
	"primum/bot/store/pgtest"
)

// bodyBytes is a typical delivery: JSON, 10 KB.
func bodyBytes() []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i := 0; b.Len() < 10<<10; i++ {
		fmt.Fprintf(&b, `{"id":%d,"node_id":"MDExOlB1bGxSZXF1ZXN0%d","url":"https://forge.example/api/repos/org/pump/pulls/%d"},`, i*7919, i*104729, i)
	}
	b.WriteString("0]")
	return b.Bytes()
}

// benchmarkAccept stores durable deliveries from many clients at once, each
// marking one of a thousand changes.
func benchmarkAccept(b *testing.B, address string) {
	b.Helper()
	db := open(b, address, clock.System{})
	body := bodyBytes()
	var n atomic.Int64
	run := time.Now().UnixNano()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			in := store.Inbound{
				Forge: "github", ID: fmt.Sprint(run, "-", i), Event: "pull_request", Body: body,
				Marks: []store.Mark{{
					Key:    store.Key{Forge: "github", RepoID: "1", Kind: store.KindChange, Ref: fmt.Sprint(i % 1000)},
					Reason: "pushed", Settle: 1200 * time.Millisecond, Hint: store.Hint{Head: "aaa", UpdatedAt: time.Unix(i, 0)},
				}},
			}
			if fresh, _, err := db.Accept(b.Context(), in); err != nil || !fresh {
				b.Errorf("fresh %v, error %v", fresh, err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

func BenchmarkAccept(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkAccept(b, filepath.Join(b.TempDir(), "primum.db")) })
	b.Run("postgres", func(b *testing.B) { benchmarkAccept(b, pgtest.New(b).Database(b)) })
}

// benchmarkClaim claims and finishes subjects one at a time from several
// workers, with 100,000 other subjects in the table.
func benchmarkClaim(b *testing.B, address string) {
	b.Helper()
	db := open(b, address, clock.System{})
	ctx := context.WithoutCancel(b.Context())
	mark := func(from, to int, due time.Time) {
		var marks []store.Mark
		for i := from; i < to; i++ {
			marks = append(marks, store.Mark{Key: store.Key{Forge: "github", RepoID: fmt.Sprint(i % 500), Kind: store.KindChange, Ref: fmt.Sprint(i)}, Due: due})
		}
		if _, err := db.Mark(ctx, marks, nil); err != nil {
			b.Fatal(err)
		}
	}
	mark(0, 100_000, time.Now().Add(time.Hour))
	mark(100_000, 100_000+b.N, time.Time{})
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			claims, err := db.Claim(ctx, "worker", 30*time.Second, 1)
			if err != nil || len(claims) != 1 {
				b.Errorf("claimed %d, error %v", len(claims), err)
				return
			}
			if err := db.Done(ctx, &claims[0], store.Finish{Open: true, Head: "aaa", Base: "main"}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "judgements/s")
}

func BenchmarkClaim(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkClaim(b, filepath.Join(b.TempDir(), "primum.db")) })
	b.Run("postgres", func(b *testing.B) { benchmarkClaim(b, pgtest.New(b).Database(b)) })
}
