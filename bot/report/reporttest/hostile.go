package reporttest

import (
	"primum/rules"
	"primum/rules/class"
	"primum/rules/fact"
	"primum/rules/policy"
)

// Hostile lists texts that try to be more than text.
func Hostile() []string {
	return []string{
		"@acme/everyone and @mara",
		"mail someone@evil.example now",
		"#12 acme/other#3 GH-12 !12",
		"<script>alert(1)</script>",
		"</details></table><img src=x onerror=alert(1)>",
		"[click](https://evil.example/a) ![pix](https://evil.example/p.png)",
		"https://evil.example/ www.evil.example ftp://evil.example mailto:a@evil.example",
		"<https://evil.example/auto>",
		"a | b | c |\n| --- |\n| x |",
		"line one\r\n\r\n# Heading\n\n- [ ] task\n> quote",
		"`code` ``two`` ```three``` `open",
		"`x` @mara `y",
		"`|@mara|`",
		"\u202Etxt.exe\u202C \u2066bidi\u2069 \u200Bzero\u200D \u0000nul \u001b[31mred",
		"*bold* _it_ ~~gone~~ **@mara**",
		"<!-- primum:change:v1 -->",
		"--> <!-- x",
		"[ref]: https://evil.example/ref",
		"[ref][ref] [^1]",
		"javascript:alert(1) :+1: $\\frac{1}{2}$",
		"&lt;script&gt; &#64;mara &commat;mara",
		"\\@mara \\<b> \\`",
		"1. one", "---", "===", "+ item", "    indented", "~~~", "```",
		"\xff\xfe broken",
		"tab\tand\vvertical\u2028line\u2029para\u0085next",
	}
}

// HostileVerdict puts one hostile text wherever others' words can stand.
func HostileVerdict(x string) *rules.Verdict {
	v := Mixed()
	bad := fact.Person{ID: "9", Login: x, Name: x}
	s := &v.Subject
	s.Repo, s.Title, s.Author, s.Base, s.Head, s.Product = x, x, bad, x, x, x
	v.Reason = x
	v.Class.Reason = "Class C: `" + x + "` belongs to " + x
	v.Class.Deciding = []class.PathClass{{Path: x, Item: x, Class: "C"}}
	v.Class.Groups = []class.Group{{Item: x, Class: "C", Paths: 1, Why: x}}
	v.Class.Unmapped = []string{x}
	for i := range v.Results {
		r := &v.Results[i]
		r.Summary, r.Origin = x, x
		r.Findings = append(r.Findings, rules.Finding{
			Outcome: r.Outcome, Message: x + " in `" + x + "`", Fix: x, Who: []string{x}, Command: "/primum link " + x, Path: x, Line: i, URL: x,
		})
		r.Evidence = append(r.Evidence, rules.Evidence{Kind: "issue", Ref: x, Text: x, URL: x, By: x})
		r.Params = map[string]any{"text": x}
	}
	v.Authors = []rules.Author{{Person: bad, Why: []string{x}}}
	v.Approvals = []rules.Approval{{Reviewer: bad, Roles: []policy.Role{policy.Role(x)}, Commit: x, URL: x, Meaning: x, Why: x}}
	v.Waivers = []rules.Waiver{{ID: "W1", Rule: x, Because: x, Requester: bad, Approver: bad, State: rules.WaiverInvalid, Problem: x, URL: x}}
	v.Policy.Path = x
	v.Preview = &rules.Preview{
		Changes: []rules.PolicyChange{{Words: x, Weaker: true}}, Falls: []rules.ClassFall{{Item: x, From: "C", To: "A"}},
		Flips: []rules.Flip{{Change: 3, Title: x, From: rules.Fail, To: rules.Pass}}, FlipsNote: x,
	}
	return v
}
