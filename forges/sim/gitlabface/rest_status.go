package gitlabface

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"primum/forges/sim"
)

// longestField is how many characters the address of a status, its name and the
// name of its branch may have.
const longestField = 255

func states() []string {
	return []string{"pending", "running", "success", "failed", "canceled", "skipped"}
}

// createStatus posts a commit status: as a job of the pipeline that is named, or
// of the newest one of the commit and branch, or of a new one. A running or
// pending job of this name and user is updated; anything else makes a new job
// that hides the older ones of its name, whoever made them.
func (c *call) createStatus() error {
	state := c.text("state")
	switch {
	case !c.given("state"):
		return badParam("state is missing, state does not have a valid value")
	case !slices.Contains(states(), state):
		return badParam("state does not have a valid value")
	}
	name := c.text("name")
	if name == "" {
		name = c.text("context")
	}
	if name == "" {
		name = "default"
	}
	if err := c.checkStatusFields(name); err != nil {
		return err
	}
	st := sim.Status{
		Context: name, State: modelState(state), Word: state, Description: c.text("description"), TargetURL: c.text("target_url"),
		Pipeline: c.number("pipeline_id"),
	}
	var repo, sha string
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		repo = s.v.FullName(r)
		if err := c.need(s, r, sim.Write); err != nil {
			return err
		}
		k := s.v.Commit(c.r.PathValue("sha"))
		if k == nil {
			return notFound("Commit")
		}
		sha = k.SHA
		if s.t.state.conflict() {
			return refuse(http.StatusConflict, "Another update to this commit status is in progress")
		}
		return c.placeable(s, r, sha, &st)
	})
	if err != nil {
		return err
	}
	id, err := c.actor().SetStatus(repo, sha, st)
	if err != nil {
		return err
	}
	return c.looking(func(s shaper, _ *sim.Account) error {
		r := s.v.Repo(repo)
		for _, p := range s.t.state.pipelinesWhere(func(p *pipeline) bool { return p.project == r.ID && p.sha == sha }) {
			for _, b := range p.jobs {
				if b.said == id {
					answer(c.w, http.StatusCreated, s.commitStatus(p, b))
					return nil
				}
			}
		}
		return notFound("Commit")
	})
}

func (c *call) checkStatusFields(name string) error {
	tooLong := func(field, value string) error {
		if utf8.RuneCountInString(value) <= longestField {
			return nil
		}
		return refuse(http.StatusBadRequest, j{field: []any{fmt.Sprintf("is too long (maximum is %d characters)", longestField)}})
	}
	for field, value := range map[string]string{"target_url": c.text("target_url"), "name": name, "ref": c.text("ref"), "description": c.text("description")} {
		if err := tooLong(field, value); err != nil {
			return err
		}
	}
	if at := c.text("target_url"); at != "" {
		if u, err := url.Parse(at); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return refuse(http.StatusBadRequest, j{"target_url": []any{"is blocked: Only allowed schemes are http, https"}})
		}
	}
	return nil
}

// placeable finds the branch a status is for and refuses what no pipeline takes.
func (c *call) placeable(s shaper, r *sim.Repo, sha string, st *sim.Status) error {
	st.Ref = c.text("ref")
	all := s.t.state.pipelinesWhere(func(p *pipeline) bool {
		return p.project == r.ID && p.sha == sha && (st.Ref == "" || p.refOf() == st.Ref) && (st.Pipeline == 0 || p.id == st.Pipeline)
	})
	if st.Ref == "" && len(all) > 0 {
		st.Ref = all[0].refOf()
	}
	if st.Ref == "" {
		st.Ref = s.refFor(r, sha)
	}
	switch {
	case st.Ref == "":
		return notFound("References for commit")
	case st.Pipeline != 0 && len(all) == 0:
		return notFound("Pipeline for pipeline_id, sha and ref")
	case len(all) == 0:
		return nil
	}
	st.Pipeline = all[0].id
	from := ""
	if b := all[0].open(st.Context, st.Ref, c.who.id); b != nil {
		from = b.status
	}
	if why := transition(from, st.Word); why != "" {
		return refuse(http.StatusBadRequest, why)
	}
	return nil
}

func (c *call) listStatuses() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		k := s.v.Commit(c.r.PathValue("sha"))
		if k == nil {
			return nil, notFound("Commit")
		}
		var out []j
		for _, p := range slices.Backward(s.t.state.pipelinesWhere(func(p *pipeline) bool { return p.project == r.ID && p.sha == k.SHA })) {
			if id := c.number("pipeline_id"); id != 0 && p.id != id {
				continue
			}
			for _, b := range p.jobs {
				switch {
				case b.retried && !c.truth("all"),
					c.given("ref") && b.ref != c.text("ref"),
					c.given("name") && b.name != c.text("name"),
					c.given("stage") && b.stage != c.text("stage"):
					continue
				}
				out = append(out, s.commitStatus(p, b))
			}
		}
		if c.text("sort") == "desc" {
			slices.Reverse(out)
		}
		return shapes(page(c, out), func(x j) j { return x }), nil
	})
}

func (c *call) listPipelines() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		all := s.t.state.pipelinesWhere(func(p *pipeline) bool {
			return p.project == r.ID && (!c.given("sha") || p.sha == c.text("sha")) && (!c.given("ref") || p.refOf() == c.text("ref")) &&
				(!c.given("source") || p.source == c.text("source")) && (!c.given("status") || p.status() == c.text("status"))
		})
		return shapes(page(c, all), s.pipelineBasic), nil
	})
}

