package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Options configure a Forge.
type Options struct {
	// Now is the clock of everything that happens; nil stands still at 2026-01-05 09:00 UTC.
	Now func() time.Time
	// Seed makes the faults repeatable.
	Seed uint64
}

// Forge is the whole forge.
type Forge struct {
	mu      sync.RWMutex
	now     func() time.Time
	objects *objects
	style   Style

	nextID    int64
	accounts  map[int64]*Account
	byLogin   map[string]int64 // lower case
	byEmail   map[string]int64 // lower case
	repos     map[int64]*Repo
	byName    map[string]int64 // lower case "owner/name", former names too
	teams     map[int64]*Team
	apps      map[int64]*App
	installs  map[int64]*Installation
	listeners []func(*View, Happening)
	hinderers []func(*View, *Repo, *Issue) []string

	faultsMu sync.Mutex
	faults   Faults
	rand     *rand.Rand
}

// New makes an empty forge.
func New(o Options) *Forge {
	if o.Now == nil {
		still := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
		o.Now = func() time.Time { return still }
	}
	return &Forge{
		now: o.Now, objects: newObjects(), nextID: 1000,
		accounts: map[int64]*Account{}, byLogin: map[string]int64{}, byEmail: map[string]int64{},
		repos: map[int64]*Repo{}, byName: map[string]int64{}, teams: map[int64]*Team{},
		apps: map[int64]*App{}, installs: map[int64]*Installation{},
		rand: rand.New(rand.NewPCG(o.Seed, 0x5eed)), //nolint:gosec // faults, not secrets
	}
}

// Now is the forge's own time.
func (f *Forge) Now() time.Time { return f.now().UTC() }

// Subscribe has fn called for everything that happens, in the moment it
// happens and in order. fn must not call the Forge; what it needs is in the View.
func (f *Forge) Subscribe(fn func(*View, Happening)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners = append(f.listeners, fn)
}

func (f *Forge) id() int64 {
	f.nextID++
	return f.nextID
}

func (f *Forge) announce(h Happening) {
	h.At = f.Now()
	if h.Owner == nil && h.Repo != nil {
		h.Owner = f.accounts[h.Repo.Owner]
	}
	v := &View{f: f}
	for _, fn := range f.listeners {
		fn(v, h)
	}
}

// RefusalKind says how a face should put a refusal.
type RefusalKind string

// Refusal kinds.
const (
	NotFound  RefusalKind = "not-found" // not there, or not for these eyes
	Forbidden RefusalKind = "forbidden" // seen, but not allowed
	Invalid   RefusalKind = "invalid"   // makes no sense as asked
	Moved     RefusalKind = "moved"     // something changed meanwhile
	Blocked   RefusalKind = "blocked"   // protection is not satisfied
)

// Refusal is why the forge did not do what was asked.
type Refusal struct {
	Kind    RefusalKind
	Reasons []string
}

// Error implements error.
func (r *Refusal) Error() string { return string(r.Kind) + ": " + strings.Join(r.Reasons, "; ") }

func refuse(k RefusalKind, format string, args ...any) error {
	return &Refusal{Kind: k, Reasons: []string{fmt.Sprintf(format, args...)}}
}
