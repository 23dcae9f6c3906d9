package evidence

import (
	"sort"
	"strconv"
	"strings"

	"primum/rules/fact"
)

// Read finds everything in the texts of a change and its issues.
func Read(c *fact.Change) *Evidence {
	h := homeOf(c.Repo, c.URL)
	body := read(c.Body, true)
	e := &Evidence{Description: body.doc, Trailers: body.trailers(), Commands: commandsOf(c, h)}
	e.Links = links(c, h, body, e.Commands)
	for i := range c.Commits {
		k := &c.Commits[i]
		e.Trailers = append(e.Trailers, trailers(k.Message, commitSource(k), true)...)
	}
	if len(c.Issues) > 0 {
		e.Issues = make(map[string]*Issue, len(c.Issues))
	}
	for i := range c.Issues {
		n := &c.Issues[i]
		ih := home{base: h.base, repo: n.Repo}
		issue := &Issue{Facts: n, Form: ParseDocument(n.Body)}
		for j := range n.Comments {
			issue.Commands = appendCommand(issue.Commands, &n.Comments[j], ih, place{issue: n.Number}, false)
		}
		sortByTime(issue.Commands)
		e.Issues[issueKey(n.Repo, n.Number)] = issue
	}
	return e
}

// commandsOf reads the commands in comments and reviews of the change itself.
func commandsOf(c *fact.Change, h home) []Command {
	var out []Command
	for i := range c.Comments {
		out = appendCommand(out, &c.Comments[i], h, place{change: c.Number}, false)
	}
	for i := range c.Reviews {
		r := &c.Reviews[i]
		if !r.FirstKnown || !IsCommand(r.First) {
			continue
		}
		out = appendCommand(out, &fact.Comment{
			ID: r.ID, URL: r.URL, Author: r.Author, Body: r.Body, CreatedAt: r.SubmittedAt, EditedAt: r.EditedAt,
			Editor: r.Editor, First: r.First, FirstKnown: true, HeadThen: r.Commit, SubjectThen: r.SubjectThen,
		}, h, place{change: c.Number}, true)
	}
	sortByTime(out)
	for i := range out {
		if out[i].Name == "link" && out[i].Wrong == "" && !mayLink(c, out[i].By) {
			out[i].Wrong = "only the person who opened the change or somebody with a role in the policy can link an issue; " +
				"ask them to, or to write `Refs " + out[i].Args[0] + "` in the description"
		}
	}
	return out
}

// appendCommand adds the command a comment holds, as first posted, if it holds
// one and a person wrote it.
func appendCommand(out []Command, k *fact.Comment, h home, at place, review bool) []Command {
	if !k.FirstKnown || k.Ours || k.Author.Bot || !IsCommand(k.First) {
		return out
	}
	cmd := parseCommand(k.First, h, at)
	cmd.Comment, cmd.By, cmd.At, cmd.Review = k, k.Author, k.CreatedAt, review
	return append(out, cmd)
}

func sortByTime(c []Command) {
	sort.SliceStable(c, func(i, j int) bool { return c[i].At.Before(c[j].At) })
}

// mayLink reports whether a person opened the change or holds any role.
func mayLink(c *fact.Change, p fact.Person) bool {
	if p.Is(c.Opener) {
		return true
	}
	for _, principal := range c.People {
		for _, m := range principal.Members {
			if m.Is(p) {
				return true
			}
		}
	}
	return false
}

// issueKey names an issue in Evidence.Issues and Command.Issue.
func issueKey(repo string, number int) string { return repo + "#" + strconv.Itoa(number) }

// splitIssue is the reverse of issueKey; the repository may be missing.
func splitIssue(s string) (repo string, number int, ok bool) {
	repo, num, ok := strings.Cut(s, "#")
	if !ok {
		return "", 0, false
	}
	n, err := strconv.Atoi(num)
	return repo, n, err == nil
}
