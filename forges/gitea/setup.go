package gitea

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"primum/forges"
	"primum/forges/admin"
	"primum/forges/wire"
)

// SetupConfig says which Gitea or Forgejo is set up, and by whom.
type SetupConfig struct {
	// URL is the address people open. Token is that of an owner of the
	// organisations, or of the site's administrator, who alone can make accounts;
	// it is used for this and kept nowhere.
	URL, Token string
	// Bot is the login of Primum's own account; "primum" if empty. BotToken is
	// the token it has already, "" if none is known.
	Bot, BotToken string
	// Team is the team that gives the account its rights; "primum" if empty.
	Team string
	// Strict keeps administrators from merging past the check as well.
	Strict bool
	// Fresh says that Wanted.Secret was made for this run: no webhook has it yet.
	Fresh bool
	// NewSecret gives webhooks that are there Wanted.Secret as well, and NewToken
	// makes a token although the account has one: nobody knows the old any more.
	NewSecret, NewToken bool
	// Keep is handed the settings a service needs, "TOKEN" and "WEBHOOK_SECRET".
	Keep func(setting, value string) error
	// Principals reads the roles that a policy names, "team:firmware"; nil for none.
	Principals func(policy []byte) []string
	// Silent reports whether a policy has verdicts posted nowhere; nil if that is not asked.
	Silent func(policy []byte) bool

	CAFile  string
	CAPEM   []byte
	Proxy   func(*http.Request) (*url.URL, error)
	Timeout time.Duration
	Wait    func(try int) time.Duration
	Now     func() time.Time
}

// words are how setup names things to people.
func setupWords(product string) admin.Words {
	return admin.Words{Product: cmp.Or(product, "the forge"), CA: "--ca-file", URL: "--url"}
}

// Scopes of the tokens: the account's own, and what doing the setup takes.
var botScopes = []string{"write:repository", "write:issue", "read:organization", "read:user"} //nolint:gochecknoglobals // constant

const ownerScopes = "make the token anew with the scopes write:repository, write:organization and read:user (Settings, Applications), as an owner"

// adminScopes is what making the account and its token takes besides.
const adminScopes = "give the administrator's token the scopes write:admin and write:user as well (Settings, Applications)"

// botUnits are the rights of the account's team.
func botUnits() map[string]string {
	return map[string]string{"repo.code": "write", "repo.issues": "write", "repo.pulls": "write"}
}

// setup is one run: what was read of the forge, and the steps so far.
type setup struct {
	SetupConfig
	forges.Wanted
	words    admin.Words
	api      *admin.Client
	asBot    *admin.Client // as the owner of the token, by password: makes tokens
	product  product
	me       someone
	botKnown bool // the account exists
	// botMissing says that it does not, and that this token cannot make it.
	botMissing   bool
	seen         map[string]repoSeen
	places       []hookPlace
	secretMissed bool // a webhook did not get Wanted.Secret
	steps        []forges.Step
}

// someone is an account as the API shows it.
type someone struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Admin bool   `json:"is_admin"`
	// LoginProhibited accounts exist and cannot be used.
	LoginProhibited bool `json:"prohibit_login"`
}

// Setup reads what is there and gives the steps from there to what is wanted,
// in order. It changes nothing; the steps do. A second run after all steps
// finds every one done. An error says which permission is missing.
func Setup(ctx context.Context, c SetupConfig, w forges.Wanted) ([]forges.Step, error) {
	c.Bot, c.Team, w.Check = cmp.Or(c.Bot, "primum"), cmp.Or(c.Team, "primum"), cmp.Or(w.Check, "primum")
	s := &setup{SetupConfig: c, Wanted: w, words: setupWords(""), seen: map[string]repoSeen{}}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	for _, part := range []func(context.Context) error{s.account, s.token, s.owners, s.repos} {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	return s.steps, nil
}

// client makes a client for the API of an address.
func (c SetupConfig) client(sign func(*http.Request)) (*admin.Client, error) {
	base, err := wire.Base(c.URL)
	if err != nil {
		return nil, err
	}
	base.Path += "api/v1/"
	return admin.New(wire.Options{
		Base: base, CAFile: c.CAFile, CAPEM: c.CAPEM, Proxy: c.Proxy, Timeout: c.Timeout, Wait: c.Wait, Now: c.Now, Sign: sign,
	})
}

func tokenSign(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "token "+token) }
}

// connect finds out which forge it is and who the token belongs to.
func (s *setup) connect(ctx context.Context) error {
	if s.Token == "" {
		return errors.New("no token; give that of an owner of the organisation")
	}
	var err error
	if s.api, err = s.client(tokenSign(s.Token)); err != nil {
		return err
	}
	if s.product, err = productAt(ctx, s.api); err != nil {
		return s.words.Explain(err, "ask for the version", "correct the address: the API answers below it at api/v1")
	}
	s.words = setupWords(s.product.name)
	if _, err := s.api.Get(ctx, "user", &s.me); err != nil {
		return s.words.Explain(err, "ask whose token it is", ownerScopes)
	}
	if strings.EqualFold(s.me.Login, s.Bot) {
		return &admin.Trouble{
			Says: "the token given is that of the account " + s.Bot + " itself, which should have no more rights than it needs",
			Cure: "give the token of an owner of the organisation, or of the administrator, with --token-file",
		}
	}
	if s.asBot, err = s.client(func(r *http.Request) { r.SetBasicAuth(s.me.Login, s.Token) }); err != nil {
		return err
	}
	who := s.me.Login
	if s.me.Admin {
		who += ", who administers the site"
	}
	s.is(s.product.name + " " + s.product.version + " answers; the token is that of " + who)
	if major, minor := s.product.oldest(); !s.product.atLeast(major, minor) {
		s.note(s.product.name+" "+s.product.version+" is older than what Primum is tried with", fmt.Sprintf("update to %d.%d or newer", major, minor))
	}
	return nil
}

// productAt tells what answers.
func productAt(ctx context.Context, c *admin.Client) (product, error) {
	var v struct {
		Version string `json:"version"`
	}
	if _, err := c.Get(ctx, "version", &v); err != nil {
		return product{}, err
	}
	return productOf(v.Version), nil
}

// oldest is the first version with the API that Primum relies on.
func (p product) oldest() (major, minor int) {
	if p.name == Forgejo {
		return 7, 0
	}
	return 1, 22
}

// is notes what is so already.
func (s *setup) is(says string) { s.steps = append(s.steps, forges.Step{Says: says, Done: true}) }

// note says something to look at that setup can neither see nor change.
func (s *setup) note(says, cure string) {
	s.steps = append(s.steps, forges.Step{Says: says, Done: true, Cure: cure})
}

// byHand leaves a step to a person.
func (s *setup) byHand(says, cure string) {
	s.steps = append(s.steps, forges.Step{Says: says, Cure: cure})
}

// do adds a step. Its error is put into words with what the token needs.
func (s *setup) do(says, need string, alone bool, do func(context.Context) error) {
	s.steps = append(s.steps, forges.Step{Says: says, Alone: alone, Do: func(ctx context.Context) error {
		return s.words.Explain(do(ctx), "", need)
	}})
}

// escaped escapes one part of a path.
func escaped(s string) string { return url.PathEscape(s) }

// setupRepo is the API's path of a repository.
func setupRepo(full string) string {
	owner, name, _ := strings.Cut(full, "/")
	return "repos/" + escaped(owner) + "/" + escaped(name)
}

// statusIn is the HTTP status an error carries, 0 if none.
func statusIn(err error) int {
	if h, ok := errors.AsType[*forges.HTTPError](err); ok {
		return h.Status
	}
	return 0
}
