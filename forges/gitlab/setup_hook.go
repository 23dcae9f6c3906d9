package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"primum/forges/admin"
)

// hookSeen is a webhook as the API shows it: without its secrets. Signed is nil
// where the instance cannot sign deliveries.
type hookSeen struct {
	ID       int64  `json:"id"`
	URL      string `json:"url"`
	Push     bool   `json:"push_events"`
	Filter   string `json:"push_events_branch_filter"`
	Issues   bool   `json:"issues_events"`
	Secret   bool   `json:"confidential_issues_events"`
	Merges   bool   `json:"merge_requests_events"`
	Notes    bool   `json:"note_events"`
	Whispers bool   `json:"confidential_note_events"`
	Jobs     bool   `json:"job_events"`
	Lines    bool   `json:"pipeline_events"`
	Emoji    bool   `json:"emoji_events"`
	TLS      bool   `json:"enable_ssl_verification"`
	Alert    string `json:"alert_status"`
	Until    string `json:"disabled_until"`
	Signed   *bool  `json:"signing_token_present"`
}

// hookFaults says what is wrong with a webhook; nothing if it is right.
func hookFaults(h hookSeen) []string {
	var faults, missing []string
	for name, told := range map[string]bool{
		"pushes": h.Push, "issues": h.Issues, "confidential issues": h.Secret, "merge requests": h.Merges, "comments": h.Notes,
		"confidential comments": h.Whispers, "jobs": h.Jobs, "pipelines": h.Lines, "emoji": h.Emoji,
	} {
		if !told {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		faults = append(faults, "it is not told of "+strings.Join(missing, ", "))
	}
	if h.Filter != "" {
		faults = append(faults, "its branch filter "+h.Filter+" leaves pushes out")
	}
	if !h.TLS && strings.HasPrefix(h.URL, "https://") {
		faults = append(faults, "it does not check the certificate of the service")
	}
	return faults
}

// hookSleeps says that GitLab has switched a webhook off by itself; "" if not.
func hookSleeps(h hookSeen) string {
	switch h.Alert {
	case "disabled":
		return "GitLab switched it off after deliveries that failed"
	case "temporarily_disabled":
		return "GitLab rests it until " + h.Until + " after deliveries that failed"
	}
	return ""
}

// hookBody is the webhook wanted, without secrets.
func (s *setup) hookBody() map[string]any {
	return map[string]any{
		"url": s.HookURL, "push_events": true, "push_events_branch_filter": "", "issues_events": true, "confidential_issues_events": true,
		"merge_requests_events": true, "note_events": true, "confidential_note_events": true, "job_events": true,
		"pipeline_events": true, "emoji_events": true, "enable_ssl_verification": strings.HasPrefix(s.HookURL, "https://"),
	}
}

// withSecrets adds what deliveries are proven by.
func (s *setup) withSecrets(body map[string]any) map[string]any {
	body["token"] = s.Secret
	if s.SigningToken != "" {
		body["signing_token"] = s.SigningToken
	}
	return body
}

// hookPlace is where a webhook is to be, with those there that send to us.
type hookPlace struct {
	path, of string
	there    []hookSeen
}

// hooks finds the webhooks: one for a group where the tier has them, else one
// for each of its projects.
func (s *setup) hooks(ctx context.Context) error {
	covered := map[string]bool{}
	for _, g := range s.Owners {
		p := hookPlace{path: setupGroup(g) + "/hooks", of: "the group " + g}
		switch err := s.look(ctx, &p); {
		case err == nil:
			covered[strings.ToLower(g)] = true
			s.places = append(s.places, p)
		case refused(err):
			if err := s.groupByProjects(ctx, g, err); err != nil {
				return err
			}
			covered[strings.ToLower(g)] = true
		default:
			return s.words.Explain(err, "read the webhooks of "+g, needOwner)
		}
	}
	for _, r := range s.Repos {
		if s.within(r) {
			continue
		}
		if err := s.project(ctx, r); err != nil {
			return err
		}
	}
	s.settleHooks()
	return nil
}

// groupByProjects takes the projects of a group one by one: webhooks of groups
// need Premium, and an owner.
func (s *setup) groupByProjects(ctx context.Context, group string, why error) error {
	if _, err := s.api.Get(ctx, setupGroup(group), nil); err != nil {
		return s.words.Explain(err, "read the group "+group, "correct --group, or give the token of one of its owners")
	}
	projects, err := admin.List[projectSeen](ctx, s.api, setupGroup(group)+"/projects?include_subgroups=true&archived=false", "per_page")
	if err != nil {
		return s.words.Explain(err, "list the projects of "+group, needOwner)
	}
	s.note(fmt.Sprintf("the group %s gives no webhook (%s), so each of its %d projects gets one", group, s.why(why), len(projects)),
		"webhooks of groups need the tier Premium and an owner's token; a project made later needs this command again")
	for _, p := range projects {
		if err := s.project(ctx, p.Path); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) project(ctx context.Context, repo string) error {
	p := hookPlace{path: setupProject(repo) + "/hooks", of: repo}
	if err := s.look(ctx, &p); err != nil {
		return s.words.Explain(err, "read the webhooks of "+repo, needProject)
	}
	s.places = append(s.places, p)
	return nil
}

func (s *setup) look(ctx context.Context, p *hookPlace) error {
	there, err := admin.List[hookSeen](ctx, s.api, p.path, "per_page")
	p.there = slices.DeleteFunc(there, func(h hookSeen) bool { return !sameAddress(h.URL, s.HookURL) })
	return err
}

func sameAddress(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }

// settleHooks gives the steps for all webhooks at once: where one is to be made
// with a secret that the others have not, all are made to have it.
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

// hook gives the steps for one webhook. The last of those that get a new secret
// keeps it.
func (s *setup) hook(p hookPlace, keeps bool) {
	and := ""
	if keeps {
		and = ", and keep its secret"
	}
	if len(p.there) == 0 {
		s.do("add a webhook to "+p.of+" that sends to "+s.HookURL+and, needProject, true, func(ctx context.Context) error {
			return s.secretly(ctx, http.MethodPost, p.path, keeps)
		})
		return
	}
	first := p.there[0]
	at := fmt.Sprintf("%s/%d", p.path, first.ID)
	faults := hookFaults(first)
	switch {
	case s.NewSecret:
		s.do("give the webhook of "+p.of+" a new secret"+and+" (a service that has the old one refuses its deliveries until it has this one)", needProject, true,
			func(ctx context.Context) error { return s.secretly(ctx, http.MethodPut, at, keeps) })
	case len(faults) > 0:
		s.do("mend the webhook of "+p.of+": "+strings.Join(faults, "; "), needProject, true, func(ctx context.Context) error {
			_, err := s.api.Call(ctx, http.MethodPut, at, s.hookBody(), nil)
			return err
		})
	default:
		s.is("the webhook of " + p.of + " sends to " + s.HookURL)
	}
	if sleeps := hookSleeps(first); sleeps != "" {
		s.note("the webhook of "+p.of+" sleeps: "+sleeps, "once the service answers: the webhook's page, Test, Push events, wakes it")
	}
	for _, spare := range p.there[1:] {
		s.do("remove the second webhook of "+p.of+" to the same address", needProject, true, func(ctx context.Context) error {
			_, err := s.api.Call(ctx, http.MethodDelete, fmt.Sprintf("%s/%d", p.path, spare.ID), nil, nil)
			return err
		})
	}
}

// secretly makes or changes a webhook with its secrets. Whether it signs its
// deliveries only its answer tells: an instance that cannot, ignores the wish.
// The last webhook keeps the secrets, in the same step, so that no run breaks off
// between; but a secret that not all of them got is not kept, so that the next
// run makes another for all.
func (s *setup) secretly(ctx context.Context, method, path string, keeps bool) error {
	var made hookSeen
	_, err := s.api.Call(ctx, method, path, s.withSecrets(s.hookBody()), &made)
	s.secretMissed = s.secretMissed || err != nil
	s.unsigned = s.unsigned || made.Signed == nil || !*made.Signed
	switch {
	case err != nil || !keeps:
		return err
	case s.secretMissed:
		return &admin.Trouble{Says: "not every webhook got the new secret, so it is not kept", Cure: "run this again: it makes another for all"}
	case s.SigningToken != "" && !s.unsigned:
		if err := s.keep("SIGNING_TOKEN", s.SigningToken); err != nil {
			return err
		}
	}
	return s.keep("WEBHOOK_SECRET", s.Secret)
}
