package kept

import (
	"strings"
	"sync"
	"time"

	"primum/rules/fact"
)

// People remembers the principals of a policy as they were resolved last, by
// owner. It is safe for concurrent use.
type People struct {
	keep, problems time.Duration
	now            func() time.Time
	mu             sync.Mutex
	by             map[string]map[string]resolved // owner, principal
}

type resolved struct {
	principal fact.Principal
	until     time.Time
}

// NewPeople makes a memory that keeps a principal for keep, and one with a
// problem for problems: 0 where asking again costs no call of its own.
func NewPeople(keep, problems time.Duration, now func() time.Time) *People {
	return &People{keep: keep, problems: min(keep, problems), now: now, by: map[string]map[string]resolved{}}
}

// Get gives a principal that is known and not stale. Owners are in lower case.
func (p *People) Get(owner, principal string) (fact.Principal, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.by[owner][principal]
	if !ok || !r.until.After(p.now()) {
		return fact.Principal{}, false
	}
	return r.principal, true
}

// Put keeps a principal of an owner.
func (p *People) Put(owner, principal string, r fact.Principal) {
	keep := p.keep
	if r.Problem != "" {
		keep = p.problems
	}
	if keep <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by[owner] == nil {
		p.by[owner] = map[string]resolved{}
	}
	p.by[owner][principal] = resolved{r, p.now().Add(keep)}
}

// Forget drops what is known for an owner, for the groups below it and for those
// it stands in; for all if owner is "".
func (p *People) Forget(owner string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	owner = strings.ToLower(owner)
	for known := range p.by {
		if owner == "" || known == owner || strings.HasPrefix(known, owner+"/") || strings.HasPrefix(owner, known+"/") {
			delete(p.by, known)
		}
	}
}
