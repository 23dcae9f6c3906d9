package judge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"primum/forges"
	"primum/rules/fact"
	"primum/rules/policy"
)

// fake is a forge in memory: it answers with facts that tests edit, keeps what
// is written to it, counts calls, and fails when told to. It shows Primum's own
// check and comment in its answers, as a real forge does.
type fake struct {
	mu       sync.Mutex
	repo     forges.RepoRef
	changes  map[int]*fact.Change
	shown    map[int]*fact.Change // an older state that is still answered with
	checks   map[string]*check    // by id
	comments map[string]*comment  // by id
	reacted  []string
	queue    []int
	queueErr error
	files    map[string]string // "owner/name@ref:path" to text
	calls    []string
	fault    func(call string) error // before the call has any effect
	after    func(call string) error // after it had
	next     int
	// statuses makes it a forge of commit statuses: every verdict is a new one, of
	// which the newest of a name counts, whoever set it.
	statuses bool
	mute     bool                  // editors of comments are not told
	shows    func(string) string   // what the forge makes of a comment's text
	silent   bool                  // no delivery tells of a dismissed review or a status
	others   map[string]fact.Check // checks of others, by commit
	ticks    int                   // seconds since start of what was written last
}

type check struct {
	id, sha string
	report  forges.Report
	writes  int
	at      time.Time
}

// forge makes somebody else set a check of our name.
func (f *fake) forge(sha, by string, state fact.CheckState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.others == nil {
		f.others = map[string]fact.Check{}
	}
	f.others[sha] = fact.Check{Name: "primum", Source: by, State: state, ID: "x" + by, StartedAt: f.tick(), FinishedAt: f.tick()}
}

func (f *fake) tick() time.Time {
	f.ticks++
	return start.Add(time.Duration(f.ticks) * time.Second)
}

// top is what the forge goes by: the newest check of our name on a commit.
func (f *fake) top(sha string) fact.CheckState {
	f.mu.Lock()
	defer f.mu.Unlock()
	var at time.Time
	var state fact.CheckState
	for _, id := range f.ids() {
		if k := f.checks[id]; k != nil && k.sha == sha {
			at, state = k.at, fact.CheckState(k.report.State)
		}
	}
	if k, ok := f.others[sha]; ok && k.At().After(at) {
		state = k.State
	}
	return state
}

type comment struct {
	id, body string
	change   int
	edits    int
	deleted  bool
	editor   fact.Person // of somebody else's edit
	editedAt time.Time
}

// rewrite makes somebody else edit our comment on a change.
func (f *fake) rewrite(n int, by fact.Person, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.comments {
		if m.change == n && !m.deleted {
			m.body, m.editor, m.editedAt = body, by, f.tick()
		}
	}
}

func newFake() *fake {
	return &fake{
		repo:    forges.RepoRef{Forge: "fake", ID: "R1", Owner: "acme", Name: "pump", Default: "main"},
		changes: map[int]*fact.Change{}, shown: map[int]*fact.Change{}, checks: map[string]*check{},
		comments: map[string]*comment{}, files: map[string]string{},
	}
}

func (f *fake) call(name string) error {
	f.calls = append(f.calls, name)
	if f.fault != nil {
		return f.fault(name)
	}
	return nil
}

func (f *fake) done(name string) error {
	if f.after != nil {
		return f.after(name)
	}
	return nil
}

// count says how often a call was made; "" counts all.
func (f *fake) count(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if name == "" || c == name {
			n++
		}
	}
	return n
}

func (f *fake) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = nil
}

// edit changes the truth about one change; its time of last change moves on.
func (f *fake) edit(n int, how func(*fact.Change)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.changes[n]
	how(c)
	c.UpdatedAt = c.UpdatedAt.Add(time.Second)
}

// lag keeps answering with the state of now until fresh is called.
func (f *fake) lag(n int) { f.mu.Lock(); defer f.mu.Unlock(); f.shown[n] = clone(f.changes[n]) }

func (f *fake) fresh(n int) { f.mu.Lock(); defer f.mu.Unlock(); delete(f.shown, n) }

func clone[T any](v *T) *T {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out T
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(err)
	}
	return &out
}

func (*fake) Key() string { return "fake" }

func (*fake) Verify(http.Header, []byte) (forges.Delivery, error) {
	return forges.Delivery{}, forges.ErrSignature
}

func (*fake) Decode(forges.Delivery) (forges.Event, error) { return forges.Event{}, nil }

