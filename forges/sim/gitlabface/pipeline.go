package gitlabface

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"primum/forges/sim"
)

// pipeline is a pipeline of a commit on a branch, or of a merge request.
type pipeline struct {
	id      int64
	iid     int
	project int64
	sha     string
	ref     string
	source  string // push, web, api, external, merge_request_event
	mr      int64  // id of the merge request it was started for; 0 of a branch
	mrIID   int
	user    int64
	created time.Time
	updated time.Time
	jobs    []*job // oldest first
	told    string // status as it was told last
}

// job is a job of a pipeline: a build, or a commit status somebody posted.
type job struct {
	id           int64
	said         int64  // the forge's status it shows, if it is one
	status       string // pending, running, success, failed, canceled, skipped
	name         string
	stage        string
	ref          string
	sha          string
	user         int64
	external     bool // a commit status (GenericCommitStatus), not a build
	retried      bool // a newer job of this name hides it
	allowFailure bool
	description  string
	target       string
	created      time.Time
	started      time.Time
	finished     time.Time
}

func (b *job) done() bool {
	return slices.Contains([]string{"success", "failed", "canceled", "skipped"}, b.status)
}

// set gives a job a status at a time.
func (b *job) set(status string, at time.Time) {
	b.status = status
	switch {
	case b.done():
		if b.started.IsZero() && status != "skipped" {
			b.started = at
		}
		b.finished = at
	case status == "running":
		b.started, b.finished = at, time.Time{}
	default:
		b.started, b.finished = time.Time{}, time.Time{}
	}
}

// latest are the jobs no newer one of the same name hides.
func (p *pipeline) latest() []*job {
	var out []*job
	for _, b := range p.jobs {
		if !b.retried {
			out = append(out, b)
		}
	}
	return out
}

// status is what the latest jobs amount to, as GitLab composes it.
func (p *pipeline) status() string {
	count := map[string]int{}
	all := p.latest()
	for _, b := range all {
		switch {
		case b.allowFailure && (b.status == "failed" || b.status == "canceled"):
			count["success"]++
		default:
			count[b.status]++
		}
	}
	n := len(all)
	switch {
	case n == 0:
		return "created"
	case count["skipped"] == n:
		return "skipped"
	case count["success"]+count["skipped"] == n:
		return "success"
	case count["pending"]+count["skipped"] == n:
		return "pending"
	case count["running"]+count["pending"] > 0:
		return "running"
	case count["failed"] > 0:
		return "failed"
	}
	return "canceled"
}

func (p *pipeline) started() time.Time {
	var out time.Time
	for _, b := range p.jobs {
		if !b.started.IsZero() && (out.IsZero() || b.started.Before(out)) {
			out = b.started
		}
	}
	return out
}

func (p *pipeline) finished() time.Time {
	var out time.Time
	for _, b := range p.latest() {
		if !b.done() {
			return time.Time{}
		}
		if b.finished.After(out) {
			out = b.finished
		}
	}
	return out
}

// copy is a deep copy, to be read without the lock.
func (p *pipeline) copy() *pipeline {
	c := *p
	c.jobs = make([]*job, len(p.jobs))
	for i, b := range p.jobs {
		n := *b
		c.jobs[i] = &n
	}
	return &c
}

// pipelinesWhere gives copies of pipelines, newest first.
func (s *state) pipelinesWhere(fn func(*pipeline) bool) []*pipeline {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*pipeline
	for _, p := range slices.Backward(s.pipelines) {
		if fn(p) {
			out = append(out, p.copy())
		}
	}
	return out
}

// newest is the newest pipeline of a commit, of a branch and with an id unless
// these are zero; nil if there is none. The state is locked.
func (s *state) newest(project int64, sha, ref string, id int64) *pipeline {
	for _, p := range slices.Backward(s.pipelines) {
		if p.project == project && p.sha == sha && (ref == "" || p.refOf() == ref) && (id == 0 || p.id == id) {
			return p
		}
	}
	return nil
}

// start makes a pipeline. The state is locked.
func (s *state) start(p pipeline) *pipeline {
	p.id = s.id()
	for _, o := range s.pipelines {
		if o.project == p.project {
			p.iid++
		}
	}
	p.iid++
	p.updated, p.told = p.created, "created"
	s.pipelines = append(s.pipelines, &p)
	return &p
}

// add puts a job into a pipeline and hides the older ones of its name, whoever
// made them and of whatever kind. The state is locked.
func (p *pipeline) add(b *job) {
	for _, o := range p.jobs {
		if o.name == b.name {
			o.retried = true
		}
	}
	p.jobs = append(p.jobs, b)
}

