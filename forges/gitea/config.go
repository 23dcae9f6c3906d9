package gitea

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"primum/forges/wire"
)

// Limits of one Forge value.
const (
	secretMin     = 16 // bytes of a webhook secret
	defaultPeople = 10 * time.Minute
	maxInFlight   = 16 // calls at a time; a Gitea is often a small machine
	atOnce        = 4  // of them for one list of one change
)

// Config says which Gitea or Forgejo and as whom.
type Config struct {
	// Key is the name of this instance in our own records; "gitea" if empty.
	Key string

	// URL is the address people open, with the path the instance is installed
	// below: https://host or https://host/gitea. The API is below it.
	URL string
	// Token is an access token of the account Primum writes as.
	Token string
	// Repo, "owner/name", is the one repository to look at; ListRepos answers it
	// alone. Empty means every repository the account may see.
	Repo string

	// Secrets verify webhooks; any of them does, so that one can be replaced by
	// another. Each has at least 16 bytes. None at all is an error unless
	// NoWebhooks says that no delivery will ever come.
	Secrets    []string
	NoWebhooks bool

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
	Meter func(wire.Call)
}

// settled is a Config that was checked and completed.
type settled struct {
	Config
	web *url.URL // as people open it, with a slash at the end
	api *url.URL // with a slash at the end
}

func settle(c Config) (*settled, error) {
	s := &settled{Config: c}
	var problems []error
	if s.Key == "" {
		s.Key = "gitea"
	}
	if s.PeopleFor <= 0 {
		s.PeopleFor = defaultPeople
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Now == nil {
		problems = append(problems, errors.New("no clock; give Now"))
	}
	if strings.TrimSpace(s.Token) == "" {
		problems = append(problems, errors.New("no token; give an access token of the account Primum is to write as"))
	} else if strings.ContainsFunc(s.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		problems = append(problems, errors.New("the token holds a blank or a letter no token has; give it as the forge showed it"))
	}
	if s.Repo != "" {
		if _, _, ok := cut(s.Repo); !ok {
			problems = append(problems, fmt.Errorf("repository %q; it would be owner/name", s.Repo))
		}
	}
	problems = append(problems, s.checkSecrets())
	base, err := wire.Base(s.URL)
	if err == nil {
		s.web = base
		s.api = base.JoinPath("api/v1/")
	}
	problems = append(problems, err)
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("gitea: %w", err)
	}
	return s, nil
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
