package forgetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"primum/forges"
	"primum/forges/sim"
	"primum/rules/fact"
)

func is(t *try, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func failing() []contract {
	limit := func(how sim.Limit) func(*try) {
		return func(t *try) {
			n := opened(t)
			r := t.repo()
			until := t.World.Now().Add(17 * time.Minute)
			t.World.SetFaults(func(f *sim.Faults) { f.LimitedUntil, f.Limit = until, how })
			_, err := t.Adapter.ReadChange(t.Context(), forges.ChangeRef{Repo: r, Number: n}, all())
			var limited *forges.RateLimited
			if !errors.As(err, &limited) {
				t.Fatalf("got %v, want a rate limit", err)
			}
			if d := limited.Until.Sub(until).Abs(); d > 5*time.Second {
				t.Errorf("until %v, want %v", limited.Until, until)
			}
			equal(t, "temporary", forges.Temporary(err), true)
			if strings.HasPrefix(t.Adapter.Capabilities().Product, "GitHub") { // it alone has both
				equal(t, "secondary", limited.Secondary, how != sim.LimitPrimary)
			}
			t.World.SetFaults(func(f *sim.Faults) { f.LimitedUntil = time.Time{} })
			t.Advance(18 * time.Minute)
			_, err = t.Adapter.ReadChange(t.Context(), forges.ChangeRef{Repo: r, Number: n}, all())
			t.ok(err)
		}
	}
	return []contract{
		{"the hour's budget is spent", limit(sim.LimitPrimary)},
		{"an abuse limit is reached", limit(sim.LimitSecondary)},
		{"too many requests", limit(sim.LimitTooMany)},
		{"the forge is down", func(t *try) {
			n := opened(t)
			r := t.repo()
			t.World.SetFaults(func(f *sim.Faults) { f.FailShare = 1 })
			_, err := t.Adapter.ReadChange(t.Context(), forges.ChangeRef{Repo: r, Number: n}, all())
			if err == nil || !forges.Temporary(err) {
				t.Errorf("got %v, want an error that may go away", err)
			}
		}},
		{"a comment that failed is not written twice", func(t *try) {
			n := opened(t)
			c := forges.ChangeRef{Repo: t.repo(), Number: n}
			before := t.Writes()
			t.World.SetFaults(func(f *sim.Faults) { f.FailShare = 1 })
			_, err := t.Adapter.PutComment(t.Context(), c, "", "one")
			if err == nil || !forges.Temporary(err) {
				t.Errorf("got %v, want an error that may go away", err)
			}
			if tries := t.Writes() - before; tries > 1 {
				t.Errorf("%d tries of one comment", tries)
			}
		}},
		{"the caller gives up", func(t *try) {
			n := opened(t)
			r := t.repo()
			t.World.SetFaults(func(f *sim.Faults) { f.HangShare = 1 })
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := t.Adapter.ReadChange(ctx, forges.ChangeRef{Repo: r, Number: n}, all())
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
			}
		}},
		{"we were suspended", func(t *try) {
			n := opened(t)
			r := t.repo()
			t.Suspend()
			_, err := t.Adapter.ReadChange(t.Context(), forges.ChangeRef{Repo: r, Number: n}, all())
			if t.has(forges.DoesSuspend) {
				is(t, err, forges.ErrSuspended)
			}
			if err == nil || forges.Temporary(err) {
				t.Errorf("got %v, want an error that lasts", err)
			}
		}},
		{"checks we may not write", func(t *try) {
			n := opened(t)
			c, _ := t.World.Issue(Repo, n)
			t.Forbid("checks")
			t.Forbid("statuses")
			_, err := t.Adapter.SetVerdict(t.Context(), t.repo(), c.Change.Head, report(forges.ReportFailure), forges.Posted{})
			is(t, err, forges.ErrForbidden)
		}},
		{"a part we may not read is unknown or an error", func(t *try) {
			n := opened(t)
			t.id(t.World.AsApp("ci").CreateCheck(Repo, sim.CheckRun{SHA: t.World.Tip(Repo, "rate"), Name: "build", Conclusion: "success"}))
			t.Forbid("checks")
			t.Forbid("statuses")
			c, err := t.Adapter.ReadChange(t.Context(), forges.ChangeRef{Repo: t.repo(), Number: n}, all())
			if err != nil {
				is(t, err, forges.ErrForbidden)
				return
			}
			if _, known := c.Why(fact.NeedChecks); known {
				t.Error("the checks are said to be known")
			}
		}},
		{"what was missed is asked for again", func(t *try) {
			log, ok := t.Adapter.(forges.DeliveryLog)
			equal(t, "delivery log", ok && t.Adapter.Capabilities().DeliveryLog, t.Adapter.Capabilities().DeliveryLog)
			if !ok {
				return
			}
			t.Hooks(t)
			since := t.World.Now()
			t.World.SetFaults(func(f *sim.Faults) { f.LoseShare = 1 })
			reported(t)
			t.World.SetFaults(func(f *sim.Faults) { f.LoseShare = 0 })
			equal(t, "deliveries", len(t.Hooks(t)), 0)
			n, err := log.Redeliver(t.Context(), since.Add(-time.Minute))
			t.ok(err)
			hooks := t.Hooks(t)
			if n == 0 || len(hooks) != n {
				t.Errorf("%d asked for again, %d came", n, len(hooks))
			}
		}},
	}
}
