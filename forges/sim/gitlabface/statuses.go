package gitlabface

import (
	"maps"
	"slices"

	"primum/forges/sim"
)

// jobState is a job's status for the forge's word, or the word itself.
func jobState(word string) string {
	switch word {
	case "failure", "error":
		return "failed"
	}
	return word
}

// modelState is the forge's word for a job's status.
func modelState(status string) string {
	return map[string]string{
		"pending": "pending", "running": "pending", "success": "success", "skipped": "success", "failed": "failure", "canceled": "error",
	}[status]
}

// refFor is the branch a commit without a named one is taken to be on: that of
// its newest pipeline, or the first one that contains it.
func (s shaper) refFor(r *sim.Repo, sha string) string {
	if all := s.t.state.pipelinesWhere(func(p *pipeline) bool { return p.project == r.ID && p.sha == sha }); len(all) > 0 {
		return all[0].refOf()
	}
	for _, name := range slices.Sorted(maps.Keys(r.Branches)) {
		if tip := r.Branches[name]; tip == sha || s.v.MergeBase(tip, sha) == sha {
			return name
		}
	}
	return ""
}

// transition is why a job cannot be given a state, "" if it can. The words are
// those of GitLab's state machine.
func transition(from, to string) string {
	event := map[string]string{"pending": "enqueue", "running": "run", "success": "success", "failed": "drop", "canceled": "cancel", "skipped": "skip"}[to]
	ok := true
	switch to {
	case "pending":
		ok = from == ""
	case "running":
		ok = from == "" || from == "pending"
	case "skipped":
		ok = from == "" || from == "pending"
	}
	if ok {
		return ""
	}
	return "Cannot transition status via :" + event + " from :" + from + " (Reason(s): Status cannot transition via \"" + event + "\")"
}

// open is the running or pending job of a name that somebody has in a pipeline.
func (p *pipeline) open(name, ref string, user int64) *job {
	for _, b := range p.jobs {
		if b.external && b.name == name && b.ref == ref && b.user == user && !b.done() {
			return b
		}
	}
	return nil
}

// placeStatus files a commit status that was set: as a job of the newest
// pipeline of its commit and branch, or of a new one of source external.
func (t *Face) placeStatus(s shaper, r *sim.Repo, st *sim.Status) {
	ref := st.Ref
	if ref == "" {
		ref = s.refFor(r, st.SHA)
	}
	if ref == "" {
		ref = s.headBranch(r, st.SHA)
	}
	word := st.Word
	if word == "" {
		word = jobState(st.State)
	}
	t.state.mu.Lock()
	p := t.state.newest(r.ID, st.SHA, st.Ref, st.Pipeline)
	if p == nil {
		p = t.state.start(pipeline{project: r.ID, sha: st.SHA, ref: ref, source: "external", user: st.Creator, created: st.At})
	}
	b := p.open(st.Context, ref, st.Creator)
	if b == nil {
		b = &job{
			id: st.ID, name: st.Context, stage: "external", ref: ref, sha: st.SHA, user: st.Creator, external: true, created: st.At,
		}
		p.add(b)
	}
	b.said, b.description, b.target = st.ID, st.Description, st.TargetURL
	b.set(word, st.At)
	p.updated = st.At
	told, now := p.tell()
	c := p.copy()
	t.state.mu.Unlock()
	if told {
		t.pipelineHook(s, r, c, now)
	}
}

// tell says whether a pipeline's status is another one than was told last.
func (p *pipeline) tell() (changed bool, status string) {
	status = p.status()
	changed = status != p.told
	p.told = status
	return changed, status
}

// headBranch is the branch of an open merge request whose head is a commit.
func (s shaper) headBranch(r *sim.Repo, sha string) string {
	for _, is := range s.v.Changes(r) {
		if is.Change.Head == sha {
			return is.Change.HeadBranch
		}
	}
	return r.Default
}

// placeRun files a check of an app's as a build of the pipeline of its commit:
// of the branch, or of the merge request where the branch is in a fork.
func (t *Face) placeRun(s shaper, r *sim.Repo, run *sim.CheckRun) {
	at := s.v.Now()
	var user int64
	if app := s.v.App(run.App); app != nil {
		user = app.Bot
	}
	fresh := pipeline{project: r.ID, sha: run.SHA, source: "push", user: user, created: run.StartedAt}
	for _, is := range s.v.Changes(r) {
		c := is.Change
		if c.Head != run.SHA {
			continue
		}
		fresh.ref = c.HeadBranch
		if c.HeadRepo != r.ID {
			fresh.source, fresh.mr, fresh.mrIID = "merge_request_event", is.ID, s.iid(r, is)
		}
	}
	if fresh.ref == "" {
		if fresh.ref = s.refFor(r, run.SHA); fresh.ref == "" {
			fresh.ref = r.Default
		}
	}
	t.state.mu.Lock()
	p := t.state.newest(r.ID, run.SHA, "", 0)
	if p == nil {
		p = t.state.start(fresh)
	}
	var b *job
	for _, o := range p.jobs {
		if o.id == run.ID {
			b = o
		}
	}
	if b == nil {
		b = &job{id: run.ID, name: run.Name, stage: "test", ref: p.ref, sha: run.SHA, user: user, created: run.StartedAt}
		p.add(b)
	}
	was := b.status
	b.set(runStatus(run), at)
	b.allowFailure = run.Conclusion == "neutral" // a job that may fail is the nearest to it
	b.started = run.StartedAt
	if b.done() {
		b.finished = run.CompletedAt
	}
	p.updated = at
	jobNew := was != b.status
	job := *b
	told, now := p.tell()
	c := p.copy()
	t.state.mu.Unlock()
	if jobNew {
		t.jobHook(s, r, c, &job)
	}
	if told {
		t.pipelineHook(s, r, c, now)
	}
}

// runStatus is a job's status for a check run's.
func runStatus(run *sim.CheckRun) string {
	if run.Status != "completed" {
		if run.Status == "in_progress" {
			return "running"
		}
		return "pending"
	}
	switch run.Conclusion {
	case "success":
		return "success"
	case "skipped":
		return "skipped"
	case "cancelled", "stale":
		return "canceled"
	}
	return "failed"
}
