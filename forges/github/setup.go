package github

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"

	"primum/forges"
	"primum/forges/admin"
	"primum/forges/wire"
)

// SetupConfig says which GitHub is set up.
type SetupConfig struct {
	// APIURL is the API of an Enterprise Server; github.com if empty.
	APIURL string
	// AppID and PrivateKey are the app's, once it is made.
	AppID      int64
	PrivateKey []byte
	// Token is that of an administrator of the repositories, to require the check;
	// "" leaves that step to a person.
	Token string
	// Strict holds administrators to the check as well.
	Strict bool

	CAFile  string
	CAPEM   []byte
	Proxy   func(*http.Request) (*url.URL, error)
	Timeout time.Duration
	Wait    func(try int) time.Duration
	Now     func() time.Time
}

func (c SetupConfig) api() string { return cmp.Or(c.APIURL, publicAPI) }

func setupWords() admin.Words {
	return admin.Words{Product: "GitHub", CA: "--ca-file", URL: "--url"}
}

const needAdmin = "the token needs to be that of an administrator of the repository, with the permission Administration (a classic one: the scope repo)"

// checkRequired is a check that a rule requires, and from which app; App is nil
// or -1 for any.
type checkRequired struct {
	Context string `json:"context"`
	App     *int64 `json:"app_id,omitempty"`
	Source  *int64 `json:"integration_id,omitempty"`
}

// from is the number of the app a check must come from, 0 for any.
func (c checkRequired) from() int64 {
	for _, id := range []*int64{c.App, c.Source} {
		if id != nil && *id > 0 {
			return *id
		}
	}
	return 0
}

// branchSeen is a branch as the API shows it.
type branchSeen struct {
	Protection struct {
		Enabled bool `json:"enabled"`
		Status  struct {
			Level  string          `json:"enforcement_level"`
			Checks []checkRequired `json:"checks"`
		} `json:"required_status_checks"`
	} `json:"protection"`
}

// ruleSeen is a rule of a ruleset that holds for a branch.
type ruleSeen struct {
	Type       string          `json:"type"`
	Ruleset    int64           `json:"ruleset_id"`
	Parameters json.RawMessage `json:"parameters"`
}

// required are the checks that a branch requires, by protection and by rulesets.
type required struct {
	classic bool // by branch protection, which has a list of checks already
	level   string
	branch  []checkRequired
	rules   []checkRequired
}

// pinned reports whether the check must come from the app; named, whether one of
// that name is required from anybody.
func (r required) pinned(check string, app int64) (pinned, named bool) {
	for _, c := range slices.Concat(r.branch, r.rules) {
		if c.Context != check {
			continue
		}
		named = true
		pinned = pinned || c.from() == app
	}
	return pinned, named
}

// requiredOn reads what a branch requires.
func requiredOn(ctx context.Context, api *admin.Client, repo, branch string) (required, error) {
	var r required
	var b branchSeen
	if _, err := api.Get(ctx, "repos/"+repo+"/branches/"+url.PathEscape(branch), &b); err != nil {
		return r, err
	}
	r.level, r.branch = b.Protection.Status.Level, b.Protection.Status.Checks
	r.classic = b.Protection.Enabled && r.level != "" && r.level != "off"
	var rules []ruleSeen
	_, err := api.Get(ctx, "repos/"+repo+"/rules/branches/"+url.PathEscape(branch), &rules)
	if h, ok := errors.AsType[*forges.HTTPError](err); ok && h.Status == http.StatusNotFound {
		return r, nil // an Enterprise Server from before there were rulesets
	}
	for _, rule := range rules {
		var p struct {
			Checks []checkRequired `json:"required_status_checks"`
		}
		if rule.Type == "required_status_checks" && json.Unmarshal(rule.Parameters, &p) == nil {
			r.rules = append(r.rules, p.Checks...)
		}
	}
	return r, err
}

// repoSeen is a repository as the API shows it.
type repoSeen struct {
	Name     string `json:"full_name"`
	Default  string `json:"default_branch"`
	Archived bool   `json:"archived"`
}

