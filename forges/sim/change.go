package sim

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Change is what a pull request has beyond an issue.
type Change struct {
	Draft      bool
	Merged     bool
	MergedAt   time.Time
	MergedBy   int64
	MergeSHA   string
	HeadRepo   int64
	HeadBranch string
	Head       string // commit
	Base       string // target branch
	BaseSHA    string // tip of the target branch when the head was last pushed or the target set
	// MergedBase is the merge base at the time of merging: afterwards the
	// comparison is frozen.
	MergedBase string
	Reviews    []*Review
	Threads    []*Thread
	Linked     []int   // issues linked by hand, in the development panel
	Requested  []int64 // accounts asked for a review
}

func (c *Change) copy() *Change {
	d := *c
	d.Linked, d.Requested = slices.Clone(c.Linked), slices.Clone(c.Requested)
	d.Reviews = make([]*Review, len(c.Reviews))
	for i, r := range c.Reviews {
		n := *r
		n.Edits, n.Notes = slices.Clone(r.Edits), slices.Clone(r.Notes)
		d.Reviews[i] = &n
	}
	d.Threads = make([]*Thread, len(c.Threads))
	for i, t := range c.Threads {
		n := *t
		n.Notes = slices.Clone(t.Notes)
		d.Threads[i] = &n
	}
	return &d
}

// NewChange describes a change to open.
type NewChange struct {
	Title string
	Body  string
	Head  string // "branch", or "owner:branch" of a fork
	Base  string // the default branch if empty
	Draft bool
}

// OpenChange opens a change and gives its number.
func (a Actor) OpenChange(repo string, n NewChange) (number int, err error) {
	err = a.onRepo(repo, Read, func(f *Forge, me *Account, r *Repo) error {
		src, branch := r, n.Head
		if owner, b, fork := strings.Cut(n.Head, ":"); fork {
			src, branch = f.repo(owner+"/"+r.Name), b
		}
		if src == nil || src.Branches[branch] == "" {
			return refuse(Invalid, "head %s does not exist", n.Head)
		}
		if p := f.permission(src, me); !p.AtLeast(Write) {
			return refuse(Forbidden, "%s may not write to %s", me.Login, n.Head)
		}
		base := n.Base
		if base == "" {
			base = r.Default
		}
		if r.Branches[base] == "" {
			return refuse(Invalid, "base %s does not exist", base)
		}
		if n.Title == "" {
			return refuse(Invalid, "title can't be blank")
		}
		head := src.Branches[branch]
		if f.objects.ancestors(r.Branches[base])[head] {
			return refuse(Invalid, "No commits between %s and %s", base, n.Head)
		}
		for _, is := range r.changes() {
			if c := is.Change; is.State == Open && c.HeadRepo == src.ID && c.HeadBranch == branch && c.Base == base {
				return refuse(Invalid, "A pull request already exists for %s", n.Head)
			}
		}
		if len(f.style.DraftPrefixes) > 0 {
			n.Draft = n.Draft || f.style.IsDraft(n.Title)
			n.Title = f.style.draftTitle(n.Title, n.Draft)
		}
		is := f.newIssue(me, r, n.Title, n.Body)
		is.Change = &Change{Draft: n.Draft, HeadRepo: src.ID, HeadBranch: branch, Head: head, Base: base, BaseSHA: r.Branches[base]}
		number = is.Number
		f.announce(Happening{Kind: ChangeHappened, Action: "opened", Actor: me, Repo: r, Issue: is})
		return nil
	})
	return number, err
}

// newHead gives a change another head after its branch moved.
func (f *Forge) newHead(me *Account, r *Repo, is *Issue, tip string) {
	f.touch(is)
	c := is.Change
	before := c.Head
	forced := !f.objects.ancestors(tip)[before]
	c.Head, c.BaseSHA = tip, r.Branches[c.Base]
	if forced {
		f.event(is, IssueEvent{Kind: "head_ref_force_pushed", Actor: me.ID, From: before, To: tip})
	} else if f.style.KeepsPushes {
		f.event(is, IssueEvent{Kind: "pushed", Actor: me.ID, From: before, To: tip})
	}
	f.announce(Happening{Kind: ChangeHappened, Action: "synchronize", Actor: me, Repo: r, Issue: is, Was: map[string]string{"before": before}})
	same := f.style.StaleByContent && f.sameWork(r, c, before, tip)
	for _, rv := range c.Reviews {
		if !same {
			rv.Stale = rv.Commit != tip
		}
	}
	if p := r.Protection[c.Base]; p != nil && p.DismissStale && !same {
		for _, rv := range c.Reviews {
			if rv.State == Approved {
				f.dismiss(me, r, is, rv, "a newer commit was pushed")
			}
		}
	}
}

