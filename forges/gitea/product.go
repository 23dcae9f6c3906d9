package gitea

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"primum/forges/wire"
	"primum/rules/fact"
)

// Products.
const (
	Gitea   = "Gitea"
	Forgejo = "Forgejo"
)

// versionFor is how long a version is believed: an instance is upgraded while we run.
const versionFor = time.Hour

// product is what answers.
type product struct {
	name    string
	version string // as the forge reports it
}

// productOf tells the product from what /api/v1/version says. A Forgejo names
// the Gitea whose API it has: "9.0.0+gitea-1.22.0".
func productOf(version string) product {
	v := strings.ToLower(version)
	if strings.Contains(v, "+gitea-") || strings.Contains(v, "forgejo") {
		return product{name: Forgejo, version: version}
	}
	return product{name: Gitea, version: version}
}

// atLeast compares the product's own version; a build that does not say one
// ("development") is taken for the newest.
func (p product) atLeast(major, minor int) bool {
	numbers, _, _ := strings.Cut(strings.TrimPrefix(p.version, "v"), "+")
	first, rest, _ := strings.Cut(numbers, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, err := strconv.Atoi(first)
	if err != nil {
		return true
	}
	second, _, _ = strings.Cut(second, "-")
	b, err := strconv.Atoi(second)
	if err != nil {
		b = 0
	}
	return a > major || a == major && b >= minor
}

// known is the product as asked last, without a call.
func (f *Forge) known() product {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.product
}

// identify asks for the product and for our own account, once, and for the
// product again after a while. What fails is asked again with the next call.
func (f *Forge) identify(ctx context.Context) error {
	if _, fresh := f.identified(); fresh {
		return nil
	}
	select {
	case f.asking <- struct{}{}:
		defer func() { <-f.asking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	self, fresh := f.identified()
	if fresh {
		return nil
	}
	ctx = wire.Operation(ctx, "identify")
	if !self.Known() {
		var who user
		if _, err := f.get(ctx, "user", nil, &who); err != nil {
			return fmt.Errorf("ask who the token belongs to: %w", err)
		}
		self = who.person()
		self.Bot = true
	}
	var said struct {
		Version string `json:"version"`
	}
	if _, err := f.get(ctx, "version", nil, &said); err != nil {
		return fmt.Errorf("ask for the version: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.self, f.product, f.asked = self, productOf(said.Version), f.Now()
	return nil
}

// identified gives our account, and whether nothing need be asked.
func (f *Forge) identified() (self fact.Person, fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.self, f.self.Known() && !f.asked.IsZero() && f.Now().Sub(f.asked) < versionFor
}

// Identify asks who the token belongs to and which product answers, so that our
// own deeds are known from the first delivery on. Everything works without it.
func (f *Forge) Identify(ctx context.Context) error { return f.identify(ctx) }

// ours reports whether a person is our own account, as far as we know it.
func (f *Forge) ours(p fact.Person) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.self.Is(p)
}

// oursCheck reports whether a status is ours. In a job of a workflow our account
// is that of all workflows, and only the name tells ours from theirs.
func (f *Forge) oursCheck(by fact.Person, name string) bool {
	return f.ours(by) && (by.ID != decimal(actionsID) || name == checkName)
}

// person is somebody as we see them: ourselves marked as a bot.
func (f *Forge) person(u *user) fact.Person {
	p := u.person()
	if f.ours(p) {
		p.Bot = true
	}
	return p
}
