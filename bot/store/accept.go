package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// A batch is bounded in number and in bytes, so that one commit never holds
// the database for long.
const (
	batchMax      = 256
	batchBytesMax = 32 << 20
)

// errClosed is what Accept says once the store is closing.
var errClosed = errors.New("store is closed")

// acceptance is one delivery on its way into a batch.
type acceptance struct {
	in     Inbound
	header []byte
	body   []byte // packed

	fresh  bool
	marked int
	err    error
	done   chan struct{}
}

// Accept implements Store. Deliveries that come while a commit is under way
// share the next one; one that comes alone waits for nobody.
func (d *DB) Accept(ctx context.Context, in Inbound) (bool, int, error) {
	header, err := json.Marshal(in.Header)
	if err != nil {
		return false, 0, fmt.Errorf("accept delivery %s: %w", in.ID, err)
	}
	a := &acceptance{in: in, header: header, body: d.pack(in.Body), done: make(chan struct{})}
	select {
	case d.accepts <- a:
	case <-d.closed:
		return false, 0, fmt.Errorf("accept delivery %s: %w", in.ID, errClosed)
	case <-ctx.Done():
		return false, 0, fmt.Errorf("accept delivery %s: %w", in.ID, ctx.Err())
	}
	select {
	case <-a.done:
	case <-ctx.Done(): // it may be stored all the same; then a redelivery finds it
		return false, 0, fmt.Errorf("accept delivery %s: %w", in.ID, ctx.Err())
	}
	if a.err != nil {
		return false, 0, fmt.Errorf("accept delivery %s: %w", in.ID, a.err)
	}
	return a.fresh, a.marked, nil
}

// batch takes whoever waits, commits them together, and answers each.
func (d *DB) batch(ctx context.Context) {
	for {
		var group []*acceptance
		select {
		case a := <-d.accepts:
			group = append(group, a)
		case <-ctx.Done():
			return
		}
		group = d.fill(group)
		d.commit(ctx, group)
		for _, a := range group {
			close(a.done)
		}
	}
}

// fill adds everybody who waits at this moment.
func (d *DB) fill(group []*acceptance) []*acceptance {
	size := len(group[0].body)
	for len(group) < batchMax && size < batchBytesMax {
		select {
		case a := <-d.accepts:
			group = append(group, a)
			size += len(a.body)
		default:
			return group
		}
	}
	return group
}

// commit stores a group. If that fails each is tried by itself, so that one
// the database refuses does not take the others with it.
func (d *DB) commit(ctx context.Context, group []*acceptance) {
	err := d.tx(ctx, func(s session) error { return s.accept(ctx, group) })
	if err != nil && len(group) > 1 && ctx.Err() == nil {
		for _, a := range group {
			d.commit(ctx, []*acceptance{a})
		}
		return
	}
	if err != nil && ctx.Err() != nil {
		err = errClosed
	}
	marked := false
	for _, a := range group {
		a.err = err
		marked = marked || (err == nil && a.marked > 0)
	}
	if marked {
		d.woke()
	}
}

// accept stores a group in an order that all transactions share, so that none
// waits for another's rows in a circle.
func (s session) accept(ctx context.Context, group []*acceptance) error {
	order := slices.Clone(group)
	slices.SortStableFunc(order, func(a, b *acceptance) int {
		return cmp.Or(cmp.Compare(a.in.Forge, b.in.Forge), cmp.Compare(a.in.ID, b.in.ID))
	})
	var repos []RepoRow
	var seen []SeenComment
	for _, a := range order {
		if err := s.insertDelivery(ctx, a); err != nil {
			return err
		}
		if a.fresh {
			repos = append(repos, a.in.Repos...)
			seen = append(seen, a.in.Seen...)
		}
	}
	if err := s.putRepos(ctx, repos); err != nil {
		return err
	}
	if err := s.remember(ctx, seen); err != nil {
		return err
	}
	w := newMarking(s.db.clock.Now())
	for i, a := range group { // in the order they came: of two hints with one time the later stands
		if !a.fresh {
			continue
		}
		if err := w.add(ctx, s, i, a.in.Marks, a.in.Fans); err != nil {
			return err
		}
	}
	counts, err := w.apply(ctx, s, len(group))
	if err != nil {
		return err
	}
	for i, a := range group {
		a.marked = counts[i]
	}
	return nil
}

func (s session) insertDelivery(ctx context.Context, a *acceptance) error {
	received := a.in.ReceivedAt
	if received.IsZero() {
		received = s.db.clock.Now()
	}
	n, err := s.exec(ctx, `INSERT INTO deliveries (forge, delivery, event, action, header, body, received_at, dropped)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (forge, delivery) DO NOTHING`,
		a.in.Forge, a.in.ID, a.in.Event, a.in.Action, a.header, a.body, received, a.in.Dropped)
	if err != nil {
		return fmt.Errorf("store delivery: %w", err)
	}
	a.fresh = n > 0
	return nil
}
