package gitea

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"primum/forges"
	"primum/forges/admin"
)

// exam is one look at an instance.
type exam struct {
	Config
	forges.Wanted
	admin.Look
	words    admin.Words
	api      *admin.Client // as Primum's account
	above    *admin.Client // as an administrator; nil without a token of one
	product  product
	me       someone
	found    admin.Findings
	bare     int               // repositories without a policy
	unseen   bool              // something only an administrator is shown was left out
	orgHooks map[string]string // by organisation: where its webhook was found; "" if nowhere
	told     map[string]bool   // teams looked at, "acme/firmware"
}

// Examine looks at an instance as the service with these settings would use it,
// and says of everything that would keep a verdict from coming, or from
// blocking, how to mend it. It changes nothing.
func Examine(ctx context.Context, c Config, w forges.Wanted, l admin.Look) []forges.Finding {
	e := &exam{Config: c, Wanted: w, Look: l, orgHooks: map[string]string{}, told: map[string]bool{}}
	if e.Check == "" {
		e.Check = "primum"
	}
	variable := "PRIMUM_" + strings.ToUpper(strings.ReplaceAll(c.Key, "-", "_"))
	e.words = admin.Words{Product: "the forge", CA: variable + "_CA_FILE", URL: variable + "_URL"}
	if !e.reach(ctx) {
		return e.found
	}
	repos := e.repositories(ctx)
	e.scopes(ctx, repos)
	for _, r := range repos {
		e.repo(ctx, r)
	}
	if len(repos) > 0 && e.bare == len(repos) && len(e.Repos) == 0 {
		e.found.Odd("policies", "in a clone: primum policy init", "no repository seen has a %s on its default branch, so nothing is judged; webhooks and protection were not looked at", policyPath)
	}
	e.last(ctx)
	return e.found
}

// reach asks for version and account: address, authorities, proxy, clock, token.
func (e *exam) reach(ctx context.Context) bool {
	conf := SetupConfig{URL: e.URL, CAFile: e.CAFile, CAPEM: e.CAPEM, Proxy: e.Proxy, Timeout: e.Timeout, Wait: e.Wait, Now: e.Now}
	var err error
	if e.api, err = conf.client(tokenSign(e.Token)); err != nil {
		e.found.Bad("address", "correct "+e.words.URL+" or "+e.words.CA, "%v", err)
		return false
	}
	if e.Admin != "" {
		if e.above, err = conf.client(tokenSign(e.Admin)); err != nil {
			e.found.Bad("address", "", "%v", err)
			return false
		}
	}
	before := e.Now()
	var v struct {
		Version string `json:"version"`
	}
	a, err := e.api.Get(ctx, "version", &v)
	if err != nil {
		topic := "address"
		if statusIn(err) == http.StatusUnauthorized { // a token that is none is refused even here
			topic = "token"
		}
		e.found.Wrong(topic, forges.Bad, e.words.Explain(err, "", "correct "+e.words.URL+": the API answers below it at api/v1"))
		return false
	}
	e.product = productOf(v.Version)
	e.words.Product = e.product.name
	e.found.Good("address", "%s %s answers at %s", e.product.name, e.product.version, e.URL)
	if major, minor := e.product.oldest(); !e.product.atLeast(major, minor) {
		e.found.Odd("version", fmt.Sprintf("update to %d.%d or newer", major, minor), "%s %s is older than what Primum is tried with", e.product.name, e.product.version)
	}
	e.found.Clock(a.Header, before, e.Now())
	if _, err := e.api.Get(ctx, "user", &e.me); err != nil {
		e.found.Wrong("token", forges.Bad, e.words.Explain(err, "", "make the token anew with the scopes "+strings.Join(botScopes, ", ")))
		return false
	}
	if e.me.Admin {
		e.found.Odd("account", "give Primum an account of its own without such rights: primum setup gitea", "the token is that of %s, who administers the site: far more than Primum needs", e.me.Login)
	} else {
		e.found.Good("account", "the token is that of %s", e.me.Login)
	}
	return true
}

