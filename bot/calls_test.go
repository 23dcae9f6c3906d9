package bot

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"primum/forges/sim"
	"primum/forges/sim/simtest"
)

// anew are the calls beyond a warm event's of one that has much read anew.
const anew = 8

// linkingPolicy asks for a change request and for an approval, and looks at no
// check; whoever is in a team is told by the forge.
var linkingPolicy = strings.Replace(stagePolicy, "  link-change-request: off\n", "", 1)

// Law 10, and what the README promises, through the whole service: what one
// event on a warm change costs from the delivery to the verdict, everything
// counted, and that a verdict that stays as it is writes nothing. A typical
// change names one change request; what a second issue costs is told beside it.
// A push and a recheck are no warm events: the one brings files and commits that
// were never read, the other has the people read anew. On GitLab a push is judged twice where no CI
// runs: Primum's status begins a pipeline, and the delivery that tells of it does
// not say whose statuses are in it, so that it might tell of a forged one.
func TestCallsForOneEventOnEveryFace(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, on string) {
		// A new approval costs GitLab two readings more, once: when it was given,
		// and on which version of the change.
		most := map[string]int{onGitHub: 4, onGitLab: 5, onGitea: 8, onForgejo: 8}[on]
		seen := 0
		if on == onGitLab {
			seen = 2
		}
		for issues := 1; issues <= 2; issues++ {
			t.Run(fmt.Sprintf("issues=%d", issues), func(t *testing.T) {
				t.Parallel()
				s := newStage(t, groundOptions{On: on})
				s.govern(linkingPolicy)
				n := s.linked(issues)
				s.ends(20*time.Second, map[int]string{n: "failure"})
				s.quiet(20 * time.Second)
				s.rewarm(n)
				for _, event := range []struct {
					name   string
					more   int  // calls beyond what is promised of a warm event
					writes bool // there is something to say
					do     func(mara sim.Actor) error
				}{
					{"title", 0, false, func(a sim.Actor) error { return a.SetTitle(simtest.Repo, n, "Another title") }},
					{"command", 0, true, func(a sim.Actor) error {
						_, err := a.Comment(simtest.Repo, n, "/primum class")
						return err
					}},
					{"approval", seen, true, func(sim.Actor) error {
						_, err := s.ground.forge.As("jonas").Approve(simtest.Repo, n, "")
						return err
					}},
					{"push", anew, true, func(a sim.Actor) error {
						_, err := a.Push(simtest.Repo, "linked", sim.NewCommit{Message: "More", Files: map[string]string{"fw/linked.c": "int more;\n"}})
						return err
					}},
					{"recheck", anew, true, func(a sim.Actor) error {
						_, err := a.Comment(simtest.Repo, n, "/primum recheck")
						return err
					}},
				} {
					s.ground.reset()
					before := s.judged()
					s.must(event.do(s.ground.forge.As("mara")))
					s.quiet(20 * time.Second)
					c, judged := s.ground.calls(), s.judged()-before
					t.Logf("%d linked, %s: %d reads, %d writes in %d judgements %v", issues, event.name, c.Reads, c.Writes, judged, told(c))
					twice := on == onGitLab && event.name == "push"
					if judged != 1 && (!twice || judged != 2) {
						t.Errorf("%s: %d judgements, want one", event.name, judged)
					}
					if all := c.Reads + c.Writes; issues == 1 && all > most+event.more {
						t.Errorf("%s: %d calls, want at most %d: %v", event.name, all, most+event.more, told(c))
					}
					if !event.writes && c.Writes != 0 {
						t.Errorf("%s: %d writes of a verdict that stays as it is: %v", event.name, c.Writes, told(c))
					}
				}
			})
		}
	})
}

// linked opens a change by mara that names so many issues.
func (s *stage) linked(issues int) int {
	s.t.Helper()
	mara := s.ground.forge.As("mara")
	var names []string
	for i := range issues {
		n, err := mara.OpenIssue(simtest.Repo, "Limit the rate "+strconv.Itoa(i), "### Reason\n\nThe rate can exceed what the motor does.\n")
		s.must(err)
		names = append(names, "Refs #"+strconv.Itoa(n))
	}
	_, err := mara.Push(simtest.Repo, "linked", sim.NewCommit{Message: "Limit the rate", Files: map[string]string{"fw/linked.c": "int rate;\n"}})
	s.must(err)
	n, err := mara.OpenChange(simtest.Repo, sim.NewChange{Title: "Limit the rate", Head: "linked", Body: strings.Join(names, "\n")})
	s.must(err)
	return n
}

// rewarm has one event judged before what is counted.
func (s *stage) rewarm(n int) {
	s.t.Helper()
	s.must(s.ground.forge.As("mara").SetTitle(simtest.Repo, n, "Limit the rate of the motor"))
	s.quiet(20 * time.Second)
}

// told lists the routes of calls.
func told(c calls) string {
	var out []string
	for _, route := range slices.Sorted(maps.Keys(c.Routes)) {
		out = append(out, fmt.Sprintf("%d× %s", c.Routes[route], route))
	}
	return strings.Join(out, ", ")
}
