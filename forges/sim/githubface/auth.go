package githubface

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"primum/forges/sim"
)

// tokenLife is how long an installation token lives.
const tokenLife = time.Hour

// grant is what a token allows.
type grant struct {
	installation int64
	expires      time.Time
}

// caller is who asks: the app itself, one of its installations, or a person.
type caller struct {
	app          *sim.App // copied
	asApp        bool
	installation *sim.Installation // copied
	login        string            // of the acting account
}

// may reports whether the caller's installation holds a permission. A person
// is judged by the forge instead.
func (c caller) may(permission, level string) bool {
	if c.installation == nil {
		return !c.asApp
	}
	have := c.installation.Permissions[permission]
	return have == level || have == "write" || (have == "admin")
}

// sees reports whether a repository exists for the caller.
func (c caller) sees(v *sim.View, r *sim.Repo) bool {
	switch {
	case r == nil || c.asApp:
		return false
	case !r.Private:
		return true
	case c.installation != nil:
		return v.Reaches(c.installation, r)
	}
	return v.Permission(r, v.AccountByLogin(c.login)).AtLeast(sim.Read)
}

// key is whose budget a call uses.
func (c caller) key() string {
	if c.installation != nil {
		return strconv.FormatInt(c.installation.ID, 10)
	}
	return "user " + c.login
}

var errCredentials = errors.New("Bad credentials") //nolint:staticcheck // GitHub's words

// authenticate finds who asks.
func (t *Face) authenticate(r *http.Request) (caller, error) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token == "" || (!strings.EqualFold(kind, "bearer") && !strings.EqualFold(kind, "token")) {
		return caller{}, errors.New("Requires authentication") //nolint:staticcheck // GitHub's words
	}
	t.mu.Lock()
	o := t.o
	g, known := t.tokens[token]
	t.mu.Unlock()
	if login, ok := o.Tokens[token]; ok {
		return caller{login: login}, nil
	}
	var app *sim.App
	var in *sim.Installation
	t.forge.Read(func(v *sim.View) {
		if a := v.AppBySlug(o.App); a != nil {
			c := *a
			app = &c
		}
		if known {
			if i := v.Installation(g.installation); i != nil {
				c := *i
				in = &c
			}
		}
	})
	if known {
		if in == nil || !o.AuthNow().Before(g.expires) || app == nil {
			return caller{}, errCredentials
		}
		return caller{app: app, installation: in, login: app.Slug + "[bot]"}, nil
	}
	if strings.Count(token, ".") != 2 || app == nil {
		return caller{}, errCredentials
	}
	if err := checkJWT(token, o.PublicKey, app.ID, o.AuthNow()); err != nil {
		return caller{}, err
	}
	return caller{app: app, asApp: true, login: app.Slug + "[bot]"}, nil
}

// checkJWT proves an app's JWT as GitHub does: RS256, issued by the app, alive,
// not for longer than ten minutes.
func checkJWT(token string, key *rsa.PublicKey, app int64, now time.Time) error {
	bad := errors.New("A JSON web token could not be decoded") //nolint:staticcheck // GitHub's words
	parts := strings.Split(token, ".")
	var head struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Iss any   `json:"iss"`
		Iat int64 `json:"iat"`
		Exp int64 `json:"exp"`
	}
	for i, into := range []any{&head, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(raw, into) != nil {
			return bad
		}
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || head.Alg != "RS256" || key == nil {
		return bad
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) != nil {
		return bad
	}
	const drift = time.Minute
	switch exp := time.Unix(claims.Exp, 0); {
	case fmt.Sprint(claims.Iss) != strconv.FormatInt(app, 10) && fmt.Sprintf("%.0f", claims.Iss) != strconv.FormatInt(app, 10):
		return errors.New("'Issuer' claim ('iss') must be an Integer")
	case !now.Before(exp):
		return errors.New("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case exp.After(now.Add(10*time.Minute + drift)):
		return errors.New("'Expiration time' claim ('exp') is too far in the future")
	case time.Unix(claims.Iat, 0).After(now.Add(drift)):
		return errors.New("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	}
	return nil
}

// mint makes an installation token.
func (t *Face) mint(installation int64) (token string, expires time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	expires = t.o.AuthNow().Add(tokenLife).UTC().Truncate(time.Second)
	token = fmt.Sprintf("ghs_%032dSIM%d", len(t.tokens)+1, installation)
	t.tokens[token] = grant{installation: installation, expires: expires}
	return token, expires
}

// ExpireTokens makes every installation token given out so far worthless.
func (t *Face) ExpireTokens() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens = map[string]grant{}
}
