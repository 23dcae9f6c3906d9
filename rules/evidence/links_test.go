package evidence

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/rules/fact"
)

var mara = fact.Person{ID: "1", Login: "mara"}

// change is one change into main of acme/pump on forge.example.
func change(body string) *fact.Change {
	return &fact.Change{
		Forge: "github", Number: 40, URL: "https://forge.example/acme/pump/pull/40", Body: body, Opener: mara,
		Repo: fact.Repo{ID: "7", Owner: "acme", Name: "pump", DefaultBranch: "main", URL: "https://forge.example/acme/pump"},
		Base: fact.Ref{Name: "main"}, Head: fact.Ref{Name: "topic", SHA: "3f9c0b7aa"},
	}
}

func link(n int, kind fact.LinkKind) fact.Link {
	return fact.Link{Repo: "acme/pump", Number: n, Kind: kind, Source: "description"}
}

func closing(l fact.Link) fact.Link         { l.Closes = true; return l }
func in(repo string, l fact.Link) fact.Link { l.Repo = repo; return l }

func TestLinksOfADescription(t *testing.T) {
	t.Parallel()
	keyword := func(n int) fact.Link { return link(n, fact.LinkKeyword) }
	trailer := func(n int) fact.Link { return link(n, fact.LinkTrailer) }
	mention := func(n int) fact.Link { return link(n, fact.LinkMention) }
	for _, test := range []struct {
		name, body string
		want       []fact.Link
	}{
		{"every closing keyword closes", "close #1 closes #2 closed #3 fix #4 fixes #5 fixed #6 resolve #7 resolves #8 resolved #9", []fact.Link{
			closing(keyword(1)), closing(keyword(2)), closing(keyword(3)), closing(keyword(4)), closing(keyword(5)),
			closing(keyword(6)), closing(keyword(7)), closing(keyword(8)), closing(keyword(9)),
		}},
		{"keywords take a colon and any case", "FIXES: #4", []fact.Link{closing(trailer(4))}},
		{"a closing keyword within prose", "This fixes #4, and that is all.", []fact.Link{closing(keyword(4))}},
		{"referring words link and do not close", "Refs #1\n\nRef #2\n\nReferences #3\n\nRelates to #4\n\nPart of #5", []fact.Link{
			keyword(1), keyword(2), keyword(3), keyword(4), keyword(5),
		}},
		{"a list goes on after the keyword, but only the first closes", "Fixes #1, #2 and #3. See #4.", []fact.Link{
			closing(keyword(1)), keyword(2), keyword(3), mention(4),
		}},
		{"a noun between keeps the link and closes nothing", "Fixes issue #1\n\nPart of change request #2", []fact.Link{keyword(1), keyword(2)}},
		{"another repository keeps its name", "Fixes acme/other#3, refs acme/group/sub#4", []fact.Link{
			closing(in("acme/other", keyword(3))), in("acme/group/sub", keyword(4)),
		}},
		{"the own repository is spelled as the forge does", "Fixes ACME/Pump#3", []fact.Link{closing(keyword(3))}},
		{"GH-12", "Refs GH-12", []fact.Link{keyword(12)}},
		{"an address of this forge", "Refs https://forge.example/acme/pump/issues/12#issuecomment-5.", []fact.Link{keyword(12)}},
		{"an address with a dash, of a merge request, of a pull request", "Refs https://forge.example/a/b/c/-/issues/1, https://forge.example/a/b/-/merge_requests/2 and https://forge.example/a/b/pull/3", []fact.Link{
			in("a/b/c", keyword(1)), in("a/b", keyword(2)), in("a/b", keyword(3)),
		}},
		{"an address alone on its line is meant", "Some words.\nhttps://forge.example/acme/pump/issues/12\nMore.", []fact.Link{keyword(12)}},
		{"an address in a sentence is a mention", "as in https://forge.example/acme/pump/issues/12 before", []fact.Link{mention(12)}},
		{"a Markdown link to an issue", "Fixes [the stall](https://forge.example/acme/pump/issues/12)", []fact.Link{closing(keyword(12))}},
		{"emphasis around a number", "Fixes **#12**", []fact.Link{closing(keyword(12))}},
		{"another forge's address is nothing", "Fixes https://elsewhere.example/acme/pump/issues/12", nil},
		{"a look-alike host is nothing", "Fixes https://forge.example.evil.example/acme/pump/issues/12", nil},
		{"a bare number is a mention", "see #12", []fact.Link{mention(12)}},
		{"a number within a word", "abc#12 #12abc #12-b x-#12 &#12; \\#12 #12.5", nil},
		{"a fragment of an address", "https://forge.example/page#12 and [x](https://a.example/#13)", nil},
		{"colours", "color: #112233; background: #445566 and #00ff00 or #012", nil},
		{"numbers no forge gives", "Fixes #0, fixes #01, fixes #99999999999", nil},
		{"code", "Fixes `#12`\n\n```\nFixes #13\n```\n\n    Fixes #14\n", nil},
		{"code between keyword and number", "Fixes `x` #12", []fact.Link{mention(12)}},
		{"quotations", "> Fixes #12\n> CR: #13\n", nil},
		{"quotations in HTML", "<blockquote>\n\nFixes #12\n\n</blockquote>\n\nRefs #13", []fact.Link{keyword(13)}},
		{"release notes a bot pasted", "<details>\n<p>Fixes <a href=\"https://x.example/1\">#12</a></p>\n</details>", nil},
		{"inline tags", "Fixes <a href=\"x\">#12</a> and <code>fixes #13</code> and fixes #14", []fact.Link{closing(keyword(14))}},
		{"comments of the template", "<!-- Fixes #12 -->\n\nText <!-- refs #13 --> more\n\n<!--\nCR: #14\n-->", nil},
		{"words typed behind a comment", "<!-- which? --> Refs #12", []fact.Link{keyword(12)}},
		{"words struck out", "~~Fixes #12~~", nil},
		{"no keyword in a longer word", "bugfixes #12, hot-fixes #13, unfixed #14", []fact.Link{mention(12), mention(13), mention(14)}},
		{"a list does not go on after a paragraph", "Fixes #12\n\n#13", []fact.Link{closing(keyword(12)), mention(13)}},
		{"a keyword does not reach over a paragraph", "Fixes\n\n#12", []fact.Link{mention(12)}},
		{"the change itself", "Refs #40", nil},
		{"tables and lists are prose", "- [ ] Refs #1\n\n| a | b |\n|---|---|\n| x | Refs #2 |", []fact.Link{keyword(1), keyword(2)}},
		{"trailers in the last paragraph", "Words.\n\nCR: #12\nAnomaly: #9, 10\nrefs: acme/other#3", []fact.Link{
			trailer(12), trailer(9), trailer(10), in("acme/other", trailer(3)),
		}},
		{"trailers before a comment left by the template", "Words.\n\nCR: #12\n\n<!-- end -->", []fact.Link{trailer(12)}},
		{"a trailer not in the last paragraph is prose", "CR: #12\n\nMore words.", []fact.Link{keywordless(12)}},
		{"the strongest kind stands, and closing stays", "Fixes #12, see #12\n\nCR: #12", []fact.Link{closing(trailer(12))}},
		{"strong kinds come first", "see #1, refs #2\n\nCR: #3", []fact.Link{trailer(3), keyword(2), mention(1)}},
		{"nothing", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, Links(change(test.body))); diff != "" {
				t.Errorf("links of %q (-want +got):\n%s", test.body, diff)
			}
		})
	}
}

