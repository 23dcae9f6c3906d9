package sim

// Actor is an account at work. All its methods act at once, say why not with a
// *Refusal, and announce what happened.
type Actor struct {
	f     *Forge
	login string
}

// As acts as an account; the login is looked up when something is done. The bot
// of an app acts with the rights of its installation.
func (f *Forge) As(login string) Actor { return Actor{f: f, login: login} }

// AsApp acts as an app's bot.
func (f *Forge) AsApp(slug string) Actor { return f.As(slug + "[bot]") }

func (a Actor) do(fn func(f *Forge, me *Account) error) error {
	a.f.mu.Lock()
	defer a.f.mu.Unlock()
	me := a.f.account(a.login)
	if me == nil {
		return refuse(NotFound, "no account %s", a.login)
	}
	return fn(a.f, me)
}

// onRepo runs fn with a repository the actor has at least this permission in.
func (a Actor) onRepo(repo string, need Permission, fn func(f *Forge, me *Account, r *Repo) error) error {
	return a.do(func(f *Forge, me *Account) error {
		r := f.repo(repo)
		if r == nil {
			return refuse(NotFound, "no repository %s", repo)
		}
		p := f.permission(r, me)
		if !p.AtLeast(Read) {
			return refuse(NotFound, "no repository %s", repo)
		}
		if !p.AtLeast(need) {
			return refuse(Forbidden, "%s has %s in %s; this needs %s", me.Login, p, repo, need)
		}
		return fn(f, me, r)
	})
}

// onIssue runs fn with an issue or change.
func (a Actor) onIssue(repo string, number int, need Permission, fn func(f *Forge, me *Account, r *Repo, is *Issue) error) error {
	return a.onRepo(repo, Read, func(f *Forge, me *Account, r *Repo) error {
		is := r.Issues[number]
		if is == nil {
			return refuse(NotFound, "no issue or change %d in %s", number, repo)
		}
		if p := f.permission(r, me); !p.AtLeast(need) && is.Author != me.ID {
			return refuse(Forbidden, "%s has %s in %s; this needs %s, or to be its author", me.Login, p, repo, need)
		}
		return fn(f, me, r, is)
	})
}

// onChange runs fn with a change.
func (a Actor) onChange(repo string, number int, need Permission, fn func(f *Forge, me *Account, r *Repo, is *Issue, c *Change) error) error {
	return a.onIssue(repo, number, need, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		if is.Change == nil {
			return refuse(NotFound, "%d in %s is an issue", number, repo)
		}
		return fn(f, me, r, is, is.Change)
	})
}
