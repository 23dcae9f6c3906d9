package sim

import (
	"slices"
	"time"
)

// CheckRun is a check of an app on a commit.
type CheckRun struct {
	ID          int64
	Suite       int64
	App         int64
	Name        string
	SHA         string
	Status      string // queued, in_progress, completed
	Conclusion  string // of a completed one: success, failure, neutral, cancelled, skipped, timed_out, action_required, stale
	ExternalID  string
	DetailsURL  string
	StartedAt   time.Time
	CompletedAt time.Time
	Title       string
	Summary     string
	Text        string
	Annotations []Annotation
	Actions     []CheckAction
}

// Annotation points at lines of a file.
type Annotation struct {
	Path      string
	StartLine int
	EndLine   int
	Level     string // notice, warning, failure
	Title     string
	Message   string
}

// CheckAction is a button on a check.
type CheckAction struct {
	Label       string
	Description string
	Identifier  string
}

// CheckSuite groups the runs of one app on one commit.
type CheckSuite struct {
	ID        int64
	App       int64
	SHA       string
	Branch    string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Status is a commit status.
type Status struct {
	ID          int64
	SHA         string
	Context     string
	State       string // error, failure, pending, success
	Description string
	TargetURL   string
	Creator     int64
	At          time.Time

	// What only GitLab has: the branch and the pipeline it is meant for, and the
	// state in GitLab's word ("running", "canceled").
	Ref      string
	Pipeline int64
	Word     string
}

// newestRuns keeps the newest run per name and app, oldest first.
func newestRuns(runs []*CheckRun) []*CheckRun {
	var out []*CheckRun
	for i, run := range runs {
		newer := slices.ContainsFunc(runs[i+1:], func(o *CheckRun) bool { return o.Name == run.Name && o.App == run.App })
		if !newer {
			out = append(out, run)
		}
	}
	return out
}

// newestStatus is the newest status of a context, or nil.
func newestStatus(all []*Status, context string) *Status {
	for _, s := range slices.Backward(all) {
		if s.Context == context {
			return s
		}
	}
	return nil
}

// CreateCheck makes a check run; only an app's bot may. Zero fields are filled
// in: queued, or completed where there is a conclusion.
func (a Actor) CreateCheck(repo string, run CheckRun) (id int64, err error) {
	err = a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		if me.App == 0 {
			return refuse(Forbidden, "You must authenticate via a GitHub App.")
		}
		if f.objects.commits[run.SHA] == nil {
			return refuse(Invalid, "No commit found for SHA: %s", run.SHA)
		}
		run.ID, run.App = f.id(), me.App
		run.Suite = f.suite(r, me.App, run.SHA).ID
		f.settle(&run)
		c := run
		r.Checks[run.SHA] = append(r.Checks[run.SHA], &c)
		id = c.ID
		f.mirror(me, r, &c)
		f.announce(Happening{Kind: CheckRunHappened, Action: "created", Actor: me, Repo: r, CheckRun: &c, Suite: f.suite(r, me.App, c.SHA)})
		if c.Status == "completed" {
			f.completed(me, r, &c)
		}
		return nil
	})
	return id, err
}

func (f *Forge) settle(run *CheckRun) {
	now := f.Now()
	if run.StartedAt.IsZero() {
		run.StartedAt = now
	}
	if run.Conclusion != "" {
		run.Status = "completed"
		if run.CompletedAt.IsZero() {
			run.CompletedAt = now
		}
	}
	if run.Status == "" {
		run.Status = "queued"
	}
	if run.Status != "completed" {
		run.Conclusion, run.CompletedAt = "", time.Time{}
	}
}

func (f *Forge) completed(me *Account, r *Repo, run *CheckRun) {
	s := f.suite(r, run.App, run.SHA)
	s.UpdatedAt = f.Now()
	f.announce(Happening{Kind: CheckRunHappened, Action: "completed", Actor: me, Repo: r, CheckRun: run, Suite: s})
	done := true
	for _, o := range newestRuns(r.Checks[run.SHA]) {
		done = done && (o.App != run.App || o.Status == "completed")
	}
	if done {
		f.announce(Happening{Kind: CheckSuiteHappened, Action: "completed", Actor: me, Repo: r, Suite: s})
	}
	f.settleCandidates(me, r, run.SHA)
}

func (f *Forge) suite(r *Repo, app int64, sha string) *CheckSuite {
	for _, s := range r.Suites {
		if s.App == app && s.SHA == sha {
			return s
		}
	}
	now := f.Now()
	s := &CheckSuite{ID: f.id(), App: app, SHA: sha, CreatedAt: now, UpdatedAt: now}
	for _, is := range r.changes() {
		if is.Change.Head == sha && is.Change.HeadRepo == r.ID {
			s.Branch = is.Change.HeadBranch
		}
	}
	r.Suites = append(r.Suites, s)
	return s
}

