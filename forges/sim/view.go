package sim

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// View reads the forge while it stands still. It is valid only in the call it
// was given to; what it returns points into the forge and must not be changed.
type View struct{ f *Forge }

// Read runs fn with a View.
func (f *Forge) Read(fn func(*View)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	fn(&View{f: f})
}

// Style is how the forge decides.
func (v *View) Style() Style { return v.f.style }

// Waits reports whether an issue has to wait for one that is open.
func (v *View) Waits(is *Issue) bool { return v.f.waits(is) }

// Now is the forge's own time.
func (v *View) Now() time.Time { return v.f.Now() }

// Repo finds a repository by its present or a former name, or nil.
func (v *View) Repo(full string) *Repo { return v.f.repo(full) }

// RepoByID finds a repository, or nil.
func (v *View) RepoByID(id int64) *Repo { return v.f.repos[id] }

// Repos lists every repository by id.
func (v *View) Repos() []*Repo { return v.f.sortedRepos() }

// FullName is "owner/name" of a repository.
func (v *View) FullName(r *Repo) string { return v.f.fullName(r) }

// Account finds an account by id, or nil if it is gone.
func (v *View) Account(id int64) *Account { return v.f.accounts[id] }

// AccountByLogin finds an account, or nil.
func (v *View) AccountByLogin(login string) *Account { return v.f.account(login) }

// Accounts lists every account by id.
func (v *View) Accounts() []*Account {
	return slices.SortedFunc(maps.Values(v.f.accounts), func(a, b *Account) int { return cmp.Compare(a.ID, b.ID) })
}

// AccountOfEmail finds who an address belongs to, or nil.
func (v *View) AccountOfEmail(email string) *Account { return v.f.accountOfEmail(email) }

// Permission is what an account may do in a repository.
func (v *View) Permission(r *Repo, a *Account) Permission { return v.f.permission(r, a) }

// Team finds a team of an organisation by slug, or nil.
func (v *View) Team(org int64, slug string) *Team { return v.f.team(org, slug) }

// TeamByID finds a team, or nil.
func (v *View) TeamByID(id int64) *Team { return v.f.teams[id] }

// Teams lists the teams of an organisation by slug.
func (v *View) Teams(org int64) []*Team {
	var out []*Team
	for _, t := range v.f.teams {
		if t.Org == org {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Team) int { return cmp.Compare(a.Slug, b.Slug) })
	return out
}

// TeamMembers are the people of a team, and of the teams below it unless
// immediate, by login.
func (v *View) TeamMembers(t *Team, immediate bool) []*Account { return v.f.teamMembers(t, immediate) }

// App finds an app, or nil.
func (v *View) App(id int64) *App { return v.f.apps[id] }

// AppBySlug finds an app, or nil.
func (v *View) AppBySlug(slug string) *App { return v.f.app(slug) }

// Installation finds an installation, or nil.
func (v *View) Installation(id int64) *Installation { return v.f.installs[id] }

