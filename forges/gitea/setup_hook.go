package gitea

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"primum/forges/admin"
)

// hookSeen is a webhook as the API shows it: without its secret.
type hookSeen struct {
	ID     int64             `json:"id"`
	Type   string            `json:"type"`
	Config map[string]string `json:"config"`
	Events []string          `json:"events"`
	Active bool              `json:"active"`
	Filter string            `json:"branch_filter"`
	Auth   string            `json:"authorization_header"`
}

// hookWanted is a webhook as it is made and edited. Editing changes no secret:
// for another secret it is made anew. What editing leaves out is cleared.
type hookWanted struct {
	Type   string            `json:"type,omitempty"`
	Config map[string]string `json:"config"`
	Events []string          `json:"events"`
	Active bool              `json:"active"`
	Filter string            `json:"branch_filter"`
	Auth   string            `json:"authorization_header,omitempty"`
}

// hookEvents are what Primum asks to be told, as the API names them when a
// webhook is made. The words with "_only" leave out what stands beside them.
func hookEvents(p product) []string {
	events := []string{
		"push", "delete", "repository", "issues_only", "issue_label", "issue_milestone", "issue_comment",
		"pull_request_only", "pull_request_label", "pull_request_milestone", "pull_request_comment", "pull_request_review", "pull_request_sync",
	}
	switch {
	case p.name == Forgejo: // knows neither, and drops what it does not know
	case p.atLeast(1, 25):
		events = append(events, "status", "workflow_run", "workflow_job")
	default:
		events = append(events, "status")
	}
	return events
}

// missingEvents are those a webhook is not told of.
func missingEvents(h hookSeen, want []string) []string {
	var missing []string
	for _, e := range want {
		shown := strings.TrimSuffix(e, "_only")
		if !slices.ContainsFunc(h.Events, func(have string) bool {
			// An older one names the kinds of review apart.
			return have == shown || shown == "pull_request_review" && strings.HasPrefix(have, "pull_request_review_") && have != "pull_request_review_request"
		}) {
			missing = append(missing, shown)
		}
	}
	return missing
}

// sameHook reports whether a webhook sends to an address of ours.
func sameHook(h hookSeen, address string) bool {
	return strings.TrimRight(h.Config["url"], "/") == strings.TrimRight(address, "/")
}

// hookFaults says what is wrong with a webhook; nothing if it is right.
func hookFaults(h hookSeen, want []string) []string {
	var faults []string
	if !h.Active {
		faults = append(faults, "it is switched off")
	}
	if h.Config["content_type"] != "json" {
		faults = append(faults, "it does not send JSON")
	}
	if h.Filter != "" && h.Filter != "*" {
		faults = append(faults, "its branch filter "+h.Filter+" leaves pushes out")
	}
	if missing := missingEvents(h, want); len(missing) > 0 {
		faults = append(faults, "it is not told of "+strings.Join(missing, ", "))
	}
	return faults
}

const hookNeed = "for an organisation the token needs the scope write:organization and to be an owner's; for a repository write:repository and to be its administrator's"

// hooks finds the webhooks of an organisation, or of each repository.
func (s *setup) hooks(ctx context.Context, o *setupOwner) error {
	if o.org && o.teams != nil {
		p := hookPlace{path: "orgs/" + escaped(o.name) + "/hooks", of: o.name}
		if err := s.look(ctx, &p); err != nil {
			return err
		}
		if o.whole || len(p.there) > 0 {
			o.hook = true
			s.places = append(s.places, p)
		}
	}
	for _, r := range o.repos {
		if o.hook {
			if err := s.spareHook(ctx, o, r); err != nil {
				return err
			}
			continue
		}
		p := hookPlace{path: setupRepo(r) + "/hooks", of: r}
		if err := s.look(ctx, &p); err != nil {
			return err
		}
		s.places = append(s.places, p)
	}
	return nil
}

// hookPlace is where a webhook is to be, with those there that send to us.
type hookPlace struct {
	path, of string
	there    []hookSeen
}

func (s *setup) look(ctx context.Context, p *hookPlace) error {
	there, err := admin.List[hookSeen](ctx, s.api, p.path, "limit")
	if err != nil {
		return s.words.Explain(err, "read the webhooks of "+p.of, hookNeed)
	}
	p.there = slices.DeleteFunc(there, func(h hookSeen) bool { return !sameHook(h, s.HookURL) })
	return nil
}

