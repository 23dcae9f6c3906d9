package intake

import (
	"context"
	"errors"
	"io"
)

// firstChunk is what a delivery takes of the memory before it has sent
// anything: whoever announces much and sends nothing holds no more.
const firstChunk = 32 << 10

var (
	errTooLarge = errors.New("body too large")
	errNoMemory = errors.New("no memory for the body in time")
)

// read reads a body within the bounds. Memory is taken as the body grows;
// release gives it back and is never nil.
func (i *Intake) read(ctx context.Context, from io.Reader) (body []byte, release func(), err error) {
	held := int64(0)
	release = func() { i.memory.Release(held) }
	grow := func(n int64) error {
		if err := i.memory.Acquire(ctx, n); err != nil {
			return errNoMemory
		}
		held += n
		return nil
	}
	if err := grow(firstChunk); err != nil {
		return nil, release, err
	}
	buf := make([]byte, 0, firstChunk)
	from = io.LimitReader(from, i.o.MaxBody+1)
	for {
		if len(buf) == cap(buf) {
			more := min(int64(cap(buf)), i.o.MaxBody+1-int64(cap(buf)))
			if err := grow(more); err != nil {
				return nil, release, err
			}
			buf = append(make([]byte, 0, int64(cap(buf))+more), buf...)
		}
		n, err := from.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > i.o.MaxBody:
			return nil, release, errTooLarge
		case errors.Is(err, io.EOF):
			return buf, release, nil
		case err != nil:
			return nil, release, err
		}
	}
}
