package github

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"

	"primum/forges/wire"
)

// Limits of one Forge value.
const (
	secretMin      = 16 // bytes of a webhook secret
	maxInFlight    = 80 // calls at a time of one installation; GitHub allows 100
	defaultTimeout = 10 * time.Second
	defaultPeople  = 10 * time.Minute
)

// publicAPI is where github.com answers.
const publicAPI = "https://api.github.com/"

// Config says which GitHub and as whom.
type Config struct {
	// Key is the name of this instance in our own records; "github" if empty.
	Key string

	// AppID and PrivateKey (PEM) sign in as a GitHub App. Token signs in as
	// whoever it belongs to, for a CI job. Exactly one of the two is given.
	AppID      int64
	PrivateKey []byte
	Token      string
	// Repo, "owner/name", is the one repository a Token is for; ListRepos
	// answers it.
	Repo string

	// Secrets verify webhooks; any of them does, so that one can be replaced by
	// another. Each has at least 16 bytes. None at all is an error unless
	// NoWebhooks says that no delivery will ever come.
	Secrets    []string
	NoWebhooks bool

	// BaseURL is the API of an Enterprise Server: https://host/api/v3, with or
	// without a slash at the end. Empty means github.com.
	BaseURL string
	// CAFile names a PEM file of authorities to trust besides the system's;
	// CAPEM is the same as bytes.
	CAFile string
	CAPEM  []byte
	// Proxy finds the proxy of a request; the environment's if nil.
	Proxy func(*http.Request) (*url.URL, error)

	// Timeout bounds each try of a call, answer included; 10 s if zero.
	Timeout time.Duration
	// PeopleFor is how long members of teams are believed; 10 minutes if zero.
	PeopleFor time.Duration
	// Wait holds between two tries of a call; 100 ms doubling, with jitter, if nil.
	Wait func(try int) time.Duration

	// Now is the clock. It must be given.
	Now func() time.Time
	// Log may be nil.
	Log *slog.Logger
	// Meter is told of every try of a call; nil if nobody counts.
	Meter func(Call)
}

// Call is one try of one call, for counting. Its operation is "token" for a new
// token, its resource "core", "graphql" or "app".
type Call = wire.Call

// settled is a Config that was checked and completed.
type settled struct {
	Config
	rest    *url.URL // with a slash at the end
	graphql string
	key     *rsa.PrivateKey
	under   http.RoundTripper // shared by all installations
}

// app reports whether we sign in as a GitHub App.
func (s *settled) app() bool { return s.AppID != 0 }

func settle(c Config) (*settled, error) {
	s := &settled{Config: c}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	if s.Key == "" {
		s.Key = "github"
	}
	if s.Timeout <= 0 {
		s.Timeout = defaultTimeout
	}
	if s.PeopleFor <= 0 {
		s.PeopleFor = defaultPeople
	}
	if s.Wait == nil {
		s.Wait = wire.Backoff
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Meter == nil {
		s.Meter = func(Call) {}
	}
	if s.Now == nil {
		note(errors.New("no clock; give Now"))
	}
	note(s.checkIdentity())
	note(s.checkSecrets())
	note(s.settleURLs())
	note(s.settleWire())
	if len(problems) > 0 {
		return nil, fmt.Errorf("github: %w", errors.Join(problems...))
	}
	return s, nil
}

func (s *settled) checkIdentity() error {
	switch {
	case s.AppID != 0 && s.Token != "":
		return errors.New("both an app and a token; give one of them")
	case s.AppID == 0 && s.Token == "":
		return errors.New("neither an app nor a token; give an app id with its private key, or a token")
	case s.AppID != 0:
		if s.AppID < 0 {
			return fmt.Errorf("app id %d; it is a positive number", s.AppID)
		}
		key, err := parseKey(s.PrivateKey)
		if err != nil {
			return fmt.Errorf("private key of app %d: %w; it would be an RSA key in PEM", s.AppID, err)
		}
		s.key = key
	}
	if s.Repo != "" {
		if owner, name, ok := strings.Cut(s.Repo, "/"); !ok || !validName(owner) || !validName(name) {
			return fmt.Errorf("repository %q; it would be owner/name", s.Repo)
		}
	}
	return nil
}

func (s *settled) checkSecrets() error {
	if len(s.Secrets) == 0 && !s.NoWebhooks {
		return errors.New("no webhook secret; without one anybody could send deliveries")
	}
	for i, secret := range s.Secrets {
		if len(secret) < secretMin {
			return fmt.Errorf("webhook secret %d has %d bytes; it would be at least %d", i+1, len(secret), secretMin)
		}
	}
	return nil
}

// settleURLs finds where REST and GraphQL answer: side by side on github.com,
// /api/v3 and /api/graphql on an Enterprise Server.
func (s *settled) settleURLs() error {
	base := s.BaseURL
	if base == "" {
		base = publicAPI
	}
	u, err := wire.Base(base)
	if err != nil {
		return fmt.Errorf("base %w", err)
	}
	s.rest = u
	gql := *u
	gql.Path = strings.TrimSuffix(u.Path, "v3/") + "graphql"
	s.graphql = gql.String()
	return nil
}

func (s *settled) settleWire() (err error) {
	s.under, err = wire.Transport(wire.Options{CAFile: s.CAFile, CAPEM: s.CAPEM, Proxy: s.Proxy, MaxInFlight: maxInFlight})
	return err
}

// appTransport signs as the app. Each installation gets one of its own, since
// sharing one is a data race in ghinstallation.
func (s *settled) appTransport(under http.RoundTripper) *ghinstallation.AppsTransport {
	t := ghinstallation.NewAppsTransportFromPrivateKey(under, s.AppID, s.key)
	t.BaseURL = strings.TrimRight(s.rest.String(), "/")
	return t
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Path
}

// parseKey reads an RSA key as GitHub hands it out (PKCS #1) or as other tools
// rewrite it (PKCS #8).
func parseKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("neither PKCS #1 nor PKCS #8")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an RSA key")
	}
	return key, nil
}
