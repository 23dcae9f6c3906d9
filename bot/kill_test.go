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
	"primum/forges/gitea"
	"primum/forges/github"
	"primum/forges/gitlab"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
)

// childEnv makes the test binary a Primum of its own, to be killed.
const childEnv = "PRIMUM_TEST_CHILD"

// child is what it is told: the face and where it answers, and how to sign in there.
type child struct {
	On, API, KeyFile, Token, Database string
	App                               int64
}

// adapter is the real one for the face.
func (c child) adapter(log *slog.Logger) (forges.Forge, error) {
	switch c.On {
	case onGitLab:
		return gitlab.New(gitlab.Config{URL: c.API, Token: c.Token, Secrets: []string{simtest.Secret}, Now: clock.System{}.Now, Log: log})
	case onGitea, onForgejo:
		return gitea.New(gitea.Config{URL: c.API, Token: c.Token, Secrets: []string{simtest.Secret}, Now: clock.System{}.Now, Log: log})
	}
	key, err := os.ReadFile(c.KeyFile)
	if err != nil {
		return nil, err
	}
	return github.New(github.Config{
		AppID: c.App, PrivateKey: key, Secrets: []string{simtest.Secret}, BaseURL: c.API, Now: clock.System{}.Now, Log: log,
	})
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
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	forge, err := c.adapter(log)
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
func (s *stage) startChild() *exec.Cmd {
	s.t.Helper()
	c := s.ground.child
	c.Database = s.at
	raw, err := json.Marshal(c)
	s.must(err)
	self, err := os.Executable()
	s.must(err)
	cmd := exec.CommandContext(s.t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+string(raw))
	cmd.Stderr = s.t.Output()
	out, err := cmd.StdoutPipe()
	s.must(err)
	s.must(cmd.Start())
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.t.Fatalf("the child did not start: %v", err)
	}
	s.ground.setHook("http://" + strings.TrimSpace(address) + "/hooks/" + s.ground.adapter.Key())
	return cmd
}

// Law 7: killed at any moment of two hundred deliveries and started again,
// every change ends with the right verdict, and nothing is there twice. On
// further forges it is a quarter of that.
func TestKilledAtAnyMomentNothingIsLostOrDoneTwice(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, on string) {
		changes := 12
		if on == onGitHub {
			changes = 50
		}
		killed(t, on, changes)
	})
}

func killed(t *testing.T, on string, changes int) {
	t.Helper()
	s := &stage{t: t, ground: newGround(t, groundOptions{On: on}), at: filepath.Join(t.TempDir(), "primum.db")}
	s.govern(stagePolicy)
	s.ground.protect(t)
	cmd := s.startChild()
	kills := 0
	kill := func() {
		s.must(cmd.Process.Kill())
		_ = cmd.Wait() // killed: it says so
		kills++
		cmd = s.startChild()
	}
	random := rand.New(rand.NewPCG(1, 2))
	forge := s.ground.forge
	want := map[int]string{}
	var numbers []int
	for i := range changes { // with a title, an approval or a push: four deliveries each
		n := s.open("k" + strconv.Itoa(i))
		numbers, want[n] = append(numbers, n), "failure"
		s.must(forge.As("mara").SetTitle(simtest.Repo, n, "Title "+strconv.Itoa(i)))
		old := numbers[random.IntN(len(numbers))]
		if i%3 == 0 {
			s.approve(old)
			want[old] = "success"
		} else {
			_, err := forge.As("mara").Push(simtest.Repo, "k"+strconv.Itoa(indexOf(numbers, old)), sim.NewCommit{
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
	t.Logf("%d kills, %d deliveries", kills, len(s.ground.sent()))
	var err error
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
	s.merges(want)
	s.told(want)
	s.unsuspicious(want)
}

func indexOf(list []int, v int) int {
	for i, x := range list {
		if x == v {
			return i
		}
	}
	return -1
}
