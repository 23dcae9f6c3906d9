package gitlab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// policyPath is where a repository keeps its policy.
const policyPath = ".primum.yml"

// errPreparing is a change whose diff GitLab has not made yet. It will soon: the
// reading is tried again, and nothing is guessed.
var errPreparing = errors.New("GitLab is still preparing the diff of the change")

// reading is one reading of one change, in the making.
type reading struct {
	*Forge
	ref   forges.ChangeRef
	plan  forges.Plan
	needs map[fact.Need]bool
	self  fact.Person

	path   string // full path of the project, as it answers
	pid    string // its number
	branch string // target branch as guessed for the first query
	at     string // commit the files were asked at, or the branch
	headAt string // commit the policy of the head was asked at; "" if it was not
	wanted []string

	project *changeAnswer
	mr      *changeNode
	c       *fact.Change
	notes   []noteNode
	jobs    []jobNode
	issues  map[string]*issueNode // by "group/project#12", lower case
	closing []closingIssue
	labels  map[string][]fact.LabelEvent

	approved map[string]time.Time // when each account approved, where GitLab tells; nil if not asked

	mu       sync.Mutex
	versions []version // newest first; nil if not read
}

// unknown marks a part as not read. The first reason stands.
func (r *reading) unknown(n fact.Need, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.c.MarkUnknown(n, why)
}

// tip is what was last seen of a change, to guess from.
type tip struct {
	branch, sha string // target branch and its tip
	head        string
	touches     bool // it touches the policy
}

// ReadChange implements forges.Forge.
func (f *Forge) ReadChange(ctx context.Context, ref forges.ChangeRef, plan forges.Plan) (*fact.Change, error) {
	r := &reading{
		Forge: f, ref: ref, plan: plan, needs: map[fact.Need]bool{},
		issues: map[string]*issueNode{}, labels: map[string][]fact.LabelEvent{},
	}
	for _, n := range plan.Needs {
		r.needs[n] = true
	}
	if err := r.read(wire.Operation(ctx, "read_change")); err != nil {
		return nil, fmt.Errorf("read change %d of %s: %w", ref.Number, ref.Repo.FullName(), err)
	}
	return r.c, nil
}

func (r *reading) read(ctx context.Context) error {
	if !validPath(r.ref.Repo.FullName()) || r.ref.Number <= 0 {
		return forges.ErrNotFound
	}
	var err error
	if r.self, err = r.me(ctx); err != nil {
		return err
	}
	if err := r.first(ctx); err != nil {
		return err
	}
	if err := r.ready(); err != nil {
		return err
	}
	r.core()
	err = r.following(ctx)
	if errors.Is(err, forges.ErrNotFound) { // the change is there: a part of it went between two calls
		return fmt.Errorf("%w: %s", forges.ErrConflict, err.Error())
	}
	return err
}

