package judge

import (
	"slices"

	"primum/bot/store"
	"primum/rules/fact"
)

// maxForged bounds how many people who set our check are remembered.
const maxForged = 20

// recallForged adds to the checks of our name by others those seen on this head
// before, the newest of each source: what was done there stays said, also where
// the forge shows only the last of a name.
func recallForged(c *fact.Change, m store.Memory) {
	if m.ForgedOn != c.Head.SHA {
		return
	}
	for _, old := range m.Forged {
		known := slices.ContainsFunc(c.Forged, func(k fact.Check) bool { return k.Source == old.Source && !k.At().Before(old.At()) })
		if !known {
			c.Forged = slices.DeleteFunc(c.Forged, func(k fact.Check) bool { return k.Source == old.Source })
			c.Forged = append(c.Forged, old)
		}
	}
	slices.SortStableFunc(c.Forged, func(a, b fact.Check) int { return a.At().Compare(b.At()) })
	if n := len(c.Forged); n > maxForged {
		c.Forged = c.Forged[n-maxForged:]
	}
}
