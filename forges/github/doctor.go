package github

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"primum/forges"
	"primum/forges/admin"
)

// exam is one look at GitHub.
type exam struct {
	Config
	forges.Wanted
	admin.Look
	words admin.Words
	conf  *settled
	app   *admin.Client
	page  string // of the app
	slug  string
	found admin.Findings
	told  map[string]bool // teams looked at
}

// Examine looks at GitHub as the service with these settings would use it, and
// says of everything that would keep a verdict from coming, or from blocking,
// how to mend it. It changes nothing.
func Examine(ctx context.Context, c Config, w forges.Wanted, l admin.Look) []forges.Finding {
	w.Check = cmp.Or(w.Check, "primum")
	variable := "PRIMUM_" + strings.ToUpper(strings.ReplaceAll(cmp.Or(c.Key, "github"), "-", "_"))
	e := &exam{
		Config: c, Wanted: w, Look: l, told: map[string]bool{},
		words: admin.Words{Product: "GitHub", CA: variable + "_CA_FILE", URL: variable + "_API_URL"},
	}
	var err error
	if e.conf, err = settle(c); err == nil {
		e.app, err = appClient(e.conf)
	}
	if err != nil {
		e.found.Bad("settings", "correct the settings of the app", "%v", err)
		return e.found
	}
	if !e.reach(ctx) {
		return e.found
	}
	e.webhook(ctx)
	for _, r := range e.repositories(ctx) {
		e.repo(ctx, r.api, r.repoSeen)
	}
	return e.found
}

// reach asks for the app: address, authorities, clock, key, rights, events.
func (e *exam) reach(ctx context.Context) bool {
	before := e.Now()
	var a struct {
		App
		Granted map[string]string `json:"permissions"`
		Events  []string          `json:"events"`
	}
	answer, err := e.app.Get(ctx, "app", &a)
	if answer.Header != nil {
		e.found.Clock(answer.Header, before, e.Now())
	}
	if err != nil {
		topic := "address"
		if h, ok := errors.AsType[*forges.HTTPError](err); ok && h.Status == http.StatusUnauthorized {
			topic = "key"
			err = &admin.Trouble{Says: "GitHub does not accept the app's key (401, " + h.Message + ")", Cure: "take number and key of one app, a key that was not deleted, and a clock that is right", Err: err}
		}
		e.found.Wrong(topic, forges.Bad, e.words.Explain(err, "", "correct the number of the app"))
		return false
	}
	e.page, e.slug = a.Page, a.Slug
	e.found.Good("app", "%s (%d) answers at %s", a.Name, a.ID, e.conf.rest)
	e.rights("permissions of the app", a.Granted, "grant them on the app's page ("+e.page+", Permissions & events), then accept them where it is installed")
	var missing []string
	for _, event := range appEvents() {
		if !slices.Contains(a.Events, event) {
			missing = append(missing, event)
		}
	}
	if len(missing) > 0 {
		e.found.Bad("events of the app", "tick them on the app's page, Permissions & events", "it is not told of %s", strings.Join(missing, ", "))
	} else {
		e.found.Good("events of the app", "all that Primum needs")
	}
	return true
}

// rights compares what is granted with what Primum needs.
func (e *exam) rights(topic string, granted map[string]string, cure string) {
	var short []string
	for _, name := range slices.Sorted(maps.Keys(appPermissions())) {
		need := appPermissions()[name]
		if have := granted[name]; have != need && have != "write" && have != "admin" {
			short = append(short, name+" ("+need+")")
		}
	}
	// Merge queues are not to be had everywhere.
	if len(short) == 1 && strings.HasPrefix(short[0], "merge_queues") {
		e.found.Odd(topic, cure, "merge queues cannot be read: a queue waits until it gives up")
		return
	}
	if len(short) > 0 {
		e.found.Bad(topic, cure, "missing: %s", strings.Join(short, ", "))
		return
	}
	e.found.Good(topic, "all that Primum needs")
}

