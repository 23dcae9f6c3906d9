package github

import (
	"context"
	"fmt"
	"strings"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// crew is the people part of one reading.
type crew struct {
	owner  string // as asked, lower case
	known  map[string]fact.Principal
	asking []string // principals without an answer yet; the index is the alias
}

// who says what is known of the principals and what has to be asked.
func (f *Forge) who(owner string, principals []string) *crew {
	c := &crew{owner: strings.ToLower(owner), known: map[string]fact.Principal{}}
	for _, name := range principals {
		if _, twice := c.known[name]; twice {
			continue
		}
		if p, ok := f.people.Get(c.owner, name); ok {
			c.known[name] = p
			continue
		}
		kind, word, _ := strings.Cut(name, ":")
		switch {
		case kind == "user" && validLogin(word), kind == "team" && validSlug(teamSlug(word)):
			c.known[name] = fact.Principal{Problem: "not read"} // until the answer is in
			c.asking = append(c.asking, name)
		default:
			c.known[name] = fact.Principal{Problem: fmt.Sprintf("%q names nobody; write team:slug or user:login", name)}
		}
	}
	return c
}

// teamSlug leaves the organisation out of "acme/firmware": a team belongs to the
// owner of the repository.
func teamSlug(word string) string {
	if i := strings.LastIndexByte(word, '/'); i >= 0 {
		return word[i+1:]
	}
	return word
}

// lines are the lines of the query that ask.
func (c *crew) lines() (root, owner []string) {
	for i, name := range c.asking {
		kind, word, _ := strings.Cut(name, ":")
		if kind == "user" {
			root = append(root, fmt.Sprintf("u%d: user(login: %s) { __typename databaseId login name }", i, quoted(word)))
			continue
		}
		owner = append(owner, fmt.Sprintf(
			"t%d: team(slug: %s) { slug members(first: 100, membership: ALL) { ...members } }", i, quoted(teamSlug(word))))
	}
	return root, owner
}

// resolve fills in what the answer says of the people asked for.
func (f *Forge) resolve(ctx context.Context, cl *client, c *crew, root map[string]*open[actorNode], owner *open[actorNode], partial []graphError) error {
	for i, name := range c.asking {
		kind, word, _ := strings.Cut(name, ":")
		var p fact.Principal
		var err error
		if kind == "user" {
			p = userPrincipal(word, root[fmt.Sprintf("u%d", i)])
		} else {
			p, err = teamPrincipal(ctx, cl, c.owner, word, owner, fmt.Sprintf("t%d", i), partial)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		c.known[name] = p
		f.people.Put(c.owner, name, p)
	}
	return nil
}

func userPrincipal(login string, n *open[actorNode]) fact.Principal {
	if n == nil || n.is.DatabaseID == 0 {
		return fact.Principal{Problem: fmt.Sprintf("there is no account %q", login)}
	}
	return fact.Principal{Members: []fact.Person{n.is.person()}}
}

func teamPrincipal(ctx context.Context, cl *client, org, word string, owner *open[actorNode], alias string, partial []graphError) (fact.Principal, error) {
	if named, _, ok := strings.Cut(word, "/"); ok && !strings.EqualFold(named, org) {
		return fact.Principal{Problem: fmt.Sprintf("team %q is of another organisation than the repository", word)}, nil
	}
	if owner.is.Typename != "Organization" {
		return fact.Principal{Problem: fmt.Sprintf("%s is a person's account and has no teams; name users", owner.is.Login)}, nil
	}
	for _, e := range partial {
		if e.at(0) == "repository" && e.at(1) == "owner" && (e.at(2) == alias || e.at(2) == "") && e.Type != "NOT_FOUND" {
			return fact.Principal{Problem: "teams may not be read; grant the app \"Members: read\" (" + e.words() + ")"}, nil
		}
	}
	var n memberPage
	ok, err := owner.alias(alias, &n)
	if err != nil {
		return fact.Principal{}, err
	}
	if !ok {
		return fact.Principal{Problem: fmt.Sprintf("%s has no team %q, or Primum may not see it", owner.is.Login, teamSlug(word))}, nil
	}
	members := n.Members
	p := fact.Principal{}
	for range maxPages {
		if members == nil {
			return fact.Principal{Problem: "the members may not be read"}, nil
		}
		for i := range members.Nodes {
			p.Members = append(p.Members, members.Nodes[i].person())
		}
		if !members.PageInfo.HasNextPage {
			if len(p.Members) == 0 {
				p.Problem = "the team is empty"
			}
			return p, nil
		}
		if members, err = cl.moreMembers(ctx, owner.is.Login, teamSlug(word), members.PageInfo.EndCursor); err != nil {
			return fact.Principal{}, err
		}
	}
	return fact.Principal{Problem: "the team is too large"}, nil
}

func (c *client) moreMembers(ctx context.Context, org, team, after string) (*page[actorNode], error) {
	var answer struct {
		Organization *struct {
			Team *memberPage `json:"team"`
		} `json:"organization"`
	}
	_, err := c.query(wire.Operation(ctx, "read_team"), teamText+membersText, map[string]any{"owner": org, "team": team, "after": after}, &answer)
	if err != nil {
		return nil, err
	}
	if answer.Organization == nil || answer.Organization.Team == nil {
		return nil, fmt.Errorf("further members of %s: %w", team, forges.ErrConflict)
	}
	return answer.Organization.Team.Members, nil
}

// validLogin reports whether s can be a login; a bot's has "[bot]" behind it.
func validLogin(s string) bool { return validName(strings.TrimSuffix(s, botSuffix)) }

func validSlug(s string) bool { return validName(s) }
