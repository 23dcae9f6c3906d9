package judge

import (
	"context"
	"fmt"
	"strings"

	"primum/forges"
	"primum/rules/fact"
)

// pin holds every "user:login" of the policy to the account it first resolved
// to (law 4): a login given up and taken by somebody else gives no role.
func (j *Judge) pin(ctx context.Context, repo forges.RepoRef, c *fact.Change) error {
	for name, p := range c.People {
		login, ok := strings.CutPrefix(name, "user:")
		if !ok || p.Problem != "" || len(p.Members) != 1 || !p.Members[0].Known() {
			continue
		}
		pinned, err := j.pinned(ctx, repo, login, p.Members[0])
		if err != nil {
			return err
		}
		if pinned != p.Members[0].ID {
			c.People[name] = fact.Principal{Problem: fmt.Sprintf(
				"the login %s now belongs to another account than when the policy first named it; write id:%s for the new account if that is meant",
				login, p.Members[0].ID)}
		}
	}
	return nil
}

func (j *Judge) pinned(ctx context.Context, repo forges.RepoRef, login string, p fact.Person) (string, error) {
	key := repo.Forge + " " + repo.ID + " " + strings.ToLower(login)
	if id, ok := j.pins.Load(key); ok {
		if s, ok := id.(string); ok {
			return s, nil
		}
	}
	id, err := j.store.Pin(ctx, repo.Forge, repo.ID, strings.ToLower(login), p)
	if err != nil {
		return "", fmt.Errorf("pin %s to an account: %w", login, err)
	}
	j.pins.Store(key, id)
	return id, nil
}
