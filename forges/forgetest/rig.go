package forgetest

import (
	"net/http"
	"testing"
	"time"

	"primum/forges"
	"primum/forges/sim"
	"primum/rules/fact"
)

// Hook is one delivery as it came in.
type Hook struct {
	Event  string
	Header http.Header
	Body   []byte
}

// Rig is an adapter in front of a face of the standard world.
type Rig struct {
	Adapter forges.Forge
	World   *sim.Forge
	// Hooks gives the deliveries since it was asked last, in order.
	Hooks func(testing.TB) []Hook
	// Advance moves the world's clock, and the adapter's.
	Advance func(time.Duration)
	// Forbid takes something the adapter may do away: "members" (to see who is in
	// a team), "checks" and "statuses" (to set and read them), "issues" and
	// "pull_requests" (to comment). Where a forge has no such permission, it takes
	// away what amounts to it: a scope of the token, a role of the account.
	Forbid func(permission string)
	// Suspend stops what lets the adapter in: the installation, or the token.
	Suspend func()
	// Login is what the adapter writes as ("primum[bot]", "primum").
	Login string
	// Source is what the app "ci" is called as the source of a check; "" for "ci".
	// Where apps have no checks of their own it is the login of its bot, "ci[bot]".
	Source string
	// Proof are the headers that prove a delivery; nil for all whose name has
	// "Signature" in it.
	Proof []string
	// Stands is what the forge shows of our verdict on a commit, in the words of
	// forges.ReportState; nil where it is a check or a status of the world.
	Stands func(tb testing.TB, sha string) (state, title string)
	// Writes counts what was written through the face so far.
	Writes func() int
}

// Cases is how many cases the contract has.
const Cases = 205

type group struct {
	name  string
	cases []contract
}

func groups() []group {
	return []group{
		{"says what it is", identity()},
		{"verifies and decodes", verification()},
		{"tells of what people do", happenings()},
		{"reads a change", reading()},
		{"reads the parts of a change", parts()},
		{"lists", listing()},
		{"reads files and queues", files()},
		{"writes", writing()},
		{"says what went wrong", failing()},
	}
}

// Run holds an adapter to the contract. make gives a new rig for each case. No
// case is left out: where the adapter's forge lacks what a case is about, the
// case asserts what the declared lack means (see forges.Capabilities.Lacks).
func Run(t *testing.T, make func(testing.TB) *Rig) {
	t.Helper()
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.run(&try{T: t, Rig: make(t)})
				})
			}
		})
	}
}

// contract is one thing an adapter promises.
type contract struct {
	name string
	run  func(*try)
}

// try is one case at work.
type try struct {
	*testing.T
	*Rig
}

// has reports whether the adapter's forge has a trait.
func (t *try) has(trait forges.Trait) bool { return t.Adapter.Capabilities().Has(trait) }

// source is what the app ci is called as the source of a check.
func (t *try) source() string {
	if !t.has(forges.ReadsCheckSource) {
		return ""
	}
	if t.Source == "" {
		return "ci"
	}
	return t.Source
}

// ok ends the case if something that had to work did not.
func (t *try) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// num ends the case unless a number came without an error.
func (t *try) num(n int, err error) int {
	t.Helper()
	t.ok(err)
	return n
}

// sha ends the case unless a commit came without an error.
func (t *try) sha(s string, err error) string {
	t.Helper()
	t.ok(err)
	return s
}

// id ends the case unless an id came without an error.
func (t *try) id(n int64, err error) int64 {
	t.Helper()
	t.ok(err)
	return n
}

// as acts in the world.
func (t *try) as(login string) sim.Actor { return t.World.As(login) }

// repo is the standard repository as the adapter names it.
func (t *try) repo() forges.RepoRef {
	t.Helper()
	for cursor := ""; ; {
		repos, next, err := t.Adapter.ListRepos(t.Context(), cursor)
		t.ok(err)
		for _, r := range repos {
			if r.FullName() == Repo {
				return r
			}
		}
		if next == "" {
			t.Fatalf("%s is not listed", Repo)
		}
		cursor = next
	}
}

// change opens the standard change: mara edits the dosing rate on a branch.
func (t *try) change(body string) int {
	t.Helper()
	t.sha(t.as("mara").Push(Repo, "rate", sim.NewCommit{
		Message: "dosing: round the rate", Files: map[string]string{"fw/dosing/rate.c": "int rate(int ml, int minutes)\n{\n\treturn (ml * 60 + minutes / 2) / minutes;\n}\n"},
	}))
	return t.num(t.as("mara").OpenChange(Repo, sim.NewChange{Title: "Round the rate", Body: body, Head: "rate"}))
}

// all asks for everything there is.
func all() forges.Plan {
	return forges.Plan{
		Needs: []fact.Need{
			fact.NeedPolicy, fact.NeedFiles, fact.NeedDiffs, fact.NeedCommits, fact.NeedReviews, fact.NeedPatches, fact.NeedThreads,
			fact.NeedChecks, fact.NeedComments, fact.NeedIssues, fact.NeedPeople, fact.NeedBaseFiles, fact.NeedPermission,
		},
		DiffPaths: []string{"**"},
	}
}

// read reads a change of the standard repository, everything asked for.
func (t *try) read(number int) *fact.Change { return t.readPlan(number, all()) }

func (t *try) readPlan(number int, p forges.Plan) *fact.Change {
	t.Helper()
	c, err := t.Adapter.ReadChange(t.Context(), forges.ChangeRef{Repo: t.repo(), Number: number}, p)
	t.ok(err)
	return c
}

// whole reads a change and fails where a part is unknown.
func (t *try) whole(number int) *fact.Change {
	t.Helper()
	c := t.read(number)
	for need, why := range c.Unknown {
		t.Errorf("%s is unknown: %s", need, why)
	}
	return c
}

// equal compares one value; what names it.
func equal[V comparable](t *try, what string, got, want V) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
