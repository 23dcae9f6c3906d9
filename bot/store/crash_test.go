package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"primum/bot/clock"
	"primum/bot/store"
	"primum/bot/store/pgtest"
)

const (
	crashEnv        = "PRIMUM_TEST_CRASH_STORE" // address of the database the child works on
	crashFromEnv    = "PRIMUM_TEST_CRASH_FROM"
	crashDeliveries = 200
	crashChanges    = 17
)

// TestNothingAcknowledgedIsLost kills a process that accepts and judges in
// mid-work, twice, at different moments, and lets a third finish.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		crash(t, filepath.Join(t.TempDir(), "primum.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		crash(t, pgtest.New(t).Database(t))
	})
}

func crash(t *testing.T, address string) {
	t.Helper()
	acked := map[int]bool{}
	for _, until := range []int{60, 140} {
		killWhen(t, address, acked, until)
	}
	db := open(t, address, clock.System{})
	ctx := t.Context()
	for i := range crashDeliveries {
		fresh, _, err := db.Accept(ctx, crashDelivery(i))
		if err != nil {
			t.Fatal(err)
		}
		if fresh && acked[i] {
			t.Errorf("delivery %d was acknowledged and is gone", i)
		}
	}
	if _, err := db.Reclaim(ctx, "child"); err != nil {
		t.Fatal(err)
	}
	for judgeOnce(t, db) > 0 {
	}
	for change := range crashChanges {
		checkJudged(t, db, change)
	}
}

// checkJudged wants the newest state judged, kept, and no act done twice.
func checkJudged(t *testing.T, db *store.DB, change int) {
	t.Helper()
	k := crashKey(change)
	s, err := db.Subject(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	newest := change + (crashDeliveries-1-change)/crashChanges*crashChanges
	v, err := db.Verdict(t.Context(), s.Verdict)
	if err != nil {
		t.Fatal(err)
	}
	if want := "head" + strconv.Itoa(newest); s.Judged != s.Wanted || s.Head != want || v.Head != want {
		t.Errorf("change %d is judged %d of %d on %s with a verdict on %s; want all on %s", change, s.Judged, s.Wanted, s.Head, v.Head, want)
	}
	acts, err := db.Acts(t.Context(), k, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range acts {
		if a.DoneAt.IsZero() && strings.HasSuffix(a.Key, v.Head) {
			t.Errorf("act %s was begun and never ended", a.Key)
		}
	}
}

// killWhen starts a child and kills it once it has acknowledged that many
// deliveries in all.
func killWhen(t *testing.T, address string, acked map[int]bool, until int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), crashEnv+"="+address, crashFromEnv+"="+strconv.Itoa(len(acked)))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = t.Output()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for len(acked) < until && lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "ack "); ok {
			i, err := strconv.Atoi(id)
			if err != nil {
				t.Fatal(err)
			}
			acked[i] = true
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil || len(acked) < until {
		t.Fatalf("the child ended by itself (%v) after %d acknowledgements, want it killed at %d", err, len(acked), until)
	}
}

// TestCrashChild is the process that TestNothingAcknowledgedIsLost kills.
func TestCrashChild(t *testing.T) {
	address := os.Getenv(crashEnv)
	if address == "" {
		t.Skip("runs only as the child of TestNothingAcknowledgedIsLost")
	}
	from, err := strconv.Atoi(os.Getenv(crashFromEnv))
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, address, clock.System{})
	if _, err := db.Reclaim(t.Context(), "child"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := from + w; i < crashDeliveries; i += 4 {
				if _, _, err := db.Accept(t.Context(), crashDelivery(i)); err != nil {
					t.Error(err)
					return
				}
				if _, err := fmt.Fprintf(os.Stdout, "ack %d\n", i); err != nil {
					t.Error(err)
					return
				}
				judgeOnce(t, db)
			}
		})
	}
	wg.Wait()
	<-t.Context().Done() // until killed, or the parent ends
}

func crashKey(change int) store.Key {
	return store.Key{Forge: "github", RepoID: "1", Kind: store.KindChange, Ref: strconv.Itoa(change)}
}

func crashDelivery(i int) store.Inbound {
	return store.Inbound{
		Forge: "github", ID: strconv.Itoa(i), Event: "pull_request", Body: bodyBytes(),
		Marks: []store.Mark{{
			Key: crashKey(i % crashChanges), Reason: "pushed",
			Hint: store.Hint{Head: "head" + strconv.Itoa(i), UpdatedAt: time.Unix(int64(1000+i), 0)},
		}},
	}
}

// judgeOnce judges what is due: a verdict and an act on the hinted head.
func judgeOnce(t *testing.T, db *store.DB) int {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	claims, err := db.Claim(ctx, "child", time.Minute, 2)
	if err != nil {
		t.Error(err)
	}
	for _, c := range claims {
		id, err := db.SaveVerdict(ctx, &c, store.VerdictRow{Head: c.Hint.Head, State: "pass", JudgedAt: time.Unix(1, 0)})
		if err != nil {
			t.Error(err)
			continue
		}
		act, done, err := db.BeginAct(ctx, &c, store.Act{Key: "check:" + c.Ref + ":" + c.Hint.Head, Kind: "check", Verdict: id})
		if err == nil && !done {
			err = db.EndAct(ctx, act.ID, "run", nil)
		}
		if err == nil {
			err = db.Done(ctx, &c, store.Finish{Open: true, Head: c.Hint.Head})
		}
		if err != nil {
			t.Error(err)
		}
	}
	return len(claims)
}
