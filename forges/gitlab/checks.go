package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// checkName is the one name under which Primum reports.
const checkName = "primum"

// external is what GitLab calls a status somebody sets on a commit.
const external = "GenericCommitStatus"

// poster is who set a status or started a job; that never changes.
type poster struct{ person fact.Person }

// lookedAt is what external status checks said, and when they were asked.
type lookedAt struct {
	head   string
	checks []statusCheck
	until  time.Time
}

// lookFor is how long the answer of external status checks is believed. No
// delivery tells that somebody answered in our name, so only the sweep finds it.
const lookFor = 5 * time.Minute

// statusCheck is an external status check of a change.
type statusCheck struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	URL    string `json:"external_url"`
	Status string `json:"status"`
}

// readChecks makes checks of the jobs and statuses of the head's pipeline.
func (r *reading) readChecks(ctx context.Context) error {
	if !r.needs[fact.NeedChecks] {
		return nil
	}
	list := []fact.Check{}
	if p := r.mr.Pipeline; p != nil && len(r.jobs) > 0 {
		if err := r.readPosters(ctx, p); err != nil {
			return err
		}
		for i := range r.jobs {
			list = append(list, r.check(&r.jobs[i]))
		}
	}
	way, _ := r.ways.Get(r.pid)
	switch way.way {
	case WayCheck:
		more, err := r.readStatusChecks(ctx, way)
		if err != nil {
			return err
		}
		list = append(list, more...)
	case WayApproval:
		list = append(list, r.ownApproval())
	}
	r.c.Checks = newestOf(list)
	return nil
}

// readPosters asks who set the statuses, once for each: GraphQL tells their
// state and not their author.
func (r *reading) readPosters(ctx context.Context, p *pipelineNode) error {
	missing := false
	for i := range r.jobs {
		if !r.posters.Has(r.posterKey(number(r.jobs[i].ID))) {
			missing = true
		}
	}
	if !missing {
		return nil
	}
	type status struct {
		ID     int64    `json:"id"`
		Author *account `json:"author"`
	}
	path := "projects/" + r.pid + "/repository/commits/" + url.PathEscape(p.SHA) + "/statuses"
	list, err := all[status](wire.Operation(ctx, "read_checks"), r.Forge, path, url.Values{"pipeline_id": {number(p.ID)}, "all": {"true"}})
	switch {
	case errors.Is(err, forges.ErrNotFound): // the commit of a merged result was cleared away
	case errors.Is(err, forges.ErrForbidden):
		r.unknown(fact.NeedChecks, "GitLab refuses to tell who set the statuses: "+err.Error())
		return nil
	case err != nil:
		return fmt.Errorf("statuses: %w", err)
	}
	for _, s := range list {
		r.posters.Put(r.posterKey(decimal(s.ID)), poster{s.Author.person()}, 150)
	}
	for i := range r.jobs { // of whom this does not tell nothing will: asked once
		if key := r.posterKey(number(r.jobs[i].ID)); !r.posters.Has(key) {
			r.posters.Put(key, poster{}, 150)
		}
	}
	return nil
}

func (r *reading) posterKey(id string) string { return r.pid + "\x00" + id }

func (r *reading) check(n *jobNode) fact.Check {
	id := number(n.ID)
	by, _ := r.posters.Get(r.posterKey(id))
	c := fact.Check{
		Name: n.Name, State: jobState(n.Status, n.AllowFailure), Source: by.person.Login, SourceID: by.person.ID,
		StartedAt: at(n.StartedAt), FinishedAt: at(n.FinishedAt), ID: id,
	}
	if c.StartedAt.IsZero() {
		c.StartedAt = at(n.CreatedAt)
	}
	if path := word(n.WebPath); path != "" {
		c.URL = r.page(path)
	}
	if n.Name != checkName {
		return c
	}
	switch {
	case r.Way == WayJob && kindOf(n.ID) != external:
		c.Ours, c.ID = true, jobPosted(id)
	case r.ownStatus(n):
		c.Ours, c.ID = true, r.postedAs(id)
	}
	return c
}