// repositories are those to look at.
func (e *exam) repositories(ctx context.Context) []repoSeen {
	var all []repoSeen
	if len(e.Repos)+len(e.Owners) == 0 {
		list, err := admin.List[repoSeen](ctx, e.api, "user/repos", "limit")
		if err != nil {
			e.found.Wrong("repositories", forges.Bad, e.words.Explain(err, "list what "+e.me.Login+" may see", "make the token anew with the scopes "+strings.Join(botScopes, ", ")))
			return nil
		}
		all = list
	}
	for _, o := range e.Owners {
		list, err := admin.List[repoSeen](ctx, e.api, "orgs/"+escaped(o)+"/repos", "limit")
		if statusIn(err) == http.StatusNotFound {
			list, err = admin.List[repoSeen](ctx, e.api, "users/"+escaped(o)+"/repos", "limit")
		}
		if err != nil {
			e.found.Wrong("repositories of "+o, forges.Bad, e.words.Explain(err, "", "correct PRIMUM_ONLY, or give "+e.me.Login+" access: primum setup gitea --org "+o))
			continue
		}
		all = append(all, list...)
	}
	for _, name := range e.Repos {
		var r repoSeen
		if _, err := e.api.Get(ctx, setupRepo(name), &r); err != nil {
			e.found.Wrong(name, forges.Bad, e.words.Explain(err, "", "correct PRIMUM_ONLY, or give "+e.me.Login+" access: primum setup gitea --repo "+name))
			continue
		}
		all = append(all, r)
	}
	all = slices.DeleteFunc(all, func(r repoSeen) bool { return r.Archived || r.Empty })
	switch {
	case len(all) == 0:
		e.found.Bad("repositories", "let the account into a team of the organisation: primum setup gitea", "%s sees no repository", e.me.Login)
	case len(all) > e.Bound():
		e.found.Odd("repositories", "name some in PRIMUM_ONLY to have those looked at", "%d are seen; the first %d are looked at", len(all), e.Bound())
		all = all[:e.Bound()]
	default:
		e.found.Good("repositories", "%d seen", len(all))
	}
	return all
}

// scopes finds out whether the token may write, by calls that are refused for
// want of a scope before they find that nothing has the number 0.
func (e *exam) scopes(ctx context.Context, repos []repoSeen) {
	if len(repos) == 0 {
		return
	}
	short := false
	of := setupRepo(repos[0].Name)
	for _, probe := range []struct{ scope, method, path string }{
		{"write:repository", http.MethodPost, of + "/pulls/0/update"},
		{"write:issue", http.MethodDelete, of + "/issues/comments/0"},
		{"read:organization", http.MethodGet, "user/orgs"},
	} {
		_, err := e.api.Call(ctx, probe.method, probe.path, nil, nil)
		if h := refusal(err); h != nil && strings.Contains(h.Message, "scope") {
			short = true
			e.found.Bad("token", "make it anew with the scopes "+strings.Join(botScopes, ", ")+": sign in as "+e.me.Login+", Settings, Applications",
				"it lacks the scope %s", probe.scope)
		}
	}
	if !short {
		e.found.Good("token", "has the scopes Primum needs")
	}
}

func refusal(err error) *forges.HTTPError {
	if h, ok := errors.AsType[*forges.HTTPError](err); ok && h.Status == http.StatusForbidden {
		return h
	}
	return nil
}

// repo looks at one repository, if it has a policy.
func (e *exam) repo(ctx context.Context, r repoSeen) {
	if !r.Permissions.Push {
		e.found.Bad(r.Name, "let the account write: primum setup gitea --repo "+r.Name, "%s may not write to it, so no verdict can be posted", e.me.Login)
	}
	text, err := e.policyAt(ctx, r)
	if err != nil {
		if statusIn(err) != http.StatusNotFound {
			e.found.Wrong("policy of "+r.Name, forges.Bad, e.words.Explain(err, "", "let the account read the code: primum setup gitea --repo "+r.Name))
			return
		}
		e.bare++
		if containsFold(e.Repos, r.Name) {
			e.found.Odd("policy of "+r.Name, "in a clone: primum policy init", "%s has no %s, so nothing is judged", r.Default, policyPath)
		}
		return
	}
	e.protection(ctx, r, e.Silent != nil && e.Silent(text))
	e.webhook(ctx, r)
	e.roles(ctx, r, text)
}

func (e *exam) policyAt(ctx context.Context, r repoSeen) ([]byte, error) {
	var file struct {
		Content string `json:"content"`
	}
	if _, err := e.api.Get(ctx, setupRepo(r.Name)+"/contents/"+policyPath, &file); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(file.Content), ""))
}