// installed is one installation of the app.
type installed struct {
	ID        int64             `json:"id"`
	Selection string            `json:"repository_selection"`
	Suspended *time.Time        `json:"suspended_at"`
	Granted   map[string]string `json:"permissions"`
	Events    []string          `json:"events"`
	Page      string            `json:"html_url"`
	Account   struct {
		Login string `json:"login"`
	} `json:"account"`
}

// setup is one run.
type setup struct {
	SetupConfig
	forges.Wanted
	words admin.Words
	conf  *settled
	app   *admin.Client
	above *admin.Client // as an administrator, nil without a token
	slug  string
	page  string
	steps []forges.Step
}

// Setup reads what is there once the app is made and gives the steps from there
// to what is wanted: the installation, which only a person can do on GitHub's
// own page, and the check that branches require from this app. It changes
// nothing; the steps do.
func Setup(ctx context.Context, c SetupConfig, w forges.Wanted) ([]forges.Step, error) {
	w.Check = cmp.Or(w.Check, "primum")
	s := &setup{SetupConfig: c, Wanted: w, words: setupWords()}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	for _, r := range s.Repos {
		if err := s.repo(ctx, r); err != nil {
			return nil, err
		}
	}
	for _, o := range s.Owners {
		_, err := s.installation(ctx, "orgs/"+url.PathEscape(o)+"/installation", o)
		if err != nil {
			return nil, err
		}
	}
	return s.steps, nil
}

// Installed reports whether the app is installed where it is wanted.
func Installed(ctx context.Context, c SetupConfig, w forges.Wanted) (bool, error) {
	steps, err := Setup(ctx, SetupConfig{
		APIURL: c.APIURL, AppID: c.AppID, PrivateKey: c.PrivateKey, CAFile: c.CAFile, CAPEM: c.CAPEM, Proxy: c.Proxy, Timeout: c.Timeout, Wait: c.Wait, Now: c.Now,
	}, forges.Wanted{Owners: w.Owners, Repos: w.Repos, HookURL: w.HookURL})
	return err == nil && !slices.ContainsFunc(steps, func(s forges.Step) bool { return !s.Done && strings.HasPrefix(s.Says, installSays) }), err
}

const installSays = "install the app"

// clients makes the client of the app.
func appClient(conf *settled) (*admin.Client, error) {
	return admin.New(wire.Options{
		Base: conf.rest, Under: conf.under, Timeout: conf.Timeout, Wait: conf.Wait, Now: conf.Now, Limit: limitOf,
		Wrap: func(under http.RoundTripper) http.RoundTripper { return conf.appTransport(under) },
	})
}

// installationClient makes the client of one installation.
func installationClient(conf *settled, id int64) (*admin.Client, error) {
	return admin.New(wire.Options{
		Base: conf.rest, Under: conf.under, Timeout: conf.Timeout, Wait: conf.Wait, Now: conf.Now, Limit: limitOf,
		Wrap: func(under http.RoundTripper) http.RoundTripper {
			return ghinstallation.NewFromAppsTransport(conf.appTransport(under), id)
		},
	})
}

// connect asks who the app is.
func (s *setup) connect(ctx context.Context) error {
	var err error
	s.conf, err = settle(Config{
		AppID: s.AppID, PrivateKey: s.PrivateKey, NoWebhooks: true, BaseURL: s.APIURL,
		CAFile: s.CAFile, CAPEM: s.CAPEM, Proxy: s.Proxy, Timeout: s.Timeout, Wait: s.Wait, Now: s.Now,
	})
	if err != nil {
		return err
	}
	if s.app, err = appClient(s.conf); err != nil {
		return err
	}
	if s.Token != "" {
		if s.above, err = tokenClient(s.conf, s.Token); err != nil {
			return err
		}
	}
	var a App
	if _, err := s.app.Get(ctx, "app", &a); err != nil {
		return s.words.Explain(err, "ask for the app", "it was deleted, or number and key are not of one app: take another --env-file and make it anew")
	}
	s.slug, s.page = a.Slug, a.Page
	s.is(fmt.Sprintf("the app %s (%d) is there", a.Name, a.ID))
	return s.hook(ctx)
}