// ownStatus reports whether a job is a commit status we set.
func (r *reading) ownStatus(n *jobNode) bool {
	by, _ := r.posters.Get(r.posterKey(number(n.ID)))
	return n.Name == checkName && kindOf(n.ID) == external && by.person.Is(r.self)
}

// page is the address of a path on the instance; the path may have what the
// instance is installed below, or not. "" if it leads elsewhere.
func (f *Forge) page(path string) string {
	if !strings.HasPrefix(path, f.web.Path) {
		path = f.web.Path + strings.TrimPrefix(path, "/")
	}
	u, err := f.web.Parse(path)
	if err != nil || u.Host != f.web.Host || u.Scheme != f.web.Scheme {
		return ""
	}
	return u.String()
}

// readStatusChecks reads what the external status checks of the change say.
func (r *reading) readStatusChecks(ctx context.Context, way found) ([]fact.Check, error) {
	now := r.Now()
	seen, ok := r.checks.Get(r.key())
	if !ok || seen.head != r.mr.HeadSHA || !seen.until.After(now) {
		list, err := all[statusCheck](wire.Operation(ctx, "read_checks"), r.Forge, r.changePath()+"/status_checks", nil)
		switch {
		case errors.Is(err, forges.ErrNotFound), errors.Is(err, forges.ErrForbidden):
			r.unknown(fact.NeedChecks, "GitLab refuses to show the external status checks")
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("external status checks: %w", err)
		}
		seen = lookedAt{r.mr.HeadSHA, list, now.Add(lookFor)}
		r.checks.Put(r.key(), seen, 100*(len(list)+1))
	}
	out := make([]fact.Check, 0, len(seen.checks))
	for _, s := range seen.checks {
		c := fact.Check{Name: s.Name, State: answered(s.Status), Source: WayCheck, URL: s.URL, ID: decimal(s.ID)}
		if s.ID == way.check {
			c.Ours, c.Source, c.SourceID, c.ID = true, r.self.Login, r.self.ID, checkPosted(s.ID)
		}
		out = append(out, c)
	}
	return out, nil
}

// answered is GitLab's word for the state of an external status check.
func answered(status string) fact.CheckState {
	switch status {
	case "passed":
		return fact.CheckSuccess
	case "failed":
		return fact.CheckFailure
	}
	return fact.CheckPending
}

// ownApproval is our verdict where it is an approval.
func (r *reading) ownApproval() fact.Check {
	c := fact.Check{
		Name: checkName, State: fact.CheckFailure, Source: r.self.Login, SourceID: r.self.ID, Ours: true, ID: approvalPosted,
	}
	if r.mr.ApprovedBy != nil && slices.ContainsFunc(r.mr.ApprovedBy.Nodes, func(n userNode) bool { return n.person().Is(r.self) }) {
		c.State = fact.CheckSuccess
	}
	return c
}

// newestOf keeps the newest check of each name and source, in the order they began.
func newestOf(list []fact.Check) []fact.Check {
	newest := map[string]int{}
	for i, c := range list {
		key := c.Name + "\x00" + c.SourceID + "\x00" + strings.ToLower(c.Source)
		if j, ok := newest[key]; !ok || later(c, list[j]) {
			newest[key] = i
		}
	}
	kept := make([]int, 0, len(newest))
	for _, i := range newest {
		kept = append(kept, i)
	}
	slices.SortFunc(kept, func(a, b int) int {
		if later(list[a], list[b]) {
			return 1
		}
		return -1
	})
	out := make([]fact.Check, 0, len(kept))
	for _, i := range kept {
		out = append(out, list[i])
	}
	return out
}

// later compares two checks: the one begun later; numbers grow, so they decide
// between two of one second.
func later(a, b fact.Check) bool {
	if !a.StartedAt.Equal(b.StartedAt) {
		return a.StartedAt.After(b.StartedAt)
	}
	if len(a.ID) != len(b.ID) {
		return len(a.ID) > len(b.ID)
	}
	return a.ID > b.ID
}

