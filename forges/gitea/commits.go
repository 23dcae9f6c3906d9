package gitea

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

// notSigned is the forge's word for a commit without a signature.
const notSigned = "gpg.error.not_signed_commit"

// keptCommits are the commits between two commits. What git says of them never
// changes; whose address one carries and which key is known may, so a list that
// leaves such a question open is asked for again after a while.
type keptCommits struct {
	commits []fact.Commit
	until   time.Time // zero: for good
}

// readCommits reads the commits, once for a head and a target commit.
func (r *reading) readCommits(ctx context.Context) error {
	key := strings.Join([]string{r.c.Repo.ID, r.pull.Base.SHA, r.pull.Head.SHA, r.number()}, "\x00")
	if kept, ok := r.commits.Get(key); ok && (kept.until.IsZero() || kept.until.After(r.Now())) {
		r.c.Commits = slices.Clone(kept.commits)
		return nil
	}
	got, err := everyPage[commit](ctx, r.Forge, r.path("pulls", r.number(), "commits"), url.Values{"files": {"false"}})
	if err != nil {
		return fmt.Errorf("commits: %w", err)
	}
	slices.Reverse(got) // the forge lists the newest first
	if n := len(got); n > 0 && got[n-1].SHA != r.pull.Head.SHA && r.c.State == fact.Open {
		return fmt.Errorf("commits: the head moved to %s: %w", wire.Short(got[n-1].SHA, 8), forges.ErrConflict)
	}
	facts := make([]fact.Commit, 0, len(got))
	weight := 0
	for i := range got {
		c := r.commitFact(&got[i])
		weight += 400 + len(c.Message)
		facts = append(facts, c)
	}
	if err := r.coAuthors(ctx, facts); err != nil {
		return fmt.Errorf("co-authors: %w", err)
	}
	kept := keptCommits{commits: facts}
	if slices.ContainsFunc(facts, unsettled) {
		kept.until = r.Now().Add(r.PeopleFor)
	}
	r.commits.Put(key, kept, weight)
	r.c.Commits = slices.Clone(facts)
	return nil
}

// unsettled reports whether an account or a key that is added later could change
// what is known of a commit.
func unsettled(c fact.Commit) bool {
	if !c.Author.Account.Known() || !c.Committer.Account.Known() || c.Signature.Present && !c.Signature.Valid {
		return true
	}
	return slices.ContainsFunc(c.CoAuthors, func(i fact.Identity) bool { return !i.Account.Known() })
}

func (f *Forge) commitFact(n *commit) fact.Commit {
	c := fact.Commit{
		SHA: n.SHA, Message: strings.TrimRight(n.Commit.Message, "\n"), Parents: len(n.Parents),
		Author:     fact.Identity{Name: n.Commit.Author.Name, Email: n.Commit.Author.Email, Account: f.person(n.Author)},
		Committer:  fact.Identity{Name: n.Commit.Committer.Name, Email: n.Commit.Committer.Email, Account: f.person(n.Committer)},
		AuthoredAt: n.Commit.Author.Date.Time, CommittedAt: n.Commit.Committer.Date.Time,
	}
	for _, m := range coAuthor.FindAllStringSubmatch(n.Commit.Message, -1) {
		c.CoAuthors = append(c.CoAuthors, fact.Identity{Name: strings.TrimSpace(m[1]), Email: m[2]})
	}
	v := n.Commit.Verification
	if v == nil || v.Signature == "" && (v.Reason == notSigned || v.Reason == "") && !v.Verified {
		return c
	}
	c.Signature = fact.Signature{Present: true, Valid: v.Verified}
	if !v.Verified {
		c.Signature.Reason = v.Reason
	} else if v.Signer != nil {
		c.Signature.ByForge = !f.signedBySomebody(v.Signer, n)
	}
	return c
}

// signedBySomebody reports whether the signer is one of the accounts the commit
// names; else it is the instance itself, whose key signs what is merged or
// edited on its pages.
func (f *Forge) signedBySomebody(signer *gitPerson, n *commit) bool {
	for _, u := range []*user{n.Author, n.Committer} {
		if u != nil && u.ID > 0 && (strings.EqualFold(signer.Name, u.Login) || u.FullName != "" && signer.Name == u.FullName) {
			return true
		}
	}
	for _, p := range []gitPerson{n.Commit.Author, n.Commit.Committer} {
		if p.Email != "" && strings.EqualFold(p.Email, signer.Email) {
			return true
		}
	}
	return false
}

var coAuthor = regexp.MustCompile(`(?im)^co-authored-by:[ \t]*([^<\n]*)<([^<>\s]+@[^<>\s]+)>[ \t]*\r?$`)

// hidden is the address of somebody who shows none: "2+mara@noreply.host".
var hidden = regexp.MustCompile(`^(?:(\d+)\+)?([A-Za-z0-9._-]+)@noreply\.`)

// coAuthors finds the accounts of those named in trailers, of whom the forge
// knows nothing. An address is somebody's if it is that of another commit here,
// or if the account of that address shows it.
func (r *reading) coAuthors(ctx context.Context, commits []fact.Commit) error {
	known := map[string]fact.Person{}
	for i := range commits {
		for _, by := range []fact.Identity{commits[i].Author, commits[i].Committer} {
			if by.Account.Known() {
				known[strings.ToLower(by.Email)] = by.Account
			}
		}
	}
	for i := range commits {
		for k := range commits[i].CoAuthors {
			who := &commits[i].CoAuthors[k]
			address := strings.ToLower(who.Email)
			found, ok := known[address]
			if !ok {
				var err error
				if found, err = r.accountOf(ctx, address); err != nil {
					return err
				}
				known[address] = found
			}
			who.Account = found
		}
	}
	return nil
}

// accountOf looks for the account of an address; nobody if there is none that
// shows it.
func (r *reading) accountOf(ctx context.Context, address string) (fact.Person, error) {
	search := address
	m := hidden.FindStringSubmatch(address)
	if m != nil {
		search = m[2]
	}
	var got struct {
		Data []struct {
			user
			Email string `json:"email"`
		} `json:"data"`
	}
	if _, err := r.get(ctx, "users/search", url.Values{"q": {search}, "limit": {"50"}}, &got); err != nil {
		return fact.Person{}, err
	}
	for i := range got.Data {
		u := &got.Data[i]
		if strings.EqualFold(u.Email, address) || m != nil && strings.EqualFold(u.Login, m[2]) && (m[1] == "" || m[1] == decimal(u.ID)) {
			return r.person(&u.user), nil
		}
	}
	return fact.Person{}, nil
}