// following reads what the first answer did not hold.
func (r *reading) following(ctx context.Context) error {
	if err := r.rest(ctx); err != nil {
		return err
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(6)
	group.Go(func() error { return r.readFiles(inner) })
	group.Go(func() error { return r.readCommits(inner) })
	group.Go(func() error { return r.readClosing(inner) })
	group.Go(func() error { return r.readLabels(inner) })
	group.Go(func() error { return r.readPeople(inner) })
	group.Go(func() error { return r.readChecks(inner) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := r.readIssues(ctx); err != nil {
		return err
	}
	if err := r.readBlobs(ctx); err != nil {
		return err
	}
	if err := r.readWords(ctx); err != nil {
		return err
	}
	if err := r.readPatches(ctx); err != nil {
		return err
	}
	if err := r.mergedAs(ctx); err != nil {
		return err
	}
	r.remember()
	r.c.ReadAt = r.Now()
	return nil
}

// key names the change in what is remembered.
func (r *reading) key() string { return r.pid + "!" + decimal(r.ref.Number) }

// first asks for everything that fits one query. The target branch, its tip and
// the head are guessed from the reading before; a wrong guess costs a call.
func (r *reading) first(ctx context.Context) error {
	r.path, r.pid = r.ref.Repo.FullName(), r.ref.Repo.ID
	seen, known := r.tips.Get(r.key())
	if !known {
		seen.branch = r.ref.Repo.Default
		if seen.branch == "" {
			seen.branch = "main"
		}
	}
	r.branch, r.at = seen.branch, seen.sha
	if r.at == "" {
		r.at = r.branch
	}
	if seen.head != "" && (r.plan.HeadPolicy || seen.touches) {
		r.headAt = seen.head
	}
	r.wanted = []string{policyPath}
	if r.needs[fact.NeedBaseFiles] {
		for _, path := range r.plan.Files {
			if !slices.Contains(r.wanted, path) {
				r.wanted = append(r.wanted, path)
			}
		}
	}
	answer, err := r.ask(ctx, nil)
	if err == nil && r.elsewhere(answer) {
		if answer, err = r.moved(ctx); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if answer.Project == nil || answer.Project.MergeRequest == nil {
		return forges.ErrNotFound
	}
	r.project, r.mr = answer, answer.Project.MergeRequest
	r.path, r.pid = answer.Project.FullPath, number(answer.Project.ID)
	r.take(r.mr)
	if answer.Project.Issues != nil {
		for i := range answer.Project.Issues.Nodes {
			n := &answer.Project.Issues.Nodes[i]
			r.issues[issueKey(r.path, n.IID)] = n
		}
	}
	return nil
}

func issueKey(path, iid string) string { return strings.ToLower(path) + "#" + iid }

// filesAtFirst is how many files the one query asks for.
const filesAtFirst = 10

// ask makes the one query; more has the cursors of the lists that go on.
func (r *reading) ask(ctx context.Context, more map[string]any) (*changeAnswer, error) {
	paths := r.wanted[:min(len(r.wanted), filesAtFirst)]
	vars := map[string]any{
		"path": r.path, "iid": decimal(r.ref.Number), "core": true,
		"notes": r.wantsNotes(), "approvals": r.needs[fact.NeedReviews] || r.needs[fact.NeedPatches] || r.needs[fact.NeedChecks],
		"checks": r.needs[fact.NeedChecks], "issues": false, "iids": []string{},
		"branch": r.branch, "at": r.at, "paths": paths,
		"headPolicy": r.headAt != "", "headAt": r.headAt, "policy": []string{policyPath},
	}
	if own := r.ownIssues(); len(own) > 0 && r.needs[fact.NeedIssues] {
		vars["issues"], vars["iids"] = true, own
	}
	if more != nil {
		for _, off := range []string{"core", "notes", "approvals", "checks", "issues", "headPolicy"} {
			vars[off] = false
		}
		maps.Copy(vars, more)
	}
	var answer changeAnswer
	if err := r.query(ctx, changeText, vars, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// wantsNotes: approvals are timed by the notes GitLab writes about them.
func (r *reading) wantsNotes() bool {
	return r.needs[fact.NeedComments] || r.needs[fact.NeedThreads] || r.needs[fact.NeedReviews] || r.needs[fact.NeedPatches]
}

// ownIssues are the planned issues of the change's own project; at most fifty
// fit the query, and further ones are asked for with those of other projects.
func (r *reading) ownIssues() []string {
	var out []string
	for _, s := range r.plan.Issues {
		repo, iid, ok := issueRef(s, r.ref.Repo.FullName())
		if !ok || !strings.EqualFold(repo, r.ref.Repo.FullName()) || slices.Contains(out, decimal(iid)) || len(out) == issuesAtOnce {
			continue
		}
		out = append(out, decimal(iid))
	}
	return out
}

// elsewhere reports whether the name is nobody's or another project's now, while
// the number may still tell which one is meant.
func (r *reading) elsewhere(a *changeAnswer) bool {
	if _, err := parseNumber(r.ref.Repo.ID); err != nil {
		return false
	}
	return a.Project == nil || number(a.Project.ID) != r.ref.Repo.ID
}

// moved finds the project by its number and asks again by its present name.
func (r *reading) moved(ctx context.Context) (*changeAnswer, error) {
	var p struct {
		Path string `json:"path_with_namespace"`
	}
	if _, err := r.get(ctx, "projects/"+r.ref.Repo.ID, nil, &p); err != nil {
		return nil, err
	}
	if p.Path == "" || strings.EqualFold(p.Path, r.path) {
		return nil, forges.ErrNotFound
	}
	r.path = p.Path
	r.ref.Repo.Owner, r.ref.Repo.Name = cut(p.Path)
	return r.ask(ctx, nil)
}

// ready refuses a change whose diff is not there yet. "unchecked" is no such
// state: GitLab says it until somebody asks whether the change can be merged.
func (r *reading) ready() error {
	if changeState(r.mr.State) != fact.Open {
		return nil
	}
	if strings.EqualFold(r.mr.MergeStatusEnum, "PREPARING") || r.mr.HeadSHA == "" {
		return errPreparing
	}
	if r.mr.DiffRefs == nil || r.mr.DiffRefs.HeadSHA == "" {
		return errPreparing
	}
	if r.mr.DiffRefs.HeadSHA != r.mr.HeadSHA {
		return fmt.Errorf("%w: it is of %s and the head is %s", errPreparing, wire.Short(r.mr.DiffRefs.HeadSHA, 8), wire.Short(r.mr.HeadSHA, 8))
	}
	return nil
}

// core is what is read of every change.
func (r *reading) core() {
	p, m := r.project.Project, r.mr
	owner, name := cut(p.FullPath)
	c := &fact.Change{
		Forge:  r.Key(),
		Repo:   fact.Repo{ID: r.pid, Owner: owner, Name: name, Private: !strings.EqualFold(p.Visibility, "public"), URL: p.WebURL},
		Number: r.ref.Number, URL: m.WebURL, Title: m.Title, Body: word(m.Description), State: changeState(m.State), Draft: m.Draft,
		Opener: r.known(m.Author), Labels: titles(m.Labels), CreatedAt: m.CreatedAt.UTC(), UpdatedAt: m.UpdatedAt.UTC(),
		MergedAt: at(m.MergedAt),
		Head:     fact.Ref{Name: m.SourceBranch, SHA: m.HeadSHA},
		Base:     fact.Ref{Name: m.TargetBranch, Repo: p.FullPath},
		Policy:   fact.Blob{Path: policyPath},
	}
	if m.SourceProject != nil {
		c.Head.Repo = m.SourceProject.FullPath
	}
	if p.Repository != nil {
		c.Repo.DefaultBranch = p.Repository.RootRef
	}
	if m.DiffRefs != nil {
		c.MergeBase = m.DiffRefs.BaseSHA
	}
	r.c = c
}

// known is a person of an answer; our own account is a bot's, whatever GitLab
// takes it for.
func (r *reading) known(u *userNode) fact.Person {
	p := u.person()
	p.Bot = p.Bot || p.Is(r.self)
	return p
}

// take adds one answer's lists to what was read.
func (r *reading) take(m *changeNode) {
	if m.Notes != nil {
		r.notes = append(r.notes, m.Notes.Nodes...)
	}
	if m.Pipeline != nil && m.Pipeline.Jobs != nil {
		r.jobs = append(r.jobs, m.Pipeline.Jobs.Nodes...)
	}
}

// rest follows the lists with more pages, both in one call per round.
func (r *reading) rest(ctx context.Context) error {
	m := r.mr
	for range maxPages {
		more := map[string]any{}
		if cursor := m.Notes.next(); cursor != "" {
			more["notes"], more["notesAfter"] = true, cursor
		}
		if m.Pipeline != nil {
			if cursor := m.Pipeline.Jobs.next(); cursor != "" {
				more["checks"], more["jobsAfter"] = true, cursor
			}
		}
		if len(more) == 0 {
			return nil
		}
		answer, err := r.ask(ctx, more)
		if err != nil {
			return err
		}
		if answer.Project == nil || answer.Project.MergeRequest == nil {
			return forges.ErrNotFound
		}
		m = answer.Project.MergeRequest
		if m.HeadSHA != r.mr.HeadSHA {
			return fmt.Errorf("the head moved between two pages: %w", forges.ErrConflict)
		}
		r.take(m)
	}
	return fmt.Errorf("more than %d pages of one list", maxPages)
}

// mergedAs finds the commit a merged change became: GraphQL knows a merge commit
// only, not a squashed or fast-forwarded one.
func (r *reading) mergedAs(ctx context.Context) error {
	if r.c.State != fact.Merged {
		return nil
	}
	if r.c.MergedSHA = word(r.mr.MergeCommitSHA); r.c.MergedSHA != "" {
		return nil
	}
	var m struct {
		SHA    string `json:"sha"`
		Merge  string `json:"merge_commit_sha"`
		Squash string `json:"squash_commit_sha"`
	}
	if _, err := r.get(ctx, fmt.Sprintf("projects/%s/merge_requests/%d", r.pid, r.ref.Number), nil, &m); err != nil {
		return fmt.Errorf("merged commit: %w", err)
	}
	for _, sha := range []string{m.Merge, m.Squash, m.SHA} {
		if r.c.MergedSHA == "" {
			r.c.MergedSHA = sha
		}
	}
	return nil
}

// remember keeps what the next reading guesses from, and what SetVerdict needs:
// it is told of a commit only.
func (r *reading) remember() {
	touches := r.c.HeadPolicy != nil
	r.tips.Put(r.key(), tip{branch: r.c.Base.Name, sha: r.c.Base.SHA, head: r.c.Head.SHA, touches: touches}, 200)
	r.rememberHead()
}
