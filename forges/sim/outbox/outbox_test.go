package outbox_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"primum/forges/sim"
	"primum/forges/sim/outbox"
)

// What is put in goes out once and in order, but for what the faults ask for.
func TestOrder(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fates []sim.DeliveryFate
		want  []int
	}{
		"no fault":                  {[]sim.DeliveryFate{{}, {}, {}}, []int{0, 1, 2}},
		"one is repeated":           {[]sim.DeliveryFate{{}, {Repeat: true}, {}}, []int{0, 1, 1, 2}},
		"one changes places":        {[]sim.DeliveryFate{{Reorder: true}, {}, {}}, []int{1, 0, 2}},
		"the last is not held back": {[]sim.DeliveryFate{{}, {}, {Reorder: true}}, []int{0, 1, 2}},
		"held back and repeated":    {[]sim.DeliveryFate{{Reorder: true, Repeat: true}, {}}, []int{0, 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []int
			b := outbox.New(sim.New(sim.Options{Now: time.Now}), func(_ context.Context, n *int) { got = append(got, *n) })
			for i, fate := range tt.fates {
				b.Put(&i, fate)
			}
			if err := b.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.Close()
			if !slices.Equal(got, tt.want) {
				t.Errorf("sent %v, want %v", got, tt.want)
			}
		})
	}
}

// Who waits for what hangs gives up with its context, and Close ends the sending.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	b := outbox.New(sim.New(sim.Options{Now: time.Now}), func(ctx context.Context, _ *int) { <-ctx.Done() })
	b.Put(new(int), sim.DeliveryFate{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	b.Close()
}
