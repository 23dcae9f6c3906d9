package rules

import (
	"slices"

	"primum/rules/evidence"
	"primum/rules/fact"
	"primum/rules/policy"
)

// Refusal is a well-formed command that counts for nothing because of who gave it.
type Refusal struct {
	Comment string `json:"comment"` // id
	By      string `json:"by"`      // login
	// Why is the cause and the cure in one sentence, without its full stop.
	Why string `json:"why"`
}

// refusals lists the commands whose givers may not give them, on the change and
// on its change requests. Where somebody in the policy could not be looked up it
// cannot be told who may, and none is listed.
func (c *Case) refusals() []Refusal {
	if _, known := c.Change.Why(fact.NeedPeople); !known || len(c.People.problems) > 0 {
		return nil
	}
	var out []Refusal
	ask := func(k *evidence.Command, why string) {
		if why != "" && k.Comment != nil && k.Wrong == "" && k.By.Known() && !k.By.Bot {
			out = append(out, Refusal{Comment: k.Comment.ID, By: k.By.Login, Why: why})
		}
	}
	held := map[string]bool{} // by account
	for i := range c.Evidence.Commands {
		k := &c.Evidence.Commands[i]
		ask(k, c.mayNot(k, held))
	}
	for _, r := range c.issues.requests {
		for i := range r.texts.Commands {
			k := &r.texts.Commands[i]
			switch {
			case k.Name == "risk":
				ask(k, c.mayNotConfirm(k))
			case k.Name == "approve" && k.Waiver == "" && len(c.People.Roles(k.By)) == 0:
				ask(k, c.needsRole("an approval", nil))
			}
		}
	}
	return out
}

// mayNot says why a command on the change counts for nothing; "" if it counts, or
// if that hangs on more than who gave it. held are the accounts with a hold.
func (c *Case) mayNot(k *evidence.Command, held map[string]bool) string {
	none := len(c.People.Roles(k.By)) == 0
	switch {
	case k.Wrong != "":
		return ""
	case k.Name == "hold" && len(k.Args) == 0:
		if none {
			return c.needsRole("a hold", nil)
		}
		held[k.By.ID] = true
	case k.Name == "hold":
		if c.People.Holds(k.By, policy.Quality) {
			clear(held)
			return ""
		}
		if len(held) > 0 && !held[k.By.ID] {
			return "a hold is lifted by who set it, or by a holder of quality; ask one of them"
		}
		delete(held, k.By.ID)
	case k.Name == "sign" && none:
		return c.needsRole("a signature", nil)
	case k.Name == "risk":
		return c.mayNotConfirm(k)
	case k.Name == "verify":
		if !c.People.Holds(k.By, policy.Verification) {
			return c.needsRole("a verification", []policy.Role{policy.Verification})
		}
		if _, author := c.People.AuthorWhy(k.By); author {
			return "an author of the change cannot verify it; ask another holder of verification"
		}
	case k.Name == "approve" && k.Waiver != "":
		roles := c.approvers(c.Policy.Setting(waiverValidID, c.Class.Class))
		i := slices.IndexFunc(c.Waivers, func(w Waiver) bool { return w.ID == k.Waiver })
		switch _, author := c.People.AuthorWhy(k.By); {
		case i >= 0 && c.Waivers[i].State == WaiverActive: // somebody else has approved it
		case !c.People.Holds(k.By, roles...):
			return c.needsRole("the approval of a waiver", roles)
		case author:
			return "an author of the change cannot approve its waivers; ask another holder of " + either(roleWords(roles))
		case i >= 0 && c.Waivers[i].Requester.Is(k.By):
			return "who asked for a waiver cannot approve it; ask another holder of " + either(roleWords(roles))
		}
	}
	return ""
}

// mayNotConfirm says why somebody cannot confirm the answers to the risk questions.
func (c *Case) mayNotConfirm(k *evidence.Command) string {
	if len(k.Args) != 1 || k.Args[0] != "confirm" || c.People.Holds(k.By, policy.Risk) {
		return ""
	}
	return c.needsRole("a confirmation of the answers", []policy.Role{policy.Risk})
}

// needsRole says that something counts from holders of these roles only, nil for
// any, and whom to ask.
func (c *Case) needsRole(what string, roles []policy.Role) string {
	of, who := either(roleWords(roles)), c.People.eligible(roles...)
	if len(roles) == 0 {
		of, who = "a role in the policy", c.People.eligible(rolesInOrder(c.Policy)...)
	}
	if len(who) == 0 {
		return what + " counts from holders of " + of + " only, and the policy names nobody who could; add them under people in " + c.People.policyAt
	}
	return what + " counts from holders of " + of + " only; ask " + either(logins(who[:min(len(who), 3)]))
}