// keywordless is a number after "CR:" outside a trailer: a mention.
func keywordless(n int) fact.Link { return link(n, fact.LinkMention) }

func TestLinksFromElsewhere(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	comment := func(by fact.Person, text string) fact.Comment {
		return fact.Comment{ID: "5", Author: by, Body: text, First: text, FirstKnown: true, CreatedAt: at}
	}
	chen := fact.Person{ID: "2", Login: "chen"}
	for _, test := range []struct {
		name string
		edit func(*fact.Change)
		want []fact.Link
	}{
		{"the forge's own link", func(c *fact.Change) {
			c.Body = "Refs #12"
			c.Links = []fact.Link{{Repo: "acme/pump", Number: 12, Kind: fact.LinkForge, Closes: true}}
		}, []fact.Link{{Repo: "acme/pump", Number: 12, Kind: fact.LinkForge, Closes: true}}},
		{"a command of the opener", func(c *fact.Change) {
			c.Comments = []fact.Comment{comment(mara, "/primum link #12")}
		}, []fact.Link{{Repo: "acme/pump", Number: 12, Kind: fact.LinkCommand, Source: "command of mara"}}},
		{"a command with an address", func(c *fact.Change) {
			c.Comments = []fact.Comment{comment(mara, "/primum link https://forge.example/acme/other/issues/3")}
		}, []fact.Link{{Repo: "acme/other", Number: 3, Kind: fact.LinkCommand, Source: "command of mara"}}},
		{"a command of somebody with a role", func(c *fact.Change) {
			c.People = map[string]fact.Principal{"team:test": {Members: []fact.Person{chen}}}
			c.Comments = []fact.Comment{comment(chen, "/primum link 12")}
		}, []fact.Link{{Repo: "acme/pump", Number: 12, Kind: fact.LinkCommand, Source: "command of chen"}}},
		{"a command of a passer-by", func(c *fact.Change) { c.Comments = []fact.Comment{comment(chen, "/primum link #12")} }, nil},
		{"a command of a bot", func(c *fact.Change) {
			c.Comments = []fact.Comment{comment(fact.Person{ID: "1", Login: "mara", Bot: true}, "/primum link #12")}
		}, nil},
		{"a command of nobody when the opener is gone too", func(c *fact.Change) {
			c.Opener = fact.Person{}
			c.Comments = []fact.Comment{comment(fact.Person{}, "/primum link #12")}
		}, nil},
		{"an edited command counts as first posted", func(c *fact.Change) {
			k := comment(mara, "/primum link #12")
			k.Body = "/primum link #13"
			c.Comments = []fact.Comment{k}
		}, []fact.Link{{Repo: "acme/pump", Number: 12, Kind: fact.LinkCommand, Source: "command of mara"}}},
		{"an edited command first seen later counts for nothing", func(c *fact.Change) {
			k := comment(mara, "/primum link #12")
			k.FirstKnown = false
			c.Comments = []fact.Comment{k}
		}, nil},
		{"a command in a review", func(c *fact.Change) {
			c.Reviews = []fact.Review{{Author: mara, First: "/primum link #12", FirstKnown: true, SubmittedAt: at}}
		}, []fact.Link{{Repo: "acme/pump", Number: 12, Kind: fact.LinkCommand, Source: "command of mara"}}},
		{"trailers and closing words of commits, not their mentions", func(c *fact.Change) {
			c.Commits = []fact.Commit{
				{SHA: "3f9c0b7aa", Message: "dosing: stop at the limit (#77)\n\nSee #78.\n\nCR: #12\nCo-authored-by: X <x@y.example>"},
				{SHA: "aa11bb2", Message: "Fixes #13"},
				{SHA: "aa11bb3", Message: "CR: #79"},
				{SHA: "aa11bb4", Message: "words\n\n> Fixes #80\n\n    Fixes #81\n\n`Fixes #82`"},
			}
		}, []fact.Link{
			{Repo: "acme/pump", Number: 12, Kind: fact.LinkTrailer, Source: "commit 3f9c0b7"},
			{Repo: "acme/pump", Number: 13, Kind: fact.LinkKeyword, Closes: true, Source: "commit aa11bb2"},
		}},
		{"a branch name is a suggestion", func(c *fact.Change) {
			c.Head.Name = "fix/12-stall"
		}, []fact.Link{{Repo: "acme/pump", Number: 12, Kind: fact.LinkBranch, Source: "branch fix/12-stall"}}},
		{"a date in a branch name is none", func(c *fact.Change) { c.Head.Name = "2026-11-release" }, nil},
		{"a title names, and closes nothing", func(c *fact.Change) { c.Title = "Stop the stall, fixes #12 (#13)" }, []fact.Link{
			{Repo: "acme/pump", Number: 12, Kind: fact.LinkKeyword, Source: "title"},
			{Repo: "acme/pump", Number: 13, Kind: fact.LinkMention, Source: "title"},
		}},
		{"a change into another branch closes nothing", func(c *fact.Change) {
			c.Body, c.Base.Name = "Fixes #12", "release/2"
		}, []fact.Link{link(12, fact.LinkKeyword)}},
		{"a forge below a path", func(c *fact.Change) {
			c.Repo.URL = "https://forge.example/git/acme/pump"
			c.Body = "Refs https://forge.example/git/acme/pump/issues/12, https://forge.example/acme/pump/issues/13"
		}, []fact.Link{link(12, fact.LinkKeyword)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := change("")
			test.edit(c)
			if diff := cmp.Diff(test.want, Links(c)); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReferencesOfASection(t *testing.T) {
	t.Parallel()
	got := References("#9, acme/other#3\nhttps://forge.example/acme/pump/issues/9", fact.Repo{Owner: "acme", Name: "pump", URL: "https://forge.example/acme/pump"})
	want := []fact.Link{{Repo: "acme/pump", Number: 9, Kind: fact.LinkMention}, {Repo: "acme/other", Number: 3, Kind: fact.LinkMention}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestTrailers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, msg string
		want      []Trailer
	}{
		{"keys are canonical", "s\n\ncr: #1\nREQ: SRS-7\nverifies : SRS-8\nCO-AUTHORED-BY: A <a@b.example>\nother-key: x", []Trailer{
			{"CR", "#1", "s"}, {"Req", "SRS-7", "s"}, {"Verifies", "SRS-8", "s"}, {"Co-authored-by", "A <a@b.example>", "s"}, {"Other-key", "x", "s"},
		}},
		{"a value goes on in an indented line", "s\n\nReq: SRS-7,\n  SRS-8", []Trailer{{"Req", "SRS-7, SRS-8", "s"}}},
		{"the subject is no trailer", "cr: #1", nil},
		{"only the last paragraph", "s\n\nCR: #1\n\nwords", nil},
		{"a known key among prose", "s\n\nwords\nCR: #1", []Trailer{{"CR", "#1", "s"}}},
		{"unknown keys among prose", "s\n\nwords\nNote: x", nil},
		{"too much prose", "s\n\none\ntwo\nthree\nfour\nCR: #1", nil},
		{"an address is no key", "s\n\nhttps://x.example", nil},
		{"CRLF", "s\r\n\r\nCR: #1\r\n", []Trailer{{"CR", "#1", "s"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, trailers(test.msg, "s", true)); diff != "" {
				t.Errorf("trailers (-want +got):\n%s", diff)
			}
		})
	}
}

// Where changes and issues are counted apart, change !3 may well implement issue #3.
func TestAnIssueWithTheNumberOfTheChange(t *testing.T) {
	t.Parallel()
	for sign, want := range map[string]int{"": 0, "#": 0, "!": 1} {
		c := &fact.Change{Number: 3, Sign: sign, Body: "Fixes #3", Repo: fact.Repo{Owner: "acme/devices", Name: "pump"}}
		if got := Links(c); len(got) != want {
			t.Errorf("sign %q: links %+v, want %d", sign, got, want)
		}
	}
}
