package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Shortest texts taken for a secret, in bytes, and the range of numbers.
const (
	secretMin      = 16
	maxConcurrency = 1000
)

// Load reads the settings from an environment such as os.Environ gives. An
// empty variable counts as not set. Secrets are removed from the process's own
// environment. The error lists everything that is wrong, a line each.
func Load(environ []string) (*Config, error) {
	l := loader{vars: variables(environ), fromFile: map[string]bool{}}
	own := settings(reflect.TypeFor[Config](), Prefix, "")
	l.settings = own
	l.groups()
	for _, g := range l.forges {
		l.settings = append(l.settings, g.settings...)
	}
	l.files()
	c := &Config{}
	l.parse(c, Prefix, own)
	for _, g := range l.forges {
		if l.served(g) {
			in, into := instance(g.key, g.Kind)
			l.parse(into, g.prefix, g.settings)
			l.need(g)
			c.Forges = append(c.Forges, in)
		}
	}
	for _, s := range l.settings {
		if s.Secret {
			l.warnIf(os.Unsetenv(s.Variable))
			l.warnIf(os.Unsetenv(s.Variable + fileSuffix))
		}
	}
	l.check(c)
	l.complete(c)
	l.unknown()
	c.Warnings = l.warnings
	if len(l.problems) == 0 && len(c.Forges) > 0 {
		return c, nil
	}
	slices.Sort(l.problems)
	l.problems = slices.Compact(l.problems)
	if len(c.Forges) == 0 && len(c.Named) == 0 {
		l.problems = append([]string{none()}, l.problems...)
	}
	return nil, errors.New(strings.Join(l.problems, "\n"))
}

// fileSuffix makes the variable that names a file with a secret.
const fileSuffix = "_FILE"

// variables are those that are set to something.
func variables(environ []string) map[string]string {
	vars := map[string]string{}
	for _, e := range environ {
		if k, v, ok := strings.Cut(e, "="); ok && strings.TrimSpace(v) != "" {
			vars[k] = v
		}
	}
	return vars
}

// loader gathers what is wrong while it reads.
type loader struct {
	vars     map[string]string
	settings []Setting
	forges   []group
	fromFile map[string]bool // variables whose value was read from a file
	problems []string
	warnings []string
}

// wrong notes a problem as "variable: what is wrong; what would be right".
func (l *loader) wrong(variable, what, right string) {
	l.problems = append(l.problems, variable+": "+what+"; "+right)
}

func (l *loader) warnIf(err error) {
	if err != nil {
		l.warnings = append(l.warnings, err.Error())
	}
}

// files reads the secrets that are given as files.
func (l *loader) files() {
	for _, s := range l.settings {
		name := s.Variable + fileSuffix
		path, ok := l.vars[name]
		if !s.Secret || !ok {
			continue
		}
		if _, both := l.vars[s.Variable]; both {
			l.wrong(name, "is set beside "+s.Variable, "set one of the two")
			continue
		}
		raw, err := os.ReadFile(path) //nolint:gosec // the file the operator named
		switch {
		case err != nil:
			l.wrong(name, "the file cannot be read ("+err.Error()+")", "name a file this account can read")
			l.vars[s.Variable] = blank
		case strings.TrimSpace(string(raw)) == "":
			l.wrong(name, "the file "+path+" is empty", "put the value into it")
			l.vars[s.Variable] = blank
		default:
			l.vars[s.Variable] = strings.TrimSpace(string(raw))
			l.fromFile[s.Variable] = true
		}
	}
}

// blank stands for a value whose lack was said already: it is not missing as well.
const blank = " "

// source is the variable a value came from: the one that names a file if it was
// read from one.
func (l *loader) source(variable string) string {
	if l.fromFile[variable] {
		return variable + fileSuffix
	}
	return variable
}

// parse reads what is set into the fields tagged with it, and translates the
// errors.
func (l *loader) parse(into any, prefix string, from []Setting) {
	err := env.ParseWithOptions(into, env.Options{Environment: l.vars, Prefix: prefix})
	if err == nil {
		return
	}
	all := env.AggregateError{Errors: []error{err}}
	_ = errors.As(err, &all) // one error stands for itself
	for _, e := range all.Errors {
		var parse env.ParseError
		if !errors.As(e, &parse) {
			l.problems = append(l.problems, e.Error())
			continue
		}
		if i := slices.IndexFunc(from, func(s Setting) bool { return s.field == parse.Name }); i >= 0 {
			s := from[i]
			l.wrong(s.Variable, fmt.Sprintf("%q is no %s", l.vars[s.Variable], s.kind), "something like "+s.Example+" is")
		}
	}
}

func (l *loader) setting(is func(Setting) bool) Setting {
	if i := slices.IndexFunc(l.settings, is); i >= 0 {
		return l.settings[i]
	}
	return Setting{}
}