func (c *call) thePipeline(s shaper, r *sim.Repo) (*pipeline, error) {
	all := s.t.state.pipelinesWhere(func(p *pipeline) bool { return p.project == r.ID && p.id == c.path("pipeline") })
	if len(all) == 0 {
		return nil, notFound("")
	}
	return all[0], nil
}

func (c *call) getPipeline() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		p, err := c.thePipeline(s, r)
		if err != nil {
			return nil, err
		}
		return s.pipeline(p), nil
	})
}

// listJobs lists the builds of a pipeline; statuses somebody posted are no builds.
func (c *call) listJobs() error {
	return c.onProject(func(s shaper, r *sim.Repo) (any, error) {
		p, err := c.thePipeline(s, r)
		if err != nil {
			return nil, err
		}
		var all []*job
		for _, b := range slices.Backward(p.jobs) {
			if !b.external && (!b.retried || c.truth("include_retried")) {
				all = append(all, b)
			}
		}
		return shapes(page(c, all), func(b *job) j { return s.build(p, b) }), nil
	})
}

func (c *call) createPipeline() error {
	var out j
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		if err := c.need(s, r, sim.Write); err != nil {
			return err
		}
		sha := r.Branches[c.text("ref")]
		if sha == "" {
			return refuse(http.StatusBadRequest, j{"base": []any{"Reference not found"}})
		}
		p := s.begin(r, pipeline{project: r.ID, sha: sha, ref: c.text("ref"), source: "api", user: c.who.id, created: s.v.Now()})
		out = s.pipeline(p)
		return nil
	})
	if err != nil {
		return err
	}
	answer(c.w, http.StatusCreated, out)
	return nil
}

// begin makes a pipeline and tells of it.
func (s shaper) begin(r *sim.Repo, p pipeline) *pipeline {
	s.t.state.mu.Lock()
	made := s.t.state.start(p).copy()
	s.t.state.mu.Unlock()
	s.t.pipelineHook(s, r, made, made.status())
	return made
}

func (c *call) listMergeRequestPipelines() error {
	return c.onMergeRequest(sim.PartHead, func(s shaper, r *sim.Repo, is *sim.Issue) (any, error) {
		return shapes(page(c, s.mergeRequestPipelines(r, is, "")), s.pipelineBasic), nil
	})
}

func (c *call) createMergeRequestPipeline() error {
	var out j
	err := c.inProject(func(s shaper, r *sim.Repo) error {
		is := s.findMergeRequest(r, int(c.path("iid")), sim.PartAll)
		if is == nil {
			return notFound("")
		}
		if err := c.need(s, r, sim.Write); err != nil {
			return err
		}
		out = s.pipeline(s.begin(r, s.mergeRequestPipeline(r, is, c.who.id)))
		return nil
	})
	if err != nil {
		return err
	}
	answer(c.w, http.StatusCreated, out)
	return nil
}

func (s shaper) mergeRequestPipeline(r *sim.Repo, is *sim.Issue, by int64) pipeline {
	return pipeline{
		project: r.ID, sha: is.Change.Head, ref: is.Change.HeadBranch, source: "merge_request_event", mr: is.ID, mrIID: s.iid(r, is), user: by, created: s.v.Now(),
	}
}

// RunPipeline starts a merge request pipeline for a change, as GitLab CI does,
// with one build for each name, all of them running, and gives its id.
func (t *Face) RunPipeline(repo string, number int, builds ...string) int64 {
	var id int64
	t.forge.Read(func(v *sim.View) {
		s := t.shaper(v)
		r := v.Repo(repo)
		if r == nil || r.Issues[number] == nil || r.Issues[number].Change == nil {
			panic("gitlabface: no change " + strconv.Itoa(number) + " in " + repo)
		}
		is := r.Issues[number]
		p := s.mergeRequestPipeline(r, is, is.Author)
		for i, name := range builds {
			t.state.mu.Lock()
			b := &job{id: systemNotes + t.state.id() + int64(i), name: name, stage: "test", ref: p.ref, sha: p.sha, user: p.user, created: p.created}
			t.state.mu.Unlock()
			b.set("running", p.created)
			p.add(b)
		}
		id = s.begin(r, p).id
	})
	return id
}

// EndBuild ends a build of a pipeline with a status ("success", "failed" …).
func (t *Face) EndBuild(id int64, name, status string) {
	t.forge.Read(func(v *sim.View) {
		s := t.shaper(v)
		t.state.mu.Lock()
		i := slices.IndexFunc(t.state.pipelines, func(p *pipeline) bool { return p.id == id })
		if i < 0 {
			t.state.mu.Unlock()
			panic("gitlabface: no pipeline " + strconv.FormatInt(id, 10))
		}
		p := t.state.pipelines[i]
		var done *job
		for _, b := range p.latest() {
			if b.name == name {
				b.set(status, v.Now())
				n := *b
				done = &n
			}
		}
		p.updated = v.Now()
		told, now := p.tell()
		c := p.copy()
		t.state.mu.Unlock()
		r := v.RepoByID(c.project)
		if done != nil {
			t.jobHook(s, r, c, done)
		}
		if told {
			t.pipelineHook(s, r, c, now)
		}
	})
}
