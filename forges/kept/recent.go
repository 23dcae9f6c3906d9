package kept

import (
	"container/list"
	"sync"
)

// Recent keeps the values used last, bounded by number and by weight in bytes.
// What it keeps never changes for its key, so nothing in it grows stale. It is
// safe for concurrent use.
type Recent[V any] struct {
	mu             sync.Mutex
	items          map[string]*list.Element
	order          *list.List // newest first
	weight         int
	most, heaviest int
}

type item[V any] struct {
	key    string
	value  V
	weight int
}

// NewRecent makes a Recent bounded to most values and to heaviest bytes.
func NewRecent[V any](most, heaviest int) *Recent[V] {
	return &Recent[V]{items: map[string]*list.Element{}, order: list.New(), most: most, heaviest: heaviest}
}

// Get gives the value of a key, if it is still kept, and counts as using it.
func (r *Recent[V]) Get(key string) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.items[key]
	if !ok {
		var none V
		return none, false
	}
	r.order.MoveToFront(e)
	return e.Value.(item[V]).value, true //nolint:forcetypeassert // the list holds nothing else
}

// Has reports whether the value of a key is still kept.
func (r *Recent[V]) Has(key string) bool {
	_, ok := r.Get(key)
	return ok
}

// Put keeps a value of the weight given, in bytes without its key, and lets go
// of what was used longest ago. A value heavier than all may be is not kept.
func (r *Recent[V]) Put(key string, value V, weight int) {
	weight += len(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, ok := r.items[key]; ok {
		r.drop(old)
	}
	if weight > r.heaviest {
		return
	}
	r.items[key] = r.order.PushFront(item[V]{key, value, weight})
	r.weight += weight
	for r.weight > r.heaviest || r.order.Len() > r.most {
		r.drop(r.order.Back())
	}
}

func (r *Recent[V]) drop(e *list.Element) {
	k := e.Value.(item[V]) //nolint:forcetypeassert // the list holds nothing else
	r.order.Remove(e)
	delete(r.items, k.key)
	r.weight -= k.weight
}
