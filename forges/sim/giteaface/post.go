package giteaface

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // these products send the old signature too
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"primum/forges/sim/outbox"
)

// delivery is one webhook on its way.
type delivery struct {
	guid   string
	event  string
	kind   string
	action string
	to     hook
	target string // what the hook belongs to, in Gitea's word
	body   []byte
	at     time.Time
	status int
}

// post sends deliveries one after the other, each once. These products keep no
// log that a program could read and try nothing again; the log here is for tests.
type post struct {
	t   *Face
	box *outbox.Outbox[delivery]

	mu   sync.Mutex
	log  []*delivery // oldest first
	next int64
}

func newPost(t *Face) *post {
	p := &post{t: t}
	p.box = outbox.New(t.forge, p.send)
	return p
}

// put takes a delivery; it never waits.
func (p *post) put(to *hook, event, kind string, body j, at time.Time) {
	raw, err := json.MarshalIndent(body, "", "  ")
	if err != nil { // every value is made here
		panic("giteaface: payload is not JSON: " + err.Error())
	}
	action, _ := body["action"].(string)
	d := &delivery{event: event, kind: kind, action: action, to: *to, body: raw, at: at, target: "system"}
	switch {
	case to.repo != 0:
		d.target = "repository"
	case to.org != 0:
		d.target = "organization"
	}
	if to.content == "form" {
		d.body = []byte(url.Values{"payload": {string(raw)}}.Encode())
	}
	fate := p.t.forge.DrawDelivery()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	d.guid = fmt.Sprintf("%08x-7c3e-4d11-9a00-%012x", p.next, p.next*7919)
	if fate.Lose {
		p.log = append(p.log, d) // tried, and not received
		return
	}
	p.box.Put(d, fate)
}

func (p *post) send(ctx context.Context, d *delivery) {
	o := p.t.options()
	header := p.header(d)
	if o.Sent != nil {
		o.Sent(d.kind, header, d.body)
	}
	if d.to.url != "" {
		d.status = p.try(ctx, o, d.to.url, header, d.body)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, d)
	const keep = 4000
	if len(p.log) > keep {
		p.log = p.log[len(p.log)-keep:]
	}
}

func (p *post) try(ctx context.Context, o Options, to string, header http.Header, body []byte) int {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		o.Log.ErrorContext(ctx, "webhook address is wrong", slog.Any("error", err))
		return 0
	}
	req.Header = header
	resp, err := o.Client.Do(req)
	if err != nil {
		o.Log.InfoContext(ctx, "webhook not delivered", slog.String("delivery_id", header.Get("X-Gitea-Delivery")), slog.Any("error", err))
		return 0
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close()
	return resp.StatusCode
}

// header carries each name of the delivery in the words of all the forges these
// products came from or wish to be taken for.
func (p *post) header(d *delivery) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	if d.to.content == "form" {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	h.Set("User-Agent", "Go-http-client/1.1")
	words := []string{"Gitea", "Gogs", "GitHub"}
	if p.t.forgejo() {
		words = append(words, "Forgejo")
	}
	for _, w := range words {
		h.Set("X-"+w+"-Delivery", d.guid)
		h.Set("X-"+w+"-Event", d.event)
		h.Set("X-"+w+"-Event-Type", d.kind)
	}
	if !p.t.forgejo() {
		h.Set("X-Gitea-Hook-Installation-Target-Type", d.target)
		h.Set("X-GitHub-Hook-Installation-Target-Type", d.target)
	}
	if d.to.auth != "" {
		h.Set("Authorization", d.to.auth)
	}
	if d.to.secret == "" { // the headers are there, and empty
		h.Set("X-Gitea-Signature", "")
		h.Set("X-Gogs-Signature", "")
		return h
	}
	mac := sign(sha256.New, d.to.secret, d.body)
	for _, w := range words {
		if w != "GitHub" {
			h.Set("X-"+w+"-Signature", mac)
		}
	}
	h.Set("X-Hub-Signature", "sha1="+sign(sha1.New, d.to.secret, d.body))
	h.Set("X-Hub-Signature-256", "sha256="+mac)
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

// Delivered is one try of a delivery.
type Delivered struct {
	GUID   string
	Event  string // the coarse one
	Kind   string // the precise one
	Action string
	URL    string
	Status int // HTTP status; 0 if nobody answered or it was lost
	At     time.Time
	Header http.Header
	Body   []byte
}

// Deliveries lists what was sent or lost, oldest first.
func (t *Face) Deliveries() []Delivered {
	p := t.post
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Delivered, 0, len(p.log))
	for _, d := range p.log {
		out = append(out, Delivered{
			GUID: d.guid, Event: d.event, Kind: d.kind, Action: d.action, URL: d.to.url, Status: d.status, At: d.at, Header: p.header(d), Body: d.body,
		})
	}
	return out
}

var _ http.Handler = (*Face)(nil)
