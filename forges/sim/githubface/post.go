package githubface

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // GitHub still sends the old signature too
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"primum/forges/sim"
	"primum/forges/sim/outbox"
)

// deliveryTimeout is how long GitHub waits for an answer.
const deliveryTimeout = 10 * time.Second

// keepDeliveries is how long the log goes back.
const keepDeliveries = 3 * 24 * time.Hour

// post sends deliveries one after the other and keeps their log.
type post struct {
	t   *Face
	box *outbox.Outbox[delivery]

	mu   sync.Mutex
	log  []*delivery // oldest first
	next int64
}

func newPost(t *Face) *post {
	p := &post{t: t, next: 500}
	p.box = outbox.New(t.forge, p.send)
	return p
}

// put takes a delivery; it never waits.
func (p *post) put(d *delivery) {
	fate := p.t.forge.DrawDelivery()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	d.id = p.next
	d.guid = fmt.Sprintf("%08x-51b0-11f0-8000-%012x", d.id, d.id*7919)
	if fate.Lose {
		p.log = append(p.log, d) // tried, and not received
		return
	}
	p.box.Put(d, fate)
}

func (p *post) send(ctx context.Context, d *delivery) {
	p.t.mu.Lock()
	o := p.t.o
	p.t.mu.Unlock()
	header := p.header(d, o)
	if o.Sent != nil {
		o.Sent(d.event, header, d.body)
	}
	if o.HookURL != "" {
		start := p.t.forge.Now()
		d.status = p.try(ctx, o, header, d.body)
		d.took = p.t.forge.Now().Sub(start)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, d)
	oldest := p.t.forge.Now().Add(-keepDeliveries)
	for len(p.log) > 0 && p.log[0].at.Before(oldest) {
		p.log = p.log[1:]
	}
}

func (p *post) try(ctx context.Context, o Options, header http.Header, body []byte) int {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.HookURL, bytes.NewReader(body))
	if err != nil {
		o.Log.ErrorContext(ctx, "webhook address is wrong", slog.Any("error", err))
		return 0
	}
	req.Header = header
	resp, err := o.Client.Do(req)
	if err != nil {
		o.Log.InfoContext(ctx, "webhook not delivered", slog.String("delivery_id", header.Get("X-GitHub-Delivery")), slog.Any("error", err))
		return 0
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close()
	return resp.StatusCode
}

func (p *post) header(d *delivery, o Options) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/5im0000")
	h.Set("Accept", "*/*")
	h.Set("X-GitHub-Delivery", d.guid)
	h.Set("X-GitHub-Event", d.event)
	h.Set("X-GitHub-Hook-ID", strconv.FormatInt(d.app, 10))
	h.Set("X-GitHub-Hook-Installation-Target-ID", strconv.FormatInt(d.app, 10))
	h.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	if o.Secret != "" {
		h.Set("X-Hub-Signature", "sha1="+sign(sha1.New, o.Secret, d.body))
		h.Set("X-Hub-Signature-256", "sha256="+sign(sha256.New, o.Secret, d.body))
	}
	return h
}

func sign(with func() hash.Hash, secret string, body []byte) string {
	mac := hmac.New(with, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Drain waits until everything that happened so far was delivered (or lost). A
// delivery held back to change the order is sent now.
func (t *Face) Drain(ctx context.Context) error { return t.post.box.Drain(ctx) }

// Delivered is one try of a delivery, from the log.
type Delivered struct {
	ID     int64
	GUID   string
	Event  string
	Action string
	Status int // HTTP status; 0 if nobody answered or it was lost
	Again  bool
	At     time.Time
	Header http.Header
	Body   []byte
}

// Deliveries lists the log, oldest first.
func (t *Face) Deliveries() []Delivered {
	t.mu.Lock()
	o := t.o
	t.mu.Unlock()
	p := t.post
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Delivered, 0, len(p.log))
	for _, d := range p.log {
		out = append(out, Delivered{
			ID: d.id, GUID: d.guid, Event: d.event, Action: d.action, Status: d.status, Again: d.again, At: d.at,
			Header: p.header(d, o), Body: d.body,
		})
	}
	return out
}

func (c *call) deliveryItem(d *delivery) j {
	return j{
		"id": d.id, "guid": d.guid, "delivered_at": stamp(d.at), "redelivery": d.again, "duration": d.took.Seconds(), "status": d.statusText(),
		"status_code": d.status, "event": d.event, "action": orNil(d.action), "installation_id": d.installation, "repository_id": orZero(d.repo), "throttled_at": nil,
	}
}

func orZero(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func (c *call) listDeliveries() {
	p := c.t.post
	p.mu.Lock()
	all := slices.Clone(p.log)
	p.mu.Unlock()
	slices.Reverse(all) // newest first
	q := c.r.URL.Query()
	size, err := strconv.Atoi(q.Get("per_page"))
	if err != nil || size < 1 || size > 100 {
		size = 30
	}
	from := 0
	if cur := q.Get("cursor"); cur != "" {
		id, err := strconv.ParseInt(cur, 10, 64)
		at := slices.IndexFunc(all, func(d *delivery) bool { return d.id == id })
		if err != nil || at < 0 {
			fail(c.w, http.StatusBadRequest, "Invalid cursor")
			return
		}
		from = at + 1
	}
	to := min(from+size, len(all))
	if to < len(all) {
		q.Set("cursor", strconv.FormatInt(all[to-1].id, 10))
		api, _ := c.t.urls()
		c.w.Header().Set("Link", fmt.Sprintf("<%s%s?%s>; rel=\"next\"", api, c.r.URL.Path, q.Encode()))
	}
	out := []any{}
	for _, d := range all[from:to] {
		out = append(out, c.deliveryItem(d))
	}
	answer(c.w, http.StatusOK, out)
}

func (c *call) findDelivery() *delivery {
	id, ok := c.number("id")
	if !ok {
		return nil
	}
	p := c.t.post
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.log {
		if d.id == id {
			twin := *d
			return &twin
		}
	}
	fail(c.w, http.StatusNotFound, "Not Found")
	return nil
}

func (c *call) getDelivery() {
	d := c.findDelivery()
	if d == nil {
		return
	}
	out := c.deliveryItem(d)
	out["url"] = ""
	out["request"] = j{"headers": j{"X-GitHub-Event": d.event, "X-GitHub-Delivery": d.guid}, "payload": rawJSON(d.body)}
	out["response"] = j{"headers": j{}, "payload": nil}
	answer(c.w, http.StatusOK, out)
}

// rawJSON is JSON as it is.
type rawJSON []byte

// MarshalJSON implements json.Marshaler.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// redeliver sends a delivery again, with the same guid.
func (c *call) redeliver() {
	d := c.findDelivery()
	if d == nil {
		return
	}
	p := c.t.post
	p.mu.Lock()
	p.next++
	d.id, d.again, d.status, d.at = p.next, true, 0, c.t.forge.Now()
	p.mu.Unlock()
	p.box.Put(d, sim.DeliveryFate{})
	answer(c.w, http.StatusAccepted, j{})
}

var _ http.Handler = (*Face)(nil)

// Forge is the forge behind the face.
func (t *Face) Forge() *sim.Forge { return t.forge }
