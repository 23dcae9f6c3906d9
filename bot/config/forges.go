package config

import (
	"reflect"
	"time"
)

// Kind is a kind of forge.
type Kind string

// Kinds. Gitea stands for Forgejo as well.
const (
	KindGitHub Kind = "github"
	KindGitLab Kind = "gitlab"
	KindGitea  Kind = "gitea"
)

// Instance is one forge to serve: exactly one of the pointers is set.
type Instance struct {
	Key    string // its name in our records and in the address of its webhooks
	Kind   Kind
	GitHub *GitHub
	GitLab *GitLab
	Gitea  *Gitea
}

// Reach is how the instance is reached.
func (i *Instance) Reach() Reach {
	switch {
	case i.GitHub != nil:
		return i.GitHub.Reach
	case i.GitLab != nil:
		return i.GitLab.Reach
	case i.Gitea != nil:
		return i.Gitea.Reach
	}
	return Reach{}
}

// Reach is how a forge is reached.
type Reach struct {
	CAFile  string        `env:"CA_FILE" doc:"PEM file of authorities to trust besides the system's." eg:"/etc/primum/ca.pem"`
	Proxy   string        `env:"PROXY,unset" secret:"true" doc:"Proxy for calls to this forge, or none. Unset: what HTTPS_PROXY and NO_PROXY say." eg:"http://proxy.example:3128"`
	Timeout time.Duration `env:"TIMEOUT" envDefault:"10s" doc:"Time for one try of a call." eg:"10s"`
}

// NoProxy is the Proxy that stands for none.
const NoProxy = "none"

// GitHub is what signs in to GitHub or an Enterprise Server.
type GitHub struct {
	AppID          int64    `env:"APP_ID" need:"true" doc:"Number of the GitHub App, on the page of its settings." eg:"123456"`
	PrivateKey     string   `env:"PRIVATE_KEY,unset" need:"true" secret:"true" doc:"Private key of the GitHub App, the text of the .pem file." eg:"the text of the .pem file"`
	WebhookSecrets []string `env:"WEBHOOK_SECRET,unset" need:"true" secret:"true" doc:"Secret of the webhook, at least 16 characters; several separated by commas while one replaces another." eg:"a long random text, the same as in the app's settings"`
	APIURL         string   `env:"API_URL" doc:"API of an Enterprise Server. Unset: github.com." eg:"https://github.acme.example/api/v3"`
	WebURL         string   `env:"WEB_URL" doc:"Address people open the forge at, for login. Default: worked out from the API's." eg:"https://github.acme.example"`
	ClientID       string   `env:"CLIENT_ID" doc:"Client ID of the GitHub App, to let people log in to the pages." eg:"Iv1.0123456789abcdef"`
	ClientSecret   string   `env:"CLIENT_SECRET,unset" secret:"true" doc:"Client secret of the GitHub App, to let people log in to the pages." eg:"the text shown when it was made"`
	Reach
}

// GitLab is what signs in to GitLab.
type GitLab struct {
	URL            string   `env:"URL" envDefault:"https://gitlab.com" doc:"Address people open GitLab at." eg:"https://gitlab.acme.example"`
	Token          string   `env:"TOKEN,unset" need:"true" secret:"true" doc:"Access token of the account Primum writes as, with the scope api." eg:"a token with the scope api"`
	WebhookSecrets []string `env:"WEBHOOK_SECRET,unset" secret:"true" doc:"Secret token of the webhooks, at least 16 characters; several separated by commas while one replaces another. This or the signing token is needed." eg:"a long random text, the same as in the webhook's settings"`
	SigningTokens  []string `env:"SIGNING_TOKEN,unset" secret:"true" doc:"Signing token of the webhooks, where the instance signs them; several separated by commas while one replaces another." eg:"the text shown when it was made"`
	Way            string   `env:"WAY" doc:"By what verdicts block: external status check, pipeline job, approval rule or commit status. Unset: the best that each project has." eg:"pipeline job"`
	Reach
}

// Ways are what a verdict can block by on GitLab, the best first.
func Ways() []string {
	return []string{"external status check", "pipeline job", "approval rule", "commit status"}
}

// Gitea is what signs in to Gitea or Forgejo.
type Gitea struct {
	URL            string   `env:"URL" need:"true" doc:"Address people open Gitea or Forgejo at." eg:"https://git.acme.example"`
	Token          string   `env:"TOKEN,unset" need:"true" secret:"true" doc:"Access token of the account Primum writes as." eg:"a token of the account Primum writes as"`
	WebhookSecrets []string `env:"WEBHOOK_SECRET,unset" need:"true" secret:"true" doc:"Secret of the webhooks, at least 16 characters; several separated by commas while one replaces another." eg:"a long random text, the same as in the webhook's settings"`
	Reach
}

// kind is what is to be known of a kind to read it.
type kind struct {
	Kind
	product  string
	settings reflect.Type
}

// kinds are all kinds, in the order of the documentation.
func kinds() []kind {
	return []kind{
		{KindGitHub, "GitHub", reflect.TypeFor[GitHub]()},
		{KindGitLab, "GitLab", reflect.TypeFor[GitLab]()},
		{KindGitea, "Gitea or Forgejo", reflect.TypeFor[Gitea]()},
	}
}

// instance makes an instance without settings, and where they are to be read to.
func instance(key string, k Kind) (in Instance, settings any) {
	in = Instance{Key: key, Kind: k}
	switch k {
	case KindGitHub:
		in.GitHub = &GitHub{}
		settings = in.GitHub
	case KindGitLab:
		in.GitLab = &GitLab{}
		settings = in.GitLab
	case KindGitea:
		in.Gitea = &Gitea{}
		settings = in.Gitea
	}
	return in, settings
}