// webhook looks where deliveries go and how the last ones fared.
func (e *exam) webhook(ctx context.Context) {
	var h hookConfig
	if _, err := e.app.Get(ctx, "app/hook/config", &h); err != nil {
		e.found.Wrong("webhook", forges.Bad, e.words.Explain(err, "", "look at the app's page"))
		return
	}
	cure := "primum setup github with the same --env-file mends it, or the app's page"
	switch {
	case e.HookURL != "" && strings.TrimRight(h.URL, "/") != e.HookURL:
		e.found.Bad("webhook", cure, "it sends to %s and not to %s", cmp.Or(h.URL, "nowhere"), e.HookURL)
	case h.Type != "json":
		e.found.Bad("webhook", cure, "it does not send JSON")
	case fmt.Sprint(h.Insecure) == "1":
		e.found.Odd("webhook", "switch SSL verification on, on the app's page", "it does not check the certificate of the service")
	default:
		e.found.Good("webhook", "sends to %s", h.URL)
	}
	if private, ip := admin.Private(ctx, h.URL); private && e.conf.rest.String() == publicAPI {
		e.found.Bad("private address", "give the service an address that github.com reaches", "webhooks go to %s, which github.com cannot reach", ip)
	}
	e.deliveries(ctx)
}

// delivered is an entry in the log of deliveries.
type delivered struct {
	ID     int64  `json:"id"`
	Event  string `json:"event"`
	At     string `json:"delivered_at"`
	Status string `json:"status"`
	Code   int    `json:"status_code"`
}

func (e *exam) deliveries(ctx context.Context) {
	var log []delivered
	if _, err := e.app.Get(ctx, "app/hook/deliveries?per_page=30", &log); err != nil || len(log) == 0 {
		e.found.Odd("last deliveries", "open a pull request, and look again", "there were none in the last days")
		return
	}
	failed := 0
	for _, d := range log {
		if d.Code < 200 || d.Code > 299 {
			failed++
		}
	}
	switch last := log[0]; {
	case last.Code < 200 || last.Code > 299:
		e.found.Bad("last deliveries", "401 means another secret: put the one of the settings on the app's page; else see to it that GitHub reaches the service",
			"the last (%s at %s) was answered %d, %s", last.Event, last.At, last.Code, last.Status)
	case failed > 0:
		e.found.Odd("last deliveries", "the service asks for them again when it starts", "%d of the last %d failed", failed, len(log))
	default:
		e.found.Good("last deliveries", "the last %d were accepted", len(log))
	}
	if e.Deliver == nil {
		return
	}
	came, err := e.Deliver(ctx, func() error {
		_, err := e.app.Call(ctx, http.MethodPost, fmt.Sprintf("app/hook/deliveries/%d/attempts", log[0].ID), nil, nil)
		return err
	})
	switch {
	case err != nil:
		e.found.Wrong("test delivery", forges.Odd, e.words.Explain(err, "", "look at the app's page, Advanced"))
	case came:
		e.found.Good("test delivery", "the last delivery, asked for again, came to the service with the right secret")
	default:
		e.found.Bad("test delivery", "look at the app's page, Advanced, for the answer; 401 means another secret", "the last delivery, asked for again, did not come to the service")
	}
}

// covered is a repository with the client of the installation it is in.
type covered struct {
	repoSeen
	api *admin.Client
}

// repositories are those of the installations that are wanted.
func (e *exam) repositories(ctx context.Context) []covered {
	list, err := admin.List[installed](ctx, e.app, "app/installations", "per_page")
	if err != nil {
		e.found.Wrong("installations", forges.Bad, e.words.Explain(err, "", "look at the app's page"))
		return nil
	}
	if len(list) == 0 {
		e.found.Bad("installations", "open "+e.page+"/installations/new and choose the repositories", "the app is installed nowhere")
		return nil
	}
	var all []covered
	for _, i := range list {
		topic := "installation in " + i.Account.Login
		if i.Suspended != nil {
			e.found.Bad(topic, "open "+i.Page+" and unsuspend it", "it is suspended")
			continue
		}
		e.rights(topic, i.Granted, "open "+i.Page+" and accept the new permissions")
		api, err := installationClient(e.conf, i.ID)
		if err != nil {
			continue // the settings were checked already
		}
		for page := 1; len(all) < e.Bound(); page++ {
			var some struct {
				Repos []repoSeen `json:"repositories"`
			}
			if _, err := api.Get(ctx, fmt.Sprintf("installation/repositories?per_page=100&page=%d", page), &some); err != nil {
				e.found.Wrong(topic, forges.Bad, e.words.Explain(err, "list its repositories", "look at "+i.Page))
				break
			}
			for _, r := range some.Repos {
				if e.wants(r) {
					all = append(all, covered{r, api})
				}
			}
			if len(some.Repos) < 100 {
				break
			}
		}
	}
	for _, name := range e.Repos {
		if !slices.ContainsFunc(all, func(c covered) bool { return strings.EqualFold(c.Name, name) }) && len(all) < e.Bound() {
			e.found.Bad(name, "open "+e.page+"/installations/new and choose it, or correct PRIMUM_ONLY", "the app is not installed there")
		}
	}
	all = all[:min(len(all), e.Bound())]
	e.found.Good("repositories", "%d looked at", len(all))
	return all
}

