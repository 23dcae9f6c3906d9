package gitlab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	gitlab "github.com/xanzy/go-gitlab"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// GitLab's limits on a commit status; the text is cut at bytes, which is never
// more than the characters GitLab counts.
const (
	shortMax  = 255
	targetMax = 255
	refMax    = 255
)

// approvalPosted is the Posted.ID of a verdict that is an approval. That of a
// commit status is its number, and others have a word before theirs.
const approvalPosted = "approval"

func jobPosted(id string) string       { return "job:" + id }
func checkPosted(id int64) string      { return "check:" + decimal(id) }
func passes(s forges.ReportState) bool { return s == forges.ReportSuccess || s == forges.ReportNeutral }

// verdict is one report on its way to one commit.
type verdict struct {
	*Forge
	repo   forges.RepoRef
	base   string // REST path of the project
	pid    string // as the caches name the project
	sha    string
	report forges.Report
	posted forges.Posted
	head   head
}

// SetVerdict implements forges.Forge. There is no verdict that waits: an
// external status check that is pending turns failed after two minutes, and a
// commit status that is pending leaves the pipeline running for ever. So what
// waits is set as failed, and the words say what it waits for. A neutral one
// becomes a success, and the words say that it is advice.
func (f *Forge) SetVerdict(ctx context.Context, r forges.RepoRef, sha string, report forges.Report, posted forges.Posted) (forges.Posted, error) {
	now, err := f.setVerdict(wire.Operation(ctx, "set_verdict"), r, sha, report, posted)
	if err != nil {
		return forges.Posted{}, fmt.Errorf("set verdict on %s of %s: %w", wire.Short(sha, 8), r.FullName(), err)
	}
	return now, nil
}

func (f *Forge) setVerdict(ctx context.Context, r forges.RepoRef, sha string, report forges.Report, posted forges.Posted) (forges.Posted, error) {
	if !validPath(r.FullName()) || !forges.IsCommit(sha) {
		return forges.Posted{}, forges.ErrNotFound
	}
	if _, err := f.me(ctx); err != nil {
		return forges.Posted{}, err
	}
	if posted.SHA != sha {
		posted = forges.Posted{}
	}
	v := &verdict{Forge: f, repo: r, base: restPath(r), pid: cacheKey(r), sha: sha, report: report, posted: posted}
	way, err := f.wayOf(ctx, r, report)
	if err != nil {
		return forges.Posted{}, err
	}
	var known bool
	if v.head, known = f.heads.Get(headKey(v.pid, sha)); !known || len(v.head.places) == 0 {
		if v.head, err = f.findHead(ctx, r, sha); err != nil {
			return forges.Posted{}, err
		}
	}
	now := forges.Posted{SHA: sha, Digest: reportDigest(report), State: report.State, Way: way.way}
	switch way.way {
	case WayCheck:
		now.ID, err = v.answer(ctx, way.check)
	case WayApproval:
		now.ID, err = v.approve(ctx)
	case WayJob:
		now.ID, err = v.rerun(ctx)
	default:
		now.ID, err = v.status(ctx)
	}
	if err == nil {
		err = v.tidy(ctx, way.way)
	}
	return now, err
}

// tidy sees to it that what was set by another way does not contradict: an
// approval of ours is taken back, and a commit status in the head's pipeline,
// which nobody else could turn, follows the verdict. Where a job is the way, a
// status of its name would hide it, so there the job's next run hides the status.
func (v *verdict) tidy(ctx context.Context, way string) error {
	if way != WayApproval {
		for i, p := range v.head.places {
			if !p.approved {
				continue
			}
			if err := v.approveOne(ctx, p.iid, false); err != nil {
				return fmt.Errorf("take back the approval of change %d, which no longer is how verdicts block: %w", p.iid, err)
			}
			v.head.places = slices.Clone(v.head.places)
			v.head.places[i].approved = false
			v.heads.Put(headKey(v.pid, v.sha), v.head, 200*(len(v.head.places)+1))
		}
	}
	if way == WayStatus || way == WayJob {
		return nil
	}
	turned := func(p place) bool { return p.left != "" && (p.left == fact.CheckSuccess) != passes(v.report.State) }
	if !slices.ContainsFunc(v.head.places, turned) {
		return nil
	}
	if _, err := v.status(ctx); err != nil {
		return fmt.Errorf("turn the commit status that is left of before: %w", err)
	}
	v.head.places = slices.Clone(v.head.places)
	for i := range v.head.places {
		if v.head.places[i].left == "" {
			continue
		}
		v.head.places[i].left = fact.CheckFailure
		if passes(v.report.State) {
			v.head.places[i].left = fact.CheckSuccess
		}
	}
	v.heads.Put(headKey(v.pid, v.sha), v.head, 200*(len(v.head.places)+1))
	return nil
}

// cacheKey is a project as the caches name it.
func cacheKey(r forges.RepoRef) string {
	if _, err := parseNumber(r.ID); err == nil {
		return r.ID
	}
	return strings.ToLower(r.FullName())
}

