package gitlab

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	hooks "github.com/go-playground/webhooks/v6/gitlab"

	"primum/forges"
)

// Headers of a delivery.
const (
	headerEvent   = "X-Gitlab-Event"
	headerToken   = "X-Gitlab-Token" //nolint:gosec // the name of a header
	headerUUID    = "X-Gitlab-Event-Uuid"
	headerTry     = "X-Gitlab-Webhook-Uuid"
	headerOnce    = "Idempotency-Key"
	headerCheck   = "X-Gitlab-Signature" // of an external status check
	headerID      = "Webhook-Id"         // these three by Standard Webhooks
	headerTime    = "Webhook-Timestamp"
	headerSigned  = "Webhook-Signature"
	maxDelivery   = 25 << 20
	signedFor     = 5 * time.Minute // how far the time in a signature may be off
	changeHook    = "Merge Request Hook"
	signatureWord = "v1,"
)

var (
	eventShape    = regexp.MustCompile(`^[A-Za-z][A-Za-z _-]{0,60}$`)
	deliveryShape = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	checkShape    = regexp.MustCompile(`^(?:sha256=)?([0-9a-f]{64})$`)
)

// Verify implements forges.Forge. A delivery of a webhook carries the secret
// token, or is signed over its id, time and body where the webhook has a signing
// token; one of an external status check is signed over its body.
func (f *Forge) Verify(h http.Header, body []byte) (forges.Delivery, error) {
	d := forges.Delivery{Forge: f.Key(), Event: h.Get(headerEvent), Header: h, Body: body}
	ofCheck := d.Event == "" && h.Get(headerCheck) != ""
	if ofCheck { // they come without the name of an event
		d.Event = changeHook
	}
	if !eventShape.MatchString(d.Event) {
		return forges.Delivery{}, fmt.Errorf("header X-Gitlab-Event: %w", forges.ErrMalformed)
	}
	if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); err != nil || kind != "application/json" {
		return forges.Delivery{}, fmt.Errorf("content type is not application/json: %w", forges.ErrMalformed)
	}
	if len(body) == 0 || len(body) > maxDelivery {
		return forges.Delivery{}, fmt.Errorf("body of %d bytes: %w", len(body), forges.ErrMalformed)
	}
	var err error
	if d.ID, err = deliveryID(h, body, ofCheck); err != nil {
		return forges.Delivery{}, err
	}
	switch {
	case h.Get(headerCheck) != "":
		err = f.verifyCheck(h.Get(headerCheck), body)
	case len(f.signing) > 0:
		err = f.verifySigned(h, body)
	default:
		err = f.verifyToken(h, body)
	}
	if err != nil {
		return forges.Delivery{}, err
	}
	return d, nil
}

// deliveryID names a delivery, the same again when it is repeated. GitLab sends an
// Idempotency-Key since 17.4, of which that is the meaning. Before, it sends the
// UUID of the event (since 14.8), which deliveries to several webhooks share that
// set each other off, and that of the try (since 16.2); so with either the body
// is part of the name. It is the whole name of what an external status check
// sends, which has none.
func deliveryID(h http.Header, body []byte, ofCheck bool) (string, error) {
	for _, name := range []string{headerID, headerOnce} {
		id := h.Get(name)
		switch {
		case id == "":
		case deliveryShape.MatchString(id):
			return id, nil
		default:
			return "", fmt.Errorf("header %s: %w", name, forges.ErrMalformed)
		}
	}
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:16])
	for _, name := range []string{headerUUID, headerTry} {
		id := h.Get(name)
		switch {
		case id == "":
		case deliveryShape.MatchString(id):
			return id + "." + digest, nil
		default:
			return "", fmt.Errorf("header %s: %w", name, forges.ErrMalformed)
		}
	}
	if ofCheck {
		return "sha256-" + digest, nil
	}
	return "", fmt.Errorf("no header %s, %s or %s: %w", headerOnce, headerUUID, headerTry, forges.ErrMalformed)
}

// verifyToken compares the token with every secret, in constant time.
//
// webhooks/v6 looks at the event before it answers and knows only some, so it is
// given the bytes under a carrier event whose payload can be any object. No error
// from it is then proof of the token, for every event.
func (f *Forge) verifyToken(h http.Header, body []byte) error {
	if h.Get(headerToken) == "" {
		return forges.ErrSignature
	}
	for _, hook := range f.hooks {
		carrier, err := http.NewRequest(http.MethodPost, "/", bytes.NewReader(body)) //nolint:noctx // never sent
		if err != nil {
			return err
		}
		carrier.Header.Set(headerEvent, string(hooks.TagEvents))
		carrier.Header.Set(headerToken, h.Get(headerToken))
		switch _, err = hook.Parse(carrier, hooks.TagEvents); {
		case err == nil:
			return nil
		case !errors.Is(err, hooks.ErrGitLabTokenVerificationFailed):
			// The token was right: it is looked at before the body. What the body
			// says is then for Decode, if it is an object at all.
			if json.Valid(body) && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
				return nil
			}
			return fmt.Errorf("body is no JSON object: %w", forges.ErrMalformed)
		}
	}
	return forges.ErrSignature
}

// verifySigned checks a signature as Standard Webhooks has it: over the id, the
// time and the body, with any of the keys, not older or newer than five minutes.
func (f *Forge) verifySigned(h http.Header, body []byte) error {
	id, stamp := h.Get(headerID), h.Get(headerTime)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if id == "" || err != nil || f.Now().Sub(time.Unix(seconds, 0)).Abs() > signedFor {
		return forges.ErrSignature
	}
	for _, key := range f.signing {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(id + "." + stamp + ".")) // a hash never refuses
		_, _ = mac.Write(body)
		want := mac.Sum(nil)
		for word := range strings.FieldsSeq(h.Get(headerSigned)) {
			got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(word, signatureWord))
			if err == nil && strings.HasPrefix(word, signatureWord) && hmac.Equal(got, want) {
				return nil
			}
		}
	}
	return forges.ErrSignature
}

// verifyCheck checks the signature of an external status check: HMAC-SHA256 of
// the body in hex, with any of the secrets.
func (f *Forge) verifyCheck(signature string, body []byte) error {
	word := checkShape.FindStringSubmatch(signature)
	if word == nil {
		return forges.ErrSignature
	}
	got, err := hex.DecodeString(word[1])
	if err != nil {
		return forges.ErrSignature
	}
	for _, secret := range f.Secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = mac.Write(body) // a hash never refuses
		if hmac.Equal(got, mac.Sum(nil)) {
			return nil
		}
	}
	return forges.ErrSignature
}
