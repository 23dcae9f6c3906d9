package watch

import (
	"context"
	"strings"
	"time"
)

// A replica that watches says so; one that is not heard of for hold does no more.
const (
	hold  = 30 * time.Second
	renew = hold / 3
)

// mine reports whether this replica watches the forge, and keeps it so. Two that
// begin at the same moment both do until the next time they say so.
func (p *post) mine(ctx context.Context) bool {
	now := p.o.Clock.Now()
	if !p.noted.IsZero() && now.Sub(p.noted) < renew {
		return true
	}
	p.noted = time.Time{}
	key := "watch:" + p.forge.Key()
	kept, ok, err := p.o.Store.Noted(ctx, key)
	if err != nil {
		p.o.Log.WarnContext(ctx, "who watches could not be read", p.problem(err)...)
		return false
	}
	if at, owner, cut := strings.Cut(kept, " "); ok && cut && owner != p.o.Owner {
		if t, err := time.Parse(time.RFC3339Nano, at); err == nil && now.Sub(t) < hold {
			return false
		}
	}
	if err := p.o.Store.Note(ctx, key, now.UTC().Format(time.RFC3339Nano)+" "+p.o.Owner); err != nil {
		p.o.Log.WarnContext(ctx, "that this replica watches was not noted", p.problem(err)...)
		return false
	}
	p.noted = now
	return true
}
