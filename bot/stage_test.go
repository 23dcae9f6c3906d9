package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"primum/bot/clock"
	"primum/bot/intake"
	"primum/bot/store"
	"primum/forges"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
)

// stagePolicy passes a change that somebody of team firmware (or alex)
// other than its author approved on its head; nothing else counts.
const stagePolicy = `version: 1
product: infusion-pump
class: C
items:
  - {id: dosing, paths: [fw/**]}
people:
  developer: [team:firmware, user:alex]
  quality: [team:qa]
rules:
  link-change-request: off
  link-problem-report: off
  cr-analysis-complete: off
  cr-approved: off
  review-quorum: {C: {approvals: 1, roles: [developer]}}
  review-independent: off
  review-meaning: off
  class-declared: off
  class-tree-valid: off
  risk-assessment-present: off
  verify-checks-green: off
  verify-not-weakened: off
  verify-fix-has-test: off
  config-commit-identity: off
`

// stage is a simulated forge with the whole service before it: webhooks come
// in over HTTP, calls go out over HTTP through the real adapter.
type stage struct {
	t      testing.TB
	ground *ground
	db     *store.DB
	at     string        // address of the database
	settle time.Duration // of bursts
	bot    *Service
	meter  *Meter
	web    *httptest.Server
	stop   func() // stops the service and closes its store
}

func newStage(t testing.TB, o groundOptions) *stage {
	t.Helper()
	return newStageOn(t, o, filepath.Join(t.TempDir(), "primum.db"), 300*time.Millisecond)
}

