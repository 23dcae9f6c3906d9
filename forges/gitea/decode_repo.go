package gitea

import (
	"strings"

	"primum/forges"
	"primum/rules/fact"
)

const branchPrefix = "refs/heads/"

func (f *Forge) statusEvent(p *payload) (forges.Event, error) {
	if p.SHA == "" || p.Context == "" || p.Repository == nil {
		return forges.Event{}, missing("commit or context")
	}
	by := f.person(p.Sender)
	ours := f.oursCheck(by, p.Context)
	return forges.Event{
		Kind: forges.CheckEvent, Trigger: fact.OnCheck, Repo: f.ref(p.Repository), SHA: p.SHA, At: p.UpdatedAt.Time, Ours: ours,
		Check: &forges.CheckSeen{Name: p.Context, Source: by.Login, Ours: ours, Done: p.State != "pending"},
	}, nil
}

// workflowEvent: Gitea gives each job a commit status, and tells of each.
func (f *Forge) workflowEvent(p *payload) (forges.Event, error) {
	if p.WorkflowRun == nil && p.WorkflowJob == nil {
		return forges.Event{}, missing("workflow")
	}
	return ignored("the statuses of its jobs say the same")
}

// runEvent: Forgejo gives each job of a run a commit status and tells only of
// the run, at its end. Which statuses those are it does not say.
func (f *Forge) runEvent(p *payload) (forges.Event, error) {
	if p.Run == nil || p.Run.CommitSHA == "" {
		return forges.Event{}, missing("run")
	}
	repo := p.Repository
	if repo == nil {
		repo = p.Run.Repository
	}
	if repo == nil {
		return forges.Event{}, missing("repository")
	}
	return forges.Event{
		Kind: forges.CheckEvent, Trigger: fact.OnCheck, Repo: f.ref(repo), SHA: p.Run.CommitSHA,
		Check: &forges.CheckSeen{Source: "forgejo-actions", Done: true},
	}, nil
}

// pushEvent tells no paths: a push by force, which may drop a commit that
// touched the policy, looks like any other and lists only what it brings.
func (f *Forge) pushEvent(p *payload) (forges.Event, error) {
	if p.Ref == "" || p.Repository == nil {
		return forges.Event{}, missing("ref")
	}
	branch, ok := strings.CutPrefix(p.Ref, branchPrefix)
	if !ok {
		return ignored("a tag moved, no branch")
	}
	e := forges.Event{
		Kind: forges.PushEvent, Trigger: fact.OnPolicy, Repo: f.ref(p.Repository),
		Branch: branch, Before: p.Before, SHA: p.After,
	}
	if !forges.IsCommit(p.After) {
		e.SHA, e.Closed = "", true
	}
	return e, nil
}

// deleteEvent: a branch that is deleted is no push here.
func (f *Forge) deleteEvent(p *payload) (forges.Event, error) {
	if p.Ref == "" || p.Repository == nil {
		return forges.Event{}, missing("ref")
	}
	if p.RefType != "branch" {
		return ignored("a tag went, no branch")
	}
	return forges.Event{
		Kind: forges.PushEvent, Trigger: fact.OnPolicy, Repo: f.ref(p.Repository),
		Branch: strings.TrimPrefix(p.Ref, branchPrefix), Closed: true,
	}, nil
}

// repositoryEvent: of what happens to repositories, the forge tells of making
// and deleting them.
func (f *Forge) repositoryEvent(p *payload) (forges.Event, error) {
	if p.Repository == nil || p.Repository.ID <= 0 {
		return forges.Event{}, missing("repository")
	}
	e := forges.Event{Kind: forges.RepoEvent, Trigger: fact.OnOpened, Repo: f.ref(p.Repository)}
	switch p.Action {
	case "created":
	case "deleted":
		e.Removed = true
	default:
		return ignored("this changes nothing that is judged")
	}
	return e, nil
}
