package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"primum/forges"
	"primum/rules/fact"
)

// found is by what verdicts block in a project.
type found struct {
	way   string
	check int64 // number of our external status check
	until time.Time
}

// wayFor is how long what blocks in a project is believed.
const wayFor = 10 * time.Minute

// ruleName is what an approval rule that is ours is called.
const ruleName = "Primum"

// wayOf finds by what verdicts block in a project: what the configuration fixes,
// or the best way that is set up. A job named primum is never found but only
// fixed: whoever writes the change could add one that always passes.
func (f *Forge) wayOf(ctx context.Context, r forges.RepoRef, report forges.Report) (found, error) {
	key := cacheKey(r)
	if known, ok := f.ways.Get(key); ok && known.until.After(f.Now()) {
		return known, nil
	}
	way, err := f.findWay(ctx, r, report)
	if err != nil {
		return found{}, err
	}
	way.until = f.Now().Add(wayFor)
	f.ways.Put(key, way, 100)
	return way, nil
}

func (f *Forge) findWay(ctx context.Context, r forges.RepoRef, report forges.Report) (found, error) {
	if f.Way == "" || f.Way == WayCheck {
		id, err := f.ownCheck(ctx, r, report.URL)
		if err != nil {
			return found{}, fmt.Errorf("external status checks: %w", err)
		}
		if id != 0 {
			return found{way: WayCheck, check: id}, nil
		}
		if f.Way == WayCheck {
			return found{}, fmt.Errorf("%s has no external status check named %s; \"primum setup gitlab\" makes it: %w",
				r.FullName(), checkName, forges.ErrForbidden)
		}
	}
	if f.Way == "" {
		ours, err := f.ownRule(ctx, r)
		if err != nil {
			return found{}, fmt.Errorf("approval rules: %w", err)
		}
		if ours {
			return found{way: WayApproval}, nil
		}
		return found{way: WayStatus}, nil
	}
	return found{way: f.Way}, nil
}

// absent reports whether an error says that there is no such thing here: the
// tier has it not, or our role may not see it.
func absent(err error) bool {
	return errors.Is(err, forges.ErrNotFound) || errors.Is(err, forges.ErrForbidden) && !errors.Is(err, forges.ErrSuspended)
}

// ownCheck is the number of the external status check that is ours: by name, and
// by the host its deliveries go to where we know our own. 0 if there is none.
func (f *Forge) ownCheck(ctx context.Context, r forges.RepoRef, page string) (int64, error) {
	list, err := all[statusCheck](ctx, f, restPath(r)+"/external_status_checks", nil)
	if err != nil {
		if absent(err) {
			return 0, nil
		}
		return 0, err
	}
	for _, c := range list {
		if strings.EqualFold(c.Name, checkName) && sameHost(c.URL, page) {
			return c.ID, nil
		}
	}
	return 0, nil
}

func sameHost(a, b string) bool {
	if b == "" {
		return true
	}
	u, errU := url.Parse(a)
	v, errV := url.Parse(b)
	return errU == nil && errV == nil && strings.EqualFold(u.Hostname(), v.Hostname())
}

// ownRule reports whether the project has an approval rule that only our
// approval satisfies.
func (f *Forge) ownRule(ctx context.Context, r forges.RepoRef) (bool, error) {
	type rule struct {
		Name     string    `json:"name"`
		Required int       `json:"approvals_required"`
		Eligible []account `json:"eligible_approvers"`
	}
	list, err := all[rule](ctx, f, restPath(r)+"/approval_rules", nil)
	if err != nil {
		if absent(err) {
			return false, nil
		}
		return false, err
	}
	for _, l := range list {
		if strings.EqualFold(l.Name, ruleName) && l.Required > 0 && len(l.Eligible) == 1 && f.isUs(fact.Person{ID: decimal(l.Eligible[0].ID)}) {
			return true, nil
		}
	}
	return false, nil
}
