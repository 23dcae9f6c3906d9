package gitlab

import (
	"strings"

	"primum/forges"
	"primum/rules/fact"
)

const branchPrefix = "refs/heads/"

// pushEvent reads a Push Hook.
func (f *Forge) pushEvent(p *payload) (forges.Event, error) {
	if p.Project == nil || p.Project.Path == "" || p.After == "" {
		return forges.Event{}, missing("push")
	}
	branch, ok := strings.CutPrefix(p.Ref, branchPrefix)
	if !ok {
		return ignored("only branches are judged")
	}
	e := forges.Event{
		Kind: forges.PushEvent, Trigger: fact.OnPolicy, Action: "push", Repo: f.ref(p.Project), Branch: branch,
		Actor: person(decimal(p.UserID), p.Login, p.UserName, false),
	}
	if !nullSHA(p.Before) {
		e.Before = p.Before
	}
	if nullSHA(p.After) {
		e.Closed = true
		return e, nil
	}
	e.SHA = p.After
	e.Paths = pushed(p)
	return e, nil
}

// pushed are the files a push moved, or nil where that is not told: GitLab lists
// twenty commits, and none of those a forced push took away, which nothing in
// the payload gives away on a branch that is not protected against it.
func pushed(p *payload) []string {
	if nullSHA(p.Before) || len(p.Commits) == 0 || p.Total == nil || *p.Total != len(p.Commits) || p.Protected != nil && !*p.Protected {
		return nil
	}
	seen := map[string]bool{}
	paths := []string{}
	for _, c := range p.Commits {
		for _, list := range [][]string{c.Added, c.Modified, c.Removed} {
			for _, path := range list {
				if !seen[path] {
					seen[path] = true
					paths = append(paths, path)
				}
			}
		}
	}
	return paths
}

// pipelineEvent reads a Pipeline Hook. It names no check: a new pipeline begins
// without our verdict, which blocks nothing until it is set there again. The
// pipeline of a merge request may run on a merged commit that is nobody's head,
// so there the number of the change is what counts.
func (f *Forge) pipelineEvent(p *payload) (forges.Event, error) {
	o := p.Object
	if o == nil || p.Project == nil || p.Project.Path == "" || !forges.IsCommit(o.SHA) {
		return forges.Event{}, missing("pipeline")
	}
	e := forges.Event{Kind: forges.CheckEvent, Trigger: fact.OnCheck, Action: o.Status, Repo: f.ref(p.Project), SHA: o.SHA}
	if p.Change != nil && p.Change.IID > 0 && strings.HasPrefix(string(o.Source), "merge_request") {
		e.Kind, e.SHA, e.Changes, e.Branch = forges.ChangeEvent, "", []int{p.Change.IID}, p.Change.TargetBranch
		e.Closed = gone(p.Change.State)
	}
	return e, nil
}

// jobEvent reads a Job Hook.
func (f *Forge) jobEvent(p *payload) (forges.Event, error) {
	if p.Project == nil || p.Project.Path == "" || p.BuildName == "" || !forges.IsCommit(p.SHA) {
		return forges.Event{}, missing("job")
	}
	who := p.User.person()
	return forges.Event{
		Kind: forges.CheckEvent, Trigger: fact.OnCheck, Action: p.BuildState, Repo: f.ref(p.Project), SHA: p.SHA,
		Check: &forges.CheckSeen{Name: p.BuildName, Source: who.Login, Done: ended(p.BuildState)},
	}, nil
}

// ended reports whether a job in this state has run.
func ended(state string) bool {
	switch strings.ToLower(state) {
	case "success", "failed", "canceled", "skipped":
		return true
	}
	return false
}

// memberEvent reads a Member Hook, or what an instance tells of members. The
// payload names the last part of a group's path only; the whole is known where
// the group was read before.
func (f *Forge) memberEvent(p *payload) (forges.Event, error) {
	owner := root(p.ProjectPath)
	if owner == "" {
		owner = root(f.groupPath(p.GroupID, p.GroupPath))
	}
	if owner == "" {
		return forges.Event{}, missing("group")
	}
	if strings.Contains(p.Event, "access_request") {
		return ignored("asking for access changes nothing")
	}
	return forges.Event{Kind: forges.PeopleEvent, Trigger: fact.OnPeople, Owner: owner}, nil
}

// groupEvent reads a Subgroup Hook, or what an instance tells of groups.
func (f *Forge) groupEvent(p *payload) (forges.Event, error) {
	owner := root(p.FullPath)
	if owner == "" {
		owner = root(p.ParentPath)
	}
	if owner == "" {
		return forges.Event{}, missing("group")
	}
	return forges.Event{Kind: forges.PeopleEvent, Trigger: fact.OnPeople, Owner: owner}, nil
}

// projectEvent reads a Project Hook, or what an instance tells of projects.
func (f *Forge) projectEvent(p *payload) (forges.Event, error) {
	if p.ProjectID <= 0 || p.Path == "" {
		return forges.Event{}, missing("project")
	}
	e := forges.Event{Kind: forges.RepoEvent, Repo: f.ref(&project{ID: p.ProjectID, Path: p.Path})}
	e.Repo.Private = p.ProjectHidden != "" && p.ProjectHidden != "public"
	switch p.Event {
	case "project_create":
		return forges.Event{Kind: forges.InstallationEvent, Repos: []forges.RepoRef{e.Repo}}, nil
	case "project_destroy":
		e.Removed = true
	case "project_rename", "project_transfer":
		e.OldOwner, e.OldName = cut(p.OldPath)
	default:
		return ignored("this changes nothing that is judged")
	}
	return e, nil
}
