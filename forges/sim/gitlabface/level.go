package gitlabface

import "primum/forges/sim"

// Access levels.
const (
	noAccess   = 0
	guest      = 10
	reporter   = 20
	developer  = 30
	maintainer = 40
	owner      = 50
)

// level is the access level that amounts to a permission.
func level(p sim.Permission) int {
	return map[sim.Permission]int{
		sim.Read: guest, sim.Triage: reporter, sim.Write: developer, sim.Maintain: maintainer, sim.Admin: owner,
	}[p]
}

// levelName is what webhooks call an access level.
func levelName(l int) string {
	return map[int]string{guest: "Guest", reporter: "Reporter", developer: "Developer", maintainer: "Maintainer", owner: "Owner"}[l]
}
