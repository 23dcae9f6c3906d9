package pages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"primum/forges"
)

// OAuth logs people in with their account on a forge that speaks GitHub's
// OAuth. Nothing is asked of the account but who it is; the token is dropped
// right after.
type OAuth struct {
	Forge        string // key of the forge the accounts belong to
	ClientID     string
	ClientSecret string
	// WebURL is the forge as people open it, "https://github.com"; APIURL its
	// REST interface, "https://api.github.com".
	WebURL string
	APIURL string
	Client *http.Client // nil for the default one
}

const (
	oauthCookie = "primum_oauth"
	oauthLife   = 10 * time.Minute
)

func (p *Pages) oauth() oauth2.Config {
	g := p.o.Access.GitHub
	web := strings.TrimSuffix(g.WebURL, "/")
	return oauth2.Config{
		ClientID: g.ClientID, ClientSecret: g.ClientSecret,
		Endpoint:    oauth2.Endpoint{AuthURL: web + "/login/oauth/authorize", TokenURL: web + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams},
		RedirectURL: strings.TrimSuffix(p.o.PublicURL, "/") + "/login/github/done",
	}
}

// toGitHub sends the browser to the forge. What must come back with it, the
// state and the PKCE verifier, waits in a signed cookie.
func (p *Pages) toGitHub(w http.ResponseWriter, r *http.Request) {
	if p.o.Access.GitHub == nil {
		p.stranger(w, r)
		return
	}
	state, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	payload := strings.Join([]string{state, verifier, p.next(r.URL.Query().Get("next"))}, "|")
	signature, err := p.mac(r.Context(), "oauth", payload)
	if err != nil {
		p.trouble(w, r, "begin the login", err)
		return
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the public address
		Name: oauthCookie, Value: encode(signature + "|" + payload), Path: p.base + "/login/github", MaxAge: int(oauthLife.Seconds()),
		HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	})
	c := p.oauth()
	http.Redirect(w, r, c.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)), http.StatusSeeOther)
}

func (p *Pages) fromGitHub(w http.ResponseWriter, r *http.Request) {
	if p.o.Access.GitHub == nil {
		p.stranger(w, r)
		return
	}
	next, login, err := p.exchange(r)
	http.SetCookie(w, &http.Cookie{Name: oauthCookie, Path: p.base + "/login/github", MaxAge: -1, HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode}) //nolint:gosec // as above
	if err != nil {
		p.o.Log.WarnContext(r.Context(), "login refused", slog.String("error", err.Error()))
		c := p.ways()
		c.Wrong = "The forge did not confirm who you are. Begin again."
		p.render(w, r, http.StatusForbidden, page{Title: "Log in", Name: "login", Content: c})
		return
	}
	if err := p.remember(w, r, viewer{Forge: p.o.Access.GitHub.Forge, Login: login}); err != nil {
		p.trouble(w, r, "open a session", err)
		return
	}
	http.Redirect(w, r, p.base+next, http.StatusSeeOther) //nolint:gosec // next keeps to paths of ours
}

// exchange turns the code that came back into a login.
func (p *Pages) exchange(r *http.Request) (next, login string, err error) {
	cookie, err := r.Cookie(oauthCookie)
	if err != nil {
		return "", "", errors.New("no login was begun in this browser")
	}
	raw, err := decode(cookie.Value)
	if err != nil {
		return "", "", errors.New("login cookie damaged")
	}
	signature, payload, _ := strings.Cut(raw, "|")
	parts := strings.SplitN(payload, "|", 3)
	if len(parts) != 3 || !p.signed(r.Context(), "oauth", payload, signature) {
		return "", "", errors.New("login cookie damaged")
	}
	if r.URL.Query().Get("state") != parts[0] {
		return "", "", errors.New("state differs from the one sent")
	}
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	client := p.o.Access.GitHub.Client
	if client == nil {
		client = http.DefaultClient
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
	c := p.oauth()
	token, err := c.Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(parts[1]))
	if err != nil {
		return "", "", fmt.Errorf("exchange the code: %w", err)
	}
	login, err = p.whoami(ctx, c.Client(ctx, token))
	return p.next(parts[2]), login, err
}

// whoami asks the forge whose token this is.
func (p *Pages) whoami(ctx context.Context, client *http.Client) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(p.o.Access.GitHub.APIURL, "/")+"/user", nil)
	if err != nil {
		return "", fmt.Errorf("ask who logged in: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask who logged in: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var user struct {
		Login string `json:"login"`
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask who logged in: %w", &forges.HTTPError{Method: http.MethodGet, Path: "/user", Status: res.StatusCode})
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&user); err != nil || user.Login == "" {
		return "", errors.New("ask who logged in: the answer names nobody")
	}
	return user.Login, nil
}
