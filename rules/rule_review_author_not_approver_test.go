package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestReviewAuthorNotApprover(t *testing.T) {
	t.Parallel()
	wrote := func(who fact.Person, as string) func(*fact.Change) {
		return func(c *fact.Change) {
			id := fact.Identity{Name: who.Name, Email: who.Login + "@pump.example", Account: who}
			switch k := &c.Commits[0]; as {
			case "author":
				k.Author = id
			case "committer":
				k.Committer = id
			case "co-author":
				k.CoAuthors = append(k.CoAuthors, id)
			}
		}
	}
	run(t, "review-author-not-approver", []spoilt{
		{name: "approved by others", want: rules.Pass},
		{name: "by the author of a commit", spoil: wrote(ft.Jonas(), "author"), want: rules.Fail, says: "jonas approved and is the author of 3f9c0b7d", who: "alex"},
		{name: "by a committer", spoil: wrote(ft.Jonas(), "committer"), want: rules.Fail, says: "committed 3f9c0b7d", who: "alex"},
		{name: "by a co-author", spoil: wrote(ft.Jonas(), "co-author"), want: rules.Fail, says: "co-author of 3f9c0b7d", who: "alex"},
		{name: "by the opener", spoil: func(c *fact.Change) { c.Opener = ft.Jonas() }, want: rules.Fail, says: "opened the change", who: "alex"},
		{
			name: "by who pushed a commit under another name", want: rules.Fail, says: "jonas approved and is an author of the change (pushed 3f9c0b7d)", who: "alex",
			spoil: func(c *fact.Change) {
				c.Pushers = []fact.Push{{Person: ft.Mara(), SHA: ft.Older}, {Person: ft.Jonas(), SHA: ft.Head, At: ft.At(24)}}
			},
		},
		{
			name: "a bot that pushed is no author", want: rules.Pass,
			spoil: func(c *fact.Change) { c.Pushers = []fact.Push{{Person: ft.Bot(), SHA: ft.Head}, {SHA: ft.Older}} },
		},
		{
			name: "by an address that the change ties to the account", want: rules.Fail, says: "jonas approved and is the author of 1a2b3c4d",
			spoil: func(c *fact.Change) {
				k := c.Commits[0]
				k.SHA, k.Message = ft.Older, "Prepare the clamp"
				k.Author = fact.Identity{Name: "J", Email: "Jonas@pump.example"}
				c.Commits = append([]fact.Commit{k}, c.Commits...)
				wrote(ft.Jonas(), "co-author")(c)
			},
		},
		{
			name: "enough others approved", want: rules.Pass, says: "that of jonas is not counted",
			spoil: func(c *fact.Change) {
				wrote(ft.Jonas(), "co-author")(c)
				ft.Approve(c, ft.Alex(), ft.At(27.5), "/primum sign reviewed-code")
			},
		},
		{
			name: "waived at A", level: "A", want: rules.Waived, says: "Waived until 2026-03-20 by chen (W1)",
			spoil: func(c *fact.Change) {
				wrote(ft.Jonas(), "co-author")(c)
				ft.Say(c, ft.Mara(), ft.At(25), "/primum waive review-author-not-approver until 2026-03-20 because the team is one developer this month")
				ft.Say(c, ft.Chen(), ft.At(26), "/primum approve W1")
			},
		},
		{name: "no approval yet", spoil: func(c *fact.Change) { c.Reviews = nil }, want: rules.NA, also: []string{"review-quorum"}},
		{
			name: "an account that borrows the forge's name is an author", want: rules.Fail, says: "committed 3f9c0b7d",
			spoil: func(c *fact.Change) {
				p := c.People["team:firmware"]
				p.Members = append(p.Members, fact.Person{ID: "666", Login: "web-flow"})
				c.People["team:firmware"] = p
				c.Reviews[0].Author = fact.Person{ID: "666", Login: "web-flow"}
				c.Commits[0].Committer = fact.Identity{Name: "w", Email: "w@pump.example", Account: fact.Person{ID: "666", Login: "web-flow"}}
			},
		},
		{
			name: "the forge as committer is nobody", want: rules.Pass,
			spoil: func(c *fact.Change) {
				c.Commits[0].Committer = fact.Identity{Name: "GitHub", Email: "noreply@github.com", Account: fact.Person{ID: "19864447", Login: "web-flow"}}
				c.Commits[0].Signature.ByForge = true
			},
		},
		{
			name: "an account that signed for the forge is still an author", want: rules.Fail, says: "committed 3f9c0b7d",
			spoil: func(c *fact.Change) {
				wrote(ft.Jonas(), "committer")(c)
				c.Commits[0].Signature.ByForge = true
			},
		},
	})
}
