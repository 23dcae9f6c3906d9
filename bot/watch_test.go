package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"primum/bot/clock"
	"primum/bot/intake"
	"primum/bot/store"
	"primum/forges"
	"primum/forges/sim"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/simtest"
	"primum/rules"
)

// watchStage is a simulated Forgejo, which tells nobody that a status was set,
// with the whole service before it and main protected by Primum's status.
type watchStage struct {
	*stage  // its rig is not set
	forgejo *simtest.GiteaRig
}

func newWatchStage(t *testing.T, every time.Duration) *watchStage {
	t.Helper()
	s := &watchStage{stage: &stage{t: t}, forgejo: simtest.NewGitea(t, simtest.GiteaOptions{Product: giteaface.Forgejo, Now: clock.System{}.Now})}
	alex := s.forgejo.Forge.As("alex")
	_, err := alex.Push(simtest.Repo, "main", sim.NewCommit{Message: "Policy", Files: map[string]string{".primum.yml": stagePolicy}})
	s.must(err)
	s.must(alex.Protect(simtest.Repo, "main", &sim.Protection{Checks: []sim.RequiredCheck{{Name: "primum"}}}))
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	s.db, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "primum.db"), clock.System{}, log)
	s.must(err)
	s.meter = NewMeter()
	s.bot, err = New(Options{
		Store: s.db, Forges: []forges.Forge{s.forgejo.Gitea}, Clock: clock.System{}, Log: log, Engine: "test", Meter: s.meter,
		PublicURL: "https://primum.example", Intake: intake.Options{Settle: 50 * time.Millisecond}, Watch: every,
	})
	s.must(err)
	s.web = httptest.NewServer(s.bot.Handler())
	s.forgejo.Face.SetHook(s.web.URL + "/hooks/gitea")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.bot.Run(ctx) }()
	t.Cleanup(func() {
		s.web.Close()
		cancel()
		if err := errors.Join(<-ended, s.db.Close()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return s
}

// open opens a change by mara that lacks an approval, and waits for the verdict.
func (s *watchStage) open(name string) (number int, head string) {
	s.t.Helper()
	mara := s.forgejo.Forge.As("mara")
	head, err := mara.Push(simtest.Repo, name, sim.NewCommit{Message: "Change " + name, Files: map[string]string{"fw/" + name + ".c": "int " + name + ";\n"}})
	s.must(err)
	number, err = mara.OpenChange(simtest.Repo, sim.NewChange{Title: "Change " + name, Head: name})
	s.must(err)
	s.stands(head, "primum failure")
	return number, head
}

// stands waits until this is the status of our name that counts: "who state".
func (s *watchStage) stands(sha, want string) {
	s.t.Helper()
	s.within(20*time.Second, "the status of "+sha, func() error {
		if got := s.top(sha); got != want {
			return fmt.Errorf("%q stands, want %q", got, want)
		}
		return nil
	})
}

func (s *watchStage) top(sha string) (said string) {
	s.forgejo.Forge.Read(func(v *sim.View) {
		for _, st := range v.NewestStatuses(v.Repo(simtest.Repo), sha) {
			if st.Context == "primum" {
				said = v.Account(st.Creator).Login + " " + st.State
			}
		}
	})
	return said
}

func (s *watchStage) calm() {
	s.t.Helper()
	s.must(s.forgejo.Face.Drain(s.t.Context()))
	s.within(20*time.Second, "work is left", func() error {
		n, err := s.db.Counts(context.Background())
		if err != nil || n.Due+n.Leased == 0 {
			return err
		}
		return fmt.Errorf("%d due, %d leased", n.Due, n.Leased)
	})
}

func (s *watchStage) forge(sha string) {
	s.t.Helper()
	_, err := s.forgejo.Forge.As("mara").SetStatus(simtest.Repo, sha, sim.Status{Context: "primum", State: "success", Description: "all good"})
	s.must(err)
}

// A green status that the author sets in Primum's name is put back though no
// delivery tells of it and no sweep comes, and the merge is refused.
func TestAForgedStatusIsFoundWithoutADelivery(t *testing.T) {
	t.Parallel()
	s := newWatchStage(t, 100*time.Millisecond)
	n, head := s.open("alpha")
	other, otherHead := s.open("beta")
	s.calm()
	before := s.judged()
	s.forge(head)
	s.stands(head, "primum failure")
	if _, err := s.forgejo.Forge.As("mara").Merge(simtest.Repo, n, sim.MergeOptions{}); err == nil {
		t.Error("the forge merges on a forged status that was put back")
	}
	s.calm()
	if got := s.judged() - before; got < 1 || got > 2 {
		t.Errorf("%d judgements, want the one of the change", got)
	}
	sub, err := s.db.Subject(t.Context(), s.of(n))
	s.must(err)
	row, err := s.db.Verdict(t.Context(), sub.Verdict)
	s.must(err)
	if row.Trigger != "watch" {
		t.Errorf("judged because of %q, want the watch", row.Trigger)
	}
	if got := s.top(otherHead); got != "primum failure" {
		t.Errorf("change %d, whose status is ours: %q stands", other, got)
	}
	var v rules.Verdict
	s.decode(row.JSON, &v)
	if len(v.Notes) != 1 || v.Notes[0].Kind != rules.ForgedVerdict || v.Notes[0].By != "mara" {
		t.Errorf("notes %+v, want who set the status", v.Notes)
	}
	if found := s.value("primum_watch_found_total"); found < 1 {
		t.Errorf("%v found by the metrics", found)
	}
}

// What is green, and what is closed, is not asked for; of the rest one call each
// a round, and none other.
func TestTheWatchCostsOneCallEach(t *testing.T) {
	t.Parallel()
	s := newWatchStage(t, 400*time.Millisecond)
	_, red := s.open("red")
	green, head := s.open("green")
	closed, _ := s.open("closed")
	_, err := s.forgejo.Forge.As("jonas").Approve(simtest.Repo, green, "")
	s.must(err)
	s.stands(head, "primum success")
	s.must(s.forgejo.Forge.As("mara").Close(simtest.Repo, closed, ""))
	s.calm()
	s.within(20*time.Second, "the round after", func() error {
		if n := s.value("primum_watch_commits"); n != 1 {
			return fmt.Errorf("%v commits are watched, want 1: %s", n, red)
		}
		return nil
	})
	s.forgejo.Face.ResetCalls()
	s.within(20*time.Second, "three rounds", func() error {
		if n := s.forgejo.Face.Calls().Reads; n < 3 {
			return fmt.Errorf("%d calls", n)
		}
		return nil
	})
	const statuses = "GET /repos/{owner}/{repo}/commits/{ref}/statuses"
	if c := s.forgejo.Face.Calls(); len(c.Routes) != 1 || c.Routes[statuses] == 0 {
		t.Errorf("calls %v, want %s only", c.Routes, statuses)
	}
}

// Without the watch the forged status stands until the sweep.
func TestWithoutTheWatch(t *testing.T) {
	t.Parallel()
	s := newWatchStage(t, 0)
	n, head := s.open("alpha")
	s.calm()
	s.forgejo.Face.ResetCalls()
	s.forge(head)
	s.calm()
	if c := s.forgejo.Face.Calls(); c.Reads+c.Writes != 0 {
		t.Errorf("calls %v, want none", c.Routes)
	}
	if got := s.top(head); got != "mara success" {
		t.Errorf("%q stands, want the forged one", got)
	}
	if reasons := s.forgejo.Forge.Hinders(simtest.Repo, n); len(reasons) != 0 {
		t.Errorf("the forge does not go by it: %v", reasons)
	}
	s.must(s.bot.Sweep(t.Context()))
	s.stands(head, "primum failure")
}

func (s *watchStage) of(n int) store.Key {
	repo, _ := s.forgejo.Forge.Repo(simtest.Repo)
	return store.Key{Forge: "gitea", RepoID: strconv.FormatInt(repo.ID, 10), Kind: store.KindChange, Ref: strconv.Itoa(n)}
}

func (s *watchStage) decode(raw []byte, v any) {
	s.t.Helper()
	s.must(json.Unmarshal(raw, v))
}

// value is that of a metric, all its labels together.
func (s *watchStage) value(name string) (sum float64) {
	s.t.Helper()
	families, err := s.meter.registry.Gather()
	s.must(err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}