// reportDigest identifies what of a report GitLab shows.
func reportDigest(r forges.Report) string {
	raw, err := json.Marshal([]string{r.Name, string(r.State), r.Short, r.Title, r.URL})
	if err != nil { // plain values always marshal
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// status sets a commit status as a job of each pipeline that is the head's of an
// open change. Each call makes a new job, which hides the one before.
func (v *verdict) status(ctx context.Context) (string, error) {
	targets := []target{}
	for _, p := range v.head.places {
		t := target{pipeline: p.pipeline, sha: p.sha, branch: p.ref}
		if t.pipeline == "" || t.sha == "" {
			t.sha = v.sha
		}
		if !slices.ContainsFunc(targets, t.same) {
			targets = append(targets, t)
		}
	}
	if len(targets) == 0 {
		targets = append(targets, target{sha: v.sha})
	}
	var ids []string
	for _, t := range targets {
		id, err := v.post(ctx, t)
		if err != nil {
			return "", err
		}
		ids = append(ids, id)
	}
	v.head.posted = strings.Join(ids, "+")
	v.heads.Put(headKey(v.pid, v.sha), v.head, 200*(len(v.head.places)+1))
	return ids[0], nil
}

// target is where a commit status goes: to a pipeline by its number and the
// commit it runs on, which for merged results is not the head; or to the newest
// one of the head on a branch, which GitLab makes if there is none.
type target struct{ pipeline, sha, branch string }

func (t target) same(o target) bool {
	if t.pipeline != "" || o.pipeline != "" {
		return t.pipeline == o.pipeline
	}
	return t == o
}

// query names the target to the list of a commit's statuses.
func (t target) query() url.Values {
	if t.pipeline == "" {
		return url.Values{}
	}
	return url.Values{"pipeline_id": {t.pipeline}}
}

// cannotTransition begins GitLab's refusal of a state that a status cannot take.
const cannotTransition = "Cannot transition status"

// post sets the status once, and handles what GitLab refuses without meaning it:
// a pipeline that is gone, a status that somebody sets at the same time, and one
// that stands already.
func (v *verdict) post(ctx context.Context, t target) (string, error) {
	id, err := v.create(ctx, t)
	if t.pipeline != "" && (status(err) == http.StatusNotFound || status(err) == http.StatusBadRequest && !strings.Contains(err.Error(), cannotTransition)) {
		t = target{sha: v.sha, branch: t.branch} // the pipeline is gone, or a fork's
		id, err = v.create(ctx, t)
	}
	for try := 0; refusedTransition(err); try++ {
		standing, found := v.stands(ctx, t)
		if found != nil {
			return "", found
		}
		if standing != "" {
			return standing, nil
		}
		if try == 2 {
			return "", fmt.Errorf("%w: %w", forges.ErrConflict, err)
		}
		id, err = v.create(ctx, t)
	}
	return id, err
}

func refusedTransition(err error) bool {
	return err != nil && (status(err) == http.StatusConflict || strings.Contains(err.Error(), cannotTransition))
}

// create makes one call. A pipeline is named without a branch: that of a merge
// request has a ref of its own (refs/merge-requests/1/head), and GitLab answers
// 404 where number, commit and ref do not belong together.
func (v *verdict) create(ctx context.Context, t target) (string, error) {
	state := gitlab.Failed
	if passes(v.report.State) {
		state = gitlab.Success
	}
	name := v.report.Name
	if name == "" {
		name = checkName
	}
	line := v.report.Short
	if line == "" {
		line = v.report.Title
	}
	o := gitlab.SetCommitStatusOptions{State: state, Name: &name, Description: new(wire.Ellipsis(line, shortMax))}
	if t.pipeline == "" && t.branch != "" && len(t.branch) <= refMax {
		o.Ref = &t.branch
	}
	if link := webLink(v.report.URL); link != "" && len(link) <= targetMax {
		o.TargetURL = &link
	}
	if n, err := parseNumber(t.pipeline); err == nil {
		o.PipelineID = new(int(n))
	}
	var made struct {
		ID int64 `json:"id"`
	}
	if err := v.send(ctx, http.MethodPost, v.base+"/statuses/"+t.sha, o, &made); err != nil {
		return "", err
	}
	if me := v.self.Load(); me != nil { // who set it need not be asked for
		v.posters.Put(v.pid+"\x00"+decimal(made.ID), poster{*me}, 150)
	}
	return decimal(made.ID), nil
}

// stands is the newest status of our name, if it is ours and says what we want
// to say; else "".
func (v *verdict) stands(ctx context.Context, t target) (string, error) {
	query := t.query()
	query.Set("name", v.name())
	type found struct {
		ID     int64    `json:"id"`
		Status string   `json:"status"`
		Text   string   `json:"description"`
		Author *account `json:"author"`
	}
	list, err := all[found](ctx, v.Forge, v.base+"/repository/commits/"+t.sha+"/statuses", query)
	if err != nil {
		return "", err
	}
	var newest *found
	for i := range list {
		if newest == nil || list[i].ID > newest.ID {
			newest = &list[i]
		}
	}
	if newest == nil || !v.isUs(newest.Author.person()) {
		return "", nil
	}
	if (jobState(newest.Status, false) == fact.CheckSuccess) != passes(v.report.State) || !ended(newest.Status) {
		return "", nil
	}
	return decimal(newest.ID), nil
}

func (v *verdict) name() string {
	if v.report.Name != "" {
		return v.report.Name
	}
	return checkName
}

// answer answers the external status check of every open change with that head.
// GitLab refuses an answer about another commit than the head.
func (v *verdict) answer(ctx context.Context, check int64) (string, error) {
	if len(v.head.places) == 0 {
		return "", fmt.Errorf("no open change has this head: %w", forges.ErrConflict)
	}
	word := "failed"
	if passes(v.report.State) {
		word = "passed"
	}
	body := map[string]any{"sha": v.sha, "external_status_check_id": check, "status": word}
	for _, p := range v.head.places {
		path := fmt.Sprintf("%s/merge_requests/%d/status_check_responses", v.base, p.iid)
		if err := v.send(ctx, http.MethodPost, path, body, nil); err != nil {
			return "", fmt.Errorf("change %d: %w", p.iid, err)
		}
		v.answeredNow(p.iid, check, word)
	}
	return checkPosted(check), nil
}

// answeredNow keeps what stands now beside what was read.
func (v *verdict) answeredNow(iid int, check int64, word string) {
	key := v.pid + "!" + decimal(iid)
	seen, ok := v.checks.Get(key)
	if !ok {
		return
	}
	seen.checks = slices.Clone(seen.checks)
	for i := range seen.checks {
		if seen.checks[i].ID == check {
			seen.checks[i].Status = word
		}
	}
	v.checks.Put(key, seen, 100*(len(seen.checks)+1))
}

// approve gives or takes back our approval of every open change with that head.
func (v *verdict) approve(ctx context.Context) (string, error) {
	if len(v.head.places) == 0 {
		return "", fmt.Errorf("no open change has this head: %w", forges.ErrConflict)
	}
	want := passes(v.report.State)
	places := slices.Clone(v.head.places)
	for i := range places {
		if places[i].approved == want && v.posted.ID == approvalPosted {
			continue
		}
		if err := v.approveOne(ctx, places[i].iid, want); err != nil {
			return "", fmt.Errorf("change %d: %w", places[i].iid, err)
		}
		places[i].approved = want
	}
	v.head.places = places
	v.heads.Put(headKey(v.pid, v.sha), v.head, 200*(len(places)+1))
	return approvalPosted, nil
}

func (v *verdict) approveOne(ctx context.Context, iid int, want bool) error {
	path := fmt.Sprintf("%s/merge_requests/%d", v.base, iid)
	var err error
	if want {
		err = v.send(ctx, http.MethodPost, path+"/approve", map[string]string{"sha": v.sha}, nil)
	} else {
		err = v.send(ctx, http.MethodPost, path+"/unapprove", nil, nil)
	}
	if s := status(err); s != http.StatusUnauthorized && s != http.StatusNotFound {
		return err
	}
	// GitLab answers 401 to a second approval and 404 to taking back none.
	var a struct {
		Ours bool `json:"user_has_approved"`
	}
	if _, look := v.get(ctx, path+"/approvals", nil, &a); look != nil {
		return look
	}
	if a.Ours == want {
		return nil
	}
	return fmt.Errorf("our approval is refused; the project may ask for a password or single sign-on to approve, "+
		"which no machine can give, or forbid us to approve: use another way to block: %w", err)
}

// rerun has the job that asks for the verdict run again where it says otherwise.
// While it runs it finds out by itself.
func (v *verdict) rerun(ctx context.Context) (string, error) {
	id := jobPosted("")
	places := slices.Clone(v.head.places)
	for i := range places {
		p := &places[i]
		if p.job == "" {
			continue
		}
		id = jobPosted(p.job)
		if p.jobState == fact.CheckPending || (p.jobState == fact.CheckSuccess) == passes(v.report.State) {
			continue
		}
		var job struct {
			ID int64 `json:"id"`
		}
		err := v.send(ctx, http.MethodPost, v.base+"/jobs/"+p.job+"/retry", nil, &job)
		if errors.Is(err, forges.ErrForbidden) && status(err) == http.StatusForbidden && strings.Contains(err.Error(), "retryable") {
			continue // it was started again meanwhile
		}
		if err != nil {
			return "", fmt.Errorf("job of change %d: %w", p.iid, err)
		}
		p.job, p.jobState = decimal(job.ID), fact.CheckPending
		id = jobPosted(p.job)
	}
	v.head.places = places
	v.heads.Put(headKey(v.pid, v.sha), v.head, 200*(len(places)+1))
	return id, nil
}

// webLink is the address if it is one that a browser opens, else "".
func webLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(s, " \n\t") {
		return ""
	}
	return s
}
