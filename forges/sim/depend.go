package sim

import "slices"

// Dependency names the issue another one waits for.
type Dependency struct {
	Repo   int64
	Number int
}

// AddDependency makes an issue wait for another one: on Gitea and Forgejo it
// cannot be closed while that one is open. No webhook tells of it.
func (a Actor) AddDependency(repo string, number int, onRepo string, on int) error {
	return a.depend(repo, number, onRepo, on, true)
}

// RemoveDependency makes an issue wait for another one no more.
func (a Actor) RemoveDependency(repo string, number int, onRepo string, on int) error {
	return a.depend(repo, number, onRepo, on, false)
}

func (a Actor) depend(repo string, number int, onRepo string, on int, add bool) error {
	return a.onIssue(repo, number, Write, func(f *Forge, me *Account, r *Repo, is *Issue) error {
		where := f.repo(onRepo)
		if where == nil || !f.permission(where, me).AtLeast(Read) || where.Issues[on] == nil {
			return refuse(NotFound, "no issue %d in %s", on, onRepo)
		}
		other := where.Issues[on]
		d := Dependency{where.ID, on}
		back := Dependency{r.ID, number}
		has := slices.Contains(is.Depends, d)
		switch {
		case other == is:
			return refuse(Invalid, "cannot depend on itself")
		case add && has:
			return refuse(Invalid, "the dependency exists")
		case add && slices.Contains(other.Depends, back):
			return refuse(Invalid, "the issues would wait for each other")
		case !add && !has:
			return refuse(NotFound, "no such dependency")
		}
		f.touch(is)
		kind := "add_dependency"
		if add {
			is.Depends = append(slices.Clone(is.Depends), d)
		} else {
			kind = "remove_dependency"
			is.Depends = slices.DeleteFunc(slices.Clone(is.Depends), func(o Dependency) bool { return o == d })
		}
		f.event(is, IssueEvent{Kind: kind, Actor: me.ID, Other: other.ID})
		f.event(other, IssueEvent{Kind: kind, Actor: me.ID, Other: is.ID})
		return nil
	})
}

// OpenDependencies is why an issue cannot be closed.
const OpenDependencies = "cannot close this issue or pull request because it still has open dependencies"

// waits reports whether an issue has to wait for one that is open, as on Gitea
// and Forgejo; elsewhere a dependency closes nothing off.
func (f *Forge) waits(is *Issue) bool {
	if f.style.Gate == GateGitHub {
		return false
	}
	return slices.ContainsFunc(is.Depends, func(d Dependency) bool {
		r := f.repos[d.Repo]
		return r != nil && r.Issues[d.Number] != nil && r.Issues[d.Number].State == Open
	})
}
