package github

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-github/v62/github"

	"primum/forges"
	"primum/forges/wire"
)

// deliveryPages bounds how far the log is read: GitHub keeps three days.
const deliveryPages = 500

// Redeliver implements forges.DeliveryLog. One delivery may have been tried
// several times under one GUID; it is asked for again if none of them got
// through.
func (f *Forge) Redeliver(ctx context.Context, since time.Time) (int, error) {
	if !f.app() {
		return 0, fmt.Errorf("redeliver: only an app has a log of deliveries: %w", forges.ErrUnsupported)
	}
	ctx = wire.Operation(ctx, "redeliver")
	var order []string // GUIDs, newest first
	failed := map[string]int64{}
	through := map[string]bool{}
	opts := &github.ListCursorOptions{PerPage: 100}
	for range deliveryPages {
		list, answer, err := f.asApp.rest.Apps.ListHookDeliveries(ctx, opts)
		if err != nil {
			return 0, fmt.Errorf("list deliveries: %w", f.asApp.failure(err))
		}
		past := false
		for _, d := range list {
			if d.GetDeliveredAt().Before(since) {
				past = true
				continue
			}
			guid := d.GetGUID()
			if code := d.GetStatusCode(); code >= 200 && code < 300 {
				through[guid] = true
				continue
			}
			if _, again := failed[guid]; !again {
				failed[guid] = d.GetID()
				order = append(order, guid)
			}
		}
		if past || answer.Cursor == "" || len(list) == 0 {
			break
		}
		opts.Cursor = answer.Cursor
	}
	return f.redeliver(ctx, order, failed, through)
}

// redeliver asks for the oldest first, as they would have come.
func (f *Forge) redeliver(ctx context.Context, order []string, failed map[string]int64, through map[string]bool) (int, error) {
	asked := 0
	var problems []error
	for _, guid := range slices.Backward(order) {

		if through[guid] {
			continue
		}
		_, _, err := f.asApp.rest.Apps.RedeliverHookDelivery(ctx, failed[guid])
		var accepted *github.AcceptedError
		if err == nil || errors.As(err, &accepted) {
			asked++
			continue
		}
		err = fmt.Errorf("redeliver %s: %w", wire.Short(guid, 40), f.asApp.failure(err))
		if _, wait := forges.RetryAt(err); wait || ctx.Err() != nil {
			return asked, errors.Join(append(problems, err)...)
		}
		problems = append(problems, err)
	}
	return asked, errors.Join(problems...)
}
