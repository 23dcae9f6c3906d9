package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Repo is a repository.
type Repo struct {
	ID            int64
	Owner         int64 // account
	Name          string
	Private       bool
	Default       string
	Description   string
	Parent        int64 // the repository it is a fork of, or 0
	Branches      map[string]string
	Tags          map[string]string
	Collaborators map[int64]Permission
	Teams         map[int64]Permission
	Protection    map[string]*Protection // by branch
	Labels        map[string]*Label
	Milestones    []*Milestone
	Issues        map[int]*Issue // changes too: they share the numbers
	Suites        []*CheckSuite
	Checks        map[string][]*CheckRun // by commit, oldest first
	Statuses      map[string][]*Status   // by commit, oldest first
	Candidates    []*Candidate
	Reactions     map[int64][]Reaction // on reviews and review comments, by their id
	CreatedAt     time.Time
	UpdatedAt     time.Time
	PushedAt      time.Time

	lastNumber int
	comments   map[int64]*Comment
}

// Label is a label of a repository.
type Label struct {
	ID    int64
	Name  string
	Color string
}

// Milestone is a milestone of a repository.
type Milestone struct {
	ID     int64
	Number int
	Title  string
}

// Protection is what a branch asks of changes before they are merged.
type Protection struct {
	Checks         []RequiredCheck
	Approvals      int  // of people with write, on the change
	DismissStale   bool // a push dismisses approvals
	ResolveThreads bool
	UpToDate       bool // the branch must contain the tip of its target
	EnforceAdmins  bool // administrators may not bypass either
	MergeQueue     bool

	// What only Gitea and Forgejo ask: with AllStatuses and no Checks every status
	// must be green; LetRejections lets reviews that ask for changes not block;
	// IgnoreStale counts no approval of work that has changed since.
	AllStatuses   bool
	LetRejections bool
	IgnoreStale   bool
}

// RequiredCheck is a check that must be green; App pins who may set it, 0 is anybody.
type RequiredCheck struct {
	Name string
	App  int64
}

// RepoOptions describe a new repository.
type RepoOptions struct {
	Private     bool
	Default     string // "main" if empty
	Description string
	Files       map[string]string // of the first commit
	By          string            // who commits; the owner if empty
}

// AddRepo makes a repository with a first commit.
func (f *Forge) AddRepo(full string, o RepoOptions) Repo {
	f.mu.Lock()
	defer f.mu.Unlock()
	owner, name, _ := strings.Cut(full, "/")
	acc := f.mustAccount(owner)
	if o.Default == "" {
		o.Default = "main"
	}
	by := acc
	if o.By != "" {
		by = f.mustAccount(o.By)
	}
	r := f.newRepo(acc, name)
	r.Private, r.Default, r.Description = o.Private, o.Default, o.Description
	files := o.Files
	if files == nil {
		files = map[string]string{"README.md": "# " + name + "\n"}
	}
	c := f.commit(by, "", NewCommit{Message: "Initial commit", Files: files})
	r.Branches[r.Default] = c.SHA
	f.announce(Happening{Kind: RepoHappened, Action: "created", Actor: by, Repo: r})
	return f.copyRepo(r)
}

func (f *Forge) newRepo(owner *Account, name string) *Repo {
	key := strings.ToLower(owner.Login + "/" + name)
	if id, taken := f.byName[key]; taken && f.repos[id] != nil && strings.EqualFold(f.fullName(f.repos[id]), key) {
		panic("sim: repository exists: " + key)
	}
	now := f.Now()
	r := &Repo{
		ID: f.id(), Owner: owner.ID, Name: name, Branches: map[string]string{}, Tags: map[string]string{},
		Collaborators: map[int64]Permission{}, Teams: map[int64]Permission{}, Protection: map[string]*Protection{},
		Labels: map[string]*Label{}, Issues: map[int]*Issue{}, Checks: map[string][]*CheckRun{},
		Statuses: map[string][]*Status{}, Reactions: map[int64][]Reaction{}, comments: map[int64]*Comment{},
		CreatedAt: now, UpdatedAt: now, PushedAt: now,
	}
	f.repos[r.ID], f.byName[key] = r, r.ID
	return r
}

