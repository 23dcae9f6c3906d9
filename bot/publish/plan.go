package publish

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"primum/bot/report"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
	"primum/rules/fact"
	"primum/rules/policy"
)

// plan compares a verdict with what stands and lists what differs. It is pure.
func (s *Subject) plan(o report.Options, sib *sibling, now time.Time) []Act {
	if s.Facts.State != fact.Open || s.Verdict.Mode == policy.Observe {
		return nil
	}
	standing := s.standing(o.Capabilities)
	if !s.Governed && s.Verdict.Preview == nil && standing.ID == "" {
		return nil
	}
	var acts []Act
	covered := s.covered(o.Capabilities, standing, now)
	o.Truce = s.truce(now)
	if a, ok := s.check(o, sib, standing, covered); ok {
		acts = append(acts, a)
	}
	if a, ok := s.comment(o, sib); ok {
		acts = append(acts, a)
	}
	return append(acts, s.reactions()...)
}

// standing is the check on the head as far as we know: what the reading showed,
// or else what was posted before. Where the two disagree, the digest is left
// out, so that nobody trusts either. It is left out, too, where the checks were
// read and ours is not among them: on some forges a later pipeline hides it.
func (s *Subject) standing(caps forges.Capabilities) forges.Posted {
	kept := posted(s.Memory)
	if kept.SHA != s.Facts.Head.SHA {
		kept = forges.Posted{}
	}
	seen := s.Standing.Check
	switch {
	case seen == nil && kept.ID != "" && !caps.PinnedCheck && s.Standing.ChecksRead && (kept.Way == "" || kept.Way == StatusWay):
		kept.Digest = ""
		return kept
	case seen == nil, kept.ID == seen.ID && seen.Digest == "":
		kept.SHA = s.Facts.Head.SHA
		return kept
	case kept.ID != "" && kept.Digest != seen.Digest:
		both := *seen
		both.Digest = ""
		return both
	default:
		return *seen
	}
}

// posted is the check kept in a subject's memory.
func posted(m *store.Memory) forges.Posted {
	var p forges.Posted
	if len(m.Posted) > 0 {
		// What does not parse is forgotten, which costs a call.
		_ = json.Unmarshal(m.Posted, &p)
	}
	return p
}

// check is the act that puts the verdict on the head, if something else stands there.
func (s *Subject) check(o report.Options, sib *sibling, standing forges.Posted, covered bool) (Act, bool) {
	r := s.report(o, sib)
	s.elsewhere(&r, standing)
	digest := reportDigest(r)
	if standing.ID != "" && standing.Digest == digest && !covered {
		s.keepPosted(standing)
		return Act{}, false
	}
	// Where a check keeps no key of ours, the one of a sibling that says the same is
	// left: each would else put its own words there whenever it is judged.
	if p, ok := s.shared[standing.ID]; ok && sib != nil && !o.Capabilities.PinnedCheck && !covered && p.State == r.State {
		return Act{}, false
	}
	r.External = external(s.Claim.Key, digest)
	why := fmt.Sprintf("%s on %s: %s", r.State, short(s.Facts.Head.SHA), r.Title)
	if covered {
		by := either(s.Standing.Over.Source, "somebody the forge does not name")
		why += fmt.Sprintf(" (put back over %s by %s)", s.Standing.Over.State, by)
	}
	return Act{
		Kind: CheckAct, SHA: s.Facts.Head.SHA, Report: r, Posted: standing, Digest: digest,
		Key: fmt.Sprintf("check:%s:%s:%s:%s", subjectKey(s.Claim.Key), s.Facts.Head.SHA, digest, s.Claim.Token),
		Why: why,
	}, true
}

// StatusWay is the Posted.Way of a verdict that blocks as a commit status.
const StatusWay = "commit status"

// noteElsewhere is the head, and the branch it was judged for, of a change aimed
// since at a branch that no policy governs.
const noteElsewhere = "judged_for"

// elsewhere keeps what holds a commit up when its change is aimed at a branch
// that no policy governs: a green check of that commit would be green for the
// former branch as well, as soon as the change is aimed at it again.
func (s *Subject) elsewhere(r *forges.Report, standing forges.Posted) {
	if s.Governed {
		s.note(noteElsewhere, "")
		return
	}
	if b := s.Before; b != nil && b.Verdict.Subject.Base != s.Facts.Base.Name && b.Verdict.Class.Class != "" {
		s.note(noteElsewhere, s.Facts.Head.SHA+" "+b.Verdict.Subject.Base)
	}
	head, branch, ok := strings.Cut(s.Memory.Notes[noteElsewhere], " ")
	if !ok || head != s.Facts.Head.SHA || weight(standing.State) <= weight(r.State) {
		return
	}
	r.State = standing.State
	r.Title = report.Clip("Not governed on "+report.Clean(s.Facts.Base.Name)+"; the verdict for "+report.Clean(branch)+" stands", report.MaxTitle)
	r.Short = r.Title
}

