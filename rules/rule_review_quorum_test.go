package rules_test

import (
	"strings"
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestReviewQuorum(t *testing.T) {
	t.Parallel()
	drop := func(who fact.Person) func(*fact.Change) { return func(c *fact.Change) { ft.Drop(c, who) } }
	run(t, "review-quorum", []spoilt{
		{name: "developer and verification", want: rules.Pass, says: "jonas and priya"},
		{name: "one developer is enough at A", level: "A", want: rules.Pass, says: "jonas"},
		{name: "verification is missing", spoil: drop(ft.Priya()), want: rules.Fail, says: "none yet from verification", who: "priya,sam"},
		{name: "developer is missing", spoil: drop(ft.Jonas()), want: rules.Fail, says: "none yet from developer", who: "jonas,alex"},
		{name: "developer is missing at B", level: "B", spoil: drop(ft.Jonas()), want: rules.Fail, says: "none yet from developer", who: "jonas,alex"},
		{
			name: "nobody yet", spoil: func(c *fact.Change) { c.Reviews = nil }, want: rules.Fail,
			says: "2 approvals are needed and none is given; none yet from developer and verification", who: "jonas,alex,priya,sam",
		},
		{
			name: "a comment is no approval", want: rules.Fail, says: "none yet from verification",
			spoil: func(c *fact.Change) { c.Reviews[1].State = fact.Commented },
		},
		{
			name: "a later comment does not take an approval back", want: rules.Pass,
			spoil: func(c *fact.Change) { ft.Review(c, ft.Priya(), fact.Commented, ft.At(27.5), "One thought for later.") },
		},
		{
			name: "a later request for changes does", want: rules.Fail, says: "priya asked for changes",
			spoil: func(c *fact.Change) {
				ft.Review(c, ft.Priya(), fact.ChangesRequested, ft.At(27.5), "The alarm is late.")
				ft.Approve(c, ft.Sam(), ft.At(27.6), "/primum sign verified")
			},
		},
		{
			name: "approved after the request for changes", want: rules.Pass,
			spoil: func(c *fact.Change) {
				ft.Review(c, ft.Sam(), fact.ChangesRequested, ft.At(25), "The alarm is late.")
				ft.Approve(c, ft.Sam(), ft.At(27.6), "/primum sign verified")
			},
		},
		{
			name: "a stranger's request for changes", want: rules.Pass,
			spoil: func(c *fact.Change) { ft.Review(c, ft.Guest(), fact.ChangesRequested, ft.At(25), "No.") },
		},
		{
			name: "a dismissed approval", want: rules.Fail, says: "none yet from verification",
			spoil: func(c *fact.Change) { c.Reviews[1].State, c.Reviews[1].DismissedBy = fact.Dismissed, ft.Mara() },
		},
		{
			name: "a bot's approval", want: rules.Fail, says: "none yet from verification",
			spoil: func(c *fact.Change) {
				b := ft.Bot()
				p := c.People["team:test"]
				p.Members = append(p.Members, b)
				c.People["team:test"] = p
				c.Reviews[1].Author = b
			},
		},
		{
			name: "an approval without a role", want: rules.Fail, says: "none yet from verification",
			spoil: func(c *fact.Change) { c.Reviews[1].Author = ft.Guest() },
		},
		{
			name: "the login of a reviewer is not the account", want: rules.Fail, says: "none yet from verification",
			spoil: func(c *fact.Change) { c.Reviews[1].Author = fact.Person{ID: "666", Login: "priya"} },
		},
		{
			name: "one person cannot stand for two roles", want: rules.Fail, says: "1 is given",
			spoil: func(c *fact.Change) {
				ft.Drop(c, ft.Jonas())
				p := c.People["team:firmware"]
				p.Members = append(p.Members, ft.Priya())
				c.People["team:firmware"] = p
			},
			also: []string{"review-independent"},
		},
		{
			name: "two people share two roles whichever way round", want: rules.Pass,
			spoil: func(c *fact.Change) {
				p := c.People["team:test"]
				p.Members = append(p.Members, ft.Jonas())
				c.People["team:test"] = p
			},
		},
		{
			name: "an open thread", want: rules.Fail, says: "1 review thread is open: `fw/dosing/rate.c` by priya", who: "mara",
			spoil: func(c *fact.Change) {
				c.Threads = []fact.Thread{{Path: "fw/dosing/rate.c", Author: ft.Priya(), Excerpt: "What if it is zero?"}}
			},
		},
		{
			name: "a resolved thread and a remark", want: rules.Pass,
			spoil: func(c *fact.Change) {
				c.Threads = []fact.Thread{{Author: ft.Priya(), Resolved: true}, {Author: ft.Sam(), Excerpt: "nit: spelling"}}
			},
		},
		{
			name: "threads need not be resolved", policy: with("rules:\n  review-quorum: {C: {resolved-threads: false}}\n"), want: rules.Pass,
			spoil: func(c *fact.Change) { c.Threads = []fact.Thread{{Author: ft.Priya()}} },
		},
		{
			name: "on hold", want: rules.Pending, says: "priya put this change on hold", who: "priya",
			spoil: func(c *fact.Change) { ft.Say(c, ft.Priya(), ft.At(27), "/primum hold") },
		},
		{
			name: "hold lifted by who set it", want: rules.Pass,
			spoil: func(c *fact.Change) {
				ft.Say(c, ft.Priya(), ft.At(27), "/primum hold")
				ft.Say(c, ft.Priya(), ft.At(27.2), "/primum hold off")
			},
		},
		{
			name: "hold not lifted by another developer", want: rules.Pending, says: "priya",
			spoil: func(c *fact.Change) {
				ft.Say(c, ft.Priya(), ft.At(27), "/primum hold")
				ft.Say(c, ft.Alex(), ft.At(27.2), "/primum hold off")
			},
		},
		{name: "a stranger's hold", want: rules.Pass, spoil: func(c *fact.Change) { ft.Say(c, ft.Guest(), ft.At(27), "/primum hold") }},
		{
			name: "a role without members", want: rules.Fail, says: "Nobody holds the role verification (team:test: no such team)",
			spoil: func(c *fact.Change) { c.People["team:test"] = fact.Principal{Problem: "no such team"} },
			who:   "whoever looks after .primum.yml", also: []string{"review-independent"},
		},
		{
			name: "a role nobody is named for", policy: without("  verification: [team:test]\n"), want: rules.Fail,
			says: "The policy names nobody for the role verification", also: []string{"review-independent"},
		},
	})
}

func TestPolicyWithoutPeopleIsSaidOnce(t *testing.T) {
	t.Parallel()
	c, _ := ft.Compliant("C")
	v := judge(c, ft.Policy("version: 1\nproduct: infusion-pump\nclass: C\n"))
	said := 0
	for _, r := range v.Results {
		for _, f := range r.Findings {
			if strings.Contains(f.Message, "names no people") || strings.Contains(f.Message, "names nobody") {
				said++
				if !strings.Contains(f.Fix, `people: {developer: ["user:LOGIN"], verification: ["user:LOGIN"], quality: ["user:LOGIN"], risk: ["user:LOGIN"]}`) {
					t.Errorf("the cure does not say what to write: %s", f.Fix)
				}
			}
		}
	}
	if said != 1 || v.State != rules.Fail {
		t.Errorf("said %d times, state %s: %s", said, v.State, v.Reason)
	}
	wellFormed(t, v)
}
