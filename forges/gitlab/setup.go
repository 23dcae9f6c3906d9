package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"primum/forges"
	"primum/forges/admin"
	"primum/forges/wire"
)

// SetupConfig says which GitLab is set up, and by whom.
type SetupConfig struct {
	// URL is the address people open; https://gitlab.com if empty. Token is that of
	// an owner of the groups, or a maintainer of the projects, with the scope api;
	// it is used for this and kept nowhere.
	URL, Token string
	// Bot is the username of Primum's own account. "" has a group or project access
	// token made, which brings an account of its own. BotToken is the token it has
	// already, "" if none is known.
	Bot, BotToken string
	// Role is what the account becomes, "developer" or "maintainer"; developer if empty.
	Role string
	// Fresh says that Wanted.Secret was made for this run: no webhook has it yet.
	Fresh bool
	// NewSecret gives webhooks that are there Wanted.Secret as well, and NewToken
	// makes a token although there is one: nobody knows the old any more.
	NewSecret, NewToken bool
	// SigningToken ("whsec_…") signs deliveries where the instance can; it goes
	// wherever Wanted.Secret goes. "" for none.
	SigningToken string
	// Keep is handed the settings a service needs: "TOKEN", "WEBHOOK_SECRET",
	// "SIGNING_TOKEN", "WAY".
	Keep    func(setting, value string) error
	CAFile  string
	CAPEM   []byte
	Proxy   func(*http.Request) (*url.URL, error)
	Timeout time.Duration
	Wait    func(try int) time.Duration
	Now     func() time.Time
}

// Roles as GitLab numbers them.
const (
	roleDeveloper  = 30
	roleMaintainer = 40
	roleOwner      = 50
)

// Sentences about what a token needs.
const (
	needOwner   = "the token needs the scope api and to be that of an owner of the group (Settings, Access tokens, or your profile's)"
	needProject = "the token needs the scope api and to be that of a maintainer of the project"
)

// setup is one run: what was read of the forge, and the steps so far.
type setup struct {
	SetupConfig
	forges.Wanted
	words   admin.Words
	api     *admin.Client
	version string
	me      member
	botID   int64 // of the account, 0 as long as it is not known
	steps   []forges.Step
	places  []hookPlace
	// secretMissed says that a webhook did not get Wanted.Secret, unsigned that one
	// was made that does not sign.
	secretMissed, unsigned bool
}

// member is an account as the API shows it, in a group or by itself.
type member struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Admin    bool   `json:"is_admin"`
	Level    int    `json:"access_level"`
}

// tokenSeen is an access token as listed.
type tokenSeen struct {
	ID      int64    `json:"id"`
	Name    string   `json:"name"`
	Active  bool     `json:"active"`
	Scopes  []string `json:"scopes"`
	Expires string   `json:"expires_at"`
	User    int64    `json:"user_id"`
	Value   string   `json:"token"`
}

// projectSeen is a project as the API shows it, as far as setup is concerned.
// Check is nil where the tier has no external status checks.
type projectSeen struct {
	ID        int64  `json:"id"`
	Path      string `json:"path_with_namespace"`
	Default   string `json:"default_branch"`
	Archived  bool   `json:"archived"`
	Empty     bool   `json:"empty_repo"`
	CIFile    string `json:"ci_config_path"`
	Builds    string `json:"builds_access_level"`
	Pipelines bool   `json:"only_allow_merge_if_pipeline_succeeds"`
	Skipped   bool   `json:"allow_merge_on_skipped_pipeline"`
	Checks    *bool  `json:"only_allow_merge_if_all_status_checks_passed"`
	Trains    bool   `json:"merge_trains_enabled"`
	Results   bool   `json:"merge_pipelines_enabled"`
	Shown     string `json:"visibility"`
	Forking   string `json:"forking_access_level"`
	Forks     int    `json:"forks_count"`
	Access    struct {
		Project *member `json:"project_access"`
		Group   *member `json:"group_access"`
	} `json:"permissions"`
}

// forked reports whether changes may come from forks: there are some, or people
// who may not push are let make one.
func (p *projectSeen) forked() bool {
	return p.Forks > 0 || p.Shown != "private" && p.Forking != "disabled"
}

// Sentences about changes from forks, whose pipelines are the fork's own.
const (
	forkSays = "a change from a fork is not held back by %s: its pipeline runs in the fork, by the fork's own settings"
	forkCure = "take an external status check (Ultimate) or an approval rule (Premium), or let nobody fork the project: Settings, General, Visibility, Forks"
)

// level is the role that the token has in the project.
func (p *projectSeen) level() int {
	level := 0
	for _, m := range []*member{p.Access.Project, p.Access.Group} {
		if m != nil {
			level = max(level, m.Level)
		}
	}
	return level
}

