package gitlabface

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"primum/forges/sim/outbox"
)

// deliveryTimeout is how long GitLab waits for an answer.
const deliveryTimeout = 10 * time.Second

// keepDeliveries is how long the log of a webhook goes back.
const keepDeliveries = 7 * 24 * time.Hour

// delivery is one webhook on its way.
type delivery struct {
	id      int64
	key     string // Idempotency-Key: the same when sent again
	eventID string // X-Gitlab-Event-UUID: shared by all webhooks of one event
	event   string
	to      hook
	body    []byte
	at      time.Time
	status  int // HTTP status; 0 if nobody answered

	toCheck     bool // to an external status check
	checkSecret string
}

// post sends deliveries one after the other and keeps their log.
type post struct {
	t   *Face
	box *outbox.Outbox[delivery]

	mu    sync.Mutex
	log   []*delivery // oldest first
	next  int64
	drawn int64
}

func newPost(t *Face) *post {
	p := &post{t: t}
	p.box = outbox.New(t.forge, p.send)
	return p
}

// uuid is a new id in the form of a UUID.
func (p *post) uuid() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.draw()
}

func (p *post) draw() string {
	p.drawn++
	return fmt.Sprintf("%08x-51b0-4000-8000-%012x", p.drawn*2654435761%0xffffffff, p.drawn)
}

// put takes a delivery; it never waits.
func (p *post) put(d *delivery) {
	fate := p.t.forge.DrawDelivery()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	d.id, d.key = p.next, p.draw()
	if fate.Lose {
		p.log = append(p.log, d) // tried, and not received
		return
	}
	p.box.Put(d, fate)
}

func (p *post) send(ctx context.Context, d *delivery) {
	o := p.t.options()
	if d.to.implicit { // as the options are when it leaves
		d.to.url, d.to.token, d.to.signing = o.HookURL, o.Secret, o.SigningToken
	}
	header := p.header(d, o)
	if o.Sent != nil && !d.toCheck {
		o.Sent(d.event, header, d.body)
	}
	if d.to.url != "" {
		d.status, _ = p.try(ctx, o, d.to.url, header, d.body)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, d)
	oldest := p.t.forge.Now().Add(-keepDeliveries)
	for len(p.log) > 0 && p.log[0].at.Before(oldest) {
		p.log = p.log[1:]
	}
}

func (p *post) try(ctx context.Context, o Options, url string, header http.Header, body []byte) (int, string) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		o.Log.ErrorContext(ctx, "webhook address is wrong", slog.Any("error", err))
		return 0, err.Error()
	}
	req.Header = header
	resp, err := o.Client.Do(req)
	if err != nil {
		o.Log.InfoContext(ctx, "webhook not delivered", slog.String("delivery_id", header.Get("Idempotency-Key")), slog.Any("error", err))
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 8<<10))
	return resp.StatusCode, string(raw)
}

func (p *post) header(d *delivery, o Options) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitLab/"+o.Version)
	h.Set("Idempotency-Key", d.key)
	h.Set("X-Gitlab-Event", d.event)
	h.Set("X-Gitlab-Webhook-Uuid", p.uuid())
	h.Set("X-Gitlab-Event-Uuid", d.eventID)
	h.Set("X-Gitlab-Instance", o.WebURL)
	if d.to.token != "" {
		h.Set("X-Gitlab-Token", d.to.token)
	}
	if d.to.signing != "" {
		at := strconv.FormatInt(p.t.forge.Now().Unix(), 10)
		h.Set("Webhook-Id", d.key)
		h.Set("Webhook-Timestamp", at)
		h.Set("Webhook-Signature", "v1,"+Sign(d.to.signing, d.key, at, d.body))
	}
	if d.checkSecret != "" {
		mac := hmac.New(sha256.New, []byte(d.checkSecret))
		mac.Write(d.body)
		h.Set("X-Gitlab-Signature", hex.EncodeToString(mac.Sum(nil)))
	}
	return h
}

// Sign is the signature of Standard Webhooks over a delivery: the base64 of an
// HMAC-SHA256 of "id.timestamp.body". The key is what follows "whsec_" in base64;
// a token that is not in that form is the key itself.
func Sign(token, id, timestamp string, body []byte) string {
	key := []byte(token)
	if rest, ok := strings.CutPrefix(token, "whsec_"); ok {
		if raw, err := base64.StdEncoding.DecodeString(rest); err == nil {
			key = raw
		}
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Drain waits until everything that happened so far was delivered (or lost). A
// delivery held back to change the order is sent now.
func (t *Face) Drain(ctx context.Context) error { return t.post.box.Drain(ctx) }

// Delivered is one try of a delivery, from the log.
type Delivered struct {
	ID     int64
	Key    string // Idempotency-Key
	Event  string // X-Gitlab-Event
	URL    string
	Status int // HTTP status; 0 if nobody answered or it was lost
	At     time.Time
	Header http.Header
	Body   []byte
}

// Deliveries lists the log, oldest first.
func (t *Face) Deliveries() []Delivered {
	o := t.options()
	p := t.post
	p.mu.Lock()
	all := slices.Clone(p.log)
	p.mu.Unlock()
	out := make([]Delivered, 0, len(all))
	for _, d := range all {
		out = append(out, Delivered{
			ID: d.id, Key: d.key, Event: d.event, URL: d.to.url, Status: d.status, At: d.at, Header: p.header(d, o), Body: d.body,
		})
	}
	return out
}
