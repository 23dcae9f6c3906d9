package gitea

import (
	"net/http"
	"sync"
	"testing"

	"primum/forges"
	"primum/rules/fact"
)

// TestPeopleAtOnce: changes read at once ask for each team once, and who we are
// once.
func TestPeopleAtOnce(t *testing.T) {
	t.Parallel()
	f, s := instance(t, map[string]string{
		"GET /users/author": `{"id":2,"login":"author"}`,
	}, "042", "054")
	s.answers["GET /teams/4/members"] = answer{
		status: 200, header: map[string]string{"X-Total-Count": "2"}, body: `[{"id":5,"login":"qa"},{"id":6,"login":"primum-bot"}]`,
	}
	s.answers["GET /repos/meddev/pump/contents/.primum.yml"] = answer{status: http.StatusNotFound}
	read := func() {
		c, err := f.ReadChange(t.Context(), forges.ChangeRef{Repo: pump, Number: 3}, forges.Plan{
			Needs: []fact.Need{fact.NeedPeople}, Principals: []string{"team:quality", "user:author", "user:none"},
		})
		if err != nil {
			t.Error(err)
			return
		}
		p := c.People["team:quality"]
		if len(p.Members) != 2 || p.Members[0].Bot || !p.Members[1].Bot || c.People["user:author"].Members[0].ID != "2" || c.People["user:none"].Problem == "" {
			t.Errorf("people %+v", c.People)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(read)
	}
	wg.Wait()
	calls := []string{"GET /user", "GET /version", "GET /orgs/meddev/teams", "GET /teams/4/members", "GET /users/author", "GET /users/none"}
	count := func(call string) int {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := 0
		for _, c := range s.calls {
			if c == call {
				n++
			}
		}
		return n
	}
	for _, call := range calls {
		if n := count(call); n != 1 {
			t.Errorf("%s: %d calls, want 1", call, n)
		}
	}
	f.Forget("Meddev")
	read()
	if n := count("GET /teams/4/members"); n != 2 {
		t.Errorf("after Forget %d calls for members, want 2", n)
	}
}