func (f *fake) ReadChange(_ context.Context, ref forges.ChangeRef, plan forges.Plan) (*fact.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("read"); err != nil {
		return nil, err
	}
	truth, ok := f.changes[ref.Number]
	if !ok {
		return nil, forges.ErrNotFound
	}
	if old := f.shown[ref.Number]; old != nil {
		truth = old
	}
	c := clone(truth)
	c.ReadAt = time.Now()
	c.Issues = slices.DeleteFunc(c.Issues, func(i fact.Issue) bool {
		return !slices.Contains(plan.Issues, fmt.Sprintf("%s#%d", i.Repo, i.Number)) && !slices.Contains(plan.Issues, fmt.Sprintf("#%d", i.Number))
	})
	for k := range c.People {
		if !slices.Contains(plan.Principals, k) {
			delete(c.People, k)
		}
	}
	for k := range c.BaseFiles {
		if !slices.Contains(plan.Files, k) {
			delete(c.BaseFiles, k)
		}
	}
	var newest *check
	for _, id := range f.ids() {
		if k := f.checks[id]; k != nil && k.sha == c.Head.SHA {
			newest = k
			if !f.statuses {
				c.Checks = append(c.Checks, fact.Check{
					ID: id, Name: k.report.Name, State: fact.CheckState(k.report.State), Ours: true, ExternalID: k.report.External,
				})
			}
		}
		if m := f.comments[id]; m != nil && m.change == ref.Number && !m.deleted {
			k := fact.Comment{ID: id, Body: m.body, Ours: true, Author: fact.Person{ID: "bot", Bot: true}, EditedAt: m.editedAt}
			if f.shows != nil {
				k.Body = f.shows(k.Body)
			}
			if k.Editor = m.editor; f.mute {
				k.Editor = fact.Person{}
			}
			c.Comments = append(c.Comments, k)
		}
	}
	if f.statuses && newest != nil {
		c.Checks = append(c.Checks, fact.Check{
			ID: newest.id, Name: newest.report.Name, State: fact.CheckState(newest.report.State), Ours: true, StartedAt: newest.at, FinishedAt: newest.at,
		})
	}
	if k, ok := f.others[c.Head.SHA]; ok {
		c.Checks = append(c.Checks, k)
	}
	if f.statuses && !slices.Contains(plan.Needs, fact.NeedChecks) {
		c.Checks = nil
	}
	return c, nil
}

func (f *fake) ids() []string {
	var ids []string
	for n := 1; n <= f.next; n++ {
		ids = append(ids, strconv.Itoa(n))
	}
	return ids
}

func (f *fake) ListOpen(context.Context, forges.RepoRef, string) ([]forges.Head, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("list_open"); err != nil {
		return nil, "", err
	}
	var heads []forges.Head
	for n, c := range f.changes {
		if c.State == fact.Open {
			heads = append(heads, forges.Head{Number: n, SHA: c.Head.SHA, Base: c.Base.Name, UpdatedAt: c.UpdatedAt})
		}
	}
	return heads, "", nil
}

func (f *fake) ListRepos(context.Context, string) ([]forges.RepoRef, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []forges.RepoRef{f.repo}, "", f.call("list_repos")
}

func (f *fake) ReadFiles(_ context.Context, r forges.RepoRef, at string, paths []string) (map[string]fact.Blob, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("read_files"); err != nil {
		return nil, err
	}
	out := map[string]fact.Blob{}
	for _, p := range paths {
		text, ok := f.files[r.FullName()+"@"+at+":"+p]
		out[p] = fact.Blob{Path: p, Text: text, Missing: !ok}
	}
	return out, nil
}

func (f *fake) ReadQueue(context.Context, forges.RepoRef, forges.QueueRef) ([]int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("read_queue"); err != nil {
		return nil, err
	}
	return f.queue, f.queueErr
}

func (f *fake) SetVerdict(_ context.Context, _ forges.RepoRef, sha string, r forges.Report, posted forges.Posted) (forges.Posted, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("set_verdict"); err != nil {
		return forges.Posted{}, err
	}
	k := f.checks[posted.ID]
	if k == nil || k.sha != sha || f.statuses {
		f.next++
		k = &check{id: strconv.Itoa(f.next), sha: sha}
		f.checks[k.id] = k
	}
	k.report, k.writes, k.at = r, k.writes+1, f.tick()
	return forges.Posted{ID: k.id, SHA: sha, State: r.State}, f.done("set_verdict")
}

func (f *fake) PutComment(_ context.Context, ref forges.ChangeRef, id, body string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("put_comment"); err != nil {
		return "", err
	}
	if id == "" {
		f.next++
		id = strconv.Itoa(f.next)
		f.comments[id] = &comment{id: id, change: ref.Number}
	}
	m := f.comments[id]
	if m == nil || m.deleted {
		return "", fmt.Errorf("edit comment: %w", forges.ErrNotFound)
	}
	if m.body != "" {
		m.editor, m.editedAt = fact.Person{ID: "bot", Bot: true}, f.tick()
	}
	m.body, m.edits = body, m.edits+1
	return id, f.done("put_comment")
}

func (f *fake) React(_ context.Context, c forges.CommentRef, r forges.Reaction) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("react"); err != nil {
		return err
	}
	f.reacted = append(f.reacted, c.ID+" "+string(r))
	return f.done("react")
}

// Permission: mara and jonas may write, everybody else may read.
func (f *fake) Permission(_ context.Context, _ forges.RepoRef, login string) (forges.Permission, error) {
	if login == "mara" || login == "jonas" {
		return forges.PermWrite, nil
	}
	return forges.PermRead, nil
}

// Forget implements forges.PeopleCache; the fake keeps nobody in mind.
func (f *fake) Forget(string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.call("forget")
}