// check looks at what can be parsed and still be wrong.
func (l *loader) check(c *Config) {
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" {
		l.wrong("PRIMUM_LISTEN", fmt.Sprintf("%q is no address with a port", c.Listen), "something like :8080 or 127.0.0.1:8080 is")
	}
	l.address("PRIMUM_PUBLIC_URL", &c.PublicURL)
	for i := range c.Forges {
		l.forge(&c.Forges[i])
	}
	c.PagesKey = strings.TrimSpace(c.PagesKey)
	l.long("PRIMUM_PAGES_KEY", "key", []string{c.PagesKey})
	if c.Concurrency < 1 || c.Concurrency > maxConcurrency {
		l.wrong("PRIMUM_CONCURRENCY", fmt.Sprintf("%d is out of range", c.Concurrency), fmt.Sprintf("take 1 to %d", maxConcurrency))
	}
	for variable, negative := range map[string]bool{
		"PRIMUM_SETTLE": c.Settle < 0, "PRIMUM_SWEEP_INTERVAL": c.SweepInterval < 0, "PRIMUM_WATCH_INTERVAL": c.WatchInterval < 0,
		"PRIMUM_STOP_TIMEOUT": c.StopTimeout < 0, "PRIMUM_KEEP_BODIES_DAYS": c.KeepBodies < 0,
	} {
		if negative {
			l.wrong(variable, "is negative", "take 0 or more")
		}
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		l.wrong("PRIMUM_LOG_FORMAT", fmt.Sprintf("%q is no format", c.LogFormat), "text and json are")
	}
	l.only(c)
}

// address checks an http address and takes the slash off its end.
func (l *loader) address(variable string, value *string) {
	if *value == "" {
		return
	}
	u, err := url.Parse(*value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		s := l.setting(func(s Setting) bool { return s.Variable == variable })
		l.wrong(variable, "is no address", "something like "+s.Example+" is")
		return
	}
	*value = strings.TrimRight(*value, "/")
}

// publicGitHub is where people open github.com.
const publicGitHub = "https://github.com"

// complete fills in the defaults that depend on other settings.
func (l *loader) complete(c *Config) {
	if c.PublicURL == "" {
		_, port, _ := net.SplitHostPort(c.Listen) // a wrong one was reported
		c.PublicURL = "http://localhost:" + port
		l.warnings = append(l.warnings, "PRIMUM_PUBLIC_URL is not set; links lead to "+c.PublicURL+", which only this machine can open")
	}
	if c.DatabaseURL == "" {
		// systemd may give several folders; the first is ours.
		dir, _, _ := strings.Cut(l.vars["STATE_DIRECTORY"], ":")
		c.DatabaseURL = "sqlite:" + filepath.Join(cmp.Or(dir, "."), "primum.db")
	}
	if c.Instance == "" && strings.HasPrefix(c.DatabaseURL, "sqlite:") {
		c.Instance = "embedded" // the file has one process, which finds its own work after a crash
	}
	logins := 0
	for _, f := range c.Forges {
		if f.GitHub == nil {
			continue
		}
		if f.GitHub.WebURL == "" {
			f.GitHub.WebURL = webOf(f.GitHub.APIURL)
		}
		if f.GitHub.ClientID != "" {
			logins++
		}
	}
	if logins > 1 {
		l.warnings = append(l.warnings, "several forges have a client ID; people log in with "+c.Login().Key)
	}
}

// webOf is the forge's address for people: an Enterprise Server's API is below
// it at /api/v3, and github.com's, or a company's own at ghe.com, on a host of
// its own.
func webOf(api string) string {
	u, err := url.Parse(api)
	if err != nil || api == "" || u.Host == "api.github.com" {
		return publicGitHub
	}
	u.Host = strings.TrimPrefix(u.Host, "api.")
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/v3")
	return u.String()
}

// unknown warns of variables that look like ours. Kubernetes makes some of its
// own for a service of our name.
func (l *loader) unknown() {
	known := map[string]bool{}
	for _, s := range l.settings {
		known[s.Variable] = true
		if s.Secret {
			known[s.Variable+fileSuffix] = true
		}
	}
	for _, v := range slices.Sorted(maps.Keys(l.vars)) {
		rest, ours := strings.CutPrefix(v, Prefix)
		if !ours || known[v] || strings.HasPrefix(rest, "TEST_") || kubernetes(rest) {
			continue
		}
		warning := v + " is no setting and is not used"
		if near := nearest(v, known); near != "" {
			warning += "; did you mean " + near + "?"
		}
		l.warnings = append(l.warnings, warning)
	}
}

// kubernetes reports whether a name is one it makes for a service called primum,
// or primum-something.
func kubernetes(rest string) bool {
	return strings.Contains("_"+rest, "_SERVICE_HOST") || strings.Contains("_"+rest, "_SERVICE_PORT") ||
		strings.HasSuffix("_"+rest, "_PORT") || strings.Contains("_"+rest, "_PORT_")
}

// nearest is the known name that shares the most letters in order, if most.
func nearest(name string, known map[string]bool) string {
	best, most := "", 0
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if n := common(name, k); n > most && 2*n > (len(name)+len(k))*4/5 {
			best, most = k, n
		}
	}
	return best
}

// common is the length of the longest common subsequence.
func common(a, b string) int {
	row := make([]int, len(b)+1)
	for i := range len(a) {
		diagonal := 0
		for j := range len(b) {
			above := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// kindOf is a type in words.
func kindOf(t reflect.Type) string {
	switch t.String() {
	case "time.Duration":
		return "duration"
	case "slog.Level":
		return "level"
	case "int", "int64":
		return "whole number"
	default:
		return "text"
	}
}
