package github

import (
	"primum/forges"
	"primum/rules/fact"
)

// rerun is the button GitHub itself shows on every check.
const rerun = "rerun"

func (f *Forge) checkRunEvent(p *payload) (forges.Event, error) {
	run := p.CheckRun
	if run == nil || p.Repository == nil || run.HeadSHA == "" {
		return forges.Event{}, missing("check run")
	}
	e := forges.Event{
		Kind: forges.CheckEvent, Trigger: fact.OnCheck, Repo: f.ref(p, p.Repository), SHA: run.HeadSHA,
		At: run.CompletedAt.Time, Changes: numbersOf(p.Repository, run.PullRequests),
		Check: &forges.CheckSeen{Name: run.Name, Ours: f.ourApp(run.App), Done: run.Status == "completed"},
	}
	if e.At.IsZero() {
		e.At = run.StartedAt.Time
	}
	if run.App != nil {
		e.Check.Source = run.App.Slug
	}
	if !e.Check.Ours {
		return e, nil
	}
	button := ""
	switch {
	case p.Action == "rerequested":
		button = rerun
	case p.Action == "requested_action" && p.RequestedAction != nil:
		button = p.RequestedAction.Identifier
	}
	if button == "" {
		e.Ours = true
		return e, nil
	}
	e.Trigger = fact.OnRequest
	e.Request = &forges.Request{Button: button, External: run.ExternalID}
	return e, nil
}

func (f *Forge) checkSuiteEvent(p *payload) (forges.Event, error) {
	suite := p.CheckSuite
	if suite == nil || p.Repository == nil || suite.HeadSHA == "" {
		return forges.Event{}, missing("check suite")
	}
	e := forges.Event{
		Kind: forges.CheckEvent, Trigger: fact.OnCheck, Repo: f.ref(p, p.Repository), SHA: suite.HeadSHA,
		At: suite.UpdatedAt.Time, Changes: numbersOf(p.Repository, suite.PullRequests),
		Check: &forges.CheckSeen{Ours: f.ourApp(suite.App), Done: suite.Status == "completed"},
	}
	if suite.App != nil {
		e.Check.Source = suite.App.Slug
	}
	switch {
	case p.Action == "rerequested" && e.Check.Ours:
		e.Trigger = fact.OnRequest
		e.Request = &forges.Request{Button: rerun}
	case e.Check.Ours:
		e.Ours = true
	default:
		return ignored("the check suite's runs say the same") // by name, so that it is known whether they matter
	}
	return e, nil
}

func (f *Forge) statusEvent(p *payload) (forges.Event, error) {
	if p.SHA == "" || p.Context == "" || p.Repository == nil {
		return forges.Event{}, missing("commit or context")
	}
	e := forges.Event{
		Kind: forges.CheckEvent, Trigger: fact.OnCheck, Repo: f.ref(p, p.Repository), SHA: p.SHA, At: p.UpdatedAt.Time,
		Check: &forges.CheckSeen{Name: p.Context, Source: p.Sender.person().Login, Done: p.State != "pending"},
	}
	return e, nil
}

// mergeGroupEvent: "checks_requested" asks for a verdict on a commit that
// merges several changes; "destroyed" takes the question back.
func (f *Forge) mergeGroupEvent(p *payload) (forges.Event, error) {
	g := p.MergeGroup
	if g == nil || p.Repository == nil || g.HeadSHA == "" {
		return forges.Event{}, missing("merge group")
	}
	if p.Action != "checks_requested" && p.Action != "destroyed" {
		return ignored("this changes nothing that is judged")
	}
	branch := branchOf(g.BaseRef)
	return forges.Event{
		Kind: forges.QueueEvent, Trigger: fact.OnPushed, Repo: f.ref(p, p.Repository), SHA: g.HeadSHA, Branch: branch,
		Closed: p.Action == "destroyed", Reason: p.Reason,
		Queue: &forges.QueueRef{Head: g.HeadSHA, Base: g.BaseSHA, Branch: branch, Ref: g.HeadRef},
	}, nil
}

// numbersOf are the changes a check names. GitHub names none for a fork's
// commit, and other repositories' changes for a commit that is there too.
func numbersOf(r *repository, pulls []pullNumber) []int {
	var numbers []int
	for _, n := range pulls {
		if n.Number <= 0 || n.Base.Repo != nil && n.Base.Repo.ID != 0 && n.Base.Repo.ID != r.ID {
			continue
		}
		numbers = append(numbers, n.Number)
	}
	return numbers
}