func (f *Forge) copyRepo(r *Repo) Repo {
	c := *r
	c.Branches, c.Tags = maps.Clone(r.Branches), maps.Clone(r.Tags)
	c.Collaborators, c.Teams = maps.Clone(r.Collaborators), maps.Clone(r.Teams)
	c.Issues, c.Checks, c.Statuses, c.Suites, c.Candidates, c.comments, c.Reactions = nil, nil, nil, nil, nil, nil, nil
	c.Protection = maps.Clone(r.Protection)
	c.Labels = maps.Clone(r.Labels)
	return c
}

// repo finds a repository by its present or a former name.
func (f *Forge) repo(full string) *Repo { return f.repos[f.byName[strings.ToLower(full)]] }

func (f *Forge) fullName(r *Repo) string {
	if o := f.accounts[r.Owner]; o != nil {
		return o.Login + "/" + r.Name
	}
	return "ghost/" + r.Name
}

// Repo gives a repository without its issues and checks.
func (f *Forge) Repo(full string) (Repo, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	r := f.repo(full)
	if r == nil {
		return Repo{}, false
	}
	return f.copyRepo(r), true
}

// Tip is the commit a branch stands at, "" if there is none.
func (f *Forge) Tip(repo, branch string) string {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if r := f.repo(repo); r != nil {
		return r.Branches[branch]
	}
	return ""
}

// File reads a file at a branch, tag or commit.
func (f *Forge) File(repo, at, path string) (text string, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	r := f.repo(repo)
	if r == nil {
		return "", false
	}
	c := f.resolve(r, at)
	if c == nil {
		return "", false
	}
	e, ok := f.objects.lookup(c.Tree, path)
	if !ok || e.Mode == ModeTree {
		return "", false
	}
	return string(f.objects.blobs[e.OID]), true
}

// resolve finds the commit a branch, tag, ref or id names; "~" at the end is
// its first parent.
func (f *Forge) resolve(r *Repo, at string) *Commit {
	if child, up := strings.CutSuffix(at, "~"); up {
		if c := f.resolve(r, child); c != nil && len(c.Parents) > 0 {
			return f.objects.commits[c.Parents[0]]
		}
		return nil
	}
	if at == "" || at == "HEAD" {
		at = r.Default
	}
	name := strings.TrimPrefix(strings.TrimPrefix(at, "refs/heads/"), "heads/")
	if sha, ok := r.Branches[name]; ok {
		return f.objects.commits[sha]
	}
	if sha, ok := r.Tags[strings.TrimPrefix(name, "refs/tags/")]; ok {
		return f.objects.commits[sha]
	}
	return f.objects.commits[at]
}

// NewCommit describes a commit to make.
type NewCommit struct {
	Message string
	Files   map[string]string // path to its new content
	Modes   map[string]string // mode of a path in Files, if not ModeFile
	Move    map[string]string // old path to new path
	Remove  []string
	// Author and Committer are logins; the actor if empty. AuthorIdent names an
	// address that may belong to no account; it wins over Author.
	Author      string
	Committer   string
	AuthorIdent *Ident
	CoAuthors   []string // logins, written as trailers
	Signature   Signature
}

