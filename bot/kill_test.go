package bot

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"primum/bot/clock"
	"primum/bot/intake"
	"primum/bot/store"
	"primum/forges"
	"primum/forges/github"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
)

// childEnv makes the test binary a Primum of its own, to be killed.
const childEnv = "PRIMUM_TEST_CHILD"

type child struct {
	API, KeyFile, Database string
	App                    int64
}

func TestMain(m *testing.M) {
	if raw := os.Getenv(childEnv); raw != "" {
		if err := serveChild(raw); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveChild is what "primum serve" does, with the settings of the test. It
// prints its address and serves until it is killed.
func serveChild(raw string) error {
	var c child
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	key, err := os.ReadFile(c.KeyFile)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	forge, err := github.New(github.Config{
		AppID: c.App, PrivateKey: key, Secrets: []string{simtest.Secret}, BaseURL: c.API, Now: clock.System{}.Now, Log: log,
	})
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, c.Database, clock.System{}, log)
	if err != nil {
		return err
	}
	s, err := New(Options{
		Store: db, Forges: []forges.Forge{forge}, Clock: clock.System{}, Log: log, Engine: "test", Owner: "child",
		Intake: intake.Options{Settle: 50 * time.Millisecond},
	})
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(os.Stdout, l.Addr()); err != nil {
		return err
	}
	return s.Serve(ctx, l)
}

// startChild starts a Primum in a process of its own and points the webhooks at it.
func startChild(t *testing.T, rig *simtest.Rig, c child) *exec.Cmd {
	t.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+string(raw))
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child did not start: %v", err)
	}
	rig.Face.SetHook("http://" + strings.TrimSpace(address) + "/hooks/github")
	return cmd
}

// Law 7: killed at any moment of two hundred deliveries and started again,
// every change ends with the right verdict, and nothing is there twice.
func TestKilledAtAnyMomentNothingIsLostOrDoneTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	t.Parallel()
	rig := simtest.New(t, simtest.Options{Now: clock.System{}.Now})
	s := &stage{t: t, rig: rig, at: filepath.Join(t.TempDir(), "primum.db")}
	_, err := rig.Forge.As("alex").Push(simtest.Repo, "main", sim.NewCommit{Message: "Policy", Files: map[string]string{".primum.yml": stagePolicy}})
	s.must(err)
	c := child{API: rig.Server.URL, App: rig.App.ID, Database: s.at, KeyFile: filepath.Join(t.TempDir(), "key.pem")}
	s.must(os.WriteFile(c.KeyFile, simtest.PEM(rig.Key), 0o600))

	cmd := startChild(t, rig, c)
	kills := 0
	kill := func() {
		s.must(cmd.Process.Kill())
		_ = cmd.Wait() // killed: it says so
		kills++
		cmd = startChild(t, rig, c)
	}
	random := rand.New(rand.NewPCG(1, 2))
	want := map[int]string{}
	var numbers []int
	for i := range 50 { // with a title, an approval and a push: four deliveries each
		n := s.open("k" + strconv.Itoa(i))
		numbers, want[n] = append(numbers, n), "failure"
		s.must(rig.Forge.As("mara").SetTitle(simtest.Repo, n, "Title "+strconv.Itoa(i)))
		old := numbers[random.IntN(len(numbers))]
		if i%3 == 0 {
			s.approve(old)
			want[old] = "success"
		} else {
			_, err := rig.Forge.As("mara").Push(simtest.Repo, "k"+strconv.Itoa(indexOf(numbers, old)), sim.NewCommit{
				Message: "More", Files: map[string]string{"fw/more" + strconv.Itoa(i) + ".c": "int more;\n"},
			})
			s.must(err)
			want[old] = "failure"
		}
		time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
		if random.IntN(6) == 0 {
			kill()
		}
	}
	kill()
	t.Logf("%d kills, %d deliveries", kills, len(rig.Face.Deliveries()))
	s.db, err = store.Open(t.Context(), s.at, clock.System{}, slog.New(slog.DiscardHandler))
	s.must(err)
	t.Cleanup(func() { _ = s.db.Close() })
	s.ends(2*time.Minute, want)
	s.quiet(time.Minute)
	s.ends(10*time.Second, want) // and stays so
	s.must(cmd.Process.Signal(syscall.SIGTERM))
	if err := cmd.Wait(); err != nil {
		t.Errorf("SIGTERM: %v, want a clean end", err)
	}
	for n := range want {
		if got := s.comments(n); got > 1 {
			t.Errorf("change %d has %d comments", n, got)
		}
	}
}

func indexOf(list []int, v int) int {
	for i, x := range list {
		if x == v {
			return i
		}
	}
	return -1
}
