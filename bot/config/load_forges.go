package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// group is the settings of one forge that may be served.
type group struct {
	kind
	key      string
	prefix   string
	settings []Setting
	named    bool // in PRIMUM_FORGES
}

// prefixOf begins the variables of an instance: PRIMUM_PLANT_2_ for plant-2.
func prefixOf(key string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(key, "-", "_")) + "_"
}

// keyShape is what a key may be: it becomes part of addresses and variables.
var keyShape = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}[a-z0-9]$`)

// groups finds which forges may be served: one of each kind, and those named.
func (l *loader) groups() {
	add := func(key string, k kind, named bool) {
		prefix := prefixOf(key)
		l.forges = append(l.forges, group{k, key, prefix, settings(k.settings, prefix, k.product), named})
	}
	for _, k := range kinds() {
		add(string(k.Kind), k, false)
	}
	for entry := range strings.SplitSeq(l.vars["PRIMUM_FORGES"], ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		key, of, further := strings.Cut(entry, "=")
		key, of = strings.TrimSpace(key), strings.TrimSpace(of)
		at := slices.IndexFunc(kinds(), func(k kind) bool { return string(k.Kind) == of })
		known := slices.IndexFunc(l.forges, func(g group) bool { return g.key == key })
		switch {
		case known >= 0 && (!further || string(l.forges[known].Kind) == of) && !l.forges[known].named:
			l.forges[known].named = true
		case known >= 0:
			l.wrong("PRIMUM_FORGES", fmt.Sprintf("%q names %s a second time", entry, key), "give each forge a key of its own, as in forgejo=gitea")
		case !further:
			l.wrong("PRIMUM_FORGES", fmt.Sprintf("%q is no kind of forge", entry), "github, gitlab and gitea are; another key takes its kind behind it, as in forgejo=gitea")
		case at < 0:
			l.wrong("PRIMUM_FORGES", fmt.Sprintf("%q has no kind of forge behind it", entry), "github, gitlab and gitea are, as in forgejo=gitea")
		case !keyShape.MatchString(key):
			l.wrong("PRIMUM_FORGES", fmt.Sprintf("the key %q cannot stand in an address", key), "take 2 to 32 small letters, digits and dashes, as in forgejo=gitea")
		default:
			if taken := l.taken(key, kinds()[at]); taken != "" {
				l.wrong("PRIMUM_FORGES", fmt.Sprintf("the key %q would make %s mean two things", key, taken), "take another key")
				continue
			}
			add(key, kinds()[at], true)
		}
	}
}

// taken is a variable of a new key that is a setting already, "" if there is none.
func (l *loader) taken(key string, k kind) string {
	for _, s := range settings(k.settings, prefixOf(key), "") {
		for _, name := range []string{s.Variable, s.Variable + fileSuffix} {
			for _, have := range slices.Concat(l.settings, l.all()) {
				if name == have.Variable || name == have.Variable+fileSuffix {
					return name
				}
			}
		}
	}
	return ""
}

// all are the settings of the forges found so far.
func (l *loader) all() []Setting {
	var out []Setting
	for _, g := range l.forges {
		out = append(out, g.settings...)
	}
	return out
}

// served reports whether a forge was asked for.
func (l *loader) served(g group) bool {
	return g.named || slices.ContainsFunc(g.settings, func(s Setting) bool { return l.vars[s.Variable] != "" })
}

// need says what a forge lacks.
func (l *loader) need(g group) {
	for _, s := range g.settings {
		if s.Required && l.vars[s.Variable] == "" {
			way := "set it to " + s.Example
			if s.Secret {
				way += ", or " + s.Variable + fileSuffix + " to the path of a file that holds it"
			}
			l.wrong(s.Variable, "is missing", way)
		}
	}
	if g.Kind == KindGitLab && l.vars[g.prefix+"WEBHOOK_SECRET"] == "" && l.vars[g.prefix+"SIGNING_TOKEN"] == "" {
		l.wrong(g.prefix+"WEBHOOK_SECRET", "is missing, and so is "+g.prefix+"SIGNING_TOKEN",
			"set one of them to what the webhook's settings hold; without it anybody could send deliveries")
	}
}

// none is said where no forge is set at all.
func none() string {
	var b strings.Builder
	b.WriteString(`no forge to serve; set the variables of one, or let "primum setup" with github, gitlab or gitea make them:`)
	for _, k := range kinds() {
		var names []string
		for _, s := range settings(k.settings, prefixOf(string(k.Kind)), k.product) {
			if s.Required {
				names = append(names, s.Variable)
			}
		}
		if k.Kind == KindGitLab {
			names = append(names, prefixOf(string(k.Kind))+"WEBHOOK_SECRET")
		}
		fmt.Fprintf(&b, "\n  %s: %s", k.product, strings.Join(names, ", "))
	}
	return b.String()
}

// forge checks the settings of one instance. Secrets are not shown; what could
// not be read was said already and is blank.
func (l *loader) forge(in *Instance) {
	prefix := prefixOf(in.Key)
	l.proxy(prefix+"PROXY", in.Reach().Proxy)
	if in.Reach().Timeout < 0 {
		l.wrong(prefix+"TIMEOUT", "is negative", "take something like 10s")
	}
	switch {
	case in.GitHub != nil:
		l.github(prefix, in.GitHub)
	case in.GitLab != nil:
		l.address(prefix+"URL", &in.GitLab.URL)
		trim(&in.GitLab.Token)
		in.GitLab.Way = strings.ReplaceAll(strings.TrimSpace(in.GitLab.Way), "-", " ")
		if w := in.GitLab.Way; w != "" && !slices.Contains(Ways(), w) {
			l.wrong(prefix+"WAY", fmt.Sprintf("%q is no way to block", w), "take "+strings.Join(Ways(), ", "))
		}
		l.long(prefix+"WEBHOOK_SECRET", "secret", in.GitLab.WebhookSecrets)
		l.long(prefix+"SIGNING_TOKEN", "token", in.GitLab.SigningTokens)
	case in.Gitea != nil:
		l.address(prefix+"URL", &in.Gitea.URL)
		trim(&in.Gitea.Token)
		l.long(prefix+"WEBHOOK_SECRET", "secret", in.Gitea.WebhookSecrets)
	}
}

func (l *loader) github(prefix string, g *GitHub) {
	l.address(prefix+"API_URL", &g.APIURL)
	l.address(prefix+"WEB_URL", &g.WebURL)
	if g.AppID < 0 {
		l.wrong(prefix+"APP_ID", "is negative", "copy the number from the page of the app's settings")
	}
	key := prefix + "PRIVATE_KEY"
	switch text := strings.TrimSpace(g.PrivateKey); {
	case text == "" || strings.Contains(text, "PRIVATE KEY-----"):
	case l.fromFile[key]:
		l.wrong(key+fileSuffix, "the file holds no private key in PEM form", "name the .pem file downloaded from the app's settings")
	default:
		l.wrong(key, "holds no private key in PEM form", "set it to the text of the .pem file, or "+key+fileSuffix+" to its path")
	}
	// Where a variable cannot hold lines, keys are written with \n.
	g.PrivateKey = strings.ReplaceAll(g.PrivateKey, `\n`, "\n")
	l.long(prefix+"WEBHOOK_SECRET", "secret", g.WebhookSecrets)
	if (g.ClientID == "") != (g.ClientSecret == "") {
		l.wrong(prefix+"CLIENT_ID", "is needed together with "+prefix+"CLIENT_SECRET", "set both to let people log in, or neither")
	}
}

func trim(s *string) { *s = strings.TrimSpace(*s) }

// long checks that secrets are too long to be guessed, and takes the spaces off
// their ends.
func (l *loader) long(variable, what string, secrets []string) {
	for i := range secrets {
		trim(&secrets[i])
		if n := len(secrets[i]); n < secretMin && strings.TrimSpace(l.vars[variable]) != "" {
			l.wrong(l.source(variable), fmt.Sprintf("a %s of %d characters is too short", what, n), fmt.Sprintf("take at least %d random ones", secretMin))
		}
	}
}

// proxy checks the address of a proxy without showing it: it may hold a password.
func (l *loader) proxy(variable, value string) {
	value = strings.TrimSpace(value)
	if value == "" || value == NoProxy {
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		l.wrong(l.source(variable), "is no address of a proxy", "something like http://proxy.example:3128 is, or none")
	}
}

// only checks the allow-list.
func (l *loader) only(c *Config) {
	deep := slices.ContainsFunc(c.Forges, func(f Instance) bool { return f.Kind == KindGitLab })
	for i, entry := range c.Only {
		c.Only[i] = strings.TrimSpace(entry)
		key, path, keyed := strings.Cut(c.Only[i], ":")
		nested := deep
		if !keyed {
			path = c.Only[i]
		} else {
			at := slices.IndexFunc(c.Forges, func(f Instance) bool { return f.Key == key })
			if at < 0 {
				l.wrong("PRIMUM_ONLY", fmt.Sprintf("%q names a forge %q that is not served", entry, key), "put the key of one in front, or nothing")
				continue
			}
			nested = c.Forges[at].Kind == KindGitLab
		}
		parts := strings.Split(path, "/")
		if slices.Contains(parts, "") || strings.ContainsAny(path, " :\t") || len(parts) > 2 && !nested {
			l.wrong("PRIMUM_ONLY", fmt.Sprintf("%q is neither an owner nor owner/name", entry), "something like acme,acme-labs/pump is right")
		}
	}
}