// protection looks at what really blocks a merge into the default branch.
func (e *exam) protection(ctx context.Context, r repoSeen, silent bool) {
	for _, branch := range e.branches(r) {
		topic := "required check on " + branch + " of " + r.Name
		cure := "primum setup gitea --repo " + r.Name + " --branch " + branch
		var b branchSeen
		if _, err := e.api.Get(ctx, setupRepo(r.Name)+"/branches/"+escaped(branch), &b); err != nil {
			e.found.Wrong(topic, forges.Bad, e.words.Explain(err, "", "correct the name of the branch"))
			continue
		}
		switch {
		case !b.Protected:
			e.found.Bad(topic, cure, "the branch is not protected: whoever may write merges and pushes without a verdict")
			continue
		case !b.Status:
			e.found.Bad(topic, cure, "the protection does not ask for checks: a red verdict does not keep a change out")
			continue
		case !slices.Contains(b.Contexts, e.Check):
			said := "no check by name"
			if len(b.Contexts) > 0 {
				said = strings.Join(b.Contexts, ", ")
			}
			e.found.Bad(topic, cure, "the protection asks for %s and not for %s: a change without a verdict goes through", said, e.Check)
			continue
		}
		if silent {
			e.found.Bad(topic, "write mode: advise in "+policyPath+" (an administrator merges that past the check), or require the check later",
				"a merge needs the check %s, which never comes: the policy observes only, so no change can be merged", e.Check)
			continue
		}
		e.found.Good(topic, "a merge needs the check %s", e.Check)
		if b.MayPush {
			e.found.Odd("pushes to "+branch+" of "+r.Name, "switch off push in the protection of the branch, or list who may", "%s may push to the branch, so others who write may too, past every check", e.me.Login)
		}
		e.overrides(ctx, r, branch)
	}
}

func (e *exam) branches(r repoSeen) []string {
	if len(e.Branches) > 0 {
		return e.Branches
	}
	return []string{r.Default}
}

// admins gives the client that an administrator's reading is tried with.
func (e *exam) admins() *admin.Client {
	if e.above != nil {
		return e.above
	}
	return e.api
}

// overrides looks at who may merge past the check.
func (e *exam) overrides(ctx context.Context, r repoSeen, branch string) {
	topic := "administrators and " + branch + " of " + r.Name
	var b branchSeen
	var rules []rule
	_, err := e.admins().Get(ctx, setupRepo(r.Name)+"/branches/"+escaped(branch), &b)
	if err == nil {
		_, err = e.admins().Get(ctx, setupRepo(r.Name)+"/branch_protections", &rules)
	}
	i := slices.IndexFunc(rules, func(r rule) bool { return r.Name == b.Rule && b.Rule != "" })
	if err != nil || i < 0 {
		e.unseen = true
		return
	}
	cure := "primum setup gitea --strict --repo " + r.Name + " --branch " + branch
	holds, known := rules[i].holdsAdmins()
	switch {
	case known && holds && e.product.name == Forgejo:
		e.found.Good(topic, "administrators of the repository are held; the site's may still force a merge, which no setting of Forgejo prevents")
	case known && holds:
		e.found.Good(topic, "administrators are held as well")
	case known:
		e.found.Odd(topic, cure, "administrators may merge past the check")
	}
}

// webhook looks for the webhook that tells of a repository.
func (e *exam) webhook(ctx context.Context, r repoSeen) {
	if e.HookURL == "" {
		return
	}
	of, _, _ := strings.Cut(r.Name, "/")
	covered := e.orgHook(ctx, of)
	topic := "webhook of " + r.Name
	there, err := admin.List[hookSeen](ctx, e.admins(), setupRepo(r.Name)+"/hooks", "limit")
	if err != nil {
		e.unseen = true
		return
	}
	all := len(there)
	there = slices.DeleteFunc(there, func(h hookSeen) bool { return !sameHook(h, e.HookURL) })
	switch {
	case covered && len(there) > 0:
		e.found.Odd(topic, "primum setup gitea --org "+of+" --repo "+r.Name+" removes it", "everything is delivered twice, since %s has one too", of)
	case covered:
	case len(there) == 0 && e.orgUnseen(of):
		e.unseen = true
	case len(there) == 0:
		e.found.Bad(topic, "primum setup gitea --repo "+r.Name, "none of its %d sends to %s: Primum hears of nothing", all, e.HookURL)
	default:
		e.hook(topic, "primum setup gitea --repo "+r.Name, there)
		e.deliver(ctx, topic, setupRepo(r.Name)+fmt.Sprintf("/hooks/%d/tests", there[0].ID))
	}
}

const notSeen = "?"

func (e *exam) orgUnseen(of string) bool { return e.orgHooks[of] == notSeen }

// orgHook reports whether an organisation's webhook covers its repositories.
func (e *exam) orgHook(ctx context.Context, of string) bool {
	if where, known := e.orgHooks[of]; known {
		return where != "" && where != notSeen
	}
	there, err := admin.List[hookSeen](ctx, e.admins(), "orgs/"+escaped(of)+"/hooks", "limit")
	switch {
	case statusIn(err) == http.StatusNotFound: // a person, who has none that covers
		e.orgHooks[of] = ""
		return false
	case err != nil:
		e.orgHooks[of] = notSeen
		return false
	}
	there = slices.DeleteFunc(there, func(h hookSeen) bool { return !sameHook(h, e.HookURL) })
	if len(there) == 0 {
		e.orgHooks[of] = ""
		return false
	}
	e.orgHooks[of] = of
	e.hook("webhook of "+of, "primum setup gitea --org "+of, there)
	if e.Deliver != nil && !e.Came {
		e.found.Odd("test delivery: webhook of "+of, "open the webhook's page in the organisation's settings and press Test delivery",
			"%s lets only the webhooks of repositories be tested by a call", e.product.name)
	}
	return true
}