// settleHooks gives the steps for all webhooks at once: where one is to be made
// with a secret that the others have not, all are made with it.
func (s *setup) settleHooks() {
	for _, p := range s.places {
		s.NewSecret = s.NewSecret || s.Fresh && len(p.there) == 0
	}
	last := -1
	for i, p := range s.places {
		if s.NewSecret || len(p.there) == 0 {
			last = i
		}
	}
	for i, p := range s.places {
		s.hook(p, i == last && s.Fresh)
	}
}

// spareHook takes away the webhook of a repository whose organisation has one:
// everything would be delivered twice.
func (s *setup) spareHook(ctx context.Context, o *setupOwner, repo string) error {
	there, err := admin.List[hookSeen](ctx, s.api, setupRepo(repo)+"/hooks", "limit")
	if err != nil {
		return s.words.Explain(err, "read the webhooks of "+repo, hookNeed)
	}
	for _, h := range there {
		if sameHook(h, s.HookURL) {
			s.do("remove the webhook of "+repo+", since that of "+o.name+" delivers the same", hookNeed, true, func(ctx context.Context) error {
				_, err := s.api.Call(ctx, http.MethodDelete, fmt.Sprintf("%s/hooks/%d", setupRepo(repo), h.ID), nil, nil)
				return err
			})
		}
	}
	return nil
}

// hook gives the steps for one webhook. The last of those that get a new secret
// keeps it.
func (s *setup) hook(p hookPlace, keeps bool) {
	path, of, there := p.path, p.of, p.there
	if len(there) == 0 {
		s.do("add a webhook to "+of+" that sends to "+s.HookURL+and(keeps), hookNeed, true, func(ctx context.Context) error {
			return s.delivered(s.addHook(ctx, path, hookSeen{}), keeps)
		})
		return
	}
	first := there[0]
	faults := hookFaults(first, hookEvents(s.product))
	switch {
	case s.NewSecret:
		s.do("make the webhook of "+of+" anew with a new secret"+and(keeps)+" (a service that has the old one refuses its deliveries until it has this one)", hookNeed, true,
			func(ctx context.Context) error {
				err := s.addHook(ctx, path, first)
				if err == nil {
					err = s.dropHook(ctx, path, first.ID)
				}
				return s.delivered(err, keeps)
			})
	case len(faults) > 0:
		s.do("mend the webhook of "+of+": "+strings.Join(faults, "; "), hookNeed, true, func(ctx context.Context) error {
			_, err := s.api.Call(ctx, http.MethodPatch, fmt.Sprintf("%s/%d", path, first.ID), s.hookOf(first), nil)
			return err
		})
	default:
		s.is("the webhook of " + of + " sends to " + s.HookURL)
	}
	for _, spare := range there[1:] {
		s.do("remove the second webhook of "+of+" to the same address", hookNeed, true, func(ctx context.Context) error { return s.dropHook(ctx, path, spare.ID) })
	}
}

// and says that a step keeps the secret as well.
func and(keeps bool) string {
	if keeps {
		return ", and keep its secret"
	}
	return ""
}

// delivered follows a webhook that was to get the secret. The last one keeps it,
// in the same step, so that no run breaks off between; but a secret that not all
// of them got is not kept, so that the next run makes another for all.
func (s *setup) delivered(err error, keeps bool) error {
	s.secretMissed = s.secretMissed || err != nil
	switch {
	case err != nil || !keeps:
		return err
	case s.secretMissed:
		return &admin.Trouble{Says: "not every webhook got the new secret, so it is not kept", Cure: "run this again: it makes another for all"}
	}
	return s.keep("WEBHOOK_SECRET", s.Secret)
}

func (s *setup) dropHook(ctx context.Context, path string, id int64) error {
	_, err := s.api.Call(ctx, http.MethodDelete, fmt.Sprintf("%s/%d", path, id), nil, nil)
	return err
}

func (s *setup) addHook(ctx context.Context, path string, old hookSeen) error {
	h := s.hookOf(old)
	h.Type, h.Config["secret"] = "gitea", s.Secret
	_, err := s.api.Call(ctx, http.MethodPost, path, h, nil)
	return err
}

// hookOf is the webhook wanted, with what an old one has beside it.
func (s *setup) hookOf(old hookSeen) hookWanted {
	h := hookWanted{
		Config: map[string]string{"url": s.HookURL, "content_type": "json"},
		Events: hookEvents(s.product), Active: true, Auth: old.Auth,
	}
	for _, e := range old.Events {
		if e == "issues" || e == "pull_request" {
			e += "_only" // the bare word would add all that stands beside it
		}
		if !slices.Contains(h.Events, e) {
			h.Events = append(h.Events, e)
		}
	}
	return h
}
