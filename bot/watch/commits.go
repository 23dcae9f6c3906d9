package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"primum/bot/publish"
	"primum/bot/store"
	"primum/forges"
	"primum/rules/policy"
)

// commit is one commit to watch, with the open changes it is the head of.
type commit struct {
	repo    forges.RepoRef
	sha     string
	changes []store.Key
}

func (c *commit) id() string { return c.repo.ID + " " + c.sha }

// commits are those on which a verdict of ours stands that is not green, and on
// which a forged one would let a change through. Changes of one commit share its
// check, so it is asked for once.
func (p *post) commits(ctx context.Context) ([]commit, error) {
	rows, err := p.o.Store.Open(ctx, p.forge.Key(), "", atMost)
	if err != nil {
		return nil, fmt.Errorf("list open changes of %s: %w", p.forge.Key(), err)
	}
	now := p.o.Clock.Now()
	var out []commit
	at := map[string]int{}
	for i := range rows {
		r := &rows[i]
		if !holds(r, now) {
			continue
		}
		c := commit{sha: r.Head, repo: forges.RepoRef{
			Forge: r.Forge, ID: r.RepoID, Owner: r.Owner, Name: r.Name, Private: r.Private,
		}}
		if !p.o.Relevant(c.repo) {
			continue
		}
		k, ok := at[c.id()]
		if !ok {
			k = len(out)
			at[c.id()] = k
			out = append(out, c)
		}
		out[k].changes = append(out[k].changes, r.Key)
	}
	return out, nil
}

// holds reports whether a verdict holds the change up by a check that somebody
// could have hidden.
func holds(r *store.OpenRow, now time.Time) bool {
	var posted forges.Posted
	if r.Owner == "" || len(r.Memory.Posted) == 0 || json.Unmarshal(r.Memory.Posted, &posted) != nil {
		return false
	}
	if posted.ID == "" || posted.SHA != r.Head || posted.Way != "" && posted.Way != publish.StatusWay {
		return false
	}
	if posted.State == forges.ReportSuccess || posted.State == forges.ReportNeutral {
		return false
	}
	if m := policy.Mode(r.Mode); m == policy.Observe || m == policy.Advise {
		return false
	}
	return now.After(publish.Fight(r.Memory.Notes)) // else it is left as it is on purpose
}
