package gitlab

import (
	"container/list"
	"sync"
)

// recent keeps the values used last, bounded by number and by weight in bytes.
// What it keeps never changes for its key, so nothing in it grows stale.
type recent[V any] struct {
	mu             sync.Mutex
	items          map[string]*list.Element
	order          *list.List // newest first
	weight         int
	most, heaviest int
}

type kept[V any] struct {
	key    string
	value  V
	weight int
}

func newRecent[V any](most, heaviest int) *recent[V] {
	return &recent[V]{items: map[string]*list.Element{}, order: list.New(), most: most, heaviest: heaviest}
}

func (r *recent[V]) get(key string) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.items[key]
	if !ok {
		var none V
		return none, false
	}
	r.order.MoveToFront(e)
	return e.Value.(kept[V]).value, true //nolint:forcetypeassert // the list holds nothing else
}

// has reports whether there is a value.
func (r *recent[V]) has(key string) bool {
	_, ok := r.get(key)
	return ok
}

func (r *recent[V]) put(key string, value V, weight int) {
	weight += len(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, ok := r.items[key]; ok {
		r.drop(old)
	}
	if weight > r.heaviest {
		return
	}
	r.items[key] = r.order.PushFront(kept[V]{key, value, weight})
	r.weight += weight
	for r.weight > r.heaviest || r.order.Len() > r.most {
		r.drop(r.order.Back())
	}
}

func (r *recent[V]) drop(e *list.Element) {
	k := e.Value.(kept[V]) //nolint:forcetypeassert // the list holds nothing else
	r.order.Remove(e)
	delete(r.items, k.key)
	r.weight -= k.weight
}
