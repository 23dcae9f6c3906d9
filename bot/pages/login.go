package pages

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// ways are the ways to log in, for the pages that offer them.
type ways struct {
	Key    bool
	GitHub bool
	Next   string
	Wrong  string // why the last try did not work
}

func (p *Pages) ways() ways {
	if p.o.Access.Everyone {
		return ways{}
	}
	return ways{Key: p.o.Access.Key != "", GitHub: p.o.Access.GitHub != nil}
}

// next is where to go after logging in: a path of ours, else the start page.
func (p *Pages) next(s string) string {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t") || strings.HasPrefix(s, "/login") {
		return "/"
	}
	return s
}

func (p *Pages) loginForm(w http.ResponseWriter, r *http.Request) {
	v, _ := p.viewer(r)
	c := p.ways()
	c.Next = p.next(r.URL.Query().Get("next"))
	p.render(w, r, http.StatusOK, page{Title: "Log in", Name: "login", Viewer: v, Content: c})
}

func (p *Pages) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	c := p.ways()
	if !c.Key {
		p.stranger(w, r)
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, "This form cannot be read.", http.StatusBadRequest)
		return
	}
	c.Next = p.next(r.PostForm.Get("next"))
	if !p.tries.AllowN(p.o.Clock.Now(), 1) {
		w.Header().Set("Retry-After", "5")
		c.Wrong = "Too many tries at once. Wait a few seconds and try again."
		p.render(w, r, http.StatusTooManyRequests, page{Title: "Log in", Name: "login", Content: c})
		return
	}
	given, want := sha256.Sum256([]byte(r.PostForm.Get("key"))), sha256.Sum256([]byte(p.o.Access.Key))
	if subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		c.Wrong = "This is not the access key. Whoever runs Primum here knows it."
		p.render(w, r, http.StatusForbidden, page{Title: "Log in", Name: "login", Content: c})
		return
	}
	if err := p.remember(w, r, viewer{All: true}); err != nil {
		p.trouble(w, r, "open a session", err)
		return
	}
	http.Redirect(w, r, p.base+c.Next, http.StatusSeeOther) //nolint:gosec // next keeps to paths of ours
}

func (p *Pages) logout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the public address
		Name: sessionCookie, Path: p.base + "/", MaxAge: -1, HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, p.base+"/", http.StatusSeeOther)
}

// newTries allows ten tries of the access key at once, then one a second.
func newTries() *rate.Limiter { return rate.NewLimiter(rate.Every(time.Second), 10) }

// wayBack is the address of a request without a key in it.
func wayBack(r *http.Request) string {
	q := r.URL.Query()
	q.Del("k")
	if len(q) == 0 {
		return r.URL.Path
	}
	return r.URL.Path + "?" + q.Encode()
}
