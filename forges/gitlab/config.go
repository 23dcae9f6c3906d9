package gitlab

import (
	"encoding/base64"
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
	publicURL     = "https://gitlab.com"
	publicHost    = "gitlab.com"
)

// Ways a verdict can block, as Config.Way names them and Posted.Way says them.
const (
	WayCheck    = "external status check" // Ultimate, "Status checks must succeed"
	WayJob      = "pipeline job"          // a job named primum that calls "primum check", "Pipelines must succeed"
	WayApproval = "approval rule"         // Premium and Ultimate, a rule named Primum with our account alone
	WayStatus   = "commit status"         // every tier, "Pipelines must succeed"
)

// Config says which GitLab and as whom.
type Config struct {
	// Key is the name of this instance in our own records; "gitlab" if empty.
	Key string
	// URL is the address people open, "https://host/gitlab", with its path where
	// GitLab is installed below one; https://gitlab.com if empty.
	URL string
	// Token is a personal, group or project access token, or that of a service
	// account, with the scope api.
	Token string
	// Repo, "group/project", is the one project the token is for; "" for all that
	// its account is a member of.
	Repo string

	// Secrets verify deliveries by X-Gitlab-Token, and those of external status
	// checks by X-Gitlab-Signature; any of them does. Each has at least 16 bytes.
	// SigningTokens ("whsec_…") verify deliveries signed over their body; where one
	// is given, a delivery of a webhook that is not signed is refused. None of
	// either is an error unless NoWebhooks says that no delivery will ever come.
	Secrets       []string
	SigningTokens []string
	NoWebhooks    bool

	// Way fixes by what verdicts block; "" finds the best one of each project.
	Way string

	// CAFile names a PEM file of authorities to trust besides the system's;
	// CAPEM is the same as bytes.
	CAFile string
	CAPEM  []byte
	// Proxy finds the proxy of a request; the environment's if nil.
	Proxy func(*http.Request) (*url.URL, error)
	// Timeout bounds each try of a call, answer included; 10 s if zero.
	Timeout time.Duration
	// PeopleFor is how long members of groups are believed; 10 minutes if zero.
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
	web     *url.URL // with a slash at the end
	signing [][]byte // keys of SigningTokens
}

func settle(c Config) (*settled, error) {
	s := &settled{Config: c}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	if s.Key == "" {
		s.Key = "gitlab"
	}
	if s.URL == "" {
		s.URL = publicURL
	}
	if s.PeopleFor <= 0 {
		s.PeopleFor = defaultPeople
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Now == nil {
		note(errors.New("no clock; give Now"))
	}
	if s.Token == "" {
		note(errors.New("no token; give an access token with the scope api"))
	}
	if s.Repo != "" && !validPath(s.Repo) {
		note(fmt.Errorf("repository %q; it would be group/project", wire.Short(s.Repo, 80)))
	}
	switch s.Way {
	case "", WayCheck, WayJob, WayApproval, WayStatus:
	default:
		note(fmt.Errorf("way %q; it would be one of %q, %q, %q, %q", wire.Short(s.Way, 80), WayCheck, WayJob, WayApproval, WayStatus))
	}
	note(s.checkSecrets())
	web, err := wire.Base(s.URL)
	note(err)
	s.web = web
	if len(problems) > 0 {
		return nil, fmt.Errorf("gitlab: %w", errors.Join(problems...))
	}
	return s, nil
}

func (s *settled) checkSecrets() error {
	if len(s.Secrets) == 0 && len(s.SigningTokens) == 0 && !s.NoWebhooks {
		return errors.New("no webhook secret; without one anybody could send deliveries")
	}
	for i, secret := range s.Secrets {
		if len(secret) < secretMin {
			return fmt.Errorf("webhook secret %d has %d bytes; it would be at least %d", i+1, len(secret), secretMin)
		}
	}
	for i, token := range s.SigningTokens {
		key, err := signingKey(token)
		if err != nil {
			return fmt.Errorf("signing token %d: %w", i+1, err)
		}
		s.signing = append(s.signing, key)
	}
	return nil
}

// signingKey reads a signing token as Standard Webhooks and GitLab write it:
// "whsec_" and the key in base64.
func signingKey(token string) ([]byte, error) {
	word, ok := strings.CutPrefix(token, "whsec_")
	if !ok {
		return nil, errors.New("it would begin with whsec_")
	}
	key, err := base64.StdEncoding.DecodeString(word)
	if err != nil {
		return nil, errors.New("not base64 behind whsec_")
	}
	if len(key) < secretMin {
		return nil, fmt.Errorf("a key of %d bytes; it would be at least %d", len(key), secretMin)
	}
	return key, nil
}