// Retarget changes the branch a change is meant for.
func (a Actor) Retarget(repo string, number int, base string) error {
	return a.onChange(repo, number, Write, func(f *Forge, me *Account, r *Repo, is *Issue, c *Change) error {
		if r.Branches[base] == "" {
			return refuse(Invalid, "base %s does not exist", base)
		}
		if c.Base == base {
			return nil
		}
		f.touch(is)
		was := map[string]string{"base": c.Base, "base_sha": c.BaseSHA}
		c.Base, c.BaseSHA = base, r.Branches[base]
		f.event(is, IssueEvent{Kind: "base_ref_changed", Actor: me.ID, From: was["base"], To: base})
		f.announce(Happening{Kind: ChangeHappened, Action: "edited", Actor: me, Repo: r, Issue: is, Was: was})
		return nil
	})
}

// MarkReady ends the draft state of a change.
func (a Actor) MarkReady(repo string, number int) error { return a.draft(repo, number, false) }

// ConvertToDraft makes a change a draft.
func (a Actor) ConvertToDraft(repo string, number int) error { return a.draft(repo, number, true) }

func (a Actor) draft(repo string, number int, draft bool) error {
	return a.onChange(repo, number, Write, func(f *Forge, me *Account, r *Repo, is *Issue, c *Change) error {
		if c.Draft == draft {
			return nil
		}
		if len(f.style.DraftPrefixes) > 0 {
			f.retitle(me, r, is, f.style.draftTitle(is.Title, draft))
			return nil
		}
		f.touch(is)
		c.Draft = draft
		action := "ready_for_review"
		if draft {
			action = "converted_to_draft"
		}
		f.announce(Happening{Kind: ChangeHappened, Action: action, Actor: me, Repo: r, Issue: is})
		return nil
	})
}

// LinkIssue links an issue to a change by hand, as the development panel does.
// No webhook tells of it on GitHub beyond an edit without changes.
func (a Actor) LinkIssue(repo string, number, issue int) error {
	return a.onChange(repo, number, Triage, func(f *Forge, _ *Account, r *Repo, is *Issue, c *Change) error {
		if other := r.Issues[issue]; other == nil || other.Change != nil {
			return refuse(NotFound, "no issue %d", issue)
		}
		if !slices.Contains(c.Linked, issue) {
			f.touch(is)
			c.Linked = append(c.Linked, issue)
		}
		return nil
	})
}

var closing = regexp.MustCompile(`(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:([\w.-]+/[\w.-]+))?#(\d+)\b`)