func tokenClient(conf *settled, token string) (*admin.Client, error) {
	return admin.New(wire.Options{
		Base: conf.rest, Under: conf.under, Timeout: conf.Timeout, Wait: conf.Wait, Now: conf.Now, Limit: limitOf,
		Sign: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
	})
}

// hookConfig is where an app's deliveries go.
type hookConfig struct {
	URL      string `json:"url"`
	Type     string `json:"content_type"`
	Insecure any    `json:"insecure_ssl"`
}

// hook sees to it that the app's deliveries go to our address.
func (s *setup) hook(ctx context.Context) error {
	var h hookConfig
	if _, err := s.app.Get(ctx, "app/hook/config", &h); err != nil {
		return s.words.Explain(err, "read where the app's webhooks go", "look at the app's page")
	}
	if strings.TrimRight(h.URL, "/") == s.HookURL && h.Type == "json" {
		s.is("its webhooks go to " + s.HookURL)
		return nil
	}
	s.do("let the app's webhooks go to "+s.HookURL+" (now "+cmp.Or(h.URL, "nowhere")+")", "look at the app's page", true, func(ctx context.Context) error {
		_, err := s.app.Call(ctx, http.MethodPatch, "app/hook/config", map[string]string{"url": s.HookURL, "content_type": "json"}, nil)
		return err
	})
	return nil
}

func (s *setup) is(says string) { s.steps = append(s.steps, forges.Step{Says: says, Done: true}) }

func (s *setup) byHand(says, cure string) {
	s.steps = append(s.steps, forges.Step{Says: says, Cure: cure})
}

func (s *setup) do(says, need string, alone bool, do func(context.Context) error) {
	s.steps = append(s.steps, forges.Step{Says: says, Alone: alone, Do: func(ctx context.Context) error {
		return s.words.Explain(do(ctx), "", need)
	}})
}

// installation finds the app's installation that covers something; 0 if none.
func (s *setup) installation(ctx context.Context, path, of string) (int64, error) {
	var i installed
	_, err := s.app.Get(ctx, path, &i)
	h, ok := errors.AsType[*forges.HTTPError](err)
	switch {
	case ok && h.Status == http.StatusNotFound:
		s.byHand(installSays+" in "+of, "open "+s.page+"/installations/new and choose it")
		return 0, nil
	case err != nil:
		return 0, s.words.Explain(err, "look whether the app is installed in "+of, "look at the app's page")
	case i.Suspended != nil:
		s.byHand("the installation in "+i.Account.Login+" is suspended", "open "+i.Page+" and unsuspend it")
		return 0, nil
	}
	s.is("the app is installed in " + of)
	return i.ID, nil
}

