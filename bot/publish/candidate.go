package publish

import (
	"context"
	"fmt"
	"strings"

	"primum/bot/report"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
)

// Candidate is a judged merge queue candidate, to be published.
type Candidate struct {
	Claim   *store.Claim
	Forge   forges.Forge
	Repo    forges.RepoRef
	SHA     string
	Memory  *store.Memory
	Members []int // in queue order; none: which changes it carries is not known
	// Verdict is the worst of the members that the policy governs; nil if it
	// governs none of them. Number is whose it is.
	Verdict   *rules.Verdict
	Number    int
	VerdictID int64
}

// Add adds a member's verdict; true if it is the worst so far.
func (c *Candidate) Add(number int, v *rules.Verdict) bool {
	if c.Verdict != nil && weight(outcome(v)) <= weight(outcome(c.Verdict)) {
		return false
	}
	c.Verdict, c.Number = v, number
	return true
}

// Candidate puts the worst verdict of the members on the candidate's commit.
func (p *Publisher) Candidate(ctx context.Context, c *Candidate) error {
	if p.silent || len(c.Members) > 0 && c.Verdict == nil {
		return nil // nothing of it is governed
	}
	r := p.candidateReport(ctx, c)
	digest := reportDigest(r)
	s := &Subject{Memory: c.Memory}
	standing := posted(c.Memory)
	if standing.SHA != c.SHA {
		standing = forges.Posted{}
	}
	if standing.ID != "" && standing.Digest == digest {
		return nil
	}
	r.External = external(c.Claim.Key, digest)
	return p.putCheck(ctx, c.Claim, c.Forge, c.Repo, c.VerdictID, Act{
		Kind: CheckAct, SHA: c.SHA, Report: r, Posted: standing, Digest: digest,
		Key: fmt.Sprintf("check:%s:%s:%s:%s", subjectKey(c.Claim.Key), c.SHA, digest, c.Claim.Token),
		Why: fmt.Sprintf("%s on queue candidate %s: %s", r.State, short(c.SHA), r.Title),
	}, s.keepPosted)
}

func (p *Publisher) candidateReport(ctx context.Context, c *Candidate) forges.Report {
	if len(c.Members) == 0 {
		title := "The changes of this queue candidate are not known"
		return forges.Report{
			Name: report.Name, State: forges.ReportFailure, Title: title, Short: title,
			Summary: "Primum judges every change that a merge queue candidate carries. The forge did not say which these are, " +
				"so the candidate is refused. Put the changes into the queue again; if that does not help, see that Primum may read the merge queue.",
		}
	}
	caps := c.Forge.Capabilities()
	r := report.Check(c.Verdict, report.Options{URL: p.page(ctx, forges.ChangeRef{Repo: c.Repo, Number: c.Number}), Capabilities: caps})
	if r.State != forges.ReportSuccess || len(c.Members) == 1 {
		r.Title = report.Clip(fmt.Sprintf("%s: %s", fact.NameOf(caps.ChangeSign, c.Number), r.Title), report.MaxTitle)
	} else {
		r.Title = report.Clip(fmt.Sprintf("All %d changes are ready to merge", len(c.Members)), report.MaxTitle)
	}
	r.Short, r.Annotations = r.Title, nil
	if caps.ShortMax > 0 {
		r.Short = report.ClipBytes(r.Short, caps.ShortMax)
	}
	if r.Summary != "" {
		r.Summary = candidateSays(c) + "\n\n" + r.Summary
		if caps.SummaryMax > 0 {
			r.Summary = report.ClipBytes(r.Summary, caps.SummaryMax)
		}
	}
	return r
}

// candidateSays is which changes were judged and whose answer stands.
func candidateSays(c *Candidate) string {
	sign := c.Forge.Capabilities().ChangeSign
	numbers := make([]string, len(c.Members))
	for i, n := range c.Members {
		numbers[i] = report.Code(fact.NameOf(sign, n))
	}
	return fmt.Sprintf("This merge queue candidate carries the changes %s. Each was judged anew; the answer for change %s stands here, as the one that holds up the candidate most.",
		strings.Join(numbers, ", "), report.Code(fact.NameOf(sign, c.Number)))
}