// report is the verdict as a check, with the worst of the changes that share
// the commit standing on it (law 9).
func (s *Subject) report(o report.Options, sib *sibling) forges.Report {
	if sib != nil {
		o.Sibling = &sib.Sibling
	}
	r := report.Check(s.Verdict, o)
	if !s.Governed && s.Verdict.Preview != nil {
		r.State = forges.ReportNeutral // it adds a policy: nothing governs it yet
	}
	if sib != nil && weight(sib.state) != weight(r.State) {
		// Both say whose verdict it is, in the same words: whoever looks at the
		// other change sees this check as well.
		whose, says := s.Change.Number, r.Title
		if weight(sib.state) > weight(r.State) {
			r.State, whose, says = sib.state, sib.Number, sib.Says
		}
		r.Title = report.Clip(fmt.Sprintf("As change %s: %s", fact.NameOf(s.Facts.Sign, whose), says), report.MaxTitle)
		r.Short = r.Title
		if m := o.Capabilities.ShortMax; m > 0 {
			r.Short = report.ClipBytes(r.Short, m)
		}
	}
	return r
}

// weight orders check states by how much they hold up a commit.
func weight(s forges.ReportState) int {
	switch s {
	case forges.ReportFailure:
		return 3
	case forges.ReportPending:
		return 2
	case forges.ReportNeutral:
		return 1
	case forges.ReportSuccess:
		return 0
	default:
		return 3
	}
}

// comment is the act that creates or edits the one comment, if that is wanted
// and it would differ.
func (s *Subject) comment(o report.Options, sib *sibling) (Act, bool) {
	m := &s.Memory.Comment
	if m.ID == "" && s.Standing.Comment != nil { // ours after a crash, or from before a token changed
		m.ID, m.Digest, m.Text = s.Standing.Comment.ID, textDigest(s.Standing.Comment.Body), looseDigest(s.Standing.Comment.Body)
	}
	if m.Deleted || s.Verdict.Subject.Draft {
		return Act{}, false
	}
	if m.ID == "" && (!s.Standing.CommentsRead || !worthOpening(s.Verdict, o)) {
		return Act{}, false
	}
	if sib != nil {
		o.Sibling = &sib.Sibling
	}
	body := report.Comment(s.Verdict, o)
	digest := textDigest(body)
	if m.ID != "" && m.Digest == digest && s.Standing.mend == nil {
		return Act{}, false
	}
	a := Act{
		Kind: CommentAct, ID: m.ID, Body: body, Digest: digest,
		Key: editKey(s.Claim, body), Why: "the verdict changed: " + report.Title(s.Verdict),
	}
	if s.Standing.mend != nil {
		a.Why = s.Standing.mend.why()
	}
	if m.ID == "" {
		a.Key, a.Why = createKey(s.Claim.Key), "first verdict with something to do: "+report.Title(s.Verdict)
	}
	return a, true
}

// createKey is the one key under which a change's comment is created.
func createKey(k store.Key) string { return "comment:" + subjectKey(k) + ":create" }

// worthOpening reports whether there is something to say that nobody was told
// yet; a comment that exists is edited whatever the verdict.
func worthOpening(v *rules.Verdict, o report.Options) bool {
	if !report.Wanted(v) {
		return false
	}
	if slices.ContainsFunc(v.Notes, func(n rules.Note) bool { return n.Kind == rules.ForgedVerdict }) {
		return true
	}
	if v.Preview != nil || len(v.PolicyErrors) > 0 || len(o.Answers) > 0 || len(o.Wrong) > 0 {
		return true
	}
	if o.Capabilities.SummaryMax == 0 && onlyInPanel(v) {
		return true
	}
	switch v.State {
	case rules.Fail, rules.Unknown:
		return true
	case rules.Pending: // a person who was asked should know; a machine does not read
		for _, r := range v.Results {
			for _, f := range r.Findings {
				if r.Outcome == rules.Pending && r.Enforcement == policy.Block && len(f.Who) > 0 {
					return true
				}
			}
		}
	case rules.Pass, rules.Waived, rules.NA:
	}
	return false
}

// onlyInPanel reports whether there is something to say that the panel of a check
// would show and its title does not: where a forge has no panel it would be lost.
func onlyInPanel(v *rules.Verdict) bool {
	if len(v.Notes) > 0 {
		return true
	}
	for _, r := range v.Results {
		if r.Enforcement == policy.Warn && (r.Outcome == rules.Fail || r.Outcome == rules.Unknown) {
			return true
		}
	}
	return v.State == rules.Pending && strings.Contains(report.Title(v), " +") // names of checks are left out
}

func (s *Subject) keepPosted(p forges.Posted) {
	raw, err := json.Marshal(p)
	if err != nil { // every field is a plain value
		panic("publish: posted is not JSON: " + err.Error())
	}
	s.Memory.Posted = raw
}

func short(sha string) string {
	if len(sha) > 8 {
		return sha[:8]
	}
	return sha
}
