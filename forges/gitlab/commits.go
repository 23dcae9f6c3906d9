package gitlab

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"primum/forges"
	"primum/forges/wire"
	"primum/rules/fact"
)

// committed are the commits of a head, kept for a while: what they are never
// changes, but whether a signature holds may.
type committed struct {
	list  []fact.Commit
	until time.Time
}

// timed is an account, nobody included, kept for a while.
type timed struct {
	person fact.Person
	until  time.Time
}

// lookUps bounds how many unknown addresses one reading asks for.
const lookUps = 20

var (
	coAuthor = regexp.MustCompile(`(?im)^co-authored-by:[ \t]*(.*?)[ \t]*<([^<>\n]+)>[ \t]*\r?$`)
	// noReply is the address GitLab gives accounts that hide theirs:
	// 12-mara@users.noreply.gitlab.com.
	noReply = regexp.MustCompile(`(?i)^(\d+)-([a-z0-9_.-]+)@users\.noreply\.`)
)

// readCommits reads the commits, oldest first.
func (r *reading) readCommits(ctx context.Context) error {
	if !r.needs[fact.NeedCommits] {
		return nil
	}
	key := r.key() + "\x00" + r.mr.HeadSHA
	if refs := r.mr.DiffRefs; refs != nil {
		key += "\x00" + refs.BaseSHA + "\x00" + refs.StartSHA
	}
	if known, ok := r.commits.Get(key); ok && known.until.After(r.Now()) {
		r.c.Commits = slices.Clone(known.list)
		return nil
	}
	nodes, err := r.listCommits(wire.Operation(ctx, "read_commits"))
	if err != nil {
		return err
	}
	slices.Reverse(nodes)
	accounts, err := r.accounts(ctx, nodes)
	if err != nil {
		return err
	}
	list := make([]fact.Commit, 0, len(nodes))
	weight := 0
	for i := range nodes {
		c := nodes[i].fact(accounts)
		weight += 600 + len(c.Message)
		list = append(list, c)
	}
	r.c.Commits = list
	if count := r.mr.CommitCount; count != nil && len(list) < *count {
		r.unknown(fact.NeedCommits, fmt.Sprintf("GitLab lists %d of %d commits", len(list), *count))
		return nil
	}
	r.commits.Put(key, committed{slices.Clone(list), r.Now().Add(r.PeopleFor)}, weight)
	return nil
}

func (r *reading) listCommits(ctx context.Context) ([]commitNode, error) {
	var nodes []commitNode
	var after any
	for range maxPages {
		var answer changeAnswer
		if err := r.query(ctx, commitsText, map[string]any{"path": r.path, "iid": decimal(r.ref.Number), "after": after}, &answer); err != nil {
			return nil, fmt.Errorf("commits: %w", err)
		}
		if answer.Project == nil || answer.Project.MergeRequest == nil {
			return nil, fmt.Errorf("commits: %w", forges.ErrNotFound)
		}
		m := answer.Project.MergeRequest
		if m.HeadSHA != r.mr.HeadSHA {
			return nil, fmt.Errorf("commits: the head moved: %w", forges.ErrConflict)
		}
		if m.Commits == nil {
			r.unknown(fact.NeedCommits, "GitLab does not show the commits")
			return nil, nil
		}
		nodes = append(nodes, m.Commits.Nodes...)
		cursor := m.Commits.next()
		if cursor == "" {
			return nodes, nil
		}
		after = cursor
	}
	return nil, fmt.Errorf("commits: more than %d pages", maxPages)
}

func (n *commitNode) fact(accounts map[string]fact.Person) fact.Commit {
	who := func(name, email *string) fact.Identity {
		return fact.Identity{Name: word(name), Email: word(email), Account: accounts[strings.ToLower(word(email))]}
	}
	c := fact.Commit{
		SHA: n.SHA, Message: word(n.Message), Author: who(n.AuthorName, n.AuthorEmail), Committer: who(n.CommitterName, n.CommitterEmail),
		AuthoredAt: at(n.AuthoredDate), CommittedAt: at(n.CommittedDate),
	}
	if n.Signature != nil {
		c.Signature = signatureOf(word(n.Signature.Status))
	}
	for _, m := range coAuthor.FindAllStringSubmatch(c.Message, -1) {
		c.CoAuthors = append(c.CoAuthors, who(&m[1], &m[2]))
	}
	return c
}

// accounts maps the addresses in commits to accounts. GitLab tells that of the
// author only; a committer or co-author is somebody known as an author, or has
// GitLab's own no-reply address, or made the address public.
func (r *reading) accounts(ctx context.Context, nodes []commitNode) (map[string]fact.Person, error) {
	known := map[string]fact.Person{}
	var open []string
	for i := range nodes {
		n := &nodes[i]
		if email := strings.ToLower(word(n.AuthorEmail)); email != "" {
			known[email] = r.known(n.Author)
		}
	}
	for i := range nodes {
		n := &nodes[i]
		emails := []string{word(n.CommitterEmail)}
		for _, m := range coAuthor.FindAllStringSubmatch(word(n.Message), -1) {
			emails = append(emails, m[2])
		}
		for _, email := range emails {
			email = strings.ToLower(email)
			if _, ok := known[email]; !ok && email != "" && !slices.Contains(open, email) {
				open = append(open, email)
			}
		}
	}
	for i, email := range open {
		if i == lookUps {
			break
		}
		p, err := r.accountOf(ctx, email)
		if err != nil {
			return nil, fmt.Errorf("whose address a commit carries: %w", err)
		}
		known[email] = p
	}
	return known, nil
}

// accountOf finds the account of an address, or nobody.
func (f *Forge) accountOf(ctx context.Context, email string) (fact.Person, error) {
	if seen, ok := f.emails.Get(email); ok && seen.until.After(f.Now()) {
		return seen.person, nil
	}
	ctx = wire.Operation(ctx, "read_account")
	query := url.Values{"search": {email}}
	hidden := noReply.FindStringSubmatch(email)
	if hidden != nil {
		query = url.Values{"username": {hidden[2]}}
	}
	var list []user
	if _, err := f.get(ctx, "users", query, &list); err != nil {
		return fact.Person{}, err
	}
	var found fact.Person
	for i := range list {
		u := &list[i]
		switch {
		case hidden != nil && decimal(u.ID) == hidden[1], hidden == nil && (strings.EqualFold(u.PublicEmail, email) || strings.EqualFold(u.Email, email)):
			found = u.person()
		}
	}
	f.emails.Put(email, timed{found, f.Now().Add(f.PeopleFor)}, 200)
	return found, nil
}
