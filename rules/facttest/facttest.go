// Package facttest holds one believable change that satisfies every rule, for
// each class, and small ways to spoil it.
//
// Tests of rules start from Compliant, spoil one thing and expect one finding.
// The product is an infusion pump with an item of each class; its people, teams
// and issues are the same in every test, so that a test says only what differs.
package facttest

import (
	"strconv"
	"time"

	"primum/rules"
	"primum/rules/class"
	"primum/rules/fact"
	"primum/rules/policy"
)

// PolicyText is the policy of the pump.
const PolicyText = `version: 1
product: infusion-pump
class: C
items:
  - {id: dosing, class: C, paths: [fw/dosing/**, tests/dosing/**], hazards: [HZ-3]}
  - {id: comms, class: B, paths: [fw/comms/**, tests/comms/**], rationale: docs/risk/comms-segregation.md}
  - {id: ui, class: A, paths: [ui/**, tests/ui/**], rationale: docs/risk/ui-segregation.md}
not-device-software: [docs/**, "*.md"]
people:
  developer: [team:firmware]
  verification: [team:test]
  risk: [user:noor]
  quality: [team:qa]
  regulatory: [user:ruth]
checks: {A: [build], B: [build, test], C: [build, test, misra]}
`

// Numbers of the story.
const (
	ChangeNumber = 31
	RequestNo    = 12 // the change request, corrective
	AnomalyNo    = 9  // the problem report it resolves
	Head         = "3f9c0b7d51aa42e69b1c60d5c7f8e3a2914b6d70"
	BaseSHA      = "a10c44e2b7f94d3f8e6a5b2c1d0e9f8a7b6c5d4e"
)

// Mara wrote the change; a developer.
func Mara() fact.Person { return fact.Person{ID: "101", Login: "mara", Name: "Mara Lind"} }

// Jonas is a developer and reviewed.
func Jonas() fact.Person { return fact.Person{ID: "102", Login: "jonas", Name: "Jonas Brandt"} }

// Alex is a developer.
func Alex() fact.Person { return fact.Person{ID: "103", Login: "alex", Name: "Alex Moreau"} }

// Priya verifies and reviewed.
func Priya() fact.Person { return fact.Person{ID: "104", Login: "priya", Name: "Priya Nair"} }

// Sam verifies and reported the problem.
func Sam() fact.Person { return fact.Person{ID: "105", Login: "sam", Name: "Sam Okafor"} }

// Noor has the risk role.
func Noor() fact.Person { return fact.Person{ID: "106", Login: "noor", Name: "Noor Haddad"} }

// Chen has the quality role.
func Chen() fact.Person { return fact.Person{ID: "107", Login: "chen", Name: "Chen Wei"} }

// Ruth has the quality and the regulatory role.
func Ruth() fact.Person { return fact.Person{ID: "108", Login: "ruth", Name: "Ruth Keller"} }

// Guest has no role.
func Guest() fact.Person { return fact.Person{ID: "109", Login: "guest", Name: "Guest"} }

// Bot is a service account.
func Bot() fact.Person { return fact.Person{ID: "900", Login: "updates[bot]", Bot: true} }

// CI reports the checks.
func CI() fact.Person { return fact.Person{ID: "901", Login: "github-actions", Bot: true} }

// At is a moment of the story, in hours after the problem was reported. The
// change was opened at 24, reviewed at 26 and 27, and read at 28.
func At(hours float64) time.Time {
	reported := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	return reported.Add(time.Duration(hours * float64(time.Hour)))
}

// Now is when the story is judged.
func Now() time.Time { return At(28) }

// Policy parses a policy with the rules of this build; it panics on one that is
// not valid, since tests write them.
func Policy(text string) *policy.Policy {
	p, errs := policy.Parse(policy.Path, []byte(text), rules.Specs())
	if len(errs) > 0 {
		panic("facttest: " + errs.Error())
	}
	return p
}

