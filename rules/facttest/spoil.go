package facttest

import (
	"strconv"
	"strings"
	"time"

	"primum/rules/fact"
)

// Older is a commit that the change had before its head.
const Older = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

// Approve adds an approving review of the head.
func Approve(c *fact.Change, who fact.Person, at time.Time, body string) *fact.Review {
	return Review(c, who, fact.Approved, at, body)
}

// Review adds a review of the head.
func Review(c *fact.Change, who fact.Person, state fact.ReviewState, at time.Time, body string) *fact.Review {
	c.Reviews = append(c.Reviews, fact.Review{
		ID: "r" + strconv.Itoa(len(c.Reviews)+1), URL: c.URL + "#review-" + who.Login, Author: who, State: state, Commit: c.Head.SHA,
		Body: body, First: body, FirstKnown: true, SubmittedAt: at, Patch: c.Patch,
	})
	return &c.Reviews[len(c.Reviews)-1]
}

// Say adds a comment on the change, never edited.
func Say(c *fact.Change, who fact.Person, at time.Time, text string) *fact.Comment {
	c.Comments = append(c.Comments, comment("c"+strconv.Itoa(len(c.Comments)+1), who, at, text))
	return &c.Comments[len(c.Comments)-1]
}

// SayOn adds a comment on a linked issue, never edited.
func SayOn(c *fact.Change, issue int, who fact.Person, at time.Time, text string) *fact.Comment {
	n := c.Issue(issue)
	n.Comments = append(n.Comments, comment("i"+strconv.Itoa(len(n.Comments)+1), who, at, text))
	return &n.Comments[len(n.Comments)-1]
}

// Pushed moves the head away from where the reviews were given. same says
// whether the difference to the target branch stayed the same, as in a rebase.
func Pushed(c *fact.Change, same bool) {
	for i := range c.Reviews {
		c.Reviews[i].Commit = Older
		if !same {
			c.Reviews[i].Patch = "patch-0"
		}
	}
}

// Unlink takes every link of an issue out of the texts and drops the issue.
func Unlink(c *fact.Change, issue int) {
	ref := "#" + strconv.Itoa(issue)
	cut := strings.NewReplacer("Refs "+ref+"\n", "", "CR: "+ref+"\n", "", "Verifies: "+ref+"\n", "")
	c.Body = cut.Replace(c.Body)
	for i := range c.Commits {
		c.Commits[i].Message = cut.Replace(c.Commits[i].Message)
	}
	var kept []fact.Issue
	for _, n := range c.Issues {
		if n.Number != issue {
			kept = append(kept, n)
		}
	}
	c.Issues = kept
}

// Section replaces the text below a heading of an issue's form.
func Section(c *fact.Change, issue int, title, text string) {
	n := c.Issue(issue)
	before, after, ok := strings.Cut(n.Body, "### "+title+"\n")
	if !ok {
		panic("facttest: issue " + strconv.Itoa(issue) + " has no section " + title)
	}
	n.Body = before + "### " + title + "\n\n" + text + "\n"
	if _, rest, more := strings.Cut(after, "\n### "); more {
		n.Body += "\n### " + rest
	}
}

// Touch adds modified files.
func Touch(c *fact.Change, paths ...string) {
	for _, p := range paths {
		c.Files = append(c.Files, fact.File{Path: p, Status: fact.Modified, Added: 1, DiffKnown: true, Diff: "@@ -1 +1,2 @@\n+more\n"})
	}
}

// Check returns the check of this name.
func Check(c *fact.Change, name string) *fact.Check {
	for i := range c.Checks {
		if c.Checks[i].Name == name {
			return &c.Checks[i]
		}
	}
	panic("facttest: there is no check " + name)
}

// Drop removes the reviews of one person.
func Drop(c *fact.Change, who fact.Person) {
	var kept []fact.Review
	for _, r := range c.Reviews {
		if !r.Author.Is(who) {
			kept = append(kept, r)
		}
	}
	c.Reviews = kept
}