// headPipeline is the pipeline that counts for a merge request: of its head, a
// merge request pipeline before any of the branch, then the newest. Pipelines
// of the branch are those of the project the branch is in.
func (s shaper) headPipeline(r *sim.Repo, is *sim.Issue) *pipeline {
	all := s.mergeRequestPipelines(r, is, is.Change.Head)
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// mergeRequestPipelines lists the pipelines of a merge request in the order in
// which GitLab counts them; of one commit unless sha is empty.
func (s shaper) mergeRequestPipelines(r *sim.Repo, is *sim.Issue, sha string) []*pipeline {
	c := is.Change
	mine := map[string]bool{c.Head: true}
	for _, v := range s.t.state.versionsOf(is.ID) {
		mine[v.head] = true
	}
	for _, k := range s.v.ChangeCommits(r, c) {
		mine[k.SHA] = true
	}
	all := s.t.state.pipelinesWhere(func(p *pipeline) bool {
		switch {
		case sha != "" && p.sha != sha:
			return false
		case p.mr != 0:
			return p.project == r.ID && p.mr == is.ID
		}
		return p.project == c.HeadRepo && p.ref == c.HeadBranch && mine[p.sha]
	})
	slices.SortStableFunc(all, func(a, b *pipeline) int {
		return cmp.Or(cmp.Compare(b2i(a.mr == 0), b2i(b.mr == 0)), cmp.Compare(b.id, a.id))
	})
	return all
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// refOf is the ref GitLab keeps of a pipeline, by which a commit status finds it:
// the branch, or that of the merge request. Deliveries name the branch for both.
func (p *pipeline) refOf() string {
	if p.mr != 0 {
		return fmt.Sprintf("refs/merge-requests/%d/head", p.mrIID)
	}
	return p.ref
}

func (s shaper) pipelineWeb(p *pipeline) string {
	if r := s.v.RepoByID(p.project); r != nil {
		return fmt.Sprintf("%s/-/pipelines/%d", s.repoWeb(r), p.id)
	}
	return s.web
}

func (s shaper) pipelineBasic(p *pipeline) j {
	return j{
		"id": p.id, "iid": p.iid, "project_id": p.project, "sha": p.sha, "ref": p.refOf(), "status": p.status(), "source": p.source,
		"created_at": stamp(p.created), "updated_at": stamp(p.updated), "web_url": s.pipelineWeb(p),
	}
}

func (s shaper) pipeline(p *pipeline) j {
	out := s.pipelineBasic(p)
	out["before_sha"], out["tag"], out["yaml_errors"], out["user"] = sim.NoCommit, false, nil, s.account(p.user)
	out["started_at"], out["finished_at"], out["committed_at"] = maybe(p.started()), maybe(p.finished()), nil
	out["duration"], out["queued_duration"], out["coverage"] = nil, nil, nil
	st := p.status()
	out["detailed_status"] = j{
		"icon": "status_" + st, "text": st, "label": st, "group": st, "tooltip": st, "has_details": true,
		"details_path": fmt.Sprintf("/-/pipelines/%d", p.id), "illustration": nil, "favicon": "/favicon.png",
	}
	return out
}

// commitStatus is a job as the list of a commit's statuses shows it.
func (s shaper) commitStatus(p *pipeline, b *job) j {
	return j{
		"id": b.id, "sha": p.sha, "ref": b.ref, "status": b.status, "name": b.name, "target_url": orNil(b.target), "description": orNil(b.description),
		"created_at": stamp(b.created), "started_at": maybe(b.started), "finished_at": maybe(b.finished), "allow_failure": b.allowFailure,
		"coverage": nil, "pipeline_id": p.id, "author": s.account(b.user),
	}
}

// build is a job as the list of a pipeline's jobs shows it.
func (s shaper) build(p *pipeline, b *job) j {
	r := s.v.RepoByID(p.project)
	var commit, user any
	web := s.web
	if r != nil {
		commit, web = s.commit(r, s.v.Commit(p.sha)), fmt.Sprintf("%s/-/jobs/%d", s.repoWeb(r), b.id)
	}
	if a := s.v.Account(b.user); a != nil {
		user = s.wholeUser(a, false)
	}
	return j{
		"id": b.id, "status": b.status, "stage": b.stage, "name": b.name, "ref": p.refOf(), "tag": false, "coverage": nil,
		"allow_failure": b.allowFailure, "created_at": stamp(b.created), "started_at": maybe(b.started), "finished_at": maybe(b.finished), "erased_at": nil,
		"duration": nil, "queued_duration": nil, "user": user, "commit": commit, "pipeline": s.pipelineBasic(p), "web_url": web,
		"project": j{"ci_job_token_scope_enabled": false}, "artifacts": []any{}, "runner": nil, "artifacts_expire_at": nil, "archived": false, "tag_list": []any{},
	}
}