// commit makes a commit on top of parent ("" for a first one).
func (f *Forge) commit(by *Account, parent string, n NewCommit) *Commit {
	edits := map[string]edit{}
	base := ""
	var parents []string
	if p := f.objects.commits[parent]; p != nil {
		base, parents = p.Tree, []string{parent}
	}
	for _, path := range n.Remove {
		edits[path] = edit{}
	}
	for from, to := range n.Move {
		if e, ok := f.objects.lookup(base, from); ok {
			edits[from] = edit{}
			edits[to] = edit{mode: e.Mode, oid: e.OID}
		}
	}
	for path, text := range n.Files {
		mode := n.Modes[path]
		if mode == "" {
			mode = ModeFile
		}
		edits[path] = edit{mode: mode, oid: f.objects.putBlob([]byte(text))}
	}
	c := Commit{Tree: f.objects.apply(base, edits), Parents: parents, Message: n.Message, Signature: n.Signature}
	if c.Message == "" {
		c.Message = "Update files"
	}
	if len(n.CoAuthors) > 0 {
		c.Message = strings.TrimRight(c.Message, "\n") + "\n"
		for _, l := range n.CoAuthors {
			who := f.ident(f.account(l))
			c.Message += fmt.Sprintf("\nCo-authored-by: %s <%s>", who.Name, who.Email)
		}
	}
	c.Author, c.Committer = f.ident(by), f.ident(by)
	if n.Author != "" {
		c.Author = f.ident(f.account(n.Author))
	}
	if n.AuthorIdent != nil {
		c.Author = *n.AuthorIdent
		if c.Author.At.IsZero() {
			c.Author.At = f.Now()
		}
	}
	if n.Committer != "" {
		c.Committer = f.ident(f.account(n.Committer))
	}
	return f.objects.putCommit(c)
}

func (f *Forge) ident(a *Account) Ident {
	at := f.Now().Truncate(time.Second)
	if a == nil {
		return Ident{Name: "unknown", Email: "unknown@example.invalid", At: at}
	}
	name := a.Name
	if name == "" {
		name = a.Login
	}
	email := a.Login + "@example.com"
	if len(a.Emails) > 0 {
		email = a.Emails[0]
	}
	return Ident{Name: name, Email: email, At: at}
}

// Push puts commits on a branch and gives its new tip. A branch that does not
// exist starts at the default branch.
func (a Actor) Push(repo, branch string, commits ...NewCommit) (string, error) {
	return a.push(repo, branch, "", false, commits)
}

// ForcePush sets a branch to another commit, branch or tag and puts commits on it.
func (a Actor) ForcePush(repo, branch, onto string, commits ...NewCommit) (string, error) {
	return a.push(repo, branch, onto, true, commits)
}

func (a Actor) push(repo, branch, onto string, force bool, commits []NewCommit) (tip string, err error) {
	err = a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		if p := r.Protection[branch]; p != nil && (p.Approvals > 0 || len(p.Checks) > 0) && (p.EnforceAdmins || !f.permission(r, me).AtLeast(Admin)) {
			return refuse(Blocked, "branch %s is protected: changes must be made through a pull request", branch)
		}
		start := r.Branches[branch]
		if force || start == "" {
			c := f.resolve(r, onto)
			if c == nil {
				return refuse(NotFound, "no commit %s", onto)
			}
			start = c.SHA
		}
		tip = start
		for _, n := range commits {
			tip = f.commit(me, tip, n).SHA
		}
		f.moveBranch(me, r, branch, tip)
		return nil
	})
	return tip, err
}

// Rebase writes the commits of a branch anew on top of another branch, as
// `git rebase` does, with the actor as committer.
func (a Actor) Rebase(repo, branch, onto string) (tip string, err error) {
	err = a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		head, target := f.resolve(r, branch), f.resolve(r, onto)
		if head == nil || target == nil {
			return refuse(NotFound, "no branch %s or %s", branch, onto)
		}
		base := f.objects.mergeBase(target.SHA, head.SHA)
		t, err := f.replay(me, f.objects.between(base, head.SHA), target.SHA)
		if err != nil {
			return err
		}
		tip = t
		f.moveBranch(me, r, branch, tip)
		return nil
	})
	return tip, err
}