// UpdateCheck changes a run of the actor's own app: fn gets it as it stands.
func (a Actor) UpdateCheck(repo string, id int64, fn func(*CheckRun)) error {
	return a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		run := r.check(id)
		if run == nil {
			return refuse(NotFound, "no check run %d", id)
		}
		if run.App != me.App {
			return refuse(Forbidden, "Invalid app_id `%d` - check run can only be modified by the GitHub App that created it.", me.App)
		}
		was := run.Status
		next := *run
		next.Annotations = slices.Clone(run.Annotations)
		fn(&next)
		next.ID, next.Suite, next.App, next.SHA = run.ID, run.Suite, run.App, run.SHA
		f.settle(&next)
		*run = next
		f.mirror(me, r, run)
		if run.Status == "completed" {
			f.completed(me, r, run)
		} else if was == "completed" {
			f.announce(Happening{Kind: CheckRunHappened, Action: "created", Actor: me, Repo: r, CheckRun: run, Suite: f.suite(r, run.App, run.SHA)})
		}
		return nil
	})
}

func (r *Repo) check(id int64) *CheckRun {
	for _, runs := range r.Checks {
		for _, run := range runs {
			if run.ID == id {
				return run
			}
		}
	}
	return nil
}

// Checks lists the newest check runs on a commit, by app and name.
func (f *Forge) Checks(repo, sha string) []CheckRun {
	f.mu.RLock()
	defer f.mu.RUnlock()
	r := f.repo(repo)
	if r == nil {
		return nil
	}
	var out []CheckRun
	for _, run := range newestRuns(r.Checks[sha]) {
		c := *run
		c.Annotations, c.Actions = slices.Clone(run.Annotations), slices.Clone(run.Actions)
		out = append(out, c)
	}
	return out
}

// RerequestCheck asks the app of a run to do it again, as the button on the
// forge's page does.
func (a Actor) RerequestCheck(repo string, id int64) error {
	return a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		run := r.check(id)
		if run == nil {
			return refuse(NotFound, "no check run %d", id)
		}
		f.announce(Happening{Kind: CheckRunHappened, Action: "rerequested", Actor: me, Repo: r, CheckRun: run, Suite: f.suite(r, run.App, run.SHA)})
		return nil
	})
}

// RerequestSuite asks an app to do all its checks on a commit again.
func (a Actor) RerequestSuite(repo, app, sha string) error {
	return a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		p := f.app(app)
		if p == nil {
			return refuse(NotFound, "no app %s", app)
		}
		f.announce(Happening{Kind: CheckSuiteHappened, Action: "rerequested", Actor: me, Repo: r, Suite: f.suite(r, p.ID, sha)})
		return nil
	})
}

// PressButton presses a button on a check.
func (a Actor) PressButton(repo string, id int64, identifier string) error {
	return a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		run := r.check(id)
		if run == nil {
			return refuse(NotFound, "no check run %d", id)
		}
		if !slices.ContainsFunc(run.Actions, func(c CheckAction) bool { return c.Identifier == identifier }) {
			return refuse(NotFound, "no button %s", identifier)
		}
		f.announce(Happening{Kind: CheckRunHappened, Action: "requested_action", Actor: me, Repo: r, CheckRun: run, Suite: f.suite(r, run.App, run.SHA), Button: identifier})
		return nil
	})
}

// SetStatus puts a commit status on a commit, as anybody with write may.
func (a Actor) SetStatus(repo, sha string, s Status) (id int64, err error) {
	err = a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		if f.objects.commits[sha] == nil {
			return refuse(Invalid, "No commit found for SHA: %s", sha)
		}
		if !f.style.AnyState && !slices.Contains([]string{"error", "failure", "pending", "success"}, s.State) {
			return refuse(Invalid, "State is not included in the list")
		}
		if s.Context == "" {
			s.Context = "default"
		}
		id = f.addStatus(me, r, sha, s).ID
		f.settleCandidates(me, r, sha)
		return nil
	})
	return id, err
}

// Statuses lists the newest status per context on a commit.
func (f *Forge) Statuses(repo, sha string) []Status {
	f.mu.RLock()
	defer f.mu.RUnlock()
	r := f.repo(repo)
	if r == nil {
		return nil
	}
	var out []Status
	for i, s := range r.Statuses[sha] {
		if newestStatus(r.Statuses[sha][i:], s.Context) == s {
			out = append(out, *s)
		}
	}
	return out
}
