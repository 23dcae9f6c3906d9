package bot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/forges/sim"
)

// BenchmarkInFlight opens changes at once on a forge that takes 50 ms for every
// answer, with the default settings. It reports, in forge round trips, the
// median from the opening of a change to its verdict (two by construction: one
// read, one write), and how many verdicts there are a round trip, which grows
// with the number in flight.
func BenchmarkInFlight(b *testing.B) {
	const trip = 50 * time.Millisecond
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("changes=%d", n), func(b *testing.B) {
			w := &watched{at: map[string]time.Time{}}
			s := newStageOn(b, groundOptions{Unchecked: true, Wrap: w.watch}, b.TempDir()+"/primum.db", 0)
			s.ends(20*time.Second, map[int]string{s.open("warm"): "failure"})
			s.quiet(20 * time.Second)
			s.ground.forge.SetFaults(func(f *sim.Faults) { f.Latency = trip })
			var trips []float64
			var total time.Duration
			for round := 0; b.Loop(); round++ {
				b.StopTimer()
				opened := map[string]time.Time{}
				begin := time.Now()
				b.StartTimer()
				for i := range n {
					number := s.open(fmt.Sprintf("r%d-%d", round, i))
					opened[s.head(number)] = time.Now()
				}
				w.wait(b, opened)
				b.StopTimer()
				total += time.Since(begin)
				for sha, at := range opened {
					trips = append(trips, float64(w.when(sha).Sub(at))/float64(trip))
				}
				s.quiet(time.Minute)
				b.StartTimer()
			}
			slices.Sort(trips)
			b.ReportMetric(trips[len(trips)/2], "trips/verdict")
			b.ReportMetric(float64(len(trips))/(float64(total)/float64(trip)), "verdicts/trip")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// watched notes when the forge answered that a check was created.
type watched struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (w *watched) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/check-runs") {
			h.ServeHTTP(rw, r)
			return
		}
		raw, _ := io.ReadAll(r.Body) // a short body is refused by the face
		r.Body = io.NopCloser(bytes.NewReader(raw))
		h.ServeHTTP(rw, r)
		var run struct {
			SHA string `json:"head_sha"`
		}
		if json.Unmarshal(raw, &run) == nil {
			w.mu.Lock()
			w.at[run.SHA] = time.Now()
			w.mu.Unlock()
		}
	})
}

func (w *watched) when(sha string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at[sha]
}

// wait waits until every head has its check.
func (w *watched) wait(b *testing.B, heads map[string]time.Time) {
	b.Helper()
	deadline := time.Now().Add(time.Minute)
	for sha := range heads {
		for w.when(sha).IsZero() {
			if time.Now().After(deadline) {
				b.Fatalf("commit %s got no check", sha)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// BenchmarkDeliveries sends signed deliveries over HTTP from 64 clients at once
// and reports how many are verified, decoded, stored durably and acknowledged a
// second.
func BenchmarkDeliveries(b *testing.B) {
	var mu sync.Mutex
	var header http.Header
	var body []byte
	s := newStageOn(b, groundOptions{Unchecked: true, Sent: func(event string, h http.Header, payload []byte) {
		if event == "pull_request" {
			mu.Lock()
			header, body = h.Clone(), bytes.Clone(payload)
			mu.Unlock()
		}
	}}, b.TempDir()+"/primum.db", 0)
	s.ends(20*time.Second, map[int]string{s.open("one"): "failure"})
	s.quiet(20 * time.Second)
	hooks := s.bot.Handler()
	b.SetBytes(int64(len(body)))
	b.SetParallelism(32)
	var next counter
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/hooks/github", bytes.NewReader(body))
			r.Header = header.Clone()
			r.Header.Set("X-GitHub-Delivery", fmt.Sprintf("bench-%d", next.add()))
			rw := httptest.NewRecorder()
			hooks.ServeHTTP(rw, r)
			if rw.Code != http.StatusAccepted {
				b.Errorf("answered %d", rw.Code)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
	s.quiet(time.Minute)
}

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}
