package gitea

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"code.gitea.io/sdk/gitea"

	"primum/forges"
	"primum/forges/wire"
)

// checkName is the one context under which Primum reports.
const checkName = "primum"

// shortMax is the bytes of a status's description. The forge keeps at least
// 3,000; its pages show one line of about this length and the rest on hovering.
const shortMax = 140

// SetVerdict implements forges.Forge. Statuses are never altered: each call adds
// one, and the newest of a context counts. There is no neutral one: it becomes a
// success, and the line beside it says what it is. Only "pending", "success" and
// "failure" are ever set, since each product lets some other word through.
func (f *Forge) SetVerdict(ctx context.Context, r forges.RepoRef, sha string, report forges.Report, _ forges.Posted) (forges.Posted, error) {
	wrap := func(err error) error {
		return fmt.Errorf("set verdict on %s of %s: %w", wire.Short(sha, 8), r.FullName(), err)
	}
	if !validName(r.Owner) || !validName(r.Name) || !forges.IsCommit(sha) {
		return forges.Posted{}, wrap(forges.ErrNotFound)
	}
	ctx = wire.Operation(ctx, "set_verdict")
	client, err := f.sdk(ctx)
	if err != nil {
		return forges.Posted{}, wrap(err)
	}
	name := report.Name
	if name == "" {
		name = checkName
	}
	line := report.Short
	if line == "" {
		line = report.Title
	}
	set, _, err := client.CreateStatus(r.Owner, r.Name, sha, gitea.CreateStatusOption{
		State: stateFor(report.State), TargetURL: webLink(report.URL), Description: wire.Ellipsis(line, shortMax), Context: name,
	})
	if err != nil {
		return forges.Posted{}, wrap(f.gone(ctx, wire.Failure(err), repoPath(r.Owner, r.Name, "git", "commits", sha)))
	}
	return forges.Posted{
		ID: decimal(set.ID), SHA: sha, Digest: reportDigest(report), State: report.State, Way: "commit status",
	}, nil
}

// stateFor is the forge's word for a state; one that is none of ours blocks.
func stateFor(s forges.ReportState) gitea.StatusState {
	switch s {
	case forges.ReportPending:
		return gitea.StatusPending
	case forges.ReportSuccess, forges.ReportNeutral:
		return gitea.StatusSuccess
	case forges.ReportFailure:
	}
	return gitea.StatusFailure
}

// gone finds out whether a call failed because what it is about is not there,
// which the forge answers like an error of its own.
func (f *Forge) gone(ctx context.Context, err error, path string) error {
	h, ok := errors.AsType[*forges.HTTPError](err)
	if !ok || h.Status < http.StatusInternalServerError {
		return err
	}
	var there struct{}
	if _, missing := f.get(ctx, path, nil, &there); errors.Is(missing, forges.ErrNotFound) {
		return missing
	}
	return err
}

// reportDigest identifies what a report shows as a status.
func reportDigest(r forges.Report) string {
	raw, err := json.Marshal([]string{r.Name, string(r.State), r.Short, r.Title, r.URL})
	if err != nil { // plain values always marshal
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// webLink is the address if it is one that a browser opens, else "".
func webLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(s, " \n\t") {
		return ""
	}
	return s
}
