package gitea

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"time"

	"github.com/go-playground/webhooks/v6/gitea"

	"primum/forges"
)

// Families of headers a delivery can carry. Both products send the first;
// Forgejo sends the second beside it. Copies under other forges' names come
// along and are not looked at.
const (
	giteaHeaders   = "X-Gitea-"
	forgejoHeaders = "X-Forgejo-"
)

// maxDelivery bounds a delivery. The forge has no bound of its own.
const maxDelivery = 25 << 20

var (
	eventShape     = regexp.MustCompile(`^[a-z0-9_]{1,60}$`)
	deliveryShape  = regexp.MustCompile(`^[A-Za-z0-9-]{1,80}$`)
	signatureShape = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Verify implements forges.Forge.
//
// webhooks/v6 looks at the event before the signature and knows only some
// events, so it is given the bytes under a carrier event whose payload can be
// any object. No error from it is then proof of the signature, for every event.
// A signature under both families of headers must be right under both.
func (f *Forge) Verify(h http.Header, body []byte) (forges.Delivery, error) {
	family := forgejoHeaders
	if h.Get(family+"Event") == "" {
		family = giteaHeaders
	}
	d := forges.Delivery{Forge: f.Key(), ID: h.Get(family + "Delivery"), Event: h.Get(family + "Event-Type"), Header: h, Body: body}
	if d.Event == "" {
		d.Event = h.Get(family + "Event") // before Gitea 1.11
	}
	if d.Event == "" {
		return forges.Delivery{}, fmt.Errorf("no X-Gitea-Event header; it is no delivery of Gitea or Forgejo: %w", forges.ErrMalformed)
	}
	if !eventShape.MatchString(d.Event) {
		return forges.Delivery{}, fmt.Errorf("header %sEvent-Type: %w", family, forges.ErrMalformed)
	}
	if !deliveryShape.MatchString(d.ID) {
		return forges.Delivery{}, fmt.Errorf("header %sDelivery: %w", family, forges.ErrMalformed)
	}
	if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); err != nil || kind != "application/json" {
		return forges.Delivery{}, fmt.Errorf("content type is not application/json; set it in the webhook: %w", forges.ErrMalformed)
	}
	if len(body) == 0 || len(body) > maxDelivery {
		return forges.Delivery{}, fmt.Errorf("body of %d bytes: %w", len(body), forges.ErrMalformed)
	}
	signed := false
	for _, family := range []string{giteaHeaders, forgejoHeaders} {
		signature := h.Get(family + "Signature")
		if signature == "" {
			continue
		}
		if !f.proven(signature, body) {
			return forges.Delivery{}, forges.ErrSignature
		}
		signed = true
	}
	if !signed {
		return forges.Delivery{}, forges.ErrSignature
	}
	if !json.Valid(body) || bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
		return forges.Delivery{}, fmt.Errorf("body is no JSON object: %w", forges.ErrMalformed)
	}
	return d, nil
}

// proven reports whether one of the secrets makes this signature of the body.
// Every secret is tried, so that the time tells nothing of which one it was.
func (f *Forge) proven(signature string, body []byte) bool {
	if !signatureShape.MatchString(signature) {
		return false
	}
	found := false
	for _, hook := range f.hooks {
		carrier, err := http.NewRequest(http.MethodPost, "/", bytes.NewReader(body)) //nolint:noctx // never sent
		if err != nil {
			return false
		}
		carrier.Header.Set("X-Gitea-Event", string(gitea.DeleteEvent))
		carrier.Header.Set("X-Gitea-Signature", signature)
		if _, err = hook.Parse(carrier, gitea.DeleteEvent); err == nil || unread(err) {
			found = true
		}
	}
	return found
}

// unread reports whether the library got as far as the payload, which it reads
// after the signature was found right.
func unread(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var when *time.ParseError
	return errors.As(err, &syntax) || errors.As(err, &kind) || errors.As(err, &when)
}
