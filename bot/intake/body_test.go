package intake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

func TestBodyIsReadWithinBounds(t *testing.T) {
	t.Parallel()
	i := New(Options{MaxBody: 100_000})
	for _, size := range []int{0, 1, firstChunk - 1, firstChunk, firstChunk + 1, 2 * firstChunk, 99_999, 100_000} {
		want := bytes.Repeat([]byte("x"), size)
		for name, from := range map[string]io.Reader{"whole": bytes.NewReader(want), "in halves": iotest.HalfReader(bytes.NewReader(want)), "with its end": iotest.DataErrReader(bytes.NewReader(want))} {
			got, release, err := i.read(t.Context(), from)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes %s: %d bytes, error %v", size, name, len(got), err)
			}
			release()
		}
	}
	for _, size := range []int{100_001, 1_000_000} {
		_, release, err := i.read(t.Context(), bytes.NewReader(make([]byte, size)))
		if !errors.Is(err, errTooLarge) {
			t.Errorf("%d bytes: error %v, want %v", size, err, errTooLarge)
		}
		release()
	}
	if !i.memory.TryAcquire(i.o.Memory) {
		t.Error("memory was not given back")
	}
}

// A body waits for memory as long as it may, and no longer.
func TestBodyWaitsForMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := New(Options{})
		if !i.memory.TryAcquire(i.o.Memory) {
			t.Fatal("no memory to begin with")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, release, err := i.read(ctx, bytes.NewReader([]byte("x")))
		if !errors.Is(err, errNoMemory) {
			t.Errorf("error %v, want %v", err, errNoMemory)
		}
		release()
		time.AfterFunc(time.Second, func() { i.memory.Release(i.o.Memory) })
		ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		got, release, err := i.read(ctx, bytes.NewReader([]byte("x")))
		defer release()
		if err != nil || string(got) != "x" {
			t.Errorf("once there is memory: %q, error %v", got, err)
		}
	})
}