// Setup reads what is there and gives the steps from there to what is wanted,
// in order. It changes nothing; the steps do. A second run after all steps
// finds every one done. An error says which permission is missing.
func Setup(ctx context.Context, c SetupConfig, w forges.Wanted) ([]forges.Step, error) {
	c.URL, c.Role, w.Check = cmp.Or(c.URL, publicURL), cmp.Or(c.Role, "developer"), cmp.Or(w.Check, checkName)
	s := &setup{SetupConfig: c, Wanted: w, words: setupWords()}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	for _, part := range []func(context.Context) error{s.account, s.membership, s.hooks, s.repos} {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	return s.steps, nil
}

func setupWords() admin.Words {
	return admin.Words{Product: "GitLab", CA: "--ca-file", URL: "--url"}
}

func setupRole(name string) int {
	if name == "maintainer" {
		return roleMaintainer
	}
	return roleDeveloper
}

// client makes a client for the API that signs with a token.
func (c SetupConfig) client(token string) (*admin.Client, error) {
	base, err := wire.Base(c.URL)
	if err != nil {
		return nil, err
	}
	base.Path += "api/v4/"
	return admin.New(wire.Options{
		Base: base, CAFile: c.CAFile, CAPEM: c.CAPEM, Proxy: c.Proxy, Timeout: c.Timeout, Wait: c.Wait, Now: c.Now,
		Sign: func(r *http.Request) { r.Header.Set("Private-Token", token) },
	})
}

// connect finds out which GitLab it is and what the token may do.
func (s *setup) connect(ctx context.Context) error {
	if s.Token == "" {
		return errors.New("no token; give that of an owner of the group, with the scope api")
	}
	var err error
	if s.api, err = s.client(s.Token); err != nil {
		return err
	}
	var v struct {
		Version string `json:"version"`
	}
	if _, err = s.api.Get(ctx, "version", &v); err != nil {
		return s.words.Explain(err, "ask for the version", "correct the address, or make the token anew with the scope api")
	}
	s.version = v.Version
	if _, err = s.api.Get(ctx, "user", &s.me); err != nil {
		return s.words.Explain(err, "ask whose token it is", needOwner)
	}
	var t tokenSeen
	if _, err = s.api.Get(ctx, "personal_access_tokens/self", &t); err == nil && !slices.Contains(t.Scopes, "api") {
		return &admin.Trouble{
			Says: "the token has the scope " + strings.Join(t.Scopes, ", ") + " only",
			Cure: "make it anew with the scope api: your profile, Preferences, Access tokens",
		}
	}
	if s.Bot != "" && strings.EqualFold(s.me.Username, s.Bot) {
		return &admin.Trouble{
			Says: "the token given is that of the account " + s.Bot + " itself, which should have no more rights than it needs",
			Cure: "give the token of an owner of the group with --token-file",
		}
	}
	s.is("GitLab " + s.version + " answers; the token is that of " + s.me.Username)
	return nil
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

func (s *setup) keep(setting, value string) error {
	if s.Keep == nil {
		return nil
	}
	return s.Keep(setting, value)
}

// setupGroup and setupProject are the API's paths; slashes within a name are escaped.
func setupGroup(name string) string   { return "groups/" + url.PathEscape(name) }
func setupProject(name string) string { return "projects/" + url.PathEscape(name) }

// statusIn is the HTTP status an error carries, 0 if none.
func statusIn(err error) int {
	if h, ok := errors.AsType[*forges.HTTPError](err); ok {
		return h.Status
	}
	return 0
}

// refused reports whether GitLab does not let the token see something, or does
// not have it in this tier: it answers either way for both.
func refused(err error) bool {
	switch statusIn(err) {
	case http.StatusForbidden, http.StatusNotFound, http.StatusPaymentRequired:
		return true
	}
	return false
}

// home is where the account belongs: the first group, or the only project.
func (s *setup) home() (path, says string) {
	switch {
	case len(s.Owners) > 0:
		return setupGroup(s.Owners[0]), "the group " + s.Owners[0]
	case len(s.Repos) == 1:
		return setupProject(s.Repos[0]), "the project " + s.Repos[0]
	}
	return "", ""
}

// account finds Primum's own account and its token, or has one made: a group
// or project access token brings its account with it.
func (s *setup) account(ctx context.Context) error {
	switch {
	case s.BotToken != "":
		return s.checkToken(ctx)
	case s.Bot != "":
		return s.named(ctx)
	}
	home, says := s.home()
	if home == "" {
		s.byHand("make an account for Primum", "name the group with --group, or an account with --bot and its token with --bot-token-file")
		return nil
	}
	there, err := admin.List[tokenSeen](ctx, s.api, home+"/access_tokens", "per_page")
	switch {
	case refused(err):
		s.byHand("make an account for Primum: access tokens of "+says+" are not to be had here ("+s.why(err)+")",
			"in the group: Settings, Access tokens, Add new token, name primum, role "+s.Role+", scope api (needs a paid tier on gitlab.com, and an owner); "+
				"or a user of its own with a personal access token of the scope api; then give it with --bot-token-file")
		return nil
	case err != nil:
		return s.words.Explain(err, "read the access tokens of "+says, needOwner)
	}
	there = slices.DeleteFunc(there, func(t tokenSeen) bool { return !t.Active || t.Name != "primum" })
	if len(there) > 0 && !s.NewToken {
		s.botID = there[0].User
		s.is("an access token primum of " + says + " is there, until " + there[0].Expires + "; its value is known where it was kept")
		return nil
	}
	until := s.Now().AddDate(0, 0, 364).Format(time.DateOnly)
	s.do(fmt.Sprintf("make the access token primum of %s, as %s, with the scope api, until %s: an account of its own comes with it", says, s.Role, until), needOwner, false,
		func(ctx context.Context) error {
			var made tokenSeen
			if _, err := s.api.Call(ctx, http.MethodPost, home+"/access_tokens", map[string]any{
				"name": "primum", "scopes": []string{"api"}, "access_level": setupRole(s.Role), "expires_at": until,
			}, &made); err != nil {
				return err
			}
			s.botID = made.User
			return s.keep("TOKEN", made.Value)
		})
	return nil
}

// why is the message of a refusal.
func (s *setup) why(err error) string {
	if h, ok := errors.AsType[*forges.HTTPError](err); ok {
		return strings.TrimSpace(fmt.Sprintf("%d %s", h.Status, h.Message))
	}
	return ""
}

// named finds an account by its name.
func (s *setup) named(ctx context.Context) error {
	var found []member
	if _, err := s.api.Get(ctx, "users?username="+url.QueryEscape(s.Bot), &found); err != nil {
		return s.words.Explain(err, "look for the account "+s.Bot, needOwner)
	}
	if len(found) == 0 {
		return &admin.Trouble{Says: "there is no account " + s.Bot, Cure: "have it made, or leave out --bot to have an access token of the group made, which brings its own account"}
	}
	s.botID = found[0].ID
	s.is("the account " + found[0].Username + " exists")
	s.byHand("make a personal access token of "+s.Bot+" with the scope api", "sign in as "+s.Bot+": Preferences, Access tokens, Add new token; and give it with --bot-token-file")
	return nil
}

// checkToken holds a token that is known against what it must be able to do.
func (s *setup) checkToken(ctx context.Context) error {
	api, err := s.client(s.BotToken)
	if err != nil {
		return err
	}
	var who member
	if _, err := api.Get(ctx, "user", &who); err != nil {
		return s.words.Explain(err, "ask whose the account's token is", "give a token of the scope api with --bot-token-file")
	}
	if s.Bot != "" && !strings.EqualFold(who.Username, s.Bot) {
		return &admin.Trouble{Says: "the token kept for Primum is that of " + who.Username + ", not of " + s.Bot, Cure: "give --bot " + who.Username + ", or a token of " + s.Bot}
	}
	if who.ID == s.me.ID {
		return &admin.Trouble{
			Says: "the token kept for Primum is that of " + s.me.Username + " as well, who does the setup: approvals by that person would count as Primum's own deeds",
			Cure: "make an account of its own for Primum",
		}
	}
	s.botID = who.ID
	s.is("Primum's account is " + who.Username + "; its token works")
	return nil
}

// membership sees to it that the account is a member where it is to work.
func (s *setup) membership(ctx context.Context) error {
	if s.botID == 0 {
		return nil // one that is made here is a member from the start
	}
	for _, g := range s.Owners {
		if err := s.join(ctx, setupGroup(g), g); err != nil {
			return err
		}
	}
	for _, r := range s.Repos {
		if s.within(r) {
			continue
		}
		if err := s.join(ctx, setupProject(r), r); err != nil {
			return err
		}
	}
	return nil
}

// within reports whether a project is in one of the groups named.
func (s *setup) within(repo string) bool {
	return slices.ContainsFunc(s.Owners, func(g string) bool {
		return strings.HasPrefix(strings.ToLower(repo), strings.ToLower(g)+"/")
	})
}

func (s *setup) join(ctx context.Context, path, of string) error {
	var m member
	_, err := s.api.Get(ctx, fmt.Sprintf("%s/members/all/%d", path, s.botID), &m)
	level := setupRole(s.Role)
	switch {
	case err == nil && m.Level >= level:
		s.is("Primum's account is a member of " + of)
		return nil
	case err == nil:
		s.do("make Primum's account a "+s.Role+" of "+of, needOwner, true, func(ctx context.Context) error {
			_, err := s.api.Call(ctx, http.MethodPut, fmt.Sprintf("%s/members/%d", path, s.botID), map[string]int{"access_level": level}, nil)
			return err
		})
		return nil
	case statusIn(err) != http.StatusNotFound:
		return s.words.Explain(err, "ask whether Primum's account is a member of "+of, needOwner)
	}
	s.do("add Primum's account to "+of+" as "+s.Role, needOwner, true, func(ctx context.Context) error {
		_, err := s.api.Call(ctx, http.MethodPost, path+"/members", map[string]any{"user_id": s.botID, "access_level": level}, nil)
		return err
	})
	return nil
}
