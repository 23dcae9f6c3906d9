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

	// Named are the keys of Forges beyond those served because one of their
	// variables is set, as written in the variable.
	Named []string `env:"FORGES" doc:"Forges to serve, separated by commas: github, gitlab and gitea are served anyway once one of their variables is set; KEY=KIND adds one more of a kind, set by PRIMUM_KEY_ and the names of that kind, as forgejo=gitea by PRIMUM_FORGEJO_URL." eg:"github,forgejo=gitea"`
	// Forges are the instances to serve, at least one, each with its own key.
	Forges []Instance `env:"-"`

	PagesKey string   `env:"PAGES_KEY,unset" secret:"true" doc:"Shared key that lets people read the pages of private repositories, at least 16 characters. Unset: only by a link from the forge or by login." eg:"a long random text"`
	Only     []string `env:"ONLY" doc:"Owners or owner/name to serve, separated by commas, with the key of a forge and a colon in front to mean that forge only; a group of GitLab means what is below it as well. Unset: every repository the forges show us." eg:"acme,acme-labs/pump"`

	Concurrency   int           `env:"CONCURRENCY" envDefault:"64" doc:"Judgements at once; they wait on the network and hardly compute." eg:"64"`
	Settle        time.Duration `env:"SETTLE" envDefault:"1.2s" doc:"Time from one judgement of a change to the next, so that a burst of events is judged together." eg:"1.2s"`
	SweepInterval time.Duration `env:"SWEEP_INTERVAL" envDefault:"10m" doc:"How often to look for what lost webhooks hid; 0 for at start only." eg:"10m"`
	WatchInterval time.Duration `env:"WATCH_INTERVAL" envDefault:"5s" doc:"How often to look, on forges that send no delivery when a commit status is set (Forgejo, Gitea before 1.23), whether somebody else set Primum's status on an open change that may not merge; 0 for never, when the sweep finds it. Costs one small call for each such commit and interval, at most 10 a second on one forge: with more than 50 of them at 5s it takes longer." eg:"5s"`
	KeepBodies    int           `env:"KEEP_BODIES_DAYS" envDefault:"90" doc:"Days to keep the bodies of deliveries; verdicts and acts stay." eg:"90"`
	StopTimeout   time.Duration `env:"STOP_TIMEOUT" envDefault:"20s" doc:"Time for judgements under way to end when the service stops." eg:"20s"`

	LogLevel  slog.Level `env:"LOG_LEVEL" envDefault:"info" doc:"debug, info, warn or error." eg:"info"`
	LogFormat string     `env:"LOG_FORMAT" envDefault:"text" doc:"text or json." eg:"json"`

	// Warnings are what Load found odd and no error.
	Warnings []string
}

// Serves reports whether a repository of a forge, by its key, is to be served.
// With name "" it asks for any repository of the owner, with forge "" for one of
// any forge. Letters' case does not count.
func (c *Config) Serves(forge, owner, name string) bool {
	if len(c.Only) == 0 {
		return true
	}
	owner, full := strings.ToLower(owner)+"/", strings.ToLower(owner+"/"+name)
	for _, entry := range c.Only {
		key, path, keyed := strings.Cut(entry, ":")
		if !keyed {
			path = entry
		} else if forge != "" && key != forge {
			continue
		}
		path = strings.ToLower(path)
		switch {
		case strings.HasPrefix(owner, path+"/"): // the owner, or a group above it
			return true
		case name != "" && full == path:
			return true
		case name == "" && strings.HasPrefix(path, owner):
			return true
		}
	}
	return false
}

// KeepFor is KeepBodies as a duration.
func (c *Config) KeepFor() time.Duration { return time.Duration(c.KeepBodies) * 24 * time.Hour }

// Login is the instance people can log in with, the first that has a client ID;
// nil if there is none.
func (c *Config) Login() *Instance {
	for i := range c.Forges {
		if g := c.Forges[i].GitHub; g != nil && g.ClientID != "" {
			return &c.Forges[i]
		}
	}
	return nil
}
