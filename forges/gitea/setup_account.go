package gitea

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"primum/forges/admin"
)

// account finds Primum's own account, or makes it.
func (s *setup) account(ctx context.Context) error {
	var bot someone
	_, err := s.api.Get(ctx, "users/"+escaped(s.Bot), &bot)
	switch {
	case err == nil:
		s.botKnown = true
		s.is("the account " + bot.Login + " exists")
		if bot.Admin {
			s.note("the account "+bot.Login+" administers the site, far more than Primum needs",
				"take that from it: Site administration, User accounts, "+bot.Login)
		}
		return nil
	case statusIn(err) != http.StatusNotFound:
		return s.words.Explain(err, "look for the account "+s.Bot, ownerScopes)
	case !s.me.Admin:
		s.botMissing = true
		s.byHand("make the account "+s.Bot+" for Primum",
			"only the site's administrator makes accounts: Site administration, User accounts, Create user account; or on the server: "+
				s.serverCommand()+" admin user create --username "+s.Bot+" --email "+s.Bot+"@"+mailHost(s.URL)+" --random-password --must-change-password=false; then run this again")
		return nil
	}
	s.do("make the account "+s.Bot+" for Primum, with a password that nobody knows",
		adminScopes, false, func(ctx context.Context) error {
			_, err := s.api.Call(ctx, http.MethodPost, "admin/users", map[string]any{
				"username": s.Bot, "full_name": "Primum", "email": s.Bot + "@" + mailHost(s.URL),
				"password": "p1-" + rand.Text(), "must_change_password": false, "send_notify": false,
			}, nil)
			return err
		})
	return nil
}

// mailHost is a host for an address that no letter is ever sent to.
func mailHost(address string) string {
	u, err := url.Parse(address)
	if err != nil || !strings.Contains(u.Hostname(), ".") || strings.Trim(u.Hostname(), "0123456789.") == "" {
		return "primum.invalid"
	}
	return "noreply." + u.Hostname()
}

// accessToken is a token as listed; its value is shown once, when it is made.
type accessToken struct {
	Name   string   `json:"name"`
	Value  string   `json:"sha1"`
	Scopes []string `json:"scopes"`
}

// token sees to it that the account has a token. The API makes them for who
// shows a password; an administrator's token passes for one, and nobody
// else's does.
func (s *setup) token(ctx context.Context) error {
	if s.BotToken != "" {
		return s.checkToken(ctx)
	}
	path := "users/" + escaped(s.Bot) + "/tokens"
	var there []accessToken
	if s.me.Admin && s.botKnown {
		var err error
		if there, err = admin.List[accessToken](ctx, s.asBot, path, "limit"); err != nil {
			there = nil // the step below says why, if it comes to it
		}
	}
	ours := slices.DeleteFunc(there, func(t accessToken) bool { return t.Name != "primum" && !strings.HasPrefix(t.Name, "primum-") })
	switch {
	case len(ours) > 0 && !s.NewToken:
		s.is("the account " + s.Bot + " has a token, " + ours[0].Name + "; its value is known where it was kept")
	case s.me.Admin:
		name := freeName(there)
		s.do("make a token of the account "+s.Bot+" ("+strings.Join(botScopes, ", ")+")", adminScopes+"; or "+s.tokenPath(), false, func(ctx context.Context) error {
			var made accessToken
			if _, err := s.asBot.Call(ctx, http.MethodPost, path, accessTokenOption{Name: name, Scopes: botScopes}, &made); err != nil {
				return err
			}
			return s.keep("TOKEN", made.Value)
		})
	default:
		s.byHand("make a token of the account "+s.Bot, s.tokenPath())
	}
	return nil
}

type accessTokenOption struct {
	Name   string   `json:"name"`
	Scopes []string `json:"scopes"`
}

// freeName is a name no token has yet.
func freeName(there []accessToken) string {
	name := "primum"
	for n := 2; slices.ContainsFunc(there, func(t accessToken) bool { return t.Name == name }); n++ {
		name = fmt.Sprintf("primum-%d", n)
	}
	return name
}

// tokenPath is how a person makes the account's token.
func (s *setup) tokenPath() string {
	return "sign in as " + s.Bot + ": Settings, Applications, Generate new token, with repository and issue read and write, organization and user read; " +
		"or on the server: " + s.serverCommand() + " admin user generate-access-token --username " + s.Bot + " --token-name primum --scopes " + strings.Join(botScopes, ",") +
		"; and give it with --bot-token-file"
}

// serverCommand is the program that runs on the forge's server.
func (s *setup) serverCommand() string {
	if s.product.name == Forgejo {
		return "forgejo"
	}
	return "gitea"
}

// checkToken holds a token that is known against what it must be able to do.
func (s *setup) checkToken(ctx context.Context) error {
	api, err := s.client(tokenSign(s.BotToken))
	if err != nil {
		return err
	}
	var who someone
	if _, err := api.Get(ctx, "user", &who); err != nil {
		return s.words.Explain(err, "ask whose the account's token is", s.tokenPath())
	}
	if !strings.EqualFold(who.Login, s.Bot) {
		return &admin.Trouble{Says: "the token kept for Primum is that of " + who.Login + ", not of " + s.Bot, Cure: "give --bot " + who.Login + ", or a token of " + s.Bot}
	}
	s.is("the account " + s.Bot + " has a token that works")
	return nil
}

// keep hands a setting to who keeps it.
func (s *setup) keep(setting, value string) error {
	if s.Keep == nil {
		return nil
	}
	return s.Keep(setting, value)
}
