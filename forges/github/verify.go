package github

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"

	"github.com/go-playground/webhooks/v6/github"

	"primum/forges"
)

// Headers of a delivery.
const (
	headerEvent     = "X-Github-Event"
	headerDelivery  = "X-Github-Delivery"
	headerSignature = "X-Hub-Signature-256"
)

// maxDelivery is the largest delivery GitHub sends.
const maxDelivery = 25 << 20

var (
	eventShape     = regexp.MustCompile(`^[a-z0-9_]{1,60}$`)
	deliveryShape  = regexp.MustCompile(`^[A-Za-z0-9-]{1,80}$`)
	signatureShape = regexp.MustCompile(`^sha256=[0-9a-f]{64}$`)
)

// Verify implements forges.Forge.
//
// webhooks/v6 looks at the event before the signature and knows only some
// events, so it is given the bytes under a carrier event whose payload can be
// any object. No error from it is then proof of the signature, for every event.
func (f *Forge) Verify(h http.Header, body []byte) (forges.Delivery, error) {
	if h.Get("X-Gitea-Event") != "" || h.Get("X-Forgejo-Event") != "" {
		return forges.Delivery{}, fmt.Errorf("a delivery of Gitea or Forgejo, which sends copies of GitHub's headers; "+
			"its webhook sends it to the address of that forge: %w", forges.ErrMalformed)
	}
	d := forges.Delivery{
		Forge: f.Key(), ID: h.Get(headerDelivery), Event: h.Get(headerEvent), Header: h, Body: body,
	}
	if !eventShape.MatchString(d.Event) {
		return forges.Delivery{}, fmt.Errorf("header X-GitHub-Event: %w", forges.ErrMalformed)
	}
	if !deliveryShape.MatchString(d.ID) {
		return forges.Delivery{}, fmt.Errorf("header X-GitHub-Delivery: %w", forges.ErrMalformed)
	}
	if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); err != nil || kind != "application/json" {
		return forges.Delivery{}, fmt.Errorf("content type is not application/json; set it in the webhook: %w", forges.ErrMalformed)
	}
	if len(body) == 0 || len(body) > maxDelivery {
		return forges.Delivery{}, fmt.Errorf("body of %d bytes: %w", len(body), forges.ErrMalformed)
	}
	signature := h.Get(headerSignature)
	if !signatureShape.MatchString(signature) {
		return forges.Delivery{}, forges.ErrSignature
	}
	for _, hook := range f.hooks {
		carrier, err := http.NewRequest(http.MethodPost, "/", bytes.NewReader(body)) //nolint:noctx // never sent
		if err != nil {
			return forges.Delivery{}, err
		}
		carrier.Header.Set(headerEvent, string(github.GitHubAppAuthorizationEvent))
		carrier.Header.Set(headerSignature, signature)
		_, err = hook.Parse(carrier, github.GitHubAppAuthorizationEvent)
		if err == nil {
			return d, nil
		}
		if notJSON(err) {
			// The signature was right: it is checked before the body is read.
			return forges.Delivery{}, fmt.Errorf("body is no JSON object of GitHub's: %w", forges.ErrMalformed)
		}
	}
	return forges.Delivery{}, forges.ErrSignature
}

func notJSON(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &kind)
}
