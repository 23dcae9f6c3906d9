package rules

import (
	"strconv"
	"strings"

	"primum/rules/fact"
	"primum/rules/policy"
)

const linkChangeRequestID = "link-change-request"

var linkChangeRequest = Rule{
	ID:    linkChangeRequestID,
	Title: "The change names the request it implements",
	Short: "change request",
	Group: "linkage",
	Clauses: []string{
		"8.2.1", "8.2.2", "8.2.4", "9.4", "5.5.1",
	},
	Defaults: perClass(policy.Block, policy.Block, policy.Block),
	Since:    "0.1",
	Params: []policy.Param{{
		Name: "repositories", Kind: policy.KindList,
		Doc:      "Further repositories (\"owner/name\") whose change requests count; otherwise only those of the change's own.",
		Default:  defaults([]string{}, []string{}, []string{}),
		Stricter: 0,
	}},
	Needs:    []fact.Need{fact.NeedFiles, fact.NeedIssues, fact.NeedCommits, fact.NeedComments},
	Triggers: []fact.Trigger{fact.OnOpened, fact.OnEdited, fact.OnPushed, fact.OnCommand, fact.OnIssue, fact.OnIssueWords},
	Why: "Every change of released software starts from an approved request. Whoever asks later why a line changed must be able to walk from the " +
		"commit to the request, and from the request to everything that was done for it.",
	Fix: "Write `Refs #12` in the description, `CR: #12` in a commit message, or comment `/primum link #12`. The issue must be a change request " +
		"by its form, label or type, or a problem report decided to be fixed, and it must be open. A bare number in a sentence or a branch name links nothing.",
	Good: Example{Text: "The description says `Refs #12`, and #12 is an open change request."},
	Bad: Example{
		Text: "The description says only \"as discussed in #12\".",
		Edit: func(c *fact.Change) {
			c.Body = "As discussed in #12."
			c.Links = nil
			for i := range c.Commits {
				c.Commits[i].Message, _, _ = strings.Cut(c.Commits[i].Message, "\n")
			}
		},
	},
	Check: checkLinkChangeRequest,
}

func checkLinkChangeRequest(c *Case) Result {
	var ev []Evidence
	for _, l := range c.issues.requests {
		ev = append(ev, l.evidenceOf(linkWords(l.link)))
	}
	if len(ev) > 0 {
		refs := make([]string, 0, len(ev))
		for _, e := range ev {
			refs = append(refs, e.Ref)
		}
		return passed("Implements "+list(refs), ev...)
	}
	var findings []Finding
	for i := range c.issues.all {
		l := &c.issues.all[i]
		if l.bad == "" {
			continue
		}
		findings = append(findings, Finding{
			Outcome: Fail, Message: l.ref + " " + l.bad, Fix: l.cure, Who: c.opener(), URL: l.facts.URL,
		})
	}
	if len(findings) == 0 {
		findings = append(findings, c.noLink())
	}
	return judged("", findings[:1], evidenceOfAll(c)...)
}

// noLink is the finding where nothing is linked at all; a number seen in the
// branch name or in prose is offered.
func (c *Case) noLink() Finding {
	f := Finding{
		Outcome: Fail,
		Message: "No change request is linked",
		Fix:     "Write `Refs #NUMBER` in the description or comment `/primum link #NUMBER`; open a change request first if there is none",
		Who:     c.opener(), Command: "/primum link #NUMBER",
	}
	for _, s := range c.issues.suggested {
		if !strings.EqualFold(s.Repo, c.Change.Repo.FullName()) {
			continue
		}
		ref := "#" + strconv.Itoa(s.Number)
		f.Command = "/primum link " + ref
		f.Fix = "If " + ref + " is meant, comment " + code(f.Command) + " or write " + code("Refs "+ref) + " in the description"
		if s.Kind == fact.LinkBranch {
			f.Message += "; a number in the branch name does not link it"
		} else {
			f.Message += "; a number in a sentence does not link it"
		}
		break
	}
	return f
}

// evidenceOfAll lists what was linked and found wanting.
func evidenceOfAll(c *Case) []Evidence {
	var ev []Evidence
	for i := range c.issues.all {
		l := &c.issues.all[i]
		ev = append(ev, l.evidenceOf(l.bad))
	}
	return ev
}

func linkWords(l fact.Link) string {
	switch l.Kind {
	case fact.LinkForge:
		return "linked on the forge"
	case fact.LinkCommand:
		return "linked by command"
	case fact.LinkTrailer, fact.LinkKeyword:
		if l.Source != "" {
			return "named in the " + l.Source
		}
	case fact.LinkBranch, fact.LinkMention:
	}
	return string(l.Kind)
}

// opener is who can mend what the change itself lacks.
func (c *Case) opener() []string {
	if c.Change.Opener.Known() && !c.Change.Opener.Bot {
		return []string{login(c.Change.Opener)}
	}
	for _, a := range c.People.Authors {
		if !a.Person.Bot {
			return []string{login(a.Person)}
		}
	}
	return []string{string(policy.Developer)}
}
