package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"primum/bot"
	"primum/bot/clock"
	"primum/bot/config"
	"primum/bot/pages"
	"primum/forges"
	"primum/forges/gitea"
	"primum/forges/github"
	"primum/forges/gitlab"
	"primum/forges/wire"
)

// openForges makes every forge of the settings, and says what is wrong with all.
func openForges(c *config.Config, log *slog.Logger, meter *bot.Meter) ([]forges.Forge, error) {
	var made []forges.Forge
	var problems []error
	for _, in := range c.Forges {
		f, err := openForge(in, log, func(call wire.Call) {
			meter.Call(in.Key, call.Operation, call.Resource, call.Status, call.Took, call.Remaining)
		})
		if err != nil {
			if strings.Contains(err.Error(), "authorities: ") {
				err = fmt.Errorf("PRIMUM_%s_CA_FILE: %w", strings.ToUpper(strings.ReplaceAll(in.Key, "-", "_")), err)
			}
			problems = append(problems, fmt.Errorf("forge %s: %w", in.Key, err))
			continue
		}
		made = append(made, f)
	}
	return made, errors.Join(problems...)
}

// openForge makes one forge of the settings and calls nobody. Meter may be nil.
func openForge(in config.Instance, log *slog.Logger, meter func(wire.Call)) (forges.Forge, error) {
	reach := in.Reach()
	proxy, err := proxyOf(reach)
	if err != nil {
		return nil, err
	}
	switch {
	case in.GitHub != nil:
		return github.New(github.Config{
			Key: in.Key, AppID: in.GitHub.AppID, PrivateKey: []byte(in.GitHub.PrivateKey), Secrets: in.GitHub.WebhookSecrets,
			BaseURL: in.GitHub.APIURL, CAFile: reach.CAFile, Proxy: proxy, Timeout: reach.Timeout,
			Now: clock.System{}.Now, Log: log, Meter: meter,
		})
	case in.GitLab != nil:
		return gitlab.New(gitlab.Config{
			Key: in.Key, URL: in.GitLab.URL, Token: in.GitLab.Token, Secrets: in.GitLab.WebhookSecrets, SigningTokens: in.GitLab.SigningTokens,
			Way: in.GitLab.Way, CAFile: reach.CAFile, Proxy: proxy, Timeout: reach.Timeout,
			Now: clock.System{}.Now, Log: log, Meter: meter,
		})
	case in.Gitea != nil:
		return gitea.New(gitea.Config{
			Key: in.Key, URL: in.Gitea.URL, Token: in.Gitea.Token, Secrets: in.Gitea.WebhookSecrets,
			CAFile: reach.CAFile, Proxy: proxy, Timeout: reach.Timeout,
			Now: clock.System{}.Now, Log: log, Meter: meter,
		})
	default:
		return nil, fmt.Errorf("kind %q is not known", in.Kind)
	}
}

// proxyOf is the proxy of a forge's calls; nil for the environment's.
func proxyOf(r config.Reach) (func(*http.Request) (*url.URL, error), error) {
	switch r.Proxy {
	case "":
		return nil, nil //nolint:nilnil // nil stands for the environment's
	case config.NoProxy:
		return func(*http.Request) (*url.URL, error) { return nil, nil }, nil //nolint:nilnil // no proxy, see http.Transport
	}
	u, err := url.Parse(r.Proxy)
	if err != nil {
		return nil, errors.New("proxy: not an address") // without the address, which may hold a password
	}
	return http.ProxyURL(u), nil
}

// access says who sees pages of private repositories. People log in with the
// first forge that has a client ID, reached as its API is.
func access(c *config.Config) (pages.Access, error) {
	a := pages.Access{Key: c.PagesKey}
	in := c.Login()
	if in == nil {
		return a, nil
	}
	proxy, err := proxyOf(in.Reach())
	if err != nil {
		return a, err
	}
	under, err := wire.Transport(wire.Options{CAFile: in.Reach().CAFile, Proxy: proxy})
	if err != nil {
		return a, fmt.Errorf("login with %s: %w", in.Key, err)
	}
	a.GitHub = &pages.OAuth{
		Forge: in.Key, ClientID: in.GitHub.ClientID, ClientSecret: in.GitHub.ClientSecret,
		WebURL: in.GitHub.WebURL, APIURL: cmp.Or(in.GitHub.APIURL, "https://api.github.com"),
		Client: &http.Client{Transport: under, Timeout: in.Reach().Timeout},
	}
	return a, nil
}