func (e *exam) wants(r repoSeen) bool {
	if r.Archived {
		return false
	}
	if len(e.Repos)+len(e.Owners) == 0 {
		return true
	}
	owner, _, _ := strings.Cut(r.Name, "/")
	same := func(s string) func(string) bool { return func(t string) bool { return strings.EqualFold(s, t) } }
	return slices.ContainsFunc(e.Repos, same(r.Name)) || slices.ContainsFunc(e.Owners, same(owner))
}

// repo looks at one repository, if it has a policy.
func (e *exam) repo(ctx context.Context, api *admin.Client, r repoSeen) {
	var file struct {
		Content string `json:"content"`
	}
	_, err := api.Get(ctx, "repos/"+r.Name+"/contents/"+policyPath, &file)
	if h, ok := errors.AsType[*forges.HTTPError](err); ok && h.Status == http.StatusNotFound {
		if slices.ContainsFunc(e.Repos, func(s string) bool { return strings.EqualFold(s, r.Name) }) {
			e.found.Odd("policy of "+r.Name, "in a clone: primum policy init", "%s has no %s, so nothing is judged", r.Default, policyPath)
		}
		return
	}
	if err != nil {
		e.found.Wrong("policy of "+r.Name, forges.Bad, e.words.Explain(err, "", "look at the app's permissions"))
		return
	}
	e.required(ctx, api, r)
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(file.Content), ""))
	if err == nil {
		e.roles(ctx, api, r, text)
	}
}

// required looks at what really blocks a merge into the default branch.
func (e *exam) required(ctx context.Context, api *admin.Client, r repoSeen) {
	topic := "required check on " + r.Default + " of " + r.Name
	cure := "primum setup github --repo " + r.Name + " with the same --env-file and an administrator's --token-file"
	has, err := requiredOn(ctx, api, r.Name, r.Default)
	if err != nil {
		e.found.Wrong(topic, forges.Odd, e.words.Explain(err, "", "look at the branch's rules"))
		return
	}
	pinned, named := has.pinned(e.Check, e.AppID)
	switch {
	case !named:
		e.found.Bad(topic, cure, "%s is not required: a red verdict does not keep a change out", e.Check)
	case !pinned:
		e.found.Bad(topic, cure, "%s is required from anybody: whoever may write can post it", e.Check)
	case len(has.rules) == 0 && has.level == "non_admins":
		e.found.Odd(topic, "in the branch's protection: Do not allow bypassing the above settings", "required from this app; administrators may merge past it")
	default:
		e.found.Good(topic, "required from this app only")
	}
}

// roles looks whether the members of the teams that a policy names can be read.
func (e *exam) roles(ctx context.Context, api *admin.Client, r repoSeen, policy []byte) {
	owner, _, _ := strings.Cut(r.Name, "/")
	for _, p := range e.Roles(policy) {
		name, isTeam := strings.CutPrefix(p, "team:")
		name = name[strings.LastIndex(name, "/")+1:]
		if !isTeam || e.told[owner+"/"+name] {
			continue
		}
		e.told[owner+"/"+name] = true
		topic := "team " + name + " of " + owner
		if _, err := api.Get(ctx, "orgs/"+url.PathEscape(owner)+"/teams/"+url.PathEscape(name)+"/members?per_page=1", nil); err != nil {
			e.found.Wrong(topic, forges.Bad, e.words.Explain(err, "read its members, as the policy of "+r.Name+" asks", "make the team or correct people in "+policyPath+"; the app needs the permission Members (read)"))
			continue
		}
		e.found.Good(topic, "its members can be read")
	}
}

// Ping is a delivery that leads to nothing, signed with a secret: what doctor
// sends to see whether the service accepts signed deliveries, and only those.
func Ping(secret, id string) (http.Header, []byte) {
	body := []byte(`{"zen":"a delivery of primum doctor, about nothing"}`)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return http.Header{
		"Content-Type": {"application/json"}, headerEvent: {"ping"}, headerDelivery: {id},
		headerSignature: {"sha256=" + hex.EncodeToString(mac.Sum(nil))},
	}, body
}
