package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"primum/bot/store"
	"primum/rules"
	"primum/rules/fact"
	"primum/rules/policy"
)

// maxFlips bounds how many open changes a preview judges.
const maxFlips = 200

// flips fills in which other open changes would be judged otherwise under the
// policy that this change brings. They are judged on the facts of their last
// verdict: no call is made, and nothing is decided by it.
func (j *Judge) flips(ctx context.Context, k store.Key, r *reading, v *rules.Verdict) {
	next := r.head.policy
	if next == nil || len(v.Preview.Errors) > 0 {
		return
	}
	rows, err := j.store.Open(ctx, k.Forge, k.RepoID, maxFlips+1)
	if err != nil {
		v.Preview.FlipsNote = "The other open changes could not be looked at: " + err.Error()
		return
	}
	unseen := 0
	if len(rows) > maxFlips {
		rows = rows[:maxFlips]
		v.Preview.FlipsNote = fmt.Sprintf("Only %d open changes were looked at.", maxFlips)
	}
	for i := range rows {
		if rows[i].Key == k || rows[i].Kind != store.KindChange || rows[i].Base != "" && rows[i].Base != r.facts.Base.Name {
			continue
		}
		facts, ok := j.lastFacts(ctx, rows[i].Verdict)
		if !ok {
			unseen++
			continue
		}
		if flip, ok := j.flip(facts, r.policy, next); ok {
			v.Preview.Flips = append(v.Preview.Flips, flip)
		}
	}
	if unseen > 0 && v.Preview.FlipsNote == "" {
		v.Preview.FlipsNote = strconv.Itoa(unseen) + " open changes have no verdict yet and were not looked at."
		if unseen == 1 {
			v.Preview.FlipsNote = "1 open change has no verdict yet and was not looked at."
		}
	}
}

func (j *Judge) flip(c *fact.Change, old parsed, next *policy.Policy) (rules.Flip, bool) {
	before, after := j.input(c, old, parsed{}), j.input(c, parsed{policy: next}, parsed{})
	before.FactsDigest = c.Digest()
	after.FactsDigest = before.FactsDigest
	was, will := rules.Evaluate(before), rules.Evaluate(after)
	return rules.Flip{Change: c.Number, Title: c.Title, From: was.State, To: will.State}, was.State != will.State
}

// lastFacts are the facts a verdict was given on.
func (j *Judge) lastFacts(ctx context.Context, verdict int64) (*fact.Change, bool) {
	if verdict == 0 {
		return nil, false
	}
	row, err := j.store.Verdict(ctx, verdict)
	if err != nil || len(row.Facts) == 0 {
		return nil, false
	}
	var c fact.Change
	if json.Unmarshal(row.Facts, &c) != nil {
		return nil, false
	}
	return &c, true
}
