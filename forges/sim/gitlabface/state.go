package gitlabface

import (
	"slices"
	"sync"
	"time"

	"primum/forges/sim"
)

// state is what GitLab keeps and the forge does not know of: settings of
// projects, pipelines, external status checks, approval rules, webhooks. Its
// lock is the innermost: nothing is called while it is held.
type state struct {
	mu        sync.Mutex
	last      int64 // of ids given out here
	projects  map[int64]*settings
	pipelines []*pipeline // oldest first
	versions  map[int64][]version
	unready   map[int64]unready
	checks    []*statusCheck
	responses map[responseKey]response
	rules     []*approvalRule
	hooks     []*hook
	iids      map[int64]int
	counted   map[int64][2]int  // by project: issues, merge requests
	above     map[[2]int64]bool // by group and account: made a member through the API
	conflicts int               // status posts to answer 409
}

// settings are a project's merge settings.
type settings struct {
	pipeline     bool
	skipped      bool
	discussions  bool
	statusChecks bool
	method       string
	approvals    int
	// keep is whether approvals outlive a push.
	keep bool
	// guards are the branches protected through the API by name; nil for one whose
	// protection was taken away.
	guards map[string]*guard
}

// guard says from which level on members push to a branch and merge into it; 0 is nobody.
type guard struct{ push, merge int }

// version is a diff of a merge request.
type version struct {
	head string
	base string
	at   time.Time
}

// unready says that the diff of a head is not worked out yet.
type unready struct {
	head string
	left int
}

func newState() *state {
	return &state{
		projects: map[int64]*settings{}, versions: map[int64][]version{}, unready: map[int64]unready{},
		responses: map[responseKey]response{}, iids: map[int64]int{}, counted: map[int64][2]int{},
		above: map[[2]int64]bool{},
	}
}

// id gives out an id; the state is locked.
func (s *state) id() int64 {
	s.last++
	return s.last
}

// settings are a copy of a project's.
func (s *state) settings(project int64) settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.project(project)
}

func (s *state) project(id int64) *settings {
	p := s.projects[id]
	if p == nil {
		p = &settings{method: "merge", keep: true}
		s.projects[id] = p
	}
	return p
}

func (s *state) change(project int64, fn func(*settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(s.project(project))
}

// pushed keeps a new diff of a merge request, whose files show after so many readings.
func (s *state) pushed(mr int64, head, base string, at time.Time, after int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions[mr] = append(s.versions[mr], version{head, base, at})
	delete(s.unready, mr)
	if after > 0 {
		s.unready[mr] = unready{head, after}
	}
}

func (s *state) versionsOf(mr int64) []version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.versions[mr])
}

// prepared reports whether the diff of a head is there.
func (s *state) prepared(mr int64, head string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, waits := s.unready[mr]
	return !waits || u.head != head
}

// wasRead counts a reading of a merge request down.
func (s *state) wasRead(mr int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, waits := s.unready[mr]
	if !waits {
		return
	}
	u.left--
	if u.left <= 0 {
		delete(s.unready, mr)
		return
	}
	s.unready[mr] = u
}

// countAll gives every issue and merge request of a project a number of its own kind.
func (s *state) countAll(project int64, all []*sim.Issue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, is := range all {
		if s.iids[is.ID] != 0 {
			continue
		}
		n := s.counted[project]
		kind := 0
		if is.Change != nil {
			kind = 1
		}
		n[kind]++
		s.iids[is.ID], s.counted[project] = n[kind], n
	}
}

func (s *state) iidOf(id int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.iids[id]
}

// Conflict makes the next so many posted commit statuses answer 409, as GitLab
// does where another update of the commit's statuses is under way for too long.
func (t *Face) Conflict(n int) {
	t.state.mu.Lock()
	defer t.state.mu.Unlock()
	t.state.conflicts = n
}

// conflict takes one of the answers Conflict asked for.
func (s *state) conflict() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conflicts == 0 {
		return false
	}
	s.conflicts--
	return true
}

// isAbove reports whether somebody was made a member of a top-level group
// through the API.
func (s *state) isAbove(group, who int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.above[[2]int64{group, who}]
}
