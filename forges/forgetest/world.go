// Package forgetest is the contract every forge adapter passes: each method of
// forges.Forge, each sentinel, paging, refusals, limits, parts that cannot be
// read, and an event for everything a person can do.
//
// The adapter under test talks to a face of the simulated forge; the contract
// acts in the forge behind it and looks at what the adapter makes of it.
package forgetest

import (
	"primum/forges/sim"
)

// The standard world.
const (
	Org    = "acme"
	Repo   = "acme/pump"
	Policy = "version: 1\nproduct: infusion-pump\nclass: C\n"
)

// Populate makes the standard world: the organisation acme owned by alex, with
// mara, chen, jonas and priya in teams, sam outside it, an app for CI, and the
// public repository acme/pump with a policy and one file per item.
func Populate(f *sim.Forge) {
	for _, p := range [][2]string{
		{"alex", "Alex Roth"}, {"mara", "Mara Lind"}, {"chen", "Chen Wu"}, {"jonas", "Jonas Berg"}, {"priya", "Priya Nair"}, {"sam", "Sam Okoro"},
	} {
		f.AddUser(p[0], p[1])
	}
	f.AddOrg(Org, "Acme Infusion", "alex")
	f.Join(Org, false, "mara", "chen", "jonas", "priya")
	f.AddTeam(Org, "engineering", "Engineering", "")
	f.AddTeam(Org, "firmware", "Firmware", "engineering", "mara", "jonas")
	f.AddTeam(Org, "test", "Test", "engineering", "priya")
	f.AddTeam(Org, "qa", "Quality", "", "chen")
	f.AddRepo(Repo, sim.RepoOptions{By: "alex", Description: "Infusion pump", Files: map[string]string{
		".primum.yml":      Policy,
		"README.md":        "# Infusion pump\n",
		"fw/dosing/rate.c": "int rate(int ml, int minutes)\n{\n\treturn ml * 60 / minutes;\n}\n",
		"fw/comms/link.c":  "int up;\n",
		"ui/screen.c":      "int brightness = 3;\n",
		"docs/manual.md":   "# Manual\n",
	}})
	alex := f.As("alex")
	must(alex.GrantTeam(Repo, "engineering", sim.Write))
	must(alex.GrantTeam(Repo, "qa", sim.Write))
	f.AddApp("ci", "Continuous Integration", "alex")
	f.Install("ci", Org, sim.InstallOptions{})
}

// must is for the standard world, where a refusal is a mistake in the program.
func must(err error) {
	if err != nil {
		panic("forgetest: " + err.Error())
	}
}
