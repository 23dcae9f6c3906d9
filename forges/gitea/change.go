package gitea

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// policyPath is where a repository keeps its policy.
const policyPath = ".primum.yml"

// reading is one reading of one change, in the making.
type reading struct {
	*Forge
	ref   forges.ChangeRef
	plan  forges.Plan
	needs map[fact.Need]bool

	pull *pull
	mu   sync.Mutex // guards c while parts are read side by side
	c    *fact.Change
}

// ReadChange implements forges.Forge.
//
// Of a change whose commits were seen before it makes these calls, and no other:
// the pull request; its reviews; its comments; the statuses of its head; and of
// each issue the plan names the issue and its timeline, which holds its comments
// too. Each further review with comments on lines is one call, since resolving
// one leaves no trace elsewhere. A new head or target commit adds the commits,
// the files and, if asked for, the diff; a new target commit the policy and the
// files it names, in one call where the instance can.
func (f *Forge) ReadChange(ctx context.Context, ref forges.ChangeRef, plan forges.Plan) (*fact.Change, error) {
	r := &reading{Forge: f, ref: ref, plan: plan, needs: map[fact.Need]bool{}}
	for _, n := range plan.Needs {
		r.needs[n] = true
	}
	if err := r.read(wire.Operation(ctx, "read_change")); err != nil {
		return nil, fmt.Errorf("read change %d of %s: %w", ref.Number, ref.Repo.FullName(), err)
	}
	return r.c, nil
}

func (r *reading) read(ctx context.Context) error {
	if !validName(r.ref.Repo.Owner) || !validName(r.ref.Repo.Name) || r.ref.Number <= 0 {
		return forges.ErrNotFound
	}
	if err := r.identify(ctx); err != nil {
		return err
	}
	if err := r.first(ctx); err != nil {
		return err
	}
	err := r.parts(ctx)
	if errors.Is(err, forges.ErrNotFound) { // the change is there: a part of it went between two calls
		return fmt.Errorf("%w: %s", forges.ErrConflict, err.Error())
	}
	if err != nil {
		return err
	}
	r.c.ReadAt = r.Now()
	return nil
}

// path is that of a part of the change.
func (r *reading) path(parts ...string) string {
	return repoPath(r.ref.Repo.Owner, r.ref.Repo.Name, parts...)
}

func (r *reading) number() string { return strconv.Itoa(r.ref.Number) }

// first reads the pull request itself.
func (r *reading) first(ctx context.Context) error {
	r.pull = &pull{}
	if _, err := r.get(ctx, r.path("pulls", r.number()), nil, r.pull); err != nil {
		return err
	}
	repo := r.pull.Base.Repo
	if repo == nil {
		return fmt.Errorf("the answer names no repository: %w", forges.ErrConflict)
	}
	if id, ok := positive(r.ref.Repo.ID); ok && id != repo.ID {
		return fmt.Errorf("the name is another repository's now: %w", forges.ErrNotFound)
	}
	r.c = r.core(repo)
	return nil
}

// core is what is read of every change.
func (r *reading) core(repo *repository) *fact.Change {
	p := r.pull
	c := &fact.Change{
		Forge: r.Key(),
		Repo: fact.Repo{
			ID: decimal(repo.ID), Owner: repo.owner(), Name: repo.Name, Private: repo.Private || repo.Internal,
			DefaultBranch: repo.DefaultBranch, URL: repo.HTMLURL,
		},
		Number: p.Number, URL: p.URL, Title: p.Title, Body: p.Body, State: stateOf(p.State, p.Merged),
		Draft: p.Draft || draftTitle(p.Title), Opener: r.person(p.User), Labels: names(p.Labels),
		CreatedAt: p.CreatedAt.Time, UpdatedAt: p.UpdatedAt.Time, MergedAt: p.MergedAt.Time, MergedSHA: p.MergedSHA,
		Head: fact.Ref{Name: branchOf(p.Head), SHA: p.Head.SHA}, Base: fact.Ref{Name: branchOf(p.Base), SHA: p.Base.SHA},
		MergeBase: p.MergeBase,
		Policy:    fact.Blob{Path: policyPath},
	}
	c.Base.Repo = c.Repo.FullName()
	if p.Head.Repo != nil {
		c.Head.Repo = p.Head.Repo.FullName
	}
	return c
}

func branchOf(s side) string {
	if strings.HasPrefix(s.Ref, "refs/") && s.Label != "" {
		return s.Label
	}
	return strings.TrimPrefix(s.Ref, branchPrefix)
}

func stateOf(state string, merged bool) fact.State {
	switch {
	case merged:
		return fact.Merged
	case state == "open":
		return fact.Open
	}
	return fact.Closed
}

func names(labels []label) []string {
	var out []string
	for _, l := range labels {
		out = append(out, l.Name)
	}
	return out
}

// parts reads the rest, side by side.
func (r *reading) parts(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	part := func(read func(context.Context) error, needs ...fact.Need) {
		if !slices.ContainsFunc(needs, func(n fact.Need) bool { return r.needs[n] }) {
			return
		}
		group.Go(func() error {
			return r.orUnknown(read(ctx), needs...)
		})
	}
	part(r.readReviews, fact.NeedReviews, fact.NeedThreads, fact.NeedPatches)
	part(r.readComments, fact.NeedComments)
	part(r.readChecks, fact.NeedChecks)
	part(r.readCommits, fact.NeedCommits)
	part(r.readIssues, fact.NeedIssues)
	part(r.readPeople, fact.NeedPeople)
	group.Go(func() error { return r.readFilesAndPolicy(ctx) })
	return group.Wait()
}

// unknown records that a part could not be read, while others are being read.
func (r *reading) unknown(n fact.Need, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.c.MarkUnknown(n, why)
}

// reason is what the forge itself said.
func reason(err error) string {
	if h, ok := errors.AsType[*forges.HTTPError](err); ok && h.Message != "" {
		return h.Message
	}
	return err.Error()
}

// readFilesAndPolicy reads what hangs on the files: whether the policy is among
// them decides whether it is read at the head.
func (r *reading) readFilesAndPolicy(ctx context.Context) error {
	if r.needs[fact.NeedFiles] || r.needs[fact.NeedDiffs] {
		if err := r.orUnknown(r.readFiles(ctx), fact.NeedFiles, fact.NeedDiffs); err != nil {
			return err
		}
	}
	return r.orUnknown(r.readBlobs(ctx), fact.NeedPolicy, fact.NeedBaseFiles)
}

// orUnknown turns a failure that will not go away into what is unknown: what the
// forge refuses, and what it fails to show of a change that is closed (Forgejo
// answers 500 where the fork or the target branch is gone).
func (r *reading) orUnknown(err error, needs ...fact.Need) error {
	why := "the forge refuses it: "
	if !errors.Is(err, forges.ErrForbidden) {
		h, ok := errors.AsType[*forges.HTTPError](err)
		if !ok || h.Status < http.StatusInternalServerError || r.c.State == fact.Open {
			return err
		}
		why = "the forge cannot show it any more: "
	}
	for _, n := range needs {
		r.unknown(n, why+reason(err))
	}
	return nil
}

// touchesPolicy reports whether the change edits, adds or removes its policy.
func (r *reading) touchesPolicy() bool {
	return slices.ContainsFunc(r.c.Files, func(f fact.File) bool { return f.Path == policyPath || f.Previous == policyPath })
}