// replay puts commits on another commit one by one.
func (f *Forge) replay(me *Account, commits []*Commit, onto string) (string, error) {
	tip := onto
	for _, c := range commits {
		if len(c.Parents) != 1 {
			continue // a merge brings nothing of its own
		}
		tree, conflicts := f.objects.merge3(f.objects.commits[c.Parents[0]].Tree, f.objects.commits[tip].Tree, c.Tree)
		if len(conflicts) > 0 {
			return "", refuse(Moved, "conflict in %s", strings.Join(conflicts, ", "))
		}
		tip = f.objects.putCommit(Commit{Tree: tree, Parents: []string{tip}, Author: c.Author, Committer: f.ident(me), Message: c.Message}).SHA
	}
	return tip, nil
}

// Tag names a commit.
func (a Actor) Tag(repo, tag, at string) error {
	return a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		c := f.resolve(r, at)
		if c == nil {
			return refuse(NotFound, "no commit %s", at)
		}
		r.Tags[tag] = c.SHA
		f.announce(Happening{Kind: PushHappened, Actor: me, Repo: r, Push: &Push{Ref: "refs/tags/" + tag, Before: NoCommit, After: c.SHA}})
		return nil
	})
}

// DeleteBranch removes a branch; open changes from it are closed.
func (a Actor) DeleteBranch(repo, branch string) error {
	return a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		before, ok := r.Branches[branch]
		if !ok {
			return refuse(NotFound, "no branch %s", branch)
		}
		delete(r.Branches, branch)
		f.announce(Happening{Kind: PushHappened, Actor: me, Repo: r, Push: &Push{Ref: "refs/heads/" + branch, Before: before, After: NoCommit}})
		for _, where := range f.sortedRepos() {
			for _, is := range where.changes() {
				if is.State == Open && is.Change.HeadRepo == r.ID && is.Change.HeadBranch == branch {
					f.closeIssue(me, where, is, "")
				}
			}
		}
		return nil
	})
}

// moveBranch sets a branch and does what follows from it: changes from it get
// new commits, changes whose commits are now in it are merged.
func (f *Forge) moveBranch(me *Account, r *Repo, branch, tip string) {
	before := r.Branches[branch]
	if before == tip {
		return
	}
	r.Branches[branch] = tip
	r.PushedAt = f.Now()
	p := &Push{Ref: "refs/heads/" + branch, Before: before, After: tip}
	if before == "" {
		p.Before = NoCommit
		p.Commits = f.objects.between(r.Branches[r.Default], tip)
	} else {
		p.Forced = !f.objects.ancestors(tip)[before]
		p.Commits = f.objects.between(before, tip)
	}
	f.announce(Happening{Kind: PushHappened, Actor: me, Repo: r, Push: p})
	within := f.objects.ancestors(tip)
	for _, where := range f.sortedRepos() {
		for _, is := range where.changes() {
			c := is.Change
			if is.State != Open {
				continue
			}
			if c.HeadRepo == r.ID && c.HeadBranch == branch {
				f.newHead(me, where, is, tip)
			}
			if where == r && c.Base == branch && is.State == Open && within[c.Head] {
				f.markMerged(me, where, is, c.Head)
			}
		}
	}
}

func (f *Forge) sortedRepos() []*Repo {
	out := slices.Collect(maps.Values(f.repos))
	slices.SortFunc(out, func(a, b *Repo) int { return int(a.ID - b.ID) })
	return out
}

func (r *Repo) changes() []*Issue {
	var out []*Issue
	for n := 1; n <= r.lastNumber; n++ {
		if is := r.Issues[n]; is != nil && is.Change != nil {
			out = append(out, is)
		}
	}
	return out
}

// Fork copies a repository to the actor's account and gives its full name.
func (a Actor) Fork(repo string) (full string, err error) {
	err = a.onRepo(repo, Read, func(f *Forge, me *Account, r *Repo) error {
		full = me.Login + "/" + r.Name
		if have := f.repo(full); have != nil {
			return nil
		}
		n := f.newRepo(me, r.Name)
		n.Parent, n.Default, n.Private = r.ID, r.Default, r.Private
		n.Branches, n.Tags = maps.Clone(r.Branches), maps.Clone(r.Tags)
		return nil
	})
	return full, err
}

