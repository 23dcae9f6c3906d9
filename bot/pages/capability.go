package pages

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"primum/bot/store"
)

// secretNote is where the signing secret is kept in the store.
const secretNote = "pages.secret"

// key is the signing secret: configured, or made once and kept in the store.
func (p *Pages) key(ctx context.Context) ([]byte, error) {
	if len(p.o.Access.Secret) > 0 {
		return p.o.Access.Secret, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.secret != nil {
		return p.secret, nil
	}
	kept, ok, err := p.o.Store.Noted(ctx, secretNote)
	if err != nil {
		return nil, fmt.Errorf("read the pages' secret: %w", err)
	}
	if !ok {
		fresh := make([]byte, 32)
		_, _ = rand.Read(fresh) // never fails, see crypto/rand
		if err := p.o.Store.Note(ctx, secretNote, base64.RawStdEncoding.EncodeToString(fresh)); err != nil {
			return nil, fmt.Errorf("keep the pages' secret: %w", err)
		}
		// Another replica may have kept its own a moment later: the one in the
		// store is the one that counts.
		if kept, ok, err = p.o.Store.Noted(ctx, secretNote); err != nil || !ok {
			return nil, fmt.Errorf("read the pages' secret back: %w", err)
		}
	}
	secret, err := base64.RawStdEncoding.DecodeString(kept)
	if err != nil || len(secret) < 32 {
		return nil, fmt.Errorf("the pages' secret in the store is no secret: %q note damaged", secretNote)
	}
	p.secret = secret
	return secret, nil
}

// mac signs a text for one purpose.
func (p *Pages) mac(ctx context.Context, purpose, text string) (string, error) {
	key, err := p.key(ctx)
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte("primum/" + purpose + "/v1\x00" + text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:20]), nil
}

func (p *Pages) signed(ctx context.Context, purpose, text, signature string) bool {
	want, err := p.mac(ctx, purpose, text)
	return err == nil && hmac.Equal([]byte(want), []byte(signature))
}

// bound is the text a capability key signs: exactly one subject.
func bound(k store.Key) string {
	return strings.Join([]string{k.Forge, k.RepoID, string(k.Kind), k.Ref}, "\x00")
}

// Capability is the key that opens the pages of one subject, for its details
// link. It does not expire: the link stands on the forge, where only readers of
// the repository see it.
func (p *Pages) Capability(ctx context.Context, k store.Key) (string, error) {
	return p.mac(ctx, "capability", bound(k))
}

// ChangeURL is the details link of a change's check: the address of its page,
// with the capability key where the repository is private.
func (p *Pages) ChangeURL(ctx context.Context, k store.Key, owner, name string, private bool) (string, error) {
	link := strings.TrimSuffix(p.o.PublicURL, "/") + changePath(k.Forge, owner, name, k.Ref)
	if !private {
		return link, nil
	}
	c, err := p.Capability(ctx, k)
	if err != nil {
		return "", err
	}
	return link + "?k=" + c, nil
}

func changePath(forge, owner, name, number string) string {
	parts := append([]string{"", "c", forge}, strings.Split(owner, "/")...) // a group may be part of another
	parts = append(parts, name, number)
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

func capabilityCookie(number string) string { return "primum_k" + number }

// capable reports whether the request carries the subject's key. A key in the
// address moves into a cookie of the repository's path, and moved says that the
// answer has been given: a redirect to the address without it.
func (p *Pages) capable(w http.ResponseWriter, r *http.Request, k store.Key, owner, name string) (ok, moved bool) {
	ctx := r.Context()
	if given := r.URL.Query().Get("k"); given != "" {
		if !p.signed(ctx, "capability", bound(k), given) {
			return false, false
		}
		path := p.base + strings.TrimSuffix(changePath(k.Forge, owner, name, ""), "/")
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the public address
			Name: capabilityCookie(k.Ref), Value: given, Path: path, MaxAge: 30 * 24 * 3600,
			HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
		})
		query := r.URL.Query()
		query.Del("k")
		to := url.URL{Path: p.base + r.URL.Path, RawQuery: query.Encode()}
		http.Redirect(w, r, to.String(), http.StatusSeeOther)
		return true, true
	}
	if _, err := strconv.Atoi(k.Ref); err != nil {
		return false, false
	}
	c, err := r.Cookie(capabilityCookie(k.Ref))
	return err == nil && p.signed(ctx, "capability", bound(k), c.Value), false
}