// Installations lists the installations of an app by id.
func (v *View) Installations(app int64) []*Installation {
	var out []*Installation
	for _, in := range v.f.installs {
		if in.App == app {
			out = append(out, in)
		}
	}
	slices.SortFunc(out, func(a, b *Installation) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// InstallationFor is the installation of an app that reaches a repository, or nil.
func (v *View) InstallationFor(app int64, r *Repo) *Installation { return v.f.installOf(app, r) }

// InstalledRepos lists the repositories an installation reaches by id.
func (v *View) InstalledRepos(in *Installation) []*Repo { return v.f.reposOf(in) }

// Reaches reports whether an installation reaches a repository.
func (v *View) Reaches(in *Installation, r *Repo) bool { return in.reaches(r) }

// Standing is an issue or change as a read shall show it; see Faults.Stale.
func (v *View) Standing(r *Repo, number int, part Part) *Issue { return v.f.standing(r, number, part) }

// Changes lists the changes of a repository by number.
func (v *View) Changes(r *Repo) []*Issue { return r.changes() }

// Issues lists the issues and changes of a repository by number.
func (v *View) Issues(r *Repo) []*Issue {
	return slices.SortedFunc(maps.Values(r.Issues), func(a, b *Issue) int { return a.Number - b.Number })
}

// Comment finds a comment of a repository, or nil.
func (v *View) Comment(r *Repo, id int64) *Comment { return r.comments[id] }

// Check finds a check run, or nil.
func (v *View) Check(r *Repo, id int64) *CheckRun { return r.check(id) }

// NewestChecks lists the newest run per app and name on a commit.
func (v *View) NewestChecks(r *Repo, sha string) []*CheckRun { return newestRuns(r.Checks[sha]) }

// NewestStatuses lists the newest status per context on a commit.
func (v *View) NewestStatuses(r *Repo, sha string) []*Status {
	var out []*Status
	for i, s := range r.Statuses[sha] {
		if newestStatus(r.Statuses[sha][i:], s.Context) == s {
			out = append(out, s)
		}
	}
	return out
}

// Resolve finds the commit a branch, tag, ref or id names, or nil.
func (v *View) Resolve(r *Repo, at string) *Commit { return v.f.resolve(r, at) }

// Commit finds a commit, or nil.
func (v *View) Commit(sha string) *Commit { return v.f.objects.commits[sha] }

// Tree lists a tree; ok is false if there is none.
func (v *View) Tree(oid string) ([]TreeEntry, bool) {
	t, ok := v.f.objects.trees[oid]
	return t, ok
}

// Lookup finds a path in a tree.
func (v *View) Lookup(tree, path string) (TreeEntry, bool) {
	path = strings.Trim(path, "/")
	if path == "" {
		return TreeEntry{Mode: ModeTree, OID: tree}, true
	}
	return v.f.objects.lookup(tree, path)
}

// Blob gives a file's content; ok is false if there is none.
func (v *View) Blob(oid string) ([]byte, bool) {
	b, ok := v.f.objects.blobs[oid]
	return b, ok
}

// MergeBase is the nearest common ancestor of two commits, "" if there is none.
func (v *View) MergeBase(a, b string) string { return v.f.objects.mergeBase(a, b) }

// Between lists the commits reachable from head and not from base, oldest first.
func (v *View) Between(base, head string) []*Commit { return v.f.objects.between(base, head) }

// CompareCommits lists what differs between two commits, sorted by path.
// Without detail there are no counts and patches.
func (v *View) CompareCommits(from, to string, detail bool) []FileDiff {
	var a, b string
	if c := v.f.objects.commits[from]; c != nil {
		a = c.Tree
	}
	if c := v.f.objects.commits[to]; c != nil {
		b = c.Tree
	}
	return v.f.objects.compareTrees(a, b, detail)
}

// ChangeBase is the commit a change is compared with: the merge base with its
// target, frozen once merged.
func (v *View) ChangeBase(r *Repo, c *Change) string {
	if c.MergedBase != "" {
		return c.MergedBase
	}
	return v.f.objects.mergeBase(r.Branches[c.Base], c.Head)
}

// ChangeFiles lists the files of a change.
func (v *View) ChangeFiles(r *Repo, c *Change, detail bool) []FileDiff {
	return v.CompareCommits(v.ChangeBase(r, c), c.Head, detail)
}

// ChangeCommits lists the commits of a change, oldest first.
func (v *View) ChangeCommits(r *Repo, c *Change) []*Commit {
	return v.f.objects.between(v.ChangeBase(r, c), c.Head)
}

// Conflicts reports whether a change cannot be merged for its content.
func (v *View) Conflicts(r *Repo, c *Change) bool { return v.f.conflicts(r, c) }

// Hinders says why a change cannot be merged now.
func (v *View) Hinders(r *Repo, is *Issue) []string { return v.f.hinders(r, is) }

// Closes lists the issues of its repository a change closes when merged.
func (v *View) Closes(r *Repo, is *Issue) []int { return v.f.closes(r, is) }

// Opinions is the newest counting review of each person with write.
func (v *View) Opinions(r *Repo, c *Change) map[int64]*Review { return v.f.latestOpinions(r, c) }

// Label finds a label of a repository; one nobody made is shown plain.
func (v *View) Label(r *Repo, name string) *Label {
	if l := r.Labels[name]; l != nil {
		return l
	}
	return &Label{Name: name, Color: "ededed"}
}