func (f *fake) Capabilities() forges.Capabilities {
	c := forges.Capabilities{
		Product: "Fake", ChangeSign: "#", Annotations: true, Buttons: true, MergeQueue: true, PinnedCheck: true,
		CommentMax: 65536, SummaryMax: 65535, ShortMax: 140,
	}
	if f.statuses {
		c.Annotations, c.Buttons, c.MergeQueue, c.PinnedCheck, c.SummaryMax = false, false, false, false, 0
	}
	if f.silent {
		c.Lacks = map[forges.Trait]string{forges.TellsDismissal: "No delivery tells of it.", forges.TellsStatus: "No delivery tells of it.", forges.TellsJobs: "No delivery tells of it."}
	}
	if f.mute {
		if c.Lacks == nil {
			c.Lacks = map[forges.Trait]string{}
		}
		c.Lacks[forges.ReadsEditors] = "It does not tell."
	}
	return c
}

// on is the newest check on a commit, and how many there are.
func (f *fake) on(sha string) (r forges.Report, checks int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range f.ids() {
		if k := f.checks[id]; k != nil && k.sha == sha {
			r, checks = k.report, checks+1
		}
	}
	return r, checks
}

// said are the comments of ours on a change that nobody deleted.
func (f *fake) said(n int) []*comment {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*comment
	for _, id := range f.ids() {
		if m := f.comments[id]; m != nil && m.change == n && !m.deleted {
			out = append(out, clone2(m))
		}
	}
	return out
}

func clone2(m *comment) *comment { c := *m; return &c }

var (
	mara  = fact.Person{ID: "1", Login: "mara"}
	chen  = fact.Person{ID: "2", Login: "chen"}
	priya = fact.Person{ID: "3", Login: "priya"}
)

// oneRule is a policy under which a change passes when one developer who is
// not its author approved it, and nothing else matters.
const oneRule = `version: 1
product: infusion-pump
class: B
items:
  - {id: dosing, paths: [fw/**]}
people:
  developer: [user:mara, user:chen]
  quality: [user:priya]
rules:
  link-change-request: off
  link-problem-report: off
  cr-analysis-complete: off
  cr-approved: off
  review-quorum: {B: {approvals: 1, roles: [developer]}}
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

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// open puts a change on the forge that waits for its one approval.
func (f *fake) open(n int) string {
	head := sha("head", n)
	c := &fact.Change{
		Forge: "fake", Number: n, URL: "https://forge.example/acme/pump/pull/" + strconv.Itoa(n),
		Repo:  fact.Repo{ID: "R1", Owner: "acme", Name: "pump", DefaultBranch: "main"},
		Title: "Limit the dose rate", State: fact.Open, Opener: mara, CreatedAt: start, UpdatedAt: start,
		Head: fact.Ref{Name: "topic", SHA: head, Repo: "acme/pump"}, Base: fact.Ref{Name: "main", SHA: sha("base", 0)},
		MergeBase: sha("base", 0), Patch: "patch-" + strconv.Itoa(n),
		Files:  []fact.File{{Path: "fw/dosing/rate.c", Status: fact.Modified, Added: 3, Removed: 1}},
		Policy: fact.Blob{Path: policy.Path, Commit: sha("base", 0), OID: "p1", Text: oneRule},
		People: map[string]fact.Principal{
			"user:mara": {Members: []fact.Person{mara}}, "user:chen": {Members: []fact.Person{chen}},
			"user:priya": {Members: []fact.Person{priya}},
		},
		BaseFiles: map[string]fact.Blob{},
	}
	c.Commits = []fact.Commit{commitOf(head)}
	f.mu.Lock()
	f.changes[n] = c
	f.mu.Unlock()
	return head
}

func commitOf(sha string) fact.Commit {
	return fact.Commit{
		SHA: sha, Message: "Limit the dose rate", Parents: 1, AuthoredAt: start, CommittedAt: start,
		Author: fact.Identity{Name: "Mara", Email: "mara@example.org", Account: mara}, Committer: fact.Identity{Account: mara},
	}
}

// push moves the head of a change to a new commit on top.
func (f *fake) push(n, to int) string {
	head := sha("push", n*1000+to)
	f.edit(n, func(c *fact.Change) {
		c.Head.SHA, c.Patch = head, "patch-"+head
		c.Commits = append(c.Commits, commitOf(head))
	})
	return head
}

// approve adds chen's approval of the present head.
func (f *fake) approve(n int) {
	f.edit(n, func(c *fact.Change) {
		c.Reviews = append(c.Reviews, fact.Review{
			ID: "rev" + c.Head.SHA[:6], Author: chen, State: fact.Approved, Commit: c.Head.SHA, SubmittedAt: start.Add(time.Minute),
		})
	})
}

// sha makes a commit id.
func sha(what string, n int) string {
	return (fmt.Sprintf("%x", what) + fmt.Sprintf("%040d", n))[:8] + fmt.Sprintf("%032d", n)
}

var errBroken = &forges.HTTPError{Method: "POST", Path: "/x", Status: 502}

// failOn makes a call fail every time.
func failOn(name string, err error) func(string) error {
	return func(call string) error {
		if call == name {
			return err
		}
		return nil
	}
}
