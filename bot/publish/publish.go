// Package publish writes verdicts to a forge: one check, one comment, one
// reaction to each command.
//
// What to write is first planned as data, a list of acts, by comparing the
// verdict with what stands there; then the acts are carried out, each fenced:
// the claim must still hold, the intent is kept before the call and the result
// after it. So nothing is written that already stands, an older verdict cannot
// follow a newer one, and a worker killed in the middle finds what it had done
// (laws 7 to 10).
package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"primum/bot/clock"
	"primum/bot/report"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/evidence"
	"primum/rules/fact"
)

// Options are what a Publisher needs.
type Options struct {
	Store store.Store
	Clock clock.Clock
	Log   *slog.Logger
	// URL is the page of a change, for details links; nil if there are no pages.
	// The same change has the same address every time.
	URL func(ctx context.Context, k store.Key, r forges.RepoRef) (string, error)
	// Silent judges and keeps, and writes nothing to any forge.
	Silent bool
	// Observe is told of every act carried out; nil if nobody listens.
	Observe func(kind Kind, err error)
}

// callTimeout bounds one call to a forge. It is far shorter than a lease, so
// that a claim which held before the call still holds after it.
const callTimeout = 10 * time.Second

// Publisher writes to forges. It is safe for concurrent use.
type Publisher struct {
	store   store.Store
	clock   clock.Clock
	log     *slog.Logger
	url     func(context.Context, store.Key, forges.RepoRef) (string, error)
	silent  bool
	observe func(Kind, error)
}

// New makes a Publisher.
func New(o Options) *Publisher {
	p := &Publisher{store: o.Store, clock: o.Clock, log: o.Log, url: o.URL, silent: o.Silent, observe: o.Observe}
	if p.observe == nil {
		p.observe = func(Kind, error) {}
	}
	return p
}

// Subject is one judged change, to be published.
type Subject struct {
	Claim     *store.Claim
	Forge     forges.Forge
	Change    forges.ChangeRef
	Facts     *fact.Change
	Standing  Standing
	Evidence  *evidence.Evidence
	Verdict   *rules.Verdict
	VerdictID int64
	Before    *Before // the verdict that stood until now, or nil
	// Governed is false when the target branch has no policy for this change.
	Governed bool
	// Memory is read for what stands, and written with what stands afterwards.
	Memory *store.Memory
	// shared are the checks that siblings remember to have put on the head, by id.
	shared map[string]forges.Posted
}

// Before is an earlier verdict.
type Before struct {
	ID      int64
	Verdict rules.Verdict
}

// Standing is what of ours a reading showed on the forge.
type Standing struct {
	Check   *forges.Posted // on the head; Digest is "" if the check does not tell
	Comment *fact.Comment
	// Ours are all comments of ours that were read, whatever they say now.
	Ours []fact.Comment
	// mend is set where our comment says something else than we wrote.
	mend *mend
	// CommentsRead is false when the comments were not read whole: then that
	// ours was not seen proves nothing. ChecksRead is the same of the checks.
	CommentsRead bool
	ChecksRead   bool
	// Over is the check of our name by somebody else that was set after ours; nil
	// if there is none.
	Over *fact.Check
}

// TakeOwn takes what Primum itself wrote out of the facts: it is no fact about
// the change, and would make every verdict differ from the one before. What
// bears the name of our check and is not ours is no check of a rule either; it is
// kept apart.
func TakeOwn(c *fact.Change) Standing {
	_, read := c.Why(fact.NeedComments)
	_, checked := c.Why(fact.NeedChecks)
	s := Standing{CommentsRead: read, ChecksRead: checked}
	var checks, forged []fact.Check
	var own *fact.Check
	for _, k := range c.Checks {
		switch {
		case k.Ours && k.Name == report.Name:
			own = &k
			s.Check = &forges.Posted{ID: k.ID, SHA: c.Head.SHA, Digest: digestOf(k.ExternalID), State: stateOf(k.State)}
		case k.Ours:
		case k.Name == report.Name:
			forged = append(forged, k)
		default:
			checks = append(checks, k)
		}
	}
	slices.SortStableFunc(forged, func(a, b fact.Check) int { return a.At().Compare(b.At()) })
	c.Forged = forged
	s.Over = over(own, forged)
	var comments []fact.Comment
	for i := range c.Comments {
		if !c.Comments[i].Ours {
			comments = append(comments, c.Comments[i])
			continue
		}
		s.Ours = append(s.Ours, c.Comments[i])
		if s.Comment == nil && strings.Contains(c.Comments[i].Body, report.Marker) {
			m := c.Comments[i]
			s.Comment = &m
		}
	}
	c.Checks, c.Comments = checks, comments
	return s
}

func stateOf(s fact.CheckState) forges.ReportState {
	switch s {
	case fact.CheckSuccess:
		return forges.ReportSuccess
	case fact.CheckNeutral, fact.CheckSkipped:
		return forges.ReportNeutral
	case fact.CheckPending:
		return forges.ReportPending
	case fact.CheckFailure, fact.CheckCancelled:
		return forges.ReportFailure
	default:
		return forges.ReportFailure
	}
}

// external is the key we store with a check: whose it is, and the digest of
// what it says, so that a reading shows what stands there.
func external(k store.Key, digest string) string {
	return strings.Join([]string{"primum", k.Forge, k.RepoID, k.Ref, digest}, ":")
}

// digestOf is the digest in an external key; "" if it holds none.
func digestOf(external string) string {
	if !strings.HasPrefix(external, "primum:") {
		return ""
	}
	return external[strings.LastIndexByte(external, ':')+1:]
}

// reportDigest identifies what a report says. When it was given, and the key it
// is stored with, say nothing.
func reportDigest(r forges.Report) string {
	r.StartedAt, r.FinishedAt, r.External = time.Time{}, time.Time{}, ""
	raw, err := json.Marshal(r)
	if err != nil { // every field is a plain value
		panic("publish: report is not JSON: " + err.Error())
	}
	return textDigest(string(raw))
}

// textDigest identifies a text, line ends normalised as forges do.
func textDigest(s string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))))
	return hex.EncodeToString(sum[:16])
}

// subjectKey names a subject in the keys of acts.
func subjectKey(k store.Key) string {
	return fmt.Sprintf("%s/%s/%s/%s", k.Forge, k.RepoID, k.Kind, k.Ref)
}

// page is the address of a change's page; "" if there is none.
func (p *Publisher) page(ctx context.Context, c forges.ChangeRef) string {
	if p.url == nil {
		return ""
	}
	k := store.Key{Forge: c.Repo.Forge, RepoID: c.Repo.ID, Kind: store.KindChange, Ref: strconv.Itoa(c.Number)}
	url, err := p.url(ctx, k, c.Repo)
	if err != nil { // a verdict without its link is better than none
		p.log.WarnContext(ctx, "the address of a page is not known", slog.String("repo", c.Repo.FullName()),
			slog.Int("change", c.Number), slog.String("error", err.Error()))
		return ""
	}
	return url
}
