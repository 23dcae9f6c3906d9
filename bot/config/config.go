// Package config reads the settings of the service from the environment.
//
// Every setting is a field of Config with its variable, default and
// description in its tags; the help of "primum serve" and the table of the
// README are printed from them. No file is required. All errors are reported
// at once, each with the variable and the way out, and none shows a secret.
package config

import (
	"log/slog"
	"strings"
	"time"
)

// Prefix begins the name of every variable.
const Prefix = "PRIMUM_"

// Config is everything that can be set. Tags: env is the variable without
// Prefix, envDefault its default, doc what it does, eg an example for errors.
// A field tagged secret can also be given as a file, in VARIABLE_FILE, and is
// removed from the environment once read.
type Config struct {
	Listen    string `env:"LISTEN" envDefault:":8080" doc:"Address to listen on." eg:":8080"`
	PublicURL string `env:"PUBLIC_URL" doc:"Address people and the forge reach the service at; links begin with it. Default: localhost with the port listened on." eg:"https://primum.example"`
	// DatabaseURL is filled in by Load if it is not set.
	DatabaseURL string `env:"DATABASE_URL,unset" secret:"true" doc:"postgres://user:password@host/name, or sqlite:PATH. Default: the file primum.db in $STATE_DIRECTORY or else in the working directory." eg:"postgres://primum:password@db/primum"`
	// Instance is the name of this process among replicas, for store.Reclaim.
	Instance string `env:"INSTANCE" doc:"Stable and unique name of this replica on PostgreSQL, so that after a crash it takes back its work at once instead of after half a minute. Not needed on SQLite." eg:"primum-0"`

	GitHub GitHub `envPrefix:"GITHUB_"`

	PagesKey string   `env:"PAGES_KEY,unset" secret:"true" doc:"Shared key that lets people read the pages of private repositories, at least 16 characters. Unset: only by a link from the forge or by login." eg:"a long random text"`
	Only     []string `env:"ONLY" doc:"Owners or owner/name to serve, separated by commas. Unset: every repository the app is installed in." eg:"acme,acme-labs/pump"`

	Concurrency   int           `env:"CONCURRENCY" envDefault:"64" doc:"Judgements at once; they wait on the network and hardly compute." eg:"64"`
	Settle        time.Duration `env:"SETTLE" envDefault:"1.2s" doc:"Time from one judgement of a change to the next, so that a burst of events is judged together." eg:"1.2s"`
	SweepInterval time.Duration `env:"SWEEP_INTERVAL" envDefault:"10m" doc:"How often to look for what lost webhooks hid; 0 for at start only." eg:"10m"`
	KeepBodies    int           `env:"KEEP_BODIES_DAYS" envDefault:"90" doc:"Days to keep the bodies of deliveries; verdicts and acts stay." eg:"90"`
	StopTimeout   time.Duration `env:"STOP_TIMEOUT" envDefault:"20s" doc:"Time for judgements under way to end when the service stops." eg:"20s"`

	LogLevel  slog.Level `env:"LOG_LEVEL" envDefault:"info" doc:"debug, info, warn or error." eg:"info"`
	LogFormat string     `env:"LOG_FORMAT" envDefault:"text" doc:"text or json." eg:"json"`

	// Warnings are what Load found odd and no error.
	Warnings []string
}

// GitHub is what signs in to GitHub or an Enterprise Server.
type GitHub struct {
	AppID          int64    `env:"APP_ID,required" doc:"Number of the GitHub App, on the page of its settings." eg:"123456"`
	PrivateKey     string   `env:"PRIVATE_KEY,required,unset" secret:"true" doc:"Private key of the GitHub App, the text of the .pem file." eg:"the text of the .pem file"`
	WebhookSecrets []string `env:"WEBHOOK_SECRET,required,unset" secret:"true" doc:"Secret of the webhook, at least 16 characters; several separated by commas while one replaces another." eg:"a long random text, the same as in the app's settings"`
	APIURL         string   `env:"API_URL" doc:"API of an Enterprise Server. Unset: github.com." eg:"https://github.acme.example/api/v3"`
	WebURL         string   `env:"WEB_URL" doc:"Address people open the forge at, for login. Default: worked out from the API's." eg:"https://github.acme.example"`
	CAFile         string   `env:"CA_FILE" doc:"PEM file of authorities to trust besides the system's." eg:"/etc/primum/ca.pem"`
	ClientID       string   `env:"CLIENT_ID" doc:"Client ID of the GitHub App, to let people log in to the pages." eg:"Iv1.0123456789abcdef"`
	ClientSecret   string   `env:"CLIENT_SECRET,unset" secret:"true" doc:"Client secret of the GitHub App, to let people log in to the pages." eg:"the text shown when it was made"`
}

// Serves reports whether a repository is to be served. With name "" it asks for
// any repository of the owner.
func (c *Config) Serves(owner, name string) bool {
	if len(c.Only) == 0 {
		return true
	}
	for _, entry := range c.Only {
		o, n, whole := strings.Cut(entry, "/")
		if strings.EqualFold(o, owner) && (!whole || name == "" || strings.EqualFold(n, name)) {
			return true
		}
	}
	return false
}

// KeepFor is KeepBodies as a duration.
func (c *Config) KeepFor() time.Duration { return time.Duration(c.KeepBodies) * 24 * time.Hour }

// Login reports whether people can log in with their GitHub account.
func (c *Config) Login() bool { return c.GitHub.ClientID != "" }
