package sim

import (
	"slices"
	"time"
)

// App is an integration that acts as a bot of its own.
type App struct {
	ID        int64
	Slug      string
	Name      string
	Owner     int64 // account
	Bot       int64 // account "slug[bot]"
	Events    []string
	CreatedAt time.Time
}

// Installation is an app let into an account's repositories.
type Installation struct {
	ID          int64
	App         int64
	Account     int64
	All         bool // every repository of the account, later ones too
	Repos       []int64
	Permissions map[string]string // "checks": "write" …
	Events      []string
	Suspended   bool
	SuspendedAt time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// AddApp registers an app. Its bot's login is "slug[bot]".
func (f *Forge) AddApp(slug, name, owner string) App {
	f.mu.Lock()
	defer f.mu.Unlock()
	bot := f.newAccount(slug+"[bot]", name, Bot)
	app := &App{ID: f.id(), Slug: slug, Name: name, Owner: f.mustAccount(owner).ID, Bot: bot.ID, CreatedAt: f.Now()}
	bot.App = app.ID
	f.apps[app.ID] = app
	return *app
}

func (f *Forge) app(slug string) *App {
	for _, a := range f.apps {
		if a.Slug == slug {
			return a
		}
	}
	return nil
}

// InstallOptions says what an installation may do.
type InstallOptions struct {
	Repos       []string // "owner/name"; none means all
	Permissions map[string]string
	Events      []string
}

// DefaultPermissions are what Primum asks for.
func DefaultPermissions() map[string]string {
	return map[string]string{
		"metadata": "read", "contents": "read", "checks": "write", "pull_requests": "write", "issues": "write",
		"members": "read", "administration": "read", "merge_queues": "read", "statuses": "read",
	}
}

// DefaultEvents are what Primum listens to.
func DefaultEvents() []string {
	return []string{
		"pull_request", "pull_request_review", "pull_request_review_comment", "pull_request_review_thread", "issue_comment",
		"issues", "check_run", "check_suite", "status", "merge_group", "push", "label", "member", "membership", "team",
		"organization", "repository", "branch_protection_rule",
	}
}

// Install lets an app into an account. Without permissions or events in o it
// gets the default ones.
func (f *Forge) Install(slug, account string, o InstallOptions) Installation {
	f.mu.Lock()
	defer f.mu.Unlock()
	app, owner := f.app(slug), f.mustAccount(account)
	if app == nil {
		panic("sim: no app " + slug)
	}
	if o.Permissions == nil {
		o.Permissions = DefaultPermissions()
	}
	if o.Events == nil {
		o.Events = DefaultEvents()
	}
	now := f.Now()
	in := &Installation{
		ID: f.id(), App: app.ID, Account: owner.ID, All: len(o.Repos) == 0,
		Permissions: o.Permissions, Events: o.Events, CreatedAt: now, UpdatedAt: now,
	}
	for _, name := range o.Repos {
		r := f.repo(name)
		if r == nil {
			panic("sim: no repository " + name)
		}
		in.Repos = append(in.Repos, r.ID)
	}
	f.installs[in.ID] = in
	f.announce(Happening{Kind: InstallationHappened, Action: "created", Actor: owner, Owner: owner, Installation: in, Repos: f.reposOf(in)})
	return *in
}

// Uninstall removes an app from an account.
func (f *Forge) Uninstall(id int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	in := f.installs[id]
	if in == nil {
		return
	}
	owner := f.accounts[in.Account]
	repos := f.reposOf(in)
	f.announce(Happening{Kind: InstallationHappened, Action: "deleted", Actor: owner, Owner: owner, Installation: in, Repos: repos})
	delete(f.installs, id)
}

// Suspend stops an installation, or lets it go on.
func (f *Forge) Suspend(id int64, suspended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	in := f.installs[id]
	if in == nil {
		return
	}
	in.Suspended, in.SuspendedAt = suspended, f.Now()
	action := "unsuspend"
	if suspended {
		action = "suspend"
	}
	owner := f.accounts[in.Account]
	f.announce(Happening{Kind: InstallationHappened, Action: action, Actor: owner, Owner: owner, Installation: in})
}

// SetInstalled adds and removes repositories of an installation that is not for all.
func (f *Forge) SetInstalled(id int64, add, remove []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	in := f.installs[id]
	if in == nil {
		return
	}
	owner := f.accounts[in.Account]
	var added, removed []*Repo
	for _, n := range add {
		if r := f.repo(n); r != nil && !slices.Contains(in.Repos, r.ID) {
			in.Repos = append(in.Repos, r.ID)
			added = append(added, r)
		}
	}
	for _, n := range remove {
		if r := f.repo(n); r != nil {
			in.Repos = slices.DeleteFunc(in.Repos, func(id int64) bool { return id == r.ID })
			removed = append(removed, r)
		}
	}
	if len(added) > 0 {
		f.announce(Happening{Kind: InstalledReposHappened, Action: "added", Actor: owner, Owner: owner, Installation: in, Repos: added})
	}
	if len(removed) > 0 {
		f.announce(Happening{Kind: InstalledReposHappened, Action: "removed", Actor: owner, Owner: owner, Installation: in, Repos: removed})
	}
}

// SetPermissions changes what an installation may do.
func (f *Forge) SetPermissions(id int64, permissions map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if in := f.installs[id]; in != nil {
		in.Permissions = permissions
	}
}

// installOf is the installation of an app that reaches a repository, or nil.
func (f *Forge) installOf(app int64, r *Repo) *Installation {
	for _, in := range f.installs {
		if in.App == app && in.reaches(r) {
			return in
		}
	}
	return nil
}

func (in *Installation) reaches(r *Repo) bool {
	return in.Account == r.Owner && (in.All || slices.Contains(in.Repos, r.ID))
}

func (f *Forge) reposOf(in *Installation) []*Repo {
	var out []*Repo
	for _, r := range f.repos {
		if in.reaches(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *Repo) int { return int(a.ID - b.ID) })
	return out
}
