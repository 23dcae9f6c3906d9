package gitea

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"primum/forges"
	"primum/forges/kept"
	"primum/forges/wire"
	"primum/rules/fact"
)

// people remembers the principals resolved last. What has a problem is
// remembered too, since asking again is calls of its own; Forget, or time, has it
// asked again.
type people struct {
	*kept.People
	mu   sync.Mutex
	turn map[string]chan struct{} // by owner: one reading asks at a time
}

// problemFor is how long a principal with a problem is not asked for again.
const problemFor = time.Minute

func newPeople(keep time.Duration, now func() time.Time) *people {
	return &people{People: kept.NewPeople(keep, problemFor, now), turn: map[string]chan struct{}{}}
}

// take waits for one's turn to ask for people of an owner, so that changes read
// at once do not each ask for the same.
func (p *people) take(ctx context.Context, owner string) (done func(), err error) {
	p.mu.Lock()
	turn, ok := p.turn[owner]
	if !ok {
		turn = make(chan struct{}, 1)
		p.turn[owner] = turn
	}
	p.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// known gives what is known of the principals and lists those to ask for.
func (p *people) known(owner string, principals []string) (found map[string]fact.Principal, ask []string) {
	found = map[string]fact.Principal{}
	for _, name := range principals {
		if _, twice := found[name]; twice {
			continue
		}
		r, ok := p.Get(owner, name)
		if !ok {
			ask = append(ask, name)
		}
		found[name] = r
	}
	return found, ask
}

// readPeople resolves the principals of the plan: one call for each account,
// one for the teams of the owner and one for each team, of those not known.
func (r *reading) readPeople(ctx context.Context) error {
	ctx = wire.Operation(ctx, "read_people")
	owner := strings.ToLower(r.ref.Repo.Owner)
	found, ask := r.people.known(owner, r.plan.Principals)
	if len(ask) > 0 {
		done, err := r.people.take(ctx, owner)
		if err != nil {
			return err
		}
		defer done()
		found, ask = r.people.known(owner, r.plan.Principals)
	}
	teams := r.teamsOf(owner)
	answers := make([]fact.Principal, len(ask))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, name := range ask {
		group.Go(func() (err error) {
			answers[i], err = r.principal(ctx, name, teams)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, name := range ask {
		r.people.Put(owner, name, answers[i])
		found[name] = answers[i]
	}
	r.c.People = found
	return nil
}

func (r *reading) principal(ctx context.Context, name string, teams teamList) (fact.Principal, error) {
	kind, word, _ := strings.Cut(name, ":")
	switch {
	case kind == "user" && validName(word):
		return r.userPrincipal(ctx, word)
	case kind == "id":
		if _, ok := positive(word); ok {
			return r.idPrincipal(ctx, word)
		}
	case kind == "team":
		return r.teamPrincipal(ctx, word, teams)
	}
	return fact.Principal{Problem: fmt.Sprintf("%q names nobody; write team:name or user:login", name)}, nil
}

func (r *reading) userPrincipal(ctx context.Context, login string) (fact.Principal, error) {
	var u user
	_, err := r.get(ctx, "users/"+url.PathEscape(login), nil, &u)
	if errors.Is(err, forges.ErrNotFound) {
		return fact.Principal{Problem: fmt.Sprintf("there is no account %q", login)}, nil
	} else if errors.Is(err, forges.ErrForbidden) {
		return fact.Principal{Problem: "accounts may not be read; give the token the scope read:user (" + reason(err) + ")"}, nil
	} else if err != nil {
		return fact.Principal{}, err
	}
	return fact.Principal{Members: []fact.Person{r.person(&u)}}, nil
}

func (r *reading) idPrincipal(ctx context.Context, id string) (fact.Principal, error) {
	var got struct {
		Data []user `json:"data"`
	}
	if _, err := r.get(ctx, "users/search", url.Values{"uid": {id}}, &got); err != nil {
		return fact.Principal{}, err
	}
	for i := range got.Data {
		if decimal(got.Data[i].ID) == id {
			return fact.Principal{Members: []fact.Person{r.person(&got.Data[i])}}, nil
		}
	}
	return fact.Principal{Problem: fmt.Sprintf("there is no account with the number %s", id)}, nil
}

type team struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// teamList gives the teams of the owner, asked for at most once a reading; a
// problem instead of them if they cannot be read.
type teamList func(context.Context) (teams []team, problem string, err error)

func (r *reading) teamsOf(owner string) teamList {
	var mu sync.Mutex
	var done bool
	var teams []team
	var problem string
	return func(ctx context.Context) ([]team, string, error) {
		mu.Lock()
		defer mu.Unlock()
		if done {
			return teams, problem, nil
		}
		got, err := everyPage[team](ctx, r.Forge, "orgs/"+url.PathEscape(owner)+"/teams", nil)
		switch {
		case errors.Is(err, forges.ErrNotFound):
			problem = fmt.Sprintf("%s has no teams that Primum's account may see: it is a person's account, or the account is in no team of it; "+
				"name users, or add the account %s to a team", r.ref.Repo.Owner, r.login())
		case errors.Is(err, forges.ErrForbidden):
			problem = "teams may not be read; " + r.teamCure(err)
		case err != nil:
			return nil, "", err
		}
		done, teams = true, got
		return teams, problem, nil
	}
}

// teamCure says what lets us read teams: the right scope, or membership.
func (r *reading) teamCure(err error) string {
	if h, ok := errors.AsType[*forges.HTTPError](err); ok && h.Status == http.StatusForbidden && strings.Contains(h.Message, "scope") {
		return "give the token the scope read:organization (" + h.Message + ")"
	}
	return fmt.Sprintf("add the account %s to the team, or to the owners of %s (%s)", r.login(), r.ref.Repo.Owner, reason(err))
}

func (f *Forge) login() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.self.Login
}

func (r *reading) teamPrincipal(ctx context.Context, word string, teamsOf teamList) (fact.Principal, error) {
	org, name, named := strings.Cut(word, "/")
	if !named {
		name = word
	} else if !strings.EqualFold(org, r.ref.Repo.Owner) {
		return fact.Principal{Problem: fmt.Sprintf("team %q is of another organisation than the repository", word)}, nil
	}
	teams, problem, err := teamsOf(ctx)
	if err != nil || problem != "" {
		return fact.Principal{Problem: problem}, err
	}
	for _, t := range teams {
		if strings.EqualFold(t.Name, name) {
			return r.members(ctx, t)
		}
	}
	return fact.Principal{Problem: fmt.Sprintf("%s has no team %q, or Primum may not see it", r.ref.Repo.Owner, name)}, nil
}

func (r *reading) members(ctx context.Context, t team) (fact.Principal, error) {
	got, err := everyPage[user](ctx, r.Forge, "teams/"+decimal(t.ID)+"/members", nil)
	if errors.Is(err, forges.ErrForbidden) || errors.Is(err, forges.ErrNotFound) {
		return fact.Principal{Problem: fmt.Sprintf("the members of team %s may not be read; %s", t.Name, r.teamCure(err))}, nil
	} else if err != nil {
		return fact.Principal{}, err
	}
	p := fact.Principal{}
	for i := range got {
		p.Members = append(p.Members, r.person(&got[i]))
	}
	if len(p.Members) == 0 {
		p.Problem = "the team is empty"
	}
	return p, nil
}
