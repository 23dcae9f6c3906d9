package bot

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"primum/bot/store/pgtest"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
)

func TestFromWebhookToVerdict(t *testing.T) {
	t.Parallel()
	everywhere(t, fromWebhookToVerdict)
}

func fromWebhookToVerdict(t *testing.T, on string) {
	t.Helper()
	s := newStage(t, groundOptions{On: on})
	n := s.open("alpha")
	s.ends(20*time.Second, map[int]string{n: "failure"})
	s.approve(n)
	s.ends(20*time.Second, map[int]string{n: "success"})
	if c := s.comments(n); c != 1 {
		t.Errorf("%d comments, want one", c)
	}
	_, err := s.ground.forge.As("mara").Push(simtest.Repo, "alpha", sim.NewCommit{Message: "More", Files: map[string]string{"fw/alpha.c": "int more;\n"}})
	s.must(err)
	s.ends(20*time.Second, map[int]string{n: "failure"})
}

// Law 4: whoever pushes to another's branch under the other's name is an author
// all the same, and cannot approve; somebody else can.
func TestWhoPushedUnderAnothersNameCannotApprove(t *testing.T) {
	t.Parallel()
	everywhere(t, whoPushedCannotApprove)
}

func whoPushedCannotApprove(t *testing.T, on string) {
	t.Helper()
	s := newStage(t, groundOptions{On: on})
	n := s.open("alpha")
	_, err := s.ground.forge.As("jonas").Push(simtest.Repo, "alpha", sim.NewCommit{
		Message: "More", Author: "mara", Committer: "mara", Files: map[string]string{"fw/alpha.c": "int more;\n"},
	})
	s.must(err)
	s.quiet(20 * time.Second)
	s.approve(n) // jonas
	s.quiet(20 * time.Second)
	s.ends(20*time.Second, map[int]string{n: "failure"})
	_, err = s.ground.forge.As("alex").Approve(simtest.Repo, n, "")
	s.must(err)
	s.ends(20*time.Second, map[int]string{n: "success"})
}

// Law 10: a check that the policy does not require costs nothing; one that it
// requires is one judgement.
func TestOnlyRequiredChecksAreLookedAt(t *testing.T) {
	t.Parallel()
	s := newStage(t, groundOptions{})
	text := strings.Replace(stagePolicy, "  verify-checks-green: off\n", "", 1) + "checks: {A: [lint], C: [build]}\n"
	_, err := s.ground.forge.As("alex").Push(simtest.Repo, "main", sim.NewCommit{Message: "Ask for a build", Files: map[string]string{".primum.yml": text}})
	s.must(err)
	n := s.open("alpha")
	s.approve(n)
	ci := s.ground.forge.As("ci[bot]")
	begun := map[string]int64{}
	for _, name := range []string{"weather", "lint", "build"} { // lint is asked for at another class
		begun[name], err = ci.CreateCheck(simtest.Repo, sim.CheckRun{Name: name, SHA: s.head(n), Status: "in_progress"})
		s.must(err)
	}
	s.ends(20*time.Second, map[int]string{n: "in_progress"})
	s.quiet(20 * time.Second)
	green := func(name string) {
		t.Helper()
		s.must(ci.UpdateCheck(simtest.Repo, begun[name], func(r *sim.CheckRun) { r.Conclusion = "success" }))
		s.quiet(20 * time.Second)
	}
	s.ground.reset()
	before := s.judged()
	green("weather")
	green("lint")
	if c := s.ground.calls(); c.Reads+c.Writes != 0 || s.judged() != before {
		t.Errorf("calls = %v, %d judgements; want none", c.Routes, s.judged()-before)
	}
	green("build")
	s.ends(20*time.Second, map[int]string{n: "success"})
	s.quiet(20 * time.Second)
	if got := s.judged() - before; got != 1 {
		t.Errorf("%d judgements of the required check, want one", got)
	}
}

func TestTheServiceAnswersForItself(t *testing.T) {
	t.Parallel()
	s := newStage(t, groundOptions{})
	s.within(10*time.Second, "never ready", func() error {
		if code := s.get("/readyz"); code != http.StatusOK {
			return &statusError{code}
		}
		return nil
	})
	for path, want := range map[string]int{
		"/healthz": 200, "/metrics": 200, "/schema/policy-v1.json": 200, "/": 200, "/hooks/github": 405, "/hooks/nobody": 404,
	} {
		if got := s.get(path); got != want {
			t.Errorf("GET %s: %d, want %d", path, got, want)
		}
	}
}