// closes lists the issues of its own repository a change closes when merged.
func (f *Forge) closes(r *Repo, is *Issue) []int {
	out := slices.Clone(is.Change.Linked)
	if is.Change.Base == r.Default {
		for _, m := range closing.FindAllStringSubmatch(is.Body, -1) {
			n, err := strconv.Atoi(m[2])
			if err != nil || (m[1] != "" && f.repo(m[1]) != r) {
				continue
			}
			if other := r.Issues[n]; other != nil && other.Change == nil && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// MergeMethod says how a change becomes part of its target.
type MergeMethod string

// Merge methods.
const (
	MergeCommit MergeMethod = "merge"
	Squash      MergeMethod = "squash"
	RebaseMerge MergeMethod = "rebase"
)

// MergeOptions say how to merge.
type MergeOptions struct {
	Method MergeMethod // MergeCommit if empty
	Head   string      // refuse if the head is another one; "" does not ask
	Bypass bool        // an administrator merges although protection is not satisfied
}

// Merge merges a change and gives the commit that stands for it on the target.
// Protection that is not satisfied is a Refusal of kind Blocked.
func (a Actor) Merge(repo string, number int, o MergeOptions) (sha string, err error) {
	err = a.onChange(repo, number, Write, func(f *Forge, me *Account, r *Repo, is *Issue, c *Change) error {
		if !f.permission(r, me).AtLeast(Write) {
			return refuse(Forbidden, "%s may not merge in %s", me.Login, repo)
		}
		if o.Head != "" && o.Head != c.Head {
			return refuse(Moved, "head is %s", c.Head)
		}
		if reasons := f.hinders(r, is); len(reasons) > 0 {
			p := r.Protection[c.Base]
			lasting := is.State != Open || c.Draft || f.conflicts(r, c)
			mayBypass := p != nil && !p.EnforceAdmins && f.permission(r, me).AtLeast(Admin)
			if lasting || !o.Bypass || !mayBypass {
				return &Refusal{Kind: Blocked, Reasons: reasons}
			}
		}
		if p := r.Protection[c.Base]; p != nil && p.MergeQueue && !o.Bypass {
			return refuse(Blocked, "changes must go through the merge queue")
		}
		c.MergedBase = f.objects.mergeBase(r.Branches[c.Base], c.Head)
		tip, err := f.mergeOnto(me, is, r.Branches[c.Base], o.Method)
		if err != nil {
			return err
		}
		sha = tip
		f.markMerged(me, r, is, tip)
		f.moveBranch(me, r, c.Base, tip)
		return nil
	})
	return sha, err
}

// mergeOnto makes the commit that brings a change onto a commit.
func (f *Forge) mergeOnto(me *Account, is *Issue, onto string, how MergeMethod) (string, error) {
	c := is.Change
	base := f.objects.mergeBase(onto, c.Head)
	if how == RebaseMerge {
		return f.replay(me, f.objects.between(base, c.Head), onto)
	}
	baseTree := ""
	if b := f.objects.commits[base]; b != nil {
		baseTree = b.Tree
	}
	tree, conflicts := f.objects.merge3(baseTree, f.objects.commits[onto].Tree, f.objects.commits[c.Head].Tree)
	if len(conflicts) > 0 {
		return "", refuse(Blocked, "conflict in %s", strings.Join(conflicts, ", "))
	}
	n := Commit{
		Tree: tree, Parents: []string{onto, c.Head}, Author: f.ident(me),
		Committer: Ident{Name: "Forge", Email: "noreply@example.com", At: f.Now()},
		Message:   fmt.Sprintf("Merge pull request #%d from %s/%s\n\n%s", is.Number, f.ownerLogin(c.HeadRepo), c.HeadBranch, is.Title),
		Signature: Signature{Present: true, Valid: true, Reason: "valid", ByForge: true},
	}
	if how == Squash {
		n.Parents = []string{onto}
		n.Message = fmt.Sprintf("%s (#%d)\n\n%s", is.Title, is.Number, is.Body)
		n.Author = f.ident(f.accounts[is.Author])
	}
	return f.objects.putCommit(n).SHA, nil
}

func (f *Forge) ownerLogin(repo int64) string {
	if r := f.repos[repo]; r != nil {
		if o := f.accounts[r.Owner]; o != nil {
			return o.Login
		}
	}
	return "unknown"
}

// markMerged closes a change as merged, and the issues it closes.
func (f *Forge) markMerged(me *Account, r *Repo, is *Issue, sha string) {
	f.touch(is)
	c := is.Change
	if c.MergedBase == "" {
		c.MergedBase = f.objects.mergeBase(c.BaseSHA, c.Head)
	}
	c.Merged, c.MergedAt, c.MergedBy, c.MergeSHA = true, f.Now(), me.ID, sha
	is.State, is.ClosedAt, is.ClosedBy = Closed, f.Now(), me.ID
	f.event(is, IssueEvent{Kind: "merged", Actor: me.ID, To: sha})
	f.event(is, IssueEvent{Kind: "closed", Actor: me.ID})
	f.announce(Happening{Kind: ChangeHappened, Action: "closed", Actor: me, Repo: r, Issue: is})
	if c.Base != r.Default {
		return
	}
	for _, n := range f.closes(r, is) {
		if other := r.Issues[n]; other.State == Open && (f.style.ClosesWaiting || !f.waits(other)) {
			f.closeIssue(me, r, other, "completed")
		}
	}
}

func (f *Forge) conflicts(r *Repo, c *Change) bool {
	onto, head := f.objects.commits[r.Branches[c.Base]], f.objects.commits[c.Head]
	if onto == nil || head == nil {
		return true
	}
	baseTree := ""
	if b := f.objects.commits[f.objects.mergeBase(onto.SHA, head.SHA)]; b != nil {
		baseTree = b.Tree
	}
	_, _, conflicts := f.objects.mergeEdits(baseTree, onto.Tree, head.Tree)
	return len(conflicts) > 0
}

// Hinders says why a change cannot be merged now, in the forge's words; nothing
// means that it can.
func (f *Forge) Hinders(repo string, number int) []string {
	f.mu.RLock()
	defer f.mu.RUnlock()
	r := f.repo(repo)
	if r == nil || r.Issues[number] == nil || r.Issues[number].Change == nil {
		return []string{"there is no such change"}
	}
	return f.hinders(r, r.Issues[number])
}

func (f *Forge) hinders(r *Repo, is *Issue) []string {
	c := is.Change
	switch {
	case c.Merged:
		return []string{"Pull Request is already merged"}
	case is.State != Open:
		return []string{"Pull Request is closed"}
	case c.Draft:
		return []string{"Pull Request is still a draft"}
	case f.conflicts(r, c):
		return []string{"Pull Request has merge conflicts"}
	}
	out := f.furtherHinders(r, is)
	p := r.Protection[c.Base]
	if p == nil {
		return out
	}
	if f.style.Gate != GateGitHub {
		return append(out, f.protectionHinders(r, c, p)...)
	}
	out = append(out, f.checksMissing(r, p, c.Head)...)
	approvals := 0
	for who, rv := range f.latestOpinions(r, c) {
		if rv.State == ChangesRequested {
			out = append(out, fmt.Sprintf("Changes requested by %s", f.loginOf(who)))
		}
		if rv.State == Approved {
			approvals++
		}
	}
	slices.Sort(out)
	if approvals < p.Approvals {
		out = append(out, fmt.Sprintf("At least %d approving review is required by reviewers with write access", p.Approvals))
	}
	if p.ResolveThreads && slices.ContainsFunc(c.Threads, func(t *Thread) bool { return !t.Resolved }) {
		out = append(out, "A conversation must be resolved before this pull request can be merged")
	}
	if p.UpToDate && !f.objects.ancestors(c.Head)[r.Branches[c.Base]] {
		out = append(out, "Head branch is out of date")
	}
	return out
}

func (f *Forge) loginOf(id int64) string {
	if a := f.accounts[id]; a != nil {
		return a.Login
	}
	return "ghost"
}

// latestOpinions is the newest approving, refusing or dismissed review of each
// person with write.
func (f *Forge) latestOpinions(r *Repo, c *Change) map[int64]*Review {
	out := map[int64]*Review{}
	for _, rv := range c.Reviews {
		if rv.State == Commented || !f.permission(r, f.accounts[rv.Author]).AtLeast(Write) {
			continue
		}
		out[rv.Author] = rv
	}
	return out
}

// checksMissing says which required checks are not green on a commit.
func (f *Forge) checksMissing(r *Repo, p *Protection, sha string) []string {
	var out []string
	for _, want := range p.Checks {
		state := ""
		for _, run := range newestRuns(r.Checks[sha]) {
			if run.Name != want.Name {
				continue
			}
			if want.App != 0 && run.App != want.App {
				if state == "" {
					state = "was not set by the expected GitHub App"
				}
				continue
			}
			switch {
			case run.Status != "completed":
				state = "is expected"
			case slices.Contains([]string{"success", "skipped", "neutral"}, run.Conclusion):
				state = "ok"
			default:
				state = "is failing"
			}
		}
		if st := newestStatus(r.Statuses[sha], want.Name); st != nil && want.App == 0 && (state == "" || state == "ok") {
			state = map[string]string{"success": "ok", "pending": "is expected"}[st.State]
			if state == "" {
				state = "is failing"
			}
		}
		switch state {
		case "ok":
		case "":
			out = append(out, fmt.Sprintf("Required status check %q is expected", want.Name))
		default:
			out = append(out, fmt.Sprintf("Required status check %q %s", want.Name, state))
		}
	}
	return out
}

// Compare lists the files of a comparison from the merge base of base to head,
// and the commits that head has and base has not.
func (f *Forge) Compare(repo, base, head string) (files []FileDiff, commits []Commit, mergeBase string, err error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	r := f.repo(repo)
	if r == nil {
		return nil, nil, "", refuse(NotFound, "no repository %s", repo)
	}
	b, h := f.resolve(r, base), f.resolve(r, head)
	if b == nil || h == nil {
		return nil, nil, "", refuse(NotFound, "no commit %s or %s", base, head)
	}
	mergeBase = f.objects.mergeBase(b.SHA, h.SHA)
	from := ""
	if m := f.objects.commits[mergeBase]; m != nil {
		from = m.Tree
	}
	for _, c := range f.objects.between(b.SHA, h.SHA) {
		commits = append(commits, *c)
	}
	return f.objects.compareTrees(from, h.Tree, true), commits, mergeBase, nil
}
