package demo

import (
	"net/http"
	"sync"
	"time"
)

// hub tells browsers that something happened on the forge; what, they read anew.
type hub struct {
	mu      sync.Mutex
	waiting map[chan struct{}]bool
	closed  bool
}

func newHub() *hub { return &hub{waiting: map[chan struct{}]bool{}} }

// tell never blocks: a browser that has not asked yet hears of it once.
func (h *hub) tell() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.waiting {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// close ends every stream, so that the server can stop.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for c := range h.waiting {
		close(c)
		delete(h.waiting, c)
	}
}

func (h *hub) join() (c chan struct{}, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, false
	}
	c = make(chan struct{}, 1)
	h.waiting[c] = true
	return c, true
}

func (h *hub) leave(c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, c)
}

// serve is the stream of server-sent events.
func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	c, ok := h.join()
	if !ok {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	defer h.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	send := func(s string) bool {
		_, err := w.Write([]byte(s))
		return err == nil && out.Flush() == nil
	}
	if !send("retry: 1000\n\n") {
		return
	}
	beat := time.NewTicker(20 * time.Second)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			if !send(": still here\n\n") {
				return
			}
		case _, open := <-c:
			if !open || !send("event: moved\ndata: 1\n\n") {
				return
			}
			// What happens in a burst is told once.
			select {
			case <-r.Context().Done():
				return
			case <-time.After(60 * time.Millisecond):
			}
		}
	}
}
