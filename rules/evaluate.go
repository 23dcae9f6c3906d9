package rules

import (
	"slices"
	"strings"

	"primum/rules/class"
	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// Evaluate judges one change. It never panics on any facts and answers the same
// for the same input. What could not be read is never taken for granted: it
// makes the rules that need it answer Unknown, which blocks except at the
// lowest class, and the change counts as the highest class while its files are
// not known.
//
// The policy of the target branch decides. The change's own version of it, in
// HeadPolicy, is previewed and decides nothing.
func Evaluate(in Input) Verdict {
	v := judge(in)
	v.Preview = preview(in, &v)
	return v
}

// judge is Evaluate without the preview.
func judge(in Input) Verdict {
	c := in.Change
	v := newVerdict(in)
	if done := v.ungoverned(in); done {
		return v
	}
	p := in.Policy
	v.Mode, v.Policy, v.Subject.Product = p.Mode, p.Source, p.Product

	k := newCase(in)
	v.Tree, v.Class = k.Tree, k.Class
	v.Waivers, v.Authors, v.Approvals = k.Waivers, k.People.Authors, k.People.Approvals
	v.Next = nextExpiry(k.Waivers, in.Now)

	all := All()
	v.Results = make([]Result, 0, len(all))
	told := map[fact.Need]bool{}
	for i := range all {
		r := &all[i]
		setting := p.Setting(r.ID, k.Class.Class)
		if setting.Enforcement == policy.Off {
			continue
		}
		k.Setting, k.earlier = setting, v.Results
		v.Results = append(v.Results, k.apply(r, told))
	}
	v.Notes, v.Refusals = notesOf(c, &k.issues), k.refusals()
	lowest := p.Ladder.Lowest() == k.Class.Class
	v.State = overall(v.Results, lowest)
	v.Reason = reason(&v, c, lowest)
	if n, ok := mergedPast(c, &v); ok {
		v.Notes = append(v.Notes, n)
	}
	return v
}

// newVerdict fills in what is known whatever the policy says.
func newVerdict(in Input) Verdict {
	c := in.Change
	digest := in.FactsDigest
	if digest == "" {
		digest = c.Digest()
	}
	return Verdict{
		Schema: VerdictSchema,
		Subject: Subject{
			Forge: c.Forge, Repo: c.Repo.FullName(), RepoID: c.Repo.ID, Change: c.Number, URL: c.URL, Title: c.Title,
			Author: c.Opener, Head: c.Head.SHA, Base: c.Base.Name, BaseAt: c.Base.SHA, Draft: c.Draft, Sign: c.Sign,
		},
		Policy:      policy.Source{Path: c.Policy.Path, Commit: c.Policy.Commit, OID: c.Policy.OID},
		FactsDigest: digest,
		ReadAt:      c.ReadAt,
		JudgedAt:    in.Now,
		Engine:      in.Engine,
	}
}

// ungoverned answers for changes that no valid policy governs; it reports
// whether that is all there is to say.
func (v *Verdict) ungoverned(in Input) bool {
	c := in.Change
	if v.Policy.Path == "" {
		v.Policy.Path = policy.Path
	}
	v.Class = class.Derivation{Scheme: class.Current().Scheme, Class: class.Current().Highest(), Reason: "The class cannot be worked out without a valid policy, so the highest counts"}
	switch why, known := c.Why(fact.NeedPolicy); {
	case len(in.PolicyErrors) > 0:
		v.State, v.PolicyErrors = Fail, in.PolicyErrors
		v.Reason = brokenPolicy(in.PolicyErrors, c.Base.Name) + ". " + MendPolicy(in.HeadPolicy != nil && len(in.HeadPolicyErrors) == 0)
	case !known:
		v.State, v.Reason = Unknown, "The policy on "+c.Base.Name+" could not be read: "+why
	case in.Policy == nil && c.Policy.Problem != "":
		v.State, v.Reason = Unknown, "The policy on "+c.Base.Name+" could not be read: "+c.Policy.Problem
	case in.Policy == nil && c.Policy.Text != "":
		v.State, v.Reason = Unknown, "The policy on "+c.Base.Name+" was not parsed"
	case in.Policy == nil:
		v.State, v.Class = NA, class.Derivation{}
		v.Reason = "Not governed: " + c.Base.Name + " has no " + v.Policy.Path
	case !in.Policy.Governs(c.Base.Name):
		v.State, v.Class, v.Policy, v.Mode = NA, class.Derivation{}, in.Policy.Source, in.Policy.Mode
		v.Subject.Product = in.Policy.Product
		v.Reason = "Not governed: the policy does not cover the branch " + c.Base.Name
	default:
		return false
	}
	return true
}

// newCase works out once what all rules look at.
func newCase(in Input) *Case {
	c, p := in.Change, in.Policy
	k := &Case{
		Change: c, Policy: p, Now: in.Now, HeadRules: in.HeadPolicy,
		Evidence: evidence.Read(c),
		paths:    touchedPaths(c),
	}
	k.Tree = treeOf(p, c)
	k.Class = classOf(c, p, k.Tree, k.paths)
	level := k.Class.Class
	k.files = sortFiles(c, p)
	k.issues = sortIssues(c, p, k.Evidence, p.Setting(linkChangeRequestID, level).List("repositories"))
	k.People = newPeople(c, p)

	all := All()
	k.enforces = make(map[string]policy.Enforcement, len(all))
	for i := range all {
		k.enforces[all[i].ID] = p.Setting(all[i].ID, level).Enforcement
	}
	stale := p.Setting(reviewNotStaleID, level)
	desk := waiverDesk{
		change: c, people: k.People, level: level, column: p.Ladder.Column(level), now: in.Now, all: all,
		setting:  p.Setting(waiverValidID, level),
		bindHead: !stale.Bool("keep-on-rebase"),
	}
	desk.roles = k.approvers(desk.setting)
	k.Waivers = desk.readWaivers(k.Evidence)
	k.People.readReviews(c, k.Evidence, standing{
		stale:        k.holds(reviewNotStaleID),
		author:       k.holds(reviewAuthorNotApproverID),
		keepOnRebase: stale.Bool("keep-on-rebase"),
		ladder:       p.Ladder,
		level:        knownClass(c, level),
	})
	return k
}

// knownClass is the class of a change whose files are known, else "": the class
// that counts until they are says nothing about the approvals.
func knownClass(c *fact.Change, level class.Level) class.Level {
	if _, known := c.Why(fact.NeedFiles); !known {
		return ""
	}
	return level
}

// holds reports whether a rule blocks at this class and no waiver covers it.
func (c *Case) holds(rule string) bool {
	return c.enforces[rule] == policy.Block && activeFor(c.Waivers, rule) < 0
}

// treeOf works out the classes of the items, with the rationales that exist at
// the target branch.
func treeOf(p *policy.Policy, c *fact.Change) class.Tree {
	return class.Derive(p.Ladder, p.Systems, p.WithRationales(func(path string) (bool, string) {
		switch b, ok := c.BaseFiles[path]; {
		case !ok:
			return false, "was not read"
		case b.Missing:
			return false, "does not exist on " + c.Base.Name
		case b.Problem != "":
			return false, b.Problem
		case strings.TrimSpace(b.Text) == "":
			return false, "is empty"
		default:
			return true, ""
		}
	}))
}

// classOf is the class of the change. While its files are not known it is the
// highest there is (4.3 g); so it is when a change has commits and no files.
func classOf(c *fact.Change, p *policy.Policy, tree class.Tree, paths []string) class.Derivation {
	d := tree.OfPaths(paths, p.Outside)
	highest := p.Ladder.Highest()
	if why, known := c.Why(fact.NeedFiles); !known {
		d.Class, d.OnlyOutside = highest, false
		d.Reason = "Class " + string(highest) + ": the files could not be read (" + why + "), so the highest class counts"
	} else if len(c.Files) == 0 {
		d.Class, d.OnlyOutside = highest, false
		d.Reason = "Class " + string(highest) + ": the change lists no file, so the highest class counts"
	}
	return d
}

// isEmpty reports whether a change holds nothing at all: no file and no commit,
// both read.
func (c *Case) isEmpty() bool {
	_, files := c.Change.Why(fact.NeedFiles)
	_, commits := c.Change.Why(fact.NeedCommits)
	return files && commits && len(c.Change.Files) == 0 && len(c.Change.Commits) == 0
}

// apply judges one rule and covers it with a waiver if there is one.
func (c *Case) apply(r *Rule, told map[fact.Need]bool) Result {
	out := c.ask(r, told)
	out.Rule, out.Title, out.Clauses = r.ID, r.Title, r.Clauses
	out.Enforcement, out.Origin, out.Params = c.Setting.Enforcement, c.Setting.Origin, c.Setting.Params
	if out.Outcome != Fail && out.Outcome != Pending {
		return out
	}
	if !slices.Contains(r.Waivable, c.Policy.Ladder.Column(c.Class.Class)) {
		return out
	}
	if i := activeFor(c.Waivers, r.ID); i >= 0 {
		out.Outcome, out.Waiver = Waived, &i
		w := &c.Waivers[i]
		out.Summary = "Waived until " + w.Until.UTC().Format("2006-01-02") + " by " + login(w.Approver) + " (" + w.ID + "): " + out.Summary
	}
	return out
}

func (c *Case) ask(r *Rule, told map[fact.Need]bool) Result {
	switch {
	case c.isEmpty():
		return notApplicable("The change is empty")
	case c.Class.OnlyOutside && !r.Evergreen:
		return notApplicable("Only paths outside device software are touched")
	}
	for _, n := range r.Needs {
		why, known := c.Change.Why(n)
		if known || slices.Contains(r.Partial, n) {
			continue
		}
		f := unread(n, why)
		out := Result{Outcome: Unknown, Summary: f.Message}
		if !told[n] { // said once for all the rules that need it
			told[n] = true
			out.Findings = []Finding{f}
		}
		return out
	}
	return r.Check(c)
}

// overall is the worst of the results that block.
func overall(results []Result, lowest bool) Outcome {
	state := Pass
	for _, r := range results {
		if r.Blocks(lowest) && outrank(r.Outcome) > outrank(state) {
			state = r.Outcome
		}
	}
	return state
}
