package github

import (
	"slices"
	"strings"

	"primum/forges"
	"primum/rules/fact"
)

// Bounds within which a push is believed to list everything it changed. GitHub
// lists at most 2,048 commits.
const (
	pushCommits = 2048
	pushPaths   = 1000
)

func (f *Forge) pushEvent(p *payload) (forges.Event, error) {
	if p.Ref == "" || p.Repository == nil {
		return forges.Event{}, missing("ref")
	}
	if !strings.HasPrefix(p.Ref, branchPrefix) {
		return ignored("a tag moved, no branch")
	}
	branch := branchOf(p.Ref)
	if strings.HasPrefix(branch, queuePrefix) {
		return ignored("a merge queue's own branch; merge_group tells more")
	}
	e := forges.Event{
		Kind: forges.PushEvent, Trigger: fact.OnPolicy, Repo: f.ref(p, p.Repository),
		Branch: branch, Before: p.Before, SHA: p.After, Paths: pushedPaths(p),
	}
	if p.Deleted {
		e.SHA, e.Closed = "", true
	}
	return e, nil
}

// pushedPaths are the files a push changed, or nil if the payload may not list
// them all: a new or forced branch, too many commits, or a commit without a
// file (a merge, whose own changes are not told).
func pushedPaths(p *payload) []string {
	if p.Deleted || p.Created || p.Forced || len(p.Commits) == 0 || len(p.Commits) >= pushCommits ||
		p.Commits[len(p.Commits)-1].ID != p.After {
		return nil
	}
	var paths []string
	for _, c := range p.Commits {
		if len(c.Added)+len(c.Removed)+len(c.Modified) == 0 {
			return nil
		}
		paths = slices.Concat(paths, c.Added, c.Removed, c.Modified)
		if len(paths) > pushPaths {
			return nil
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

func (f *Forge) installationEvent(p *payload) (forges.Event, error) {
	if p.Installation == nil || p.Installation.ID == 0 {
		return forges.Event{}, missing("installation")
	}
	e := forges.Event{Kind: forges.InstallationEvent, Trigger: fact.OnOpened, Repo: f.ref(p, nil)}
	e.Repos = f.refs(p, p.Repositories)
	if p.Installation.Account != nil {
		e.Owner = p.Installation.Account.Login
	}
	switch p.Action {
	case "deleted", "suspend":
		e.Removed = true
	case "created", "unsuspend", "new_permissions_accepted":
	default:
		return ignored("this changes nothing that is judged")
	}
	return e, nil
}

func (f *Forge) repositoriesEvent(p *payload) (forges.Event, error) {
	if p.Installation == nil || p.Installation.ID == 0 {
		return forges.Event{}, missing("installation")
	}
	e := forges.Event{Kind: forges.InstallationEvent, Trigger: fact.OnOpened, Repo: f.ref(p, nil)}
	if p.Installation.Account != nil {
		e.Owner = p.Installation.Account.Login
	}
	switch p.Action {
	case "added":
		e.Repos = f.refs(p, p.RepositoriesAdded)
	case "removed":
		e.Repos, e.Removed = f.refs(p, p.RepositoriesRemoved), true
	default:
		return ignored("this changes nothing that is judged")
	}
	return e, nil
}

func (f *Forge) refs(p *payload, list []repository) []forges.RepoRef {
	var refs []forges.RepoRef
	for i := range list {
		r := f.ref(p, &list[i])
		if r.Name == "" {
			_, r.Name, _ = cut(list[i].FullName)
		}
		refs = append(refs, r)
	}
	return refs
}

// repositoryEvent also reads "public", which has no action.
func (f *Forge) repositoryEvent(p *payload) (forges.Event, error) {
	if p.Repository == nil || p.Repository.ID == 0 {
		return forges.Event{}, missing("repository")
	}
	e := forges.Event{Kind: forges.RepoEvent, Trigger: fact.OnOpened, Repo: f.ref(p, p.Repository)}
	switch p.Action {
	case "renamed":
		e.OldOwner, e.OldName = e.Repo.Owner, p.Changes.Name
	case "transferred":
		e.OldOwner, e.OldName = p.Changes.Owner, e.Repo.Name
	case "deleted":
		e.Removed = true
	case "", "privatized", "publicized", "archived", "unarchived", "edited":
	default:
		return ignored("this changes nothing that is judged")
	}
	return e, nil
}

// peopleEvent: who is in which team, who may do what. What it concerns is
// decided by reading the people again.
func (f *Forge) peopleEvent(p *payload) (forges.Event, error) {
	e := forges.Event{Kind: forges.PeopleEvent, Trigger: fact.OnPeople, Repo: f.ref(p, p.Repository)}
	switch {
	case p.Organization != nil && p.Organization.Login != "":
		e.Owner = p.Organization.Login
	case p.Repository != nil:
		e.Owner = p.Repository.owner()
	}
	if e.Owner == "" {
		return e, missing("owner")
	}
	return e, nil
}
