package bot

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"primum/forges/sim"
	"primum/forges/sim/simtest"
	"primum/rules"
)

// Law 7 and 6: 5 % of calls answered 502, 2 % never, 10 % of writes done and
// answered 502, the rate limit spent for a while: every change ends right, the
// forge merges what passed and nothing else, each has one comment that says how
// it stands, and nobody did anything. On GitLab some statuses are refused with
// 409 besides, and pipelines come meanwhile.
func TestEveryChangeEndsRightOnAFaultyForge(t *testing.T) {
	t.Parallel()
	everywhere(t, everyChangeEndsRight)
}

func everyChangeEndsRight(t *testing.T, on string) {
	t.Helper()
	changes := 15
	limit := sim.LimitTooMany
	if on == onGitHub {
		changes, limit = 30, sim.LimitSecondary
	}
	lossy := newDeaf(7, 0.1)
	s := newStage(t, groundOptions{On: on, Seed: 7, Wrap: lossy.wrap})
	s.ground.protect(t)
	f := s.ground.forge
	f.SetFaults(func(f *sim.Faults) { f.FailShare, f.HangShare = 0.05, 0.02 })
	want := map[int]string{}
	for i := range changes {
		n := s.open("topic" + strconv.Itoa(i))
		want[n] = "failure"
		if i%2 == 0 {
			s.approve(n)
			want[n] = "success"
		}
		if i == changes/3 {
			f.SetFaults(func(f *sim.Faults) { f.LimitedUntil, f.Limit = time.Now().Add(3*time.Second), limit })
		}
		if lab := s.ground.gitlab; lab != nil && i%3 == 0 {
			lab.Conflict(4) // more than the adapter tries at once
			lab.EndBuild(lab.RunPipeline(simtest.Repo, n, "build"), "build", "success")
		}
	}
	s.ends(2*time.Minute, want)
	s.quiet(2 * time.Minute)
	f.SetFaults(func(f *sim.Faults) { *f = sim.Faults{} })
	lossy.stop()
	s.ends(20*time.Second, want) // and stays so
	s.merges(want)
	s.told(want)
	s.unsuspicious(want)
	t.Logf("%d answers to writes were lost", lossy.count())
}

// unsuspicious holds that no verdict blames somebody for what Primum did itself.
func (s *stage) unsuspicious(want map[int]string) {
	s.t.Helper()
	for n := range want {
		sub, err := s.db.Subject(s.t.Context(), s.key(n))
		s.must(err)
		row, err := s.db.Verdict(s.t.Context(), sub.Verdict)
		s.must(err)
		var v rules.Verdict
		s.must(json.Unmarshal(row.JSON, &v))
		if len(v.Notes) != 0 {
			s.t.Errorf("change %d has the notes %+v", n, v.Notes)
		}
	}
}

// Law 7: what the forge did and did not say it had done is there once, and the
// newest word stands: of the verdict, of the comment and of its edit.
func TestAnAnswerThatIsLostIsNoSecondWrite(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, on string) {
		for name, write := range writesOf(on) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				lossy := newDeaf(1, 0)
				s := newStage(t, groundOptions{On: on, Wrap: lossy.wrap})
				s.ground.protect(t)
				lossy.only(write)
				n := s.open("alpha")
				if name != "edit of the comment" {
					s.within(20*time.Second, "no answer was lost", func() error { return lossy.lostOne() })
				}
				s.ends(20*time.Second, map[int]string{n: "failure"})
				s.quiet(20 * time.Second)
				if got := s.comments(n); got != 1 {
					t.Errorf("%d comments, want one", got)
				}
				s.told(map[int]string{n: "failure"})
				if name == "verdict" { // and the one that follows it
					lossy.only(write)
				}
				s.approve(n)
				want := map[int]string{n: "success"}
				s.ends(20*time.Second, want)
				s.quiet(20 * time.Second)
				s.must(lossy.lostOne())
				s.ends(20*time.Second, want)
				s.merges(want)
				s.told(want)
				s.unsuspicious(want)
			})
		}
	})
}

func (d *deaf) lostOne() error {
	if d.count() == 0 {
		return errors.New("every answer reached its caller")
	}
	return nil
}

// writesOf tells the requests that write on a face: the verdict, the comment
// when it is new, and the edit of it.
func writesOf(on string) map[string]func(*http.Request) bool {
	is := func(method, part string) func(*http.Request) bool {
		return func(r *http.Request) bool { return r.Method == method && strings.Contains(r.URL.Path, part) }
	}
	switch on {
	case onGitLab:
		return map[string]func(*http.Request) bool{
			"verdict": is(http.MethodPost, "/statuses/"), "comment": is(http.MethodPost, "/notes"), "edit of the comment": is(http.MethodPut, "/notes/"),
		}
	case onGitHub:
		return map[string]func(*http.Request) bool{
			"verdict": is(http.MethodPost, "/check-runs"), "comment": is(http.MethodPost, "/comments"), "edit of the comment": is(http.MethodPatch, "/comments/"),
		}
	}
	return map[string]func(*http.Request) bool{
		"verdict": is(http.MethodPost, "/statuses/"), "comment": is(http.MethodPost, "/comments"), "edit of the comment": is(http.MethodPatch, "/comments/"),
	}
}

// A thousand changes opened at once on GitHub, and a hundred on each of the
// others: none refused, none lost.
func TestAThousandChangesAtOnce(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, on string) {
		changes := 100
		if on == onGitHub {
			changes = 1000
		}
		s := newStage(t, groundOptions{On: on})
		s.must(s.ground.drain(t.Context()))
		earlier := len(s.ground.sent()) // some before anybody listened
		want := map[int]string{}
		for i := range changes {
			want[s.open("t"+strconv.Itoa(i))] = "failure"
		}
		began := time.Now()
		s.ends(5*time.Minute, want)
		c := s.ground.calls()
		t.Logf("%d changes judged %v after the last was opened: %d reads, %d writes, %d judgements",
			changes, time.Since(began).Round(10*time.Millisecond), c.Reads, c.Writes, s.judged())
		s.quiet(time.Minute)
		s.must(s.ground.drain(t.Context())) // of what the verdicts told as well
		for _, status := range s.ground.sent()[earlier:] {
			if status != http.StatusAccepted && status != http.StatusOK {
				t.Fatalf("a delivery was answered %d", status)
			}
		}
		s.told(want)
	})
}

// GitLab refuses a status while another one of the commit is set, and a pipeline
// that comes later hides the one Primum set: sixty changes, each with a
// pipeline that begins at some moment of its judgement, end right all the same.
func TestPipelinesThatComeMeanwhile(t *testing.T) {
	t.Parallel()
	s := newStage(t, groundOptions{On: onGitLab})
	s.ground.protect(t)
	lab := s.ground.gitlab
	want := map[int]string{}
	runs := map[int]int64{}
	for i := range 60 {
		n := s.open("p" + strconv.Itoa(i))
		want[n] = "failure"
		if i%2 == 0 {
			s.approve(n)
			want[n] = "success"
		}
		if i%5 == 0 {
			lab.Conflict(3)
		}
		time.Sleep(time.Duration(i%7) * time.Millisecond) // at any moment
		runs[n] = lab.RunPipeline(simtest.Repo, n, "build")
	}
	for _, id := range runs {
		lab.EndBuild(id, "build", "success")
	}
	s.ends(time.Minute, want)
	s.quiet(time.Minute)
	s.merges(want)
	s.told(want)
}