// repo sees to one repository: installation, required check, policy.
func (s *setup) repo(ctx context.Context, name string) error {
	id, err := s.installation(ctx, "repos/"+name+"/installation", name)
	if err != nil || id == 0 {
		return err
	}
	api, err := installationClient(s.conf, id)
	if err != nil {
		return err
	}
	var r repoSeen
	if _, err := api.Get(ctx, "repos/"+name, &r); err != nil {
		return s.words.Explain(err, "read "+name, "correct --repo")
	}
	branches := s.Branches
	if len(branches) == 0 {
		branches = []string{r.Default}
	}
	for _, b := range branches {
		if err := s.branch(ctx, api, name, b); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) branch(ctx context.Context, api *admin.Client, name, branch string) error {
	has, err := requiredOn(ctx, api, name, branch)
	if err != nil {
		return s.words.Explain(err, "read what "+branch+" of "+name+" requires", "correct --branch, or push it")
	}
	pinned, _ := has.pinned(s.Check, s.AppID)
	says := "require the check " + s.Check + ", from this app only, on " + branch + " of " + name
	switch {
	case pinned:
		s.is(branch + " of " + name + " requires the check " + s.Check + " from this app")
	case s.above == nil:
		s.byHand(says, "give --token-file, or as an administrator: "+s.command(name, branch))
	case has.classic:
		s.do(says+", beside what its protection requires", needAdmin, true, func(ctx context.Context) error {
			checks := slices.DeleteFunc(slices.Clone(has.branch), func(c checkRequired) bool { return c.Context == s.Check })
			checks = append(checks, checkRequired{Context: s.Check, App: &s.AppID})
			_, err := s.above.Call(ctx, http.MethodPatch, "repos/"+name+"/branches/"+url.PathEscape(branch)+"/protection/required_status_checks", map[string]any{"checks": checks}, nil)
			return err
		})
	default:
		s.do(says+", by the ruleset Primum", needAdmin, true, func(ctx context.Context) error { return s.ruleset(ctx, name, branch) })
	}
	return s.policy(ctx, api, name, branch)
}

// rulesetName names the ruleset that is ours.
const rulesetName = "Primum"

// ruleset makes ours, or adds the branch to it.
func (s *setup) ruleset(ctx context.Context, name, branch string) error {
	path := "repos/" + name + "/rulesets"
	type seen struct {
		ID         int64  `json:"id"`
		Name       string `json:"name"`
		Conditions struct {
			Ref struct {
				Include []string `json:"include"`
			} `json:"ref_name"`
		} `json:"conditions"`
	}
	there, err := admin.List[seen](ctx, s.above, path+"?includes_parents=false", "per_page")
	if err != nil {
		return err
	}
	refs := []string{"refs/heads/" + branch}
	i := slices.IndexFunc(there, func(r seen) bool { return r.Name == rulesetName })
	if i < 0 {
		_, err = s.above.Call(ctx, http.MethodPost, path, s.rules(refs), nil)
		return err
	}
	var ours seen
	at := path + "/" + strconv.FormatInt(there[i].ID, 10)
	if _, err := s.above.Get(ctx, at, &ours); err != nil {
		return err
	}
	for _, ref := range ours.Conditions.Ref.Include {
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	_, err = s.above.Call(ctx, http.MethodPut, at, s.rules(refs), nil)
	return err
}

// rules is our ruleset. Without Strict the administrators of the repository may
// pass it by in a pull request, as the mending of a broken policy needs.
func (s *setup) rules(refs []string) map[string]any {
	bypass := []map[string]any{}
	if !s.Strict {
		bypass = append(bypass, map[string]any{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "pull_request"})
	}
	return map[string]any{
		"name": rulesetName, "target": "branch", "enforcement": "active", "bypass_actors": bypass,
		"conditions": map[string]any{"ref_name": map[string]any{"include": refs, "exclude": []string{}}},
		"rules": []map[string]any{{
			"type": "required_status_checks",
			"parameters": map[string]any{
				"strict_required_status_checks_policy": false,
				"required_status_checks":               []checkRequired{{Context: s.Check, Source: &s.AppID}},
			},
		}},
	}
}

// command is how an administrator does it by hand.
func (s *setup) command(name, branch string) string {
	body, err := json.Marshal(s.rules([]string{"refs/heads/" + branch}))
	if err != nil {
		return ""
	}
	return "echo '" + string(body) + "' | gh api -X POST repos/" + name + "/rulesets --input -"
}

// policy looks for the policy on a branch.
func (s *setup) policy(ctx context.Context, api *admin.Client, name, branch string) error {
	_, err := api.Get(ctx, "repos/"+name+"/contents/"+policyPath+"?ref="+url.QueryEscape(branch), nil)
	h, ok := errors.AsType[*forges.HTTPError](err)
	switch {
	case err == nil:
		s.is(branch + " of " + name + " has a policy, " + policyPath)
	case ok && h.Status == http.StatusNotFound:
		s.byHand("put a policy, "+policyPath+", on "+branch+" of "+name+": without one nothing is judged there, and a required check never comes",
			"in a clone: primum policy init; look it over and open a pull request with it, which gets a preview that does not block")
	default:
		return s.words.Explain(err, "look for "+policyPath+" on "+branch+" of "+name, "look at the app's permissions")
	}
	return nil
}
