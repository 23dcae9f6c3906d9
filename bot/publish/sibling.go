package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"primum/bot/report"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/policy"
)

// sibling is another open change headed by the same commit.
type sibling struct {
	report.Sibling
	state forges.ReportState // what its verdict puts on a commit
}

// worst finds the sibling that holds up the commit most; nil if there is none.
// seen names the verdicts looked at, so that a second look tells whether one
// of them moved. A sibling with no verdict on this commit yet is waited for.
func (p *Publisher) worst(ctx context.Context, s *Subject) (worst *sibling, seen string, err error) {
	subs, err := p.store.Siblings(ctx, s.Claim.Key, s.Facts.Head.SHA)
	if err != nil {
		return nil, "", fmt.Errorf("find changes headed by %s: %w", short(s.Facts.Head.SHA), err)
	}
	var looked []string
	s.shared = map[string]forges.Posted{}
	for i := range subs {
		if subs[i].Kind != store.KindChange {
			continue
		}
		if p := posted(&subs[i].Memory); p.SHA == s.Facts.Head.SHA && p.ID != "" {
			s.shared[p.ID] = p
		}
		looked = append(looked, fmt.Sprintf("%d=%d", subs[i].ID, subs[i].Verdict))
		sib, ok := p.sibling(ctx, s, &subs[i])
		if ok && (worst == nil || weight(sib.state) > weight(worst.state)) {
			worst = sib
		}
	}
	return worst, strings.Join(looked, " "), nil
}

func (p *Publisher) sibling(ctx context.Context, s *Subject, sub *store.Subject) (*sibling, bool) {
	number, err := strconv.Atoi(sub.Ref)
	if err != nil {
		return nil, false
	}
	out := &sibling{Sibling: report.Sibling{Number: number}, state: forges.ReportPending}
	if own := s.Facts.URL; strings.HasSuffix(own, "/"+strconv.Itoa(s.Change.Number)) {
		out.URL = strings.TrimSuffix(own, strconv.Itoa(s.Change.Number)) + sub.Ref
	}
	row, err := p.store.Verdict(ctx, sub.Verdict)
	var v rules.Verdict
	if sub.Verdict == 0 || err != nil || json.Unmarshal(row.JSON, &v) != nil || row.Head != s.Facts.Head.SHA {
		out.State, out.Mode, out.Says = rules.Pending, string(policy.Enforce), "waiting to be judged"
		return out, true
	}
	if v.Mode == policy.Observe || v.Policy.Digest == "" && len(v.PolicyErrors) == 0 && v.State == rules.NA {
		return nil, false // it has no say on any commit
	}
	out.State, out.Mode, out.Says, out.Title = v.State, string(v.Mode), report.Title(&v), v.Subject.Title
	out.state = outcome(&v)
	return out, true
}