func newStageOn(t testing.TB, o groundOptions, database string, settle time.Duration) *stage {
	t.Helper()
	s := &stage{t: t, at: database, settle: settle, ground: newGround(t, o)}
	s.govern(stagePolicy)
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

// govern puts a policy on main.
func (s *stage) govern(policy string) {
	s.t.Helper()
	_, err := s.ground.forge.As("alex").Push(simtest.Repo, "main", sim.NewCommit{Message: "Policy", Files: map[string]string{".primum.yml": policy}})
	s.must(err)
}

// replica is a second service on the same database and forge.
func (s *stage) replica() *stage {
	s.t.Helper()
	r := &stage{t: s.t, ground: s.ground, at: s.at, settle: s.settle}
	r.start()
	s.t.Cleanup(func() { r.stop() })
	return r
}

// start starts a service on the stage's database and sends it the webhooks.
func (s *stage) start() {
	s.t.Helper()
	log := slog.New(slog.NewTextHandler(s.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := store.Open(s.t.Context(), s.at, clock.System{}, log)
	s.must(err)
	s.db, s.meter = db, NewMeter()
	s.bot, err = New(Options{
		Store: db, Forges: []forges.Forge{s.ground.adapter}, Clock: clock.System{}, Log: log, Engine: "test", Meter: s.meter,
		PublicURL: "https://primum.example", Intake: intake.Options{Settle: s.settle},
	})
	s.must(err)
	s.web = httptest.NewServer(s.bot.Handler())
	s.ground.setHook(s.hook())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.bot.Run(ctx) }()
	s.stop = func() {
		s.stop = func() {}
		s.web.Close()
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("run: %v", err)
		}
		if err := db.Close(); err != nil {
			s.t.Errorf("close: %v", err)
		}
	}
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// open opens a change by mara.
func (s *stage) open(name string) int {
	s.t.Helper()
	mara := s.ground.forge.As("mara")
	_, err := mara.Push(simtest.Repo, name, sim.NewCommit{Message: "Change " + name, Files: map[string]string{"fw/" + name + ".c": "int " + name + ";\n"}})
	s.must(err)
	n, err := mara.OpenChange(simtest.Repo, sim.NewChange{Title: "Change " + name, Head: name})
	s.must(err)
	return n
}

func (s *stage) approve(n int) {
	s.t.Helper()
	_, err := s.ground.forge.As("jonas").Approve(simtest.Repo, n, "")
	s.must(err)
}

// head is the head of a change.
func (s *stage) head(n int) string {
	s.t.Helper()
	is, ok := s.ground.forge.Issue(simtest.Repo, n)
	if !ok {
		s.t.Fatalf("no change %d", n)
	}
	return is.Change.Head
}

// hook is where the service takes the forge's deliveries.
func (s *stage) hook() string { return s.web.URL + "/hooks/" + s.ground.adapter.Key() }

// conclusion is what Primum's verdict says on a commit: "" if there is none,
// "in_progress" or "pending" while it waits. Of statuses the newest alone counts.
func (s *stage) conclusion(sha string) (said string, runs int) {
	all := s.ground.verdicts(sha)
	if len(all) == 0 {
		return "", 0
	}
	return all[len(all)-1], len(all)
}

// said are Primum's comments on a change.
func (s *stage) said(n int) []sim.Comment {
	var out []sim.Comment
	for _, c := range s.ground.forge.Comments(simtest.Repo, n) {
		if c.Author == s.account(s.ground.bot) {
			out = append(out, c)
		}
	}
	return out
}

// comments counts Primum's comments on a change.
func (s *stage) comments(n int) int { return len(s.said(n)) }

// account is the id behind a login.
func (s *stage) account(login string) (id int64) {
	s.t.Helper()
	s.ground.forge.Read(func(v *sim.View) {
		if a := v.AccountByLogin(login); a != nil {
			id = a.ID
		}
	})
	if id == 0 {
		s.t.Fatalf("there is no account %s", login)
	}
	return id
}

// merges holds what the forge would let be merged against what was judged.
func (s *stage) merges(want map[int]string) {
	s.t.Helper()
	for n, conclusion := range want {
		if why := s.ground.forge.Hinders(simtest.Repo, n); (len(why) == 0) != (conclusion == "success") {
			s.t.Errorf("change %d, judged %s: the forge's reasons against a merge are %q", n, conclusion, why)
		}
	}
}

// told holds the comments of changes against what was judged: at most one each,
// and none that asks for an approval where there is one.
func (s *stage) told(want map[int]string) {
	s.t.Helper()
	for n, conclusion := range want {
		all := s.said(n)
		if len(all) > 1 {
			s.t.Errorf("change %d has %d comments", n, len(all))
		}
		for _, c := range all {
			if passed := strings.Contains(c.Body, passedTitle); passed != (conclusion == "success") {
				s.t.Errorf("change %d, judged %s, has the comment:\n%s", n, conclusion, c.Body)
			}
		}
	}
}

// passedTitle is what the comment of a change that passes says.
const passedTitle = "Ready to merge"

// within polls until a claim about the stage holds.
func (s *stage) within(limit time.Duration, what string, holds func() error) {
	s.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// ends waits until each change has this conclusion on its head, and one check.
func (s *stage) ends(limit time.Duration, want map[int]string) {
	s.t.Helper()
	left := maps.Clone(want)
	s.within(limit, "not every change ended right", func() error {
		for n, conclusion := range left {
			if got, runs := s.conclusion(s.head(n)); got != conclusion || runs != 1 {
				sub, err := s.db.Subject(context.Background(), s.key(n))
				return fmt.Errorf("change %d: %q in %d checks, want one %q (problem %q, tries %d, %w)", n, got, runs, conclusion, sub.Problem, sub.Tries, err)
			}
			delete(left, n)
		}
		return nil
	})
}

func (s *stage) key(n int) store.Key {
	repo, _ := s.ground.forge.Repo(simtest.Repo)
	return store.Key{Forge: s.ground.adapter.Key(), RepoID: strconv.FormatInt(repo.ID, 10), Kind: store.KindChange, Ref: strconv.Itoa(n)}
}

// quiet waits until nothing is left to do.
func (s *stage) quiet(limit time.Duration) {
	s.t.Helper()
	s.must(s.ground.drain(s.t.Context()))
	s.within(limit, "work is left", func() error {
		n, err := s.db.Counts(context.Background())
		if err != nil || n.Due+n.Leased == 0 && n.Waiting == 0 {
			return err
		}
		return fmt.Errorf("%d waiting, %d due, %d leased", n.Waiting, n.Due, n.Leased)
	})
}

// judged counts the judgements of changes so far.
func (s *stage) judged() int {
	s.t.Helper()
	families, err := s.meter.registry.Gather()
	s.must(err)
	total := 0.0
	for _, f := range families {
		if f.GetName() != "primum_judgements_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "kind" && l.GetValue() == "change" {
					total += m.GetCounter().GetValue()
				}
			}
		}
	}
	return int(total)
}

// get fetches a path of the service.
func (s *stage) get(path string) int {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.web.URL+path, nil)
	s.must(err)
	resp, err := http.DefaultClient.Do(r)
	s.must(err)
	if err := resp.Body.Close(); err != nil && !errors.Is(err, context.Canceled) {
		s.t.Error(err)
	}
	return resp.StatusCode
}

func writeFile(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