// Compliant is a change of the given class that satisfies every rule, and the
// policy that governs it. Both are fresh: tests may alter the change.
func Compliant(level class.Level) (*fact.Change, *policy.Policy) {
	item := map[class.Level]string{"A": "ui", "B": "comms", "C": "dosing"}[level]
	dir := map[class.Level]string{"A": "ui", "B": "fw/comms", "C": "fw/dosing"}[level]
	c := &fact.Change{
		Forge: "github",
		Repo: fact.Repo{
			ID: "R_1", Owner: "acme", Name: "infusion-pump", Private: true, DefaultBranch: "main", URL: "https://forge.example/acme/infusion-pump",
		},
		Number:    ChangeNumber,
		URL:       "https://forge.example/acme/infusion-pump/pull/" + strconv.Itoa(ChangeNumber),
		Title:     "Hold the rate limit after an occlusion",
		Body:      "Holds the limit of the flow rate while the ramp restarts after an occlusion.\n\nRefs #12\nRefs #9\n",
		State:     fact.Open,
		Opener:    Mara(),
		CreatedAt: At(24), UpdatedAt: At(27),
		Head:      fact.Ref{Name: "rate-limit-after-occlusion", SHA: Head, Repo: "acme/infusion-pump"},
		Base:      fact.Ref{Name: "main", SHA: BaseSHA, Repo: "acme/infusion-pump"},
		MergeBase: BaseSHA,
		Patch:     "patch-1",
		Files: []fact.File{
			{Path: dir + "/rate.c", Status: fact.Modified, Added: 14, Removed: 3},
			{Path: dir + "/rate.h", Status: fact.Modified, Added: 2},
			{Path: "tests/" + item + "/rate_test.c", Status: fact.Modified, Added: 4, DiffKnown: true, Diff: testDiff},
		},
		Commits: []fact.Commit{{
			SHA:     Head,
			Message: "Hold the rate limit after an occlusion\n\nThe ramp restarted from the unlimited set value.\n\nCR: #12\nVerifies: #9\n",
			Author:  identity(Mara()), Committer: identity(Mara()), Parents: 1,
			AuthoredAt: At(23.5), CommittedAt: At(23.5),
			Signature: fact.Signature{Present: true, Valid: true},
		}},
		Issues: []fact.Issue{request(item), anomaly(item)},
		Policy: fact.Blob{Path: policy.Path, Commit: BaseSHA, OID: "b1", Text: PolicyText},
		BaseFiles: map[string]fact.Blob{
			"docs/risk/ui-segregation.md":    rationale("docs/risk/ui-segregation.md"),
			"docs/risk/comms-segregation.md": rationale("docs/risk/comms-segregation.md"),
		},
		People: map[string]fact.Principal{
			"team:firmware": {Members: []fact.Person{Mara(), Jonas(), Alex()}},
			"team:test":     {Members: []fact.Person{Priya(), Sam()}},
			"user:noor":     {Members: []fact.Person{Noor()}},
			"team:qa":       {Members: []fact.Person{Chen(), Ruth()}},
			"user:ruth":     {Members: []fact.Person{Ruth()}},
		},
		ReadAt: Now(),
	}
	for _, name := range []string{"build", "test", "misra"} {
		c.Checks = append(c.Checks, fact.Check{
			Name: name, State: fact.CheckSuccess, Source: "github-actions", SourceID: CI().ID, StartedAt: At(24.1), FinishedAt: At(24.5),
			URL: "https://forge.example/acme/infusion-pump/runs/" + name,
		})
	}
	Approve(c, Jonas(), At(26), "/primum sign reviewed-code\n\nThe clamp holds at every step of the ramp.")
	if level != "A" {
		Approve(c, Priya(), At(27), "/primum sign verified\n\nTried on the bench with build 412; limit and alarm as specified.")
	}
	return c, Policy(PolicyText)
}

const testDiff = `@@ -40,6 +40,10 @@ static void ramp_starts_at_limit(void)
 	assert_int_equal(rate_now(), RATE_LIMIT);
 }
 
+static void ramp_holds_limit_after_occlusion(void)
+{
+	assert_int_equal(rate_after_occlusion(), RATE_LIMIT); /* Verifies: #9 */
+}
 int main(void)
 {
`

func identity(p fact.Person) fact.Identity {
	return fact.Identity{Name: p.Name, Email: p.Login + "@pump.example", Account: p}
}

func rationale(path string) fact.Blob {
	return fact.Blob{
		Path: path, Commit: BaseSHA, OID: "b-" + path,
		Text: "# Segregation\n\nOwn process, one-way queue, memory bounded. Approved by noor.\n",
	}
}

func request(item string) fact.Issue {
	return fact.Issue{
		Repo: "acme/infusion-pump", Number: RequestNo, URL: "https://forge.example/acme/infusion-pump/issues/12",
		Title: "Hold the rate limit after an occlusion", State: fact.Open, Author: Mara(), Labels: []string{"change-request"},
		CreatedAt: At(1), UpdatedAt: At(4),
		Body: `<!-- primum:form:change-request -->

### Reason

After an occlusion the ramp starts from the unlimited set value.

### Kind of change

corrective

### Description of the change

Clamp the set value before the ramp restarts.

### Affected items

` + item + `

### Affected requirements and documents

SRS-17, test plan section 4

### Effect on the organisation

None, users and service keep their procedures.

### Effect on released versions

2.3.0 and 2.3.1 have the fault and get a patch release.

### Effect on interfacing systems

None, the telemetry message stays the same.

### Activities to repeat and regression scope

Unit and integration tests of the ramp, bench test of the alarm.

### Risk 1: new cause of a hazardous situation, SOUP included

No, because the clamp only narrows the values that reach the motor.

### Risk 2: more or other risk controls needed

No, because the existing limit covers the restarted ramp as well.

### Risk 3: interference with an existing risk control

Yes: the clamp is the control of HZ-3; its test is extended.

### Risk 4: effect on security

No, because nothing that is reachable from outside is touched.

### Anomalies it resolves

#9
`,
		Comments: []fact.Comment{
			comment("501", Chen(), At(3), "/primum approve"),
			comment("502", Noor(), At(4), "/primum risk confirm"),
		},
	}
}

func anomaly(item string) fact.Issue {
	return fact.Issue{
		Repo: "acme/infusion-pump", Number: AnomalyNo, URL: "https://forge.example/acme/infusion-pump/issues/9",
		Title: "Rate overshoots after an occlusion", State: fact.Open, Author: Sam(), Labels: []string{"bug"},
		CreatedAt: At(0), UpdatedAt: At(2),
		Body: `<!-- primum:form:anomaly -->

### What happens

The rate overshoots for two seconds after an occlusion clears.

### What is expected

The rate never exceeds the limit.

### Steps to reproduce

Clamp the line for ten seconds, release.

### Versions affected

2.3.0, 2.3.1

### How it was found

Bench test

### Effect on performance

Wrong rate for two seconds.

### Effect on safety

Possible overdose at the highest concentration.

### Effect on security

None known.

### Released

Yes

### Cause

The ramp reads the set value before it is clamped.

### Items involved

` + item + `

### Decision

fix
`,
	}
}

func comment(id string, by fact.Person, at time.Time, text string) fact.Comment {
	return fact.Comment{
		ID: id, Author: by, Body: text, First: text, FirstKnown: true, CreatedAt: at,
		URL: "https://forge.example/acme/infusion-pump/comments/" + id,
	}
}
