package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"primum/forges"
	"primum/forges/wire"
)

// checkName is the one name under which Primum reports.
const checkName = "primum"

// GitHub's limits on a check run and a status, per
// https://docs.github.com/en/rest/checks/runs; texts are cut at bytes, which is
// never more than the characters GitHub counts.
const (
	titleMax           = 255
	outputMax          = 65535 // of summary, and of text
	annotationsAtOnce  = 50
	annotationsMax     = 100
	annotationTextMax  = 64 << 10
	buttonsMax         = 3
	buttonIDMax        = 20
	buttonLabelMax     = 20
	buttonExplainMax   = 40
	statusMax          = 140
	statusPostedPrefix = "status:"
)

// SetVerdict implements forges.Forge. What stands there already, by the digest
// of an earlier call, is not written again. A standing check run of the commit is
// updated, but replaced by a new one where its annotations changed: GitHub adds
// annotations to those of before and removes none. A token that may not write
// checks posts a commit status instead, and then no check ever: a check and a
// status of one name are both required.
func (f *Forge) SetVerdict(ctx context.Context, r forges.RepoRef, sha string, report forges.Report, posted forges.Posted) (forges.Posted, error) {
	wrap := func(err error) error {
		return fmt.Errorf("set verdict on %s of %s: %w", wire.Short(sha, 8), r.FullName(), err)
	}
	cl, err := f.client(ctx, r)
	if err != nil {
		return forges.Posted{}, wrap(err)
	}
	ctx = wire.Operation(ctx, "set_verdict")
	w := checkWriter{Forge: f, cl: cl, repo: r, sha: sha, report: report}
	if posted.SHA != "" && posted.SHA != sha {
		posted = forges.Posted{}
	}
	digest := reportDigest(report)
	if posted.ID != "" && posted.SHA == sha && posted.Digest == digest {
		return posted, nil // it stands there
	}
	now := forges.Posted{SHA: sha, Digest: digest, State: report.State}
	if f.statusOnly(r, posted) {
		now.ID, err = w.status(ctx)
	} else {
		now.ID, now.Notes, err = w.run(ctx, posted)
		if !f.app() && errors.Is(err, forges.ErrForbidden) {
			f.plain.Put(strings.ToLower(r.FullName()), true, 1)
			now.ID, err = w.status(ctx)
		}
	}
	if err != nil {
		return forges.Posted{}, wrap(err)
	}
	return now, nil
}