type statusError struct{ code int }

func (e *statusError) Error() string { return "status " + strconv.Itoa(e.code) }

// Law 10: ten events on one change within a second are at most two judgements.
func TestTenEventsAreTwoJudgements(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, on string) {
		s := newStageOn(t, groundOptions{On: on}, filepath.Join(t.TempDir(), "primum.db"), 3*time.Second)
		n := s.open("alpha")
		s.ends(20*time.Second, map[int]string{n: "failure"})
		s.quiet(20 * time.Second)
		before := s.judged()
		for i := range 10 {
			s.must(s.ground.forge.As("mara").SetTitle(simtest.Repo, n, "Title "+strconv.Itoa(i)))
		}
		s.quiet(20 * time.Second)
		if got := s.judged() - before; got < 1 || got > 2 {
			t.Errorf("%d judgements of ten events", got)
		}
	})
}

// Law 10: deliveries that cannot change a verdict cost no call.
func TestIdleTalkCostsNoCall(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, on string) {
		s := newStage(t, groundOptions{On: on})
		n := s.open("alpha")
		s.ends(20*time.Second, map[int]string{n: "failure"})
		s.quiet(20 * time.Second)
		s.ground.reset()
		for range 5 {
			_, err := s.ground.forge.As("chen").Comment(simtest.Repo, n, "Looks fine to me.")
			s.must(err)
		}
		s.quiet(20 * time.Second)
		if c := s.ground.calls(); c.Reads+c.Writes != 0 {
			t.Errorf("calls = %v, want none", c.Routes)
		}
	})
}

// A forge that answers slowly is asked by ten and more at a time, and each
// change is one read and two writes. The first ten calls are held until all of
// them are there, so that no clock decides.
func TestChangesInFlightOverlap(t *testing.T) {
	t.Parallel()
	var held atomic.Int64
	var armed atomic.Bool
	all := make(chan struct{})
	s := newStage(t, groundOptions{
		Timeout: 18 * time.Second,
		Wrap: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if armed.Load() {
					if held.Add(1) == 10 {
						close(all)
					}
					select {
					case <-all:
					case <-r.Context().Done():
					}
				}
				h.ServeHTTP(w, r)
			})
		},
	})
	warm := s.open("warm")
	s.ends(20*time.Second, map[int]string{warm: "failure"})
	s.quiet(20 * time.Second)
	s.ground.reset()
	armed.Store(true)
	want := map[int]string{}
	for i := range 20 {
		want[s.open("t"+strconv.Itoa(i))] = "failure"
	}
	s.ends(time.Minute, want)
	s.quiet(time.Minute)
	c := s.ground.calls()
	t.Logf("20 changes: %d reads, %d writes", c.Reads, c.Writes)
	if c.Reads != 20 || c.Writes != 40 {
		t.Errorf("%d reads and %d writes for 20 changes, want 20 and 40: %v", c.Reads, c.Writes, c.Routes)
	}
}

// Two replicas on one PostgreSQL take deliveries in turn and share the work:
// every change ends right, with one check and one comment.
func TestTwoReplicasOnPostgreSQL(t *testing.T) {
	t.Parallel()
	one := newStageOn(t, groundOptions{}, pgtest.New(t).Database(t), 300*time.Millisecond)
	two := one.replica()
	want := map[int]string{}
	var turn atomic.Int64 // a balancer in front of both
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := one
		if turn.Add(1)%2 == 0 {
			to = two
		}
		to.bot.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	one.ground.setHook(front.URL + "/hooks/github")
	for i := range 20 {
		n := one.open("t" + strconv.Itoa(i))
		want[n] = "failure"
		if i%3 == 0 {
			one.approve(n)
			want[n] = "success"
		}
	}
	one.ends(time.Minute, want)
	one.quiet(time.Minute)
	for n := range want {
		if got := one.comments(n); got > 1 {
			t.Errorf("change %d has %d comments", n, got)
		}
	}
	t.Logf("judgements: %d and %d", one.judged(), two.judged())
	if one.judged() == 0 || two.judged() == 0 {
		t.Errorf("judgements: %d and %d; want both to work", one.judged(), two.judged())
	}
}