// place is where the verdict on a commit goes for one change.
type place struct {
	iid      int
	pipeline string // number of the head's pipeline, "" if there is none
	sha      string // commit that pipeline runs on: the head, or what it is merged into
	ref      string // source branch
	approved bool   // by us
	job      string // number of the job named primum, "" if there is none
	jobState fact.CheckState
	left     fact.CheckState // of our commit status in that pipeline, "" if there is none
}

// head is where the verdict on a commit goes: to every open change whose head it is.
type head struct {
	places []place
	// posted is the whole id of what we set last, where it is on several pipelines.
	posted string // numbers joined by "+"
}

func headKey(pid, sha string) string { return pid + "\x00" + sha }

// rememberHead keeps where the verdict on the head goes.
func (r *reading) rememberHead() {
	key := headKey(r.pid, r.mr.HeadSHA)
	known, _ := r.heads.Get(key)
	p := place{iid: r.ref.Number, ref: r.mr.SourceBranch}
	if r.mr.Pipeline != nil {
		p.pipeline, p.sha = number(r.mr.Pipeline.ID), r.mr.Pipeline.SHA
	}
	if r.mr.ApprovedBy != nil {
		p.approved = slices.ContainsFunc(r.mr.ApprovedBy.Nodes, func(n userNode) bool { return n.person().Is(r.self) })
	}
	for i := range r.jobs {
		switch n := &r.jobs[i]; {
		case n.Name != checkName:
		case kindOf(n.ID) != external:
			p.job, p.jobState = number(n.ID), jobState(n.Status, n.AllowFailure)
		case r.ownStatus(n):
			p.left = jobState(n.Status, n.AllowFailure)
		}
	}
	now := head{posted: known.posted}
	for _, old := range known.places {
		if old.iid != p.iid {
			now.places = append(now.places, old)
		}
	}
	if r.c.State == fact.Open {
		now.places = append(now.places, p)
	}
	slices.SortFunc(now.places, func(a, b place) int { return a.iid - b.iid })
	r.heads.Put(key, now, 200*(len(now.places)+1))
}

// postedAs is what SetVerdict called a status: its own number, or that of the
// first of those it set together on several pipelines.
func (r *reading) postedAs(id string) string {
	known, _ := r.heads.Get(headKey(r.pid, r.mr.HeadSHA))
	if together := strings.Split(known.posted, "+"); slices.Contains(together, id) {
		return together[0]
	}
	return id
}

// findHead looks for the open changes whose head a commit is, where no reading
// told.
func (f *Forge) findHead(ctx context.Context, r forges.RepoRef, sha string) (head, error) {
	type listed struct {
		IID   int    `json:"iid"`
		State string `json:"state"`
		SHA   string `json:"sha"`
	}
	base := restPath(r)
	list, err := all[listed](ctx, f, base+"/repository/commits/"+url.PathEscape(sha)+"/merge_requests", nil)
	if err != nil {
		return head{}, fmt.Errorf("changes of %s: %w", wire.Short(sha, 8), err)
	}
	var h head
	for _, l := range list {
		if l.State != "opened" || l.SHA != sha {
			continue
		}
		var m struct {
			Source   string `json:"source_branch"`
			Pipeline *struct {
				ID  int64  `json:"id"`
				SHA string `json:"sha"`
			} `json:"head_pipeline"`
		}
		if _, err := f.get(ctx, fmt.Sprintf("%s/merge_requests/%d", base, l.IID), nil, &m); err != nil {
			return head{}, fmt.Errorf("change %d: %w", l.IID, err)
		}
		p := place{iid: l.IID, ref: m.Source}
		if m.Pipeline != nil {
			p.pipeline, p.sha = decimal(m.Pipeline.ID), m.Pipeline.SHA
		}
		h.places = append(h.places, p)
	}
	return h, nil
}