// reportDigest identifies what a report shows; when it was made shows nothing.
func reportDigest(r forges.Report) string {
	r.StartedAt, r.FinishedAt = time.Time{}, time.Time{}
	raw, err := json.Marshal(r)
	if err != nil { // plain values always marshal
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// statusOnly reports whether the verdict is a commit status: it was one before.
func (f *Forge) statusOnly(r forges.RepoRef, posted forges.Posted) bool {
	if f.app() {
		return false
	}
	if strings.HasPrefix(posted.ID, statusPostedPrefix) {
		return true
	}
	_, ok := f.plain.Get(strings.ToLower(r.FullName()))
	return ok
}

// checkWriter puts one report on one commit.
type checkWriter struct {
	*Forge
	cl     *client
	repo   forges.RepoRef
	sha    string
	report forges.Report
}

// run creates or updates a check run and gives its number and the digest of
// its annotations.
func (w *checkWriter) run(ctx context.Context, standing forges.Posted) (name, noted string, err error) {
	notes := w.annotations()
	noted = notesDigest(notes)
	id, err := strconv.ParseInt(standing.ID, 10, 64)
	fresh := err != nil || id <= 0
	switch {
	case fresh:
	case standing.Notes == noted:
		notes = nil // they stand there
	case standing.Notes != "": // others stand there, which only a new run is without
		fresh = true
	}
	first := notes[:min(annotationsAtOnce, len(notes))]
	if !fresh {
		switch err = w.update(ctx, id, first); {
		case errors.Is(err, forges.ErrNotFound):
			fresh = true
			notes = w.annotations()
			first = notes[:min(annotationsAtOnce, len(notes))]
		case err != nil:
			return "", "", err
		}
	}
	if fresh {
		if id, err = w.create(ctx, first); err != nil {
			return "", "", err
		}
	}
	for len(notes) > annotationsAtOnce {
		notes = notes[annotationsAtOnce:]
		if err := w.update(ctx, id, notes[:min(annotationsAtOnce, len(notes))]); err != nil {
			// The verdict stands; some lines of it are not pointed at.
			w.Log.WarnContext(ctx, "further annotations refused", slog.String("repo", w.repo.FullName()), slog.Any("error", err))
			break
		}
	}
	return decimal(id), noted, nil
}

func (w *checkWriter) create(ctx context.Context, notes []*github.CheckRunAnnotation) (int64, error) {
	o := w.options()
	made, _, err := w.cl.rest.Checks.CreateCheckRun(ctx, w.repo.Owner, w.repo.Name, github.CreateCheckRunOptions{
		Name: o.Name, HeadSHA: w.sha, DetailsURL: o.DetailsURL, ExternalID: o.ExternalID, Status: o.Status,
		Conclusion: o.Conclusion, StartedAt: stampOf(w.report.StartedAt), CompletedAt: o.CompletedAt,
		Output: w.output(notes), Actions: o.Actions,
	})
	if err != nil {
		return 0, w.cl.failure(err)
	}
	return made.GetID(), nil
}

func (w *checkWriter) update(ctx context.Context, id int64, notes []*github.CheckRunAnnotation) error {
	o := w.options()
	o.Output = w.output(notes)
	_, _, err := w.cl.rest.Checks.UpdateCheckRun(ctx, w.repo.Owner, w.repo.Name, id, o)
	return w.cl.failure(err)
}

// options is the report but for its texts.
func (w *checkWriter) options() github.UpdateCheckRunOptions {
	o := github.UpdateCheckRunOptions{Name: w.report.Name, Actions: w.buttons()}
	if o.Name == "" {
		o.Name = checkName
	}
	if w.report.External != "" {
		o.ExternalID = new(w.report.External)
	}
	if link := webLink(w.report.URL); link != "" {
		o.DetailsURL = new(link)
	}
	if w.report.State == forges.ReportPending {
		o.Status = new("in_progress")
		return o
	}
	o.Status = new("completed")
	o.Conclusion = new(conclusion(w.report.State))
	o.CompletedAt = stampOf(w.report.FinishedAt)
	if o.CompletedAt == nil {
		o.CompletedAt = stampOf(w.Now())
	}
	return o
}

// conclusion is GitHub's word for a state; one that is none of ours blocks.
func conclusion(s forges.ReportState) string {
	switch s {
	case forges.ReportSuccess:
		return "success"
	case forges.ReportNeutral:
		return "neutral"
	case forges.ReportPending, forges.ReportFailure:
	}
	return "failure"
}

func (w *checkWriter) output(notes []*github.CheckRunAnnotation) *github.CheckRunOutput {
	title := wire.Short(w.report.Title, titleMax)
	if title == "" {
		title = checkName
	}
	summary := wire.Ellipsis(w.report.Summary, outputMax)
	if summary == "" {
		summary = title
	}
	out := &github.CheckRunOutput{Title: new(title), Summary: new(summary), Annotations: notes}
	if w.report.Text != "" {
		out.Text = new(wire.Ellipsis(w.report.Text, outputMax))
	}
	return out
}

func (w *checkWriter) annotations() []*github.CheckRunAnnotation {
	var notes []*github.CheckRunAnnotation
	for _, a := range w.report.Annotations {
		if a.Path == "" || a.Message == "" || len(notes) == annotationsMax {
			continue
		}
		line := max(a.Line, 1)
		level := a.Level
		switch level {
		case "notice", "warning", "failure":
		default:
			level = "notice"
		}
		n := &github.CheckRunAnnotation{
			Path: new(a.Path), StartLine: new(line), EndLine: new(line),
			AnnotationLevel: new(level), Message: new(wire.Ellipsis(a.Message, annotationTextMax)),
		}
		if a.Title != "" {
			n.Title = new(wire.Short(a.Title, titleMax))
		}
		notes = append(notes, n)
	}
	return notes
}

// notesDigest identifies annotations; "" stands for none.
func notesDigest(notes []*github.CheckRunAnnotation) string {
	if len(notes) == 0 {
		return ""
	}
	raw, err := json.Marshal(notes)
	if err != nil { // plain values always marshal
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// buttons leaves out a button whose name would be cut: pressed, it would name
// something else.
func (w *checkWriter) buttons() []*github.CheckRunAction {
	var list []*github.CheckRunAction
	if !w.app() {
		return nil // nobody would hear them
	}
	for _, b := range w.report.Buttons {
		if b.ID == "" || len(b.ID) > buttonIDMax || b.Label == "" || len(list) == buttonsMax {
			continue
		}
		explain := b.Description
		if explain == "" {
			explain = b.Label
		}
		list = append(list, &github.CheckRunAction{
			Identifier: b.ID, Label: wire.Short(b.Label, buttonLabelMax), Description: wire.Short(explain, buttonExplainMax),
		})
	}
	return list
}

// status posts a commit status. There is no neutral one: it becomes a success,
// and the line beside it says what it is.
func (w *checkWriter) status(ctx context.Context) (string, error) {
	if !forges.IsCommit(w.sha) {
		return "", forges.ErrNotFound
	}
	state := "failure"
	switch w.report.State {
	case forges.ReportPending:
		state = "pending"
	case forges.ReportSuccess, forges.ReportNeutral:
		state = "success"
	case forges.ReportFailure:
	}
	line := w.report.Short
	if line == "" {
		line = w.report.Title
	}
	name := w.report.Name
	if name == "" {
		name = checkName
	}
	s := &github.RepoStatus{State: &state, Context: &name, Description: new(wire.Ellipsis(line, statusMax))}
	if link := webLink(w.report.URL); link != "" {
		s.TargetURL = &link
	}
	made, _, err := w.cl.rest.Repositories.CreateStatus(ctx, w.repo.Owner, w.repo.Name, w.sha, s)
	if err != nil {
		return "", w.cl.failure(err)
	}
	return statusPostedPrefix + decimal(made.GetID()), nil
}

// webLink is an address GitHub takes, or "".
func webLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return s
}

func stampOf(t time.Time) *github.Timestamp {
	if t.IsZero() {
		return nil
	}
	return &github.Timestamp{Time: t.UTC().Truncate(time.Second)}
}
