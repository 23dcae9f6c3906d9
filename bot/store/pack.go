package store

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// packAbove is the length from which a value is kept compressed.
const packAbove = 4 << 10

// pack is a value as kept: as it is if short, gzip if long. What begins like
// gzip is always compressed, so that unpack is never in doubt and the column
// can be read with ordinary tools.
func (d *DB) pack(b []byte) []byte {
	if len(b) <= packAbove && !isGzip(b) {
		return b
	}
	var buf bytes.Buffer
	buf.Grow(len(b)/4 + 64)
	w, _ := d.zippers.Get().(*gzip.Writer)
	if w == nil {
		w, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	}
	w.Reset(&buf)
	_, _ = w.Write(b) // a buffer never refuses
	_ = w.Close()
	d.zippers.Put(w)
	return buf.Bytes()
}

// unpack is the reverse of pack.
func unpack(b []byte) ([]byte, error) {
	if !isGzip(b) {
		return b, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return out, nil
}

func isGzip(b []byte) bool { return len(b) >= 2 && b[0] == 0x1f && b[1] == 0x8b }

// packed scans a packed column; T is []byte or a type made of it.
type packed[T ~[]byte] struct{ to *T }

// Scan implements sql.Scanner.
func (p packed[T]) Scan(v any) error {
	switch b := v.(type) {
	case nil:
		*p.to = nil
	case []byte:
		out, err := unpack(bytes.Clone(b))
		if err != nil {
			return err
		}
		*p.to = T(out)
	default:
		return fmt.Errorf("packed column holds %T", v)
	}
	return nil
}