// hook says how webhooks to our address are.
func (e *exam) hook(topic, cure string, there []hookSeen) {
	if len(there) > 1 {
		e.found.Odd(topic, cure+" removes the others", "%d send to the same address: everything is delivered %d times", len(there), len(there))
	}
	if faults := hookFaults(there[0], hookEvents(e.product)); len(faults) > 0 {
		e.found.Bad(topic, cure+" mends it", "%s", strings.Join(faults, "; "))
		return
	}
	e.found.Good(topic, "sends to %s, all that Primum needs", e.HookURL)
}

// deliver asks for a test delivery.
func (e *exam) deliver(ctx context.Context, topic, path string) {
	if e.Deliver == nil {
		return
	}
	topic = "test delivery: " + topic
	came, err := e.Deliver(ctx, func() error {
		_, err := e.admins().Call(ctx, http.MethodPost, path, nil, nil)
		return err
	})
	switch {
	case err != nil:
		e.found.Wrong(topic, forges.Odd, e.words.Explain(err, "", hookNeed))
	case came:
		e.found.Good(topic, "came to the service with the right secret")
	default:
		e.found.Bad(topic, "look at the webhook's page in "+e.product.name+" for its answer: a private address needs [webhook] ALLOWED_HOST_LIST in app.ini; 401 means another secret: primum setup gitea --new-secret",
			"it did not come to the service")
	}
}

// roles looks whether the members of the teams that a policy names can be read.
func (e *exam) roles(ctx context.Context, r repoSeen, policy []byte) {
	of, _, _ := strings.Cut(r.Name, "/")
	var teams []orgTeam
	for _, p := range e.Roles(policy) {
		name, isTeam := strings.CutPrefix(p, "team:")
		name = name[strings.LastIndex(name, "/")+1:]
		if !isTeam || e.told[of+"/"+name] {
			continue
		}
		e.told[of+"/"+name] = true
		topic := "team " + name + " of " + of
		if teams == nil {
			var err error
			if teams, err = admin.List[orgTeam](ctx, e.api, "orgs/"+escaped(of)+"/teams", "limit"); err != nil {
				e.found.Wrong(topic, forges.Bad, e.words.Explain(err, "read the teams of "+of, "let the account into a team of "+of+": primum setup gitea --org "+of))
				return
			}
		}
		i := slices.IndexFunc(teams, func(t orgTeam) bool { return strings.EqualFold(t.Name, name) })
		if i < 0 {
			e.found.Bad(topic, "make the team, or correct people in "+policyPath, "the policy of %s names it and %s has it not: nobody holds that role", r.Name, of)
			continue
		}
		if _, err := e.api.Get(ctx, fmt.Sprintf("teams/%d/members?limit=1", teams[i].ID), nil); err != nil {
			e.found.Wrong(topic, forges.Bad, e.words.Explain(err, "read its members, as the policy of "+r.Name+" asks",
				"only who is in the team is told who else is: primum setup gitea --repo "+r.Name+" adds "+e.me.Login))
			continue
		}
		e.found.Good(topic, "its members can be read")
	}
}

// last says what could not be looked at, and the trap of private addresses.
func (e *exam) last(ctx context.Context) {
	if e.unseen {
		e.found.Odd("webhooks and overrides", "give the token of an administrator for this look, with --admin-token-file",
			"%s is not shown all of them, so they were not all looked at", e.me.Login)
	}
	switch private, ip := admin.Private(ctx, e.HookURL); {
	case !private:
	case e.Came:
		e.found.Good("private address", "%s may call %s, for its deliveries came", e.product.name, ip)
	default:
		e.found.Odd("private address", "in app.ini, under [webhook]: ALLOWED_HOST_LIST = external,"+hostOf(e.HookURL)+"; --deliver finds out whether it is so",
			"webhooks go to %s, and %s calls private addresses only if it is told that it may", ip, e.product.name)
	}
}

// Ping is a delivery that leads to nothing, signed with a secret: what doctor
// sends to see whether the service accepts signed deliveries, and only those.
func Ping(secret, id string) (http.Header, []byte) {
	body := []byte(`{"zen":"a delivery of primum doctor, about nothing"}`)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return http.Header{
		"Content-Type": {"application/json"}, "X-Gitea-Event": {"ping"}, "X-Gitea-Event-Type": {"ping"},
		"X-Gitea-Delivery": {id}, "X-Gitea-Signature": {hex.EncodeToString(mac.Sum(nil))},
	}, body
}
