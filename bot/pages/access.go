package pages

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"primum/bot/store"
	"primum/forges"
)

const (
	sessionCookie = "primum_session"
	sessionLife   = 12 * time.Hour
)

// viewer is who looks at a page. The zero viewer is a stranger.
type viewer struct {
	All   bool   `json:"all,omitempty"`   // holds the shared access key
	Forge string `json:"forge,omitempty"` // with Login: an account on a forge
	Login string `json:"login,omitempty"`
	Until int64  `json:"until,omitempty"` // seconds since the epoch
}

// Known reports whether somebody is logged in.
func (v viewer) Known() bool { return v.All || v.Login != "" }

// Name is who the page is shown to.
func (v viewer) Name() string {
	switch {
	case v.Login != "":
		return v.Login
	case v.All:
		return "access key"
	default:
		return ""
	}
}

// viewer reads the session cookie; known is false for a stranger.
func (p *Pages) viewer(r *http.Request) (v viewer, known bool) {
	if p.o.Access.Everyone {
		return viewer{}, false
	}
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return viewer{}, false
	}
	payload, signature, ok := strings.Cut(c.Value, ".")
	if !ok || !p.signed(r.Context(), p.sessionPurpose(), payload, signature) {
		return viewer{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(raw, &v) != nil || p.o.Clock.Now().Unix() >= v.Until {
		return viewer{}, false
	}
	if v.All && p.o.Access.Key == "" {
		return viewer{}, false // that way in was closed
	}
	return v, v.Known()
}

// sessionPurpose changes with the access key, so that a new key ends the
// sessions the old one opened.
func (p *Pages) sessionPurpose() string { return "session/" + version(p.o.Access.Key) }

// remember opens a session.
func (p *Pages) remember(w http.ResponseWriter, r *http.Request, v viewer) error {
	v.Until = p.o.Clock.Now().Add(sessionLife).Unix()
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	payload := base64.RawURLEncoding.EncodeToString(raw)
	signature, err := p.mac(r.Context(), p.sessionPurpose(), payload)
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the public address: a service on plain HTTP has no other
		Name: sessionCookie, Value: payload + "." + signature, Path: p.base + "/", MaxAge: int(sessionLife.Seconds()),
		HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	})
	return nil
}

// sees reports whether a viewer may read pages of a repository without a
// change's own key.
func (p *Pages) sees(ctx context.Context, v viewer, r store.RepoRow) bool {
	switch {
	case p.o.Access.Everyone, v.All:
		return true
	case r.Gone:
		return false
	case !r.Private:
		return true
	case v.Login == "" || v.Forge != r.Forge:
		return false
	default:
		return p.permitted(ctx, v, r)
	}
}

// permitted asks the forge, at most once a minute for each person and repository.
func (p *Pages) permitted(ctx context.Context, v viewer, r store.RepoRow) bool {
	key := [3]string{r.Forge, r.ID, v.Login}
	now := p.o.Clock.Now()
	if may, ok := p.may.get(key, now); ok {
		return may
	}
	f := p.o.Forges[r.Forge]
	if f == nil {
		return false
	}
	ref := forges.RepoRef{Forge: r.Forge, ID: r.ID, Owner: r.Owner, Name: r.Name, Installation: r.Installation, Private: r.Private, Default: r.Default}
	perm, err := f.Permission(ctx, ref, v.Login)
	if err != nil {
		p.o.Log.WarnContext(ctx, "permission not read", slog.String("repo", ref.FullName()), slog.String("login", v.Login), slog.String("error", err.Error()))
		if forges.Temporary(err) {
			return false // not remembered: ask again next time
		}
	}
	may := err == nil && (perm == forges.PermRead || perm == forges.PermWrite || perm == forges.PermAdmin)
	p.may.put(key, may, now.Add(time.Minute))
	return may
}

// permissions remembers the forge's answers for a minute.
type permissions struct {
	mu    *sync.Mutex
	known map[[3]string]answer
}

type answer struct {
	may   bool
	until time.Time
}

func newPermissions() permissions {
	return permissions{mu: &sync.Mutex{}, known: map[[3]string]answer{}}
}

func (c permissions) get(k [3]string, now time.Time) (may, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.known[k]
	return a.may, ok && now.Before(a.until)
}

func (c permissions) put(k [3]string, may bool, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= 10_000 { // a minute's worth of people: more means somebody is trying names
		clear(c.known)
	}
	c.known[k] = answer{may: may, until: until}
}
