package pages

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"primum/bot/report/reporttest"
	"primum/bot/store"
	"primum/forges"
	"primum/rules"
)

// now is when every page of these tests is looked at.
var now = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

type still struct{}

func (still) Now() time.Time                       { return now }
func (still) NewTimer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// memory is a store in memory, as much of it as pages read.
type memory struct {
	store.Store
	mu       sync.Mutex
	repos    []store.RepoRow
	open     []store.OpenRow
	verdicts []store.VerdictRow
	acts     map[store.Key][]store.Act
	notes    map[string]string
}

func (m *memory) Open(context.Context, string, string, int) ([]store.OpenRow, error) {
	return m.open, nil
}

func (m *memory) Counts(context.Context) (store.Counts, error) {
	return store.Counts{Waiting: 1, Oldest: 3 * time.Second}, nil
}

func (m *memory) Repo(_ context.Context, forge, id string) (store.RepoRow, error) {
	for _, r := range m.repos {
		if r.Forge == forge && r.ID == id {
			return r, nil
		}
	}
	return store.RepoRow{}, store.ErrNone
}

func (m *memory) FindRepo(_ context.Context, forge, owner, name string) (store.RepoRow, error) {
	for _, r := range m.repos {
		if r.Forge == forge && r.Owner == owner && r.Name == name {
			return r, nil
		}
	}
	return store.RepoRow{}, store.ErrNone
}

func (m *memory) Subject(_ context.Context, k store.Key) (store.Subject, error) {
	for _, o := range m.open {
		if o.Key == k {
			return o.Subject, nil
		}
	}
	return store.Subject{}, store.ErrNone
}

func (m *memory) Verdict(_ context.Context, id int64) (store.VerdictRow, error) {
	for _, v := range m.verdicts {
		if v.ID == id {
			return v, nil
		}
	}
	return store.VerdictRow{}, store.ErrNone
}

func (m *memory) Verdicts(_ context.Context, k store.Key, limit int) ([]store.VerdictRow, error) {
	var out []store.VerdictRow
	for _, v := range slices.Backward(m.verdicts) {
		if v.Key == k && len(out) < limit {
			v.JSON, v.Facts = nil, nil
			out = append(out, v)
		}
	}
	return out, nil
}

func (m *memory) Acts(_ context.Context, k store.Key, _ int) ([]store.Act, error) {
	return m.acts[k], nil
}

func (m *memory) Note(_ context.Context, key, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.notes == nil {
		m.notes = map[string]string{}
	}
	m.notes[key] = value
	return nil
}

func (m *memory) Noted(_ context.Context, key string) (string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.notes[key]
	return v, ok, nil
}

// repo adds a repository.
func (m *memory) repo(id, owner, name string, private bool) {
	m.repos = append(m.repos, store.RepoRow{Forge: "github", ID: id, Owner: owner, Name: name, Private: private})
}

// judged adds an open change with its verdicts, oldest first.
func (m *memory) judged(t *testing.T, repo store.RepoRow, number int, opened time.Duration, verdicts ...*rules.Verdict) store.Key {
	t.Helper()
	k := store.Key{Forge: repo.Forge, RepoID: repo.ID, Kind: store.KindChange, Ref: strconv.Itoa(number)}
	o := store.OpenRow{
		Subject: store.Subject{Key: k, ID: int64(number), Wanted: 4, Judged: 4, Open: true},
		Owner:   repo.Owner, Name: repo.Name, Private: repo.Private, Number: number, OpenedAt: now.Add(-opened),
	}
	for i, v := range verdicts {
		v.Subject.Change, v.Subject.RepoID = number, repo.ID
		v.JudgedAt = now.Add(-time.Duration(len(verdicts)-i) * 37 * time.Minute)
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		row := store.VerdictRow{
			ID: int64(len(m.verdicts) + 1), Key: k, Head: v.Subject.Head, State: string(v.State), Mode: string(v.Mode), Class: string(v.Class.Class),
			Product: v.Subject.Product, Title: v.Subject.Title, Reason: v.Reason, FactsDigest: v.FactsDigest, Engine: v.Engine,
			JudgedAt: v.JudgedAt, Trigger: "reviewed", JSON: raw,
		}
		m.verdicts = append(m.verdicts, row)
		o.Verdict, o.State, o.Class, o.Product, o.Title, o.Why, o.JudgedAt = row.ID, row.State, row.Class, row.Product, row.Title, row.Reason, row.JudgedAt
	}
	m.open = append(m.open, o)
	return k
}

// pump is a store with a public and a private repository and changes in every
// state.
func pump(t *testing.T) *memory {
	t.Helper()
	m := &memory{acts: map[store.Key][]store.Act{}}
	m.repo("77", "acme", "infusion-pump", false)
	m.repo("78", "acme", "secret-pump", true)
	for i, c := range reporttest.Cases() {
		m.judged(t, m.repos[0], 10+i, time.Duration(i*i)*7*time.Hour, c.Verdict)
	}
	k := m.judged(t, m.repos[1], 40, 50*time.Hour, reporttest.Waiting(), reporttest.Stale(), reporttest.Actions())
	m.judged(t, m.repos[1], 41, time.Hour, reporttest.Ready())
	m.acts[k] = []store.Act{
		{ID: 2, Kind: "comment", Detail: "the comment edited in place", At: now.Add(-36 * time.Minute), DoneAt: now.Add(-36 * time.Minute), Result: "991"},
		{ID: 1, Kind: "check", Detail: "failure on 1a2b3c4d", At: now.Add(-37 * time.Minute), Error: "PATCH /check-runs/5: 502"},
	}
	// One that could not be judged for long, one not judged at all.
	last := &m.open[3]
	last.Problem, last.Tries, last.GaveUp = "read change 13: POST /graphql: 502 bad gateway", 9, true
	m.judged(t, m.repos[0], 30, 20*time.Second)
	m.open[len(m.open)-1].Wanted = 5
	return m
}

// gate is a forge that knows who may read what.
type gate struct {
	forges.Forge
	readers map[string]forges.Permission
	asked   int
	err     error
	sign    string
}

// Capabilities are GitHub's, or GitLab's where sign is "!".
func (g *gate) Capabilities() forges.Capabilities {
	if g.sign == "!" {
		return forges.Capabilities{Product: "GitLab", ChangeSign: "!"}
	}
	return forges.Capabilities{Product: "GitHub", ChangeSign: "#"}
}

func (g *gate) Permission(_ context.Context, _ forges.RepoRef, login string) (forges.Permission, error) {
	g.asked++
	if g.err != nil {
		return forges.PermNone, g.err
	}
	if p, ok := g.readers[login]; ok {
		return p, nil
	}
	return forges.PermNone, nil
}

func itoa(n int) string { return strconv.Itoa(n) }

// challengeOf is what a verifier's PKCE challenge must be (RFC 7636, 4.2).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