// Protect sets what a branch asks of changes; nil lifts it.
func (a Actor) Protect(repo, branch string, p *Protection) error {
	return a.onRepo(repo, Admin, func(f *Forge, me *Account, r *Repo) error {
		action := "created"
		old := r.Protection[branch]
		if old != nil {
			action = "edited"
		}
		if p == nil {
			delete(r.Protection, branch)
			action = "deleted"
			if old == nil {
				return nil
			}
		} else {
			c := *p
			c.Checks = slices.Clone(p.Checks)
			r.Protection[branch], old = &c, &c
		}
		f.announce(Happening{Kind: ProtectionHappened, Action: action, Actor: me, Repo: r, Protection: old, Branch: branch})
		return nil
	})
}

// RenameRepo gives a repository another name; the old one leads to it still.
func (a Actor) RenameRepo(repo, name string) error {
	return a.onRepo(repo, Admin, func(f *Forge, me *Account, r *Repo) error {
		was := r.Name
		r.Name = name
		f.byName[strings.ToLower(f.fullName(r))] = r.ID
		f.announce(Happening{Kind: RepoHappened, Action: "renamed", Actor: me, Repo: r, Was: map[string]string{"name": was}})
		return nil
	})
}

// TransferRepo gives a repository to another account.
func (a Actor) TransferRepo(repo, to string) error {
	return a.onRepo(repo, Admin, func(f *Forge, me *Account, r *Repo) error {
		owner := f.account(to)
		if owner == nil {
			return refuse(NotFound, "no account %s", to)
		}
		was := f.accounts[r.Owner]
		r.Owner, r.Teams = owner.ID, map[int64]Permission{}
		f.byName[strings.ToLower(f.fullName(r))] = r.ID
		f.announce(Happening{Kind: RepoHappened, Action: "transferred", Actor: me, Repo: r, Was: map[string]string{"owner": was.Login}})
		return nil
	})
}

// DeleteRepo removes a repository with everything in it.
func (a Actor) DeleteRepo(repo string) error {
	return a.onRepo(repo, Admin, func(f *Forge, me *Account, r *Repo) error {
		f.announce(Happening{Kind: RepoHappened, Action: "deleted", Actor: me, Repo: r})
		delete(f.repos, r.ID)
		for _, in := range f.installs {
			in.Repos = slices.DeleteFunc(in.Repos, func(id int64) bool { return id == r.ID })
		}
		return nil
	})
}

// AddLabel makes a label of a repository.
func (a Actor) AddLabel(repo, name, color string) error {
	return a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		if r.Labels[name] != nil {
			return refuse(Invalid, "label %s exists", name)
		}
		l := f.label(r, name)
		l.Color = color
		f.announce(Happening{Kind: LabelHappened, Action: "created", Actor: me, Repo: r, Label: l})
		return nil
	})
}

// DeleteLabel removes a label from a repository and everything that has it.
func (a Actor) DeleteLabel(repo, name string) error {
	return a.onRepo(repo, Write, func(f *Forge, me *Account, r *Repo) error {
		l := r.Labels[name]
		if l == nil {
			return refuse(NotFound, "no label %s", name)
		}
		delete(r.Labels, name)
		for _, is := range r.Issues {
			is.Labels = slices.DeleteFunc(slices.Clone(is.Labels), func(n string) bool { return n == name })
		}
		f.announce(Happening{Kind: LabelHappened, Action: "deleted", Actor: me, Repo: r, Label: l})
		return nil
	})
}

// label finds a label or makes it.
func (f *Forge) label(r *Repo, name string) *Label {
	l := r.Labels[name]
	if l == nil {
		l = &Label{ID: f.id(), Name: name, Color: "ededed"}
		r.Labels[name] = l
	}
	return l
}
