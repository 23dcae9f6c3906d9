package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestConfigCommitIdentity(t *testing.T) {
	t.Parallel()
	stranger := fact.Identity{Name: "build", Email: "build@localhost"}
	forge := fact.Identity{Name: "GitHub", Email: "noreply@github.com"}
	run(t, "config-commit-identity", []spoilt{
		{name: "accounts and signatures", want: rules.Pass},
		{name: "an author without account", spoil: func(c *fact.Change) { c.Commits[0].Author = stranger }, want: rules.Fail, says: "The author of 3f9c0b7d, `build@localhost`, belongs to no account", who: "mara"},
		{name: "a committer without account", spoil: func(c *fact.Change) { c.Commits[0].Committer = stranger }, want: rules.Fail, says: "The committer of 3f9c0b7d"},
		{
			name: "the same stranger twice is one finding", want: rules.Fail, says: "build@localhost",
			spoil: func(c *fact.Change) { c.Commits[0].Author, c.Commits[0].Committer = stranger, stranger },
		},
		{
			name: "a co-author is a claim, not an identity", want: rules.Pass,
			spoil: func(c *fact.Change) { c.Commits[0].CoAuthors = []fact.Identity{stranger} },
		},
		{
			name: "an address that the change ties to an account", want: rules.Pass,
			spoil: func(c *fact.Change) {
				c.Commits[0].Author = fact.Identity{Name: "Mara", Email: "MARA@pump.example"}
			},
		},
		{name: "a registered bot", spoil: func(c *fact.Change) { c.Commits[0].Author.Account = ft.Bot() }, want: rules.Pass},
		{name: "not signed", spoil: func(c *fact.Change) { c.Commits[0].Signature = fact.Signature{} }, want: rules.Fail, says: "1 commit has no valid signature: 3f9c0b7d (not signed)"},
		{
			name: "a signature that is not valid", want: rules.Fail, says: "3f9c0b7d (unknown key)",
			spoil: func(c *fact.Change) { c.Commits[0].Signature = fact.Signature{Present: true, Reason: "unknown key"} },
		},
		{name: "signatures are not asked at B", level: "B", spoil: func(c *fact.Change) { c.Commits[0].Signature = fact.Signature{} }, want: rules.Pass},
		{
			name: "posing as the forge at B", level: "B", want: rules.Fail, says: "The committer of 3f9c0b7d is given as the forge, `noreply@github.com`, which did not make that commit", who: "mara",
			spoil: func(c *fact.Change) {
				c.Commits[0].Committer = forge
				c.Commits[0].Signature = fact.Signature{Present: true, Reason: "bad", ByForge: true}
			},
		},
		{
			name: "posing as the forge without a signature", level: "B", want: rules.Fail, says: "The committer of 3f9c0b7d is given as the forge",
			spoil: func(c *fact.Change) { c.Commits[0].Committer, c.Commits[0].Signature = forge, fact.Signature{} },
		},
		{
			name: "posing as the forge with a key of one's own", want: rules.Fail, says: "The committer of 3f9c0b7d is given as the forge",
			spoil: func(c *fact.Change) { c.Commits[0].Committer = forge },
		},
		{
			name: "posing as the forge for author", want: rules.Fail, says: "The author of 3f9c0b7d is given as the forge",
			spoil: func(c *fact.Change) {
				c.Commits[0].Author = forge
				c.Commits[0].Signature.ByForge = true
			},
		},
		{
			name: "the forge's account does not make a forged author known", want: rules.Fail, says: "The author of 3f9c0b7d is given as the forge",
			spoil: func(c *fact.Change) {
				known := forge
				known.Account = fact.Person{ID: "19864447", Login: "web-flow"}
				c.Commits[0].Author, c.Commits[0].Committer = forge, known
				c.Commits[0].Signature.ByForge = true
			},
		},
		{
			name: "signed by the forge itself", want: rules.Pass,
			spoil: func(c *fact.Change) {
				c.Commits[0].Committer = forge
				c.Commits[0].Signature = fact.Signature{Present: true, Valid: true, ByForge: true}
			},
		},
		{
			name: "signed by the forge itself, at an address of its own", want: rules.Pass,
			spoil: func(c *fact.Change) {
				c.Commits[0].Committer = fact.Identity{Name: "Forge", Email: "noreply@forge.pump.example"}
				c.Commits[0].Signature = fact.Signature{Present: true, Valid: true, ByForge: true}
			},
		},
	})
}
